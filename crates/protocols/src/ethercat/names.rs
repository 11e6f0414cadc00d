//! Names of EtherCAT commands, registers, states and AL status codes (ETG.1000.4 sections 5 and 6, ETG.1000.6, ETG.1020).

use quaywatch_model::OperationClass;

/// Name of a datagram's command (ETG.1000.4 section 5.4.1).
#[must_use]
pub const fn command(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "NOP",
        1 => "APRD",
        2 => "APWR",
        3 => "APRW",
        4 => "FPRD",
        5 => "FPWR",
        6 => "FPRW",
        7 => "BRD",
        8 => "BWR",
        9 => "BRW",
        10 => "LRD",
        11 => "LWR",
        12 => "LRW",
        13 => "ARMW",
        14 => "FRMW",
        _ => return None,
    })
}

/// Whether the command writes (and maybe reads too).
#[must_use]
pub const fn writes(code: u8) -> bool {
    matches!(code, 2 | 3 | 5 | 6 | 8 | 9)
}

/// Whether the address is logical: 32 bits instead of station and offset.
#[must_use]
pub const fn is_logical(code: u8) -> bool {
    matches!(code, 10..=12)
}

/// Register at an offset of an ESC's memory, and the class of a write to it (ETG.1000.4 section 6).
#[must_use]
pub const fn register(offset: u16) -> (&'static str, OperationClass) {
    use OperationClass::{Configure, Control, Cyclic, Diagnose, Write};
    match offset {
        0x0000..=0x000f => ("ESC information", Configure),
        0x0010..=0x0011 => ("station address", Configure),
        0x0012..=0x0013 => ("station alias", Configure),
        0x0020..=0x0031 => ("write protection", Configure),
        0x0040 => ("ESC reset", Control),
        0x0041 => ("ESC reset of the process data interface", Control),
        0x0100..=0x0107 => ("data link control", Configure),
        0x0108..=0x0109 => ("physical read-write offset", Configure),
        0x0110..=0x0111 => ("data link status", Diagnose),
        0x0120..=0x0121 => ("AL control", Control),
        0x0130..=0x0131 => ("AL status", Diagnose),
        0x0134..=0x0135 => ("AL status code", Diagnose),
        0x0138..=0x0139 => ("LED override", Configure),
        0x0140..=0x0153 => ("process data interface control", Configure),
        0x0200..=0x0223 => ("interrupt registers", Configure),
        0x0300..=0x0313 => ("error counters", Diagnose),
        0x0400..=0x0443 => ("watchdog", Configure),
        0x0500..=0x0501 => ("EEPROM configuration", Configure),
        0x0502..=0x050f => ("EEPROM", Diagnose),
        0x0510..=0x0517 => ("MII management", Configure),
        0x0600..=0x06ff => ("FMMU", Configure),
        0x0800..=0x087f => ("sync manager", Configure),
        0x0900..=0x09ff => ("distributed clock", Configure),
        0x0e00..=0x0eff => ("ESC specific", Configure),
        0x0f00..=0x0fff => ("digital and general purpose outputs", Write),
        0x1000.. => ("process data memory", Cyclic),
        _ => ("register", Configure),
    }
}

/// State of the application layer (ETG.1000.6 section 6.3): low four bits of AL control and AL status.
#[must_use]
pub const fn state(code: u16) -> &'static str {
    match code & 0xf {
        1 => "init",
        2 => "pre-op",
        3 => "bootstrap",
        4 => "safe-op",
        8 => "op",
        0 => "none",
        _ => "mixed",
    }
}

/// Name of an AL status code (ETG.1000.6 table 11, ETG.1020).
#[must_use]
pub const fn al_status(code: u16) -> Option<&'static str> {
    Some(match code {
        0x0000 => "no error",
        0x0001 => "unspecified error",
        0x0002 => "no memory",
        0x0011 => "invalid requested state change",
        0x0012 => "unknown requested state",
        0x0013 => "bootstrap not supported",
        0x0014 => "no valid firmware",
        0x0015 | 0x0016 => "invalid mailbox configuration",
        0x0017 => "invalid sync manager configuration",
        0x0018 => "no valid inputs available",
        0x0019 => "no valid outputs",
        0x001a => "synchronization error",
        0x001b => "sync manager watchdog",
        0x001c => "invalid sync manager types",
        0x001d => "invalid output configuration",
        0x001e => "invalid input configuration",
        0x001f => "invalid watchdog configuration",
        0x0020 => "slave needs cold start",
        0x0021 => "slave needs init",
        0x0022 => "slave needs pre-op",
        0x0023 => "slave needs safe-op",
        0x002c => "fatal synchronization error",
        0x002d => "no synchronization error",
        0x0030 => "invalid distributed clock configuration",
        0x0050 => "EEPROM no access",
        0x0051 => "EEPROM error",
        0x0060 => "slave restarted locally",
        _ => return None,
    })
}

/// Vendors by their ETG vendor id, those met on cranes and conveyors.
#[must_use]
pub const fn vendor(id: u32) -> Option<&'static str> {
    Some(match id {
        0x0000_0002 => "Beckhoff",
        0x0000_0021 => "WAGO",
        0x0000_006a => "Kollmorgen",
        0x0000_0083 => "Omron",
        0x0000_009a => "Elmo Motion Control",
        0x0000_04d8 => "Microchip",
        0x0000_0539 => "Yaskawa",
        0x0000_066f => "Panasonic",
        _ => return None,
    })
}
