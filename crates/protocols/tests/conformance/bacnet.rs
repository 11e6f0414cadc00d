//! BACnet.

use quaywatch_protocols::bacnet::names;

use crate::harness::{Explained, Field, Line, Row, Table, compare, detail, number, well_formed};

fn service(row: &Row, list: u64) -> Vec<String> {
    let code = row["code"].as_u64().unwrap();
    if code >> 8 == list && code != 255 { vec![(code & 0xff).to_string()] } else { Vec::new() }
}

/// Objects and properties by number, from `device 1 object-name; file 2` and `device 1 object-list = device 1 file 2`.
fn numbers(row: &Row, answered: bool) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut texts = vec![row["object"].as_str().unwrap().to_owned()];
    texts.extend(detail(row, if answered { "read" } else { "written" }));
    let (mut kinds, mut instances, mut properties) = (Vec::new(), Vec::new(), Vec::new());
    for text in texts {
        let words: Vec<&str> = text.split([' ', ';']).collect();
        for (index, word) in words.iter().enumerate() {
            if let Some(kind) = names::OBJECTS.iter().position(|name| name == word) {
                let instance = words.get(index + 1).unwrap_or(&"").to_string();
                if let Some((low, high)) = instance.split_once('-') {
                    instances.extend([low.to_owned(), high.to_owned()]);
                } else {
                    instances.push(instance);
                }
                kinds.push(kind.to_string());
            }
            let plain = word.split('[').next().unwrap();
            if let Some((id, _)) = names::PROPERTIES.iter().find(|(_, name)| *name == plain) {
                properties.push(id.to_string());
            } else if let Some(id) = plain.strip_prefix("property-") {
                properties.push(id.to_owned());
            }
            if let Some(kind) = word.strip_prefix("object-type-") {
                kinds.push(kind.to_owned());
                instances.push(words.get(index + 1).unwrap_or(&"").to_string());
            }
        }
    }
    (kinds, instances, properties)
}

/// Reasons of Reject and Abort PDUs, classes and codes of errors, by the status.
fn status(row: &Row, family: u64) -> Vec<String> {
    number(row, "status")
        .iter()
        .map(|status| status.parse::<u64>().unwrap())
        .filter(|status| status >> 24 == family)
        .map(|status| (status & 0xffff).to_string())
        .collect()
}

fn errors(row: &Row, key: &str) -> Vec<String> {
    let mut values = detail(row, key);
    for text in detail(row, "read") {
        let Some((_, failure)) = text.split_once(" failed ") else { continue };
        let (class, code) = failure.split_once(": ").unwrap();
        let number = if key == "error_class" {
            names::ERROR_CLASSES.iter().position(|name| *name == class).map(|place| place.to_string())
        } else {
            names::ERROR_CODES.iter().find(|(_, name)| *name == code).map(|(code, _)| code.to_string())
        };
        values.extend(number);
    }
    values
}

/// The network that a PDU is for, and the networks that a router tells of.
fn destinations(row: &Row) -> Vec<String> {
    let mut networks = detail(row, "network");
    if row["code"].as_u64().unwrap() >> 8 == 3 {
        let object = row["object"].as_str().unwrap().trim_start_matches("network ");
        networks.extend(object.split(", ").map(str::to_owned));
    }
    networks
}

/// BACnet over IP and over LLC; MS/TP that a sniffer put into SNAP frames is not ours.
fn counts(line: &Line) -> bool {
    let mstp = line["file"].contains("mstp") && line["udp.srcport"].is_empty();
    well_formed(line) && !mstp
}

#[test]
fn bacnet_agrees() {
    compare(&Table {
        name: "bacnet",
        protocols: &["bacnet"],
        kinds: &[],
        fields: &[
            Field::new("bacapp.confirmed_service").both(|row| service(row, 0)),
            Field::new("bacapp.unconfirmed_service").asked(|row| service(row, 1)),
            Field::new("bacnet.mesgtyp").asked(|row| service(row, 3)),
            Field::new("bacapp.invoke_id").both(|row| detail(row, "invoke_id")),
            Field::new("bacnet.dnet").asked(destinations).answered(|row| detail(row, "source_network")),
            Field::new("bacnet.snet").asked(|row| detail(row, "source_network")).answered(|row| detail(row, "network")),
            Field::new("bacapp.objectType").asked(|row| numbers(row, false).0).answered(|row| numbers(row, true).0),
            Field::new("bacapp.property_identifier")
                .asked(|row| numbers(row, false).2)
                .answered(|row| numbers(row, true).2),
            Field::new("bacapp.vendor_identifier").asked(|row| detail(row, "vendor_id")),
            Field::new("bacapp.error_class").answered(|row| errors(row, "error_class")),
            Field::new("bacapp.error_code").answered(|row| errors(row, "error_code")),
            Field::new("bacapp.reject_reason").answered(|row| status(row, 2)),
            Field::new("bacapp.abort_reason").answered(|row| status(row, 3)),
        ],
        counts,
        explained: EXPLAINED,
        wanted: 995,
    });
}

const EXPLAINED: &[Explained] = &[
    Explained {
        file: "bacnet/icsnpp-bacnet-services.pcap",
        column: "bacapp.invoke_id",
        reason: "frames 279, 280 and 282 are a segment and the acknowledgements of segments; they make one operation with frames 275 and 281",
    },
    Explained {
        file: "bacnet/icsnpp-bacnet-services.pcap",
        column: "bacnet.snet",
        reason: "frame 279 is the first segment of the answer in frame 281",
    },
    Explained {
        file: "bacnet/icsnpp-bacnet-services.pcap",
        column: "bacnet.dnet",
        reason: "frames 280 and 282 acknowledge segments",
    },
    Explained {
        file: "bacnet/icsnpp-bacnet-services.pcap",
        column: "bacapp.confirmed_service",
        reason: "frame 279 is the first segment of the answer in frame 281",
    },
];
