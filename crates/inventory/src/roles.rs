//! What each machine is for, and why it is thought so.
//!
//! The site model's word is final. Otherwise each rule that applies gives a reason with a weight; the strongest wins,
//! of equals the role that stands first in [`Role`].
//!
//! A machine that reads from or writes to controllers is not therefore an operator panel or an engineering station:
//! an intruder does the same. These two roles are inferred from behaviour only inside a zone of kind crane or ot (or with
//! no zones known), and the second not at all once the site model declares an engineering station.

use std::collections::{BTreeMap, BTreeSet};

use quaywatch_model::site::ZoneKind;
use quaywatch_model::{Attribute, AttributeValue, Role, RoleClaim, SiteModel};

use crate::address::host;
use crate::input::Input;
use crate::machine::{Directory, Machine};
use crate::role_tables::{
    ANSWERED_BY_OTHERS, BUSES, CAPABILITIES, NAME_WEIGHT, NAME_WORDS, PRODUCTS, ROUTING, SERVICES,
};
use crate::vendor::{Cellular, cellular, vendor_of};

/// Reads that make a client of controllers an operator panel.
const READS_OF_A_PANEL: i64 = 20;

/// What traffic shows of one machine's work.
#[derive(Clone, Default, Debug)]
pub(crate) struct Work {
    /// Protocols it serves.
    serves: BTreeSet<String>,
    /// Control protocols in which it replied to operations.
    controlled_by: BTreeSet<String>,
    /// Operations it asked others for, by class.
    asks: BTreeMap<String, i64>,
    /// Field buses that it alone commands.
    commands: BTreeSet<&'static str>,
    /// Routing protocols that it speaks.
    routes: BTreeSet<&'static str>,
    /// Position sentences it sent.
    sentences: i64,
    /// Markers of its web paths.
    markers: BTreeSet<String>,
    /// Protocols it speaks as a client.
    client_of: BTreeSet<String>,
    /// Whether a browser or the like runs on it.
    browses: bool,
}

/// What is known of the machine whose role is asked for.
pub(crate) struct Known<'a> {
    pub machine: &'a Machine,
    pub work: &'a Work,
    pub attributes: &'a [AttributeValue],
    pub zone_kind: Option<ZoneKind>,
    pub external: bool,
    pub declared: Option<Role>,
    /// Whether the owner gave zones, so that being in no OT zone means something.
    pub zones_given: bool,
}

/// The work of each machine, in the order of the directory.
pub(crate) fn work(input: &Input, directory: &Directory) -> Vec<Work> {
    let mut work = vec![Work::default(); directory.machines.len()];
    let mut at = |segment: &str, address: &str, change: &mut dyn FnMut(&mut Work)| {
        let found = host(address).and_then(|address| directory.find(segment, address));
        if let Some(work) = found.and_then(|at| work.get_mut(at)) {
            change(work);
        }
    };
    for row in input.connections.iter().filter(|row| !row.service.is_empty()) {
        if row.server_packets > 0 {
            at(&row.segment, &row.server, &mut |work| work.serves.extend([row.service.clone()]));
        }
        at(&row.segment, &row.client, &mut |work| work.client_of.extend([row.service.clone()]));
    }
    for row in &input.services {
        at(&row.segment, &row.server, &mut |work| work.serves.extend([row.protocol.clone()]));
    }
    let commands = |protocol: &String| {
        input.control_protocols.contains(protocol) && !ANSWERED_BY_OTHERS.contains(&protocol.as_str())
    };
    for row in &input.operations {
        if row.replies > 0 && row.class != "session" && commands(&row.protocol) {
            at(&row.segment, &row.server, &mut |work| work.controlled_by.extend([row.protocol.clone()]));
        }
        if let Some(protocol) = ROUTING.iter().copied().find(|routing| *routing == row.protocol) {
            at(&row.segment, &row.client, &mut |work| work.routes.extend([protocol]));
        }
        at(&row.segment, &row.client, &mut |work| *work.asks.entry(row.class.clone()).or_default() += row.operations);
    }
    for ((segment, bus), clients) in masters(input) {
        if let [client] = clients.iter().copied().collect::<Vec<_>>().as_slice() {
            at(segment, client, &mut |work| work.commands.extend([bus]));
        }
    }
    for row in &input.positions {
        at(&row.segment, &row.receiver, &mut |work| work.sentences += row.sentences);
    }
    for row in &input.requests {
        if !row.marker.is_empty() {
            at(&row.segment, &row.server, &mut |work| work.markers.extend([row.marker.clone()]));
        }
        if row.user_agent.starts_with("Mozilla/") {
            at(&row.segment, &row.client, &mut |work| work.browses = true);
        }
    }
    work
}

/// Who asks on each field bus of each segment.
fn masters(input: &Input) -> BTreeMap<(&str, &'static str), BTreeSet<&str>> {
    let mut masters: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for row in &input.operations {
        if let Some(bus) = BUSES.iter().copied().find(|bus| *bus == row.protocol) {
            masters.entry((row.segment.as_str(), bus)).or_default().insert(&row.client);
        }
    }
    masters
}

/// All reasons for roles of a machine, strongest first; never empty.
pub(crate) fn claims(known: &Known<'_>, model: Option<&SiteModel>) -> Vec<RoleClaim> {
    let mut claims = Claims::default();
    if let Some(role) = known.declared {
        claims.add(role, 1.0, "declared in the site model");
    }
    claims.products(known.attributes);
    claims.capabilities(known.attributes);
    claims.services(known.work);
    claims.clients(known, model);
    claims.network(known);
    claims.names(known.attributes);
    claims.add(Role::Unknown, 0.0, "nothing tells");
    claims.list.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.role.cmp(&b.role)).then(a.reason.cmp(&b.reason)));
    claims.list.dedup();
    claims.list
}

#[derive(Default)]
struct Claims {
    list: Vec<RoleClaim>,
}

impl Claims {
    fn add(&mut self, role: Role, weight: f64, reason: impl Into<String>) {
        self.list.push(RoleClaim { role, weight, reason: reason.into() });
    }

    fn products(&mut self, attributes: &[AttributeValue]) {
        let told = [
            Attribute::Product,
            Attribute::Model,
            Attribute::OrderNumber,
            Attribute::Os,
            Attribute::Software,
            Attribute::Vendor,
        ];
        for value in attributes.iter().filter(|value| told.contains(&value.attribute) && !is_registry(value)) {
            let text = value.value.to_lowercase();
            if is_failsafe_order_number(&text) {
                self.add(
                    Role::SafetyController,
                    0.95,
                    format!("fail-safe order number {} ({})", value.value, value.method),
                );
            }
            // What a client runs says less than what the device says of its hardware.
            let trust = if value.attribute == Attribute::Software { 0.7 } else { 1.0 };
            let found = PRODUCTS.iter().find(|(word, _, _)| has_word_start(&text, word));
            if let Some((_, role, weight)) = found {
                self.add(*role, weight * trust, format!("is a {} ({})", value.value, value.method));
            }
        }
    }

    fn capabilities(&mut self, attributes: &[AttributeValue]) {
        for value in attributes.iter().filter(|value| value.attribute == Attribute::Capability) {
            let text = value.value.to_lowercase().replace("i/o", "io");
            let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
            for (wanted, role, weight) in CAPABILITIES {
                if wanted.iter().all(|word| words.contains(word)) {
                    self.add(*role, *weight, format!("says that it is {} ({})", value.value, value.method));
                }
            }
        }
    }

    fn services(&mut self, work: &Work) {
        if !work.controlled_by.is_empty() {
            let protocols: Vec<&str> = work.controlled_by.iter().map(String::as_str).collect();
            self.add(Role::Controller, 0.6, format!("answers {} operations", protocols.join(", ")));
        }
        for protocol in &work.serves {
            let found = SERVICES.iter().find(|(name, _, _)| name == protocol);
            if let Some((_, role, weight)) = found {
                self.add(*role, *weight, format!("offers {protocol}"));
            }
        }
        for protocol in &work.routes {
            self.add(Role::Router, 0.7, format!("speaks {protocol}"));
        }
        if work.sentences > 0 {
            self.add(Role::GnssReceiver, 0.8, "sends position sentences");
        }
        for marker in &work.markers {
            self.add(Role::TosServer, 0.8, format!("serves paths of a {marker}"));
        }
    }

    fn clients(&mut self, known: &Known<'_>, model: Option<&SiteModel>) {
        let asks = |class: &str| known.work.asks.get(class).copied().unwrap_or(0);
        let in_ot = (!known.zones_given || known.zone_kind.is_some_and(ZoneKind::is_ot)) && !known.external;
        let changes = asks("program") + asks("configure");
        let listed = model.is_some_and(|m| m.assets.iter().any(|a| a.role == Some(Role::EngineeringStation)));
        if changes > 0 && in_ot && !listed {
            self.add(Role::EngineeringStation, 0.65, format!("asked for {changes} program or configure operations"));
        } else if changes > 0 {
            let why = if in_ot { "the site model declares others" } else { "it is in no OT zone" };
            let reason =
                format!("asked for {changes} program or configure operations, but {why}: not an engineering station");
            self.add(Role::Unknown, 0.1, reason);
        }
        if let (Some(bus), true) = (known.work.commands.first(), in_ot) {
            self.add(Role::Controller, 0.7, format!("commands the devices of a {bus} line"));
        }
        let reads = asks("read");
        if reads >= READS_OF_A_PANEL && in_ot {
            self.add(Role::Hmi, 0.55, format!("asked controllers for {reads} reads"));
        }
        if known.work.browses {
            self.add(Role::Workstation, 0.35, "a web browser runs on it");
        }
        for protocol in ["nbns", "rdp", "kerberos"] {
            if known.work.client_of.contains(protocol) {
                self.add(Role::Workstation, 0.28, format!("is a client of {protocol}"));
            }
        }
    }

    fn network(&mut self, known: &Known<'_>) {
        let reasons: BTreeSet<&String> = known.machine.faces.iter().flat_map(|face| &face.router).collect();
        for reason in reasons {
            self.add(Role::Router, 0.7, reason.as_str());
        }
        for service in ["stp", "rstp", "mrp"] {
            if known.work.client_of.contains(service) {
                self.add(Role::Switch, 0.6, format!("sends {service}"));
            }
        }
        for vendor in known.machine.home_macs().into_iter().filter_map(vendor_of) {
            match cellular(vendor) {
                Some(Cellular::Likely) => {
                    self.add(Role::Modem, 0.8, format!("MAC address of {vendor}, a maker of cellular modems"));
                }
                Some(Cellular::Possible) => {
                    self.add(Role::Modem, 0.15, format!("MAC address of {vendor}, which also makes cellular modems"));
                }
                None => {}
            }
        }
    }

    fn names(&mut self, attributes: &[AttributeValue]) {
        for value in attributes.iter().filter(|value| value.attribute == Attribute::HostName) {
            let host = value.value.split('.').next().unwrap_or("").to_lowercase();
            // The last word says what it is ("crane-1-hoist-drive"), the ones before say where.
            let role = host
                .split(|c: char| !c.is_alphabetic())
                .rev()
                .find_map(|word| NAME_WORDS.iter().find(|(known, _)| *known == word).map(|(_, role)| *role));
            if let Some(role) = role {
                self.add(
                    role,
                    NAME_WEIGHT * value.confidence.max(0.5),
                    format!("is called {} ({})", value.value, value.method),
                );
            }
        }
    }
}

fn is_registry(value: &AttributeValue) -> bool {
    value.method == crate::confidence::OUI
}

/// Siemens order numbers of fail-safe CPUs have an F after the version digit: 6ES7 315-2FJ14, 6ES7 517-3FP00.
fn is_failsafe_order_number(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("6es7") else { return false };
    let rest = rest.trim_start();
    let is_cpu = ["21", "31", "41", "51", "61"].iter().any(|series| rest.starts_with(series));
    let after_dash = rest.split_once('-').map_or("", |(_, after)| after);
    is_cpu && after_dash.chars().nth(1) == Some('f')
}

/// Whether `text` holds `part` at the beginning of a word.
fn has_word_start(text: &str, part: &str) -> bool {
    text.match_indices(part).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_numbers_of_failsafe_controllers() {
        assert!(is_failsafe_order_number("6es7 315-2fj14-0ab0"));
        assert!(is_failsafe_order_number("6es7 517-3fp00-0ab0"));
        assert!(!is_failsafe_order_number("6es7 315-2eh14-0ab0"));
        assert!(!is_failsafe_order_number("6es7 326-1bk02-0ab0"));
    }

    #[test]
    fn parts_are_found_at_word_starts_only() {
        assert!(has_word_start("siemens s7-300 station", "s7-300"));
        assert!(!has_word_start("relax 5", "lax"));
    }
}
