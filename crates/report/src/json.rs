//! JSON for machines: the assessment with its findings, and the inventory.

use std::io::{self, Write};

use quaywatch_model::assessment::Assessment;
use serde::Serialize;
use serde_json::json;

use crate::{Exporter, ExporterMeta};

/// `findings.json`: everything but the inventory.
pub struct Findings;

/// `inventory.json`: assets with the provenance of every attribute.
pub struct Inventory;

fn write_pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

impl Exporter for Findings {
    fn meta(&self) -> &'static ExporterMeta {
        &ExporterMeta {
            name: "findings",
            file: "findings.json",
            purpose: "verdicts, findings with evidence, coverage and limits for machines",
        }
    }

    fn write(&self, assessment: &Assessment, out: &mut dyn Write) -> io::Result<()> {
        let mut value = serde_json::to_value(assessment)?;
        if let Some(object) = value.as_object_mut() {
            object.remove("assets");
        }
        write_pretty(&value, out)
    }
}

impl Exporter for Inventory {
    fn meta(&self) -> &'static ExporterMeta {
        &ExporterMeta {
            name: "inventory",
            file: "inventory.json",
            purpose: "assets with every attribute, how it was learned and how far it is believed",
        }
    }

    fn write(&self, assessment: &Assessment, out: &mut dyn Write) -> io::Result<()> {
        let Assessment { site, as_of, assets, tool_version, .. } = assessment;
        write_pretty(&json!({ "tool_version": tool_version, "site": site, "as_of": as_of, "assets": assets }), out)
    }
}
