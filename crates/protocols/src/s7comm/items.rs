//! Variable addresses as they stand in read, write, cyclic and alarm requests, and the data that answer them.
//!
//! An address prints as STEP 7 writes it, with its type and count behind it: `DB1.DBX0.0 BYTE 4`, `M64.0 BYTE 2`, `T5 TIMER 1`.

use std::fmt::Write;

use crate::bytes::Cursor;

/// What a list of items holds in all.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Items.
    pub items: u32,
    /// Elements over all items, as far as their addresses state counts.
    pub elements: u64,
}

/// Between two items of one object.
const SEPARATOR: &str = "; ";

/// Bytes of an object that are printed: some 250 addresses, more than an S7 PDU of 960 bytes holds. The rest is told by dots.
pub const OBJECT_LIMIT: usize = 8 * 1024;

/// Prints `count` items into `object`.
///
/// # Errors
/// The rule that the bytes break; `object` holds the items before.
pub fn describe(cursor: &mut Cursor<'_>, count: u32, object: &mut String) -> Result<Totals, &'static str> {
    let mut totals = Totals::default();
    for index in 0..count {
        let item = next(cursor, index + 1 < count)?;
        separate(object);
        totals.elements = totals.elements.saturating_add(address(item, object).ok_or("item address cut short")?);
        shorten(object);
        totals.items = totals.items.saturating_add(1);
    }
    Ok(totals)
}

/// Puts a separator behind what was printed before.
pub fn separate(object: &mut String) {
    if !object.is_empty() {
        object.push_str(SEPARATOR);
    }
}

/// Cuts an object at its limit.
pub fn shorten(object: &mut String) {
    if object.len() > OBJECT_LIMIT {
        let end = (0..=OBJECT_LIMIT).rev().find(|at| object.is_char_boundary(*at)).unwrap_or(0);
        object.truncate(end);
        object.push_str("...");
    }
}

/// Syntax id and address of the next item.
fn next<'a>(cursor: &mut Cursor<'a>, more: bool) -> Result<&'a [u8], &'static str> {
    if cursor.u8().ok_or("fewer items than announced")? != 0x12 {
        return Err("item that is no variable specification");
    }
    let length = cursor.u8().ok_or("item without length")?;
    let item = cursor.take(usize::from(length)).ok_or("item cut short")?;
    if more && length % 2 == 1 {
        // Items start at even offsets.
        let _ = cursor.u8();
    }
    Ok(item)
}

/// Prints an address, gives its count of elements. Writing to a string cannot fail, so those results are dropped.
fn address(item: &[u8], object: &mut String) -> Option<u64> {
    let mut cursor = Cursor::new(item);
    match cursor.u8()? {
        0x10 => any(cursor, object),
        0xb0 => db_read(cursor, object),
        0xb2 => symbolic(cursor, object),
        syntax @ 0x82..=0x84 => nck(syntax, cursor, object),
        0xa2 => drive(cursor, object),
        0x13 => r_id(cursor, object),
        syntax @ (0x15 | 0x16 | 0x19 | 0x1c) => alarm(syntax, cursor, object),
        0x1a => alarm_query(cursor, object),
        syntax => {
            let _ = write!(object, "syntax {syntax:#04x}");
            Some(1)
        }
    }
}

/// S7ANY: type, count, DB number, area, bit address.
fn any(mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    let kind = cursor.u8()?;
    let count = cursor.be16()?;
    let block = cursor.be16()?;
    let area = cursor.u8()?;
    let start = cursor.be24()?;
    let (byte, bit) = (start >> 3, start & 7);
    let _ = match area {
        0x84 => write!(object, "DB{block}.DBX{byte}.{bit}"),
        0x85 => write!(object, "DI{block}.DIX{byte}.{bit}"),
        // Timers and counters are numbered, not addressed by bit.
        0x1c..=0x1f => write!(object, "{}{start}", area_name(area)),
        _ if area_name(area).is_empty() => write!(object, "area {area:#04x} {byte}.{bit}"),
        _ => write!(object, "{}{byte}.{bit}", area_name(area)),
    };
    let _ = match type_name(kind) {
        "" => write!(object, " type {kind:#04x} {count}"),
        name => write!(object, " {name} {count}"),
    };
    if block != 0 && !matches!(area, 0x84 | 0x85) {
        let _ = write!(object, " (block {block})");
    }
    Some(u64::from(count))
}

/// Prefix of an address in an area; empty for an unknown area.
const fn area_name(area: u8) -> &'static str {
    match area {
        0x01 => "RECORD",
        0x03 => "SYSINFO",
        0x05 => "SM",
        0x06 => "AI",
        0x07 => "AQ",
        0x1c => "C",
        0x1d => "T",
        0x1e => "IEC C",
        0x1f => "IEC T",
        0x80 => "P",
        0x81 => "I",
        0x82 => "Q",
        0x83 => "M",
        0x86 => "L",
        0x87 => "V",
        _ => "",
    }
}

/// Name of a type in an S7ANY address; empty for an unknown one.
const fn type_name(kind: u8) -> &'static str {
    match kind {
        1 => "BIT",
        2 => "BYTE",
        3 => "CHAR",
        4 => "WORD",
        5 => "INT",
        6 => "DWORD",
        7 => "DINT",
        8 => "REAL",
        9 => "DATE",
        10 => "TOD",
        11 => "TIME",
        12 => "S5TIME",
        15 => "DATE_AND_TIME",
        28 => "COUNTER",
        29 => "TIMER",
        30 => "IEC_TIMER",
        31 => "IEC_COUNTER",
        32 => "HS_COUNTER",
        _ => "",
    }
}

/// DBREAD of S7-400: a list of byte ranges in data blocks.
fn db_read(mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    let ranges = cursor.u8()?;
    let mut elements = 0;
    for index in 0..ranges {
        let count = cursor.u8()?;
        let block = cursor.be16()?;
        let start = cursor.be16()?;
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(object, "{separator}DB{block}.DBX{start}.0 BYTE {count} (DBREAD)");
        elements += u64::from(count);
    }
    Some(elements)
}

/// Symbolic address of S7-1200: area or DB, checksum of the symbol, path of local ids.
fn symbolic(mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    cursor.skip(1)?;
    let (kind, place) = (cursor.be16()?, cursor.be16()?);
    let checksum = cursor.be32()?;
    let area = match place {
        0x50 => "I",
        0x51 => "Q",
        0x52 => "M",
        0x53 => "C",
        0x54 => "T",
        _ => "",
    };
    let _ = match kind {
        0x8a0e => write!(object, "SYM DB{place}"),
        0 if !area.is_empty() => write!(object, "SYM {area}"),
        _ => write!(object, "SYM {kind:#06x}:{place:#06x}"),
    };
    let mut separator = " ";
    while let Some(id) = cursor.be32() {
        // The upper four bits say how to read the id, the lower ones are its value.
        let _ = write!(object, "{separator}{}", id & 0x0fff_ffff);
        separator = ".";
    }
    let _ = write!(object, " crc {checksum:08x}");
    Some(1)
}

/// SINUMERIK variable: area and unit, column, row, module, rows.
fn nck(syntax: u8, mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    let place = cursor.u8()?;
    let (column, row) = (cursor.be16()?, cursor.be16()?);
    let (module, rows) = (cursor.u8()?, cursor.u8()?);
    let area = match place >> 5 {
        0 => "N",
        1 => "B",
        2 => "C",
        3 => "A",
        4 => "T",
        5 => "V",
        6 => "H",
        _ => "M",
    };
    let name = match syntax {
        0x83 => "NCK_M",
        0x84 => "NCK_I",
        _ => "NCK",
    };
    let unit = place & 0x1f;
    let _ = write!(object, "{name} {area}{unit} module {module:#04x} column {column} row {row} rows {rows}");
    Some(u64::from(rows))
}

/// Drive parameter: number and index.
fn drive(mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    cursor.skip(5)?;
    let (parameter, index) = (cursor.be16()?, cursor.be16()?);
    let _ = write!(object, "DRIVE p{parameter}[{index}]");
    Some(1)
}

/// Job id of a block-oriented send.
fn r_id(mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    cursor.skip(1)?;
    let _ = write!(object, "R_ID {:#010x}", cursor.be32()?);
    Some(1)
}

/// Alarm: number of associated values, event id.
fn alarm(syntax: u8, mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    let name = match syntax {
        0x15 => "lock",
        0x16 => "alarm",
        0x19 => "acknowledge",
        _ => "notify",
    };
    cursor.skip(1)?;
    let _ = write!(object, "{name} event {:#010x}", cursor.be32()?);
    Some(1)
}

/// Alarm query: reserved, by alarm type (1) or event id (3), reserved, the type or id.
fn alarm_query(mut cursor: Cursor<'_>, object: &mut String) -> Option<u64> {
    cursor.skip(1)?;
    let by = cursor.u8()?;
    cursor.skip(1)?;
    let value = cursor.be32()?;
    let _ = match (by, value) {
        (1, 1) => write!(object, "alarms of type SCAN"),
        (1, 2) => write!(object, "alarms of type ALARM_8"),
        (1, 4) => write!(object, "alarms of type ALARM_S"),
        (3, _) => write!(object, "alarm of event {value:#010x}"),
        _ => write!(object, "alarms by {by} {value:#010x}"),
    };
    Some(1)
}

/// Bytes of data of a transport size (the types of data blocks, not of addresses) and a length field: in bits for bits, bytes and integers.
#[must_use]
pub fn data_length(transport: u8, length: u16) -> usize {
    let length = usize::from(length);
    if matches!(transport, 3..=5) { length.div_ceil(8) } else { length }
}

/// One item of a data block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item<'a> {
    /// Return code; 0 in a request.
    pub code: u8,
    /// The value; empty if there is none.
    pub value: &'a [u8],
}

/// Reads the next of the items of a data block.
///
/// # Errors
/// The rule that the bytes break.
pub fn next_data<'a>(cursor: &mut Cursor<'a>) -> Result<Item<'a>, &'static str> {
    let code = cursor.u8().ok_or("fewer data items than announced")?;
    let (Some(transport), Some(length)) = (cursor.u8(), cursor.be16()) else {
        return Err("data item without header");
    };
    // An item that failed has a length now and then, but never data.
    if code != 0xff && code != 0 {
        return Ok(Item { code, value: &[] });
    }
    let length = data_length(transport, length);
    let value = cursor.take(length).ok_or("data item cut short")?;
    if length % 2 == 1 {
        // Items start at even offsets; behind the last one there is no filler.
        let _ = cursor.u8();
    }
    Ok(Item { code, value })
}
