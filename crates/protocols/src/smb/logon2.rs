//! How an SMB 2 or 3 session opens: negotiation and session setup (MS-SMB2 2.2.3 to 2.2.6), and the server's name in share paths.

use quaywatch_model::{Attribute, Clock, Observation, Outcome, Sink, Timestamp};
use quaywatch_wire::Pdu;

use super::names;
use super::smb2::{MORE_PROCESSING, area};
use super::talk::{Ask, Talk, Want, weird};
use crate::bytes::Cursor;
use crate::gss;

/// Dialects and contexts read of one negotiation.
const MAX_LIST: u16 = 32;
/// Seconds from 1601-01-01, the epoch of FILETIME, to 1970-01-01.
const FILETIME_EPOCH: i64 = 11_644_473_600;

pub(super) fn negotiate(c: &mut Cursor<'_>, ask: &mut Ask) -> Option<()> {
    let (count, mode) = (c.le16()?.min(MAX_LIST), c.le16()?);
    c.skip(2)?;
    let capabilities = c.le32()?;
    let guid = crate::msrpc::packet::Uuid(*c.take(16)?.first_chunk()?);
    c.skip(8)?;
    let dialects: Vec<String> = (0..count).map_while(|_| c.le16()).map(|code| format!("0x{code:04x}")).collect();
    ask.want = Want::Negotiate;
    ask.detail.texts("dialects", &dialects);
    ask.detail.flag("client_signing_required", mode & 2 != 0);
    ask.detail.text("client_guid", guid);
    ask.detail.number("client_capabilities", capabilities);
    Some(())
}

pub(super) fn session_setup(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    part: &[u8],
    c: &mut Cursor<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let (flags, mode) = (c.u8()?, c.u8()?);
    c.skip(8)?;
    let (offset, length) = (c.le16()?, c.le16()?);
    ask.want = Want::SessionSetup;
    ask.detail.flag("client_signing_required", mode & 2 != 0);
    if flags & 1 != 0 {
        ask.detail.flag("binding", true);
    }
    let Some(token) = gss::read(area(part, offset, length)?) else { return Some(()) };
    token.describe(&mut ask.detail);
    token.say(&mut talk.claims, out, pdu.at, pdu.flow.client.address);
    ask.login = token.login();
    if let Some(login) = &ask.login {
        ask.object.clone_from(&login.account);
    }
    Some(())
}

/// Negotiate response (MS-SMB2 2.2.4).
pub(super) fn negotiated(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    part: &[u8],
    c: &mut Cursor<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    c.skip(2)?;
    let (mode, dialect, contexts) = (c.le16()?, c.le16()?, c.le16()?);
    let guid = crate::msrpc::packet::Uuid(*c.take(16)?.first_chunk()?);
    let capabilities = c.le32()?;
    c.skip(12)?;
    let (now, started) = (c.le64()?, c.le64()?);
    let (offset, length) = (c.le16()?, c.le16()?);
    let list = c.le32()?;
    ask.detail.text("dialect", format_args!("0x{dialect:04x}"));
    ask.detail.flag("signing_required", mode & 2 != 0);
    ask.detail.text("server_guid", guid);
    ask.detail.number("server_capabilities", capabilities);
    ask.detail.flag("encryption_capable", capabilities & 0x40 != 0);
    if let Some(started) = filetime(started) {
        ask.detail.number("server_started", started.0.div_euclid(1_000_000_000));
    }
    if dialect == 0x0311 {
        read_contexts(part, list, contexts, ask);
    }
    if let Some(device_time) = filetime(now).filter(|_| talk.claims.first("clock")) {
        let (subject, skew) = (pdu.flow.server.address, device_time.since(pdu.at.ts));
        out.emit(pdu.at, Observation::Clock(Clock { subject, method: "smb negotiate system time", device_time, skew }));
    }
    if let Some(version) = names::dialect(dialect) {
        talk.settle_on(pdu, version, out);
        talk.encrypted = false;
    }
    if let Some(token) = area(part, offset, length).and_then(gss::read) {
        token.say(&mut talk.claims, out, pdu.at, pdu.flow.server.address);
    }
    Some(())
}

/// Negotiate contexts (MS-SMB2 2.2.4.1): the cipher and signing algorithm chosen.
pub(super) fn read_contexts(part: &[u8], offset: u32, count: u16, ask: &mut Ask) -> Option<()> {
    let mut c = Cursor::new(part.get(usize::try_from(offset).ok()?..)?);
    for _ in 0..count.min(MAX_LIST) {
        let (kind, length) = (c.le16()?, usize::from(c.le16()?));
        c.skip(4)?;
        let mut data = Cursor::new(c.take(length)?);
        match kind {
            2 => {
                data.skip(2)?;
                ask.detail.text("cipher", names::cipher(data.le16()?));
            }
            3 => ask.detail.flag("compression", true),
            8 => {
                data.skip(2)?;
                ask.detail.text("signing", names::signing(data.le16()?));
            }
            _ => {}
        }
        // Contexts start at multiples of eight.
        c.skip(length.next_multiple_of(8).saturating_sub(length).min(c.left()))?;
    }
    Some(())
}

pub(super) fn filetime(steps: u64) -> Option<Timestamp> {
    let steps = i64::try_from(steps).ok().filter(|steps| *steps > 0)?;
    let seconds = steps.div_euclid(10_000_000).saturating_sub(FILETIME_EPOCH);
    Some(Timestamp::from_parts(seconds, steps.rem_euclid(10_000_000).saturating_mul(100)))
}

/// Session setup response (MS-SMB2 2.2.6).
pub(super) fn set_up(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    status: u32,
    part: &[u8],
    c: &mut Cursor<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    if status == 0 || status == MORE_PROCESSING {
        c.skip(2)?;
        let flags = c.le16()?;
        let (offset, length) = (c.le16()?, c.le16()?);
        if flags & 4 != 0 {
            talk.encrypted = true;
            ask.detail.flag("encrypted", true);
        }
        if flags & 1 != 0 {
            ask.detail.flag("guest", true);
        }
        if let Some(token) = area(part, offset, length).and_then(gss::read) {
            token.describe(&mut ask.detail);
            token.say(&mut talk.claims, out, pdu.at, pdu.flow.server.address);
        }
        if let Some(login) = ask.login.as_ref().filter(|_| status == 0) {
            talk.logged_in(pdu, login, Outcome::Success, flags & 1 != 0, out);
        }
        return Some(());
    }
    if let Some(login) = &ask.login {
        talk.logged_in(pdu, login, Outcome::Failure, false, out);
    }
    if matches!(status, 0xc000_0234 | 0xc000_0072)
        && let Some(login) = &ask.login
    {
        let words = format!("{}: {}", login.account, names::status(status));
        if talk.claims.first(("refused", &words)) {
            weird(pdu, "smb_account_refused", &words, out);
        }
    }
    Some(())
}

/// Tells who the server is by its path, if the client used a name.
pub(super) fn host_of(path: &str) -> Option<&str> {
    let host = path.strip_prefix("\\\\")?.split('\\').next()?;
    (!host.is_empty() && host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('*')).then_some(host)
}

/// Names the server as the client calls it.
pub(super) fn say_host(talk: &mut Talk, pdu: &Pdu<'_>, path: &str, out: &mut dyn Sink) {
    if let Some(host) = host_of(path) {
        let claim = (Attribute::HostName, host, "smb tree connect path");
        talk.claims.identify(out, pdu.at, pdu.flow.server.address, claim);
    }
}
