//! One direction of a flow: where in the stream of messages it is, and who looks at the content of the body at hand.

use quaywatch_model::{At, Sink};
use quaywatch_wire::Pdu;

use super::body::Body;
use super::head::{self, Head};
use super::onvif;
use super::terminal::{self, Call};
use crate::edifact;
use crate::login::forget;
use crate::mail::mime::Message;

/// Longest head that is kept to be read.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// Longest form or JSON document that is kept to be looked at.
pub(super) const MAX_FORM: usize = 8 * 1024;
/// First bytes of a body that tell what it is: `UNA`, a line end and the opening of `UNB`; also in base64.
const SNIFFED: usize = 24;

/// Content that is looked through part by part. Not `multipart/x-mixed-replace`, the endless pictures of cameras.
const IN_PARTS: &[&str] = &["multipart/signed", "multipart/mixed", "multipart/related", "multipart/form-data"];

/// Where in the stream of messages one direction is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Place {
    /// At the start of a head or within it.
    #[default]
    Head,
    /// Within a body.
    Body(Body),
    /// After a gap or nonsense: until something looks like a head again.
    Lost,
}

/// What a kept body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kept {
    /// A form, which may be a login.
    Form,
    /// A JSON document, which may be one.
    Json,
    /// A SOAP document of a request.
    Call,
    /// A SOAP document of an answer.
    Answer,
    /// Content of a request to a terminal operating system, or of its answer.
    Terminal,
    /// A stream of Java objects in a request to anything else.
    Java,
}

impl Kept {
    /// Bytes beyond which nothing is kept.
    const fn limit(self) -> usize {
        match self {
            Kept::Form | Kept::Json => MAX_FORM,
            Kept::Call | Kept::Answer => onvif::MAX_DOCUMENT,
            Kept::Terminal => terminal::MAX_DOCUMENT,
            Kept::Java => terminal::MAX_JAVA,
        }
    }

    /// Whether the body that a head announces is within the limit, as far as it says.
    pub(super) fn fits(self, head: &Head<'_>) -> bool {
        head.content_length.is_none_or(|length| length <= self.limit() as u64)
    }

    /// Whether its beginning says something alone.
    pub(super) const fn may_be_cut(self) -> bool {
        matches!(self, Kept::Terminal | Kept::Java)
    }
}

/// What looks for EDI interchanges in the content of a body.
#[derive(Default)]
enum Looking {
    /// Nothing: it did not begin as one.
    #[default]
    Not,
    /// Its first bytes, too few to tell.
    Start(Vec<u8>),
    /// It is one.
    Interchange(Box<edifact::Reader>),
    /// It has parts (RFC 2046, as AS2 and forms with files have it), or is encoded.
    Parts(Box<Message>),
}

impl Looking {
    fn feed(&mut self, content: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match self {
            Looking::Interchange(reader) => reader.feed(pdu.at, pdu.sender(), pdu.receiver(), content, out),
            Looking::Parts(message) => message.feed(content, pdu, out),
            Looking::Not | Looking::Start(_) => {}
        }
    }
}

/// One direction.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) place: Place,
    /// A head that lies in several pieces.
    pub(super) head: Vec<u8>,
    /// A body that is looked at when it is whole, and its kind.
    pub(super) form: Vec<u8>,
    pub(super) keep: Option<Kept>,
    looking: Looking,
    /// The body at hand is of a request.
    asks: bool,
    /// What the body at hand answers, if that was asked of a terminal operating system.
    pub(super) call: Option<Box<Call>>,
    /// Number of the request whose body is being read.
    pub(super) serial: u64,
    /// Place of the last piece, and whether the rest of the head in it will not come.
    pub(super) at: At,
    pub(super) torn: bool,
    /// A head was read in this direction.
    pub(super) started: bool,
}

/// A step in reading heads.
pub(super) enum Step<'p> {
    /// The head goes on in the next piece.
    More,
    TooLong,
    /// It lies in the piece.
    Here {
        head: &'p [u8],
        rest: &'p [u8],
    },
    /// It was completed in the reader's buffer.
    Kept {
        rest: &'p [u8],
    },
}

impl Reader {
    pub(super) fn take_head<'p>(&mut self, piece: &'p [u8]) -> Step<'p> {
        if self.head.is_empty() {
            if let Some((head, rest)) = head::end(piece, 0).and_then(|end| piece.split_at_checked(end)) {
                return if head.len() > MAX_HEAD { Step::TooLong } else { Step::Here { head, rest } };
            }
            if piece.len() > MAX_HEAD {
                return Step::TooLong;
            }
            self.head.extend_from_slice(piece);
            return Step::More;
        }
        let before = self.head.len();
        let room = MAX_HEAD.saturating_sub(before);
        let (now, later) = piece.split_at_checked(room).unwrap_or((piece, b""));
        self.head.extend_from_slice(now);
        match head::end(&self.head, before) {
            Some(end) => {
                self.head.truncate(end);
                let rest = piece.get(end.saturating_sub(before)..).unwrap_or_default();
                Step::Kept { rest }
            }
            None if later.is_empty() => Step::More,
            None => Step::TooLong,
        }
    }

    /// A body of this type begins.
    pub(super) fn begin_body(&mut self, asks: bool, content_type: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.asks = asks;
        let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        self.looking = if IN_PARTS.iter().any(|kind| essence.eq_ignore_ascii_case(kind.as_bytes())) {
            let mut message = Box::new(Message::whole());
            for bytes in [&b"Content-Type: "[..], content_type, b"\r\n\r\n"] {
                message.feed(bytes, pdu, out);
            }
            Looking::Parts(message)
        } else {
            Looking::Start(Vec::new())
        };
    }

    /// Takes content of the body at hand.
    pub(super) fn content(&mut self, content: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if content.is_empty() {
            return;
        }
        self.at = pdu.at;
        let held = self.keep.is_some();
        match std::mem::take(&mut self.looking) {
            Looking::Start(start) => self.look(start, content, pdu, out),
            mut looking => {
                looking.feed(content, pdu, out);
                self.looking = looking;
            }
        }
        if held {
            self.hold(content);
        }
    }

    /// Looks at the first bytes, as soon as there are enough.
    fn look(&mut self, mut start: Vec<u8>, content: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let fresh = if start.is_empty() { content.trim_ascii_start() } else { content };
        if start.is_empty() && fresh.len() >= SNIFFED {
            return self.decide(fresh, pdu, out);
        }
        start.extend_from_slice(fresh);
        if start.len() >= SNIFFED {
            self.decide(&start, pdu, out);
        } else {
            self.looking = Looking::Start(start);
        }
    }

    fn decide(&mut self, start: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.looking = if edifact::is_start(start) {
            Looking::Interchange(Box::default())
        } else if start.starts_with(b"VU5B") || start.starts_with(b"VU5C") {
            // `UNA` and `UNB` in base64.
            Looking::Parts(Box::new(Message::part()))
        } else {
            Looking::Not
        };
        self.looking.feed(start, pdu, out);
        if self.asks && self.keep.is_none() && terminal::is_java(start) {
            self.keep = Some(Kept::Java);
            self.hold(start);
        }
    }

    /// Keeps content of a body that is looked at when it is whole.
    fn hold(&mut self, content: &[u8]) {
        let Some(kept) = self.keep else { return };
        let room = kept.limit().saturating_sub(self.form.len());
        match content.get(..room) {
            Some(fits) if content.len() > room && kept.may_be_cut() => self.form.extend_from_slice(fits),
            Some(_) if content.len() > room => {
                forget(&mut self.form);
                self.keep = None;
            }
            _ => self.form.extend_from_slice(content),
        }
    }

    /// Whether someone reads the body at hand.
    pub(super) fn is_read(&self) -> bool {
        match &self.looking {
            Looking::Interchange(_) => true,
            Looking::Parts(message) => message.is_read(),
            Looking::Not | Looking::Start(_) => !matches!(self.keep, Some(Kept::Form | Kept::Json) | None),
        }
    }

    /// The body at hand is whole.
    pub(super) fn body_ended(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match std::mem::take(&mut self.looking) {
            Looking::Start(start) if !start.is_empty() => {
                self.decide(&start, pdu, out);
                self.body_ended(pdu, out);
            }
            Looking::Parts(mut message) => message.end(pdu, out),
            _ => {}
        }
    }

    /// Bytes of the body at hand were missed.
    pub(super) fn body_gap(&mut self) {
        match &mut self.looking {
            Looking::Interchange(reader) => reader.gap(),
            Looking::Parts(message) => message.gap(),
            Looking::Not | Looking::Start(_) => self.looking = Looking::Not,
        }
    }

    pub(super) fn reset(&mut self, place: Place) {
        self.place = place;
        self.looking = Looking::Not;
        self.head.clear();
        forget(&mut self.form);
        self.keep = None;
    }
}
