//! Operations, result codes, extended requests by name (RFC 4511 sections 4.1.9 and 4.2 to 4.14; MS-ADTS 3.1.1.3.4).

use quaywatch_model::OperationClass::{self, Configure, Read, Session};

/// Operation of a request by its application tag number.
pub(super) const fn operation(code: u8) -> Option<(&'static str, OperationClass)> {
    Some(match code {
        0 => ("bind", Session),
        2 => ("unbind", Session),
        3 => ("search", Read),
        6 => ("modify", Configure),
        8 => ("add", Configure),
        10 => ("delete", Configure),
        12 => ("rename", Configure),
        14 => ("compare", Read),
        16 => ("abandon", Session),
        23 => ("extended", Session),
        _ => return None,
    })
}

/// The request that a response of this application tag number answers.
pub(super) const fn asked(code: u8) -> Option<u8> {
    Some(match code {
        1 => 0,
        4 | 5 | 19 => 3,
        7 => 6,
        9 => 8,
        11 => 10,
        13 => 12,
        15 => 14,
        24 | 25 => 23,
        _ => return None,
    })
}

/// Result code.
pub(super) const fn result(code: u32) -> &'static str {
    match code {
        0 => "success",
        1 => "operations error",
        2 => "protocol error",
        3 => "time limit exceeded",
        4 => "size limit exceeded",
        5 => "compare false",
        6 => "compare true",
        7 => "authentication method not supported",
        8 => "stronger authentication required",
        10 => "referral",
        11 => "administrative limit exceeded",
        12 => "unavailable critical extension",
        13 => "confidentiality required",
        14 => "sasl bind in progress",
        16 => "no such attribute",
        17 => "undefined attribute type",
        18 => "inappropriate matching",
        19 => "constraint violation",
        20 => "attribute or value exists",
        21 => "invalid attribute syntax",
        32 => "no such object",
        33 => "alias problem",
        34 => "invalid name syntax",
        36 => "alias dereferencing problem",
        48 => "inappropriate authentication",
        49 => "invalid credentials",
        50 => "insufficient access rights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwilling to perform",
        54 => "loop detected",
        64 => "naming violation",
        65 => "object class violation",
        66 => "not allowed on non-leaf",
        67 => "not allowed on name",
        68 => "entry already exists",
        69 => "object class modifications prohibited",
        71 => "affects multiple servers",
        80 => "other",
        _ => "unknown result",
    }
}

/// Extended request by object identifier.
pub(super) fn extended(oid: &str) -> &'static str {
    match oid {
        "1.3.6.1.4.1.1466.20037" => "start-tls",
        "1.3.6.1.4.1.4203.1.11.1" => "modify-password",
        "1.3.6.1.4.1.4203.1.11.3" => "who-am-i",
        "1.3.6.1.1.8" => "cancel",
        "1.3.6.1.4.1.1466.101.119.1" => "dynamic-refresh",
        "1.2.840.113556.1.4.1781" => "fast-bind",
        _ => "extended",
    }
}

/// Control by object identifier (RFC 2696, RFC 2891, MS-ADTS 3.1.1.3.4.1).
pub(super) fn control(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113556.1.4.319" => "paged-results",
        "1.2.840.113556.1.4.473" => "server-sort",
        "1.2.840.113556.1.4.529" => "extended-dn",
        "1.2.840.113556.1.4.417" => "show-deleted",
        "1.2.840.113556.1.4.801" => "security-descriptor-flags",
        "1.2.840.113556.1.4.805" => "tree-delete",
        "1.2.840.113556.1.4.841" => "directory-synchronisation",
        "1.2.840.113556.1.4.1339" => "domain-scope",
        "1.2.840.113556.1.4.1504" => "attribute-scoped-query",
        "2.16.840.1.113730.3.4.2" => "manage-dsa-it",
        "1.3.6.1.4.1.4203.1.9.1.1" => "content-synchronisation",
        _ => return None,
    })
}
