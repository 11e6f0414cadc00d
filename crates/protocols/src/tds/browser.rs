//! SQL Server Browser (MC-SQLR 2.2): which database instances a host has, their versions and ports, told to anyone who asks.

use quaywatch_model::{Attribute, Direction, Endpoint, Mark, Observation, Request, Service, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ssrp";
/// Longest instance name (MC-SQLR 2.2.3).
const MAX_NAME: usize = 32;
/// Instances read of one answer.
const MAX_INSTANCES: usize = 64;

/// The registry entry.
pub struct SqlBrowser;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "SQL Server Browser",
    tcp: &[],
    udp: &[1434],
    ethertypes: &[],
    spec: "MC-SQLR 2.2",
    found: "database servers of operating systems, historians and crane management",
    depth: Depth::Full,
    purpose: Purpose::Office,
    scope: "Requests; instances with name, version and TCP port",
};

/// The text of an answer: `ServerName;X;InstanceName;Y;...;;` for each instance.
fn text(data: &[u8]) -> Option<&str> {
    let [5, low, high, text @ ..] = data else { return None };
    (usize::from(u16::from_le_bytes([*low, *high])) == text.len()).then_some(())?;
    std::str::from_utf8(text).ok().filter(|text| text.starts_with("ServerName;"))
}

/// Name of a request and the instance it asks for.
fn request(data: &[u8]) -> Option<(&'static str, &[u8])> {
    Some(match data {
        [2] => ("list-instances-broadcast", &[]),
        [3] => ("list-instances", &[]),
        [4, name @ ..] => ("ask-instance", strip(name)?),
        [0x0f, 1, name @ ..] => ("ask-administrator-port", strip(name)?),
        _ => return None,
    })
}

/// A name with its zero.
fn strip(name: &[u8]) -> Option<&[u8]> {
    let name = name.strip_suffix(&[0]).unwrap_or(name);
    let printable = name.iter().all(|byte| byte.is_ascii_graphic());
    (!name.is_empty() && name.len() <= MAX_NAME && printable).then_some(name)
}

impl Protocol for SqlBrowser {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        if text(pdu.data).is_some() {
            return Probe::YesFromServer;
        }
        // Requests have next to no content: the port must speak for them.
        let asked = pdu.flow.server.port == 1434 && pdu.direction == Direction::FromClient;
        if asked && request(pdu.data).is_some() { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(BrowserFlow { claims: Claims::default() })
    }
}

struct BrowserFlow {
    claims: Claims,
}

impl Analyzer for BrowserFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.direction == Direction::FromClient
            && let Some((method, name)) = request(pdu.data)
        {
            let Flow { client, server, .. } = *pdu.flow;
            let uri = std::str::from_utf8(name).unwrap_or_default();
            let (protocol, host, user_agent, status) = (PROTOCOL, "", "", None);
            out.emit(
                pdu.at,
                Observation::Request(Request { client, server, protocol, method, host, uri, user_agent, status }),
            );
        } else if let Some(text) = text(pdu.data) {
            for instance in text.split(";;").filter(|part| !part.is_empty()).take(MAX_INSTANCES) {
                self.instance(pdu, instance, out);
            }
        } else if !matches!(pdu.data, [5, 6, 0, 1, _, _]) {
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let detail = "neither a request nor an answer of the browser";
            let row = Weird { name: "ssrp_message", protocol: PROTOCOL, detail, sender, receiver };
            out.emit(pdu.at, Observation::Weird(row));
            out.mark(Mark::Malformed("SQL Server Browser message"));
        }
    }
}

impl BrowserFlow {
    fn instance(&mut self, pdu: &Pdu<'_>, instance: &str, out: &mut dyn Sink) {
        let field = |wanted: &str| {
            let mut parts = instance.split(';');
            while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
                if key.eq_ignore_ascii_case(wanted) {
                    return Some(value);
                }
            }
            None
        };
        let subject = pdu.sender().address;
        let host = field("ServerName").unwrap_or_default();
        self.claims.identify(out, pdu.at, subject, (Attribute::HostName, host, "sql browser server name"));
        let (name, version) = (field("InstanceName").unwrap_or_default(), field("Version").unwrap_or_default());
        let software = format!("Microsoft SQL Server {version}");
        self.claims.identify(out, pdu.at, subject, (Attribute::Software, &software, "sql browser version"));
        let instance = format!("database instance {name}");
        self.claims.identify(out, pdu.at, subject, (Attribute::Capability, &instance, "sql browser instance name"));
        let Some(port) = field("tcp").and_then(|port| port.parse().ok()) else { return };
        let server = Endpoint::new(subject, port);
        let (transport, protocol, version) = (Transport::Tcp, super::PROTOCOL, "");
        self.claims.service(out, pdu.at, Service { server, transport, protocol, software: &software, version });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, pdu};

    fn answer() -> Vec<u8> {
        let text = "ServerName;TOSDB;InstanceName;CRANES;IsClustered;No;Version;15.0.2000.5;tcp;49172;;\
                    ServerName;TOSDB;InstanceName;MSSQLSERVER;IsClustered;No;Version;11.0.6020.0;np;\\\\TOSDB\\pipe\\sql\\query;;";
        let mut bytes = vec![5];
        bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    #[test]
    fn instances_are_told() {
        let answer = answer();
        let pieces: [(Direction, &[u8]); 2] = [(Direction::FromClient, &[3]), (Direction::FromServer, &answer)];
        let out = feed(&SqlBrowser, &flow(Transport::Udp, 1434), &pieces);
        assert_eq!(out.of("request")[0]["method"], "list-instances");
        let services = out.of("service");
        assert_eq!((services.len(), &services[0]["software"]), (1, &"Microsoft SQL Server 15.0.2000.5".into()));
        let values: Vec<_> = out.of("identity").iter().map(|i| i["value"].as_str().unwrap().to_owned()).collect();
        assert_eq!(values.first().map(String::as_str), Some("TOSDB"));
        assert!(values.contains(&"database instance MSSQLSERVER".to_owned()));
    }

    #[test]
    fn others_are_refused_and_truncations_survived() {
        let other = flow(Transport::Udp, 5000);
        assert_eq!(SqlBrowser.probe(&pdu(&other, 0, Direction::FromClient, &[3])), Probe::No);
        let whole = answer();
        for end in 1..whole.len() {
            let pieces: [(Direction, &[u8]); 1] = [(Direction::FromServer, &whole[..end])];
            feed_unprobed(&SqlBrowser, &flow(Transport::Udp, 1434), &pieces);
        }
    }
}
