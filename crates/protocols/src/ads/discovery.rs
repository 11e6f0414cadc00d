//! TwinCAT discovery on UDP 48899: who is a controller, and how a route is put into one.
//!
//! Adding a route is the one login of the ADS world: whoever has a route may read, write and stop the controller, and the
//! account and password that permit it cross the wire readable.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Observation, Operation, OperationClass, Outcome, Service, Session, Sink,
    Transport,
};
use quaywatch_wire::{Flow, Pdu};

use super::message::AmsAddress;
use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::login::{Ends, Secret};
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ads-discovery";
/// First bytes of every datagram.
const MAGIC: [u8; 4] = [0x03, 0x66, 0x14, 0x71];
/// Bit of the service that says reply.
const REPLY: u32 = 0x8000_0000;
/// Service "tell who you are".
const INFO: u32 = 1;
/// Service "add a route to me".
const ADD_ROUTE: u32 = 6;
/// Requests of one flow that wait for replies.
pub const WAITING_LIMIT: usize = 16;
/// Tags of one datagram that are read; real ones have up to about ten.
pub const TAG_LIMIT: u32 = 64;

/// The registry entry.
pub struct AdsDiscovery;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Beckhoff ADS discovery",
    tcp: &[],
    udp: &[48899],
    ethertypes: &[],
    spec: "Beckhoff ADS library (AdsLib): UDP tags and service ids; TwinCAT System Manager captures",
    found: "TwinCAT controllers and engineering stations, when routes are searched for or added",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Search, controller information, adding of routes with account (never its password) and result. \
            Other services are named by their number.",
};

/// The fixed front of a datagram.
#[derive(Clone, Copy, Debug)]
struct Header {
    invoke: u32,
    service: u32,
    sender: AmsAddress,
    tags: u32,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        if cursor.take(MAGIC.len())? != MAGIC {
            return None;
        }
        Some(Header {
            invoke: cursor.le32()?,
            service: cursor.le32()?,
            sender: AmsAddress::read(cursor)?,
            tags: cursor.le32()?,
        })
    }

    const fn is_reply(&self) -> bool {
        self.service & REPLY != 0
    }
}

impl Protocol for AdsDiscovery {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match Header::read(&mut Cursor::new(pdu.data)) {
            Some(header) if header.is_reply() => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Discovery {
            waiting: Pairing::new(WAITING_LIMIT),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
        })
    }
}

/// What the tags of one datagram say. The password is examined and dropped at once.
#[derive(Default, Debug)]
struct Told {
    status: Option<u32>,
    secret: Option<Secret>,
    twincat: Option<(u8, u8, u16)>,
    os: Option<String>,
    host: Option<String>,
    net_id: Option<String>,
    route: Option<String>,
    user: Option<String>,
    /// Tags without a name here.
    others: Vec<u32>,
    /// A tag does not fit into the datagram.
    broken: bool,
}

impl Told {
    fn read(cursor: &mut Cursor<'_>, count: u32) -> Self {
        let mut told = Told::default();
        let mut password: Option<&[u8]> = None;
        for _ in 0..count.min(TAG_LIMIT) {
            let tag = cursor.le16().zip(cursor.le16());
            let Some((id, value)) = tag.and_then(|(id, length)| Some((id, cursor.take(usize::from(length))?))) else {
                told.broken = true;
                break;
            };
            if id == 2 { password = Some(value) } else { told.tag(id, value) }
        }
        told.secret = password.map(|password| {
            let end = password.iter().position(|b| *b == 0).unwrap_or(password.len());
            Secret::examine(told.user.as_deref().unwrap_or(""), password.get(..end).unwrap_or_default())
        });
        told
    }

    fn tag(&mut self, id: u16, value: &[u8]) {
        let mut c = Cursor::new(value);
        match id {
            1 => self.status = c.le32(),
            3 => self.twincat = c.u8().zip(c.u8()).zip(c.le16()).map(|((a, b), build)| (a, b, build)),
            4 => self.os = os(value),
            5 => self.host = device_text(value),
            7 => {
                self.net_id = value.first_chunk::<6>().map(|[a, b, c, d, e, f]| format!("{a}.{b}.{c}.{d}.{e}.{f}"));
            }
            12 => self.route = device_text(value),
            13 => self.user = device_text(value),
            _ => self.others.push(u32::from(id)),
        }
    }
}

/// The operating system as in Windows' OSVERSIONINFO: size, major, minor, build, platform.
fn os(value: &[u8]) -> Option<String> {
    let mut c = Cursor::new(value);
    c.skip(4)?;
    let (major, minor, build, platform) = (c.le32()?, c.le32()?, c.le32()?, c.le32()?);
    let name = match platform {
        1 => "Windows",
        2 => "Windows NT",
        3 => "Windows CE",
        _ => return Some(format!("platform {platform} {major}.{minor}.{build}")),
    };
    let mut text = format!("{name} {major}.{minor}");
    if build != 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, ".{build}");
    }
    Some(text)
}

/// A request that waits for its reply.
#[derive(Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    header: Header,
    told: Told,
}

struct Discovery {
    waiting: Pairing<(Direction, u32, u32), Ask>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Discovery {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(pdu.data);
        let Some(header) = Header::read(&mut cursor) else {
            return malformed_if_whole(
                PROTOCOL,
                pdu,
                "ads_discovery_header",
                "not the front of a discovery datagram",
                out,
            );
        };
        let told = Told::read(&mut cursor, header.tags);
        if told.broken || header.tags > TAG_LIMIT {
            malformed_if_whole(PROTOCOL, pdu, "ads_discovery_tag", "tag is longer than the datagram, or too many", out);
        }
        let service = header.service & !REPLY;
        if header.is_reply() {
            let ask = self.waiting.answer(&(pdu.direction.reverse(), header.invoke, service));
            self.tell(ask.as_ref(), Some((pdu, &header, &told)), out);
            self.identify(pdu, &told, out);
        } else {
            let ask = Ask { at: pdu.at, ends: (pdu.sender(), pdu.receiver()), header, told };
            if let Some(lost) = self.waiting.ask((pdu.direction, header.invoke, service), ask) {
                self.tell(Some(&lost), None, out);
            }
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.tell(Some(ask), None, out);
        }
    }
}

impl Discovery {
    /// A reply to the information service says who its sender is.
    fn identify(&mut self, pdu: &Pdu<'_>, told: &Told, out: &mut dyn Sink) {
        let software = told.twincat.map(|(major, minor, build)| format!("TwinCAT {major}.{minor}.{build}"));
        let subject = pdu.sender().address;
        let values = [
            (Attribute::HostName, told.host.as_deref(), "ads discovery host name"),
            (Attribute::Software, software.as_deref(), "ads discovery version"),
            (Attribute::Os, told.os.as_deref(), "ads discovery operating system"),
        ];
        for (attribute, value, method) in values {
            if let Some(value) = value {
                self.claims.identify(out, pdu.at, subject, (attribute, value, method));
            }
        }
        if let Some(software) = &software {
            let service =
                Service { server: pdu.sender(), transport: Transport::Udp, protocol: PROTOCOL, software, version: "" };
            self.claims.service(out, pdu.at, service);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, answer: Option<(&Pdu<'_>, &Header, &Told)>, out: &mut dyn Sink) {
        let Some(header) = ask.map(|ask| ask.header).or(answer.map(|(_, header, _)| *header)) else { return };
        let Some(at) = answer.map(|(pdu, ..)| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let Some((client, server)) = ask.map(|ask| ask.ends).or(answer.map(|(pdu, ..)| (pdu.receiver(), pdu.sender())))
        else {
            return;
        };
        let service = header.service & !REPLY;
        let (name, class) = match service {
            INFO => ("get information", OperationClass::Identify),
            ADD_ROUTE => ("add route", OperationClass::Configure),
            _ => ("unknown service", OperationClass::Diagnose),
        };
        let status = answer.map(|(_, _, told)| told.status.unwrap_or(0));
        self.describe(ask, answer);
        let object = ask.and_then(|ask| ask.told.route.as_deref()).unwrap_or("");
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: None,
                code: service,
                name,
                class,
                object,
                quantity: None,
                status,
                status_name: status.map_or("", |code| super::names::error(code).unwrap_or("unknown error")),
                latency: ask.zip(answer).map(|(ask, (pdu, ..))| pdu.at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|(pdu, ..)| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
        if let Some(ask) = ask.filter(|_| service == ADD_ROUTE) {
            self.login(at, (client, server), ask, status, out);
        }
    }

    fn describe(&mut self, ask: Option<&Ask>, answer: Option<(&Pdu<'_>, &Header, &Told)>) {
        let detail = &mut self.detail;
        detail.clear();
        if let Some(ask) = ask {
            detail.number("invoke_id", ask.header.invoke);
            detail.text("source", ask.header.sender);
            for (key, value) in [("route_address", &ask.told.host), ("route_net_id", &ask.told.net_id)] {
                if let Some(value) = value {
                    detail.text(key, value);
                }
            }
        }
        if let Some((_, header, told)) = answer {
            detail.text("target", header.sender);
            for (key, value) in [("host_name", &told.host), ("os", &told.os)] {
                if let Some(value) = value {
                    detail.text(key, value);
                }
            }
            if let Some((major, minor, build)) = told.twincat {
                detail.text("twincat", format_args!("{major}.{minor}.{build}"));
            }
        }
        let others = ask.map(|ask| &ask.told).into_iter().chain(answer.map(|(.., told)| told)).flat_map(|t| &t.others);
        let others: Vec<u32> = others.copied().collect();
        if !others.is_empty() {
            detail.numbers("other_tags", others);
        }
    }

    /// Adding a route is a login: account and password permit it.
    fn login(&mut self, at: At, ends: (Endpoint, Endpoint), ask: &Ask, status: Option<u32>, out: &mut dyn Sink) {
        let user = ask.told.user.as_deref().unwrap_or("");
        let outcome = match status {
            Some(0) => Outcome::Success,
            Some(_) => Outcome::Failure,
            None => Outcome::Unknown,
        };
        let (client, server) = ends;
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: "",
            user,
            method: if ask.told.secret.is_some() { "password" } else { "" },
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        self.claims.session(out, at, session);
        if let Some(secret) = ask.told.secret {
            secret.report(&mut self.claims, out, at, Ends { client, server, protocol: PROTOCOL }, user, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    const UP: Direction = Direction::FromClient;
    const DOWN: Direction = Direction::FromServer;

    fn datagram(service: u32, tags: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(7_u32.to_le_bytes());
        bytes.extend(service.to_le_bytes());
        bytes.extend(hex("c0a801c70101 1027"));
        bytes.extend(u32::try_from(tags.len()).unwrap().to_le_bytes());
        for (id, value) in tags {
            bytes.extend(id.to_le_bytes());
            bytes.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
            bytes.extend(*value);
        }
        bytes
    }

    fn add_route(password: &[u8]) -> Vec<u8> {
        let tags: [(u16, &[u8]); 5] = [
            (12, b"CMS-PC\0"),
            (7, &[192, 168, 1, 199, 1, 1]),
            (13, b"Administrator\0"),
            (2, password),
            (5, b"192.168.1.199\0"),
        ];
        datagram(ADD_ROUTE, &tags)
    }

    fn info() -> Vec<u8> {
        let mut os = hex("14010000 06000000 00000000 00000000 03000000");
        os.resize(276, 0);
        datagram(INFO | REPLY, &[(5, b"CX_0D7560\0"), (4, &os), (3, &[2, 11, 0xca, 8])])
    }

    fn samples() -> Vec<(Direction, Vec<u8>)> {
        vec![
            (UP, datagram(INFO, &[])),
            (DOWN, info()),
            (UP, add_route(b"1\0")),
            (DOWN, datagram(ADD_ROUTE | REPLY, &[(1, &[0, 0, 0, 0])])),
            (UP, add_route(b"hunter2\0")),
            (DOWN, datagram(ADD_ROUTE | REPLY, &[(1, &[4, 7, 0, 0]), (99, b"x")])),
        ]
    }

    #[test]
    fn routes_and_controllers_are_told() {
        let samples = samples();
        let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|(d, b)| (*d, b.as_slice())).collect();
        let out = feed(&AdsDiscovery, &flow(Transport::Udp, 48899), &pieces);
        let rows = out.of("operation");
        assert_eq!(rows.len(), 3);
        assert_eq!((&rows[0]["class"], &rows[1]["class"]), (&"identify".into(), &"configure".into()));
        assert_eq!((&rows[1]["object"], &rows[2]["status"]), (&"CMS-PC".into(), &0x704.into()));
        let values: Vec<_> = out.of("identity").iter().map(|row| row["value"].clone()).collect();
        assert_eq!(values, ["CX_0D7560", "TwinCAT 2.11.2250", "Windows CE 6.0"]);
        let outcomes: Vec<_> = out.of("session").iter().map(|row| row["outcome"].clone()).collect();
        assert_eq!(outcomes, ["success", "failure"]);
        let weak: Vec<_> = out.of("credential").iter().map(|row| row["weakness"].clone()).collect();
        assert_eq!(weak, ["clear-text", "default"]);
        assert!(!format!("{:?}", out.rows).contains("hunter2"));
        assert!(out.marks.is_empty());
    }

    #[test]
    fn a_request_without_reply_is_told_at_the_end() {
        let out = feed(&AdsDiscovery, &flow(Transport::Udp, 48899), &[(UP, &add_route(b"x\0"))]);
        assert_eq!(out.of("operation")[0]["status"], serde_json::Value::Null);
        assert_eq!(out.of("session")[0]["outcome"], "unknown");
    }

    #[test]
    fn truncations_do_not_panic() {
        let flow = flow(Transport::Udp, 48899);
        for (direction, bytes) in samples() {
            for end in 1..bytes.len() {
                let _ = AdsDiscovery.probe(&pdu(&flow, 0, direction, &bytes[..end]));
                let out = feed_unprobed(&AdsDiscovery, &flow, &[(direction, &bytes[..end])]);
                assert!(!out.marks.is_empty(), "cut at {end} is not told");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 1..200), front in any::<bool>()) {
            let mut datagram = if front { MAGIC.to_vec() } else { Vec::new() };
            datagram.extend(bytes);
            feed_unprobed(&AdsDiscovery, &flow(Transport::Udp, 48899), &[(UP, &datagram), (DOWN, &datagram)]);
        }
    }
}
