//! Reading what a row holds, by the fields' names or, for a tuple, in order.

use rusqlite::types::Value;
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use std::sync::Arc;

/// A row that has been read.
#[derive(Debug)]
pub(in crate::store::sql) struct Cells {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl Cells {
    pub(super) fn new(names: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { names, values }
    }

    /// As a value of the program's.
    ///
    /// # Errors
    /// A column that is missing, or not of its field's type.
    pub(in crate::store::sql) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(self)
    }
}

impl<'de> Deserializer<'de> for &Cells {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let names = self.names.iter().map(String::as_str);
        let cells = self.values.iter().map(Cell);
        visitor.visit_map(MapDeserializer::new(names.zip(cells)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.values.iter().map(Cell)))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple_struct
        map struct enum identifier ignored_any
    }
}

/// One column of it.
#[derive(Clone, Copy)]
struct Cell<'r>(&'r Value);

impl IntoDeserializer<'_> for Cell<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Real(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::Blob(bytes) => visitor.visit_bytes(bytes),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            Value::Integer(_) | Value::Real(_) | Value::Text(_) | Value::Blob(_) => {
                visitor.visit_some(self)
            }
        }
    }

    /// SQLite has no type of its own for it.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Integer(number) => visitor.visit_bool(*number != 0),
            Value::Null | Value::Real(_) | Value::Text(_) | Value::Blob(_) => {
                self.deserialize_any(visitor)
            }
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple tuple_struct
        map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use uuid::Uuid;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Named {
        done: bool,
        id: Uuid,
        count: u32,
        more: Option<String>,
    }

    fn cells(values: &[Value; 4]) -> Cells {
        let names = ["id", "more", "count", "done"].map(str::to_owned);
        Cells::new(Arc::from(names), values.to_vec())
    }

    #[test]
    fn fields_are_read_by_their_names_and_tuples_in_order() {
        let id = Uuid::from_u64_pair(1, 2);
        let row = cells(&[
            Value::Blob(id.as_bytes().to_vec()),
            Value::Null,
            Value::Integer(7),
            Value::Integer(1),
        ]);
        let named = Named {
            done: true,
            id,
            count: 7,
            more: None,
        };
        assert_eq!(row.read::<Named>(), Ok(named));
        let read: (Uuid, Option<String>, i64, bool) = row.read().unwrap();
        assert_eq!(read, (id, None, 7, true));
    }

    #[test]
    fn what_does_not_fit_its_field_is_an_error() {
        let id = Value::Blob(Uuid::nil().as_bytes().to_vec());
        let text = Value::Text("x".to_owned());
        let (one, minus) = (Value::Integer(1), Value::Integer(-1));
        for values in [
            [text.clone(), Value::Null, one.clone(), one.clone()],
            [id.clone(), Value::Null, minus, one.clone()],
            [id.clone(), Value::Null, one.clone(), text],
            [id, one.clone(), one.clone(), one],
        ] {
            assert!(cells(&values).read::<Named>().is_err(), "{values:?}");
        }
    }
}
