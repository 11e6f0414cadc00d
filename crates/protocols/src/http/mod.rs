//! HTTP/1.x (RFC 9110, RFC 9112): web pages of devices, web services of terminal operating systems.
//!
//! Requests and answers are paired in order. Bodies are read over, but for forms, JSON and SOAP documents of requests, which
//! may be logins, for commands to cameras, told as `onvif` with their answers, for EDI interchanges, and for what is said to a
//! terminal operating system, told as `navis`.

mod analyzer;
pub(crate) mod auth;
pub(crate) mod base64;
pub(crate) mod body;
mod date;
mod exchange;
mod form;
pub(crate) mod head;
mod onvif;
mod onvif_names;
#[cfg(test)]
mod onvif_tests;
mod reader;
mod soap;
mod terminal;
#[cfg(test)]
mod tests;
mod winrm;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

pub use self::winrm::Winrm;

/// The protocol `http`.
pub struct Http;

static META: ProtocolMeta = ProtocolMeta {
    name: "http",
    title: "HTTP",
    tcp: &[80, 8080, 8000, 8008, 8081, 8088, 3128],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 9110, RFC 9112, RFC 7617, RFC 7616, RFC 6750, MS-NTHT",
    found: "web pages of controllers, drives, switches and cameras; terminal operating system services",
    depth: Depth::Partial,
    purpose: Purpose::General,
    scope: "Requests with their answers, software, clock, logins by Basic, Digest, Bearer, NTLM, forms, JSON and \
            WS-Security; ONVIF; operations of Navis N4, launch files of Java Web Start; EDI interchanges. Other bodies of \
            answers, WebSocket and tunnels are not read; HTTP/2 is named only.",
};

impl Protocol for Http {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Tcp { probe(pdu.data) } else { Probe::No }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::HttpAnalyzer::default())
    }
}

/// The opening of HTTP/2 with prior knowledge (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Methods of RFC 9110, RFC 5789, WebDAV and what devices use besides.
const METHODS: &[&str] = &[
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "POLL",
    "BPROPPATCH",
    "BCOPY",
    "BDELETE",
    "BMOVE",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
    "SOURCE",
    "NOTIFY",
    "M-POST",
    "CCM_POST",
    "BITS_POST",
];

/// Longest request line that is looked through for its version.
const MAX_LINE: usize = 4096;

/// Whether these are the first bytes of a request or an answer.
fn probe(bytes: &[u8]) -> Probe {
    // NTRIP borrows heads and has an analyzer of its own.
    if crate::ntrip::is_ntrip(bytes) {
        return Probe::No;
    }
    if let Some(rest) = bytes.strip_prefix(b"HTTP/1.") {
        return match rest {
            [b'0' | b'1', b' ', a, b, c, ..] if [a, b, c].iter().all(|d| d.is_ascii_digit()) => Probe::YesFromServer,
            [_, _, _, _, _, ..] => Probe::No,
            _ => Probe::Unsure,
        };
    }
    // Radio stations; what is of NTRIP was passed on.
    if bytes.starts_with(b"ICY 200 ") {
        return Probe::YesFromServer;
    }
    if bytes.starts_with(HTTP2_PREFACE) {
        return Probe::Yes;
    }
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let Some(blank) = bytes.iter().take(24).position(|b| *b == b' ') else {
        let begins = !bytes.is_empty() && METHODS.iter().any(|method| method.as_bytes().starts_with(bytes));
        return if begins { Probe::Unsure } else { Probe::No };
    };
    let method = bytes.get(..blank).unwrap_or_default();
    let known = METHODS.iter().any(|known| known.as_bytes() == method);
    let line = bytes.get(..bytes.len().min(MAX_LINE)).unwrap_or(bytes);
    match line.iter().position(|b| *b == b'\n') {
        Some(end) => {
            let line = line.get(..end).unwrap_or(line).trim_ascii_end();
            let versioned = line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0");
            let method_like = known || method.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'));
            if versioned && method_like { Probe::Yes } else { Probe::No }
        }
        // The line goes on: a long target, or the piece ends within it.
        None if known && line.iter().all(|b| (0x20..0x7f).contains(b) || *b >= 0x80 || *b == b'\r') => Probe::Unsure,
        None => Probe::No,
    }
}
