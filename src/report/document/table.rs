//! Tables: columns, rows that may be made one at a time, a totals row.

use std::fmt;

use super::{Audience, Cell, CellKind};

/// A column.
#[derive(Clone, Debug)]
pub struct DocumentColumn {
    /// Its heading.
    pub title: String,
    /// What it holds.
    pub kind: CellKind,
    /// Whether the page offers its values as a filter. For columns with few different values.
    pub filter: bool,
    /// Whether the page shows it below its row instead of in it.
    pub detail: bool,
    /// Who gets to see it.
    pub audience: Audience,
}

impl DocumentColumn {
    /// A column of `kind`.
    #[must_use]
    pub fn new(title: impl Into<String>, kind: CellKind) -> Self {
        Self { title: title.into(), kind, filter: false, detail: false, audience: Audience::Everyone }
    }

    /// Offered as a filter on the page.
    #[must_use]
    pub const fn filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Shown below its row on the page.
    #[must_use]
    pub const fn detail(mut self) -> Self {
        self.detail = true;
        self
    }

    /// For some readers only.
    #[must_use]
    pub const fn only_for(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }
}

/// Makes one row.
type Make<'a> = Box<dyn Fn(usize) -> Vec<Cell<'a>> + Send + Sync + 'a>;

/// The rows of a table: held, or made when they are asked for, so that a million of them take no memory.
pub enum DocumentRows<'a> {
    /// In memory.
    Held(Vec<Vec<Cell<'a>>>),
    /// Made one at a time.
    Made {
        /// How many.
        count: usize,
        /// The row at a place.
        make: Make<'a>,
    },
}

impl fmt::Debug for DocumentRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.len())
    }
}

impl<'a> From<Vec<Vec<Cell<'a>>>> for DocumentRows<'a> {
    fn from(rows: Vec<Vec<Cell<'a>>>) -> Self {
        Self::Held(rows)
    }
}

impl<'a> DocumentRows<'a> {
    /// `count` rows, each made by `make` from its place.
    pub fn made(count: usize, make: impl Fn(usize) -> Vec<Cell<'a>> + Send + Sync + 'a) -> Self {
        Self::Made { count, make: Box::new(make) }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Held(rows) => rows.len(),
            Self::Made { count, .. } => *count,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first `limit` of them.
    pub fn first(&self, limit: usize) -> impl Iterator<Item = Vec<Cell<'a>>> {
        (0..self.len().min(limit)).map(|at| match self {
            Self::Held(rows) => rows.get(at).cloned().unwrap_or_default(),
            Self::Made { make, .. } => make(at),
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Vec<Cell<'a>>> {
        self.first(self.len())
    }
}

/// A table.
#[derive(Debug)]
pub struct DocumentTable<'a> {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<DocumentColumn>,
    /// Its rows, each with a cell for every column.
    pub rows: DocumentRows<'a>,
    /// The last row.
    pub totals: Option<Vec<Cell<'a>>>,
    /// The file that holds all rows, for a page that shows the first ones only.
    pub file: Option<&'static str>,
    /// What stands in place of no rows.
    pub empty: &'static str,
    /// Whether it is printed. Paper is what is signed and kept: figures that only break others down stay on the screen.
    pub is_printed: bool,
}

impl<'a> DocumentTable<'a> {
    /// A table without totals.
    #[must_use]
    pub fn new(caption: impl Into<String>, columns: Vec<DocumentColumn>, rows: impl Into<DocumentRows<'a>>) -> Self {
        Self { caption: caption.into(), columns, rows: rows.into(), totals: None, file: None, empty: "", is_printed: true }
    }

    /// On page and workbook only, not on paper.
    #[must_use]
    pub const fn on_screen(mut self) -> Self {
        self.is_printed = false;
        self
    }

    /// With a last row that adds up every count and every amount.
    #[must_use]
    pub fn sum_up(mut self, label: &'static str) -> Self {
        let mut sums: Vec<Cell<'a>> = self.columns.iter().map(|column| zero(column.kind)).collect();
        for row in self.rows.iter() {
            for (sum, cell) in sums.iter_mut().zip(&row) {
                *sum = std::mem::take(sum).plus(cell);
            }
        }
        if let Some(first) = sums.first_mut() {
            *first = label.into();
        }
        self.totals = Some(sums);
        self
    }

    /// With a last row of these cells.
    #[must_use]
    pub fn totals(mut self, totals: Vec<Cell<'a>>) -> Self {
        self.totals = Some(totals);
        self
    }

    /// With a file that holds all rows; a page then may show the first ones only.
    #[must_use]
    pub const fn kept_in(mut self, file: &'static str) -> Self {
        self.file = Some(file);
        self
    }

    /// With words for the case of no rows.
    #[must_use]
    pub const fn or_say(mut self, empty: &'static str) -> Self {
        self.empty = empty;
        self
    }
}

fn zero<'a>(kind: CellKind) -> Cell<'a> {
    match kind {
        CellKind::Count => Cell::Count(0),
        CellKind::Rupiah | CellKind::Difference => Cell::Rupiah(crate::domain::amount::Rupiah::ZERO),
        CellKind::Text | CellKind::Code | CellKind::Date | CellKind::Instant | CellKind::Percent => Cell::Empty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Rupiah;

    #[test]
    fn totals_add_up_counts_and_rupiah_and_leave_codes_and_days_alone() {
        let columns = ["what", "code", "count", "rupiah", "difference"].map(String::from);
        let kinds = [CellKind::Text, CellKind::Code, CellKind::Count, CellKind::Rupiah, CellKind::Difference];
        let columns = columns.into_iter().zip(kinds).map(|(title, kind)| DocumentColumn::new(title, kind)).collect();
        let row = |at: usize| {
            let amount = Rupiah::new(at.try_into().unwrap());
            vec!["a".into(), "007".into(), Cell::Count(2), amount.into(), Cell::Rupiah(Rupiah::ZERO.minus(amount))]
        };
        let table = DocumentTable::new("", columns, DocumentRows::made(4, row)).sum_up("all");
        let expected = vec!["all".into(), Cell::Empty, Cell::Count(8), Rupiah::new(6).into(), Rupiah::new(-6).into()];
        assert_eq!(table.totals.unwrap(), expected);
        assert_eq!(table.rows.first(2).count(), 2);
    }
}
