//! Commands, variables, methods and errors of SICK's command language.

use quaywatch_model::{Attribute, OperationClass};

/// What the two letters behind the `s` mean, by request. (SICK, Telegram listing, chapter "Command basics".)
pub fn command(kind: [u8; 2]) -> Option<&'static str> {
    Some(match &kind {
        b"RN" => "read by name",
        b"WN" => "write by name",
        b"MN" => "method by name",
        b"EN" => "event by name",
        b"RI" => "read by index",
        b"WI" => "write by index",
        b"MI" => "method by index",
        b"EI" => "event by index",
        b"SN" | b"SI" => "event data",
        b"OX" => "create session",
        b"CX" => "close session",
        _ => return None,
    })
}

/// The letter of the request that such an answer belongs to; none for what is no answer.
pub const fn answers(kind: [u8; 2]) -> Option<u8> {
    match &kind {
        b"RA" => Some(b'R'),
        b"WA" => Some(b'W'),
        b"AN" | b"AI" => Some(b'M'),
        b"EA" => Some(b'E'),
        b"OA" => Some(b'O'),
        b"CA" => Some(b'C'),
        _ => None,
    }
}

/// What a request does to the scanner.
pub fn class(kind: [u8; 2], name: &str) -> OperationClass {
    match kind[0] {
        b'R' if identity(name).is_some() => OperationClass::Identify,
        b'R' => OperationClass::Read,
        b'W' => OperationClass::Configure,
        b'E' | b'S' => OperationClass::Cyclic,
        b'O' | b'C' => OperationClass::Session,
        _ => method(name),
    }
}

fn method(name: &str) -> OperationClass {
    match name {
        "SetAccessMode" | "SetUserLevel" | "GetChallenge" | "GetAccessMode" | "Run" | "CheckPassword" => {
            OperationClass::Session
        }
        "SetPassword" | "mEEwriteall" | "mSCloadfacdef" | "mSCloadappdef" | "LSPsetdatetime" | "mLMPsetscancfg"
        | "mCLsetscancfglist" => OperationClass::Configure,
        // Start, stop, standby, reboot, outputs, and whatever else a method sets going.
        _ => OperationClass::Control,
    }
}

/// What a variable says of the device.
pub fn identity(name: &str) -> Option<(Attribute, &'static str)> {
    Some(match name {
        "DeviceIdent" => (Attribute::Model, "sick cola DeviceIdent"),
        "SerialNumber" => (Attribute::Serial, "sick cola SerialNumber"),
        "FirmwareVersion" => (Attribute::Firmware, "sick cola FirmwareVersion"),
        "LocationName" => (Attribute::HostName, "sick cola LocationName"),
        "DIornr" | "OrderNumber" => (Attribute::OrderNumber, "sick cola order number"),
        "DItype" => (Attribute::Model, "sick cola DItype"),
        _ => return None,
    })
}

/// What a variable of a safety scanner says of it by its index (SICK, Data output via UDP and TCP/IP, 8022708, section 7.3.1).
pub const fn identity_by_index(index: u16) -> Option<(Attribute, &'static str)> {
    Some(match index {
        3 => (Attribute::Serial, "sick cola 2 variable 3"),
        4 => (Attribute::Firmware, "sick cola 2 variable 4"),
        18 => (Attribute::Project, "sick cola 2 variable 18"),
        _ => return None,
    })
}

/// A user level of `SetAccessMode`, and the hash of the password that the maker sets for it (telegram listing, "Log in").
pub const fn user_level(level: u8) -> Option<(&'static str, Option<u32>)> {
    Some(match level {
        0 => ("run", None),
        1 => ("operator", None),
        2 => ("maintenance", Some(0xb21a_ce26)),
        3 => ("authorized client", Some(0xf472_4744)),
        4 => ("service", Some(0x81be_23aa)),
        _ => return None,
    })
}

/// Errors told by `sFA` (telegram listing, chapter "Error codes").
pub const fn error(code: u32) -> &'static str {
    match code {
        0x01 => "method access denied",
        0x02 => "unknown method index",
        0x03 => "unknown variable index",
        0x04 => "local condition failed",
        0x05 => "invalid data",
        0x06 => "unknown error",
        0x07 => "buffer overflow",
        0x08 => "buffer underflow",
        0x09 => "unknown type",
        0x0a => "variable write access denied",
        0x0b => "unknown name",
        0x0c => "unknown command",
        0x0d => "method server busy",
        0x0e => "array index out of bounds",
        0x0f => "unknown event index",
        0x10 => "value overflow",
        0x11 => "invalid character",
        0x12 => "no message from the operating system",
        0x13 => "no answer message from the operating system",
        0x14 => "internal error",
        0x15 => "hub address corrupted",
        0x16 => "hub address decoding failed",
        0x17 => "hub address exceeded",
        0x18 => "blank expected in hub address",
        0x19 => "asynchronous methods suppressed",
        0x1a => "complex arrays not supported",
        _ => "unknown error code",
    }
}
