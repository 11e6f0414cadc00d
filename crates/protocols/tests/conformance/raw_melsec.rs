//! MELSOFT. tshark 4.0 has no dissector: held to its table is that every datagram, and every TCP segment, is in one operation,
//! once, as request or as reply.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::harness::{Field, Line, Table, compare, number};

fn frame() -> Field {
    Field::new("frame.number").asked(|row| number(row, "request_frame")).answered(|row| number(row, "reply_frame"))
}

#[test]
fn melsoft_datagrams_agree() {
    compare(&Table {
        name: "raw-melsec",
        protocols: &["melsoft"],
        kinds: &[],
        fields: &[frame()],
        counts: |line: &Line| !line["udp.payload"].is_empty(),
        explained: &[],
        wanted: 995,
    });
}

/// These captures hold each segment twice, as a mirror port gives it: the second is a retransmission and says nothing new.
fn first_copy(line: &Line) -> bool {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let key = ["file", "tcp.stream", "tcp.srcport", "tcp.seq"].map(|column| line[column].clone()).join(" ");
    !line["tcp.payload"].is_empty() && SEEN.lock().unwrap().insert(key)
}

#[test]
fn melsoft_streams_agree() {
    compare(&Table {
        name: "raw-melsec",
        protocols: &["melsoft"],
        kinds: &[],
        fields: &[frame()],
        counts: first_copy,
        explained: &[],
        wanted: 995,
    });
}
