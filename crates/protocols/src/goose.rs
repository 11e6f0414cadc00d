//! GOOSE, IEC 61850-8-1: protection relays and switchgear controllers tell one another of states, on EtherType 0x88b8.
//!
//! Cyclic: one operation a control block at first sight, one a change of its state number, one with the count at the end.

use quaywatch_model::{At, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::detail_json::DetailJson;
use crate::iec61850::{apdu, element, unsigned};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "goose";
const ETHERTYPE: u16 = 0x88b8;
/// Tag of goosePdu, application 1.
const PDU_TAG: u8 = 0x61;
/// Control blocks of one flow (a publisher and a group address) that are kept apart.
pub const BLOCK_LIMIT: usize = 64;

/// The registry entry.
pub struct Goose;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "GOOSE",
    tcp: &[],
    udp: &[],
    ethertypes: &[ETHERTYPE],
    spec: "IEC 61850-8-1, section 18 and annexes A and C",
    found: "Substations that feed cranes and quays: protection relays, bay controllers",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Control block, data set, state and sequence numbers, test flag. Values of the data set are not told.",
};

impl Protocol for Goose {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport == Transport::Link(ETHERTYPE) && apdu(pdu.data, PDU_TAG).is_some() {
            true => Probe::Yes,
            false => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Publisher::default())
    }
}

/// One control block's state.
#[derive(Debug)]
struct Block {
    reference: Vec<u8>,
    app: u16,
    state: u32,
    count: u64,
    last: At,
    client: Endpoint,
    server: Endpoint,
}

#[derive(Default)]
struct Publisher {
    blocks: Vec<Block>,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Publisher {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some((app, content)) = apdu(pdu.data, PDU_TAG) else {
            return broken("goose_malformed_frame", "no GOOSE PDU within the announced length", pdu, out);
        };
        // gocbRef 0x80 to numDatSetEntries 0x8a, the data 0xab.
        let mut fields: [Option<&[u8]>; 12] = [None; 12];
        let mut cursor = Cursor::new(content);
        while !cursor.is_empty() {
            let Some((tag, field)) = element(&mut cursor) else {
                broken("goose_malformed_pdu", "element cut short", pdu, out);
                break;
            };
            if let Some(slot) = fields.get_mut(usize::from(tag & 0x1f)) {
                *slot = Some(field);
            }
        }
        // All but goID (3), test (7) and ndsCom (9) are mandatory.
        if [0, 1, 2, 4, 5, 6, 8, 10, 11].iter().any(|at| fields.get(*at).is_none_or(Option::is_none)) {
            broken("goose_missing_field", "mandatory field is missing", pdu, out);
        }
        self.published(app, &fields, pdu, out);
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.detail.clear();
        for block in std::mem::take(&mut self.blocks) {
            if block.count > 1 {
                self.tell(&block, "goose published", out);
            }
        }
    }
}

impl Publisher {
    fn published(&mut self, app: u16, fields: &[Option<&[u8]>; 12], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let number = |at: usize| fields.get(at).copied().flatten().and_then(unsigned);
        let reference = fields.first().copied().flatten().unwrap_or_default();
        let state = number(5).unwrap_or(0);
        let found = self.blocks.iter().position(|block| block.app == app && block.reference == reference);
        let index = match found {
            Some(index) => index,
            None if self.blocks.len() >= BLOCK_LIMIT => return,
            None => {
                let (client, server) = (pdu.receiver(), pdu.sender());
                let reference = reference.to_vec();
                self.blocks.push(Block { reference, app, state, count: 0, last: pdu.at, client, server });
                self.blocks.len().saturating_sub(1)
            }
        };
        let Some(block) = self.blocks.get_mut(index) else { return };
        let before = std::mem::replace(&mut block.state, state);
        block.count = block.count.saturating_add(1);
        block.last = pdu.at;
        // A publisher that restarts begins at 1; any other step back is a second publisher or a replay.
        if state < before && state != 1 {
            broken("goose_state_went_back", "state number lower than before", pdu, out);
        }
        if found.is_some() && before == state {
            return;
        }
        self.describe(app, fields);
        let Some(block) = self.blocks.get(index) else { return };
        let told = Block { reference: block.reference.clone(), count: 1, ..*block };
        self.tell(&told, if found.is_some() { "goose state change" } else { "goose" }, out);
    }

    fn describe(&mut self, app: u16, fields: &[Option<&[u8]>; 12]) {
        let detail = &mut self.detail;
        detail.clear();
        detail.number("appid", app);
        let field = |at: usize| fields.get(at).copied().flatten();
        for (at, key) in [(2, "data_set"), (3, "go_id")] {
            if let Some(text) = field(at).and_then(device_text) {
                detail.text(key, text);
            }
        }
        let numbers = [
            (1, "time_allowed_to_live"),
            (5, "state_number"),
            (6, "sequence_number"),
            (8, "configuration_revision"),
            (10, "entries"),
        ];
        for (at, key) in numbers {
            if let Some(value) = field(at).and_then(unsigned) {
                detail.number(key, value);
            }
        }
        for (at, key) in [(7, "test"), (9, "needs_commissioning")] {
            if let Some(value) = field(at).and_then(unsigned) {
                detail.flag(key, value != 0);
            }
        }
    }

    fn tell(&mut self, block: &Block, name: &'static str, out: &mut dyn Sink) {
        out.emit(
            block.last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: block.client,
                server: block.server,
                unit: Some(block.app.into()),
                code: PDU_TAG.into(),
                name,
                class: OperationClass::Cyclic,
                object: &device_text(&block.reference).unwrap_or_default(),
                quantity: Some(block.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(block.last.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

fn broken(name: &'static str, why: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    if pdu.cut {
        return out.mark(Mark::Undecoded("cut by the capture"));
    }
    out.mark(Mark::Malformed(why));
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: why, sender, receiver }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex};
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;

    /// By hand: control block `a`, state 1, sequence 0, one Boolean.
    const FRAME: &str = "0001 002c 00000000 61 22 80 01 61 81 01 0a 82 01 62 83 01 63 84 08 0000000000000000 85 01 01 86 01 00 \
                         87 01 00 88 01 01";

    fn frame(state: u8) -> Vec<u8> {
        let mut content = hex(FRAME)[10..].to_vec();
        content[24] = state;
        content.extend(hex("89 01 00 8a 01 01 ab 03 83 01 01"));
        let mut whole = vec![0, 1, 0, u8::try_from(content.len() + 10).unwrap(), 0, 0, 0, 0, 0x61];
        whole.push(u8::try_from(content.len()).unwrap());
        whole.extend(content);
        whole
    }

    #[test]
    fn states_are_told_when_they_change() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let (one, two) = (frame(1), frame(2));
        let rows = feed(&Goose, &flow, &[(FromClient, &one), (FromClient, &one), (FromClient, &two)]);
        let operations = rows.of("operation");
        assert_eq!(operations.len(), 3);
        assert_eq!(operations[0]["object"], "a");
        assert_eq!(operations[1]["name"], "goose state change");
        assert_eq!(operations[2]["quantity"], 3);
        assert!(rows.marks.is_empty());
    }

    #[test]
    fn missing_fields_are_malformed() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let short = hex("0001 000d 00000000 61 03 80 01 61");
        assert_eq!(feed(&Goose, &flow, &[(FromClient, &short)]).of("weird")[0]["name"], "goose_missing_field");
        let whole = frame(1);
        for end in 1..whole.len() {
            feed_unprobed(&Goose, &flow, &[(FromClient, &whole[..end])]);
        }
    }

    proptest! {
        #[test]
        fn anything_is_survived(bytes in proptest::collection::vec(any::<u8>(), 1..120)) {
            feed_unprobed(&Goose, &flow(Transport::Link(ETHERTYPE), 0), &[(FromClient, &bytes)]);
        }
    }
}
