//! Users: the identity token of ActivateSession (OPC 10000-4 sections 5.7.3 and 7.40), and how the login ended.

use quaywatch_model::{At, Credential, Observation, Outcome, Session, Sink, Weakness};

use crate::claims::Claims;
use crate::detail::Detail;
use crate::login::{Ends, Secret};
use crate::tls::certificate;

use super::PROTOCOL;
use super::exchange::Exchange;
use super::names::token_kind;
use super::reader::Reader;

/// Longest user name that is kept, in characters.
const USER_LIMIT: usize = 256;

/// A user's login, without the secret.
#[derive(Debug)]
pub struct Login {
    /// Name of the kind of token.
    pub method: &'static str,
    /// Name of the user, subject of the certificate.
    pub user: String,
    /// What a look at a readable secret showed.
    secret: Option<Secret>,
    /// How the secret is encrypted within the token; empty if it is not.
    encryption: String,
}

impl Login {
    /// Reads an identity token. No token at all means an anonymous user.
    pub fn read(kind: u32, body: &[u8]) -> Option<Login> {
        let mut reader = Reader::new(body);
        let mut login = Login { method: token_kind(0), user: String::new(), secret: None, encryption: String::new() };
        match kind {
            // A null node id.
            0 => return Some(login),
            321 => {
                reader.text()?;
            }
            324 => {
                reader.text()?;
                let (user, password) = (reader.text()?, reader.bytes()?);
                login.method = token_kind(1);
                login.user = user.chars().filter(|c| !c.is_control()).take(USER_LIMIT).collect();
                login.encrypted_by(reader.text()?);
                login.secret = login.encryption.is_empty().then(|| Secret::examine(&login.user, password));
            }
            327 => {
                reader.text()?;
                login.method = token_kind(2);
                login.user = certificate::read(reader.bytes()?).map(|read| read.subject).unwrap_or_default();
            }
            940 => {
                reader.text()?;
                let token = reader.bytes()?;
                login.method = token_kind(3);
                login.encrypted_by(reader.text()?);
                login.secret = (login.encryption.is_empty() && !token.is_empty()).then_some(Secret::Readable);
            }
            _ => return None,
        }
        Some(login)
    }

    /// Keeps the name of an algorithm, which stands behind the mark of its URI.
    fn encrypted_by(&mut self, uri: &str) {
        let name = uri.rsplit_once('#').map_or(uri, |(_, name)| name);
        self.encryption = name.chars().filter(|c| !c.is_control()).take(64).collect();
    }

    /// Adds what is known to the detail of the operation.
    pub fn describe(&self, detail: &mut Detail) {
        detail.text("user_token", self.method).text("user", &self.user);
        if self.method == token_kind(1) {
            detail.text("password_encryption", if self.encryption.is_empty() { "none" } else { &self.encryption });
        }
    }

    /// Emits session and credentials.
    pub fn report(
        &self,
        exchange: &Exchange,
        at: At,
        outcome: Outcome,
        channel: &str,
        claims: &mut Claims,
        out: &mut dyn Sink,
    ) {
        let (client, server) = (exchange.client, exchange.server);
        claims.session(
            out,
            at,
            Session {
                client,
                server,
                protocol: PROTOCOL,
                version: "",
                user: &self.user,
                method: self.method,
                outcome,
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: channel,
            },
        );
        if let Some(secret) = self.secret.filter(|_| self.method == token_kind(1)) {
            return secret.report(claims, out, at, Ends { client, server, protocol: PROTOCOL }, &self.user, outcome);
        }
        let (weakness, rule) = match (self.method, outcome) {
            ("anonymous", Outcome::Success) => (Weakness::Anonymous, "anonymous session accepted"),
            ("anonymous", _) => return,
            ("issued token", _) if self.secret.is_some() => (Weakness::ClearText, "issued token sent unencrypted"),
            ("certificate", _) => (Weakness::None, "user certificate with signature"),
            _ => (Weakness::None, "secret encrypted within its token"),
        };
        let account = &self.user;
        claims.credential(out, at, Credential { client, server, protocol: PROTOCOL, account, weakness, rule });
    }
}

/// Emits the session of a channel whose messages are encrypted: its user cannot be seen.
pub fn encrypted(exchange: &Exchange, at: At, channel: &str, out: &mut dyn Sink) {
    out.emit(
        at,
        Observation::Session(Session {
            client: exchange.client,
            server: exchange.server,
            protocol: PROTOCOL,
            version: "",
            user: "",
            method: "",
            outcome: Outcome::Unknown,
            client_software: "",
            server_software: "",
            encrypted: true,
            detail: channel,
        }),
    );
}
