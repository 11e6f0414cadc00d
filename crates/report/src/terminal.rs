//! The summary on the terminal: what a duty officer understands in a minute.

use std::io::{self, Write};

use quaywatch_model::assessment::{Assessment, CraneSummary};
use quaywatch_model::control::{Finding, Severity, Verdict};

use crate::words::{counted, grouped, instant, per_cent};

/// Findings listed.
const TOP_FINDINGS: usize = 10;
/// Things to collect listed.
const TOP_COLLECT: usize = 6;

/// How to write: colour only on a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Use ANSI colours.
    pub colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn verdict(self, verdict: Verdict, width: usize) -> String {
        let text = format!("{:width$}", verdict.title().to_uppercase());
        match verdict {
            Verdict::Satisfied => self.paint("32", &text),
            Verdict::NotSatisfied => self.paint("1;31", &text),
            Verdict::NotAssessed => self.paint("33", &text),
        }
    }

    fn severity(self, severity: Severity, width: usize) -> String {
        let text = format!("{:width$}", severity.name().to_uppercase());
        match severity {
            Severity::Critical => self.paint("1;31", &text),
            Severity::High => self.paint("31", &text),
            Severity::Medium => self.paint("33", &text),
            Severity::Low | Severity::Info => text,
        }
    }
}

/// Takes control characters out of captured text, so that it cannot steer the terminal.
fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Writes the summary.
///
/// # Errors
/// Those of `out`.
pub fn summary(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    head(assessment, style, out)?;
    areas(assessment, style, out)?;
    weaknesses(assessment, style, out)?;
    cranes(assessment, style, out)?;
    findings(assessment, style, out)?;
    missing(assessment, style, out)
}

fn head(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("Quaywatch assessment: {}", safe(&assessment.site_name));
    writeln!(out, "{}", style.bold(&title))?;
    let packets: u64 = assessment.coverage.iter().map(|line| line.packets).sum();
    let sum = |wanted: &str| -> u64 {
        assessment.coverage.iter().filter(|line| line.disposition == wanted).map(|line| line.packets).sum()
    };
    let captures = assessment.inputs.iter().filter(|input| input.kind == "capture").count();
    let documents = assessment.inputs.iter().filter(|input| input.rows.is_some() && input.kind != "capture").count();
    writeln!(
        out,
        "{} and {}; {} packets from {} to {}",
        counted(captures, "capture", "captures"),
        counted(documents, "document", "documents"),
        grouped(packets),
        instant(&assessment.traffic_from),
        instant(&assessment.traffic_to),
    )?;
    writeln!(
        out,
        "packets decoded {}, without payload {}, not decoded {}, malformed {}",
        per_cent(sum("decoded"), packets),
        per_cent(sum("without-payload"), packets),
        per_cent(sum("undecoded"), packets),
        per_cent(sum("malformed"), packets),
    )?;
    if !assessment.site_given {
        writeln!(out, "no site model was given: one was drafted, and only what needs none was judged")?;
    }
    let faulty =
        assessment.inputs.iter().filter(|input| matches!(input.status.as_str(), "rejected" | "partly-read")).count();
    if faulty > 0 {
        let told =
            format!("{} rejected in whole or in part: see the report", counted(faulty, "input was", "inputs were"));
        writeln!(out, "{}", style.paint("33", &told))?;
    }
    writeln!(out)
}

fn tally(findings: &[(Severity, usize)]) -> String {
    let words: Vec<String> = findings.iter().map(|(severity, count)| format!("{count} {}", severity.name())).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

fn areas(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&format!("{:32} {:14} {:9} {}", "Area", "Verdict", "Assessed", "Findings")))?;
    for area in &assessment.areas {
        writeln!(
            out,
            "{:32} {} {:9} {}",
            area.area.title(),
            style.verdict(area.verdict, 14),
            format!("{} of {}", area.assessed, area.controls),
            tally(&area.findings),
        )?;
    }
    writeln!(out)
}

fn weaknesses(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", style.bold("The four weaknesses"))?;
    for weakness in &assessment.weaknesses {
        let said = match weakness.verdict {
            Verdict::NotSatisfied => format!(
                "found: {}, {} on a crane",
                counted(weakness.findings, "finding", "findings"),
                weakness.on_cranes
            ),
            Verdict::Satisfied => "not found where it was looked for".to_owned(),
            Verdict::NotAssessed => "not assessed".to_owned(),
        };
        writeln!(out, "  {:24} {said}", weakness.weakness.title())?;
    }
    writeln!(out)
}

fn cranes(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if assessment.cranes.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style.bold("Cranes"))?;
    for crane in &assessment.cranes {
        writeln!(out, "  {}", crane_line(crane, assessment))?;
    }
    writeln!(out)
}

fn crane_line(crane: &CraneSummary, assessment: &Assessment) -> String {
    let graves = |severity: Severity| {
        let of = |finding: &&Finding| finding.severity == severity && crane.findings.contains(&finding.id);
        assessment.findings.iter().filter(of).count()
    };
    let mut clients: Vec<&str> = crane.reached_by.iter().map(|reach| reach.client.as_str()).collect();
    clients.sort_unstable();
    clients.dedup();
    format!(
        "{:10} {:12} {}; reached from outside by {}; {} changed its state; findings: {} critical, {} high",
        safe(&crane.id),
        safe(&crane.maker),
        counted(crane.parts.len(), "part", "parts"),
        counted(clients.len(), "host", "hosts"),
        counted(usize::try_from(crane.change_count).unwrap_or(usize::MAX), "operation", "operations"),
        graves(Severity::Critical),
        graves(Severity::High),
    )
}

fn findings(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if assessment.findings.is_empty() {
        return writeln!(out, "No findings in what was assessed.\n");
    }
    let shown = assessment.findings.len().min(TOP_FINDINGS);
    writeln!(out, "{}", style.bold(&format!("Findings ({shown} of {})", assessment.findings.len())))?;
    for finding in assessment.findings.iter().take(TOP_FINDINGS) {
        writeln!(
            out,
            "  {} {}: {}",
            style.severity(finding.severity, 9),
            safe(&finding.title),
            safe(&finding.subject),
        )?;
        if let Some(first) = finding.evidence.first() {
            writeln!(out, "            {} frame {}", safe(&first.source), first.frame)?;
        }
    }
    writeln!(out)
}

fn missing(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let open = assessment.controls.iter().filter(|result| result.verdict == Verdict::NotAssessed).count();
    if open == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "{}",
        style.bold(&format!("Not assessed: {}. To collect next:", counted(open, "control", "controls")))
    )?;
    let mut wanted: Vec<&str> = Vec::new();
    for line in assessment.controls.iter().flat_map(|result| &result.collect) {
        if !wanted.contains(&line.as_str()) {
            wanted.push(line);
        }
    }
    for line in wanted.iter().take(TOP_COLLECT) {
        writeln!(out, "  - {}", line.trim())?;
    }
    if wanted.len() > TOP_COLLECT {
        writeln!(out, "  - and {} more: see the report", wanted.len() - TOP_COLLECT)?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_text_cannot_steer_the_terminal() {
        assert_eq!(safe("a\x1b[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
    }
}
