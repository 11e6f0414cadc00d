//! IEEE 802.11 frames, bare or behind a radiotap or Prism header.

use super::link::{be16, mac};
use super::{Next, Walk, cut_short};
use crate::layers::{BadHeader, Network};

/// Radiotap: version, pad, length (little-endian), present words; bit 0x10 of the flags field says that a checksum trails.
pub(super) fn radiotap<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("radiotap", "radiotap_header_cut");
    let length = usize::from(be16(bytes, 2).ok_or_else(short)?.swap_bytes());
    let inner = bytes.get(length..).ok_or_else(short)?;
    let trailer = if has_frame_check(bytes) { 4 } else { 0 };
    frame(walk, inner.get(..inner.len().saturating_sub(trailer)).unwrap_or(inner))
}

/// Whether the radiotap flags field is present and says that the frame ends with its check sequence.
fn has_frame_check(bytes: &[u8]) -> bool {
    const TSFT: u8 = 1;
    const FLAGS: u8 = 2;
    let Some(present) = bytes.get(4).copied() else { return false };
    if present & FLAGS == 0 {
        return false;
    }
    // Further present words have bit 31 set in the one before them.
    let mut at = 4usize;
    while bytes.get(at + 3).is_some_and(|top| top & 0x80 != 0) {
        at += 4;
    }
    at += 4;
    if present & TSFT != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    bytes.get(at).is_some_and(|flags| flags & 0x10 != 0)
}

/// Prism header: message code and length, then the frame.
pub(super) fn prism<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("prism", "prism_header_cut");
    let length = bytes.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).ok_or_else(short)?;
    let inner = usize::try_from(length).ok().and_then(|length| bytes.get(length..)).ok_or_else(short)?;
    frame(walk, inner)
}

/// An 802.11 frame (IEEE 802.11-2020 section 9.2). Only unprotected data frames carry anything for us.
pub(super) fn frame<'a>(walk: &mut Walk, bytes: &'a [u8]) -> Result<Next<'a>, BadHeader> {
    let short = || cut_short("802.11", "wlan_header_cut");
    let (control, flags) = match bytes {
        [control, flags, ..] => (*control, *flags),
        _ => return Err(short()),
    };
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    match kind {
        0 => return Ok(Next::End(Network::Nothing("802.11 management"))),
        1 => return Ok(Next::End(Network::Nothing("802.11 control"))),
        2 => {}
        _ => return Ok(Next::End(Network::Unknown("802.11 extension"))),
    }
    let (to_ds, from_ds) = (flags & 1 != 0, flags & 2 != 0);
    let first = mac(bytes, 4).ok_or_else(short)?;
    let second = mac(bytes, 10).ok_or_else(short)?;
    let third = mac(bytes, 16).ok_or_else(short)?;
    let mut header = 24;
    (walk.destination_mac, walk.source_mac) = match (to_ds, from_ds) {
        (false, false) => (Some(first), Some(second)),
        (false, true) => (Some(first), Some(third)),
        (true, false) => (Some(third), Some(second)),
        (true, true) => {
            header += 6;
            (Some(third), mac(bytes, 24))
        }
    };
    if subtype & 4 != 0 {
        return Ok(Next::End(Network::Nothing("802.11 data without payload")));
    }
    let protected = flags & 0x40 != 0;
    if subtype & 8 != 0 {
        let quality = bytes.get(header).copied().unwrap_or(0);
        header += 2;
        if flags & 0x80 != 0 {
            header += 4;
        }
        if quality & 0x80 != 0 {
            return Ok(Next::End(Network::Unknown("802.11 aggregate")));
        }
    }
    if protected {
        let payload = decrypted(bytes.get(header..).unwrap_or_default());
        return Ok(payload.map_or(Next::End(Network::Nothing("802.11 encrypted")), Next::Llc));
    }
    Ok(Next::Llc(bytes.get(header..).ok_or_else(short)?))
}

/// The payload of a protected frame that the card decrypted in place: the initialisation vector of WEP (4 bytes) or of TKIP and
/// CCMP (8 bytes, IEEE 802.11-2020 section 12.5) still stands before an LLC header in clear.
fn decrypted(bytes: &[u8]) -> Option<&[u8]> {
    const SNAP: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0];
    [4, 8].into_iter().filter_map(|vector| bytes.get(vector..)).find(|payload| payload.starts_with(SNAP))
}
