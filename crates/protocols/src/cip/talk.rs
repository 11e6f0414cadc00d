//! Turns requests and replies into rows.

use std::fmt::Write as _;

use quaywatch_model::{Address, At, Attribute, Endpoint, Identity, MacAddr, Observation, Operation, Sink, Timestamp};

use super::connection::{self, Connection, Connections};
use super::identity::{Device, Source};
use super::logix::{self, ClockWatch};
use super::message::{self, Reply, Request};
use super::names::{self, Service};
use super::path::{self, Target};
use super::pccc::Command;
use super::transfer::{Step, Transfers};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};

/// Bytes of written data kept in the detail.
const DATA_TOLD: usize = 64;
/// Ids of an attribute list kept in the detail.
const IDS_TOLD: usize = 64;
/// How deep services may lie in services: a packet in an Unconnected Send, and its services.
const DEPTH_LIMIT: u8 = 3;

/// A request with its reply, as far as they were seen.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The end that asks.
    pub client: Endpoint,
    /// The end that does.
    pub server: Endpoint,
    /// The request from the service code on.
    pub asked: Option<(At, &'a [u8])>,
    /// The reply from the service code on; empty if the encapsulation failed it.
    pub replied: Option<(At, &'a [u8])>,
    /// Session handle.
    pub session: u32,
    /// Connection id that the request went to.
    pub connection_id: Option<u32>,
    /// The connection, if its opening was seen.
    pub connection: Option<Connection>,
    /// Status and name with which the encapsulation failed the request.
    pub failure: Option<(u32, &'static str)>,
}

/// How a service came to be where it is.
#[derive(Clone, Copy)]
struct Wrap {
    /// Carried by an Unconnected Send.
    carried: bool,
    /// Its number in a Multiple Service Packet, from 1, and how many are in it.
    part: Option<(u32, u32)>,
    slot: Option<u32>,
    routed: bool,
    depth: u8,
}

/// What a reply is reduced to for the row.
#[derive(Clone, Copy)]
enum Answer<'a> {
    None,
    Reply(Reply<'a>),
    Failed(u32, &'static str),
}

impl<'a> Answer<'a> {
    fn reply(self) -> Option<Reply<'a>> {
        match self {
            Answer::Reply(reply) => Some(reply),
            Answer::None | Answer::Failed(..) => None,
        }
    }
}

/// Reads the CIP of one flow.
#[derive(Default, Debug)]
pub struct Talk {
    /// Connections opened in this flow.
    pub connections: Connections,
    transfers: Transfers,
    clock: ClockWatch,
    /// What the flow has said already.
    pub claims: Claims,
    object: String,
    route: String,
    name: String,
    line: String,
    detail: DetailJson,
}

impl Talk {
    /// Takes a request with its reply.
    pub fn exchange(&mut self, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        let connection = exchange.connection;
        let wrap = Wrap {
            carried: false,
            part: None,
            slot: connection.and_then(|connection| connection.slot),
            routed: connection.is_some_and(|connection| connection.routed),
            depth: 0,
        };
        let answer = match (exchange.failure, exchange.replied) {
            (Some((status, name)), _) => Answer::Failed(status, name),
            (None, Some((_, bytes))) => Reply::read(bytes).map_or(Answer::None, Answer::Reply),
            (None, None) => Answer::None,
        };
        self.route.clear();
        match exchange.asked {
            Some((_, bytes)) => self.request(exchange, wrap, bytes, answer, out),
            None => self.orphan(exchange, wrap, answer, out),
        }
    }

    fn request(&mut self, exchange: &Exchange<'_>, wrap: Wrap, bytes: &[u8], answer: Answer<'_>, out: &mut dyn Sink) {
        let Some(request) = Request::read(bytes) else { return };
        let base = self.route.len();
        self.object.clear();
        let target = path::describe(request.path, &mut self.object, &mut self.route);
        let wrapping = wrap.depth < DEPTH_LIMIT;
        match (request.service, target.class) {
            (names::UNCONNECTED_SEND, Some(names::CONNECTION_MANAGER)) if wrapping => {
                self.unconnected_send(exchange, wrap, &request, answer, out);
            }
            (names::MULTIPLE, _) if wrapping => self.multiple(exchange, wrap, &request, answer, out),
            _ => self.one(exchange, wrap, Some((&request, &target)), answer, out),
        }
        self.route.truncate(base);
    }

    /// The reply is that of the request inside, unless the way there failed.
    fn unconnected_send(
        &mut self,
        exchange: &Exchange<'_>,
        wrap: Wrap,
        request: &Request<'_>,
        answer: Answer<'_>,
        out: &mut dyn Sink,
    ) {
        let Some((inner, route)) = message::unconnected_send(request.data) else {
            let target = Target { class: Some(names::CONNECTION_MANAGER), ..Target::default() };
            return self.one(exchange, wrap, Some((request, &target)), answer, out);
        };
        let hops = path::describe(route, &mut self.object, &mut self.route);
        let wrap = Wrap { carried: true, slot: hops.slot.or(wrap.slot), routed: true, depth: wrap.depth + 1, ..wrap };
        self.request(exchange, wrap, inner, answer, out);
    }

    fn multiple(
        &mut self,
        exchange: &Exchange<'_>,
        wrap: Wrap,
        request: &Request<'_>,
        answer: Answer<'_>,
        out: &mut dyn Sink,
    ) {
        let inside = answer.reply().filter(|reply| reply.service == names::MULTIPLE).map(|reply| reply.data);
        let mut replies = inside.map(message::parts);
        let parts = message::parts(request.data);
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        for (number, part) in (1u32..).zip(parts) {
            let reply = replies.as_mut().and_then(Iterator::next).flatten().and_then(Reply::read);
            // Without replies inside, the status of the whole is that of each.
            let answer = match (reply, answer) {
                (Some(reply), _) => Answer::Reply(reply),
                (None, Answer::Reply(whole)) => Answer::Reply(Reply { data: &[], ..whole }),
                (None, other) => other,
            };
            let wrap = Wrap { part: Some((number, count)), depth: wrap.depth + 1, ..wrap };
            if let Some(part) = part {
                self.request(exchange, wrap, part, answer, out);
            }
        }
    }

    /// A reply whose request was not seen.
    fn orphan(&mut self, exchange: &Exchange<'_>, wrap: Wrap, answer: Answer<'_>, out: &mut dyn Sink) {
        self.object.clear();
        match answer.reply() {
            Some(reply) if reply.service == names::MULTIPLE && wrap.depth < DEPTH_LIMIT => {
                let parts = message::parts(reply.data);
                let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
                for (number, part) in (1u32..).zip(parts) {
                    let inner = part.and_then(Reply::read).map_or(Answer::None, Answer::Reply);
                    let wrap = Wrap { part: Some((number, count)), depth: wrap.depth + 1, ..wrap };
                    if matches!(inner, Answer::Reply(_)) {
                        self.orphan(exchange, wrap, inner, out);
                    }
                }
            }
            Some(_) => self.one(exchange, wrap, None, answer, out),
            None => {}
        }
    }

    fn one(
        &mut self,
        exchange: &Exchange<'_>,
        wrap: Wrap,
        asked: Option<(&Request<'_>, &Target)>,
        answer: Answer<'_>,
        out: &mut dyn Sink,
    ) {
        let target = asked.map_or_else(Target::default, |(_, target)| *target);
        let code = asked.map(|(request, _)| request.service).or(answer.reply().map(|reply| reply.service));
        let Some(code) = code else { return };
        self.detail.clear();
        self.detail_wrap(exchange, wrap, &target);
        let mut quantity = None;
        if let Some((request, target)) = asked {
            quantity = self.detail_request(request, target);
        }
        if let Some(reply) = answer.reply() {
            self.detail_reply(code, &target, &reply);
        }
        let pccc = asked
            .filter(|(request, target)| request.service == 0x4b && target.class == Some(names::PCCC))
            .and_then(|(request, _)| Command::read(request.data));
        let service = names::service(code, &target);
        let service = pccc.map_or(service, |command| {
            let (name, class) = command.name();
            Service { name, class }
        });
        self.emit(exchange, wrap, code, service, quantity, answer, out);
        if let (Some((request, target)), Some(reply)) = (asked, answer.reply()) {
            self.effects(exchange, wrap, request, target, &reply, out);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row, gathered once")]
    fn emit(
        &mut self,
        exchange: &Exchange<'_>,
        wrap: Wrap,
        code: u8,
        service: Service,
        quantity: Option<u64>,
        answer: Answer<'_>,
        out: &mut dyn Sink,
    ) {
        self.name.clear();
        if service.name.is_empty() {
            let _ = write!(self.name, "Service {code:#04x}");
        }
        let (status, status_name) = match answer {
            Answer::None => (None, ""),
            Answer::Reply(reply) => (Some(u32::from(reply.status)), names::status(reply.status)),
            Answer::Failed(status, name) => (Some(status), name),
        };
        let (asked, replied) = (exchange.asked.map(|(at, _)| at), exchange.replied.map(|(at, _)| at));
        out.emit(
            replied.or(asked).unwrap_or_default(),
            Observation::Operation(Operation {
                protocol: super::PROTOCOL,
                client: exchange.client,
                server: exchange.server,
                unit: wrap.slot,
                code: u32::from(code),
                name: if service.name.is_empty() { &self.name } else { service.name },
                class: service.class,
                object: &self.object,
                quantity,
                status,
                status_name,
                latency: asked.zip(replied).map(|(asked, replied)| Timestamp::since(replied.ts, asked.ts)),
                request_frame: asked.map(|at| at.frame),
                reply_frame: replied.map(|at| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Adds whom the service is asked of, and what it came in.
    fn detail_wrap(&mut self, exchange: &Exchange<'_>, wrap: Wrap, target: &Target) {
        let ids = [
            ("class", target.class),
            ("instance", target.instance),
            ("within_class", target.within.0),
            ("within_instance", target.within.1),
            ("attribute", target.attribute),
            ("member", target.member),
            ("connection_point", target.connection_point),
        ];
        for (key, id) in ids {
            if let Some(id) = id {
                self.detail.number(key, id);
            }
        }
        let class = target.class.map_or("", names::class);
        if !class.is_empty() {
            self.detail.text("class_name", class);
        }
        if wrap.carried {
            self.detail.flag("routed", true);
        }
        if !self.route.is_empty() {
            self.detail.text("route", &self.route);
        }
        if let Some((number, count)) = wrap.part {
            self.detail.number("service", number);
            self.detail.number("services", count);
        }
        if exchange.session != 0 {
            self.detail.number("session", exchange.session);
        }
        if let Some(id) = exchange.connection_id {
            self.detail.number("connection", id);
        }
    }

    /// Adds what the service takes; returns its quantity.
    fn detail_request(&mut self, request: &Request<'_>, target: &Target) -> Option<u64> {
        let mut cursor = Cursor::new(request.data);
        match (request.service, target.class) {
            (names::FORWARD_OPEN | names::LARGE_FORWARD_OPEN, Some(names::CONNECTION_MANAGER)) => {
                self.detail_open(connection::Open::read(request.data, request.service == names::LARGE_FORWARD_OPEN)?);
                None
            }
            (names::FORWARD_CLOSE, Some(names::CONNECTION_MANAGER)) => {
                let (serial, path) = connection::closed(request.data)?;
                serial.tell(&mut self.detail);
                self.detail_path(path);
                None
            }
            (0x03 | 0x04, _) => self.detail_list(request.service, &mut cursor),
            (0x4c | 0x52, _) if target.symbolic || target.class == Some(names::SYMBOL) => cursor.le16().map(u64::from),
            (0x4d | 0x53, _) if target.symbolic || target.class == Some(names::SYMBOL) => {
                self.detail_write(request.service == 0x53, &mut cursor)
            }
            (0x02 | 0x10, Some(class)) if !names::is_vendors(class) && !is_secret(class) => {
                self.data("data", request.data);
                None
            }
            (0x4b, Some(names::PCCC)) => {
                let command = Command::read(request.data)?;
                self.detail.number("pccc_command", command.command);
                if let Some(function) = command.function {
                    self.detail.number("pccc_function", function);
                }
                None
            }
            (0x4d, Some(names::FIRMWARE)) => {
                self.detail.number("offset", cursor.le32()?);
                Some(cursor.left() as u64)
            }
            _ => None,
        }
    }

    fn detail_open(&mut self, open: connection::Open<'_>) {
        open.tell(&mut self.detail);
        if let Some(key) = self.detail_path(open.path) {
            self.detail.number("key_vendor", key.vendor);
            self.detail.number("key_device_type", key.device_type);
            self.detail.number("key_product_code", key.product_code);
            self.detail.text("key_revision", format_args!("{}.{}", key.major & 0x7f, key.minor));
        }
    }

    /// Adds the path of a connection; returns the electronic key in it.
    fn detail_path(&mut self, path: &[u8]) -> Option<path::Key> {
        self.line.clear();
        self.name.clear();
        let target = path::describe(path, &mut self.line, &mut self.name);
        self.detail.text("connection_path", &self.line);
        for (key, id) in [("connection_class", target.class), ("connection_instance", target.instance)] {
            if let Some(id) = id {
                self.detail.number(key, id);
            }
        }
        if !self.name.is_empty() {
            self.detail.text("connection_route", &self.name);
        }
        target.key
    }

    /// Get and Set Attribute List: a count, then ids; values follow each id of a Set, of lengths that only the object knows.
    fn detail_list(&mut self, service: u8, cursor: &mut Cursor<'_>) -> Option<u64> {
        let count = cursor.le16()?;
        let told = if service == 0x03 { usize::from(count).min(IDS_TOLD) } else { 1.min(usize::from(count)) };
        let mut ids = *cursor;
        self.detail.texts("attributes", (0..told).map_while(|_| ids.le16()));
        Some(u64::from(count))
    }

    /// The reply to Get or Set Attribute List: a count, then id and status; values follow each good one of a Get, of lengths that
    /// only the object knows.
    fn detail_answered(&mut self, service: u8, data: &[u8]) {
        let mut cursor = Cursor::new(data);
        let count = usize::from(cursor.le16().unwrap_or_default());
        let told = if service == 0x04 { count.min(IDS_TOLD) } else { count.min(1) };
        let answers = || {
            let mut cursor = cursor;
            (0..told).map_while(move |_| Some((cursor.le16()?, cursor.le16()?)))
        };
        if answers().next().is_some() {
            self.detail.texts("attributes_answered", answers().map(|(id, _)| id));
        }
        if answers().any(|(_, status)| status != 0) {
            self.detail.texts("attributes_refused", answers().filter(|(_, status)| *status != 0).map(|(id, _)| id));
        }
    }

    /// Write Tag: type (and handle of a structure), count, offset of a fragment, data.
    fn detail_write(&mut self, fragmented: bool, cursor: &mut Cursor<'_>) -> Option<u64> {
        const STRUCTURE: u16 = 0x02a0;
        let kind = cursor.le16()?;
        match names::data_type(kind) {
            "" => self.detail.text("data_type", format_args!("{kind:#06x}")),
            name => self.detail.text("data_type", name),
        }
        if kind == STRUCTURE {
            cursor.skip(2)?;
        }
        let count = cursor.le16()?;
        if fragmented {
            self.detail.number("offset", cursor.le32()?);
        }
        self.data("data", cursor.rest());
        Some(u64::from(count))
    }

    fn data(&mut self, key: &str, data: &[u8]) {
        self.detail.text(key, Hex(data.get(..DATA_TOLD).unwrap_or(data)));
        if data.len() > DATA_TOLD {
            self.detail.number("data_length", u32::try_from(data.len()).unwrap_or(u32::MAX));
        }
    }

    fn detail_reply(&mut self, code: u8, target: &Target, reply: &Reply<'_>) {
        if !reply.additional.is_empty() {
            self.detail.numbers("extended_status", reply.additional_words().take(IDS_TOLD));
        }
        if matches!(code, 0x03 | 0x04) {
            self.detail_answered(code, reply.data);
        }
        if reply.status != 0 {
            return;
        }
        if code == 0x4b
            && target.class == Some(names::PCCC)
            && let Some(status) = Command::status(reply.data).filter(|status| *status != 0)
        {
            self.detail.number("pccc_status", status);
        }
        if matches!(code, names::FORWARD_OPEN | names::LARGE_FORWARD_OPEN)
            && target.class == Some(names::CONNECTION_MANAGER)
            && let Some((to_target, to_originator, _)) = connection::opened(reply.data)
        {
            self.detail.text("to_target_id", format_args!("{to_target:#010x}"));
            self.detail.text("to_originator_id", format_args!("{to_originator:#010x}"));
        }
    }

    /// What an answered request changes or tells, besides its row.
    fn effects(
        &mut self,
        exchange: &Exchange<'_>,
        wrap: Wrap,
        request: &Request<'_>,
        target: &Target,
        reply: &Reply<'_>,
        out: &mut dyn Sink,
    ) {
        let Exchange { client, server, .. } = *exchange;
        let at = exchange.replied.map(|(at, _)| at).unwrap_or_default();
        let step = Step { at, client, server, request: *request, target: *target, reply: *reply, object: &self.object };
        self.transfers.step(&step, out);
        match target.class {
            Some(names::CONNECTION_MANAGER) => self.connections(request, reply),
            Some(names::IDENTITY) if target.instance == Some(1) => {
                if let Some(device) = device(request, target, reply) {
                    let source = if wrap.routed { Source::Routed } else { Source::Object };
                    device.claim(server.address, source, at, (&mut self.claims, &mut self.line), out);
                }
            }
            Some(logix::WALL_CLOCK) => self.clock.step(server, at, (request, target, reply), out),
            Some(logix::CONTROLLER_NAME) => {
                if let Some(name) = logix::controller_name(request, reply) {
                    let (subject, method) = (server.address, "cip controller name");
                    let claim = Identity { subject, attribute: Attribute::Project, value: &name, method };
                    self.claims.identity(out, at, claim);
                }
            }
            Some(0xf5 | 0xf6) if !wrap.routed && reply.status == 0 && request.service == names::GET_SINGLE => {
                self.network(target, reply, server.address, at, out);
            }
            _ => {}
        }
    }

    /// Opens and closes connections, so that connected replies find their requests.
    fn connections(&mut self, request: &Request<'_>, reply: &Reply<'_>) {
        let closed = request.service == names::FORWARD_CLOSE && reply.service == names::FORWARD_CLOSE;
        if closed && reply.status == 0 {
            if let Some((serial, _)) = connection::closed(request.data) {
                self.connections.remove(serial);
            }
            return;
        }
        let large = match request.service {
            names::FORWARD_OPEN => false,
            names::LARGE_FORWARD_OPEN => true,
            _ => return,
        };
        if reply.status != 0 {
            return;
        }
        let path = connection::Open::read(request.data, large).map_or(&[][..], |open| open.path);
        if let Some((to_target, to_originator, serial)) = connection::opened(reply.data) {
            self.line.clear();
            self.name.clear();
            let Target { slot, .. } = path::describe(path, &mut self.line, &mut self.name);
            let routed = !self.name.is_empty();
            self.connections.add(Connection { serial, to_target, to_originator, slot, routed });
        }
    }

    /// Host name of the TCP/IP Interface object, MAC address of the Ethernet Link object (Volume 2 chapters 5-4.3.2.6, 5-5.3.2.3).
    fn network(&mut self, target: &Target, reply: &Reply<'_>, subject: Address, at: At, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(reply.data);
        match (target.class, target.attribute) {
            (Some(0xf5), Some(6)) => {
                let length = usize::from(cursor.le16().unwrap_or(0));
                if let Some(name) = cursor.take(length).and_then(device_text) {
                    let method = "cip tcp/ip interface host name";
                    let claim = Identity { subject, attribute: Attribute::HostName, value: &name, method };
                    self.claims.identity(out, at, claim);
                }
            }
            (Some(0xf6), Some(3)) => {
                if let Some(mac) = reply.data.first_chunk::<6>().filter(|_| reply.data.len() == 6) {
                    self.line.clear();
                    let _ = write!(self.line, "{}", MacAddr(*mac));
                    let method = "cip ethernet link physical address";
                    let claim = Identity { subject, attribute: Attribute::Mac, value: &self.line, method };
                    self.claims.identity(out, at, claim);
                }
            }
            _ => {}
        }
    }

    /// Bytes were never captured.
    pub fn gap(&mut self) {
        self.transfers.gap();
    }

    /// The flow ended.
    pub fn close(&mut self, out: &mut dyn Sink) {
        self.transfers.finish(false, out);
    }
}

/// Objects whose attributes are or hold secrets: certificates, authorities, passwords.
const fn is_secret(class: u32) -> bool {
    matches!(class, 0x5d..=0x62)
}

fn device(request: &Request<'_>, target: &Target, reply: &Reply<'_>) -> Option<Device> {
    let mut cursor = Cursor::new(reply.data);
    match request.service {
        names::GET_ALL if reply.status == 0 => Device::read(&mut cursor),
        // An attribute list answers with status 0x0a where some of its attributes failed.
        names::GET_LIST if matches!(reply.status, 0 | 0x0a) => Some(Device::read_list(&mut cursor)),
        names::GET_SINGLE if reply.status == 0 => {
            let mut device = Device::default();
            device.attribute(u16::try_from(target.attribute?).ok()?, &mut cursor)?;
            Some(device)
        }
        _ => None,
    }
}
