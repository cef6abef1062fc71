//! Across rows and files: what says the same twice collapses, what contradicts itself is refused on every side.
//!
//! Belongs here: comparing rows with each other, by digests of some bytes a row. Must not be here: anything about one row alone.
//! Neither the order of rows nor that of files decides what is valid; it only decides which of several equal rows stands for all.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::advice::Facts;
use super::columns::{Column, Columns};
use super::judged::{Input, bad_bytes, good_bytes};
use super::kept::{KeepingError, Spool};
use super::kept_bill::Item;
use super::total::Totals;
use super::{Note, Place, RefusedRow, codes};
use crate::domain::digest;

/// What two rows are compared by; half of a SHA-256, or 0 for nothing.
type Key = [u8; 16];

const NOTHING: Key = [0; 16];

fn key(bytes: &[u8]) -> Key {
    let [first, _] = digest::halves(&digest::of_bytes(bytes));
    first
}

/// A row that was read, in the bytes it is kept as.
pub(super) struct Taken {
    place: Place,
    bytes: Vec<u8>,
    number: Key,
    item: Key,
    code: Key,
    facts: Facts,
    is_bad: bool,
    /// Whether a cell that it must have is empty or missing.
    lacks: bool,
}

impl Taken {
    /// Takes a row as it was read.
    pub(super) fn of<T: Item>(
        place: Place,
        row: Result<T, Vec<RefusedRow>>,
        cells: &[(usize, String)],
        now: jiff::Timestamp,
    ) -> Result<Self, KeepingError> {
        match row {
            Ok(item) => {
                let bytes = item.to_bytes().map_err(|error| KeepingError::of(&error))?;
                Ok(Self {
                    number: key(item.invoice_number().as_str().as_bytes()),
                    item: key(&bytes),
                    code: item.live_code().map_or(NOTHING, |code| key(code.as_str().as_bytes())),
                    facts: item.facts(now),
                    is_bad: false,
                    lacks: false,
                    bytes: good_bytes(&place, item.invoice_number().as_str(), &bytes, cells)?,
                    place,
                })
            }
            Err(reasons) => {
                let number = reasons.first().and_then(|refused| refused.invoice_number.as_deref());
                let lacks = |refused: &RefusedRow| [codes::CELL_EMPTY, codes::CELL_COUNT].contains(&refused.code);
                Ok(Self {
                    number: number.map_or(NOTHING, |number| key(number.as_bytes())),
                    item: NOTHING,
                    code: NOTHING,
                    facts: Facts::default(),
                    is_bad: true,
                    lacks: reasons.iter().any(lacks),
                    bytes: bad_bytes(&place, &reasons, cells)?,
                    place,
                })
            }
        }
    }
}

/// What a row is compared by, and which it is.
struct Compared {
    index: usize,
    number: Key,
    item: Key,
    code: Key,
    is_bad: bool,
}

/// What becomes of a row that is good in itself, where it is not simply used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    SameAs(usize),
    Refused(Vec<Conflict>),
}

/// Two rows that cannot both be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    Invoice { against: usize },
    Code { rival: usize, invoice_number: String },
}

/// Rows that follow each other line by line.
#[derive(Clone, Debug)]
struct Run {
    index: usize,
    place: Place,
}

/// What comparing made of the rows, and where rows stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Fates {
    fates: BTreeMap<usize, Fate>,
    runs: Vec<Run>,
}

impl Fates {
    pub(super) fn of(&self, index: usize) -> Option<&Fate> {
        if self.fates.is_empty() { None } else { self.fates.get(&index) }
    }

    /// Where a row stands.
    pub(super) fn place(&self, index: usize) -> Option<Place> {
        let run = self.runs.get(self.runs.partition_point(|run| run.index <= index).checked_sub(1)?)?;
        Some(moved(&run.place, index.saturating_sub(run.index)))
    }

    /// Notes where the next row stands.
    fn stands(&mut self, index: usize, place: &Place) {
        let follows = |run: &Run| moved(&run.place, index.saturating_sub(run.index)) == *place;
        if !self.runs.last().is_some_and(follows) {
            self.runs.push(Run { index, place: place.clone() });
        }
    }
}

/// The place so many rows and lines further down.
fn moved(place: &Place, by: usize) -> Place {
    let by = u64::try_from(by).unwrap_or(u64::MAX);
    Place { row: place.row.saturating_add(by), line: place.line.saturating_add(by), ..place.clone() }
}

/// Rows as they are read, in order.
#[derive(Default)]
pub(super) struct Harvest {
    kept: Spool,
    compared: Vec<Compared>,
    places: Fates,
    /// The last row: whether it is a total is known at the end of its file only.
    last: Option<Taken>,
    bad: u64,
    notes: Vec<Note>,
    /// Of each file: itself, and what its rows come to.
    files: Vec<(Arc<Path>, Facts)>,
    /// Rows that are no rows of their table.
    pub(super) malformed: u64,
    /// How many rows there are, also the last.
    pub(super) rows: u64,
}

impl Harvest {
    /// Begins with the next file.
    pub(super) fn begin(&mut self, file: &Arc<Path>) {
        self.files.push((Arc::clone(file), Facts::default()));
    }

    pub(super) fn note(&mut self, file: &Arc<Path>, texts: Vec<String>) {
        self.notes.extend(texts.into_iter().map(|text| Note { file: Arc::clone(file), text }));
    }

    pub(super) fn extend(&mut self, taken: Vec<Taken>) -> Result<(), KeepingError> {
        self.rows = self.rows.saturating_add(u64::try_from(taken.len()).unwrap_or(u64::MAX));
        let mut taken: Vec<Taken> = self.last.take().into_iter().chain(taken).collect();
        self.last = taken.pop();
        self.keep(taken)
    }

    fn keep(&mut self, taken: Vec<Taken>) -> Result<(), KeepingError> {
        let mut rows = Vec::with_capacity(taken.len());
        for (index, row) in (self.kept.rows()..).zip(taken) {
            let Taken { place, bytes, number, item, code, facts, is_bad, lacks: _ } = row;
            self.places.stands(index, &place);
            self.bad = self.bad.saturating_add(u64::from(is_bad));
            if let Some((_, sum)) = self.files.last_mut() {
                *sum = sum.and(facts);
            }
            if !is_bad || number != NOTHING {
                self.compared.push(Compared { index, number, item, code, is_bad });
            }
            rows.push(bytes);
        }
        self.kept.push(&rows)
    }

    /// Ends a file: its last row is refused as a total, if it is one.
    pub(super) fn end(&mut self, totals: &Totals, columns: &Columns) -> Result<(), KeepingError> {
        let Some(last) = self.last.take() else { return Ok(()) };
        let last = if totals.ends_in_total(last.lacks) {
            let column = columns.index(Column::Amount).map_or_else(String::new, |index| columns.header(index).to_owned());
            let reason = "it is the sum of rows above it, so the row is a total and no bill".to_owned();
            let place = last.place.clone();
            let refused = RefusedRow { place, column, value: String::new(), invoice_number: None, code: codes::TOTAL_ROW, reason };
            let bytes = bad_bytes(&last.place, &[refused], &[])?;
            Taken { bytes, number: NOTHING, item: NOTHING, code: NOTHING, facts: Facts::default(), is_bad: true, ..last }
        } else {
            last
        };
        self.keep(vec![last])
    }

    /// Compares all rows with each other.
    pub(super) fn sorted_out<T: Item>(mut self, carried: Vec<String>, now: jiff::Timestamp) -> Result<Input<T>, KeepingError> {
        let mut fates = self.compare_invoices();
        let rivals = self.compare_codes(&mut fates);
        let rows = u64::try_from(self.kept.rows()).unwrap_or(u64::MAX);
        self.places.fates = fates;
        let all_files: Vec<Arc<Path>> = self.files.iter().map(|(file, _)| Arc::clone(file)).collect();
        let mut with_rows: Vec<usize> = self.places.runs.iter().map(|run| run.place.file_order).collect();
        with_rows.dedup();
        let mut input = Input::<T> {
            rows,
            valid: 0,
            refused: self.bad,
            duplicates: 0,
            malformed: self.malformed,
            notes: self.notes,
            carried,
            files: with_rows.into_iter().filter_map(|order| all_files.get(order).cloned()).collect(),
            facts: Facts::default(),
            kept: self.kept,
            all_files,
            fates: self.places,
            kind: PhantomData,
        };
        input.name_rivals(&rivals)?;
        let mut sums: Vec<Facts> = self.files.iter().map(|(_, facts)| *facts).collect();
        let unused: Vec<usize> = input.fates.fates.keys().copied().collect();
        for (_, file, item) in input.items_at(&unused)? {
            if let Some(sum) = sums.get_mut(file) {
                *sum = sum.without(item.facts(now));
            }
        }
        for fate in input.fates.fates.values() {
            let slot = if matches!(fate, Fate::SameAs(_)) { &mut input.duplicates } else { &mut input.refused };
            *slot = slot.saturating_add(1);
        }
        input.valid = rows.saturating_sub(input.refused).saturating_sub(input.duplicates);
        for ((file, _), sum) in self.files.iter().zip(sums) {
            input.notes.extend(sum.notes(file));
            input.facts = input.facts.and(sum);
        }
        Ok(input)
    }

    /// Equal rows of an invoice collapse into the first; if any row of it differs or is bad, all are refused.
    fn compare_invoices(&mut self) -> BTreeMap<usize, Fate> {
        let mut fates = BTreeMap::new();
        self.compared.par_sort_unstable_by(|left, right| left.number.cmp(&right.number).then(left.index.cmp(&right.index)));
        for group in self.compared.chunk_by(|left, right| left.number == right.number).filter(|group| group.len() > 1) {
            let mut good = group.iter().filter(|row| !row.is_bad);
            let Some(first) = good.next() else { continue };
            let bad = group.iter().find(|row| row.is_bad);
            let differing = good.clone().find(|row| row.item != first.item);
            let Some(against_first) = differing.or(bad).map(|row| row.index) else {
                fates.extend(good.map(|other| (other.index, Fate::SameAs(first.index))));
                continue;
            };
            for row in group.iter().filter(|row| !row.is_bad) {
                let against = if row.item == first.item { against_first } else { first.index };
                fates.insert(row.index, Fate::Refused(vec![Conflict::Invoice { against }]));
            }
        }
        fates
    }

    /// A code that two invoices want live is refused to both. One that moves from a cancelled invoice to another is not
    /// wanted live by the first, so it is no conflict. Gives the rows that stand in another's way.
    fn compare_codes(&mut self, fates: &mut BTreeMap<usize, Fate>) -> Vec<usize> {
        let mut rivals = Vec::new();
        self.compared.retain(|row| row.code != NOTHING);
        self.compared.par_sort_unstable_by(|left, right| left.code.cmp(&right.code).then(left.index.cmp(&right.index)));
        for group in self.compared.chunk_by(|left, right| left.code == right.code).filter(|group| group.len() > 1) {
            for row in group {
                let Some(rival) = group.iter().find(|rival| rival.number != row.number) else { break };
                let conflict = Conflict::Code { rival: rival.index, invoice_number: String::new() };
                rivals.push(rival.index);
                match fates.entry(row.index).or_insert_with(|| Fate::Refused(Vec::new())) {
                    Fate::Refused(conflicts) => conflicts.push(conflict),
                    Fate::SameAs(_) => {}
                }
            }
        }
        // They are not needed any more, and a million rows' are fifty megabytes.
        self.compared = Vec::new();
        rivals.sort_unstable();
        rivals.dedup();
        rivals
    }
}

impl<T: Item> Input<T> {
    /// Items that were named one by one under `name`, as if they were the rows of a file.
    ///
    /// # Errors
    /// [`KeepingError`].
    pub fn of_items(name: &Path, items: Vec<T>, now: jiff::Timestamp) -> Result<Self, KeepingError> {
        let (file, mut harvest): (Arc<Path>, _) = (name.into(), Harvest::default());
        harvest.begin(&file);
        let place = |row: u64| Place { file: Arc::clone(&file), file_order: 0, row, line: row };
        let taken = (1..).zip(items).map(|(row, item)| Taken::of(place(row), Ok(item), &[], now));
        harvest.extend(taken.collect::<Result<_, _>>()?)?;
        let last: Vec<Taken> = harvest.last.take().into_iter().collect();
        harvest.keep(last)?;
        harvest.sorted_out(Vec::new(), now)
    }

    /// Puts the invoices' names to the rows that stand in another's way.
    fn name_rivals(&mut self, rivals: &[usize]) -> Result<(), KeepingError> {
        let names: BTreeMap<usize, String> =
            self.items_at(rivals)?.into_iter().map(|(index, _, item)| (index, item.invoice_number().as_str().to_owned())).collect();
        if names.is_empty() {
            return Ok(());
        }
        for fate in self.fates.fates.values_mut() {
            let Fate::Refused(conflicts) = fate else { continue };
            for conflict in conflicts {
                if let Conflict::Code { rival, invoice_number } = conflict {
                    let name = names.get(rival).cloned();
                    *invoice_number = name.ok_or_else(|| KeepingError::of(&"a row that stands in another's way has no invoice"))?;
                }
            }
        }
        Ok(())
    }
}
