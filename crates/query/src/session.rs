//! A read-only SQL session over one store.

use std::sync::{Arc, PoisonError, RwLock};

use datafusion::common::config::Dialect;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::Volatility;
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
        Limits { memory: 512 * 1024 * 1024, threads: 2, rows: 5_000_000 }
    }
}

/// A read-only SQL session. It owns its threads, so its callers need no async runtime; one that has a runtime must
/// open, query and drop the session on a thread for blocking work.
pub struct Session {
    runtime: Runtime,
    context: RwLock<SessionContext>,
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
        let context = RwLock::new(context(store, limits)?);
        Ok(Session { runtime, context, limits })
    }

    /// Looks at the store anew: tables written since the session was opened come in.
    ///
    /// # Errors
    /// A table cannot be read.
    pub fn refresh(&self, store: &Store) -> Result<(), QueryError> {
        // All anew, so that nothing the engine remembers of a file outlives it.
        let context = context(store, self.limits)?;
        *self.context.write().unwrap_or_else(PoisonError::into_inner) = context;
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
        let context = self.context.read().unwrap_or_else(PoisonError::into_inner).clone();
        match self.attempt(&context, sql).await {
            Err(QueryError::Memory) => self.attempt(&frugal(&context, self.limits)?, sql).await,
            answer => answer,
        }
    }

    async fn attempt(&self, context: &SessionContext, sql: &str) -> Result<Rows, QueryError> {
        // Evidence is read-only: nothing is made, changed or copied out by SQL.
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = context.sql_with_options(sql, options).await?;
        if frame.schema().fields().is_empty() {
            return Err(QueryError::Query("the query asks for no column".to_owned()));
        }
        let mut rows = Rows::new(frame.schema().as_arrow());
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

/// The same tables, answering slowly within little memory: one sorter has all of it and spills, where several starve what
/// merges them; and joins sort, for sorting can spill and hashing cannot.
fn frugal(context: &SessionContext, limits: Limits) -> Result<SessionContext, QueryError> {
    let state = context.state();
    let mut config = state.config().clone().with_target_partitions(1);
    config.options_mut().optimizer.prefer_hash_join = false;
    let environment = environment(Arc::new(FairSpillPool::new(limits.memory)), DiskManagerMode::OsTmpDirectory)?;
    let builder = SessionStateBuilder::new_from_existing(state).with_config(config).with_runtime_env(environment);
    Ok(SessionContext::new_with_state(builder.build()))
}

fn environment(pool: Arc<dyn MemoryPool>, disk: DiskManagerMode) -> Result<Arc<RuntimeEnv>, QueryError> {
    let disk = DiskManagerBuilder::default().with_mode(disk);
    Ok(RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk).build_arc()?)
}

fn context(store: &Store, limits: Limits) -> Result<SessionContext, QueryError> {
    // Several partitions do not spill: what exchanges rows between them can wait for itself for ever when it does
    // (apache/datafusion issue 24883). Out of memory, the query runs again frugally, which spills.
    let environment = environment(Arc::new(GreedyMemoryPool::new(limits.memory)), DiskManagerMode::Disabled)?;
    let mut config = SessionConfig::new().with_target_partitions(limits.threads.max(1)).with_information_schema(true);
    let options = config.options_mut();
    options.sql_parser.dialect = Dialect::PostgreSQL;
    // A citation reads one row of many: conditions are tested before the other columns are decoded.
    options.execution.parquet.pushdown_filters = true;
    let context = SessionContext::new_with_config_rt(config, environment);
    remove_clock_and_chance(&context);
    for function in functions::all() {
        context.register_udf(function);
    }
    for table in TABLES {
        context.register_table(table.name, tables::provider(store, table)?)?;
    }
    Ok(context)
}

/// The same evidence gives the same answer on any day: `now()`, `uuid()` and their like are not there.
fn remove_clock_and_chance(context: &SessionContext) {
    let functions: Vec<_> = context.state().scalar_functions().values().cloned().collect();
    for function in functions.iter().filter(|function| function.signature().volatility != Volatility::Immutable) {
        context.deregister_udf(function.name());
    }
}
