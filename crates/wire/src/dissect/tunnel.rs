//! Transport headers, and the tunnels that ride on IP.

use super::link::{be16, be32};
use super::{Next, Walk, bad, cut_short, end};
use crate::layers::{BadHeader, IpPacket, Network, Segment, Tunnel};
use crate::tcp::TcpSegment;

/// UDP ports of VXLAN (RFC 7348 section 4.1; 8472 is the Linux default before its assignment).
const VXLAN_PORTS: [u16; 2] = [4789, 8472];
/// UDP port of GENEVE (RFC 8926 section 3.3).
const GENEVE_PORT: u16 = 6081;

pub(super) fn transport<'a>(walk: &mut Walk, ip: IpPacket<'a>) -> Result<Next<'a>, BadHeader> {
    match ip.protocol {
        6 => Ok(end(ip, Segment::Tcp(TcpSegment::parse(ip.payload, ip.cut)?))),
        17 => udp(walk, ip),
        1 | 58 => icmp(ip),
        4 | 41 => {
            walk.enter(outer(&ip, if ip.protocol == 4 { "ipip" } else { "6in4" }, 0))?;
            Ok(Next::Ip(ip.payload))
        }
        47 => gre(walk, ip),
        50 => Ok(Next::End(Network::Nothing("ipsec esp"))),
        59 => Ok(Next::End(Network::Nothing("ipv6 without next header"))),
        _ => Ok(end(ip, Segment::Other { payload: ip.payload })),
    }
}

fn outer(ip: &IpPacket<'_>, kind: &'static str, id: u32) -> Tunnel {
    Tunnel { kind, source: Some(ip.source), destination: Some(ip.destination), id }
}

fn icmp(ip: IpPacket<'_>) -> Result<Next<'_>, BadHeader> {
    match ip.payload {
        [kind, code, _, _, ..] => Ok(end(ip, Segment::Icmp { kind: *kind, code: *code, message: ip.payload })),
        _ => Err(cut_short("icmp", "icmp_header_cut")),
    }
}

/// RFC 768; a length of 0 means the rest of the packet (RFC 2675 section 4).
fn udp<'a>(walk: &mut Walk, ip: IpPacket<'a>) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("udp", "udp_header_cut");
    let source = be16(ip.payload, 0).ok_or_else(short)?;
    let destination = be16(ip.payload, 2).ok_or_else(short)?;
    let length = usize::from(be16(ip.payload, 4).ok_or_else(short)?);
    let rest = ip.payload.get(8..).ok_or_else(short)?;
    let (payload, cut) = match length {
        0 => (rest, ip.cut),
        1..8 => return Err(bad("udp", "udp_length_wrong", "the UDP length is below the header's")),
        _ => match rest.get(..length - 8) {
            Some(payload) => (payload, false),
            None if ip.cut => (rest, true),
            None => return Err(bad("udp", "udp_length_wrong", "the UDP length is beyond the IP packet's end")),
        },
    };
    if VXLAN_PORTS.contains(&destination)
        && let Some(next) = vxlan(walk, &ip, payload)?
    {
        return Ok(next);
    }
    if destination == GENEVE_PORT
        && let Some(next) = geneve(walk, &ip, payload)?
    {
        return Ok(next);
    }
    Ok(end(ip, Segment::Udp { source, destination, payload, cut }))
}

/// RFC 7348 section 5: only the I flag set, reserved fields zero.
fn vxlan<'a>(walk: &mut Walk, ip: &IpPacket<'a>, payload: &'a [u8]) -> Result<Option<Next<'a>>, BadHeader> {
    let (Some(first), Some(second)) = (be32(payload, 0), be32(payload, 4)) else { return Ok(None) };
    // Group policy and generic protocol extensions set further flags; the low reserved byte stays zero.
    if first & 0x0800_0000 == 0 || second & 0xff != 0 || payload.len() < 8 + 14 {
        return Ok(None);
    }
    walk.enter(outer(ip, "vxlan", second >> 8))?;
    Ok(Some(Next::Ethernet(payload.get(8..).unwrap_or_default())))
}

/// RFC 8926 section 3.4.
fn geneve<'a>(walk: &mut Walk, ip: &IpPacket<'a>, payload: &'a [u8]) -> Result<Option<Next<'a>>, BadHeader> {
    let (Some(first), Some(second)) = (be32(payload, 0), be32(payload, 4)) else { return Ok(None) };
    let options = usize::from((first >> 24 & 0x3f) as u8) * 4;
    let Some(inner) = payload.get(8 + options..) else { return Ok(None) };
    if first >> 30 != 0 || second & 0xff != 0 {
        return Ok(None);
    }
    walk.enter(outer(ip, "geneve", second >> 8))?;
    Ok(Some(Next::EtherType((first & 0xffff) as u16, inner)))
}

/// GRE (RFC 2784, RFC 2890) and enhanced GRE of PPTP (RFC 2637 section 4.1).
fn gre<'a>(walk: &mut Walk, ip: IpPacket<'a>) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("gre", "gre_header_cut");
    let flags = be16(ip.payload, 0).ok_or_else(short)?;
    let protocol = be16(ip.payload, 2).ok_or_else(short)?;
    let (checksum, key, sequence) = (flags & 0x8000 != 0, flags & 0x2000 != 0, flags & 0x1000 != 0);
    let acknowledged = flags & 0x0080 != 0 && flags & 7 == 1;
    let mut at = if checksum || flags & 0x4000 != 0 { 8 } else { 4 };
    let mut id = 0;
    if key {
        id = be32(ip.payload, at).ok_or_else(short)?;
        at += 4;
    }
    at += 4 * (usize::from(sequence) + usize::from(acknowledged));
    let inner = ip.payload.get(at..).ok_or_else(short)?;
    match protocol {
        0x88be | 0x22eb => erspan(walk, &ip, protocol, sequence, inner),
        0x880b if inner.is_empty() => Ok(Next::End(Network::Nothing("pptp acknowledgement"))),
        0x880b => {
            // The low half of the key is the call id, which differs by direction.
            walk.enter(outer(&ip, "pptp", 0))?;
            Ok(Next::Ppp(inner))
        }
        _ => {
            walk.enter(outer(&ip, "gre", id))?;
            Ok(Next::EtherType(protocol, inner))
        }
    }
}

/// ERSPAN (draft-foschiano-erspan section 4): type I has no header and no GRE sequence number, type II 8 bytes, type III 12 and an
/// optional platform subheader of 8.
fn erspan<'a>(
    walk: &mut Walk,
    ip: &IpPacket<'a>,
    protocol: u16,
    sequence: bool,
    inner: &'a [u8],
) -> Result<Next<'a>, BadHeader> {
    if protocol == 0x88be && !sequence {
        walk.enter(outer(ip, "erspan1", 0))?;
        return Ok(Next::Ethernet(inner));
    }
    let short = || cut_short("erspan", "erspan_header_cut");
    let session = u32::from(be16(inner, 2).ok_or_else(short)? & 0x03ff);
    let (kind, header) = match (protocol, inner.get(11)) {
        (0x88be, _) => ("erspan2", 8),
        (_, Some(last)) if last & 1 == 1 => ("erspan3", 20),
        _ => ("erspan3", 12),
    };
    walk.enter(outer(ip, kind, session))?;
    Ok(Next::Ethernet(inner.get(header..).ok_or_else(short)?))
}
