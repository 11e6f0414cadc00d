//! Work orders: `work-orders.csv`.

use quaywatch_model::document::WorkOrder;
use quaywatch_model::{DocumentRow, RowSink, Timestamp};

use crate::reader::{Confidence, Document, DocumentMeta, DocumentReader};
use crate::sheet::{self, Column};
use crate::{DocumentError, Reading};

/// Length of a date without time, as in `2026-11-05`.
const DATE: usize = 10;

/// Nanoseconds in a day.
const DAY: i64 = 86_400 * Timestamp::SECOND;

/// Reads work orders.
pub struct WorkOrders;

static META: DocumentMeta = DocumentMeta {
    kind: "work-orders",
    title: "Work orders",
    table: "work_orders",
    file: "work-orders.csv",
    scope: "One announced piece of work or remote session a line, with the time in which it is permitted.",
    columns: &[
        Column::required("id", &["number", "order", "work_order", "ticket"], "number of the work order"),
        Column::required("system", &["asset", "crane", "host", "device"], "crane id, system id or asset worked on"),
        Column::optional("company", &["vendor", "contractor", "firm"], "who does the work"),
        Column::optional("account", &["user", "username", "login"], "account used"),
        Column::optional(
            "source",
            &["work_source", "address", "source_address", "ip"],
            "address or network the work is done from; empty for any",
        ),
        Column::required("from", &["from_ts", "start", "begin", "starts_at"], "start of the permitted time, RFC 3339"),
        Column::required(
            "to",
            &["to_ts", "end", "until", "ends_at"],
            "end of the permitted time, RFC 3339; a date alone means the end of that day",
        ),
        Column::optional("purpose", &["description", "reason", "task"], "what for"),
    ],
};

impl DocumentReader for WorkOrders {
    fn meta(&self) -> &'static DocumentMeta {
        &META
    }

    fn sniff(&self, head: &[u8], name: &str) -> Confidence {
        sheet::sniff(&META, head, name)
    }

    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError> {
        sheet::read(&META, input, |line| {
            let from = line.required_time("from")?;
            let to = match line.required_time("to")? {
                // "Until the 5th" permits the 5th.
                midnight if line.text("to").len() == DATE => Timestamp(midnight.0.saturating_add(DAY)),
                instant => instant,
            };
            if to < from {
                return Err(line.wrong("to", "is before `from`"));
            }
            let order = WorkOrder {
                id: line.required("id")?,
                system: line.required("system")?,
                company: line.text("company"),
                account: line.text("account"),
                work_source: line.network("source")?,
                from_ts: Some(from),
                to_ts: Some(to),
                purpose: line.text("purpose"),
            };
            out.row(line.at(from), DocumentRow::WorkOrder(order));
            Ok(())
        })
    }
}
