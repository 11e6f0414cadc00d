//! The inventory as rows of the derived tables; fields are the columns of `model::table`, in their order.

use std::collections::{BTreeMap, BTreeSet};

use quaywatch_model::site::Intervals;
use quaywatch_model::{Asset, SiteModel};
use serde::Serialize;

use crate::Inventory;
use crate::flows::{Boundary, End, InventoryFlow};

/// Columns that open every table.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct PlaceColumns {
    /// Instant, nanoseconds.
    pub ts: Option<i64>,
    /// Site id.
    pub site: String,
    /// Segment id.
    pub segment: String,
    /// Flow id.
    pub uid: String,
    /// Input.
    pub source: String,
    /// Frame or line.
    pub frame: Option<i64>,
}

macro_rules! row {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug, Serialize)]
        #[allow(missing_docs, reason = "the columns are documented in model::table")]
        pub struct $name {
            #[serde(flatten)]
            pub place: PlaceColumns,
            $(pub $field: $type,)+
        }
    };
}

row! {
    /// Row of `assets`.
    AssetRow {
        asset: String, address: String, mac: String, name: String, role: String, role_reason: String, vendor: String,
        model: String, firmware: String, serial: String, os: String, crane: String, system: String, zone: String,
        zone_kind: String, critical: bool, declared: bool, seen: bool, external: bool, last_ts: Option<i64>,
    }
}
row! {
    /// Row of `asset_attributes`.
    AttributeRow {
        asset: String, attribute: String, value: String, confidence: f64, method: String, claims: u64, chosen: bool,
    }
}
row! {
    /// Row of `interfaces`.
    InterfaceRow { asset: String, address: String, mac: String, zone: String, }
}
row! {
    /// Row of `cranes`.
    CraneRow {
        crane: String, kind: String, maker: String, model: String, foreign_made: Option<bool>, sisters: String, members: u64,
    }
}
row! {
    /// Row of `zones`.
    ZoneRow { zone: String, kind: String, level: Option<i64>, assets: u64, packets: i64, }
}
row! {
    /// Row of `flows`.
    FlowRow {
        client_asset: String, client: String, client_zone: String, client_zone_kind: String, client_crane: String,
        client_role: String, server_asset: String, server: String, server_port: i64, server_zone: String,
        server_zone_kind: String, server_crane: String, server_role: String, transport: String, service: String,
        state: String, answered: bool, conduit: String, boundary: Boundary,
    }
}
row! {
    /// Row of `conduits`.
    ConduitRow {
        conduit: String, from_zone: String, to_zone: String, protocols: String, connections: i64, allowed: bool,
    }
}
row! {
    /// Row of `segments`.
    SegmentRow { packets: i64, declared: bool, last_ts: Option<i64>, }
}
row! {
    /// Row of `maintenance_windows`.
    WindowRow { system: String, from_ts: Option<i64>, to_ts: Option<i64>, }
}
row! {
    /// Row of `settings`.
    SettingsRow {
        as_of: Option<i64>, site_given: bool, scan_days: Option<u32>, backup_days: Option<u32>, review_days: Option<u32>,
        restore_test_days: Option<u32>,
    }
}

/// Rows of all derived tables. Serialized, it is an object with a list of rows for each table's name.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[allow(missing_docs, reason = "each field is a table documented in model::table")]
pub struct Rows {
    pub assets: Vec<AssetRow>,
    pub asset_attributes: Vec<AttributeRow>,
    pub interfaces: Vec<InterfaceRow>,
    pub cranes: Vec<CraneRow>,
    pub zones: Vec<ZoneRow>,
    pub flows: Vec<FlowRow>,
    pub conduits: Vec<ConduitRow>,
    pub segments: Vec<SegmentRow>,
    pub maintenance_windows: Vec<WindowRow>,
    pub settings: Vec<SettingsRow>,
}

/// Makes all rows.
pub(crate) fn rows(inventory: &Inventory) -> Rows {
    let site = inventory.site.site.id.as_str();
    let maker = Maker { inventory, site, model: &inventory.site };
    Rows {
        assets: inventory.assets.iter().map(|asset| maker.asset(asset)).collect(),
        asset_attributes: inventory.assets.iter().flat_map(|asset| maker.attributes(asset)).collect(),
        interfaces: inventory.assets.iter().flat_map(|asset| maker.interfaces(asset)).collect(),
        cranes: maker.cranes(),
        zones: maker.zones(),
        flows: inventory.flows.iter().map(|flow| maker.flow(flow)).collect(),
        conduits: maker.conduits(),
        segments: maker.segments(),
        maintenance_windows: maker.windows(),
        settings: vec![maker.settings()],
    }
}

/// What used a conduit.
#[derive(Default)]
struct Use<'a> {
    protocols: BTreeSet<&'a str>,
    connections: i64,
    first: Option<i64>,
}

struct Maker<'a> {
    inventory: &'a Inventory,
    site: &'a str,
    model: &'a SiteModel,
}

impl Maker<'_> {
    fn place(&self, segment: &str, ts: Option<i64>) -> PlaceColumns {
        PlaceColumns { ts, site: self.site.to_owned(), segment: segment.to_owned(), ..PlaceColumns::default() }
    }

    fn asset(&self, asset: &Asset) -> AssetRow {
        let asset = asset.clone();
        // Where the inventory first met it, of what named a frame.
        let met = asset.attributes.iter().filter(|value| value.frame.is_some());
        let met = met.min_by_key(|value| (value.ts, value.source.as_str(), value.frame));
        AssetRow {
            place: PlaceColumns {
                source: met.map_or_else(String::new, |value| value.source.clone()),
                frame: met.and_then(|value| value.frame),
                ..self.place(&asset.segment, asset.first_ts.map(|ts| ts.0))
            },
            asset: asset.id,
            address: asset.address,
            mac: asset.mac,
            name: asset.name,
            role: asset.role.name().to_owned(),
            role_reason: asset.role_reason,
            vendor: asset.vendor,
            model: asset.model,
            firmware: asset.firmware,
            serial: asset.serial,
            os: asset.os,
            crane: asset.crane,
            system: asset.system,
            zone: asset.zone,
            zone_kind: asset.zone_kind,
            critical: asset.critical,
            declared: asset.declared,
            seen: asset.seen,
            external: asset.external,
            last_ts: asset.last_ts.map(|ts| ts.0),
        }
    }

    fn attributes(&self, asset: &Asset) -> Vec<AttributeRow> {
        let row = |value: &quaywatch_model::AttributeValue| AttributeRow {
            place: PlaceColumns {
                source: value.source.clone(),
                frame: value.frame,
                ..self.place(
                    if value.segment.is_empty() { &asset.segment } else { &value.segment },
                    value.ts.map(|t| t.0),
                )
            },
            asset: asset.id.clone(),
            attribute: value.attribute.name().to_owned(),
            value: value.value.clone(),
            confidence: value.confidence,
            method: value.method.clone(),
            claims: value.claims,
            chosen: value.chosen,
        };
        asset.attributes.iter().map(row).collect()
    }

    fn interfaces(&self, asset: &Asset) -> Vec<InterfaceRow> {
        let row = |interface: &quaywatch_model::Interface| InterfaceRow {
            place: self.place(&interface.segment, asset.first_ts.map(|ts| ts.0)),
            asset: asset.id.clone(),
            address: interface.address.clone(),
            mac: interface.mac.clone(),
            zone: interface.zone.clone(),
        };
        asset.interfaces.iter().map(row).collect()
    }

    fn cranes(&self) -> Vec<CraneRow> {
        let row = |crane: &quaywatch_model::site::Crane| CraneRow {
            place: self.place("", None),
            crane: crane.id.clone(),
            kind: crane.kind.name().to_owned(),
            maker: crane.maker.clone(),
            model: crane.model.clone(),
            foreign_made: crane.foreign,
            sisters: crane.sisters.join(","),
            members: count(self.inventory.assets.iter().filter(|asset| asset.crane == crane.id)),
        };
        self.model.cranes.iter().map(row).collect()
    }

    fn zones(&self) -> Vec<ZoneRow> {
        let row = |zone: &quaywatch_model::site::Zone| {
            let assets = || self.inventory.assets.iter().filter(|asset| asset.zone == zone.id);
            ZoneRow {
                place: self.place("", assets().filter_map(|asset| asset.first_ts).min().map(|ts| ts.0)),
                zone: zone.id.clone(),
                kind: zone.kind.name().to_owned(),
                level: zone.level.map(i64::from),
                assets: count(assets()),
                packets: self.packets_of(zone),
            }
        };
        self.model.zones.iter().map(row).collect()
    }

    /// Packets captured on the zone's segments: those it lists, or else those on which assets of it were themselves seen.
    fn packets_of(&self, zone: &quaywatch_model::site::Zone) -> i64 {
        let mut segments: BTreeSet<&str> = zone.segments.iter().map(String::as_str).collect();
        if segments.is_empty() {
            let seen = self.inventory.assets.iter().filter(|asset| asset.seen && !asset.mac.is_empty());
            let interfaces =
                seen.flat_map(|asset| &asset.interfaces).filter(|i| i.zone == zone.id && !i.mac.is_empty());
            segments.extend(interfaces.map(|interface| interface.segment.as_str()));
        }
        self.inventory
            .captured
            .iter()
            .filter(|row| segments.contains(row.segment.as_str()))
            .map(|row| row.packets)
            .sum()
    }

    fn flow(&self, flow: &InventoryFlow) -> FlowRow {
        let asset = |end: &End| end.asset.and_then(|at| self.inventory.assets.get(at));
        let (client, server) = (asset(&flow.client), asset(&flow.server));
        let id = |asset: Option<&Asset>| asset.map_or_else(String::new, |asset| asset.id.clone());
        let crane = |asset: Option<&Asset>| asset.map_or_else(String::new, |asset| asset.crane.clone());
        let role = |asset: Option<&Asset>| asset.map_or("", |asset| asset.role.name()).to_owned();
        FlowRow {
            place: PlaceColumns {
                uid: flow.uid.clone(),
                source: flow.source.clone(),
                frame: flow.frame,
                ..self.place(&flow.segment, flow.first_ts)
            },
            client_asset: id(client),
            client: flow.client.address.clone(),
            client_zone: flow.client.zone.clone(),
            client_zone_kind: flow.client.zone_kind.clone(),
            client_crane: crane(client),
            client_role: role(client),
            server_asset: id(server),
            server: flow.server.address.clone(),
            server_port: flow.server_port,
            server_zone: flow.server.zone.clone(),
            server_zone_kind: flow.server.zone_kind.clone(),
            server_crane: crane(server),
            server_role: role(server),
            transport: flow.transport.clone(),
            service: flow.service.clone(),
            state: flow.state.clone(),
            answered: flow.answered,
            conduit: flow.conduit.clone(),
            boundary: flow.boundary,
        }
    }

    /// The conduits of the site model with what used them, then pairs of zones that talk without one.
    fn conduits(&self) -> Vec<ConduitRow> {
        let mut sums: BTreeMap<(&str, &str, &str), Use<'_>> = BTreeMap::new();
        for flow in &self.inventory.flows {
            if flow.client.zone.is_empty() || flow.server.zone.is_empty() || flow.boundary == Boundary::Inside {
                continue;
            }
            let key = (flow.conduit.as_str(), flow.client.zone.as_str(), flow.server.zone.as_str());
            let sum = sums.entry(key).or_default();
            sum.protocols.extend(Some(flow.service.as_str()).filter(|service| !service.is_empty()));
            sum.connections += flow.connections;
            sum.first = sum.first.into_iter().chain(flow.first_ts).min();
        }
        for conduit in &self.model.conduits {
            sums.entry((&conduit.id, &conduit.from, &conduit.to)).or_default();
        }
        let row = |((conduit, from, to), sum): ((&str, &str, &str), Use<'_>)| ConduitRow {
            place: self.place("", sum.first),
            conduit: conduit.to_owned(),
            from_zone: from.to_owned(),
            to_zone: to.to_owned(),
            protocols: sum.protocols.into_iter().collect::<Vec<_>>().join(","),
            connections: sum.connections,
            allowed: !conduit.is_empty(),
        };
        sums.into_iter().map(row).collect()
    }

    fn segments(&self) -> Vec<SegmentRow> {
        let captured = &self.inventory.captured;
        let declared = || self.model.segments.iter().map(|segment| segment.id.as_str());
        let ids: BTreeSet<&str> = captured.iter().map(|row| row.segment.as_str()).chain(declared()).collect();
        let row = |id: &str| {
            let rows = || captured.iter().filter(|row| row.segment == id);
            SegmentRow {
                place: self.place(id, rows().filter_map(|row| row.first_ts).min()),
                packets: rows().map(|row| row.packets).sum(),
                declared: self.inventory.draft.is_none() && declared().any(|declared| declared == id),
                last_ts: rows().filter_map(|row| row.last_ts).max(),
            }
        };
        ids.into_iter().map(row).collect()
    }

    fn windows(&self) -> Vec<WindowRow> {
        let row = |window: &quaywatch_model::site::MaintenanceWindow| WindowRow {
            place: self.place("", Some(window.from.0)),
            system: window.system.clone(),
            from_ts: Some(window.from.0),
            to_ts: Some(window.to.0),
        };
        self.model.maintenance_windows.iter().map(row).collect()
    }

    fn settings(&self) -> SettingsRow {
        let Intervals { scan_days, backup_days, review_days, restore_test_days } = self.model.intervals.or_default();
        let as_of = self.inventory.as_of.map(|as_of| as_of.0);
        let site_given = self.inventory.draft.is_none();
        SettingsRow {
            place: self.place("", as_of),
            as_of,
            site_given,
            scan_days,
            backup_days,
            review_days,
            restore_test_days,
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}
