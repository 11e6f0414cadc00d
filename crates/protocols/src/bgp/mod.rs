//! BGP-4 (RFC 4271): routers of different owners, or of one large network, tell each other what networks they reach and by whom.

mod message;
mod names;
#[cfg(test)]
mod tests;
mod update;

use std::fmt::Write as _;

use quaywatch_model::{Attribute, Direction, Mark, Observation, Operation, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol};

use message::{AS_TRANS, Ability, HEADER, LONGEST, Notification, Open};
use update::{Style, Update};

const PROTOCOL: &str = "bgp";
/// Updates of a flow that make a row each; a table of the whole Internet has a million routes. The others are counted and told as
/// one row when the flow ends.
const MAX_UPDATES: u64 = 2000;
/// What a segment must hold of a header to be probed: the marker is all ones, which other things are too.
const MARKER: usize = 16;

/// The registry entry.
pub struct Bgp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "BGP",
    tcp: &[179],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 4271, RFC 4760, RFC 5492, RFC 6793, RFC 7911, RFC 9003",
    found: "routers to the carrier, to the port authority and between sites",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Opens with capabilities, updates of IPv4 and IPv6 with their main attributes, notifications, refreshes. Of other families, \
            large and extended communities the presence only.",
};

impl Protocol for Bgp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        match message::length(pdu.data) {
            Length::Whole(_) => Probe::Yes,
            Length::NeedMore if pdu.data.len() >= MARKER => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(BgpFlow { sides: [Resync::new(LONGEST), Resync::new(LONGEST)], talk: Talk::default() })
    }
}

struct BgpFlow {
    sides: [Resync; 2],
    talk: Talk,
}

impl Analyzer for BgpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let BgpFlow { sides: [from_client, from_server], talk } = self;
        let side = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let starts = |bytes: &[u8]| matches!(message::length(bytes), Length::Whole(_));
        match side.push(pdu.data, starts, message::length, |message| talk.message(message, pdu, out)) {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("bgp after a gap")),
            Err(_) => {
                let reason = "no marker of all ones with a length that its type may have";
                malformed(PROTOCOL, pdu, "bgp_header_malformed", reason, out);
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _: &mut dyn Sink) {
        let [from_client, from_server] = &mut self.sides;
        if direction == Direction::FromClient { from_client.gap() } else { from_server.gap() }
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.talk.close(flow, out);
    }
}

/// What the two ends of a session say.
#[derive(Default)]
struct Talk {
    abilities: [Ability; 2],
    keepalives: [u64; 2],
    updates: u64,
    /// Of updates that made no row: their place, and networks told and withdrawn.
    untold: Option<(quaywatch_model::At, u64, usize, usize)>,
    update: Update,
    claims: Claims,
    detail: DetailJson,
    line: String,
    text: String,
}

const fn side(direction: Direction) -> usize {
    match direction {
        Direction::FromClient => 0,
        Direction::FromServer => 1,
    }
}

impl Talk {
    fn message(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let kind = message.get(HEADER - 1).copied().unwrap_or(0);
        let body = message.get(HEADER..).unwrap_or_default();
        self.detail.clear();
        self.text.clear();
        let whole = match kind {
            1 => self.open(body, pdu, out),
            2 => self.update(body, pdu, out),
            3 => self.notification(body, pdu, out),
            4 => self.keepalive(pdu, out),
            _ => self.refresh(body, pdu, out),
        };
        if whole.is_none() {
            let reason = "a field of the message is longer than what is left of it";
            malformed(PROTOCOL, pdu, "bgp_message_malformed", reason, out);
        }
    }

    fn emit(&mut self, pdu: &Pdu<'_>, kind: u8, quantity: Option<usize>, out: &mut dyn Sink) {
        let (name, class) = names::message(kind).unwrap_or(("", OperationClass::Session));
        let operation = Operation {
            protocol: PROTOCOL,
            client: pdu.sender(),
            server: pdu.receiver(),
            unit: None,
            code: u32::from(kind),
            name,
            class,
            object: &self.text,
            quantity: quantity.and_then(|count| u64::try_from(count).ok()),
            status: None,
            status_name: "",
            latency: None,
            request_frame: Some(pdu.at.frame),
            reply_frame: None,
            detail: self.detail.object(&mut self.line),
        };
        out.emit(pdu.at, Observation::Operation(operation));
    }

    fn open(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let open = Open::read(body)?;
        if let Some(ability) = self.abilities.get_mut(side(pdu.direction)) {
            *ability = open.ability;
        }
        self.detail.number("version", open.version);
        self.detail.number("as", open.system);
        if open.short_system != AS_TRANS && u32::from(open.short_system) != open.system {
            self.detail.number("as_of_two_octets", open.short_system);
        }
        self.detail.text("router_id", open.identifier);
        self.detail.number("hold_seconds", open.hold);
        if !open.capabilities.is_empty() {
            self.detail.numbers("capabilities", open.capabilities.iter().map(|code| u32::from(*code)));
            self.detail.texts("capability_names", open.capabilities.iter().map(|code| names::capability(*code)));
        }
        if !open.families.is_empty() {
            self.detail.numbers("families", open.families.iter().map(|(family, _)| u32::from(*family)));
            self.detail.numbers("subfamilies", open.families.iter().map(|(_, usage)| u32::from(*usage)));
        }
        if let Some(role) = open.role {
            self.detail.number("role", role);
        }
        for (key, value) in [("host_name", &open.host_name), ("domain", &open.domain), ("software", &open.software)] {
            if let Some(value) = value {
                self.detail.text(key, value);
            }
        }
        let _ = write!(self.text, "as {} router {}", open.system, open.identifier);
        self.emit(pdu, 1, None, out);
        self.identify(&open, pdu, out);
        open.whole.then_some(())
    }

    fn identify(&mut self, open: &Open, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        self.text.insert_str(0, "bgp ");
        self.claims.identify(out, pdu.at, subject, (Attribute::Router, &self.text, "bgp open"));
        for (attribute, value) in [
            (Attribute::HostName, &open.host_name),
            (Attribute::Domain, &open.domain),
            (Attribute::Software, &open.software),
        ] {
            if let Some(value) = value {
                self.claims.identify(out, pdu.at, subject, (attribute, value, "bgp capability"));
            }
        }
    }

    fn notification(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let notification = Notification::read(body)?;
        self.detail.number("error", notification.code);
        self.detail.number("suberror", notification.detail);
        if let Some(communication) = &notification.communication {
            self.detail.text("communication", communication);
        }
        self.text.push_str(&notification.name());
        self.emit(pdu, 3, None, out);
        Some(())
    }

    /// The first of each end, which says that it took the other's open; the others only keep the session.
    fn keepalive(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let count = self.keepalives.get_mut(side(pdu.direction))?;
        *count += 1;
        if *count == 1 {
            self.emit(pdu, 4, None, out);
        }
        Some(())
    }

    /// RFC 2918 section 3; the middle byte says begin or end of a refresh (RFC 7313 section 4).
    fn refresh(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut cursor = Cursor::new(body);
        let (family, kind, usage) = (cursor.be16()?, cursor.u8()?, cursor.u8()?);
        self.detail.number("family", family);
        self.detail.number("subfamily", usage);
        self.detail.number("subtype", kind);
        let _ = write!(self.text, "family {family} {usage}");
        self.emit(pdu, 5, None, out);
        Some(())
    }

    /// How the sender writes updates, as both opens agreed.
    fn style(&self, direction: Direction) -> Style {
        let [client, server] = &self.abilities;
        let (sender, receiver) = if direction == Direction::FromClient { (client, server) } else { (server, client) };
        if !sender.known || !receiver.known {
            return Style::default();
        }
        let [sends_4, sends_6] = sender.paths.map(|mode| mode & 2 != 0);
        let [takes_4, takes_6] = receiver.paths.map(|mode| mode & 1 != 0);
        Style {
            four_octets: Some(sender.four_octets && receiver.four_octets),
            paths: [sends_4 && takes_4, sends_6 && takes_6],
        }
    }

    fn update(&mut self, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let whole = self.update.read(body, self.style(pdu.direction));
        self.updates += 1;
        let (told, withdrawn) = (self.update.route_count, self.update.withdrawn_count);
        if self.updates > MAX_UPDATES {
            let untold = self.untold.get_or_insert((pdu.at, 0, 0, 0));
            let (_, updates, routes, gone) = *untold;
            *untold = (pdu.at, updates + 1, routes.saturating_add(told), gone.saturating_add(withdrawn));
            return whole;
        }
        self.tell_update();
        if self.update.unread > 0 && told + withdrawn == 0 {
            out.mark(Mark::Undecoded("bgp routes of another family"));
        }
        self.emit(pdu, 2, Some(told + withdrawn), out);
        whole
    }

    fn tell_update(&mut self) {
        let Update { routes, withdrawn, .. } = &self.update;
        match (routes.as_slice(), withdrawn.as_slice()) {
            _ if self.update.is_end_of_table() => self.text.push_str("end of table"),
            ([first, ..], _) => name_first(&mut self.text, first, self.update.route_count),
            ([], [first, ..]) => {
                self.text.push_str("withdrawn ");
                name_first(&mut self.text, first, self.update.withdrawn_count);
            }
            _ => {}
        }
        let (update, detail) = (&self.update, &mut self.detail);
        if !update.attributes.is_empty() {
            detail.numbers("attributes", update.attributes.iter().map(|kind| u32::from(*kind)));
        }
        if let Some(origin) = update.origin {
            detail.text("origin", names::origin(origin));
        }
        if update.attributes.contains(&2) {
            detail.text("as_path", &update.path);
        }
        if let Some(hop) = update.next_hop {
            detail.text("next_hop", hop);
        }
        if let Some(hop) = update.link_local {
            detail.text("next_hop_on_link", hop);
        }
        if let Some(discriminator) = update.discriminator {
            detail.number("multi_exit_discriminator", discriminator);
        }
        if let Some(preference) = update.preference {
            detail.number("local_preference", preference);
        }
        if !update.communities.is_empty() {
            detail.texts("communities", &update.communities);
        }
        if !routes.is_empty() {
            detail.texts("routes", routes);
        }
        if update.has_default_route() {
            detail.flag("default_route", true);
        }
        if !withdrawn.is_empty() {
            detail.texts("withdrawn", withdrawn);
        }
    }

    /// What of a large table made no row of its own.
    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        let Some((at, updates, routes, withdrawn)) = self.untold.take() else { return };
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.detail.clear();
        self.detail.number("updates", i64::try_from(updates).unwrap_or(i64::MAX));
        self.detail.number("route_count", count(routes));
        self.detail.number("withdrawn_count", count(withdrawn));
        let operation = Operation {
            protocol: PROTOCOL,
            client: flow.client,
            server: flow.server,
            unit: None,
            code: 2,
            name: "updates",
            class: OperationClass::Cyclic,
            object: "",
            quantity: Some(updates),
            status: None,
            status_name: "",
            latency: None,
            request_frame: Some(at.frame),
            reply_frame: None,
            detail: self.detail.object(&mut self.line),
        };
        out.emit(at, Observation::Operation(operation));
    }
}

/// Names the first route and counts the others.
fn name_first(text: &mut String, first: &update::Route, count: usize) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{first}");
    if count > 1 {
        let _ = write!(text, " and {} more", count - 1);
    }
}
