//! Every protocol Quaywatch reads. Adding one takes two lines here: its module and its entry.

use crate::Protocol;

// One line a protocol, sorted by name.

/// All protocols, sorted by name. Where two could claim a flow, the probes decide, not this order.
pub static PROTOCOLS: &[&dyn Protocol] = &[
    // One line a protocol, sorted by name.
    &crate::enip::Enip,
    &crate::modbus::Modbus,
    &crate::nmea::Nmea,
];
