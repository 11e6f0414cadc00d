//! Codes of Modbus and their names.

use quaywatch_model::OperationClass;

/// What a function code stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Name as the specification or the vendor writes it.
    pub name: &'static str,
    /// What it does.
    pub class: OperationClass,
    /// Whether its PDUs are decoded.
    pub decoded: bool,
}

const fn decoded(name: &'static str, class: OperationClass) -> Function {
    Function { name, class, decoded: true }
}

const fn named(name: &'static str, class: OperationClass) -> Function {
    Function { name, class, decoded: false }
}

/// The function of a code.
///
/// Public codes from the Modbus Application Protocol V1.1b3 section 5.1; the codes of old Modicon programming tools (Modbus Protocol
/// Reference Guide PI-MBUS-300, and as Zeek and icsnpp-modbus name them) are told by name only.
#[must_use]
pub const fn function(code: u8) -> Option<Function> {
    use OperationClass::{Configure, Control, Diagnose, Identify, Program, Read, Write};
    Some(match code {
        0x01 => decoded("Read Coils", Read),
        0x02 => decoded("Read Discrete Inputs", Read),
        0x03 => decoded("Read Holding Registers", Read),
        0x04 => decoded("Read Input Registers", Read),
        0x05 => decoded("Write Single Coil", Write),
        0x06 => decoded("Write Single Register", Write),
        0x07 => decoded("Read Exception Status", Diagnose),
        0x08 => decoded("Diagnostics", Diagnose),
        0x09 => named("Program 484", Program),
        0x0a => named("Poll 484", Diagnose),
        0x0b => decoded("Get Comm Event Counter", Diagnose),
        0x0c => decoded("Get Comm Event Log", Diagnose),
        0x0d => named("Program 584/984", Program),
        0x0e => named("Poll 584/984", Diagnose),
        0x0f => decoded("Write Multiple Coils", Write),
        0x10 => decoded("Write Multiple Registers", Write),
        0x11 => decoded("Report Server ID", Identify),
        0x12 => named("Program 884/M84", Program),
        0x13 => named("Reset Comm Link 884/M84", Control),
        0x14 => decoded("Read File Record", Read),
        0x15 => decoded("Write File Record", Write),
        0x16 => decoded("Mask Write Register", Write),
        0x17 => decoded("Read/Write Multiple Registers", Write),
        0x18 => decoded("Read FIFO Queue", Read),
        0x28 => named("Program Concept", Program),
        0x2b => decoded("Encapsulated Interface Transport", Diagnose),
        0x5a => named("Unity (UMAS)", Program),
        0x7d => named("Firmware Replacement", Configure),
        0x7e => named("Program 584/984", Program),
        0x7f => named("Report Local Address", Identify),
        _ => return None,
    })
}

/// Whether the specification leaves the code to users (section 5: 65 to 72 and 100 to 110).
#[must_use]
pub const fn is_user_defined(code: u8) -> bool {
    matches!(code, 65..=72 | 100..=110)
}

/// The function behind Diagnostics (section 6.8) by its sub-function.
#[must_use]
pub const fn diagnostics(sub: u16) -> Option<Function> {
    use OperationClass::{Configure, Control, Diagnose};
    Some(match sub {
        0 => decoded("Return Query Data", Diagnose),
        1 => decoded("Restart Communications Option", Control),
        2 => decoded("Return Diagnostic Register", Diagnose),
        3 => decoded("Change ASCII Input Delimiter", Configure),
        4 => decoded("Force Listen Only Mode", Control),
        10 => decoded("Clear Counters and Diagnostic Register", Diagnose),
        11 => decoded("Return Bus Message Count", Diagnose),
        12 => decoded("Return Bus Communication Error Count", Diagnose),
        13 => decoded("Return Bus Exception Error Count", Diagnose),
        14 => decoded("Return Server Message Count", Diagnose),
        15 => decoded("Return Server No Response Count", Diagnose),
        16 => decoded("Return Server NAK Count", Diagnose),
        17 => decoded("Return Server Busy Count", Diagnose),
        18 => decoded("Return Bus Character Overrun Count", Diagnose),
        20 => decoded("Clear Overrun Counter and Flag", Diagnose),
        21 => named("Get/Clear Modbus Plus Statistics", Diagnose),
        _ => return None,
    })
}

/// MEI type of CANopen General Reference (section 6.20).
pub const MEI_CANOPEN: u8 = 13;
/// MEI type of Read Device Identification (section 6.21).
pub const MEI_DEVICE_ID: u8 = 14;

/// The function behind Encapsulated Interface Transport (section 6.19) by its MEI type.
#[must_use]
pub const fn encapsulated(mei: u8) -> Option<Function> {
    match mei {
        MEI_CANOPEN => Some(named("CANopen General Reference", OperationClass::Read)),
        MEI_DEVICE_ID => Some(decoded("Read Device Identification", OperationClass::Identify)),
        _ => None,
    }
}

/// Name of an exception code (section 7); 7 is of the older PI-MBUS-300. Empty if it has none.
#[must_use]
pub const fn exception(code: u8) -> &'static str {
    match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        5 => "acknowledge",
        6 => "server device busy",
        7 => "negative acknowledge",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "",
    }
}
