//! TFTP (RFC 1350, RFC 2347 to 2349): boot images, firmware and configurations, without any login.
//!
//! The request goes to port 69; the transfer that answers it comes from another port of the server, so it is a flow of its
//! own (`tftp-data`) unless the server answers from port 69.

use quaywatch_model::{Direction, Endpoint, Observation, Program, Request, Sink, Transfer, Transport};
use quaywatch_wire::{Flow, Pdu};
use sha2::{Digest, Sha256};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::deviation::malformed;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "tftp";
const DATA: &str = "tftp-data";
/// Longest file name kept.
const MAX_NAME: usize = 256;
/// Bytes of a block unless another size was agreed on (RFC 1350 section 2).
const BLOCK: usize = 512;

/// Requests, and transfers that stay on their flow.
pub struct Tftp;
/// Transfers.
pub struct TftpData;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "TFTP",
    tcp: &[],
    udp: &[69],
    ethertypes: &[],
    spec: "RFC 1350, RFC 2347, RFC 2348, RFC 2349",
    found: "switches, drives and thin clients that load firmware or configurations",
    depth: Depth::Full,
    purpose: Purpose::General,
    scope: "Requests with file name and mode; the transfer is told as tftp-data, with size and SHA-256.",
};

static DATA_META: ProtocolMeta = ProtocolMeta {
    name: DATA,
    title: "TFTP data",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 1350 section 4",
    found: "behind a TFTP request",
    depth: Depth::Full,
    purpose: Purpose::General,
    scope: "Told by its request; size, SHA-256 and completeness of what was moved. Its name stands with the request.",
};

impl Protocol for Tftp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let request = pdu.flow.transport == Transport::Udp && Asked::read(pdu.data).is_some();
        if request { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(TftpFlow::default())
    }
}

impl Protocol for TftpData {
    fn meta(&self) -> &'static ProtocolMeta {
        &DATA_META
    }

    /// Blocks of bytes with a number in front could be anything: only the announcement tells.
    fn probe(&self, _: &Pdu<'_>) -> Probe {
        Probe::No
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(TftpFlow::default())
    }
}

/// A read or write request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Asked<'a> {
    write: bool,
    name: &'a str,
    mode: &'a str,
    /// The block size option.
    block: Option<usize>,
}

impl<'a> Asked<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let [0, code @ (1 | 2), rest @ ..] = data else { return None };
        let mut texts = rest.split(|byte| *byte == 0);
        let mut text = || std::str::from_utf8(texts.next()?).ok();
        let (name, mode) = (text()?, text()?);
        let plain = |text: &str| !text.is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control);
        let known = ["octet", "netascii", "mail"].iter().any(|known| known.eq_ignore_ascii_case(mode));
        if !plain(name) || !known || rest.last() != Some(&0) {
            return None;
        }
        let mut block = None;
        while let (Some(option), Some(value)) = (text(), text()) {
            if option.eq_ignore_ascii_case("blksize") {
                block = value.parse().ok().filter(|size| (8..=65464).contains(size));
            }
        }
        Some(Asked { write: *code == 2, name, mode, block })
    }
}

/// What a flow moves.
struct TftpFlow {
    /// Name and way, where the request is on this flow.
    asked: Option<(String, Transfer)>,
    block: usize,
    moved: Option<Moved>,
}

struct Moved {
    direction: Direction,
    at: quaywatch_model::At,
    sender: Endpoint,
    receiver: Endpoint,
    next: u16,
    size: u64,
    digest: Sha256,
    whole: bool,
    ended: bool,
}

impl Default for TftpFlow {
    fn default() -> Self {
        TftpFlow { asked: None, block: BLOCK, moved: None }
    }
}

impl Analyzer for TftpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(pdu.data);
        match cursor.be16() {
            Some(1 | 2) => match Asked::read(pdu.data) {
                Some(asked) => self.request(pdu, &asked, out),
                None => malformed(PROTOCOL, pdu, "tftp_request", "request without name and mode", out),
            },
            Some(3) => match cursor.be16() {
                Some(block) => self.data(pdu, block, cursor.rest(), out),
                None => malformed(PROTOCOL, pdu, "tftp_data", "data without block number", out),
            },
            // Acknowledgement.
            Some(4) if pdu.data.len() == 4 => {}
            Some(5) => self.error(pdu, cursor.be16(), out),
            Some(6) => self.options(cursor.rest()),
            _ => malformed(PROTOCOL, pdu, "tftp_opcode", "operation is not of TFTP", out),
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.tell(out);
    }
}

impl TftpFlow {
    fn request(&mut self, pdu: &Pdu<'_>, asked: &Asked<'_>, out: &mut dyn Sink) {
        self.tell(out);
        self.block = asked.block.unwrap_or(BLOCK);
        // Seen from the device that holds the file: a write goes into the server.
        self.asked = Some((asked.name.to_owned(), if asked.write { Transfer::Download } else { Transfer::Upload }));
        out.expect(pdu.sender(), DATA);
        out.emit(
            pdu.at,
            Observation::Request(Request {
                client: pdu.sender(),
                server: pdu.receiver(),
                protocol: PROTOCOL,
                method: if asked.write { "write" } else { "read" },
                host: "",
                uri: asked.name,
                user_agent: asked.mode,
                status: None,
            }),
        );
    }

    fn options(&mut self, bytes: &[u8]) {
        let texts: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
        let agreed =
            texts.chunks(2).find(|pair| pair.first().is_some_and(|name| name.eq_ignore_ascii_case(b"blksize")));
        if let Some(size) = agreed.and_then(|pair| std::str::from_utf8(pair.get(1)?).ok()?.parse().ok()) {
            self.block = size;
        }
    }

    fn error(&mut self, pdu: &Pdu<'_>, code: Option<u16>, out: &mut dyn Sink) {
        let reason = match code {
            Some(1) => "file not found",
            Some(2) => "access violation",
            Some(3) => "disk full",
            Some(4) => "illegal operation",
            Some(5) => "unknown transfer id",
            Some(6) => "file exists",
            Some(7) => "no such user",
            Some(8) => "options refused",
            _ => "refused",
        };
        out.emit(
            pdu.at,
            Observation::Request(Request {
                client: pdu.receiver(),
                server: pdu.sender(),
                protocol: PROTOCOL,
                method: "error",
                host: "",
                uri: reason,
                user_agent: "",
                status: code.map(u32::from),
            }),
        );
    }

    fn data(&mut self, pdu: &Pdu<'_>, block: u16, bytes: &[u8], out: &mut dyn Sink) {
        if self.moved.as_ref().is_some_and(|moved| moved.ended && block == 1) {
            self.tell(out);
        }
        let moved = self.moved.get_or_insert_with(|| Moved {
            direction: pdu.direction,
            at: pdu.at,
            sender: pdu.sender(),
            receiver: pdu.receiver(),
            next: 1,
            size: 0,
            digest: Sha256::new(),
            whole: true,
            ended: false,
        });
        if moved.ended || moved.direction != pdu.direction || block == moved.next.wrapping_sub(1) {
            // A block sent again.
            return;
        }
        if block != moved.next {
            moved.whole = false;
        }
        moved.next = block.wrapping_add(1);
        moved.size += bytes.len() as u64;
        moved.digest.update(bytes);
        // A block that is not full ends the transfer; a lost option answer shows by blocks above the usual size.
        self.block = self.block.max(bytes.len());
        moved.ended = bytes.len() < self.block && !pdu.cut;
        moved.whole &= !pdu.cut;
    }

    fn tell(&mut self, out: &mut dyn Sink) {
        let Some(moved) = self.moved.take() else { return };
        let (name, transfer) = self.asked.take().unzip();
        // On a flow of its own the request's way is not known: the server sends what was asked for, and takes what is written.
        let from_server_of_transfer = moved.direction == Direction::FromClient;
        let transfer = transfer.unwrap_or(if from_server_of_transfer { Transfer::Upload } else { Transfer::Download });
        let (client, server) = match transfer {
            Transfer::Upload => (moved.receiver, moved.sender),
            Transfer::Download => (moved.sender, moved.receiver),
        };
        out.emit(
            moved.at,
            Observation::Program(Program {
                client,
                server,
                protocol: PROTOCOL,
                transfer,
                name: name.as_deref().unwrap_or(""),
                size: moved.size,
                sha256: (moved.size > 0).then(|| moved.digest.finalize().into()),
                complete: moved.whole && moved.ended,
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::{FromClient, FromServer};
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, pdu};

    fn data(block: u16, bytes: &[u8]) -> Vec<u8> {
        [&[0, 3][..], &block.to_be_bytes(), bytes].concat()
    }

    #[test]
    fn a_file_that_comes_on_the_same_flow_is_told_with_its_hash() {
        let (first, last) = (data(1, &[7; 512]), data(2, &[8; 10]));
        let rows = feed(
            &Tftp,
            &flow(Transport::Udp, 69),
            &[
                (FromClient, b"\0\x01drive.cfg\0octet\0"),
                (FromServer, &first),
                (FromClient, &[0, 4, 0, 1]),
                (FromServer, &first),
                (FromServer, &last),
            ],
        );
        assert_eq!((rows.of("weird").len(), rows.marks.len()), (0, 0));
        let request = &rows.of("request")[0];
        assert_eq!((&request["method"], &request["uri"]), (&json!("read"), &json!("drive.cfg")));
        let program = &rows.of("program")[0];
        assert_eq!(
            (&program["name"], &program["size"], &program["complete"]),
            (&json!("drive.cfg"), &json!(522), &json!(true))
        );
        assert_eq!(program["transfer"], "upload");
    }

    #[test]
    fn block_sizes_are_agreed_on_gaps_and_ends_are_seen() {
        let flow = flow(Transport::Udp, 69);
        let (first, third) = (data(1, &[1; 1024]), data(3, &[1; 4]));
        let rows = feed(
            &Tftp,
            &flow,
            &[
                (FromClient, b"\0\x02fw.bin\0octet\0blksize\x001024\0"),
                (FromServer, b"\0\x06blksize\x001024\0"),
                (FromClient, &first),
                (FromClient, &third),
            ],
        );
        let program = &rows.of("program")[0];
        assert_eq!((&program["complete"], &program["transfer"]), (&json!(false), &json!("download")));
        let rows = feed_unprobed(&TftpData, &flow, &[(FromClient, &first)]);
        assert_eq!(rows.of("program")[0]["complete"], false, "its end was not seen");
        let rows = feed_unprobed(&Tftp, &flow, &[(FromServer, b"\0\x05\0\x01no\0"), (FromServer, b"\0\x09")]);
        assert_eq!(
            (&rows.of("request")[0]["status"], &rows.of("weird")[0]["name"]),
            (&json!(1), &json!("tftp_opcode"))
        );
    }

    #[test]
    fn only_requests_are_recognised() {
        let udp = flow(Transport::Udp, 4000);
        assert_eq!(Tftp.probe(&pdu(&udp, 0, FromClient, b"\0\x01a\0octet\0")), Probe::Yes);
        for other in [&b"\0\x01a\0binary\0"[..], b"\0\x03\0\x01data", b"\0\x01\0octet\0", b"\0\x01a\0octet"] {
            assert_eq!(Tftp.probe(&pdu(&udp, 0, FromClient, other)), Probe::No);
        }
    }

    proptest! {
        #[test]
        fn anything_is_survived(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..40)), 0..12)) {
            let pieces: Vec<_> =
                pieces.iter().map(|(from, bytes)| (if *from { FromClient } else { FromServer }, bytes.as_slice())).collect();
            feed_unprobed(&Tftp, &flow(Transport::Udp, 69), &pieces);
        }
    }
}
