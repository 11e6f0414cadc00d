//! Reads one flow: datagrams or a connection, in which both ends may ask.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{At, Attribute, Direction, Mark, Observation, Operation, Service, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use super::address::Party;
use super::asked::Asked;
use super::description::Description;
use super::login::{self, Logins, Told};
use super::message::{Message, Shown, Start, UNKNOWN_METHOD, write};
use super::software;
use super::stream::Stream;
use super::{META, VERSION};
use crate::Analyzer;
use crate::claims::Claims;
use crate::deviation::{malformed, malformed_if_whole};
use crate::http::{auth, head};
use crate::pairing::Pairing;

/// Requests that wait for a final answer.
const MAX_WAITING: usize = 64;
/// Transactions remembered when they are over, for what is sent again.
const MAX_FINISHED: usize = 64;
/// Requests kept for their strings.
const MAX_SPARE: usize = 8;

const PROTOCOL: &str = META.name;

/// Names a transaction (RFC 3261 section 17.1.3, and 17.2.3 for peers that give no branch).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key(u64);

impl Key {
    fn new(asker: Direction, message: &Message<'_>) -> Self {
        let mut hasher = DefaultHasher::new();
        (asker, message.call_id, message.sequence, message.branch).hash(&mut hasher);
        Key(hasher.finish())
    }
}

pub(super) struct SipAnalyzer {
    transport: Transport,
    sides: [Stream; 2],
    waiting: Pairing<Key, Asked>,
    finished: VecDeque<Key>,
    spare: Vec<Asked>,
    claims: Claims,
    logins: Logins,
    secrets: Vec<u8>,
    /// Texts that are used again: detail, software, reason, realm.
    line: String,
    software: String,
    reason: String,
    /// What each end called its software last.
    named: [Vec<u8>; 2],
}

impl SipAnalyzer {
    pub(super) fn new(transport: Transport) -> Self {
        SipAnalyzer {
            transport,
            sides: [Stream::default(), Stream::default()],
            waiting: Pairing::new(MAX_WAITING),
            finished: VecDeque::new(),
            spare: Vec::new(),
            claims: Claims::default(),
            logins: Logins::default(),
            secrets: Vec::new(),
            line: String::new(),
            software: String::new(),
            reason: String::new(),
            named: [Vec::new(), Vec::new()],
        }
    }
}

impl Analyzer for SipAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.transport == Transport::Udp {
            return self.datagram(pdu, out);
        }
        let mut side = std::mem::take(self.side(pdu.direction));
        let pushed = side.push(pdu.data, |bytes| {
            let end = head::end(bytes, 0).unwrap_or(bytes.len());
            let (head, body) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
            self.message(pdu, head, body, out);
        });
        match pushed {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("sip after a gap")),
            Err(_) => malformed(PROTOCOL, pdu, "sip_framing_malformed", "message cannot be framed", out),
        }
        *self.side(pdu.direction) = side;
    }

    fn gap(&mut self, direction: Direction, _: u32, out: &mut dyn Sink) {
        self.side(direction).gap();
        self.drain(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.drain(out);
    }
}

/// Whether a datagram only keeps a binding of an address translator alive (RFC 5626 section 3.5.1, and its forerunners).
fn keeps_alive(data: &[u8]) -> bool {
    data.len() <= 8 && data.iter().all(|b| matches!(b, 0 | b'\r' | b'\n' | b' '))
}

/// Whether a datagram is one of STUN, which shares the port (RFC 5626 section 3.5.2).
fn is_stun(data: &[u8]) -> bool {
    matches!(data, [0..=3, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..])
}

impl SipAnalyzer {
    const fn side(&mut self, direction: Direction) -> &mut Stream {
        let [client, server] = &mut self.sides;
        match direction {
            Direction::FromClient => client,
            Direction::FromServer => server,
        }
    }

    fn datagram(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if keeps_alive(pdu.data) {
            return;
        }
        if is_stun(pdu.data) {
            return out.mark(Mark::Undecoded("stun"));
        }
        let end = head::end(pdu.data, 0);
        if end.is_none() {
            malformed_if_whole(PROTOCOL, pdu, "sip_head_malformed", "head has no end", out);
        }
        // Of a line that was cut it is not known what it said.
        let whole_lines = || pdu.data.iter().rposition(|b| *b == b'\n').map_or(0, |at| at.saturating_add(1));
        let (head, body) = pdu.data.split_at_checked(end.unwrap_or_else(whole_lines)).unwrap_or((pdu.data, b""));
        self.message(pdu, head, if end.is_some() { body } else { b"" }, out);
    }

    fn message(&mut self, pdu: &Pdu<'_>, head: &[u8], body: &[u8], out: &mut dyn Sink) {
        let Some(mut message) = Message::parse(head, body) else {
            if !head.is_empty() {
                malformed(PROTOCOL, pdu, "sip_start_line_malformed", "first line is neither request nor answer", out);
            }
            return;
        };
        if message.bad_length {
            malformed(PROTOCOL, pdu, "sip_content_length_malformed", "Content-Length is no number", out);
        }
        if let Some(length) = message.content_length {
            match body.get(..length) {
                // What follows in a datagram is to be thrown away (RFC 3261 section 18.3).
                Some(body) => message.body = body,
                None => malformed_if_whole(PROTOCOL, pdu, "sip_body_short", "body is shorter than announced", out),
            }
        }
        let Some((_, sequence_method)) = message.sequence.filter(|_| !message.call_id.is_empty()) else {
            let reason = "message without Call-ID or CSeq";
            return malformed_if_whole(PROTOCOL, pdu, "sip_field_missing", reason, out);
        };
        match message.start {
            Start::Request { method, uri } => {
                if method != sequence_method {
                    let reason = "method of CSeq is not that of the request";
                    malformed(PROTOCOL, pdu, "sip_cseq_mismatch", reason, out);
                }
                self.request(pdu, &message, (method, uri), out);
            }
            Start::Answer { status, reason } => self.reply(pdu, &message, status, reason, out),
        }
        if Description::find(message.content_type, message.body).is_some_and(Description::has_key) {
            login::key(pdu.sender(), pdu.receiver(), pdu.at, &mut self.claims, out);
        }
    }

    fn request(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, line: (&[u8], &[u8]), out: &mut dyn Sink) {
        let key = Key::new(pdu.direction, message);
        if self.finished.contains(&key) {
            return;
        }
        if let Some(mut asked) = self.waiting.answer(&key) {
            asked.repeated = asked.repeated.saturating_add(1);
            self.waiting.ask(key, asked);
            return;
        }
        let mut asked = self.spare.pop().unwrap_or_default();
        asked.request(pdu.at, (pdu.sender(), pdu.receiver()), line, message);
        login::read(message, &mut self.secrets, &mut asked.attempts);
        if asked.code == UNKNOWN_METHOD {
            out.mark(Mark::Undecoded("method"));
        }
        // Beyond the first hop the software named is not the sender's.
        if message.hops == 1 {
            self.software(pdu, message.user_agent, "sip user agent", out);
        }
        if line.0 == b"ACK" {
            // It is never answered (RFC 3261 section 17.1.1.1).
            self.finish(key);
            return self.tell(asked, None, Told::default(), out);
        }
        if let Some(oldest) = self.waiting.ask(key, asked) {
            self.tell(oldest, None, Told::default(), out);
        }
    }

    fn reply(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, status: u32, reason: &[u8], out: &mut dyn Sink) {
        self.server(pdu, message, status, out);
        let key = Key::new(pdu.direction.reverse(), message);
        let waiting = self.waiting.answer(&key);
        if status < 200 {
            if let Some(mut asked) = waiting {
                asked.provisional(status);
                self.waiting.ask(key, asked);
            }
            return;
        }
        let mut asked = match waiting {
            Some(asked) => asked,
            None if self.finished.contains(&key) => return,
            None => {
                let mut asked = self.spare.pop().unwrap_or_default();
                asked.unseen(pdu.at, (pdu.receiver(), pdu.sender()), message);
                asked
            }
        };
        self.finish(key);
        asked.answered(message);
        write(&mut self.reason, Shown(reason));
        let named = if message.server.is_empty() { message.user_agent } else { message.server };
        write(&mut self.software, Shown(named));
        let software = std::mem::take(&mut self.software);
        let realm = if message.challenge.is_empty() { String::new() } else { auth::realm(message.challenge) };
        let stale = login::is_stale(message.challenge);
        let told = Told { status: Some(status), stale, realm: &realm, server_software: &software };
        self.tell(asked, Some((pdu.at, status)), told, out);
        self.software = software;
    }

    fn finish(&mut self, key: Key) {
        if self.finished.len() >= MAX_FINISHED {
            self.finished.pop_front();
        }
        self.finished.push_back(key);
    }

    /// What an answer says of the one who answers.
    fn server(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, status: u32, out: &mut dyn Sink) {
        let named = if message.server.is_empty() { message.user_agent } else { message.server };
        if speaks_itself(pdu, message, status, &mut self.line) {
            self.software(pdu, named, "sip server", out);
        } else {
            self.software.clear();
        }
        let usual = self.transport == Transport::Udp && META.udp.contains(&pdu.sender().port);
        let (server, transport) = (pdu.sender(), self.transport);
        // Answers that others made say that it answers, and no more: once is enough.
        let news = self.claims.first(("answers", server)) || !self.software.is_empty();
        if news && (pdu.direction == Direction::FromServer || usual) {
            let version = std::str::from_utf8(VERSION).unwrap_or_default();
            let service = Service { server, transport, protocol: PROTOCOL, software: &self.software, version };
            self.claims.service(out, pdu.at, service);
        }
    }

    /// Tells the software of the sender.
    fn software(&mut self, pdu: &Pdu<'_>, named: &[u8], method: &'static str, out: &mut dyn Sink) {
        write(&mut self.software, Shown(named));
        let [client, server] = &mut self.named;
        let last = if pdu.direction == Direction::FromClient { client } else { server };
        if last == named {
            return;
        }
        last.clear();
        last.extend_from_slice(named);
        let subject = pdu.sender().address;
        self.claims.identify(out, pdu.at, subject, (Attribute::Software, &self.software, method));
        for (attribute, value) in software::parts(self.software.trim()) {
            self.claims.identify(out, pdu.at, subject, (attribute, value, method));
        }
    }

    fn tell(&mut self, mut asked: Asked, answer: Option<(At, u32)>, told: Told<'_>, out: &mut dyn Sink) {
        asked.conclude();
        let at = answer.map_or(asked.at, |(at, _)| at);
        let row = asked.row(&mut self.line);
        let row = match answer {
            Some((at, status)) => Operation {
                status: Some(status),
                status_name: &self.reason,
                latency: asked.seen.then(|| at.ts.0.saturating_sub(asked.at.ts.0)),
                reply_frame: Some(at.frame),
                ..row
            },
            None => row,
        };
        out.emit(at, Observation::Operation(row));
        self.logins.tell(&asked, told, at, &mut self.claims, out);
        if self.spare.len() < MAX_SPARE {
            self.spare.push(asked);
        }
    }

    fn drain(&mut self, out: &mut dyn Sink) {
        let mut waiting = std::mem::replace(&mut self.waiting, Pairing::new(MAX_WAITING));
        for asked in waiting.drain() {
            self.tell(asked, None, Told::default(), out);
        }
    }
}

/// Whether the sender of an answer made it, and did not pass it on: registrars and those who ask for a login answer
/// themselves, others where they can be reached.
fn speaks_itself(pdu: &Pdu<'_>, message: &Message<'_>, status: u32, text: &mut String) -> bool {
    let registers = message.sequence.is_some_and(|(_, method)| method == b"REGISTER");
    if status == 407 || registers && message.hops == 1 {
        return true;
    }
    let Some(contact) = Party::parse(message.contact) else { return false };
    write(text, pdu.sender().address);
    contact.uri.host() == text.as_bytes()
}
