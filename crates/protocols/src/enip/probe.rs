//! Tells EtherNet/IP from other traffic, by the header and the items behind it.

use super::encapsulation::{
    self, Header, LIST_IDENTITY, LIST_INTERFACES, LIST_SERVICES, LIST_TARGETS, NOP, REGISTER, SEND_RR_DATA,
    SEND_UNIT_DATA, UNREGISTER, is_item, items,
};
use super::explicit::explicit;
use super::listing;
use crate::Probe;

/// Whether these are the first bytes of a message of the encapsulation, and whose.
pub fn probe_message(data: &[u8], stream: bool) -> Probe {
    let Some((header, rest)) = Header::read(data) else {
        let command = data.first_chunk().copied().map(u16::from_le_bytes);
        // Two bytes of which one is zero open many protocols; only the rest of the header will tell.
        let open = stream && command.is_none_or(|code| code != NOP && !encapsulation::command(code).is_empty());
        return if open { Probe::Unsure } else { Probe::No };
    };
    let known = !encapsulation::command(header.command).is_empty() && !encapsulation::status(header.status).is_empty();
    let length = usize::from(header.length);
    if !known || header.options != 0 || (!stream && length != rest.len()) {
        return Probe::No;
    }
    let body = rest.get(..length.min(rest.len())).unwrap_or_default();
    match header.command {
        SEND_RR_DATA | SEND_UNIT_DATA if header.status != 0 && length == 0 => Probe::YesFromServer,
        SEND_RR_DATA | SEND_UNIT_DATA => probe_cip(body, length),
        REGISTER if length == 4 && body.first().is_none_or(|version| *version == 1) => {
            if header.session == 0 {
                Probe::Yes
            } else {
                Probe::YesFromServer
            }
        }
        LIST_IDENTITY | LIST_SERVICES | LIST_INTERFACES if length == 0 && rest.is_empty() => Probe::Yes,
        LIST_IDENTITY if listing::identity(body).is_some() => Probe::YesFromServer,
        LIST_SERVICES if items(body).flatten().any(|item| item.kind == encapsulation::SERVICES_ITEM) => {
            Probe::YesFromServer
        }
        UNREGISTER if length == 0 && header.session != 0 && rest.is_empty() => Probe::Yes,
        LIST_INTERFACES | LIST_TARGETS | NOP => Probe::Unsure,
        LIST_IDENTITY | LIST_SERVICES if body.len() < length => Probe::Unsure,
        _ => Probe::No,
    }
}

/// Interface handle 0, a timeout, a few items of known types. The body may be the beginning only of what has this length.
fn probe_cip(body: &[u8], length: usize) -> Probe {
    let count = body.get(6..8).and_then(|count| count.first_chunk().copied()).map(u16::from_le_bytes);
    let kind = body.get(8..10).and_then(|kind| kind.first_chunk().copied()).map(u16::from_le_bytes);
    let fits = body.get(..4).is_none_or(|handle| handle == [0; 4])
        && count.is_none_or(|count| (1..=8).contains(&count))
        && kind.is_none_or(is_item);
    if !fits {
        return Probe::No;
    }
    match body.get(6..).and_then(explicit) {
        Some(message) if message.is_reply() => Probe::YesFromServer,
        Some(_) => Probe::Yes,
        None if kind.is_some() || body.len() < length => Probe::Unsure,
        None => Probe::No,
    }
}
