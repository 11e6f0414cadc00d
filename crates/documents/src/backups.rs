//! Backup manifests: `backups.csv`.

use quaywatch_model::document::Backup;
use quaywatch_model::{DocumentRow, RowSink};

use crate::reader::{Confidence, Document, DocumentMeta, DocumentReader};
use crate::sheet::{self, Column};
use crate::{DocumentError, Reading};

/// Reads backup manifests.
pub struct Backups;

static META: DocumentMeta = DocumentMeta {
    kind: "backups",
    title: "Backup manifest",
    table: "backups",
    file: "backups.csv",
    scope: "One backup a line: of a controller's program, a server, a switch's configuration.",
    columns: &[
        Column::required("asset", &["host", "device", "system", "name"], "host name, address, or crane id / part"),
        Column::required("taken_at", &["taken", "backup_date", "backup_time", "date"], "when, RFC 3339"),
        Column::optional("sha256", &["sha_256", "checksum"], "SHA-256 of the backup, 64 hex digits"),
        Column::optional("offline", &["air_gapped", "is_offline"], "true if kept off the network"),
        Column::optional("location", &["where", "path", "place", "storage"], "where it is kept"),
    ],
};

impl DocumentReader for Backups {
    fn meta(&self) -> &'static DocumentMeta {
        &META
    }

    fn sniff(&self, head: &[u8], name: &str) -> Confidence {
        sheet::sniff(&META, head, name)
    }

    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError> {
        sheet::read(&META, input, |line| {
            let taken_at = line.required_time("taken_at")?;
            let sha256 = line.text("sha256").to_ascii_lowercase();
            let digits = sha256.bytes().filter(u8::is_ascii_hexdigit).count();
            if !sha256.is_empty() && (digits, sha256.len()) != (64, 64) {
                return Err(line.wrong("sha256", "is not 64 hex digits"));
            }
            let backup = Backup {
                asset: line.required("asset")?,
                taken_at: Some(taken_at),
                sha256: &sha256,
                offline: line.boolean("offline")?,
                location: line.text("location"),
            };
            out.row(line.at(taken_at), DocumentRow::Backup(backup));
            Ok(())
        })
    }
}
