//! Names of POWERLINK message types, services, NMT states and commands (EPSG DS 301, sections 4.6 and 7, appendix 3).

use quaywatch_model::OperationClass;

/// Name of a message type.
#[must_use]
pub const fn message(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "SoC",
        3 => "PReq",
        4 => "PRes",
        5 => "SoA",
        6 => "ASnd",
        7 => "AMNI",
        13 => "AInv",
        _ => return None,
    })
}

/// Name of an asynchronous service (SoA and ASnd).
#[must_use]
pub const fn service(code: u8) -> &'static str {
    match code {
        0 => "no service",
        1 => "ident",
        2 => "status",
        3 => "NMT request",
        4 => "NMT command",
        5 => "SDO",
        6 => "sync",
        0xa0..=0xfe => "manufacturer specific",
        0xff => "unspecified",
        _ => "unknown service",
    }
}

/// Name of an NMT state.
#[must_use]
pub const fn state(code: u8) -> &'static str {
    match code {
        0x19 => "initialising",
        0x29 => "reset application",
        0x39 => "reset communication",
        0x79 => "reset configuration",
        0x1c => "not active",
        0x1d => "pre-operational 1",
        0x5d => "pre-operational 2",
        0x6d => "ready to operate",
        0xfd => "operational",
        0x4d => "stopped",
        0x1e => "basic ethernet",
        0x00 => "off",
        _ => "unknown",
    }
}

/// Name and class of an NMT command.
#[must_use]
pub const fn command(code: u8) -> (&'static str, OperationClass) {
    use OperationClass::{Configure, Control, Diagnose};
    match code {
        0x21 => ("start node", Control),
        0x22 => ("stop node", Control),
        0x23 => ("enter pre-operational 2", Control),
        0x24 => ("enable ready to operate", Control),
        0x28 => ("reset node", Control),
        0x29 => ("reset communication", Control),
        0x2a => ("reset configuration", Control),
        0x2b => ("software reset", Control),
        0x41 => ("start node (list)", Control),
        0x42 => ("stop node (list)", Control),
        0x43 => ("enter pre-operational 2 (list)", Control),
        0x44 => ("enable ready to operate (list)", Control),
        0x48..=0x4b => ("reset (list)", Control),
        0x62 => ("set host name", Configure),
        0x63 => ("flush ARP entry", Configure),
        0x80..=0xbf => ("publish state", Diagnose),
        _ => ("NMT command", Control),
    }
}

/// Name and class of an SDO command; the class of a write depends on the object.
#[must_use]
pub const fn sdo(code: u8) -> (&'static str, OperationClass) {
    use OperationClass::{Diagnose, Program, Read, Write};
    match code {
        1 => ("SDO write by index", Write),
        2 => ("SDO read by index", Read),
        3 => ("SDO write all by index", Write),
        4 => ("SDO read all by index", Read),
        5 => ("SDO write by name", Write),
        6 => ("SDO read by name", Read),
        0x20 => ("SDO file write", Program),
        0x21 => ("SDO file read", Program),
        0x31 => ("SDO write multiple by index", Write),
        0x32 => ("SDO read multiple by index", Read),
        0x70 => ("SDO maximum segment size", Diagnose),
        _ => ("SDO command", Diagnose),
    }
}
