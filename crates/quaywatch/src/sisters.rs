//! How a crane differs from its sisters: parts, products, firmware, and the services that strangers use on it.

use std::collections::{BTreeMap, BTreeSet};

use quaywatch_model::Asset;
use quaywatch_model::assessment::{Reach, SisterComparison};

/// A crane's parts and who reaches it.
pub(crate) struct Side<'a> {
    pub(crate) id: &'a str,
    pub(crate) parts: Vec<&'a Asset>,
    pub(crate) reached_by: &'a [Reach],
}

/// Compares `one` with its sister `other`, in sentences about `one`.
pub(crate) fn compare(one: &Side<'_>, other: &Side<'_>) -> SisterComparison {
    let mut differences = Vec::new();
    let (mine, theirs) = (by_role(&one.parts), by_role(&other.parts));
    let roles: BTreeSet<&str> = mine.keys().chain(theirs.keys()).copied().collect();
    for role in roles {
        let none = Vec::new();
        let (mine, theirs) = (mine.get(role).unwrap_or(&none), theirs.get(role).unwrap_or(&none));
        if mine.len() != theirs.len() {
            differences.push(format!("{role}: {} here, {} on {}", mine.len(), theirs.len(), other.id));
        }
        let (mine, theirs) = (products(mine), products(theirs));
        for (product, firmware) in &mine {
            match theirs.get(product) {
                Some(sister) if !firmware.is_empty() && !sister.is_empty() && firmware != sister => {
                    let list = |set: &BTreeSet<&str>| set.iter().copied().collect::<Vec<_>>().join(", ");
                    differences.push(format!(
                        "{role} {product}: firmware {} here, {} on {}",
                        list(firmware),
                        list(sister),
                        other.id
                    ));
                }
                None if !theirs.is_empty() => differences.push(format!("{role} {product}: not on {}", other.id)),
                _ => {}
            }
        }
    }
    let services = |side: &Side<'_>| -> BTreeSet<String> {
        let denied = side.reached_by.iter().filter(|reach| reach.allowed == Some(false));
        denied.flat_map(|reach| reach.services.split(", ").map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    for service in services(one).difference(&services(other)) {
        differences.push(format!("{service} is used here from outside without a conduit, not on {}", other.id));
    }
    SisterComparison { sister: other.id.to_owned(), differences }
}

fn by_role<'a>(parts: &[&'a Asset]) -> BTreeMap<&'static str, Vec<&'a Asset>> {
    let mut roles: BTreeMap<&'static str, Vec<&Asset>> = BTreeMap::new();
    for part in parts {
        roles.entry(part.role.name()).or_default().push(part);
    }
    roles
}

/// Firmware versions by product, of parts whose product is known.
fn products<'a>(parts: &[&'a Asset]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut products: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for part in parts.iter().filter(|part| !part.model.is_empty()) {
        let versions = products.entry(&part.model).or_default();
        if !part.firmware.is_empty() {
            versions.insert(&part.firmware);
        }
    }
    products
}
