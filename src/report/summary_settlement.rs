//! The part of summary.json that speaks of settlement.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::amount::Rupiah;
use crate::domain::classify::Nature;
use crate::domain::sum::Sum;
use crate::reconcile::settle::{Batch, ChannelTotals, Settled};

/// Everything it says; nothing without settlement files.
#[derive(Clone, Debug, Default)]
pub(super) struct SettlementFigures {
    pub(super) classes: Option<BTreeMap<&'static str, Sum>>,
    pub(super) natures: Option<BTreeMap<&'static str, Sum>>,
    pub(super) channels: Option<BTreeMap<&'static str, ChannelFigures>>,
    pub(super) batches: Option<Vec<BatchFigures>>,
}

/// What the rows of one channel come to, in rupiah.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelFigures {
    /// How many rows, repeated ones left out.
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

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchFigures {
    /// Its id.
    pub batch_id: String,
    /// Its readable rows, repeated ones left out.
    pub rows: u64,
    /// Rows that cannot be read.
    pub malformed: u64,
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
    /// What its files state was paid out, if they do.
    pub net_stated: Option<i64>,
    /// Whether every total is its sum, and no file contradicts another.
    pub holds: bool,
    /// Totals that are not their sums.
    pub differences: Vec<DifferenceFigures>,
}

/// A total that is not its sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DifferenceFigures {
    /// Which.
    pub total: &'static str,
    /// What the file states.
    pub stated: i128,
    /// What its rows come to.
    pub sum: i128,
}

impl SettlementFigures {
    /// All but the classes.
    pub(super) fn of(settled: &Settled) -> Self {
        let natures = Nature::ALL.into_iter().map(Nature::name).zip(settled.natures);
        let channels = settled.channels.iter().map(|(channel, totals)| (channel.name(), ChannelFigures::of(totals)));
        Self {
            classes: None,
            natures: Some(natures.collect()),
            channels: Some(channels.collect()),
            batches: Some(settled.batches.iter().map(BatchFigures::of).collect()),
        }
    }
}

impl ChannelFigures {
    const fn of(totals: &ChannelTotals) -> Self {
        let ChannelTotals { rows, gross, refund, fee, discount, net } = *totals;
        Self { rows, gross, refund, fee, discount, net }
    }
}

impl BatchFigures {
    fn of(batch: &Batch) -> Self {
        let difference =
            |one: &crate::reconcile::settle::TotalDifference| DifferenceFigures { total: one.total, stated: one.stated, sum: one.sum };
        Self {
            batch_id: batch.batch_id.clone(),
            rows: batch.sums.purchases.saturating_add(batch.sums.refunds),
            malformed: batch.malformed,
            gross: batch.sums.amount,
            refund: batch.sums.refund,
            fee: batch.sums.fee,
            discount: batch.sums.discount,
            net: batch.sums.paid_out,
            net_stated: batch.stated.paid_out,
            holds: batch.adds_up(),
            differences: batch.differences.iter().map(difference).collect(),
        }
    }
}
