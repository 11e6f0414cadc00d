//! The site model as text, with comments for the person who edits it.

use std::fmt::Write;

use super::{Conduit, Crane, DeclaredAsset, Intervals, SiteModel, System, Zone};

const HEAD: &str = "\
# Site model: what the owner says of this site. Quaywatch holds the traffic against it.
# Ids may hold anything but `/` and `,`. Times are RFC 3339, e.g. 2026-11-02T08:00:00Z.
";
const SEGMENTS: &str = "
# Segments: one for each place where captures were taken. `captures` are patterns (* and ?) on file names.
# Sister cranes reuse addresses, so an asset is SEGMENT/ADDRESS.
";
const ZONES: &str = "
# Zones (IEC 62443): kind is crane, ot, it, dmz, remote or internet; level is the Purdue level, 0 to 5.
# An asset is in the zone that fits it most closely: by macs, then names (patterns), then the longest of cidrs, then vlans,
# then segments alone. A zone that lists segments holds only assets on these.
";
const CONDUITS: &str = "
# Conduits: what may cross from one zone (clients) to another (servers). Everything else is reported.
# protocols: names as `quaywatch protocols` lists them, or tcp/8443, udp/5000, icmp; none means any.
# classes: read, write, control, program, configure, identify, session, diagnose, cyclic; none means any.
";
const CRANES: &str = "
# Cranes: kind is sts, rtg, rmg, asc, mhc, straddle, vehicle, unloader or other. members: SEGMENT/ADDRESS, SEGMENT/NETWORK or
# SEGMENT/* (all that is itself on the segment). sisters: cranes of the same build, which are compared with each other.
";
const SYSTEMS: &str = "
# Other systems: terminal-operating-system, positioning, cargo-tracking, gate, cctv, enterprise, remote-access, network.
";
const ASSETS: &str = "
# Assets the owner names. A role given here overrules what traffic suggests. critical: operations stop without it.
# Once one engineering-station is declared, no other machine is taken for one.
";
const REMOTE: &str = "
# Where remote sessions may come from: address or network, and who comes through it.
";
const WINDOWS: &str = "
# When changes to a crane or system are planned.
";
const INTERVALS: &str = "
# How many days old a scan, a backup, an account review and a restore test may be.
";

/// Writes the whole model.
pub(super) fn write(model: &SiteModel) -> String {
    let mut out = Writer { text: HEAD.to_owned() };
    out.table("[site]");
    out.string("id", &model.site.id);
    out.string("name", &model.site.name);
    out.optional("as_of", model.site.as_of.map(|time| quoted(&time.to_string())));
    out.section(SEGMENTS);
    for segment in &model.segments {
        out.table("[[segment]]");
        out.string("id", &segment.id);
        out.list("captures", &segment.captures);
    }
    out.section(ZONES);
    model.zones.iter().for_each(|zone| out.zone(zone));
    out.section(CONDUITS);
    model.conduits.iter().for_each(|conduit| out.conduit(conduit));
    out.section(CRANES);
    model.cranes.iter().for_each(|crane| out.crane(crane));
    out.section(SYSTEMS);
    model.systems.iter().for_each(|system| out.system(system));
    out.section(ASSETS);
    model.assets.iter().for_each(|asset| out.asset(asset));
    out.rest(model);
    out.text
}

struct Writer {
    text: String,
}

impl Writer {
    fn section(&mut self, comment: &str) {
        self.text.push_str(comment);
    }

    fn table(&mut self, header: &str) {
        // Written to a string, which cannot fail.
        let _ = writeln!(self.text, "\n{header}");
    }

    fn raw(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{key} = {value}");
    }

    fn optional(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value {
            self.raw(key, &value);
        }
    }

    fn string(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.raw(key, &quoted(value));
        }
    }

    fn list(&mut self, key: &str, values: &[impl ToString]) {
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|value| quoted(&value.to_string())).collect();
            self.raw(key, &format!("[{}]", values.join(", ")));
        }
    }

    fn zone(&mut self, zone: &Zone) {
        self.table("[[zone]]");
        self.string("id", &zone.id);
        self.string("kind", zone.kind.name());
        self.optional("level", zone.level.map(|level| level.to_string()));
        self.list("segments", &zone.segments);
        self.list("cidrs", &zone.cidrs);
        if !zone.vlans.is_empty() {
            self.raw("vlans", &format!("{:?}", zone.vlans));
        }
        self.list("macs", &zone.macs);
        self.list("names", &zone.names);
    }

    fn conduit(&mut self, conduit: &Conduit) {
        self.table("[[conduit]]");
        self.string("id", &conduit.id);
        self.string("from", &conduit.from);
        self.string("to", &conduit.to);
        self.list("protocols", &conduit.protocols);
        let classes: Vec<&str> = conduit.classes.iter().map(|class| class.name()).collect();
        self.list("classes", &classes);
    }

    fn crane(&mut self, crane: &Crane) {
        self.table("[[crane]]");
        self.string("id", &crane.id);
        self.string("kind", crane.kind.name());
        self.string("maker", &crane.maker);
        self.string("model", &crane.model);
        self.optional("year", crane.year.map(|year| year.to_string()));
        self.optional("foreign", crane.foreign.map(|foreign| foreign.to_string()));
        self.list("members", &crane.members);
        self.list("zones", &crane.zones);
        self.list("sisters", &crane.sisters);
    }

    fn system(&mut self, system: &System) {
        self.table("[[system]]");
        self.string("id", &system.id);
        self.string("kind", system.kind.name());
        self.list("members", &system.members);
        self.list("zones", &system.zones);
    }

    fn asset(&mut self, asset: &DeclaredAsset) {
        self.table("[[asset]]");
        self.string("segment", &asset.segment);
        self.string("address", &asset.address.to_string());
        self.string("name", &asset.name);
        self.string("role", asset.role.map_or("", |role| role.name()));
        if asset.critical {
            self.raw("critical", "true");
        }
    }

    fn rest(&mut self, model: &SiteModel) {
        self.section(REMOTE);
        for remote in &model.remote_access {
            self.table("[[remote_access]]");
            self.string("id", &remote.id);
            self.string("address", &remote.address.to_string());
            self.string("vendor", &remote.vendor);
        }
        self.section(WINDOWS);
        for window in &model.maintenance_windows {
            self.table("[[maintenance_window]]");
            self.string("system", &window.system);
            self.string("from", &window.from.to_string());
            self.string("to", &window.to.to_string());
        }
        self.section(INTERVALS);
        self.intervals(model.intervals);
    }

    fn intervals(&mut self, intervals: Intervals) {
        self.table("[intervals]");
        let rows = [
            ("scan_days", intervals.scan_days, Intervals::DEFAULT.scan_days),
            ("backup_days", intervals.backup_days, Intervals::DEFAULT.backup_days),
            ("review_days", intervals.review_days, Intervals::DEFAULT.review_days),
            ("restore_test_days", intervals.restore_test_days, Intervals::DEFAULT.restore_test_days),
        ];
        for (key, days, default) in rows {
            match days {
                Some(days) => self.raw(key, &days.to_string()),
                None => self.raw(&format!("# {key}"), &format!("{} (assumed unless given)", default.unwrap_or(0))),
            }
        }
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
