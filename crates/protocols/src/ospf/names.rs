//! Names of packets, link state advertisements, options and flags.

/// A packet type (RFC 2328 appendix A.3.1, RFC 5340 appendix A.3.1).
pub(super) const fn packet(kind: u8) -> &'static str {
    match kind {
        1 => "hello",
        2 => "database description",
        3 => "link state request",
        4 => "link state update",
        5 => "link state acknowledgement",
        _ => "",
    }
}

/// An advertisement's type of version 2 (RFC 2328 appendix A.4.1, RFC 3101, RFC 5250 section 3).
pub(super) const fn advertisement_2(kind: u16) -> &'static str {
    match kind {
        1 => "router",
        2 => "network",
        3 => "summary of a network",
        4 => "summary of a boundary router",
        5 => "external",
        6 => "group membership",
        7 => "external of a not-so-stubby area",
        8 => "external attributes",
        9 => "opaque to the link",
        10 => "opaque to the area",
        11 => "opaque",
        _ => "unknown",
    }
}

/// An advertisement's function code of version 3: its type without the bits that tell how far it is flooded
/// (RFC 5340 appendix A.4.2.1, RFC 7770 section 2, RFC 8362 section 4).
pub(super) const fn advertisement_3(kind: u16) -> &'static str {
    match kind & 0x1fff {
        1 => "router",
        2 => "network",
        3 => "inter-area prefix",
        4 => "inter-area router",
        5 => "external",
        6 => "group membership",
        7 => "external of a not-so-stubby area",
        8 => "link",
        9 => "intra-area prefix",
        11 => "grace",
        12 => "router information",
        33 => "extended router",
        34 => "extended network",
        35 => "extended inter-area prefix",
        36 => "extended inter-area router",
        37 => "extended external",
        39 => "extended external of a not-so-stubby area",
        40 => "extended link",
        41 => "extended intra-area prefix",
        _ => "unknown",
    }
}

/// Options of version 2 by bit (RFC 2328 appendix A.2, RFC 3101, RFC 5250, RFC 5613, RFC 4576, RFC 4915).
pub(super) const OPTIONS_2: &[(u32, &str)] = &[
    (0x01, "multi-topology"),
    (0x02, "external routes"),
    (0x04, "multicast"),
    (0x08, "not-so-stubby"),
    (0x10, "link-local signaling"),
    (0x20, "demand circuits"),
    (0x40, "opaque advertisements"),
    (0x80, "down"),
];

/// Options of version 3 by bit (RFC 5340 appendix A.2, RFC 5838, RFC 5613, RFC 7166).
pub(super) const OPTIONS_3: &[(u32, &str)] = &[
    (0x01, "ipv6"),
    (0x02, "external routes"),
    (0x08, "not-so-stubby"),
    (0x10, "router"),
    (0x20, "demand circuits"),
    (0x100, "address families"),
    (0x200, "link-local signaling"),
    (0x400, "authentication trailer"),
];

/// Flags of a router's own advertisement by bit (RFC 2328 appendix A.4.2, RFC 3101, RFC 5340 appendix A.4.3).
pub(super) const ROUTER_FLAGS: &[(u32, &str)] = &[
    (0x01, "area border router"),
    (0x02, "boundary router to other routing domains"),
    (0x04, "endpoint of a virtual link"),
    (0x10, "translator of a not-so-stubby area"),
];

/// What a link of a router's advertisement leads to (RFC 2328 appendix A.4.2, RFC 5340 appendix A.4.3).
pub(super) const fn link(kind: u8) -> &'static str {
    match kind {
        1 => "router",
        2 => "network of designated router",
        4 => "virtual link to router",
        _ => "unknown link to",
    }
}

/// The names of the bits that are set.
pub(super) fn set(table: &'static [(u32, &'static str)], bits: u32) -> impl Iterator<Item = &'static str> {
    table.iter().filter(move |(bit, _)| bits & bit != 0).map(|(_, name)| *name)
}
