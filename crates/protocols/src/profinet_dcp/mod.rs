//! PROFINET DCP, the discovery and basic configuration protocol: who is on this wire, what is it called, and who renames it.
//!
//! Written from IEC 61158-6-10 (section "DCP") and PI's "PROFINET IO Conformance Classes"; EtherType 0x8892, frame ids 0xfefc to 0xfeff.
//! A request to all stations and its answers are of different flows (a flow is a pair of MAC addresses), so each is told for itself.

mod block;
mod claims;
mod names;
#[cfg(test)]
mod tests;

pub use names::vendor_name;

use std::fmt::Write;

use quaywatch_model::{
    Address, At, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Timestamp, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::detail_json::DetailJson;
use crate::pairing::Pairing;
use crate::profinet_rt::Station;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};
use block::{Block, Frame, Service};
use claims::Claims;

const PROTOCOL: &str = "profinet-dcp";

/// EtherType of PROFINET real time.
const PROFINET: u16 = 0x8892;

/// Requests of one flow that wait for answers at the same time.
pub const WAITING_LIMIT: usize = 16;

/// Blocks of one frame that are printed: a frame has room for some 370 of the smallest.
pub const BLOCK_LIMIT: usize = 64;

/// Added to a service type other than success, to make a status of it: it must not be mistaken for a block error.
pub const SERVICE_STATUS: u32 = 0x100;

/// The registry entry.
pub struct ProfinetDcp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "PROFINET DCP",
    tcp: &[],
    udp: &[],
    ethertypes: &[PROFINET],
    spec: "IEC 61158-6-10, section DCP",
    found: "PLCs, drives, remote I/O and switches of cranes; engineering stations that name them",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Hello, Get, Set and Identify with all blocks.",
};

impl Protocol for ProfinetDcp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match Frame::read(pdu.data) {
            Some(frame) if pdu.flow.transport != Transport::Link(PROFINET) || !frame.service.fits(frame.id) => {
                Probe::No
            }
            Some(frame) if frame.is_answer() => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Station::default())
    }
}

/// Reads the DCP frames of a flow; the other frames of the EtherType are not for it.
pub(crate) fn reader() -> Box<dyn Analyzer> {
    Box::new(Dcp { waiting: Pairing::new(WAITING_LIMIT), claims: Claims::default(), line: String::new(), spare: None })
}

/// What an answer is found by: transaction and service. Both ends number their own requests, hence the asker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    xid: u32,
    service: u8,
    client: Endpoint,
}

/// A request while it waits for its answer.
#[derive(Debug)]
struct Request {
    at: At,
    asked: bool,
    client: Endpoint,
    server: Endpoint,
    service: Service,
    name: &'static str,
    class: OperationClass,
    object: String,
    blocks: u64,
    detail: DetailJson,
    /// What a set request wants to be: claims once the device agreed.
    wanted: Wanted,
}

/// Values of a set request.
#[derive(Clone, Default, Debug)]
struct Wanted {
    name: Option<String>,
    ip: Option<block::IpParameter>,
}

struct Dcp {
    waiting: Pairing<Key, Request>,
    claims: Claims,
    line: String,
    spare: Option<(String, DetailJson)>,
}

impl Analyzer for Dcp {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(frame) = Frame::read(pdu.data) else {
            return malformed_header(pdu, out);
        };
        if frame.short && !pdu.cut {
            weird("profinet_dcp_length_mismatch", "blocks are shorter than announced", pdu, out);
        }
        if !frame.service.fits(frame.id) {
            weird("profinet_dcp_frame_id_mismatch", "service does not belong to the frame id", pdu, out);
        }
        if frame.is_answer() { self.answer(&frame, pdu, out) } else { self.request(&frame, pdu, out) }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let requests: Vec<Request> = self.waiting.drain().collect();
        for request in requests {
            self.tell(request, None, out);
        }
    }
}

fn malformed_header(pdu: &Pdu<'_>, out: &mut dyn Sink) {
    if pdu.cut {
        return out.mark(Mark::Undecoded("cut by the capture"));
    }
    weird("profinet_dcp_malformed_header", "header cut short or unknown service", pdu, out);
}

impl Dcp {
    fn begin(&mut self, frame: &Frame<'_>, pdu: &Pdu<'_>, asked: bool) -> Request {
        let (mut object, mut detail) = self.spare.take().unwrap_or_default();
        object.clear();
        detail.clear();
        let (client, server) = if asked { (sender(pdu), receiver(pdu)) } else { (receiver(pdu), sender(pdu)) };
        detail.number("xid", frame.xid);
        detail.text("frame_id", format_args!("{:#06x}", frame.id));
        let (name, class) = match frame.service {
            Service::Get => ("get", OperationClass::Identify),
            Service::Set => ("set", OperationClass::Configure),
            Service::Identify => ("identify", OperationClass::Identify),
            Service::Hello => ("hello", OperationClass::Identify),
        };
        Request {
            at: pdu.at,
            asked,
            client,
            server,
            service: frame.service,
            name,
            class,
            object,
            blocks: 0,
            detail,
            wanted: Wanted::default(),
        }
    }

    fn request(&mut self, frame: &Frame<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut request = self.begin(frame, pdu, true);
        describe(frame, &mut request);
        check_blocks(frame, pdu, out);
        if frame.service == Service::Hello {
            self.claims.of_blocks(frame, sender(pdu).address, pdu.at, "profinet-dcp hello", out);
        }
        let to_group = matches!(receiver(pdu).address, Address::Mac(mac) if mac.is_group());
        if to_group || frame.service == Service::Hello {
            // Answers, if any, come from other stations and so in other flows.
            return self.tell(request, None, out);
        }
        let key = Key { xid: frame.xid, service: frame.service.code(), client: request.client };
        if let Some(forgotten) = self.waiting.ask(key, request) {
            self.tell(forgotten, None, out);
        }
    }

    fn answer(&mut self, frame: &Frame<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let key = Key { xid: frame.xid, service: frame.service.code(), client: receiver(pdu) };
        let mut request = self.waiting.answer(&key).unwrap_or_else(|| self.begin(frame, pdu, false));
        check_blocks(frame, pdu, out);
        note_blocks(frame, "reply_blocks", &mut request);
        let status = status(frame, &mut request);
        if !request.asked {
            request.object.extend(frame.each().find(|block| block.key() == (2, 2)).and_then(|block| block.text()));
            request.blocks = u64::try_from(frame.each().take(BLOCK_LIMIT).count()).unwrap_or(0);
        }
        let subject = sender(pdu).address;
        match (frame.service, status.0) {
            (Service::Set, 0) => self.claims.of_set(&request.wanted, subject, pdu.at, out),
            (Service::Set, _) => {}
            (Service::Get, _) => self.claims.of_blocks(frame, subject, pdu.at, "profinet-dcp get", out),
            _ => self.claims.of_blocks(frame, subject, pdu.at, "profinet-dcp identify", out),
        }
        self.tell(request, Some((pdu.at, status)), out);
    }

    fn tell(&mut self, request: Request, answer: Option<(At, (u32, &'static str))>, out: &mut dyn Sink) {
        let at = answer.map_or(request.at, |(at, _)| at);
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: request.client,
                server: request.server,
                unit: None,
                code: u32::from(request.service.code()),
                name: request.name,
                class: request.class,
                object: &request.object,
                quantity: Some(request.blocks),
                status: answer.map(|(_, (status, _))| status),
                status_name: answer.map_or("", |(_, (_, name))| name),
                latency: answer.filter(|_| request.asked).map(|(at, _)| Timestamp::since(at.ts, request.at.ts)),
                request_frame: request.asked.then_some(request.at.frame),
                reply_frame: answer.map(|(at, _)| at.frame),
                detail: request.detail.object(&mut self.line),
            }),
        );
        self.spare = Some((request.object, request.detail));
    }
}

/// Object, name and class of a request, by its blocks.
fn describe(frame: &Frame<'_>, request: &mut Request) {
    let mut name = None;
    for block in frame.each().take(BLOCK_LIMIT) {
        if !request.object.is_empty() {
            request.object.push_str("; ");
        }
        // Writing to a string cannot fail.
        let _ = write!(request.object, "{block}");
        request.blocks += 1;
        if frame.service == Service::Set {
            want(&block, request);
            // Start and end of a transaction frame the blocks that matter.
            if !matches!(block.key(), (5, 1 | 2)) {
                let own = names::set(block.option, block.suboption);
                name = Some(if name.is_none_or(|name| name == own) { own } else { "set" });
            }
        }
    }
    if let Some(name) = name {
        request.name = name;
        if name == "signal" {
            // The station's lamps blink: nothing changes.
            request.class = OperationClass::Diagnose;
        }
    }
    note_blocks(frame, "blocks", request);
}

fn want(block: &Block<'_>, request: &mut Request) {
    if block.key() == (2, 2) {
        request.wanted.name = block.text();
    }
    if let Some(ip) = block.ip() {
        request.wanted.ip = Some(ip);
    }
}

/// Puts all that the blocks hold into the detail.
fn note_blocks(frame: &Frame<'_>, key: &str, request: &mut Request) {
    let detail = &mut request.detail;
    let blocks = || frame.each().take(BLOCK_LIMIT);
    detail.texts(key, blocks().map(|block| Pair(block.option, block.suboption)));
    if blocks().any(|block| block.info.is_some()) {
        detail.numbers("info", blocks().filter_map(|block| block.info.map(u32::from)));
    }
    if blocks().any(|block| block.qualifier.is_some()) {
        detail.numbers("qualifier", blocks().filter_map(|block| block.qualifier.map(u32::from)));
    }
    if request.service == Service::Set || !frame.is_answer() {
        return;
    }
    blocks().for_each(|block| note_value(&block, detail));
}

/// Option and suboption as they print.
struct Pair(u8, u8);

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A value that an answer tells.
fn note_value(block: &Block<'_>, detail: &mut DetailJson) {
    if let Some(text) = block.text() {
        let key = match block.key() {
            (2, 1) => "type_of_station",
            (2, 2) => "name_of_station",
            (2, 6) => "alias_name",
            _ => "text",
        };
        detail.text(key, text);
    } else if let Some(ip) = block.ip() {
        detail.text("ip", ip.ip);
        detail.text("netmask", ip.mask);
        detail.text("gateway", ip.gateway);
    } else if let Some((vendor, device)) = block.ids() {
        let keys = if block.suboption == 3 { ["vendor_id", "device_id"] } else { ["oem_vendor_id", "oem_device_id"] };
        for (key, id) in keys.into_iter().zip([vendor, device]) {
            detail.text(key, format_args!("{id:#06x}"));
        }
    } else if let Some(role) = block.role() {
        detail.number("device_role", role);
    } else if let Some((high, low)) = block.instance() {
        detail.text("device_instance", Pair(high, low));
    } else if block.key() == (2, 5) {
        detail.texts("device_options", block.options().map(|(option, suboption)| Pair(option, suboption)));
    }
}

/// Status of an answer: its service type, else the first block that failed.
fn status(frame: &Frame<'_>, request: &mut Request) -> (u32, &'static str) {
    let results = || frame.each().take(BLOCK_LIMIT).filter_map(|block| block.result());
    if results().next().is_some() {
        request.detail.numbers("results", results().map(|result| u32::from(result.error)));
    }
    match frame.kind {
        1 => {}
        5 => return (SERVICE_STATUS | 5, "request not supported"),
        other => return (SERVICE_STATUS | u32::from(other), "unknown service type"),
    }
    results()
        .find(|result| result.error != 0)
        .map_or((0, "success"), |result| (u32::from(result.error), names::block_error(result.error)))
}

/// Tells a block that is cut short.
fn check_blocks(frame: &Frame<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let mut blocks = frame.each();
    blocks.by_ref().for_each(drop);
    if blocks.broken && !pdu.cut && !frame.short {
        weird("profinet_dcp_block_truncated", "block is longer than the frame's blocks", pdu, out);
    }
}

/// The station that sent this very frame.
fn sender(pdu: &Pdu<'_>) -> Endpoint {
    pdu.source_mac.map_or(pdu.sender(), |mac| Endpoint::new(Address::Mac(mac), 0))
}

/// The station or group that this very frame was sent to.
fn receiver(pdu: &Pdu<'_>) -> Endpoint {
    pdu.destination_mac.map_or(pdu.receiver(), |mac| Endpoint::new(Address::Mac(mac), 0))
}

fn weird(name: &'static str, why: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    out.mark(Mark::Malformed(why));
    let (sender, receiver) = (sender(pdu), receiver(pdu));
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: why, sender, receiver }));
}
