//! Niagara Fox: how stations of the Niagara framework talk to each other and to their engineering tool, TCP 1911.

pub mod message;
mod tell;
#[cfg(test)]
mod tests;

use quaywatch_model::{At, Direction, Endpoint, Mark, Outcome, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::message::{END, Fields, Head, START};
use self::tell::{Teller, Told};
use crate::analyzer::{Depth, Purpose};
use crate::deviation::malformed;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "niagara-fox";
/// Longest message that is taken; longer ones carry files.
pub const MESSAGE_LIMIT: usize = 256 * 1024;
/// Requests that wait for answers at the same time.
pub const WAITING_LIMIT: usize = 32;
/// Bytes of a first line.
const LINE_LIMIT: usize = 200;

/// The registry entry.
pub struct NiagaraFox;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Niagara Fox",
    tcp: &[1911, 3011],
    udp: &[],
    ethertypes: &[],
    spec: "not published; Tridium NiagaraAX documentation (about Fox), public captures and dissectors",
    found: "Tridium Niagara stations (JACE, Vykon, Honeywell, Johnson Controls FX): buildings, cooling, power and lighting of a terminal",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Who both sides are, how they log in and how that ends, requests by channel and command with errors. Fields of requests are not \
            decoded; Fox over TLS (port 4911) is seen as TLS.",
};

impl Protocol for NiagaraFox {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let head = pdu.data.get(..LINE_LIMIT).unwrap_or(pdu.data);
        let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
            let begins = head.starts_with(START) || START.starts_with(head);
            return if begins && head.len() < LINE_LIMIT { Probe::Unsure } else { Probe::No };
        };
        let behind = pdu.data.get(end..).unwrap_or_default();
        let opens = behind.starts_with(b"\n{\n") || b"\n{\n".starts_with(behind);
        match head.get(..end).and_then(Head::read) {
            // The server counts from 0, the client from 1.
            Some(Head { sequence: 0, channel: "fox", command: "hello", .. }) if opens => Probe::YesFromServer,
            Some(Head { channel: "fox", command: "challenge", .. }) if opens => Probe::YesFromServer,
            Some(_) if opens => Probe::Yes,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(FoxFlow::default())
    }
}

/// One direction's bytes up to the end of a message.
#[derive(Default)]
struct Buffer {
    held: Vec<u8>,
    /// Bytes at the front that hold no end.
    searched: usize,
}

impl Buffer {
    /// Takes bytes, and calls `each` for every message that they complete; false if what is held cannot be one.
    fn push(&mut self, mut piece: &[u8], each: &mut dyn FnMut(&[u8])) -> bool {
        while !piece.is_empty() {
            if self.held.is_empty() {
                match end_of(piece) {
                    Some(end) => {
                        let (whole, rest) = piece.split_at_checked(end).unwrap_or((piece, &[]));
                        each(whole);
                        piece = rest;
                        continue;
                    }
                    None if !begins(piece) => return false,
                    None => {}
                }
            }
            let before = self.held.len();
            self.held.extend_from_slice(piece);
            let from = self.searched.saturating_sub(END.len());
            let Some(end) = self.held.get(from..).and_then(end_of).map(|end| end.saturating_add(from)) else {
                self.searched = self.held.len();
                return self.held.len() <= MESSAGE_LIMIT && begins(&self.held);
            };
            each(self.held.get(..end).unwrap_or_default());
            piece = piece.get(end.saturating_sub(before)..).unwrap_or_default();
            self.clear();
        }
        true
    }

    fn clear(&mut self) {
        self.held.clear();
        self.searched = 0;
    }
}

/// Where the first message ends.
fn end_of(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(END.len()).position(|window| window == END)?;
    at.checked_add(END.len())
}

/// Whether a message may begin so.
fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(START) || START.starts_with(bytes)
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    channel: String,
    command: String,
}

/// A login under way.
#[derive(Debug, Default)]
struct Login {
    /// As the challenge names it.
    method: String,
    user: String,
    asked: Option<At>,
}

#[derive(Default)]
struct FoxFlow {
    from_client: Buffer,
    from_server: Buffer,
    talk: Talk,
}

struct Talk {
    /// By who asks and number.
    waiting: Pairing<(Direction, i64), Ask>,
    /// The client's greeting.
    greeting: Option<At>,
    login: Login,
    teller: Teller,
}

impl Default for Talk {
    fn default() -> Self {
        let (greeting, login) = (None, Login::default());
        Talk { waiting: Pairing::new(WAITING_LIMIT), greeting, login, teller: Teller::default() }
    }
}

impl FoxFlow {
    const fn buffer(&mut self, direction: Direction) -> &mut Buffer {
        match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        }
    }
}

impl Analyzer for FoxFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let FoxFlow { from_client, from_server, talk } = self;
        let buffer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        if !buffer.push(pdu.data, &mut |bytes| talk.message(pdu, bytes, out)) {
            buffer.clear();
            malformed(PROTOCOL, pdu, "niagara_fox_framing", "bytes that begin no message, or a message too long", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.buffer(direction).clear();
        self.talk.give_up(out);
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
        let ends = (flow.client, flow.server);
        if let Some(at) = self.talk.greeting.take() {
            self.talk.teller.tell(Told { asked: Some(at), ..Told::of(ends, "fox", "hello") }, out);
        }
        self.talk.logged_in(ends, None, Outcome::Unknown, out);
    }
}

impl Talk {
    fn message(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some((head, fields)) = message::read(bytes) else {
            return malformed(PROTOCOL, pdu, "niagara_fox_message", "first line or braces of a message are wrong", out);
        };
        let from_server = pdu.direction == Direction::FromServer;
        match (head.kind, head.channel, head.command) {
            (b'k' | b'n', ..) => {}
            (_, "fox", "hello") => self.hello(pdu, fields, from_server, out),
            (b'r' | b'e', ..) => self.answered(pdu, &head, out),
            (b'a', "fox", _) => self.session(pdu, &head, fields, from_server, out),
            (b's', ..) => self.asked(pdu, &head, out),
            // Asynchronous talk comes without end: each kind is told once.
            _ => self.once(pdu, &head, from_server, out),
        }
    }

    fn hello(&mut self, pdu: &Pdu<'_>, fields: Fields<'_>, from_server: bool, out: &mut dyn Sink) {
        self.teller.introduce(pdu, fields, from_server, out);
        if !from_server {
            self.greeting = Some(pdu.at);
            return;
        }
        let ends = (pdu.receiver(), pdu.sender());
        let asked = self.greeting.take();
        self.teller.describe(fields);
        let told = Told { asked, answered: Some(pdu.at), status: Some(0), ..Told::of(ends, "fox", "hello") };
        self.teller.tell(told, out);
    }

    /// Messages of the channel `fox` after the greeting: challenge, login and how it ends.
    fn session(&mut self, pdu: &Pdu<'_>, head: &Head<'_>, fields: Fields<'_>, from_server: bool, out: &mut dyn Sink) {
        if !from_server {
            // The tools differ in the name of the field; a secret is in neither.
            if let Some(user) = fields.find("username").or_else(|| fields.find("user")) {
                user.clone_into(&mut self.login.user);
                self.login.asked = Some(pdu.at);
                return;
            }
            return self.once(pdu, head, from_server, out);
        }
        if let Some(method) = fields.find("method").filter(|_| head.command == "challenge") {
            method.clone_into(&mut self.login.method);
        }
        let command = head.command.to_ascii_lowercase();
        let ends = (pdu.receiver(), pdu.sender());
        if command == "welcome" {
            self.logged_in(ends, Some(pdu.at), Outcome::Success, out);
        } else if ["reject", "fail", "unable", "denied"].iter().any(|word| command.contains(word)) {
            self.logged_in(ends, Some(pdu.at), Outcome::Failure, out);
        } else {
            self.once(pdu, head, from_server, out);
        }
    }

    fn logged_in(&mut self, ends: (Endpoint, Endpoint), answer: Option<At>, outcome: Outcome, out: &mut dyn Sink) {
        let Some(asked) = self.login.asked.take() else { return };
        self.teller.login(ends, (asked, answer), &self.login.user, &self.login.method, outcome, out);
    }

    fn asked(&mut self, pdu: &Pdu<'_>, head: &Head<'_>, out: &mut dyn Sink) {
        let ask = Ask {
            at: pdu.at,
            client: pdu.sender(),
            server: pdu.receiver(),
            channel: head.channel.to_owned(),
            command: head.command.to_owned(),
        };
        if let Some(lost) = self.waiting.ask((pdu.direction, head.sequence), ask) {
            self.lost(&lost, out);
        }
    }

    fn answered(&mut self, pdu: &Pdu<'_>, head: &Head<'_>, out: &mut dyn Sink) {
        let ask = self.waiting.answer(&(pdu.direction.reverse(), head.answers));
        let status = Some(u32::from(head.kind == b'e'));
        let told = match &ask {
            Some(ask) => Told { asked: Some(ask.at), ..Told::of((ask.client, ask.server), &ask.channel, &ask.command) },
            None => Told::of((pdu.receiver(), pdu.sender()), head.channel, head.command),
        };
        self.teller.tell(Told { answered: Some(pdu.at), status, ..told }, out);
    }

    fn once(&mut self, pdu: &Pdu<'_>, head: &Head<'_>, from_server: bool, out: &mut dyn Sink) {
        if !self.teller.first(pdu.direction, head) {
            return;
        }
        let told = if from_server {
            Told { answered: Some(pdu.at), ..Told::of((pdu.receiver(), pdu.sender()), head.channel, head.command) }
        } else {
            Told { asked: Some(pdu.at), ..Told::of((pdu.sender(), pdu.receiver()), head.channel, head.command) }
        };
        if head.channel != "fox" {
            out.mark(Mark::Undecoded("asynchronous message of Fox"));
        }
        self.teller.tell(told, out);
    }

    fn lost(&mut self, ask: &Ask, out: &mut dyn Sink) {
        let told = Told { asked: Some(ask.at), ..Told::of((ask.client, ask.server), &ask.channel, &ask.command) };
        self.teller.tell(told, out);
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.lost(&ask, out);
        }
    }
}
