//! Options at the end of pcapng blocks: draft-ietf-opsawg-pcapng section 3.5.

use super::record::Order;

/// Ends the list of options.
pub(super) const END: u16 = 0;
/// A comment, on any block.
pub(super) const COMMENT: u16 = 1;

/// Walks a list of options and calls `each` with code and value. Returns false if the list is damaged; what comes
/// before the damage was delivered.
pub(super) fn walk(order: Order, mut rest: &[u8], mut each: impl FnMut(u16, &[u8])) -> bool {
    loop {
        // The end mark may be missing where the block ends (draft section 3.5).
        if rest.is_empty() {
            return true;
        }
        let (Some(code), Some(length)) = (order.u16(rest, 0), order.u16(rest, 2)) else { return false };
        if code == END {
            return true;
        }
        let length = usize::from(length);
        let Some(value) = rest.get(4..4 + length) else { return false };
        each(code, value);
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
    }
}
