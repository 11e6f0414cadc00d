//! Acyclic alarms (RTA-PDU): a device notifies its controller, which acknowledges; either breaks the relationship off.

use std::fmt::Write;

use quaywatch_model::{At, Endpoint, Observation, Operation, OperationClass, Sink, Timestamp};
use quaywatch_wire::Pdu;

use super::names;
use super::status::PnioStatus;
use super::{PROTOCOL, receiver, sender};
use crate::bytes::Cursor;
use crate::detail_json::{DetailJson, Hex};
use crate::deviation::malformed_if_whole;
use crate::pairing::Pairing;

/// Alarms of one flow that wait for their acknowledgement; a relationship has one of each priority under way.
const WAITING_LIMIT: usize = 8;
/// Alarm items of one notification that are told.
const ITEM_LIMIT: usize = 8;
/// Bytes of a manufacturer's alarm item that are told.
const RAW_LIMIT: usize = 32;

/// Frame id of alarms of high priority.
const HIGH: u16 = 0xfc01;

/// Kinds of RTA-PDU, low half of the type byte.
const DATA: u8 = 1;
const NACK: u8 = 2;
const ACK: u8 = 3;
const ERROR: u8 = 4;

/// Header of an alarm frame.
#[derive(Clone, Copy, Debug)]
pub struct Rta<'a> {
    destination: u16,
    source: u16,
    kind: u8,
    send: u16,
    content: &'a [u8],
    short: bool,
}

impl<'a> Rta<'a> {
    /// Reads what stands behind the frame id; `None` if it is no RTA-PDU.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let (destination, source) = (cursor.be16()?, cursor.be16()?);
        let kind = cursor.u8()?;
        // Window size and the wish for an acknowledgement.
        cursor.skip(1)?;
        let send = cursor.be16()?;
        // Number acknowledged.
        cursor.skip(2)?;
        let length = usize::from(cursor.be16()?);
        // Version 1, or 2 of newer editions, in the high half.
        if !matches!(kind >> 4, 1 | 2) || !matches!(kind & 0x0f, DATA | NACK | ACK | ERROR) {
            return None;
        }
        let content = cursor.rest().get(..length).unwrap_or(cursor.rest());
        Some(Rta { destination, source, kind: kind & 0x0f, send, content, short: length > cursor.left() })
    }
}

/// Where an alarm comes from; the same in notification and acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    kind: u16,
    api: u32,
    slot: u16,
    subslot: u16,
}

impl Place {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        Some(Place { kind: cursor.be16()?, api: cursor.be32()?, slot: cursor.be16()?, subslot: cursor.be16()? })
    }
}

/// What an acknowledgement is found by: priority, place, sequence number, and who notified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    id: u16,
    place: Place,
    sequence: u16,
    client: Endpoint,
}

/// A notification while it waits, or an acknowledgement that stands alone.
#[derive(Debug)]
struct Notice {
    at: At,
    asked: bool,
    client: Endpoint,
    server: Endpoint,
    id: u16,
    place: Place,
    object: String,
    detail: DetailJson,
}

/// The alarms of a flow.
pub struct Alarms {
    waiting: Pairing<Key, Notice>,
    line: String,
}

impl Default for Alarms {
    fn default() -> Self {
        Alarms { waiting: Pairing::new(WAITING_LIMIT), line: String::new() }
    }
}

impl Alarms {
    pub fn feed(&mut self, id: u16, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(rta) = Rta::read(body) else {
            return broken("profinet_rt_malformed_alarm", "alarm header cut short or unknown", pdu, out);
        };
        if rta.short {
            return broken("profinet_rt_malformed_alarm", "alarm is shorter than announced", pdu, out);
        }
        let read = match rta.kind {
            DATA => self.data(id, &rta, pdu, out),
            ERROR => self.error(id, &rta, pdu, out),
            // Transport acknowledgements carry nothing.
            _ => Some(()),
        };
        if read.is_none() {
            broken("profinet_rt_malformed_alarm", "alarm block cut short or unknown", pdu, out);
        }
    }

    fn data(&mut self, id: u16, rta: &Rta<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut cursor = Cursor::new(rta.content);
        let block = cursor.be16()?;
        // Block length and version.
        cursor.skip(4)?;
        match block {
            0x0001 | 0x0002 => self.notification(id, rta, cursor, pdu, out),
            0x8001 | 0x8002 => self.acknowledgement(id, rta, cursor, pdu, out),
            _ => None,
        }
    }

    fn notification(
        &mut self,
        id: u16,
        rta: &Rta<'_>,
        mut cursor: Cursor<'_>,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let place = Place::read(&mut cursor)?;
        let (module, submodule, specifier) = (cursor.be32()?, cursor.be32()?, cursor.be16()?);
        let mut notice = notice(id, rta, place, true, pdu);
        let detail = &mut notice.detail;
        detail.text("module_ident", format_args!("{module:#010x}"));
        detail.text("submodule_ident", format_args!("{submodule:#010x}"));
        describe_specifier(specifier, detail);
        items(cursor, &mut notice);
        let key = Key { id, place, sequence: specifier & 0x07ff, client: notice.client };
        if let Some(forgotten) = self.waiting.ask(key, notice) {
            self.tell(&forgotten, None, out);
        }
        Some(())
    }

    fn acknowledgement(
        &mut self,
        id: u16,
        rta: &Rta<'_>,
        mut cursor: Cursor<'_>,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let place = Place::read(&mut cursor)?;
        let sequence = cursor.be16()? & 0x07ff;
        let status = PnioStatus(cursor.be32()?);
        let key = Key { id, place, sequence, client: receiver(pdu) };
        let notice = self.waiting.answer(&key).unwrap_or_else(|| notice(id, rta, place, false, pdu));
        self.tell(&notice, Some((pdu.at, status)), out);
        Some(())
    }

    /// One end breaks off: no more data, no more alarms, until the controller connects anew.
    fn error(&mut self, id: u16, rta: &Rta<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let status = PnioStatus(Cursor::new(rta.content).be32()?);
        let mut detail = DetailJson::default();
        describe_header(id, rta, &mut detail);
        detail.text("pnio_status", format_args!("{:#010x}", status.0));
        out.emit(
            pdu.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: sender(pdu),
                server: receiver(pdu),
                unit: None,
                code: id.into(),
                name: "abort (ERR-RTA)",
                class: OperationClass::Session,
                object: "",
                quantity: None,
                status: Some(status.0),
                status_name: &status.to_string(),
                latency: None,
                request_frame: None,
                reply_frame: Some(pdu.at.frame),
                detail: detail.object(&mut self.line),
            }),
        );
        Some(())
    }

    pub fn close(&mut self, out: &mut dyn Sink) {
        let notices: Vec<Notice> = self.waiting.drain().collect();
        for notice in notices {
            self.tell(&notice, None, out);
        }
    }

    fn tell(&mut self, notice: &Notice, answer: Option<(At, PnioStatus)>, out: &mut dyn Sink) {
        let at = answer.map_or(notice.at, |(at, _)| at);
        let status_name = answer.map_or_else(String::new, |(_, status)| status.to_string());
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: notice.client,
                server: notice.server,
                unit: Some(notice.place.slot.into()),
                code: notice.id.into(),
                name: if notice.id == HIGH { "alarm (high)" } else { "alarm (low)" },
                class: OperationClass::Diagnose,
                object: &notice.object,
                quantity: None,
                status: answer.map(|(_, status)| status.0),
                status_name: &status_name,
                latency: answer.filter(|_| notice.asked).map(|(at, _)| Timestamp::since(at.ts, notice.at.ts)),
                request_frame: notice.asked.then_some(notice.at.frame),
                reply_frame: answer.map(|(at, _)| at.frame),
                detail: notice.detail.object(&mut self.line),
            }),
        );
    }
}

fn notice(id: u16, rta: &Rta<'_>, place: Place, asked: bool, pdu: &Pdu<'_>) -> Notice {
    let (client, server) = if asked { (sender(pdu), receiver(pdu)) } else { (receiver(pdu), sender(pdu)) };
    let mut detail = DetailJson::default();
    describe_header(id, rta, &mut detail);
    detail.number("alarm_type", place.kind);
    detail.number("api", place.api);
    detail.number("slot", place.slot);
    detail.text("subslot", format_args!("{:#06x}", place.subslot));
    let object = format!("{} of slot {} subslot {:#06x}", names::alarm(place.kind), place.slot, place.subslot);
    Notice { at: pdu.at, asked, client, server, id, place, object, detail }
}

fn describe_header(id: u16, rta: &Rta<'_>, detail: &mut DetailJson) {
    detail.text("frame_id", format_args!("{id:#06x}"));
    detail.text("priority", if id == HIGH { "high" } else { "low" });
    detail.text("destination_endpoint", format_args!("{:#06x}", rta.destination));
    detail.text("source_endpoint", format_args!("{:#06x}", rta.source));
    detail.number("send_sequence", rta.send);
}

/// Sequence number and which kinds of diagnosis stand.
fn describe_specifier(specifier: u16, detail: &mut DetailJson) {
    detail.number("alarm_sequence", specifier & 0x07ff);
    for (bit, key) in [
        (0x0800, "channel_diagnosis"),
        (0x1000, "manufacturer_diagnosis"),
        (0x2000, "submodule_diagnosis"),
        (0x8000, "relationship_diagnosis"),
    ] {
        if specifier & bit != 0 {
            detail.flag(key, true);
        }
    }
}

/// What the alarm says beyond its place: items of channel diagnosis are read, the rest is told as bytes.
fn items(mut cursor: Cursor<'_>, notice: &mut Notice) {
    for _ in 0..ITEM_LIMIT {
        let Some(structure) = cursor.be16() else { return };
        let size = match structure {
            0x8000 => 6,
            0x8002 => 12,
            0x8003 => 16,
            _ => {
                let rest = cursor.rest();
                notice.detail.text("item_structure", format_args!("{structure:#06x}"));
                notice.detail.text("item", Hex(rest.get(..RAW_LIMIT).unwrap_or(rest)));
                return;
            }
        };
        let Some(item) = cursor.take(size) else { return };
        channel(Cursor::new(item), notice);
    }
}

fn channel(mut item: Cursor<'_>, notice: &mut Notice) {
    let (Some(channel), Some(_properties), Some(error)) = (item.be16(), item.be16(), item.be16()) else { return };
    let name = names::channel_error(error);
    // 0x8000 stands for the submodule as a whole. Writing to a string cannot fail.
    let _ = match channel {
        0x8000 => write!(notice.object, ", submodule"),
        _ => write!(notice.object, ", channel {channel}"),
    };
    let _ = match name {
        "" => write!(notice.object, ": error type {error:#06x}"),
        name => write!(notice.object, ": {name}"),
    };
}

fn broken(name: &'static str, why: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    malformed_if_whole(PROTOCOL, pdu, name, why, out);
}
