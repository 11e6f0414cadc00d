//! The frame and its blocks.

use std::fmt;
use std::net::Ipv4Addr;

use quaywatch_model::MacAddr;

use super::names;
use crate::bytes::{Cursor, device_text};
use crate::detail_json::Hex;

/// Bytes of an unknown value that are printed.
const RAW_LIMIT: usize = 32;

/// What a frame asks or answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    /// Reads named values.
    Get,
    /// Writes values.
    Set,
    /// Asks who is there.
    Identify,
    /// Says that a device has started.
    Hello,
}

impl Service {
    /// Service id on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Service::Get => 3,
            Service::Set => 4,
            Service::Identify => 5,
            Service::Hello => 6,
        }
    }

    fn of(id: u8) -> Option<Self> {
        [Service::Get, Service::Set, Service::Identify, Service::Hello].into_iter().find(|service| service.code() == id)
    }

    /// Whether the service may stand under a frame id.
    #[must_use]
    pub const fn fits(self, frame_id: u16) -> bool {
        match self {
            Service::Hello => frame_id == 0xfefc,
            Service::Get | Service::Set => frame_id == 0xfefd,
            Service::Identify => matches!(frame_id, 0xfefe | 0xfeff),
        }
    }
}

/// A DCP frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Frame id, 0xfefc to 0xfeff.
    pub id: u16,
    /// Service.
    pub service: Service,
    /// Service type: 0 request, 1 success, 5 not supported.
    pub kind: u8,
    /// Transaction.
    pub xid: u32,
    /// The blocks.
    pub blocks: &'a [u8],
    /// Whether the blocks are shorter than announced.
    pub short: bool,
}

impl<'a> Frame<'a> {
    /// Reads a frame body; `None` if it is no DCP frame.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let id = cursor.be16()?;
        if !is_dcp(id) {
            return None;
        }
        let service = Service::of(cursor.u8()?)?;
        let kind = cursor.u8()?;
        let xid = cursor.be32()?;
        // Response delay of a multicast request, else reserved.
        cursor.skip(2)?;
        let length = usize::from(cursor.be16()?);
        let blocks = cursor.rest().get(..length).unwrap_or(cursor.rest());
        Some(Frame { id, service, kind, xid, blocks, short: length > cursor.left() })
    }

    /// Whether it answers.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        self.kind != 0
    }

    /// The blocks, one by one.
    #[must_use]
    pub fn each(&self) -> Blocks<'a> {
        let layout = match (self.service, self.is_answer()) {
            (Service::Get, false) => Layout::Names,
            (Service::Identify, false) => Layout::Plain,
            (Service::Set, false) => Layout::Qualifier,
            _ => Layout::Info,
        };
        Blocks { cursor: Cursor::new(self.blocks), layout, broken: false }
    }
}

/// Whether a frame id of EtherType 0x8892 is one of DCP's.
const fn is_dcp(id: u16) -> bool {
    matches!(id, 0xfefc..=0xfeff)
}

/// What stands before a block's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    /// Option and suboption alone: what is asked for.
    Names,
    /// Length and value.
    Plain,
    /// Length, block qualifier, value.
    Qualifier,
    /// Length, block info, value.
    Info,
}

/// Reads blocks one after the other.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    cursor: Cursor<'a>,
    layout: Layout,
    /// Whether the last block was cut short.
    pub broken: bool,
}

/// One block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block<'a> {
    /// Option.
    pub option: u8,
    /// Suboption.
    pub suboption: u8,
    /// Block info of an answer.
    pub info: Option<u16>,
    /// Block qualifier of a set request.
    pub qualifier: Option<u16>,
    /// The value.
    pub value: &'a [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        if self.cursor.is_empty() || self.broken {
            return None;
        }
        let block = self.read();
        self.broken = block.is_none();
        block
    }
}

impl<'a> Blocks<'a> {
    fn read(&mut self) -> Option<Block<'a>> {
        let (option, suboption) = (self.cursor.u8()?, self.cursor.u8()?);
        let mut block = Block { option, suboption, info: None, qualifier: None, value: &[] };
        if self.layout == Layout::Names {
            return Some(block);
        }
        let length = self.cursor.be16()?;
        let mut value = Cursor::new(self.cursor.take(usize::from(length))?);
        if length % 2 == 1 {
            // Blocks start at even offsets; some senders leave out the filler behind the last.
            let _ = self.cursor.u8();
        }
        match self.layout {
            Layout::Qualifier => block.qualifier = Some(value.be16()?),
            // A result block has none; the all selector of an identify has nothing at all.
            Layout::Info if (option, suboption) != (5, 4) && length > 0 => block.info = Some(value.be16()?),
            _ => {}
        }
        block.value = value.rest();
        Some(block)
    }
}

/// IP parameters of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IpParameter {
    /// Address.
    pub ip: Ipv4Addr,
    /// Mask.
    pub mask: Ipv4Addr,
    /// Router.
    pub gateway: Ipv4Addr,
}

/// Result of one block of a set or get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockResult {
    /// Option that the result is for.
    pub option: u8,
    /// Suboption that the result is for.
    pub suboption: u8,
    /// Error code, 0 for success.
    pub error: u8,
}

impl<'a> Block<'a> {
    /// Option and suboption.
    #[must_use]
    pub const fn key(&self) -> (u8, u8) {
        (self.option, self.suboption)
    }

    /// Text value, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        matches!(self.key(), (2, 1 | 2 | 6) | (3, 12) | (7, 1)).then(|| device_text(self.value)).flatten()
    }

    /// IP parameters, if it holds them.
    #[must_use]
    pub fn ip(&self) -> Option<IpParameter> {
        let mut cursor = Cursor::new(self.value);
        let mut address = || cursor.be32().map(Ipv4Addr::from);
        matches!(self.key(), (1, 2 | 3)).then_some(())?;
        Some(IpParameter { ip: address()?, mask: address()?, gateway: address()? })
    }

    /// MAC address, if it is one.
    #[must_use]
    pub fn mac(&self) -> Option<MacAddr> {
        (self.key() == (1, 1)).then(|| self.value.first_chunk::<6>().map(|mac| MacAddr(*mac))).flatten()
    }

    /// Vendor and device id, if it holds them.
    #[must_use]
    pub fn ids(&self) -> Option<(u16, u16)> {
        let mut cursor = Cursor::new(self.value);
        matches!(self.key(), (2, 3 | 8)).then_some((cursor.be16()?, cursor.be16()?))
    }

    /// Role bits, if it holds them.
    #[must_use]
    pub fn role(&self) -> Option<u8> {
        (self.key() == (2, 4)).then(|| self.value.first().copied()).flatten()
    }

    /// Instance of the device within its station, high and low.
    #[must_use]
    pub fn instance(&self) -> Option<(u8, u8)> {
        match (self.key(), self.value) {
            ((2, 7), [high, low, ..]) => Some((*high, *low)),
            _ => None,
        }
    }

    /// Options that the device says it has.
    pub fn options(&self) -> impl Iterator<Item = (u8, u8)> + use<'a> {
        let pairs = if self.key() == (2, 5) { self.value } else { &[] };
        pairs.chunks_exact(2).filter_map(|pair| match pair {
            [option, suboption] => Some((*option, *suboption)),
            _ => None,
        })
    }

    /// Result, if it is one.
    #[must_use]
    pub fn result(&self) -> Option<BlockResult> {
        match (self.key(), self.value) {
            ((5, 4), [option, suboption, error, ..]) => {
                Some(BlockResult { option: *option, suboption: *suboption, error: *error })
            }
            _ => None,
        }
    }
}

/// Names of the roles of a role byte.
pub fn role_names(role: u8) -> impl Iterator<Item = &'static str> {
    [
        (1, "profinet io-device"),
        (2, "profinet io-controller"),
        (4, "profinet io-multidevice"),
        (8, "profinet io-supervisor"),
    ]
    .into_iter()
    .filter_map(move |(bit, name)| (role & bit != 0).then_some(name))
}

impl fmt::Display for Block<'_> {
    /// Name and value: `name of station = et200sp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(names::suboption(self.option, self.suboption))?;
        if self.key() == (255, 255) || self.value.is_empty() {
            return Ok(());
        }
        if let Some(text) = self.text() {
            return write!(f, " = {text}");
        }
        if let Some(IpParameter { ip, mask, gateway }) = self.ip() {
            return write!(f, " = {ip} netmask {mask} gateway {gateway}");
        }
        if let Some(mac) = self.mac() {
            return write!(f, " = {mac}");
        }
        if let Some((vendor, device)) = self.ids() {
            return write!(f, " = vendor {vendor:#06x} device {device:#06x}");
        }
        if let Some((high, low)) = self.instance() {
            return write!(f, " = {high}.{low}");
        }
        let shown = self.value.get(..RAW_LIMIT).unwrap_or(self.value);
        write!(f, " = {}", Hex(shown))
    }
}
