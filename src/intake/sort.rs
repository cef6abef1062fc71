//! Across rows and files: what says the same twice collapses, what contradicts itself is refused on every side.
//!
//! Belongs here: comparing rows with each other. Must not be here: anything about one row alone. Neither the order of rows
//! nor that of files decides what is valid; it only decides which of several equal rows stands for all.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::advice::live_terms;
use super::carried::Carried;
use super::columns::{Column, Columns};
use super::total::Totals;
use super::{Duplicate, Input, Note, Place, RefusedRow, Sourced, codes};
use crate::domain::bill::Bill;
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// What rows are compared by.
pub(super) trait Keyed {
    /// Whose row it is.
    fn invoice_number(&self) -> &InvoiceNumber;
    /// The code it wants to be live.
    fn live_code(&self) -> Option<&PaymentCode>;
}

impl Keyed for Bill {
    fn invoice_number(&self) -> &InvoiceNumber {
        &self.invoice_number
    }

    fn live_code(&self) -> Option<&PaymentCode> {
        live_terms(self)?.payment_code.as_ref()
    }
}

/// Rows as they were read, in order.
pub(super) struct Harvest<T> {
    good: Vec<Sourced<T>>,
    bad: Vec<Vec<RefusedRow>>,
    notes: Vec<Note>,
    /// Rows that are no rows of their table.
    pub(super) malformed: u64,
    /// Cells of the user's own columns.
    pub(super) carried: Carried,
}

impl<T> Default for Harvest<T> {
    fn default() -> Self {
        Self { good: Vec::new(), bad: Vec::new(), notes: Vec::new(), malformed: 0, carried: Carried::default() }
    }
}

/// What becomes of a row that is good in itself.
enum Fate {
    Kept,
    SameAs(usize),
    Refused(Vec<RefusedRow>),
}

impl<T> Harvest<T> {
    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.good.len().saturating_add(self.bad.len())).unwrap_or(u64::MAX)
    }

    pub(super) fn note(&mut self, file: &Arc<Path>, texts: Vec<String>) {
        self.notes.extend(texts.into_iter().map(|text| Note { file: Arc::clone(file), text }));
    }

    pub(super) fn extend(&mut self, rows: Vec<(Place, Result<T, Vec<RefusedRow>>)>) {
        for (place, row) in rows {
            match row {
                Ok(item) => self.good.push(Sourced { place, item }),
                Err(refused) => self.bad.push(refused),
            }
        }
    }
}

impl<T> Harvest<T> {
    /// Refuses the last row as a total, if it is one.
    pub(super) fn refuse_total(&mut self, totals: &Totals, columns: &Columns) {
        let good = self.good.last().map(|row| row.place.clone());
        let bad = self.bad.last().and_then(|reasons| reasons.first()).map(|refused| refused.place.clone());
        let order = |place: &Option<Place>| place.as_ref().map(Place::order);
        let is_bad = order(&bad) > order(&good);
        let lacks =
            |reasons: &Vec<RefusedRow>| reasons.iter().any(|refused| [codes::CELL_EMPTY, codes::CELL_COUNT].contains(&refused.code));
        let does_lack = is_bad && self.bad.last().is_some_and(lacks);
        let Some(place) = (if is_bad { bad } else { good }).filter(|_| totals.ends_in_total(does_lack)) else { return };
        if is_bad {
            self.bad.pop();
        } else {
            self.good.pop();
        }
        let column = columns.index(Column::Amount).map_or_else(String::new, |index| columns.header(index).to_owned());
        let reason = "it is the sum of rows above it, so the row is a total and no bill".to_owned();
        self.bad.push(vec![RefusedRow { place, column, value: String::new(), invoice_number: None, code: codes::TOTAL_ROW, reason }]);
    }
}

impl<T: Keyed + PartialEq + Sync> Harvest<T> {
    /// Compares all rows with each other.
    pub(super) fn sorted_out(self) -> Input<T> {
        let rows = self.rows();
        let mut fates: Vec<Fate> = self.good.iter().map(|_| Fate::Kept).collect();
        self.compare_invoices(&mut fates);
        self.compare_codes(&mut fates);
        let mut input = Input {
            valid: Vec::new(),
            refused: Vec::new(),
            refused_row_count: u64::try_from(self.bad.len()).unwrap_or(u64::MAX),
            duplicates: Vec::new(),
            rows,
            malformed: self.malformed,
            notes: self.notes,
            carried: self.carried,
        };
        for (index, fate) in fates.iter().enumerate() {
            if let (Fate::SameAs(first), Some(row)) = (fate, self.good.get(index)) {
                let of = self.good.get(*first).unwrap_or(row).place.clone();
                input.duplicates.push(Duplicate { place: row.place.clone(), of });
            }
        }
        input.refused.extend(self.bad.into_iter().flatten());
        // In place: a second list of the rows would double what they take.
        input.valid = self.good;
        let mut fates = fates.into_iter();
        input.valid.retain(|_| match fates.next() {
            Some(Fate::Kept) => true,
            Some(Fate::Refused(reasons)) => {
                input.refused_row_count = input.refused_row_count.saturating_add(1);
                input.refused.extend(reasons);
                false
            }
            Some(Fate::SameAs(_)) | None => false,
        });
        input.refused.sort_by_key(|refused| refused.place.order());
        input
    }

    /// Equal rows of an invoice collapse into the first; if any row of it differs or is bad, all are refused.
    fn compare_invoices(&self, fates: &mut [Fate]) {
        let mut bad: HashMap<&str, &Place> = HashMap::new();
        for refused in self.bad.iter().filter_map(|reasons| reasons.first()) {
            if let Some(number) = &refused.invoice_number {
                bad.entry(number).or_insert(&refused.place);
            }
        }
        let key = |&index: &usize| self.good.get(index).map(|row| row.item.invoice_number().as_str());
        let mut order: Vec<usize> = (0..self.good.len()).collect();
        order.par_sort_unstable_by(|left, right| key(left).cmp(&key(right)).then(left.cmp(right)));
        for group in order.chunk_by(|left, right| key(left) == key(right)) {
            let Some((&first, others)) = group.split_first() else { continue };
            let Some(first_row) = self.good.get(first) else { continue };
            let bad_place = bad.get(first_row.item.invoice_number().as_str()).copied();
            let differing = others.iter().filter_map(|&other| self.good.get(other)).find(|row| row.item != first_row.item);
            let Some(against_first) = differing.map(|row| &row.place).or(bad_place) else {
                for &other in others {
                    set(fates, other, Fate::SameAs(first));
                }
                continue;
            };
            for &index in group {
                let Some(row) = self.good.get(index) else { continue };
                let against = if row.item == first_row.item { against_first } else { &first_row.place };
                let reason = format!("{against} speaks of this invoice too, and differs");
                let number = row.item.invoice_number().as_str();
                set(fates, index, Fate::Refused(vec![refusal(row, "invoice_number", number, codes::INVOICE_CONFLICT, reason)]));
            }
        }
    }

    /// A code that two invoices want live is refused to both. One that moves from a cancelled invoice to another is not
    /// wanted live by the first, so it is no conflict.
    fn compare_codes(&self, fates: &mut [Fate]) {
        let key = |&index: &usize| self.good.get(index).and_then(|row| row.item.live_code()).map(PaymentCode::as_str);
        let mut order: Vec<usize> = (0..self.good.len()).filter(|index| key(index).is_some()).collect();
        order.par_sort_unstable_by(|left, right| key(left).cmp(&key(right)).then(left.cmp(right)));
        for group in order.chunk_by(|left, right| key(left) == key(right)) {
            let rows = || group.iter().filter_map(|&index| self.good.get(index).map(|row| (index, row)));
            for (index, row) in rows() {
                let rival = rows().find(|(_, rival)| rival.item.invoice_number() != row.item.invoice_number());
                let Some((_, rival)) = rival else { break };
                let reason = format!("{} asks for this code too, for invoice `{}`", rival.place, rival.item.invoice_number());
                let code = row.item.live_code().map_or("", PaymentCode::as_str);
                let refused = refusal(row, "payment_code", code, codes::PAYMENT_CODE_CONFLICT, reason);
                match fates.get_mut(index) {
                    Some(Fate::Refused(reasons)) => reasons.push(refused),
                    Some(fate @ Fate::Kept) => *fate = Fate::Refused(vec![refused]),
                    Some(Fate::SameAs(_)) | None => {}
                }
            }
        }
    }
}

fn set(fates: &mut [Fate], index: usize, fate: Fate) {
    if let Some(slot) = fates.get_mut(index) {
        *slot = fate;
    }
}

fn refusal<T: Keyed>(row: &Sourced<T>, column: &str, value: &str, code: crate::domain::code::Code, reason: String) -> RefusedRow {
    let invoice_number = Some(row.item.invoice_number().as_str().to_owned());
    RefusedRow { place: row.place.clone(), column: column.into(), value: value.into(), invoice_number, code, reason }
}
