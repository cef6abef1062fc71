//! CSV by RFC 4180, lines ended by a line feed. Where a text from outside would run in a spreadsheet, an apostrophe goes before it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::io::{self, Write};

use super::column::{Cells, Column, ColumnKind, plain_names};
use super::value::Value;
use crate::domain::spreadsheet::{begins_a_cell, escaped, stands_in_words};

const fn splits_more(character: char) -> bool {
    begins_a_cell(character) && !stands_in_words(character)
}

/// What stands in a cell, before quotes.
fn safe<'t>(kind: ColumnKind, value: &'t Value<'_>, made: &'t mut String) -> Result<Cow<'t, str>, fmt::Error> {
    let text = value.text(made)?;
    Ok(if kind == ColumnKind::Foreign { escaped(text) } else { Cow::Borrowed(text) })
}

/// Which of two rows comes first by what stands in `columns`.
pub fn compare<Row>(columns: &[Column<'_, Row>], a: &Row, b: &Row) -> Ordering {
    let [mut of_a, mut of_b] = [String::new(), String::new()];
    let by = |column: &Column<'_, Row>| {
        let (a, b) = (column.value(a), column.value(b));
        safe(column.kind(), &a, &mut of_a).ok().cmp(&safe(column.kind(), &b, &mut of_b).ok())
    };
    columns.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// A CSV on its way.
#[derive(Debug)]
pub struct Csv<W> {
    out: W,
    /// Whether cells are quoted, too, that a spreadsheet of another language would split or that had to be made harmless.
    quotes_more: bool,
    /// Of the row that is being written.
    line: Vec<u8>,
    cells: usize,
    /// A text that had to be made.
    made: String,
}

impl<W: Write> Csv<W> {
    /// Rows without a header.
    pub const fn new(out: W) -> Self {
        Self { out, quotes_more: false, line: Vec::new(), cells: 0, made: String::new() }
    }

    /// Rows under the names of `columns`.
    ///
    /// # Errors
    /// The writer's.
    pub fn begin<Row>(out: W, columns: &[Column<'_, Row>]) -> io::Result<Self> {
        let mut csv = Self::new(out);
        csv.texts(plain_names(columns))?;
        Ok(csv)
    }

    /// For files that somebody opens by a double click: what begins a cell elsewhere (`;`, a tab, `|`) is quoted.
    #[must_use]
    pub const fn quoting_more(mut self) -> Self {
        self.quotes_more = true;
        self
    }

    /// Writes a row of texts from outside: names of columns, some of which may be headers of other people's files.
    ///
    /// # Errors
    /// The writer's.
    pub fn texts<'c>(&mut self, mut texts: impl Iterator<Item = &'c str>) -> io::Result<()> {
        texts.try_for_each(|text| self.cell(ColumnKind::Foreign, &text.into()))?;
        self.end()
    }

    /// What it is written to.
    pub const fn get_ref(&self) -> &W {
        &self.out
    }

    /// What it was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Cells for Csv<W> {
    fn cell(&mut self, kind: ColumnKind, value: &Value<'_>) -> io::Result<()> {
        if kind == ColumnKind::Json {
            return Ok(());
        }
        if self.cells > 0 {
            self.line.push(b',');
        }
        self.cells = self.cells.saturating_add(1);
        let safe = safe(kind, value, &mut self.made).map_err(io::Error::other)?;
        let splits = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n') || self.quotes_more && splits_more(char::from(*byte));
        if safe.as_bytes().iter().any(splits) || self.quotes_more && matches!(safe, Cow::Owned(_)) {
            self.line.push(b'"');
            for (place, part) in safe.split('"').enumerate() {
                self.line.extend_from_slice(if place > 0 { b"\"\"" } else { b"" });
                self.line.extend_from_slice(part.as_bytes());
            }
            self.line.push(b'"');
        } else {
            self.line.extend_from_slice(safe.as_bytes());
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        // A line with nothing on it would be no row.
        if self.cells == 1 && self.line.is_empty() {
            self.line.extend_from_slice(b"\"\"");
        }
        self.line.push(b'\n');
        let written = self.out.write_all(&self.line);
        self.line.clear();
        self.cells = 0;
        written
    }
}
