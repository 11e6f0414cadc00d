//! The flows now open: found by their two ends, forgotten when idle, bounded in number.

use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use quaywatch_model::{Address, At, Direction, Endpoint, MacAddr, SegmentId, Timestamp, Transport, Uid};

use crate::flow::Flow;
use crate::layers::Tunnels;
use crate::tcp::{Half, TcpSegment};

/// Limits of the flow table.
#[derive(Clone, Copy, Debug)]
pub struct FlowLimits {
    /// Most flows open at once; the longest idle gives way.
    pub flows: usize,
    /// Nanoseconds without a packet after which an open TCP connection counts as ended. Controllers may be polled hourly.
    pub tcp_idle: i64,
    /// The same for all other flows and for TCP connections that were closed.
    pub other_idle: i64,
}

impl Default for FlowLimits {
    fn default() -> Self {
        FlowLimits { flows: 200_000, tcp_idle: 3_600 * Timestamp::SECOND, other_idle: 120 * Timestamp::SECOND }
    }
}

/// What makes two packets belong to one flow. Both directions give the same key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlowKey {
    // Numbers compare and hash in registers, arrays of octets by calls.
    low: u128,
    high: u128,
    low_port: u16,
    high_port: u16,
    segment: SegmentId,
    /// Transport, and version of the addresses.
    kind: u8,
    /// IP protocol or EtherType.
    code: u16,
    /// Hash of the tunnels' kinds and ids; their outer addresses differ by direction.
    tunnel: u32,
}

/// Which of the two ends of a key sent a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The end with the lower address and port.
    Low,
    /// The other one.
    High,
}

impl Side {
    /// The end that it was sent to.
    #[must_use]
    pub const fn other(self) -> Side {
        match self {
            Side::Low => Side::High,
            Side::High => Side::Low,
        }
    }
}

/// An address with its octets at the front, and its kind.
fn wide(address: Address) -> (u128, u8) {
    match address {
        Address::None => (0, 0),
        Address::Mac(MacAddr([a, b, c, d, e, f])) => {
            (u128::from(u64::from_be_bytes([a, b, c, d, e, f, 0, 0])) << 64, 1)
        }
        Address::V4(ip) => (u128::from(ip.to_bits()) << 96, 2),
        Address::V6(ip) => (ip.to_bits(), 3),
    }
}

impl FlowKey {
    /// The key of a packet from `source` to `destination`, and which side sent it.
    #[must_use]
    pub fn new(
        segment: SegmentId,
        transport: Transport,
        source: Endpoint,
        destination: Endpoint,
        tunnels: &Tunnels,
    ) -> (FlowKey, Side) {
        let (kind, code) = match transport {
            Transport::Tcp => (0, 6),
            Transport::Udp => (1, 17),
            Transport::Icmp => (2, 1),
            Transport::Ip(protocol) => (3, u16::from(protocol)),
            Transport::Link(ethertype) => (4, ethertype),
        };
        let (from, version) = wide(source.address);
        let (to, _) = wide(destination.address);
        let forward = (from, source.port) <= (to, destination.port);
        let (low, low_port, high, high_port) =
            if forward { (from, source.port, to, destination.port) } else { (to, destination.port, from, source.port) };
        let tunnel = if tunnels.is_empty() { 0 } else { tunnel_hash(tunnels) };
        let key = FlowKey { low, high, low_port, high_port, segment, kind: kind << 4 | version, code, tunnel };
        (key, if forward { Side::Low } else { Side::High })
    }

    fn hash(&self) -> u64 {
        FixedState::with_seed(0x5175_6179).hash_one(self)
    }

    /// A number that the same flow in the same capture always gets (FNV-1a over key and first packet).
    fn uid(&self, at: &At) -> Uid {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        add(&self.low.to_be_bytes());
        add(&self.high.to_be_bytes());
        add(&self.low_port.to_be_bytes());
        add(&self.high_port.to_be_bytes());
        add(&[self.kind]);
        add(&self.code.to_be_bytes());
        add(&self.tunnel.to_be_bytes());
        add(&self.segment.0.to_be_bytes());
        add(&at.ts.0.to_be_bytes());
        add(&at.frame.to_be_bytes());
        Uid(hash.max(1))
    }
}

fn tunnel_hash(tunnels: &Tunnels) -> u32 {
    tunnels.iter().fold(0x811c_9dc5, |hash, tunnel| {
        let kind = tunnel.kind.bytes().fold(hash, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        (kind ^ tunnel.id).wrapping_mul(0x0100_0193)
    })
}

/// What one end of a flow did.
#[derive(Default)]
pub struct End {
    /// Packets sent.
    pub packets: u64,
    /// Payload bytes sent, as captured; for TCP see [`Half::delivered`].
    pub bytes: u64,
    /// TTL or hop limit of its first packet.
    pub ttl: Option<u8>,
    /// Its stream, for TCP.
    pub half: Half,
    syn: bool,
    fin: bool,
    rst: bool,
}

/// An open flow with the caller's own state.
pub struct FlowState<T> {
    /// What analyzers are told.
    pub flow: Flow,
    /// Place of its first packet.
    pub first: At,
    /// Instant of its last packet.
    pub last: Timestamp,
    /// Encapsulation of its first packet.
    pub tunnels: Tunnels,
    /// The caller's.
    pub own: T,
    ends: [End; 2],
    client_side: Side,
    key: FlowKey,
    older: u32,
    newer: u32,
    /// Which idle list it is on.
    list: u8,
}

const NONE: u32 = u32::MAX;
const TCP_LIST: u8 = 0;
const OTHER_LIST: u8 = 1;

impl<T> FlowState<T> {
    /// The direction of a packet that this side sent.
    #[must_use]
    pub fn direction(&self, side: Side) -> Direction {
        if side == self.client_side { Direction::FromClient } else { Direction::FromServer }
    }

    /// What the end that sends in `direction` did.
    #[must_use]
    pub const fn end(&self, direction: Direction) -> &End {
        let [low, high] = &self.ends;
        match (direction, self.client_side) {
            (Direction::FromClient, Side::Low) | (Direction::FromServer, Side::High) => low,
            _ => high,
        }
    }

    /// The same, to change it.
    pub const fn end_mut(&mut self, direction: Direction) -> &mut End {
        let [low, high] = &mut self.ends;
        match (direction, self.client_side) {
            (Direction::FromClient, Side::Low) | (Direction::FromServer, Side::High) => low,
            _ => high,
        }
    }

    /// Counts a packet and notes what its headers say of the sender.
    pub fn count(&mut self, direction: Direction, at: &At, bytes: usize, ttl: Option<u8>, mac: Option<MacAddr>) {
        self.last = self.last.max(at.ts);
        let known = match direction {
            Direction::FromClient => &mut self.flow.client_mac,
            Direction::FromServer => &mut self.flow.server_mac,
        };
        if known.is_none() {
            *known = mac;
        }
        let end = self.end_mut(direction);
        end.packets += 1;
        end.bytes += bytes as u64;
        if end.ttl.is_none() {
            end.ttl = ttl;
        }
    }

    /// Notes the flags of a TCP segment.
    pub const fn note_flags(&mut self, direction: Direction, segment: &TcpSegment<'_>) {
        let end = self.end_mut(direction);
        end.syn |= segment.syn();
        end.fin |= segment.fin();
        end.rst |= segment.rst();
    }

    /// Swaps client and server: content showed that the guess was wrong.
    pub const fn swap_ends(&mut self) {
        self.client_side = self.client_side.other();
        std::mem::swap(&mut self.flow.client, &mut self.flow.server);
        std::mem::swap(&mut self.flow.client_mac, &mut self.flow.server_mac);
    }

    /// Whether the connection was closed by both ends or reset.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        let [low, high] = &self.ends;
        low.rst || high.rst || (low.fin && high.fin)
    }

    /// Payload bytes that were never captured.
    #[must_use]
    pub const fn missed_bytes(&self) -> u64 {
        let [low, high] = &self.ends;
        low.half.missed + high.half.missed
    }

    /// The connection state by Zeek's names (its `conn_state` field).
    #[must_use]
    pub const fn state(&self) -> &'static str {
        let client = self.end(Direction::FromClient);
        let server = self.end(Direction::FromServer);
        if !matches!(self.flow.transport, Transport::Tcp) {
            return match (client.packets, server.packets) {
                (0, _) => "SHR",
                (_, 0) => "S0",
                _ => "SF",
            };
        }
        match (client.syn, server.syn) {
            (true, true) if server.rst => "RSTR",
            (true, true) if client.rst => "RSTO",
            (true, true) if client.fin && server.fin => "SF",
            (true, true) if client.fin => "S2",
            (true, true) if server.fin => "S3",
            (true, true) => "S1",
            (true, false) if server.rst => "REJ",
            (true, false) if client.rst => "RSTOS0",
            (true, false) if client.fin => "SH",
            (true, false) if server.packets == 0 => "S0",
            (false, true) if server.rst => "RSTRH",
            (false, true) if server.fin => "SHR",
            _ => "OTH",
        }
    }
}

/// Who opened a flow, as far as its first packet tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// The sender, for sure.
    BySender,
    /// The receiver, for sure.
    ByReceiver,
    /// Presumably the sender.
    MaybeBySender,
    /// Presumably the receiver.
    MaybeByReceiver,
}

/// The packet that opens a flow.
#[derive(Clone, Copy, Debug)]
pub struct FirstPacket {
    /// Its place.
    pub at: At,
    /// What carries it.
    pub transport: Transport,
    /// Who sent it.
    pub source: Endpoint,
    /// Whom it was sent to.
    pub destination: Endpoint,
    /// Innermost VLAN id.
    pub vlan: Option<u16>,
    /// Its encapsulation.
    pub tunnels: Tunnels,
    /// Who opened the flow.
    pub opening: Opening,
}

#[derive(Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
}

/// Number of a flow in the table; valid until the flow is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowIndex(u32);

/// All open flows.
pub struct FlowTable<T> {
    index: HashTable<u32>,
    slots: Vec<Option<FlowState<T>>>,
    free: Vec<u32>,
    lists: [List; 2],
    limits: FlowLimits,
}

impl<T> FlowTable<T> {
    /// An empty table.
    #[must_use]
    pub fn new(limits: FlowLimits) -> Self {
        let empty = List { oldest: NONE, newest: NONE };
        FlowTable { index: HashTable::new(), slots: Vec::new(), free: Vec::new(), lists: [empty; 2], limits }
    }

    /// Flows now open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no flow is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn slot(&self, at: u32) -> Option<&FlowState<T>> {
        self.slots.get(at as usize)?.as_ref()
    }

    fn slot_mut(&mut self, at: u32) -> Option<&mut FlowState<T>> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    /// The flow of this key, moved to the young end of its idle list.
    pub fn find(&mut self, key: &FlowKey) -> Option<FlowIndex> {
        let slots = &self.slots;
        let same = |at: &u32| slots.get(*at as usize).and_then(Option::as_ref).is_some_and(|flow| flow.key == *key);
        let at = *self.index.find(key.hash(), same)?;
        self.touch(at);
        Some(FlowIndex(at))
    }

    /// The flow of this number.
    pub fn get_mut(&mut self, index: FlowIndex) -> Option<&mut FlowState<T>> {
        self.slot_mut(index.0)
    }

    /// Opens a flow.
    pub fn open(&mut self, key: FlowKey, side: Side, packet: &FirstPacket, own: T) -> FlowIndex {
        let by_sender = matches!(packet.opening, Opening::BySender | Opening::MaybeBySender);
        let (client, server) =
            if by_sender { (packet.source, packet.destination) } else { (packet.destination, packet.source) };
        let uid = key.uid(&packet.at);
        let flow = Flow {
            uid,
            transport: packet.transport,
            client,
            server,
            client_mac: None,
            server_mac: None,
            vlan: packet.vlan,
            midstream: matches!(packet.opening, Opening::MaybeBySender | Opening::MaybeByReceiver),
        };
        let state = FlowState {
            flow,
            first: At { uid, ..packet.at },
            last: packet.at.ts,
            tunnels: packet.tunnels,
            own,
            ends: [End::default(), End::default()],
            client_side: if by_sender { side } else { side.other() },
            key,
            older: NONE,
            newer: NONE,
            list: if packet.transport == Transport::Tcp { TCP_LIST } else { OTHER_LIST },
        };
        let at = self.place(state);
        let slots = &self.slots;
        let rehash = |at: &u32| slots.get(*at as usize).and_then(Option::as_ref).map_or(0, |flow| flow.key.hash());
        self.index.insert_unique(key.hash(), at, rehash);
        self.link(at);
        FlowIndex(at)
    }

    fn place(&mut self, state: FlowState<T>) -> u32 {
        if let Some(at) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(at as usize)
        {
            *slot = Some(state);
            return at;
        }
        self.slots.push(Some(state));
        u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
    }

    /// Removes a flow and hands it over.
    pub fn remove(&mut self, index: FlowIndex) -> Option<FlowState<T>> {
        let at = index.0;
        self.unlink(at);
        let state = self.slots.get_mut(at as usize)?.take()?;
        if let Ok(entry) = self.index.find_entry(state.key.hash(), |candidate| *candidate == at) {
            entry.remove();
        }
        self.free.push(at);
        Some(state)
    }

    /// The next flow that has ended at `now`: idle for too long, or the longest idle of too many.
    pub fn expired(&mut self, now: Timestamp) -> Option<FlowIndex> {
        let [tcp, other] = self.lists.map(|list| list.oldest);
        for (at, idle) in [(other, self.limits.other_idle), (tcp, self.limits.tcp_idle)] {
            if self.slot(at).is_some_and(|flow| now.since(flow.last) > idle) {
                return Some(FlowIndex(at));
            }
        }
        if self.index.len() <= self.limits.flows {
            return None;
        }
        [other, tcp].into_iter().find(|at| *at != NONE).map(FlowIndex)
    }

    /// The oldest flow, for ending all of them in a fixed order.
    #[must_use]
    pub fn any(&self) -> Option<FlowIndex> {
        let oldest =
            |list: &List| self.slot(list.oldest).map(|flow| (flow.first.ts, flow.first.source, flow.first.frame));
        let [tcp, other] = &self.lists;
        match (oldest(tcp), oldest(other)) {
            (Some(a), Some(b)) => Some(FlowIndex(if a <= b { tcp.oldest } else { other.oldest })),
            (Some(_), None) => Some(FlowIndex(tcp.oldest)),
            (None, Some(_)) => Some(FlowIndex(other.oldest)),
            (None, None) => None,
        }
    }

    /// Moves a closed TCP connection to the short idle list.
    pub fn retire(&mut self, index: FlowIndex) {
        if self.slot(index.0).is_some_and(|flow| flow.list == TCP_LIST) {
            self.unlink(index.0);
            if let Some(flow) = self.slot_mut(index.0) {
                flow.list = OTHER_LIST;
            }
            self.link(index.0);
        }
    }

    fn touch(&mut self, at: u32) {
        let newest = self.slot(at).and_then(|flow| self.lists.get(usize::from(flow.list))).map(|list| list.newest);
        if newest != Some(at) {
            self.unlink(at);
            self.link(at);
        }
    }

    fn link(&mut self, at: u32) {
        let Some(which) = self.slot(at).map(|flow| flow.list) else { return };
        let Some(list) = self.lists.get_mut(usize::from(which)) else { return };
        let before = std::mem::replace(&mut list.newest, at);
        if before == NONE {
            list.oldest = at;
        }
        if let Some(flow) = self.slot_mut(at) {
            (flow.older, flow.newer) = (before, NONE);
        }
        if let Some(flow) = self.slot_mut(before) {
            flow.newer = at;
        }
    }

    fn unlink(&mut self, at: u32) {
        let Some((which, older, newer)) = self.slot(at).map(|flow| (flow.list, flow.older, flow.newer)) else { return };
        match self.slot_mut(older) {
            Some(flow) => flow.newer = newer,
            None => {
                if let Some(list) = self.lists.get_mut(usize::from(which)) {
                    list.oldest = newer;
                }
            }
        }
        match self.slot_mut(newer) {
            Some(flow) => flow.older = older,
            None => {
                if let Some(list) = self.lists.get_mut(usize::from(which)) {
                    list.newest = older;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn end(last: u8, port: u16) -> Endpoint {
        Endpoint::new(Address::V4(Ipv4Addr::new(10, 0, 0, last)), port)
    }

    fn packet(seconds: i64, source: Endpoint, destination: Endpoint) -> FirstPacket {
        FirstPacket {
            at: At { ts: Timestamp(seconds * Timestamp::SECOND), ..At::default() },
            transport: Transport::Udp,
            source,
            destination,
            vlan: None,
            tunnels: Tunnels::default(),
            opening: Opening::MaybeBySender,
        }
    }

    fn key(source: Endpoint, destination: Endpoint) -> (FlowKey, Side) {
        FlowKey::new(SegmentId(0), Transport::Udp, source, destination, &Tunnels::default())
    }

    #[test]
    fn both_directions_are_one_flow() {
        let (a, side_a) = key(end(1, 5000), end(2, 161));
        let (b, side_b) = key(end(2, 161), end(1, 5000));
        assert_eq!(a, b);
        assert_ne!(side_a, side_b);
        let (other, _) = FlowKey::new(SegmentId(1), Transport::Udp, end(1, 5000), end(2, 161), &Tunnels::default());
        assert_ne!(a, other, "sister cranes reuse addresses on their own segments");
    }

    #[test]
    fn idle_flows_end_oldest_first_and_touched_ones_stay() {
        let mut table: FlowTable<()> =
            FlowTable::new(FlowLimits { other_idle: 10 * Timestamp::SECOND, ..FlowLimits::default() });
        let keys: Vec<_> = (1..=3).map(|n| key(end(n, 1000), end(9, 53))).collect();
        for (n, (key, side)) in keys.iter().enumerate() {
            table.open(*key, *side, &packet(i64::try_from(n).unwrap(), end(1, 1), end(9, 53)), ());
        }
        let first = table.find(&keys[0].0).unwrap();
        table.get_mut(first).unwrap().last = Timestamp(11 * Timestamp::SECOND);
        let now = Timestamp(12 * Timestamp::SECOND);
        let gone = table.expired(now).unwrap();
        assert_eq!(table.remove(gone).unwrap().key, keys[1].0);
        assert!(table.expired(now).is_none());
        assert_eq!(table.len(), 2);
        assert!(table.find(&keys[1].0).is_none());
    }

    #[test]
    fn too_many_flows_push_out_the_longest_idle() {
        let mut table: FlowTable<()> = FlowTable::new(FlowLimits { flows: 100, ..FlowLimits::default() });
        for n in 0..10_000u16 {
            let (key, side) = key(end(1, n), end(2, 161));
            table.open(key, side, &packet(0, end(1, n), end(2, 161)), ());
            while let Some(index) = table.expired(Timestamp(0)) {
                table.remove(index);
            }
            assert!(table.len() <= 100);
        }
        assert!(table.slots.len() <= 101);
    }

    #[test]
    fn states_are_named_as_zeek_names_them() {
        let mut table: FlowTable<()> = FlowTable::new(FlowLimits::default());
        let (client, server) = (end(1, 40_000), end(2, 102));
        let (key, side) = FlowKey::new(SegmentId(0), Transport::Tcp, client, server, &Tunnels::default());
        let first = FirstPacket { transport: Transport::Tcp, opening: Opening::BySender, ..packet(0, client, server) };
        let index = table.open(key, side, &first, ());
        let flow = table.get_mut(index).unwrap();
        let flags = |flags| TcpSegment {
            source: 0,
            destination: 0,
            sequence: 0,
            acknowledgement: 0,
            flags,
            payload: &[],
            cut: false,
        };
        flow.note_flags(Direction::FromClient, &flags(2));
        assert_eq!(flow.state(), "S0");
        flow.note_flags(Direction::FromServer, &flags(18));
        assert_eq!(flow.state(), "S1");
        flow.note_flags(Direction::FromClient, &flags(17));
        assert_eq!(flow.state(), "S2");
        flow.note_flags(Direction::FromServer, &flags(17));
        assert_eq!(flow.state(), "SF");
        assert!(flow.is_over());
        flow.note_flags(Direction::FromServer, &flags(4));
        assert_eq!(flow.state(), "RSTR");
    }
}
