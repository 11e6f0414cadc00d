//! Puts the assessment together from inventory, controls and evidence.

use std::collections::BTreeSet;

use quaywatch_checks::Outcome;
use quaywatch_inventory::Inventory;
use quaywatch_model::assessment::{
    AreaSummary, Assessment, ConduitSummary, CoverageLine, CraneSummary, InputSummary, Reach, StateChange,
    UnrecognisedLine, WeaknessSummary, ZoneSummary,
};
use quaywatch_model::control::{Area, ControlResult, Finding, Severity, Verdict, WeaknessKind};
use quaywatch_model::{Asset, Timestamp};
use quaywatch_query::{QueryError, Session};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exit::Failure;
use crate::ingest::InputRow;
use crate::sisters;

fn rows<T: DeserializeOwned>(session: &Session, sql: &str) -> Result<Vec<T>, Failure> {
    let decoded = session.query(sql).and_then(|rows| rows.decode());
    decoded.map_err(|bad: QueryError| Failure::failed(format!("the assessment cannot be put together: {bad}")))
}

fn printed(ts: Option<i64>) -> String {
    ts.map_or_else(String::new, |ts| Timestamp(ts).to_string())
}

/// Puts the assessment together.
///
/// # Errors
/// The evidence cannot be read.
pub(crate) fn assemble(
    session: &Session,
    inventory: &Inventory,
    outcome: Outcome,
    inputs: &[InputRow],
) -> Result<Assessment, Failure> {
    let Outcome { results, findings, failed } = outcome;
    let (first, last) = traffic(session)?;
    let site_given = inventory.draft.is_none();
    let mut assessment = Assessment {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        site: inventory.site.site.id.clone(),
        site_name: site_name(inventory),
        site_given,
        as_of: inventory.as_of.map_or_else(String::new, |ts| ts.to_string()),
        traffic_from: printed(first),
        traffic_to: printed(last),
        inputs: inputs.iter().filter(|input| input.status != "ignored").map(input_summary).collect(),
        coverage: coverage(session)?,
        unrecognised: unrecognised(session)?,
        areas: Area::ALL.iter().map(|area| area_summary(*area, &results, &findings)).collect(),
        weaknesses: WeaknessKind::ALL.iter().map(|kind| weakness_summary(*kind, &results, &findings)).collect(),
        cranes: cranes(session, inventory, &findings, site_given)?,
        zones: zones(session)?,
        conduits: conduits(session, site_given)?,
        assets: inventory.assets.clone(),
        limits: Vec::new(),
        controls: results,
        findings,
    };
    assessment.limits = limits(&assessment, &failed);
    Ok(assessment)
}

fn site_name(inventory: &Inventory) -> String {
    let site = &inventory.site.site;
    match (site.name.is_empty(), site.id.is_empty()) {
        (false, _) => site.name.clone(),
        (true, false) => site.id.clone(),
        (true, true) => "unnamed site".to_owned(),
    }
}

fn input_summary(input: &InputRow) -> InputSummary {
    InputSummary {
        name: input.name.clone(),
        kind: input.kind.clone(),
        status: input.status.clone(),
        reason: input.reason.clone(),
        sha256: input.sha256.clone(),
        packets: input.packets,
        dropped: input.dropped,
        rows: input.rows,
        rejected: input.rejected,
    }
}

fn traffic(session: &Session) -> Result<(Option<i64>, Option<i64>), Failure> {
    #[derive(Deserialize)]
    struct Row {
        first: Option<i64>,
        last: Option<i64>,
    }
    let found: Vec<Row> = rows(session, "SELECT min(first_ts) AS first, max(last_ts) AS last FROM coverage")?;
    Ok(found.first().map_or((None, None), |row| (row.first, row.last)))
}

fn coverage(session: &Session) -> Result<Vec<CoverageLine>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        disposition: String,
        protocol: String,
        packets: u64,
        bytes: u64,
    }
    let sql = "SELECT disposition, protocol, sum(packets) AS packets, sum(bytes) AS bytes FROM coverage \
               GROUP BY disposition, protocol ORDER BY disposition, packets DESC, protocol";
    let found: Vec<Row> = rows(session, sql)?;
    let line = |Row { disposition, protocol, packets, bytes }| CoverageLine { disposition, protocol, packets, bytes };
    Ok(found.into_iter().map(line).collect())
}

fn unrecognised(session: &Session) -> Result<Vec<UnrecognisedLine>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        sender: String,
        receiver: String,
        transport: String,
        number: u64,
        guess: String,
        flows: u64,
        bytes: u64,
        content: String,
        rhythm: String,
        size: Option<u64>,
        period: Option<u64>,
        prefix: String,
        source: String,
        frame: u64,
    }
    let sql = format!(
        "WITH told AS (SELECT *, CASE WHEN direction = 'from-client' THEN client ELSE server END AS sender, \
         CASE WHEN direction = 'from-client' THEN server ELSE client END AS receiver, \
         CASE WHEN transport IN ('tcp', 'udp') THEN server_port ELSE transport_code END AS number FROM unrecognised) \
         SELECT sender, receiver, transport, number, guess, count(*) AS flows, sum(bytes) AS bytes, content, rhythm, \
         first_value(size_median ORDER BY bytes DESC, source, frame) AS size, \
         first_value(period ORDER BY bytes DESC, source, frame) AS period, \
         first_value(prefix ORDER BY bytes DESC, source, frame) AS prefix, \
         first_value(source ORDER BY bytes DESC, source, frame) AS source, \
         first_value(frame ORDER BY bytes DESC, source, frame) AS frame \
         FROM told GROUP BY sender, receiver, transport, number, guess, content, rhythm \
         ORDER BY bytes DESC, sender, receiver, transport, number, content, rhythm LIMIT {}",
        UnrecognisedLine::MAX_LINES
    );
    let found: Vec<Row> = rows(session, &sql)?;
    let line = |row: Row| UnrecognisedLine {
        over: match row.transport.as_str() {
            "tcp" | "udp" => format!("{} {}", row.transport, row.number),
            "link" => format!("link {:#06x}", row.number),
            other => format!("{other} {}", row.number),
        },
        sender: row.sender,
        receiver: row.receiver,
        guess: if row.guess == row.transport { String::new() } else { row.guess },
        flows: row.flows,
        bytes: row.bytes,
        content: row.content,
        rhythm: row.rhythm,
        size: row.size,
        period: row.period,
        prefix: row.prefix,
        source: row.source,
        frame: row.frame,
    };
    Ok(found.into_iter().map(line).collect())
}

/// Not satisfied if one control is not; satisfied only if at least one is and none is not.
fn joint_verdict<'a>(results: impl Iterator<Item = &'a ControlResult>) -> Verdict {
    results.fold(Verdict::NotAssessed, |joint, result| match (joint, result.verdict) {
        (Verdict::NotSatisfied, _) | (_, Verdict::NotSatisfied) => Verdict::NotSatisfied,
        (Verdict::Satisfied, _) | (_, Verdict::Satisfied) => Verdict::Satisfied,
        _ => Verdict::NotAssessed,
    })
}

fn area_summary(area: Area, results: &[ControlResult], findings: &[Finding]) -> AreaSummary {
    let of_area = || results.iter().filter(move |result| result.control.area == area);
    let count = |severity: Severity| findings.iter().filter(|f| f.area == area && f.severity == severity).count();
    AreaSummary {
        area,
        verdict: joint_verdict(of_area()),
        assessed: of_area().filter(|result| result.verdict != Verdict::NotAssessed).count(),
        controls: of_area().count(),
        findings: Severity::ALL
            .iter()
            .rev()
            .map(|severity| (*severity, count(*severity)))
            .filter(|(_, n)| *n > 0)
            .collect(),
    }
}

fn weakness_summary(weakness: WeaknessKind, results: &[ControlResult], findings: &[Finding]) -> WeaknessSummary {
    let shown = || findings.iter().filter(move |finding| finding.weakness == Some(weakness));
    WeaknessSummary {
        weakness,
        verdict: joint_verdict(results.iter().filter(|result| result.control.weakness == Some(weakness))),
        findings: shown().count(),
        on_cranes: shown().filter(|finding| !finding.cranes.is_empty()).count(),
    }
}

fn zones(session: &Session) -> Result<Vec<ZoneSummary>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        zone: String,
        kind: String,
        level: Option<i64>,
        assets: Option<u64>,
    }
    let found: Vec<Row> = rows(session, "SELECT zone, kind, level, assets FROM zones ORDER BY level DESC, zone")?;
    let zone = |Row { zone, kind, level, assets }| ZoneSummary { id: zone, kind, level, assets: assets.unwrap_or(0) };
    Ok(found.into_iter().map(zone).collect())
}

fn conduits(session: &Session, site_given: bool) -> Result<Vec<ConduitSummary>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        conduit: String,
        from_zone: String,
        to_zone: String,
        protocols: String,
        connections: Option<u64>,
        allowed: Option<bool>,
    }
    let sql = "SELECT conduit, from_zone, to_zone, protocols, connections, allowed FROM conduits \
               ORDER BY from_zone, to_zone, conduit";
    let found: Vec<Row> = rows(session, sql)?;
    let conduit = |row: Row| ConduitSummary {
        id: row.conduit,
        from: row.from_zone,
        to: row.to_zone,
        protocols: row.protocols,
        connections: row.connections.unwrap_or(0),
        allowed: row.allowed.filter(|_| site_given),
    };
    Ok(found.into_iter().map(conduit).collect())
}

fn cranes(
    session: &Session,
    inventory: &Inventory,
    findings: &[Finding],
    site_given: bool,
) -> Result<Vec<CraneSummary>, Failure> {
    let mut cranes = Vec::new();
    for crane in &inventory.site.cranes {
        let parts = inventory.assets.iter().filter(|asset| asset.crane == crane.id).map(|asset| asset.id.clone());
        let (changes, change_count) = changes(session, &crane.id)?;
        cranes.push(CraneSummary {
            id: crane.id.clone(),
            kind: crane.kind.name().to_owned(),
            maker: crane.maker.clone(),
            model: crane.model.clone(),
            foreign: crane.foreign,
            parts: parts.collect(),
            reached_by: reached_by(session, &crane.id, site_given)?,
            changes,
            change_count,
            sisters: Vec::new(),
            findings: findings.iter().filter(|f| f.cranes.contains(&crane.id)).map(|f| f.id.clone()).collect(),
        });
    }
    let parts = |crane: &CraneSummary| -> Vec<&Asset> {
        inventory.assets.iter().filter(|asset| crane.parts.contains(&asset.id) && asset.seen).collect()
    };
    let compared: Vec<Vec<_>> = inventory
        .site
        .cranes
        .iter()
        .map(|model| {
            let side = |id: &String| {
                let crane = cranes.iter().find(|crane| crane.id == *id)?;
                Some(sisters::Side { id: &crane.id, parts: parts(crane), reached_by: &crane.reached_by })
            };
            let Some(one) = side(&model.id) else { return Vec::new() };
            model.sisters.iter().filter_map(side).map(|other| sisters::compare(&one, &other)).collect()
        })
        .collect();
    for (crane, sisters) in cranes.iter_mut().zip(compared) {
        crane.sisters = sisters;
    }
    Ok(cranes)
}

/// A text as an SQL literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn reached_by(session: &Session, crane: &str, site_given: bool) -> Result<Vec<Reach>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        client_asset: String,
        client_name: Option<String>,
        client: String,
        client_zone: String,
        server: String,
        services: Option<String>,
        allowed: Option<bool>,
    }
    let crane = quoted(crane);
    let sql = format!(
        "SELECT f.client_asset, max(a.name) AS client_name, f.client, f.client_zone, f.server, \
           string_agg(DISTINCT CASE WHEN f.service <> '' THEN f.service ELSE f.transport END, ', ' \
             ORDER BY CASE WHEN f.service <> '' THEN f.service ELSE f.transport END) AS services, \
           bool_and(f.boundary IN ('allowed', 'inside')) AS allowed \
         FROM flows f LEFT JOIN assets a ON a.asset = f.client_asset \
         WHERE f.server_crane = {crane} AND f.client_crane <> {crane} AND f.boundary <> 'inside' AND f.transport <> 'link' \
           AND (f.answered OR f.transport = 'udp') \
         GROUP BY f.client_asset, f.client, f.client_zone, f.server ORDER BY allowed, f.client, f.server"
    );
    let found: Vec<Row> = rows(session, &sql)?;
    let reach = |row: Row| {
        let name = row.client_name.filter(|name| !name.is_empty());
        Reach {
            client_name: name.map_or_else(|| row.client.clone(), |name| format!("{name} ({})", row.client)),
            client: row.client_asset,
            zone: row.client_zone,
            server: row.server,
            services: row.services.unwrap_or_default(),
            allowed: row.allowed.filter(|_| site_given),
        }
    };
    Ok(found.into_iter().map(reach).collect())
}

fn changes(session: &Session, crane: &str) -> Result<(Vec<StateChange>, u64), Failure> {
    #[derive(Deserialize)]
    struct Row {
        ts: Option<i64>,
        client: String,
        server: String,
        protocol: String,
        name: String,
        class: String,
        object: String,
        status_name: String,
        source: String,
        frame: Option<u64>,
        total: u64,
    }
    let crane = quoted(crane);
    let sql = format!(
        "WITH mine AS (SELECT DISTINCT segment, server FROM flows WHERE server_crane = {crane}), \
              found AS (SELECT o.* FROM operations o JOIN mine m ON m.segment = o.segment AND m.server = o.server \
                        WHERE o.class IN ('control', 'program', 'configure') AND lower(o.name) NOT LIKE '%upload%' \
                        AND o.protocol NOT IN ('smb', 'msrpc', 'ldap', 'tds')) \
         SELECT ts, client, server, protocol, name, class, object, status_name, source, frame, \
           count(*) OVER () AS total FROM found ORDER BY ts DESC, source, frame LIMIT {}",
        CraneSummary::MAX_CHANGES
    );
    let found: Vec<Row> = rows(session, &sql)?;
    let total = found.first().map_or(0, |row| row.total);
    let change = |row: Row| StateChange {
        ts: printed(row.ts),
        client: row.client,
        server: row.server,
        protocol: row.protocol,
        name: row.name,
        class: row.class,
        object: row.object,
        status: if row.status_name.is_empty() { "no reply seen".to_owned() } else { row.status_name },
        source: row.source,
        frame: row.frame.unwrap_or(0),
    };
    Ok((found.into_iter().map(change).collect(), total))
}

fn limits(assessment: &Assessment, failed: &[(String, String)]) -> Vec<String> {
    let mut limits = Vec::new();
    let sum = |wanted: &str| -> u64 {
        assessment.coverage.iter().filter(|line| line.disposition == wanted).map(|line| line.packets).sum()
    };
    if !assessment.site_given {
        limits.push("Without a site model nothing is said about cranes, conduits and declared assets.".to_owned());
    }
    if sum("undecoded") > 0 {
        let protocols: BTreeSet<&str> = assessment
            .coverage
            .iter()
            .filter(|line| line.disposition == "undecoded" && !line.protocol.is_empty())
            .map(|line| line.protocol.as_str())
            .collect();
        let list = protocols.into_iter().collect::<Vec<_>>().join(", ");
        limits.push(format!("{} packets were not decoded, by best guess: {list}.", sum("undecoded")));
    }
    let lost: u64 = assessment.inputs.iter().filter_map(|input| input.dropped).sum();
    if lost > 0 {
        limits.push(format!("The capturing machines report {lost} lost packets: what they held is unknown."));
    }
    let damaged =
        assessment.inputs.iter().filter(|input| matches!(input.status.as_str(), "rejected" | "partly-read")).count();
    if damaged > 0 {
        limits.push(format!("{damaged} of the inputs were rejected in whole or in part; see the list of inputs."));
    }
    limits.extend(failed.iter().map(|(id, reason)| format!("Control {id} could not run: {reason}.")));
    limits.push("Encrypted content was not read; TCP and IP checksums were not verified, since capturing hosts fill them in late.".to_owned());
    limits
}
