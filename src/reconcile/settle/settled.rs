//! What settlement files come to: rows, payments, batches and channels.
//!
//! Belongs here: what there is to know of it. Must not be here: how it is found out (`rows`, `pairing`, `batches`).

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::batches::Batch;
use super::judged_row::JudgedRow;
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, Nature};
use crate::domain::reason::Candidates;
use crate::domain::sum::Sum;
use crate::reconcile::tally::Tallies;

/// What one channel's rows add up to, repeated rows left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelTotals {
    /// How many rows.
    pub rows: u64,
    /// Amounts of purchases.
    pub gross: Rupiah,
    /// What was taken back.
    pub refund: Rupiah,
    /// Fees, VAT included.
    pub fee: Rupiah,
    /// Discounts.
    pub discount: Rupiah,
    /// What was paid out.
    pub net: Rupiah,
}

/// One notified payment seen three ways: what was billed, notified and settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledPayment {
    /// Its bill, or [`crate::domain::line::NO_BILL`].
    pub bill: u32,
    /// What the bill asks for, in rupiah, if there is one.
    pub billed: Option<u64>,
    /// What was notified, in rupiah; 0 when unusable.
    pub notified: u64,
    /// Where it was paid.
    pub channel: Channel,
    /// The row that settles it, by its place in the settlement's rows.
    pub row: Option<u32>,
    /// The last day on which it may rightly be unsettled.
    pub due_on: Date,
    /// Whether it is of this period and of a channel that DOKU settles.
    pub in_scope: bool,
    /// S02: TIMING or BREAK when it is in scope and no row pays it out by the end of the period.
    pub unsettled: Option<Nature>,
}

/// What the settlement files come to.
#[derive(Debug, Default)]
pub struct Settled {
    /// Each readable row's class, in the order of the rows.
    pub rows: Vec<JudgedRow>,
    /// Each payment of the evidence, in the order of `Outcome::judged`.
    pub payments: Vec<SettledPayment>,
    /// Rows by class, in rupiah of their amounts.
    pub row_tallies: Tallies,
    /// Payments and batches by class: S02, and S05 of totals.
    pub other_tallies: Tallies,
    /// Rows, unsettled payments and wrong totals by nature, in the order of [`Nature::ALL`].
    pub natures: [Sum; 3],
    /// How often each flag was raised.
    pub flags: Tallies,
    /// The batches, by their ids.
    pub batches: Vec<Batch>,
    /// Sums of the rows that are ours.
    pub channels: BTreeMap<Channel, ChannelTotals>,
    /// Bills that a row settles, sorted.
    pub bills: Vec<u32>,
    /// Classes these files and settings cannot decide.
    pub not_evaluated: Vec<Class>,
    /// Of rows that could mean several payments: the ids of those.
    pub(super) candidates: HashMap<u32, Candidates>,
    /// The line that proves each payment.
    pub(super) proofs: Vec<u32>,
    /// What was paid out, by class.
    pub(super) paid_out: Tallies,
    /// Rows whose paid amount is not amount less fee and discount: by how much.
    pub(super) row_difference: Rupiah,
}

impl Settled {
    /// Rows, unsettled payments (S02) and wrong totals (S05) by class.
    #[must_use]
    pub fn tallies(&self) -> Tallies {
        self.row_tallies.clone().plus(&self.other_tallies)
    }

    /// Whether a row settles this bill.
    #[must_use]
    pub fn has_bill(&self, bill: u32) -> bool {
        self.bills.binary_search(&bill).is_ok()
    }
}
