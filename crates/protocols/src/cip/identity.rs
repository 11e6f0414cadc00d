//! The Identity object: who a device says it is (CIP Networks Library Volume 1 chapter 5-2).

use std::fmt::Write as _;

use quaywatch_model::{Address, At, Attribute, Identity, Sink};

use super::vendors;
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;

/// What is told of a device; absent what was not asked for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Device {
    /// Vendor id.
    pub vendor: Option<u16>,
    /// Device type (profile).
    pub device_type: Option<u16>,
    /// Product code.
    pub product_code: Option<u16>,
    /// Major and minor revision.
    pub revision: Option<(u8, u8)>,
    /// Status word.
    pub status: Option<u16>,
    /// Serial number.
    pub serial: Option<u32>,
    /// Product name.
    pub name: Option<String>,
    /// State, of ListIdentity only.
    pub state: Option<u8>,
}

impl Device {
    /// Vendor to product name in a row, as Get_Attributes_All and ListIdentity have them.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<Device> {
        let mut device = Device::default();
        for attribute in 1..=7 {
            device.attribute(attribute, cursor)?;
        }
        Some(device)
    }

    /// Reads one attribute by its id. `None` if it is not one of 1 to 7, or too short.
    pub fn attribute(&mut self, id: u16, cursor: &mut Cursor<'_>) -> Option<()> {
        match id {
            1 => self.vendor = Some(cursor.le16()?),
            2 => self.device_type = Some(cursor.le16()?),
            3 => self.product_code = Some(cursor.le16()?),
            4 => self.revision = Some((cursor.u8()?, cursor.u8()?)),
            5 => self.status = Some(cursor.le16()?),
            6 => self.serial = Some(cursor.le32()?),
            7 => {
                let length = usize::from(cursor.u8()?);
                self.name = device_text(cursor.take(length)?);
            }
            _ => return None,
        }
        Some(())
    }

    /// Reads the reply to Get_Attribute_List: count, then id, status and value of each.
    pub fn read_list(cursor: &mut Cursor<'_>) -> Device {
        let mut device = Device::default();
        let count = cursor.le16().unwrap_or(0);
        for _ in 0..count {
            let (Some(id), Some(status)) = (cursor.le16(), cursor.le16()) else { break };
            if status == 0 && device.attribute(id, cursor).is_none() {
                break;
            }
        }
        device
    }

    /// State in words: of ListIdentity, else by the extended device status of the status word (Volume 1 table 5-2.3).
    #[must_use]
    pub const fn state_name(&self) -> &'static str {
        match (self.state, self.status) {
            (Some(0), _) => "nonexistent",
            (Some(1), _) => "self testing",
            (Some(2), _) => "standby",
            (Some(3), _) => "operational",
            (Some(4), _) => "major recoverable fault",
            (Some(5), _) => "major unrecoverable fault",
            (None, Some(status)) => match (status >> 8 & 0x0f, status >> 4 & 0x0f) {
                (fault, _) if fault & 0x08 != 0 => "major unrecoverable fault",
                (fault, _) if fault & 0x04 != 0 => "major recoverable fault",
                (_, 1) => "firmware update",
                (_, 2) => "i/o connection failed",
                (_, 4) => "bad non-volatile configuration",
                (_, 5) => "major fault",
                (_, 6) => "run",
                (_, 7) => "idle",
                _ => "",
            },
            _ => "",
        }
    }

    /// Emits claims about `subject`; `routed` says that the device is a module behind it.
    pub fn claim(
        &self,
        subject: Address,
        source: Source,
        at: At,
        (claims, text): (&mut Claims, &mut String),
        out: &mut dyn Sink,
    ) {
        let mut claim = |attribute, value: &str| {
            let method = source.method(attribute);
            claims.identity(out, at, Identity { subject, attribute, value, method });
        };
        if let Some(id) = self.vendor {
            text.clear();
            match vendors::vendor(id) {
                "" => write!(text, "ODVA vendor {id}"),
                name => write!(text, "{name}"),
            }
            // Writing to a string cannot fail.
            .unwrap_or_default();
            claim(Attribute::Vendor, text);
        }
        if let Some(id) = self.device_type {
            match vendors::device_type(id) {
                "" => {}
                name => claim(Attribute::Capability, name),
            }
        }
        if let Some((major, minor)) = self.revision {
            text.clear();
            let _ = write!(text, "{major}.{minor}");
            claim(Attribute::Firmware, text);
        }
        if let Some(serial) = self.serial {
            text.clear();
            let _ = write!(text, "{serial:08X}");
            claim(Attribute::Serial, text);
        }
        if let Some(name) = &self.name {
            claim(Attribute::Product, name);
        }
        claim(Attribute::State, self.state_name());
    }
}

/// Where an identity was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// In a ListIdentity reply.
    List,
    /// By the Identity object of the host itself.
    Object,
    /// By the Identity object of a module that a route leads to.
    Routed,
}

impl Source {
    const fn method(self, attribute: Attribute) -> &'static str {
        match (self, attribute) {
            (Source::List, Attribute::Vendor) => "enip list identity vendor id",
            (Source::List, Attribute::Capability) => "enip list identity device type",
            (Source::List, Attribute::Firmware) => "enip list identity revision",
            (Source::List, Attribute::Serial) => "enip list identity serial number",
            (Source::List, Attribute::Product) => "enip list identity product name",
            (Source::List, _) => "enip list identity state",
            (Source::Object, Attribute::Vendor) => "cip identity vendor id",
            (Source::Object, Attribute::Capability) => "cip identity device type",
            (Source::Object, Attribute::Firmware) => "cip identity revision",
            (Source::Object, Attribute::Serial) => "cip identity serial number",
            (Source::Object, Attribute::Product) => "cip identity product name",
            (Source::Object, _) => "cip identity status",
            (Source::Routed, Attribute::Vendor) => "cip identity vendor id of a routed module",
            (Source::Routed, Attribute::Capability) => "cip identity device type of a routed module",
            (Source::Routed, Attribute::Firmware) => "cip identity revision of a routed module",
            (Source::Routed, Attribute::Serial) => "cip identity serial number of a routed module",
            (Source::Routed, Attribute::Product) => "cip identity product name of a routed module",
            (Source::Routed, _) => "cip identity status of a routed module",
        }
    }
}
