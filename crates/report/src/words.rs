//! Numbers and instants in the words that all formats share.

use quaywatch_model::assessment::UnrecognisedLine;

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

/// What unrecognised traffic looks like, in words.
pub(crate) struct Look {
    pub(crate) looks: String,
    pub(crate) question: String,
}

/// Describes a service that no decoder recognised.
pub(crate) fn look(line: &UnrecognisedLine) -> Look {
    let mut looks = match line.content.as_str() {
        "text" => "readable text",
        "random" => "encrypted or compressed",
        "binary" => "binary",
        _ => "too few bytes to tell",
    }
    .to_owned();
    if let Some(size) = line.size {
        looks.push_str(&format!(
            ", {} at a time",
            counted(usize::try_from(size).unwrap_or(usize::MAX), "byte", "bytes")
        ));
    }
    if line.rhythm == "periodic"
        && let Some(period) = line.period
    {
        looks.push_str(&format!(", every {}", span(period)));
    }
    let unknown = match (line.content.as_str(), line.rhythm.as_str()) {
        ("text", _) => "Which program writes these lines, and is anything secret in them?",
        ("random", _) => "Who set up this encrypted connection, for what, and where does it end?",
        ("binary", "periodic") => {
            "Which device sends these process values, and what follows if they are changed on the way?"
        }
        ("binary", _) => "Which product speaks this, and can it change the state of a machine?",
        _ => "Which product opens this connection, and is it needed?",
    };
    // A number that tells is the better lead.
    let question = match line.guess.as_str() {
        "" => unknown.to_owned(),
        guess => format!("Its number is that of {guess}, which is not read here: is it that, and who needs it?"),
    };
    Look { looks, question }
}

/// A time span of nanoseconds to two figures that matter: `15 ms`, `1.2 s`.
fn span(nanoseconds: u64) -> String {
    let (unit, name) = match nanoseconds {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        1_000_000_000..120_000_000_000 => (1_000_000_000, "s"),
        _ => (60_000_000_000, "min"),
    };
    let (whole, tenth) = (nanoseconds / unit, nanoseconds % unit * 10 / unit);
    if whole < 10 && tenth > 0 { format!("{whole}.{tenth} {name}") } else { format!("{whole} {name}") }
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

    #[test]
    fn spans_are_short_and_looks_say_what_was_measured() {
        for (nanoseconds, text) in [
            (15_063_000, "15 ms"),
            (1_250_000_000, "1.2 s"),
            (100_000_000, "100 ms"),
            (3_600_000_000_000, "60 min"),
            (5, "5 ns"),
        ] {
            assert_eq!(span(nanoseconds), text);
        }
        let line = UnrecognisedLine {
            sender: "10.0.0.1".to_owned(),
            receiver: "10.0.0.2".to_owned(),
            over: "tcp 5001".to_owned(),
            guess: String::new(),
            flows: 1,
            bytes: 5000,
            content: "binary".to_owned(),
            rhythm: "periodic".to_owned(),
            size: Some(73),
            period: Some(15_063_000),
            prefix: "57".to_owned(),
            source: "a.pcap".to_owned(),
            frame: 4,
        };
        assert_eq!(look(&line).looks, "binary, 73 bytes at a time, every 15 ms");
        assert!(look(&line).question.starts_with("Which device sends these process values"));
        let numbered = UnrecognisedLine { guess: "igmp".to_owned(), ..line.clone() };
        assert!(look(&numbered).question.starts_with("Its number is that of igmp"));
        let little = UnrecognisedLine { content: String::new(), size: None, ..line };
        assert_eq!(look(&little).looks, "too few bytes to tell, every 15 ms");
    }
}
