use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex};

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u8::try_from(content.len()).unwrap();
    [vec![tag, 0x81, length], content].concat()
}

/// A message of version `version` whose PDU binds `bindings`.
fn message(version: u8, community: &[u8], tag: u8, id: u8, status: u8, bindings: &[(&str, Vec<u8>)]) -> Vec<u8> {
    element(0x30, &[&[2, 1, version], &element(4, &[community]), &pdu(tag, id, status, bindings)])
}

fn pdu(tag: u8, id: u8, status: u8, bindings: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let bindings: Vec<u8> =
        bindings.iter().flat_map(|(name, value)| element(0x30, &[&element(6, &[&hex(name)]), value])).collect();
    element(tag, &[&[2, 1, id, 2, 1, status, 2, 1, 0], &element(0x30, &[&bindings])])
}

fn version_3(user: &[u8], flags: u8, id: u8, body: &[u8]) -> Vec<u8> {
    let head = element(0x30, &[&[2, 1, id, 2, 2, 5, 0xdc, 4, 1, flags, 2, 1, 3]]);
    let engine = hex("80001f8804 6162");
    let parameters =
        element(0x30, &[&element(4, &[&engine]), &[2, 1, 0, 2, 1, 0], &element(4, &[user]), &[4, 0, 4, 0]]);
    element(0x30, &[&[2, 1, 3], &head, &element(4, &[&parameters]), body])
}

fn scoped(pdu: &[u8]) -> Vec<u8> {
    element(0x30, &[&[4, 0, 4, 0], pdu])
}

const SYS_DESCR: &str = "2b06010201 0101 00";
const SYS_NAME: &str = "2b06010201 0105 00";
const NULL: [u8; 2] = [5, 0];

fn values(seen: &Recorder) -> Vec<String> {
    seen.of("identity").iter().map(|row| row["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_get_with_a_known_community_is_told() {
    let flow = flow(Transport::Udp, 161);
    let ask = message(1, b"public", 0xa0, 7, 0, &[(SYS_DESCR, NULL.to_vec()), (SYS_NAME, NULL.to_vec())]);
    let text = element(4, &[b"Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: 4, FW: V4.03"]);
    let answer = message(1, b"public", 0xa2, 7, 0, &[(SYS_DESCR, text), (SYS_NAME, element(4, &[b"sw1"]))]);
    let seen =
        feed(&Snmp, &flow, &[(FromClient, &ask), (FromServer, &answer), (FromClient, &ask), (FromServer, &answer)]);
    let requests: Vec<_> = seen
        .of("request")
        .iter()
        .map(|row| (row["method"].clone(), row["uri"].clone(), row["status"].clone()))
        .collect();
    assert_eq!(
        requests,
        [
            ("get-request".into(), "1.3.6.1.2.1.1.1".into(), 0.into()),
            ("get-request".into(), "1.3.6.1.2.1.1.5".into(), 0.into())
        ]
    );
    let rules: Vec<_> =
        seen.of("credential").iter().map(|row| (row["weakness"].clone(), row["rule"].clone())).collect();
    assert_eq!(
        rules,
        [
            ("clear-text".into(), "community sent in clear text".into()),
            ("default".into(), "well-known read community".into())
        ]
    );
    let sessions = seen.of("session");
    assert_eq!(sessions.len(), 1);
    assert_eq!((&sessions[0]["version"], &sessions[0]["outcome"]), (&"v2c".into(), &"success".into()));
    assert_eq!(seen.of("service")[0]["version"], "v2c");
    assert_eq!(values(&seen)[1..], ["Siemens", "6GK5 208-0BA10-2AA3", "V4.03", "4", "sw1"]);
    assert!(!format!("{:?}", seen.rows).contains("public"));
}

#[test]
fn an_unanswered_guess_is_no_default_in_use() {
    let flow = flow(Transport::Udp, 161);
    let ask = message(0, b"private", 0xa1, 7, 0, &[(SYS_DESCR, NULL.to_vec())]);
    let seen = feed(&Snmp, &flow, &[(FromClient, &ask)]);
    assert_eq!(seen.of("credential").len(), 1);
    assert_eq!(seen.of("session")[0]["outcome"], "unknown");
    assert_eq!(seen.of("request")[0]["status"], serde_json::Value::Null);
}

#[test]
fn a_set_is_an_operation() {
    let flow = flow(Transport::Udp, 161);
    let set = message(1, b"private", 0xa3, 9, 0, &[(SYS_NAME, element(4, &[b"hacked"]))]);
    let answer = message(1, b"private", 0xa2, 9, 17, &[(SYS_NAME, element(4, &[b"hacked"]))]);
    let seen = feed(&Snmp, &flow, &[(FromClient, &set), (FromServer, &answer)]);
    let operation = &seen.of("operation")[0];
    assert_eq!(operation["class"], "configure");
    assert_eq!(operation["object"], "1.3.6.1.2.1.1.5.0");
    assert_eq!((&operation["status"], &operation["status_name"]), (&17.into(), &"notWritable".into()));
    assert_eq!((&operation["request_frame"], &operation["reply_frame"]), (&1.into(), &2.into()));
    let rules: Vec<_> = seen.of("credential").iter().map(|row| row["rule"].clone()).collect();
    assert_eq!(
        rules,
        [
            "community of a set request sent in clear text",
            "community sent in clear text",
            "well-known community used in a set request"
        ]
    );
}

#[test]
fn a_refused_set_says_nothing_of_the_device() {
    // RFC 3416 section 4.2.5: 17 is notWritable, and the answer repeats what was asked.
    for (status, told) in [(17, 0), (0, 1)] {
        let flow = flow(Transport::Udp, 161);
        let set = message(1, b"private", 0xa3, 9, 0, &[(SYS_NAME, element(4, &[b"stolen"]))]);
        let answer = message(1, b"private", 0xa2, 9, status, &[(SYS_NAME, element(4, &[b"stolen"]))]);
        let seen = feed(&Snmp, &flow, &[(FromClient, &set), (FromServer, &answer)]);
        assert_eq!(seen.of("identity").len(), told);
        assert_eq!(seen.of("operation")[0]["status"], status);
    }
}

#[test]
fn users_and_levels_are_sessions() {
    let flow = flow(Transport::Udp, 161);
    let get = |id| scoped(&pdu(0xa0, id, 0, &[(SYS_NAME, NULL.to_vec())]));
    let answer = |id| scoped(&pdu(0xa2, id, 0, &[(SYS_NAME, element(4, &[b"sw1"]))]));
    // usmStatsUnknownUserNames.
    let report = scoped(&pdu(0xa8, 0, 0, &[("2b060106030f01010300", vec![0x41, 1, 1])]));
    let secret = element(4, &[&[0xde, 0xad, 0xbe, 0xef]]);
    let seen = feed(
        &Snmp,
        &flow,
        &[
            (FromClient, &version_3(b"", 4, 1, &get(1))),
            (FromClient, &version_3(b"reader", 4, 2, &get(2))),
            (FromServer, &version_3(b"reader", 0, 2, &answer(2))),
            (FromClient, &version_3(b"stranger", 5, 3, &get(3))),
            (FromServer, &version_3(b"stranger", 0, 3, &report)),
            (FromClient, &version_3(b"boss", 7, 4, &secret)),
            (FromServer, &version_3(b"boss", 3, 4, &secret)),
        ],
    );
    let sessions: Vec<String> = seen
        .of("session")
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {} {} {}", text("version"), text("user"), text("method"), text("outcome"), row["encrypted"])
        })
        .collect();
    assert_eq!(
        sessions,
        [
            "v3 reader usm noAuthNoPriv success false",
            "v3 stranger usm authNoPriv failure false",
            "v3 boss usm authPriv success true",
        ]
    );
    let weaknesses: Vec<_> =
        seen.of("credential").iter().map(|row| (row["account"].clone(), row["weakness"].clone())).collect();
    assert_eq!(weaknesses, [("reader".into(), "anonymous".into()), ("boss".into(), "none".into())]);
    assert_eq!(values(&seen), ["Net-SNMP", "sw1"]);
    assert_eq!(seen.marks, [Mark::Opaque("encrypted"), Mark::Opaque("encrypted")]);
}

#[test]
fn traps_come_from_the_device() {
    let flow = flow(Transport::Udp, 162);
    let head = [&hex("06 07 2b06010401 a064")[..], &hex("40 04 0a000009 02 01 00 02 01 00 43 01 05")].concat();
    let body = element(0xa4, &[&head, &element(0x30, &[])]);
    let trap = element(0x30, &[&[2, 1, 0], &element(4, &[b"public"]), &body]);
    let seen = feed(&Snmp, &flow, &[(FromClient, &trap)]);
    assert_eq!(values(&seen), ["Siemens"]);
    assert_eq!(seen.of("identity")[0]["subject"], "10.0.0.9");
    assert_eq!(seen.of("request")[0]["uri"], "1.3.6.1.4.1.4196");
    assert_eq!(seen.of("credential").len(), 2);
}

#[test]
fn truncations_are_malformed() {
    let flow = flow(Transport::Udp, 161);
    for whole in [
        message(1, b"public", 0xa0, 7, 0, &[(SYS_NAME, NULL.to_vec())]),
        version_3(b"reader", 4, 2, &scoped(&pdu(0xa0, 2, 0, &[(SYS_NAME, NULL.to_vec())]))),
    ] {
        for length in 1..whole.len() {
            assert_eq!(feed_unprobed(&Snmp, &flow, &[(FromClient, &whole[..length])]).marks.len(), 1, "{length}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 1..120), at in 0usize..80) {
        let flow = flow(Transport::Udp, 161);
        feed_unprobed(&Snmp, &flow, &[(FromClient, &data)]);
        for whole in [
            message(1, b"public", 0xa2, 7, 0, &[(SYS_NAME, element(4, &[b"x"])), (SYS_DESCR, element(4, &[b"Linux"]))]),
            version_3(b"reader", 4, 2, &scoped(&pdu(0xa8, 2, 0, &[(SYS_NAME, NULL.to_vec())]))),
        ] {
            let mut broken = whole.clone();
            let at = at.min(broken.len() - 1);
            let end = (at + data.len()).min(broken.len());
            broken.splice(at..end, data.iter().copied().take(end - at));
            feed_unprobed(&Snmp, &flow, &[(FromServer, &broken), (FromClient, &whole)]);
        }
    }

    #[test]
    fn memory_is_bounded(ids in prop::collection::vec((any::<u8>(), any::<u8>()), 1..400)) {
        let flow = flow(Transport::Udp, 161);
        let mut analyzer = SnmpAnalyzer {
            claims: Claims::with_limit(MAX_CLAIMS), waiting: Pairing::new(MAX_WAITING),
            sessions: Sessions::default(), part: None, text: String::new(),
        };
        for (id, user) in ids {
            let body = scoped(&pdu(0xa0, id, 0, &[(SYS_NAME, NULL.to_vec())]));
            let message = version_3(&[b'a', b'a' + user % 26, b'a' + user / 26], 4, id, &body);
            analyzer.feed(&crate::testing::pdu(&flow, 0, FromClient, &message), &mut Recorder::default());
        }
        prop_assert!(analyzer.waiting.drain().count() <= MAX_WAITING);
        let mut closed = Recorder::default();
        analyzer.sessions.close(&mut closed);
        prop_assert!(closed.of("session").len() <= 32);
    }
}
