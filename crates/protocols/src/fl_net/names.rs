//! Transaction codes, states and results.

use quaywatch_model::OperationClass;

/// What a transaction code stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Cyclic data, with the token or without.
    Cyclic,
    /// Joining the ring: participation request, trigger.
    Ring,
    /// A message that asks for something.
    Request,
    /// Its response.
    Response,
    /// A message between programs: neither request nor response can be told.
    Message,
    /// Not given out.
    Reserved,
}

/// Added to the code of a request in its response.
pub const RESPONSE: u16 = 200;

/// Name, kind and class of a transaction code.
pub const fn transaction(code: u16) -> (&'static str, Kind, OperationClass) {
    use OperationClass::{Configure, Control, Cyclic, Diagnose, Identify, Read, Session, Write};
    let request = match code {
        0..=59999 => return ("transparent message", Kind::Message, Write),
        60000..=64999 => return ("vendor message", Kind::Message, Write),
        65000 => return ("cyclic data with token", Kind::Cyclic, Cyclic),
        65001 => return ("cyclic data", Kind::Cyclic, Cyclic),
        65002 => return ("participation request", Kind::Ring, Session),
        65012 => return ("trigger", Kind::Ring, Session),
        65203..=65211 | 65213..=65215 => code.saturating_sub(RESPONSE),
        _ => code,
    };
    let kind = if request == code { Kind::Request } else { Kind::Response };
    match request {
        65003 => ("read byte block", kind, Read),
        65004 => ("write byte block", kind, Write),
        65005 => ("read word block", kind, Read),
        65006 => ("write word block", kind, Write),
        65007 => ("read network parameters", kind, Identify),
        65008 => ("write network parameters", kind, Configure),
        65009 => ("stop command", kind, Control),
        65010 => ("run command", kind, Control),
        65011 => ("read profile", kind, Identify),
        65013 => ("read communication log", kind, Diagnose),
        65014 => ("clear communication log", kind, Control),
        65015 => ("echo back", kind, Diagnose),
        _ => ("reserved", Kind::Reserved, Diagnose),
    }
}

/// Name of a result in a response.
pub const fn result(code: u8) -> &'static str {
    match code {
        0 => "normal",
        1 => "error",
        2 => "not supported",
        _ => "unknown result",
    }
}

/// Set in the upper layer status while the controller runs.
pub const RUN: u16 = 0x8000;
/// An error that stops the controller: neither cyclic data nor messages are guaranteed.
pub const ALARM: u16 = 0x4000;
/// An error that lets it go on.
pub const WARNING: u16 = 0x2000;
/// Error code of the controller's maker.
pub const ERROR_CODE: u16 = 0x0fff;

/// State that the upper layer status tells.
pub const fn state(status: u16) -> &'static str {
    match (status & RUN != 0, status & ALARM != 0, status & WARNING != 0) {
        (true, false, false) => "run",
        (true, true, _) => "run, alarm",
        (true, false, true) => "run, warning",
        (false, false, false) => "stop",
        (false, true, _) => "stop, alarm",
        (false, false, true) => "stop, warning",
    }
}

/// Bits of the link status that cross the network.
pub const LINK_STATUS: u8 = 0xf0;

/// Names of the link status' bits.
pub const LINK_BITS: [(u8, &str); 4] = [
    (0x80, "addresses overlap"),
    (0x40, "common memory set"),
    (0x20, "cyclic data valid"),
    (0x10, "controller does not answer"),
];
