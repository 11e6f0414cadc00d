//! The controls that ship with the product.

use quaywatch_model::control::{Area, Control, Need};

use super::{cell, head};
use crate::tree::Tree;

const FOLDER: &str = "crates/checks/controls/";

const INTRODUCTION: &str = "\
A control asks one question of a site, and a query over the [tables](tables.md) answers it. Without the evidence that it needs
the verdict is *not assessed*. `quaywatch controls show ID` prints one with its query; the guide tells how to write your own.

";

/// The page.
pub(super) fn page(tree: &Tree) -> Result<String, String> {
    let mut controls: Vec<Control> = Vec::new();
    for (path, text) in tree.select(FOLDER, ".yaml") {
        let control = serde_saphyr::from_str(text).map_err(|bad| format!("{path}: {bad}"))?;
        controls.push(control);
    }
    controls.sort_by(|a, b| (a.area, &a.id).cmp(&(b.area, &b.id)));
    let mut page = head("Controls", &format!("`{FOLDER}`")) + INTRODUCTION;
    page += "| area | control | severity | what it finds |\n|---|---|---|---|\n";
    for control in &controls {
        let Control { id, area, severity, title, .. } = control;
        page += &format!("| {} | [`{id}`](#{id}) | {} | {} |\n", area.title(), severity.name(), cell(title));
    }
    for area in Area::ALL {
        page += &format!("\n## {}\n", area.title());
        page.extend(controls.iter().filter(|control| control.area == *area).map(section));
    }
    Ok(page)
}

fn section(control: &Control) -> String {
    let mut text = format!(
        "\n### `{}`\n\n**{}** ({})\n\n{} {}\n\n",
        control.id,
        cell(&control.title),
        control.severity.name(),
        cell(&control.question),
        cell(&control.why)
    );
    text += "Needs:\n\n";
    text.extend(control.needs.iter().map(need));
    text += &format!("\nRemedy: {}\n", cell(&control.remediation));
    let mut maps: Vec<String> = control
        .frameworks
        .iter()
        .map(|(framework, paragraphs)| format!("{}: {}", framework_title(framework), paragraphs.join(", ")))
        .collect();
    if let Some(attack) = control.attack.as_ref().filter(|attack| !attack.techniques.is_empty()) {
        maps.push(format!("ATT&CK for ICS v{}: {}", attack.version, attack.techniques.join(", ")));
    }
    if let Some(weakness) = control.weakness {
        maps.push(format!("weakness: {}", weakness.name()));
    }
    if !maps.is_empty() {
        text += &format!("\n{}\n", maps.join(" · "));
    }
    text
}

fn need(need: &Need) -> String {
    match &need.condition {
        Some(condition) => format!("- `{}` where `{}`. {}\n", need.table, cell(condition), cell(&need.collect)),
        None => format!("- `{}`. {}\n", need.table, cell(&need.collect)),
    }
}

fn framework_title(id: &str) -> &str {
    match id {
        "33-cfr-101.650" => "33 CFR 101.650",
        "cpg-2.0" => "CPG 2.0",
        "iec-62443-3-3" => "IEC 62443-3-3",
        "csf-2.0" => "CSF 2.0",
        "sp-800-53" => "SP 800-53",
        other => other,
    }
}
