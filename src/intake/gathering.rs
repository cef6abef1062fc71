//! One file on its way into the harvest: records are read in order, on a thread of their own, while those before them are judged by all.
//!
//! Belongs here: who works on which rows when. Must not be here: what a row means.

use std::sync::{Arc, mpsc};
use std::thread;

use jiff::Timestamp;
use rayon::prelude::*;

use super::bill_column::BillColumn;
use super::carried::Carried;
use super::codes;
use super::error::RefusedFile;
use super::file::{File, Head, Reading};
use super::gathered::Gathered;
use super::kept_bill::KeptItem;
use super::place::InputPlace;
use super::refused_row::RefusedRow;
use super::row_cells::{Cells, Rules};
use super::sort::Harvest;
use super::total::{self, Totals};
use crate::spool::KeepingError;
use crate::table::{self, RecordCounts, Row, Table};

/// Rows that are read before they are judged together.
const BATCH_ROWS: usize = 4096;
/// Rows that one thread judges at a time.
const CHUNK_ROWS: usize = 512;
/// Batches there are: one that is read, one that waits, one that is judged.
const BATCHES: usize = 3;

/// Why a file was not read.
pub(super) enum Unread {
    File(RefusedFile),
    Keeping(KeepingError),
}

impl From<RefusedFile> for Unread {
    fn from(refused: RefusedFile) -> Self {
        Self::File(refused)
    }
}

impl From<KeepingError> for Unread {
    fn from(error: KeepingError) -> Self {
        Self::Keeping(error)
    }
}

/// See the module.
pub(super) struct Gathering<'a> {
    pub(super) file_order: usize,
    pub(super) reading: &'a Reading<'a>,
    pub(super) now: Timestamp,
    pub(super) harvest: &'a mut Harvest,
    pub(super) carried: &'a mut Carried,
}

/// Rows that were read: the first so many of them.
type Batch = (Vec<Row>, Result<usize, table::TableFault>);

impl Gathering<'_> {
    /// Reads one file's rows.
    pub(super) fn gather<T: KeptItem>(
        &mut self,
        mut file: File<'_>,
        read_row: &(impl Fn(Cells<'_>) -> Result<T, Vec<RefusedRow>> + Sync),
    ) -> Result<(), Unread> {
        let path = Arc::clone(&file.head.path);
        self.harvest.begin(&path);
        if self.reading.carries {
            let carry = self.carried.begin(file.table.header(), &file.head.columns, &file.head.layout.carry);
            let lacking = carry.map_err(|fault| file.refused(fault.into()))?;
            self.harvest.note(&path, lacking);
        }
        self.harvest.note(&path, file.head.columns.unused_notes(self.reading.wanted(), |index| self.carried.has(index)));
        let (table, mut is_empty) = (&mut file.table, true);
        let judge =
            Judge { file_order: self.file_order, reading: self.reading, now: self.now, carried: self.carried, head: &file.head, read_row };
        let mut kept = Kept { harvest: self.harvest, totals: Totals::default() };
        let judged: Result<(), Unread> = thread::scope(|threads| {
            let (filled, batches) = mpsc::sync_channel::<Batch>(1);
            let (spent, empty) = mpsc::channel::<Vec<Row>>();
            (0..BATCHES).for_each(|_| drop(spent.send(Vec::new())));
            let reader = thread::Builder::new().name("rows".to_owned());
            reader.spawn_scoped(threads, move || read_on(table, &empty, &filled)).map_err(|error| KeepingError::of(&error))?;
            let (mut waiting, mut before): (Option<(Vec<Row>, usize)>, _) = (None, Vec::new());
            for (rows, count) in batches {
                let count = count.map_err(|fault| RefusedFile { file: path.to_path_buf(), fault: fault.into() })?;
                if count == 0 {
                    break;
                }
                is_empty = false;
                // Only once there are more rows it is known that these have none that may be the file's total.
                if let Some((mut rows, count)) = waiting.replace((rows, count)) {
                    let rows_judged = || judge.judged(rows.get_mut(..count).unwrap_or_default());
                    // While these are judged, those before them are put away.
                    let (gathered, taken) = rayon::join(rows_judged, || kept.take(std::mem::take(&mut before)));
                    taken?;
                    before = gathered?;
                    drop(spent.send(rows));
                }
            }
            kept.take(before)?;
            match waiting {
                Some((mut rows, count)) => Ok(kept.end(&judge, rows.get_mut(..count).unwrap_or_default())?),
                None => Ok(()),
            }
        });
        judged?;
        self.harvest.note(&file.head.path, counted(&file.table.counts(), is_empty));
        Ok(())
    }
}

/// Where rows go, and what they come to.
struct Kept<'a> {
    harvest: &'a mut Harvest,
    totals: Totals,
}

impl Kept<'_> {
    /// Takes the last rows of the file, of which the very last is refused as a total, if it is one.
    fn end<T: KeptItem, F>(&mut self, judge: &Judge<'_, F>, rows: &mut [Row]) -> Result<(), KeepingError>
    where
        F: Fn(Cells<'_>) -> Result<T, Vec<RefusedRow>> + Sync,
    {
        let Some((last, others)) = rows.split_last_mut() else { return Ok(()) };
        self.take(judge.judged(others)?)?;
        let mut gathered = judge.gathered(std::slice::from_mut(last))?;
        self.totals.take(&gathered.amounts);
        self.totals.look_at_last(last);
        if self.totals.ends_in_total(gathered.last_lacks) {
            let columns = &judge.head.columns;
            let column = columns.index(BillColumn::Amount).map_or_else(String::new, |index| columns.header(index).to_owned());
            let reason = "it is the sum of rows above it, so the row is a total and no bill".to_owned();
            let place = InputPlace { row: last.number, line: last.line, ..judge.place() };
            let code = codes::TOTAL_ROW;
            let refused = RefusedRow { place: place.clone(), column, value: String::new(), invoice_number: None, code, reason };
            let mut total = Gathered { malformed: gathered.malformed, ..Gathered::default() };
            total.take::<T>(&place, Err(vec![refused]), &[], judge.now)?;
            gathered = total;
        }
        self.harvest.extend(vec![gathered])
    }

    fn take(&mut self, gathered: Vec<Gathered>) -> Result<(), KeepingError> {
        for part in &gathered {
            self.totals.take(&part.amounts);
        }
        if gathered.is_empty() { Ok(()) } else { self.harvest.extend(gathered) }
    }
}

/// What rows are judged by.
struct Judge<'a, F> {
    file_order: usize,
    reading: &'a Reading<'a>,
    now: Timestamp,
    carried: &'a Carried,
    head: &'a Head<'a>,
    read_row: &'a F,
}

impl<T: KeptItem, F: Fn(Cells<'_>) -> Result<T, Vec<RefusedRow>> + Sync> Judge<'_, F> {
    fn judged(&self, rows: &mut [Row]) -> Result<Vec<Gathered>, KeepingError> {
        rows.par_chunks_mut(CHUNK_ROWS).map(|rows| self.gathered(rows)).collect()
    }

    /// Reads rows, and of each its amount as a total would count it.
    fn gathered(&self, rows: &mut [Row]) -> Result<Gathered, KeepingError> {
        let mut gathered = Gathered::with_room(rows.len());
        let rules = Rules { field_bytes_max: self.reading.tables.limits.field_bytes_max, allowed: self.reading.allowed };
        let (head, mut place) = (self.head, self.place());
        for row in rows {
            let carried = if self.reading.carries { self.carried.cells(row) } else { Vec::new() };
            head.rewrite(row);
            gathered.amounts.push(total::amount(row, head));
            gathered.malformed = gathered.malformed.saturating_add(u64::from(row.wrong.is_some()));
            (place.row, place.line) = (row.number, row.line);
            let item = Cells::checked(row, &head.columns, &place, rules).and_then(self.read_row);
            gathered.take(&place, item, &carried, self.now)?;
        }
        Ok(gathered)
    }

    fn place(&self) -> InputPlace {
        InputPlace { file: Arc::clone(&self.head.path), file_order: self.file_order, row: 0, line: 0 }
    }
}

/// Fills what is empty until the table ends, cannot be read on, or nobody takes it any more.
fn read_on(table: &mut Table, empty: &mpsc::Receiver<Vec<Row>>, filled: &mpsc::SyncSender<Batch>) {
    for mut batch in empty {
        batch.resize_with(BATCH_ROWS, Row::default);
        let count = table.fill(&mut batch);
        let is_last = !matches!(count, Ok(BATCH_ROWS));
        if filled.send((batch, count)).is_err() || is_last {
            break;
        }
    }
}

/// What was read of a file besides its rows, in words.
fn counted(counts: &RecordCounts, is_empty: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if is_empty {
        notes.push("has a header and no rows".into());
    }
    if counts.repeated > 0 {
        notes.push(format!("says its header again in {} lines, which are skipped", counts.repeated));
    }
    notes
}
