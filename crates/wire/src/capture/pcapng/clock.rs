//! The clock of a capture interface: if_tsresol and if_tsoffset, draft section 4.2.

use quaywatch_model::Timestamp;

/// How long one unit of a time stamp is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    /// So many nanoseconds.
    Nanos(u64),
    /// This fraction of a nanosecond.
    PerNano(u128),
    /// A second divided by 2 to this power.
    SecondShifted(u32),
}

/// Turns an interface's time stamps into instants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Clock {
    unit: Unit,
    /// Seconds to add.
    offset: i64,
}

impl Default for Clock {
    /// Microseconds since 1970, which holds where no option says otherwise.
    fn default() -> Self {
        Clock { unit: Unit::Nanos(1_000), offset: 0 }
    }
}

impl Clock {
    /// Takes if_tsresol: the highest bit tells powers of two from powers of ten, the others are the negative exponent.
    pub(super) fn set_resolution(&mut self, resolution: u8) {
        let exponent = u32::from(resolution & 0x7f);
        self.unit = if resolution & 0x80 != 0 {
            Unit::SecondShifted(exponent)
        } else if exponent <= 9 {
            Unit::Nanos(10u64.saturating_pow(9 - exponent))
        } else {
            Unit::PerNano(10u128.saturating_pow(exponent - 9))
        };
    }

    /// Takes if_tsoffset, in seconds.
    pub(super) fn set_offset(&mut self, seconds: i64) {
        self.offset = seconds;
    }

    /// The instant of a time stamp; saturates at the year 2262.
    pub(super) fn instant(&self, units: u64) -> Timestamp {
        let units = u128::from(units);
        let nanos = match self.unit {
            Unit::Nanos(each) => units * u128::from(each),
            Unit::PerNano(count) => units / count,
            Unit::SecondShifted(shift) => (units * 1_000_000_000) >> shift,
        };
        let offset = i128::from(self.offset) * i128::from(Timestamp::SECOND);
        let instant = i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(offset);
        let limit = if instant < 0 { i64::MIN } else { i64::MAX };
        Timestamp(i64::try_from(instant).unwrap_or(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(resolution: u8, offset: i64, units: u64) -> i64 {
        let mut clock = Clock::default();
        clock.set_resolution(resolution);
        clock.set_offset(offset);
        clock.instant(units).0
    }

    #[test]
    fn resolutions_of_ten_and_two() {
        assert_eq!(Clock::default().instant(1_500_000).0, 1_500_000_000);
        assert_eq!(at(0, 0, 3), 3_000_000_000);
        assert_eq!(at(3, 0, 3), 3_000_000);
        assert_eq!(at(9, 0, 3), 3);
        assert_eq!(at(12, 0, 3_999), 3);
        assert_eq!(at(0x80 | 10, 0, 1_536), 1_500_000_000);
        assert_eq!(at(0x80, 0, 2), 2_000_000_000);
    }

    #[test]
    fn offsets_and_extremes() {
        assert_eq!(at(6, 10, 1), 10_000_001_000);
        assert_eq!(at(6, -10, 1), -9_999_999_000);
        assert_eq!(at(0, 0, u64::MAX), i64::MAX);
        assert_eq!(at(0, i64::MIN, 0), i64::MIN);
        assert_eq!(at(127, 0, u64::MAX), 0);
        assert_eq!(at(255, 0, u64::MAX), 0);
    }
}
