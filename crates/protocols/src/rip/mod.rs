//! RIP version 1 (RFC 1058) and 2 (RFC 2453) and RIPng for IPv6 (RFC 2080): routers tell each other every half minute what
//! networks they reach.

mod message;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
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

use message::{Authentication, INFINITY, Message, Network, REQUEST, RESPONSE, Route};

/// Assigned ports.
const PORT: u16 = 520;
const PORT_NG: u16 = 521;
/// Routes remembered of a sender. Those beyond are told with the others of their message, but do not make it news.
const MAX_ROUTES: usize = 512;
/// Routes told of one message; `quantity` counts all.
const MAX_TOLD: usize = 128;
/// Digest of keyed MD5 (RFC 2082); those of RFC 4822 are longer.
const MD5_BYTES: usize = 16;

/// RIP for IPv4.
pub struct Rip;
/// RIP for IPv6.
pub struct Ripng;

static META: ProtocolMeta = ProtocolMeta {
    name: "rip",
    title: "RIP",
    tcp: &[],
    udp: &[PORT],
    ethertypes: &[],
    spec: "RFC 1058 (version 1), RFC 2453 (version 2), RFC 2082, RFC 4822",
    found: "old routers, cellular routers, firewalls and some terminal servers",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Requests; responses with their routes at first and when a route is new or changed; kind of authentication. Digests are \
            not verified; the obsolete commands are named only.",
};

static META_NG: ProtocolMeta = ProtocolMeta {
    name: "ripng",
    title: "RIPng",
    tcp: &[],
    udp: &[PORT_NG],
    ethertypes: &[],
    spec: "RFC 2080",
    found: "routers of networks with IPv6",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Requests; responses with their routes at first and when a route is new or changed.",
};

/// Whether the message is without fault and has something to say.
fn is_sound(message: Option<Message>, routes: &[Route]) -> bool {
    message.is_some_and(|message| {
        let known = matches!(message.command, REQUEST | RESPONSE);
        known && message.fault.is_none() && !routes.is_empty()
    })
}

fn has_port(pdu: &Pdu<'_>, port: u16) -> bool {
    pdu.flow.client.port == port || pdu.flow.server.port == port
}

fn probe(pdu: &Pdu<'_>, read: Read, version: std::ops::RangeInclusive<u8>, port: u16) -> Probe {
    if pdu.flow.transport != Transport::Udp {
        return Probe::No;
    }
    let Some((_, said)) = message::header(pdu.data) else { return Probe::No };
    if !version.contains(&said) {
        return Probe::No;
    }
    let mut routes = Vec::new();
    if is_sound(read(pdu.data, &mut routes), &routes) {
        return Probe::Yes;
    }
    // What breaks the rules is told where it is addressed to routers.
    if has_port(pdu, port) { Probe::Unsure } else { Probe::No }
}

impl Protocol for Rip {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let four = pdu.sender().address.ip().is_some_and(|address| address.is_ipv4());
        if four { probe(pdu, message::read, 1..=2, PORT) } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Talk::new("rip", message::read, "rip response"))
    }
}

impl Protocol for Ripng {
    fn meta(&self) -> &'static ProtocolMeta {
        &META_NG
    }

    /// Any bytes make an entry of RIPng, so away from its port the networks must be such as exist.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let six = pdu.sender().address.ip().is_some_and(|address| address.is_ipv6());
        let plausible = has_port(pdu, PORT_NG) || message::is_plausible_ng(pdu.data);
        if six && plausible { probe(pdu, message::read_ng, 1..=1, PORT_NG) } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Talk::new("ripng", message::read_ng, "ripng response"))
    }
}

type Read = fn(&[u8], &mut Vec<Route>) -> Option<Message>;

/// What one end has told so far.
type Table = HashMap<Network, Route>;

struct Talk {
    protocol: &'static str,
    read: Read,
    method: &'static str,
    tables: [Table; 2],
    routes: Vec<Route>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    text: String,
}

impl Talk {
    fn new(protocol: &'static str, read: Read, method: &'static str) -> Self {
        Talk {
            protocol,
            read,
            method,
            tables: [Table::new(), Table::new()],
            routes: Vec::new(),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
            text: String::new(),
        }
    }

    fn authentication(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) {
        let (client, server, protocol, account) = (pdu.sender(), pdu.receiver(), self.protocol, "");
        let (weakness, rule) = match message.authentication {
            Authentication::None => (Weakness::Anonymous, "routers accept each other without authentication"),
            Authentication::Password { empty: true } => {
                (Weakness::Empty, "authentication of routers with an empty text")
            }
            Authentication::Password { empty: false } => {
                (Weakness::ClearText, "authentication of routers sent readable")
            }
            Authentication::Digest { length: MD5_BYTES, .. } => {
                (Weakness::WeakScheme, "authentication of routers by keyed MD5")
            }
            _ => return,
        };
        self.claims.credential(out, pdu.at, Credential { client, server, protocol, account, weakness, rule });
    }

    /// Notes what the sender reaches; how many of the routes are new or differ from what it said before.
    fn changed(&mut self, direction: Direction) -> usize {
        let [client, server] = &mut self.tables;
        let table = if direction == Direction::FromClient { client } else { server };
        let mut changed = 0;
        for route in &self.routes {
            let full = table.len() >= MAX_ROUTES;
            match table.get_mut(&route.network) {
                Some(known) if known == route => continue,
                Some(known) => *known = *route,
                None if full => continue,
                None => {
                    table.insert(route.network, *route);
                }
            }
            changed += 1;
        }
        changed
    }

    fn begin(&mut self, message: &Message) {
        self.detail.clear();
        self.detail.number("version", message.version);
        self.detail.text("authentication", message.authentication.name());
        if let Some(kind) = message.authentication.kind() {
            self.detail.number("authentication_type", kind);
        }
        if let Authentication::Digest { key, .. } = message.authentication {
            self.detail.number("key_id", key);
        }
        self.text.clear();
    }

    fn emit(&mut self, pdu: &Pdu<'_>, code: u8, name: &str, class: OperationClass, out: &mut dyn Sink) {
        let operation = Operation {
            protocol: self.protocol,
            client: pdu.sender(),
            server: pdu.receiver(),
            unit: None,
            code: u32::from(code),
            name,
            class,
            object: &self.text,
            quantity: u64::try_from(self.routes.len()).ok(),
            status: None,
            status_name: "",
            latency: None,
            request_frame: Some(pdu.at.frame),
            reply_frame: None,
            detail: self.detail.object(&mut self.line),
        };
        out.emit(pdu.at, Observation::Operation(operation));
    }

    fn request(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) {
        self.begin(message);
        match self.routes.as_slice() {
            [only] if only.asks_for_all() => self.text.push_str("all routes"),
            [] => {}
            routes => {
                name_first(&mut self.text, routes);
                self.detail.texts("networks", routes.iter().take(MAX_TOLD).map(|route| route.network));
            }
        }
        self.emit(pdu, REQUEST, "request", OperationClass::Read, out);
    }

    /// A response is told where it brings news.
    fn response(&mut self, pdu: &Pdu<'_>, message: &Message, out: &mut dyn Sink) {
        let changed = self.changed(pdu.direction);
        if changed == 0 {
            return;
        }
        self.begin(message);
        self.detail.number("changed", i64::try_from(changed).unwrap_or(i64::MAX));
        self.detail.texts("routes", self.routes.iter().take(MAX_TOLD));
        if self.routes.iter().any(|route| route.network.is_default() && !route.is_withdrawn()) {
            self.detail.flag("default_route", true);
        }
        let withdrawn = self.routes.iter().filter(|route| route.metric == INFINITY).count();
        if withdrawn > 0 {
            self.detail.number("withdrawn", i64::try_from(withdrawn).unwrap_or(i64::MAX));
        }
        name_first(&mut self.text, &self.routes);
        self.emit(pdu, RESPONSE, "response", OperationClass::Cyclic, out);
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{} version {}", self.protocol, message.version);
        let subject = pdu.sender().address;
        self.claims.identify(out, pdu.at, subject, (Attribute::Router, &self.text, self.method));
    }
}

/// Names the first route and counts the others.
fn name_first(text: &mut String, routes: &[Route]) {
    let Some((first, others)) = routes.split_first() else { return };
    let _ = write!(text, "{}", first.network);
    if !others.is_empty() {
        let _ = write!(text, " and {} more", others.len());
    }
}

impl Analyzer for Talk {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut routes = std::mem::take(&mut self.routes);
        let message = (self.read)(pdu.data, &mut routes);
        self.routes = routes;
        let Some(message) = message else {
            return malformed_if_whole(self.protocol, pdu, "rip_message_malformed", "header is not sound", out);
        };
        match message.command {
            REQUEST => self.request(pdu, &message, out),
            RESPONSE => self.response(pdu, &message, out),
            _ => return out.mark(Mark::Undecoded("obsolete command")),
        }
        self.authentication(pdu, &message, out);
        if let Some(fault) = message.fault {
            malformed_if_whole(self.protocol, pdu, "rip_message_malformed", fault, out);
        }
    }
}
