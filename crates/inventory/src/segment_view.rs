//! What one segment shows of who holds which address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use quaywatch_model::{Address, Attribute, MacAddr, NameKind};

use crate::address::{host, host_mac};
use crate::input::{ConnectionRow, IdentityRow, Input};

/// Methods whose claims of an address for a MAC address are made on the link itself. Others (DHCP through a relay,
/// NetBIOS, SNMP tables) cross routers and say nothing about who is on this segment.
const LINK_METHODS: &[&str] =
    &["arp", "dcp", "pn-dcp", "profinet", "profinet-dcp", "lldp", "cdp", "ndp", "icmpv6", "ethernet"];

/// Names that a machine tells of itself. Others (DNS, TLS, HTTP) are told by those who ask for it and do not show that it exists.
const OWN_NAMES: &[NameKind] =
    &[NameKind::Mdns, NameKind::Llmnr, NameKind::Nbns, NameKind::Dhcp, NameKind::Lldp, NameKind::Cdp, NameKind::Dcp];

/// First and last instant.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Span {
    pub first: Option<i64>,
    pub last: Option<i64>,
}

impl Span {
    pub(crate) fn add(&mut self, first: Option<i64>, last: Option<i64>) {
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(last).max(first);
    }

    pub(crate) fn join(&mut self, other: Span) {
        self.add(other.first, other.last);
    }
}

/// One segment's evidence on addresses.
#[derive(Default, Debug)]
pub(crate) struct SegmentView {
    /// TTLs of packets from this address with this source MAC, and when the first was.
    pub uses: BTreeMap<(IpAddr, MacAddr), (BTreeSet<i64>, Span)>,
    /// Addresses claimed for a MAC on the link (ARP and the like), and when first.
    pub bound: BTreeMap<(IpAddr, MacAddr), Span>,
    /// All host addresses with when they were seen.
    pub spans: BTreeMap<Address, Span>,
    /// MAC addresses of one device: a port's and the chassis'.
    pub chassis: BTreeSet<(MacAddr, MacAddr)>,
    /// VLANs an address sent in.
    pub vlans: BTreeMap<Address, BTreeSet<u16>>,
    /// Addresses that say, or are said, to be routers, and how that was told.
    pub routers: BTreeMap<Address, BTreeSet<String>>,
}

/// The views of all segments.
pub(crate) fn views(input: &Input) -> BTreeMap<String, SegmentView> {
    let mut views: BTreeMap<String, SegmentView> = BTreeMap::new();
    for row in &input.connections {
        views.entry(row.segment.clone()).or_default().connection(row);
    }
    for row in &input.identities {
        views.entry(row.segment.clone()).or_default().identity(row);
    }
    for row in &input.names {
        let own = NameKind::from_name(&row.kind).is_some_and(|kind| OWN_NAMES.contains(&kind));
        if let Some(address) = host(&row.subject).filter(|_| own) {
            views.entry(row.segment.clone()).or_default().seen(address, row.first_ts, row.last_ts);
        }
    }
    views
}

impl SegmentView {
    fn seen(&mut self, address: Address, first: Option<i64>, last: Option<i64>) {
        self.spans.entry(address).or_default().add(first, last);
    }

    /// An end counts as seen only if it sent something: a scan of empty addresses makes no assets.
    fn connection(&mut self, row: &ConnectionRow) {
        if row.client_packets > 0 {
            self.end(&row.client, &row.client_mac, row.client_ttl, row);
        }
        if row.server_packets > 0 {
            self.end(&row.server, &row.server_mac, row.server_ttl, row);
        }
    }

    fn end(&mut self, address: &str, mac: &str, ttl: Option<i64>, row: &ConnectionRow) {
        let Some(address) = host(address) else { return };
        self.seen(address, row.first_ts, row.last_ts);
        if let Some(vlan) = row.vlan.and_then(|vlan| u16::try_from(vlan).ok()) {
            self.vlans.entry(address).or_default().insert(vlan);
        }
        if let (Some(ip), Some(mac)) = (address.ip(), host_mac(mac)) {
            let (ttls, span) = self.uses.entry((ip, mac)).or_default();
            ttls.extend(ttl);
            span.add(row.first_ts, row.last_ts);
        }
    }

    fn identity(&mut self, row: &IdentityRow) {
        let Some(subject) = host(&row.subject) else { return };
        self.seen(subject, row.first_ts, row.last_ts);
        let value = row.value.split([' ', ',', '/', ';']).next().unwrap_or("");
        match Attribute::from_name(&row.attribute) {
            Some(Attribute::Ip | Attribute::Mac) => self.binding(subject, value, row),
            Some(Attribute::Router) => self.router(subject, format!("announces itself as router ({})", row.method)),
            Some(Attribute::Capability) if says_router(&row.value) => {
                self.router(subject, format!("says that it routes ({})", row.method));
            }
            Some(Attribute::NetworkSetting) if row.method.contains("router") || row.method.contains("gateway") => {
                for gateway in row.value.split([' ', ',', ';']).filter_map(host) {
                    self.router(gateway, format!("hosts are told to use it as gateway ({})", row.method));
                }
            }
            _ => {}
        }
    }

    fn router(&mut self, address: Address, how: String) {
        self.routers.entry(address).or_default().insert(how);
    }

    fn binding(&mut self, subject: Address, value: &str, row: &IdentityRow) {
        if !is_link_method(&row.method) {
            return;
        }
        let Some(other) = host(value) else { return };
        let (ip, mac) = match (subject, other) {
            (Address::Mac(port), Address::Mac(chassis)) => {
                self.chassis.insert((port, chassis));
                return;
            }
            (Address::Mac(mac), ip) | (ip, Address::Mac(mac)) => (ip.ip(), mac),
            _ => return,
        };
        if let Some(ip) = ip {
            self.seen(Address::from(ip), row.first_ts, row.last_ts);
            self.seen(Address::Mac(mac), row.first_ts, row.last_ts);
            self.bound.entry((ip, mac)).or_default().add(row.first_ts, row.last_ts);
        }
    }

    /// Whether no packet of the segment has a link layer, as in captures of a tunnel or on a "any" interface.
    pub(crate) fn is_without_link_layer(&self) -> bool {
        self.uses.is_empty() && self.bound.is_empty() && self.spans.keys().all(|address| address.ip().is_some())
    }
}

fn is_link_method(method: &str) -> bool {
    let protocol = method.split([' ', ':']).next().unwrap_or("").to_lowercase();
    LINK_METHODS.contains(&protocol.as_str())
}

fn says_router(capability: &str) -> bool {
    let mut words = capability.split(|c: char| !c.is_alphanumeric());
    words.any(|word| word.eq_ignore_ascii_case("router"))
}
