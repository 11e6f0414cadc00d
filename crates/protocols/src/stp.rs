//! Spanning tree (IEEE 802.1D, 802.1w, 802.1s): which switch is root, which ports forward, and when that changes.

use std::fmt::Write as _;

use quaywatch_model::{Attribute, MacAddr, Mark, Observation, Operation, OperationClass, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "stp";
/// LLC service access point (IEEE 802.1D clause 7.12.3).
const SAP: u16 = 0x0042;
/// SNAP protocol id of Cisco's per-VLAN spanning tree.
const PVST: u16 = 0x010b;

/// The registry entry.
pub struct Stp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Spanning tree",
    tcp: &[],
    udp: &[],
    ethertypes: &[SAP, PVST],
    spec: "IEEE 802.1D-2004 clause 9, IEEE 802.1Q clause 14 (MSTP)",
    found: "between switches; on a port that leads to a crane it shows the switch behind it",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Root, bridge, port, cost, role and flags: the first of a port and every change. Regions and instances of MSTP are \
            named only.",
};

impl Protocol for Stp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let ours = matches!(pdu.flow.transport, Transport::Link(SAP | PVST));
        if ours && Bpdu::read(pdu.data).is_some() { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(StpFlow {
            last: None,
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
            object: String::new(),
        })
    }
}

/// A bridge identifier: priority without the VLAN id in its low bits, that id, and an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Bridge {
    priority: u16,
    vlan: u16,
    mac: MacAddr,
}

impl Bridge {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let word = cursor.be16()?;
        let mac = MacAddr(*cursor.take(6)?.first_chunk()?);
        Some(Bridge { priority: word & 0xf000, vlan: word & 0x0fff, mac })
    }
}

/// What a configuration says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Configuration {
    flags: u8,
    root: Bridge,
    cost: u32,
    bridge: Bridge,
    port: u16,
}

/// A bridge protocol data unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Bpdu {
    version: u8,
    kind: u8,
    /// None in a topology change notification.
    configuration: Option<Configuration>,
}

/// Type of a topology change notification (clause 9.3.2).
const CHANGE: u8 = 0x80;

impl Bpdu {
    fn read(data: &[u8]) -> Option<Self> {
        // The LLC control byte of an unnumbered frame may stand in front.
        let data = match data {
            [3, 0, 0, rest @ ..] | [0, 0, rest @ ..] => rest,
            _ => return None,
        };
        let mut cursor = Cursor::new(data);
        let (version, kind) = (cursor.u8()?, cursor.u8()?);
        match (version, kind) {
            (_, CHANGE) => return Some(Bpdu { version, kind, configuration: None }),
            (0 | 2 | 3, 0) | (2 | 3, 2) => {}
            _ => return None,
        }
        let configuration = Configuration {
            flags: cursor.u8()?,
            root: Bridge::read(&mut cursor)?,
            cost: cursor.be32()?,
            bridge: Bridge::read(&mut cursor)?,
            port: cursor.be16()?,
        };
        Some(Bpdu { version, kind, configuration: Some(configuration) })
    }

    const fn name(self) -> &'static str {
        match (self.version, self.kind) {
            (_, CHANGE) => "topology change notification",
            (0, _) | (_, 0) => "configuration",
            (2, _) => "rapid configuration",
            _ => "multiple configuration",
        }
    }
}

/// Role of the sending port (clause 9.3.3, flags bits 3 and 4).
const fn role(flags: u8) -> &'static str {
    match flags >> 2 & 3 {
        1 => "alternate or backup",
        2 => "root",
        3 => "designated",
        _ => "unknown",
    }
}

struct StpFlow {
    last: Option<Bpdu>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    object: String,
}

impl Analyzer for StpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(bpdu) = Bpdu::read(pdu.data) else {
            if !pdu.cut {
                let (sender, receiver) = (pdu.sender(), pdu.receiver());
                let detail = "neither a configuration nor a topology change";
                let weird = Weird { name: "stp_bpdu", protocol: PROTOCOL, detail, sender, receiver };
                out.emit(pdu.at, Observation::Weird(weird));
                out.mark(Mark::Malformed(detail));
            }
            return;
        };
        // A port repeats itself every two seconds.
        if self.last.replace(bpdu) == Some(bpdu) && bpdu.configuration.is_some() {
            return;
        }
        self.tell(pdu, &bpdu, out);
    }
}

impl StpFlow {
    fn tell(&mut self, pdu: &Pdu<'_>, bpdu: &Bpdu, out: &mut dyn Sink) {
        self.object.clear();
        self.detail.clear();
        self.detail.number("version", bpdu.version);
        self.detail.number("type", bpdu.kind);
        if let Some(c) = bpdu.configuration {
            // Writing to a string cannot fail.
            let _ = write!(self.object, "root {} {}", c.root.priority, c.root.mac);
            self.detail.number("root_priority", c.root.priority);
            self.detail.text("root", c.root.mac);
            self.detail.number("cost", c.cost);
            self.detail.number("bridge_priority", c.bridge.priority);
            self.detail.text("bridge", c.bridge.mac);
            if c.bridge.vlan != 0 {
                self.detail.number("vlan", c.bridge.vlan);
            }
            self.detail.number("port", c.port);
            if bpdu.version >= 2 {
                self.detail.text("role", role(c.flags));
            }
            self.detail.flag("topology_change", c.flags & 1 != 0);
            let subject = pdu.sender().address;
            self.claims.identify(out, pdu.at, subject, (Attribute::Capability, "bridge", "stp bpdu"));
        }
        out.emit(
            pdu.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: pdu.sender(),
                server: pdu.receiver(),
                unit: None,
                code: u32::from(bpdu.kind),
                name: bpdu.name(),
                class: OperationClass::Cyclic,
                object: &self.object,
                quantity: None,
                status: None,
                status_name: "",
                latency: None,
                request_frame: Some(pdu.at.frame),
                reply_frame: None,
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    const CONFIGURATION: &str =
        "03 0000 02 02 3c 8000 000c305dd100 00000004 9001 000c305dd1ff 8005 0000 1400 0200 0f00 00";

    #[test]
    fn a_port_is_told_once_and_when_it_changes() {
        let (first, changed) = (hex(CONFIGURATION), hex(&CONFIGURATION.replace("02 02 3c", "02 02 3d")));
        let notification = hex("03 0000 00 80");
        let rows = feed(
            &Stp,
            &flow(Transport::Link(SAP), 0),
            &[(FromClient, &first), (FromClient, &first), (FromClient, &changed), (FromClient, &notification)],
        );
        let told = rows.of("operation");
        assert_eq!(told.len(), 3);
        assert_eq!(
            (&told[0]["name"], &told[0]["object"]),
            (&json!("rapid configuration"), &json!("root 32768 00:0c:30:5d:d1:00"))
        );
        let detail: serde_json::Value = serde_json::from_str(told[0]["detail"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&detail["bridge_priority"], &detail["vlan"], &detail["role"], &detail["port"]),
            (&json!(36864), &json!(1), &json!("designated"), &json!(0x8005))
        );
        assert_eq!(told[2]["name"], "topology change notification");
    }

    #[test]
    fn other_frames_are_refused() {
        let llc = flow(Transport::Link(SAP), 0);
        for bytes in ["03 0001 00 00", "03 0000 07 00 00", "ff", "03 0000 02 02 3c 8000"] {
            assert_eq!(Stp.probe(&pdu(&llc, 0, FromClient, &hex(bytes))), Probe::No, "{bytes}");
        }
        let rows = feed_unprobed(&Stp, &llc, &[(FromClient, b"xx")]);
        assert_eq!(rows.of("weird")[0]["name"], "stp_bpdu");
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..60), cut in 1usize..40) {
            let whole = hex(CONFIGURATION);
            let cut = whole.get(..cut).unwrap_or(&whole);
            feed_unprobed(&Stp, &flow(Transport::Link(SAP), 0), &[(FromClient, &data), (FromClient, cut)]);
        }
    }
}
