//! Readers of the documents that an assessor collects: account lists, backup manifests, firewall configurations.
//!
//! A document becomes rows of evidence, each with the line it stands on. Readers state what is written and never judge
//! it. Every line is accounted for: taken, understood without yielding a row, or rejected with the reason. Passwords in
//! a document are never read.
//!
//! A kind is one file with one [`DocumentReader`], listed in the [registry](DOCUMENTS).

#![forbid(unsafe_code)]

mod accounts;
mod backups;
#[cfg(test)]
mod fixtures;
mod iptables;
mod people;
mod reader;
mod reading;
mod registry;
mod restore_tests;
mod scans;
mod sheet;
mod text;
mod work_orders;

pub use reader::{Confidence, Document, DocumentMeta, DocumentReader, load, recognise};
pub use reading::{DocumentError, MAX_REJECTIONS, Reading, Rejection};
pub use registry::DOCUMENTS;
pub use sheet::{Column, MAX_COLUMNS, MAX_LINE};

/// Bytes a document may have.
pub const MAX_DOCUMENT: u64 = 64 << 20;
