//! The Date field: IMF-fixdate, with the two obsolete forms (RFC 9110 section 5.6.7).

use quaywatch_model::Timestamp;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a date: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
pub(super) fn parse(value: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(value.get(..value.len().min(64))?).ok()?;
    let mut parts = text.split([' ', ',', '-']).filter(|part| !part.is_empty());
    let _weekday = parts.next()?;
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let (day, month, year, time) =
        if third.contains(':') { (second, first, parts.next()?, third) } else { (first, second, third, parts.next()?) };
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let year: i64 = year.parse().ok()?;
    let year = match year {
        // Two digits: the century is the one that lies less than 50 years ahead of what captures hold.
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    let mut clock = time.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    Timestamp::from_civil(year, u32::try_from(month + 1).ok()?, day.parse().ok()?, hour, minute, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        let wanted = Timestamp::from_civil(1994, 11, 6, 8, 49, 37);
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text.as_bytes()), wanted, "{text}");
        }
        for text in ["", "now", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
