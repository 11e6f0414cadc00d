//! Microsoft's remote procedure calls over TCP (C706 chapter 12, MS-RPCE): services, registry, accounts, tasks, DCOM and OPC
//! classic of Windows computers. Named pipes of SMB carry the same packets; [`conversation`] reads both.

pub mod conversation;
mod names;
pub mod packet;
#[cfg(test)]
mod tests;

use quaywatch_model::{At, Direction, Mark, Observation, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use self::conversation::{Conversation, Place};
use self::packet::{HEADER, Header};
use crate::analyzer::{Depth, Purpose};
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "msrpc";

/// The registry entry.
pub struct Msrpc;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Microsoft RPC",
    tcp: &[135],
    udp: &[],
    ethertypes: &[],
    spec: "C706 chapter 12, MS-RPCE 2.2.2, MS-SCMR, MS-SAMR, MS-DRSR, MS-DCOM",
    found: "Windows servers, operator computers, OPC classic between HMI and gateway; also inside SMB pipes",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Interfaces bound, logins, calls by name and result, ports given by the endpoint mapper; arguments of calls are not read",
};

impl Protocol for Msrpc {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        match Header::read(pdu.data) {
            Some(header) if usize::from(header.length) < HEADER + 8 => Probe::No,
            Some(header) if header.is_from_server() => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(MsrpcFlow {
            from_client: Resync::new(usize::from(u16::MAX)),
            from_server: Resync::new(usize::from(u16::MAX)),
            talk: Conversation::default(),
            last: None,
        })
    }
}

struct MsrpcFlow {
    from_client: Resync,
    from_server: Resync,
    talk: Conversation,
    last: Option<At>,
}

impl Analyzer for MsrpcFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let MsrpcFlow { from_client, from_server, talk, last } = self;
        *last = Some(pdu.at);
        let from_server_side = pdu.direction == Direction::FromServer;
        let place = Place {
            at: pdu.at,
            client: pdu.flow.client,
            server: pdu.flow.server,
            from_server: from_server_side,
            piped: false,
        };
        let framer = if from_server_side { from_server } else { from_client };
        let framed = framer.push(
            pdu.data,
            |piece| Header::read(piece).is_some(),
            packet::length,
            |bytes| {
                talk.packet(&place, bytes, out);
            },
        );
        if framed == Ok(false) {
            out.mark(Mark::Undecoded("behind a gap"));
        }
        if framed.is_err() {
            let reason = "not a packet of RPC version 5";
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let row = Weird { name: "msrpc_framing", protocol: PROTOCOL, detail: reason, sender, receiver };
            out.emit(pdu.at, Observation::Weird(row));
            out.mark(Mark::Malformed(reason));
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        let framer = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        framer.gap();
        self.talk.give_up(out);
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
        if let Some(at) = self.last {
            self.talk.tell_repeated(at, out);
        }
    }
}
