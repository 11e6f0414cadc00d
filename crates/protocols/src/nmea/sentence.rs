//! One sentence: its checksum, its name, and the fields that say where and when.

use quaywatch_model::Timestamp;

/// Why a line is no sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It does not start as one.
    NotASentence,
    /// The checksum differs.
    Checksum,
    /// It has none.
    NoChecksum,
}

impl Fault {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Fault::NotASentence => "nmea_not_a_sentence",
            Fault::Checksum => "nmea_bad_checksum",
            Fault::NoChecksum => "nmea_checksum_missing",
        }
    }

    pub(super) const fn reason(self) -> &'static str {
        match self {
            Fault::NotASentence => "a line that is no sentence",
            Fault::Checksum => "the checksum differs",
            Fault::NoChecksum => "the checksum is missing",
        }
    }
}

/// A sentence with a checksum that holds.
pub(super) struct Sentence<'a> {
    name: &'a str,
    fields: &'a str,
}

/// What a sentence says of place and time.
#[derive(Default, Debug, PartialEq)]
pub(super) struct Fix {
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
    pub(super) quality: Option<u32>,
    pub(super) satellites: Option<u32>,
    pub(super) hdop: Option<f64>,
    /// Metres per second.
    pub(super) speed: Option<f64>,
    /// Nanoseconds since midnight UTC.
    pub(super) time_of_day: Option<i64>,
    /// Midnight UTC of the day.
    pub(super) date: Option<Timestamp>,
    /// Whether the sentence is about a position, even one that is missing.
    pub(super) positional: bool,
}

/// Whether these bytes could be the start of a sentence that is not here to its end.
pub(super) fn may_begin(line: &[u8]) -> bool {
    let name = line.get(1..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    matches!(line.first(), Some(b'$' | b'!'))
        && (3..=9).contains(&name)
        && line.get(1 + name).is_none_or(|b| *b == b',')
}

impl<'a> Sentence<'a> {
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        if !may_begin(line) || !line.is_ascii() {
            return Err(Fault::NotASentence);
        }
        let body = line.get(1..).and_then(|body| std::str::from_utf8(body).ok()).ok_or(Fault::NotASentence)?;
        let Some((body, sum)) = body.rsplit_once('*') else {
            return Err(if body.contains(',') { Fault::NoChecksum } else { Fault::NotASentence });
        };
        let stated = u8::from_str_radix(sum.trim(), 16).map_err(|_| Fault::Checksum)?;
        if body.bytes().fold(0, |sum, byte| sum ^ byte) != stated {
            return Err(Fault::Checksum);
        }
        let (name, fields) = body.split_once(',').unwrap_or((body, ""));
        Ok(Sentence { name, fields })
    }

    /// Talker and formatter, e.g. `GPGGA`.
    pub(super) const fn name(&self) -> &'a str {
        self.name
    }

    fn field(&self, number: usize) -> &'a str {
        self.fields.split(',').nth(number - 1).unwrap_or_default()
    }

    fn number<T: std::str::FromStr>(&self, number: usize) -> Option<T> {
        self.field(number).parse().ok()
    }

    /// What it says of place and time; `None` for sentences about other things. Field numbers as in IEC 61162-1 section 8.3.
    pub(super) fn fix(&self) -> Option<Fix> {
        let formatter = self.name.get(self.name.len().checked_sub(3)?..)?;
        // Proprietary sentences (`P` and a maker's mark) only look alike.
        if self.name.starts_with('P') {
            return None;
        }
        let position = |at: usize| {
            (angle(self.field(at), self.field(at + 1), 2), angle(self.field(at + 2), self.field(at + 3), 3))
        };
        let valid = |at: usize| match self.field(at) {
            "A" => Some(1),
            "V" => Some(0),
            _ => None,
        };
        let mut fix = Fix { positional: true, ..Fix::default() };
        match formatter {
            "GGA" => {
                fix.time_of_day = time_of_day(self.field(1));
                (fix.latitude, fix.longitude) = position(2);
                (fix.quality, fix.satellites, fix.hdop) = (self.number(6), self.number(7), self.number(8));
            }
            "GNS" => {
                fix.time_of_day = time_of_day(self.field(1));
                (fix.latitude, fix.longitude) = position(2);
                // One mode letter a system; N is no fix.
                let modes = self.field(6);
                fix.quality = (!modes.is_empty()).then(|| u32::from(modes.bytes().any(|mode| mode != b'N')));
                (fix.satellites, fix.hdop) = (self.number(7), self.number(8));
            }
            "GLL" => {
                (fix.latitude, fix.longitude) = position(1);
                fix.time_of_day = time_of_day(self.field(5));
                fix.quality = valid(6);
            }
            "RMC" => {
                fix.time_of_day = time_of_day(self.field(1));
                fix.quality = valid(2);
                (fix.latitude, fix.longitude) = position(3);
                fix.speed = self.number::<f64>(7).map(|knots| knots * 1852.0 / 3600.0);
                fix.date = date(self.field(9));
            }
            "ZDA" => {
                fix.positional = false;
                fix.time_of_day = time_of_day(self.field(1));
                let (day, month, year) = (self.number(2)?, self.number(3)?, self.number::<i64>(4)?);
                fix.date = Timestamp::from_civil(year, month, day, 0, 0, 0);
            }
            _ => return None,
        }
        Some(fix)
    }
}

/// `llll.ll` degrees and minutes with a hemisphere letter, to degrees.
fn angle(text: &str, hemisphere: &str, degree_digits: usize) -> Option<f64> {
    let degrees: f64 = text.get(..degree_digits)?.parse().ok()?;
    let minutes: f64 = text.get(degree_digits..)?.parse().ok()?;
    let limit = if degree_digits == 2 { 90.0 } else { 180.0 };
    let value = degrees + minutes / 60.0;
    if !(0.0..60.0).contains(&minutes) || value > limit {
        return None;
    }
    match hemisphere {
        "N" | "E" => Some(value),
        "S" | "W" => Some(-value),
        _ => None,
    }
}

/// `hhmmss.ss` as nanoseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let two = |at: usize| -> Option<i64> { text.get(at..at + 2)?.parse().ok() };
    let (hour, minute, second) = (two(0)?, two(2)?, two(4)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let fraction: f64 =
        text.get(6..).filter(|rest| rest.starts_with('.')).map_or(Some(0.0), |rest| rest.parse().ok())?;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a second in nanoseconds")]
    let nanos = (fraction * 1e9).round() as i64;
    Some((hour * 3600 + minute * 60 + second) * Timestamp::SECOND + nanos)
}

/// `ddmmyy`; years are of this century, as the standard's are since 2000.
fn date(text: &str) -> Option<Timestamp> {
    let two = |at: usize| -> Option<u32> { text.get(at..at + 2)?.parse().ok() };
    Timestamp::from_civil(2000 + i64::from(two(4)?), two(2)?, two(0)?, 0, 0, 0)
}
