//! Follows the opening of one connection, then hands what is passed on to its own protocol.

use quaywatch_model::{
    At, Credential, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Service, Session, Sink,
    Transport, Weakness,
};
use quaywatch_wire::{Flow, Pdu};

use super::message::{self, Fault, Target};
use super::{META, names};
use crate::Analyzer;
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::login::{Ends, Secret, forget};
use crate::proxied::Proxied;

/// Bytes of a direction held while a message is not whole; what a client sends ahead of the reply counts too.
const MAX_HELD: usize = 64 * 1024;

/// What is awaited.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Step {
    #[default]
    Opening,
    Choice,
    Login,
    LoginStatus,
    Request,
    Reply,
    /// Of BIND: who connected.
    SecondReply,
    Inside,
    /// Nothing is read any more.
    Over(Mark),
}

/// The server said no; what follows is nothing.
const REFUSED: Step = Step::Over(Mark::Opaque("refused"));

impl Step {
    const fn awaits(self) -> Direction {
        match self {
            Step::Choice | Step::LoginStatus | Step::Reply | Step::SecondReply => Direction::FromServer,
            _ => Direction::FromClient,
        }
    }
}

/// A request waiting for its reply.
struct Ask {
    at: At,
    command: u8,
    object: String,
    server: Endpoint,
}

/// A login: the method, the account, and what a look at the secret showed.
#[derive(Default)]
struct Login {
    at: At,
    method: &'static str,
    user: String,
    secret: Option<Secret>,
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct SocksAnalyzer {
    client: Vec<u8>,
    server: Vec<u8>,
    step: Step,
    version: &'static str,
    ends: Option<Ends>,
    login: Option<Login>,
    ask: Option<Ask>,
    inside: Option<Box<Proxied>>,
    claims: Claims,
    facts: DetailJson,
    detail: DetailJson,
    line: String,
}

impl Analyzer for SocksAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(inside) = &mut self.inside {
            return inside.feed(pdu, out);
        }
        if let Step::Over(mark) = self.step {
            return out.mark(mark);
        }
        self.ends = Some(Ends { client: pdu.flow.client, server: pdu.flow.server, protocol: META.name });
        self.held(pdu.direction).extend_from_slice(pdu.data);
        while !matches!(self.step, Step::Inside | Step::Over(_)) && self.advance(pdu, out) {}
        let too_long = self.held(pdu.direction).len() > MAX_HELD;
        match self.step {
            Step::Inside => self.go_inside(pdu, out),
            Step::Over(_) => self.forget_held(),
            _ if too_long => self.broken("message without an end", pdu, out),
            _ => {}
        }
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        match &mut self.inside {
            Some(inside) => inside.gap(direction, missing, out),
            None => {
                self.settle(out);
                self.forget_held();
                self.step = Step::Over(Mark::Undecoded("socks after a gap"));
            }
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.settle(out);
        self.forget_held();
        if let Some(inside) = &mut self.inside {
            inside.close(out);
        }
    }
}

impl SocksAnalyzer {
    const fn held(&mut self, direction: Direction) -> &mut Vec<u8> {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    fn forget_held(&mut self) {
        forget(&mut self.client);
        forget(&mut self.server);
    }

    /// Takes the awaited message if it is whole.
    fn advance(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) -> bool {
        let direction = self.step.awaits();
        let mut held = std::mem::take(self.held(direction));
        let read = if held.is_empty() { Err(Fault::Short) } else { self.message(&held, pdu, out) };
        if let Ok(used) = read {
            // It may hold a password.
            held.iter_mut().take(used).for_each(|byte| *byte = 0);
            held.drain(..used.min(held.len()));
        }
        *self.held(direction) = held;
        if read == Err(Fault::Bad) {
            self.broken("message is not possible here", pdu, out);
        }
        read.is_ok()
    }

    fn broken(&mut self, reason: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        malformed(META.name, pdu, "socks_message_malformed", reason, out);
        self.settle(out);
        self.forget_held();
        self.step = Step::Over(Mark::Undecoded("socks after a malformed message"));
    }

    /// Reads the awaited message; says how many bytes it has.
    fn message(&mut self, bytes: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Result<usize, Fault> {
        match self.step {
            Step::Opening if bytes.first() == Some(&4) => {
                let (request, used) = message::request4(bytes)?;
                self.opening4(&request, pdu);
                Ok(used)
            }
            Step::Opening => {
                let (methods, used) = message::greeting(bytes)?;
                self.version = "5";
                let name = |code: &u8| names::method(*code).unwrap_or("private");
                self.facts.texts("offered_methods", methods.iter().map(name));
                self.login = Some(Login { at: pdu.at, ..Login::default() });
                self.step = Step::Choice;
                Ok(used)
            }
            Step::Choice => {
                let (method, used) = message::choice(bytes)?;
                self.chosen(method, pdu, out);
                Ok(used)
            }
            Step::Login => {
                let ((user, password), used) = message::login(bytes)?;
                let user = device_text(user).unwrap_or_default();
                let secret = Some(Secret::examine(&user, password));
                self.login = Some(Login { at: pdu.at, method: "password", user, secret });
                self.step = Step::LoginStatus;
                Ok(used)
            }
            Step::LoginStatus => {
                let (status, used) = message::login_status(bytes)?;
                self.end_login(if status == 0 { Outcome::Success } else { Outcome::Failure }, out);
                self.step = if status == 0 { Step::Request } else { REFUSED };
                Ok(used)
            }
            Step::Request => {
                let ((command, target), used) = message::request5(bytes)?;
                self.asks(command, &target, pdu.at);
                Ok(used)
            }
            Step::Reply | Step::SecondReply => self.reply(bytes, pdu, out),
            Step::Inside | Step::Over(_) => Err(Fault::Bad),
        }
    }

    fn opening4(&mut self, request: &message::Request4<'_>, pdu: &Pdu<'_>) {
        self.version = if request.extended { "4a" } else { "4" };
        let user = device_text(request.user).unwrap_or_default();
        let method = if user.is_empty() { "none" } else { "user id" };
        self.login = Some(Login { at: pdu.at, method, user, secret: None });
        self.asks(request.command, &request.target, pdu.at);
    }

    fn chosen(&mut self, method: u8, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let claim = Service {
            server: pdu.flow.server,
            transport: Transport::Tcp,
            protocol: META.name,
            software: "",
            version: self.version,
        };
        self.claims.service(out, pdu.at, claim);
        if let Some(login) = &mut self.login {
            login.method = names::method(method).unwrap_or(if method == 0xff { "" } else { "private" });
        }
        self.step = match method {
            0 => {
                self.end_login(Outcome::Success, out);
                Step::Request
            }
            2 => Step::Login,
            0xff => {
                self.end_login(Outcome::Failure, out);
                REFUSED
            }
            _ => {
                self.end_login(Outcome::Unknown, out);
                Step::Over(Mark::Opaque("authentication of its own"))
            }
        };
    }

    fn asks(&mut self, command: u8, target: &Target<'_>, at: At) {
        self.ask = Some(Ask { at, command, object: target.to_string(), server: target.endpoint() });
        self.step = Step::Reply;
    }

    fn reply(&mut self, bytes: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Result<usize, Fault> {
        let v4 = self.version != "5";
        let ((code, bound), used) = if v4 { message::reply4(bytes)? } else { message::reply5(bytes)? };
        let granted = code == if v4 { 90 } else { 0 };
        if v4 {
            if granted {
                let server = pdu.flow.server;
                let (protocol, version) = (META.name, self.version);
                let claim = Service { server, transport: Transport::Tcp, protocol, software: "", version };
                self.claims.service(out, pdu.at, claim);
            }
            self.end_login(if granted { Outcome::Success } else { Outcome::Failure }, out);
        }
        let name = if v4 { names::reply4(code) } else { names::reply(code) };
        let status = if granted { 0 } else { u32::from(code) };
        self.detail.clear();
        let told = if self.step == Step::SecondReply { "connected_from" } else { "bound" };
        self.detail.text(told, bound);
        let command = self.ask.as_ref().map_or(0, |ask| ask.command);
        self.operation(Some((status, name, pdu.at)), out);
        self.step = match (granted, command, self.step) {
            (false, ..) => REFUSED,
            (true, 2, Step::Reply) => Step::SecondReply,
            // Who connected is the client of what follows, but the proxy's user sent for it: told as it was asked.
            (true, 1 | 2, _) => Step::Inside,
            (true, 3, _) => Step::Over(Mark::Opaque("datagrams are relayed elsewhere")),
            _ => Step::Over(Mark::Opaque("answered")),
        };
        Ok(used)
    }

    /// Tells of the request at hand. It stays, as the second reply of BIND is about it too.
    fn operation(&mut self, reply: Option<(u32, &'static str, At)>, out: &mut dyn Sink) {
        let (Some(ask), Some(Ends { client, server, protocol })) = (&self.ask, self.ends) else { return };
        let row = Operation {
            protocol,
            client,
            server,
            unit: None,
            code: ask.command.into(),
            name: names::command(ask.command).unwrap_or_default(),
            class: OperationClass::Session,
            object: &ask.object,
            quantity: None,
            status: reply.map(|(status, ..)| status),
            status_name: reply.map_or("", |(_, name, _)| name),
            latency: reply.map(|(.., at)| at.ts.since(ask.at.ts)),
            request_frame: Some(ask.at.frame),
            reply_frame: reply.map(|(.., at)| at.frame),
            detail: self.detail.object(&mut self.line),
        };
        out.emit(ask.at, Observation::Operation(row));
    }

    fn end_login(&mut self, outcome: Outcome, out: &mut dyn Sink) {
        let (Some(login), Some(ends)) = (self.login.take(), self.ends) else { return };
        let Ends { client, server, protocol } = ends;
        let row = Session {
            client,
            server,
            protocol,
            version: self.version,
            user: &login.user,
            method: login.method,
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: self.facts.object(&mut self.line),
        };
        out.emit(login.at, Observation::Session(row));
        if let Some(secret) = login.secret {
            secret.report(&mut self.claims, out, login.at, ends, &login.user, outcome);
        } else if matches!(login.method, "none" | "user id") && outcome == Outcome::Success {
            let (account, weakness) = (login.user.as_str(), Weakness::Anonymous);
            let rule = "proxy passes on without a password";
            let row = Credential { client, server, protocol, account, weakness, rule };
            self.claims.credential(out, login.at, row);
        }
    }

    /// Nothing more is learned of what is under way.
    fn settle(&mut self, out: &mut dyn Sink) {
        if self.login.as_ref().is_some_and(|login| !login.method.is_empty() || self.step == Step::Choice) {
            self.end_login(Outcome::Unknown, out);
        }
        if self.step == Step::Reply {
            self.detail.clear();
            self.operation(None, out);
        }
    }

    /// The proxy has connected: what follows, and what was held behind the reply, is the inner stream.
    fn go_inside(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(ask) = &self.ask else { return };
        let mut inside = Box::new(Proxied::new(pdu.flow, ask.server, META.name));
        for direction in [Direction::FromClient, Direction::FromServer] {
            let held = std::mem::take(self.held(direction));
            if !held.is_empty() {
                inside.feed(&Pdu { direction, data: &held, ..*pdu }, out);
            }
        }
        self.inside = Some(inside);
    }
}
