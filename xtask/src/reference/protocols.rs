//! The protocols that are decoded.

use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::analyzer::ProtocolMeta;

use super::{cell, head};
use crate::tree::Tree;

const INTRODUCTION: &str = "\
Recognition is by content; ports and EtherTypes are hints. `quaywatch protocols` prints the same list.

- **full**: every public function, with objects and results.
- **partial**: what identifies, authenticates and changes state; the rest is counted.
- **named**: recognised and named only.

The purpose is what controls go by: *control* commands machines, *field* tells what is measured, positioned, read or moved in the yard,
*network* keeps the network going, *office* is files, directories, databases and mail, *remote-access* lets a person work from elsewhere,
*general* carries anything.

Each protocol's page says what is decoded, what is not, and what it was tried on.

| protocol | name in tables | depth | purpose | ports |
|---|---|---|---|---|
";

/// The page.
#[expect(clippy::unnecessary_wraps, reason = "pages share one signature")]
pub(super) fn page(_: &Tree) -> Result<String, String> {
    let mut page = head("Protocols", "`crates/protocols/src/registry.rs`") + INTRODUCTION;
    for meta in PROTOCOLS.iter().map(|protocol| protocol.meta()) {
        page += &format!(
            "| [{}](../protocols/{}.md) | `{}` | {} | {} | {} |\n",
            cell(meta.title),
            meta.name,
            meta.name,
            meta.depth.name(),
            meta.purpose.name(),
            hints(meta)
        );
    }
    for meta in PROTOCOLS.iter().map(|protocol| protocol.meta()) {
        page += &format!(
            "\n## {}\n\n{}\n\n- Found: {}\n- Written from: {}\n",
            cell(meta.title),
            cell(meta.scope),
            cell(meta.found),
            cell(meta.spec)
        );
    }
    Ok(page)
}

fn hints(meta: &ProtocolMeta) -> String {
    let list = |numbers: &[u16]| numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    if !meta.tcp.is_empty() {
        parts.push(format!("TCP {}", list(meta.tcp)));
    }
    if !meta.udp.is_empty() {
        parts.push(format!("UDP {}", list(meta.udp)));
    }
    if !meta.ethertypes.is_empty() {
        let types: Vec<String> = meta.ethertypes.iter().map(|number| format!("0x{number:04x}")).collect();
        parts.push(format!("EtherType {}", types.join(", ")));
    }
    parts.join("; ")
}
