//! ICMP and ICMPv6 as far as they tell who routes and who bears an address: router and neighbour discovery
//! (RFC 4861, RFC 8106, RFC 1256), redirects and address masks (RFC 792, RFC 950).

use std::net::{Ipv4Addr, Ipv6Addr};

use quaywatch_model::{Address, Attribute, MacAddr, Mark, Observation, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};

/// Claims remembered per pair of addresses.
const MAX_CLAIMS: usize = 128;
/// Options read of one neighbour discovery message.
const MAX_OPTIONS: usize = 32;
/// Router addresses read of one ICMPv4 router advertisement: its count field is one byte.
const MAX_ROUTERS: usize = 255;

/// The protocol.
pub struct Icmp;

static META: ProtocolMeta = ProtocolMeta {
    name: "icmp",
    title: "ICMP and neighbour discovery",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 792, RFC 950, RFC 1256, RFC 4443, RFC 4861, RFC 8106",
    found: "on every IP network",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Router and neighbour advertisements, redirects and address masks; echo and errors are recognised only.",
};

impl Protocol for Icmp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    /// The IP protocol number leaves no doubt.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Icmp { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(IcmpAnalyzer { claims: Claims::with_limit(MAX_CLAIMS) })
    }
}

struct IcmpAnalyzer {
    claims: Claims,
}

impl Analyzer for IcmpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(pdu.data);
        let read = match (cursor.u8(), cursor.u8(), cursor.be16()) {
            (Some(kind), Some(_), Some(_)) => match pdu.sender().address {
                Address::V6(_) => self.version_6(kind, cursor, pdu, out),
                _ => self.version_4(kind, cursor, pdu, out),
            },
            _ => None,
        };
        if read.is_none() && !pdu.cut {
            self.weird("icmp_message_short", "the message ends before its last field", pdu, out);
            out.mark(Mark::Malformed("icmp message short"));
        }
    }
}

impl IcmpAnalyzer {
    fn version_4(&mut self, kind: u8, mut cursor: Cursor<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        match kind {
            5 => self.redirect(Address::V4(cursor.be32()?.into()), pdu, out),
            9 => {
                let (count, entry, _) = (cursor.u8()?, cursor.u8()?, cursor.be16()?);
                for _ in 0..usize::from(count).min(MAX_ROUTERS) {
                    let mut router = Cursor::new(cursor.take(usize::from(entry) * 4)?);
                    let address = Address::V4(router.be32()?.into());
                    self.router(address, "router", "icmp router advertisement", pdu, out);
                }
            }
            18 => {
                cursor.skip(4)?;
                let value = format!("netmask {}", Ipv4Addr::from(cursor.be32()?));
                let claim = (Attribute::NetworkSetting, value.as_str(), "icmp address mask reply");
                self.claims.identify(out, pdu.at, pdu.sender().address, claim);
            }
            _ => {}
        }
        Some(())
    }

    fn version_6(&mut self, kind: u8, mut cursor: Cursor<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let sender = pdu.sender().address;
        match kind {
            133 => {
                cursor.skip(4)?;
                self.link_address(sender, options(cursor).source, "icmpv6 router solicitation", pdu, out);
            }
            134 => {
                let _hop_limit_and_flags = cursor.be16()?;
                let lifetime = cursor.be16()?;
                cursor.skip(8)?;
                let found = options(cursor);
                let value = if lifetime > 0 { "default router" } else { "router" };
                self.router(sender, value, "icmpv6 router advertisement", pdu, out);
                self.link_address(sender, found.source, "icmpv6 router advertisement", pdu, out);
            }
            135 => {
                cursor.skip(20)?;
                self.link_address(sender, options(cursor).source, "icmpv6 neighbour solicitation", pdu, out);
            }
            136 => {
                let flags = cursor.be32()?;
                let target = Address::V6(address_6(&mut cursor)?);
                let mac = options(cursor).target;
                self.link_address(target, mac, "icmpv6 neighbour advertisement", pdu, out);
                // RFC 4861 section 4.4: the R flag.
                if flags & 0x8000_0000 != 0 {
                    self.router(target, "router", "icmpv6 neighbour advertisement", pdu, out);
                }
            }
            137 => {
                cursor.skip(4)?;
                let (target, destination) = (address_6(&mut cursor)?, address_6(&mut cursor)?);
                let target = Address::V6(target);
                // Equal addresses say that the destination is a neighbour itself (RFC 4861 section 4.5).
                if target != Address::V6(destination) {
                    self.redirect(target, pdu, out);
                }
                self.link_address(target, options(cursor).target, "icmpv6 redirect", pdu, out);
            }
            _ => {}
        }
        Some(())
    }

    fn router(&mut self, who: Address, value: &str, method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if who.is_host() {
            self.claims.identify(out, pdu.at, who, (Attribute::Router, value, method));
        }
    }

    fn link_address(
        &mut self,
        who: Address,
        mac: Option<MacAddr>,
        method: &'static str,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        let Some(mac) = mac.filter(|mac| Address::Mac(*mac).is_host() && who.is_host()) else { return };
        self.claims.identify(out, pdu.at, who, (Attribute::Mac, &mac.to_string(), method));
    }

    /// A host is told to use another gateway: rare on a well-built network, and a way to put oneself in the middle.
    fn redirect(&mut self, gateway: Address, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let told = pdu.receiver().address;
        if !gateway.is_host() || !self.claims.first(("redirect", gateway, told)) {
            return;
        }
        let value = format!("router {gateway}");
        if told.is_host() {
            self.claims.identify(out, pdu.at, told, (Attribute::NetworkSetting, &value, "icmp redirect router"));
        }
        self.weird("icmp_redirect", &format!("told to use gateway {gateway}"), pdu, out);
    }

    fn weird(&self, name: &'static str, detail: &str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: "icmp", detail, sender, receiver }));
    }
}

fn address_6(cursor: &mut Cursor<'_>) -> Option<Ipv6Addr> {
    let octets: [u8; 16] = cursor.take(16)?.try_into().ok()?;
    Some(Ipv6Addr::from(octets))
}

/// Link-layer addresses among the options of a neighbour discovery message, RFC 4861 section 4.6.1.
#[derive(Default)]
struct LinkAddresses {
    source: Option<MacAddr>,
    target: Option<MacAddr>,
}

fn options(mut cursor: Cursor<'_>) -> LinkAddresses {
    let mut found = LinkAddresses::default();
    for _ in 0..MAX_OPTIONS {
        let (Some(kind), Some(units)) = (cursor.u8(), cursor.u8()) else { break };
        let Some(value) = (usize::from(units) * 8).checked_sub(2).and_then(|length| cursor.take(length)) else { break };
        let mac = value.first_chunk::<6>().map(|octets| MacAddr(*octets));
        match kind {
            1 => found.source = mac,
            2 => found.target = mac,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Recorder, feed, feed_unprobed, flow, hex};
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;

    fn flow_6() -> Flow {
        let mut flow = flow(Transport::Icmp, 0);
        flow.client.address = Address::V6("fe80::1".parse().unwrap());
        flow.server.address = Address::V6("ff02::1".parse().unwrap());
        flow
    }

    fn said(seen: &Recorder) -> Vec<(String, String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        seen.of("identity")
            .iter()
            .map(|row| (text(&row["subject"]), text(&row["attribute"]), text(&row["value"])))
            .collect()
    }

    fn row(subject: &str, attribute: &str, value: &str) -> (String, String, String) {
        (subject.to_owned(), attribute.to_owned(), value.to_owned())
    }

    // RFC 4861 section 4.2 with a source link-layer address option.
    const ADVERTISEMENT: &str = "86 00 0000 40 00 0708 00000000 00000000 01 01 020000000001";

    #[test]
    fn a_router_advertises_itself() {
        let seen = feed(&Icmp, &flow_6(), &[(FromClient, &hex(ADVERTISEMENT)), (FromClient, &hex(ADVERTISEMENT))]);
        assert_eq!(
            said(&seen),
            [row("fe80::1", "router", "default router"), row("fe80::1", "mac", "02:00:00:00:00:01")]
        );
    }

    #[test]
    fn a_neighbour_advertises_its_address() {
        // RFC 4861 section 4.4, flags R and S.
        let message = hex("88 00 0000 c0000000 fe800000000000000000000000000009 02 01 020000000009");
        let seen = feed(&Icmp, &flow_6(), &[(FromClient, &message)]);
        assert_eq!(said(&seen), [row("fe80::9", "mac", "02:00:00:00:00:09"), row("fe80::9", "router", "router")]);
    }

    #[test]
    fn a_redirect_names_the_gateway() {
        let message = hex("05 01 0000 0a0000fe 4500");
        let seen = feed(&Icmp, &flow(Transport::Icmp, 0), &[(FromClient, &message)]);
        assert_eq!(said(&seen), [row("10.0.0.2", "network-setting", "router 10.0.0.254")]);
        assert_eq!(seen.of("weird")[0]["name"], "icmp_redirect");
    }

    #[test]
    fn echo_says_nothing_and_cuts_do_not_panic() {
        let seen = feed(&Icmp, &flow(Transport::Icmp, 0), &[(FromClient, &hex("08 00 0000 0001 0001 6162"))]);
        assert!(seen.rows.is_empty() && seen.marks.is_empty());
        let whole = hex(ADVERTISEMENT);
        for length in 1..16 {
            let seen = feed(&Icmp, &flow_6(), &[(FromClient, &whole[..length])]);
            assert_eq!(seen.marks, [Mark::Malformed("icmp message short")], "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(kind in prop::sample::select(vec![5u8, 9, 18, 133, 134, 135, 136, 137]), mut data in prop::collection::vec(any::<u8>(), 1..96)) {
            data[0] = kind;
            feed_unprobed(&Icmp, &flow_6(), &[(FromClient, &data)]);
            feed_unprobed(&Icmp, &flow(Transport::Icmp, 0), &[(FromClient, &data)]);
        }
    }
}
