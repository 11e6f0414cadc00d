//! Terminal operating systems in HTTP: Navis N4 (Kaleris) with its web services, its ULC client and the Java Web Start
//! files that start it, and the older Navis WebAccess.
//!
//! A request is known by its target, told by what its document says, and completed by the status that the answer's
//! document gives. The flow is told as `navis` from such a request on.

mod invocation;
mod java;
mod jnlp;
mod tell;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use quaywatch_model::At;

use self::invocation::{Invocation, Reply};
use self::jnlp::Launch;
use super::head::Head;
use super::soap::{Element, plain};

pub(super) use self::java::is_start as is_java;
pub(super) use self::tell::java as tell_java;

/// Its name, for rows.
pub(super) const NAME: &str = "navis";
/// Longest document of a request or an answer that is kept; of a longer one its beginning is read.
pub(super) const MAX_DOCUMENT: usize = 64 * 1024;
/// Bytes kept of a stream of Java objects: enough for the name of the first class.
pub(super) const MAX_JAVA: usize = 1024;
/// Characters kept of a text that is shown.
const MAX_TEXT: usize = 160;

/// What a request asks for, by its target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// A web service: `/apex/services/argoservice` (SOAP) or `/apex/rest/xml/argoservice`.
    Service,
    /// The description of a web service (`?wsdl`), or its page.
    Description,
    /// A stored filter: `/apex/api/query?filtername=`.
    Query,
    /// Stored code: `/apex/api/codeextension?extensionname=`.
    Extension,
    /// A round of the Ultra Light Client: `/ulc`, `/apex/x.ulc`, `/ulcservlet`.
    Ulc,
    /// A file of Java Web Start; of the terminal operating system where its path or content says so.
    Launch { ours: bool },
    /// A page of Navis WebAccess: `/express/showNotice.do`.
    WebAccess,
    /// Another page on a flow known to be of a terminal operating system.
    Page,
}

impl Asked {
    /// Whether the request alone tells that the flow is of a terminal operating system.
    pub(super) const fn names_flow(self) -> bool {
        !matches!(self, Asked::Launch { ours: false })
    }
}

/// Web services of N4, by the last part of their path.
const SERVICES: &[&str] = &["argoservice", "argobasicservice"];
/// Those whose names others might bear: N4's only below `/apex/`.
const APEX_SERVICES: &[&str] = &["inventoryservice", "serviceservice"];
/// Pages of WebAccess that no other product under `/express` has.
const WEB_ACCESS: &[&str] = &["shownotice.do", "today.jsp"];

/// What is asked, if it is of interest here. `known`: the flow is of a terminal operating system.
pub(super) fn asked(method: &str, target: &[u8], known: bool) -> Option<Asked> {
    let (path, query) = parts(target);
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let is = |name: &str| last.eq_ignore_ascii_case(name.as_bytes());
    let ends = |end: &str| {
        last.len()
            .checked_sub(end.len())
            .and_then(|at| last.get(at..))
            .is_some_and(|tail| last.len() > end.len() && tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    let apex = starts(path, "/apex/");
    if SERVICES.iter().any(|name| is(name)) || (apex && APEX_SERVICES.iter().any(|name| is(name))) {
        return Some(if matches!(method, "GET" | "HEAD") { Asked::Description } else { Asked::Service });
    }
    if is("ulc") || is("ulcservlet") || ends(".ulc") {
        return Some(Asked::Ulc);
    }
    if ends(".jnlp") {
        return Some(Asked::Launch { ours: apex || known });
    }
    if apex && is("query") && parameter(query, "filtername").is_some() {
        return Some(Asked::Query);
    }
    if apex && is("codeextension") && parameter(query, "extensionname").is_some() {
        return Some(Asked::Extension);
    }
    if starts(path, "/express/") && (known || WEB_ACCESS.iter().any(|name| is(name))) && (ends(".do") || ends(".jsp")) {
        return Some(Asked::WebAccess);
    }
    (known && method == "GET" && apex && (last.is_empty() || ends(".html") || ends(".htm") || ends(".jsp")))
        .then_some(Asked::Page)
}

fn starts(path: &[u8], start: &str) -> bool {
    path.get(..start.len()).is_some_and(|front| front.eq_ignore_ascii_case(start.as_bytes()))
}

/// Path without scheme, host and parameters; and query.
fn parts(target: &[u8]) -> (&[u8], &[u8]) {
    let target = match target.strip_prefix(b"http://") {
        Some(rest) => rest.iter().position(|byte| *byte == b'/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => target,
    };
    let mut halves = target.splitn(2, |byte| *byte == b'?');
    let path = halves.next().unwrap_or_default();
    (path.split(|byte| *byte == b';').next().unwrap_or_default(), halves.next().unwrap_or_default())
}

/// The value of a parameter of a query, as it stands.
fn parameter<'q>(query: &'q [u8], name: &str) -> Option<&'q [u8]> {
    query.split(|byte| *byte == b'&').find_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (key, value) = pair.split_at_checked(at)?;
        key.eq_ignore_ascii_case(name.as_bytes()).then(|| value.get(1..).unwrap_or_default())
    })
}

/// Text as it is shown: trimmed, printable, limited.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..MAX_TEXT * 4).unwrap_or(bytes));
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect()
}

/// A document as text, character data in it as markup: so the document within a SOAP request is mostly sent.
fn text_of(document: &[u8]) -> String {
    String::from_utf8_lossy(document).replace("<![CDATA[", "").replace("]]>", "")
}

/// The same where a document may also be sent as text within another.
fn text_within(document: &[u8]) -> String {
    let text = text_of(document);
    match plain(&text) {
        Cow::Owned(plain) => text_of(plain.as_bytes()),
        Cow::Borrowed(_) => text,
    }
}

/// Text of an element, shown.
fn said(element: &Element<'_>) -> String {
    shown(plain(element.text).as_bytes())
}

/// An attribute, shown; empty where there is none.
fn attribute(element: &Element<'_>, name: &str) -> String {
    shown(plain(element.attribute(name).unwrap_or_default()).as_bytes())
}

/// What is known of the first content of a request of the Ultra Light Client.
#[derive(Default, Debug)]
struct Content {
    /// `java`, `zlib`, `gzip`, `other`, or empty if there was none.
    coding: &'static str,
    /// Class of the first Java object, if it is a stream of those: as it stands or unpacked.
    class: Option<String>,
}

/// What the document of an answer says.
#[derive(Default, Debug)]
struct Answered {
    reply: Option<Reply>,
    launch: Option<Launch>,
    /// Product and version that a page names.
    product: Option<(&'static str, String)>,
}

/// One request to a terminal operating system with what it and its answer say.
#[derive(Debug)]
pub(super) struct Call {
    asked: Asked,
    at: At,
    /// The target without its query, secrets replaced.
    path: String,
    /// `argoservice` and the like: last part of the path.
    service: String,
    content_type: String,
    /// Java version of the client, out of its User-Agent.
    java: String,
    /// Of a query: where in the terminal, and the filter or code asked for.
    invocation: Invocation,
    /// A key in the query that should be a number and is none.
    bad_key: bool,
    content: Content,
    /// Status of HTTP.
    status: Option<u32>,
    encoding: Encoding,
    is_html: bool,
    answered: Answered,
}

/// How an answer is packed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Encoding {
    #[default]
    Plain,
    Gzip,
    Unknown,
}

impl Call {
    /// A request with this target, of which `uri` may be shown.
    pub(super) fn new(asked: Asked, at: At, target: &[u8], uri: &str, head: &Head<'_>) -> Self {
        let (path, query) = parts(target);
        let mut invocation = Invocation::default();
        for name in ["operatorId", "complexId", "facilityId", "yardId"] {
            if let Some(value) = parameter(query, name) {
                invocation.add_scope(&shown(value));
            }
        }
        let wanted = match asked {
            Asked::Query => parameter(query, "filtername"),
            Asked::Extension => parameter(query, "extensionname"),
            _ => None,
        };
        invocation.object = shown(wanted.unwrap_or_default());
        let key = parameter(query, "GKEY").filter(|_| asked == Asked::WebAccess);
        Call {
            asked,
            at,
            path: shown(uri.split(['?', ';']).next().unwrap_or_default().as_bytes()),
            service: shown(path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()),
            content_type: essence(head.content_type),
            java: java::version(head.user_agent),
            invocation,
            bad_key: key.is_some_and(|key| !key.iter().all(u8::is_ascii_digit)),
            content: Content::default(),
            status: None,
            encoding: Encoding::Plain,
            is_html: false,
            answered: Answered::default(),
        }
    }

    /// Whether the request's content is to be kept.
    pub(super) fn has_document(&self) -> bool {
        matches!(self.asked, Asked::Service | Asked::Ulc)
    }

    /// Takes the request's content, whole or its beginning.
    pub(super) fn read_request(&mut self, at: At, body: &[u8]) {
        self.at = at;
        if body.is_empty() {
            return;
        }
        self.content = java::content(body);
        if self.asked == Asked::Service && self.content.class.is_none() {
            self.invocation.read(body);
        }
    }

    /// Takes the head of the answer.
    pub(super) fn answered(&mut self, status: u32, head: &Head<'_>) {
        self.status = Some(status);
        let kind = essence(head.content_type);
        self.is_html = kind == "text/html" || kind == "application/xhtml+xml";
        let encoding = head.content_encoding;
        self.encoding = if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") {
            Encoding::Plain
        } else if encoding.eq_ignore_ascii_case(b"gzip") || encoding.eq_ignore_ascii_case(b"x-gzip") {
            Encoding::Gzip
        } else {
            Encoding::Unknown
        };
    }

    /// Whether the answer's content is to be kept.
    pub(super) fn is_answer_kept(&self) -> bool {
        self.encoding != Encoding::Unknown
            && match self.asked {
                Asked::Service => true,
                Asked::Launch { .. } => self.status == Some(200),
                Asked::WebAccess | Asked::Page => self.is_html,
                Asked::Description | Asked::Query | Asked::Extension | Asked::Ulc => false,
            }
    }

    /// Takes the answer's content, whole or its beginning.
    pub(super) fn read_answer(&mut self, body: &[u8]) {
        let unpacked = (self.encoding == Encoding::Gzip).then(|| java::gunzip(body));
        let body = unpacked.as_deref().unwrap_or(body);
        match self.asked {
            Asked::Service => self.answered.reply = Reply::read(body),
            Asked::Launch { .. } => self.answered.launch = Launch::read(body),
            Asked::WebAccess | Asked::Page => self.answered.product = tell::product(body),
            _ => {}
        }
    }

    /// Whether it is known by now that this was of a terminal operating system.
    pub(super) fn is_terminal(&self) -> bool {
        self.asked.names_flow() || self.answered.launch.as_ref().is_some_and(Launch::is_navis)
    }
}

/// A content type without its parameters, in lower case.
fn essence(content_type: &[u8]) -> String {
    shown(content_type.split(|byte| *byte == b';').next().unwrap_or_default()).to_ascii_lowercase()
}
