//! EtherCAT: the bus of drives, I/O and safety terminals under a motion controller, on EtherType 0x88a4.
//!
//! A frame goes once through all slaves and comes back with what they read, wrote and counted, so the frame that returns says
//! all: the frame that goes out is only counted. Slaves have neither MAC nor IP address: they are told apart by station address.

pub mod datagram;
mod eeprom;
pub mod mailbox;
mod messages;
pub mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{
    Address, At, Endpoint, MacAddr, Mark, Observation, Operation, OperationClass, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use self::datagram::Datagram;
use self::eeprom::Eeproms;
use self::messages::Messages;
use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::detail_json::DetailJson;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

pub(super) const PROTOCOL: &str = "ethercat";
const ETHERTYPE: u16 = 0x88a4;
const UDP_PORT: u16 = 34980;
/// Different datagrams (command and address) of one flow whose state is remembered.
pub const SLOT_LIMIT: usize = 1024;
/// Changes of one datagram's state that are told; a flapping slave fills no table.
pub const CHANGE_LIMIT: u32 = 64;

/// The registry entry.
pub struct EtherCat;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "EtherCAT",
    tcp: &[],
    udp: &[UDP_PORT],
    ethertypes: &[ETHERTYPE],
    spec: "ETG.1000.4, ETG.1000.6 (IEC 61158-4-12 and -6-12); ETG.2010 (EEPROM)",
    found: "Drives, encoders, I/O and safety terminals inside a crane, under one motion controller",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Writes to registers, states of slaves and their changes, SDO access, identity by SDO and EEPROM, files over FoE. \
            Process data is counted and its working counter watched; EoE and SoE are counted.",
};

impl Protocol for EtherCat {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let Some((kind, length, body)) = datagram::frame(pdu.data) else { return Probe::No };
        let known = match kind {
            datagram::TYPE_DATAGRAMS => Datagram::read(&mut Cursor::new(body)).is_some_and(|d| d.command <= 14),
            datagram::TYPE_NETWORK_VARIABLES | datagram::TYPE_MAILBOX => length > 0,
            _ => false,
        };
        match pdu.flow.transport {
            Transport::Link(ETHERTYPE) if known => Probe::Yes,
            Transport::Link(ETHERTYPE) => Probe::Unsure,
            // Behind UDP the content alone is too weak; the port is fixed by IANA.
            Transport::Udp if known && body.len() == length && pdu.receiver().port == UDP_PORT => Probe::Yes,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Bus::default())
    }
}

/// What one datagram, sent again and again, showed last.
#[derive(Debug)]
struct Slot {
    index: u8,
    seen: u64,
    told: u32,
    working: u16,
    state: u64,
    length: usize,
    cyclic: bool,
    last: At,
    ends: (Endpoint, Endpoint),
}

/// Master and slaves of one flow.
#[derive(Default)]
struct Bus {
    slots: BTreeMap<(u8, u32), Slot>,
    /// Slaves on the bus, by the last broadcast read.
    slaves: Option<u16>,
    /// Whether a frame with a working counter was seen.
    answered: bool,
    /// The last frame without a working counter, by its first datagram; and whether the way out and the way back are both in this flow.
    bare: Option<(u8, u8, u32)>,
    both_ways: bool,
    eeproms: Eeproms,
    messages: Messages,
    tell: Tell,
}

/// Texts that are built anew for each row.
#[derive(Default)]
pub(super) struct Tell {
    pub(super) detail: DetailJson,
    pub(super) object: String,
    line: String,
}

/// The parts of an operation that differ from datagram to datagram.
pub(super) struct Row {
    pub(super) at: At,
    pub(super) ends: (Endpoint, Endpoint),
    pub(super) unit: Option<u32>,
    pub(super) code: u32,
    pub(super) name: &'static str,
    pub(super) class: OperationClass,
    pub(super) quantity: Option<u64>,
    pub(super) status: Option<u32>,
    pub(super) status_name: &'static str,
    pub(super) request: Option<At>,
    pub(super) reply: bool,
}

impl Tell {
    /// Emits an operation with the object and detail that were built.
    pub(super) fn row(&mut self, row: &Row, out: &mut dyn Sink) {
        out.emit(
            row.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: row.ends.0,
                server: row.ends.1,
                unit: row.unit,
                code: row.code,
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

/// The master, by the source address of a frame: the first slave sets the bit "locally administered" in what comes back.
fn ends(pdu: &Pdu<'_>, returned: bool) -> (Endpoint, Endpoint) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    match sender.address {
        Address::Mac(MacAddr([first, rest @ ..])) if returned => {
            let [a, b, c, d, e] = rest;
            (Endpoint::new(Address::Mac(MacAddr([first & !2, a, b, c, d, e])), sender.port), receiver)
        }
        _ => (sender, receiver),
    }
}

/// Whether the source address has the bit that the first slave sets.
fn marked(pdu: &Pdu<'_>) -> bool {
    pdu.source_mac.is_some_and(|MacAddr([first, ..])| first & 2 != 0)
}

pub(super) fn weird(pdu: &Pdu<'_>, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    if pdu.cut {
        return out.mark(Mark::Undecoded("cut by the capture"));
    }
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: reason, sender, receiver }));
    out.mark(Mark::Malformed(reason));
}

impl Analyzer for Bus {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some((kind, length, body)) = datagram::frame(pdu.data) else {
            return weird(pdu, "ethercat_short_frame", "no frame header", out);
        };
        if body.len() < length {
            weird(pdu, "ethercat_length_mismatch", "frame is shorter than announced", out);
        }
        match kind {
            datagram::TYPE_DATAGRAMS => self.frame(pdu, body, out),
            datagram::TYPE_NETWORK_VARIABLES => out.mark(Mark::Undecoded("network variables")),
            datagram::TYPE_MAILBOX => out.mark(Mark::Undecoded("mailbox gateway")),
            _ => out.mark(Mark::Undecoded("unknown EtherCAT frame type")),
        }
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        let _ = flow;
        self.messages.close(&mut self.tell, out);
        for ((command, address), slot) in std::mem::take(&mut self.slots) {
            if slot.cyclic && slot.seen > 1 {
                let data =
                    Datagram { command, index: slot.index, address, data: &[], working: slot.working, more: false };
                self.datagram_row(&data, &slot, "cyclic data counted", slot.seen, out);
            }
        }
    }
}

impl Bus {
    fn frame(&mut self, pdu: &Pdu<'_>, body: &[u8], out: &mut dyn Sink) {
        if !self.returned(pdu, body) {
            // Still walked through: what goes out malformed is a fact as well.
            if !each(body, |_| ()) {
                weird(pdu, "ethercat_datagram", "datagram is cut short or follows none", out);
            }
            return;
        }
        let whole = each(body, |datagram| self.datagram(pdu, datagram, out));
        if !whole {
            weird(pdu, "ethercat_datagram", "datagram is cut short or follows none", out);
        }
    }

    /// Whether the frame has been through the slaves.
    fn returned(&mut self, pdu: &Pdu<'_>, body: &[u8]) -> bool {
        let mut first = None;
        let mut worked = false;
        each(body, |d| {
            first = first.or(Some((d.command, d.index, d.address & 0xffff_0000)));
            worked |= d.working != 0;
        });
        if worked {
            self.both_ways |= self.bare.is_some() && self.bare == first;
            self.answered = true;
            return true;
        }
        self.bare = first;
        // Nobody answered, or the frame is on its way out: the mark tells, unless the master's own address bears it.
        marked(pdu) && self.answered && !self.both_ways
    }

    fn datagram(&mut self, pdu: &Pdu<'_>, d: &Datagram<'_>, out: &mut dyn Sink) {
        let ends = ends(pdu, marked(pdu) && !self.both_ways);
        if names::command(d.command).is_none() {
            out.mark(Mark::Undecoded("unknown EtherCAT command"));
        }
        if d.command == 7 {
            self.slaves = Some(d.station());
        }
        let physical = matches!(d.command, 1..=6);
        if physical
            && d.offset() >= 0x1000
            && d.working != 0
            && let Some(mail) = mailbox::read(d.data)
        {
            return self.messages.take(pdu, ends, d, &mail, &mut self.tell, out);
        }
        if physical && matches!(d.offset(), 0x0502..=0x050f) {
            self.eeproms.take(pdu, ends, d, &mut self.tell, out);
        }
        let time = matches!(d.offset(), 0x0900..=0x091f);
        let cyclic = names::is_logical(d.command) || matches!(d.command, 0 | 13 | 14) || d.offset() >= 0x1000;
        if names::writes(d.command) && !cyclic && !time {
            return self.written(pdu, ends, d, out);
        }
        self.repeated(pdu, ends, d, cyclic, out);
    }

    /// A write to a register: told each time.
    fn written(&mut self, pdu: &Pdu<'_>, ends: (Endpoint, Endpoint), d: &Datagram<'_>, out: &mut dyn Sink) {
        let slot = Slot {
            index: d.index,
            seen: 1,
            told: 1,
            working: d.working,
            state: 0,
            length: d.data.len(),
            cyclic: false,
            last: pdu.at,
            ends,
        };
        self.datagram_row(d, &slot, "", slot.length as u64, out);
    }

    /// A read, or process data: told when first seen and when its state changes.
    fn repeated(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        d: &Datagram<'_>,
        cyclic: bool,
        out: &mut dyn Sink,
    ) {
        let key = (d.command, d.address);
        let state = state_of(d);
        let full = self.slots.len() >= SLOT_LIMIT;
        let known = self.slots.contains_key(&key);
        if !known && full {
            return;
        }
        let slot = self.slots.entry(key).or_insert_with(|| Slot {
            index: d.index,
            seen: 0,
            told: 0,
            working: d.working,
            state,
            length: d.data.len(),
            cyclic,
            last: pdu.at,
            ends,
        });
        slot.seen = slot.seen.saturating_add(1);
        slot.last = pdu.at;
        slot.index = d.index;
        let changed = slot.working != d.working || slot.state != state;
        slot.working = d.working;
        slot.state = state;
        if (known && !changed) || slot.told >= CHANGE_LIMIT {
            return;
        }
        slot.told = slot.told.saturating_add(1);
        let Some(slot) = self.slots.remove(&key) else { return };
        let length = slot.length as u64;
        self.datagram_row(d, &slot, if known { "change" } else { "" }, length, out);
        self.slots.insert(key, slot);
    }

    fn datagram_row(
        &mut self,
        d: &Datagram<'_>,
        slot: &Slot,
        occasion: &'static str,
        quantity: u64,
        out: &mut dyn Sink,
    ) {
        let class = describe(&mut self.tell, d, occasion);
        let position = matches!(d.command, 1..=3 | 13).then_some(self.slaves).flatten();
        if let Some(position) = position {
            // Each slave adds one; the addressed one is where the counter was zero.
            self.tell.detail.number("position", position.wrapping_sub(d.station()));
        }
        let row = Row {
            at: slot.last,
            ends: slot.ends,
            unit: matches!(d.command, 4..=6 | 14).then_some(u32::from(d.station())),
            code: u32::from(d.command),
            name: names::command(d.command).unwrap_or("unknown"),
            class,
            quantity: Some(quantity),
            status: Some(u32::from(d.working == 0)),
            status_name: if d.working == 0 { "no slave answered" } else { "ok" },
            request: None,
            reply: true,
        };
        self.tell.row(&row, out);
    }
}

/// Calls `each` for every datagram; false if one is cut short or does not follow though announced.
fn each<'b>(body: &'b [u8], mut take: impl FnMut(&Datagram<'b>)) -> bool {
    let mut cursor = Cursor::new(body);
    loop {
        let Some(datagram) = Datagram::read(&mut cursor) else { return false };
        take(&datagram);
        if !datagram.more {
            return true;
        }
    }
}

/// What of a read's data is a state, as a number: states of slaves and links, error counters. Other data is no state.
fn state_of(d: &Datagram<'_>) -> u64 {
    if names::is_logical(d.command) || matches!(d.command, 0 | 13 | 14) {
        return 0;
    }
    match d.offset() {
        0x0110..=0x0111 | 0x0130..=0x0135 | 0x0300..=0x0313 => {
            let mut hasher = DefaultHasher::new();
            d.data.hash(&mut hasher);
            hasher.finish()
        }
        _ => 0,
    }
}

/// Fills object and detail of a datagram's row, and says its class.
fn describe(tell: &mut Tell, d: &Datagram<'_>, occasion: &'static str) -> OperationClass {
    let Tell { detail, object, .. } = tell;
    detail.clear();
    object.clear();
    detail.number("index", d.index);
    detail.number("working_counter", d.working);
    if !occasion.is_empty() {
        detail.text("occasion", occasion);
    }
    // Writing to a string cannot fail.
    if names::is_logical(d.command) {
        detail.number("logical_address", d.address);
        let _ = write!(object, "logical 0x{:08x}", d.address);
        return OperationClass::Cyclic;
    }
    detail.number("station", d.station());
    detail.number("offset", d.offset());
    let (register, class) = names::register(d.offset());
    let _ = write!(object, "{register} 0x{:04x}", d.offset());
    // Masters also write and read the low byte alone.
    let word = Cursor::new(d.data).le16().or(d.data.first().map(|byte| u16::from(*byte)));
    match (d.offset(), word) {
        (0x0120 | 0x0130, Some(word)) => {
            let _ = write!(object, " {}", names::state(word));
            detail.text(if d.offset() == 0x0120 { "wanted_state" } else { "state" }, names::state(word));
            detail.flag("error", word & 0x10 != 0);
        }
        (0x0134, Some(code)) => {
            detail.number("status_code", code);
            detail.text("status_code_name", names::al_status(code).unwrap_or("unknown"));
        }
        (0x0010, Some(address)) => detail.number("new_station", address),
        _ => {}
    }
    match (d.command, class) {
        (0 | 13 | 14, _) => OperationClass::Cyclic,
        (command, class) if names::writes(command) => class,
        (_, OperationClass::Cyclic) => OperationClass::Cyclic,
        _ if d.offset() <= 0x0013 => OperationClass::Identify,
        _ => OperationClass::Diagnose,
    }
}
