//! What a report says, apart from how it looks: sections of typed tables. The page and the workbook render any of them.
//!
//! Belongs here: the model. Must not be here: any figure (`sections/`), any phrase (`words/`), any format (`page/`, `workbook/`).
//!
//! A further section is one function of about twenty lines:
//!
//! ```
//! use tagih::report::document::{Cell, CellKind, Chart, ChartKind, DocumentColumn, DocumentTable, Section};
//! use tagih::domain::amount::Rupiah;
//!
//! fn ageing(buckets: &[(String, u64, Rupiah)]) -> Section<'_> {
//!     let columns = vec![DocumentColumn::new("Age", CellKind::Text), DocumentColumn::new("Bills", CellKind::Count), DocumentColumn::new("Rupiah", CellKind::Rupiah)];
//!     let rows = buckets.iter().map(|(age, count, amount)| vec![age.as_str().into(), (*count).into(), (*amount).into()]);
//!     let table = DocumentTable::new("Unpaid bills by age", columns, rows.collect::<Vec<Vec<Cell<'_>>>>()).sum_up("Total");
//!     Section::new("ageing", "Ageing").note("By due date.").table(table).chart(Chart::of(ChartKind::Bar, "Rupiah by age", 0, &[2]))
//! }
//! # assert_eq!(ageing(&[("0–30".into(), 2, Rupiah::new(7))]).tables[0].totals.as_ref().unwrap()[1], Cell::Count(2));
//! ```
//!
//! It is then listed in `sections::document`, at the place where it is to be read.

mod cell;
mod table;

use jiff::Timestamp;

pub use cell::{Cell, CellKind};
pub use table::{DocumentColumn, DocumentRows, DocumentTable};

use crate::domain::amount::Rupiah;
use crate::domain::language::Language;

/// A report.
#[derive(Debug)]
pub struct Document<'a> {
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// Seen from when; also the files' own date.
    pub as_of: Timestamp,
    /// The first page.
    pub cover: Cover<'a>,
    /// Whose it is, of when, and of which run: at the foot of every printed page.
    pub footer: String,
    /// The rest, in reading order.
    pub sections: Vec<Section<'a>>,
}

/// The first page: what the report is about and how it ended.
#[derive(Debug)]
pub struct Cover<'a> {
    /// Whose, and of when.
    pub subtitle: String,
    /// The outcome in a sentence.
    pub verdict: String,
    /// Whether the outcome needs nobody.
    pub mood: Mood,
    /// What whoever signs must know of the months before, each in a sentence.
    pub caveats: Vec<String>,
    /// The few figures to see first.
    pub highlights: Vec<Highlight>,
    /// From the bill to the bank; and what there is to know of it.
    pub flow: Vec<FlowStep>,
    /// What to do, by who acts.
    pub tasks: Vec<Task>,
    /// Whether the books tie, in a sentence, and how that is to be taken.
    pub tie: (String, Mood),
    /// The balances beside those of the month before.
    pub comparison: DocumentTable<'a>,
    /// What identifies the report: label and value.
    pub facts: DocumentTable<'a>,
    /// Who signs: one line each.
    pub signatures: Vec<&'static str>,
}

/// A step from the bill to the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowStep {
    /// What it is.
    pub label: &'static str,
    /// What it adds; of a figure of its own, that figure.
    pub amount: Rupiah,
    /// The figure after it.
    pub after: Rupiah,
    /// Whether it is a figure of its own, and not what lies between two.
    pub is_total: bool,
    /// The section that lists it item by item.
    pub section: Option<&'static str>,
}

/// What one desk has to do about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Who.
    pub desk: &'static str,
    /// What.
    pub task: &'static str,
    /// How many items.
    pub count: i64,
    /// Their rupiah.
    pub amount: Rupiah,
    /// The section that lists them.
    pub section: &'static str,
}

/// A figure of the first page.
#[derive(Debug)]
pub struct Highlight {
    /// What is counted.
    pub label: String,
    /// What that means.
    pub explanation: String,
    /// How many.
    pub count: u64,
    /// Their rupiah.
    pub amount: Rupiah,
    /// How it is to be taken.
    pub mood: Mood,
}

/// How a figure is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should be.
    Good,
    /// Wait.
    Waiting,
    /// Act.
    Bad,
}

impl Mood {
    /// The name used in style sheets.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Waiting => "waiting",
            Self::Bad => "bad",
        }
    }
}

/// Who gets to see a section or a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Page and workbook.
    #[default]
    Everyone,
    /// The workbook: what is to be filtered and worked with, not read.
    Workbook,
    /// The page only.
    Page,
}

impl Audience {
    /// Whether the page shows it.
    #[must_use]
    pub fn has_page(self) -> bool {
        self != Self::Workbook
    }

    /// Whether the workbook shows it.
    #[must_use]
    pub fn has_workbook(self) -> bool {
        self != Self::Page
    }
}

/// A chapter of the page, a sheet of the workbook.
#[derive(Debug)]
pub struct Section<'a> {
    /// Stable and unique: the anchor on the page.
    pub id: String,
    /// Its heading, and the sheet's name.
    pub title: String,
    /// What the reader must know to read it.
    pub note: String,
    /// Its tables, one below the other.
    pub tables: Vec<DocumentTable<'a>>,
    /// Drawings of some of the tables; the page shows each beside its table.
    pub charts: Vec<Chart>,
    /// Who gets to see it.
    pub audience: Audience,
}

impl<'a> Section<'a> {
    /// An empty section.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            note: String::new(),
            tables: Vec::new(),
            charts: Vec::new(),
            audience: Audience::Everyone,
        }
    }

    /// With several tables more.
    #[must_use]
    pub fn tables(mut self, tables: impl IntoIterator<Item = DocumentTable<'a>>) -> Self {
        self.tables.extend(tables);
        self
    }

    /// With an explanation below its heading.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With one more table.
    #[must_use]
    pub fn table(mut self, table: DocumentTable<'a>) -> Self {
        self.tables.push(table);
        self
    }

    /// With one more drawing: of its first table, or of the one [`Chart::table`] names.
    #[must_use]
    pub fn chart(mut self, chart: Chart) -> Self {
        self.charts.push(chart);
        self
    }

    /// On page and workbook only, not on paper.
    #[must_use]
    pub fn on_screen(mut self) -> Self {
        for table in &mut self.tables {
            table.is_printed = false;
        }
        self
    }

    /// For some readers only.
    #[must_use]
    pub const fn only_for(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartKind {
    /// A bar a value, side by side.
    Bar,
    /// A bar a row, its values on top of each other.
    Stacked,
    /// A line a column.
    Line,
}

/// A drawing of some columns of a table.
#[derive(Clone, Debug)]
pub struct Chart {
    /// How.
    pub kind: ChartKind,
    /// What it shows, in words.
    pub title: String,
    /// Which table of its section.
    pub table: usize,
    /// The column that names the places along the bottom.
    pub labels: usize,
    /// The columns drawn.
    pub values: Vec<usize>,
    /// A limit that lies before the place of this number, and its name.
    pub limit: Option<(usize, String)>,
}

impl Chart {
    /// A drawing of columns `values` of a section's first table, along column `labels`.
    #[must_use]
    pub fn of(kind: ChartKind, title: impl Into<String>, labels: usize, values: &[usize]) -> Self {
        Self { kind, title: title.into(), table: 0, labels, values: values.to_vec(), limit: None }
    }

    /// Of another table of the section than its first.
    #[must_use]
    pub const fn of_table(mut self, table: usize) -> Self {
        self.table = table;
        self
    }

    /// With a line called `name` before the place `before`.
    #[must_use]
    pub fn limit(mut self, before: usize, name: impl Into<String>) -> Self {
        self.limit = Some((before, name.into()));
        self
    }
}

/// Columns of these titles and kinds.
pub(super) fn columns(titles: &[(&str, CellKind)]) -> Vec<DocumentColumn> {
    titles.iter().map(|&(title, kind)| DocumentColumn::new(title, kind)).collect()
}
