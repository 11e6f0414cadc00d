//! Names of packets, flags, stub options and the protocols that routes come from.

use quaywatch_model::OperationClass;

/// A packet's name, and what it does (RFC 7868 section 6.2).
pub(super) const fn packet(code: u8) -> Option<(&'static str, OperationClass)> {
    Some(match code {
        1 => ("update", OperationClass::Cyclic),
        2 => ("request", OperationClass::Read),
        3 => ("query", OperationClass::Read),
        4 => ("reply", OperationClass::Read),
        5 => ("hello", OperationClass::Cyclic),
        7 => ("probe", OperationClass::Session),
        10 => ("stuck-in-active query", OperationClass::Read),
        11 => ("stuck-in-active reply", OperationClass::Read),
        _ => return None,
    })
}

/// Flags of the header by bit (RFC 7868 section 6.2).
pub(super) const FLAGS: &[(u32, &str)] =
    &[(1, "initial"), (2, "conditional receive"), (4, "restart"), (8, "end of table")];

/// What a stub router tells of, by bit (RFC 7868 section 4.3; the element as Cisco's routers send it).
pub(super) const STUB: &[(u32, &str)] = &[
    (0x01, "connected"),
    (0x02, "static"),
    (0x04, "summary"),
    (0x08, "receive-only"),
    (0x10, "redistributed"),
    (0x20, "leak map"),
];

/// Where an external route comes from (RFC 7868 section 6.8.4.1).
pub(super) const fn origin(protocol: u8) -> &'static str {
    match protocol {
        1 => "igrp",
        2 => "eigrp",
        3 => "static",
        4 => "rip",
        5 => "hello",
        6 => "ospf",
        7 => "is-is",
        8 => "egp",
        9 => "bgp",
        10 => "idrp",
        11 => "connected",
        _ => "unknown",
    }
}

/// The names of the bits that are set.
pub(super) fn set(table: &'static [(u32, &'static str)], bits: u32) -> impl Iterator<Item = &'static str> {
    table.iter().filter(move |(bit, _)| bits & bit != 0).map(|(_, name)| *name)
}
