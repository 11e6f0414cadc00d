//! Syslog (RFC 5424, RFC 3164) over UDP (RFC 5426) and TCP (RFC 6587): who logs to whom, and as what. What a message says is
//! not interpreted here.

use quaywatch_model::{Direction, Observation, Request, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::deviation::malformed;
use crate::framers::Framers;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "syslog";
/// Longest message taken on a stream (RFC 5425 asks receivers for 8192).
const LIMIT: usize = 64 * 1024;
/// Sources and severities remembered of a flow.
const MAX_CLAIMS: usize = 256;

/// The registry entry.
pub struct Syslog;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Syslog",
    tcp: &[514, 601],
    udp: &[514],
    ethertypes: &[],
    spec: "RFC 5424, RFC 3164, RFC 5426, RFC 6587",
    found: "switches, firewalls, gateways and servers that send their logs to a collector",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Host, program, facility and severity, once a flow each. The text of a message is not kept.",
};

impl Protocol for Syslog {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let message = match pdu.flow.transport {
            Transport::Udp => pdu.data,
            Transport::Tcp => match counted(pdu.data) {
                Some((_, message)) => message,
                None => pdu.data,
            },
            _ => return Probe::No,
        };
        match Header::read(message) {
            Some(header) if header.sure => Probe::Yes,
            Some(_) => Probe::Unsure,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(SyslogFlow {
            framers: Framers::new(LIMIT),
            talk: Talk { claims: Claims::with_limit(MAX_CLAIMS), uri: String::new() },
        })
    }
}

/// Octet counting of RFC 6587 section 3.4.1: the count and what follows the blank.
fn counted(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let digits = bytes.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = bytes.get(digits..)?.strip_prefix(b" ")?;
    let count: usize = std::str::from_utf8(bytes.get(..digits)?).ok()?.parse().ok()?;
    Some((digits + 1 + count, rest))
}

fn length(bytes: &[u8]) -> Length {
    match bytes {
        [b'1'..=b'9', ..] => match counted(bytes) {
            Some((whole, _)) => Length::Whole(whole),
            None if bytes.len() < 7 && bytes.iter().all(u8::is_ascii_digit) => Length::NeedMore,
            None => Length::Invalid,
        },
        [b'<' | b'\n' | b'\r' | 0, ..] => {
            // Messages end with a line end or a zero (section 3.4.2).
            bytes.iter().position(|byte| matches!(byte, b'\n' | 0)).map_or(Length::NeedMore, |at| Length::Whole(at + 1))
        }
        [] => Length::NeedMore,
        _ => Length::Invalid,
    }
}

/// What stands in front of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header<'a> {
    /// Facility times eight and severity.
    priority: u8,
    host: &'a str,
    program: &'a str,
    /// Whether a version or a timestamp follows the priority.
    sure: bool,
}

impl<'a> Header<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let rest = message.strip_prefix(b"<")?;
        let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        let priority: u8 = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
        let text = rest.get(digits..)?.strip_prefix(b">")?;
        if priority > 191 {
            return None;
        }
        // Hosts and programs are ASCII; the message behind them may be anything.
        let end = text.iter().position(|byte| !byte.is_ascii() || byte.is_ascii_control()).unwrap_or(text.len());
        let text = std::str::from_utf8(text.get(..end.min(512))?).ok()?;
        Some(Header::new_form(priority, text).or_else(|| Header::old_form(priority, text)).unwrap_or(Header {
            priority,
            host: "",
            program: "",
            sure: false,
        }))
    }

    /// RFC 5424 section 6: version, timestamp, host, program, ...; `-` stands for none.
    fn new_form(priority: u8, text: &'a str) -> Option<Self> {
        let mut words = text.strip_prefix("1 ")?.split(' ');
        let time = words.next()?;
        let sure = time == "-" || (time.as_bytes().get(4) == Some(&b'-') && time.as_bytes().get(10) == Some(&b'T'));
        let mut word = || Some(words.next()?).filter(|word| *word != "-").or(Some(""));
        sure.then_some(Header { priority, host: word()?, program: word()?, sure })
    }

    /// RFC 3164 section 4.1: `Mmm dd hh:mm:ss host tag[pid]: text`; many leave the host out.
    fn old_form(priority: u8, text: &'a str) -> Option<Self> {
        const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let month = text.get(..3)?;
        let clock = text.get(7..15)?.as_bytes();
        let sure = MONTHS.as_bytes().chunks(3).any(|name| name == month.as_bytes())
            && matches!(clock, [_, _, b':', _, _, b':', _, _]);
        let rest = text.get(15..).filter(|_| sure)?.trim_start();
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        // A word that ends like a tag is no host.
        let (host, tag) = if first.ends_with(':') || first.contains('[') { ("", first) } else { (first, second) };
        let end = tag.find(['[', ':', ' ']).unwrap_or(tag.len());
        Some(Header { priority, host, program: tag.get(..end.min(48)).unwrap_or(""), sure })
    }

    const fn severity(self) -> &'static str {
        match self.priority & 7 {
            0 => "emergency",
            1 => "alert level",
            2 => "critical",
            3 => "error",
            4 => "warning",
            5 => "notice",
            6 => "informational",
            _ => "debug",
        }
    }

    const fn facility(self) -> &'static str {
        match self.priority >> 3 {
            0 => "kernel",
            1 => "user",
            2 => "mail",
            3 => "daemon",
            4 | 10 => "authorization",
            5 => "syslog",
            9 | 15 => "clock",
            13 => "audit",
            16..=23 => "local",
            _ => "other",
        }
    }
}

struct SyslogFlow {
    framers: Framers,
    talk: Talk,
}

struct Talk {
    claims: Claims,
    uri: String,
}

impl Analyzer for SyslogFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let SyslogFlow { framers, talk } = self;
        if pdu.flow.transport != Transport::Tcp {
            return talk.message(pdu, pdu.data, out);
        }
        let framer = framers.of(pdu.direction);
        if framer
            .push(pdu.data, length, |frame| talk.message(pdu, counted(frame).map_or(frame, |(_, m)| m), out))
            .is_err()
        {
            malformed(PROTOCOL, pdu, "syslog_framing", "neither a count nor a priority begins the message", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.framers.of(direction).reset();
    }
}

impl Talk {
    fn message(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        if message.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return;
        }
        let Some(header) = Header::read(message) else {
            return malformed(
                PROTOCOL,
                pdu,
                "syslog_priority",
                "no priority in angle brackets begins the message",
                out,
            );
        };
        let (severity, facility) = (header.severity(), header.facility());
        if self.claims.first((header.host, header.program, header.priority)) {
            self.uri.clear();
            self.uri.push_str(facility);
            self.uri.push(' ');
            self.uri.push_str(severity);
            out.emit(
                pdu.at,
                Observation::Request(Request {
                    client: pdu.sender(),
                    server: pdu.receiver(),
                    protocol: PROTOCOL,
                    method: "log",
                    host: header.host,
                    uri: &self.uri,
                    user_agent: header.program,
                    status: None,
                }),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, pdu};

    // RFC 5424 section 6.5, RFC 3164 section 5.4.
    const NEW: &[u8] = b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed for lonvick";
    const OLD: &[u8] = b"<13>Feb  5 17:32:18 10.0.0.99 myproc[10]: Use the BFG!";

    #[test]
    fn both_forms_tell_host_program_and_severity() {
        let rows =
            feed(&Syslog, &flow(Transport::Udp, 514), &[(FromClient, NEW), (FromClient, OLD), (FromClient, OLD)]);
        let told: Vec<_> = rows
            .of("request")
            .iter()
            .map(|row| format!("{} {} {}", row["host"], row["user_agent"], row["uri"]).replace('"', ""))
            .collect();
        assert_eq!(told, ["mymachine.example.com su authorization critical", "10.0.0.99 myproc user notice"]);
        assert_eq!(rows.of("identity").len(), 0, "a relay sends for others: the host is not the sender's name");
        assert!(!format!("{rows:?}").contains("lonvick"), "the text is not kept");
    }

    #[test]
    fn streams_are_counted_or_ended_by_lines() {
        let counted = [format!("{} ", NEW.len()).as_bytes(), NEW].concat();
        let lines = [OLD, b"\n<13>Feb  5 17:32:19 crane2 sshd: x\n"].concat();
        let flow = flow(Transport::Tcp, 601);
        for (stream, rows) in [(counted, 1), (lines, 2)] {
            let (head, tail) = stream.split_at(20);
            let told = feed(&Syslog, &flow, &[(FromClient, head), (FromClient, tail)]);
            assert_eq!((told.of("request").len(), told.of("weird").len()), (rows, 0));
        }
    }

    #[test]
    fn a_bare_priority_is_taken_on_the_usual_port_only() {
        let probe = |data: &[u8]| Syslog.probe(&pdu(&flow(Transport::Udp, 5140), 0, FromClient, data));
        assert_eq!(probe(NEW), Probe::Yes);
        assert_eq!(probe(b"<14>link up"), Probe::Unsure);
        assert_eq!(probe(b"<192>1 - - - - -"), Probe::No);
        assert_eq!(probe(b"<html>"), Probe::No);
        let rows = feed_unprobed(&Syslog, &flow(Transport::Udp, 514), &[(FromClient, b"link up")]);
        assert_eq!(rows.of("weird")[0]["name"], json!("syslog_priority"));
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..200), cut in 1usize..90) {
            for transport in [Transport::Udp, Transport::Tcp] {
                let pieces = [(FromClient, data.as_slice()), (FromClient, NEW.get(..cut).unwrap_or(NEW)), (FromClient, OLD)];
                feed_unprobed(&Syslog, &flow(transport, 514), &pieces);
            }
        }
    }
}
