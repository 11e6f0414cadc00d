//! Responses (OPC 10000-4 section 5): how each item went, and what the server says of itself.

use std::fmt::Write as _;

use quaywatch_model::{Address, At, Attribute, Clock, Endpoint, Observation, Sink, Timestamp};

use crate::claims::Claims;
use crate::detail::Detail;

use super::application::{Application, LISTED, claim_certificate, claim_host, endpoint, host};
use super::exchange::Exchange;
use super::names;
use super::reader::{DataValue, Reader, Value};
use super::request::Understood;
use super::status::Status;

/// Binary encodings of BuildInfo and ServerStatusDataType.
const BUILD_INFO: u32 = 340;
const SERVER_STATUS: u32 = 864;

/// ResponseHeader, as far as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHeader {
    /// The server's clock, nanoseconds since 1970, if it can be one.
    pub time: Option<i64>,
    /// The client's number for the request.
    pub handle: u32,
    /// How the whole of it went.
    pub result: Status,
}

impl ResponseHeader {
    /// Reads it.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (time, handle, result) = (reader.time()?, reader.u32()?, reader.status()?);
        reader.diagnostic()?;
        reader.skip_array(Reader::bytes)?;
        reader.structure()?;
        Some(ResponseHeader { time, handle, result })
    }
}

/// What a response's reader needs besides the response: where it was seen, and where its claims go.
pub struct Telling<'t> {
    /// Place of the response.
    pub at: At,
    /// The server.
    pub server: Endpoint,
    /// Reused: an object within the detail.
    pub inner: &'t mut Detail,
    /// Reused: a list within the detail.
    pub list: &'t mut String,
    /// What was said already.
    pub claims: &'t mut Claims,
    /// Where it goes.
    pub out: &'t mut dyn Sink,
}

/// Reads the body of a response into `ask`; `None` if it is malformed.
pub fn describe(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<Understood> {
    tell.list.clear();
    match ask.code {
        names::FIND_SERVERS => servers(reader, ask, tell)?,
        names::FIND_SERVERS_ON_NETWORK => network(reader, ask, tell)?,
        names::GET_ENDPOINTS => endpoints(reader, ask, tell)?,
        names::OPEN_CHANNEL => {
            reader.u32()?;
            let (channel, token) = (reader.u32()?, reader.u32()?);
            ask.detail.number("opened_channel", channel.into()).number("opened_token", token.into());
        }
        names::CREATE_SESSION => create_session(reader, ask, tell)?,
        names::ACTIVATE_SESSION => {
            reader.bytes()?;
            results(reader, ask, tell, |_| Some(()))?;
        }
        names::READ => values(reader, ask, tell)?,
        names::WRITE
        | names::ADD_REFERENCES
        | names::DELETE_NODES
        | names::DELETE_REFERENCES
        | names::DELETE_ITEMS
        | names::SET_MONITORING_MODE
        | names::SET_PUBLISHING_MODE
        | names::DELETE_SUBSCRIPTIONS
        | names::REGISTER_SERVER_2 => results(reader, ask, tell, |_| Some(()))?,
        names::BROWSE | names::BROWSE_NEXT => browsed(reader, ask, tell)?,
        names::TRANSLATE_PATHS => results(reader, ask, tell, |reader| {
            reader.skip_array(|reader| reader.node().and_then(|_| reader.u32()))?;
            Some(())
        })?,
        names::HISTORY_READ => results(reader, ask, tell, |reader| {
            reader.bytes()?;
            reader.structure().map(|_| ())
        })?,
        names::HISTORY_UPDATE => results(reader, ask, tell, |reader| {
            reader.skip_array(Reader::status)?;
            reader.skip_array(Reader::diagnostic).map(|_| ())
        })?,
        names::CALL => results(reader, ask, tell, |reader| {
            reader.skip_array(Reader::status)?;
            reader.skip_array(Reader::diagnostic)?;
            reader.skip_array(Reader::variant).map(|_| ())
        })?,
        names::ADD_NODES => results(reader, ask, tell, |reader| reader.node().map(|_| ()))?,
        names::CREATE_ITEMS => results(reader, ask, tell, |reader| {
            reader.skip(16)?;
            reader.structure().map(|_| ())
        })?,
        names::MODIFY_ITEMS => results(reader, ask, tell, |reader| {
            reader.skip(12)?;
            reader.structure().map(|_| ())
        })?,
        names::SET_TRIGGERING => {
            results(reader, ask, tell, |_| Some(()))?;
        }
        names::TRANSFER_SUBSCRIPTIONS => {
            results(reader, ask, tell, |reader| reader.skip_array(Reader::u32).map(|_| ()))?;
        }
        names::CREATE_SUBSCRIPTION => {
            let id = reader.u32()?;
            ask.on(format_args!("subscription {id}"));
        }
        names::PUBLISH | names::REPUBLISH => published(reader, ask, tell)?,
        names::REGISTER_SERVER
        | names::CLOSE_SESSION
        | names::CLOSE_CHANNEL
        | names::REGISTER_NODES
        | names::UNREGISTER_NODES
        | names::MODIFY_SUBSCRIPTION => {}
        _ => return Some(Understood::ByName),
    }
    Some(Understood::Yes)
}

/// Emits what a clock says that is not the capture's.
pub fn clock(subject: Address, time: i64, method: &'static str, at: At, out: &mut dyn Sink) {
    let device_time = Timestamp(time);
    out.emit(at, Observation::Clock(Clock { subject, method, device_time, skew: device_time.since(at.ts) }));
}

/// An array of results: a status each, then what `rest` reads over.
fn results<'a>(
    reader: &mut Reader<'a>,
    ask: &mut Exchange,
    tell: &mut Telling<'_>,
    mut rest: impl FnMut(&mut Reader<'a>) -> Option<()>,
) -> Option<()> {
    let mut listed = Listed::new(tell.list);
    reader.skip_array(|reader| {
        listed.add(reader.status()?);
        rest(reader)
    })?;
    listed.conclude(ask);
    Some(())
}

/// The statuses of several items as a JSON list.
struct Listed<'l> {
    list: &'l mut String,
    count: usize,
    /// Status of the first item that failed.
    bad: Option<Status>,
    /// Whether an item went well.
    good: bool,
}

impl<'l> Listed<'l> {
    fn new(list: &'l mut String) -> Self {
        list.clear();
        list.push('[');
        Listed { list, count: 0, bad: None, good: false }
    }

    fn add(&mut self, status: Status) {
        if status.is_bad() {
            self.bad.get_or_insert(status);
        } else {
            self.good = true;
        }
        self.count = self.count.saturating_add(1);
        if self.count <= LISTED {
            let comma = if self.count > 1 { "," } else { "" };
            // The names hold nothing that JSON would have to escape.
            let _ = write!(self.list, "{comma}\"{status}\"");
        }
    }

    /// Ends the list. A request all of whose items failed has failed.
    fn conclude(self, ask: &mut Exchange) {
        ask.failed = self.bad.filter(|_| !self.good);
        self.finish(&mut ask.detail);
    }

    fn finish(self, detail: &mut Detail) {
        self.list.push(']');
        if self.count > 0 {
            detail.object("results", self.list);
        }
    }
}

/// Adds an object to the list of objects that is being written.
fn item(list: &mut String, inner: &mut Detail, count: &mut usize) {
    *count = count.saturating_add(1);
    if *count <= LISTED {
        list.push(if *count == 1 { '[' } else { ',' });
        list.push_str(inner.finish());
    }
}

fn list(ask: &mut Exchange, key: &str, list: &mut String, count: usize) {
    if count > 0 {
        list.push(']');
        ask.detail.object(key, list);
    }
    ask.counted(count);
}

fn servers(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<()> {
    let mut count = 0;
    reader.skip_array(|reader| {
        let server = Application::read(reader)?;
        tell.inner.begin();
        server.describe(tell.inner);
        tell.inner.text("url", server.url);
        item(tell.list, tell.inner, &mut count);
        // A discovery server speaks of others, too: an address in numbers says of whom.
        if let Ok(address) = host(server.url).parse::<std::net::IpAddr>()
            && !address.is_loopback()
        {
            server.claim(address.into(), tell.claims, tell.at, tell.out);
        }
        Some(())
    })?;
    list(ask, "servers", tell.list, count);
    Some(())
}

fn network(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<()> {
    reader.skip(8)?;
    let mut count = 0;
    reader.skip_array(|reader| {
        reader.u32()?;
        let (name, url) = (reader.text()?, reader.text()?);
        reader.skip_array(Reader::bytes)?;
        tell.inner.begin().text("name", name).text("url", url);
        item(tell.list, tell.inner, &mut count);
        Some(())
    })?;
    list(ask, "servers", tell.list, count);
    Some(())
}

fn endpoints(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<()> {
    let subject = tell.server.address;
    let mut count = 0;
    reader.skip_array(|reader| {
        let (server, url, certificate) = endpoint(reader, tell.inner)?;
        item(tell.list, tell.inner, &mut count);
        server.claim(subject, tell.claims, tell.at, tell.out);
        claim_host(url, subject, tell.claims, tell.at, tell.out);
        if !certificate.is_empty() && tell.claims.first(("certificate", certificate)) {
            claim_certificate(certificate, subject, tell.claims, tell.at, tell.out);
        }
        Some(())
    })?;
    list(ask, "endpoints", tell.list, count);
    Some(())
}

fn create_session(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<()> {
    // Session id; authentication token, which is a secret; timeout; nonce; certificate.
    reader.node()?;
    reader.node()?;
    reader.skip(8)?;
    reader.bytes()?;
    reader.bytes()?;
    endpoints(reader, ask, tell)
}

fn browsed(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<()> {
    let mut references = 0usize;
    results(reader, ask, tell, |reader| {
        reader.bytes()?;
        let found = reader.skip_array(|reader| {
            reader.node()?;
            reader.flag()?;
            reader.node()?;
            reader.qualified_name()?;
            reader.localized_text()?;
            reader.u32()?;
            reader.node()
        })?;
        references = references.saturating_add(found);
        Some(())
    })?;
    ask.detail.number("references", u64::try_from(references).unwrap_or(u64::MAX));
    Some(())
}

fn published(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<()> {
    if ask.code == names::PUBLISH {
        let id = reader.u32()?;
        ask.on(format_args!("subscription {id}"));
        reader.skip_array(Reader::u32)?;
        reader.flag()?;
    }
    let number = reader.u32()?;
    reader.skip(8)?;
    let mut changes = 0usize;
    let mut listed = Listed::new(tell.list);
    reader.skip_array(|reader| {
        let (kind, body) = reader.structure()?;
        // DataChangeNotification: the client's number and a value each.
        if kind.standard() == Some(811) {
            let mut body = Reader::new(body);
            let found = body.skip_array(|body| {
                body.u32()?;
                if let Some(status) = body.data_value()?.status {
                    listed.add(status);
                }
                Some(())
            })?;
            changes = changes.saturating_add(found);
        }
        Some(())
    })?;
    if ask.code == names::PUBLISH {
        reader.skip_array(|reader| {
            listed.add(reader.status()?);
            Some(())
        })?;
    }
    listed.finish(&mut ask.detail);
    ask.detail.number("notification", number.into());
    ask.counted(changes);
    Some(())
}

fn values(reader: &mut Reader<'_>, ask: &mut Exchange, tell: &mut Telling<'_>) -> Option<()> {
    let mut build = Build::default();
    let mut listed = Listed::new(tell.list);
    let mut place = 0usize;
    reader.skip_array(|reader| {
        let read = reader.data_value()?;
        listed.add(read.status.unwrap_or(Status(0)));
        if let Some((_, node)) = ask.watched.iter().find(|(watched, _)| *watched == place) {
            build.take(*node, read);
        }
        place = place.saturating_add(1);
        Some(())
    })?;
    listed.conclude(ask);
    build.tell(tell);
    Some(())
}

/// What a server's own nodes say (OPC 10000-5 sections 6.3.6 and 12.4, OPC 10000-6 annex A).
#[derive(Default, Debug)]
struct Build<'a> {
    product: &'a str,
    product_uri: &'a str,
    manufacturer: &'a str,
    version: &'a str,
    number: &'a str,
    state: Option<u32>,
    time: Option<i64>,
}

impl<'a> Build<'a> {
    fn take(&mut self, node: u32, read: DataValue<'a>) {
        match (node, read.value) {
            (2261, Value::Text(text)) => self.product = text,
            (2262, Value::Text(text)) => self.product_uri = text,
            (2263, Value::Text(text)) => self.manufacturer = text,
            (2264, Value::Text(text)) => self.version = text,
            (2265, Value::Text(text)) => self.number = text,
            (2258, Value::Time(time)) => self.time = Some(time),
            (2259, Value::Int(state)) => self.state = u32::try_from(state).ok(),
            (2260, Value::Structure(kind, body)) if kind.standard() == Some(BUILD_INFO) => {
                self.info(&mut Reader::new(body));
            }
            (2256, Value::Structure(kind, body)) if kind.standard() == Some(SERVER_STATUS) => {
                self.status(&mut Reader::new(body));
            }
            _ => {}
        }
    }

    fn info(&mut self, reader: &mut Reader<'a>) -> Option<()> {
        self.product_uri = reader.text()?;
        self.manufacturer = reader.text()?;
        self.product = reader.text()?;
        self.version = reader.text()?;
        self.number = reader.text()?;
        Some(())
    }

    fn status(&mut self, reader: &mut Reader<'a>) -> Option<()> {
        // Since when it runs.
        reader.skip(8)?;
        self.time = reader.time()?;
        self.state = Some(reader.u32()?);
        self.info(reader)
    }

    fn tell(&self, tell: &mut Telling<'_>) {
        let (at, subject) = (tell.at, tell.server.address);
        let mut claim =
            |attribute, value: &str, method| tell.claims.identify(tell.out, at, subject, (attribute, value, method));
        claim(Attribute::Vendor, self.manufacturer, "opcua build info manufacturer");
        claim(Attribute::Product, self.product, "opcua build info product");
        claim(Attribute::Product, self.product_uri, "opcua build info product uri");
        if !self.version.is_empty() {
            let version = format!("{} {} {}", self.product, self.version, self.number);
            claim(
                Attribute::Software,
                version.split_whitespace().collect::<Vec<_>>().join(" ").as_str(),
                "opcua build info software version",
            );
        }
        if let Some(state) = self.state {
            claim(Attribute::State, names::server_state(state), "opcua server state");
        }
        if let Some(time) = self.time
            && tell.claims.first(("clock", subject, "current time"))
        {
            clock(subject, time, "opcua server current time", at, tell.out);
        }
    }
}
