//! EtherCAT: writes to registers and mailbox messages, in frames that came back from the slaves. Reads and process data are
//! told when first seen and when they change, so their frames are not compared.

use crate::harness::{Field, Line, Row, Table, compare, detail, number, well_formed};

/// The first slave sets the bit "locally administered" of the source address.
fn came_back(line: &Line) -> bool {
    // These masters have locally administered addresses of their own.
    let own = ["72:", "02:15"].iter().any(|front| line["eth.src"].starts_with(front));
    well_formed(line) && !own && u8::from_str_radix(&line["eth.src"][..2], 16).is_ok_and(|first| first & 2 != 0)
}

/// Writes to registers alone, each of them done by a slave.
fn register_writes(line: &Line) -> bool {
    let offset = |text: &str| u16::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(u16::MAX);
    came_back(line)
        && line["ecat.cmd"].split(',').all(|command| matches!(command, "0x02" | "0x05" | "0x08"))
        && line["ecat.ado"].split(',').map(offset).all(|offset| offset < 0x0900)
        && line["ecat.cnt"].split(',').all(|count| count != "0")
}

/// Mailbox messages of SDO services that were taken by the other end.
fn messages(line: &Line) -> bool {
    came_back(line)
        && line["ecat_mailbox.type"].split(',').all(|kind| kind == "3")
        && line["ecat_mailbox.coe.type"].split(',').all(|kind| kind == "2" || kind == "3")
        && line["ecat.cnt"].split(',').all(|count| count != "0")
}

fn coe(row: &Row) -> Vec<String> {
    detail(row, "mailbox").into_iter().map(|_| "3".to_owned()).collect()
}

#[test]
fn ethercat_registers_agree() {
    compare(&Table {
        name: "ethercat",
        protocols: &["ethercat"],
        kinds: &[],
        fields: &[
            Field::new("ecat.cmd").answered(|row| number(row, "code")),
            Field::new("ecat.idx").answered(|row| detail(row, "index")),
            Field::new("ecat.adp").answered(|row| detail(row, "station")),
            Field::new("ecat.ado").answered(|row| detail(row, "offset")),
            Field::new("ecat.cnt").answered(|row| detail(row, "working_counter")),
        ],
        counts: register_writes,
        explained: &[],
        wanted: 995,
    });
}

#[test]
fn ethercat_mailbox_agrees() {
    compare(&Table {
        name: "ethercat",
        protocols: &["ethercat"],
        kinds: &[],
        fields: &[
            Field::new("ecat_mailbox.type").both(coe),
            Field::new("ecat_mailbox.counter")
                .asked(|row| detail(row, "request_counter"))
                .answered(|row| detail(row, "response_counter")),
            Field::new("ecat_mailbox.coe.type")
                .asked(|row| detail(row, "request_counter").into_iter().map(|_| "2".to_owned()).collect())
                .answered(|row| detail(row, "response_counter").into_iter().map(|_| "3".to_owned()).collect()),
            Field::new("ecat_mailbox.coe.sdoreq").asked(|row| detail(row, "request_specifier")),
            Field::new("ecat_mailbox.coe.sdores").answered(|row| detail(row, "response_specifier")),
            Field::new("ecat_mailbox.coe.sdoidx").both(|row| detail(row, "object_index")),
            Field::new("ecat_mailbox.coe.sdosub").both(|row| detail(row, "subindex")),
        ],
        counts: messages,
        explained: &[],
        wanted: 995,
    });
}
