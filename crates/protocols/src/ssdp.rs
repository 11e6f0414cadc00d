//! SSDP (UPnP Device Architecture 2.0 section 1): devices announce themselves and the address of their description.

use quaywatch_model::{Attribute, Mark, Observation, Request, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "ssdp";
/// Header lines read of a message.
const MAX_LINES: usize = 64;
/// Claims remembered of a flow: a router announces a dozen services under two names each.
const MAX_CLAIMS: usize = 128;

/// The registry entry.
pub struct Ssdp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "SSDP",
    tcp: &[],
    udp: &[1900],
    ethertypes: &[],
    spec: "UPnP Device Architecture 2.0 section 1",
    found: "routers, cameras, televisions and Windows machines; on a crane a sign of office equipment",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Announcements, searches and answers with kind of device, software and address of the description.",
};

impl Protocol for Ssdp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match Kind::of(pdu.data) {
            Some(Kind::Answer) if field(pdu.data, "USN").is_none() && field(pdu.data, "ST").is_none() => Probe::No,
            Some(Kind::Answer) => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(SsdpFlow { claims: Claims::with_limit(MAX_CLAIMS) })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Notify,
    Search,
    Answer,
}

impl Kind {
    fn of(data: &[u8]) -> Option<Kind> {
        [
            (&b"NOTIFY * HTTP/1."[..], Kind::Notify),
            (b"M-SEARCH * HTTP/1.", Kind::Search),
            (b"HTTP/1.1 200", Kind::Answer),
        ]
        .into_iter()
        .find_map(|(start, kind)| data.starts_with(start).then_some(kind))
    }
}

/// The value of a header field, without regard to case (RFC 9110 section 5.1).
fn field<'a>(data: &'a [u8], name: &str) -> Option<&'a str> {
    data.split(|byte| *byte == b'\n').skip(1).take(MAX_LINES).find_map(|line| {
        let (head, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":").filter(|_| head.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(std::str::from_utf8(value).ok()?.trim())
    })
}

struct SsdpFlow {
    claims: Claims,
}

impl Analyzer for SsdpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(kind) = Kind::of(pdu.data) else {
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let detail = "neither announcement, search nor answer";
            out.emit(
                pdu.at,
                Observation::Weird(Weird { name: "ssdp_start_line", protocol: PROTOCOL, detail, sender, receiver }),
            );
            return out.mark(Mark::Malformed(detail));
        };
        let value = |name| field(pdu.data, name).unwrap_or("");
        let (method, target) = match kind {
            Kind::Notify if value("NTS").eq_ignore_ascii_case("ssdp:byebye") => ("bye", value("NT")),
            Kind::Notify => ("notify", value("NT")),
            Kind::Search => ("search", value("ST")),
            Kind::Answer => ("answer", value("ST")),
        };
        let software = if kind == Kind::Search { value("USER-AGENT") } else { value("SERVER") };
        let location = value("LOCATION");
        if self.claims.first((pdu.sender().address, method, target, location)) {
            out.emit(
                pdu.at,
                Observation::Request(Request {
                    client: pdu.sender(),
                    server: pdu.receiver(),
                    protocol: PROTOCOL,
                    method,
                    host: location,
                    uri: target,
                    user_agent: software,
                    status: None,
                }),
            );
        }
        let subject = pdu.sender().address;
        self.claims.identify(out, pdu.at, subject, (Attribute::Software, software, "ssdp server"));
        if matches!(kind, Kind::Notify | Kind::Answer)
            && let Some(device) = device_type(target)
        {
            self.claims.identify(out, pdu.at, subject, (Attribute::Capability, device, "ssdp device type"));
        }
    }
}

/// `urn:schemas-upnp-org:device:MediaServer:1` is a `MediaServer`.
fn device_type(target: &str) -> Option<&str> {
    let (_, device) = target.split_once(":device:")?;
    Some(device.rsplit_once(':').map_or(device, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::{FromClient, FromServer};
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, pdu};

    const NOTIFY: &str = "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nLocation: http://10.0.0.1:80/d.xml\r\n\
        SERVER: Linux/4.1 UPnP/1.1 Camera/2.0\r\nNT: urn:schemas-upnp-org:device:DigitalSecurityCamera:1\r\nNTS: ssdp:alive\r\n\
        USN: uuid:1::upnp:rootdevice\r\n\r\n";

    #[test]
    fn an_announcement_is_told_once() {
        let rows = feed(
            &Ssdp,
            &flow(Transport::Udp, 1900),
            &[(FromClient, NOTIFY.as_bytes()), (FromClient, NOTIFY.as_bytes())],
        );
        assert_eq!(rows.of("request").len(), 1);
        let row = &rows.of("request")[0];
        assert_eq!((&row["method"], &row["host"]), (&json!("notify"), &json!("http://10.0.0.1:80/d.xml")));
        let claims: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
        assert_eq!(claims, ["Linux/4.1 UPnP/1.1 Camera/2.0", "DigitalSecurityCamera"]);
    }

    #[test]
    fn searches_answers_and_byes_are_told_apart_and_http_is_not_taken() {
        let search = b"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n";
        let answer = b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1\r\nServer: X/1\r\n\r\n";
        let bye = NOTIFY.replace("alive", "byebye");
        let rows = feed(
            &Ssdp,
            &flow(Transport::Udp, 1900),
            &[(FromClient, search), (FromServer, answer), (FromServer, bye.as_bytes()), (FromServer, b"noise")],
        );
        let methods: Vec<_> = rows.of("request").iter().map(|row| row["method"].clone()).collect();
        assert_eq!(methods, ["search", "answer", "bye"]);
        assert_eq!(rows.of("weird")[0]["name"], "ssdp_start_line");
        let udp = flow(Transport::Udp, 1900);
        assert_eq!(Ssdp.probe(&pdu(&udp, 0, FromServer, b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n")), Probe::No);
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..200), cut in 0usize..300) {
            let whole = NOTIFY.as_bytes();
            feed_unprobed(&Ssdp, &flow(Transport::Udp, 1900), &[(FromClient, &data), (FromClient, whole.get(..cut.max(1)).unwrap_or(whole))]);
        }
    }
}
