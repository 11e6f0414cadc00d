//! Queries over a small store.
//!
//! `answers.txt` holds queries, each behind `> `, and under each its answer as CSV or what it is told. With
//! `QUAYWATCH_BLESS=1` in the environment the answers are written anew: read the difference before keeping it.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::path::{Path, PathBuf};

use quaywatch_evidence::{Evidence, Options, Store};
use quaywatch_model::Timestamp;
use quaywatch_model::table::Kind;
use quaywatch_query::{Format, Limits, Rows, Session, Value};
use serde_json::json;

const MORNING: i64 = 1_793_606_400_000_000_000;

fn store(folder: &Path) -> Store {
    let options = Options { rows_per_file: 2, ..Options::default() };
    let mut evidence = Evidence::create(folder, "port", options).unwrap();
    for (source, frame, client, bytes) in
        [("a b.pcap", 1, "10.0.0.1", 5), ("a b.pcap", 2, "8.8.8.8", 7), ("c%20.pcap", 3, "10.0.0.2", 9)]
    {
        let row = json!({ "ts": MORNING + frame, "segment": "s", "source": source, "frame": frame, "client": client,
            "server": "10.0.0.9", "client_bytes": bytes, "transport": "tcp" });
        evidence.push("connections", None, &row).unwrap();
    }
    for (subject, value) in [("10.0.0.1", "V2.9.2"), ("10.0.0.2", "V2.10.0"), ("", "\u{1b}[2J\u{202e}x, \"y\"\n")] {
        let row = json!({ "subject": subject, "attribute": "firmware", "value": value });
        evidence.push("identities", None, &row).unwrap();
    }
    evidence.finish().unwrap();
    Store::open(folder).unwrap()
}

fn session(folder: &Path) -> Session {
    Session::open(&store(folder), Limits::default()).unwrap()
}

fn text(rows: &Rows, format: Format) -> String {
    let mut out = Vec::new();
    rows.write(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn answer(session: &Session, sql: &str) -> String {
    match session.query(sql) {
        Ok(rows) => text(&rows, Format::Csv),
        Err(bad) => format!("! {bad}\n"),
    }
}

#[test]
fn queries_have_their_answers() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/answers.txt");
    let wanted = std::fs::read_to_string(&path).unwrap();
    let mut given = String::new();
    for line in wanted.lines() {
        match line.strip_prefix("> ") {
            Some(sql) => given += &format!("{line}\n{}\n", answer(&session, sql)),
            None if line.starts_with('#') => given += &format!("{line}\n"),
            None => {}
        }
    }
    if std::env::var_os("QUAYWATCH_BLESS").is_some() {
        std::fs::write(&path, &given).unwrap();
    } else {
        assert_eq!(given, wanted);
    }
}

#[test]
fn a_folder_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(&folder.path().join("case [1] of today 100% a*b? #x %20 \u{fc}"));
    assert_eq!(answer(&session, "SELECT count(*) AS n FROM connections"), "n\n3\n");
}

#[test]
fn every_table_answers_though_nothing_was_written_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    for table in quaywatch_model::table::TABLES {
        let rows = session.query(&format!("SELECT * FROM {} LIMIT 0", table.name)).unwrap();
        let wanted: Vec<_> = table.all_columns().collect();
        assert!(rows.columns().iter().eq(wanted.iter().map(|column| column.name)), "{}", table.name);
        assert!(rows.kinds().iter().eq(wanted.iter().map(|column| &column.kind)), "{}", table.name);
    }
}

#[test]
fn an_answer_longer_than_the_limit_is_an_error_not_a_cut() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { rows: 2, ..Limits::default() };
    let session = Session::open(&store(folder.path()), limits).unwrap();
    assert!(answer(&session, "SELECT * FROM connections").contains("LIMIT"));
    assert_eq!(session.query("SELECT * FROM connections LIMIT 2").unwrap().len(), 2);
}

#[test]
fn a_session_within_little_memory_spills_or_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let open =
        |mebibytes: usize| Session::open(&store, Limits { memory: mebibytes << 20, ..Limits::default() }).unwrap();
    let many = "SELECT repeat('x', 110) || reverse(value::text) AS w FROM generate_series(1, 300000) AS a(value)";
    assert_eq!(open(24).query(&format!("{many} ORDER BY w")).unwrap().len(), 300_000);
    let joined = "SELECT count(*) AS n FROM generate_series(1, 300000) AS a(v)
        JOIN generate_series(1, 300000) AS b(w) ON repeat('x', 40) || a.v::text = repeat('x', 40) || b.w::text";
    assert_eq!(answer(&open(40), joined), "n\n300000\n");
    let told = answer(&open(1), &format!("SELECT w, count(*) FROM ({many}) GROUP BY w ORDER BY w"));
    assert!(told.contains("more memory than it may use"), "{}", told.get(..200).unwrap_or(&told));
}

#[test]
fn what_is_written_later_comes_in_by_refreshing() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let count = "SELECT count(*) AS n, min(asset) AS a FROM assets";
    assert_eq!(answer(&session, count), "n,a\n0,\n");
    for asset in ["s/1", "s/2"] {
        let mut evidence = Evidence::reopen(folder.path(), "port", Options::default()).unwrap();
        evidence.drop_derived().unwrap();
        evidence.push("assets", None, &json!({ "asset": asset })).unwrap();
        evidence.finish().unwrap();
        session.refresh(&Store::open(folder.path()).unwrap()).unwrap();
        assert_eq!(answer(&session, count), format!("n,a\n1,{asset}\n"));
    }
}

#[test]
fn answers_become_values_and_texts() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Row {
        ts: i64,
        client: String,
        client_ttl: Option<u8>,
    }
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let rows = session.query("SELECT ts, client, client_ttl FROM connections WHERE frame = 2").unwrap();
    let decoded: Vec<Row> = rows.decode().unwrap();
    assert_eq!(decoded, [Row { ts: MORNING + 2, client: "8.8.8.8".into(), client_ttl: None }]);
    assert_eq!(rows.kinds(), [Kind::Time, Kind::Text, Kind::Int]);
    assert_eq!(rows.iter().next().unwrap()[0], Value::Time(Timestamp(MORNING + 2)));
    let object = "{\"ts\":\"2026-11-02T08:00:00.000000Z\",\"client\":\"8.8.8.8\",\"client_ttl\":null}";
    assert_eq!(text(&rows, Format::Json), format!("[\n{object}\n]\n"));
    assert_eq!(text(&rows, Format::JsonLines), format!("{object}\n"));
    assert!(rows.decode::<Vec<i64>>().is_err());
}

#[test]
fn captured_text_does_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let rows = session(folder.path()).query("SELECT value FROM identities WHERE subject = ''").unwrap();
    let shown = text(&rows, Format::Table);
    assert!(shown.contains("[2J") && shown.contains("1 row\n"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    assert_eq!(text(&rows, Format::Csv), "value\n\"\u{1b}[2J\u{202e}x, \"\"y\"\"\n\"\n");
}

#[test]
fn rows_may_be_made_of_parts() {
    let cell = |text: &str| Value::Text(text.into());
    let rows = vec![vec![Value::Null, cell("a")], vec![Value::Int(1), cell("b"), cell("too many")], vec![]];
    let rows = Rows::from_parts(vec!["n".into(), "n".into()], rows);
    assert_eq!(rows.kinds(), [Kind::Int, Kind::Text]);
    assert_eq!(text(&rows, Format::Csv), "n,n_2\n,a\n1,b\n,\n");
    assert!(Rows::from_parts(Vec::new(), vec![vec![cell("x")]]).is_empty());
}
