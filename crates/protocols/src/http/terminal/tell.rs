//! Rows of a request to a terminal operating system with its answer.

use quaywatch_model::{At, Attribute, Cargo, Observation, Operation, OperationClass, Outcome, Session, Sink, Weird};

use super::jnlp::Launch;
use super::{Asked, Call, NAME, java};
use crate::edifact;
use crate::http::auth;
use crate::http::exchange::Speaker;
use crate::login::Ends;

/// Products as their pages name them.
const PRODUCTS: &[&str] = &["Navis N4", "SPARCS N4", "Kaleris N4", "Navis WebAccess"];
/// Characters between a product and its version: `Navis N4 - Version: 3.8.21`, also with markup between.
const MAX_BETWEEN: usize = 40;

impl Speaker {
    /// The rows of a request and its answer, which came at `reply` if at all.
    pub(in crate::http) fn call(&mut self, call: &Call, reply: Option<At>, ends: Ends, out: &mut dyn Sink) {
        let ends = Ends { protocol: NAME, ..ends };
        let at = reply.unwrap_or(call.at);
        if call.bad_key {
            weird("navis_webaccess_key", "the key of a notice is not a number", at, ends, out);
        }
        if let Some(class) = &call.content.class {
            java_weird(class, at, ends, out);
        }
        self.clients_java(call, at, ends, out);
        self.product(call, at, ends, out);
        match call.asked {
            Asked::Page => {}
            Asked::Launch { .. } => self.launch(call, reply, ends, out),
            Asked::Ulc => self.ulc(call, reply, ends, out),
            _ => self.invocation(call, reply, ends, out),
        }
    }

    fn clients_java(&mut self, call: &Call, at: At, ends: Ends, out: &mut dyn Sink) {
        if !call.java.is_empty() {
            let value = format!("Java {}", call.java);
            let claim = (Attribute::Software, value.as_str(), "java user-agent");
            self.claims.identify(out, at, ends.client.address, claim);
        }
    }

    /// What the server is: by a path that it answered, or as its page says.
    fn product(&mut self, call: &Call, at: At, ends: Ends, out: &mut dyn Sink) {
        let served = call.status.is_some_and(|status| (200..300).contains(&status)) || call.answered.reply.is_some();
        let by_path = match call.asked {
            Asked::Service | Asked::Description | Asked::Query | Asked::Extension => "Navis N4",
            Asked::WebAccess => "Navis WebAccess",
            Asked::Ulc | Asked::Launch { .. } | Asked::Page => "",
        };
        let mut claim = |attribute, value: &str, method| {
            self.claims.identify(out, at, ends.server.address, (attribute, value, method));
        };
        if served && !by_path.is_empty() {
            claim(Attribute::Product, by_path, "navis path");
            claim(Attribute::Vendor, "Navis", "navis path");
        }
        if let Some((product, version)) = &call.answered.product {
            claim(Attribute::Product, product, "navis page");
            if !version.is_empty() {
                claim(Attribute::Software, &format!("{product} {version}"), "navis page");
            }
        }
    }

    fn invocation(&mut self, call: &Call, reply: Option<At>, ends: Ends, out: &mut dyn Sink) {
        use OperationClass::{Control, Identify, Read};
        let invocation = &call.invocation;
        let (name, class, object) = match (call.asked, &call.content.class) {
            (_, Some(class)) => ("java-object".to_owned(), Control, class.clone()),
            (Asked::Query, _) => ("query".to_owned(), Read, invocation.object.clone()),
            (Asked::Extension, _) => ("codeextension".to_owned(), Control, invocation.object.clone()),
            (Asked::Description, _) => ("describe".to_owned(), Identify, call.service.clone()),
            (Asked::WebAccess, _) => ("webaccess".to_owned(), Read, call.service.clone()),
            _ => (invocation.name(&call.service), invocation.class(), invocation.target()),
        };
        let service = if call.asked == Asked::Service { call.service.as_str() } else { "" };
        let message = call.answered.reply.as_ref().map_or("", |reply| reply.message.as_str());
        self.detail
            .begin()
            .text("path", &call.path)
            .text("service", service)
            .text("invoke", &invocation.invoke)
            .text("scope", &invocation.scope)
            .text("gate", &invocation.gate)
            .text("stage", &invocation.stage)
            .list("holds", invocation.holds.iter().map(String::as_str))
            .list("actions", invocation.actions.iter().map(String::as_str))
            .text("message", message);
        let quantity = (invocation.unit_count > 0).then_some(invocation.unit_count);
        self.operation(call, (&name, class, &object, quantity), reply, ends, out);
        for unit in &invocation.units {
            let Some(check) = edifact::container(unit) else { continue };
            let row = Cargo {
                sender: ends.client,
                receiver: ends.server,
                protocol: NAME,
                message: &name,
                reference: "",
                kind: "container",
                id: unit,
                check: Some(check),
                size_type: "",
                detail: "",
            };
            out.emit(reply.unwrap_or(call.at), Observation::Cargo(row));
        }
    }

    /// The client talks all the time: it is told once a flow, and again when its content becomes something else.
    fn ulc(&mut self, call: &Call, reply: Option<At>, ends: Ends, out: &mut dyn Sink) {
        let class = call.content.class.as_deref();
        if !self.claims.first(("ulc", call.content.coding, class)) {
            return;
        }
        self.detail
            .begin()
            .text("path", &call.path)
            .text("content_type", &call.content_type)
            .text("coding", call.content.coding);
        let what = match class {
            Some(class) => ("java-object", OperationClass::Control, class, None),
            None => ("ulc", OperationClass::Session, "", None),
        };
        self.operation(call, what, reply, ends, out);
        let session = Session {
            client: ends.client,
            server: ends.server,
            protocol: NAME,
            version: "",
            user: "",
            method: "ulc",
            outcome: call.status.map_or(Outcome::Unknown, auth::outcome),
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: "",
        };
        self.claims.session(out, reply.unwrap_or(call.at), session);
    }

    fn launch(&mut self, call: &Call, reply: Option<At>, ends: Ends, out: &mut dyn Sink) {
        let none = Launch::default();
        let launch = call.answered.launch.as_ref().unwrap_or(&none);
        let at = reply.unwrap_or(call.at);
        let mut claim = |attribute, value: &str, method| {
            self.claims.identify(out, at, ends.server.address, (attribute, value, method));
        };
        claim(Attribute::Product, &launch.title, "jnlp title");
        claim(Attribute::Vendor, &launch.vendor, "jnlp vendor");
        if !launch.version.is_empty() {
            claim(Attribute::Software, &format!("{} {}", launch.title, launch.version), "jnlp version");
        }
        for version in &launch.java {
            claim(Attribute::Software, &format!("Web Start application for Java {version}"), "jnlp java version");
        }
        // Consoles of servers and switches are started so as well: those are no operations of a terminal.
        if !call.is_terminal() {
            return;
        }
        let detail = self
            .detail
            .begin()
            .text("title", &launch.title)
            .text("vendor", &launch.vendor)
            .text("version", &launch.version)
            .text("codebase", &launch.codebase)
            .text("main_class", &launch.main_class)
            .list("java", launch.java.iter().map(String::as_str))
            .list("jars", launch.jars.iter().map(String::as_str));
        if call.answered.launch.is_some() {
            detail.flag("all_permissions", launch.all_permissions);
        }
        let jars = (launch.jar_count > 0).then_some(launch.jar_count);
        self.operation(call, ("jnlp", OperationClass::Read, &call.path, jars), reply, ends, out);
    }

    /// An operation; its further facts were begun in `detail`.
    fn operation(
        &mut self,
        call: &Call,
        (name, class, object, quantity): (&str, OperationClass, &str, Option<u64>),
        reply: Option<At>,
        ends: Ends,
        out: &mut dyn Sink,
    ) {
        let (status, status_name) = status(call);
        let row = Operation {
            protocol: NAME,
            client: ends.client,
            server: ends.server,
            unit: None,
            code: 0,
            name,
            class,
            object,
            quantity,
            status,
            status_name: &status_name,
            latency: reply.map(|reply| reply.ts.since(call.at.ts)),
            request_frame: Some(call.at.frame),
            reply_frame: reply.map(|reply| reply.frame),
            detail: self.detail.finish(),
        };
        out.emit(reply.unwrap_or(call.at), Observation::Operation(row));
    }
}

/// The service's own status; else success for 2xx of HTTP, or the status of HTTP.
fn status(call: &Call) -> (Option<u32>, String) {
    match (&call.answered.reply, call.status) {
        (Some(reply), _) => (reply.status, reply.status_name.clone()),
        (None, Some(status @ 200..=299)) => (Some(0), format!("http {status}")),
        (None, Some(status)) => (Some(status), format!("http {status}")),
        (None, None) => (None, String::new()),
    }
}

fn weird(name: &'static str, detail: &str, at: At, ends: Ends, out: &mut dyn Sink) {
    let Ends { client: sender, server: receiver, protocol } = ends;
    out.emit(at, Observation::Weird(Weird { name, protocol, detail, sender, receiver }));
}

fn java_weird(class: &str, at: At, ends: Ends, out: &mut dyn Sink) {
    let class = if class.is_empty() { "unknown" } else { class };
    weird(
        "http_java_serialized_object",
        &format!("a request carries Java objects, the first of class {class}"),
        at,
        ends,
        out,
    );
}

/// Tells of Java objects in a request to anything.
pub(in crate::http) fn java(body: &[u8], at: At, ends: Ends, out: &mut dyn Sink) {
    if let Some(class) = java::first_class(body) {
        java_weird(&class, at, ends, out);
    }
}

/// Product and version that a page names.
pub(super) fn product(page: &[u8]) -> Option<(&'static str, String)> {
    let text = String::from_utf8_lossy(page);
    let mut named = None;
    for product in PRODUCTS {
        for (at, _) in text.match_indices(product) {
            named = named.or(Some((*product, String::new())));
            let version = version(text.get(at + product.len()..).unwrap_or_default());
            if !version.is_empty() {
                return Some((product, version.to_owned()));
            }
        }
    }
    named
}

/// Digits with points between them, close behind.
fn version(text: &str) -> &str {
    let Some(start) = text.char_indices().take(MAX_BETWEEN).find(|(_, c)| c.is_ascii_digit()) else { return "" };
    let text = text.get(start.0..).unwrap_or_default();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let version = text.get(..end.min(24)).unwrap_or_default().trim_end_matches('.');
    if version.contains('.') { version } else { "" }
}
