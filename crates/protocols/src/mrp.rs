//! MRP, the media redundancy protocol of industrial rings (IEC 62439-2), EtherType 0x88e3.
//!
//! A ring manager sends test frames out of both ring ports and blocks one of them while they come back: the ring is closed. When they
//! do not it opens the other way. Test frames come every 20 ms, so only the first, changes of the ring's state and the count are told.

use quaywatch_model::{
    Address, At, Attribute, Endpoint, MacAddr, Observation, Operation, OperationClass, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};
use crate::deviation::malformed_if_whole;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "mrp";
const ETHERTYPE: u16 = 0x88e3;

/// Types of elements.
const END: u8 = 0;
const COMMON: u8 = 1;
const TEST: u8 = 2;
const TOPOLOGY_CHANGE: u8 = 3;
const LINK_DOWN: u8 = 4;
const LINK_UP: u8 = 5;

/// The registry entry.
pub struct Mrp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "MRP",
    tcp: &[],
    udp: &[],
    ethertypes: &[ETHERTYPE],
    spec: "IEC 62439-2",
    found: "Rings of industrial switches on cranes and along quays",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Test frames with manager, priority and ring state; topology changes; links up and down. Of interconnections the type only.",
};

impl Protocol for Mrp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let fits = Frame::read(pdu.data).is_some_and(|frame| !frame.broken);
        if fits && pdu.flow.transport == Transport::Link(ETHERTYPE) { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Ring::default())
    }
}

/// What a test frame says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Test {
    priority: u16,
    manager: MacAddr,
    port: u16,
    open: bool,
    transition: u16,
}

/// A frame: what it is for, and its common element.
#[derive(Clone, Copy, Default, Debug)]
struct Frame<'a> {
    kind: u8,
    content: &'a [u8],
    sequence: Option<u16>,
    domain: Option<&'a [u8]>,
    broken: bool,
}

impl<'a> Frame<'a> {
    /// Reads a frame body; `None` if it is not of version 1 or its first element is unknown.
    fn read(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let mut frame = Frame::default();
        if cursor.be16()? != 1 {
            return None;
        }
        frame.kind = body.get(2).copied().filter(|kind| (TEST..=0x0a).contains(kind))?;
        frame.broken = frame.elements(&mut cursor).is_none();
        Some(frame)
    }

    fn elements(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        loop {
            let kind = cursor.u8()?;
            let length = usize::from(cursor.u8()?);
            let content = cursor.take(length)?;
            match kind {
                END => return Some(()),
                COMMON => {
                    let mut inner = Cursor::new(content);
                    self.sequence = Some(inner.be16()?);
                    self.domain = Some(inner.take(16)?);
                }
                kind if kind == self.kind => self.content = content,
                // Options of makers.
                _ => {}
            }
        }
    }

    fn test(&self) -> Option<Test> {
        let mut cursor = Cursor::new(self.content);
        Some(Test {
            priority: cursor.be16()?,
            manager: mac(&mut cursor)?,
            port: cursor.be16()?,
            open: cursor.be16()? == 0,
            transition: cursor.be16()?,
        })
    }
}

fn mac(cursor: &mut Cursor<'_>) -> Option<MacAddr> {
    cursor.take(6)?.first_chunk().map(|bytes| MacAddr(*bytes))
}

const fn name(kind: u8) -> &'static str {
    match kind {
        TEST => "ring test",
        TOPOLOGY_CHANGE => "topology change",
        LINK_DOWN => "link down",
        LINK_UP => "link up",
        0x06 => "interconnection test",
        0x07 => "interconnection topology change",
        0x08 => "interconnection link down",
        0x09 => "interconnection link up",
        _ => "interconnection link status poll",
    }
}

/// The frames of one sender to one group.
#[derive(Default)]
struct Ring {
    test: Option<Test>,
    count: u64,
    last: Option<(At, Endpoint, Endpoint)>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Ring {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(frame) = Frame::read(pdu.data) else {
            return malformed_if_whole(PROTOCOL, pdu, "mrp_malformed_frame", "unknown version or element", out);
        };
        if frame.broken {
            return malformed_if_whole(PROTOCOL, pdu, "mrp_malformed_frame", "element cut short or no end", out);
        }
        self.detail.clear();
        if let Some(domain) = frame.domain {
            self.detail.text("domain", Hex(domain));
        }
        self.detail.number("sequence", frame.sequence.unwrap_or(0));
        match frame.kind {
            TEST => self.tested(&frame, pdu, out),
            kind => self.changed(kind, &frame, pdu, out),
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        if let (Some(test), Some((at, client, server)), 2..) = (self.test, self.last, self.count) {
            self.detail.clear();
            describe(&test, &mut self.detail);
            let object = test.manager.to_string();
            self.tell(TEST, "ring tests", (&object, self.count), (at, client, server), out);
        }
    }
}

impl Ring {
    fn tested(&mut self, frame: &Frame<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(test) = frame.test() else {
            return malformed_if_whole(PROTOCOL, pdu, "mrp_malformed_frame", "test element cut short", out);
        };
        let before = self.test.replace(test);
        let ends = (pdu.at, pdu.receiver(), pdu.sender());
        self.last = Some(ends);
        self.count = self.count.saturating_add(1);
        if before == Some(test) {
            return;
        }
        let role = (Attribute::Capability, "mrp ring manager", "mrp test");
        self.claims.identify(out, pdu.at, Address::Mac(test.manager), role);
        let opened = test.open && before.is_some_and(|before| !before.open);
        if opened {
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let detail = "the ring manager's test frames no longer come back: a link or switch of the ring is down";
            let weird = Weird { name: "mrp_ring_opened", protocol: PROTOCOL, detail, sender, receiver };
            out.emit(pdu.at, Observation::Weird(weird));
        }
        let name = match before {
            None => name(TEST),
            Some(_) if opened => "ring opened",
            Some(before) if before.open && !test.open => "ring closed",
            Some(before) if before.manager != test.manager => "ring manager changed",
            Some(_) => "ring test change",
        };
        describe(&test, &mut self.detail);
        let object = test.manager.to_string();
        self.tell(TEST, name, (&object, self.count), ends, out);
    }

    /// Frames other than tests: each one tells of a change.
    fn changed(&mut self, kind: u8, frame: &Frame<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(frame.content);
        if kind == TOPOLOGY_CHANGE
            && let Some(priority) = cursor.be16()
        {
            self.detail.number("priority", priority);
        }
        let station = mac(&mut cursor).filter(|_| kind <= LINK_UP);
        if let (LINK_DOWN | LINK_UP, Some(port)) = (kind, cursor.be16()) {
            self.detail.text("port", port_role(port));
        }
        if let (TOPOLOGY_CHANGE..=LINK_UP, Some(interval)) = (kind, cursor.be16()) {
            self.detail.number("interval_ms", interval);
        }
        let object = station.map_or_else(String::new, |mac| mac.to_string());
        self.tell(kind, name(kind), (&object, 1), (pdu.at, pdu.receiver(), pdu.sender()), out);
    }

    fn tell(
        &mut self,
        kind: u8,
        name: &'static str,
        (object, count): (&str, u64),
        (at, client, server): (At, Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let cyclic = kind == TEST && !matches!(name, "ring opened" | "ring closed" | "ring manager changed");
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: None,
                code: kind.into(),
                name,
                class: if cyclic { OperationClass::Cyclic } else { OperationClass::Diagnose },
                object,
                quantity: Some(count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

fn describe(test: &Test, detail: &mut DetailJson) {
    detail.text("manager", test.manager);
    detail.text("priority", format_args!("{:#06x}", test.priority));
    detail.text("port", port_role(test.port));
    detail.text("ring_state", if test.open { "open" } else { "closed" });
    detail.number("transitions", test.transition);
}

const fn port_role(role: u16) -> &'static str {
    match role {
        0 => "primary ring port",
        1 => "secondary ring port",
        _ => "other port",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex};
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;

    const COMMON_END: &str = "0112 2b7c ffffffffffffffffffffffffffffffff 0000";

    /// `mixed/agentcarter-teb.pcapng` frame 3, with another state and without the maker's option.
    fn test(state: &str) -> Vec<u8> {
        hex(&format!("0001 0212 a000 d4f5272147ce 0001 {state} 000a ae3d4f8e {COMMON_END}"))
    }

    #[test]
    fn a_ring_that_opens_is_weird() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let (closed, open) = (test("0001"), test("0000"));
        let pieces = [&closed, &closed, &open, &open, &closed].map(|frame| (FromClient, &frame[..]));
        let rows = feed(&Mrp, &flow, &pieces);
        assert_eq!(rows.marks, []);
        let names: Vec<_> = rows.of("operation").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, ["ring test", "ring opened", "ring closed", "ring tests"]);
        assert_eq!(rows.of("operation")[3]["quantity"], 5);
        assert_eq!(rows.of("weird")[0]["name"], "mrp_ring_opened");
        assert_eq!(rows.of("identity")[0]["subject"], "d4:f5:27:21:47:ce");
    }

    #[test]
    fn links_and_topology_are_told_each_time() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let down = hex(&format!("0001 040c 020000000001 0001 0014 0001 {COMMON_END}"));
        let change = hex(&format!("0001 030a 8000 020000000001 000a {COMMON_END}"));
        let rows = feed(&Mrp, &flow, &[(FromClient, &down), (FromClient, &change), (FromClient, &change)]);
        let operations = rows.of("operation");
        assert_eq!(operations.len(), 3);
        assert_eq!(operations[0]["name"], "link down");
        assert_eq!(operations[0]["object"], "02:00:00:00:00:01");
        assert_eq!(operations[1]["class"], "diagnose");
    }

    #[test]
    fn what_is_cut_short_is_weird() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let whole = test("0000");
        let rows = feed_unprobed(&Mrp, &flow, &[(FromClient, &whole[..12])]);
        assert_eq!(rows.of("weird")[0]["name"], "mrp_malformed_frame");
        for end in 1..whole.len() {
            feed_unprobed(&Mrp, &flow, &[(FromClient, &whole[..end])]);
        }
    }

    proptest! {
        #[test]
        fn anything_is_survived(kind in 0u8..12, bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut frame = vec![0, 1, kind];
            frame.extend(bytes);
            feed_unprobed(&Mrp, &flow(Transport::Link(ETHERTYPE), 0), &[(FromClient, &frame)]);
        }
    }
}
