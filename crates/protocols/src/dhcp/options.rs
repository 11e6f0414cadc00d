//! The fixed fields and options of a message, RFC 2131 section 2 and RFC 2132.

use std::net::Ipv4Addr;

use quaywatch_model::MacAddr;

use super::super::dns::plain_name;
use super::hardware_mac;
use crate::bytes::{Cursor, device_text};

/// Begins the options (RFC 2131 section 3).
const MAGIC: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// Bytes before the options.
const FIXED: usize = 236;
/// Addresses kept of one option.
const MAX_ADDRESSES: usize = 8;
/// Options read of one message.
const MAX_OPTIONS: usize = 256;

/// What the first bytes look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// DHCP, or BOOTP with the options of RFC 1497.
    Dhcp { reply: bool },
    /// The fields of BOOTP are possible.
    Bootp,
}

/// Whether bytes look like a message.
pub(super) fn looks(data: &[u8]) -> Option<Look> {
    let (&[op @ 1..=2, hardware, length @ 0..=16, hops], _) = data.split_first_chunk::<4>()? else { return None };
    let magic = data.get(FIXED..FIXED + 4);
    match magic {
        Some(magic) if magic == MAGIC => Some(Look::Dhcp { reply: op == 2 }),
        Some(_) if hardware == 1 && length == 6 && hops <= 16 && data.len() >= 300 => Some(Look::Bootp),
        _ => None,
    }
}

/// Why a message cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// The fixed fields are not whole.
    Short,
    /// An option ends beyond the message.
    Options,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    pub is_reply: bool,
    pub client_mac: Option<MacAddr>,
    /// ciaddr: the address the client has.
    pub client_ip: Ipv4Addr,
    /// yiaddr: the address it is given.
    pub your_ip: Ipv4Addr,
    /// giaddr.
    pub relay_ip: Ipv4Addr,
    pub options: Options,
    /// What was wrong with the options; those before it were read.
    pub fault: Option<Fault>,
}

/// Options that are read. RFC 2132 unless said.
#[derive(Default, Debug)]
pub(super) struct Options {
    pub message_type: Option<u8>,
    pub host_name: Option<String>,
    pub vendor_class: Option<String>,
    pub client_fqdn: Option<String>,
    pub client_id_mac: Option<MacAddr>,
    pub requested_ip: Option<Ipv4Addr>,
    pub server_id: Option<Ipv4Addr>,
    pub netmask: Option<Ipv4Addr>,
    pub routers: Vec<Ipv4Addr>,
    pub dns: Vec<Ipv4Addr>,
    pub ntp: Vec<Ipv4Addr>,
    pub log: Vec<Ipv4Addr>,
    pub wins: Vec<Ipv4Addr>,
    pub lease: Option<u32>,
    pub domain: Option<String>,
    pub boot_server: Option<String>,
    pub boot_file: Option<String>,
    /// Option 52: bit 0 the file field, bit 1 the server name field hold options too.
    overload: u8,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Fault::Short`] when the fixed fields are not whole; a fault of the options is told in the message.
    pub(super) fn read(data: &[u8]) -> Result<Message, Fault> {
        Self::fields(data).ok_or(Fault::Short)
    }

    fn fields(data: &[u8]) -> Option<Message> {
        let mut cursor = Cursor::new(data);
        let (op, hardware, length) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        cursor.skip(1 + 4 + 2 + 2)?;
        let mut address = || cursor.be32().map(Ipv4Addr::from);
        let (client_ip, your_ip, _next_server, relay_ip) = (address()?, address()?, address()?, address()?);
        let hardware_address = cursor.take(16)?;
        let (server_name, file) = (cursor.take(64)?, cursor.take(128)?);
        let mut options = Options::default();
        let mut read = Ok(());
        if cursor.rest().starts_with(&MAGIC) {
            cursor.skip(4)?;
            read = options.area(cursor);
            if options.overload & 1 != 0 {
                read = read.and(options.area(Cursor::new(file)));
            }
            if options.overload & 2 != 0 {
                read = read.and(options.area(Cursor::new(server_name)));
            }
        }
        if options.overload == 0 {
            options.boot_file = options.boot_file.or_else(|| device_text(file));
            options.boot_server = options.boot_server.or_else(|| device_text(server_name));
        }
        Some(Message {
            is_reply: op == 2,
            client_mac: if length == 6 { hardware_mac(hardware, hardware_address) } else { None },
            client_ip,
            your_ip,
            relay_ip,
            options,
            fault: read.err(),
        })
    }
}

impl Options {
    fn area(&mut self, mut cursor: Cursor<'_>) -> Result<(), Fault> {
        for _ in 0..MAX_OPTIONS {
            match cursor.u8() {
                None | Some(255) => return Ok(()),
                Some(0) => {}
                Some(code) => {
                    let length = cursor.u8().ok_or(Fault::Options)?;
                    let value = cursor.take(usize::from(length)).ok_or(Fault::Options)?;
                    self.option(code, value);
                }
            }
        }
        Ok(())
    }

    fn option(&mut self, code: u8, value: &[u8]) {
        let one = || Cursor::new(value).be32().map(Ipv4Addr::from);
        match code {
            1 => self.netmask = one(),
            3 => self.routers = addresses(value),
            6 => self.dns = addresses(value),
            7 => self.log = addresses(value),
            12 => self.host_name = device_text(value),
            15 => self.domain = device_text(value),
            42 => self.ntp = addresses(value),
            44 => self.wins = addresses(value),
            50 => self.requested_ip = one(),
            51 => self.lease = Cursor::new(value).be32(),
            52 => self.overload = value.first().copied().unwrap_or(0),
            53 => self.message_type = value.first().copied(),
            54 => self.server_id = one(),
            60 => self.vendor_class = device_text(value),
            61 => self.client_id_mac = client_id(value),
            66 => self.boot_server = device_text(value),
            67 => self.boot_file = device_text(value),
            81 => self.client_fqdn = fqdn(value),
            _ => {}
        }
    }
}

fn addresses(value: &[u8]) -> Vec<Ipv4Addr> {
    value.as_chunks::<4>().0.iter().take(MAX_ADDRESSES).map(|octets| Ipv4Addr::from(*octets)).collect()
}

/// A hardware type and address, RFC 2132 section 9.14. Other forms are the client's own.
fn client_id(value: &[u8]) -> Option<MacAddr> {
    match value {
        [kind, octets @ ..] if octets.len() == 6 => hardware_mac(*kind, octets),
        _ => None,
    }
}

/// Flags, two result codes, and a name: as DNS labels if flag E is set, else text (RFC 4702 section 2).
fn fqdn(value: &[u8]) -> Option<String> {
    let name = value.get(3..)?;
    if value.first()? & 4 == 0 {
        return device_text(name);
    }
    // The last label may lack its end: a partial name.
    plain_name(name).or_else(|| plain_name(&[name, &[0]].concat()))
}
