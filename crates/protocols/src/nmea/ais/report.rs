//! What a message says of its station (ITU-R M.1371-5 annex 8).

use super::names;
use super::payload::Bits;
use crate::detail_json::DetailJson;

/// Metres per second of a knot (1 852 metres an hour).
const KNOT: f64 = 1_852.0 / 3_600.0;

/// Where a station is.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(super) struct Place {
    /// Degrees north and east; `None` if the station does not know.
    pub(super) degrees: Option<(f64, f64)>,
    /// Metres per second.
    pub(super) speed: Option<f64>,
    /// Degrees from north, tenths.
    pub(super) course: Option<u32>,
    /// Degrees from north.
    pub(super) heading: Option<u32>,
    /// Navigational status.
    pub(super) status: Option<u32>,
    /// Latitude or longitude that is none.
    pub(super) impossible: bool,
}

/// Bits that a message of this type has at least (tables 47 to 82); some stations leave trailing spare bits out.
pub(super) const fn least_length(kind: u32) -> usize {
    match kind {
        1..=4 | 9 | 11 | 18 => 168,
        5 => 420,
        19 => 305,
        21 => 272,
        24 => 156,
        27 => 96,
        6 => 88,
        8 => 56,
        12 => 72,
        _ => 40,
    }
}

/// The position in a message of this type; `None` for types without one.
pub(super) fn place(kind: u32, bits: &Bits<'_>) -> Option<Place> {
    let (speed, longitude, course, heading, status) = match kind {
        1..=3 => (Some(50), 61, Some(116), Some(128), Some(38)),
        4 | 11 => (None, 79, None, None, None),
        9 => (Some(50), 61, Some(116), None, None),
        18 | 19 => (Some(46), 57, Some(112), Some(124), None),
        21 => (None, 164, None, None, None),
        27 => return long_range(bits),
        _ => return None,
    };
    // In ten-thousandths of a minute; 181 and 91 degrees stand for not available.
    let mut place = degrees(bits.signed(longitude, 28)?, bits.signed(longitude + 28, 27)?, 600_000);
    // Aircraft tell whole knots, others tenths.
    let knots = if kind == 9 { 1.0 } else { 0.1 };
    place.speed = number_unless(bits, speed, 10, 1023).map(|speed| f64::from(speed) * knots * KNOT);
    place.course = number_unless(bits, course, 12, 3600).filter(|course| *course < 3600);
    place.heading = number_unless(bits, heading, 9, 511).filter(|heading| *heading < 360);
    place.status = status.and_then(|at| bits.number(at, 4));
    Some(place)
}

/// Type 27 has tenths of minutes and whole knots and degrees.
fn long_range(bits: &Bits<'_>) -> Option<Place> {
    let mut place = degrees(bits.signed(44, 18)?, bits.signed(62, 17)?, 600);
    place.status = bits.number(40, 4);
    place.speed = number_unless(bits, Some(79), 6, 63).map(|speed| f64::from(speed) * KNOT);
    place.course = number_unless(bits, Some(85), 9, 511).filter(|course| *course < 360).map(|course| course * 10);
    Some(place)
}

fn number_unless(bits: &Bits<'_>, at: Option<usize>, count: usize, absent: u32) -> Option<u32> {
    at.and_then(|at| bits.number(at, count)).filter(|value| *value != absent)
}

fn degrees(longitude: i32, latitude: i32, per_degree: i32) -> Place {
    let absent = longitude == 181 * per_degree || latitude == 91 * per_degree;
    let possible = longitude.abs() <= 180 * per_degree && latitude.abs() <= 90 * per_degree;
    let scaled = |value: i32| f64::from(value) / f64::from(per_degree);
    Place {
        degrees: (possible && !absent).then(|| (scaled(latitude), scaled(longitude))),
        impossible: !possible && !absent,
        ..Place::default()
    }
}

/// Writes what a message says of its station besides the position; false if it is of no such type.
pub(super) fn describe(kind: u32, bits: &Bits<'_>, text: &mut String, detail: &mut DetailJson) -> bool {
    match kind {
        5 => voyage(bits, text, detail),
        19 => {
            shown(bits, "name", 143, 120, text, detail);
            ship(bits, 263, detail);
            dimensions(bits, 271, detail);
        }
        21 => aid(bits, text, detail),
        24 if bits.number(38, 2) == Some(0) => shown(bits, "name", 40, 120, text, detail),
        24 => part_b(bits, text, detail),
        12 => {
            if let Some(destination) = bits.number(40, 30) {
                detail.text("to", format_args!("{destination:09}"));
            }
            shown(bits, "text", 72, bits.length().saturating_sub(72), text, detail);
        }
        14 => shown(bits, "text", 40, bits.length().saturating_sub(40), text, detail),
        6 | 8 => {
            let at = if kind == 6 { 72 } else { 40 };
            if let (Some(area), Some(function)) = (bits.number(at, 10), bits.number(at + 10, 6)) {
                detail.number("area_code", area);
                detail.number("function", function);
            }
        }
        _ => return false,
    }
    true
}

fn shown(bits: &Bits<'_>, key: &str, start: usize, count: usize, text: &mut String, detail: &mut DetailJson) {
    bits.text(start, count, text);
    if !text.is_empty() {
        detail.text(key, &*text);
    }
}

fn ship(bits: &Bits<'_>, at: usize, detail: &mut DetailJson) {
    if let Some(code) = bits.number(at, 8).filter(|code| *code > 0) {
        detail.number("ship_type", code);
        if !names::ship(code).is_empty() {
            detail.text("ship", names::ship(code));
        }
    }
}

/// Length and beam out of the distances from the antenna to bow, stern, port and starboard.
fn dimensions(bits: &Bits<'_>, at: usize, detail: &mut DetailJson) {
    let sides = [(0, 9), (9, 9), (18, 6), (24, 6)].map(|(offset, count)| bits.number(at + offset, count).unwrap_or(0));
    let [bow, stern, port, starboard] = sides;
    if bow + stern > 0 {
        detail.number("length_m", bow + stern);
    }
    if port + starboard > 0 {
        detail.number("beam_m", port + starboard);
    }
}

fn voyage(bits: &Bits<'_>, text: &mut String, detail: &mut DetailJson) {
    shown(bits, "name", 112, 120, text, detail);
    shown(bits, "call_sign", 70, 42, text, detail);
    if let Some(imo) = bits.number(40, 30).filter(|imo| *imo > 0) {
        detail.number("imo", imo);
    }
    ship(bits, 232, detail);
    dimensions(bits, 240, detail);
    if let Some(draught) = bits.number(294, 8).filter(|draught| *draught > 0) {
        detail.text("draught_m", format_args!("{}.{}", draught / 10, draught % 10));
    }
    shown(bits, "destination", 302, 120, text, detail);
    let part = |at, count| bits.number(at, count);
    if let (Some(month @ 1..=12), Some(day @ 1..=31), Some(hour @ ..=23), Some(minute @ ..=59)) =
        (part(274, 4), part(278, 5), part(283, 5), part(288, 6))
    {
        detail.text("eta", format_args!("{month:02}-{day:02}T{hour:02}:{minute:02}Z"));
    }
}

fn aid(bits: &Bits<'_>, text: &mut String, detail: &mut DetailJson) {
    bits.text(43, 120, text);
    let mut rest = String::new();
    bits.text(272, bits.length().saturating_sub(272), &mut rest);
    if !text.is_empty() {
        detail.text("name", format_args!("{text}{rest}"));
    }
    if let Some(code) = bits.number(38, 5).filter(|code| *code > 0) {
        detail.text("aid", names::aid(code));
    }
    if let Some(off) = bits.flag(259) {
        // Seconds above 60 say that there is no position to compare with.
        if bits.number(253, 6).is_some_and(|second| second <= 60) {
            detail.flag("off_position", off);
        }
    }
    if let Some(is_virtual) = bits.flag(269) {
        detail.flag("virtual", is_virtual);
    }
}

fn part_b(bits: &Bits<'_>, text: &mut String, detail: &mut DetailJson) {
    ship(bits, 40, detail);
    shown(bits, "call_sign", 90, 42, text, detail);
    shown(bits, "vendor", 48, 18, text, detail);
    let auxiliary = bits.number(8, 30).is_some_and(|mmsi| mmsi / 10_000_000 == 98);
    match bits.number(132, 30) {
        // An auxiliary craft names its mother ship where others tell their size.
        Some(mother) if auxiliary => detail.text("mother_ship", format_args!("{mother:09}")),
        _ => dimensions(bits, 132, detail),
    }
}
