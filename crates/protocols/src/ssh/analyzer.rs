//! Reads both directions of an SSH connection up to its encryption.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Identity, Mark, Observation, Outcome, Service, Session, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Framer, Pdu};

use super::META;
use super::packet::{self, Offer};
use crate::Analyzer;
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail::Detail;

/// Longest banner line, and bytes of other lines that a server may send before it (RFC 4253 section 4.2).
pub(super) const MAX_BANNER: usize = 1024;
const MAX_BEFORE_BANNER: usize = 16 * 1024;
/// Messages that are listed in the detail of a session.
const MAX_LISTED: usize = 48;

/// Where one direction is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Stage {
    #[default]
    Banner,
    Packets,
    Encrypted,
    /// Bytes were missed before encryption.
    Lost,
}

/// What became of a piece.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Understood {
    Encrypted,
    Lost,
    Read,
}

/// One direction.
struct Side {
    stage: Stage,
    line: Vec<u8>,
    before: usize,
    framer: Framer,
    banner: Banner,
    offer: Option<Offer>,
    new_keys: bool,
}

impl Default for Side {
    fn default() -> Self {
        Side {
            stage: Stage::Banner,
            line: Vec::new(),
            before: 0,
            framer: Framer::new(packet::MAX_PACKET),
            banner: Banner::default(),
            offer: None,
            new_keys: false,
        }
    }
}

/// A banner: `SSH-2.0-OpenSSH_9.6 Debian-3`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Banner {
    /// `2.0`, `1.99`, `1.5`.
    pub(super) version: String,
    /// `OpenSSH_9.6 Debian-3`.
    pub(super) software: String,
}

impl Banner {
    /// Reads a line; `None` if it is no banner.
    pub(super) fn parse(line: &[u8]) -> Option<Banner> {
        let text = device_text(line.strip_prefix(b"SSH-")?)?;
        let (version, software) = text.split_once('-').unwrap_or((&text, ""));
        let is_version = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        is_version.then(|| Banner { version: version.to_owned(), software: software.to_owned() })
    }

    /// The operating system that software or comment names.
    fn os(&self) -> Option<&str> {
        const NAMES: &[&str] = &["Ubuntu", "Debian", "Raspbian", "FreeBSD", "NetBSD", "Windows", "Yocto", "Cisco"];
        if self.software.contains("for_Windows") {
            return Some("Windows");
        }
        let comment = self.software.split_once(' ')?.1.trim();
        NAMES.iter().any(|name| comment.starts_with(name)).then_some(comment)
    }
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct SshAnalyzer {
    client: Side,
    server: Side,
    at: Option<At>,
    host_key: Option<(String, String)>,
    messages: String,
    listed: usize,
    claims: Claims,
    detail: Detail,
    ends: Option<(Endpoint, Endpoint)>,
    /// The flow was picked up midway and turned out to be the other way round.
    turned: bool,
    told: bool,
}

impl Analyzer for SshAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.at.get_or_insert(pdu.at);
        let mut side = std::mem::take(self.side(pdu.direction));
        let understood = self.read(&mut side, pdu, out);
        *self.side(pdu.direction) = side;
        self.ends = Some(self.ends_of(pdu.flow));
        if !self.told && self.client.new_keys && self.server.new_keys {
            self.tell(out);
        }
        match understood {
            Understood::Encrypted => out.mark(Mark::Opaque("encrypted")),
            Understood::Lost => out.mark(Mark::Undecoded("ssh after a gap")),
            Understood::Read => {}
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        let side = self.side(direction);
        if side.stage != Stage::Encrypted {
            side.stage = Stage::Lost;
            side.line.clear();
            side.framer.reset();
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        if !self.told {
            self.tell(out);
        }
    }
}

impl SshAnalyzer {
    const fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    const fn client_direction(&self) -> Direction {
        if self.turned { Direction::FromServer } else { Direction::FromClient }
    }

    const fn ends_of(&self, flow: &Flow) -> (Endpoint, Endpoint) {
        let direction = self.client_direction();
        (flow.sender(direction), flow.receiver(direction))
    }

    fn read(&mut self, side: &mut Side, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Understood {
        let mut rest = pdu.data;
        let mut understood = Understood::Encrypted;
        if side.stage == Stage::Banner && side.line.is_empty() && Offer::of_packet(rest).is_some() {
            // Met midway: the banner was before.
            side.stage = Stage::Packets;
        }
        while side.stage == Stage::Banner && !rest.is_empty() {
            understood = Understood::Read;
            rest = self.banner_line(side, rest, pdu, out);
        }
        match side.stage {
            _ if rest.is_empty() => understood,
            Stage::Packets => {
                self.packets(side, rest, pdu, out);
                Understood::Read
            }
            Stage::Lost => understood.max(Understood::Lost),
            Stage::Banner | Stage::Encrypted => understood,
        }
    }

    /// Takes bytes up to the end of a line; returns what follows.
    fn banner_line<'p>(&mut self, side: &mut Side, piece: &'p [u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> &'p [u8] {
        let end = piece.iter().position(|b| *b == b'\n').map_or(piece.len(), |at| at + 1);
        let (now, rest) = piece.split_at_checked(end).unwrap_or((piece, b""));
        let room = MAX_BANNER.saturating_sub(side.line.len());
        side.line.extend(now.iter().take(room));
        if now.last() != Some(&b'\n') {
            side.before += now.len();
            if side.before > MAX_BEFORE_BANNER {
                self.no_banner(side, pdu, out);
            }
            return rest;
        }
        let line = std::mem::take(&mut side.line);
        side.before += line.len();
        if let Some(banner) = Banner::parse(&line) {
            side.banner = banner;
            side.stage = Stage::Packets;
            self.say_banner(&side.banner, pdu, out);
        } else if line.starts_with(b"SSH-") || side.before > MAX_BEFORE_BANNER {
            self.no_banner(side, pdu, out);
        }
        rest
    }

    fn no_banner(&mut self, side: &mut Side, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.weird("ssh_banner_malformed", "no SSH banner where one must stand", pdu, out);
        out.mark(Mark::Malformed("no SSH banner where one must stand"));
        side.stage = Stage::Lost;
        side.line.clear();
    }

    fn say_banner(&mut self, banner: &Banner, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let from_client = pdu.direction == self.client_direction();
        let subject = pdu.sender().address;
        let method = if from_client { "ssh client banner" } else { "ssh server banner" };
        let claim = |attribute, value, method| Identity { subject, attribute, value, method };
        self.claims.identity(out, pdu.at, claim(Attribute::Software, &banner.software, method));
        if let Some(os) = banner.os() {
            let method = if from_client { "ssh client banner comment" } else { "ssh server banner comment" };
            self.claims.identity(out, pdu.at, claim(Attribute::Os, os, method));
        }
        if !from_client {
            let version = format!("SSH-{}", banner.version);
            let (server, software) = (pdu.sender(), banner.software.as_str());
            let claim = Service { server, transport: Transport::Tcp, protocol: META.name, software, version: &version };
            self.claims.service(out, pdu.at, claim);
        }
    }

    /// Whether protocol 1 is spoken, by the banner of this side and of the other.
    fn is_v1(&self, side: &Side, direction: Direction) -> bool {
        let other = match direction {
            Direction::FromClient => &self.server,
            Direction::FromServer => &self.client,
        };
        let old = |banner: &Banner| banner.version.starts_with("1.") && banner.version != "1.99";
        old(&side.banner) || old(&other.banner)
    }

    fn packets(&mut self, side: &mut Side, piece: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let v1 = self.is_v1(side, pdu.direction);
        let mut framer = std::mem::replace(&mut side.framer, Framer::new(0));
        let framed = framer.push(
            piece,
            // Behind the change of keys all is one opaque piece.
            |bytes| if v1 { packet::length_v1(bytes) } else { packet::length(bytes) },
            |packet| {
                if side.stage != Stage::Packets {
                    return;
                }
                if v1 {
                    // One packet each way is readable: the server's key, the client's session key.
                    if let Some(kind) = packet::kind_v1(packet) {
                        self.list(kind, pdu);
                    }
                    side.new_keys = true;
                    side.stage = Stage::Encrypted;
                } else if let Some((kind, content)) = packet::payload(packet) {
                    self.packet(side, kind, content, pdu, out);
                }
            },
        );
        side.framer = framer;
        // Once encrypted, lengths are nonsense.
        if framed.is_err() && side.stage == Stage::Packets {
            self.weird("ssh_packet_malformed", "packet length or padding is impossible", pdu, out);
            out.mark(Mark::Malformed("packet length or padding is impossible"));
            side.stage = Stage::Lost;
        }
        if side.stage != Stage::Packets {
            side.framer = Framer::new(0);
        }
    }

    fn packet(&mut self, side: &mut Side, kind: u8, content: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if kind == packet::KEX_INIT_BY_CLIENT && pdu.flow.midstream && side.banner == Banner::default() {
            self.turned = pdu.direction == Direction::FromServer;
        }
        self.list(kind, pdu);
        match kind {
            packet::KEXINIT => match Offer::parse(content) {
                Some(offer) => side.offer = Some(offer),
                None => self.weird("ssh_kexinit_malformed", "offer of algorithms cannot be read", pdu, out),
            },
            packet::NEWKEYS => {
                side.new_keys = true;
                side.stage = Stage::Encrypted;
            }
            kind if packet::KEX_REPLIES.contains(&kind) && self.host_key.is_none() => {
                self.host_key = packet::host_key(content);
            }
            _ => {}
        }
    }

    fn list(&mut self, kind: u8, pdu: &Pdu<'_>) {
        self.listed += 1;
        if self.listed <= MAX_LISTED {
            let sender = if pdu.direction == self.client_direction() { 'c' } else { 's' };
            let blank = if self.messages.is_empty() { "" } else { " " };
            let _ = write!(self.messages, "{blank}{sender}{kind}");
        }
    }

    /// The version spoken: the lower of the two, with 1.99 standing for 2.0.
    fn version(&self) -> String {
        let known = [&self.client.banner, &self.server.banner].map(|banner| banner.version.as_str());
        if known == ["", ""] {
            return "SSH-2.0".to_owned();
        }
        let old = known.into_iter().find(|version| version.starts_with("1.") && *version != "1.99");
        format!("SSH-{}", old.unwrap_or("2.0"))
    }

    fn tell(&mut self, out: &mut dyn Sink) {
        let (Some(at), Some((client_end, server_end))) = (self.at, self.ends) else { return };
        self.told = true;
        let version = self.version();
        let (client, server) = if self.turned { (&self.server, &self.client) } else { (&self.client, &self.server) };
        self.detail.begin();
        if let (Some(ask), Some(offer)) = (&client.offer, &server.offer) {
            describe(ask, offer, &mut self.detail);
        } else if let Some(offer) = &server.offer {
            self.detail.text("server_ciphers", &offer.ciphers_to_client).text("server_kex", &offer.kex);
        }
        if let Some((kind, print)) = &self.host_key {
            self.detail.text("host_key_type", kind).text("host_key_sha256", print);
        }
        let detail = self.detail.text("messages", &self.messages).finish();
        let row = Session {
            client: client_end,
            server: server_end,
            protocol: META.name,
            version: &version,
            user: "",
            method: "",
            outcome: Outcome::Unknown,
            client_software: &client.banner.software,
            server_software: &server.banner.software,
            encrypted: client.new_keys || server.new_keys,
            detail,
        };
        out.emit(at, Observation::Session(row));
    }

    fn weird(&mut self, name: &'static str, detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: META.name, detail, sender, receiver }));
    }
}

/// Writes the algorithms agreed on.
fn describe(ask: &Offer, offer: &Offer, detail: &mut Detail) {
    let cipher = packet::agreed(&ask.ciphers_to_server, &offer.ciphers_to_server);
    let cipher_back = packet::agreed(&ask.ciphers_to_client, &offer.ciphers_to_client);
    // Ciphers that authenticate by themselves use no MAC, whatever is agreed.
    let mac = |cipher: &str, ask, offer| {
        if cipher.contains("poly1305") || cipher.contains("gcm") { "" } else { packet::agreed(ask, offer) }
    };
    detail
        .text("kex", packet::agreed(&ask.kex, &offer.kex))
        .text("host_key", packet::agreed(&ask.host_key, &offer.host_key))
        .text("cipher", cipher)
        .text("cipher_to_client", cipher_back)
        .text("mac", mac(cipher, &ask.macs_to_server, &offer.macs_to_server))
        .text("mac_to_client", mac(cipher_back, &ask.macs_to_client, &offer.macs_to_client))
        .text("compression", packet::agreed(&ask.compression_to_server, &offer.compression_to_server))
        .text("compression_to_client", packet::agreed(&ask.compression_to_client, &offer.compression_to_client));
}
