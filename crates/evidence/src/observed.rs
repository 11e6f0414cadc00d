//! From an observation to the columns of its row.

use quaywatch_model::{Address, Endpoint, MacAddr, Observation, Transport};

use crate::table_writer::TableWriter;

/// Where the table of this observation stands in `TABLES`; a test holds them to their names.
pub(crate) const fn table_of(observation: &Observation<'_>) -> usize {
    match observation {
        Observation::Connection(_) => 0,
        Observation::Operation(_) => 1,
        Observation::Identity(_) => 2,
        Observation::Name(_) => 3,
        Observation::Service(_) => 4,
        Observation::Session(_) => 5,
        Observation::Credential(_) => 6,
        Observation::Request(_) => 7,
        Observation::Program(_) => 8,
        Observation::Position(_) => 9,
        Observation::Clock(_) => 10,
        Observation::Weird(_) => 11,
        Observation::Coverage(_) => 12,
        Observation::Unrecognised(_) => 13,
        Observation::Cargo(_) => 14,
    }
}

/// IP protocol number, or EtherType.
const fn transport_code(transport: Transport, client: Address) -> i64 {
    match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Icmp if matches!(client, Address::V6(_)) => 58,
        Transport::Icmp => 1,
        Transport::Ip(protocol) => protocol as i64,
        Transport::Link(ethertype) => ethertype as i64,
    }
}

fn hex(digest: Option<[u8; 32]>) -> String {
    use std::fmt::Write as _;
    digest.iter().flatten().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Opens a row of talk between two ends under a protocol.
fn talk<'w>(row: &'w mut TableWriter, client: Endpoint, server: Endpoint, protocol: &str) -> &'w mut TableWriter {
    row.end(client).end(server).text(protocol)
}

/// Fills the columns of its own; those of the place are filled.
pub(crate) fn write_columns(row: &mut TableWriter, observation: &Observation<'_>) {
    let mac = |mac: Option<MacAddr>| mac.map_or(Address::None, Into::into);
    let narrow = |value: Option<u32>| value.map(i64::from);
    let wide = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
    match observation {
        Observation::Connection(c) => {
            let code = transport_code(c.transport, c.client.address);
            row.end(c.client).end(c.server).text(c.transport.name()).int(Some(code));
            row.text(c.service).time(Some(c.end)).int(Some(c.duration)).count(c.client_packets).count(c.server_packets);
            row.count(c.client_bytes).count(c.server_bytes).count(c.missed_bytes).text(c.state).text(c.community_id);
            row.int(c.vlan.map(i64::from)).address(mac(c.client_mac)).address(mac(c.server_mac));
            row.int(c.client_ttl.map(i64::from)).int(c.server_ttl.map(i64::from)).text(c.tunnel);
        }
        Observation::Operation(o) => {
            row.text(o.protocol).end(o.client).end(o.server).int(narrow(o.unit)).int(Some(i64::from(o.code)));
            row.text(o.name).text(o.class.name()).text(o.object).int(wide(o.quantity)).int(narrow(o.status));
            row.text(o.status_name).int(o.latency).int(wide(o.request_frame)).int(wide(o.reply_frame)).text(o.detail);
        }
        Observation::Identity(i) => {
            row.address(i.subject).text(i.attribute.name()).text(i.value).text(i.method);
        }
        Observation::Name(n) => {
            row.address(n.subject).text(n.name).text(n.kind.name()).address(n.asker);
        }
        Observation::Service(s) => {
            row.end(s.server).text(s.transport.name()).text(s.protocol).text(s.software).text(s.version);
        }
        Observation::Session(s) => {
            talk(row, s.client, s.server, s.protocol)
                .text(s.version)
                .text(s.user)
                .text(s.method)
                .text(s.outcome.name());
            row.text(s.client_software).text(s.server_software).boolean(Some(s.encrypted)).text(s.detail);
        }
        Observation::Credential(c) => {
            talk(row, c.client, c.server, c.protocol).text(c.account).text(c.weakness.name()).text(c.rule);
        }
        Observation::Request(r) => {
            talk(row, r.client, r.server, r.protocol).text(r.method).text(r.host).text(r.uri).text(r.user_agent);
            row.int(narrow(r.status));
        }
        Observation::Program(p) => {
            talk(row, p.client, p.server, p.protocol).text(p.transfer.name()).text(p.name).count(p.size);
            row.text(&hex(p.sha256)).boolean(Some(p.complete));
        }
        Observation::Position(p) => {
            row.end(p.receiver).text(p.protocol).text(p.sentence).float(p.latitude).float(p.longitude);
            row.int(narrow(p.quality)).int(narrow(p.satellites)).float(p.hdop).float(p.speed).time(p.receiver_time);
        }
        Observation::Clock(c) => {
            row.address(c.subject).text(c.method).time(Some(c.device_time)).int(Some(c.skew));
        }
        Observation::Weird(w) => {
            row.text(w.name).text(w.protocol).text(w.detail).end(w.sender).end(w.receiver);
        }
        Observation::Coverage(c) => {
            row.text(c.disposition.name()).text(c.protocol).text(c.reason).count(c.packets).count(c.bytes);
            row.time(Some(c.first)).time(Some(c.last));
        }
        Observation::Cargo(c) => {
            row.end(c.sender)
                .end(c.receiver)
                .text(c.protocol)
                .text(c.message)
                .text(c.reference)
                .text(c.kind)
                .text(c.id);
            row.boolean(c.check).text(c.size_type).text(c.detail);
        }
        Observation::Unrecognised(u) => {
            row.end(u.client).end(u.server).text(u.direction.name()).text(u.transport.name());
            row.int(Some(transport_code(u.transport, u.client.address))).text(u.guess).count(u.pieces).count(u.bytes);
            row.text(u.content).text(u.rhythm).float(u.entropy).float(u.printable).int(narrow(u.size_min));
            row.int(narrow(u.size_median)).int(narrow(u.size_max)).int(u.period).float(u.regularity).text(u.prefix);
        }
    }
}
