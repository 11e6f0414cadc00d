//! SASL logins (RFC 4422) inside mail: what each mechanism shows of account and secret.

use quaywatch_model::Weakness;

use crate::bytes::device_text;
use crate::http::base64;
use crate::login::{Secret, forget};
use crate::ntlm::{self, Message};

/// Characters kept of an account name.
const MAX_NAME: usize = 256;

/// How the client proves itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mechanism {
    Plain,
    Login,
    CramMd5,
    DigestMd5,
    Ntlm,
    Scram,
    Bearer,
    External,
    Anonymous,
    Gssapi,
    Other,
}

impl Mechanism {
    /// By its registered name.
    pub(super) fn of(name: &[u8]) -> Self {
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        match name.as_str() {
            "PLAIN" => Mechanism::Plain,
            "LOGIN" => Mechanism::Login,
            "CRAM-MD5" => Mechanism::CramMd5,
            "DIGEST-MD5" => Mechanism::DigestMd5,
            "NTLM" => Mechanism::Ntlm,
            "XOAUTH2" | "OAUTHBEARER" => Mechanism::Bearer,
            "EXTERNAL" => Mechanism::External,
            "ANONYMOUS" => Mechanism::Anonymous,
            "GSSAPI" | "GSS-SPNEGO" => Mechanism::Gssapi,
            _ if name.starts_with("SCRAM-") => Mechanism::Scram,
            _ => Mechanism::Other,
        }
    }

    /// The method named in session rows.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "sasl plain",
            Mechanism::Login => "sasl login",
            Mechanism::CramMd5 => "sasl cram-md5",
            Mechanism::DigestMd5 => "sasl digest-md5",
            Mechanism::Ntlm => "sasl ntlm",
            Mechanism::Scram => "sasl scram",
            Mechanism::Bearer => "sasl bearer",
            Mechanism::External => "sasl external",
            Mechanism::Anonymous => "sasl anonymous",
            Mechanism::Gssapi => "sasl gssapi",
            Mechanism::Other => "sasl",
        }
    }
}

/// What a login showed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) method: &'static str,
    /// What a look at a readable secret showed.
    pub(super) secret: Option<Secret>,
    /// Another weakness of the scheme, with its rule.
    pub(super) scheme: Option<(Weakness, &'static str)>,
}

/// A SASL exchange under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    mechanism: Mechanism,
    /// Responses of the client seen.
    responses: u8,
}

impl Exchange {
    pub(super) const fn new(mechanism: Mechanism) -> Self {
        Exchange { mechanism, responses: 0 }
    }

    /// Takes a response of the client, in base64. Returns an NTLM message if it holds one.
    pub(super) fn response(&mut self, text: &[u8], login: &mut Login) -> Option<Message> {
        let mut bytes = Vec::new();
        let text = if text == b"=" { b"" } else { text };
        let readable = text != b"*" && base64::decode(text, &mut bytes);
        let message = if readable { self.read(&bytes, login) } else { None };
        forget(&mut bytes);
        self.responses = self.responses.saturating_add(1);
        message
    }

    fn read(&self, bytes: &[u8], login: &mut Login) -> Option<Message> {
        match self.mechanism {
            Mechanism::Plain => plain(bytes, login),
            Mechanism::Login if self.responses == 0 => login.user = name(bytes),
            Mechanism::Login => login.secret = Some(Secret::examine(&login.user, bytes)),
            Mechanism::CramMd5 => {
                // The digest is the last word.
                let end = bytes.iter().rposition(|byte| *byte == b' ').unwrap_or(bytes.len());
                login.user = name(bytes.get(..end).unwrap_or_default());
                login.scheme = Some((Weakness::WeakScheme, "challenge-response with MD5"));
            }
            Mechanism::DigestMd5 if self.responses == 0 => {
                login.user = field(bytes, "username=\"", b'"');
                login.scheme = Some((Weakness::WeakScheme, "digest with MD5"));
            }
            Mechanism::Scram if self.responses == 0 => login.user = field(bytes, "n=", b','),
            Mechanism::Bearer => {
                login.user = field(bytes, "user=", 1);
                if login.user.is_empty() {
                    login.user = field(bytes, "a=", b',');
                }
                login.scheme = Some((Weakness::ClearText, "bearer token sent unencrypted"));
            }
            Mechanism::External => login.user = name(bytes),
            Mechanism::Anonymous => login.scheme = Some((Weakness::Anonymous, "anonymous login accepted")),
            Mechanism::Ntlm | Mechanism::Gssapi => return ntlm_message(bytes, login),
            _ => {}
        }
        None
    }
}

/// Reads an NTLM message in a challenge of the server.
pub(super) fn challenge(text: &[u8]) -> Option<Message> {
    let mut bytes = Vec::new();
    base64::decode(text, &mut bytes).then(|| ntlm::find(&bytes).and_then(ntlm::parse))?
}

/// Authorisation identity, account, password, zeros between (RFC 4616).
fn plain(bytes: &[u8], login: &mut Login) {
    let mut parts = bytes.splitn(3, |byte| *byte == 0).skip(1);
    if let (Some(user), Some(password)) = (parts.next(), parts.next()) {
        login.user = name(user);
        login.secret = Some(Secret::examine(&login.user, password));
    }
}

fn ntlm_message(bytes: &[u8], login: &mut Login) -> Option<Message> {
    let message = ntlm::find(bytes).and_then(ntlm::parse)?;
    if let Message::Authenticate(authenticate) = &message {
        login.user = authenticate.account();
        login.method = authenticate.scheme.method();
        login.scheme = match authenticate.scheme {
            ntlm::Scheme::Anonymous => Some((Weakness::Anonymous, "anonymous login accepted")),
            scheme if scheme.is_weak() => Some((Weakness::WeakScheme, "NTLM version 1 or LAN Manager response")),
            _ => Some((Weakness::None, "NTLM version 2 response")),
        };
    }
    Some(message)
}

/// An account name as text.
pub(super) fn name(bytes: &[u8]) -> String {
    device_text(bytes).unwrap_or_default().chars().take(MAX_NAME).collect()
}

/// What stands between `start` and `end`.
fn field(bytes: &[u8], start: &str, end: u8) -> String {
    let at = bytes.windows(start.len()).position(|window| window == start.as_bytes());
    let rest = at.and_then(|at| bytes.get(at.saturating_add(start.len())..)).unwrap_or_default();
    name(rest.split(|byte| *byte == end).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(mechanism: &str, responses: &[&str]) -> Login {
        let mut login = Login::default();
        let mut exchange = Exchange::new(Mechanism::of(mechanism.as_bytes()));
        for response in responses {
            exchange.response(response.as_bytes(), &mut login);
        }
        login
    }

    #[test]
    fn mechanisms_show_their_accounts() {
        // Example of RFC 4616 section 4: tim, tanstaaftanstaaf.
        let plain = after("plain", &["AHRpbQB0YW5zdGFhZnRhbnN0YWFm"]);
        assert_eq!((plain.user.as_str(), plain.secret), ("tim", Some(Secret::Readable)));
        // admin, admin.
        let login = after("LOGIN", &["YWRtaW4=", "YWRtaW4="]);
        assert_eq!((login.user.as_str(), login.secret), ("admin", Some(Secret::Default)));
        // Example of RFC 2195 section 2.
        let cram = after("CRAM-MD5", &["dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"]);
        assert_eq!(cram.user, "tim");
        // Example of RFC 5802 section 5: n,,n=user,r=...
        assert_eq!(after("SCRAM-SHA-1", &["biwsbj11c2VyLHI9ZnlrbytkMmxiYkZnT05SdjlxeGRhd0w="]).user, "user");
        assert_eq!(after("PLAIN", &["*"]), Login::default());
        assert_eq!(after("PLAIN", &["!!"]), Login::default());
    }
}
