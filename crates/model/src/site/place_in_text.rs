//! Where in a `site.toml` a byte stands: line, column, and the key it belongs to.

use super::Problem;

/// A problem at byte `offset` of `text`.
pub(super) fn problem(text: &str, offset: usize, message: String) -> Problem {
    let offset = floor_char(text, offset);
    let before = text.get(..offset).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Problem {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        key: key_at(text, offset),
        message,
    }
}

fn floor_char(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The table and key that the line of `offset` is part of, by looking back over the lines: values may span several.
fn key_at(text: &str, offset: usize) -> String {
    let line_end = text.get(offset..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| offset + at);
    let mut key = None;
    for line in text.get(..line_end).unwrap_or("").lines().rev() {
        let line = line.trim();
        if let Some(header) = header_name(line) {
            return match key {
                Some(key) => format!("{header}.{key}"),
                None => header.to_owned(),
            };
        }
        if key.is_none() {
            key = key_of(line);
        }
    }
    key.unwrap_or_default().to_owned()
}

fn header_name(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?;
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    let name = inner.split(']').next()?.trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_name.then_some(name)
}

fn key_of(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_key.then_some(key)
}

/// The candidate nearest to `word` in spelling, if any is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (to, above) in b.iter().zip(row.iter().skip(1)) {
            let cost = usize::from(from != *to);
            left = (diagonal + cost).min(*above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// `a, b or c`.
pub(super) fn alternatives(names: impl IntoIterator<Item = &'static str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_over_lines() {
        let text = "[site]\nid = \"a\"\n\n[[zone]]\nid = \"é\"\ncidrs = [\n  \"10.0.0.0/8\",\n  \"bad\",\n]\n";
        let found = problem(text, text.find("bad").unwrap(), String::new());
        assert_eq!((found.line, found.column, found.key.as_str()), (8, 4, "zone.cidrs"));
        let found = problem(text, text.find("[[zone").unwrap(), String::new());
        assert_eq!((found.line, found.column, found.key.as_str()), (4, 1, "zone"));
        let found = problem(text, text.len() + 9, String::new());
        assert_eq!(found.key, "zone.cidrs");
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        assert_eq!(nearest("cidr", ["kind", "cidrs", "macs"]), Some("cidrs"));
        assert_eq!(nearest("Crane", ["crane", "ot"]), Some("crane"));
        assert_eq!(nearest("colour", ["kind", "cidrs", "macs"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
