//! What the services name: objects, properties, values (clauses 13 to 17, syntax of clause 21).

use crate::bytes::Cursor;

use super::tag::{Failure, Kind, Object, Property, Tag, list};

/// Which list of services a choice is of, and the choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Answered.
    Confirmed(u8),
    /// Told without an answer.
    Unconfirmed(u8),
}

/// One object or property that a service names.
#[derive(Clone, Copy, Default, Debug)]
pub struct Item<'a> {
    /// The object.
    pub object: Option<Object>,
    /// The property of it.
    pub property: Option<Property>,
    /// Its tagged values.
    pub values: Option<&'a [u8]>,
    /// Priority of a write, 1 to 16.
    pub priority: Option<u32>,
    /// Why it could not be read.
    pub failure: Option<Failure>,
}

/// Context numbers of a service whose parameters stand side by side.
#[derive(Clone, Copy, Default)]
struct Flat {
    objects: &'static [u8],
    property: Option<u8>,
    index: Option<u8>,
    values: Option<u8>,
    priority: Option<u8>,
    /// A list of properties of the object named before.
    group: Option<u8>,
}

/// Context numbers in a list of properties.
#[derive(Clone, Copy)]
struct Group {
    property: u8,
    index: u8,
    values: Option<u8>,
    priority: Option<u8>,
    failure: Option<u8>,
}

const ASKED: Group = Group { property: 0, index: 1, values: None, priority: None, failure: None };
const GIVEN: Group = Group { property: 2, index: 3, values: Some(4), priority: None, failure: Some(5) };
const WRITTEN: Group = Group { property: 0, index: 1, values: Some(2), priority: Some(3), failure: None };

/// Objects of one property each.
const PROPERTY: Flat =
    Flat { objects: &[0], property: Some(1), index: Some(2), values: None, priority: None, group: None };
const NOTHING: Flat = Flat { objects: &[], property: None, index: None, values: None, priority: None, group: None };

/// Calls `each` for what a request or an unconfirmed service names. False if the parameters break their syntax.
pub fn asked<'a>(choice: Choice, body: &'a [u8], each: &mut dyn FnMut(Item<'a>)) -> bool {
    let layout = match choice {
        Choice::Confirmed(14) => return grouped(ASKED, body, each),
        Choice::Confirmed(16) => return grouped(WRITTEN, body, each),
        Choice::Confirmed(10) => return created(body, each),
        Choice::Confirmed(12 | 26) => PROPERTY,
        Choice::Confirmed(8 | 9 | 15) => Flat { values: Some(3), priority: Some(4), ..PROPERTY },
        Choice::Confirmed(0 | 5) => Flat { objects: &[1], ..NOTHING },
        Choice::Confirmed(28) => Flat { objects: &[1], group: Some(4), ..NOTHING },
        Choice::Confirmed(27) => Flat { objects: &[3], ..NOTHING },
        Choice::Confirmed(2) | Choice::Unconfirmed(3) => Flat { objects: &[1, 2], ..NOTHING },
        Choice::Confirmed(1) | Choice::Unconfirmed(2) => Flat { objects: &[1, 2], group: Some(4), ..NOTHING },
        Choice::Unconfirmed(7) => Flat { objects: &[2], ..NOTHING },
        _ => NOTHING,
    };
    flat(layout, body, each)
}

/// Calls `each` for what an answer names. False if the parameters break their syntax.
pub fn answered<'a>(service: u8, body: &'a [u8], each: &mut dyn FnMut(Item<'a>)) -> bool {
    match service {
        14 => grouped(GIVEN, body, each),
        12 => flat(Flat { values: Some(3), ..PROPERTY }, body, each),
        26 => flat(Flat { values: Some(5), ..PROPERTY }, body, each),
        29 => {
            let mut cursor = Cursor::new(body);
            match Tag::read(&mut cursor) {
                Some(tag) if tag.opens(0) => list(0, &mut cursor)
                    .is_some_and(|summaries| flat(Flat { objects: &[0], ..NOTHING }, summaries, each)),
                _ => false,
            }
        }
        _ => flat(NOTHING, body, each),
    }
}

fn flat<'a>(layout: Flat, body: &'a [u8], each: &mut dyn FnMut(Item<'a>)) -> bool {
    let mut cursor = Cursor::new(body);
    let mut item = Item::default();
    let mut told = true;
    while !cursor.is_empty() {
        let Some(tag) = Tag::read(&mut cursor) else { return false };
        let number = Some(tag.number);
        match tag.kind {
            Kind::Opening => {
                let Some(inner) = list(tag.number, &mut cursor) else { return false };
                if layout.values == number {
                    item.values = Some(inner);
                } else if layout.group == number {
                    told = true;
                    let group = if inner.is_empty() { ASKED } else { WRITTEN };
                    if !properties(group, item.object, inner, each) {
                        return false;
                    }
                }
            }
            Kind::Closing => return false,
            Kind::Application if tag.number != 12 => {}
            Kind::Context if layout.property == number => {
                item.property = tag.unsigned().map(|id| Property { id, index: None });
            }
            Kind::Context if layout.index == number => {
                item.property = item.property.map(|property| Property { index: tag.unsigned(), ..property });
            }
            Kind::Context if layout.priority == number => item.priority = tag.unsigned(),
            Kind::Context if !layout.objects.contains(&tag.number) => {}
            Kind::Context | Kind::Application => {
                let Some(object) = tag.object() else { return false };
                if !told {
                    each(item);
                }
                item = Item { object: Some(object), ..Item::default() };
                told = false;
            }
        }
    }
    if !told {
        each(item);
    }
    true
}

/// Objects, each with a list of properties.
fn grouped<'a>(group: Group, body: &'a [u8], each: &mut dyn FnMut(Item<'a>)) -> bool {
    let mut cursor = Cursor::new(body);
    while !cursor.is_empty() {
        let Some(object) = Tag::read(&mut cursor).filter(|tag| tag.is(0)).and_then(|tag| tag.object()) else {
            return false;
        };
        if !Tag::read(&mut cursor).is_some_and(|tag| tag.opens(1)) {
            return false;
        }
        let Some(inner) = list(1, &mut cursor) else { return false };
        if !properties(group, Some(object), inner, each) {
            return false;
        }
    }
    true
}

fn properties<'a>(group: Group, object: Option<Object>, body: &'a [u8], each: &mut dyn FnMut(Item<'a>)) -> bool {
    let mut cursor = Cursor::new(body);
    let mut item = Item { object, ..Item::default() };
    while !cursor.is_empty() {
        let Some(tag) = Tag::read(&mut cursor) else { return false };
        let number = Some(tag.number);
        match tag.kind {
            Kind::Opening => {
                let Some(inner) = list(tag.number, &mut cursor) else { return false };
                if group.values == number {
                    item.values = Some(inner);
                } else if group.failure == number {
                    item.failure = Failure::read(&mut Cursor::new(inner));
                }
            }
            Kind::Context if tag.number == group.property => {
                if item.property.is_some() {
                    each(item);
                }
                let property = tag.unsigned().map(|id| Property { id, index: None });
                item = Item { object, property, ..Item::default() };
            }
            Kind::Context if tag.number == group.index => {
                item.property = item.property.map(|property| Property { index: tag.unsigned(), ..property });
            }
            Kind::Context if group.priority == number => item.priority = tag.unsigned(),
            _ => return false,
        }
    }
    each(item);
    true
}

/// CreateObject names an object or only a type (clause 15.3), then initial values.
fn created<'a>(body: &'a [u8], each: &mut dyn FnMut(Item<'a>)) -> bool {
    let mut cursor = Cursor::new(body);
    if !Tag::read(&mut cursor).is_some_and(|tag| tag.opens(0)) {
        return false;
    }
    let Some(specifier) = list(0, &mut cursor) else { return false };
    let object = Tag::read(&mut Cursor::new(specifier)).and_then(|tag| match tag.number {
        1 => tag.object(),
        // Any instance.
        _ => Some(Object { kind: u16::try_from(tag.unsigned()?).ok()?, instance: 0x3f_ffff }),
    });
    each(Item { object, ..Item::default() });
    if cursor.is_empty() {
        return true;
    }
    let opened = Tag::read(&mut cursor).is_some_and(|tag| tag.opens(1));
    opened && list(1, &mut cursor).is_some_and(|values| properties(WRITTEN, object, values, each))
}

/// The error of an Error PDU: bare, or in a list where the service adds to it (clause 21, Error).
#[must_use]
pub fn failure(body: &[u8]) -> Option<Failure> {
    let mut cursor = Cursor::new(body);
    let mut ahead = cursor;
    match Tag::read(&mut ahead)? {
        tag if tag.opens(0) => Failure::read(&mut Cursor::new(list(0, &mut ahead)?)),
        _ => Failure::read(&mut cursor),
    }
}

/// A part of a file in a request or an answer of the file services (clauses 14.1 and 14.2).
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Whether the file is read or written by records, not by octets.
    pub records: bool,
    /// First octet or record.
    pub start: i64,
    /// Octets or records asked for.
    pub count: Option<u32>,
    /// Tagged octet strings.
    pub data: &'a [u8],
    /// Whether it is the last part; told by answers to a read only.
    pub last: bool,
}

/// The part of a file that a request or an answer names.
#[must_use]
pub fn part(body: &[u8]) -> Option<Part<'_>> {
    let mut cursor = Cursor::new(body);
    let mut last = false;
    loop {
        let tag = Tag::read(&mut cursor)?;
        match tag.kind {
            // End of file; the other application tag here is the file.
            Kind::Application if tag.number == 1 => last = tag.content == [1],
            Kind::Application => {}
            Kind::Opening => {
                let mut inner = Cursor::new(list(tag.number, &mut cursor)?);
                let start = Tag::read(&mut inner)?.signed()?;
                let mut ahead = inner;
                let count = Tag::read(&mut ahead).filter(|tag| tag.number == 2).and_then(|tag| tag.unsigned());
                let rest = if count.is_some() { ahead } else { inner };
                return Some(Part { records: tag.number == 1, start, count, data: rest.rest(), last });
            }
            _ => return None,
        }
    }
}
