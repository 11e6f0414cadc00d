//! What devices answer when asked who they are and what they serve (CIP Networks Library Volume 2 chapter 2-4).

use std::net::Ipv4Addr;

use quaywatch_model::Address;

use super::encapsulation::{IDENTITY_ITEM, LIST_IDENTITY, LIST_SERVICES, SERVICES_ITEM, items};
use crate::bytes::{Cursor, device_text};
use crate::cip::identity::Device;
use crate::cip::vendors;
use crate::detail_json::DetailJson;

/// The answer to ListIdentity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Address that the device says it has.
    pub address: Address,
    /// Who it is.
    pub device: Device,
}

/// Reads the answer to ListIdentity.
#[must_use]
pub fn identity(data: &[u8]) -> Option<Listed> {
    let item = items(data).flatten().find(|item| item.kind == IDENTITY_ITEM)?;
    let mut cursor = Cursor::new(item.data);
    // Protocol version, then a socket address in network order.
    cursor.skip(2)?;
    cursor.skip(4)?;
    let address = Address::V4(Ipv4Addr::from_bits(cursor.be32()?));
    cursor.skip(8)?;
    let mut device = Device::read(&mut cursor)?;
    device.state = cursor.u8();
    Some(Listed { address, device })
}

impl Listed {
    /// Adds it to a detail.
    pub fn tell(&self, detail: &mut DetailJson) {
        let Device { vendor, device_type, product_code, revision, status, serial, name, state } = &self.device;
        if let Some(vendor) = vendor {
            detail.number("vendor_id", *vendor);
            let name = vendors::vendor(*vendor);
            if !name.is_empty() {
                detail.text("vendor", name);
            }
        }
        if let Some(device_type) = device_type {
            detail.number("device_type", *device_type);
        }
        if let Some(product_code) = product_code {
            detail.number("product_code", *product_code);
        }
        if let Some((major, minor)) = revision {
            detail.text("revision", format_args!("{major}.{minor}"));
        }
        if let Some(status) = status {
            detail.text("device_status", format_args!("{status:#06x}"));
        }
        if let Some(serial) = serial {
            detail.text("serial", format_args!("{serial:08X}"));
        }
        if let Some(name) = name {
            detail.text("product_name", name);
        }
        if let Some(state) = state {
            detail.number("state", *state);
        }
        detail.text("address", self.address);
    }
}

/// Adds the answer to a listing command to a detail.
pub fn tell(command: u16, data: &[u8], detail: &mut DetailJson) {
    match command {
        LIST_IDENTITY => {
            if let Some(listed) = identity(data) {
                listed.tell(detail);
            }
        }
        LIST_SERVICES => services(data, detail),
        _ => {}
    }
}

fn services(data: &[u8], detail: &mut DetailJson) {
    for item in items(data).flatten().filter(|item| item.kind == SERVICES_ITEM) {
        let mut cursor = Cursor::new(item.data);
        let (Some(_version), Some(flags)) = (cursor.le16(), cursor.le16()) else { continue };
        if let Some(name) = device_text(cursor.rest()) {
            detail.text("service", name);
            detail.text("capability", format_args!("{flags:#06x}"));
            // One service is defined; more would repeat the keys.
            return;
        }
    }
}
