//! PTCP, the precision transparent clock: sync frames tell who is master, delay frames measure the cable to the neighbour.
//!
//! Each kind of frame is told once a sender and flow, again when the master it names changes, and with the count at the end.

use quaywatch_model::{Address, At, Attribute, Endpoint, MacAddr, Observation, Operation, OperationClass, Sink};
use quaywatch_wire::Pdu;

use super::{PTCP, receiver, sender};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};
use crate::deviation::malformed_if_whole;

/// Kinds of frames and senders of one flow that are kept apart.
pub const KIND_LIMIT: usize = 32;

/// Elements of a frame, by their type (high seven bits of the header).
const END: u16 = 0;
const SUBDOMAIN: u16 = 1;
const TIME: u16 = 2;
const MASTER: u16 = 4;
const DELAY: u16 = 6;

/// A PTCP frame.
#[derive(Clone, Copy, Default, Debug)]
pub struct Frame {
    sequence: u16,
    /// Nanoseconds that the frame was under way, as the bridges added them up.
    delay: u32,
    master: Option<MacAddr>,
    subdomain: Option<[u8; 16]>,
    /// Priorities 1 and 2, clock class, accuracy.
    quality: Option<[u8; 4]>,
    /// Epoch number and seconds.
    time: Option<(u16, u32)>,
    requester: Option<MacAddr>,
    broken: bool,
}

impl Frame {
    /// Reads what stands behind the frame id; `None` if no header fits.
    #[must_use]
    pub fn read(id: u16, body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let mut frame = Frame::default();
        // All headers are 20 bytes: 12 that hold the delay in units of 10 ns or nothing, the sequence number, the rest of the delay.
        cursor.skip(8)?;
        let tens = cursor.be32()?;
        frame.sequence = cursor.be16()?;
        let byte = cursor.u8()?;
        cursor.skip(1)?;
        let ones = cursor.be32()?;
        frame.delay = match id {
            0x0020..=0x0021 | 0x0080..=0x0081 => {
                tens.saturating_mul(10).saturating_add(byte.into()).saturating_add(ones)
            }
            0xff00..=0xff01 => 0,
            _ => ones,
        };
        frame.broken = frame.elements(cursor).is_none();
        Some(frame)
    }

    /// Reads elements up to the end; `None` if one is cut short.
    fn elements(&mut self, mut cursor: Cursor<'_>) -> Option<()> {
        loop {
            let header = cursor.be16()?;
            let content = cursor.take(usize::from(header & 0x01ff))?;
            let mut inner = Cursor::new(content);
            match header >> 9 {
                END => return Some(()),
                SUBDOMAIN => {
                    self.master = Some(mac(&mut inner)?);
                    self.subdomain = inner.take(16)?.first_chunk().copied();
                }
                TIME => self.time = Some((inner.be16()?, inner.be32()?)),
                MASTER => self.quality = inner.take(4)?.first_chunk().copied(),
                DELAY => self.requester = Some(mac(&mut inner)?),
                _ => {}
            }
        }
    }
}

fn mac(cursor: &mut Cursor<'_>) -> Option<MacAddr> {
    cursor.take(6)?.first_chunk().map(|bytes| MacAddr(*bytes))
}

/// Name of a frame id.
const fn name(id: u16) -> &'static str {
    match id {
        0x0020 => "sync with follow-up (clock)",
        0x0021 => "sync with follow-up (time)",
        0x0080 => "sync (clock)",
        0x0081 => "sync (time)",
        0xff00 => "announce (clock)",
        0xff01 => "announce (time)",
        0xff20 => "follow-up (clock)",
        0xff21 => "follow-up (time)",
        0xff40 => "delay request",
        0xff41 => "delay response with follow-up",
        0xff42 => "delay follow-up",
        _ => "delay response",
    }
}

#[derive(Debug)]
struct Seen {
    id: u16,
    client: Endpoint,
    server: Endpoint,
    frame: Frame,
    count: u64,
    last: At,
}

/// The clock frames of a flow.
#[derive(Default)]
pub struct Ptcp {
    seen: Vec<Seen>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Ptcp {
    pub fn feed(&mut self, id: u16, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(frame) = Frame::read(id, body) else {
            return malformed_if_whole(PTCP, pdu, "profinet_ptcp_malformed_frame", "header cut short", out);
        };
        if frame.broken {
            malformed_if_whole(PTCP, pdu, "profinet_ptcp_malformed_frame", "element cut short or no end", out);
        }
        if let Some(master) = frame.master {
            let role = (Attribute::Capability, "profinet sync master", "profinet-ptcp subdomain");
            self.claims.identify(out, pdu.at, Address::Mac(master), role);
        }
        let server = sender(pdu);
        let found = self.seen.iter().position(|seen| seen.id == id && seen.server == server);
        let (index, changed) = match found {
            Some(index) => (index, self.count(index, frame, pdu.at)),
            None if self.seen.len() >= KIND_LIMIT => return,
            None => {
                self.seen.push(Seen { id, client: receiver(pdu), server, frame, count: 1, last: pdu.at });
                (self.seen.len().saturating_sub(1), false)
            }
        };
        if found.is_none() {
            self.tell(index, "", out);
        } else if changed {
            self.tell(index, "sync master changed", out);
        }
    }

    /// Whether master or subdomain differ from before.
    fn count(&mut self, index: usize, frame: Frame, at: At) -> bool {
        let Some(seen) = self.seen.get_mut(index) else { return false };
        let changed = (seen.frame.master, seen.frame.subdomain) != (frame.master, frame.subdomain);
        seen.frame = frame;
        seen.count = seen.count.saturating_add(1);
        seen.last = at;
        changed
    }

    pub fn close(&mut self, out: &mut dyn Sink) {
        for index in 0..self.seen.len() {
            if self.seen.get(index).is_some_and(|seen| seen.count > 1) {
                self.tell(index, "", out);
            }
        }
        self.seen.clear();
    }

    fn tell(&mut self, index: usize, special: &'static str, out: &mut dyn Sink) {
        let Some(seen) = self.seen.get(index) else { return };
        describe(seen, &mut self.detail);
        let object = seen.frame.master.or(seen.frame.requester).map_or_else(String::new, |mac| mac.to_string());
        out.emit(
            seen.last,
            Observation::Operation(Operation {
                protocol: PTCP,
                client: seen.client,
                server: seen.server,
                unit: None,
                code: seen.id.into(),
                name: if special.is_empty() { name(seen.id) } else { special },
                class: OperationClass::Cyclic,
                object: &object,
                quantity: Some(seen.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(seen.last.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

fn describe(seen: &Seen, detail: &mut DetailJson) {
    let frame = &seen.frame;
    detail.clear();
    detail.text("frame_id", format_args!("{:#06x}", seen.id));
    detail.number("sequence", frame.sequence);
    detail.number("delay_ns", frame.delay);
    if let Some(master) = frame.master {
        detail.text("master", master);
    }
    if let Some(subdomain) = &frame.subdomain {
        detail.text("subdomain", Hex(subdomain));
    }
    if let Some([first, second, class, accuracy]) = frame.quality {
        detail.number("priority1", first);
        detail.number("priority2", second);
        detail.number("clock_class", class);
        detail.number("clock_accuracy", accuracy);
    }
    if let Some((epoch, seconds)) = frame.time {
        detail.number("epoch", epoch);
        detail.number("seconds", seconds);
    }
    if let Some(requester) = frame.requester {
        detail.text("port", requester);
    }
}
