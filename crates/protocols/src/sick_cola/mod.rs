//! SICK's command language, CoLa A and CoLa B: laser scanners that keep cranes apart and measure stacks and ships.

mod names;
mod telegram;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{
    At, Attribute, Credential, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Session,
    Sink, Transport, Weakness,
};
use quaywatch_wire::{Flow, Pdu};

use self::telegram::{LIMIT, Telegram, length};
use crate::analyzer::{Depth, Purpose};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::framers::Framers;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "sick-cola";
/// Requests that wait for answers at the same time.
pub const WAITING_LIMIT: usize = 32;
/// Names kept for reuse.
const SPARE_LIMIT: usize = 8;
/// Bytes of a value that are told.
const VALUE_TOLD: usize = 48;

/// The registry entry.
pub struct SickCola;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "SICK CoLa",
    tcp: &[2111, 2112],
    udp: &[],
    ethertypes: &[],
    spec: "SICK, Telegram listing for ranging sensors (8014631)",
    found: "laser scanners on cranes, straddle carriers and gates: anti-collision, container profile, truck position",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "CoLa A and B: reads, writes, methods, events and errors by name; logins with their user level and default passwords; \
            device identity. Scan data is recognised, not measured; CoLa 2 is not read.",
};

impl Protocol for SickCola {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let letters = match pdu.data {
            [2, 2, 2, 2, 0, _, _, _, b's', first, second, b' ', ..] => [*first, *second],
            [2, b's', first, second, b' ', ..] => [*first, *second],
            [2] | [2, b's'] | [2, b's', b'A'..=b'Z'] | [2, b's', b'A'..=b'Z', b'A'..=b'Z'] => return Probe::Unsure,
            _ => return Probe::No,
        };
        if names::answers(letters).is_some() || matches!(&letters, b"FA" | b"SN" | b"SI") {
            Probe::YesFromServer
        } else if names::command(letters).is_some() {
            Probe::Yes
        } else {
            Probe::No
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(ColaFlow { framers: Framers::new(LIMIT), talk: Talk::default() })
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    kind: [u8; 2],
    name: String,
    login: Option<(u8, u32)>,
}

struct ColaFlow {
    framers: Framers,
    talk: Talk,
}

struct Talk {
    /// By the request's letter and the hash of its name.
    waiting: Pairing<(u8, u64), Ask>,
    spare: Vec<String>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    value: String,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            spare: Vec::new(),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
            value: String::new(),
        }
    }
}

impl Analyzer for ColaFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let ColaFlow { framers, talk } = self;
        let framer = framers.of(pdu.direction);
        if framer.push(pdu.data, length, |frame| talk.frame(pdu, frame, out)).is_err() {
            malformed(
                PROTOCOL,
                pdu,
                "sick_cola_framing",
                "bytes between telegrams, or a length that is not possible",
                out,
            );
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.framers.of(direction).reset();
        self.talk.give_up(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
    }
}

fn hashed(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// An answer with the place it came at.
type Answer<'t, 'a, 'p> = (&'p Pdu<'p>, &'t Telegram<'a>);

impl Talk {
    fn frame(&mut self, pdu: &Pdu<'_>, frame: &[u8], out: &mut dyn Sink) {
        if frame.len() == 1 {
            return;
        }
        let Some(telegram) = Telegram::read(frame) else {
            return malformed(PROTOCOL, pdu, "sick_cola_telegram", "telegram without command and name", out);
        };
        if !telegram.sound {
            malformed(PROTOCOL, pdu, "sick_cola_checksum", "checksum does not fit the data", out);
        }
        if telegram.kind == *b"FA" {
            let ask = self.waiting.oldest();
            self.tell(ask.as_ref(), Some((pdu, &telegram)), out);
            self.recycle(ask);
        } else if let Some(letter) = names::answers(telegram.kind) {
            let ask = self.waiting.answer(&(letter, hashed(telegram.name)));
            self.tell(ask.as_ref(), Some((pdu, &telegram)), out);
            self.identify(pdu, &telegram, out);
            self.recycle(ask);
        } else if matches!(&telegram.kind, b"SN" | b"SI") {
            // Scans come many times a second: the stream is told once.
            if self.claims.first(("event", telegram.name)) {
                self.tell(None, Some((pdu, &telegram)), out);
            }
        } else if names::command(telegram.kind).is_some() {
            self.ask(pdu, &telegram, out);
        } else {
            out.mark(Mark::Undecoded("unknown command"));
        }
    }

    fn ask(&mut self, pdu: &Pdu<'_>, telegram: &Telegram<'_>, out: &mut dyn Sink) {
        let mut name = self.spare.pop().unwrap_or_default();
        name.clear();
        name.push_str(telegram.name);
        let login = (telegram.name == "SetAccessMode").then(|| telegram.login()).flatten();
        let key = (telegram.kind[0], hashed(&name));
        let ask = Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), kind: telegram.kind, name, login };
        if let Some(lost) = self.waiting.ask(key, ask) {
            self.tell(Some(&lost), None, out);
            self.recycle(Some(lost));
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.tell(Some(&ask), None, out);
            self.recycle(Some(ask));
        }
    }

    fn recycle(&mut self, ask: Option<Ask>) {
        if let Some(ask) = ask
            && self.spare.len() < SPARE_LIMIT
        {
            self.spare.push(ask.name);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, answer: Option<Answer<'_, '_, '_>>, out: &mut dyn Sink) {
        let Some(at) = answer.map(|(pdu, _)| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let ends = ask.map(|ask| (ask.client, ask.server)).or(answer.map(|(pdu, _)| (pdu.receiver(), pdu.sender())));
        let Some((client, server)) = ends else { return };
        // An answer without its request still tells what was asked.
        let kind = ask.map(|ask| ask.kind).or(answer.map(|(_, telegram)| asked_by(telegram.kind))).unwrap_or_default();
        let name = ask.map(|ask| ask.name.as_str()).or(answer.map(|(_, telegram)| telegram.name)).unwrap_or_default();
        let failed = answer.filter(|(_, telegram)| telegram.kind == *b"FA");
        let status = match (failed, answer) {
            (Some((_, telegram)), _) => telegram.error().or(Some(u32::MAX)),
            (None, Some(_)) => Some(0),
            (None, None) => None,
        };
        let class = names::class(kind, name);
        self.detail.clear();
        if let Some((_, telegram)) = answer {
            self.detail.text("dialect", if telegram.binary { "CoLa B" } else { "CoLa A" });
            if failed.is_none() && !matches!(class, OperationClass::Cyclic | OperationClass::Session) {
                self.value(telegram);
            }
        }
        if let Some((level, hash)) = ask.and_then(|ask| ask.login) {
            let accepted =
                answer.and_then(|(_, telegram)| if failed.is_some() { Some(false) } else { telegram.accepted() });
            self.login(at, (client, server), (level, hash), accepted, out);
        }
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: None,
                code: u32::from(u16::from_be_bytes(kind)),
                name: names::command(kind).unwrap_or("error"),
                class,
                object: name,
                quantity: None,
                status,
                status_name: match status {
                    None => "",
                    Some(0) => "answered",
                    Some(code) => names::error(code),
                },
                latency: ask.zip(answer).map(|(ask, (pdu, _))| pdu.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|(pdu, _)| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Tells a value: CoLa A as it was written, CoLa B in hexadecimal.
    fn value(&mut self, telegram: &Telegram<'_>) {
        use std::fmt::Write as _;
        self.value.clear();
        if let Some(text) = telegram.text() {
            self.value.extend(text.chars().filter(|c| !c.is_control()).take(VALUE_TOLD));
        } else {
            for byte in telegram.values.iter().take(VALUE_TOLD) {
                let _ = write!(self.value, "{byte:02x}");
            }
        }
        if !self.value.is_empty() {
            self.detail.text("value", &self.value);
        }
    }

    /// A login is a level and the hash of its password: whoever saw the hash can log in.
    fn login(
        &mut self,
        at: At,
        (client, server): (Endpoint, Endpoint),
        (level, hash): (u8, u32),
        accepted: Option<bool>,
        out: &mut dyn Sink,
    ) {
        let (user, default) = names::user_level(level).unwrap_or(("unknown level", None));
        let outcome = match accepted {
            Some(true) => Outcome::Success,
            Some(false) => Outcome::Failure,
            None => Outcome::Unknown,
        };
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: "",
            user,
            method: "password hash",
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        self.claims.session(out, at, session);
        let mut credential = |weakness, rule| {
            let row = Credential { client, server, protocol: PROTOCOL, account: user, weakness, rule };
            self.claims.credential(out, at, row);
        };
        credential(Weakness::ClearText, "the password's hash, which is all that a login needs, sent unencrypted");
        if default == Some(hash) && outcome != Outcome::Failure {
            credential(Weakness::Default, "password is the factory default of its user level");
        }
    }

    fn identify(&mut self, pdu: &Pdu<'_>, telegram: &Telegram<'_>, out: &mut dyn Sink) {
        let Some((attribute, method)) = names::identity(telegram.name) else { return };
        if telegram.kind != *b"RA" {
            return;
        }
        let subject = pdu.sender().address;
        let texts = telegram.texts();
        let Some(first) = texts.first().filter(|text| !text.trim().is_empty()) else { return };
        self.claims.identify(out, pdu.at, subject, (Attribute::Vendor, "SICK", method));
        self.claims.identify(out, pdu.at, subject, (attribute, first, method));
        if let (Attribute::Model, Some(version)) = (attribute, texts.get(1)) {
            self.claims.identify(out, pdu.at, subject, (Attribute::Firmware, version, method));
        }
    }
}

/// The request that such an answer answers.
const fn asked_by(kind: [u8; 2]) -> [u8; 2] {
    match names::answers(kind) {
        Some(letter) => [letter, b'N'],
        None => kind,
    }
}
