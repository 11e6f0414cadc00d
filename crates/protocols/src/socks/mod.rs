//! SOCKS 4, 4a and 5: proxies that pass on any TCP connection. On a crane's network one is a way around the firewall.

mod analyzer;
mod message;
mod names;
#[cfg(test)]
mod tests;

use quaywatch_model::{Direction, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::message::Fault;
use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct Socks;

static META: ProtocolMeta = ProtocolMeta {
    name: "socks",
    title: "SOCKS",
    tcp: &[1080, 9050, 9150],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 1928, RFC 1929; SOCKS protocol version 4 and extension 4A",
    found: "remote-support gateways, jump hosts, tools of intruders; Tor clients",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Methods offered and chosen, logins, destinations asked for with their outcome; the connection passed on is read by its \
            own protocol. GSSAPI and UDP relaying are named only.",
};

impl Protocol for Socks {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let usual = META.tcp.contains(&pdu.flow.server.port);
        match from_client(pdu.data, usual) {
            Probe::No => from_server(pdu.data, usual),
            _ if pdu.direction == Direction::FromServer && !pdu.flow.midstream => Probe::No,
            client => client,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::SocksAnalyzer::default())
    }
}

/// The opening of a client. What version 5 opens with has three bytes mostly: without the usual port its request must follow.
fn from_client(data: &[u8], usual: bool) -> Probe {
    if data.first() == Some(&4) {
        return match message::request4(data) {
            Ok((request, used)) if used == data.len() && request.target.port != 0 && is_plausible(&request) => {
                Probe::Yes
            }
            Ok(_) | Err(Fault::Short) if usual => Probe::Unsure,
            _ => Probe::No,
        };
    }
    let rest = match message::greeting(data) {
        Ok((_, used)) => data.get(used..).unwrap_or_default(),
        Err(Fault::Short) if usual && !data.is_empty() => return Probe::Unsure,
        Err(_) => return Probe::No,
    };
    if rest.is_empty() {
        return if usual { Probe::Yes } else { Probe::Unsure };
    }
    let rest = match message::login(rest) {
        Ok((_, used)) => rest.get(used..).unwrap_or_default(),
        Err(Fault::Short) => return Probe::Unsure,
        Err(Fault::Bad) => rest,
    };
    match message::request5(rest) {
        Ok(_) => Probe::Yes,
        Err(Fault::Short) => Probe::Unsure,
        Err(Fault::Bad) => Probe::No,
    }
}

/// The replies of a server.
fn from_server(data: &[u8], usual: bool) -> Probe {
    let sure = if usual { Probe::YesFromServer } else { Probe::Unsure };
    let rest = match message::choice(data) {
        Ok((method, used)) if method == 0xff || names::method(method).is_some() => data.get(used..).unwrap_or_default(),
        Ok(_) => return Probe::No,
        Err(_) if usual && message::reply4(data).is_ok_and(|(_, used)| used == data.len()) => return sure,
        Err(_) => return Probe::No,
    };
    if rest.is_empty() {
        return sure;
    }
    let rest = match rest {
        [1, 0 | 1] => return sure,
        [1, 0, rest @ ..] => rest,
        rest => rest,
    };
    match message::reply5(rest) {
        Ok(_) => Probe::YesFromServer,
        Err(Fault::Short) => sure,
        Err(Fault::Bad) => Probe::No,
    }
}

/// Whether what version 4 asks for is an address or a name that can be connected to.
fn is_plausible(request: &message::Request4<'_>) -> bool {
    match request.target.host {
        message::Host::Ip(ip) => request.target.endpoint().address.is_host() || ip.is_loopback(),
        message::Host::Name(name) => {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
            !name.is_empty() && name.iter().all(plain)
        }
    }
}
