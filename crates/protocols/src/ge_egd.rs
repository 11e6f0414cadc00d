//! GE Ethernet Global Data: controllers publish exchanges of process data on UDP 18246, each by its producer and exchange number.
//!
//! Cyclic: one operation an exchange at first sight, one a change of its configuration or status, one with the count at the end.

use std::net::Ipv4Addr;

use quaywatch_model::{
    Address, At, Attribute, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ge-egd";
const PORT: u16 = 18246;
/// PDU type of produced data.
const DATA: u8 = 13;
/// Bytes of the header.
const HEADER: usize = 32;
/// Exchanges of one flow that are kept apart.
pub const EXCHANGE_LIMIT: usize = 64;

/// The registry entry.
pub struct GeEgd;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "GE Ethernet Global Data",
    tcp: &[],
    udp: &[PORT],
    ethertypes: &[],
    spec: "GE Fanuc TCP/IP Ethernet Communications for PACSystems, GFK-2224, chapter 4",
    found: "Older STS and RTG cranes with GE controllers, and their HMIs and drives",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Producer, exchange, status, configuration signature, gaps of the request number. Values are not told; \
            commands between configuration tools and devices are not decoded.",
};

/// The header of produced data.
#[derive(Clone, Copy, Debug)]
struct Header {
    request: u16,
    producer: Ipv4Addr,
    exchange: u32,
    seconds: u32,
    nanoseconds: u32,
    status: u32,
    signature: u32,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        if cursor.u8()? != DATA || cursor.u8()? != 1 {
            return None;
        }
        let request = cursor.le16()?;
        let producer = Ipv4Addr::from(cursor.be32()?);
        let (exchange, seconds, nanoseconds) = (cursor.le32()?, cursor.le32()?, cursor.le32()?);
        let (status, signature) = (cursor.le32()?, cursor.le32()?);
        cursor.skip(4)?;
        Some(Header { request, producer, exchange, seconds, nanoseconds, status, signature })
    }
}

impl Protocol for GeEgd {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        let Some(header) = Header::read(&mut Cursor::new(pdu.data)) else { return Probe::No };
        // Two bytes of type and version are weak: the rest must make sense too.
        let own = pdu.sender().address == Address::V4(header.producer);
        let sensible = header.exchange != 0 && header.exchange <= 0x3fff && header.nanoseconds < 1_000_000_000;
        match sensible && !header.producer.is_unspecified() {
            true if own || pdu.receiver().port == PORT => Probe::Yes,
            true => Probe::Unsure,
            false => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Consumer::default())
    }
}

/// One exchange's state.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    header: Header,
    length: usize,
    count: u64,
    missed: u64,
    last: At,
    ends: (Endpoint, Endpoint),
}

#[derive(Default)]
struct Consumer {
    exchanges: Vec<Exchange>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Consumer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(pdu.data);
        let Some(header) = Header::read(&mut cursor) else {
            return self.other(pdu, out);
        };
        let method = "ge-egd producer";
        self.claims.identify(out, pdu.at, pdu.sender().address, (Attribute::Capability, "EGD producer", method));
        self.produced(pdu, header, cursor.left(), out);
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        for exchange in std::mem::take(&mut self.exchanges) {
            if exchange.count > 1 {
                self.tell(&exchange, "produced data counted", out);
            }
        }
    }
}

impl Consumer {
    fn other(&self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match pdu.data {
            [DATA, 1, ..] => {
                malformed_if_whole(PROTOCOL, pdu, "ge_egd_short", "header of produced data is cut short", out)
            }
            [_, 1, ..] if pdu.data.len() >= 4 => out.mark(Mark::Undecoded("EGD command")),
            _ => malformed_if_whole(PROTOCOL, pdu, "ge_egd_header", "not an EGD header", out),
        }
    }

    fn produced(&mut self, pdu: &Pdu<'_>, header: Header, length: usize, out: &mut dyn Sink) {
        let same = |known: &Exchange| {
            (known.header.producer, known.header.exchange) == (header.producer, header.exchange)
                && known.ends.0 == pdu.sender()
        };
        let Some(at) = self.exchanges.iter().position(same) else {
            if self.exchanges.len() < EXCHANGE_LIMIT {
                let ends = (pdu.sender(), pdu.receiver());
                let exchange = Exchange { header, length, count: 1, missed: 0, last: pdu.at, ends };
                self.exchanges.push(exchange);
                self.tell(&exchange, "produced data", out);
            }
            return;
        };
        let Some(known) = self.exchanges.get_mut(at) else { return };
        let before = std::mem::replace(&mut known.header, header);
        let step = header.request.wrapping_sub(before.request);
        if step > 1 && step < 0x8000 {
            known.missed = known.missed.saturating_add(u64::from(step.saturating_sub(1)));
        }
        known.count = known.count.saturating_add(1);
        known.last = pdu.at;
        let changed = before.status != header.status || before.signature != header.signature || known.length != length;
        known.length = length;
        if changed {
            let told = *known;
            self.tell(&told, "produced data changed", out);
        }
    }

    fn tell(&mut self, exchange: &Exchange, name: &'static str, out: &mut dyn Sink) {
        let Exchange { header, length, count, missed, last, ends } = *exchange;
        let detail = &mut self.detail;
        detail.clear();
        detail.number("exchange", header.exchange);
        detail.text("producer", header.producer);
        detail.number("request_id", header.request);
        detail.number("production_status", header.status);
        detail.number("configuration_signature", header.signature);
        detail.number("seconds", header.seconds);
        detail.number("bytes", i64::try_from(length).unwrap_or(i64::MAX));
        if missed > 0 {
            detail.number("missed", i64::try_from(missed).unwrap_or(i64::MAX));
        }
        out.emit(
            last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                // The producer sends unasked: the consumer is the client of its data.
                client: ends.1,
                server: ends.0,
                unit: None,
                code: u32::from(DATA),
                name,
                class: OperationClass::Cyclic,
                object: &format!("exchange {} of {}", header.exchange, header.producer),
                quantity: Some(count),
                status: Some(header.status),
                status_name: match header.status {
                    0 => "not produced yet",
                    1 => "ok",
                    _ => "error",
                },
                latency: None,
                request_frame: None,
                reply_frame: Some(last.frame),
                detail: detail.object(&mut self.line),
            }),
        );
    }
}

/// The header is as long as the specification says.
const _: () = assert!(HEADER == 2 + 2 + 4 + 4 + 8 + 4 + 4 + 4);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    /// As `ndpi-egd.pcapng` frame 1, whose producer is the test flow's client.
    fn datagram(request: u16, status: u8) -> Vec<u8> {
        let mut bytes = vec![DATA, 1];
        bytes.extend(request.to_le_bytes());
        bytes.extend(hex("0a000001 7b000000 be8a7e38 00811b2c"));
        bytes.extend([status, 0, 0, 0]);
        bytes.extend(hex("00000000 00000000 0102030405060708"));
        bytes
    }

    #[test]
    fn an_exchange_is_told_once_at_change_and_counted() {
        let samples = [datagram(1, 1), datagram(2, 1), datagram(5, 1), datagram(6, 3), datagram(7, 3)];
        let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|b| (Direction::FromClient, b.as_slice())).collect();
        let rows = feed(&GeEgd, &flow(Transport::Udp, PORT), &pieces).of("operation");
        let told: Vec<_> = rows.iter().map(|row| (row["name"].clone(), row["quantity"].clone())).collect();
        let expected = [("produced data", 1), ("produced data changed", 4), ("produced data counted", 5)];
        assert_eq!(told, expected.map(|(name, count)| (name.into(), count.into())));
        assert_eq!(rows[0]["object"], "exchange 123 of 10.0.0.1");
        assert!(rows[2]["detail"].as_str().unwrap().contains("\"missed\":2"));
    }

    #[test]
    fn truncations_do_not_panic() {
        let flow = flow(Transport::Udp, PORT);
        let bytes = datagram(1, 1);
        for end in 1..bytes.len() {
            let _ = GeEgd.probe(&pdu(&flow, 0, Direction::FromClient, &bytes[..end]));
            let out = feed_unprobed(&GeEgd, &flow, &[(Direction::FromClient, &bytes[..end])]);
            assert_eq!(out.marks.is_empty(), end >= HEADER);
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 1..80)) {
            let mut framed = vec![DATA, 1];
            framed.extend(&bytes);
            let pieces = [(Direction::FromClient, bytes.as_slice()), (Direction::FromServer, framed.as_slice())];
            feed_unprobed(&GeEgd, &flow(Transport::Udp, PORT), &pieces);
        }
    }
}
