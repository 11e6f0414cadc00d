//! From evidence and site model to the inventory.

use std::collections::BTreeSet;

use quaywatch_model::place::Timestamp;
use quaywatch_model::site::{DeclaredAsset, Subject};
use quaywatch_model::{Address, Asset, Attribute, AttributeValue, Interface, MacAddr, SiteModel};

use crate::address::is_public;
use crate::attributes::{attributes, chosen};
use crate::input::Input;
use crate::machine::{Directory, Face, Machine};
use crate::roles::{self, Known, Work};
use crate::segment_view::Span;

/// The assets of all machines, in the order of the directory. `given` is false for a drafted site model.
pub(crate) fn assets(input: &Input, directory: &Directory, model: Option<&SiteModel>, given: bool) -> Vec<Asset> {
    let attributes = attributes(input, directory, model);
    let work = roles::work(input, directory);
    let machines = directory.machines.iter().zip(attributes).zip(&work);
    machines.map(|((machine, attributes), work)| asset(machine, attributes, work, model, given)).collect()
}

fn asset(
    machine: &Machine,
    attributes: Vec<AttributeValue>,
    work: &Work,
    model: Option<&SiteModel>,
    given: bool,
) -> Asset {
    let place = Place::of(machine, &attributes, model);
    let declared: Vec<&DeclaredAsset> = model.into_iter().flat_map(|m| declared(m, machine)).collect();
    let known = Known {
        machine,
        work,
        attributes: &attributes,
        zone_kind: place.zone_kind,
        external: place.external,
        declared: declared.iter().find_map(|asset| asset.role),
        zones_given: given && model.is_some_and(|model| !model.zones.is_empty()),
    };
    let role_claims = roles::claims(&known, model);
    let (role, role_reason) =
        role_claims.first().map_or((quaywatch_model::Role::Unknown, String::new()), |c| (c.role, c.reason.clone()));
    let span = machine.faces.iter().fold(Span::default(), |mut sum, face| {
        sum.join(face.span);
        sum
    });
    Asset {
        id: machine.id(),
        segment: machine.segment.clone(),
        address: machine.address.to_string(),
        mac: main_mac(machine),
        name: chosen(&attributes, &[Attribute::HostName]),
        role,
        role_reason,
        role_claims,
        vendor: chosen(&attributes, &[Attribute::Vendor]),
        model: chosen(&attributes, &[Attribute::Model, Attribute::OrderNumber, Attribute::Product]),
        firmware: chosen(&attributes, &[Attribute::Firmware]),
        serial: chosen(&attributes, &[Attribute::Serial]),
        os: chosen(&attributes, &[Attribute::Os]),
        crane: place.crane,
        system: place.system,
        zone: place.zone,
        zone_kind: place.zone_kind.map_or_else(String::new, |kind| kind.name().to_owned()),
        critical: declared.iter().any(|asset| asset.critical),
        declared: place.is_member || !declared.is_empty(),
        seen: !machine.faces.is_empty(),
        external: place.external,
        first_ts: span.first.map(Timestamp),
        last_ts: span.last.map(Timestamp),
        interfaces: interfaces(machine, &attributes, model),
        attributes,
    }
}

/// Declarations of any of the machine's addresses on its home segment or where it was itself seen.
fn declared<'a>(model: &'a SiteModel, machine: &Machine) -> impl Iterator<Item = &'a DeclaredAsset> {
    let places: BTreeSet<(String, Address)> = places(machine).into_iter().collect();
    model.assets.iter().filter(move |asset| places.contains(&(asset.segment.clone(), asset.address)))
}

fn places(machine: &Machine) -> Vec<(String, Address)> {
    let mut places = vec![(machine.segment.clone(), machine.address)];
    for face in machine.faces.iter().filter(|face| face.local || face.segment == machine.segment) {
        places.extend(face.ips.keys().map(|ip| (face.segment.clone(), Address::from(*ip))));
        places.extend(face.macs.iter().map(|mac| (face.segment.clone(), Address::Mac(*mac))));
    }
    places
}

/// Where in the site model a machine belongs.
struct Place {
    zone: String,
    zone_kind: Option<quaywatch_model::site::ZoneKind>,
    crane: String,
    system: String,
    is_member: bool,
    external: bool,
}

impl Place {
    fn of(machine: &Machine, attributes: &[AttributeValue], model: Option<&SiteModel>) -> Place {
        let public = machine.address.ip().is_some_and(is_public);
        let Some(model) = model else {
            let external = public && !(machine.is_local() && matches!(machine.address, Address::V6(_)));
            return Place {
                zone: String::new(),
                zone_kind: None,
                crane: String::new(),
                system: String::new(),
                is_member: false,
                external,
            };
        };
        let names = names(attributes);
        let macs: Vec<MacAddr> = machine.home_macs().into_iter().collect();
        let subject = Subject {
            segment: &machine.segment,
            address: machine.address,
            macs: &macs,
            names: &names,
            vlan: machine.vlan(),
            local: machine.is_local(),
            external: public,
        };
        let zone = model.zone_of(&subject);
        let id = zone.map_or("", |zone| zone.id.as_str());
        let inner = zone.is_some_and(|zone| {
            !matches!(zone.kind, quaywatch_model::site::ZoneKind::Internet | quaywatch_model::site::ZoneKind::Remote)
        });
        let members = model.cranes.iter().flat_map(|crane| &crane.members);
        let mut members = members.chain(model.systems.iter().flat_map(|system| &system.members));
        let listed = members.any(|member| member.fit(&subject) == Some(u8::MAX));
        let gateway =
            machine.address.ip().is_some_and(|ip| model.remote_access.iter().any(|r| r.address.single() == Some(ip)));
        Place {
            zone: id.to_owned(),
            zone_kind: zone.map(|zone| zone.kind),
            crane: model.crane_of(&subject, id).unwrap_or("").to_owned(),
            system: model.system_of(&subject, id).unwrap_or("").to_owned(),
            is_member: listed || gateway,
            external: public && !inner,
        }
    }
}

fn names(attributes: &[AttributeValue]) -> Vec<String> {
    let names = attributes.iter().filter(|value| value.attribute == Attribute::HostName);
    names.map(|value| value.value.clone()).collect()
}

/// The MAC address used with the main address, else the lowest at home.
fn main_mac(machine: &Machine) -> String {
    if let Address::Mac(mac) = machine.address {
        return mac.to_string();
    }
    let home = || machine.faces.iter().filter(|face| face.segment == machine.segment);
    let with_main = home().filter_map(|face| face.ips.get(&machine.address.ip()?)?.first()).min();
    let mac = with_main.or_else(|| home().filter_map(|face| face.macs.first()).min());
    mac.map_or_else(String::new, ToString::to_string)
}

fn interfaces(machine: &Machine, attributes: &[AttributeValue], model: Option<&SiteModel>) -> Vec<Interface> {
    let names = names(attributes);
    let mut interfaces = BTreeSet::new();
    let own = |face: &&Face| face.local || face.segment == machine.segment;
    for face in machine.faces.iter().filter(own) {
        for (address, mac) in face_interfaces(face) {
            let macs: Vec<MacAddr> = mac.into_iter().collect();
            let vlan = if face.vlans.len() == 1 { face.vlans.first().copied() } else { None };
            let external = address.ip().is_some_and(is_public);
            let (segment, local) = (face.segment.as_str(), face.local);
            let subject = Subject { segment, address, macs: &macs, names: &names, vlan, local, external };
            interfaces.insert(interface(&subject, model));
        }
    }
    if interfaces.is_empty() {
        let external = machine.address.ip().is_some_and(is_public);
        let (segment, local) = (machine.segment.as_str(), machine.is_local());
        let subject =
            Subject { segment, address: machine.address, names: &names, local, external, ..Subject::default() };
        interfaces.insert(interface(&subject, model));
    }
    interfaces.into_iter().collect()
}

/// Each IP address with each MAC address that used it; MAC addresses without IP address stand alone.
fn face_interfaces(face: &Face) -> Vec<(Address, Option<MacAddr>)> {
    let mut rows = Vec::new();
    for (ip, users) in &face.ips {
        let address = Address::from(*ip);
        if users.is_empty() {
            rows.push((address, None));
        }
        rows.extend(users.iter().map(|mac| (address, Some(*mac))));
    }
    let used: BTreeSet<MacAddr> = face.ips.values().flatten().copied().collect();
    rows.extend(face.macs.difference(&used).map(|mac| (Address::Mac(*mac), Some(*mac))));
    rows
}

fn interface(subject: &Subject<'_>, model: Option<&SiteModel>) -> Interface {
    Interface {
        address: subject.address.to_string(),
        mac: subject.macs.first().map_or_else(String::new, ToString::to_string),
        segment: subject.segment.to_owned(),
        zone: model.and_then(|model| model.zone_of(subject)).map_or_else(String::new, |zone| zone.id.clone()),
    }
}
