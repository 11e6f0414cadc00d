//! Names of codes (RFC 2637 sections 2 and 3).

use quaywatch_model::OperationClass;

/// Name of a control message, the exchange it opens or closes, and its length in bytes.
pub(super) const fn message(kind: u16) -> Option<(&'static str, usize)> {
    Some(match kind {
        1 => ("start-control-connection", 156),
        2 => ("start-control-connection-reply", 156),
        3 => ("stop-control-connection", 16),
        4 => ("stop-control-connection-reply", 16),
        5 => ("echo", 16),
        6 => ("echo-reply", 20),
        7 => ("outgoing-call", 168),
        8 => ("outgoing-call-reply", 32),
        9 => ("incoming-call", 220),
        10 => ("incoming-call-reply", 24),
        11 => ("incoming-call-connected", 28),
        12 => ("call-clear", 16),
        13 => ("call-disconnect-notify", 148),
        14 => ("wan-error-notify", 40),
        15 => ("set-link-info", 24),
        _ => return None,
    })
}

/// What a message does.
pub(super) const fn class(kind: u16) -> OperationClass {
    match kind {
        5 | 6 | 14 => OperationClass::Diagnose,
        _ => OperationClass::Session,
    }
}

/// Result codes of a reply; 1 is success but for the end of a call.
pub(super) const fn result(kind: u16, code: u8) -> &'static str {
    match (kind, code) {
        (2, 1) => "established",
        (2, 3) => "command channel already exists",
        (2, 4) => "requester not authorised",
        (2, 5) => "protocol version not supported",
        (4 | 6, 1) => "ok",
        (8 | 10, 1) => "connected",
        (2 | 4 | 6 | 8, 2) | (10, 2) => "general error",
        (8, 3) => "no carrier",
        (8, 4) => "busy",
        (8, 5) => "no dial tone",
        (8, 6) => "time-out",
        (8, 7) | (10, 3) => "do not accept",
        (13, 1) => "lost carrier",
        (13, 2) => "general error",
        (13, 3) => "administrative shutdown",
        (13, 4) => "requested",
        _ => "unassigned",
    }
}

/// Error codes that go with a general error (section 2.16).
pub(super) const fn error(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "not connected",
        2 => "bad format",
        3 => "bad value",
        4 => "no resource",
        5 => "bad call id",
        6 => "pac error",
        _ => return None,
    })
}

/// Reasons to stop the control connection (section 2.3).
pub(super) const fn stop_reason(code: u8) -> &'static str {
    match code {
        1 => "none given",
        2 => "protocol version not supported",
        3 => "local shutdown",
        _ => "unassigned",
    }
}

/// Framing that an end can do or a call uses (sections 2.1 and 2.7).
pub(super) const fn framing(bits: u32) -> &'static str {
    match bits & 3 {
        1 => "asynchronous",
        2 => "synchronous",
        3 => "either",
        _ => "none",
    }
}
