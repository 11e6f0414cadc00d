//! Modbus RTU frames carried over TCP or UDP as gateways of serial lines do: unit, PDU, CRC (Modbus over Serial Line V1.02
//! section 2.5.1). Nothing says a frame's length, so the CRC must.

use quaywatch_model::{Direction, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use super::shape::{Header, Shape, shape};
use super::{Context, ModbusFlow, broken};
use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Longest frame of the specification.
const FRAME_LIMIT: usize = 256;
/// Unit, function code and CRC.
const SHORTEST: usize = 4;

/// The registry entry.
pub struct ModbusRtu;

static META: ProtocolMeta = ProtocolMeta {
    name: "modbus-rtu",
    title: "Modbus RTU over TCP",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "Modbus over Serial Line V1.02; Modbus Application Protocol V1.1b3",
    found: "serial device servers and cellular gateways in front of drives, meters and weather stations",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "As Modbus/TCP; rows bear the protocol name `modbus`. Requests and replies are paired by unit and function.",
};

impl Protocol for ModbusRtu {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if !matches!(pdu.flow.transport, Transport::Tcp | Transport::Udp) {
            return Probe::No;
        }
        match Frame::read(pdu.data).map(|frame| shape(frame.pdu)) {
            Some(_) if is_roc(pdu.data) => Probe::Unsure,
            Some(Shape::Request | Shape::Either) => Probe::Yes,
            Some(Shape::Reply) => Probe::YesFromServer,
            Some(Shape::Neither) | None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(RtuFlow { flow: ModbusFlow::default(), partial: [Vec::new(), Vec::new()] })
    }
}

/// Whether the bytes could be a message of ROC or ROC Plus flow computers, which end with the same CRC: two units and groups, an
/// operation, and the length of what stands between it and the CRC.
fn is_roc(bytes: &[u8]) -> bool {
    bytes.get(5).is_some_and(|length| usize::from(*length) + 8 == bytes.len())
}

/// One frame whose CRC holds.
#[derive(Clone, Copy)]
struct Frame<'a> {
    unit: u8,
    pdu: &'a [u8],
}

impl<'a> Frame<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        if !(SHORTEST..=FRAME_LIMIT).contains(&bytes.len()) || crc(bytes) != 0 {
            return None;
        }
        let (unit, rest) = bytes.split_first()?;
        // Units 248 to 255 are reserved (section 2.2).
        (*unit < 248).then_some(Frame { unit: *unit, pdu: rest.get(..rest.len() - 2)? })
    }

    /// The frame that all of these bytes are, or the first that they begin with.
    fn first(bytes: &'a [u8]) -> Option<(Self, usize)> {
        if let Some(frame) = Frame::read(bytes) {
            return Some((frame, bytes.len()));
        }
        // The CRC of every beginning, in one pass.
        let mut sum = START;
        let bytes = bytes.get(..bytes.len().min(FRAME_LIMIT))?;
        let ends = bytes.iter().zip(1..).filter_map(|(byte, length)| {
            sum = add(sum, *byte);
            (sum == 0 && length >= SHORTEST).then_some(length)
        });
        let mut frames = ends.filter_map(|length| Some((Frame::read(bytes.get(..length)?)?, length)));
        frames.find(|(frame, _)| shape(frame.pdu) != Shape::Neither)
    }
}

/// What the CRC starts from.
const START: u16 = 0xffff;

/// CRC-16 of section 6.2.2; 0 over a frame with its own CRC behind it.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(START, |sum, byte| add(sum, *byte))
}

fn add(sum: u16, byte: u8) -> u16 {
    (0..8).fold(sum ^ u16::from(byte), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xa001 })
}

struct RtuFlow {
    flow: ModbusFlow,
    /// Bytes of a frame that is not whole yet, by direction.
    partial: [Vec<u8>; 2],
}

impl RtuFlow {
    fn held(&mut self, direction: Direction) -> &mut Vec<u8> {
        let [from_client, from_server] = &mut self.partial;
        if direction == Direction::FromClient { from_client } else { from_server }
    }
}

impl Analyzer for RtuFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let context = Context { at: pdu.at, direction: pdu.direction, sender: pdu.sender(), receiver: pdu.receiver() };
        let mut bytes = std::mem::take(self.held(pdu.direction));
        bytes.extend_from_slice(pdu.data);
        let mut done = 0;
        while let Some((frame, length)) = Frame::first(bytes.get(done..).unwrap_or_default()) {
            let length_field = u16::try_from(frame.pdu.len() + 1).unwrap_or(u16::MAX);
            let header =
                Header { transaction: u16::from(frame.unit), protocol: 0, length: length_field, unit: frame.unit };
            self.flow.sound(&context, &header, frame.pdu, out);
            done += length;
        }
        bytes.drain(..done);
        if bytes.len() >= FRAME_LIMIT || (pdu.flow.transport == Transport::Udp && !bytes.is_empty()) {
            broken(&context, "modbus_rtu_crc", "no frame with a CRC that holds", out);
            bytes.clear();
        }
        *self.held(pdu.direction) = bytes;
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        self.held(direction).clear();
        self.flow.gap(direction, missing, out);
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.flow.close(flow, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Mark;
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    use Direction::{FromClient, FromServer};

    /// A frame of this unit and PDU, with its CRC, low byte first.
    fn frame(text: &str) -> Vec<u8> {
        let mut bytes = hex(text);
        let sum = crc(&bytes).to_le_bytes();
        bytes.extend(sum);
        bytes
    }

    // The example of the serial line guide, section 6.2.2: unit 2, function 7, CRC 0x1241.
    #[test]
    fn the_crc_is_the_specifications() {
        assert_eq!(frame("02 07"), hex("0207 4112"));
    }

    #[test]
    fn registers_are_read_and_written() {
        let pieces = [
            (FromClient, frame("11 03 006b 0003")),
            (FromServer, frame("11 03 06 022b 0000 0064")),
            (FromClient, frame("11 06 0001 0003")),
            (FromServer, frame("11 86 02")),
        ];
        let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, b)| (*d, b.as_slice())).collect();
        let rows = feed(&ModbusRtu, &flow(Transport::Tcp, 4001), &pieces);
        assert_eq!(rows.of("weird"), Vec::<serde_json::Value>::new());
        let told: Vec<_> =
            rows.of("operation").iter().map(|row| (row["object"].clone(), row["status"].clone())).collect();
        assert_eq!(told, [(json!("holding-register 107-109"), json!(0)), (json!("holding-register 1"), json!(2))]);
        assert_eq!(rows.of("operation")[0]["protocol"], "modbus");
        assert_eq!(rows.of("operation")[0]["unit"], 17);
    }

    #[test]
    fn frames_come_cut_and_joined() {
        let [question, answer] = [frame("01 04 0008 0001"), frame("01 04 02 000a")];
        let joined = [question.clone(), frame("02 04 0008 0001")].concat();
        let (head, tail) = answer.split_at(3);
        let rows = feed(
            &ModbusRtu,
            &flow(Transport::Tcp, 4001),
            &[(FromClient, &question), (FromServer, head), (FromServer, tail), (FromClient, &joined)],
        );
        assert_eq!(rows.of("operation").len(), 3);
        assert_eq!(rows.of("operation")[0]["latency"], 2_000_000);
    }

    // ROC Plus has the same CRC (icsnpp-all-opcodes-tcp.pcap, frame 4): one message is not enough to tell.
    #[test]
    fn a_flow_computers_message_leaves_doubt() {
        let flow = flow(Transport::Tcp, 4000);
        let message = hex("0102030406003a2f");
        assert_eq!(ModbusRtu.probe(&pdu(&flow, 0, FromClient, &message)), Probe::Unsure);
    }

    #[test]
    fn a_wrong_crc_is_told() {
        let mut bytes = frame("01 03 0000 0001");
        bytes[7] ^= 1;
        let rows = feed_unprobed(&ModbusRtu, &flow(Transport::Udp, 4001), &[(FromClient, &bytes)]);
        assert_eq!(rows.marks, [Mark::Malformed("no frame with a CRC that holds")]);
        let flow = flow(Transport::Tcp, 4001);
        assert_eq!(ModbusRtu.probe(&pdu(&flow, 0, FromClient, &bytes)), Probe::No);
        assert_eq!(ModbusRtu.probe(&pdu(&flow, 0, FromServer, &frame("01 83 02"))), Probe::YesFromServer);
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_no_harm(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..6)) {
            let flow = flow(Transport::Tcp, 4001);
            let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|bytes| (FromClient, bytes.as_slice())).collect();
            feed_unprobed(&ModbusRtu, &flow, &pieces);
        }
    }
}
