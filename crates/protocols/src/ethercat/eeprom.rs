//! Who a slave is, by the EEPROM that masters read at start (ETG.2010 table 2): vendor, product, revision, serial number.

use std::fmt::Write as _;

use quaywatch_model::{Endpoint, OperationClass, Sink};
use quaywatch_wire::Pdu;

use super::datagram::Datagram;
use super::names;
use super::{Row, Tell};
use crate::bytes::Cursor;

/// Slaves whose EEPROM is followed.
pub const SLAVE_LIMIT: usize = 256;
/// Bit of the control register: the EEPROM is at work, its data is old.
const BUSY: u16 = 0x8000;
/// Bit of the control register: eight bytes are read at once, else four.
const EIGHT_BYTES: u16 = 0x0040;
/// First word of the identity.
const FIRST: u32 = 8;

/// One slave's EEPROM as far as it was read.
#[derive(Debug)]
struct Eeprom {
    /// Whether the slave was addressed by position, and its address.
    slave: (bool, u16),
    /// Word address last asked for.
    word: u32,
    /// Words 8 to 15.
    identity: [Option<u16>; 8],
    told: bool,
}

/// The EEPROMs of a bus.
#[derive(Default, Debug)]
pub(super) struct Eeproms {
    slaves: Vec<Eeprom>,
}

impl Eeproms {
    /// Takes a datagram to the EEPROM registers: 0x502 control and status, 0x504 word address, 0x508 data.
    pub(super) fn take(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        d: &Datagram<'_>,
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) {
        if d.working == 0 {
            return;
        }
        let slave = (d.command < 4, d.station());
        let at = self.slaves.iter().position(|eeprom| eeprom.slave == slave);
        let at = match at {
            Some(at) => at,
            None if self.slaves.len() >= SLAVE_LIMIT => return,
            None => {
                self.slaves.push(Eeprom { slave, word: u32::MAX, identity: [None; 8], told: false });
                self.slaves.len().saturating_sub(1)
            }
        };
        let Some(eeprom) = self.slaves.get_mut(at) else { return };
        let start = usize::from(d.offset().saturating_sub(0x0502));
        if names::writes(d.command) {
            let mut c = Cursor::new(d.data);
            if c.skip(2_usize.saturating_sub(start)).is_some()
                && let Some(word) = c.le32()
            {
                eeprom.word = word;
            }
            return;
        }
        let mut data = d.data;
        if start == 0 {
            // Control and address are read along: they say whether the data is there, how much of it, and of which word.
            let mut c = Cursor::new(d.data);
            let (Some(control), Some(word)) = (c.le16(), c.le32()) else { return };
            if control & BUSY != 0 {
                return;
            }
            eeprom.word = word;
            let valid = if control & EIGHT_BYTES != 0 { 8 } else { 4 };
            data = c.rest().get(..c.left().min(valid)).unwrap_or_default();
        } else if start != 6 {
            return;
        }
        let mut c = Cursor::new(data);
        if c.is_empty() {
            return;
        }
        eeprom.words(&mut c);
        if eeprom.complete() {
            eeprom.told = true;
            eeprom.tell(pdu, ends, tell, out);
        }
    }
}

impl Eeprom {
    fn words(&mut self, c: &mut Cursor<'_>) {
        let mut word = self.word;
        while let Some(value) = c.le16() {
            let place = word.checked_sub(FIRST).and_then(|at| usize::try_from(at).ok());
            if let Some(slot) = place.and_then(|at| self.identity.get_mut(at)) {
                *slot = Some(value);
            }
            word = word.wrapping_add(1);
        }
    }

    /// Whether vendor, product and revision are known and were not told.
    fn complete(&self) -> bool {
        !self.told && self.identity.iter().take(6).all(Option::is_some)
    }

    fn number(&self, at: usize) -> Option<u32> {
        let low = self.identity.get(at).copied().flatten()?;
        let high = self.identity.get(at.saturating_add(1)).copied().flatten()?;
        Some(u32::from(low) | u32::from(high) << 16)
    }

    fn tell(&self, pdu: &Pdu<'_>, ends: (Endpoint, Endpoint), tell: &mut Tell, out: &mut dyn Sink) {
        let (vendor, product) = (self.number(0).unwrap_or(0), self.number(2).unwrap_or(0));
        tell.detail.clear();
        tell.object.clear();
        for (key, at) in [("vendor_id", 0), ("product_code", 2), ("revision", 4), ("serial", 6)] {
            if let Some(value) = self.number(at) {
                tell.detail.number(key, value);
            }
        }
        if let Some(name) = names::vendor(vendor) {
            tell.detail.text("vendor", name);
        }
        let (by_position, station) = self.slave;
        tell.detail.number(if by_position { "position_counter" } else { "station" }, station);
        // Writing to a string cannot fail.
        let _ = write!(tell.object, "vendor 0x{vendor:x} product 0x{product:x}");
        let row = Row {
            at: pdu.at,
            ends,
            unit: (!by_position).then_some(u32::from(station)),
            code: 0x508,
            name: "EEPROM identity",
            class: OperationClass::Identify,
            quantity: None,
            status: Some(0),
            status_name: "ok",
            request: None,
            reply: true,
        };
        tell.row(&row, out);
    }
}
