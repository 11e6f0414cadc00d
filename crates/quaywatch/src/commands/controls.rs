//! `quaywatch controls`: what assess judges by.

use std::io;

use quaywatch_model::control::Control;
use quaywatch_query::{Rows, Value};

use crate::cli::{ControlsListArguments, ListFormat, ShowArguments};
use crate::commands;
use crate::exit::{Exit, Failure, print};

pub(crate) fn list(arguments: &ControlsListArguments) -> Result<Exit, Failure> {
    let controls = commands::controls(arguments.controls.as_deref())?;
    let columns = ["id", "area", "severity", "weakness", "title", "needs"].map(str::to_owned).to_vec();
    let rows = controls.iter().map(row).collect();
    let rows = Rows::from_parts(columns, rows);
    print(|out| rows.write(format(arguments.list.format), out))?;
    Ok(Exit::Done)
}

/// The list formats are those of answers.
pub(crate) const fn format(format: ListFormat) -> quaywatch_query::Format {
    match format {
        ListFormat::Table => quaywatch_query::Format::Table,
        ListFormat::Csv => quaywatch_query::Format::Csv,
        ListFormat::Json => quaywatch_query::Format::Json,
    }
}

fn row(control: &Control) -> Vec<Value> {
    let mut needs: Vec<&str> = control.needs.iter().map(|need| need.table.as_str()).collect();
    needs.dedup();
    let weakness = control.weakness.map_or("", |weakness| weakness.name());
    [control.id.as_str(), control.area.name(), control.severity.name(), weakness, &control.title, &needs.join(" ")]
        .map(|text| Value::Text(text.to_owned()))
        .to_vec()
}

pub(crate) fn show(arguments: &ShowArguments) -> Result<Exit, Failure> {
    let controls = commands::controls(arguments.controls.as_deref())?;
    let Some(control) = controls.iter().find(|control| control.id == arguments.id) else {
        let near: Vec<&str> =
            controls.iter().map(|c| c.id.as_str()).filter(|id| id.contains(arguments.id.as_str())).collect();
        let hint = if near.is_empty() {
            "list them with `quaywatch controls list`".to_owned()
        } else {
            format!("did you mean {}?", near.join(", "))
        };
        return Err(Failure::usage(format!("there is no control {}; {hint}", arguments.id)));
    };
    print(|out| write_control(control, out))?;
    Ok(Exit::Done)
}

fn write_control(control: &Control, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}\n{}\n", control.id, control.title)?;
    writeln!(out, "area       {}\nseverity   {}", control.area.title(), control.severity.name())?;
    if let Some(weakness) = control.weakness {
        writeln!(out, "weakness   {}", weakness.name())?;
    }
    for (framework, paragraphs) in &control.frameworks {
        writeln!(out, "{framework:10} {}", paragraphs.join(", "))?;
    }
    if let Some(attack) = &control.attack {
        writeln!(out, "att&ck     {} (for ICS, version {})", attack.techniques.join(", "), attack.version)?;
    }
    writeln!(
        out,
        "\nQuestion: {}\nWhy: {}\nTo do: {}\n\nNot assessed without:",
        control.question.trim(),
        control.why.trim(),
        control.remediation.trim()
    )?;
    for need in &control.needs {
        let condition = need.condition.as_ref().map_or(String::new(), |condition| format!(" where {condition}"));
        writeln!(out, "- {}{condition}: {}", need.table, need.collect.trim())?;
    }
    writeln!(out, "\n{}", control.sql.trim_end())
}
