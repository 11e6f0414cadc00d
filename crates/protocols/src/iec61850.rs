//! What GOOSE and sampled values share: the frame header of IEC 61850-8-1 annex C, and BER elements (X.690).

use crate::bytes::Cursor;

/// APPID, length, two reserved words; then the APDU's element.
pub(crate) fn apdu(body: &[u8], tag: u8) -> Option<(u16, &[u8])> {
    let mut cursor = Cursor::new(body);
    let (app, length) = (cursor.be16()?, usize::from(cursor.be16()?));
    cursor.skip(4)?;
    let mut rest = Cursor::new(cursor.rest().get(..length.checked_sub(8)?)?);
    let (found, content) = element(&mut rest)?;
    (found == tag).then_some((app, content))
}

/// Tag and content of the next element; tags of one byte, definite lengths.
pub(crate) fn element<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let tag = cursor.u8()?;
    let length = match cursor.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => cursor.u8()?.into(),
        0x82 => cursor.be16()?.into(),
        _ => return None,
    };
    Some((tag, cursor.take(length)?))
}

/// An unsigned integer of at most five bytes, the first of them a sign byte.
pub(crate) fn unsigned(content: &[u8]) -> Option<u32> {
    if content.is_empty() || content.len() > 5 {
        return None;
    }
    let value = content.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    u32::try_from(value).ok()
}
