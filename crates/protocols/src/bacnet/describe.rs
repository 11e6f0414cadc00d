//! The objects and details of rows: what requests name and what answers tell.

use std::fmt::Write as _;

use quaywatch_model::{Address, At, Attribute, Sink};

use super::Place;
use super::names;
use super::service::{self, Choice, Item};
use super::tag::{Failure, Kind, Object, Tag};
use super::tell::{Ask, Exchange, Teller};
use crate::bytes::Cursor;

/// Objects of one request that are printed.
const OBJECTS_TOLD: usize = 32;
/// Values of one answer that are printed.
const VALUES_TOLD: usize = 128;
/// Characters of one property's values that are printed, among several properties.
const LINE_TOLD: usize = 1024;

impl Teller {
    /// Fills the object; gives how many there are, if the service names any. What is written goes to the detail.
    pub(super) fn objects(&mut self, choice: Choice, body: &[u8]) -> Option<u64> {
        self.object.clear();
        let mut count = 0usize;
        let mut written: Vec<String> = Vec::new();
        let object = &mut self.object;
        let mut priority = None;
        service::asked(choice, body, &mut |item: Item<'_>| {
            count += 1;
            if count <= OBJECTS_TOLD {
                if count > 1 {
                    object.push_str("; ");
                }
                print_item(object, &item);
            } else if count == OBJECTS_TOLD + 1 {
                object.push_str("; ...");
            }
            priority = priority.or(item.priority);
            if let Some(values) = item.values {
                print_values(values, |text| {
                    if written.len() < VALUES_TOLD {
                        written.push(text);
                    }
                });
            }
        });
        if !written.is_empty() {
            self.detail.texts("written", written);
        }
        if let Some(priority) = priority {
            self.detail.number("priority", priority);
        }
        (count > 0).then_some(count as u64)
    }

    pub(super) fn request_detail(&mut self, ask: &Ask) {
        match ask.service {
            6 | 7 => {
                if let Some(part) = service::part(&ask.body) {
                    self.detail.number("start", part.start);
                    if let Some(count) = part.count {
                        self.detail.number("count", count);
                    }
                }
            }
            17 | 20 => {
                let print = if ask.service == 17 { names::communication } else { names::reinitialized };
                let wanted = if ask.service == 17 { 1 } else { 0 };
                self.command(ask.service, &ask.body, wanted, print);
            }
            18 => self.private(&ask.body),
            19 => self.message(&ask.body),
            5 | 28 => {
                let each = tags(&ask.body);
                for tag in each {
                    match tag.number {
                        0 if tag.is(0) => self.number("process", &tag),
                        2 if tag.is(2) => self.detail.flag("confirmed", tag.content != [0]),
                        3 if tag.is(3) => self.number("lifetime_seconds", &tag),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn number(&mut self, key: &str, tag: &Tag<'_>) {
        if let Some(number) = tag.unsigned() {
            self.detail.number(key, number);
        }
    }

    /// What DeviceCommunicationControl and ReinitializeDevice want. Their password is looked at elsewhere and not told.
    fn command(&mut self, service: u8, body: &[u8], wanted: u8, print: fn(u32) -> &'static str) {
        for tag in tags(body) {
            if tag.is(wanted) {
                self.object.push_str(tag.unsigned().map_or("", print));
            } else if tag.is(0) {
                self.number("minutes", &tag);
            }
        }
        if password(service, body).is_some() {
            self.detail.flag("with_password", true);
        }
    }

    fn private(&mut self, body: &[u8]) {
        for tag in tags(body).take(2) {
            match tag.number {
                0 if tag.is(0) => self.number("vendor_id", &tag),
                1 if tag.is(1) => self.number("private_service", &tag),
                _ => {}
            }
        }
    }

    fn message(&mut self, body: &[u8]) {
        if let Some(text) = tags(body).find(|tag| tag.is(3)).and_then(|tag| tag.text()) {
            self.detail.text("message", text);
        }
    }

    /// Puts what an answer tells into the detail.
    pub(super) fn answer_detail(&mut self, service: u8, body: &[u8]) -> Option<u64> {
        let mut count = 0u64;
        let mut read: Vec<String> = Vec::new();
        let mut failures: Vec<Failure> = Vec::new();
        let many = service != 12 && service != 26;
        service::answered(service, body, &mut |item: Item<'_>| {
            count += 1;
            failures.extend(item.failure);
            if many && read.len() < VALUES_TOLD {
                let mut line = String::new();
                print_item(&mut line, &item);
                if let Some(values) = item.values {
                    line.push_str(" =");
                    print_values(values, |text| {
                        if line.len() < LINE_TOLD {
                            let _ = write!(line, " {text}");
                        }
                    });
                }
                if let Some(failure) = item.failure {
                    let _ = write!(line, " failed {failure}");
                }
                read.push(line);
            } else if let Some(values) = item.values {
                if self.object.is_empty() {
                    print_item(&mut self.object, &item);
                }
                print_values(values, |text| {
                    if read.len() < VALUES_TOLD {
                        read.push(text);
                    }
                });
            }
        });
        match service {
            6 => {
                if let Some(part) = service::part(body) {
                    self.detail.flag("end_of_file", part.last);
                }
            }
            18 => self.private(body),
            _ => {}
        }
        if !read.is_empty() {
            self.detail.texts("read", read);
        }
        if !failures.is_empty() {
            self.detail.number("failed", i64::try_from(failures.len()).unwrap_or(i64::MAX));
        }
        (count > 0).then_some(count)
    }

    pub(super) fn unconfirmed_detail(&mut self, place: &Place, service: u8, body: &[u8], out: &mut dyn Sink) {
        let mut each = tags(body);
        match service {
            0 => self.i_am(place, body, out),
            1 => {
                if let Some(name) = tags(body).find(|tag| tag.number == 7).and_then(|tag| tag.text()) {
                    self.detail.text("object_name", name);
                }
            }
            4 => self.private(body),
            5 => self.message(body),
            6 | 9 => {
                if let (Some(date), Some(time)) = (each.next(), each.next()) {
                    self.detail.text("time", format_args!("{date} {time}"));
                }
            }
            7 | 8 => {
                let limit = |number| tags(body).find(|tag| tag.is(number)).and_then(|tag| tag.unsigned());
                if let (Some(low), Some(high)) = (limit(0), limit(1)) {
                    let separator = if self.object.is_empty() { "" } else { "; " };
                    let _ = write!(self.object, "{separator}device {low}-{high}");
                }
                if let Some(name) = tags(body).find(|tag| service == 7 && tag.is(3)).and_then(|tag| tag.text()) {
                    self.detail.text("object_name", name);
                }
            }
            _ => {}
        }
    }

    /// I-Am: device object, largest APDU, segmentation, vendor (clause 16.10).
    fn i_am(&mut self, place: &Place, body: &[u8], out: &mut dyn Sink) {
        let mut each = tags(body);
        let Some(device) = each.next().and_then(|tag| tag.object()) else { return };
        let subject = place.source.is_none().then_some(place.sender.address);
        if let Some(size) = each.next().and_then(|tag| tag.unsigned()) {
            self.detail.number("max_apdu", size);
        }
        if let Some(code) = each.next().and_then(|tag| tag.unsigned()) {
            self.detail.text("segmentation", names::segmentation(code));
        }
        let vendor = each.next().and_then(|tag| tag.unsigned());
        if let Some(id) = vendor {
            self.detail.number("vendor_id", id);
        }
        let Some(subject) = subject else { return };
        self.instance(place.at, subject, device, out);
        if let Some(name) = vendor.and_then(names::vendor) {
            self.claims.identify(out, place.at, subject, (Attribute::Vendor, name, "bacnet i-am vendor identifier"));
        }
    }

    fn instance(&mut self, at: At, subject: Address, device: Object, out: &mut dyn Sink) {
        let text = format!("BACnet {device}");
        self.claims.identify(out, at, subject, (Attribute::Capability, &text, "bacnet device instance"));
    }

    /// Claims of an answer that reads properties of a device object.
    pub(super) fn identities(&mut self, exchange: &Exchange<'_>, body: &[u8], out: &mut dyn Sink) {
        let Exchange { ask, .. } = exchange;
        if ask.remote.is_some() || !matches!(ask.service, 12 | 14) {
            return;
        }
        let (at, subject) = (exchange.ended.unwrap_or(ask.at), ask.server.address);
        let mut found: Vec<(Attribute, String)> = Vec::new();
        let mut device = None;
        service::answered(ask.service, body, &mut |item: Item<'_>| {
            let (Some(object), Some(property), Some(values)) = (item.object, item.property, item.values) else {
                return;
            };
            if object.is_device() {
                device = Some(object);
                let value = Tag::read(&mut Cursor::new(values));
                found.extend(value.and_then(|value| claim(property.id, &value)));
            }
        });
        for (attribute, value) in found {
            self.claims.identify(out, at, subject, (attribute, &value, "bacnet device object property"));
        }
        if let Some(device) = device {
            self.instance(at, subject, device, out);
        }
    }
}

/// The tags of a body, in order, brackets included.
pub(super) fn tags(body: &[u8]) -> impl Iterator<Item = Tag<'_>> {
    let mut cursor = Cursor::new(body);
    std::iter::from_fn(move || Tag::read(&mut cursor))
}

/// The password of DeviceCommunicationControl (clause 16.1, tag 2) or ReinitializeDevice (clause 16.4, tag 1).
pub(super) fn password(service: u8, body: &[u8]) -> Option<Tag<'_>> {
    let number = if service == 17 { 2 } else { 1 };
    tags(body).find(|tag| tag.is(number))
}

fn print_item(line: &mut String, item: &Item<'_>) {
    match (item.object, item.property) {
        (Some(object), Some(property)) => {
            let _ = write!(line, "{object} {property}");
        }
        (Some(object), None) => {
            let _ = write!(line, "{object}");
        }
        (None, Some(property)) => {
            let _ = write!(line, "{property}");
        }
        (None, None) => {}
    }
}

/// Prints each application value of a list, brackets left out.
fn print_values(values: &[u8], mut each: impl FnMut(String)) {
    for tag in tags(values) {
        match tag.kind {
            Kind::Application | Kind::Context => each(tag.to_string()),
            Kind::Opening | Kind::Closing => {}
        }
    }
}

/// What a property of the device object says of the device (clause 12.11).
fn claim(property: u32, value: &Tag<'_>) -> Option<(Attribute, String)> {
    let attribute = match property {
        12 => Attribute::Software,
        44 => Attribute::Firmware,
        58 => Attribute::Location,
        70 => Attribute::Model,
        77 => Attribute::HostName,
        121 => Attribute::Vendor,
        372 => Attribute::Serial,
        112 => return Some((Attribute::State, names::device_status(value.unsigned()?)?.to_owned())),
        120 => return Some((Attribute::Vendor, names::vendor(value.unsigned()?)?.to_owned())),
        _ => return None,
    };
    (value.number == 7 && value.kind == Kind::Application).then(|| value.text()).flatten().map(|text| (attribute, text))
}
