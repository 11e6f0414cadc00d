//! Lists of vulnerability scans: `scans.csv`.

use quaywatch_model::document::Scan;
use quaywatch_model::{DocumentRow, RowSink};

use crate::reader::{Confidence, Document, DocumentMeta, DocumentReader};
use crate::sheet::{self, Column};
use crate::{DocumentError, Reading};

/// Reads lists of scans.
pub struct Scans;

static META: DocumentMeta = DocumentMeta {
    kind: "scans",
    title: "Vulnerability scans",
    table: "scans",
    file: "scans.csv",
    scope: "One target of a scan a line: that it was scanned and when, not what was found.",
    columns: &[
        Column::required("target", &["host", "asset", "address", "ip", "network"], "address, network or host name"),
        Column::required("scanned_at", &["scanned", "scan_date", "scan_time", "date"], "when, RFC 3339"),
        Column::optional("scanner", &["tool", "scan_tool"], "with what"),
        Column::optional("credentialed", &["authenticated", "with_login"], "true if with a login on the target"),
    ],
};

impl DocumentReader for Scans {
    fn meta(&self) -> &'static DocumentMeta {
        &META
    }

    fn sniff(&self, head: &[u8], name: &str) -> Confidence {
        sheet::sniff(&META, head, name)
    }

    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError> {
        sheet::read(&META, input, |line| {
            let scanned_at = line.required_time("scanned_at")?;
            let scan = Scan {
                target: line.required("target")?,
                scanned_at: Some(scanned_at),
                scanner: line.text("scanner"),
                credentialed: line.boolean("credentialed")?,
            };
            out.row(line.at(scanned_at), DocumentRow::Scan(scan));
            Ok(())
        })
    }
}
