//! Linux firewalls: the output of `iptables-save` and `ip6tables-save` (iptables-save(8), iptables(8),
//! iptables-extensions(8)), of `iptables -S`, and rule files kept in that form.
//!
//! A chain of the filter table goes by its name, one of another table by `CHAIN@TABLE`. Each chain's rules are numbered
//! as the kernel has them after the file was loaded; a default policy is the chain's number 0. Of a rule, the columns
//! hold what they can; every further match is kept as written in `conditions`, so that a rule that is narrower than
//! its columns say does not look like one that lets anything through.

mod rule;
mod table;
mod words;

use quaywatch_model::RowSink;

use crate::reader::{Confidence, Document, DocumentMeta, DocumentReader, has_ending, stem};
use crate::{DocumentError, MAX_LINE, Reading, text};
use rule::Rule;
use table::Table;

/// Rules that one document may have; `-I` in front makes more of them slow.
pub const MAX_RULES: usize = 65_536;

/// Tables of the kernel (iptables(8), section TABLES).
const TABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// Reads iptables configurations.
pub struct Iptables;

static META: DocumentMeta = DocumentMeta {
    kind: "iptables",
    title: "iptables configuration",
    table: "firewall_rules",
    file: "firewall.rules",
    scope: "The output of iptables-save or ip6tables-save, or of iptables -S: all tables, default policies and rules in \
            order.",
    columns: &[],
};

impl DocumentReader for Iptables {
    fn meta(&self) -> &'static DocumentMeta {
        &META
    }

    fn sniff(&self, head: &[u8], name: &str) -> Confidence {
        let (text, _) = text::decode(head);
        let is_table = |line: &str| line.strip_prefix('*').is_some_and(|table| TABLES.contains(&table));
        let is_policy = |line: &str| line.starts_with("-P ") && line.split_whitespace().count() == 3;
        let lines = text.lines().map(str::trim);
        let known = lines.filter(|line| is_table(line) || is_policy(line)).count();
        let named = has_ending(name, &["rules"]) || stem(name).starts_with("firewall") && has_ending(name, &["txt"]);
        match known {
            0 if named && !text.contains('\0') => Confidence::Name,
            0 => Confidence::No,
            known => Confidence::Content(known),
        }
    }

    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError> {
        let (text, odd) = text::decode(input.bytes);
        let last = input.name.rsplit(['/', '\\']).next().unwrap_or(input.name);
        let device = last.rsplit_once('.').map_or(last, |(device, _)| device);
        let mut state = State {
            reading: Reading::default(),
            table: None,
            seen: Vec::new(),
            rules: 0,
            place: table::Place { device, source: input.source },
        };
        state.reading.notes.extend(odd.map(str::to_owned));
        for (line, number) in text.lines().zip(1..) {
            state.reading.lines = number;
            state.line(line.trim(), number, out);
        }
        state.end_table(out, false);
        if state.reading.rows == 0 {
            return Err(DocumentError {
                name: input.name.to_owned(),
                line: 0,
                what: "there is no iptables rule and no policy in it".to_owned(),
                remedy: "give the output of iptables-save".to_owned(),
            });
        }
        Ok(state.reading)
    }
}

/// What a line came to.
enum Outcome {
    /// It is a rule or policy.
    Row,
    /// It is understood and makes no row.
    Structure,
}

struct State<'a> {
    reading: Reading,
    /// The table that lines now belong to.
    table: Option<Table<'a>>,
    /// Tables begun so far.
    seen: Vec<&'a str>,
    rules: usize,
    place: table::Place<'a>,
}

impl<'a> State<'a> {
    fn line(&mut self, line: &'a str, number: u64, out: &mut dyn RowSink) {
        let outcome = if line.len() > MAX_LINE {
            Err(format!("the line has {} bytes, more than {MAX_LINE}", line.len()))
        } else {
            self.understand(line, number, out)
        };
        match outcome {
            Ok(Outcome::Row) => self.reading.take(1),
            Ok(Outcome::Structure) => self.reading.understood += 1,
            Err(reason) => self.reading.reject(number, 1, reason),
        }
    }

    fn understand(&mut self, line: &'a str, number: u64, out: &mut dyn RowSink) -> Result<Outcome, String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(Outcome::Structure);
        }
        if let Some(name) = line.strip_prefix('*') {
            self.end_table(out, false);
            return self.begin_table(name.trim());
        }
        if line == "COMMIT" {
            if self.table.is_none() {
                return Err("COMMIT without a table".to_owned());
            }
            self.end_table(out, true);
            return Ok(Outcome::Structure);
        }
        if self.table.is_none() && self.seen.is_empty() && line.starts_with('-') {
            // What `iptables -S` prints is of the filter table and does not say so.
            self.seen.push("filter");
            self.table = Some(Table::new("filter", true));
        }
        let Some(table) = &mut self.table else {
            return Err("the line stands in no table".to_owned());
        };
        if let Some(declared) = line.strip_prefix(':') {
            return table.declare(declared, line, number);
        }
        if self.rules >= MAX_RULES {
            return Err(format!("there are more than {MAX_RULES} rules"));
        }
        let words = words::split(line)?;
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        // iptables-save -c puts the counters in front.
        let words = match words.split_first() {
            Some((first, rest)) if first.starts_with('[') && first.ends_with(']') => rest,
            _ => words.as_slice(),
        };
        self.rules += 1;
        table.command(words, line, number)
    }

    fn begin_table(&mut self, name: &'a str) -> Result<Outcome, String> {
        let Some(known) = TABLES.iter().find(|known| **known == name) else {
            return Err("it starts a table that iptables does not have".to_owned());
        };
        if self.seen.contains(known) {
            self.reading.notes.push(format!("the table {known} is there more than once: each is numbered on its own"));
        }
        self.seen.push(known);
        self.table = Some(Table::new(known, false));
        Ok(Outcome::Structure)
    }

    /// Hands out the rows of the table that ends here.
    fn end_table(&mut self, out: &mut dyn RowSink, committed: bool) {
        let Some(table) = self.table.take() else { return };
        if !committed && !table.implied {
            self.reading.notes.push(format!("the table {} has no COMMIT: the file may be cut short", table.name));
        }
        table.emit(&self.place, out);
    }
}
