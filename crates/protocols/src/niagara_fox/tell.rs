//! Tells who the sides are, how they log in, and what they ask.

use quaywatch_model::{
    At, Attribute, Credential, Direction, Endpoint, Observation, Operation, OperationClass, Outcome, Service, Session,
    Sink, Transport, Weakness,
};
use quaywatch_wire::Pdu;

use super::PROTOCOL;
use super::message::{Fields, Head};
use crate::claims::Claims;
use crate::detail_json::DetailJson;

/// What a greeting says of its sender in one field.
const SAID: [(&str, Attribute, &str); 4] = [
    ("hostName", Attribute::HostName, "niagara-fox hello hostName"),
    ("station.name", Attribute::Project, "niagara-fox hello station.name"),
    ("brandId", Attribute::Vendor, "niagara-fox hello brandId"),
    ("hostId", Attribute::Serial, "niagara-fox hello hostId"),
];

/// What a greeting says in a name and its version.
const NAMED: [(&str, &str, Attribute, &str); 3] = [
    ("app.name", "app.version", Attribute::Software, "niagara-fox hello app"),
    ("os.name", "os.version", Attribute::Os, "niagara-fox hello os"),
    ("vm.name", "vm.version", Attribute::Software, "niagara-fox hello vm"),
];

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Told<'t> {
    /// Client and server.
    pub ends: (Endpoint, Endpoint),
    /// Part of the framework asked.
    pub channel: &'t str,
    /// What it is to do.
    pub command: &'t str,
    /// Where it was asked.
    pub asked: Option<At>,
    /// Where it was answered.
    pub answered: Option<At>,
    /// 0 answered, 1 error.
    pub status: Option<u32>,
}

impl<'t> Told<'t> {
    /// An operation between client and server, not yet seen.
    pub const fn of(ends: (Endpoint, Endpoint), channel: &'t str, command: &'t str) -> Self {
        Told { ends, channel, command, asked: None, answered: None, status: None }
    }
}

/// Holds what is reused, and what was said.
#[derive(Default)]
pub struct Teller {
    claims: Claims,
    detail: DetailJson,
    line: String,
    name: String,
}

/// Class by the verb that the command begins with or consists of.
fn class(channel: &str, command: &str) -> OperationClass {
    use OperationClass::{Configure, Control, Diagnose, Read, Session, Write};
    const VERBS: [(&str, OperationClass); 17] = [
        ("invoke", Control),
        ("restart", Control),
        ("kill", Control),
        ("set", Write),
        ("write", Write),
        ("put", Write),
        ("add", Configure),
        ("remove", Configure),
        ("delete", Configure),
        ("rename", Configure),
        ("commit", Configure),
        ("get", Read),
        ("read", Read),
        ("load", Read),
        ("list", Read),
        ("query", Read),
        ("sub", Read),
    ];
    if channel == "fox" {
        return Session;
    }
    // `keystore.getCertificates`: the verb is behind the last dot.
    let verb = command.rsplit('.').next().unwrap_or(command).to_ascii_lowercase();
    VERBS.iter().find(|(word, _)| verb.starts_with(word)).map_or(Diagnose, |(_, class)| *class)
}

impl Teller {
    /// Whether this kind of message is seen for the first time.
    pub fn first(&mut self, direction: Direction, head: &Head<'_>) -> bool {
        self.claims.first(("message", direction, head.channel, head.command))
    }

    /// Claims what a greeting says of its sender; a server's greeting is a service, too.
    pub fn introduce(&mut self, pdu: &Pdu<'_>, fields: Fields<'_>, from_server: bool, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        for (name, attribute, method) in SAID {
            if let Some(value) = fields.find(name) {
                self.claims.identify(out, pdu.at, subject, (attribute, value, method));
            }
        }
        for (name, version, attribute, method) in NAMED {
            self.versioned(fields, name, version);
            self.claims.identify(out, pdu.at, subject, (attribute, &self.name, method));
        }
        if from_server {
            self.versioned(fields, "app.name", "app.version");
            let service = Service {
                server: pdu.sender(),
                transport: Transport::Tcp,
                protocol: PROTOCOL,
                software: &self.name,
                version: fields.find("fox.version").unwrap_or_default(),
            };
            self.claims.service(out, pdu.at, service);
        }
    }

    /// Puts a name and its version into the reused line.
    fn versioned(&mut self, fields: Fields<'_>, name: &str, version: &str) {
        self.name.clear();
        if let Some(name) = fields.find(name) {
            self.name.push_str(name);
            if let Some(version) = fields.find(version) {
                self.name.push(' ');
                self.name.push_str(version);
            }
        }
    }

    /// Takes what further a server's greeting says into the next operation's detail.
    pub fn describe(&mut self, fields: Fields<'_>) {
        for (name, key) in [("hostAddress", "host_address"), ("timeZone", "time_zone"), ("lang", "language")] {
            if let Some(value) = fields.find(name) {
                // A time zone's rules follow its name.
                self.detail.text(key, value.split(';').next().unwrap_or(value));
            }
        }
    }

    /// Tells one operation.
    pub fn tell(&mut self, told: Told<'_>, out: &mut dyn Sink) {
        let Told { ends, channel, command, asked, answered, status } = told;
        let Some(at) = answered.or(asked) else { return };
        self.name.clear();
        self.name.push_str(channel);
        self.name.push(' ');
        self.name.push_str(command);
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: ends.0,
                server: ends.1,
                unit: None,
                code: 0,
                name: &self.name,
                class: class(channel, command),
                object: "",
                quantity: None,
                status,
                status_name: match status {
                    None => "",
                    Some(0) => "answered",
                    Some(_) => "error",
                },
                latency: asked.zip(answered).map(|(asked, answered)| answered.ts.since(asked.ts)),
                request_frame: asked.map(|at| at.frame),
                reply_frame: answered.map(|at| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
        self.detail.clear();
    }

    /// Tells a login: operation, session, and what is weak about it.
    pub fn login(
        &mut self,
        ends: (Endpoint, Endpoint),
        (asked, answered): (At, Option<At>),
        user: &str,
        method: &str,
        outcome: Outcome,
        out: &mut dyn Sink,
    ) {
        let at = answered.unwrap_or(asked);
        let (client, server) = ends;
        let session = Session {
            client,
            server,
            protocol: PROTOCOL,
            version: "",
            user,
            method,
            outcome,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        self.claims.session(out, at, session);
        let (weakness, rule) = match method {
            "basic" => (Weakness::ClearText, "password sent unencrypted"),
            "digest-md5" => (Weakness::WeakScheme, "challenge-response with MD5"),
            _ => (Weakness::None, "account name sent unencrypted"),
        };
        self.claims.credential(
            out,
            at,
            Credential { client, server, protocol: PROTOCOL, account: user, weakness, rule },
        );
        let status = match outcome {
            Outcome::Success => Some(0),
            Outcome::Failure => Some(1),
            Outcome::Unknown => None,
        };
        self.tell(Told { asked: Some(asked), answered, status, ..Told::of(ends, "fox", "login") }, out);
    }
}
