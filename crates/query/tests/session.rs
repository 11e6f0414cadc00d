//! Queries over a small store.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::path::Path;

use quaywatch_evidence::{Evidence, Options, Store};
use quaywatch_query::{Format, Limits, Session, Value};
use serde_json::json;

fn session(folder: &Path) -> Session {
    let mut evidence = Evidence::create(folder, "port", Options { rows_per_file: 2 }).unwrap();
    for (source, frame, client, bytes) in
        [("a b.pcap", 1, "10.0.0.1", 5), ("a b.pcap", 2, "8.8.8.8", 7), ("c%20.pcap", 3, "10.0.0.2", 9)]
    {
        let row = json!({ "ts": 1_793_606_400_000_000_000i64 + frame, "segment": "s", "source": source, "frame": frame,
            "client": client, "server": "10.0.0.9", "client_bytes": bytes, "transport": "tcp" });
        evidence.push("connections", None, &row).unwrap();
    }
    evidence.flush().unwrap();
    Session::open(&Store::open(folder).unwrap(), Limits::default()).unwrap()
}

fn text(session: &Session, sql: &str, format: Format) -> String {
    let mut out = Vec::new();
    session.query(sql).unwrap().write(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn refused(session: &Session, sql: &str) -> String {
    session.query(sql).unwrap_err().to_string()
}

#[test]
fn a_store_answers_and_refuses() {
    // A blank in the path must not matter.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("case of today");
    let session = session(&folder);

    let sql = "SELECT client, client_bytes, ts, client_ttl FROM connections WHERE is_private(client) ORDER BY frame";
    assert_eq!(
        text(&session, sql, Format::Csv),
        "client,client_bytes,ts,client_ttl\n10.0.0.1,5,2026-11-02T08:00:00.000000Z,\n10.0.0.2,9,2026-11-02T08:00:00.000000Z,\n"
    );
    let rows: serde_json::Value = serde_json::from_str(&text(&session, sql, Format::Json)).unwrap();
    assert_eq!(
        rows[1],
        json!({ "client": "10.0.0.2", "client_bytes": 9, "ts": "2026-11-02T08:00:00.000000Z", "client_ttl": null })
    );
    assert!(text(&session, sql, Format::Table).contains("2 rows"));

    let cite = session.query("SELECT cite('connections', source, frame) AS c FROM connections ORDER BY frame").unwrap();
    assert_eq!(cite.iter().next().unwrap(), [Value::Text("connections|a b.pcap|1".into())]);

    // Tables that nothing was written to are empty, with their columns.
    assert_eq!(text(&session, "SELECT count(*) AS n FROM operations WHERE class = 'write'", Format::Csv), "n\n0\n");
    assert_eq!(
        text(&session, "SELECT count(*) AS n FROM maintenance_windows WHERE from_ts > to_ts", Format::Csv),
        "n\n0\n"
    );

    let folded = "SELECT lower(client) || '/' || upper(transport) AS x, strpos(client, '.') AS p FROM connections ORDER BY 1 LIMIT 1";
    assert_eq!(text(&session, folded, Format::Csv), "x,p\n10.0.0.1/TCP,3\n");

    assert!(refused(&session, "SELECT * FROM connection").contains("did you mean connections?"));
    assert!(refused(&session, "SELECT nonsense FROM connections").contains("nonsense"));
    for statement in [
        "DROP TABLE connections",
        "CREATE TABLE x (a INT)",
        "COPY connections TO 'x.csv'",
        "INSERT INTO connections SELECT * FROM connections",
    ] {
        assert!(session.query(statement).is_err(), "{statement}");
    }
    assert!(session.query("SELECT").is_err());
    assert!(session.query("").is_err());
}

#[test]
fn an_answer_longer_than_the_limit_is_an_error_not_a_cut() {
    let folder = tempfile::tempdir().unwrap();
    drop(session(folder.path()));
    let limits = Limits { rows: 2, ..Limits::default() };
    let session = Session::open(&Store::open(folder.path()).unwrap(), limits).unwrap();
    assert!(session.query("SELECT * FROM connections").unwrap_err().to_string().contains("LIMIT"));
    assert_eq!(session.query("SELECT * FROM connections LIMIT 2").unwrap().len(), 2);
}
