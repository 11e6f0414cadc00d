//! What inventory is made from: evidence, summed up by SQL. Each row type carries the query that yields it.
//!
//! Inventory runs no query. The caller runs each `SQL` over the evidence of one site and reads the result by
//! column name. Times are nanoseconds as integers, because a JSON writer would round or reformat timestamps.
//! Rows may come in any order and need not be summed up fully: the same facts in more rows give the same result.

use serde::Deserialize;

/// Evidence of one site.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(default)]
pub struct Input {
    /// Site id; the site model's id stands in its place when one is given.
    pub site: String,
    /// Flows.
    pub connections: Vec<ConnectionRow>,
    /// OT operations.
    pub operations: Vec<OperationRow>,
    /// Claims about devices.
    pub identities: Vec<IdentityRow>,
    /// Names.
    pub names: Vec<NameRow>,
    /// Services offered.
    pub services: Vec<ServiceRow>,
    /// Logins and sessions.
    pub sessions: Vec<SessionRow>,
    /// Requests.
    pub requests: Vec<RequestRow>,
    /// Position receivers.
    pub positions: Vec<PositionRow>,
    /// What was captured on each segment.
    pub coverage: Vec<CoverageRow>,
    /// Usual ports from the protocol registry: they name flows that carried no data. May be empty.
    pub usual_ports: Vec<UsualPort>,
    /// Protocols by which machines are commanded, from the registry.
    pub control_protocols: Vec<String>,
}

/// A usual port of a protocol.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
pub struct UsualPort {
    /// `tcp` or `udp`.
    pub transport: String,
    /// Port.
    pub port: i64,
    /// Protocol name as in the registry.
    pub protocol: String,
}

/// Flows with the same ends, service and outcome.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct ConnectionRow {
    /// Segment id.
    pub segment: String,
    /// Address of the end that asks.
    pub client: String,
    /// Address of the end asked.
    pub server: String,
    /// Its port.
    pub server_port: i64,
    /// `tcp`, `udp`, `icmp`, `ip` or `link`.
    pub transport: String,
    /// IP protocol or EtherType.
    pub transport_code: Option<i64>,
    /// Protocol found by content.
    pub service: String,
    /// Connection state as Zeek names it.
    pub state: String,
    /// VLAN.
    pub vlan: Option<i64>,
    /// Source MAC of the client's packets.
    pub client_mac: String,
    /// Source MAC of the server's packets.
    pub server_mac: String,
    /// TTL of the client's packets.
    pub client_ttl: Option<i64>,
    /// TTL of the server's packets.
    pub server_ttl: Option<i64>,
    /// Number of flows.
    pub connections: i64,
    /// Packets from the client.
    pub client_packets: i64,
    /// Packets from the server.
    pub server_packets: i64,
    /// First packet, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last packet, nanoseconds.
    pub last_ts: Option<i64>,
    /// The first flow.
    pub uid: String,
    /// Its input.
    pub source: String,
    /// Its frame.
    pub frame: Option<i64>,
}

impl ConnectionRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, client, server, server_port, transport, transport_code, service, state, vlan,
       client_mac, server_mac, client_ttl, server_ttl,
       count(*) AS connections, sum(client_packets) AS client_packets, sum(server_packets) AS server_packets,
       CAST(min(ts) AS BIGINT) AS first_ts, CAST(max(end_ts) AS BIGINT) AS last_ts,
       first_value(uid ORDER BY ts, source, frame) AS uid,
       first_value(source ORDER BY ts, source, frame) AS source,
       first_value(frame ORDER BY ts, source, frame) AS frame
FROM connections
GROUP BY segment, client, server, server_port, transport, transport_code, service, state, vlan,
         client_mac, server_mac, client_ttl, server_ttl";
}

/// Operations with the same ends, protocol and class.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct OperationRow {
    /// Segment id.
    pub segment: String,
    /// Address of the end that asks.
    pub client: String,
    /// Address of the end that does.
    pub server: String,
    /// Its port.
    pub server_port: i64,
    /// Protocol name.
    pub protocol: String,
    /// Class of operation.
    pub class: String,
    /// Number of operations.
    pub operations: i64,
    /// Number of those that were replied to.
    pub replies: i64,
    /// First, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last, nanoseconds.
    pub last_ts: Option<i64>,
}

impl OperationRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, client, server, server_port, protocol, class,
       count(*) AS operations, count(reply_frame) AS replies,
       CAST(min(ts) AS BIGINT) AS first_ts, CAST(max(ts) AS BIGINT) AS last_ts
FROM operations
GROUP BY segment, client, server, server_port, protocol, class";
}

/// The same claim, made once or more.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct IdentityRow {
    /// Segment id.
    pub segment: String,
    /// Address spoken of.
    pub subject: String,
    /// What is claimed.
    pub attribute: String,
    /// The claimed value.
    pub value: String,
    /// How it was learned.
    pub method: String,
    /// First claim, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last claim, nanoseconds.
    pub last_ts: Option<i64>,
    /// Number of claims.
    pub claims: i64,
    /// Input of the first.
    pub source: String,
    /// Frame of the first.
    pub frame: Option<i64>,
}

impl IdentityRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, subject, attribute, value, method,
       CAST(min(ts) AS BIGINT) AS first_ts, CAST(max(ts) AS BIGINT) AS last_ts, count(*) AS claims,
       first_value(source ORDER BY ts, source, frame) AS source,
       first_value(frame ORDER BY ts, source, frame) AS frame
FROM identities
WHERE subject <> '' AND value <> ''
GROUP BY segment, subject, attribute, value, method";
}

/// The same name for the same address, seen once or more.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct NameRow {
    /// Segment id.
    pub segment: String,
    /// What bears the name.
    pub subject: String,
    /// The name.
    pub name: String,
    /// Where it was learned.
    pub kind: String,
    /// First, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last, nanoseconds.
    pub last_ts: Option<i64>,
    /// How often.
    pub claims: i64,
    /// Input of the first.
    pub source: String,
    /// Frame of the first.
    pub frame: Option<i64>,
}

impl NameRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, subject, name, kind,
       CAST(min(ts) AS BIGINT) AS first_ts, CAST(max(ts) AS BIGINT) AS last_ts, count(*) AS claims,
       first_value(source ORDER BY ts, source, frame) AS source,
       first_value(frame ORDER BY ts, source, frame) AS frame
FROM names
WHERE subject <> '' AND name <> '' AND kind <> 'dns-query'
GROUP BY segment, subject, name, kind";
}

/// The same service, seen once or more.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct ServiceRow {
    /// Segment id.
    pub segment: String,
    /// Address of the server.
    pub server: String,
    /// Its port.
    pub server_port: i64,
    /// `tcp` or `udp`.
    pub transport: String,
    /// Protocol name.
    pub protocol: String,
    /// Software as announced.
    pub software: String,
    /// First, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last, nanoseconds.
    pub last_ts: Option<i64>,
    /// How often.
    pub claims: i64,
    /// Input of the first.
    pub source: String,
    /// Frame of the first.
    pub frame: Option<i64>,
}

impl ServiceRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, server, server_port, transport, protocol, software,
       CAST(min(ts) AS BIGINT) AS first_ts, CAST(max(ts) AS BIGINT) AS last_ts, count(*) AS claims,
       first_value(source ORDER BY ts, source, frame) AS source,
       first_value(frame ORDER BY ts, source, frame) AS frame
FROM services
GROUP BY segment, server, server_port, transport, protocol, software";
}

/// Sessions with the same ends, protocol and software.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct SessionRow {
    /// Segment id.
    pub segment: String,
    /// Address of the client.
    pub client: String,
    /// Address of the server.
    pub server: String,
    /// Protocol name.
    pub protocol: String,
    /// Client software as announced.
    pub client_software: String,
    /// Server software as announced.
    pub server_software: String,
    /// First, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last, nanoseconds.
    pub last_ts: Option<i64>,
    /// How many sessions.
    pub claims: i64,
    /// Input of the first.
    pub source: String,
    /// Frame of the first.
    pub frame: Option<i64>,
}

impl SessionRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, client, server, protocol, client_software, server_software,
       CAST(min(ts) AS BIGINT) AS first_ts, CAST(max(ts) AS BIGINT) AS last_ts, count(*) AS claims,
       first_value(source ORDER BY ts, source, frame) AS source,
       first_value(frame ORDER BY ts, source, frame) AS frame
FROM sessions
GROUP BY segment, client, server, protocol, client_software, server_software";
}

/// Requests with the same ends and client software.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct RequestRow {
    /// Segment id.
    pub segment: String,
    /// Address of the client.
    pub client: String,
    /// Address of the server.
    pub server: String,
    /// Protocol name.
    pub protocol: String,
    /// Client software as announced.
    pub user_agent: String,
    /// What the path tells of the server: `terminal operating system`, or empty.
    pub marker: String,
    /// First, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last, nanoseconds.
    pub last_ts: Option<i64>,
    /// How many.
    pub claims: i64,
    /// Input of the first.
    pub source: String,
    /// Frame of the first.
    pub frame: Option<i64>,
}

impl RequestRow {
    /// The query that yields these rows. Paths of Navis N4: `/apex`, `/ulc`, its web-start files and web services.
    pub const SQL: &'static str = "\
SELECT segment, client, server, protocol, user_agent,
       CASE WHEN lower(uri) LIKE '/ulc%' OR lower(uri) LIKE '/apex/%' OR lower(uri) LIKE '%.jnlp' OR lower(uri) LIKE '%navis%'
            THEN 'terminal operating system' ELSE '' END AS marker,
       CAST(min(ts) AS BIGINT) AS first_ts, CAST(max(ts) AS BIGINT) AS last_ts, count(*) AS claims,
       first_value(source ORDER BY ts, source, frame) AS source,
       first_value(frame ORDER BY ts, source, frame) AS frame
FROM requests
WHERE status IS NULL OR status < 400
GROUP BY 1, 2, 3, 4, 5, 6";
}

/// A position receiver.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct PositionRow {
    /// Segment id.
    pub segment: String,
    /// Its address.
    pub receiver: String,
    /// Protocol name.
    pub protocol: String,
    /// Sentences.
    pub sentences: i64,
}

impl PositionRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, receiver, protocol, count(*) AS sentences FROM positions GROUP BY segment, receiver, protocol";
}

/// What was captured on one segment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Deserialize)]
pub struct CoverageRow {
    /// Segment id.
    pub segment: String,
    /// Packets.
    pub packets: i64,
    /// First, nanoseconds.
    pub first_ts: Option<i64>,
    /// Last, nanoseconds.
    pub last_ts: Option<i64>,
}

impl CoverageRow {
    /// The query that yields these rows.
    pub const SQL: &'static str = "\
SELECT segment, sum(packets) AS packets, CAST(min(first_ts) AS BIGINT) AS first_ts, CAST(max(last_ts) AS BIGINT) AS last_ts
FROM coverage GROUP BY segment";
}
