//! MQTT 3.1, 3.1.1 and 5: who connects, with what credential, and whether the broker lets it in, which topics it
//! publishes and subscribes to; of payloads, Sparkplug B is read and TIC 4.0 recognised.

mod names;
mod properties;
mod sparkplug;
mod talk;

use quaywatch_model::{Direction, Mark, Observation, Outcome, Service, Session, Sink, Transport, Weakness, Weird};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use self::properties::Properties;
use self::talk::Talk;
use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::login::{Ends, Secret};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Longest control packet held while it is partial; a longer publication is passed over without being held.
pub const MAX_PACKET: usize = 64 * 1024;

/// The protocol.
pub struct Mqtt;

static META: ProtocolMeta = ProtocolMeta {
    name: "mqtt",
    title: "MQTT",
    tcp: &[1883],
    udp: &[],
    ethertypes: &[],
    spec: "OASIS MQTT 3.1.1, MQTT 5.0, Sparkplug 3.0",
    found: "equipment messaging (TIC 4.0), RFID and OCR portals, gateways",
    depth: Depth::Partial,
    purpose: Purpose::Field,
    scope: "connection, account and its acceptance; topics and filters once a flow with the broker's answer; \
            Sparkplug B metrics and commands; TIC 4.0 and JSON are recognised",
};

impl Protocol for Mqtt {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        match pdu.data {
            [0x10, rest @ ..] => match body(rest) {
                Some(body) if protocol_level(body).is_some() => Probe::Yes,
                None if rest.len() < 8 => Probe::Unsure,
                _ => Probe::No,
            },
            // CONNACK of 3.1.1: two bytes, of which the first is 0 or 1.
            [0x20, 2, 0 | 1, 0..=5] => Probe::YesFromServer,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        let framer = || Framer::new(MAX_PACKET);
        Box::new(MqttAnalyzer {
            client: framer(),
            server: framer(),
            claims: Claims::default(),
            asked: None,
            level: None,
            talk: Talk::default(),
            detail: DetailJson::default(),
            line: String::new(),
        })
    }
}

/// The remaining length (section 2.2.3) and how many bytes it takes; `None` if cut or longer than four bytes.
fn remaining_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0usize;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((length, index + 1));
        }
    }
    None
}

/// What follows the remaining length, as far as it is here.
fn body(rest: &[u8]) -> Option<&[u8]> {
    let (_, used) = remaining_length(rest)?;
    rest.get(used..)
}

fn length(bytes: &[u8]) -> Length {
    let Some(rest) = bytes.get(1..) else { return Length::NeedMore };
    match remaining_length(rest) {
        Some((length, used)) => Length::Whole(1 + used + length),
        None if rest.len() >= 4 => Length::Invalid,
        None => Length::NeedMore,
    }
}

/// Protocol name and level at the front of a CONNECT.
fn protocol_level(body: &[u8]) -> Option<u8> {
    let mut cursor = Cursor::new(body);
    let name = field(&mut cursor)?;
    let level = cursor.u8()?;
    matches!((name, level), (b"MQTT", 4 | 5) | (b"MQIsdp", 3)).then_some(level)
}

fn field<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.be16()?;
    cursor.take(usize::from(length))
}

/// What a CONNECT asks for; of its secret only what is wrong with it.
struct Asked {
    level: u8,
    client_id: String,
    /// Seconds; 0 is without end.
    keep_alive: u16,
    /// Topic that the broker writes to when the client is lost.
    will: Option<String>,
    user: String,
    secret: Option<Secret>,
    /// User name flag set.
    named: bool,
    /// Method of an extended authentication (MQTT 5.0 section 4.12); empty without.
    authentication: String,
    /// Seconds; all ones is without end.
    session_expiry: Option<u32>,
}

/// Reads a CONNECT (section 3.1).
fn connect(body: &[u8]) -> Option<Asked> {
    let level = protocol_level(body)?;
    let mut cursor = Cursor::new(body);
    field(&mut cursor)?;
    cursor.skip(1)?;
    let flags = cursor.u8()?;
    let keep_alive = cursor.be16()?;
    let properties = if level == 5 { Properties::take(&mut cursor)? } else { Properties::default() };
    let client_id = String::from_utf8_lossy(field(&mut cursor)?).into_owned();
    let mut will = None;
    if flags & 0x04 != 0 {
        if level == 5 {
            Properties::take(&mut cursor)?;
        }
        will = Some(String::from_utf8_lossy(field(&mut cursor)?).into_owned());
        field(&mut cursor)?;
    }
    let named = flags & 0x80 != 0;
    let user = if named { String::from_utf8_lossy(field(&mut cursor)?).into_owned() } else { String::new() };
    let secret = if flags & 0x40 != 0 { Some(Secret::examine(&user, field(&mut cursor)?)) } else { None };
    let authentication = properties.text(properties::AUTHENTICATION_METHOD).unwrap_or_default().to_owned();
    let session_expiry = properties.number(properties::SESSION_EXPIRY);
    Some(Asked { level, client_id, keep_alive, will, user, secret, named, authentication, session_expiry })
}

struct MqttAnalyzer {
    client: Framer,
    server: Framer,
    claims: Claims,
    asked: Option<Asked>,
    /// Protocol level of the CONNECT.
    level: Option<u8>,
    talk: Talk,
    detail: DetailJson,
    line: String,
}

impl MqttAnalyzer {
    fn packet(&mut self, pdu: &Pdu<'_>, packet: &[u8], out: &mut dyn Sink) {
        let content = packet.get(1..).and_then(body).unwrap_or_default();
        match packet.first().map(|first| first >> 4) {
            Some(1) if pdu.direction == Direction::FromClient => match connect(content) {
                Some(asked) => {
                    self.level = Some(asked.level);
                    self.asked = Some(asked);
                }
                None => malformed(pdu, "a CONNECT that ends inside a field", out),
            },
            Some(2) if pdu.direction == Direction::FromServer => {
                let Some(code) = content.get(1).copied() else {
                    return malformed(pdu, "a CONNACK without its code", out);
                };
                self.told(pdu, code, content.get(2..).unwrap_or_default(), out);
            }
            Some(3) => {
                let first = packet.first().copied().unwrap_or_default();
                if self.talk.publish(pdu, first, content, self.level, out).is_none() {
                    malformed(pdu, "a PUBLISH without a readable topic", out);
                }
            }
            Some(kind @ (8 | 10)) => {
                if self.talk.filters(pdu, kind, content, self.level, out).is_none() {
                    malformed(pdu, "a list of topic filters that ends inside one", out);
                }
            }
            Some(0) => malformed(pdu, "packet type 0 is reserved", out),
            Some(kind @ (9 | 11)) => {
                if self.talk.answered(pdu, kind, content, self.level, out).is_none() {
                    malformed(pdu, "an answer to topic filters that ends inside a field", out);
                }
            }
            // Pings and acknowledgements say all they have in their first byte.
            Some(4..=7 | 12..=14) => {}
            _ => out.mark(Mark::Undecoded("mqtt control packet")),
        }
    }

    fn told(&mut self, pdu: &Pdu<'_>, code: u8, rest: &[u8], out: &mut dyn Sink) {
        let Some(asked) = self.asked.take() else { return };
        let given =
            if asked.level == 5 { Properties::take(&mut Cursor::new(rest)) } else { Some(Properties::default()) };
        let Some(given) = given else { return malformed(pdu, "a CONNACK with broken properties", out) };
        let outcome = if code == 0 { Outcome::Success } else { Outcome::Failure };
        self.detail.clear();
        self.detail.text("client_id", &asked.client_id);
        self.detail.number("keep_alive", asked.keep_alive);
        if let Some(topic) = &asked.will {
            self.detail.text("will_topic", topic);
        }
        self.detail.number("code", code);
        if let Some(name) = names::connack(code) {
            self.detail.text("code_name", name);
        }
        if let Some(seconds) = asked.session_expiry {
            self.detail.number("session_expiry", seconds);
        }
        if let Some(seconds) = given.number(properties::SERVER_KEEP_ALIVE) {
            self.detail.number("server_keep_alive", seconds);
        }
        for (key, wanted) in [("assigned_client_id", properties::ASSIGNED_CLIENT), ("reason", properties::REASON)] {
            if let Some(text) = given.text(wanted) {
                self.detail.text(key, text);
            }
        }
        let version = match asked.level {
            3 => "3.1",
            5 => "5.0",
            _ => "3.1.1",
        };
        let (client, server) = (pdu.flow.client, pdu.flow.server);
        let service = Service { server, transport: Transport::Tcp, protocol: META.name, software: "", version };
        self.claims.service(out, pdu.at, service);
        out.emit(
            pdu.at,
            Observation::Session(Session {
                client,
                server,
                protocol: META.name,
                version,
                user: &asked.user,
                method: match (&asked.secret, asked.authentication.as_str()) {
                    (Some(_), "") => "password",
                    (None, "") => "none",
                    (_, method) => method,
                },
                outcome,
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: self.detail.object(&mut self.line),
            }),
        );
        let ends = Ends { client, server, protocol: META.name };
        match asked.secret {
            Some(secret) => secret.report(&mut self.claims, out, pdu.at, ends, &asked.user, outcome),
            None if !asked.named && outcome == Outcome::Success => {
                let rule = "the broker admits clients without any account";
                let weakness = Weakness::Anonymous;
                let credential =
                    quaywatch_model::Credential { client, server, protocol: META.name, account: "", weakness, rule };
                self.claims.credential(out, pdu.at, credential);
            }
            None => {}
        }
    }
}

fn malformed(pdu: &Pdu<'_>, detail: &'static str, out: &mut dyn Sink) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(
        pdu.at,
        Observation::Weird(Weird { name: "mqtt_malformed", protocol: META.name, detail, sender, receiver }),
    );
    out.mark(Mark::Malformed(detail));
}

impl Analyzer for MqttAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let from_client = pdu.direction == Direction::FromClient;
        let mut framer =
            std::mem::replace(if from_client { &mut self.client } else { &mut self.server }, Framer::new(0));
        if framer.push(pdu.data, length, |packet| self.packet(pdu, packet, out)).is_err() {
            malformed(pdu, "a packet of impossible length", out);
        }
        *(if from_client { &mut self.client } else { &mut self.server }) = framer;
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.talk.close(flow, out);
    }

    fn gap(&mut self, direction: Direction, _: u32, _: &mut dyn Sink) {
        match direction {
            Direction::FromClient => self.client.reset(),
            Direction::FromServer => self.server.reset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, flow, pdu};

    const C: Direction = Direction::FromClient;
    const S: Direction = Direction::FromServer;

    /// MQTT 3.1.1 section 3.1.2, user and password flags set: client `c`, user `rfid`, password `secret`.
    fn connect_with_password() -> Vec<u8> {
        let mut packet = vec![0x10, 27, 0, 4, b'M', b'Q', b'T', b'T', 4, 0xc2, 0, 60, 0, 1, b'c', 0, 4];
        packet.extend(b"rfid");
        packet.extend([0, 6]);
        packet.extend(b"secret");
        packet
    }

    #[test]
    fn a_login_is_told_and_its_secret_is_not() {
        let connect = connect_with_password();
        for (code, outcome) in [(0, "success"), (5, "failure")] {
            let recorder = feed(&Mqtt, &flow(Transport::Tcp, 1883), &[(C, &connect), (S, &[0x20, 2, 0, code])]);
            let session = &recorder.of("session")[0];
            assert_eq!((&session["user"], &session["outcome"]), (&"rfid".into(), &outcome.into()));
            let name = if code == 0 { "accepted" } else { "not authorized" };
            let detail = format!("{{\"client_id\":\"c\",\"keep_alive\":60,\"code\":{code},\"code_name\":\"{name}\"}}");
            assert_eq!(session["detail"], detail);
            assert_eq!(recorder.of("credential")[0]["weakness"], "clear-text");
            assert!(!format!("{:?}", recorder.rows).contains("secret"));
        }
    }

    #[test]
    fn a_broker_without_accounts_is_told() {
        let connect = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'c'];
        let recorder = feed(&Mqtt, &flow(Transport::Tcp, 1884), &[(C, &connect), (S, &[0x20, 2, 0, 0])]);
        assert_eq!(recorder.of("credential")[0]["weakness"], "anonymous");
    }

    #[test]
    fn topics_and_filters_are_told_once() {
        let connect = connect_with_password();
        let publish = b"\x30\x14\x00\x10spBv1.0/g/NCMD/nhi";
        let pieces: [(Direction, &[u8]); 7] = [
            (C, &connect),
            (S, &[0x20, 2, 0, 0]),
            (C, &[0x82, 6, 0, 1, 0, 1, b'#', 0]),
            (S, &[0x90, 3, 0, 1, 0x80]),
            (C, publish),
            (C, publish),
            (S, b"\x33\x08\x00\x03a/b\x00\x07x"),
        ];
        let recorder = feed(&Mqtt, &flow(Transport::Tcp, 1883), &pieces);
        let told: Vec<_> =
            recorder.of("operation").iter().map(|o| format!("{} {} {}", o["name"], o["class"], o["object"])).collect();
        let subscribed = r##""SUBSCRIBE" "read" "#""##;
        let commanded = r#""NCMD" "control" "spBv1.0/g/NCMD/n""#;
        assert_eq!(told, [subscribed, commanded, commanded, r#""PUBLISH" "read" "a/b""#]);
        assert_eq!(recorder.of("operation")[0]["status_name"], "failure");
    }

    #[test]
    fn commands_by_alias_and_tic_messages_are_told() {
        let connect = [0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 1, b'c'];
        // MQTT 5.0 section 3.3.2.3.4: property 0x23 gives alias 7 to the topic, then stands for it.
        let named = b"\x30\x18\x00\x10spBv1.0/g/NCMD/n\x03\x23\x00\x07\x08\x01";
        let aliased = b"\x30\x08\x00\x00\x03\x23\x00\x07\x08\x02";
        let tic = br#"{"msg":{"version":"2021.003"},"che":[{"hoist":{"height":[{"pom":"output","pomt":"actual","value":4.2}]}}]}"#;
        let mut publish = vec![0x30, u8::try_from(tic.len() + 4).unwrap(), 0, 1, b't', 0];
        publish.extend_from_slice(tic);
        let pieces: [(Direction, &[u8]); 5] =
            [(C, &connect), (S, &[0x20, 3, 0, 0, 0]), (C, named), (C, aliased), (C, &publish)];
        let recorder = crate::testing::feed_unprobed(&Mqtt, &flow(Transport::Tcp, 1883), &pieces);
        let told: Vec<_> =
            recorder.of("operation").iter().map(|row| format!("{} {}", row["name"], row["object"])).collect();
        let command = r#""NCMD" "spBv1.0/g/NCMD/n""#;
        assert_eq!(told, [command, command, r#""PUBLISH" "t""#]);
        assert!(recorder.of("operation")[2]["detail"].as_str().unwrap().contains("tic-4.0"));
        assert!(recorder.marks.is_empty());
    }

    #[test]
    fn every_cut_of_a_login_gives_the_same_and_truncations_are_survived() {
        let connect = connect_with_password();
        for cut in 1..connect.len() {
            let pieces: [(Direction, &[u8]); 3] = [(C, &connect[..cut]), (C, &connect[cut..]), (S, &[0x20, 2, 0, 0])];
            let recorder = crate::testing::feed_unprobed(&Mqtt, &flow(Transport::Tcp, 1883), &pieces);
            assert_eq!(recorder.of("session").len(), 1, "cut at {cut}");
        }
        let flow = flow(Transport::Tcp, 1883);
        assert_ne!(Mqtt.probe(&pdu(&flow, 0, C, &connect)), Probe::No);
        assert_eq!(Mqtt.probe(&pdu(&flow, 0, C, b"\x10\x0eGET / HTTP/1.1")), Probe::No);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_are_survived(pieces in proptest::collection::vec((proptest::bool::ANY, proptest::collection::vec(proptest::num::u8::ANY, 1..60)), 0..12)) {
            let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(c, b)| (if *c { C } else { S }, b.as_slice())).collect();
            let _ = crate::testing::feed_unprobed(&Mqtt, &flow(Transport::Tcp, 1883), &pieces);
        }
    }
}
