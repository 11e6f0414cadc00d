//! One S7comm connection: pairs requests with answers and emits what they say.

use quaywatch_model::{At, Direction, Mark, Observation, OperationClass, Sink, Weird};
use quaywatch_wire::Flow;

use super::blocks::Transfers;
use super::header::{Header, Kind, Userdata, UserdataBody, Way};
use super::request::{Answer, Claims, Request};
use super::szl::{Assembly, PartialList};
use super::{jobs, names, userdata};
use crate::cotp::{Message, Upper};
use crate::pairing::Pairing;

/// Requests that wait for answers at the same time. Devices agree on a few jobs in parallel; cyclic services add some.
pub const WAITING_LIMIT: usize = 64;

/// Records kept for reuse.
const SPARE_LIMIT: usize = 8;

/// What an answer is found by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    reference: u16,
    direction: Direction,
    userdata: bool,
}

/// Reads one S7comm connection.
pub struct Conversation {
    waiting: Pairing<Key, Request>,
    spare: Vec<Request>,
    transfers: Transfers,
    list: Assembly,
    claims: Claims,
    line: String,
    last: At,
}

impl Default for Conversation {
    fn default() -> Self {
        Conversation {
            waiting: Pairing::new(WAITING_LIMIT),
            spare: Vec::new(),
            transfers: Transfers::default(),
            list: Assembly::default(),
            claims: Claims::default(),
            line: String::new(),
            last: At::default(),
        }
    }
}

impl Upper for Conversation {
    fn message(&mut self, message: &Message<'_>, out: &mut dyn Sink) {
        self.last = message.at;
        let header = match Header::read(message.data) {
            Ok(header) => header,
            Err(why) => return broken("s7comm_malformed_header", why, message, out),
        };
        if header.trailing > 0 {
            broken("s7comm_trailing_bytes", "bytes behind the announced length", message, out);
        }
        match header.kind {
            Kind::Job => self.job(&header, message, out),
            Kind::Ack | Kind::AckData => self.answer(&header, message, out),
            Kind::Userdata => self.userdata(&header, message, out),
        }
    }

    /// Requests keep waiting over a gap: their references tell which answer is theirs.
    fn gap(&mut self, _direction: Direction, _out: &mut dyn Sink) {
        self.transfers.gap();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let requests: Vec<Request> = self.waiting.drain().collect();
        for request in &requests {
            request.tell(None, &mut self.line, out);
        }
        self.transfers.close(self.last, out);
    }
}

impl Conversation {
    fn begin(&mut self, message: &Message<'_>, asked: bool) -> Request {
        Request::begin(self.spare.pop(), message, asked)
    }

    fn keep(&mut self, request: Request) {
        if self.spare.len() < SPARE_LIMIT {
            self.spare.push(request);
        }
    }

    fn ask(&mut self, key: Key, request: Request, out: &mut dyn Sink) {
        if let Some(forgotten) = self.waiting.ask(key, request) {
            forgotten.tell(None, &mut self.line, out);
            self.keep(forgotten);
        }
    }

    fn tell(&mut self, request: Request, answer: Option<Answer>, out: &mut dyn Sink) {
        request.tell(answer, &mut self.line, out);
        self.keep(request);
    }

    fn job(&mut self, header: &Header<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let Some(function) = header.parameters.first().copied() else {
            return broken("s7comm_malformed_job", "job without function", message, out);
        };
        let mut request = self.begin(message, true);
        name_job(function, header.reference, &mut request);
        if let Err(why) = jobs::describe(header, &mut request, &self.transfers) {
            broken("s7comm_malformed_job", why, message, out);
        }
        jobs::tell_secret(&request, out);
        if request.name.starts_with("unknown") {
            out.mark(Mark::Undecoded("unknown job function"));
        }
        let key = Key { reference: header.reference, direction: message.direction, userdata: false };
        self.ask(key, request, out);
    }

    fn answer(&mut self, header: &Header<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let key = Key { reference: header.reference, direction: message.direction.reverse(), userdata: false };
        let function = header.parameters.first().copied();
        let mut request = match self.waiting.answer(&key) {
            Some(request) if function.is_none_or(|function| u32::from(function) == request.code) => request,
            other => {
                if let Some(other) = other {
                    broken("s7comm_answer_mismatch", "answer of another function than its request", message, out);
                    self.tell(other, None, out);
                }
                let mut request = self.begin(message, false);
                name_answer(function, header.reference, &mut request);
                request
            }
        };
        let status = match jobs::answer(header, &mut request) {
            Ok(status) => status,
            Err(why) => {
                broken("s7comm_malformed_answer", why, message, out);
                (u32::from(header.error), super::errors::name(header.error))
            }
        };
        let (status, name) = status;
        if status == 0 {
            jobs::follow(header, &mut request, message.at, &mut self.transfers, out);
        }
        self.tell(request, Some(Answer { at: message.at, status, name }), out);
    }

    fn userdata(&mut self, header: &Header<'_>, message: &Message<'_>, out: &mut dyn Sink) {
        let Some(userdata) = Userdata::read(header.parameters) else {
            return broken(
                "s7comm_malformed_userdata",
                "userdata parameters cut short or of unknown direction",
                message,
                out,
            );
        };
        let body = match UserdataBody::read(header.data) {
            Some((body, true)) => Some(body),
            Some((body, false)) => {
                broken("s7comm_malformed_userdata", "userdata payload cut short", message, out);
                Some(body)
            }
            None => None,
        };
        match userdata.way {
            Way::Request => self.userdata_request(header, userdata, body, message, out),
            Way::Response => self.userdata_response(header, userdata, body, message, out),
            Way::Indication => self.indication(header, userdata, body, message, out),
        }
    }

    fn userdata_request(
        &mut self,
        header: &Header<'_>,
        userdata: Userdata,
        body: Option<UserdataBody<'_>>,
        message: &Message<'_>,
        out: &mut dyn Sink,
    ) {
        let mut request = self.begin(message, true);
        name_userdata(userdata, header.reference, &mut request);
        let payload = body.map_or(&[][..], |body| body.payload);
        if let Err(why) = userdata::describe(userdata, payload, &mut request) {
            broken("s7comm_malformed_userdata", why, message, out);
        }
        if request.secret.is_some() {
            userdata::tell_password(payload, &request, out);
        }
        if payload.is_empty() && (userdata.group, userdata.function) == (4, 1) {
            self.continue_list(&mut request);
            request.detail.flag("next_fragment", true);
        }
        if request.name.starts_with("unknown") {
            out.mark(Mark::Undecoded("unknown userdata function"));
        }
        let key = Key { reference: header.reference, direction: message.direction, userdata: true };
        self.ask(key, request, out);
    }

    fn userdata_response(
        &mut self,
        header: &Header<'_>,
        userdata: Userdata,
        body: Option<UserdataBody<'_>>,
        message: &Message<'_>,
        out: &mut dyn Sink,
    ) {
        let key = Key { reference: header.reference, direction: message.direction.reverse(), userdata: true };
        let mut request = match self.waiting.answer(&key) {
            Some(request) if request.code == userdata.code() => request,
            other => {
                if let Some(other) = other {
                    broken("s7comm_answer_mismatch", "answer of another function than its request", message, out);
                    self.tell(other, None, out);
                }
                let mut request = self.begin(message, false);
                name_userdata(userdata, header.reference, &mut request);
                request
            }
        };
        if userdata.more || userdata.unit != 0 {
            request.detail.number("data_unit", userdata.unit);
            request.detail.flag("more", userdata.more);
        }
        let (status, name) = userdata::status(userdata, body);
        if let (0, Some(body)) = (status, body) {
            self.response_payload(userdata, body.payload, message, &mut request, out);
        }
        self.tell(request, Some(Answer { at: message.at, status, name }), out);
    }

    fn response_payload(
        &mut self,
        userdata: Userdata,
        payload: &[u8],
        message: &Message<'_>,
        request: &mut Request,
        out: &mut dyn Sink,
    ) {
        if payload.is_empty() {
            return;
        }
        if (userdata.group, userdata.function) != (4, 1) {
            return userdata::answer(userdata, payload, message.at, request, out);
        }
        // An answer whose request was not seen names its list itself.
        if !request.asked && request.object.is_empty() {
            self.continue_list(request);
        }
        if !request.asked
            && request.object.is_empty()
            && let Err(why) = userdata::describe(userdata, payload, request)
        {
            broken("s7comm_malformed_userdata", why, message, out);
        }
        let Self { list, claims, .. } = self;
        let Some(whole) = list.push(userdata.unit, userdata.more, payload, &request.object) else { return };
        match PartialList::read(whole) {
            Some(list) => {
                list.note_id(&request.object, &mut request.detail);
                list.tell(&mut request.detail, &mut |attribute, value, method| {
                    claims.tell(message.sender, (attribute, value, method), message.at, out);
                });
            }
            None => broken("s7comm_malformed_userdata", "partial list cut short", message, out),
        }
    }

    /// Names a fragment after the list that it belongs to.
    fn continue_list(&self, request: &mut Request) {
        request.object.push_str(self.list.object());
        if self.list.identifies() {
            request.class = OperationClass::Identify;
        }
    }

    fn indication(
        &mut self,
        header: &Header<'_>,
        userdata: Userdata,
        body: Option<UserdataBody<'_>>,
        message: &Message<'_>,
        out: &mut dyn Sink,
    ) {
        let mut request = self.begin(message, false);
        name_userdata(userdata, header.reference, &mut request);
        request.detail.flag("indication", true);
        let payload = body.map_or(&[][..], |body| body.payload);
        if let Err(why) = userdata::describe(userdata, payload, &mut request) {
            broken("s7comm_malformed_userdata", why, message, out);
        }
        if let Some(claim) = userdata::state(userdata) {
            self.claims.tell(message.sender, claim, message.at, out);
        }
        let (status, name) = userdata::status(userdata, body);
        self.tell(request, Some(Answer { at: message.at, status, name }), out);
    }
}

/// Names a job. A device fetches a block that is downloaded to it: there the programming device is the one that answers.
fn name_job(function: u8, reference: u16, request: &mut Request) {
    request.code = u32::from(function);
    (request.name, request.class) = names::job(function);
    request.detail.number("pdu_ref", reference);
    if matches!(function, 0x1b | 0x1c) {
        std::mem::swap(&mut request.client, &mut request.server);
        request.detail.text("asked_by", "server");
    }
}

/// Names an answer whose request was not seen; one without parameters says not even of what.
fn name_answer(function: Option<u8>, reference: u16, request: &mut Request) {
    match function {
        Some(function) => name_job(function, reference, request),
        None => {
            request.name = "acknowledge";
            request.detail.number("pdu_ref", reference);
        }
    }
}

fn name_userdata(userdata: Userdata, reference: u16, request: &mut Request) {
    request.code = userdata.code();
    (request.name, request.class) = names::userdata(userdata.group, userdata.function);
    request.detail.number("pdu_ref", reference);
    request.detail.number("sequence", userdata.sequence);
}

fn broken(name: &'static str, why: &'static str, message: &Message<'_>, out: &mut dyn Sink) {
    out.mark(Mark::Malformed(why));
    let (sender, receiver) = (message.sender, message.receiver);
    out.emit(message.at, Observation::Weird(Weird { name, protocol: super::PROTOCOL, detail: why, sender, receiver }));
}
