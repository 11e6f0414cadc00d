//! Names of SLMP commands, devices and end codes (SLMP Reference Manual SH-080956ENG; MELSEC Communication Protocol SH-080008).

use quaywatch_model::OperationClass;

/// Name and class of a command.
#[must_use]
pub const fn command(code: u16) -> Option<(&'static str, OperationClass)> {
    use OperationClass::{Configure, Control, Diagnose, Identify, Program, Read, Session, Write};
    Some(match code {
        0x0101 => ("Read Type Name", Identify),
        0x0401 => ("Device Read", Read),
        0x0403 => ("Device Read Random", Read),
        0x0406 => ("Device Read Block", Read),
        0x041a => ("Array Label Read", Read),
        0x041c => ("Label Read Random", Read),
        0x0601 => ("Extend Unit Read", Read),
        0x0613 => ("Memory Read", Read),
        0x0619 => ("Self Test", Diagnose),
        0x0801 => ("Entry Monitor Device", Configure),
        0x0802 => ("Execute Monitor", Read),
        0x0e30 => ("Node Search", Identify),
        0x0e31 => ("IP Address Set", Configure),
        0x1001 => ("Remote Run", Control),
        0x1002 => ("Remote Stop", Control),
        0x1003 => ("Remote Pause", Control),
        0x1005 => ("Remote Latch Clear", Control),
        0x1006 => ("Remote Reset", Control),
        0x1401 => ("Device Write", Write),
        0x1402 => ("Device Write Random", Write),
        0x1406 => ("Device Write Block", Write),
        0x141a => ("Array Label Write", Write),
        0x141b => ("Label Write Random", Write),
        0x1601 => ("Extend Unit Write", Write),
        0x1613 => ("Memory Write", Write),
        0x1617 => ("Clear Error", Control),
        0x1630 => ("Remote Password Unlock", Session),
        0x1631 => ("Remote Password Lock", Session),
        0x1810 => ("Read Directory", Read),
        0x1811 => ("Search Directory", Read),
        0x1820 => ("New File", Program),
        0x1822 => ("Delete File", Program),
        0x1824 => ("Copy File", Program),
        0x1825 => ("Change File State", Configure),
        0x1826 => ("Change File Date", Configure),
        0x1827 => ("Open File", Program),
        0x1828 => ("Read File", Program),
        0x1829 => ("Write File", Program),
        0x182a => ("Close File", Program),
        _ => return None,
    })
}

/// Symbol of a device by its binary code, and whether its numbers are written in hexadecimal.
#[must_use]
pub const fn device(code: u16) -> Option<(&'static str, bool)> {
    Some(match code {
        0x91 => ("SM", false),
        0xa9 => ("SD", false),
        0x9c => ("X", true),
        0x9d => ("Y", true),
        0x90 => ("M", false),
        0x92 => ("L", false),
        0x93 => ("F", false),
        0x94 => ("V", false),
        0xa0 => ("B", true),
        0xa8 => ("D", false),
        0xb4 => ("W", true),
        0xc1 => ("TS", false),
        0xc0 => ("TC", false),
        0xc2 => ("TN", false),
        0xc7 => ("SS", false),
        0xc6 => ("SC", false),
        0xc8 => ("SN", false),
        0xc4 => ("CS", false),
        0xc3 => ("CC", false),
        0xc5 => ("CN", false),
        0xa1 => ("SB", true),
        0xb5 => ("SW", true),
        0x98 => ("S", false),
        0xa2 => ("DX", true),
        0xa3 => ("DY", true),
        0xcc => ("Z", false),
        0xaf => ("R", false),
        0xb0 => ("ZR", false),
        0x2c => ("RD", false),
        _ => return None,
    })
}

/// Name of an end code.
#[must_use]
pub const fn end_code(code: u16) -> &'static str {
    match code {
        0x0000 => "ok",
        0x0055 => "writing while running is not enabled",
        0x4000..=0x4fff => "error of the CPU module",
        0xc050 => "ASCII data cannot be converted to binary",
        0xc051..=0xc054 => "number of points out of range",
        0xc056 => "address out of range",
        0xc058 => "request length does not match the points",
        0xc059 => "command or subcommand not supported",
        0xc05b => "device cannot be read or written",
        0xc05c => "request content wrong",
        0xc05d => "monitor not registered",
        0xc05f => "request cannot be executed",
        0xc060 => "bit data wrong",
        0xc061 => "request length wrong",
        0xc06f => "ASCII and binary do not match the setting",
        0xc070 => "device memory extension not possible",
        0xc0b5 => "data cannot be handled",
        0xc200 => "remote password wrong",
        0xc201 => "port is locked by the remote password",
        0xc204 => "another device unlocked the port",
        0xc810 => "remote password wrong",
        0xc815 => "locked out after wrong passwords",
        0xc816 => "security locks out",
        0xcee0 => "other end busy",
        _ => "error",
    }
}

/// Commands of MELSOFT (engineering) whose meaning is told by the same number in SLMP, or by what the captures show.
#[must_use]
pub const fn melsoft(code: u16) -> Option<(&'static str, OperationClass)> {
    use OperationClass::{Identify, Program, Read, Write};
    Some(match code {
        0x0121 => ("read type name", Identify),
        0x0410 | 0x0411 | 0x0413 => ("read", Read),
        0x1410 | 0x1411 => ("write", Write),
        0x1867 => ("open file", Program),
        0x1868 => ("read file", Program),
        0x1869 => ("write file", Program),
        0x186a => ("close file", Program),
        0x1001..=0x1006 => match command(code) {
            Some((name, class)) => (name, class),
            None => return None,
        },
        _ => return None,
    })
}
