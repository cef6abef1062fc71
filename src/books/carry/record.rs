//! A row of a table as the record it was: each cell is handed to its field as what it holds, nothing being made of it on the way.

use serde::Deserializer;
use serde::de::value::MapDeserializer;
use serde::de::{Error as _, IntoDeserializer, Visitor};
use serde_json::Error;

use super::columns::{Kind, Named};
use crate::columns::Value;

/// The cells of a row, and the columns they stand in.
#[derive(Clone, Copy)]
pub(super) struct Record<'r, 'v> {
    pub(super) columns: &'r [&'r Named],
    pub(super) cells: &'r [Value<'v>],
}

type Json<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

/// One of them.
struct Field<'r, 'v> {
    kind: Kind,
    cell: &'r Value<'v>,
}

impl<'de> Deserializer<'de> for Record<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let fields = self.columns.iter().zip(self.cells).map(|((name, kind), cell)| (*name, Field { kind: *kind, cell }));
        visitor.visit_map(MapDeserializer::new(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Field<'de, '_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Field<'de, '_> {
    fn text(&self) -> Result<&'de str, Error> {
        self.cell.as_text().ok_or_else(|| Error::custom("a text is missing"))
    }

    /// Reads a cell that is JSON, to its end.
    fn parsed<T>(&self, read: impl FnOnce(&mut Json<'de>) -> Result<T, Error>) -> Result<T, Error> {
        let mut json = serde_json::Deserializer::from_str(self.text()?);
        let value = read(&mut json)?;
        json.end().map(|()| value)
    }
}

impl<'de> Deserializer<'de> for Field<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind {
            Kind::Json => self.parsed(|json| json.deserialize_any(visitor)),
            Kind::Text | Kind::Hex | Kind::Number if self.cell.is_empty() => visitor.visit_unit(),
            Kind::Text | Kind::Hex => visitor.visit_str(self.text()?),
            Kind::Number => visitor.visit_i64(self.cell.as_number().ok_or_else(|| Error::custom("a number is missing"))?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.kind {
            Kind::Json => self.parsed(|json| json.deserialize_option(visitor)),
            Kind::Text | Kind::Hex | Kind::Number if self.cell.is_empty() => visitor.visit_none(),
            Kind::Text | Kind::Hex | Kind::Number => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.kind {
            Kind::Json => self.parsed(|json| json.deserialize_enum(name, variants, visitor)),
            Kind::Text | Kind::Hex | Kind::Number => visitor.visit_enum(self.text()?.into_deserializer()),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
