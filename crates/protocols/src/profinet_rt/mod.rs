//! PROFINET real time, EtherType 0x8892 without DCP: cyclic data, alarms, fragments; and PTCP, the clock of synchronous devices.
//!
//! Written from IEC 61158-6-10 (FrameID, RTC-PDU, RTA-PDU, FRAG-PDU, PTCP-PDU). A flow is a pair of MAC addresses, so one flow
//! carries discovery, process data and alarms: [`Station`] reads them all, told apart by the frame id.

mod alarm;
mod cyclic;
mod names;
mod ptcp;
pub mod status;
#[cfg(test)]
mod tests;

use quaywatch_model::{Address, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::deviation::malformed_if_whole;
use crate::profinet_dcp;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};
use alarm::Alarms;
use cyclic::Cyclic;
pub use cyclic::STREAM_LIMIT;
use ptcp::Ptcp as Clock;

const PROTOCOL: &str = "profinet-rt";
const PTCP: &str = "profinet-ptcp";
const DCP: &str = "profinet-dcp";

/// EtherType of PROFINET real time.
const PROFINET: u16 = 0x8892;

/// Bytes of the APDU status behind cyclic data: cycle counter, data status, transfer status.
const APDU_STATUS: usize = 4;

/// The registry entry of cyclic data, alarms and fragments.
pub struct ProfinetRt;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "PROFINET RT",
    tcp: &[],
    udp: &[],
    ethertypes: &[PROFINET],
    spec: "IEC 61158-6-10, RTC-PDU, RTA-PDU, FRAG-PDU",
    found: "Between a crane's PLC and its drives, remote I/O, encoders and safety modules",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Cyclic streams with cycle and data status, alarms with place and cause, aborts. What the process data mean is in \
            the project, not on the wire; fragments are counted, not joined.",
};

impl Protocol for ProfinetRt {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        probe(pdu, &[Kind::Cyclic, Kind::Alarm, Kind::Fragment])
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Station::default())
    }
}

/// The registry entry of PTCP.
pub struct ProfinetPtcp;

static PTCP_META: ProtocolMeta = ProtocolMeta {
    name: PTCP,
    title: "PROFINET PTCP",
    tcp: &[],
    udp: &[],
    ethertypes: &[PROFINET],
    spec: "IEC 61158-6-10, PTCP-PDU",
    found: "PROFINET switches and drives, port to port; synchronous drives of a crane under one sync master",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Sync, follow-up, announce and delay frames: sync master, subdomain, priorities, neighbours' delay requests.",
};

impl Protocol for ProfinetPtcp {
    fn meta(&self) -> &'static ProtocolMeta {
        &PTCP_META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        probe(pdu, &[Kind::Clock])
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Station::default())
    }
}

/// What a frame id stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Cyclic,
    Alarm,
    Clock,
    Dcp,
    Fragment,
    /// Reserved, or not in use.
    Reserved,
}

/// The kind of a frame id (IEC 61158-6-10, table "FrameID").
const fn kind(id: u16) -> Kind {
    match id {
        0x0020..=0x0021 | 0x0080..=0x0081 | 0xff00..=0xff01 | 0xff20..=0xff21 | 0xff40..=0xff43 => Kind::Clock,
        0x0100..=0x0fff | 0x8000..=0xfbff => Kind::Cyclic,
        0xfc01 | 0xfe01 => Kind::Alarm,
        0xfefc..=0xfeff => Kind::Dcp,
        0xff80..=0xff8f => Kind::Fragment,
        _ => Kind::Reserved,
    }
}

fn frame_id(body: &[u8]) -> Option<u16> {
    body.first_chunk::<2>().map(|id| u16::from_be_bytes(*id))
}

fn probe(pdu: &Pdu<'_>, kinds: &[Kind]) -> Probe {
    let Some(id) = frame_id(pdu.data) else { return Probe::No };
    let body = pdu.data.get(2..).unwrap_or_default();
    let fits = match kind(id) {
        Kind::Cyclic => body.len() >= APDU_STATUS,
        Kind::Alarm => alarm::Rta::read(body).is_some(),
        Kind::Clock => ptcp::Frame::read(id, body).is_some(),
        Kind::Fragment => body.len() >= 2,
        Kind::Dcp | Kind::Reserved => false,
    };
    if fits && pdu.flow.transport == Transport::Link(PROFINET) && kinds.contains(&kind(id)) {
        Probe::Yes
    } else {
        Probe::No
    }
}

/// Reads all that two stations say to each other on EtherType 0x8892.
pub(crate) struct Station {
    dcp: Box<dyn Analyzer>,
    cyclic: Cyclic,
    alarms: Alarms,
    clock: Clock,
    fragments: Fragments,
    /// Frames of DCP, real time and PTCP.
    counts: [u64; 3],
    service: &'static str,
}

impl Default for Station {
    fn default() -> Self {
        Station {
            dcp: profinet_dcp::reader(),
            cyclic: Cyclic::default(),
            alarms: Alarms::default(),
            clock: Clock::default(),
            fragments: Fragments::default(),
            counts: [0; 3],
            service: DCP,
        }
    }
}

impl Analyzer for Station {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(id) = frame_id(pdu.data) else {
            return malformed_if_whole(PROTOCOL, pdu, "profinet_rt_truncated", "frame id cut short", out);
        };
        let body = pdu.data.get(2..).unwrap_or_default();
        let at = match kind(id) {
            Kind::Dcp => {
                self.dcp.feed(pdu, out);
                0
            }
            Kind::Cyclic => {
                self.cyclic.feed(id, body, pdu, out);
                1
            }
            Kind::Alarm => {
                self.alarms.feed(id, body, pdu, out);
                1
            }
            Kind::Fragment => {
                self.fragments.feed(id, body, pdu, out);
                1
            }
            Kind::Clock => {
                self.clock.feed(id, body, pdu, out);
                2
            }
            Kind::Reserved => {
                out.mark(Mark::Undecoded("reserved frame id"));
                1
            }
        };
        self.service = [DCP, PROTOCOL, PTCP].get(at).copied().unwrap_or(PROTOCOL);
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(1);
        }
    }

    fn gap(&mut self, _direction: Direction, _missing: u32, _out: &mut dyn Sink) {}

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.dcp.close(flow, out);
        self.cyclic.close(out);
        self.alarms.close(out);
        self.clock.close(out);
        self.fragments.close(out);
        // The connection is named by what most of its frames were; at equal counts real time says more than discovery.
        let [dcp, real_time, clock] = self.counts;
        self.service = match real_time.max(clock).max(dcp) {
            most if most == real_time => PROTOCOL,
            most if most == dcp => DCP,
            _ => PTCP,
        };
    }

    /// Of the frame last fed; of the whole flow once it is closed.
    fn service(&self) -> Option<&'static str> {
        Some(self.service)
    }
}

/// Fragments of larger frames (dynamic frame packing and slow media): counted, as the frames inside are not joined.
#[derive(Default)]
struct Fragments {
    count: u64,
    last: Option<(quaywatch_model::At, Endpoint, Endpoint, u16)>,
}

impl Fragments {
    fn feed(&mut self, id: u16, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        // Length in units of 8 bytes and status (more follows, number) stand before the data.
        if body.len() <= 2 {
            return malformed_if_whole(PROTOCOL, pdu, "profinet_rt_truncated", "fragment without data", out);
        }
        out.mark(Mark::Undecoded("fragment of a larger frame"));
        self.count = self.count.saturating_add(1);
        let first = self.last.is_none();
        self.last = Some((pdu.at, receiver(pdu), sender(pdu), id));
        if first {
            self.tell("fragment", out);
        }
    }

    fn close(&mut self, out: &mut dyn Sink) {
        if self.count > 1 {
            self.tell("fragments exchanged", out);
        }
    }

    fn tell(&self, name: &'static str, out: &mut dyn Sink) {
        let Some((at, client, server, id)) = self.last else { return };
        let operation = Operation {
            protocol: PROTOCOL,
            client,
            server,
            unit: None,
            code: id.into(),
            name,
            class: OperationClass::Cyclic,
            object: "",
            quantity: Some(self.count),
            status: None,
            status_name: "",
            latency: None,
            request_frame: None,
            reply_frame: Some(at.frame),
            detail: &format!("{{\"frame_id\":\"{id:#06x}\"}}"),
        };
        out.emit(at, Observation::Operation(operation));
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
