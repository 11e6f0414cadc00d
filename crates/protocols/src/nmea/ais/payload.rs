//! The bits of a message out of the characters of its sentences (IEC 61162-1 section 8.3.97 and annex C).

/// Sentences that one message may take.
const PARTS: u8 = 9;
/// Messages whose sentences are waited for at the same time.
pub const WAITING_LIMIT: usize = 8;
/// Characters of a message: five slots of radio take 1064 bits.
const CHARACTERS: usize = 256;

/// What is wrong with a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// A field of the sentence is not readable.
    Field,
    /// A character that stands for no six bits, or too many.
    Payload,
    /// The sentence before it never came.
    Missing,
}

/// Six bits a byte.
#[derive(Default, Debug)]
struct Waiting {
    total: u8,
    next: u8,
    sequence: u8,
    channel: u8,
    sixes: Vec<u8>,
}

/// Joins the sentences of a message.
#[derive(Default, Debug)]
pub(super) struct Assembly {
    waiting: Vec<Waiting>,
    /// The message at hand.
    sixes: Vec<u8>,
}

/// The fields of a `VDM` or `VDO` sentence.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    total: u8,
    number: u8,
    sequence: u8,
    channel: u8,
    payload: &'a str,
    fill: u8,
}

impl<'a> Part<'a> {
    fn read(mut fields: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut digit = |empty_is: Option<u8>| match fields.next()? {
            "" => empty_is,
            text => text.parse::<u8>().ok().filter(|value| *value <= PARTS),
        };
        let (total, number, sequence) = (digit(None)?, digit(None)?, digit(Some(u8::MAX))?);
        let channel = fields.next()?.bytes().next().unwrap_or(0);
        let payload = fields.next()?;
        let fill = fields.next()?.parse().ok().filter(|fill| *fill < 6)?;
        (number >= 1 && number <= total).then_some(Part { total, number, sequence, channel, payload, fill })
    }
}

/// The six bits that a character stands for.
const fn six(character: u8) -> Option<u8> {
    match character {
        48..=87 => Some(character - 48),
        96..=119 => Some(character - 56),
        _ => None,
    }
}

impl Assembly {
    /// Takes the next sentence; its message if that is whole.
    pub(super) fn sentence<'a>(&mut self, fields: impl Iterator<Item = &'a str>) -> Result<Option<Bits<'_>>, Fault> {
        let part = Part::read(fields).ok_or(Fault::Field)?;
        let mut message = self.begin(&part)?;
        for character in part.payload.bytes() {
            let value = six(character).ok_or(Fault::Payload)?;
            if message.sixes.len() >= CHARACTERS {
                return Err(Fault::Payload);
            }
            message.sixes.push(value);
        }
        if part.number < part.total {
            message.next = part.number + 1;
            if self.waiting.len() >= WAITING_LIMIT {
                self.waiting.remove(0);
            }
            self.waiting.push(message);
            return Ok(None);
        }
        let bits = (message.sixes.len() * 6).saturating_sub(usize::from(part.fill));
        self.sixes = message.sixes;
        Ok(Some(Bits { sixes: &self.sixes, length: bits }))
    }

    /// The message that this part goes on with, or a new one.
    fn begin(&mut self, part: &Part<'_>) -> Result<Waiting, Fault> {
        let Part { total, number, sequence, channel, .. } = *part;
        let same = |waiting: &Waiting| (waiting.total, waiting.sequence, waiting.channel) == (total, sequence, channel);
        let found = self.waiting.iter().position(same).map(|at| self.waiting.remove(at));
        if number > 1 {
            return found.filter(|waiting| waiting.next == number).ok_or(Fault::Missing);
        }
        let mut sixes = if total == 1 { std::mem::take(&mut self.sixes) } else { Vec::new() };
        sixes.clear();
        Ok(Waiting { total, next: 1, sequence, channel, sixes })
    }
}

/// The bits of a message; those behind its end do not exist.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'a> {
    sixes: &'a [u8],
    length: usize,
}

impl Bits<'_> {
    /// How many there are.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// `count` bits (at most 32) from `start` on, as a number.
    pub(super) fn number(&self, start: usize, count: usize) -> Option<u32> {
        let end = start.checked_add(count).filter(|end| *end <= self.length && count <= 32)?;
        (start..end).try_fold(0u32, |value, bit| {
            let six = self.sixes.get(bit / 6)?;
            Some(value << 1 | u32::from(six >> (5 - bit % 6) & 1))
        })
    }

    /// As [`Bits::number`], in two's complement.
    pub(super) fn signed(&self, start: usize, count: usize) -> Option<i32> {
        let unused = u32::try_from(32usize.checked_sub(count)?).ok()?;
        self.number(start, count).map(|value| value.checked_shl(unused).unwrap_or(0).cast_signed() >> unused)
    }

    /// One bit.
    pub(super) fn flag(&self, at: usize) -> Option<bool> {
        self.number(at, 1).map(|bit| bit == 1)
    }

    /// Characters of six bits in `count` bits from `start` on (annex 8 table 47), as far as there are any, without the padding.
    pub(super) fn text(&self, start: usize, count: usize, text: &mut String) {
        text.clear();
        for at in (start..start + count).step_by(6) {
            match self.number(at, 6) {
                // `@` ends a text.
                None | Some(0) => break,
                Some(value) => {
                    let code = u8::try_from(value).unwrap_or(0);
                    text.push(char::from(if code < 32 { code + 64 } else { code }));
                }
            }
        }
        text.truncate(text.trim_end().len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_across_characters() {
        let bits = Bits { sixes: &[0b10_0000, 0b11_1111, 0b00_0001], length: 17 };
        assert_eq!(bits.number(0, 6), Some(32));
        assert_eq!(bits.number(5, 8), Some(0b0111_1110));
        assert_eq!(bits.signed(0, 3), Some(-4));
        assert_eq!(bits.signed(6, 6), Some(-1));
        assert_eq!(bits.number(12, 6), None, "fill bits are not there");
        assert_eq!(bits.number(0, 33), None);
        assert_eq!(bits.number(usize::MAX, 2), None);
    }
}
