//! Captures written byte by byte, cut, damaged, packed, merged; and the shared captures against tshark.

mod build;
mod packed;
mod pcap;
mod pcapng;
mod run;
mod shared;

use quaywatch_model::SourceId;

use super::{CaptureFacts, from_bytes};
use crate::packet::{CaptureError, PacketSource};

/// A packet, kept.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Kept {
    nanos: i64,
    frame: u64,
    interface: u32,
    link: u32,
    wire_length: u32,
    data: Vec<u8>,
}

/// Reads a capture to its end or error.
fn read(bytes: Vec<u8>) -> (Vec<Kept>, CaptureFacts, Option<CaptureError>) {
    let mut source = match from_bytes(bytes, SourceId(7)) {
        Ok(source) => source,
        Err(error) => return (Vec::new(), CaptureFacts::default(), Some(error)),
    };
    let (kept, error) = drain(&mut source);
    assert_eq!(source.next().map(|packet| packet.is_some()), Ok(false), "nothing comes after the end");
    (kept, source.facts().clone(), error)
}

fn drain(source: &mut impl PacketSource) -> (Vec<Kept>, Option<CaptureError>) {
    let mut kept = Vec::new();
    loop {
        match source.next() {
            Ok(Some(p)) => kept.push(Kept {
                nanos: p.ts.0,
                frame: p.frame,
                interface: p.interface,
                link: p.link.0,
                wire_length: p.wire_length,
                data: p.data.to_vec(),
            }),
            Ok(None) => return (kept, None),
            Err(error) => return (kept, Some(error)),
        }
    }
}
