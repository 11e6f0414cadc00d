//! What DCP says about who a station is; each claim once per flow.

use quaywatch_model::{Address, At, Attribute, Identity, Name, NameKind, Observation, Sink};

use super::Wanted;
use super::block::{Block, Frame, IpParameter, role_names};
use super::names::vendor_name;

/// Claims remembered per flow.
pub const CLAIM_LIMIT: usize = 64;

/// Tells each claim once.
#[derive(Default, Debug)]
pub struct Claims {
    told: Vec<(Attribute, String)>,
    line: String,
}

/// Who is spoken of, where, and how it was learned.
#[derive(Clone, Copy)]
struct About {
    subject: Address,
    at: At,
    method: &'static str,
}

impl Claims {
    /// Claims of an answer or a hello: the sender speaks of itself.
    pub fn of_blocks(&mut self, frame: &Frame<'_>, subject: Address, at: At, method: &'static str, out: &mut dyn Sink) {
        let about = About { subject, at, method };
        for block in frame.each().take(super::BLOCK_LIMIT) {
            self.of_block(&block, about, out);
        }
    }

    /// Claims of a set that the station agreed to.
    pub fn of_set(&mut self, wanted: &Wanted, subject: Address, at: At, out: &mut dyn Sink) {
        let about = About { subject, at, method: "profinet-dcp set" };
        if let Some(name) = &wanted.name {
            self.name(name, about, out);
        }
        if let Some(ip) = wanted.ip {
            self.ip(ip, about, out);
        }
    }

    fn of_block(&mut self, block: &Block<'_>, about: About, out: &mut dyn Sink) {
        if let Some(text) = block.text() {
            match block.key() {
                (2, 1) => self.tell(Attribute::Model, &text, about, out),
                (2, 2) => self.name(&text, about, out),
                (2, 6) => {
                    self.tell(Attribute::HostName, &text, About { method: "profinet-dcp alias name", ..about }, out)
                }
                (3, 12) => self.tell(Attribute::HostName, &text, about, out),
                _ => {}
            }
        }
        if let Some(ip) = block.ip() {
            self.ip(ip, about, out);
        }
        if let Some(mac) = block.mac() {
            self.tell(Attribute::Mac, &mac.to_string(), about, out);
        }
        if let Some((vendor, device)) = block.ids() {
            self.ids(block.suboption == 8, vendor, device, about, out);
        }
        for role in block.role().into_iter().flat_map(role_names) {
            self.tell(Attribute::Capability, role, about, out);
        }
    }

    fn ids(&mut self, oem: bool, vendor: u16, device: u16, about: About, out: &mut dyn Sink) {
        let method = if oem { "profinet-dcp oem device id" } else { "profinet-dcp device id" };
        let about = About { method, ..about };
        if let Some(name) = vendor_name(vendor) {
            self.tell(Attribute::Vendor, name, about, out);
        }
        let product = format!("PROFINET vendor {vendor:#06x} device {device:#06x}");
        self.tell(Attribute::Product, &product, about, out);
    }

    fn ip(&mut self, ip: IpParameter, about: About, out: &mut dyn Sink) {
        if ip.ip.is_unspecified() {
            return;
        }
        self.tell(Attribute::Ip, &ip.ip.to_string(), about, out);
        self.tell(Attribute::NetworkSetting, &format!("netmask {}", ip.mask), about, out);
        // A station without a router names itself.
        if !ip.gateway.is_unspecified() && ip.gateway != ip.ip {
            self.tell(Attribute::NetworkSetting, &format!("gateway {}", ip.gateway), about, out);
        }
    }

    fn name(&mut self, name: &str, about: About, out: &mut dyn Sink) {
        if !self.tell_once(Attribute::HostName, name, about, out) {
            return;
        }
        out.emit(
            about.at,
            Observation::Name(Name { subject: about.subject, name, kind: NameKind::Dcp, asker: Address::None }),
        );
    }

    fn tell(&mut self, attribute: Attribute, value: &str, about: About, out: &mut dyn Sink) {
        self.tell_once(attribute, value, about, out);
    }

    /// Emits a claim that was not told before; says whether it did.
    fn tell_once(&mut self, attribute: Attribute, value: &str, about: About, out: &mut dyn Sink) -> bool {
        // A flow has two ends, either of which may speak of itself.
        self.line.clear();
        let _ = std::fmt::Write::write_fmt(&mut self.line, format_args!("{} {value}", about.subject));
        if self.told.iter().any(|(known, text)| *known == attribute && *text == self.line) {
            return false;
        }
        if self.told.len() >= CLAIM_LIMIT {
            self.told.remove(0);
        }
        self.told.push((attribute, self.line.clone()));
        let About { subject, at, method } = about;
        out.emit(at, Observation::Identity(Identity { subject, attribute, value, method }));
        true
    }
}
