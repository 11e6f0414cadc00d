//! Zones and conduits as a drawing: one row a Purdue level, red where no conduit allows the path.

use quaywatch_model::assessment::{Assessment, ConduitSummary, ZoneSummary};

const BOX_WIDTH: i32 = 150;
const BOX_HEIGHT: i32 = 52;
const GAP_X: i32 = 34;
const GAP_Y: i32 = 74;
const MARGIN: i32 = 16;
/// Boxes in one row; a level with more goes on in the next row.
const PER_ROW: usize = 6;

/// A zone's box.
pub(crate) struct ZoneBox {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) middle: i32,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) caption: String,
}

/// A path between two boxes.
pub(crate) struct Path {
    pub(crate) d: String,
    pub(crate) class: &'static str,
    pub(crate) title: String,
}

/// The drawing.
pub(crate) struct Map {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) boxes: Vec<ZoneBox>,
    pub(crate) paths: Vec<Path>,
}

/// Lays out the zones, highest level on top.
pub(crate) fn map(assessment: &Assessment) -> Map {
    let mut zones: Vec<&ZoneSummary> = assessment.zones.iter().collect();
    zones.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| a.id.cmp(&b.id)));
    let mut rows: Vec<Vec<&ZoneSummary>> = Vec::new();
    for zone in zones {
        match rows.last_mut() {
            Some(row) if row.len() < PER_ROW && row.first().is_some_and(|first| first.level == zone.level) => {
                row.push(zone)
            }
            _ => rows.push(vec![zone]),
        }
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = MARGIN * 2 + span(columns);
    let mut boxes = Vec::new();
    for (row, zones) in (0..).zip(&rows) {
        let left = (width - span(zones.len())) / 2;
        for (column, zone) in (0..).zip(zones) {
            let (x, y) = (left + column * (BOX_WIDTH + GAP_X), MARGIN + row * (BOX_HEIGHT + GAP_Y));
            boxes.push(zone_box(zone, x, y));
        }
    }
    let paths = assessment.conduits.iter().filter_map(|conduit| path(conduit, &boxes)).collect();
    let height = MARGIN * 2 + i32::try_from(rows.len()).unwrap_or(0) * (BOX_HEIGHT + GAP_Y) - GAP_Y.min(BOX_HEIGHT);
    Map { width, height, boxes, paths }
}

/// Width of a row of `count` boxes.
fn span(count: usize) -> i32 {
    let count = i32::try_from(count).unwrap_or(0);
    (count * (BOX_WIDTH + GAP_X) - GAP_X).max(BOX_WIDTH)
}

fn zone_box(zone: &ZoneSummary, x: i32, y: i32) -> ZoneBox {
    let level = zone.level.map_or(String::new(), |level| format!("level {level}, "));
    ZoneBox {
        x,
        y,
        middle: x + BOX_WIDTH / 2,
        kind: zone.kind.clone(),
        title: zone.id.clone(),
        caption: format!("{level}{} asset{}", zone.assets, if zone.assets == 1 { "" } else { "s" }),
    }
}

/// A curve between the nearest edges of two boxes.
fn path(conduit: &ConduitSummary, boxes: &[ZoneBox]) -> Option<Path> {
    let from = boxes.iter().find(|zone| zone.title == conduit.from)?;
    let to = boxes.iter().find(|zone| zone.title == conduit.to)?;
    if std::ptr::eq(from, to) {
        return None;
    }
    let (start, end) = match from.y.cmp(&to.y) {
        std::cmp::Ordering::Less => (from.y + BOX_HEIGHT, to.y),
        std::cmp::Ordering::Greater => (from.y, to.y + BOX_HEIGHT),
        std::cmp::Ordering::Equal => (from.y + BOX_HEIGHT, to.y + BOX_HEIGHT),
    };
    let bend = if from.y == to.y { start + GAP_Y / 2 } else { i32::midpoint(start, end) };
    let class = match (conduit.allowed, conduit.connections) {
        (Some(false), _) => "denied",
        (Some(true), 0) => "unused",
        (Some(true), _) => "allowed",
        (None, _) => "unknown",
    };
    let said = match class {
        "denied" => "no conduit allows it",
        "unused" => "allowed, not seen",
        "allowed" => "allowed",
        _ => "not judged without a site model",
    };
    let (x1, x2) = (from.middle, to.middle);
    Some(Path {
        d: format!("M{x1},{start} C{x1},{bend} {x2},{bend} {x2},{end}"),
        class,
        title: format!(
            "{} to {}: {} ({}; {} connections)",
            conduit.from, conduit.to, conduit.protocols, said, conduit.connections
        ),
    })
}
