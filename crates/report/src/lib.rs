//! Report formats, one file each: what an assessment looks like to a person or a machine.
//!
//! Exporters take an [`Assessment`](quaywatch_model::assessment::Assessment) that holds everything they
//! show; none of them queries evidence. All captured text is escaped.

#![forbid(unsafe_code)]

pub mod exporter;
pub mod html;
pub mod json;
mod map;
pub mod terminal;
mod words;

pub use exporter::{EXPORTERS, Exporter, ExporterMeta};
