//! The wire form shared by DNS, mDNS and LLMNR: RFC 1035 section 4, RFC 6762 section 18, RFC 4795 section 2.1.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use quaywatch_model::Address;

use crate::bytes::Cursor;

/// Bytes of a name, RFC 1035 section 2.3.4.
const MAX_NAME: usize = 255;
/// Compression pointers followed within one name: each must lead backwards, this only bounds the work.
const MAX_POINTERS: usize = 64;
/// Records read of one message; a zone transfer's largest message of 64 KiB holds fewer.
pub(super) const MAX_RECORDS: usize = 4096;

/// Record types that are read, RFC 1035 section 3.2.2, RFC 3596, RFC 2782.
pub(super) mod kind {
    pub const A: u16 = 1;
    pub const CNAME: u16 = 5;
    pub const PTR: u16 = 12;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const IXFR: u16 = 251;
    pub const AXFR: u16 = 252;
}

/// The class of nearly all records (RFC 1035 section 3.2.4).
const CLASS_IN: u16 = 1;
/// The class `version.bind` is asked in.
pub(super) const CLASS_CHAOS: u16 = 3;

/// The twelve bytes that open a message, RFC 1035 section 4.1.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub id: u16,
    pub flags: u16,
    /// Questions, answers, authorities, additional records; in an update: zones, prerequisites, updates, additional.
    pub counts: [u16; 4],
}

impl Header {
    pub fn read(message: &[u8]) -> Option<Header> {
        let mut cursor = Cursor::new(message);
        let (id, flags) = (cursor.be16()?, cursor.be16()?);
        Some(Header { id, flags, counts: [cursor.be16()?, cursor.be16()?, cursor.be16()?, cursor.be16()?] })
    }

    pub const fn is_response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// 0 query, 4 notify, 5 update.
    pub const fn opcode(self) -> u16 {
        self.flags >> 11 & 15
    }

    /// Whether opcode and counts are such as real messages have.
    pub fn is_plausible(self) -> bool {
        let [questions, ..] = self.counts;
        matches!(self.opcode(), 0 | 1 | 2 | 4 | 5) && questions <= 64 && self.counts.iter().any(|count| *count > 0)
    }
}

/// Why a message cannot be read further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// A field lies beyond the end.
    Short,
    /// A name runs in a circle, is too long, or has a label of an unknown kind.
    BadName,
    /// More records than [`MAX_RECORDS`].
    TooMany,
}

impl Fault {
    pub const fn words(self) -> &'static str {
        match self {
            Fault::Short => "the message ends before its last record",
            Fault::BadName => "a name runs in a circle, is too long or has an unknown label type",
            Fault::TooMany => "more records than a message can hold",
        }
    }
}

/// A question, or a record with its data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'m> {
    /// 0 question, 1 answer, 2 authority, 3 additional.
    pub section: usize,
    /// Where its name starts in the message.
    pub name: usize,
    pub kind: u16,
    pub class: u16,
    /// The record's data; empty for a question.
    pub data: &'m [u8],
    /// Where the data starts in the message: names in it may be compressed.
    pub data_at: usize,
}

impl Entry<'_> {
    /// The class without mDNS's cache-flush and unicast-response bit (RFC 6762 section 18).
    pub const fn class(&self) -> u16 {
        self.class & 0x7fff
    }

    /// The address that an A or AAAA record holds.
    pub fn address(&self) -> Option<Address> {
        match (self.kind, self.data.len()) {
            (kind::A, 4) => Some(Address::V4(Ipv4Addr::from(Cursor::new(self.data).be32()?))),
            (kind::AAAA, 16) => {
                let octets: [u8; 16] = self.data.try_into().ok()?;
                Some(Address::V6(Ipv6Addr::from(octets)))
            }
            _ => None,
        }
    }
}

/// Walks the entries of a message in order.
pub(super) struct Entries<'m> {
    message: &'m [u8],
    at: usize,
    section: usize,
    left: [u16; 4],
    read: usize,
}

impl<'m> Entries<'m> {
    pub const fn new(message: &'m [u8], header: Header) -> Self {
        Entries { message, at: 12, section: 0, left: header.counts, read: 0 }
    }

    /// Where the next entry starts: after the last, the length of the message proper.
    pub const fn offset(&self) -> usize {
        self.at
    }

    fn next_section(&mut self) -> Option<usize> {
        loop {
            let left = self.left.get_mut(self.section)?;
            if *left > 0 {
                *left -= 1;
                return Some(self.section);
            }
            self.section += 1;
        }
    }

    fn entry(&mut self, section: usize) -> Result<Entry<'m>, Fault> {
        let name = self.at;
        let after = skip_name(self.message, name)?;
        let mut cursor = Cursor::new(self.message.get(after..).ok_or(Fault::Short)?);
        let whole = cursor.left();
        let mut field = || cursor.be16().ok_or(Fault::Short);
        let (kind, class) = (field()?, field()?);
        let mut data: &[u8] = &[];
        if section > 0 {
            cursor.skip(4).ok_or(Fault::Short)?;
            let length = cursor.be16().ok_or(Fault::Short)?;
            data = cursor.take(usize::from(length)).ok_or(Fault::Short)?;
        }
        self.at = after + (whole - cursor.left());
        Ok(Entry { section, name, kind, class, data, data_at: self.at - data.len() })
    }
}

impl<'m> Iterator for Entries<'m> {
    type Item = Result<Entry<'m>, Fault>;

    /// After a fault there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        let section = self.next_section()?;
        self.read += 1;
        let entry = if self.read > MAX_RECORDS { Err(Fault::TooMany) } else { self.entry(section) };
        if entry.is_err() {
            self.left = [0; 4];
        }
        Some(entry)
    }
}

/// Whether a label's length byte is a compression pointer, an end, a label, or nothing known (RFC 1035 section 4.1.4).
enum Label {
    End,
    Text(usize),
    Pointer(usize),
}

fn label(message: &[u8], at: usize) -> Result<Label, Fault> {
    match *message.get(at).ok_or(Fault::Short)? {
        0 => Ok(Label::End),
        length @ 1..=63 => Ok(Label::Text(usize::from(length))),
        high @ 0xc0.. => {
            let low = *message.get(at + 1).ok_or(Fault::Short)?;
            Ok(Label::Pointer(usize::from(high & 0x3f) << 8 | usize::from(low)))
        }
        _ => Err(Fault::BadName),
    }
}

/// Where a name's own bytes end.
fn skip_name(message: &[u8], mut at: usize) -> Result<usize, Fault> {
    let start = at;
    loop {
        match label(message, at)? {
            Label::End => return Ok(at + 1),
            Label::Pointer(to) if to < start => return Ok(at + 2),
            Label::Pointer(_) => return Err(Fault::BadName),
            Label::Text(length) => at += 1 + length,
        }
        if at - start > MAX_NAME {
            return Err(Fault::BadName);
        }
    }
}

/// Reads a name into `into` as text: labels joined by dots, no dot at the end, the root as `.`.
///
/// Dots, backslashes and bytes that are neither text nor blank are escaped as in zone files (RFC 1035 section 5.1).
pub(super) fn read_name(message: &[u8], mut at: usize, into: &mut String) -> Result<(), Fault> {
    into.clear();
    let (mut bytes, mut pointers, mut floor) = (0, 0, at);
    loop {
        match label(message, at)? {
            Label::End => break,
            // Only ever backwards, so that a name cannot contain itself.
            Label::Pointer(to) if to < floor && pointers < MAX_POINTERS => {
                (at, floor, pointers) = (to, to, pointers + 1);
            }
            Label::Pointer(_) => return Err(Fault::BadName),
            Label::Text(length) => {
                let text = message.get(at + 1..at + 1 + length).ok_or(Fault::Short)?;
                bytes += length + 1;
                if bytes > MAX_NAME {
                    return Err(Fault::BadName);
                }
                push_label(text, into);
                at += 1 + length;
            }
        }
    }
    if into.is_empty() {
        into.push('.');
    }
    Ok(())
}

fn push_label(label: &[u8], into: &mut String) {
    if !into.is_empty() {
        into.push('.');
    }
    if let Ok(text) = std::str::from_utf8(label)
        && !text.chars().any(|c| c.is_control() || c == '.' || c == '\\')
    {
        return into.push_str(text);
    }
    for byte in label {
        match byte {
            b'.' | b'\\' => {
                into.push('\\');
                into.push(char::from(*byte));
            }
            b' '..=b'~' => into.push(char::from(*byte)),
            other => {
                let _ = write!(into, "\\{other:03}");
            }
        }
    }
}

/// What stands at the front of a message, for probes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A whole message that ends where its records end.
    Whole { response: bool },
    /// It begins like one.
    Start,
    /// The header could be one, what follows cannot be read; `likely` if its counts are small, which chance seldom makes.
    Broken { likely: bool },
    /// None.
    Other,
}

/// Whether `bytes` are a message; `cut` when their end may be missing.
pub(super) fn shape(bytes: &[u8], cut: bool) -> Shape {
    let Some(header) = Header::read(bytes) else { return Shape::Other };
    if !header.is_plausible() {
        return Shape::Other;
    }
    let mut entries = Entries::new(bytes, header);
    let likely = header.counts.iter().all(|count| *count <= 64);
    for entry in entries.by_ref() {
        match entry {
            Ok(entry) if entry.section == 0 && !is_usual(&entry) => return Shape::Other,
            Ok(_) => {}
            Err(Fault::Short) if cut => return Shape::Start,
            Err(_) => return Shape::Broken { likely },
        }
    }
    if entries.offset() == bytes.len() {
        Shape::Whole { response: header.is_response() }
    } else {
        Shape::Broken { likely }
    }
}

/// A question of a class and type that are in use.
fn is_usual(question: &Entry<'_>) -> bool {
    matches!(question.class(), CLASS_IN | CLASS_CHAOS | 4 | 254 | 255)
        && matches!(question.kind, 1..=65 | 99..=110 | 249..=261 | 32768 | 32769)
}

/// The address that a name below `in-addr.arpa` or `ip6.arpa` stands for (RFC 1035 section 3.5, RFC 3596 section 2.5).
pub(super) fn reverse_address(name: &str) -> Option<Address> {
    if let Some(labels) = strip_end(name, ".in-addr.arpa") {
        let mut octets = [0u8; 4];
        let mut parts = labels.split('.');
        for octet in octets.iter_mut().rev() {
            *octet = parts.next()?.parse().ok()?;
        }
        return parts.next().is_none().then(|| Address::V4(Ipv4Addr::from(octets)));
    }
    let labels = strip_end(name, ".ip6.arpa")?;
    let mut value = 0u128;
    let mut count = 0;
    for digit in labels.rsplit('.') {
        value = value << 4 | u128::from(u8::from_str_radix(digit, 16).ok().filter(|_| digit.len() == 1)?);
        count += 1;
    }
    (count == 32).then(|| Address::V6(Ipv6Addr::from(value)))
}

/// `name` without `end`, compared as DNS compares.
pub(super) fn strip_end<'n>(name: &'n str, end: &str) -> Option<&'n str> {
    let at = name.len().checked_sub(end.len())?;
    let (front, back) = name.split_at_checked(at)?;
    back.eq_ignore_ascii_case(end).then_some(front)
}

/// The strings of TXT data (RFC 1035 section 3.3.14), each without its length byte.
pub(super) fn texts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut cursor = Cursor::new(data);
    std::iter::from_fn(move || {
        let length = cursor.u8()?;
        cursor.take(usize::from(length))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn name(message: &[u8], at: usize) -> Result<String, Fault> {
        let mut text = String::new();
        read_name(message, at, &mut text).map(|()| text)
    }

    #[test]
    fn names_are_read_through_pointers() {
        let message = b"\x03foo\x02eu\x00\x03bar\xc0\x04";
        assert_eq!(name(message, 0), Ok("foo.eu".into()));
        assert_eq!(name(message, 8), Ok("bar.eu".into()));
        assert_eq!(name(b"\x00", 0), Ok(".".into()));
        assert_eq!(name(b"\x03a.\xff\x00", 0), Ok("a\\.\\255".into()));
    }

    #[test]
    fn circles_and_long_names_are_refused() {
        assert_eq!(name(&[0xc0, 0], 0), Err(Fault::BadName));
        assert_eq!(name(&[1, b'a', 0xc0, 0], 0), Err(Fault::BadName));
        assert_eq!(name(&[0xc0, 2, 0xc0, 0], 0), Err(Fault::BadName));
        let long = [&[63; 64 * 5][..], &[0]].concat();
        assert_eq!(name(&long, 0), Err(Fault::BadName));
        assert_eq!(name(&[5, b'a'], 0), Err(Fault::Short));
        assert_eq!(name(&[0x40, 0], 0), Err(Fault::BadName));
    }

    #[test]
    fn reverse_names_are_addresses() {
        assert_eq!(reverse_address("5.0.168.192.IN-ADDR.ARPA").unwrap().to_string(), "192.168.0.5");
        let name = format!("1.{}8.e.f.ip6.arpa", "0.".repeat(27));
        assert_eq!(reverse_address(&name), None);
        let name = format!("1.{}0.8.e.f.ip6.arpa", "0.".repeat(27));
        assert_eq!(reverse_address(&name).unwrap().to_string(), "fe80::1");
        assert_eq!(reverse_address("b._dns-sd._udp.0.0.168.192.in-addr.arpa"), None);
    }

    #[test]
    fn shapes_are_told() {
        // A question for `foo`, type A.
        let query = hex("1234 0100 0001 0000 0000 0000 03666f6f00 0001 0001");
        assert_eq!(shape(&query, false), Shape::Whole { response: false });
        assert_eq!(shape(&query[..14], true), Shape::Start);
        assert_eq!(shape(&query[..14], false), Shape::Broken { likely: true });
        let trailing = [&query[..], b"x"].concat();
        assert_eq!(shape(&trailing, false), Shape::Broken { likely: true });
        assert_eq!(shape(&[0; 12], false), Shape::Other);
        assert_eq!(shape(b"GET / HTTP/1.1\r\n\r\n", false), Shape::Other);
    }
}
