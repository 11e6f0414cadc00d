//! OSPF of three routers (FRR) that come up, lose one and get it back.

use std::net::Ipv4Addr;

use crate::harness::{Field, Row, Table, compare_own, detail, number};

/// The texts of a list in `detail` that hold all of `words`.
fn texts(row: &Row, list: &str, words: &[&str]) -> Vec<String> {
    detail(row, list).into_iter().filter(|text| words.iter().all(|word| text.contains(word))).collect()
}

/// The word behind `key` in each of the texts.
fn behind(texts: &[String], key: &str) -> Vec<String> {
    let word = |text: &String| text.split_once(key).and_then(|(_, rest)| rest.split(' ').next()).map(str::to_owned);
    texts.iter().filter_map(word).collect()
}

/// As [`behind`], and `otherwise` for texts without the key.
fn behind_or(texts: &[String], key: &str, otherwise: &str) -> Vec<String> {
    let word = |text: &String| text.split_once(key).and_then(|(_, rest)| rest.split(' ').next().map(str::to_owned));
    texts.iter().map(|text| word(text).unwrap_or_else(|| otherwise.to_owned())).collect()
}

fn mask(prefix: &str) -> String {
    let length: u32 = prefix.split_once('/').unwrap().1.parse().unwrap();
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - length).unwrap_or(0)).to_string()
}

fn masks(routes: &[String]) -> Vec<String> {
    routes.iter().map(|route| mask(route.split(' ').next().unwrap())).collect()
}

fn addresses(routes: &[String]) -> Vec<String> {
    routes.iter().map(|route| route.split('/').next().unwrap().to_owned()).collect()
}

fn lengths(routes: &[String]) -> Vec<String> {
    routes.iter().map(|route| route.split(['/', ' ']).nth(1).unwrap().to_owned()).collect()
}

fn of(row: &Row, version: u64) -> bool {
    row["detail"]["version"] == version
}

/// Routes of version 2, or of version 3, whose text holds `words`.
fn routes(row: &Row, version: u64, words: &[&str]) -> Vec<String> {
    if of(row, version) { texts(row, "routes", words) } else { Vec::new() }
}

fn links(row: &Row, version: u64, words: &[&str]) -> Vec<String> {
    if of(row, version) { texts(row, "links", words) } else { Vec::new() }
}

/// Those links that stand in a router's own advertisement.
fn router_links(row: &Row, version: u64) -> Vec<String> {
    let own = |link: &String| !link.contains("attached router") && !link.contains("boundary router");
    links(row, version, &[" metric "]).into_iter().filter(own).collect()
}

fn last_words(texts: &[String], before: &str) -> Vec<String> {
    let part = |text: &String| text.split(before).next().and_then(|text| text.rsplit(' ').next()).map(str::to_owned);
    texts.iter().filter_map(part).collect()
}

fn both(mut one: Vec<String>, other: Vec<String>) -> Vec<String> {
    one.extend(other);
    one
}

/// Metrics of everything but version 2's router advertisements, which have a column of their own.
fn metrics(row: &Row) -> Vec<String> {
    let stub = |route: &String| !route.contains("stub network");
    let far = routes(row, 2, &[" metric "]).into_iter().filter(stub).collect::<Vec<_>>();
    let third = both(routes(row, 3, &[" metric "]), links(row, 3, &[" metric "]));
    let boundary = links(row, 2, &["boundary router", " metric "]);
    behind(&both(both(far, third), boundary), " metric ")
}

fn types(row: &Row, version: u64) -> Vec<String> {
    if of(row, version) { detail(row, "types") } else { Vec::new() }
}

fn named(row: &Row, name: &str, key: &str) -> Vec<String> {
    if row["name"] == name { detail(row, key) } else { Vec::new() }
}

fn options(row: &Row, version: u64) -> Vec<String> {
    if of(row, version) { both(detail(row, "options"), detail(row, "advertisement_options")) } else { Vec::new() }
}

fn of_2(row: &Row, key: &str) -> Vec<String> {
    if of(row, 2) { detail(row, key) } else { Vec::new() }
}

#[test]
fn ospf_agrees() {
    compare_own(
        "routing",
        &Table {
            name: "ospf",
            protocols: &["ospf"],
            kinds: &[],
            fields: &[
                Field::new("ospf.version").asked(|row| detail(row, "version")),
                Field::new("ospf.msg").asked(|row| number(row, "code")),
                Field::new("ospf.srcrouter").asked(|row| detail(row, "router_id")),
                Field::new("ospf.area_id").asked(|row| detail(row, "area")),
                Field::new("ospf.auth.type").asked(|row| detail(row, "authentication_type")),
                Field::new("ospf.auth.crypt.key_id").asked(|row| detail(row, "key_id")),
                Field::new("ospf.instance_id").asked(|row| detail(row, "instance")),
                Field::new("ospf.hello.network_mask").asked(|row| detail(row, "netmask")),
                Field::new("ospf.hello.interface_id").asked(|row| detail(row, "interface")),
                Field::new("ospf.hello.hello_interval").asked(|row| detail(row, "hello_seconds")),
                Field::new("ospf.hello.router_priority").asked(|row| detail(row, "priority")),
                Field::new("ospf.hello.router_dead_interval").asked(|row| detail(row, "dead_seconds")),
                Field::new("ospf.hello.designated_router").asked(|row| detail(row, "designated_router")),
                Field::new("ospf.hello.backup_designated_router").asked(|row| detail(row, "backup_router")),
                Field::new("ospf.hello.active_neighbor").asked(|row| detail(row, "neighbours")),
                Field::new("ospf.v2.options").asked(|row| options(row, 2)),
                Field::new("ospf.v3.options").asked(|row| options(row, 3)),
                Field::new("ospf.db.interface_mtu").asked(|row| detail(row, "mtu")),
                Field::new("ospf.dbd.i").asked(|row| detail(row, "first")),
                Field::new("ospf.dbd.m").asked(|row| detail(row, "more")),
                Field::new("ospf.dbd.ms").asked(|row| detail(row, "master")),
                Field::new("ospf.db.dd_sequence").asked(|row| named(row, "database description", "sequence")),
                Field::new("ospf.lsa").asked(|row| types(row, 2)),
                Field::new("ospf.v3.lsa").asked(|row| types(row, 3)),
                // A request's items stand in other columns.
                Field::new("ospf.lsa.id")
                    .asked(|row| if row["code"] == 3 { Vec::new() } else { of_2(row, "link_state_ids") }),
                Field::new("ospf.advrouter").asked(|row| detail(row, "advertising_routers")),
                Field::new("ospf.lsa.age").asked(|row| detail(row, "ages")),
                Field::new("ospf.lsa.seqnum").asked(|row| detail(row, "sequences")),
                Field::new("ospf.lsa.router.linkid").asked(|row| {
                    both(addresses(&routes(row, 2, &["stub network"])), last_words(&router_links(row, 2), " at "))
                }),
                Field::new("ospf.lsa.router.linkdata").asked(|row| {
                    both(masks(&routes(row, 2, &["stub network"])), behind(&router_links(row, 2), " at "))
                }),
                Field::new("ospf.lsa.router.metric0")
                    .asked(|row| behind(&both(routes(row, 2, &["stub network"]), router_links(row, 2)), " metric ")),
                Field::new("ospf.lsa.network.netmask").asked(|row| {
                    masks(
                        &routes(row, 2, &["/", " network"])
                            .into_iter()
                            .filter(|route| !route.contains("stub"))
                            .collect::<Vec<_>>(),
                    )
                }),
                Field::new("ospf.lsa.network.attchrtr")
                    .asked(|row| behind(&links(row, 2, &["attached"]), "attached router ")),
                Field::new("ospf.lsa.asext.netmask").asked(|row| masks(&routes(row, 2, &["external"]))),
                Field::new("ospf.lsa.asbr.netmask").asked(|row| {
                    let boundary = links(row, 2, &["boundary router"]).iter().map(|_| "0.0.0.0".to_owned()).collect();
                    both(masks(&routes(row, 2, &["summary"])), boundary)
                }),
                Field::new("ospf.lsa.asext.fwdaddr")
                    .asked(|row| behind_or(&routes(row, 2, &["external"]), " via ", "0.0.0.0")),
                Field::new("ospf.lsa.asext.extrttag")
                    .asked(|row| behind_or(&routes(row, 2, &["external"]), " tag ", "0")),
                Field::new("ospf.lsa.asext.type").asked(|row| {
                    let kinds = behind(&routes(row, 2, &["external"]), "external type ");
                    kinds.iter().map(|kind| u8::from(kind == "2").to_string()).collect()
                }),
                Field::new("ospf.metric").asked(metrics),
                Field::new("ospf.v3.address_prefix.ipv6").asked(|row| addresses(&routes(row, 3, &[]))),
                Field::new("ospf.prefix_length").asked(|row| lengths(&routes(row, 3, &[]))),
                Field::new("ospf.v3.lsa.neighbor_router_id").asked(|row| last_words(&router_links(row, 3), " metric ")),
                Field::new("ospf.v3.lsa.attached_router")
                    .asked(|row| behind(&links(row, 3, &["attached"]), "attached router ")),
                Field::new("ospf.v3.lsa.destination_router_id")
                    .asked(|row| behind(&links(row, 3, &["boundary"]), "boundary router ")),
            ],
            counts: |_| true,
            explained: &[],
            wanted: 995,
        },
        true,
    );
}
