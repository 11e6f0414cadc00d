//! A site model drafted from traffic, for a person to correct.
//!
//! Segments are those of the captures. Each network (/24 or /64) whose hosts are at home on a segment becomes a
//! zone; its kind is `ot` if a machine in it controls or is controlled, else `it`. Public addresses make a zone of kind
//! `internet`. No crane and no conduit is invented: both are only proposed, as comments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;

use quaywatch_model::site::{Cidr, Segment, Site, Zone, ZoneKind};
use quaywatch_model::{Asset, Role, SiteModel};

use crate::address::{host, neighbourhood};
use crate::build::assets;
use crate::flows::{Boundary, InventoryFlow, flows};
use crate::input::Input;
use crate::machine::Directory;

/// A drafted site model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What the traffic shows.
    pub model: SiteModel,
    /// What it suggests: parts of a `site.toml`, each for a person to judge.
    pub proposals: Vec<String>,
}

impl Draft {
    /// The draft as a `site.toml` that says what it is, with the proposals as comments.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Drafted from traffic; nobody has confirmed it. Correct it, remove this line, and assess again with it.\n",
        );
        text.push_str(&self.model.to_toml());
        if !self.proposals.is_empty() {
            text.push_str("\n# Proposals: remove the comment marks of what is right, and correct the rest.\n");
        }
        for proposal in &self.proposals {
            text.push('\n');
            for line in proposal.lines() {
                // Written to a string, which cannot fail.
                let _ = writeln!(text, "# {line}");
            }
        }
        text
    }
}

/// Drafts a site model.
#[must_use]
pub fn draft(input: &Input) -> Draft {
    let directory = Directory::build(input, None);
    let assets_without_zones = assets(input, &directory, None, false);
    let site = Site { id: input.site.clone(), ..Site::default() };
    let zones = zones(&assets_without_zones);
    let model = SiteModel { site, segments: segments(input), zones, ..SiteModel::default() };
    let directory = Directory::build(input, Some(&model));
    let assets = assets(input, &directory, Some(&model), false);
    let flows = flows(input, &directory, &assets, &model, false);
    let mut proposals = cranes(&assets);
    proposals.extend(conduits(&flows));
    Draft { model, proposals }
}

fn segments(input: &Input) -> Vec<Segment> {
    let mut captures: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in &input.coverage {
        captures.entry(&row.segment).or_default();
    }
    let connections = input.connections.iter().map(|row| (row.segment.as_str(), row.source.as_str()));
    let identities = input.identities.iter().map(|row| (row.segment.as_str(), row.source.as_str()));
    for (segment, source) in connections.chain(identities) {
        let name = source.rsplit(['/', '\\']).next().unwrap_or("");
        let of_segment = captures.entry(segment).or_default();
        of_segment.extend(Some(name.to_owned()).filter(|name| !name.is_empty()));
    }
    let segment = |(id, captures): (&str, BTreeSet<String>)| Segment {
        id: id.to_owned(),
        captures: captures.into_iter().collect(),
    };
    captures.into_iter().map(segment).collect()
}

/// Assets of one home segment and network; without IP address, the network is absent.
type Groups<'a> = BTreeMap<(&'a str, Option<IpAddr>), Vec<&'a Asset>>;

fn zones(assets: &[Asset]) -> Vec<Zone> {
    let mut groups: Groups<'_> = BTreeMap::new();
    for asset in assets.iter().filter(|asset| asset.seen && !asset.external) {
        let network = host(&asset.address).and_then(|address| address.ip()).map(neighbourhood);
        groups.entry((&asset.segment, network)).or_default().push(asset);
    }
    let mut zones: Vec<Zone> =
        groups.iter().map(|((segment, network), members)| zone(&groups, segment, *network, members)).collect();
    if assets.iter().any(|asset| asset.external) {
        zones.push(empty_zone("internet".to_owned(), ZoneKind::Internet));
    }
    zones
}

fn zone(groups: &Groups<'_>, segment: &str, network: Option<IpAddr>, members: &[&Asset]) -> Zone {
    let alone = groups.keys().filter(|(other, _)| *other == segment).count() == 1;
    let id = match network {
        _ if alone => segment.to_owned(),
        Some(network) => format!("{segment}-{network}"),
        None => format!("{segment}-link"),
    };
    let prefix = |ip: IpAddr| if ip.is_ipv4() { 24 } else { 64 };
    let kind = if members.iter().any(|asset| is_ot(asset.role)) { ZoneKind::Ot } else { ZoneKind::It };
    // Networks that several segments show are told apart by the segment: sister cranes reuse addresses.
    Zone {
        segments: vec![segment.to_owned()],
        cidrs: network.and_then(|ip| Cidr::new(ip, prefix(ip))).into_iter().collect(),
        ..empty_zone(id, kind)
    }
}

fn empty_zone(id: String, kind: ZoneKind) -> Zone {
    Zone { id, kind, level: None, segments: vec![], cidrs: vec![], vlans: vec![], macs: vec![], names: vec![] }
}

fn is_ot(role: Role) -> bool {
    role.is_control()
        || matches!(role, Role::Hmi | Role::GnssReceiver | Role::RfidReader | Role::Historian | Role::TosServer)
}

/// A crane for each zone with a controller or drive, and which of them look like sisters.
fn cranes(assets: &[Asset]) -> Vec<String> {
    let mut zones: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for asset in
        assets.iter().filter(|asset| matches!(asset.role, Role::Controller | Role::SafetyController | Role::Drive))
    {
        let models = zones.entry(&asset.zone).or_default();
        models.extend(Some(asset.model.as_str()).filter(|model| !model.is_empty()));
    }
    let proposal = |(zone, models): (&&str, &BTreeSet<&str>)| {
        let twins = zones.iter().filter(|(other, theirs)| *other != zone && !models.is_empty() && *theirs == models);
        let twins: Vec<&str> = twins.map(|(other, _)| *other).collect();
        let mut text = format!("[[crane]]\nid = {zone:?}\nkind = \"other\"\nzones = [{zone:?}]\n");
        if !twins.is_empty() {
            let _ = writeln!(text, "sisters = {twins:?}");
        }
        text
    };
    zones.iter().filter(|(zone, _)| !zone.is_empty()).map(proposal).collect()
}

/// A conduit for each pair of zones seen talking.
fn conduits(flows: &[InventoryFlow]) -> Vec<String> {
    let mut pairs: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for flow in
        flows.iter().filter(|flow| flow.answered && flow.boundary != Boundary::Inside && !flow.service.is_empty())
    {
        if !flow.client.zone.is_empty() && !flow.server.zone.is_empty() {
            pairs.entry((&flow.client.zone, &flow.server.zone)).or_default().insert(&flow.service);
        }
    }
    let proposal = |((from, to), protocols): ((&str, &str), BTreeSet<&str>)| {
        let protocols: Vec<&str> = protocols.into_iter().collect();
        let id = format!("{from}-to-{to}");
        format!("[[conduit]]\nid = {id:?}\nfrom = {from:?}\nto = {to:?}\nprotocols = {protocols:?}\n")
    };
    pairs.into_iter().map(proposal).collect()
}
