//! Confirmed responses: what each adds to its request.

use quaywatch_model::{At, Attribute, Sink};

use crate::bytes::device_text;
use crate::claims::Claims;

use super::ber::Element;
use super::exchange::Exchange;
use super::names;
use super::request::members;

/// Results of items that the detail of one operation lists.
const RESULTS_LISTED: usize = 64;

/// How a request went as a whole.
pub type Outcome = (u32, &'static str);

/// All went well.
pub const SUCCESS: Outcome = (0, "success");

/// Reads a response into `ask`, and claims what it says of the server. `None` if a part that must be there is missing.
pub fn describe(
    service: Element<'_>,
    ask: &mut Exchange,
    at: At,
    claims: &mut Claims,
    out: &mut dyn Sink,
) -> Option<Outcome> {
    match service.number {
        0 => {
            let state = |first| service.child(first).and_then(|state: Element<'_>| state.unsigned());
            let (logical, physical) = (state(0x80)?, state(0x81)?);
            ask.detail.text("logical_status", names::logical_status(logical));
            ask.detail.text("physical_status", names::physical_status(physical));
            let server = ask.server.address;
            claims.identify(out, at, server, (Attribute::State, names::physical_status(physical), "mms status"));
        }
        1 => {
            for name in service.child(0xa0)?.children() {
                ask.list(name.plain());
            }
            let count = ask.listed("names");
            ask.quantity = u64::try_from(count).ok();
            // True unless it says otherwise.
            let more = service.child(0x81).is_none_or(|more| more.content.first() != Some(&0));
            ask.detail.flag("more", more);
        }
        2 => identify(service, ask, at, claims, out)?,
        4 => return read(service, ask, at, claims, out),
        5 => return Some(results(service, ask, |result| result.first == 0x80)),
        12 => members(service.child(0xa1), ask),
        72 => {
            let size =
                service.child(0xa1).and_then(|attributes| attributes.child(0x80)).and_then(|size| size.unsigned());
            ask.quantity = size.map(u64::from);
        }
        73 | 30 | 27 => ask.quantity = service.child(0x80).and_then(|data| u64::try_from(data.content.len()).ok()),
        77 => {
            files(service, ask);
        }
        _ => {}
    }
    Some(SUCCESS)
}

fn identify(service: Element<'_>, ask: &mut Exchange, at: At, claims: &mut Claims, out: &mut dyn Sink) -> Option<()> {
    let fields = [
        (0x80, Attribute::Vendor, "vendor", "mms identify vendor"),
        (0x81, Attribute::Model, "model", "mms identify model"),
        (0x82, Attribute::Firmware, "revision", "mms identify revision"),
    ];
    for (first, attribute, key, method) in fields {
        let text = device_text(service.child(first)?.content).unwrap_or_default();
        ask.detail.text(key, &text);
        claims.identify(out, at, ask.server.address, (attribute, &text, method));
    }
    Some(())
}

fn read(service: Element<'_>, ask: &mut Exchange, at: At, claims: &mut Claims, out: &mut dyn Sink) -> Option<Outcome> {
    let values = service.child(0xa1)?;
    for (place, value) in values.children().enumerate() {
        let watched = ask.plate.iter().find(|(watched, _, _)| *watched == place).copied();
        if let (Some((_, attribute, method)), 0x8a | 0x90) = (watched, value.first) {
            let text = device_text(value.content).unwrap_or_default();
            claims.identify(out, at, ask.server.address, (attribute, &text, method));
        }
    }
    Some(results(values, ask, |result| result.first == 0x80))
}

/// How each item went. A request all of whose items failed has failed; of one that failed in part the results are listed.
fn results(items: Element<'_>, ask: &mut Exchange, failed: impl Fn(&Element<'_>) -> bool) -> Outcome {
    let (mut count, mut failures, mut first) = (0usize, 0usize, None);
    for item in items.children() {
        count = count.saturating_add(1);
        if failed(&item) {
            failures = failures.saturating_add(1);
            first = first.or_else(|| item.unsigned());
        }
    }
    if ask.quantity.is_none() {
        ask.quantity = u64::try_from(count).ok();
    }
    if failures > 0 && count > 1 {
        for item in items.children().take(RESULTS_LISTED) {
            let name = if failed(&item) { names::access_error(item.unsigned().unwrap_or(u32::MAX)) } else { "success" };
            ask.list(name);
        }
        ask.listed("results");
    }
    match first {
        Some(code) if failures == count => (names::ACCESS_ERROR | code & 0xff, names::access_error(code)),
        _ => SUCCESS,
    }
}

/// Names in a directory: an entry holds name and attributes; some devices wrap the entries once more.
fn files(service: Element<'_>, ask: &mut Exchange) -> Option<()> {
    let mut entries = service.child(0xa0)?;
    if let Some(inner) = Element::only(entries.content)
        && inner.first == 0x30
        && inner.children().next().is_some_and(|entry| entry.first == 0x30)
    {
        entries = inner;
    }
    for entry in entries.children() {
        let parts: Vec<String> = entry.child(0xa0)?.children().map(|part| part.plain().to_string()).collect();
        ask.list(parts.join("/"));
    }
    let count = ask.listed("files");
    ask.quantity = u64::try_from(count).ok();
    Some(())
}
