//! A row as it is kept: where it stands, what is carried through of it, and its item or why there is none.
//!
//! Belongs here: the form of such rows. Must not be here: where they are kept (`kept`), what comparing made of them (`judged`).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::codes;
use super::kept_bill::KeptItem;
use super::place::InputPlace;
use super::refused_row::RefusedRow;
use crate::domain::code::StableCode;
use crate::spool::{KeepingError, row_begins, row_ends};

/// Where a row stands, and what its bytes are: in front of them.
pub(super) struct Head {
    pub(super) file: usize,
    pub(super) row: u64,
    pub(super) line: u64,
    pub(super) is_good: bool,
    cells_length: usize,
    /// Of a row that is good in itself: how long its invoice number is, which comes first.
    pub(super) number_length: usize,
}

impl Head {
    fn write(&self, bytes: &mut Vec<u8>) {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
        bytes.extend_from_slice(&narrow(self.file));
        bytes.extend_from_slice(&self.row.to_be_bytes());
        bytes.extend_from_slice(&self.line.to_be_bytes());
        bytes.push(self.is_good.into());
        bytes.extend_from_slice(&narrow(self.cells_length));
        bytes.extend_from_slice(&narrow(self.number_length));
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (file, rest) = bytes.split_first_chunk::<4>()?;
        let (row, rest) = rest.split_first_chunk::<8>()?;
        let (line, rest) = rest.split_first_chunk::<8>()?;
        let (is_good, rest) = rest.split_first()?;
        let (cells_length, rest) = rest.split_first_chunk::<4>()?;
        let (number_length, rest) = rest.split_first_chunk::<4>()?;
        let wide = |number: [u8; 4]| usize::try_from(u32::from_be_bytes(number)).ok();
        let head = Self {
            file: wide(*file)?,
            row: u64::from_be_bytes(*row),
            line: u64::from_be_bytes(*line),
            is_good: *is_good == 1,
            cells_length: wide(*cells_length)?,
            number_length: wide(*number_length)?,
        };
        Some((head, rest))
    }
}

/// A row in its parts.
pub(super) struct Parted<'b> {
    pub(super) head: Head,
    pub(super) number: &'b str,
    pub(super) cells: &'b [u8],
    pub(super) rest: &'b [u8],
}

impl<'b> Parted<'b> {
    pub(super) fn of(bytes: &'b [u8]) -> Result<Self, KeepingError> {
        let parts = || {
            let (head, rest) = Head::read(bytes)?;
            let (number, rest) = rest.split_at_checked(head.number_length)?;
            let (cells, rest) = rest.split_at_checked(head.cells_length)?;
            Some(Self { head, number: str::from_utf8(number).ok()?, cells, rest })
        };
        parts().ok_or_else(|| KeepingError::of(&"a row is not as it was kept"))
    }
}

#[derive(Serialize, Deserialize)]
struct KeptRefusal<'a> {
    column: Cow<'a, str>,
    value: Cow<'a, str>,
    invoice_number: Option<Cow<'a, str>>,
    code: Cow<'a, str>,
    reason: Cow<'a, str>,
}

/// Puts a row that is good in itself behind what is there; gives where the bytes of its item begin.
pub(super) fn put_good<T: KeptItem>(
    bytes: &mut Vec<u8>,
    place: &InputPlace,
    item: &T,
    cells: &[(usize, String)],
) -> Result<usize, KeepingError> {
    let number = item.invoice_number().as_str();
    let (start, at) = begin(bytes, place, Some(number), cells)?;
    item.write(bytes);
    row_ends(bytes, start);
    Ok(at)
}

/// Puts a row that is not behind what is there.
pub(super) fn put_bad(
    bytes: &mut Vec<u8>,
    place: &InputPlace,
    reasons: &[RefusedRow],
    cells: &[(usize, String)],
) -> Result<(), KeepingError> {
    let kept = |refused: &'_ RefusedRow| KeptRefusal {
        column: Cow::Owned(refused.column.clone()),
        value: Cow::Owned(refused.value.clone()),
        invoice_number: refused.invoice_number.clone().map(Cow::Owned),
        code: Cow::Borrowed(refused.code.id),
        reason: Cow::Owned(refused.reason.clone()),
    };
    let refused: Vec<KeptRefusal<'_>> = reasons.iter().map(kept).collect();
    let (start, _) = begin(bytes, place, None, cells)?;
    serde_json::to_writer(&mut *bytes, &refused).map_err(|error| KeepingError::of(&error))?;
    row_ends(bytes, start);
    Ok(())
}

/// Where the row begins, and where the rest of it does.
fn begin(bytes: &mut Vec<u8>, place: &InputPlace, number: Option<&str>, cells: &[(usize, String)]) -> Result<(usize, usize), KeepingError> {
    let (is_good, number) = (number.is_some(), number.unwrap_or_default());
    let cells = if cells.is_empty() { Vec::new() } else { serde_json::to_vec(cells).map_err(|error| KeepingError::of(&error))? };
    let (cells_length, number_length) = (cells.len(), number.len());
    let start = row_begins(bytes);
    Head { file: place.file_order, row: place.row, line: place.line, is_good, cells_length, number_length }.write(bytes);
    bytes.extend_from_slice(number.as_bytes());
    bytes.extend_from_slice(&cells);
    Ok((start, bytes.len()))
}

/// The item of a row that is good in itself.
pub(super) fn item<T: KeptItem>(bytes: &[u8]) -> Result<T, KeepingError> {
    T::read(bytes).ok_or_else(|| KeepingError::of(&"an item is not as it was kept"))
}

/// What was kept as JSON.
pub(super) fn read<'b, R: Deserialize<'b>>(bytes: &'b [u8]) -> Result<R, KeepingError> {
    serde_json::from_slice(bytes).map_err(|error| KeepingError::of(&error))
}

/// Why a row is none.
pub(super) fn given_back(place: &InputPlace, bytes: &[u8]) -> Result<Vec<RefusedRow>, KeepingError> {
    let kept: Vec<KeptRefusal<'_>> = read(bytes)?;
    let given_back = |KeptRefusal { column, value, invoice_number, code, reason }: KeptRefusal<'_>| {
        Ok(RefusedRow {
            place: place.clone(),
            column: column.into_owned(),
            value: value.into_owned(),
            invoice_number: invoice_number.map(Cow::into_owned),
            code: code_of(&code)?,
            reason: reason.into_owned(),
        })
    };
    kept.into_iter().map(given_back).collect()
}

/// The code of this id; rows are refused by codes of this layer and of tables only.
fn code_of(id: &str) -> Result<StableCode, KeepingError> {
    let known = codes::ALL.iter().chain(crate::table::codes::ALL).find(|code| code.id == id);
    known.copied().ok_or_else(|| KeepingError::of(&format_args!("a row is refused by `{id}`, which is no code")))
}
