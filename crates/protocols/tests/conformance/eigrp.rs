//! EIGRP of three routers (FRR), of packets by hand that FRR does not send, and of Cisco's routers in a shared capture.

use crate::harness::{Field, Row, Table, compare_own, decode, detail, number, shared, text};

/// Routes with a classic metric, or with a wide one, which bears a router id.
fn routes(row: &Row, wide: bool) -> Vec<String> {
    detail(row, "routes").into_iter().filter(|route| route.contains(" router ") == wide).collect()
}

/// The word behind `key` in each of the texts that have it.
fn behind(texts: &[String], key: &str) -> Vec<String> {
    let word = |text: &String| text.split_once(key).and_then(|(_, rest)| rest.split(' ').next().map(str::to_owned));
    texts.iter().filter_map(word).collect()
}

fn behind_or(texts: &[String], key: &str, otherwise: &str) -> Vec<String> {
    let word = |text: &String| text.split_once(key).and_then(|(_, rest)| rest.split(' ').next().map(str::to_owned));
    texts.iter().map(|text| word(text).unwrap_or_else(|| otherwise.to_owned())).collect()
}

/// Routes of IPv4 or of IPv6.
fn of_family(row: &Row, six: bool) -> Vec<String> {
    detail(row, "routes").into_iter().filter(|route| route.split('/').next().unwrap().contains(':') == six).collect()
}

fn addresses(routes: &[String]) -> Vec<String> {
    routes.iter().map(|route| route.split('/').next().unwrap().to_owned()).collect()
}

fn lengths(routes: &[String]) -> Vec<String> {
    routes.iter().map(|route| route.split(['/', ' ']).nth(1).unwrap().to_owned()).collect()
}

/// Major and minor in one number, as tshark has them.
fn version(row: &Row, key: &str) -> Vec<String> {
    let both = detail(row, key).into_iter().next();
    let number = both
        .as_deref()
        .and_then(|text| text.split_once('.'))
        .map(|(major, minor)| (major.parse::<u32>().unwrap() << 8 | minor.parse::<u32>().unwrap()).to_string());
    number.into_iter().collect()
}

fn coefficient(row: &Row, index: usize) -> Vec<String> {
    detail(row, "coefficients").into_iter().nth(index).into_iter().collect()
}

fn origins(row: &Row) -> Vec<String> {
    let number = |name: String| match name.as_str() {
        "static" => "3",
        "bgp" => "9",
        "connected" => "11",
        other => panic!("{other}"),
    };
    behind(&detail(row, "routes"), " from ").into_iter().map(|name| number(name).to_owned()).collect()
}

#[test]
fn eigrp_agrees() {
    let table = Table {
        name: "eigrp",
        protocols: &["eigrp"],
        kinds: &[],
        fields: &[
            Field::new("eigrp.opcode").asked(|row| number(row, "code")),
            Field::new("eigrp.flags").asked(|row| detail(row, "flags")),
            Field::new("eigrp.seq").asked(|row| detail(row, "sequence")),
            Field::new("eigrp.ack").asked(|row| detail(row, "acknowledge")),
            Field::new("eigrp.vrid").asked(|row| detail(row, "virtual_router")),
            Field::new("eigrp.as").asked(|row| detail(row, "as")),
            Field::new("eigrp.tlv_type").asked(|row| detail(row, "elements")),
            Field::new("eigrp.par.k1").asked(|row| coefficient(row, 0)),
            Field::new("eigrp.par.k2").asked(|row| coefficient(row, 1)),
            Field::new("eigrp.par.k3").asked(|row| coefficient(row, 2)),
            Field::new("eigrp.par.k4").asked(|row| coefficient(row, 3)),
            Field::new("eigrp.par.k5").asked(|row| coefficient(row, 4)),
            Field::new("eigrp.par.k6").asked(|row| coefficient(row, 5)),
            Field::new("eigrp.par.holdtime").asked(|row| detail(row, "hold_seconds")),
            Field::new("eigrp.release_version").asked(|row| version(row, "software_release")),
            Field::new("eigrp.tlv_version").asked(|row| version(row, "element_version")),
            Field::new("eigrp.auth.type").asked(|row| detail(row, "authentication_type")),
            Field::new("eigrp.auth.keyid").asked(|row| detail(row, "key_id")),
            Field::new("eigrp.stub_options").asked(|row| detail(row, "stub")),
            Field::new("eigrp.ipv4.nexthop").asked(|row| behind_or(&of_family(row, false), " via ", "0.0.0.0")),
            Field::new("eigrp.ipv6.nexthop").asked(|row| behind_or(&of_family(row, true), " via ", "::")),
            Field::new("eigrp.old_metric.delay").asked(|row| behind(&routes(row, false), " delay ")),
            Field::new("eigrp.old_metric.bw").asked(|row| behind(&routes(row, false), " bandwidth ")),
            Field::new("eigrp.old_metric.mtu").asked(|row| behind(&routes(row, false), " mtu ")),
            Field::new("eigrp.old_metric.hopcount").asked(|row| behind(&routes(row, false), " hops ")),
            Field::new("eigrp.old_metric.intag").asked(|row| behind_or(&routes(row, false), " tag ", "0")),
            Field::new("eigrp.extdata.origrid").asked(|row| behind(&detail(row, "routes"), " at ")),
            Field::new("eigrp.extdata.as").asked(|row| behind(&detail(row, "routes"), " as ")),
            Field::new("eigrp.extdata.tag").asked(|row| behind(&detail(row, "routes"), " external-tag ")),
            Field::new("eigrp.extdata.metric").asked(|row| behind(&detail(row, "routes"), " external-metric ")),
            Field::new("eigrp.extdata.proto").asked(origins),
            Field::new("eigrp.routerid").asked(|row| behind(&routes(row, true), " router ")),
            Field::new("eigrp.metric.delay").asked(|row| behind(&routes(row, true), " delay ")),
            Field::new("eigrp.metric.bandwidth").asked(|row| behind(&routes(row, true), " bandwidth ")),
            Field::new("eigrp.metric.mtu").asked(|row| behind(&routes(row, true), " mtu ")),
            Field::new("eigrp.metric.hopcount").asked(|row| behind(&routes(row, true), " hops ")),
            Field::new("eigrp.ipv4.prefixlen").asked(|row| lengths(&of_family(row, false))),
            Field::new("eigrp.ipv4.destination").asked(|row| addresses(&of_family(row, false))),
            Field::new("eigrp.ipv6.prefixlen").asked(|row| lengths(&of_family(row, true))),
            Field::new("eigrp.ipv6.destination").asked(|row| addresses(&of_family(row, true))),
        ],
        counts: |_| true,
        explained: &[],
        wanted: 995,
    };
    compare_own("routing", &table, true);
}

#[test]
fn routers_inside_mpls_tell_themselves() {
    let Some(captures) = shared() else { return };
    let table = Table {
        name: "eigrp",
        protocols: &["eigrp"],
        kinds: &["identity", "weird"],
        fields: &[],
        counts: |_| true,
        explained: &[],
        wanted: 0,
    };
    let rows = decode(&captures, "capture-formats/arkime-mpls-basic.pcap", &table);
    let of = |kind: &str| rows.iter().filter(|(_, row)| row["kind"] == kind).collect::<Vec<_>>();
    // Of ten hellos the first of each router.
    let frames: Vec<u64> = of("operation").iter().map(|(frame, _)| *frame).collect();
    assert_eq!(frames, [3, 5]);
    let said: Vec<_> = of("identity").iter().flat_map(|(_, row)| text(row, "value")).collect();
    let software = said.iter().filter(|value| *value == "EIGRP release 12.1, elements 1.1").count();
    assert_eq!((said.iter().filter(|value| *value == "eigrp as 41").count(), software), (2, 2), "{said:?}");
    assert!(of("weird").iter().all(|(_, row)| row["protocol"] != "eigrp"));
}
