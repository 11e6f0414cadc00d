//! Lists of people: `people.csv`.

use quaywatch_model::document::Person;
use quaywatch_model::{DocumentRow, RowSink, Timestamp};

use crate::reader::{Confidence, Document, DocumentMeta, DocumentReader};
use crate::sheet::{self, Column};
use crate::{DocumentError, Reading};

/// Reads lists of people.
pub struct People;

static META: DocumentMeta = DocumentMeta {
    kind: "people",
    title: "List of people",
    table: "people",
    file: "people.csv",
    scope: "One person a line who holds or held accounts, from the personnel office. Who has no day of leaving is still \
            here.",
    columns: &[
        Column::required("person", &["name", "full_name", "display_name", "employee"], "name as in the account list"),
        Column::optional("role", &["function", "title", "job_title", "position"], "function"),
        Column::required(
            "left_on",
            &["left", "leaving_date", "end_date", "leave_date"],
            "day of leaving; empty if still here",
        ),
    ],
};

impl DocumentReader for People {
    fn meta(&self) -> &'static DocumentMeta {
        &META
    }

    fn sniff(&self, head: &[u8], name: &str) -> Confidence {
        sheet::sniff(&META, head, name)
    }

    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError> {
        sheet::read(&META, input, |line| {
            let person =
                Person { person: line.required("person")?, role: line.text("role"), left_on: line.time("left_on")? };
            out.row(line.at(Timestamp::default()), DocumentRow::Person(person));
            Ok(())
        })
    }
}
