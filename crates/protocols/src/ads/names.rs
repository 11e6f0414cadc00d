//! Names of ADS commands, states, ports, index groups and errors (Beckhoff Information System, "ADS" and "TcAdsDef").

use quaywatch_model::OperationClass;

/// Name and class of a command (AMS header, "Command Id").
#[must_use]
pub const fn command(code: u16) -> Option<(&'static str, OperationClass)> {
    Some(match code {
        1 => ("ReadDeviceInfo", OperationClass::Identify),
        2 => ("Read", OperationClass::Read),
        3 => ("Write", OperationClass::Write),
        4 => ("ReadState", OperationClass::Diagnose),
        5 => ("WriteControl", OperationClass::Control),
        6 => ("AddDeviceNotification", OperationClass::Read),
        7 => ("DeleteDeviceNotification", OperationClass::Session),
        8 => ("DeviceNotification", OperationClass::Cyclic),
        9 => ("ReadWrite", OperationClass::Write),
        _ => return None,
    })
}

/// Name of an ADS state.
#[must_use]
pub const fn state(code: u16) -> Option<&'static str> {
    Some(match code {
        0 => "invalid",
        1 => "idle",
        2 => "reset",
        3 => "init",
        4 => "start",
        5 => "run",
        6 => "stop",
        7 => "save-config",
        8 => "load-config",
        9 => "power-failure",
        10 => "power-good",
        11 => "error",
        12 => "shutdown",
        13 => "suspend",
        14 => "resume",
        15 => "config",
        16 => "reconfig",
        17 => "stopping",
        18 => "incompatible",
        19 => "exception",
        _ => return None,
    })
}

/// What listens on an AMS port.
#[must_use]
pub const fn port(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "router",
        100 => "logger",
        110 => "eventlog",
        200 => "realtime",
        300 => "io",
        500 => "nc",
        501 => "nc-saf",
        801 => "plc-runtime-1 (TwinCAT 2)",
        811 => "plc-runtime-2 (TwinCAT 2)",
        821 => "plc-runtime-3 (TwinCAT 2)",
        831 => "plc-runtime-4 (TwinCAT 2)",
        851 => "plc-runtime-1 (TwinCAT 3)",
        852 => "plc-runtime-2 (TwinCAT 3)",
        853 => "plc-runtime-3 (TwinCAT 3)",
        854 => "plc-runtime-4 (TwinCAT 3)",
        900 => "camshaft",
        10000 => "system-service",
        14000 => "scope",
        _ => return None,
    })
}

/// Port of the system service, whose index groups are its own.
pub const SYSTEM_SERVICE: u16 = 10000;

/// Name of an index group, and the class of a write or read-write to it if that is not what the command says.
#[must_use]
pub const fn index_group(port: u16, group: u32) -> Option<(&'static str, Option<OperationClass>)> {
    use OperationClass::{Configure, Control, Identify, Program, Read, Session};
    if port == SYSTEM_SERVICE {
        return Some(match group {
            120 => ("file-open", Some(Program)),
            121 => ("file-close", Some(Program)),
            122 => ("file-read", Some(Program)),
            123 => ("file-write", Some(Program)),
            124 => ("file-seek", Some(Program)),
            131 => ("file-delete", Some(Program)),
            132 => ("file-rename", Some(Program)),
            133 => ("file-find", Some(Read)),
            200 => ("registry-local-machine", Some(Configure)),
            500 => ("start-process", Some(Control)),
            801 => ("add-route", Some(Configure)),
            802 => ("delete-route", Some(Configure)),
            803 => ("list-routes", Some(Read)),
            _ => return None,
        });
    }
    Some(match group {
        0x4000 => ("plc-memory-flags", None),
        0x4020 => ("plc-memory-bytes", None),
        0x4021 => ("plc-memory-bits", None),
        0x4025 => ("plc-memory-size", None),
        0x4030 => ("plc-retain", None),
        0x4035 => ("plc-retain-size", None),
        0x4040 => ("plc-data", None),
        0x4045 => ("plc-data-size", None),
        0xf000 => ("symbol-table", Some(Read)),
        0xf001 => ("symbol-name", Some(Read)),
        0xf002 => ("symbol-value", None),
        0xf003 => ("symbol-handle-by-name", Some(Read)),
        0xf004 => ("symbol-value-by-name", Some(Read)),
        0xf005 => ("symbol-value-by-handle", None),
        0xf006 => ("symbol-release-handle", Some(Session)),
        0xf007 => ("symbol-info-by-name", Some(Identify)),
        0xf008 => ("symbol-version", Some(Read)),
        0xf009 => ("symbol-info-by-name-ex", Some(Identify)),
        0xf00a => ("symbol-download", Some(Read)),
        0xf00b => ("symbol-upload", Some(Read)),
        0xf00c => ("symbol-upload-info", Some(Read)),
        0xf00f => ("symbol-upload-info-2", Some(Read)),
        0xf010 => ("symbol-notification", Some(Read)),
        0xf020 => ("inputs-bytes", None),
        0xf021 => ("inputs-bits", None),
        0xf025 => ("inputs-size", None),
        0xf030 => ("outputs-bytes", None),
        0xf031 => ("outputs-bits", None),
        0xf035 => ("outputs-size", None),
        0xf040 => ("inputs-clear", None),
        0xf050 => ("outputs-clear", None),
        0xf080 => ("sum-read", Some(Read)),
        0xf081 => ("sum-write", None),
        0xf082 => ("sum-read-write", None),
        0xf083 => ("sum-read-ex", Some(Read)),
        0xf084 => ("sum-read-ex-2", Some(Read)),
        0xf085 => ("sum-add-notification", Some(Read)),
        0xf086 => ("sum-delete-notification", Some(Session)),
        0xf100 => ("device-data", None),
        _ => return None,
    })
}

/// Name of an ADS return code.
#[must_use]
pub const fn error(code: u32) -> Option<&'static str> {
    Some(match code {
        0 => "ok",
        1 => "internal error",
        2 => "no real time",
        4 => "insert mailbox error",
        6 => "target port not found",
        7 => "target machine not found",
        8 => "unknown command id",
        10 => "no i/o",
        13 => "port not connected",
        14 => "invalid AMS length",
        15 => "invalid AMS NetId",
        18 => "port disabled",
        19 => "port already connected",
        24 => "invalid AMS port",
        0x500 => "no locked memory",
        0x506 => "target port not found at router",
        0x700 => "general device error",
        0x701 => "service not supported",
        0x702 => "invalid index group",
        0x703 => "invalid index offset",
        0x704 => "reading or writing not permitted",
        0x705 => "parameter size not correct",
        0x706 => "invalid parameter values",
        0x707 => "device is not in a ready state",
        0x708 => "device is busy",
        0x70a => "insufficient memory",
        0x70b => "invalid parameter values",
        0x70c => "not found",
        0x70d => "syntax error in file or command",
        0x70e => "objects do not match",
        0x70f => "object already exists",
        0x710 => "symbol not found",
        0x711 => "symbol version invalid",
        0x712 => "device is in invalid state",
        0x713 => "transmission mode not supported",
        0x714 => "notification handle invalid",
        0x715 => "notification client not registered",
        0x716 => "no further notification handle",
        0x717 => "notification size too large",
        0x718 => "device not initialised",
        0x719 => "device timeout",
        0x71e => "invalid watch size",
        0x71f => "exception",
        0x723 => "access denied",
        0x740 => "client error",
        0x745 => "client timeout",
        0x748 => "client port not open",
        _ => return None,
    })
}
