//! What a month hands to the next, in files: a head (`carry.json`) and one table for each kind of thing the books know, as Parquet; what is
//! open or was decided also as CSV, for people.
//!
//! The format has a version. The digest of a table is that of its rows' digests, so it depends on what is said and on nothing else; the head
//! holds the digests, the hash of the head before and the ends of ledger and journal, so that months form a chain. No names of people.

mod cell;
mod columns;
mod folder;
mod read;
mod record;
mod table;

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::folder::{CarryFolder, Reader};
pub use self::read::read;
use super::account::{Account, PerAccount};
use super::known::Known;
use super::settings::{BooksSettings, PostingPeriod};
use crate::columns::Csv;
use crate::columns::parquet::{Frame, Groups};
use crate::domain::amount::Rupiah;
use crate::domain::digest::{self, Running};

/// The version written.
pub const FORMAT: u32 = 6;

/// The head's name in the folder.
pub const HEAD: &str = "carry.json";

/// One table of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableHead {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of the digests of its rows.
    pub sha256: String,
}

/// What the books at the end of a month are, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarryHead {
    /// The version of the format.
    pub format: u32,
    /// The first WIB day of the month.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// The first day of the books.
    pub began_on: Option<Date>,
    /// The settings postings depended on.
    pub settings: BooksSettings,
    /// The hash of the head before; none for the first month.
    pub previous: Option<String>,
    /// The end of the ledger that was read; empty for an external one.
    pub ledger: String,
    /// The last decision of the journal that was read; empty where there is none.
    pub journal: String,
    /// SHA-256 of the entries exported for the month; empty where there are none.
    pub exported: String,
    /// Balances by account: debit +, credit −.
    pub balances: BTreeMap<Account, i64>,
    /// Every table.
    pub tables: BTreeMap<String, TableHead>,
}

impl CarryHead {
    /// Equal for equal books with an equal past, and for nothing else.
    ///
    /// # Errors
    /// [`CarryError::Damaged`] when it cannot be written as JSON, which no head of ours is.
    pub fn hash(&self) -> Result<String, CarryError> {
        let text = serde_json::to_vec(self).map_err(|error| CarryError::damaged(HEAD, &error))?;
        Ok(digest::hex(&digest::of_parts(&[b"carry", &text])))
    }
}

/// What a head says besides the tables.
#[derive(Clone, Debug)]
pub struct HeadContent<'a> {
    /// The month.
    pub period: PostingPeriod,
    /// Its settings.
    pub settings: &'a BooksSettings,
    /// The hash of the head before.
    pub previous: Option<String>,
    /// The end of the ledger.
    pub ledger: String,
    /// The end of the journal.
    pub journal: String,
    /// The digest of the entries exported.
    pub exported: String,
}

/// Why a carry cannot be used or written.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// It is not what was written.
    #[error("`{file}` of the month before is damaged: {reason}")]
    Damaged {
        /// Which file.
        file: String,
        /// What was found.
        reason: String,
    },
    /// Another version wrote it.
    #[error("the month before was written in format {0}, and this version reads {FORMAT}")]
    Version(u32),
    /// The disk.
    #[error("`{file}` of the month before cannot be read or written: {reason}")]
    Storage {
        /// Which file.
        file: String,
        /// The system's words.
        reason: io::Error,
    },
}

impl CarryError {
    /// That `file` is not what was written, for this reason.
    #[must_use]
    pub fn damaged(file: &str, reason: &dyn std::fmt::Display) -> Self {
        Self::Damaged { file: file.to_owned(), reason: reason.to_string() }
    }

    fn storage(file: &str) -> impl FnOnce(io::Error) -> Self {
        move |reason| Self::Storage { file: file.to_owned(), reason }
    }
}

/// What is known of one part, ready to be written.
#[derive(Debug)]
pub struct CarryPage {
    tables: Vec<TablePage>,
    balances: PerAccount<Rupiah>,
}

#[derive(Debug)]
struct TablePage {
    rows: u64,
    digests: Vec<u8>,
    csv: Vec<u8>,
    frame: Frame,
}

impl CarryPage {
    /// Of what is known of a part.
    ///
    /// # Errors
    /// [`CarryError`], which a record of ours does not lead to.
    pub fn of(known: &Known) -> Result<Self, CarryError> {
        let tables = table::TABLES.iter().map(|table| TablePage::of(table, known).map_err(CarryError::storage(table.name)));
        Ok(Self { tables: tables.collect::<Result<_, _>>()?, balances: known.totals() })
    }
}

impl TablePage {
    fn of(table: &table::Table, known: &Known) -> io::Result<Self> {
        let mut rows = table.rows(known)?;
        let (count, digests) = (rows.count, std::mem::take(&mut rows.digests));
        let (frame, csv) = rows.finish()?;
        Ok(Self { rows: count, digests, csv, frame })
    }
}

/// The names of a carry's files but its head.
pub fn names() -> impl Iterator<Item = String> {
    let of = |table: &table::Table| [Some(format!("{}.parquet", table.name)), table.has_csv.then(|| format!("{}.csv", table.name))];
    table::TABLES.iter().flat_map(of).flatten()
}

/// A carry that is being written: a page for each part, then the head.
pub struct Carry<W: Write> {
    tables: Vec<TableFiles<W>>,
    balances: PerAccount<Rupiah>,
}

impl<W: Write> std::fmt::Debug for Carry<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carry").field("balances", &self.balances).finish_non_exhaustive()
    }
}

struct TableFiles<W: Write> {
    name: &'static str,
    rows: u64,
    running: Running,
    csv: Option<W>,
    parquet: Groups<W>,
}

impl<W: Write> Carry<W> {
    /// Begins every table, each in files that `open` makes.
    ///
    /// # Errors
    /// [`CarryError::Storage`].
    pub fn begin(mut open: impl FnMut(&str) -> io::Result<W>) -> Result<Self, CarryError> {
        let tables = table::TABLES.iter().map(|table| TableFiles::begin(table, &mut open).map_err(CarryError::storage(table.name)));
        Ok(Self { tables: tables.collect::<Result<_, _>>()?, balances: PerAccount::default() })
    }

    /// Writes the page of one more part.
    ///
    /// # Errors
    /// [`CarryError::Storage`].
    pub fn put(&mut self, page: CarryPage) -> Result<(), CarryError> {
        for (account, amount) in page.balances.into_each() {
            let sum = self.balances.at(account);
            *sum = sum.plus(amount);
        }
        for (files, page) in self.tables.iter_mut().zip(page.tables) {
            files.put(&page).map_err(CarryError::storage(files.name))?;
        }
        Ok(())
    }

    /// Ends every table; the head is for the caller to write, last.
    ///
    /// # Errors
    /// [`CarryError`].
    pub fn finish(self, began_on: Option<Date>, about: HeadContent<'_>) -> Result<CarryHead, CarryError> {
        let sums = self.balances.into_each().filter(|(_, sum)| *sum != Rupiah::ZERO);
        let sums: Result<_, _> = sums.map(|(account, sum)| Ok((account, i64::try_from(sum.get())?))).collect();
        let mut tables = BTreeMap::new();
        for files in self.tables {
            tables.insert(files.name.to_owned(), files.finish()?);
        }
        let HeadContent { period, settings, previous, ledger, journal, exported } = about;
        Ok(CarryHead {
            format: FORMAT,
            from: period.from,
            to: period.to,
            began_on,
            settings: settings.clone(),
            previous,
            ledger,
            journal,
            exported,
            balances: sums.map_err(|error: std::num::TryFromIntError| CarryError::damaged(HEAD, &error))?,
            tables,
        })
    }
}

impl<W: Write> TableFiles<W> {
    fn begin(table: &'static table::Table, open: &mut impl FnMut(&str) -> io::Result<W>) -> io::Result<Self> {
        let parquet = Groups::of(open(&format!("{}.parquet", table.name))?, table.columns())?;
        let mut csv = if table.has_csv { Some(open(&format!("{}.csv", table.name))?) } else { None };
        csv.as_mut().map_or(Ok(()), |csv| Csv::new(csv).texts(table.header()))?;
        Ok(Self { name: table.name, rows: 0, running: Running::default(), csv, parquet })
    }

    fn put(&mut self, page: &TablePage) -> io::Result<()> {
        self.rows = self.rows.saturating_add(page.rows);
        self.running.update(&page.digests);
        self.csv.as_mut().map_or(Ok(()), |csv| csv.write_all(&page.csv))?;
        self.parquet.put(&page.frame)
    }

    fn finish(mut self) -> Result<TableHead, CarryError> {
        let done = self.csv.as_mut().map_or(Ok(()), Write::flush).and_then(|()| self.parquet.finish());
        done.map_err(CarryError::storage(self.name))?;
        Ok(TableHead { rows: self.rows, sha256: digest::hex(&self.running.finish()) })
    }
}

impl CarryHead {
    /// As it stands in its file.
    ///
    /// # Errors
    /// [`CarryError::Damaged`] when it cannot be written as JSON, which no head of ours is.
    pub fn text(&self) -> Result<Vec<u8>, CarryError> {
        serde_json::to_vec_pretty(self).map_err(|error| CarryError::damaged(HEAD, &error))
    }
}
