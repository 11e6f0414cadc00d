//! SMTP, POP3 and IMAP. tshark has no table of them; one capture has a session of each, read by eye.

use quaywatch_model::{At, Observation, SegmentId, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::capture::{self, Merged};
use serde_json::Value;

use crate::harness::shared;

/// The rows of the mail protocols, and every deviation.
#[derive(Default)]
struct Mail {
    sessions: Vec<String>,
    hosts: Vec<String>,
    deviations: Vec<Value>,
}

impl Sink for Mail {
    fn emit(&mut self, _: At, observation: Observation<'_>) {
        match observation {
            Observation::Session(row) if matches!(row.protocol, "smtp" | "pop3" | "imap") => {
                self.sessions.push(format!("{} {} {} {}", row.protocol, row.user, row.method, row.outcome.name()));
            }
            Observation::Identity(row) if row.method.starts_with("ntlm") && row.method.ends_with("workstation") => {
                self.hosts.push(row.value.to_owned());
            }
            Observation::Weird(row) if matches!(row.protocol, "smtp" | "pop3" | "imap") => {
                self.deviations.push(serde_json::to_value(row).unwrap());
            }
            _ => {}
        }
    }
}

#[test]
fn mail_sessions_are_read() {
    let Some(captures) = shared() else { return };
    let inputs = capture::expand(&[captures.join("ntlm/arkime-ntlm-synthetic.pcap")]);
    let mut merged = Merged::open(&inputs.list, capture::Options::default());
    let mut engine = Engine::new(PROTOCOLS, Options::default());
    let mut mail = Mail::default();
    while let Some(packet) = merged.next() {
        engine.packet(&packet, SegmentId(0), &mut mail);
    }
    engine.finish(&mut mail);
    let mut sessions = mail.sessions;
    sessions.sort();
    assert_eq!(
        sessions,
        [r"imap IMAPDOM\kate ntlmv1 success", r"pop3 POP3DOM\liam ntlmv1 success", r"smtp SMTPDOM\jack ntlmv1 success"]
    );
    for host in ["SMTPHOST", "IMAPHOST", "POP3HOST"] {
        assert!(mail.hosts.iter().any(|known| known == host), "{host}: {:?}", mail.hosts);
    }
    assert!(mail.deviations.is_empty(), "{:?}", mail.deviations);
}
