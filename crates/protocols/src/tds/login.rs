//! What opens a session: prelogin (MS-TDS 2.2.6.5), login (2.2.6.4), and the answer's tokens (2.2.7).

use crate::bytes::Cursor;
use crate::login::{Secret, forget};

/// Options read of one prelogin.
const MAX_OPTIONS: usize = 16;
/// Tokens read of one answer.
const MAX_TOKENS: usize = 64;
/// Characters kept of a name.
const MAX_NAME: usize = 256;

/// UTF-16 text of a login or token.
pub(super) fn wide(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair)))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .filter(|c| !c.is_control())
        .take(MAX_NAME)
        .collect()
}

/// Options of a prelogin.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Prelogin {
    /// Version of the sender: server, or client library.
    pub(super) version: Option<(u8, u8, u16)>,
    pub(super) encryption: Option<u8>,
    pub(super) instance: String,
}

/// Reads the options; `None` if these bytes are no option list.
pub(super) fn prelogin(bytes: &[u8]) -> Option<Prelogin> {
    let mut c = Cursor::new(bytes);
    let mut read = Prelogin::default();
    for index in 0..MAX_OPTIONS {
        let kind = c.u8()?;
        if kind == 0xff {
            return Some(read);
        }
        // The version always comes first.
        if index == 0 && kind != 0 || kind > 0x20 {
            return None;
        }
        let (offset, length) = (usize::from(c.be16()?), usize::from(c.be16()?));
        let value = bytes.get(offset..offset.checked_add(length)?)?;
        let mut v = Cursor::new(value);
        match kind {
            0 => read.version = Some((v.u8()?, v.u8()?, v.be16()?)),
            1 => read.encryption = v.u8(),
            2 => read.instance = crate::bytes::device_text(value).unwrap_or_default(),
            _ => {}
        }
    }
    None
}

/// A login as far as it is told.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Login7 {
    pub(super) tds: u32,
    pub(super) host: String,
    pub(super) user: String,
    pub(super) application: String,
    pub(super) server: String,
    pub(super) library: String,
    pub(super) database: String,
    /// What a look at the scrambled password showed; `None` with integrated security.
    pub(super) secret: Option<Secret>,
    /// Where the security token lies.
    pub(super) token: Option<(usize, usize)>,
    /// Whether the client asks to change the password.
    pub(super) changes_password: bool,
}

/// Reads a login.
pub(super) fn login7(bytes: &[u8]) -> Option<Login7> {
    let mut c = Cursor::new(bytes);
    c.skip(4)?;
    let tds = c.le32()?;
    c.skip(16)?;
    let (_, second) = (c.u8()?, c.u8()?);
    c.skip(10)?;
    let mut place = || Some((usize::from(c.le16()?), usize::from(c.le16()?)));
    let places = [place()?, place()?, place()?, place()?, place()?, place()?, place()?, place()?, place()?];
    let [host, user, password, application, server, _, library, _, database] = places;
    c.skip(6)?;
    let mut place = || Some((usize::from(c.le16()?), usize::from(c.le16()?)));
    let token = place();
    let _attached = place();
    let change = place();
    let area = |(offset, count): (usize, usize)| bytes.get(offset..offset.saturating_add(count.saturating_mul(2)));
    let text = |at| area(at).map(wide).unwrap_or_default();
    let integrated = second & 0x80 != 0 || token.is_some_and(|(_, length)| length > 0);
    let user = text(user);
    let secret = (!integrated).then(|| unscramble(&user, area(password).unwrap_or_default()));
    Some(Login7 {
        tds,
        host: text(host),
        application: text(application),
        server: text(server),
        library: text(library),
        database: text(database),
        secret,
        token: token.filter(|(_, length)| *length > 0),
        changes_password: change.is_some_and(|(_, length)| length > 0),
        user,
    })
}

/// The password is scrambled without a key (MS-TDS 2.2.6.4): halves of each byte swapped after exclusive-or with 0xa5.
fn unscramble(user: &str, bytes: &[u8]) -> Secret {
    let (pairs, _) = bytes.as_chunks::<2>();
    let mut secret: Vec<u8> = pairs.iter().map(|[low, _]| (low ^ 0xa5).rotate_left(4)).collect();
    let told = Secret::examine(user, &secret);
    forget(&mut secret);
    told
}

/// What an answer says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Answer {
    /// First error: number and the server's name.
    pub(super) error: Option<(u32, String)>,
    /// Login granted: program, its version, TDS version.
    pub(super) granted: Option<(String, (u8, u8, u16), u32)>,
    /// Where the security token lies.
    pub(super) token: Option<(usize, usize)>,
    /// Database switched to.
    pub(super) database: String,
}

/// Reads the tokens at the start of an answer, up to the first that has no length of its own.
pub(super) fn answer(bytes: &[u8]) -> Answer {
    let mut read = Answer::default();
    let mut c = Cursor::new(bytes);
    for _ in 0..MAX_TOKENS {
        if token(bytes, &mut c, &mut read).is_none() {
            break;
        }
    }
    read
}

fn token(whole: &[u8], c: &mut Cursor<'_>, read: &mut Answer) -> Option<()> {
    let kind = c.u8()?;
    match kind {
        0xfd..=0xff => return c.skip(12),
        0x79 => return c.skip(4),
        // Tokens with a length: order, error, info, login, features, environment, session, security.
        0xa9..=0xab | 0xad | 0xe3 | 0xe4 | 0xed => {}
        _ => return None,
    }
    let length = if kind == 0xe4 { usize::try_from(c.le32()?).ok()? } else { usize::from(c.le16()?) };
    let offset = whole.len().checked_sub(c.left())?;
    let data = c.take(length)?;
    let mut d = Cursor::new(data);
    match kind {
        0xaa if read.error.is_none() => {
            let number = d.le32()?;
            d.skip(2)?;
            let words = usize::from(d.le16()?);
            d.skip(words.checked_mul(2)?)?;
            let server = short(&mut d)?;
            read.error = Some((number, server));
        }
        0xad => {
            d.skip(1)?;
            let tds = d.be32()?;
            let program = short(&mut d)?;
            read.granted = Some((program, (d.u8()?, d.u8()?, d.be16()?), tds));
        }
        0xe3 if d.u8()? == 1 => read.database = short(&mut d)?,
        0xed => read.token = Some((offset, length)),
        _ => {}
    }
    Some(())
}

/// A text with its count of characters in one byte before it.
fn short(c: &mut Cursor<'_>) -> Option<String> {
    let count = usize::from(c.u8()?);
    c.take(count.checked_mul(2)?).map(wide)
}

/// Rows that the last token of a result counts.
pub(super) fn rows(tail: &[u8]) -> Option<u64> {
    let mut c = Cursor::new(tail);
    if !matches!(c.u8()?, 0xfd..=0xff) {
        return None;
    }
    let status = c.le16()?;
    c.skip(2)?;
    let count = c.le64()?;
    (status & 0x10 != 0).then_some(count)
}
