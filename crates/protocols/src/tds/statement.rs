//! What a batch or call does, without its text: values in statements are the plant's data, and sometimes its passwords.

use quaywatch_model::OperationClass;

use super::login::wide;
use super::names;
use crate::bytes::Cursor;

/// Words looked at of one batch.
const MAX_WORDS: usize = 24;

/// A statement's kind.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Statement {
    /// First word in capitals, or the procedure's name; empty if it is no known statement.
    pub(super) object: String,
    /// What it does.
    pub(super) class: Option<OperationClass>,
}

/// Passes over the headers that newer clients put before a request (MS-TDS 2.2.5.3).
fn behind_headers(bytes: &[u8]) -> &[u8] {
    let total = bytes.first_chunk().map(|length| u32::from_le_bytes(*length));
    match total.and_then(|total| usize::try_from(total).ok()) {
        Some(total @ 4..=512) => bytes.get(total..).unwrap_or(bytes),
        _ => bytes,
    }
}

/// The first statement of a batch.
pub(super) fn batch(bytes: &[u8]) -> Statement {
    let text = wide(behind_headers(bytes));
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '@' | '#')));
    let mut words = words.by_ref().filter(|word| !word.is_empty()).take(MAX_WORDS);
    let Some((verb, class)) = words.find_map(names::verb) else { return Statement::default() };
    let mut statement = Statement { object: verb.to_owned(), class: Some(class) };
    if matches!(verb, "EXEC" | "EXECUTE")
        && let Some(name) = words.find(|word| !word.starts_with('@'))
    {
        statement.object = format!("EXEC {name}");
        statement.class = names::procedure(name).or(Some(class));
    }
    statement
}

/// The procedure that a call names or numbers (MS-TDS 2.2.6.6).
pub(super) fn call(bytes: &[u8]) -> Option<Statement> {
    let mut c = Cursor::new(behind_headers(bytes));
    let count = c.le16()?;
    let object = if count == 0xffff {
        names::procedure_id(c.le16()?).to_owned()
    } else {
        wide(c.take(usize::from(count).checked_mul(2)?)?)
    };
    let class = names::procedure(&object).unwrap_or(OperationClass::Read);
    Some(Statement { object, class: Some(class) })
}
