//! Date and time as S7 devices write them.

use quaywatch_model::Timestamp;

use crate::bytes::Cursor;

/// Two decimal digits in a byte.
fn bcd(byte: u8) -> Option<u32> {
    let (tens, units) = (byte >> 4, byte & 0x0f);
    (tens <= 9 && units <= 9).then(|| u32::from(tens) * 10 + u32::from(units))
}

/// DATE_AND_TIME: year, month, day, hour, minute, second in BCD, then milliseconds in three digits and the day of the week
/// (STEP 7 help, "Format of the data type DATE_AND_TIME"). Two-digit years from 90 on are of the 20th century. The zone is the
/// device's own affair; it is read as UTC.
#[must_use]
pub fn date_and_time(bytes: &[u8]) -> Option<Timestamp> {
    let mut cursor = Cursor::new(bytes);
    let year = bcd(cursor.u8()?)?;
    let month = bcd(cursor.u8()?)?;
    let day = bcd(cursor.u8()?)?;
    let hour = bcd(cursor.u8()?)?;
    let minute = bcd(cursor.u8()?)?;
    let second = bcd(cursor.u8()?)?;
    let hundredths = bcd(cursor.u8()?)?;
    let thousandth = cursor.u8()? >> 4;
    let year = i64::from(year) + if year < 90 { 2000 } else { 1900 };
    let whole = Timestamp::from_civil(year, month, day, hour, minute, second)?;
    let millis = i64::from(hundredths) * 10 + i64::from(thousandth);
    Some(Timestamp(whole.0.saturating_add(millis.saturating_mul(1_000_000))))
}

/// The payload of the clock functions: a reserved byte, the century (not trustworthy: many devices send 0x19), DATE_AND_TIME.
#[must_use]
pub fn clock_payload(payload: &[u8]) -> Option<Timestamp> {
    date_and_time(payload.get(2..)?)
}

/// Milliseconds of the day and days since 1984-01-01, as in block headers.
#[must_use]
pub fn block_time(bytes: &[u8]) -> Option<Timestamp> {
    let mut cursor = Cursor::new(bytes);
    let millis = cursor.be32()?;
    let days = cursor.be16()?;
    let epoch = Timestamp::from_civil(1984, 1, 1, 0, 0, 0)?;
    let nanos = i64::from(days) * 86_400_000 + i64::from(millis);
    Some(Timestamp(epoch.0.saturating_add(nanos.saturating_mul(1_000_000))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        // s7comm/icsnpp-snap7.pcap frame 46.
        let time = clock_payload(&[0x00, 0x19, 0x16, 0x02, 0x08, 0x14, 0x51, 0x37, 0x91, 0x62]).unwrap();
        assert_eq!(time.to_string(), "2016-02-08T14:51:37.916000Z");
        assert_eq!(date_and_time(&[0x9a; 8]), None);
        // s7comm/wireshark-wiki-cotp-test.pcap, block header of SFC 0.
        let time = block_time(&[0x02, 0xc1, 0xaa, 0xc8, 0x0f, 0x76]).unwrap();
        assert_eq!(time.to_string(), "1994-11-02T12:50:46.600000Z");
    }
}
