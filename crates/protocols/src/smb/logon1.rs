//! How an SMB 1 session opens: negotiation and session setup (MS-CIFS 2.2.4.52 and 2.2.4.53, MS-SMB 2.2.4.5 and 2.2.4.6).

use quaywatch_model::{Attribute, Clock, Direction, Observation, Outcome, Sink, Timestamp};
use quaywatch_wire::Pdu;

use super::smb1::{Block, Header, MORE_PROCESSING};
use super::talk::{Ask, Talk, Want};
use super::text::Strings;
use crate::bytes::Cursor;
use crate::gss::{self, Login, Proof};
use crate::login::{Secret, forget};

/// Dialects read of one negotiation.
const MAX_DIALECTS: usize = 32;
/// Seconds from 1601-01-01, the epoch of FILETIME, to 1970-01-01.
const FILETIME_EPOCH: i64 = 11_644_473_600;

pub(super) fn share_login(secret: &[u8]) -> Login {
    let secret = secret.strip_suffix(&[0]).unwrap_or(secret);
    let proof = Proof::Readable(Secret::examine("", secret));
    Login { method: "share password", account: String::new(), proof }
}

pub(super) fn negotiate(talk: &mut Talk, block: &Block<'_>, ask: &mut Ask) -> Option<()> {
    let mut strings = Strings::new(block.bytes, 0, false);
    talk.offered.clear();
    while !strings.is_empty() && talk.offered.len() < MAX_DIALECTS {
        strings.format(2);
        talk.offered.push(strings.next());
    }
    ask.want = Want::Negotiate;
    ask.detail.texts("dialect_names", &talk.offered);
    Some(())
}

/// Session setup, in the three forms that its count of words tells apart (MS-CIFS 2.2.4.53.1, MS-SMB 2.2.4.6.1).
pub(super) fn session_setup(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let mut c = Cursor::new(block.words);
    c.skip(14)?;
    ask.want = Want::SessionSetup;
    let first = usize::from(c.le16()?);
    let second = if block.words.len() == 26 { usize::from(c.le16()?) } else { 0 };
    let passed = first.saturating_add(second);
    let at = block.bytes_at.saturating_add(passed);
    let mut strings = Strings::new(block.bytes.get(passed..)?, at, header.unicode());
    if block.words.len() == 24 {
        if let Some(token) = block.bytes.get(..first).and_then(gss::read) {
            token.describe(&mut ask.detail);
            token.say(&mut talk.claims, out, pdu.at, pdu.flow.client.address);
            ask.login = token.login();
        }
    } else {
        let (account, domain) = (strings.next(), strings.next());
        let lm = block.bytes.get(..first)?;
        let nt = block.bytes.get(first..passed)?;
        ask.detail.text("account", &account);
        ask.detail.text("domain", &domain);
        ask.login = Some(old_login(talk, header, &account, &domain, lm, nt));
    }
    if let Some(login) = &ask.login {
        ask.object.clone_from(&login.account);
    }
    let (os, lanman) = (strings.next(), strings.next());
    say_software(talk, pdu, &os, &lanman, ask, ("native_os", "native_lanman"), out);
    Some(())
}

/// A login without security tokens: a challenge's responses, or the password itself.
pub(super) fn old_login(talk: &Talk, header: &Header, account: &str, domain: &str, lm: &[u8], nt: &[u8]) -> Login {
    let full =
        if domain.is_empty() || account.is_empty() { account.to_owned() } else { format!("{domain}\\{account}") };
    let readable = talk.challenged == Some(false) || !matches!(lm.len(), 0 | 1 | 24);
    let empty = lm.len() <= 1 && nt.len() <= 2;
    let (method, proof) = match (account.is_empty(), empty) {
        (true, true) => ("anonymous", Proof::Anonymous),
        (false, true) => ("password", Proof::Readable(Secret::Empty)),
        _ if readable => ("password", Proof::Readable(examine(header, account, lm, nt))),
        _ if nt.len() > 24 => ("ntlmv2", Proof::Sound("NTLM version 2 response")),
        _ if nt.is_empty() => ("lm", Proof::Weak("NTLM version 1 or LAN Manager response")),
        _ => ("ntlmv1", Proof::Weak("NTLM version 1 or LAN Manager response")),
    };
    Login { method, account: full, proof }
}

/// Looks at a readable password once; a copy made of it is overwritten.
pub(super) fn examine(header: &Header, account: &str, lm: &[u8], nt: &[u8]) -> Secret {
    let trimmed = lm.strip_suffix(&[0]).unwrap_or(lm);
    if !trimmed.is_empty() || nt.is_empty() || !header.unicode() {
        return Secret::examine(account, trimmed);
    }
    let (pairs, _) = nt.as_chunks::<2>();
    let mut secret: Vec<u8> = pairs.iter().map(|[low, _]| *low).take_while(|byte| *byte != 0).collect();
    let told = Secret::examine(account, &secret);
    forget(&mut secret);
    told
}

pub(super) fn say_software(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    os: &str,
    lanman: &str,
    ask: &mut Ask,
    keys: (&str, &str),
    out: &mut dyn Sink,
) {
    let subject = pdu.sender().address;
    for (value, key, attribute, method) in [
        (os, keys.0, Attribute::Os, "smb session setup native os"),
        (lanman, keys.1, Attribute::Software, "smb session setup native lan manager"),
    ] {
        if !value.is_empty() {
            ask.detail.text(key, value);
            talk.claims.identify(out, pdu.at, subject, (attribute, value, method));
        }
    }
    let kept =
        if pdu.direction == Direction::FromClient { &mut talk.client_software } else { &mut talk.server_software };
    if !os.is_empty() {
        kept.clear();
        kept.push_str(os);
    }
}

/// Negotiate response (MS-CIFS 2.2.4.52.2, MS-SMB 2.2.4.5.2).
pub(super) fn negotiated(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let mut c = Cursor::new(block.words);
    let index = c.le16()?;
    if index == 0xffff {
        ask.detail.flag("no_common_dialect", true);
        return Some(());
    }
    if let Some(name) = talk.offered.get(usize::from(index)) {
        ask.detail.text("dialect_name", name);
    }
    talk.settle_on(pdu, "SMB 1", out);
    let mode = match block.words.len() {
        34 => c.u8()?,
        26 => u8::try_from(c.le16()? & 0xff).ok()?,
        // The core protocol knows share passwords in clear only.
        _ => 0,
    };
    talk.challenged = Some(mode & 2 != 0);
    ask.detail.flag("user_level", mode & 1 != 0);
    ask.detail.flag("password_challenged", mode & 2 != 0);
    ask.detail.flag("signing_required", mode & 8 != 0);
    if block.words.len() == 34 {
        c.skip(16)?;
        let capabilities = c.le32()?;
        let now = c.le64()?;
        ask.detail.number("server_capabilities", capabilities);
        say_clock(talk, pdu, now, out);
        c.skip(2)?;
        let challenge = usize::from(c.u8()?);
        if capabilities & 0x8000_0000 == 0 {
            let at = block.bytes_at.saturating_add(challenge);
            let mut strings = Strings::new(block.bytes.get(challenge..).unwrap_or_default(), at, header.unicode());
            let (domain, server) = (strings.next(), strings.next());
            let subject = pdu.flow.server.address;
            talk.claims.identify(out, pdu.at, subject, (Attribute::Domain, &domain, "smb negotiate domain"));
            talk.claims.identify(out, pdu.at, subject, (Attribute::HostName, &server, "smb negotiate server name"));
        }
    }
    Some(())
}

pub(super) fn say_clock(talk: &mut Talk, pdu: &Pdu<'_>, steps: u64, out: &mut dyn Sink) {
    let Some(steps) = i64::try_from(steps).ok().filter(|steps| *steps > 0 && talk.claims.first("clock")) else {
        return;
    };
    let seconds = steps.div_euclid(10_000_000).saturating_sub(FILETIME_EPOCH);
    let device_time = Timestamp::from_parts(seconds, steps.rem_euclid(10_000_000).saturating_mul(100));
    let (subject, skew) = (pdu.flow.server.address, device_time.since(pdu.at.ts));
    let clock = Clock { subject, method: "smb negotiate system time", device_time, skew };
    out.emit(pdu.at, Observation::Clock(clock));
}

/// Session setup response (MS-CIFS 2.2.4.53.2, MS-SMB 2.2.4.6.2).
pub(super) fn set_up(
    talk: &mut Talk,
    pdu: &Pdu<'_>,
    header: &Header,
    block: &Block<'_>,
    ask: &mut Ask,
    out: &mut dyn Sink,
) -> Option<()> {
    let (status, _) = header.status();
    if status != 0 && status != MORE_PROCESSING {
        if let Some(login) = &ask.login {
            talk.logged_in(pdu, login, Outcome::Failure, false, out);
        }
        return Some(());
    }
    let mut c = Cursor::new(block.words);
    c.skip(4)?;
    let action = c.le16()?;
    let passed = if block.words.len() == 8 { usize::from(c.le16()?) } else { 0 };
    let guest = action & 1 != 0;
    if guest {
        ask.detail.flag("guest", true);
    }
    if let Some(token) = block.bytes.get(..passed).and_then(gss::read) {
        token.describe(&mut ask.detail);
        token.say(&mut talk.claims, out, pdu.at, pdu.flow.server.address);
    }
    let at = block.bytes_at.saturating_add(passed);
    let rest = block.bytes.get(passed..).unwrap_or_default();
    let mut strings = Strings::new(rest, at, header.unicode());
    let (os, lanman, domain) = (strings.next(), strings.next(), strings.next());
    say_software(talk, pdu, &os, &lanman, ask, ("server_os", "server_lanman"), out);
    let subject = pdu.flow.server.address;
    talk.claims.identify(out, pdu.at, subject, (Attribute::Domain, &domain, "smb session setup domain"));
    if let Some(login) = ask.login.as_ref().filter(|_| status == 0) {
        talk.logged_in(pdu, login, Outcome::Success, guest, out);
    }
    Some(())
}
