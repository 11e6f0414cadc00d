//! Transactions of SMB 1: named pipes, remote administration, and file queries (MS-CIFS 2.2.4.33, 2.2.4.46, 2.2.4.62).

use quaywatch_model::{OperationClass, Sink};
use quaywatch_wire::Pdu;

use super::names;
use super::smb1::{Block, Header, file_of};
use super::talk::{Ask, Talk, Want, weird};
use super::text::Strings;
use crate::bytes::Cursor;

fn area(message: &[u8], offset: u16, count: u16) -> &[u8] {
    let start = usize::from(offset);
    message.get(start..start.saturating_add(count.into())).unwrap_or_default()
}

/// Transaction on a pipe or mail slot; transaction2 on files. Both have the same words.
pub(super) fn request(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    message: &[u8],
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let mut c = Cursor::new(block.words);
    c.skip(18)?;
    let (parameters, parameters_at) = (c.le16()?, c.le16()?);
    let (data, data_at) = (c.le16()?, c.le16()?);
    let setup_count = c.u8()?;
    c.skip(1)?;
    let setup = if setup_count > 0 { c.le16() } else { None };
    let second = c.le16();
    let parameters = area(message, parameters_at, parameters);
    ask.want = Want::Transceive;
    if block.command == 0x32 {
        return transaction2(pdu, header, setup?, parameters, ask, out);
    }
    let mut strings = Strings::new(block.bytes, block.bytes_at, header.unicode());
    ask.object = strings.next();
    if ask.object.to_ascii_uppercase().starts_with("\\PIPE\\LANMAN") {
        if let Some(code) = Cursor::new(parameters).le16() {
            let (name, class) = names::rap(code);
            ask.detail.number("rap_code", code);
            (ask.name, ask.class) = (name, class);
        }
        return Some(());
    }
    if let (Some(code), Some(fid)) = (setup, second) {
        ask.detail.text("pipe_function", names::pipe(code));
        let file = file_of(fid);
        ask.file = Some(file);
        if let Some(name) = talk.file_name(file) {
            name.clone_into(&mut ask.object);
        }
        talk.pipe(pdu, file, area(message, data_at, data), out);
    }
    Some(())
}

fn transaction2(
    pdu: &Pdu<'_>,
    header: &Header,
    code: u16,
    parameters: &[u8],
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    (ask.name, ask.class) = names::trans2(code);
    ask.detail.number("subcommand", code);
    if code == 0x0e {
        weird(pdu, "smb_trans2_session_setup", "reserved sub-command 0x0e, which implants answer to", out);
    }
    // Bytes of fixed parameters before the path (MS-CIFS 2.2.6).
    let before = match code {
        0x00 => 28,
        0x01 => 12,
        0x05 | 0x06 => 6,
        0x0d => 4,
        0x10 => 2,
        0x07 | 0x08 => {
            ask.file = Some(file_of(Cursor::new(parameters).le16()?));
            return Some(());
        }
        _ => return Some(()),
    };
    // Parameters are aligned as a whole: no padding lies before the path.
    ask.object = Strings::new(parameters.get(before..)?, 0, header.unicode()).next();
    Some(())
}

/// NT transact: its function, by name.
pub(super) fn nt_request(block: &Block<'_>, ask: &mut Ask) -> Option<()> {
    let mut c = Cursor::new(block.words);
    c.skip(36)?;
    let code = c.le16()?;
    (ask.name, ask.class) = names::nt_transact(code);
    ask.detail.number("subcommand", code);
    if matches!(ask.class, OperationClass::Control) {
        ask.detail.text("control", names::fsctl(c.le32()?));
    }
    Some(())
}

/// The reply's data goes to the pipe that was asked.
pub(super) fn reply(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    block: &Block<'_>,
    message: &[u8],
    ask: &Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let file = ask.file?;
    let mut c = Cursor::new(block.words);
    c.skip(12)?;
    let (data, data_at) = (c.le16()?, c.le16()?);
    talk.pipe(pdu, file, area(message, data_at, data), out);
    Some(())
}
