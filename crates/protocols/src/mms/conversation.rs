//! The MMS of one transport connection: PDUs to exchanges.

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, OperationClass, Outcome, Sink, Transfer, Weird};
use quaywatch_wire::Flow;

use crate::claims::Claims;
use crate::cotp::{Message, Upper};
use crate::pairing::Pairing;

use super::PROTOCOL;
use super::association::{self, Login};
use super::ber::{DEPTH_LIMIT, Element, Elements};
use super::exchange::{Exchange, Step};
use super::layers::{self, Apdu, Spdu};
use super::names;
use super::request;
use super::response::{self, SUCCESS};
use super::transfer::{Begun, Key, Transfers};

/// Requests that may wait for their responses; peers agree on 1 to some dozens in initiate.
const WAITING_LIMIT: usize = 256;
/// Claims remembered of one connection.
const CLAIMS_LIMIT: usize = 128;

/// Tags of PDUs that are no service's.
const INITIATE: u32 = 0xa8;
const CONCLUDE: u32 = 0x8b;
const CANCEL: u32 = 0x85;
const REJECT: u32 = 0xa4;
/// Added to the code of a session PDU to keep it apart from MMS tags.
const SESSION: u32 = 0x100;

/// What a request is waited for by: the end that answers, and the invoke id or one of the PDUs above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Waits {
    answers: Direction,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Invoke(u32),
    Initiate,
    Conclude,
    Cancel(u32),
}

/// Reads one connection.
pub struct Conversation {
    waiting: Pairing<Waits, Exchange>,
    spare: Vec<Exchange>,
    claims: Claims,
    transfers: Transfers,
    /// The end that asked for the association.
    initiator: Option<Endpoint>,
    login: Option<Login>,
    /// An association request whose user information is being read.
    associating: Option<Exchange>,
}

impl Default for Conversation {
    fn default() -> Self {
        Conversation {
            waiting: Pairing::new(WAITING_LIMIT),
            spare: Vec::new(),
            claims: Claims::with_limit(CLAIMS_LIMIT),
            transfers: Transfers::default(),
            initiator: None,
            login: None,
            associating: None,
        }
    }
}

impl Upper for Conversation {
    fn message(&mut self, message: &Message<'_>, out: &mut dyn Sink) {
        let read = match message.data.first() {
            // MMS straight on the transport layer: all its tags lie above the codes of session PDUs.
            Some(0x80..) => self.values(message.data, message, out),
            _ => match layers::session(message.data) {
                Some(spdu) => self.session(spdu, message, out),
                None => None,
            },
        };
        if read.is_none() {
            broken(
                "mms_malformed_session",
                "session or presentation PDU cut short or of a kind not used here",
                message,
                out,
            );
        }
    }

    fn gap(&mut self, _direction: Direction, _out: &mut dyn Sink) {
        self.transfers.gap();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let left: Vec<Exchange> = self.waiting.drain().collect();
        for exchange in left {
            self.unanswered(exchange, out);
        }
        self.transfers.close(out);
    }
}

fn broken(name: &'static str, why: &'static str, message: &Message<'_>, out: &mut dyn Sink) {
    out.mark(Mark::Malformed(why));
    let (sender, receiver) = (message.sender, message.receiver);
    out.emit(message.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: why, sender, receiver }));
}

impl Conversation {
    /// A fresh exchange, its allocations used again.
    fn exchange(&mut self, message: &Message<'_>, asks: bool) -> Exchange {
        let mut exchange = self.spare.pop().unwrap_or_default();
        let (client, server) =
            if asks { (message.sender, message.receiver) } else { (message.receiver, message.sender) };
        exchange.begin(message.at, client, server, asks);
        exchange
    }

    fn done(&mut self, exchange: Exchange) {
        if self.spare.len() < WAITING_LIMIT {
            self.spare.push(exchange);
        }
    }

    fn ask(&mut self, message: &Message<'_>, what: What, exchange: Exchange, out: &mut dyn Sink) {
        let waits = Waits { answers: message.direction.reverse(), what };
        if let Some(oldest) = self.waiting.ask(waits, exchange) {
            self.unanswered(oldest, out);
        }
    }

    fn answered(&mut self, message: &Message<'_>, what: What) -> Option<Exchange> {
        self.waiting.answer(&Waits { answers: message.direction, what })
    }

    fn unanswered(&mut self, mut exchange: Exchange, out: &mut dyn Sink) {
        self.miss(&exchange);
        exchange.emit(None, out);
        if exchange.code == names::PDU | INITIATE
            && let Some(login) = self.login.take()
        {
            login.report(&exchange, exchange.at, Outcome::Unknown, &mut self.claims, out);
        }
        self.done(exchange);
    }

    /// Emits something that has no answer.
    fn tell(
        &mut self,
        message: &Message<'_>,
        code: u32,
        name: &'static str,
        status: Option<(u32, &str)>,
        out: &mut dyn Sink,
    ) {
        let mut exchange = self.exchange(message, true);
        exchange.of(code, (name, OperationClass::Session));
        exchange.emit(status.map(|(status, name)| (message.at, status, name)), out);
        self.done(exchange);
    }

    fn session(&mut self, spdu: Spdu<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        match spdu {
            Spdu::Other => Some(()),
            Spdu::Data(user) | Spdu::Connect(user) | Spdu::Accept(user) => self.presentation(user, message, out),
            Spdu::Refuse(user) => {
                let _ = self.presentation(user, message, out);
                if let Some(exchange) = self.answered(message, What::Initiate) {
                    self.initiated(exchange, message, (names::REJECTED, "session refused"), out);
                }
                Some(())
            }
            Spdu::Finish(_) => {
                self.tell(message, names::PDU | SESSION | 9, "release", None, out);
                Some(())
            }
            Spdu::Disconnect(_) => Some(()),
            Spdu::Abort(_) => {
                self.tell(message, names::PDU | SESSION | 25, "abort", None, out);
                Some(())
            }
        }
    }

    fn presentation(&mut self, user: &[u8], message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut sound = Some(());
        layers::presentation(user, &mut |value| {
            let read = match value.first() {
                Some(0x60..=0x64) => self.association(value, message, out),
                _ => self.values(value, message, out),
            };
            sound = sound.and(read);
        })?;
        sound
    }

    /// ACSE: it wraps initiate, its answer, or nothing of MMS.
    fn association(&mut self, value: &[u8], message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let Apdu { acse, secret, user } = layers::acse(value)?;
        match acse.kind {
            0x60 => {
                self.login = Some(Login::new(&acse, secret));
                let mut exchange = self.exchange(message, true);
                exchange.object.push_str(acse.titles.first().map_or("", String::as_str));
                association::describe(&acse, &mut exchange.detail);
                self.associating = Some(exchange);
                let read = user.map_or(Some(()), |user| self.values(user, message, out));
                if let Some(exchange) = self.associating.take() {
                    // Without an initiate request in it.
                    self.done(exchange);
                }
                read
            }
            0x61 => {
                let read = user.map_or(Some(()), |user| self.values(user, message, out));
                if let (Some(result @ 1..), Some(exchange)) = (acse.result, self.answered(message, What::Initiate)) {
                    let name = if result == 1 { "rejected permanently" } else { "rejected transiently" };
                    let status = names::REJECTED | result << 8 | acse.diagnostic.unwrap_or(0) & 0xff;
                    self.initiated(exchange, message, (status, name), out);
                }
                read
            }
            0x64 => {
                self.tell(message, names::PDU | 0x64, "abort", None, out);
                Some(())
            }
            _ => Some(()),
        }
    }

    /// MMS PDUs one behind the other; as a rule there is one.
    fn values(&mut self, bytes: &[u8], message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut pdus = Elements::new(bytes);
        let first = pdus.next()?;
        for pdu in std::iter::once(first).chain(pdus) {
            if !pdu.is_sound(DEPTH_LIMIT) {
                broken("mms_malformed_pdu", "element longer than what holds it, or nested too deep", message, out);
            }
            if self.pdu(pdu, message, out).is_none() {
                broken("mms_malformed_pdu", "part that must be there is missing", message, out);
            }
        }
        Some(())
    }

    fn pdu(&mut self, pdu: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        match pdu.first {
            0xa0 => self.request(pdu, message, out)?,
            0xa1 => self.response(pdu, message, out)?,
            0xa2 => self.error(pdu, message, out)?,
            0xa3 => self.unconfirmed(pdu, message, out)?,
            0xa4 => self.reject(pdu, message, out)?,
            0x85 => {
                let mut exchange = self.exchange(message, true);
                exchange.of(names::PDU | CANCEL, ("cancel", OperationClass::Control));
                let invoke = pdu.unsigned()?;
                exchange.detail.number("invoke_id", invoke.into());
                self.ask(message, What::Cancel(invoke), exchange, out);
            }
            0x86 | 0xa7 => {
                let invoke = if pdu.first == 0x86 { pdu } else { pdu.child(0x80)? };
                let waited = self.answered(message, What::Cancel(invoke.unsigned()?));
                self.simple(waited, pdu, message, CANCEL, "cancel", out);
            }
            0xa8 => self.initiate(pdu, message, out),
            0xa9 | 0xaa => {
                let waited = self.answered(message, What::Initiate);
                let mut exchange = waited.unwrap_or_else(|| {
                    let mut exchange = self.exchange(message, false);
                    exchange.of(names::PDU | INITIATE, ("initiate", OperationClass::Session));
                    exchange
                });
                let outcome = if pdu.first == 0xa9 { SUCCESS } else { service_error(pdu, &mut exchange) };
                association::initiate(pdu, &mut exchange.detail);
                self.initiated(exchange, message, outcome, out);
            }
            0x8b | 0xab => {
                let mut exchange = self.exchange(message, true);
                exchange.of(names::PDU | CONCLUDE, ("conclude", OperationClass::Session));
                self.ask(message, What::Conclude, exchange, out);
            }
            0x8c | 0xac | 0xad => {
                let waited = self.answered(message, What::Conclude);
                self.simple(waited, pdu, message, CONCLUDE, "conclude", out);
            }
            _ => {
                out.mark(Mark::Undecoded("mms pdu not known"));
            }
        }
        Some(())
    }

    /// The answer to a PDU that is no service's: all is said by its kind, or by a service error in it.
    fn simple(
        &mut self,
        waited: Option<Exchange>,
        pdu: Element<'_>,
        message: &Message<'_>,
        code: u32,
        name: &'static str,
        out: &mut dyn Sink,
    ) {
        let mut exchange = waited.unwrap_or_else(|| {
            let mut exchange = self.exchange(message, false);
            exchange.of(names::PDU | code, (name, OperationClass::Session));
            exchange
        });
        let outcome = if matches!(pdu.first, 0xa7 | 0xad) { service_error(pdu, &mut exchange) } else { SUCCESS };
        exchange.emit(Some((message.at, outcome.0, outcome.1)), out);
        self.done(exchange);
    }

    fn initiate(&mut self, pdu: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        self.initiator = Some(message.sender);
        let mut exchange = self.associating.take().unwrap_or_else(|| self.exchange(message, true));
        exchange.of(names::PDU | INITIATE, ("initiate", OperationClass::Session));
        association::initiate(pdu, &mut exchange.detail);
        self.ask(message, What::Initiate, exchange, out);
    }

    fn initiated(
        &mut self,
        mut exchange: Exchange,
        message: &Message<'_>,
        outcome: (u32, &'static str),
        out: &mut dyn Sink,
    ) {
        exchange.emit(Some((message.at, outcome.0, outcome.1)), out);
        if let Some(login) = self.login.take() {
            let ended = if outcome.0 == 0 { Outcome::Success } else { Outcome::Failure };
            login.report(&exchange, message.at, ended, &mut self.claims, out);
        }
        self.done(exchange);
    }

    fn request(&mut self, pdu: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let (invoke, service) = confirmed(pdu)?;
        let mut exchange = self.exchange(message, true);
        exchange.of(service.number, names::service(service.number));
        exchange.detail.number("invoke_id", invoke.into());
        let read = request::describe(service, &mut exchange);
        exchange.settle();
        self.ask(message, What::Invoke(invoke), exchange, out);
        read
    }

    fn response(&mut self, pdu: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut children = pdu.children();
        let invoke = children.next().filter(|invoke| invoke.first == 2)?.unsigned()?;
        let service = children.next();
        let mut exchange = self.answered(message, What::Invoke(invoke)).unwrap_or_else(|| {
            let mut exchange = self.exchange(message, false);
            match service {
                Some(service) => exchange.of(service.number, names::service(service.number)),
                None => exchange.of(names::PDU | 0xa1, ("response without service", OperationClass::Diagnose)),
            }
            exchange.detail.number("invoke_id", invoke.into());
            exchange
        });
        let fits = service.filter(|service| service.number == exchange.code);
        let read =
            fits.and_then(|service| response::describe(service, &mut exchange, message.at, &mut self.claims, out));
        if let (Some(service), Some((0, _))) = (service, read) {
            self.moved(&exchange, service, message, out);
        } else {
            self.miss(&exchange);
        }
        let (status, name) = read.unwrap_or((names::UNREADABLE, "unreadable response"));
        exchange.emit(Some((message.at, status, name)), out);
        self.done(exchange);
        read.map(|_| ())
    }

    fn error(&mut self, pdu: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let invoke = pdu.children().find(|field| matches!(field.first, 0x80 | 2))?.unsigned()?;
        let mut exchange = self.answered(message, What::Invoke(invoke)).unwrap_or_else(|| {
            let mut exchange = self.exchange(message, false);
            exchange.of(names::PDU | 0xa2, ("error without request", OperationClass::Diagnose));
            exchange.detail.number("invoke_id", invoke.into());
            exchange
        });
        self.miss(&exchange);
        let (status, name) = service_error(pdu, &mut exchange);
        exchange.emit(Some((message.at, status, name)), out);
        self.done(exchange);
        Some(())
    }

    fn reject(&mut self, pdu: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut invoke = None;
        let mut reason = None;
        for field in pdu.children() {
            match field.first {
                // The reason has tags from 1 on.
                0x80 => invoke = field.unsigned(),
                _ => reason = Some(field),
            }
        }
        let reason = reason?;
        let code = reason.unsigned().unwrap_or(0xff);
        let status = names::REJECTED | (reason.number & 0xff) << 8 | code & 0xff;
        let waited = invoke.and_then(|invoke| self.answered(message, What::Invoke(invoke)));
        let mut exchange = waited.unwrap_or_else(|| {
            let mut exchange = self.exchange(message, false);
            exchange.of(names::PDU | REJECT, ("reject", OperationClass::Diagnose));
            if let Some(invoke) = invoke {
                exchange.detail.number("invoke_id", invoke.into());
            }
            exchange
        });
        self.miss(&exchange);
        exchange.detail.number("reject_code", code.into());
        exchange.emit(Some((message.at, status, names::rejected(reason.number))), out);
        self.done(exchange);
        Some(())
    }

    fn unconfirmed(&mut self, pdu: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) -> Option<()> {
        let service = pdu.children().next()?;
        let mut exchange = self.exchange(message, false);
        exchange.of(
            names::UNCONFIRMED | service.number & 0xff,
            (names::unconfirmed(service.number), OperationClass::Cyclic),
        );
        let read = request::report(service, &mut exchange);
        exchange.emit(Some((message.at, 0, "")), out);
        self.done(exchange);
        read
    }

    /// The ends of a transfer, driver and device, and its way, where `reader` reads from `source`.
    fn ends(&self, reader: Endpoint, source: Endpoint) -> ((Endpoint, Endpoint), Transfer) {
        if self.initiator == Some(source) {
            // The device fetches it from who drives it.
            ((source, reader), Transfer::Download)
        } else {
            ((reader, source), Transfer::Upload)
        }
    }

    /// A step of a transfer went well.
    fn moved(&mut self, exchange: &Exchange, service: Element<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let Exchange { client, server, .. } = *exchange;
        let at = message.at;
        let number = |first| service.child(first).and_then(|field: Element<'_>| field.unsigned());
        match &exchange.step {
            Step::OpenFile(name) => {
                let Some(file) = number(0x80) else { return };
                let (ends, way) = self.ends(client, server);
                let begun = Begun { at, ends, way, name, announced: exchange.quantity };
                self.transfers.begin(Key::File(client, file), begun, out);
            }
            Step::ReadFile(file) => self.part(&Key::File(client, *file), service, at),
            Step::CloseFile(file) => self.transfers.end(&Key::File(client, *file), at, true, out),
            Step::BeginUpload(name) => {
                let Some(machine) = number(0x80) else { return };
                let begun = Begun { at, ends: (client, server), way: Transfer::Upload, name, announced: None };
                self.transfers.begin(Key::Upload(machine), begun, out);
            }
            Step::Upload(machine) => self.part(&Key::Upload(*machine), service, at),
            Step::EndUpload(machine) => self.transfers.end(&Key::Upload(*machine), at, true, out),
            Step::BeginDownload(name) => {
                let begun = Begun { at, ends: (client, server), way: Transfer::Download, name, announced: None };
                self.transfers.begin(Key::Download(name.clone()), begun, out);
            }
            Step::Download(name) => self.part(&Key::Download(name.clone()), service, at),
            Step::EndDownload(name) => self.transfers.end(&Key::Download(name.clone()), at, true, out),
            Step::None => {}
        }
    }

    fn part(&mut self, key: &Key, service: Element<'_>, at: At) {
        let data = service.child(0x80).map(|data| data.content).unwrap_or_default();
        // True unless it says otherwise.
        let more = service.child(0x81).is_none_or(|more| more.content.first() != Some(&0));
        self.transfers.part(key, at, data, more);
    }

    /// A step of a transfer went wrong, or was not seen to go well.
    fn miss(&mut self, exchange: &Exchange) {
        let key = match &exchange.step {
            Step::ReadFile(file) => Key::File(exchange.client, *file),
            Step::Upload(machine) => Key::Upload(*machine),
            Step::Download(name) => Key::Download(name.clone()),
            _ => return,
        };
        self.transfers.miss(&key);
    }
}

/// Invoke id and service; modifiers and other parts around them are passed over.
fn confirmed(pdu: Element<'_>) -> Option<(u32, Element<'_>)> {
    let mut children = pdu.children();
    let invoke = children.next().filter(|invoke| invoke.first == 2)?.unsigned()?;
    // Modifiers are a universal sequence; services have context tags.
    let service = children.find(|child| child.first & 0xc0 == 0x80)?;
    Some((invoke, service))
}

/// Class and code of the service error in a PDU.
fn service_error(pdu: Element<'_>, exchange: &mut Exchange) -> (u32, &'static str) {
    // In a confirmed error the error is its third field; initiate and conclude errors hold class and code at once.
    let holder = pdu.child(0xa2).filter(|_| matches!(pdu.first, 0xa2 | 0xa7)).unwrap_or(pdu);
    let error = holder.child(0xa0).and_then(|class| Element::only(class.content));
    let (class, code) = error.map_or((12, 0), |error| (error.number, error.unsigned().unwrap_or(0)));
    let (class_name, name) = names::service_error(class, code);
    exchange.detail.text("error_class", class_name);
    (names::SERVICE_ERROR | (class & 0xff) << 8 | code & 0xff, name)
}
