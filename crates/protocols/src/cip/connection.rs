//! Connections: what Forward Open asks for, and which connection ids belong together (CIP Networks Library Volume 1 chapter 3-5.5).

use crate::bytes::Cursor;
use crate::detail_json::DetailJson;

/// Connections remembered by one flow; the oldest is forgotten.
pub const CONNECTIONS_LIMIT: usize = 64;

/// Names a connection between originator and target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Serial {
    /// Connection serial number.
    pub number: u16,
    /// Vendor id of the originator.
    pub vendor: u16,
    /// Serial number of the originator.
    pub originator: u32,
}

impl Serial {
    fn read(cursor: &mut Cursor<'_>) -> Option<Serial> {
        Some(Serial { number: cursor.le16()?, vendor: cursor.le16()?, originator: cursor.le32()? })
    }

    /// Adds it to a detail.
    pub fn tell(&self, detail: &mut DetailJson) {
        detail.number("connection_serial", self.number);
        detail.number("originator_vendor", self.vendor);
        detail.text("originator_serial", format_args!("{:08x}", self.originator));
    }
}

/// Data of a Forward Open or Large Forward Open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open<'a> {
    /// Its name.
    pub serial: Serial,
    /// Requested packet interval from originator to target, microseconds.
    pub to_target_interval: u32,
    /// Network parameters from originator to target.
    pub to_target: u32,
    /// Requested packet interval from target to originator, microseconds.
    pub to_originator_interval: u32,
    /// Network parameters from target to originator.
    pub to_originator: u32,
    /// Transport class and trigger.
    pub transport: u8,
    /// Connection path.
    pub path: &'a [u8],
}

impl<'a> Open<'a> {
    /// Reads it; the parameters of a large one have four bytes.
    #[must_use]
    pub fn read(data: &'a [u8], large: bool) -> Option<Open<'a>> {
        let mut cursor = Cursor::new(data);
        // Priority and ticks, and the connection ids, which the reply settles.
        cursor.skip(2 + 8)?;
        let serial = Serial::read(&mut cursor)?;
        // Timeout multiplier and three reserved bytes.
        cursor.skip(4)?;
        let parameters = |cursor: &mut Cursor<'a>| if large { cursor.le32() } else { cursor.le16().map(u32::from) };
        let to_target_interval = cursor.le32()?;
        let to_target = parameters(&mut cursor)?;
        let to_originator_interval = cursor.le32()?;
        let to_originator = parameters(&mut cursor)?;
        let transport = cursor.u8()?;
        let words = usize::from(cursor.u8()?);
        let path = cursor.take(words * 2)?;
        Some(Open { serial, to_target_interval, to_target, to_originator_interval, to_originator, transport, path })
    }

    /// Adds it to a detail.
    pub fn tell(&self, detail: &mut DetailJson) {
        self.serial.tell(detail);
        detail.number("transport_class", self.transport & 0x0f);
        detail.number("to_target_interval_us", self.to_target_interval);
        detail.number("to_originator_interval_us", self.to_originator_interval);
        detail.text("to_target_parameters", format_args!("{:#06x}", self.to_target));
        detail.text("to_originator_parameters", format_args!("{:#06x}", self.to_originator));
    }
}

/// Data of a successful reply to Forward Open: the connection ids, originator to target and back, and the name.
#[must_use]
pub fn opened(data: &[u8]) -> Option<(u32, u32, Serial)> {
    let mut cursor = Cursor::new(data);
    Some((cursor.le32()?, cursor.le32()?, Serial::read(&mut cursor)?))
}

/// Data of a Forward Close: the name, and the connection path.
#[must_use]
pub fn closed(data: &[u8]) -> Option<(Serial, &[u8])> {
    let mut cursor = Cursor::new(data);
    cursor.skip(2)?;
    let serial = Serial::read(&mut cursor)?;
    let words = usize::from(cursor.u8()?);
    cursor.skip(1)?;
    Some((serial, cursor.take(words * 2)?))
}

/// A connection that was opened in this flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection {
    /// Its name.
    pub serial: Serial,
    /// Connection id of what the originator sends.
    pub to_target: u32,
    /// Connection id of what the target sends.
    pub to_originator: u32,
    /// Slot that it leads to.
    pub slot: Option<u32>,
    /// Whether it leads to another module than the host itself.
    pub routed: bool,
}

/// Connections of one flow.
#[derive(Default, Debug)]
pub struct Connections {
    open: Vec<Connection>,
}

impl Connections {
    /// Adds one; a former one of the same name or ids is forgotten.
    pub fn add(&mut self, connection: Connection) {
        self.open.retain(|old| old.serial != connection.serial && old.to_target != connection.to_target);
        if self.open.len() >= CONNECTIONS_LIMIT {
            self.open.remove(0);
        }
        self.open.push(connection);
    }

    /// Forgets one.
    pub fn remove(&mut self, serial: Serial) {
        self.open.retain(|old| old.serial != serial);
    }

    /// The connection of a message with this id.
    #[must_use]
    pub fn find(&self, id: u32, reply: bool) -> Option<Connection> {
        self.open.iter().copied().find(|open| if reply { open.to_originator == id } else { open.to_target == id })
    }

    /// How many are remembered.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.open.len()
    }
}
