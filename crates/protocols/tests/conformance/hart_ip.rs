//! HART-IP: requests and replies; published values make a row at first and are then counted.

use crate::harness::{Explained, Field, Line, Row, Table, compare, decode, detail, number, read, shared, well_formed};

/// Operations above this are messages without a command.
const MESSAGES: u64 = 0x1_0000;

fn message_id(row: &Row) -> Vec<String> {
    let code = row["code"].as_u64().unwrap();
    vec![if code >= MESSAGES { (code - MESSAGES).to_string() } else { "3".to_owned() }]
}

/// The command's byte: 31 stands for all with a number of two bytes.
fn command(row: &Row) -> Vec<String> {
    match row["code"].as_u64().unwrap() {
        MESSAGES.. => Vec::new(),
        256.. => vec!["31".to_owned()],
        code => vec![code.to_string()],
    }
}

/// Hexadecimal as tshark prints it, without `0x`.
fn device_id(row: &Row) -> Vec<String> {
    detail(row, "device_id").iter().map(|id| format!("{:06x}", id.parse::<u64>().unwrap())).collect()
}

/// The response code of a frame; the status of a message stands in another column.
fn response(row: &Row) -> Vec<String> {
    if command(row).is_empty() { Vec::new() } else { number(row, "status") }
}

fn short_address(row: &Row) -> Vec<String> {
    if command(row).is_empty() { Vec::new() } else { detail(row, "polling_address") }
}

fn device_status(row: &Row) -> Vec<String> {
    match command(row).is_empty() {
        true => Vec::new(),
        false => vec![detail(row, "device_status").pop().unwrap_or_else(|| "0".to_owned())],
    }
}

fn counts(line: &Line) -> bool {
    well_formed(line) && line["hart_ip.message_type"] != "2"
}

const TABLE: Table<'static> = Table {
    name: "hart-ip",
    protocols: &["hart-ip"],
    kinds: &[],
    fields: &[
        Field::new("hart_ip.message_id").both(message_id),
        Field::new("hart_ip.pt.command").both(command),
        Field::new("hart_ip.pt.short_addr").both(short_address),
        Field::new("hart_ip.pt.response_code").answered(response),
        Field::new("hart_ip.pt.device_status").answered(device_status),
        Field::new("hart_ip.pt.rsp.expanded_device_type").answered(|row| detail(row, "device_type")),
        Field::new("hart_ip.pt.rsp.device_id").answered(device_id),
        Field::new("hart_ip.pt.rsp.manufacturer_Id").answered(|row| detail(row, "manufacturer")),
    ],
    counts,
    explained: &[Explained {
        file: "hart-ip/icsnpp-hart-ip-all-types-and-commands-sent.pcapng",
        column: "",
        reason: "frame 44 asks for the device with a long tag (command 21); tshark reads the tag as an answer",
    }],
    wanted: 995,
};

#[test]
fn hart_ip_agrees() {
    compare(&TABLE);
}

/// Every published value is counted once.
#[test]
fn hart_ip_publishes_are_counted() {
    let Some(captures) = shared() else { return };
    let published = read(&captures, "hart-ip").iter().filter(|line| line["hart_ip.message_type"] == "2").count() as u64;
    let rows = decode(&captures, "hart-ip/icsnpp-hart-ip-publish-and-keepalive.pcapng", &TABLE);
    let told =
        rows.iter().filter(|(_, row)| row["name"] == "publish").map(|(_, row)| row["quantity"].as_u64().unwrap());
    // The first of each makes a row of its own, and is in the count at the end, too.
    assert_eq!(told.filter(|count| *count > 1).sum::<u64>(), published);
}
