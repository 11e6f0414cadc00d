//! Reads both directions, pairs requests with answers.

use std::collections::VecDeque;

use quaywatch_model::{At, Direction, Mark, Observation, Sink, Weird};
use quaywatch_wire::{Flow, Pdu};

use super::auth::{self, Attempt, Credentials, Shown};
use super::body::{Body, Now};
use super::exchange::{Answer, Exchange, Speaker, push_shown};
use super::form::{self, Found};
use super::head::{self, Head, Start};
use super::reader::{Kept, Place, Reader, Step};
use super::terminal::{self, Call};
use super::{HTTP2_PREFACE, META, onvif, probe, soap, winrm};
use crate::login::{Ends, forget};
use crate::{Analyzer, Probe, ntlm};

/// Requests that may wait for their answers.
pub(super) const MAX_WAITING: usize = 32;
/// Exchanges kept for their strings.
const MAX_SPARE: usize = 4;

/// An answer whose document is still to come.
struct Pending {
    exchange: Exchange,
    status: u32,
    at: At,
    software: String,
    realm: String,
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct HttpAnalyzer {
    client: Reader,
    server: Reader,
    /// Who asks; by content, as a flow picked up midway may be turned round.
    asker: Option<Direction>,
    waiting: VecDeque<Exchange>,
    pending: Option<Pending>,
    spare: Vec<Exchange>,
    serial: u64,
    speaker: Speaker,
    software: String,
    version: String,
    realm: String,
    scratch: Vec<u8>,
    /// The ends as of the last piece.
    ends: Option<Ends>,
    /// A request was for WinRM.
    is_winrm: bool,
    /// A request was a command of ONVIF.
    is_onvif: bool,
    /// A request was for a terminal operating system.
    is_terminal: bool,
    /// The flow carries something else from here on, of which this is the name.
    tunnel: Option<Mark>,
}

impl Analyzer for HttpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(mark) = self.tunnel {
            out.mark(mark);
            return;
        }
        self.ends = Some(self.ends_of(pdu.flow));
        // The reader leaves `self` while messages change the rest of it.
        let mut reader = std::mem::take(self.reader(pdu.direction));
        if reader.torn {
            self.torn_head(&mut reader, pdu.flow, pdu.direction, out);
        }
        self.read(&mut reader, pdu, out);
        *self.reader(pdu.direction) = reader;
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        let mut reader = std::mem::take(self.reader(direction));
        self.gap_in(&mut reader, missing, out);
        *self.reader(direction) = reader;
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        // Bodies may be ended by the end of the connection.
        if let Some(asker) = self.asker {
            let reader = self.reader(asker.reverse());
            let (place, at) = (reader.place, reader.at);
            let document =
                if reader.keep == Some(Kept::Answer) { std::mem::take(&mut reader.form) } else { Vec::new() };
            let is_whole = place == Place::Body(Body::UntilClose);
            self.settle_pending(if is_whole { &document } else { b"" }, at, out);
        }
        for direction in [Direction::FromClient, Direction::FromServer] {
            let mut reader = std::mem::take(self.reader(direction));
            self.body_cut(&mut reader, out);
            self.torn_head(&mut reader, flow, direction, out);
            *self.reader(direction) = reader;
        }
        self.settle_all(out);
        if let Some(ends) = self.ends {
            self.speaker.decide(false, ends, out);
        }
        self.client.reset(Place::Lost);
        self.server.reset(Place::Lost);
    }

    fn service(&self) -> Option<&'static str> {
        if self.is_onvif { Some(onvif::NAME) } else { (self.is_winrm || self.is_terminal).then(|| self.protocol()) }
    }
}

impl HttpAnalyzer {
    const fn reader(&mut self, direction: Direction) -> &mut Reader {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    const fn protocol(&self) -> &'static str {
        match (self.is_winrm, self.is_terminal) {
            (true, _) => winrm::NAME,
            (_, true) => terminal::NAME,
            _ => META.name,
        }
    }

    fn ends_of(&self, flow: &Flow) -> Ends {
        let asker = self.asker.unwrap_or(Direction::FromClient);
        Ends { client: flow.sender(asker), server: flow.receiver(asker), protocol: self.protocol() }
    }

    fn gap_in(&mut self, reader: &mut Reader, missing: u32, out: &mut dyn Sink) {
        let in_body = matches!(reader.place, Place::Body(_));
        let place_known = match &mut reader.place {
            Place::Body(body) => body.skip(missing.into()),
            _ => false,
        };
        if in_body {
            reader.body_gap();
            self.body_cut(reader, out);
        }
        if place_known {
            return;
        }
        if !reader.head.is_empty() {
            reader.torn = true;
            return;
        }
        reader.reset(Place::Lost);
        // Answers may have been lost: those that follow cannot be told to requests before.
        self.settle_all(out);
    }

    /// The rest of a body will not come, or has a hole: no login is read from it, but what is there of other documents.
    fn body_cut(&mut self, reader: &mut Reader, out: &mut dyn Sink) {
        if reader.keep.is_some_and(Kept::may_be_cut) || reader.call.is_some() {
            self.body_read(reader, reader.at, true, out);
        }
        forget(&mut reader.form);
        reader.keep = None;
    }

    /// Reads the whole lines of a head whose rest will not come: cut by the capture, or lost.
    fn torn_head(&mut self, reader: &mut Reader, flow: &Flow, direction: Direction, out: &mut dyn Sink) {
        let mut head = std::mem::take(&mut reader.head);
        let end = head.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let lines = head.get(..end).unwrap_or_default();
        if self.tunnel.is_none() && Head::parse(lines).is_some() {
            let (at, data) = (reader.at, lines);
            let pdu = Pdu { at, flow, direction, data, source_mac: None, destination_mac: None, cut: true };
            self.message(reader, lines, &pdu, out);
            self.body_cut(reader, out);
        }
        forget(&mut head);
        reader.head = head;
        reader.torn = false;
        reader.reset(Place::Lost);
        self.settle_all(out);
    }

    /// Emits all that waits, without answers.
    fn settle_all(&mut self, out: &mut dyn Sink) {
        self.settle_pending(b"", At::default(), out);
        while let Some(exchange) = self.waiting.pop_front() {
            self.settle(exchange, Answer::default(), out);
        }
    }

    /// Emits what waits for its document, which ended at `at`; empty if it was lost.
    fn settle_pending(&mut self, document: &[u8], at: At, out: &mut dyn Sink) {
        let Some(Pending { exchange, status, at: head, software, realm }) = self.pending.take() else { return };
        let answer = Answer {
            status: Some(status),
            server_software: software.trim(),
            realm: &realm,
            at: Some(if document.is_empty() { head } else { at }),
            document,
            ..Answer::default()
        };
        self.settle(exchange, answer, out);
        (self.software, self.realm) = (software, realm);
    }

    fn settle(&mut self, mut exchange: Exchange, answer: Answer<'_>, out: &mut dyn Sink) {
        let Some(mut ends) = self.ends else { return };
        if exchange.call.is_some() {
            ends.protocol = onvif::NAME;
        }
        self.speaker.exchange(&mut exchange, answer, ends, out);
        if let Some(call) = exchange.terminal.take() {
            self.speaker.call(&call, None, ends, out);
        }
        if self.spare.len() < MAX_SPARE {
            self.spare.push(exchange);
        }
    }

    fn read(&mut self, reader: &mut Reader, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut rest = pdu.data;
        let (mut only_body, mut is_read) = (true, false);
        while !rest.is_empty() {
            match reader.place {
                Place::Body(mut body) => {
                    reader.at = pdu.at;
                    // Documents are read, other content is not.
                    is_read |= reader.is_read();
                    let taken = body.take(rest);
                    reader.content(taken.content, pdu, out);
                    is_read |= reader.is_read();
                    rest = rest.get(taken.used..).unwrap_or_default();
                    reader.place = Place::Body(body);
                    match taken.now {
                        Now::Within => {}
                        Now::Done => {
                            reader.body_ended(pdu, out);
                            self.body_done(reader, pdu, out);
                        }
                        Now::Broken => {
                            self.body_cut(reader, out);
                            self.weird("http_chunk_malformed", "chunked coding is broken", pdu, out);
                            reader.reset(Place::Lost);
                        }
                    }
                }
                Place::Lost if probe(rest) == Probe::No => {
                    out.mark(Mark::Undecoded("http after a gap"));
                    return;
                }
                Place::Lost => reader.reset(Place::Head),
                Place::Head => {
                    only_body = false;
                    rest = self.head_step(reader, rest, pdu, out);
                    if let Some(mark) = self.tunnel {
                        if !rest.is_empty() {
                            out.mark(mark);
                        }
                        return;
                    }
                }
            }
        }
        if only_body && !is_read {
            out.mark(Mark::Opaque("http body"));
        }
    }

    /// Reads a head or the part of it that is here; returns what follows it.
    fn head_step<'p>(&mut self, reader: &mut Reader, piece: &'p [u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> &'p [u8] {
        // Blank lines before a message are to be ignored (RFC 9112 section 2.2).
        if reader.head.is_empty()
            && let Some(b'\r' | b'\n') = piece.first()
        {
            return piece.get(1..).unwrap_or_default();
        }
        if reader.head.is_empty() && !head::may_start(piece) {
            if pdu.flow.midstream && !reader.started {
                // Picked up within a body.
                out.mark(Mark::Undecoded("http after a gap"));
                reader.reset(Place::Lost);
                return b"";
            }
            self.weird("http_message_expected", "neither a request nor a status line", pdu, out);
            reader.reset(Place::Lost);
            return b"";
        }
        reader.started = true;
        reader.at = pdu.at;
        match reader.take_head(piece) {
            Step::More => b"",
            Step::TooLong => {
                self.weird("http_head_too_long", "message head is longer than the limit", pdu, out);
                reader.reset(Place::Lost);
                b""
            }
            Step::Here { head, rest } => {
                self.message(reader, head, pdu, out);
                rest
            }
            Step::Kept { rest } => {
                let mut kept = std::mem::take(&mut reader.head);
                self.message(reader, &kept, pdu, out);
                // Heads hold credentials.
                forget(&mut kept);
                reader.head = kept;
                rest
            }
        }
    }

    fn message(&mut self, reader: &mut Reader, bytes: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if bytes.starts_with(HTTP2_PREFACE) {
            self.tunnel = Some(Mark::Undecoded("http/2"));
            return;
        }
        let Some(head) = Head::parse(bytes) else {
            self.weird("http_start_line_malformed", "start line cannot be read", pdu, out);
            reader.reset(Place::Lost);
            return;
        };
        if head.bad_length {
            self.weird("http_content_length_malformed", "Content-Length is no number, or two differ", pdu, out);
        }
        match head.start {
            Start::Request { method, target, version } => {
                self.request(reader, &head, (method, target, version), pdu, out)
            }
            Start::Response { status, version } => self.response(reader, &head, status, version, pdu, out),
        }
    }

    fn request(
        &mut self,
        reader: &mut Reader,
        head: &Head<'_>,
        (method, target, version): (&str, &[u8], &str),
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        self.asker = Some(pdu.direction);
        self.is_winrm |= winrm::is_asked_for(target);
        let asked = terminal::asked(method, target, self.is_terminal);
        self.is_terminal |= asked.is_some_and(terminal::Asked::names_flow);
        let ends = self.ends_of(pdu.flow);
        self.ends = Some(ends);
        self.serial += 1;
        let mut exchange = self.spare.pop().unwrap_or_default();
        exchange.at = pdu.at;
        exchange.serial = self.serial;
        exchange.attempts.clear();
        exchange.call.clear();
        exchange.encrypted = winrm::is_encrypted(head.content_type);
        exchange.has_content = head.chunked || head.content_length.is_some_and(|length| length > 0);
        push_shown(&mut exchange.method, method.as_bytes());
        push_shown(&mut exchange.version, version.as_bytes());
        push_shown(&mut exchange.user_agent, head.user_agent);
        let found = form::show_target(target, &mut exchange.uri);
        push_shown(&mut exchange.host, head.host_of(target));
        exchange.terminal = asked.map(|asked| Box::new(Call::new(asked, pdu.at, target, &exchange.uri, head)));
        if let Some(attempt) = attempt_of(found, "query") {
            exchange.attempts.push(attempt);
        }
        if head.api_key {
            let shown = Shown::Token("key in a header field sent unencrypted");
            let (account, realm) = (String::new(), String::new());
            exchange.attempts.push(Attempt { method: "api-key", account, realm, shown });
        }
        for value in [head.authorization, head.proxy_authorization] {
            if !value.is_empty() {
                self.credentials(value, &mut exchange, ends, out);
            }
        }
        let proxied = method == "CONNECT" || target.starts_with(b"http://");
        self.speaker.request(&exchange, proxied, ends, out);
        self.keep_body(reader, head, method, target);
        if reader.place != Place::Head && exchange.terminal.as_ref().is_some_and(|call| call.has_document()) {
            reader.keep = Some(Kept::Terminal);
        }
        reader.begin_body(true, head.content_type, pdu, out);
        self.waiting.push_back(exchange);
        if self.waiting.len() > MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.settle(oldest, Answer::default(), out);
        }
    }

    fn credentials(&mut self, value: &[u8], exchange: &mut Exchange, ends: Ends, out: &mut dyn Sink) {
        let read = auth::read(value, &mut self.scratch);
        if let Some(Credentials::Ntlm(message) | Credentials::NtlmAttempt(message, _)) = &read {
            ntlm::say(message, &mut self.speaker.claims, out, exchange.at, ends.client.address);
        }
        if let Some(Credentials::Attempt(attempt) | Credentials::NtlmAttempt(_, attempt)) = read {
            exchange.attempts.push(attempt);
        }
        forget(&mut self.scratch);
    }

    /// Sets where the body of a request ends, and whether it is kept: a form or a document may be a login or a command.
    fn keep_body(&mut self, reader: &mut Reader, head: &Head<'_>, method: &str, target: &[u8]) {
        let body = match head.content_length {
            _ if head.chunked => Some(Body::CHUNKED),
            Some(length) if length > 0 => Some(Body::Length(length)),
            _ => None,
        };
        reader.place = body.map_or(Place::Head, Place::Body);
        reader.serial = self.serial;
        reader.keep = match kind_of(head.content_type, target) {
            Some(kind) if body.is_some() && matches!(method, "POST" | "PUT") && kind.fits(head) => Some(kind),
            _ => None,
        };
    }

    fn response(
        &mut self,
        reader: &mut Reader,
        head: &Head<'_>,
        status: u32,
        version: &str,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        self.settle_pending(b"", At::default(), out);
        if self.asker.is_none() {
            self.asker = Some(pdu.direction.reverse());
        }
        let ends = self.ends_of(pdu.flow);
        self.ends = Some(ends);
        push_shown(&mut self.version, version.as_bytes());
        push_shown(&mut self.software, head.server);
        self.speaker.answer(head, &self.version, self.software.trim(), pdu.at, ends, out);
        if !head.challenge.is_empty() {
            self.realm = auth::realm(head.challenge);
            if let Some(message) = auth::challenge(head.challenge, &mut self.scratch) {
                ntlm::say(&message, &mut self.speaker.claims, out, pdu.at, ends.server.address);
            }
        }
        if (100..200).contains(&status) && status != 101 {
            return;
        }
        let mut exchange = self.waiting.pop_front();
        let call = exchange.as_mut().and_then(|exchange| exchange.terminal.take());
        let asked = exchange.as_ref().map_or("", |exchange| exchange.method.as_str());
        let (is_head, is_connect) = (asked == "HEAD", asked == "CONNECT");
        let place = if is_head || status == 204 || status == 304 {
            Place::Head
        } else if head.chunked {
            Place::Body(Body::CHUNKED)
        } else {
            match head.content_length {
                Some(0) => Place::Head,
                Some(length) => Place::Body(Body::Length(length)),
                None => Place::Body(Body::UntilClose),
            }
        };
        match exchange {
            Some(exchange) if exchange.call.is_some() => {
                let (software, realm) = (std::mem::take(&mut self.software), std::mem::take(&mut self.realm));
                self.pending = Some(Pending { exchange, status, at: pdu.at, software, realm });
                if place == Place::Head {
                    self.settle_pending(b"", pdu.at, out);
                } else {
                    reader.keep = Kept::Answer.fits(head).then_some(Kept::Answer);
                }
            }
            exchange => self.answered(exchange, head, status, pdu.at, out),
        }
        if status == 101 || (is_connect && (200..300).contains(&status)) {
            let websocket = head.upgrade.eq_ignore_ascii_case(b"websocket");
            let what = if is_connect {
                "tunnel"
            } else if websocket {
                "websocket"
            } else {
                "upgraded protocol"
            };
            self.tunnel = Some(Mark::Opaque(what));
            return;
        }
        reader.place = place;
        reader.begin_body(false, head.content_type, pdu, out);
        let Some(mut call) = call else { return };
        call.answered(status, head);
        reader.keep = call.is_answer_kept().then_some(Kept::Terminal);
        reader.call = Some(call);
        if reader.place == Place::Head {
            self.body_read(reader, pdu.at, false, out);
        }
    }

    fn answered(&mut self, exchange: Option<Exchange>, head: &Head<'_>, status: u32, at: At, out: &mut dyn Sink) {
        // A reply whose request was not captured still tells its status.
        let exchange =
            exchange.unwrap_or_else(|| Exchange { at, ..self.spare.pop().map(Exchange::cleared).unwrap_or_default() });
        let software = std::mem::take(&mut self.software);
        let realm = std::mem::take(&mut self.realm);
        let answer = Answer {
            status: Some(status),
            server_software: software.trim(),
            location: head.location,
            set_cookie: head.set_cookie,
            realm: &realm,
            ..Answer::default()
        };
        self.settle(exchange, answer, out);
        self.software = software;
        self.realm = realm;
    }

    fn body_done(&mut self, reader: &mut Reader, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        reader.place = Place::Head;
        if self.asker == Some(pdu.direction.reverse()) && reader.call.is_none() {
            reader.keep = None;
            self.settle_pending(&reader.form, pdu.at, out);
            return forget(&mut reader.form);
        }
        self.body_read(reader, pdu.at, false, out);
    }

    /// Looks at a body that is whole or, if it was `cut`, at what there is of it.
    fn body_read(&mut self, reader: &mut Reader, at: At, cut: bool, out: &mut dyn Sink) {
        let kept = reader.keep.take();
        let Some(ends) = self.ends else { return };
        if let Some(mut call) = reader.call.take() {
            call.read_answer(&reader.form);
            self.speaker.call(&call, Some(at), ends, out);
            self.is_terminal |= call.is_terminal();
            return forget(&mut reader.form);
        }
        let serial = std::mem::take(&mut reader.serial);
        let mut exchange = self.waiting.iter_mut().find(|exchange| exchange.serial == serial);
        if let Some(exchange) = &mut exchange {
            // The request is whole only now.
            exchange.at = at;
            if let Some(call) = &mut exchange.terminal {
                call.read_request(at, &reader.form);
            } else if kept == Some(Kept::Call) {
                exchange.call.read(&reader.form, &exchange.uri);
                self.is_onvif |= exchange.call.is_some();
            }
        }
        let attempt = match kept {
            Some(Kept::Form) => attempt_of(form::urlencoded(&reader.form), "form"),
            Some(Kept::Json) => attempt_of(form::json(&reader.form), "json"),
            Some(Kept::Call) => soap::login(&reader.form),
            Some(Kept::Terminal) if !cut => soap::login(&reader.form),
            Some(Kept::Java) => {
                terminal::tell_java(&reader.form, at, ends, out);
                None
            }
            Some(Kept::Terminal | Kept::Answer) | None => None,
        };
        forget(&mut reader.form);
        let Some(attempt) = attempt else { return };
        if let Some(exchange) = exchange {
            exchange.attempts.push(attempt);
        } else {
            // Answered before the body was whole.
            let late = Exchange { at, ..Exchange::default() };
            self.speaker.attempt(&attempt, &late, Answer::default(), ends, out);
        }
    }

    fn weird(&mut self, name: &'static str, detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: self.protocol(), detail, sender, receiver }));
        out.mark(Mark::Malformed(detail));
    }
}

/// Whether a body of this type may be a login or a command.
fn kind_of(content_type: &[u8], target: &[u8]) -> Option<Kept> {
    let essence = content_type.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        Some(Kept::Form)
    } else if essence.eq_ignore_ascii_case(b"application/json") {
        Some(Kept::Json)
    } else {
        onvif::may_be_call(content_type, target).then_some(Kept::Call)
    }
}

fn attempt_of(found: Found, method: &'static str) -> Option<Attempt> {
    let (account, shown) = match found {
        Found::Login { account, secret } => (account, Shown::Secret(secret)),
        // A token in a body is as often handed out or renewed as used: only one in the target stands for a login.
        Found::Token if method == "query" => {
            (String::new(), Shown::Token("token in a request target sent unencrypted"))
        }
        Found::Token | Found::Nothing => return None,
    };
    Some(Attempt { method, account, realm: String::new(), shown })
}
