//! PTP: the first message of each kind and clock in each flow, and the last, in the count. Version 1 has no columns in the table.

use crate::harness::{Field, Table, compare, detail, number};

#[test]
fn ptp_agrees() {
    compare(&Table {
        name: "ptp",
        protocols: &["ptp"],
        kinds: &[],
        fields: &[
            Field::new("ptp.v2.messagetype").asked(|row| number(row, "code")),
            Field::new("ptp.v2.domainnumber").asked(|row| detail(row, "domain")),
            Field::new("ptp.v2.clockidentity").asked(|row| detail(row, "clock")),
            Field::new("ptp.v2.sequenceid").asked(|row| detail(row, "sequence")),
        ],
        // First and last of Pdelay_Req, Sync and Announce, over Ethernet and over UDP.
        counts: |line| {
            line["file"].ends_with("ptpv2.pcap")
                && ["1", "2", "3", "12", "13", "14", "15", "25", "28", "37", "38", "39"]
                    .contains(&line["frame.number"].as_str())
        },
        explained: &[],
        wanted: 995,
    });
}
