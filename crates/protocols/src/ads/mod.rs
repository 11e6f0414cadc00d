//! Beckhoff ADS over AMS/TCP: how TwinCAT engineering, HMIs and other controllers talk to a TwinCAT controller.
//!
//! Two AMS routers share one connection, so either end may ask: who is client is told by each frame, not by the flow.

pub mod discovery;
pub mod message;
pub mod names;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use self::message::{AMS_HEADER, Body, FRAME_LIMIT, Header, TCP_HEADER, frame_length};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ads";
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 64;
/// Bytes of a request's written data kept for its object: a symbol name.
pub const NAME_LIMIT: usize = 256;

/// The registry entry.
pub struct Ads;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Beckhoff ADS",
    tcp: &[48898],
    udp: &[],
    ethertypes: &[],
    spec: "Beckhoff Information System: ADS, AMS/TCP packet, ADS commands, ADS return codes",
    found: "TwinCAT controllers of cranes, straddle carriers, conveyors and building automation",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "All commands with addresses, index groups, states and return codes; symbol names of handles; device information. \
            Contents of sum requests, files and notifications are counted, not taken apart.",
};

impl Protocol for Ads {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let Length::Whole(whole) = frame_length(pdu.data) else {
            return Probe::No;
        };
        let mut cursor = Cursor::new(pdu.data);
        let header = cursor.skip(TCP_HEADER).and_then(|()| Header::read(&mut cursor));
        let Some(header) = header else { return Probe::Unsure };
        let exact = usize::try_from(header.length).is_ok_and(|l| l.saturating_add(AMS_HEADER + TCP_HEADER) == whole);
        if !exact || names::command(header.command).is_none() || header.flags & !0x00ff != 0 || header.flags & 4 == 0 {
            return Probe::No;
        }
        if header.is_reply() { Probe::YesFromServer } else { Probe::Yes }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(AdsFlow {
            from_client: Framer::new(FRAME_LIMIT + TCP_HEADER),
            from_server: Framer::new(FRAME_LIMIT + TCP_HEADER),
            talk: Talk { waiting: Pairing::new(WAITING_LIMIT), ..Talk::default() },
        })
    }
}

/// What a reply is found by: who asked, invoke id, command, the asking port.
type Key = (Direction, u32, u16, u16);

/// A request that waits for its reply.
#[derive(Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    header: Header,
    index: Option<(u32, u32)>,
    read: Option<u32>,
    write: Option<u32>,
    state: Option<(u16, u16)>,
    handle: Option<u32>,
    symbol: Option<String>,
}

struct AdsFlow {
    from_client: Framer,
    from_server: Framer,
    talk: Talk,
}

struct Talk {
    waiting: Pairing<Key, Ask>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    object: String,
    /// First notification frame of the flow, told once; and how many there were.
    notifications: u64,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
            object: String::new(),
            notifications: 0,
        }
    }
}

impl Analyzer for AdsFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let AdsFlow { from_client, from_server, talk } = self;
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        if framer.push(pdu.data, frame_length, |frame| talk.frame(pdu, frame, out)).is_err() {
            framer.reset();
            malformed(PROTOCOL, pdu, "ads_length", "AMS/TCP length is not possible", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        let framer = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        framer.reset();
        self.talk.give_up(out);
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
    }
}

impl Talk {
    fn frame(&mut self, pdu: &Pdu<'_>, frame: &[u8], out: &mut dyn Sink) {
        let mut cursor = Cursor::new(frame);
        let Some(header) = cursor.skip(TCP_HEADER).and_then(|()| Header::read(&mut cursor)) else { return };
        if usize::try_from(header.length).ok() != Some(cursor.left()) {
            malformed(PROTOCOL, pdu, "ads_length_mismatch", "AMS data length differs from the frame's", out);
        }
        if names::command(header.command).is_none() {
            out.mark(Mark::Undecoded("unknown ADS command"));
        }
        if header.is_reply() {
            self.reply(pdu, &header, cursor.rest(), out);
        } else {
            self.request(pdu, &header, cursor.rest(), out);
        }
    }

    fn request(&mut self, pdu: &Pdu<'_>, header: &Header, bytes: &[u8], out: &mut dyn Sink) {
        let body = message::request(header.command, bytes).unwrap_or_else(|| {
            malformed(PROTOCOL, pdu, "ads_request_short", "request is shorter than its command needs", out);
            Body::default()
        });
        let by_name = body.index.is_some_and(|(group, _)| matches!(group, 0xf003 | 0xf004 | 0xf007 | 0xf009));
        let symbol = body.data.get(..body.data.len().min(NAME_LIMIT)).filter(|_| by_name).and_then(device_text);
        let Body { index, read, write, state, handle, .. } = body;
        let ends = (pdu.sender(), pdu.receiver());
        let ask = Ask { at: pdu.at, ends, header: *header, index, read, write, state, handle, symbol };
        if header.command == 8 {
            // Notifications are cyclic and never answered: the first of a flow is told.
            self.notifications = self.notifications.saturating_add(1);
            if self.notifications == 1 {
                self.tell(Some(&ask), None, out);
            }
            return;
        }
        let key = (pdu.direction, header.invoke, header.command, header.source.port);
        if let Some(lost) = self.waiting.ask(key, ask) {
            self.tell(Some(&lost), None, out);
        }
    }

    fn reply(&mut self, pdu: &Pdu<'_>, header: &Header, bytes: &[u8], out: &mut dyn Sink) {
        // An AMS error may come without a body, or with the body as if there were none.
        let body = message::reply(header.command, bytes).unwrap_or_else(|| {
            if header.error == 0 {
                malformed(PROTOCOL, pdu, "ads_reply_short", "reply is shorter than its command needs", out);
            }
            Body::default()
        });
        let key = (pdu.direction.reverse(), header.invoke, header.command, header.target.port);
        let ask = self.waiting.answer(&key);
        self.tell(ask.as_ref(), Some((pdu, header, &body)), out);
        if header.command == 1 && body.result == Some(0) {
            self.device(pdu, body.data, out);
        }
    }

    /// Reply of `ReadDeviceInfo`: version, revision, build, name.
    fn device(&mut self, pdu: &Pdu<'_>, data: &[u8], out: &mut dyn Sink) {
        let mut c = Cursor::new(data);
        let (Some(major), Some(minor), Some(build)) = (c.u8(), c.u8(), c.le16()) else { return };
        let Some(name) = device_text(c.rest()) else { return };
        let subject = pdu.sender().address;
        self.claims.identify(out, pdu.at, subject, (Attribute::Vendor, "Beckhoff", "ads device information"));
        let software = format!("{name} {major}.{minor}.{build}");
        self.claims.identify(out, pdu.at, subject, (Attribute::Software, &software, "ads device information"));
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.tell(Some(ask), None, out);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, answer: Option<(&Pdu<'_>, &Header, &Body<'_>)>, out: &mut dyn Sink) {
        // A reply's header names the ends the other way round.
        let turned = answer.map(|(_, h, _)| Header { target: h.source, source: h.target, ..*h });
        let Some(header) = ask.map(|ask| ask.header).or(turned) else { return };
        let Some(at) = answer.map(|(pdu, ..)| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let Some((client, server)) = ask.map(|ask| ask.ends).or(answer.map(|(pdu, ..)| (pdu.receiver(), pdu.sender())))
        else {
            return;
        };
        let class = self.describe(&header, ask, answer.map(|(.., body)| body));
        let status = answer.and_then(|(_, h, body)| if h.error != 0 { Some(h.error) } else { body.result });
        let quantity = ask.and_then(|ask| ask.write.filter(|_| header.command != 9).or(ask.read));
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: Some(u32::from(header.target.port)),
                code: u32::from(header.command),
                name: names::command(header.command).map_or("unknown", |(name, _)| name),
                class,
                object: &self.object,
                quantity: quantity.map(u64::from),
                status,
                status_name: status.map_or("", |code| names::error(code).unwrap_or("unknown error")),
                latency: ask.zip(answer).map(|(ask, (pdu, ..))| pdu.at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|(pdu, ..)| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Fills object and detail, and says the class.
    fn describe(&mut self, header: &Header, ask: Option<&Ask>, body: Option<&Body<'_>>) -> OperationClass {
        let port = header.target.port;
        let mut class = names::command(header.command).map_or(OperationClass::Diagnose, |(_, class)| class);
        self.object.clear();
        self.detail.clear();
        self.detail.text("target", header.target);
        self.detail.text("source", header.source);
        self.detail.number("invoke_id", header.invoke);
        if let Some(name) = names::port(port) {
            self.detail.text("ams_port", name);
        }
        if let Some((group, offset)) = ask.and_then(|ask| ask.index) {
            let known = names::index_group(port, group);
            if let Some(other) = known.and_then(|(_, other)| other)
                && (header.command == 9 || header.command == 3 || other == OperationClass::Program)
            {
                class = other;
            }
            let symbol = ask.and_then(|ask| ask.symbol.as_deref());
            let name = known.map_or("index", |(name, _)| name);
            // Writing to a string cannot fail.
            let _ = match symbol {
                Some(symbol) => write!(self.object, "{name} {symbol}"),
                None => write!(self.object, "{name} 0x{group:x}:0x{offset:x}"),
            };
            self.detail.number("index_group", group);
            self.detail.number("index_offset", offset);
        }
        if let Some(ask) = ask {
            for (key, value) in [("read_length", ask.read), ("write_length", ask.write), ("handle", ask.handle)] {
                if let Some(value) = value {
                    self.detail.number(key, value);
                }
            }
            if let Some((state, device)) = ask.state {
                self.object.push_str(names::state(state).unwrap_or("unknown state"));
                self.detail.number("wanted_state", state);
                self.detail.number("wanted_device_state", device);
            }
        }
        if let Some((state, device)) = body.and_then(|body| body.state) {
            self.detail.number("ads_state", state);
            self.detail.text("ads_state_name", names::state(state).unwrap_or("unknown"));
            self.detail.number("device_state", device);
        }
        if let Some(handle) = body.and_then(|body| body.handle) {
            self.detail.number("new_handle", handle);
        }
        class
    }
}
