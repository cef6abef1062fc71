//! Batches: the totals their files state against the sums of their rows. A batch may be spread over several files.

use std::collections::BTreeMap;

use super::judged_row::JudgedRow;
use crate::domain::amount::Rupiah;
use crate::domain::settlement::{BatchTotals, Settlement, SettlementRow};

/// One batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Its id; empty for what the files do not name.
    pub batch_id: String,
    /// What its files state; of several different statements, their sums.
    pub stated: BatchTotals,
    /// What its rows come to, those that stand in it twice once.
    pub sums: BatchSums,
    /// Rows that cannot be read, and so are in no sum.
    pub malformed: u64,
    /// Whether its files contradict each other.
    pub is_contradicted: bool,
    /// Where totals and sums differ.
    pub differences: Vec<TotalDifference>,
}

/// What rows come to, in rupiah.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchSums {
    /// Amounts of purchases.
    pub amount: Rupiah,
    /// Fees.
    pub fee: Rupiah,
    /// How many purchases.
    pub purchases: u64,
    /// Amounts taken back.
    pub refund: Rupiah,
    /// How many refunds.
    pub refunds: u64,
    /// What was paid out.
    pub paid_out: Rupiah,
    /// Discounts.
    pub discount: Rupiah,
}

/// A total that is not its sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TotalDifference {
    /// Which.
    pub total: &'static str,
    /// What the file states.
    pub stated: i128,
    /// What its rows come to.
    pub sum: i128,
}

impl Batch {
    /// Whether every total is its sum, and no file contradicts another.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        self.differences.is_empty() && !self.is_contradicted
    }

    /// What the files state was paid out, less what the rows come to; nothing where they state nothing.
    pub(super) fn paid_out_difference(&self) -> Rupiah {
        self.stated.paid_out.map_or(Rupiah::ZERO, |stated| Rupiah::new(stated.into()).minus(self.sums.paid_out))
    }

    fn compare(&mut self) {
        let (stated, sums) = (&self.stated, &self.sums);
        let pairs = [
            ("Total Amount Purchase", stated.amount, sums.amount.get()),
            ("Total Fee", stated.fee, sums.fee.get()),
            ("Total Purchase", stated.purchases, sums.purchases.into()),
            ("Total Amount Refund", stated.refund, sums.refund.get()),
            ("Total Refund", stated.refunds, sums.refunds.into()),
            ("Total Settlement Amount", stated.paid_out, sums.paid_out.get()),
            ("Total Discount", stated.discount, sums.discount.get()),
            ("Total Transactions", stated.transactions, sums.purchases.saturating_add(sums.refunds).into()),
        ];
        let stated = pairs.into_iter().filter_map(|(total, stated, sum)| Some(TotalDifference { total, stated: stated?.into(), sum }));
        self.differences = stated.filter(|one| one.stated != one.sum).collect();
    }
}

impl BatchSums {
    fn add(&mut self, row: &SettlementRow) {
        let rupiah = |amount: i64| Rupiah::new(amount.into());
        if row.is_purchase() {
            self.amount = self.amount.plus(rupiah(row.amount));
            self.purchases = self.purchases.saturating_add(1);
        } else {
            self.refund = self.refund.plus(rupiah(row.amount.saturating_abs()));
            self.refunds = self.refunds.saturating_add(1);
        }
        self.fee = self.fee.plus(rupiah(row.fee));
        self.paid_out = self.paid_out.plus(rupiah(row.paid_out));
        self.discount = self.discount.plus(rupiah(row.discount));
    }
}

/// Statements of totals, each once: the parts of a batch that was split repeat them.
pub(super) fn distinct(totals: &[BatchTotals]) -> Vec<BatchTotals> {
    let mut distinct = totals.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Every batch, by its id.
pub(super) fn batches(files: &Settlement, judged: &[JudgedRow]) -> Vec<Batch> {
    let mut batches: BTreeMap<&str, Batch> = BTreeMap::new();
    for (row, judged) in files.rows.iter().zip(judged) {
        let batch = batches.entry(&row.batch_id).or_default();
        if judged.counts {
            batch.sums.add(row);
        }
    }
    for row in &files.malformed {
        let batch = batches.entry(&row.batch_id).or_default();
        batch.malformed = batch.malformed.saturating_add(1);
    }
    let distinct = distinct(&files.totals);
    for totals in &distinct {
        let batch = batches.entry(&totals.batch_id).or_default();
        batch.is_contradicted |= !totals.batch_id.is_empty() && batch.stated != BatchTotals::default();
        batch.stated = sum(&batch.stated, totals);
    }
    let finish = |(batch_id, mut batch): (&str, Batch)| {
        batch_id.clone_into(&mut batch.batch_id);
        batch.compare();
        batch
    };
    batches.into_iter().map(finish).collect()
}

fn sum(a: &BatchTotals, b: &BatchTotals) -> BatchTotals {
    let plus = |a: Option<i64>, b: Option<i64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    };
    BatchTotals {
        batch_id: b.batch_id.clone(),
        amount: plus(a.amount, b.amount),
        fee: plus(a.fee, b.fee),
        purchases: plus(a.purchases, b.purchases),
        refund: plus(a.refund, b.refund),
        refunds: plus(a.refunds, b.refunds),
        paid_out: plus(a.paid_out, b.paid_out),
        discount: plus(a.discount, b.discount),
        transactions: plus(a.transactions, b.transactions),
    }
}
