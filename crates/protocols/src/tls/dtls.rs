//! DTLS (RFC 6347): recognised, and of its handshake the hellos that lie whole in one record.

use quaywatch_model::{
    At, Direction, Endpoint, Mark, Name, NameKind, Observation, Outcome, Service, Session, Sink, Transport,
};
use quaywatch_wire::{Flow, Pdu};

use super::analyzer::{describe_choice, describe_offer};
use super::hello::{Carrier, ClientHello, ServerHello};
use super::side::{CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT};
use super::{DTLS_META, names};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail::Detail;
use crate::{Analyzer, Probe};

/// A record: content type, epoch, content.
struct Record<'a> {
    kind: u8,
    epoch: u16,
    content: &'a [u8],
}

/// Takes the next record of a datagram.
fn record<'a>(cursor: &mut Cursor<'a>) -> Option<Record<'a>> {
    let kind = cursor.u8()?;
    let version = cursor.be16()?;
    let epoch = cursor.be16()?;
    cursor.skip(6)?;
    let length = cursor.be16()?;
    let content = cursor.take(length.into())?;
    let known = (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind) && matches!(version, 0xfeff | 0xfefd | 0x0100);
    known.then_some(Record { kind, epoch, content })
}

/// Every record of the datagram must have a likely header, and fill it.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    let mut cursor = Cursor::new(bytes);
    let mut server = false;
    let mut first = true;
    while !cursor.is_empty() {
        let Some(record) = record(&mut cursor) else { return Probe::No };
        if first && record.kind == HANDSHAKE && record.epoch == 0 {
            // Server hello and hello verify request come from the server.
            server = matches!(record.content.first(), Some(2 | 3));
        }
        first = false;
    }
    match (first, server) {
        (true, _) => Probe::No,
        (false, true) => Probe::YesFromServer,
        (false, false) => Probe::Yes,
    }
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct DtlsAnalyzer {
    at: Option<At>,
    hello: Option<ClientHello>,
    server: Option<ServerHello>,
    from_client: Option<Direction>,
    ends: Option<(Endpoint, Endpoint)>,
    claims: Claims,
    detail: Detail,
    /// Records of a later epoch were seen from the client, from the server.
    encrypted: (bool, bool),
}

impl Analyzer for DtlsAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(pdu.data);
        let mut mark = None;
        while !cursor.is_empty() {
            let Some(record) = record(&mut cursor) else {
                out.mark(Mark::Undecoded("no dtls record"));
                return;
            };
            self.at.get_or_insert(pdu.at);
            if record.epoch == 0 {
                let read = record.kind == HANDSHAKE && self.message(record.content, pdu, out);
                if !read {
                    mark = mark.max(Some(Mark::Undecoded("dtls handshake")));
                }
            } else {
                mark = mark.max(Some(Mark::Opaque("encrypted")));
                match pdu.direction {
                    Direction::FromClient => self.encrypted.0 = true,
                    Direction::FromServer => self.encrypted.1 = true,
                }
            }
        }
        let from_client = self.from_client.unwrap_or(Direction::FromClient);
        self.ends = Some((pdu.flow.sender(from_client), pdu.flow.receiver(from_client)));
        if let Some(mark) = mark {
            out.mark(mark);
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let (Some(at), Some((client, server))) = (self.at, self.ends) else { return };
        let version = self.server.as_ref().map(|hello| names::version(hello.version));
        let established = self.server.is_some() && self.encrypted == (true, true);
        self.detail.begin();
        if let Some(hello) = &self.hello {
            describe_offer(hello, Carrier::Dtls, &mut self.detail);
        }
        if let Some(hello) = &self.server {
            describe_choice(hello, &mut self.detail);
        }
        let row = Session {
            client,
            server,
            protocol: DTLS_META.name,
            version: version.as_deref().unwrap_or_default(),
            user: "",
            method: "",
            outcome: if established { Outcome::Success } else { Outcome::Unknown },
            client_software: "",
            server_software: "",
            encrypted: self.encrypted != (false, false),
            detail: self.detail.finish(),
        };
        out.emit(at, Observation::Session(row));
    }
}

impl DtlsAnalyzer {
    /// Reads a hello that is not fragmented. Whether it was one.
    fn message(&mut self, content: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> bool {
        let mut cursor = Cursor::new(content);
        let (Some(kind), Some(length), Some(_sequence)) = (cursor.u8(), cursor.be24(), cursor.be16()) else {
            return false;
        };
        let (Some(0), Some(fragment)) = (cursor.be24(), cursor.be24()) else { return false };
        if fragment != length {
            return false;
        }
        let body = cursor.rest();
        match kind {
            1 => {
                let Some(hello) = ClientHello::parse(body, Carrier::Dtls) else { return false };
                self.from_client.get_or_insert(pdu.direction);
                let (subject, asker) = (pdu.receiver().address, pdu.sender().address);
                let name = hello.server_name.to_ascii_lowercase();
                self.claims.name(out, pdu.at, Name { subject, name: &name, kind: NameKind::TlsSni, asker });
                self.hello.get_or_insert(hello);
            }
            2 => {
                let Some(hello) = ServerHello::parse(body) else { return false };
                self.from_client.get_or_insert(pdu.direction.reverse());
                let version = names::version(hello.version);
                let (server, transport, protocol) = (pdu.sender(), Transport::Udp, DTLS_META.name);
                let claim = Service { server, transport, protocol, software: "", version: &version };
                self.claims.service(out, pdu.at, claim);
                self.server = Some(hello);
            }
            _ => return false,
        }
        true
    }
}
