//! Modbus and UMAS.

use crate::harness::{Field, Row, Table, compare, number, well_formed};

fn code(row: &Row) -> Vec<String> {
    if row["protocol"] == "umas" { vec!["90".to_owned()] } else { number(row, "code") }
}

/// The first number in a text such as `holding-register 100-109`.
fn reference(row: &Row) -> Vec<String> {
    let object = row["object"].as_str().unwrap();
    object.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty()).map(str::to_owned).into_iter().collect()
}

fn quantity(row: &Row) -> Vec<String> {
    number(row, "quantity")
}

#[test]
fn modbus_agrees() {
    compare(&Table {
        name: "modbus",
        protocols: &["modbus", "umas"],
        kinds: &[],
        fields: &[
            Field::new("modbus.func_code").both(code),
            Field::new("mbtcp.unit_id").both(|row| number(row, "unit")),
            Field::new("modbus.exception_code").answered(|row| number(row, "status")),
            Field::new("modbus.reference_num").both(reference),
            Field::new("modbus.word_cnt").both(quantity),
            Field::new("modbus.bit_cnt").both(quantity),
        ],
        counts: well_formed,
        explained: &[],
        wanted: 995,
    });
}
