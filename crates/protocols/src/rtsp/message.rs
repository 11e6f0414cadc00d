//! Messages of RTSP and the descriptions in them.

use quaywatch_model::OperationClass;
use quaywatch_wire::Length;

use crate::Probe;

/// Methods with what they do (RFC 2326 section 10); the place in this list is the operation's code.
pub(super) static METHODS: &[(&str, OperationClass)] = &[
    ("OPTIONS", OperationClass::Identify),
    ("DESCRIBE", OperationClass::Identify),
    ("ANNOUNCE", OperationClass::Configure),
    ("SETUP", OperationClass::Session),
    ("PLAY", OperationClass::Session),
    ("PAUSE", OperationClass::Session),
    ("TEARDOWN", OperationClass::Session),
    ("GET_PARAMETER", OperationClass::Read),
    ("SET_PARAMETER", OperationClass::Configure),
    ("REDIRECT", OperationClass::Session),
    ("RECORD", OperationClass::Write),
    ("PLAY_NOTIFY", OperationClass::Session),
];

/// Length of the next message, or of an interleaved frame (RFC 2326 section 10.12).
pub(super) fn length(bytes: &[u8]) -> Length {
    match bytes {
        [] => Length::NeedMore,
        [b'$', _, high, low, ..] => Length::Whole(usize::from(u16::from_be_bytes([*high, *low])).saturating_add(4)),
        [b'$', ..] => Length::NeedMore,
        // Empty lines between messages are allowed.
        [b'\r' | b'\n', ..] => Length::Whole(1),
        [b'A'..=b'Z', ..] => text_length(bytes),
        _ => Length::Invalid,
    }
}

/// Whether a piece behind lost bytes starts like a message, or with an interleaved frame that another follows or that ends it.
pub(super) fn starts(piece: &[u8]) -> bool {
    match (piece, length(piece)) {
        ([b'$', ..], Length::Whole(whole)) => piece.len() == whole || matches!(piece.get(whole), Some(b'$' | b'R')),
        ([b'A'..=b'Z', ..], _) => super::recognise(piece) != Probe::No,
        _ => false,
    }
}

fn text_length(bytes: &[u8]) -> Length {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Length::NeedMore };
    let head = Message::new(bytes.get(..end).unwrap_or_default());
    let body = head
        .field("content-length")
        .map_or(Some(0), |value| std::str::from_utf8(value).ok().and_then(|value| value.parse::<usize>().ok()));
    body.map_or(Length::Invalid, |body| Length::Whole(end.saturating_add(4).saturating_add(body)))
}

/// A message taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) first: &'a [u8],
    fields: &'a [u8],
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(bytes.len());
        let (head, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        let line = head.iter().position(|b| *b == b'\n').unwrap_or(head.len());
        let (first, fields) = head.split_at_checked(line).unwrap_or((head, &[]));
        Message { first: first.trim_ascii(), fields, body: rest.get(4..).unwrap_or_default() }
    }

    /// The value of a header field; names compare without case.
    pub(super) fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.split(|b| *b == b'\n').find_map(|line| {
            let colon = line.iter().position(|b| *b == b':')?;
            let (key, value) = line.split_at_checked(colon)?;
            key.trim_ascii()
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| value.get(1..).unwrap_or_default().trim_ascii())
        })
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.field(name).map(readable).unwrap_or_default()
    }
}

/// Characters kept of one text.
const MAX_TEXT: usize = 512;

/// Printable text of bounded length.
pub(super) fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// Media lines kept of one description.
const MAX_MEDIA: usize = 16;

/// Lines `key=` of a session description (RFC 8866 section 5).
pub(super) fn sdp<'a>(body: &'a [u8], key: &'a [u8]) -> impl Iterator<Item = String> + 'a {
    body.split(|b| *b == b'\n')
        .filter_map(move |line| line.strip_prefix(key))
        .map(|v| readable(v.trim_ascii()))
        .take(MAX_MEDIA)
}

/// The value of a parameter of the Transport field (RFC 2326 section 12.39).
pub(super) fn parameter<'a>(transport: &'a str, name: &str) -> Option<&'a str> {
    transport.split([';', ',']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}
