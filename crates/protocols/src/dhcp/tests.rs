use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex};

/// A message with these fixed fields and options.
fn message(op: u8, client: &str, your: &str, options: &str) -> Vec<u8> {
    let mut data = vec![op, 1, 6, 0, 0x39, 3, 0xf3, 0x26, 0, 0, 0, 0];
    data.extend(hex(client));
    data.extend(hex(your));
    data.extend([0; 8]);
    data.extend(hex("020000000001"));
    data.extend([0; 10 + 64 + 128]);
    data.extend(hex("63825363"));
    data.extend(hex(options));
    data
}

fn said(seen: &Recorder) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let row = |row: &serde_json::Value| {
        format!("{} {} {}", text(&row["subject"]), text(&row["attribute"]), text(&row["value"]))
    };
    seen.of("identity").iter().map(row).collect()
}

// Discover: host name `plc-1`, vendor class `MSFT 5.0`, requested 10.0.0.9, client id, FQDN `plc-1.site`.
const DISCOVER: &str = "350101 0c05 706c632d31 3c08 4d53465420352e30 3204 0a000009 3d07 01020000000001
    510d 00 00 00 706c632d312e73697465 ff";
// ACK: server, lease 3600 s, mask, router, two DNS servers, time server, domain `site`.
const ACK: &str = "350105 3604 0a0000fe 3304 00000e10 0104 ffffff00 0304 0a0000fe 0608 0a000002 0a000003 2a04 0a000004
    0f04 73697465 ff";

#[test]
fn a_client_tells_its_name() {
    let flow = flow(Transport::Udp, 67);
    let discover = message(1, "00000000", "00000000", DISCOVER);
    let seen = feed(&Dhcp, &flow, &[(FromClient, &discover), (FromClient, &discover)]);
    let mac = "02:00:00:00:00:01";
    assert_eq!(
        said(&seen),
        // The fully qualified name repeats the host name under its own method.
        ["host-name plc-1", "host-name plc-1", "domain site", "software MSFT 5.0", "os Windows"]
            .map(|row| format!("{mac} {row}"))
    );
    let requests = seen.of("request");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0]["method"], "discover");
    assert_eq!(requests[0]["host"], "plc-1");
    assert_eq!(requests[0]["uri"], "requested 10.0.0.9");
    assert_eq!(requests[0]["user_agent"], "MSFT 5.0");
    assert_eq!(requests[0]["client"]["address"], mac);
    assert_eq!(seen.of("name").len(), 2);
}

#[test]
fn an_ack_settles_address_and_settings() {
    let flow = flow(Transport::Udp, 67);
    let ack = message(2, "00000000", "0a000009", ACK);
    let seen = feed(&Dhcp, &flow, &[(FromServer, &ack)]);
    assert_eq!(
        said(&seen),
        [
            "02:00:00:00:00:01 ip 10.0.0.9",
            "10.0.0.9 mac 02:00:00:00:00:01",
            "10.0.0.9 network-setting router 10.0.0.254",
            "10.0.0.9 network-setting dns server 10.0.0.2",
            "10.0.0.9 network-setting dns server 10.0.0.3",
            "10.0.0.9 network-setting time server 10.0.0.4",
            "10.0.0.9 network-setting netmask 255.255.255.0",
            "10.0.0.9 network-setting dhcp server 10.0.0.254",
            "10.0.0.9 network-setting lease 3600 s",
            "10.0.0.9 domain site",
        ]
    );
    assert_eq!(seen.of("service")[0]["server"]["address"], "10.0.0.254");
    assert_eq!(seen.of("request")[0]["uri"], "assigned 10.0.0.9");
}

#[test]
fn an_offer_claims_no_address() {
    let flow = flow(Transport::Udp, 67);
    let offer = message(2, "00000000", "0a000009", &ACK.replacen("350105", "350102", 1));
    let seen = feed(&Dhcp, &flow, &[(FromServer, &offer)]);
    assert!(said(&seen).iter().all(|row| row.starts_with("02:") && !row.contains(" ip ")), "{:?}", said(&seen));
}

#[test]
fn names_in_dns_labels_are_read() {
    let flow = flow(Transport::Udp, 67);
    let request = message(1, "00000000", "00000000", "350103 510a 04 00 00 03706c63 02746f ff");
    assert_eq!(said(&feed(&Dhcp, &flow, &[(FromClient, &request)]))[0], "02:00:00:00:00:01 host-name plc");
}

#[test]
fn cut_messages_are_malformed() {
    let flow = flow(Transport::Udp, 67);
    let discover = message(1, "00000000", "00000000", DISCOVER);
    for length in 1..discover.len() {
        let seen = feed_unprobed(&Dhcp, &flow, &[(FromClient, &discover[..length])]);
        assert!(length >= 236 || seen.marks.len() == 1, "{length}");
    }
}

#[test]
fn others_are_refused() {
    let flow = flow(Transport::Udp, 67);
    for data in [&b"GET / HTTP/1.1"[..], &[1; 400], &[2, 1, 6, 0]] {
        let pdu = crate::testing::pdu(&flow, 0, FromClient, data);
        assert_eq!(Dhcp.probe(&pdu), Probe::No);
    }
}

proptest! {
    #[test]
    fn any_options_are_taken(op in 1u8..3, options in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut data = message(op, "0a000001", "00000000", "");
        data.extend(options);
        feed(&Dhcp, &flow(Transport::Udp, 67), &[(FromClient, &data)]);
    }

    #[test]
    fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 1..400)) {
        feed_unprobed(&Dhcp, &flow(Transport::Udp, 67), &[(FromServer, &data)]);
    }
}
