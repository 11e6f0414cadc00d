//! Cyclic data (RTC-PDU): one stream a frame id and sender. Told at first sight, at each change of its status, and with the count at the end.

use quaywatch_model::{At, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Weird};
use quaywatch_wire::Pdu;

use super::names::stream_class;
use super::{APDU_STATUS, PROTOCOL, receiver, sender};
use crate::bytes::Cursor;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;

/// Streams of one pair of stations that are kept apart; a device has two with its controller, more with shared access.
pub const STREAM_LIMIT: usize = 64;

/// Nanoseconds within which the cycle counter (31.25 µs a step, 16 bit) cannot have come half round.
const COUNTER_SPAN: i64 = 500_000_000;

/// Bits of the data status (IEC 61158-6-10, "Coding of the field DataStatus").
const PRIMARY: u8 = 0x01;
const VALID: u8 = 0x04;
const RUN: u8 = 0x10;
const NO_PROBLEM: u8 = 0x20;
const IGNORE: u8 = 0x80;

/// The four bytes behind the data.
#[derive(Clone, Copy, Debug)]
struct Apdu {
    cycle: u16,
    data: u8,
    transfer: u8,
}

impl Apdu {
    fn read(body: &[u8]) -> Option<Self> {
        let at = body.len().checked_sub(APDU_STATUS)?;
        let mut cursor = Cursor::new(body.get(at..)?);
        Some(Apdu { cycle: cursor.be16()?, data: cursor.u8()?, transfer: cursor.u8()? })
    }
}

#[derive(Debug)]
struct Stream {
    id: u16,
    client: Endpoint,
    server: Endpoint,
    apdu: Apdu,
    bytes: usize,
    count: u64,
    /// Cycle counter steps between the first two frames.
    step: Option<u16>,
    last: At,
    /// Whether a counter that ran backwards was told.
    told_back: bool,
}

/// The cyclic streams of a flow.
#[derive(Default)]
pub struct Cyclic {
    streams: Vec<Stream>,
    detail: DetailJson,
    line: String,
}

impl Cyclic {
    pub fn feed(&mut self, id: u16, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.cut {
            return out.mark(Mark::Undecoded("cut by the capture"));
        }
        let Some(apdu) = Apdu::read(body) else {
            return malformed_if_whole(PROTOCOL, pdu, "profinet_rt_truncated", "no APDU status behind the data", out);
        };
        let server = sender(pdu);
        let found = self.streams.iter().position(|stream| stream.id == id && stream.server == server);
        let Some(index) = found else {
            return self.begin(id, body, apdu, pdu, out);
        };
        let Some(stream) = self.streams.get_mut(index) else { return };
        stream.check_counter(apdu, pdu, out);
        let before = std::mem::replace(&mut stream.apdu, apdu);
        let step = apdu.cycle.wrapping_sub(before.cycle);
        stream.step = stream.step.or((step > 0).then_some(step));
        stream.count = stream.count.saturating_add(1);
        stream.last = pdu.at;
        if (before.data, before.transfer) != (apdu.data, apdu.transfer) {
            self.tell(index, "cyclic data status change", Some(before), out);
        }
    }

    fn begin(&mut self, id: u16, body: &[u8], apdu: Apdu, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.streams.len() >= STREAM_LIMIT {
            return out.mark(Mark::Undecoded("more cyclic streams than are kept"));
        }
        self.streams.push(Stream {
            id,
            client: receiver(pdu),
            server: sender(pdu),
            apdu,
            bytes: body.len().saturating_sub(APDU_STATUS),
            count: 1,
            step: None,
            last: pdu.at,
            told_back: false,
        });
        self.tell(self.streams.len().saturating_sub(1), "cyclic data", None, out);
    }

    pub fn close(&mut self, out: &mut dyn Sink) {
        for index in 0..self.streams.len() {
            if self.streams.get(index).is_some_and(|stream| stream.count > 1) {
                self.tell(index, "cyclic data exchanged", None, out);
            }
        }
        self.streams.clear();
    }

    fn tell(&mut self, index: usize, name: &'static str, before: Option<Apdu>, out: &mut dyn Sink) {
        let Some(stream) = self.streams.get(index) else { return };
        let detail = &mut self.detail;
        detail.clear();
        stream.describe(before, detail);
        out.emit(
            stream.last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: stream.client,
                server: stream.server,
                unit: None,
                code: stream.id.into(),
                name,
                class: OperationClass::Cyclic,
                object: stream_class(stream.id),
                quantity: Some(stream.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(stream.last.frame),
                detail: detail.object(&mut self.line),
            }),
        );
    }
}

impl Stream {
    /// A provider's counter only grows: one that runs backwards within half its span comes from a second sender or a replay.
    fn check_counter(&mut self, apdu: Apdu, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let near = pdu.at.ts.0.saturating_sub(self.last.ts.0).abs() < COUNTER_SPAN;
        let back = apdu.cycle.wrapping_sub(self.apdu.cycle) >= 0x8000;
        if near && back && !self.told_back {
            self.told_back = true;
            out.emit(
                pdu.at,
                Observation::Weird(Weird {
                    name: "profinet_rt_cycle_counter_went_back",
                    protocol: PROTOCOL,
                    detail: "cycle counter lower than before: a second sender or a replay",
                    sender: self.server,
                    receiver: self.client,
                }),
            );
        }
    }

    fn describe(&self, before: Option<Apdu>, detail: &mut DetailJson) {
        let Apdu { cycle, data, transfer } = self.apdu;
        detail.text("frame_id", format_args!("{:#06x}", self.id));
        detail.number("cycle_counter", cycle);
        detail.text("data_status", format_args!("{data:#04x}"));
        detail.number("transfer_status", transfer);
        detail.text("state", if data & PRIMARY != 0 { "primary" } else { "backup" });
        detail.flag("valid", data & VALID != 0);
        detail.text("provider", if data & RUN != 0 { "run" } else { "stop" });
        detail.flag("problem", data & NO_PROBLEM == 0);
        if data & IGNORE != 0 {
            detail.flag("ignore", true);
        }
        detail.number("data_bytes", i64::try_from(self.bytes).unwrap_or(i64::MAX));
        if let Some(step) = self.step {
            // 31.25 µs a step.
            detail.number("interval_us", i64::from(step).saturating_mul(125) / 4);
        }
        if let Some(before) = before {
            detail.text("data_status_before", format_args!("{:#04x}", before.data));
        }
    }
}
