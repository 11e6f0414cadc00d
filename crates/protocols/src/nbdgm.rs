//! NetBIOS datagrams (RFC 1002 section 4.4) with the browser announcements of Windows hosts ([MS-BRWS] section 2.2).

use std::net::Ipv4Addr;

use quaywatch_model::{Address, Attribute, Mark, Name, NameKind, Observation, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use super::nbns::name::{NetbiosName, read};
use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};

/// Claims remembered per flow.
const MAX_CLAIMS: usize = 128;

/// The protocol.
pub struct Nbdgm;

static META: ProtocolMeta = ProtocolMeta {
    name: "nbdgm",
    title: "NetBIOS datagram service",
    tcp: &[],
    udp: &[138],
    ethertypes: &[],
    spec: "RFC 1002, MS-BRWS",
    found: "Windows hosts and file servers that announce themselves every few minutes",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Source name, and host, domain and master announcements with operating system version, roles and comment; other mailslots are recognised only.",
};

impl Protocol for Nbdgm {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Udp && Datagram::read(pdu.data).is_some() { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(NbdgmAnalyzer { claims: Claims::with_limit(MAX_CLAIMS) })
    }
}

struct NbdgmAnalyzer {
    claims: Claims,
}

/// A datagram of the types that carry user data.
struct Datagram<'a> {
    source: Ipv4Addr,
    name: NetbiosName,
    data: &'a [u8],
}

impl Datagram<'_> {
    fn read(bytes: &[u8]) -> Option<Datagram<'_>> {
        let mut cursor = Cursor::new(bytes);
        if !matches!(cursor.u8()?, 0x10..=0x12) {
            return None;
        }
        // Flags, of which old Windows versions set the reserved ones, and the datagram's id.
        cursor.skip(3)?;
        let source = Ipv4Addr::from(cursor.be32()?);
        // Source port, length, packet offset.
        cursor.skip(6)?;
        let (name, end) = read(bytes, 14)?;
        let (_destination, end) = read(bytes, end)?;
        Some(Datagram { source, name, data: bytes.get(end..)? })
    }
}

/// A browser frame's body: what an SMB transaction writes to `\MAILSLOT\BROWSE` ([MS-CIFS] section 2.2.4.33).
fn browser_frame(smb: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(smb);
    if cursor.take(5)? != b"\xffSMB\x25" {
        return None;
    }
    cursor.skip(27)?;
    let words = usize::from(cursor.u8()?);
    let mut parameters = Cursor::new(cursor.take(words * 2)?);
    parameters.skip(22)?;
    let (length, offset) = (usize::from(parameters.le16()?), usize::from(parameters.le16()?));
    let is_browse = smb.windows(MAILSLOT.len()).take(160).any(|window| window.eq_ignore_ascii_case(MAILSLOT));
    let data = smb.get(offset..)?;
    is_browse.then(|| data.get(..length).unwrap_or(data))
}

/// The mailslot of the browser service.
const MAILSLOT: &[u8] = b"\\MAILSLOT\\BROWSE";

/// A host, domain or local master announcement.
struct Announcement {
    is_domain: bool,
    server: Option<String>,
    version: (u8, u8),
    roles: u32,
    comment: Option<String>,
}

impl Announcement {
    fn read(frame: &[u8]) -> Option<Option<Announcement>> {
        let mut cursor = Cursor::new(frame);
        let command = cursor.u8()?;
        if !matches!(command, 0x01 | 0x0c | 0x0f) {
            return Some(None);
        }
        // Update count and period.
        cursor.skip(5)?;
        let server = device_text(cursor.take(16)?);
        let version = (cursor.u8()?, cursor.u8()?);
        let roles = cursor.le32()?;
        cursor.skip(4)?;
        let comment = device_text(cursor.rest());
        Some(Some(Announcement { is_domain: command == 0x0c, server, version, roles, comment }))
    }
}

impl Analyzer for NbdgmAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(datagram) = Datagram::read(pdu.data) else {
            // Fragments after the first, errors and queries of a datagram distribution server.
            return match pdu.data.first() {
                Some(0x10..=0x15) => out.mark(Mark::Undecoded("netbios datagram without names")),
                _ => malformed("no datagram type", pdu, out),
            };
        };
        let source = Address::V4(datagram.source);
        let subject = if source.is_host() { source } else { pdu.sender().address };
        if matches!(datagram.name.suffix, 0x00 | 0x20) && !datagram.name.text.is_empty() {
            self.host_name(subject, &datagram.name.text, "nbdgm source name", pdu, out);
        }
        let Some(frame) = browser_frame(datagram.data) else { return };
        match Announcement::read(frame) {
            Some(Some(announcement)) => self.announcement(&announcement, subject, pdu, out),
            Some(None) => {}
            None if pdu.cut => {}
            None => malformed("a browser announcement is too short", pdu, out),
        }
    }
}

fn malformed(detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    let name = "nbdgm_message_malformed";
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: "nbdgm", detail, sender, receiver }));
    out.mark(Mark::Malformed(detail));
}

impl NbdgmAnalyzer {
    fn host_name(&mut self, subject: Address, name: &str, method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.claims.identify(out, pdu.at, subject, (Attribute::HostName, name, method));
        let claim = Name { subject, name, kind: NameKind::Nbns, asker: Address::None };
        self.claims.name(out, pdu.at, claim);
    }

    fn announcement(&mut self, said: &Announcement, subject: Address, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(server) = &said.server else { return };
        if said.is_domain {
            // The comment of a domain announcement is the master browser's name.
            self.claims.identify(out, pdu.at, subject, (Attribute::Domain, server, "nbdgm domain announcement"));
            return;
        }
        self.host_name(subject, server, "nbdgm host announcement", pdu, out);
        let (major, minor) = said.version;
        let comment = said.comment.as_deref().unwrap_or("");
        // Samba announces a Windows version for the sake of old clients, and itself in the comment.
        if comment.contains("Samba") {
            self.claims.identify(out, pdu.at, subject, (Attribute::Software, comment, "nbdgm server comment"));
        } else {
            let os = windows(major, minor);
            self.claims.identify(out, pdu.at, subject, (Attribute::Os, &os, "nbdgm host announcement"));
            if !comment.eq_ignore_ascii_case(server) {
                self.claims.identify(out, pdu.at, subject, (Attribute::Location, comment, "nbdgm server comment"));
            }
        }
        for (bit, role) in ROLES {
            if said.roles & bit != 0 {
                self.claims.identify(out, pdu.at, subject, (Attribute::Capability, role, "nbdgm server type"));
            }
        }
    }
}

/// `Windows 6.1` and the products that bear the version.
fn windows(major: u8, minor: u8) -> String {
    let product = match (major, minor) {
        (4, 0) => " (95, 98 or NT 4.0)",
        (5, 0) => " (2000)",
        (5, 1) => " (XP)",
        (5, 2) => " (Server 2003 or XP x64)",
        (6, 0) => " (Vista or Server 2008)",
        (6, 1) => " (7 or Server 2008 R2)",
        (6, 2) => " (8 or Server 2012)",
        (6, 3) => " (8.1 or Server 2012 R2)",
        (10, 0) => " (10, 11 or Server 2016 and later)",
        _ => "",
    };
    format!("Windows {major}.{minor}{product}")
}

/// Server type bits that tell a role ([MS-BRWS] section 2.2.1, `SV_TYPE_*`).
const ROLES: [(u32, &str); 7] = [
    (0x0000_0004, "sql server"),
    (0x0000_0008, "domain controller"),
    (0x0000_0010, "backup domain controller"),
    (0x0000_0200, "print server"),
    (0x0000_0400, "dial-in server"),
    (0x0000_8000, "windows server"),
    (0x0000_0800, "unix server"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex};
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;

    fn name(text: &str, suffix: u8) -> Vec<u8> {
        let mut name = [b' '; 16];
        name[..text.len()].copy_from_slice(text.as_bytes());
        name[15] = suffix;
        let letters = name.iter().flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]);
        std::iter::once(32).chain(letters).chain([0]).collect()
    }

    /// [MS-BRWS] section 2.2.1 in [MS-CIFS] section 2.2.4.33.1 in RFC 1002 section 4.4.2.
    fn announcement() -> Vec<u8> {
        let mut smb = b"\xffSMB\x25".to_vec();
        smb.extend([0; 27]);
        smb.push(17);
        let body = [&hex("01 00 80fc0a00 484d493100000000000000000000000006 01 08800000 0f01 55aa")[..], b"Crane 3\0"]
            .concat();
        let mut words = [0u8; 34];
        words[22] = u8::try_from(body.len()).unwrap();
        words[24] = 86;
        smb.extend(words);
        smb.extend([17, 0]);
        smb.extend(b"\\MAILSLOT\\BROWSE\0");
        smb.extend(&body);
        [hex("11 0a 0001 0a000001 008a 0000 0000"), name("HMI1", 0), name("CRANE", 0x1d), smb].concat()
    }

    #[test]
    fn an_announcement_describes_its_host() {
        let seen = feed(&Nbdgm, &flow(Transport::Udp, 138), &[(FromClient, &announcement())]);
        let said: Vec<String> = seen
            .of("identity")
            .iter()
            .map(|row| format!("{} {}", row["attribute"].as_str().unwrap(), row["value"].as_str().unwrap()))
            .collect();
        assert_eq!(
            said,
            [
                "host-name HMI1",
                "host-name HMI1",
                "os Windows 6.1 (7 or Server 2008 R2)",
                "location Crane 3",
                "capability domain controller",
                "capability windows server",
            ]
        );
        assert!(seen.marks.is_empty());
    }

    #[test]
    fn truncations_do_not_panic() {
        let whole = announcement();
        for length in 1..whole.len() {
            feed_unprobed(&Nbdgm, &flow(Transport::Udp, 138), &[(FromClient, &whole[..length])]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 1..200), at in 0usize..200) {
            let flow = flow(Transport::Udp, 138);
            feed_unprobed(&Nbdgm, &flow, &[(FromClient, &data)]);
            let mut whole = announcement();
            let at = at.min(whole.len() - 1);
            whole.splice(at.., data);
            feed_unprobed(&Nbdgm, &flow, &[(FromClient, &whole)]);
        }
    }
}
