//! Notifications: what a subscription reports, cyclically or on change.

use super::value::{self, Value, vlq, vlq32};
use crate::bytes::Cursor;

/// The head of a notification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Object id of the subscription.
    pub subscription: u32,
    /// Counts the notifications of the subscription.
    pub sequence: u64,
}

/// Reads a notification (opcode 0x33) and calls `each` with reference and value; a value that could not be read is
/// `None`. Returns nothing where the form is unknown.
///
/// Older firmware leaves out the credit before the sequence number, and nothing says so: the form that fits whole is it.
pub fn read(cursor: Cursor<'_>, each: &mut dyn FnMut(u32, Option<Value<'_>>)) -> Option<Head> {
    let fits = [true, false].into_iter().find(|credit| parse(cursor, *credit, &mut |_, _| ()).is_some())?;
    parse(cursor, fits, each)
}

fn parse(mut cursor: Cursor<'_>, credit: bool, each: &mut dyn FnMut(u32, Option<Value<'_>>)) -> Option<Head> {
    let subscription = cursor.be32()?;
    cursor.skip(if credit { 7 } else { 6 })?;
    let sequence = vlq(&mut cursor)?;
    let _changes = cursor.u8()?;
    loop {
        match cursor.u8()? {
            0 => break,
            0x92 => {
                let reference = cursor.be32()?;
                each(reference, Some(value::value(&mut cursor, 0, &mut |_, _| ())?));
            }
            0x9b => {
                let reference = vlq32(&mut cursor)?;
                each(reference, Some(value::value(&mut cursor, 0, &mut |_, _| ())?));
            }
            // References that cannot be read.
            0x03 | 0x13 => each(cursor.be32()?, None),
            0x9c => {
                cursor.be32()?;
            }
            _ => return None,
        }
    }
    // Fill bytes, three or four of them.
    cursor
        .rest()
        .iter()
        .all(|byte| *byte == 0)
        .then_some(Head { subscription, sequence })
        .filter(|_| cursor.left() <= 5)
}
