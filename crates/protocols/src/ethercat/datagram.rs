//! Layout of EtherCAT frames and datagrams (ETG.1000.4 section 5.3 and 5.4). All little-endian.

use crate::bytes::Cursor;

/// Frame header.
pub const FRAME_HEADER: usize = 2;
/// Frame type of datagrams to slaves.
pub const TYPE_DATAGRAMS: u8 = 1;
/// Frame type of network variables between masters.
pub const TYPE_NETWORK_VARIABLES: u8 = 4;
/// Frame type of mailbox messages through a gateway.
pub const TYPE_MAILBOX: u8 = 5;

/// Length and type of a frame, and its body without padding. The body is shorter than said where the frame lacks bytes.
#[must_use]
pub fn frame(data: &[u8]) -> Option<(u8, usize, &[u8])> {
    let mut c = Cursor::new(data);
    let word = c.le16()?;
    let length = usize::from(word & 0x07ff);
    let kind = u8::try_from(word >> 12).ok()?;
    Some((kind, length, c.rest().get(..length).unwrap_or(c.rest())))
}

/// One datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Command.
    pub command: u8,
    /// Index, by which the master knows its own.
    pub index: u8,
    /// The four address bytes as one number: station in the low half and offset in the high half, or a logical address.
    pub address: u32,
    /// Data.
    pub data: &'a [u8],
    /// Working counter: how many slaves did their part.
    pub working: u16,
    /// Whether another datagram follows.
    pub more: bool,
}

impl<'a> Datagram<'a> {
    /// The next datagram.
    pub fn read(c: &mut Cursor<'a>) -> Option<Self> {
        let (command, index, address, length) = (c.u8()?, c.u8()?, c.le32()?, c.le16()?);
        c.skip(2)?;
        let data = c.take(usize::from(length & 0x07ff))?;
        Some(Datagram { command, index, address, data, working: c.le16()?, more: length & 0x8000 != 0 })
    }

    /// Station address or position counter.
    #[must_use]
    pub fn station(&self) -> u16 {
        u16::try_from(self.address & 0xffff).unwrap_or(0)
    }

    /// Offset in the memory of the slave.
    #[must_use]
    pub fn offset(&self) -> u16 {
        u16::try_from(self.address >> 16).unwrap_or(0)
    }
}
