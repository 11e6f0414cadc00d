//! Cuts a line into words as iptables-restore does: blanks part them, quotes hold them together.

use std::borrow::Cow;

/// The words of `line`. In double quotes a backslash takes the next character as it is.
pub(super) fn split(line: &str) -> Result<Vec<Cow<'_, str>>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' => quoted(rest.get(1..).unwrap_or(""))?,
            '\'' => {
                let body = rest.get(1..).unwrap_or("");
                let (word, after) = body.split_once('\'').ok_or("a quote is not closed")?;
                (Cow::Borrowed(word), after)
            }
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                (Cow::Borrowed(word), after)
            }
        };
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return Err("a quote ends inside a word".to_owned());
        }
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

fn quoted(body: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut word = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((Cow::Owned(word), body.get(at + 1..).unwrap_or(""))),
            '\\' => word.extend(chars.next().map(|(_, c)| c)),
            _ => word.push(c),
        }
    }
    Err("a quote is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            split(r#" -A X  --comment "a \"b\" c" -j Y "#).unwrap(),
            ["-A", "X", "--comment", "a \"b\" c", "-j", "Y"]
        );
        assert_eq!(split("--log-prefix 'a b'").unwrap(), ["--log-prefix", "a b"]);
        assert_eq!(split("x it's").unwrap(), ["x", "it's"]);
        for bad in [r#"x "open"#, "x 'open", r#""a"b"#, r#"""#, r#""\"#] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }
}
