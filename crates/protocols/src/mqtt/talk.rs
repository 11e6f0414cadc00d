//! Topics published and filters subscribed to: each once a flow and direction.

use quaywatch_model::{At, Attribute, Direction, Observation, Operation, OperationClass, Sink, Timestamp};
use quaywatch_wire::{Flow, Pdu};

use super::properties::{self, Properties};
use super::sparkplug::{self, Aliases, Topic};
use super::{META, field, names};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::pairing::Pairing;

/// Topics and filters remembered by one flow; older ones would be told again.
const MAX_TOPICS: usize = 256;
/// Subscriptions that wait for the broker's answer at the same time.
const WAITING_LIMIT: usize = 16;
/// Control packet types (MQTT 5.0 section 2.1.2).
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;

/// What is remembered of a flow's topics, and scratch buffers.
#[derive(Debug)]
pub(super) struct Talk {
    told: Claims,
    /// SUBSCRIBE and UNSUBSCRIBE by packet id.
    waiting: Pairing<(u8, u16), Asked>,
    aliases: Aliases,
    /// Topics by alias (MQTT 5.0 section 3.3.2.3.4), each direction with its own.
    topics: Vec<(Direction, u32, String)>,
    detail: DetailJson,
    line: String,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            told: Claims::with_limit(MAX_TOPICS),
            waiting: Pairing::new(WAITING_LIMIT),
            aliases: Aliases::default(),
            topics: Vec::new(),
            detail: DetailJson::default(),
            line: String::new(),
        }
    }
}

/// A subscription, or the end of one, while it waits for the broker's answer.
#[derive(Debug)]
struct Asked {
    at: At,
    kind: u8,
    id: u16,
    /// Each filter with its options, where it was not told before.
    filters: Vec<(usize, String, Option<u8>)>,
}

/// What a payload shows to be: TIC 4.0 or other JSON.
fn payload_kind(payload: &[u8]) -> Option<&'static str> {
    let payload = payload.trim_ascii();
    match payload {
        [b'{', .., b'}'] | [b'[', .., b']'] if is_tic(payload) => Some("tic-4.0"),
        [b'{', .., b'}'] | [b'[', .., b']'] => Some("json"),
        _ => None,
    }
}

/// Whether JSON is of the Terminal Industry Committee (TIC 4.0, "JSON Schema" and "JSON to flat"): each observed property has
/// a point of measurement in place (`pom`) and time (`pomt`), older forms nest them; flat names have bars between levels.
fn is_tic(payload: &[u8]) -> bool {
    let has = |word: &str| payload.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    let nested = || {
        (has("\"msg\"") || has("\"header\""))
            && (has("\"output\"") || has("\"input\""))
            && ["\"actual\"", "\"estimated\"", "\"planned\"", "\"request\""].into_iter().any(has)
    };
    has("\"pom\"") && has("\"pomt\"") || has("|@|") && has("|value") || nested()
}

/// Class of a Sparkplug command: a node's own commands (section 6.4.20) restart it or send it elsewhere, others write a value.
fn command_class(name: &str) -> OperationClass {
    if name.starts_with("Node Control/") || name.starts_with("Device Control/") {
        OperationClass::Control
    } else {
        OperationClass::Write
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
        let properties = if level == Some(5) { Properties::take(&mut cursor)? } else { Properties::default() };
        let payload = cursor.rest();
        let aliased = self.aliased(pdu.direction, topic, properties.number(properties::TOPIC_ALIAS));
        let topic = aliased.as_deref().unwrap_or(topic);
        let sparkplug = Topic::read(topic);
        let command = sparkplug.is_some_and(|topic| topic.is_command());
        // An alias whose topic was not seen says nothing. Commands are told each time: each changes something.
        if topic.is_empty() || !command && !self.told.first((PUBLISH, pdu.direction, topic)) {
            return Some(());
        }
        self.detail.clear();
        self.detail.number("qos", qos);
        self.detail.flag("retain", first & 1 != 0);
        if let Some(id) = id {
            self.detail.number("packet_id", id);
        }
        for (key, wanted) in
            [("content_type", properties::CONTENT_TYPE), ("response_topic", properties::RESPONSE_TOPIC)]
        {
            if let Some(text) = properties.text(wanted) {
                self.detail.text(key, text);
            }
        }
        if let Some(alias) = properties.number(properties::TOPIC_ALIAS) {
            self.detail.number("topic_alias", alias);
        }
        // A device tells the broker how it is: that changes no machine.
        let mut class = match pdu.direction {
            Direction::FromClient => OperationClass::Cyclic,
            Direction::FromServer => OperationClass::Read,
        };
        let mut name = "PUBLISH";
        // Without the CONNECT, properties cannot be told from payload.
        let quantity = level.map(|_| payload.len() as u64);
        match sparkplug {
            Some(of) => {
                name = of.kind;
                let written = self.metrics(pdu, &of, payload, out);
                if written.is_some() {
                    self.detail.text("payload", "sparkplug-b");
                }
                // A command that cannot be read is one all the same.
                if command && pdu.direction == Direction::FromClient {
                    class = written.flatten().unwrap_or(OperationClass::Control);
                }
            }
            None => {
                if let Some(kind) = payload_kind(payload) {
                    self.detail.text("payload", kind);
                }
            }
        }
        let row = Row { at: pdu.at, code: PUBLISH, name, class, object: topic, quantity, answer: None };
        self.tell(pdu.flow, &row, out);
        Some(())
    }

    /// Remembers the topic of an alias, or finds it where the publication leaves it out.
    fn aliased(&mut self, direction: Direction, topic: &str, alias: Option<u32>) -> Option<String> {
        let alias = alias?;
        let place = self.topics.iter().position(|(way, known, _)| (*way, *known) == (direction, alias));
        match (topic, place) {
            ("", Some(place)) => self.topics.get(place).map(|(.., topic)| topic.clone()),
            ("", None) => None,
            (_, Some(place)) => {
                topic.clone_into(&mut self.topics.get_mut(place)?.2);
                None
            }
            (_, None) => {
                if self.topics.len() < MAX_TOPICS {
                    self.topics.push((direction, alias, topic.to_owned()));
                }
                None
            }
        }
    }

    /// Adds the metrics of a Sparkplug payload to the detail, and says the class of a command; `None` if it is none.
    fn metrics(
        &mut self,
        pdu: &Pdu<'_>,
        topic: &Topic<'_>,
        payload: &[u8],
        out: &mut dyn Sink,
    ) -> Option<Option<OperationClass>> {
        sparkplug::metrics(payload, |_| ())?;
        let (mut told, mut count, mut class) = (Vec::new(), 0u32, None);
        let Talk { aliases, told: claims, .. } = self;
        sparkplug::metrics(payload, |metric| {
            count = count.saturating_add(1);
            if topic.is_birth() {
                aliases.learn(topic, &metric);
            }
            if topic.kind == "NBIRTH" && pdu.direction == Direction::FromClient {
                let attribute = match metric.name {
                    "Properties/Hardware Make" => Some(Attribute::Vendor),
                    "Properties/Hardware Model" => Some(Attribute::Model),
                    "Properties/FW" => Some(Attribute::Firmware),
                    "Properties/OS" => Some(Attribute::Os),
                    _ => None,
                };
                if let (Some(attribute), sparkplug::Value::Text(text)) = (attribute, metric.value) {
                    let method = "sparkplug birth properties";
                    claims.identify(out, pdu.at, pdu.sender().address, (attribute, text, method));
                }
            }
            if topic.is_command() && class != Some(OperationClass::Control) {
                class = Some(command_class(&aliases.name(topic, &metric)));
            }
            if told.len() < sparkplug::TOLD_LIMIT {
                told.push(format!("{}={}", aliases.name(topic, &metric), metric.value));
            }
        })?;
        self.detail.text("node", topic);
        self.detail.number("metrics", count);
        if !told.is_empty() {
            self.detail.texts("values", told);
        }
        Some(class)
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
            Properties::take(&mut cursor)?;
        }
        let mut asked = Asked { at: pdu.at, kind, id, filters: Vec::new() };
        let mut index = 0usize;
        while !cursor.is_empty() {
            let filter = std::str::from_utf8(field(&mut cursor)?).ok()?;
            let options = if kind == SUBSCRIBE { Some(cursor.u8()?) } else { None };
            if self.told.first((kind, filter)) {
                asked.filters.push((index, filter.to_owned(), options));
            }
            index = index.saturating_add(1);
        }
        if let Some(forgotten) = self.waiting.ask((kind, id), asked) {
            self.filtered(pdu.flow, &forgotten, None, None, out);
        }
        Some(())
    }

    /// SUBACK and UNSUBACK (sections 3.9 and 3.11): a code for each filter, but for UNSUBACK before version 5.
    pub(super) fn answered(
        &mut self,
        pdu: &Pdu<'_>,
        kind: u8,
        content: &[u8],
        level: Option<u8>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let mut cursor = Cursor::new(content);
        let id = cursor.be16()?;
        let reason = if level == Some(5) { Properties::take(&mut cursor)?.text(properties::REASON) } else { None };
        if let Some(asked) = self.waiting.answer(&(kind.checked_sub(1)?, id)) {
            self.filtered(pdu.flow, &asked, Some((pdu.at, cursor.rest())), reason, out);
        }
        Some(())
    }

    /// Tells what waits still: the flow ended.
    pub(super) fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        while let Some(asked) = self.waiting.oldest() {
            self.filtered(flow, &asked, None, None, out);
        }
    }

    /// Tells each filter of a request, with its code of the answer if there is one.
    fn filtered(
        &mut self,
        flow: &Flow,
        asked: &Asked,
        answer: Option<(At, &[u8])>,
        reason: Option<&str>,
        out: &mut dyn Sink,
    ) {
        for (index, filter, options) in &asked.filters {
            self.detail.clear();
            self.detail.number("packet_id", asked.id);
            if let Some(options) = options {
                self.detail.number("qos", options & 3);
                self.detail.flag("all_topics", filter == "#");
            }
            if let Some(reason) = reason {
                self.detail.text("reason", reason);
            }
            let (name, class) = match options {
                Some(_) => ("SUBSCRIBE", OperationClass::Read),
                None => ("UNSUBSCRIBE", OperationClass::Session),
            };
            // An UNSUBACK before version 5 has no codes: it says that all ended.
            let code = |codes: &[u8]| codes.get(*index).copied().or_else(|| codes.is_empty().then_some(0));
            let answer = answer.and_then(|(at, codes)| Some((at, code(codes)?)));
            let row = Row { at: asked.at, code: asked.kind, name, class, object: filter, quantity: None, answer };
            self.tell(flow, &row, out);
        }
    }

    fn tell(&mut self, flow: &Flow, row: &Row<'_>, out: &mut dyn Sink) {
        let status = row.answer.map(|(_, code)| code);
        out.emit(
            row.answer.map_or(row.at, |(at, _)| at),
            Observation::Operation(Operation {
                protocol: META.name,
                client: flow.client,
                server: flow.server,
                unit: None,
                code: u32::from(row.code),
                name: row.name,
                class: row.class,
                object: row.object,
                quantity: row.quantity,
                status: status.map(u32::from),
                status_name: status.map_or("", names::subscribed),
                latency: row.answer.map(|(at, _)| Timestamp::since(at.ts, row.at.ts)),
                request_frame: Some(row.at.frame),
                reply_frame: row.answer.map(|(at, _)| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

/// An operation that is told.
struct Row<'a> {
    at: At,
    code: u8,
    name: &'a str,
    class: OperationClass,
    object: &'a str,
    quantity: Option<u64>,
    /// The broker's answer and its code.
    answer: Option<(At, u8)>,
}
