//! Statements of the bank account DOKU pays to (CSV, XLSX, MT940) → lines, and what cannot be read, each with its place.
//!
//! Belongs here: what the cells say. Must not be here: which lines are DOKU's, and which pay-outs they pay (`books`).

mod columns;
mod counts;
mod error;
mod mt940;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::path::PathBuf;

use jiff::civil::Date;

use super::source;
use crate::domain::digest::{self, Digest};
use crate::domain::line::{InputFile, LogContents};
use crate::domain::settlement::RowPlace;
use crate::domain::statement_text::StatementText;
use crate::table::{self, Header, Mostly, Row, Shape, Table, TableFault, TableLimits, TableSettings, Wrong};
use columns::Columns;
use counts::{Counts, Run};

pub use error::BankError;

/// The largest statement that is read, in bytes on disk.
const BYTES_MAX: u64 = 1 << 28;
/// Digits an amount may have.
const DIGITS_MAX: usize = 15;

/// The column at fault, and what is wrong with it.
type CellFault = (&'static str, String);
/// Which lines are looked at, by their text: those of others are left alone.
pub type IsCounted<'c> = &'c dyn Fn(&StatementText) -> bool;

/// A message of an MT940.
struct Statement {
    account: Digest,
    /// Of all it says.
    digest: Digest,
    /// Where it says that it is a further page.
    goes_on_from: Option<RowPlace>,
    /// Its number and page (`:28C:`); empty where it has none.
    number: String,
    opening: Option<Standing>,
    closing: Option<Standing>,
    lines: Vec<Told>,
}

/// What an account held on a day, in sen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    on: Date,
    sen: i128,
}

/// What a row of a file says.
struct Told {
    place: RowPlace,
    /// Its text, as far as it can be read.
    text: StatementText,
    says: Result<Moved, CellFault>,
    /// Whether all of it can be read, though what moves is no sum that books hold: sen, or nothing.
    is_no_rupiah: bool,
    is_heading: bool,
}

/// What moved, and when.
#[derive(Clone, Copy)]
struct Moved {
    on: Date,
    amount: i64,
    account: Option<Digest>,
    /// What the account held before, in sen, where the statement says so.
    before: Option<i128>,
}

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankLine {
    /// Where it stands first.
    pub place: RowPlace,
    /// Its value date.
    pub on: Date,
    /// What the account received, in rupiah; negative for what it gave.
    pub amount: i64,
    /// Its description and reference.
    pub text: StatementText,
    /// What stands for the account, where the statement names it: tables do not.
    pub account: Option<Digest>,
    /// What the account held before it, in sen, where the statement says so: tables do not.
    pub before: Option<i128>,
    /// Which of the lines that say the same of the same balance it is, from 0.
    pub occurrence: u32,
    /// Which of those that say the same, whatever the balance.
    pub equal: u32,
}

impl BankLine {
    /// Stands for what it says: equal for the same line in another file, or in a table of another format or layout.
    #[must_use]
    pub fn content(&self) -> Digest {
        let (on, amount, text) = (self.on.to_string(), self.amount.to_string(), self.text.on_one_line());
        let parts = [b"bank-line", on.as_bytes(), amount.as_bytes(), text.as_bytes()];
        digest::of_each(parts.into_iter().chain(self.account.as_ref().map(|account| &account[..])))
    }

    /// Stands for the line itself: an account that moves the same again holds something else before.
    #[must_use]
    pub fn identity(&self) -> Digest {
        let content = self.content();
        self.before.map_or(content, |before| digest::of_parts(&[b"bank-line-at", &content, before.to_string().as_bytes()]))
    }
}

/// A row that is no line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedLine {
    /// Where it stands.
    pub place: RowPlace,
    /// The column at fault; `row` where it is none.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// Whether it stands above the header, as the heading of an account does.
    pub is_heading: bool,
}

/// Everything statements say.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    /// The files, in the order given; `lines` are rows.
    pub files: Vec<InputFile>,
    /// Their lines; one that stands in several files stands here once.
    pub lines: Vec<BankLine>,
    /// Rows that are no line.
    pub malformed: Vec<MalformedLine>,
    /// Lines that were taken for ones another file has already.
    pub copies: Vec<BankLine>,
    /// Rows that move sen or nothing, and whose text says that they are of others. They are not among the malformed.
    pub left_alone: u64,
}

impl Statements {
    /// Rows that should be lines and cannot be read: money that came may be among them.
    pub fn unread(&self) -> impl Iterator<Item = &MalformedLine> {
        self.malformed.iter().filter(|row| !row.is_heading)
    }

    /// Files most rows of which are no lines.
    #[must_use]
    pub fn mostly_unread(&self) -> Vec<(PathBuf, Mostly)> {
        let judged = (0_u32..).zip(&self.files).filter_map(|(number, file)| {
            let wrong = || self.malformed.iter().filter(move |row| row.place.file == number);
            // The heading of an account is no row of its table.
            let heading = u64::try_from(wrong().filter(|row| row.is_heading).count()).unwrap_or(u64::MAX);
            let causes = wrong().filter(|row| !row.is_heading).map(|row| (row.column, row.reason.as_str()));
            Some((file.path.clone(), table::mostly(file.lines.saturating_sub(heading), causes)?))
        });
        judged.collect()
    }
}

/// Reads `files` in their order: MT940, XLSX, CSV, or any of these in gzip or zstd, told by the content. What `is_counted` leaves
/// alone may have sen.
///
/// # Errors
/// [`BankError`] for the first file that is no statement; rows that are no lines are listed instead.
pub fn read(files: &[PathBuf], tables: &TableSettings, is_counted: IsCounted<'_>) -> Result<Statements, BankError> {
    let (mut statements, mut counts) = (Statements::default(), Counts::of(is_counted));
    for path in files {
        let refused = |fault: TableFault| BankError { path: path.clone(), fault };
        let (content, digest, bytes) =
            source::read_whole(tables.place_of(path), BYTES_MAX).map_err(|error| refused(TableFault::Unreadable(error.to_string())))?;
        let file = u32::try_from(statements.files.len()).unwrap_or(u32::MAX);
        let rows = if mt940::is(&content) {
            mt940::read(&content, file, &mut |one| counts.message(&mut statements, one))
        } else {
            let mut run = Run::new();
            read_table(content, file, tables, &mut |told| counts.told(&mut statements, &mut run, told)).map_err(refused)?
        };
        let (path, contents) = (path.clone(), LogContents::default());
        statements.files.push(InputFile { path, digest, bytes, lines: rows, contents, remark: String::new() });
    }
    counts.finish(&mut statements);
    Ok(statements)
}

/// Tells every row of a table, and gives how many there are.
fn read_table(content: Vec<u8>, file: u32, tables: &TableSettings, tell: &mut dyn FnMut(Told)) -> Result<u64, TableFault> {
    let is_known = |name: &str| columns::is_known(name, &tables.layouts);
    let is_enough = |names: &[String]| columns::is_enough(names, &tables.layouts);
    let limits = TableLimits { file_bytes_max: BYTES_MAX.saturating_mul(4), ..TableLimits::default() };
    let header = Header { is_known: &is_known, is_enough: &is_enough };
    let shape = Shape { delimiter: None, sheet: tables.sheet.as_deref(), limits: &limits, header, is_strict: false };
    let mut table = Table::of(Cursor::new(content), &shape)?;
    let columns = Columns::of(table.header(), tables)?;
    let (mut row, mut rows) = (Row::default(), 0_u64);
    while table.read(&mut row)? {
        rows = rows.saturating_add(1);
        let place = RowPlace { file, row: row.line, byte: row.byte };
        let is_heading = row.wrong == Some(Wrong::Unclaimed);
        tell(columns.line(&row, place, is_heading));
    }
    Ok(rows)
}
