//! Accounts and secrets in forms, JSON bodies and query strings; and query strings with their secrets replaced.

use crate::login::{Secret, forget};

/// What stands in a shown URI in place of a secret.
pub(super) const REPLACED: &str = "***";
/// Characters kept of an account name.
const MAX_ACCOUNT: usize = 128;
/// Characters kept of a URI.
pub(super) const MAX_URI: usize = 2048;

/// What a field of a form or query is, by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// An account name; the number tells how sure that is.
    Account(u8),
    Password,
    /// A key or token that stands for a login.
    Token,
    /// Not to be shown.
    Hidden,
    Other,
}

/// Parts of field names that hold a password.
const PASSWORD_PARTS: &[&str] = &["passw", "pwd", "passphrase", "passcode", "kennwort", "contrasena", "motdepasse"];
/// Whole names that do.
const PASSWORDS: &[&str] = &["pass", "pw", "psw", "pin", "psk"];
/// Parts that say that such a field holds something else.
const NOT_PASSWORD: &[&str] = &["forgot", "remember", "hint", "expir", "length", "reset", "policy"];
const TOKENS: &[&str] = &["access_token", "api_key", "apikey", "api-key", "auth_token", "authtoken", "token", "bearer"];
const HIDDEN_PARTS: &[&str] = &["secret", "session", "sessid", "signature", "credential", "csrf", "community", "token"];
const HIDDEN: &[&str] = &["sid", "sig", "key", "auth", "hash", "ticket", "otp", "code"];
const ACCOUNT_PARTS: &[&str] = &["user", "uname", "usr", "benutzer", "usuario"];
const MAYBE_ACCOUNT_PARTS: &[&str] = &["account", "mail", "login"];
const MAYBE_ACCOUNTS: &[&str] = &["name", "id", "uid", "log", "u"];

fn kind(name: &str) -> Kind {
    let name = name.to_ascii_lowercase();
    // `ctl00$body$password`, `form.password`, `login[password]`: the last part counts.
    let last = name.trim_end_matches(']').rsplit(['$', '.', '[', ':']).next().unwrap_or(&name);
    let has = |parts: &[&str]| parts.iter().any(|part| last.contains(part));
    let is = |names: &[&str]| names.contains(&last);
    if (has(PASSWORD_PARTS) || is(PASSWORDS)) && !has(NOT_PASSWORD) {
        Kind::Password
    } else if is(TOKENS) {
        Kind::Token
    } else if has(HIDDEN_PARTS) || is(HIDDEN) {
        Kind::Hidden
    } else if has(ACCOUNT_PARTS) && !last.contains("agent") {
        Kind::Account(3)
    } else if has(MAYBE_ACCOUNT_PARTS) {
        Kind::Account(2)
    } else if is(MAYBE_ACCOUNTS) {
        Kind::Account(1)
    } else {
        Kind::Other
    }
}

/// A login found in fields. The secret itself is looked at and dropped.
#[derive(Default, Debug)]
pub(super) struct Fields {
    account: String,
    sure: u8,
    password: Option<Vec<u8>>,
    token: bool,
}

/// What the fields amount to.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Account and password.
    Login { account: String, secret: Secret },
    /// A key or token in clear.
    Token,
    /// Neither.
    Nothing,
}

impl Fields {
    fn add(&mut self, name: &str, value: &[u8]) {
        match kind(name) {
            Kind::Account(sure) if sure > self.sure && !value.is_empty() => {
                self.sure = sure;
                self.account =
                    String::from_utf8_lossy(value).chars().filter(|c| !c.is_control()).take(MAX_ACCOUNT).collect();
            }
            Kind::Password if self.password.is_none() => self.password = Some(value.to_vec()),
            Kind::Token if !value.is_empty() => self.token = true,
            _ => {}
        }
    }

    fn result(mut self) -> Found {
        match self.password.take() {
            // A password field alone, left empty, is a settings page rather than a login.
            Some(password) if password.is_empty() && self.account.is_empty() => Found::Nothing,
            Some(mut password) => {
                let secret = Secret::examine(&self.account, &password);
                forget(&mut password);
                Found::Login { account: self.account, secret }
            }
            None if self.token => Found::Token,
            None => Found::Nothing,
        }
    }
}

/// Reads `application/x-www-form-urlencoded` content.
pub(super) fn urlencoded(content: &[u8]) -> Found {
    let mut fields = Fields::default();
    for pair in content.split(|b| *b == b'&' || *b == b';') {
        let (name, value) = split_once(pair, b'=');
        let mut value = unescaped(value);
        fields.add(&String::from_utf8_lossy(&unescaped(name)), &value);
        forget(&mut value);
    }
    fields.result()
}

/// Reads the text members of a JSON document, at whatever depth.
pub(super) fn json(content: &[u8]) -> Found {
    let mut fields = Fields::default();
    let mut rest = content;
    let mut name: Option<Vec<u8>> = None;
    while let Some(start) = rest.iter().position(|b| *b == b'"') {
        let between = rest.get(..start).unwrap_or_default();
        let is_value = between.trim_ascii().ends_with(b":");
        let Some((mut text, after)) = json_text(rest.get(start + 1..).unwrap_or_default()) else { break };
        rest = after;
        match name.take() {
            Some(name) if is_value => {
                fields.add(&String::from_utf8_lossy(&name), &text);
                forget(&mut text);
            }
            _ => name = Some(text),
        }
    }
    fields.result()
}

/// The text up to its closing quote, and what follows.
fn json_text(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some((text, bytes.get(at + 1..).unwrap_or_default())),
            // Of an escape its character is kept: enough for names, and for comparing ASCII passwords.
            b'\\' => {
                text.push(*bytes.get(at + 1)?);
                at += 2;
            }
            byte => {
                text.push(*byte);
                at += 1;
            }
        }
    }
}

/// Writes a request target into `shown` with its secrets replaced, and tells what its query amounts to.
pub(super) fn show_target(target: &[u8], shown: &mut String) -> Found {
    shown.clear();
    let (path, query) = split_once(target, b'?');
    show_path(path, shown);
    if target.len() == path.len() {
        return Found::Nothing;
    }
    shown.push('?');
    let mut fields = Fields::default();
    for (index, pair) in query.split(|b| *b == b'&').enumerate() {
        if index > 0 {
            shown.push('&');
        }
        show_pair(pair, shown, Some(&mut fields));
    }
    limit(shown);
    fields.result()
}

/// The path: user information before the host and session ids in its parameters are secrets too.
fn show_path(path: &[u8], shown: &mut String) {
    for (index, part) in path.split(|b| *b == b';').enumerate() {
        if index > 0 {
            shown.push(';');
            show_pair(part, shown, None);
            continue;
        }
        let text = String::from_utf8_lossy(part);
        match authority_user(&text) {
            Some((scheme, rest)) => {
                shown.push_str(scheme);
                shown.push_str(REPLACED);
                push_clean(shown, rest);
            }
            None => push_clean(shown, &text),
        }
    }
    limit(shown);
}

/// `http://` and `@host/path` of `http://user:secret@host/path`.
fn authority_user(text: &str) -> Option<(&str, &str)> {
    let start = text.find("://")? + 3;
    let (scheme, rest) = text.split_at_checked(start)?;
    let authority = rest.split('/').next()?;
    let at = authority.rfind('@')?;
    Some((scheme, rest.get(at..)?))
}

fn show_pair(pair: &[u8], shown: &mut String, fields: Option<&mut Fields>) {
    let (name, value) = split_once(pair, b'=');
    let plain_name = unescaped(name);
    let plain_name = String::from_utf8_lossy(&plain_name);
    push_clean(shown, &String::from_utf8_lossy(name));
    if name.len() == pair.len() {
        return;
    }
    shown.push('=');
    match kind(&plain_name) {
        Kind::Account(_) | Kind::Other => push_clean(shown, &String::from_utf8_lossy(value)),
        Kind::Password | Kind::Token | Kind::Hidden => shown.push_str(REPLACED),
    }
    if let Some(fields) = fields {
        let mut value = unescaped(value);
        fields.add(&plain_name, &value);
        forget(&mut value);
    }
}

fn push_clean(shown: &mut String, text: &str) {
    shown.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
}

/// Cuts a URI at its limit.
fn limit(shown: &mut String) {
    if shown.len() > MAX_URI {
        let end = (0..=MAX_URI).rev().find(|at| shown.is_char_boundary(*at)).unwrap_or(0);
        shown.truncate(end);
    }
}

fn split_once(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|b| *b == separator) {
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default()),
        None => (bytes, b""),
    }
}

/// Percent-decoding, with `+` for a blank.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    plain.push(high << 4 | low);
                    rest = tail;
                }
                _ => plain.push(b'%'),
            },
            (b'+', _) => plain.push(b' '),
            (byte, _) => plain.push(*byte),
        }
    }
    plain
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(account: &str, secret: Secret) -> Found {
        Found::Login { account: account.into(), secret }
    }

    #[test]
    fn forms_of_several_makers_are_understood() {
        assert_eq!(urlencoded(b"username=crane&password=horse%20battery"), login("crane", Secret::Readable));
        assert_eq!(urlencoded(b"login=Login&userid=admin&pwd=admin"), login("admin", Secret::Default));
        assert_eq!(urlencoded(b"ctl00%24body%24txtUser=ops&ctl00%24body%24txtPassword="), login("ops", Secret::Empty));
        assert_eq!(urlencoded(b"id=7&j_password=7"), login("7", Secret::SameAsAccount));
        assert_eq!(urlencoded(b"rememberPassword=1&name=x"), Found::Nothing);
        assert_eq!(urlencoded(b"password="), Found::Nothing);
        assert_eq!(urlencoded(b""), Found::Nothing);
    }

    #[test]
    fn json_logins_are_understood() {
        let body = br#"{"a":["x",{"user":"ad\"min"}], "password" : "1234", "n":5}"#;
        assert_eq!(json(body), login("ad\"min", Secret::Readable));
        assert_eq!(json(br#"{"token":"abc"}"#), Found::Token);
        for length in 0..body.len() {
            json(&body[..length]);
        }
    }

    #[test]
    fn secrets_in_a_uri_are_replaced() {
        let mut shown = String::new();
        for (target, wanted) in [
            ("/a/b.htm", "/a/b.htm"),
            ("/login?user=bob&password=hunter2&x=1", "/login?user=bob&password=***&x=1"),
            ("/x;jsessionid=ABCDEF?y", "/x;jsessionid=***?y"),
            ("http://bob:hunter2@plc/x", "http://***@plc/x"),
            ("/api?access_token=t0k3n", "/api?access_token=***"),
            ("/cfg?snmp_community=private2", "/cfg?snmp_community=***"),
            ("?", "?"),
        ] {
            show_target(target.as_bytes(), &mut shown);
            assert_eq!(shown, wanted);
        }
        assert_eq!(show_target(b"/l?u=a&pass=b", &mut shown), login("a", Secret::Readable));
        assert_eq!(show_target(b"/l?api_key=b", &mut shown), Found::Token);
    }

    #[test]
    fn a_long_uri_is_cut() {
        let mut shown = String::new();
        show_target("/ü".repeat(MAX_URI).as_bytes(), &mut shown);
        assert!(shown.len() <= MAX_URI);
    }
}
