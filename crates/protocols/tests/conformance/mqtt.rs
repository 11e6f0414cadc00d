//! MQTT: logins by the frame of the broker's answer, topics by the frame that showed each first.

use crate::harness::{Explained, Field, Row, Table, compare_told, detail, number, text, well_formed};

fn publish_only(row: &Row, key: &str) -> Vec<String> {
    if row["name"] == "PUBLISH" { detail(row, key) } else { Vec::new() }
}

fn code(row: &Row, version_5: bool) -> Vec<String> {
    if (row["version"] == "5.0") == version_5 { detail(row, "code") } else { Vec::new() }
}

/// Version 3.1 gives SUBSCRIBE and UNSUBSCRIBE a QoS of their own.
const fn own_qos(file: &'static str) -> Explained {
    Explained { file, column: "mqtt.qos", reason: "the request's own QoS, always 1; ours is the one subscribed with" }
}

#[test]
fn mqtt_agrees() {
    compare_told(&Table {
        name: "mqtt",
        protocols: &["mqtt"],
        kinds: &["session"],
        fields: &[
            Field::new("mqtt.msgtype").asked(|row| number(row, "code")).told(|_| vec!["2".to_owned()]),
            Field::new("mqtt.topic").asked(|row| text(row, "object")),
            Field::new("mqtt.qos").asked(|row| publish_only(row, "qos")),
            Field::new("mqtt.retain").asked(|row| publish_only(row, "retain")),
            Field::new("mqtt.msgid").asked(|row| detail(row, "packet_id")),
            Field::new("mqtt.conack.val").told(|row| code(row, false)),
            Field::new("mqtt.connack.reason_code").told(|row| code(row, true)),
        ],
        counts: well_formed,
        explained: &[
            own_qos("mqtt/suricata-mqtt31-sub-userpass.pcap"),
            own_qos("mqtt/suricata-mqtt31-unsub-qos1.pcap"),
            own_qos("mqtt/suricata-mqtt31-unsub-qos2.pcap"),
            own_qos("mqtt/suricata-mqtt31-unsub-userpass.pcap"),
        ],
        wanted: 995,
    });
}
