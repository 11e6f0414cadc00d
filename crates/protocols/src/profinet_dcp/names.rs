//! Names of services, options, results and makers (IEC 61158-6-10, section "DCP").

/// Name of an option and suboption.
#[must_use]
pub const fn suboption(option: u8, suboption: u8) -> &'static str {
    match (option, suboption) {
        (1, 1) => "mac address",
        (1, 2) => "ip parameter",
        (1, 3) => "full ip suite",
        (2, 1) => "type of station",
        (2, 2) => "name of station",
        (2, 3) => "device id",
        (2, 4) => "device role",
        (2, 5) => "device options",
        (2, 6) => "alias name",
        (2, 7) => "device instance",
        (2, 8) => "oem device id",
        (2, 9) => "standard gateway",
        (2, 10) => "rsi properties",
        (3, 12) => "dhcp host name",
        (3, 43) => "dhcp vendor specific",
        (3, 54) => "dhcp server identifier",
        (3, 55) => "dhcp parameter request list",
        (3, 60) => "dhcp class identifier",
        (3, 61) => "dhcp client identifier",
        (3, 81) => "dhcp fqdn",
        (3, 97) => "dhcp uuid",
        (3, 255) => "dhcp control",
        (3, _) => "dhcp",
        (5, 1) => "start transaction",
        (5, 2) => "end transaction",
        (5, 3) => "signal",
        (5, 4) => "response",
        (5, 5) => "reset factory settings",
        (5, 6) => "reset to factory",
        (6, 1) => "device initiative",
        (7, 1) => "nme domain name",
        (7, _) => "nme parameter",
        (0x80..=0xfe, _) => "manufacturer specific",
        (255, 255) => "all",
        _ => "unknown option",
    }
}

/// Name of the operation that sets one suboption.
#[must_use]
pub const fn set(option: u8, suboption: u8) -> &'static str {
    match (option, suboption) {
        (1, 2) => "set ip parameter",
        (1, 3) => "set full ip suite",
        (2, 2) => "set name of station",
        (2, 6) => "set alias name",
        (3, _) => "set dhcp",
        (5, 3) => "signal",
        (5, 5) => "reset factory settings",
        (5, 6) => "reset to factory",
        (6, 1) => "set device initiative",
        _ => "set",
    }
}

/// Result of a block.
#[must_use]
pub const fn block_error(error: u8) -> &'static str {
    match error {
        0 => "success",
        1 => "option not supported",
        2 => "suboption not supported or no data set available",
        3 => "suboption not set",
        4 => "resource error",
        5 => "set not possible for local reasons",
        6 => "in operation, set not possible",
        _ => "unknown block error",
    }
}

/// Well-known makers by the vendor id that PROFIBUS & PROFINET International gives out; the same ids stand in
/// identification and maintenance records and in S7 partial list 0x001c.
const VENDORS: &[(u16, &str)] = &[
    (0x0011, "Endress+Hauser"),
    (0x001a, "ABB"),
    (0x002a, "Siemens"),
    (0x005d, "Pepperl+Fuchs"),
    (0x00b0, "Phoenix Contact"),
    (0x0101, "SICK"),
    (0x0106, "Lenze"),
    (0x010a, "SEW-EURODRIVE"),
    (0x010c, "HMS Industrial Networks"),
    (0x011d, "WAGO"),
    (0x011e, "Hilscher"),
    (0x0120, "Beckhoff"),
    (0x012f, "Murrelektronik"),
    (0x0136, "ifm electronic"),
    (0x013d, "Turck"),
    (0x014d, "Festo"),
    (0x0152, "Leuze electronic"),
    (0x0378, "Balluff"),
    (0x0493, "RT-Labs"),
];

/// Maker of a vendor id, if it is a well-known one.
#[must_use]
pub fn vendor_name(id: u16) -> Option<&'static str> {
    let at = VENDORS.binary_search_by_key(&id, |(known, _)| *known).ok()?;
    VENDORS.get(at).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_are_sorted_and_found() {
        assert!(VENDORS.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!(vendor_name(0x002a), Some("Siemens"));
        assert_eq!(vendor_name(0xfff0), None);
    }
}
