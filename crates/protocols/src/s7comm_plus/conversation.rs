//! One S7comm-plus conversation: pairs requests with responses and emits what they say.

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Program, Session, Sink,
    Timestamp, Transfer, Weird,
};
use quaywatch_wire::Flow;

use super::frame::{self, Assembly, Frame};
use super::items::{Shown, TOLD_LIMIT};
use super::request::{self, Block, ID_LIMIT, Request, Subscribed};
use super::value::{self, Value, vlq, vlq32};
use super::{PROTOCOL, names, notification, reply};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::cotp::{Message, Upper};
use crate::detail_json::DetailJson;
use crate::pairing::Pairing;

/// Requests that wait for responses at the same time.
pub const WAITING_LIMIT: usize = 64;
/// Subscriptions whose notifications are counted apart.
pub const SUBSCRIPTION_LIMIT: usize = 64;
/// Bytes kept of a subscription's last notification.
pub const LATEST_LIMIT: usize = 2048;
/// Pseudo code under which notifications are told; the opcode stands in for a function code.
const NOTIFICATION: u16 = 0x33;

/// Notifications of one subscription.
#[derive(Debug)]
struct Subscription {
    id: u32,
    count: u64,
    last: At,
    client: Endpoint,
    server: Endpoint,
    unit: Option<u32>,
    /// The last notification, whose values are told at the end.
    latest: Vec<u8>,
    /// What it reports, where its making was seen.
    subscribed: Vec<Subscribed>,
}

impl Subscription {
    /// A value with the name of what it is of, or its number where the subscription's making was not seen.
    fn line(&self, reference: u32, said: Option<Value<'_>>) -> String {
        let known = self.subscribed.iter().find(|tag| tag.reference == reference);
        let name = known.map_or_else(|| format!("#{reference:x}"), |tag| tag.name.clone());
        said.map_or_else(|| format!("{name} not readable"), |said| format!("{name}={}", Shown(said)))
    }
}

/// Reads one conversation.
pub struct Conversation {
    client: Assembly,
    server: Assembly,
    waiting: Pairing<(Direction, u16), Request>,
    claims: Claims,
    subscriptions: Vec<Subscription>,
    line: String,
}

impl Default for Conversation {
    fn default() -> Self {
        Conversation {
            client: Assembly::default(),
            server: Assembly::default(),
            waiting: Pairing::new(WAITING_LIMIT),
            claims: Claims::default(),
            subscriptions: Vec::new(),
            line: String::new(),
        }
    }
}

impl Upper for Conversation {
    fn message(&mut self, message: &Message<'_>, out: &mut dyn Sink) {
        // After InitSsl the session goes on in TLS records (change cipher spec to application data).
        if matches!(message.data, [0x14..=0x17, 3, ..]) {
            return out.mark(Mark::Opaque("encrypted"));
        }
        let frame = match frame::read(message.data) {
            Ok(frame) => frame,
            Err(why) => return broken("s7comm_plus_malformed_frame", why, message, out),
        };
        if frame.version > 3 {
            return out.mark(Mark::Opaque("system notice"));
        }
        let mut assembly = std::mem::take(match message.direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        });
        if !assembly.push(&frame, |data| self.whole(&frame, data, message, out)) {
            broken("s7comm_plus_message_too_long", "message longer than is put together", message, out);
        }
        match message.direction {
            Direction::FromClient => self.client = assembly,
            Direction::FromServer => self.server = assembly,
        }
    }

    fn gap(&mut self, direction: Direction, _out: &mut dyn Sink) {
        match direction {
            Direction::FromClient => self.client.restart(),
            Direction::FromServer => self.server.restart(),
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let requests: Vec<Request> = self.waiting.drain().collect();
        for request in &requests {
            self.tell(request, None, out);
        }
        let subscriptions = std::mem::take(&mut self.subscriptions);
        for subscription in subscriptions.iter().filter(|subscription| subscription.count > 1) {
            self.notified(subscription, out);
        }
    }
}

impl Conversation {
    fn whole(&mut self, frame: &Frame<'_>, data: &[u8], message: &Message<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(data);
        let read = match cursor.u8() {
            Some(0x31) => self.request(frame, &mut cursor, message, out),
            Some(0x32) => self.response(&mut cursor, message, out),
            Some(0x33) => self.notification(&cursor, message, out),
            Some(_) => {
                out.mark(Mark::Undecoded("unknown opcode"));
                Some(())
            }
            None => None,
        };
        if read.is_none() {
            broken("s7comm_plus_malformed_header", "message cut short", message, out);
        }
    }

    fn request(
        &mut self,
        frame: &Frame<'_>,
        cursor: &mut Cursor<'_>,
        message: &Message<'_>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        cursor.skip(2)?;
        let function = cursor.be16()?;
        cursor.skip(2)?;
        let sequence = cursor.be16()?;
        let session = cursor.be32()?;
        cursor.skip(1)?;
        let mut request = request::begin(function, message, true);
        request.detail.number("sequence", sequence);
        request.detail.text("session", format_args!("{session:#x}"));
        request.detail.number("version", frame.version);
        if frame.signed {
            request.detail.flag("integrity", true);
        }
        if request::describe(&mut request, frame.version, session, cursor).is_none() {
            out.mark(Mark::Undecoded("unknown form of a request"));
        }
        if let Some(forgotten) = self.waiting.ask((message.direction, sequence), request) {
            self.tell(&forgotten, None, out);
        }
        Some(())
    }

    fn response(&mut self, cursor: &mut Cursor<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        cursor.skip(2)?;
        let function = cursor.be16()?;
        cursor.skip(2)?;
        let sequence = cursor.be16()?;
        cursor.skip(1)?;
        let returned = vlq(cursor)?;
        let found = self.waiting.answer(&(message.direction.reverse(), sequence));
        let mut request = found.filter(|request| request.function == function).unwrap_or_else(|| {
            let mut request = request::begin(function, message, false);
            request.detail.number("sequence", sequence);
            request
        });
        // The lower 16 bits are the code, the rest says where it arose.
        let code = u16::try_from(returned & 0xffff).ok()?.cast_signed();
        if code >= 0 {
            self.answered(&mut request, cursor, message, out);
        }
        self.tell(&request, Some((message.at, code)), out);
        self.tell_login(&request, message.at, code, out);
        if let Some(block) = &request.block {
            tell_block(&request, block, (message.at, Transfer::Download, code == 0), out);
        }
        Some(())
    }

    /// What a response adds: ids created, identification.
    fn answered(&mut self, request: &mut Request, cursor: &mut Cursor<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let function = request.function;
        match function {
            0x04ca => {
                let Some(count) = cursor.u8() else { return };
                let ids: Vec<u32> = (0..count).map_while(|_| vlq32(cursor)).take(ID_LIMIT).collect();
                let first = ids.first().copied();
                if !ids.is_empty() {
                    request.detail.numbers("created", ids);
                }
                self.subscribe(request, first, message);
                self.session_object(request, cursor, message, out);
            }
            0x0586 => self.substream(*cursor, message, out),
            0x0542 | 0x054c if reply::several(request, cursor).is_none() => {
                out.mark(Mark::Undecoded("unknown form of a response"));
            }
            0x04bb => {
                for block in reply::explored(cursor) {
                    tell_block(request, &block, (message.at, Transfer::Upload, true), out);
                }
            }
            _ => {}
        }
    }

    fn session_object(
        &mut self,
        request: &mut Request,
        cursor: &mut Cursor<'_>,
        message: &Message<'_>,
        out: &mut dyn Sink,
    ) {
        let (claims, detail) = (&mut self.claims, &mut request.detail);
        let server = message.sender.address;
        let mut each = |id: u32, value: Value<'_>| {
            let Value::Text(bytes) = value else { return };
            let Some(text) = device_text(bytes) else { return };
            match id {
                // The session's name in a response is the fingerprint of the PLC's public key.
                233 => detail.text("public_key", &text),
                301 => detail.text("server_comment", &text),
                // SessionVersionSystemPAOMString: `1;order number;firmware`.
                319 => {
                    let mut parts = text.split(';').skip(1);
                    let method = "s7comm-plus session version";
                    for attribute in [Attribute::OrderNumber, Attribute::Firmware] {
                        claims.identify(out, message.at, server, (attribute, parts.next().unwrap_or(""), method));
                    }
                }
                320 => detail.text("project_version", &text),
                _ => {}
            }
        };
        while value::object(cursor, 0, &mut each).is_some() {}
    }

    /// I&M0 (IEC 61158-6-10) as attribute 3753 of CPUProxy: order number, serial, hardware and firmware.
    fn substream(&mut self, cursor: Cursor<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let Some(Value::Blob(blob)) = value::streamed(cursor) else { return };
        let mut block = Cursor::new(blob);
        let header = (block.be16(), block.be16(), block.be16(), block.be16());
        // Block type 0x0020, length, version, vendor 0x002a (Siemens).
        if !matches!(header, (Some(0x0020), Some(0x0038), Some(_), Some(0x002a))) {
            return;
        }
        let (order, serial, hardware) = (block.take(20), block.take(16), block.be16());
        let firmware = (block.u8(), block.u8(), block.u8(), block.u8());
        let method = "s7comm-plus I&M0";
        let mut claim = |attribute, value: &str| {
            self.claims.identify(out, message.at, message.sender.address, (attribute, value, method));
        };
        claim(Attribute::OrderNumber, &order.and_then(device_text).unwrap_or_default());
        claim(Attribute::Serial, &serial.and_then(device_text).unwrap_or_default());
        if let (Some(hardware), (Some(prefix), Some(major), Some(minor), Some(patch))) = (hardware, firmware) {
            claim(Attribute::Hardware, &hardware.to_string());
            claim(Attribute::Firmware, &format!("{}{major}.{minor}.{patch}", char::from(prefix)));
        }
    }

    /// Remembers what a subscription that was made reports.
    fn subscribe(&mut self, request: &mut Request, created: Option<u32>, message: &Message<'_>) {
        let subscribed = std::mem::take(&mut request.subscribed);
        let Some(id) = created.filter(|_| !subscribed.is_empty() && self.subscriptions.len() < SUBSCRIPTION_LIMIT)
        else {
            return;
        };
        self.subscriptions.retain(|known| known.id != id);
        self.subscriptions.push(Subscription {
            id,
            count: 0,
            last: message.at,
            client: request.client,
            server: request.server,
            unit: request.unit,
            latest: Vec::new(),
            subscribed,
        });
    }

    fn notification(&mut self, cursor: &Cursor<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let Some(head) = notification::read(*cursor, &mut |_, _| ()) else {
            out.mark(Mark::Undecoded("unknown form of a notification"));
            return cursor.rest().get(..4).map(|_| ());
        };
        let id = head.subscription;
        let place = self.subscriptions.iter().position(|known| known.id == id).or_else(|| {
            let (client, server) = (message.receiver, message.sender);
            let (latest, subscribed) = (Vec::new(), Vec::new());
            let last = message.at;
            let first = Subscription { id, count: 0, last, client, server, unit: message.unit, latest, subscribed };
            (self.subscriptions.len() < SUBSCRIPTION_LIMIT).then(|| self.subscriptions.push(first))?;
            self.subscriptions.len().checked_sub(1)
        });
        let Some(place) = place else { return Some(()) };
        let mut subscriptions = std::mem::take(&mut self.subscriptions);
        if let Some(known) = subscriptions.get_mut(place) {
            known.count = known.count.saturating_add(1);
            known.last = message.at;
            known.latest.clear();
            known.latest.extend_from_slice(cursor.rest().get(..LATEST_LIMIT).unwrap_or(cursor.rest()));
            if known.count == 1 {
                self.notified(known, out);
            }
        }
        self.subscriptions = subscriptions;
        Some(())
    }

    fn notified(&mut self, subscription: &Subscription, out: &mut dyn Sink) {
        let (mut told, mut detail) = (Vec::new(), DetailJson::default());
        let each = &mut |reference: u32, said: Option<Value<'_>>| {
            if told.len() < TOLD_LIMIT {
                told.push(subscription.line(reference, said));
            }
        };
        if let Some(head) = notification::read(Cursor::new(&subscription.latest), each) {
            detail.number("sequence", i64::try_from(head.sequence).unwrap_or(i64::MAX));
        }
        if !told.is_empty() {
            detail.texts("values", told);
        }
        let object = format!("subscription {:#x}", subscription.id);
        out.emit(
            subscription.last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: subscription.client,
                server: subscription.server,
                unit: subscription.unit,
                code: NOTIFICATION.into(),
                name: "notification",
                class: OperationClass::Cyclic,
                object: &object,
                quantity: Some(subscription.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(subscription.last.frame),
                detail: detail.object(&mut self.line),
            }),
        );
    }

    fn tell(&mut self, request: &Request, reply: Option<(At, i16)>, out: &mut dyn Sink) {
        out.emit(
            reply.map_or(request.at, |(at, _)| at),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: request.client,
                server: request.server,
                unit: request.unit,
                code: request.function.into(),
                name: request.name,
                class: request.class,
                object: &request.object,
                quantity: request.quantity,
                status: reply.map(|(_, code)| code.cast_unsigned().into()),
                status_name: reply.map_or("", |(_, code)| names::error(code)),
                latency: reply.filter(|_| request.asked).map(|(at, _)| Timestamp::since(at.ts, request.at.ts)),
                request_frame: request.asked.then_some(request.at.frame),
                reply_frame: reply.map(|(at, _)| at.frame),
                detail: request.detail.object(&mut self.line),
            }),
        );
    }

    fn tell_login(&mut self, request: &Request, at: At, code: i16, out: &mut dyn Sink) {
        let Some(login) = &request.login else { return };
        let mut detail = DetailJson::default();
        if !login.host.is_empty() {
            detail.text("client_host", &login.host);
        }
        self.claims.session(
            out,
            at,
            Session {
                client: request.client,
                server: request.server,
                protocol: PROTOCOL,
                version: "",
                user: &login.user,
                method: login.method,
                outcome: if code < 0 { Outcome::Failure } else { Outcome::Success },
                client_software: &login.software,
                server_software: "",
                encrypted: false,
                detail: detail.object(&mut self.line),
            },
        );
    }
}

fn tell_block(request: &Request, block: &Block, (at, transfer, complete): (At, Transfer, bool), out: &mut dyn Sink) {
    out.emit(
        at,
        Observation::Program(Program {
            client: request.client,
            server: request.server,
            protocol: PROTOCOL,
            transfer,
            name: &block.name,
            size: block.size,
            sha256: Some(block.sha256),
            complete,
        }),
    );
}

fn broken(name: &'static str, why: &'static str, message: &Message<'_>, out: &mut dyn Sink) {
    out.mark(Mark::Malformed(why));
    let (sender, receiver) = (message.sender, message.receiver);
    out.emit(message.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: why, sender, receiver }));
}
