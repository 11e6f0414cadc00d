//! Configuration frames 1 and 2: which units send in a stream, what, and how often (sections 6.4 and 6.5).

use crate::bytes::{Cursor, device_text};

/// Bytes of a name.
const NAME: usize = 16;
/// Units of one stream that are kept.
pub const UNIT_LIMIT: usize = 64;
/// Format: bits that say that a value is a floating point number.
const FREQUENCY_FLOAT: u16 = 8;
const ANALOG_FLOAT: u16 = 4;
const PHASOR_FLOAT: u16 = 2;

/// One measurement unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Station name.
    pub name: String,
    /// Identifier of the unit.
    pub id: u16,
    /// Phasors.
    pub phasors: u16,
    /// Analog values.
    pub analogs: u16,
    /// Digital status words.
    pub digitals: u16,
    /// Bytes in each data frame, status word included.
    pub bytes: usize,
    /// 50 or 60 Hz.
    pub hertz: u8,
    /// How often the configuration was changed.
    pub changes: u16,
}

/// What a stream sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// Fractions of a second are counted in parts of this.
    pub time_base: u32,
    /// Units as the frame counts them.
    pub count: u16,
    /// The units, at most [`UNIT_LIMIT`].
    pub units: Vec<Unit>,
    /// Frames a second; negative: seconds a frame.
    pub rate: i16,
}

impl Unit {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let name = device_text(cursor.take(NAME)?).unwrap_or_default();
        let (id, format) = (cursor.be16()?, cursor.be16()?);
        let (phasors, analogs, digitals) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
        let count = |number: u16, size: usize| usize::from(number).saturating_mul(size);
        let names = count(phasors, 1).saturating_add(count(analogs, 1)).saturating_add(count(digitals, 16));
        cursor.skip(names.saturating_mul(NAME))?;
        let channels = count(phasors, 1).saturating_add(count(analogs, 1)).saturating_add(count(digitals, 1));
        cursor.skip(channels.saturating_mul(4))?;
        let (nominal, changes) = (cursor.be16()?, cursor.be16()?);
        let wide = |bit: u16, short: usize| if format & bit == 0 { short } else { short.saturating_mul(2) };
        // Status word; phasors of two numbers; frequency and its rate of change; analogs; digitals.
        let bytes = 2_usize
            .saturating_add(count(phasors, wide(PHASOR_FLOAT, 4)))
            .saturating_add(wide(FREQUENCY_FLOAT, 4))
            .saturating_add(count(analogs, wide(ANALOG_FLOAT, 2)))
            .saturating_add(count(digitals, 2));
        let hertz = if nominal & 1 == 1 { 50 } else { 60 };
        Some(Unit { name, id, phasors, analogs, digitals, bytes, hertz, changes })
    }
}

impl Configuration {
    /// Reads the body of a frame; none if it is shorter than it says.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let time_base = cursor.be32()? & 0x00ff_ffff;
        let count = cursor.be16()?;
        let mut units = Vec::new();
        for _ in 0..count {
            let unit = Unit::read(&mut cursor)?;
            if units.len() < UNIT_LIMIT {
                units.push(unit);
            }
        }
        let rate = cursor.be16()?;
        Some(Configuration { time_base, count, units, rate: i16::from_be_bytes(rate.to_be_bytes()) })
    }

    /// Status words of all units in a data frame's body, one laid over the other; none if the body has another length.
    pub fn status(&self, body: &[u8]) -> Option<u16> {
        let mut cursor = Cursor::new(body);
        let mut status = 0;
        for unit in &self.units {
            status |= Cursor::new(cursor.take(unit.bytes)?).be16()?;
        }
        (cursor.is_empty() || usize::from(self.count) > self.units.len()).then_some(status)
    }
}
