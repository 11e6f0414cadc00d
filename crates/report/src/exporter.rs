//! What a report format is, and the list of them.

use std::io::{self, Write};

use quaywatch_model::assessment::Assessment;

/// Facts about a format.
#[derive(Clone, Copy, Debug)]
pub struct ExporterMeta {
    /// Name of the format.
    pub name: &'static str,
    /// File in the case folder.
    pub file: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

/// Writes an assessment in one format.
pub trait Exporter: Sync {
    /// Facts about the format.
    fn meta(&self) -> &'static ExporterMeta;

    /// Writes the whole file.
    ///
    /// # Errors
    /// Those of `out`.
    fn write(&self, assessment: &Assessment, out: &mut dyn Write) -> io::Result<()>;
}

/// The formats written into a case folder, in this order.
pub static EXPORTERS: &[&dyn Exporter] = &[&crate::html::Html, &crate::json::Findings, &crate::json::Inventory];
