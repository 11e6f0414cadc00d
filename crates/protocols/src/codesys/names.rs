//! Names of CODESYS V3 packages and services, as public research on the runtime names them.

use quaywatch_model::OperationClass;

/// Name of a datagram service (byte 3 of the datagram header).
#[must_use]
pub const fn datagram(code: u8) -> Option<&'static str> {
    Some(match code {
        0x01 => "address service request",
        0x02 => "address service response",
        0x03 => "name service request",
        0x04 => "name service response",
        0x40 => "channel service",
        _ => return None,
    })
}

/// Name of a package of the name service.
#[must_use]
pub const fn name_package(code: u16) -> Option<&'static str> {
    Some(match code {
        0xc201 => "resolve name",
        0xc202 => "resolve address",
        0xc203 => "resolve gateway",
        0xc280 => "identification",
        _ => return None,
    })
}

/// Name of a component by its service group.
#[must_use]
pub const fn group(code: u16) -> &'static str {
    match code {
        0x01 => "CmpDevice",
        0x02 => "CmpApp",
        0x04 => "CmpVisuHandler",
        0x05 => "CmpLog",
        0x06 => "CmpSettings",
        0x08 => "CmpFileTransfer",
        0x09 => "CmpIecVarAccess",
        0x0b => "CmpIoMgr",
        0x0c => "CmpUserMgr",
        0x0f => "CmpTraceMgr",
        0x11 => "CmpPlcShell",
        0x18 => "CmpAlarmManager",
        0x1b => "CmpMonitor2",
        0x1d => "CmpCodeMeter",
        0x1f => "CmpCoreDump",
        0x22 => "CmpX509Cert",
        _ => "component",
    }
}

/// Name and class of a service of a group; services of no known number get a class by their group.
///
/// The numbers of `CmpApp` are those of published dissectors and were not seen in traffic.
#[must_use]
pub const fn service(group: u16, code: u16) -> (&'static str, OperationClass) {
    use OperationClass::{Configure, Control, Diagnose, Identify, Program, Read, Session};
    match (group, code) {
        (0x01, 0x01) => ("get target identification", Identify),
        (0x01, 0x02) => ("device login", Session),
        (0x01, 0x03) => ("device logout", Session),
        (0x01, _) => ("device service", Session),
        (0x02, 0x01) => ("application login", Session),
        (0x02, 0x02) => ("application logout", Session),
        (0x02, 0x03) => ("create application", Program),
        (0x02, 0x04) => ("delete application", Program),
        (0x02, 0x05) => ("download", Program),
        (0x02, 0x06) => ("online change", Program),
        (0x02, 0x07) => ("device download", Program),
        (0x02, 0x10) => ("start application", Control),
        (0x02, 0x11) => ("stop application", Control),
        (0x02, 0x12) => ("reset application", Control),
        (0x02, 0x14) => ("read application status", Diagnose),
        (0x02, _) => ("application service", Diagnose),
        (0x06, _) => ("settings service", Configure),
        (0x08, _) => ("file transfer service", Program),
        (0x0c, _) => ("user management service", Configure),
        (0x11, _) => ("PLC shell command", Control),
        (0x09 | 0x1b | 0x0f | 0x04, _) => ("variable or visualisation service", Read),
        _ => ("service", Diagnose),
    }
}
