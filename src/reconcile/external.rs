//! An external ledger as CSV, read as text: codes keep their zeros, and every row that is no bill is listed with its cell.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rayon::prelude::*;

use super::Terms;
use super::bills::Bills;
use super::known::KnownPayment;
use super::new_bill::{ExternalMark, NewBill};
use super::tally::Tally;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::{at_wib, end_of_wib_day, start_of_wib_day};
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, Policy};
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// A row that is no bill (L10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRow {
    /// SHA-256 over its cells.
    pub digest: Digest,
    /// The row of the file, from 1, the header included.
    pub row: u64,
    /// Where it starts in the file.
    pub byte: u64,
    /// Its invoice number, if it has a usable one.
    pub invoice_number: String,
    /// The column at fault.
    pub column: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Everything an external ledger says.
#[derive(Debug)]
pub struct External {
    /// The bills, findable.
    pub bills: Bills,
    /// Its paid marks from before the period, sorted.
    pub known: Vec<KnownPayment>,
    /// Rows that are no bills.
    pub malformed: Vec<MalformedRow>,
    /// Bills in scope, counted row by row.
    pub scope: Tally,
    /// Classes its columns cannot decide.
    pub not_evaluated: Vec<Class>,
    /// A digest of all rows that does not depend on their order.
    pub rows_digest: Digest,
    /// Its rows, the header not counted.
    pub rows: u64,
}

/// Why an external ledger cannot be read (exit 7; see [`super::codes`]).
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// See [`super::codes::LEDGER_UNREADABLE`].
    #[error("E0720: the external ledger `{}` cannot be read: {reason}\nhint: check the path and the permissions, and export it again", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// See [`super::codes::COLUMN_MISSING`].
    #[error("E0721: the external ledger `{}` has no column `{column}`\nhint: add the column to the export", path.display())]
    ColumnMissing {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: &'static str,
    },
    /// See [`super::codes::TOO_MANY_BILLS`].
    #[error("E0722: the external ledger holds more bills than one run can\nhint: split it by channel or by year")]
    TooMany,
}

const REQUIRED: [&str; 9] =
    ["invoice_number", "payment_code", "channel", "amount", "status", "reusable", "created_at", "expires_at", "cancelled_at"];
const OPTIONAL: [&str; 7] = ["paid_at", "paid_amount", "amount_history", "bill_group", "policy_status", "policy_type", "due_date"];

/// Where each known column is.
#[derive(Debug)]
struct Columns {
    places: [Option<usize>; 16],
}

impl Columns {
    fn of(header: &csv::ByteRecord, path: &Path) -> Result<Self, ExternalError> {
        let names: Vec<String> =
            header.iter().map(|cell| String::from_utf8_lossy(cell).trim_start_matches('\u{feff}').trim().to_ascii_lowercase()).collect();
        let mut places = [None; 16];
        for (place, column) in places.iter_mut().zip(REQUIRED.into_iter().chain(OPTIONAL)) {
            *place = names.iter().position(|name| name == column);
            if place.is_none() && REQUIRED.contains(&column) {
                return Err(ExternalError::ColumnMissing { path: path.to_owned(), column });
            }
        }
        Ok(Self { places })
    }

    fn has(&self, column: &str) -> bool {
        let place = REQUIRED.into_iter().chain(OPTIONAL).position(|name| name == column);
        place.is_some_and(|place| self.places.get(place).is_some_and(Option::is_some))
    }

    /// The trimmed cell of the `index`-th known column; empty when the column or the cell is missing.
    fn cell<'r>(&self, row: &'r csv::ByteRecord, index: usize) -> Option<&'r str> {
        let place = self.places.get(index).copied().flatten();
        str::from_utf8(place.and_then(|place| row.get(place)).unwrap_or_default()).ok().map(str::trim)
    }
}

/// Reads the file at `path`: Parquet by its extension, else CSV.
///
/// # Errors
/// When it cannot be read at all; rows that cannot be read are listed instead.
pub fn read(path: &Path, terms: &Terms) -> Result<External, ExternalError> {
    let is_parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    if is_parquet { super::parquet::read(path, terms) } else { read_csv(path, terms) }
}

fn read_csv(path: &Path, terms: &Terms) -> Result<External, ExternalError> {
    let unreadable = |error: csv::Error| ExternalError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let mut reader = csv::ReaderBuilder::new().flexible(true).buffer_capacity(1 << 20).from_path(path).map_err(unreadable)?;
    let mut rows = Rows::new(reader.byte_headers().map_err(unreadable)?, path, terms)?;
    let mut fill = |batch: &mut [csv::ByteRecord]| -> Result<usize, csv::Error> {
        let mut count = 0_usize;
        for row in batch {
            if !reader.read_byte_record(row)? {
                break;
            }
            count = count.saturating_add(1);
        }
        Ok(count)
    };
    let (mut batch, mut next) = (vec![csv::ByteRecord::new(); BATCH], vec![csv::ByteRecord::new(); BATCH]);
    let mut count = fill(&mut batch).map_err(unreadable)?;
    // One batch is read while the one before it is parsed.
    while count > 0 {
        let (filled, taken) = rayon::join(|| fill(&mut next), || rows.take(batch.get(..count).unwrap_or_default()));
        taken?;
        count = filled.map_err(unreadable)?;
        std::mem::swap(&mut batch, &mut next);
    }
    Ok(rows.finish())
}

/// Rows that are parsed at once.
pub(super) const BATCH: usize = 1 << 13;

/// Takes rows one by one, whatever file they are from.
pub(super) struct Rows<'a> {
    columns: Columns,
    width: usize,
    terms: &'a Terms,
    external: External,
    sum: DigestSum,
}

impl<'a> Rows<'a> {
    pub(super) fn new(header: &csv::ByteRecord, path: &Path, terms: &'a Terms) -> Result<Self, ExternalError> {
        let columns = Columns::of(header, path)?;
        let external = External {
            bills: Bills::default(),
            known: Vec::new(),
            malformed: Vec::new(),
            scope: Tally::default(),
            not_evaluated: not_evaluated(&columns, &terms.policy),
            rows_digest: [0; 32],
            rows: 0,
        };
        Ok(Self { columns, width: header.len(), terms, external, sum: DigestSum::default() })
    }

    /// Parses `batch` in parallel and takes its rows in their order.
    pub(super) fn take(&mut self, batch: &[csv::ByteRecord]) -> Result<(), ExternalError> {
        let (columns, width) = (&self.columns, self.width);
        let parsed: Vec<_> = batch.par_iter().map(|row| (row, row_digest(row), parse(columns, row, width))).collect();
        for (row, digest, parsed) in parsed {
            self.external.rows = self.external.rows.saturating_add(1);
            self.sum.add(&digest);
            match parsed {
                Ok(row) => self.external.take(&row, self.terms)?,
                Err(fault) => self.malformed(row, digest, fault),
            }
        }
        Ok(())
    }

    fn malformed(&mut self, row: &csv::ByteRecord, digest: Digest, (column, reason): Fault) {
        let invoice_number = self.columns.cell(row, 0).filter(|text| InvoiceNumber::new(text).is_ok()).unwrap_or_default();
        self.external.malformed.push(MalformedRow {
            digest,
            row: self.external.rows.saturating_add(1),
            byte: row.position().map_or(0, csv::Position::byte),
            invoice_number: invoice_number.to_owned(),
            column,
            reason,
        });
    }

    pub(super) fn finish(self) -> External {
        let mut external = self.external;
        external.rows_digest = self.sum.finish();
        external.bills.build_index();
        external.known.sort_unstable();
        external
    }
}

/// Over all cells and where each ends.
fn row_digest(row: &csv::ByteRecord) -> Digest {
    let mut running = digest::Running::default();
    running.update(row.as_slice());
    for cell in row {
        running.update(&u64::try_from(cell.len()).unwrap_or(u64::MAX).to_be_bytes());
    }
    running.finish()
}

type Fault = (&'static str, String);

impl External {
    fn take(&mut self, row: &ParsedRow<'_>, terms: &Terms) -> Result<(), ExternalError> {
        // The file says what the state was when the bill was paid, or is.
        let lapses = &[(Timestamp::MIN, terms.policy.is_lapsed(row.policy_status))];
        let bill = &NewBill { earlier_amounts: &row.earlier_amounts, lapses, ..row.bill.clone() };
        let number = self.bills.push(bill).map_err(|_| ExternalError::TooMany)?;
        if let ExternalMark::At(paid_at) = bill.paid
            && paid_at < terms.period.starts_at()
        {
            let amount = row.paid_amount.unwrap_or(bill.amount).get();
            self.known.push(KnownPayment { bill: number, paid_at, identity: [0; 32], amount, sameness: None, in_ledger: true });
        }
        if is_open(bill, terms) {
            self.scope = self.scope.plus(Tally { count: 1, amount: Rupiah::from(bill.amount) });
        }
        Ok(())
    }
}

/// The reader's own count of bills in scope: on purpose not the engine's code.
fn is_open(bill: &NewBill<'_>, terms: &Terms) -> bool {
    let from = terms.period.starts_at().as_microsecond();
    let grace_us = terms.policy.expiry_grace_minutes.saturating_mul(60_000_000);
    let us = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    let created_later = us(bill.planned_at).is_some_and(|at| at > terms.as_of.as_microsecond());
    let cancelled_earlier = us(bill.cancelled_at).is_some_and(|at| at < from);
    let expired_earlier = us(bill.expires_at).is_some_and(|at| at.saturating_add(grace_us) < from);
    let paid_earlier = !bill.reusable && matches!(bill.paid, ExternalMark::At(at) if at.as_microsecond() < from);
    !(created_later || cancelled_earlier || expired_earlier || paid_earlier)
}

fn not_evaluated(columns: &Columns, policy: &Policy) -> Vec<Class> {
    let mut classes = vec![Class::P19, Class::L06, Class::L08];
    if !columns.has("policy_status") || policy.lapsed_policy_statuses.is_empty() {
        classes.push(Class::P18);
    }
    if !columns.has("bill_group") {
        classes.push(Class::P12);
    }
    if !columns.has("amount_history") {
        classes.push(Class::P10);
    }
    classes
}

/// A row that is a bill.
struct ParsedRow<'r> {
    bill: NewBill<'r>,
    earlier_amounts: Vec<Amount>,
    paid_amount: Option<Amount>,
    policy_status: &'r str,
}

/// One row → a bill, or the column at fault.
fn parse<'r>(columns: &Columns, row: &'r csv::ByteRecord, width: usize) -> Result<ParsedRow<'r>, Fault> {
    if row.len() != width {
        return Err(("row", format!("it has {} cells, the header has {width}", row.len())));
    }
    let cell = |index: usize, column: &'static str| columns.cell(row, index).ok_or_else(|| (column, "it is not UTF-8".to_owned()));
    let invoice_number = cell(0, "invoice_number")?;
    InvoiceNumber::new(invoice_number).map_err(|error| ("invoice_number", error.to_string()))?;
    let payment_code = cell(1, "payment_code")?;
    if !payment_code.is_empty() {
        PaymentCode::new(payment_code).map_err(|error| ("payment_code", error.to_string()))?;
    }
    let channel = cell(2, "channel")?;
    let channel = Channel::parse(channel).ok_or_else(|| ("channel", format!("`{channel}` is no channel: alfa or indomaret")))?;
    let amount = Amount::parse(cell(3, "amount")?).map_err(|error| ("amount", error.to_string()))?;
    let status = cell(4, "status")?;
    let created_at = time("created_at", cell(6, "created_at")?, start_of_wib_day)?;
    let expires_at = time("expires_at", cell(7, "expires_at")?, end_of_wib_day)?;
    let cancelled_at = time("cancelled_at", cell(8, "cancelled_at")?, start_of_wib_day)?;
    let paid_at = time("paid_at", cell(9, "paid_at")?, start_of_wib_day)?;
    let paid_amount = Some(cell(10, "paid_amount")?).filter(|text| !text.is_empty()).map(Amount::parse);
    let paid_amount = paid_amount.transpose().map_err(|error| ("paid_amount", error.to_string()))?;
    let mut earlier_amounts = Vec::new();
    for text in cell(11, "amount_history")?.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        earlier_amounts.push(Amount::parse(text).map_err(|error| ("amount_history", error.to_string()))?);
    }
    check_status(status, cancelled_at, expires_at)?;
    let paid = match paid_at {
        Some(at) => ExternalMark::At(at),
        None if status.eq_ignore_ascii_case("PAID") => ExternalMark::Undated,
        None => ExternalMark::Unpaid,
    };
    let bill = NewBill {
        invoice_number,
        wire_invoice_number: None,
        former: &[],
        payment_code: (!payment_code.is_empty()).then_some(payment_code),
        open_invoice_number: None,
        channel,
        amount,
        reusable: yes_or_no(cell(5, "reusable")?)?,
        issue_in_doubt: false,
        planned_at: created_at,
        created_at,
        expires_at,
        cancelled_at,
        paid,
        earlier_amounts: &[],
        superseded_at: &[],
        product: Some(cell(14, "policy_type")?).filter(|name| !name.is_empty()),
        due_on: due_on(cell(15, "due_date")?)?,
        bill_group: Some(cell(12, "bill_group")?).filter(|name| !name.is_empty()),
        lapses: &[],
        issued_otherwise: false,
        code_is_dead: false,
        by_inquiry: false,
    };
    Ok(ParsedRow { bill, earlier_amounts, paid_amount, policy_status: cell(13, "policy_status")? })
}

/// A WIB day, or nothing.
fn due_on(text: &str) -> Result<Option<Date>, Fault> {
    let date = Some(text).filter(|text| !text.is_empty()).map(str::parse);
    date.transpose().map_err(|_| ("due_date", format!("`{text}` is no date: write 2026-10-05")))
}

/// The word must be one of four, and have the time it speaks of beside it.
fn check_status(status: &str, cancelled_at: Option<Timestamp>, expires_at: Option<Timestamp>) -> Result<(), Fault> {
    let is = |name: &str| status.eq_ignore_ascii_case(name);
    match (cancelled_at, expires_at) {
        (None, _) if is("CANCELLED") => Err(("cancelled_at", "it is empty, but the status is CANCELLED".to_owned())),
        (_, None) if is("EXPIRED") => Err(("expires_at", "it is empty, but the status is EXPIRED".to_owned())),
        _ if ["ACTIVE", "PAID", "CANCELLED", "EXPIRED"].into_iter().any(is) => Ok(()),
        _ => Err(("status", format!("`{status}` is none of ACTIVE, PAID, CANCELLED, EXPIRED"))),
    }
}

fn yes_or_no(text: &str) -> Result<bool, Fault> {
    let is = |names: [&str; 3]| names.into_iter().any(|name| name.eq_ignore_ascii_case(text));
    match text {
        "" => Ok(false),
        _ if is(["true", "1", "yes"]) => Ok(true),
        _ if is(["false", "0", "no"]) => Ok(false),
        _ => Err(("reusable", format!("`{text}` is neither true nor false"))),
    }
}

/// An instant with its offset, a WIB wall-clock time, or a WIB day.
fn time(column: &'static str, text: &str, day: fn(Date) -> Option<Timestamp>) -> Result<Option<Timestamp>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let instant = || text.parse::<Timestamp>().ok();
    let date = || if text.len() == 10 { text.parse::<Date>().ok().and_then(day) } else { None };
    let wall = || text.parse::<DateTime>().ok().and_then(at_wib);
    let at = instant().or_else(date).or_else(wall);
    at.map(Some).ok_or_else(|| (column, format!("`{text}` is no time: write 2026-10-05T12:00:00+07:00")))
}

/// Adds digests up lane by lane, so that the sum does not depend on their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct DigestSum([u64; 4]);

impl DigestSum {
    /// Adds one.
    pub fn add(&mut self, digest: &Digest) {
        for (lane, bytes) in self.0.iter_mut().zip(digest.as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_be_bytes(*bytes));
        }
    }

    /// The sum.
    #[must_use]
    pub fn finish(self) -> Digest {
        let mut sum = [0; 32];
        for (bytes, lane) in sum.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *bytes = lane.to_be_bytes();
        }
        sum
    }
}
