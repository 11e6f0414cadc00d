//! Reads the free text in which a device describes itself: SNMP sysDescr (RFC 3418), LLDP system description, CDP version.
//!
//! The text follows no standard. What is taken from it are forms that makers have kept for many years.

use quaywatch_model::Attribute;

/// What `text` says beyond its wording, one attribute a part.
pub fn parts(text: &str) -> impl Iterator<Item = (Attribute, &str)> {
    [
        operating_system(text).map(|value| (Attribute::Os, value)),
        vendor(text).map(|value| (Attribute::Vendor, value)),
        siemens_order_number(text).map(|value| (Attribute::OrderNumber, value)),
        after(text, FIRMWARE)
            .or_else(|| text.strip_prefix("Version "))
            .and_then(version_token)
            .map(|value| (Attribute::Firmware, value)),
        after(text, &["HW: ", "HW:", "Hardware Version "])
            .and_then(version_token)
            .map(|value| (Attribute::Hardware, value)),
        siemens_serial(text).map(|value| (Attribute::Serial, value)),
    ]
    .into_iter()
    .flatten()
}

/// What stands before a firmware version.
const FIRMWARE: &[&str] =
    &["FW: ", "FW:", "Firmware: ", "Firmware Version ", ", revision ", ", Version ", " - Version ", "SW.V "];

/// What follows the first of `marks` that occurs.
fn after<'t>(text: &'t str, marks: &[&str]) -> Option<&'t str> {
    marks.iter().find_map(|mark| text.split_once(mark).map(|(_, rest)| rest))
}

/// The word at the front, if it looks like a version: it holds a digit.
fn version_token(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let token = text.strip_prefix("Version ").unwrap_or(text).split([',', ' ', ';']).next()?;
    (token.len() <= 40 && token.bytes().any(|byte| byte.is_ascii_digit())).then_some(token)
}

/// `Software: Windows Version 6.1 (...)` of the Windows agent, `Linux NAME 4.9.0 ...` of Net-SNMP, Cisco's `IOS Software`.
fn operating_system(text: &str) -> Option<&str> {
    if let Some((_, windows)) = text.split_once("Software: Windows") {
        let end = windows.find(" (").unwrap_or(windows.len());
        let start = text.len() - windows.len() - "Windows".len();
        return text.get(start..start + "Windows".len() + end);
    }
    [
        "Linux",
        "VxWorks",
        "RouterOS",
        "FreeBSD",
        "QNX",
        "Cisco IOS",
        "Cisco NX-OS",
        "Cisco Internetwork Operating System",
    ]
    .into_iter()
    .find(|system| text.contains(system))
}

/// Makers that begin the text with their name.
fn vendor(text: &str) -> Option<&'static str> {
    const MAKERS: &[&str] = &[
        "Siemens",
        "Hirschmann",
        "Moxa",
        "Phoenix Contact",
        "Rockwell Automation",
        "Allen-Bradley",
        "Schneider Electric",
        "Cisco",
        "Westermo",
        "Teltonika",
        "WAGO",
        "Beckhoff",
        "RuggedCom",
        "HP ",
        "Aruba",
        "Juniper",
        "D-Link",
        "Netgear",
        "Axis",
    ];
    let starts = |maker: &&&str| text.get(..maker.len()).is_some_and(|front| front.eq_ignore_ascii_case(maker));
    MAKERS.iter().find(starts).map(|maker| maker.trim_end())
}

/// A comma-separated part such as `6GK5 208-0BA10-2AA3` or `6ES7 212-1BE40-0XB0`.
fn siemens_order_number(text: &str) -> Option<&str> {
    let looks = |part: &&str| {
        let bytes = part.as_bytes();
        matches!(bytes, [b'6', a, b, c, ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_alphanumeric())
            && part.len() >= 12
            && part.matches('-').count() >= 2
    };
    text.split(',').map(str::trim).find(looks)
}

/// The last part of the text, as Siemens PROFINET devices write it: `S` and the serial number, after hardware and firmware.
fn siemens_serial(text: &str) -> Option<&str> {
    let (front, last) = text.rsplit_once(", S")?;
    let serial = last.trim();
    let looks =
        serial.len() >= 6 && serial.bytes().any(|byte| byte.is_ascii_digit()) && !serial.contains([' ', ',', '.']);
    (looks && front.contains("FW: ")).then_some(serial)
}

/// Whether a name is what stands there until someone sets one: it names no device and would seem to join many.
pub fn is_placeholder(name: &str) -> bool {
    const PLACEHOLDERS: &[&str] =
        &["sysName Not Set", "localhost", "localhost.localdomain", "(none)", "unknown", "not set"];
    PLACEHOLDERS.iter().any(|placeholder| name.eq_ignore_ascii_case(placeholder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, &str)> {
        parts(text).map(|(attribute, value)| (attribute.name(), value)).collect()
    }

    #[test]
    fn forms_of_makers_are_read() {
        assert_eq!(
            read(
                "Siemens, SIMATIC NET, SCALANCE XB208, 6GK5 208-0BA00-2AB2, HW: Version 3, FW: Version V04.01.00, SVPLN128744"
            ),
            [
                ("vendor", "Siemens"),
                ("order-number", "6GK5 208-0BA00-2AB2"),
                ("firmware", "V04.01.00"),
                ("hardware", "3"),
                ("serial", "VPLN128744"),
            ]
        );
        assert_eq!(
            read("Hardware: x86 Family 6 - Software: Windows Version 6.1 (Build 7601 Multiprocessor Free)"),
            [("os", "Windows Version 6.1")]
        );
        assert_eq!(
            read("Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(25)SEE3, RELEASE SOFTWARE"),
            [("os", "Cisco IOS"), ("vendor", "Cisco"), ("firmware", "12.2(25)SEE3")]
        );
        assert_eq!(read("Linux crane-gw 4.9.0 #1 SMP armv7l"), [("os", "Linux")]);
        assert_eq!(read("ÄÖ HW:"), []);
        assert!(is_placeholder("LOCALHOST") && !is_placeholder("crane-1-plc"));
    }
}
