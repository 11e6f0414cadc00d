//! Mitsubishi MELSEC: SLMP and the MC protocol (3E and 4E frames), and beside them MELSOFT, which engineering speaks.

pub mod frame;
pub mod melsoft;
pub mod names;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Session, Sink, Transport,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use self::frame::{FRAME_LIMIT, Front, Numbers, frame_length, front};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::login::{Ends, Secret};
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "melsec";
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 64;

/// The registry entry.
pub struct Melsec;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "MELSEC SLMP / MC protocol",
    tcp: &[5000, 5001, 5002, 5007, 5010, 45237],
    udp: &[5000, 5001, 5006, 45237, 61450, 61451],
    ethertypes: &[],
    spec: "SLMP Reference Manual SH-080956ENG; MELSEC Communication Protocol Reference Manual SH-080008",
    found: "Mitsubishi controllers of cranes, conveyors and gates, and the HMIs and servers that read them",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "3E and 4E frames, binary and ASCII: all common commands, devices of reads and writes, remote run and stop, \
            type name, passwords (never their value), end codes. 1E frames and values are not decoded.",
};

impl Protocol for Melsec {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let datagram = match pdu.flow.transport {
            Transport::Tcp => false,
            Transport::Udp => true,
            _ => return Probe::No,
        };
        let front = match front(pdu.data) {
            Ok(front) => front,
            Err(true) if !datagram && pdu.data.len() >= 2 => return Probe::Unsure,
            Err(_) => return Probe::No,
        };
        let whole = front.header.saturating_add(front.length);
        if pdu.data.len() > whole && front.reply || datagram && pdu.data.len() != whole {
            return Probe::No;
        }
        let mut n = Numbers::new(pdu.data.get(front.header..).unwrap_or_default(), front.ascii);
        if front.reply {
            return match n.word() {
                Some(_) => Probe::YesFromServer,
                None => Probe::Unsure,
            };
        }
        match (n.word(), n.word(), n.word()) {
            (Some(_), Some(command), Some(sub)) if names::command(command).is_some() && sub & 0xff00 == 0 => Probe::Yes,
            (_, _, None) => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(SlmpFlow {
            from_client: Framer::new(FRAME_LIMIT),
            from_server: Framer::new(FRAME_LIMIT),
            talk: Talk {
                waiting: Pairing::new(WAITING_LIMIT),
                claims: Claims::default(),
                detail: DetailJson::default(),
                line: String::new(),
            },
        })
    }
}

/// What a reply is found by: who asked, serial number.
type Key = (Direction, Option<u16>);

/// A request that waits for its reply. Of a password only the look at it is kept.
#[derive(Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    front: Front,
    command: u16,
    subcommand: u16,
    object: String,
    quantity: Option<u32>,
    secret: Option<Secret>,
}

struct SlmpFlow {
    from_client: Framer,
    from_server: Framer,
    talk: Talk,
}

struct Talk {
    waiting: Pairing<Key, Ask>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for SlmpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let SlmpFlow { from_client, from_server, talk } = self;
        if pdu.flow.transport == Transport::Udp {
            match frame_length(pdu.data) {
                Length::Whole(whole) if whole <= pdu.data.len() => talk.frame(pdu, pdu.data, out),
                _ => malformed_if_whole(
                    PROTOCOL,
                    pdu,
                    "melsec_length_mismatch",
                    "datagram is shorter than its frame says",
                    out,
                ),
            }
            return;
        }
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        if framer.push(pdu.data, frame_length, |frame| talk.frame(pdu, frame, out)).is_err() {
            framer.reset();
            malformed_if_whole(PROTOCOL, pdu, "melsec_frame", "not the front of a 3E or 4E frame, or too long", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        let framer = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        framer.reset();
        self.talk.give_up(out);
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
    }
}

impl Talk {
    fn frame(&mut self, pdu: &Pdu<'_>, frame: &[u8], out: &mut dyn Sink) {
        let Ok(front) = front(frame) else { return };
        let body = frame.get(front.header..front.header.saturating_add(front.length)).unwrap_or_default();
        let n = Numbers::new(body, front.ascii);
        if front.reply { self.reply(pdu, front, n, out) } else { self.request(pdu, front, n, out) }
    }

    fn request(&mut self, pdu: &Pdu<'_>, front: Front, mut n: Numbers<'_>, out: &mut dyn Sink) {
        let (Some(_timer), Some(command), Some(subcommand)) = (n.word(), n.word(), n.word()) else {
            return malformed_if_whole(PROTOCOL, pdu, "melsec_request_short", "request has no command", out);
        };
        if names::command(command).is_none() {
            out.mark(Mark::Undecoded("unknown SLMP command"));
        }
        let mut ask = Ask {
            at: pdu.at,
            ends: (pdu.sender(), pdu.receiver()),
            front,
            command,
            subcommand,
            object: String::new(),
            quantity: None,
            secret: None,
        };
        if ask.read(&mut n).is_none() {
            malformed_if_whole(PROTOCOL, pdu, "melsec_request_short", "request is shorter than its command needs", out);
        }
        if let Some(lost) = self.waiting.ask((pdu.direction, front.serial), ask) {
            self.tell(Some(&lost), None, out);
        }
    }

    fn reply(&mut self, pdu: &Pdu<'_>, front: Front, mut n: Numbers<'_>, out: &mut dyn Sink) {
        let Some(status) = n.word() else {
            return malformed_if_whole(PROTOCOL, pdu, "melsec_reply_short", "reply has no end code", out);
        };
        let ask = self.waiting.answer(&(pdu.direction.reverse(), front.serial));
        self.tell(ask.as_ref(), Some((pdu, &front, status)), out);
        if ask.is_some_and(|ask| ask.command == 0x0101) && status == 0 {
            match n.take(16).and_then(device_text) {
                Some(model) => {
                    let subject = pdu.sender().address;
                    self.claims.identify(out, pdu.at, subject, (Attribute::Vendor, "Mitsubishi Electric", TYPE_NAME));
                    self.claims.identify(out, pdu.at, subject, (Attribute::Model, &model, TYPE_NAME));
                }
                None => malformed_if_whole(PROTOCOL, pdu, "melsec_reply_short", "type name is missing", out),
            }
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.tell(Some(ask), None, out);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, answer: Option<(&Pdu<'_>, &Front, u16)>, out: &mut dyn Sink) {
        let Some(front) = ask.map(|ask| ask.front).or(answer.map(|(_, front, _)| *front)) else { return };
        let Some(at) = answer.map(|(pdu, ..)| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let Some((client, server)) = ask.map(|ask| ask.ends).or(answer.map(|(pdu, ..)| (pdu.receiver(), pdu.sender())))
        else {
            return;
        };
        let command = ask.map_or(0, |ask| ask.command);
        let (name, class) = match ask {
            Some(_) => names::command(command).unwrap_or(("unknown command", OperationClass::Diagnose)),
            None => ("reply without request", OperationClass::Diagnose),
        };
        let detail = &mut self.detail;
        detail.clear();
        detail.text("frame", if front.serial.is_some() { "4E" } else { "3E" });
        detail.text("code", if front.ascii { "ASCII" } else { "binary" });
        detail.number("network", front.target.0);
        detail.number("station", front.target.1);
        if front.module != 0x03ff {
            detail.number("module", front.module);
        }
        if let Some(ask) = ask {
            detail.number("subcommand", ask.subcommand);
        }
        let status = answer.map(|(.., status)| status);
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: Some(u32::from(front.target.1)),
                code: u32::from(command),
                name,
                class,
                object: ask.map_or("", |ask| ask.object.as_str()),
                quantity: ask.and_then(|ask| ask.quantity).map(u64::from),
                status: status.map(u32::from),
                status_name: status.map_or("", names::end_code),
                latency: ask.zip(answer).map(|(ask, (pdu, ..))| pdu.at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|(pdu, ..)| pdu.at.frame),
                detail: detail.object(&mut self.line),
            }),
        );
        if let Some((ask, secret)) = ask.and_then(|ask| Some((ask, ask.secret?))) {
            self.login(at, ask, secret, status, out);
        }
    }

    /// The remote password opens a port of the controller to whoever sends it.
    fn login(&mut self, at: At, ask: &Ask, secret: Secret, status: Option<u16>, out: &mut dyn Sink) {
        let outcome = match status {
            Some(0) => Outcome::Success,
            Some(_) => Outcome::Failure,
            None => Outcome::Unknown,
        };
        let (client, server) = ask.ends;
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: "",
            user: "",
            method: "password",
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        self.claims.session(out, at, session);
        secret.report(&mut self.claims, out, at, Ends { client, server, protocol: PROTOCOL }, "", outcome);
    }
}

const TYPE_NAME: &str = "melsec type name";

impl Ask {
    /// Reads what a command is done to. `None` if the request is too short for it.
    fn read(&mut self, n: &mut Numbers<'_>) -> Option<()> {
        match self.command {
            0x0401 | 0x1401 => {
                self.object = device(n, self.subcommand)?;
                self.quantity = Some(n.number(2)?);
            }
            0x0403 | 0x1402 | 0x0801 => {
                let (first, second) =
                    (n.number(1)?, if self.command == 0x1402 && self.bits() { 0 } else { n.number(1)? });
                self.quantity = Some(first.saturating_add(second));
                if first.saturating_add(second) > 0 {
                    self.object = device(n, self.subcommand)?;
                }
            }
            0x0406 | 0x1406 => {
                self.quantity = Some(n.number(1)?.saturating_add(n.number(1)?));
                self.object = device(n, self.subcommand)?;
            }
            0x0613 | 0x1613 => {
                let address = n.number(4)?;
                self.object = format!("buffer memory 0x{address:x}");
                self.quantity = Some(n.number(2)?);
            }
            0x1001..=0x1003 => self.object = mode(n.word()?),
            0x1630 | 0x1631 => {
                let length = usize::from(n.word()?);
                let password = n.take(length)?;
                self.secret = (self.command == 0x1630).then(|| Secret::examine("", password));
            }
            _ => {}
        }
        Some(())
    }

    /// Whether points are bits.
    const fn bits(&self) -> bool {
        self.subcommand & 1 != 0
    }
}

/// Mode of a remote run, stop or pause.
fn mode(mode: u16) -> String {
    match mode {
        1 => "not forced".to_owned(),
        3 => "forced".to_owned(),
        other => format!("mode 0x{other:x}"),
    }
}

/// A device and its first number, e.g. `D100`, `X1F`.
fn device(n: &mut Numbers<'_>, subcommand: u16) -> Option<String> {
    // Subcommands 2 and 3 are of iQ-R: longer numbers and codes.
    let long = subcommand & 2 != 0;
    let mut text = String::new();
    if n.ascii {
        let symbol = n.take(if long { 4 } else { 2 })?;
        let number = n.take(if long { 8 } else { 6 })?;
        text.extend(symbol.iter().filter(|b| b.is_ascii_alphanumeric()).map(|b| char::from(*b)));
        let digits = number.iter().position(|b| *b != b'0' && *b != b' ').unwrap_or(number.len().saturating_sub(1));
        text.extend(number.get(digits..)?.iter().filter(|b| b.is_ascii_alphanumeric()).map(|b| char::from(*b)));
        return Some(text);
    }
    let number = n.number(if long { 4 } else { 3 })?;
    let code = n.number(if long { 2 } else { 1 })?;
    // Writing to a string cannot fail.
    let _ = match u16::try_from(code).ok().and_then(names::device) {
        Some((symbol, true)) => write!(text, "{symbol}{number:X}"),
        Some((symbol, false)) => write!(text, "{symbol}{number}"),
        None => write!(text, "device 0x{code:x} {number}"),
    };
    Some(text)
}
