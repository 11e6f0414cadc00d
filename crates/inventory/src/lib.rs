//! Identity claims to assets, cranes, systems, zones and conduits.
//!
//! Pure: the caller sums the evidence up with the queries in [`input`], and gets back assets with the reasons for
//! everything said of them. The order of the evidence does not matter, and the same evidence gives the same inventory.

#![forbid(unsafe_code)]

mod address;
mod attributes;
mod build;
mod confidence;
pub mod draft;
pub mod flows;
pub mod input;
mod machine;
mod role_tables;
mod roles;
mod routers;
pub mod rows;
mod segment_view;
mod sets;
#[cfg(test)]
mod tests;
pub mod vendor;

use quaywatch_model::place::Timestamp;
use quaywatch_model::{Asset, SiteModel};
use serde::Serialize;

pub use draft::Draft;
pub use flows::{Boundary, InventoryFlow};
pub use input::Input;
pub use rows::Rows;

use input::CoverageRow;
use machine::Directory;

/// What is known of a site.
#[derive(Clone, PartialEq, Debug)]
pub struct Inventory {
    /// The site model, given or drafted.
    pub site: SiteModel,
    /// The draft, where no site model was given.
    pub draft: Option<Draft>,
    /// The instant the assessment speaks of: argument, site model, or last packet; `None` without any.
    pub as_of: Option<Timestamp>,
    /// All assets, by segment and address.
    pub assets: Vec<Asset>,
    /// Who talks to whom.
    pub flows: Vec<InventoryFlow>,
    captured: Vec<CoverageRow>,
}

/// The part of an inventory that is written as `inventory.json`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct InventoryDocument<'a> {
    /// Site id.
    pub site: &'a str,
    /// Whether the site model was drafted from traffic.
    pub drafted: bool,
    /// The instant the assessment speaks of, RFC 3339.
    pub as_of: Option<String>,
    /// All assets.
    pub assets: &'a [Asset],
}

impl Inventory {
    /// Makes the inventory of a site; without a site model, one is drafted and used.
    #[must_use]
    pub fn build(input: &Input, model: Option<&SiteModel>, as_of: Option<Timestamp>) -> Inventory {
        let draft = if model.is_none() { Some(draft::draft(input)) } else { None };
        let given = draft.is_none();
        let site = draft.as_ref().map(|draft| &draft.model).or(model).cloned().unwrap_or_default();
        let directory = Directory::build(input, Some(&site));
        let assets = build::assets(input, &directory, Some(&site), given);
        let flows = flows::flows(input, &directory, &assets, &site, given);
        let last = input.coverage.iter().filter_map(|row| row.last_ts);
        let last = last.chain(input.connections.iter().filter_map(|row| row.last_ts)).max().map(Timestamp);
        let as_of = as_of.or(site.site.as_of).or(last);
        Inventory { as_of, assets, flows, captured: input.coverage.clone(), site, draft }
    }

    /// Rows of the derived tables.
    #[must_use]
    pub fn rows(&self) -> Rows {
        rows::rows(self)
    }

    /// What is written as `inventory.json`.
    #[must_use]
    pub fn document(&self) -> InventoryDocument<'_> {
        InventoryDocument {
            site: &self.site.site.id,
            drafted: self.draft.is_some(),
            as_of: self.as_of.map(|as_of| as_of.to_string()),
            assets: &self.assets,
        }
    }
}
