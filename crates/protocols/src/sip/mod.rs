//! SIP (RFC 3261): registrations and calls of telephones, intercoms and loudspeakers. The media themselves are not followed.

mod address;
mod analyzer;
mod asked;
mod description;
mod login;
mod message;
mod software;
mod stream;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct Sip;

static META: ProtocolMeta = ProtocolMeta {
    name: "sip",
    title: "SIP",
    tcp: &[5060],
    udp: &[5060],
    ethertypes: &[],
    spec: "RFC 3261, RFC 3581, RFC 5626, RFC 6665, RFC 8866",
    found: "telephones, intercoms and loudspeakers on cranes and at gates, exchanges, alarm diallers",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Every request with its final answer, who calls whom, software, logins and registrations; of session descriptions \
            media, ports and codecs. Media, compressed messages and SIP in WebSocket are not read.",
};

impl Protocol for Sip {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp => recognise(pdu.data),
            // A datagram is a whole message: what could only become one is none.
            Transport::Udp => match recognise(pdu.data) {
                Probe::Unsure => Probe::No,
                told => told,
            },
            _ => Probe::No,
        }
    }

    fn open(&self, flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::SipAnalyzer::new(flow.transport))
    }
}

/// Longest first line that is looked through for its version.
const MAX_LINE: usize = 4096;
/// What every first line ends or begins with (RFC 3261 section 7).
const VERSION: &[u8] = b"SIP/2.0";

/// Whether these are the first bytes of a request or an answer: the first line names the protocol and its version.
fn recognise(data: &[u8]) -> Probe {
    if let Some(rest) = data.strip_prefix(VERSION) {
        return match rest {
            [b' ', a, b, c, b' ' | b'\r' | b'\n', ..] if [a, b, c].iter().all(|d| d.is_ascii_digit()) => {
                Probe::YesFromServer
            }
            [] | [b' '] | [b' ', _] | [b' ', _, _] | [b' ', _, _, _] => Probe::Unsure,
            _ => Probe::No,
        };
    }
    let line = data.get(..data.len().min(MAX_LINE)).unwrap_or(data);
    let blank = line.iter().position(|b| *b == b' ');
    let method = line.get(..blank.unwrap_or(line.len())).unwrap_or_default();
    let known = |method: &[u8]| message::METHODS.iter().any(|(name, _)| name.as_bytes() == method);
    match line.iter().position(|b| *b == b'\n') {
        Some(end) => {
            let line = line.get(..end).unwrap_or(line).trim_ascii_end();
            let before = line.strip_suffix(VERSION).and_then(|line| line.strip_suffix(b" ")).unwrap_or_default();
            let target = before.get(method.len()..).unwrap_or_default();
            let capitals = !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
            let ours = capitals && target.len() > 1 && (known(method) || target.contains(&b':'));
            if ours { Probe::Yes } else { Probe::No }
        }
        // The line goes on in the next piece.
        None if blank.is_some() => {
            let target = line.get(method.len()..).unwrap_or_default();
            let ours = known(method) && [&b" sip:"[..], b" sips:"].iter().any(|s| target.starts_with(s));
            if ours { Probe::Unsure } else { Probe::No }
        }
        None => {
            let begins = message::METHODS.iter().any(|(name, _)| name.as_bytes().starts_with(line));
            if line.len() >= 3 && (begins || VERSION.starts_with(line)) { Probe::Unsure } else { Probe::No }
        }
    }
}
