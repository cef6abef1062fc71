//! What a month hands to the next, in files: a head (`carry.json`) and one table for each kind of thing the books know, as Parquet for
//! programs and as CSV for people.
//!
//! The format has a version. The digest of a table is that of its CSV text, so it depends on what is said and on nothing else; the head
//! holds the digests, the hash of the head before and the ends of ledger and journal, so that months form a chain. No names of people.

mod columns;
mod parquet;
mod table;

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write};
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::known::Known;
use super::settings::{Period, Settings};
use crate::domain::digest::{self, Running};

/// The version written.
pub const FORMAT: u32 = 1;

/// The head's name in the folder.
pub const HEAD: &str = "carry.json";

/// One table of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableHead {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of its CSV.
    pub sha256: String,
}

/// What the books at the end of a month are, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The version of the format.
    pub format: u32,
    /// The first WIB day of the month.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// The first day of the books.
    pub began_on: Option<Date>,
    /// The settings postings depended on.
    pub settings: Settings,
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

impl Head {
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
pub struct About<'a> {
    /// The month.
    pub period: Period,
    /// Its settings.
    pub settings: &'a Settings,
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
    fn damaged(file: &str, reason: &dyn std::fmt::Display) -> Self {
        Self::Damaged { file: file.to_owned(), reason: reason.to_string() }
    }

    fn storage(file: &str) -> impl FnOnce(io::Error) -> Self {
        move |reason| Self::Storage { file: file.to_owned(), reason }
    }
}

/// What writes a file: the caller says where, and that it appears whole.
pub type Fill<'f> = &'f mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// Writes the books at the end of a month, each file through `file`. Returns the head, which was written last.
///
/// # Errors
/// [`CarryError`].
pub fn write(known: &Known, about: About<'_>, file: impl Fn(&str, Fill<'_>) -> io::Result<()> + Sync) -> Result<Head, CarryError> {
    let mut tables = BTreeMap::new();
    for table in table::TABLES {
        tables.insert(table.name.to_owned(), write_table(table, known, &file)?);
    }
    let sums = Account::ALL.into_iter().map(|account| (account, known.total(account).get())).filter(|(_, sum)| *sum != 0);
    let sums: Result<_, _> = sums.map(|(account, sum)| Ok((account, i64::try_from(sum)?))).collect();
    let About { period, settings, previous, ledger, journal, exported } = about;
    let head = Head {
        format: FORMAT,
        from: period.from,
        to: period.to,
        began_on: known.began_on,
        settings: settings.clone(),
        previous,
        ledger,
        journal,
        exported,
        balances: sums.map_err(|error: std::num::TryFromIntError| CarryError::damaged(HEAD, &error))?,
        tables,
    };
    let text = serde_json::to_vec_pretty(&head).map_err(|error| CarryError::damaged(HEAD, &error))?;
    file(HEAD, &mut |out| out.write_all(&text)).map_err(CarryError::storage(HEAD))?;
    Ok(head)
}

/// Writes one table, as CSV and beside it as Parquet.
fn write_table(
    table: &table::Table,
    known: &Known,
    file: &(impl Fn(&str, Fill<'_>) -> io::Result<()> + Sync),
) -> Result<TableHead, CarryError> {
    let (csv, parquet) = (format!("{}.csv", table.name), format!("{}.parquet", table.name));
    let (mut rows, mut sha256) = (0, String::new());
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| file(&parquet, &mut |out| parquet::write(table, known, out)).map_err(CarryError::storage(&parquet)));
        let written = file(&csv, &mut |out| {
            let mut running = Running::default();
            rows = table.write_csv(known, &mut Tee { out, running: &mut running })?;
            sha256 = digest::hex(&std::mem::take(&mut running).finish());
            Ok(())
        });
        let beside = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.map_err(CarryError::storage(&csv)).and(beside)
    })?;
    Ok(TableHead { rows, sha256 })
}

/// What every version of a head has.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

/// Writes and digests.
struct Tee<'a> {
    out: &'a mut dyn Write,
    running: &'a mut Running,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.running.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads what [`write()`] wrote into `folder`, every table held against its digest and the balances against their items.
///
/// # Errors
/// [`CarryError`].
pub fn read(folder: &Path) -> Result<(Head, Known), CarryError> {
    let mut text = Vec::new();
    let mut opened = std::fs::File::open(folder.join(HEAD)).map_err(CarryError::storage(HEAD))?;
    opened.read_to_end(&mut text).map_err(CarryError::storage(HEAD))?;
    let Versioned { format } = serde_json::from_slice(&text).map_err(|error| CarryError::damaged(HEAD, &error))?;
    if format != FORMAT {
        return Err(CarryError::Version(format));
    }
    let head: Head = serde_json::from_slice(&text).map_err(|error| CarryError::damaged(HEAD, &error))?;
    let mut known = Known { began_on: head.began_on, ..Known::default() };
    for table in table::TABLES {
        let name = format!("{}.parquet", table.name);
        let file = std::fs::File::open(folder.join(&name)).map_err(CarryError::storage(&name))?;
        parquet::read(table, file, &mut known).map_err(|reason| CarryError::damaged(&name, &reason))?;
        let mut running = Running::default();
        let rows = table.write_csv(&known, &mut Tee { out: &mut io::sink(), running: &mut running }).map_err(CarryError::storage(&name))?;
        let found = TableHead { rows, sha256: digest::hex(&running.finish()) };
        if head.tables.get(table.name) != Some(&found) {
            return Err(CarryError::damaged(&name, &"its rows are not those that were written"));
        }
    }
    known.remember_aliases();
    let sum = |account: Account| known.total(account).get();
    let differs = |account: &Account| sum(*account) != i128::from(head.balances.get(account).copied().unwrap_or_default());
    if let Some(account) = Account::ALL.iter().find(|account| differs(account)) {
        return Err(CarryError::damaged(HEAD, &format_args!("the balance of `{}` is not that of its items", account.name())));
    }
    Ok((head, known))
}
