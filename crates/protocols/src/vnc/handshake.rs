//! The steps of the handshake, and the messages that lead from one to the next (RFC 6143 section 7; rfbproto for the rest).

use super::names;
use crate::bytes::{Cursor, device_text};

/// Security types listed.
const MAX_LISTED: usize = 32;
/// Length of a protocol version.
const VERSION: usize = 12;
/// Challenge and response of VNC authentication.
const CHALLENGE: usize = 16;
/// A capability of the Tight security type: code, vendor, signature.
const CAPABILITY: usize = 16;

/// Which message is awaited.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Step {
    #[default]
    ServerVersion,
    ClientVersion,
    Offer,
    Choice,
    /// Why the server offers nothing, or refused.
    Reason,
    Challenge,
    Response,
    TightTunnels,
    TightTunnelChoice,
    TightOffer,
    TightChoice,
    VencryptServerVersion,
    VencryptClientVersion,
    VencryptAck,
    VencryptOffer,
    VencryptChoice,
    /// One byte before TLS starts.
    VencryptStart,
    /// Account and password with their lengths before.
    Plain,
    AppleKey,
    /// So many bytes of the client that are encrypted.
    Sealed(usize),
    UltraKey,
    Result,
    ClientInit,
    ServerInit,
    /// The rest is TLS.
    Tls,
    /// The rest is not read.
    Over,
}

impl Step {
    /// Whether the server speaks next.
    pub(super) const fn is_from_server(self) -> bool {
        !matches!(
            self,
            Step::ClientVersion
                | Step::Choice
                | Step::Response
                | Step::TightTunnelChoice
                | Step::TightChoice
                | Step::VencryptClientVersion
                | Step::VencryptChoice
                | Step::Plain
                | Step::Sealed(_)
                | Step::ClientInit
        )
    }

    /// The length of the awaited message, told by its first bytes; `None` if more are needed.
    pub(super) fn length(self, minor: u8, bytes: &[u8]) -> Option<usize> {
        let mut cursor = Cursor::new(bytes);
        let mut number = || cursor.be32().map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Some(match self {
            Step::ServerVersion | Step::ClientVersion => VERSION,
            Step::Offer if minor < 7 => 4,
            Step::Offer => usize::from(*bytes.first()?).saturating_add(1),
            Step::Choice | Step::ClientInit | Step::VencryptAck | Step::VencryptStart => 1,
            Step::Reason => number()?.saturating_add(4),
            Step::Challenge | Step::Response => CHALLENGE,
            Step::TightTunnels | Step::TightOffer => number()?.saturating_mul(CAPABILITY).saturating_add(4),
            Step::TightTunnelChoice | Step::TightChoice | Step::VencryptChoice | Step::Result => 4,
            Step::VencryptServerVersion | Step::VencryptClientVersion => 2,
            Step::VencryptOffer => usize::from(*bytes.first()?).saturating_mul(4).saturating_add(1),
            Step::Plain => number()?.saturating_add(number()?).saturating_add(8),
            // Generator, length of the key, prime, public key.
            Step::AppleKey => {
                cursor.skip(2)?;
                usize::from(cursor.be16()?).saturating_mul(2).saturating_add(4)
            }
            Step::Sealed(length) => length,
            // Generator, modulus, public key of 8 bytes each.
            Step::UltraKey => 24,
            Step::ServerInit => {
                cursor.skip(20)?;
                usize::try_from(cursor.be32()?).ok()?.saturating_add(24)
            }
            Step::Tls | Step::Over => bytes.len(),
        })
    }
}

/// Security types in the server's offer; empty if it offers none and says why.
pub(super) fn offer(minor: u8, message: &[u8]) -> Vec<u32> {
    if minor < 7 {
        // Version 3.3: the server decides.
        return Cursor::new(message).be32().filter(|kind| *kind != 0).into_iter().collect();
    }
    message.iter().skip(1).map(|kind| u32::from(*kind)).take(MAX_LISTED).collect()
}

/// Subtypes in VeNCrypt's offer.
pub(super) fn vencrypt_offer(message: &[u8]) -> Vec<u32> {
    let (subtypes, _) = message.get(1..).unwrap_or_default().as_chunks::<4>();
    subtypes.iter().map(|subtype| u32::from_be_bytes(*subtype)).take(MAX_LISTED).collect()
}

/// Codes of the capabilities in a list of Tight.
pub(super) fn capabilities(message: &[u8]) -> Vec<u32> {
    let (capabilities, _) = message.get(4..).unwrap_or_default().as_chunks::<CAPABILITY>();
    let code = |capability: &[u8; CAPABILITY]| Cursor::new(capability).be32();
    capabilities.iter().filter_map(code).take(MAX_LISTED).collect()
}

/// The step after a security type was chosen.
pub(super) const fn after_choice(security: u32, minor: u8) -> Step {
    match security {
        // Before version 3.8 there is no result when there is no authentication (section 7.1.3).
        names::NONE if minor >= 8 => Step::Result,
        names::NONE => Step::ClientInit,
        names::VNC => Step::Challenge,
        names::TIGHT => Step::TightTunnels,
        names::TLS => Step::Tls,
        names::VENCRYPT => Step::VencryptServerVersion,
        names::APPLE => Step::AppleKey,
        names::MS_LOGON_2 => Step::UltraKey,
        _ => Step::Over,
    }
}

/// The step after an authentication of Tight was chosen.
pub(super) const fn after_tight(authentication: u32, minor: u8) -> Step {
    match authentication {
        names::NONE => after_choice(names::NONE, minor),
        names::VNC => Step::Challenge,
        names::VENCRYPT => Step::VencryptServerVersion,
        names::UNIX_LOGIN => Step::Plain,
        _ => Step::Over,
    }
}

/// Account and password of the step [`Step::Plain`].
pub(super) fn plain(message: &[u8]) -> Option<(String, &[u8])> {
    let mut cursor = Cursor::new(message);
    let (user, password) = (cursor.be32()?, cursor.be32()?);
    let user = cursor.take(usize::try_from(user).ok()?)?;
    let password = cursor.take(usize::try_from(password).ok()?)?;
    Some((device_text(user).unwrap_or_default(), password))
}

/// Text with its length before it.
pub(super) fn reason(message: &[u8]) -> String {
    message.get(4..).and_then(device_text).unwrap_or_default()
}

/// What the server says of its screen (section 7.3.2).
pub(super) struct Screen {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) name: String,
}

pub(super) fn screen(message: &[u8]) -> Option<Screen> {
    let mut cursor = Cursor::new(message);
    let (width, height) = (cursor.be16()?, cursor.be16()?);
    cursor.skip(20)?;
    Some(Screen { width, height, name: device_text(cursor.rest()).unwrap_or_default() })
}

/// The host in a desktop name as servers write it by default: `hmi7`, `hmi7:0` (X), `hmi7 ( 10.0.0.7 )` (UltraVNC).
pub(super) fn host_name(desktop: &str) -> Option<&str> {
    let (first, rest) = desktop.split_once(' ').unwrap_or((desktop, ""));
    let (host, display) = first.split_once(':').unwrap_or((first, "0"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = (rest.is_empty() || rest.starts_with('(')) && display.chars().all(|c| c.is_ascii_digit() || c == '.');
    (fits && !host.is_empty() && host.chars().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn hosts_in_desktop_names() {
        for (desktop, host) in [
            ("hmi7", Some("hmi7")),
            ("hmi7.port.local:0", Some("hmi7.port.local")),
            ("HMI7 ( 10.0.0.7 ) - service mode", Some("HMI7")),
            ("crane@hmi7", None),
            ("crane 7 cabin", None),
            ("", None),
        ] {
            assert_eq!(host_name(desktop), host, "{desktop}");
        }
    }
}
