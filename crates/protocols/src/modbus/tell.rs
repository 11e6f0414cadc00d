//! Turns a request and its reply into rows.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Endpoint, Identity, Mark, Observation, Operation, OperationClass, Sink, Timestamp, Weird,
};

use super::names::{self, Function};
use super::pdu::{self, Area, Facts, Fault, Values};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};

/// Sub-requests of a file function that are spelled out in the object; the rest is counted.
const RECORDS_TOLD: usize = 8;
/// Bytes of diagnostic or private data kept in the detail.
const DATA_TOLD: usize = 64;

/// A request with its reply, as far as they were seen: PDUs from the function code on.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The end that asks.
    pub client: Endpoint,
    /// The end that does.
    pub server: Endpoint,
    /// Unit identifier.
    pub unit: u8,
    /// The request.
    pub asked: Option<(At, &'a [u8])>,
    /// The reply.
    pub replied: Option<(At, &'a [u8])>,
}

impl Exchange<'_> {
    /// Place of the row: the reply's, else the request's.
    #[must_use]
    pub fn at(&self) -> At {
        self.replied.or(self.asked).map(|(at, _)| at).unwrap_or_default()
    }

    /// Nanoseconds from request to reply.
    #[must_use]
    pub fn latency(&self) -> Option<i64> {
        let ((asked, _), (replied, _)) = (self.asked?, self.replied?);
        Some(Timestamp::since(replied.ts, asked.ts))
    }

    /// Frame of the request.
    #[must_use]
    pub fn request_frame(&self) -> Option<u64> {
        self.asked.map(|(at, _)| at.frame)
    }

    /// Frame of the reply.
    #[must_use]
    pub fn reply_frame(&self) -> Option<u64> {
        self.replied.map(|(at, _)| at.frame)
    }
}

/// Emits rows from strings that are used again.
#[derive(Default, Debug)]
pub struct Teller {
    object: String,
    name: String,
    line: String,
    detail: DetailJson,
    /// What the flow has said already.
    pub claims: Claims,
}

/// Function code and what follows; code 0 for an empty PDU.
fn split(pdu: &[u8]) -> (u8, &[u8]) {
    pdu.split_first().map_or((0, &[]), |(code, body)| (*code, body))
}

impl Teller {
    /// Emits what is wrong with a PDU sent by `sender`.
    pub fn blame(
        &mut self,
        fault: Fault,
        at: At,
        (sender, receiver): (Endpoint, Endpoint),
        code: u8,
        out: &mut dyn Sink,
    ) {
        self.line.clear();
        let _ = write!(self.line, "function {}: {}", code & 0x7f, fault.reason);
        let weird = Weird { name: fault.name, protocol: super::PROTOCOL, detail: &self.line, sender, receiver };
        out.emit(at, Observation::Weird(weird));
        out.mark(Mark::Malformed(fault.reason));
    }

    /// Emits the operation of an exchange, and the identities its reply tells. The fault of the reply, if any, is left to the caller.
    pub fn operation(&mut self, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        let asked = exchange.asked.map(|(_, pdu)| split(pdu));
        let replied = exchange.replied.map(|(_, pdu)| split(pdu));
        let Some(code) = asked.or(replied).map(|(code, _)| code & 0x7f) else { return };
        let request = asked.map(|(code, body)| pdu::request(code, body));
        let reply = replied.map(|(code, body)| pdu::reply(code, body, request.as_ref()));
        let what = self.describe(code, request.as_ref(), reply.as_ref());
        self.fill_object(code, request.as_ref(), reply.as_ref());
        self.fill_detail(code, request.as_ref(), reply.as_ref());
        let (status, status_name) = match reply {
            None => (None, ""),
            Some(Facts { exception: Some(code), .. }) => (Some(u32::from(code)), names::exception(code)),
            Some(_) => (Some(0), "ok"),
        };
        out.emit(
            exchange.at(),
            Observation::Operation(Operation {
                protocol: super::PROTOCOL,
                client: exchange.client,
                server: exchange.server,
                unit: Some(u32::from(exchange.unit)),
                code: u32::from(code),
                name: if what.name.is_empty() { &self.name } else { what.name },
                class: what.class,
                object: &self.object,
                quantity: quantity(code, request.as_ref(), reply.as_ref()),
                status,
                status_name,
                latency: exchange.latency(),
                request_frame: exchange.request_frame(),
                reply_frame: exchange.reply_frame(),
                detail: self.detail.object(&mut self.line),
            }),
        );
        if let Some(reply) = &reply
            && reply.exception.is_none()
        {
            self.identities(code, reply, exchange, out);
        }
    }

    /// Name and class; a function without a fixed name gets one in `self.name`.
    fn describe(&mut self, code: u8, request: Option<&Facts<'_>>, reply: Option<&Facts<'_>>) -> Function {
        let either = |pick: fn(&Facts<'_>) -> Option<u16>| request.and_then(pick).or_else(|| reply.and_then(pick));
        let finer = match code {
            8 => either(|facts| facts.sub).and_then(names::diagnostics),
            43 => either(|facts| facts.mei.map(u16::from))
                .and_then(|mei| u8::try_from(mei).ok())
                .and_then(names::encapsulated),
            _ => None,
        };
        if let Some(function) = finer.or_else(|| names::function(code)) {
            return function;
        }
        self.name.clear();
        let kind = if names::is_user_defined(code) { "User-defined" } else { "Unknown" };
        let _ = write!(self.name, "{kind} Function {code}");
        // What it does is not known; the weird row or the mark says so.
        Function { name: "", class: OperationClass::Diagnose, decoded: false }
    }

    fn fill_object(&mut self, code: u8, request: Option<&Facts<'_>>, reply: Option<&Facts<'_>>) {
        self.object.clear();
        if let Some(area) = request.and_then(|facts| facts.area).or_else(|| reply.and_then(|facts| facts.area)) {
            let _ = write!(self.object, "{area}");
        }
        if let Some(facts) = request
            && !facts.records.is_empty()
        {
            self.fill_records(code, facts.records);
        }
    }

    fn fill_records(&mut self, code: u8, bytes: &[u8]) {
        for (index, record) in pdu::records(code, bytes).flatten().enumerate() {
            if index == RECORDS_TOLD {
                self.object.push_str(", ...");
                break;
            }
            let separator = if index == 0 { "" } else { ", " };
            let table = Area { table: "record", start: record.record, count: Some(record.length) };
            let _ = write!(self.object, "{separator}file {} {table}", record.file);
        }
    }

    fn fill_detail(&mut self, code: u8, request: Option<&Facts<'_>>, reply: Option<&Facts<'_>>) {
        self.detail.clear();
        if let Some(facts) = request {
            self.detail_request(code, facts);
        }
        let Some(reply) = reply else { return };
        match reply.values {
            Values::Registers(_) | Values::Bits(_) if matches!(code, 1..=4 | 23 | 24) => {
                values(&mut self.detail, "read", reply.values);
            }
            // An echo says nothing new unless its request was not seen.
            given if request.is_none() => values(&mut self.detail, "written", given),
            _ => {}
        }
        match (code, reply.rest) {
            (7, [status]) => self.detail.number("exception_status", *status),
            (11 | 12, [a, b, c, d, ..]) => {
                self.detail.number("comm_status", u16::from_be_bytes([*a, *b]));
                self.detail.number("comm_events", u16::from_be_bytes([*c, *d]));
            }
            (8, data) if !data.is_empty() => data_field(&mut self.detail, "returned", data),
            _ => {}
        }
    }

    fn detail_request(&mut self, code: u8, facts: &Facts<'_>) {
        if let Some(area) = facts.read {
            self.detail.text("read_object", area);
        }
        values(&mut self.detail, "written", facts.values);
        if let Some((and, or)) = facts.masks {
            self.detail.number("and_mask", and);
            self.detail.number("or_mask", or);
        }
        if let Some(sub) = facts.sub {
            self.detail.number("sub_function", sub);
        }
        if let Some(mei) = facts.mei {
            self.detail.number("mei", mei);
        }
        if let Some((code, object)) = facts.device_id {
            self.detail.number("read_device_id", code);
            self.detail.number("object_id", object);
        }
        if !facts.rest.is_empty() {
            data_field(&mut self.detail, "data", facts.rest);
        }
        if code == 21 {
            let written = pdu::records(21, facts.records).flatten().flat_map(|record| registers(record.values));
            self.detail.numbers("written", written);
        }
    }

    fn identities(&mut self, code: u8, reply: &Facts<'_>, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        match code {
            17 => self.server_id(reply.rest, exchange, out),
            43 if reply.device_id.is_some() => {
                for (id, value) in pdu::objects(reply.rest) {
                    if let (Some((attribute, method)), Some(text)) = (device_object(id), device_text(value)) {
                        self.claim(exchange, attribute, &text, method, out);
                    }
                }
            }
            _ => {}
        }
    }

    /// Report Server ID (section 6.13) leaves the layout to the device: its readable part names the product, and a byte
    /// 0x00 or 0xff before or after it is the run indicator.
    fn server_id(&mut self, bytes: &[u8], exchange: &Exchange<'_>, out: &mut dyn Sink) {
        const SHORTEST_NAME: usize = 4;
        let printable = |byte: &u8| (0x20..0x7f).contains(byte);
        let Some(name) = bytes.split(|byte| !printable(byte)).max_by_key(|run| run.len()) else { return };
        if name.len() < SHORTEST_NAME {
            return;
        }
        if let Some(text) = device_text(name) {
            self.claim(exchange, Attribute::Product, &text, "modbus report server id", out);
        }
        let state = match (bytes.first(), bytes.get(1), bytes.last()) {
            (_, Some(0xff), _) | (_, _, Some(0xff)) => "run",
            (_, Some(0), _) => "stop",
            _ => return,
        };
        self.claim(exchange, Attribute::State, state, "modbus report server id run indicator", out);
    }

    /// Claims something of the server; of the gateway itself when a unit behind it is addressed, since units have no address of their own.
    pub fn claim(
        &mut self,
        exchange: &Exchange<'_>,
        attribute: Attribute,
        value: &str,
        method: &'static str,
        out: &mut dyn Sink,
    ) {
        let subject = exchange.server.address;
        self.claims.identity(out, exchange.at(), Identity { subject, attribute, value, method });
    }
}

/// What an object of Read Device Identification says (section 6.21).
const fn device_object(id: u8) -> Option<(Attribute, &'static str)> {
    Some(match id {
        0 => (Attribute::Vendor, "modbus device identification vendor name"),
        1 => (Attribute::OrderNumber, "modbus device identification product code"),
        2 => (Attribute::Firmware, "modbus device identification major minor revision"),
        4 => (Attribute::Product, "modbus device identification product name"),
        5 => (Attribute::Model, "modbus device identification model name"),
        6 => (Attribute::Project, "modbus device identification user application name"),
        _ => return None,
    })
}

fn quantity(code: u8, request: Option<&Facts<'_>>, reply: Option<&Facts<'_>>) -> Option<u64> {
    let asked = request.and_then(|facts| facts.area).and_then(|area| area.count);
    if let Some(count) = asked {
        return Some(u64::from(count));
    }
    if let Some(facts) = request.filter(|facts| !facts.records.is_empty()) {
        return Some(pdu::records(code, facts.records).flatten().map(|record| u64::from(record.length)).sum());
    }
    let reply = reply?;
    match (reply.area.and_then(|area| area.count), reply.values) {
        (Some(count), _) => Some(u64::from(count)),
        (None, Values::Registers(bytes)) => u64::try_from(bytes.len() / 2).ok(),
        _ => None,
    }
}

fn registers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk().copied()).map(|pair| u32::from(u16::from_be_bytes(pair)))
}

fn values(detail: &mut DetailJson, key: &'static str, values: Values<'_>) {
    match values {
        Values::None => {}
        Values::Registers(bytes) => detail.numbers(key, registers(bytes)),
        Values::Bits(bytes) => detail.text(if key == "read" { "read_bits" } else { "written_bits" }, Hex(bytes)),
        Values::Switch(on) => detail.flag("on", on),
    }
}

fn data_field(detail: &mut DetailJson, key: &'static str, data: &[u8]) {
    detail.text(key, Hex(data.get(..DATA_TOLD).unwrap_or(data)));
    if data.len() > DATA_TOLD {
        detail.number("data_length", u32::try_from(data.len()).unwrap_or(u32::MAX));
    }
}
