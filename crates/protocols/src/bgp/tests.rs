//! Messages of recorded routers and by hand (`fixtures/protocol/routing`, frame numbers of `bgp-by-hand.pcap`).

use proptest::prelude::*;
use quaywatch_model::Direction::{self, FromClient as C, FromServer as S};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// Frame 4: numbers of four bytes, two families, additional paths, a host name.
const OPEN: &str = "005601 045ba000b40aff000139 02064104fa56ea01 0206010400010001 0206010400020001 0206450400010103
    020440020078 0211490f046564676509706f72742e74657374";
/// Frame 5.
const ANSWER: &str = "003901 04fdea005a0aff00021c 020641040000fdea 0206010400010001 02020200 0206450400010103";
const KEEPALIVE: &str = "001304";
/// Frame 8: a path with a set, communities, two networks with path numbers.
const UPDATE: &str = "005102 0000 002e 40010100 500200140202fa56ea010000fdfc01020000fe060000fe07 40030 40a090001
    c00808fde90064ffffff01 00000001100a01 0000000200";
/// Frames 9 to 13: withdrawn, of IPv6, withdrawn of IPv6, ends of both tables.
const WITHDRAWN: &str = "001e02 0007 00000001100a01 0000";
const UPDATE_6: &str = "004502 0000 002e 40010100 500200060201fa56ea01
    900e001c 00020110 20010db8000900000000000000000001 00 3020010db80077";
const WITHDRAWN_6: &str = "002502 0000 000e 900f000a 000201 3020010db80077";
const END: &str = "001702 0000 0000";
const END_6: &str = "001e02 0000 0007 900f0003 000201";
/// Frame 14.
const REFRESH: &str = "001705 00010001";
/// Frame 15: an administrator says why.
const NOTIFICATION: &str = "002303 0602 0d6372616e65203320776f726b73";
/// Frames 19, 20 and 23: neighbours without capabilities, numbers of two bytes.
const OLD_OPEN: &str = "001d01 04fdf300b40aff000600";
const OLD_UPDATE: &str = "004202 0000 0022 40010100 4002060202fdf2fdfc 4003040a090005 80040400000032 400504000000c8
    140a0200 190a030000";

fn message(text: &str) -> Vec<u8> {
    [vec![0xff; MARKER], hex(text)].concat()
}

fn tcp() -> Flow {
    flow(Transport::Tcp, 179)
}

fn told(messages: &[(Direction, &str)]) -> Recorder {
    let messages: Vec<_> = messages.iter().map(|(direction, text)| (*direction, message(text))).collect();
    let pieces: Vec<_> = messages.iter().map(|(direction, message)| (*direction, message.as_slice())).collect();
    feed(&Bgp, &tcp(), &pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn weird(rows: &Recorder) -> Vec<Value> {
    rows.of("weird").iter().map(|row| row["name"].clone()).collect()
}

/// What the last of these messages says.
fn last(messages: &[(Direction, &str)]) -> Value {
    let rows = told(messages);
    assert!(weird(&rows).is_empty(), "{rows:?}");
    detail(rows.of("operation").last().unwrap())
}

#[test]
fn an_open_tells_who_and_what() {
    let rows = told(&[(C, OPEN), (S, ANSWER), (S, KEEPALIVE), (C, KEEPALIVE), (C, KEEPALIVE)]);
    let operations = rows.of("operation");
    let names: Vec<_> = operations.iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["open", "open", "keepalive", "keepalive"]);
    assert_eq!(operations[0]["object"], "as 4200000001 router 10.255.0.1");
    assert_eq!((&operations[0]["class"], &operations[0]["code"]), (&json!("session"), &json!(1)));
    let said = detail(&operations[0]);
    assert_eq!((&said["as"], &said["hold_seconds"]), (&json!(4_200_000_001_u32), &json!(180)));
    assert_eq!(said["capabilities"], json!([65, 1, 1, 69, 64, 73]));
    assert_eq!((&said["families"], &said["subfamilies"]), (&json!([1, 2]), &json!([1, 1])));
    let claims: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(claims, ["bgp as 4200000001 router 10.255.0.1", "edge", "port.test", "bgp as 65002 router 10.255.0.2"]);
    assert!(weird(&rows).is_empty());
}

#[test]
fn capabilities_of_later_documents_are_read() {
    // RFC 9072: long parameters; RFC 9234: role 3 (customer); software version as FRR sends it.
    let open = "003801 04fdf300b40aff0006 ff ff 0018 02 0015 090103 4b10 0f 4652526f7574696e672f382e352e34";
    let said = last(&[(C, open)]);
    assert_eq!((&said["role"], &said["software"]), (&json!(3), &json!("FRRouting/8.5.4")));
    assert_eq!(said["capability_names"], json!(["role", "software version"]));
    // RFC 6793 section 9: the fixed part's number may differ, which is odd enough to tell.
    let odd = last(&[(C, "002501 04fdf300b40aff000608 020641040000fdf4")]);
    assert_eq!((&odd["as"], &odd["as_of_two_octets"]), (&json!(65012), &json!(65011)));
}

#[test]
fn an_update_tells_routes_and_whence() {
    let said = last(&[(C, OPEN), (S, ANSWER), (C, UPDATE)]);
    assert_eq!(said["routes"], json!(["10.1.0.0/16 path 1", "0.0.0.0/0 path 2"]));
    assert_eq!(said["as_path"], "4200000001 65020 {65030,65031}");
    assert_eq!((&said["origin"], &said["next_hop"]), (&json!("igp"), &json!("10.9.0.1")));
    assert_eq!(said["communities"], json!(["65001:100", "65535:65281"]));
    assert_eq!((&said["attributes"], &said["default_route"]), (&json!([1, 2, 3, 8]), &json!(true)));
    let rows = told(&[(C, OPEN), (S, ANSWER), (C, WITHDRAWN)]);
    let operation = &rows.of("operation")[2];
    assert_eq!((&operation["object"], &operation["quantity"]), (&json!("withdrawn 10.1.0.0/16 path 1"), &json!(1)));
    assert_eq!(operation["class"], "cyclic");
}

#[test]
fn networks_of_ip6_are_read() {
    let said = last(&[(C, OPEN), (S, ANSWER), (C, UPDATE_6)]);
    assert_eq!((&said["routes"], &said["next_hop"]), (&json!(["2001:db8:77::/48"]), &json!("2001:db8:9::1")));
    assert_eq!(last(&[(C, WITHDRAWN_6)])["withdrawn"], json!(["2001:db8:77::/48"]));
    let rows = told(&[(C, END), (C, END_6)]);
    assert!(rows.of("operation").iter().all(|row| row["object"] == "end of table" && row["quantity"] == 0));
    // VPN routes (RFC 4364) are named only.
    let rows = told(&[(C, "002202 0000 000b 800f08 000180 7000640a 00")]);
    assert_eq!(rows.marks, [Mark::Undecoded("bgp routes of another family")]);
}

#[test]
fn old_neighbours_have_short_numbers() {
    for opens in [&[(C, OLD_OPEN), (S, OLD_OPEN)][..], &[]] {
        let messages: Vec<_> = opens.iter().copied().chain([(C, OLD_UPDATE)]).collect();
        let said = last(&messages);
        assert_eq!(said["as_path"], "65010 65020", "with {} opens", opens.len());
        assert_eq!(said["routes"], json!(["10.2.0.0/20", "10.3.0.0/25"]));
        assert_eq!((&said["multi_exit_discriminator"], &said["local_preference"]), (&json!(50), &json!(200)));
    }
    // Numbers of four bytes between those who agreed on two.
    let four = "002c02 0000 0015 40010100 50020006 0201fa56ea01 4003040a090001";
    assert_eq!(weird(&told(&[(C, OLD_OPEN), (S, OLD_OPEN), (C, four)])), ["bgp_message_malformed"]);
}

#[test]
fn ends_and_refreshes_are_told() {
    let rows = told(&[(C, REFRESH), (S, NOTIFICATION), (C, "001503 0400")]);
    let operations = rows.of("operation");
    assert_eq!((&operations[0]["name"], &operations[0]["object"]), (&json!("route refresh"), &json!("family 1 1")));
    assert_eq!(operations[1]["object"], "cease: administrative shutdown");
    assert_eq!(detail(&operations[1])["communication"], "crane 3 works");
    assert_eq!(operations[2]["object"], "hold timer expired");
}

#[test]
fn a_large_table_is_counted() {
    let update = message(OLD_UPDATE);
    let many = usize::try_from(MAX_UPDATES).unwrap() + 50;
    let pieces = vec![(C, update.as_slice()); many];
    let rows = feed(&Bgp, &tcp(), &pieces);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), many - 49);
    let row = operations.last().unwrap();
    assert_eq!((&row["name"], &row["quantity"]), (&json!("updates"), &json!(50)));
    assert_eq!(detail(row)["route_count"], 100);
}

#[test]
fn messages_may_be_cut_and_joined_anywhere() {
    let stream: Vec<u8> = [OPEN, KEEPALIVE, UPDATE_6, END].iter().flat_map(|text| message(text)).collect();
    let whole = feed(&Bgp, &tcp(), &[(C, &stream)]).of("operation").len();
    assert_eq!(whole, 4);
    for at in MARKER..stream.len() {
        let (one, other) = stream.split_at(at);
        let rows = feed(&Bgp, &tcp(), &[(C, one), (C, other)]);
        assert_eq!((rows.of("operation").len(), weird(&rows).len()), (whole, 0), "cut at {at}");
    }
}

#[test]
fn after_a_gap_the_next_message_is_found() {
    let (update, flow) = (message(END), tcp());
    let mut analyzer = Bgp.open(&flow);
    let mut rows = Recorder::default();
    analyzer.feed(&pdu(&flow, 0, C, &update[..20]), &mut rows);
    analyzer.gap(C, 100, &mut rows);
    analyzer.feed(&pdu(&flow, 1, C, &update[5..]), &mut rows);
    analyzer.feed(&pdu(&flow, 2, C, &update), &mut rows);
    assert_eq!(rows.of("operation").len(), 1);
    assert_eq!(rows.marks, [Mark::Undecoded("bgp after a gap")]);
}

#[test]
fn others_are_refused() {
    let probe = |transport, bytes: &[u8]| Bgp.probe(&pdu(&flow(transport, 5000), 0, C, bytes));
    let open = message(OPEN);
    assert_eq!(probe(Transport::Tcp, &open), Probe::Yes);
    assert_eq!(probe(Transport::Tcp, &open[..17]), Probe::Unsure);
    assert_eq!(probe(Transport::Tcp, &open[..15]), Probe::No);
    assert_eq!(probe(Transport::Udp, &open), Probe::No);
    for text in ["001304", "001404", "001206", "001c01", "001602", "100101"] {
        let wanted = if text == KEEPALIVE { Probe::Yes } else { Probe::No };
        assert_eq!(probe(Transport::Tcp, &message(text)), wanted, "{text}");
    }
    let mut other = open;
    other[3] = 0;
    assert_eq!(probe(Transport::Tcp, &other), Probe::No);
}

/// All messages above.
const ALL: [&str; 13] = [
    OPEN,
    ANSWER,
    KEEPALIVE,
    UPDATE,
    WITHDRAWN,
    UPDATE_6,
    WITHDRAWN_6,
    END,
    END_6,
    REFRESH,
    NOTIFICATION,
    OLD_OPEN,
    OLD_UPDATE,
];

#[test]
fn a_length_inside_a_message_may_be_anything() {
    for text in ALL {
        let sound = message(text);
        for at in MARKER..sound.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut forged = sound.clone();
                forged[at] = value;
                feed_unprobed(&Bgp, &tcp(), &[(C, &forged), (S, &forged)]);
            }
        }
        for end in 1..sound.len() {
            // A message that is shorter than its fields, with a length that says so.
            let mut short = sound[..end].to_vec();
            if let (Some(length), Ok(end)) = (short.get_mut(17), u8::try_from(end)) {
                *length = end;
            }
            feed_unprobed(&Bgp, &tcp(), &[(C, &short)]);
        }
    }
}

proptest! {
    #[test]
    fn anything_is_survived(body in prop::collection::vec(any::<u8>(), 0..300), kind in 1_u8..6, cut in 0_usize..300) {
        let length = u16::try_from(HEADER + body.len()).unwrap().to_be_bytes();
        let mut bytes = [vec![0xff; MARKER], length.to_vec(), vec![kind]].concat();
        bytes.extend_from_slice(&body);
        let (one, other) = bytes.split_at(cut.min(bytes.len()));
        feed_unprobed(&Bgp, &tcp(), &[(C, &message(OPEN)), (S, &message(ANSWER)), (C, one), (C, other), (S, &body)]);
    }
}
