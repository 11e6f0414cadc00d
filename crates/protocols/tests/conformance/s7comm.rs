//! S7comm.

use crate::harness::{Explained, Field, Row, Table, compare, detail, number, well_formed};

fn function(row: &Row) -> Vec<String> {
    number(row, "code").into_iter().filter(|code| code.parse::<u64>().unwrap() < 0x100).collect()
}

fn userdata(row: &Row, shift: u32, mask: u64) -> Vec<String> {
    let code = row["code"].as_u64().unwrap();
    if code < 0x70000 { Vec::new() } else { vec![(code >> shift & mask).to_string()] }
}

#[test]
fn s7comm_agrees() {
    compare(&Table {
        name: "s7comm",
        protocols: &["s7comm"],
        kinds: &[],
        fields: &[
            Field::new("s7comm.param.func").both(function),
            Field::new("s7comm.header.pduref").both(|row| detail(row, "pdu_ref")),
            Field::new("s7comm.param.userdata.funcgroup").both(|row| userdata(row, 8, 0x0f)),
            Field::new("s7comm.param.userdata.subfunc").both(|row| userdata(row, 0, 0xff)),
            Field::new("s7comm.param.pistart.servicename").asked(|row| detail(row, "service")),
        ],
        counts: well_formed,
        explained: &[
            Explained {
                file: "s7comm/iti-wincc-s300-setup-alarm-read-2.pcap",
                column: "",
                reason: "the start of the job's TPKT was lost before frame 421 and came again in frame 422, which completes it: \
                         tshark reads 421 by itself",
            },
            Explained {
                file: "mixed/agentcarter-teb.pcapng",
                column: "",
                reason: "mirrored twice: tshark repeats the duplicates, TCP reassembly takes each byte once",
            },
        ],
        wanted: 995,
    });
}
