//! What jobs and their answers say, function by function.

use std::fmt;

use quaywatch_model::{At, Sink, Weakness};

use super::blocks::{Ends, TransferId, Transfers, file_name, piece_of};
use super::header::Header;
use super::request::{Request, Secret};
use super::{errors, items, names, pi};
use crate::bytes::{Cursor, device_text};
use crate::detail_json::Hex;

/// Bytes of a service's parameters that are kept.
const PARAMETER_LIMIT: usize = 256;

/// Values of a write that are kept, in bytes each: numbers, not texts.
const VALUE_LIMIT: usize = 8;

/// Status and name of an answer.
pub type Status = (u32, &'static str);

/// Fills `request` with what a job says.
///
/// # Errors
/// The rule that the bytes break; `request` holds what was read before.
pub fn describe(header: &Header<'_>, request: &mut Request, transfers: &Transfers) -> Result<(), &'static str> {
    let mut cursor = Cursor::new(header.parameters);
    let function = cursor.u8().ok_or("job without function")?;
    match function {
        0x04 => variables(cursor, request),
        0x05 => {
            variables(cursor, request)?;
            values(header.data, request)
        }
        0x1a..=0x1d => block(function, cursor, request).ok_or("block function cut short"),
        0x1e | 0x1f => upload(cursor, request, transfers).ok_or("upload function cut short"),
        0x28 => service(cursor, request),
        0x29 => stop(cursor, request).ok_or("stop cut short"),
        0xf0 => setup(cursor, request, "").ok_or("setup communication cut short"),
        _ => Ok(()),
    }
}

/// Read and write: the number of items, the items.
fn variables(mut cursor: Cursor<'_>, request: &mut Request) -> Result<(), &'static str> {
    let count = u32::from(cursor.u8().ok_or("item count missing")?);
    request.items = count;
    request.detail.number("items", count);
    let totals = items::describe(&mut cursor, count, &mut request.object)?;
    request.quantity = Some(totals.elements);
    Ok(())
}

/// A written value as it prints.
struct Value<'a>(&'a [u8]);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= VALUE_LIMIT { Hex(self.0).fmt(f) } else { write!(f, "{} bytes", self.0.len()) }
    }
}

/// The values of a write.
fn values(data: &[u8], request: &mut Request) -> Result<(), &'static str> {
    let mut cursor = Cursor::new(data);
    let mut result = Ok(());
    let values = (0..request.items).map_while(|_| match items::next_data(&mut cursor) {
        Ok(item) => Some(Value(item.value)),
        Err(why) => {
            result = Err(why);
            None
        }
    });
    request.detail.texts("values", values);
    result
}

/// Download and start of upload: status, two reserved parts, file name; the request of a download also tells sizes.
fn block(function: u8, mut cursor: Cursor<'_>, request: &mut Request) -> Option<()> {
    cursor.skip(7)?;
    let length = cursor.u8()?;
    let file = cursor.take(usize::from(length))?;
    file_name(file, &mut request.object);
    request.detail.text("file", String::from_utf8_lossy(file));
    if function == 0x1a && cursor.u8().is_some() {
        // One character, then the bytes of load memory and of code, six digits each.
        cursor.skip(1)?;
        request.quantity = digits(cursor.take(6)?);
        request.detail.number("load_memory", request.quantity.map_or(0, u64::cast_signed));
        request.detail.number("code_length", digits(cursor.take(6)?).map_or(0, u64::cast_signed));
    }
    Some(())
}

fn digits(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Upload and its end: status, reserved, number of the upload.
fn upload(mut cursor: Cursor<'_>, request: &mut Request, transfers: &Transfers) -> Option<()> {
    cursor.skip(3)?;
    request.upload = cursor.be32()?;
    request.detail.number("upload", request.upload);
    if let Some(name) = transfers.upload_name(request.upload) {
        request.object.push_str(name);
    }
    Some(())
}

/// Program invocation: seven reserved bytes, parameters, name of the service.
fn service(mut cursor: Cursor<'_>, request: &mut Request) -> Result<(), &'static str> {
    let cut = "PI service cut short";
    cursor.skip(7).ok_or(cut)?;
    let length = cursor.be16().ok_or(cut)?;
    let parameters = cursor.take(usize::from(length)).ok_or(cut)?;
    let length = cursor.u8().ok_or(cut)?;
    let name = cursor.take(usize::from(length)).ok_or(cut)?;
    if let Some((title, class)) = pi::service(name) {
        (request.name, request.class) = (title, class);
    }
    request.detail.text("service", String::from_utf8_lossy(name));
    if pi::holds_secret(name) {
        request.secret = Some(Secret { method: "PI service password" });
    } else if matches!(name, b"_INSE" | b"_INS2" | b"_DELE") {
        block_list(parameters, request).ok_or(cut)?;
    } else {
        let shown = parameters.get(..PARAMETER_LIMIT).unwrap_or(parameters);
        let text = device_text(shown).unwrap_or_default();
        request.object.push_str(match (name, text.as_str()) {
            (b"P_PROGRAM", "") => "warm restart",
            (b"P_PROGRAM", "C") => "cold restart",
            _ => &text,
        });
        if !text.is_empty() {
            request.detail.text("parameter", &text);
        }
    }
    Ok(())
}

/// Blocks to activate or delete: their number, reserved, eight characters each.
fn block_list(parameters: &[u8], request: &mut Request) -> Option<()> {
    let mut cursor = Cursor::new(parameters);
    let count = cursor.u8()?;
    cursor.skip(1)?;
    request.quantity = Some(u64::from(count));
    let files = cursor.take(usize::from(count) * 8)?;
    for file in files.chunks_exact(8) {
        if !request.object.is_empty() {
            request.object.push_str("; ");
        }
        file_name(file, &mut request.object);
    }
    request.detail.texts("files", files.chunks_exact(8).map(String::from_utf8_lossy));
    Some(())
}

/// Stop: five reserved bytes, name of the service.
fn stop(mut cursor: Cursor<'_>, request: &mut Request) -> Option<()> {
    cursor.skip(5)?;
    let length = cursor.u8()?;
    let name = cursor.take(usize::from(length))?;
    request.detail.text("service", String::from_utf8_lossy(name));
    Some(())
}

/// Setup: reserved, jobs in parallel in both directions, length of a PDU.
fn setup(mut cursor: Cursor<'_>, request: &mut Request, agreed: &str) -> Option<()> {
    cursor.skip(1)?;
    let (calling, called, length) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
    let keys = match agreed {
        "" => ["max_amq_calling", "max_amq_called", "pdu_length"],
        _ => ["agreed_max_amq_calling", "agreed_max_amq_called", "agreed_pdu_length"],
    };
    request.quantity = Some(u64::from(length));
    for (key, value) in keys.into_iter().zip([calling, called, length]) {
        request.detail.number(key, value);
    }
    Some(())
}

/// Adds what an answer says, and gives its status.
///
/// # Errors
/// The rule that the bytes break.
pub fn answer(header: &Header<'_>, request: &mut Request) -> Result<Status, &'static str> {
    let refused = (header.error != 0).then(|| (u32::from(header.error), errors::name(header.error)));
    let mut cursor = Cursor::new(header.parameters);
    match cursor.u8() {
        Some(0x04 | 0x05) if refused.is_none() => results(header, request),
        Some(0xf0) if refused.is_none() => {
            setup(cursor, request, "agreed").ok_or("setup communication cut short")?;
            Ok((0, "success"))
        }
        _ => Ok(refused.unwrap_or((0, "success"))),
    }
}

/// Return codes of the items: a read has data behind each, a write has the codes alone. The status is that of the first item that failed.
fn results(header: &Header<'_>, request: &mut Request) -> Result<Status, &'static str> {
    let Some([function, count, ..]) = header.parameters.first_chunk::<2>() else { return Err("item count missing") };
    let mut cursor = Cursor::new(header.data);
    let mut codes = [0u8; 255];
    let codes = codes.get_mut(..usize::from(*count)).unwrap_or_default();
    for code in codes.iter_mut() {
        *code = match function {
            0x04 => items::next_data(&mut cursor)?.code,
            _ => cursor.u8().ok_or("fewer return codes than announced")?,
        };
    }
    if !request.asked {
        request.detail.number("items", *count);
    } else if u32::from(*count) != request.items {
        request.detail.number("answered_items", *count);
    }
    let Some(failed) = codes.iter().find(|code| **code != 0xff) else { return Ok((0, "success")) };
    request.detail.numbers("results", codes.iter().map(|code| u32::from(*code)));
    // Code 0 is reserved in answers; it must not read as success.
    let status = if *failed == 0 { 0x100 } else { u32::from(*failed) };
    Ok((status, names::return_code(*failed)))
}

/// Follows block transfers: what a successful answer begins, carries on or ends.
pub fn follow(header: &Header<'_>, request: &mut Request, at: At, transfers: &mut Transfers, out: &mut dyn Sink) {
    let function = header.parameters.first().copied().unwrap_or(0);
    let ends = Ends { client: request.client, server: request.server };
    let more = header.parameters.get(1).is_some_and(|status| status & 1 == 1);
    match function {
        0x1a => {
            let id = TransferId::Download(request.object.clone());
            transfers.start(id, &request.object, ends, request.quantity, at, out);
        }
        0x1b => piece(&TransferId::Download(request.object.clone()), header, request, more, at, transfers, out),
        0x1c => transfers.finish(&TransferId::Download(request.object.clone()), true, at, out),
        0x1d => start_upload(header, request, ends, at, transfers, out),
        0x1e => piece(&TransferId::Upload(request.upload), header, request, more, at, transfers, out),
        0x1f => transfers.finish(&TransferId::Upload(request.upload), true, at, out),
        _ => {}
    }
}

fn piece(
    id: &TransferId,
    header: &Header<'_>,
    request: &mut Request,
    more: bool,
    at: At,
    transfers: &mut Transfers,
    out: &mut dyn Sink,
) {
    let ends = Ends { client: request.client, server: request.server };
    let data = piece_of(header.data).unwrap_or_default();
    request.quantity = u64::try_from(data.len()).ok();
    if more {
        request.detail.flag("more", true);
    }
    transfers.piece(id, &request.object, ends, data, more, at, out);
}

/// Answer to the start of an upload: status, reserved, number, length as text with its own length before.
fn start_upload(
    header: &Header<'_>,
    request: &mut Request,
    ends: Ends,
    at: At,
    transfers: &mut Transfers,
    out: &mut dyn Sink,
) {
    let mut cursor = Cursor::new(header.parameters);
    let (Some(()), Some(number)) = (cursor.skip(4), cursor.be32()) else { return };
    let announced = cursor.u8().and_then(|length| cursor.take(usize::from(length))).and_then(digits);
    request.detail.number("upload", number);
    request.quantity = announced;
    let name = request.object.clone();
    transfers.start(TransferId::Upload(number), &name, ends, announced, at, out);
}

/// Tells that a password crossed the wire in a PI service.
pub fn tell_secret(request: &Request, out: &mut dyn Sink) {
    if request.secret.is_some() {
        request.tell_weakness(Weakness::ClearText, "password stands readable in the parameters of a PI service", out);
    }
}
