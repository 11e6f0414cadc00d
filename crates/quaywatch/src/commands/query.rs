//! `quaywatch query`: SQL over a case.

use quaywatch_evidence::Store;
use quaywatch_query::{Format, Limits, QueryError, Session};

use crate::cli::{AnswerFormat, QueryArguments};
use crate::exit::{Exit, Failure, print};

pub(crate) fn run(arguments: &QueryArguments) -> Result<Exit, Failure> {
    let store = Store::open(&arguments.case).map_err(Failure::usage)?;
    let session = Session::open(&store, Limits::default()).map_err(Failure::failed)?;
    let rows = session.query(&arguments.sql).map_err(|bad| match bad {
        QueryError::Store(bad) => Failure::failed(bad),
        other => Failure::usage(format!("the query has no answer: {other}")),
    })?;
    let format = match arguments.format {
        AnswerFormat::Table => Format::Table,
        AnswerFormat::Csv => Format::Csv,
        AnswerFormat::Json => Format::Json,
    };
    print(|out| rows.write(format, out))?;
    Ok(Exit::Done)
}
