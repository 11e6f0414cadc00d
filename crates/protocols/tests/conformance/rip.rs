//! RIP and RIPng of three routers (FRR) that come up, lose one and get it back; RIP version 1 of a shared capture.

use std::net::Ipv4Addr;

use crate::harness::{Field, Row, Table, compare_own, decode, detail, number, shared};

/// What stands behind `key` in each route, and `otherwise` for routes without.
fn part(row: &Row, key: &str, otherwise: &str) -> Vec<String> {
    let word = |text: &String| text.split_once(key).and_then(|(_, rest)| rest.split(' ').next().map(str::to_owned));
    routes(row).iter().map(|text| word(text).unwrap_or_else(|| otherwise.to_owned())).collect()
}

/// The routes of a response. A request for everything is an entry of zeros with an infinite metric.
fn routes(row: &Row) -> Vec<String> {
    match (row["object"].as_str(), row["protocol"].as_str()) {
        (Some("all routes"), Some("ripng")) => vec!["::/0 metric 16".to_owned()],
        (Some("all routes"), _) => vec!["0.0.0.0/0 metric 16".to_owned()],
        _ => detail(row, "routes"),
    }
}

fn addresses(row: &Row) -> Vec<String> {
    routes(row).iter().map(|route| route.split(['/', ' ']).next().unwrap().to_owned()).collect()
}

fn masks(row: &Row) -> Vec<String> {
    let mask = |length: String| u32::MAX.checked_shl(32 - length.parse::<u32>().unwrap()).unwrap_or(0);
    part(row, "/", "0").into_iter().map(|length| Ipv4Addr::from_bits(mask(length)).to_string()).collect()
}

fn families(row: &Row) -> Vec<String> {
    if row["object"] == "all routes" {
        vec!["0".to_owned()]
    } else {
        routes(row).iter().map(|_| "2".to_owned()).collect()
    }
}

fn response_addresses(row: &Row) -> Vec<String> {
    if row["object"] == "all routes" { Vec::new() } else { addresses(row) }
}

#[test]
fn rip_agrees() {
    let table = Table {
        name: "rip",
        protocols: &["rip"],
        kinds: &[],
        fields: &[
            Field::new("rip.command").asked(|row| number(row, "code")),
            Field::new("rip.version").asked(|row| detail(row, "version")),
            Field::new("rip.auth.type").asked(|row| detail(row, "authentication_type")),
            Field::new("rip.key_id").asked(|row| detail(row, "key_id")),
            Field::new("rip.family").asked(families),
            Field::new("rip.ip").asked(response_addresses),
            Field::new("rip.netmask").asked(masks),
            Field::new("rip.next_hop").asked(|row| part(row, " via ", "0.0.0.0")),
            Field::new("rip.metric").asked(|row| part(row, " metric ", "")),
            Field::new("rip.route_tag").asked(|row| part(row, " tag ", "0")),
        ],
        counts: |_| true,
        explained: &[],
        wanted: 995,
    };
    compare_own("routing", &table, true);
}

#[test]
fn ripng_agrees() {
    let table = Table {
        name: "ripng",
        protocols: &["ripng"],
        kinds: &[],
        fields: &[
            Field::new("ripng.cmd").asked(|row| number(row, "code")),
            Field::new("ripng.version").asked(|row| detail(row, "version")),
            Field::new("ripng.rte.ipv6_prefix").asked(addresses),
            Field::new("ripng.rte.prefix_length").asked(|row| part(row, "/", "")),
            Field::new("ripng.rte.metric").asked(|row| part(row, " metric ", "")),
            Field::new("ripng.rte.route_tag").asked(|row| part(row, " tag ", "0")),
        ],
        counts: |_| true,
        explained: &[],
        wanted: 995,
    };
    compare_own("routing", &table, true);
}

#[test]
fn each_router_of_version_1_tells_its_default_route() {
    let Some(captures) = shared() else { return };
    let table = Table {
        name: "rip",
        protocols: &["rip"],
        kinds: &["weird", "credential"],
        fields: &[],
        counts: |_| true,
        explained: &[],
        wanted: 0,
    };
    let rows = decode(&captures, "capture-formats/wireshark-wiki-vlan.pcap", &table);
    let of = |kind: &str| rows.iter().filter(|(_, row)| row["kind"] == kind).collect::<Vec<_>>();
    let told = of("operation");
    let frames: Vec<u64> = told.iter().map(|(frame, _)| *frame).collect();
    // Those that tshark names.
    assert_eq!(frames, [283, 293, 304, 307, 309, 316, 328, 329, 330]);
    assert!(told.iter().all(|(_, row)| detail(row, "routes") == ["0.0.0.0 metric 2"] && row["object"] == "0.0.0.0"));
    assert_eq!(of("credential").len(), 9);
    let odd = of("weird").into_iter().filter(|(_, row)| row["protocol"] == "rip").count();
    assert_eq!(odd, 0);
}
