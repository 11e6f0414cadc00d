//! PPTP. tshark has no table of it here; two captures have control connections, read by eye.

use quaywatch_model::{At, Observation, SegmentId, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::capture::{self, Merged};

use crate::harness::shared;

/// What is said of PPTP, a line each, and how many bytes of its flows were decoded.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    services: Vec<String>,
    undecoded: u64,
}

impl Sink for Told {
    fn emit(&mut self, _: At, observation: Observation<'_>) {
        match observation {
            Observation::Operation(row) if row.protocol == "pptp" => {
                let frames = (row.request_frame, row.reply_frame);
                self.lines.push(format!("{} {} {:?} {} {frames:?}", row.name, row.object, row.status, row.status_name));
            }
            Observation::Session(row) if row.protocol == "pptp" => {
                let (client, server) = (row.client_software, row.server_software);
                self.lines.push(format!(
                    "session {} {} {client:?} {server:?} {}",
                    row.version,
                    row.outcome.name(),
                    row.detail
                ));
            }
            Observation::Weird(row) if row.protocol == "pptp" => self.lines.push(format!("weird {}", row.name)),
            Observation::Connection(row) => self.services.push(row.service.to_owned()),
            Observation::Coverage(row)
                if row.protocol == "pptp" && !matches!(row.disposition.name(), "decoded" | "without-payload") =>
            {
                self.undecoded += row.packets;
            }
            _ => {}
        }
    }
}

fn told(file: &str) -> Option<Told> {
    let inputs = capture::expand(&[shared()?.join(file)]);
    let mut merged = Merged::open(&inputs.list, capture::Options::default());
    let mut engine = Engine::new(PROTOCOLS, Options::default());
    let mut told = Told::default();
    while let Some(packet) = merged.next() {
        engine.packet(&packet, SegmentId(0), &mut told);
    }
    engine.finish(&mut told);
    Some(told)
}

#[test]
fn control_connections_are_read_whole() {
    let Some(dial_in) = told("remote-access/ndpi-pptp.pcap") else { return };
    assert_eq!(
        dial_in.lines,
        [
            "start-control-connection local Some(0) established (Some(4), Some(6))",
            r#"session 1.0 success "cananian" "Microsoft" {"client_host":"local"}"#,
            "outgoing-call call 0 Some(0) connected (Some(8), Some(10))",
            "set-link-info call 0 None  (Some(12), None)",
            "set-link-info call 0 None  (Some(14), None)",
            "call-clear call 0 Some(0) ok (Some(16), Some(23))",
        ]
    );
    assert!(dial_in.services.iter().any(|service| service == "pptp"));
    let Some(cisco) = told("capture-formats/pcapplusplus-grepackets.pcap") else { return };
    assert_eq!(
        cisco.lines,
        [
            "start-control-connection local Some(0) established (Some(6), Some(7))",
            r#"session 1.0 success "ixia" "Cisco Systems, Inc." {"client_host":"local","server_host":"ixro-smdev-r1"}"#,
            "outgoing-call call 1 Some(0) connected (Some(9), Some(10))",
        ]
    );
    assert_eq!(dial_in.undecoded + cisco.undecoded, 0);
}
