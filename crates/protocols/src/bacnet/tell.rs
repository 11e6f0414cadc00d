//! Turns requests and answers into rows.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Endpoint, Observation, Operation, OperationClass, Outcome, Session, Sink, Timestamp, Transfer, Weird,
};

use super::describe::{password, tags};
use super::files::{Files, Which};
use super::frame::Remote;
use super::names;
use super::service::{self, Choice, Part};
use super::tag::{Failure, Tag};
use super::{PROTOCOL, Place};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};
use crate::login::{Ends, Secret};

/// Networks, peers or devices of one message that are printed.
const OBJECTS_TOLD: usize = 32;

/// Status of an Error PDU: this, the class in the third octet, the code in the last two.
pub const ERROR_STATUS: u32 = 0x0100_0000;
/// Status of a Reject PDU: this and the reason.
pub const REJECT_STATUS: u32 = 0x0200_0000;
/// Status of an Abort PDU: this and the reason.
pub const ABORT_STATUS: u32 = 0x0300_0000;

/// How a confirmed service ended.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// Without an answer in the capture.
    Unknown,
    /// Done; with answer parameters.
    Done(&'a [u8]),
    /// An Error PDU.
    Error(Option<Failure>),
    /// A Reject PDU.
    Reject(u8),
    /// An Abort PDU.
    Abort(u8),
}

/// A request, kept until its answer comes.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where it is.
    pub at: At,
    /// The end that asks.
    pub client: Endpoint,
    /// The end asked.
    pub server: Endpoint,
    /// The device behind the server, if it is a router.
    pub remote: Option<Remote>,
    /// The device behind the client, if it is a router.
    pub origin: Option<Remote>,
    /// Who passed it on.
    pub forwarder: Option<Endpoint>,
    /// Invoke id.
    pub invoke: u8,
    /// Service choice.
    pub service: u8,
    /// Segments of the request, if it had any.
    pub segments: Option<u32>,
    /// Service parameters.
    pub body: Vec<u8>,
}

/// A request with its end.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The request; its `at` counts only if it was seen.
    pub ask: &'a Ask,
    /// Whether the request was seen.
    pub seen: bool,
    /// Where the end is.
    pub ended: Option<At>,
    /// How it ended.
    pub end: End<'a>,
    /// Segments of the answer, if it had any.
    pub segments: Option<u32>,
    /// Whether segments are missing from request or answer.
    pub broken: bool,
}

/// Emits rows from strings that are used again.
#[derive(Default, Debug)]
pub struct Teller {
    pub(super) object: String,
    pub(super) name: String,
    pub(super) line: String,
    pub(super) detail: DetailJson,
    pub(super) read: Vec<String>,
    pub(super) claims: Claims,
    pub(super) files: Files,
}

/// What a row is about, besides its texts.
#[derive(Clone, Copy)]
struct Head {
    at: At,
    client: Endpoint,
    server: Endpoint,
    unit: Option<u32>,
    code: u32,
    name: &'static str,
    class: OperationClass,
    quantity: Option<u64>,
}

impl Teller {
    /// Tells a confirmed service.
    pub fn exchange(&mut self, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        let Exchange { ask, end, .. } = *exchange;
        self.begin(ask.remote, ask.origin, ask.forwarder);
        self.detail.number("invoke_id", ask.invoke);
        if let Some(count) = ask.segments {
            self.detail.number("request_segments", count);
        }
        if let Some(count) = exchange.segments {
            self.detail.number("reply_segments", count);
        }
        if exchange.broken {
            self.detail.flag("segments_missing", true);
        }
        let choice = Choice::Confirmed(ask.service);
        let mut quantity = self.objects(choice, &ask.body);
        self.request_detail(ask);
        let service = names::confirmed(ask.service);
        if let End::Done(body) = end {
            let answered = self.answer_detail(ask.service, body);
            quantity = quantity.or(answered);
            self.identities(exchange, body, out);
        }
        if let End::Error(Some(failure)) = end {
            self.detail.number("error_class", failure.class);
            self.detail.number("error_code", failure.code);
        }
        let head = Head {
            at: exchange.ended.unwrap_or(ask.at),
            client: ask.client,
            server: ask.server,
            unit: ask.remote.and_then(|remote| remote.number()),
            code: u32::from(ask.service),
            name: service.map_or("", |service| service.name),
            class: class(ask, service.map(|service| service.class)),
            quantity,
        };
        if service.is_none() {
            self.name.clear();
            let _ = write!(self.name, "Unknown Service {}", ask.service);
        }
        let (status, status_name) = self.status(end);
        let name = if head.name.is_empty() { &self.name } else { head.name };
        out.emit(
            head.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: head.client,
                server: head.server,
                unit: head.unit,
                code: head.code,
                name,
                class: head.class,
                object: &self.object,
                quantity: head.quantity,
                status,
                status_name: if status_name.is_empty() {
                    self.read.first().map_or("", |name| name)
                } else {
                    status_name
                },
                latency: exchange.ended.filter(|_| exchange.seen).map(|at| Timestamp::since(at.ts, ask.at.ts)),
                request_frame: exchange.seen.then_some(ask.at.frame),
                reply_frame: exchange.ended.map(|at| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
        self.login(exchange, out);
        self.moved(exchange, out);
    }

    /// Tells an unconfirmed service.
    pub fn unconfirmed(&mut self, place: &Place, service: u8, body: &[u8], out: &mut dyn Sink) -> bool {
        self.begin(place.destination, place.source, place.forwarder);
        let choice = Choice::Unconfirmed(service);
        let quantity = self.objects(choice, body);
        let cyclic = matches!(service, 2 | 11);
        if cyclic && !self.claims.first(("cov", place.sender, place.source, self.object.as_str())) {
            return false;
        }
        self.unconfirmed_detail(place, service, body, out);
        let known = names::unconfirmed(service);
        let head = Head {
            at: place.at,
            client: place.sender,
            server: place.receiver,
            unit: place.destination.and_then(|remote| remote.number()),
            code: 0x100 | u32::from(service),
            name: known.map_or("Unknown Unconfirmed Service", |known| known.name),
            class: known.map_or(OperationClass::Diagnose, |known| known.class),
            quantity,
        };
        self.told(&head, out);
        true
    }

    /// Tells how many notifications of changes came after those that were told.
    pub fn notifications(&mut self, place: &Place, count: u64, out: &mut dyn Sink) {
        self.begin(None, None, None);
        self.object.clear();
        self.detail.flag("repeated", true);
        let head = Head {
            at: place.at,
            client: place.sender,
            server: place.receiver,
            unit: None,
            code: 0x102,
            name: "UnconfirmedCOVNotification",
            class: OperationClass::Cyclic,
            quantity: Some(count),
        };
        self.told(&head, out);
    }

    /// Tells a message of the network layer.
    pub fn network(&mut self, place: &Place, message: u8, body: &[u8], out: &mut dyn Sink) {
        self.begin(place.destination, place.source, place.forwarder);
        self.object.clear();
        let mut cursor = Cursor::new(body);
        if message >= 0x80 {
            if let Some(vendor) = cursor.be16() {
                self.detail.number("vendor_id", vendor);
            }
        } else {
            self.networks(place, message, &mut cursor, out);
        }
        let known = names::network(message);
        let head = Head {
            at: place.at,
            client: place.sender,
            server: place.receiver,
            unit: None,
            code: 0x300 | u32::from(message),
            name: known.map_or("Vendor Network Message", |known| known.name),
            class: known.map_or(OperationClass::Diagnose, |known| known.class),
            quantity: None,
        };
        self.told(&head, out);
    }

    fn networks(&mut self, place: &Place, message: u8, cursor: &mut Cursor<'_>, out: &mut dyn Sink) {
        match message {
            0 | 1 | 4 | 5 => {
                let mut numbers = Vec::new();
                while let Some(number) = cursor.be16().filter(|_| numbers.len() < OBJECTS_TOLD) {
                    let separator = if numbers.is_empty() { "network " } else { ", " };
                    let _ = write!(self.object, "{separator}{number}");
                    numbers.push(number);
                }
                if message == 1 && place.source.is_none() {
                    let claim = (Attribute::Router, self.object.as_str(), "bacnet i-am-router-to-network");
                    self.claims.identify(out, place.at, place.sender.address, claim);
                }
            }
            3 => {
                if let (Some(reason), Some(network)) = (cursor.u8(), cursor.be16()) {
                    let _ = write!(self.object, "network {network}");
                    self.detail.number("reason", reason);
                    self.detail.text("reason_name", names::route_reject(reason));
                }
            }
            6 | 7 => {
                if let Some(ports) = cursor.u8() {
                    self.detail.number("ports", ports);
                }
            }
            2 | 8 | 9 | 0x13 => {
                if let Some(network) = cursor.be16() {
                    let _ = write!(self.object, "network {network}");
                }
            }
            _ => {}
        }
    }

    /// Tells a function of the link layer, with its result if one came.
    pub fn link(&mut self, place: &Place, function: u8, body: &[u8], result: Option<(At, u16)>, out: &mut dyn Sink) {
        self.begin(None, None, None);
        self.object.clear();
        let mut cursor = Cursor::new(body);
        match function {
            1 | 3 => {
                // Each peer: address, port, mask.
                let peers = body.chunks_exact(10).filter_map(|peer| super::frame::device_v4(&mut Cursor::new(peer)));
                self.detail.texts("peers", peers.take(OBJECTS_TOLD));
            }
            5 => {
                if let Some(seconds) = cursor.be16() {
                    self.detail.number("lifetime_seconds", seconds);
                }
            }
            7 => {
                // Each device: address, port, lifetime, seconds left.
                let devices = body.chunks_exact(10).filter_map(|peer| super::frame::device_v4(&mut Cursor::new(peer)));
                self.detail.texts("foreign_devices", devices.take(OBJECTS_TOLD));
            }
            8 => {
                if let Some(device) = super::frame::device_v4(&mut cursor) {
                    let _ = write!(self.object, "{device}");
                }
            }
            _ => {}
        }
        let known = names::link(function);
        out.emit(
            result.map_or(place.at, |(at, _)| at),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: place.sender,
                server: place.receiver,
                unit: None,
                code: 0x200 | u32::from(function),
                name: known.map_or("Unknown Link Function", |known| known.name),
                class: known.map_or(OperationClass::Diagnose, |known| known.class),
                object: &self.object,
                quantity: None,
                status: result.map(|(_, code)| u32::from(code)),
                status_name: result.map_or("", |(_, code)| names::link_result(code)),
                latency: result.map(|(at, _)| Timestamp::since(at.ts, place.at.ts)),
                request_frame: Some(place.at.frame),
                reply_frame: result.map(|(at, _)| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Tells what has not ended.
    pub fn close(&mut self, out: &mut dyn Sink) {
        self.files.close(out);
    }

    fn told(&mut self, head: &Head, out: &mut dyn Sink) {
        out.emit(
            head.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: head.client,
                server: head.server,
                unit: head.unit,
                code: head.code,
                name: head.name,
                class: head.class,
                object: &self.object,
                quantity: head.quantity,
                status: None,
                status_name: "",
                latency: None,
                request_frame: Some(head.at.frame),
                reply_frame: None,
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn begin(&mut self, to: Option<Remote>, from: Option<Remote>, forwarder: Option<Endpoint>) {
        self.detail.clear();
        self.read.clear();
        for (remote, keys) in [(to, ["network", "station"]), (from, ["source_network", "source_station"])] {
            let Some(remote) = remote else { continue };
            let [network, station] = keys;
            self.detail.number(network, remote.network);
            if !remote.station().is_empty() {
                self.detail.text(station, Hex(remote.station()));
            }
        }
        if let Some(forwarder) = forwarder {
            self.detail.text("forwarded_by", forwarder);
        }
    }

    fn status(&mut self, end: End<'_>) -> (Option<u32>, &'static str) {
        match end {
            End::Unknown => (None, ""),
            End::Done(_) => (Some(0), "ok"),
            End::Error(None) => (Some(ERROR_STATUS), "error"),
            End::Error(Some(failure)) => {
                self.read.clear();
                self.read.push(failure.to_string());
                let status = ERROR_STATUS | (failure.class & 0xff) << 16 | failure.code & 0xffff;
                (Some(status), names::error_code(failure.code).unwrap_or(""))
            }
            End::Reject(reason) => (Some(REJECT_STATUS | u32::from(reason)), names::reject(reason)),
            End::Abort(reason) => (Some(ABORT_STATUS | u32::from(reason)), names::abort(reason)),
        }
    }

    /// DeviceCommunicationControl and ReinitializeDevice may bring a password, which crosses the wire in clear.
    fn login(&mut self, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        let ask = exchange.ask;
        if !matches!(ask.service, 17 | 20) || !exchange.seen {
            return;
        }
        let Some(tag) = password(ask.service, &ask.body) else { return };
        let outcome = match exchange.end {
            End::Done(_) => Outcome::Success,
            // Security: password-failure.
            End::Error(Some(Failure { code: 26, .. })) => Outcome::Failure,
            _ => Outcome::Unknown,
        };
        let secret = Secret::examine("", tag.content.get(1..).unwrap_or_default());
        let at = exchange.ended.unwrap_or(ask.at);
        self.claims.session(
            out,
            at,
            Session {
                client: ask.client,
                server: ask.server,
                protocol: PROTOCOL,
                version: "",
                user: "",
                method: "device password",
                outcome,
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: "",
            },
        );
        let ends = Ends { client: ask.client, server: ask.server, protocol: PROTOCOL };
        secret.report(&mut self.claims, out, at, ends, "", outcome);
    }

    fn moved(&mut self, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        let Exchange { ask, ended: Some(at), end: End::Done(answer), seen: true, .. } = *exchange else { return };
        let file = Tag::read(&mut Cursor::new(&ask.body)).and_then(|tag| tag.object());
        let (part, way): (Option<Part<'_>>, Transfer) = match ask.service {
            6 => (service::part(answer), Transfer::Upload),
            7 => (service::part(&ask.body), Transfer::Download),
            // A restore ends what was written.
            20 if tags(&ask.body).any(|tag| tag.is(0) && tag.unsigned() == Some(5)) => {
                return self.files.restored(ask.server, out);
            }
            _ => return,
        };
        if let (Some(file), Some(part)) = (file, part) {
            let which = Which { client: ask.client, server: ask.server, remote: ask.remote, file, way };
            self.files.part(at, which, &part, part.last, out);
        }
    }
}

/// Backup and restore of a device move its program; a private transfer may be anything.
fn class(ask: &Ask, usual: Option<OperationClass>) -> OperationClass {
    if ask.service == 20 {
        let state = tags(&ask.body).find(|tag| tag.is(0)).and_then(|tag| tag.unsigned());
        if matches!(state, Some(2..=6)) {
            return OperationClass::Program;
        }
    }
    usual.unwrap_or(OperationClass::Diagnose)
}

/// A deviation at a place.
pub fn weird(place: &Place, name: &'static str, detail: &'static str, out: &mut dyn Sink) {
    let (sender, receiver) = (place.sender, place.receiver);
    out.emit(place.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender, receiver }));
    out.mark(quaywatch_model::Mark::Malformed(detail));
}
