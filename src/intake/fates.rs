//! Where rows stand, and what comparing them with each other made of them.

use std::collections::BTreeMap;

use super::place::InputPlace;

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
pub(super) struct Run {
    index: usize,
    pub(super) place: InputPlace,
}

/// What comparing made of the rows, and where rows stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Fates {
    pub(super) fates: BTreeMap<usize, Fate>,
    pub(super) runs: Vec<Run>,
}

impl Fates {
    pub(super) fn of(&self, index: usize) -> Option<&Fate> {
        if self.fates.is_empty() { None } else { self.fates.get(&index) }
    }

    /// Where a row stands.
    pub(super) fn place(&self, index: usize) -> Option<InputPlace> {
        let run = self.runs.get(self.runs.partition_point(|run| run.index <= index).checked_sub(1)?)?;
        Some(moved(&run.place, index.saturating_sub(run.index)))
    }

    /// Notes where the next row stands.
    pub(super) fn stands(&mut self, index: usize, place: InputPlace) {
        let follows = |run: &Run| moved(&run.place, index.saturating_sub(run.index)) == place;
        if !self.runs.last().is_some_and(follows) {
            self.runs.push(Run { index, place });
        }
    }
}

/// The place so many rows and lines further down.
pub(super) fn moved(place: &InputPlace, by: usize) -> InputPlace {
    let by = u64::try_from(by).unwrap_or(u64::MAX);
    InputPlace { row: place.row.saturating_add(by), line: place.line.saturating_add(by), ..place.clone() }
}
