//! SOCKS, PPTP, L2TP, WinRM and mail: which flows of all shared captures are taken for them. tshark has no tables of these here, so
//! that what counts is that they take what is theirs, and nothing else.

use std::collections::BTreeSet;

use quaywatch_model::{At, Observation, SegmentId, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::capture::{self, Merged};

use crate::harness::{read, shared};

const OURS: &[&str] = &["socks", "pptp", "l2tp", "winrm", "smtp", "pop3", "imap"];

/// Flows taken for one of ours, by service and the server's port.
#[derive(Default)]
struct Taken(BTreeSet<(String, u16)>);

impl Sink for Taken {
    fn emit(&mut self, _: At, observation: Observation<'_>) {
        if let Observation::Connection(row) = observation
            && OURS.contains(&row.service)
        {
            self.0.insert((row.service.to_owned(), row.server.port));
        }
    }
}

#[test]
fn no_flows_of_others_are_taken() {
    let Some(captures) = shared() else { return };
    let mut found = Vec::new();
    let mut count = 0;
    for line in read(&captures, "files") {
        let file = &line["file"];
        let inputs = capture::expand(&[captures.join(file)]);
        let mut merged = Merged::open(&inputs.list, capture::Options::default());
        let mut engine = Engine::new(PROTOCOLS, Options::default());
        let mut taken = Taken::default();
        while let Some(packet) = merged.next() {
            engine.packet(&packet, SegmentId(0), &mut taken);
        }
        engine.finish(&mut taken);
        count += 1;
        found.extend(taken.0.into_iter().map(|(service, port)| format!("{file} {service} {port}")));
    }
    println!("conformance remote           {count} captures, {} kinds of flows taken", found.len());
    assert_eq!(
        found,
        [
            "capture-formats/pcapplusplus-grepackets.pcap pptp 1723",
            "ntlm/arkime-ntlm-synthetic.pcap imap 143",
            "ntlm/arkime-ntlm-synthetic.pcap pop3 110",
            "ntlm/arkime-ntlm-synthetic.pcap smtp 25",
            "remote-access/ndpi-pptp.pcap pptp 1723",
        ]
    );
}
