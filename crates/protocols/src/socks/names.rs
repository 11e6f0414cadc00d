//! Names of codes.

/// Authentication methods (RFC 1928 section 3; IANA, SOCKS Methods).
pub(super) const fn method(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "none",
        1 => "gssapi",
        2 => "password",
        3 => "chap",
        5 => "challenge-response",
        6 => "tls",
        7 => "nds",
        8 => "multi-authentication",
        9 => "json",
        _ => return None,
    })
}

/// Commands (RFC 1928 section 4; 0xF0 and 0xF1 are Tor's, socks-extensions section 2).
pub(super) const fn command(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "connect",
        2 => "bind",
        3 => "udp-associate",
        0xf0 => "resolve",
        0xf1 => "resolve-ptr",
        _ => return None,
    })
}

/// Replies of version 5 (RFC 1928 section 6).
pub(super) const fn reply(code: u8) -> &'static str {
    match code {
        0 => "succeeded",
        1 => "general failure",
        2 => "not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unassigned",
    }
}

/// Replies of version 4 (SOCKS protocol version 4, section 1).
pub(super) const fn reply4(code: u8) -> &'static str {
    match code {
        90 => "granted",
        91 => "rejected or failed",
        92 => "identd of the client not reachable",
        93 => "identd reports another user",
        _ => "unassigned",
    }
}
