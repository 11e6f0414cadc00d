//! The operations of one connection, paired by their message numbers.

use quaywatch_model::{At, Attribute, Direction, Observation, Operation, OperationClass, Outcome, Service, Sink};
use quaywatch_wire::{Flow, Pdu};

use super::{Message, PROTOCOL, filter, names, netlogon};
use crate::ber::{Reader, tag};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::gss::{self, Around, Login, Proof, Token};
use crate::login::{Ends, Secret};
use crate::pairing::Pairing;

/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 64;
/// Searches told of one flow; their like beyond are counted.
pub const SEEN_LIMIT: usize = 256;
/// Attributes named of one search or change.
const MAX_ATTRIBUTES: usize = 32;
/// Bytes kept of a name or attribute.
const MAX_TEXT: usize = 512;
const SASL_IN_PROGRESS: u32 = 14;

#[derive(Debug)]
struct Ask {
    at: At,
    code: u8,
    name: &'static str,
    class: OperationClass,
    object: String,
    detail: DetailJson,
    login: Option<Login>,
    entries: u64,
    start_tls: bool,
}

pub(super) struct Talk {
    waiting: Pairing<i64, Ask>,
    /// The search whose entries come in; taken out of `waiting` at its first.
    answering: Option<(i64, Ask)>,
    claims: Claims,
    seen: Claims,
    repeated: u64,
    version: &'static str,
    line: String,
    last: Option<At>,
    /// StartTLS was granted: what follows is TLS.
    pub(super) starts_tls: bool,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            answering: None,
            claims: Claims::default(),
            seen: Claims::with_limit(SEEN_LIMIT),
            repeated: 0,
            version: "",
            line: String::new(),
            last: None,
            starts_tls: false,
        }
    }
}

fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect()
}

/// The texts of a sequence of strings.
fn list(content: &[u8]) -> Vec<String> {
    let mut items = Reader::new(content);
    std::iter::from_fn(|| items.element()).map(|(_, item)| text(item)).take(MAX_ATTRIBUTES).collect()
}

impl Talk {
    pub(super) fn message(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        self.last = Some(pdu.at);
        let code = message.tag & 0x1f;
        match pdu.direction {
            Direction::FromClient if names::operation(code).is_some() => self.request(pdu, code, message, out),
            Direction::FromServer if names::asked(code).is_some() => self.response(pdu, code, message, out),
            _ => None,
        }
    }

    fn request(&mut self, pdu: &Pdu<'_>, code: u8, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let (name, class) = names::operation(code)?;
        let mut ask = Ask {
            at: pdu.at,
            code,
            name,
            class,
            object: String::new(),
            detail: DetailJson::default(),
            login: None,
            entries: 0,
            start_tls: false,
        };
        let read = self.fill(pdu, message, &mut ask, out);
        controls(message, &mut ask);
        ask.detail.number("message_id", message.id);
        if matches!(code, 2 | 16) {
            self.tell(pdu.flow, &ask, None, out);
        } else if let Some(lost) = self.waiting.ask(message.id, ask) {
            self.tell(pdu.flow, &lost, None, out);
        }
        read
    }

    fn fill(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, ask: &mut Ask, out: &mut dyn Sink) -> Option<()> {
        let mut fields = Reader::new(message.content);
        match ask.code {
            0 => self.bind(pdu, fields, ask, out),
            3 => search(fields, ask),
            6 => {
                ask.object = text(fields.optional(tag::OCTETS)?);
                let mut changes = Reader::new(fields.optional(tag::SEQUENCE)?);
                let changes = std::iter::from_fn(|| changes.element()).map_while(|(_, change)| change_of(change));
                ask.detail.texts("changes", changes.take(MAX_ATTRIBUTES));
                Some(())
            }
            8 => {
                ask.object = text(fields.optional(tag::OCTETS)?);
                let mut attributes = Reader::new(fields.optional(tag::SEQUENCE)?);
                let named = std::iter::from_fn(|| attributes.element())
                    .map_while(|(_, attribute)| Reader::new(attribute).element().map(|(_, name)| text(name)));
                ask.detail.texts("attributes", named.take(MAX_ATTRIBUTES));
                Some(())
            }
            10 => {
                ask.object = text(message.content);
                Some(())
            }
            12 => {
                ask.object = text(fields.optional(tag::OCTETS)?);
                ask.detail.text("new_name", text(fields.optional(tag::OCTETS)?));
                if let Some(parent) = fields.find(0x80) {
                    ask.detail.text("new_parent", text(parent));
                }
                Some(())
            }
            14 => {
                ask.object = text(fields.optional(tag::OCTETS)?);
                let (_, attribute) = Reader::new(fields.optional(tag::SEQUENCE)?).element()?;
                ask.detail.text("attribute", text(attribute));
                Some(())
            }
            23 => {
                let oid = text(fields.optional(0x80)?);
                ask.name = names::extended(&oid);
                ask.start_tls = ask.name == "start-tls";
                if ask.name == "modify-password" {
                    ask.class = OperationClass::Configure;
                }
                ask.object = oid;
                Some(())
            }
            _ => Some(()),
        }
    }

    /// `BindRequest` (RFC 4511 section 4.2), with Microsoft's older package negotiation (MS-ADTS 5.1.1.1.3).
    fn bind(&mut self, pdu: &Pdu<'_>, mut fields: Reader<'_>, ask: &mut Ask, out: &mut dyn Sink) -> Option<()> {
        let version = fields.number()?;
        self.version = if version == 2 { "2" } else { "3" };
        let name = text(fields.optional(tag::OCTETS)?);
        let (tag, content) = fields.element()?;
        ask.detail.number("authentication", tag & 0x1f);
        ask.object.clone_from(&name);
        match tag {
            0x80 => {
                let (method, proof) = match (name.is_empty(), content.is_empty()) {
                    (_, true) => ("anonymous", Proof::Anonymous),
                    (_, false) => ("simple", Proof::Readable(examine(&name, content))),
                };
                ask.detail.text("method", method);
                ask.login = Some(Login { method, account: name, proof });
                Some(())
            }
            0xa3 => {
                let mut sasl = Reader::new(content);
                let (_, mechanism) = sasl.element()?;
                let mechanism = text(mechanism);
                ask.detail.text("method", format_args!("sasl {mechanism}"));
                let credentials = sasl.element().map(|(_, bytes)| bytes).unwrap_or_default();
                self.token(pdu, credentials, ask, out);
                if ask.login.is_none() {
                    ask.login = sasl_login(&mechanism, credentials);
                }
                Some(())
            }
            0x89..=0x8b => {
                ask.detail.text("method", "sicily");
                self.token(pdu, content, ask, out);
                Some(())
            }
            _ => None,
        }
    }

    fn token(&mut self, pdu: &Pdu<'_>, bytes: &[u8], ask: &mut Ask, out: &mut dyn Sink) {
        let Some(token) = gss::read(bytes) else { return };
        self.say_token(pdu, &token, &mut ask.detail, out);
        if let Some(login) = token.login() {
            ask.object.clone_from(&login.account);
            ask.login = Some(login);
        }
    }

    fn say_token(&mut self, pdu: &Pdu<'_>, token: &Token, detail: &mut DetailJson, out: &mut dyn Sink) {
        token.describe(detail);
        token.say(&mut self.claims, out, pdu.at, pdu.sender().address);
    }

    fn response(&mut self, pdu: &Pdu<'_>, code: u8, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let asked = names::asked(code)?;
        if matches!(code, 4 | 19 | 25) {
            self.count_entry(message.id);
            return if code == 4 { self.entry(pdu, message.content, out) } else { Some(()) };
        }
        let mut fields = Reader::new(message.content);
        let status = u32::try_from(fields.number()?).ok()?;
        let matched = fields.optional(tag::OCTETS)?;
        let words = text(fields.optional(tag::OCTETS)?);
        self.say_service(pdu, out);
        let Some(mut ask) = self.answered(message.id, asked) else { return Some(()) };
        if !words.is_empty() && status != 0 {
            ask.detail.text("message", &words);
        }
        if asked == 0 {
            let token = gss::read(matched).or_else(|| gss::read(fields.find(0x87).unwrap_or_default()));
            if let Some(token) = token {
                self.say_token(pdu, &token, &mut ask.detail, out);
            }
            self.bound(pdu, &ask, status, out);
        }
        if ask.entries > 0 {
            ask.detail.number("entries", i64::try_from(ask.entries).unwrap_or(i64::MAX));
        }
        self.starts_tls |= ask.start_tls && status == 0;
        self.tell(pdu.flow, &ask, Some((pdu.at, status)), out);
        Some(())
    }

    fn say_service(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.claims.first("service") {
            let (server, transport, version) = (pdu.flow.server, pdu.flow.transport, self.version);
            let row = Service { server, transport, protocol: PROTOCOL, software: "", version };
            out.emit(pdu.at, Observation::Service(row));
        }
    }

    /// Takes the request that this response answers.
    fn answered(&mut self, id: i64, code: u8) -> Option<Ask> {
        match self.answering.take() {
            Some((known, ask)) if known == id && ask.code == code => Some(ask),
            other => {
                self.answering = other;
                self.waiting.answer_where(&id, |ask| ask.code == code)
            }
        }
    }

    fn count_entry(&mut self, id: i64) {
        if self.answering.as_ref().is_none_or(|(known, _)| *known != id)
            && let Some(ask) = self.waiting.answer(&id)
            && let Some((other, before)) = self.answering.replace((id, ask))
        {
            // Two searches answered in turns: the first goes back to wait.
            self.waiting.ask(other, before);
        }
        if let Some((_, ask)) = &mut self.answering {
            ask.entries = ask.entries.saturating_add(1);
        }
    }

    /// An entry without a name is the server's own (RFC 4512 section 5.1); the ping's answer is one too.
    fn entry(&mut self, pdu: &Pdu<'_>, content: &[u8], out: &mut dyn Sink) -> Option<()> {
        let mut fields = Reader::new(content);
        let name = fields.optional(tag::OCTETS)?;
        let mut attributes = Reader::new(fields.optional(tag::SEQUENCE)?);
        if !name.is_empty() {
            return Some(());
        }
        for _ in 0..MAX_ATTRIBUTES {
            let Some((_, attribute)) = attributes.element() else { break };
            let mut parts = Reader::new(attribute);
            let (Some((_, name)), Some((_, values))) = (parts.element(), parts.element()) else { continue };
            let Some((_, value)) = Reader::new(values).element() else { continue };
            self.own(pdu, &text(name).to_ascii_lowercase(), value, out);
        }
        Some(())
    }

    fn own(&mut self, pdu: &Pdu<'_>, attribute: &str, value: &[u8], out: &mut dyn Sink) {
        let subject = pdu.flow.server.address;
        let mut say = |kind, value: &str, method| self.claims.identify(out, pdu.at, subject, (kind, value, method));
        match attribute {
            "dnshostname" => say(Attribute::HostName, &text(value), "ldap root dnsHostName"),
            "defaultnamingcontext" => say(Attribute::Domain, &domain(&text(value)), "ldap root defaultNamingContext"),
            "vendorname" => say(Attribute::Vendor, &text(value), "ldap root vendorName"),
            "vendorversion" => say(Attribute::Software, &text(value), "ldap root vendorVersion"),
            "netlogon" => {
                let Some(answer) = netlogon::read(value) else { return };
                let method = "ldap netlogon ping";
                say(Attribute::HostName, &answer.host, method);
                say(Attribute::HostName, &answer.netbios_host, method);
                say(Attribute::Domain, &answer.domain, method);
                say(Attribute::Domain, &answer.netbios_domain, method);
                say(Attribute::Location, &answer.site, "ldap netlogon ping site");
                let role = if answer.flags & 1 != 0 { "primary domain controller" } else { "domain controller" };
                say(Attribute::Capability, role, method);
            }
            _ => {}
        }
    }

    fn bound(&mut self, pdu: &Pdu<'_>, ask: &Ask, status: u32, out: &mut dyn Sink) {
        let Some(login) = ask.login.as_ref().filter(|_| status != SASL_IN_PROGRESS) else { return };
        let outcome = if status == 0 { Outcome::Success } else { Outcome::Failure };
        let Flow { client, server, .. } = *pdu.flow;
        let around = Around { version: self.version, ..Around::default() };
        login.report(&mut self.claims, out, pdu.at, Ends { client, server, protocol: PROTOCOL }, outcome, around);
    }

    fn tell(&mut self, flow: &Flow, ask: &Ask, answer: Option<(At, u32)>, out: &mut dyn Sink) {
        let status = answer.map(|(_, status)| status);
        if ask.class == OperationClass::Read && !self.seen.first((ask.code, &ask.object, ask.detail_hash(), status)) {
            self.repeated = self.repeated.saturating_add(1);
            return;
        }
        let Some(at) = answer.map(|(at, _)| at).or(Some(ask.at)) else { return };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: flow.client,
                server: flow.server,
                unit: None,
                code: ask.code.into(),
                name: ask.name,
                class: ask.class,
                object: &ask.object,
                quantity: (ask.code == 3).then_some(ask.entries),
                status,
                status_name: status.map_or("", names::result),
                latency: answer.map(|(at, _)| at.ts.since(ask.at.ts)),
                request_frame: Some(ask.at.frame),
                reply_frame: answer.map(|(at, _)| at.frame),
                detail: ask.detail.object(&mut self.line),
            }),
        );
    }

    pub(super) fn finish(&mut self, flow: &Flow, out: &mut dyn Sink) {
        let mut asks: Vec<Ask> = self.answering.take().map(|(_, ask)| ask).into_iter().collect();
        asks.extend(self.waiting.drain());
        for ask in &asks {
            if let Some(login) = &ask.login {
                let ends = Ends { client: flow.client, server: flow.server, protocol: PROTOCOL };
                let around = Around { version: self.version, ..Around::default() };
                login.report(&mut self.claims, out, ask.at, ends, Outcome::Unknown, around);
            }
            self.tell(flow, ask, None, out);
        }
        let Some(at) = self.last.filter(|_| self.repeated > 0) else { return };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: flow.client,
                server: flow.server,
                unit: None,
                code: 3,
                name: "search",
                class: OperationClass::Read,
                object: "",
                quantity: Some(self.repeated),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: None,
                detail: "{\"repeated\":true}",
            }),
        );
    }
}

impl Ask {
    /// What tells searches on one base apart, without the message number.
    fn detail_hash(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut line = String::new();
        let detail = self.detail.object(&mut line);
        let mut hasher = DefaultHasher::new();
        detail.split(",\"message_id\"").next().hash(&mut hasher);
        hasher.finish()
    }
}

/// Looks at a readable password once. Directories name accounts by a path: its first value is the account.
fn examine(name: &str, secret: &[u8]) -> Secret {
    let first = name.split(',').next().unwrap_or_default();
    Secret::examine(first.split_once('=').map_or(name, |(_, account)| account), secret)
}

/// A SASL login that is no NTLM and no ticket (RFC 4616, RFC 2831, RFC 4422 appendix A).
fn sasl_login(mechanism: &str, credentials: &[u8]) -> Option<Login> {
    match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" => {
            let mut parts = credentials.split(|byte| *byte == 0).skip(1);
            let account = text(parts.next()?);
            let secret = Secret::examine(&account, parts.next()?);
            Some(Login { method: "sasl plain", account, proof: Proof::Readable(secret) })
        }
        "EXTERNAL" => {
            Some(Login { method: "sasl external", account: String::new(), proof: Proof::Sound("certificate") })
        }
        "DIGEST-MD5" if !credentials.is_empty() => {
            let words = text(credentials);
            let account = words.split("username=\"").nth(1)?.split('"').next()?.to_owned();
            Some(Login { method: "sasl digest-md5", account, proof: Proof::Weak("digest with MD5") })
        }
        _ => None,
    }
}

/// `BaseObject` to filter and attributes (RFC 4511 section 4.5.1).
fn search(mut fields: Reader<'_>, ask: &mut Ask) -> Option<()> {
    ask.object = text(fields.optional(tag::OCTETS)?);
    let scope = match fields.number()? {
        0 => "base",
        1 => "one-level",
        2 => "subtree",
        3 => "children",
        _ => "unknown",
    };
    ask.detail.text("scope", scope);
    fields.number()?;
    fields.number()?;
    fields.number()?;
    // Only types, or types with values.
    fields.element()?;
    let (tag, content) = fields.element()?;
    let mut written = String::new();
    filter::write(tag, content, &mut written);
    ask.detail.text("filter", &written);
    let attributes = list(fields.optional(tag::SEQUENCE)?);
    if !attributes.is_empty() {
        ask.detail.texts("attributes", &attributes);
    }
    if ask.object.is_empty() && scope == "base" {
        ask.class = OperationClass::Identify;
    }
    Some(())
}

/// One change of an entry: what is done to which attribute, without the value.
fn change_of(change: &[u8]) -> Option<String> {
    let mut fields = Reader::new(change);
    let done = match fields.number()? {
        0 => "add",
        1 => "delete",
        2 => "replace",
        3 => "increment",
        _ => "unknown",
    };
    let (_, name) = Reader::new(fields.optional(tag::SEQUENCE)?).element()?;
    Some(format!("{done} {}", text(name)))
}

/// Controls (RFC 4511 section 4.1.11) by name where it is known.
fn controls(message: &Message<'_>, ask: &mut Ask) {
    let Some(mut controls) = message.rest.find(0xa0).map(Reader::new) else { return };
    let named: Vec<String> = std::iter::from_fn(|| controls.element())
        .filter_map(|(_, control)| Reader::new(control).element().map(|(_, oid)| text(oid)))
        .map(|oid| names::control(&oid).map_or(oid, str::to_owned))
        .take(MAX_ATTRIBUTES)
        .collect();
    if !named.is_empty() {
        ask.detail.texts("controls", &named);
    }
}

/// `DC=port,DC=local` as a DNS name.
fn domain(name: &str) -> String {
    let labels = name.split(',').filter_map(|part| part.trim().split_once('='));
    let labels: Vec<&str> = labels.filter(|(key, _)| key.eq_ignore_ascii_case("dc")).map(|(_, value)| value).collect();
    if labels.is_empty() { name.to_owned() } else { labels.join(".") }
}
