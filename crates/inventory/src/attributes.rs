//! Everything claimed of each machine, with where it was learned, and which value to believe.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use quaywatch_model::place::Timestamp;
use quaywatch_model::{Address, Attribute, AttributeValue, SiteModel};

use crate::address::host;
use crate::confidence::{self, DECLARED, OUI};
use crate::input::Input;
use crate::machine::Directory;
use crate::vendor::vendor_of;

/// Where and when the same claim was made.
#[derive(Clone, Default)]
struct Support {
    claims: u64,
    /// Instant, segment, input, frame of the first.
    first: Option<(i64, String, String, Option<i64>)>,
    last: Option<i64>,
}

type Claims = BTreeMap<(Attribute, String, String), Support>;

/// A claim as a row of evidence makes it.
struct Claim<'a> {
    segment: &'a str,
    subject: &'a str,
    attribute: Attribute,
    value: &'a str,
    method: &'a str,
    first: Option<i64>,
    last: Option<i64>,
    claims: i64,
    source: &'a str,
    frame: Option<i64>,
}

/// The attributes of each machine, in the order of the directory.
pub(crate) fn attributes(input: &Input, directory: &Directory, model: Option<&SiteModel>) -> Vec<Vec<AttributeValue>> {
    let mut collector = Collector { directory, claims: vec![Claims::new(); directory.machines.len()] };
    collector.identities(input);
    collector.names(input);
    collector.software(input);
    collector.makers();
    collector.declared(model);
    collector.claims.into_iter().map(choose).collect()
}

struct Collector<'a> {
    directory: &'a Directory,
    claims: Vec<Claims>,
}

impl Collector<'_> {
    fn take(&mut self, claim: &Claim<'_>) {
        let subject = host(claim.subject);
        if let Some(at) = subject.and_then(|subject| self.directory.find(claim.segment, subject)) {
            self.take_for(at, claim);
        }
    }

    fn take_for(&mut self, at: usize, claim: &Claim<'_>) {
        let value = claim.value.trim();
        if value.is_empty() {
            return;
        }
        let Some(claims) = self.claims.get_mut(at) else { return };
        let support = claims.entry((claim.attribute, value.to_owned(), claim.method.to_owned())).or_default();
        support.claims += u64::try_from(claim.claims).unwrap_or(0);
        support.last = support.last.max(claim.last).max(claim.first);
        if let Some(ts) = claim.first {
            let place = (ts, claim.segment.to_owned(), claim.source.to_owned(), claim.frame);
            support.first = support.first.take().into_iter().chain([place]).min();
        }
    }

    fn identities(&mut self, input: &Input) {
        for row in &input.identities {
            let Some(attribute) = Attribute::from_name(&row.attribute) else { continue };
            self.take(&Claim {
                segment: &row.segment,
                subject: &row.subject,
                attribute,
                value: &row.value,
                method: &row.method,
                first: row.first_ts,
                last: row.last_ts,
                claims: row.claims,
                source: &row.source,
                frame: row.frame,
            });
        }
    }

    fn names(&mut self, input: &Input) {
        for row in &input.names {
            let name = row.name.trim_end_matches('.');
            let name = if row.kind == "http-host" { without_port(name) } else { name };
            if row.kind == "dns-query" || name.parse::<std::net::IpAddr>().is_ok() {
                continue;
            }
            self.take(&Claim {
                segment: &row.segment,
                subject: &row.subject,
                attribute: Attribute::HostName,
                value: name,
                method: &row.kind,
                first: row.first_ts,
                last: row.last_ts,
                claims: row.claims,
                source: &row.source,
                frame: row.frame,
            });
        }
    }

    fn software(&mut self, input: &Input) {
        for row in &input.services {
            let method = format!("{} service", row.protocol);
            let place = (row.first_ts, row.last_ts, row.claims, row.source.as_str(), row.frame);
            self.one_software(&row.segment, &row.server, &row.software, &method, place);
        }
        for row in &input.sessions {
            let place = (row.first_ts, row.last_ts, row.claims, row.source.as_str(), row.frame);
            let server = format!("{} server", row.protocol);
            self.one_software(&row.segment, &row.server, &row.server_software, &server, place);
            let client = format!("{} client", row.protocol);
            self.one_software(&row.segment, &row.client, &row.client_software, &client, place);
        }
        for row in &input.requests {
            let place = (row.first_ts, row.last_ts, row.claims, row.source.as_str(), row.frame);
            let method = format!("{} user agent", row.protocol);
            self.one_software(&row.segment, &row.client, &row.user_agent, &method, place);
        }
    }

    fn one_software(
        &mut self,
        segment: &str,
        subject: &str,
        value: &str,
        method: &str,
        (first, last, claims, source, frame): (Option<i64>, Option<i64>, i64, &str, Option<i64>),
    ) {
        let attribute = Attribute::Software;
        self.take(&Claim { segment, subject, attribute, value, method, first, last, claims, source, frame });
    }

    fn makers(&mut self) {
        let directory = self.directory;
        for (at, machine) in directory.machines.iter().enumerate() {
            for vendor in machine.home_macs().into_iter().filter_map(vendor_of) {
                self.take_for(at, &unplaced(Attribute::Vendor, vendor, OUI));
            }
        }
    }

    fn declared(&mut self, model: Option<&SiteModel>) {
        for asset in model.into_iter().flat_map(|model| &model.assets) {
            if let Some(at) = self.directory.find(&asset.segment, asset.address) {
                self.take_for(at, &unplaced(Attribute::HostName, &asset.name, DECLARED));
            }
        }
        for remote in model.into_iter().flat_map(|model| &model.remote_access) {
            let Some(ip) = remote.address.single() else { continue };
            for (at, machine) in self.directory.machines.iter().enumerate() {
                if machine.address == Address::from(ip)
                    && let Some(claims) = self.claims.get_mut(at)
                {
                    let key = (Attribute::HostName, remote.id.clone(), DECLARED.to_owned());
                    claims.entry(key).or_default().claims = 1;
                }
            }
        }
    }
}

fn unplaced<'a>(attribute: Attribute, value: &'a str, method: &'a str) -> Claim<'a> {
    let (segment, subject, source) = ("", "", "");
    Claim { segment, subject, attribute, value, method, first: None, last: None, claims: 1, source, frame: None }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.contains(':') => name,
        _ => host,
    }
}

/// Turns claims into attributes; of each attribute, one value is chosen and all its claims are marked.
fn choose(claims: Claims) -> Vec<AttributeValue> {
    let mut values: Vec<AttributeValue> = claims.into_iter().map(value).collect();
    let mut best: BTreeMap<Attribute, String> = BTreeMap::new();
    for value in &values {
        let known = best.entry(value.attribute).or_insert_with(|| same(&value.value));
        if compare(&values, value.attribute, &same(&value.value), known) == Ordering::Greater {
            *known = same(&value.value);
        }
    }
    for value in &mut values {
        value.chosen = best.get(&value.attribute) == Some(&same(&value.value));
    }
    values
}

fn value(((attribute, value, method), support): ((Attribute, String, String), Support)) -> AttributeValue {
    let (ts, segment, source, frame) = match support.first {
        Some((ts, segment, source, frame)) => (Some(Timestamp(ts)), segment, source, frame),
        None => (None, String::new(), String::new(), None),
    };
    AttributeValue {
        attribute,
        value,
        confidence: confidence::of_method(&method),
        method,
        source,
        frame,
        segment,
        ts,
        last_ts: support.last.map(Timestamp),
        claims: support.claims,
        chosen: false,
    }
}

/// What makes two values one: their letters without case.
fn same(value: &str) -> String {
    value.to_lowercase()
}

/// Which of two values of an attribute to believe: by confidence of all methods together, then the one claimed
/// last (a device was updated or renamed), then by number of claims, then the one first in the alphabet.
fn compare(values: &[AttributeValue], attribute: Attribute, a: &str, b: &str) -> Ordering {
    let weigh = |value: &str| {
        let of_value = || values.iter().filter(|v| v.attribute == attribute && same(&v.value) == value);
        let confidence = confidence::together(of_value().map(|v| v.confidence));
        (confidence, of_value().filter_map(|v| v.last_ts).max(), of_value().map(|v| v.claims).sum::<u64>())
    };
    let ((confidence_a, last_a, claims_a), (confidence_b, last_b, claims_b)) = (weigh(a), weigh(b));
    confidence_a.total_cmp(&confidence_b).then(last_a.cmp(&last_b)).then(claims_a.cmp(&claims_b)).then_with(|| b.cmp(a))
}

/// The chosen value of the first of these attributes that has one, as its most trusted method writes it.
pub(crate) fn chosen(values: &[AttributeValue], attributes: &[Attribute]) -> String {
    let find = |attribute: &Attribute| {
        let candidates = values.iter().filter(|value| value.chosen && value.attribute == *attribute);
        candidates.reduce(|best, next| if next.confidence > best.confidence { next } else { best })
    };
    attributes.iter().find_map(find).map(|value| value.value.clone()).unwrap_or_default()
}
