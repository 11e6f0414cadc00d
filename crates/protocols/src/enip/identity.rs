//! Who a device is: the identity object (class 1, CIP Networks Library volume 1, section 5A-2) and ListIdentity (volume 2, section 2-4.2.3).

use super::cip::Replied;
use crate::bytes::{Cursor, device_text};

/// What a device said of itself.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct DeviceIdentity {
    pub(super) vendor: Option<u16>,
    pub(super) device_type: Option<u16>,
    pub(super) revision: Option<(u8, u8)>,
    pub(super) serial: Option<u32>,
    pub(super) product_name: Option<String>,
}

/// A text with its length in front.
fn short_string(cursor: &mut Cursor<'_>) -> Option<String> {
    let length = usize::from(cursor.u8()?);
    device_text(cursor.take(length)?)
}

/// Attributes 1 to 7 in order, as Get_Attributes_All and ListIdentity give them.
fn all(cursor: &mut Cursor<'_>) -> Option<DeviceIdentity> {
    let vendor = Some(cursor.le16()?);
    let device_type = Some(cursor.le16()?);
    cursor.skip(2)?;
    let revision = Some((cursor.u8()?, cursor.u8()?));
    cursor.skip(2)?;
    let serial = Some(cursor.le32()?);
    Some(DeviceIdentity { vendor, device_type, revision, serial, product_name: short_string(cursor) })
}

/// The item of a ListIdentity reply: protocol version, socket address, attributes, state.
pub(super) fn from_list(item: &[u8]) -> Option<DeviceIdentity> {
    let mut cursor = Cursor::new(item);
    cursor.skip(2 + 16)?;
    all(&mut cursor)
}

/// What a reply of the identity object says, if it is one.
pub(super) fn from_reply(reply: &Replied<'_>) -> Option<DeviceIdentity> {
    let path = &reply.asked.path;
    if reply.status != 0 || path.class != Some(1) || path.instance == Some(0) {
        return None;
    }
    let mut cursor = Cursor::new(reply.data);
    match reply.asked.code {
        0x01 => all(&mut cursor),
        0x0e => {
            let mut device = DeviceIdentity::default();
            device.attribute(u16::try_from(path.attribute?).ok()?, &mut cursor)?;
            Some(device)
        }
        0x03 => {
            let mut device = DeviceIdentity::default();
            for _ in 0..cursor.le16()?.min(64) {
                let (number, status) = (cursor.le16()?, cursor.le16()?);
                if status == 0 && device.attribute(number, &mut cursor).is_none() {
                    break;
                }
            }
            (device != DeviceIdentity::default()).then_some(device)
        }
        _ => None,
    }
}

impl DeviceIdentity {
    /// Takes the value of one attribute; `None` if its length is not known.
    fn attribute(&mut self, number: u16, cursor: &mut Cursor<'_>) -> Option<()> {
        match number {
            1 => self.vendor = Some(cursor.le16()?),
            2 => self.device_type = Some(cursor.le16()?),
            3 | 5 => cursor.skip(2)?,
            4 => self.revision = Some((cursor.u8()?, cursor.u8()?)),
            6 => self.serial = Some(cursor.le32()?),
            7 => self.product_name = short_string(cursor),
            8 => cursor.skip(1)?,
            _ => return None,
        }
        Some(())
    }
}
