//! Rows from requests and replies.

use quaywatch_model::{Attribute, Endpoint, Observation, Operation, OperationClass, Outcome, Sink};
use quaywatch_wire::Pdu;

use super::frame::{Frame, Node, TcpMessage};
use super::transfer::Moving;
use super::{Ask, PROTOCOL, names};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::login::Ends;

/// In an end code: the reply came from a relay that failed.
const RELAY: u16 = 0x8000;
/// In an end code: the CPU has a fatal error.
const FATAL: u16 = 0x0080;
/// In an end code: the CPU has another error.
const NON_FATAL: u16 = 0x0040;

/// A response behind its header.
pub struct Answer<'a> {
    end: u16,
    rest: &'a [u8],
}

impl<'a> Answer<'a> {
    /// End code and what follows.
    pub fn read(frame: &Frame<'a>) -> Option<Self> {
        let mut cursor = Cursor::new(frame.text);
        Some(Answer { end: cursor.be16()?, rest: cursor.rest() })
    }

    /// The end code without its flags.
    const fn code(&self) -> u16 {
        self.end & !(RELAY | FATAL | NON_FATAL)
    }
}

/// Emits the rows of one flow.
#[derive(Default)]
pub struct Teller {
    claims: Claims,
    moving: Moving,
    detail: DetailJson,
    line: String,
}

/// What an operation row says besides its ends.
struct Told<'a> {
    command: u16,
    class: OperationClass,
    ask: Option<&'a Ask>,
    unit: Node,
    status: Option<(u32, &'static str)>,
}

impl Teller {
    /// A reply, with its request if that was seen.
    pub fn answered(
        &mut self,
        ask: Option<&Ask>,
        pdu: &Pdu<'_>,
        frame: &Frame<'_>,
        answer: &Answer<'_>,
        out: &mut dyn Sink,
    ) {
        let ends = ask.map_or((pdu.receiver(), pdu.sender()), |ask| (ask.client, ask.server));
        self.detail.clear();
        match ask {
            Some(ask) => {
                self.route(ask.to, ask.from, ask.service_id);
                // Who is asked without a node number may give it in the reply.
                for (key, asked, answered) in [("answered_by", ask.to, frame.from), ("answered_to", ask.from, frame.to)]
                {
                    if asked != answered {
                        self.detail.text(key, answered);
                    }
                }
            }
            None => self.route(frame.from, frame.to, frame.service_id),
        }
        self.flags(answer.end);
        if answer.code() == 0 {
            self.contents(ends.1, frame.command, answer.rest, pdu, out);
        }
        let class = names::command(frame.command).map_or(OperationClass::Control, |(_, class)| class);
        let status = Some((u32::from(answer.code()), names::end(answer.code())));
        let told = Told { command: frame.command, class, ask, unit: frame.from, status };
        self.emit(&told, ends, Some(pdu), out);
        let Some(ask) = ask else { return };
        let done = answer.code() == 0;
        if let Some(secret) = ask.secret {
            let outcome = if done { Outcome::Success } else { Outcome::Failure };
            let ends = Ends { client: ends.0, server: ends.1, protocol: PROTOCOL };
            secret.report(&mut self.claims, out, ask.at, ends, "", outcome);
        }
        if let Some(part) = ask.moving.as_ref().filter(|_| done) {
            self.moving.take(pdu.at, ends, ask.command, part, answer.rest, out);
        }
    }

    /// A request that has no reply.
    pub fn lost(&mut self, ask: &Ask, out: &mut dyn Sink) {
        self.detail.clear();
        self.route(ask.to, ask.from, ask.service_id);
        let told = Told { command: ask.command, class: ask.class, ask: Some(ask), unit: ask.to, status: None };
        self.emit(&told, (ask.client, ask.server), None, out);
    }

    /// The reply that gives node numbers at the start of a TCP connection.
    pub fn nodes(&mut self, ask: Option<&Ask>, reply: Option<(&Pdu<'_>, &TcpMessage<'_>)>, out: &mut dyn Sink) {
        let Some((pdu, message)) = reply else { return };
        let ends = ask.map_or((pdu.receiver(), pdu.sender()), |ask| (ask.client, ask.server));
        let mut cursor = Cursor::new(message.body);
        self.detail.clear();
        for key in ["client_node", "server_node"] {
            if let Some(node) = cursor.be32() {
                self.detail.number(key, node);
            }
        }
        let unit = Node { network: 0, node: 0, unit: 0 };
        let status = Some((message.error, names::tcp_error(message.error)));
        self.emit(&Told { command: 0, class: OperationClass::Session, ask, unit, status }, ends, Some(pdu), out);
    }

    /// A frame that was refused by the TCP layer of the peer.
    pub fn refused(&mut self, pdu: &Pdu<'_>, message: &TcpMessage<'_>, out: &mut dyn Sink) {
        self.detail.clear();
        let unit = Node { network: 0, node: 0, unit: 0 };
        let status = Some((message.error, names::tcp_error(message.error)));
        let ends = (pdu.receiver(), pdu.sender());
        let told = Told { command: 3, class: OperationClass::Session, ask: None, unit, status };
        self.emit(&told, ends, Some(pdu), out);
    }

    /// Bytes are missing.
    pub fn gap(&mut self) {
        self.moving.gap();
    }

    /// The flow ended.
    pub fn finish(&mut self, out: &mut dyn Sink) {
        self.moving.finish(false, out);
    }

    fn route(&mut self, to: Node, from: Node, service_id: u8) {
        for (key, node) in [("to", to), ("from", from)] {
            if !node.is_plain() {
                self.detail.text(key, node);
            }
        }
        if service_id != 0 {
            self.detail.number("service_id", service_id);
        }
    }

    fn flags(&mut self, end: u16) {
        if end & RELAY != 0 {
            self.detail.flag("relay_error", true);
        }
        if end & (FATAL | NON_FATAL) != 0 {
            self.detail.text("cpu_error", if end & FATAL != 0 { "fatal" } else { "non-fatal" });
        }
    }

    /// What a good reply says of the machine (W342 sections 5-3-17, 5-3-19 and 5-3-23).
    fn contents(&mut self, server: Endpoint, command: u16, rest: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(rest);
        match command {
            0x0501 => {
                let (model, version) = (cursor.take(20).and_then(device_text), cursor.take(20).and_then(device_text));
                for (key, attribute, value) in
                    [("model", Attribute::Model, &model), ("version", Attribute::Firmware, &version)]
                {
                    let Some(value) = value else { continue };
                    self.detail.text(key, value);
                    self.claims.identify(out, pdu.at, server.address, (attribute, value, "fins controller data"));
                }
                if model.is_some() {
                    let vendor = (Attribute::Vendor, "Omron", "fins controller data");
                    self.claims.identify(out, pdu.at, server.address, vendor);
                }
            }
            0x0601 => {
                let (Some(status), Some(mode)) = (cursor.u8(), cursor.u8()) else { return };
                let state = match status {
                    0x01 => "run",
                    0x80 => "standby",
                    _ => "stop",
                };
                self.detail.text("state", state);
                if let Some(mode) = names::mode(mode) {
                    self.detail.text("mode", mode);
                }
                self.claims.identify(out, pdu.at, server.address, (Attribute::State, state, "fins controller status"));
            }
            0x0701 => {
                let digits: Vec<String> = cursor.rest().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
                if let [year, month, day, hour, minute, second] = digits.as_slice() {
                    self.detail.text("clock", format_args!("{year}-{month}-{day} {hour}:{minute}:{second}"));
                }
            }
            _ => {}
        }
    }

    fn emit(&mut self, told: &Told<'_>, ends: (Endpoint, Endpoint), reply: Option<&Pdu<'_>>, out: &mut dyn Sink) {
        let Some(at) = reply.map(|pdu| pdu.at).or(told.ask.map(|ask| ask.at)) else { return };
        let name = match told.command {
            0 => "exchange node numbers",
            3 => "frame refused",
            code => names::command(code).map_or("unknown", |(name, _)| name),
        };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: ends.0,
                server: ends.1,
                unit: (!told.unit.is_plain()).then(|| u32::from(told.unit.node)),
                code: u32::from(told.command),
                name,
                class: told.class,
                object: told.ask.map_or("", |ask| ask.object.as_str()),
                quantity: told.ask.and_then(|ask| ask.quantity),
                status: told.status.map(|(code, _)| code),
                status_name: told.status.map_or("", |(_, name)| name),
                latency: told.ask.zip(reply).map(|(ask, pdu)| pdu.at.ts.since(ask.at.ts)),
                request_frame: told.ask.map(|ask| ask.at.frame),
                reply_frame: reply.map(|pdu| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}
