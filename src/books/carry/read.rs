//! A carry read back: its head, and its tables group by group.

use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;

use super::columns::{Named, RowDigest};
use super::table::{TABLES, Table};
use super::{CarryError, CarryHead, FORMAT, HEAD, TableHead};
use crate::books::account::PerAccount;
use crate::books::known::Known;
use crate::columns::stored::{Slices, Stored};
use crate::columns::vouched::Vouched;
use crate::domain::amount::Rupiah;
use crate::domain::digest::{self, Digest, Running};
use crate::parallel;
use crate::private;

/// What every version of a head has.
#[derive(Deserialize)]
struct Versioned {
    format: u32,
}

impl CarryHead {
    /// Reads the head in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, CarryError> {
        let mut text = Vec::new();
        let mut opened = private::regular(&folder.join(HEAD)).map_err(CarryError::storage(HEAD))?;
        opened.read_to_end(&mut text).map_err(CarryError::storage(HEAD))?;
        let Versioned { format } = serde_json::from_slice(&text).map_err(|error| CarryError::damaged(HEAD, &error))?;
        if !(1..=FORMAT).contains(&format) {
            return Err(CarryError::Version(format));
        }
        serde_json::from_slice(&text).map_err(|error| CarryError::damaged(HEAD, &error))
    }

    /// Holds how many things are known against the rows of all tables.
    pub(super) fn check_count(&self, found: usize) -> Result<(), CarryError> {
        let rows: u64 = self.tables.values().map(|table| table.rows).sum();
        if u64::try_from(found) == Ok(rows) { Ok(()) } else { Err(CarryError::damaged(HEAD, &"two rows of a table are about one thing")) }
    }

    /// Holds the balances of all items against those that are stated.
    pub(super) fn check(&self, totals: &PerAccount<Rupiah>) -> Result<(), CarryError> {
        let stated = |account| i128::from(self.balances.get(&account).copied().unwrap_or_default());
        match totals.into_each().find(|(account, total)| total.get() != stated(*account)) {
            Some((account, _)) => {
                Err(CarryError::damaged(HEAD, &format_args!("the balance of `{}` is not that of its items", account.name())))
            }
            None => Ok(()),
        }
    }
}

/// Reads the carry in `folder` whole: every file as `open` vouches for it by its name, every table against its digest, and the balances
/// against their items.
///
/// # Errors
/// [`CarryError`].
pub fn read(folder: &Path, open: impl Fn(&str) -> io::Result<Vouched>) -> Result<(CarryHead, Known), CarryError> {
    let head = CarryHead::read(folder)?;
    let mut known = Known { began_on: head.began_on, ..Known::default() };
    for table in TABLES {
        let file = file_of(table, &open)?;
        Rows::of(table, &head, &file)?.each(|some| {
            known.join(some);
            Ok(())
        })?;
    }
    head.check_count(known.count())?;
    known.remember_aliases();
    head.check(&known.totals())?;
    Ok((head, known))
}

/// The file of a table.
pub(super) fn file_of(table: &Table, open: impl Fn(&str) -> io::Result<Vouched>) -> Result<Vouched, CarryError> {
    let name = table.file();
    open(&name).map_err(|reason| CarryError::damaged(&name, &reason))
}

/// The rows of a table that were not read yet.
pub(super) struct Rows<'f> {
    pub(super) table: &'static Table,
    columns: Vec<&'static Named>,
    head: &'f CarryHead,
    slices: Slices<'f>,
    running: Running,
    count: u64,
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows of {}", self.count, self.table.name)
    }
}

impl<'f> Rows<'f> {
    /// All of them.
    pub(super) fn of(table: &'static Table, head: &'f CarryHead, file: &'f Vouched) -> Result<Self, CarryError> {
        let slices = Slices::of(file).map_err(|reason| CarryError::damaged(&table.file(), &reason))?;
        let columns = table.columns_of(head.format).collect();
        Ok(Self { table, columns, head, slices, running: Running::default(), count: 0 })
    }

    /// What the next group says; nothing after the last, where they are held against their digest.
    pub(super) fn take(&mut self) -> Result<Option<Known>, CarryError> {
        let damaged = |reason: io::Error| CarryError::damaged(&self.table.file(), &reason);
        let Some(stored) = self.slices.take().map_err(damaged)? else { return self.end().map(|()| None) };
        if !stored.names().eq(self.table.header_of(self.head.format)) {
            return Err(damaged(io::Error::other("its columns are not those of this format")));
        }
        let pieces: Vec<Stored> = stored.pieces(parallel::width()).collect();
        let read = parallel::map_parts(&pieces, 1, |pieces| pieces.iter().map(|piece| self.piece(piece)).collect::<io::Result<Vec<_>>>());
        let mut all = Known { began_on: self.head.began_on, ..Known::default() };
        for piece in read {
            for (known, digests) in piece.map_err(damaged)? {
                all.join(known);
                self.count = self.count.saturating_add(u64::try_from(digests.len()).unwrap_or(u64::MAX));
                for digest in &digests {
                    self.running.update(digest);
                }
            }
        }
        Ok(Some(all))
    }

    /// Hands on what each group says, to the end.
    pub(super) fn each(mut self, mut take: impl FnMut(Known) -> Result<(), CarryError>) -> Result<(), CarryError> {
        while let Some(known) = self.take()? {
            take(known)?;
        }
        Ok(())
    }

    fn piece(&self, stored: &Stored) -> io::Result<(Known, Vec<Digest>)> {
        let (mut known, mut digest, mut digests) = (Known::default(), RowDigest::default(), Vec::with_capacity(stored.height()));
        stored.each_row(|cells| {
            cells.iter().try_for_each(|cell| digest.take(cell))?;
            digests.push(digest.end());
            self.table.take(&self.columns, &mut known, cells).map_err(io::Error::other)
        })?;
        Ok((known, digests))
    }

    fn end(&mut self) -> Result<(), CarryError> {
        let sha256 = digest::hex(&std::mem::take(&mut self.running).finish());
        if self.head.tables.get(self.table.name) == Some(&TableHead { rows: self.count, sha256 }) {
            return Ok(());
        }
        Err(CarryError::damaged(&self.table.file(), &"its rows are not those that were written"))
    }
}
