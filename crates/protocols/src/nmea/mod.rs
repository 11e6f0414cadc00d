//! NMEA 0183 (IEC 61162-1) sentences in datagrams and streams, with the header and tag blocks of IEC 61162-450.
//!
//! Positioning of cranes and vessels hangs on these lines, and nothing protects them: every fix becomes a row, so that jumps,
//! loss of quality and receivers at one place can be found.

pub mod ais;
mod fix;
pub mod names;
mod sentence;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Clock, Direction, Endpoint, Identity, Mark, Observation, Operation, OperationClass, Position, Sink,
    Timestamp, Transport, Weird,
};
use quaywatch_wire::framer::line as line_length;
use quaywatch_wire::{Flow, Framer, Pdu};

use self::ais::{Ais, Gave};
use self::fix::Fix;
use self::sentence::{Checksum, LINE_LIMIT, Line, Sentence};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "nmea";

/// Header of a datagram with sentences (IEC 61162-450 section 7.2.2).
const SENTENCES: &[u8] = b"UdPbC\0";
/// Headers of datagrams with binary files, plain and retransmittable (section 8).
const FILES: [&[u8]; 2] = [b"RaUdP\0", b"RrUdP\0"];

/// A clock is told again when it moved against the capture by this much, nanoseconds.
const CLOCK_STEP: i64 = Timestamp::SECOND;
/// A clock is told again after this long, nanoseconds.
const CLOCK_INTERVAL: i64 = 600 * Timestamp::SECOND;
/// Claims and kinds of sentences remembered by one flow.
const CLAIMS_LIMIT: usize = 128;

/// The registry entry.
pub struct Nmea;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "NMEA 0183 and AIS",
    tcp: &[10110],
    udp: &[
        10110, 60001, 60002, 60003, 60004, 60005, 60006, 60007, 60008, 60009, 60010, 60011, 60012, 60013, 60014, 60015,
        60016,
    ],
    ethertypes: &[],
    spec: "IEC 61162-1 (NMEA 0183), IEC 61162-450, ITU-R M.1371-5 (AIS)",
    found: "GNSS receivers of cranes, straddle carriers and RTGs, gyros, anemometers, vessels at the quay",
    depth: Depth::Partial,
    purpose: Purpose::Field,
    scope: "GGA, GNS, GLL, RMC, VTG, GSA as positions; ZDA, RMC and tag blocks as clocks; VER, TXT, talkers and makers as identities. \
            AIS in VDM and VDO: \
            positions, names, voyages, aids to navigation. Other sentences are named once a flow; binary files are not decoded.",
};

impl Protocol for Nmea {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Udp if is_450(pdu.data) => Probe::Yes,
            Transport::Tcp | Transport::Udp => probe_text(pdu.data, pdu.flow.transport == Transport::Tcp),
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(NmeaFlow::default())
    }
}

fn is_450(data: &[u8]) -> bool {
    data.starts_with(SENTENCES) || FILES.iter().any(|header| data.starts_with(header))
}

/// A sentence with a fitting checksum is proof; one without leaves it open.
fn probe_text(data: &[u8], stream: bool) -> Probe {
    let textual = |byte: &u8| (0x20..0x7f).contains(byte) || matches!(byte, b'\r' | b'\n' | b'\t' | 0);
    if !data.iter().all(textual) {
        return Probe::No;
    }
    let mut open = false;
    for piece in data.split_inclusive(|byte| *byte == b'\n').take(8) {
        match sentence::line(piece) {
            Some(Line { sentence: Some(Sentence { checksum: Checksum::Good, .. }), junk, .. })
                if junk.iter().all(|byte| *byte < 0x20) =>
            {
                return Probe::Yes;
            }
            Some(Line { sentence: Some(_), junk: [], .. }) => open = true,
            // The beginning of a line whose rest is to come.
            _ if stream && matches!(piece.first(), Some(b'$' | b'!' | b'\\')) && !piece.ends_with(b"\n") => {
                open = piece.len() < LINE_LIMIT;
            }
            _ => {}
        }
    }
    if open { Probe::Unsure } else { Probe::No }
}

/// Reads one flow of sentences.
struct NmeaFlow {
    from_client: Framer,
    from_server: Framer,
    teller: Teller,
}

/// What is remembered of a flow, and its scratch buffers.
struct Teller {
    claims: Claims,
    text: String,
    /// Skew and place of the clock told last.
    clock: Option<(i64, Timestamp)>,
    tag_clock: Option<(i64, Timestamp)>,
    ais: Ais,
    /// Whether a sentence was of AIS, and whether one was of anything else.
    spoke: (bool, bool),
    /// Whether the piece at hand had a sentence that became a row, and one of which only its kind is kept.
    useful: bool,
    idle: bool,
}

/// Place and ends of the piece at hand.
#[derive(Clone, Copy)]
struct Context {
    at: At,
    sender: Endpoint,
    receiver: Endpoint,
}

impl Default for NmeaFlow {
    fn default() -> Self {
        NmeaFlow {
            from_client: Framer::new(LINE_LIMIT),
            from_server: Framer::new(LINE_LIMIT),
            teller: Teller {
                claims: Claims::with_limit(CLAIMS_LIMIT),
                text: String::new(),
                clock: None,
                tag_clock: None,
                ais: Ais::default(),
                spoke: (false, false),
                useful: false,
                idle: false,
            },
        }
    }
}

impl Analyzer for NmeaFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let context = Context { at: pdu.at, sender: pdu.sender(), receiver: pdu.receiver() };
        self.teller.useful = false;
        self.teller.idle = false;
        if pdu.flow.transport == Transport::Tcp {
            self.stream(&context, pdu, out);
        } else {
            self.teller.datagram(&context, pdu.data, out);
        }
        if self.teller.idle && !self.teller.useful {
            out.mark(Mark::Opaque("sentence of no interest"));
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        match direction {
            Direction::FromClient => self.from_client.reset(),
            Direction::FromServer => self.from_server.reset(),
        }
    }

    fn service(&self) -> Option<&'static str> {
        (self.teller.spoke == (true, false)).then_some(ais::PROTOCOL)
    }
}

impl NmeaFlow {
    fn stream(&mut self, context: &Context, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let framer = match pdu.direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        };
        let teller = &mut self.teller;
        if framer.push(pdu.data, line_length, |line| teller.line(context, line, out)).is_err() {
            framer.reset();
            broken(context, "nmea_line_length", "line is longer than any sentence", out);
        }
    }
}

fn weird(context: &Context, name: &'static str, detail: &str, out: &mut dyn Sink) {
    let Context { at, sender, receiver } = *context;
    out.emit(at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender, receiver }));
}

fn broken(context: &Context, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    weird(context, name, reason, out);
    out.mark(Mark::Malformed(reason));
}

impl Teller {
    fn datagram(&mut self, context: &Context, data: &[u8], out: &mut dyn Sink) {
        if FILES.iter().any(|header| data.starts_with(header)) {
            self.file(context, data, out);
            return out.mark(Mark::Opaque("binary file transfer"));
        }
        let text = data.strip_prefix(SENTENCES).unwrap_or(data);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.line(context, line, out);
        }
    }

    /// Source and destination of a binary file: system function ids of six characters (IEC 61162-450 section 8.2).
    fn file(&mut self, context: &Context, data: &[u8], out: &mut dyn Sink) {
        if let Some(source) = data.get(10..16).and_then(device_text) {
            self.claim(context, Attribute::Capability, &source, "iec 61162-450 file source", out);
        }
    }

    fn line(&mut self, context: &Context, bytes: &[u8], out: &mut dyn Sink) {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let Some(line) = sentence::line(bytes) else {
            return broken(context, "nmea_no_sentence", "line holds no sentence", out);
        };
        if !line.junk.is_empty() {
            broken(context, "nmea_junk_before_sentence", "bytes before the sentence", out);
        }
        if let Some((tag, checksum)) = line.tag {
            self.tag_block(context, tag, checksum, out);
        }
        match line.sentence {
            Some(sentence) => self.sentence(context, &sentence, out),
            // A tag block may stand alone to group others.
            None if line.tag.is_some() => {}
            None => broken(context, "nmea_no_sentence", "line holds no sentence", out),
        }
    }

    fn tag_block(&mut self, context: &Context, tag: &str, checksum: Checksum, out: &mut dyn Sink) {
        if checksum != Checksum::Good {
            return broken(context, "nmea_tag_block_checksum", "checksum of the tag block does not fit", out);
        }
        for (code, value) in sentence::parameters(tag) {
            match code {
                "s" => self.claim(context, Attribute::Capability, value, "iec 61162-450 source", out),
                "c" => {
                    if let Some(time) = unix_time(value) {
                        let told = self.tag_clock;
                        self.tag_clock = tell_clock(context, time, told, "nmea tag block time", out);
                    }
                }
                _ => {}
            }
        }
    }

    fn sentence(&mut self, context: &Context, sentence: &Sentence<'_>, out: &mut dyn Sink) {
        match sentence.checksum {
            Checksum::Good => {}
            Checksum::Bad => {
                self.text.clear();
                let _ = write!(self.text, "checksum of {} does not fit", sentence.address);
                weird(context, "nmea_checksum", &self.text, out);
                return out.mark(Mark::Malformed("checksum does not fit"));
            }
            Checksum::Absent => {
                if self.claims.first(("no checksum", sentence.address)) {
                    self.text.clear();
                    let _ = write!(self.text, "{} without checksum", sentence.address);
                    weird(context, "nmea_no_checksum", &self.text, out);
                }
            }
        }
        self.announce(context, sentence, out);
        let of_ais = sentence.parts().is_some_and(|(_, formatter)| matches!(formatter, "VDM" | "VDO"));
        self.spoke = (self.spoke.0 | of_ais, self.spoke.1 | !of_ais);
        let Some((talker, formatter)) = sentence.parts() else {
            return self.proprietary(context, sentence, out);
        };
        if let Some(device) = names::talker(talker.as_bytes()) {
            self.claim(context, Attribute::Capability, device, "nmea talker", out);
        }
        match (fix::read(formatter, sentence.fields()), formatter) {
            (Some(fix), _) => {
                self.useful = true;
                self.fix(context, sentence, formatter, &fix, out);
            }
            (None, "VER") => self.version(context, sentence, out),
            (None, "TXT") => {
                if let Some(text) = sentence.fields().nth(3) {
                    self.claim(context, Attribute::Software, text, "nmea txt", out);
                }
            }
            (None, "VDM" | "VDO") => match self.ais.sentence(context, sentence, &mut self.claims, out) {
                Gave::Read => self.useful = true,
                Gave::Named => self.idle = true,
            },
            (None, _) if names::formatter(formatter.as_bytes()).is_empty() => {
                out.mark(Mark::Undecoded("sentence not known"));
            }
            (None, _) => self.idle = true,
        }
    }

    /// Each kind of sentence once a flow, as the cyclic operation it is.
    fn announce(&mut self, context: &Context, sentence: &Sentence<'_>, out: &mut dyn Sink) {
        if !self.claims.first(("sentence", context.sender, sentence.address)) {
            return;
        }
        let formatter = sentence.parts().map_or("", |(_, formatter)| names::formatter(formatter.as_bytes()));
        let name = match formatter {
            "" if sentence.is_proprietary() => "proprietary sentence",
            "" => "sentence",
            known => known,
        };
        out.emit(
            context.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: context.receiver,
                server: context.sender,
                unit: None,
                code: 0,
                name,
                class: OperationClass::Cyclic,
                object: sentence.address,
                quantity: None,
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(context.at.frame),
                detail: "",
            }),
        );
    }

    fn fix(&mut self, context: &Context, sentence: &Sentence<'_>, formatter: &str, fix: &Fix, out: &mut dyn Sink) {
        if fix.broken {
            self.text.clear();
            let _ = write!(self.text, "{} has a field that it must not have", sentence.address);
            weird(context, "nmea_field", &self.text, out);
            out.mark(Mark::Malformed("field is not readable"));
        }
        if let Some(time) = fix.time.filter(|_| fix.time_valid) {
            let method = if formatter == "ZDA" { "nmea zda" } else { "nmea rmc" };
            self.clock = tell_clock(context, time, self.clock, method, out);
        }
        if formatter == "ZDA" {
            return;
        }
        out.emit(
            context.at,
            Observation::Position(Position {
                receiver: context.sender,
                protocol: PROTOCOL,
                sentence: sentence.address,
                latitude: fix.latitude,
                longitude: fix.longitude,
                quality: fix.quality,
                satellites: fix.satellites,
                hdop: fix.hdop,
                speed: fix.speed,
                receiver_time: fix.time,
            }),
        );
    }

    /// VER: the device says who it is (IEC 61162-1 section 8.3.98).
    fn version(&mut self, context: &Context, sentence: &Sentence<'_>, out: &mut dyn Sink) {
        const CLAIMS: [(usize, Attribute, &str); 5] = [
            (3, Attribute::Vendor, "nmea ver vendor"),
            (5, Attribute::Serial, "nmea ver serial number"),
            (6, Attribute::Model, "nmea ver model code"),
            (7, Attribute::Firmware, "nmea ver software revision"),
            (8, Attribute::Hardware, "nmea ver hardware revision"),
        ];
        for (field, attribute, method) in CLAIMS {
            if let Some(value) = sentence.fields().nth(field) {
                self.claim(context, attribute, value, method, out);
            }
        }
    }

    /// Proprietary sentences name their maker in the three letters behind the `P`.
    fn proprietary(&mut self, context: &Context, sentence: &Sentence<'_>, out: &mut dyn Sink) {
        if let Some(maker) = sentence.address.as_bytes().get(1..4).and_then(names::manufacturer) {
            self.claim(context, Attribute::Vendor, maker, "nmea manufacturer mnemonic", out);
        }
        if sentence.address == "PGRMT"
            && let Some(product) = sentence.fields().next()
        {
            self.claim(context, Attribute::Software, product, "nmea pgrmt", out);
        }
        out.mark(Mark::Undecoded("proprietary sentence"));
    }

    fn claim(
        &mut self,
        context: &Context,
        attribute: Attribute,
        value: &str,
        method: &'static str,
        out: &mut dyn Sink,
    ) {
        let subject = context.sender.address;
        self.claims.identity(out, context.at, Identity { subject, attribute, value, method });
    }
}

/// Time of a tag block: seconds or milliseconds since 1970 (IEC 61162-450 section 7.2.3.5).
fn unix_time(text: &str) -> Option<Timestamp> {
    let value: i64 = text.parse().ok().filter(|value| *value >= 0)?;
    // Seconds pass this in the year 5138, milliseconds passed it in 1973.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let nanos = if value < MILLISECONDS_FROM { Timestamp::SECOND } else { Timestamp::SECOND / 1_000 };
    value.checked_mul(nanos).map(Timestamp)
}

/// Emits a clock reading unless it would say again what was `told`; returns what is told now.
fn tell_clock(
    context: &Context,
    device_time: Timestamp,
    told: Option<(i64, Timestamp)>,
    method: &'static str,
    out: &mut dyn Sink,
) -> Option<(i64, Timestamp)> {
    let now = context.at.ts;
    let skew = device_time.since(now);
    if let Some((last_skew, last)) = told
        && skew.saturating_sub(last_skew).saturating_abs() < CLOCK_STEP
        && now.since(last) < CLOCK_INTERVAL
    {
        return told;
    }
    out.emit(context.at, Observation::Clock(Clock { subject: context.sender.address, method, device_time, skew }));
    Some((skew, now))
}
