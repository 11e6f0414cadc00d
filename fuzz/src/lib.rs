//! What the fuzz targets share: a conversation as bytes, a sink that holds rows to their limits, and the parser's choice.

use quaywatch_model::{At, Direction, Observation, RowSink, Sink};
use quaywatch_protocols::{PROTOCOLS, Protocol};

/// Names the protocol or document kind under test.
pub const CHOICE: &str = "QUAYWATCH_FUZZ";

/// Longest text of one row. What is on the wire must not grow without bound in a row.
const LONGEST_ROW: usize = 1 << 20;

/// The name under test.
///
/// # Panics
/// The environment names none: `fuzz/run` sets it.
#[must_use]
pub fn choice() -> String {
    std::env::var(CHOICE).expect("set by fuzz/run: the name of a protocol or document kind")
}

/// The protocol of this name.
///
/// # Panics
/// There is none.
#[must_use]
pub fn protocol(name: &str) -> &'static dyn Protocol {
    *PROTOCOLS.iter().find(|protocol| protocol.meta().name == name).expect("a name that `quaywatch protocols` lists")
}

/// A conversation as bytes: for each piece two bytes, of which the top bit is the direction and the rest the length.
#[must_use]
pub fn pack<'a>(pieces: impl IntoIterator<Item = (Direction, &'a [u8])>) -> Vec<u8> {
    let mut packed = Vec::new();
    for (direction, data) in pieces {
        let data = data.get(..0x7fff).unwrap_or(data);
        let from_server = u16::from(direction == Direction::FromServer) << 15;
        packed.extend((u16::try_from(data.len()).unwrap_or(0) | from_server).to_le_bytes());
        packed.extend(data);
    }
    packed
}

/// The pieces in any bytes; a piece that is cut short is as long as what is left.
pub fn unpack(mut packed: &[u8]) -> impl Iterator<Item = (Direction, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = packed.split_first_chunk::<2>()?;
        let head = u16::from_le_bytes(*head);
        let direction = if head & 0x8000 == 0 { Direction::FromClient } else { Direction::FromServer };
        let (data, rest) = rest.split_at(usize::from(head & 0x7fff).min(rest.len()));
        packed = rest;
        Some((direction, data))
    })
}

/// Looks at every row: none may be boundless, and `detail` is JSON.
pub struct Strict;

impl Sink for Strict {
    fn emit(&mut self, _: At, observation: Observation<'_>) {
        let detail = match &observation {
            Observation::Operation(row) => row.detail,
            Observation::Session(row) => row.detail,
            _ => "",
        };
        assert!(detail.is_empty() || detail.starts_with('{') && detail.ends_with('}'), "detail is no object: {detail}");
        assert!(detail.len() < LONGEST_ROW, "a detail of {} bytes", detail.len());
    }
}

impl RowSink for Strict {
    fn row(&mut self, _: At, row: quaywatch_model::DocumentRow<'_>) {
        std::hint::black_box(&row);
    }
}
