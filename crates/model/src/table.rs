//! The evidence tables, as data: their names, columns and what each column means.
//!
//! This is the contract between decoders, SQL and the documentation. The Arrow schemas, the
//! reference page and the loader's check of a control's `needs` are all made from it.

mod names;
pub use names::TABLES;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// UTF-8 text. Never null: absent is the empty text, so that controls compare without `IS NULL`.
    Text,
    /// Signed 64-bit integer, null where absent.
    Int,
    /// 64-bit float, null where absent.
    Float,
    /// Truth value, null where unknown.
    Bool,
    /// Instant, nanoseconds UTC, null where absent.
    Time,
}

/// Where a table's rows come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Decoded from packets.
    Traffic,
    /// Read from a document.
    Document,
    /// Derived from other evidence; made anew at each assessment.
    Derived,
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name as used in SQL.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Meaning, with unit.
    pub doc: &'static str,
}

/// One table of evidence.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Name as used in SQL and as folder in a case.
    pub name: &'static str,
    /// Where its rows come from.
    pub origin: Origin,
    /// What one row is.
    pub doc: &'static str,
    /// Columns of its own, after those of [`PLACE`].
    pub columns: &'static [Column],
}

impl Table {
    /// All columns in order: those of [`PLACE`], then its own.
    pub fn all_columns(&self) -> impl Iterator<Item = &'static Column> {
        PLACE.iter().chain(self.columns)
    }

    /// The table of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Table> {
        TABLES.iter().find(|table| table.name == name)
    }
}

const fn text(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Text, doc }
}
const fn int(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Int, doc }
}
const fn float(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Float, doc }
}
const fn boolean(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Bool, doc }
}
const fn time(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: Kind::Time, doc }
}

/// Columns that open every table: the place of the row.
pub const PLACE: &[Column] = &[
    time("ts", "instant of the packet, or the time a document states; null if it states none"),
    text("site", "site id"),
    text("segment", "segment id: the capture point's broadcast domain"),
    text("uid", "flow id, the same in all tables; empty where the row belongs to no flow"),
    text("source", "input file as given, relative to the folder it was found in"),
    int("frame", "frame number in the capture as Wireshark counts, or line of the document"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_no_column_hides_a_place_column() {
        for (i, table) in TABLES.iter().enumerate() {
            assert!(TABLES[..i].iter().all(|other| other.name != table.name), "{}", table.name);
            let mut seen = std::collections::HashSet::new();
            for column in table.all_columns() {
                assert!(seen.insert(column.name), "{}.{}", table.name, column.name);
            }
        }
    }
}
