//! One direction of a TLS connection: records, and the handshake messages that lie in them.

use crate::Probe;

/// Longest record content: 2^14 bytes and what encryption may add (RFC 5246 section 6.2.3).
const MAX_RECORD: usize = 16_384 + 2_048;
/// Longest handshake message that is kept: a chain of large certificates. Longer ones are read over.
pub(super) const MAX_MESSAGE: usize = 128 * 1024;
/// Longest SSL 2.0 message that is kept.
const MAX_V2: usize = 0x7fff;

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
pub(super) const HEARTBEAT: u8 = 24;

/// A piece of what one direction says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part<'a> {
    /// A whole handshake message: its type and body.
    Message { kind: u8, body: &'a [u8], record_version: u16 },
    /// An SSL 2.0 message: its type and body.
    V2 { kind: u8, body: &'a [u8] },
    /// The two bytes of a readable alert.
    Alert { level: u8, description: u8 },
    /// From here on this direction is encrypted, in versions before TLS 1.3.
    ChangeCipherSpec,
    /// A heartbeat that asks for more than it sends (CVE-2014-0160).
    HeartbeatOverread,
    /// The start of a record that cannot be read.
    Encrypted { kind: u8, record_version: u16 },
    /// This is no record.
    NoRecord,
}

/// What of a record's content is of interest.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Content {
    #[default]
    Skipped,
    Handshake,
    /// Few bytes, kept in `short`.
    Short,
}

/// Reads one direction.
#[derive(Default, Debug)]
pub(super) struct Side {
    /// A record header that lies in several pieces.
    header: [u8; 5],
    have: usize,
    /// Bytes left of the record's content.
    left: usize,
    kind: u8,
    version: u16,
    content: Content,
    /// Content of an alert or the head of a heartbeat.
    short: Vec<u8>,
    record_length: usize,
    /// Handshake messages not yet whole.
    messages: Vec<u8>,
    /// Bytes of an overlong message still to be read over.
    over: usize,
    /// Within an SSL 2.0 message.
    v2: bool,
    started: bool,
    /// Its records are encrypted.
    pub(super) encrypted: bool,
    /// Records that could not be read.
    pub(super) encrypted_records: u64,
    /// Bytes were missed: wait for a piece that starts with a record.
    pub(super) lost: bool,
}

impl Side {
    /// Bytes of this direction are missing.
    pub(super) fn lose(&mut self) {
        self.have = 0;
        self.left = 0;
        self.over = 0;
        self.v2 = false;
        self.messages.clear();
        self.short.clear();
        self.lost = true;
    }

    /// Takes a piece and calls `each` for every part; `each` may say that from now on all is encrypted.
    pub(super) fn take(&mut self, mut piece: &[u8], mut each: impl FnMut(Part<'_>) -> bool) {
        if self.lost {
            if probe(piece) == Probe::No {
                return;
            }
            self.lost = false;
        }
        while !piece.is_empty() {
            if self.left == 0 {
                piece = match self.take_header(piece, &mut each) {
                    Some(rest) => rest,
                    None => return,
                };
            }
            let (now, rest) = piece.split_at_checked(self.left).unwrap_or((piece, b""));
            self.left -= now.len();
            piece = rest;
            if !now.is_empty() {
                self.take_content(now, &mut each);
            }
        }
    }

    /// Completes a record header. `None` if this is no record.
    fn take_header<'p>(&mut self, piece: &'p [u8], each: &mut impl FnMut(Part<'_>) -> bool) -> Option<&'p [u8]> {
        let mut rest = piece;
        while self.have < self.header.len() {
            let Some((byte, after)) = rest.split_first() else { return Some(rest) };
            if let Some(slot) = self.header.get_mut(self.have) {
                *slot = *byte;
            }
            self.have += 1;
            rest = after;
            if self.have == 2 && !self.started && self.header[0] & 0x80 != 0 {
                self.start_v2();
                return Some(rest);
            }
        }
        self.have = 0;
        self.started = true;
        let [kind, major, minor, high, low] = self.header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind) || major != 3 || length > MAX_RECORD {
            self.lose();
            each(Part::NoRecord);
            return None;
        }
        (self.kind, self.version) = (kind, u16::from_be_bytes([major, minor]));
        (self.left, self.record_length) = (length, length);
        self.short.clear();
        self.content = match kind {
            _ if self.encrypted || kind == APPLICATION_DATA => Content::Skipped,
            HANDSHAKE => Content::Handshake,
            // An alert of another length is encrypted: the change of ciphers was missed.
            ALERT if length == 2 => Content::Short,
            CHANGE_CIPHER_SPEC | HEARTBEAT => Content::Short,
            _ => Content::Skipped,
        };
        if self.content == Content::Skipped {
            self.encrypted_records += 1;
            each(Part::Encrypted { kind, record_version: self.version });
        }
        Some(rest)
    }

    /// Starts an SSL 2.0 message, whose header has two bytes.
    fn start_v2(&mut self) {
        let [high, low, ..] = self.header;
        self.have = 0;
        self.started = true;
        self.v2 = true;
        self.left = usize::from(u16::from_be_bytes([high & 0x7f, low])).min(MAX_V2);
        self.content = Content::Handshake;
    }

    fn take_content(&mut self, now: &[u8], each: &mut impl FnMut(Part<'_>) -> bool) {
        match self.content {
            Content::Skipped => {}
            Content::Handshake if self.v2 => self.take_v2(now, each),
            Content::Handshake => self.take_messages(now, each),
            Content::Short => self.take_short(now, each),
        }
    }

    fn take_v2(&mut self, now: &[u8], each: &mut impl FnMut(Part<'_>) -> bool) {
        self.messages.extend_from_slice(now);
        if self.left > 0 {
            return;
        }
        self.v2 = false;
        let message = std::mem::take(&mut self.messages);
        if let Some((kind, body)) = message.split_first()
            && each(Part::V2 { kind: *kind, body })
        {
            self.encrypted = true;
        }
    }

    fn take_short(&mut self, now: &[u8], each: &mut impl FnMut(Part<'_>) -> bool) {
        let room = 3usize.saturating_sub(self.short.len());
        self.short.extend(now.iter().take(room));
        if self.left > 0 {
            return;
        }
        match (self.kind, self.short.as_slice()) {
            (ALERT, [level, description]) => {
                each(Part::Alert { level: *level, description: *description });
            }
            (CHANGE_CIPHER_SPEC, _) => self.encrypted = each(Part::ChangeCipherSpec),
            // Type, payload length, payload and at least 16 bytes of padding (RFC 6520 section 4).
            (HEARTBEAT, [1, high, low]) => {
                let asked = usize::from(u16::from_be_bytes([*high, *low]));
                if asked + 3 > self.record_length {
                    each(Part::HeartbeatOverread);
                }
            }
            _ => {}
        }
    }

    fn take_messages(&mut self, mut now: &[u8], each: &mut impl FnMut(Part<'_>) -> bool) {
        let over = self.over.min(now.len());
        self.over -= over;
        now = now.get(over..).unwrap_or_default();
        if now.is_empty() {
            return;
        }
        if self.messages.is_empty() {
            let used = self.deliver(now, each);
            self.messages.extend_from_slice(now.get(used..).unwrap_or_default());
        } else {
            self.messages.extend_from_slice(now);
            let kept = std::mem::take(&mut self.messages);
            let used = self.deliver(&kept, each);
            self.messages = kept;
            self.messages.drain(..used.min(self.messages.len()));
        }
        self.skip_overlong();
    }

    /// Delivers the whole messages at the front; returns how many bytes they have.
    fn deliver(&mut self, bytes: &[u8], each: &mut impl FnMut(Part<'_>) -> bool) -> usize {
        let mut used = 0;
        while let Some(&[kind, a, b, c, ref rest @ ..]) = bytes.get(used..) {
            let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
            if !is_handshake(kind) {
                // Encrypted: the change of ciphers was missed.
                self.encrypted = true;
                self.encrypted_records += 1;
                each(Part::Encrypted { kind: HANDSHAKE, record_version: self.version });
                return bytes.len();
            }
            let Some(body) = rest.get(..length) else { break };
            used += 4 + length;
            self.encrypted |= each(Part::Message { kind, body, record_version: self.version });
        }
        used
    }

    /// A message longer than the limit is not kept.
    fn skip_overlong(&mut self) {
        if let [_, a, b, c, ..] = *self.messages {
            let whole = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX).saturating_add(4);
            if whole > MAX_MESSAGE {
                self.over = whole.saturating_sub(self.messages.len());
                self.messages.clear();
            }
        }
    }
}

/// Whether a handshake message of this type exists (IANA registry "TLS HandshakeType").
const fn is_handshake(kind: u8) -> bool {
    matches!(kind, 0..=6 | 8 | 11..=16 | 20..=25 | 67 | 254)
}

/// Whether these bytes start a TLS connection, or a record of one.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    match *bytes {
        [HANDSHAKE, 3, 0..=4, high, low, kind, ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            match kind {
                _ if !(4..=MAX_RECORD).contains(&length) => Probe::No,
                1 => Probe::Yes,
                2 => Probe::YesFromServer,
                _ => records(bytes),
            }
        }
        [CHANGE_CIPHER_SPEC, 3, 0..=4, 0, 1, ..] | [ALERT | APPLICATION_DATA, 3, 0..=4, _, _, ..] => records(bytes),
        [high, _, 1, major @ (0 | 3), minor, ..] if high & 0x80 != 0 => v2(bytes, major, minor),
        [HANDSHAKE | ALERT | APPLICATION_DATA | CHANGE_CIPHER_SPEC] => Probe::Unsure,
        [HANDSHAKE | ALERT | APPLICATION_DATA | CHANGE_CIPHER_SPEC, 3] => Probe::Unsure,
        [HANDSHAKE | ALERT | APPLICATION_DATA | CHANGE_CIPHER_SPEC, 3, 0..=4] => Probe::Unsure,
        [HANDSHAKE | ALERT | APPLICATION_DATA | CHANGE_CIPHER_SPEC, 3, 0..=4, _] => Probe::Unsure,
        [HANDSHAKE, 3, 0..=4, 0..=0x48, _] => Probe::Unsure,
        _ => Probe::No,
    }
}

/// Records of a connection whose opening was not seen: every record of the piece must have a likely header.
fn records(mut bytes: &[u8]) -> Probe {
    let Some([_, 3, version, ..]) = bytes.first_chunk::<5>().copied() else { return Probe::No };
    while let [kind, major, minor, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let likely = (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(kind)
            && (*major, *minor) == (3, version)
            && (1..=MAX_RECORD).contains(&length)
            && (*kind != APPLICATION_DATA || length >= 17)
            && (*kind != CHANGE_CIPHER_SPEC || length == 1);
        if !likely {
            return Probe::No;
        }
        match rest.get(length..) {
            Some(after) => bytes = after,
            None => break,
        }
    }
    Probe::Yes
}

/// An SSL 2.0 client hello: its lengths must add up.
fn v2(bytes: &[u8], major: u8, minor: u8) -> Probe {
    let &[high, low, _, _, _, c1, c2, s1, s2, h1, h2, ..] = bytes else { return Probe::No };
    let number = |a, b| usize::from(u16::from_be_bytes([a, b]));
    let (length, ciphers, session, challenge) =
        (number(high & 0x7f, low), number(c1, c2), number(s1, s2), number(h1, h2));
    let version_known = (major, minor) == (0, 2) || (major == 3 && minor <= 3);
    let adds_up = ciphers % 3 == 0 && ciphers > 0 && matches!(session, 0 | 16) && (16..=32).contains(&challenge);
    if version_known && adds_up && length == 9 + ciphers + session + challenge { Probe::Yes } else { Probe::No }
}
