//! Readers of the documents that an assessor collects
