//! Mailbox traffic of a bus: SDO requests with their responses, files, and what is only counted.

use std::fmt::Write as _;

use quaywatch_model::{At, Credential, Endpoint, Mark, Observation, OperationClass, Program, Sink, Transfer, Weakness};
use quaywatch_wire::Pdu;
use sha2::{Digest, Sha256};

use super::datagram::Datagram;
use super::mailbox::{self, Foe, Mailbox, Sdo};
use super::{PROTOCOL, Row, Tell, names, weird};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::Hex;
use crate::object_dictionary as objects;
use crate::pairing::Pairing;

/// SDO requests of one bus that wait for their responses.
pub const WAITING_LIMIT: usize = 128;
/// Bytes of a value that are kept: names and versions, no programs.
pub const VALUE_LIMIT: usize = 256;
/// Files under way at the same time.
pub const FILE_LIMIT: usize = 16;

/// An SDO request.
#[derive(Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    upload: bool,
    specifier: u8,
    counter: u8,
    object: (u16, u8),
    complete_access: bool,
    size: Option<u32>,
    value: Vec<u8>,
    seen: u64,
    /// Segments are still to be sent by the master.
    sending: bool,
}

/// A file that moves; only its digest and size are kept.
#[derive(Debug)]
struct Moving {
    station: u16,
    at: At,
    ends: (Endpoint, Endpoint),
    way: Transfer,
    name: String,
    digest: Sha256,
    size: u64,
    packet: u32,
    packet_size: usize,
    unbroken: bool,
}

/// Mailbox traffic.
pub(super) struct Messages {
    asks: Pairing<u16, Ask>,
    files: Vec<Moving>,
    claims: Claims,
    /// EoE and other messages that are counted: protocol, messages, the last one's place.
    counted: Vec<(u8, u64, At, (Endpoint, Endpoint))>,
}

impl Default for Messages {
    fn default() -> Self {
        Messages {
            asks: Pairing::new(WAITING_LIMIT),
            files: Vec::new(),
            claims: Claims::default(),
            counted: Vec::new(),
        }
    }
}

impl Messages {
    /// Takes a message. A write carries it to the slave, a read fetches it.
    pub(super) fn take(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        d: &Datagram<'_>,
        mail: &Mailbox<'_>,
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) {
        let station = d.station();
        let service = mailbox::coe_service(mail.body).unwrap_or(0);
        match (mail.kind, service) {
            (mailbox::COE, 2) => {
                let Some(sdo) = mailbox::sdo(mail.body, names::writes(d.command)) else {
                    return weird(pdu, "ethercat_sdo_short", "SDO request is cut short", out);
                };
                self.sdo_request(pdu, ends, station, mail, &sdo, tell, out);
            }
            (mailbox::COE, 3) => {
                let Some(sdo) = mailbox::sdo(mail.body, false) else {
                    return weird(pdu, "ethercat_sdo_short", "SDO response is cut short", out);
                };
                self.sdo_response(pdu, ends, station, mail, &sdo, tell, out);
            }
            (mailbox::COE, 1) => self.emergency(pdu, ends, station, mail, tell, out),
            (mailbox::ERROR, _) => {
                tell.detail.clear();
                tell.detail.text("mailbox", "error");
                plain(pdu, ends, station, 0, "mailbox error", tell, out);
            }
            (mailbox::FOE, _) => match mailbox::foe(mail.body) {
                Some(foe) => self.file(pdu, ends, station, &foe, tell, out),
                None => weird(pdu, "ethercat_foe_short", "FoE message is cut short", out),
            },
            (kind, _) => self.count(pdu, ends, kind, out),
        }
    }

    fn count(&mut self, pdu: &Pdu<'_>, ends: (Endpoint, Endpoint), kind: u8, out: &mut dyn Sink) {
        if kind != mailbox::EOE {
            out.mark(Mark::Undecoded("mailbox protocol is only counted"));
        }
        match self.counted.iter_mut().find(|(k, ..)| *k == kind) {
            Some((_, count, at, _)) => {
                *count = count.saturating_add(1);
                *at = pdu.at;
            }
            None => self.counted.push((kind, 1, pdu.at, ends)),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "each is a plain fact of the message")]
    fn sdo_request(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        station: u16,
        mail: &Mailbox<'_>,
        sdo: &Sdo<'_>,
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) {
        let Some(object) = sdo.object else {
            // A segment: of a download it carries data, of an upload it only asks for more.
            if sdo.specifier == 0
                && let Some(mut ask) = self.asks.answer(&station)
            {
                ask.keep(sdo.data);
                ask.sending = sdo.more;
                self.wait(station, ask, tell, out);
            }
            return;
        };
        if let Some(code) = sdo.abort {
            // The master gives up what it asked.
            if let Some(ask) = self.asks.answer(&station) {
                sdo_row(&ask, station, Some((pdu.at, code, sdo.specifier, mail.counter)), tell, out);
            }
            return;
        }
        let mut ask = Ask {
            at: pdu.at,
            ends,
            upload: sdo.specifier == 2,
            specifier: sdo.specifier,
            counter: mail.counter,
            object,
            complete_access: sdo.complete_access,
            size: sdo.size,
            value: Vec::new(),
            seen: 0,
            sending: sdo.more,
        };
        ask.keep(sdo.data);
        self.wait(station, ask, tell, out);
    }

    fn wait(&mut self, station: u16, ask: Ask, tell: &mut Tell, out: &mut dyn Sink) {
        if let Some(lost) = self.asks.ask(station, ask) {
            sdo_row(&lost, station, None, tell, out);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "each is a plain fact of the message")]
    fn sdo_response(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        station: u16,
        mail: &Mailbox<'_>,
        sdo: &Sdo<'_>,
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) {
        let asked = match sdo.object {
            Some(object) => self.asks.answer_where(&station, |ask| ask.object == object),
            None => self.asks.answer(&station),
        };
        let Some(mut ask) = asked.or_else(|| Ask::unasked(pdu, ends, sdo)) else { return };
        if sdo.abort.is_none() && ask.upload {
            ask.keep(sdo.data);
            ask.size = ask.size.or(sdo.size);
        }
        let unfinished = sdo.abort.is_none() && (ask.sending || (ask.upload && sdo.more));
        if unfinished {
            return self.wait(station, ask, tell, out);
        }
        let status = sdo.abort.unwrap_or(0);
        sdo_row(&ask, station, Some((pdu.at, status, sdo.specifier, mail.counter)), tell, out);
    }

    fn emergency(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        station: u16,
        mail: &Mailbox<'_>,
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) {
        let mut c = Cursor::new(mail.body);
        tell.detail.clear();
        if let (Some(()), Some(code), Some(register)) = (c.skip(2), c.le16(), c.u8()) {
            tell.detail.number("error_code", code);
            tell.detail.number("error_register", register);
        }
        let _ = self;
        plain(pdu, ends, station, 1, mailbox::coe_name(1), tell, out);
    }

    fn file(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        station: u16,
        foe: &Foe<'_>,
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) {
        match *foe {
            Foe::Read(password, name) => self.open(pdu, ends, station, (Transfer::Upload, password, name), tell, out),
            Foe::Write(password, name) => {
                self.open(pdu, ends, station, (Transfer::Download, password, name), tell, out);
            }
            Foe::Data(number, data) => self.packet(pdu, station, number, data, out),
            Foe::Error(code) => {
                tell.detail.clear();
                tell.detail.number("error_code", code);
                plain(pdu, ends, station, 5, "FoE error", tell, out);
                self.end(station, false, out);
            }
            Foe::Acknowledge(_) | Foe::Busy => {}
        }
    }

    fn open(
        &mut self,
        pdu: &Pdu<'_>,
        ends: (Endpoint, Endpoint),
        station: u16,
        (way, password, name): (Transfer, bool, &[u8]),
        tell: &mut Tell,
        out: &mut dyn Sink,
    ) {
        self.end(station, false, out);
        let name = device_text(name).unwrap_or_default();
        tell.detail.clear();
        tell.detail.flag("password", password);
        tell.detail.number("station", station);
        tell.object.clear();
        tell.object.push_str(&name);
        let (code, title) = if way == Transfer::Upload { (1, "FoE read file") } else { (2, "FoE write file") };
        let row = Row {
            at: pdu.at,
            ends,
            unit: Some(u32::from(station)),
            code,
            name: title,
            class: OperationClass::Program,
            quantity: None,
            status: None,
            status_name: "",
            request: Some(pdu.at),
            reply: false,
        };
        tell.row(&row, out);
        if password {
            let credential = Credential {
                client: ends.0,
                server: ends.1,
                protocol: PROTOCOL,
                account: "",
                weakness: Weakness::ClearText,
                rule: "file password sent unencrypted",
            };
            self.claims.credential(out, pdu.at, credential);
        }
        if self.files.len() < FILE_LIMIT {
            let digest = Sha256::new();
            self.files.push(Moving {
                station,
                at: pdu.at,
                ends,
                way,
                name,
                digest,
                size: 0,
                packet: 0,
                packet_size: 0,
                unbroken: true,
            });
        }
    }

    /// A packet shorter than the first is the last.
    fn packet(&mut self, pdu: &Pdu<'_>, station: u16, number: u32, data: &[u8], out: &mut dyn Sink) {
        let Some(file) = self.files.iter_mut().find(|file| file.station == station) else { return };
        file.at = pdu.at;
        if number == file.packet {
            return;
        }
        file.unbroken &= Some(number) == file.packet.checked_add(1);
        file.packet = number;
        file.digest.update(data);
        file.size = file.size.saturating_add(data.len() as u64);
        if file.packet_size == 0 {
            file.packet_size = data.len();
        }
        if data.len() < file.packet_size {
            self.end(station, true, out);
        }
    }

    fn end(&mut self, station: u16, finished: bool, out: &mut dyn Sink) {
        let Some(at) = self.files.iter().position(|file| file.station == station) else { return };
        let file = self.files.swap_remove(at);
        out.emit(
            file.at,
            Observation::Program(Program {
                client: file.ends.0,
                server: file.ends.1,
                protocol: PROTOCOL,
                transfer: file.way,
                name: &file.name,
                size: file.size,
                sha256: (file.size > 0).then(|| file.digest.finalize().into()),
                complete: finished && file.unbroken,
            }),
        );
    }

    /// Tells what still waits, and the counts.
    pub(super) fn close(&mut self, tell: &mut Tell, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.asks.drain().collect();
        for ask in &asks {
            sdo_row(ask, 0, None, tell, out);
        }
        while let Some(station) = self.files.first().map(|file| file.station) {
            self.end(station, false, out);
        }
        for (kind, count, at, ends) in std::mem::take(&mut self.counted) {
            tell.detail.clear();
            tell.object.clear();
            tell.detail.text("occasion", "messages counted");
            let name = match kind {
                mailbox::EOE => "Ethernet over EtherCAT",
                mailbox::SOE => "Servo drive profile over EtherCAT",
                _ => "CANopen over EtherCAT",
            };
            let row = Row {
                at,
                ends,
                unit: None,
                code: u32::from(kind),
                name,
                class: OperationClass::Cyclic,
                quantity: Some(count),
                status: None,
                status_name: "",
                request: None,
                reply: true,
            };
            tell.row(&row, out);
        }
    }
}

impl Ask {
    /// A response whose request was not seen; a segment alone says nothing.
    fn unasked(pdu: &Pdu<'_>, ends: (Endpoint, Endpoint), sdo: &Sdo<'_>) -> Option<Self> {
        Some(Ask {
            at: At { frame: 0, ..pdu.at },
            ends,
            upload: sdo.specifier == 2,
            specifier: 0,
            counter: 0,
            object: sdo.object?,
            complete_access: false,
            size: sdo.size,
            value: Vec::new(),
            seen: 0,
            sending: false,
        })
    }

    fn keep(&mut self, data: &[u8]) {
        self.seen = self.seen.saturating_add(data.len() as u64);
        let room = VALUE_LIMIT.saturating_sub(self.value.len());
        self.value.extend_from_slice(data.get(..data.len().min(room)).unwrap_or_default());
    }
}

fn plain(
    pdu: &Pdu<'_>,
    ends: (Endpoint, Endpoint),
    station: u16,
    code: u32,
    name: &'static str,
    tell: &mut Tell,
    out: &mut dyn Sink,
) {
    tell.object.clear();
    let row = Row {
        at: pdu.at,
        ends,
        unit: Some(u32::from(station)),
        code,
        name,
        class: OperationClass::Diagnose,
        quantity: None,
        status: None,
        status_name: "",
        request: None,
        reply: true,
    };
    tell.row(&row, out);
}

/// One SDO access: `answer` is place, abort code (0 if none), command specifier and mailbox counter of the response.
fn sdo_row(ask: &Ask, station: u16, answer: Option<(At, u32, u8, u8)>, tell: &mut Tell, out: &mut dyn Sink) {
    let (index, subindex) = ask.object;
    tell.detail.clear();
    tell.object.clear();
    // Writing to a string cannot fail.
    let _ = write!(tell.object, "0x{index:04x}:{subindex}");
    if let Some(name) = objects::name(index) {
        let _ = write!(tell.object, " {name}");
    }
    let asked = ask.at.frame != 0;
    let detail = &mut tell.detail;
    detail.number("station", station);
    detail.text("mailbox", "coe");
    detail.number("object_index", index);
    detail.number("subindex", subindex);
    if ask.complete_access {
        detail.flag("complete_access", true);
    }
    if asked {
        detail.number("request_counter", ask.counter);
        detail.number("request_specifier", ask.specifier);
    }
    if let Some((.., specifier, counter)) = answer {
        detail.number("response_counter", counter);
        detail.number("response_specifier", specifier);
    }
    value(ask, index, detail);
    let class = if ask.upload { objects::read_class(index) } else { objects::write_class(index) };
    let row = Row {
        at: answer.map_or(ask.at, |(at, ..)| at),
        ends: ask.ends,
        unit: Some(u32::from(station)),
        code: if ask.upload { 2 } else { 1 },
        name: if ask.upload { "SDO upload" } else { "SDO download" },
        class,
        quantity: ask.size.map(u64::from).or((ask.seen > 0).then_some(ask.seen)),
        status: answer.map(|(_, status, ..)| status),
        status_name: match answer {
            None => "",
            Some((_, 0, ..)) => "ok",
            Some((_, code, ..)) => objects::abort(code).unwrap_or("unknown abort code"),
        },
        request: asked.then_some(ask.at),
        reply: answer.is_some(),
    };
    tell.row(&row, out);
}

/// Values that say who the device is, and control words; process values stay out.
fn value(ask: &Ask, index: u16, detail: &mut crate::detail_json::DetailJson) {
    if ask.value.is_empty() {
        return;
    }
    match index {
        0x1008..=0x100a => {
            if let Some(text) = device_text(&ask.value) {
                detail.text("value", text);
            }
        }
        0x1000 | 0x1018 | 0x6040 | 0x6060 if ask.value.len() <= 8 => {
            let number = ask.value.iter().rev().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
            detail.number("value", number);
        }
        0x1018 => detail.text("value", Hex(&ask.value)),
        _ => {}
    }
}
