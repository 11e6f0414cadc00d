//! What a multicast DNS response says of its sender: services offered, model, serial, versions (RFC 6763).

use std::fmt::Write as _;

use quaywatch_model::{Address, Attribute, Endpoint, MacAddr, Service, Sink, Transport};
use quaywatch_wire::Pdu;

use super::message::{Entries, Entry, Header, kind, read_name, strip_end, texts};
use super::service_types::{protocol, text_attribute};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;

/// Bytes of a TXT value that is kept.
const MAX_VALUE: usize = 128;

/// Reads the records of a response once more, for its sender's own sake. Responders speak for themselves (RFC 6762 section 6).
pub(super) fn announce(message: &[u8], header: Header, claims: &mut Claims, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let subject = pdu.sender().address;
    let mut name = String::new();
    for entry in Entries::new(message, header).flatten().filter(|entry| entry.section == 1 || entry.section == 3) {
        if read_name(message, entry.name, &mut name).is_err() {
            continue;
        }
        match entry.kind {
            kind::SRV => service(&name, &entry, subject, claims, pdu, out),
            kind::TXT => text(&entry, subject, claims, pdu, out),
            kind::PTR => instance(message, &name, &entry, subject, claims, pdu, out),
            _ => {}
        }
    }
}

/// `_http` and `_tcp` of `Front gate._http._tcp.local`, with the instance before them.
fn split(name: &str) -> Option<(&str, &str, &str)> {
    let name = strip_end(name, ".local")?;
    let (front, transport) = name.rsplit_once('.')?;
    let (instance, service_type) = front.rsplit_once('.').unwrap_or(("", front));
    let known = service_type.starts_with('_') && matches!(transport, "_tcp" | "_udp");
    known.then_some((instance, service_type, transport))
}

/// An SRV record (RFC 2782): priority, weight, port, target.
fn service(name: &str, entry: &Entry<'_>, subject: Address, claims: &mut Claims, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let Some((_, service_type, carrier)) = split(name) else { return };
    let mut cursor = Cursor::new(entry.data);
    let Some(port) = cursor.skip(4).and_then(|()| cursor.be16()) else { return };
    let mut capability = String::new();
    let _ = write!(capability, "{service_type}.{carrier} port {port}");
    claims.identify(out, pdu.at, subject, (Attribute::Capability, &capability, "mdns service"));
    // Port 0 and `_device-info` announce no service (RFC 6763 section 6.4).
    if let Some(protocol) = protocol(service_type).filter(|_| port > 0) {
        let transport = if carrier == "_udp" { Transport::Udp } else { Transport::Tcp };
        let server = Endpoint::new(subject, port);
        claims.service(out, pdu.at, Service { server, transport, protocol, software: "", version: "" });
    }
}

/// `key=value` strings, RFC 6763 section 6.
fn text(entry: &Entry<'_>, subject: Address, claims: &mut Claims, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    for pair in texts(entry.data) {
        let Some(at) = pair.iter().position(|byte| *byte == b'=') else { continue };
        let (key, value) = pair.split_at(at);
        let claim = std::str::from_utf8(key).ok().and_then(text_attribute);
        let value = value.get(1..).and_then(|value| device_text(value.get(..MAX_VALUE).unwrap_or(value)));
        if let (Some((attribute, method)), Some(value)) = (claim, value) {
            claims.identify(out, pdu.at, subject, (attribute, value.trim_matches(['(', ')']), method));
        }
    }
}

/// A service type's instance: `_workstation` instances are `host [mac]` (Avahi), others bear a readable name.
fn instance(
    message: &[u8],
    owner: &str,
    entry: &Entry<'_>,
    subject: Address,
    claims: &mut Claims,
    pdu: &Pdu<'_>,
    out: &mut dyn Sink,
) {
    let mut target = String::new();
    let Some((_, service_type, carrier)) = split(owner) else { return };
    if read_name(message, entry.data_at, &mut target).is_err() || service_type == "_dns-sd" || owner.contains("._sub.")
    {
        return;
    }
    let capability = format!("{service_type}.{carrier}");
    claims.identify(out, pdu.at, subject, (Attribute::Capability, &capability, "mdns service"));
    let Some((instance, ..)) = split(&target) else { return };
    if let Some((host, mac)) = instance.strip_suffix(']').and_then(|text| text.rsplit_once(" ["))
        && service_type == "_workstation"
    {
        claims.identify(out, pdu.at, subject, (Attribute::HostName, host, "mdns workstation"));
        if let Some(mac) = MacAddr::parse(mac) {
            claims.identify(out, pdu.at, subject, (Attribute::Mac, &mac.to_string(), "mdns workstation"));
        }
    } else if matches!(service_type, "_axis-video" | "_printer" | "_ipp" | "_pdl-datastream") {
        claims.identify(out, pdu.at, subject, (Attribute::Product, instance, "mdns instance name"));
    }
}
