use proptest::prelude::*;
use quaywatch_model::table::{Origin, TABLES, Table};
use quaywatch_model::{Role, SiteModel};

use crate::input::{ConnectionRow, CoverageRow, IdentityRow, NameRow, OperationRow, PositionRow, ServiceRow};
use crate::{Boundary, Input, Inventory};

const MODEL: &str = r#"
[site]
id = "lab"
[[segment]]
id = "crane-1"
[[segment]]
id = "crane-2"
[[segment]]
id = "yard"
[[zone]]
id = "crane-1"
kind = "crane"
cidrs = ["10.30.1.0/24"]
[[zone]]
id = "crane-1-drives"
kind = "crane"
segments = ["crane-1"]
cidrs = ["192.168.0.0/24"]
[[zone]]
id = "crane-2-drives"
kind = "crane"
segments = ["crane-2"]
cidrs = ["192.168.0.0/24"]
[[zone]]
id = "tos"
kind = "ot"
cidrs = ["10.20.0.0/24"]
[[zone]]
id = "office"
kind = "it"
cidrs = ["10.50.0.0/24"]
[[zone]]
id = "world"
kind = "internet"
[[conduit]]
id = "cms"
from = "tos"
to = "crane-1"
protocols = ["modbus"]
classes = ["read"]
[[crane]]
id = "sts-1"
kind = "sts"
zones = ["crane-1", "crane-1-drives"]
[[crane]]
id = "sts-2"
kind = "sts"
zones = ["crane-2-drives"]
[[asset]]
segment = "crane-1"
address = "10.30.1.10"
name = "crane-1-plc"
role = "controller"
critical = true
[[asset]]
segment = "crane-1"
address = "10.30.1.99"
name = "spare"
"#;

const PLC: (&str, &str) = ("10.30.1.10", "28:63:36:01:00:0a");
const HMI: (&str, &str) = ("10.30.1.20", "00:0e:8c:01:00:14");
const FIREWALL: (&str, &str) = ("10.30.1.1", "00:09:0f:ff:00:01");
const CMS: &str = "10.20.0.20";
const CMS_MAC: &str = "94:18:82:20:00:14";
const YARD_FIREWALL_MAC: &str = "00:09:0f:ff:00:04";

fn connection(
    segment: &str,
    client: (&str, &str, i64),
    server: (&str, &str, i64),
    port: i64,
    service: &str,
) -> ConnectionRow {
    ConnectionRow {
        segment: segment.into(),
        client: client.0.into(),
        server: server.0.into(),
        server_port: port,
        transport: "tcp".into(),
        service: service.into(),
        state: "SF".into(),
        client_mac: client.1.into(),
        server_mac: server.1.into(),
        client_ttl: Some(client.2),
        server_ttl: Some(server.2),
        connections: 1,
        client_packets: 5,
        server_packets: 5,
        first_ts: Some(1_000),
        last_ts: Some(2_000),
        uid: "C1".into(),
        source: "captures/crane-1.pcapng".into(),
        frame: Some(3),
        ..ConnectionRow::default()
    }
}

fn identity(segment: &str, subject: &str, attribute: &str, value: &str, method: &str) -> IdentityRow {
    IdentityRow {
        segment: segment.into(),
        subject: subject.into(),
        attribute: attribute.into(),
        value: value.into(),
        method: method.into(),
        first_ts: Some(1_000),
        last_ts: Some(1_000),
        claims: 1,
        source: "a.pcap".into(),
        frame: Some(1),
    }
}

fn operation(client: &str, server: &str, class: &str, operations: i64) -> OperationRow {
    OperationRow {
        segment: "crane-1".into(),
        client: client.into(),
        server: server.into(),
        server_port: 502,
        protocol: "modbus".into(),
        class: class.into(),
        operations,
        replies: operations,
        first_ts: Some(1_000),
        last_ts: Some(2_000),
    }
}

/// The panel and, through the firewall, the management server read from the controller; the yard sees the server itself.
fn terminal() -> Input {
    Input {
        site: "lab".into(),
        connections: vec![
            connection("crane-1", (HMI.0, HMI.1, 64), (PLC.0, PLC.1, 64), 502, "modbus"),
            connection("crane-1", (CMS, FIREWALL.1, 63), (PLC.0, PLC.1, 64), 502, "modbus"),
            connection("yard", (CMS, CMS_MAC, 64), (PLC.0, YARD_FIREWALL_MAC, 63), 502, "modbus"),
        ],
        operations: vec![operation(HMI.0, PLC.0, "read", 40), operation(CMS, PLC.0, "read", 5)],
        identities: vec![identity("crane-1", FIREWALL.1, "ip", FIREWALL.0, "arp sender")],
        coverage: vec![CoverageRow { segment: "crane-1".into(), packets: 20, first_ts: Some(1), last_ts: Some(5_000) }],
        control_protocols: vec!["modbus".into(), "ethercat".into()],
        ..Input::default()
    }
}

fn model() -> SiteModel {
    SiteModel::parse(MODEL).unwrap()
}

fn ids(inventory: &Inventory) -> Vec<&str> {
    inventory.assets.iter().map(|asset| asset.id.as_str()).collect()
}

fn asset<'a>(inventory: &'a Inventory, id: &str) -> &'a quaywatch_model::Asset {
    inventory.assets.iter().find(|asset| asset.id == id).unwrap_or_else(|| panic!("{id} not in {:?}", ids(inventory)))
}

#[test]
fn hosts_behind_the_firewall_are_themselves_and_at_home() {
    let inventory = Inventory::build(&terminal(), Some(&model()), None);
    let expected = [
        "crane-1/10.30.1.1",
        "crane-1/10.30.1.10",
        "crane-1/10.30.1.20",
        "crane-1/10.30.1.99",
        "yard/00:09:0f:ff:00:04",
        "yard/10.20.0.20",
    ];
    assert_eq!(ids(&inventory), expected);
    assert_eq!(asset(&inventory, "yard/10.20.0.20").mac, CMS_MAC);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.10").mac, PLC.1);
    let firewall = asset(&inventory, "crane-1/10.30.1.1");
    assert_eq!((firewall.role, firewall.mac.as_str()), (Role::Router, FIREWALL.1));
    assert_eq!(firewall.vendor, "Fortinet, Inc.");
    assert_eq!(asset(&inventory, "yard/00:09:0f:ff:00:04").role, Role::Router);
}

#[test]
fn who_speaks_a_routing_protocol_is_a_router() {
    let mut input = terminal();
    let hello = OperationRow { protocol: "ospf".into(), ..operation("10.30.1.7", "224.0.0.5", "cyclic", 9) };
    input.connections.push(connection(
        "crane-1",
        ("10.30.1.7", "00:90:e8:00:00:07", 1),
        ("224.0.0.5", "", 0),
        0,
        "ospf",
    ));
    input.operations.push(hello);
    let inventory = Inventory::build(&input, None, None);
    let router = asset(&inventory, "crane-1/10.30.1.7");
    assert_eq!((router.role, router.role_reason.as_str()), (Role::Router, "speaks ospf"));
}

#[test]
fn declared_facts_stand_and_unseen_assets_are_kept() {
    let inventory = Inventory::build(&terminal(), Some(&model()), None);
    let plc = asset(&inventory, "crane-1/10.30.1.10");
    assert_eq!(
        (plc.name.as_str(), plc.role, plc.role_reason.as_str()),
        ("crane-1-plc", Role::Controller, "declared in the site model")
    );
    assert!(plc.critical && plc.declared && plc.seen);
    assert_eq!((plc.zone.as_str(), plc.crane.as_str()), ("crane-1", "sts-1"));
    let spare = asset(&inventory, "crane-1/10.30.1.99");
    assert!(spare.declared && !spare.seen);
    assert_eq!(spare.zone, "crane-1");
    assert_eq!(asset(&inventory, "crane-1/10.30.1.20").role, Role::Hmi);
}

#[test]
fn sister_cranes_reuse_addresses() {
    let mut input = terminal();
    let (one, two) = (("192.168.0.11", "00:1f:f8:01:a8:0b", 64), ("192.168.0.11", "00:1f:f8:02:a8:0b", 64));
    input.connections.push(connection("crane-1", ("192.168.0.2", "28:63:36:01:a8:02", 64), one, 502, "modbus"));
    input.connections.push(connection("crane-2", ("192.168.0.2", "28:63:36:02:a8:02", 64), two, 502, "modbus"));
    let inventory = Inventory::build(&input, Some(&model()), None);
    assert_eq!(asset(&inventory, "crane-1/192.168.0.11").crane, "sts-1");
    assert_eq!(asset(&inventory, "crane-2/192.168.0.11").crane, "sts-2");
    assert_eq!(asset(&inventory, "crane-2/192.168.0.11").mac, two.1);
}

#[test]
fn one_machine_captured_twice_is_one_asset() {
    let mut input = terminal();
    input.connections.push(connection("crane-2", (HMI.0, HMI.1, 64), (PLC.0, PLC.1, 64), 502, "modbus"));
    let inventory = Inventory::build(&input, Some(&model()), None);
    assert_eq!(ids(&inventory).iter().filter(|id| id.ends_with("/10.30.1.10")).count(), 1);
}

#[test]
fn one_mac_on_two_segments_is_two_assets_with_their_zones() {
    let mut input = terminal();
    let laptop = "d4:ae:52:50:00:47";
    input.connections.push(connection("crane-1", ("10.30.1.147", laptop, 64), (PLC.0, PLC.1, 64), 502, "modbus"));
    input.connections.push(connection("yard", ("10.50.0.47", laptop, 64), (CMS, CMS_MAC, 64), 80, "http"));
    let inventory = Inventory::build(&input, Some(&model()), None);
    let rows = inventory.rows().interfaces;
    let mut zones: Vec<&str> = rows.iter().filter(|row| row.mac == laptop).map(|row| row.zone.as_str()).collect();
    zones.sort_unstable();
    assert_eq!(zones, ["crane-1", "office"]);
}

#[test]
fn several_addresses_of_one_host_are_one_asset() {
    let mut input = terminal();
    input.connections.push(connection("crane-1", ("192.168.0.20", HMI.1, 64), (PLC.0, PLC.1, 64), 80, "http"));
    input.connections.push(connection("crane-1", ("fe80::1", HMI.1, 255), (PLC.0, PLC.1, 64), 80, "http"));
    input.identities.push(identity("crane-1", HMI.1, "host-name", "panel", "lldp system name"));
    let inventory = Inventory::build(&input, Some(&model()), None);
    let hmi = asset(&inventory, "crane-1/10.30.1.20");
    assert_eq!(hmi.interfaces.len(), 3);
    assert_eq!(hmi.name, "panel", "claims about the MAC address are about the host");
}

#[test]
fn an_address_that_two_macs_use_stays_with_the_first() {
    let mut input = terminal();
    let spoofed = ConnectionRow {
        first_ts: Some(9_000),
        ..connection("crane-1", (PLC.0, "d4:ae:52:50:00:47", 64), (HMI.0, HMI.1, 64), 80, "http")
    };
    input.connections.push(connection(
        "crane-1",
        ("10.30.1.66", "d4:ae:52:50:00:47", 64),
        (HMI.0, HMI.1, 64),
        80,
        "http",
    ));
    input.connections.push(spoofed);
    let inventory = Inventory::build(&input, Some(&model()), None);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.10").mac, PLC.1);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.66").mac, "d4:ae:52:50:00:47");
}

#[test]
fn routers_are_told_by_dhcp_lldp_and_many_networks() {
    for claim in [
        identity("yard", "10.50.0.9", "network-setting", "10.20.0.1", "dhcp router option"),
        identity("yard", "00:09:0f:ff:00:09", "capability", "bridge, router", "lldp capabilities"),
        identity("yard", "10.20.0.1", "router", "yes", "icmpv6 router advertisement"),
    ] {
        let mut input = Input { identities: vec![claim], ..Input::default() };
        let router = ("10.20.0.1", "00:09:0f:ff:00:09", 64);
        input.connections.push(connection("yard", router, (CMS, CMS_MAC, 64), 80, "http"));
        input.connections.push(connection("yard", ("10.50.0.7", router.1, 64), (CMS, CMS_MAC, 64), 80, "http"));
        let inventory = Inventory::build(&input, Some(&model()), None);
        assert_eq!(asset(&inventory, "yard/10.20.0.1").role, Role::Router);
        assert_eq!(asset(&inventory, "yard/10.50.0.7").mac, "", "lies behind it");
    }
}

#[test]
fn public_addresses_are_external_and_groups_are_no_assets() {
    let mut input = terminal();
    input.connections.push(connection("crane-1", (HMI.0, HMI.1, 64), ("203.0.113.80", FIREWALL.1, 51), 443, "tls"));
    let group = ConnectionRow {
        server_packets: 0,
        transport: "udp".into(),
        ..connection("crane-1", (HMI.0, HMI.1, 64), ("239.1.1.1", "", 0), 5000, "")
    };
    let broadcast = ConnectionRow { server: "10.30.1.255".into(), ..group.clone() };
    let scanned = ConnectionRow { server: "10.30.1.77".into(), ..group.clone() };
    input.connections.extend([group, broadcast, scanned]);
    let inventory = Inventory::build(&input, Some(&model()), None);
    let outside = asset(&inventory, "crane-1/203.0.113.80");
    assert!(outside.external);
    assert_eq!((outside.zone.as_str(), outside.mac.as_str(), outside.crane.as_str()), ("world", "", ""));
    assert!(!ids(&inventory).iter().any(|id| id.ends_with("239.1.1.1") || id.ends_with(".255") || id.ends_with(".77")));
    let boundary = |server: &str| inventory.flows.iter().find(|flow| flow.server.address == server).unwrap().boundary;
    assert_eq!(boundary("239.1.1.1"), Boundary::Inside);
    assert_eq!(boundary("10.30.1.255"), Boundary::Inside);
    assert_eq!(boundary("203.0.113.80"), Boundary::NotAllowed);
}

#[test]
fn a_flow_is_allowed_only_with_all_its_operations() {
    let boundary = |input: &Input| {
        let inventory = Inventory::build(input, Some(&model()), None);
        let flow = inventory.flows.iter().find(|flow| flow.segment == "crane-1" && flow.client.address == CMS).unwrap();
        (flow.boundary, flow.conduit.clone())
    };
    let mut input = terminal();
    assert_eq!(boundary(&input), (Boundary::Allowed, "cms".to_owned()));
    input.operations.push(operation(CMS, PLC.0, "write", 1));
    assert_eq!(boundary(&input), (Boundary::NotAllowed, String::new()));
}

#[test]
fn connections_without_data_are_named_by_what_else_is_known() {
    let mut input = terminal();
    input.connections.push(ConnectionRow {
        state: "S0".into(),
        service: String::new(),
        server_packets: 0,
        ..input.connections[1].clone()
    });
    let inventory = Inventory::build(&input, Some(&model()), None);
    let flow = inventory.flows.iter().find(|flow| flow.state == "S0").unwrap();
    assert_eq!((flow.boundary, flow.answered), (Boundary::Allowed, false));
}

#[test]
fn intruders_are_no_engineering_stations() {
    let mut input = terminal();
    input.connections.push(connection("crane-1", ("10.50.0.21", FIREWALL.1, 63), (PLC.0, PLC.1, 64), 102, "s7comm"));
    input.operations.push(operation("10.50.0.21", PLC.0, "program", 3));
    input.operations.push(operation(HMI.0, PLC.0, "program", 3));
    let inventory = Inventory::build(&input, Some(&model()), None);
    assert_eq!(asset(&inventory, "crane-1/10.50.0.21").role, Role::Unknown, "in the office");
    assert_eq!(asset(&inventory, "crane-1/10.30.1.20").role, Role::EngineeringStation, "on the crane");
    let declares = format!(
        "{MODEL}\n[[asset]]\nsegment = \"crane-1\"\naddress = \"10.30.1.30\"\nrole = \"engineering-station\"\n"
    );
    let inventory = Inventory::build(&input, Some(&SiteModel::parse(&declares).unwrap()), None);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.20").role, Role::Hmi, "another one is declared");
}

#[test]
fn products_services_and_makers_give_roles() {
    let claims = [
        ("10.30.1.2", "product", "EDS-510E", "snmp sysDescr", Role::Switch),
        ("10.30.1.3", "order-number", "6ES7 315-2FJ14-0AB0", "s7comm szl 0x0011", Role::SafetyController),
        ("10.30.1.4", "capability", "Human-Machine Interface", "cip device type", Role::Hmi),
        ("10.30.1.5", "capability", "AC Drive Device", "cip device type", Role::Drive),
        ("10.30.1.6", "host-name", "crane-1-hoist-drive", "dcp station name", Role::Drive),
        ("10.30.1.7", "model", "ATV930", "modbus device identification", Role::Drive),
    ];
    let mut input = terminal();
    input.identities.extend(
        claims.iter().map(|(ip, attribute, value, method, _)| identity("crane-1", ip, attribute, value, method)),
    );
    input.connections.push(connection(
        "crane-1",
        ("10.30.1.254", "00:1e:42:03:00:fe", 64),
        (PLC.0, PLC.1, 64),
        80,
        "http",
    ));
    input.positions.push(PositionRow {
        segment: "crane-1".into(),
        receiver: HMI.0.into(),
        protocol: "nmea".into(),
        sentences: 4,
    });
    input.services.push(ServiceRow {
        segment: "yard".into(),
        server: CMS.into(),
        protocol: "llrp".into(),
        ..ServiceRow::default()
    });
    let inventory = Inventory::build(&input, Some(&model()), None);
    for (ip, _, value, _, role) in claims {
        assert_eq!(asset(&inventory, &format!("crane-1/{ip}")).role, role, "{value}");
    }
    assert_eq!(asset(&inventory, "crane-1/10.30.1.254").role, Role::Modem);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.20").role, Role::GnssReceiver);
    assert_eq!(asset(&inventory, "yard/10.20.0.20").role, Role::RfidReader);
}

#[test]
fn conflicting_claims_are_kept_and_the_best_is_chosen() {
    let mut input = terminal();
    input.identities.push(identity("crane-1", PLC.0, "firmware", "V2.9.2", "s7comm szl 0x0011"));
    input.identities.push(identity("crane-1", PLC.0, "firmware", "2.8", "http server"));
    let newer =
        IdentityRow { last_ts: Some(9_000), ..identity("crane-1", PLC.0, "firmware", "V3.0.1", "s7comm szl 0x0011") };
    let inventory = Inventory::build(&input, Some(&model()), None);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.10").firmware, "V2.9.2");
    input.identities.push(newer);
    let inventory = Inventory::build(&input, Some(&model()), None);
    let plc = asset(&inventory, "crane-1/10.30.1.10");
    assert_eq!(plc.firmware, "V3.0.1", "the later of equals");
    assert_eq!(plc.attributes.iter().filter(|value| value.attribute.name() == "firmware").count(), 3);
    assert_eq!(plc.attributes.iter().filter(|value| value.attribute.name() == "firmware" && value.chosen).count(), 1);
}

#[test]
fn names_told_by_others_make_no_assets() {
    let mut input = terminal();
    let name = |subject: &str, kind: &str| NameRow {
        segment: "crane-1".into(),
        subject: subject.into(),
        name: "plc.crane-1.example.".into(),
        kind: kind.into(),
        claims: 1,
        ..NameRow::default()
    };
    input.names.extend([name(HMI.0, "dns"), name("10.30.1.200", "dns"), name("10.30.1.201", "nbns")]);
    let inventory = Inventory::build(&input, Some(&model()), None);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.20").name, "plc.crane-1.example");
    assert!(!ids(&inventory).contains(&"crane-1/10.30.1.200"));
    assert!(ids(&inventory).contains(&"crane-1/10.30.1.201"));
}

#[test]
fn a_draft_reads_back_and_invents_no_crane() {
    let inventory = Inventory::build(&terminal(), None, None);
    let draft = inventory.draft.clone().unwrap();
    let text = draft.to_toml();
    assert_eq!(SiteModel::parse(&text).unwrap(), draft.model, "{text}");
    assert!(draft.model.cranes.is_empty() && draft.model.conduits.is_empty());
    assert!(text.contains("# [[crane]]") && text.contains("# [[conduit]]"), "{text}");
    assert_eq!(asset(&inventory, "crane-1/10.30.1.10").zone, "crane-1");
    assert_eq!(asset(&inventory, "crane-1/10.30.1.10").zone_kind, "ot");
    assert!(inventory.flows.iter().all(|flow| flow.boundary != Boundary::NotAllowed));
    assert!(!inventory.rows().settings[0].site_given);
    let uncommented: String = text
        .lines()
        .skip_while(|line| !line.starts_with("# Proposals"))
        .skip(1)
        .map(|line| format!("{}\n", line.trim_start_matches("# ")))
        .collect();
    let with_proposals = format!("{}{uncommented}", draft.model.to_toml());
    assert!(SiteModel::parse(&with_proposals).is_ok(), "{with_proposals}");
}

#[test]
fn who_commands_a_field_bus_is_its_controller() {
    let mut input = terminal();
    input.connections.push(connection(
        "crane-1",
        ("10.30.1.30", "00:1b:1b:00:01:30", 64),
        (PLC.0, PLC.1, 64),
        34980,
        "ethercat",
    ));
    let asked = operation("10.30.1.30", PLC.0, "read", 40);
    input.operations.push(OperationRow { protocol: "ethercat".into(), ..asked });
    let inventory = Inventory::build(&input, Some(&model()), None);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.30").role, Role::Controller);
    assert_eq!(asset(&inventory, "crane-1/10.30.1.20").role, Role::Hmi, "who only reads registers is not");
    let second = operation(HMI.0, PLC.0, "write", 1);
    input.operations.push(OperationRow { protocol: "ethercat".into(), ..second });
    let inventory = Inventory::build(&input, Some(&model()), None);
    let roles = ["10.30.1.30", "10.30.1.20"].map(|address| asset(&inventory, &format!("crane-1/{address}")).role);
    assert!(!roles.contains(&Role::Controller), "of two that command, one may be an intruder: {roles:?}");
}

#[test]
fn the_time_of_the_assessment() {
    let time = |as_of| Inventory::build(&terminal(), Some(&model()), as_of).as_of.map(|as_of| as_of.0);
    assert_eq!(time(None), Some(5_000));
    assert_eq!(time(Some(quaywatch_model::place::Timestamp(7))), Some(7));
}

#[test]
fn rows_have_the_columns_of_their_tables() {
    let mut model = model();
    model.maintenance_windows.push(quaywatch_model::site::MaintenanceWindow {
        system: "sts-1".into(),
        from: quaywatch_model::place::Timestamp(1),
        to: quaywatch_model::place::Timestamp(2),
    });
    let rows = serde_json::to_value(Inventory::build(&terminal(), Some(&model), None).rows()).unwrap();
    let tables = rows.as_object().unwrap();
    // `protocols` is the registry's, which the program knows and the inventory does not.
    let derived = TABLES.iter().filter(|table| table.origin == Origin::Derived && table.name != "protocols");
    assert_eq!(tables.len(), derived.count());
    for (name, rows) in tables {
        let mut expected: Vec<&str> = Table::find(name).unwrap().all_columns().map(|column| column.name).collect();
        let row = rows[0].as_object().unwrap_or_else(|| panic!("{name} is empty"));
        let mut found: Vec<&str> = row.keys().map(String::as_str).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn queries_name_columns_that_exist() {
    for (table, sql) in [
        ("connections", ConnectionRow::SQL),
        ("operations", OperationRow::SQL),
        ("identities", IdentityRow::SQL),
        ("names", NameRow::SQL),
        ("services", ServiceRow::SQL),
        ("sessions", crate::input::SessionRow::SQL),
        ("requests", crate::input::RequestRow::SQL),
        ("positions", PositionRow::SQL),
        ("coverage", CoverageRow::SQL),
    ] {
        let columns: Vec<&str> = Table::find(table).unwrap().all_columns().map(|column| column.name).collect();
        assert!(sql.contains(&format!("FROM {table}")));
        let grouped = sql.split("GROUP BY").nth(1).unwrap_or("");
        for column in grouped.split(',').map(str::trim).filter(|column| column.parse::<u32>().is_err()) {
            assert!(columns.contains(&column), "{table}.{column}");
        }
    }
}

/// A small world with collisions: few addresses, few MAC addresses, some of them routers'.
fn any_input() -> impl Strategy<Value = Input> {
    let segment = prop::sample::select(vec!["crane-1", "crane-2", "yard"]);
    let ip =
        prop::sample::select(vec!["10.30.1.1", "10.30.1.10", "192.168.0.2", "10.20.0.20", "203.0.113.9", "fe80::1"]);
    let mac = prop::sample::select(vec!["", PLC.1, HMI.1, FIREWALL.1, "02:00:00:00:00:01"]);
    let ttl = prop::sample::select(vec![63i64, 64, 127, 128, 255]);
    let end = (ip.clone(), mac.clone(), ttl);
    let connection =
        (segment.clone(), end.clone(), end, 0i64..3, 0i64..50).prop_map(|(segment, client, server, packets, ts)| {
            let row = connection(segment, client, server, 502, "modbus");
            ConnectionRow { server_packets: packets, first_ts: Some(ts), uid: format!("C{ts}"), ..row }
        });
    let attribute = prop::sample::select(vec![
        ("mac", HMI.1),
        ("ip", "10.30.1.10"),
        ("host-name", "plc"),
        ("host-name", "PLC"),
        ("capability", "router"),
        ("vendor", "X"),
    ]);
    let method = prop::sample::select(vec!["arp sender", "lldp chassis id", "http server"]);
    let identity = (segment, ip, mac, attribute, method, any::<bool>(), 0i64..50).prop_map(
        |(segment, ip, mac, (attribute, value), method, link, ts)| {
            let row = identity(segment, if link { mac } else { ip }, attribute, value, method);
            IdentityRow { first_ts: Some(ts), last_ts: Some(ts), ..row }
        },
    );
    let lists = (prop::collection::vec(connection, 0..12), prop::collection::vec(identity, 0..12));
    lists.prop_map(|(connections, identities)| Input { site: "lab".into(), connections, identities, ..terminal() })
}

proptest! {
    #[test]
    fn the_order_of_observations_does_not_matter(
        (input, shuffled) in any_input().prop_flat_map(|input| {
            let connections = Just(input.connections.clone()).prop_shuffle();
            let identities = Just(input.identities.clone()).prop_shuffle();
            let rest = input.clone();
            let shuffled = (connections, identities).prop_map(move |(connections, identities)| Input { connections, identities, ..rest.clone() });
            (Just(input), shuffled)
        }),
        given in any::<bool>(),
    ) {
        let model = model();
        let model = given.then_some(&model);
        let one = Inventory::build(&input, model, None);
        let other = Inventory::build(&shuffled, model, None);
        prop_assert_eq!(&one, &other);
        let mut ids = ids(&one);
        let total = ids.len();
        ids.dedup();
        prop_assert_eq!(ids.len(), total, "ids differ");
    }
}
