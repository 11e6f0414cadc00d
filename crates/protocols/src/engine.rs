//! Brings packets to analyzers: finds the flow, recognises its protocol by content, feeds it, and
//! keeps the account of where every packet ended.

mod coverage;
mod expect;
mod guess;
mod profile;
mod stage;

use std::fmt::Write as _;

use quaywatch_model::{
    Address, At, Connection, Direction, Disposition, Endpoint, Mark, Observation, SegmentId, Sink, Transport, Weird,
};
use quaywatch_wire::community::community_id;
use quaywatch_wire::dissect::Dissector;
use quaywatch_wire::flow_table::{FirstPacket, FlowIndex, FlowKey, FlowLimits, FlowState, FlowTable, Opening, Side};
use quaywatch_wire::layers::{BadHeader, IpPacket, Layers, Network, Segment, Tunnels};
use quaywatch_wire::tcp::{Ready, Taken, TcpSegment};
use quaywatch_wire::{Packet, Pdu};

use crate::Protocol;
use coverage::Account;
use expect::Expected;
pub use guess::known_port;
use profile::Samples;
use stage::{Fed, Stage};

/// Settings of the engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Limits of the flow table.
    pub flows: FlowLimits,
}

/// Reads packets of any number of captures, in time order, and emits what their protocols say.
pub struct Engine {
    protocols: &'static [&'static dyn Protocol],
    dissector: Dissector,
    flows: FlowTable<Stage>,
    books: Books,
    scratch: String,
}

/// What the engine keeps over all flows.
#[derive(Default)]
struct Books {
    account: Account,
    expected: Expected,
    samples: Samples,
}

/// The parts of a packet that the flow's bookkeeping needs.
#[derive(Clone, Copy)]
struct Arrival {
    at: At,
    wire_length: u32,
    source_mac: Option<quaywatch_model::MacAddr>,
    destination_mac: Option<quaywatch_model::MacAddr>,
    vlan: Option<u16>,
    tunnels: Tunnels,
    ttl: Option<u8>,
}

/// A payload with its two ends.
#[derive(Clone, Copy)]
struct Datagram<'a> {
    transport: Transport,
    source: Endpoint,
    destination: Endpoint,
    payload: &'a [u8],
    cut: bool,
}

impl Engine {
    /// An engine for these protocols, usually [`PROTOCOLS`](crate::PROTOCOLS).
    #[must_use]
    pub fn new(protocols: &'static [&'static dyn Protocol], options: Options) -> Self {
        Engine {
            protocols,
            dissector: Dissector::default(),
            flows: FlowTable::new(options.flows),
            books: Books::default(),
            scratch: String::new(),
        }
    }

    /// Takes the next packet, captured on `segment`.
    pub fn packet(&mut self, packet: &Packet<'_>, segment: SegmentId, out: &mut dyn Sink) {
        let at = At { ts: packet.ts, source: packet.source, segment, frame: packet.frame, ..At::default() };
        while let Some(index) = self.flows.expired(packet.ts) {
            self.end_flow(index, out);
        }
        // The dissector lends its reassembly buffer to the layers while flows change.
        let mut dissector = std::mem::take(&mut self.dissector);
        match dissector.dissect(packet) {
            Ok(layers) => self.layers(&layers, at, packet.wire_length, out),
            Err(bad) => {
                emit_bad(&bad, at, out);
                self.books.account.add(&at, packet.wire_length, Disposition::Malformed, bad.layer, bad.reason);
            }
        }
        self.dissector = dissector;
    }

    fn layers(&mut self, layers: &Layers<'_>, at: At, wire_length: u32, out: &mut dyn Sink) {
        if let Some(odd) = &layers.oddity {
            emit_bad(odd, at, out);
        }
        let mut arrival = Arrival {
            at,
            wire_length,
            source_mac: layers.source_mac,
            destination_mac: layers.destination_mac,
            vlan: layers.vlan,
            tunnels: layers.tunnels,
            ttl: None,
        };
        match layers.network {
            Network::Nothing(what) => self.books.account.add(&at, wire_length, Disposition::WithoutPayload, "", what),
            Network::Unknown(what) => self.books.account.add(&at, wire_length, Disposition::Undecoded, "", what),
            Network::FragmentKept => {
                self.books.account.add(
                    &at,
                    wire_length,
                    Disposition::WithoutPayload,
                    "ip",
                    "fragment of a larger datagram",
                );
            }
            Network::Link { ethertype, payload } => {
                let end = |mac: Option<_>| Endpoint::new(mac.map_or(Address::None, Address::Mac), 0);
                let (source, destination) = (end(layers.source_mac), end(layers.destination_mac));
                let transport = Transport::Link(ethertype);
                self.datagram(&Datagram { transport, source, destination, payload, cut: false }, &arrival, out);
            }
            Network::Ip { ip, segment } => {
                arrival.ttl = Some(ip.ttl);
                self.ip(&ip, &segment, &arrival, out);
            }
        }
    }

    fn ip(&mut self, ip: &IpPacket<'_>, segment: &Segment<'_>, arrival: &Arrival, out: &mut dyn Sink) {
        let end = |address: std::net::IpAddr, port| Endpoint::new(address.into(), port);
        let (transport, source_port, destination_port, payload, cut) = match *segment {
            Segment::Tcp(tcp) => return self.tcp(ip, &tcp, arrival, out),
            Segment::Udp { source, destination, payload, cut } => (Transport::Udp, source, destination, payload, cut),
            Segment::Icmp { message, .. } => (Transport::Icmp, 0, 0, message, ip.cut),
            Segment::Other { payload } => (Transport::Ip(ip.protocol), 0, 0, payload, ip.cut),
        };
        let datagram = Datagram {
            transport,
            source: end(ip.source, source_port),
            destination: end(ip.destination, destination_port),
            payload,
            cut,
        };
        self.datagram(&datagram, arrival, out);
    }

    fn datagram(&mut self, datagram: &Datagram<'_>, arrival: &Arrival, out: &mut dyn Sink) {
        let Datagram { transport, source, destination, payload, cut } = *datagram;
        let (key, side) = FlowKey::new(arrival.at.segment, transport, source, destination, &arrival.tunnels);
        let index = match self.flows.find(&key) {
            Some(index) => index,
            None => {
                let opening = guess::opening(transport, source, destination);
                self.open(key, side, transport, source, destination, opening, arrival)
            }
        };
        let Some(flow) = self.flows.get_mut(index) else { return };
        let direction = flow.direction(side);
        flow.count(direction, &arrival.at, payload.len(), arrival.ttl, arrival.source_mac);
        if payload.is_empty() {
            let protocol = flow.own.name();
            let reason = "datagram without data";
            self.books.account.add(&arrival.at, arrival.wire_length, Disposition::WithoutPayload, protocol, reason);
            return;
        }
        self.feed(index, direction, payload, cut, arrival, out);
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of a first packet, used once")]
    fn open(
        &mut self,
        key: FlowKey,
        side: Side,
        transport: Transport,
        source: Endpoint,
        destination: Endpoint,
        opening: Opening,
        arrival: &Arrival,
    ) -> FlowIndex {
        let Arrival { at, vlan, tunnels, .. } = *arrival;
        let first = FirstPacket { at, transport, source, destination, vlan, tunnels, opening };
        let guess = match opening {
            Opening::BySender | Opening::MaybeBySender => guess::name(transport, source.port, destination.port),
            Opening::ByReceiver | Opening::MaybeByReceiver => guess::name(transport, destination.port, source.port),
        };
        let expected = self.books.expected.take(self.protocols, transport, at.segment, [source, destination]);
        self.flows.open(key, side, &first, Stage::new(guess, expected))
    }

    fn tcp(&mut self, ip: &IpPacket<'_>, tcp: &TcpSegment<'_>, arrival: &Arrival, out: &mut dyn Sink) {
        let source = Endpoint::new(ip.source.into(), tcp.source);
        let destination = Endpoint::new(ip.destination.into(), tcp.destination);
        let (key, side) = FlowKey::new(arrival.at.segment, Transport::Tcp, source, destination, &arrival.tunnels);
        let mut found = self.flows.find(&key);
        // A new connection on the ports of one that is over.
        if let Some(index) = found
            && tcp.syn()
            && !tcp.ack()
            && self.flows.get_mut(index).is_some_and(|flow| flow.is_over())
        {
            self.end_flow(index, out);
            found = None;
        }
        let index = found.unwrap_or_else(|| {
            let opening = match (tcp.syn(), tcp.ack()) {
                (true, false) => Opening::BySender,
                (true, true) => Opening::ByReceiver,
                _ => guess::opening(Transport::Tcp, source, destination),
            };
            self.open(key, side, Transport::Tcp, source, destination, opening, arrival)
        });
        let Some(flow) = self.flows.get_mut(index) else { return };
        let direction = flow.direction(side);
        flow.count(direction, &arrival.at, tcp.payload.len(), arrival.ttl, arrival.source_mac);
        flow.note_flags(direction, tcp);
        if tcp.ack() {
            flow.end_mut(direction.reverse()).half.acknowledged(tcp.acknowledgement);
            // What this segment acknowledges came before it: a reply must not overtake its request.
            self.deliver_waiting(index, side.other(), arrival, out);
        }
        let Some(flow) = self.flows.get_mut(index) else { return };
        let at = At { uid: flow.flow.uid, ..arrival.at };
        let taken = flow.end_mut(direction).half.take(tcp, at, arrival.wire_length);
        let over = flow.is_over();
        let protocol = flow.own.name();
        let mut without = |reason| {
            self.books.account.add(&at, arrival.wire_length, Disposition::WithoutPayload, protocol, reason);
        };
        match taken {
            Taken::Empty => without("tcp without data"),
            Taken::Seen => without("tcp retransmission"),
            Taken::Waiting => {}
            Taken::InOrder(from) => {
                let payload = tcp.payload.get(from..).unwrap_or_default();
                self.feed(index, direction, payload, tcp.cut, arrival, out);
            }
        }
        self.deliver_waiting(index, side, arrival, out);
        if over {
            self.flows.retire(index);
        }
    }

    /// Feeds segments of one side whose turn has come. Which direction that is, content may turn round with each of them.
    fn deliver_waiting(&mut self, index: FlowIndex, side: Side, arrival: &Arrival, out: &mut dyn Sink) {
        while let Some(flow) = self.flows.get_mut(index) {
            let direction = flow.direction(side);
            let Some(ready) = next_ready(flow, direction, false) else { return };
            self.deliver(index, direction, ready, arrival, out);
        }
    }

    fn deliver(&mut self, index: FlowIndex, direction: Direction, ready: Ready, now: &Arrival, out: &mut dyn Sink) {
        match ready {
            Ready::Gap(missing) => {
                let Some(flow) = self.flows.get_mut(index) else { return };
                flow.own.gap(direction, missing, out);
            }
            Ready::Bytes { at, wire_length, bytes } if bytes.is_empty() => {
                let Some(flow) = self.flows.get_mut(index) else { return };
                let protocol = flow.own.name();
                let reason = "tcp retransmission";
                self.books.account.add(&at, wire_length, Disposition::WithoutPayload, protocol, reason);
            }
            Ready::Bytes { at, wire_length, bytes } => {
                let Some(flow) = self.flows.get_mut(index) else { return };
                let source_mac = flow.flow.sender_mac(direction);
                let destination_mac = flow.flow.sender_mac(direction.reverse());
                let arrival = Arrival { at, wire_length, source_mac, destination_mac, ..*now };
                self.feed(index, direction, &bytes, false, &arrival, out);
            }
        }
    }

    fn feed(
        &mut self,
        index: FlowIndex,
        direction: Direction,
        data: &[u8],
        cut: bool,
        arrival: &Arrival,
        out: &mut dyn Sink,
    ) {
        let Some(state) = self.flows.get_mut(index) else { return };
        let at = At { uid: state.flow.uid, ..arrival.at };
        let FlowState { own, flow, .. } = &mut *state;
        let Arrival { source_mac, destination_mac, .. } = *arrival;
        let pdu = Pdu { at, flow, direction, data, source_mac, destination_mac, cut };
        let fed = own.take(self.protocols, &pdu, arrival.wire_length, out, &mut self.books);
        if fed == Fed::RolesSwapped {
            // Its first pieces came from the server: turn the flow round, then feed what was held back.
            state.swap_ends();
            let FlowState { own, flow, .. } = &mut *state;
            let pdu = Pdu { at, flow, direction: direction.reverse(), data, source_mac, destination_mac, cut };
            own.take_swapped(self.protocols, &pdu, arrival.wire_length, out, &mut self.books);
        }
    }

    fn end_flow(&mut self, index: FlowIndex, out: &mut dyn Sink) {
        let Some(state) = self.flows.get_mut(index) else { return };
        let last = Arrival {
            at: At { ts: state.last, ..state.first },
            wire_length: 0,
            source_mac: None,
            destination_mac: None,
            vlan: state.flow.vlan,
            tunnels: state.tunnels,
            ttl: None,
        };
        for direction in [Direction::FromClient, Direction::FromServer] {
            while let Some(ready) = self.flows.get_mut(index).and_then(|flow| next_ready(flow, direction, true)) {
                self.deliver(index, direction, ready, &last, out);
            }
        }
        let Some(mut state) = self.flows.remove(index) else { return };
        state.own.close(self.protocols, &state.flow, out, &mut self.books);
        self.emit_connection(&state, out);
    }

    fn emit_connection(&mut self, state: &FlowState<Stage>, out: &mut dyn Sink) {
        let flow = &state.flow;
        let community = community(flow.transport, flow.client, flow.server);
        self.scratch.clear();
        let _ = write!(self.scratch, "{}", state.tunnels);
        let (client, server) = (state.end(Direction::FromClient), state.end(Direction::FromServer));
        let tcp = flow.transport == Transport::Tcp;
        let bytes = |end: &quaywatch_wire::flow_table::End| if tcp { end.half.delivered } else { end.bytes };
        out.emit(
            state.first,
            Observation::Connection(Connection {
                client: flow.client,
                server: flow.server,
                transport: flow.transport,
                service: state.own.service().unwrap_or(""),
                duration: state.last.since(state.first.ts).max(0),
                client_packets: client.packets,
                server_packets: server.packets,
                client_bytes: bytes(client),
                server_bytes: bytes(server),
                missed_bytes: state.missed_bytes(),
                state: state.state(),
                community_id: &community,
                vlan: flow.vlan,
                client_mac: flow.client_mac,
                server_mac: flow.server_mac,
                client_ttl: client.ttl,
                server_ttl: server.ttl,
                tunnel: &self.scratch,
                end: state.last,
            }),
        );
    }

    /// Ends all flows and emits the coverage account. The engine is empty afterwards.
    pub fn finish(&mut self, out: &mut dyn Sink) {
        while let Some(index) = self.flows.any() {
            self.end_flow(index, out);
        }
        self.books.account.emit(out);
    }
}

fn next_ready(flow: &mut FlowState<Stage>, direction: Direction, ending: bool) -> Option<Ready> {
    let half = &mut flow.end_mut(direction).half;
    if half.is_waiting() { half.ready(ending) } else { None }
}

fn emit_bad(bad: &BadHeader, at: At, out: &mut dyn Sink) {
    out.emit(
        at,
        Observation::Weird(Weird {
            name: bad.name,
            protocol: bad.layer,
            detail: bad.reason,
            sender: Endpoint::default(),
            receiver: Endpoint::default(),
        }),
    );
}

fn community(transport: Transport, client: Endpoint, server: Endpoint) -> String {
    let (Some(from), Some(to)) = (client.address.ip(), server.address.ip()) else { return String::new() };
    let protocol = match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Icmp if from.is_ipv6() => 58,
        Transport::Icmp => 1,
        Transport::Ip(protocol) => protocol,
        Transport::Link(_) => return String::new(),
    };
    community_id(protocol, (from, client.port), (to, server.port))
}

/// Catches an analyzer's marks on their way to the sink; the gravest decides the packet's disposition.
struct Marked<'a> {
    out: &'a mut dyn Sink,
    gravest: Option<Mark>,
    segment: SegmentId,
    /// What carries the flow that announces: what it announces is carried alike.
    transport: Transport,
    expected: &'a mut Expected,
}

impl Sink for Marked<'_> {
    fn emit(&mut self, at: At, observation: Observation<'_>) {
        self.out.emit(at, observation);
    }
    fn mark(&mut self, mark: Mark) {
        self.gravest = self.gravest.max(Some(mark));
    }
    fn expect(&mut self, server: Endpoint, protocol: &'static str) {
        self.expected.note(self.segment, self.transport, server, protocol);
    }
}

#[cfg(test)]
mod tests;
