//! Ethernet POWERLINK: a managing node polls drives and I/O in a cycle, on EtherType 0x88ab; parameters also over UDP 3819.
//!
//! Cyclic frames are told at first sight, when a node's state changes, and counted at the end; asynchronous ones each.

pub mod names;
mod sdo;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use quaywatch_model::{At, Attribute, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::sdo::SdoTalk;
use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "powerlink";
const ETHERTYPE: u16 = 0x88ab;
const UDP_PORT: u16 = 3819;
/// Kinds of cyclic frames of one flow that are followed.
pub const SLOT_LIMIT: usize = 512;

/// The registry entry.
pub struct Powerlink;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Ethernet POWERLINK",
    tcp: &[],
    udp: &[UDP_PORT],
    ethertypes: &[ETHERTYPE],
    spec: "EPSG Draft Standard 301, Communication Profile Specification",
    found: "B&R and other drives and I/O inside cranes and automated vehicles, under one managing node",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Cycle with states of nodes and their changes, ident responses, NMT commands, SDO access by index. Process data is \
            counted; SDO by name, files and multiple access are named only.",
};

impl Protocol for Powerlink {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match (pdu.flow.transport, pdu.data) {
            (Transport::Link(ETHERTYPE), [kind, _, _, _, ..]) if names::message(*kind & 0x7f).is_some() => Probe::Yes,
            (Transport::Link(ETHERTYPE), _) => Probe::Unsure,
            (Transport::Udp, [6, 0, 0, 5, received, _, 0, 0, ..]) => {
                let usual = pdu.receiver().port == UDP_PORT || pdu.sender().port == UDP_PORT;
                let opens = received & 3 <= 2;
                if usual && opens { Probe::Yes } else { Probe::No }
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Node::default())
    }
}

/// What tells cyclic frames apart: message type, source node, destination node, service, service target.
type Kind = (u8, u8, u8, u8, u8);

/// A kind of cyclic frame and its last state.
#[derive(Clone, Copy, Debug)]
struct Slot {
    kind: Kind,
    state: u8,
    count: u64,
    last: At,
    ends: (Endpoint, Endpoint),
}

#[derive(Default)]
struct Node {
    slots: Vec<Slot>,
    sdo: SdoTalk,
    claims: Claims,
    tell: Tell,
}

/// Texts that are built anew for each row.
#[derive(Default)]
struct Tell {
    detail: DetailJson,
    object: String,
    line: String,
}

/// The parts of an operation that differ.
struct Row<'a> {
    at: At,
    ends: (Endpoint, Endpoint),
    unit: Option<u8>,
    code: u8,
    name: &'a str,
    class: OperationClass,
    quantity: Option<u64>,
    status: Option<u32>,
    status_name: &'static str,
    request: Option<At>,
    reply: bool,
}

impl Tell {
    fn row(&mut self, row: &Row<'_>, out: &mut dyn Sink) {
        out.emit(
            row.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: row.ends.0,
                server: row.ends.1,
                unit: row.unit.map(u32::from),
                code: u32::from(row.code),
                name: row.name,
                class: row.class,
                object: &self.object,
                quantity: row.quantity,
                status: row.status,
                status_name: row.status_name,
                latency: row.request.filter(|_| row.reply).map(|asked| row.at.ts.0.saturating_sub(asked.ts.0)),
                request_frame: row.request.map(|asked| asked.frame),
                reply_frame: row.reply.then_some(row.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
        self.detail.clear();
        self.object.clear();
    }
}

impl Analyzer for Node {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut c = Cursor::new(pdu.data);
        let (Some(message), Some(destination), Some(source)) = (c.u8(), c.u8(), c.u8()) else {
            return malformed_if_whole(PROTOCOL, pdu, "powerlink_short", "frame is shorter than its header", out);
        };
        let whole = match message & 0x7f {
            kind @ (1 | 3) => {
                self.cyclic(pdu, (kind, source, destination, 0, 0), 0, out);
                Some(())
            }
            4 => c.u8().map(|state| self.cyclic(pdu, (4, source, destination, 0, 0), state, out)),
            5 => start_of_asynchronous(&mut c).map(|(state, service, target)| {
                self.cyclic(pdu, (5, source, destination, service, target), state, out);
            }),
            6 => self.asynchronous(pdu, (source, destination), &mut c, out),
            _ => {
                out.mark(Mark::Undecoded("unknown POWERLINK message"));
                Some(())
            }
        };
        if whole.is_none() {
            malformed_if_whole(PROTOCOL, pdu, "powerlink_short", "frame is shorter than its message type needs", out);
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.sdo.close(&mut self.tell, out);
        for slot in std::mem::take(&mut self.slots) {
            if slot.count > 1 {
                self.cyclic_row(&slot, "counted", out);
            }
        }
    }
}

/// State, requested service and its target of a `SoA`.
fn start_of_asynchronous(c: &mut Cursor<'_>) -> Option<(u8, u8, u8)> {
    let state = c.u8()?;
    c.skip(2)?;
    Some((state, c.u8()?, c.u8()?))
}

impl Node {
    fn cyclic(&mut self, pdu: &Pdu<'_>, kind: Kind, state: u8, out: &mut dyn Sink) {
        let found = self.slots.iter_mut().find(|slot| slot.kind == kind && slot.ends.0 == pdu.sender());
        let Some(slot) = found else {
            if self.slots.len() < SLOT_LIMIT {
                let slot = Slot { kind, state, count: 1, last: pdu.at, ends: (pdu.sender(), pdu.receiver()) };
                self.slots.push(slot);
                self.cyclic_row(&slot, "", out);
            }
            return;
        };
        slot.count = slot.count.saturating_add(1);
        slot.last = pdu.at;
        if std::mem::replace(&mut slot.state, state) != state {
            let told = *slot;
            self.cyclic_row(&told, "state changed", out);
        }
    }

    fn cyclic_row(&mut self, slot: &Slot, occasion: &'static str, out: &mut dyn Sink) {
        let (kind, source, destination, service, target) = slot.kind;
        let Tell { detail, object, .. } = &mut self.tell;
        detail.clear();
        object.clear();
        detail.number("source", source);
        detail.number("destination", destination);
        if !occasion.is_empty() {
            detail.text("occasion", occasion);
        }
        // Writing to a string cannot fail.
        let _ = write!(object, "node {source}");
        if matches!(kind, 4 | 5) {
            detail.number("nmt_state", slot.state);
            let _ = write!(object, " {}", names::state(slot.state));
        }
        if kind == 5 {
            detail.number("service", service);
            detail.number("service_target", target);
            if service != 0 {
                let _ = write!(object, ", {} of node {target}", names::service(service));
            }
        }
        let row = Row {
            at: slot.last,
            ends: slot.ends,
            unit: Some(destination),
            code: kind,
            name: names::message(kind).unwrap_or("unknown"),
            class: OperationClass::Cyclic,
            quantity: Some(slot.count),
            status: None,
            status_name: "",
            request: Some(slot.last),
            reply: false,
        };
        self.tell.row(&row, out);
    }

    /// `ASnd`: told each, but status responses, which are polled: those like cyclic frames.
    fn asynchronous(
        &mut self,
        pdu: &Pdu<'_>,
        (source, destination): (u8, u8),
        c: &mut Cursor<'_>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let service = c.u8()?;
        if service == 5 {
            return self.sdo.take(pdu, (source, destination), c, &mut self.tell, out);
        }
        let Tell { detail, object, .. } = &mut self.tell;
        detail.clear();
        object.clear();
        detail.number("source", source);
        detail.number("destination", destination);
        detail.number("service", service);
        let mut name = names::service(service);
        let mut class = OperationClass::Diagnose;
        match service {
            1 => {
                self.ident(pdu, c, out)?;
                (name, class) = ("ident response", OperationClass::Identify);
            }
            2 => {
                c.skip(2)?;
                let state = c.u8()?;
                self.cyclic(pdu, (6, source, destination, service, 0), state, out);
                return Some(());
            }
            3 | 4 => {
                let code = c.u8()?;
                (name, class) = names::command(code);
                detail.number("nmt_command", code);
                if service == 3 {
                    detail.flag("request", true);
                }
                let _ = write!(object, "node {destination}");
            }
            _ => out.mark(Mark::Undecoded("POWERLINK service of the manufacturer")),
        }
        let row = Row {
            at: pdu.at,
            ends: (pdu.sender(), pdu.receiver()),
            unit: Some(destination),
            code: 6,
            name,
            class,
            quantity: None,
            status: None,
            status_name: "",
            request: Some(pdu.at),
            reply: false,
        };
        self.tell.row(&row, out);
        Some(())
    }

    /// Ident response: who a node is (EPSG DS 301 section 7.3.3.2).
    fn ident(&mut self, pdu: &Pdu<'_>, c: &mut Cursor<'_>, out: &mut dyn Sink) -> Option<()> {
        c.skip(2)?;
        let state = c.u8()?;
        c.skip(1)?;
        let version = c.u8()?;
        c.skip(1 + 4 + 2 + 2 + 2 + 4 + 2)?;
        let (device, vendor, product, revision, serial) = (c.le32()?, c.le32()?, c.le32()?, c.le32()?, c.le32()?);
        c.skip(8 + 4 + 4 + 4 + 4)?;
        let (ip, _mask, gateway) = (c.le32()?, c.le32()?, c.le32()?);
        let host = device_text(c.take(32)?).unwrap_or_default();
        let Tell { detail, object, .. } = &mut self.tell;
        detail.number("nmt_state", state);
        detail.text("version", format_args!("{}.{}", version >> 4, version & 0xf));
        for (key, value) in [
            ("device_type", device),
            ("vendor_id", vendor),
            ("product_code", product),
            ("revision", revision),
            ("serial", serial),
        ] {
            detail.number(key, value);
        }
        let _ = write!(object, "vendor 0x{vendor:x} product 0x{product:x}");
        let subject = pdu.sender().address;
        let method = "powerlink ident response";
        self.claims.identify(out, pdu.at, subject, (Attribute::HostName, &host, method));
        let ip = Ipv4Addr::from(ip);
        if !ip.is_unspecified() {
            self.claims.identify(out, pdu.at, subject, (Attribute::Ip, &ip.to_string(), method));
        }
        let gateway = Ipv4Addr::from(gateway);
        if !gateway.is_unspecified() {
            let value = format!("gateway {gateway}");
            self.claims.identify(out, pdu.at, subject, (Attribute::NetworkSetting, &value, method));
        }
        if serial != 0 && serial != u32::MAX {
            self.claims.identify(out, pdu.at, subject, (Attribute::Serial, &serial.to_string(), method));
        }
        Some(())
    }
}
