//! PPTP's control connection (RFC 2637): who opens a tunnel to whom, with what software, and the calls in it.
//!
//! What a call carries rides GRE (IP protocol 47), not this connection.

mod names;
#[cfg(test)]
mod tests;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, Outcome, Service, Session, Sink, Transport,
};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::pairing::Pairing;
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "pptp";
/// Length, type, magic cookie, control message type, reserved (section 2).
const HEADER: usize = 12;
/// The longest message, Incoming-Call-Request, with room for what later versions add.
const LONGEST: usize = 512;
/// Distinguishes a control connection from anything else at its port.
const COOKIE: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];
/// Requests that may wait for replies.
const MAX_WAITING: usize = 32;

/// The protocol.
pub struct Pptp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "PPTP",
    tcp: &[1723],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 2637",
    found: "old remote-access servers and routers of vendors; Windows dial-in",
    depth: Depth::Full,
    purpose: Purpose::RemoteAccess,
    scope: "All control messages, with host names, software, calls and results. Logins are within PPP inside GRE and not read here.",
};

impl Protocol for Pptp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        match (pdu.data, length(pdu.data)) {
            ([_, _, _, _, _, _, _, _, 0, 2, ..], Length::Whole(_)) => Probe::YesFromServer,
            (_, Length::Whole(_)) => Probe::Yes,
            // The cookie is not there yet.
            ([_, _, 0, 1, rest @ ..], Length::NeedMore) if !rest.is_empty() => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(PptpFlow { sides: [Resync::new(LONGEST), Resync::new(LONGEST)], talk: Talk::new() })
    }
}

/// Bytes of the message at the front; it must be a control message with the cookie and a known type.
fn length(bytes: &[u8]) -> Length {
    let fits =
        |bytes: &[u8], at: usize, wanted: &[u8]| bytes.iter().skip(at).zip(wanted).all(|(byte, wanted)| byte == wanted);
    if !fits(bytes, 2, &[0, 1]) || !fits(bytes, 4, &COOKIE) {
        return Length::Invalid;
    }
    match (bytes.first_chunk::<2>(), bytes.get(8..10)) {
        (Some(length), Some([high, low])) => {
            let length = usize::from(u16::from_be_bytes(*length));
            let known = names::message(u16::from_be_bytes([*high, *low])).is_some();
            if known && (HEADER..=LONGEST).contains(&length) { Length::Whole(length) } else { Length::Invalid }
        }
        _ => Length::NeedMore,
    }
}

struct PptpFlow {
    sides: [Resync; 2],
    talk: Talk,
}

/// A request waiting for its reply.
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    kind: u16,
    object: String,
    detail: String,
}

struct Talk {
    waiting: Pairing<(u16, u32), Ask>,
    claims: Claims,
    /// Software and host name of client and server.
    software: [String; 2],
    hosts: [String; 2],
    version: String,
    ends: Option<(Endpoint, Endpoint)>,
    started: Option<At>,
    told: bool,
    echoes: u64,
    last_echo: Option<(At, Endpoint, Endpoint)>,
    detail: DetailJson,
    line: String,
}

impl Analyzer for PptpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let PptpFlow { sides: [from_client, from_server], talk } = self;
        talk.ends = Some((pdu.flow.client, pdu.flow.server));
        let side = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let starts = |bytes: &[u8]| matches!(length(bytes), Length::Whole(_));
        match side.push(pdu.data, starts, length, |message| talk.message(message, pdu, out)) {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("pptp after a gap")),
            Err(_) => {
                malformed(
                    PROTOCOL,
                    pdu,
                    "pptp_header_malformed",
                    "no control message of a known type with the cookie",
                    out,
                );
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        let [from_client, from_server] = &mut self.sides;
        if direction == Direction::FromClient {
            from_client.gap()
        } else {
            from_server.gap()
        }
        self.talk.settle(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.close(out);
    }
}

/// The facts of a reply.
#[derive(Clone, Copy)]
struct Answer {
    at: At,
    kind: u16,
    result: u8,
}

impl Talk {
    fn new() -> Self {
        Talk {
            waiting: Pairing::new(MAX_WAITING),
            claims: Claims::default(),
            software: Default::default(),
            hosts: Default::default(),
            version: String::new(),
            ends: None,
            started: None,
            told: false,
            echoes: 0,
            last_echo: None,
            detail: DetailJson::default(),
            line: String::new(),
        }
    }

    fn message(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let kind = message.get(8..10).map_or(0, |kind| kind.iter().fold(0, |kind, byte| kind << 8 | u16::from(*byte)));
        if names::message(kind).is_some_and(|(_, length)| length != message.len()) {
            let reason = "length of the message is not that of its type";
            malformed(PROTOCOL, pdu, "pptp_length_mismatch", reason, out);
        }
        let body = Cursor::new(message.get(HEADER..).unwrap_or_default());
        self.detail.clear();
        if self.read(kind, body, pdu, out).is_none() {
            let reason = "message ends before its fields do";
            malformed(PROTOCOL, pdu, "pptp_message_cut", reason, out);
        }
    }

    /// Reads the fields of a message and tells it. `None` if it is too short.
    fn read(&mut self, kind: u16, mut body: Cursor<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        match kind {
            1 => {
                self.start(&mut body, false, pdu, out)?;
                self.started = Some(pdu.at);
                let object = self.hosts.first().cloned().unwrap_or_default();
                self.ask((1, 0), kind, object, pdu, out);
            }
            2 => {
                let result = self.start(&mut body, true, pdu, out)?;
                self.answer(&(1, 0), Answer { at: pdu.at, kind, result }, pdu, out);
                self.session(if result == 1 { Outcome::Success } else { Outcome::Failure }, out);
            }
            3 => {
                self.detail.text("reason", names::stop_reason(body.u8()?));
                self.ask((3, 0), kind, String::new(), pdu, out);
            }
            4 => {
                let result = self.result(&mut body)?;
                self.answer(&(3, 0), Answer { at: pdu.at, kind, result }, pdu, out);
            }
            5 => {
                let id = body.be32()?;
                self.ask((5, id), kind, String::new(), pdu, out);
            }
            6 => {
                let id = body.be32()?;
                let result = self.result(&mut body)?;
                self.answer(&(5, id), Answer { at: pdu.at, kind, result }, pdu, out);
            }
            7 | 9 => {
                let call = if kind == 7 { self.outgoing(&mut body)? } else { self.incoming(&mut body)? };
                self.ask((kind, call.into()), kind, format!("call {call}"), pdu, out);
            }
            8 | 10 => {
                let (call, peer) = (body.be16()?, body.be16()?);
                self.detail.number("peer_call_id", call);
                let result = self.result(&mut body)?;
                if kind == 8 {
                    self.detail.number("cause_code", body.be16()?);
                    self.detail.number("connect_speed", body.be32()?);
                }
                self.detail.number("receive_window", body.be16()?);
                self.answer(&(kind.saturating_sub(1), peer.into()), Answer { at: pdu.at, kind, result }, pdu, out);
            }
            11 => {
                let peer = body.be16()?;
                body.skip(2)?;
                self.detail.number("connect_speed", body.be32()?);
                self.alone(kind, format!("call {peer}"), pdu, out);
            }
            12 => {
                let call = body.be16()?;
                self.ask((12, 0), kind, format!("call {call}"), pdu, out);
            }
            13 => {
                let call = body.be16()?;
                let result = self.result(&mut body)?;
                self.detail.number("cause_code", body.be16()?);
                body.skip(2)?;
                if let Some(statistics) = device_text(body.rest()) {
                    self.detail.text("statistics", statistics);
                }
                self.line = format!("call {call}");
                self.answer(&(12, 0), Answer { at: pdu.at, kind, result }, pdu, out);
            }
            14 => {
                let call = body.be16()?;
                body.skip(2)?;
                for key in [
                    "crc_errors",
                    "framing_errors",
                    "hardware_overruns",
                    "buffer_overruns",
                    "timeouts",
                    "alignment_errors",
                ] {
                    self.detail.number(key, body.be32()?);
                }
                self.alone(kind, format!("call {call}"), pdu, out);
            }
            _ => {
                let call = body.be16()?;
                body.skip(2)?;
                self.detail.text("send_accm", format_args!("{:#010x}", body.be32()?));
                self.detail.text("receive_accm", format_args!("{:#010x}", body.be32()?));
                self.alone(kind, format!("call {call}"), pdu, out);
            }
        }
        Some(())
    }

    /// Reads Start-Control-Connection-Request or -Reply; says the result of the reply.
    fn start(&mut self, body: &mut Cursor<'_>, reply: bool, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<u8> {
        let version = body.be16()?;
        let result = if reply { self.result(body)? } else { body.be16().map(|_| 0)? };
        let (framing, bearer) = (body.be32()?, body.be32()?);
        let (channels, firmware) = (body.be16()?, body.be16()?);
        let host = device_text(body.take(64)?).unwrap_or_default();
        let vendor = device_text(body.take(64)?).unwrap_or_default();
        self.version = format!("{}.{}", version >> 8, version & 0xff);
        self.detail.text("version", &self.version);
        self.detail.text("framing", names::framing(framing));
        self.detail.number("bearer", bearer & 3);
        self.detail.number("max_channels", channels);
        self.detail.number("firmware", firmware);
        self.detail.text("host_name", &host);
        self.detail.text("vendor_name", &vendor);
        let subject = pdu.sender().address;
        // The vendor string describes the software at this end (section 2.1).
        self.claims.identify(out, pdu.at, subject, (Attribute::HostName, &host, "pptp host name"));
        self.claims.identify(out, pdu.at, subject, (Attribute::Software, &vendor, "pptp vendor name"));
        let side = usize::from(reply);
        if let (Some(known), Some(software)) = (self.hosts.get_mut(side), self.software.get_mut(side)) {
            (*known, *software) = (host, vendor);
        }
        Some(result)
    }

    fn outgoing(&mut self, body: &mut Cursor<'_>) -> Option<u16> {
        let (call, serial) = (body.be16()?, body.be16()?);
        self.detail.number("serial", serial);
        self.detail.number("min_bps", body.be32()?);
        self.detail.number("max_bps", body.be32()?);
        self.detail.number("bearer", body.be32()? & 3);
        self.detail.text("framing", names::framing(body.be32()?));
        self.detail.number("receive_window", body.be16()?);
        body.skip(2)?;
        let digits = usize::from(body.be16()?).min(64);
        body.skip(2)?;
        self.number("phone_number", body.take(64)?, digits);
        Some(call)
    }

    fn incoming(&mut self, body: &mut Cursor<'_>) -> Option<u16> {
        let (call, serial) = (body.be16()?, body.be16()?);
        self.detail.number("serial", serial);
        self.detail.number("bearer", body.be32()? & 3);
        body.skip(4)?;
        let (dialed, dialing) = (usize::from(body.be16()?).min(64), usize::from(body.be16()?).min(64));
        self.number("dialed_number", body.take(64)?, dialed);
        self.number("dialing_number", body.take(64)?, dialing);
        Some(call)
    }

    fn number(&mut self, key: &str, field: &[u8], digits: usize) {
        if let Some(number) = device_text(field.get(..digits).unwrap_or(field)) {
            self.detail.text(key, number);
        }
    }

    /// Reads result and error.
    fn result(&mut self, body: &mut Cursor<'_>) -> Option<u8> {
        let (result, error) = (body.u8()?, body.u8()?);
        self.detail.number("result_code", result);
        if let Some(error) = names::error(error) {
            self.detail.text("error", error);
        }
        Some(result)
    }

    fn ask(&mut self, key: (u16, u32), kind: u16, object: String, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let detail = self.detail.object(&mut self.line).to_owned();
        let ask = Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), kind, object, detail };
        if let Some(lost) = self.waiting.ask(key, ask) {
            self.unanswered(&lost, out);
        }
    }

    fn answer(&mut self, key: &(u16, u32), answer: Answer, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let ask = self.waiting.answer(key).unwrap_or_else(|| Ask {
            at: pdu.at,
            client: pdu.receiver(),
            server: pdu.sender(),
            kind: answer.kind.saturating_sub(1),
            object: if answer.kind == 13 { std::mem::take(&mut self.line) } else { String::new() },
            detail: String::new(),
        });
        if answer.kind == 6 {
            self.echoes = self.echoes.saturating_add(1);
            self.last_echo = Some((pdu.at, ask.client, ask.server));
            if self.echoes > 1 {
                return;
            }
        }
        // A call ends as asked for, or without having been asked: both in order.
        let fine = if answer.kind == 13 { matches!(answer.result, 0 | 4) } else { answer.result == 1 };
        let paired = ask.at != pdu.at;
        let reply = self.detail.object(&mut self.line);
        let detail = joined(&ask.detail, reply);
        let own = if paired { ask.kind } else { answer.kind };
        let row = Operation {
            status: Some(if fine { 0 } else { answer.result.into() }),
            status_name: if fine && answer.result == 0 { "ok" } else { names::result(answer.kind, answer.result) },
            latency: paired.then(|| answer.at.ts.since(ask.at.ts)),
            request_frame: paired.then_some(ask.at.frame),
            reply_frame: Some(answer.at.frame),
            detail: &detail,
            ..row(own, &ask)
        };
        out.emit(ask.at, Observation::Operation(row));
    }

    fn unanswered(&mut self, ask: &Ask, out: &mut dyn Sink) {
        out.emit(ask.at, Observation::Operation(Operation { detail: &ask.detail, ..row(ask.kind, ask) }));
    }

    /// A message without reply.
    fn alone(&mut self, kind: u16, object: String, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let detail = self.detail.object(&mut self.line).to_owned();
        let ask = Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), kind, object, detail };
        self.unanswered(&ask, out);
    }

    fn session(&mut self, outcome: Outcome, out: &mut dyn Sink) {
        let (Some((client, server)), false) = (self.ends, std::mem::replace(&mut self.told, true)) else { return };
        let at = self.started.unwrap_or_default();
        let [client_software, server_software] = &self.software;
        if outcome == Outcome::Success {
            let software = server_software.as_str();
            let claim =
                Service { server, transport: Transport::Tcp, protocol: PROTOCOL, software, version: &self.version };
            self.claims.service(out, at, claim);
        }
        self.detail.clear();
        for (key, host) in ["client_host", "server_host"].into_iter().zip(&self.hosts) {
            if !host.is_empty() {
                self.detail.text(key, host);
            }
        }
        let row = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: &self.version,
            user: "",
            method: "",
            outcome,
            client_software,
            server_software,
            encrypted: false,
            detail: self.detail.object(&mut self.line),
        };
        out.emit(at, Observation::Session(row));
    }

    /// Bytes were missed, or the flow ended: no replies come.
    fn settle(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.unanswered(&ask, out);
        }
    }

    fn close(&mut self, out: &mut dyn Sink) {
        self.settle(out);
        if self.started.is_some() {
            self.session(Outcome::Unknown, out);
        }
        if let (Some((at, client, server)), 2..) = (self.last_echo, self.echoes) {
            let ask = Ask { at, client, server, kind: 5, object: String::new(), detail: String::new() };
            out.emit(at, Observation::Operation(Operation { quantity: Some(self.echoes), ..row(5, &ask) }));
        }
    }
}

/// The columns that a row has with and without a reply.
fn row(kind: u16, ask: &Ask) -> Operation<'_> {
    Operation {
        protocol: PROTOCOL,
        client: ask.client,
        server: ask.server,
        unit: None,
        code: kind.into(),
        name: names::message(kind).map_or("", |(name, _)| name),
        class: names::class(kind),
        object: &ask.object,
        quantity: None,
        status: None,
        status_name: "",
        latency: None,
        request_frame: Some(ask.at.frame),
        reply_frame: None,
        detail: "",
    }
}

/// The facts of request and reply in one object; the reply's under `reply`.
fn joined(request: &str, reply: &str) -> String {
    match (request.strip_suffix('}'), reply.is_empty()) {
        (Some(request), false) => format!("{request},\"reply\":{reply}}}"),
        (Some(_), true) => request.to_owned(),
        (None, _) => reply.to_owned(),
    }
}
