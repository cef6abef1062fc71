//! The rows of an external ledger: what each cell may say, what a bill is made of, and every row that is none, with its cell.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rayon::prelude::*;

use super::bills::Bills;
use super::external_columns::Columns;
use super::external_error::{ExternalError, MalformedBill};
use super::known_payments::KnownPayment;
use super::new_bill::{ExternalMark, NewBill};
use super::terms::ReconcileTerms;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::calendar::{at_wib, end_of_wib_day, start_of_wib_day};
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, MatchingPolicy};
use crate::domain::digest;
use crate::domain::digest::Digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::personal::{may_be_personal, shown};
use crate::domain::reason::{AmountFault, CellFault, DateFault, Spoilt, WordFault};
use crate::domain::sum::Sum;
use crate::table::{AmountFormat, DateFormat, Row, StoredAs, TableLayout};

/// Everything an external ledger says.
#[derive(Debug)]
pub struct External {
    /// The bills, findable.
    pub bills: Bills,
    /// Its paid marks from before the period, sorted.
    pub known: Vec<KnownPayment>,
    /// Rows that are no bills.
    pub malformed: Vec<MalformedBill>,
    /// Bills in scope, counted row by row.
    pub scope: Sum,
    /// Classes its columns cannot decide.
    pub not_evaluated: Vec<Class>,
    /// A digest of all rows that does not depend on their order.
    pub rows_digest: Digest,
    /// Its rows, the header not counted.
    pub rows: u64,
    /// Of them, rows that say word for word what an earlier one says: counted once.
    pub repeated: u64,
}

/// Rows that are parsed at once.
pub(super) const BATCH: usize = 1 << 13;

/// Takes rows one by one, whatever file they are from.
pub(super) struct Rows<'a> {
    columns: Columns,
    terms: &'a ReconcileTerms,
    layout: &'a TableLayout,
    external: External,
    sum: DigestSum,
    /// Half of every row's digest: whoever says the same again is counted once.
    seen: HashSet<[u8; 16]>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(columns: Columns, terms: &'a ReconcileTerms, layout: &'a TableLayout) -> Self {
        let external = External {
            bills: Bills::default(),
            known: Vec::new(),
            malformed: Vec::new(),
            scope: Sum::default(),
            not_evaluated: not_evaluated(&columns, &terms.policy),
            rows_digest: [0; 32],
            rows: 0,
            repeated: 0,
        };
        Self { columns, terms, layout, external, sum: DigestSum::default(), seen: HashSet::new() }
    }

    /// Parses `batch` in parallel and takes its rows in their order.
    pub(super) fn take(&mut self, batch: &mut [Row]) -> Result<(), ExternalError> {
        let (columns, layout) = (&self.columns, self.layout);
        let digests: Vec<Digest> = batch.par_iter().map(row_digest).collect();
        if layout.rewrites() {
            batch.par_iter_mut().for_each(|row| columns.rewrite(row, layout));
        }
        let parsed: Vec<_> = batch.par_iter().map(|row| parse(columns, row)).collect();
        for ((row, digest), parsed) in batch.iter().zip(digests).zip(parsed) {
            self.external.rows = self.external.rows.saturating_add(1);
            self.sum.add(&digest);
            match parsed {
                Ok(_) if !digest.first_chunk().is_none_or(|half| self.seen.insert(*half)) => {
                    self.external.repeated = self.external.repeated.saturating_add(1);
                }
                Ok(row) => self.external.take(&row, self.terms)?,
                // What cannot be read is no bill said twice: each row is told, and counts against the table.
                Err(fault) => self.external.malformed.push(malformed(columns, row, digest, fault)),
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> External {
        let mut external = self.external;
        external.rows_digest = self.sum.finish();
        external.bills.build_index();
        external.known.sort_unstable();
        external
    }
}

pub(super) fn malformed(columns: &Columns, row: &Row, digest: Digest, (column, reason): Fault) -> MalformedBill {
    let is_shown = |text: &&str| InvoiceNumber::new(text).is_ok() && !may_be_personal(text, &[]);
    let invoice_number = columns.cell(row, 0).ok().filter(is_shown).unwrap_or_default().to_owned();
    MalformedBill { digest, row: row.number, byte: row.byte, invoice_number, column, reason }
}

/// Over all cells and where each ends.
fn row_digest(row: &Row) -> Digest {
    let mut running = digest::Running::default();
    for cell in row.iter() {
        running.update(cell);
    }
    for cell in row.iter() {
        running.update(&u64::try_from(cell.len()).unwrap_or(u64::MAX).to_be_bytes());
    }
    running.finish()
}

type Fault = (&'static str, CellFault);

impl External {
    fn take(&mut self, row: &ParsedRow<'_>, terms: &ReconcileTerms) -> Result<(), ExternalError> {
        // The file says what the state was when the bill was paid, or is.
        let lapses = &[(Timestamp::MIN, terms.policy.is_lapsed(row.policy_status))];
        let bill = &NewBill { earlier_amounts: &row.earlier_amounts, lapses, dimensions: &row.dimensions, ..row.bill.clone() };
        let number = self.bills.push(bill).map_err(|_| ExternalError::TooMany)?;
        if let ExternalMark::At(paid_at) = bill.paid
            && paid_at < terms.period.starts_at()
        {
            let amount = row.paid_amount.unwrap_or(bill.amount).get();
            self.known.push(KnownPayment {
                bill: number,
                paid_at,
                identity: [0; 32],
                amount,
                sameness: None,
                in_ledger: true,
                is_unproven: false,
                is_proved: false,
            });
        }
        if is_open(bill, terms) {
            self.scope = self.scope.plus(Sum::one(Rupiah::from(bill.amount)));
        }
        Ok(())
    }
}

/// The reader's own count of bills in scope: on purpose not the engine's code.
pub(super) fn is_open(bill: &NewBill<'_>, terms: &ReconcileTerms) -> bool {
    let from = terms.period.starts_at().as_microsecond();
    let grace_us = terms.policy.expiry_grace_minutes.saturating_mul(60_000_000);
    let us = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
    let created_later = us(bill.planned_at).is_some_and(|at| at > terms.as_of.as_microsecond());
    let cancelled_earlier = us(bill.cancelled_at).is_some_and(|at| at < from);
    let expired_earlier = us(bill.expires_at).is_some_and(|at| at.saturating_add(grace_us) < from);
    let paid_earlier = !bill.reusable && matches!(bill.paid, ExternalMark::At(at) if at.as_microsecond() < from);
    !(created_later || cancelled_earlier || expired_earlier || paid_earlier)
}

pub(super) fn not_evaluated(columns: &Columns, policy: &MatchingPolicy) -> Vec<Class> {
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
    dimensions: Vec<(&'r str, &'r str)>,
}

/// One row → a bill, or the column at fault.
fn parse<'r>(columns: &'r Columns, row: &'r Row) -> Result<ParsedRow<'r>, Fault> {
    if let Some(wrong) = row.wrong {
        return Err(("row", CellFault::Row(wrong)));
    }
    let cell = |index: usize, column: &'static str| columns.cell(row, index).map_err(|reason| (column, reason));
    let rupiah = |column: &'static str, text: &str| amount(columns.amount_format, text).map_err(|reason| (column, reason));
    let invoice_number = cell(0, "invoice_number")?;
    InvoiceNumber::new(invoice_number).map_err(|error| ("invoice_number", CellFault::Id(error)))?;
    unspoilt(columns, row, (0, "invoice_number"), invoice_number)?;
    let payment_code = cell(1, "payment_code")?;
    if !payment_code.is_empty() {
        PaymentCode::new(payment_code).map_err(|error| ("payment_code", CellFault::Id(error)))?;
        unspoilt(columns, row, (1, "payment_code"), payment_code)?;
    }
    let channel = cell(2, "channel")?;
    let channel =
        Channel::parse(channel).ok_or_else(|| ("channel", CellFault::Word(WordFault::Channel(shown(channel, &["alfa", "indomaret"])))))?;
    let amount = rupiah("amount", cell(3, "amount")?)?;
    let status = cell(4, "status")?;
    let created_at = time("created_at", cell(6, "created_at")?, start_of_wib_day)?;
    let expires_at = time("expires_at", cell(7, "expires_at")?, end_of_wib_day)?;
    let cancelled_at = time("cancelled_at", cell(8, "cancelled_at")?, start_of_wib_day)?;
    let paid_at = time("paid_at", cell(9, "paid_at")?, start_of_wib_day)?;
    let paid_amount = Some(cell(10, "paid_amount")?).filter(|text| !text.is_empty());
    let paid_amount = paid_amount.map(|text| rupiah("paid_amount", text)).transpose()?;
    let mut earlier_amounts = Vec::new();
    for text in cell(11, "amount_history")?.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        earlier_amounts.push(rupiah("amount_history", text)?);
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
        answered_as: &[],
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
        dimensions: &[],
        product: Some(cell(14, "policy_type")?).filter(|name| !name.is_empty()),
        due_on: due_on(cell(15, "due_date")?)?,
        bill_group: Some(cell(12, "bill_group")?).filter(|name| !name.is_empty()),
        lapses: &[],
        issued_otherwise: false,
        code_is_dead: false,
        by_inquiry: false,
    };
    let dimensions = columns.dimensions_of(row).map_err(|reason| ("dimensions", reason))?;
    Ok(ParsedRow { bill, earlier_amounts, paid_amount, policy_status: cell(13, "policy_status")?, dimensions })
}

/// An amount as `format` writes it.
pub(super) fn amount(format: AmountFormat, text: &str) -> Result<Amount, CellFault> {
    let plain = format.plain(text).map_err(AmountFault::Separators);
    let amount =
        |plain: Cow<'_, str>| Amount::parse(&plain).map_err(|error| AmountFault::NotDue { error, fits: AmountFormat::that_fits(text) });
    plain.and_then(amount).map_err(CellFault::Amount)
}

/// A number that identifies something must be as it was written: no apostrophe before it, and no number of a workbook.
fn unspoilt(columns: &Columns, row: &Row, (index, column): (usize, &'static str), text: &str) -> Result<(), Fault> {
    if text.starts_with('\'') {
        return Err((column, CellFault::Spoilt(Spoilt::Apostrophe)));
    }
    let is_number = columns.kind(row, index) == StoredAs::Number;
    if is_number && (column == "payment_code" || text.len() > 15 || !text.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err((column, CellFault::Spoilt(Spoilt::Number)));
    }
    Ok(())
}

/// A WIB day, or nothing.
pub(super) fn due_on(text: &str) -> Result<Option<Date>, Fault> {
    let date = Some(text).filter(|text| !text.is_empty()).map(str::parse);
    let wrong = || DateFault::NoDate { text: shown(text, &[]), fits: DateFormat::that_fits(text) };
    date.transpose().map_err(|_| ("due_date", CellFault::Date(wrong())))
}

const STATUSES: [&str; 4] = ["active", "paid", "cancelled", "expired"];

/// The word must be one of four, and have the time it speaks of beside it.
pub(super) fn check_status(status: &str, cancelled_at: Option<Timestamp>, expires_at: Option<Timestamp>) -> Result<(), Fault> {
    let is = |name: &str| status.eq_ignore_ascii_case(name);
    match (cancelled_at, expires_at) {
        (None, _) if is("CANCELLED") => Err(("cancelled_at", CellFault::Date(DateFault::Cancelled))),
        (_, None) if is("EXPIRED") => Err(("expires_at", CellFault::Date(DateFault::Expired))),
        _ if STATUSES.into_iter().any(is) => Ok(()),
        _ => Err(("status", CellFault::Word(WordFault::Status(shown(status, &STATUSES))))),
    }
}

fn yes_or_no(text: &str) -> Result<bool, Fault> {
    let is = |names: [&str; 3]| names.into_iter().any(|name| name.eq_ignore_ascii_case(text));
    match text {
        "" => Ok(false),
        _ if is(["true", "1", "yes"]) => Ok(true),
        _ if is(["false", "0", "no"]) => Ok(false),
        _ => Err(("reusable", CellFault::Word(WordFault::YesOrNo(shown(text, &["true", "false", "yes", "no"]))))),
    }
}

/// An instant with its offset, a WIB wall-clock time, or a WIB day.
pub(super) fn time(column: &'static str, text: &str, day: fn(Date) -> Option<Timestamp>) -> Result<Option<Timestamp>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let instant = || text.parse::<Timestamp>().ok();
    let date = || if text.len() == 10 { text.parse::<Date>().ok().and_then(day) } else { None };
    let wall = || text.parse::<DateTime>().ok().and_then(at_wib);
    let at = instant().or_else(date).or_else(wall);
    let wrong = || DateFault::NoTime { text: shown(text, &[]), fits: DateFormat::that_fits(text) };
    at.map(Some).ok_or_else(|| (column, CellFault::Date(wrong())))
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
