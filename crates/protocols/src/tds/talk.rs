//! Requests and answers of one session, in turn: TDS answers one request before it takes the next.

use quaywatch_model::{
    At, Attribute, Direction, Mark, Observation, Operation, OperationClass, Outcome, Service, Sink, Transport,
};
use quaywatch_wire::{Flow, Pdu};

use super::login::{self, Login7};
use super::packet::Message;
use super::{PROTOCOL, names, statement};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::gss::{self, Around, Login, Proof};
use crate::login::Ends;

/// Statements told of one flow; their like beyond are counted.
pub const SEEN_LIMIT: usize = 256;

#[derive(Debug)]
struct Ask {
    at: At,
    kind: u8,
    name: &'static str,
    class: OperationClass,
    object: String,
    detail: DetailJson,
}

pub(super) struct Talk {
    waiting: Option<Ask>,
    login: Option<Login>,
    claims: Claims,
    seen: Claims,
    repeated: u64,
    encrypted: bool,
    version: &'static str,
    client_software: String,
    server_software: String,
    line: String,
    last: Option<At>,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: None,
            login: None,
            claims: Claims::default(),
            seen: Claims::with_limit(SEEN_LIMIT),
            repeated: 0,
            encrypted: false,
            version: "",
            client_software: String::new(),
            server_software: String::new(),
            line: String::new(),
            last: None,
        }
    }
}

/// Version of the protocol as a login names it (MS-TDS 2.2.7.14).
const fn tds_version(code: u32) -> &'static str {
    match code >> 24 {
        0x70 => "7.0",
        0x71 => "7.1",
        0x72 => "7.2",
        0x73 => "7.3",
        0x74 => "7.4",
        0x08 => "8.0",
        _ => "",
    }
}

impl Talk {
    /// A TLS record outside any packet: from here on nothing can be read.
    pub(super) fn encrypted(&mut self, pdu: &Pdu<'_>) {
        self.encrypted = true;
        self.last = Some(pdu.at);
    }

    pub(super) fn message(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) -> Option<()> {
        self.last = Some(pdu.at);
        match pdu.direction {
            Direction::FromClient => self.request(pdu, message, out),
            Direction::FromServer => self.answer(pdu, message, out),
        }
    }

    fn request(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) -> Option<()> {
        let (name, class) = names::packet(message.kind)?;
        let (object, detail) = (String::new(), DetailJson::default());
        let mut ask = Ask { at: pdu.at, kind: message.kind, name, class, object, detail };
        let head = message.head.as_slice();
        let read = match message.kind {
            18 => self.prelogin(head, &mut ask),
            16 => self.login7(pdu, head, &mut ask, out),
            17 => {
                self.token(pdu, head, &mut ask.detail, out);
                Some(())
            }
            1 => {
                let told = statement::batch(head);
                ask.class = told.class.unwrap_or(class);
                ask.object = told.object;
                Some(())
            }
            3 => statement::call(head).map(|told| {
                ask.class = told.class.unwrap_or(class);
                ask.object = told.object;
            }),
            2 | 8 | 14 => {
                out.mark(Mark::Undecoded("old login, federated token or transaction request"));
                Some(())
            }
            _ => Some(()),
        };
        if let Some(lost) = self.waiting.replace(ask) {
            self.tell(pdu.flow, &lost, None, out);
        }
        read
    }

    fn prelogin(&mut self, head: &[u8], ask: &mut Ask) -> Option<()> {
        let read = login::prelogin(head)?;
        if let Some(code) = read.encryption {
            ask.detail.text("client_encryption", names::encryption(code));
        }
        if let Some((major, minor, build)) = read.version {
            ask.detail.text("client_version", format_args!("{major}.{minor}.{build}"));
        }
        ask.object = read.instance;
        Some(())
    }

    fn login7(&mut self, pdu: &Pdu<'_>, head: &[u8], ask: &mut Ask, out: &mut dyn Sink) -> Option<()> {
        let read = login::login7(head)?;
        self.version = tds_version(read.tds);
        for (key, value) in [
            ("host", &read.host),
            ("user", &read.user),
            ("application", &read.application),
            ("server", &read.server),
            ("library", &read.library),
            ("database", &read.database),
        ] {
            if !value.is_empty() {
                ask.detail.text(key, value);
            }
        }
        if read.changes_password {
            ask.detail.flag("changes_password", true);
            ask.class = OperationClass::Configure;
        }
        let subject = pdu.flow.client.address;
        self.claims.identify(out, pdu.at, subject, (Attribute::HostName, &read.host, "tds login host name"));
        self.claims.identify(out, pdu.at, subject, (Attribute::Software, &read.application, "tds login application"));
        self.client_software.clone_from(&read.application);
        ask.object.clone_from(&read.database);
        if let Some((offset, length)) = read.token {
            let token = head.get(offset..offset.saturating_add(length)).unwrap_or_default();
            self.token(pdu, token, &mut ask.detail, out);
        }
        let Login7 { user, secret, .. } = read;
        if let Some(secret) = secret {
            self.login = Some(Login { method: "password", account: user, proof: Proof::Readable(secret) });
        }
        Some(())
    }

    fn token(&mut self, pdu: &Pdu<'_>, bytes: &[u8], detail: &mut DetailJson, out: &mut dyn Sink) {
        let Some(token) = gss::read(bytes) else { return };
        token.describe(detail);
        token.say(&mut self.claims, out, pdu.at, pdu.sender().address);
        if let Some(login) = token.login() {
            self.login = Some(login);
        }
    }

    fn answer(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) -> Option<()> {
        let mut ask = self.waiting.take();
        let head = message.head.as_slice();
        if ask.as_ref().is_none_or(|ask| ask.kind == 18)
            && let Some(read) = login::prelogin(head)
        {
            self.server_prelogin(pdu, &read, ask.as_mut(), out);
            if let Some(ask) = ask {
                self.tell(pdu.flow, &ask, Some((pdu.at, 0, None)), out);
            }
            return Some(());
        }
        let read = login::answer(head);
        let error = read.error.as_ref().map_or(0, |(number, _)| *number);
        self.say_answer(pdu, &read, out);
        let Some(mut ask) = ask else { return Some(()) };
        // Some servers answer a token with a packet of tokens' own type.
        if message.kind == 17 {
            self.token(pdu, head, &mut ask.detail, out);
        } else if let Some((offset, length)) = read.token {
            let bytes = head.get(offset..offset.saturating_add(length)).unwrap_or_default();
            self.token(pdu, bytes, &mut ask.detail, out);
        }
        if !read.database.is_empty() {
            ask.detail.text("now_in", &read.database);
        }
        if read.granted.is_some() || error != 0 && matches!(ask.kind, 16 | 17) {
            self.settle(pdu, if read.granted.is_some() { Outcome::Success } else { Outcome::Failure }, out);
        }
        let rows = login::rows(&message.tail).filter(|_| matches!(ask.kind, 1 | 3));
        self.tell(pdu.flow, &ask, Some((pdu.at, error, rows)), out);
        Some(())
    }

    fn server_prelogin(&mut self, pdu: &Pdu<'_>, read: &login::Prelogin, ask: Option<&mut Ask>, out: &mut dyn Sink) {
        if let Some((major, minor, build)) = read.version {
            let software = format!("Microsoft SQL Server {major}.{minor}.{build}");
            let subject = pdu.flow.server.address;
            self.claims.identify(out, pdu.at, subject, (Attribute::Software, &software, "tds prelogin version"));
            self.server_software = software;
        }
        let Some((ask, code)) = ask.zip(read.encryption) else { return };
        ask.detail.text("encryption", names::encryption(code));
    }

    fn say_answer(&mut self, pdu: &Pdu<'_>, read: &login::Answer, out: &mut dyn Sink) {
        let server = pdu.flow.server;
        if let Some((_, name)) = &read.error {
            let host = name.split('\\').next().unwrap_or_default();
            self.claims.identify(out, pdu.at, server.address, (Attribute::HostName, host, "tds error server name"));
        }
        let Some((program, (major, minor, build), tds)) = &read.granted else { return };
        self.server_software = format!("{program} {major}.{minor}.{build}");
        let claim = (Attribute::Software, self.server_software.as_str(), "tds login acknowledgement");
        self.claims.identify(out, pdu.at, server.address, claim);
        self.version = tds_version(*tds);
        let (software, version) = (self.server_software.as_str(), self.version);
        let row = Service { server, transport: Transport::Tcp, protocol: PROTOCOL, software, version };
        self.claims.service(out, pdu.at, row);
    }

    fn settle(&mut self, pdu: &Pdu<'_>, outcome: Outcome, out: &mut dyn Sink) {
        let Some(login) = self.login.take() else { return };
        let Flow { client, server, .. } = *pdu.flow;
        let around = Around {
            version: self.version,
            client_software: &self.client_software,
            server_software: &self.server_software,
            encrypted: self.encrypted,
            detail: "",
        };
        login.report(&mut self.claims, out, pdu.at, Ends { client, server, protocol: PROTOCOL }, outcome, around);
    }

    fn tell(&mut self, flow: &Flow, ask: &Ask, answer: Option<(At, u32, Option<u64>)>, out: &mut dyn Sink) {
        let status = answer.map(|(_, status, _)| status);
        if matches!(ask.kind, 1 | 3) && !self.seen.first((ask.kind, &ask.object, status)) {
            self.repeated = self.repeated.saturating_add(1);
            return;
        }
        let (at, quantity) = answer.map_or((ask.at, None), |(at, _, rows)| (at, rows));
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: flow.client,
                server: flow.server,
                unit: None,
                code: ask.kind.into(),
                name: ask.name,
                class: ask.class,
                object: &ask.object,
                quantity,
                status,
                status_name: status.map_or("", names::error),
                latency: answer.map(|(at, ..)| at.ts.since(ask.at.ts)),
                request_frame: Some(ask.at.frame),
                reply_frame: answer.map(|(at, ..)| at.frame),
                detail: ask.detail.object(&mut self.line),
            }),
        );
    }

    pub(super) fn finish(&mut self, flow: &Flow, out: &mut dyn Sink) {
        if let Some(ask) = self.waiting.take() {
            self.tell(flow, &ask, None, out);
        }
        let Some(at) = self.last else { return };
        if let Some(login) = self.login.take() {
            let ends = Ends { client: flow.client, server: flow.server, protocol: PROTOCOL };
            let around = Around { version: self.version, encrypted: self.encrypted, ..Around::default() };
            login.report(&mut self.claims, out, at, ends, Outcome::Unknown, around);
        }
        if self.repeated == 0 {
            return;
        }
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: flow.client,
                server: flow.server,
                unit: None,
                code: 1,
                name: "sql-batch",
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
