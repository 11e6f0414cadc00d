//! Names of functions, objects, attributes and errors, after the public work of T. Wiens.

use quaywatch_model::OperationClass;

/// Name and class of a function; the class is what it is when the object says nothing else.
#[must_use]
pub const fn function(code: u16) -> (&'static str, OperationClass) {
    match code {
        0x04b1 => ("error", OperationClass::Diagnose),
        0x04bb => ("explore", OperationClass::Read),
        0x04ca => ("create object", OperationClass::Session),
        0x04d4 => ("delete object", OperationClass::Session),
        0x04f2 => ("set variable", OperationClass::Configure),
        0x04fc => ("get variable", OperationClass::Read),
        0x0506 => ("add link", OperationClass::Configure),
        0x051a => ("remove link", OperationClass::Configure),
        0x0524 => ("get link", OperationClass::Read),
        0x0542 => ("set multi variables", OperationClass::Write),
        0x054c => ("get multi variables", OperationClass::Read),
        0x0556 => ("begin sequence", OperationClass::Program),
        0x0560 => ("end sequence", OperationClass::Program),
        0x056b => ("invoke", OperationClass::Control),
        0x057c => ("set variable substreamed", OperationClass::Program),
        0x0586 => ("get variable substreamed", OperationClass::Read),
        0x0590 => ("get variables address", OperationClass::Read),
        0x059a => ("abort", OperationClass::Session),
        0x05a9 => ("error", OperationClass::Diagnose),
        0x05b3 => ("init ssl", OperationClass::Session),
        _ => ("unknown function", OperationClass::Diagnose),
    }
}

/// Name of a well-known object.
#[must_use]
pub const fn object(id: u32) -> &'static str {
    match id {
        1 => "ASRoot",
        2 => "HWConfiguration",
        3 => "PLCProgram",
        49 => "CPUProxy",
        50 => "CPUCommon",
        52 => "CPUexecUnit",
        80 => "IArea",
        81 => "QArea",
        82 => "MArea",
        83 => "S7Counters",
        84 => "S7Timers",
        201 => "ObjectRoot",
        285 => "ServerSessionContainer",
        288 => "NullServerSession",
        _ => "",
    }
}

/// Kind of a program block by its class; empty for what is none.
#[must_use]
pub const fn block(class: u32) -> &'static str {
    match class {
        2574 => "DB",
        2578 => "FB",
        2579 => "FC",
        2610 | 2637..=2658 => "OB",
        _ => "",
    }
}

/// Name of a return code.
#[must_use]
pub const fn error(code: i16) -> &'static str {
    match code {
        0 => "ok",
        17 => "session pre-legitimated",
        19 => "executed with partial error",
        22 => "session delegitimated",
        -12 => "object not found",
        -17 => "invalid crc",
        -134 => "multi-es not supported",
        -255 => "invalid lid",
        1.. => "warning",
        _ => "error",
    }
}
