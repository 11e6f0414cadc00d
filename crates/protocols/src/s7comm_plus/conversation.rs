//! One S7comm-plus conversation: pairs requests with responses and emits what they say.

use std::fmt::Write;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Program, Session, Sink,
    Timestamp, Transfer, Weird,
};
use quaywatch_wire::Flow;
use sha2::{Digest, Sha256};

use super::frame::{self, Assembly, Frame};
use super::value::{self, Value, vlq, vlq32};
use super::{PROTOCOL, names};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::cotp::{Message, Upper};
use crate::detail_json::DetailJson;
use crate::pairing::Pairing;

/// Requests that wait for responses at the same time.
pub const WAITING_LIMIT: usize = 64;
/// Subscriptions whose notifications are counted apart.
pub const SUBSCRIPTION_LIMIT: usize = 64;
/// Attribute ids printed of one request.
const ID_LIMIT: usize = 16;
/// Pseudo code under which notifications are told; the opcode stands in for a function code.
const NOTIFICATION: u16 = 0x33;

/// The class and parent of what creates a session.
const SESSION_CONTAINER: u32 = 285;
const PROGRAM: u32 = 3;
const EXEC_UNIT: u32 = 52;

/// A request while it waits.
#[derive(Debug)]
struct Request {
    at: At,
    asked: bool,
    client: Endpoint,
    server: Endpoint,
    unit: Option<u32>,
    function: u16,
    name: &'static str,
    class: OperationClass,
    object: String,
    quantity: Option<u64>,
    detail: DetailJson,
    block: Option<Block>,
    login: Option<Login>,
}

/// A block in a download.
#[derive(Debug)]
struct Block {
    name: String,
    size: u64,
    sha256: [u8; 32],
}

/// What a session request says of its client.
#[derive(Default, Debug)]
struct Login {
    user: String,
    software: String,
    host: String,
}

/// Notifications of one subscription.
#[derive(Debug)]
struct Subscription {
    id: u32,
    count: u64,
    last: At,
    client: Endpoint,
    server: Endpoint,
    unit: Option<u32>,
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
            Some(0x33) => self.notification(&mut cursor, message, out),
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
        let mut request = begin(function, message, true);
        request.detail.number("sequence", sequence);
        request.detail.text("session", format_args!("{session:#x}"));
        request.detail.number("version", frame.version);
        if frame.signed {
            request.detail.flag("integrity", true);
        }
        if describe(&mut request, frame.version, session, cursor).is_none() {
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
            let mut request = begin(function, message, false);
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
        self.tell_block(&request, message.at, code == 0, out);
        Some(())
    }

    /// What a response adds: ids created, identification.
    fn answered(&mut self, request: &mut Request, cursor: &mut Cursor<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        match request.function {
            0x04ca => {
                let Some(count) = cursor.u8() else { return };
                let ids: Vec<u32> = (0..count).map_while(|_| vlq32(cursor)).take(ID_LIMIT).collect();
                if !ids.is_empty() {
                    request.detail.numbers("created", ids);
                }
                self.session_object(request, cursor, message, out);
            }
            0x0586 => self.substream(*cursor, message, out),
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

    fn notification(&mut self, cursor: &mut Cursor<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let id = cursor.be32()?;
        if let Some(known) = self.subscriptions.iter_mut().find(|known| known.id == id) {
            known.count = known.count.saturating_add(1);
            known.last = message.at;
            return Some(());
        }
        if self.subscriptions.len() < SUBSCRIPTION_LIMIT {
            let (client, server) = (message.receiver, message.sender);
            let first = Subscription { id, count: 1, last: message.at, client, server, unit: message.unit };
            self.notified(&first, out);
            self.subscriptions.push(first);
        }
        Some(())
    }

    fn notified(&mut self, subscription: &Subscription, out: &mut dyn Sink) {
        self.line.clear();
        let _ = write!(self.line, "subscription {:#x}", subscription.id);
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
                object: &self.line,
                quantity: Some(subscription.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(subscription.last.frame),
                detail: "",
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
                method: "",
                outcome: if code < 0 { Outcome::Failure } else { Outcome::Success },
                client_software: &login.software,
                server_software: "",
                encrypted: false,
                detail: detail.object(&mut self.line),
            },
        );
    }

    fn tell_block(&mut self, request: &Request, at: At, complete: bool, out: &mut dyn Sink) {
        let Some(block) = &request.block else { return };
        out.emit(
            at,
            Observation::Program(Program {
                client: request.client,
                server: request.server,
                protocol: PROTOCOL,
                transfer: Transfer::Download,
                name: &block.name,
                size: block.size,
                sha256: Some(block.sha256),
                complete,
            }),
        );
    }
}

fn begin(function: u16, message: &Message<'_>, asked: bool) -> Request {
    let (client, server) = if asked { (message.sender, message.receiver) } else { (message.receiver, message.sender) };
    let (name, class) = names::function(function);
    Request {
        at: message.at,
        asked,
        client,
        server,
        unit: message.unit,
        function,
        name,
        class,
        object: String::new(),
        quantity: None,
        detail: DetailJson::default(),
        block: None,
        login: None,
    }
}

fn write_object(id: u32, into: &mut String) {
    let _ = match (names::object(id), id >> 16) {
        ("", 0x8a0e) => write!(into, "DB{}", id & 0xffff),
        ("", 0x8a32) => write!(into, "OB{}", id & 0xffff),
        ("", _) => write!(into, "{id:#x}"),
        (name, _) => write!(into, "{name}"),
    };
}

fn is_block(id: u32) -> bool {
    id >> 24 == 0x8a
}

/// Whether tags live there: process image, markers, counters, timers, data blocks.
fn is_tags(id: u32) -> bool {
    matches!(id, 80..=84) || id >> 16 == 0x8a0e
}

/// Reads the body of a request; `None` where its form is unknown.
fn describe(request: &mut Request, version: u8, session: u32, cursor: &mut Cursor<'_>) -> Option<()> {
    match request.function {
        0x04bb => write_object(cursor.be32()?, &mut request.object),
        0x04ca => created(request, version, cursor)?,
        0x04d4 => {
            let id = cursor.be32()?;
            write_object(id, &mut request.object);
            if is_block(id) {
                request.class = OperationClass::Program;
            }
        }
        0x04f2 => set_variable(request, session, cursor)?,
        0x0542 | 0x054c => multi(request, session, cursor)?,
        0x0586 => substreamed(request, cursor)?,
        _ => {}
    }
    Some(())
}

fn created(request: &mut Request, version: u8, cursor: &mut Cursor<'_>) -> Option<()> {
    let parent = cursor.be32()?;
    value::value(cursor, 0, &mut |_, _| ())?;
    cursor.skip(4)?;
    let mut after = *cursor;
    // The integrity id, where there is one, stands before the object's start tag.
    if version > 1 && vlq32(&mut after).is_some() && after.rest().first() == Some(&0xa1) {
        *cursor = after;
    }
    let bytes = cursor.rest();
    let (mut name, mut login) = (String::new(), Login::default());
    let mut each = |id: u32, value: Value<'_>| {
        let Value::Text(text) = value else { return };
        let text = device_text(text).unwrap_or_default();
        match id {
            233 if name.is_empty() => name = text,
            296 => login.user = text,
            297 => login.software = text,
            298 => login.host = text,
            _ => {}
        }
    };
    let object = value::object(cursor, 0, &mut each)?;
    let taken = bytes.len().saturating_sub(cursor.left());
    let kind = names::block(object.class);
    if kind.is_empty() {
        request.object.push_str(if name.is_empty() { names::object(object.id) } else { &name });
    } else {
        let _ = write!(request.object, "{kind}{} {name}", object.id & 0xffff);
    }
    request.detail.number("class", object.class);
    request.detail.number("parent", parent);
    if parent == SESSION_CONTAINER {
        request.login = Some(login);
    } else if parent == PROGRAM || is_block(object.id) || matches!(object.id, 2 | PROGRAM) {
        request.class = OperationClass::Program;
        request.quantity = u64::try_from(taken).ok();
        let sha256 = Sha256::digest(bytes.get(..taken)?).into();
        request.block = Some(Block { name: request.object.clone(), size: request.quantity?, sha256 });
    }
    Some(())
}

fn set_variable(request: &mut Request, session: u32, cursor: &mut Cursor<'_>) -> Option<()> {
    let object = cursor.be32()?;
    write_object(object, &mut request.object);
    let count = usize::from(cursor.u8()?);
    let ids: Vec<u32> = (0..count).map_while(|_| vlq32(cursor)).collect();
    if ids.len() < count {
        return None;
    }
    request.class = match object {
        EXEC_UNIT => OperationClass::Control,
        PROGRAM => OperationClass::Program,
        _ if is_block(object) && !is_tags(object) => OperationClass::Program,
        _ if is_tags(object) => OperationClass::Write,
        // Objects of the session itself, and subscriptions that a client made.
        _ if object == session || object >> 16 == 0x7040 || object >> 16 == 0x7000 => OperationClass::Session,
        _ => OperationClass::Configure,
    };
    let first = ids.first().copied();
    request.detail.numbers("attributes", ids.into_iter().take(ID_LIMIT));
    let said = value::value(cursor, 0, &mut |_, _| ())?;
    // CPUexecUnit.operatingStateReq.
    if let (EXEC_UNIT, Some(2167), Value::Signed(state)) = (object, first, said) {
        request.name = match state {
            1 => "stop",
            3 => "run",
            _ => "operating state request",
        };
        request.detail.number("operating_state_request", state);
    }
    Some(())
}

/// Several variables: either attributes of one object, or addresses of tags with their symbol checksums.
fn multi(request: &mut Request, session: u32, cursor: &mut Cursor<'_>) -> Option<()> {
    let linked = cursor.be32()?;
    let count = vlq32(cursor)?;
    let fields = vlq32(cursor)?;
    request.quantity = Some(count.into());
    if linked != 0 {
        write_object(linked, &mut request.object);
        let ids: Vec<u32> = (0..fields).map_while(|_| vlq32(cursor)).take(ID_LIMIT).collect();
        request.detail.numbers("attributes", ids);
        if request.function == 0x0542 {
            let own = linked == session || linked >> 16 == 0x7040 || linked >> 16 == 0x7000;
            request.class = if own { OperationClass::Session } else { OperationClass::Configure };
        }
        return Some(());
    }
    let mut tags = false;
    for index in 0..count {
        let (_symbol, area, parts) = (vlq32(cursor)?, vlq32(cursor)?, vlq32(cursor)?);
        tags |= is_tags(area);
        if usize::try_from(index).is_ok_and(|index| index < ID_LIMIT) {
            if index > 0 {
                request.object.push_str(", ");
            }
            write_object(area, &mut request.object);
        }
        for part in 0..parts {
            let id = vlq32(cursor)?;
            if part > 0 && usize::try_from(index).is_ok_and(|index| index < ID_LIMIT) {
                let _ = write!(request.object, ".{id}");
            }
        }
    }
    if request.function == 0x0542 && !tags {
        request.class = OperationClass::Configure;
    }
    Some(())
}

fn substreamed(request: &mut Request, cursor: &mut Cursor<'_>) -> Option<()> {
    let object = cursor.be32()?;
    write_object(object, &mut request.object);
    // An address array of UDInt: flags, type, count, ids.
    if cursor.take(2)? != [0x20, 4] {
        return None;
    }
    let count = vlq32(cursor)?;
    let ids: Vec<u32> = (0..count).map_while(|_| vlq32(cursor)).take(ID_LIMIT).collect();
    if object == 49 && ids.first() == Some(&3753) {
        request.class = OperationClass::Identify;
    }
    request.detail.numbers("attributes", ids);
    Some(())
}

fn broken(name: &'static str, why: &'static str, message: &Message<'_>, out: &mut dyn Sink) {
    out.mark(Mark::Malformed(why));
    let (sender, receiver) = (message.sender, message.receiver);
    out.emit(message.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: why, sender, receiver }));
}
