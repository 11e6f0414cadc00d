//! Says each identity, name, service, session or credential once a flow, so that cyclic talk does not flood the tables.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{At, Credential, Identity, Name, Observation, Service, Session, Sink};

/// Claims remembered by one flow; older ones are forgotten and would be said again.
const LIMIT: usize = 64;

/// Remembers, by hash, what a flow has said already.
#[derive(Default, Debug)]
pub struct Claims {
    said: VecDeque<u64>,
}

impl Claims {
    /// Whether this is said for the first time; it is remembered.
    pub fn first(&mut self, claim: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        claim.hash(&mut hasher);
        let hash = hasher.finish();
        if self.said.contains(&hash) {
            return false;
        }
        if self.said.len() >= LIMIT {
            self.said.pop_front();
        }
        self.said.push_back(hash);
        true
    }

    /// Emits an identity unless it was or is empty.
    pub fn identity(&mut self, out: &mut dyn Sink, at: At, claim: Identity<'_>) {
        let value = claim.value.trim();
        if !value.is_empty() && self.first(("identity", claim.subject, claim.attribute, value, claim.method)) {
            out.emit(at, Observation::Identity(Identity { value, ..claim }));
        }
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
        let mut claims = Claims::default();
        assert!(claims.first("a"));
        assert!(!claims.first("a"));
        for number in 0..1000 {
            claims.first(number);
        }
        assert_eq!(claims.said.len(), LIMIT);
    }
}
