//! Requests with their answers, and what is remembered of a flow.

use std::collections::HashSet;

use quaywatch_model::{
    At, Attribute, Credential, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Service, Sink,
    Transport, Weakness,
};
use quaywatch_wire::Pdu;

use super::names::{
    self, CAPABILITIES, CONFIGURATION, CUSTOM, ERROR, KEEPALIVE, KEEPALIVE_ACK, NOTIFICATION, REPORT, Role,
};
use super::requests::{self, Message};
use super::{CLAIMS_LIMIT, PROTOCOL, WAITING_LIMIT, reports};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::pairing::Pairing;

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Ask {
    at: At,
    kind: u16,
    answer: u16,
    client: Endpoint,
    server: Endpoint,
    object: String,
    detail: DetailJson,
}

pub(super) struct Talk {
    /// By who asks and the message's identifier.
    pub(super) waiting: Pairing<(Direction, u32), Ask>,
    /// Which direction the reader sends in, once a message showed it.
    pub(super) reader: Option<Direction>,
    pub(super) claims: Claims,
    /// Hashes of tags, each with its antenna, that were told.
    pub(super) tags: HashSet<u64>,
    pub(super) counts: Counts,
    /// Skew of the reader's clock told last.
    pub(super) clock: Option<i64>,
    pub(super) list: Vec<u16>,
    pub(super) detail: DetailJson,
    pub(super) line: String,
    pub(super) object: String,
}

/// Steady work of a reader: told at first sight, and as numbers when the flow ends.
#[derive(Default, Debug)]
pub(super) struct Counts {
    pub(super) reports: u32,
    pub(super) reads: u64,
    /// Tags that came when the memory for them was used up.
    pub(super) untold: u64,
    pub(super) keepalives: u32,
    pub(super) keepalives_answered: u32,
    /// By parameter type: how many notices of the routine kinds.
    pub(super) notices: Vec<(u16, u32)>,
    pub(super) last: Option<(At, Endpoint, Endpoint)>,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            reader: None,
            claims: Claims::with_limit(CLAIMS_LIMIT),
            tags: HashSet::new(),
            counts: Counts::default(),
            clock: None,
            list: Vec::new(),
            detail: DetailJson::default(),
            line: String::new(),
            object: String::new(),
        }
    }
}

/// A row to be.
pub(super) struct Row<'a> {
    pub(super) at: At,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) code: u32,
    pub(super) name: &'a str,
    pub(super) class: OperationClass,
    pub(super) object: &'a str,
    pub(super) quantity: Option<u64>,
    pub(super) status: Option<(u32, &'a str)>,
    pub(super) request: Option<At>,
    pub(super) reply: Option<At>,
    pub(super) detail: &'a str,
}

impl Row<'_> {
    pub(super) fn emit(self, out: &mut dyn Sink) {
        let operation = Operation {
            protocol: PROTOCOL,
            client: self.client,
            server: self.server,
            unit: None,
            code: self.code,
            name: self.name,
            class: self.class,
            object: self.object,
            quantity: self.quantity,
            status: self.status.map(|(code, _)| code),
            status_name: self.status.map_or("", |(_, name)| name),
            latency: self.request.zip(self.reply).map(|(request, reply)| reply.ts.since(request.ts)),
            request_frame: self.request.map(|at| at.frame),
            reply_frame: self.reply.map(|at| at.frame),
            detail: self.detail,
        };
        out.emit(self.at, Observation::Operation(operation));
    }
}

pub(super) fn name_of(kind: u16) -> (&'static str, OperationClass) {
    names::message_of(kind).map_or(("unknown message", OperationClass::Diagnose), |known| (known.name, known.class))
}

impl Talk {
    /// Client and reader of a message.
    fn ends(&mut self, pdu: &Pdu<'_>, role: Role) -> (Endpoint, Endpoint) {
        let reader = match role {
            Role::Answer | Role::ReaderAsks(_) | Role::ReaderTells => Some(pdu.direction),
            Role::Ask(_) | Role::Tell | Role::ClientAnswers => Some(pdu.direction.reverse()),
            Role::Custom => None,
        };
        let reader = *self.reader.get_or_insert(reader.unwrap_or(Direction::FromServer));
        (pdu.flow.receiver(reader), pdu.flow.sender(reader))
    }

    pub(super) fn message(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(message) = Message::read(bytes) else { return };
        if !matches!(message.version, 1 | 2) {
            malformed(PROTOCOL, pdu, "llrp_version", "version is neither 1.0.1 nor 1.1", out);
        }
        let Some(known) = names::message_of(message.kind) else {
            return out.mark(Mark::Undecoded("message type not known"));
        };
        if !message.is_sound() {
            malformed(PROTOCOL, pdu, "llrp_parameter", "a field or parameter does not fit its message", out);
        }
        let (client, server) = self.ends(pdu, known.role);
        if self.counts.last.replace((pdu.at, client, server)).is_none() {
            let claim = (Attribute::Capability, "RFID reader", "llrp");
            self.claims.identify(out, pdu.at, server.address, claim);
        }
        let version = requests::version(message.version);
        let service = Service { server, transport: Transport::Tcp, protocol: PROTOCOL, software: "", version };
        self.claims.service(out, pdu.at, service);
        match known.role {
            _ if message.kind == REPORT => self.report(pdu, &message, (client, server), out),
            _ if message.kind == NOTIFICATION => self.notification(pdu, &message, (client, server), out),
            Role::Ask(answer) | Role::ReaderAsks(answer) => self.ask(pdu, &message, answer, (client, server), out),
            Role::Answer | Role::ClientAnswers => self.answer(pdu, &message, (client, server), out),
            Role::Tell | Role::ReaderTells => {
                let ask = self.asking(pdu, &message, 0, (client, server));
                self.tell(Some(&ask), None, (client, server), out);
            }
            Role::Custom => self.custom(pdu, &message, (client, server), out),
        }
    }

    /// What is kept of a request.
    fn asking(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, answer: u16, ends: (Endpoint, Endpoint)) -> Ask {
        let mut ask = Ask {
            at: pdu.at,
            kind: message.kind,
            answer,
            client: ends.0,
            server: ends.1,
            object: String::new(),
            detail: DetailJson::default(),
        };
        requests::object(message, &mut ask.object);
        self.header(message, &mut ask.detail);
        requests::describe(message, &mut ask.detail);
        // What was readable is told; that the rest is not was said.
        let _ = requests::parameter_names(message, &mut self.list);
        requests::show_names(&mut ask.detail, "parameters", &self.list);
        ask
    }

    pub(super) fn header(&self, message: &Message<'_>, detail: &mut DetailJson) {
        detail.text("version", requests::version(message.version));
        detail.number("message_id", message.id);
        detail.number("length", message.length);
    }

    fn ask(
        &mut self,
        pdu: &Pdu<'_>,
        message: &Message<'_>,
        answer: u16,
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        requests::passwords(message, &mut |rule| {
            let (client, server) = ends;
            let credential =
                Credential { client, server, protocol: PROTOCOL, account: "", weakness: Weakness::ClearText, rule };
            self.claims.credential(out, pdu.at, credential);
        });
        let ask = self.asking(pdu, message, answer, ends);
        if let Some(lost) = self.waiting.ask((pdu.direction, message.id), ask) {
            self.unanswered(&lost, out);
        }
    }

    fn answer(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, ends: (Endpoint, Endpoint), out: &mut dyn Sink) {
        let key = (pdu.direction.reverse(), message.id);
        let fits = |ask: &Ask| ask.answer == message.kind || message.kind == ERROR;
        let ask = self.waiting.answer_where(&key, fits);
        if message.kind == KEEPALIVE_ACK {
            return self.keepalive(pdu, ask.as_ref(), ends, out);
        }
        if matches!(message.kind, CAPABILITIES | CONFIGURATION) {
            self.identify(pdu, message, ends.1, out);
        }
        if message.kind == 4 {
            self.session_end(pdu, message, ends, out);
        }
        self.tell(ask.as_ref(), Some((pdu, message)), ends, out);
    }

    fn keepalive(&mut self, pdu: &Pdu<'_>, ask: Option<&Ask>, ends: (Endpoint, Endpoint), out: &mut dyn Sink) {
        self.counts.keepalives += u32::from(ask.is_some());
        self.counts.keepalives_answered += 1;
        if self.claims.first("keepalive") {
            let detail = ask.map_or("", |ask| ask.detail.object(&mut self.line));
            let (name, class) = name_of(KEEPALIVE);
            Row {
                at: pdu.at,
                client: ends.0,
                server: ends.1,
                code: KEEPALIVE.into(),
                name,
                class,
                object: "",
                quantity: None,
                status: Some((0, "")),
                request: ask.map(|ask| ask.at),
                reply: Some(pdu.at),
                detail,
            }
            .emit(out);
        }
    }

    /// Both sides may send a maker's own message: the second of an identifier answers the first.
    fn custom(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, ends: (Endpoint, Endpoint), out: &mut dyn Sink) {
        let key = (pdu.direction.reverse(), message.id);
        match self.waiting.answer_where(&key, |ask| ask.kind == CUSTOM) {
            Some(ask) => self.tell(Some(&ask), Some((pdu, message)), ends, out),
            None => self.ask(pdu, message, CUSTOM, ends, out),
        }
        out.mark(Mark::Undecoded("custom message"));
    }

    fn identify(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, reader: Endpoint, out: &mut dyn Sink) {
        let Talk { claims, .. } = self;
        reports::identity(message, &mut |attribute, value, method| {
            claims.identify(out, pdu.at, reader.address, (attribute, value, method));
        });
    }

    fn tell(
        &mut self,
        ask: Option<&Ask>,
        reply: Option<(&Pdu<'_>, &Message<'_>)>,
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let Some(at) = reply.map(|(pdu, _)| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let code = ask.map(|ask| ask.kind).or(reply.map(|(_, message)| message.kind)).unwrap_or(0);
        let (client, server) = ask.map_or(ends, |ask| (ask.client, ask.server));
        self.detail.clear();
        if let Some(ask) = ask {
            self.detail.clone_from(&ask.detail);
        }
        if let Some((_, message)) = reply {
            self.describe_reply(ask.map(|ask| ask.answer), message);
        }
        let status = reply.and_then(|(_, message)| message.status()).map(|(code, _)| (code, names::status(code)));
        // An answer that has no place for a status was given.
        let status = status.or(reply.map(|_| (0, "")));
        let (name, class) = name_of(code);
        Row {
            at,
            client,
            server,
            code: code.into(),
            name,
            class,
            object: ask.map_or("", |ask| &ask.object),
            quantity: None,
            status,
            request: ask.map(|ask| ask.at),
            reply: reply.map(|(pdu, _)| pdu.at),
            detail: self.detail.object(&mut self.line),
        }
        .emit(out);
    }

    fn describe_reply(&mut self, expected: Option<u16>, message: &Message<'_>) {
        let (name, _) = name_of(message.kind);
        if expected.is_some_and(|expected| expected != message.kind) {
            self.detail.text("reply", name);
        }
        self.detail.text("reply_version", requests::version(message.version));
        self.detail.number("reply_id", message.id);
        self.detail.number("reply_length", message.length);
        requests::describe_answer(message, &mut self.detail);
        let _ = requests::parameter_names(message, &mut self.list);
        requests::show_names(&mut self.detail, "reply_parameters", &self.list);
    }

    fn unanswered(&mut self, ask: &Ask, out: &mut dyn Sink) {
        if ask.kind == KEEPALIVE {
            self.counts.keepalives += 1;
            if !self.claims.first("keepalive without answer") {
                return;
            }
        }
        self.tell(Some(ask), None, (ask.client, ask.server), out);
    }

    pub(super) fn give_up(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.unanswered(&ask, out);
        }
    }
}
