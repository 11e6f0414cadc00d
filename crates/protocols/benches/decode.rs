//! What each protocol costs to decode: nanoseconds a piece (a datagram, a frame or a TCP segment), over the shared captures.
//!
//! `cargo bench -p quaywatch-protocols` prints a table; `-- modbus dnp3` limits it. Nothing is written: the sink drops all rows.

#![allow(clippy::print_stdout, reason = "the table is the result")]

use std::path::Path;
use std::time::Instant;

use quaywatch_model::{At, Observation, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::recording::{Conversation, conversations, replay};

/// Runs over all conversations of a protocol; the middle one counts.
const RUNS: usize = 9;
/// A run lasts at least this long, so that the clock's grain does not show.
const LEAST_NS: u128 = 2_000_000;

struct Deaf;

impl Sink for Deaf {
    fn emit(&mut self, _: At, observation: Observation<'_>) {
        std::hint::black_box(&observation);
    }
}

fn main() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/terminal/captures");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let all = conversations(&[shared, lab]);
    println!("{:<18} {:>7} {:>9} {:>10} {:>9} {:>8}", "protocol", "flows", "pieces", "bytes", "ns/piece", "MB/s");
    for (place, protocol) in PROTOCOLS.iter().enumerate() {
        let name = protocol.meta().name;
        let mine: Vec<&Conversation> = all.iter().filter(|heard| heard.protocol == place).collect();
        if mine.is_empty() || !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        let pieces: usize = mine.iter().map(|heard| heard.pieces.len()).sum();
        let bytes: usize = mine.iter().flat_map(|heard| &heard.pieces).map(|(_, _, data)| data.len()).sum();
        let ns = median(&mine);
        let per_piece = ns / pieces.max(1) as f64;
        println!(
            "{name:<18} {:>7} {pieces:>9} {bytes:>10} {per_piece:>9.0} {:>8.0}",
            mine.len(),
            bytes as f64 * 1e3 / ns
        );
    }
}

/// Nanoseconds that one pass over the conversations takes.
fn median(mine: &[&Conversation]) -> f64 {
    let mut runs: Vec<f64> = (0..RUNS).map(|_| one_run(mine)).collect();
    runs.sort_by(f64::total_cmp);
    runs.get(RUNS / 2).copied().unwrap_or_default()
}

fn one_run(mine: &[&Conversation]) -> f64 {
    let (start, mut passes) = (Instant::now(), 0u32);
    while start.elapsed().as_nanos() < LEAST_NS {
        for conversation in mine {
            replay(conversation, &mut Deaf);
        }
        passes += 1;
    }
    start.elapsed().as_nanos() as f64 / f64::from(passes)
}
