//! Who talks to whom over which boundary: connections joined with assets and held against the conduits.

use std::collections::{BTreeMap, BTreeSet};

use quaywatch_model::site::{Conduit, Subject};
use quaywatch_model::{Address, Asset, OperationClass, SiteModel};
use serde::Serialize;

use crate::address::{host, is_public, looks_like_broadcast, neighbourhood};
use crate::input::{ConnectionRow, Input};
use crate::machine::Directory;
use crate::segment_view::Span;

/// States (as Zeek names them) in which a server refused or never answered.
const UNANSWERED: &[&str] = &["S0", "REJ", "SH", "RSTOS0", "OTH0"];

/// What lies between the two ends of a flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// Both ends are in one zone.
    Inside,
    /// A conduit allows it.
    Allowed,
    /// No conduit allows it, or none allows one of the operations seen on it.
    NotAllowed,
    /// An end is in no zone, or no site model was given.
    Unknown,
}

/// One end of a flow.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct End {
    /// Place of the asset in the inventory; `None` for addresses that never sent and for groups.
    pub asset: Option<usize>,
    /// Its address as in evidence.
    pub address: String,
    /// Zone id; empty if in none.
    pub zone: String,
    /// Kind of that zone.
    pub zone_kind: String,
}

/// Connections with the same ends, service and outcome.
#[derive(Clone, PartialEq, Debug)]
pub struct InventoryFlow {
    /// Segment it was seen on.
    pub segment: String,
    /// The end that asks.
    pub client: End,
    /// The end asked.
    pub server: End,
    /// Its port.
    pub server_port: i64,
    /// `tcp`, `udp`, `icmp`, `ip` or `link`.
    pub transport: String,
    /// Protocol found by content.
    pub service: String,
    /// Connection state.
    pub state: String,
    /// Whether the server answered.
    pub answered: bool,
    /// Id of the conduit that allows it.
    pub conduit: String,
    /// What lies between the ends.
    pub boundary: Boundary,
    /// Number of connections.
    pub connections: i64,
    /// First packet, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last packet, nanoseconds.
    pub last_ts: Option<i64>,
    /// The first connection.
    pub uid: String,
    /// Its input.
    pub source: String,
    /// Its frame.
    pub frame: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    segment: String,
    client: String,
    server: String,
    server_port: i64,
    transport: String,
    service: String,
    state: String,
}

#[derive(Default)]
struct Sum {
    connections: i64,
    answered: bool,
    span: Span,
    /// Instant, input, frame and uid of the first.
    first: Option<(i64, String, Option<i64>, String)>,
}

/// Server, port and transport; an empty server stands for any.
type ServicePlace = (String, i64, String);

/// Segment, client, server and port.
type Ends = (String, String, String, i64);

/// Protocols and classes of operation.
type Operations = BTreeSet<(String, String)>;

/// Everything needed to judge a flow.
struct Judge<'a> {
    directory: &'a Directory,
    assets: &'a [Asset],
    model: &'a SiteModel,
    given: bool,
    services: BTreeMap<ServicePlace, BTreeSet<String>>,
    operations: BTreeMap<Ends, Operations>,
    senders: BTreeSet<Address>,
}

/// All flows, in the order of their ends. With a drafted site model (`given` is false) no boundary is judged.
pub(crate) fn flows(
    input: &Input,
    directory: &Directory,
    assets: &[Asset],
    model: &SiteModel,
    given: bool,
) -> Vec<InventoryFlow> {
    let judge = Judge {
        directory,
        assets,
        model,
        given,
        services: services(input),
        operations: operations(input),
        senders: senders(input),
    };
    let mut sums: BTreeMap<Key, Sum> = BTreeMap::new();
    for row in &input.connections {
        sums.entry(key(row)).or_default().add(row);
    }
    sums.into_iter().map(|(key, sum)| judge.flow(key, sum)).collect()
}

fn key(row: &ConnectionRow) -> Key {
    Key {
        segment: row.segment.clone(),
        client: row.client.clone(),
        server: row.server.clone(),
        server_port: row.server_port,
        transport: row.transport.clone(),
        service: row.service.clone(),
        state: row.state.clone(),
    }
}

impl Sum {
    fn add(&mut self, row: &ConnectionRow) {
        self.connections += row.connections;
        self.answered |= row.server_packets > 0 && !UNANSWERED.contains(&row.state.as_str());
        self.span.add(row.first_ts, row.last_ts);
        if let Some(ts) = row.first_ts {
            let place = (ts, row.source.clone(), row.frame, row.uid.clone());
            self.first = self.first.take().into_iter().chain([place]).min();
        }
    }
}

/// Protocols known to be offered at an address and port: they name connections that carried no data.
fn services(input: &Input) -> BTreeMap<ServicePlace, BTreeSet<String>> {
    let connections = input.connections.iter().filter(|row| !row.service.is_empty());
    let connections =
        connections.map(|row| ((row.server.clone(), row.server_port, row.transport.clone()), row.service.clone()));
    let offered = input.services.iter();
    let offered =
        offered.map(|row| ((row.server.clone(), row.server_port, row.transport.clone()), row.protocol.clone()));
    let usual = input.usual_ports.iter();
    let usual = usual.map(|port| ((String::new(), port.port, port.transport.clone()), port.protocol.clone()));
    let mut services: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for (place, protocol) in connections.chain(offered).chain(usual) {
        services.entry(place).or_default().insert(protocol);
    }
    services
}

/// Protocols and classes of the operations between two ends on a segment.
fn operations(input: &Input) -> BTreeMap<Ends, Operations> {
    let mut operations: BTreeMap<Ends, Operations> = BTreeMap::new();
    for row in &input.operations {
        let ends = (row.segment.clone(), row.client.clone(), row.server.clone(), row.server_port);
        operations.entry(ends).or_default().insert((row.protocol.clone(), row.class.clone()));
    }
    operations
}

fn senders(input: &Input) -> BTreeSet<Address> {
    let clients = input.connections.iter().filter(|row| row.client_packets > 0).map(|row| &row.client);
    let servers = input.connections.iter().filter(|row| row.server_packets > 0).map(|row| &row.server);
    clients.chain(servers).filter_map(|address| host(address)).collect()
}

impl Judge<'_> {
    fn flow(&self, key: Key, sum: Sum) -> InventoryFlow {
        let client = self.end(&key.segment, &key.client);
        let server = if self.is_group(&key) {
            End { address: key.server.clone(), asset: None, ..client.clone() }
        } else {
            self.end(&key.segment, &key.server)
        };
        let (boundary, conduit) = self.boundary(&key, &client, &server);
        let (_, source, frame, uid) = sum.first.unwrap_or_default();
        InventoryFlow {
            segment: key.segment,
            client,
            server,
            server_port: key.server_port,
            transport: key.transport,
            service: key.service,
            state: key.state,
            answered: sum.answered,
            conduit,
            boundary,
            connections: sum.connections,
            first_ts: sum.span.first,
            last_ts: sum.span.last,
            uid,
            source,
            frame,
        }
    }

    /// Multicast and broadcast stay in the sender's zone: routers do not forward them here.
    /// An address that ends in 255, lies in the client's network and never sends is taken for its broadcast address.
    fn is_group(&self, key: &Key) -> bool {
        let Some(server) = host(&key.server) else { return true };
        let client = host(&key.client).and_then(Address::ip);
        let near = client.zip(server.ip()).is_some_and(|(client, server)| {
            looks_like_broadcast(server) && neighbourhood(client) == neighbourhood(server)
        });
        near && !self.senders.contains(&server)
    }

    fn end(&self, segment: &str, address: &str) -> End {
        let Some(parsed) = host(address) else {
            return End { address: address.to_owned(), ..End::default() };
        };
        let asset = self.directory.find(segment, parsed);
        if let Some(known) = asset.and_then(|at| self.assets.get(at)) {
            let zone = self.interface_zone(known, segment, address);
            let zone_kind = self.model.zone(&zone).map_or_else(String::new, |zone| zone.kind.name().to_owned());
            return End { asset, address: address.to_owned(), zone, zone_kind };
        }
        let external = parsed.ip().is_some_and(is_public);
        let subject = Subject { segment, address: parsed, external, ..Subject::default() };
        let zone = self.model.zone_of(&subject);
        End {
            asset: None,
            address: address.to_owned(),
            zone: zone.map_or_else(String::new, |zone| zone.id.clone()),
            zone_kind: zone.map_or_else(String::new, |zone| zone.kind.name().to_owned()),
        }
    }

    /// The zone of the interface that is in use, or else the asset's.
    fn interface_zone(&self, asset: &Asset, segment: &str, address: &str) -> String {
        let of_address = || asset.interfaces.iter().filter(|i| i.address == address && !i.zone.is_empty());
        let here = of_address().find(|interface| interface.segment == segment);
        here.or_else(|| of_address().next()).map_or_else(|| asset.zone.clone(), |interface| interface.zone.clone())
    }

    fn boundary(&self, key: &Key, client: &End, server: &End) -> (Boundary, String) {
        if client.zone == server.zone && (!client.zone.is_empty() || server.asset.is_none() && self.is_group(key)) {
            return (Boundary::Inside, String::new());
        }
        if !self.given || client.zone.is_empty() || server.zone.is_empty() {
            return (Boundary::Unknown, String::new());
        }
        match self.conduit(key, &client.zone, &server.zone) {
            Some(conduit) => (Boundary::Allowed, conduit.id.clone()),
            None => (Boundary::NotAllowed, String::new()),
        }
    }

    /// The conduit of the flow's protocol, if conduits allow all operations seen on it too.
    fn conduit(&self, key: &Key, from: &str, to: &str) -> Option<&Conduit> {
        let names = self.names(key);
        let find = |names: &[String], class| names.iter().find_map(|name| self.model.allowed(from, to, name, class));
        let ends = (key.segment.clone(), key.client.clone(), key.server.clone(), key.server_port);
        let mut conduit = None;
        for (protocol, class) in self.operations.get(&ends).into_iter().flatten() {
            let mut of_operation = vec![protocol.clone()];
            of_operation.extend(names.iter().cloned());
            let found = find(&of_operation, OperationClass::from_name(class))?;
            conduit = conduit.or(Some(found));
        }
        conduit.or_else(|| find(&names, None))
    }

    /// What the flow's protocol may be called in a conduit.
    fn names(&self, key: &Key) -> Vec<String> {
        let mut names = Vec::new();
        if key.service.is_empty() {
            let known = (key.server.clone(), key.server_port, key.transport.clone());
            let usual = (String::new(), key.server_port, key.transport.clone());
            let found = self.services.get(&known).or_else(|| self.services.get(&usual));
            names.extend(found.into_iter().flatten().cloned());
        } else {
            names.push(key.service.clone());
        }
        names.push(match key.transport.as_str() {
            "tcp" | "udp" => format!("{}/{}", key.transport, key.server_port),
            other => other.to_owned(),
        });
        names
    }
}
