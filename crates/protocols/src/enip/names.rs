//! Names of commands, services, classes, results, vendors and device types.

use quaywatch_model::OperationClass;

use OperationClass::{Configure, Control, Diagnose, Identify, Program, Read, Session, Write};

/// Encapsulation commands (volume 2, table 2-3.2).
pub(super) const fn command(code: u16) -> (&'static str, OperationClass) {
    match code {
        0x0000 => ("NOP", Session),
        0x0004 => ("ListServices", Identify),
        0x0063 => ("ListIdentity", Identify),
        0x0064 => ("ListInterfaces", Identify),
        0x0065 => ("RegisterSession", Session),
        0x0066 => ("UnRegisterSession", Session),
        0x006f => ("SendRRData", Session),
        0x0070 => ("SendUnitData", Session),
        0x0072 => ("IndicateStatus", Diagnose),
        _ => ("unknown command", Session),
    }
}

/// Services: common ones (volume 1, appendix A), those of an object by its class, and Logix tag services
/// (Rockwell publication 1756-PM020). `symbolic` says that the path names a tag.
pub(super) fn service(code: u8, class: Option<u32>, symbolic: bool) -> (&'static str, OperationClass) {
    if let Some(special) = class.and_then(|class| object_service(code, class)) {
        return special;
    }
    match code {
        0x01 => ("Get Attributes All", if class == Some(1) { Identify } else { Read }),
        0x02 => ("Set Attributes All", setting(class)),
        0x03 => ("Get Attribute List", if class == Some(1) { Identify } else { Read }),
        0x04 => ("Set Attribute List", setting(class)),
        0x05 => ("Reset", Control),
        0x06 => ("Start", Control),
        0x07 => ("Stop", Control),
        0x08 => ("Create", Program),
        0x09 => ("Delete", Program),
        0x0a => ("Multiple Service Packet", Read),
        0x0d => ("Apply Attributes", Configure),
        0x0e => ("Get Attribute Single", if class == Some(1) { Identify } else { Read }),
        0x10 => ("Set Attribute Single", setting(class)),
        0x11 => ("Find Next Object Instance", Read),
        0x14 => ("Error Response", Diagnose),
        0x15 => ("Restore", Configure),
        0x16 => ("Save", Configure),
        0x17 => ("No Operation", Diagnose),
        0x18 => ("Get Member", Read),
        0x19 => ("Set Member", Write),
        0x1a => ("Insert Member", Write),
        0x1b => ("Remove Member", Write),
        0x1c => ("Group Sync", Control),
        0x4c if symbolic || logix(class) => ("Read Tag", Read),
        0x4d if symbolic || logix(class) => ("Write Tag", Write),
        0x4e if symbolic || logix(class) => ("Read Modify Write Tag", Write),
        0x52 if symbolic || logix(class) => ("Read Tag Fragmented", Read),
        0x53 if symbolic || logix(class) => ("Write Tag Fragmented", Write),
        0x54 if class.is_none() => ("Forward Open", Session),
        0x4b..=0x63 => ("object-specific service", Diagnose),
        _ => ("vendor-specific service", Diagnose),
    }
}

/// Classes on which Logix controllers offer tag services: symbol and template.
fn logix(class: Option<u32>) -> bool {
    matches!(class, Some(0x6b | 0x6c | 0xb2))
}

/// Setting an attribute of a communication or time object configures the device; of others it writes to the process.
const fn setting(class: Option<u32>) -> OperationClass {
    match class {
        Some(0x01 | 0x02 | 0x06 | 0x8b | 0xf4..=0xf7 | 0x43 | 0x47 | 0x48) => Configure,
        _ => Write,
    }
}

/// Services whose meaning depends on the object.
fn object_service(code: u8, class: u32) -> Option<(&'static str, OperationClass)> {
    Some(match (class, code) {
        (0x06, 0x4e) => ("Forward Close", Session),
        (0x06, 0x52) => ("Unconnected Send", Session),
        (0x06, 0x54) => ("Forward Open", Session),
        (0x06, 0x56) => ("Get Connection Data", Diagnose),
        (0x06, 0x57) => ("Search Connection Data", Diagnose),
        (0x06, 0x5a) => ("Get Connection Owner", Diagnose),
        (0x06, 0x5b) => ("Large Forward Open", Session),
        (0x67, 0x4b) => ("Execute PCCC", Write),
        (0x6b, 0x55) => ("Get Instance Attribute List", Read),
        (0x6c, 0x4c) => ("Read Template", Read),
        (0x37, 0x4b) => ("Initiate Upload", Program),
        (0x37, 0x4c) => ("Initiate Download", Program),
        (0x37, 0x4d) => ("Initiate Partial Read", Program),
        (0x37, 0x4e) => ("Initiate Partial Write", Program),
        (0x37, 0x4f) => ("Upload Transfer", Program),
        (0x37, 0x50) => ("Download Transfer", Program),
        (0x37, 0x51) => ("Clear File", Program),
        (0x64 | 0x68..=0x6a | 0x70, 0x08 | 0x09) => ("Change Program", Program),
        _ => return None,
    })
}

/// Object classes (volume 1, chapter 5; Logix classes from Rockwell publication 1756-PM020 and product manuals).
pub(super) const fn class(code: u32) -> Option<&'static str> {
    Some(match code {
        0x01 => "Identity",
        0x02 => "Message Router",
        0x04 => "Assembly",
        0x05 => "Connection",
        0x06 => "Connection Manager",
        0x07 => "Register",
        0x08 => "Discrete Input Point",
        0x09 => "Discrete Output Point",
        0x0a => "Analog Input Point",
        0x0b => "Analog Output Point",
        0x0f => "Parameter",
        0x28 => "Motor Data",
        0x29 => "Control Supervisor",
        0x2a => "AC/DC Drive",
        0x37 => "File",
        0x43 => "Time Sync",
        0x47 => "Device Level Ring",
        0x48 => "QoS",
        0x64 => "Program Manager",
        0x67 => "PCCC",
        0x68 => "Program",
        0x69 => "I/O Map",
        0x6b => "Symbol",
        0x6c => "Template",
        0x70 => "Task",
        0x8b => "Wall Clock Time",
        0x8e => "Controller Mode",
        0xf4 => "Port",
        0xf5 => "TCP/IP Interface",
        0xf6 => "Ethernet Link",
        _ => return None,
    })
}

/// Encapsulation status (volume 2, table 2-3.3).
pub(super) const fn encapsulation_status(code: u32) -> &'static str {
    match code {
        0x00 => "success",
        0x01 => "unsupported command",
        0x02 => "out of memory",
        0x03 => "bad data",
        0x64 => "invalid session",
        0x65 => "invalid length",
        0x69 => "unsupported protocol version",
        _ => "unknown status",
    }
}

/// General status (volume 1, appendix B-1).
pub(super) const fn general_status(code: u8) -> &'static str {
    match code {
        0x00 => "success",
        0x01 => "connection failure",
        0x02 => "resource unavailable",
        0x03 => "invalid parameter value",
        0x04 => "path segment error",
        0x05 => "path destination unknown",
        0x06 => "partial transfer",
        0x07 => "connection lost",
        0x08 => "service not supported",
        0x09 => "invalid attribute value",
        0x0a => "attribute list error",
        0x0b => "already in requested state",
        0x0c => "object state conflict",
        0x0d => "object already exists",
        0x0e => "attribute not settable",
        0x0f => "privilege violation",
        0x10 => "device state conflict",
        0x11 => "reply data too large",
        0x12 => "fragmentation of a primitive value",
        0x13 => "not enough data",
        0x14 => "attribute not supported",
        0x15 => "too much data",
        0x16 => "object does not exist",
        0x17 => "service fragmentation out of sequence",
        0x18 => "no stored attribute data",
        0x19 => "store operation failure",
        0x1a => "request packet too large",
        0x1b => "response packet too large",
        0x1c => "missing attribute list entry",
        0x1d => "invalid attribute value list",
        0x1e => "embedded service error",
        0x1f => "vendor-specific error",
        0x20 => "invalid parameter",
        0x22 => "invalid reply received",
        0x25 => "key failure in path",
        0x26 => "path size invalid",
        0x27 => "unexpected attribute in list",
        0x28 => "invalid member id",
        0x29 => "member not settable",
        _ => "reserved status",
    }
}

/// Vendors of the ODVA list that are met in ports; others are told by number.
pub(super) const fn vendor(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "Rockwell Automation/Allen-Bradley",
        5 => "Rockwell Automation/Reliance Electric",
        26 => "Festo",
        34 => "SEW-Eurodrive",
        40 => "WAGO",
        44 => "Yaskawa",
        46 => "ABB",
        47 => "Omron",
        48 => "Turck",
        57 => "Danfoss",
        90 => "HMS Networks",
        161 => "Mitsubishi Electric",
        243 => "Schneider Electric",
        283 => "Hilscher",
        367 => "Murrelektronik",
        562 => "Phoenix Contact",
        768 => "MOXA",
        808 => "SICK",
        991 => "Moxa",
        1251 => "Siemens",
        _ => return None,
    })
}

/// Device profiles (volume 1, chapter 6).
pub(super) const fn device_type(code: u16) -> Option<&'static str> {
    Some(match code {
        0x02 => "AC drive",
        0x03 => "motor overload",
        0x07 => "discrete I/O",
        0x0a => "photoelectric sensor",
        0x0c => "communications adapter",
        0x0e => "programmable logic controller",
        0x10 => "position controller",
        0x13 => "DC drive",
        0x18 => "human-machine interface",
        0x22 => "encoder",
        0x23 => "safety discrete I/O",
        0x25 => "CIP motion drive",
        0x2b => "generic device",
        0x2c => "managed Ethernet switch",
        0x2d => "CIP motion safety drive",
        _ => return None,
    })
}
