//! UMAS, the engineering protocol of Schneider Electric's Modicon M340, M580, Premium and Quantum, carried in Modbus function 90.
//!
//! A request is `session, function, data`, its reply `session, status, data`. It has no registry entry: [`crate::modbus`] hands over what
//! it finds. The protocol is not published; [`names`] and the layouts are those of public research, checked against captures.

pub mod names;
#[cfg(test)]
mod tests;
mod transfer;

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Endpoint, Identity, Mark, Observation, Operation, OperationClass, Outcome, Session, Sink, Weird,
};

use self::transfer::Moving;
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};
use crate::modbus::{Exchange, names::exception};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "umas";
/// The Modbus function that carries it.
pub const FUNCTION: u8 = 90;

/// Bytes of process data kept in the detail.
const DATA_TOLD: usize = 64;
/// Name of a transfer while the project's is not known.
const STRATEGY: &str = "strategy";

/// Whether bytes behind function code 90 can be a request.
#[must_use]
pub fn is_request(body: &[u8]) -> bool {
    matches!(body, [_, code, ..] if names::function(*code).is_some())
}

/// Whether bytes behind function code 90 can be a reply.
#[must_use]
pub const fn is_reply(body: &[u8]) -> bool {
    matches!(body, [_, names::DONE | names::REFUSED, ..])
}

/// Whether a PDU with its function code is a request or reply of a known kind.
#[must_use]
pub fn is_known(pdu: &[u8]) -> bool {
    pdu.split_first().is_some_and(|(code, body)| *code == FUNCTION && (is_request(body) || is_reply(body)))
}

/// A reply: its status and what follows.
#[derive(Clone, Copy)]
enum Status<'a> {
    Done(&'a [u8]),
    Refused(&'a [u8]),
    Exception(u8),
    Broken,
}

/// Reads the UMAS of one Modbus flow.
#[derive(Default, Debug)]
pub struct Umas {
    moving: Option<Moving>,
    project: String,
    object: String,
    name: String,
    line: String,
    detail: DetailJson,
    claims: Claims,
}

impl Umas {
    /// Looks at a request as it passes; `body` is what follows the function code.
    pub fn request(&mut self, at: At, (sender, receiver): (Endpoint, Endpoint), body: &[u8], out: &mut dyn Sink) {
        let (name, reason) = match body {
            [_, code, ..] if names::function(*code).is_some() => return,
            [_, _, ..] => ("umas_unknown_function", "function is not known"),
            _ => ("umas_pdu_length", "too short for a function"),
        };
        out.emit(at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: reason, sender, receiver }));
        out.mark(if body.len() < 2 { Mark::Malformed(reason) } else { Mark::Undecoded("umas function not known") });
    }

    /// Takes a request with its reply, as far as they were seen.
    pub fn exchange(&mut self, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        let asked = exchange.asked.and_then(|(_, pdu)| pdu.get(1..)).unwrap_or_default();
        let (code, data) = match asked {
            [_, code, data @ ..] => (Some(*code), data),
            _ => (None, &[][..]),
        };
        let status = exchange.replied.map(|(_, pdu)| status(pdu));
        let done = match status {
            Some(Status::Done(answer)) => Some(answer),
            _ => None,
        };
        self.object.clear();
        self.detail.clear();
        let quantity = code.and_then(|code| self.describe(code, data, status));
        self.operation(exchange, code, quantity, status, out);
        let (Some(code), Some(answer)) = (code, done) else { return };
        self.identities(exchange, code, data, answer, out);
        self.transfer(exchange, code, data, answer, out);
        if code == names::TAKE_RESERVATION {
            self.reservation(exchange, data, out);
        }
    }

    /// Fills object and detail; returns the quantity.
    fn describe(&mut self, code: u8, data: &[u8], status: Option<Status<'_>>) -> Option<u64> {
        let mut quantity = None;
        if code == names::READ_MEMORY_BLOCK {
            quantity = self.memory_block(data);
        } else if transfer::way(code).is_some() {
            if let Some(block) = transfer::number(data).filter(|_| !matches!(code, 0x30 | 0x33)) {
                let _ = write!(self.object, "{STRATEGY} block {block}");
            }
            if let Some(Status::Done(answer)) = status {
                quantity = transfer::block(code, data, answer).map(|block| block.data.len() as u64);
            }
        } else if names::carries_process_data(code) && !data.is_empty() {
            self.detail.text("data", Hex(data.get(..DATA_TOLD).unwrap_or(data)));
        }
        if let Some(Status::Refused(error)) = status {
            self.detail.text("error", Hex(error.get(..8).unwrap_or(error)));
        }
        quantity
    }

    /// READ_MEMORY_BLOCK: a byte of range, block, offset and length, little-endian.
    fn memory_block(&mut self, data: &[u8]) -> Option<u64> {
        let mut cursor = Cursor::new(data);
        cursor.skip(1)?;
        let (block, offset, length) = (cursor.le16()?, cursor.le32()?, cursor.le16()?);
        let _ = write!(self.object, "memory block {block} offset {offset}");
        Some(u64::from(length))
    }

    fn operation(
        &mut self,
        exchange: &Exchange<'_>,
        code: Option<u8>,
        quantity: Option<u64>,
        status: Option<Status<'_>>,
        out: &mut dyn Sink,
    ) {
        self.name.clear();
        let (name, class) = match (code, code.and_then(names::function)) {
            (_, Some(known)) => known,
            (Some(code), None) => {
                let _ = write!(self.name, "Unknown Function {code:#04x}");
                (self.name.as_str(), OperationClass::Diagnose)
            }
            (None, None) => ("Reply Without Request", OperationClass::Diagnose),
        };
        let (status, status_name) = match status {
            None => (None, ""),
            Some(Status::Done(_)) => (Some(0), "ok"),
            Some(Status::Refused(_)) => (Some(u32::from(names::REFUSED)), "refused"),
            Some(Status::Exception(code)) => (Some(u32::from(code)), exception(code)),
            Some(Status::Broken) => (None, "reply without status"),
        };
        out.emit(
            exchange.at(),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: exchange.client,
                server: exchange.server,
                unit: Some(u32::from(exchange.unit)),
                code: u32::from(code.unwrap_or(0)),
                name,
                class,
                object: &self.object,
                quantity,
                status,
                status_name,
                latency: exchange.latency(),
                request_frame: exchange.request_frame(),
                reply_frame: exchange.reply_frame(),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn identities(&mut self, exchange: &Exchange<'_>, code: u8, data: &[u8], answer: &[u8], out: &mut dyn Sink) {
        let subject = exchange.server.address;
        let at = exchange.at();
        let mut claim = |attribute, value: &str, method| {
            self.claims.identity(out, at, Identity { subject, attribute, value, method });
        };
        // Nobody else speaks it.
        claim(Attribute::Vendor, "Schneider Electric", "umas answers");
        match (code, data) {
            (names::READ_ID, _) => {
                if let Some(id) = PlcId::read(answer) {
                    claim(Attribute::Model, &id.model, "umas read id");
                    self.line.clear();
                    let _ = write!(self.line, "{:x}.{:02x}", id.version >> 8, id.version & 0xff);
                    claim(Attribute::Firmware, &self.line, "umas read id version");
                }
            }
            (names::READ_PROJECT_INFO, [0, ..]) => {
                if let Some(project) = Project::read(answer) {
                    claim(Attribute::Project, &project.name, "umas read project info");
                    self.project = project.name;
                }
            }
            _ => {}
        }
    }

    fn transfer(&mut self, exchange: &Exchange<'_>, code: u8, data: &[u8], answer: &[u8], out: &mut dyn Sink) {
        let Some(way) = transfer::way(code) else { return };
        let at = exchange.at();
        let ends = (exchange.client, exchange.server);
        match code {
            names::BEGIN_INTO_PLC | names::BEGIN_OUT_OF_PLC => {
                self.end_transfer(false, out);
                self.moving = Some(Moving::new(at, ends, way, true));
            }
            names::END_INTO_PLC | names::END_OUT_OF_PLC => self.end_transfer(true, out),
            _ => {
                let Some(block) = transfer::block(code, data, answer) else {
                    return self.gap();
                };
                if self.moving.as_ref().is_some_and(|moving| moving.way() != way) {
                    self.end_transfer(false, out);
                }
                self.moving.get_or_insert_with(|| Moving::new(at, ends, way, false)).take(at, block);
            }
        }
    }

    fn end_transfer(&mut self, ended: bool, out: &mut dyn Sink) {
        if let Some(moving) = self.moving.take() {
            let name = if self.project.is_empty() { STRATEGY } else { &self.project };
            moving.finish(name, ended, out);
        }
    }

    /// The station that reserves the PLC tells its own name: four bytes, a length, and the name.
    fn reservation(&mut self, exchange: &Exchange<'_>, data: &[u8], out: &mut dyn Sink) {
        let mut cursor = Cursor::new(data);
        let owner = cursor
            .skip(4)
            .and_then(|()| cursor.u8())
            .and_then(|length| cursor.take(usize::from(length)))
            .and_then(device_text)
            .unwrap_or_default();
        let Exchange { client, server, .. } = *exchange;
        let at = exchange.at();
        let host = Identity {
            subject: client.address,
            attribute: Attribute::HostName,
            value: &owner,
            method: "umas take plc reservation",
        };
        self.claims.identity(out, at, host);
        self.detail.clear();
        if !owner.is_empty() {
            self.detail.text("owner", &owner);
        }
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: "",
            user: "",
            method: "reservation",
            outcome: Outcome::Success,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: self.detail.object(&mut self.line),
        };
        self.claims.session(out, at, session);
    }

    /// Bytes were never captured.
    pub fn gap(&mut self) {
        if let Some(moving) = &mut self.moving {
            moving.gap();
        }
    }

    /// The flow ended.
    pub fn close(&mut self, out: &mut dyn Sink) {
        self.end_transfer(false, out);
    }
}

fn status(pdu: &[u8]) -> Status<'_> {
    match pdu {
        [code, exception, ..] if *code >= 0x80 => Status::Exception(*exception),
        [FUNCTION, _, names::DONE, answer @ ..] => Status::Done(answer),
        [FUNCTION, _, names::REFUSED, answer @ ..] => Status::Refused(answer),
        _ => Status::Broken,
    }
}

/// Reply to READ_ID, as far as it is understood.
#[derive(Debug)]
struct PlcId {
    model: String,
    /// Major version in the high byte, minor in BCD in the low one (0x0270 for V2.70).
    version: u16,
}

impl PlcId {
    fn read(answer: &[u8]) -> Option<PlcId> {
        let mut cursor = Cursor::new(answer);
        cursor.skip(8)?;
        let version = cursor.le16()?;
        cursor.skip(12)?;
        let length = usize::from(cursor.u8()?);
        let model = device_text(cursor.take(length)?)?;
        Some(PlcId { model, version })
    }
}

/// Reply to READ_PROJECT_INFO with subcode 0, as far as it is understood.
#[derive(Debug)]
struct Project {
    name: String,
}

impl Project {
    fn read(answer: &[u8]) -> Option<Project> {
        // Two checksums with numbers, when it was made and changed, its revision, and the length of what follows.
        Some(Project { name: device_text(answer.get(39..)?)? })
    }
}
