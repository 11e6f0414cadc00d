//! TeamViewer: remote control of a machine, through the maker's relays or direct, on TCP and UDP 5938 and on TCP 443 and 80.
//!
//! Its messages are unpublished. What is read is what whole captures show to hold: two kinds of heads with a command and a length that
//! adds up over the stream. The rest is encrypted.

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, Outcome, Service, Session, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::detail_json::DetailJson;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "teamviewer";
/// Bytes of the short head: magic, command, length.
const SHORT_HEAD: usize = 5;
/// Bytes of the long head: magic, command, zero, length, numbers of the message and its part.
const LONG_HEAD: usize = 24;
/// Longest message believed; those in captures have some kilobytes.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// Where the short head's magic stands in a datagram.
const UDP_HEAD: usize = 11;
/// Commands remembered of a flow.
const COMMAND_LIMIT: usize = 32;

/// The registry entry.
pub struct TeamViewer;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "TeamViewer",
    tcp: &[5938],
    udp: &[5938],
    ethertypes: &[],
    spec: "none published; from captures",
    found: "Vendors' way into crane computers, HMIs and office machines",
    depth: Depth::Named,
    purpose: Purpose::RemoteAccess,
    scope: "Recognised by its messages, whose heads are followed over the whole stream; what they carry is encrypted.",
};

/// Length of the message at the front of a stream.
fn message_length(bytes: &[u8]) -> Length {
    match bytes {
        [] | [0x17 | 0x11] => Length::NeedMore,
        [0x17, 0x24, _, low, high, ..] => Length::Whole(SHORT_HEAD + usize::from(u16::from_le_bytes([*low, *high]))),
        [0x11, 0x30, _, 0, a, b, c, d, ..] => {
            let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
            if length > MESSAGE_LIMIT { Length::Invalid } else { Length::Whole(LONG_HEAD + length) }
        }
        [0x17, 0x24, ..] if bytes.len() < SHORT_HEAD => Length::NeedMore,
        [0x11, 0x30] | [0x11, 0x30, _] => Length::NeedMore,
        [0x11, 0x30, _, 0, ..] if bytes.len() < 8 => Length::NeedMore,
        _ => Length::Invalid,
    }
}

impl Protocol for TeamViewer {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Udp => match pdu.data {
                [0, rest @ ..] if rest.get(UDP_HEAD - 1..).is_some_and(|head| head.starts_with(&[0x17, 0x24])) => {
                    Probe::Yes
                }
                _ => Probe::No,
            },
            Transport::Tcp => match message_length(pdu.data) {
                Length::Invalid => Probe::No,
                // The piece ends with the message, or another begins behind it.
                Length::Whole(whole) if whole == pdu.data.len() => Probe::Yes,
                Length::Whole(whole) => match pdu.data.get(whole..).map(message_length) {
                    Some(Length::Invalid) => Probe::No,
                    _ => Probe::Unsure,
                },
                Length::NeedMore => Probe::Unsure,
            },
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(TeamViewerFlow {
            sides: <[Side; 2]>::default(),
            first: None,
            spoke: [false; 2],
            commands: Vec::new(),
            messages: 0,
        })
    }
}

const fn place(direction: Direction) -> usize {
    match direction {
        Direction::FromClient => 0,
        Direction::FromServer => 1,
    }
}

/// One direction of a stream. Heads are put together; what follows them is passed over, for it is encrypted.
#[derive(Default)]
struct Side {
    head: Vec<u8>,
    /// Bytes of the message at hand that are still to come.
    left: usize,
    /// The stream can no longer be followed.
    lost: bool,
}

impl Side {
    /// Takes a piece; `each` gets the command of every message that begins.
    fn follow(&mut self, mut piece: &[u8], mut each: impl FnMut(u8)) {
        while !self.lost && !piece.is_empty() {
            let passed = self.left.min(piece.len());
            self.left -= passed;
            let (next, rest) =
                piece.get(passed..).and_then(|rest| rest.split_first()).map_or((None, &[][..]), |(n, r)| (Some(*n), r));
            piece = rest;
            self.head.extend(next);
            match message_length(&self.head) {
                Length::Whole(whole) => {
                    each(self.head.get(2).copied().unwrap_or_default());
                    self.left = whole.saturating_sub(self.head.len());
                    self.head.clear();
                }
                Length::NeedMore => {}
                Length::Invalid => self.lost = true,
            }
        }
    }
}

struct TeamViewerFlow {
    sides: [Side; 2],
    first: Option<(At, Endpoint, Endpoint)>,
    /// Messages came from client, from server.
    spoke: [bool; 2],
    commands: Vec<u8>,
    messages: u64,
}

impl Analyzer for TeamViewerFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (server, transport) = (pdu.flow.server, pdu.flow.transport);
        if self.first.is_none() {
            self.first = Some((pdu.at, pdu.flow.client, server));
            out.emit(
                pdu.at,
                Observation::Service(Service { server, transport, protocol: PROTOCOL, software: "", version: "" }),
            );
        }
        if let Some(spoke) = self.spoke.get_mut(place(pdu.direction)) {
            *spoke = true;
        }
        out.mark(Mark::Opaque("encrypted"));
        if transport == Transport::Udp {
            return;
        }
        let TeamViewerFlow { sides, commands, messages, .. } = self;
        let Some(side) = sides.get_mut(place(pdu.direction)) else { return };
        side.follow(pdu.data, |command| {
            *messages += 1;
            if commands.len() < COMMAND_LIMIT && !commands.contains(&command) {
                commands.push(command);
            }
        });
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        if let Some(side) = self.sides.get_mut(place(direction)) {
            side.lost = true;
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        let Some((at, client, server)) = self.first else { return };
        let (mut detail, mut line) = (DetailJson::default(), String::new());
        if self.messages > 0 {
            detail.number("messages", i64::try_from(self.messages).unwrap_or(i64::MAX));
            detail.numbers("commands", self.commands.iter().map(|command| u32::from(*command)));
        }
        out.emit(
            at,
            Observation::Session(Session {
                client,
                server,
                protocol: PROTOCOL,
                version: "",
                user: "",
                method: "",
                outcome: if self.spoke == [true, true] { Outcome::Success } else { Outcome::Unknown },
                client_software: "",
                server_software: "",
                encrypted: true,
                detail: detail.object(&mut line),
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    use Direction::{FromClient, FromServer};

    /// ndpi-teamviewer.pcap, frame 4.
    const HELLO: &str = "17240a200000000000000000004800800001000000148000006fb78c804805532216142004";

    fn long(command: u8, body: usize) -> Vec<u8> {
        let length = u32::try_from(body).unwrap().to_le_bytes();
        [&[0x11, 0x30, command, 0][..], &length, &[0; 16], &vec![7; body]].concat()
    }

    #[test]
    fn messages_are_followed_over_the_stream() {
        let (first, second) = (long(0x3c, 1065), long(0x2e, 76));
        let joined = [first.clone(), second].concat();
        let hello = hex(HELLO);
        let (a, b) = joined.split_at(700);
        let rows =
            feed(&TeamViewer, &flow(Transport::Tcp, 5938), &[(FromClient, &hello), (FromServer, a), (FromServer, b)]);
        let session = &rows.of("session")[0];
        assert_eq!((&session["outcome"], &session["encrypted"]), (&"success".into(), &true.into()));
        assert_eq!(session["detail"], "{\"messages\":3,\"commands\":[10,60,46]}");
        assert_eq!(rows.of("service")[0]["protocol"], "teamviewer");
        assert_eq!(rows.marks, [Mark::Opaque("encrypted"); 3]);
    }

    #[test]
    fn probes_go_by_lengths_that_fit() {
        let tcp = flow(Transport::Tcp, 443);
        let probe = |bytes: &[u8]| TeamViewer.probe(&pdu(&tcp, 0, FromClient, bytes));
        assert_eq!(probe(&hex(HELLO)), Probe::Yes);
        assert_eq!(probe(&hex(HELLO)[..20]), Probe::Unsure);
        assert_eq!(probe(&[hex(HELLO), vec![0; 4]].concat()), Probe::No);
        assert_eq!(probe(&[0x17]), Probe::Unsure);
        assert_eq!(probe(&hex("1703030010")), Probe::No, "a record of TLS");
        assert_eq!(probe(&hex("11303c01")), Probe::No);
        let udp = flow(Transport::Udp, 5938);
        let probe = |text: &str| TeamViewer.probe(&pdu(&udp, 0, FromClient, &hex(text)));
        assert_eq!(probe("00 00000000000000000000 1724 0a00"), Probe::Yes);
        assert_eq!(probe("00 00000000000000000000 1725 0a00"), Probe::No);
    }

    proptest! {
        #[test]
        fn anything_may_come(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..10)) {
            let pieces: Vec<(Direction, Vec<u8>)> = pieces
                .into_iter()
                .map(|(short, tail)| if short { (FromClient, [&[0x17, 0x24][..], &tail].concat()) } else { (FromServer, [&[0x11, 0x30][..], &tail].concat()) })
                .collect();
            let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
            feed_unprobed(&TeamViewer, &flow(Transport::Tcp, 5938), &pieces);
        }
    }
}
