//! What stands in the files of a sending run that have a line for each row.

use jiff::Timestamp;

use crate::columns::{self, Column, Value};
use crate::domain::calendar::{format_utc_seconds, format_wib_seconds};
use crate::domain::lifecycle::IssuedCode;
use crate::domain::mark::BillWithCode;
use crate::domain::row_end::End;
use crate::intake::{InputPlace, RefusedRow};

/// A row whose bill holds a live code.
pub(super) struct Accepted<'a> {
    pub(super) place: &'a InputPlace,
    pub(super) bill: &'a BillWithCode,
    pub(super) code: &'a IssuedCode,
    pub(super) action: &'static str,
}

/// A row, or a cell of one, that was refused.
pub(super) struct Rejected<'a> {
    pub(super) place: &'a InputPlace,
    pub(super) column: &'a str,
    pub(super) value: &'a str,
    pub(super) code: &'a str,
    pub(super) reason: &'a str,
    pub(super) invoice_number: &'a str,
}

impl<'a> From<&'a RefusedRow> for Rejected<'a> {
    fn from(refused: &'a RefusedRow) -> Self {
        Self {
            place: &refused.place,
            column: &refused.column,
            value: &refused.value,
            code: refused.code.id,
            reason: &refused.reason,
            invoice_number: refused.invoice_number.as_deref().unwrap_or_default(),
        }
    }
}

/// A row that the same command finishes.
pub(super) struct Deferred<'a> {
    pub(super) place: &'a InputPlace,
    pub(super) invoice_number: &'a str,
    pub(super) end: &'a End,
}

/// A row that there was nothing to do about.
pub(super) struct LeftAlone<'a> {
    pub(super) place: &'a InputPlace,
    pub(super) invoice_number: &'a str,
    pub(super) reason: &'a str,
    pub(super) code: Option<&'a IssuedCode>,
}

impl LeftAlone<'_> {
    fn expires_at(&self) -> Option<Timestamp> {
        self.code.and_then(|code| code.answer.expires_at)
    }
}

/// A row of a file that was only read.
pub(super) struct Valid<'a> {
    pub(super) place: &'a InputPlace,
    pub(super) invoice_number: &'a str,
    pub(super) action: &'static str,
}

fn utc<'v>(at: Option<Timestamp>) -> Value<'v> {
    at.map(format_utc_seconds).into()
}

fn wib<'v>(at: Option<Timestamp>) -> Value<'v> {
    at.map(format_wib_seconds).into()
}

/// The columns of accepted.csv and keys of accepted.jsonl. New ones go to the end.
pub(super) const fn accepted<'a>() -> [Column<'static, Accepted<'a>>; 15] {
    [
        Column::foreign("invoice_number", |row| row.bill.invoice_number.as_str().into()),
        Column::foreign("payment_code", |row| row.code.answer.payment_code.as_str().into()),
        Column::text("channel", |row| row.bill.channel.name().into()),
        Column::rupiah("amount", |row| row.bill.amount.get().into()),
        Column::text("expires_at", |row| utc(row.code.answer.expires_at)),
        Column::foreign("how_to_pay_page", |row| row.code.answer.how_to_pay_page.as_deref().into()),
        Column::text("action", |row| row.action.into()),
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::text("expires_at_wib", |row| wib(row.code.answer.expires_at)),
        Column::foreign("note", |row| row.code.remark.as_ref().map(|remark| remark.note.as_str()).into()),
        Column::foreign("wire_invoice_number", |row| row.code.wire_invoice_number.as_str().into()),
        Column::text("created_at", |row| utc(row.code.answer.created_at)),
        Column::foreign("how_to_pay_api", |row| row.code.answer.how_to_pay_api.as_deref().into()),
        Column::text("created_at_wib", |row| wib(row.code.answer.created_at)),
    ]
}

/// The columns of rejected.csv.
pub(super) const fn rejected<'a>() -> [Column<'static, Rejected<'a>>; 7] {
    [
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::foreign("column", |row| row.column.into()),
        Column::foreign("value", |row| row.value.into()),
        Column::foreign("code", |row| row.code.into()),
        Column::foreign("reason", |row| row.reason.into()),
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
    ]
}

/// The columns of deferred.csv: what was not sent, and what is in doubt, told apart.
pub(super) const fn deferred<'a>() -> [Column<'static, Deferred<'a>>; 5] {
    [
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
        Column::text("state", |row| row.end.bucket.name().into()),
        Column::foreign("reason", |row| (&*row.end.reason).into()),
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
    ]
}

/// The columns of `left_alone.csv`.
pub(super) const fn left_alone<'a>() -> [Column<'static, LeftAlone<'a>>; 7] {
    [
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
        Column::foreign("reason", |row| row.reason.into()),
        Column::foreign("payment_code", |row| row.code.map(|code| code.answer.payment_code.as_str()).into()),
        Column::text("expires_at_wib", |row| wib(row.expires_at())),
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::text("expires_at", |row| utc(row.expires_at())),
    ]
}

/// The columns of valid.csv.
pub(super) const fn valid<'a>() -> [Column<'static, Valid<'a>>; 4] {
    [
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
        Column::text("action", |row| row.action.into()),
    ]
}

/// The columns of every file here.
pub(in crate::report) fn names() -> impl Iterator<Item = String> {
    fn of<Row>(columns: &[Column<'_, Row>]) -> Vec<String> {
        columns::names(columns).map(str::to_owned).collect()
    }
    [of(&accepted()), of(&rejected()), of(&deferred()), of(&left_alone()), of(&valid())].into_iter().flatten()
}
