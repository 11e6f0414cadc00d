//! A read-only SQL session over one store.

use std::sync::Arc;

use datafusion::common::config::Dialect;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures_util::StreamExt as _;
use quaywatch_evidence::Store;
use quaywatch_model::table::TABLES;
use tokio::runtime::Runtime;

use crate::error::QueryError;
use crate::functions;
use crate::rows::Rows;
use crate::tables;

/// What a session may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of memory for sorting, grouping and joining; beyond it the engine spills to the temporary folder.
    pub memory: usize,
    /// Threads.
    pub threads: usize,
    /// Rows of an answer; a longer one is an error, so that no answer is cut silently.
    pub rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { memory: 256 * 1024 * 1024, threads: 2, rows: 5_000_000 }
    }
}

/// A read-only SQL session. It owns its threads, so its callers need no async runtime.
pub struct Session {
    runtime: Runtime,
    context: SessionContext,
    limits: Limits,
}

impl Session {
    /// Opens the tables of `store`.
    ///
    /// # Errors
    /// A table cannot be read, or the session's threads cannot be started.
    pub fn open(store: &Store, limits: Limits) -> Result<Session, QueryError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(limits.threads.max(1))
            .enable_all()
            .build()
            .map_err(|bad| QueryError::Query(format!("threads cannot be started: {bad}")))?;
        let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(limits.memory));
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory);
        let environment =
            RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk).build_arc()?;
        let mut config =
            SessionConfig::new().with_target_partitions(limits.threads.max(1)).with_information_schema(true);
        config.options_mut().sql_parser.dialect = Dialect::PostgreSQL;
        let context = SessionContext::new_with_config_rt(config, environment);
        for function in functions::all() {
            context.register_udf(function);
        }
        let session = Session { runtime, context, limits };
        session.refresh(store)?;
        Ok(session)
    }

    /// Looks at the store anew: tables written since the session was opened come in.
    ///
    /// # Errors
    /// A table cannot be read.
    pub fn refresh(&self, store: &Store) -> Result<(), QueryError> {
        for table in TABLES {
            self.context.deregister_table(table.name)?;
            self.context.register_table(table.name, tables::provider(store, table)?)?;
        }
        Ok(())
    }

    /// Runs one statement that reads: SELECT, WITH, EXPLAIN, SHOW, DESCRIBE.
    ///
    /// # Errors
    /// The statement is no query, names what does not exist, fails, or has more rows than the limit.
    pub fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        self.runtime.block_on(self.run(sql))
    }

    async fn run(&self, sql: &str) -> Result<Rows, QueryError> {
        // Evidence is read-only: nothing is made, changed or copied out by SQL.
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = self.context.sql_with_options(sql, options).await?;
        let names = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = Rows::new(names);
        let mut stream = frame.execute_stream().await?;
        while let Some(batch) = stream.next().await {
            rows.extend(&batch?).map_err(|bad| QueryError::Query(bad.to_string()))?;
            if rows.len() > self.limits.rows {
                let limit = self.limits.rows;
                return Err(QueryError::Query(format!(
                    "the answer has more than {limit} rows; add a LIMIT or aggregate"
                )));
            }
        }
        Ok(rows)
    }
}
