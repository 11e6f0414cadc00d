//! Classes, services, statuses and data types of CIP and their names.

use quaywatch_model::OperationClass;

use super::path::Target;

/// Identity object.
pub const IDENTITY: u32 = 0x01;
/// Connection Manager object.
pub const CONNECTION_MANAGER: u32 = 0x06;
/// File object.
pub const FILE: u32 = 0x37;
/// PCCC object of Rockwell controllers.
pub const PCCC: u32 = 0x67;
/// Symbol object of Logix controllers.
pub const SYMBOL: u32 = 0x6b;
/// Routine object of Logix controllers, as the quickdraw captures show it.
pub const ROUTINE: u32 = 0x6d;
/// Controller mode object of Logix controllers, as the iti start, stop and unlock captures show it.
pub const MODE: u32 = 0x8e;
/// Object of the controller's lock inside [`MODE`].
pub const LOCK: u32 = 0x74;
/// Firmware store of Rockwell devices, as the quickdraw firmware capture shows it.
pub const FIRMWARE: u32 = 0xa1;

/// Get_Attributes_All.
pub const GET_ALL: u8 = 0x01;
/// Get_Attribute_List.
pub const GET_LIST: u8 = 0x03;
/// Multiple_Service_Packet.
pub const MULTIPLE: u8 = 0x0a;
/// Get_Attribute_Single.
pub const GET_SINGLE: u8 = 0x0e;
/// Forward_Close of the Connection Manager.
pub const FORWARD_CLOSE: u8 = 0x4e;
/// Unconnected_Send of the Connection Manager.
pub const UNCONNECTED_SEND: u8 = 0x52;
/// Forward_Open of the Connection Manager.
pub const FORWARD_OPEN: u8 = 0x54;
/// Large_Forward_Open of the Connection Manager.
pub const LARGE_FORWARD_OPEN: u8 = 0x5b;

/// First code of services that an object defines for itself (Volume 1 appendix A).
const OBJECT_SPECIFIC: u8 = 0x32;

/// Name of a class (Volume 1 chapter 5; Rockwell's own from its Logix data access manual 1756-PM020 and the captures). Empty if unknown.
#[must_use]
pub const fn class(id: u32) -> &'static str {
    match id {
        0x01 => "Identity",
        0x02 => "Message Router",
        0x03 => "DeviceNet",
        0x04 => "Assembly",
        0x05 => "Connection",
        0x06 => "Connection Manager",
        0x07 => "Register",
        0x08 => "Discrete Input Point",
        0x09 => "Discrete Output Point",
        0x0a => "Analog Input Point",
        0x0b => "Analog Output Point",
        0x0e => "Presence Sensing",
        0x0f => "Parameter",
        0x10 => "Parameter Group",
        0x23 => "Position Sensor",
        0x24 => "Position Controller Supervisor",
        0x25 => "Position Controller",
        0x28 => "Motor Data",
        0x29 => "Control Supervisor",
        0x2a => "AC/DC Drive",
        0x2b => "Acknowledge Handler",
        0x2c => "Overload",
        0x2d => "Softstart",
        0x37 => "File",
        0x39 => "Safety Supervisor",
        0x3a => "Safety Validator",
        0x41 => "Event Log",
        0x42 => "Motion Device Axis",
        0x43 => "Time Sync",
        0x44 => "Modbus",
        0x45 => "Originator Connection List",
        0x47 => "Device Level Ring",
        0x48 => "QoS",
        0x4d => "Target Connection List",
        0x4e => "Base Energy",
        0x51 => "Base Switch",
        0x52 => "SNMP",
        0x5d => "CIP Security",
        0x5e => "EtherNet/IP Security",
        0x5f => "Certificate Management",
        0x60 => "Authority",
        0x61 => "Password Authenticator",
        0x64 => "Controller Name",
        0x67 => "PCCC",
        0x68 => "Program",
        0x6b => "Symbol",
        0x6c => "Template",
        0x6d => "Routine",
        0x74 => "Controller Lock",
        0x8b => "Wall Clock Time",
        0x8e => "Controller Mode",
        0xa1 => "Firmware Store",
        0xf0 => "ControlNet",
        0xf3 => "Connection Configuration",
        0xf4 => "Port",
        0xf5 => "TCP/IP Interface",
        0xf6 => "Ethernet Link",
        0x109 => "LLDP Management",
        _ => "",
    }
}

/// What a service does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Service {
    /// Its name; empty if the object gives it a meaning that is not public.
    pub name: &'static str,
    /// What it does.
    pub class: OperationClass,
}

const fn service_of(name: &'static str, class: OperationClass) -> Service {
    Service { name, class }
}

/// The service of a code, asked of this object.
#[must_use]
pub fn service(code: u8, target: &Target) -> Service {
    if code < OBJECT_SPECIFIC { common(code, target) } else { specific(code, target) }
}

/// Common services (Volume 1 appendix A-3).
fn common(code: u8, target: &Target) -> Service {
    use OperationClass::{Configure, Control, Diagnose, Identify, Program, Read, Write};
    let class = target.class.unwrap_or(0);
    let reading = if class == IDENTITY { Identify } else { Read };
    let writing = match class {
        MODE => Control,
        // Tasks, programs, routines and tags of Logix controllers: an online edit.
        0x68..=0x70 => Program,
        class if is_settings(class) => Configure,
        _ => Write,
    };
    let making = if is_vendors(class) { Program } else { Configure };
    match code {
        0x01 => service_of("Get Attributes All", reading),
        0x02 => service_of("Set Attributes All", writing),
        0x03 => service_of("Get Attribute List", reading),
        0x04 => service_of("Set Attribute List", writing),
        0x05 => service_of("Reset", Control),
        0x06 => service_of("Start", Control),
        0x07 => service_of("Stop", Control),
        0x08 => service_of("Create", making),
        0x09 => service_of("Delete", making),
        0x0a => service_of("Multiple Service Packet", Diagnose),
        0x0d => service_of("Apply Attributes", Configure),
        0x0e => service_of("Get Attribute Single", reading),
        0x10 => service_of("Set Attribute Single", writing),
        0x11 => service_of("Find Next Object Instance", Read),
        0x15 => service_of("Restore", Configure),
        0x16 => service_of("Save", Configure),
        0x17 => service_of("No Operation", Diagnose),
        0x18 => service_of("Get Member", Read),
        0x19 => service_of("Set Member", Write),
        0x1a => service_of("Insert Member", Write),
        0x1b => service_of("Remove Member", Write),
        0x1c => service_of("Group Sync", Diagnose),
        _ => service_of("", Diagnose),
    }
}

/// Objects whose attributes are settings of the device, not process data.
const fn is_settings(class: u32) -> bool {
    matches!(class, 0x01 | 0x03 | 0x05..=0x06 | 0x43 | 0x45 | 0x47..=0x48 | 0x5d..=0x61 | 0x8b | 0xf0..=0xff | 0x109)
}

/// Class ids left to vendors (Volume 1 table 5-1.1).
#[must_use]
pub const fn is_vendors(class: u32) -> bool {
    matches!(class, 0x64..=0xc7 | 0x300..=0x4ff)
}

fn specific(code: u8, target: &Target) -> Service {
    use OperationClass::{Configure, Control, Diagnose, Program, Read, Session, Write};
    let class = target.class.unwrap_or(0);
    match (class, code) {
        (CONNECTION_MANAGER, 0x4e) => service_of("Forward Close", Session),
        (CONNECTION_MANAGER, 0x52) => service_of("Unconnected Send", Session),
        (CONNECTION_MANAGER, 0x54) => service_of("Forward Open", Session),
        (CONNECTION_MANAGER, 0x56) => service_of("Get Connection Data", Diagnose),
        (CONNECTION_MANAGER, 0x57) => service_of("Search Connection Data", Diagnose),
        (CONNECTION_MANAGER, 0x5a) => service_of("Get Connection Owner", Diagnose),
        (CONNECTION_MANAGER, 0x5b) => service_of("Large Forward Open", Session),
        (FILE, 0x4b) => service_of("Initiate Upload", Program),
        (FILE, 0x4c) => service_of("Initiate Download", Program),
        (FILE, 0x4d) => service_of("Initiate Partial Read", Program),
        (FILE, 0x4e) => service_of("Initiate Partial Write", Program),
        (FILE, 0x4f) => service_of("Upload Transfer", Program),
        (FILE, 0x50) => service_of("Download Transfer", Program),
        (FILE, 0x51) => service_of("Clear File", Program),
        (PCCC, 0x4b) => service_of("Execute PCCC", Diagnose),
        (FIRMWARE, 0x4b) => service_of("Begin Firmware Update", Configure),
        (FIRMWARE, 0x4d) => service_of("Firmware Block", Configure),
        (FIRMWARE, _) => service_of("", Configure),
        (ROUTINE, 0x4c) => service_of("Read Routine", Program),
        (LOCK, 0x4b) if target.outer == Some(MODE) => service_of("Lock Controller", Control),
        (LOCK, 0x4c) if target.outer == Some(MODE) => service_of("Unlock Controller", Control),
        (MODE, _) => service_of("", Control),
        (SYMBOL, 0x4b) => service_of("List Instances", Read),
        (SYMBOL, 0x55) => service_of("Get Instance Attribute List", Read),
        (0x6c, 0x4c) => service_of("Read Template", Read),
        (0xb2, 0x4c) => service_of("Read Optimized Tags", Read),
        _ if target.symbolic || class == SYMBOL => tag(code),
        // Tasks, programs, routines and tags as engineering tools handle them; their services are not published.
        (0x68..=0x70, 0x4b) => service_of("List Instances", Program),
        (0x68..=0x70, _) => service_of("", Program),
        (_, 0x53 | 0x4d) if class == 0 => service_of("", Write),
        _ => service_of("", Diagnose),
    }
}

/// Services on tags (1756-PM020).
const fn tag(code: u8) -> Service {
    use OperationClass::{Diagnose, Read, Write};
    match code {
        0x4c => service_of("Read Tag", Read),
        0x4d => service_of("Write Tag", Write),
        0x4e => service_of("Read Modify Write Tag", Write),
        0x52 => service_of("Read Tag Fragmented", Read),
        0x53 => service_of("Write Tag Fragmented", Write),
        _ => service_of("", Diagnose),
    }
}

/// Name of a general status (Volume 1 appendix B-1).
#[must_use]
pub const fn status(code: u8) -> &'static str {
    match code {
        0x00 => "success",
        0x01 => "connection failure",
        0x02 => "resource unavailable",
        0x03 => "invalid parameter value",
        0x04 => "path segment error",
        0x05 => "path destination unknown",
        0x06 => "partial transfer",
        0x07 => "connection lost",
        0x08 => "service not supported",
        0x09 => "invalid attribute value",
        0x0a => "attribute list error",
        0x0b => "already in requested mode or state",
        0x0c => "object state conflict",
        0x0d => "object already exists",
        0x0e => "attribute not settable",
        0x0f => "privilege violation",
        0x10 => "device state conflict",
        0x11 => "reply data too large",
        0x12 => "fragmentation of a primitive value",
        0x13 => "not enough data",
        0x14 => "attribute not supported",
        0x15 => "too much data",
        0x16 => "object does not exist",
        0x17 => "service fragmentation sequence not in progress",
        0x18 => "no stored attribute data",
        0x19 => "store operation failure",
        0x1a => "routing failure, request packet too large",
        0x1b => "routing failure, response packet too large",
        0x1c => "missing attribute list entry data",
        0x1d => "invalid attribute value list",
        0x1e => "embedded service error",
        0x1f => "vendor specific error",
        0x20 => "invalid parameter",
        0x21 => "write-once value or medium already written",
        0x22 => "invalid reply received",
        0x23 => "buffer overflow",
        0x24 => "invalid message format",
        0x25 => "key failure in path",
        0x26 => "path size invalid",
        0x27 => "unexpected attribute in list",
        0x28 => "invalid member id",
        0x29 => "member not settable",
        0x2a => "group 2 only server general failure",
        0x2b => "unknown modbus error",
        0x2c => "attribute not gettable",
        0xd0..=0xff => "object class specific error",
        _ => "",
    }
}

/// Name of an elementary data type (Volume 1 appendix C-6.1, 1756-PM020). Empty if it has none.
#[must_use]
pub const fn data_type(code: u16) -> &'static str {
    match code {
        0x00c1 => "BOOL",
        0x00c2 => "SINT",
        0x00c3 => "INT",
        0x00c4 => "DINT",
        0x00c5 => "LINT",
        0x00c6 => "USINT",
        0x00c7 => "UINT",
        0x00c8 => "UDINT",
        0x00c9 => "ULINT",
        0x00ca => "REAL",
        0x00cb => "LREAL",
        0x00d0 => "STRING",
        0x00d1 => "BYTE",
        0x00d2 => "WORD",
        0x00d3 => "DWORD",
        0x00d4 => "LWORD",
        0x00da => "SHORT_STRING",
        0x02a0 => "STRUCT",
        _ => "",
    }
}
