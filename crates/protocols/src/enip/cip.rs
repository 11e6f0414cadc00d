//! CIP messages: services, paths, results (CIP Networks Library volume 1, chapter 2 and appendix A).

use std::fmt::Write as _;

use quaywatch_model::OperationClass;

use super::names;
use super::path::Path;
use crate::bytes::Cursor;
use crate::detail::Detail;

/// Services of one Multiple Service Packet that are told apart.
const MAX_SERVICES: usize = 256;

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Service or command code.
    pub(super) code: u16,
    pub(super) name: &'static str,
    pub(super) class: OperationClass,
    /// Path in words.
    pub(super) object: String,
    pub(super) path: Path,
    /// Elements or bytes.
    pub(super) quantity: Option<u64>,
    /// Slot that a route leads to.
    pub(super) slot: Option<u32>,
    /// Came in an Unconnected Send.
    routed: bool,
    /// What a connection that is opened or closed leads to.
    connection_path: Option<Path>,
    /// A command of the encapsulation, not a CIP service.
    pub(super) is_command: bool,
    /// Place in a Multiple Service Packet, if in one.
    part: Option<(u16, u16)>,
    /// Attributes of a Get_Attribute_List.
    pub(super) attributes: Vec<u16>,
}

impl Asked {
    /// A command of the encapsulation.
    pub(super) fn command(command: u16) -> Self {
        let (name, class) = names::command(command);
        Asked {
            code: command,
            name,
            class,
            object: String::new(),
            path: Path::default(),
            quantity: None,
            slot: None,
            routed: false,
            connection_path: None,
            is_command: true,
            part: None,
            attributes: Vec::new(),
        }
    }

    /// Further facts as JSON.
    pub(super) fn detail(&self, detail: &mut Detail, session: u32, connection: Option<u32>) {
        detail.begin();
        let numbers = [
            ("class", self.path.class),
            ("instance", self.path.instance),
            ("attribute", self.path.attribute),
            ("member", self.path.member),
            ("connection_point", self.path.connection_point),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                detail.number(key, u64::from(value));
            }
        }
        detail.text("symbol", &self.path.symbol);
        if !self.attributes.is_empty() {
            let attributes: Vec<String> = self.attributes.iter().map(u16::to_string).collect();
            detail.list("attributes", attributes.iter().map(String::as_str));
        }
        if self.routed {
            detail.flag("routed", true);
        }
        if let Some(path) = &self.connection_path {
            detail.text("connection_path", &path.to_string());
            for (key, value) in [("connection_class", path.class), ("connection_instance", path.instance)] {
                if let Some(value) = value {
                    detail.number(key, u64::from(value));
                }
            }
        }
        if let Some((number, count)) = self.part {
            detail.number("service", u64::from(number)).number("services", u64::from(count));
        }
        if session != 0 {
            detail.number("session", u64::from(session));
        }
        if let Some(connection) = connection {
            detail.number("connection", u64::from(connection));
        }
    }
}

/// What a reply says of one service.
pub(super) struct Replied<'a> {
    pub(super) asked: Asked,
    pub(super) status: u8,
    pub(super) data: &'a [u8],
}

/// Reads a request: one service, or those of a Multiple Service Packet; an Unconnected Send is unwrapped.
pub(super) fn request(message: &[u8]) -> Option<Vec<Asked>> {
    let (asked, data) = service(message)?;
    match (asked.code, asked.path.class) {
        (0x52, Some(0x06)) => match unconnected_send(data) {
            Some((inner, slot)) => {
                let mut asked = request(inner)?;
                for service in &mut asked {
                    (service.slot, service.routed) = (slot, true);
                }
                Some(asked)
            }
            None => Some(vec![asked]),
        },
        (0x0a, Some(0x02)) => Some(multiple(data).unwrap_or_else(|| vec![asked])),
        _ => Some(vec![asked]),
    }
}

fn service(message: &[u8]) -> Option<(Asked, &[u8])> {
    let mut cursor = Cursor::new(message);
    let code = cursor.u8()?;
    let words = usize::from(cursor.u8()?);
    let path = Path::parse(cursor.take(words * 2)?);
    let data = cursor.rest();
    let (name, class) = names::service(code, path.class, !path.symbol.is_empty());
    let mut asked = Asked {
        code: u16::from(code),
        name,
        class,
        object: path.to_string(),
        quantity: quantity(code, name, data),
        slot: None,
        routed: false,
        connection_path: connection_path(code, &path, data),
        path,
        is_command: false,
        part: None,
        attributes: Vec::new(),
    };
    if code == 0x03 {
        let mut list = Cursor::new(data);
        let count = list.le16().unwrap_or(0).min(64);
        asked.attributes = (0..count).map_while(|_| list.le16()).collect();
        let _ = write!(asked.object, " attributes {:?}", asked.attributes);
    }
    Some((asked, data))
}

/// The path at the end of Forward Open, Large Forward Open and Forward Close (volume 1, section 3-5.5).
fn connection_path(code: u8, path: &Path, data: &[u8]) -> Option<Path> {
    let fixed = match (path.class, code) {
        (Some(0x06), 0x4e) => 10,
        (Some(0x06), 0x54) => 35,
        (Some(0x06), 0x5b) => 39,
        _ => return None,
    };
    let mut cursor = Cursor::new(data);
    cursor.skip(fixed)?;
    let words = usize::from(cursor.u8()?);
    if code == 0x4e {
        cursor.skip(1)?;
    }
    Some(Path::parse(cursor.take(words * 2)?))
}

/// Elements of a tag service, else bytes that are set.
fn quantity(code: u8, name: &str, data: &[u8]) -> Option<u64> {
    let mut cursor = Cursor::new(data);
    match (code, name) {
        (0x4c, "Read Tag") | (0x52, "Read Tag Fragmented") => cursor.le16().map(u64::from),
        (0x4d, "Write Tag") | (0x53, "Write Tag Fragmented") => {
            cursor.skip(2).and_then(|()| cursor.le16()).map(u64::from)
        }
        (0x02 | 0x04 | 0x10, _) => Some(data.len() as u64),
        _ => None,
    }
}

/// The message inside an Unconnected Send (volume 1, section 3-5.5.4) and the slot that its route leads to.
fn unconnected_send(data: &[u8]) -> Option<(&[u8], Option<u32>)> {
    let mut cursor = Cursor::new(data);
    cursor.skip(2)?;
    let length = usize::from(cursor.le16()?);
    let inner = cursor.take(length)?;
    if !length.is_multiple_of(2) {
        cursor.skip(1)?;
    }
    let words = usize::from(cursor.u8().unwrap_or(0));
    let route = cursor.skip(1).and_then(|()| cursor.take(words * 2));
    Some((inner, route.and_then(|route| Path::parse(route).port.map(|(_, slot)| slot))))
}

/// Offsets of the parts of a Multiple Service Packet count from its own count field.
fn parts(data: &[u8]) -> Option<Vec<&[u8]>> {
    let mut cursor = Cursor::new(data);
    let count = usize::from(cursor.le16()?);
    if count > MAX_SERVICES {
        return None;
    }
    let offsets = (0..count).map(|_| cursor.le16().map(usize::from)).collect::<Option<Vec<usize>>>()?;
    let ends = offsets.iter().skip(1).copied().chain([data.len()]);
    offsets.iter().zip(ends).map(|(from, to)| data.get(*from..to)).collect()
}

fn multiple(data: &[u8]) -> Option<Vec<Asked>> {
    let parts = parts(data)?;
    let count = u16::try_from(parts.len()).ok()?;
    let mut all = Vec::new();
    for (number, part) in (1..).zip(parts) {
        let (mut asked, _) = service(part)?;
        asked.part = Some((number, count));
        all.push(asked);
    }
    (!all.is_empty()).then_some(all)
}

/// Reads a reply to what was asked; without a request the reply's own code is all there is to tell.
pub(super) fn reply<'a>(message: &'a [u8], asked: &[Asked]) -> Option<Vec<Replied<'a>>> {
    let (code, status, data) = head(message)?;
    if code == 0x0a && status_carries_parts(status) && asked.iter().all(|asked| asked.part.is_some()) {
        let parts = parts(data).filter(|parts| asked.is_empty() || parts.len() == asked.len());
        if let Some(parts) = parts {
            return parts.into_iter().enumerate().map(|(index, part)| one(part, asked.get(index))).collect();
        }
    }
    match asked {
        [] => Some(vec![Replied { asked: unasked(code), status, data }]),
        asked => Some(asked.iter().map(|asked| Replied { asked: asked.clone(), status, data }).collect()),
    }
}

/// Success, or "embedded service error": each part has its own status.
const fn status_carries_parts(status: u8) -> bool {
    matches!(status, 0x00 | 0x1e)
}

fn one<'a>(part: &'a [u8], asked: Option<&Asked>) -> Option<Replied<'a>> {
    let (code, status, data) = head(part)?;
    Some(Replied { asked: asked.cloned().unwrap_or_else(|| unasked(code)), status, data })
}

/// Service without the reply bit, general status, and what follows the additional status.
fn head(message: &[u8]) -> Option<(u8, u8, &[u8])> {
    let mut cursor = Cursor::new(message);
    let code = cursor.u8()? & 0x7f;
    cursor.skip(1)?;
    let status = cursor.u8()?;
    let words = usize::from(cursor.u8()?);
    cursor.skip(words * 2)?;
    Some((code, status, cursor.rest()))
}

fn unasked(code: u8) -> Asked {
    let (name, class) = names::service(code, None, false);
    Asked { name, class, is_command: false, ..Asked::command(u16::from(code)) }
}
