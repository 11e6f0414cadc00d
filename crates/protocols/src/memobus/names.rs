//! Function and error codes of MEMOBUS.

use quaywatch_model::OperationClass::{self, Diagnose, Read, Write};

/// Name, class and area of a sub-function code (MP920 manual table 3.2).
pub const fn function(code: u8) -> Option<(&'static str, OperationClass, &'static str)> {
    Some(match code {
        0x01 => ("read coils", Read, "coil"),
        0x02 => ("read input relays", Read, "input-relay"),
        0x03 => ("read holding registers", Read, "holding-register"),
        0x04 => ("read input registers", Read, "input-register"),
        0x05 => ("write single coil", Write, "coil"),
        0x06 => ("write single holding register", Write, "holding-register"),
        0x08 => ("loopback", Diagnose, ""),
        0x09 => ("read holding registers (extended)", Read, "holding-register"),
        0x0a => ("read input registers (extended)", Read, "input-register"),
        0x0b => ("write holding registers (extended)", Write, "holding-register"),
        0x0d => ("read scattered holding registers", Read, "holding-register"),
        0x0e => ("write scattered holding registers", Write, "holding-register"),
        0x0f => ("write coils", Write, "coil"),
        0x10 => ("write holding registers", Write, "holding-register"),
        0x31 => ("melsec fixed buffer", Write, "buffer"),
        0x32 => ("melsec random buffer read", Read, "buffer"),
        0x33 => ("melsec random buffer write", Write, "buffer"),
        _ => return None,
    })
}

/// Codes of a refusal.
pub const fn error(code: u32) -> &'static str {
    match code {
        0 => "success",
        1 => "function code error",
        2 => "address error",
        3 => "data quantity error",
        _ => "unknown error",
    }
}
