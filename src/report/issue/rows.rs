//! The files of a sending run that have a line for each row.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::bill::{Bill, Wanted};
use crate::domain::calendar::format_utc_seconds;
use crate::domain::end::{Bucket, End};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::Code;
use crate::domain::mark::Held;
use crate::intake::{Input, Intake, Item, Judged, KeepingError, Place, REASON_COLUMN, Verdict};
use crate::report::atomic::{Draft, WriteError};
use crate::report::input_columns::named_apart;
use crate::report::people;
use crate::report::wib_text;

/// A row whose bill holds a live code.
struct Accepted<'a> {
    place: &'a Place,
    bill: &'a Held,
    code: &'a Code,
    action: &'static str,
}

/// A column of accepted.csv and key of accepted.jsonl.
struct AcceptedColumn {
    name: &'static str,
    value: fn(&Accepted<'_>) -> Value,
}

/// The columns in their order. New ones go to the end.
const ACCEPTED: [AcceptedColumn; 15] = [
    AcceptedColumn { name: "invoice_number", value: |row| row.bill.invoice_number.as_str().into() },
    AcceptedColumn { name: "payment_code", value: |row| row.code.answer.payment_code.as_str().into() },
    AcceptedColumn { name: "channel", value: |row| row.bill.channel.name().into() },
    AcceptedColumn { name: "amount", value: |row| row.bill.amount.get().into() },
    AcceptedColumn { name: "expires_at", value: |row| row.code.answer.expires_at.map(format_utc_seconds).into() },
    AcceptedColumn { name: "how_to_pay_page", value: |row| row.code.answer.how_to_pay_page.clone().into() },
    AcceptedColumn { name: "action", value: |row| row.action.into() },
    AcceptedColumn { name: "file", value: |row| row.place.file.display().to_string().into() },
    AcceptedColumn { name: "row", value: |row| row.place.row.into() },
    AcceptedColumn { name: "expires_at_wib", value: |row| row.code.answer.expires_at.map(wib_text).into() },
    AcceptedColumn { name: "note", value: |row| row.code.remark.as_ref().map(|remark| remark.note.as_str()).into() },
    AcceptedColumn { name: "wire_invoice_number", value: |row| row.code.wire_invoice_number.as_str().into() },
    AcceptedColumn { name: "created_at", value: |row| row.code.answer.created_at.map(format_utc_seconds).into() },
    AcceptedColumn { name: "how_to_pay_api", value: |row| row.code.answer.how_to_pay_api.clone().into() },
    AcceptedColumn { name: "created_at_wib", value: |row| row.code.answer.created_at.map(wib_text).into() },
];
const REJECTED: [&str; 7] = ["file", "row", "column", "value", "code", "reason", "invoice_number"];
const DEFERRED: [&str; 5] = ["invoice_number", "state", "reason", "file", "row"];
const LEFT_ALONE: [&str; 7] = ["invoice_number", "reason", "payment_code", "expires_at_wib", "file", "row", "expires_at"];
const VALID: [&str; 4] = ["file", "row", "invoice_number", "action"];

fn accepted_names() -> [&'static str; 15] {
    ACCEPTED.each_ref().map(|column| column.name)
}

/// The columns of every file here.
pub(in crate::report) fn columns() -> impl Iterator<Item = &'static str> {
    accepted_names().into_iter().chain(REJECTED).chain(DEFERRED).chain(LEFT_ALONE).chain(VALID)
}

/// A CSV of rows of the input on its way: our columns, and behind them what is carried through.
struct InputCsv(Draft);

impl InputCsv {
    fn begin(path: &Path, columns: &[&str], carried: &[String]) -> Result<Self, WriteError> {
        let theirs = named_apart(carried);
        let header: Vec<&str> = columns.iter().copied().chain(theirs.iter().map(String::as_str)).collect();
        let mut draft = Draft::begin(path)?;
        draft.put(|file| people::row(file, &header))?;
        Ok(Self(draft))
    }

    fn row<T, S: AsRef<str>>(&mut self, row: &Judged<T>, cells: &[S]) -> Result<(), WriteError> {
        let theirs = row.cells.iter().map(|cell| cell.as_deref().unwrap_or_default());
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).chain(theirs).collect();
        self.0.put(|file| people::row(file, &cells))
    }

    /// One line for every bad cell of a row.
    fn refused<T>(&mut self, row: &Judged<T>) -> Result<(), WriteError> {
        row.refused().iter().try_for_each(|refused| {
            let (file, number) = place_cells(&refused.place);
            let invoice_number = refused.invoice_number.as_deref().unwrap_or_default();
            self.row(row, &[&file, &number, &refused.column, &refused.value, refused.code.id, &refused.reason, invoice_number])
        })
    }
}

/// A value as a cell.
fn cell(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn place_cells(place: &Place) -> (String, String) {
    (place.file.display().to_string(), place.row.to_string())
}

/// The files of a run, all on their way together: the rows are gone through once.
pub(super) struct Files {
    accepted: InputCsv,
    exact: Draft,
    /// The names of the columns that are carried through, as keys.
    theirs: Vec<String>,
    rejected: InputCsv,
    deferred: InputCsv,
    left_alone: InputCsv,
    finished_at: Timestamp,
    /// Rupiah of the codes that were issued.
    pub(super) issued_amount: u64,
}

impl Files {
    /// Begins the files in `directory`; rows that the input refused come first in rejected.csv.
    pub(super) fn begin<E: From<WriteError> + From<KeepingError>>(
        directory: &Path,
        intake: &Intake,
        finished_at: Timestamp,
    ) -> Result<Self, E> {
        let begin = |name: &str, columns: &[&str]| InputCsv::begin(&directory.join(name), columns, &intake.carried);
        let mut rejected = begin("rejected.csv", &REJECTED)?;
        write_refused::<_, E>(intake, &mut rejected)?;
        Ok(Self {
            accepted: begin("accepted.csv", &accepted_names())?,
            exact: Draft::begin(&directory.join("accepted.jsonl"))?,
            theirs: named_apart(&intake.carried),
            rejected,
            deferred: begin("deferred.csv", &DEFERRED)?,
            left_alone: begin("left_alone.csv", &LEFT_ALONE)?,
            finished_at,
            issued_amount: 0,
        })
    }

    /// Puts them all in their places.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        let Self { accepted, exact, rejected, deferred, left_alone, .. } = self;
        [accepted.0, exact, rejected.0, deferred.0, left_alone.0].into_iter().try_for_each(Draft::finish)
    }

    /// Writes a row where it belongs: among the accepted whatever the run did to it, as long as it holds a live code, also one that
    /// was refused, because its code stays payable; and in one of the others by how it ended.
    pub(super) fn row(&mut self, row: &Judged<Bill>, end: Option<&End>, held: Option<&Held>) -> Result<(), WriteError> {
        let just_made = end.is_some_and(|end| end.bucket == Bucket::Issued);
        if let Some(held) = held.filter(|_| just_made) {
            self.issued_amount = self.issued_amount.saturating_add(held.amount.get());
        }
        let live = held.and_then(|bill| bill.live_code(self.finished_at, just_made).map(|code| (bill, code)));
        match (&row.verdict, end) {
            (Verdict::Valid(bill), Some(end)) => {
                if let Some((held, code)) = live {
                    self.accept(row, &Accepted { place: &row.place, bill: held, code, action: end.action })?;
                }
                self.ended(row, &bill.invoice_number, end, held, live.is_some())
            }
            (Verdict::Refused(_), _) => match live {
                // One line a row, however many cells of it are bad.
                Some((held, code)) => self.accept(row, &Accepted { place: &row.place, bill: held, code, action: "refused" }),
                None => Ok(()),
            },
            (Verdict::Duplicate(of), _) => self.leave_alone(row, "", &format!("duplicate of {of}"), None),
            (Verdict::Valid(_), None) => Ok(()),
        }
    }

    fn ended(
        &mut self,
        row: &Judged<Bill>,
        number: &InvoiceNumber,
        end: &End,
        held: Option<&Held>,
        is_accepted: bool,
    ) -> Result<(), WriteError> {
        let (file, place) = place_cells(&row.place);
        match end.bucket {
            Bucket::Refused | Bucket::Rejected => {
                self.rejected.row(row, &[&file, &place, end.column, "", &end.code, &end.reason, number.as_str()])
            }
            // What the same command will finish: not sent, and in doubt, told apart.
            Bucket::Deferred | Bucket::InDoubt => self.deferred.row(row, &[number.as_str(), end.bucket.name(), &end.reason, &file, &place]),
            Bucket::Issued | Bucket::Amended | Bucket::Cancelled | Bucket::Unchanged | Bucket::Duplicate => {
                if is_accepted {
                    return Ok(());
                }
                self.leave_alone(row, number.as_str(), end.action, held.and_then(|bill| bill.code.as_ref()))
            }
        }
    }

    /// A row that is in no other file, with the reason: there was nothing to do, and no live code to tell of.
    fn leave_alone(&mut self, row: &Judged<Bill>, number: &str, reason: &str, code: Option<&Code>) -> Result<(), WriteError> {
        let (file, place) = place_cells(&row.place);
        let payment_code = code.map_or("", |code| code.answer.payment_code.as_str());
        let expires_at = code.and_then(|code| code.answer.expires_at);
        let [utc, wib] = [format_utc_seconds, wib_text].map(|written| expires_at.map(written).unwrap_or_default());
        self.left_alone.row(row, &[number, reason, payment_code, &wib, &file, &place, &utc])
    }

    /// In accepted.jsonl the values are exact: no escape for spreadsheets, amounts as numbers, `null` for what is not known.
    fn accept(&mut self, row: &Judged<Bill>, accepted: &Accepted<'_>) -> Result<(), WriteError> {
        let values = ACCEPTED.each_ref().map(|column| (column.value)(accepted));
        self.accepted.row(row, &values.each_ref().map(|value| cell(value.clone())))?;
        let mut object: Map<String, Value> = accepted_names().into_iter().map(str::to_owned).zip(values).collect();
        object.extend(self.theirs.iter().cloned().zip(row.cells.iter().cloned().map(Value::from)));
        self.exact.put(|file| {
            serde_json::to_writer(&mut *file, &object)?;
            file.write_all(b"\n")
        })
    }
}

fn write_refused<T: Item, E: From<WriteError> + From<KeepingError>>(input: &Input<T>, csv: &mut InputCsv) -> Result<(), E> {
    if input.refused == 0 {
        return Ok(());
    }
    input.each(|row| csv.refused(&row).map_err(E::from))
}

/// valid.csv and rejected.csv of a file that was only read: where the rows stand that can be used, and why the others cannot.
///
/// # Errors
/// That they cannot be written, or the rows not be given again.
pub fn checked_files<E: From<WriteError> + From<KeepingError>>(intake: &Intake, directory: &Path) -> Result<(), E> {
    let mut valid = InputCsv::begin(&directory.join("valid.csv"), &VALID, &intake.carried)?;
    let mut rejected = InputCsv::begin(&directory.join("rejected.csv"), &REJECTED, &intake.carried)?;
    intake.each(|row| -> Result<(), E> {
        if let Some(bill) = row.valid() {
            let action = if bill.wanted == Wanted::Cancelled { "cancel" } else { "" };
            let (file, place) = place_cells(&row.place);
            valid.row(&row, &[&file, &place, bill.invoice_number.as_str(), action])?;
        }
        Ok(rejected.refused(&row)?)
    })?;
    valid.0.finish()?;
    Ok(rejected.0.finish()?)
}

/// The bad rows of one file whole, in its own columns and with the reasons behind them, to be mended and given again.
#[derive(Debug)]
pub struct BadRowsCsv(Draft);

impl BadRowsCsv {
    /// Begins the file at `path` with the columns of `header`.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn begin(path: &Path, header: &[String]) -> Result<Self, WriteError> {
        let mut begun = Self(Draft::begin(path)?);
        begun.row(header, REASON_COLUMN)?;
        Ok(begun)
    }

    /// A row, and its reasons.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn row(&mut self, cells: &[String], reasons: &str) -> Result<(), WriteError> {
        let cells: Vec<&str> = cells.iter().map(String::as_str).chain([reasons]).collect();
        self.0.put(|file| people::row(file, &cells))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn finish(self) -> Result<(), WriteError> {
        self.0.finish()
    }
}
