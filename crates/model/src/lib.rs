//! The vocabulary of Quaywatch: what is observed, what is derived, how it is judged.
//!
//! Nothing here does I/O, reads a clock or knows a file format. Every other crate imports
//! this one and most import nothing else of the workspace, so a word defined here means the
//! same in a decoder, in a control and on the report.

#![forbid(unsafe_code)]

pub mod address;
pub mod assessment;
pub mod asset;
pub mod control;
pub mod coverage;
pub mod document;
pub mod observation;
pub mod place;
pub mod site;
pub mod table;

pub use address::{Address, Endpoint, MacAddr};
pub use asset::{Asset, AttributeValue, Interface, Role, RoleClaim};
pub use coverage::{Coverage, Disposition, Mark, Unrecognised, Weird};
pub use document::{DocumentRow, RowSink};
pub use observation::{
    Attribute, Cargo, Clock, Connection, Credential, Direction, Identity, Name, NameKind, Observation, Operation,
    OperationClass, Outcome, Position, Program, Request, Service, Session, Sink, Transfer, Transport, Weakness,
};
pub use place::{At, SegmentId, SourceId, Timestamp, Uid};
pub use site::SiteModel;
