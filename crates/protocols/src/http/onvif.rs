//! ONVIF: how cameras and recorders are managed. It is SOAP in HTTP, read by the same analyzer and told under its own name.

use quaywatch_model::{
    At, Attribute, Clock, Credential, Mark, Observation, Operation, OperationClass, Outcome, Service, Sink, Timestamp,
    Transport, Weakness,
};

use super::exchange::{Answer, Exchange};
use super::onvif_names::{class, is_open_to_all};
use super::soap::{Element, Elements, account, examine, plain};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::login::{Ends, Secret};
use crate::ws_discovery;

/// Its name, for rows.
pub(super) const NAME: &str = "onvif";
/// Longest document that is kept to be read.
pub(super) const MAX_DOCUMENT: usize = 16 * 1024;
/// Accounts told of one document.
const MAX_ACCOUNTS: usize = 16;
/// Items read of a list of scopes or interfaces.
const MAX_ITEMS: usize = 32;
/// Characters of a value that is told.
const MAX_VALUE: usize = 128;

/// What names the services of ONVIF: `http://www.onvif.org/ver10/device/wsdl` (Core Specification, namespaces).
const NAMESPACE: &str = "http://www.onvif.org/ver";
/// Subscriptions are renewed and ended by commands of WS-BaseNotification (Core Specification, notification).
const NOTIFICATION: &str = "http://docs.oasis-open.org/wsn/b-2";

/// What requests say besides their name: element, and the key it is told under. Nothing that may be a secret.
const TOLD: &[(&str, &str)] = &[
    ("FactoryDefault", "factory_default"),
    ("DateTimeType", "date_time_type"),
    ("ProfileToken", "profile"),
    ("PresetToken", "preset"),
    ("RelayOutputToken", "relay"),
    ("LogicalState", "state"),
    ("AuxiliaryCommand", "command"),
];

/// What devices say of themselves (Core Specification, GetDeviceInformation).
const INFORMATION: &[(&str, Attribute)] = &[
    ("Manufacturer", Attribute::Vendor),
    ("Model", Attribute::Model),
    ("FirmwareVersion", Attribute::Firmware),
    ("SerialNumber", Attribute::Serial),
    ("HardwareId", Attribute::Hardware),
];

/// Whether the body of a request may be a command: SOAP by its type, or sent to where ONVIF lives.
pub(super) fn may_be_call(content_type: &[u8], target: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let types = [&b"application/soap+xml"[..], b"text/xml", b"application/xml"];
    types.iter().any(|kind| essence.eq_ignore_ascii_case(kind)) || is_entrance(target)
}

/// Whether a path is of ONVIF: devices answer at `/onvif/device_service` (Core Specification, device service).
fn is_entrance(target: &[u8]) -> bool {
    target.windows(7).any(|part| part.eq_ignore_ascii_case(b"/onvif/"))
}

/// A command found in a request. Its strings are used again.
#[derive(Default, Debug)]
pub(super) struct Call {
    name: String,
    service: String,
    detail: DetailJson,
    line: String,
    /// Accounts that it creates or changes, with what a look at their new passwords showed.
    accounts: Vec<(String, Secret)>,
}

impl Call {
    /// Forgets what it held.
    pub(super) fn clear(&mut self) {
        self.name.clear();
        self.service.clear();
        self.detail.clear();
        self.accounts.clear();
    }

    /// Whether a command was found.
    pub(super) const fn is_some(&self) -> bool {
        !self.name.is_empty()
    }

    /// Reads the document of a request.
    pub(super) fn read(&mut self, document: &[u8], target: &str) {
        self.clear();
        let mut elements = Elements::of(document);
        if elements.enter("Body").is_none() {
            return;
        }
        let Some(command) = elements.next() else { return };
        let service = command.namespace(document).and_then(service);
        let ours = service.filter(|service| *service != "notification" || is_entrance(target.as_bytes()));
        let Some(service) = ours else { return };
        push(&mut self.name, command.name);
        push(&mut self.service, service);
        let within = elements.take_while(|element| element.depth > command.depth);
        match command.name {
            "CreateUsers" | "SetUser" | "DeleteUsers" => self.users(within),
            "SetHostname" => self.tell(within, &[("Name", "host_name")]),
            _ => self.tell(within, TOLD),
        }
    }

    fn tell<'a>(&mut self, elements: impl Iterator<Item = Element<'a>>, keys: &[(&str, &str)]) {
        let mut said = 0u32;
        for element in elements {
            let Some(index) = keys.iter().position(|(name, _)| *name == element.name) else { continue };
            let mark = u32::try_from(index).ok().and_then(|index| 1u32.checked_shl(index)).unwrap_or(0);
            if said & mark == 0
                && let Some((_, key)) = keys.get(index)
            {
                said |= mark;
                self.detail.text(key, short(&plain(element.text)));
            }
        }
    }

    /// Accounts and their levels; passwords are looked at here and nowhere else.
    fn users<'a>(&mut self, elements: impl Iterator<Item = Element<'a>>) {
        let mut users: Vec<String> = Vec::new();
        let mut name = String::new();
        for element in elements {
            match element.name {
                "Username" if users.len() < MAX_ACCOUNTS => {
                    name = account(element.text);
                    users.push(name.clone());
                }
                "Password" if self.accounts.len() < MAX_ACCOUNTS => {
                    self.accounts.push((name.clone(), examine(&name, element.text)));
                }
                "UserLevel" => level(&mut users, element.text),
                _ => {}
            }
        }
        self.detail.texts("users", &users);
    }
}

/// Puts the level behind the account told last.
fn level(users: &mut [String], text: &str) {
    if let Some(last) = users.last_mut().filter(|last| !last.contains(" (")) {
        *last = format!("{last} ({})", short(text));
    }
}

fn push(text: &mut String, value: &str) {
    text.extend(value.chars().filter(|c| !c.is_control()).take(MAX_VALUE));
}

fn short(text: &str) -> &str {
    text.char_indices().nth(MAX_VALUE).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// `device` of `http://www.onvif.org/ver10/device/wsdl`.
fn service(namespace: &str) -> Option<&str> {
    if namespace == NOTIFICATION {
        return Some("notification");
    }
    let (version, rest) = namespace.strip_prefix(NAMESPACE)?.split_once('/')?;
    let service = rest.split('/').next().filter(|service| !service.is_empty())?;
    version.bytes().all(|b| b.is_ascii_digit()).then_some(service)
}

/// What the document of an answer amounts to.
#[derive(Clone, Copy, Default, Debug)]
struct Said<'a> {
    /// What went wrong, e.g. `NotAuthorized`; empty if nothing did.
    fault: &'a str,
    /// It was read as a document.
    whole: bool,
}

fn said(document: &[u8]) -> Said<'_> {
    let mut elements = Elements::of(document);
    if elements.enter("Body").is_none() {
        return Said::default();
    }
    let Some(first) = elements.next() else { return Said::default() };
    if first.name != "Fault" {
        return Said { fault: "", whole: true };
    }
    // The innermost code is the finest (SOAP 1.2 section 5.4.6); SOAP 1.1 has but one.
    let codes = elements.take_while(|element| !matches!(element.name, "Reason" | "faultstring"));
    let code = codes.filter(|element| matches!(element.name, "Value" | "faultcode")).last().map_or("Fault", |e| e.text);
    Said { fault: code.rsplit_once(':').map_or(code, |(_, local)| local), whole: true }
}

/// Tells a command with its answer; returns whether it was refused for want of a login.
pub(super) fn tell(
    exchange: &mut Exchange,
    answer: Answer<'_>,
    ends: Ends,
    claims: &mut Claims,
    out: &mut dyn Sink,
) -> bool {
    let said = said(answer.document);
    let done = answer.status == Some(200) && said.fault.is_empty();
    let at = answer.at.unwrap_or(exchange.at);
    let call = &mut exchange.call;
    if done {
        facts(call, answer.document, at, ends, claims, out);
        let (server, transport) = (ends.server, Transport::Tcp);
        let service = Service { server, transport, protocol: NAME, software: answer.server_software, version: "" };
        claims.service(out, at, service);
    }
    let known = class(&call.name);
    if known.is_none() {
        out.mark(Mark::Undecoded("command"));
    }
    let operation = Operation {
        protocol: NAME,
        client: ends.client,
        server: ends.server,
        unit: None,
        code: 0,
        name: &call.name,
        class: known.unwrap_or(OperationClass::Session),
        object: &call.service,
        quantity: None,
        status: answer.status,
        status_name: status_name(answer.status, said.fault),
        latency: answer.at.map(|at| at.ts.0.saturating_sub(exchange.at.ts.0)),
        request_frame: Some(exchange.at.frame),
        reply_frame: answer.at.map(|at| at.frame),
        detail: call.detail.object(&mut call.line),
    };
    out.emit(at, Observation::Operation(operation));
    let refused = matches!(answer.status, Some(401)) || said.fault == "NotAuthorized";
    let outcome = match answer.status {
        _ if refused => Outcome::Failure,
        Some(200) if said.fault.is_empty() => Outcome::Success,
        _ => Outcome::Unknown,
    };
    for (account, secret) in &call.accounts {
        secret.report(claims, out, at, ends, account, outcome);
    }
    if done && said.whole && exchange.attempts.is_empty() && !is_open_to_all(&call.name) {
        let Ends { client, server, protocol } = ends;
        let (account, weakness, rule) = ("", Weakness::Anonymous, "command accepted without a login");
        claims.credential(out, at, Credential { client, server, protocol, account, weakness, rule });
    }
    refused
}

const fn status_name(status: Option<u32>, fault: &str) -> &str {
    match status {
        None => "",
        _ if !fault.is_empty() => fault,
        Some(200..=299) => "OK",
        Some(401) => "Unauthorized",
        Some(403) => "Forbidden",
        Some(404) => "Not Found",
        Some(400..=499) => "client error",
        _ => "server error",
    }
}

/// What an answer says of the device.
fn facts(call: &mut Call, document: &[u8], at: At, ends: Ends, claims: &mut Claims, out: &mut dyn Sink) {
    let subject = ends.server.address;
    let mut elements = Elements::of(document);
    match call.name.as_str() {
        "GetDeviceInformation" => {
            for element in elements {
                let told = INFORMATION.iter().find(|(name, _)| *name == element.name);
                if let Some((_, attribute)) = told {
                    let value = plain(element.text);
                    claims.identify(out, at, subject, (*attribute, short(&value), "onvif device information"));
                }
            }
        }
        "GetHostname" => {
            if let Some(name) = elements.enter("Name") {
                let said = (Attribute::HostName, short(name.text), "onvif host name");
                claims.identify(out, at, subject, said);
            }
        }
        "GetNetworkInterfaces" => {
            for element in elements.filter(|element| element.name == "HwAddress").take(MAX_ITEMS) {
                let said = (Attribute::Mac, short(element.text), "onvif network interface");
                claims.identify(out, at, subject, said);
            }
        }
        "GetScopes" => {
            let mut value = String::new();
            for scope in elements.filter(|element| element.name == "ScopeItem").take(MAX_ITEMS) {
                if let Some(attribute) = ws_discovery::scope(scope.text, &mut value) {
                    claims.identify(out, at, subject, (attribute, &value, "onvif scope"));
                }
            }
        }
        "GetSystemDateAndTime" => clock(elements, at, ends, claims, out),
        "GetUsers" => {
            let mut users: Vec<String> = Vec::new();
            for element in elements {
                match element.name {
                    "Username" if users.len() < MAX_ACCOUNTS => users.push(account(element.text)),
                    "UserLevel" => level(&mut users, element.text),
                    _ => {}
                }
            }
            call.detail.texts("users", &users);
        }
        _ => {}
    }
}

/// The device's clock, as it tells it in UTC (Core Specification, GetSystemDateAndTime).
fn clock(mut elements: Elements<'_>, at: At, ends: Ends, claims: &mut Claims, out: &mut dyn Sink) {
    let subject = ends.server.address;
    if elements.enter("UTCDateTime").is_none() {
        return;
    }
    let names = ["Hour", "Minute", "Second", "Year", "Month", "Day"];
    let mut values = [None; 6];
    for element in elements.take_while(|element| element.name != "LocalDateTime") {
        let slot = names.iter().position(|name| *name == element.name).and_then(|index| values.get_mut(index));
        if let Some(slot) = slot {
            *slot = element.text.parse::<u32>().ok();
        }
    }
    let [Some(hour), Some(minute), Some(second), Some(year), Some(month), Some(day)] = values else { return };
    let Some(device_time) = Timestamp::from_civil(i64::from(year), month, day, hour, minute, second) else { return };
    if claims.first(("onvif clock", subject)) {
        let skew = device_time.since(at.ts);
        out.emit(at, Observation::Clock(Clock { subject, method: "onvif system date and time", device_time, skew }));
    }
}
