//! Associations: who connects to whom with what authentication, and what the two agree on (ISO 9506-2 section 8).

use quaywatch_model::{At, Credential, Outcome, Session, Sink, Weakness};

use crate::claims::Claims;
use crate::detail::Detail;
use crate::login::{Ends, Secret};

use super::PROTOCOL;
use super::ber::Element;
use super::exchange::Exchange;
use super::layers::{Acse, PASSWORD};
use super::names;

/// How a client shows who it is.
#[derive(Clone, Debug)]
pub struct Login {
    method: String,
    secret: Option<Secret>,
}

impl Login {
    /// Takes what an association request says; the secret is looked at, and not kept.
    #[must_use]
    pub fn new(acse: &Acse, secret: Option<&[u8]>) -> Self {
        let method = match acse.mechanism.as_str() {
            PASSWORD => "password",
            "" if acse.authenticates => "unnamed mechanism",
            "" => "none",
            other => other,
        };
        Login { method: method.to_owned(), secret: secret.map(|secret| Secret::examine("", secret)) }
    }

    /// Emits session and credential.
    pub fn report(&self, ask: &Exchange, at: At, outcome: Outcome, claims: &mut Claims, out: &mut dyn Sink) {
        let (client, server) = (ask.client, ask.server);
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: "",
            user: "",
            method: &self.method,
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        claims.session(out, at, session);
        if let Some(secret) = self.secret {
            return secret.report(claims, out, at, Ends { client, server, protocol: PROTOCOL }, "", outcome);
        }
        let (weakness, rule) = match (self.method.as_str(), outcome) {
            ("none", Outcome::Success) => (Weakness::Anonymous, "association accepted without authentication"),
            ("none", _) => return,
            _ => (Weakness::None, "association authenticated by a token"),
        };
        claims.credential(out, at, Credential { client, server, protocol: PROTOCOL, account: "", weakness, rule });
    }
}

/// Adds titles and mechanism to the detail of an association request.
pub fn describe(acse: &Acse, detail: &mut Detail) {
    let [called, called_qualifier, calling, calling_qualifier] = &acse.titles;
    detail.text("called_title", called).text("called_qualifier", called_qualifier);
    detail.text("calling_title", calling).text("calling_qualifier", calling_qualifier);
    detail.text("authentication", &acse.mechanism);
}

/// Reads an initiate request or response: sizes, limits, services supported.
pub fn initiate(pdu: Element<'_>, detail: &mut Detail) {
    let answer = pdu.first == 0xa9;
    for (first, asked, answered) in [
        (0x80, "max_pdu", "server_max_pdu"),
        (0x81, "max_calling", "server_max_calling"),
        (0x82, "max_called", "server_max_called"),
        (0x83, "nesting", "server_nesting"),
    ] {
        if let Some(number) = pdu.child(first).and_then(|field| field.unsigned()) {
            detail.number(if answer { answered } else { asked }, number.into());
        }
    }
    let Some(support) = pdu.child(0xa4).and_then(|init| init.child(0x82)) else { return };
    // Unused bits come first.
    let bits = support.content.get(1..).unwrap_or_default();
    let set = bits.iter().enumerate().flat_map(|(at, byte)| {
        let base = at.saturating_mul(8);
        (0..8usize).filter(move |bit| byte >> (7 - bit) & 1 == 1).map(move |bit| base.saturating_add(bit))
    });
    detail.list(if answer { "server_services" } else { "services" }, set.filter_map(names::supported));
}
