//! Says each identity, name, service, session or credential once a flow, so that cyclic talk does not flood the tables.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{Address, At, Attribute, Credential, Identity, Name, Observation, Service, Session, Sink};

/// Claims remembered by one flow unless it asks for more; older ones are forgotten and would be said again.
const LIMIT: usize = 64;

/// Remembers, by hash, what a flow has said already.
#[derive(Debug)]
pub struct Claims {
    said: VecDeque<u64>,
    limit: usize,
}

impl Default for Claims {
    fn default() -> Self {
        Claims::with_limit(LIMIT)
    }
}

impl Claims {
    /// Remembers the last `limit` claims.
    #[must_use]
    pub const fn with_limit(limit: usize) -> Self {
        Claims { said: VecDeque::new(), limit }
    }

    /// Whether this is said for the first time; it is remembered.
    pub fn first(&mut self, claim: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        claim.hash(&mut hasher);
        let hash = hasher.finish();
        if self.said.contains(&hash) {
            return false;
        }
        if self.said.len() >= self.limit {
            self.said.pop_front();
        }
        self.said.push_back(hash);
        true
    }

    /// How many claims are remembered.
    #[must_use]
    pub fn held(&self) -> usize {
        self.said.len()
    }

    /// Emits an identity unless it was, is empty or speaks of nobody.
    pub fn identity(&mut self, out: &mut dyn Sink, at: At, claim: Identity<'_>) {
        let value = claim.value.trim();
        let speaks = !value.is_empty() && claim.subject.is_known();
        if speaks && self.first(("identity", claim.subject, claim.attribute, value, claim.method)) {
            out.emit(at, Observation::Identity(Identity { value, ..claim }));
        }
    }

    /// [`Claims::identity`] with its parts in order.
    pub fn identify(
        &mut self,
        out: &mut dyn Sink,
        at: At,
        subject: impl Into<Address>,
        (attribute, value, method): (Attribute, &str, &'static str),
    ) {
        self.identity(out, at, Identity { subject: subject.into(), attribute, value, method });
    }

    /// Emits a name unless it was or is empty.
    pub fn name(&mut self, out: &mut dyn Sink, at: At, claim: Name<'_>) {
        if !claim.name.is_empty() && self.first(("name", claim.subject, claim.name, claim.kind, claim.asker)) {
            out.emit(at, Observation::Name(claim));
        }
    }

    /// Emits a service unless it was.
    pub fn service(&mut self, out: &mut dyn Sink, at: At, claim: Service<'_>) {
        let Service { server, transport, protocol, software, version } = claim;
        if self.first(("service", server, transport, protocol, software, version)) {
            out.emit(at, Observation::Service(claim));
        }
    }

    /// Emits a session unless the same user with the same method and outcome was: HTTP repeats a login with every request.
    pub fn session(&mut self, out: &mut dyn Sink, at: At, claim: Session<'_>) {
        if self.first(("session", claim.client, claim.server, claim.user, claim.method, claim.outcome)) {
            out.emit(at, Observation::Session(claim));
        }
    }

    /// Emits a credential unless it was.
    pub fn credential(&mut self, out: &mut dyn Sink, at: At, claim: Credential<'_>) {
        if self.first(("credential", claim.client, claim.server, claim.account, claim.weakness, claim.rule)) {
            out.emit(at, Observation::Credential(claim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_first_once_and_memory_is_bounded() {
        for (mut claims, limit) in [(Claims::default(), LIMIT), (Claims::with_limit(3), 3)] {
            assert!(claims.first("a"));
            assert!(!claims.first("a"));
            for number in 0..1000 {
                claims.first(number);
            }
            assert_eq!(claims.held(), limit);
        }
    }
}
