//! Security tokens as SMB, LDAP, SQL Server and RPC carry them: SPNEGO (RFC 4178) with NTLMSSP or a Kerberos ticket inside.

use quaywatch_model::{At, Credential, Outcome, Session, Sink, Weakness};

use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::kerberos::message::Ticket;
use crate::login::{Ends, Secret};
use crate::ntlm::{self, Message, Scheme};

/// Object identifier 1.2.840.113554.1.2.2 and the AP-REQ token id behind it (RFC 4121 section 4.1).
const KERBEROS_AP_REQ: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00];

/// What a token holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// An NTLMSSP message.
    Ntlm(Message),
    /// A Kerberos ticket for the service.
    Kerberos(Ticket),
}

/// Reads a token: bare, or wrapped in SPNEGO. `None` if it holds neither NTLM nor a ticket.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Token> {
    if let Some(message) = ntlm::find(bytes).and_then(ntlm::parse) {
        return Some(Token::Ntlm(message));
    }
    if let Some(ticket) = Ticket::of_ap_req(bytes) {
        return Some(Token::Kerberos(ticket));
    }
    let at = bytes.windows(KERBEROS_AP_REQ.len()).position(|window| window == KERBEROS_AP_REQ)?;
    let request = bytes.get(at.saturating_add(KERBEROS_AP_REQ.len())..)?;
    Ticket::of_ap_req(request).map(Token::Kerberos)
}

impl Token {
    /// Adds what the token says to a detail: `ntlm_message`, account, host and target; or the ticket's service.
    pub fn describe(&self, detail: &mut DetailJson) {
        let mut text = |key: &str, value: &str| {
            if !value.is_empty() {
                detail.text(key, value);
            }
        };
        match self {
            Token::Ntlm(Message::Negotiate(m)) => {
                text("ntlm_workstation", &m.workstation);
                detail.number("ntlm_message", 1);
            }
            Token::Ntlm(Message::Challenge(m)) => {
                text("ntlm_target", &m.target);
                detail.number("ntlm_reply", 2);
            }
            Token::Ntlm(Message::Authenticate(m)) => {
                text("ntlm_domain", &m.domain);
                text("ntlm_user", &m.user);
                text("ntlm_workstation", &m.workstation);
                detail.number("ntlm_message", 3);
            }
            Token::Kerberos(ticket) => {
                text("ticket_service", &ticket.service);
                text("ticket_realm", &ticket.realm);
            }
        }
    }

    /// Emits what the sender says of itself.
    pub fn say(&self, claims: &mut Claims, out: &mut dyn Sink, at: At, sender: quaywatch_model::Address) {
        if let Token::Ntlm(message) = self {
            ntlm::say(message, claims, out, at, sender);
        }
    }

    /// The login that this token attempts, if it attempts one.
    #[must_use]
    pub fn login(&self) -> Option<Login> {
        match self {
            Token::Ntlm(Message::Authenticate(message)) => Some(Login {
                method: message.scheme.method(),
                account: if message.user.is_empty() { String::new() } else { message.account() },
                proof: match message.scheme {
                    Scheme::Anonymous => Proof::Anonymous,
                    scheme if scheme.is_weak() => Proof::Weak("NTLM version 1 or LAN Manager response"),
                    _ => Proof::Sound("NTLM version 2 response"),
                },
            }),
            Token::Kerberos(ticket) => Some(Login {
                method: "kerberos",
                account: String::new(),
                // RFC 8429: DES and RC4 are broken.
                proof: match ticket.encryption {
                    Some(1..=3 | 23 | 24) => Proof::Weak("Kerberos ticket encrypted with RC4 or DES"),
                    _ => Proof::Sound("Kerberos ticket"),
                },
            }),
            Token::Ntlm(_) => None,
        }
    }
}

/// How good the proof of a login is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// None is given.
    Anonymous,
    /// A secret that crossed the wire readable.
    Readable(Secret),
    /// Broken today, and why.
    Weak(&'static str),
    /// Keeps the secret; which.
    Sound(&'static str),
}

/// One login attempted, waiting for its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// Method named in session rows.
    pub method: &'static str,
    /// The account; empty if it is sealed in a ticket or there is none.
    pub account: String,
    /// How it is proven.
    pub proof: Proof,
}

/// What else is known of the session.
#[derive(Clone, Copy, Default, Debug)]
pub struct Around<'a> {
    /// Protocol version.
    pub version: &'a str,
    /// Client software.
    pub client_software: &'a str,
    /// Server software.
    pub server_software: &'a str,
    /// Whether what follows is encrypted.
    pub encrypted: bool,
    /// Further facts as a JSON object.
    pub detail: &'a str,
}

impl Login {
    /// Emits the session and credential rows of this login.
    pub fn report(
        &self,
        claims: &mut Claims,
        out: &mut dyn Sink,
        at: At,
        ends: Ends,
        outcome: Outcome,
        around: Around<'_>,
    ) {
        let Ends { client, server, protocol } = ends;
        let Around { version, client_software, server_software, encrypted, detail } = around;
        let session = Session {
            client,
            server,
            protocol,
            version,
            user: &self.account,
            method: self.method,
            outcome,
            client_software,
            server_software,
            encrypted,
            detail,
        };
        claims.session(out, at, session);
        let (weakness, rule) = match self.proof {
            Proof::Anonymous if outcome == Outcome::Success => (Weakness::Anonymous, "anonymous session accepted"),
            Proof::Anonymous => return,
            Proof::Readable(secret) => return secret.report(claims, out, at, ends, &self.account, outcome),
            Proof::Weak(rule) => (Weakness::WeakScheme, rule),
            Proof::Sound(_) if self.account.is_empty() => return,
            Proof::Sound(rule) => (Weakness::None, rule),
        };
        claims.credential(out, at, Credential { client, server, protocol, account: &self.account, weakness, rule });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn a_bare_or_wrapped_ticket_is_found() {
        let mut inner = Vec::new();
        // Ticket: version, realm, service, sealed part of type 23.
        let mut ticket = hex("a003020105 a1031b0150 a213 3011 a003020102 a10a 3008 1b04 63696673 1b00");
        ticket.extend(hex("a3073005a003020117"));
        let wrap = |tag: u8, content: &[u8]| {
            let mut bytes = vec![tag, u8::try_from(content.len()).unwrap()];
            bytes.extend_from_slice(content);
            bytes
        };
        inner.extend(hex("a003020105 a10302010e"));
        inner.extend(wrap(0xa3, &wrap(0x61, &wrap(0x30, &ticket))));
        let request = wrap(0x6e, &wrap(0x30, &inner));
        let mut wrapped = hex("6082 0100 06062b0601050502 a08200f0");
        wrapped.extend_from_slice(KERBEROS_AP_REQ);
        wrapped.extend_from_slice(&request);
        for bytes in [&request, &wrapped] {
            let Some(Token::Kerberos(ticket)) = read(bytes) else { panic!("a ticket") };
            assert_eq!((ticket.realm.as_str(), ticket.service.as_str()), ("P", "cifs/"));
            let login = Token::Kerberos(ticket).login().unwrap();
            assert_eq!(login.proof, Proof::Weak("Kerberos ticket encrypted with RC4 or DES"));
            for end in 0..bytes.len() {
                let _ = read(&bytes[..end]);
            }
        }
    }
}
