//! `quaywatch decode`: captures in, evidence tables out.

use quaywatch_evidence::{Evidence, Options};

use crate::cli::DecodeArguments;
use crate::exit::{Exit, Failure, complain, print};
use crate::progress::Progress;
use crate::segments::Segments;
use crate::{case, commands, ingest};

pub(crate) fn run(arguments: &DecodeArguments) -> Result<Exit, Failure> {
    let site = commands::site_model(arguments.site.as_deref())?;
    let inputs = ingest::expand(&arguments.read);
    case::make(&arguments.output, arguments.overwrite)?;
    let segments = Segments::new(&inputs.list, site.as_ref());
    let site_id = site.as_ref().map_or("site", |site| site.site.id.as_str());
    let mut evidence = Evidence::create(&arguments.output, site_id, Options::default()).map_err(Failure::failed)?;
    evidence.set_segments(segments.names.clone());
    evidence.set_sources(inputs.list.iter().map(|input| input.name.clone()).collect());
    let progress = Progress::reading(inputs.list.iter().map(|input| input.bytes).sum(), arguments.quiet);
    let rows = ingest::decode(&inputs, &segments, &mut evidence, &progress)?;
    ingest::record(&rows, &mut evidence)?;
    evidence.flush().map_err(Failure::failed)?;
    progress.done();
    for row in rows.iter().filter(|row| row.at_fault) {
        complain(&format!("{}: {}: {}", row.name, row.status, row.reason));
    }
    let packets: u64 = rows.iter().filter_map(|row| row.packets).sum();
    if packets == 0 {
        return Err(Failure::failed("nothing to decode: no packet could be read"));
    }
    if !arguments.quiet {
        print(|out| {
            writeln!(out, "{packets} packets decoded")?;
            for (table, rows) in evidence.rows().filter(|(_, rows)| *rows > 0) {
                writeln!(out, "{rows:>12} {}", table.name)?;
            }
            writeln!(out, "Store: {}", arguments.output.display())
        })?;
    }
    Ok(if rows.iter().any(|row| row.at_fault) { Exit::InputsRejected } else { Exit::Done })
}
