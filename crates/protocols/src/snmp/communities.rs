//! Communities that products are delivered with, from public manuals and advisories. They are compared and never written anywhere.

/// A community and the words of the rule it breaks: what it lets one do, or whose default it is.
const WELL_KNOWN: &[(&[u8], &str)] = &[
    // The two of nearly every product, and what installers write instead.
    (b"public", "well-known read community"),
    (b"private", "well-known write community"),
    (b"read", "well-known read community"),
    (b"write", "well-known write community"),
    (b"admin", "well-known community"),
    (b"administrator", "well-known community"),
    (b"community", "well-known community"),
    (b"default", "well-known community"),
    (b"guest", "well-known community"),
    (b"manager", "well-known community"),
    (b"monitor", "well-known community"),
    (b"netman", "well-known community"),
    (b"password", "well-known community"),
    (b"private1", "well-known community"),
    (b"public1", "well-known community"),
    (b"root", "well-known community"),
    (b"secret", "well-known community"),
    (b"security", "well-known community"),
    (b"snmp", "well-known community"),
    (b"snmpd", "well-known community"),
    (b"snmptrap", "well-known community"),
    (b"switch", "well-known community"),
    (b"router", "well-known community"),
    (b"system", "well-known community"),
    (b"test", "well-known community"),
    (b"trap", "well-known community"),
    (b"tech", "well-known community"),
    (b"cisco", "well-known community"),
    (b"1234", "well-known community"),
    (b"123456", "well-known community"),
    // Built into products, each told by an advisory.
    (b"ILMI", "factory community of Cisco IOS"),
    (b"cable-docsis", "factory community of Cisco IOS"),
    (b"internal", "factory community of HP JetDirect"),
    (b"all private", "factory community of the Solaris agent"),
    (b"OrigEquipMfr", "factory community of Brocade switches"),
    (b"Secret C0de", "factory community of Brocade switches"),
    (b"FibreChannel", "factory community of Brocade switches"),
    (b"ANYCOM", "factory community of 3Com equipment"),
    (b"volition", "factory community of 3M Volition"),
    (b"NoGaH$@!", "factory community of Avaya Cajun"),
    (b"comcomcom", "factory community of Compatible Systems equipment"),
    (b"rmon", "factory community of switches with remote monitoring"),
    (b"rmon_admin", "factory community of switches with remote monitoring"),
];

/// The rule that a community breaks; `None` if it is not a known one.
pub(super) fn well_known(community: &[u8]) -> Option<&'static str> {
    WELL_KNOWN.iter().find(|(known, _)| *known == community).map(|(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ones_are_told_without_the_value() {
        assert_eq!(well_known(b"public"), Some("well-known read community"));
        assert_eq!(well_known(b"Xk3-terminal"), None);
        for (community, rule) in WELL_KNOWN {
            let community = std::str::from_utf8(community).unwrap();
            // Words of the rules themselves.
            assert!(
                ["community", "read", "write", "switch"].contains(&community) || !rule.contains(community),
                "{community}"
            );
        }
    }
}
