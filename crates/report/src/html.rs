//! `report.html`: one self-contained page, readable on paper, on a phone, in dark and light.

use std::io::{self, Write};

use askama::Template;
use quaywatch_model::assessment::{Assessment, CraneSummary, UnrecognisedLine};
use quaywatch_model::asset::Asset;
use quaywatch_model::control::{ControlResult, Finding, Severity, Verdict};

use crate::map::{Map, map};
use crate::words;
use crate::words::{Look, per_cent};
use crate::{Exporter, ExporterMeta};

/// The HTML report.
pub struct Html;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    a: &'a Assessment,
    map: Map,
    packets: u64,
}

// The template can call methods only.
#[expect(
    clippy::unused_self,
    clippy::trivially_copy_pass_by_ref,
    reason = "called from the template, which passes references"
)]
impl Page<'_> {
    fn grouped(&self, number: &u64) -> String {
        words::grouped(*number)
    }

    fn counted(&self, number: &usize, one: &str, many: &str) -> String {
        words::counted(*number, one, many)
    }

    fn instant(&self, rfc3339: &str) -> String {
        words::instant(rfc3339)
    }
}

impl Page<'_> {
    fn disposition(&self, wanted: &str) -> u64 {
        self.a.coverage.iter().filter(|line| line.disposition == wanted).map(|line| line.packets).sum()
    }

    fn share(&self, wanted: &str) -> String {
        per_cent(self.disposition(wanted), self.packets)
    }

    /// Findings of each severity, gravest first; none with count 0.
    fn severities(&self) -> Vec<(Severity, usize)> {
        let count = |severity: Severity| self.a.findings.iter().filter(|f| f.severity == severity).count();
        Severity::ALL.iter().rev().map(|severity| (*severity, count(*severity))).filter(|(_, n)| *n > 0).collect()
    }

    fn site_assets(&self) -> Vec<&Asset> {
        self.a.assets.iter().filter(|asset| !asset.external).collect()
    }

    fn site_assets_counted(&self) -> String {
        words::counted(self.site_assets().len(), "asset", "assets")
    }

    fn outside(&self) -> usize {
        self.a.assets.iter().filter(|asset| asset.external).count()
    }

    fn not_assessed(&self) -> Vec<&ControlResult> {
        self.a.controls.iter().filter(|result| result.verdict == Verdict::NotAssessed).collect()
    }

    fn parts(&self, crane: &CraneSummary) -> Vec<&Asset> {
        self.a.assets.iter().filter(|asset| crane.parts.contains(&asset.id)).collect()
    }

    fn findings_of(&self, crane: &CraneSummary) -> Vec<&Finding> {
        self.a.findings.iter().filter(|finding| crane.findings.contains(&finding.id)).collect()
    }

    /// What the bytes of an unrecognised service look like, and the question that leads to its owner.
    fn look(&self, line: &UnrecognisedLine) -> Look {
        words::look(line)
    }

    /// Undecoded and malformed packets by protocol, most first.
    fn unread(&self) -> Vec<(&str, &str, u64)> {
        let mut lines: Vec<(&str, &str, u64)> = Vec::new();
        for line in self.a.coverage.iter().filter(|line| matches!(line.disposition.as_str(), "undecoded" | "malformed"))
        {
            match lines
                .iter_mut()
                .find(|(disposition, protocol, _)| *disposition == line.disposition && *protocol == line.protocol)
            {
                Some((_, _, packets)) => *packets += line.packets,
                None => lines.push((&line.disposition, &line.protocol, line.packets)),
            }
        }
        lines.sort_by_key(|(_, _, packets)| std::cmp::Reverse(*packets));
        lines.truncate(20);
        lines
    }
}

impl Exporter for Html {
    fn meta(&self) -> &'static ExporterMeta {
        &ExporterMeta {
            name: "html",
            file: "report.html",
            purpose: "the report for people: one page without outside resources",
        }
    }

    fn write(&self, assessment: &Assessment, out: &mut dyn Write) -> io::Result<()> {
        let packets = assessment.coverage.iter().map(|line| line.packets).sum();
        let page = Page { a: assessment, map: map(assessment), packets };
        page.write_into(&mut Adapter(out)).map_err(io::Error::other)
    }
}

/// Askama writes to `io::Write` by value.
struct Adapter<'a>(&'a mut dyn Write);

impl Write for Adapter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
