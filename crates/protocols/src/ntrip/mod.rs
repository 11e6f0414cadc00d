//! NTRIP 1.0 and 2.0 (RTCM 10410.1): casters hand corrections of reference stations to whoever logs in, over TCP.
//!
//! Heads are those of HTTP, or nearly so; behind them flow corrections ([`rtcm`](crate::rtcm)), and positions of the rover
//! ([`nmea`](crate::nmea)) the other way. Passwords cross the wire readable.

mod session;
mod source_table;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use self::session::NtripFlow;
use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ntrip";

/// The registry entry.
pub struct Ntrip;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "NTRIP",
    tcp: &[2101],
    udp: &[],
    ethertypes: &[],
    spec: "RTCM 10410.0 (NTRIP 1.0), RTCM 10410.1 (NTRIP 2.0)",
    found: "receivers of straddle carriers, RTGs and AGVs that fetch corrections; reference stations that deliver them; casters",
    depth: Depth::Full,
    purpose: Purpose::Field,
    scope: "Requests, logins of clients and sources, source tables; the corrections behind them as rtcm, positions of rovers as nmea. \
            NTRIP over UDP and RTSP is not read.",
};

impl Protocol for Ntrip {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Tcp { probe(pdu.data) } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(NtripFlow::default())
    }
}

fn probe(bytes: &[u8]) -> Probe {
    match (is_ntrip(bytes), bytes) {
        (true, [b'I', ..] | [b'S', b'O', b'U', b'R', b'C', b'E', b'T', ..]) => Probe::YesFromServer,
        (true, _) => Probe::Yes,
        // A login of a source whose head goes on; Icecast has a path and a version there.
        (false, [b'S', b'O', b'U', b'R', b'C', b'E', b' ', ..]) if is_source(first_line(bytes)) => Probe::Unsure,
        _ => Probe::No,
    }
}

/// Whether a head says that it is of NTRIP.
pub(crate) fn is_ntrip(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"ICY 200 OK\r\n") {
        // Radio stations answer so too, and go on with fields of their own.
        return !bytes.windows(5).any(|part| part == b"\nicy-");
    }
    if bytes.starts_with(b"SOURCETABLE 200 OK") {
        return true;
    }
    let agent = |name| field(bytes, name).is_some_and(|agent| starts_like(agent, b"ntrip"));
    if bytes.starts_with(b"SOURCE ") {
        return is_source(first_line(bytes)) && agent("source-agent");
    }
    let request = bytes.starts_with(b"GET ") || bytes.starts_with(b"POST ");
    request && (agent("user-agent") || field(bytes, "ntrip-version").is_some())
}

/// Whether a line is `SOURCE password mountpoint`.
fn is_source(line: &[u8]) -> bool {
    let words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
    let printable = line.iter().all(|byte| (0x20..0x7f).contains(byte));
    // The password may be empty.
    printable && (2..=3).contains(&words) && !line.windows(6).any(|part| part == b" HTTP/")
}

/// The first line of a head without its end.
fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end()
}

fn starts_like(text: &[u8], wanted: &[u8]) -> bool {
    text.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}

/// The value of a header field.
fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    // The body may follow: fields end at the first line without content.
    let lines = head.split(|byte| *byte == b'\n').skip(1).take_while(|line| !line.trim_ascii().is_empty());
    lines.filter(|line| starts_like(line, name.as_bytes())).find_map(|line| {
        let rest = line.get(name.len()..)?.trim_ascii_start();
        rest.strip_prefix(b":").map(<[u8]>::trim_ascii)
    })
}
