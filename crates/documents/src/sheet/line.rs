//! One row of a sheet, and what its fields may hold.

use std::net::IpAddr;

use csv::StringRecord;
use quaywatch_model::{At, SourceId, Timestamp};

use super::header::Header;

/// Characters of a wrong value that a reason shows.
const MAX_SHOWN: usize = 40;

/// One row.
pub(crate) struct Line<'a> {
    pub(super) header: &'a Header,
    pub(super) record: &'a StringRecord,
    pub(super) number: u64,
    pub(super) source: SourceId,
}

impl<'a> Line<'a> {
    /// The place of the row, with the time it states.
    pub(crate) fn at(&self, ts: Timestamp) -> At {
        At { ts, source: self.source, frame: self.number, ..At::default() }
    }

    /// The text of a column without blanks around it; empty if the column or field is not there.
    pub(crate) fn text(&self, column: &str) -> &'a str {
        self.header.field(column).and_then(|index| self.record.get(index)).map_or("", str::trim)
    }

    /// The text of a column that must not be empty.
    pub(crate) fn required(&self, column: &str) -> Result<&'a str, String> {
        match self.text(column) {
            "" => Err(format!("`{column}` is empty")),
            text => Ok(text),
        }
    }

    /// A truth value; empty and "unknown" are neither.
    pub(crate) fn boolean(&self, column: &str) -> Result<Option<bool>, String> {
        match self.text(column).to_lowercase().as_str() {
            "" | "-" | "?" | "n/a" | "unknown" => Ok(None),
            "true" | "yes" | "y" | "1" | "x" | "on" | "t" => Ok(Some(true)),
            "false" | "no" | "n" | "0" | "off" | "f" => Ok(Some(false)),
            _ => Err(self.wrong(column, "is neither true nor false")),
        }
    }

    /// An instant; empty and "never" are none.
    pub(crate) fn time(&self, column: &str) -> Result<Option<Timestamp>, String> {
        match self.text(column) {
            "" | "-" => Ok(None),
            never if never.eq_ignore_ascii_case("never") => Ok(None),
            text => match Timestamp::parse_rfc3339(text) {
                Some(instant) => Ok(Some(instant)),
                None => Err(self
                    .wrong(column, "is no time with zone such as 2026-11-02T08:00:00Z, nor a date such as 2026-11-02")),
            },
        }
    }

    /// An instant that must be there.
    pub(crate) fn required_time(&self, column: &str) -> Result<Timestamp, String> {
        self.time(column)?.ok_or_else(|| format!("`{column}` is empty"))
    }

    /// A number that is not negative.
    pub(crate) fn amount(&self, column: &str) -> Result<Option<f64>, String> {
        match self.text(column) {
            "" | "-" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(amount) if amount.is_finite() && amount >= 0.0 => Ok(Some(amount)),
                _ => Err(self.wrong(column, "is no number such as 45 or 12.5")),
            },
        }
    }

    /// An address or network; empty for any.
    pub(crate) fn network(&self, column: &str) -> Result<&'a str, String> {
        let text = self.text(column);
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let longest = match address.parse() {
            Ok(IpAddr::V4(_)) => 32u8,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) if text.is_empty() => return Ok(""),
            Err(_) => {
                return Err(self.wrong(column, "is no address such as 10.0.0.5 and no network such as 10.0.0.0/24"));
            }
        };
        match prefix.map(str::parse::<u8>) {
            None => Ok(text),
            Some(Ok(prefix)) if prefix <= longest => Ok(text),
            Some(_) => Err(self.wrong(column, "has no valid prefix length")),
        }
    }

    /// The reason for rejecting a row over a column. The value is shown, but not where passwords are near: a shifted
    /// row may have one in any column.
    pub(crate) fn wrong(&self, column: &str, is: &str) -> String {
        if self.header.has_secret() {
            return format!("`{column}` {is}");
        }
        let shown: String = self.text(column).chars().take(MAX_SHOWN).collect();
        format!("`{column}` {is}: `{shown}`")
    }
}
