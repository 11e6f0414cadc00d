//! TACACS+ (RFC 8907): administrators of switches and routers log in through it. Its obfuscation is MD5 with a shared secret.

use quaywatch_model::{Credential, Direction, Mark, Observation, Outcome, Session, Sink, Transport, Weakness, Weird};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::framers::Framers;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "tacacs";
/// Header (section 4.1).
const HEADER: usize = 12;
/// Longest body taken.
const LONGEST: usize = 65536;
/// The body is in the clear (section 4.1, TAC_PLUS_UNENCRYPTED_FLAG).
const UNENCRYPTED: u8 = 1;

/// The registry entry.
pub struct Tacacs;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "TACACS+",
    tcp: &[49],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 8907",
    found: "switches and routers whose administrators log in centrally",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Sessions; user and outcome where the body is not obfuscated. Authorization and accounting are counted.",
};

impl Protocol for Tacacs {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        match (length(pdu.data), pdu.data) {
            // The first packet of a session has sequence number 1, the server's answer 2.
            (Length::Whole(whole), [_, _, 1, ..]) if whole == pdu.data.len() => Probe::Yes,
            (Length::Whole(whole), [_, _, 2, ..]) if whole == pdu.data.len() => Probe::YesFromServer,
            (Length::Whole(_), _) => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(TacacsFlow {
            framers: Framers::new(HEADER + LONGEST),
            talk: Talk { claims: Claims::default(), user: String::new() },
        })
    }
}

fn length(bytes: &[u8]) -> Length {
    match bytes {
        [0xc0 | 0xc1, 1..=3, sequence, flags, _, _, _, _, rest @ ..] if *sequence > 0 && flags & !5 == 0 => {
            match rest.first_chunk().map(|length| u32::from_be_bytes(*length)) {
                Some(length @ 5..=65536) => Length::Whole(HEADER + usize::try_from(length).unwrap_or(LONGEST)),
                Some(_) => Length::Invalid,
                None => Length::NeedMore,
            }
        }
        [0xc0 | 0xc1, ..] if bytes.len() < 8 => Length::NeedMore,
        [] => Length::NeedMore,
        _ => Length::Invalid,
    }
}

struct TacacsFlow {
    framers: Framers,
    talk: Talk,
}

struct Talk {
    claims: Claims,
    user: String,
}

impl Analyzer for TacacsFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let TacacsFlow { framers, talk } = self;
        let framer = framers.of(pdu.direction);
        if framer.push(pdu.data, length, |frame| talk.packet(pdu, frame, out)).is_err() {
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let detail = "header is not possible";
            let weird = Weird { name: "tacacs_header", protocol: PROTOCOL, detail, sender, receiver };
            out.emit(pdu.at, Observation::Weird(weird));
            out.mark(Mark::Malformed(detail));
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.framers.of(direction).reset();
    }
}

impl Talk {
    fn packet(&mut self, pdu: &Pdu<'_>, frame: &[u8], out: &mut dyn Sink) {
        let (Some([_, kind, sequence, flags]), Some(body)) = (frame.first_chunk(), frame.get(HEADER..)) else { return };
        if flags & UNENCRYPTED == 0 {
            if *kind == 1 && *sequence == 1 {
                self.session(pdu, Outcome::Unknown, "obfuscated by MD5 with the shared secret", out);
            }
            return out.mark(Mark::Opaque("encrypted"));
        }
        match (kind, sequence) {
            (1, 1) => {
                self.user.clear();
                if let Some(user) = user(body) {
                    self.user.push_str(&String::from_utf8_lossy(user));
                }
            }
            // Status of an authentication reply (section 5.2): pass, fail.
            (1, _) if sequence.is_multiple_of(2) => match body.first() {
                Some(1) => self.session(pdu, Outcome::Success, "sent in the clear", out),
                Some(2) => self.session(pdu, Outcome::Failure, "sent in the clear", out),
                _ => {}
            },
            _ => {}
        }
    }

    fn session(&mut self, pdu: &Pdu<'_>, outcome: Outcome, rule: &'static str, out: &mut dyn Sink) {
        let (client, server) = (pdu.flow.client, pdu.flow.server);
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: "",
            user: &self.user,
            method: "tacacs+",
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        out.emit(pdu.at, Observation::Session(session));
        let weakness = if outcome == Outcome::Unknown { Weakness::WeakScheme } else { Weakness::ClearText };
        let row = Credential { client, server, protocol: PROTOCOL, account: &self.user, weakness, rule };
        self.claims.credential(out, pdu.at, row);
    }
}

/// The user of an authentication start (section 5.1).
fn user(body: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(body);
    cursor.skip(4)?;
    let length = usize::from(cursor.u8()?);
    cursor.skip(3)?;
    cursor.take(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::{FromClient, FromServer};

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    fn packet(kind: u8, sequence: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[0xc0, kind, sequence, flags, 1, 2, 3, 4][..], &length, body].concat()
    }

    #[test]
    fn a_session_in_the_clear_tells_user_and_outcome() {
        let start = [&hex("01 0f 01 01 05 00 00 00")[..], b"admin"].concat();
        let rows = feed(
            &Tacacs,
            &flow(Transport::Tcp, 49),
            &[(FromClient, &packet(1, 1, 1, &start)), (FromServer, &packet(1, 2, 1, &hex("01 00 0000 0000")))],
        );
        let row = &rows.of("session")[0];
        assert_eq!((row["user"].as_str(), row["outcome"].as_str()), (Some("admin"), Some("success")));
        assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
    }

    #[test]
    fn an_obfuscated_one_is_counted_and_damage_told() {
        let rows = feed(
            &Tacacs,
            &flow(Transport::Tcp, 49),
            &[
                (FromClient, &packet(1, 1, 0, &[7; 20])),
                (FromServer, &packet(1, 2, 0, &[7; 9])),
                (FromClient, b"GET /"),
            ],
        );
        assert_eq!(rows.of("session").len(), 1);
        assert_eq!(rows.of("credential")[0]["weakness"], "weak-scheme");
        assert_eq!(rows.of("weird")[0]["name"], "tacacs_header");
        let tcp = flow(Transport::Tcp, 4949);
        assert_eq!(Tacacs.probe(&pdu(&tcp, 0, FromClient, &packet(4, 1, 0, &[0; 8]))), Probe::No);
        assert_eq!(Tacacs.probe(&pdu(&tcp, 0, FromServer, &packet(1, 2, 0, &[0; 8]))), Probe::YesFromServer);
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..100), cut in 1usize..30) {
            let whole = packet(1, 1, 1, &hex("01 0f 01 01 ff 00 00 00 41"));
            let cut = whole.get(..cut).unwrap_or(&whole);
            feed_unprobed(&Tacacs, &flow(Transport::Tcp, 49), &[(FromClient, &data), (FromClient, cut), (FromClient, &whole)]);
        }
    }
}
