//! From a citation in a control's row to the row of evidence that it names.

use quaywatch_model::control::Citation;
use quaywatch_model::table::{PLACE, Table};
use quaywatch_query::Session;

/// What a citation names. Ordered by table, input, frame.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Place {
    /// Rows that one frame or line gave.
    Rows { table: &'static str, source: String, frame: u64 },
    /// An asset of the inventory, by what showed this attribute of it.
    Asset { asset: String, attribute: String },
}

impl Place {
    /// Reads what `cite(table, source, frame)` or `cite_asset(asset, attribute)` wrote: `table|source|frame` or
    /// `asset|id|attribute`.
    pub(crate) fn parse(text: &str) -> Option<Place> {
        let (first, rest) = text.split_once('|')?;
        let (middle, last) = rest.rsplit_once('|')?;
        if first == "asset" {
            return Some(Place::Asset { asset: middle.to_owned(), attribute: last.to_owned() });
        }
        Some(Place::Rows { table: Table::find(first)?.name, source: middle.to_owned(), frame: last.parse().ok()? })
    }
}

/// Rows shown of one place: a frame may have said several things, and the finding may rest on any of them.
const ROWS_OF_A_PLACE: usize = 4;

/// The rows at these places.
///
/// # Errors
/// The query's, in words.
pub(crate) fn fetch(session: &Session, places: &[Place]) -> Result<Vec<Citation>, String> {
    let found = places.iter().map(|place| match place {
        Place::Rows { table, source, frame } => {
            rows(session, table, &format!("source = {} AND frame = {frame} LIMIT {ROWS_OF_A_PLACE}", quoted(source)))
        }
        Place::Asset { asset, attribute } => sighting(session, asset, attribute),
    });
    Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What best shows an asset: a claim of the attribute, another claim, a connection of its address, its own row.
fn sighting(session: &Session, asset: &str, attribute: &str) -> Result<Vec<Citation>, String> {
    let (id, attribute) = (quoted(asset), quoted(attribute));
    let claim = format!(
        "asset = {id} AND frame IS NOT NULL \
         ORDER BY attribute = {attribute} DESC, attribute IN ('ip', 'mac') DESC, chosen DESC, confidence DESC, attribute, value LIMIT 1"
    );
    let (segment, address) = asset.rsplit_once('/').unwrap_or(("", asset));
    let connection = format!(
        "segment = {} AND {} IN (client, server) ORDER BY ts, source, frame LIMIT 1",
        quoted(segment),
        quoted(address)
    );
    for (table, condition) in
        [("asset_attributes", claim), ("connections", connection), ("assets", format!("asset = {id}"))]
    {
        let found = rows(session, table, &condition)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn rows(session: &Session, table: &'static str, condition: &str) -> Result<Vec<Citation>, String> {
    let sql = format!("SELECT * FROM {table} WHERE {condition}");
    let rows = session.query(&sql).map_err(|bad| bad.to_string())?;
    Ok(rows.text_rows().into_iter().map(|cells| citation(table, rows.columns(), cells)).collect())
}

fn citation(table: &str, columns: &[String], cells: Vec<String>) -> Citation {
    let mut cited = Citation { table: table.to_owned(), ..Citation::default() };
    for (column, cell) in columns.iter().cloned().zip(cells) {
        match column.as_str() {
            "ts" => cited.ts = cell,
            "source" => cited.source = cell,
            "frame" => cited.frame = cell.parse().unwrap_or_default(),
            name if cell.is_empty() || PLACE.iter().any(|place| place.name == name) => (),
            _ => cited.row.push((column, cell)),
        }
    }
    cited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_parse_even_with_odd_file_names() {
        let place = Place::parse("connections|a|b.pcap|17").unwrap();
        assert_eq!(place, Place::Rows { table: "connections", source: "a|b.pcap".to_owned(), frame: 17 });
        let place = Place::parse("asset|c/10.0.0.1|mac").unwrap();
        assert_eq!(place, Place::Asset { asset: "c/10.0.0.1".to_owned(), attribute: "mac".to_owned() });
        assert_eq!(Place::parse("nonsense|a|1"), None);
        assert_eq!(Place::parse("connections|a|x"), None);
        assert_eq!(Place::parse(""), None);
    }
}
