//! OSPF, by which routers of one domain find each other and tell what networks they reach: version 2 (RFC 2328) for IPv4 and
//! version 3 (RFC 5340) for IPv6, both IP protocol 89.

mod advertisement;
mod names;
mod packet;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{
    Address, Attribute, Credential, Direction, Mark, Observation, Operation, OperationClass, Sink, Transport, Weakness,
    Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::{malformed, malformed_if_whole};
use crate::{Analyzer, Probe, Protocol};

use advertisement::Content;
use packet::{Authentication, Description, Header, Hello, LENGTH_BEYOND, LSA_HEADER, LsaHeader, Packet};

const PROTOCOL: &str = "ospf";
/// IANA protocol number.
const IP_PROTOCOL: u8 = 89;
/// Advertisements named in one row; `quantity` counts all.
const MAX_HEADERS: usize = 256;
/// Bytes of a hello that are compared with the next one's: 240 neighbours.
const MAX_HELLO: usize = 1024;
/// Digest of keyed MD5, the only one of RFC 2328; those of RFC 5709 are longer.
const MD5_BYTES: u8 = 16;

/// The registry entry.
pub struct Ospf;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "OSPF",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 2328 (version 2), RFC 5340 (version 3), RFC 3101, RFC 5709, RFC 5838, RFC 7166, RFC 7770",
    found: "routers and firewalls between yard, cranes, office and the terminal's other sites",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Hellos at first sight and on change; every database description, request, update and acknowledgement with its \
            advertisements; routes, links, roles and host names; kind of authentication. Traffic engineering and extended \
            advertisements are counted; digests and checksums are not verified.",
};

impl Protocol for Ospf {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let ours = pdu.flow.transport == Transport::Ip(IP_PROTOCOL) && Packet::read(pdu.data, pdu.cut).is_ok();
        if ours { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Talk::default())
    }
}

/// What a hello said that the next one is held against.
#[derive(Default)]
struct Told {
    /// Router id, area, kind of authentication with its key.
    head: Vec<u8>,
    body: Vec<u8>,
}

/// What two routers, or one and a group of them, say.
#[derive(Default)]
struct Talk {
    hellos: [Told; 2],
    content: Content,
    claims: Claims,
    detail: DetailJson,
    line: String,
    text: String,
    scratch: Vec<u8>,
}

impl Analyzer for Talk {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let packet = match Packet::read(pdu.data, pdu.cut) {
            Ok(packet) => packet,
            Err(reason @ LENGTH_BEYOND) => return malformed(PROTOCOL, pdu, "ospf_packet_length", reason, out),
            Err(reason) => return malformed_if_whole(PROTOCOL, pdu, "ospf_packet_malformed", reason, out),
        };
        self.authentication(pdu, &packet.header, out);
        let read = match packet.header.kind {
            1 => self.hello(pdu, &packet, out),
            2 => self.description(pdu, &packet, out),
            3 => self.request(pdu, &packet, out),
            4 => self.update(pdu, &packet, out),
            _ => self.acknowledgement(pdu, &packet, out),
        };
        match read {
            Some(true) => {}
            Some(false) => malformed_if_whole(PROTOCOL, pdu, "ospf_advertisement_malformed", ADVERTISEMENT, out),
            None => malformed_if_whole(PROTOCOL, pdu, "ospf_packet_malformed", BODY, out),
        }
        if !pdu.cut {
            trailer(pdu, &packet, out);
        }
    }
}

const ADVERTISEMENT: &str = "an advertisement is shorter than its kind asks for, or longer than its packet";
const BODY: &str = "the packet is shorter than its type asks for";

/// Tells what stands behind the packet without being announced.
fn trailer(pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) {
    match packet.unexplained() {
        Some(0) => {}
        Some(_) => {
            malformed(PROTOCOL, pdu, "ospf_trailing_bytes", "bytes behind the packet that nothing announces", out)
        }
        None => malformed(PROTOCOL, pdu, "ospf_digest_missing", "the announced digest is not there", out),
    }
}

impl Talk {
    /// What is known of how the sender authenticates; nothing is said of version 3 without trailer, where IPsec may do it.
    fn authentication(&mut self, pdu: &Pdu<'_>, header: &Header, out: &mut dyn Sink) {
        let (client, server, protocol, account) = (pdu.sender(), pdu.receiver(), PROTOCOL, "");
        let (weakness, rule) = match header.authentication {
            Authentication::None => (Weakness::Anonymous, "routers accept each other without authentication"),
            Authentication::Simple { empty: true } => (Weakness::Empty, "authentication of routers with an empty text"),
            Authentication::Simple { empty: false } => (Weakness::ClearText, "authentication of routers sent readable"),
            Authentication::Cryptographic { length: MD5_BYTES, .. } => {
                (Weakness::WeakScheme, "authentication of routers by keyed MD5")
            }
            _ => return,
        };
        self.claims.credential(out, pdu.at, Credential { client, server, protocol, account, weakness, rule });
    }

    /// Starts the detail of a row with what every packet says.
    fn begin(&mut self, header: &Header) {
        self.detail.clear();
        self.detail.number("version", header.version);
        self.detail.text("router_id", header.router);
        self.detail.text("area", header.area);
        self.detail.text("authentication", header.authentication.name());
        match header.authentication {
            Authentication::Cryptographic { key, .. } => self.detail.number("key_id", key),
            Authentication::Trailer { association, .. } => self.detail.number("key_id", association),
            _ => {}
        }
        if let Some(kind) = header.authentication_type {
            self.detail.number("authentication_type", kind);
        }
        if let Some(instance) = header.instance {
            self.detail.number("instance", instance);
        }
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "router {} area {}", header.router, header.area);
    }

    fn options(&mut self, version: u8, options: u32) {
        let table = if version == 2 { names::OPTIONS_2 } else { names::OPTIONS_3 };
        self.detail.number("options", options);
        self.detail.texts("option_names", names::set(table, options));
    }

    fn emit(
        &mut self,
        pdu: &Pdu<'_>,
        header: &Header,
        class: OperationClass,
        quantity: Option<usize>,
        out: &mut dyn Sink,
    ) {
        let operation = Operation {
            protocol: PROTOCOL,
            client: pdu.sender(),
            server: pdu.receiver(),
            unit: None,
            code: u32::from(header.kind),
            name: names::packet(header.kind),
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

    /// A hello is told at first and when it says something else.
    fn hello(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) -> Option<bool> {
        let header = &packet.header;
        let hello = Hello::read(header.version, packet.body)?;
        if !self.is_news(pdu, packet) {
            return Some(true);
        }
        self.begin(header);
        if let Some(mask) = hello.mask {
            self.detail.text("netmask", mask);
        }
        if let Some(interface) = hello.interface {
            self.detail.number("interface", interface);
        }
        self.detail.number("hello_seconds", hello.interval);
        self.detail.number("dead_seconds", hello.dead);
        self.detail.number("priority", hello.priority);
        self.options(header.version, hello.options);
        self.detail.text("designated_router", hello.designated);
        self.detail.text("backup_router", hello.backup);
        self.detail.texts("neighbours", hello.neighbours());
        self.emit(pdu, header, OperationClass::Cyclic, Some(hello.neighbours().count()), out);
        self.identify(pdu, header, &hello, out);
        if hello.is_ragged() {
            malformed_if_whole(PROTOCOL, pdu, "ospf_packet_malformed", "the list of neighbours is ragged", out);
        }
        Some(true)
    }

    /// Whether this hello differs from the sender's last one.
    fn is_news(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>) -> bool {
        let header = &packet.header;
        self.scratch.clear();
        self.scratch.extend_from_slice(&header.router.octets());
        self.scratch.extend_from_slice(&header.area.octets());
        self.scratch.extend_from_slice(header.authentication.name().as_bytes());
        if let Authentication::Cryptographic { key, length } = header.authentication {
            self.scratch.extend_from_slice(&[key, length]);
        }
        let body = packet.body.get(..MAX_HELLO).unwrap_or(packet.body);
        let [client, server] = &mut self.hellos;
        let told = if pdu.direction == Direction::FromClient { client } else { server };
        if told.head == self.scratch && told.body == body {
            return false;
        }
        std::mem::swap(&mut told.head, &mut self.scratch);
        told.body.clear();
        told.body.extend_from_slice(body);
        true
    }

    fn identify(&mut self, pdu: &Pdu<'_>, header: &Header, hello: &Hello<'_>, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        self.text.clear();
        let _ = write!(self.text, "ospf router id {} area {}", header.router, header.area);
        self.claims.identify(out, pdu.at, subject, (Attribute::Router, &self.text, "ospf hello"));
        if let Some(mask) = hello.mask.filter(|mask| !mask.is_unspecified()) {
            self.text.clear();
            let _ = write!(self.text, "netmask {mask}");
            self.claims.identify(out, pdu.at, subject, (Attribute::NetworkSetting, &self.text, "ospf hello"));
        }
    }

    fn description(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) -> Option<bool> {
        let header = &packet.header;
        let description = Description::read(header.version, packet.body)?;
        self.begin(header);
        self.detail.number("mtu", description.mtu);
        self.options(header.version, description.options);
        self.detail.flag("first", description.is_first());
        self.detail.flag("more", description.has_more());
        self.detail.flag("master", description.is_from_master());
        self.detail.number("sequence", description.sequence);
        let (count, whole) = self.headers(header.version, description.headers);
        self.emit(pdu, header, OperationClass::Session, Some(count), out);
        Some(whole)
    }

    fn acknowledgement(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) -> Option<bool> {
        self.begin(&packet.header);
        let (count, whole) = self.headers(packet.header.version, packet.body);
        self.emit(pdu, &packet.header, OperationClass::Session, Some(count), out);
        Some(whole)
    }

    /// Tells headers of advertisements; how many, and whether the last one is whole.
    fn headers(&mut self, version: u8, bytes: &[u8]) -> (usize, bool) {
        self.content.clear();
        let mut cursor = Cursor::new(bytes);
        let mut count = 0;
        while let Some(header) = LsaHeader::read(version, &mut cursor) {
            self.keep(header);
            count += 1;
        }
        self.tell_headers(version);
        (count, cursor.is_empty())
    }

    fn keep(&mut self, header: LsaHeader) {
        if self.content.headers.len() < MAX_HEADERS {
            self.content.headers.push(header);
        }
    }

    fn tell_headers(&mut self, version: u8) {
        let headers = &self.content.headers;
        if headers.is_empty() {
            return;
        }
        let name = if version == 2 { names::advertisement_2 } else { names::advertisement_3 };
        self.detail.numbers("types", headers.iter().map(|header| u32::from(header.kind)));
        self.detail.texts("type_names", headers.iter().map(|header| name(header.kind)));
        self.detail.texts("link_state_ids", headers.iter().map(|header| header.id));
        if version == 2 && headers.iter().any(|header| header.age.is_some()) {
            self.detail.numbers("advertisement_options", headers.iter().map(|header| u32::from(header.options)));
        }
        self.detail.texts("advertising_routers", headers.iter().map(|header| header.advertising));
        if headers.iter().any(|header| header.age.is_some()) {
            self.detail.numbers("ages", headers.iter().filter_map(|header| header.age.map(u32::from)));
            self.detail.numbers("sequences", headers.iter().map(|header| header.sequence));
        }
    }

    fn request(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) -> Option<bool> {
        self.begin(&packet.header);
        self.content.clear();
        let mut cursor = Cursor::new(packet.body);
        let mut count = 0;
        while let Some(item) = LsaHeader::requested(&mut cursor) {
            self.keep(item);
            count += 1;
        }
        self.tell_headers(packet.header.version);
        self.emit(pdu, &packet.header, OperationClass::Read, Some(count), out);
        cursor.is_empty().then_some(true)
    }

    fn update(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) -> Option<bool> {
        let header = &packet.header;
        let mut cursor = Cursor::new(packet.body);
        let count = cursor.be32()?;
        self.content.clear();
        // Instances 64 to 127 carry IPv4 (RFC 5838 section 2.1).
        self.content.of_ip4 = header.instance.is_some_and(|instance| (64..128).contains(&instance));
        let (read, whole) = self.advertisements(header.version, count, &mut cursor);
        self.begin(header);
        self.tell_headers(header.version);
        self.tell_content();
        self.emit(pdu, header, OperationClass::Cyclic, Some(read), out);
        self.identify_by_content(pdu, header, out);
        self.tell_odd_sequence(pdu, out);
        if self.content.unread == read && read > 0 {
            out.mark(Mark::Undecoded("link state advertisement of an extension"));
        }
        Some(whole && (cursor.is_empty() || pdu.cut))
    }

    /// Reads so many advertisements; how many were there, and whether all were sound.
    fn advertisements(&mut self, version: u8, count: u32, cursor: &mut Cursor<'_>) -> (usize, bool) {
        let mut read = 0;
        let mut sound = true;
        for _ in 0..count {
            let Some(header) = LsaHeader::read(version, cursor) else { return (read, false) };
            self.keep(header);
            read += 1;
            let body = header.length.checked_sub(LSA_HEADER).and_then(|length| cursor.take(length));
            let Some(body) = body else { return (read, false) };
            sound &= self.content.body(version, &header, body).is_some();
        }
        (read, sound)
    }

    fn tell_content(&mut self) {
        let content = &self.content;
        if !content.routes.is_empty() {
            self.detail.texts("routes", &content.routes);
        }
        if content.has_default_route() {
            self.detail.flag("default_route", true);
        }
        if !content.links.is_empty() {
            self.detail.texts("links", &content.links);
        }
        // Those of version 2 stand in the headers and are told with them.
        if !content.options.is_empty() {
            self.detail.numbers("advertisement_options", content.options.iter().copied());
        }
        let withdrawn = content.headers.iter().filter(|header| header.is_withdrawn()).count();
        if withdrawn > 0 {
            self.detail.number("withdrawn", i64::try_from(withdrawn).unwrap_or(i64::MAX));
        }
        if let Some((router, name)) = &content.host_name {
            self.detail.text("host_name_of", router);
            self.detail.text("host_name", name);
        }
    }

    /// What the sender says of itself; what it passes on of others is told in the row only, as their addresses are not known.
    fn identify_by_content(&mut self, pdu: &Pdu<'_>, header: &Header, out: &mut dyn Sink) {
        let subject: Address = pdu.sender().address;
        let own = self.content.roles.iter().filter(|(router, _)| *router == header.router);
        for name in own.flat_map(|(_, flags)| names::set(names::ROUTER_FLAGS, u32::from(*flags))) {
            self.claims.identify(out, pdu.at, subject, (Attribute::Capability, name, "ospf router advertisement"));
        }
        if let Some((router, name)) = &self.content.host_name
            && *router == header.router
        {
            self.claims.identify(out, pdu.at, subject, (Attribute::HostName, name, "ospf router information"));
        }
    }

    /// The highest sequence number is reached after centuries, or by who forges another's advertisement to keep it from answering.
    fn tell_odd_sequence(&self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.content.headers.iter().any(|header| header.sequence == packet::MAX_SEQUENCE && !header.is_withdrawn()) {
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let detail = "an advertisement bears the highest sequence number";
            let weird = Weird { name: "ospf_sequence_highest", protocol: PROTOCOL, detail, sender, receiver };
            out.emit(pdu.at, Observation::Weird(weird));
        }
    }
}
