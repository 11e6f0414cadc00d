//! The tables of a store as the engine sees them.

use std::sync::Arc;

use datafusion::catalog::MemTable;
use datafusion::datasource::TableProvider;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use quaywatch_evidence::{Store, schema};
use quaywatch_model::table::Table;

use crate::error::QueryError;

/// The provider of one table. A table of which nothing was written is empty, not missing.
pub(crate) fn provider(store: &Store, table: &'static Table) -> Result<Arc<dyn TableProvider>, QueryError> {
    let files = store.files(table)?;
    let schema = schema::read(table);
    if files.is_empty() {
        return Ok(Arc::new(MemTable::try_new(schema, vec![vec![]])?));
    }
    let urls = files
        .iter()
        .map(|file| {
            // A path with blanks or percent signs is no URL: it must be made one.
            let path = std::path::absolute(file).map_err(|bad| DataFusionError::External(Box::new(bad)))?;
            ListingTableUrl::parse(path.to_string_lossy())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}
