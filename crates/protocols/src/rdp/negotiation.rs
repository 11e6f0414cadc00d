//! The X.224 connection request and confirm of remote desktop ([MS-RDPBCGR] sections 2.2.1.1 and 2.2.1.2).

use crate::bytes::{Cursor, device_text};

/// Characters kept of a cookie or token.
const MAX_COOKIE: usize = 256;

/// The client's request.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Request {
    /// The line `Cookie: mstshash=USER`, `Cookie: msts=TOKEN` or `tsv://...`, without its end.
    pub(super) cookie: String,
    /// Bits of [`super::names::protocols`]; `None` if the client does not negotiate.
    pub(super) protocols: Option<u32>,
    /// Flags: restricted administration 1, redirected authentication 2, correlation 8.
    pub(super) flags: u8,
}

/// The server's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// It does not negotiate: standard RDP security.
    Plain,
    /// It chose a security protocol.
    Selected { protocol: u32, flags: u8 },
    /// It refuses, for this reason.
    Refused(u32),
}

/// The variable part of a connect TPDU whose length indicator is the first byte.
pub(super) fn variable(tpdu: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*tpdu.first()?);
    tpdu.get(7..length.checked_add(1)?.min(tpdu.len()))
}

/// Reads the variable part of a connection request.
pub(super) fn request(variable: &[u8]) -> Request {
    let mut request = Request::default();
    let mut rest = variable;
    if rest.starts_with(b"Cookie: ") || rest.starts_with(b"tsv://") {
        let end = rest.windows(2).position(|pair| pair == b"\r\n");
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        request.cookie = device_text(line).unwrap_or_default().chars().take(MAX_COOKIE).collect();
        rest = end.and_then(|end| rest.get(end.saturating_add(2)..)).unwrap_or_default();
    }
    if let Some((1, flags, protocols)) = structure(rest) {
        (request.flags, request.protocols) = (flags, Some(protocols));
    }
    request
}

impl Request {
    /// The account that the client announces, cut to nine characters by most clients.
    pub(super) fn user(&self) -> &str {
        self.cookie.strip_prefix("Cookie: mstshash=").unwrap_or_default()
    }

    /// The routing token of a load balancer.
    pub(super) fn token(&self) -> &str {
        self.cookie.strip_prefix("Cookie: msts=").or_else(|| self.cookie.strip_prefix("tsv://")).unwrap_or_default()
    }
}

/// Reads the variable part of a connection confirm.
pub(super) fn answer(variable: &[u8]) -> Answer {
    match structure(variable) {
        Some((2, flags, protocol)) => Answer::Selected { protocol, flags },
        Some((3, _, code)) => Answer::Refused(code),
        _ => Answer::Plain,
    }
}

/// Type, flags and value of RDP_NEG_REQ, RDP_NEG_RSP or RDP_NEG_FAILURE.
fn structure(bytes: &[u8]) -> Option<(u8, u8, u32)> {
    let mut cursor = Cursor::new(bytes);
    let (kind, flags, length) = (cursor.u8()?, cursor.u8()?, cursor.le16()?);
    let value = cursor.le32()?;
    (length == 8).then_some((kind, flags, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn cookie_and_protocols_are_read() {
        let mut bytes = b"Cookie: mstshash=crane7\r\n".to_vec();
        bytes.extend(hex("0101080003000000"));
        let read = request(&bytes);
        assert_eq!((read.user(), read.protocols, read.flags), ("crane7", Some(3), 1));
        let read = request(b"Cookie: msts=3640205228.15629.0000\r\n");
        assert_eq!((read.user(), read.token(), read.protocols), ("", "3640205228.15629.0000", None));
        assert_eq!(request(b"Cookie: mstshash=x").user(), "x");
        assert_eq!(request(&[]), Request::default());
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(answer(&hex("021f080002000000")), Answer::Selected { protocol: 2, flags: 0x1f });
        assert_eq!(answer(&hex("0300080005000000")), Answer::Refused(5));
        assert_eq!(answer(&[]), Answer::Plain);
        assert_eq!(answer(&hex("0200080002")), Answer::Plain);
    }
}
