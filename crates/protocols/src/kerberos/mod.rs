//! Kerberos version 5 (RFC 4120) over UDP and TCP: who asks which ticket of a domain controller, how sealed, with what result.

pub mod message;
mod names;
#[cfg(test)]
mod tests;

use quaywatch_model::{
    At, Attribute, Clock, Credential, Direction, Mark, Observation, Operation, OperationClass, Outcome, Session, Sink,
    Transport, Weakness,
};
use quaywatch_wire::{Flow, Length, Pdu};

use self::message::{Message, padata};
use crate::analyzer::{Depth, Purpose};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "kerberos";
/// Largest message over TCP: tickets with many groups stay below 64 KiB.
pub const MESSAGE_LIMIT: usize = 128 * 1024;
/// Bytes of the length before a message on TCP (RFC 4120 section 7.2.2).
const RECORD: usize = 4;
/// Errors that only ask the client to go on.
const PREAUTHENTICATION_REQUIRED: i64 = 25;
const REPLY_TOO_LARGE: i64 = 52;
const WRONG_REALM: i64 = 68;

/// The registry entry.
pub struct Kerberos;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Kerberos",
    tcp: &[88],
    udp: &[88],
    ethertypes: &[],
    spec: "RFC 4120, RFC 3961, RFC 8429, MS-KILE, MS-SFU",
    found: "domain controllers and every computer of a Windows domain",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Realms, clients, services, encryption types, pre-authentication, errors; what tickets seal stays sealed",
};

fn frame(bytes: &[u8]) -> Length {
    let Some(length) = bytes.first_chunk::<RECORD>() else { return Length::NeedMore };
    match usize::try_from(u32::from_be_bytes(*length)) {
        Ok(length) if length > 0 && length <= MESSAGE_LIMIT => Length::Whole(length.saturating_add(RECORD)),
        _ => Length::Invalid,
    }
}

/// Whether these bytes start a message to or from a ticket server: its tag, the same length in both headers, version 5.
fn starts(bytes: &[u8]) -> Option<u8> {
    let (&tag, rest) = bytes.split_first()?;
    let kind = tag.checked_sub(0x60).filter(|kind| matches!(kind, 10..=13 | 30))?;
    let version: &[u8] =
        if matches!(kind, 10 | 12) { &[0xa1, 3, 2, 1, 5, 0xa2, 3, 2, 1] } else { &[0xa0, 3, 2, 1, 5, 0xa1, 3, 2, 1] };
    // Length, sequence, its length: at most five bytes each but for the tag.
    let at = rest.get(..12.min(rest.len()))?.iter().position(|byte| *byte == 0x30)?;
    let inner = rest.get(at..)?;
    let found = (2..=6).any(|skip| {
        inner.get(skip..).is_some_and(|fields| fields.starts_with(version) && fields.get(version.len()) == Some(&kind))
    });
    found.then_some(kind)
}

impl Protocol for Kerberos {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let message = match pdu.flow.transport {
            Transport::Udp => pdu.data,
            Transport::Tcp if matches!(frame(pdu.data), Length::Whole(_)) => pdu.data.get(RECORD..).unwrap_or_default(),
            _ => return Probe::No,
        };
        match starts(message) {
            Some(11 | 13 | 30) => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(KerberosFlow {
            from_client: Resync::new(MESSAGE_LIMIT + RECORD),
            from_server: Resync::new(MESSAGE_LIMIT + RECORD),
            talk: Talk::default(),
        })
    }
}

struct KerberosFlow {
    from_client: Resync,
    from_server: Resync,
    talk: Talk,
}

#[derive(Default)]
struct Talk {
    /// A ticket server answers one request at a time on a flow.
    waiting: Option<(At, Message)>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    object: String,
}

impl Analyzer for KerberosFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let KerberosFlow { from_client, from_server, talk } = self;
        if pdu.flow.transport == Transport::Udp {
            return talk.message(pdu, pdu.data, out);
        }
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let each = |record: &[u8]| talk.message(pdu, record.get(RECORD..).unwrap_or_default(), out);
        let begins = |piece: &[u8]| piece.get(RECORD..).and_then(starts).is_some();
        match framer.push(pdu.data, begins, frame, each) {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("behind a gap")),
            Err(_) => malformed(PROTOCOL, pdu, "kerberos_length", "record length is zero or beyond 128 KiB", out),
        }
    }

    fn gap(&mut self, direction: Direction, _: u32, _: &mut dyn Sink) {
        let framer = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        framer.gap();
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        if let Some((at, message)) = self.talk.waiting.take() {
            self.talk.tell(flow, Some((at, &message)), None, out);
        }
    }
}

/// `client@REALM`, as far as there is one; enterprise names (RFC 6806) hold their domain already.
fn principal(client: &str, realm: &str) -> String {
    if realm.is_empty() || client.is_empty() || client.contains('@') {
        client.to_owned()
    } else {
        format!("{client}@{realm}")
    }
}

impl Talk {
    fn message(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(message) = Message::read(bytes) else {
            return malformed(PROTOCOL, pdu, "kerberos_message", "no Kerberos message", out);
        };
        if pdu.direction == Direction::FromClient {
            self.say_client(pdu, &message, out);
            if let Some((at, lost)) = self.waiting.replace((pdu.at, message)) {
                self.tell(pdu.flow, Some((at, &lost)), None, out);
            }
            return;
        }
        let ask = self.waiting.take();
        self.say_server(pdu, &message, out);
        self.tell(pdu.flow, ask.as_ref().map(|(at, ask)| (*at, ask)), Some((pdu.at, &message)), out);
        self.session(pdu, ask.as_ref().map(|(_, ask)| ask), &message, out);
    }

    fn say_client(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) {
        let subject = pdu.flow.client.address;
        let host = (Attribute::HostName, message.netbios.as_str(), "kerberos host address");
        self.claims.identify(out, pdu.at, subject, host);
        self.weak_timestamp(pdu, message, out);
    }

    fn weak_timestamp(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) {
        if message.timestamp_encryption.is_some_and(names::is_broken) {
            self.weak(
                pdu,
                &principal(&message.client, &message.realm),
                "Kerberos pre-authentication with RC4 or DES",
                out,
            );
        }
    }

    fn weak(&mut self, pdu: &Pdu<'_>, account: &str, rule: &'static str, out: &mut dyn Sink) {
        let Flow { client, server, .. } = *pdu.flow;
        let weakness = Weakness::WeakScheme;
        self.claims.credential(out, pdu.at, Credential { client, server, protocol: PROTOCOL, account, weakness, rule });
    }

    fn say_server(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) {
        let subject = pdu.flow.server.address;
        let realm = match (&message.ticket, message.kind) {
            (Some(ticket), 11) => ticket.realm.as_str(),
            (None, 30) => message.realm.as_str(),
            _ => "",
        };
        self.claims.identify(out, pdu.at, subject, (Attribute::Domain, realm, "kerberos realm"));
        if let Some(device_time) = message.server_time.filter(|_| self.claims.first("clock")) {
            let skew = device_time.since(pdu.at.ts);
            let clock = Clock { subject, method: "kerberos error server time", device_time, skew };
            out.emit(pdu.at, Observation::Clock(clock));
        }
    }

    /// Rows of a login: an exchange for a ticket-granting ticket that was settled.
    fn session(&mut self, pdu: &Pdu<'_>, ask: Option<&Message>, reply: &Message, out: &mut dyn Sink) {
        let account = match reply.kind {
            30 => ask.map(|ask| principal(&ask.client, &ask.realm)).unwrap_or_default(),
            _ => principal(&reply.client, &reply.realm),
        };
        let broken = reply.ticket.as_ref().and_then(|ticket| ticket.encryption).is_some_and(names::is_broken);
        if broken {
            self.weak(pdu, &account, "Kerberos ticket encrypted with RC4 or DES", out);
        }
        let login = ask.is_some_and(|ask| ask.kind == 10) || reply.kind == 11;
        if !login || matches!(reply.error, Some(PREAUTHENTICATION_REQUIRED | REPLY_TOO_LARGE | WRONG_REALM)) {
            return;
        }
        let proven = ask.map(preauthenticated);
        if reply.kind == 11 && proven == Some(None) {
            self.weak(pdu, &account, "Kerberos ticket given without pre-authentication", out);
        }
        let method = match proven {
            Some(Some(method)) => method,
            Some(None) if reply.kind == 11 => "kerberos without pre-authentication",
            _ => "kerberos",
        };
        let Flow { client, server, .. } = *pdu.flow;
        self.claims.session(
            out,
            pdu.at,
            Session {
                client,
                server,
                protocol: PROTOCOL,
                version: "5",
                user: &account,
                method,
                outcome: if reply.kind == 11 { Outcome::Success } else { Outcome::Failure },
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: "",
            },
        );
    }

    fn tell(&mut self, flow: &Flow, ask: Option<(At, &Message)>, reply: Option<(At, &Message)>, out: &mut dyn Sink) {
        let Some(message) = ask.or(reply).map(|(_, message)| message) else { return };
        let Some(at) = reply.or(ask).map(|(at, _)| at) else { return };
        self.describe(ask.map(|(_, ask)| ask), reply.map(|(_, reply)| reply));
        self.object.clear();
        let service = reply.and_then(|(_, reply)| reply.ticket.as_ref()).map(|ticket| ticket.service.as_str());
        self.object.push_str(if message.service.is_empty() { service.unwrap_or_default() } else { &message.service });
        let status = reply.map(|(_, reply)| reply.error.unwrap_or(0));
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: flow.client,
                server: flow.server,
                unit: None,
                code: message.kind.into(),
                name: names::message(message.kind),
                class: OperationClass::Session,
                object: &self.object,
                quantity: None,
                status: status.and_then(|code| u32::try_from(code).ok()),
                status_name: status.map_or("", |code| if code == 0 { "success" } else { names::error(code) }),
                latency: ask.zip(reply).map(|((asked, _), (answered, _))| answered.ts.since(asked.ts)),
                request_frame: ask.map(|(at, _)| at.frame),
                reply_frame: reply.map(|(at, _)| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn describe(&mut self, ask: Option<&Message>, reply: Option<&Message>) {
        self.detail.clear();
        let detail = &mut self.detail;
        let mut text = |key: &str, value: &str| {
            if !value.is_empty() {
                detail.text(key, value);
            }
        };
        if let Some(ask) = ask {
            text("client", &ask.client);
            text("realm", &ask.realm);
            text("service", &ask.service);
            if let Some(ticket) = &ask.ticket {
                text("with_ticket", &ticket.service);
                text("with_ticket_realm", &ticket.realm);
                text("with_ticket_encryption", ticket.encryption.map_or("", names::encryption));
            }
            if let Some((user, realm)) = &ask.for_user {
                text("for_user", user);
                text("for_user_realm", realm);
            }
            text("pre_authentication", preauthenticated(ask).unwrap_or_default());
        }
        if let Some(reply) = reply {
            text("reply_client", &reply.client);
            text("reply_realm", &reply.realm);
            text("reply_service", &reply.service);
            if let Some(ticket) = &reply.ticket {
                text("ticket_service", &ticket.service);
                text("ticket_realm", &ticket.realm);
                text("ticket_encryption", ticket.encryption.map_or("", names::encryption));
            }
            text("key_encryption", reply.encryption.map_or("", names::encryption));
            text("error_text", &reply.text);
        }
        if let Some(ask) = ask.filter(|ask| !ask.offered.is_empty()) {
            detail.texts("offered", ask.offered.iter().map(|kind| names::encryption(*kind)));
            detail.number("options", ask.options);
        }
        if let Some(reply) = reply {
            detail.number("reply_code", reply.kind);
        }
    }
}

/// How a request for a ticket-granting ticket proves the client, if it does.
fn preauthenticated(ask: &Message) -> Option<&'static str> {
    ask.padata.iter().find_map(|kind| match *kind {
        padata::ENC_TIMESTAMP => Some("kerberos encrypted timestamp"),
        padata::PK_AS_REQ => Some("kerberos certificate"),
        padata::ENCRYPTED_CHALLENGE => Some("kerberos armoured challenge"),
        padata::TGS_REQ => Some("kerberos ticket"),
        _ => None,
    })
}
