//! VRRP (RFC 3768, RFC 5798) and HSRP (RFC 2281): routers that stand in for each other behind one address.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use quaywatch_model::{
    Address, Attribute, Credential, Mark, Observation, Operation, OperationClass, Sink, Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::{Analyzer, Probe, Protocol};

/// Addresses read of an advertisement.
const MAX_ADDRESSES: usize = 32;
/// What Cisco puts where nothing was configured (RFC 2281 section 5.1).
const HSRP_DEFAULT: [u8; 8] = *b"cisco\0\0\0";

/// VRRP.
pub struct Vrrp;
/// HSRP version 1.
pub struct Hsrp;

static VRRP_META: ProtocolMeta = ProtocolMeta {
    name: "vrrp",
    title: "VRRP",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 2338, RFC 3768, RFC 5798",
    found: "pairs of routers and firewalls",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Virtual router, addresses, priority: the first advertisement and every change; readable authentication.",
};

static HSRP_META: ProtocolMeta = ProtocolMeta {
    name: "hsrp",
    title: "HSRP",
    tcp: &[],
    udp: &[1985],
    ethertypes: &[],
    spec: "RFC 2281",
    found: "pairs of Cisco routers",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Version 1: group, state, priority, address, readable authentication. Version 2 is not read.",
};

/// What an advertisement says.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Advertisement {
    version: u8,
    /// Virtual router or group.
    group: u8,
    priority: u8,
    state: &'static str,
    addresses: Vec<IpAddr>,
    /// A readable secret was sent; and whether it is the maker's.
    secret: Option<bool>,
}

impl Advertisement {
    fn vrrp(data: &[u8], six: bool) -> Option<Self> {
        let mut cursor = Cursor::new(data);
        let (first, group, priority, count) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, usize::from(cursor.u8()?));
        let (version, kind) = (first >> 4, first & 15);
        if !matches!(version, 2 | 3) || kind != 1 || group == 0 || count == 0 {
            return None;
        }
        let authentication = cursor.be16()? >> 8;
        cursor.skip(2)?;
        let mut addresses = Vec::new();
        for _ in 0..count {
            let address = if six {
                IpAddr::V6(Ipv6Addr::from(*cursor.take(16)?.first_chunk::<16>()?))
            } else {
                IpAddr::V4(Ipv4Addr::from(cursor.be32()?))
            };
            if addresses.len() < MAX_ADDRESSES {
                addresses.push(address);
            }
        }
        // Version 2 only: type 1 is a readable text of eight bytes (RFC 2338 section 5.3.6).
        let secret = (version == 2 && authentication == 1).then_some(false);
        let state = if priority == 0 { "resigned" } else { "master" };
        Some(Advertisement { version, group, priority, state, addresses, secret })
    }

    fn hsrp(data: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(data);
        let (version, operation, state) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        cursor.skip(2)?;
        let (priority, group) = (cursor.u8()?, cursor.u8()?);
        cursor.skip(1)?;
        let secret: [u8; 8] = *cursor.take(8)?.first_chunk()?;
        let address = IpAddr::V4(Ipv4Addr::from(cursor.be32()?));
        let state = match state {
            0 => "initial",
            1 => "learn",
            2 => "listen",
            4 => "speak",
            8 => "standby",
            16 => "active",
            _ => return None,
        };
        let readable = secret.iter().all(|byte| *byte == 0 || byte.is_ascii_graphic());
        if version != 0 || operation > 2 || !readable {
            return None;
        }
        let secret = Some(secret == HSRP_DEFAULT);
        Some(Advertisement { version, group, priority, state, addresses: vec![address], secret })
    }

    fn read(pdu: &Pdu<'_>) -> Option<Self> {
        match pdu.flow.transport {
            Transport::Ip(112) => Advertisement::vrrp(pdu.data, matches!(pdu.sender().address, Address::V6(_))),
            Transport::Udp => Advertisement::hsrp(pdu.data),
            _ => None,
        }
    }
}

impl Protocol for Vrrp {
    fn meta(&self) -> &'static ProtocolMeta {
        &VRRP_META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let ours = pdu.flow.transport == Transport::Ip(112) && Advertisement::read(pdu).is_some();
        if ours { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(StandbyFlow::new("vrrp"))
    }
}

impl Protocol for Hsrp {
    fn meta(&self) -> &'static ProtocolMeta {
        &HSRP_META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        // Sent to all routers of the link (RFC 2281 section 3), and of one length.
        let group = pdu.receiver().address == Address::V4(Ipv4Addr::new(224, 0, 0, 2));
        let ours = pdu.flow.transport == Transport::Udp && group && pdu.data.len() == 20;
        if ours && Advertisement::read(pdu).is_some() { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(StandbyFlow::new("hsrp"))
    }
}

struct StandbyFlow {
    protocol: &'static str,
    last: Option<Advertisement>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    object: String,
}

impl StandbyFlow {
    fn new(protocol: &'static str) -> Self {
        StandbyFlow {
            protocol,
            last: None,
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
            object: String::new(),
        }
    }

    fn tell(&mut self, pdu: &Pdu<'_>, said: &Advertisement, out: &mut dyn Sink) {
        self.object.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.object, "group {}", said.group);
        for address in &said.addresses {
            let _ = write!(self.object, " {address}");
        }
        self.detail.clear();
        self.detail.number("version", said.version);
        self.detail.number("priority", said.priority);
        self.detail.text("state", said.state);
        out.emit(
            pdu.at,
            Observation::Operation(Operation {
                protocol: self.protocol,
                client: pdu.sender(),
                server: pdu.receiver(),
                unit: Some(u32::from(said.group)),
                code: 1,
                name: "advertisement",
                class: OperationClass::Cyclic,
                object: &self.object,
                quantity: None,
                status: None,
                status_name: "",
                latency: None,
                request_frame: Some(pdu.at.frame),
                reply_frame: None,
                detail: self.detail.object(&mut self.line),
            }),
        );
        let subject = pdu.sender().address;
        self.claims.identify(out, pdu.at, subject, (Attribute::Router, &self.object, "standby router advertisement"));
        let Some(default) = said.secret else { return };
        let (client, server, protocol) = (pdu.sender(), pdu.receiver(), self.protocol);
        let mut credential = |weakness, rule| {
            let row = Credential { client, server, protocol, account: "", weakness, rule };
            self.claims.credential(out, pdu.at, row);
        };
        credential(Weakness::ClearText, "authentication of routers sent readable");
        if default {
            credential(Weakness::Default, "authentication of routers is the maker's default");
        }
    }
}

impl Analyzer for StandbyFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(said) = Advertisement::read(pdu) else {
            if !pdu.cut {
                let (sender, receiver) = (pdu.sender(), pdu.receiver());
                let detail = "no advertisement";
                let weird = Weird { name: "vrrp_advertisement", protocol: self.protocol, detail, sender, receiver };
                out.emit(pdu.at, Observation::Weird(weird));
                out.mark(Mark::Malformed(detail));
            }
            return;
        };
        if self.last.as_ref() != Some(&said) {
            self.tell(pdu, &said, out);
            self.last = Some(said);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    #[test]
    fn advertisements_are_told_at_first_and_on_change() {
        // wireshark-wiki-vrrp.pcap frame 1, and the same with another priority and a readable text.
        let first = hex("2101 fa01 0001 bd51 c0a86701 0000000000000000");
        let changed = hex("2101 6401 0101 0000 c0a86701 7365637265740000");
        let rows = feed(
            &Vrrp,
            &flow(Transport::Ip(112), 0),
            &[(FromClient, &first), (FromClient, &first), (FromClient, &changed)],
        );
        let told = rows.of("operation");
        assert_eq!(told.len(), 2);
        assert_eq!((&told[0]["object"], &told[0]["unit"]), (&json!("group 1 192.168.103.1"), &json!(1)));
        assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
        assert!(!format!("{rows:?}").contains("secret"));
    }

    #[test]
    fn hsrp_says_state_and_default() {
        let mut flow = flow(Transport::Udp, 1985);
        flow.server.address = Address::V4(Ipv4Addr::new(224, 0, 0, 2));
        // RFC 2281 section 5.1: hello, active, 3 s, 10 s, priority 100, group 1.
        let hello = hex("00 00 10 03 0a 64 01 00 636973636f000000 0a000001");
        let rows = feed(&Hsrp, &flow, &[(FromClient, &hello)]);
        assert_eq!(rows.of("operation")[0]["object"], "group 1 10.0.0.1");
        let weak: Vec<_> = rows.of("credential").iter().map(|row| row["weakness"].clone()).collect();
        assert_eq!(weak, ["clear-text", "default"]);
        let rows = feed_unprobed(&Hsrp, &flow, &[(FromClient, b"hello")]);
        assert_eq!(rows.of("weird").len(), 1);
        assert_eq!(Hsrp.probe(&pdu(&flow, 0, FromClient, &hello[..19])), Probe::No);
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..60)) {
            for transport in [Transport::Ip(112), Transport::Udp] {
                feed_unprobed(&Vrrp, &flow(transport, 0), &[(FromClient, &data)]);
            }
        }
    }
}
