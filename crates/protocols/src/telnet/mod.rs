//! Telnet (RFC 854) and login dialogues in plain text: consoles of switches, serial device servers and controllers.

mod analyzer;
mod dialogue;
mod options;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol `telnet`.
pub struct Telnet;

static META: ProtocolMeta = ProtocolMeta {
    name: "telnet",
    title: "Telnet",
    tcp: &[23, 2323, 992],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 854, RFC 855, RFC 1096, RFC 1572, RFC 2941, RFC 2946",
    found: "consoles of switches, serial device servers, controllers and drives",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Option negotiation, login dialogues with their outcome, software from the text before the login. What is typed \
            besides the account name is not kept.",
};

impl Protocol for Telnet {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let usual = [pdu.flow.server.port, pdu.flow.client.port].contains(&23);
        probe(pdu.data, usual)
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::TelnetAnalyzer::default())
    }
}

/// Longest text that is searched for a login prompt at its end.
const MAX_TEXT: usize = 2048;

/// Negotiation of options is certain; text that ends in a login prompt nearly so; other text counts on the usual port only.
fn probe(bytes: &[u8], usual_port: bool) -> Probe {
    match bytes {
        [] => return Probe::No,
        [options::IAC, rest @ ..] => return negotiation(rest),
        _ => {}
    }
    let is_text = |byte: &u8| matches!(byte, b'\r' | b'\n' | b'\t' | 0x07 | 0x08 | 0x1b | 0x20..0x7f);
    let text = bytes.get(..bytes.len().min(MAX_TEXT)).unwrap_or(bytes);
    if !text.iter().all(is_text) {
        // A banner may be followed by options.
        let head = text.iter().take_while(|byte| is_text(byte)).count();
        return match text.get(head..) {
            Some([options::IAC, rest @ ..]) if usual_port => negotiation(rest),
            _ => Probe::No,
        };
    }
    let last = text.rsplit(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let prompts = bytes.len() <= MAX_TEXT && dialogue::prompt(last) == Some(dialogue::Prompt::User);
    match (prompts, usual_port) {
        (true, _) => Probe::YesFromServer,
        (false, true) => Probe::Unsure,
        (false, false) => Probe::No,
    }
}

/// What follows the first IAC: a command with an option that exists, and after it another or text.
fn negotiation(rest: &[u8]) -> Probe {
    match rest {
        [] | [251..=254] => Probe::Unsure,
        [250..=254, option, tail @ ..] if options::is_option(*option) => match tail {
            // Two byte sequences that look like one could be chance; a third byte after them is not.
            [] | [options::IAC, ..] => Probe::Yes,
            [byte, ..] if byte.is_ascii() => Probe::Yes,
            _ => Probe::No,
        },
        _ => Probe::No,
    }
}
