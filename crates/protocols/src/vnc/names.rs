//! Names of codes (RFC 6143; the IANA registry "Remote Framebuffer Security Types"; the rfbproto community's specification).

/// Security types that the analyzer follows.
pub(super) const NONE: u32 = 1;
pub(super) const VNC: u32 = 2;
pub(super) const TIGHT: u32 = 16;
pub(super) const TLS: u32 = 18;
pub(super) const VENCRYPT: u32 = 19;
pub(super) const APPLE: u32 = 30;
pub(super) const MS_LOGON_2: u32 = 113;
/// Of the Tight security type only: account and password in clear.
pub(super) const UNIX_LOGIN: u32 = 129;
/// Of VeNCrypt only: account and password in clear.
pub(super) const PLAIN: u32 = 256;

/// Name of a security type (section 7.1.2).
pub(super) const fn security(code: u32) -> &'static str {
    match code {
        0 => "invalid",
        1 => "none",
        2 => "vnc challenge-response",
        5 => "ra2",
        6 => "ra2ne",
        7 => "sspi",
        8 => "sspine",
        16 => "tight",
        17 => "ultra",
        18 => "tls",
        19 => "vencrypt",
        20 => "sasl",
        21 => "md5",
        22 => "xvp",
        23 => "secure tunnel",
        24 => "integrated ssh",
        30 => "apple diffie-hellman",
        33 => "apple kerberos",
        35 => "apple",
        36 => "apple srp",
        112 => "ultra mslogon 3",
        113 => "ultra mslogon 2",
        114 => "ultra securevnc",
        129 => "ra2 256",
        130 => "ra2ne 256",
        133 => "ra2 step",
        _ => "other",
    }
}

/// Name of a VeNCrypt subtype (rfbproto, "VeNCrypt").
pub(super) const fn subtype(code: u32) -> &'static str {
    match code {
        256 => "plain password",
        257 => "tls, none",
        258 => "tls, vnc challenge-response",
        259 => "tls, plain password",
        260 => "x509, none",
        261 => "x509, vnc challenge-response",
        262 => "x509, plain password",
        263 => "tls, sasl",
        264 => "x509, sasl",
        _ => "other",
    }
}

/// Name of an authentication of the Tight security type (rfbproto, "Tight security type").
pub(super) const fn tight(code: u32) -> &'static str {
    match code {
        1 => "none",
        2 => "vnc challenge-response",
        19 => "vencrypt",
        20 => "sasl",
        129 => "unix login",
        130 => "external",
        _ => "other",
    }
}

/// Whether the server proves nothing and the session is still encrypted by this security type.
pub(super) const fn encrypts(code: u32) -> bool {
    matches!(code, 5 | 18 | 19 | 23 | 24 | 129 | 133 | 114)
}

/// The result of the security handshake (section 7.1.3).
pub(super) const fn result(code: u32) -> &'static str {
    match code {
        0 => "ok",
        1 => "failed",
        2 => "too many attempts",
        _ => "unknown result",
    }
}
