//! Names of codes ([MS-RDPBCGR]).

/// Security protocols asked for ([MS-RDPBCGR] section 2.2.1.1.1), bits of `requestedProtocols`.
const PROTOCOLS: &[(u32, &str)] =
    &[(0x01, "tls"), (0x02, "credssp"), (0x04, "rdstls"), (0x08, "credssp-early-user-auth"), (0x10, "entra")];

/// The security protocols of a mask; none set means standard RDP security only.
pub(super) fn protocols(mask: u32) -> Vec<&'static str> {
    let named: Vec<_> = PROTOCOLS.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| *name).collect();
    if named.is_empty() { vec![STANDARD] } else { named }
}

/// Name of standard RDP security.
pub(super) const STANDARD: &str = "standard";

/// The security protocol that the server chose (section 2.2.1.2.1).
pub(super) fn protocol(selected: u32) -> &'static str {
    match selected {
        0 => STANDARD,
        other => PROTOCOLS.iter().find(|(bit, _)| *bit == other).map_or("unknown", |(_, name)| *name),
    }
}

/// Why the server refused (section 2.2.1.2.2).
pub(super) const fn failure(code: u32) -> &'static str {
    match code {
        1 => "tls required by server",
        2 => "tls not allowed by server",
        3 => "no certificate on server",
        4 => "inconsistent flags",
        5 => "network level authentication required by server",
        6 => "tls with user authentication required by server",
        _ => "unknown failure",
    }
}

/// Version in the core data (sections 2.2.1.3.2 and 2.2.1.4.2).
pub(super) const fn version(version: u32) -> &'static str {
    match version {
        0x0008_0001 => "4.0",
        0x0008_0004 => "5.0-8.1",
        0x0008_0005 => "10.0",
        0x0008_0006 => "10.1",
        0x0008_0007 => "10.2",
        0x0008_0008 => "10.3",
        0x0008_0009 => "10.4",
        0x0008_000a => "10.5",
        0x0008_000b => "10.6",
        0x0008_000c => "10.7",
        0x0008_000d => "10.8",
        0x0008_000e => "10.9",
        0x0008_000f => "10.10",
        0x0008_0010 => "10.11",
        0x0008_0011 => "10.12",
        _ => "",
    }
}

/// Encryption method (section 2.2.1.4.3).
pub(super) const fn method(method: u32) -> &'static str {
    match method {
        0 => "none",
        1 => "40-bit rc4",
        2 => "128-bit rc4",
        8 => "56-bit rc4",
        16 => "fips 140-1",
        _ => "unknown",
    }
}

/// Encryption level (section 2.2.1.4.3).
pub(super) const fn level(level: u32) -> &'static str {
    match level {
        0 => "none",
        1 => "low",
        2 => "client compatible",
        3 => "high",
        4 => "fips",
        _ => "unknown",
    }
}

/// Keyboard type (section 2.2.1.3.2).
pub(super) const fn keyboard(kind: u32) -> &'static str {
    match kind {
        1 => "ibm pc/xt",
        2 => "olivetti ico",
        3 => "ibm pc/at",
        4 => "ibm enhanced",
        5 => "nokia 1050",
        6 => "nokia 9140",
        7 => "japanese",
        _ => "unknown",
    }
}

/// What a static channel carries to or from the machine that is controlled; empty where the name says enough.
pub(super) fn channel(name: &str) -> &'static str {
    match name {
        "rdpdr" => "drives, printers and ports",
        "cliprdr" => "clipboard",
        "rdpsnd" => "sound",
        "drdynvc" => "dynamic channels",
        "rail" => "single applications",
        _ => "",
    }
}

/// Result of MCS Connect-Response (T.125 section 7, Result).
pub(super) const fn result(code: u32) -> &'static str {
    match code {
        0 => "successful",
        1 => "domain merging",
        2 => "domain not hierarchical",
        3 => "no such channel",
        4 => "no such domain",
        5 => "no such user",
        6 => "not admitted",
        7 => "other user id",
        8 => "parameters unacceptable",
        9 => "token not available",
        10 => "token not possessed",
        11 => "too many channels",
        12 => "too many tokens",
        13 => "too many users",
        14 => "unspecified failure",
        15 => "user rejected",
        _ => "unknown result",
    }
}
