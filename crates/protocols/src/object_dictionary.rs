//! The object dictionary that CANopen, EtherCAT (CoE) and POWERLINK share: names of objects, what a write to one does, what one says.
//!
//! CiA 301 section 7.5 (communication profile), ETG.1000.6 section 5.6.7, EPSG DS 301 appendix 1, CiA 402 (drives).

use quaywatch_model::OperationClass;

/// Name of an object, where the index alone tells it.
#[must_use]
pub const fn name(index: u16) -> Option<&'static str> {
    Some(match index {
        0x1000 => "device type",
        0x1001 => "error register",
        0x1003 => "error field",
        0x1006 => "cycle length",
        0x1008 => "manufacturer device name",
        0x1009 => "manufacturer hardware version",
        0x100a => "manufacturer software version",
        0x1010 => "store parameters",
        0x1011 => "restore default parameters",
        0x1018 => "identity",
        0x1020 => "verify configuration",
        0x1030..=0x1039 => "interface group",
        0x10f1 => "error settings",
        0x10f3 => "diagnosis history",
        0x1600..=0x17ff => "receive PDO mapping",
        0x1a00..=0x1bff => "transmit PDO mapping",
        0x1c00 => "sync manager type",
        0x1c10..=0x1c2f => "sync manager PDO assignment",
        0x1c32..=0x1c5f => "sync manager parameter",
        0x1f50 => "program data",
        0x1f51 => "program control",
        0x1f52 => "program version",
        0x1f80 => "NMT start-up",
        0x1f81 => "node assignment",
        0x1f8c => "NMT current state",
        0x1f93 => "node id",
        0x1f98 => "cycle timing",
        0x1f9e => "NMT reset command",
        0x1f9f => "NMT request command",
        0x6040 => "controlword",
        0x6041 => "statusword",
        0x6060 => "modes of operation",
        0x6061 => "modes of operation display",
        0x6064 => "position actual value",
        0x606c => "velocity actual value",
        0x607a => "target position",
        0x60ff => "target velocity",
        0xf050 => "detected modules",
        _ => return None,
    })
}

/// What a write to an object does to the machine.
#[must_use]
pub const fn write_class(index: u16) -> OperationClass {
    match index {
        0x1f50 => OperationClass::Program,
        0x1f51 | 0x1f9e | 0x1f9f | 0x6040 | 0x6060 => OperationClass::Control,
        0x1000..=0x1fff => OperationClass::Configure,
        _ => OperationClass::Write,
    }
}

/// Whether an object says who the device is: reads of it are identification.
#[must_use]
pub const fn identifies(index: u16) -> bool {
    matches!(index, 0x1000 | 0x1008..=0x100a | 0x1018)
}

/// The class of a read.
#[must_use]
pub const fn read_class(index: u16) -> OperationClass {
    if identifies(index) { OperationClass::Identify } else { OperationClass::Read }
}

/// Name of an SDO abort code (CiA 301 table 22).
#[must_use]
pub const fn abort(code: u32) -> Option<&'static str> {
    Some(match code {
        0x0503_0000 => "toggle bit not alternated",
        0x0504_0000 => "SDO protocol timed out",
        0x0504_0001 => "unknown command specifier",
        0x0504_0002 => "invalid block size",
        0x0504_0003 => "invalid sequence number",
        0x0504_0005 => "out of memory",
        0x0601_0000 => "unsupported access to an object",
        0x0601_0001 => "attempt to read a write-only object",
        0x0601_0002 => "attempt to write a read-only object",
        0x0602_0000 => "object does not exist",
        0x0604_0041 => "object cannot be mapped to the PDO",
        0x0604_0042 => "mapped objects exceed the PDO length",
        0x0604_0043 => "general parameter incompatibility",
        0x0604_0047 => "general internal incompatibility",
        0x0606_0000 => "access failed due to a hardware error",
        0x0607_0010 => "data type does not match, length does not match",
        0x0607_0012 => "data type does not match, length too high",
        0x0607_0013 => "data type does not match, length too low",
        0x0609_0011 => "subindex does not exist",
        0x0609_0030 => "value range exceeded",
        0x0609_0031 => "value too high",
        0x0609_0032 => "value too low",
        0x0609_0036 => "maximum less than minimum",
        0x0800_0000 => "general error",
        0x0800_0020 => "data cannot be transferred or stored",
        0x0800_0021 => "data cannot be stored because of local control",
        0x0800_0022 => "data cannot be stored in the present state",
        0x0800_0023 => "object dictionary not present",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_classed_by_what_they_do() {
        assert_eq!(write_class(0x1f50), OperationClass::Program);
        assert_eq!(write_class(0x6040), OperationClass::Control);
        assert_eq!(write_class(0x1c12), OperationClass::Configure);
        assert_eq!(write_class(0x7000), OperationClass::Write);
        assert_eq!(read_class(0x1018), OperationClass::Identify);
        assert_eq!(name(0x1a03), Some("transmit PDO mapping"));
        assert_eq!(abort(0x0602_0000), Some("object does not exist"));
    }
}
