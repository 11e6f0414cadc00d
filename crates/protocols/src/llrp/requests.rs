//! What a message asks or answers: the object it is about, and facts for the detail column.

use std::fmt::Write as _;

use super::names::{self, CUSTOM};
use super::parameters::{Broken, Parameter, Parameters, find, walk};
use crate::bytes::{Cursor, device_text};
use crate::detail_json::DetailJson;

/// Parameters named in one detail.
pub(super) const NAMED_LIMIT: usize = 64;
/// Characters kept of an error description.
const TEXT_LIMIT: usize = 200;

/// A message without its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) version: u8,
    pub(super) id: u32,
    pub(super) length: u32,
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a whole message.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.be16()?;
        let (length, id) = (cursor.be32()?, cursor.be32()?);
        Some(Message { kind: first & 0x03ff, version: (first >> 10 & 7) as u8, id, length, body: cursor.rest() })
    }

    /// Bytes of fields before the parameters.
    const fn fields_length(&self) -> usize {
        match self.kind {
            1 | 3 | 47 => 1,
            56 => 2,
            21..=25 | 41..=43 => 4,
            CUSTOM => 5,
            2 => 7,
            _ => 0,
        }
    }

    /// The fields before the parameters; `None` if the message is too short for them.
    pub(super) fn fields(&self) -> Option<Cursor<'a>> {
        self.body.get(..self.fields_length()).map(Cursor::new)
    }

    /// Its parameters; a maker's own message is taken to have none.
    pub(super) fn parameters(&self) -> Parameters<'a> {
        let rest = if self.kind == CUSTOM { None } else { self.body.get(self.fields_length()..) };
        Parameters::new(rest.unwrap_or_default())
    }

    /// Whether fields and parameters are there and readable.
    pub(super) fn is_sound(&self) -> bool {
        self.fields().is_some() && walk(self.parameters(), &mut |_| ()).is_ok()
    }

    /// Status code and description of the answer.
    pub(super) fn status(&self) -> Option<(u32, &'a [u8])> {
        let status = find(self.parameters(), 287)?;
        let mut cursor = Cursor::new(status.body);
        let code = cursor.be16()?;
        let length = usize::from(cursor.be16()?);
        Some((u32::from(code), cursor.take(length).unwrap_or_default()))
    }
}

/// The protocol version as the standard calls it.
pub(super) const fn version(number: u8) -> &'static str {
    match number {
        1 => "1.0.1",
        2 => "1.1",
        _ => "unknown",
    }
}

/// Writes what a message is about.
pub(super) fn object(message: &Message<'_>, line: &mut String) {
    line.clear();
    let Some(mut fields) = message.fields() else { return };
    // Writing to a string cannot fail.
    let _ = match message.kind {
        1 => write!(line, "{}", fields.u8().map_or("", names::requested_capabilities)),
        2 => {
            let antenna = fields.be16().unwrap_or(0);
            write!(line, "{}", fields.u8().map_or("", names::requested_configuration))
                .and_then(|()| if antenna == 0 { Ok(()) } else { write!(line, " antenna {antenna}") })
        }
        20 => spec(line, "rospec", find(message.parameters(), 177)),
        40 => spec(line, "accessspec", find(message.parameters(), 207)),
        21..=25 => numbered(line, "rospec", fields.be32()),
        41..=43 => numbered(line, "accessspec", fields.be32()),
        47 => write!(line, "version {}", fields.u8().map_or("", version)),
        CUSTOM => {
            let (maker, subtype) = (fields.be32().unwrap_or(0), fields.u8().unwrap_or(0));
            match names::manufacturer(maker) {
                Some(name) => write!(line, "{name} subtype {subtype}"),
                None => write!(line, "enterprise {maker} subtype {subtype}"),
            }
        }
        _ => Ok(()),
    };
}

fn spec(line: &mut String, what: &str, parameter: Option<Parameter<'_>>) -> std::fmt::Result {
    numbered(line, what, parameter.and_then(|parameter| Cursor::new(parameter.body).be32()))
}

fn numbered(line: &mut String, what: &str, id: Option<u32>) -> std::fmt::Result {
    match id {
        // Section 10.1: zero stands for all there are.
        Some(0) => write!(line, "all {what}s"),
        Some(id) => write!(line, "{what} {id}"),
        None => Ok(()),
    }
}

/// The names of the parameters of a message, or their numbers; bounded.
pub(super) fn parameter_names(message: &Message<'_>, list: &mut Vec<u16>) -> Result<(), Broken> {
    list.clear();
    walk(message.parameters(), &mut |parameter| {
        if list.len() < NAMED_LIMIT {
            list.push(parameter.kind);
        }
    })
}

/// A parameter type as text.
struct Shown(u16);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match names::parameter(self.0) {
            "" => write!(f, "parameter {}", self.0),
            name => f.write_str(name),
        }
    }
}

/// Adds parameter names under this key.
pub(super) fn show_names(detail: &mut DetailJson, key: &str, list: &[u16]) {
    if !list.is_empty() {
        detail.texts(key, list.iter().map(|kind| Shown(*kind)));
    }
}

/// Adds what a request sets.
pub(super) fn describe(message: &Message<'_>, detail: &mut DetailJson) {
    match message.kind {
        3 => configuration(message, detail),
        20 => {
            if let Some(rospec) = find(message.parameters(), 177) {
                describe_rospec(&rospec, detail);
            }
        }
        40 => {
            if let Some(accessspec) = find(message.parameters(), 207) {
                describe_accessspec(&accessspec, detail);
            }
        }
        _ => {}
    }
}

fn configuration(message: &Message<'_>, detail: &mut DetailJson) {
    if message.fields().and_then(|mut fields| fields.u8()).is_some_and(|flags| flags & 0x80 != 0) {
        detail.flag("factory_reset", true);
    }
    if let Some(keepalive) = find(message.parameters(), 220) {
        let mut cursor = Cursor::new(keepalive.body);
        if let (Some(trigger), Some(interval)) = (cursor.u8(), cursor.be32()) {
            detail.number("keepalive_ms", if trigger == 0 { 0 } else { interval });
        }
    }
    let antennas = || message.parameters().flatten().filter(|parameter| parameter.kind == 222);
    if antennas().next().is_some() {
        detail.numbers("antennas", antennas().take(NAMED_LIMIT).filter_map(|antenna| first_be16(&antenna)));
        let powers = antennas().take(NAMED_LIMIT).filter_map(|antenna| {
            // Hop table and channel, then the index into the table of powers (section 12.2.6.2).
            antenna.find(224).and_then(|transmitter| Cursor::new(transmitter.body.get(4..)?).be16())
        });
        detail.numbers("transmit_power_indexes", powers.map(u32::from));
    }
    if let Some(output) = find(message.parameters(), 219) {
        let mut cursor = Cursor::new(output.body);
        if let (Some(port), Some(data)) = (cursor.be16(), cursor.u8()) {
            detail.number("gpo_port", port);
            detail.flag("gpo_high", data & 0x80 != 0);
        }
    }
}

fn first_be16(parameter: &Parameter<'_>) -> Option<u32> {
    Cursor::new(parameter.body).be16().map(u32::from)
}

fn describe_rospec(rospec: &Parameter<'_>, detail: &mut DetailJson) {
    if let Some(boundary) = rospec.find(178) {
        let code = |kind| boundary.find(kind).and_then(|trigger| trigger.body.first().copied());
        if let Some(start) = code(179) {
            detail.text("start_trigger", names::start_trigger(start));
        }
        if let Some(stop) = code(182) {
            detail.text("stop_trigger", names::stop_trigger(stop));
        }
    }
    if let Some(inventory) = rospec.find(183) {
        let mut cursor = Cursor::new(inventory.body);
        let count = usize::from(cursor.be16().unwrap_or(0)).min(NAMED_LIMIT);
        detail.numbers("antennas", (0..count).map_while(|_| cursor.be16().map(u32::from)));
    }
}

fn describe_accessspec(accessspec: &Parameter<'_>, detail: &mut DetailJson) {
    let mut cursor = Cursor::new(accessspec.body);
    cursor.skip(4);
    if let Some(antenna) = cursor.be16() {
        detail.number("antenna", antenna);
    }
    cursor.skip(2);
    if let Some(rospec) = cursor.be32() {
        detail.number("rospec", rospec);
    }
    if let Some(command) = accessspec.find(209) {
        let operations = command.inner().flatten().filter_map(|parameter| names::tag_operation(parameter.kind));
        detail.texts("tag_operations", operations.take(NAMED_LIMIT));
    }
}

/// Passwords of tags in a request: what each is for. Only whether it is zero is looked at.
pub(super) fn passwords<'a>(message: &Message<'a>, each: &mut dyn FnMut(&'static str)) {
    let _ = walk(message.parameters(), &mut |parameter| {
        let rule = match parameter.kind {
            343 | 357 => "tag kill password sent unencrypted",
            341 | 342 | 344 | 346 | 347 | 358 | 359 => "tag access password sent unencrypted",
            _ => return,
        };
        if parameter.body.get(2..6).is_some_and(|password| password.iter().any(|byte| *byte != 0)) {
            each(rule);
        }
    });
}

/// Adds what an answer says beyond its status.
pub(super) fn describe_answer(message: &Message<'_>, detail: &mut DetailJson) {
    let Some((code, text)) = message.status() else { return };
    if let Some(text) = device_text(text) {
        detail.text("error", text.chars().take(TEXT_LIMIT).collect::<String>());
    }
    if code == 0 {
        return;
    }
    let Some(status) = find(message.parameters(), 287) else { return };
    let mut at_fault = None;
    let _ = walk(status.inner(), &mut |parameter| {
        if parameter.kind == 289 {
            at_fault = Cursor::new(parameter.body).be16();
        }
    });
    if let Some(kind) = at_fault {
        detail.text("parameter_at_fault", Shown(kind));
    }
}
