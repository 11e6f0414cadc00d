//! Messages of versions 4, 4a (SOCKS protocol version 4, and its extension 4A) and 5 (RFC 1928, RFC 1929).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use quaywatch_model::{Address, Endpoint};

use super::names;
use crate::bytes::Cursor;

/// Longest user id or host name of version 4; it has no limit of its own.
const MAX_TEXT: usize = 255;

/// Why a message cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// More bytes are needed.
    Short,
    /// It is none.
    Bad,
}

/// A message and how many bytes it has.
pub(super) type Read<T> = Result<(T, usize), Fault>;

/// Where to connect, or what was bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Target<'a> {
    pub(super) host: Host<'a>,
    pub(super) port: u16,
}

/// An address or a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Host<'a> {
    Ip(IpAddr),
    Name(&'a [u8]),
}

impl Target<'_> {
    /// As an end of a flow; a name is none.
    pub(super) fn endpoint(&self) -> Endpoint {
        let address = match self.host {
            Host::Ip(ip) => Address::from(ip),
            Host::Name(name) => literal(name).map_or(Address::None, Address::from),
        };
        Endpoint::new(address, self.port)
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            Host::Ip(ip) => write!(f, "{ip}:{}", self.port),
            Host::Name(name) => {
                let name = String::from_utf8_lossy(name);
                name.chars().map(|c| if c.is_control() { ' ' } else { c }).try_for_each(|c| write!(f, "{c}"))?;
                write!(f, ":{}", self.port)
            }
        }
    }
}

/// An address that was given as a name.
fn literal(name: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// A request of version 4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Request4<'a> {
    pub(super) command: u8,
    pub(super) target: Target<'a>,
    pub(super) user: &'a [u8],
    /// With a host name behind: version 4a.
    pub(super) extended: bool,
}

/// Text that ends with a zero.
fn zero_ended<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Fault> {
    let rest = cursor.rest();
    let Some(end) = rest.iter().position(|byte| *byte == 0) else {
        return Err(if rest.len() > MAX_TEXT { Fault::Bad } else { Fault::Short });
    };
    let text = cursor.take(end).ok_or(Fault::Short)?;
    cursor.skip(1).ok_or(Fault::Short)?;
    if text.len() > MAX_TEXT || text.iter().any(u8::is_ascii_control) { Err(Fault::Bad) } else { Ok(text) }
}

/// Reads a request of version 4 or 4a.
pub(super) fn request4(bytes: &[u8]) -> Read<Request4<'_>> {
    let mut cursor = Cursor::new(bytes);
    if cursor.u8().ok_or(Fault::Short)? != 4 {
        return Err(Fault::Bad);
    }
    let command = cursor.u8().ok_or(Fault::Short)?;
    if !matches!(command, 1 | 2 | 0xf0 | 0xf1) {
        return Err(Fault::Bad);
    }
    let port = cursor.be16().ok_or(Fault::Short)?;
    let ip = cursor.be32().ok_or(Fault::Short)?;
    let user = zero_ended(&mut cursor)?;
    let extended = (1..=255).contains(&ip);
    let host = if extended { Host::Name(zero_ended(&mut cursor)?) } else { Host::Ip(Ipv4Addr::from_bits(ip).into()) };
    let request = Request4 { command, target: Target { host, port }, user, extended };
    Ok((request, bytes.len().saturating_sub(cursor.left())))
}

/// Reads a reply of version 4: its code and what was bound.
pub(super) fn reply4(bytes: &[u8]) -> Read<(u8, Target<'static>)> {
    let mut cursor = Cursor::new(bytes);
    let (version, code) = (cursor.u8().ok_or(Fault::Short)?, cursor.u8().ok_or(Fault::Short)?);
    if version != 0 || !(90..=93).contains(&code) {
        return Err(Fault::Bad);
    }
    let port = cursor.be16().ok_or(Fault::Short)?;
    let ip = cursor.be32().ok_or(Fault::Short)?;
    Ok(((code, Target { host: Host::Ip(Ipv4Addr::from_bits(ip).into()), port }), 8))
}

/// Reads the opening of version 5: the methods that the client offers (section 3).
pub(super) fn greeting(bytes: &[u8]) -> Read<&[u8]> {
    let mut cursor = Cursor::new(bytes);
    let (version, count) = (cursor.u8().ok_or(Fault::Short)?, cursor.u8());
    if version != 5 || count == Some(0) {
        return Err(Fault::Bad);
    }
    let count = usize::from(count.ok_or(Fault::Short)?);
    let offered = cursor.rest().get(..count.min(cursor.left())).unwrap_or_default();
    if offered.iter().any(|code| names::method(*code).is_none() && *code < 0x80) {
        return Err(Fault::Bad);
    }
    let methods = cursor.take(count).ok_or(Fault::Short)?;
    Ok((methods, count.saturating_add(2)))
}

/// Reads the server's choice of a method; 0xff is none.
pub(super) fn choice(bytes: &[u8]) -> Read<u8> {
    match bytes {
        [5, method, ..] => Ok((*method, 2)),
        [5] | [] => Err(Fault::Short),
        _ => Err(Fault::Bad),
    }
}

/// Reads user and password (RFC 1929 section 2).
pub(super) fn login(bytes: &[u8]) -> Read<(&[u8], &[u8])> {
    let mut cursor = Cursor::new(bytes);
    if cursor.u8().ok_or(Fault::Short)? != 1 {
        return Err(Fault::Bad);
    }
    let mut text = || {
        let length = usize::from(cursor.u8().ok_or(Fault::Short)?);
        cursor.take(length).ok_or(Fault::Short)
    };
    let (user, password) = (text()?, text()?);
    Ok(((user, password), user.len().saturating_add(password.len()).saturating_add(3)))
}

/// Reads the outcome of a login: 0 is success.
pub(super) fn login_status(bytes: &[u8]) -> Read<u8> {
    match bytes {
        // Some servers say version 5 here.
        [1 | 5, status, ..] => Ok((*status, 2)),
        [1 | 5] | [] => Err(Fault::Short),
        _ => Err(Fault::Bad),
    }
}

/// Reads a request of version 5: command and target (section 4).
pub(super) fn request5(bytes: &[u8]) -> Read<(u8, Target<'_>)> {
    let read = code_and_target(bytes)?;
    if names::command(read.0.0).is_none() { Err(Fault::Bad) } else { Ok(read) }
}

/// Reads a reply of version 5: code and what was bound (section 6).
pub(super) fn reply5(bytes: &[u8]) -> Read<(u8, Target<'_>)> {
    let read = code_and_target(bytes)?;
    if read.0.0 > 8 { Err(Fault::Bad) } else { Ok(read) }
}

fn code_and_target(bytes: &[u8]) -> Read<(u8, Target<'_>)> {
    let mut cursor = Cursor::new(bytes);
    let mut u8 = || cursor.u8().ok_or(Fault::Short);
    if u8()? != 5 {
        return Err(Fault::Bad);
    }
    let code = u8()?;
    if u8()? != 0 {
        return Err(Fault::Bad);
    }
    let host = match u8()? {
        1 => Host::Ip(Ipv4Addr::from_bits(cursor.be32().ok_or(Fault::Short)?).into()),
        3 => {
            let length = usize::from(cursor.u8().ok_or(Fault::Short)?);
            Host::Name(cursor.take(length).ok_or(Fault::Short)?)
        }
        4 => {
            let bytes = cursor.take(16).ok_or(Fault::Short)?.first_chunk::<16>().ok_or(Fault::Short)?;
            Host::Ip(Ipv6Addr::from(*bytes).into())
        }
        _ => return Err(Fault::Bad),
    };
    let port = cursor.be16().ok_or(Fault::Short)?;
    Ok(((code, Target { host, port }), bytes.len().saturating_sub(cursor.left())))
}
