//! What messages say of the reference station (RTCM 10403.3 section 3.5).

use super::names;
use crate::bytes::device_text;
use crate::detail_json::DetailJson;

/// Reads fields of any number of bits from the front of a message. A failed read takes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Fields { bytes, at: 0 }
    }

    /// The next `count` bits (at most 64) as a number.
    pub(super) fn number(&mut self, count: usize) -> Option<u64> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len() * 8 && count <= 64)?;
        let value = (self.at..end).try_fold(0u64, |value, bit| {
            let byte = self.bytes.get(bit / 8)?;
            Some(value << 1 | u64::from(byte >> (7 - bit % 8) & 1))
        })?;
        self.at = end;
        Some(value)
    }

    /// The next 12 bits: a message number or station.
    pub(super) fn twelve(&mut self) -> Option<u32> {
        self.number(12).and_then(|value| u32::try_from(value).ok())
    }

    /// The next `count` bits in two's complement.
    fn signed(&mut self, count: usize) -> Option<i64> {
        let unused = u32::try_from(64usize.checked_sub(count)?).ok()?;
        self.number(count).map(|value| value.checked_shl(unused).unwrap_or(0).cast_signed() >> unused.min(63))
    }

    /// Characters behind their number.
    fn text(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let count = self.number(8)?;
        self.characters(usize::try_from(count).ok()?, text)
    }

    fn characters(&mut self, count: usize, text: &mut Vec<u8>) -> Option<()> {
        text.clear();
        for _ in 0..count {
            text.push(u8::try_from(self.number(8)?).unwrap_or(0));
        }
        Some(())
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count).filter(|end| *end <= self.bytes.len() * 8)?;
        Some(())
    }
}

/// Whether messages of this number name their station next.
pub(super) const fn has_station(number: u32) -> bool {
    matches!(number, 1001..=1013 | 1029 | 1032 | 1033 | 1230) || names::is_msm(number)
}

/// Where a reference station is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Coordinates {
    /// Ten-thousandths of a metre from the centre of the Earth (DF025, DF026, DF027).
    pub(super) earth: [i64; 3],
    /// Metres of the antenna above the mark.
    pub(super) antenna_height: Option<f64>,
    /// The station is computed, not built (DF141).
    pub(super) computed: bool,
}

/// Metres in a unit of the coordinates.
const UNIT: f64 = 0.000_1;

/// Reads 1005, 1006 and 1032 behind number and station.
pub(super) fn coordinates(number: u32, mut fields: Fields<'_>) -> Option<Coordinates> {
    if number == 1032 {
        // The physical station and the year of its frame.
        fields.skip(18)?;
        let earth = [fields.signed(38)?, fields.signed(38)?, fields.signed(38)?];
        return Some(Coordinates { earth, antenna_height: None, computed: false });
    }
    // Year of the frame, and which systems it serves.
    fields.skip(9)?;
    let computed = fields.number(1)? == 1;
    let x = fields.signed(38)?;
    fields.skip(2)?;
    let y = fields.signed(38)?;
    fields.skip(2)?;
    let z = fields.signed(38)?;
    let height = if number == 1006 { Some(fields.number(16)?) } else { None };
    let antenna_height = height.and_then(|height| u32::try_from(height).ok()).map(|height| f64::from(height) * UNIT);
    Some(Coordinates { earth: [x, y, z], antenna_height, computed })
}

#[expect(clippy::cast_precision_loss, reason = "38 bits fit a double")]
fn metres(earth: [i64; 3]) -> [f64; 3] {
    earth.map(|value| value as f64 * UNIT)
}

impl Coordinates {
    /// Metres between two places.
    pub(super) fn distance(&self, other: &Coordinates) -> f64 {
        let (here, there) = (metres(self.earth), metres(other.earth));
        here.iter().zip(there).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// Degrees north and east, and metres above the ellipsoid; `None` if that is far from the Earth's surface.
    pub(super) fn geodetic(&self) -> Option<(f64, f64, f64)> {
        /// Semi-major axis (metres) and flattening of WGS 84.
        const AXIS: f64 = 6_378_137.0;
        const FLATTENING: f64 = 1.0 / 298.257_223_563;
        /// Metres of a station above or below the ellipsoid at most.
        const HEIGHT_LIMIT: f64 = 20_000.0;
        let eccentricity = FLATTENING * (2.0 - FLATTENING);
        let [x, y, z] = metres(self.earth);
        let from_axis = x.hypot(y);
        if x.hypot(y).hypot(z) < AXIS / 2.0 {
            return None;
        }
        let mut latitude = z.atan2(from_axis * (1.0 - eccentricity));
        // The curvature's centre moves with the latitude; near the surface five rounds settle it to a millimetre.
        for _ in 0..5 {
            let radius = AXIS / (1.0 - eccentricity * latitude.sin().powi(2)).sqrt();
            latitude = (z + eccentricity * radius * latitude.sin()).atan2(from_axis);
        }
        let root = (1.0 - eccentricity * latitude.sin().powi(2)).sqrt();
        let height = from_axis * latitude.cos() + z * latitude.sin() - AXIS * root;
        (height.abs() < HEIGHT_LIMIT).then(|| (latitude.to_degrees(), y.atan2(x).to_degrees(), height))
    }
}

/// A field of the descriptors 1007, 1008 and 1033.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Descriptor {
    Antenna,
    AntennaSerial,
    Receiver,
    Firmware,
    ReceiverSerial,
}

impl Descriptor {
    /// Key in the detail.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Descriptor::Antenna => "antenna",
            Descriptor::AntennaSerial => "antenna_serial",
            Descriptor::Receiver => "receiver",
            Descriptor::Firmware => "firmware",
            Descriptor::ReceiverSerial => "receiver_serial",
        }
    }
}

/// Calls `each` for the texts of 1007, 1008 and 1033 behind number and station; `None` if the message ends before they do.
pub(super) fn descriptors(
    number: u32,
    mut fields: Fields<'_>,
    text: &mut Vec<u8>,
    each: &mut dyn FnMut(Descriptor, &str),
) -> Option<()> {
    let mut tell = |which, text: &[u8]| {
        if let Some(text) = device_text(text) {
            each(which, &text);
        }
    };
    fields.text(text)?;
    tell(Descriptor::Antenna, text);
    fields.skip(8)?;
    let rest: &[Descriptor] = match number {
        1007 => &[],
        1008 => &[Descriptor::AntennaSerial],
        _ => &[Descriptor::AntennaSerial, Descriptor::Receiver, Descriptor::Firmware, Descriptor::ReceiverSerial],
    };
    for which in rest {
        fields.text(text)?;
        tell(*which, text);
    }
    Some(())
}

/// Adds facts of other messages, behind number and, if they have one, station; `None` if the message ends too early.
pub(super) fn describe(number: u32, mut fields: Fields<'_>, text: &mut Vec<u8>, detail: &mut DetailJson) -> Option<()> {
    match number {
        1001..=1004 => satellites(&mut fields, 31, detail),
        1009..=1012 => satellites(&mut fields, 28, detail),
        1019 | 1020 | 1041 | 1044 | 1045 | 1046 | 1042 => {
            // QZSS numbers its satellites in four bits.
            let satellite = fields.number(if number == 1044 { 4 } else { 6 })?;
            detail.number("satellite", i64::try_from(satellite).unwrap_or(0));
            Some(())
        }
        1013 => {
            fields.skip(16 + 17 + 5)?;
            detail.number("leap_seconds", i64::try_from(fields.number(8)?).unwrap_or(0));
            Some(())
        }
        1029 => {
            fields.skip(16 + 17 + 7)?;
            fields.text(text)?;
            if let Some(text) = device_text(text) {
                detail.text("text", text);
            }
            Some(())
        }
        _ if names::is_msm(number) => {
            fields.skip(30 + 1 + 3 + 7 + 2 + 2 + 1 + 3)?;
            detail.number("msm", number % 10);
            detail.number("satellites", fields.number(64)?.count_ones());
            detail.number("signals", fields.number(32)?.count_ones());
            Some(())
        }
        _ => Some(()),
    }
}

fn satellites(fields: &mut Fields<'_>, before: usize, detail: &mut DetailJson) -> Option<()> {
    fields.skip(before)?;
    detail.number("satellites", i64::try_from(fields.number(5)?).unwrap_or(0));
    Some(())
}
