//! Topics published and filters subscribed to: each once a flow and direction.

use quaywatch_model::{Direction, Observation, Operation, OperationClass, Sink};
use quaywatch_wire::Pdu;

use super::{META, field, skip_properties};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;

/// Topics and filters remembered by one flow; older ones would be told again.
const MAX_TOPICS: usize = 256;
/// Control packet types (MQTT 5.0 section 2.1.2).
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;

/// What is remembered of a flow's topics, and scratch buffers.
#[derive(Debug)]
pub(super) struct Talk {
    told: Claims,
    detail: DetailJson,
    line: String,
}

impl Default for Talk {
    fn default() -> Self {
        Talk { told: Claims::with_limit(MAX_TOPICS), detail: DetailJson::default(), line: String::new() }
    }
}

/// Whether a topic is a Sparkplug B command to a node or device (Sparkplug 3.0 section 4.1).
fn is_sparkplug_command(topic: &str) -> bool {
    let mut levels = topic.split('/');
    levels.next() == Some("spBv1.0") && matches!(levels.nth(1), Some("NCMD" | "DCMD"))
}

/// What a payload shows to be: Sparkplug B by its topic and first member (a timestamp or metrics, in protobuf), JSON by its braces.
fn payload_kind(topic: &str, payload: &[u8]) -> Option<&'static str> {
    let payload = payload.trim_ascii();
    match payload {
        [0x08 | 0x12, ..] if topic.starts_with("spBv1.0/") => Some("sparkplug-b"),
        [b'{', .., b'}'] | [b'[', .., b']'] => Some("json"),
        _ => None,
    }
}

impl Talk {
    /// PUBLISH (section 3.3); `None` if it breaks the rules. `level` is the protocol level of the CONNECT, if it was seen.
    pub(super) fn publish(
        &mut self,
        pdu: &Pdu<'_>,
        first: u8,
        content: &[u8],
        level: Option<u8>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let mut cursor = Cursor::new(content);
        let topic = std::str::from_utf8(field(&mut cursor)?).ok()?;
        let qos = (first >> 1) & 3;
        let id = match qos {
            0 => None,
            1 | 2 => Some(cursor.be16()?),
            _ => return None,
        };
        if level == Some(5) {
            skip_properties(&mut cursor)?;
        }
        // Version 5 leaves the topic out once it has an alias.
        if topic.is_empty() || !self.told.first((PUBLISH, pdu.direction, topic)) {
            return Some(());
        }
        let class = match pdu.direction {
            Direction::FromClient if is_sparkplug_command(topic) => OperationClass::Control,
            // A device tells the broker how it is: that changes no machine.
            Direction::FromClient => OperationClass::Cyclic,
            Direction::FromServer => OperationClass::Read,
        };
        self.detail.clear();
        self.detail.number("qos", qos);
        self.detail.flag("retain", first & 1 != 0);
        if let Some(payload) = payload_kind(topic, cursor.rest()) {
            self.detail.text("payload", payload);
        }
        if let Some(id) = id {
            self.detail.number("packet_id", id);
        }
        // Without the CONNECT, properties cannot be told from payload.
        let quantity = level.map(|_| cursor.left() as u64);
        self.tell(pdu, PUBLISH, ("PUBLISH", class), topic, quantity, out);
        Some(())
    }

    /// SUBSCRIBE and UNSUBSCRIBE (sections 3.8 and 3.10); `None` if it breaks the rules.
    pub(super) fn filters(
        &mut self,
        pdu: &Pdu<'_>,
        kind: u8,
        content: &[u8],
        level: Option<u8>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let mut cursor = Cursor::new(content);
        let id = cursor.be16()?;
        if level == Some(5) {
            skip_properties(&mut cursor)?;
        }
        while !cursor.is_empty() {
            let filter = std::str::from_utf8(field(&mut cursor)?).ok()?;
            let options = if kind == SUBSCRIBE { Some(cursor.u8()?) } else { None };
            if !self.told.first((kind, filter)) {
                continue;
            }
            self.detail.clear();
            self.detail.number("packet_id", id);
            if let Some(options) = options {
                self.detail.number("qos", options & 3);
                self.detail.flag("all_topics", filter == "#");
            }
            let named = match options {
                Some(_) => ("SUBSCRIBE", OperationClass::Read),
                None => ("UNSUBSCRIBE", OperationClass::Session),
            };
            self.tell(pdu, kind, named, filter, None, out);
        }
        Some(())
    }

    fn tell(
        &mut self,
        pdu: &Pdu<'_>,
        code: u8,
        (name, class): (&str, OperationClass),
        object: &str,
        quantity: Option<u64>,
        out: &mut dyn Sink,
    ) {
        out.emit(
            pdu.at,
            Observation::Operation(Operation {
                protocol: META.name,
                client: pdu.flow.client,
                server: pdu.flow.server,
                unit: None,
                code: u32::from(code),
                name,
                class,
                object,
                quantity,
                status: None,
                status_name: "",
                latency: None,
                request_frame: Some(pdu.at.frame),
                reply_frame: None,
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}
