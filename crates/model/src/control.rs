//! Controls, their verdicts, and findings: the vocabulary of judgement.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::observation::named;

macro_rules! deserialize_by_name {
    ($($name:ident),+) => { $(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $name::from_name(&text).ok_or_else(|| {
                    let known: Vec<&str> = $name::ALL.iter().map(|value| value.name()).collect();
                    serde::de::Error::custom(format!("`{text}` is none of {}", known.join(", ")))
                })
            }
        }
    )+ };
}

named! {
    /// The six areas in which owners of cranes are asked for controls.
    Area {
        /// Networks are divided, and what crosses is allowed by name.
        Segmentation = "segmentation",
        /// Software and firmware are kept current.
        Updates = "updates",
        /// Everything is scanned for known weaknesses.
        Scanning = "scanning",
        /// Networks and machines are watched.
        Monitoring = "monitoring",
        /// Privileged accounts are few, known and protected.
        Accounts = "accounts",
        /// Machines can be brought back.
        Recovery = "recovery",
    }
}

impl Area {
    /// The area's name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Area::Segmentation => "Network segmentation",
            Area::Updates => "Software updates",
            Area::Scanning => "Vulnerability scanning",
            Area::Monitoring => "Network monitoring",
            Area::Accounts => "Privileged account management",
            Area::Recovery => "Recovery",
        }
    }
}

named! {
    /// The four weaknesses that assessment teams found in cranes and in the port OT around them.
    WeaknessKind {
        /// Poor password policies.
        PoorPasswords = "poor-passwords",
        /// No network segmentation.
        FlatNetwork = "flat-network",
        /// Unpatched systems.
        Unpatched = "unpatched",
        /// Exposed services.
        ExposedServices = "exposed-services",
    }
}

impl WeaknessKind {
    /// The weakness in the words of a report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            WeaknessKind::PoorPasswords => "Poor password policies",
            WeaknessKind::FlatNetwork => "No network segmentation",
            WeaknessKind::Unpatched => "Unpatched systems",
            WeaknessKind::ExposedServices => "Exposed services",
        }
    }
}

named! {
    /// How grave a finding is, from least to most.
    Severity {
        /// Worth knowing.
        Info = "info",
        /// To be mended in the ordinary course.
        Low = "low",
        /// To be planned.
        Medium = "medium",
        /// To be mended soon.
        High = "high",
        /// To be mended now.
        Critical = "critical",
    }
}

named! {
    /// What is said of a control. Missing evidence never reads as a pass.
    Verdict {
        /// Evidence supports the control and none refutes it.
        Satisfied = "satisfied",
        /// Evidence refutes the control.
        NotSatisfied = "not-satisfied",
        /// The evidence needed is missing.
        NotAssessed = "not-assessed",
    }
}

impl Verdict {
    /// The verdict in the words of a report.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Verdict::Satisfied => "satisfied",
            Verdict::NotSatisfied => "not satisfied",
            Verdict::NotAssessed => "not assessed",
        }
    }
}

named! {
    /// What a control's query says of one subject.
    Status {
        /// The control holds for it.
        Ok = "ok",
        /// It does not.
        Alarm = "alarm",
        /// It cannot be judged; the reason says why.
        Skip = "skip",
    }
}

deserialize_by_name!(Area, WeaknessKind, Severity, Verdict, Status);

/// Evidence without which a control is not assessed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Table that must have rows.
    pub table: String,
    /// SQL condition that at least one row must fulfil; any row will do without it.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What to collect if there are none, as an instruction to a person.
    pub collect: String,
}

/// ATT&CK for ICS techniques, with the version whose ids these are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// ATT&CK version.
    pub version: String,
    /// Technique ids.
    pub techniques: Vec<String>,
}

/// A control: a question about a site that a query over its evidence answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Stable id, kebab-case, opening with the area's short name.
    pub id: String,
    /// The bad thing, so that "allow X" reads well.
    pub title: String,
    /// Which of the six areas.
    pub area: Area,
    /// Which of the four weaknesses it shows, if one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weakness: Option<WeaknessKind>,
    /// Severity of its findings.
    pub severity: Severity,
    /// The question it answers.
    pub question: String,
    /// Why it matters on a crane terminal.
    pub why: String,
    /// Evidence it cannot do without.
    pub needs: Vec<Need>,
    /// Paragraphs of frameworks, by framework id.
    pub frameworks: BTreeMap<String, Vec<String>>,
    /// ATT&CK for ICS mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attack>,
    /// What to do about a finding.
    pub remediation: String,
    /// Query over the evidence tables that returns `subject, status, reason, evidence` (see `checks`).
    pub sql: String,
}

/// A row of evidence that a finding cites.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct Citation {
    /// Table the row is in.
    pub table: String,
    /// Input it was read from; empty for what only the site model says.
    pub source: String,
    /// Frame or line in that input; 0 for the input as a whole.
    pub frame: u64,
    /// Instant, RFC 3339; empty if the row has none.
    pub ts: String,
    /// The row's columns that hold something, in table order.
    pub row: Vec<(String, String)>,
}

/// One subject for which one control is not satisfied.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Finding {
    /// Stable over runs: made from control, site and subject.
    pub id: String,
    /// Control id.
    pub control: String,
    /// The control's title.
    pub title: String,
    /// Which area.
    pub area: Area,
    /// Which of the four weaknesses, if one.
    pub weakness: Option<WeaknessKind>,
    /// How grave.
    pub severity: Severity,
    /// What it is about.
    pub subject: String,
    /// Why, one sentence a fact.
    pub reasons: Vec<String>,
    /// The rows that prove it, of at most [`Finding::MAX_CITATIONS`] places.
    pub evidence: Vec<Citation>,
    /// How many rows prove it in all.
    pub evidence_count: u64,
    /// Cranes concerned.
    pub cranes: Vec<String>,
    /// First and last instant of the evidence, RFC 3339; empty if the rows have none.
    pub first: String,
    /// See `first`.
    pub last: String,
    /// What to do.
    pub remediation: String,
}

impl Finding {
    /// Places shown with a finding; all of them are in the store.
    pub const MAX_CITATIONS: usize = 5;
}

/// The answer of one control.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ControlResult {
    /// The control.
    pub control: Control,
    /// What is said of it.
    pub verdict: Verdict,
    /// Subjects for which it holds.
    pub ok: u64,
    /// Subjects for which it does not.
    pub alarms: u64,
    /// Subjects that could not be judged.
    pub skipped: u64,
    /// Why it was not assessed, or why subjects were skipped.
    pub reasons: Vec<String>,
    /// What to collect so that it can be assessed.
    pub collect: Vec<String>,
}
