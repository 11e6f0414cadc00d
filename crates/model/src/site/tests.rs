use super::*;

const FULL: &str = r#"
[site]
id = "lab"
name = "Lab \"Terminal\""
as_of = 2026-11-02T08:00:00Z

[[segment]]
id = "crane-1"
captures = ["crane-1*.pcapng"]
[[segment]]
id = "crane-10"
captures = ["crane-10*.pcapng"]
[[segment]]
id = "core"

[[zone]]
id = "c1"
kind = "crane"
level = 1
segments = ["crane-1"]
[[zone]]
id = "tos"
kind = "ot"
cidrs = ["10.20.0.0/16"]
[[zone]]
id = "office"
kind = "it"
cidrs = ["10.0.0.0/8"]
vlans = [30]
[[zone]]
id = "odd"
kind = "dmz"
macs = ["00:1b:1b:00:00:01"]
names = ["jump-*"]
[[zone]]
id = "world"
kind = "internet"

[[conduit]]
id = "poll"
from = "tos"
to = "c1"
protocols = ["modbus", "tcp/8443"]
classes = ["read"]

[[crane]]
id = "sts-1"
kind = "sts"
maker = "M"
year = 2009
foreign = true
members = ["crane-1/10.1.1.10", "core/10.9.0.0/24", "crane-10/*"]
zones = ["c1"]
sisters = ["sts-2"]
[[crane]]
id = "sts-2"
kind = "sts"

[[system]]
id = "n4"
kind = "terminal-operating-system"
zones = ["tos"]

[[asset]]
segment = "crane-1"
address = "10.1.1.10"
name = "plc"
role = "safety-controller"
critical = true

[[remote_access]]
id = "vendor"
address = "203.0.113.0/24"
vendor = "V"

[[maintenance_window]]
system = "sts-1"
from = "2026-11-02T08:00:00+01:00"
to = "2026-11-02T10:00:00Z"

[intervals]
scan_days = 30
"#;

fn subject<'a>(segment: &'a str, address: &str) -> Subject<'a> {
    let address = Address::from(address.parse::<std::net::IpAddr>().unwrap());
    Subject { segment, address, local: true, ..Subject::default() }
}

fn problems(text: &str) -> Vec<String> {
    SiteModel::parse(text).unwrap_err().problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_model_is_read_and_written_back_unchanged() {
    let model = SiteModel::parse(FULL).unwrap();
    assert_eq!(model.cranes[0].members.len(), 3);
    assert_eq!(model.assets[0].role, Some(Role::SafetyController));
    assert_eq!(model.maintenance_windows[0].from.to_string(), "2026-11-02T07:00:00.000000Z");
    assert_eq!(model.intervals.or_default().backup_days, Some(30));
    let text = model.to_toml();
    assert_eq!(SiteModel::parse(&text).unwrap(), model, "{text}");
}

#[test]
fn the_smallest_model_is_a_site() {
    let model = SiteModel::parse("[site]\nid = \"a\"\n").unwrap();
    assert_eq!(SiteModel::parse(&model.to_toml()).unwrap(), model);
    assert!(problems("")[0].contains("missing field `site`"));
}

#[test]
fn unknown_keys_are_told_with_the_nearest_known_one() {
    let text = "[site]\nid = \"a\"\n[[zone]]\nid = \"z\"\nkind = \"ot\"\n  cidr = [\"10.0.0.0/8\"]\n";
    let found = problems(text);
    assert!(found[0].starts_with("line 6, column 3: zone.cidr: unknown key `cidr`"), "{found:?}");
    assert!(found[0].ends_with("did you mean `cidrs`?"), "{found:?}");
}

#[test]
fn wrong_types_and_syntax_have_a_place() {
    assert!(problems("[site]\nid = 7\n")[0].starts_with("line 2, column 6: site.id: invalid type: integer"));
    assert!(problems("[site]\nid = \"a\n")[0].starts_with("line 2, column"));
}

#[test]
fn wrong_values_are_told_together_in_order() {
    let text = r#"[site]
id = "a"
as_of = "yesterday"
[[segment]]
id = "s"
captures = ["x/*.pcap"]
[[segment]]
id = "s"
[[zone]]
id = "z/1"
kind = "cran"
level = 9
segments = ["S1"]
cidrs = [
  "10.0.0.0/8",
  "10.1.2.3/16",
]
vlans = [4095]
macs = ["00:11"]
[[conduit]]
id = "c"
from = "z"
to = "z/1"
classes = ["reed"]
[[crane]]
id = "k"
kind = "tower"
members = ["10.0.0.1", "t/10.0.0.1", "s/224.0.0.1"]
sisters = ["k", "l"]
[[system]]
id = "k"
kind = "gate"
[[asset]]
segment = "s"
address = "plc"
role = "plc"
[[remote_access]]
id = "r"
address = "vendor"
[[maintenance_window]]
system = "q"
from = 2026-11-02T08:00:00Z
to = 2026-11-02T07:00:00Z
[intervals]
scan_days = 0
"#;
    let expected = [
        "line 3, column 9: site.as_of: `yesterday` is no RFC 3339 time",
        "line 6, column 13: segment.captures: `x/*.pcap` names a folder",
        "line 8, column 6: segment.id: another segment has the id `s`",
        "line 10, column 6: zone.id: `z/1` is no id",
        "line 11, column 8: zone.kind: `cran` is no zone kind; expected crane, ot, it, dmz, remote or internet; did you mean `crane`?",
        "line 12, column 9: zone.level: 9 is no level; expected 0 to 5",
        "line 13, column 13: zone.segments: no segment has the id `S1`",
        "line 16, column 3: zone.cidrs: `10.1.2.3/16` has bits set beyond its prefix; expected 10.1.0.0/16",
        "line 18, column 10: zone.vlans: 4095 is no VLAN id",
        "line 19, column 9: zone.macs: `00:11` is no MAC address",
        "line 22, column 8: conduit.from: no zone has the id `z`",
        "line 24, column 12: conduit.classes: `reed` is no class of operation",
        "line 27, column 8: crane.kind: `tower` is no kind of crane",
        "line 28, column 12: crane.members: `10.0.0.1` is no member",
        "line 28, column 24: crane.members: no segment has the id `t`",
        "line 28, column 38: crane.members: `s/224.0.0.1` is no member",
        "line 29, column 12: crane.sisters: crane `k` cannot be its own sister",
        "line 29, column 17: crane.sisters: no crane has the id `l`",
        "line 31, column 6: system.id: another crane or system has the id `k`",
        "line 35, column 11: asset.address: `plc` is no IP or MAC address",
        "line 36, column 8: asset.role: `plc` is no role",
        "line 39, column 11: remote_access.address: `vendor` is no IP network",
        "line 41, column 10: maintenance_window.system: no crane or system has the id `q`",
        "line 43, column 6: maintenance_window.to: the window ends before it starts",
        "line 45, column 13: intervals.scan_days: 0 is no number of days",
    ];
    let found = problems(text);
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn local_times_without_offset_are_refused() {
    let text = "[site]\nid = \"a\"\nas_of = 2026-11-02T08:00:00\n";
    assert!(problems(text)[0].contains("no RFC 3339 time"));
}

#[test]
fn captures_belong_to_the_closest_pattern() {
    let model = SiteModel::parse(FULL).unwrap();
    assert_eq!(model.segment_of("crane-1.pcapng"), Some("crane-1"));
    assert_eq!(model.segment_of("crane-10-night.pcapng"), Some("crane-10"));
    assert_eq!(model.segment_of("gate.pcapng"), None);
}

#[test]
fn globs() {
    for (pattern, text, fits) in [
        ("*", "", true),
        ("a*b*c", "a-x-b-y-c", true),
        ("a*b*c", "a-x-b-y", false),
        ("?", "é", true),
        ("?", "", false),
        ("*.pcap", "x.pcapng", false),
        ("*aab", "aaaab", true),
        ("PLC-*", "plc-7", true),
    ] {
        assert_eq!(glob_matches(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn the_closest_zone_wins() {
    let model = SiteModel::parse(FULL).unwrap();
    let zone = |subject: &Subject<'_>| model.zone_of(subject).map(|zone| zone.id.as_str());
    assert_eq!(zone(&subject("core", "10.20.1.1")), Some("tos"), "longer prefix");
    assert_eq!(zone(&subject("core", "10.30.1.1")), Some("office"));
    assert_eq!(zone(&subject("crane-1", "192.168.1.10")), Some("c1"), "segment alone");
    assert_eq!(zone(&Subject { local: false, ..subject("crane-1", "192.168.1.10") }), None, "behind the router");
    assert_eq!(zone(&subject("core", "192.168.1.10")), None);
    assert_eq!(zone(&Subject { vlan: Some(30), ..subject("core", "192.168.1.10") }), Some("office"));
    let macs = [MacAddr([0, 0x1b, 0x1b, 0, 0, 1])];
    assert_eq!(zone(&Subject { macs: &macs, ..subject("core", "10.20.1.1") }), Some("odd"), "MAC before network");
    let names = ["JUMP-1".to_owned()];
    assert_eq!(zone(&Subject { names: &names, ..subject("core", "10.20.1.1") }), Some("odd"), "name before network");
    assert_eq!(zone(&Subject { external: true, local: false, ..subject("core", "8.8.8.8") }), Some("world"));
}

#[test]
fn conduits_allow_protocols_and_classes() {
    let model = SiteModel::parse(FULL).unwrap();
    let allowed = |from, to, protocol, class| model.allowed(from, to, protocol, class).is_some();
    assert!(allowed("tos", "c1", "modbus", Some(OperationClass::Read)));
    assert!(allowed("tos", "c1", "modbus", None));
    assert!(allowed("tos", "c1", "tcp/8443", None));
    assert!(!allowed("tos", "c1", "modbus", Some(OperationClass::Write)));
    assert!(!allowed("c1", "tos", "modbus", None), "conduits have a direction");
    assert!(!allowed("tos", "c1", "", None), "an unknown protocol fits no list");
}

#[test]
fn members_and_zones_make_cranes_and_systems() {
    let model = SiteModel::parse(FULL).unwrap();
    assert_eq!(model.crane_of(&subject("crane-1", "10.1.1.10"), ""), Some("sts-1"));
    assert_eq!(model.crane_of(&subject("core", "10.9.0.7"), ""), Some("sts-1"));
    assert_eq!(model.crane_of(&subject("core", "10.1.1.10"), ""), None);
    assert_eq!(model.crane_of(&subject("core", "10.1.1.10"), "c1"), Some("sts-1"));
    assert_eq!(model.crane_of(&subject("crane-10", "10.1.1.10"), ""), Some("sts-1"));
    assert_eq!(model.system_of(&subject("core", "10.20.0.1"), "tos"), Some("n4"));
}
