//! What unrecognised traffic looks like: bytes, sizes and rhythm of the first pieces of a flow, in bounded memory.

use std::fmt::Write as _;

use quaywatch_model::{At, Direction, Observation, Sink, Timestamp, Unrecognised};
use quaywatch_wire::{Flow, Pdu};

/// Bytes of one direction whose values are counted.
const SAMPLED_BYTES: u16 = 4096;
/// Pieces of one direction whose sizes and times are kept.
const SAMPLED_PIECES: usize = 64;
/// Bytes of the common beginning that are kept.
const PREFIX: usize = 8;
/// Directions of flows sampled at once (about 1 KiB each); beyond them rows have counts only.
const MAX_SAMPLES: usize = 32 * 1024;
/// Fewer bytes than this say nothing of their content.
const MIN_BYTES: u16 = 64;
/// Fewer bytes than this cannot be told to be random.
const MIN_RANDOM_BYTES: u16 = 256;
/// Fewer intervals than this have no rhythm.
const MIN_INTERVALS: usize = 4;
/// Share of printable bytes from which content is called text.
const TEXT_SHARE: f64 = 0.9;
/// Share of even intervals from which pieces are called periodic.
const PERIODIC_SHARE: f64 = 0.8;

/// How many samples are held over all flows.
#[derive(Default)]
pub(super) struct Samples {
    held: usize,
}

/// The profile of one flow.
#[derive(Default)]
pub(super) struct Profile {
    from_client: Side,
    from_server: Side,
}

/// One direction.
#[derive(Default)]
struct Side {
    first: Option<At>,
    pieces: u64,
    bytes: u64,
    sample: Option<Box<Sample>>,
}

struct Sample {
    /// How often each byte value came.
    histogram: [u16; 256],
    bytes: u16,
    sizes: Vec<u32>,
    times: Vec<Timestamp>,
    prefix: [u8; PREFIX],
    prefix_length: usize,
}

impl Profile {
    /// Counts a piece that nobody recognised.
    pub(super) fn add(&mut self, pdu: &Pdu<'_>, samples: &mut Samples) {
        self.add_piece(&pdu.at, pdu.direction, pdu.data, samples);
    }

    /// As [`Profile::add`], of a piece that was held back.
    pub(super) fn add_piece(&mut self, at: &At, direction: Direction, data: &[u8], samples: &mut Samples) {
        let side = match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        };
        if side.first.is_none() {
            side.first = Some(*at);
            if samples.held < MAX_SAMPLES {
                samples.held += 1;
                side.sample = Some(Box::new(Sample::new(data)));
            }
        }
        side.pieces += 1;
        side.bytes += data.len() as u64;
        if let Some(sample) = &mut side.sample {
            sample.add(at.ts, data);
        }
    }

    /// Gives its share of the memory back.
    pub(super) fn release(&self, samples: &mut Samples) {
        let held = [&self.from_client, &self.from_server].into_iter().filter(|side| side.sample.is_some()).count();
        samples.held = samples.held.saturating_sub(held);
    }

    /// Emits a row for each direction that carried something.
    pub(super) fn emit(&self, flow: &Flow, guess: &str, out: &mut dyn Sink) {
        for (direction, side) in
            [(Direction::FromClient, &self.from_client), (Direction::FromServer, &self.from_server)]
        {
            let Some(at) = side.first else { continue };
            let seen = side.sample.as_deref().map(Seen::of).unwrap_or_default();
            out.emit(
                At { uid: flow.uid, ..at },
                Observation::Unrecognised(Unrecognised {
                    client: flow.client,
                    server: flow.server,
                    direction,
                    transport: flow.transport,
                    guess,
                    pieces: side.pieces,
                    bytes: side.bytes,
                    content: seen.content,
                    rhythm: seen.rhythm,
                    entropy: seen.entropy,
                    printable: seen.printable,
                    size_min: seen.sizes.map(|[min, _, _]| min),
                    size_median: seen.sizes.map(|[_, median, _]| median),
                    size_max: seen.sizes.map(|[_, _, max]| max),
                    period: seen.period,
                    regularity: seen.regularity,
                    prefix: &seen.prefix,
                }),
            );
        }
    }
}

impl Sample {
    fn new(first: &[u8]) -> Self {
        let mut prefix = [0; PREFIX];
        let prefix_length = first.len().min(PREFIX);
        prefix.iter_mut().zip(first).for_each(|(kept, byte)| *kept = *byte);
        Sample {
            histogram: [0; 256],
            bytes: 0,
            sizes: Vec::with_capacity(SAMPLED_PIECES),
            times: Vec::with_capacity(SAMPLED_PIECES),
            prefix,
            prefix_length,
        }
    }

    fn add(&mut self, ts: Timestamp, data: &[u8]) {
        let common = self.prefix.iter().take(self.prefix_length).zip(data).take_while(|(kept, byte)| kept == byte);
        self.prefix_length = common.count();
        if self.sizes.len() < SAMPLED_PIECES {
            self.sizes.push(u32::try_from(data.len()).unwrap_or(u32::MAX));
            self.times.push(ts);
        }
        for byte in data.iter().take(usize::from(SAMPLED_BYTES - self.bytes)) {
            if let Some(count) = self.histogram.get_mut(usize::from(*byte)) {
                *count += 1;
            }
            self.bytes += 1;
        }
    }

    /// Shannon entropy, bits per byte.
    fn entropy(&self) -> f64 {
        let all = f64::from(self.bytes);
        let share = |count: &u16| f64::from(*count) / all;
        self.histogram.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
    }

    fn printable(&self) -> f64 {
        let text = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        let count: u32 =
            (0..=u8::MAX).zip(&self.histogram).filter(|(byte, _)| text(*byte)).map(|(_, n)| u32::from(*n)).sum();
        f64::from(count) / f64::from(self.bytes)
    }

    /// Whether the bytes are as even as random ones. Of n random bytes the entropy is about 255 / (2 n ln 2) short of 8
    /// (Miller 1955); half a bit is left for headers in clear.
    fn random(&self, entropy: f64) -> bool {
        let expected = 8.0 - 255.0 / (2.0 * f64::from(self.bytes) * std::f64::consts::LN_2);
        self.bytes >= MIN_RANDOM_BYTES && entropy > expected - 0.5
    }

    /// Intervals between pieces in nanoseconds, sorted.
    fn intervals(&self) -> Vec<i64> {
        let mut intervals: Vec<i64> =
            self.times.iter().zip(self.times.iter().skip(1)).map(|(earlier, later)| later.since(*earlier)).collect();
        intervals.sort_unstable();
        intervals
    }
}

/// What a sample shows.
#[derive(Default)]
struct Seen {
    content: &'static str,
    rhythm: &'static str,
    entropy: Option<f64>,
    printable: Option<f64>,
    /// Least, median, greatest.
    sizes: Option<[u32; 3]>,
    period: Option<i64>,
    regularity: Option<f64>,
    prefix: String,
}

impl Seen {
    fn of(sample: &Sample) -> Self {
        let mut seen = Seen::default();
        if sample.bytes > 0 {
            let (entropy, printable) = (sample.entropy(), sample.printable());
            (seen.entropy, seen.printable) = (Some(entropy), Some(printable));
            seen.content = match () {
                () if sample.bytes < MIN_BYTES => "",
                () if printable >= TEXT_SHARE => "text",
                () if sample.random(entropy) => "random",
                () => "binary",
            };
        }
        let mut sizes = sample.sizes.clone();
        sizes.sort_unstable();
        if let (Some(min), Some(median), Some(max)) = (sizes.first(), sizes.get(sizes.len() / 2), sizes.last()) {
            seen.sizes = Some([*min, *median, *max]);
        }
        let intervals = sample.intervals();
        if let Some(median) = intervals.get(intervals.len() / 2) {
            seen.period = Some(*median);
            if intervals.len() >= MIN_INTERVALS {
                let even = intervals.iter().filter(|interval| (*interval - median).abs() <= median / 10).count();
                #[expect(clippy::cast_precision_loss, reason = "at most 64")]
                let share = even as f64 / intervals.len() as f64;
                seen.regularity = Some(share);
                seen.rhythm = if *median > 0 && share >= PERIODIC_SHARE { "periodic" } else { "irregular" };
            }
        }
        let prefix = sample.prefix.get(..sample.prefix_length).unwrap_or_default();
        // Readable bytes may be a password that was sent twice, so a beginning is told only if it cannot be read.
        if sample.sizes.len() > 1 && prefix.iter().any(|byte| !byte.is_ascii_graphic() && *byte != b' ') {
            for byte in prefix {
                let _ = write!(seen.prefix, "{byte:02x}");
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use quaywatch_model::Transport;

    use super::*;
    use crate::testing::{Recorder, flow, pdu};

    /// Rows of a flow whose client sends these pieces, one each millisecond.
    fn rows(pieces: &[Vec<u8>]) -> Vec<serde_json::Value> {
        let flow = flow(Transport::Udp, 4000);
        let (mut profile, mut samples) = (Profile::default(), Samples::default());
        for (index, piece) in (0..).zip(pieces) {
            profile.add(&pdu(&flow, index, Direction::FromClient, piece), &mut samples);
        }
        let mut recorder = Recorder::default();
        profile.emit(&flow, "udp", &mut recorder);
        profile.release(&mut samples);
        assert_eq!(samples.held, 0, "the memory is given back");
        recorder.of("unrecognised")
    }

    /// The middle bytes of a linear congruential generator (Knuth, MMIX): even enough.
    fn noise(length: usize) -> Vec<u8> {
        let mut state: u64 = 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[1]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn cyclic_process_data_is_binary_and_periodic_with_its_header_told() {
        let pieces: Vec<Vec<u8>> =
            (0..20u8).map(|n| [&[0xca, 0xfe, 0, 1, n][..], &[0; 27], &[n; 4]].concat()).collect();
        let rows = rows(&pieces);
        assert_eq!(rows.len(), 1, "a row for the direction that sent");
        let row = &rows[0];
        assert_eq!(
            (&row["content"], &row["rhythm"], &row["prefix"]),
            (&"binary".into(), &"periodic".into(), &"cafe0001".into())
        );
        assert_eq!((&row["pieces"], &row["bytes"], &row["size_median"]), (&20.into(), &720.into(), &36.into()));
        assert_eq!(row["period"], 1_000_000);
    }

    #[test]
    fn ciphertext_text_and_little_are_told_apart() {
        let content = |pieces: &[Vec<u8>]| rows(pieces)[0]["content"].as_str().unwrap().to_owned();
        assert_eq!(content(&[noise(256)]), "random");
        assert_eq!(content(&[noise(4096)]), "random");
        assert_eq!(content(&[[vec![0; 30], noise(1000)].concat()]), "random", "a header in clear does not hide it");
        assert_eq!(content(&[b"GET STATUS crane=3 spreader=locked\r\n".repeat(3)]), "text");
        assert_eq!(content(&[b"OK".to_vec()]), "");
        assert_eq!(rows(&[vec![1, 2, 3]])[0]["prefix"], "", "one piece has nothing in common with others");
        let twice = rows(&[b"secret01".to_vec(), b"secret01".to_vec()]);
        assert_eq!(twice[0]["prefix"], "", "what can be read is not kept");
    }

    #[test]
    fn uneven_times_are_irregular_and_few_have_no_rhythm() {
        let flow = flow(Transport::Udp, 4000);
        let (mut profile, mut samples) = (Profile::default(), Samples::default());
        for index in [0, 1, 7, 8, 30, 100] {
            profile.add(&pdu(&flow, index, Direction::FromServer, b"x"), &mut samples);
        }
        let mut recorder = Recorder::default();
        profile.emit(&flow, "", &mut recorder);
        assert_eq!(recorder.of("unrecognised")[0]["rhythm"], "irregular");
        assert_eq!(rows(&[vec![1], vec![1]])[0]["rhythm"], "");
    }

    #[test]
    fn samples_are_bounded_and_counts_go_on() {
        let flow = flow(Transport::Udp, 4000);
        let mut samples = Samples { held: MAX_SAMPLES };
        let mut profile = Profile::default();
        profile.add(&pdu(&flow, 0, Direction::FromClient, b"abc"), &mut samples);
        let mut recorder = Recorder::default();
        profile.emit(&flow, "", &mut recorder);
        let row = &recorder.of("unrecognised")[0];
        assert_eq!((&row["bytes"], &row["entropy"]), (&3.into(), &serde_json::Value::Null));
    }
}
