//! What of the site model fits an asset, a file or a flow.

use super::{Conduit, Member, Members, SiteModel, Zone, ZoneKind};
use crate::address::{Address, MacAddr};
use crate::observation::OperationClass;

/// An asset, or one interface of it, as zones and members are matched against it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Subject<'a> {
    /// Segment it is on.
    pub segment: &'a str,
    /// Its address.
    pub address: Address,
    /// Its MAC addresses.
    pub macs: &'a [MacAddr],
    /// Its names.
    pub names: &'a [String],
    /// The VLAN it was seen in.
    pub vlan: Option<u16>,
    /// Whether it is itself on the segment, and not only seen there through a router.
    pub local: bool,
    /// Whether its address is a public one.
    pub external: bool,
}

/// How closely a zone fits; the greater the closer. Compared field by field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Fit {
    /// 5 MAC, 4 name, 3 network, 2 VLAN, 1 segment alone, 0 any public address.
    by: u8,
    /// Prefix length of the network, or number of literal characters of the name pattern.
    closeness: usize,
    /// Whether the zone lists the segment.
    segment: bool,
}

impl SiteModel {
    /// The segment that a capture belongs to, by its file name without folder.
    ///
    /// Of several patterns that fit, the one with most literal characters wins, then the one written first.
    #[must_use]
    pub fn segment_of(&self, file_name: &str) -> Option<&str> {
        let mut best: Option<(usize, &str)> = None;
        for segment in &self.segments {
            for pattern in segment.captures.iter().filter(|pattern| glob_matches(pattern, file_name)) {
                let literal = literal_length(pattern);
                if best.is_none_or(|(length, _)| literal > length) {
                    best = Some((literal, &segment.id));
                }
            }
        }
        best.map(|(_, id)| id)
    }

    /// The zone of an asset: the one that fits most closely, of equals the one written first.
    ///
    /// A zone that lists segments holds only assets on these. Within that, an explicit MAC address beats a name,
    /// a name beats a network (the longest prefix wins), a network beats a VLAN, and a VLAN beats a zone that lists
    /// nothing but segments. The last two hold only what is itself on the segment: what lies behind its router
    /// is elsewhere. A zone of kind `internet` that lists nothing holds every public address not matched otherwise.
    #[must_use]
    pub fn zone_of(&self, subject: &Subject<'_>) -> Option<&Zone> {
        let mut best: Option<(Fit, &Zone)> = None;
        for zone in &self.zones {
            let Some(fit) = fit(zone, subject) else { continue };
            if best.is_none_or(|(other, _)| fit > other) {
                best = Some((fit, zone));
            }
        }
        best.map(|(_, zone)| zone)
    }

    /// The zone of this id.
    #[must_use]
    pub fn zone(&self, id: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// The first conduit that allows clients in zone `from` to use `protocol` of servers in zone `to`.
    ///
    /// `protocol` is a protocol's name, or `tcp/8443` and the like. With a class, the conduit must allow that class of
    /// operation too. An empty list in a conduit allows any; a flow whose protocol is unknown (empty) fits only those.
    #[must_use]
    pub fn allowed(&self, from: &str, to: &str, protocol: &str, class: Option<OperationClass>) -> Option<&Conduit> {
        self.conduits.iter().find(|conduit| {
            conduit.from == from
                && conduit.to == to
                && (conduit.protocols.is_empty() || conduit.protocols.iter().any(|p| p == protocol))
                && (conduit.classes.is_empty() || class.is_none_or(|class| conduit.classes.contains(&class)))
        })
    }

    /// The crane that an asset is on: one that lists it as a member, else one that lists its zone, unless a system
    /// lists it as a member: a firewall's leg in a crane's zone is the network's, not the crane's.
    #[must_use]
    pub fn crane_of(&self, subject: &Subject<'_>, zone: &str) -> Option<&str> {
        let (cranes, systems) = (self.crane_owners(), self.system_owners());
        by_member(&cranes, subject)
            .or_else(|| if by_member(&systems, subject).is_some() { None } else { by_zone(&cranes, zone) })
    }

    /// The system that an asset is part of, found as for cranes.
    #[must_use]
    pub fn system_of(&self, subject: &Subject<'_>, zone: &str) -> Option<&str> {
        let (cranes, systems) = (self.crane_owners(), self.system_owners());
        by_member(&systems, subject)
            .or_else(|| if by_member(&cranes, subject).is_some() { None } else { by_zone(&systems, zone) })
    }

    fn crane_owners(&self) -> Vec<Owner<'_>> {
        self.cranes.iter().map(|c| (c.id.as_str(), c.members.as_slice(), c.zones.as_slice())).collect()
    }

    fn system_owners(&self) -> Vec<Owner<'_>> {
        self.systems.iter().map(|s| (s.id.as_str(), s.members.as_slice(), s.zones.as_slice())).collect()
    }
}

type Owner<'a> = (&'a str, &'a [Member], &'a [String]);

/// The owner whose member list fits the subject closest.
fn by_member<'a>(owners: &[Owner<'a>], subject: &Subject<'_>) -> Option<&'a str> {
    let closest = |(id, members, _): &Owner<'a>| {
        let fit = members.iter().filter_map(|member| member.fit(subject)).max()?;
        Some((fit, *id))
    };
    let best = owners.iter().filter_map(closest).reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, id)| id)
}

fn by_zone<'a>(owners: &[Owner<'a>], zone: &str) -> Option<&'a str> {
    owners.iter().find(|(_, _, zones)| zones.iter().any(|id| id == zone)).map(|(id, _, _)| *id)
}

impl Member {
    /// How closely this member means the subject: the prefix length, above that a single address; `None` if not at all.
    #[must_use]
    pub fn fit(&self, subject: &Subject<'_>) -> Option<u8> {
        if self.segment != subject.segment {
            return None;
        }
        match &self.which {
            Members::Address(Address::Mac(mac)) => {
                (subject.address == Address::Mac(*mac) || subject.macs.contains(mac)).then_some(u8::MAX)
            }
            Members::Address(address) => (subject.address == *address).then_some(u8::MAX),
            Members::Network(network) => subject
                .address
                .ip()
                .is_some_and(|ip| network.contains(ip))
                .then_some(network.prefix().saturating_add(1)),
            Members::All => subject.local.then_some(0),
        }
    }
}

fn fit(zone: &Zone, subject: &Subject<'_>) -> Option<Fit> {
    let listed = zone.segments.iter().any(|segment| segment == subject.segment);
    if !zone.segments.is_empty() && !listed {
        return None;
    }
    let fit = |by, closeness| Some(Fit { by, closeness, segment: listed });
    let own_mac = |mac: &MacAddr| subject.address == Address::Mac(*mac) || subject.macs.contains(mac);
    if zone.macs.iter().any(own_mac) {
        return fit(5, 0);
    }
    let patterns = zone.names.iter().filter(|pattern| subject.names.iter().any(|name| glob_matches(pattern, name)));
    if let Some(length) = patterns.map(|pattern| literal_length(pattern)).max() {
        return fit(4, length);
    }
    let networks = subject.address.ip().map(|ip| zone.cidrs.iter().filter(move |cidr| cidr.contains(ip)));
    if let Some(prefix) = networks.into_iter().flatten().map(|cidr| cidr.prefix()).max() {
        return fit(3, usize::from(prefix));
    }
    if subject.local && subject.vlan.is_some_and(|vlan| zone.vlans.contains(&vlan)) {
        return fit(2, 0);
    }
    if zone.cidrs.is_empty() && zone.macs.is_empty() && zone.names.is_empty() && zone.vlans.is_empty() {
        if listed && subject.local && !subject.external {
            return fit(1, 0);
        }
        if zone.kind == ZoneKind::Internet && subject.external {
            return fit(0, 0);
        }
    }
    None
}

fn literal_length(pattern: &str) -> usize {
    pattern.chars().filter(|c| !matches!(c, '*' | '?')).count()
}

/// Whether `text` fits `pattern`: `*` stands for any run of characters, `?` for one; case of ASCII letters does not matter.
#[must_use]
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when a later part fails: after the last `*`, with one more character given to it.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted.eq_ignore_ascii_case(&c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                p = after;
                t = from + 1;
                retry = Some((after, t));
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}
