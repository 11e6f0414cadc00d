//! PROFINET IO context management: a controller takes a device into a relation, gives it its parameters, and reads its records.
//!
//! Connectionless DCE/RPC on UDP port 34964; a device answers from a port of its own, so that the answer to the first call of a relation
//! comes on another flow than the call. Such an answer stands as a row of its own; `activity` joins the two.

mod block;
mod call;
pub(crate) mod names;
mod rpc;
mod tell;
#[cfg(test)]
mod tests;

use quaywatch_model::{Direction, Mark, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::deviation::malformed_if_whole;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol};
use call::Call;
use rpc::{Arguments, CALL_LIMIT, Kind, Packet, Uuid};
use tell::{Ask, Teller};

pub(crate) const PROTOCOL: &str = "profinet-io-cm";
/// Calls that wait for answers at the same time.
pub const WAITING_LIMIT: usize = 16;
/// Calls that are put together from fragments at the same time.
const ASSEMBLY_LIMIT: usize = 4;

/// The registry entry.
pub struct ProfinetCm;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "PROFINET IO context management",
    tcp: &[],
    udp: &[34964],
    ethertypes: &[],
    spec: "IEC 61158-6-10 (application layer of PROFINET IO); The Open Group C706 (DCE/RPC)",
    found: "Controllers of cranes and their drives, encoders, remote I/O, spreader modules; engineering stations that read records",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Connect with relation, cyclic connections, expected and differing submodules; read, write (also of several records), control, release; \
            status in words; identification I&M0 to 3. The contents of other records are not decoded.",
};

impl Protocol for ProfinetCm {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match Packet::read(pdu.data).filter(|_| pdu.flow.transport == Transport::Udp) {
            Some(packet) if packet.from_server => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(CmFlow { waiting: Pairing::new(WAITING_LIMIT), assembly: Vec::new(), teller: Teller::default() })
    }
}

/// Fragments of a call so far.
struct Assembly {
    key: (bool, Uuid, u32),
    next: u16,
    body: Vec<u8>,
}

struct CmFlow {
    /// By who asks, activity and number of the call in it.
    waiting: Pairing<(Direction, Uuid, u32), Ask>,
    assembly: Vec<Assembly>,
    teller: Teller,
}

impl Analyzer for CmFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(packet) = Packet::read(pdu.data) else {
            return malformed_if_whole(
                PROTOCOL,
                pdu,
                "profinet_cm_header",
                "RPC header of PROFINET is not possible",
                out,
            );
        };
        match packet.kind {
            Kind::Request | Kind::Response => {}
            Kind::Refusal => return self.refused(pdu, &packet, out),
            Kind::Service(_) => return,
        }
        let Some(number) = packet.fragment else { return self.whole(pdu, &packet, packet.body, out) };
        if let Some(body) = self.assemble(&packet, number) {
            self.whole(pdu, &packet, &body, out);
        } else if packet.last {
            out.mark(Mark::Undecoded("call whose fragments are not all there"));
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.teller.lost(&ask, out);
        }
    }
}

impl CmFlow {
    /// The whole body once the last fragment is there; `None` before, or if one is missing.
    fn assemble(&mut self, packet: &Packet<'_>, number: u16) -> Option<Vec<u8>> {
        let key = (packet.from_server, packet.activity, packet.sequence);
        if number == 0 {
            self.assembly.retain(|one| one.key != key);
            if self.assembly.len() >= ASSEMBLY_LIMIT {
                self.assembly.remove(0);
            }
            self.assembly.push(Assembly { key, next: 0, body: Vec::new() });
        }
        let place = self.assembly.iter().position(|one| one.key == key)?;
        let one = self.assembly.get_mut(place)?;
        // A fragment that is sent again, or one whose turn has not come: C706 has the sender repeat from the missing one on.
        if one.next != number || one.body.len().saturating_add(packet.body.len()) > CALL_LIMIT {
            return None;
        }
        one.next = one.next.wrapping_add(1);
        one.body.extend_from_slice(packet.body);
        packet.last.then(|| self.assembly.remove(place).body)
    }

    fn whole(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, body: &[u8], out: &mut dyn Sink) {
        let is_response = packet.kind == Kind::Response;
        let Some(arguments) = Arguments::read(body, packet.little, is_response) else {
            return malformed_if_whole(
                PROTOCOL,
                pdu,
                "profinet_cm_arguments",
                "arguments of the call are cut short",
                out,
            );
        };
        let call = Call::read(packet, &arguments);
        if call.broken {
            malformed_if_whole(PROTOCOL, pdu, "profinet_cm_block", "a block is longer than the call", out);
        }
        if is_response {
            let ask = self.waiting.answer(&(pdu.direction.reverse(), packet.activity, packet.sequence));
            return self.teller.answered(ask.as_ref(), pdu, call, arguments.status, out);
        }
        let key = (pdu.direction, packet.activity, packet.sequence);
        // A call is sent again until it is answered.
        if self.waiting.find(&key).is_some() {
            return out.mark(Mark::Opaque("retransmission"));
        }
        self.teller.claim_asked(pdu, &call, out);
        if let Some(lost) = self.waiting.ask(key, Ask::new(pdu, call)) {
            self.teller.lost(&lost, out);
        }
    }

    fn refused(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) {
        let ask = self.waiting.answer(&(pdu.direction.reverse(), packet.activity, packet.sequence));
        let call = Call::refused(packet);
        self.teller.answered(ask.as_ref(), pdu, call, None, out);
    }
}
