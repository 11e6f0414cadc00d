//! Judgement: controls are data (YAML with a SQL query), this crate loads and runs them.
//!
//! Decoders observe and never judge; controls judge and never read bytes. A control's query returns one
//! or more rows a subject:
//!
//! | column | meaning |
//! |---|---|
//! | `subject` | what is judged: an asset, a path, an account |
//! | `status` | `ok`, `alarm`, or `skip` (cannot be judged) |
//! | `reason` | one sentence |
//! | `evidence` | `cite('table', source, frame)`, or empty |
//! | `crane` | optional: id of the crane concerned, or empty |
//!
//! Rows of one subject are joined; one alarm among them makes a finding.

#![forbid(unsafe_code)]

mod cite;
pub mod load;
pub mod registry;
pub mod run;

pub use load::{ControlError, builtin, from_folder};
pub use run::{Outcome, run};
