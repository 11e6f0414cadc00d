//! From the cells of a row to a value of any type that serde knows, without a detour over JSON.

use std::fmt;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::rows::Value;

/// The row as a value of `T`; an error says which column does not fit.
pub(crate) fn row<T: DeserializeOwned>(columns: &[String], cells: &[Value]) -> Result<T, String> {
    let mut fields = Fields { rest: columns.iter().zip(cells), next: None, reading: None };
    T::deserialize(Row(&mut fields)).map_err(|bad| match fields.reading {
        Some(column) => format!("column {column}: {bad}"),
        None => bad.to_string(),
    })
}

struct Fields<'de> {
    rest: std::iter::Zip<std::slice::Iter<'de, String>, std::slice::Iter<'de, Value>>,
    next: Option<(&'de String, &'de Value)>,
    /// The column whose cell is being read.
    reading: Option<&'de str>,
}

struct Row<'f, 'de>(&'f mut Fields<'de>);

impl<'de> Deserializer<'de> for Row<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for &mut Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.next = self.rest.next();
        let name: Option<StrDeserializer<'_, Error>> = self.next.map(|(name, _)| name.as_str().into_deserializer());
        name.map(|name| seed.deserialize(name)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((name, value)) = self.next.take() else { return Err(missing("a cell without a column")) };
        self.reading = Some(name);
        let value = seed.deserialize(Cell(value))?;
        self.reading = None;
        Ok(value)
    }
}

fn missing(what: impl fmt::Display) -> Error {
    serde::de::Error::custom(what)
}

struct Cell<'de>(&'de Value);

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_borrowed_str(value),
            Value::Time(ts) => visitor.visit_i64(ts.0),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if *self.0 == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Text(variant) => {
                let variant: StrDeserializer<'_, Error> = variant.as_str().into_deserializer();
                variant.deserialize_enum(name, variants, visitor)
            }
            other => Err(missing(format_args!("{other:?} where a name is expected"))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use quaywatch_model::Timestamp;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(rename_all = "kebab-case")]
    enum Class {
        Read,
        Write,
    }

    #[derive(Deserialize, PartialEq, Debug)]
    struct Wrapped(i64);

    #[derive(Deserialize, PartialEq, Debug)]
    struct Fields {
        ts: Wrapped,
        client: String,
        class: Class,
        unit: Option<u8>,
        status: Option<u32>,
        speed: f64,
        #[serde(default)]
        absent: bool,
    }

    fn decode<T: DeserializeOwned>(cells: &[(&str, Value)]) -> Result<T, String> {
        let (columns, cells): (Vec<String>, Vec<Value>) =
            cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())).unzip();
        row(&columns, &cells)
    }

    fn cells() -> Vec<(&'static str, Value)> {
        vec![
            ("ts", Value::Time(Timestamp(7))),
            ("client", Value::Text("10.0.0.1".into())),
            ("class", Value::Text("write".into())),
            ("unit", Value::Int(1)),
            ("status", Value::Null),
            ("speed", Value::Int(2)),
            ("more", Value::Bool(true)),
        ]
    }

    #[test]
    fn fields_take_the_cells_of_their_name() {
        let fields: Fields = decode(&cells()).unwrap();
        let wanted = Fields {
            ts: Wrapped(7),
            client: "10.0.0.1".into(),
            class: Class::Write,
            unit: Some(1),
            status: None,
            speed: 2.0,
            absent: false,
        };
        assert_eq!(fields, wanted);
        let any: serde_json::Value = decode(&cells()).unwrap();
        assert_eq!(any.get("ts"), Some(&7.into()));
    }

    #[test]
    fn a_cell_that_does_not_fit_is_named() {
        for (column, cell) in [
            ("client", Value::Int(1)),
            ("class", Value::Text("sing".into())),
            ("class", Value::Int(3)),
            ("unit", Value::Int(256)),
            ("speed", Value::Null),
        ] {
            let mut cells = cells();
            cells.iter_mut().find(|(name, _)| *name == column).unwrap().1 = cell;
            let told = decode::<Fields>(&cells).unwrap_err();
            assert!(told.contains(&format!("column {column}")), "{told}");
        }
        let told = decode::<Fields>(&cells()[1..]).unwrap_err();
        assert!(told.contains("ts") && !told.contains("column"), "{told}");
    }
}
