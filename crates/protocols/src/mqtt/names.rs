//! Codes of MQTT and their names.

/// A CONNACK's return code (MQTT 3.1.1 table 3.1) or reason (MQTT 5.0 table 3-1); the two do not overlap but for 0.
pub(super) const fn connack(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "accepted",
        0x01 | 0x84 => "protocol version not supported",
        0x02 | 0x85 => "client identifier not valid",
        0x03 | 0x88 => "server unavailable",
        0x04 | 0x86 => "bad user name or password",
        0x05 | 0x87 => "not authorized",
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x89 => "server busy",
        0x8a => "banned",
        0x8c => "bad authentication method",
        0x90 => "topic name invalid",
        0x95 => "packet too large",
        0x97 => "quota exceeded",
        0x99 => "payload format invalid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9f => "connection rate exceeded",
        _ => return None,
    })
}

/// A SUBACK's or UNSUBACK's code (MQTT 3.1.1 section 3.9.3, MQTT 5.0 sections 3.9.3 and 3.11.3).
pub(super) const fn subscribed(code: u8) -> &'static str {
    match code {
        0 => "granted",
        1 => "granted QoS 1",
        2 => "granted QoS 2",
        0x11 => "no subscription existed",
        0x80 => "failure",
        0x83 => "implementation specific error",
        0x87 => "not authorized",
        0x8f => "topic filter invalid",
        0x91 => "packet identifier in use",
        0x97 => "quota exceeded",
        0x9e => "shared subscriptions not supported",
        0xa1 => "subscription identifiers not supported",
        0xa2 => "wildcard subscriptions not supported",
        _ => "unknown code",
    }
}
