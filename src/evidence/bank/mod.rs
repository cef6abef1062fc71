//! Statements of the bank account DOKU pays to (CSV and XLSX) → lines, and what cannot be read, each with its place.
//!
//! Belongs here: what the cells say. Must not be here: which lines are DOKU's, and which pay-outs they pay (`books`).

mod columns;
mod error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::source;
use crate::domain::digest::{self, Digest};
use crate::domain::line::{InputFile, LogContents};
use crate::domain::settlement::RowPlace;
use crate::table::{self, Fault, Header, Limits, Mostly, Row, Settings, Shape, Table, Wrong};
use columns::Columns;

pub use error::BankError;

/// The largest statement that is read, in bytes on disk.
const BYTES_MAX: u64 = 1 << 28;

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankLine {
    /// Where it stands first.
    pub place: RowPlace,
    /// Its value date.
    pub on: Date,
    /// What the account received, in rupiah; negative for what it gave.
    pub amount: i64,
    /// Its description and reference, with single blanks.
    pub text: String,
    /// Which of the lines of its file that say the same it is, from 0.
    pub occurrence: u32,
}

impl BankLine {
    /// Stands for what it says: equal for the same line in another file, format or layout.
    #[must_use]
    pub fn content(&self) -> Digest {
        digest::of_parts(&[b"bank-line", self.on.to_string().as_bytes(), self.amount.to_string().as_bytes(), self.text.as_bytes()])
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
    /// Lines that an earlier file had already.
    pub copies: u64,
}

impl Statements {
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

/// Reads `files` in their order: XLSX, CSV, or CSV in gzip or zstd, told by the content.
///
/// # Errors
/// [`BankError`] for the first file that is no statement; rows that are no lines are listed instead.
pub fn read(files: &[PathBuf], tables: &Settings) -> Result<Statements, BankError> {
    let mut statements = Statements::default();
    // How often each content occurs, and how often in the file that is read.
    let mut seen: BTreeMap<Digest, u32> = BTreeMap::new();
    for path in files {
        read_file(path, tables, &mut statements, &mut seen)?;
    }
    Ok(statements)
}

fn read_file(path: &Path, tables: &Settings, statements: &mut Statements, seen: &mut BTreeMap<Digest, u32>) -> Result<(), BankError> {
    let refused = |fault: Fault| BankError { path: path.to_owned(), fault };
    let (content, digest, bytes) =
        source::read_whole(tables.place_of(path), BYTES_MAX).map_err(|error| refused(Fault::Unreadable(error.to_string())))?;
    let is_known = |name: &str| columns::is_known(name, &tables.layouts);
    let is_enough = |names: &[String]| columns::is_enough(names, &tables.layouts);
    let limits = Limits { file_bytes_max: BYTES_MAX.saturating_mul(4), ..Limits::default() };
    let header = Header { is_known: &is_known, is_enough: &is_enough };
    let shape = Shape { delimiter: None, sheet: tables.sheet.as_deref(), limits: &limits, header, is_strict: false };
    let mut table = Table::of(Cursor::new(content), &shape).map_err(refused)?;
    let columns = Columns::of(table.header(), tables).map_err(refused)?;
    let file = u32::try_from(statements.files.len()).unwrap_or(u32::MAX);
    let (mut row, mut rows, mut in_file) = (Row::default(), 0_u64, BTreeMap::<Digest, u32>::new());
    while table.read(&mut row).map_err(refused)? {
        rows = rows.saturating_add(1);
        let place = RowPlace { file, row: row.line, byte: row.byte };
        match columns.line(&row, place) {
            Ok(mut line) => {
                let times = in_file.entry(line.content()).or_default();
                line.occurrence = *times;
                *times = times.saturating_add(1);
                let known = seen.entry(line.content()).or_default();
                if *times <= *known {
                    statements.copies = statements.copies.saturating_add(1);
                } else {
                    *known = *times;
                    statements.lines.push(line);
                }
            }
            Err((column, reason)) => {
                let is_heading = row.wrong == Some(Wrong::Unclaimed);
                statements.malformed.push(MalformedLine { place, column, reason, is_heading });
            }
        }
    }
    let (path, contents) = (path.to_owned(), LogContents::default());
    statements.files.push(InputFile { path, digest, bytes, lines: rows, contents, remark: String::new() });
    Ok(())
}
