//! `quaywatch assess`: captures and documents in, a case folder out.

use std::io::{self, IsTerminal as _};

use quaywatch_evidence::{Evidence, Options, Store};
use quaywatch_model::SourceId;
use quaywatch_model::assessment::Assessment;
use quaywatch_query::{Limits, Session};
use quaywatch_report::terminal::{Style, summary};
use quaywatch_report::{EXPORTERS, Exporter};

use crate::cli::AssessArguments;
use crate::exit::{Exit, Failure, complain, print};
use crate::ingest::{self, InputRow};
use crate::progress::Progress;
use crate::segments::Segments;
use crate::{assemble, case, commands, derive, papers};

/// Site id without a site model.
const UNNAMED_SITE: &str = "site";

pub(crate) fn run(arguments: &AssessArguments) -> Result<Exit, Failure> {
    let site = commands::site_model(arguments.site.as_deref())?;
    let controls = commands::controls(arguments.controls.as_deref())?;
    let inputs = ingest::expand(&arguments.read);
    let documents = papers::find(&arguments.documents);
    case::make(&arguments.output, arguments.overwrite)?;

    let site_id = site.as_ref().map_or(UNNAMED_SITE, |site| site.site.id.as_str());
    let segments = Segments::new(&inputs.list, site.as_ref());
    let mut evidence = Evidence::create(&arguments.output, site_id, Options::default()).map_err(Failure::failed)?;
    evidence.set_segments(segments.names.clone());
    let names = inputs.list.iter().map(|input| input.name.clone());
    evidence.set_sources(names.chain(documents.iter().map(|paper| paper.name.clone())).collect());

    let progress = Progress::reading(inputs.list.iter().map(|input| input.bytes).sum(), arguments.quiet);
    let mut rows = ingest::decode(&inputs, &segments, &mut evidence, &progress)?;
    progress.step("reading documents");
    for (number, paper) in (inputs.list.len()..).zip(&documents) {
        let source = SourceId(u32::try_from(number).unwrap_or(u32::MAX));
        rows.push(papers::read(paper, source, &mut evidence).map_err(Failure::failed)?);
    }
    ingest::record(&rows, &mut evidence)?;
    evidence.flush().map_err(Failure::failed)?;
    if !rows.iter().any(|row| row.packets.is_some_and(|n| n > 0) || row.rows.is_some_and(|n| n > 0)) {
        progress.done();
        tell_inputs(&rows);
        return Err(Failure::failed("nothing to assess: no packet and no line of a document could be read"));
    }

    progress.step("making the inventory");
    let store = Store::open(&arguments.output).map_err(Failure::failed)?;
    let session = Session::open(&store, Limits::default()).map_err(Failure::failed)?;
    let inventory = derive::derive(&session, &mut evidence, site_id, site.as_ref(), arguments.as_of)?;
    session.refresh(&store).map_err(Failure::failed)?;
    let outcome = quaywatch_checks::run(&session, &inventory.site.site.id, &controls, |id| {
        progress.step(&format!("judging {id}"))
    });
    progress.step("writing the report");
    for (id, reason) in &outcome.failed {
        complain(&format!("control {id} could not run: {reason}"));
    }
    let assessment = assemble::assemble(&session, &inventory, outcome, &rows)?;
    write_case(arguments, &assessment, &inventory, &rows)?;
    progress.done();
    tell(arguments, &assessment, &rows)?;
    Ok(exit(arguments, &assessment, &rows))
}

fn write_case(
    arguments: &AssessArguments,
    assessment: &Assessment,
    inventory: &quaywatch_inventory::Inventory,
    rows: &[InputRow],
) -> Result<(), Failure> {
    let folder = &arguments.output;
    let model = inventory.draft.as_ref().map_or_else(|| inventory.site.to_toml(), quaywatch_inventory::Draft::to_toml);
    case::write(folder, "site.toml", |out| out.write_all(model.as_bytes()))?;
    for exporter in EXPORTERS {
        case::write(folder, exporter.meta().file, |out| exporter.write(assessment, out))?;
    }
    case::manifest(folder, rows)
}

/// Inputs at fault, on standard error: they are told even when the summary is not.
fn tell_inputs(rows: &[InputRow]) {
    for row in rows.iter().filter(|row| row.at_fault) {
        complain(&format!("{}: {}: {}", row.name, row.status, row.reason));
    }
}

fn tell(arguments: &AssessArguments, assessment: &Assessment, rows: &[InputRow]) -> Result<(), Failure> {
    tell_inputs(rows);
    if arguments.json {
        return print(|out| quaywatch_report::json::Findings.write(assessment, out));
    }
    if arguments.quiet {
        return Ok(());
    }
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    print(|out| {
        summary(assessment, Style { colour }, out)?;
        writeln!(out, "Case: {}", arguments.output.display())?;
        writeln!(out, "Report: {}", arguments.output.join("report.html").display())
    })
}

fn exit(arguments: &AssessArguments, assessment: &Assessment, rows: &[InputRow]) -> Exit {
    let reached = |least| assessment.findings.iter().any(|finding| finding.severity >= least);
    if arguments.fail_on.is_some_and(reached) {
        Exit::FindingsReached
    } else if rows.iter().any(|row| row.at_fault) {
        Exit::InputsRejected
    } else {
        Exit::Done
    }
}
