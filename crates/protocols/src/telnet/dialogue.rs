//! A login dialogue in text: prompts, what is typed at them, and how it ends.
//!
//! Of what the client types only the line after a user prompt is kept, as the account. The line after a password prompt is
//! looked at once and overwritten; everything else is dropped as it comes.

use crate::bytes::device_text;
use crate::login::{Secret, forget};

/// Longest line of the server that is looked at.
pub(super) const MAX_LINE: usize = 512;
/// Longest account and secret that are read.
pub(super) const MAX_TYPED: usize = 128;
/// Lines of the server that are searched for software and system.
const MAX_SEARCHED: u32 = 40;

/// A prompt that asks for a login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prompt {
    /// For an account.
    User,
    /// For a secret.
    Password,
}

/// Ends of prompts for an account, in the languages of port equipment.
const USER_PROMPTS: &[&str] = &[
    "login",
    "username",
    "user name",
    "user",
    "userid",
    "user id",
    "account",
    "login name",
    "login as",
    "logon",
    "benutzer",
    "benutzername",
    "utilisateur",
    "usuario",
    "gebruiker",
    "utente",
    "loginname",
];
/// Ends of prompts for a secret.
const PASSWORD_PROMPTS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "kennwort",
    "passcode",
    "pin",
    "pass",
    "contrasena",
    "mot de passe",
    "wachtwoord",
    "senha",
    "pass phrase",
    "passphrase",
];
/// Such prompts set a secret rather than ask for it.
const SETTING: &[&str] = &["new ", "retype", "confirm", "again", "re-enter", "verify"];
const REFUSED: &[&str] = &[
    "incorrect",
    "fail",
    "denied",
    "invalid",
    "bad ",
    "wrong",
    "not authorized",
    "unauthorized",
    "refused",
    "rejected",
    "mismatch",
    "illegal",
    "not set",
    "none set",
    "no such",
];
const ACCEPTED: &[&str] = &["welcome", "logged in", "login successful", "authenticated", "login ok", "access granted"];
/// Lines that follow an accepted login, though they may speak of failed ones.
const AFTER_LOGIN: &[&str] = &["last login", "last successful", "last failed", "last unsuccessful", "you have mail"];
/// Prompts of menus.
const MENUS: &[&str] = &["select", "choice", "command", "option", "menu", "enter a key", "continue"];
/// Operating systems that start a line which names them.
const SYSTEMS: &[&str] = &[
    "OpenBSD",
    "FreeBSD",
    "NetBSD",
    "Linux ",
    "Ubuntu",
    "Debian",
    "Red Hat",
    "CentOS",
    "SunOS",
    "Solaris",
    "AIX",
    "HP-UX",
    "Microsoft Windows",
    "Windows ",
    "VxWorks",
    "QNX",
    "Cisco IOS",
    "BusyBox",
    "MikroTik",
    "Rugged",
    "Westermo OS",
    "OpenWrt",
];

/// The prompt that a line is, if the cursor stands behind it.
pub(super) fn prompt(line: &[u8]) -> Option<Prompt> {
    if line.len() > 96 {
        return None;
    }
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    let body = text.trim().trim_end_matches([':', '>', '?', '=', ' ']);
    if body.len() == text.trim().len() || AFTER_LOGIN.iter().any(|start| body.starts_with(start)) {
        return None;
    }
    let ends = |ends: &[&str]| {
        ends.iter().any(|end| {
            // Whole words: `adminuser>` is a shell's prompt.
            body.strip_suffix(end)
                .is_some_and(|before| before.is_empty() || before.ends_with(|c: char| !c.is_alphanumeric()))
        })
    };
    if ends(PASSWORD_PROMPTS) || body.contains("password for ") {
        return (!SETTING.iter().any(|word| body.contains(word))).then_some(Prompt::Password);
    }
    // A user prompt ends with a colon: `user>` is a shell's.
    (ends(USER_PROMPTS) && text.trim_end().ends_with([':', '?'])).then_some(Prompt::User)
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Accepted,
    Refused,
}

/// What a piece of the dialogue showed.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A prompt came: the text before it is complete.
    Prompted,
    /// The client answered the user prompt, with this.
    User(String),
    /// The client answered the password prompt.
    Secret(Secret),
    /// The attempt ended.
    Ended(Verdict),
    /// The server's text names an operating system.
    System(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    /// No login under way.
    #[default]
    Talk,
    /// The client types its account.
    User,
    /// The account was typed: a password prompt or a verdict follows.
    AfterUser,
    /// The client types its secret.
    Secret,
    /// The secret was typed.
    AfterSecret,
}

/// Follows one dialogue.
#[derive(Default, Debug)]
pub(super) struct Dialogue {
    state: State,
    line: Vec<u8>,
    lines: u32,
    /// Within an escape sequence of a terminal.
    escape: bool,
    typed: Vec<u8>,
    /// More was typed than is kept.
    overflow: bool,
    /// The account typed last.
    account: String,
    /// The first line of the server that tells of its software.
    pub(super) banner: String,
}

impl Dialogue {
    /// Bytes are missing: what was being typed is not known.
    pub(super) fn lose(&mut self) {
        self.line.clear();
        forget(&mut self.typed);
        self.escape = false;
        if matches!(self.state, State::User | State::Secret) {
            self.state = State::Talk;
        }
    }

    /// The account that a login without prompt for it has, by environment or authentication option.
    pub(super) fn set_account(&mut self, account: &str) {
        if self.state != State::AfterUser {
            self.account.clear();
            self.account.push_str(account);
        }
    }

    /// Takes a byte of the server's text.
    pub(super) fn server(&mut self, byte: u8, each: &mut impl FnMut(Step)) {
        match byte {
            _ if self.escape => self.escape = !byte.is_ascii_alphabetic(),
            0x1b => self.escape = true,
            b'\r' | b'\n' => self.end_line(each),
            0x08 => {
                self.line.pop();
            }
            0x20.. if self.line.len() < MAX_LINE => self.line.push(byte),
            _ => {}
        }
    }

    /// The server has said all that this piece holds: the line may be a prompt.
    pub(super) fn server_pauses(&mut self, each: &mut impl FnMut(Step)) {
        let asked = prompt(&self.line);
        match (asked, self.state) {
            (Some(Prompt::User), _) => {
                if self.state == State::AfterSecret {
                    each(Step::Ended(Verdict::Refused));
                }
                each(Step::Prompted);
                self.expect(State::User);
            }
            (Some(Prompt::Password), _) => {
                if self.state == State::AfterSecret {
                    each(Step::Ended(Verdict::Refused));
                }
                each(Step::Prompted);
                self.expect(State::Secret);
            }
            (None, State::AfterSecret | State::AfterUser) if is_shell_prompt(&self.line) => {
                self.state = State::Talk;
                each(Step::Ended(Verdict::Accepted));
            }
            _ => {}
        }
    }

    fn expect(&mut self, state: State) {
        if state == State::User {
            self.account.clear();
        }
        self.state = state;
        self.line.clear();
        forget(&mut self.typed);
        self.overflow = false;
    }

    fn end_line(&mut self, each: &mut impl FnMut(Step)) {
        let line = std::mem::take(&mut self.line);
        self.whole_line(&line, each);
        self.line = line;
        self.line.clear();
    }

    fn whole_line(&mut self, line: &[u8], each: &mut impl FnMut(Step)) {
        let Some(text) = device_text(line) else { return };
        self.lines += 1;
        let lower = text.to_ascii_lowercase();
        if matches!(self.state, State::AfterUser | State::AfterSecret) {
            let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
            let after = AFTER_LOGIN.iter().any(|start| lower.starts_with(start));
            let verdict = match () {
                () if after => Some(Verdict::Accepted),
                () if has(REFUSED) => Some(Verdict::Refused),
                // Before the password a welcome is no verdict.
                () if self.state == State::AfterSecret && has(ACCEPTED) => Some(Verdict::Accepted),
                () => None,
            };
            if let Some(verdict) = verdict {
                self.state = State::Talk;
                each(Step::Ended(verdict));
            }
        }
        if self.lines > MAX_SEARCHED || matches!(self.state, State::User | State::Secret) {
            return;
        }
        if self.banner.is_empty() && self.state == State::Talk && tells_software(&lower) {
            self.banner = text.chars().take(128).collect();
        }
        if SYSTEMS.iter().any(|name| text.starts_with(name)) {
            each(Step::System(text.chars().take(128).collect()));
        }
    }

    /// Takes a byte that the client typed.
    pub(super) fn client(&mut self, byte: u8, each: &mut impl FnMut(Step)) {
        if !matches!(self.state, State::User | State::Secret) {
            return;
        }
        match byte {
            b'\r' | b'\n' => self.entered(each),
            0x08 | 0x7f => {
                self.typed.pop();
            }
            // Kill line.
            0x15 => forget(&mut self.typed),
            0x20.. if self.typed.len() < MAX_TYPED => self.typed.push(byte),
            0x20.. => self.overflow = true,
            _ => {}
        }
    }

    fn entered(&mut self, each: &mut impl FnMut(Step)) {
        if self.state == State::User {
            // The line feed of the line before, or an empty line that makes the server ask again.
            if self.typed.is_empty() {
                return;
            }
            self.account = device_text(&self.typed).unwrap_or_default();
            self.state = State::AfterUser;
            each(Step::User(self.account.clone()));
        } else {
            let secret = if self.overflow { Secret::Readable } else { Secret::examine(&self.account, &self.typed) };
            self.state = State::AfterSecret;
            each(Step::Secret(secret));
        }
        forget(&mut self.typed);
    }
}

/// A shell or menu waits for a command.
fn is_shell_prompt(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    let text = text.trim();
    if text.is_empty() || text.len() > 96 {
        return false;
    }
    text.ends_with(['$', '#', '>', '%', ']'])
        || (text.ends_with([':', '?', '.']) && MENUS.iter().any(|word| text.contains(word)))
}

/// A line that names a product: it has a number or a known system, and is no notice.
fn tells_software(lower: &str) -> bool {
    const NOTICES: &[&str] = &[
        "login",
        "password",
        "access",
        "authori",
        "warning",
        "prohibited",
        "trying",
        "connected",
        "escape character",
        "date",
        "time",
        "copyright",
        "(c)",
    ];
    let named = SYSTEMS.iter().any(|name| lower.contains(&name.to_ascii_lowercase()));
    let has_letters = lower.bytes().filter(u8::is_ascii_alphabetic).count() >= 3;
    named
        || (has_letters
            && lower.bytes().any(|b| b.is_ascii_digit())
            && !NOTICES.iter().any(|word| lower.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_several_makers() {
        for text in
            ["login: ", "bam login:", "Username:", "User Name : ", "Console login>:", "Benutzername: ", "user: "]
        {
            assert_eq!(prompt(text.as_bytes()), Some(Prompt::User), "{text}");
        }
        for text in ["Password:", "password: ", "bob's Password:", "Password for bob@plc:", "Enter PIN: ", "Passwort> "]
        {
            assert_eq!(prompt(text.as_bytes()), Some(Prompt::Password), "{text}");
        }
        for text in
            ["Last login:", "Login incorrect", "New password:", "adminuser>", "user>", "login", "", ":", "spin: ", "$ "]
        {
            assert_eq!(prompt(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn shells_and_menus() {
        for text in ["$ ", "router#", "C:\\>", "[admin@MikroTik] >", "Please select: ", "Press any key to continue."] {
            assert!(is_shell_prompt(text.as_bytes()), "{text}");
        }
        for text in ["", "Password:", "login: ", "Verifying..."] {
            assert!(!is_shell_prompt(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn lines_that_tell_software() {
        for text in ["OpenBSD/i386 (oof) (ttyp2)", "NPort 5110 V2.4", "Linux 2.6"] {
            assert!(tells_software(&text.to_ascii_lowercase()), "{text}");
        }
        for text in ["User Access Verification", "Authorized access only, call 555-1234", "Trying 10.0.0.1..."] {
            assert!(!tells_software(&text.to_ascii_lowercase()), "{text}");
        }
    }
}
