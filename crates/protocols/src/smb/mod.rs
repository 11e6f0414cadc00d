//! SMB 1, 2 and 3 over NetBIOS sessions or TCP alone (MS-CIFS, MS-SMB, MS-SMB2): dialects, logins, shares, files, pipes.

mod logon1;
mod logon2;
mod names;
mod smb1;
mod smb2;
pub mod stream;
mod talk;
#[cfg(test)]
mod tests;
mod text;
mod transaction;

use quaywatch_model::{Attribute, Direction, Mark, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::stream::{MESSAGE, Side};
use self::talk::{Talk, weird};
use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "smb";

/// The registry entry.
pub struct Smb;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "SMB / CIFS",
    tcp: &[445, 139],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 1002 4.3, MS-CIFS 2.2, MS-SMB 2.2, MS-SMB2 2.2, MS-FSCC, MS-RAP",
    found: "office and operator computers, historians, panels",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "dialect, signing, encryption; logins; shares, files and pipes by name, bytes moved counted by file; contents are not read",
};

/// Version of an SMB message by its first byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    One,
    Two,
    /// Encrypted message (MS-SMB2 2.2.41).
    Sealed,
    /// Compressed message (MS-SMB2 2.2.42).
    Packed,
}

fn kind(message: &[u8]) -> Option<Kind> {
    match message {
        [0xff, b'S', b'M', b'B', ..] => Some(Kind::One),
        [0xfe, b'S', b'M', b'B', ..] => Some(Kind::Two),
        [0xfd, b'S', b'M', b'B', ..] => Some(Kind::Sealed),
        [0xfc, b'S', b'M', b'B', ..] => Some(Kind::Packed),
        _ => None,
    }
}

/// Whether a path ends in a share of the administrators: a drive, `ADMIN$`, but not the pipes' `IPC$`.
fn is_admin_share(path: &str) -> bool {
    let share = path.rsplit('\\').next().unwrap_or_default().to_ascii_uppercase();
    share == "ADMIN$" || matches!(share.as_bytes(), [b'A'..=b'Z', b'$'])
}

/// A NetBIOS name in its first-level encoding (RFC 1001 section 14.1), without its padding and service.
fn netbios_name(encoded: &[u8]) -> Option<String> {
    let (pairs, _) = encoded.get(1..33)?.as_chunks::<2>();
    let nibble = |byte: u8| byte.checked_sub(b'A').filter(|n| *n < 16);
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect();
    crate::bytes::device_text(bytes?.get(..15)?)
}

impl Protocol for Smb {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        match pdu.data {
            // A NetBIOS session request (RFC 1002 section 4.3.2) opens port 139; its answer has no content.
            [0x81, 0, 0, 0x44, 0x20, ..] => Probe::Yes,
            [0x82, 0, 0, 0] | [0x83, 0, 0, 1, 0x80..=0x8f] if pdu.flow.server.port == 139 => Probe::Unsure,
            [MESSAGE, _, _, _, message @ ..] => match kind(message) {
                Some(Kind::One) if message.get(9).is_some_and(|flags| flags & 0x80 != 0) => Probe::YesFromServer,
                Some(Kind::Two) if smb2::is_reply(message) == Some(true) => Probe::YesFromServer,
                Some(_) => Probe::Yes,
                None => Probe::No,
            },
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(SmbFlow { from_client: Side::default(), from_server: Side::default(), talk: Talk::default() })
    }
}

struct SmbFlow {
    from_client: Side,
    from_server: Side,
    talk: Talk,
}

impl Analyzer for SmbFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let SmbFlow { from_client, from_server, talk } = self;
        talk.here(pdu);
        let side = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        if side.push(pdu.data, |kind, body, _| packet(talk, pdu, kind, body, out)).is_err() {
            weird(pdu, "smb_framing", "no session packet starts where one should", out);
            out.mark(Mark::Malformed("SMB session packet"));
        }
    }

    fn gap(&mut self, direction: Direction, missing: u32, _: &mut dyn Sink) {
        let side = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        side.gap(usize::try_from(missing).unwrap_or(usize::MAX));
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.talk.finish(flow, out);
    }
}

fn packet(talk: &mut Talk, pdu: &Pdu<'_>, packet: u8, body: &[u8], out: &mut dyn Sink) {
    match packet {
        MESSAGE if !body.is_empty() => message(talk, pdu, body, out),
        0x81 => {
            let name = |from: usize| body.get(from..).and_then(netbios_name).filter(|name| !name.starts_with('*'));
            let (client, server) = (pdu.flow.client.address, pdu.flow.server.address);
            if let Some(called) = name(0) {
                talk.claims.identify(
                    out,
                    pdu.at,
                    server,
                    (Attribute::HostName, &called, "netbios session called name"),
                );
            }
            if let Some(calling) = name(34) {
                talk.claims.identify(
                    out,
                    pdu.at,
                    client,
                    (Attribute::HostName, &calling, "netbios session calling name"),
                );
            }
        }
        0x83 => weird(pdu, "smb_netbios_session_refused", "the called NetBIOS name is not served", out),
        _ => {}
    }
}

fn message(talk: &mut Talk, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
    match kind(message) {
        Some(Kind::One) => smb1::message(talk, pdu, message, out),
        Some(Kind::Two) => smb2::message(talk, pdu, message, out),
        Some(Kind::Sealed) => {
            talk.encrypted = true;
            out.mark(Mark::Opaque("encrypted"));
        }
        Some(Kind::Packed) => out.mark(Mark::Opaque("compressed")),
        None => {
            weird(pdu, "smb_signature", "a message starts with none of SMB's signatures", out);
            out.mark(Mark::Malformed("SMB signature"));
        }
    }
}
