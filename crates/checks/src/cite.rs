//! From a citation in a control's row to the row of evidence that it names.

use quaywatch_model::control::Citation;
use quaywatch_model::table::{PLACE, Table};
use quaywatch_query::Session;

/// Where a cited row is. Ordered by table, input, frame.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    table: &'static str,
    source: String,
    frame: u64,
}

impl Place {
    /// Reads what `cite(table, source, frame)` wrote: `table|source|frame`.
    pub(crate) fn parse(text: &str) -> Option<Place> {
        let (table, rest) = text.split_once('|')?;
        let (source, frame) = rest.rsplit_once('|')?;
        Some(Place { table: Table::find(table)?.name, source: source.to_owned(), frame: frame.parse().ok()? })
    }
}

/// Rows shown of one place: a frame may have said several things, and the finding may rest on any of them.
const ROWS_OF_A_PLACE: usize = 4;

/// The rows at these places.
///
/// # Errors
/// The query's, in words.
pub(crate) fn fetch(session: &Session, places: &[Place]) -> Result<Vec<Citation>, String> {
    let found = places.iter().map(|place| fetch_place(session, place)).collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn fetch_place(session: &Session, place: &Place) -> Result<Vec<Citation>, String> {
    let Place { table, source, frame } = place;
    let quoted = source.replace('\'', "''");
    let sql = format!("SELECT * FROM {table} WHERE source = '{quoted}' AND frame = {frame} LIMIT {ROWS_OF_A_PLACE}");
    let rows = session.query(&sql).map_err(|bad| bad.to_string())?;
    Ok(rows.text_rows().into_iter().map(|cells| citation(place, rows.columns(), cells)).collect())
}

fn citation(place: &Place, columns: &[String], cells: Vec<String>) -> Citation {
    let mut ts = String::new();
    let mut row = Vec::new();
    for (column, cell) in columns.iter().cloned().zip(cells) {
        if column == "ts" {
            ts = cell;
        } else if !cell.is_empty() && !PLACE.iter().any(|place| place.name == column) {
            row.push((column, cell));
        }
    }
    Citation { table: place.table.to_owned(), source: place.source.clone(), frame: place.frame, ts, row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_parse_even_with_odd_file_names() {
        let place = Place::parse("connections|a|b.pcap|17").unwrap();
        assert_eq!((place.table, place.source.as_str(), place.frame), ("connections", "a|b.pcap", 17));
        assert_eq!(Place::parse("nonsense|a|1"), None);
        assert_eq!(Place::parse("connections|a|x"), None);
        assert_eq!(Place::parse(""), None);
    }
}
