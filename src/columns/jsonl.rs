//! JSON Lines: an object a row, its keys in the order of the columns, with exact texts and real numbers.

use std::io::{self, Write};

use serde::Serialize;

use super::column::{Cells, ColumnKind};
use super::value::Value;

/// JSON Lines on their way.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    /// Each key as JSON, with its colon.
    keys: Vec<Vec<u8>>,
    /// The key of the next cell.
    next: usize,
    /// Of the row that is being written.
    line: Vec<u8>,
    /// A text that had to be made.
    made: String,
}

impl<W: Write> JsonLines<W> {
    /// Rows whose keys are `names`.
    pub fn begin<'c>(out: W, names: impl Iterator<Item = &'c str>) -> Self {
        let keys = names.map(|name| {
            let mut key = serde_json::Value::from(name).to_string().into_bytes();
            key.push(b':');
            key
        });
        Self { out, keys: keys.collect(), next: 0, line: Vec::new(), made: String::new() }
    }

    /// What they are written to.
    pub const fn get_ref(&self) -> &W {
        &self.out
    }
}

impl<W: Write> Cells for JsonLines<W> {
    fn cell(&mut self, kind: ColumnKind, value: &Value<'_>) -> io::Result<()> {
        let key = self.keys.get(self.next).ok_or_else(|| io::Error::other("a row has more cells than there are columns"))?;
        self.next = self.next.saturating_add(1);
        if kind == ColumnKind::Json && value.is_empty() {
            return Ok(());
        }
        self.line.push(if self.line.is_empty() { b'{' } else { b',' });
        self.line.extend_from_slice(key);
        let line = &mut self.line;
        match value {
            Value::Empty => line.extend_from_slice(b"null"),
            Value::Text(json) if kind == ColumnKind::Json => line.extend_from_slice(json.as_bytes()),
            Value::List(words) => put(line, words)?,
            Value::Number(number) => match i64::try_from(*number) {
                Ok(number) => put(line, &number)?,
                Err(_) => put(line, number)?,
            },
            text => put(line, text.text(&mut self.made).map_err(io::Error::other)?)?,
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.line.extend_from_slice(if self.line.is_empty() { b"{}\n" } else { b"}\n" });
        let written = self.out.write_all(&self.line);
        self.line.clear();
        self.next = 0;
        written
    }
}

fn put(line: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    Ok(serde_json::to_writer(line, value)?)
}
