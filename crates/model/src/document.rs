//! What document readers say: one [`DocumentRow`] per fact, each becoming one row of evidence.
//!
//! The fields of a row are the columns of the table of that name (see [`crate::table`]). Instants serialise as
//! nanoseconds UTC, absent ones as null; absent text is empty.

use serde::Serialize;

use crate::place::{At, Timestamp};

/// Takes rows read from documents. Implemented by the evidence tables and by tests.
pub trait RowSink {
    /// Takes one row. `at` holds the input, the line as `frame`, and the time that the row states as `ts`, zero if it
    /// states none; the segment and flow of a document are always zero.
    fn row(&mut self, at: At, row: DocumentRow<'_>);
}

/// A row of `firewall_rules`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct FirewallRule<'a> {
    /// Firewall the configuration is from.
    pub device: &'a str,
    /// Chain; outside of the filter table with `@` and the table's name behind, such as `PREROUTING@nat`.
    pub chain: &'a str,
    /// Place in the chain, from 1; 0 for the default policy.
    pub position: i64,
    /// accept, drop, reject, log, jump or other.
    pub action: &'a str,
    /// IP protocol; empty for any.
    pub protocol: &'a str,
    /// Source; empty for any, `!` in front for all but this.
    pub src: &'a str,
    /// Destination, likewise.
    pub dst: &'a str,
    /// Destination ports or ranges, comma-separated; empty for any.
    pub dst_port: &'a str,
    /// Incoming interface; empty for any.
    pub in_interface: &'a str,
    /// Outgoing interface; empty for any.
    pub out_interface: &'a str,
    /// Connection states matched, comma-separated; empty for any.
    pub state: &'a str,
    /// Further conditions, as written; empty if there are none.
    pub conditions: &'a str,
    /// The rule as written.
    pub raw: &'a str,
}

/// A row of `accounts`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Account<'a> {
    /// System, crane or host the account is on.
    pub system: &'a str,
    /// Account name.
    pub account: &'a str,
    /// Whom it belongs to.
    pub person: &'a str,
    /// Administrator rights.
    pub privileged: Option<bool>,
    /// Can be used.
    pub enabled: Option<bool>,
    /// Second factor required.
    pub mfa: Option<bool>,
    /// Used by several persons.
    pub shared: Option<bool>,
    /// Last use.
    pub last_login: Option<Timestamp>,
}

/// A row of `people`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Person<'a> {
    /// Name or function as in `accounts`.
    pub person: &'a str,
    /// Function.
    pub role: &'a str,
    /// Day of leaving, its midnight UTC; `None` if still here.
    pub left_on: Option<Timestamp>,
}

/// A row of `backups`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Backup<'a> {
    /// Host name, address, or crane id / part.
    pub asset: &'a str,
    /// When it was taken.
    pub taken_at: Option<Timestamp>,
    /// SHA-256 as the manifest states it, lower-case hex; empty if it does not.
    pub sha256: &'a str,
    /// Kept off the network.
    pub offline: Option<bool>,
    /// Where it is kept.
    pub location: &'a str,
}

/// A row of `restore_tests`.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize)]
pub struct RestoreTest<'a> {
    /// What was restored.
    pub asset: &'a str,
    /// When.
    pub tested_at: Option<Timestamp>,
    /// Minutes it took.
    pub minutes: Option<f64>,
    /// ok or failed.
    pub outcome: &'a str,
}

/// A row of `work_orders`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct WorkOrder<'a> {
    /// Number of the work order.
    pub id: &'a str,
    /// Crane id, system id or asset worked on.
    pub system: &'a str,
    /// Who does the work.
    pub company: &'a str,
    /// Account used.
    pub account: &'a str,
    /// Address or network the work is done from; empty for any.
    pub work_source: &'a str,
    /// Start of the permitted time.
    pub from_ts: Option<Timestamp>,
    /// End of the permitted time.
    pub to_ts: Option<Timestamp>,
    /// What for.
    pub purpose: &'a str,
}

/// A row of `scans`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Scan<'a> {
    /// Address, network or host name scanned.
    pub target: &'a str,
    /// When.
    pub scanned_at: Option<Timestamp>,
    /// With what.
    pub scanner: &'a str,
    /// With a login on the target.
    pub credentialed: Option<bool>,
}

/// Anything that is read from documents.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum DocumentRow<'a> {
    /// A rule or policy of a firewall.
    FirewallRule(FirewallRule<'a>),
    /// An account.
    Account(Account<'a>),
    /// A person.
    Person(Person<'a>),
    /// A backup.
    Backup(Backup<'a>),
    /// A test of restoring a backup.
    RestoreTest(RestoreTest<'a>),
    /// An announced piece of work.
    WorkOrder(WorkOrder<'a>),
    /// A target of a vulnerability scan.
    Scan(Scan<'a>),
}

impl DocumentRow<'_> {
    /// Name of the table that the row belongs to.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        match self {
            DocumentRow::FirewallRule(_) => "firewall_rules",
            DocumentRow::Account(_) => "accounts",
            DocumentRow::Person(_) => "people",
            DocumentRow::Backup(_) => "backups",
            DocumentRow::RestoreTest(_) => "restore_tests",
            DocumentRow::WorkOrder(_) => "work_orders",
            DocumentRow::Scan(_) => "scans",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    #[test]
    fn fields_are_the_columns_of_the_table_in_order() {
        let rows = [
            DocumentRow::FirewallRule(FirewallRule::default()),
            DocumentRow::Account(Account::default()),
            DocumentRow::Person(Person::default()),
            DocumentRow::Backup(Backup::default()),
            DocumentRow::RestoreTest(RestoreTest::default()),
            DocumentRow::WorkOrder(WorkOrder::default()),
            DocumentRow::Scan(Scan::default()),
        ];
        for row in rows {
            let table = Table::find(row.table()).unwrap();
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            // The text keeps the order of the fields, which a JSON map does not.
            let text = serde_json::to_string(&row).unwrap();
            let fields: Vec<&str> = text.split(['{', ',', '}']).filter_map(|f| f.split('"').nth(1)).collect();
            assert_eq!(fields, columns, "{}", row.table());
        }
    }
}
