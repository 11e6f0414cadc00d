//! The tables of a store as the engine sees them.

use std::sync::Arc;

use datafusion::catalog::MemTable;
use datafusion::datasource::TableProvider;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use quaywatch_evidence::{Store, schema};
use quaywatch_model::table::Table;
use url::Url;

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
            // By way of a URL, since the engine takes `[`, `*` and `?` in a plain path for a pattern.
            let path = std::path::absolute(file).map_err(|bad| DataFusionError::External(Box::new(bad)))?;
            let url = Url::from_file_path(&path)
                .map_err(|()| DataFusionError::External(format!("{}: is no path", path.display()).into()))?;
            ListingTableUrl::try_new(url, None)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}
