//! Every kind of observation becomes a row of its table, each field in its column.

use quaywatch_model::{
    Cargo, Clock, Connection, Coverage, Credential, Direction, Disposition, Name, NameKind, Outcome, Position, Program,
    Request, Service, Session, Transfer, Transport, Unrecognised, Weakness, Weird,
};

use super::*;

const CLIENT: Endpoint = Endpoint::new(Address::V4(Ipv4Addr::new(10, 0, 0, 1)), 50_000);
const SERVER: Endpoint = Endpoint::new(Address::V4(Ipv4Addr::new(10, 0, 0, 2)), 502);
const MAC: MacAddr = MacAddr([0, 0x1b, 0x1b, 0, 0, 1]);

/// What the row of `observation` holds besides its place.
fn own_columns(table: &str, observation: Observation<'_>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = evidence(folder.path(), 100);
    evidence.emit(at(1, 0), observation);
    evidence.flush().unwrap();
    let rows = read(folder.path(), table);
    assert_eq!(rows.len(), 1, "{table}");
    assert_eq!(rows[0][..6], ["1970-01-01T00:00:01Z", "port", "crane-1", "C00000000007", "a.pcap", "1"], "{table}");
    rows[0][6..].to_vec()
}

fn connection() -> Connection<'static> {
    Connection {
        client: CLIENT,
        server: SERVER,
        transport: Transport::Tcp,
        service: "modbus",
        duration: 5,
        client_packets: 1,
        server_packets: 2,
        client_bytes: 3,
        server_bytes: 4,
        missed_bytes: u64::MAX,
        state: "SF",
        community_id: "1:x",
        vlan: Some(7),
        client_mac: Some(MAC),
        server_mac: None,
        client_ttl: Some(64),
        server_ttl: None,
        tunnel: "",
        end: Timestamp(2_000_000_000),
    }
}

#[test]
fn connections() {
    assert_eq!(
        own_columns("connections", Observation::Connection(connection())),
        [
            "10.0.0.1",
            "50000",
            "10.0.0.2",
            "502",
            "tcp",
            "6",
            "modbus",
            "1970-01-01T00:00:02Z",
            "5",
            "1",
            "2",
            "3",
            "4",
            "",
            "SF",
            "1:x",
            "7",
            "00:1b:1b:00:00:01",
            "",
            "64",
            "",
            "",
        ]
    );
}

#[test]
fn transports_have_their_numbers() {
    let v6 = Endpoint::new(Address::V6("fe80::1".parse().unwrap()), 0);
    let mac = Endpoint::new(Address::Mac(MAC), 0);
    for (transport, client, name, number) in [
        (Transport::Udp, CLIENT, "udp", "17"),
        (Transport::Icmp, CLIENT, "icmp", "1"),
        (Transport::Icmp, v6, "icmp", "58"),
        (Transport::Ip(47), CLIENT, "ip", "47"),
        (Transport::Link(0x8892), mac, "link", "34962"),
    ] {
        let row = own_columns("connections", Observation::Connection(Connection { transport, client, ..connection() }));
        assert_eq!(row[4..6], [name, number]);
        assert_eq!(row[0], client.address.to_string());
    }
}

#[test]
fn operations() {
    let row = own_columns("operations", Observation::Operation(operation(9).1));
    assert_eq!(row.len(), 17);
    assert_eq!(row[..5], ["modbus", "10.0.0.1", "50000", "10.0.0.2", "502"]);
    assert_eq!(row[5..12], ["1", "6", "Write Single Register", "write", "holding-register 100", "1", ""]);
    assert_eq!(row[12..], ["", "", "9", "", "{\"value\":7}"]);
}

#[test]
fn claims_and_names() {
    let identity = Identity {
        subject: SERVER.address,
        attribute: Attribute::Firmware,
        value: "V2.9",
        method: "s7comm szl 0x0011",
    };
    assert_eq!(
        own_columns("identities", Observation::Identity(identity)),
        ["10.0.0.2", "firmware", "V2.9", "s7comm szl 0x0011"]
    );
    let name = Name { subject: Address::None, name: "plc", kind: NameKind::DnsQuery, asker: CLIENT.address };
    assert_eq!(own_columns("names", Observation::Name(name)), ["", "plc", "dns-query", "10.0.0.1"]);
    let clock = Clock { subject: SERVER.address, method: "ntp", device_time: Timestamp(-1_000_000_000), skew: -9 };
    assert_eq!(own_columns("clocks", Observation::Clock(clock)), ["10.0.0.2", "ntp", "1969-12-31T23:59:59Z", "-9"]);
}

#[test]
fn services_sessions_and_credentials() {
    let service =
        Service { server: SERVER, transport: Transport::Tcp, protocol: "ssh", software: "OpenSSH_9.6", version: "2.0" };
    assert_eq!(
        own_columns("services", Observation::Service(service)),
        ["10.0.0.2", "502", "tcp", "ssh", "OpenSSH_9.6", "2.0"]
    );
    let session = Session {
        client: CLIENT,
        server: SERVER,
        protocol: "ssh",
        version: "SSH-2.0",
        user: "admin",
        method: "password",
        outcome: Outcome::Failure,
        client_software: "PuTTY",
        server_software: "dropbear",
        encrypted: true,
        detail: "{}",
    };
    assert_eq!(
        own_columns("sessions", Observation::Session(session))[4..],
        ["ssh", "SSH-2.0", "admin", "password", "failure", "PuTTY", "dropbear", "true", "{}"]
    );
    let credential = Credential {
        client: CLIENT,
        server: SERVER,
        protocol: "ftp",
        account: "plc",
        weakness: Weakness::SameAsAccount,
        rule: "the password is the account name",
    };
    assert_eq!(
        own_columns("credentials", Observation::Credential(credential)),
        ["10.0.0.1", "50000", "10.0.0.2", "502", "ftp", "plc", "same-as-account", "the password is the account name"]
    );
}

#[test]
fn requests_and_programs() {
    let request = Request {
        client: CLIENT,
        server: SERVER,
        protocol: "http",
        method: "GET",
        host: "plc",
        uri: "/",
        user_agent: "curl",
        status: Some(200),
    };
    assert_eq!(own_columns("requests", Observation::Request(request))[4..], ["http", "GET", "plc", "/", "curl", "200"]);
    let program = Program {
        client: CLIENT,
        server: SERVER,
        protocol: "s7comm",
        transfer: Transfer::Download,
        name: "OB1",
        size: 42,
        sha256: Some([0xab; 32]),
        complete: false,
    };
    let digest = "ab".repeat(32);
    assert_eq!(
        own_columns("programs", Observation::Program(program))[4..],
        ["s7comm", "download", "OB1", "42", digest.as_str(), "false"]
    );
    let unseen = Program { sha256: None, ..program };
    assert_eq!(own_columns("programs", Observation::Program(unseen))[8], "");
}

#[test]
fn positions() {
    let position = Position {
        receiver: CLIENT,
        protocol: "nmea",
        sentence: "GPGGA",
        latitude: Some(53.5),
        longitude: Some(-8.25),
        quality: Some(1),
        satellites: None,
        hdop: Some(0.9),
        speed: None,
        receiver_time: Some(Timestamp(0)),
    };
    assert_eq!(
        own_columns("positions", Observation::Position(position)),
        ["10.0.0.1", "50000", "nmea", "GPGGA", "53.5", "-8.25", "1", "", "0.9", "", "1970-01-01T00:00:00Z"]
    );
}

#[test]
fn weird_and_coverage() {
    let weird = Weird { name: "bad_length", protocol: "modbus", detail: "7 of 9", sender: CLIENT, receiver: SERVER };
    assert_eq!(
        own_columns("weird", Observation::Weird(weird)),
        ["bad_length", "modbus", "7 of 9", "10.0.0.1", "50000", "10.0.0.2", "502"]
    );
    let coverage = Coverage {
        disposition: Disposition::WithoutPayload,
        protocol: "tcp",
        reason: "tcp without data",
        packets: 3,
        bytes: 180,
        first: Timestamp(0),
        last: Timestamp(1_000_000_000),
    };
    assert_eq!(
        own_columns("coverage", Observation::Coverage(coverage)),
        ["without-payload", "tcp", "tcp without data", "3", "180", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"]
    );
}

#[test]
fn unrecognised_traffic() {
    let unrecognised = Unrecognised {
        client: CLIENT,
        server: SERVER,
        direction: Direction::FromServer,
        transport: Transport::Udp,
        guess: "udp",
        pieces: 3,
        bytes: 96,
        content: "binary",
        rhythm: "periodic",
        entropy: Some(2.5),
        printable: Some(0.25),
        size_min: Some(30),
        size_median: Some(32),
        size_max: Some(34),
        period: Some(100_000_000),
        regularity: Some(1.0),
        prefix: "cafe",
    };
    assert_eq!(
        own_columns("unrecognised", Observation::Unrecognised(unrecognised)),
        [
            "10.0.0.1",
            "50000",
            "10.0.0.2",
            "502",
            "from-server",
            "udp",
            "17",
            "udp",
            "3",
            "96",
            "binary",
            "periodic",
            "2.5",
            "0.25",
            "30",
            "32",
            "34",
            "100000000",
            "1.0",
            "cafe"
        ]
    );
}

#[test]
fn cargo() {
    let cargo = Cargo {
        sender: CLIENT,
        receiver: SERVER,
        protocol: "edifact",
        message: "BAPLIE",
        reference: "1",
        kind: "container",
        id: "CSQU3054383",
        check: Some(true),
        size_type: "22G1",
        detail: "",
    };
    assert_eq!(
        own_columns("cargo", Observation::Cargo(cargo)),
        [
            "10.0.0.1",
            "50000",
            "10.0.0.2",
            "502",
            "edifact",
            "BAPLIE",
            "1",
            "container",
            "CSQU3054383",
            "true",
            "22G1",
            ""
        ]
    );
}
