//! Numbers and instants in the words that all formats share.

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 host`, `2 hosts`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

/// An RFC 3339 instant to the second, `2026-11-02 08:00:00 UTC`; what is none stays as it is.
pub(crate) fn instant(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..19)) {
        (Some(day), Some(time)) if rfc3339.ends_with('Z') => format!("{day} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// Share in whole per cent that never rounds to 0 or 100 unless it is.
pub(crate) fn per_cent(part: u64, whole: u64) -> String {
    match (part, whole) {
        (_, 0) => "-".to_owned(),
        (0, _) => "0 %".to_owned(),
        (part, whole) if part >= whole => "100 %".to_owned(),
        (part, whole) => format!("{} %", (u128::from(part) * 100 / u128::from(whole)).clamp(1, 99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shares_stay_honest() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "host", "hosts"), "1 host");
        assert_eq!(per_cent(1, 1_000_000), "1 %");
        assert_eq!(per_cent(999_999, 1_000_000), "99 %");
        assert_eq!(per_cent(3, 3), "100 %");
        assert_eq!(instant("2026-11-02T08:00:00.000000Z"), "2026-11-02 08:00:00 UTC");
        assert_eq!(instant(""), "");
    }
}
