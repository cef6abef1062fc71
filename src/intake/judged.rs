//! What was read, row by row, as often as it is needed: a part of the rows in memory at a time.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::advice::InputFacts;
use super::codes;
use super::fates::{Conflict, Fate, Fates};
use super::kept_bill::KeptItem;
use super::kept_row::{Head, Parted, given_back, item, read};
use super::place::InputPlace;
use super::refused_row::{Note, RefusedRow};
use crate::domain::bill::Bill;
use crate::domain::ids::InvoiceNumber;
use crate::spool::{KeepingError, Spool, SpooledPart, rows_of};

/// A row of the input, and whose it is: all that is told of one when a run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRow {
    /// Which of the rows it is, from 0.
    pub index: usize,
    /// Where it stands.
    pub place: InputPlace,
    /// What is carried through of it; see [`Judged::cells`].
    pub cells: Vec<Option<String>>,
    /// The number of its invoice, as far as it has one.
    pub invoice_number: Option<InvoiceNumber>,
    /// What it is.
    pub verdict: RowVerdict<()>,
}

/// A row of the input, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRow<T> {
    /// Which of the rows it is, from 0.
    pub index: usize,
    /// Where it stands.
    pub place: InputPlace,
    /// What is carried through of it, in the order of [`Input::carried`]; `None` where its file has no such column.
    pub cells: Vec<Option<String>>,
    /// What it is.
    pub verdict: RowVerdict<T>,
}

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowVerdict<T> {
    /// It can be used.
    Valid(T),
    /// It cannot, for these reasons.
    Refused(Vec<RefusedRow>),
    /// It says again what this one says.
    Duplicate(InputPlace),
}

impl<T> RowVerdict<T> {
    /// Why a row cannot be used, if so.
    #[must_use]
    pub fn refused(&self) -> &[RefusedRow] {
        match self {
            Self::Refused(reasons) => reasons,
            Self::Valid(_) | Self::Duplicate(_) => &[],
        }
    }
}

impl<T> InputRow<T> {
    /// The item of a row that can be used.
    #[must_use]
    pub const fn valid(&self) -> Option<&T> {
        match &self.verdict {
            RowVerdict::Valid(item) => Some(item),
            RowVerdict::Refused(_) | RowVerdict::Duplicate(_) => None,
        }
    }

    /// Why it cannot.
    #[must_use]
    pub fn refused(&self) -> &[RefusedRow] {
        self.verdict.refused()
    }
}

/// What files hold. The rows themselves are given by [`Input::parts`]; they are valid, refused or duplicates, each exactly one.
#[derive(Debug)]
pub struct Input<T> {
    /// How many rows were read, headers and blank rows not counted.
    pub rows: u64,
    /// How many can be used.
    pub valid: u64,
    /// How many cannot.
    pub refused: u64,
    /// How many say again what another says.
    pub duplicates: u64,
    /// Of all, those that are no rows of their table at all: another width, or no header claims them.
    pub malformed: u64,
    /// What a person should know besides.
    pub notes: Vec<Note>,
    /// The headers of the user's own columns that go through to the result files.
    pub carried: Vec<String>,
    /// The files that have rows, in their order.
    pub files: Vec<Arc<Path>>,
    /// What the valid rows come to.
    pub facts: InputFacts,
    pub(super) kept: Spool,
    pub(super) all_files: Vec<Arc<Path>>,
    pub(super) fates: Fates,
    pub(super) kind: std::marker::PhantomData<fn() -> T>,
}

/// The wanted state, as files give it.
pub type Intake = Input<Bill>;

impl<T: KeptItem> Input<T> {
    /// How many rows there are, for whoever keeps something for each.
    #[must_use]
    pub const fn row_count(&self) -> usize {
        self.kept.rows()
    }

    /// The rows whose index is `wanted`, in their order, some thousand at a time.
    pub fn parts<'s>(
        &'s self,
        wanted: impl Fn(usize) -> bool + Sync + 's,
    ) -> impl Iterator<Item = Result<Vec<InputRow<T>>, KeepingError>> + 's {
        self.kept.parts().iter().filter_map(move |part| {
            let is_wanted = (part.first..part.first.saturating_add(part.count)).any(&wanted);
            if is_wanted { Some(self.part(part, &wanted, |index, row| self.judged(index, row))) } else { None }
        })
    }

    /// Every row, in its order.
    ///
    /// # Errors
    /// [`KeepingError`], or what `visit` ends with.
    pub fn each<E: From<KeepingError>>(&self, mut visit: impl FnMut(InputRow<T>) -> Result<(), E>) -> Result<(), E> {
        for part in self.parts(|_| true) {
            part?.into_iter().try_for_each(&mut visit)?;
        }
        Ok(())
    }

    /// All rows as [`Told`], in their order, some thousand at a time.
    pub fn told(&self) -> impl Iterator<Item = Result<Vec<EndedRow>, KeepingError>> + '_ {
        self.kept.parts().iter().map(|part| self.part(part, &|_| true, |index, row| self.told_of(index, row)))
    }

    fn part<R: Send>(
        &self,
        part: &SpooledPart,
        wanted: &(dyn Fn(usize) -> bool + Sync),
        read: impl Fn(usize, &[u8]) -> Result<R, KeepingError> + Sync,
    ) -> Result<Vec<R>, KeepingError> {
        let bytes = self.kept.read(part)?;
        let rows = rows_of(&bytes);
        let read = rows.par_iter().enumerate().filter_map(|(at, row)| {
            let index = part.first.saturating_add(at);
            wanted(index).then(|| read(index, row))
        });
        read.collect()
    }

    fn judged(&self, index: usize, bytes: &[u8]) -> Result<InputRow<T>, KeepingError> {
        let parted = Parted::of(bytes)?;
        let place = self.place(&parted)?;
        let verdict = if parted.head.is_good {
            self.verdict(index, &place, item(parted.rest)?)?
        } else {
            RowVerdict::Refused(given_back(&place, parted.rest)?)
        };
        Ok(InputRow { index, cells: self.cells(&parted)?, place, verdict })
    }

    fn told_of(&self, index: usize, bytes: &[u8]) -> Result<EndedRow, KeepingError> {
        let parted = Parted::of(bytes)?;
        let (place, cells) = (self.place(&parted)?, self.cells(&parted)?);
        // What is simply used need not be read for this.
        let verdict = if parted.head.is_good && self.fates.of(index).is_none() {
            RowVerdict::Valid(())
        } else {
            match self.judged(index, bytes)?.verdict {
                RowVerdict::Valid(_) => RowVerdict::Valid(()),
                RowVerdict::Refused(reasons) => RowVerdict::Refused(reasons),
                RowVerdict::Duplicate(of) => RowVerdict::Duplicate(of),
            }
        };
        let number = match &verdict {
            RowVerdict::Valid(()) => Some(parted.number),
            RowVerdict::Refused(reasons) => reasons.first().and_then(|refused| refused.invoice_number.as_deref()),
            RowVerdict::Duplicate(_) => None,
        };
        let invoice_number = number.and_then(|number| InvoiceNumber::new(number).ok());
        Ok(EndedRow { index, place, cells, invoice_number, verdict })
    }

    fn place(&self, parted: &Parted<'_>) -> Result<InputPlace, KeepingError> {
        let Head { file, row, line, .. } = parted.head;
        let path = self.all_files.get(file).ok_or_else(|| KeepingError::of(&"a row is of no file"))?;
        Ok(InputPlace { file: Arc::clone(path), file_order: file, row, line })
    }

    fn cells(&self, parted: &Parted<'_>) -> Result<Vec<Option<String>>, KeepingError> {
        let mut carried = vec![None; self.carried.len()];
        let cells: Vec<(usize, String)> = if parted.cells.is_empty() { Vec::new() } else { read(parted.cells)? };
        for (header, text) in cells {
            if let Some(slot) = carried.get_mut(header) {
                *slot = Some(text);
            }
        }
        Ok(carried)
    }

    /// What comparing made of a row that is good in itself.
    fn verdict(&self, index: usize, place: &InputPlace, item: T) -> Result<RowVerdict<T>, KeepingError> {
        let elsewhere = |other: usize| self.fates.place(other).ok_or_else(|| KeepingError::of(&"a row is nowhere"));
        match self.fates.of(index) {
            None => Ok(RowVerdict::Valid(item)),
            Some(Fate::SameAs(first)) => Ok(RowVerdict::Duplicate(elsewhere(*first)?)),
            Some(Fate::Refused(conflicts)) => {
                let number = item.invoice_number().as_str();
                let refused = |conflict: &Conflict| -> Result<RefusedRow, KeepingError> {
                    let (column, value, code, reason) = match conflict {
                        Conflict::Invoice { against } => {
                            let reason = format!("{} speaks of this invoice too, and differs", elsewhere(*against)?);
                            ("invoice_number", number, codes::INVOICE_CONFLICT, reason)
                        }
                        Conflict::Code { rival, invoice_number } => {
                            let code = item.live_code().map_or("", crate::domain::ids::PaymentCode::as_str);
                            let reason = format!("{} asks for this code too, for invoice `{invoice_number}`", elsewhere(*rival)?);
                            ("payment_code", code, codes::PAYMENT_CODE_CONFLICT, reason)
                        }
                    };
                    let invoice_number = Some(number.to_owned());
                    Ok(RefusedRow { place: place.clone(), column: column.into(), value: value.into(), invoice_number, code, reason })
                };
                Ok(RowVerdict::Refused(conflicts.iter().map(refused).collect::<Result<_, _>>()?))
            }
        }
    }

    /// The item of a row that is good in itself, whatever comparing made of it.
    pub(super) fn items_at(&self, indexes: &[usize]) -> Result<Vec<(usize, usize, T)>, KeepingError> {
        let mut found = Vec::with_capacity(indexes.len());
        for part in self.kept.parts() {
            let from = indexes.partition_point(|index| *index < part.first);
            let to = indexes.partition_point(|index| *index < part.first.saturating_add(part.count));
            let Some(inside) = indexes.get(from..to).filter(|inside| !inside.is_empty()) else { continue };
            let bytes = self.kept.read(part)?;
            let rows = rows_of(&bytes);
            for &index in inside {
                let row = rows.get(index.saturating_sub(part.first)).copied().unwrap_or_default();
                let Parted { head, rest, .. } = Parted::of(row)?;
                if head.is_good {
                    found.push((index, head.file, item(rest)?));
                }
            }
        }
        Ok(found)
    }
}
