//! A field of a record as one cell: a word, or nothing. What a field is called as JSON is its text, so that a table says what the records
//! themselves say, and no JSON is made of millions of fields for it.

use std::fmt::{self, Display, Write as _};

use serde::ser::{Error as _, Impossible, Serializer};
use serde::{Serialize, ser};

/// That a field is no word.
#[derive(Debug)]
pub(super) struct NoWord(String);

impl Display for NoWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoWord {}

impl ser::Error for NoWord {
    fn custom<T: Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

/// Writes `field` into `text`; false where it is nothing.
pub(super) fn word(field: &impl Serialize, text: &mut String) -> Result<bool, NoWord> {
    text.clear();
    field.serialize(Word(text))
}

/// Where a word is written.
struct Word<'t>(&'t mut String);

macro_rules! refused {
    ($($method:ident($($argument:ty),*) -> $what:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$what, NoWord> {
            Err(NoWord::custom("a column of words holds something with parts"))
        })*
    };
}

impl Serializer for Word<'_> {
    type Ok = bool;
    type Error = NoWord;
    type SerializeSeq = Impossible<bool, NoWord>;
    type SerializeTuple = Impossible<bool, NoWord>;
    type SerializeTupleStruct = Impossible<bool, NoWord>;
    type SerializeTupleVariant = Impossible<bool, NoWord>;
    type SerializeMap = Impossible<bool, NoWord>;
    type SerializeStruct = Impossible<bool, NoWord>;
    type SerializeStructVariant = Impossible<bool, NoWord>;

    fn serialize_str(self, text: &str) -> Result<bool, NoWord> {
        self.0.push_str(text);
        Ok(true)
    }

    fn collect_str<T: Display + ?Sized>(self, shown: &T) -> Result<bool, NoWord> {
        write!(self.0, "{shown}").map_err(NoWord::custom)?;
        Ok(true)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<bool, NoWord> {
        self.serialize_str(name)
    }

    fn serialize_none(self) -> Result<bool, NoWord> {
        Ok(false)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, field: &T) -> Result<bool, NoWord> {
        field.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, field: &T) -> Result<bool, NoWord> {
        field.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Result<bool, NoWord> {
        Err(NoWord::custom("a column of words holds something with parts"))
    }

    refused! {
        serialize_bool(bool) -> bool;
        serialize_i8(i8) -> bool;
        serialize_i16(i16) -> bool;
        serialize_i32(i32) -> bool;
        serialize_i64(i64) -> bool;
        serialize_u8(u8) -> bool;
        serialize_u16(u16) -> bool;
        serialize_u32(u32) -> bool;
        serialize_u64(u64) -> bool;
        serialize_f32(f32) -> bool;
        serialize_f64(f64) -> bool;
        serialize_char(char) -> bool;
        serialize_bytes(&[u8]) -> bool;
        serialize_unit() -> bool;
        serialize_unit_struct(&'static str) -> bool;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
