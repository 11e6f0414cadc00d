//! Writes the `detail` column: one JSON object, built in a buffer that is used again.

use std::fmt::Write as _;

/// A JSON object under construction. Empty and absent values are left out.
#[derive(Default, Debug)]
pub struct Detail {
    text: String,
}

impl Detail {
    /// Starts a new object.
    pub fn begin(&mut self) -> &mut Self {
        self.text.clear();
        self.text.push('{');
        self
    }

    /// The finished object; empty if it has no member.
    pub fn finish(&mut self) -> &str {
        if self.text.len() <= 1 {
            self.text.clear();
        } else {
            self.text.push('}');
        }
        &self.text
    }

    fn key(&mut self, key: &str) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
        let _ = write!(self.text, "\"{key}\":");
    }

    /// A text member; left out if empty.
    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.key(key);
            self.quote(value);
        }
        self
    }

    /// A number.
    pub fn number(&mut self, key: &str, value: u64) -> &mut Self {
        self.key(key);
        let _ = write!(self.text, "{value}");
        self
    }

    /// A flag.
    pub fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.key(key);
        let _ = write!(self.text, "{value}");
        self
    }

    /// A list of texts; left out if it has none.
    pub fn list<'a>(&mut self, key: &str, values: impl IntoIterator<Item = &'a str>) -> &mut Self {
        let start = self.text.len();
        self.key(key);
        self.text.push('[');
        let empty = self.text.len();
        for value in values {
            if self.text.len() > empty {
                self.text.push(',');
            }
            self.quote(value);
        }
        if self.text.len() == empty {
            self.text.truncate(start);
        } else {
            self.text.push(']');
        }
        self
    }

    /// A member that is an object already written; left out if empty.
    pub fn object(&mut self, key: &str, object: &str) -> &mut Self {
        if !object.is_empty() {
            self.key(key);
            self.text.push_str(object);
        }
        self
    }

    /// A list of objects already written; left out if it has none.
    pub fn objects<'a>(&mut self, key: &str, objects: impl IntoIterator<Item = &'a str>) -> &mut Self {
        let start = self.text.len();
        self.key(key);
        self.text.push('[');
        let empty = self.text.len();
        for object in objects {
            if self.text.len() > empty {
                self.text.push(',');
            }
            self.text.push_str(object);
        }
        if self.text.len() == empty {
            self.text.truncate(start);
        } else {
            self.text.push(']');
        }
        self
    }

    fn quote(&mut self, value: &str) {
        self.text.push('"');
        for character in value.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                control if u32::from(control) < 0x20 => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(control));
                }
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut detail = Detail::default();
        let text = detail
            .begin()
            .text("a", "x\"\\\n\u{7f}ü")
            .text("none", "")
            .number("n", 7)
            .flag("f", true)
            .list("l", ["1", "2"])
            .list("empty", [])
            .object("o", "{\"k\":1}")
            .objects("os", ["{}", "{}"])
            .finish();
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a": "x\"\\\n\u{7f}ü", "n": 7, "f": true, "l": ["1", "2"], "o": {"k": 1}, "os": [{}, {}]})
        );
        assert_eq!(detail.begin().list("empty", []).finish(), "");
    }
}
