//! The sink of decoders and document readers: observations in, Parquet files out.

use std::fs;
use std::path::{Path, PathBuf};

use quaywatch_model::table::{Origin, TABLES, Table};
use quaywatch_model::{At, Endpoint, Observation, Sink, SourceId, Timestamp, Transport};
use serde::Serialize;
use serde_json::Value;

use crate::error::EvidenceError;
use crate::table_writer::TableWriter;

/// How evidence is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Rows after which a table starts a new file; bounds memory.
    pub rows_per_file: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { rows_per_file: 256 * 1024 }
    }
}

/// Folder of the tables inside a case or store.
pub const FOLDER: &str = "evidence";

/// Writes the tables of one run.
pub struct Evidence {
    folder: PathBuf,
    site: String,
    sources: Vec<String>,
    segments: Vec<String>,
    tables: Vec<TableWriter>,
    options: Options,
    failed: Option<EvidenceError>,
}

/// Where the tables of traffic stand in [`TABLES`]; a test holds them to their names.
mod at {
    pub(super) const CONNECTIONS: usize = 0;
    pub(super) const OPERATIONS: usize = 1;
    pub(super) const IDENTITIES: usize = 2;
    pub(super) const NAMES: usize = 3;
    pub(super) const SERVICES: usize = 4;
    pub(super) const SESSIONS: usize = 5;
    pub(super) const CREDENTIALS: usize = 6;
    pub(super) const REQUESTS: usize = 7;
    pub(super) const PROGRAMS: usize = 8;
    pub(super) const POSITIONS: usize = 9;
    pub(super) const CLOCKS: usize = 10;
    pub(super) const WEIRD: usize = 11;
    pub(super) const COVERAGE: usize = 12;
}

impl Evidence {
    /// Makes the folder `evidence` inside `folder` and writes tables into it.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn create(folder: &Path, site: &str, options: Options) -> Result<Self, EvidenceError> {
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|cause| EvidenceError::write(&folder, cause))?;
        let tables = TABLES.iter().map(|table| TableWriter::new(table, &folder)).collect();
        let site = site.to_owned();
        Ok(Evidence { folder, site, sources: Vec::new(), segments: Vec::new(), tables, options, failed: None })
    }

    /// Names of the inputs, by [`SourceId`].
    pub fn set_sources(&mut self, names: Vec<String>) {
        self.sources = names;
    }

    /// Names of the segments, by [`SegmentId`](quaywatch_model::SegmentId).
    pub fn set_segments(&mut self, names: Vec<String>) {
        self.segments = names;
    }

    /// What went wrong while writing, if anything: rows after it are lost, so the run is to be stopped.
    #[must_use]
    pub const fn failed(&self) -> Option<&EvidenceError> {
        self.failed.as_ref()
    }

    /// Rows taken so far, by table in the order of [`TABLES`].
    pub fn rows(&self) -> impl Iterator<Item = (&'static Table, u64)> + '_ {
        self.tables.iter().map(|writer| (writer.table, writer.total_rows))
    }

    /// Appends a row given as a value that serialises to an object of column names; the columns of the place are taken from
    /// `place` where the object lacks them.
    ///
    /// # Errors
    /// The row does not fit the table, or the table cannot be written.
    pub fn push(&mut self, table: &str, place: Option<At>, row: &impl Serialize) -> Result<(), EvidenceError> {
        let misfit = |what: String| EvidenceError::Row { table: table.to_owned(), what };
        let value = serde_json::to_value(row).map_err(|bad| misfit(bad.to_string()))?;
        let Value::Object(mut object) = value else { return Err(misfit("no object".to_owned())) };
        if let Some(at) = place {
            self.add_place(table, at, &mut object);
        }
        object.entry("site").or_insert_with(|| Value::String(self.site.clone()));
        let writer = self.tables.iter_mut().find(|writer| writer.table.name == table);
        let writer = writer.ok_or_else(|| misfit("there is no such table".to_owned()))?;
        writer.object(&object)?;
        if writer.end_row(self.options.rows_per_file) { writer.flush() } else { Ok(()) }
    }

    fn add_place(&self, table: &str, at: At, object: &mut serde_json::Map<String, Value>) {
        let document = Table::find(table).is_some_and(|table| table.origin == Origin::Document);
        let mut add = |name: &str, value: Value| {
            object.entry(name).or_insert(value);
        };
        add("ts", if at.ts == Timestamp(0) { Value::Null } else { at.ts.0.into() });
        add("source", self.source(at.source).into());
        add("frame", i64::try_from(at.frame).unwrap_or(i64::MAX).into());
        add("uid", at.uid.to_string().into());
        if !document {
            add("segment", self.segments.get(usize::from(at.segment.0)).map_or("", String::as_str).into());
        }
    }

    fn source(&self, id: SourceId) -> &str {
        self.sources.get(id.0 as usize).map_or("", String::as_str)
    }

    /// Forgets the derived tables on disk, so that they can be made anew.
    ///
    /// # Errors
    /// Their files cannot be removed.
    pub fn drop_derived(&mut self) -> Result<(), EvidenceError> {
        for table in TABLES.iter().filter(|table| table.origin == Origin::Derived) {
            let folder = self.folder.join(table.name);
            match fs::remove_dir_all(&folder) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    return Err(EvidenceError::write(&folder, cause));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes what is held.
    ///
    /// # Errors
    /// The first failure of the whole run.
    pub fn flush(&mut self) -> Result<(), EvidenceError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        self.tables.iter_mut().try_for_each(TableWriter::flush)
    }

    /// A row of the table at `index`, opened with the columns of its place.
    fn row(&mut self, index: usize, at: At) -> Option<&mut TableWriter> {
        let writer = self.tables.get_mut(index)?;
        let name = |names: &'_ [String], number: usize| -> usize { number.min(names.len()) };
        let (source, segment) = (at.source.0 as usize, usize::from(at.segment.0));
        let (sources, segments) = (&self.sources, &self.segments);
        let text = at.uid.text();
        let uid = if at.uid.is_none() { "" } else { std::str::from_utf8(&text).unwrap_or("") };
        writer
            .time(Some(at.ts))
            .numbered(0, || &self.site)
            .numbered(name(segments, segment), || segments.get(segment).map_or("", String::as_str))
            .text(uid)
            .numbered(name(sources, source), || sources.get(source).map_or("", String::as_str))
            .count(at.frame);
        Some(writer)
    }

    fn end_row(&mut self, index: usize) {
        let Some(writer) = self.tables.get_mut(index) else { return };
        if writer.end_row(self.options.rows_per_file)
            && let Err(bad) = writer.flush()
        {
            self.failed.get_or_insert(bad);
        }
    }
}

const fn transport_code(transport: Transport) -> i64 {
    match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Icmp => 1,
        Transport::Ip(protocol) => protocol as i64,
        Transport::Link(ethertype) => ethertype as i64,
    }
}

fn hex(digest: Option<[u8; 32]>) -> String {
    use std::fmt::Write as _;
    digest.iter().flatten().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Sink for Evidence {
    fn emit(&mut self, at: At, observation: Observation<'_>) {
        if self.failed.is_some() {
            return;
        }
        let index = match &observation {
            Observation::Connection(_) => at::CONNECTIONS,
            Observation::Operation(_) => at::OPERATIONS,
            Observation::Identity(_) => at::IDENTITIES,
            Observation::Name(_) => at::NAMES,
            Observation::Service(_) => at::SERVICES,
            Observation::Session(_) => at::SESSIONS,
            Observation::Credential(_) => at::CREDENTIALS,
            Observation::Request(_) => at::REQUESTS,
            Observation::Program(_) => at::PROGRAMS,
            Observation::Position(_) => at::POSITIONS,
            Observation::Clock(_) => at::CLOCKS,
            Observation::Weird(_) => at::WEIRD,
            Observation::Coverage(_) => at::COVERAGE,
        };
        if let Some(row) = self.row(index, at) {
            write_columns(row, &observation);
            self.end_row(index);
        }
    }
}

/// Opens a row of talk between two ends under a protocol.
fn talk<'w>(row: &'w mut TableWriter, client: Endpoint, server: Endpoint, protocol: &str) -> &'w mut TableWriter {
    row.end(client).end(server).text(protocol)
}

fn write_columns(row: &mut TableWriter, observation: &Observation<'_>) {
    let mac = |mac: Option<quaywatch_model::MacAddr>| mac.map_or(quaywatch_model::Address::None, Into::into);
    let narrow = |value: Option<u32>| value.map(i64::from);
    let wide = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
    match observation {
        Observation::Connection(c) => {
            row.end(c.client).end(c.server).text(c.transport.name()).int(Some(transport_code(c.transport)));
            row.text(c.service).time(Some(c.end)).int(Some(c.duration)).count(c.client_packets).count(c.server_packets);
            row.count(c.client_bytes).count(c.server_bytes).count(c.missed_bytes).text(c.state).text(c.community_id);
            row.int(c.vlan.map(i64::from)).address(mac(c.client_mac)).address(mac(c.server_mac));
            row.int(c.client_ttl.map(i64::from)).int(c.server_ttl.map(i64::from)).text(c.tunnel);
        }
        Observation::Operation(o) => {
            row.text(o.protocol).end(o.client).end(o.server).int(narrow(o.unit)).int(Some(i64::from(o.code)));
            row.text(o.name).text(o.class.name()).text(o.object).int(wide(o.quantity)).int(narrow(o.status));
            row.text(o.status_name).int(o.latency).int(wide(o.request_frame)).int(wide(o.reply_frame)).text(o.detail);
        }
        Observation::Identity(i) => {
            row.address(i.subject).text(i.attribute.name()).text(i.value).text(i.method);
        }
        Observation::Name(n) => {
            row.address(n.subject).text(n.name).text(n.kind.name()).address(n.asker);
        }
        Observation::Service(s) => {
            row.end(s.server).text(s.transport.name()).text(s.protocol).text(s.software).text(s.version);
        }
        Observation::Session(s) => {
            talk(row, s.client, s.server, s.protocol)
                .text(s.version)
                .text(s.user)
                .text(s.method)
                .text(s.outcome.name());
            row.text(s.client_software).text(s.server_software).boolean(Some(s.encrypted)).text(s.detail);
        }
        Observation::Credential(c) => {
            talk(row, c.client, c.server, c.protocol).text(c.account).text(c.weakness.name()).text(c.rule);
        }
        Observation::Request(r) => {
            talk(row, r.client, r.server, r.protocol).text(r.method).text(r.host).text(r.uri).text(r.user_agent);
            row.int(narrow(r.status));
        }
        Observation::Program(p) => {
            talk(row, p.client, p.server, p.protocol).text(p.transfer.name()).text(p.name).count(p.size);
            row.text(&hex(p.sha256)).boolean(Some(p.complete));
        }
        Observation::Position(p) => {
            row.end(p.receiver).text(p.protocol).text(p.sentence).float(p.latitude).float(p.longitude);
            row.int(narrow(p.quality)).int(narrow(p.satellites)).float(p.hdop).float(p.speed).time(p.receiver_time);
        }
        Observation::Clock(c) => {
            row.address(c.subject).text(c.method).time(Some(c.device_time)).int(Some(c.skew));
        }
        Observation::Weird(w) => {
            row.text(w.name).text(w.protocol).text(w.detail).end(w.sender).end(w.receiver);
        }
        Observation::Coverage(c) => {
            row.text(c.disposition.name()).text(c.protocol).text(c.reason).count(c.packets).count(c.bytes);
            row.time(Some(c.first)).time(Some(c.last));
        }
    }
}

#[cfg(test)]
mod tests;
