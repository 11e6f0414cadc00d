//! `quaywatch site draft`: a site model drafted from traffic.

use quaywatch_evidence::Store;
use quaywatch_inventory::draft::draft as draft_model;
use quaywatch_query::{Limits, Session};

use crate::cli::DraftArguments;
use crate::derive;
use crate::exit::{Exit, Failure, print};

pub(crate) fn draft(arguments: &DraftArguments) -> Result<Exit, Failure> {
    let store = Store::open(&arguments.case).map_err(Failure::usage)?;
    let session = Session::open(&store, Limits::default()).map_err(Failure::failed)?;
    let draft = draft_model(&derive::input(&session, "site")?);
    print(|out| out.write_all(draft.to_toml().as_bytes()))?;
    Ok(Exit::Done)
}
