//! Logins whose secret crosses the wire readable: the secret is looked at once, and only what is wrong with it is kept.

use quaywatch_model::{At, Credential, Endpoint, Outcome, Sink, Weakness};

use crate::claims::Claims;
use crate::default_credentials::is_factory_default;

/// Who logs in where.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The end that presents the credential.
    pub client: Endpoint,
    /// The end it is presented to.
    pub server: Endpoint,
    /// Protocol name as in the registry.
    pub protocol: &'static str,
}

/// What a look at a readable secret showed, and nothing of the secret itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secret {
    /// Readable; nothing else is wrong with it.
    Readable,
    /// It has no character.
    Empty,
    /// It is a published factory default for this account.
    Default,
    /// It equals the account name.
    SameAsAccount,
}

impl Secret {
    /// Looks at a secret. The gravest of its faults is told: empty, factory default, same as the account.
    #[must_use]
    pub fn examine(account: &str, secret: &[u8]) -> Self {
        if secret.is_empty() {
            Secret::Empty
        } else if is_factory_default(account, secret) {
            Secret::Default
        } else if secret.eq_ignore_ascii_case(account.as_bytes()) {
            Secret::SameAsAccount
        } else {
            Secret::Readable
        }
    }

    /// The weakness beyond being readable, with its rule in words.
    const fn fault(self) -> Option<(Weakness, &'static str)> {
        match self {
            Secret::Readable => None,
            Secret::Empty => Some((Weakness::Empty, "password is empty")),
            Secret::Default => Some((Weakness::Default, "password is a published factory default")),
            Secret::SameAsAccount => Some((Weakness::SameAsAccount, "password equals the account name")),
        }
    }

    /// Emits the credential rows of a login that ended so.
    ///
    /// That the secret was readable is true of every attempt. That it is empty, default or guessable is told only
    /// if it was not refused: a guess that failed says nothing of the account.
    pub fn report(self, claims: &mut Claims, out: &mut dyn Sink, at: At, ends: Ends, account: &str, outcome: Outcome) {
        let Ends { client, server, protocol } = ends;
        let mut row = |weakness, rule| {
            claims.credential(out, at, Credential { client, server, protocol, account, weakness, rule });
        };
        if self != Secret::Empty {
            row(Weakness::ClearText, "password sent unencrypted");
        }
        if outcome != Outcome::Failure
            && let Some((weakness, rule)) = self.fault()
        {
            row(weakness, rule);
        }
    }
}

/// Overwrites a buffer that held a secret, then empties it.
pub fn forget(secret: &mut Vec<u8>) {
    secret.fill(0);
    secret.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Recorder, flow};
    use quaywatch_model::Transport;

    #[test]
    fn the_gravest_fault_is_told() {
        assert_eq!(Secret::examine("admin", b""), Secret::Empty);
        assert_eq!(Secret::examine("admin", b"admin"), Secret::Default);
        assert_eq!(Secret::examine("crane7", b"Crane7"), Secret::SameAsAccount);
        assert_eq!(Secret::examine("crane7", b"correct horse"), Secret::Readable);
    }

    fn weaknesses(secret: Secret, outcome: Outcome) -> Vec<String> {
        let flow = flow(Transport::Tcp, 23);
        let ends = Ends { client: flow.client, server: flow.server, protocol: "telnet" };
        let mut out = Recorder::default();
        secret.report(&mut Claims::default(), &mut out, At::default(), ends, "admin", outcome);
        out.of("credential").iter().map(|row| row["weakness"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_refused_guess_is_no_default() {
        assert_eq!(weaknesses(Secret::Default, Outcome::Success), ["clear-text", "default"]);
        assert_eq!(weaknesses(Secret::Default, Outcome::Unknown), ["clear-text", "default"]);
        assert_eq!(weaknesses(Secret::Default, Outcome::Failure), ["clear-text"]);
        assert_eq!(weaknesses(Secret::Readable, Outcome::Success), ["clear-text"]);
        assert_eq!(weaknesses(Secret::Empty, Outcome::Failure), Vec::<String>::new());
    }
}
