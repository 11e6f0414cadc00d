//! SDO over `ASnd` frames and over UDP: sequence layer and command layer (EPSG DS 301 section 6.3).

use std::fmt::Write as _;

use quaywatch_model::{At, Attribute, Direction, Endpoint, OperationClass, Sink};
use quaywatch_wire::Pdu;

use super::{Row, Tell, names};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::object_dictionary as objects;
use crate::pairing::Pairing;

/// Requests of one flow that wait for responses.
pub const WAITING_LIMIT: usize = 32;
/// Key of the opening of a connection; transactions have one byte.
const OPENING: u16 = 0x100;

/// A request; the opening of a connection has no command.
#[derive(Clone, Copy, Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    node: u8,
    command: Option<(u8, u8)>,
    object: Option<(u16, u8)>,
    size: u64,
}

/// The SDO connections of one flow.
pub(super) struct SdoTalk {
    waiting: Pairing<(Direction, u16), Ask>,
    claims: Claims,
}

impl Default for SdoTalk {
    fn default() -> Self {
        SdoTalk { waiting: Pairing::new(WAITING_LIMIT), claims: Claims::default() }
    }
}

/// The command layer.
#[derive(Clone, Copy, Debug)]
struct Command<'a> {
    transaction: u8,
    response: bool,
    abort: bool,
    segmentation: u8,
    id: u8,
    data: &'a [u8],
}

impl<'a> Command<'a> {
    /// `Some(None)` if there is no command: the frame only acknowledges.
    fn read(c: &mut Cursor<'a>) -> Option<Option<Self>> {
        if c.rest().iter().all(|byte| *byte == 0) {
            return Some(None);
        }
        c.skip(1)?;
        let (transaction, flags, id, size) = (c.u8()?, c.u8()?, c.u8()?, c.le16()?);
        c.skip(2)?;
        let segmentation = (flags >> 4) & 3;
        let data = c.take(usize::from(size))?;
        let (response, abort) = (flags & 0x80 != 0, flags & 0x40 != 0);
        Some(Some(Command { transaction, response, abort, segmentation, id, data }))
    }
}

impl SdoTalk {
    pub(super) fn take(
        &mut self,
        pdu: &Pdu<'_>,
        (source, destination): (u8, u8),
        c: &mut Cursor<'_>,
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let (received, sent) = (c.u8()? & 3, c.u8()? & 3);
        c.skip(2)?;
        let ends = (pdu.sender(), pdu.receiver());
        let opening = Ask { at: pdu.at, ends, node: destination, command: None, object: None, size: 0 };
        match (received, sent) {
            (0, 1) => self.wait((pdu.direction, OPENING), opening, tell, out),
            (1, 1) => {
                let ask = self.waiting.answer(&(pdu.direction.reverse(), OPENING));
                connection(ask.as_ref().unwrap_or(&opening), ask.is_some().then_some(pdu.at), "SDO connect", tell, out);
            }
            (0, 0) => connection(&opening, None, "SDO close", tell, out),
            _ => {}
        }
        let Some(command) = Command::read(c)? else { return Some(()) };
        if command.response {
            self.response(pdu, source, &command, tell, out);
            return Some(());
        }
        let mut ask = Ask { command: Some((command.id, command.transaction)), ..opening };
        ask.size = command.data.len() as u64;
        if command.id <= 4 && command.segmentation <= 1 {
            let mut data = Cursor::new(command.data);
            if command.segmentation == 1 {
                ask.size = u64::from(data.le32()?);
            }
            ask.object = Some((data.le16()?, data.u8()?));
            ask.size = ask.size.saturating_sub(4);
        }
        // Further segments of a request belong to the first.
        if command.segmentation <= 1 {
            self.wait((pdu.direction, u16::from(command.transaction)), ask, tell, out);
        }
        Some(())
    }

    fn wait(&mut self, key: (Direction, u16), ask: Ask, tell: &mut Tell, out: &mut dyn Sink) {
        if let Some(lost) = self.waiting.ask(key, ask) {
            row(&lost, None, tell, out);
        }
    }

    fn response(&mut self, pdu: &Pdu<'_>, source: u8, command: &Command<'_>, tell: &mut Tell, out: &mut dyn Sink) {
        let key = (pdu.direction.reverse(), u16::from(command.transaction));
        let Some(ask) = self.waiting.answer(&key) else { return };
        let mut data = Cursor::new(command.data);
        let status = if command.abort { data.le32().unwrap_or(1) } else { 0 };
        let ask = Ask { node: if ask.node == 0 { source } else { ask.node }, ..ask };
        let read = matches!(command.id, 2 | 4 | 6);
        let size = if read && !command.abort { command.data.len() as u64 } else { ask.size };
        row(&Ask { size, ..ask }, Some((pdu.at, status)), tell, out);
        if read && !command.abort && command.segmentation == 0 {
            self.identify(pdu, &ask, command.data, out);
        }
    }

    /// Names and versions that were read.
    fn identify(&mut self, pdu: &Pdu<'_>, ask: &Ask, data: &[u8], out: &mut dyn Sink) {
        let attribute = match ask.object {
            Some((0x1008, _)) => Attribute::Product,
            Some((0x1009, _)) => Attribute::Hardware,
            Some((0x100a, _)) => Attribute::Firmware,
            _ => return,
        };
        if let Some(value) = device_text(data) {
            self.claims.identify(out, pdu.at, pdu.sender().address, (attribute, &value, "powerlink sdo"));
        }
    }

    pub(super) fn close(&mut self, tell: &mut Tell, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            match ask.command {
                Some(_) => row(ask, None, tell, out),
                None => connection(ask, None, "SDO connect", tell, out),
            }
        }
    }
}

/// The opening or closing of a connection.
fn connection(ask: &Ask, answered: Option<At>, name: &'static str, tell: &mut Tell, out: &mut dyn Sink) {
    tell.detail.clear();
    tell.object.clear();
    tell.detail.number("service", 5);
    let row = Row {
        at: answered.unwrap_or(ask.at),
        ends: ask.ends,
        unit: Some(ask.node),
        code: 0,
        name,
        class: OperationClass::Session,
        quantity: None,
        status: answered.map(|_| 0),
        status_name: if answered.is_some() { "ok" } else { "" },
        request: Some(ask.at),
        reply: answered.is_some(),
    };
    tell.row(&row, out);
}

fn row(ask: &Ask, answer: Option<(At, u32)>, tell: &mut Tell, out: &mut dyn Sink) {
    let Some((id, transaction)) = ask.command else { return };
    tell.detail.clear();
    tell.object.clear();
    tell.detail.number("service", 5);
    tell.detail.number("transaction", transaction);
    let (name, mut class) = names::sdo(id);
    if let Some((index, subindex)) = ask.object {
        tell.detail.number("object_index", index);
        tell.detail.number("subindex", subindex);
        // Writing to a string cannot fail.
        let _ = write!(tell.object, "0x{index:04x}:{subindex}");
        if let Some(name) = objects::name(index) {
            let _ = write!(tell.object, " {name}");
        }
        class = if matches!(id, 1 | 3) { objects::write_class(index) } else { objects::read_class(index) };
    }
    let status = answer.map(|(_, status)| status);
    let row = Row {
        at: answer.map_or(ask.at, |(at, _)| at),
        ends: ask.ends,
        unit: Some(ask.node),
        code: id,
        name,
        class,
        quantity: Some(ask.size),
        status,
        status_name: match status {
            None => "",
            Some(0) => "ok",
            Some(code) => objects::abort(code).unwrap_or("unknown abort code"),
        },
        request: Some(ask.at),
        reply: answer.is_some(),
    };
    tell.row(&row, out);
}
