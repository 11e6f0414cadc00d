//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::link::{be16, be32};
use super::{Next, Walk, bad, cut_short};
use crate::layers::{BadHeader, Fragment, IpPacket};

/// Most IPv6 extension headers in one packet.
const MAX_EXTENSIONS: usize = 8;

pub(super) fn packet<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    match bytes.first().map(|byte| byte >> 4) {
        Some(4) => version4(walk, bytes),
        Some(6) => version6(walk, bytes),
        Some(_) => Err(bad("ip", "ip_version_unknown", "neither version 4 nor 6")),
        None => Err(cut_short("ip", "ip_header_cut")),
    }
}

fn deliver(ip: IpPacket<'_>) -> Next<'_> {
    if ip.fragment.is_some() { Next::Fragment(ip) } else { Next::Transport(ip) }
}

/// Cuts `rest` to `stated` bytes: less is link-layer padding, more was cut off.
fn trim<'a>(walk: &mut Walk, rest: &'a [u8], stated: usize) -> (&'a [u8], bool) {
    match rest.get(..stated) {
        Some(payload) => (payload, false),
        None => {
            if !walk.cut {
                walk.odd("ip", "ip_length_beyond_frame", "the IP length is beyond the frame's end");
            }
            (rest, true)
        }
    }
}

fn version4<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("ip", "ip_header_cut");
    let header = usize::from(bytes.first().copied().unwrap_or(0) & 0x0f) * 4;
    let total = usize::from(be16(bytes, 2).ok_or_else(short)?);
    let rest = bytes.get(header.max(20)..).ok_or_else(short)?;
    if header < 20 {
        return Err(bad("ip", "ip_header_length_wrong", "the header length is below 20 bytes"));
    }
    let (payload, cut) = match total {
        // Segmentation offload: the capturing host filled the length in later.
        0 => (rest, false),
        total if total < header => return Err(bad("ip", "ip_length_wrong", "the total length is below the header's")),
        total => trim(walk, rest, total - header),
    };
    let flags = be16(bytes, 6).ok_or_else(short)?;
    let (offset, more) = (u32::from(flags & 0x1fff) * 8, flags & 0x2000 != 0);
    let id = u32::from(be16(bytes, 4).ok_or_else(short)?);
    let fragment = (offset != 0 || more).then_some(Fragment { id, offset, more });
    let address = |at| be32(bytes, at).map(Ipv4Addr::from).ok_or_else(short);
    let [ttl, protocol] = [8, 9].map(|at| bytes.get(at).copied().unwrap_or(0));
    let (source, destination) = (address(12)?.into(), address(16)?.into());
    Ok(deliver(IpPacket { source, destination, protocol, ttl, fragment, payload, cut: cut || walk.cut && total == 0 }))
}

fn version6<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("ip", "ip_header_cut");
    let stated = usize::from(be16(bytes, 4).ok_or_else(short)?);
    let rest = bytes.get(40..).ok_or_else(short)?;
    let (payload, cut) = if stated == 0 { (rest, false) } else { trim(walk, rest, stated) };
    let address = |at: usize| -> Result<Ipv6Addr, BadHeader> {
        let sixteen: [u8; 16] = bytes.get(at..at + 16).and_then(|b| b.try_into().ok()).ok_or_else(short)?;
        Ok(Ipv6Addr::from(sixteen))
    };
    let mut ip = IpPacket {
        source: address(8)?.into(),
        destination: address(24)?.into(),
        protocol: bytes.get(6).copied().unwrap_or(59),
        ttl: bytes.get(7).copied().unwrap_or(0),
        fragment: None,
        payload,
        cut,
    };
    pass_extensions(&mut ip)?;
    Ok(deliver(ip))
}

/// Passes hop-by-hop, routing, destination, mobility, authentication and fragment headers (RFC 8200 section 4, RFC 4302).
fn pass_extensions(ip: &mut IpPacket<'_>) -> Result<(), BadHeader> {
    let short = || cut_short("ip", "ip6_extension_cut");
    for _ in 0..MAX_EXTENSIONS {
        let units = || ip.payload.get(1).copied().map(usize::from).ok_or_else(short);
        let length = match ip.protocol {
            0 | 43 | 60 | 135 | 139 | 140 => (units()? + 1) * 8,
            51 => (units()? + 2) * 4,
            44 => {
                let field = be16(ip.payload, 2).ok_or_else(short)?;
                let fragment = Fragment {
                    id: be32(ip.payload, 4).ok_or_else(short)?,
                    offset: u32::from(field & 0xfff8),
                    more: field & 1 != 0,
                };
                // An atomic fragment (RFC 6946) is a whole datagram.
                ip.fragment = (fragment.offset != 0 || fragment.more).then_some(fragment);
                8
            }
            _ => return Ok(()),
        };
        let fragment_reached = ip.protocol == 44 && ip.fragment.is_some();
        ip.protocol = ip.payload.first().copied().ok_or_else(short)?;
        ip.payload = ip.payload.get(length..).ok_or_else(short)?;
        if fragment_reached {
            return Ok(());
        }
    }
    Err(bad("ip", "ip6_too_many_extensions", "more extension headers than any real packet has"))
}
