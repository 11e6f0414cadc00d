//! SQL over the evidence tables. Nobody else names the engine, DataFusion.
//!
//! A [`Session`] opens a [`Store`](quaywatch_evidence::Store) read-only and answers queries within limits of
//! memory. Besides standard SQL it knows the functions of [`FUNCTIONS`].

#![forbid(unsafe_code)]

mod decode;
mod error;
mod format;
mod functions;
mod rows;
mod session;
mod tables;

pub use error::QueryError;
pub use format::Format;
pub use functions::{FUNCTIONS, FunctionDoc};
pub use rows::{Rows, Value};
pub use session::{Limits, Session};
