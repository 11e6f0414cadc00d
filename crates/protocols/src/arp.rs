//! ARP (RFC 826, RFC 5227): which MAC address claims which IPv4 address.

use std::net::Ipv4Addr;

use quaywatch_model::{Address, Attribute, MacAddr, Mark, Observation, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};

/// EtherType of ARP.
const ETHERTYPE: u16 = 0x0806;
/// Claims remembered per pair of MAC addresses: a router may answer for many addresses (proxy ARP).
const MAX_CLAIMS: usize = 512;

/// The protocol.
pub struct Arp;

static META: ProtocolMeta = ProtocolMeta {
    name: "arp",
    title: "ARP",
    tcp: &[],
    udp: &[],
    ethertypes: &[ETHERTYPE],
    spec: "RFC 826, RFC 5227",
    found: "on every IPv4 segment",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "The sender's claim of an IPv4 address, and whether it was an announcement. Other hardware types than Ethernet are counted only.",
};

impl Protocol for Arp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    /// The EtherType leaves no doubt.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Link(ETHERTYPE) { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(ArpAnalyzer { claims: Claims::with_limit(MAX_CLAIMS) })
    }
}

struct ArpAnalyzer {
    claims: Claims,
}

/// An ARP message for IPv4 over Ethernet, RFC 826 "Packet format".
struct Message {
    sender_mac: MacAddr,
    sender_ip: Ipv4Addr,
    target_ip: Ipv4Addr,
}

enum Read {
    Message(Message),
    /// Another hardware or protocol type.
    Other,
    Short,
}

fn read(data: &[u8]) -> Read {
    let mut cursor = Cursor::new(data);
    let head = (|| Some((cursor.be16()?, cursor.be16()?, cursor.u8()?, cursor.u8()?, cursor.be16()?)))();
    let Some((_, protocol, hardware_length, protocol_length, _)) = head else { return Read::Short };
    if (protocol, hardware_length, protocol_length) != (0x0800, 6, 4) {
        return Read::Other;
    }
    let body = (|| {
        let sender_mac = MacAddr(cursor.take(6)?.try_into().ok()?);
        let sender_ip = Ipv4Addr::from(cursor.be32()?);
        cursor.skip(6)?;
        Some(Message { sender_mac, sender_ip, target_ip: Ipv4Addr::from(cursor.be32()?) })
    })();
    body.map_or(Read::Short, Read::Message)
}

impl Analyzer for ArpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match read(pdu.data) {
            Read::Message(message) => self.message(&message, pdu, out),
            Read::Other => out.mark(Mark::Undecoded("arp for another hardware or protocol")),
            Read::Short if pdu.cut => {}
            Read::Short => {
                self.weird("arp_message_short", "the message ends before its last field", pdu, out);
                out.mark(Mark::Malformed("arp message short"));
            }
        }
    }
}

impl ArpAnalyzer {
    fn message(&mut self, message: &Message, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (mac, ip) = (message.sender_mac, Address::V4(message.sender_ip));
        // An address of zero is a probe (RFC 5227 section 2.1.1): nothing is claimed yet.
        if ip.is_host() && Address::Mac(mac).is_host() {
            let announcement = message.sender_ip == message.target_ip;
            let method = if announcement { "arp announcement" } else { "arp" };
            if self.claims.first((mac, ip, method)) {
                let value = mac.to_string();
                let claim = quaywatch_model::Identity { subject: ip, attribute: Attribute::Mac, value: &value, method };
                out.emit(pdu.at, Observation::Identity(claim));
            }
        }
        if pdu.source_mac.is_some_and(|source| source != mac && !source.is_group())
            && self.claims.first((mac, "source"))
        {
            let detail = format!("claims {} for {mac}", message.sender_ip);
            self.weird("arp_sender_differs_from_frame", &detail, pdu, out);
        }
    }

    fn weird(&self, name: &'static str, detail: &str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: "arp", detail, sender, receiver }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex};
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;

    // RFC 826 layout: 10.0.0.1 at 02:00:00:00:00:01 asks for 10.0.0.2.
    const REQUEST: &str = "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002";

    #[test]
    fn a_sender_claims_its_address_once() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let request = hex(REQUEST);
        let seen = feed(&Arp, &flow, &[(FromClient, &request), (FromClient, &request)]);
        let rows = seen.of("identity");
        assert_eq!(rows.len(), 1);
        assert_eq!(
            rows[0],
            serde_json::json!({"subject": "10.0.0.1", "attribute": "mac", "value": "02:00:00:00:00:01", "method": "arp"})
        );
        assert!(seen.of("weird").is_empty());
    }

    #[test]
    fn announcements_probes_and_forgeries_are_told_apart() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let announcement = hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000001");
        let probe = hex("0001 0800 06 04 0001 020000000001 00000000 000000000000 0a000001");
        let forged = hex("0001 0800 06 04 0002 020000000009 0a000002 020000000001 0a000001");
        let seen = feed(&Arp, &flow, &[(FromClient, &announcement), (FromClient, &probe), (FromClient, &forged)]);
        let methods: Vec<_> = seen.of("identity").iter().map(|row| row["method"].clone()).collect();
        assert_eq!(methods, ["arp announcement", "arp"]);
        assert_eq!(seen.of("weird")[0]["name"], "arp_sender_differs_from_frame");
    }

    #[test]
    fn a_cut_message_is_malformed_at_every_length() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let request = hex(REQUEST);
        for length in 1..request.len() {
            let seen = feed(&Arp, &flow, &[(FromClient, &request[..length])]);
            assert_eq!(seen.marks, [Mark::Malformed("arp message short")], "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 1..64)) {
            feed_unprobed(&Arp, &flow(Transport::Link(ETHERTYPE), 0), &[(FromClient, &data)]);
        }

        #[test]
        fn memory_is_bounded(addresses in prop::collection::vec(any::<u32>(), 1..1500)) {
            let flow = flow(Transport::Link(ETHERTYPE), 0);
            let mut analyzer = ArpAnalyzer { claims: Claims::with_limit(MAX_CLAIMS) };
            let mut request = hex(REQUEST);
            for address in addresses {
                request[14..18].copy_from_slice(&address.to_be_bytes());
                let pdu = crate::testing::pdu(&flow, 0, FromClient, &request);
                analyzer.feed(&pdu, &mut crate::testing::Recorder::default());
            }
            prop_assert!(analyzer.claims.held() <= MAX_CLAIMS);
        }
    }
}
