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

/// A status in words: codes, and the names of the common ones. Also of alarms that end a relation.
#[must_use]
pub const fn status([code, decode, first, second]: [u8; 4]) -> &'static str {
    match (code, decode, first) {
        (0, ..) => "success",
        (0xcf, _, 0xfd) => abort(second),
        (_, 0x80, _) => record(first),
        (0xdb, 0x81, 1) => "faulty relation block",
        (0xdb, 0x81, 2) => "faulty cyclic connection block",
        (0xdb, 0x81, 3) => "faulty expected submodule block",
        (0xdb, 0x81, 4) => "faulty alarm block",
        (0xdb, 0x81, 5) => "faulty parameter server block",
        (_, 0x81, 8) => "faulty read of a record",
        (_, 0x81, 9) => "faulty write of a record",
        (_, 0x81, 20..=24) => "faulty control block",
        (_, 0x81, 40) => "faulty release block",
        (_, 0x81, 60) => "faulty alarm acknowledgement",
        (_, 0x81, 61) => "refused by the device's state machine",
        (_, 0x81, 62) => "refused by the controller's state machine",
        (_, 0x81, 64) => match second {
            0 => "relation's identifier is unknown",
            1 => "relation's identifier is not its own",
            2 => "no memory for a relation",
            4 => "device is out of resources for relations",
            5 => "not in this state",
            _ => "refused by the relation's state machine",
        },
        _ => "error",
    }
}

/// Why a relation was broken off (table of the alarm transport's errors).
const fn abort(code: u8) -> &'static str {
    match code {
        1 => "sequence number error",
        2 => "instance closed",
        3 => "relation out of memory",
        4 => "provider or consumer could not be added",
        5 => "consumer's data hold time expired",
        6 => "initialisation timed out",
        7 => "alarm instance could not be opened",
        8 => "alarm could not be sent",
        9 => "alarm was not acknowledged",
        10 => "alarm data too long",
        11 => "alarm indication failed",
        12 => "call timed out",
        13 => "controller broke the relation off",
        14 => "a new run ended the old one",
        15 => "release indicated",
        16 => "device deactivated",
        17 => "relation removed",
        18 => "protocol violation",
        19 => "name could not be resolved",
        20 => "bind failed",
        21 => "connect failed",
        22 => "read failed",
        23 => "write failed",
        24 => "control failed",
        25 => "pull or plug not allowed now",
        26 => "application process removed",
        27 => "link down",
        28 => "multicast address could not be registered",
        29 => "not synchronised",
        30 => "wrong topology",
        31 => "station's name was changed",
        32 => "station was reset to factory settings",
        36 => "no data from the first consumer",
        _ => "broken off",
    }
}

/// Why a record was refused.
const fn record(code: u8) -> &'static str {
    match code {
        0xa0 => "read error of the application",
        0xa1 => "write error of the application",
        0xa2 => "module failure",
        0xa7 => "busy",
        0xa8 => "version conflict",
        0xa9 => "feature not supported",
        0xb0 => "invalid index",
        0xb1 => "wrong length",
        0xb2 => "invalid slot or subslot",
        0xb3 => "type conflict",
        0xb4 => "invalid area",
        0xb5 => "state conflict",
        0xb6 => "access denied",
        0xb7 => "invalid range",
        0xb8 => "invalid parameter",
        0xb9 => "invalid type",
        0xba => "backup",
        0xc0 => "read conflict",
        0xc1 => "write conflict",
        0xc2 => "resource busy",
        0xc3 => "resource unavailable",
        _ => "record refused",
    }
}
