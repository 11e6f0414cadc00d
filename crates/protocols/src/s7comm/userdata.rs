//! What userdata messages say, group by group.

use std::fmt::Write;

use quaywatch_model::{Attribute, Clock, Observation, Sink, Timestamp, Weakness};

use super::header::{Userdata, UserdataBody, Way};
use super::request::{Request, Secret};
use super::szl::PartialList;
use super::{blocks, clock, errors, items, names};
use crate::bytes::{Cursor, device_text};

/// Status of a userdata answer: the error code of the parameters, else the return code of the data.
#[must_use]
pub fn status(userdata: Userdata, body: Option<UserdataBody<'_>>) -> (u32, &'static str) {
    if userdata.error != 0 {
        return (u32::from(userdata.error), errors::name(userdata.error));
    }
    match body.map(|body| body.return_code) {
        // 0x0a and 0 stand where an answer has no payload.
        None | Some(0xff | 0x0a | 0x00) => (0, "success"),
        Some(code) => (u32::from(code), names::return_code(code)),
    }
}

/// Fills `request` with what a request or an indication says.
///
/// # Errors
/// The rule that the bytes break; `request` holds what was read before.
pub fn describe(userdata: Userdata, payload: &[u8], request: &mut Request) -> Result<(), &'static str> {
    // Requests for the next fragment have no payload.
    if payload.is_empty() && userdata.group != 0 {
        return Ok(());
    }
    let cut = "userdata cut short";
    match (userdata.group, userdata.function) {
        (0x0, function) => {
            request.object.push_str(names::transition(function));
            Ok(())
        }
        (0x1, 2 | 8) => test_variables(payload, request).ok_or(cut),
        (0x2, 1 | 5 | 7) if userdata.way == Way::Request => cyclic(payload, request),
        (0x3, 2) => {
            let _ = write!(request.object, "all {}", block_type(payload));
            Ok(())
        }
        (0x3, 3) => {
            // Type, number and file system.
            let file = payload.get(..8).unwrap_or(payload);
            blocks::file_name(file, &mut request.object);
            request.detail.text("file", String::from_utf8_lossy(file));
            Ok(())
        }
        (0x4, function) => cpu(userdata.way, function, payload, request),
        (0x5, 1) => {
            request.secret = Some(Secret { method: "password" });
            Ok(())
        }
        (0x6, _) => items::describe(&mut Cursor::new(payload), 1, &mut request.object).map(|_| ()),
        (0x7, 2 | 4) => {
            if let Some(time) = clock::clock_payload(payload) {
                let _ = write!(request.object, "{time}");
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn block_type(payload: &[u8]) -> &'static str {
    payload.get(..2).and_then(blocks::block_type).unwrap_or("blocks of unknown type")
}

/// CPU functions.
fn cpu(way: Way, function: u8, payload: &[u8], request: &mut Request) -> Result<(), &'static str> {
    let cut = "CPU function cut short";
    let mut cursor = Cursor::new(payload);
    match function {
        1 => partial_list(payload, request).ok_or(cut),
        2 => message_service(payload, request).ok_or(cut),
        3 => diagnostic_message(payload, request).ok_or(cut),
        // Indications begin with the time of the alarm.
        5 | 6 | 9 | 0x0c..=0x0e | 0x11 | 0x12 | 0x16 if way == Way::Indication => {
            if let Some(time) = clock::date_and_time(payload) {
                request.detail.text("time", time);
            }
            cursor.skip(8).ok_or(cut)?;
            alarms(cursor, request)
        }
        7 | 8 | 0x0b | 0x13 => alarms(cursor, request),
        _ => Ok(()),
    }
}

/// Function, number of items, items; indications have values behind each item, so only the first is read.
fn alarms(mut cursor: Cursor<'_>, request: &mut Request) -> Result<(), &'static str> {
    cursor.skip(1).ok_or("alarm cut short")?;
    let count = cursor.u8().ok_or("alarm cut short")?;
    request.quantity = Some(u64::from(count));
    items::describe(&mut cursor, u32::from(count.min(1)), &mut request.object).map(|_| ())
}

/// Id and index of a partial list.
fn partial_list(payload: &[u8], request: &mut Request) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    let (id, index) = (cursor.be16()?, cursor.be16()?);
    if PartialList::identifies(id) {
        request.class = quaywatch_model::OperationClass::Identify;
    }
    let _ = write!(request.object, "SZL {id:#06x} index {index:#06x}: {}", names::partial_list(id));
    Some(())
}

/// Subscribed events, reserved, name of the subscriber.
fn message_service(payload: &[u8], request: &mut Request) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    let subscribed = cursor.u8()?;
    cursor.skip(1)?;
    request.detail.number("events", subscribed);
    if let Some(name) = cursor.rest().get(..8).and_then(device_text) {
        request.detail.text("subscriber", name);
    }
    Some(())
}

/// Entry of the diagnostic buffer: event id, priority class, OB, data, then the time.
fn diagnostic_message(payload: &[u8], request: &mut Request) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    let entry = cursor.be16()?;
    let _ = write!(request.object, "event {entry:#06x}");
    if !entry_name(entry).is_empty() {
        let _ = write!(request.object, ": {}", entry_name(entry));
    }
    cursor.skip(10)?;
    if let Some(time) = clock::date_and_time(cursor.rest()) {
        request.detail.text("time", time);
    }
    Some(())
}

/// Mode transitions among the diagnostic events (system functions manual, "Event class 4"); empty for other events.
const fn entry_name(entry: u16) -> &'static str {
    match entry {
        0x4300 => "backed-up power on",
        0x4301 => "mode transition from STOP to STARTUP",
        0x4302 => "mode transition from STARTUP to RUN",
        0x4303 => "STOP by the mode selector",
        0x4304 => "STOP by a programming device or by SFB 20",
        0x4305 => "HOLD: breakpoint reached",
        0x4306 => "HOLD: breakpoint left",
        0x4307 => "memory reset started by a programming device",
        0x4308 => "memory reset started by the mode selector",
        0x4309 => "memory reset started automatically",
        0x430a => "HOLD left for STOP",
        0x430d => "STOP caused by another CPU",
        0x430e => "memory reset executed",
        0x430f => "STOP on the module due to STOP on a CPU",
        0x4520 => "DEFECT: STOP not possible",
        0x4521 => "DEFECT: instruction processing failed",
        0x4530 => "DEFECT: memory test error",
        0x4541 => "STOP caused by the priority class system",
        0x4542 => "STOP caused by the object management system",
        0x4562 => "STOP caused by a programming error",
        0x4563 => "STOP caused by an I/O access error",
        0x4567 => "STOP caused by an H event",
        0x4568 => "STOP caused by a time error",
        _ => "",
    }
}

/// Cyclic reading: number of items, time base, factor, items.
fn cyclic(payload: &[u8], request: &mut Request) -> Result<(), &'static str> {
    let mut cursor = Cursor::new(payload);
    let header = (cursor.be16(), cursor.u8(), cursor.u8());
    let (Some(count), Some(base), Some(factor)) = header else { return Err("cyclic request cut short") };
    let milliseconds = match base {
        0 => 100,
        1 => 1_000,
        _ => 10_000,
    };
    request.items = u32::from(count);
    request.detail.number("items", count);
    request.detail.number("interval_ms", milliseconds * i32::from(factor));
    let totals = items::describe(&mut cursor, u32::from(count), &mut request.object)?;
    request.quantity = Some(totals.elements);
    Ok(())
}

/// Variable status and modify variable: lengths of parameters and data, the parameters, number of items, items.
fn test_variables(payload: &[u8], request: &mut Request) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    let parameters = cursor.be16()?;
    cursor.skip(2)?;
    cursor.skip(usize::from(parameters))?;
    // Requests without items change or end a running job.
    let Some(count) = cursor.be16() else { return Some(()) };
    request.quantity = Some(u64::from(count));
    for _ in 0..count {
        let area = cursor.u8()?;
        let repeat = cursor.u8()?;
        let (block, start) = (cursor.be16()?, cursor.be16()?);
        items::separate(&mut request.object);
        test_variable(area, repeat, block, start, &mut request.object);
        items::shorten(&mut request.object);
    }
    Some(())
}

/// One item: area and width in one byte, count (the bit's number for a bit), block, byte.
fn test_variable(area: u8, repeat: u8, block: u16, start: u16, object: &mut String) {
    let width = match area & 0x0f {
        0 => "X",
        1 => "B",
        2 => "W",
        3 => "D",
        _ => "",
    };
    let _ = match area >> 4 {
        0 => write!(object, "M{width}{start}"),
        1 => write!(object, "I{width}{start}"),
        2 => write!(object, "Q{width}{start}"),
        3 => write!(object, "PI{width}{start}"),
        5 => write!(object, "T{start}"),
        6 => write!(object, "C{start}"),
        7 => write!(object, "DB{block}.DB{width}{start}"),
        _ => write!(object, "area {area:#04x} {start}"),
    };
    let _ = if width == "X" { write!(object, ".{repeat}") } else { write!(object, " x{repeat}") };
}

/// Adds what an answer other than a partial list says.
pub fn answer(userdata: Userdata, payload: &[u8], at: quaywatch_model::At, request: &mut Request, out: &mut dyn Sink) {
    match (userdata.group, userdata.function) {
        (0x3, 1) => block_counts(payload, request),
        (0x3, 2) => {
            request.quantity = u64::try_from(payload.len() / 4).ok();
        }
        (0x3, 3) => {
            let _ = block_info(payload, request);
        }
        (0x7, 1 | 3) => {
            if let Some(time) = clock::clock_payload(payload) {
                request.detail.text("time", time);
                tell_clock(time, at, request, out);
            }
        }
        _ => {}
    }
}

fn tell_clock(time: Timestamp, at: quaywatch_model::At, request: &Request, out: &mut dyn Sink) {
    out.emit(
        at,
        Observation::Clock(Clock {
            subject: request.server.address,
            method: "s7comm read clock",
            device_time: time,
            skew: time.since(at.ts),
        }),
    );
}

/// Numbers of blocks: type in two digits and count, for each type.
fn block_counts(payload: &[u8], request: &mut Request) {
    let mut sum = 0u64;
    for record in payload.chunks_exact(4) {
        let mut cursor = Cursor::new(record);
        let kind = cursor.take(2).and_then(blocks::block_type);
        let (Some(kind), Some(count)) = (kind, cursor.be16()) else { continue };
        sum += u64::from(count);
        request.detail.number(kind, count);
    }
    request.quantity = Some(sum);
}

/// Block header: language, number, sizes, protection, times, author, family, name, version, checksum.
fn block_info(payload: &[u8], request: &mut Request) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    // Type of the answer, length, flags of the loader, `pp`, reserved, flags.
    cursor.skip(10)?;
    let language = cursor.u8()?;
    let kind = cursor.u8()?;
    let number = cursor.be16()?;
    let size = cursor.be32()?;
    let security = cursor.be32()?;
    let code = clock::block_time(cursor.take(6)?);
    let interface = clock::block_time(cursor.take(6)?);
    cursor.skip(6)?;
    let instructions = cursor.be16()?;
    if request.object.is_empty() {
        let _ = write!(request.object, "{}{number}", block_type_of(kind));
    }
    request.quantity = Some(u64::from(size));
    request.detail.text("language", language_name(language));
    request.detail.number("code_length", instructions);
    request.detail.flag("know_how_protected", security == 3);
    for (key, time) in [("code_time", code), ("interface_time", interface)] {
        if let Some(time) = time {
            request.detail.text(key, time);
        }
    }
    for key in ["author", "family", "block_name"] {
        if let Some(text) = device_text(cursor.take(8)?) {
            request.detail.text(key, text);
        }
    }
    let version = cursor.u8()?;
    cursor.skip(1)?;
    request.detail.text("version", format_args!("{}.{}", version >> 4, version & 0x0f));
    request.detail.text("checksum", format_args!("{:#06x}", cursor.be16()?));
    Some(())
}

const fn block_type_of(kind: u8) -> &'static str {
    match kind {
        0x08 => "OB",
        0x0a => "DB",
        0x0b => "SDB",
        0x0c => "FC",
        0x0d => "SFC",
        0x0e => "FB",
        0x0f => "SFB",
        _ => "block ",
    }
}

const fn language_name(language: u8) -> &'static str {
    match language {
        0 => "not defined",
        1 => "STL",
        2 => "LAD",
        3 => "FBD",
        4 => "SCL",
        5 => "DB",
        6 => "GRAPH",
        7 => "SDB",
        8 => "CPU-DB",
        0x11 => "SDB (after memory reset)",
        0x12 => "SDB (routing)",
        0x29 => "encrypted",
        _ => "other",
    }
}

/// Whether the eight bytes of a session password are all blanks. The transfer hides it under a fixed exclusive-or chain
/// (snap7, `opSetPassword`): each byte with 0x55, from the third on also with the hidden byte two places before.
fn is_blank(hidden: &[u8]) -> bool {
    let plain = |index: usize| -> Option<u8> {
        let byte = hidden.get(index)? ^ 0x55;
        let before = index.checked_sub(2).and_then(|at| hidden.get(at)).copied().unwrap_or(0);
        Some(byte ^ before)
    };
    !hidden.is_empty() && (0..hidden.len()).all(|index| matches!(plain(index), Some(b' ' | 0)))
}

/// Tells what is wrong with a session password. The password itself goes no further than this function.
pub fn tell_password(payload: &[u8], request: &Request, out: &mut dyn Sink) {
    request.tell_weakness(Weakness::ClearText, "S7 session password crosses the wire under a fixed exclusive-or", out);
    if is_blank(payload) {
        request.tell_weakness(Weakness::Empty, "S7 session password is blank", out);
    }
}

/// Operating state that a mode transition tells.
#[must_use]
pub const fn state(userdata: Userdata) -> Option<(Attribute, &'static str, &'static str)> {
    match (userdata.group, userdata.way) {
        (0, Way::Indication) => {
            Some((Attribute::State, names::transition(userdata.function), "s7comm mode transition"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_passwords_are_told() {
        // Eight blanks: 20^55 = 75, then 20^55^75 = 00, then 20^55^00 = 75 ...
        assert!(is_blank(&[0x75, 0x75, 0x00, 0x00, 0x75, 0x75, 0x00, 0x00]));
        assert!(!is_blank(&[0x24, 0x75, 0x51, 0x00, 0x24, 0x75, 0x51, 0x00]));
        assert!(!is_blank(&[]));
    }
}
