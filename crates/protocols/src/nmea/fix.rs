//! What positioning sentences say: where, how good, when.

use quaywatch_model::Timestamp;

/// Metres per second of a knot (1 852 metres an hour).
const KNOT: f64 = 1_852.0 / 3_600.0;

/// What one sentence says of position and time.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Fix {
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// GGA quality, or 0 / 1 by status.
    pub quality: Option<u32>,
    /// Satellites in use.
    pub satellites: Option<u32>,
    /// Horizontal dilution of precision.
    pub hdop: Option<f64>,
    /// Metres per second.
    pub speed: Option<f64>,
    /// Date and time, where the sentence has both.
    pub time: Option<Timestamp>,
    /// Whether the receiver vouches for the time.
    pub time_valid: bool,
    /// Whether a field does not hold what it must.
    pub broken: bool,
}

/// Fields of a sentence by their number, from 1 as in the standard.
struct Fields<'a> {
    list: [&'a str; 20],
    broken: bool,
}

impl<'a> Fields<'a> {
    fn new(fields: impl Iterator<Item = &'a str>) -> Self {
        let mut list = [""; 20];
        for (slot, field) in list.iter_mut().zip(fields) {
            *slot = field.trim();
        }
        Fields { list, broken: false }
    }

    fn text(&self, number: usize) -> &'a str {
        self.list.get(number.wrapping_sub(1)).copied().unwrap_or("")
    }

    /// Reads a field; one that is not empty and not readable counts as broken.
    fn read<T>(&mut self, number: usize, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(number);
        if text.is_empty() {
            return None;
        }
        let value = read(text);
        self.broken |= value.is_none();
        value
    }

    fn number(&mut self, number: usize) -> Option<f64> {
        self.read(number, decimal)
    }

    fn count(&mut self, number: usize) -> Option<u32> {
        self.read(number, |text| text.parse().ok())
    }

    /// Latitude, its hemisphere, longitude, its hemisphere from field `number` on.
    fn place(&mut self, number: usize, fix: &mut Fix) {
        let latitude = self.angle(number, 2, 90.0, ["N", "S"]);
        let longitude = self.angle(number + 2, 3, 180.0, ["E", "W"]);
        if let (Some(latitude), Some(longitude)) = (latitude, longitude) {
            fix.latitude = Some(latitude);
            fix.longitude = Some(longitude);
        }
    }

    fn angle(&mut self, number: usize, degree_digits: usize, most: f64, signs: [&str; 2]) -> Option<f64> {
        let value = self.read(number, |text| angle(text, degree_digits).filter(|value| *value <= most))?;
        let hemisphere = self.text(number + 1);
        match signs {
            [plus, _] if hemisphere == plus => Some(value),
            [_, minus] if hemisphere == minus => Some(-value),
            _ => {
                self.broken = true;
                None
            }
        }
    }

    /// `A` valid, `V` not.
    fn status(&mut self, number: usize) -> Option<u32> {
        self.read(number, |text| match text {
            "A" => Some(1),
            "V" => Some(0),
            _ => None,
        })
    }
}

/// A decimal number as the standard writes it: sign, digits, point. No exponents, no names.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// Degrees and minutes run together, `ddmm.mm`.
fn angle(text: &str, degree_digits: usize) -> Option<f64> {
    let (degrees, minutes) = text.split_at_checked(degree_digits)?;
    let degrees: u32 = degrees.parse().ok()?;
    let minutes = decimal(minutes).filter(|minutes| (0.0..60.0).contains(minutes))?;
    Some(f64::from(degrees) + minutes / 60.0)
}

/// Hours, minutes, seconds and nanoseconds of `hhmmss.sss`.
fn clock(text: &str) -> Option<(u32, u32, u32, i64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.len() != 6 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| whole.get(from..from + 2)?.parse().ok();
    let nanos = fraction.bytes().take(9).zip([8u32, 7, 6, 5, 4, 3, 2, 1, 0]);
    let nanos = nanos.map(|(digit, power)| i64::from(digit - b'0') * 10i64.pow(power)).sum();
    Some((part(0)?, part(2)?, part(4)?, nanos))
}

fn instant(year: i64, month: u32, day: u32, time: &str) -> Option<Timestamp> {
    let (hour, minute, second, nanos) = clock(time)?;
    let whole = Timestamp::from_civil(year, month, day, hour, minute, second)?;
    Some(Timestamp(whole.0.checked_add(nanos)?))
}

/// Reads the sentence of this formatter; `None` if it says nothing of position, speed or time.
#[must_use]
pub fn read<'a>(formatter: &str, fields: impl Iterator<Item = &'a str>) -> Option<Fix> {
    let mut fields = Fields::new(fields);
    let mut fix = Fix::default();
    match formatter {
        "GGA" => gga(&mut fields, &mut fix),
        "GNS" => gns(&mut fields, &mut fix),
        "GLL" => {
            fields.place(1, &mut fix);
            fields.read(5, clock);
            fix.quality = fields.status(6);
        }
        "RMC" => rmc(&mut fields, &mut fix),
        "VTG" => vtg(&mut fields, &mut fix),
        "GSA" => gsa(&mut fields, &mut fix),
        "ZDA" => zda(&mut fields, &mut fix),
        _ => return None,
    }
    fix.broken = fields.broken;
    Some(fix)
}

fn gga(fields: &mut Fields<'_>, fix: &mut Fix) {
    fields.read(1, clock);
    fields.place(2, fix);
    fix.quality = fields.count(6);
    fix.satellites = fields.count(7);
    fix.hdop = fields.number(8);
}

fn gns(fields: &mut Fields<'_>, fix: &mut Fix) {
    fields.read(1, clock);
    fields.place(2, fix);
    fix.quality = fields.read(6, mode_quality);
    fix.satellites = fields.count(7);
    fix.hdop = fields.number(8);
}

/// The GGA quality of the best system in a GNS mode indicator: a letter a system.
fn mode_quality(modes: &str) -> Option<u32> {
    const BEST_FIRST: [(char, u32); 9] =
        [('R', 4), ('F', 5), ('P', 3), ('D', 2), ('A', 1), ('E', 6), ('M', 7), ('S', 8), ('N', 0)];
    BEST_FIRST.into_iter().find(|(letter, _)| modes.contains(*letter)).map(|(_, quality)| quality)
}

fn rmc(fields: &mut Fields<'_>, fix: &mut Fix) {
    fix.quality = fields.status(2);
    fields.place(3, fix);
    fix.speed = fields.number(7).map(|knots| knots * KNOT);
    let time = fields.text(1);
    fields.read(1, clock);
    fix.time = fields.read(9, |date| {
        let part = |from: usize| date.get(from..from + 2)?.parse::<u32>().ok().filter(|_| date.len() == 6);
        let year = i64::from(part(4)?);
        // The receiver writes two digits; GPS time began in 1980.
        let year = if year < 80 { 2_000 + year } else { 1_900 + year };
        if time.is_empty() { None } else { instant(year, part(2)?, part(0)?, time) }
    });
    fix.time_valid = fix.quality == Some(1);
}

fn vtg(fields: &mut Fields<'_>, fix: &mut Fix) {
    // Up to NMEA 2.0 the fields had no unit letters.
    let (knots, kilometres) = if fields.text(2) == "T" || fields.text(6) == "N" { (5, 7) } else { (3, 4) };
    let knots = fields.number(knots).map(|knots| knots * KNOT);
    fix.speed = knots.or_else(|| fields.number(kilometres).map(|speed| speed / 3.6));
}

fn gsa(fields: &mut Fields<'_>, fix: &mut Fix) {
    let used = (3..=14).filter(|number| !fields.text(*number).is_empty()).count();
    fix.satellites = u32::try_from(used).ok();
    fix.hdop = fields.number(16);
}

fn zda(fields: &mut Fields<'_>, fix: &mut Fix) {
    let time = fields.text(1);
    fields.read(1, clock);
    if let (Some(day), Some(month), Some(year)) = (fields.count(2), fields.count(3), fields.count(4)) {
        fix.time = instant(i64::from(year), month, day, time);
        fields.broken |= fix.time.is_none() && !time.is_empty();
    }
    fix.time_valid = fix.time.is_some();
}
