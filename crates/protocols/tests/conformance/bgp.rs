//! BGP of three routers (FRR), and of messages by hand that they do not send.

use crate::harness::{Field, Row, Table, compare_own, decode, detail, number, shared};

fn named(row: &Row, name: &str, key: &str) -> Vec<String> {
    if row["name"] == name { detail(row, key) } else { Vec::new() }
}

/// The number in the fixed part: 23456 stands for those that do not fit.
fn short_system(row: &Row) -> Vec<String> {
    let fits = |number: &String| number.parse::<u16>().is_ok();
    let short = |number: String| if fits(&number) { number } else { "23456".to_owned() };
    named(row, "open", "as").into_iter().map(short).collect()
}

fn long_system(row: &Row) -> Vec<String> {
    let long = detail(row, "capabilities").iter().any(|code| code == "65");
    if long { detail(row, "as") } else { Vec::new() }
}

/// Networks of IPv4, or of IPv6, in a list.
fn networks(row: &Row, list: &str, six: bool) -> Vec<String> {
    detail(row, list).into_iter().filter(|route| route.contains(':') == six).collect()
}

fn addresses(routes: &[String]) -> Vec<String> {
    routes.iter().map(|route| route.split('/').next().unwrap().to_owned()).collect()
}

fn lengths(row: &Row) -> Vec<String> {
    let lists = ["routes", "withdrawn"].into_iter().flat_map(|list| detail(row, list));
    lists.map(|route| route.split(['/', ' ']).nth(1).unwrap().to_owned()).collect()
}

fn paths(row: &Row) -> Vec<String> {
    let lists = ["routes", "withdrawn"].into_iter().flat_map(|list| detail(row, list));
    lists.filter_map(|route| route.split_once(" path ").map(|(_, path)| path.to_owned())).collect()
}

/// Autonomous systems of the path. Only the session of 10.9.0.5 by hand has numbers of two bytes.
fn systems(row: &Row, two: bool) -> Vec<String> {
    let path = detail(row, "as_path");
    if (row["client"]["address"] == "10.9.0.5") != two {
        return Vec::new();
    }
    path.iter().flat_map(|path| path.split([' ', ',', '{', '}'])).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

fn origin(row: &Row) -> Vec<String> {
    let number = |name: &String| if name == "igp" { "0" } else { "2" }.to_owned();
    detail(row, "origin").iter().map(number).collect()
}

fn hop(row: &Row, six: bool) -> Vec<String> {
    detail(row, "next_hop").into_iter().filter(|hop| hop.contains(':') == six).collect()
}

/// One half of the communities that tshark has no name for.
fn community(row: &Row, half: usize) -> Vec<String> {
    let unnamed = |community: &String| !community.starts_with("65535:");
    let halves = detail(row, "communities").into_iter().filter(unnamed);
    halves.map(|community| community.split(':').nth(half).unwrap().to_owned()).collect()
}

fn suberror(row: &Row, error: u64) -> Vec<String> {
    if row["detail"]["error"] == error { detail(row, "suberror") } else { Vec::new() }
}

#[test]
fn bgp_agrees() {
    let table = Table {
        name: "bgp",
        protocols: &["bgp"],
        kinds: &[],
        fields: &[
            Field::new("bgp.type").asked(|row| number(row, "code")),
            Field::new("bgp.open.version").asked(|row| detail(row, "version")),
            Field::new("bgp.open.myas").asked(short_system),
            Field::new("bgp.open.holdtime").asked(|row| detail(row, "hold_seconds")),
            Field::new("bgp.open.identifier").asked(|row| detail(row, "router_id")),
            Field::new("bgp.cap.type").asked(|row| detail(row, "capabilities")),
            Field::new("bgp.cap.4as").asked(long_system),
            Field::new("bgp.cap.mp.afi").asked(|row| detail(row, "families")),
            Field::new("bgp.cap.mp.safi").asked(|row| detail(row, "subfamilies")),
            Field::new("bgp.cap.orf.fqdn.hostname").asked(|row| detail(row, "host_name")),
            Field::new("bgp.cap.orf.fqdn.domain_name").asked(|row| detail(row, "domain")),
            Field::new("bgp.update.path_attribute.type_code").asked(|row| detail(row, "attributes")),
            Field::new("bgp.update.path_attribute.origin").asked(origin),
            Field::new("bgp.update.path_attribute.as_path_segment.as2").asked(|row| systems(row, true)),
            Field::new("bgp.update.path_attribute.as_path_segment.as4").asked(|row| systems(row, false)),
            Field::new("bgp.update.path_attribute.next_hop").asked(|row| hop(row, false)),
            Field::new("bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6").asked(|row| hop(row, true)),
            Field::new("bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6.link_local")
                .asked(|row| detail(row, "next_hop_on_link")),
            Field::new("bgp.update.path_attribute.multi_exit_disc")
                .asked(|row| detail(row, "multi_exit_discriminator")),
            Field::new("bgp.update.path_attribute.local_pref").asked(|row| detail(row, "local_preference")),
            Field::new("bgp.update.path_attribute.community_as").asked(|row| community(row, 0)),
            Field::new("bgp.update.path_attribute.community_value").asked(|row| community(row, 1)),
            Field::new("bgp.nlri_prefix").asked(|row| addresses(&networks(row, "routes", false))),
            Field::new("bgp.nlri_path_id").asked(paths),
            Field::new("bgp.prefix_length").asked(lengths),
            Field::new("bgp.withdrawn_prefix").asked(|row| addresses(&networks(row, "withdrawn", false))),
            Field::new("bgp.mp_reach_nlri_ipv6_prefix").asked(|row| addresses(&networks(row, "routes", true))),
            Field::new("bgp.mp_unreach_nlri_ipv6_prefix").asked(|row| addresses(&networks(row, "withdrawn", true))),
            Field::new("bgp.notify.major_error").asked(|row| detail(row, "error")),
            Field::new("bgp.notify.minor_error_open").asked(|row| suberror(row, 2)),
            Field::new("bgp.notify.minor_error_cease").asked(|row| suberror(row, 6)),
            Field::new("bgp.notify.minor_error_expired").asked(|row| suberror(row, 4)),
            Field::new("bgp.notify.communication").asked(|row| detail(row, "communication")),
            Field::new("bgp.route_refresh.afi").asked(|row| named(row, "route refresh", "family")),
            Field::new("bgp.route_refresh.safi").asked(|row| named(row, "route refresh", "subfamily")),
            Field::new("bgp.route_refresh.subtype").asked(|row| named(row, "route refresh", "subtype")),
        ],
        counts: |_| true,
        explained: &[],
        wanted: 995,
    };
    compare_own("routing", &table, true);
}

#[test]
fn a_broken_open_is_told() {
    let Some(captures) = shared() else { return };
    let table = Table {
        name: "bgp",
        protocols: &["bgp"],
        kinds: &["weird"],
        fields: &[],
        counts: |_| true,
        explained: &[],
        wanted: 0,
    };
    let rows = decode(&captures, "malformed/pcapplusplus-bgp-open-malformed.pcapng", &table);
    let names: Vec<_> = rows.iter().map(|(frame, row)| (*frame, row["name"].as_str().unwrap())).collect();
    // The others send the same numbers again, with up to four bytes behind them that begin no message.
    assert_eq!(names, [(1, "open"), (1, "bgp_message_malformed"), (2, "bgp_header_malformed")]);
}
