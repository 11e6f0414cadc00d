//! Where and when something was observed: every row of evidence carries one [`At`].

use std::fmt;

use serde::{Serialize, Serializer};

/// Nanoseconds since 1970-01-01T00:00:00Z, as the capture recorded them; leap seconds are not counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug, Serialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Nanoseconds in a second.
    pub const SECOND: i64 = 1_000_000_000;

    /// The instant `seconds` and `nanos` after the epoch, saturating at the ends of the range (years 1677 and 2262).
    #[must_use]
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Timestamp(seconds.saturating_mul(Self::SECOND).saturating_add(nanos))
    }

    /// Nanoseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Year, month, day, hour, minute, second in UTC (proleptic Gregorian calendar).
    #[must_use]
    pub const fn civil(self) -> (i64, u32, u32, u32, u32, u32) {
        // Days to civil date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let seconds = self.0.div_euclid(Self::SECOND);
        let days = seconds.div_euclid(86_400) + 719_468;
        let second_of_day = seconds.rem_euclid(86_400);
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (
            year,
            month as u32,
            day as u32,
            (second_of_day / 3_600) as u32,
            (second_of_day / 60 % 60) as u32,
            (second_of_day % 60) as u32,
        )
    }

    /// The instant of a civil date and time in UTC; `None` when a field is out of its range.
    #[must_use]
    pub const fn from_civil(year: i64, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<Self> {
        if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        if year < 1678 || year > 2261 {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let shifted_month = (month as i64 + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + day as i64 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        let seconds = days * 86_400 + hour as i64 * 3_600 + minute as i64 * 60 + second as i64;
        Some(Timestamp(seconds * Self::SECOND))
    }

    /// Reads RFC 3339 (`2026-11-02T08:00:00Z`, offset `+01:00`, fraction, a blank for `T`), or a plain date as its midnight UTC.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = |range: std::ops::Range<usize>| -> Option<u32> {
            let part = text.get(range)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let separator = |at: usize, wanted: &[u8]| text.as_bytes().get(at).is_some_and(|b| wanted.contains(b));
        if !separator(4, b"-") || !separator(7, b"-") {
            return None;
        }
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        if text.len() == 10 {
            return Self::from_civil(i64::from(year), month, day, 0, 0, 0);
        }
        if !separator(10, b"Tt ") || !separator(13, b":") || !separator(16, b":") {
            return None;
        }
        let whole = Self::from_civil(i64::from(year), month, day, number(11..13)?, number(14..16)?, number(17..19)?)?;
        let rest = text.get(19..)?;
        let (nanos, zone) = parse_fraction(rest)?;
        let offset = parse_offset(zone)?;
        Some(Timestamp(whole.0.checked_add(nanos)?.checked_sub(offset.checked_mul(Self::SECOND)?)?))
    }
}

fn parse_fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let nanos = fraction.bytes().take(digits.min(9)).fold(0i64, |sum, b| sum * 10 + i64::from(b - b'0'));
    let scale = 10i64.pow(9 - u32::try_from(digits.min(9)).ok()?);
    Some((nanos * scale, fraction.get(digits..)?))
}

/// Seconds east of UTC.
fn parse_offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with microseconds, `2026-11-02T08:00:00.000000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second) = self.civil();
        let micros = self.0.rem_euclid(Self::SECOND) / 1_000;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// The number of an input (a capture or document file) in the order of the run's list of inputs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug, Serialize)]
pub struct SourceId(pub u32);

/// The number of a segment (a capture point's broadcast domain) in the run's list of segments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug, Serialize)]
pub struct SegmentId(pub u16);

/// Identifies a flow across all tables, as Zeek's `uid` does; zero where a row belongs to no flow.
///
/// It is a hash of the flow's key and the time of its first packet, so the same captures give the same uids.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub struct Uid(pub u64);

impl Uid {
    const ALPHABET: &'static [u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// Whether the row belongs to no flow.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The printed form without an allocation: `C` and eleven base-62 digits.
    #[must_use]
    pub fn text(self) -> [u8; 12] {
        let mut text = [b'0'; 12];
        let mut rest = self.0;
        for slot in text.iter_mut().rev() {
            let digit = usize::try_from(rest % 62).unwrap_or(0);
            *slot = Self::ALPHABET.get(digit).copied().unwrap_or(b'0');
            rest /= 62;
        }
        // 62^11 exceeds 2^64, so the first place is always free for the mark.
        text[0] = b'C';
        text
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return Ok(());
        }
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or(""))
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The place of an observation: instant, input, frame or line, capture point and flow.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct At {
    /// When the packet was captured; for a document, the time the document states, else zero.
    pub ts: Timestamp,
    /// Which input it was read from.
    pub source: SourceId,
    /// Which segment the input belongs to.
    pub segment: SegmentId,
    /// Frame number in the capture as Wireshark counts (from 1), or line number in a document; 0 for the input as a whole.
    pub frame: u64,
    /// The flow, if any.
    pub uid: Uid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_and_parse() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00.000000Z", 0),
            ("2026-11-02T08:00:00.000000Z", 1_793_606_400_000_000_000),
            ("2000-02-29T23:59:59.123456Z", 951_868_799_123_456_000),
            ("1969-12-31T23:59:59.000000Z", -1_000_000_000),
        ] {
            assert_eq!(Timestamp(nanos).to_string(), text);
            assert_eq!(Timestamp::parse_rfc3339(text), Some(Timestamp(nanos)), "{text}");
        }
        let with_offset = Timestamp::parse_rfc3339("2026-11-02 09:30:00.5+01:30").unwrap();
        assert_eq!(with_offset.to_string(), "2026-11-02T08:00:00.500000Z");
        assert_eq!(Timestamp::parse_rfc3339("2026-11-02").unwrap().to_string(), "2026-11-02T00:00:00.000000Z");
        for bad in [
            "",
            "2026-13-01",
            "2026-11-02T08:00",
            "2026-11-02T25:00:00Z",
            "yesterday",
            "2026-11-02T08:00:00",
            "2026-11-02T08:00:00.Z",
            "２026-11-02",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn uids_are_short_and_stable() {
        assert_eq!(Uid(0).to_string(), "");
        assert_eq!(Uid(61).to_string(), "C0000000000z");
        assert_eq!(Uid(u64::MAX).to_string().len(), 12);
    }
}
