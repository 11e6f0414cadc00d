//! Tabular Data Stream, the protocol of Microsoft SQL Server (MS-TDS): versions, encryption, logins with outcome, kinds of statements.
//! The browser service beside it (MC-SQLR) is in [`browser`].

pub mod browser;
mod login;
mod names;
pub mod packet;
mod statement;
mod talk;
#[cfg(test)]
mod tests;

use quaywatch_model::{Direction, Mark, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use self::packet::{HEADER, Message, PACKET_LIMIT};
use self::talk::Talk;
use crate::analyzer::{Depth, Purpose};
use crate::deviation::malformed;
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "tds";

/// The registry entry.
pub struct Tds;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "SQL Server (TDS)",
    tcp: &[1433],
    udp: &[],
    ethertypes: &[],
    spec: "MS-TDS 2.2",
    found: "databases of terminal operating systems, crane management, historians, gate and access control",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Versions, encryption, logins with outcome, kinds of statements and names of procedures; texts and results are not read",
};

impl Protocol for Tds {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp || packet::is_tls(pdu.data) {
            return Probe::No;
        }
        let (Length::Whole(whole), Some(&[kind, status, _, _, _, _, number, window])) =
            (packet::length(pdu.data), pdu.data.first_chunk::<HEADER>())
        else {
            return Probe::No;
        };
        if window != 0 || number > 1 || status & !1 != 0 {
            return Probe::No;
        }
        let body = pdu.data.get(HEADER..whole).unwrap_or_default();
        match kind {
            18 if login::prelogin(body).is_some() => Probe::Yes,
            16 if login::login7(body).is_some_and(|login| login.tds >> 28 == 7)
                && body.first_chunk().map(|l| u32::from_le_bytes(*l)) == u32::try_from(body.len()).ok() =>
            {
                Probe::Yes
            }
            // An answer opens with the prelogin's version option, or with tokens of a login.
            4 if login::prelogin(body).is_some_and(|read| read.encryption.is_some()) => Probe::YesFromServer,
            1 | 3 | 4 if pdu.flow.midstream && number == 1 && whole == pdu.data.len() => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(TdsFlow { from_client: Side::new(), from_server: Side::new(), talk: Talk::default(), tls: None })
    }
}

struct Side {
    framer: Resync,
    message: Message,
}

impl Side {
    fn new() -> Self {
        Side { framer: Resync::new(PACKET_LIMIT), message: Message::default() }
    }
}

/// Whether a piece starts with a packet that starts a message, or with a TLS record.
fn begins(piece: &[u8]) -> bool {
    let first = matches!(piece, [_, 0 | 1, _, _, _, _, 0 | 1, 0, ..]);
    packet::is_tls(piece) || first && matches!(packet::length(piece), Length::Whole(_))
}

struct TdsFlow {
    from_client: Side,
    from_server: Side,
    talk: Talk,
    /// Reads the TLS handshake that prelogin packets carry.
    tls: Option<Box<dyn Analyzer>>,
}

impl Analyzer for TdsFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let TdsFlow { from_client, from_server, talk, tls } = self;
        let Side { framer, message } = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let each = |bytes: &[u8]| {
            let body = bytes.get(HEADER..).unwrap_or_default();
            if packet::is_tls(bytes) {
                talk.encrypted(pdu);
                out.mark(Mark::Opaque("encrypted"));
            } else if matches!(bytes.first(), Some(18 | 4)) && packet::is_tls(body) {
                let tls = tls.get_or_insert_with(|| crate::tls::Tls.open(pdu.flow));
                tls.feed(&Pdu { data: body, ..*pdu }, out);
            } else if message.add(bytes) {
                if talk.message(pdu, message, out).is_none() {
                    malformed(PROTOCOL, pdu, "tds_message", "a message is shorter than its fields need", out);
                }
                message.clear();
            }
        };
        let framed = framer.push(pdu.data, begins, packet::length, each);
        if framed == Ok(false) {
            out.mark(Mark::Undecoded("behind a gap"));
        }
        if framed.is_err() {
            message.clear();
            malformed(PROTOCOL, pdu, "tds_framing", "no TDS packet starts where one should", out);
        }
    }

    fn gap(&mut self, direction: Direction, _: u32, _: &mut dyn Sink) {
        let side = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        side.framer.gap();
        side.message.clear();
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.talk.finish(flow, out);
        if let Some(tls) = &mut self.tls {
            tls.close(flow, out);
        }
    }
}
