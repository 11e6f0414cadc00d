//! FTP (RFC 959, RFC 2228, RFC 2428, RFC 4217): the control connection. Data connections are flows of their own.

mod analyzer;
mod data;
mod reply;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

pub use data::FtpData;

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol `ftp`.
pub struct Ftp;

static META: ProtocolMeta = ProtocolMeta {
    name: "ftp",
    title: "FTP",
    tcp: &[21, 2121],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 959, RFC 1123, RFC 2228, RFC 2428, RFC 4217",
    found: "files of controllers, drives and HMIs; EDIFACT messages of terminal operating systems",
    depth: Depth::Partial,
    purpose: Purpose::General,
    scope: "Commands with their final replies, logins and their outcome, software and system. Data connections \
            are told as ftp-data; after AUTH the TLS handshake is read as tls.",
};

impl Protocol for Ftp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let (client, server) = (pdu.flow.client.port, pdu.flow.server.port);
        match probe(pdu.data) {
            // A whole line that others could have said too: on the usual port it is FTP's, however few lines follow.
            Probe::Unsure if pdu.data.ends_with(b"\n") && (client == 21 || server == 21) => {
                let reply = pdu.data.first().is_some_and(u8::is_ascii_digit);
                if reply { Probe::YesFromServer } else { Probe::Yes }
            }
            answer => answer,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::FtpAnalyzer::default())
    }
}

/// Commands that no other protocol of text lines has, as whole lines.
const OWN_COMMANDS: &[&str] =
    &["PASV", "EPSV", "EPSV ALL", "SYST", "TYPE A", "TYPE I", "TYPE A N", "CDUP", "PWD", "XPWD", "FEAT"];
/// Openings of commands that no other has.
const OWN_OPENINGS: &[&str] = &["PORT ", "EPRT |", "CWD ", "MLSD", "NLST", "AUTH TLS", "AUTH SSL", "OPTS UTF8"];
/// Openings of commands that others have too (POP3, IMAP, IRC).
const SHARED_OPENINGS: &[&str] =
    &["USER ", "PASS ", "ACCT ", "QUIT", "RETR ", "STOR ", "LIST", "HELP", "NOOP", "OPTS ", "SITE "];
/// Replies that no other protocol has in these words.
const OWN_REPLIES: &[&str] =
    &["331 ", "230 ", "227 Entering", "229 Entering", "215 UNIX", "215 Windows", "257 \"", "530 ", "226 ", "150 "];

/// Lines that a probe looks at.
const PROBED_LINES: usize = 8;

/// The first bytes of a control connection: what the first line leaves open, one of the next ones may tell.
fn probe(bytes: &[u8]) -> Probe {
    let first = probe_line(bytes);
    if first != Probe::Unsure {
        return first;
    }
    let later = bytes.split_inclusive(|b| *b == b'\n').take(PROBED_LINES).skip(1).map(probe_line);
    later.into_iter().find(|probe| *probe != Probe::Unsure).unwrap_or(Probe::Unsure)
}

/// A line, and what follows it; a greeting is FTP's only if it says so, as mail servers greet alike.
fn probe_line(bytes: &[u8]) -> Probe {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let whole = line.len() < bytes.len();
    let Ok(line) = std::str::from_utf8(line.get(..line.len().min(512)).unwrap_or(line)) else { return Probe::No };
    let line = line.trim_end_matches('\r');
    if line.len() < 4 || line.bytes().any(|b| b < 0x20) {
        return Probe::No;
    }
    if line.starts_with("220 ") || line.starts_with("220-") {
        let upper = String::from_utf8_lossy(bytes.get(..bytes.len().min(1024)).unwrap_or(bytes)).to_ascii_uppercase();
        return if upper.contains("SMTP") {
            Probe::No
        } else if upper.contains("FTP") {
            Probe::YesFromServer
        } else {
            Probe::Unsure
        };
    }
    let upper = line.to_ascii_uppercase();
    let opens = |openings: &[&str]| openings.iter().any(|opening| upper.starts_with(opening));
    if OWN_REPLIES.iter().any(|reply| line.starts_with(reply)) {
        // NNTP and SMTP share numbers, not these; still the words tell less than a greeting does.
        let sure = ["331 ", "227 ", "229 ", "257 ", "215 "].iter().any(|reply| line.starts_with(reply));
        return if sure { Probe::YesFromServer } else { Probe::Unsure };
    }
    if !whole {
        return if opens(OWN_OPENINGS) || opens(SHARED_OPENINGS) { Probe::Unsure } else { Probe::No };
    }
    if OWN_COMMANDS.contains(&upper.as_str()) || opens(OWN_OPENINGS) {
        Probe::Yes
    } else if opens(SHARED_OPENINGS) || is_reply(line) {
        Probe::Unsure
    } else {
        Probe::No
    }
}

/// Three digits, the first of them 1 to 5, and a blank or hyphen.
fn is_reply(line: &str) -> bool {
    matches!(line.as_bytes(), [b'1'..=b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..])
}
