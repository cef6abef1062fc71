//! What a reconciliation concludes from, all of it read before; what decides beside it stands in `terms`.

use std::collections::HashSet;

use jiff::civil::Date;

use super::bills::Bills;
use super::earlier_payments::Orphan;
use super::external_error::MalformedBill;
use super::known_payments::KnownPayments;
use super::paid_out_before::PaidOutBefore;
use super::status::StatusEvidence;
use super::unlisted::Unlisted;
use super::waiting_rows::WaitingRows;
use crate::domain::classify::Class;
use crate::domain::line::{Lines, RawTotals};
use crate::domain::settlement::{Settlement, SettlementRow, SettlementTerms};
use crate::domain::sum::Sum;
use crate::evidence::Inquiries;
use crate::evidence::bank::Statements;

/// Everything a run concludes from.
#[derive(Debug)]
pub struct Inputs {
    /// The bills, findable.
    pub bills: Bills,
    /// Payments known from elsewhere than this evidence, sorted.
    pub known: KnownPayments,
    /// Payments of earlier months without a bill.
    pub orphans: Vec<Orphan>,
    /// Bills whose settlement row of an earlier month waits in suspense: DOKU's own word that they were paid.
    pub waited_for: HashSet<u32>,
    /// Payments that earlier months have settled, with the rows that did.
    pub paid_out_before: PaidOutBefore,
    /// Settlement rows of earlier months that wait for their payment.
    pub waiting_rows: WaitingRows,
    /// The evidence.
    pub lines: Lines,
    /// What the reader counted by itself.
    pub lines_read: u64,
    /// Lines that hold no message, less messages that share a line, as those found who looked at each line.
    pub lines_apart: i128,
    /// What the parser summed up by itself.
    pub raw: RawTotals,
    /// What the ledger, or the reader of the external one, counted by itself.
    pub scope: Sum,
    /// Rows of the external ledger that are no bills.
    pub malformed: Vec<MalformedBill>,
    /// Codes of our request history that the external ledger does not know, sorted; `None` without a history.
    pub unlisted: Option<Vec<Unlisted>>,
    /// Payments that Check Status told of.
    pub status: StatusEvidence,
    /// Classes these inputs cannot decide.
    pub not_evaluated: Vec<Class>,
    /// Settlement files, if any were given.
    pub settlement: Option<SettlementInput>,
    /// Answers to inquiries, if their logs were given.
    pub inquiries: Option<Inquiries>,
    /// Bank statements, if any were given.
    pub bank: Option<Statements>,
}

impl Inputs {
    /// A row of the settlement files, by its place.
    pub(super) fn listed_row(&self, at: u32) -> Option<&SettlementRow> {
        self.settlement.as_ref()?.files.rows.get(usize::try_from(at).ok()?)
    }

    /// When a row was paid out, if it was: one of the files, or after them one that waited.
    pub(super) fn paid_out_on(&self, at: u32) -> Option<Date> {
        let listed = self.settlement.as_ref().map_or(0, |input| input.files.rows.len());
        let waiting = || self.waiting_rows.apart.get(usize::try_from(at).ok()?.checked_sub(listed)?);
        self.listed_row(at).map_or_else(|| waiting().map(|row| row.booked.paid_out_on), |row| row.paid_out_on)
    }
}

/// What a run is given of settlement.
#[derive(Clone, Debug)]
pub struct SettlementInput {
    /// What the files say.
    pub files: Settlement,
    /// What the merchant knows.
    pub terms: SettlementTerms,
}
