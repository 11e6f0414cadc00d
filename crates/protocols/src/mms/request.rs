//! Confirmed requests and unconfirmed services (ISO 9506-2 sections 8 to 18): what each asks for.

use quaywatch_model::OperationClass;

use super::ber::Element;
use super::exchange::{Exchange, ObjectName, Step};
use super::names;

/// Values written that the detail of one operation lists.
const VALUES_LISTED: usize = 16;
/// Levels of nesting in which names are looked for where a service is not taken apart.
const SEARCH_DEPTH: u8 = 6;

/// Reads the service of a confirmed request into `ask`; `None` if a part that must be there is missing.
pub fn describe(service: Element<'_>, ask: &mut Exchange) -> Option<()> {
    match service.number {
        // Status and identify say nothing.
        0 | 2 => {}
        1 => name_list(service, ask)?,
        4 => read(service, ask)?,
        5 => write(service, ask)?,
        6 => {
            let name = Element::only(service.content)?;
            match variable(name) {
                Some(name) => ask.on(name),
                None => ask.on("address"),
            }
            ask.named();
        }
        // The name itself is the content; in definitions what is defined follows it.
        11 | 12 => named_list(service, ask)?,
        26 => domain(service, ask, Step::BeginDownload)?,
        27 => plain(service, ask, Step::Download),
        28 => domain(service, ask, Step::EndDownload)?,
        29 => plain(service, ask, Step::BeginUpload),
        30 => numbered(service, ask, Step::Upload)?,
        31 => numbered(service, ask, Step::EndUpload)?,
        36 | 37 | 39 | 45 => plain(service, ask, |_| Step::None),
        72 => {
            let name = file_name(service.child(0xa0)?);
            ask.on(&name);
            ask.step = Step::OpenFile(name);
            if let Some(position) = service.child(0x81).and_then(|at| at.unsigned()).filter(|at| *at > 0) {
                ask.detail.number("position", position.into());
            }
        }
        73 => numbered(service, ask, Step::ReadFile)?,
        74 => numbered(service, ask, Step::CloseFile)?,
        75 => {
            ask.on(file_name(service.child(0xa0)?));
            ask.on(file_name(service.child(0xa1)?));
            ask.named();
        }
        76 => ask.on(file_name(service)),
        77 => {
            if let Some(name) = service.child(0xa0) {
                ask.on(file_name(name));
            }
        }
        _ => {
            search(service, ask, SEARCH_DEPTH);
            ask.named();
        }
    }
    Some(())
}

/// Names in a service that is not taken apart: object names, identifiers, file names.
fn search(element: Element<'_>, ask: &mut Exchange, depth: u8) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if element.first == 0xa1
        && let Some(name) = ObjectName::read(element)
    {
        return ask.on(name);
    }
    if element.is_constructed() {
        return element.children().for_each(|child| search(child, ask, depth));
    }
    let identifier = element.content.len() > 1
        && element
            .content
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'_' | b'.' | b'/' | b'-'));
    if matches!(element.first, 0x19 | 0x1a) || identifier && matches!(element.first, 0x80..=0x9f) {
        ask.on(element.plain());
    }
}

/// Parts of a file's name, which most devices send as one.
fn file_name(parts: Element<'_>) -> String {
    let parts: Vec<String> =
        parts.children().filter(|part| part.first == 0x19).map(|part| part.plain().to_string()).collect();
    parts.join("/")
}

fn plain(service: Element<'_>, ask: &mut Exchange, step: impl Fn(String) -> Step) {
    let name = service.plain().to_string();
    ask.on(&name);
    ask.step = step(name);
}

fn domain(service: Element<'_>, ask: &mut Exchange, step: impl Fn(String) -> Step) -> Option<()> {
    plain(service.child(0x80)?, ask, step);
    Some(())
}

fn numbered(service: Element<'_>, ask: &mut Exchange, step: impl Fn(u32) -> Step) -> Option<()> {
    let number = service.unsigned()?;
    ask.detail.number("state_machine", number.into());
    ask.step = step(number);
    Some(())
}

fn name_list(service: Element<'_>, ask: &mut Exchange) -> Option<()> {
    let class = Element::only(service.child(0xa0)?.content)?.unsigned()?;
    ask.detail.text("object_class", names::object_class(class));
    match Element::only(service.child(0xa1)?.content) {
        Some(scope) if scope.first == 0x81 => ask.on(scope.plain()),
        Some(scope) if scope.first == 0x82 => ask.on("association"),
        _ => ask.on("device"),
    }
    if let Some(after) = service.child(0x82) {
        ask.detail.text("continue_after", after.text());
    }
    Some(())
}

/// The name in a variable specification; there are others that hold addresses.
fn variable(specification: Element<'_>) -> Option<ObjectName<'_>> {
    Element::only(specification.content).filter(|_| specification.first == 0xa0).and_then(ObjectName::read)
}

/// Names one variable after another: a list of them, or one named list. Calls `each` with place and item of every one in a list.
fn variables(access: Element<'_>, ask: &mut Exchange, mut each: impl FnMut(&mut Exchange, usize, &str)) -> Option<()> {
    match access.first {
        0xa0 => {
            for (place, entry) in access.children().enumerate() {
                match variable(entry.children().next()?) {
                    Some(name) => {
                        ask.on(name);
                        each(ask, place, name.item());
                    }
                    None => ask.on("address"),
                }
            }
        }
        0xa1 => {
            ask.on(ObjectName::read(Element::only(access.content)?)?);
            ask.detail.flag("variable_list", true);
        }
        _ => return None,
    }
    ask.named();
    Some(())
}

fn read(service: Element<'_>, ask: &mut Exchange) -> Option<()> {
    let access = Element::only(service.child(0xa1)?.content)?;
    variables(access, ask, |ask, place, item| {
        if let Some(plate) = names::name_plate(item) {
            ask.watch(place, plate);
        }
        // Reading this attribute selects: the one read that changes a machine's state.
        if names::control(item) == Some("select") {
            controls(ask, "select");
        }
    })
}

fn controls(ask: &mut Exchange, control: &'static str) {
    if ask.class != OperationClass::Control {
        ask.detail.text("control", control);
    }
    ask.class = OperationClass::Control;
}

fn write(service: Element<'_>, ask: &mut Exchange) -> Option<()> {
    let mut parts = service.children();
    let access = parts.next()?;
    variables(access, ask, |ask, _, item| match (names::control(item), names::write_class(item)) {
        (Some(control), _) => controls(ask, control),
        (None, OperationClass::Control) => ask.class = OperationClass::Control,
        (None, OperationClass::Configure) if ask.class == OperationClass::Write => {
            ask.class = OperationClass::Configure
        }
        _ => {}
    })?;
    let mut values = 0;
    for value in parts.next()?.children().take(VALUES_LISTED) {
        ask.list(plain_value(value));
        values += 1;
    }
    if values > 0 {
        ask.listed("values");
    }
    Some(())
}

/// A number or truth value; of a structure the first member, which in controls is the value commanded. Texts are not told.
fn plain_value(value: Element<'_>) -> String {
    match value.first {
        0xa2 => value.children().next().map_or_else(String::new, |first| match first.first {
            0xa2 => "structure".to_owned(),
            _ => format!("{}, ...", plain_value(first)),
        }),
        0x83 => value.content.first().map_or("", |byte| if *byte == 0 { "false" } else { "true" }).to_owned(),
        0x85 | 0x86 => value.signed().map(|number| number.to_string()).unwrap_or_default(),
        // Width of the exponent, then IEEE 754.
        0x87 => match value.content {
            [8, a, b, c, d] => f32::from_be_bytes([*a, *b, *c, *d]).to_string(),
            [11, a, b, c, d, e, f, g, h] => f64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]).to_string(),
            _ => "float".to_owned(),
        },
        0x84 => "bits".to_owned(),
        0xa1 => "array".to_owned(),
        0x89 => "octets".to_owned(),
        0x8a | 0x90 => "text".to_owned(),
        0x8c | 0x91 => "time".to_owned(),
        _ => "other".to_owned(),
    }
}

fn named_list(service: Element<'_>, ask: &mut Exchange) -> Option<()> {
    let mut parts = service.children();
    ask.on(ObjectName::read(parts.next()?)?);
    ask.named();
    members(parts.next(), ask);
    Some(())
}

/// Lists the variables of a definition.
pub fn members(list: Option<Element<'_>>, ask: &mut Exchange) {
    for entry in list.into_iter().flat_map(|list| list.children()) {
        match variable(entry.children().next().unwrap_or(entry)) {
            Some(name) => ask.list(name),
            None => ask.list("address"),
        }
    }
    ask.listed("members");
}

/// Reads an unconfirmed service: what is reported.
pub fn report(service: Element<'_>, ask: &mut Exchange) -> Option<()> {
    if service.number != 0 {
        search(service, ask, SEARCH_DEPTH);
        ask.named();
        return Some(());
    }
    let mut parts = service.children();
    let access = parts.next()?;
    variables(access, ask, |_, _, _| ())?;
    let results = parts.next()?;
    let count = results.children().count();
    ask.detail.number("values", u64::try_from(count).unwrap_or(u64::MAX));
    // IEC 61850-8-1 section 17.2: a report's first value is the name of the report, the data set's is one of the next.
    let mut texts = results.children().take(8).filter(|value| value.first == 0x8a).map(|value| value.text());
    if access.first == 0xa1 {
        ask.detail.text("report", texts.next().unwrap_or_default());
        ask.detail.text("data_set", texts.find(|text| text.contains('/')).unwrap_or_default());
    }
    Some(())
}
