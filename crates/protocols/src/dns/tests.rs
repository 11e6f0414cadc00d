use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex};

// Question for `plc.site`, type A, id 0x1234; its answers.
const QUERY: &str = "1234 0100 0001 0000 0000 0000 03706c63 0473697465 00 0001 0001";
const ANSWER: &str = "1234 8180 0001 0002 0000 0000 03706c63 0473697465 00 0001 0001
    c00c 0005 0001 0000003c 0005 02 7838 c010
    c026 0001 0001 0000003c 0004 0a000009";
const NXDOMAIN: &str = "1234 8183 0001 0000 0000 0000 03706c63 0473697465 00 0001 0001";

fn names(seen: &Recorder) -> Vec<(String, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    seen.of("name").iter().map(|row| (text(&row["subject"]), text(&row["name"]), text(&row["kind"]))).collect()
}

fn row(subject: &str, name: &str, kind: &str) -> (String, String, String) {
    (subject.to_owned(), name.to_owned(), kind.to_owned())
}

#[test]
fn an_answer_names_owner_and_alias() {
    let flow = flow(Transport::Udp, 53);
    let seen = feed(&Dns, &flow, &[(FromClient, &hex(QUERY)), (FromServer, &hex(ANSWER)), (FromServer, &hex(ANSWER))]);
    assert_eq!(names(&seen), [row("10.0.0.9", "x8.site", "dns"), row("10.0.0.9", "plc.site", "dns")]);
    assert_eq!(seen.of("name")[0]["asker"], "10.0.0.1");
    assert_eq!(seen.of("service").len(), 1);
    assert!(seen.marks.is_empty());
}

#[test]
fn a_question_without_answer_stands_as_question() {
    let flow = flow(Transport::Udp, 53);
    for pieces in [
        vec![(FromClient, hex(QUERY))],
        vec![(FromClient, hex(QUERY)), (FromServer, hex(NXDOMAIN))],
        vec![(FromServer, hex(NXDOMAIN))],
    ] {
        let pieces: Vec<_> = pieces.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
        let seen = feed(&Dns, &flow, &pieces);
        assert_eq!(names(&seen), [row("", "plc.site", "dns-query")]);
        assert_eq!(seen.of("name")[0]["asker"], "10.0.0.1");
    }
}

#[test]
fn tcp_messages_may_come_in_pieces() {
    let flow = flow(Transport::Tcp, 53);
    let framed = |text| {
        let message = hex(text);
        [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], &message].concat()
    };
    let (query, answer) = (framed(QUERY), framed(ANSWER));
    for cut in 1..answer.len() {
        let (front, back) = answer.split_at(cut);
        let seen = feed(&Dns, &flow, &[(FromClient, &query), (FromServer, front), (FromServer, back)]);
        assert_eq!(names(&seen).len(), 2, "{cut}");
    }
}

#[test]
fn multicast_names_services_and_texts_describe_the_sender() {
    let mut flow = flow(Transport::Udp, 5353);
    flow.client.port = 5353;
    let message = [
        hex("0000 8400 0000 0004 0000 0000"),
        // `_http._tcp.local` PTR `cam._http._tcp.local`, at 12.
        hex("055f68747470 045f746370 056c6f63616c 00 000c 0001 00000078 0006 0363616d c00c"),
        // `cam._http._tcp.local` SRV port 80 `cam.local`
        hex("c028 0021 8001 00000078 000c 0000 0000 0050 0363616d c017"),
        hex("c028 0010 8001 00000078 000c 0b 6d6f64656c3d503332323b"),
        hex("c040 0001 8001 00000078 0004 0a000001"),
    ]
    .concat();
    let seen = feed(&Mdns, &flow, &[(FromClient, &message)]);
    assert!(seen.marks.is_empty(), "{:?}", seen.of("weird"));
    assert_eq!(names(&seen), [row("10.0.0.1", "cam.local", "mdns")]);
    let said: Vec<String> =
        seen.of("identity").iter().map(|row| format!("{} {}", row["attribute"], row["value"])).collect();
    assert_eq!(
        said,
        [
            "\"host-name\" \"cam\"",
            "\"capability\" \"_http._tcp\"",
            "\"capability\" \"_http._tcp port 80\"",
            "\"model\" \"P322;\""
        ]
    );
    assert_eq!(seen.of("service")[0]["protocol"], "http");
}

#[test]
fn the_port_tells_the_three_apart() {
    let query = hex(QUERY);
    for (port, wanted) in [(53, "dns"), (5353, "mdns"), (5355, "llmnr"), (4000, "dns")] {
        let flow = flow(Transport::Udp, port);
        let pdu = crate::testing::pdu(&flow, 0, FromClient, &query);
        for protocol in [&Dns as &dyn Protocol, &Mdns, &Llmnr] {
            let expected = if protocol.meta().name == wanted { Probe::Yes } else { Probe::No };
            assert_eq!(protocol.probe(&pdu), expected, "{port}");
        }
    }
}

#[test]
fn updates_and_transfers_are_requests() {
    let flow = flow(Transport::Udp, 53);
    // RFC 2136: zone `site` SOA IN; update `plc.site` A 10.0.0.1.
    let update = hex("0001 2800 0001 0000 0001 0000 0473697465 00 0006 0001
        03706c63 c00c 0001 0001 00000e10 0004 0a000001");
    let transfer = hex("0002 0000 0001 0000 0000 0000 0473697465 00 00fc 0001");
    let seen = feed(&Dns, &flow, &[(FromClient, &update), (FromClient, &transfer)]);
    let methods: Vec<_> = seen.of("request").iter().map(|row| (row["method"].clone(), row["uri"].clone())).collect();
    assert_eq!(methods, [("update".into(), "site".into()), ("axfr".into(), "site".into())]);
    assert_eq!(names(&seen), [row("10.0.0.1", "plc.site", "dns")]);
    assert_eq!(seen.of("identity")[0]["attribute"], "host-name");
}

#[test]
fn truncated_answers_are_malformed_not_fatal() {
    let flow = flow(Transport::Udp, 53);
    let answer = hex(ANSWER);
    for length in 1..answer.len() {
        let seen = feed_unprobed(&Dns, &flow, &[(FromServer, &answer[..length])]);
        assert_eq!(seen.marks, [Mark::Malformed("dns message malformed")], "{length}");
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_are_taken(
        pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..200)), 1..8),
        header in any::<bool>(),
    ) {
        for (transport, port) in [(Transport::Udp, 53), (Transport::Tcp, 53), (Transport::Udp, 5353), (Transport::Udp, 5355)] {
            let flow = flow(transport, port);
            let pieces: Vec<_> = pieces.iter().map(|(client, data)| {
                let front = if header { hex("1234 8400 0001 0002 0001 0001") } else { Vec::new() };
                (if *client { FromClient } else { FromServer }, [front, data.clone()].concat())
            }).collect();
            let pieces: Vec<_> = pieces.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
            feed_unprobed(&Mdns, &flow, &pieces);
            feed_unprobed(&Dns, &flow, &pieces);
        }
    }

    #[test]
    fn memory_is_bounded(count in 1u16..3000) {
        let flow = flow(Transport::Udp, 53);
        let mut analyzer = DnsAnalyzer::new(Flavour::Dns, &flow);
        let mut query = hex(QUERY);
        for id in 0..count {
            query[..2].copy_from_slice(&id.to_be_bytes());
            query[13..15].copy_from_slice(&[b'a' + u8::try_from(id % 26).unwrap(), b'a' + u8::try_from(id / 26 % 26).unwrap()]);
            analyzer.feed(&crate::testing::pdu(&flow, 0, FromClient, &query), &mut Recorder::default());
        }
        prop_assert!(analyzer.claims.held() <= MAX_CLAIMS);
        prop_assert!(analyzer.waiting.drain().count() <= MAX_WAITING);
    }
}
