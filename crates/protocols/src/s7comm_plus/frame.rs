//! The PDU: header, integrity part, data, trailer; and data put together from several PDUs.

use crate::bytes::Cursor;

/// Bytes of one message put together from fragments; hardware configurations of some 20 kB were seen.
pub const MESSAGE_LIMIT: usize = 1 << 20;

/// One PDU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Protocol version: 1 to 3, 0xfe for a system notice.
    pub version: u8,
    /// Whether an integrity part (a keyed digest over the data) stands before the data.
    pub signed: bool,
    /// The data.
    pub data: &'a [u8],
    /// Whether the trailer follows: the last fragment.
    pub last: bool,
}

/// Reads one PDU that fills `message`.
pub fn read(message: &[u8]) -> Result<Frame<'_>, &'static str> {
    let mut cursor = Cursor::new(message);
    let header = (|| {
        let id = cursor.u8()?;
        Some((id, cursor.u8()?, cursor.be16()?))
    })();
    let Some((0x72, version, length)) = header else { return Err("header cut short") };
    let mut data = cursor.take(length.into()).ok_or("data shorter than announced")?;
    let last = match cursor.rest() {
        // A system notice has no trailer and is never in pieces.
        [] => version > 3,
        [0x72, again, 0, 0] if *again == version => true,
        _ => return Err("bytes that are no trailer behind the data"),
    };
    let signed = version == 3;
    if signed {
        let mut inner = Cursor::new(data);
        let digest = inner.u8().and_then(|length| inner.skip(length.into()));
        digest.ok_or("integrity part cut short")?;
        data = inner.rest();
    }
    Ok(Frame { version, signed, data, last })
}

/// Fragments of one direction.
#[derive(Default, Debug)]
pub struct Assembly {
    held: Vec<u8>,
    lost: bool,
}

impl Assembly {
    /// Takes a fragment; calls `whole` with the message that it completes. False if the message is longer than the limit.
    pub fn push(&mut self, frame: &Frame<'_>, whole: impl FnOnce(&[u8])) -> bool {
        if self.held.is_empty() && frame.last && !self.lost {
            whole(frame.data);
            return true;
        }
        let fits = !self.lost && self.held.len().saturating_add(frame.data.len()) <= MESSAGE_LIMIT;
        if fits {
            self.held.extend_from_slice(frame.data);
        }
        self.lost = !fits;
        if frame.last {
            if fits {
                whole(&self.held);
            }
            self.restart();
        }
        fits
    }

    /// Forgets what is partial.
    pub fn restart(&mut self) {
        self.held.clear();
        self.lost = false;
    }
}
