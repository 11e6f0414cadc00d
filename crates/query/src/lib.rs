//! SQL over the evidence tables
