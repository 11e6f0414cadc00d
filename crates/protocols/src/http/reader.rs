//! One direction of a connection: where heads and bodies lie in it, and what is kept of a body.

use quaywatch_model::{At, Sink};
use quaywatch_wire::Pdu;

use super::analyzer::{MAX_FORM, MAX_HEAD};
use super::body::Body;
use super::head::{self, Head};
use super::onvif::MAX_DOCUMENT;
use crate::edifact;
use crate::login::forget;

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
}

impl Kept {
    /// Bytes beyond which nothing is kept.
    pub(super) const fn limit(self) -> usize {
        match self {
            Kept::Form | Kept::Json => MAX_FORM,
            Kept::Call | Kept::Answer => MAX_DOCUMENT,
        }
    }

    /// Whether the body that a head announces is within the limit, as far as it says.
    pub(super) fn fits(self, head: &Head<'_>) -> bool {
        head.content_length.is_none_or(|length| length <= self.limit() as u64)
    }
}

/// One direction.
#[derive(Default, Debug)]
pub(super) struct Reader {
    pub(super) place: Place,
    /// A head that lies in several pieces.
    pub(super) head: Vec<u8>,
    /// A body that is looked at when it is whole, and its kind.
    pub(super) form: Vec<u8>,
    pub(super) keep: Option<Kept>,
    /// Content of the body at hand was seen; and what reads it if it is an EDI interchange.
    pub(super) begun: bool,
    pub(super) interchange: Option<Box<edifact::Reader>>,
    /// Number of the request whose body is being read.
    pub(super) serial: u64,
    /// Place of the last piece of a head or body; and whether the rest of a head will not come.
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

    /// Keeps content of a body that is looked at.
    pub(super) fn content(&mut self, content: &[u8]) {
        let Some(kept) = self.keep else { return };
        if self.form.len() + content.len() > kept.limit() {
            forget(&mut self.form);
            self.keep = None;
            return;
        }
        self.form.extend_from_slice(content);
    }

    /// Hands on content of a body that is an EDI interchange.
    pub(super) fn interchange(&mut self, content: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if content.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.begun, true) && edifact::is_start(content) {
            self.interchange = Some(Box::default());
        }
        if let Some(interchange) = &mut self.interchange {
            interchange.feed(pdu.at, pdu.sender(), pdu.receiver(), content, out);
        }
    }

    pub(super) fn body_ended(&mut self) {
        self.begun = false;
        self.interchange = None;
    }

    pub(super) fn reset(&mut self, place: Place) {
        self.place = place;
        self.body_ended();
        self.head.clear();
        forget(&mut self.form);
        self.keep = None;
    }
}
