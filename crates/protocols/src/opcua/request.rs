//! Requests (OPC 10000-4 section 5): what each asks for.

use std::fmt::Display;

use quaywatch_model::OperationClass;

use super::application::Application;
use super::exchange::Exchange;
use super::names;
use super::reader::{NodeId, Reader, Value};
use super::session::Login;

/// Numeric values written that the detail of one operation lists.
const VALUES_LISTED: usize = 16;
/// Elements of one browse path that are named.
const PATH_LIMIT: usize = 16;
/// Attribute that holds a node's value.
const VALUE: u32 = 13;
/// Methods of the standard that change nothing in a machine: GetMonitoredItems, ResendData, ConditionRefresh, ConditionRefresh2.
const HARMLESS: [u32; 4] = [11492, 12873, 3875, 12912];

/// RequestHeader, as far as it is kept. The authentication token in it is a secret and is passed over.
#[derive(Clone, Copy, Debug)]
pub struct RequestHeader {
    /// The client's clock, nanoseconds since 1970, if it can be one.
    pub time: Option<i64>,
    /// The client's number for the request.
    pub handle: u32,
}

impl RequestHeader {
    /// Reads it.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.node()?;
        let (time, handle) = (reader.time()?, reader.u32()?);
        // Diagnostics wanted; audit entry; timeout.
        reader.u32()?;
        reader.bytes()?;
        reader.u32()?;
        reader.structure()?;
        Some(RequestHeader { time, handle })
    }
}

/// What the body of a request was understood to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Understood {
    /// All of interest was read.
    Yes,
    /// The service is known by name only.
    ByName,
}

/// Reads the body of a request into `ask`; `None` if it is malformed.
pub fn describe(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<Understood> {
    match ask.code {
        names::FIND_SERVERS | names::GET_ENDPOINTS => url(reader, ask)?,
        names::FIND_SERVERS_ON_NETWORK | names::CLOSE_SESSION | names::CLOSE_CHANNEL => {}
        names::REGISTER_SERVER | names::REGISTER_SERVER_2 => register(reader, ask)?,
        names::OPEN_CHANNEL => open_channel(reader, ask)?,
        names::CREATE_SESSION => create_session(reader, ask)?,
        names::ACTIVATE_SESSION => activate_session(reader, ask)?,
        names::READ => read(reader, ask)?,
        names::WRITE => write(reader, ask)?,
        names::BROWSE => browse(reader, ask)?,
        names::BROWSE_NEXT => {
            reader.flag()?;
            let points = reader.skip_array(Reader::bytes)?;
            ask.counted(points);
        }
        names::TRANSLATE_PATHS => each(reader, ask, path)?,
        names::REGISTER_NODES | names::UNREGISTER_NODES => {
            each(reader, ask, |reader, ask| on_node(reader, ask).map(|_| ()))?
        }
        names::HISTORY_READ => history_read(reader, ask)?,
        names::HISTORY_UPDATE => each(reader, ask, history_update)?,
        names::CALL => call(reader, ask)?,
        names::ADD_NODES => each(reader, ask, add_node)?,
        names::ADD_REFERENCES => each(reader, ask, add_reference)?,
        names::DELETE_NODES => each(reader, ask, |reader, ask| {
            on_node(reader, ask)?;
            reader.skip(1)
        })?,
        names::DELETE_REFERENCES => each(reader, ask, delete_reference)?,
        names::CREATE_ITEMS => create_items(reader, ask)?,
        names::MODIFY_ITEMS | names::DELETE_ITEMS | names::SET_MONITORING_MODE | names::SET_TRIGGERING => {
            items(reader, ask)?
        }
        names::CREATE_SUBSCRIPTION | names::MODIFY_SUBSCRIPTION => subscription(reader, ask)?,
        names::SET_PUBLISHING_MODE => {
            let on = reader.flag()?;
            ask.detail.flag("publishing", on);
            each(reader, ask, on_subscription)?;
        }
        names::DELETE_SUBSCRIPTIONS | names::TRANSFER_SUBSCRIPTIONS => each(reader, ask, on_subscription)?,
        names::PUBLISH => {
            let acknowledged = reader.skip_array(|reader| reader.skip(8))?;
            if acknowledged > 0 {
                ask.detail.number("acknowledged", u64::try_from(acknowledged).unwrap_or(u64::MAX));
            }
        }
        names::REPUBLISH => {
            on_subscription(reader, ask)?;
            let number = reader.u32()?;
            ask.detail.number("notification", number.into());
        }
        _ => return Some(Understood::ByName),
    }
    Some(Understood::Yes)
}

/// Reads an array and counts it.
fn each<'a>(
    reader: &mut Reader<'a>,
    ask: &mut Exchange,
    mut one: impl FnMut(&mut Reader<'a>, &mut Exchange) -> Option<()>,
) -> Option<()> {
    let count = reader.count()?;
    for _ in 0..count {
        one(reader, ask)?;
    }
    ask.counted(count);
    Some(())
}

fn on_node<'a>(reader: &mut Reader<'a>, ask: &mut Exchange) -> Option<NodeId<'a>> {
    let node = reader.node()?;
    ask.on(node);
    Some(node)
}

fn on_subscription(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let id = reader.u32()?;
    ask.on(format_args!("subscription {id}"));
    Some(())
}

fn url(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let url = reader.text()?;
    ask.on(url);
    ask.detail.text("endpoint_url", url);
    Some(())
}

fn register(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let (uri, product) = (reader.text()?, reader.text()?);
    ask.on(uri);
    ask.detail.text("product", product);
    reader.skip_array(Reader::localized_text)?;
    let kind = reader.u32()?;
    ask.detail.text("kind", names::application_kind(kind));
    Some(())
}

fn open_channel(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    reader.u32()?;
    let (renew, mode) = (reader.u32()?, reader.u32()?);
    reader.bytes()?;
    let lifetime = reader.u32()?;
    ask.detail
        .text("request", if renew == 0 { "issue" } else { "renew" })
        .text("security_mode", names::security_mode(mode))
        .number("lifetime_ms", lifetime.into());
    Some(())
}

fn create_session(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let client = Application::read(reader)?;
    client.describe(&mut ask.detail);
    let (server, url, name) = (reader.text()?, reader.text()?, reader.text()?);
    ask.on(name);
    ask.detail.text("server_uri", server).text("endpoint_url", url);
    // Nonce and certificate of the client.
    reader.bytes()?;
    reader.bytes()?;
    let timeout = reader.f64()?;
    ask.detail.text("timeout_ms", &timeout.to_string());
    Some(())
}

fn activate_session(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    // Signature of the client; software certificates; locales.
    reader.bytes()?;
    reader.bytes()?;
    reader.skip_array(|reader| reader.bytes().and_then(|_| reader.bytes()))?;
    reader.skip_array(Reader::bytes)?;
    let (kind, body) = reader.structure()?;
    let login = Login::read(kind.standard()?, body)?;
    login.describe(&mut ask.detail);
    ask.login = Some(login);
    Some(())
}

/// A node with the attribute asked for; the value itself is not named. The node is read from the front.
fn on_attribute<'a>(reader: &mut Reader<'a>, ask: &mut Exchange) -> Option<(NodeId<'a>, u32)> {
    let (node, attribute) = (reader.node()?, reader.u32()?);
    // Index range.
    reader.bytes()?;
    if attribute == VALUE {
        ask.on(node);
    } else {
        ask.on(format_args!("{node} {}", names::attribute(attribute)));
    }
    Some((node, attribute))
}

/// ReadValueId.
fn value_id<'a>(reader: &mut Reader<'a>, ask: &mut Exchange) -> Option<(NodeId<'a>, u32)> {
    let read = on_attribute(reader, ask)?;
    reader.qualified_name()?;
    Some(read)
}

fn read(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    reader.skip(12)?;
    let mut place = 0usize;
    each(reader, ask, |reader, ask| {
        let (node, attribute) = value_id(reader, ask)?;
        if let (VALUE, Some(node @ 2254..=2268)) = (attribute, node.standard()) {
            ask.watch(place, node);
        }
        place = place.saturating_add(1);
        Some(())
    })
}

/// Numbers and truth values written are told; texts are not, they may be secrets.
fn write(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let mut values: Vec<String> = Vec::new();
    each(reader, ask, |reader, ask| {
        on_attribute(reader, ask)?;
        let written = reader.data_value()?.value;
        if values.len() < VALUES_LISTED {
            values.push(written.to_string());
        }
        Some(())
    })?;
    ask.detail.list("values", values.iter().map(String::as_str));
    Some(())
}

fn browse(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    // View with time and version; most references wanted.
    reader.node()?;
    reader.skip(16)?;
    each(reader, ask, |reader, ask| {
        on_node(reader, ask)?;
        reader.u32()?;
        reader.node()?;
        reader.skip(9)
    })
}

/// BrowsePath: from a node along names.
fn path(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let start = reader.node()?;
    let mut names: Vec<&str> = Vec::new();
    reader.skip_array(|reader| {
        reader.node()?;
        reader.skip(2)?;
        let name = reader.qualified_name()?;
        if names.len() < PATH_LIMIT {
            names.push(name);
        }
        Some(())
    })?;
    ask.on(Path(start, &names));
    Some(())
}

struct Path<'p>(NodeId<'p>, &'p [&'p str]);

impl Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        self.1.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

fn history_read(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    reader.structure()?;
    reader.skip(5)?;
    each(reader, ask, |reader, ask| {
        on_node(reader, ask)?;
        reader.bytes()?;
        reader.qualified_name()?;
        reader.bytes().map(|_| ())
    })
}

/// Each kind of update begins with the node whose history changes (OPC 10000-11 section 6.8).
fn history_update(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let (_, body) = reader.structure()?;
    if let Some(node) = Reader::new(body).node() {
        ask.on(node);
    }
    Some(())
}

fn call(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let mut harmless = true;
    let mut values: Vec<String> = Vec::new();
    each(reader, ask, |reader, ask| {
        let (object, method) = (reader.node()?, reader.node()?);
        ask.on(format_args!("{object} method {method}"));
        harmless &= method.standard().is_some_and(|method| HARMLESS.contains(&method));
        reader.skip_array(|reader| {
            let argument = reader.variant()?;
            if values.len() < VALUES_LISTED && argument != Value::Null {
                values.push(argument.to_string());
            }
            Some(())
        })?;
        Some(())
    })?;
    ask.detail.list("arguments", values.iter().map(String::as_str));
    if harmless && ask.quantity != Some(0) {
        ask.class = OperationClass::Read;
    }
    Some(())
}

fn add_node(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let parent = reader.node()?;
    // Kind of reference; node id wanted.
    reader.node()?;
    let wanted = reader.node()?;
    let name = reader.qualified_name()?;
    ask.on(format_args!("{wanted} {name} under {parent}"));
    reader.u32()?;
    reader.structure()?;
    reader.node().map(|_| ())
}

fn add_reference(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let source = reader.node()?;
    reader.node()?;
    reader.flag()?;
    reader.bytes()?;
    let target = reader.node()?;
    ask.on(format_args!("{source} to {target}"));
    reader.u32().map(|_| ())
}

fn delete_reference(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let source = reader.node()?;
    reader.node()?;
    reader.flag()?;
    let target = reader.node()?;
    ask.on(format_args!("{source} to {target}"));
    reader.flag().map(|_| ())
}

fn create_items(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let subscription = reader.u32()?;
    ask.detail.number("subscription", subscription.into());
    reader.u32()?;
    each(reader, ask, |reader, ask| {
        value_id(reader, ask)?;
        // Mode; then the client's number, sampling interval, filter, size of the queue, what is discarded.
        reader.skip(16)?;
        reader.structure()?;
        reader.skip(5)
    })
}

/// The services on monitored items that exist: the subscription, then mostly numbers.
fn items(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    let id = reader.u32()?;
    ask.on(format_args!("subscription {id}"));
    match ask.code {
        names::SET_MONITORING_MODE => {
            let mode = match reader.u32()? {
                0 => "Disabled",
                1 => "Sampling",
                2 => "Reporting",
                _ => "unknown mode",
            };
            ask.detail.text("monitoring_mode", mode);
        }
        names::MODIFY_ITEMS | names::SET_TRIGGERING => {
            reader.u32()?;
        }
        _ => {}
    }
    let count = reader.count()?;
    ask.counted(count);
    Some(())
}

fn subscription(reader: &mut Reader<'_>, ask: &mut Exchange) -> Option<()> {
    if ask.code == names::MODIFY_SUBSCRIPTION {
        on_subscription(reader, ask)?;
    }
    let interval = reader.f64()?;
    ask.detail.text("publishing_interval_ms", &interval.to_string());
    // Lifetime and keep-alive counts, most notifications in one message.
    reader.skip(12)
}
