//! What replies say of the controller: state, key switch, project, modules.

use std::fmt::Write as _;

use quaywatch_model::{At, Attribute, Endpoint, Sink};

use super::names;
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;

/// Slots of a chassis.
const SLOTS: usize = 16;
/// Bytes of a project's name, with its final zero.
const PROJECT: usize = 10;

/// Where replies are told.
pub struct Listener<'l> {
    /// Place of the reply.
    pub at: At,
    /// The controller.
    pub server: Endpoint,
    /// Says each claim once.
    pub claims: &'l mut Claims,
    /// Takes further facts.
    pub detail: &'l mut DetailJson,
    /// Takes claims.
    pub out: &'l mut dyn Sink,
}

impl Listener<'_> {
    fn claim(&mut self, attribute: Attribute, value: &str, method: &'static str) {
        self.claims.identify(self.out, self.at, self.server.address, (attribute, value, method));
    }

    /// Tells what the data of a reply says, as far as it is known.
    pub fn hear(&mut self, code: u8, data: &[u8]) {
        self.claim(Attribute::Vendor, "Triconex", "tristation");
        let _ = match code {
            106 => self.attached(data),
            108 => self.program_status(data),
            119 => self.chassis_status(data),
            151 => self.module_versions(data),
            _ => None,
        };
    }

    /// Version of the system: its major number in byte 3, its minor number in byte 4.
    fn attached(&mut self, data: &[u8]) -> Option<()> {
        let mut cursor = Cursor::new(data);
        cursor.skip(3)?;
        match (cursor.u8()?, cursor.u8()?) {
            (0, 0) => self.claim(Attribute::Firmware, "Tricon v9", "tristation attach"),
            (10, minor) => self.claim(Attribute::Firmware, &format!("Tricon v10.{minor}"), "tristation attach"),
            _ => {}
        }
        Some(())
    }

    fn state(&mut self, run: u8, key: u8, method: &'static str) {
        if let Some(run) = names::run_state(run) {
            self.detail.text("run_state", run);
            self.claim(Attribute::State, run, method);
        }
        if let Some(key) = names::key_position(key) {
            self.detail.text("key_position", key);
            self.claim(Attribute::State, &format!("key {key}"), method);
        }
    }

    fn project(&mut self, name: &[u8], method: &'static str) {
        if let Some(name) = device_text(name) {
            self.detail.text("project", &name);
            self.claim(Attribute::Project, &name, method);
        }
    }

    fn version(&mut self, minor: u16, major: u16) {
        self.detail.text("project_version", format_args!("{major}.{minor}"));
    }

    fn program_status(&mut self, data: &[u8]) -> Option<()> {
        let mut cursor = Cursor::new(data);
        cursor.skip(2)?;
        let (load_in, change_in, load_state) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let (single_scan, valid, key, run) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
        self.state(run, key, "tristation control program status");
        self.detail.flag("download_all_in_progress", load_in != 0);
        self.detail.flag("download_change_in_progress", change_in != 0);
        self.detail.number("load_state", load_state);
        self.detail.flag("single_scan", single_scan != 0);
        self.detail.flag("program_valid", valid != 0);
        cursor.skip(49)?;
        let (minor, major) = (cursor.le16()?, cursor.le16()?);
        cursor.skip(4)?;
        let name = cursor.take(PROJECT)?;
        self.version(minor, major);
        self.project(name, "tristation control program status");
        Some(())
    }

    fn chassis_status(&mut self, data: &[u8]) -> Option<()> {
        let mut cursor = Cursor::new(data);
        let node = cursor.le16()?;
        cursor.skip(1)?;
        let (run, key) = (cursor.u8()?, cursor.le16()?);
        self.detail.number("node", node);
        self.state(run, u8::try_from(key).unwrap_or(u8::MAX), "tristation chassis status");
        let (minor, major) = (cursor.le16()?, cursor.le16()?);
        cursor.skip(4)?;
        let (asked, actual) = (cursor.le32()?, cursor.le32()?);
        cursor.skip(10)?;
        let name = cursor.take(PROJECT)?;
        self.version(minor, major);
        self.detail.number("scan_time_asked_ms", asked);
        self.detail.number("scan_time_ms", actual);
        self.project(name, "tristation chassis status");
        cursor.skip(124)?;
        let mut slots = String::new();
        for slot in 0..SLOTS {
            let entry = cursor.take(32)?;
            if let Some(kind) = entry.get(2).filter(|kind| **kind != 0) {
                list(&mut slots, slot, u16::from(*kind));
            }
        }
        self.detail.text("modules", slots);
        Some(())
    }

    fn module_versions(&mut self, data: &[u8]) -> Option<()> {
        let mut cursor = Cursor::new(data);
        let (chassis, present) = (cursor.u8()?, cursor.u8()?);
        self.detail.number("chassis", chassis);
        if present != 0xff {
            return Some(());
        }
        let mut slots = String::new();
        for slot in 0..SLOTS {
            let (kind, versions) = (cursor.le16()?, [cursor.le16()?, cursor.le16()?, cursor.le16()?]);
            if kind != 0 {
                list(&mut slots, slot, kind);
                // Writing to a string cannot fail.
                let _ = write!(slots, " firmware {}/{}/{}", versions[0], versions[1], versions[2]);
            }
        }
        self.detail.text("modules", slots);
        // The chassis' own plate comes first, that of the controller 320 bytes on.
        cursor.skip(320)?;
        let (assembly, revision, serial) = (cursor.take(6)?, cursor.take(3)?, cursor.take(8)?);
        let method = "tristation module versions";
        for (attribute, bytes) in
            [(Attribute::OrderNumber, assembly), (Attribute::Hardware, revision), (Attribute::Serial, serial)]
        {
            if let Some(text) = device_text(bytes) {
                self.claim(attribute, &text, method);
            }
        }
        Some(())
    }
}

fn list(slots: &mut String, slot: usize, kind: u16) {
    if !slots.is_empty() {
        slots.push_str(", ");
    }
    // Writing to a string cannot fail.
    let _ = match names::module(kind) {
        Some(name) => write!(slots, "{slot}: {name}"),
        None => write!(slots, "{slot}: type {kind}"),
    };
}
