//! Builds the JSON object of a `detail` column into a reused string.

use std::fmt::{Display, Write};

/// The fields of one flat JSON object, collected without an allocation once the string has grown.
#[derive(Clone, Default, Debug)]
pub struct DetailJson {
    fields: String,
}

impl DetailJson {
    /// Forgets all fields and keeps the allocation.
    pub fn clear(&mut self) {
        self.fields.clear();
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    fn key(&mut self, key: &str) {
        if !self.fields.is_empty() {
            self.fields.push(',');
        }
        self.fields.push('"');
        self.fields.push_str(key);
        self.fields.push_str("\":");
    }

    /// Adds an integer.
    pub fn number(&mut self, key: &str, value: impl Into<i64>) {
        self.key(key);
        // Writing to a string cannot fail.
        let _ = write!(self.fields, "{}", value.into());
    }

    /// Adds a truth value.
    pub fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.fields.push_str(if value { "true" } else { "false" });
    }

    /// Adds a text.
    pub fn text(&mut self, key: &str, value: impl Display) {
        self.key(key);
        quote(&mut self.fields, value);
    }

    /// Adds a list of integers.
    pub fn numbers(&mut self, key: &str, values: impl IntoIterator<Item = u32>) {
        self.key(key);
        self.fields.push('[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.fields.push(',');
            }
            let _ = write!(self.fields, "{value}");
        }
        self.fields.push(']');
    }

    /// Adds a list of texts.
    pub fn texts<T: Display>(&mut self, key: &str, values: impl IntoIterator<Item = T>) {
        self.key(key);
        self.fields.push('[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.fields.push(',');
            }
            quote(&mut self.fields, value);
        }
        self.fields.push(']');
    }

    /// Writes the object into `line`, which is emptied first; leaves it empty if there is no field.
    pub fn object<'l>(&self, line: &'l mut String) -> &'l str {
        line.clear();
        if !self.fields.is_empty() {
            line.push('{');
            line.push_str(&self.fields);
            line.push('}');
        }
        line
    }
}

/// Appends `value` as a JSON string (RFC 8259 section 7).
fn quote(line: &mut String, value: impl Display) {
    line.push('"');
    let start = line.len();
    let _ = write!(line, "{value}");
    if line.get(start..).is_some_and(|text| text.contains(|c: char| c.is_control() || c == '"' || c == '\\')) {
        let plain = line.split_off(start);
        plain.chars().for_each(|c| escape(line, c));
    }
    line.push('"');
}

fn escape(line: &mut String, c: char) {
    match c {
        '"' => line.push_str("\\\""),
        '\\' => line.push_str("\\\\"),
        c if c.is_control() => {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        }
        c => line.push(c),
    }
}

/// Bytes as hexadecimal digits, `0x` in front.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut detail = DetailJson::default();
        let mut line = String::from("old");
        assert_eq!(detail.object(&mut line), "");
        detail.text("name", "a\"b\\c\nd\u{85}ü");
        detail.number("n", -3);
        detail.numbers("list", [1, 2]);
        detail.texts("names", ["x", "\""]);
        detail.flag("more", true);
        let value: serde_json::Value = serde_json::from_str(detail.object(&mut line)).unwrap();
        assert_eq!(value["name"], "a\"b\\c\nd\u{85}ü");
        assert_eq!(value["n"], -3);
        assert_eq!(value["list"], serde_json::json!([1, 2]));
        assert_eq!(value["names"], serde_json::json!(["x", "\""]));
        assert_eq!(value["more"], true);
    }

    #[test]
    fn bytes_print_as_hex() {
        assert_eq!(Hex(&[1, 0xab]).to_string(), "0x01ab");
    }
}
