//! What responses add to requests: values of tags, and blocks that are read out.

use sha2::{Digest, Sha256};

use super::items::{self, Items, Shown, TOLD_LIMIT};
use super::names;
use super::request::{Block, Request, is_block};
use super::value::{self, Value};
use crate::bytes::{Cursor, device_text};

/// Blocks told of one response.
pub const BLOCK_LIMIT: usize = 1024;
/// Stands for a value that is not told.
const WITHHELD: Value<'static> = Value::Text(b"withheld");
/// Objects in one response that are looked at.
const OBJECT_LIMIT: usize = 4096;

/// Values and failures of a read or write of several variables; `None` where the form is unknown.
pub(super) fn several(request: &mut Request, cursor: &mut Cursor<'_>) -> Option<()> {
    if request.function == 0x054c {
        let tags = request.tags;
        let mut items = Items::ended(cursor);
        // Attributes of objects may hold keys and names: of them only numbers are told.
        let told = items.by_ref().map(|(_, said)| if tags || is_number(said) { Shown(said) } else { Shown(WITHHELD) });
        request.detail.texts("values", told.take(TOLD_LIMIT));
        items.finish()?;
    }
    let (mut failed, mut count) = ([0u32; TOLD_LIMIT], 0usize);
    items::errors(cursor, |number, _| {
        if let Some(slot) = failed.get_mut(count) {
            *slot = number;
            count = count.saturating_add(1);
        }
    })?;
    if count > 0 {
        request.detail.numbers("failed", failed.into_iter().take(count));
    }
    Some(())
}

const fn is_number(said: Value<'_>) -> bool {
    matches!(said, Value::Null | Value::Unsigned(_) | Value::Signed(_) | Value::Real(_) | Value::Struct(_))
}

/// Blocks with their code in the answer to an explore: what an upload reads.
pub(super) fn explored(cursor: &mut Cursor<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    // The object that was explored; newer firmware puts the integrity id behind it.
    if cursor.skip(4).is_none() || cursor.rest().first() != Some(&0xa1) && value::vlq32(cursor).is_none() {
        return blocks;
    }
    for _ in 0..OBJECT_LIMIT {
        let start = cursor.rest();
        if start.first() != Some(&0xa1) {
            break;
        }
        let (mut name, mut code) = (String::new(), false);
        let mut each = |id: u32, said: Value<'_>| match said {
            Value::Text(text) if id == 233 && name.is_empty() => name = device_text(text).unwrap_or_default(),
            Value::Blob(bytes) => code |= !bytes.is_empty(),
            _ => {}
        };
        let Some(object) = value::object(cursor, 0, &mut each) else { break };
        let kind = names::block(object.class);
        if let (true, false, Some(whole)) = (code && is_block(object.id), kind.is_empty(), value::taken(start, cursor))
        {
            blocks.push(Block {
                name: format!("{kind}{} {name}", object.id & 0xffff),
                size: u64::try_from(whole.len()).unwrap_or(u64::MAX),
                sha256: Sha256::digest(whole).into(),
            });
            if blocks.len() >= BLOCK_LIMIT {
                break;
            }
        }
    }
    blocks
}
