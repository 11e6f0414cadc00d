//! The content of the blocks that are read: draft sections 4.1 (section header), 4.2 (interface), 4.3 (enhanced
//! packet), 4.4 (simple packet), 4.6 (statistics) and appendix A (the obsolete packet block).

use super::{
    Block, CaptureError, CaptureFacts, Clock, Described, Interface, LinkType, MAX_INTERFACES, MAX_NAME, MAX_PACKET,
    Order, Reader, Record, Window, kind, options, record,
};

const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const EPB_DROPCOUNT: u16 = 4;
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;

/// Where a packet block keeps its fields.
struct Fields {
    /// Index in the section.
    interface: u32,
    /// Time stamp, if the block has one.
    units: Option<u64>,
    captured: u32,
    wire_length: u32,
    /// Offset of the packet's bytes in the block.
    start: usize,
    /// Packets lost before this one, if the block says so itself.
    drops: Option<u64>,
}

/// Where facts about the block at hand go.
struct Notes<'f> {
    facts: &'f mut CaptureFacts,
    /// Offset of the block in the file.
    offset: u64,
}

impl Notes<'_> {
    fn error(&self, what: impl Into<String>) -> CaptureError {
        CaptureError { what: what.into(), offset: self.offset, remedy: record::REMEDY_DAMAGED }
    }

    fn damage(&mut self, what: impl Into<String>) {
        let damage = self.error(what);
        self.facts.note_damage(damage);
    }

    /// Walks a list of options; comments are counted, and a damaged list is noted but costs nothing else.
    fn options(&mut self, order: Order, list: Option<&[u8]>, of: &str, mut each: impl FnMut(u16, &[u8])) {
        let facts = &mut *self.facts;
        let sound = options::walk(order, list.unwrap_or(&[]), |code, value| match code {
            options::COMMENT => facts.comments += 1,
            _ => each(code, value),
        });
        if !sound {
            self.damage(format!("the options of {of} are damaged"));
        }
    }
}

impl Reader {
    /// Reads the block at the cursor, all of whose bytes are at hand; returns its packet, if it holds one.
    pub(super) fn content(
        &mut self,
        block: Block,
        window: &Window,
        facts: &mut CaptureFacts,
    ) -> Result<Option<Record>, CaptureError> {
        let bytes = window.ahead().get(..block.size as usize - 4).unwrap_or(&[]);
        let mut notes = Notes { facts, offset: window.offset() };
        let read = match block.kind {
            kind::SECTION => return self.section(bytes, &mut notes).map(|()| None),
            kind::INTERFACE => return self.interface(bytes, &mut notes).map(|()| None),
            kind::STATISTICS => self.statistics(bytes, &mut notes).map(|()| None),
            _ => self.packet(block.kind, bytes, &mut notes).map(Some),
        };
        Ok(read.unwrap_or_else(|what| {
            notes.damage(what);
            None
        }))
    }

    fn section(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Result<(), CaptureError> {
        let (Some(major), Some(minor)) = (self.order.u16(bytes, 12), self.order.u16(bytes, 14)) else {
            return Err(notes.error("a section header is too short"));
        };
        if major != 1 {
            let what = format!("pcapng version {major}.{minor} is not known");
            return Err(CaptureError { remedy: record::REMEDY_VARIANT, ..notes.error(what) });
        }
        self.section_start = self.interfaces.len();
        notes.facts.sections += 1;
        notes.options(self.order, bytes.get(24..), "a section header", |_, _| ());
        Ok(())
    }

    fn interface(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Result<(), CaptureError> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(notes.error(format!("more than {MAX_INTERFACES} interfaces are described")));
        }
        let order = self.order;
        let mut described = Described { link: LinkType(u32::MAX), snaplen: 0, clock: Clock::default() };
        if let (Some(link), Some(snaplen)) = (order.u16(bytes, 8), order.u32(bytes, 12)) {
            described.link = LinkType(u32::from(link));
            described.snaplen = snaplen;
        } else {
            // It keeps its index, or the packets of the interfaces after it would change theirs.
            notes.damage("an interface description is too short");
        }
        let mut stated = Interface { link: described.link, snaplen: described.snaplen, ..Interface::default() };
        notes.options(order, bytes.get(16..), "an interface description", |code, value| match (code, value) {
            (IF_NAME, _) => stated.name = text(value),
            (IF_DESCRIPTION, _) => stated.description = text(value),
            (IF_TSRESOL, [resolution, ..]) => described.clock.set_resolution(*resolution),
            (IF_TSOFFSET, _) => described.clock.set_offset(order.u64(value, 0).unwrap_or(0).cast_signed()),
            _ => {}
        });
        self.interfaces.push(described);
        notes.facts.note_interface(stated);
        Ok(())
    }

    /// Drop counts are totals since the start of the capture, so the last block of an interface holds.
    fn statistics(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Result<(), String> {
        let order = self.order;
        let interface = order.u32(bytes, 8).ok_or("a statistics block is too short")?;
        let (mut by_interface, mut by_system) = (None, None);
        notes.options(order, bytes.get(20..), "a statistics block", |code, value| match code {
            ISB_IFDROP => by_interface = order.u64(value, 0),
            ISB_OSDROP => by_system = order.u64(value, 0),
            _ => {}
        });
        let index = self.section_start.saturating_add(interface as usize);
        let stated =
            notes.facts.interfaces.get_mut(index).ok_or("statistics of an interface that was not described")?;
        if by_interface.is_some() || by_system.is_some() {
            let lost = by_interface.unwrap_or(0u64).saturating_add(by_system.unwrap_or(0));
            let before = stated.dropped.replace(lost).unwrap_or(0);
            let of_all = self.interface_drops.unwrap_or(0);
            self.interface_drops = Some(of_all.saturating_sub(before).saturating_add(lost));
            notes.facts.dropped = self.interface_drops;
        }
        Ok(())
    }

    fn packet(&mut self, kind: u32, bytes: &[u8], notes: &mut Notes<'_>) -> Result<Record, String> {
        // Numbered before anything else: a damaged packet keeps its place in the count.
        self.frame += 1;
        let fields = match kind {
            kind::ENHANCED_PACKET => self.enhanced(bytes),
            kind::PACKET => self.obsolete(bytes),
            _ => self.simple(bytes),
        };
        let fields = fields.ok_or("a packet block is too short")?;
        let index = self.section_start.saturating_add(fields.interface as usize);
        let described = *self
            .interfaces
            .get(index)
            .ok_or_else(|| format!("a packet of interface {}, which was not described", fields.interface))?;
        if fields.captured > MAX_PACKET {
            return Err(format!("a packet of {} bytes, more than the {MAX_PACKET} a packet may have", fields.captured));
        }
        let end = fields.start + fields.captured as usize;
        if end > bytes.len() {
            let room = bytes.len().saturating_sub(fields.start);
            return Err(format!("a packet of {} bytes in a block with room for {room}", fields.captured));
        }
        let ts = match fields.units {
            Some(units) => described.clock.instant(units),
            None => {
                notes.facts.untimed += 1;
                self.last_ts
            }
        };
        self.last_ts = ts;
        if kind != kind::SIMPLE_PACKET {
            self.packet_options(bytes.get(end.next_multiple_of(4)..), fields.drops, notes);
        }
        Ok(Record {
            ts,
            frame: self.frame,
            interface: u32::try_from(index).unwrap_or(u32::MAX),
            link: described.link,
            wire_length: fields.wire_length,
            start: fields.start,
            length: fields.captured as usize,
        })
    }

    fn enhanced(&self, bytes: &[u8]) -> Option<Fields> {
        let order = self.order;
        Some(Fields {
            interface: order.u32(bytes, 8)?,
            units: Some(self.units(bytes)?),
            captured: order.u32(bytes, 20)?,
            wire_length: order.u32(bytes, 24)?,
            start: 28,
            drops: None,
        })
    }

    fn obsolete(&self, bytes: &[u8]) -> Option<Fields> {
        let order = self.order;
        let drops = order.u16(bytes, 10)?;
        Some(Fields {
            interface: u32::from(order.u16(bytes, 8)?),
            units: Some(self.units(bytes)?),
            captured: order.u32(bytes, 20)?,
            wire_length: order.u32(bytes, 24)?,
            start: 28,
            // 0xffff stands for unknown.
            drops: (drops != u16::MAX).then_some(u64::from(drops)),
        })
    }

    /// A simple packet belongs to the section's first interface, whose snaplen cut it.
    fn simple(&self, bytes: &[u8]) -> Option<Fields> {
        let wire_length = self.order.u32(bytes, 8)?;
        let snaplen = self.interfaces.get(self.section_start).map_or(0, |interface| interface.snaplen);
        let captured = if snaplen == 0 { wire_length } else { wire_length.min(snaplen) };
        Some(Fields { interface: 0, units: None, captured, wire_length, start: 12, drops: None })
    }

    /// The time stamp, whose upper half stands first in either byte order.
    fn units(&self, bytes: &[u8]) -> Option<u64> {
        Some(u64::from(self.order.u32(bytes, 12)?) << 32 | u64::from(self.order.u32(bytes, 16)?))
    }

    /// Packets lost count only where no statistics block tells them: that would count them twice.
    fn packet_options(&mut self, list: Option<&[u8]>, drops: Option<u64>, notes: &mut Notes<'_>) {
        let mut drops = drops;
        let order = self.order;
        notes.options(order, list, "a packet", |code, value| {
            if code == EPB_DROPCOUNT {
                drops = order.u64(value, 0).or(drops);
            }
        });
        if let Some(drops) = drops {
            self.packet_drops = Some(self.packet_drops.unwrap_or(0).saturating_add(drops));
            notes.facts.dropped = self.interface_drops.or(self.packet_drops);
        }
    }
}

fn text(value: &[u8]) -> String {
    let value = value.get(..MAX_NAME).unwrap_or(value);
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}
