//! What was read, row by row, as often as it is needed: a part of the rows in memory at a time.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::advice::Facts;
use super::kept::{KeepingError, Part, Spool, rows_of};
use super::kept_bill::Item;
use super::sort::{Conflict, Fate, Fates};
use super::{Note, Place, RefusedRow, codes};
use crate::domain::bill::Bill;
use crate::domain::code::Code;

/// A row as it is kept: its place, what it is, and the cells that are carried through.
#[derive(Serialize, Deserialize)]
struct KeptRow<'a> {
    file: usize,
    row: u64,
    line: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    item: Option<&'a serde_json::value::RawValue>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<KeptRefusal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cells: Vec<(usize, String)>,
}

#[derive(Serialize, Deserialize)]
struct KeptRefusal {
    column: String,
    value: String,
    invoice_number: Option<String>,
    code: String,
    reason: String,
}

/// The bytes of a row that is good in itself.
pub(super) fn good_bytes(place: &Place, item: &[u8], cells: Vec<(usize, String)>) -> Result<Vec<u8>, KeepingError> {
    let item = str::from_utf8(item).map_err(|error| KeepingError::of(&error))?;
    let item: &serde_json::value::RawValue = serde_json::from_str(item).map_err(|error| KeepingError::of(&error))?;
    bytes(&KeptRow { file: place.file_order, row: place.row, line: place.line, item: Some(item), refused: Vec::new(), cells })
}

/// The bytes of a row that is not.
pub(super) fn bad_bytes(place: &Place, reasons: &[RefusedRow], cells: Vec<(usize, String)>) -> Result<Vec<u8>, KeepingError> {
    let kept = |refused: &RefusedRow| KeptRefusal {
        column: refused.column.clone(),
        value: refused.value.clone(),
        invoice_number: refused.invoice_number.clone(),
        code: refused.code.id.to_owned(),
        reason: refused.reason.clone(),
    };
    let refused = reasons.iter().map(kept).collect();
    bytes(&KeptRow { file: place.file_order, row: place.row, line: place.line, item: None, refused, cells })
}

fn bytes(row: &KeptRow<'_>) -> Result<Vec<u8>, KeepingError> {
    serde_json::to_vec(row).map_err(|error| KeepingError::of(&error))
}

/// A row of the input, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<T> {
    /// Which of the rows it is, from 0.
    pub index: usize,
    /// Where it stands.
    pub place: Place,
    /// What is carried through of it, in the order of [`Input::carried`]; `None` where its file has no such column.
    pub cells: Vec<Option<String>>,
    /// What it is.
    pub verdict: Verdict<T>,
}

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It can be used.
    Valid(T),
    /// It cannot, for these reasons.
    Refused(Vec<RefusedRow>),
    /// It says again what this one says.
    Duplicate(Place),
}

impl<T> Judged<T> {
    /// The item of a row that can be used.
    #[must_use]
    pub const fn valid(&self) -> Option<&T> {
        match &self.verdict {
            Verdict::Valid(item) => Some(item),
            Verdict::Refused(_) | Verdict::Duplicate(_) => None,
        }
    }

    /// Why it cannot.
    #[must_use]
    pub fn refused(&self) -> &[RefusedRow] {
        match &self.verdict {
            Verdict::Refused(reasons) => reasons,
            Verdict::Valid(_) | Verdict::Duplicate(_) => &[],
        }
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
    pub facts: Facts,
    pub(super) kept: Spool,
    pub(super) all_files: Vec<Arc<Path>>,
    pub(super) fates: Fates,
    pub(super) kind: std::marker::PhantomData<fn() -> T>,
}

/// The wanted state, as files give it.
pub type Intake = Input<Bill>;

impl<T: Item> Input<T> {
    /// How many rows there are, for whoever keeps something for each.
    #[must_use]
    pub const fn row_count(&self) -> usize {
        self.kept.rows()
    }

    /// The rows whose index is `wanted`, in their order, some thousand at a time.
    pub fn parts<'s>(
        &'s self,
        wanted: impl Fn(usize) -> bool + Sync + 's,
    ) -> impl Iterator<Item = Result<Vec<Judged<T>>, KeepingError>> + 's {
        self.kept.parts().iter().filter_map(move |part| {
            let is_wanted = (part.first..part.first.saturating_add(part.count)).any(&wanted);
            if is_wanted { Some(self.part(part, &wanted)) } else { None }
        })
    }

    /// Every row, in its order.
    ///
    /// # Errors
    /// [`KeepingError`], or what `visit` ends with.
    pub fn each<E: From<KeepingError>>(&self, mut visit: impl FnMut(Judged<T>) -> Result<(), E>) -> Result<(), E> {
        for part in self.parts(|_| true) {
            part?.into_iter().try_for_each(&mut visit)?;
        }
        Ok(())
    }

    fn part(&self, part: &Part, wanted: &(dyn Fn(usize) -> bool + Sync)) -> Result<Vec<Judged<T>>, KeepingError> {
        let bytes = self.kept.read(part)?;
        let rows = rows_of(&bytes);
        let judged = rows.par_iter().enumerate().filter_map(|(at, row)| {
            let index = part.first.saturating_add(at);
            wanted(index).then(|| self.judged(index, row))
        });
        judged.collect()
    }

    fn judged(&self, index: usize, bytes: &[u8]) -> Result<Judged<T>, KeepingError> {
        let KeptRow { file, row, line, item, refused, cells } = serde_json::from_slice(bytes).map_err(|error| KeepingError::of(&error))?;
        let path = self.all_files.get(file).ok_or_else(|| KeepingError::of(&"a row is of no file"))?;
        let place = Place { file: Arc::clone(path), file_order: file, row, line };
        let mut carried = vec![None; self.carried.len()];
        for (header, text) in cells {
            if let Some(slot) = carried.get_mut(header) {
                *slot = Some(text);
            }
        }
        let verdict = match item {
            None => Verdict::Refused(refused.into_iter().map(|refused| given_back(&place, refused)).collect()),
            Some(item) => {
                let item = T::from_bytes(item.get().as_bytes()).map_err(|error| KeepingError::of(&error))?;
                self.verdict(index, &place, item)?
            }
        };
        Ok(Judged { index, place, cells: carried, verdict })
    }

    /// What comparing made of a row that is good in itself.
    fn verdict(&self, index: usize, place: &Place, item: T) -> Result<Verdict<T>, KeepingError> {
        let elsewhere = |other: usize| self.fates.place(other).ok_or_else(|| KeepingError::of(&"a row is nowhere"));
        match self.fates.of(index) {
            None => Ok(Verdict::Valid(item)),
            Some(Fate::SameAs(first)) => Ok(Verdict::Duplicate(elsewhere(*first)?)),
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
                Ok(Verdict::Refused(conflicts.iter().map(refused).collect::<Result<_, _>>()?))
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
                let row: KeptRow<'_> = serde_json::from_slice(row).map_err(|error| KeepingError::of(&error))?;
                let Some(item) = row.item else { continue };
                found.push((index, row.file, T::from_bytes(item.get().as_bytes()).map_err(|error| KeepingError::of(&error))?));
            }
        }
        Ok(found)
    }
}

fn given_back(place: &Place, refused: KeptRefusal) -> RefusedRow {
    let KeptRefusal { column, value, invoice_number, code, reason } = refused;
    RefusedRow { place: place.clone(), column, value, invoice_number, code: code_of(&code), reason }
}

/// The code of this id; rows are refused by codes of this layer and of tables only.
fn code_of(id: &str) -> Code {
    let known = codes::ALL.iter().chain(crate::table::codes::ALL).find(|code| code.id == id);
    known.copied().unwrap_or(codes::CELL_COUNT)
}
