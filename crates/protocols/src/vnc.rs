//! VNC: the Remote Framebuffer Protocol (RFC 6143). The handshake is decoded, the screen's content is not.

use quaywatch_model::{
    Credential, Direction, Mark, Observation, Outcome, Service, Session, Sink, Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use crate::analyzer::Depth;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Longest handshake message held: a security-type list has at most 256 bytes, a failure reason is not kept.
const MAX_MESSAGE: usize = 512;

/// The protocol.
pub struct Vnc;

static META: ProtocolMeta = ProtocolMeta {
    name: "vnc",
    title: "VNC (RFB)",
    tcp: &[5900, 5901],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 6143",
    found: "operator panels, crane management stations, remote support",
    depth: Depth::Partial,
    control: false,
    scope: "version, security types, chosen type and result; not the framebuffer, keys or pointer",
};

impl Protocol for Vnc {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp if is_version(pdu.data) => Probe::YesFromServer,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(VncAnalyzer {
            server: Framer::new(MAX_MESSAGE),
            client: Framer::new(MAX_MESSAGE),
            ..VncAnalyzer::default()
        })
    }
}

/// `RFB xxx.yyy\n` (section 7.1.1).
fn is_version(data: &[u8]) -> bool {
    data.len() >= 12
        && data.starts_with(b"RFB ")
        && data.get(7) == Some(&b'.')
        && data.get(11) == Some(&b'\n')
        && data.get(4..7).is_some_and(|major| major.iter().all(u8::is_ascii_digit))
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Step {
    #[default]
    ServerVersion,
    ClientVersion,
    SecurityTypes,
    Choice,
    Authentication,
    Over,
}

struct VncAnalyzer {
    server: Framer,
    client: Framer,
    step: Step,
    version: String,
    minor: u8,
    security: u8,
    /// The server's challenge was passed: what it sends next is the result.
    challenged: bool,
}

impl Default for VncAnalyzer {
    fn default() -> Self {
        VncAnalyzer {
            server: Framer::new(MAX_MESSAGE),
            client: Framer::new(MAX_MESSAGE),
            step: Step::ServerVersion,
            version: String::new(),
            minor: 0,
            security: 0,
            challenged: false,
        }
    }
}

/// Names of security types (section 7.1.2 and the IANA registry).
const fn security_name(code: u8) -> &'static str {
    match code {
        1 => "none",
        2 => "vnc challenge-response",
        5 | 6 | 129 | 130 => "ra2",
        16 => "tight",
        17 => "ultra",
        18 => "tls",
        19 => "vencrypt",
        30 | 35 => "apple",
        _ => "other",
    }
}

impl VncAnalyzer {
    const fn encrypted(&self) -> bool {
        matches!(self.security, 5 | 6 | 18 | 19 | 129 | 130)
    }

    fn tell(&mut self, pdu: &Pdu<'_>, outcome: Outcome, out: &mut dyn Sink) {
        self.step = Step::Over;
        let (client, server) = (pdu.flow.client, pdu.flow.server);
        out.emit(
            pdu.at,
            Observation::Session(Session {
                client,
                server,
                protocol: META.name,
                version: &self.version,
                user: "",
                method: security_name(self.security),
                outcome,
                client_software: "",
                server_software: "",
                encrypted: self.encrypted(),
                detail: "",
            }),
        );
        let (weakness, rule) = match self.security {
            1 => (Weakness::Empty, "the screen was handed out without any password"),
            2 => (Weakness::WeakScheme, "DES challenge-response over at most eight characters"),
            _ => return,
        };
        let credential = Credential { client, server, protocol: META.name, account: "", weakness, rule };
        out.emit(pdu.at, Observation::Credential(credential));
    }

    fn message(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        match self.step {
            Step::ServerVersion => self.server_version(pdu, message, out),
            Step::ClientVersion => {
                // The client's version is the one spoken (section 7.1.1).
                self.minor = message.get(10).map_or(8, |digit| digit.wrapping_sub(b'0'));
                self.step = Step::SecurityTypes;
            }
            Step::SecurityTypes => self.security_types(pdu, message, out),
            Step::Choice => {
                self.security = message.first().copied().unwrap_or(0);
                self.step = Step::Authentication;
                if self.security == 1 && self.minor < 8 {
                    self.tell(pdu, Outcome::Success, out);
                }
            }
            Step::Authentication => self.authentication(pdu, message, out),
            Step::Over => {}
        }
    }

    fn server_version(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        let text = message.get(4..11).unwrap_or_default();
        self.version = String::from_utf8_lossy(text).trim_start_matches('0').replace(".00", ".");
        self.step = Step::ClientVersion;
        out.emit(
            pdu.at,
            Observation::Service(Service {
                server: pdu.flow.server,
                transport: Transport::Tcp,
                protocol: META.name,
                software: "",
                version: &self.version,
            }),
        );
    }

    fn security_types(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        if self.minor < 7 {
            // Version 3.3: the server decides with a 32-bit number.
            self.security = message.get(3).copied().unwrap_or(0);
            self.step = Step::Authentication;
            if self.security == 1 {
                self.tell(pdu, Outcome::Success, out);
            }
        } else if message.first() == Some(&0) {
            self.tell(pdu, Outcome::Failure, out);
        } else {
            self.step = Step::Choice;
        }
    }

    /// Challenge, response and result of VNC authentication, or the result alone.
    fn authentication(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        if pdu.direction == Direction::FromServer && message.len() == 4 {
            let outcome = if message == [0, 0, 0, 0] { Outcome::Success } else { Outcome::Failure };
            self.tell(pdu, outcome, out);
        }
    }

    /// Length of the next handshake message at this step.
    fn length(step: Step, minor: u8, security: u8, challenged: bool, bytes: &[u8]) -> Length {
        match step {
            Step::ServerVersion | Step::ClientVersion => Length::Whole(12),
            Step::SecurityTypes if minor < 7 => Length::Whole(4),
            Step::SecurityTypes => {
                bytes.first().map_or(Length::NeedMore, |count| Length::Whole(1 + usize::from(*count)))
            }
            Step::Choice => Length::Whole(1),
            Step::Authentication if security == 2 && !challenged => Length::Whole(16),
            Step::Authentication => Length::Whole(4),
            Step::Over => Length::Whole(bytes.len().max(1)),
        }
    }
}

impl Analyzer for VncAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.step == Step::Over {
            return out.mark(Mark::Opaque("screen, keys and pointer"));
        }
        if self.step == Step::Authentication && !matches!(self.security, 1 | 2) {
            self.tell(pdu, Outcome::Unknown, out);
            return out.mark(Mark::Opaque("authentication of another scheme"));
        }
        let from_server = pdu.direction == Direction::FromServer;
        let mut framer =
            std::mem::replace(if from_server { &mut self.server } else { &mut self.client }, Framer::new(MAX_MESSAGE));
        let mut rest = pdu.data;
        while !rest.is_empty() && self.step != Step::Over {
            // One message at a time: the length of the next depends on the step that this one leads to.
            let (step, minor, security) = (self.step, self.minor, self.security);
            // The client's response has the challenge's length; only the server's messages change theirs.
            let challenged = from_server && self.challenged;
            let awaited = match Self::length(step, minor, security, challenged, &[framer.partial(), rest].concat()) {
                Length::Whole(whole) => whole.saturating_sub(framer.held()).min(rest.len()).max(1),
                _ => 1,
            };
            let (now, later) = rest.split_at(awaited.min(rest.len()));
            rest = later;
            let mut whole: Vec<u8> = Vec::new();
            let framed = framer.push(
                now,
                |bytes| Self::length(step, minor, security, challenged, bytes),
                |m| whole = m.to_vec(),
            );
            if framed.is_err() {
                out.mark(Mark::Malformed("vnc handshake"));
                let (sender, receiver) = (pdu.sender(), pdu.receiver());
                let detail = "a handshake message of impossible length";
                out.emit(
                    pdu.at,
                    Observation::Weird(Weird {
                        name: "vnc_handshake_broken",
                        protocol: META.name,
                        detail,
                        sender,
                        receiver,
                    }),
                );
                self.step = Step::Over;
            } else if !whole.is_empty() {
                self.challenged |= from_server && step == Step::Authentication;
                self.message(pdu, &whole, out);
            }
        }
        *(if from_server { &mut self.server } else { &mut self.client }) = framer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, flow};

    const C: Direction = Direction::FromClient;
    const S: Direction = Direction::FromServer;

    fn session(pieces: &[(Direction, &[u8])]) -> (Vec<serde_json::Value>, Vec<serde_json::Value>) {
        let recorder = feed(&Vnc, &flow(Transport::Tcp, 5900), pieces);
        (recorder.of("session"), recorder.of("credential"))
    }

    #[test]
    fn no_password_is_told() {
        let (sessions, credentials) = session(&[
            (S, b"RFB 003.008\n"),
            (C, b"RFB 003.008\n"),
            (S, &[2, 1, 2]),
            (C, &[1]),
            (S, &[0, 0, 0, 0]),
            (C, &[1]),
        ]);
        assert_eq!(sessions[0]["version"], "3.8");
        assert_eq!((&sessions[0]["method"], &sessions[0]["outcome"]), (&"none".into(), &"success".into()));
        assert_eq!(credentials[0]["weakness"], "empty");
    }

    #[test]
    fn challenge_response_and_its_refusal_are_told_and_the_response_is_not_kept() {
        let (sessions, credentials) = session(&[
            (S, b"RFB 003.008\n"),
            (C, b"RFB 003.008\n"),
            (S, &[1, 2]),
            (C, &[2]),
            (S, &[0xaa; 16]),
            (C, &[0xbb; 16]),
            (S, &[0, 0, 0, 1]),
        ]);
        assert_eq!(sessions[0]["outcome"], "failure");
        assert_eq!(credentials[0]["weakness"], "weak-scheme");
        assert!(!format!("{sessions:?}{credentials:?}").contains("187"));
    }

    #[test]
    fn version_three_three_lets_the_server_decide() {
        let (sessions, _) = session(&[(S, b"RFB 003.003\n"), (C, b"RFB 003.003\n"), (S, &[0, 0, 0, 1])]);
        assert_eq!(sessions[0]["method"], "none");
    }

    proptest::proptest! {
        #[test]
        fn anything_after_the_version_is_survived(pieces in proptest::collection::vec((proptest::bool::ANY, proptest::collection::vec(proptest::num::u8::ANY, 1..40)), 0..20)) {
            let mut all: Vec<(Direction, &[u8])> = vec![(S, b"RFB 003.008\n")];
            all.extend(pieces.iter().map(|(from_client, bytes)| (if *from_client { C } else { S }, bytes.as_slice())));
            let recorder = feed(&Vnc, &flow(Transport::Tcp, 5900), &all);
            proptest::prop_assert!(recorder.of("session").len() <= 1);
        }
    }
}
