//! Mail: SMTP (RFC 5321), POP3 (RFC 1939) and IMAP (RFC 9051), as far as they tell who logs in where and how, and what
//! EDI interchanges messages carry.
//!
//! The three share their lines, SASL logins and what STARTTLS leads to; each has its own file for its commands and replies.
//! All else in the content of messages is passed over and never kept.

mod imap;
mod lines;
pub(crate) mod mime;
mod pop3;
mod sasl;
mod smtp;
mod talk;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};
use talk::MailAnalyzer;

/// The protocol `smtp`.
pub struct Smtp;

/// The protocol `pop3`.
pub struct Pop3;

/// The protocol `imap`.
pub struct Imap;

static SMTP_META: ProtocolMeta = ProtocolMeta {
    name: "smtp",
    title: "SMTP",
    tcp: &[25, 587, 2525],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 5321, RFC 4954, RFC 3207",
    found: "alarm mails of HMIs, power supplies, cameras and gateways; mail relays of the terminal",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Greeting, EHLO, logins with their outcome, domains of sender and recipients; EDI interchanges in bodies and \
            attachments are read as edifact, other content is not; after STARTTLS the handshake is read as tls.",
};

static POP3_META: ProtocolMeta = ProtocolMeta {
    name: "pop3",
    title: "POP3",
    tcp: &[110],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 1939, RFC 5034, RFC 2595",
    found: "mailboxes of offices, alarm gateways that poll for commands",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Greeting, logins with their outcome; EDI interchanges in messages are read as edifact, other content is not; \
            after STLS the handshake is read as tls.",
};

static IMAP_META: ProtocolMeta = ProtocolMeta {
    name: "imap",
    title: "IMAP",
    tcp: &[143],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 9051, RFC 3501, RFC 2595",
    found: "mailboxes of offices",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Greeting, software, logins with their outcome; EDI interchanges in messages are read as edifact, other content \
            is not; after STARTTLS the handshake is read as tls.",
};

macro_rules! protocol {
    ($name:ident, $meta:ident, $dialect:ty, $probe:path) => {
        impl Protocol for $name {
            fn meta(&self) -> &'static ProtocolMeta {
                &$meta
            }

            fn probe(&self, pdu: &Pdu<'_>) -> Probe {
                if pdu.flow.transport != Transport::Tcp {
                    return Probe::No;
                }
                let usual = $meta.tcp.contains(&pdu.flow.server.port) || $meta.tcp.contains(&pdu.flow.client.port);
                $probe(pdu.data, usual)
            }

            fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
                Box::new(MailAnalyzer::<$dialect>::default())
            }
        }
    };
}
protocol!(Smtp, SMTP_META, smtp::Smtp, smtp::probe);
protocol!(Pop3, POP3_META, pop3::Pop3, pop3::probe);
protocol!(Imap, IMAP_META, imap::Imap, imap::probe);
