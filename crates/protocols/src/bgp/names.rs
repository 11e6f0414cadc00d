//! Names of messages, capabilities and errors.

use quaywatch_model::OperationClass;

/// A message's name and what it does (RFC 4271 section 4.1, RFC 2918).
pub(super) const fn message(kind: u8) -> Option<(&'static str, OperationClass)> {
    Some(match kind {
        1 => ("open", OperationClass::Session),
        2 => ("update", OperationClass::Cyclic),
        3 => ("notification", OperationClass::Session),
        4 => ("keepalive", OperationClass::Session),
        5 => ("route refresh", OperationClass::Read),
        _ => return None,
    })
}

/// A capability (IANA "Capability Codes").
pub(super) const fn capability(code: u8) -> &'static str {
    match code {
        1 => "multiprotocol",
        2 => "route refresh",
        3 => "outbound route filtering",
        5 => "extended next hop",
        6 => "extended message",
        7 => "bgpsec",
        8 => "multiple labels",
        9 => "role",
        64 => "graceful restart",
        65 => "four-octet as",
        67 => "dynamic capability",
        68 => "multisession",
        69 => "additional paths",
        70 => "enhanced route refresh",
        71 => "long-lived graceful restart",
        73 => "fqdn",
        75 => "software version",
        128 => "route refresh before rfc 2918",
        _ => "unknown",
    }
}

/// What went wrong (RFC 4271 section 4.5, RFC 7313 section 5).
pub(super) const fn error(code: u8) -> &'static str {
    match code {
        1 => "message header",
        2 => "open message",
        3 => "update message",
        4 => "hold timer expired",
        5 => "finite state machine",
        6 => "cease",
        7 => "route refresh message",
        8 => "send hold timer expired",
        _ => "unknown",
    }
}

/// What exactly (RFC 4271 section 4.5, RFC 4486, RFC 5492, RFC 6608, RFC 8538, RFC 9234, RFC 9384).
pub(super) const fn error_detail(code: u8, detail: u8) -> &'static str {
    match (code, detail) {
        (1, 1) => "connection not synchronised",
        (1, 2) => "bad length",
        (1, 3) => "bad type",
        (2, 1) => "unsupported version",
        (2, 2) => "bad peer as",
        (2, 3) => "bad identifier",
        (2, 4) => "unsupported optional parameter",
        (2, 5) => "authentication failure",
        (2, 6) => "unacceptable hold time",
        (2, 7) => "unsupported capability",
        (2, 11) => "role mismatch",
        (3, 1) => "malformed attribute list",
        (3, 2) => "unrecognised well-known attribute",
        (3, 3) => "missing well-known attribute",
        (3, 4) => "attribute flags",
        (3, 5) => "attribute length",
        (3, 6) => "invalid origin",
        (3, 7) => "as routing loop",
        (3, 8) => "invalid next hop",
        (3, 9) => "optional attribute",
        (3, 10) => "invalid network",
        (3, 11) => "malformed as path",
        (5, 1) => "unexpected message in open sent",
        (5, 2) => "unexpected message in open confirm",
        (5, 3) => "unexpected message in established",
        (6, 1) => "maximum number of prefixes",
        (6, 2) => "administrative shutdown",
        (6, 3) => "peer removed",
        (6, 4) => "administrative reset",
        (6, 5) => "connection rejected",
        (6, 6) => "other configuration change",
        (6, 7) => "connection collision",
        (6, 8) => "out of resources",
        (6, 9) => "hard reset",
        (6, 10) => "bidirectional forwarding down",
        _ => "",
    }
}

/// Where a route comes from (RFC 4271 section 5.1.1).
pub(super) const fn origin(code: u8) -> &'static str {
    match code {
        0 => "igp",
        1 => "egp",
        2 => "incomplete",
        _ => "unknown",
    }
}
