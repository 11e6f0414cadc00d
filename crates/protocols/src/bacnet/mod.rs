//! BACnet/IP, BACnet/IPv6 and BACnet on Ethernet: building automation, in a port also reefer racks, tank farms and crane air conditioning.
//!
//! Written from ANSI/ASHRAE Standard 135: clauses 5 and 20 (application layer), 6 (network layer), 13 to 17 (services), 21 (syntax),
//! annexes J (BACnet/IP) and U (BACnet/IPv6).

mod describe;
mod files;
mod frame;
pub mod names;
mod segments;
mod service;
mod tag;
mod tell;
#[cfg(test)]
mod tests;

pub use tell::{ABORT_STATUS, ERROR_STATUS, REJECT_STATUS};

use quaywatch_model::{At, Endpoint, Mark, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::frame::{Apdu, Carries, Content, Frame, Npdu, Remote, Segment};
use self::segments::{Segments, Source};
use self::service::Choice;
use self::tell::{Ask, End, Exchange, Teller, weird};
use crate::analyzer::{Depth, Purpose};
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
const PROTOCOL: &str = "bacnet";

/// LLC service access point of BACnet (ISO 8802-2; clause 7).
const LLC: u16 = 0x82;

/// Requests that wait for replies at the same time: an invoke id has 256 values.
pub const WAITING_LIMIT: usize = 256;

/// Link functions that wait for their result.
pub const LINK_WAITING_LIMIT: usize = 8;

/// The registry entry.
pub struct Bacnet;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "BACnet/IP",
    tcp: &[],
    udp: &[47808],
    ethertypes: &[LLC],
    spec: "ANSI/ASHRAE 135: clauses 5, 6, 13 to 17, 20, 21; annexes J and U",
    found: "building automation of terminal buildings, substations and reefer racks; air conditioning of electrical rooms; energy meters",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Link, network and application layer with segmentation; all services by name, those on objects and properties with values; \
            device identity; passwords of device control; files. Alarm contents, private transfers, secured frames and MS/TP are not decoded.",
};

impl Protocol for Bacnet {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Udp => probe_link(pdu),
            Transport::Link(LLC) => probe_network(pdu.data),
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(BacnetFlow::default())
    }
}

fn probe_link(pdu: &Pdu<'_>) -> Probe {
    let Some(frame) = Frame::read(pdu.data) else { return Probe::No };
    let length = usize::from(frame.length);
    let usual = META.udp.contains(&pdu.flow.server.port) || META.udp.contains(&pdu.flow.client.port);
    // A wrong length around a sound PDU is a broken frame where BACnet is usual; elsewhere only if it is one that devices send
    // every day, not a function of the link.
    let everyday = !frame.v6 && matches!(frame.function, 0x0a | 0x0b) && (8..1500).contains(&length);
    let may_differ = usual || everyday || (pdu.cut && length > pdu.data.len());
    if length != pdu.data.len() && !may_differ {
        return Probe::No;
    }
    match frame.carries {
        Carries::Network(npdu) | Carries::Forwarded(_, npdu) => probe_network(npdu),
        Carries::Link(body) => link_probe(&frame, body),
        Carries::Secured => Probe::Unsure,
    }
}

/// Functions of the link have bodies of known lengths.
fn link_probe(frame: &Frame<'_>, body: &[u8]) -> Probe {
    let fits = match (frame.v6, frame.function) {
        (false, 0 | 5) | (true, 0 | 9) => body.len() == 2,
        (false, 1 | 3 | 7) => body.len().is_multiple_of(10),
        (false, 2 | 6) => body.is_empty(),
        (false, 8) => body.len() == 6,
        (true, _) => body.len() <= 24,
        _ => false,
    };
    match (fits, frame.v6, frame.function) {
        (false, ..) => Probe::No,
        (true, false, 0 | 3 | 7) => Probe::YesFromServer,
        (true, false, _) => Probe::Yes,
        (true, true, _) => Probe::Unsure,
    }
}

fn probe_network(bytes: &[u8]) -> Probe {
    let Some(npdu) = Npdu::read(bytes) else { return Probe::No };
    let Content::Application(bytes) = npdu.content else { return Probe::Yes };
    match Apdu::read(bytes) {
        Some(Apdu::Request { service, .. }) if names::confirmed(service).is_some() => Probe::Yes,
        Some(Apdu::Unconfirmed { service, .. }) if names::unconfirmed(service).is_some() => Probe::Yes,
        Some(Apdu::Done { service, .. } | Apdu::Answer { service, .. } | Apdu::Error { service, .. })
            if names::confirmed(service).is_some() =>
        {
            Probe::YesFromServer
        }
        Some(Apdu::Reject { .. } | Apdu::Abort { by_server: true, .. }) => Probe::YesFromServer,
        Some(Apdu::SegmentAck { .. } | Apdu::Abort { .. }) => Probe::Yes,
        _ => Probe::No,
    }
}

/// Where a PDU was seen, and between whom.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    at: At,
    /// The device that sent it: for a forwarded PDU the original sender.
    sender: Endpoint,
    receiver: Endpoint,
    forwarder: Option<Endpoint>,
    /// The device behind the receiver that it is for.
    destination: Option<Remote>,
    /// The device behind the sender that it is from.
    source: Option<Remote>,
}

/// What an answer is found by: the client and its invoke id. Which device answers is compared after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    client: Endpoint,
    origin: Option<Remote>,
    invoke: u8,
}

/// A link function while it waits for its result.
#[derive(Debug)]
struct LinkAsk {
    place: Place,
    function: u8,
    body: Vec<u8>,
}

/// Reads one flow. Both ends may be client and server.
struct BacnetFlow {
    waiting: Pairing<Key, Ask>,
    links: Pairing<Endpoint, LinkAsk>,
    segments: Segments,
    teller: Teller,
    /// Notifications that were not told one by one, and the place of the last.
    repeated: Option<(Place, u64)>,
}

impl Default for BacnetFlow {
    fn default() -> Self {
        BacnetFlow {
            waiting: Pairing::new(WAITING_LIMIT),
            links: Pairing::new(LINK_WAITING_LIMIT),
            segments: Segments::default(),
            teller: Teller::default(),
            repeated: None,
        }
    }
}

impl Analyzer for BacnetFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let place = Place {
            at: pdu.at,
            sender: pdu.sender(),
            receiver: pdu.receiver(),
            forwarder: None,
            destination: None,
            source: None,
        };
        if matches!(pdu.flow.transport, Transport::Link(_)) {
            return self.network(place, pdu.data, pdu.cut, out);
        }
        let Some(frame) = Frame::read(pdu.data) else {
            return malformed(&place, pdu.cut, "bacnet_link_malformed", "link header is not sound", out);
        };
        if usize::from(frame.length) != pdu.data.len() && !pdu.cut {
            weird(&place, "bacnet_length_mismatch", "datagram is not as long as its length field says", out);
        }
        match frame.carries {
            Carries::Network(npdu) => self.network(place, npdu, pdu.cut, out),
            Carries::Forwarded(origin, npdu) => {
                let place = Place { sender: origin, forwarder: Some(place.sender), ..place };
                self.network(place, npdu, pdu.cut, out);
            }
            Carries::Link(body) => self.link(place, &frame, body, out),
            Carries::Secured => out.mark(Mark::Opaque("encrypted")),
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        asks.iter().for_each(|ask| self.unanswered(ask, out));
        let links: Vec<LinkAsk> = self.links.drain().collect();
        links.iter().for_each(|ask| self.teller.link(&ask.place, ask.function, &ask.body, None, out));
        if let Some((place, count)) = self.repeated.take() {
            self.teller.notifications(&place, count, out);
        }
        self.teller.close(out);
    }
}

fn malformed(place: &Place, cut: bool, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    if cut {
        out.mark(Mark::Undecoded("cut by the capture"));
    } else {
        weird(place, name, reason, out);
    }
}

impl BacnetFlow {
    fn link(&mut self, place: Place, frame: &Frame<'_>, body: &[u8], out: &mut dyn Sink) {
        if frame.v6 {
            return out.mark(Mark::Undecoded("link function of BACnet/IPv6"));
        }
        match frame.function {
            0 => {
                let code = body.first_chunk().map(|code| u16::from_be_bytes(*code));
                match (self.links.answer(&place.receiver), code) {
                    (Some(ask), Some(code)) => {
                        self.teller.link(&ask.place, ask.function, &ask.body, Some((place.at, code)), out);
                    }
                    (Some(ask), None) => self.teller.link(&ask.place, ask.function, &ask.body, None, out),
                    (None, _) => self.teller.link(&place, 0, body, None, out),
                }
            }
            3 | 7 => {
                if let Some(ask) = self.links.answer(&place.receiver) {
                    self.teller.link(&ask.place, ask.function, &ask.body, Some((place.at, 0)), out);
                }
                self.teller.link(&place, frame.function, body, None, out);
            }
            function => {
                let ask = LinkAsk { place, function, body: body.to_vec() };
                if let Some(ask) = self.links.ask(place.sender, ask) {
                    self.teller.link(&ask.place, ask.function, &ask.body, None, out);
                }
            }
        }
    }

    fn network(&mut self, place: Place, bytes: &[u8], cut: bool, out: &mut dyn Sink) {
        let Some(npdu) = Npdu::read(bytes) else {
            return malformed(&place, cut, "bacnet_network_malformed", "network header is not sound", out);
        };
        let place = Place { destination: npdu.destination, source: npdu.source, ..place };
        match npdu.content {
            Content::Message(message, body) => self.teller.network(&place, message, body, out),
            Content::Application(bytes) => match Apdu::read(bytes) {
                Some(apdu) => self.application(&place, apdu, cut, out),
                None => malformed(&place, cut, "bacnet_apdu_malformed", "application header is not sound", out),
            },
        }
    }

    fn application(&mut self, place: &Place, apdu: Apdu<'_>, cut: bool, out: &mut dyn Sink) {
        match apdu {
            Apdu::Request { invoke, service, segment: None, body } => {
                self.check(place, Choice::Confirmed(service), body, cut, out);
                self.request(place, invoke, service, body, None, out);
            }
            Apdu::Request { invoke, service, segment: Some(segment), body } => {
                if let Some(whole) = self.assemble(place, invoke, true, segment, body) {
                    self.request(place, invoke, service, &whole.data, Some(whole.count), out);
                }
            }
            Apdu::Unconfirmed { service, body } => {
                self.check(place, Choice::Unconfirmed(service), body, cut, out);
                if !self.teller.unconfirmed(place, service, body, out) {
                    let count = self.repeated.map_or(0, |(_, count)| count);
                    self.repeated = Some((*place, count.saturating_add(1)));
                }
            }
            Apdu::Done { invoke, service } => {
                self.reply(place, invoke, Some(service), End::Done(&[]), None, false, out)
            }
            Apdu::Answer { invoke, service, segment: None, body } => {
                if !cut && !service::answered(service, body, &mut |_| ()) {
                    weird(place, "bacnet_service_malformed", "answer breaks the syntax of its service", out);
                }
                self.reply(place, invoke, Some(service), End::Done(body), None, false, out);
            }
            Apdu::Answer { invoke, service, segment: Some(segment), body } => {
                if let Some(whole) = self.assemble(place, invoke, false, segment, body) {
                    let end = End::Done(&whole.data);
                    self.reply(place, invoke, Some(service), end, Some(whole.count), whole.broken, out);
                }
            }
            Apdu::SegmentAck { .. } => {}
            Apdu::Error { invoke, service, body } => {
                let failure = service::failure(body);
                if failure.is_none() && !cut {
                    weird(place, "bacnet_error_malformed", "error without class and code", out);
                }
                self.reply(place, invoke, Some(service), End::Error(failure), None, false, out);
            }
            Apdu::Reject { invoke, reason } => self.reply(place, invoke, None, End::Reject(reason), None, false, out),
            Apdu::Abort { invoke, reason, by_server: true } => {
                self.reply(place, invoke, None, End::Abort(reason), None, false, out);
            }
            Apdu::Abort { invoke, reason, by_server: false } => self.given_up(place, invoke, reason, out),
        }
    }

    fn check(&self, place: &Place, choice: Choice, body: &[u8], cut: bool, out: &mut dyn Sink) {
        let known = match choice {
            Choice::Confirmed(service) => names::confirmed(service).is_some(),
            Choice::Unconfirmed(service) => names::unconfirmed(service).is_some(),
        };
        match choice {
            _ if !known => weird(place, "bacnet_service_unknown", "service choice is not of the standard", out),
            _ if !cut && !service::asked(choice, body, &mut |_| ()) => {
                weird(place, "bacnet_service_malformed", "request breaks the syntax of its service", out);
            }
            Choice::Confirmed(13 | 18 | 24 | 25 | 30..) | Choice::Unconfirmed(4 | 11..) => {
                out.mark(Mark::Undecoded("service without public layout or rarely built"));
            }
            _ => {}
        }
    }

    fn assemble(
        &mut self,
        place: &Place,
        invoke: u8,
        asks: bool,
        segment: Segment,
        body: &[u8],
    ) -> Option<segments::Assembled> {
        let source = Source { sender: place.sender, remote: place.source, invoke, asks };
        self.segments.take(source, segment, body)
    }

    fn request(
        &mut self,
        place: &Place,
        invoke: u8,
        service: u8,
        body: &[u8],
        segments: Option<u32>,
        out: &mut dyn Sink,
    ) {
        let key = Key { client: place.sender, origin: place.source, invoke };
        // An invoke id that is used again has been given up, or the request is sent again.
        if let Some(earlier) = self.waiting.answer_where(&key, |ask| ask.remote == place.destination) {
            self.unanswered(&earlier, out);
        }
        let ask = Ask {
            at: place.at,
            client: place.sender,
            server: place.receiver,
            remote: place.destination,
            origin: place.source,
            forwarder: place.forwarder,
            invoke,
            service,
            segments,
            body: body.to_vec(),
        };
        if let Some(oldest) = self.waiting.ask(key, ask) {
            self.unanswered(&oldest, out);
        }
    }

    fn unanswered(&mut self, ask: &Ask, out: &mut dyn Sink) {
        let exchange = Exchange { ask, seen: true, ended: None, end: End::Unknown, segments: None, broken: false };
        self.teller.exchange(&exchange, out);
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a reply PDU")]
    fn reply(
        &mut self,
        place: &Place,
        invoke: u8,
        service: Option<u8>,
        end: End<'_>,
        segments: Option<u32>,
        broken: bool,
        out: &mut dyn Sink,
    ) {
        let key = Key { client: place.receiver, origin: place.destination, invoke };
        let same = |ask: &Ask| service.is_none_or(|service| service == ask.service);
        let found = self
            .waiting
            .answer_where(&key, |ask| same(ask) && ask.remote == place.source)
            // A router rejects for the devices behind it; a station that moved answers from another address.
            .or_else(|| self.waiting.answer_where(&key, same));
        let seen = found.is_some();
        let ask = found.unwrap_or_else(|| Ask {
            at: place.at,
            client: place.receiver,
            server: place.sender,
            remote: place.source,
            origin: place.destination,
            forwarder: place.forwarder,
            invoke,
            service: service.unwrap_or(u8::MAX),
            segments: None,
            body: Vec::new(),
        });
        let exchange = Exchange { ask: &ask, seen, ended: Some(place.at), end, segments, broken };
        self.teller.exchange(&exchange, out);
    }

    /// The client itself gives up.
    fn given_up(&mut self, place: &Place, invoke: u8, reason: u8, out: &mut dyn Sink) {
        let key = Key { client: place.sender, origin: place.source, invoke };
        let Some(ask) = self.waiting.answer(&key) else { return };
        let end = End::Abort(reason);
        let exchange = Exchange { ask: &ask, seen: true, ended: Some(place.at), end, segments: None, broken: false };
        self.teller.exchange(&exchange, out);
    }
}
