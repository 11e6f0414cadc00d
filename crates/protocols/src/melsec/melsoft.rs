//! MELSOFT connection: what GX Works and HMIs speak with a MELSEC controller. There is no public document of it.
//!
//! Decoded is what the captures and the published SLMP commands of like number show: framing, pairing, type name, remote stop,
//! files. Everything else is told by its number.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Program, Sink, Transfer,
    Transport,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};
use sha2::{Digest, Sha256};

use super::names;
use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "melsoft";
/// Bytes before what the length counts.
const HEADER: usize = 21;
/// Longest frame that is read.
pub const FRAME_LIMIT: usize = 8 * 1024;
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 64;
/// Files open at the same time.
pub const FILE_LIMIT: usize = 16;
/// Bytes of a command in which a file name is looked for, and of a name.
const NAME_WINDOW: usize = 32;
const NAME_LIMIT: usize = 256;

/// The registry entry.
pub struct Melsoft;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "MELSOFT connection",
    tcp: &[5007, 5562],
    udp: &[5006, 5560],
    ethertypes: &[],
    spec: "No public document; framing from captures, commands by like numbers of SH-080008",
    found: "Engineering stations (GX Works) and HMIs that are connected to Mitsubishi controllers",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Framing, pairing, type name, remote run and stop, files read and written. Addresses of reads and writes, and \
            other commands, are told by their number only.",
};

/// Length of the frame at the front of a stream.
fn frame_length(bytes: &[u8]) -> Length {
    match bytes {
        [0x57 | 0xd7, 0 | 1, _, _, _, 0x11, 0x11, ..] => {
            let mut c = Cursor::new(bytes);
            match c.skip(HEADER - 2).and_then(|()| c.le16()) {
                Some(length) => Length::Whole(HEADER.saturating_add(usize::from(length))),
                None => Length::NeedMore,
            }
        }
        [0x57 | 0xd7, rest @ ..] if rest.len() < 6 => {
            // So far nothing contradicts: transport, three bytes of any value, 11 11.
            let fits = rest.first().is_none_or(|byte| *byte <= 1) && rest.iter().skip(4).all(|byte| *byte == 0x11);
            if fits { Length::NeedMore } else { Length::Invalid }
        }
        _ => Length::Invalid,
    }
}

/// A command or its reply.
#[derive(Clone, Copy, Debug)]
struct Message<'a> {
    reply: bool,
    command: u16,
    sequence: u16,
    /// Two bytes in front of a reply's command: zero in every reply seen.
    status: u16,
    data: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(frame: &'a [u8]) -> Option<Self> {
        let mut c = Cursor::new(frame);
        let reply = c.u8()? == 0xd7;
        c.skip(HEADER - 1)?;
        let (kind, _, _, routing) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
        if kind != if reply { 0x9c } else { 0x1c } {
            return None;
        }
        c.skip(usize::from(routing))?;
        let status = if reply { c.le16()? } else { 0 };
        let (command, sequence) = (c.be16()?, c.le16()?);
        c.skip(2)?;
        Some(Message { reply, command, sequence, status, data: c.rest() })
    }
}

impl Protocol for Melsoft {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let datagram = match pdu.flow.transport {
            Transport::Tcp => false,
            Transport::Udp => true,
            _ => return Probe::No,
        };
        match (frame_length(pdu.data), pdu.data) {
            (Length::Whole(whole), data) if !datagram || whole == data.len() => match Message::read(data) {
                Some(message) if message.reply => Probe::YesFromServer,
                Some(_) => Probe::Yes,
                None if data.len() < HEADER + 4 => Probe::Unsure,
                None => Probe::No,
            },
            (Length::NeedMore, data) if !datagram && data.len() > 2 => Probe::Unsure,
            // Four bytes prove nothing; the usual port decides.
            (_, [0x5a, 0, 0, _]) if datagram => Probe::Unsure,
            (_, [0xda, 0, 0, _, rest @ ..]) if datagram && matches!(rest.len(), 10 | 24) => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(MelsoftFlow {
            from_client: Framer::new(FRAME_LIMIT),
            from_server: Framer::new(FRAME_LIMIT),
            talk: Talk {
                waiting: Pairing::new(WAITING_LIMIT),
                files: Vec::new(),
                claims: Claims::default(),
                detail: DetailJson::default(),
                line: String::new(),
            },
        })
    }
}

/// What a reply is found by: who asked, command, sequence number. Connection set-up has 0x5a00 and its kind.
type Key = (Direction, u16, u16);

#[derive(Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    command: u16,
    sequence: u16,
    object: String,
    quantity: Option<u64>,
    /// Handle of the file meant; offset of the part.
    file: Option<(u16, u32)>,
    /// Data of a file written, digested only once the controller took it.
    written: Vec<u8>,
}

/// A file that moves; only its digest and size are kept.
#[derive(Debug)]
struct Moving {
    handle: u16,
    name: String,
    at: At,
    ends: (Endpoint, Endpoint),
    way: Option<Transfer>,
    digest: Sha256,
    size: u64,
    unbroken: bool,
}

struct MelsoftFlow {
    from_client: Framer,
    from_server: Framer,
    talk: Talk,
}

struct Talk {
    waiting: Pairing<Key, Ask>,
    files: Vec<Moving>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for MelsoftFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let MelsoftFlow { from_client, from_server, talk } = self;
        if pdu.flow.transport == Transport::Udp {
            match (frame_length(pdu.data), pdu.data) {
                (_, [kind @ (0x5a | 0xda), _, _, which, rest @ ..]) => talk.set_up(pdu, *kind, *which, rest, out),
                (Length::Whole(whole), data) if whole == data.len() => talk.frame(pdu, data, out),
                _ => malformed_if_whole(
                    PROTOCOL,
                    pdu,
                    "melsoft_length_mismatch",
                    "datagram does not have the length it says",
                    out,
                ),
            }
            return;
        }
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        if framer.push(pdu.data, frame_length, |frame| talk.frame(pdu, frame, out)).is_err() {
            framer.reset();
            malformed_if_whole(PROTOCOL, pdu, "melsoft_frame", "not the front of a MELSOFT frame, or too long", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        let framer = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        framer.reset();
        self.talk.files.iter_mut().for_each(|file| file.unbroken = false);
        self.talk.give_up(out);
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
        for file in std::mem::take(&mut self.talk.files) {
            file.tell(false, out);
        }
    }
}

impl Talk {
    /// Datagrams 5a and da open a connection over UDP.
    fn set_up(&mut self, pdu: &Pdu<'_>, kind: u8, which: u8, _rest: &[u8], out: &mut dyn Sink) {
        let sequence = u16::from(which);
        if kind == 0xda {
            let ask = self.waiting.answer(&(pdu.direction.reverse(), 0x5a00, sequence));
            return self.tell(ask.as_ref(), Some((pdu, 0x5a00, 0)), out);
        }
        let ask = Ask {
            at: pdu.at,
            ends: (pdu.sender(), pdu.receiver()),
            command: 0x5a00,
            sequence,
            object: String::new(),
            quantity: None,
            file: None,
            written: Vec::new(),
        };
        if let Some(lost) = self.waiting.ask((pdu.direction, 0x5a00, sequence), ask) {
            self.tell(Some(&lost), None, out);
        }
    }

    fn frame(&mut self, pdu: &Pdu<'_>, frame: &[u8], out: &mut dyn Sink) {
        let Some(message) = Message::read(frame) else {
            return malformed_if_whole(PROTOCOL, pdu, "melsoft_short", "frame holds no command", out);
        };
        if names::melsoft(message.command).is_none() {
            out.mark(Mark::Undecoded("undocumented MELSOFT command"));
        }
        if message.reply { self.reply(pdu, &message, out) } else { self.request(pdu, &message, out) }
    }

    fn request(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let mut ask = Ask {
            at: pdu.at,
            ends: (pdu.sender(), pdu.receiver()),
            command: message.command,
            sequence: message.sequence,
            object: file_name(message.data).unwrap_or_default(),
            quantity: None,
            file: None,
            written: Vec::new(),
        };
        if matches!(message.command, 0x1868..=0x186a) {
            self.file_part(&mut ask, message);
        }
        if let Some(lost) = self.waiting.ask((pdu.direction, message.command, message.sequence), ask) {
            self.tell(Some(&lost), None, out);
        }
    }

    /// Handle, offset, size, and of a write the data.
    fn file_part(&self, ask: &mut Ask, message: &Message<'_>) {
        let mut c = Cursor::new(message.data);
        let Some(handle) = c.le16() else { return };
        ask.file = Some((handle, 0));
        if let Some(file) = self.files.iter().find(|file| file.handle == handle) {
            ask.object.clone_from(&file.name);
        }
        if let (0x1868 | 0x1869, Some(offset), Some(size)) = (message.command, c.le32(), c.le16()) {
            ask.file = Some((handle, offset));
            ask.quantity = Some(u64::from(size));
            if message.command == 0x1869 {
                ask.written.extend_from_slice(c.take(usize::from(size)).unwrap_or(c.rest()));
            }
        }
    }

    fn reply(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let ask = self.waiting.answer(&(pdu.direction.reverse(), message.command, message.sequence));
        self.tell(ask.as_ref(), Some((pdu, message.command, message.status)), out);
        if message.status != 0 {
            return;
        }
        if message.command == 0x0121 {
            self.type_name(pdu, message.data, out);
        }
        if let Some(ask) = ask {
            self.file(pdu, &ask, message.data, out);
        }
    }

    /// Sixteen characters and the number of the type, as in the reply to SLMP's command 0101.
    fn type_name(&mut self, pdu: &Pdu<'_>, data: &[u8], out: &mut dyn Sink) {
        let Some(model) = data.get(..16).and_then(device_text) else { return };
        let subject = pdu.sender().address;
        self.claims.identify(out, pdu.at, subject, (Attribute::Vendor, "Mitsubishi Electric", "melsoft type name"));
        self.claims.identify(out, pdu.at, subject, (Attribute::Model, &model, "melsoft type name"));
    }

    /// What a reply says of a file: its handle, its data, its end.
    fn file(&mut self, pdu: &Pdu<'_>, ask: &Ask, data: &[u8], out: &mut dyn Sink) {
        let mut c = Cursor::new(data);
        if ask.command == 0x1867 {
            let Some(handle) = c.le16() else { return };
            self.close_file(handle, false, out);
            if self.files.len() < FILE_LIMIT {
                self.files.push(Moving {
                    handle,
                    name: ask.object.clone(),
                    at: pdu.at,
                    ends: ask.ends,
                    way: None,
                    digest: Sha256::new(),
                    size: 0,
                    unbroken: true,
                });
            }
            return;
        }
        let Some((handle, offset)) = ask.file else { return };
        let part = match ask.command {
            0x1868 => c.le16().and_then(|size| c.take(usize::from(size))).map(|part| (Transfer::Upload, part)),
            0x1869 => Some((Transfer::Download, ask.written.as_slice())),
            0x186a => return self.close_file(handle, true, out),
            _ => None,
        };
        let file = self.files.iter_mut().find(|file| file.handle == handle);
        if let (Some(file), Some((way, part))) = (file, part) {
            file.take(pdu.at, way, offset, part);
        }
    }

    fn close_file(&mut self, handle: u16, finished: bool, out: &mut dyn Sink) {
        if let Some(at) = self.files.iter().position(|file| file.handle == handle) {
            self.files.swap_remove(at).tell(finished, out);
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.tell(Some(ask), None, out);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, answer: Option<(&Pdu<'_>, u16, u16)>, out: &mut dyn Sink) {
        let Some(at) = answer.map(|(pdu, ..)| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let Some((client, server)) = ask.map(|ask| ask.ends).or(answer.map(|(pdu, ..)| (pdu.receiver(), pdu.sender())))
        else {
            return;
        };
        let Some(command) = ask.map(|ask| ask.command).or(answer.map(|(_, command, _)| command)) else { return };
        let (name, class) = match command {
            0x5a00 => ("connection set-up", OperationClass::Session),
            _ => names::melsoft(command).unwrap_or(("undocumented command", OperationClass::Diagnose)),
        };
        self.detail.clear();
        if let Some(ask) = ask {
            self.detail.number("sequence", ask.sequence);
            if let Some((handle, offset)) = ask.file {
                self.detail.number("handle", handle);
                self.detail.number("offset", offset);
            }
        }
        let status = answer.map(|(.., status)| status);
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: None,
                code: u32::from(command),
                name,
                class,
                object: ask.map_or("", |ask| ask.object.as_str()),
                quantity: ask.and_then(|ask| ask.quantity),
                status: status.map(u32::from),
                status_name: match status {
                    None => "",
                    Some(0) => "ok",
                    Some(_) => "error",
                },
                latency: ask.zip(answer).map(|(ask, (pdu, ..))| pdu.at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|(pdu, ..)| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

impl Moving {
    fn take(&mut self, at: At, way: Transfer, offset: u32, part: &[u8]) {
        self.at = at;
        self.unbroken &= u64::from(offset) == self.size && self.way.is_none_or(|before| before == way);
        self.way = self.way.or(Some(way));
        self.digest.update(part);
        self.size = self.size.saturating_add(part.len() as u64);
    }

    /// A file that was opened and closed without data is no transfer.
    fn tell(self, finished: bool, out: &mut dyn Sink) {
        let Some(transfer) = self.way else { return };
        out.emit(
            self.at,
            Observation::Program(Program {
                client: self.ends.0,
                server: self.ends.1,
                protocol: PROTOCOL,
                transfer,
                name: &self.name,
                size: self.size,
                sha256: (self.size > 0).then(|| self.digest.finalize().into()),
                complete: finished && self.unbroken,
            }),
        );
    }
}

/// A file name near the front of a command: its length in bytes, then UTF-16 that begins with `$`, e.g. `$MELPRJ$\MAIN.PRG`.
fn file_name(data: &[u8]) -> Option<String> {
    let front = data.get(..data.len().min(NAME_WINDOW))?;
    let at = front.windows(2).position(|pair| pair == [b'$', 0])?;
    let length = usize::from(Cursor::new(data.get(at.checked_sub(2)?..)?).le16()?);
    if length % 2 != 0 || length > NAME_LIMIT {
        return None;
    }
    let name = data.get(at..at.checked_add(length)?)?;
    let mut text = String::new();
    for unit in name.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>()) {
        match u16::from_le_bytes(*unit) {
            0 => break,
            unit => {
                // Writing to a string cannot fail.
                let _ = text.write_char(char::from_u32(u32::from(unit)).filter(|c| !c.is_control()).unwrap_or('?'));
            }
        }
    }
    Some(text)
}
