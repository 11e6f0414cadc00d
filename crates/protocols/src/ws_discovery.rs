//! WS-Discovery (OASIS 1.1 and its 2005 draft) and the ONVIF scopes that cameras put into it.

use quaywatch_model::{Attribute, Mark, Observation, Request, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "ws-discovery";
/// Items read of a list of types, scopes or addresses.
const MAX_ITEMS: usize = 32;

/// The registry entry.
pub struct WsDiscovery;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "WS-Discovery",
    tcp: &[],
    udp: &[3702],
    ethertypes: &[],
    spec: "OASIS WS-Discovery 1.1; ONVIF Core Specification section 7",
    found: "cameras, printers and Windows machines",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Hello, bye, probe, resolve and their matches with types and addresses; ONVIF name, hardware and location. \
            Signatures and metadata versions are passed over.",
};

impl Protocol for WsDiscovery {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match text(pdu).and_then(action) {
            Some(action) if action.ends_with("Matches") => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(DiscoveryFlow { claims: Claims::with_limit(64), value: String::new() })
    }
}

/// The datagram as text, if it is an XML document.
fn text<'a>(pdu: &Pdu<'a>) -> Option<&'a str> {
    let text = std::str::from_utf8(pdu.data).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<').then_some(text)
}

/// The text of the first element with this local name; entities stay as they are.
fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let mut left = document;
    loop {
        let (_, tag) = left.split_once('<')?;
        let (head, rest) = tag.split_once('>')?;
        let full = head.split(|c: char| c.is_ascii_whitespace() || c == '/').next().unwrap_or("");
        let local = full.rsplit_once(':').map_or(full, |(_, local)| local);
        if local == name && !head.starts_with('/') {
            return if head.ends_with('/') { Some("") } else { rest.split('<').next().map(str::trim) };
        }
        left = rest;
    }
}

/// The last part of the action, if it is one of discovery: `Probe`, `ProbeMatches`, ...
fn action(document: &str) -> Option<&str> {
    let (place, name) = element(document, "Action")?.rsplit_once('/')?;
    let ours = place.ends_with("/ws/2005/04/discovery") || place.ends_with("/ws-dd/ns/discovery/2009/01");
    let known = ["Hello", "Bye", "Probe", "ProbeMatches", "Resolve", "ResolveMatches"].contains(&name);
    (ours && known).then_some(name)
}

struct DiscoveryFlow {
    claims: Claims,
    value: String,
}

impl Analyzer for DiscoveryFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some((document, action)) = text(pdu).and_then(|text| Some((text, action(text)?))) else {
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let detail = "no discovery message";
            out.emit(
                pdu.at,
                Observation::Weird(Weird {
                    name: "ws_discovery_message",
                    protocol: PROTOCOL,
                    detail,
                    sender,
                    receiver,
                }),
            );
            return out.mark(Mark::Malformed(detail));
        };
        let types = element(document, "Types").unwrap_or("");
        let addresses = element(document, "XAddrs").unwrap_or("");
        if self.claims.first((pdu.sender().address, action, types, addresses)) {
            out.emit(
                pdu.at,
                Observation::Request(Request {
                    client: pdu.sender(),
                    server: pdu.receiver(),
                    protocol: PROTOCOL,
                    method: action,
                    host: addresses,
                    uri: types,
                    user_agent: "",
                    status: None,
                }),
            );
        }
        if matches!(action, "Hello" | "ProbeMatches" | "ResolveMatches") {
            self.identify(pdu, types, element(document, "Scopes").unwrap_or(""), out);
        }
    }
}

impl DiscoveryFlow {
    fn identify(&mut self, pdu: &Pdu<'_>, types: &str, scopes: &str, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        for kind in types.split_ascii_whitespace().take(MAX_ITEMS) {
            let local = kind.rsplit_once(':').map_or(kind, |(_, local)| local);
            self.claims.identify(out, pdu.at, subject, (Attribute::Capability, local, "ws-discovery type"));
        }
        for scope in scopes.split_ascii_whitespace().take(MAX_ITEMS) {
            let Some(attribute) = self::scope(scope, &mut self.value) else { continue };
            self.claims.identify(out, pdu.at, subject, (attribute, &self.value, "onvif scope"));
        }
    }
}

/// What a scope says of a device (ONVIF Core Specification section 7); its value goes into `value`.
pub(crate) fn scope(scope: &str, value: &mut String) -> Option<Attribute> {
    let (kind, escaped) = scope.strip_prefix("onvif://www.onvif.org/")?.split_once('/')?;
    let attribute = match kind.to_ascii_lowercase().as_str() {
        "name" => Attribute::Product,
        "hardware" => Attribute::Model,
        "location" => Attribute::Location,
        "mac" => Attribute::Mac,
        _ => return None,
    };
    unescape(escaped, value);
    Some(attribute)
}

/// Takes off percent encoding (RFC 3986 section 2.1); what is no text stays encoded.
fn unescape(value: &str, plain: &mut String) {
    plain.clear();
    let mut bytes = Vec::with_capacity(value.len());
    let mut left = value.as_bytes();
    while let Some((byte, rest)) = left.split_first() {
        let code = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(*byte));
        left = if code.is_some() { rest.get(2..).unwrap_or_default() } else { rest };
    }
    plain.push_str(std::str::from_utf8(&bytes).unwrap_or(value));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::{FromClient, FromServer};
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, pdu};

    const PROBE: &str = "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>\
        <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header><s:Body><d:Probe>\
        <d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>";

    fn matches() -> String {
        PROBE.replace("discovery/Probe", "discovery/ProbeMatches").replace(
            "</d:Types>",
            "</d:Types><d:Scopes>onvif://www.onvif.org/name/Quay%20cam onvif://www.onvif.org/hardware/M3045 \
             onvif://www.onvif.org/Profile/S</d:Scopes><d:XAddrs>http://10.0.0.2/onvif/device_service</d:XAddrs>",
        )
    }

    #[test]
    fn a_camera_says_what_it_is() {
        let answer = matches();
        let rows = feed(
            &WsDiscovery,
            &flow(Transport::Udp, 3702),
            &[(FromClient, PROBE.as_bytes()), (FromServer, answer.as_bytes()), (FromServer, answer.as_bytes())],
        );
        assert_eq!(rows.of("weird").len(), 0);
        let told: Vec<_> = rows.of("request").iter().map(|row| (row["method"].clone(), row["host"].clone())).collect();
        assert_eq!(
            told,
            [(json!("Probe"), json!("")), (json!("ProbeMatches"), json!("http://10.0.0.2/onvif/device_service"))]
        );
        let claims: Vec<_> = rows
            .of("identity")
            .iter()
            .map(|row| format!("{} {}", row["attribute"], row["value"]).replace('"', ""))
            .collect();
        assert_eq!(claims, ["capability NetworkVideoTransmitter", "product Quay cam", "model M3045"]);
    }

    #[test]
    fn other_xml_is_not_taken() {
        let udp = flow(Transport::Udp, 3702);
        assert_eq!(WsDiscovery.probe(&pdu(&udp, 0, FromClient, b"<a><Action>http://x/Probe</Action></a>")), Probe::No);
        assert_eq!(WsDiscovery.probe(&pdu(&udp, 0, FromServer, matches().as_bytes())), Probe::YesFromServer);
        let rows = feed_unprobed(&WsDiscovery, &udp, &[(FromClient, b"<a/>")]);
        assert_eq!(rows.of("weird")[0]["name"], "ws_discovery_message");
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..200), cut in 1usize..600) {
            let whole = matches();
            let cut = whole.as_bytes().get(..cut).unwrap_or(whole.as_bytes());
            feed_unprobed(&WsDiscovery, &flow(Transport::Udp, 3702), &[(FromClient, &data), (FromServer, cut)]);
        }
    }
}
