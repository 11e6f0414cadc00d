//! Tests of restoring backups: `restore-tests.csv`.

use quaywatch_model::document::RestoreTest;
use quaywatch_model::{DocumentRow, RowSink};

use crate::reader::{Confidence, Document, DocumentMeta, DocumentReader};
use crate::sheet::{self, Column};
use crate::{DocumentError, Reading};

/// Reads lists of restore tests.
pub struct RestoreTests;

static META: DocumentMeta = DocumentMeta {
    kind: "restore-tests",
    title: "Restore tests",
    table: "restore_tests",
    file: "restore-tests.csv",
    scope: "One test of restoring a backup a line.",
    columns: &[
        Column::required(
            "asset",
            &["host", "device", "system", "name"],
            "what was restored, as in the backup manifest",
        ),
        Column::required("tested_at", &["tested", "test_date", "date"], "when, RFC 3339"),
        Column::optional("minutes", &["duration_minutes", "duration", "took"], "minutes it took"),
        Column::required("outcome", &["result", "status"], "ok or failed"),
    ],
};

impl DocumentReader for RestoreTests {
    fn meta(&self) -> &'static DocumentMeta {
        &META
    }

    fn sniff(&self, head: &[u8], name: &str) -> Confidence {
        sheet::sniff(&META, head, name)
    }

    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError> {
        sheet::read(&META, input, |line| {
            let tested_at = line.required_time("tested_at")?;
            let outcome = match line.required("outcome")?.to_lowercase().as_str() {
                "ok" | "passed" | "pass" | "success" | "successful" => "ok",
                "failed" | "fail" | "failure" | "not ok" | "unsuccessful" => "failed",
                _ => return Err(line.wrong("outcome", "is neither ok nor failed")),
            };
            let test = RestoreTest {
                asset: line.required("asset")?,
                tested_at: Some(tested_at),
                minutes: line.amount("minutes")?,
                outcome,
            };
            out.row(line.at(tested_at), DocumentRow::RestoreTest(test));
            Ok(())
        })
    }
}
