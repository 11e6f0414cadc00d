//! Message types of DHCP (RFC 2132 section 9.6) and what vendor classes tell.

use quaywatch_model::Attribute;

/// DHCPACK.
pub(super) const ACK: u8 = 5;
/// DHCPNAK.
pub(super) const NAK: u8 = 6;

/// Name of a message type; a message without one is BOOTP's.
pub(super) const fn message_type(code: Option<u8>, is_reply: bool) -> &'static str {
    match code {
        Some(1) => "discover",
        Some(2) => "offer",
        Some(3) => "request",
        Some(4) => "decline",
        Some(ACK) => "ack",
        Some(NAK) => "nak",
        Some(7) => "release",
        Some(8) => "inform",
        Some(9) => "force-renew",
        Some(10) => "lease-query",
        Some(11) => "lease-unassigned",
        Some(12) => "lease-unknown",
        Some(13) => "lease-active",
        Some(_) => "unknown",
        None if is_reply => "bootp-reply",
        None => "bootp-request",
    }
}

/// What a vendor class tells of the client beyond its own text.
pub(super) fn vendor_class(class: &str) -> impl Iterator<Item = (Attribute, &str)> {
    const PREFIXES: &[(&str, Attribute, &str)] = &[
        ("MSFT 5.0", Attribute::Os, "Windows"),
        ("MSFT 98", Attribute::Os, "Windows 98"),
        ("MSFT", Attribute::Vendor, "Microsoft"),
        ("udhcp", Attribute::Os, "Linux"),
        ("dhcpcd", Attribute::Os, "Linux"),
        ("Linux", Attribute::Os, "Linux"),
        ("android-dhcp", Attribute::Os, "Android"),
        ("AAPLBSDPC", Attribute::Vendor, "Apple"),
        ("Cisco", Attribute::Vendor, "Cisco"),
        ("ciscopnp", Attribute::Vendor, "Cisco"),
        ("ArubaAP", Attribute::Vendor, "Aruba"),
        ("ArubaInstantAP", Attribute::Vendor, "Aruba"),
        ("Hewlett-Packard", Attribute::Vendor, "Hewlett-Packard"),
        ("HP ", Attribute::Vendor, "Hewlett-Packard"),
        ("Mfg=", Attribute::Product, "printer"),
        ("SIEMENS", Attribute::Vendor, "Siemens"),
        ("SIMATIC", Attribute::Vendor, "Siemens"),
        ("SCALANCE", Attribute::Vendor, "Siemens"),
        ("Hirschmann", Attribute::Vendor, "Hirschmann"),
        ("MOXA", Attribute::Vendor, "Moxa"),
        ("WAGO", Attribute::Vendor, "WAGO"),
        ("Schneider", Attribute::Vendor, "Schneider Electric"),
        ("Rockwell", Attribute::Vendor, "Rockwell Automation"),
        ("ubnt", Attribute::Vendor, "Ubiquiti"),
        ("MikroTik", Attribute::Vendor, "MikroTik"),
        ("yealink", Attribute::Vendor, "Yealink"),
        ("AXIS", Attribute::Vendor, "Axis"),
        ("VxWorks", Attribute::Os, "VxWorks"),
        ("PXEClient", Attribute::Capability, "network boot"),
    ];
    let starts = |prefix: &str| class.get(..prefix.len()).is_some_and(|front| front.eq_ignore_ascii_case(prefix));
    let known =
        PREFIXES.iter().find(move |(prefix, ..)| starts(prefix)).map(|(_, attribute, value)| (*attribute, *value));
    // `dhcpcd-9.4.1:Linux-5.10.0:x86_64:GenuineIntel`
    let system = class.split(':').nth(1).filter(|_| class.starts_with("dhcpcd")).map(|text| (Attribute::Os, text));
    known.into_iter().chain(system)
}
