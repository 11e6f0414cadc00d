//! From the shape of a `site.toml` to its meaning: every value is read and every reference is looked up.

use std::collections::BTreeSet;

use toml::{Spanned, Value};

use super::document::{
    AssetText, ConduitText, CraneText, Document, IntervalsText, RemoteAccessText, SegmentText, SiteText, SystemText,
    Text, WindowText, ZoneText,
};
use super::place_in_text::{alternatives, nearest, problem};
use super::{
    Cidr, Conduit, Crane, CraneKind, DeclaredAsset, Intervals, MaintenanceWindow, Member, Members, Problem,
    RemoteAccess, Segment, Site, SiteError, SiteModel, System, SystemKind, Zone, ZoneKind,
};
use crate::address::{Address, MacAddr};
use crate::asset::Role;
use crate::observation::OperationClass;
use crate::place::Timestamp;

/// Reads all values; the model, or all mistakes in the order of the text.
pub(super) fn check(text: &str, document: Document) -> Result<SiteModel, SiteError> {
    let ids = Ids::of(&document);
    let mut checker = Checker { text, ids, problems: Vec::new() };
    checker.duplicates(&document);
    let model = SiteModel {
        site: checker.site(document.site.into_inner()),
        segments: document.segment.into_iter().map(|s| checker.segment(s)).collect(),
        zones: document.zone.into_iter().filter_map(|z| checker.zone(z)).collect(),
        conduits: document.conduit.into_iter().map(|c| checker.conduit(c)).collect(),
        cranes: document.crane.into_iter().filter_map(|c| checker.crane(c)).collect(),
        systems: document.system.into_iter().filter_map(|s| checker.system(s)).collect(),
        assets: document.asset.into_iter().filter_map(|a| checker.asset(a)).collect(),
        remote_access: document.remote_access.into_iter().filter_map(|r| checker.remote_access(r)).collect(),
        maintenance_windows: document.maintenance_window.into_iter().filter_map(|w| checker.window(w)).collect(),
        intervals: checker.intervals(document.intervals),
    };
    let mut problems = checker.problems;
    if problems.is_empty() {
        return Ok(model);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(SiteError { problems })
}

/// What can be referred to.
struct Ids {
    segments: BTreeSet<String>,
    zones: BTreeSet<String>,
    cranes: BTreeSet<String>,
    cranes_and_systems: BTreeSet<String>,
}

impl Ids {
    fn of(document: &Document) -> Ids {
        fn collect<'a>(ids: impl Iterator<Item = &'a Text>) -> BTreeSet<String> {
            ids.map(|id| id.get_ref().clone()).collect()
        }
        let cranes = collect(document.crane.iter().map(|c| &c.id));
        let systems = collect(document.system.iter().map(|s| &s.id));
        Ids {
            segments: collect(document.segment.iter().map(|s| &s.id)),
            zones: collect(document.zone.iter().map(|z| &z.id)),
            cranes_and_systems: cranes.union(&systems).cloned().collect(),
            cranes,
        }
    }
}

struct Checker<'a> {
    text: &'a str,
    ids: Ids,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn wrong<T>(&mut self, value: &Spanned<T>, message: String) {
        self.problems.push(problem(self.text, value.span().start, message));
    }

    /// Two of one kind with one id; cranes and systems share their names, as windows and work orders refer to both.
    fn duplicates(&mut self, document: &Document) {
        let systems = document.crane.iter().map(|c| &c.id).chain(document.system.iter().map(|s| &s.id));
        self.unique("segment", document.segment.iter().map(|s| &s.id));
        self.unique("zone", document.zone.iter().map(|z| &z.id));
        self.unique("conduit", document.conduit.iter().map(|c| &c.id));
        self.unique("crane or system", systems);
        self.unique("remote access", document.remote_access.iter().map(|r| &r.id));
        let mut seen = BTreeSet::new();
        for asset in &document.asset {
            if !seen.insert((asset.segment.get_ref(), asset.address.get_ref())) {
                let place = format!("{}/{}", asset.segment.get_ref(), asset.address.get_ref());
                self.wrong(&asset.address, format!("asset {place} is declared twice"));
            }
        }
    }

    fn unique<'b>(&mut self, what: &str, ids: impl Iterator<Item = &'b Text>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(id.get_ref().as_str()) {
                self.wrong(id, format!("another {what} has the id `{}`; ids must differ", id.get_ref()));
            }
        }
    }

    /// An id: part of asset ids, of lists in tables and of SQL results.
    fn id(&mut self, id: Text) -> String {
        let text = id.get_ref();
        let fits = |c: char| !c.is_control() && !matches!(c, '/' | ',');
        if text.is_empty() || text.trim() != text || !text.chars().all(fits) {
            let message = format!("`{text}` is no id; expected text without `/`, `,` and blanks at its ends");
            self.wrong(&id, message);
        }
        id.into_inner()
    }

    fn reference(&mut self, id: Text, what: &str, known: fn(&Ids) -> &BTreeSet<String>) -> String {
        let known = known(&self.ids);
        if !known.contains(id.get_ref()) {
            let near = nearest(id.get_ref(), known.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            self.wrong(&id, format!("no {what} has the id `{}`{hint}", id.get_ref()));
        }
        id.into_inner()
    }

    fn references(&mut self, ids: Vec<Text>, what: &str, known: fn(&Ids) -> &BTreeSet<String>) -> Vec<String> {
        ids.into_iter().map(|id| self.reference(id, what, known)).collect()
    }

    fn named<T: Copy>(&mut self, value: &Text, what: &str, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        let found = all.iter().copied().find(|candidate| name(*candidate) == value.get_ref());
        if found.is_none() {
            let names = || all.iter().map(|candidate| name(*candidate));
            let near = nearest(value.get_ref(), names()).map(|near| format!("; did you mean `{near}`?"));
            let wanted = alternatives(names());
            let message = format!("`{}` is no {what}; expected {wanted}{}", value.get_ref(), near.unwrap_or_default());
            self.wrong(value, message);
        }
        found
    }

    fn cidr(&mut self, value: &Text) -> Option<Cidr> {
        match Cidr::parse(value.get_ref()) {
            Ok(cidr) => Some(cidr),
            Err(message) => {
                self.wrong(value, message);
                None
            }
        }
    }

    fn mac(&mut self, value: &Text) -> Option<MacAddr> {
        let mac = MacAddr::parse(value.get_ref());
        if mac.is_none() {
            self.wrong(value, format!("`{}` is no MAC address; expected e.g. 00:1b:1b:12:34:56", value.get_ref()));
        }
        mac
    }

    fn time(&mut self, value: &Spanned<Value>) -> Option<Timestamp> {
        let text = match value.get_ref() {
            Value::String(text) => text.clone(),
            Value::Datetime(time) => time.to_string(),
            other => other.to_string(),
        };
        let time = Timestamp::parse_rfc3339(&text);
        if time.is_none() {
            let message = format!("`{text}` is no RFC 3339 time; expected e.g. 2026-11-02T08:00:00Z");
            self.wrong(value, message);
        }
        time
    }

    fn number<T: TryFrom<i64>>(&mut self, value: &Spanned<i64>, what: &str, min: i64, max: i64) -> Option<T> {
        let number = (min..=max).contains(value.get_ref()).then(|| T::try_from(*value.get_ref()).ok()).flatten();
        if number.is_none() {
            self.wrong(value, format!("{} is no {what}; expected {min} to {max}", value.get_ref()));
        }
        number
    }

    fn site(&mut self, site: SiteText) -> Site {
        let as_of = site.as_of.and_then(|time| self.time(&time));
        Site { id: self.id(site.id), name: site.name, as_of }
    }

    fn segment(&mut self, segment: SegmentText) -> Segment {
        for pattern in &segment.captures {
            if pattern.get_ref().contains(['/', '\\']) {
                let message = format!("`{}` names a folder; expected a pattern on the file name", pattern.get_ref());
                self.wrong(pattern, message);
            }
        }
        let captures = segment.captures.into_iter().map(Spanned::into_inner).collect();
        Segment { id: self.id(segment.id), captures }
    }

    fn zone(&mut self, zone: ZoneText) -> Option<Zone> {
        let kind = self.named(&zone.kind, "zone kind", ZoneKind::ALL, ZoneKind::name);
        let level = zone.level.and_then(|level| self.number(&level, "level", 0, 5));
        let cidrs = zone.cidrs.iter().filter_map(|cidr| self.cidr(cidr)).collect();
        let macs = zone.macs.iter().filter_map(|mac| self.mac(mac)).collect();
        let vlans = zone.vlans.iter().filter_map(|vlan| self.number(vlan, "VLAN id", 0, 4094)).collect();
        let segments = self.references(zone.segments, "segment", |ids| &ids.segments);
        let names = zone.names.into_iter().map(Spanned::into_inner).collect();
        Some(Zone { id: self.id(zone.id), kind: kind?, level, segments, cidrs, vlans, macs, names })
    }

    fn conduit(&mut self, conduit: ConduitText) -> Conduit {
        let class = |checker: &mut Self, class: &Text| {
            checker.named(class, "class of operation", OperationClass::ALL, OperationClass::name)
        };
        let classes = conduit.classes.iter().filter_map(|c| class(self, c)).collect();
        Conduit {
            id: self.id(conduit.id),
            from: self.reference(conduit.from, "zone", |ids| &ids.zones),
            to: self.reference(conduit.to, "zone", |ids| &ids.zones),
            protocols: conduit.protocols.into_iter().map(|p| p.into_inner().to_lowercase()).collect(),
            classes,
        }
    }

    fn crane(&mut self, crane: CraneText) -> Option<Crane> {
        let kind = self.named(&crane.kind, "kind of crane", CraneKind::ALL, CraneKind::name);
        let year = crane.year.and_then(|year| self.number(&year, "year", 1900, 2200));
        let members = self.members(crane.members);
        let zones = self.references(crane.zones, "zone", |ids| &ids.zones);
        for sister in &crane.sisters {
            if sister.get_ref() == crane.id.get_ref() {
                self.wrong(sister, format!("crane `{}` cannot be its own sister", sister.get_ref()));
            }
        }
        let sisters = self.references(crane.sisters, "crane", |ids| &ids.cranes);
        let id = self.id(crane.id);
        let (maker, model, foreign) = (crane.maker, crane.model, crane.foreign);
        Some(Crane { id, kind: kind?, maker, model, year, foreign, members, zones, sisters })
    }

    fn system(&mut self, system: SystemText) -> Option<System> {
        let kind = self.named(&system.kind, "kind of system", SystemKind::ALL, SystemKind::name);
        let members = self.members(system.members);
        let zones = self.references(system.zones, "zone", |ids| &ids.zones);
        Some(System { id: self.id(system.id), kind: kind?, members, zones })
    }

    fn members(&mut self, members: Vec<Text>) -> Vec<Member> {
        members.into_iter().filter_map(|member| self.member(&member)).collect()
    }

    fn member(&mut self, member: &Text) -> Option<Member> {
        let parts = member.get_ref().split_once('/').and_then(|(segment, which)| {
            let which = read_members(which)?;
            Some(Member { segment: segment.to_owned(), which })
        });
        let Some(read) = parts else {
            let message = format!(
                "`{}` is no member; expected SEGMENT/ADDRESS, SEGMENT/NETWORK or SEGMENT/*, e.g. crane-1/10.1.1.10",
                member.get_ref()
            );
            self.wrong(member, message);
            return None;
        };
        let segment = Spanned::new(member.span(), read.segment.clone());
        self.reference(segment, "segment", |ids| &ids.segments);
        Some(read)
    }

    fn asset(&mut self, asset: AssetText) -> Option<DeclaredAsset> {
        let role = asset.role.as_ref().and_then(|role| self.named(role, "role", Role::ALL, Role::name));
        let segment = self.reference(asset.segment, "segment", |ids| &ids.segments);
        let address = read_address(asset.address.get_ref());
        if address.is_none() {
            let message = format!("`{}` is no IP or MAC address of a host", asset.address.get_ref());
            self.wrong(&asset.address, message);
        }
        Some(DeclaredAsset { segment, address: address?, name: asset.name, role, critical: asset.critical })
    }

    fn remote_access(&mut self, remote: RemoteAccessText) -> Option<RemoteAccess> {
        let address = self.cidr(&remote.address);
        Some(RemoteAccess { id: self.id(remote.id), address: address?, vendor: remote.vendor })
    }

    fn window(&mut self, window: WindowText) -> Option<MaintenanceWindow> {
        let (from, to) = (self.time(&window.from), self.time(&window.to));
        if from.zip(to).is_some_and(|(from, to)| to <= from) {
            self.wrong(&window.to, "the window ends before it starts; expected a time after `from`".to_owned());
        }
        let system = self.reference(window.system, "crane or system", |ids| &ids.cranes_and_systems);
        Some(MaintenanceWindow { system, from: from?, to: to? })
    }

    fn intervals(&mut self, intervals: IntervalsText) -> Intervals {
        let mut days = |value: Option<Spanned<i64>>| value.and_then(|v| self.number(&v, "number of days", 1, 36_500));
        Intervals {
            scan_days: days(intervals.scan_days),
            backup_days: days(intervals.backup_days),
            review_days: days(intervals.review_days),
            restore_test_days: days(intervals.restore_test_days),
        }
    }
}

fn read_members(text: &str) -> Option<Members> {
    if text == "*" {
        return Some(Members::All);
    }
    if let Some(address) = read_address(text) {
        return Some(Members::Address(address));
    }
    text.contains('/').then(|| Cidr::parse(text).ok().map(Members::Network))?
}

fn read_address(text: &str) -> Option<Address> {
    let address = match text.parse::<std::net::IpAddr>() {
        Ok(ip) => Address::from(ip),
        Err(_) => Address::from(MacAddr::parse(text)?),
    };
    address.is_host().then_some(address)
}
