//! Messages of HART-IP and the frames in them.

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// Bytes of a message header.
pub const HEADER: usize = 8;
/// Longest message taken: a frame has at most 255 bytes of data, a direct PDU may hold many commands.
pub const MESSAGE_LIMIT: usize = 4096;

/// What a message does (HCF_SPEC-085 section 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It asks.
    Request,
    /// It answers.
    Response,
    /// It brings values that were subscribed.
    Publish,
    /// It refuses.
    Nak,
}

/// A message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// What it does.
    pub kind: Kind,
    /// 0 opens a session, 1 closes it, 2 keeps it alive, 3 carries a frame, 4 a direct PDU, 5 reads the audit log.
    pub id: u8,
    /// Status of a response.
    pub status: u8,
    /// Number that a response repeats.
    pub sequence: u16,
    /// What follows the header.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// The message that fills `bytes`.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (version, kind, id, status) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let sequence = cursor.be16()?;
        let length = usize::from(cursor.be16()?);
        let kind = match kind {
            0 => Kind::Request,
            1 => Kind::Response,
            2 => Kind::Publish,
            15 => Kind::Nak,
            _ => return None,
        };
        let possible = matches!(version, 1 | 2) && id <= 5 && length == bytes.len();
        possible.then_some(Message { kind, id, status, sequence, body: cursor.rest() })
    }

    /// Whether what it carries is possible, too.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match (self.kind, self.id) {
            (Kind::Request, 0) => self.body.len() == 5 && self.body.first().is_some_and(|master| *master <= 1),
            (Kind::Request, 1 | 2) => self.body.is_empty(),
            (_, 3) => Frame::read(self.body).is_some_and(|frame| frame.check),
            (Kind::Response, 0) => matches!(self.body.len(), 0 | 5),
            (Kind::Response, 1 | 2) => self.body.is_empty(),
            (Kind::Nak, _) => true,
            (_, 4 | 5) => self.body.len() >= 2,
            _ => false,
        }
    }
}

/// Length of the message at the front of a stream.
#[must_use]
pub fn message_length(bytes: &[u8]) -> Length {
    let mut cursor = Cursor::new(bytes);
    let head = (cursor.u8(), cursor.u8(), cursor.u8());
    if !matches!(head, (None | Some(1 | 2), None | Some(0..=2 | 15), None | Some(0..=5))) {
        return Length::Invalid;
    }
    match (cursor.skip(3), cursor.be16().map(usize::from)) {
        (Some(()), Some(length)) if (HEADER..=MESSAGE_LIMIT).contains(&length) => Length::Whole(length),
        (Some(()), Some(_)) => Length::Invalid,
        _ => Length::NeedMore,
    }
}

/// A device on the loop or behind the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// Polling address, 0 to 63; 0 is the gateway or the only instrument.
    Short(u8),
    /// Expanded type and id of the device, without the bits of master and burst.
    Long([u8; 5]),
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Device::Short(address) => write!(f, "device {address}"),
            Device::Long(address) => {
                f.write_str("device ")?;
                address.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// A frame of the token-passing data link layer (HCF_SPEC-081 section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// It comes from the device.
    pub from_device: bool,
    /// It was not asked for.
    pub burst: bool,
    /// Which device.
    pub device: Device,
    /// Command; the number behind command 31 in its place.
    pub command: u16,
    /// Response code and status of the device, of frames from a device.
    pub status: Option<(u8, u8)>,
    /// Data behind them.
    pub data: &'a [u8],
    /// Whether the check byte fits.
    pub check: bool,
}

impl<'a> Frame<'a> {
    /// The frame that fills `bytes`; `None` if its lengths or its delimiter are not possible.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let delimiter = cursor.u8()?;
        let kind = delimiter & 0x07;
        if !matches!(kind, 1 | 2 | 6) {
            return None;
        }
        let device = if delimiter & 0x80 == 0 {
            Device::Short(cursor.u8()? & 0x3f)
        } else {
            let mut address: [u8; 5] = cursor.take(5)?.try_into().ok()?;
            if let Some(first) = address.first_mut() {
                *first &= 0x3f;
            }
            Device::Long(address)
        };
        cursor.skip(usize::from(delimiter >> 5 & 0x03))?;
        let (number, count) = (cursor.u8()?, usize::from(cursor.u8()?));
        let mut data = Cursor::new(cursor.take(count)?);
        cursor.u8()?;
        if !cursor.is_empty() {
            return None;
        }
        let status = if kind == 2 { None } else { Some((data.u8()?, data.u8()?)) };
        let extended = if number == 31 { data.be16() } else { None };
        Some(Frame {
            from_device: kind != 2,
            burst: kind == 1,
            device,
            command: extended.unwrap_or(u16::from(number)),
            status,
            data: data.rest(),
            check: bytes.iter().fold(0u8, |sum, byte| sum ^ byte) == 0,
        })
    }
}

/// Letters of six bits each (HCF_SPEC-127 section 5.1.1), trimmed.
#[must_use]
pub fn packed_text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks_exact(3) {
        let bits = group.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
        for place in [18u32, 12, 6, 0] {
            let code = u8::try_from(bits >> place & 0x3f).unwrap_or(0);
            text.push(char::from(if code < 0x20 { code | 0x40 } else { code }));
        }
    }
    text.trim().to_owned()
}
