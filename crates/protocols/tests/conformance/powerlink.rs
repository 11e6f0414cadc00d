//! Ethernet POWERLINK: asynchronous frames; of SDO those that open, close or carry a command. Cyclic frames and status
//! responses are told at first sight and at changes, so their frames are not compared.

use crate::harness::{Field, Line, Table, compare, detail};

/// Frames of the UDP capture whose SDO frame only acknowledges.
const ACKNOWLEDGE: &[u64] =
    &[3, 4, 10, 11, 14, 18, 19, 22, 28, 29, 32, 36, 37, 40, 43, 49, 50, 53, 57, 58, 61, 67, 68, 71];

fn counts(line: &Line) -> bool {
    let frame = line["frame.number"].parse::<u64>().unwrap_or(0);
    match line["epl.asnd.svid"].as_str() {
        "0x01" | "0x04" => true,
        "0x05" => !ACKNOWLEDGE.contains(&frame),
        // The first of each kind in the capture: SoC, PReq, PRes, SoA.
        _ => line["file"].ends_with("-epl.pcap") && matches!(frame, 1 | 31 | 129),
    }
}

#[test]
fn powerlink_agrees() {
    compare(&Table {
        name: "powerlink",
        protocols: &["powerlink"],
        kinds: &[],
        fields: &[
            Field::new("epl.src").both(|row| detail(row, "source")),
            Field::new("epl.dest").both(|row| detail(row, "destination")),
            Field::new("epl.pres.stat").both(|row| detail(row, "nmt_state")),
            Field::new("epl.soa.svid").both(|row| detail(row, "service")),
            Field::new("epl.asnd.svid").both(|row| detail(row, "service")),
        ],
        counts,
        explained: &[],
        wanted: 995,
    });
}
