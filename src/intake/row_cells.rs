//! The cells of one row as they are asked for, and all that is wrong with them.
//!
//! Belongs here: what holds for every cell, and how refusals are noted. Must not be here: lexical rules (`cells`), rules across the
//! cells of a row (`row`).

use super::bill_column::BillColumn;
use super::cells::Wrong;
use super::columns::Columns;
use super::place::InputPlace;
use super::refused_row::RefusedRow;
use super::{cells, codes};
use crate::domain::amount::Amount;
use crate::domain::dimensions::{Dimensions, VALUE_LENGTH_MAX};
use crate::table::{AmountFormat, Row, StoredAs, Wrong as RowWrong};

/// What no cell may be, whatever its column.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// Bytes of one cell.
    pub(super) field_bytes_max: usize,
    /// Values that are let through although they look like none.
    pub(super) allowed: &'a [String],
}

/// A row's cells by column, and what was found wrong with them so far.
pub(super) struct Cells<'a> {
    row: &'a Row,
    columns: &'a Columns,
    place: &'a InputPlace,
    rules: Rules<'a>,
    /// Each with its cell's position, which orders them.
    refused: Vec<(usize, RefusedRow)>,
}

impl<'a> Cells<'a> {
    /// The cells of a row that has the header's shape. Bytes that no column takes are noted in any cell, used or not.
    pub(super) fn checked(row: &'a Row, columns: &'a Columns, place: &'a InputPlace, rules: Rules<'a>) -> Result<Self, Vec<RefusedRow>> {
        let mut cells = Self { row, columns, place, rules, refused: Vec::new() };
        if let Some(wrong) = row.wrong {
            let wrong = match wrong {
                RowWrong::Unclaimed => (codes::ROW_UNCLAIMED, wrong.to_string()),
                RowWrong::Width { found, wanted } => (codes::CELL_COUNT, format!("the row has {found} cells, the header has {wanted}")),
                _ => (codes::CELL_COUNT, wrong.to_string()),
            };
            return Err(vec![cells.refusal(String::new(), String::new(), wrong)]);
        }
        for index in 0..row.len() {
            let cell = row.text(index).unwrap_or_default();
            // Most cells are plain ASCII, and every cell of a file comes by here.
            if cell.len() <= rules.field_bytes_max && cell.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                continue;
            }
            let is_used = columns.at(index).is_some() || columns.is_own(index);
            if let Some(wrong) = cells::unprintable(cell, is_used, rules.field_bytes_max) {
                cells.refuse_at(index, wrong);
            }
        }
        Ok(cells)
    }

    /// The cell without surrounding spaces; empty if the file has no such column.
    pub(super) fn get(&self, column: BillColumn) -> &'a str {
        let whole = self.whole(column);
        let is_bare = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
        let bytes = whole.as_bytes();
        if is_bare(bytes.first()) && is_bare(bytes.last()) { whole } else { whole.trim_matches([' ', '\t', '\u{a0}']) }
    }

    fn whole(&self, column: BillColumn) -> &'a str {
        self.columns.index(column).and_then(|index| self.row.text(index)).unwrap_or_default()
    }

    /// How a cell was stored.
    fn kind(&self, column: BillColumn) -> StoredAs {
        self.columns.index(column).map_or(StoredAs::Text, |index| self.row.kind(index))
    }

    /// Reads the amount; a number of a workbook has no separators.
    pub(super) fn amount(&mut self, format: AmountFormat) -> Option<Amount> {
        let format = if self.kind(BillColumn::Amount) == StoredAs::Number { AmountFormat::Plain } else { format };
        self.required(BillColumn::Amount)?;
        self.parsed(BillColumn::Amount, |text| cells::amount(text, format))
    }

    /// The cell, or `None` if it is blank. Spaces around an identifying value are refused rather than removed.
    pub(super) fn given(&mut self, column: BillColumn) -> Option<&'a str> {
        let text = self.get(column);
        if text.is_empty() {
            return None;
        }
        let whole = self.whole(column);
        if column.identifies() && whole != text {
            self.refuse(column, (codes::SPACES_AROUND, "the value begins or ends with a space".into()));
        }
        if column.is_number() && text.starts_with('\'') {
            self.refuse(column, (codes::APOSTROPHE, "the value begins with an apostrophe".into()));
        }
        if cells::is_placeholder(column, text) && !self.rules.allowed.iter().any(|allowed| allowed == text) {
            let reason = format!("`{text}` is what a program writes where there is no value; `--allow-value '{text}'` lets it through");
            self.refuse(column, (codes::PLACEHOLDER, reason));
        }
        let is_number =
            matches!(column, BillColumn::InvoiceNumber | BillColumn::PolicyNumber | BillColumn::PaymentCode | BillColumn::Amount);
        if is_number && cells::is_spreadsheet_damage(text) {
            let reason = "a spreadsheet has rounded this number; its last digits are lost";
            self.refuse(column, (codes::SPREADSHEET_DAMAGE, reason.into()));
        }
        if self.kind(column) == StoredAs::Number && cells::is_damaged_by_storing(column, text) {
            let cell = self.columns.index(column).map_or_else(String::new, |index| cells::cell_name(index, self.place.row));
            let reason = format!(
                "cell {cell} of the workbook holds a number: zeros in front and digits after the 15th are lost; format the column as text and fill it again"
            );
            self.refuse(column, (codes::SPREADSHEET_DAMAGE, reason));
        }
        Some(text)
    }

    /// The cells under keys of the merchant's own that are not blank; each with its position.
    pub(super) fn free(&self) -> impl Iterator<Item = (&'a str, &'a str, usize)> + use<'a> {
        let (row, columns) = (self.row, self.columns);
        columns.free().iter().filter_map(move |(key, index)| {
            let text = row.text(*index)?.trim();
            (!text.is_empty()).then_some((key.as_str(), text, *index))
        })
    }

    /// What the bill is broken down by.
    pub(super) fn dimensions(&mut self) -> Dimensions {
        let (row, columns) = (self.row, self.columns);
        for (_, index) in columns.dimensions() {
            let length = row.text(*index).unwrap_or_default().trim().chars().count();
            if length > VALUE_LENGTH_MAX {
                let reason = format!("the value has {length} characters, at most {VALUE_LENGTH_MAX} are allowed of a dimension");
                self.refuse_at(*index, (codes::CELL_TOO_LARGE, reason));
            }
        }
        Dimensions::of(columns.dimensions().iter().map(|(name, index)| (name.as_str(), row.text(*index).unwrap_or_default().trim())))
    }

    /// The cell, which must not be blank.
    pub(super) fn required(&mut self, column: BillColumn) -> Option<&'a str> {
        let given = self.given(column);
        if given.is_none() {
            self.refuse(column, (codes::CELL_EMPTY, "the cell is empty".into()));
        }
        given
    }

    /// The cell as `parse` reads it; `None` if it is blank or refused.
    pub(super) fn parsed<T>(&mut self, column: BillColumn, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let text = self.given(column)?;
        parse(text).map_err(|wrong| self.refuse(column, wrong)).ok()
    }

    /// Notes what is wrong with a cell; the first finding of a cell is the one that is kept.
    pub(super) fn refuse(&mut self, column: BillColumn, wrong: Wrong) {
        match self.columns.index(column) {
            Some(index) => self.refuse_at(index, wrong),
            None if self.refused.iter().any(|(_, refused)| refused.column == column.name()) => {}
            None => {
                let refusal = self.refusal(column.name().into(), String::new(), wrong);
                self.refused.push((usize::MAX, refusal));
            }
        }
    }

    /// As [`Cells::refuse`], by the cell's position.
    pub(super) fn refuse_at(&mut self, index: usize, wrong: Wrong) {
        if self.refused.iter().any(|&(refused, _)| refused == index) {
            return;
        }
        let value = cells::shown(self.columns.at(index), self.row.text(index).unwrap_or_default());
        let refusal = self.refusal(self.columns.header(index).into(), value, wrong);
        self.refused.push((index, refusal));
    }

    fn refusal(&self, column: String, value: String, (code, reason): Wrong) -> RefusedRow {
        RefusedRow { place: self.place.clone(), column, value, invoice_number: None, code, reason }
    }

    /// What was read, unless anything was refused.
    pub(super) fn finished<T>(mut self, read: Option<T>, invoice_number: Option<&str>) -> Result<T, Vec<RefusedRow>> {
        match read {
            Some(item) if self.refused.is_empty() => Ok(item),
            _ => {
                self.refused.sort_by_key(|&(index, _)| index);
                let named = |refused: RefusedRow| RefusedRow { invoice_number: invoice_number.map(str::to_owned), ..refused };
                Err(self.refused.into_iter().map(|(_, refused)| named(refused)).collect())
            }
        }
    }
}

/// A text or its default, at most `length_max` characters long.
pub(super) fn text(cells: &mut Cells<'_>, column: BillColumn, default: Option<&str>, length_max: Option<usize>) -> Option<String> {
    let given = cells.given(column);
    let text = given.or(default).filter(|text| !text.is_empty())?;
    let length = text.chars().count();
    if let Some(length_max) = length_max.filter(|&length_max| length > length_max) {
        let whose = if given.is_some() { "the value" } else { "the configured default" };
        let reason = format!("{whose} has {length} characters, at most {length_max} are allowed on this channel");
        cells.refuse(column, (codes::TEXT_TOO_LONG, reason));
    }
    Some(text.to_owned())
}
