//! Tag blocks and sentences: where they begin and end, their checksums, their fields.

/// Longest line taken, tag block included. A sentence has at most 82 characters (IEC 61162-1 section 7.3), many devices send more.
pub const LINE_LIMIT: usize = 1024;

/// A checksum as found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checksum {
    /// It fits.
    Good,
    /// It does not.
    Bad,
    /// There is none.
    Absent,
}

/// A line taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    /// Bytes before the first delimiter.
    pub junk: &'a [u8],
    /// Content of the tag block without its checksum (IEC 61162-450 section 7.2.3), and how that fits.
    pub tag: Option<(&'a str, Checksum)>,
    /// The sentence, if the line has one.
    pub sentence: Option<Sentence<'a>>,
}

/// A sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sentence<'a> {
    /// Address field, e.g. `GPGGA` or `PGRMT`.
    pub address: &'a str,
    /// What follows the address, without checksum.
    pub data: &'a str,
    /// Whether the checksum fits.
    pub checksum: Checksum,
    /// Whether it begins with `!` (encapsulation) in place of `$`.
    pub encapsulated: bool,
}

impl<'a> Sentence<'a> {
    /// Talker and formatter; `None` for proprietary sentences, which begin with `P`.
    #[must_use]
    pub fn parts(&self) -> Option<(&'a str, &'a str)> {
        if self.is_proprietary() { None } else { self.address.split_at_checked(2) }
    }

    /// Whether its maker defined it.
    #[must_use]
    pub fn is_proprietary(&self) -> bool {
        self.address.starts_with('P')
    }

    /// The fields behind the address.
    pub fn fields(&self) -> impl Iterator<Item = &'a str> {
        self.data.split(',')
    }
}

fn exclusive_or(text: &str) -> u8 {
    text.bytes().fold(0, |sum, byte| sum ^ byte)
}

/// Parts `text*hh` into text and verdict.
fn checked(text: &str) -> (&str, Checksum) {
    let Some((content, digits)) = text.rsplit_once('*') else {
        return (text, Checksum::Absent);
    };
    let stated = digits.get(..2).filter(|_| digits.len() == 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    (content, if stated == Some(exclusive_or(content)) { Checksum::Good } else { Checksum::Bad })
}

/// Takes a line apart, with or without its line end. `None` if it holds neither tag block nor sentence, or is not ASCII.
#[must_use]
pub fn line(bytes: &[u8]) -> Option<Line<'_>> {
    let start = bytes.iter().position(|byte| matches!(byte, b'$' | b'!' | b'\\'))?;
    let (junk, rest) = bytes.split_at_checked(start)?;
    let rest = std::str::from_utf8(rest).ok().filter(|text| text.is_ascii())?;
    let rest = rest.trim_end_matches(['\r', '\n', ' ', '\0']);
    let (tag, rest) = tag_block(rest);
    let sentence = sentence(rest);
    (tag.is_some() || sentence.is_some()).then_some(Line { junk, tag, sentence })
}

fn tag_block(text: &str) -> (Option<(&str, Checksum)>, &str) {
    match text.strip_prefix('\\').and_then(|text| text.split_once('\\')) {
        Some((block, rest)) => (Some(checked(block)), rest),
        None => (None, text),
    }
}

fn sentence(text: &str) -> Option<Sentence<'_>> {
    let (encapsulated, text) = match (text.strip_prefix('$'), text.strip_prefix('!')) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return None,
    };
    if text.bytes().any(|byte| !(0x20..0x7f).contains(&byte)) {
        return None;
    }
    let (content, checksum) = checked(text);
    let (address, data) = content.split_once(',').unwrap_or((content, ""));
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let known_length = if address.starts_with('P') { (3..=12).contains(&address.len()) } else { address.len() == 5 };
    (known_length && address.bytes().all(plain)).then_some(Sentence { address, data, checksum, encapsulated })
}

/// Parameters of a tag block: code and value.
pub fn parameters(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    tag.split(',').filter_map(|parameter| parameter.split_once(':'))
}
