//! Message types, encryption types and errors by name (RFC 4120 sections 5.10 and 7.5.9; RFC 3961, 3962, 4757, 8009).

/// Message type.
pub(super) const fn message(kind: u8) -> &'static str {
    match kind {
        10 => "AS-REQ",
        11 => "AS-REP",
        12 => "TGS-REQ",
        13 => "TGS-REP",
        14 => "AP-REQ",
        15 => "AP-REP",
        20 => "KRB-SAFE",
        21 => "KRB-PRIV",
        22 => "KRB-CRED",
        30 => "KRB-ERROR",
        _ => "unknown",
    }
}

/// Encryption type (IANA registry of Kerberos encryption types; negative: Microsoft's own).
pub(super) const fn encryption(kind: i64) -> &'static str {
    match kind {
        1 => "des-cbc-crc",
        2 => "des-cbc-md4",
        3 => "des-cbc-md5",
        16 => "des3-cbc-sha1",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        -128 => "rc4-md4",
        -133 => "rc4-hmac-old",
        -135 => "rc4-hmac-old-exp",
        _ => "unknown",
    }
}

/// Whether an encryption type is DES or RC4 (RFC 6649, RFC 8429).
pub(super) const fn is_broken(kind: i64) -> bool {
    matches!(kind, 1..=3 | 23 | 24 | -128 | -133 | -135)
}

/// Error code.
pub(super) const fn error(code: i64) -> &'static str {
    match code {
        0 => "none",
        1 => "client entry expired",
        2 => "server entry expired",
        3 => "protocol version not supported",
        6 => "client principal unknown",
        7 => "service principal unknown",
        8 => "principal not unique",
        9 => "null key",
        10 => "cannot postdate",
        11 => "never valid",
        12 => "policy refuses",
        13 => "option not supported",
        14 => "encryption type not supported",
        15 => "checksum type not supported",
        16 => "pre-authentication type not supported",
        18 => "client revoked, locked or disabled",
        19 => "service revoked",
        20 => "ticket-granting ticket revoked",
        23 => "password expired",
        24 => "pre-authentication failed",
        25 => "pre-authentication required",
        26 => "ticket not for this server",
        27 => "user-to-user only",
        29 => "service unavailable",
        31 => "integrity check failed",
        32 => "ticket expired",
        33 => "ticket not yet valid",
        34 => "replay",
        35 => "ticket not for us",
        36 => "ticket and authenticator differ",
        37 => "clock skew too great",
        38 => "wrong address",
        40 => "message type invalid",
        41 => "message modified",
        42 => "message out of order",
        44 => "key version not available",
        45 => "service key not available",
        46 => "mutual authentication failed",
        48 => "method not available",
        50 => "inappropriate checksum",
        52 => "reply too large for UDP",
        60 => "generic error",
        61 => "field too long",
        67 => "no ticket-granting ticket",
        68 => "wrong realm",
        69 => "user-to-user required",
        _ => "unknown error",
    }
}
