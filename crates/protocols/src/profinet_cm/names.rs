//! Codes of PROFINET IO and their names: IEC 61158-6-10, tables of block types, indexes, control commands and error codes.

use quaywatch_model::OperationClass;

/// Name and class of a call.
#[must_use]
pub const fn call(number: u16) -> Option<(&'static str, OperationClass)> {
    use OperationClass::{Configure, Read, Session};
    Some(match number {
        0 => ("connect", Session),
        1 => ("release", Session),
        2 => ("read", Read),
        3 => ("write", Configure),
        4 => ("control", Session),
        5 => ("read implicit", Read),
        _ => return None,
    })
}

/// Kind of an application relation.
#[must_use]
pub const fn relation(kind: u16) -> &'static str {
    match kind {
        1 => "io controller",
        3 => "io controller with isochronous parameters",
        6 => "io supervisor",
        0x10 => "io controller with RT class 3",
        0x20 => "system redundancy",
        _ => "unknown",
    }
}

/// Direction of a cyclic connection.
#[must_use]
pub const fn cyclic(kind: u16) -> &'static str {
    match kind {
        1 => "input",
        2 => "output",
        3 => "multicast provider",
        4 => "multicast consumer",
        _ => "unknown",
    }
}

/// What a control block commands: the lowest bit that is set.
#[must_use]
pub const fn command(bits: u16) -> &'static str {
    match bits.trailing_zeros() {
        0 => "parameter end",
        1 => "application ready",
        2 => "release",
        3 => "done",
        4 => "ready for companion",
        5 => "ready for RT class 3",
        6 => "parameter begin",
        _ => "unknown",
    }
}

/// What a record's index stands for.
#[must_use]
pub const fn index(index: u16) -> &'static str {
    match index {
        0..=0x7fff => "user record",
        0x8000 => "expected identification of the subslot",
        0x8001 => "real identification of the subslot",
        0x800a..=0x800c => "diagnosis of the subslot",
        0x8010..=0x8013 => "maintenance of the subslot",
        0x801e => "substitute values",
        0x8020 => "port subframe parameters",
        0x8028 => "input data",
        0x8029 => "output data",
        0x802a => "real port data",
        0x802b => "expected port data",
        0x802c..=0x802f => "synchronisation data",
        0x8030 => "isochronous parameters",
        0x8050 => "interface's real MRP data",
        0x8051 => "interface's MRP check",
        0x8052 => "interface's MRP parameters",
        0x8053 => "port's MRP data",
        0x8060..=0x8063 => "port's fibre optics",
        0x8070 => "network component data",
        0x8071 => "interface adjustment",
        0x8072 => "port statistics",
        0x8080 => "interface's real data",
        0x8090 => "fast start-up",
        0x80b0 => "combined objects",
        0xaff0 => "I&M0 identification",
        0xaff1 => "I&M1 function and location",
        0xaff2 => "I&M2 installation date",
        0xaff3 => "I&M3 descriptor",
        0xaff4 => "I&M4 signature",
        0xc000..=0xc001 => "identification of the slot",
        0xe000..=0xe001 => "identification of the relation",
        0xe002 => "difference of modules",
        0xe00a..=0xe00c => "diagnosis of the relation",
        0xe010..=0xe013 => "maintenance of the relation",
        0xe040 => "several records",
        0xe050 => "fast start-up of the relation",
        0xf000..=0xf001 => "identification of the application process",
        0xf00a..=0xf00c => "diagnosis of the application process",
        0xf020 => "application relations",
        0xf80c => "diagnosis of the device",
        0xf820 => "application relations of the device",
        0xf821 => "application processes of the device",
        0xf830 => "log book",
        0xf831 => "real identification of the device",
        0xf840 => "I&M0 of all submodules",
        0xf841 => "real data of ports and interfaces",
        0xf842 => "expected data of ports and interfaces",
        _ => "record",
    }
}
