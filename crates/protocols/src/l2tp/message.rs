//! Packets of version 2 (RFC 2661 section 3.1) and 3 (RFC 3931 section 3.2), and the attributes of control messages.

use quaywatch_model::Transport;

use crate::bytes::{Cursor, device_text};

/// IP protocol number of version 3 without UDP.
pub(super) const IP_PROTOCOL: u8 = 115;
/// Attributes read of a message.
const MAX_ATTRIBUTES: usize = 64;

/// A packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Packet<'a> {
    Control(Control<'a>),
    Data(Data<'a>),
}

/// A control message. Version 3 has no session in its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Control<'a> {
    pub(super) version: u8,
    pub(super) tunnel: u32,
    pub(super) session: u16,
    pub(super) ns: u16,
    pub(super) attributes: &'a [u8],
    /// The datagram has just the bytes that its length says.
    pub(super) exact: bool,
}

/// A packet of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Data<'a> {
    pub(super) version: u8,
    /// Version 3 names the session alone.
    pub(super) tunnel: u16,
    pub(super) session: u32,
    /// Of version 3 with the cookie, whose length only the control messages tell.
    pub(super) payload: &'a [u8],
}

/// Reads a packet; `None` if it is none.
pub(super) fn read(data: &[u8], transport: Transport) -> Option<Packet<'_>> {
    if transport != Transport::Ip(IP_PROTOCOL) {
        return datagram(data);
    }
    let mut cursor = Cursor::new(data);
    match cursor.be32()? {
        0 => match datagram(cursor.rest())? {
            Packet::Control(control) if control.version == 3 => Some(Packet::Control(control)),
            _ => None,
        },
        session => Some(Packet::Data(Data { version: 3, tunnel: 0, session, payload: cursor.rest() })),
    }
}

fn datagram(data: &[u8]) -> Option<Packet<'_>> {
    let mut cursor = Cursor::new(data);
    match cursor.be16()? {
        0xc802 => {
            let length = usize::from(cursor.be16()?);
            let (tunnel, session, ns) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
            cursor.skip(2)?;
            control(
                data,
                length,
                Control { version: 2, tunnel: tunnel.into(), session, ns, attributes: b"", exact: true },
            )
        }
        0xc803 => {
            let length = usize::from(cursor.be16()?);
            let (tunnel, ns) = (cursor.be32()?, cursor.be16()?);
            cursor.skip(2)?;
            control(data, length, Control { version: 3, tunnel, session: 0, ns, attributes: b"", exact: true })
        }
        3 => {
            let (reserved, session) = (cursor.be16()?, cursor.be32()?);
            let packet = Data { version: 3, tunnel: 0, session, payload: cursor.rest() };
            (reserved == 0 && session != 0).then_some(Packet::Data(packet))
        }
        // Type 0 and the reserved bits clear.
        flags if flags & 0xb4ff == 2 => session_data(flags, cursor),
        _ => None,
    }
}

/// Both versions have twelve bytes of header before the attributes.
fn control<'a>(data: &'a [u8], length: usize, control: Control<'a>) -> Option<Packet<'a>> {
    let attributes = data.get(12..length)?;
    Some(Packet::Control(Control { attributes, exact: length == data.len(), ..control }))
}

fn session_data(flags: u16, mut cursor: Cursor<'_>) -> Option<Packet<'_>> {
    let all = cursor.left().checked_add(2)?;
    if flags & 0x4000 != 0 && usize::from(cursor.be16()?) > all {
        return None;
    }
    let (tunnel, session) = (cursor.be16()?, cursor.be16()?);
    if flags & 0x0800 != 0 {
        cursor.skip(4)?;
    }
    if flags & 0x0200 != 0 {
        let offset = usize::from(cursor.be16()?);
        cursor.skip(offset)?;
    }
    let payload = cursor.rest();
    (tunnel != 0 && session != 0).then_some(Packet::Data(Data { version: 2, tunnel, session: session.into(), payload }))
}

/// What the attributes of a control message say (RFC 2661 section 4.4, RFC 3931 section 5.4).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Facts {
    /// Message type; 0 if the first attribute is none.
    pub(super) kind: u16,
    pub(super) result: Option<u16>,
    pub(super) error: Option<u16>,
    pub(super) text: Option<String>,
    pub(super) version: Option<(u8, u8)>,
    pub(super) firmware: Option<u16>,
    pub(super) host: String,
    pub(super) vendor: String,
    /// The id that the sender gave the tunnel, and the session.
    pub(super) assigned_tunnel: Option<u32>,
    pub(super) assigned_session: Option<u32>,
    /// The id that the receiver gave the session (version 3).
    pub(super) remote_session: Option<u32>,
    pub(super) challenge: bool,
    pub(super) called: Option<String>,
    pub(super) calling: Option<String>,
    pub(super) remote_end: Option<String>,
    pub(super) connect_speed: Option<u32>,
    pub(super) pseudowire: Option<u16>,
    pub(super) proxy_type: Option<u16>,
    pub(super) proxy_name: Option<String>,
    /// Hidden by the tunnel's secret (RFC 2661 section 4.3): not read.
    pub(super) hidden: u32,
}

/// Calls `each` with vendor, type, whether hidden, and value; whether the attributes fill the message.
fn each<'a>(attributes: &'a [u8], mut each: impl FnMut(u16, u16, bool, &'a [u8])) -> bool {
    let mut cursor = Cursor::new(attributes);
    for _ in 0..MAX_ATTRIBUTES {
        if cursor.is_empty() {
            return true;
        }
        let (Some(head), Some(vendor), Some(kind)) = (cursor.be16(), cursor.be16(), cursor.be16()) else {
            return false;
        };
        let value = usize::from(head & 0x3ff).checked_sub(6).and_then(|length| cursor.take(length));
        let (Some(value), 0) = (value, head & 0x3c00) else { return false };
        each(vendor, kind, head & 0x4000 != 0, value);
    }
    cursor.is_empty()
}

/// Whether attributes begin with a message type and fill the message.
pub(super) fn message_type(attributes: &[u8]) -> Option<u16> {
    let mut first = None;
    let whole = each(attributes, |vendor, kind, hidden, value| {
        if first.is_none() {
            first = Some((vendor, kind, hidden, value));
        }
    });
    match first {
        Some((0, 0, false, [high, low])) if whole => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

impl Facts {
    /// Reads the attributes; `secret` is called with account and password of a caller that the concentrator passes on,
    /// if it is readable. Whether they fill the message.
    pub(super) fn read(attributes: &[u8], mut secret: impl FnMut(&str, &[u8])) -> (Facts, bool) {
        let mut facts = Facts::default();
        let mut response: &[u8] = b"";
        let whole = each(attributes, |vendor, kind, hidden, value| match (vendor, kind) {
            _ if hidden => facts.hidden = facts.hidden.saturating_add(1),
            (0, 33) => response = value,
            (0, _) => facts.attribute(kind, value),
            _ => {}
        });
        if facts.proxy_type == Some(3) && !response.is_empty() {
            secret(facts.proxy_name.as_deref().unwrap_or_default(), response);
        }
        (facts, whole)
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let mut cursor = Cursor::new(value);
        match kind {
            0 => self.kind = cursor.be16().unwrap_or(0),
            1 => {
                (self.result, self.error) = (cursor.be16(), cursor.be16());
                self.text = device_text(cursor.rest());
            }
            2 => self.version = cursor.u8().zip(cursor.u8()),
            6 => self.firmware = cursor.be16(),
            7 => self.host = device_text(value).unwrap_or_default(),
            8 => self.vendor = device_text(value).unwrap_or_default(),
            9 => self.assigned_tunnel = cursor.be16().map(u32::from),
            11 => self.challenge = true,
            14 => self.assigned_session = cursor.be16().map(u32::from),
            21 => self.called = device_text(value),
            22 => self.calling = device_text(value),
            24 => self.connect_speed = cursor.be32(),
            29 => self.proxy_type = cursor.be16(),
            30 => self.proxy_name = device_text(value),
            61 => self.assigned_tunnel = cursor.be32(),
            63 => self.assigned_session = cursor.be32(),
            64 => self.remote_session = cursor.be32(),
            66 => self.remote_end = device_text(value),
            68 => self.pseudowire = cursor.be16(),
            _ => {}
        }
    }
}
