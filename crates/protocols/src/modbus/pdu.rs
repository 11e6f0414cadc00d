//! What requests and replies state, read as far as their bytes go.
//!
//! A PDU that breaks its layout still tells its address or count if it has them: the reading is lenient and carries its first fault.

use std::fmt;

use crate::bytes::Cursor;
use crate::modbus::names::{MEI_DEVICE_ID, encapsulated, exception, function, is_user_defined};

/// Most coils or inputs one request may read (Modbus Application Protocol V1.1b3 section 6.1).
const MAX_READ_BITS: u16 = 2000;
/// Most registers one request may read (section 6.3).
const MAX_READ_REGISTERS: u16 = 125;
/// Most coils one request may write (section 6.11).
const MAX_WRITE_BITS: u16 = 1968;
/// Most registers one request may write (section 6.12).
const MAX_WRITE_REGISTERS: u16 = 123;

/// A range of one of the four tables, or of what else a function addresses. Addresses are those of the PDU, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    /// Table: `coil`, `discrete-input`, `holding-register`, `input-register`, `fifo`.
    pub table: &'static str,
    /// First address.
    pub start: u16,
    /// How many; `None` if the PDU ends before it says.
    pub count: Option<u16>,
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.table, self.start)?;
        match self.count {
            Some(count) if count > 1 => write!(f, "-{}", u32::from(self.start) + u32::from(count) - 1),
            _ => Ok(()),
        }
    }
}

/// Values in a PDU, as they stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Values<'a> {
    /// None.
    #[default]
    None,
    /// Registers, two bytes each, big-endian.
    Registers(&'a [u8]),
    /// Coils or inputs, eight a byte, the first in the lowest bit.
    Bits(&'a [u8]),
    /// A single coil.
    Switch(bool),
}

/// What is wrong with a PDU: the name of the `weird` row and its reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Stable name.
    pub name: &'static str,
    /// In words.
    pub reason: &'static str,
}

const SHORT: Fault = Fault { name: "modbus_pdu_length", reason: "shorter than its function demands" };
const LONG: Fault = Fault { name: "modbus_pdu_length", reason: "longer than its function demands" };
const BYTE_COUNT: Fault = Fault { name: "modbus_byte_count", reason: "byte count differs from the bytes that follow" };
const ODD: Fault = Fault { name: "modbus_byte_count", reason: "byte count of registers is odd" };
const COUNT_DIFFERS: Fault = Fault { name: "modbus_byte_count", reason: "byte count does not fit the quantity" };
const QUANTITY: Fault = Fault { name: "modbus_quantity", reason: "quantity outside what the function allows" };
const RANGE: Fault = Fault { name: "modbus_address_range", reason: "range runs past address 65535" };
const SWITCH: Fault = Fault { name: "modbus_coil_value", reason: "coil value is neither 0x0000 nor 0xff00" };
const ECHO: Fault = Fault { name: "modbus_reply_mismatch", reason: "reply does not repeat what was asked" };
const RECORD: Fault = Fault { name: "modbus_file_record", reason: "file record of unknown reference type" };
const EXCEPTION: Fault = Fault { name: "modbus_exception_code", reason: "exception code is not defined" };
const UNKNOWN: Fault =
    Fault { name: "modbus_unknown_function", reason: "function code is neither public nor user-defined" };
const RESERVED: Fault = Fault { name: "modbus_unknown_function", reason: "request with a function code of replies" };
const MEI: Fault = Fault { name: "modbus_unknown_function", reason: "MEI type is reserved" };

/// What a PDU says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Facts<'a> {
    /// Addressed for writing, or for reading by functions that only read.
    pub area: Option<Area>,
    /// Addressed for reading by a function that also writes.
    pub read: Option<Area>,
    /// Values written (request) or read (reply).
    pub values: Values<'a>,
    /// AND and OR mask of Mask Write Register.
    pub masks: Option<(u16, u16)>,
    /// Sub-function of Diagnostics.
    pub sub: Option<u16>,
    /// MEI type.
    pub mei: Option<u8>,
    /// Read Device ID code and first object id.
    pub device_id: Option<(u8, u8)>,
    /// File sub-requests.
    pub records: &'a [u8],
    /// What the fields do not cover: text of Report Server ID, objects of Read Device Identification, diagnostic data.
    pub rest: &'a [u8],
    /// Exception code of a reply.
    pub exception: Option<u8>,
    /// First thing wrong with it.
    pub fault: Option<Fault>,
}

impl<'a> Facts<'a> {
    fn blame(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// Notes a shortage and passes on what could be read.
    fn must<T>(&mut self, read: Option<T>) -> Option<T> {
        if read.is_none() {
            self.blame(SHORT);
        }
        read
    }

    fn end(&mut self, cursor: &Cursor<'_>) {
        if !cursor.is_empty() {
            self.blame(LONG);
        }
    }

    fn range(&mut self, table: &'static str, cursor: &mut Cursor<'_>, most: u16) -> Option<Area> {
        let start = self.must(cursor.be16())?;
        let count = self.must(cursor.be16());
        if let Some(count) = count {
            if count == 0 || count > most {
                self.blame(QUANTITY);
            } else if start.checked_add(count - 1).is_none() {
                self.blame(RANGE);
            }
        }
        Some(Area { table, start, count })
    }

    /// Bytes behind a count of one byte.
    fn counted(&mut self, cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
        let count = usize::from(self.must(cursor.u8())?);
        if count != cursor.left() {
            self.blame(BYTE_COUNT);
        }
        cursor.take(count.min(cursor.left()))
    }

    fn registers(&mut self, cursor: &mut Cursor<'a>, quantity: Option<u16>) -> Option<Values<'a>> {
        let bytes = self.counted(cursor)?;
        if !bytes.len().is_multiple_of(2) {
            self.blame(ODD);
        } else if quantity.is_some_and(|quantity| bytes.len() != usize::from(quantity) * 2) {
            self.blame(COUNT_DIFFERS);
        }
        Some(Values::Registers(bytes))
    }

    fn bits(&mut self, cursor: &mut Cursor<'a>, quantity: Option<u16>) -> Option<Values<'a>> {
        let bytes = self.counted(cursor)?;
        if quantity.is_some_and(|quantity| bytes.len() != usize::from(quantity).div_ceil(8)) {
            self.blame(COUNT_DIFFERS);
        }
        Some(Values::Bits(bytes))
    }

    fn switch(&mut self, cursor: &mut Cursor<'a>) -> Option<Values<'a>> {
        Some(match self.must(cursor.be16())? {
            0 => Values::Switch(false),
            0xff00 => Values::Switch(true),
            _ => {
                self.blame(SWITCH);
                Values::None
            }
        })
    }
}

/// Reads a request: its function code and what follows.
#[must_use]
pub fn request(code: u8, body: &[u8]) -> Facts<'_> {
    let mut facts = Facts::default();
    if code >= 0x80 || code == 0 {
        facts.blame(if code == 0 { UNKNOWN } else { RESERVED });
        return facts;
    }
    let mut cursor = Cursor::new(body);
    let _ = request_fields(code, &mut cursor, &mut facts);
    facts
}

/// `None` when the bytes ended early; the fault is noted by then.
fn request_fields<'a>(code: u8, cursor: &mut Cursor<'a>, facts: &mut Facts<'a>) -> Option<()> {
    match code {
        1 => facts.area = facts.range("coil", cursor, MAX_READ_BITS),
        2 => facts.area = facts.range("discrete-input", cursor, MAX_READ_BITS),
        3 => facts.area = facts.range("holding-register", cursor, MAX_READ_REGISTERS),
        4 => facts.area = facts.range("input-register", cursor, MAX_READ_REGISTERS),
        5 | 6 => single(code, cursor, facts)?,
        7 | 11 | 12 | 17 => {}
        8 => return diagnostics(cursor, facts),
        15 => {
            facts.area = facts.range("coil", cursor, MAX_WRITE_BITS);
            let count = facts.area?.count;
            facts.values = facts.bits(cursor, count)?;
        }
        16 => {
            facts.area = facts.range("holding-register", cursor, MAX_WRITE_REGISTERS);
            let count = facts.area?.count;
            facts.values = facts.registers(cursor, count)?;
        }
        20 | 21 => {
            facts.records = facts.counted(cursor)?;
            if records(code, facts.records).any(|record| record.is_err()) {
                facts.blame(RECORD);
            }
        }
        22 => mask(cursor, facts)?,
        23 => {
            facts.read = facts.range("holding-register", cursor, MAX_READ_REGISTERS);
            facts.area = facts.range("holding-register", cursor, MAX_WRITE_REGISTERS);
            let count = facts.area?.count;
            facts.values = facts.registers(cursor, count)?;
        }
        24 => {
            let start = facts.must(cursor.be16())?;
            facts.area = Some(Area { table: "fifo", start, count: None });
        }
        43 => return interface(cursor, facts),
        _ => {
            if function(code).is_none() && !is_user_defined(code) {
                facts.blame(UNKNOWN);
            }
            facts.rest = cursor.rest();
            return Some(());
        }
    }
    facts.end(cursor);
    Some(())
}

fn single<'a>(code: u8, cursor: &mut Cursor<'a>, facts: &mut Facts<'a>) -> Option<()> {
    let table = if code == 5 { "coil" } else { "holding-register" };
    let start = facts.must(cursor.be16())?;
    facts.area = Some(Area { table, start, count: Some(1) });
    facts.values = if code == 5 { facts.switch(cursor)? } else { Values::Registers(facts.must(cursor.take(2))?) };
    Some(())
}

fn mask(cursor: &mut Cursor<'_>, facts: &mut Facts<'_>) -> Option<()> {
    let start = facts.must(cursor.be16())?;
    facts.area = Some(Area { table: "holding-register", start, count: Some(1) });
    let and = facts.must(cursor.be16())?;
    facts.masks = Some((and, facts.must(cursor.be16())?));
    Some(())
}

fn diagnostics<'a>(cursor: &mut Cursor<'a>, facts: &mut Facts<'a>) -> Option<()> {
    let sub = facts.must(cursor.be16())?;
    facts.sub = Some(sub);
    facts.rest = cursor.rest();
    // Return Query Data carries any number of words, the others one; Modbus Plus statistics are of their own kind.
    match sub {
        0 if facts.rest.len().is_multiple_of(2) => {}
        0 => facts.blame(SHORT),
        21 => {}
        _ if facts.rest.len() < 2 => facts.blame(SHORT),
        _ if facts.rest.len() > 2 => facts.blame(LONG),
        _ => {}
    }
    Some(())
}

fn interface<'a>(cursor: &mut Cursor<'a>, facts: &mut Facts<'a>) -> Option<()> {
    let mei = facts.must(cursor.u8())?;
    facts.mei = Some(mei);
    if mei != MEI_DEVICE_ID {
        if encapsulated(mei).is_none() {
            facts.blame(MEI);
        }
        facts.rest = cursor.rest();
        return Some(());
    }
    let code = facts.must(cursor.u8())?;
    facts.device_id = Some((code, facts.must(cursor.u8())?));
    facts.end(cursor);
    Some(())
}

/// Reads a reply: its function code and what follows, held against its request if that was seen.
#[must_use]
pub fn reply<'a>(code: u8, body: &'a [u8], asked: Option<&Facts<'_>>) -> Facts<'a> {
    let mut facts = Facts::default();
    let mut cursor = Cursor::new(body);
    if code >= 0x80 {
        facts.exception = facts.must(cursor.u8());
        if facts.exception.is_some_and(|code| exception(code).is_empty()) {
            facts.blame(EXCEPTION);
        }
        facts.end(&cursor);
    } else {
        let _ = reply_fields(code, &mut cursor, &mut facts, asked);
    }
    facts
}

fn reply_fields<'a>(code: u8, cursor: &mut Cursor<'a>, facts: &mut Facts<'a>, asked: Option<&Facts<'_>>) -> Option<()> {
    let wanted = asked.and_then(|asked| asked.read.or(asked.area)).and_then(|area| area.count);
    match code {
        1 | 2 => facts.values = facts.bits(cursor, wanted)?,
        3 | 4 | 23 => facts.values = facts.registers(cursor, wanted)?,
        5 | 6 => {
            single(code, cursor, facts)?;
            if asked.is_some_and(|asked| asked.area != facts.area || asked.values != facts.values) {
                facts.blame(ECHO);
            }
        }
        7 => facts.rest = facts.must(cursor.take(1))?,
        8 => {
            diagnostics(cursor, facts)?;
            if asked.is_some_and(|asked| asked.sub != facts.sub) {
                facts.blame(ECHO);
            }
            return Some(());
        }
        11 => facts.rest = facts.must(cursor.take(4))?,
        12 | 17 => facts.rest = facts.counted(cursor)?,
        15 | 16 => {
            let table = if code == 15 { "coil" } else { "holding-register" };
            facts.area = facts.range(table, cursor, if code == 15 { MAX_WRITE_BITS } else { MAX_WRITE_REGISTERS });
            if asked.is_some_and(|asked| asked.area != facts.area) {
                facts.blame(ECHO);
            }
        }
        20 | 21 => facts.records = facts.counted(cursor)?,
        22 => {
            mask(cursor, facts)?;
            if asked.is_some_and(|asked| asked.area != facts.area || asked.masks != facts.masks) {
                facts.blame(ECHO);
            }
        }
        24 => fifo(cursor, facts)?,
        43 => return device_identification(cursor, facts),
        _ => {
            facts.rest = cursor.rest();
            return Some(());
        }
    }
    facts.end(cursor);
    Some(())
}

fn fifo<'a>(cursor: &mut Cursor<'a>, facts: &mut Facts<'a>) -> Option<()> {
    let bytes = usize::from(facts.must(cursor.be16())?);
    if bytes != cursor.left() {
        facts.blame(BYTE_COUNT);
    }
    let count = usize::from(facts.must(cursor.be16())?);
    if cursor.left() != count * 2 {
        facts.blame(COUNT_DIFFERS);
    }
    facts.values = Values::Registers(cursor.take(cursor.left().min(count * 2))?);
    Some(())
}

fn device_identification<'a>(cursor: &mut Cursor<'a>, facts: &mut Facts<'a>) -> Option<()> {
    let mei = facts.must(cursor.u8())?;
    facts.mei = Some(mei);
    if mei != MEI_DEVICE_ID {
        facts.rest = cursor.rest();
        return Some(());
    }
    let code = facts.must(cursor.u8())?;
    // Conformity level, whether more follows, and the object to ask for next.
    facts.must(cursor.skip(3))?;
    let count = facts.must(cursor.u8())?;
    facts.rest = cursor.rest();
    facts.device_id = Some((code, facts.rest.first().copied().unwrap_or(0)));
    let whole = objects(facts.rest).count();
    let used: usize = objects(facts.rest).map(|(_, text)| text.len() + 2).sum();
    if used != facts.rest.len() || whole != usize::from(count) {
        facts.blame(BYTE_COUNT);
    }
    Some(())
}

/// Objects of a Read Device Identification reply: id and value.
pub fn objects(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut cursor = Cursor::new(bytes);
    std::iter::from_fn(move || {
        let id = cursor.u8()?;
        let length = cursor.u8()?;
        Some((id, cursor.take(usize::from(length))?))
    })
}

/// A record of a file: where, how many registers, and its values if the request writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// File number, from 1.
    pub file: u16,
    /// First record number in the file.
    pub record: u16,
    /// Registers.
    pub length: u16,
    /// Values written.
    pub values: &'a [u8],
}

/// Sub-requests of Read and Write File Record (sections 6.14 and 6.15); an error ends them.
pub fn records(code: u8, bytes: &[u8]) -> impl Iterator<Item = Result<Record<'_>, ()>> {
    let mut cursor = Cursor::new(bytes);
    let mut broken = false;
    std::iter::from_fn(move || {
        if cursor.is_empty() || broken {
            return None;
        }
        let record = record(code, &mut cursor);
        broken = record.is_none();
        Some(record.ok_or(()))
    })
}

fn record<'a>(code: u8, cursor: &mut Cursor<'a>) -> Option<Record<'a>> {
    /// The only reference type (section 6.14).
    const REFERENCE: u8 = 6;
    if cursor.u8()? != REFERENCE {
        return None;
    }
    let (file, record, length) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
    let values = if code == 21 { cursor.take(usize::from(length) * 2)? } else { &[] };
    Some(Record { file, record, length, values })
}
