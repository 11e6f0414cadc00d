//! Reads one RTSP connection.

use quaywatch_model::{
    At, Attribute, Credential, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Service, Session,
    Sink, Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use super::login;
use super::message::{METHODS, Message, length, parameter, readable, sdp, starts};
use crate::Analyzer;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::http::auth::{Attempt, Shown};
use crate::login::Ends;
use crate::pairing::Pairing;
use crate::resync::Resync;

/// Bytes of one message or interleaved frame.
const MAX_MESSAGE: usize = 128 * 1024;
/// Requests that wait for an answer.
const MAX_WAITING: usize = 32;

#[derive(Debug)]
struct Asked {
    at: At,
    client: Endpoint,
    server: Endpoint,
    name: String,
    code: u32,
    class: OperationClass,
    uri: String,
    detail: DetailJson,
    software: String,
    attempt: Option<Attempt>,
}

struct Answer {
    at: At,
    status: u32,
    reason: String,
}

pub(super) struct RtspAnalyzer {
    sides: [Resync; 2],
    waiting: Pairing<(Direction, u32), Asked>,
    claims: Claims,
    scratch: Vec<u8>,
    line: String,
    media_frames: u64,
    media_bytes: u64,
    last: At,
}

impl Default for RtspAnalyzer {
    fn default() -> Self {
        RtspAnalyzer {
            sides: [Resync::new(MAX_MESSAGE), Resync::new(MAX_MESSAGE)],
            waiting: Pairing::new(MAX_WAITING),
            claims: Claims::default(),
            scratch: Vec::new(),
            line: String::new(),
            media_frames: 0,
            media_bytes: 0,
            last: At::default(),
        }
    }
}

impl Analyzer for RtspAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.last = pdu.at;
        let mut side = std::mem::replace(self.side(pdu.direction), Resync::new(MAX_MESSAGE));
        match side.push(pdu.data, starts, length, |bytes| self.message(pdu, bytes, out)) {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("rtsp after a gap")),
            Err(_) => weird(pdu, out, "message cannot be framed"),
        }
        *self.side(pdu.direction) = side;
    }

    fn gap(&mut self, direction: Direction, _: u32, out: &mut dyn Sink) {
        self.side(direction).gap();
        self.drain(out);
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.drain(out);
        self.media(flow, out);
    }
}

fn weird(pdu: &Pdu<'_>, out: &mut dyn Sink, detail: &'static str) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    let weird = Weird { name: "rtsp_malformed", protocol: "rtsp", detail, sender, receiver };
    out.emit(pdu.at, Observation::Weird(weird));
    out.mark(Mark::Malformed(detail));
}

impl RtspAnalyzer {
    const fn side(&mut self, direction: Direction) -> &mut Resync {
        let [client, server] = &mut self.sides;
        match direction {
            Direction::FromClient => client,
            Direction::FromServer => server,
        }
    }

    fn message(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        match bytes.first() {
            Some(b'$') => {
                self.media_frames = self.media_frames.saturating_add(1);
                self.media_bytes = self.media_bytes.saturating_add(bytes.len().saturating_sub(4) as u64);
                out.mark(Mark::Opaque("interleaved media"));
            }
            Some(b'\r' | b'\n') | None => {}
            Some(_) => self.text(pdu, &Message::new(bytes), out),
        }
    }

    fn text(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let mut parts = message.first.splitn(3, |b| *b == b' ');
        let (a, b, c) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let Some(sequence) = message.text("cseq").parse::<u32>().ok() else {
            return weird(pdu, out, "message without sequence number");
        };
        if a.starts_with(b"RTSP/") {
            let Some(status) = std::str::from_utf8(b).ok().and_then(|b| b.parse().ok()) else {
                return weird(pdu, out, "status is no number");
            };
            self.reply(pdu, message, sequence, Answer { at: pdu.at, status, reason: readable(c) }, out);
        } else if c.starts_with(b"RTSP/") {
            self.request(pdu, message, sequence, (a, b), out);
        } else {
            weird(pdu, out, "first line is neither request nor status");
        }
    }

    fn request(
        &mut self,
        pdu: &Pdu<'_>,
        message: &Message<'_>,
        sequence: u32,
        (method, uri): (&[u8], &[u8]),
        out: &mut dyn Sink,
    ) {
        let name = readable(method);
        let (code, class) = (0..)
            .zip(METHODS)
            .find(|(_, known)| known.0 == name)
            .map_or((u32::MAX, OperationClass::Session), |(code, known)| (code, known.1));
        if code == u32::MAX {
            out.mark(Mark::Undecoded("method"));
        }
        let (uri, in_address) = login::address(uri);
        let attempt =
            message.field("authorization").and_then(|value| login::field(value, &mut self.scratch)).or(in_address);
        let software = message.text("user-agent");
        let mut detail = DetailJson::default();
        facts(&mut detail, message, "asked_transport", "user-agent");
        if pdu.direction == Direction::FromClient {
            let said = (Attribute::Software, software.as_str(), "rtsp user agent");
            self.claims.identify(out, pdu.at, pdu.sender().address, said);
        }
        let (client, server) = (pdu.sender(), pdu.receiver());
        let asked = Asked { at: pdu.at, client, server, name, code, class, uri, detail, software, attempt };
        if let Some(oldest) = self.waiting.ask((pdu.direction, sequence), asked) {
            self.tell(oldest, None, "", out);
        }
    }

    fn reply(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, sequence: u32, answer: Answer, out: &mut dyn Sink) {
        let software = message.text("server");
        let server = pdu.sender();
        let said = (Attribute::Software, software.as_str(), "rtsp server");
        self.claims.identify(out, pdu.at, server.address, said);
        let (transport, version) = (Transport::Tcp, "");
        let service = Service { server, transport, protocol: "rtsp", software: &software, version };
        self.claims.service(out, pdu.at, service);
        if let Some(mut asked) = self.waiting.answer(&(pdu.direction.reverse(), sequence)) {
            facts(&mut asked.detail, message, "transport", "server");
            return self.tell(asked, Some(&answer), &software, out);
        }
        let mut detail = DetailJson::default();
        facts(&mut detail, message, "transport", "server");
        self.row(
            out,
            answer.at,
            &Operation {
                status: Some(answer.status),
                status_name: &answer.reason,
                reply_frame: Some(answer.at.frame),
                ..operation(pdu.receiver(), server)
            },
            &detail,
        );
    }

    fn row(&mut self, out: &mut dyn Sink, at: At, row: &Operation<'_>, detail: &DetailJson) {
        let detail = detail.object(&mut self.line);
        out.emit(at, Observation::Operation(Operation { detail, ..*row }));
    }

    fn tell(&mut self, asked: Asked, answer: Option<&Answer>, server_software: &str, out: &mut dyn Sink) {
        let at = answer.map_or(asked.at, |answer| answer.at);
        self.row(
            out,
            at,
            &Operation {
                code: asked.code,
                name: &asked.name,
                class: asked.class,
                object: &asked.uri,
                status: answer.map(|answer| answer.status),
                status_name: answer.map_or("", |answer| &answer.reason),
                latency: answer.map(|answer| answer.at.ts.0.saturating_sub(asked.at.ts.0)),
                request_frame: Some(asked.at.frame),
                reply_frame: answer.map(|answer| answer.at.frame),
                ..operation(asked.client, asked.server)
            },
            &asked.detail,
        );
        self.login(&asked, at, answer.map(|answer| answer.status), server_software, out);
    }

    fn login(&mut self, asked: &Asked, at: At, status: Option<u32>, server_software: &str, out: &mut dyn Sink) {
        let (client, server, protocol) = (asked.client, asked.server, "rtsp");
        let outcome = login::outcome(status);
        let Some(attempt) = &asked.attempt else {
            if asked.name == "PLAY" && status == Some(200) {
                let (weakness, rule) = (Weakness::Anonymous, "stream played without a login");
                self.claims.credential(out, at, Credential { client, server, protocol, account: "", weakness, rule });
            }
            return;
        };
        let account = attempt.account.as_str();
        self.claims.session(
            out,
            at,
            Session {
                client,
                server,
                protocol,
                version: "",
                user: account,
                method: attempt.method,
                outcome,
                client_software: &asked.software,
                server_software,
                encrypted: false,
                detail: "",
            },
        );
        match attempt.shown {
            Shown::Secret(secret) => {
                secret.report(&mut self.claims, out, at, Ends { client, server, protocol }, account, outcome);
            }
            Shown::Proof(weakness, rule) => {
                self.claims.credential(out, at, Credential { client, server, protocol, account, weakness, rule });
            }
            Shown::Token(rule) => {
                let weakness = Weakness::ClearText;
                self.claims.credential(out, at, Credential { client, server, protocol, account, weakness, rule });
            }
            Shown::Anonymous => {}
        }
    }

    fn drain(&mut self, out: &mut dyn Sink) {
        let mut waiting = std::mem::replace(&mut self.waiting, Pairing::new(MAX_WAITING));
        for asked in waiting.drain() {
            self.tell(asked, None, "", out);
        }
    }

    fn media(&mut self, flow: &Flow, out: &mut dyn Sink) {
        if self.media_frames == 0 {
            return;
        }
        let mut detail = DetailJson::default();
        detail.number("bytes", i64::try_from(self.media_bytes).unwrap_or(i64::MAX));
        self.row(
            out,
            self.last,
            &Operation {
                name: "interleaved media",
                class: OperationClass::Cyclic,
                quantity: Some(self.media_frames),
                ..operation(flow.client, flow.server)
            },
            &detail,
        );
    }
}

/// An operation of which nothing is known yet.
const fn operation<'a>(client: Endpoint, server: Endpoint) -> Operation<'a> {
    Operation {
        protocol: "rtsp",
        client,
        server,
        unit: None,
        code: u32::MAX,
        name: "answer without a request",
        class: OperationClass::Session,
        object: "",
        quantity: None,
        status: None,
        status_name: "",
        latency: None,
        request_frame: None,
        reply_frame: None,
        detail: "",
    }
}

/// What a message tells beyond its first line.
fn facts(detail: &mut DetailJson, message: &Message<'_>, transport_key: &str, software: &str) {
    let said = message.text(software);
    if !said.is_empty() {
        detail.text(if software == "server" { "server" } else { "user_agent" }, said);
    }
    let transport = message.text("transport");
    if !transport.is_empty() {
        detail.text(transport_key, &transport);
        let asked = transport_key == "asked_transport";
        for (parameter_name, key) in [
            ("client_port", if asked { "asked_client_port" } else { "client_port" }),
            ("server_port", "server_port"),
            ("interleaved", if asked { "asked_interleaved" } else { "interleaved" }),
        ] {
            if let Some(value) = parameter(&transport, parameter_name) {
                detail.text(key, value);
            }
        }
    }
    if message.body.starts_with(b"v=0") {
        detail.texts(if software == "server" { "media" } else { "announced_media" }, sdp(message.body, b"m="));
        detail.texts(if software == "server" { "codecs" } else { "announced_codecs" }, sdp(message.body, b"a=rtpmap:"));
    }
}
