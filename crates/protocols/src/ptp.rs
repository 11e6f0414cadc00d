//! PTP, IEEE 1588: the time of drives, cameras and protection relays, over UDP 319 and 320 or EtherType 0x88f7.
//!
//! Cyclic: one operation a kind of message and clock at first sight, one when the grandmaster changes, one with the count at
//! the end; management messages each. A host that announces a better clock takes the time of all others: hence the changes.

use quaywatch_model::{At, Attribute, Endpoint, MacAddr, Observation, Operation, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};
use crate::deviation::malformed_if_whole;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ptp";
const ETHERTYPE: u16 = 0x88f7;
const PORTS: [u16; 2] = [319, 320];
/// Header of version 2.
const HEADER: usize = 34;
/// Kinds of messages of one flow that are followed.
pub const SLOT_LIMIT: usize = 128;

/// The registry entry.
pub struct Ptp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "PTP (IEEE 1588)",
    tcp: &[],
    udp: &PORTS,
    ethertypes: &[ETHERTYPE],
    spec: "IEEE 1588-2008 and 1588-2019, clauses 13 and 15; IEEE 1588-2002 annex D for version 1",
    found: "Drives, cameras, positioning and protection relays that share one time; grandmaster clocks with GNSS",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Message kinds, clocks and domains, grandmaster and its changes, management messages by number. Times and delays \
            are not reckoned with.",
};

/// Name of a message type of version 2, least length, and control field.
const fn message(kind: u8) -> Option<(&'static str, usize, u8)> {
    Some(match kind {
        0x0 => ("Sync", 44, 0),
        0x1 => ("Delay_Req", 44, 1),
        0x2 => ("Pdelay_Req", 54, 5),
        0x3 => ("Pdelay_Resp", 54, 5),
        0x8 => ("Follow_Up", 44, 2),
        0x9 => ("Delay_Resp", 54, 3),
        0xa => ("Pdelay_Resp_Follow_Up", 54, 5),
        0xb => ("Announce", 64, 5),
        0xc => ("Signaling", 44, 5),
        0xd => ("Management", 48, 4),
        _ => return None,
    })
}

/// Name and class of a management action (IEEE 1588-2008 table 38).
const fn action(code: u8) -> (&'static str, OperationClass) {
    match code {
        0 => ("Management GET", OperationClass::Read),
        1 => ("Management SET", OperationClass::Configure),
        2 => ("Management RESPONSE", OperationClass::Read),
        3 => ("Management COMMAND", OperationClass::Control),
        4 => ("Management ACKNOWLEDGE", OperationClass::Control),
        _ => ("Management", OperationClass::Diagnose),
    }
}

/// What every message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header {
    version: u8,
    kind: u8,
    domain: u8,
    clock: [u8; 8],
    port: u16,
    sequence: u16,
}

/// A grandmaster as announced; of version 1 the six bytes of its UUID, two zero bytes in front.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Grandmaster {
    identity: [u8; 8],
    /// Clock class, or stratum in version 1.
    class: u8,
    priority: Option<(u8, u8)>,
    source: Option<u8>,
}

/// Header, grandmaster if it is told, and name.
fn read(data: &[u8]) -> Option<(Header, Option<Grandmaster>, &'static str)> {
    match data {
        [0, 1, 0, 1, ..] => version_1(data),
        [_, version, ..] if version & 0x0f == 2 => version_2(data),
        _ => None,
    }
}

fn version_2(data: &[u8]) -> Option<(Header, Option<Grandmaster>, &'static str)> {
    let mut c = Cursor::new(data);
    let kind = c.u8()? & 0x0f;
    let version = c.u8()? & 0x0f;
    let length = usize::from(c.be16()?);
    let (name, least, control) = message(kind)?;
    let domain = c.u8()?;
    c.skip(1 + 2 + 8 + 4)?;
    let clock = *c.take(8)?.first_chunk()?;
    let (port, sequence, said) = (c.be16()?, c.be16()?, c.u8()?);
    c.skip(1)?;
    // Ethernet pads; the control field is of version 1 and may be zero since 2019.
    if length < least || length > data.len() || (said != control && said != 0) {
        return None;
    }
    let header = Header { version, kind, domain, clock, port, sequence };
    if kind != 0xb {
        return Some((header, None, name));
    }
    c.skip(10 + 2 + 1)?;
    let (first, class) = (c.u8()?, c.u8()?);
    c.skip(1 + 2)?;
    let second = c.u8()?;
    let identity = *c.take(8)?.first_chunk()?;
    c.skip(2)?;
    let source = c.u8()?;
    let grandmaster = Grandmaster { identity, class, priority: Some((first, second)), source: Some(source) };
    Some((header, Some(grandmaster), name))
}

fn version_1(data: &[u8]) -> Option<(Header, Option<Grandmaster>, &'static str)> {
    let wide = |uuid: &[u8]| -> Option<[u8; 8]> {
        let [a, b, c, d, e, f] = *uuid.first_chunk()?;
        Some([0, 0, a, b, c, d, e, f])
    };
    let mut c = Cursor::new(data);
    c.skip(4)?;
    let subdomain = c.take(16)?;
    if !subdomain.iter().all(|byte| *byte == 0 || byte.is_ascii_graphic()) {
        return None;
    }
    let general = c.u8()?;
    c.skip(1)?;
    let clock = wide(c.take(6)?)?;
    let (port, sequence, control) = (c.be16()?, c.be16()?, c.u8()?);
    c.skip(1 + 2 + 4)?;
    let (name, timed) = match control {
        0 => ("Sync", true),
        1 => ("Delay_Req", true),
        2 => ("Follow_Up", false),
        3 => ("Delay_Resp", false),
        4 => ("Management", false),
        _ => return None,
    };
    if general != if timed { 1 } else { 2 } {
        return None;
    }
    let header = Header { version: 1, kind: control, domain: 0, clock, port, sequence };
    if !timed {
        return Some((header, None, name));
    }
    c.skip(8 + 2 + 2 + 2)?;
    let identity = wide(c.take(6)?)?;
    c.skip(2 + 2 + 3)?;
    Some((header, Some(Grandmaster { identity, class: c.u8()?, priority: None, source: None }), name))
}

impl Protocol for Ptp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let usual = [pdu.sender().port, pdu.receiver().port].iter().any(|port| PORTS.contains(port));
        match (pdu.flow.transport, read(pdu.data).is_some()) {
            (Transport::Link(ETHERTYPE), true) => Probe::Yes,
            (Transport::Link(ETHERTYPE), false) => Probe::Unsure,
            // The ports are fixed by the standard, and the content of short messages is weak.
            (Transport::Udp, true) if usual => Probe::Yes,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Clocks::default())
    }
}

/// A kind of message of one clock.
#[derive(Clone, Copy, Debug)]
struct Slot {
    header: Header,
    name: &'static str,
    grandmaster: Option<Grandmaster>,
    count: u64,
    last: At,
    ends: (Endpoint, Endpoint),
}

#[derive(Default)]
struct Clocks {
    slots: Vec<Slot>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Clocks {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some((header, grandmaster, name)) = read(pdu.data) else {
            return malformed_if_whole(PROTOCOL, pdu, "ptp_malformed_message", "message does not fit its type", out);
        };
        let grandmaster = grandmaster.filter(|grandmaster| self.sensible(pdu, grandmaster, out));
        self.identify(pdu, &header, grandmaster.is_some() && name != "Delay_Req", out);
        let slot = Slot { header, name, grandmaster, count: 1, last: pdu.at, ends: (pdu.sender(), pdu.receiver()) };
        if header.version == 2 && header.kind == 0xd {
            return self.management(&slot, pdu.data, out);
        }
        let same = |known: &&mut Slot| {
            Header { sequence: header.sequence, ..known.header } == header && known.ends.0 == slot.ends.0
        };
        let Some(known) = self.slots.iter_mut().find(same) else {
            if self.slots.len() < SLOT_LIMIT {
                self.slots.push(slot);
                self.tell(&slot, "", OperationClass::Cyclic, out);
            }
            return;
        };
        known.header.sequence = header.sequence;
        known.count = known.count.saturating_add(1);
        known.last = pdu.at;
        if std::mem::replace(&mut known.grandmaster, grandmaster) != grandmaster {
            let told = *known;
            self.tell(&told, "grandmaster changed", OperationClass::Cyclic, out);
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        for slot in std::mem::take(&mut self.slots) {
            if slot.count > 1 {
                self.tell(&slot, "counted", OperationClass::Cyclic, out);
            }
        }
    }
}

/// The MAC address within an identity of the form EUI-48 with `ff fe` or `ff ff` in the middle.
const fn mac(identity: [u8; 8]) -> Option<MacAddr> {
    match identity {
        [a, b, c, 0xff, 0xfe | 0xff, d, e, f] if a & 1 == 0 => Some(MacAddr([a, b, c, d, e, f])),
        [0, 0, a, b, c, d, e, f] if a & 1 == 0 => Some(MacAddr([a, b, c, d, e, f])),
        _ => None,
    }
}

impl Clocks {
    /// Drafts of version 2 had another announce message: its identity then has the bit of a group address, and is not told.
    fn sensible(&mut self, pdu: &Pdu<'_>, grandmaster: &Grandmaster, out: &mut dyn Sink) -> bool {
        let group = grandmaster.identity.first().is_some_and(|first| first & 1 != 0);
        if group && self.claims.first(("ptp_grandmaster_identity", grandmaster.identity)) {
            malformed_if_whole(PROTOCOL, pdu, "ptp_grandmaster_identity", "grandmaster identity is no EUI-64", out);
        }
        !group
    }

    fn identify(&mut self, pdu: &Pdu<'_>, header: &Header, master: bool, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        if let Some(mac) = mac(header.clock).filter(|_| subject.ip().is_some()) {
            let claim = (Attribute::Mac, &*mac.to_string(), "ptp clock identity");
            self.claims.identify(out, pdu.at, subject, claim);
        }
        if master {
            self.claims.identify(out, pdu.at, subject, (Attribute::Capability, "PTP master", "ptp announce"));
        }
    }

    /// Boundary hops, action and TLV behind the target's identity (IEEE 1588-2008 clause 15.4).
    fn management(&mut self, slot: &Slot, data: &[u8], out: &mut dyn Sink) {
        let mut c = Cursor::new(data);
        let Some(code) = c.skip(HEADER + 10 + 2).and_then(|()| c.u8()) else { return };
        let (name, class) = action(code & 0x0f);
        self.describe(slot, "");
        if let (Some(()), Some(1), Some(_), Some(id)) = (c.skip(1), c.be16(), c.be16(), c.be16()) {
            self.detail.number("management_id", id);
        }
        self.emit(&Slot { name, ..*slot }, class, out);
    }

    fn describe(&mut self, slot: &Slot, occasion: &'static str) {
        let Slot { header, grandmaster, .. } = slot;
        let detail = &mut self.detail;
        detail.clear();
        detail.number("version", header.version);
        detail.number("domain", header.domain);
        detail.text("clock", Hex(&header.clock));
        detail.number("port", header.port);
        detail.number("sequence", header.sequence);
        if !occasion.is_empty() {
            detail.text("occasion", occasion);
        }
        if let Some(grandmaster) = grandmaster {
            detail.text("grandmaster", Hex(&grandmaster.identity));
            detail.number(if header.version == 1 { "stratum" } else { "clock_class" }, grandmaster.class);
            if let Some((first, second)) = grandmaster.priority {
                detail.number("priority1", first);
                detail.number("priority2", second);
            }
            if let Some(source) = grandmaster.source {
                detail.text("time_source", time_source(source));
            }
        }
    }

    fn tell(&mut self, slot: &Slot, occasion: &'static str, class: OperationClass, out: &mut dyn Sink) {
        self.describe(slot, occasion);
        self.emit(slot, class, out);
    }

    fn emit(&mut self, slot: &Slot, class: OperationClass, out: &mut dyn Sink) {
        let object = match slot.grandmaster.map(|grandmaster| (mac(grandmaster.identity), grandmaster.identity)) {
            Some((Some(mac), _)) => format!("grandmaster {mac}"),
            Some((None, identity)) => format!("grandmaster {}", Hex(&identity)),
            None => String::new(),
        };
        out.emit(
            slot.last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: slot.ends.0,
                server: slot.ends.1,
                unit: Some(u32::from(slot.header.domain)),
                code: u32::from(slot.header.kind),
                name: slot.name,
                class,
                object: &object,
                quantity: Some(slot.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: Some(slot.last.frame),
                reply_frame: None,
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

/// Name of a time source (IEEE 1588-2008 table 7).
const fn time_source(code: u8) -> &'static str {
    match code {
        0x10 => "atomic clock",
        0x20 => "GNSS",
        0x30 => "terrestrial radio",
        0x40 => "PTP",
        0x50 => "NTP",
        0x60 => "hand set",
        0x90 => "other",
        0xa0 => "internal oscillator",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    const UP: Direction = Direction::FromClient;

    /// Written from IEEE 1588-2008 tables 18 and 25.
    fn announce(sequence: u8, grandmaster: &str) -> Vec<u8> {
        let mut bytes = hex("0b02 0040 00 00 003c 0000000000000000 00000000 001b19fffe000102 0001 00");
        bytes.extend([sequence, 5, 1]);
        bytes.extend(hex("00000000000000000000 0025 00 80 06 21 4e5d 80"));
        bytes.extend(hex(grandmaster));
        bytes.extend(hex("0000 20"));
        bytes
    }

    /// `wireshark-wiki-ptpv2.pcap` frame 1; `wireshark-wiki-ptp-sync.pcap` frame 1, cut behind the stratum; a SET by hand.
    fn samples() -> Vec<Vec<u8>> {
        vec![
            announce(1, "001b19fffe000102"),
            hex("0202 0036 0000000000000000000000000000 0000 008063ffff0009ba 0002 045e 05 0f \
                 000045b111491c4178f4 00000000000000000000"),
            hex("00010001 5f44464c540000000000000000000000 0101 0030051d1e27 0001 005e 0000 0008 00000000 \
                 455b0a380eb92658 0000 0000 0001 0030051d1e27 0000 005e 00000004"),
            hex("0d02 0036 0000000000000000000000000000 0000 008063ffff0009ba 0002 0001 04 7f \
                 ffffffffffffffffffff 0000 0100 0001 0002 200f"),
        ]
    }

    #[test]
    fn clocks_and_grandmasters_are_told() {
        let mut samples = samples();
        samples.push(announce(2, "001b19fffe000102"));
        samples.push(announce(3, "020000fffe00beef"));
        let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|bytes| (UP, bytes.as_slice())).collect();
        let out = feed(&Ptp, &flow(Transport::Udp, 320), &pieces);
        let rows = out.of("operation");
        let facts: Vec<_> =
            rows.iter().map(|r| format!("{} {} {} {}", r["class"], r["name"], r["object"], r["quantity"])).collect();
        let expected = [
            r#""cyclic" "Announce" "grandmaster 00:1b:19:00:01:02" 1"#,
            r#""cyclic" "Pdelay_Req" "" 1"#,
            r#""cyclic" "Sync" "grandmaster 00:30:05:1d:1e:27" 1"#,
            r#""configure" "Management SET" "" 1"#,
            r#""cyclic" "Announce" "grandmaster 02:00:00:00:be:ef" 3"#,
            r#""cyclic" "Announce" "grandmaster 02:00:00:00:be:ef" 3"#,
        ];
        assert_eq!(facts, expected);
        assert!(rows[0]["detail"].as_str().unwrap().contains("GNSS"));
        assert!(rows[3]["detail"].as_str().unwrap().contains("\"management_id\":8207"));
        assert!(out.marks.is_empty(), "{:?}", out.marks);
    }

    #[test]
    fn truncations_do_not_panic() {
        let flow = flow(Transport::Udp, 319);
        for bytes in samples() {
            for end in 1..bytes.len() {
                let _ = Ptp.probe(&pdu(&flow, 0, UP, &bytes[..end]));
                let out = feed_unprobed(&Ptp, &flow, &[(UP, &bytes[..end])]);
                assert!(!out.marks.is_empty(), "cut at {end} is not told");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 1..120)) {
            for front in ["", "0b020040", "0d020030", "00010001"] {
                let mut message = hex(front);
                message.extend(&bytes);
                feed_unprobed(&Ptp, &flow(Transport::Udp, 319), &[(UP, &message), (UP, &message)]);
            }
        }
    }
}
