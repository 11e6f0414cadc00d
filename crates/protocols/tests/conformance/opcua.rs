//! OPC UA.

use quaywatch_protocols::opcua::names::POLICY_URI;
use quaywatch_protocols::opcua::status::Status;
use serde_json::Value;

use crate::harness::{Explained, Field, Row, Table, compare, detail, number, text, well_formed};

const HELLO: u64 = 0x48_454c;
const REVERSE_HELLO: u64 = 0x52_4845;
const ERROR: u64 = 0x45_5252;

fn code(row: &Row) -> u64 {
    row["code"].as_u64().unwrap()
}

fn is_service(row: &Row) -> bool {
    !matches!(code(row), HELLO | REVERSE_HELLO | ERROR)
}

fn encrypted(row: &Row) -> bool {
    row["name"] == "OpenSecureChannel" && detail(row, "request_id").is_empty()
}

fn asked_type(row: &Row) -> Vec<String> {
    let kind = match (code(row), row["name"].as_str().unwrap()) {
        (HELLO, _) => "HEL",
        (_, "OpenSecureChannel") => "OPN",
        (_, "CloseSecureChannel") => "CLO",
        _ => "MSG",
    };
    vec![kind.to_owned()]
}

fn answered_type(row: &Row) -> Vec<String> {
    let kind = match (code(row), row["name"].as_str().unwrap()) {
        (HELLO, _) if row["status"] == 0 => "ACK",
        (HELLO | ERROR, _) => "ERR",
        (REVERSE_HELLO, _) => "RHE",
        (_, "OpenSecureChannel") => "OPN",
        _ => "MSG",
    };
    vec![kind.to_owned()]
}

fn asked_service(row: &Row) -> Vec<String> {
    if is_service(row) && !encrypted(row) { number(row, "code") } else { Vec::new() }
}

fn answered_service(row: &Row) -> Vec<String> {
    if !is_service(row) || encrypted(row) {
        return Vec::new();
    }
    let response = match code(row) {
        _ if !detail(row, "fault").is_empty() => 397,
        service @ (12208 | 12211) => service + 1,
        service => service + 3,
    };
    vec![response.to_string()]
}

fn results(row: &Row) -> Vec<String> {
    detail(row, "results")
        .iter()
        .filter_map(|name| Status::from_name(name))
        .map(|status| status.0.to_string())
        .collect()
}

/// Where every item failed, the operation has the status of the first.
fn result(row: &Row) -> Vec<String> {
    let of_service = detail(row, "service_result");
    match of_service.first().and_then(|name| Status::from_name(name)) {
        Some(status) => vec![status.0.to_string()],
        None if is_service(row) => number(row, "status"),
        None => Vec::new(),
    }
}

fn transport_error(row: &Row) -> Vec<String> {
    if is_service(row) { Vec::new() } else { number(row, "status") }
}

/// Values of a key in the detail and in the lists of objects in it.
fn nested(row: &Row, lists: &[&str], key: &str) -> Vec<String> {
    let inner = lists.iter().filter_map(|list| row.get("detail")?.get(*list)?.as_array()).flatten();
    inner.filter_map(|item| item.get(key)).flat_map(texts).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn described(row: &Row, key: &str) -> Vec<String> {
    nested(row, &["endpoints", "servers"], key)
}

fn policy(name: &str) -> String {
    if name.contains(':') { name.to_owned() } else { format!("{POLICY_URI}{name}") }
}

fn policies(row: &Row) -> Vec<String> {
    let tokens = described(row, "user_tokens");
    let of_tokens = tokens.iter().filter_map(|token| token.split_once(' ')).map(|(_, name)| policy(name));
    described(row, "security_policy").iter().map(|name| policy(name)).chain(of_tokens).collect()
}

fn mode(name: &str) -> String {
    let mode = ["Invalid", "None", "Sign", "SignAndEncrypt"].iter().position(|known| *known == name);
    mode.unwrap().to_string()
}

fn token(token: &str) -> String {
    let kind = token.split(' ').next().unwrap();
    ["anonymous", "username", "certificate", "issued"].iter().position(|known| *known == kind).unwrap().to_string()
}

/// The certificate row of one end stands by itself: the policy is in the operation.
fn channel_policy(row: &Row) -> Vec<String> {
    if row["name"] == "OpenSecureChannel" {
        text(&row["detail"].as_object().cloned().unwrap_or_default(), "security_policy")
            .iter()
            .map(|name| policy(name))
            .collect()
    } else {
        Vec::new()
    }
}

fn endpoint(row: &Row) -> Vec<String> {
    if code(row) == HELLO { text(row, "object") } else { Vec::new() }
}

fn session_name(row: &Row) -> Vec<String> {
    if row["name"] == "CreateSession" { text(row, "object") } else { Vec::new() }
}

fn channel(row: &Row) -> Vec<String> {
    // A request opens channel 0, which the response names.
    detail(row, "channel")
}

fn opened(row: &Row) -> Vec<String> {
    let opened = detail(row, "opened_channel");
    if opened.is_empty() { detail(row, "channel") } else { opened }
}

const fn encrypted_column(column: &'static str, reason: &'static str) -> Explained {
    Explained { file: "opcua/icsnpp-open62541-client-server-encrypted.pcapng", column, reason }
}

#[test]
fn opcua_agrees() {
    compare(&Table {
        name: "opcua",
        protocols: &["opcua"],
        kinds: &[],
        fields: &[
            Field::new("opcua.transport.type").asked(asked_type).answered(answered_type),
            Field::new("opcua.transport.scid").asked(channel).answered(opened),
            Field::new("opcua.transport.endpoint").asked(endpoint),
            Field::new("opcua.security.spu").both(channel_policy),
            Field::new("opcua.security.rqid").both(|row| detail(row, "request_id")),
            Field::new("opcua.security.tokenid").both(|row| detail(row, "token")),
            Field::new("opcua.servicenodeid.numeric").asked(asked_service).answered(answered_service),
            Field::new("opcua.RequestHandle").both(|row| detail(row, "request_handle")),
            Field::new("opcua.ServiceResult").answered(result),
            Field::new("opcua.StatusCode").answered(results),
            Field::new("opcua.ApplicationUri")
                .asked(|row| detail(row, "application"))
                .answered(|row| described(row, "application")),
            Field::new("opcua.ProductUri")
                .asked(|row| detail(row, "product"))
                .answered(|row| described(row, "product")),
            Field::new("opcua.EndpointUrl")
                .asked(|row| detail(row, "endpoint_url"))
                .answered(|row| nested(row, &["endpoints"], "url")),
            Field::new("opcua.SecurityPolicyUri").answered(policies),
            Field::new("opcua.MessageSecurityMode")
                .asked(|row| detail(row, "security_mode").iter().map(|name| mode(name)).collect())
                .answered(|row| described(row, "security_mode").iter().map(|name| mode(name)).collect()),
            Field::new("opcua.SessionName").asked(session_name),
            Field::new("opcua.UserTokenType")
                .answered(|row| described(row, "user_tokens").iter().map(|name| token(name)).collect()),
            Field::new("opcua.UserName").asked(|row| detail(row, "user")),
            Field::new("opcua.transport.error").answered(transport_error),
        ],
        counts: well_formed,
        explained: &[
            encrypted_column(
                "opcua.security.rqid",
                "the request id is encrypted: tshark prints the ciphertext as a number",
            ),
            encrypted_column("opcua.transport.type", "encrypted messages are counted, and are no operations"),
            encrypted_column("opcua.transport.scid", "encrypted messages are counted, and are no operations"),
            encrypted_column("opcua.security.tokenid", "encrypted messages are counted, and are no operations"),
            Explained {
                file: "opcua/icsnpp-open62541-read-service-test-data.pcap",
                column: "opcua.UserName",
                reason: "a value read is of the type of an identity token: no login",
            },
            Explained {
                file: "opcua/icsnpp-open62541-read-service-test-data.pcap",
                column: "opcua.StatusCode",
                reason: "values read that are of the type StatusCode: no result of the service",
            },
            Explained {
                file: "opcua/icsnpp-open62541-create-monitored-items.pcap",
                column: "opcua.StatusCode",
                reason: "results of the clauses within a filter: no results of monitored items",
            },
        ],
        wanted: 995,
    });
}
