//! Names of codes (RFC 2661 sections 3.2 and 4.4; RFC 3931 sections 3.1 and 5.4).

/// Name of a control message.
pub(super) const fn message(kind: u16) -> Option<&'static str> {
    Some(match kind {
        1 => "start-control-connection",
        2 => "start-control-connection-reply",
        3 => "start-control-connection-connected",
        4 => "stop-control-connection",
        6 => "hello",
        7 => "outgoing-call",
        8 => "outgoing-call-reply",
        9 => "outgoing-call-connected",
        10 => "incoming-call",
        11 => "incoming-call-reply",
        12 => "incoming-call-connected",
        14 => "call-disconnect-notify",
        15 => "wan-error-notify",
        16 => "set-link-info",
        20 => "acknowledgement",
        _ => return None,
    })
}

/// Result codes of the end of a control connection (4) or a call (14).
pub(super) const fn result(kind: u16, code: u16) -> &'static str {
    match (kind, code) {
        (4, 1) => "cleared",
        (4, 3) => "control channel already exists",
        (4, 4) => "requester not authorised",
        (4, 5) => "protocol version not supported",
        (4, 6) => "requester shuts down",
        (4, 7) => "state machine error",
        (14, 1) => "lost carrier",
        (14, 3) => "administrative reasons",
        (14, 4) => "no facilities, temporarily",
        (14, 5) => "no facilities, permanently",
        (14, 6) => "invalid destination",
        (14, 7) => "no carrier",
        (14, 8) => "busy",
        (14, 9) => "no dial tone",
        (14, 10) => "time-out",
        (14, 11) => "no framing",
        (_, 2) => "general error",
        _ => "unassigned",
    }
}

/// Whether a result is an orderly end.
pub(super) const fn is_orderly(kind: u16, code: u16) -> bool {
    matches!((kind, code), (4, 1 | 6) | (14, 1 | 3))
}

/// Error codes that go with a general error.
pub(super) const fn error(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "no control connection",
        2 => "length is wrong",
        3 => "value out of range",
        4 => "insufficient resources",
        5 => "session id invalid here",
        6 => "vendor specific error",
        7 => "try another",
        8 => "unknown mandatory attribute",
        _ => return None,
    })
}

/// How the access concentrator let the caller in (Proxy Authen Type, RFC 2661 section 4.4.5).
pub(super) const fn proxy_method(code: u16) -> &'static str {
    match code {
        1 => "textual",
        2 => "chap",
        3 => "pap",
        4 => "none",
        5 => "ms-chap",
        _ => "",
    }
}

/// What a pseudowire carries (IANA, L2TPv3 Pseudowire Types).
pub(super) const fn pseudowire(code: u16) -> &'static str {
    match code {
        1 => "frame-relay",
        4 => "ethernet-vlan",
        5 => "ethernet",
        6 => "hdlc",
        7 => "ppp",
        11 => "ip",
        _ => "other",
    }
}
