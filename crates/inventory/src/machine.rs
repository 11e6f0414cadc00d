//! From addresses to machines: which addresses are one machine, and on which segment it is at home.
//!
//! On one segment, addresses seen with one MAC address are one machine, unless it is a router's (see `routers`):
//! then only the router's own addresses are, and each address behind it is a machine without MAC address. An address
//! that several MAC addresses use stays with the one that had it first.
//!
//! Over segments, the rule for one address is:
//! 1. Seen with the same MAC address of its own on two segments: one machine, captured twice.
//! 2. Seen with different MAC addresses of its own: different machines; sister cranes reuse addresses.
//! 3. Seen on further segments only through routers: the machine that has it on its own segment, if there is just one
//!    such, or else the one that the site model puts there; otherwise a machine of its own.
//! 4. Seen through routers only: one machine.
//!
//! Its home is the segment on which the site model declares it, else the one that its zone lists, else the first
//! (by id) of those on which it was seen with its own MAC address, else the first on which it was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use quaywatch_model::site::{Members, Subject};
use quaywatch_model::{Address, MacAddr, SiteModel};

use crate::address::{is_link_local, is_public};
use crate::input::Input;
use crate::routers::{Router, routers};
use crate::segment_view::{SegmentView, Span, views};
use crate::sets::Sets;

/// A machine as one segment shows it.
#[derive(Clone, Default, Debug)]
pub(crate) struct Face {
    /// Segment id.
    pub segment: String,
    /// Its addresses with the MAC addresses that used them here.
    pub ips: BTreeMap<IpAddr, BTreeSet<MacAddr>>,
    /// Its MAC addresses.
    pub macs: BTreeSet<MacAddr>,
    /// Whether it is itself on the segment.
    pub local: bool,
    /// VLANs it sent in.
    pub vlans: BTreeSet<u16>,
    /// Why it is taken for a router.
    pub router: BTreeSet<String>,
    /// When it was seen.
    pub span: Span,
}

impl Face {
    fn addresses(&self) -> impl Iterator<Item = Address> {
        self.ips.keys().map(|ip| Address::from(*ip)).chain(self.macs.iter().map(|mac| Address::Mac(*mac)))
    }
}

/// A machine of the site.
#[derive(Clone, Default, Debug)]
pub(crate) struct Machine {
    /// Home segment.
    pub segment: String,
    /// Main address.
    pub address: Address,
    /// How the segments show it, in their order; empty if only declared.
    pub faces: Vec<Face>,
}

impl Machine {
    /// Its MAC addresses at home.
    pub(crate) fn home_macs(&self) -> BTreeSet<MacAddr> {
        let home = self.faces.iter().filter(|face| face.segment == self.segment);
        let own = match self.address {
            Address::Mac(mac) => Some(mac),
            _ => None,
        };
        home.flat_map(|face| face.macs.iter().copied()).chain(own).collect()
    }

    /// Whether it is itself on its home segment. A machine that is only declared is where it was declared.
    pub(crate) fn is_local(&self) -> bool {
        self.faces.is_empty() || self.faces.iter().any(|face| face.segment == self.segment && face.local)
    }

    /// The VLAN it sends in at home, if there is just one.
    pub(crate) fn vlan(&self) -> Option<u16> {
        let vlans: BTreeSet<u16> =
            self.faces.iter().filter(|face| face.local).flat_map(|face| face.vlans.iter().copied()).collect();
        if vlans.len() == 1 { vlans.first().copied() } else { None }
    }

    /// `segment/address`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.segment, self.address)
    }
}

/// All machines, found by any address on any segment.
#[derive(Default, Debug)]
pub(crate) struct Directory {
    pub machines: Vec<Machine>,
    index: BTreeMap<(String, Address), usize>,
}

impl Directory {
    /// The machine that an address on a segment stands for.
    pub(crate) fn find(&self, segment: &str, address: Address) -> Option<usize> {
        self.index.get(&(segment.to_owned(), address)).copied()
    }

    /// Finds all machines in the evidence, and adds those that only the site model knows.
    pub(crate) fn build(input: &Input, model: Option<&SiteModel>) -> Directory {
        let faces: Vec<Face> = views(input).iter().flat_map(|(segment, view)| faces(segment, view)).collect();
        let groups = unite(&faces, model);
        let mut machines: BTreeMap<(String, Address), Machine> = BTreeMap::new();
        for group in groups {
            let machine = machine(group.into_iter().filter_map(|at| faces.get(at).cloned()).collect(), model);
            let key = (machine.segment.clone(), machine.address);
            machines
                .entry(key)
                .and_modify(|known| known.faces.extend(machine.faces.iter().cloned()))
                .or_insert(machine);
        }
        let mut directory = Directory::default();
        machines.into_values().for_each(|machine| directory.add(machine));
        directory.add_declared(model);
        directory
    }

    fn add(&mut self, machine: Machine) {
        let at = self.machines.len();
        self.index.entry((machine.segment.clone(), machine.address)).or_insert(at);
        for face in &machine.faces {
            for address in face.addresses() {
                self.index.entry((face.segment.clone(), address)).or_insert(at);
            }
        }
        self.machines.push(machine);
    }

    fn add_declared(&mut self, model: Option<&SiteModel>) {
        let Some(model) = model else { return };
        for (segment, address) in pins(model) {
            if self.find(&segment, address).is_none() {
                self.add(Machine { segment, address, faces: Vec::new() });
            }
        }
        self.machines.sort_by(|a, b| (&a.segment, a.address).cmp(&(&b.segment, b.address)));
        let machines = std::mem::take(&mut self.machines);
        self.index.clear();
        machines.into_iter().for_each(|machine| self.add(machine));
    }
}

/// Single addresses that the site model names with their segment.
fn pins(model: &SiteModel) -> BTreeSet<(String, Address)> {
    let members = model.cranes.iter().flat_map(|crane| &crane.members);
    let members = members.chain(model.systems.iter().flat_map(|system| &system.members));
    let members = members.filter_map(|member| match member.which {
        Members::Address(address) => Some((member.segment.clone(), address)),
        Members::Network(_) | Members::All => None,
    });
    members.chain(model.assets.iter().map(|asset| (asset.segment.clone(), asset.address))).collect()
}

/// The machines of one segment.
fn faces(segment: &str, view: &SegmentView) -> Vec<Face> {
    let routers = routers(view);
    let holders = holders(view, &routers);
    let sets = mac_sets(view, &routers, &holders);
    let mut faces: BTreeMap<Address, Face> = BTreeMap::new();
    for (address, span) in &view.spans {
        let key = match address {
            Address::Mac(mac) => Address::Mac(sets.root(*mac)),
            _ => address.ip().and_then(|ip| holders.get(&ip)).map_or(*address, |mac| Address::Mac(sets.root(*mac))),
        };
        let face = faces.entry(key).or_default();
        face.span.join(*span);
        face.vlans.extend(view.vlans.get(address).into_iter().flatten());
        if let Some(ip) = address.ip() {
            face.ips.entry(ip).or_default();
        }
    }
    for (mac, root) in sets.members() {
        let face = faces.entry(Address::Mac(root)).or_default();
        face.macs.insert(mac);
        face.router.extend(routers.get(&mac).into_iter().flat_map(|router| router.reasons.iter().cloned()));
    }
    for (ip, mac) in view.uses.keys().chain(view.bound.keys()) {
        if let Some(face) = faces.get_mut(&Address::Mac(sets.root(*mac)))
            && let Some(users) = face.ips.get_mut(ip)
        {
            users.insert(*mac);
        }
    }
    let bare = view.is_without_link_layer();
    let finish = |mut face: Face| {
        segment.clone_into(&mut face.segment);
        face.local = !face.macs.is_empty() || bare && !face.ips.keys().any(|ip| is_public(*ip));
        face
    };
    faces.into_values().map(finish).collect()
}

/// The MAC address that each address belongs to: a router's own go to it, others to the first that had it.
fn holders(view: &SegmentView, routers: &BTreeMap<MacAddr, Router>) -> BTreeMap<IpAddr, MacAddr> {
    let mut first: BTreeMap<IpAddr, (i64, MacAddr)> = BTreeMap::new();
    let uses = view.uses.iter().map(|(key, (_, span))| (key, span));
    for ((ip, mac), span) in uses.chain(view.bound.iter()) {
        if routers.get(mac).is_some_and(|router| !router.own.contains(ip)) {
            continue;
        }
        let candidate = (span.first.unwrap_or(i64::MAX), *mac);
        first.entry(*ip).and_modify(|known| *known = candidate.min(*known)).or_insert(candidate);
    }
    first.into_iter().map(|(ip, (_, mac))| (ip, mac)).collect()
}

/// MAC addresses of one machine: those that share a chassis, and those that hold no address of their own but use
/// one that another holds (teamed interfaces, a replaced device).
fn mac_sets(
    view: &SegmentView,
    routers: &BTreeMap<MacAddr, Router>,
    holders: &BTreeMap<IpAddr, MacAddr>,
) -> Sets<MacAddr> {
    let mut sets = Sets::default();
    for (_, mac) in view.uses.keys().chain(view.bound.keys()) {
        sets.insert(*mac);
    }
    for address in view.spans.keys() {
        if let Address::Mac(mac) = address {
            sets.insert(*mac);
        }
    }
    for (port, chassis) in &view.chassis {
        sets.unite(*port, *chassis);
    }
    let held: BTreeSet<MacAddr> = holders.values().copied().collect();
    for (ip, mac) in view.uses.keys().chain(view.bound.keys()) {
        let holder = holders.get(ip).filter(|_| !held.contains(mac) && !routers.contains_key(mac));
        if let Some(holder) = holder {
            sets.unite(*mac, *holder);
        }
    }
    sets
}

/// Groups of faces that are one machine.
fn unite(faces: &[Face], model: Option<&SiteModel>) -> Vec<BTreeSet<usize>> {
    let mut sets = Sets::default();
    (0..faces.len()).for_each(|at| sets.insert(at));
    let mut by_ip: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    let mut by_mac: BTreeMap<MacAddr, Vec<usize>> = BTreeMap::new();
    for (at, face) in faces.iter().enumerate() {
        for ip in face.ips.keys().filter(|ip| !is_link_local(**ip)) {
            by_ip.entry(*ip).or_default().push(at);
        }
        for mac in face.macs.iter().filter(|mac| !mac.is_local()) {
            by_mac.entry(*mac).or_default().push(at);
        }
    }
    for (ip, holders) in &by_ip {
        unite_local(faces, holders, &mut sets);
        unite_remote(faces, *ip, holders, model, &mut sets);
    }
    for holders in by_mac.values() {
        unite_without_address(faces, holders, &mut sets);
    }
    sets.groups()
}

/// Rule 1 and 2: the same address with the same MAC address.
fn unite_local(faces: &[Face], holders: &[usize], sets: &mut Sets<usize>) {
    let local: Vec<(usize, &Face)> =
        holders.iter().filter_map(|at| Some((*at, faces.get(*at)?))).filter(|(_, face)| face.local).collect();
    for (i, (at, face)) in local.iter().enumerate() {
        for (other, other_face) in local.iter().skip(i + 1) {
            if !face.macs.is_disjoint(&other_face.macs) {
                sets.unite(*at, *other);
            }
        }
    }
}

/// Rule 3 and 4: an address seen through routers.
fn unite_remote(faces: &[Face], ip: IpAddr, holders: &[usize], model: Option<&SiteModel>, sets: &mut Sets<usize>) {
    let is_local = |at: &&usize| faces.get(**at).is_some_and(|face| face.local);
    let local: Vec<usize> = holders.iter().filter(is_local).copied().collect();
    let mut remote = holders.iter().filter(|at| !is_local(at)).copied();
    let Some(first) = remote.next() else { return };
    remote.for_each(|at| sets.unite(first, at));
    let machines: BTreeSet<usize> = local.iter().map(|at| sets.root(*at)).collect();
    let owner = if machines.len() == 1 {
        machines.first().copied()
    } else {
        let home = model.and_then(|model| owning_segment(model, ip));
        local.iter().find(|at| faces.get(**at).map(|face| face.segment.as_str()) == home).copied()
    };
    if let Some(owner) = owner {
        sets.unite(owner, first);
    }
}

/// A device without IP address that several segments show under one universally administered MAC address.
fn unite_without_address(faces: &[Face], holders: &[usize], sets: &mut Sets<usize>) {
    let has_address = |at: &&usize| faces.get(**at).is_some_and(|face| !face.ips.is_empty());
    let Some(anchor) = holders.iter().find(has_address).or_else(|| holders.first()) else { return };
    for at in holders.iter().filter(|at| !has_address(at)) {
        sets.unite(*anchor, *at);
    }
}

/// The one segment on which the site model puts an address: where it is declared, else where its zone is.
fn owning_segment(model: &SiteModel, ip: IpAddr) -> Option<&str> {
    let declared = model.assets.iter().filter(|asset| asset.address == Address::from(ip)).map(|a| a.segment.as_str());
    let members = model.cranes.iter().flat_map(|crane| &crane.members);
    let members = members.chain(model.systems.iter().flat_map(|system| &system.members));
    let members = members.filter(|member| matches!(member.which, Members::Address(a) if a == Address::from(ip)));
    let declared: BTreeSet<&str> = declared.chain(members.map(|member| member.segment.as_str())).collect();
    if !declared.is_empty() {
        return if declared.len() == 1 { declared.first().copied() } else { None };
    }
    let zones = model.zones.iter().filter(|zone| zone.cidrs.iter().any(|cidr| cidr.contains(ip)));
    let longest =
        |zone: &&quaywatch_model::site::Zone| zone.cidrs.iter().filter(|c| c.contains(ip)).map(|c| c.prefix()).max();
    let best = zones.clone().filter_map(|zone| longest(&zone)).max();
    let segments: BTreeSet<&str> =
        zones.filter(|zone| longest(zone) == best).flat_map(|zone| zone.segments.iter().map(String::as_str)).collect();
    if segments.len() == 1 { segments.first().copied() } else { None }
}

fn machine(mut faces: Vec<Face>, model: Option<&SiteModel>) -> Machine {
    faces.sort_by(|a, b| (&a.segment, a.ips.keys().next()).cmp(&(&b.segment, b.ips.keys().next())));
    let segment = home(&faces, model).to_owned();
    let at_home = faces.iter().filter(|face| face.segment == segment).flat_map(Face::addresses);
    let anywhere = || main_address(faces.iter().flat_map(Face::addresses));
    let address = main_address(at_home).or_else(anywhere).unwrap_or_default();
    Machine { segment, address, faces }
}

/// The lowest IPv4 address, else the lowest IPv6 address that is valid beyond the link, else any, else a MAC address.
fn main_address(addresses: impl Iterator<Item = Address>) -> Option<Address> {
    let rank = |address: &Address| match address {
        Address::V4(ip) => (u8::from(ip.is_link_local()), *address),
        Address::V6(ip) => (2 + u8::from(ip.is_unicast_link_local()), *address),
        Address::Mac(_) | Address::None => (4, *address),
    };
    addresses.min_by_key(rank)
}

fn home<'a>(faces: &'a [Face], model: Option<&'a SiteModel>) -> &'a str {
    let local: Vec<&Face> = faces.iter().filter(|face| face.local).collect();
    let candidates: Vec<&Face> = if local.is_empty() { faces.iter().collect() } else { local };
    let fallback = candidates.first().map_or("", |face| face.segment.as_str());
    let Some(model) = model else { return fallback };
    let owning = faces.iter().flat_map(|face| face.ips.keys()).find_map(|ip| owning_segment(model, *ip));
    let was_there = |segment: &&str| candidates.iter().any(|face| face.segment == *segment);
    let only_remote = candidates.iter().all(|face| !face.local);
    if let Some(owning) = owning.filter(|segment| only_remote || was_there(segment)) {
        return owning;
    }
    let zoned = candidates.iter().find(|face| {
        let macs: Vec<MacAddr> = face.macs.iter().copied().collect();
        face.addresses().any(|address| {
            let subject =
                Subject { segment: &face.segment, address, macs: &macs, local: face.local, ..Subject::default() };
            model.zone_of(&subject).is_some_and(|zone| zone.segments.contains(&face.segment))
        })
    });
    zoned.map_or(fallback, |face| &face.segment)
}
