//! Link layers: Ethernet and its tags, LLC and SNAP, PPP, loopback, cooked captures.

use quaywatch_model::MacAddr;

use super::{Next, Walk, bad, cut_short, wlan};
use crate::layers::{BadHeader, Network, Tunnel};
use crate::packet::LinkType;

/// Largest value of the Ethernet type field that is a length (IEEE 802.3 section 3.2.6).
const MAX_LENGTH: u16 = 1500;

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

pub(super) fn mac(bytes: &[u8], at: usize) -> Option<MacAddr> {
    let six = bytes.get(at..at.checked_add(6)?)?;
    Some(MacAddr(six.try_into().ok()?))
}

/// The first header of a packet, by its link type.
pub(super) fn first<'a>(walk: &mut Walk, link: LinkType, data: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    match link {
        LinkType::ETHERNET => Ok(Next::Ethernet(data)),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Ok(Next::Ip(data))
        }
        LinkType::NULL | LinkType::LOOP => loopback(data),
        LinkType::PPP | LinkType::PPP_HDLC => Ok(Next::Ppp(data)),
        LinkType::C_HDLC => cisco_hdlc(data),
        LinkType::LINUX_SLL => cooked_v1(walk, data),
        LinkType::LINUX_SLL2 => cooked_v2(walk, data),
        LinkType::IEEE802_11 => wlan::frame(walk, data),
        LinkType::IEEE802_11_RADIOTAP => wlan::radiotap(walk, data),
        LinkType::IEEE802_11_PRISM => wlan::prism(walk, data),
        _ => Ok(Next::End(Network::Unknown("link type not supported"))),
    }
}

/// Ethernet II or 802.3 (IEEE 802.3 section 3.1.1).
pub(super) fn ethernet<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("ethernet", "ethernet_header_cut");
    walk.destination_mac = Some(mac(bytes, 0).ok_or_else(short)?);
    walk.source_mac = Some(mac(bytes, 6).ok_or_else(short)?);
    let ethertype = be16(bytes, 12).ok_or_else(short)?;
    Ok(Next::EtherType(ethertype, bytes.get(14..).unwrap_or_default()))
}

/// What an EtherType announces; a value up to 1500 is the length of an LLC frame.
pub(super) fn ethertype<'a>(walk: &mut Walk, ethertype: u16, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    match ethertype {
        0x0800 | 0x86dd => Ok(Next::Ip(bytes)),
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => vlan_tag(walk, bytes),
        0x8847 | 0x8848 => mpls(walk, bytes),
        0x8864 => pppoe_session(walk, bytes),
        // Wireless cards of Intel hand frames of others to the host so: the IEEE 802.11 frame behind an Ethernet header.
        0x2452 => wlan::frame(walk, bytes),
        0x892f => hsr_tag(bytes),
        0x6558 => Ok(Next::Ethernet(bytes)),
        length if length <= MAX_LENGTH => {
            let frame = bytes.get(..usize::from(length));
            if frame.is_none() && !walk.cut {
                walk.odd("ethernet", "ethernet_length_beyond_frame", "802.3 length is beyond the frame's end");
            }
            Ok(Next::Llc(frame.unwrap_or(bytes)))
        }
        _ => Ok(Next::End(Network::Link { ethertype, payload: bytes })),
    }
}

/// IEEE 802.1Q section 9.6; the innermost id is kept.
fn vlan_tag<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("vlan", "vlan_tag_cut");
    let control = be16(bytes, 0).ok_or_else(short)?;
    let ethertype = be16(bytes, 2).ok_or_else(short)?;
    walk.vlan = Some(control & 0x0fff);
    Ok(Next::EtherType(ethertype, bytes.get(4..).unwrap_or_default()))
}

/// High-availability seamless redundancy tag (IEC 62439-3 section 5.7): path and size, sequence, EtherType.
fn hsr_tag(bytes: &[u8]) -> Result<Next<'_>, BadHeader> {
    let ethertype = be16(bytes, 4).ok_or_else(|| cut_short("hsr", "hsr_tag_cut"))?;
    Ok(Next::EtherType(ethertype, bytes.get(6..).unwrap_or_default()))
}

/// Label stack (RFC 3032 section 2.1); the payload is told by its first nibble (RFC 4928 section 3).
fn mpls<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let mut rest = bytes;
    let label = loop {
        let entry = be32(rest, 0).ok_or_else(|| cut_short("mpls", "mpls_label_cut"))?;
        rest = rest.get(4..).unwrap_or_default();
        if entry & 0x100 != 0 {
            break entry >> 12;
        }
    };
    walk.enter(Tunnel { kind: "mpls", source: None, destination: None, id: label })?;
    match rest.first().map(|byte| byte >> 4) {
        Some(4 | 6) => Ok(Next::Ip(rest)),
        // A pseudowire control word (RFC 4385 section 3) starts with a zero nibble.
        Some(0) => Ok(Next::Ethernet(rest.get(4..).unwrap_or_default())),
        Some(_) => Ok(Next::Ethernet(rest)),
        None => Err(cut_short("mpls", "mpls_without_payload")),
    }
}

/// RFC 2516 section 4.
fn pppoe_session<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("pppoe", "pppoe_header_cut");
    let session = be16(bytes, 2).ok_or_else(short)?;
    let length = usize::from(be16(bytes, 4).ok_or_else(short)?);
    let rest = bytes.get(6..).unwrap_or_default();
    walk.enter(Tunnel { kind: "pppoe", source: None, destination: None, id: u32::from(session) })?;
    Ok(Next::Ppp(rest.get(..length).unwrap_or(rest)))
}

/// IEEE 802.2 LLC; SNAP (RFC 1042) under OUI zero is an EtherType, under another OUI its protocol id stands for it.
pub(super) fn llc(bytes: &[u8]) -> Result<Next<'_>, BadHeader> {
    let dsap = *bytes.first().ok_or_else(|| cut_short("llc", "llc_header_cut"))?;
    if dsap == 0xaa && bytes.get(1) == Some(&0xaa) {
        let protocol = be16(bytes, 6).ok_or_else(|| cut_short("llc", "snap_header_cut"))?;
        let payload = bytes.get(8..).unwrap_or_default();
        if protocol > MAX_LENGTH && matches!(bytes.get(3..6), Some([0, 0, 0] | [0, 0, 0xf8])) {
            return Ok(Next::EtherType(protocol, payload));
        }
        return Ok(Next::End(Network::Link { ethertype: protocol, payload }));
    }
    let header = if bytes.get(2).is_some_and(|control| control & 3 == 3) { 3 } else { 4 };
    Ok(Next::End(Network::Link { ethertype: u16::from(dsap), payload: bytes.get(header..).unwrap_or_default() }))
}

/// PPP (RFC 1661 section 2) with or without the HDLC address and control bytes and with a compressed protocol field.
pub(super) fn ppp(bytes: &[u8]) -> Result<Next<'_>, BadHeader> {
    let bytes = bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes);
    let first = *bytes.first().ok_or_else(|| cut_short("ppp", "ppp_header_cut"))?;
    let (protocol, payload) = if first & 1 == 1 {
        (u16::from(first), bytes.get(1..))
    } else {
        (be16(bytes, 0).ok_or_else(|| cut_short("ppp", "ppp_header_cut"))?, bytes.get(2..))
    };
    let payload = payload.unwrap_or_default();
    match protocol {
        0x0021 | 0x0057 => Ok(Next::Ip(payload)),
        0x0281 => Ok(Next::EtherType(0x8847, payload)),
        0x8000..=0xffff => Ok(Next::End(Network::Nothing("ppp control"))),
        _ => Ok(Next::End(Network::Unknown("ppp protocol"))),
    }
}

/// BSD loopback: an address family whose byte order is the capturing host's (LINKTYPE_NULL, LINKTYPE_LOOP).
fn loopback(bytes: &[u8]) -> Result<Next<'_>, BadHeader> {
    let family = be32(bytes, 0).ok_or_else(|| cut_short("loopback", "loopback_header_cut"))?;
    let payload = bytes.get(4..).unwrap_or_default();
    // Serial links that were written under this type: the address and control bytes of Cisco HDLC, then its protocol.
    if matches!(family >> 16, 0x0f00 | 0x8f00) {
        return cisco_hdlc(bytes);
    }
    match if family > 0xffff { family.swap_bytes() } else { family } {
        // AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD and Darwin.
        2 | 10 | 24 | 28 | 30 => Ok(Next::Ip(payload)),
        // Some captures put the EtherType in its place.
        0x0800 | 0x86dd => Ok(Next::Ip(payload)),
        _ => Ok(Next::End(Network::Unknown("loopback address family"))),
    }
}

fn cisco_hdlc(bytes: &[u8]) -> Result<Next<'_>, BadHeader> {
    let ethertype = be16(bytes, 2).ok_or_else(|| cut_short("hdlc", "hdlc_header_cut"))?;
    let payload = bytes.get(4..).unwrap_or_default();
    match ethertype {
        0x8035 => Ok(Next::End(Network::Nothing("cisco slarp"))),
        _ => Ok(Next::EtherType(ethertype, payload)),
    }
}

/// LINKTYPE_LINUX_SLL: packet type, ARPHRD, address length, address, protocol.
fn cooked_v1<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("linux-sll", "linux_sll_header_cut");
    let protocol = be16(bytes, 14).ok_or_else(short)?;
    if be16(bytes, 4) == Some(6) {
        walk.source_mac = mac(bytes, 6);
    }
    cooked_payload(walk, be16(bytes, 2).unwrap_or(0), protocol, bytes.get(16..).unwrap_or_default())
}

/// LINKTYPE_LINUX_SLL2: protocol, reserved, interface, ARPHRD, packet type, address length, address.
fn cooked_v2<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("linux-sll2", "linux_sll2_header_cut");
    let payload = bytes.get(20..).ok_or_else(short)?;
    let protocol = be16(bytes, 0).ok_or_else(short)?;
    if bytes.get(11) == Some(&6) {
        walk.source_mac = mac(bytes, 12);
    }
    cooked_payload(walk, be16(bytes, 8).unwrap_or(0), protocol, payload)
}

fn cooked_payload<'a>(walk: &mut Walk, hardware: u16, protocol: u16, payload: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    match (hardware, protocol) {
        // ARPHRD_NETLINK, ARPHRD_IEEE80211_RADIOTAP, ARPHRD_IEEE80211: the protocol field means something else.
        (824, _) => Ok(Next::End(Network::Unknown("netlink message"))),
        (803, _) => wlan::radiotap(walk, payload),
        (801, _) => wlan::frame(walk, payload),
        (280, _) | (_, 0x000c | 0x000d) => Ok(Next::End(Network::Unknown("can bus frame"))),
        (_, 0x0001) => Ok(Next::End(Network::Unknown("novell raw 802.3"))),
        (_, 0x0004) => Ok(Next::Llc(payload)),
        (_, protocol) if protocol > MAX_LENGTH => Ok(Next::EtherType(protocol, payload)),
        _ => Err(bad("linux-sll", "linux_sll_protocol_unknown", "cooked header with an unknown protocol")),
    }
}
