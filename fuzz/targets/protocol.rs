//! One protocol's probe and analyzer, with any conversation over each transport that it has.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use quaywatch_fuzz::{Strict, choice, protocol, unpack};
use quaywatch_model::Transport;
use quaywatch_protocols::Protocol;
use quaywatch_protocols::testing::{flow, pdu};
use quaywatch_wire::Flow;

fn under_test() -> &'static (&'static dyn Protocol, Vec<Flow>) {
    static CHOSEN: OnceLock<(&'static dyn Protocol, Vec<Flow>)> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let protocol = protocol(&choice());
        let meta = protocol.meta();
        let port = |ports: &[u16]| ports.first().copied();
        let mut flows: Vec<Flow> = meta.ethertypes.iter().map(|number| flow(Transport::Link(*number), 0)).collect();
        flows.extend(port(meta.udp).map(|port| flow(Transport::Udp, port)));
        flows.extend(port(meta.tcp).map(|port| flow(Transport::Tcp, port)));
        if flows.is_empty() {
            flows = vec![flow(Transport::Tcp, 9), flow(Transport::Udp, 9), flow(Transport::Icmp, 0)];
        }
        (protocol, flows)
    })
}

fuzz_target!(|data: &[u8]| {
    let (protocol, flows) = under_test();
    for flow in flows {
        let mut analyzer = protocol.open(flow);
        for (index, (direction, piece)) in (0..).zip(unpack(data)) {
            let pdu = pdu(flow, index, direction, piece);
            std::hint::black_box(protocol.probe(&pdu));
            analyzer.feed(&pdu, &mut Strict);
            if index % 16 == 15 {
                analyzer.gap(direction, 100, &mut Strict);
            }
        }
        analyzer.close(flow, &mut Strict);
    }
});
