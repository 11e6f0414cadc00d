//! What a reader tells unasked: tags become cargo, notices operations, and steady work numbers at the end.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{Cargo, Clock, Endpoint, Observation, OperationClass, Outcome, Session, Sink, Weird};
use quaywatch_wire::Pdu;

use super::names::{self, KEEPALIVE, NOTIFICATION, REPORT};
use super::reports::{self, Tag};
use super::requests::{self, Message};
use super::talk::{Row, Talk, name_of};
use super::{CLOCK_STEP, PROTOCOL, TAG_LIMIT};
use crate::bytes::Cursor;

impl Talk {
    pub(super) fn report(
        &mut self,
        pdu: &Pdu<'_>,
        message: &Message<'_>,
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let mut reads = 0;
        let mut rospec = None;
        for report in reports::tags(message) {
            reads += 1;
            let Some(tag) = Tag::read(&report) else { continue };
            rospec = rospec.or(tag.rospec);
            self.tag(pdu, &tag, ends, out);
            for (parameter, code) in reports::results(&report) {
                self.tag_result(pdu, &tag, (parameter, code), ends, out);
            }
        }
        self.counts.reports += 1;
        self.counts.reads += reads;
        if self.claims.first(("report", rospec)) {
            let mut detail = std::mem::take(&mut self.detail);
            detail.clear();
            self.header(message, &mut detail);
            reports::tag_fields(message, &mut self.list);
            requests::show_names(&mut detail, "tag_fields", &self.list);
            self.detail = detail;
            self.object.clear();
            if let Some(rospec) = rospec {
                // Writing to a string cannot fail.
                let _ = write!(self.object, "rospec {rospec}");
            }
            self.told(pdu, message.kind, Some(reads), ends, out);
        }
    }

    /// Emits what the reader told unasked; object and detail are in the scratch buffers.
    fn told(
        &mut self,
        pdu: &Pdu<'_>,
        kind: u16,
        quantity: Option<u64>,
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let (name, class) = name_of(kind);
        Row {
            at: pdu.at,
            client: ends.0,
            server: ends.1,
            code: kind.into(),
            name,
            class,
            object: &self.object,
            quantity,
            status: None,
            request: None,
            reply: Some(pdu.at),
            detail: self.detail.object(&mut self.line),
        }
        .emit(out);
    }

    /// A tag at an antenna becomes cargo when it is first seen there.
    fn tag(&mut self, pdu: &Pdu<'_>, tag: &Tag<'_>, ends: (Endpoint, Endpoint), out: &mut dyn Sink) {
        let mut hasher = DefaultHasher::new();
        (tag.epc, tag.antenna).hash(&mut hasher);
        let hash = hasher.finish();
        if self.tags.contains(&hash) {
            return;
        }
        if self.tags.len() >= TAG_LIMIT {
            self.counts.untold += 1;
            return;
        }
        self.tags.insert(hash);
        self.detail.clear();
        if let Some(antenna) = tag.antenna {
            self.detail.number("antenna", antenna);
        }
        if let Some(rssi) = tag.rssi {
            self.detail.number("rssi_dbm", rssi);
        }
        if let Some(seen) = tag.seen {
            self.detail.number("seen", seen);
        }
        match tag.epc.first().map_or("", |header| names::scheme(*header)) {
            "" => {}
            scheme => self.detail.text("scheme", scheme),
        }
        spell(tag.epc, &mut self.object);
        let cargo = Cargo {
            sender: ends.1,
            receiver: ends.0,
            protocol: PROTOCOL,
            message: "RO_ACCESS_REPORT",
            reference: "",
            kind: "tag",
            id: &self.object,
            check: None,
            size_type: "",
            detail: self.detail.object(&mut self.line),
        };
        out.emit(pdu.at, Observation::Cargo(cargo));
    }

    /// What became of an operation on a tag; its code is the number of the parameter that tells it.
    fn tag_result(
        &mut self,
        pdu: &Pdu<'_>,
        tag: &Tag<'_>,
        (parameter, code): (u16, u8),
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let Some(name) = names::tag_operation(parameter) else { return };
        if !self.claims.first(("tag result", tag.epc, parameter, code)) {
            return;
        }
        let class = if name.starts_with("read") { OperationClass::Read } else { OperationClass::Write };
        spell(tag.epc, &mut self.object);
        self.object.insert_str(0, "tag ");
        Row {
            at: pdu.at,
            client: ends.0,
            server: ends.1,
            code: parameter.into(),
            name,
            class,
            object: &self.object,
            quantity: None,
            status: Some((code.into(), names::tag_result(parameter, code))),
            request: None,
            reply: Some(pdu.at),
            detail: "",
        }
        .emit(out);
    }

    pub(super) fn notification(
        &mut self,
        pdu: &Pdu<'_>,
        message: &Message<'_>,
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        self.clock(pdu, message, ends.1, out);
        let mut news = false;
        self.object.clear();
        for notice in reports::notices(message) {
            let kind = notice.parameter.kind;
            news |= !notice.routine || self.claims.first(("notice", kind));
            if notice.routine {
                count(&mut self.counts.notices, kind);
            }
            if !self.object.is_empty() {
                self.object.push_str(", ");
            }
            let _ = show_notice(kind, notice.parameter.body, &mut self.object);
            if kind == 256 {
                self.connection(pdu, message, notice.parameter.body, ends, out);
            }
        }
        if !news {
            return;
        }
        let mut detail = std::mem::take(&mut self.detail);
        detail.clear();
        self.header(message, &mut detail);
        let _ = requests::parameter_names(message, &mut self.list);
        requests::show_names(&mut detail, "parameters", &self.list);
        self.detail = detail;
        self.told(pdu, message.kind, None, ends, out);
    }

    /// The reader says whether it takes the connection: the only login there is.
    fn connection(
        &mut self,
        pdu: &Pdu<'_>,
        message: &Message<'_>,
        body: &[u8],
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let outcome = match Cursor::new(body).be16() {
            Some(0) => Outcome::Success,
            Some(1..=3) => Outcome::Failure,
            _ => return,
        };
        self.session(pdu, message, outcome, "", ends, out);
    }

    pub(super) fn session_end(
        &mut self,
        pdu: &Pdu<'_>,
        message: &Message<'_>,
        ends: (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let outcome =
            if message.status().is_some_and(|(code, _)| code == 0) { Outcome::Success } else { Outcome::Unknown };
        self.session(pdu, message, outcome, r#"{"closed":true}"#, ends, out);
    }

    fn session(
        &self,
        pdu: &Pdu<'_>,
        message: &Message<'_>,
        outcome: Outcome,
        detail: &str,
        (client, server): (Endpoint, Endpoint),
        out: &mut dyn Sink,
    ) {
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: requests::version(message.version),
            user: "",
            method: "none",
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail,
        };
        out.emit(pdu.at, Observation::Session(session));
    }

    fn clock(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, reader: Endpoint, out: &mut dyn Sink) {
        let device_time = match reports::clock(message) {
            Some(Ok(time)) => time,
            Some(Err(())) => {
                if self.claims.first("clock out of range") {
                    let (sender, receiver) = (pdu.sender(), pdu.receiver());
                    let detail = "the reader's time lies beyond the year 2262";
                    let weird = Weird { name: "llrp_timestamp", protocol: PROTOCOL, detail, sender, receiver };
                    out.emit(pdu.at, Observation::Weird(weird));
                }
                return;
            }
            None => return,
        };
        let skew = device_time.since(pdu.at.ts);
        if self.clock.is_some_and(|told| skew.saturating_sub(told).saturating_abs() < CLOCK_STEP) {
            return;
        }
        self.clock = Some(skew);
        let clock = Clock { subject: reader.address, method: "llrp utc timestamp", device_time, skew };
        out.emit(pdu.at, Observation::Clock(clock));
    }

    /// Totals of what was told only at first sight.
    pub(super) fn tell_counts(&mut self, out: &mut dyn Sink) {
        let Some((at, client, server)) = self.counts.last else { return };
        let counts = std::mem::take(&mut self.counts);
        let mut total = |kind: u16, quantity: u64, object: &str, detail: &str| {
            let (name, class) = name_of(kind);
            let (status, request, reply, quantity) = (None, None, None, Some(quantity));
            let code = kind.into();
            Row { at, client, server, code, name, class, object, quantity, status, request, reply, detail }.emit(out);
        };
        if counts.reports > 1 {
            self.detail.clear();
            self.detail.number("reports", counts.reports);
            self.detail.number("tags", u32::try_from(self.tags.len()).unwrap_or(u32::MAX));
            self.detail.number("reads_not_told", i64::try_from(counts.untold).unwrap_or(i64::MAX));
            total(REPORT, counts.reads, "all", self.detail.object(&mut self.line));
        }
        if counts.keepalives > 1 {
            self.detail.clear();
            self.detail.number("answered", counts.keepalives_answered);
            total(KEEPALIVE, counts.keepalives.into(), "all", self.detail.object(&mut self.line));
        }
        for (kind, count) in counts.notices {
            if count > 1 {
                total(NOTIFICATION, count.into(), names::parameter(kind), "");
            }
        }
    }
}

fn count(counts: &mut Vec<(u16, u32)>, kind: u16) {
    // There are six kinds.
    match counts.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, count)) => *count = count.saturating_add(1),
        None => counts.push((kind, 1)),
    }
}

/// An EPC in hexadecimal digits, as readers and tag printers show it.
fn spell(epc: &[u8], line: &mut String) {
    line.clear();
    for byte in epc {
        // Writing to a string cannot fail.
        let _ = write!(line, "{byte:02X}");
    }
}

/// Writes a notice with what it is about (section 13.2.6).
fn show_notice(kind: u16, body: &[u8], line: &mut String) -> Option<()> {
    line.push_str(names::parameter(kind));
    let mut cursor = Cursor::new(body);
    // Writing to a string cannot fail.
    let _ = match kind {
        248 => {
            let port = cursor.be16()?;
            write!(line, " port {port} {}", if cursor.u8()? & 0x80 == 0 { "low" } else { "high" })
        }
        249 => {
            let what = ["start", "end", "preempted"].get(usize::from(cursor.u8()?)).copied().unwrap_or("unknown");
            write!(line, " rospec {} {what}", cursor.be32()?)
        }
        250 => write!(line, " {} %", cursor.u8()?),
        252 => {
            let length = usize::from(cursor.be16()?);
            match cursor.take(length).and_then(crate::bytes::device_text) {
                Some(text) => write!(line, " {}", text.chars().take(200).collect::<String>()),
                None => Ok(()),
            }
        }
        254 => {
            cursor.skip(1)?;
            write!(line, " rospec {}", cursor.be32()?)
        }
        255 => {
            let what = if cursor.u8()? == 0 { "disconnected" } else { "connected" };
            write!(line, " antenna {} {what}", cursor.be16()?)
        }
        256 => write!(line, " {}", names::connection_attempt(cursor.be16()?)),
        _ => Ok(()),
    };
    Some(())
}
