//! Any bytes as a capture file, through the link layers, the flow table and every probe.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quaywatch_fuzz::Strict;
use quaywatch_model::{SegmentId, SourceId};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::PacketSource as _;
use quaywatch_wire::capture::from_bytes;

fuzz_target!(|data: &[u8]| {
    let Ok(mut source) = from_bytes(data.to_vec(), SourceId(0)) else { return };
    let mut engine = Engine::new(PROTOCOLS, Options::default());
    while let Ok(Some(packet)) = source.next() {
        engine.packet(&packet, SegmentId(0), &mut Strict);
    }
    engine.finish(&mut Strict);
});
