//! What one SMB connection has said: shares, open files, logins, requests that wait; and the rows told of them.

use quaywatch_model::{
    At, Credential, Endpoint, Observation, Operation, OperationClass, Outcome, Service, Sink, Transport, Weakness,
    Weird,
};
use quaywatch_wire::{Flow, Pdu};

use super::PROTOCOL;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::gss::{Around, Login};
use crate::login::Ends;
use crate::msrpc::conversation::{Conversation, Place};
use crate::pairing::Pairing;

/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 128;
/// Shares remembered of one connection.
pub const TREE_LIMIT: usize = 64;
/// Open files remembered of one connection.
pub const FILE_LIMIT: usize = 256;
/// Operations remembered so that their like are counted, not told again.
pub const SEEN_LIMIT: usize = 512;

/// Handle of an open file; SMB 1 uses the first two bytes.
pub(super) type FileId = [u8; 16];

/// The handle that stands for the file of the command before it in a chain (MS-SMB2 3.2.4.1.4).
pub(super) const RELATED: FileId = [0xff; 16];

/// What a request wants, as far as its reply needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Want {
    #[default]
    Nothing,
    Negotiate,
    SessionSetup,
    TreeConnect,
    Create,
    Close,
    Read,
    Write,
    /// Bytes to and from a pipe in one exchange.
    Transceive,
}

/// A request that waits for its reply.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) at: At,
    pub(super) code: u16,
    pub(super) name: &'static str,
    pub(super) class: OperationClass,
    pub(super) want: Want,
    pub(super) object: String,
    pub(super) quantity: Option<u64>,
    pub(super) detail: DetailJson,
    pub(super) tree: u32,
    pub(super) file: Option<FileId>,
    pub(super) login: Option<Login>,
}

impl Ask {
    pub(super) fn new(at: At, code: u16, (name, class): (&'static str, OperationClass)) -> Self {
        Ask {
            at,
            code,
            name,
            class,
            want: Want::Nothing,
            object: String::new(),
            quantity: None,
            detail: DetailJson::default(),
            tree: 0,
            file: None,
            login: None,
        }
    }
}

/// How a request was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) at: At,
    pub(super) status: u32,
    pub(super) status_name: &'static str,
}

/// An open file or pipe.
#[derive(Debug)]
pub(super) struct File {
    pub(super) id: FileId,
    pub(super) name: String,
    pub(super) reads: u64,
    pub(super) writes: u64,
    pub(super) bytes_read: u64,
    pub(super) bytes_written: u64,
    pipe: Option<Box<Conversation>>,
}

/// Operations of one kind that were counted only.
struct Repeated {
    code: u16,
    name: &'static str,
    class: OperationClass,
    count: u64,
}

pub(super) struct Talk {
    pub(super) waiting: Pairing<u64, Ask>,
    pub(super) claims: Claims,
    seen: Claims,
    pub(super) trees: Vec<(u32, String)>,
    files: Vec<File>,
    repeated: Vec<Repeated>,
    /// Dialect settled on; empty before.
    pub(super) version: &'static str,
    /// Whether SMB 1 passwords are challenged, as the server asked; `None` if not seen.
    pub(super) challenged: Option<bool>,
    pub(super) client_software: String,
    pub(super) server_software: String,
    /// Dialects that an SMB 1 negotiation offers, in order.
    pub(super) offered: Vec<String>,
    pub(super) encrypted: bool,
    line: String,
    last: Option<At>,
    ends: Option<(Endpoint, Endpoint)>,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            claims: Claims::default(),
            seen: Claims::with_limit(SEEN_LIMIT),
            trees: Vec::new(),
            files: Vec::new(),
            repeated: Vec::new(),
            version: "",
            challenged: None,
            client_software: String::new(),
            server_software: String::new(),
            offered: Vec::new(),
            encrypted: false,
            line: String::new(),
            last: None,
            ends: None,
        }
    }
}

impl Talk {
    /// Notes where the talk is, for what is told at its end.
    pub(super) fn here(&mut self, pdu: &Pdu<'_>) {
        self.last = Some(pdu.at);
        self.ends = Some((pdu.flow.client, pdu.flow.server));
    }

    pub(super) fn tree(&self, id: u32) -> Option<&str> {
        self.trees.iter().find(|(known, _)| *known == id).map(|(_, path)| path.as_str())
    }

    pub(super) fn open_tree(&mut self, id: u32, path: &str) {
        self.trees.retain(|(known, _)| *known != id);
        if self.trees.len() >= TREE_LIMIT {
            self.trees.remove(0);
        }
        self.trees.push((id, path.to_owned()));
    }

    pub(super) fn file(&mut self, id: FileId) -> Option<&mut File> {
        self.files.iter_mut().find(|file| file.id == id)
    }

    pub(super) fn file_name(&self, id: FileId) -> Option<&str> {
        self.files.iter().find(|file| file.id == id).map(|file| file.name.as_str())
    }

    pub(super) fn open_file(&mut self, id: FileId, name: &str, is_pipe: bool) {
        self.files.retain(|file| file.id != id);
        if self.files.len() >= FILE_LIMIT {
            self.files.remove(0);
        }
        let pipe = is_pipe.then(Box::default);
        let name = name.to_owned();
        self.files.push(File { id, name, reads: 0, writes: 0, bytes_read: 0, bytes_written: 0, pipe });
    }

    pub(super) fn close_file(&mut self, pdu: &Pdu<'_>, id: FileId, out: &mut dyn Sink) -> Option<File> {
        let at = self.files.iter().position(|file| file.id == id)?;
        let mut file = self.files.remove(at);
        if let Some(pipe) = &mut file.pipe {
            pipe.give_up(out);
            pipe.tell_repeated(pdu.at, out);
        }
        Some(file)
    }

    /// Hands bytes written to or read from a pipe to its RPC conversation. Whether they were RPC.
    pub(super) fn pipe(&mut self, pdu: &Pdu<'_>, id: FileId, bytes: &[u8], out: &mut dyn Sink) -> bool {
        let Flow { client, server, .. } = *pdu.flow;
        let from_server = pdu.direction == quaywatch_model::Direction::FromServer;
        let place = Place { at: pdu.at, client, server, from_server, piped: true };
        let pipe = self.files.iter_mut().find(|file| file.id == id).and_then(|file| file.pipe.as_deref_mut());
        pipe.is_some_and(|pipe| pipe.packet(&place, bytes, out))
    }

    /// Keeps a request until its reply; one that is pushed out is told without.
    pub(super) fn ask(&mut self, pdu: &Pdu<'_>, key: u64, ask: Ask, out: &mut dyn Sink) {
        if let Some(lost) = self.waiting.ask(key, ask) {
            self.tell(pdu.flow, &lost, None, out);
        }
    }

    /// Tells an operation, or counts it if its like was told.
    pub(super) fn tell(&mut self, flow: &Flow, ask: &Ask, answer: Option<Answer>, out: &mut dyn Sink) {
        let status = answer.map(|answer| answer.status);
        let quiet = matches!(ask.class, OperationClass::Read | OperationClass::Diagnose | OperationClass::Write)
            || matches!(ask.want, Want::Transceive | Want::Close);
        if !self.seen.first((ask.code, ask.name, ask.class, &ask.object, status)) && quiet && ask.login.is_none() {
            return self.count(ask);
        }
        self.row(flow.client, flow.server, Some(ask), ask.into(), answer, out);
    }

    fn count(&mut self, ask: &Ask) {
        let Ask { code, name, class, .. } = *ask;
        if let Some(known) = self.repeated.iter_mut().find(|r| r.code == code && r.name == name && r.class == class) {
            known.count = known.count.saturating_add(1);
        } else if self.repeated.len() < TREE_LIMIT {
            self.repeated.push(Repeated { code, name, class, count: 1 });
        }
    }

    fn row(
        &mut self,
        client: Endpoint,
        server: Endpoint,
        ask: Option<&Ask>,
        told: Told<'_>,
        answer: Option<Answer>,
        out: &mut dyn Sink,
    ) {
        let Some(at) = answer.map(|answer| answer.at).or(ask.map(|ask| ask.at)).or(self.last) else { return };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: None,
                code: told.code.into(),
                name: told.name,
                class: told.class,
                object: told.object,
                quantity: told.quantity,
                status: answer.map(|answer| answer.status),
                status_name: answer.map_or("", |answer| answer.status_name),
                latency: ask.zip(answer).map(|(ask, answer)| answer.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|answer| answer.at.frame),
                detail: told.detail.object(&mut self.line),
            }),
        );
    }

    /// Tells the dialect once.
    pub(super) fn settle_on(&mut self, pdu: &Pdu<'_>, version: &'static str, out: &mut dyn Sink) {
        self.version = version;
        let server = pdu.flow.server;
        let service = Service { server, transport: Transport::Tcp, protocol: PROTOCOL, software: "", version };
        self.claims.service(out, pdu.at, service);
    }

    /// Tells how a login ended. `guest`: the server let the client in as guest.
    pub(super) fn logged_in(
        &mut self,
        pdu: &Pdu<'_>,
        login: &Login,
        outcome: Outcome,
        guest: bool,
        out: &mut dyn Sink,
    ) {
        let Flow { client, server, .. } = *pdu.flow;
        let ends = Ends { client, server, protocol: PROTOCOL };
        let around = Around {
            version: self.version,
            client_software: &self.client_software,
            server_software: &self.server_software,
            encrypted: self.encrypted,
            detail: if guest { "{\"guest\":true}" } else { "" },
        };
        login.report(&mut self.claims, out, pdu.at, ends, outcome, around);
        if guest && outcome == Outcome::Success {
            let (weakness, rule) = (Weakness::Anonymous, "guest session accepted");
            let row = Credential { client, server, protocol: PROTOCOL, account: &login.account, weakness, rule };
            self.claims.credential(out, pdu.at, row);
        }
    }

    /// Tells what still waits, and what was counted: the connection ended.
    pub(super) fn finish(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.give_up(flow, out);
        for file in std::mem::take(&mut self.files) {
            self.left_open(flow, file, out);
        }
        for repeated in std::mem::take(&mut self.repeated) {
            let mut detail = DetailJson::default();
            detail.flag("repeated", true);
            let Repeated { code, name, class, count } = repeated;
            let told = Told { code, name, class, object: "", quantity: Some(count), detail: &detail };
            self.row(flow.client, flow.server, None, told, None, out);
        }
    }

    /// Tells requests without replies.
    pub(super) fn give_up(&mut self, flow: &Flow, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            if let Some(login) = &ask.login {
                let ends = Ends { client: flow.client, server: flow.server, protocol: PROTOCOL };
                let around = Around { version: self.version, ..Around::default() };
                login.report(&mut self.claims, out, ask.at, ends, Outcome::Unknown, around);
            }
            self.tell(flow, ask, None, out);
        }
    }

    fn left_open(&mut self, flow: &Flow, mut file: File, out: &mut dyn Sink) {
        let Some(at) = self.last else { return };
        if let Some(pipe) = &mut file.pipe {
            pipe.give_up(out);
            pipe.tell_repeated(at, out);
        }
        if file.reads.saturating_add(file.writes) == 0 {
            return;
        }
        let mut detail = DetailJson::default();
        file.describe(&mut detail);
        let (code, name, class) = (0, "file-left-open", OperationClass::Session);
        let told = Told { code, name, class, object: &file.name, quantity: None, detail: &detail };
        self.row(flow.client, flow.server, None, told, None, out);
    }
}

impl File {
    /// Adds what was moved through the handle.
    pub(super) fn describe(&self, detail: &mut DetailJson) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        if self.reads > 0 {
            detail.number("reads", number(self.reads));
            detail.number("bytes_read", number(self.bytes_read));
        }
        if self.writes > 0 {
            detail.number("writes", number(self.writes));
            detail.number("bytes_written", number(self.bytes_written));
        }
    }
}

/// What a row says beside places and status.
struct Told<'a> {
    code: u16,
    name: &'a str,
    class: OperationClass,
    object: &'a str,
    quantity: Option<u64>,
    detail: &'a DetailJson,
}

impl<'a> From<&'a Ask> for Told<'a> {
    fn from(ask: &'a Ask) -> Self {
        let Ask { code, name, class, object, quantity, detail, .. } = ask;
        Told { code: *code, name, class: *class, object, quantity: *quantity, detail }
    }
}

/// Tells a deviation.
pub(super) fn weird(pdu: &Pdu<'_>, name: &'static str, detail: &str, out: &mut dyn Sink) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender, receiver }));
}
