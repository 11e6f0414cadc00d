//! EIGRP (RFC 7868), IP protocol 88: Cisco's routers find each other by hellos and tell what networks they reach.

mod names;
mod packet;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{
    Attribute, Credential, Direction, Mark, Observation, Operation, OperationClass, Sink, Transport, Weakness,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::{Analyzer, Probe, Protocol};

use packet::{AUTHENTICATION, Content, Header, elements};

const PROTOCOL: &str = "eigrp";
/// IANA protocol number.
const IP_PROTOCOL: u8 = 88;
/// Routes told of one packet.
const MAX_ROUTES: usize = 128;
/// Elements told of one packet.
const MAX_ELEMENTS: usize = 256;
/// Bytes of a hello that are compared with the next one's.
const MAX_HELLO: usize = 512;

/// The registry entry.
pub struct Eigrp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "EIGRP",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 7868",
    found: "Cisco routers and switches between yard, cranes and office",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Hellos at first and on change with metric coefficients, hold time, software version, stub role and authentication; \
            every update, query and reply with its routes of IPv4 and IPv6, classic and wide. Digests are not verified; routes of \
            IPX and AppleTalk and services are counted.",
};

impl Protocol for Eigrp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let ours = pdu.flow.transport == Transport::Ip(IP_PROTOCOL) && Header::read(pdu.data).is_some();
        if ours { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Talk::default())
    }
}

/// What two routers, or one and a group of them, say.
#[derive(Default)]
struct Talk {
    /// The last hello of each end, without what differs each time.
    hellos: [Vec<u8>; 2],
    content: Content,
    claims: Claims,
    detail: DetailJson,
    line: String,
    text: String,
    scratch: Vec<u8>,
}

impl Analyzer for Talk {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some((header, rest)) = Header::read(pdu.data) else {
            return malformed_if_whole(PROTOCOL, pdu, "eigrp_packet_malformed", "header is not sound", out);
        };
        let sound = self.read(rest);
        if header.code == 5 {
            self.hello(pdu, &header, rest, out);
        } else {
            self.routes(pdu, &header, out);
        }
        if !sound {
            let reason = "an element is shorter than its type asks for, or longer than its packet";
            malformed_if_whole(PROTOCOL, pdu, "eigrp_element_malformed", reason, out);
        }
    }
}

impl Talk {
    /// Reads the elements; whether all were sound.
    fn read(&mut self, rest: &[u8]) -> bool {
        self.content.clear();
        let mut sound = true;
        for element in elements(rest) {
            let Some((kind, value)) = element else { return false };
            if self.content.kinds.len() < MAX_ELEMENTS {
                self.content.kinds.push(kind);
            }
            sound &= self.content.element(kind, value).is_some();
        }
        sound
    }

    fn begin(&mut self, header: &Header) {
        self.detail.clear();
        self.detail.number("as", header.system);
        self.detail.number("virtual_router", header.router);
        self.detail.number("flags", header.flags);
        if header.flags != 0 {
            self.detail.texts("flag_names", names::set(names::FLAGS, header.flags));
        }
        self.detail.number("sequence", header.sequence);
        self.detail.number("acknowledge", header.acknowledge);
        self.detail.numbers("elements", self.content.kinds.iter().map(|kind| u32::from(*kind)));
        if let Some(authentication) = self.content.authentication {
            self.detail.text("authentication", authentication.name());
            self.detail.number("authentication_type", authentication.kind);
            self.detail.number("key_id", authentication.key);
        }
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "as {}", header.system);
    }

    fn emit(&self, pdu: &Pdu<'_>, header: &Header, quantity: Option<usize>, line: &str, out: &mut dyn Sink) {
        let (name, class) = names::packet(header.code).unwrap_or(("", OperationClass::Session));
        let operation = Operation {
            protocol: PROTOCOL,
            client: pdu.sender(),
            server: pdu.receiver(),
            unit: None,
            code: u32::from(header.code),
            name,
            class,
            object: &self.text,
            quantity: quantity.and_then(|count| u64::try_from(count).ok()),
            status: None,
            status_name: "",
            latency: None,
            request_frame: Some(pdu.at.frame),
            reply_frame: None,
            detail: line,
        };
        out.emit(pdu.at, Observation::Operation(operation));
    }

    fn finish(&mut self, pdu: &Pdu<'_>, header: &Header, quantity: Option<usize>, out: &mut dyn Sink) {
        let mut line = std::mem::take(&mut self.line);
        self.emit(pdu, header, quantity, self.detail.object(&mut line), out);
        self.line = line;
    }

    /// A hello is told at first and when it says something else; one that only acknowledges says nothing.
    fn hello(&mut self, pdu: &Pdu<'_>, header: &Header, rest: &[u8], out: &mut dyn Sink) {
        if header.is_acknowledgement() || !self.is_news(pdu.direction, header, rest) {
            return;
        }
        self.begin(header);
        if let Some(parameters) = self.content.parameters {
            self.detail.numbers("coefficients", parameters.coefficients.map(u32::from));
            self.detail.number("hold_seconds", parameters.hold);
            if parameters.is_leaving() {
                self.detail.flag("leaving", true);
            }
        }
        if let Some([major, minor, element_major, element_minor]) = self.content.software {
            self.detail.text("software_release", format_args!("{major}.{minor}"));
            self.detail.text("element_version", format_args!("{element_major}.{element_minor}"));
        }
        if let Some(stub) = self.content.stub {
            self.detail.number("stub", stub);
            self.detail.texts("stub_names", names::set(names::STUB, u32::from(stub)));
        }
        self.finish(pdu, header, None, out);
        if self.content.parameters.is_some_and(|parameters| !parameters.is_leaving()) {
            self.authentication(pdu, out);
            self.identify(pdu, header, out);
        }
    }

    /// Whether this hello differs from the sender's last one; the digest and its sequence number always do.
    fn is_news(&mut self, direction: Direction, header: &Header, rest: &[u8]) -> bool {
        self.scratch.clear();
        self.scratch.extend_from_slice(&header.router.to_be_bytes());
        self.scratch.extend_from_slice(&header.system.to_be_bytes());
        self.scratch.extend_from_slice(&header.flags.to_be_bytes());
        let head = self.scratch.len();
        for (kind, value) in elements(rest).flatten().filter(|(kind, _)| !packet::is_passing(*kind)) {
            self.scratch.extend_from_slice(&kind.to_be_bytes());
            let value = if kind == AUTHENTICATION { value.get(..8).unwrap_or(value) } else { value };
            self.scratch.extend_from_slice(value);
        }
        // A hello that only orders the next packet stands between others that say the same.
        if self.scratch.len() == head {
            return false;
        }
        self.scratch.truncate(MAX_HELLO);
        let [client, server] = &mut self.hellos;
        let last = if direction == Direction::FromClient { client } else { server };
        if *last == self.scratch {
            return false;
        }
        std::mem::swap(last, &mut self.scratch);
        true
    }

    fn authentication(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (client, server, protocol, account) = (pdu.sender(), pdu.receiver(), PROTOCOL, "");
        let (weakness, rule) = match self.content.authentication.map(|authentication| authentication.kind) {
            None => (Weakness::Anonymous, "routers accept each other without authentication"),
            Some(2) => (Weakness::WeakScheme, "authentication of routers by keyed MD5"),
            Some(_) => return,
        };
        self.claims.credential(out, pdu.at, Credential { client, server, protocol, account, weakness, rule });
    }

    fn identify(&mut self, pdu: &Pdu<'_>, header: &Header, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        self.text.clear();
        let _ = write!(self.text, "eigrp as {}", header.system);
        self.claims.identify(out, pdu.at, subject, (Attribute::Router, &self.text, "eigrp hello"));
        if let Some([major, minor, element_major, element_minor]) = self.content.software {
            self.text.clear();
            let _ = write!(self.text, "EIGRP release {major}.{minor}, elements {element_major}.{element_minor}");
            self.claims.identify(out, pdu.at, subject, (Attribute::Software, &self.text, "eigrp software version"));
        }
        if self.content.stub.is_some() {
            self.claims.identify(out, pdu.at, subject, (Attribute::Capability, "stub router", "eigrp stub options"));
        }
    }

    /// Everything but hellos tells or asks for routes.
    fn routes(&mut self, pdu: &Pdu<'_>, header: &Header, out: &mut dyn Sink) {
        self.begin(header);
        let routes = &self.content.routes;
        if !routes.is_empty() {
            self.detail.texts("routes", routes);
        }
        if routes.iter().any(|route| route.prefix.is_default() && !route.is_unreachable()) {
            self.detail.flag("default_route", true);
        }
        let unreachable = routes.iter().filter(|route| route.is_unreachable()).count();
        if unreachable > 0 {
            self.detail.number("unreachable", i64::try_from(unreachable).unwrap_or(i64::MAX));
        }
        let count = routes.len();
        if count == 0 && self.content.unread > 0 {
            out.mark(Mark::Undecoded("routes of a family other than IP"));
        }
        self.finish(pdu, header, Some(count), out);
    }
}
