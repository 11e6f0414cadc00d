//! Rows from calls and their answers.

use quaywatch_model::{Address, At, Attribute, Endpoint, MacAddr, Observation, Operation, OperationClass, Sink};
use quaywatch_wire::Pdu;

use super::block::Submodule;
use super::call::{Call, Place};
use super::{PROTOCOL, names};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::profinet_dcp::vendor_name;
use crate::profinet_rt::status::PnioStatus;

/// Slot and subslot of a device's own identification.
const SELF: (u16, u16) = (0, 1);
/// Interface of a device; on the others the controller is called.
const DEVICE: u8 = 1;

/// A call that waits for its answer.
#[derive(Debug)]
pub struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    call: Call,
}

impl Ask {
    pub fn new(pdu: &Pdu<'_>, call: Call) -> Self {
        Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), call }
    }
}

/// Emits the rows of one flow.
#[derive(Default)]
pub struct Teller {
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Teller {
    /// What a call says of the two ends.
    pub fn claim_asked(&mut self, pdu: &Pdu<'_>, call: &Call, out: &mut dyn Sink) {
        let (client, server) = (pdu.sender().address, pdu.receiver().address);
        if call.interface == DEVICE
            && let Some((_, vendor)) = call.device
            && let Some(vendor) = vendor_name(vendor)
        {
            self.claims.identify(out, pdu.at, server, (Attribute::Vendor, vendor, "profinet-io-cm object"));
        }
        let Some(relation) = &call.relation else { return };
        if let Some(station) = &relation.station {
            self.claims.identify(out, pdu.at, client, (Attribute::HostName, station, "profinet-io-cm connect"));
        }
        self.claim_mac(client, relation.mac, pdu.at, out);
    }

    fn claim_mac(&mut self, subject: Address, mac: [u8; 6], at: At, out: &mut dyn Sink) {
        if mac != [0; 6] {
            let mac = MacAddr(mac).to_string();
            self.claims.identify(out, at, subject, (Attribute::Mac, &mac, "profinet-io-cm connect"));
        }
    }

    /// An answer, with its call if that came on the same flow.
    pub fn answered(
        &mut self,
        ask: Option<&Ask>,
        pdu: &Pdu<'_>,
        call: Call,
        status: Option<[u8; 4]>,
        out: &mut dyn Sink,
    ) {
        let ends = ask.map_or((pdu.receiver(), pdu.sender()), |ask| (ask.client, ask.server));
        self.detail.clear();
        if let Some(ask) = ask {
            self.asked(&ask.call);
        } else {
            self.records(&call);
        }
        self.replied(&call, ask.is_none());
        if let Some(relation) = &call.relation {
            self.claim_mac(ends.1.address, relation.mac, pdu.at, out);
        }
        if let Some(name) = &call.device_name {
            self.detail.text("device_name", name);
            let claim = (Attribute::HostName, name.as_str(), "profinet-io-cm connect");
            self.claims.identify(out, pdu.at, ends.1.address, claim);
        }
        self.identify(&call, ends.1.address, pdu.at, out);
        let status = match status {
            Some(status) => (u32::from_be_bytes(status), words(status)),
            None if call.refused => (u32::MAX, "refused by the runtime".to_owned()),
            None => (0, "success".to_owned()),
        };
        self.emit(ask, Some((pdu.at, status.0, &status.1)), ends, &call, out);
    }

    /// A call without an answer on its flow.
    pub fn lost(&mut self, ask: &Ask, out: &mut dyn Sink) {
        self.detail.clear();
        self.asked(&ask.call);
        self.emit(Some(ask), None, (ask.client, ask.server), &ask.call, out);
    }

    fn asked(&mut self, call: &Call) {
        self.common(call);
        if let Some(relation) = &call.relation {
            self.detail.text("relation_kind", names::relation(relation.kind));
            self.detail.text("initiator", MacAddr(relation.mac));
            if let Some(station) = &relation.station {
                self.detail.text("station", station);
            }
        }
        self.cyclic("cyclic", call);
        self.submodules("expected", &call.expected);
        self.submodules("different", &call.different);
        self.records(call);
    }

    fn common(&mut self, call: &Call) {
        self.detail.text("activity", call.activity);
        if let Some(id) = call.relation.as_ref().map(|relation| relation.id).or(call.relation_id) {
            self.detail.text("relation", id);
        }
        if let Some((device, vendor)) = call.device {
            self.detail.text("device_id", format_args!("{device:#06x}"));
            self.detail.text("vendor_id", format_args!("{vendor:#06x}"));
        }
    }

    fn cyclic(&mut self, key: &str, call: &Call) {
        if !call.cyclic.is_empty() {
            let each = call.cyclic.iter().map(|(kind, frame)| format!("{} {frame:#06x}", names::cyclic(*kind)));
            self.detail.texts(key, each);
        }
    }

    fn submodules(&mut self, key: &str, submodules: &[Submodule]) {
        if !submodules.is_empty() {
            self.detail.texts(key, submodules.iter().map(Shown));
        }
    }

    fn records(&mut self, call: &Call) {
        if !call.records.is_empty() {
            self.detail.texts("records", &call.records);
        }
    }

    fn replied(&mut self, call: &Call, alone: bool) {
        if alone {
            self.common(call);
        }
        if let Some(relation) = &call.relation {
            self.detail.text("responder", MacAddr(relation.mac));
        }
        self.cyclic("granted", call);
        self.submodules("differs", &call.different);
        let refused = |place: &&Place| place.status.is_some_and(|status| status != [0; 4]);
        if call.records.iter().any(|place| refused(&place)) {
            let each = call.records.iter().filter(refused);
            self.detail
                .texts("refused", each.map(|place| format!("{place}: {}", words(place.status.unwrap_or_default()))));
            let codes = call.records.iter().filter_map(|place| place.status);
            self.detail.texts("record_status", codes.map(|status| format!("{:#010x}", u32::from_be_bytes(status))));
        }
        if let Some(own) = &call.identification {
            for (key, text) in [("order_number", &own.order), ("serial", &own.serial)] {
                if let Some(text) = text {
                    self.detail.text(key, text);
                }
            }
            self.detail.text("software", &own.software);
            self.detail.number("hardware", own.hardware);
        }
        for (key, text) in &call.texts {
            self.detail.text(key, text);
        }
    }

    /// Claims of the device itself; what hangs on it is told in the operation.
    fn identify(&mut self, call: &Call, subject: Address, at: At, out: &mut dyn Sink) {
        let Some(place) = call.records.first() else { return };
        if (place.slot, place.subslot) != SELF {
            return;
        }
        if let Some(own) = &call.identification {
            let method = "profinet-io-cm i&m0";
            let hardware = own.hardware.to_string();
            let claims = [
                (Attribute::Vendor, vendor_name(own.vendor)),
                (Attribute::OrderNumber, own.order.as_deref()),
                (Attribute::Serial, own.serial.as_deref()),
                (Attribute::Firmware, Some(own.software.as_str())),
                (Attribute::Hardware, Some(hardware.as_str())),
            ];
            for (attribute, value) in claims {
                self.claims.identify(out, at, subject, (attribute, value.unwrap_or_default(), method));
            }
        }
        for (_, text) in call.texts.iter().filter(|(key, _)| matches!(*key, "function" | "location")) {
            self.claims.identify(out, at, subject, (Attribute::Location, text, "profinet-io-cm i&m1"));
        }
    }

    fn emit(
        &mut self,
        ask: Option<&Ask>,
        answer: Option<(At, u32, &str)>,
        ends: (Endpoint, Endpoint),
        call: &Call,
        out: &mut dyn Sink,
    ) {
        let told = ask.map_or(call, |ask| &ask.call);
        let Some(at) = answer.map(|(at, ..)| at).or(ask.map(|ask| ask.at)) else { return };
        let (name, class) = names::call(told.number).unwrap_or(("unknown call", OperationClass::Control));
        let class = if is_identification(told) { OperationClass::Identify } else { class };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: ends.0,
                server: ends.1,
                unit: None,
                code: u32::from(told.number),
                name,
                class,
                object: &object(told),
                quantity: quantity(told),
                status: answer.map(|(_, status, _)| status),
                status_name: answer.map_or("", |(_, _, name)| name),
                latency: ask.zip(answer).map(|(ask, (at, ..))| at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|(at, ..)| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

/// A status in words.
fn words(status: [u8; 4]) -> String {
    PnioStatus(u32::from_be_bytes(status)).to_string()
}

fn is_identification(call: &Call) -> bool {
    matches!(call.number, 2 | 5) && call.records.first().is_some_and(|place| (0xaff0..=0xaff4).contains(&place.index))
}

/// Station, record or command that a call is about.
fn object(call: &Call) -> String {
    if let Some(station) = call.relation.as_ref().and_then(|relation| relation.station.as_ref()) {
        return format!("as {station}");
    }
    if let Some(command) = call.command {
        return names::command(command).to_owned();
    }
    match call.records.as_slice() {
        [] => String::new(),
        [one] => format!("{one} {}", names::index(one.index)),
        [_, rest @ ..] => format!("{} records", rest.len()),
    }
}

/// Bytes of one record, or how many records or submodules.
fn quantity(call: &Call) -> Option<u64> {
    match call.records.as_slice() {
        [] if call.expected.is_empty() => None,
        [] => u64::try_from(call.expected.len()).ok(),
        [one] => Some(u64::from(one.length)),
        [_, rest @ ..] => u64::try_from(rest.len()).ok(),
    }
}

/// A submodule as it prints: `slot.subslot module/submodule`, and its state if it differs.
struct Shown<'a>(&'a Submodule);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Submodule { slot, subslot, module, submodule, state } = self.0;
        write!(f, "{slot}.{subslot} {module:#010x}")?;
        if let Some(submodule) = submodule {
            write!(f, "/{submodule:#010x}")?;
        }
        state.map_or(Ok(()), |state| write!(f, " state {state:#06x}"))
    }
}
