//! What a call or its answer holds.

use super::block::{self, Block, Blocks, Identification, Record, Relation, Submodule};
use super::rpc::{Arguments, Packet, Uuid};

/// Index of a container of combined objects.
const COMBINED: u16 = 0x80b0;

/// A record by its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub slot: u16,
    pub subslot: u16,
    pub index: u16,
    pub length: u32,
    /// Of the answer to a write.
    pub status: Option<[u8; 4]>,
}

impl From<Record<'_>> for Place {
    fn from(record: Record<'_>) -> Self {
        Place {
            slot: record.slot,
            subslot: record.subslot,
            index: record.index,
            length: record.length,
            status: record.status,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} {:#06x}", self.slot, self.subslot, self.index)
    }
}

/// A call taken apart.
#[derive(Clone, Default, Debug)]
pub struct Call {
    pub number: u16,
    pub interface: u8,
    pub activity: Uuid,
    /// Device and maker id of the device called.
    pub device: Option<(u16, u16)>,
    pub relation: Option<Relation>,
    /// Name of the device's station, of an answer.
    pub device_name: Option<String>,
    /// The relation's id, of calls within one.
    pub relation_id: Option<Uuid>,
    /// Cyclic connections: kind and frame id.
    pub cyclic: Vec<(u16, u16)>,
    pub expected: Vec<Submodule>,
    pub different: Vec<Submodule>,
    pub records: Vec<Place>,
    pub command: Option<u16>,
    pub identification: Option<Identification>,
    /// Texts of I&M1 to 3.
    pub texts: Vec<(&'static str, String)>,
    /// A block is longer than the call.
    pub broken: bool,
    /// The answer of the runtime instead of the device's.
    pub refused: bool,
}

/// Records in a container of combined objects.
fn contained(record: &Record<'_>, data: &[u8], into: &mut Vec<Place>) {
    if record.index == COMBINED {
        let objects = Blocks::new(data).filter(|block| block.kind == 0x0401);
        into.extend(objects.filter_map(block::contained).take(block::RECORD_LIMIT));
    }
}

impl Call {
    /// The call that arguments make.
    pub fn read(packet: &Packet<'_>, arguments: &Arguments<'_>) -> Self {
        let mut call = Call::of(packet);
        let mut blocks = Blocks::new(arguments.blocks);
        while let Some(block) = blocks.next() {
            let data = blocks.rest();
            match block.kind {
                0x0008 | 0x8008 | 0x0009 | 0x8009 => {
                    call.record(block, data);
                    return call;
                }
                _ => call.broken |= call.block(block).is_none(),
            }
        }
        call.broken |= blocks.broken;
        call
    }

    /// A call that the runtime refused.
    pub fn refused(packet: &Packet<'_>) -> Self {
        Call { refused: true, ..Call::of(packet) }
    }

    fn of(packet: &Packet<'_>) -> Self {
        Call {
            number: packet.operation,
            interface: packet.interface,
            activity: packet.activity,
            device: packet.device(),
            ..Call::default()
        }
    }

    fn block(&mut self, block: Block<'_>) -> Option<()> {
        match block.kind {
            0x0101 => self.relation = Some(Relation::asked(block.body)?),
            0x8101 => self.relation = Some(Relation::granted(block.body)?),
            0x8106 => self.device_name = block::station(block.body),
            0x0102 => self.cyclic.push(block::cyclic(block.body, false)?),
            0x8102 => self.cyclic.push(block::cyclic(block.body, true)?),
            0x0104 => block::expected(block.body, &mut self.expected)?,
            0x8104 => block::different(block.body, &mut self.different)?,
            0x0110..=0x0118 | 0x8110..=0x8118 => {
                let (id, command) = block::control(block.body)?;
                (self.relation_id, self.command) = (Some(id), Some(command));
            }
            _ => {}
        }
        Some(())
    }

    /// A record's head, and what follows it to the end.
    fn record(&mut self, block: Block<'_>, data: &[u8]) {
        let Some(record) = Record::read(block) else {
            self.broken = true;
            return;
        };
        self.relation_id = Some(record.relation);
        self.records.push(record.into());
        let several = record.index == 0xe040;
        match block.kind {
            0x0008 | 0x8008 if several => {
                let records = &mut self.records;
                let read = block::records(data, block.kind == 0x0008, |record, data| {
                    records.push(record.into());
                    contained(&record, data, records);
                });
                self.broken |= read.is_none();
            }
            0x0008 => contained(&record, data, &mut self.records),
            0x8009 if (0xaff0..=0xaff3).contains(&record.index) => self.identify(data),
            _ => {}
        }
    }

    fn identify(&mut self, data: &[u8]) {
        let text = |bytes: Option<&[u8]>| bytes.and_then(crate::bytes::device_text);
        for block in Blocks::new(data) {
            let found = match block.kind {
                0x0020 => {
                    self.identification = Identification::read(block.body);
                    continue;
                }
                0x0021 => [("function", text(block.body.get(..32))), ("location", text(block.body.get(32..54)))],
                0x0022 => [("installed", text(block.body.get(..16))), ("", None)],
                0x0023 => [("descriptor", text(block.body.get(..54))), ("", None)],
                _ => continue,
            };
            self.texts.extend(found.into_iter().filter_map(|(key, text)| Some((key, text?))));
        }
    }
}
