//! Messages by the maker's description; tshark takes the same bytes apart in the same way (docs/protocols/pcom.md).

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::json;

use super::Pcom;
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

fn framed(transaction: u8, mode: u8, message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap().to_le_bytes();
    [&[transaction, 0, mode, 0, length[0], length[1]][..], message].concat()
}

fn ascii(transaction: u8, text: &str) -> Vec<u8> {
    let sum = text.trim_start_matches('A').bytes().fold(0u8, u8::wrapping_add);
    framed(transaction, 101, format!("/{text}{sum:02X}\r").as_bytes())
}

fn binary(transaction: u8, command: u8, data: &[u8]) -> Vec<u8> {
    let complement = |bytes: &[u8]| {
        bytes.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte))).wrapping_neg().to_le_bytes()
    };
    let length = u16::try_from(data.len()).unwrap().to_le_bytes();
    let mut message = [b"/_OPLC", &[0, 0xfe, 1, 0, 0, 0, command, 0, 0, 0, 0, 0, 0, 0][..], &length].concat();
    let sum = complement(&message);
    message.extend(sum);
    message.extend(data);
    message.extend(if data.is_empty() { [0, 0] } else { complement(data) });
    message.push(b'\\');
    framed(transaction, 102, &message)
}

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, bytes)| (*d, bytes.as_slice())).collect();
    feed(&Pcom, &flow(Transport::Tcp, 20256), &pieces)
}

#[test]
fn a_controller_says_who_it_is() {
    let rows = talk(&[
        (FromClient, ascii(1, "00ID")),
        (FromServer, ascii(1, "A00ID13T38 B00400251B001001")),
        (FromClient, binary(2, 0x0c, &[])),
        (FromServer, binary(2, 0x8c, b"Reefer rack 4")),
    ]);
    assert_eq!((rows.of("weird").len(), rows.marks.len()), (0, 0));
    let identities: Vec<String> = rows
        .of("identity")
        .iter()
        .map(|row| format!("{} {}", row["attribute"], row["value"]).replace('"', ""))
        .collect();
    assert!(identities.contains(&"model 13T38".to_owned()), "{identities:?}");
    assert!(identities.contains(&"hardware B".to_owned()));
    assert!(identities.contains(&"firmware 4.2 (51)".to_owned()), "{identities:?}");
    assert!(identities.contains(&"host-name Reefer rack 4".to_owned()));
    let classes: Vec<_> = rows.of("operation").iter().map(|row| row["class"].clone()).collect();
    assert_eq!(classes, ["identify", "identify"]);
}

/// The maker's example of a clock: the A of a reply is no part of the sum.
#[test]
fn the_sum_of_a_reply_leaves_its_mark_out() {
    let flow = flow(Transport::Tcp, 20256);
    let reply = framed(1, 101, b"/A00RC15081502210119B9\r");
    assert_eq!(Pcom.probe(&pdu(&flow, 0, FromServer, &reply)), Probe::YesFromServer);
}

/// Master fe and controller 3 change places in a reply.
#[test]
fn a_binary_reply_is_its_senders() {
    let mut reply = binary(1, 0x8c, b"x");
    reply[12] = 0xfe;
    reply[13] = 3;
    let unit = super::frame::Message::read(&reply).map(|message| message.unit);
    assert_eq!(unit, Some(3));
}

#[test]
fn stops_writes_and_reads_have_their_objects() {
    let rows = talk(&[
        (FromClient, ascii(1, "01CCS")),
        (FromServer, ascii(1, "A01CCS")),
        (FromClient, ascii(2, "01RW000A03")),
        (FromServer, ascii(2, "A01RW000100020003")),
        (FromClient, ascii(3, "01SB000001" /* one bit */)),
        (FromClient, binary(4, 0x4d, &[0; 12])),
    ]);
    let told: Vec<String> = rows
        .of("operation")
        .iter()
        .map(|row| format!("{} {} {} {}", row["unit"], row["class"], row["object"], row["status"]).replace('"', ""))
        .collect();
    assert_eq!(told, ["1 control  0", "1 read MI 10-12 0", "1 write MB 0 null", "0 read  null"]);
    assert_eq!(rows.of("operation")[1]["quantity"], json!(3));
}

#[test]
fn damage_is_told_and_what_follows_is_read() {
    let mut broken = ascii(1, "00ID");
    broken[8] = b'1';
    let flow = flow(Transport::Tcp, 20256);
    let rows = feed_unprobed(
        &Pcom,
        &flow,
        &[(FromClient, &broken), (FromClient, b"\x01\x02\x03\x04"), (FromClient, &ascii(2, "00UG"))],
    );
    let names: Vec<_> = rows.of("weird").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["pcom_checksum", "pcom_header"]);
    assert_eq!(rows.of("operation").len(), 2);
}

#[test]
fn the_probe_wants_checksums() {
    let flow = flow(Transport::Tcp, 9);
    let probe = |bytes: &[u8]| Pcom.probe(&pdu(&flow, 0, FromClient, bytes));
    assert_eq!(probe(&ascii(1, "00ID")), Probe::Yes);
    assert_eq!(probe(&ascii(1, "A00ID")), Probe::YesFromServer);
    assert_eq!(probe(&binary(1, 0x4d, &[1])), Probe::Yes);
    assert_eq!(probe(&framed(1, 101, b"/00ID00\r")), Probe::No);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n"), Probe::No);
}

proptest! {
    #[test]
    fn hostile_bytes_do_no_harm(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..64), 0..12)) {
        let flow = flow(Transport::Tcp, 20256);
        let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|bytes| (FromClient, bytes.as_slice())).collect();
        feed_unprobed(&Pcom, &flow, &pieces);
    }

    #[test]
    fn truncated_messages_do_no_harm(cut in 1usize..48) {
        let flow = flow(Transport::Tcp, 20256);
        for whole in [ascii(1, "A00ID13T38 B00400251B001001"), ascii(2, "01RW000A03"), binary(2, 0x8c, b"name")] {
            feed_unprobed(&Pcom, &flow, &[(FromServer, whole.get(..cut.min(whole.len())).unwrap()), (FromClient, &whole)]);
        }
    }
}
