//! Evidence as Arrow tables in Parquet files: append-only, written while decoding, in bounded memory.
//!
//! [`Evidence`] is the sink of decoders and document readers. [`Store`] finds what it wrote. The tables and
//! their columns are [`quaywatch_model::table::TABLES`]; nothing here adds to them.

#![forbid(unsafe_code)]

mod column;
pub mod error;
mod files;
mod observed;
pub mod schema;
pub mod store;
mod table_writer;
pub mod writer;

pub use error::EvidenceError;
pub use store::Store;
pub use writer::{Evidence, Options};
