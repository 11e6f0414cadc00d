//! PCCC: the commands of PLC-5, SLC and MicroLogix, carried by the PCCC object (Rockwell 1770-6.5.16, DF1 protocol and command set).

use quaywatch_model::OperationClass;

use crate::bytes::Cursor;

/// A command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// Command code without the reply bit.
    pub command: u8,
    /// Function code, where the command has one.
    pub function: Option<u8>,
}

impl Command {
    /// Reads the data of Execute PCCC: the requester's id with its length, command, status, transaction and function.
    #[must_use]
    pub fn read(data: &[u8]) -> Option<Command> {
        let mut cursor = Cursor::new(data);
        let requester = usize::from(cursor.u8()?);
        cursor.skip(requester.checked_sub(1)?)?;
        let command = cursor.u8()? & 0x3f;
        cursor.skip(3)?;
        let function = if matches!(command, 0x06 | 0x07 | 0x0b | 0x0f) { cursor.u8() } else { None };
        Some(Command { command, function })
    }

    /// Status of a reply: as [`Command::read`], its status byte.
    #[must_use]
    pub fn status(data: &[u8]) -> Option<u8> {
        let mut cursor = Cursor::new(data);
        let requester = usize::from(cursor.u8()?);
        cursor.skip(requester.checked_sub(1)?)?;
        cursor.skip(1)?;
        cursor.u8()
    }

    /// Name and class.
    #[must_use]
    pub const fn name(self) -> (&'static str, OperationClass) {
        use OperationClass::{Configure, Control, Diagnose, Identify, Read, Write};
        match (self.command, self.function) {
            (0x00, _) => ("PCCC Protected Write", Write),
            (0x01, _) => ("PCCC Unprotected Read", Read),
            (0x02, _) => ("PCCC Protected Bit Write", Write),
            (0x05, _) => ("PCCC Unprotected Bit Write", Write),
            (0x06, Some(0x00)) => ("PCCC Echo", Diagnose),
            (0x06, Some(0x01)) => ("PCCC Read Diagnostic Counters", Diagnose),
            (0x06, Some(0x03)) => ("PCCC Diagnostic Status", Identify),
            (0x06, Some(0x07)) => ("PCCC Reset Diagnostic Counters", Diagnose),
            (0x08, _) => ("PCCC Unprotected Write", Write),
            (0x0f, Some(function)) => extended(function),
            (0x06, _) => ("PCCC Set Link Parameter", Configure),
            (0x07, _) => ("PCCC Control Processor", Control),
            _ => ("PCCC Command", Diagnose),
        }
    }
}

/// Functions of command 0x0f.
const fn extended(function: u8) -> (&'static str, OperationClass) {
    use OperationClass::{Configure, Control, Diagnose, Program, Read, Write};
    match function {
        0x00 => ("PCCC Word Range Write", Write),
        0x01 => ("PCCC Word Range Read", Read),
        0x02 => ("PCCC Bit Write", Write),
        0x11 => ("PCCC Get Edit Resource", Program),
        0x12 => ("PCCC Return Edit Resource", Program),
        0x17 => ("PCCC Read Bytes Physical", Program),
        0x18 => ("PCCC Write Bytes Physical", Program),
        0x26 => ("PCCC Read Modify Write", Write),
        0x29 => ("PCCC Read Section Size", Read),
        0x3a => ("PCCC Set Processor Mode", Control),
        0x41 => ("PCCC Disable Forces", Control),
        0x50 => ("PCCC Download All Request", Program),
        0x52 => ("PCCC Download Completed", Program),
        0x53 => ("PCCC Upload All Request", Program),
        0x55 => ("PCCC Upload Completed", Program),
        0x57 => ("PCCC Initialize Memory", Program),
        0x5e => ("PCCC Modify PLC-2 Compatibility File", Configure),
        0x67 => ("PCCC Typed Write", Write),
        0x68 => ("PCCC Typed Read", Read),
        0x79 => ("PCCC Read Modify Write N", Write),
        0x80 => ("PCCC Change Mode", Control),
        0x81 => ("PCCC Open File", Program),
        0x82 => ("PCCC Close File", Program),
        0x88 => ("PCCC Execute Command List", Program),
        0x8f => ("PCCC Apply Port Configuration", Configure),
        0xa1 => ("PCCC Protected Typed Logical Read, two fields", Read),
        0xa2 => ("PCCC Protected Typed Logical Read, three fields", Read),
        0xa7 => ("PCCC Protected Typed File Read", Program),
        0xa9 => ("PCCC Protected Typed Logical Write, two fields", Write),
        0xaa => ("PCCC Protected Typed Logical Write, three fields", Write),
        0xab => ("PCCC Protected Typed Logical Write With Mask", Write),
        0xaf => ("PCCC Protected Typed File Write", Program),
        _ => ("PCCC Function", Diagnose),
    }
}
