//! Names and classes of functions, return codes and partial lists.
//!
//! S7comm has no public specification. The codes are those of Siemens' system manuals ("System Software for
//! S7-300/400 System and Standard Functions" for partial lists, operating modes and events) and of the open
//! implementations snap7 and libnodave; the captures of the project agree with them.

use quaywatch_model::OperationClass;

/// Name and class of a job function.
#[must_use]
pub const fn job(function: u8) -> (&'static str, OperationClass) {
    match function {
        0x00 => ("CPU services", OperationClass::Diagnose),
        0x04 => ("read var", OperationClass::Read),
        0x05 => ("write var", OperationClass::Write),
        0x1a => ("request download", OperationClass::Program),
        0x1b => ("download block", OperationClass::Program),
        0x1c => ("download ended", OperationClass::Program),
        0x1d => ("start upload", OperationClass::Program),
        0x1e => ("upload", OperationClass::Program),
        0x1f => ("end upload", OperationClass::Program),
        0x28 => ("PI service", OperationClass::Control),
        0x29 => ("PLC stop", OperationClass::Control),
        0xf0 => ("setup communication", OperationClass::Session),
        _ => ("unknown function", OperationClass::Diagnose),
    }
}

/// Name and class of a userdata function.
#[must_use]
pub const fn userdata(group: u8, function: u8) -> (&'static str, OperationClass) {
    match group {
        0x0 => ("mode transition", OperationClass::Diagnose),
        0x1 => programmer(function),
        0x2 => cyclic(function),
        0x3 => match function {
            1 => ("list blocks", OperationClass::Diagnose),
            2 => ("list blocks of type", OperationClass::Diagnose),
            3 => ("get block info", OperationClass::Diagnose),
            _ => ("unknown block function", OperationClass::Diagnose),
        },
        0x4 => cpu(function),
        0x5 => match function {
            1 => ("set session password", OperationClass::Session),
            2 => ("clear session password", OperationClass::Session),
            _ => ("unknown security function", OperationClass::Session),
        },
        0x6 => ("BSEND / BRECV", OperationClass::Write),
        0x7 => match function {
            1 => ("read clock", OperationClass::Diagnose),
            2 => ("set clock", OperationClass::Configure),
            3 => ("read clock (following)", OperationClass::Diagnose),
            4 => ("set clock (following)", OperationClass::Configure),
            _ => ("unknown time function", OperationClass::Diagnose),
        },
        0xf => match function {
            1 => ("NC request download", OperationClass::Program),
            2 => ("NC download block", OperationClass::Program),
            3 => ("NC continue download", OperationClass::Program),
            4 => ("NC download ended", OperationClass::Program),
            6 => ("NC start upload", OperationClass::Program),
            7 => ("NC upload", OperationClass::Program),
            8 => ("NC continue upload", OperationClass::Program),
            _ => ("unknown NC programming function", OperationClass::Program),
        },
        _ => ("unknown userdata function", OperationClass::Diagnose),
    }
}

/// Test and commissioning functions of a programming device.
const fn programmer(function: u8) -> (&'static str, OperationClass) {
    match function {
        1 => ("block status", OperationClass::Diagnose),
        2 => ("variable status", OperationClass::Read),
        3 => ("read interrupt stack", OperationClass::Diagnose),
        4 => ("read block stack", OperationClass::Diagnose),
        5 => ("read local data stack", OperationClass::Diagnose),
        6 => ("measure run time", OperationClass::Diagnose),
        7 => ("force selection", OperationClass::Diagnose),
        8 => ("modify variable", OperationClass::Write),
        9 => ("force", OperationClass::Write),
        10 => ("breakpoint", OperationClass::Control),
        11 => ("exit hold", OperationClass::Control),
        12 => ("memory reset", OperationClass::Control),
        13 => ("disable job", OperationClass::Diagnose),
        14 => ("enable job", OperationClass::Diagnose),
        15 => ("delete job", OperationClass::Diagnose),
        16 => ("read job list", OperationClass::Diagnose),
        17 => ("read job", OperationClass::Diagnose),
        18 => ("replace job", OperationClass::Diagnose),
        19 => ("block status v2", OperationClass::Diagnose),
        22 => ("flash LED", OperationClass::Diagnose),
        _ => ("unknown programmer command", OperationClass::Diagnose),
    }
}

const fn cyclic(function: u8) -> (&'static str, OperationClass) {
    match function {
        1 => ("cyclic transfer", OperationClass::Cyclic),
        4 => ("cyclic unsubscribe", OperationClass::Cyclic),
        5 => ("change-driven transfer", OperationClass::Cyclic),
        7 => ("change-driven transfer modify", OperationClass::Cyclic),
        8 => ("read record", OperationClass::Read),
        _ => ("unknown cyclic function", OperationClass::Cyclic),
    }
}

const fn cpu(function: u8) -> (&'static str, OperationClass) {
    match function {
        0x01 => ("read SZL", OperationClass::Diagnose),
        0x02 => ("message service", OperationClass::Diagnose),
        0x03 => ("diagnostic message", OperationClass::Diagnose),
        0x05 => ("ALARM_8 indication", OperationClass::Diagnose),
        0x06 => ("NOTIFY indication", OperationClass::Diagnose),
        // Locking an alarm keeps the operator from seeing it.
        0x07 => ("ALARM_8 lock", OperationClass::Control),
        0x08 => ("ALARM_8 unlock", OperationClass::Control),
        0x09 => ("SCAN indication", OperationClass::Diagnose),
        0x0b => ("alarm acknowledge", OperationClass::Diagnose),
        0x0c => ("alarm acknowledge indication", OperationClass::Diagnose),
        0x0d => ("alarm lock indication", OperationClass::Diagnose),
        0x0e => ("alarm unlock indication", OperationClass::Diagnose),
        0x11 => ("ALARM_SQ indication", OperationClass::Diagnose),
        0x12 => ("ALARM_S indication", OperationClass::Diagnose),
        0x13 => ("alarm query", OperationClass::Diagnose),
        0x16 => ("NOTIFY_8 indication", OperationClass::Diagnose),
        _ => ("unknown CPU function", OperationClass::Diagnose),
    }
}

/// Operating state told by a mode transition (the function number of userdata group 0).
#[must_use]
pub const fn transition(function: u8) -> &'static str {
    match function {
        0x0 => "STOP",
        0x1 => "warm restart",
        0x2 => "RUN",
        0x3 => "hot restart",
        0x4 => "HOLD",
        0x6 => "cold restart",
        0x9 => "RUN (redundant)",
        0xb => "LINK-UP",
        0xc => "UPDATE",
        _ => "unknown state",
    }
}

/// Operating state in the lower half of `bzu_id` of partial list 0x24.
#[must_use]
pub const fn operating_state(state: u8) -> &'static str {
    match state & 0x0f {
        0x1 => "STOP (update)",
        0x2 => "STOP (memory reset)",
        0x3 => "STOP (self-initialisation)",
        0x4 => "STOP",
        0x5 => "STARTUP (cold restart)",
        0x6 => "STARTUP (warm restart)",
        0x7 => "STARTUP (hot restart)",
        0x8 => "RUN",
        0x9 => "RUN (redundant)",
        0xa => "HOLD",
        0xb => "LINK-UP",
        0xc => "UPDATE",
        0xd => "DEFECT",
        0xe => "self-test",
        0xf => "no power",
        _ => "unknown state",
    }
}

/// Position of the mode selector switch in partial list 0x32 index 4; empty if it cannot be told.
#[must_use]
pub const fn selector(position: u16) -> &'static str {
    match position {
        1 => "RUN",
        2 => "RUN-P",
        3 => "STOP",
        4 => "MRES",
        _ => "",
    }
}

/// Name of an item return code.
#[must_use]
pub const fn return_code(code: u8) -> &'static str {
    match code {
        0x00 => "reserved",
        0x01 => "hardware error",
        0x03 => "access to the object not allowed",
        0x05 => "invalid address",
        0x06 => "data type not supported",
        0x07 => "data type inconsistent",
        0x0a => "object does not exist",
        0xff => "success",
        _ => "unknown return code",
    }
}

/// Contents of a partial list, by its number (the low byte of the SZL id; system functions manual, "System status lists").
#[must_use]
pub const fn partial_list(id: u16) -> &'static str {
    match id & 0xff {
        0x00 => "list of partial lists",
        0x11 => "module identification",
        0x12 => "CPU characteristics",
        0x13 => "user memory areas",
        0x14 => "system areas",
        0x15 => "block types",
        0x16 | 0x23 => "priority classes",
        0x17 => "permitted SDBs",
        0x18 => "maximum I/O configuration",
        0x19 | 0x74 => "module LEDs",
        0x1c => "component identification",
        0x21 => "interrupt and error assignment",
        0x22 => "interrupt status",
        0x24 => "operating mode",
        0x25 => "process image partitions",
        0x31 => "communication capability",
        0x32 => "communication status",
        0x33 => "device logon list",
        0x37 => "Ethernet details",
        0x71 => "H CPU group",
        0x75 => "switched DP slaves",
        0x81 => "start information",
        0x82 => "start events",
        0x90 => "DP master systems",
        0x91 | 0x96 => "module status",
        0x92 | 0x94 => "rack and station status",
        0x95 => "extended DP master system",
        0xa0 => "diagnostic buffer",
        0xb1 => "module diagnostics, record 0",
        0xb2 => "module diagnostics, record 1 by slot",
        0xb3 => "module diagnostics, record 1 by address",
        0xb4 => "DP slave diagnostics",
        _ => "other",
    }
}
