//! SMB 1 messages (MS-CIFS 2.2.3 and 2.2.4; MS-SMB 2.2.4).

use quaywatch_model::{Direction, Mark, OperationClass, Outcome, Sink};
use quaywatch_wire::Pdu;

use super::logon1::{negotiate, negotiated, session_setup, set_up, share_login};
use super::talk::{Answer, Ask, FileId, Talk, Want, weird};
use super::text::Strings;
use super::{logon2, names, transaction};
use crate::bytes::Cursor;
use crate::login::forget;

const HEADER: usize = 32;
/// Commands read of one chain (MS-CIFS 2.2.3.4).
const MAX_CHAIN: usize = 8;
/// Key under which a negotiation waits: SMB 2 may answer it.
pub(super) const NEGOTIATION: u64 = u64::MAX - 1;
pub(super) const MORE_PROCESSING: u32 = 0xc000_0016;
const NO_FURTHER: u8 = 0xff;

pub(super) struct Header {
    command: u8,
    pub(super) status: u32,
    flags: u8,
    flags2: u16,
    tree: u16,
    process: u16,
    multiplex: u16,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(bytes);
        c.skip(4)?;
        let (command, status, flags, flags2) = (c.u8()?, c.le32()?, c.u8()?, c.le16()?);
        c.skip(12)?;
        let (tree, process) = (c.le16()?, c.le16()?);
        c.skip(2)?;
        Some(Header { command, status, flags, flags2, tree, process, multiplex: c.le16()? })
    }

    pub(super) const fn unicode(&self) -> bool {
        self.flags2 & 0x8000 != 0
    }

    /// Status and its name: NT status, or class and code of older servers with the class in the upper half.
    pub(super) const fn status(&self) -> (u32, &'static str) {
        if self.flags2 & 0x4000 != 0 || self.status == 0 {
            return (self.status, names::status(self.status));
        }
        let code = (self.status & 0xff) << 16 | self.status >> 16;
        (code, names::dos_status(code))
    }

    fn key(&self, command: u8) -> u64 {
        if command == 0x72 {
            return NEGOTIATION;
        }
        1 << 40 | u64::from(self.process) << 16 | u64::from(self.multiplex)
    }
}

/// Parameter words and data bytes of one command.
pub(super) struct Block<'a> {
    pub(super) command: u8,
    pub(super) words: &'a [u8],
    pub(super) bytes: &'a [u8],
    /// Where `bytes` starts in the message.
    pub(super) bytes_at: usize,
}

impl<'a> Block<'a> {
    fn read(message: &'a [u8], command: u8, at: usize) -> Option<Self> {
        let mut c = Cursor::new(message.get(at..)?);
        let words = usize::from(c.u8()?).saturating_mul(2);
        let words = c.take(words)?;
        let count = usize::from(c.le16().unwrap_or(0));
        let bytes_at = at.saturating_add(words.len()).saturating_add(3);
        // Large writes overflow the count; file data may be cut by the stream.
        let bytes = c.rest().get(..count).unwrap_or(c.rest());
        Some(Block { command, words, bytes, bytes_at })
    }

    /// The next command of a chain and where it lies.
    fn next(&self) -> Option<(u8, usize)> {
        let chains = matches!(self.command, 0x24 | 0x2d..=0x2f | 0x73..=0x75 | 0xa2);
        match self.words {
            [command, _, low, high, ..] if chains => Some((*command, u16::from_le_bytes([*low, *high]).into())),
            _ => None,
        }
    }
}

/// A handle of two bytes in the place of SMB 2's sixteen.
pub(super) fn file_of(fid: u16) -> FileId {
    let mut id = [0; 16];
    if let Some(start) = id.first_chunk_mut() {
        *start = fid.to_le_bytes();
    }
    id
}

/// Reads a message with all its chained commands.
pub(super) fn message(talk: &mut Talk, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
    let Some(header) = Header::read(message) else { return malformed(pdu, "header is cut short", out) };
    let is_reply = header.flags & 0x80 != 0;
    if is_reply != (pdu.direction == Direction::FromServer) {
        return malformed(pdu, "a reply comes from the client, or a request from the server", out);
    }
    let (mut command, mut at) = (header.command, HEADER);
    for _ in 0..MAX_CHAIN {
        let read = Block::read(message, command, at);
        // Some servers end an error behind the header.
        let bare = is_reply && header.status != 0;
        let empty = Block { command, words: &[], bytes: &[], bytes_at: message.len() };
        let Some(block) = read.or(bare.then_some(empty)) else {
            return malformed(pdu, "parameter words are cut short", out);
        };
        let next = block.next();
        let end = next.is_some_and(|(next, _)| next == NO_FURTHER);
        let done = if is_reply {
            reply(talk, pdu, &header, &block, message, end, out)
        } else {
            request(talk, pdu, &header, &block, message, end, out)
        };
        if done.is_none() {
            malformed(pdu, "a command is shorter than its fields need", out);
        }
        match next {
            Some((next, offset)) if next != NO_FURTHER && offset > at => (command, at) = (next, offset),
            _ => return,
        }
    }
}

fn malformed(pdu: &Pdu<'_>, reason: &'static str, out: &mut dyn Sink) {
    weird(pdu, "smb1_malformed", reason, out);
    out.mark(Mark::Malformed("SMB 1 message"));
}

fn request(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    message: &[u8],
    end: bool,
    out: &mut dyn Sink,
) -> Option<()> {
    // A cancel is never answered.
    if block.command == 0xa4 {
        return Some(());
    }
    let mut ask = Ask::new(pdu.at, block.command.into(), names::smb1(block.command));
    ask.tree = header.tree.into();
    ask.detail.number("smb", 1);
    if end {
        ask.detail.number("next_command", NO_FURTHER);
    }
    let read = fill(talk, pdu, header, block, message, &mut ask, out);
    if ask.object.is_empty()
        && let Some(name) = ask.file.and_then(|id| talk.file_name(id))
    {
        name.clone_into(&mut ask.object);
    }
    if let Some(path) = talk.tree(ask.tree).filter(|_| !matches!(block.command, 0x70..=0x75)) {
        ask.detail.text("share", path);
    }
    talk.ask(pdu, header.key(block.command), ask, out);
    read
}

fn fill(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    message: &[u8],
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let mut c = Cursor::new(block.words);
    let mut strings = Strings::new(block.bytes, block.bytes_at, header.unicode());
    match block.command {
        0x72 => negotiate(talk, block, ask),
        0x73 => session_setup(talk, pdu, header, block, ask, out),
        0x75 => {
            c.skip(6)?;
            let length = usize::from(c.le16()?);
            let secret = block.bytes.get(..length)?;
            let rest = block.bytes.get(length..)?;
            let mut strings = Strings::new(rest, block.bytes_at.saturating_add(length), header.unicode());
            ask.want = Want::TreeConnect;
            ask.object = strings.next();
            ask.detail.text("service", strings.next_oem());
            // A challenged share password has 24 bytes; none has at most its zero.
            if talk.challenged == Some(false) && length > 1 {
                ask.login = Some(share_login(secret));
            }
            Some(())
        }
        0x70 => {
            strings.format(4);
            ask.object = strings.next();
            strings.format(4);
            ask.want = Want::TreeConnect;
            // The core protocol's share password is never challenged.
            let mut secret = strings.next_oem().into_bytes();
            if !secret.is_empty() {
                ask.login = Some(share_login(&secret));
            }
            forget(&mut secret);
            Some(())
        }
        0x00 | 0x01 | 0x06 | 0x10 | 0x02 | 0x03 | 0x0f | 0x08 | 0x09 => {
            strings.format(4);
            ask.object = strings.next();
            if matches!(block.command, 0x02 | 0x03 | 0x0f) {
                ask.want = Want::Create;
            }
            Some(())
        }
        0x07 | 0xa5 => {
            strings.format(4);
            ask.object = strings.next();
            strings.format(4);
            ask.detail.text("new_name", strings.next());
            Some(())
        }
        0x2d => {
            c.skip(16)?;
            let mode = c.le16()?;
            ask.object = strings.next();
            if mode & 0x12 != 0 {
                ask.class = OperationClass::Write;
            }
            ask.want = Want::Create;
            Some(())
        }
        0xa2 => {
            c.skip(35)?;
            let disposition = c.le32()?;
            let options = c.le32()?;
            ask.object = strings.next();
            if options & 0x1000 != 0 || matches!(disposition, 0 | 2 | 4 | 5) {
                ask.class = OperationClass::Write;
            }
            ask.want = Want::Create;
            Some(())
        }
        0x04 => {
            ask.want = Want::Close;
            ask.file = Some(file_of(c.le16()?));
            Some(())
        }
        0x2e | 0x0a => {
            c.skip(if block.command == 0x2e { 4 } else { 0 })?;
            ask.file = Some(file_of(c.le16()?));
            ask.want = Want::Read;
            Some(())
        }
        0x2f => {
            c.skip(4)?;
            let fid = file_of(c.le16()?);
            c.skip(14)?;
            let (length, at) = (c.le16()?, c.le16()?);
            ask.file = Some(fid);
            ask.want = Want::Write;
            ask.quantity = Some(length.into());
            let start = usize::from(at);
            if let Some(data) = message.get(start..start.saturating_add(length.into()))
                && talk.pipe(pdu, fid, data, out)
            {
                ask.class = OperationClass::Session;
            }
            Some(())
        }
        0x0b => {
            ask.file = Some(file_of(c.le16()?));
            ask.quantity = Some(c.le16()?.into());
            ask.want = Want::Write;
            Some(())
        }
        0x25 | 0x32 => transaction::request(talk, pdu, header, block, message, ask, out),
        0xa0 => transaction::nt_request(block, ask),
        _ => Some(()),
    }
}

fn reply(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    message: &[u8],
    end: bool,
    out: &mut dyn Sink,
) -> Option<()> {
    let code = u16::from(block.command);
    let Some(mut ask) = talk.waiting.answer_where(&header.key(block.command), |ask| ask.code == code) else {
        let mut ask = Ask::new(pdu.at, code, names::smb1(block.command));
        return if block.command == 0x72 { negotiated(talk, pdu, header, block, &mut ask, out) } else { Some(()) };
    };
    if end {
        ask.detail.number("reply_next_command", NO_FURTHER);
    }
    let (status, status_name) = header.status();
    let read = settle(talk, pdu, header, block, message, &mut ask, out);
    talk.tell(pdu.flow, &ask, Some(Answer { at: pdu.at, status, status_name }), out);
    if status != 0 && status != MORE_PROCESSING {
        refuse_chain(talk, pdu, header, Answer { at: pdu.at, status, status_name }, out);
        return Some(());
    }
    read
}

/// What was chained behind a refused command is refused with it.
fn refuse_chain(talk: &mut Talk, pdu: &Pdu<'_>, header: &Header, answer: Answer, out: &mut dyn Sink) {
    while let Some(ask) = talk.waiting.answer(&header.key(header.command)) {
        talk.tell(pdu.flow, &ask, Some(answer), out);
    }
}

fn settle(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    message: &[u8],
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let success = header.status == 0;
    let mut c = Cursor::new(block.words);
    match ask.want {
        Want::Negotiate if success => negotiated(talk, pdu, header, block, ask, out),
        Want::SessionSetup => set_up(talk, pdu, header, block, ask, out),
        Want::TreeConnect if success => {
            if super::is_admin_share(&ask.object) {
                ask.detail.flag("admin_share", true);
            }
            logon2::say_host(talk, pdu, &ask.object, out);
            talk.open_tree(header.tree.into(), &ask.object);
            // The share's own password was right.
            if let Some(login) = &ask.login {
                talk.logged_in(pdu, login, Outcome::Success, false, out);
            }
            Some(())
        }
        Want::TreeConnect => {
            if let Some(login) = &ask.login {
                talk.logged_in(pdu, login, Outcome::Failure, false, out);
            }
            Some(())
        }
        Want::Create if success => {
            c.skip(match block.command {
                0xa2 => 5,
                0x2d => 4,
                _ => 0,
            })?;
            let fid = c.le16()?;
            let is_pipe = talk.tree(ask.tree).is_some_and(|path| path.to_ascii_uppercase().ends_with("IPC$"));
            if is_pipe {
                ask.class = OperationClass::Session;
            }
            talk.open_file(file_of(fid), &ask.object, is_pipe);
            Some(())
        }
        Want::Close if success => {
            if let Some(file) = ask.file.and_then(|id| talk.close_file(pdu, id, out)) {
                file.describe(&mut ask.detail);
            }
            Some(())
        }
        Want::Read if success && block.command == 0x2e => read_andx(talk, pdu, &mut c, message, ask, out),
        Want::Write if success => {
            if let Some(file) = ask.file.and_then(|id| talk.file(id)) {
                file.writes = file.writes.saturating_add(1);
                file.bytes_written = file.bytes_written.saturating_add(ask.quantity.unwrap_or(0));
            }
            Some(())
        }
        Want::Transceive if success => {
            transaction::reply(talk, pdu, block, message, ask, out);
            Some(())
        }
        _ => Some(()),
    }
}

fn read_andx(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    c: &mut Cursor<'_>,
    message: &[u8],
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    c.skip(10)?;
    let (length, at) = (c.le16()?, c.le16()?);
    let id = ask.file?;
    ask.quantity = Some(length.into());
    if let Some(file) = talk.file(id) {
        file.reads = file.reads.saturating_add(1);
        file.bytes_read = file.bytes_read.saturating_add(length.into());
    }
    let start = usize::from(at);
    if let Some(data) = message.get(start..start.saturating_add(length.into()))
        && talk.pipe(pdu, id, data, out)
    {
        ask.class = OperationClass::Session;
    }
    Some(())
}
