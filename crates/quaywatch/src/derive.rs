//! From evidence to inventory: runs inventory's queries, and writes the derived tables.

use quaywatch_evidence::Evidence;
use quaywatch_inventory::{Input, Inventory, input};
use quaywatch_model::{SiteModel, Timestamp};
use quaywatch_protocols::analyzer::Purpose;
use quaywatch_protocols::{CARRIED, PROTOCOLS};
use quaywatch_query::{QueryError, Session};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::exit::Failure;

fn rows<T: DeserializeOwned>(session: &Session, sql: &str) -> Result<Vec<T>, Failure> {
    let decoded = session.query(sql).and_then(|rows| rows.decode());
    decoded.map_err(|bad: QueryError| Failure::failed(format!("the inventory's evidence cannot be summed up: {bad}")))
}

/// Usual ports of all protocols, so that flows without data have a name.
fn usual_ports() -> Vec<input::UsualPort> {
    let ports = |transport: &str, ports: &[u16], protocol: &str| -> Vec<input::UsualPort> {
        let port = |port: &u16| input::UsualPort {
            transport: transport.to_owned(),
            port: i64::from(*port),
            protocol: protocol.to_owned(),
        };
        ports.iter().map(port).collect()
    };
    PROTOCOLS
        .iter()
        .map(|protocol| protocol.meta())
        .flat_map(|meta| [ports("tcp", meta.tcp, meta.name), ports("udp", meta.udp, meta.name)].concat())
        .collect()
}

/// A row of table `protocols`.
#[derive(Serialize)]
struct ProtocolRow {
    protocol: &'static str,
    title: &'static str,
    purpose: &'static str,
    depth: &'static str,
    carrier: &'static str,
}

/// The registry, and what its analyzers tell under names of their own.
fn protocols() -> impl Iterator<Item = ProtocolRow> {
    PROTOCOLS.iter().map(|protocol| protocol.meta()).flat_map(|meta| {
        let row = |protocol, title, carrier, purpose: Purpose| ProtocolRow {
            protocol,
            title,
            purpose: purpose.name(),
            depth: meta.depth.name(),
            carrier,
        };
        let carried = CARRIED.iter().filter(|carried| carried.within == meta.name);
        let carried = carried.map(move |carried| row(carried.name, carried.title, meta.name, carried.purpose));
        std::iter::once(row(meta.name, meta.title, "", meta.purpose)).chain(carried)
    })
}

/// What the evidence says that inventory needs.
///
/// # Errors
/// The evidence cannot be read.
pub(crate) fn input(session: &Session, site: &str) -> Result<Input, Failure> {
    Ok(Input {
        site: site.to_owned(),
        connections: rows(session, input::ConnectionRow::SQL)?,
        operations: rows(session, input::OperationRow::SQL)?,
        identities: rows(session, input::IdentityRow::SQL)?,
        names: rows(session, input::NameRow::SQL)?,
        services: rows(session, input::ServiceRow::SQL)?,
        sessions: rows(session, input::SessionRow::SQL)?,
        requests: rows(session, input::RequestRow::SQL)?,
        positions: rows(session, input::PositionRow::SQL)?,
        coverage: rows(session, input::CoverageRow::SQL)?,
        usual_ports: usual_ports(),
        control_protocols: protocols()
            .filter(|row| row.purpose == Purpose::Control.name())
            .map(|row| row.protocol.to_owned())
            .collect(),
    })
}

/// Makes the inventory and writes the derived tables.
///
/// # Errors
/// The evidence cannot be read or written.
pub(crate) fn derive(
    session: &Session,
    evidence: &mut Evidence,
    site_id: &str,
    model: Option<&SiteModel>,
    as_of: Option<Timestamp>,
) -> Result<Inventory, Failure> {
    let inventory = Inventory::build(&input(session, site_id)?, model, as_of);
    let tables = serde_json::to_value(inventory.rows()).map_err(Failure::failed)?;
    let Value::Object(tables) = tables else { return Ok(inventory) };
    for (table, rows) in &tables {
        for row in rows.as_array().into_iter().flatten() {
            evidence.push(table, None, row).map_err(Failure::failed)?;
        }
    }
    for row in protocols() {
        evidence.push("protocols", None, &row).map_err(Failure::failed)?;
    }
    evidence.flush().map_err(Failure::failed)?;
    Ok(inventory)
}
