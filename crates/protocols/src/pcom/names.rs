//! Commands of Unitronics PCOM.

use quaywatch_model::OperationClass::{self, Configure, Control, Diagnose, Identify, Read, Write};

/// ASCII commands: code, meaning, class, what they address (Unitronics PCOM Protocol, chapter "ASCII"). Longer codes first.
pub const ASCII: &[(&str, &str, OperationClass, &str)] = &[
    ("CCR", "run", Control, ""),
    ("CCS", "stop", Control, ""),
    ("CCI", "initialise", Control, ""),
    ("CCE", "reset", Control, ""),
    ("RNL", "read long integers", Read, "ML"),
    ("RNH", "read system long integers", Read, "SL"),
    ("RND", "read double words", Read, "DW"),
    ("RNJ", "read system double words", Read, "SDW"),
    ("RNF", "read floats", Read, "MF"),
    ("SNL", "write long integers", Write, "ML"),
    ("SNH", "write system long integers", Write, "SL"),
    ("SND", "write double words", Write, "DW"),
    ("SNJ", "write system double words", Write, "SDW"),
    ("SNF", "write floats", Write, "MF"),
    ("ID", "identify", Identify, ""),
    ("UG", "read unit id", Identify, ""),
    ("US", "set unit id", Configure, ""),
    ("RC", "read clock", Diagnose, ""),
    ("SC", "set clock", Configure, ""),
    ("RE", "read inputs", Read, "I"),
    ("RA", "read outputs", Read, "O"),
    ("RB", "read bits", Read, "MB"),
    ("GS", "read system bits", Read, "SB"),
    ("RW", "read integers", Read, "MI"),
    ("GF", "read system integers", Read, "SI"),
    ("RT", "read timers", Read, "T"),
    ("SA", "write outputs", Write, "O"),
    ("SB", "write bits", Write, "MB"),
    ("SS", "write system bits", Write, "SB"),
    ("SW", "write integers", Write, "MI"),
    ("SF", "write system integers", Write, "SI"),
    ("ST", "write timers", Write, "T"),
];

/// The ASCII command at the front of `text`.
pub fn ascii(text: &str) -> Option<&'static (&'static str, &'static str, OperationClass, &'static str)> {
    ASCII.iter().find(|(code, ..)| text.starts_with(code))
}

/// A binary command without its reply bit (chapter "Binary").
pub const fn binary(command: u8) -> Option<(&'static str, OperationClass)> {
    Some(match command {
        0x04 => ("read data table", Read),
        0x0c => ("read plc name", Identify),
        0x44 => ("write data table", Write),
        0x4d => ("read operands", Read),
        0x50 => ("read and write operands", Write),
        _ => return None,
    })
}
