//! Who speaks to whom in a flow, under which version, name and level: each becomes one `sessions` row.

use quaywatch_model::{At, Endpoint, Observation, Outcome, Session, Sink};

use crate::bytes::device_text;

/// Speakers kept per flow; further ones make no row.
const MAX_SESSIONS: usize = 32;

/// Under which version, name and level a message was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Speaker {
    version: &'static str,
    user: String,
    method: &'static str,
    is_encrypted: bool,
}

impl Speaker {
    /// Of a message with a community, by the version field.
    pub fn community(version: i64) -> Speaker {
        let version = if version == 0 { "v1" } else { "v2c" };
        Speaker { version, user: String::new(), method: "community", is_encrypted: false }
    }

    /// Of a message of version 3; the messages that find out a device's engine id have no user (RFC 3414 section 4).
    pub fn user(name: &[u8], flags: u8) -> Option<Speaker> {
        let (method, is_encrypted) = match flags & 3 {
            0 => ("usm noAuthNoPriv", false),
            1 => ("usm authNoPriv", false),
            _ => ("usm authPriv", true),
        };
        Some(Speaker { version: "v3", user: device_text(name)?, method, is_encrypted })
    }
}

/// The sessions of a flow.
#[derive(Default)]
pub(super) struct Sessions {
    known: Vec<Known>,
}

struct Known {
    speaker: Speaker,
    at: At,
    client: Endpoint,
    server: Endpoint,
    told: Option<Outcome>,
}

impl Sessions {
    /// The index of the speaker's session, made if there is none.
    pub fn find(&mut self, speaker: &Speaker, at: At, client: Endpoint, server: Endpoint) -> Option<usize> {
        let found = |known: &Known| known.speaker == *speaker && (known.client, known.server) == (client, server);
        if let Some(at) = self.known.iter().position(found) {
            return Some(at);
        }
        if self.known.len() >= MAX_SESSIONS {
            return None;
        }
        self.known.push(Known { speaker: speaker.clone(), at, client, server, told: None });
        Some(self.known.len() - 1)
    }

    /// The version a session speaks.
    pub fn version(&self, session: Option<usize>) -> &'static str {
        session.and_then(|session| self.known.get(session)).map_or("", |known| known.speaker.version)
    }

    /// The device answered.
    pub fn succeeded(&mut self, session: Option<usize>, at: At, out: &mut dyn Sink) {
        self.ended(session, Outcome::Success, at, out);
    }

    /// The device refused.
    pub fn failed(&mut self, session: Option<usize>, at: At, out: &mut dyn Sink) {
        self.ended(session, Outcome::Failure, at, out);
    }

    fn ended(&mut self, session: Option<usize>, outcome: Outcome, at: At, out: &mut dyn Sink) {
        let Some(known) = session.and_then(|session| self.known.get_mut(session)) else { return };
        if known.told != Some(outcome) {
            known.told = Some(outcome);
            known.emit(outcome, at, out);
        }
    }

    /// Tells of sessions that the capture shows no answer of.
    pub fn close(&mut self, out: &mut dyn Sink) {
        for known in self.known.drain(..).filter(|known| known.told.is_none()) {
            known.emit(Outcome::Unknown, known.at, out);
        }
    }
}

impl Known {
    fn emit(&self, outcome: Outcome, at: At, out: &mut dyn Sink) {
        let session = Session {
            client: self.client,
            server: self.server,
            protocol: "snmp",
            version: self.speaker.version,
            user: &self.speaker.user,
            method: self.speaker.method,
            outcome,
            client_software: "",
            server_software: "",
            encrypted: self.speaker.is_encrypted,
            detail: "",
        };
        out.emit(at, Observation::Session(session));
    }
}
