//! The analyzer of one COTP flow: connection operations, and messages handed to what rides on top.

use std::fmt::Write;

use quaywatch_model::{
    At, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Service, Sink, Timestamp, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use super::tpdu::{Connect, Tpdu, reason_name};
use super::transport::{Arrived, TransportLayer};
use super::tsap::{Place, Tsap};
use super::upper::{Message, Upper, UpperKind};
use crate::Analyzer;
use crate::detail_json::DetailJson;

/// Protocol name of the connection's own operations.
const PROTOCOL: &str = "cotp";

/// Added to a disconnect reason to make a status: reason 0 ("not specified") must not read as success.
pub const DISCONNECTED: u32 = 0x8000;

/// Reads one flow of COTP.
#[derive(Default)]
pub struct CotpFlow {
    transport: TransportLayer,
    state: State,
}

/// All but the transport layer, which is borrowed while its events are handled.
#[derive(Default)]
struct State {
    /// A connect or disconnect that waits for its confirmation.
    pending: Option<Control>,
    /// Selectors of the last connect, which a confirmation need not repeat.
    object: String,
    detail: DetailJson,
    line: String,
    unit: Option<u32>,
    /// What the flow was first seen to carry.
    kind: Option<UpperKind>,
    uppers: Vec<(UpperKind, Box<dyn Upper>)>,
    announced: Vec<UpperKind>,
}

#[derive(Clone, Copy)]
struct Control {
    at: At,
    client: Endpoint,
    server: Endpoint,
    code: u32,
    name: &'static str,
}

impl Analyzer for CotpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (transport, state) = (&mut self.transport, &mut self.state);
        if matches!(pdu.flow.transport, Transport::Link(_)) {
            transport.frame(pdu.direction, pdu.data, |arrived| state.arrived(arrived, pdu, out));
        } else if state.is_remote_desktop() {
            out.mark(Mark::Undecoded(UpperKind::Rdp.name()));
        } else {
            transport.stream(pdu.direction, pdu.data, |arrived| state.arrived(arrived, pdu, out));
        }
        if self.transport.is_foreign() && self.state.kind.is_none() {
            out.mark(Mark::NotMine);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.transport.gap(direction);
        for (_, upper) in &mut self.state.uppers {
            upper.gap(direction, out);
        }
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.state.flush(out);
        for (_, upper) in &mut self.state.uppers {
            upper.close(flow, out);
        }
    }

    fn service(&self) -> Option<&'static str> {
        Some(self.state.kind.map_or(PROTOCOL, UpperKind::name))
    }
}

impl State {
    /// Remote desktop leaves TPKT after its connect (TLS, or the fast path of MS-RDPBCGR section 2.2.8.1.2).
    fn is_remote_desktop(&self) -> bool {
        self.kind == Some(UpperKind::Rdp) && self.pending.is_none()
    }

    fn arrived(&mut self, arrived: Arrived<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match arrived {
            Arrived::Control(tpdu) => self.control(tpdu, pdu, out),
            Arrived::Partial(data) => {
                let kind = self.recognise(data);
                if let Some(name) = self.undecoded(kind) {
                    out.mark(Mark::Undecoded(name));
                }
            }
            Arrived::Message(&[]) => {}
            Arrived::Message(data) => self.message(data, pdu, out),
            Arrived::Repeated => out.mark(Mark::Opaque("retransmission")),
            Arrived::Skipped => out.mark(Mark::Undecoded("after lost bytes")),
            Arrived::Broken(name, why) => {
                out.mark(Mark::Malformed(why));
                out.emit(pdu.at, weird(name, why, pdu));
            }
        }
    }

    /// What a message is: by its first bytes, else what the flow carries.
    fn recognise(&self, data: &[u8]) -> Option<UpperKind> {
        let told = UpperKind::of(data);
        match self.kind {
            // A channel of remote desktop carries anything; what looks like another layer there is chance.
            Some(UpperKind::Rdp) => self.kind,
            // A session that was opened for something else than MMS looks like it while it transfers data.
            Some(UpperKind::IsoSession) if told == Some(UpperKind::Mms) && data.first() == Some(&1) => self.kind,
            _ => told.or(self.kind),
        }
    }

    /// The name to count a message under that no analyzer reads.
    fn undecoded(&self, kind: Option<UpperKind>) -> Option<&'static str> {
        match kind {
            Some(kind) => (!kind.is_read()).then(|| kind.name()),
            None => Some("unknown upper layer"),
        }
    }

    fn message(&mut self, data: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let kind = self.recognise(data);
        let Some(kind) = kind else {
            return out.mark(Mark::Undecoded("unknown upper layer"));
        };
        self.kind.get_or_insert(kind);
        self.announce(kind, data, pdu, out);
        let message = Message {
            at: pdu.at,
            direction: pdu.direction,
            sender: pdu.sender(),
            receiver: pdu.receiver(),
            transport: pdu.flow.transport,
            unit: self.unit,
            data,
        };
        if !self.uppers.iter().any(|(known, _)| *known == kind)
            && let Some(upper) = kind.open()
        {
            self.uppers.push((kind, upper));
        }
        match self.uppers.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, upper)) => upper.message(&message, out),
            None => out.mark(Mark::Undecoded(kind.name())),
        }
    }

    /// A service row the first time that the server speaks an upper layer.
    fn announce(&mut self, kind: UpperKind, data: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.announced.contains(&kind) || UpperKind::of(data).is_none() || !kind.from_server(data) {
            return;
        }
        self.announced.push(kind);
        out.emit(
            pdu.at,
            Observation::Service(Service {
                server: pdu.sender(),
                transport: pdu.flow.transport,
                protocol: kind.name(),
                software: "",
                version: "",
            }),
        );
    }

    fn control(&mut self, tpdu: Tpdu<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match tpdu {
            Tpdu::ConnectRequest(connect) => {
                self.flush(out);
                self.describe(&connect);
                self.pending = Some(Control::new(pdu, 0xe0, "connect"));
            }
            Tpdu::ConnectConfirm(connect) => self.confirmed(&connect, pdu, out),
            Tpdu::DisconnectRequest(reason) => self.disconnected(reason, pdu, out),
            Tpdu::DisconnectConfirm => {
                let pending = self.pending.take().filter(|pending| pending.code == 0x80);
                self.emit(pending, Some((0, "disconnect confirmed", pdu)), out);
            }
            Tpdu::Error(cause) => {
                out.emit(pdu.at, weird("cotp_error", error_cause(cause), pdu));
            }
            Tpdu::Expedited(_) => out.mark(Mark::Undecoded("expedited data")),
            Tpdu::Acknowledge | Tpdu::Data { .. } => {}
        }
    }

    fn confirmed(&mut self, connect: &Connect<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let pending = self.pending.take().filter(|pending| pending.code == 0xe0 && pending.server == pdu.sender());
        if pending.is_none() {
            self.describe(connect);
        } else {
            self.detail.number("confirmed_class", connect.class);
            self.detail.number("server_ref", connect.source_reference);
            if let Some(size) = connect.tpdu_size {
                self.detail.number("confirmed_tpdu_size", size);
            }
        }
        if connect.rdp {
            self.kind.get_or_insert(UpperKind::Rdp);
        }
        let request = pending.or_else(|| Some(Control::reversed(pdu, 0xe0, "connect")));
        let seen = pending.is_some();
        self.emit_operation(request, seen, Some((0, "connect confirmed", pdu)), out);
    }

    fn disconnected(&mut self, reason: u8, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let refused = self.pending.take_if(|pending| pending.code == 0xe0 && pending.server == pdu.sender());
        if refused.is_some() {
            let status = DISCONNECTED | u32::from(reason);
            return self.emit(refused, Some((status, reason_name(reason), pdu)), out);
        }
        self.flush(out);
        self.object.clear();
        self.detail.clear();
        self.detail.number("reason", reason);
        self.detail.text("reason_name", reason_name(reason));
        self.pending = Some(Control::new(pdu, 0x80, "disconnect"));
    }

    /// Notes what a connect request (or a confirmation whose request was not seen) says.
    fn describe(&mut self, connect: &Connect<'_>) {
        self.object.clear();
        self.detail.clear();
        if connect.rdp {
            self.kind.get_or_insert(UpperKind::Rdp);
        }
        if let Some(called) = connect.called {
            let _ = write!(self.object, "{}", Tsap(called));
            self.detail.text("called_tsap", Tsap(called));
        }
        if let Some(calling) = connect.calling {
            self.detail.text("calling_tsap", Tsap(calling));
        }
        let place = connect.called.and_then(Place::of);
        self.unit = place.map(Place::unit);
        if let Some(place) = place {
            self.detail.text("resource", place.resource_name());
            self.detail.number("rack", place.rack);
            self.detail.number("slot", place.slot);
        }
        if let Some(size) = connect.tpdu_size {
            self.detail.number("tpdu_size", size);
        }
        self.detail.number("class", connect.class);
        self.detail.number("source_ref", connect.source_reference);
        self.detail.number("destination_ref", connect.destination_reference);
    }

    /// Emits what waits for a confirmation that will not come.
    fn flush(&mut self, out: &mut dyn Sink) {
        let pending = self.pending.take();
        self.emit(pending, None, out);
    }

    fn emit(&mut self, control: Option<Control>, reply: Option<(u32, &str, &Pdu<'_>)>, out: &mut dyn Sink) {
        self.emit_operation(control, true, reply, out);
    }

    fn emit_operation(
        &mut self,
        control: Option<Control>,
        asked: bool,
        reply: Option<(u32, &str, &Pdu<'_>)>,
        out: &mut dyn Sink,
    ) {
        let Some(control) = control else { return };
        let at = reply.map_or(control.at, |(_, _, pdu)| pdu.at);
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: control.client,
                server: control.server,
                unit: self.unit,
                code: control.code,
                name: control.name,
                class: OperationClass::Session,
                object: &self.object,
                quantity: None,
                status: reply.map(|(status, _, _)| status),
                status_name: reply.map_or("", |(_, name, _)| name),
                latency: reply.filter(|_| asked).map(|(_, _, pdu)| Timestamp::since(pdu.at.ts, control.at.ts)),
                request_frame: asked.then_some(control.at.frame),
                reply_frame: reply.map(|(_, _, pdu)| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

impl Control {
    /// Sent by the client.
    fn new(pdu: &Pdu<'_>, code: u32, name: &'static str) -> Self {
        Control { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), code, name }
    }

    /// Told by the server's answer alone.
    fn reversed(pdu: &Pdu<'_>, code: u32, name: &'static str) -> Self {
        Control { at: pdu.at, client: pdu.receiver(), server: pdu.sender(), code, name }
    }
}

/// Reject causes of ER (ISO 8073 section 13.12.3 c).
const fn error_cause(cause: u8) -> &'static str {
    match cause {
        1 => "peer refused a TPDU: invalid parameter code",
        2 => "peer refused a TPDU: invalid TPDU type",
        3 => "peer refused a TPDU: invalid parameter value",
        _ => "peer refused a TPDU",
    }
}

fn weird<'a>(name: &'static str, detail: &'a str, pdu: &Pdu<'_>) -> Observation<'a> {
    Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender: pdu.sender(), receiver: pdu.receiver() })
}
