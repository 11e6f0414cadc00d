//! One direction of a stream that was cut by a gap or by nonsense: nothing is framed until a piece starts like a message again.

use quaywatch_wire::{Framer, Length};

/// The bytes could not be framed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lost;

/// A [`Framer`] that finds its footing.
#[derive(Debug)]
pub(crate) struct Resync {
    framer: Framer,
    lost: bool,
}

impl Resync {
    /// For PDUs of at most `limit` bytes.
    pub(crate) const fn new(limit: usize) -> Self {
        Resync { framer: Framer::new(limit), lost: false }
    }

    /// Bytes were never captured.
    pub(crate) fn gap(&mut self) {
        self.framer.reset();
        self.lost = true;
    }

    /// As [`Framer::push`]; while lost, pieces that do not start as `starts` says are passed over: then it answers false.
    ///
    /// # Errors
    /// [`Lost`] once, when the direction gets lost.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        starts: impl Fn(&[u8]) -> bool,
        length: impl Fn(&[u8]) -> Length,
        each: impl FnMut(&[u8]),
    ) -> Result<bool, Lost> {
        if self.lost && !starts(piece) {
            return Ok(false);
        }
        self.lost = self.framer.push(piece, length, each).is_err();
        if self.lost { Err(Lost) } else { Ok(true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_direction_waits_for_a_start() {
        let length = |bytes: &[u8]| match bytes {
            [7, n, ..] => Length::Whole(usize::from(*n)),
            [7] | [] => Length::NeedMore,
            _ => Length::Invalid,
        };
        let starts = |bytes: &[u8]| bytes.first() == Some(&7);
        let mut side = Resync::new(64);
        let mut seen = 0;
        assert_eq!(side.push(&[7, 3, 0, 9], starts, length, |_| seen += 1), Err(Lost));
        assert_eq!(side.push(&[9, 9], starts, length, |_| seen += 1), Ok(false));
        assert_eq!(side.push(&[7, 3, 0, 7, 2], starts, length, |_| seen += 1), Ok(true));
        assert_eq!(seen, 3);
        assert_eq!(side.push(&[7, 9, 0], starts, length, |_| seen += 1), Ok(true));
        side.gap();
        assert_eq!(side.push(&[1, 2, 3], starts, length, |_| seen += 1), Ok(false));
        assert_eq!(side.push(&[7, 2], starts, length, |_| seen += 1), Ok(true));
        assert_eq!(seen, 4);
    }
}
