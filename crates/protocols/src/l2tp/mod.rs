//! L2TP version 2 (RFC 2661) and 3 (RFC 3931): who opens a tunnel to whom, with what software, the calls and sessions in it.

mod message;
mod names;
mod ppp;
mod talk;
#[cfg(test)]
mod tests;

use quaywatch_model::{Mark, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::message::{IP_PROTOCOL, Packet};
use self::talk::Talk;
use crate::analyzer::{Depth, Purpose};
use crate::deviation::malformed_if_whole;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "l2tp";

/// The protocol.
pub struct L2tp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "L2TP",
    tcp: &[],
    udp: &[1701],
    ethertypes: &[],
    spec: "RFC 2661, RFC 3931; PAP and CHAP inside: RFC 1334, RFC 1994",
    found: "VPN gateways and cellular routers, mostly inside IPsec; pseudowires of carriers",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Control messages with host names, software, calls and results; logins of callers in the clear; sessions with their \
            packets counted. What sessions carry is not read.",
};

impl Protocol for L2tp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let transport = pdu.flow.transport;
        if !matches!(transport, Transport::Udp | Transport::Ip(IP_PROTOCOL)) {
            return Probe::No;
        }
        let usual = [pdu.flow.client.port, pdu.flow.server.port].contains(&1701);
        match message::read(pdu.data, transport) {
            Some(Packet::Control(control)) if control.exact => match message::message_type(control.attributes) {
                Some(2) => Probe::YesFromServer,
                Some(kind) if names::message(kind).is_some() => Probe::Yes,
                None if control.attributes.is_empty() => Probe::Unsure,
                _ => Probe::No,
            },
            // The protocol number is L2TP's own.
            Some(Packet::Data(_)) if transport != Transport::Udp => Probe::Yes,
            // Data looks like much else: only the port tells.
            Some(Packet::Data(data)) if usual && (data.version == 3 || ppp::frame(data.payload).is_some()) => {
                Probe::Unsure
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(L2tpFlow::default())
    }
}

#[derive(Default)]
struct L2tpFlow {
    talk: Talk,
}

impl Analyzer for L2tpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match message::read(pdu.data, pdu.flow.transport) {
            // An acknowledgement alone.
            Some(Packet::Control(control)) if control.attributes.is_empty() => {}
            Some(Packet::Control(control)) => self.talk.control(&control, pdu, out),
            Some(Packet::Data(data)) => match self.talk.data(&data, pdu, out) {
                Some(mark) => out.mark(mark),
                None if data.version == 3 => out.mark(Mark::Undecoded("pseudowire inside l2tp")),
                None => {}
            },
            None => {
                let reason = "neither a control message nor a packet of a session";
                malformed_if_whole(PROTOCOL, pdu, "l2tp_header_malformed", reason, out);
            }
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.close(out);
    }
}
