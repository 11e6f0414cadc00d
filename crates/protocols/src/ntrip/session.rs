//! One connection: heads of both sides, then what flows behind them.

use quaywatch_model::{
    At, Attribute, Credential, Direction, Mark, Observation, Outcome, Request, Service, Session, Sink, Transport,
    Weakness,
};
use quaywatch_wire::{Flow, Pdu};

use super::source_table::SourceTable;
use super::{PROTOCOL, field, first_line, is_source, starts_like};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::http::auth::{self, Attempt, Credentials, Shown};
use crate::http::body::{Body, Now};
use crate::http::head::{self, Head, Start};
use crate::login::{Ends, Secret, forget};
use crate::nmea::Nmea;
use crate::rtcm::{Place, Reader};
use crate::{Analyzer, Protocol};

/// Longest head that is kept to be read.
pub const HEAD_LIMIT: usize = 16 * 1024;
/// Characters kept of a field that is shown.
const SHOWN_LIMIT: usize = 200;

/// What one direction is at.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Phase {
    /// At a head or within it.
    #[default]
    Head,
    /// Behind `ICY 200 OK`: fields may follow, and a blank line.
    Fields,
    /// A source table.
    Table(Body),
    /// Corrections.
    Stream(Body),
    /// Positions of the rover.
    Sentences,
    /// A body of no interest.
    Other(Body),
    /// The place is not known any more.
    Lost,
}

/// One direction.
#[derive(Default)]
struct Side {
    phase: Phase,
    /// A head that lies in several pieces; it may hold a password.
    head: Vec<u8>,
}

/// A request that waits for its answer.
#[derive(Default, Debug)]
struct Asked {
    at: At,
    method: String,
    host: String,
    mount: String,
    agent: String,
    version: &'static str,
    /// The client delivers corrections.
    source: bool,
    attempt: Option<Attempt>,
}

/// How a request was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answered {
    /// Not at all, as far as the capture shows.
    Not,
    /// By this status, and with corrections or leave to deliver them.
    Opened(u32),
    /// By this status, with something else.
    Status(u32),
    /// By the refusal of version 1, which has no number.
    Refused,
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct NtripFlow {
    client: Side,
    server: Side,
    asked: Option<Asked>,
    ends: Option<Ends>,
    /// Of the caster, as it announced it.
    software: String,
    claims: Claims,
    table: SourceTable,
    /// Corrections to the client, and from it.
    down: Option<Box<Reader>>,
    up: Option<Box<Reader>>,
    sentences: Option<Box<dyn Analyzer>>,
    detail: DetailJson,
    line: String,
    scratch: Vec<u8>,
}

impl Analyzer for NtripFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.ends = Some(Ends { client: pdu.flow.client, server: pdu.flow.server, protocol: PROTOCOL });
        // The side leaves `self` while what it reads changes the rest.
        let mut side = std::mem::take(self.side(pdu.direction));
        let mut rest = pdu.data;
        while !rest.is_empty() {
            let before = side.phase;
            let used = self.step(&mut side, &Pdu { data: rest, ..*pdu }, out);
            // A step takes a byte, or goes over to another phase.
            let used = if used == 0 && before == side.phase { rest.len() } else { used };
            rest = rest.get(used..).unwrap_or_default();
        }
        *self.side(pdu.direction) = side;
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        let side = self.side(direction);
        forget(&mut side.head);
        side.phase = match side.phase {
            Phase::Table(body) => behind_gap(body, missing).map_or(Phase::Lost, Phase::Table),
            Phase::Other(body) => behind_gap(body, missing).map_or(Phase::Lost, Phase::Other),
            // Corrections find their own beginning again, and nothing else comes behind them.
            Phase::Stream(body) => Phase::Stream(behind_gap(body, missing).unwrap_or(Body::UntilClose)),
            Phase::Fields => Phase::Stream(Body::UntilClose),
            Phase::Sentences => Phase::Sentences,
            Phase::Head | Phase::Lost => Phase::Lost,
        };
        self.table.gap();
        for reader in [&mut self.down, &mut self.up].into_iter().flatten() {
            reader.gap();
        }
        if let Some(sentences) = &mut self.sentences {
            sentences.gap(direction, missing, out);
        }
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.settle(Answered::Not, "", out);
        for reader in [&mut self.down, &mut self.up].into_iter().flatten() {
            reader.close(out);
        }
        if let Some(sentences) = &mut self.sentences {
            sentences.close(flow, out);
        }
        forget(&mut self.client.head);
        forget(&mut self.server.head);
    }
}

impl NtripFlow {
    const fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    /// Takes something from the front of a piece; returns how many bytes.
    fn step(&mut self, side: &mut Side, pdu: &Pdu<'_>, out: &mut dyn Sink) -> usize {
        match side.phase {
            Phase::Head => self.head_step(side, pdu, out),
            Phase::Fields => fields_step(side, pdu.data),
            Phase::Table(body) => {
                let (used, content, next) = taken(body, pdu.data);
                if !self.table.feed(place(pdu), content, out) {
                    malformed(PROTOCOL, pdu, "ntrip_source_table", "line of a source table that is no record", out);
                }
                side.phase = after(pdu, next, Phase::Table, out);
                used
            }
            Phase::Stream(body) => {
                let (used, content, next) = taken(body, pdu.data);
                self.corrections(pdu, content, out);
                side.phase = after(pdu, next, Phase::Stream, out);
                used
            }
            Phase::Other(body) => {
                let (used, _, next) = taken(body, pdu.data);
                out.mark(Mark::Opaque("body of no interest"));
                side.phase = after(pdu, next, Phase::Other, out);
                used
            }
            Phase::Sentences => {
                self.sentences.get_or_insert_with(|| Nmea.open(pdu.flow)).feed(pdu, out);
                pdu.data.len()
            }
            Phase::Lost => {
                out.mark(Mark::Undecoded("ntrip after a gap"));
                pdu.data.len()
            }
        }
    }

    fn corrections(&mut self, pdu: &Pdu<'_>, content: &[u8], out: &mut dyn Sink) {
        if content.is_empty() {
            return;
        }
        let reader = match pdu.direction {
            Direction::FromServer => self.down.get_or_insert_with(|| Box::new(Reader::relayed())),
            Direction::FromClient => self.up.get_or_insert_with(Box::default),
        };
        reader.feed(place(pdu), content, out);
    }

    fn head_step(&mut self, side: &mut Side, pdu: &Pdu<'_>, out: &mut dyn Sink) -> usize {
        if side.head.is_empty() {
            match pdu.data.first() {
                Some(b'\r' | b'\n') => return 1,
                // The rover tells where it is; corrections may begin before the answer of the caster is seen.
                Some(b'$' | b'!') if pdu.direction == Direction::FromClient => {
                    side.phase = Phase::Sentences;
                    return self.step(side, pdu, out);
                }
                Some(0xd3) => {
                    side.phase = Phase::Stream(Body::UntilClose);
                    return self.step(side, pdu, out);
                }
                _ => {}
            }
        }
        let before = side.head.len();
        let room = HEAD_LIMIT.saturating_sub(before).min(pdu.data.len());
        side.head.extend_from_slice(pdu.data.get(..room).unwrap_or_default());
        let Some(end) = head_end(&side.head, pdu.direction, before) else {
            if side.head.len() >= HEAD_LIMIT {
                malformed(PROTOCOL, pdu, "ntrip_head_too_long", "head is longer than the limit", out);
                forget(&mut side.head);
                side.phase = Phase::Lost;
            }
            return room;
        };
        let mut kept = std::mem::take(&mut side.head);
        let whole = kept.get(..end).unwrap_or_default();
        side.phase = match pdu.direction {
            Direction::FromClient => self.request(pdu, whole, out),
            Direction::FromServer => self.answer(pdu, whole, out),
        };
        forget(&mut kept);
        side.head = kept;
        end.saturating_sub(before)
    }

    fn request(&mut self, pdu: &Pdu<'_>, head: &[u8], out: &mut dyn Sink) -> Phase {
        self.settle(Answered::Not, "", out);
        let version =
            if field(head, "ntrip-version").is_some_and(|text| starts_like(text, b"ntrip/2")) { "2.0" } else { "1.0" };
        let mut asked = Asked { at: pdu.at, version, ..Asked::default() };
        let phase = if is_source(first_line(head)) && head.starts_with(b"SOURCE ") {
            source_login(head, &mut asked);
            Phase::Stream(Body::UntilClose)
        } else if let Some(parsed) = Head::parse(head)
            && let Start::Request { method, target, .. } = parsed.start
        {
            asked.method.push_str(method);
            asked.mount = shown(path(target));
            asked.host = shown(parsed.host);
            asked.agent = shown(parsed.user_agent);
            asked.source = method == "POST";
            let read = auth::read(parsed.authorization, &mut self.scratch);
            forget(&mut self.scratch);
            if let Some(Credentials::Attempt(attempt) | Credentials::NtlmAttempt(_, attempt)) = read {
                asked.attempt = Some(attempt);
            }
            match parsed.content_length {
                _ if !asked.source => Phase::Head,
                _ if parsed.chunked => Phase::Stream(Body::CHUNKED),
                Some(length) if length > 0 => Phase::Stream(Body::Length(length)),
                _ => Phase::Stream(Body::UntilClose),
            }
        } else {
            malformed(PROTOCOL, pdu, "ntrip_request", "request that cannot be read", out);
            return Phase::Lost;
        };
        self.announce(&asked, out);
        self.asked = Some(asked);
        phase
    }

    /// What a request says of its client.
    fn announce(&mut self, asked: &Asked, out: &mut dyn Sink) {
        let Some(ends) = self.ends else { return };
        let subject = ends.client.address;
        let what = if asked.source { "NTRIP source" } else { "NTRIP client" };
        self.claims.identify(out, asked.at, subject, (Attribute::Capability, what, "ntrip request"));
        self.claims.identify(out, asked.at, subject, (Attribute::Software, &asked.agent, "ntrip user-agent"));
    }

    fn answer(&mut self, pdu: &Pdu<'_>, head: &[u8], out: &mut dyn Sink) -> Phase {
        let line = first_line(head);
        let source = self.asked.as_ref().is_some_and(|asked| asked.source);
        if line == b"OK" || line.starts_with(b"ERROR") {
            self.served(pdu, "", out);
            if line == b"OK" {
                self.settle(Answered::Opened(200), "", out);
                return Phase::Head;
            }
            self.settle(Answered::Refused, &shown(line), out);
            return Phase::Lost;
        }
        let Some(parsed) = Head::parse(head) else {
            malformed(PROTOCOL, pdu, "ntrip_answer", "answer that cannot be read", out);
            return Phase::Lost;
        };
        let Start::Response { status, version } = parsed.start else {
            malformed(PROTOCOL, pdu, "ntrip_answer", "request where an answer must be", out);
            return Phase::Lost;
        };
        if status < 200 {
            // The true answer follows.
            return Phase::Head;
        }
        self.served(pdu, &shown(parsed.server), out);
        let phase = behind_answer(&parsed, status, version, source);
        let good = (200..300).contains(&status);
        let opened = good && (source || matches!(phase, Phase::Fields | Phase::Stream(_)));
        self.settle(if opened { Answered::Opened(status) } else { Answered::Status(status) }, "", out);
        if source && !good {
            // What was refused is not sent; the client may try again.
            self.client.phase = Phase::Head;
        }
        phase
    }

    /// What an answer says of the caster.
    fn served(&mut self, pdu: &Pdu<'_>, software: &str, out: &mut dyn Sink) {
        let Some(Ends { server, protocol, .. }) = self.ends else { return };
        let version = self.asked.as_ref().map_or("", |asked| asked.version);
        self.software.clear();
        self.software.push_str(software);
        let service = Service { server, transport: Transport::Tcp, protocol, software, version };
        self.claims.service(out, pdu.at, service);
        self.claims.identify(out, pdu.at, server.address, (Attribute::Capability, "NTRIP caster", "ntrip answer"));
        self.claims.identify(out, pdu.at, server.address, (Attribute::Software, software, "ntrip server"));
    }

    /// Emits the request that waits, with its answer if there is one.
    fn settle(&mut self, answer: Answered, error: &str, out: &mut dyn Sink) {
        let (Some(asked), Some(ends)) = (self.asked.take(), self.ends) else { return };
        let status = match answer {
            Answered::Opened(status) | Answered::Status(status) => Some(status),
            Answered::Not | Answered::Refused => None,
        };
        let request = Request {
            client: ends.client,
            server: ends.server,
            protocol: PROTOCOL,
            method: &asked.method,
            host: &asked.host,
            uri: &asked.mount,
            user_agent: &asked.agent,
            status,
        };
        out.emit(asked.at, Observation::Request(request));
        let outcome = match answer {
            Answered::Opened(_) => Outcome::Success,
            Answered::Refused => Outcome::Failure,
            Answered::Status(401 | 403 | 407) => Outcome::Failure,
            // A mountpoint that does not exist is answered with the table.
            Answered::Status(_) | Answered::Not => Outcome::Unknown,
        };
        if asked.attempt.is_some() || outcome == Outcome::Success {
            self.session(&asked, ends, outcome, error, out);
        }
    }

    fn session(&mut self, asked: &Asked, ends: Ends, outcome: Outcome, error: &str, out: &mut dyn Sink) {
        let Ends { client, server, protocol } = ends;
        self.detail.clear();
        self.detail.text("mountpoint", asked.mount.trim_start_matches('/'));
        self.detail.text("role", if asked.source { "source" } else { "client" });
        if !error.is_empty() {
            self.detail.text("error", error);
        }
        let attempt = asked.attempt.as_ref();
        let user = attempt.map_or("", |attempt| attempt.account.as_str());
        let session = Session {
            client,
            server,
            protocol,
            version: asked.version,
            user,
            method: attempt.map_or("none", |attempt| attempt.method),
            outcome,
            client_software: &asked.agent,
            server_software: &self.software,
            encrypted: false,
            detail: self.detail.object(&mut self.line),
        };
        self.claims.session(out, asked.at, session);
        let mut credential = |weakness, rule| {
            let row = Credential { client, server, protocol, account: user, weakness, rule };
            self.claims.credential(out, asked.at, row);
        };
        match attempt.map(|attempt| attempt.shown) {
            Some(Shown::Secret(secret)) => secret.report(&mut self.claims, out, asked.at, ends, user, outcome),
            Some(Shown::Token(rule)) => credential(Weakness::ClearText, rule),
            Some(Shown::Proof(weakness, rule)) => credential(weakness, rule),
            Some(Shown::Anonymous) | None if outcome == Outcome::Success => {
                credential(Weakness::Anonymous, "corrections without a login");
            }
            Some(Shown::Anonymous) | None => {}
        }
    }
}

/// A body with bytes missing, if its place is still known.
fn behind_gap(mut body: Body, missing: u32) -> Option<Body> {
    body.skip(missing.into()).then_some(body)
}

fn place(pdu: &Pdu<'_>) -> Place {
    Place { at: pdu.at, sender: pdu.sender(), receiver: pdu.receiver() }
}

/// What follows the head of an answer.
fn behind_answer(head: &Head<'_>, status: u32, version: &str, source: bool) -> Phase {
    let body = match head.content_length {
        _ if head.chunked => Body::CHUNKED,
        Some(length) => Body::Length(length),
        None => Body::UntilClose,
    };
    let good = (200..300).contains(&status);
    let is = |name: &[u8]| starts_like(head.content_type, name);
    match version {
        "ICY" if source => Phase::Head,
        "ICY" => Phase::Fields,
        "SOURCETABLE" => Phase::Table(body),
        _ if body == Body::Length(0) => Phase::Head,
        _ if source && good && body == Body::UntilClose => Phase::Head,
        _ if is(b"gnss/sourcetable") => Phase::Table(body),
        _ if good && !source && !is(b"text/") => Phase::Stream(body),
        _ => Phase::Other(body),
    }
}

/// How a body stands behind a piece.
enum Next {
    Within(Body),
    Done,
    Broken,
}

/// Bytes used, content among them, and how the body stands.
fn taken(mut body: Body, data: &[u8]) -> (usize, &[u8], Next) {
    let taken = body.take(data);
    let next = match taken.now {
        Now::Within => Next::Within(body),
        Now::Done => Next::Done,
        Now::Broken => Next::Broken,
    };
    (taken.used, taken.content, next)
}

fn after(pdu: &Pdu<'_>, next: Next, phase: impl Fn(Body) -> Phase, out: &mut dyn Sink) -> Phase {
    match next {
        Next::Within(body) => phase(body),
        Next::Done => Phase::Head,
        Next::Broken => {
            malformed(PROTOCOL, pdu, "ntrip_chunk", "chunked coding is broken", out);
            Phase::Lost
        }
    }
}

/// Skips fields and the blank line behind `ICY 200 OK`; what does not begin with a letter are corrections.
fn fields_step(side: &mut Side, data: &[u8]) -> usize {
    match data.first() {
        Some(b'\r' | b'\n') if side.head.is_empty() => 1,
        Some(first) if first.is_ascii_alphabetic() || !side.head.is_empty() => {
            let end = data.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            // A field may lie in two pieces: that one is open is all that is kept of it.
            side.head.clear();
            if end.is_none() {
                side.head.push(*first);
            }
            end.unwrap_or(data.len())
        }
        _ => {
            side.phase = Phase::Stream(Body::UntilClose);
            // Nothing was used: the loop goes on with the stream.
            0
        }
    }
}

/// Where a head ends: at a blank line, or at the end of the line of an answer of version 1.
fn head_end(bytes: &[u8], direction: Direction, from: usize) -> Option<usize> {
    let alone: [&[u8]; 3] = [b"ICY ", b"OK", b"ERROR"];
    if direction == Direction::FromServer && alone.iter().any(|start| bytes.starts_with(start)) {
        return bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
    }
    head::end(bytes, from)
}

/// `SOURCE password mountpoint`: the password is looked at and not kept.
fn source_login(head: &[u8], asked: &mut Asked) {
    let line = first_line(head);
    let rest = line.strip_prefix(b"SOURCE ").unwrap_or_default();
    let blank = rest.iter().rposition(|byte| *byte == b' ');
    let (secret, mount) = match blank.and_then(|at| rest.split_at_checked(at)) {
        Some((secret, mount)) => (secret.trim_ascii(), mount.trim_ascii()),
        None => (&b""[..], rest),
    };
    asked.method.push_str("SOURCE");
    asked.mount = shown(mount);
    asked.agent = shown(field(head, "source-agent").unwrap_or_default());
    asked.source = true;
    asked.attempt = Some(Attempt {
        method: "source password",
        account: String::new(),
        realm: String::new(),
        shown: Shown::Secret(Secret::examine("", secret)),
    });
}

/// A target without its query, which may hold secrets.
fn path(target: &[u8]) -> &[u8] {
    target.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// Printable text, limited.
fn shown(bytes: &[u8]) -> String {
    device_text(bytes).unwrap_or_default().chars().take(SHOWN_LIMIT).collect()
}
