//! The encapsulation of EtherNet/IP: header, commands, Common Packet Format (CIP Networks Library Volume 2 chapter 2).

use crate::bytes::Cursor;

/// Bytes of the header.
pub const HEADER: usize = 24;
/// Longest message: the length field has two bytes.
pub const MESSAGE_LIMIT: usize = HEADER + 0xffff;

/// NOP.
pub const NOP: u16 = 0x0000;
/// A listing of targets, of the time before ListServices; not in the standard any more.
pub const LIST_TARGETS: u16 = 0x0001;
/// ListServices.
pub const LIST_SERVICES: u16 = 0x0004;
/// ListIdentity.
pub const LIST_IDENTITY: u16 = 0x0063;
/// ListInterfaces.
pub const LIST_INTERFACES: u16 = 0x0064;
/// RegisterSession.
pub const REGISTER: u16 = 0x0065;
/// UnRegisterSession.
pub const UNREGISTER: u16 = 0x0066;
/// SendRRData.
pub const SEND_RR_DATA: u16 = 0x006f;
/// SendUnitData.
pub const SEND_UNIT_DATA: u16 = 0x0070;
/// IndicateStatus, reserved.
pub const INDICATE_STATUS: u16 = 0x0072;
/// Cancel, reserved.
pub const CANCEL: u16 = 0x0073;

/// Name of a command (table 2-3.2). Empty if it is none.
#[must_use]
pub const fn command(code: u16) -> &'static str {
    match code {
        NOP => "NOP",
        LIST_TARGETS => "List Targets",
        LIST_SERVICES => "List Services",
        LIST_IDENTITY => "List Identity",
        LIST_INTERFACES => "List Interfaces",
        REGISTER => "Register Session",
        UNREGISTER => "Unregister Session",
        SEND_RR_DATA => "Send RR Data",
        SEND_UNIT_DATA => "Send Unit Data",
        INDICATE_STATUS => "Indicate Status",
        CANCEL => "Cancel",
        _ => "",
    }
}

/// Name of an encapsulation status (table 2-3.3). Empty if it is none.
#[must_use]
pub const fn status(code: u32) -> &'static str {
    match code {
        0x00 => "success",
        0x01 => "invalid or unsupported command",
        0x02 => "insufficient memory",
        0x03 => "incorrect data",
        0x64 => "invalid session handle",
        0x65 => "invalid length",
        0x69 => "unsupported protocol revision",
        _ => "",
    }
}

/// The header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Command.
    pub command: u16,
    /// Bytes that follow the header.
    pub length: u16,
    /// Session handle.
    pub session: u32,
    /// Status.
    pub status: u32,
    /// Sender context: a reply repeats its request's.
    pub context: u64,
    /// Options, 0.
    pub options: u32,
}

impl Header {
    /// The header at the start of `message`, and what follows it.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<(Header, &[u8])> {
        let mut cursor = Cursor::new(message);
        let header = Header {
            command: cursor.le16()?,
            length: cursor.le16()?,
            session: cursor.le32()?,
            status: cursor.le32()?,
            context: cursor.le64()?,
            options: cursor.le32()?,
        };
        Some((header, cursor.rest()))
    }
}

/// Item that names no address.
pub const NULL_ADDRESS: u16 = 0x0000;
/// Item with the answer to ListIdentity.
pub const IDENTITY_ITEM: u16 = 0x000c;
/// Item with a connection id.
pub const CONNECTED_ADDRESS: u16 = 0x00a1;
/// Item with a message of a connection.
pub const CONNECTED_DATA: u16 = 0x00b1;
/// Item with a message without connection.
pub const UNCONNECTED_DATA: u16 = 0x00b2;
/// Item with the answer to ListServices.
pub const SERVICES_ITEM: u16 = 0x0100;
/// Item with a socket address, originator to target.
pub const SOCKET_TO_TARGET: u16 = 0x8000;
/// Item with a socket address, target to originator.
pub const SOCKET_TO_ORIGINATOR: u16 = 0x8001;
/// Item with connection id and sequence number of I/O.
pub const SEQUENCED_ADDRESS: u16 = 0x8002;

/// Whether an item type is assigned (table 2-6.3).
#[must_use]
pub const fn is_item(kind: u16) -> bool {
    matches!(
        kind,
        NULL_ADDRESS
            | 0x0001
            | IDENTITY_ITEM
            | 0x0086
            | CONNECTED_ADDRESS
            | CONNECTED_DATA
            | UNCONNECTED_DATA
            | SERVICES_ITEM
            | SOCKET_TO_TARGET
            | SOCKET_TO_ORIGINATOR
            | SEQUENCED_ADDRESS
            | 0x8003
    )
}

/// An item of the Common Packet Format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item<'a> {
    /// Its type.
    pub kind: u16,
    /// Its data.
    pub data: &'a [u8],
}

/// Items after their count; `None` where one runs beyond the end, which ends them.
pub fn items(bytes: &[u8]) -> impl Iterator<Item = Option<Item<'_>>> {
    let mut cursor = Cursor::new(bytes);
    let mut left = cursor.le16();
    std::iter::from_fn(move || {
        left = left?.checked_sub(1);
        left?;
        let item = item(&mut cursor);
        if item.is_none() {
            left = Some(0);
        }
        Some(item)
    })
}

fn item<'a>(cursor: &mut Cursor<'a>) -> Option<Item<'a>> {
    let kind = cursor.le16()?;
    let length = usize::from(cursor.le16()?);
    Some(Item { kind, data: cursor.take(length)? })
}

/// Cyclic I/O data as a datagram has it: no header, a sequenced address item and a data item that fill it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CyclicIo<'a> {
    /// Connection id.
    pub connection: u32,
    /// Sequence number of the encapsulation.
    pub sequence: u32,
    /// The data, with the CIP sequence count of transport class 1 in front.
    pub data: &'a [u8],
}

impl<'a> CyclicIo<'a> {
    /// Reads a datagram; `None` if it is not cyclic I/O.
    #[must_use]
    pub fn read(datagram: &'a [u8]) -> Option<CyclicIo<'a>> {
        let mut cursor = Cursor::new(datagram);
        if cursor.le16()? != 2 {
            return None;
        }
        let address = item(&mut cursor).filter(|item| item.kind == SEQUENCED_ADDRESS && item.data.len() == 8)?;
        let data = item(&mut cursor).filter(|item| item.kind == CONNECTED_DATA && cursor.is_empty())?;
        let mut address = Cursor::new(address.data);
        Some(CyclicIo { connection: address.le32()?, sequence: address.le32()?, data: data.data })
    }
}
