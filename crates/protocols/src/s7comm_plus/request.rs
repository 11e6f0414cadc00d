//! What requests ask: objects, attributes, addresses of tags and values for them, blocks.

use std::fmt::Write;

use quaywatch_model::{At, Endpoint, OperationClass};
use sha2::{Digest, Sha256};

use super::items::{Items, Shown, TOLD_LIMIT};
use super::names;
use super::value::{self, Elements, Value, vlq32};
use crate::bytes::{Cursor, device_text};
use crate::cotp::Message;
use crate::detail_json::DetailJson;

/// A request while it waits.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) at: At,
    pub(super) asked: bool,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) unit: Option<u32>,
    pub(super) function: u16,
    pub(super) name: &'static str,
    pub(super) class: OperationClass,
    pub(super) object: String,
    pub(super) quantity: Option<u64>,
    pub(super) detail: DetailJson,
    pub(super) block: Option<Block>,
    pub(super) subscribed: Vec<Subscribed>,
    /// Whether values may be told: those of tags are process data, those of other objects may be secrets.
    pub(super) tags: bool,
    pub(super) login: Option<Login>,
}

/// A block in a download.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
}

/// A tag or attribute that a subscription reports, and the number under which it does.
#[derive(Clone, Debug)]
pub(super) struct Subscribed {
    pub(super) reference: u32,
    pub(super) name: String,
}

/// What a session request says of its client.
#[derive(Default, Debug)]
pub(super) struct Login {
    pub(super) method: &'static str,
    pub(super) user: String,
    pub(super) software: String,
    pub(super) host: String,
}

pub(super) fn begin(function: u16, message: &Message<'_>, asked: bool) -> Request {
    let (client, server) = if asked { (message.sender, message.receiver) } else { (message.receiver, message.sender) };
    let (name, class) = names::function(function);
    Request {
        at: message.at,
        asked,
        client,
        server,
        unit: message.unit,
        function,
        name,
        class,
        object: String::new(),
        quantity: None,
        detail: DetailJson::default(),
        block: None,
        subscribed: Vec::new(),
        tags: false,
        login: None,
    }
}

pub(super) fn write_object(id: u32, into: &mut String) {
    let _ = match (names::object(id), id >> 16) {
        ("", 0x8a0e) => write!(into, "DB{}", id & 0xffff),
        ("", 0x8a32) => write!(into, "OB{}", id & 0xffff),
        ("", _) => write!(into, "{id:#x}"),
        (name, _) => write!(into, "{name}"),
    };
}

pub(super) fn is_block(id: u32) -> bool {
    id >> 24 == 0x8a
}

/// Tags of one subscription that are kept by name.
pub const SUBSCRIBED_LIMIT: usize = 128;
/// Attribute ids printed of one request.
pub(super) const ID_LIMIT: usize = 16;
/// The class and parent of what creates a session.
const SESSION_CONTAINER: u32 = 285;
const PROGRAM: u32 = 3;
const EXEC_UNIT: u32 = 52;
/// SubscriptionReferenceList of a subscription.
const REFERENCES: u32 = 1048;
/// Attributes of a session by which a client proves that it knows the password: response to the challenge of attribute
/// 303, and the newer form of it.
const PROOFS: [u32; 2] = [304, 1846];

/// Whether tags live there: process image, markers, counters, timers, data blocks.
fn is_tags(id: u32) -> bool {
    matches!(id, 80..=84) || id >> 16 == 0x8a0e
}

/// Reads the body of a request; `None` where its form is unknown.
pub(super) fn describe(request: &mut Request, version: u8, session: u32, cursor: &mut Cursor<'_>) -> Option<()> {
    match request.function {
        0x04bb => write_object(cursor.be32()?, &mut request.object),
        0x04ca => created(request, version, cursor)?,
        0x04d4 => {
            let id = cursor.be32()?;
            write_object(id, &mut request.object);
            if is_block(id) {
                request.class = OperationClass::Program;
            }
        }
        0x04f2 => set_variable(request, session, cursor)?,
        0x0542 | 0x054c => multi(request, session, cursor)?,
        0x0586 => substreamed(request, cursor)?,
        _ => {}
    }
    Some(())
}

fn created(request: &mut Request, version: u8, cursor: &mut Cursor<'_>) -> Option<()> {
    let parent = cursor.be32()?;
    value::value(cursor, 0, &mut |_, _| ())?;
    cursor.skip(4)?;
    let mut after = *cursor;
    // The integrity id, where there is one, stands before the object's start tag.
    if version > 1 && vlq32(&mut after).is_some() && after.rest().first() == Some(&0xa1) {
        *cursor = after;
    }
    let bytes = cursor.rest();
    let (mut name, mut login, mut subscribed) = (String::new(), Login::default(), Vec::new());
    let mut each = |id: u32, value: Value<'_>| {
        if let (REFERENCES, Value::Array(elements)) = (id, value) {
            subscribed = references(elements);
        }
        let Value::Text(text) = value else { return };
        let text = device_text(text).unwrap_or_default();
        match id {
            233 if name.is_empty() => name = text,
            296 => login.user = text,
            297 => login.software = text,
            298 => login.host = text,
            _ => {}
        }
    };
    let object = value::object(cursor, 0, &mut each)?;
    let kind = names::block(object.class);
    if kind.is_empty() {
        request.object.push_str(if name.is_empty() { names::object(object.id) } else { &name });
    } else {
        let _ = write!(request.object, "{kind}{} {name}", object.id & 0xffff);
    }
    request.detail.number("class", object.class);
    request.detail.number("parent", parent);
    if parent == SESSION_CONTAINER {
        request.login = Some(login);
    } else if parent == PROGRAM || is_block(object.id) || matches!(object.id, 2 | PROGRAM) {
        request.class = OperationClass::Program;
        let whole = value::taken(bytes, cursor)?;
        request.quantity = u64::try_from(whole.len()).ok();
        let block =
            Block { name: request.object.clone(), size: request.quantity?, sha256: Sha256::digest(whole).into() };
        request.block = Some(block);
    }
    if !subscribed.is_empty() {
        let names = subscribed.iter().take(TOLD_LIMIT).map(|tag| &tag.name);
        request.detail.texts("subscribed", names);
        request.quantity = u64::try_from(subscribed.len()).ok();
    }
    request.subscribed = subscribed;
    Some(())
}

/// The list of what a subscription reports: a head of three numbers, then per tag its kind and count of parts, its
/// reference, two numbers that depend on the kind, its area and the parts of its address.
fn references(elements: Elements<'_>) -> Vec<Subscribed> {
    let mut numbers = elements.each().skip(3).map_while(|said| match said {
        Value::Unsigned(number) => u32::try_from(number).ok(),
        _ => None,
    });
    let mut next = || -> Option<Subscribed> {
        let (head, reference, _, area, _) =
            (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?);
        let mut name = String::new();
        write_object(area, &mut name);
        // 0x8004: a tag, whose first part is the kind of value; 0x8012: attributes of an object.
        let skipped = u32::from(head >> 16 == 0x8004);
        for part in 0..head & 0xffff {
            let id = numbers.next()?;
            if part >= skipped {
                let _ = write!(name, ".{id}");
            }
        }
        Some(Subscribed { reference, name })
    };
    std::iter::from_fn(&mut next).take(SUBSCRIBED_LIMIT).collect()
}

fn set_variable(request: &mut Request, session: u32, cursor: &mut Cursor<'_>) -> Option<()> {
    let object = cursor.be32()?;
    write_object(object, &mut request.object);
    let count = usize::from(cursor.u8()?);
    let ids: Vec<u32> = (0..count).map_while(|_| vlq32(cursor)).collect();
    if ids.len() < count {
        return None;
    }
    request.class = match object {
        EXEC_UNIT => OperationClass::Control,
        PROGRAM => OperationClass::Program,
        _ if is_block(object) && !is_tags(object) => OperationClass::Program,
        _ if is_tags(object) => OperationClass::Write,
        // Objects of the session itself, and subscriptions that a client made.
        _ if object == session || object >> 16 == 0x7040 || object >> 16 == 0x7000 => OperationClass::Session,
        _ => OperationClass::Configure,
    };
    let first = ids.first().copied();
    if object == session && first.is_some_and(|id| PROOFS.contains(&id)) {
        request.name = "legitimate";
        request.login = Some(Login { method: "password", ..Login::default() });
    }
    request.detail.numbers("attributes", ids.into_iter().take(ID_LIMIT));
    let said = value::value(cursor, 0, &mut |_, _| ())?;
    // CPUexecUnit.operatingStateReq.
    if let (EXEC_UNIT, Some(2167), Value::Signed(state)) = (object, first, said) {
        request.name = match state {
            1 => "stop",
            3 => "run",
            _ => "operating state request",
        };
        request.detail.number("operating_state_request", state);
    }
    Some(())
}

/// Several variables: either attributes of one object, or addresses of tags with their symbol checksums.
fn multi(request: &mut Request, session: u32, cursor: &mut Cursor<'_>) -> Option<()> {
    let linked = cursor.be32()?;
    let count = vlq32(cursor)?;
    let fields = vlq32(cursor)?;
    request.quantity = Some(count.into());
    if linked != 0 {
        write_object(linked, &mut request.object);
        let ids: Vec<u32> = (0..fields).map_while(|_| vlq32(cursor)).take(ID_LIMIT).collect();
        request.detail.numbers("attributes", ids);
        if request.function == 0x0542 {
            let own = linked == session || linked >> 16 == 0x7040 || linked >> 16 == 0x7000;
            request.class = if own { OperationClass::Session } else { OperationClass::Configure };
        }
        return Some(());
    }
    let mut tags = false;
    for index in 0..count {
        let (_symbol, area, parts) = (vlq32(cursor)?, vlq32(cursor)?, vlq32(cursor)?);
        tags |= is_tags(area);
        if usize::try_from(index).is_ok_and(|index| index < ID_LIMIT) {
            if index > 0 {
                request.object.push_str(", ");
            }
            write_object(area, &mut request.object);
        }
        for part in 0..parts {
            let id = vlq32(cursor)?;
            if part > 0 && usize::try_from(index).is_ok_and(|index| index < ID_LIMIT) {
                let _ = write!(request.object, ".{id}");
            }
        }
    }
    request.tags = tags;
    if request.function == 0x054c {
        return Some(());
    }
    if !tags {
        request.class = OperationClass::Configure;
        return Some(());
    }
    let mut items = Items::counted(cursor, count);
    request.detail.texts("values", items.by_ref().take(TOLD_LIMIT).map(|(_, said)| Shown(said)));
    items.finish()
}

fn substreamed(request: &mut Request, cursor: &mut Cursor<'_>) -> Option<()> {
    let object = cursor.be32()?;
    write_object(object, &mut request.object);
    // An address array of UDInt: flags, type, count, ids.
    if cursor.take(2)? != [0x20, 4] {
        return None;
    }
    let count = vlq32(cursor)?;
    let ids: Vec<u32> = (0..count).map_while(|_| vlq32(cursor)).take(ID_LIMIT).collect();
    if object == 49 && ids.first() == Some(&3753) {
        request.class = OperationClass::Identify;
    }
    request.detail.numbers("attributes", ids);
    Some(())
}
