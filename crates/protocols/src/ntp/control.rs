//! Modes 6 and 7: control messages (RFC 1305 appendix B, RFC 9327) and ntpd's private requests (ntp_request.h of the NTP project).

use quaywatch_model::Attribute;

use crate::bytes::{Cursor, device_text};

/// A message of mode 6.
pub(super) struct Control<'a> {
    pub is_response: bool,
    pub opcode: u8,
    /// Variables as text.
    pub data: &'a [u8],
}

impl Control<'_> {
    pub fn read(bytes: &[u8]) -> Option<Control<'_>> {
        let mut cursor = Cursor::new(bytes);
        cursor.skip(1)?;
        let second = cursor.u8()?;
        // Sequence, status, association, offset.
        cursor.skip(8)?;
        let count = usize::from(cursor.be16()?);
        let data = cursor.rest().get(..count).unwrap_or(cursor.rest());
        Some(Control { is_response: second & 0x80 != 0, opcode: second & 0x1f, data })
    }

    /// Name of the command, RFC 9327 section 2.
    pub const fn name(&self) -> &'static str {
        match self.opcode {
            1 => "control read-status",
            2 => "control read-variables",
            3 => "control write-variables",
            4 => "control read-clock-variables",
            5 => "control write-clock-variables",
            6 => "control set-trap",
            7 => "control trap",
            8 => "control configure",
            9 => "control export-configuration",
            10 => "control read-mru",
            11 => "control read-ordered-list",
            12 => "control request-nonce",
            31 => "control unset-trap",
            _ => "control",
        }
    }

    /// System variables that tell who answers (RFC 9327 section 5.1).
    pub fn identities(&self, mut each: impl FnMut(Attribute, &str)) {
        let Some(text) = device_text(self.data).filter(|_| self.is_response && self.opcode == 2) else { return };
        for pair in split(&text) {
            let Some((key, value)) = pair.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match key.trim() {
                "version" => each(Attribute::Software, value),
                "system" => each(Attribute::Os, value),
                "processor" => each(Attribute::Hardware, value),
                _ => {}
            }
        }
    }
}

/// Parts of a list separated by commas that stand outside quotes.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    })
}

/// Name of a private request's code; these two answer with many times what they are asked with.
pub(super) fn private_name(bytes: &[u8]) -> Option<(bool, &'static str)> {
    let mut cursor = Cursor::new(bytes);
    let first = cursor.u8()?;
    cursor.skip(2)?;
    let name = match cursor.u8()? {
        0 => "private peer-list",
        4 => "private system-info",
        16 => "private restrict-list",
        20 | 42 => "private monlist",
        _ => "private",
    };
    Some((first & 0x80 != 0, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_between_quotes() {
        let data = b"version=\"ntpd 4.2.6p5@1.2349, May\", processor=\"armv7l\",\r\nsystem=\"Linux/3.2\", leap=0";
        let control = Control { is_response: true, opcode: 2, data };
        let mut said = Vec::new();
        control.identities(|attribute, value| said.push(format!("{} {value}", attribute.name())));
        assert_eq!(said, ["software ntpd 4.2.6p5@1.2349, May", "hardware armv7l", "os Linux/3.2"]);
    }
}
