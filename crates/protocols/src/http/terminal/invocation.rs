//! What is asked of N4's web services, and the status they answer with.
//!
//! `argobasicservice` takes a scope (`OPERATOR/COMPLEX/FACILITY/YARD`) and a document as text (`basicInvoke`);
//! `argoservice` the same with the scope in four elements (`genericInvoke`). The document's first element is the
//! request: `gate`, `hpu` (holds and permissions), `snx`, `query`, `groovy`, `custom` and others.

use quaywatch_model::OperationClass;

use super::{attribute, said, shown, text_within};
use crate::http::soap::{Element, Elements};

/// Units, holds, parts of a document that are kept; more are counted.
const MAX_LISTED: usize = 16;

/// Elements of the envelope that call the service.
const INVOKES: &[&str] = &["basicInvoke", "genericInvoke", "invokeRequest", "invoke"];
/// Elements of the envelope that hold the document: `request` only below `invokeRequest`.
const DOCUMENTS: &[&str] = &["xmlDoc", "request"];
/// First words of requests that change nothing.
const READING: &[&str] =
    &["query", "read", "get", "find", "search", "list", "lookup", "validate", "inquire", "inquiry", "retrieve"];

/// A request.
#[derive(Default, Debug)]
pub(super) struct Invocation {
    /// Method of the service.
    pub(super) invoke: String,
    /// Where in the terminal: operator, complex, facility, yard.
    pub(super) scope: String,
    /// First element of the document.
    pub(super) root: String,
    /// The elements in it.
    pub(super) parts: Vec<String>,
    /// Filter, entity or code that is named.
    pub(super) object: String,
    pub(super) holds: Vec<String>,
    pub(super) actions: Vec<String>,
    /// Containers and other units.
    pub(super) units: Vec<String>,
    pub(super) unit_count: u64,
    pub(super) gate: String,
    pub(super) stage: String,
}

impl Invocation {
    /// Reads the content of a request, which may be cut.
    pub(super) fn read(&mut self, body: &[u8]) {
        let text = text_within(body);
        let mut elements = Elements::of(text.as_bytes()).peekable();
        // Without an envelope (the REST service) the document may stand alone.
        let first = elements.peek().map_or("", |element| element.name);
        let enveloped = first == "Envelope" || INVOKES.contains(&first);
        // Depth of the element that holds the document, of which all that is deeper is part.
        let mut holder: Option<usize> = None;
        for element in elements {
            if holder.is_some_and(|depth| element.depth <= depth) {
                holder = None;
            }
            match holder {
                _ if !enveloped => self.document(&element, element.depth),
                Some(depth) => self.document(&element, element.depth.saturating_sub(depth).saturating_sub(1)),
                None if DOCUMENTS.contains(&element.name) => holder = Some(element.depth),
                None => self.envelope(&element),
            }
        }
    }

    fn envelope(&mut self, element: &Element<'_>) {
        match element.name {
            name if INVOKES.contains(&name) => name.clone_into(&mut self.invoke),
            // With four elements in it the text is blank.
            "scopeCoordinateIds" | "operatorId" | "complexId" | "facilityId" | "yardId" => {
                self.add_scope(&said(element));
            }
            "handler" => self.object = said(element),
            _ => {}
        }
    }

    /// Adds a part of the scope; an empty one is left out.
    pub(super) fn add_scope(&mut self, part: &str) {
        if part.is_empty() || self.scope.len() > 160 {
            return;
        }
        if !self.scope.is_empty() {
            self.scope.push('/');
        }
        self.scope.push_str(part);
    }

    fn document(&mut self, element: &Element<'_>, level: usize) {
        if level == 0 && self.root.is_empty() {
            self.root = shown(element.name.as_bytes());
        } else if level == 1 {
            keep(&mut self.parts, shown(element.name.as_bytes()));
        }
        match element.name {
            "unit" | "unit-identity" => self.add_unit(attribute(element, "id")),
            "container" | "equipment" => self.add_unit(attribute(element, "eqid")),
            "flag" => {
                keep(&mut self.holds, attribute(element, "hold-perm-id"));
                keep(&mut self.actions, attribute(element, "action"));
            }
            "gate-id" => self.gate = said(element),
            "stage-id" => self.stage = said(element),
            "groovy" => self.object = attribute(element, "class-name"),
            "custom" => self.object = attribute(element, "class"),
            "entityName" => self.object = said(element),
            _ => {}
        }
    }

    fn add_unit(&mut self, unit: String) {
        if !unit.is_empty() {
            self.unit_count = self.unit_count.saturating_add(1);
            keep(&mut self.units, unit);
        }
    }

    /// Whether code stored in the system is run, whose doing its name only hints at.
    fn runs_code(&self) -> bool {
        matches!(self.root.as_str(), "groovy" | "custom")
    }

    /// The request in the service's own words: `gate process-truck`, `hpu`, `snx icu hpu`.
    pub(super) fn name(&self, service: &str) -> String {
        if self.root.is_empty() {
            return if self.invoke.is_empty() { service.to_owned() } else { self.invoke.clone() };
        }
        let mut name = self.root.clone();
        if matches!(self.root.as_str(), "gate" | "snx" | "custom") {
            for part in self.parts.iter().take(4) {
                name.push(' ');
                name.push_str(part);
            }
        }
        name
    }

    /// What it does. A request that was not understood may change something.
    pub(super) fn class(&self) -> OperationClass {
        let reads = |name: &str| {
            let first = name.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
            READING.contains(&first)
        };
        let only_reads = reads(&self.root) || (self.root == "gate" && self.parts.iter().all(|part| reads(part)));
        if self.runs_code() {
            OperationClass::Control
        } else if only_reads && !(self.root == "gate" && self.parts.is_empty()) {
            OperationClass::Read
        } else {
            OperationClass::Write
        }
    }

    /// What it is done to.
    pub(super) fn target(&self) -> String {
        if self.object.is_empty() {
            let mut units = self.units.iter().take(4).cloned().collect::<Vec<_>>().join(" ");
            if self.units.len() > 4 {
                units.push_str(" ...");
            }
            units
        } else {
            self.object.clone()
        }
    }
}

fn keep(list: &mut Vec<String>, text: String) {
    if !text.is_empty() && list.len() < MAX_LISTED && !list.contains(&text) {
        list.push(text);
    }
}

/// An answer of a web service.
#[derive(Default, Debug)]
pub(super) struct Reply {
    /// 0 done, 1 done with information, 2 with warnings, 3 refused.
    pub(super) status: Option<u32>,
    pub(super) status_name: String,
    /// Key of the first message, `ERROR_UNSUPPORTED_XML_ROOT`.
    pub(super) message: String,
}

impl Reply {
    /// Reads the content of an answer; `None` if it says nothing of a status.
    pub(super) fn read(body: &[u8]) -> Option<Reply> {
        let text = text_within(body);
        let mut reply = Reply::default();
        for element in Elements::of(text.as_bytes()) {
            match element.name {
                "argo-response" if reply.status.is_none() => {
                    reply.status = attribute(&element, "status").parse().ok();
                    reply.status_name = attribute(&element, "status-id");
                }
                "Status" | "status" if reply.status.is_none() => reply.status = element.text.parse().ok(),
                "message" if reply.message.is_empty() => reply.message = attribute(&element, "message-id"),
                "Fault" if reply.status.is_none() => (reply.status, reply.status_name) = (Some(3), "soap fault".into()),
                _ => {}
            }
        }
        if reply.status_name.is_empty() {
            let name = match reply.status? {
                0 => "OK",
                1 => "INFO",
                2 => "WARNINGS",
                3 => "ERRORS",
                _ => "",
            };
            name.clone_into(&mut reply.status_name);
        }
        reply.status.is_some().then_some(reply)
    }
}
