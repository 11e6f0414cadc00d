//! Codes of HART and their names: HCF_SPEC-127 (universal commands), HCF_SPEC-151 (common practice), HCF_SPEC-307 (response codes),
//! HCF_SPEC-085 (HART-IP).

use quaywatch_model::OperationClass;

/// Name and class of a command.
#[must_use]
pub const fn command(code: u16) -> Option<(&'static str, OperationClass)> {
    use OperationClass::{Configure, Control, Diagnose, Identify, Read, Write};
    Some(match code {
        0 => ("read unique identifier", Identify),
        1 => ("read primary variable", Read),
        2 => ("read loop current and percent of range", Read),
        3 => ("read dynamic variables and loop current", Read),
        6 => ("write polling address", Configure),
        7 => ("read loop configuration", Read),
        8 => ("read dynamic variable classifications", Read),
        9 => ("read device variables with status", Read),
        11 => ("read unique identifier by tag", Identify),
        12 => ("read message", Read),
        13 => ("read tag, descriptor and date", Identify),
        14 => ("read primary variable transducer information", Read),
        15 => ("read device information", Read),
        16 => ("read final assembly number", Identify),
        17 => ("write message", Configure),
        18 => ("write tag, descriptor and date", Configure),
        19 => ("write final assembly number", Configure),
        20 => ("read long tag", Identify),
        21 => ("read unique identifier by long tag", Identify),
        22 => ("write long tag", Configure),
        33 => ("read device variables", Read),
        34 => ("write primary variable damping", Configure),
        35 => ("write primary variable range", Configure),
        36 => ("set primary variable upper range", Configure),
        37 => ("set primary variable lower range", Configure),
        38 => ("reset configuration changed flag", Control),
        40 => ("enter or leave fixed current mode", Control),
        41 => ("perform self test", Control),
        42 => ("perform device reset", Control),
        43 => ("set primary variable zero", Configure),
        44 => ("write primary variable units", Configure),
        45 => ("trim loop current zero", Configure),
        46 => ("trim loop current gain", Configure),
        47 => ("write primary variable transfer function", Configure),
        48 => ("read additional device status", Diagnose),
        49 => ("write transducer serial number", Configure),
        50 => ("read dynamic variable assignments", Read),
        51 => ("write dynamic variable assignments", Configure),
        52 => ("set device variable zero", Configure),
        53 => ("write device variable units", Configure),
        54 => ("read device variable information", Read),
        55 => ("write device variable damping", Configure),
        59 => ("write number of response preambles", Configure),
        71 => ("lock device", Control),
        72 => ("squawk", Diagnose),
        73 => ("find device", Identify),
        74 => ("read I/O system capabilities", Identify),
        75 => ("poll sub-device", Identify),
        76 => ("read lock device state", Read),
        77 => ("send command to sub-device", Control),
        78 => ("read aggregated commands", Read),
        79 => ("write device variable", Write),
        84 => ("read sub-device identity", Identify),
        85 => ("read I/O channel statistics", Diagnose),
        86 => ("read sub-device statistics", Diagnose),
        87 => ("write I/O system master mode", Configure),
        88 => ("write I/O system retry count", Configure),
        89 => ("set real-time clock", Configure),
        90 => ("read real-time clock", Diagnose),
        95 => ("read device communication statistics", Diagnose),
        103 => ("write burst period", Configure),
        104 => ("write burst trigger", Configure),
        105 => ("read burst mode configuration", Read),
        106 => ("flush delayed responses", Control),
        107 => ("write burst device variables", Configure),
        108 => ("write burst mode command number", Configure),
        109 => ("burst mode control", Configure),
        110 => ("read all dynamic variables", Read),
        _ => return None,
    })
}

/// Name of a response code that means one thing for all commands (HCF_SPEC-307).
#[must_use]
pub const fn response(code: u8) -> &'static str {
    match code {
        0 => "success",
        2 => "invalid selection",
        3 => "parameter too large",
        4 => "parameter too small",
        5 => "too few data bytes",
        6 => "device-specific command error",
        7 => "write protected",
        16 => "access restricted",
        17 => "invalid device variable index",
        18 => "invalid units code",
        19 => "device variable index not allowed",
        20 => "invalid extended command number",
        32 => "busy",
        33 => "delayed response initiated",
        34 => "delayed response running",
        35 => "delayed response dead",
        36 => "delayed response conflict",
        64 => "command not implemented",
        0x80.. => "communication error",
        _ => "command-specific",
    }
}

/// Flags of a device's status, from the lowest bit on (HCF_SPEC-099).
pub const STATUS: [&str; 8] = [
    "primary variable out of limits",
    "other variable out of limits",
    "loop current saturated",
    "loop current fixed",
    "more status available",
    "cold start",
    "configuration changed",
    "device malfunction",
];

/// Status of a HART-IP response (HCF_SPEC-085 table 8).
#[must_use]
pub const fn session(code: u8) -> &'static str {
    match code {
        0 => "success",
        2 => "invalid selection",
        5 => "too few data bytes",
        6 => "device-specific command error",
        8 => "set to nearest possible value",
        14 => "version not supported",
        15 => "all sessions in use",
        16 => "access restricted",
        _ => "unknown",
    }
}

/// A maker by its number in HART (HCF_SPEC-183 table 8): the few that are certain.
#[must_use]
pub const fn manufacturer(code: u16) -> Option<&'static str> {
    Some(match code {
        0x11 => "Endress+Hauser",
        0x17 => "Honeywell",
        0x1a => "ABB",
        0x26 => "Rosemount",
        0x2a => "Siemens",
        0x37 => "Yokogawa",
        0xf9 => "FieldComm Group",
        _ => return None,
    })
}
