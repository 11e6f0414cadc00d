//! MMS.

use crate::harness::{Explained, Field, Row, Table, compare, detail, number, well_formed};

/// Codes of confirmed services lie below those of unconfirmed ones, these below other PDUs.
const UNCONFIRMED: u64 = 0x100;
const OTHER: u64 = 0x200;

fn code(row: &Row) -> u64 {
    row["code"].as_u64().unwrap()
}

fn asked_service(row: &Row) -> Vec<String> {
    if code(row) < UNCONFIRMED { number(row, "code") } else { Vec::new() }
}

/// Service errors and rejects have no service; failed data accesses have.
fn answered_service(row: &Row) -> Vec<String> {
    let status = row["status"].as_u64().unwrap_or(0);
    if code(row) < UNCONFIRMED && (status == 0 || status >> 16 == 3) { number(row, "code") } else { Vec::new() }
}

fn unconfirmed(row: &Row) -> Vec<String> {
    if (UNCONFIRMED..OTHER).contains(&code(row)) { vec![(code(row) - UNCONFIRMED).to_string()] } else { Vec::new() }
}

fn names(row: &Row) -> Vec<String> {
    let listed = detail(row, "variables");
    let object = row["object"].as_str().unwrap().to_owned();
    if listed.is_empty() { vec![object] } else { listed }
}

fn halves(names: Vec<String>, second: bool) -> Vec<String> {
    let halves = names.iter().filter_map(|name| name.split_once('/'));
    halves.map(|(domain, item)| if second { item } else { domain }.to_owned()).collect()
}

fn asked_names(row: &Row) -> Vec<String> {
    // Names of files may hold the same sign.
    if matches!(code(row), 72..=77) { Vec::new() } else { names(row) }
}

fn reported_names(row: &Row) -> Vec<String> {
    if code(row) == UNCONFIRMED { names(row) } else { detail(row, "members") }
}

#[test]
fn mms_agrees() {
    compare(&Table {
        name: "mms",
        protocols: &["mms"],
        kinds: &[],
        fields: &[
            Field::new("mms.invokeID").both(|row| detail(row, "invoke_id")),
            Field::new("mms.confirmedServiceRequest").asked(asked_service),
            Field::new("mms.confirmedServiceResponse").answered(answered_service),
            Field::new("mms.unconfirmedService").answered(unconfirmed),
            Field::new("mms.domainId")
                .asked(|row| halves(asked_names(row), false))
                .answered(|row| halves(reported_names(row), false)),
            Field::new("mms.itemId")
                .asked(|row| halves(asked_names(row), true))
                .answered(|row| halves(reported_names(row), true)),
            Field::new("mms.vendorName").answered(|row| detail(row, "vendor")),
            Field::new("mms.modelName").answered(|row| detail(row, "model")),
            Field::new("mms.revision").answered(|row| detail(row, "revision")),
        ],
        counts: well_formed,
        explained: &[Explained {
            file: "iec61850/iti-mms-confirmedrequestpdu.pcap",
            column: "mms.invokeID",
            reason: "a request without a service: told as malformed, it asks for nothing",
        }],
        wanted: 995,
    });
}
