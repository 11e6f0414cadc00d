//! Partial lists of the system status ("System Software for S7-300/400", chapter "System status lists"): what identifies a
//! device and says what state it is in.

use std::fmt::Write;
use std::net::Ipv4Addr;

use quaywatch_model::{Attribute, MacAddr};

use crate::bytes::{Cursor, device_text};
use crate::detail_json::DetailJson;

/// Bytes of a fragmented partial list that are put together. The longest lists known (module status) take a few KiB.
pub const LIST_LIMIT: usize = 32 * 1024;

/// A claim read from a list: attribute, value, method.
pub type Claim<'c> = dyn FnMut(Attribute, &str, &'static str) + 'c;

/// A partial list: id, index, record length, records.
#[derive(Clone, Copy, Debug)]
pub struct PartialList<'a> {
    /// Id: module type, extract, number.
    pub id: u16,
    /// Index.
    pub index: u16,
    /// Bytes of a record.
    pub record: u16,
    /// Number of records announced.
    pub count: u16,
    /// The records.
    pub records: &'a [u8],
}

impl<'a> PartialList<'a> {
    /// Reads the payload of an answer.
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(payload);
        let (id, index) = (cursor.be16()?, cursor.be16()?);
        let (record, count) = (cursor.be16()?, cursor.be16()?);
        Some(PartialList { id, index, record, count, records: cursor.rest() })
    }

    /// Whether there are as many bytes as announced.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.records.len() == usize::from(self.record) * usize::from(self.count)
    }

    /// The records that are whole.
    fn each(&self) -> impl Iterator<Item = &'a [u8]> {
        // A record of no bytes would never end.
        self.records.chunks_exact(usize::from(self.record).max(1)).take(usize::from(self.count))
    }

    /// Whether the list says who the device is.
    #[must_use]
    pub const fn identifies(id: u16) -> bool {
        matches!(id & 0xff, 0x11 | 0x1c)
    }

    /// Notes id and index where the answer has others than were asked for.
    pub fn note_id(&self, object: &str, detail: &mut DetailJson) {
        let asked = |text: &str| object.get(4..).is_some_and(|object| object.starts_with(text));
        if !asked(&format!("{:#06x} index {:#06x}", self.id, self.index)) {
            detail.text("answered_szl", format_args!("{:#06x}", self.id));
            detail.text("answered_index", format_args!("{:#06x}", self.index));
        }
    }

    /// Makes the claims that the list holds, and notes what is no claim in `detail`.
    pub fn tell(&self, detail: &mut DetailJson, claim: &mut Claim<'_>) {
        detail.number("records", self.count);
        // Only header information: no records.
        if self.id & 0x0f00 == 0x0f00 {
            return;
        }
        match self.id & 0xff {
            0x11 => self.each().for_each(|record| ignore(module(record, claim))),
            0x1c => self.each().for_each(|record| ignore(component(record, claim))),
            0x24 => self.each().for_each(|record| ignore(mode(record, claim))),
            0x32 if self.index & 0xff == 4 => self.each().for_each(|record| ignore(protection(record, detail))),
            0x37 => self.each().for_each(|record| ignore(ethernet(record, claim))),
            0x19 | 0x74 => self.leds(detail),
            _ => {}
        }
    }

    /// Lights that are on or flash: id, on, flashing.
    fn leds(&self, detail: &mut DetailJson) {
        let lit = self.each().filter_map(|record| match record {
            [_, id, on, flashing, ..] if *on != 0 || *flashing != 0 => Some(u32::from(*id)),
            _ => None,
        });
        detail.numbers("leds_on", lit);
    }
}

/// A record that is cut short makes no claim.
fn ignore(_: Option<()>) {}

/// 0x11: index, order number (20 characters), module type, two words of version.
fn module(record: &[u8], claim: &mut Claim<'_>) -> Option<()> {
    let mut cursor = Cursor::new(record);
    let index = cursor.be16()?;
    let order = device_text(cursor.take(20)?);
    cursor.skip(2)?;
    let (version, release) = (cursor.be16()?, cursor.be16()?);
    match index & 0xff {
        1 => {
            if let Some(order) = order {
                claim(Attribute::OrderNumber, &order, "s7comm szl 0x0011 module");
            }
            // Some communication processors put a letter here, which is no hardware version.
            if (1..=0xff).contains(&version) {
                claim(Attribute::Hardware, &version.to_string(), "s7comm szl 0x0011 module");
            }
        }
        7 => claim_version(Attribute::Firmware, version, release, "s7comm szl 0x0011 basic firmware", claim),
        0x81 => claim_version(Attribute::Bootloader, version, release, "s7comm szl 0x0011 firmware extension", claim),
        _ => {}
    }
    Some(())
}

/// A version is a letter (`V` for a release, others for trial versions) and three numbers.
fn claim_version(attribute: Attribute, version: u16, release: u16, method: &'static str, claim: &mut Claim<'_>) {
    let [letter, first] = version.to_be_bytes();
    let [second, third] = release.to_be_bytes();
    if !letter.is_ascii_alphabetic() {
        return;
    }
    let mut text = String::new();
    // The boot loader leaves the first number blank.
    let _ = match first {
        b' ' => write!(text, "{}{second}.{third}", char::from(letter)),
        _ => write!(text, "{}{first}.{second}.{third}", char::from(letter)),
    };
    claim(attribute, &text, method);
}

/// 0x1c: index, 32 bytes of text or numbers.
fn component(record: &[u8], claim: &mut Claim<'_>) -> Option<()> {
    let (index, value) = record.split_first_chunk::<2>()?;
    let (attribute, method) = match u16::from_be_bytes(*index) & 0xff {
        1 => (Attribute::HostName, "s7comm szl 0x001c system name"),
        2 => (Attribute::Project, "s7comm szl 0x001c module name"),
        3 => (Attribute::Location, "s7comm szl 0x001c plant designation"),
        5 => (Attribute::Serial, "s7comm szl 0x001c serial number"),
        7 => (Attribute::Model, "s7comm szl 0x001c module type"),
        9 => return manufacturer(value, claim),
        0xb => (Attribute::Location, "s7comm szl 0x001c location designation"),
        _ => return None,
    };
    claim(attribute, &device_text(value)?, method);
    Some(())
}

/// Manufacturer id of PROFIBUS & PROFINET International, then profile ids.
fn manufacturer(value: &[u8], claim: &mut Claim<'_>) -> Option<()> {
    let id = Cursor::new(value).be16()?;
    claim(Attribute::Vendor, crate::profinet_dcp::vendor_name(id)?, "s7comm szl 0x001c manufacturer");
    Some(())
}

/// 0x24: event, two priority bytes with the state in the second.
fn mode(record: &[u8], claim: &mut Claim<'_>) -> Option<()> {
    let state = record.get(3)?;
    claim(Attribute::State, super::names::operating_state(*state), "s7comm szl 0x0424 operating mode");
    Some(())
}

/// 0x0132 index 4: index, protection level at the key switch, at the parameters, in effect, switch position.
fn protection(record: &[u8], detail: &mut DetailJson) -> Option<()> {
    let mut cursor = Cursor::new(record);
    cursor.skip(2)?;
    let (switch, parameter, effective) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
    let position = super::names::selector(cursor.be16()?);
    detail.number("protection_switch", switch);
    detail.number("protection_parameter", parameter);
    detail.number("protection_effective", effective);
    if !position.is_empty() {
        detail.text("mode_selector", position);
    }
    Some(())
}

/// 0x37: logical address, IP address, mask, default router, MAC address.
fn ethernet(record: &[u8], claim: &mut Claim<'_>) -> Option<()> {
    let mut cursor = Cursor::new(record);
    cursor.skip(2)?;
    let (ip, mask, router) = (cursor.be32()?, cursor.be32()?, cursor.be32()?);
    let mac = MacAddr(*cursor.take(6)?.first_chunk::<6>()?);
    let method = "s7comm szl 0x0037 ethernet";
    if ip != 0 {
        claim(Attribute::Ip, &Ipv4Addr::from(ip).to_string(), method);
        claim(Attribute::NetworkSetting, &format!("netmask {}", Ipv4Addr::from(mask)), method);
    }
    if router != 0 && router != ip {
        claim(Attribute::NetworkSetting, &format!("gateway {}", Ipv4Addr::from(router)), method);
    }
    if !mac.is_zero() {
        claim(Attribute::Mac, &mac.to_string(), method);
    }
    Some(())
}

/// Puts a fragmented list together.
#[derive(Default, Debug)]
pub struct Assembly {
    unit: u8,
    active: bool,
    /// What was asked for, to name the later fragments' requests.
    object: String,
    bytes: Vec<u8>,
}

impl Assembly {
    /// Takes a fragment; gives the whole payload once the last has come. An unfragmented payload (data unit 0) passes through.
    ///
    /// Lost fragments show in the length, so a gap in the stream needs no telling.
    pub fn push<'a>(&'a mut self, unit: u8, more: bool, payload: &'a [u8], object: &str) -> Option<&'a [u8]> {
        let continues = self.active && self.unit == unit && unit != 0;
        if !continues {
            self.active = false;
            if !more {
                // The last fragment alone is no list.
                return (unit == 0).then_some(payload);
            }
            self.bytes.clear();
            self.object.clear();
            self.object.push_str(object);
        }
        if self.bytes.len().saturating_add(payload.len()) > LIST_LIMIT {
            self.active = false;
            return None;
        }
        self.bytes.extend_from_slice(payload);
        self.unit = unit;
        self.active = more;
        let whole = !more && PartialList::read(&self.bytes).is_some_and(|list| list.is_whole());
        whole.then_some(&self.bytes)
    }

    /// What the list being put together was asked as; empty if none is.
    #[must_use]
    pub fn object(&self) -> &str {
        if self.active { &self.object } else { "" }
    }

    /// Whether the list being put together says who the device is.
    #[must_use]
    pub fn identifies(&self) -> bool {
        self.active && Cursor::new(&self.bytes).be16().is_some_and(PartialList::identifies)
    }
}
