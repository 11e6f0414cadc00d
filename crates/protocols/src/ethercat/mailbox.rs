//! Mailbox messages: CoE with its SDO services, FoE, EoE, SoE (ETG.1000.4 section 5.6, ETG.1000.6 sections 5.6 to 5.8).

use crate::bytes::Cursor;

/// Mailbox header.
pub const HEADER: usize = 6;
/// Error.
pub const ERROR: u8 = 0;
/// Ethernet over EtherCAT.
pub const EOE: u8 = 2;
/// CANopen over EtherCAT.
pub const COE: u8 = 3;
/// File access over EtherCAT.
pub const FOE: u8 = 4;
/// Servo drive profile over EtherCAT.
pub const SOE: u8 = 5;

/// A mailbox message.
#[derive(Clone, Copy, Debug)]
pub struct Mailbox<'a> {
    /// Station address of the other end; 0 for the master.
    pub address: u16,
    /// Protocol.
    pub kind: u8,
    /// Counter that tells a repetition.
    pub counter: u8,
    /// The message.
    pub body: &'a [u8],
}

/// Whether `data` of a read or write of memory is a mailbox message. Strict: process data lies in the same memory.
#[must_use]
pub fn read(data: &[u8]) -> Option<Mailbox<'_>> {
    let mut c = Cursor::new(data);
    let (length, address, channel, kind) = (c.le16()?, c.le16()?, c.u8()?, c.u8()?);
    let body = c.take(usize::from(length))?;
    let mailbox = Mailbox { address, kind: kind & 0x0f, counter: (kind >> 4) & 7, body };
    let sensible = channel & 0x3f == 0 && kind & 0x80 == 0;
    let plausible = match mailbox.kind {
        ERROR => body.len() == 4 && body.starts_with(&[1, 0]),
        EOE => body.len() >= 4 && body.first().is_some_and(|first| first & 0x0f <= 8),
        COE => coe_service(body).is_some_and(|service| (1..=8).contains(&service)) && body.len() >= 6,
        FOE => body.len() >= 6 && body.first().is_some_and(|code| (1..=6).contains(code)),
        SOE => body.len() >= 4 && body.first().is_some_and(|first| (1..=6).contains(&(first & 7))),
        _ => false,
    };
    (sensible && plausible).then_some(mailbox)
}

/// CoE service: 1 emergency, 2 SDO request, 3 SDO response, 4 to 7 PDO, 8 SDO information.
#[must_use]
pub fn coe_service(body: &[u8]) -> Option<u8> {
    let word = Cursor::new(body).le16()?;
    if word & 0x0e00 != 0 {
        return None;
    }
    u8::try_from(word >> 12).ok()
}

/// Name of a CoE service.
#[must_use]
pub const fn coe_name(service: u8) -> &'static str {
    match service {
        1 => "CoE emergency",
        2 => "SDO request",
        3 => "SDO response",
        4 => "CoE transmit PDO",
        5 => "CoE receive PDO",
        6 => "CoE transmit PDO remote request",
        7 => "CoE receive PDO remote request",
        8 => "SDO information",
        _ => "CoE unknown service",
    }
}

/// An SDO message behind the CoE header (ETG.1000.6 section 5.6.2).
#[derive(Clone, Copy, Debug)]
pub struct Sdo<'a> {
    /// Command specifier: the top three bits.
    pub specifier: u8,
    /// Index and subindex; a segment has none.
    pub object: Option<(u16, u8)>,
    /// Whether all subindices are meant.
    pub complete_access: bool,
    /// Size of the whole value, where stated.
    pub size: Option<u32>,
    /// Abort code.
    pub abort: Option<u32>,
    /// Value, or part of it.
    pub data: &'a [u8],
    /// Whether more segments follow (segments) or will (initiation).
    pub more: bool,
}

/// Command specifier of an abort.
pub const ABORT: u8 = 4;

/// Takes an SDO message apart. `request` says in which direction the specifier is to be read.
#[must_use]
pub fn sdo(body: &[u8], request: bool) -> Option<Sdo<'_>> {
    let mut c = Cursor::new(body);
    c.skip(2)?;
    let command = c.u8()?;
    let specifier = command >> 5;
    let mut sdo =
        Sdo { specifier, object: None, complete_access: false, size: None, abort: None, data: &[], more: false };
    // Segments: download request 0, upload request 3; download response 1, upload response 0.
    let segment = if request { specifier == 0 || specifier == 3 } else { specifier <= 1 };
    if segment {
        let carries = specifier == 0;
        let unused = usize::from((command >> 1) & 7);
        sdo.more = carries && command & 1 == 0;
        if carries {
            let data = c.rest();
            // Only a segment of the least size, seven bytes, may have unused ones.
            let used = if data.len() <= 7 { data.len().saturating_sub(unused) } else { data.len() };
            sdo.data = data.get(..used).unwrap_or(data);
        }
        return Some(sdo);
    }
    sdo.object = Some((c.le16()?, c.u8()?));
    sdo.complete_access = command & 0x10 != 0;
    if specifier == ABORT {
        sdo.abort = Some(c.le32()?);
        return Some(sdo);
    }
    // The value: in a download request (1), in an upload response (2).
    let carries = if request { specifier == 1 } else { specifier == 2 };
    if !carries {
        return Some(sdo);
    }
    if command & 2 != 0 {
        let unused = if command & 1 != 0 { usize::from((command >> 2) & 3) } else { 0 };
        sdo.data = c.take(4)?.get(..4_usize.saturating_sub(unused)).unwrap_or_default();
        sdo.size = u32::try_from(sdo.data.len()).ok();
    } else {
        let size = c.le32()?;
        sdo.size = Some(size);
        let whole = usize::try_from(size).unwrap_or(usize::MAX);
        sdo.data = c.rest().get(..whole).unwrap_or(c.rest());
        sdo.more = sdo.data.len() < whole;
    }
    Some(sdo)
}

/// An FoE message (ETG.1000.6 section 5.8).
#[derive(Clone, Copy, Debug)]
pub enum Foe<'a> {
    /// Read request: the file goes out of the slave. Password given or not, file name.
    Read(bool, &'a [u8]),
    /// Write request: the file goes into the slave.
    Write(bool, &'a [u8]),
    /// Packet number and data.
    Data(u32, &'a [u8]),
    /// Packet number.
    Acknowledge(u32),
    /// Error code.
    Error(u32),
    /// The slave is busy.
    Busy,
}

/// Takes an FoE message apart.
#[must_use]
pub fn foe(body: &[u8]) -> Option<Foe<'_>> {
    let mut c = Cursor::new(body);
    let code = c.u8()?;
    c.skip(1)?;
    if code == 6 {
        return Some(Foe::Busy);
    }
    let number = c.le32()?;
    Some(match code {
        1 => Foe::Read(number != 0, c.rest()),
        2 => Foe::Write(number != 0, c.rest()),
        3 => Foe::Data(number, c.rest()),
        4 => Foe::Acknowledge(number),
        5 => Foe::Error(number),
        _ => return None,
    })
}
