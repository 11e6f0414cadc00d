//! NTP and SNTP (RFC 5905, RFC 4330 and their forerunners): who keeps whose time, and how far clocks are off the capture's.

mod control;
mod packet;
#[cfg(test)]
mod tests;

use quaywatch_model::{
    Address, Attribute, Clock, Endpoint, Mark, Observation, Request, Service, Sink, Timestamp, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};
use control::{Control, private_name};
use packet::{Packet, instant, mode};

/// Usual port.
const PORT: u16 = 123;
/// A clock is told again when its skew moved by more than this.
const SKEW_STEP: i64 = Timestamp::SECOND;
/// How near to the capture's time a timestamp must be to be taken at first sight for a clock's: newer clients send random
/// ones (IETF draft on NTP client data minimization), of which one in 25 000 falls within a day.
const NEAR: i64 = 86_400 * Timestamp::SECOND;

/// The protocol.
pub struct Ntp;

static META: ProtocolMeta = ProtocolMeta {
    name: "ntp",
    title: "NTP and SNTP",
    tcp: &[],
    udp: &[PORT],
    ethertypes: &[],
    spec: "RFC 1305, RFC 4330, RFC 5905, RFC 9327",
    found: "controllers, switches and servers that set their clocks",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Servers with version, stratum and source, clients' time servers, clock skews, control and private requests; authentication and extension fields are passed over.",
};

impl Protocol for Ntp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    /// The packet has no mark of its own: on another port than 123 its time must be near the capture's.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        let is_usual = pdu.flow.client.port == PORT || pdu.flow.server.port == PORT;
        match Packet::read(pdu.data) {
            Some(packet) if packet.is_plausible(pdu.data.len()) => {
                let is_near =
                    instant(packet.transmit).is_some_and(|time| time.since(pdu.at.ts).saturating_abs() < NEAR);
                match packet.mode {
                    mode::SERVER if is_usual || is_near => Probe::YesFromServer,
                    _ if is_usual => Probe::Yes,
                    mode::CLIENT | mode::BROADCAST | mode::ACTIVE | mode::PASSIVE if is_near => Probe::Yes,
                    _ => Probe::No,
                }
            }
            _ if is_usual && is_management(pdu.data) => Probe::Yes,
            None if is_usual && pdu.cut => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(NtpAnalyzer { claims: Claims::default(), ends: [EndClock::default(); 2] })
    }
}

/// Whether a datagram is of mode 6 or 7 by its header.
fn is_management(data: &[u8]) -> bool {
    match data {
        [first, second, _, ..] => match first & 7 {
            mode::CONTROL => {
                // Opcodes 13 to 30 are not assigned (RFC 9327 section 2).
                matches!(first >> 3 & 7, 1..=4)
                    && first >> 6 == 0
                    && data.len() >= 12
                    && matches!(second & 0x1f, 1..=12 | 31)
            }
            mode::PRIVATE => data.len() >= 8,
            _ => false,
        },
        _ => false,
    }
}

/// What is known of the clock at one end.
#[derive(Clone, Copy, Default)]
struct EndClock {
    /// Skew of the last row.
    told: Option<i64>,
    /// Skew of the last packet, as far as it may have been random.
    doubtful: Option<i64>,
}

struct NtpAnalyzer {
    claims: Claims,
    ends: [EndClock; 2],
}

impl Analyzer for NtpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match pdu.data.first().map(|first| first & 7) {
            Some(mode::CONTROL) => self.control(pdu, out),
            Some(mode::PRIVATE) => self.private(pdu, out),
            _ => match Packet::read(pdu.data) {
                Some(packet) if packet.is_plausible(pdu.data.len()) || pdu.cut => self.packet(&packet, pdu, out),
                None if pdu.cut => {}
                Some(_) => malformed("version, mode, stratum or length are out of range", pdu, out),
                None => malformed("the packet is shorter than its header", pdu, out),
            },
        }
    }
}

fn malformed(detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(
        pdu.at,
        Observation::Weird(Weird { name: "ntp_packet_malformed", protocol: "ntp", detail, sender, receiver }),
    );
    out.mark(Mark::Malformed(detail));
}

impl NtpAnalyzer {
    fn packet(&mut self, packet: &Packet, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        match packet.mode {
            mode::SERVER | mode::BROADCAST | mode::PASSIVE if sender.port == PORT || sender == pdu.flow.server => {
                self.server(packet, sender, pdu, out);
                self.is_told(receiver.address, sender.address, "ntp server reply", pdu, out);
            }
            // Before NTP version 2 a packet had no mode; the server is then known by its port.
            0 if sender.port == PORT && receiver.port != PORT => self.server(packet, sender, pdu, out),
            _ => self.is_told(sender.address, receiver.address, "ntp request", pdu, out),
        }
        self.clock(packet, pdu, out);
    }

    fn server(&mut self, packet: &Packet, server: Endpoint, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let version = version_name(packet.version);
        let service = Service { server, transport: Transport::Udp, protocol: "ntp", software: "", version };
        self.claims.service(out, pdu.at, service);
        if packet.stratum > 0 {
            let source = packet.reference_text();
            let value = match &source {
                Some(source) => format!("ntp stratum {} from {source}", packet.stratum),
                None => format!("ntp stratum {}", packet.stratum),
            };
            self.claims.identify(out, pdu.at, server.address, (Attribute::Capability, &value, "ntp stratum"));
        }
    }

    /// One host sets its clock by another.
    fn is_told(&mut self, client: Address, server: Address, method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if client.is_host() && server.is_host() && self.claims.first((client, server)) {
            let value = format!("time server {server}");
            self.claims.identify(out, pdu.at, client, (Attribute::NetworkSetting, &value, method));
        }
    }

    fn clock(&mut self, packet: &Packet, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(device_time) = instant(packet.transmit) else { return };
        let skew = device_time.since(pdu.at.ts);
        let is_server = matches!(packet.mode, mode::SERVER | mode::BROADCAST);
        // A server of stratum 0 refuses (RFC 5905 section 7.4) and need not state a time.
        if is_server && packet.stratum == 0 {
            return;
        }
        let end = usize::from(pdu.direction == quaywatch_model::Direction::FromServer);
        let Some(state) = self.ends.get_mut(end) else { return };
        // A client that states when its clock was set, or whose clock runs as the capture's does, sends true time.
        let is_true = is_server
            || packet.reference != 0
            || skew.saturating_abs() < NEAR
            || state.doubtful.is_some_and(|last| near(last, skew));
        state.doubtful = Some(skew);
        if !is_true || state.told.is_some_and(|told| near(told, skew)) {
            return;
        }
        state.told = Some(skew);
        let method = match (is_server, packet.leap) {
            (true, 3) => "ntp transmit timestamp of an unset server",
            (true, _) => "ntp transmit timestamp of server",
            (false, _) if packet.mode == mode::CLIENT => "ntp transmit timestamp of client",
            (false, _) => "ntp transmit timestamp of peer",
        };
        let subject = pdu.sender().address;
        out.emit(pdu.at, Observation::Clock(Clock { subject, method, device_time, skew }));
    }

    fn control(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(control) = Control::read(pdu.data) else {
            if !pdu.cut {
                malformed("a control message is shorter than its header", pdu, out);
            }
            return;
        };
        if control.is_response {
            let subject = pdu.sender().address;
            control.identities(|attribute, value| {
                self.claims.identify(out, pdu.at, subject, (attribute, value, "ntp system variables"));
            });
        } else {
            self.request(control.name(), pdu, out);
        }
    }

    fn private(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match private_name(pdu.data) {
            Some((false, name)) => self.request(name, pdu, out),
            Some((true, _)) => out.mark(Mark::Undecoded("ntp private reply")),
            None if pdu.cut => {}
            None => malformed("a private message is shorter than its header", pdu, out),
        }
    }

    /// Once per flow and command.
    fn request(&mut self, method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (client, server) = (pdu.sender(), pdu.receiver());
        if self.claims.first(("request", method, client)) {
            let request =
                Request { client, server, protocol: "ntp", method, host: "", uri: "", user_agent: "", status: None };
            out.emit(pdu.at, Observation::Request(request));
        }
    }
}

/// Whether two skews are the same clock's.
const fn near(one: i64, other: i64) -> bool {
    one.saturating_sub(other).saturating_abs() <= SKEW_STEP
}

const fn version_name(version: u8) -> &'static str {
    match version {
        1 => "v1",
        2 => "v2",
        3 => "v3",
        _ => "v4",
    }
}
