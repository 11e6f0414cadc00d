//! CODESYS runtimes, which run controllers of many makers: V3 (UDP 1740-1743, TCP 11740-11743) and V2 (TCP 1200, 2455).
//!
//! CODESYS publishes no description; what is decoded is what public research and open scanners agree on.

pub mod names;
#[cfg(test)]
mod tests;
pub mod v2;

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Session, Sink, Transport,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "codesys-v3";
/// First byte of every datagram.
const MAGIC: u8 = 0xc5;
/// First bytes of a block over TCP; the length of the whole block follows.
const BLOCK_MAGIC: [u8; 4] = [0x00, 0x01, 0x17, 0xe8];
const BLOCK_HEADER: usize = 8;
/// Longest block that is read; runtimes send up to 512 bytes of payload.
pub const BLOCK_LIMIT: usize = 64 * 1024;
/// Requests of one flow that wait for responses.
pub const WAITING_LIMIT: usize = 32;
/// Tags in front of a service's header: readable, and of a secure session.
const SERVICE_TAG: u16 = 0xcd55;
const SECURE_TAG: u16 = 0x7557;

/// The registry entry of version 3.
pub struct CodesysV3;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "CODESYS V3",
    tcp: &[11740, 11741, 11742, 11743],
    udp: &[1740, 1741, 1742, 1743],
    ethertypes: &[],
    spec: "No public document; Nochvay, Security research: CODESYS Runtime (Kaspersky ICS CERT 2019); open scanners",
    found: "Controllers of many makers on cranes, in drives and in building automation, and their engineering",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Datagrams, name service with identity, channels, services by component with login, start, stop and download. \
            Contents of services, and secure sessions, are not decoded.",
};

/// The header of a datagram, and what follows its addresses.
#[derive(Clone, Copy, Debug)]
struct Datagram<'a> {
    service: u8,
    receiver: &'a [u8],
    sender: &'a [u8],
    body: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Reads a datagram. Lengths count words of two bytes; the body begins at a multiple of four.
    fn read(data: &'a [u8]) -> Option<Self> {
        let mut c = Cursor::new(data);
        if c.u8()? != MAGIC {
            return None;
        }
        let (hop, _packet, service, _message, lengths) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?, c.u8()?);
        let header = usize::from(hop & 7).checked_mul(2)?;
        if !(6..=8).contains(&header) || names::datagram(service).is_none() {
            return None;
        }
        c.skip(header.checked_sub(6)?)?;
        let receiver = c.take(usize::from(lengths & 0xf).checked_mul(2)?)?;
        let sender = c.take(usize::from(lengths >> 4).checked_mul(2)?)?;
        let read = header.checked_add(receiver.len())?.checked_add(sender.len())?;
        // The last datagram of a kind without body need not be padded.
        let padding = read.next_multiple_of(4).saturating_sub(read).min(c.left());
        c.skip(padding)?;
        Some(Datagram { service, receiver, sender, body: c.rest() })
    }
}

/// Length of the block at the front of a stream.
fn block_length(bytes: &[u8]) -> Length {
    let front = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    if !BLOCK_MAGIC.starts_with(front) {
        return Length::Invalid;
    }
    let mut c = Cursor::new(bytes);
    match c.skip(4).and_then(|()| c.le32()).map(usize::try_from) {
        None => Length::NeedMore,
        Some(Ok(length)) if (BLOCK_HEADER..=BLOCK_LIMIT).contains(&length) => Length::Whole(length),
        Some(_) => Length::Invalid,
    }
}

impl Protocol for CodesysV3 {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp => match block_length(pdu.data) {
                Length::Invalid => Probe::No,
                _ if pdu.data.len() < 4 => Probe::Unsure,
                _ => Probe::Yes,
            },
            Transport::Udp => {
                let usual = [pdu.sender().port, pdu.receiver().port].iter().any(|port| META.udp.contains(port));
                match Datagram::read(pdu.data) {
                    Some(datagram) if usual && datagram.service == 4 => Probe::YesFromServer,
                    Some(_) if usual => Probe::Yes,
                    _ => Probe::No,
                }
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(V3Flow {
            from_client: Framer::new(BLOCK_LIMIT),
            from_server: Framer::new(BLOCK_LIMIT),
            talk: Talk {
                waiting: Pairing::new(WAITING_LIMIT),
                claims: Claims::default(),
                detail: DetailJson::default(),
                object: String::new(),
                line: String::new(),
            },
        })
    }
}

/// What a response is found by: who asked, kind of service, number within it.
type Key = (Direction, u8, u32);

/// A request that waits, and all that its row needs.
#[derive(Clone, Copy, Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    code: u32,
    name: &'static str,
    class: OperationClass,
    /// Component, of a service.
    group: Option<u16>,
    session: u32,
    bytes: u64,
}

struct V3Flow {
    from_client: Framer,
    from_server: Framer,
    talk: Talk,
}

struct Talk {
    waiting: Pairing<Key, Ask>,
    claims: Claims,
    detail: DetailJson,
    object: String,
    line: String,
}

impl Analyzer for V3Flow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let V3Flow { from_client, from_server, talk } = self;
        if pdu.flow.transport == Transport::Udp {
            return talk.datagram(pdu, pdu.data, out);
        }
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let framed = framer.push(pdu.data, block_length, |block| {
            talk.datagram(pdu, block.get(BLOCK_HEADER..).unwrap_or_default(), out);
        });
        if framed.is_err() {
            framer.reset();
            malformed_if_whole(PROTOCOL, pdu, "codesys_v3_block", "not the front of a block, or too long", out);
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
    fn datagram(&mut self, pdu: &Pdu<'_>, data: &[u8], out: &mut dyn Sink) {
        let Some(datagram) = Datagram::read(data) else {
            return malformed_if_whole(
                PROTOCOL,
                pdu,
                "codesys_v3_datagram",
                "datagram header is wrong or cut short",
                out,
            );
        };
        let whole = match datagram.service {
            1 | 2 => {
                self.address(pdu, &datagram, out);
                Some(())
            }
            3 | 4 => self.name_service(pdu, &datagram, out),
            _ => self.channel(pdu, datagram.body, out),
        };
        if whole.is_none() {
            malformed_if_whole(PROTOCOL, pdu, "codesys_v3_short", "package is shorter than its kind needs", out);
        }
    }

    fn ask(pdu: &Pdu<'_>, code: u32, name: &'static str, class: OperationClass) -> Ask {
        let ends = (pdu.sender(), pdu.receiver());
        Ask { at: pdu.at, ends, code, name, class, group: None, session: 0, bytes: 0 }
    }

    fn wait(&mut self, key: Key, ask: Ask, out: &mut dyn Sink) {
        if let Some(lost) = self.waiting.ask(key, ask) {
            self.tell(&lost, None, out);
        }
    }

    /// Runtimes ask the network for their place in it, again and again: the first of a flow is told.
    fn address(&mut self, pdu: &Pdu<'_>, datagram: &Datagram<'_>, out: &mut dyn Sink) {
        let claim = (Attribute::Capability, "CODESYS V3 node", "codesys-v3 address service");
        self.claims.identify(out, pdu.at, pdu.sender().address, claim);
        if !self.claims.first(("address", datagram.service, pdu.sender(), datagram.sender)) {
            return;
        }
        let name = names::datagram(datagram.service).unwrap_or("address service");
        let ask = Self::ask(pdu, u32::from(datagram.service), name, OperationClass::Identify);
        self.tell(&Ask { bytes: datagram.receiver.len() as u64, ..ask }, None, out);
    }

    fn name_service(&mut self, pdu: &Pdu<'_>, datagram: &Datagram<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut c = Cursor::new(datagram.body);
        let (package, version, request) = (c.le16()?, c.le16()?, c.le32()?);
        let name = names::name_package(package).unwrap_or("unknown package");
        if datagram.service == 3 {
            let ask = Self::ask(pdu, u32::from(package), name, OperationClass::Identify);
            self.wait((pdu.direction, 3, request), ask, out);
            return Some(());
        }
        let asked = self.waiting.answer(&(pdu.direction.reverse(), 3, request));
        let unasked = Ask {
            at: At { frame: 0, ..pdu.at },
            ends: (pdu.receiver(), pdu.sender()),
            ..Self::ask(pdu, u32::from(package), name, OperationClass::Identify)
        };
        self.tell(&asked.unwrap_or(unasked), Some((pdu.at, None)), out);
        match (package, version) {
            (0xc280, 0x0400) => self.identification(pdu, &mut c, out),
            (0xc280, _) => {
                out.mark(Mark::Undecoded("CODESYS identification of another version"));
                Some(())
            }
            _ => Some(()),
        }
    }

    /// Who a runtime is: names in UTF-16 behind their lengths, target version as four numbers.
    fn identification(&mut self, pdu: &Pdu<'_>, c: &mut Cursor<'_>, out: &mut dyn Sink) -> Option<()> {
        c.skip(2 + 1 + 1)?;
        let parent = usize::from(c.le16()?);
        let lengths = [c.le16()?, c.le16()?, c.le16()?];
        c.skip(4 + 4)?;
        let version = c.le32()?;
        c.skip(4)?;
        let serial = usize::from(c.u8()?);
        c.skip(1 + 1 + 1 + 8)?;
        c.skip(parent)?;
        let mut texts = [String::new(), String::new(), String::new()];
        for (text, length) in texts.iter_mut().zip(lengths) {
            *text = utf16(c.take(usize::from(length).checked_mul(2)?)?);
            c.skip(2)?;
        }
        let serial = c.take(serial).and_then(device_text).unwrap_or_default();
        let [a, b, d, e] = version.to_be_bytes();
        let firmware = format!("{a}.{b}.{d}.{e}");
        let [node, device, vendor] = &texts;
        let claims = [
            (Attribute::HostName, node.as_str()),
            (Attribute::Product, device.as_str()),
            (Attribute::Vendor, vendor.as_str()),
            (Attribute::Serial, serial.as_str()),
            (Attribute::Firmware, firmware.as_str()),
        ];
        let subject = pdu.sender().address;
        for (attribute, value) in claims {
            self.claims.identify(out, pdu.at, subject, (attribute, value, "codesys-v3 identification"));
        }
        Some(())
    }

    /// The channel layer: opening, closing, acknowledging, and blocks that carry services.
    fn channel(&mut self, pdu: &Pdu<'_>, body: &[u8], out: &mut dyn Sink) -> Option<()> {
        let mut c = Cursor::new(body);
        let (kind, flags) = (c.u8()?, c.u8()?);
        match kind {
            0x01 => {
                c.skip(2 + 4 + 4)?;
                // Only the first block of a service has its size and checksum, and then its header.
                if flags & 1 == 0 {
                    return Some(());
                }
                let size = c.le32()?;
                c.skip(4)?;
                self.service(pdu, &mut c, size, out)
            }
            0xc3 => {
                let ask = Self::ask(pdu, u32::from(kind), "open channel", OperationClass::Session);
                self.wait((pdu.direction, 0xc3, 0), ask, out);
                Some(())
            }
            0x83 => {
                // Version, checksum, the message answered, and then whether the channel was given.
                let status = c.skip(2 + 4 + 4).and_then(|()| c.le16());
                if let Some(ask) = self.waiting.answer(&(pdu.direction.reverse(), 0xc3, 0)) {
                    self.tell(&ask, Some((pdu.at, status)), out);
                }
                Some(())
            }
            0xc4 => {
                let ask = Self::ask(pdu, u32::from(kind), "close channel", OperationClass::Session);
                self.tell(&ask, None, out);
                Some(())
            }
            // Acknowledge, keep alive, information of a channel.
            0x02 | 0x03 | 0xc2 | 0x82 => Some(()),
            _ => {
                out.mark(Mark::Undecoded("CODESYS channel package"));
                Some(())
            }
        }
    }

    fn service(&mut self, pdu: &Pdu<'_>, c: &mut Cursor<'_>, size: u32, out: &mut dyn Sink) -> Option<()> {
        match c.le16()? {
            SERVICE_TAG => {}
            SECURE_TAG => {
                out.mark(Mark::Opaque("encrypted"));
                return Some(());
            }
            _ => {
                out.mark(Mark::Undecoded("CODESYS service with another tag"));
                return Some(());
            }
        }
        c.skip(2)?;
        let (group, code, session) = (c.le16()?, c.le16()?, c.le32()?);
        // The highest bit of the low byte of the group says response.
        let component = group & !0x0080;
        let key = u32::from(component) << 16 | u32::from(code);
        if group & 0x0080 != 0 {
            if let Some(ask) = self.waiting.answer(&(pdu.direction.reverse(), 0x40, key)) {
                self.tell(&ask, Some((pdu.at, None)), out);
                self.login(pdu, &ask, out);
            }
            return Some(());
        }
        let (name, class) = names::service(component, code);
        let ask = Ask {
            group: Some(component),
            session,
            bytes: u64::from(size),
            ..Self::ask(pdu, u32::from(code), name, class)
        };
        self.wait((pdu.direction, 0x40, key), ask, out);
        Some(())
    }

    /// A login to the device: account and password are in tags that are not decoded, so the outcome is not known.
    fn login(&mut self, pdu: &Pdu<'_>, ask: &Ask, out: &mut dyn Sink) {
        if ask.group != Some(1) || ask.code != 2 {
            return;
        }
        let session = Session {
            client: ask.ends.0,
            server: ask.ends.1,
            protocol: PROTOCOL,
            version: "",
            user: "",
            method: "device login",
            outcome: Outcome::Unknown,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        self.claims.session(out, pdu.at, session);
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.tell(ask, None, out);
        }
    }

    /// `answered`: when the response came, and its status where that is not within tags.
    fn tell(&mut self, ask: &Ask, answered: Option<(At, Option<u16>)>, out: &mut dyn Sink) {
        let status = answered.and_then(|(_, status)| status);
        let status_name = match (answered, status) {
            (None, _) => "",
            (_, None) => "answered",
            (_, Some(0)) => "ok",
            (_, Some(_)) => "refused",
        };
        let answered = answered.map(|(at, _)| at);
        self.object.clear();
        self.detail.clear();
        if let Some(group) = ask.group {
            // Writing to a string cannot fail.
            let _ = write!(self.object, "{} 0x{group:x}", names::group(group));
            self.detail.number("group", group);
            self.detail.number("session", ask.session);
        }
        let asked = ask.at.frame != 0;
        let at = answered.unwrap_or(ask.at);
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: ask.ends.0,
                server: ask.ends.1,
                unit: None,
                code: ask.code,
                name: ask.name,
                class: ask.class,
                object: &self.object,
                quantity: ask.group.map(|_| ask.bytes),
                // Results of services are within tags that are not decoded.
                status: status.map(u32::from),
                status_name,
                latency: answered.filter(|_| asked).map(|at| at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: asked.then_some(ask.at.frame),
                reply_frame: answered.map(|at| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

/// Text in UTF-16, little-endian, up to a zero.
fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>()).map(|unit| u16::from_le_bytes(*unit));
    let text: String =
        char::decode_utf16(units.take_while(|unit| *unit != 0)).map(|c| c.unwrap_or('\u{fffd}')).collect();
    device_text(text.as_bytes()).unwrap_or_default()
}
