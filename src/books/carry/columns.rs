//! Cells: the three kinds a carry has, and their way from and to the fields of a record.

use serde_json::Value;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, an id, a day, an instant.
    Text,
    /// Rupiah, or another whole number.
    Number,
    /// Whatever has parts, as JSON.
    Json,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(i64),
}

impl Kind {
    /// A field as a cell.
    pub(super) fn cell(self, value: Value) -> Result<Cell, String> {
        match (self, value) {
            (Self::Text | Self::Number, Value::Null) => Ok(Cell::Empty),
            (Self::Text, Value::String(text)) => Ok(Cell::Text(text)),
            (Self::Number, Value::Number(number)) => number.as_i64().map(Cell::Number).ok_or_else(|| format!("{number} is beyond 64 bits")),
            (Self::Json, value) => Ok(Cell::Text(value.to_string())),
            (kind, value) => Err(format!("{value} is not {kind:?}")),
        }
    }

    /// A cell as a field.
    pub(super) fn value(self, cell: Cell) -> Result<Value, String> {
        match (self, cell) {
            (Self::Text | Self::Number, Cell::Empty) => Ok(Value::Null),
            (Self::Text, Cell::Text(text)) => Ok(Value::String(text)),
            (Self::Number, Cell::Number(number)) => Ok(number.into()),
            (Self::Json, Cell::Text(text)) => serde_json::from_str(&text).map_err(|error| error.to_string()),
            (kind, cell) => Err(format!("{cell:?} is not {kind:?}")),
        }
    }
}

impl Cell {
    /// As it stands in CSV.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}
