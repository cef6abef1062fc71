//! Across rows and files: what says the same twice collapses, what contradicts itself is refused on every side.
//!
//! Belongs here: comparing rows with each other, by digests of some bytes a row. Must not be here: anything about one row alone.
//! Neither the order of rows nor that of files decides what is valid; it only decides which of several equal rows stands for all.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::advice::InputFacts;
use super::fates::{Conflict, Fate, Fates, moved};
use super::gathered::{Compared, Gathered, NOTHING};
use super::judged::Input;
use super::kept_bill::KeptItem;
use super::place::InputPlace;
use super::refused_row::Note;
use crate::spool::{KeepingError, Spool};

/// Rows as they are read, in order.
#[derive(Default)]
pub(super) struct Harvest {
    kept: Spool,
    compared: Vec<Compared>,
    places: Fates,
    bad: u64,
    notes: Vec<Note>,
    /// Of each file: itself, and what its rows come to.
    files: Vec<(Arc<Path>, InputFacts)>,
    /// Rows that are no rows of their table.
    malformed: u64,
    /// How many rows there are.
    pub(super) rows: u64,
}

impl Harvest {
    /// Begins with the next file.
    pub(super) fn begin(&mut self, file: &Arc<Path>) {
        self.files.push((Arc::clone(file), InputFacts::default()));
    }

    pub(super) fn note(&mut self, file: &Arc<Path>, texts: Vec<String>) {
        self.notes.extend(texts.into_iter().map(|text| Note { file: Arc::clone(file), text }));
    }

    /// Takes the next rows.
    pub(super) fn extend(&mut self, gathered: Vec<Gathered>) -> Result<(), KeepingError> {
        let Some((_, sum)) = self.files.last_mut() else { return Err(KeepingError::of(&"rows came before their file")) };
        let (mut pieces, mut count) = (Vec::with_capacity(gathered.len()), 0_usize);
        for Gathered { bytes, count: rows, mut compared, runs, facts, bad, malformed, .. } in gathered {
            let first = self.kept.rows().saturating_add(count);
            for (at, place) in runs {
                self.places.stands(first.saturating_add(at), place);
            }
            for row in &mut compared {
                row.index = row.index.saturating_add(first);
            }
            self.compared.extend(compared);
            *sum = sum.and(facts);
            self.bad = self.bad.saturating_add(bad);
            self.malformed = self.malformed.saturating_add(malformed);
            pieces.push(bytes);
            count = count.saturating_add(rows);
        }
        self.rows = self.rows.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.kept.push(&pieces, count)
    }

    /// Compares all rows with each other.
    pub(super) fn sorted_out<T: KeptItem>(mut self, carried: Vec<String>, now: jiff::Timestamp) -> Result<Input<T>, KeepingError> {
        let mut compared = std::mem::take(&mut self.compared);
        let mut fates = compare_invoices(&mut compared);
        let rivals = compare_codes(compared, &mut fates);
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
            facts: InputFacts::default(),
            kept: self.kept,
            all_files,
            fates: self.places,
            kind: PhantomData,
        };
        input.name_rivals(&rivals)?;
        let mut sums: Vec<InputFacts> = self.files.iter().map(|(_, facts)| *facts).collect();
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
}

/// Equal rows of an invoice collapse into the first; if any row of it differs or is bad, all are refused.
fn compare_invoices(compared: &mut [Compared]) -> BTreeMap<usize, Fate> {
    let mut fates = BTreeMap::new();
    compared.par_sort_unstable_by(|left, right| left.number.cmp(&right.number).then(left.index.cmp(&right.index)));
    for group in compared.chunk_by(|left, right| left.number == right.number).filter(|group| group.len() > 1) {
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
fn compare_codes(mut compared: Vec<Compared>, fates: &mut BTreeMap<usize, Fate>) -> Vec<usize> {
    let mut rivals = Vec::new();
    compared.retain(|row| row.code != NOTHING);
    compared.par_sort_unstable_by(|left, right| left.code.cmp(&right.code).then(left.index.cmp(&right.index)));
    for group in compared.chunk_by(|left, right| left.code == right.code).filter(|group| group.len() > 1) {
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
    rivals.sort_unstable();
    rivals.dedup();
    rivals
}

impl<T: KeptItem> Input<T> {
    /// Items that were named one by one under `name`, as if they were the rows of a file.
    ///
    /// # Errors
    /// [`KeepingError`].
    pub fn of_items(name: &Path, items: Vec<T>, now: jiff::Timestamp) -> Result<Self, KeepingError> {
        let (file, mut harvest): (Arc<Path>, _) = (name.into(), Harvest::default());
        harvest.begin(&file);
        let (mut place, mut gathered) = (InputPlace { file, file_order: 0, row: 0, line: 0 }, Gathered::default());
        for item in items {
            place = moved(&place, 1);
            gathered.take(&place, Ok(item), &[], now)?;
        }
        harvest.extend(vec![gathered])?;
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
