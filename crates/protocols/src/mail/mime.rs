//! The content of a message (RFC 5322, RFC 2045, RFC 2046), read for EDI interchanges only; nothing of it is kept.

use quaywatch_model::Sink;
use quaywatch_wire::Pdu;

use crate::edifact;

/// Longest start of a line that is looked at as one; what follows is taken as further pieces of it.
const MAX_LINE: usize = 4096;
/// Longest header field kept, unfolded.
const MAX_FIELD: usize = 2048;
/// Parts within parts.
const MAX_DEPTH: usize = 6;
/// Longest boundary (RFC 2046 section 5.1.1).
const MAX_BOUNDARY: usize = 70;
/// Bytes of a decoded attachment that tell whether it is an interchange: `UNA`, a line end and the opening of `UNB`.
const SNIFFED: usize = 24;

/// Where in a message.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Place {
    #[default]
    Head,
    Body,
    /// Between parts: nobody reads that.
    Between,
}

/// How a body is encoded (RFC 2045 section 6).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Coding {
    #[default]
    Plain,
    /// Bits read ahead, and how many.
    Base64 {
        bits: u32,
        have: u8,
    },
    Quoted(Quoted),
    /// Of a part without its header: the first line tells.
    Unknown,
}

/// Where in quoted-printable text.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Quoted {
    #[default]
    Text,
    Equals,
    Digit(u8),
}

impl Coding {
    const BASE64: Coding = Coding::Base64 { bits: 0, have: 0 };

    /// Appends what `bytes` stand for.
    fn decode(&mut self, bytes: &[u8], decoded: &mut Vec<u8>) {
        match self {
            Coding::Plain | Coding::Unknown => decoded.extend_from_slice(bytes),
            Coding::Base64 { bits, have } => {
                for byte in bytes {
                    let Some(value) = sextet(*byte) else { continue };
                    *bits = (*bits << 6 | u32::from(value)) & 0xff_ffff;
                    *have += 6;
                    if *have >= 8 {
                        *have -= 8;
                        decoded.push((*bits >> *have & 0xff) as u8);
                    }
                }
            }
            Coding::Quoted(quoted) => bytes.iter().for_each(|byte| quoted.take(*byte, decoded)),
        }
    }
}

/// The six bits that a character of base64 stands for.
const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

impl Quoted {
    fn take(&mut self, byte: u8, decoded: &mut Vec<u8>) {
        let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (*self, byte, digit) {
            (Quoted::Text, b'=', _) => *self = Quoted::Equals,
            (Quoted::Text, ..) => decoded.push(byte),
            (Quoted::Equals, b'\n', _) => *self = Quoted::Text,
            (Quoted::Equals, b'\r' | b' ' | b'\t', _) => {}
            (Quoted::Equals, _, Some(digit)) => *self = Quoted::Digit(digit),
            (Quoted::Digit(high), _, Some(low)) => {
                decoded.push(high << 4 | low);
                *self = Quoted::Text;
            }
            (Quoted::Equals | Quoted::Digit(_), ..) => {
                decoded.push(byte);
                *self = Quoted::Text;
            }
        }
    }
}

/// A message being read.
#[derive(Default)]
pub(crate) struct Message {
    /// The start of a line whose end is not here.
    line: Vec<u8>,
    /// What comes continues a line whose start was read.
    within_line: bool,
    /// Bytes were missed: nothing is read before the next line.
    lost: bool,
    place: Place,
    field: Vec<u8>,
    /// What the header of the part at hand says.
    declared: Coding,
    boundary: Option<Vec<u8>>,
    is_message: bool,
    /// Of the parts that the one at hand lies in, outermost first.
    boundaries: Vec<Vec<u8>>,
    coding: Coding,
    decoded: Vec<u8>,
    /// Start of a decoded attachment.
    sniffed: Vec<u8>,
    begun: bool,
    interchange: Option<Box<edifact::Reader>>,
    /// The interchange's last segment was seen.
    over: bool,
    /// Interchanges found.
    pub(super) interchanges: u32,
}

impl Message {
    /// A message with its header.
    pub(crate) fn whole() -> Self {
        Message::default()
    }

    /// A part of which the header is elsewhere.
    pub(crate) fn part() -> Self {
        Message { place: Place::Body, coding: Coding::Unknown, ..Message::default() }
    }

    /// Whether an interchange was found in it.
    pub(crate) const fn is_read(&self) -> bool {
        self.interchanges > 0
    }

    /// Takes the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            if self.line.is_empty() && (ends || piece.len() >= MAX_LINE) {
                self.take(piece, pdu, out);
                continue;
            }
            self.line.extend_from_slice(piece);
            if ends || self.line.len() >= MAX_LINE {
                let mut line = std::mem::take(&mut self.line);
                self.take(&line, pdu, out);
                line.clear();
                self.line = line;
            }
        }
    }

    /// No more bytes come.
    pub(crate) fn end(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take(&line, pdu, out);
        }
        self.end_part(pdu, out);
    }

    /// Bytes were missed.
    pub(crate) fn gap(&mut self) {
        self.line.clear();
        self.lost = true;
        self.coding = match self.coding {
            // A line of base64 holds whole groups of four by every encoder known.
            Coding::Base64 { .. } => Coding::BASE64,
            Coding::Quoted(_) => Coding::Quoted(Quoted::Text),
            other => other,
        };
        if let Some(interchange) = &mut self.interchange {
            interchange.gap();
        }
    }

    /// Takes a line with its end, or a piece of a long one.
    fn take(&mut self, line: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let ends = line.ends_with(b"\n");
        let starts = !std::mem::replace(&mut self.within_line, !ends);
        if self.lost {
            self.lost = !ends;
            return;
        }
        if self.place == Place::Head {
            return self.header(line.trim_ascii_end(), line, starts);
        }
        let boundary = starts && line.starts_with(b"--") && self.at_boundary(line.trim_ascii_end(), pdu, out);
        if !boundary && self.place == Place::Body {
            self.body(line, starts, pdu, out);
        }
    }

    fn header(&mut self, text: &[u8], line: &[u8], starts: bool) {
        let folded = !starts || matches!(line.first(), Some(b' ' | b'\t'));
        if !folded || text.is_empty() {
            self.field_done();
        }
        if starts && text.is_empty() {
            return self.header_done();
        }
        let room = MAX_FIELD.saturating_sub(self.field.len());
        self.field.extend_from_slice(text.get(..room).unwrap_or(text));
    }

    /// Reads the header field at hand.
    fn field_done(&mut self) {
        let field = std::mem::take(&mut self.field);
        if let Some(value) = value_of(&field, b"content-transfer-encoding:") {
            self.declared = match value.trim_ascii() {
                coding if coding.eq_ignore_ascii_case(b"base64") => Coding::BASE64,
                coding if coding.eq_ignore_ascii_case(b"quoted-printable") => Coding::Quoted(Quoted::Text),
                _ => Coding::Plain,
            };
        } else if let Some(value) = value_of(&field, b"content-type:") {
            let value = value.trim_ascii();
            self.is_message = value_of(value, b"message/rfc822").is_some();
            if value_of(value, b"multipart/").is_some() {
                self.boundary = boundary(value);
            }
        }
    }

    fn header_done(&mut self) {
        let (boundary, declared) = (self.boundary.take(), std::mem::take(&mut self.declared));
        let is_message = std::mem::take(&mut self.is_message);
        self.begun = false;
        self.sniffed.clear();
        self.place = match boundary {
            Some(boundary) if self.boundaries.len() < MAX_DEPTH => {
                self.boundaries.push(boundary);
                Place::Between
            }
            Some(_) => Place::Between,
            None if is_message && declared == Coding::Plain => Place::Head,
            None => {
                self.coding = declared;
                Place::Body
            }
        };
    }

    /// Whether a line is the boundary of a part that the one at hand lies in; then that part is over.
    fn at_boundary(&mut self, line: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> bool {
        let text = line.get(2..).unwrap_or_default();
        let closing = text.strip_suffix(b"--");
        let found = self.boundaries.iter().rposition(|boundary| text == boundary || closing == Some(boundary));
        let Some(depth) = found else { return false };
        let closes = self.boundaries.get(depth).is_some_and(|boundary| text != boundary);
        self.end_part(pdu, out);
        self.boundaries.truncate(if closes { depth } else { depth.saturating_add(1) });
        self.place = if closes { Place::Between } else { Place::Head };
        true
    }

    fn body(&mut self, line: &[u8], starts: bool, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.coding == Coding::Unknown {
            // `UNA` and `UNB` in base64.
            let base64 = line.starts_with(b"VU5B") || line.starts_with(b"VU5C");
            self.coding = if base64 { Coding::BASE64 } else { Coding::Plain };
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        self.coding.decode(line, &mut decoded);
        match self.coding {
            Coding::Base64 { .. } => self.attachment(&decoded, pdu, out),
            _ => self.text(&decoded, starts, pdu, out),
        }
        decoded.clear();
        self.decoded = decoded;
    }

    /// Decoded text: an interchange may begin with any line, and words may follow it.
    fn text(&mut self, text: &[u8], starts: bool, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if starts && edifact::is_start(text) {
            self.begin();
        } else if self.over {
            self.interchange = None;
        }
        self.hand_on(text, pdu, out);
        self.over |= self.interchange.is_some() && text.windows(4).any(|tag| tag == b"UNZ+");
    }

    /// Decoded bytes, cut anywhere: an interchange begins with the first of them.
    fn attachment(&mut self, bytes: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.begun {
            return self.hand_on(bytes, pdu, out);
        }
        let fresh = if self.sniffed.is_empty() { bytes.trim_ascii_start() } else { bytes };
        self.sniffed.extend_from_slice(fresh);
        if self.sniffed.len() >= SNIFFED {
            self.sniff(pdu, out);
        }
    }

    fn sniff(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut sniffed = std::mem::take(&mut self.sniffed);
        self.begun = true;
        if edifact::is_start(&sniffed) {
            self.begin();
        }
        self.hand_on(&sniffed, pdu, out);
        sniffed.clear();
        self.sniffed = sniffed;
    }

    fn begin(&mut self) {
        // The service string advice may stand on a line of its own: then the header behind it is no second start.
        if self.interchange.is_none() || self.over {
            self.interchange = Some(Box::default());
            self.interchanges = self.interchanges.saturating_add(1);
            self.over = false;
        }
    }

    fn hand_on(&mut self, bytes: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(interchange) = &mut self.interchange {
            interchange.feed(pdu.at, pdu.sender(), pdu.receiver(), bytes, out);
        }
    }

    fn end_part(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !self.sniffed.is_empty() {
            self.sniff(pdu, out);
        }
        self.interchange = None;
        self.over = false;
        self.coding = Coding::Plain;
    }
}

/// What follows `start`, which is compared without case.
fn value_of<'a>(field: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let (front, rest) = field.split_at_checked(start.len())?;
    front.eq_ignore_ascii_case(start).then_some(rest)
}

/// The parameter `boundary` of a content type.
fn boundary(value: &[u8]) -> Option<Vec<u8>> {
    let parameter = |part: &[u8]| value_of(part.trim_ascii(), b"boundary=").map(<[u8]>::to_vec);
    let text = value.split(|byte| *byte == b';').skip(1).find_map(parameter)?;
    let text = match text.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|byte| *byte == b'"').next().unwrap_or_default(),
        None => text.trim_ascii(),
    };
    (!text.is_empty() && text.len() <= MAX_BOUNDARY).then(|| text.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::{Direction, Transport};

    use super::*;
    use crate::testing::{Recorder, flow, pdu};

    /// One container, empty, on a voyage; the number is the standard's example.
    const INTERCHANGE: &str = "UNB+UNOA:1+LINE+TERMINAL+260101:0900+7'\r\nUNH+1+COPRAR:D:95B:UN:SMDG16'\r\n\
        TDT+20+112E+1++LNE:172:20+++9876543:146::KRANICH'\r\nEQD+CN+CSQU3054383+45G1+++4'\r\nUNT+4+1'\r\nUNZ+1+7'\r\n";

    fn read(mut message: Message, text: &[u8], size: usize) -> (Recorder, u32) {
        let flow = flow(Transport::Tcp, 25);
        let mut out = Recorder::default();
        for (index, piece) in (0..).zip(text.chunks(size)) {
            message.feed(piece, &pdu(&flow, index, Direction::FromClient, piece), &mut out);
        }
        message.end(&pdu(&flow, 0, Direction::FromClient, b"."), &mut out);
        (out, message.interchanges)
    }

    fn has_container(message: impl Fn() -> Message, text: &str) {
        for size in [1, 2, 3, 7, 64, 5000] {
            let (rows, interchanges) = read(message(), text.as_bytes(), size);
            assert_eq!(interchanges, 1, "{size} {text}");
            let cargo = rows.of("cargo");
            assert_eq!(cargo.len(), 1, "{size} {text}");
            assert_eq!((cargo[0]["id"].as_str(), cargo[0]["check"].as_bool()), (Some("CSQU3054383"), Some(true)));
            assert_eq!(cargo[0]["message"], "COPRAR");
            assert!(rows.of("weird").is_empty(), "{size} {:?}", rows.of("weird"));
        }
    }

    fn base64(text: &str) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut encoded = String::new();
        for group in text.as_bytes().chunks(3) {
            let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
            for place in 0..4 {
                let sextet = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap();
                encoded.push(if place > group.len() { '=' } else { char::from(ALPHABET[sextet]) });
            }
        }
        encoded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned() + "\r\n").collect()
    }

    #[test]
    fn an_interchange_in_the_body_is_read_and_words_around_it_are_not() {
        has_container(Message::whole, &format!("Subject: a\r\nTo: b\r\n\r\n{INTERCHANGE}"));
        let words =
            format!("Subject: a\r\n\r\nHello,\r\n\r\n{INTERCHANGE}\r\nThat's it, isn't it?\r\n-- \r\nJane's\r\n");
        has_container(Message::whole, &words);
        let advised = format!("Subject: a\r\n\r\nUNA:+.? '\r\n{INTERCHANGE}");
        has_container(Message::whole, &advised);
    }

    #[test]
    fn quoted_printable_is_decoded() {
        let text = INTERCHANGE.replace("COPRAR:D", "COP=\r\nRAR=3AD").replace("TDT", "=54DT");
        has_container(Message::whole, &format!("content-transfer-encoding: Quoted-Printable\r\n\r\n{text}"));
    }

    #[test]
    fn attachments_within_parts_are_found() {
        let attachment = base64(INTERCHANGE);
        let text = format!(
            "Content-Type: multipart/mixed;\r\n\tboundary=\"outer=1\"\r\n\r\nThis is MIME.\r\n--outer=1\r\n\
             Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\n\r\nSee attachment.\r\n\
             --inner\r\nContent-Type: text/html\r\n\r\n<p>It's attached\r\n--inner--\r\n--outer=1\r\n\
             Content-Type: application/EDIFACT; name=\"x.edi\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{attachment}\
             --outer=1--\r\nThat's all\r\n"
        );
        has_container(Message::whole, &text);
        has_container(Message::whole, &format!("Content-Type: message/rfc822\r\n\r\n{text}"));
        // A part fetched on its own.
        has_container(Message::part, &attachment);
        has_container(Message::part, INTERCHANGE);
    }

    #[test]
    fn bytes_may_be_missed() {
        let many = format!("{INTERCHANGE}{}", "EQD+CN+CSQU3054383+45G1+++4'\r\n".repeat(20))
            .replace("UNT", "RFF")
            .replace("UNZ", "RFF");
        let text = format!("Content-Transfer-Encoding: base64\r\n\r\n{}", base64(&many));
        let (start, rest) = text.split_at(400);
        let flow = flow(Transport::Tcp, 25);
        let mut out = Recorder::default();
        let mut message = Message::whole();
        let mut feed = |message: &mut Message, text: &str| {
            message.feed(text.as_bytes(), &pdu(&flow, 0, Direction::FromClient, b"x"), &mut out);
        };
        feed(&mut message, start);
        message.gap();
        feed(&mut message, rest.get(20..).unwrap());
        assert!((15..20).contains(&out.of("cargo").len()));
        assert!(out.of("cargo").iter().all(|row| row["id"] == "CSQU3054383"));
    }

    proptest! {
        #[test]
        fn anything_is_survived(
            lines in prop::collection::vec("(--b|--b--|Content-Type: multipart/x; boundary=b|Content-Transfer-Encoding: base64|UNA:\\+.\\? '|UNB\\+UNOA|VU5C)?[ -~]{0,20}\r?\n?", 0..40),
            size in 1usize..50,
        ) {
            read(Message::whole(), lines.concat().as_bytes(), size);
            read(Message::part(), lines.concat().as_bytes(), size);
        }
    }
}
