//! The analyzer of one connection: chunks to messages, messages to exchanges.

use quaywatch_model::{
    At, Direction, Endpoint, Mark, Observation, OperationClass, Outcome, Service, Sink, Transport, Weird,
};
use quaywatch_wire::framer::FramingError;
use quaywatch_wire::{Flow, Framer, Pdu};

use crate::Analyzer;
use crate::claims::Claims;
use crate::detail::Detail;
use crate::pairing::Pairing;

use super::PROTOCOL;
use super::application::{Application, claim_certificate};
use super::chunk::{self, CHUNK_LIMIT, Finality, HEADER, Header, Kind, Partials};
use super::exchange::Exchange;
use super::names;
use super::reader::Reader;
use super::request::{self, RequestHeader, Understood};
use super::response::{self, ResponseHeader, Telling};
use super::session;
use super::status::Status;

/// Requests that may wait for their responses; clients keep several Publish requests waiting.
const WAITING_LIMIT: usize = 128;
/// Claims remembered of one connection.
const CLAIMS_LIMIT: usize = 256;

/// Keys of requests without a readable request id lie above those that have one.
const HELLO: u64 = 1 << 32;
const ENCRYPTED_OPEN: u64 = 1 << 33;

/// Codes of the operations below the services: the message type's letters.
const CODE_HELLO: u32 = u32::from_be_bytes(*b"\0HEL");
const CODE_REVERSE_HELLO: u32 = u32::from_be_bytes(*b"\0RHE");
const CODE_ERROR: u32 = u32::from_be_bytes(*b"\0ERR");

/// Reads one connection.
#[derive(Default)]
pub struct OpcUaFlow {
    client: Side,
    server: Side,
    talk: Talk,
}

/// One direction of the stream.
struct Side {
    framer: Framer,
    partials: Partials,
    /// Set after a gap or a framing error, until a chunk seems to begin.
    lost: bool,
}

impl Default for Side {
    fn default() -> Self {
        Side { framer: Framer::new(CHUNK_LIMIT), partials: Partials::default(), lost: false }
    }
}

impl Analyzer for OpcUaFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let OpcUaFlow { client, server, talk } = self;
        let side = match pdu.direction {
            Direction::FromClient => client,
            Direction::FromServer => server,
        };
        let mut piece = pdu.data;
        if side.lost {
            let Some(at) = chunk::find(piece) else { return out.mark(Mark::Undecoded("after lost bytes")) };
            piece = piece.get(at..).unwrap_or_default();
            side.lost = false;
        }
        let Side { framer, partials, lost } = side;
        let framed = framer.push(piece, chunk::length, |bytes| talk.chunk(bytes, partials, pdu, out));
        if let Err(error) = framed {
            *lost = true;
            partials.clear();
            talk.unframed(error, pdu, out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        let side = match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        };
        side.framer.reset();
        side.partials.clear();
        side.lost = true;
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.talk.close(out);
    }
}

/// Type id of the message in a chunk that is its first and readable.
pub(super) fn type_id(kind: Kind, bytes: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(bytes.get(HEADER..)?);
    match kind {
        Kind::Open => {
            reader.u32()?;
            (names::policy(reader.text()?) == "None").then_some(())?;
            reader.bytes()?;
            reader.bytes()?;
            reader.skip(8)?;
        }
        _ => reader.skip(16)?,
    }
    reader.node()?.standard()
}

/// All but the streams, which are borrowed while their chunks are handled.
struct Talk {
    waiting: Pairing<u64, Exchange>,
    spare: Vec<Exchange>,
    claims: Claims,
    /// Name of the security policy; empty until a channel was seen to open.
    policy: String,
    /// Name of the security mode, if it was readable.
    mode: &'static str,
    /// The end that is the client, where it was told: a reverse hello turns the ends round.
    client: Option<Endpoint>,
    understood: bool,
    encrypted: bool,
    inner: Detail,
    list: String,
    channel: Detail,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            spare: Vec::new(),
            claims: Claims::with_limit(CLAIMS_LIMIT),
            policy: String::new(),
            mode: "",
            client: None,
            understood: false,
            encrypted: false,
            inner: Detail::default(),
            list: String::new(),
            channel: Detail::default(),
        }
    }
}

impl Talk {
    fn chunk(&mut self, bytes: &[u8], partials: &mut Partials, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(header) = chunk::header(bytes) else { return };
        self.understood = true;
        let body = bytes.get(HEADER..).unwrap_or_default();
        let read = match header.kind {
            Kind::Hello => self.hello(body, pdu, out),
            Kind::Acknowledge => self.acknowledge(body, pdu, out),
            Kind::Error => self.error(body, pdu, out),
            Kind::ReverseHello => self.reverse_hello(body, pdu, out),
            Kind::Open => self.open(body, pdu, out),
            Kind::Message | Kind::Close => self.symmetric(header, bytes, partials, pdu, out),
        };
        if read.is_none() {
            self.broken("opcua_malformed_chunk", "chunk ends within its own fields", pdu, out);
        }
    }

    fn broken(&self, name: &'static str, why: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        out.mark(Mark::Malformed(why));
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: why, sender, receiver }));
    }

    fn unframed(&self, error: FramingError, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !self.understood {
            return out.mark(Mark::NotMine);
        }
        let why = match error {
            FramingError::Invalid => "bytes that start no chunk",
            FramingError::TooLong(_) => "chunk longer than is read",
        };
        self.broken("opcua_no_chunk", why, pdu, out);
    }

    /// A fresh exchange, its allocations used again.
    fn exchange(&mut self, pdu: &Pdu<'_>, asks: bool) -> Exchange {
        let mut exchange = self.spare.pop().unwrap_or_default();
        let (client, server) = if asks { (pdu.sender(), pdu.receiver()) } else { (pdu.receiver(), pdu.sender()) };
        exchange.begin(pdu.at, client, server, asks);
        exchange
    }

    fn ask(&mut self, key: u64, exchange: Exchange, out: &mut dyn Sink) {
        if let Some(oldest) = self.waiting.ask(key, exchange) {
            self.unanswered(oldest, out);
        }
    }

    fn unanswered(&mut self, mut exchange: Exchange, out: &mut dyn Sink) {
        exchange.emit(None, out);
        self.report_login(&exchange, exchange.at, Outcome::Unknown, out);
        self.done(exchange);
    }

    fn done(&mut self, exchange: Exchange) {
        if self.spare.len() < WAITING_LIMIT {
            self.spare.push(exchange);
        }
    }

    fn close(&mut self, out: &mut dyn Sink) {
        let left: Vec<Exchange> = self.waiting.drain().collect();
        for exchange in left {
            self.unanswered(exchange, out);
        }
    }

    /// Hello: version, sizes, and the address asked for.
    fn hello(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut reader = Reader::new(body);
        self.client = Some(pdu.sender());
        let mut ask = self.exchange(pdu, true);
        ask.of(CODE_HELLO, "Hello", OperationClass::Session);
        for key in ["version", "receive_buffer", "send_buffer", "max_message", "max_chunks"] {
            ask.detail.number(key, reader.u32()?.into());
        }
        ask.on(reader.text()?);
        self.ask(HELLO, ask, out);
        Some(())
    }

    fn acknowledge(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut reader = Reader::new(body);
        let version = reader.u32()?;
        let buffers = (reader.u32()?, reader.u32()?);
        let mut ask = self.waiting.answer(&HELLO).unwrap_or_else(|| {
            let mut ask = self.exchange(pdu, false);
            ask.of(CODE_HELLO, "Hello", OperationClass::Session);
            ask
        });
        ask.detail.number("server_version", version.into());
        ask.detail.number("server_receive_buffer", buffers.0.into()).number("server_send_buffer", buffers.1.into());
        ask.emit(Some((pdu.at, Ok(Status(0)))), out);
        self.done(ask);
        self.announce(pdu, out);
        Some(())
    }

    fn announce(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (server, transport) = (pdu.sender(), Transport::Tcp);
        let service = Service { server, transport, protocol: PROTOCOL, software: "", version: "" };
        self.claims.service(out, pdu.at, service);
    }

    /// Error: ends the connection. It answers a hello, and anything else by saying so.
    fn error(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut reader = Reader::new(body);
        let (status, reason) = (reader.status()?, reader.text()?);
        let mut ask = self.waiting.answer(&HELLO).unwrap_or_else(|| {
            let mut ask = self.exchange(pdu, false);
            ask.of(CODE_ERROR, "Error", OperationClass::Session);
            ask
        });
        ask.detail.text("reason", reason);
        ask.emit(Some((pdu.at, Ok(status))), out);
        self.done(ask);
        Some(())
    }

    fn reverse_hello(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut reader = Reader::new(body);
        let (uri, url) = (reader.text()?, reader.text()?);
        self.client = Some(pdu.receiver());
        let mut ask = self.exchange(pdu, false);
        ask.of(CODE_REVERSE_HELLO, "ReverseHello", OperationClass::Session);
        ask.on(url);
        ask.detail.text("server_uri", uri);
        ask.emit(Some((pdu.at, Ok(Status(0)))), out);
        self.done(ask);
        let server = Application { uri, product: "", name: "", kind: 0, url };
        server.claim(pdu.sender().address, &mut self.claims, pdu.at, out);
        Some(())
    }

    fn is_client(&self, pdu: &Pdu<'_>) -> bool {
        self.client.unwrap_or(pdu.flow.client) == pdu.sender()
    }

    /// OpenSecureChannel: policy and certificate are readable whatever the policy; the rest only under none.
    fn open(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut reader = Reader::new(body);
        let (channel, uri, certificate) = (reader.u32()?, reader.text()?, reader.bytes()?);
        reader.bytes()?;
        if uri.is_empty() {
            return None;
        }
        self.policy.clear();
        self.policy.push_str(names::policy(uri));
        let read = if certificate.is_empty() || !self.claims.first(("certificate", certificate)) {
            None
        } else {
            let read = claim_certificate(certificate, pdu.sender().address, &mut self.claims, pdu.at, out);
            if read.is_none() {
                self.broken("opcua_certificate_malformed", "certificate cannot be read", pdu, out);
            }
            read
        };
        if self.policy == "None" {
            let (_, request) = (reader.u32()?, reader.u32()?);
            return self.message(reader.rest(), Ids { channel, token: None, request }, pdu, out);
        }
        out.mark(Mark::Opaque("encrypted"));
        let asks = self.is_client(pdu);
        let mut ask = if asks { None } else { self.waiting.answer(&ENCRYPTED_OPEN) }.unwrap_or_else(|| {
            let mut ask = self.exchange(pdu, asks);
            if let Some(service) = names::by_request(names::OPEN_CHANNEL) {
                ask.service(service);
            }
            ask.detail.text("security_policy", &self.policy);
            ask
        });
        ask.detail.number(if asks { "channel" } else { "opened_channel" }, channel.into());
        ask.detail.object(if asks { "certificate" } else { "server_certificate" }, read.as_deref().unwrap_or_default());
        if asks {
            self.ask(ENCRYPTED_OPEN, ask, out);
        } else {
            self.announce(pdu, out);
            ask.emit(Some((pdu.at, Err("encrypted"))), out);
            self.done(ask);
        }
        Some(())
    }

    /// MSG and CLO: channel, token, then sequence number, request id and body, all three encrypted under `SignAndEncrypt`.
    fn symmetric(
        &mut self,
        header: Header,
        bytes: &[u8],
        partials: &mut Partials,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let mut reader = Reader::new(bytes.get(HEADER..)?);
        let (channel, token) = (reader.u32()?, reader.u32()?);
        reader.u32()?;
        let ids = Ids { channel, token: Some(token), request: reader.u32()? };
        let readable = self.policy == "None"
            || partials.has(ids.request)
            || header.finality == Finality::Abort && self.waiting.find(&ids.request.into()).is_some()
            || type_id(header.kind, bytes).and_then(names::asks).is_some();
        if !readable {
            self.opaque(ids, pdu, out);
            return Some(());
        }
        let signature = names::signature_length(&self.policy).unwrap_or(0);
        let body = reader.rest();
        let body = body.get(..body.len().saturating_sub(signature)).unwrap_or_default();
        match header.finality {
            Finality::More => self.collect(ids, body, partials, pdu, out),
            Finality::Abort => {
                partials.take(ids.request);
                return self.aborted(ids, body, pdu, out);
            }
            Finality::Final if !partials.has(ids.request) => return self.message(body, ids, pdu, out),
            Finality::Final => {
                self.collect(ids, body, partials, pdu, out);
                if let Some(whole) = partials.take(ids.request) {
                    return self.message(&whole, ids, pdu, out);
                }
            }
        }
        Some(())
    }

    /// Adds a chunk to its message; one that grows too long is forgotten.
    fn collect(&self, ids: Ids, body: &[u8], partials: &mut Partials, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !partials.add(ids.request, body) {
            let why = "message longer, or more messages at once, than are put together";
            self.broken("opcua_message_too_long", why, pdu, out);
        }
    }

    /// The sender gave up a message: a status and a reason.
    fn aborted(&mut self, ids: Ids, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut reader = Reader::new(body);
        let (status, reason) = (reader.status()?, reader.text()?);
        if let Some(mut ask) = self.waiting.answer_where(&ids.request.into(), |ask| ask.server == pdu.sender()) {
            ask.detail.text("reason", reason);
            ask.emit(Some((pdu.at, Ok(status))), out);
            self.done(ask);
        }
        Some(())
    }

    fn opaque(&mut self, ids: Ids, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        out.mark(Mark::Opaque("encrypted"));
        if self.encrypted {
            return;
        }
        self.encrypted = true;
        let ask = self.exchange(pdu, self.is_client(pdu));
        self.channel.begin().number("channel", ids.channel.into());
        self.channel.text("security_policy", &self.policy).text("security_mode", "SignAndEncrypt");
        session::encrypted(&ask, pdu.at, self.channel.finish(), out);
        self.done(ask);
    }

    /// A whole message: type id, header, body.
    fn message(&mut self, bytes: &[u8], ids: Ids, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut reader = Reader::new(bytes);
        let id = reader.node()?.standard();
        match id.and_then(names::asks) {
            Some(true) => self.request(id?, &mut reader, ids, pdu, out),
            Some(false) => self.response(id?, &mut reader, ids, pdu, out),
            None => self.unknown(id, ids, pdu, out),
        }
        Some(())
    }

    fn unknown(&mut self, id: Option<u32>, ids: Ids, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        out.mark(Mark::Undecoded("service not known"));
        if !self.is_client(pdu) {
            return;
        }
        let mut ask = self.exchange(pdu, true);
        ask.of(id.unwrap_or(0), "unknown service", OperationClass::Diagnose);
        ids.describe(&mut ask.detail);
        self.ask(ids.request.into(), ask, out);
    }

    fn request(&mut self, id: u32, reader: &mut Reader<'_>, ids: Ids, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(service) = names::by_request(id) else { return };
        self.client = Some(pdu.sender());
        let mut ask = self.exchange(pdu, true);
        ask.service(service);
        ids.describe(&mut ask.detail);
        if id == names::OPEN_CHANNEL {
            ask.detail.text("security_policy", &self.policy);
        }
        let read = RequestHeader::read(reader).and_then(|header| {
            ask.detail.number("request_handle", header.handle.into());
            if let Some(time) = header.time
                && self.claims.first(("clock", pdu.sender().address))
            {
                response::clock(pdu.sender().address, time, "opcua request timestamp", pdu.at, out);
            }
            request::describe(&mut reader.to_owned(), &mut ask)
        });
        self.judge(read, pdu, out);
        self.peek(id, reader, pdu, out);
        if id == names::CLOSE_CHANNEL {
            // It has no response.
            ask.emit(None, out);
            return self.done(ask);
        }
        self.ask(ids.request.into(), ask, out);
    }

    fn judge(&self, read: Option<Understood>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match read {
            Some(Understood::Yes) => {}
            Some(Understood::ByName) => out.mark(Mark::Undecoded("body of this service")),
            None => self.broken("opcua_malformed_message", "message ends within its own fields", pdu, out),
        }
    }

    /// What requests tell of the client, and of the channel; `reader` stands behind the header.
    fn peek(&mut self, id: u32, reader: &Reader<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut reader = *reader;
        match id {
            names::OPEN_CHANNEL => {
                if let (Some(()), Some(mode)) = (reader.skip(8), reader.u32()) {
                    self.mode = names::security_mode(mode);
                }
            }
            names::CREATE_SESSION => {
                let subject = pdu.sender().address;
                let Some(client) = Application::read(&mut reader) else { return };
                client.claim(subject, &mut self.claims, pdu.at, out);
                let behind = (reader.bytes(), reader.bytes(), reader.bytes(), reader.bytes());
                if let ((Some(_), Some(_), Some(_), Some(_)), Some(certificate)) = (behind, reader.bytes())
                    && !certificate.is_empty()
                    && self.claims.first(("certificate", certificate))
                {
                    claim_certificate(certificate, subject, &mut self.claims, pdu.at, out);
                }
            }
            _ => {}
        }
    }

    fn response(&mut self, id: u32, reader: &mut Reader<'_>, ids: Ids, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let service = names::by_response(id);
        let fits =
            |ask: &Exchange| ask.server == pdu.sender() && service.is_none_or(|service| service.request == ask.code);
        let mut ask = self.waiting.answer_where(&ids.request.into(), fits).unwrap_or_else(|| {
            let mut ask = self.exchange(pdu, false);
            match service {
                Some(service) => ask.service(service),
                None => ask.of(names::FAULT, "ServiceFault", OperationClass::Session),
            }
            ids.describe(&mut ask.detail);
            ask
        });
        let header = ResponseHeader::read(reader);
        if let Some(header) = header {
            self.answered(&mut ask, header, id, pdu, out);
        }
        let Talk { inner, list, claims, .. } = self;
        let mut tell = Telling { at: pdu.at, server: pdu.sender(), inner, list, claims, out: &mut *out };
        let read = match header {
            None => None,
            // A fault, and often a failure, has no body.
            Some(header) if service.is_none() || !header.result.is_good() && reader.rest().is_empty() => {
                Some(Understood::Yes)
            }
            Some(_) => response::describe(reader, &mut ask, &mut tell),
        };
        self.judge(read, pdu, out);
        let result = header.map(|header| header.result);
        let status = match (result, ask.failed) {
            (Some(result), Some(failed)) if result.is_good() => {
                ask.detail.text("service_result", result.name());
                Some(failed)
            }
            _ => result,
        };
        ask.emit(Some((pdu.at, status.ok_or("unreadable"))), out);
        if let Some(result) = result {
            let outcome = if result.is_good() { Outcome::Success } else { Outcome::Failure };
            self.report_login(&ask, pdu.at, outcome, out);
        }
        self.done(ask);
        self.announce(pdu, out);
    }

    fn answered(&mut self, ask: &mut Exchange, header: ResponseHeader, id: u32, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !ask.asked {
            ask.detail.number("request_handle", header.handle.into());
        }
        if id == names::FAULT {
            ask.detail.flag("fault", true);
        }
        let subject = pdu.sender().address;
        if let Some(time) = header.time
            && self.claims.first(("clock", subject))
        {
            response::clock(subject, time, "opcua response timestamp", pdu.at, out);
        }
    }

    fn report_login(&mut self, ask: &Exchange, at: At, outcome: Outcome, out: &mut dyn Sink) {
        let Some(login) = &ask.login else { return };
        let mode = match (self.mode, self.policy.as_str()) {
            // Its content was readable, so it is not encrypted.
            ("", "" | "None") => "",
            ("", _) => "Sign",
            (mode, _) => mode,
        };
        self.channel.begin().text("security_policy", &self.policy).text("security_mode", mode);
        login.report(ask, at, outcome, self.channel.finish(), &mut self.claims, out);
    }
}

/// Numbers in the security headers of a message.
#[derive(Clone, Copy)]
struct Ids {
    channel: u32,
    token: Option<u32>,
    request: u32,
}

impl Ids {
    fn describe(self, detail: &mut Detail) {
        detail.number("channel", self.channel.into());
        if let Some(token) = self.token {
            detail.number("token", token.into());
        }
        detail.number("request_id", self.request.into());
    }
}
