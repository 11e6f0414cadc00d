//! Framing, and the messages that open, refresh and end a session.

use std::net::Ipv4Addr;

use quaywatch_wire::Length;

use super::names;
use crate::bytes::{Cursor, device_text};

/// Marker, length, type (RFC 4271 section 4.1).
pub(super) const HEADER: usize = 19;
/// Bytes of all ones in front of each message.
const MARKER: usize = 16;
/// The longest message (RFC 8654 section 3).
pub(super) const LONGEST: usize = 65_535;
/// The longest one unless both ends say that they take longer ones, and always of an open and a keepalive.
const USUAL_LONGEST: usize = 4096;
/// Capabilities told of one open.
const MAX_CAPABILITIES: usize = 64;
/// Stands for an autonomous system's number that does not fit two bytes (RFC 6793 section 9).
pub(super) const AS_TRANS: u16 = 23_456;

/// Bytes of the message at the front.
pub(super) fn length(bytes: &[u8]) -> Length {
    if bytes.iter().take(MARKER).any(|byte| *byte != 0xff) {
        return Length::Invalid;
    }
    let (Some([high, low]), Some(kind)) = (bytes.get(MARKER..MARKER + 2), bytes.get(MARKER + 2)) else {
        return Length::NeedMore;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let fits = match kind {
        1 => (29..=USUAL_LONGEST).contains(&length),
        2 => length >= 23,
        3 => length >= 21,
        4 => length == HEADER,
        5 => (23..=USUAL_LONGEST).contains(&length),
        _ => false,
    };
    if fits { Length::Whole(length) } else { Length::Invalid }
}

/// A family of addresses and how they are used.
pub(super) type Family = (u16, u8);
/// Unicast of IPv4 and of IPv6.
pub(super) const IP4: Family = (1, 1);
pub(super) const IP6: Family = (2, 1);

/// How a sender of a session writes its routes.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Ability {
    /// Whether an open was seen.
    pub(super) known: bool,
    /// Numbers of autonomous systems have four bytes (RFC 6793).
    pub(super) four_octets: bool,
    /// Additional paths (RFC 7911) of [`IP4`] and [`IP6`]: bit 0 takes them, bit 1 sends them.
    pub(super) paths: [u8; 2],
}

/// An open (RFC 4271 section 4.2, RFC 5492).
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) version: u8,
    /// The number as in the fixed part, and the true one where it has four bytes.
    pub(super) short_system: u16,
    pub(super) system: u32,
    /// Seconds.
    pub(super) hold: u16,
    pub(super) identifier: Ipv4Addr,
    pub(super) capabilities: Vec<u8>,
    pub(super) families: Vec<Family>,
    pub(super) host_name: Option<String>,
    pub(super) domain: Option<String>,
    pub(super) software: Option<String>,
    /// Role among neighbours (RFC 9234 section 4.1).
    pub(super) role: Option<u8>,
    pub(super) ability: Ability,
    /// The optional parameters were read to their end.
    pub(super) whole: bool,
}

impl Open {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let (version, short_system, hold) = (cursor.u8()?, cursor.be16()?, cursor.be16()?);
        let identifier = Ipv4Addr::from(cursor.be32()?);
        let mut open = Open {
            version,
            short_system,
            system: u32::from(short_system),
            hold,
            identifier,
            capabilities: Vec::new(),
            families: Vec::new(),
            host_name: None,
            domain: None,
            software: None,
            role: None,
            ability: Ability { known: true, ..Ability::default() },
            whole: false,
        };
        open.whole = open.parameters(&mut cursor).is_some() && cursor.is_empty();
        Some(open)
    }

    fn parameters(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let length = cursor.u8()?;
        // A length of all ones with a type of all ones: lengths have two bytes (RFC 9072 section 2).
        let extended = length == 255 && cursor.rest().first() == Some(&255);
        let length = if extended { cursor.skip(1).and_then(|()| cursor.be16())? } else { u16::from(length) };
        let mut parameters = Cursor::new(cursor.take(usize::from(length))?);
        while !parameters.is_empty() {
            let kind = parameters.u8()?;
            let length = if extended { parameters.be16()? } else { u16::from(parameters.u8()?) };
            let value = parameters.take(usize::from(length))?;
            if kind == 2 {
                self.capabilities(Cursor::new(value))?;
            }
        }
        Some(())
    }

    fn capabilities(&mut self, mut cursor: Cursor<'_>) -> Option<()> {
        while !cursor.is_empty() {
            let (code, length) = (cursor.u8()?, usize::from(cursor.u8()?));
            let value = cursor.take(length)?;
            if self.capabilities.len() < MAX_CAPABILITIES {
                self.capabilities.push(code);
                self.capability(code, Cursor::new(value))?;
            }
        }
        Some(())
    }

    fn capability(&mut self, code: u8, mut value: Cursor<'_>) -> Option<()> {
        match code {
            1 => {
                let family = value.be16()?;
                value.skip(1)?;
                self.families.push((family, value.u8()?));
            }
            9 => self.role = Some(value.u8()?),
            65 => {
                self.system = value.be32()?;
                self.ability.four_octets = true;
            }
            69 => {
                while !value.is_empty() {
                    let (family, mode) = ((value.be16()?, value.u8()?), value.u8()?);
                    let [four, six] = &mut self.ability.paths;
                    match family {
                        IP4 => *four = mode,
                        IP6 => *six = mode,
                        _ => {}
                    }
                }
            }
            73 => {
                self.host_name = counted_text(&mut value)?;
                self.domain = counted_text(&mut value)?;
            }
            75 => self.software = counted_text(&mut value)?,
            _ => {}
        }
        Some(())
    }
}

fn counted_text(cursor: &mut Cursor<'_>) -> Option<Option<String>> {
    let length = usize::from(cursor.u8()?);
    cursor.take(length).map(device_text)
}

/// A notification (RFC 4271 section 4.5): why the session ends.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    pub(super) code: u8,
    pub(super) detail: u8,
    /// What an administrator had to say about it (RFC 9003).
    pub(super) communication: Option<String>,
}

impl Notification {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let (code, detail) = (cursor.u8()?, cursor.u8()?);
        let spoken = matches!((code, detail), (6, 2 | 4));
        let communication = if spoken { counted_text(&mut cursor).flatten() } else { None };
        Some(Notification { code, detail, communication })
    }

    /// In words.
    pub(super) fn name(&self) -> String {
        let (error, detail) = (names::error(self.code), names::error_detail(self.code, self.detail));
        if detail.is_empty() { error.to_owned() } else { format!("{error}: {detail}") }
    }
}
