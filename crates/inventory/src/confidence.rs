//! How far a claim is believed, by how it was learned. The weights rank methods; they are no probabilities.
//!
//! A device's own answer in an OT protocol about itself (order number, firmware) comes first, link-layer announcements
//! next, then names told by name services, then banners that anybody may set, then what others call a host, and last the
//! registry of MAC addresses, which names who made the network interface and not who made the device.

/// Method of declared facts.
pub(crate) const DECLARED: &str = "declared in the site model";

/// Method of makers by MAC address.
pub(crate) const OUI: &str = "oui registry";

/// Weight of a method that is not in the table.
const OTHER: f64 = 0.5;

/// First word of a method, and its weight.
const WEIGHTS: &[(&str, f64)] = &[
    ("declared", 1.0),
    ("s7comm", 0.95),
    ("s7comm-plus", 0.95),
    ("cip", 0.95),
    ("enip", 0.95),
    ("umas", 0.95),
    ("modbus", 0.95),
    ("arp", 0.95),
    ("ads", 0.9),
    ("slmp", 0.9),
    ("melsec", 0.9),
    ("fins", 0.9),
    ("ge-srtp", 0.9),
    ("bacnet", 0.9),
    ("dnp3", 0.9),
    ("hart", 0.9),
    ("iec104", 0.9),
    ("mms", 0.9),
    ("codesys", 0.9),
    ("pcom", 0.9),
    ("opcua", 0.9),
    ("profinet", 0.9),
    ("dcp", 0.9),
    ("pn-dcp", 0.9),
    ("cola", 0.9),
    ("llrp", 0.9),
    ("rtcm", 0.9),
    ("ais", 0.9),
    ("onvif", 0.85),
    ("lldp", 0.9),
    ("cdp", 0.9),
    ("snmp", 0.85),
    ("ntlm", 0.8),
    ("smb", 0.8),
    ("rdp", 0.75),
    ("ssh", 0.75),
    ("dhcp", 0.7),
    ("mdns", 0.7),
    ("nbns", 0.7),
    ("kerberos", 0.7),
    ("ldap", 0.7),
    ("dns", 0.65),
    ("llmnr", 0.6),
    ("tls", 0.6),
    ("x509", 0.6),
    ("telnet", 0.6),
    ("ftp", 0.6),
    ("vnc", 0.6),
    ("http", 0.55),
    ("tls-sni", 0.5),
    ("http-host", 0.45),
    ("oui", 0.3),
];

/// Confidence in a claim made by this method, 0 to 1.
pub(crate) fn of_method(method: &str) -> f64 {
    let word = method.split([' ', ':', '/']).next().unwrap_or("").to_lowercase();
    WEIGHTS.iter().find(|(name, _)| *name == word).map_or(OTHER, |(_, weight)| *weight)
}

/// Confidence in a value that several methods support: each leaves the doubt that the others leave.
pub(crate) fn together(confidences: impl Iterator<Item = f64>) -> f64 {
    1.0 - confidences.fold(1.0, |doubt, confidence| doubt * (1.0 - confidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_outweigh_the_registry() {
        assert!(of_method("s7comm szl 0x0011") > of_method("http server"));
        assert!(of_method(OUI) < of_method("some new protocol"));
        assert!(together([0.5, 0.5].into_iter()) > 0.7);
    }
}
