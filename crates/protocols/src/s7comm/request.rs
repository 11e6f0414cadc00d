//! A request while it waits for its answer, and the row that the two become.

use quaywatch_model::{
    At, Attribute, Credential, Endpoint, Identity, Observation, Operation, OperationClass, Outcome, Session, Sink,
    Timestamp, Weakness,
};

use crate::cotp::Message;
use crate::detail_json::DetailJson;

/// Identity values remembered per flow, so that each is told once.
pub const CLAIM_LIMIT: usize = 64;

/// How a password crossed the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Secret {
    /// What the session row calls it.
    pub method: &'static str,
}

/// A request with all that it said.
#[derive(Clone, Debug)]
pub struct Request {
    /// Place of the request; of the answer where the request was not seen.
    pub at: At,
    /// Whether the request was seen.
    pub asked: bool,
    /// Who drives the operation.
    pub client: Endpoint,
    /// The device.
    pub server: Endpoint,
    /// Rack and slot.
    pub unit: Option<u32>,
    /// Function code.
    pub code: u32,
    /// Name of the function.
    pub name: &'static str,
    /// What it does.
    pub class: OperationClass,
    /// What it is done to.
    pub object: String,
    /// Elements, blocks or bytes.
    pub quantity: Option<u64>,
    /// Items in a read or write.
    pub items: u32,
    /// Number of an upload.
    pub upload: u32,
    /// A password was handed over.
    pub secret: Option<Secret>,
    /// Further facts.
    pub detail: DetailJson,
}

/// What the answer said.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Place of the answer.
    pub at: At,
    /// Status; 0 for success.
    pub status: u32,
    /// Its name.
    pub name: &'static str,
}

impl Request {
    /// Begins a record of `message`, reusing the strings of `spare`.
    #[must_use]
    pub fn begin(spare: Option<Request>, message: &Message<'_>, asked: bool) -> Request {
        let (mut object, mut detail) = spare.map_or_else(Default::default, |old| (old.object, old.detail));
        object.clear();
        detail.clear();
        let (client, server) =
            if asked { (message.sender, message.receiver) } else { (message.receiver, message.sender) };
        Request {
            at: message.at,
            asked,
            client,
            server,
            unit: message.unit,
            code: 0,
            name: "",
            class: OperationClass::Diagnose,
            object,
            quantity: None,
            items: 0,
            upload: 0,
            secret: None,
            detail,
        }
    }

    /// Emits the operation, and the login if it was one.
    pub fn tell(&self, answer: Option<Answer>, line: &mut String, out: &mut dyn Sink) {
        let at = answer.map_or(self.at, |answer| answer.at);
        if let Some(secret) = self.secret {
            self.tell_login(secret, answer, at, out);
        }
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: super::PROTOCOL,
                client: self.client,
                server: self.server,
                unit: self.unit,
                code: self.code,
                name: self.name,
                class: self.class,
                object: &self.object,
                quantity: self.quantity,
                status: answer.map(|answer| answer.status),
                status_name: answer.map_or("", |answer| answer.name),
                latency: answer.filter(|_| self.asked).map(|answer| Timestamp::since(answer.at.ts, self.at.ts)),
                request_frame: self.asked.then_some(self.at.frame),
                reply_frame: answer.map(|answer| answer.at.frame),
                detail: self.detail.object(line),
            }),
        );
    }

    fn tell_login(&self, secret: Secret, answer: Option<Answer>, at: At, out: &mut dyn Sink) {
        let outcome = match answer {
            Some(Answer { status: 0, .. }) => Outcome::Success,
            Some(_) => Outcome::Failure,
            None => Outcome::Unknown,
        };
        out.emit(
            at,
            Observation::Session(Session {
                client: self.client,
                server: self.server,
                protocol: super::PROTOCOL,
                version: "",
                user: "",
                method: secret.method,
                outcome,
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: "",
            }),
        );
    }

    /// Emits what was wrong with a password.
    pub fn tell_weakness(&self, weakness: Weakness, rule: &'static str, out: &mut dyn Sink) {
        out.emit(
            self.at,
            Observation::Credential(Credential {
                client: self.client,
                server: self.server,
                protocol: super::PROTOCOL,
                account: "",
                weakness,
                rule,
            }),
        );
    }
}

/// Tells each identity claim of a flow once; the operating state whenever it changed.
#[derive(Default, Debug)]
pub struct Claims {
    told: Vec<(Attribute, String)>,
    state: String,
}

impl Claims {
    /// Emits a claim about `subject` unless it was told before.
    pub fn tell(&mut self, subject: Endpoint, claim: (Attribute, &str, &'static str), at: At, out: &mut dyn Sink) {
        let (attribute, value, method) = claim;
        let known = match attribute {
            Attribute::State => self.state == value,
            _ => self.told.iter().any(|(known, text)| *known == attribute && text == value),
        };
        if known || !subject.address.is_known() {
            return;
        }
        if attribute == Attribute::State {
            self.state.clear();
            self.state.push_str(value);
        } else {
            if self.told.len() >= CLAIM_LIMIT {
                self.told.remove(0);
            }
            self.told.push((attribute, value.to_owned()));
        }
        out.emit(at, Observation::Identity(Identity { subject: subject.address, attribute, value, method }));
    }
}
