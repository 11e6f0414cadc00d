//! Evidence tables: Arrow schemas, builders, Parquet segments
