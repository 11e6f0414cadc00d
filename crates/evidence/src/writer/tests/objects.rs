//! The cold path: rows given as objects.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType};
use proptest::prelude::*;
use quaywatch_model::table::{Column, Kind};

use super::*;

#[test]
fn objects_fill_columns_by_name_and_misfits_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = evidence(folder.path(), 100);
    let account = json!({ "account": "admin", "enabled": true, "last_login": "2026-11-02T08:00:00Z" });
    evidence.push("accounts", Some(at(3, 1)), &account).unwrap();
    let told = |evidence: &mut Evidence, row: Value| evidence.push("accounts", None, &row).unwrap_err().to_string();
    assert!(told(&mut evidence, json!({ "acount": "x" })).contains("no column acount"));
    assert!(told(&mut evidence, json!({ "enabled": "yes" })).contains("column enabled cannot hold"));
    assert!(evidence.push("nothing", None, &json!({})).is_err());
    evidence.flush().unwrap();
    let rows = read(folder.path(), "accounts");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][2..8], ["", "C00000000007", "b.pcap", "3", "", "admin"]);
    assert_eq!(rows[0].last().unwrap(), "2026-11-02T08:00:00Z");
}

fn cell(array: &dyn Array, at: usize) -> Value {
    if array.is_null(at) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(at).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(at).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(at).into(),
        DataType::Boolean => array.as_boolean().value(at).into(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampNanosecondType>().value(at).into(),
        other => panic!("a column of type {other}"),
    }
}

fn read_objects(folder: &Path, table: &Table) -> Vec<Value> {
    let mut rows = Vec::new();
    for path in Store::open(folder).unwrap().files(table).unwrap() {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
        for batch in reader {
            let batch = batch.unwrap();
            let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
            rows.extend((0..batch.num_rows()).map(|at| {
                let cells = batch.columns().iter().map(|column| cell(column.as_ref(), at));
                Value::Object(names.iter().cloned().zip(cells).collect())
            }));
        }
    }
    rows
}

/// A value of this kind, or none.
fn value(kind: Kind) -> BoxedStrategy<Option<Value>> {
    let some: BoxedStrategy<Value> = match kind {
        Kind::Text => prop_oneof!["[a-c]?", any::<String>()].prop_map(Value::from).boxed(),
        Kind::Int | Kind::Time => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Float => (-1e15..1e15f64).prop_map(Value::from).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::from).boxed(),
    };
    prop_oneof![Just(None), Just(Some(Value::Null)), some.prop_map(Some)].boxed()
}

/// The columns of a row with what is given for each.
type Row = Vec<(&'static Column, Option<Value>)>;

fn row(table: &'static Table) -> impl Strategy<Value = Row> {
    table.all_columns().map(|column| value(column.kind).prop_map(move |value| (column, value))).collect::<Vec<_>>()
}

fn rows() -> impl Strategy<Value = (&'static Table, Vec<Row>)> {
    proptest::sample::select(TABLES).prop_flat_map(|table| {
        let table: &'static Table = Table::find(table.name).unwrap();
        (Just(table), proptest::collection::vec(row(table), 1..12))
    })
}

/// What is read back where `given` was pushed.
fn expected(column: &Column, given: Option<&Value>) -> Value {
    match (column.name, column.kind, given) {
        // A row that is silent on its site is of the run's site; one that says null is of none.
        ("site", _, None) => "port".into(),
        (_, Kind::Text, None | Some(Value::Null)) => "".into(),
        (_, _, None) => Value::Null,
        (_, _, Some(value)) => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_pushed_is_read_back((table, rows) in rows(), rows_per_file in 1usize..6) {
        let folder = tempfile::tempdir().unwrap();
        let mut evidence = evidence(folder.path(), rows_per_file);
        let mut wanted = Vec::new();
        for row in &rows {
            let given = row.iter().filter_map(|(column, value)| Some((column.name.to_owned(), value.clone()?)));
            evidence.push(table.name, None, &given.collect::<Map<_, _>>()).unwrap();
            let read = row.iter().map(|(column, value)| (column.name.to_owned(), expected(column, value.as_ref())));
            wanted.push(Value::Object(read.collect()));
        }
        evidence.finish().unwrap();
        prop_assert_eq!(read_objects(folder.path(), table), wanted);
    }

    #[test]
    fn a_value_of_another_kind_is_refused_by_name(table in proptest::sample::select(TABLES), at in any::<proptest::sample::Index>()) {
        let columns: Vec<_> = table.all_columns().collect();
        let column = columns[at.index(columns.len())];
        let folder = tempfile::tempdir().unwrap();
        let mut evidence = evidence(folder.path(), 100);
        let told = evidence.push(table.name, None, &json!({ column.name: ["a", "list"] })).unwrap_err().to_string();
        prop_assert!(told.contains(table.name) && told.contains(column.name), "{}", told);
        prop_assert!(evidence.rows().all(|(_, rows)| rows == 0));
    }
}
