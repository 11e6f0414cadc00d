//! EtherNet/IP with the explicit messages of CIP. Implicit I/O has no explicit message.

use crate::harness::{Explained, Field, Row, Table, compare, detail, number, well_formed};

// tshark also prints the packets around a service: the Multiple Service Packet (0x0a to class 2 instance 1) that it is
// a part of, and the Unconnected Send (0x52 to class 6 instance 1) that carries a request.
fn first_part(row: &Row) -> bool {
    row["detail"]["service"] == 1
}

fn alone(row: &Row) -> bool {
    row["detail"]["service"].is_null()
}

fn around(row: &Row, part: &str, routed: &str, asked: bool) -> Vec<String> {
    let carried = asked && row["detail"]["routed"] == true && (first_part(row) || alone(row));
    let around = [first_part(row).then_some(part), carried.then_some(routed)];
    around.into_iter().flatten().map(str::to_owned).collect()
}

fn service(row: &Row, asked: bool) -> Vec<String> {
    if row["protocol"] != "cip" {
        return Vec::new();
    }
    [number(row, "code"), around(row, "10", "82", asked)].concat()
}

fn status(row: &Row) -> Vec<String> {
    if row["protocol"] != "cip" {
        return Vec::new();
    }
    [number(row, "status"), around(row, "0", "", false)].concat()
}

fn attributes(row: &Row) -> Vec<String> {
    // tshark takes the value of Get Attributes All apart and prints each attribute in it.
    let all = row["code"] == 1;
    let within: Vec<String> = if all { (1..=9).map(|n: u8| n.to_string()).collect() } else { Vec::new() };
    let answered = detail(row, "attributes_answered");
    [within, detail(row, "attribute"), detail(row, "attributes"), answered].concat()
}

fn path(row: &Row, key: &str, part: &str, routed: &str) -> Vec<String> {
    // tshark repeats in each message what its connection was opened to; in these captures that is the message router.
    let connected = row["detail"]["connection"].is_number() && (alone(row) || first_part(row));
    let router = connected.then(|| part.to_owned());
    let mut connection = detail(row, &format!("connection_{key}"));
    // To the path that a Forward Close states tshark adds that of the Forward Open, which is the same.
    if row["code"] == 0x4e {
        connection.extend_from_within(..);
    }
    connection.extend(router);
    [detail(row, key), detail(row, &format!("within_{key}")), connection, around(row, part, routed, true)].concat()
}

fn session(row: &Row) -> Vec<String> {
    if alone(row) || first_part(row) { detail(row, "session") } else { Vec::new() }
}

#[test]
fn cip_agrees() {
    compare(&Table {
        name: "enip-cip",
        protocols: &["cip", "enip"],
        kinds: &[],
        fields: &[
            Field::new("cip.sc").asked(|row| service(row, true)).answered(|row| service(row, false)),
            Field::new("cip.genstat").answered(status),
            Field::new("cip.class").both(|row| path(row, "class", "2", "6")),
            Field::new("cip.instance").both(|row| path(row, "instance", "1", "1")),
            Field::new("cip.attribute").both(attributes),
            Field::new("enip.session").both(session),
        ],
        counts: |line| well_formed(line) && !line["cip.sc"].is_empty(),
        explained: &[
            Explained {
                file: "enip-cip/quickdraw-cl5000eip-software-upload.pcap",
                column: "cip.class",
                reason: "a path through three objects: the last two are told by number, all three in the object's text",
            },
            Explained {
                file: "enip-cip/quickdraw-cl5000eip-software-upload.pcap",
                column: "cip.instance",
                reason: "a path through three objects: the last two are told by number, all three in the object's text",
            },
        ],
        wanted: 995,
    });
}
