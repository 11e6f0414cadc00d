//! SMB 2 and 3 messages (MS-SMB2 2.2).

use quaywatch_model::{Direction, Mark, OperationClass, Sink};
use quaywatch_wire::Pdu;

use super::logon2::{negotiate, negotiated, say_host, session_setup, set_up};
use super::names;
use super::smb1::NEGOTIATION;
use super::talk::{Answer, Ask, FileId, RELATED, Talk, Want, weird};
use super::text::utf16;
use crate::bytes::Cursor;

/// Bytes of the header (MS-SMB2 2.2.1).
const HEADER: usize = 64;
/// Commands read of one chain.
const MAX_CHAIN: usize = 64;
const PENDING: u32 = 0x0000_0103;
pub(super) const MORE_PROCESSING: u32 = 0xc000_0016;

struct Header {
    status: u32,
    command: u16,
    flags: u32,
    next: usize,
    message: u64,
    tree: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(bytes);
        c.skip(4)?;
        if c.le16()? != 64 {
            return None;
        }
        c.skip(2)?;
        let (status, command) = (c.le32()?, c.le16()?);
        c.skip(2)?;
        let (flags, next, message) = (c.le32()?, c.le32()?, c.le64()?);
        c.skip(4)?;
        let tree = c.le32()?;
        c.skip(24)?;
        Some(Header { status, command, flags, next: usize::try_from(next).ok()?, message, tree })
    }

    const fn is_reply(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether the message answers later, under another number; the tree field then holds that number.
    const fn is_async(&self) -> bool {
        self.flags & 2 != 0
    }

    const fn is_signed(&self) -> bool {
        self.flags & 8 != 0
    }
}

/// Whether the sender of this message is a server.
pub(super) fn is_reply(message: &[u8]) -> Option<bool> {
    Header::read(message).map(|header| header.is_reply())
}

/// Bytes at an offset counted from the message's start.
pub(super) fn area(part: &[u8], offset: impl Into<u64>, length: impl Into<u64>) -> Option<&[u8]> {
    let start = usize::try_from(offset.into()).ok()?;
    let end = start.checked_add(usize::try_from(length.into()).ok()?)?;
    part.get(start..end)
}

/// Reads a message, which may be a chain of commands.
pub(super) fn message(talk: &mut Talk, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
    let mut rest = bytes;
    let mut chain = Chain::default();
    for _ in 0..MAX_CHAIN {
        let Some(header) = Header::read(rest) else {
            weird(pdu, "smb2_header", "header is cut short or has a wrong size", out);
            return out.mark(Mark::Malformed("SMB 2 header"));
        };
        let end = if header.next == 0 { rest.len() } else { header.next };
        let part = rest.get(..end).unwrap_or(rest);
        let done = match (header.is_reply(), pdu.direction) {
            (false, Direction::FromClient) => request(talk, pdu, &header, part, &mut chain, out),
            (true, Direction::FromServer) => reply(talk, pdu, &header, part, &mut chain, out),
            _ => None,
        };
        if done.is_none() {
            weird(pdu, "smb2_body", "a command is shorter than its fields need, or comes from the wrong end", out);
            out.mark(Mark::Malformed("SMB 2 command"));
        }
        match rest.get(header.next..) {
            Some(next) if header.next >= HEADER && !next.is_empty() => rest = next,
            _ => return,
        }
    }
}

/// What later commands of a chain take from those before.
#[derive(Default)]
struct Chain {
    object: String,
    tree: u32,
    file: Option<FileId>,
}

fn file_id(c: &mut Cursor<'_>) -> Option<FileId> {
    c.take(16)?.first_chunk().copied()
}

fn request(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    part: &[u8],
    chain: &mut Chain,
    out: &mut dyn Sink,
) -> Option<()> {
    // A cancel has no answer; an acknowledged oplock says nothing.
    if header.command == 12 {
        return Some(());
    }
    let mut ask = Ask::new(pdu.at, header.command, names::smb2(header.command));
    ask.tree = if header.flags & 4 != 0 && header.tree == u32::MAX { chain.tree } else { header.tree };
    chain.tree = ask.tree;
    let mut c = Cursor::new(part.get(HEADER..)?);
    let read = fill(talk, pdu, header.command, part, &mut c, &mut ask, out);
    if ask.file == Some(RELATED) {
        ask.object.clone_from(&chain.object);
    } else if let Some(name) = ask.file.and_then(|id| talk.file_name(id)).filter(|_| ask.object.is_empty()) {
        name.clone_into(&mut ask.object);
    }
    chain.object.clone_from(&ask.object);
    if let Some(path) = talk.tree(ask.tree).filter(|_| header.command > 3) {
        ask.detail.text("share", path);
    }
    if header.is_signed() && talk.claims.first("signed") {
        ask.detail.flag("signed", true);
    }
    talk.ask(pdu, header.message, ask, out);
    read
}

/// Reads a request's body into `ask`.
fn fill(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    command: u16,
    part: &[u8],
    c: &mut Cursor<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    // The structure size opens every body.
    c.skip(2)?;
    match command {
        0 => negotiate(c, ask),
        1 => session_setup(talk, pdu, part, c, ask, out),
        3 => {
            c.skip(2)?;
            let (offset, length) = (c.le16()?, c.le16()?);
            ask.want = Want::TreeConnect;
            ask.object = utf16(area(part, offset, length)?);
            Some(())
        }
        5 => create(part, c, ask),
        6 => {
            c.skip(6)?;
            ask.want = Want::Close;
            ask.file = Some(file_id(c)?);
            Some(())
        }
        7 => {
            c.skip(6)?;
            ask.file = Some(file_id(c)?);
            Some(())
        }
        8 => {
            c.skip(2)?;
            let length = c.le32()?;
            c.skip(8)?;
            ask.want = Want::Read;
            ask.quantity = Some(length.into());
            ask.file = Some(file_id(c)?);
            Some(())
        }
        9 => write(talk, pdu, part, c, ask, out),
        10 => {
            ask.quantity = Some(c.le16()?.into());
            c.skip(4)?;
            ask.file = Some(file_id(c)?);
            Some(())
        }
        11 => ioctl(talk, pdu, part, c, ask, out),
        14 => {
            c.skip(6)?;
            ask.file = Some(file_id(c)?);
            let (offset, length) = (c.le16()?, c.le16()?);
            ask.detail.text("pattern", utf16(area(part, offset, length)?));
            Some(())
        }
        15 => {
            c.skip(6)?;
            ask.file = Some(file_id(c)?);
            Some(())
        }
        16 => {
            let (kind, class) = (c.u8()?, c.u8()?);
            ask.detail.number("info_type", kind);
            ask.detail.number("info_class", class);
            c.skip(20)?;
            ask.file = Some(file_id(c)?);
            Some(())
        }
        17 => set_info(part, c, ask),
        _ => Some(()),
    }
}

/// Access that changes a file: write, append, delete, change its rights or owner (MS-SMB2 2.2.13.1.1).
const WRITING: u32 = 0x500d_0156;
/// `FILE_DELETE_ON_CLOSE`.
const DELETE_ON_CLOSE: u32 = 0x0000_1000;

fn create(part: &[u8], c: &mut Cursor<'_>, ask: &mut Ask) -> Option<()> {
    c.skip(22)?;
    let access = c.le32()?;
    c.skip(8)?;
    let (disposition, options) = (c.le32()?, c.le32()?);
    let (offset, length) = (c.le16()?, c.le16()?);
    ask.want = Want::Create;
    ask.object = utf16(area(part, offset, length)?);
    if access & WRITING != 0 {
        ask.detail.flag("write_access", true);
    }
    if options & DELETE_ON_CLOSE != 0 {
        ask.detail.flag("delete_on_close", true);
        ask.class = OperationClass::Write;
    }
    if matches!(disposition, 0 | 2 | 4 | 5) {
        ask.class = OperationClass::Write;
    }
    if let Some(wish) = match disposition {
        0 => Some("supersede"),
        2 => Some("create"),
        3 => Some("open-or-create"),
        4 => Some("overwrite"),
        5 => Some("overwrite-or-create"),
        _ => None,
    } {
        ask.detail.text("disposition", wish);
    }
    Some(())
}

fn write(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    part: &[u8],
    c: &mut Cursor<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let (offset, length) = (c.le16()?, c.le32()?);
    c.skip(8)?;
    let file = file_id(c)?;
    ask.want = Want::Write;
    ask.quantity = Some(length.into());
    ask.file = Some(file);
    if let Some(data) = area(part, offset, length) {
        pipe(talk, pdu, file, data, ask, out);
    }
    Some(())
}

/// Hands bytes of a pipe on. A pipe's write is no write to a file.
fn pipe(talk: &mut Talk, pdu: &Pdu<'_>, file: FileId, data: &[u8], ask: &mut Ask, out: &mut dyn Sink) {
    if talk.pipe(pdu, file, data, out) {
        ask.class = OperationClass::Session;
    }
}

fn ioctl(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    part: &[u8],
    c: &mut Cursor<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    c.skip(2)?;
    let code = c.le32()?;
    let file = file_id(c)?;
    let (offset, length) = (c.le32()?, c.le32()?);
    ask.detail.text("control", names::fsctl(code));
    ask.detail.text("control_code", format_args!("0x{code:08x}"));
    // All ones also stands for "no file" here.
    ask.file = (file != RELATED).then_some(file);
    ask.quantity = Some(length.into());
    if names::fsctl(code) == "pipe-transceive" {
        ask.want = Want::Transceive;
        if let Some(data) = area(part, offset, length) {
            talk.pipe(pdu, file, data, out);
        }
    }
    Some(())
}

/// Rename, deletion and other changes (MS-FSCC 2.4).
fn set_info(part: &[u8], c: &mut Cursor<'_>, ask: &mut Ask) -> Option<()> {
    let (kind, class) = (c.u8()?, c.u8()?);
    let length = c.le32()?;
    let offset = c.le16()?;
    c.skip(6)?;
    ask.file = Some(file_id(c)?);
    ask.detail.number("info_type", kind);
    ask.detail.number("info_class", class);
    let mut data = Cursor::new(area(part, offset, length)?);
    match (kind, class) {
        (1, 10) => {
            data.skip(16)?;
            let length = usize::try_from(data.le32()?).ok()?;
            ask.detail.text("new_name", utf16(data.take(length)?));
            ask.name = "rename";
        }
        (1, 13 | 64) if data.u8()? & 1 != 0 => ask.name = "delete",
        (3, _) => {
            ask.name = "set-security";
            ask.class = OperationClass::Configure;
        }
        _ => {}
    }
    Some(())
}

fn reply(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    part: &[u8],
    chain: &mut Chain,
    out: &mut dyn Sink,
) -> Option<()> {
    // Still at work; a notification that a cached file is wanted by another.
    if header.status == PENDING && header.is_async() || header.message == u64::MAX {
        return Some(());
    }
    let mut c = Cursor::new(part.get(HEADER..)?);
    let asked = talk.waiting.answer_where(&header.message, |ask| ask.code == header.command);
    // A negotiation that began as SMB 1 is answered in SMB 2.
    let begun = if header.command == 0 && asked.is_none() { talk.waiting.answer(&NEGOTIATION) } else { None };
    let Some(mut ask) = asked.or(begun) else {
        return unasked(talk, pdu, header, part, &mut c, out);
    };
    if ask.file == Some(RELATED) {
        ask.file = chain.file;
    }
    let read = settle(talk, pdu, header, part, &mut c, &mut ask, chain, out);
    let answer = Answer { at: pdu.at, status: header.status, status_name: names::status(header.status) };
    talk.tell(pdu.flow, &ask, Some(answer), out);
    // An error has a body of its own, whose content adds nothing.
    if header.status == 0 || header.status == MORE_PROCESSING { read } else { Some(()) }
}

/// A reply whose request was not captured: the negotiation still tells the dialect.
fn unasked(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    part: &[u8],
    c: &mut Cursor<'_>,
    out: &mut dyn Sink,
) -> Option<()> {
    if header.command != 0 || header.status != 0 {
        return Some(());
    }
    let mut ask = Ask::new(pdu.at, 0, names::smb2(0));
    negotiated(talk, pdu, part, c, &mut ask, out)
}

#[expect(clippy::too_many_arguments, reason = "one reply with all it touches")]
fn settle(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    part: &[u8],
    c: &mut Cursor<'_>,
    ask: &mut Ask,
    chain: &mut Chain,
    out: &mut dyn Sink,
) -> Option<()> {
    let success = header.status == 0;
    match ask.want {
        Want::Negotiate if success => negotiated(talk, pdu, part, c, ask, out),
        Want::SessionSetup => set_up(talk, pdu, header.status, part, c, ask, out),
        Want::TreeConnect if success => {
            c.skip(2)?;
            let (kind, _, flags) = (c.u8()?, c.u8()?, c.le32()?);
            ask.detail.text("share_type", names::share(kind));
            if flags & 0x8000 != 0 {
                ask.detail.flag("encrypted", true);
            }
            if super::is_admin_share(&ask.object) {
                ask.detail.flag("admin_share", true);
            }
            say_host(talk, pdu, &ask.object, out);
            talk.open_tree(header.tree, &ask.object);
            Some(())
        }
        Want::Create if success => {
            c.skip(4)?;
            let action = c.le32()?;
            c.skip(40)?;
            ask.quantity = Some(c.le64()?);
            c.skip(8)?;
            let file = file_id(c)?;
            created(talk, ask, action, file);
            chain.file = Some(file);
            Some(())
        }
        Want::Close if success => {
            if let Some(file) = ask.file.and_then(|id| talk.close_file(pdu, id, out)) {
                file.describe(&mut ask.detail);
            }
            Some(())
        }
        Want::Read if success => {
            c.skip(2)?;
            let offset = c.u8()?;
            c.skip(1)?;
            let length = c.le32()?;
            ask.quantity = Some(length.into());
            let id = ask.file?;
            if let Some(file) = talk.file(id) {
                file.reads = file.reads.saturating_add(1);
                file.bytes_read = file.bytes_read.saturating_add(length.into());
            }
            if let Some(data) = area(part, offset, length) {
                pipe(talk, pdu, id, data, ask, out);
            }
            Some(())
        }
        Want::Write if success => {
            c.skip(4)?;
            let length = c.le32()?;
            if let Some(file) = ask.file.and_then(|id| talk.file(id)) {
                file.writes = file.writes.saturating_add(1);
                file.bytes_written = file.bytes_written.saturating_add(length.into());
            }
            Some(())
        }
        Want::Transceive if success => {
            c.skip(6)?;
            let file = file_id(c)?;
            c.skip(8)?;
            let (offset, length) = (c.le32()?, c.le32()?);
            if let Some(data) = area(part, offset, length) {
                talk.pipe(pdu, file, data, out);
            }
            Some(())
        }
        _ => {
            if success && ask.code == 4 {
                talk.trees.retain(|(id, _)| *id != header.tree);
            }
            Some(())
        }
    }
}

fn created(talk: &mut Talk, ask: &mut Ask, action: u32, file: FileId) {
    let told = match action {
        0 => "superseded",
        1 => "opened",
        2 => "created",
        3 => "overwritten",
        _ => "unknown",
    };
    ask.detail.text("action", told);
    let is_pipe = talk.tree(ask.tree).is_some_and(|path| path.to_ascii_uppercase().ends_with("IPC$"));
    if is_pipe {
        ask.class = OperationClass::Session;
    } else if matches!(action, 0 | 2 | 3) {
        ask.class = OperationClass::Write;
    }
    talk.open_file(file, &ask.object, is_pipe);
}
