//! The rows of a sending run, each in at least one file: accepted, rejected, deferred, left alone.

use std::collections::HashMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::bill::Wanted;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::end::{Bucket, End};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Code, OperationKind, Status};
use crate::intake::{BadRows, Carried, Intake, Place, REASON_COLUMN, Sourced};
use crate::report::input_columns::named_apart;
use crate::report::people::PeopleCsv;
use crate::report::wib_text;

/// What the files are written from.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) intake: &'a Intake,
    pub(super) ends: &'a [End],
    pub(super) bills: &'a HashMap<InvoiceNumber, BillState>,
    pub(super) finished_at: Timestamp,
}

/// A row whose bill holds a live code.
struct Accepted<'a> {
    place: &'a Place,
    bill: &'a BillState,
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
    AcceptedColumn { name: "channel", value: |row| row.bill.terms.channel.name().into() },
    AcceptedColumn { name: "amount", value: |row| row.bill.terms.amount.get().into() },
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

/// A CSV of rows of the input: our columns, and behind them what is carried through.
struct InputCsv<'a, W: Write> {
    csv: PeopleCsv<W>,
    carried: &'a Carried,
}

impl<'a, W: Write> InputCsv<'a, W> {
    fn begin(writer: W, columns: &[&str], carried: &'a Carried) -> io::Result<Self> {
        let theirs = named_apart(carried.headers());
        let header: Vec<&str> = columns.iter().copied().chain(theirs.iter().map(String::as_str)).collect();
        Ok(Self { csv: PeopleCsv::begin(writer, &header)?, carried })
    }

    fn row<S: AsRef<str>>(&mut self, place: &Place, cells: &[S]) -> io::Result<()> {
        let theirs = self.carried.cells(place).into_iter().map(Option::unwrap_or_default);
        self.csv.row(&cells.iter().map(AsRef::as_ref).chain(theirs).collect::<Vec<&str>>())
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

/// The code of `bill` that a counter takes and that is not being taken back; expired ones count only where they were `just_made`.
fn live_code(bill: &BillState, now: Timestamp, just_made: bool) -> Option<&Code> {
    let is_live = matches!(bill.status, Status::Active | Status::Amending | Status::InDoubt(OperationKind::Amend));
    let has_expired = |code: &Code| code.answer.expires_at.is_some_and(|expires_at| expires_at <= now);
    bill.code.as_ref().filter(|code| is_live && (just_made || !has_expired(code)))
}

impl<'a> Rows<'a> {
    fn valid(self) -> impl Iterator<Item = (&'a Place, &'a InvoiceNumber, &'a End)> {
        self.intake.valid.iter().zip(self.ends).map(|(row, end)| (&row.place, &row.item.invoice_number, end))
    }

    fn accepted_row(self, place: &'a Place, number: &InvoiceNumber, action: &'static str, just_made: bool) -> Option<Accepted<'a>> {
        let bill = self.bills.get(number)?;
        live_code(bill, self.finished_at, just_made).map(|code| Accepted { place, bill, code, action })
    }

    fn accepted_valid(self, place: &'a Place, number: &InvoiceNumber, end: &'a End) -> Option<Accepted<'a>> {
        self.accepted_row(place, number, end.action, end.bucket == Bucket::Issued)
    }

    /// Every row that holds a live code, whatever the run did to it, also one that was refused: its code stays payable.
    fn all_accepted(self) -> Vec<Accepted<'a>> {
        let mut rows: Vec<Accepted<'a>> = self.valid().filter_map(|(place, number, end)| self.accepted_valid(place, number, end)).collect();
        let mut last = None;
        for refused in &self.intake.refused {
            // One line a row, however many cells of it are bad.
            if last.replace(refused.place.order()) == Some(refused.place.order()) {
                continue;
            }
            let number = refused.invoice_number.as_deref().and_then(|number| InvoiceNumber::new(number).ok());
            rows.extend(number.and_then(|number| self.accepted_row(&refused.place, &number, "refused", false)));
        }
        rows.sort_by_key(|row| row.place.order());
        rows
    }

    pub(super) fn accepted_csv(self, writer: &mut impl Write) -> io::Result<()> {
        let mut csv = InputCsv::begin(writer, &accepted_names(), &self.intake.carried)?;
        self.all_accepted().iter().try_for_each(|row| csv.row(row.place, &ACCEPTED.each_ref().map(|column| cell((column.value)(row)))))
    }

    /// The same rows with exact values: no escape for spreadsheets, amounts as numbers, `null` for what is not known.
    pub(super) fn accepted_jsonl(self, writer: &mut impl Write) -> io::Result<()> {
        let carried = &self.intake.carried;
        let theirs = named_apart(carried.headers());
        for row in self.all_accepted() {
            let mut object: Map<String, Value> = ACCEPTED.iter().map(|column| (column.name.to_owned(), (column.value)(&row))).collect();
            object.extend(theirs.iter().cloned().zip(carried.cells(row.place).into_iter().map(Value::from)));
            serde_json::to_writer(&mut *writer, &object)?;
            writer.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Every row we or DOKU refused, one line a reason.
    pub(super) fn rejected_csv(self, writer: &mut impl Write) -> io::Result<()> {
        let mut csv = InputCsv::begin(writer, &REJECTED, &self.intake.carried)?;
        refused_cells(self.intake, &mut csv)?;
        for (place, number, end) in self.valid().filter(|(_, _, end)| matches!(end.bucket, Bucket::Refused | Bucket::Rejected)) {
            let (file, row) = place_cells(place);
            csv.row(place, &[&file, &row, end.column, "", &end.code, &end.reason, number.as_str()])?;
        }
        Ok(())
    }

    /// Every row the same command will finish: not sent, and in doubt, told apart.
    pub(super) fn deferred_csv(self, writer: &mut impl Write) -> io::Result<()> {
        let mut csv = InputCsv::begin(writer, &DEFERRED, &self.intake.carried)?;
        for (place, number, end) in self.valid().filter(|(_, _, end)| matches!(end.bucket, Bucket::Deferred | Bucket::InDoubt)) {
            let (file, row) = place_cells(place);
            csv.row(place, &[number.as_str(), end.bucket.name(), &end.reason, &file, &row])?;
        }
        Ok(())
    }

    /// Every row that is in no other file, with the reason: there was nothing to do, and no live code to tell of.
    pub(super) fn left_alone_csv(self, writer: &mut impl Write) -> io::Result<()> {
        let mut csv = InputCsv::begin(writer, &LEFT_ALONE, &self.intake.carried)?;
        let mut rows: Vec<(&Place, String, String, Option<&Code>)> = Vec::new();
        for (place, number, end) in self.valid() {
            let is_elsewhere = matches!(end.bucket, Bucket::Refused | Bucket::Rejected | Bucket::Deferred | Bucket::InDoubt);
            if is_elsewhere || self.accepted_valid(place, number, end).is_some() {
                continue;
            }
            let code = self.bills.get(number).and_then(|bill| bill.code.as_ref());
            rows.push((place, number.as_str().to_owned(), end.action.to_owned(), code));
        }
        for duplicate in &self.intake.duplicates {
            rows.push((&duplicate.place, String::new(), format!("duplicate of {}", duplicate.of), None));
        }
        rows.sort_by_key(|(place, ..)| place.order());
        for (place, number, reason, code) in rows {
            let (file, row) = place_cells(place);
            let payment_code = code.map_or("", |code| code.answer.payment_code.as_str());
            let expires_at = code.and_then(|code| code.answer.expires_at);
            let [utc, wib] = [format_utc_seconds, wib_text].map(|written| expires_at.map(written).unwrap_or_default());
            csv.row(place, &[&number, &reason, payment_code, &wib, &file, &row, &utc])?;
        }
        Ok(())
    }
}

/// rejected.csv of a file that was only read.
pub fn refused_csv(intake: &Intake, writer: &mut impl Write) -> io::Result<()> {
    refused_cells(intake, &mut InputCsv::begin(writer, &REJECTED, &intake.carried)?)
}

/// valid.csv: where the rows stand that can be used.
pub fn valid_csv(intake: &Intake, writer: &mut impl Write) -> io::Result<()> {
    let mut csv = InputCsv::begin(writer, &VALID, &intake.carried)?;
    for Sourced { place, item } in &intake.valid {
        let action = if item.wanted == Wanted::Cancelled { "cancel" } else { "" };
        let (file, row) = place_cells(place);
        csv.row(place, &[&file, &row, item.invoice_number.as_str(), action])?;
    }
    Ok(())
}

/// The bad rows of one file whole, in its own columns and with the reasons behind them, to be mended and given again.
pub fn bad_rows_csv(bad: &BadRows, writer: &mut impl Write) -> io::Result<()> {
    let with = |cells: &[String], last: &str| cells.iter().cloned().chain([last.to_owned()]).collect::<Vec<_>>();
    let mut csv = PeopleCsv(writer);
    csv.row(&with(&bad.header, REASON_COLUMN))?;
    bad.rows.iter().try_for_each(|(cells, reasons)| csv.row(&with(cells, reasons)))
}

/// One line for every bad cell of the input.
fn refused_cells(intake: &Intake, csv: &mut InputCsv<'_, impl Write>) -> io::Result<()> {
    for refused in &intake.refused {
        let (file, row) = place_cells(&refused.place);
        let invoice_number = refused.invoice_number.as_deref().unwrap_or_default();
        csv.row(&refused.place, &[&file, &row, &refused.column, &refused.value, refused.code.id, &refused.reason, invoice_number])?;
    }
    Ok(())
}
