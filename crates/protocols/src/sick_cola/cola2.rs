//! Telegrams of CoLa 2: the four STX and length of CoLa B, then hub counter, cascades, session and request number; no checksum.

use super::names;
use super::telegram::{Dialect, HEADER_B, LIMIT, STX, Telegram};
use crate::Probe;
use crate::bytes::Cursor;

/// Bytes from the hub counter to the mode: the least that a length counts.
pub const LEAST: usize = 10;
/// More hubs than this in a row are no plausible network of sensors.
const HUB_LIMIT: u8 = 16;
/// Set in the byte of cascades by devices in a network of sensors when they answer.
const ANSWER: u8 = 0x80;

/// Whether the byte behind the length is a hub counter and not the `s` of CoLa B.
pub const fn is_hub_counter(byte: u8) -> bool {
    byte <= HUB_LIMIT
}

/// What the first bytes say: the four STX, a plausible length, hub counter, cascades, and a known command.
pub fn probe(bytes: &[u8]) -> Probe {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(4) != Some(&[STX; 4]) {
        return Probe::No;
    }
    let Some(length) = cursor.be32().and_then(|length| usize::try_from(length).ok()) else { return Probe::Unsure };
    if !(LEAST..LIMIT).contains(&length) {
        return Probe::No;
    }
    let Some(hub) = cursor.u8() else { return Probe::Unsure };
    let Some(cascades) = cursor.u8() else { return if is_hub_counter(hub) { Probe::Unsure } else { Probe::No } };
    if !is_hub_counter(hub) || cascades & !ANSWER > HUB_LIMIT {
        return Probe::No;
    }
    if cursor.skip(6).is_none() {
        return Probe::Unsure;
    }
    let (Some(command), Some(mode)) = (cursor.u8(), cursor.u8()) else { return Probe::Unsure };
    let kind = [command, mode.to_ascii_uppercase()];
    if names::answers(kind).is_some() || matches!(&kind, b"FA" | b"SN" | b"SI") {
        Probe::YesFromServer
    } else if names::command(kind).is_some() {
        Probe::Yes
    } else {
        Probe::No
    }
}

/// Reads a whole frame; none if it is no telegram.
pub fn read(frame: &[u8]) -> Option<Telegram<'_>> {
    let mut cursor = Cursor::new(frame.get(HEADER_B..)?);
    let (_hub, cascades) = (cursor.u8()?, cursor.u8()?);
    if cascades & !ANSWER != 0 {
        // Where the addresses of the hubs on the way end is not published.
        return None;
    }
    let (session, request) = (cursor.be32()?, cursor.be16()?);
    let kind = [cursor.u8()?, cursor.u8()?.to_ascii_uppercase()];
    let plain = Telegram {
        kind,
        name: "",
        index: None,
        values: cursor.rest(),
        dialect: Dialect::Two { session, request },
        sound: true,
    };
    if matches!(&kind, b"FA" | b"OX" | b"OA" | b"CX" | b"CA") {
        return Some(plain);
    }
    if let Some((name, values)) = by_name(plain.values) {
        return Some(Telegram { name, values, ..plain });
    }
    // Safety scanners, the only ones known to go by index, send low bytes first.
    let index = cursor.le16()?;
    Some(Telegram { index: Some(index), values: cursor.rest(), ..plain })
}

/// A blank, a name, and what follows behind a further blank.
fn by_name(rest: &[u8]) -> Option<(&str, &[u8])> {
    let rest = rest.strip_prefix(b" ")?;
    let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
    let (name, values) = rest.split_at_checked(end)?;
    let name = std::str::from_utf8(name).ok().filter(|name| super::telegram::is_name(name))?;
    Some((name, values.get(1..).unwrap_or_default()))
}

/// What a request to create a session says: time-out in seconds, and the length of the client's name behind it.
pub fn session(values: &[u8]) -> Option<(u8, &[u8])> {
    let mut cursor = Cursor::new(values);
    let timeout = cursor.u8()?;
    // The length has two bytes in either order; the name fills what is left.
    let name = cursor.skip(2).map_or(&[][..], |()| cursor.rest());
    Some((timeout, name))
}
