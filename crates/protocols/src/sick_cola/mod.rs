//! SICK's command language, CoLa A, CoLa B and CoLa 2: laser scanners that keep cranes apart and measure stacks and ships.

mod cola2;
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

use self::telegram::{Dialect, LIMIT, STX, Telegram, length};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::device_text;
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
    tcp: &[2111, 2112, 2122],
    udp: &[],
    ethertypes: &[],
    spec: "SICK, Telegram listing for ranging sensors (8014631); Data output via UDP and TCP/IP (8022708)",
    found: "laser scanners on cranes, straddle carriers and gates: anti-collision, container profile, truck position",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "CoLa A, B and 2: reads, writes, methods, events and errors by name or index; sessions; logins with their user level and \
            default passwords; device identity. Scan data is recognised, not measured.",
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
            [STX, STX, STX, STX, _, _, _, _, first, ..] if *first != b's' => return cola2::probe(pdu.data),
            [2, 2, 2, 2, 0, _, _, _, b's', first, second, b' ', ..] => [*first, *second],
            [2, b's', first, second, b' ', ..] => [*first, *second],
            [2] | [2, b's'] | [2, b's', b'A'..=b'Z'] | [2, b's', b'A'..=b'Z', b'A'..=b'Z'] => return Probe::Unsure,
            _ => return Probe::No,
        };
        if matches!(letters[0], b'O' | b'C') {
            // Only CoLa 2 has sessions.
            Probe::No
        } else if names::answers(letters).is_some() || matches!(&letters, b"FA" | b"SN" | b"SI") {
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
    login: Option<Login>,
    /// Seconds until the device closes an idle session, and the client's name.
    session: Option<(u8, Option<String>)>,
}

/// A login's user level, and the hash of its password or none if the password was proven by a challenge.
#[derive(Clone, Copy)]
struct Login {
    level: u8,
    hash: Option<u32>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The hash is as good as the password.
        f.debug_struct("Login").field("level", &self.level).finish_non_exhaustive()
    }
}

struct ColaFlow {
    framers: Framers,
    talk: Talk,
}

struct Talk {
    /// By the request's letter and the hash of its name, or of its session and number.
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

/// What makes a request be found again, besides its letter.
fn hashed(telegram: &Telegram<'_>, letter: u8) -> u64 {
    let mut hasher = DefaultHasher::new();
    match telegram.dialect {
        // The request that creates a session has no number of it yet.
        Dialect::Two { request, .. } if letter == b'O' => request.hash(&mut hasher),
        Dialect::Two { session, request } => (session, request).hash(&mut hasher),
        Dialect::A | Dialect::B => telegram.name.hash(&mut hasher),
    }
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
            if frame.starts_with(&[STX; 4]) && frame.get(9).is_some_and(|cascades| cascades & 0x7f != 0) {
                return out.mark(Mark::Undecoded("CoLa 2 through hubs"));
            }
            return malformed(PROTOCOL, pdu, "sick_cola_telegram", "telegram without command and name", out);
        };
        if !telegram.sound {
            malformed(PROTOCOL, pdu, "sick_cola_checksum", "checksum does not fit the data", out);
        }
        if telegram.kind == *b"FA" {
            let ask = self.refused(&telegram);
            self.tell(ask.as_ref(), Some((pdu, &telegram)), out);
            self.recycle(ask);
        } else if let Some(letter) = names::answers(telegram.kind) {
            let ask = self.waiting.answer(&(letter, hashed(&telegram, letter)));
            self.tell(ask.as_ref(), Some((pdu, &telegram)), out);
            self.identify(pdu, &telegram, out);
            self.recycle(ask);
        } else if matches!(&telegram.kind, b"SN" | b"SI") {
            // Scans come many times a second: the stream is told once.
            if self.claims.first(("event", telegram.name, telegram.index)) {
                self.tell(None, Some((pdu, &telegram)), out);
            }
        } else if names::command(telegram.kind).is_some() {
            self.ask(pdu, &telegram, out);
        } else {
            out.mark(Mark::Undecoded("unknown command"));
        }
    }

    /// The request that an error answers: CoLa 2 gives its number, the others answer in order.
    fn refused(&mut self, telegram: &Telegram<'_>) -> Option<Ask> {
        match telegram.dialect {
            Dialect::Two { .. } => {
                b"RWMEOC".iter().find_map(|letter| self.waiting.answer(&(*letter, hashed(telegram, *letter))))
            }
            Dialect::A | Dialect::B => self.waiting.oldest(),
        }
    }

    fn ask(&mut self, pdu: &Pdu<'_>, telegram: &Telegram<'_>, out: &mut dyn Sink) {
        let mut name = self.spare.pop().unwrap_or_default();
        name.clear();
        put_name(&mut name, telegram);
        let key = (telegram.kind[0], hashed(telegram, telegram.kind[0]));
        let ask = Ask {
            at: pdu.at,
            client: pdu.sender(),
            server: pdu.receiver(),
            kind: telegram.kind,
            name,
            login: Login::of(telegram),
            session: (telegram.kind == *b"OX")
                .then(|| cola2::session(telegram.values))
                .flatten()
                .map(|(timeout, client)| (timeout, device_text(client))),
        };
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
        let kind = ask.map(|ask| ask.kind).or(answer.map(|(_, telegram)| asked_by(telegram))).unwrap_or_default();
        let mut unasked = String::new();
        if let (None, Some((_, telegram))) = (ask, answer) {
            put_name(&mut unasked, telegram);
        }
        let name = ask.map_or(unasked.as_str(), |ask| ask.name.as_str());
        let failed = answer.filter(|(_, telegram)| telegram.kind == *b"FA");
        let status = match (failed, answer) {
            (Some((_, telegram)), _) => telegram.error().or(Some(u32::MAX)),
            (None, Some(_)) => Some(0),
            (None, None) => None,
        };
        let class = names::class(kind, name);
        self.detail.clear();
        if let Some((_, telegram)) = answer {
            self.detail.text("dialect", telegram.dialect.name());
            if failed.is_none() && !matches!(class, OperationClass::Cyclic | OperationClass::Session) {
                self.value(telegram);
            }
        }
        if let Some((timeout, client)) = ask.and_then(|ask| ask.session.as_ref()) {
            self.detail.number("timeout_s", *timeout);
            if let Some(client) = client {
                self.detail.text("client_name", client);
            }
        }
        if let Some(login) = ask.and_then(|ask| ask.login) {
            let accepted = answer.and_then(|(_, telegram)| match (failed, login.hash) {
                (Some(_), _) => Some(false),
                (None, Some(_)) => telegram.accepted(),
                // A proof is answered by a result whose 0 is success.
                (None, None) => telegram.values.first().map(|result| *result == 0),
            });
            self.login(at, (client, server), login, accepted, out);
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
        Login { level, hash }: Login,
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
            method: if hash.is_some() { "password hash" } else { "challenge-response" },
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        self.claims.session(out, at, session);
        let Some(hash) = hash else { return };
        let mut credential = |weakness, rule| {
            let row = Credential { client, server, protocol: PROTOCOL, account: user, weakness, rule };
            self.claims.credential(out, at, row);
        };
        credential(Weakness::ClearText, "the password's hash, which is all that a login needs, sent unencrypted");
        // CoLa 2 leaves the order of bytes to the device.
        let is_default = default.is_some_and(|default| default == hash || default == hash.swap_bytes());
        if is_default && outcome != Outcome::Failure {
            credential(Weakness::Default, "password is the factory default of its user level");
        }
    }

    fn identify(&mut self, pdu: &Pdu<'_>, telegram: &Telegram<'_>, out: &mut dyn Sink) {
        let known = match telegram.index {
            // Another family's index may mean something else: only a text of exactly its own length is taken.
            Some(index) => names::identity_by_index(index).filter(|_| telegram.is_one_text()),
            None => names::identity(telegram.name),
        };
        let Some((attribute, method)) = known else { return };
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
const fn asked_by(telegram: &Telegram<'_>) -> [u8; 2] {
    match names::answers(telegram.kind) {
        Some(letter @ (b'O' | b'C')) => [letter, b'X'],
        Some(letter) => [letter, if telegram.index.is_some() { b'I' } else { b'N' }],
        None => telegram.kind,
    }
}

/// What a telegram is about: a name, or the index that stands for it.
fn put_name(line: &mut String, telegram: &Telegram<'_>) {
    use std::fmt::Write as _;
    match telegram.index {
        // Writing to a string cannot fail.
        Some(index) => drop(write!(line, "index {index}")),
        None => line.push_str(telegram.name),
    }
}

impl Login {
    fn of(telegram: &Telegram<'_>) -> Option<Self> {
        match telegram.name {
            "SetAccessMode" => telegram.login().map(|(level, hash)| Login { level, hash: Some(hash) }),
            "SetUserLevel" => telegram.values.first().map(|level| Login { level: *level, hash: None }),
            _ => None,
        }
    }
}
