//! The roll-forward of outstanding codes, by channel and product.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::life::{End, Lives, Window};
use crate::domain::balance::{Balance, SignedLine};
use crate::domain::channel::Channel;
use crate::reconcile::bill::Bill;
use crate::reconcile::bills::Bills;

/// Everything that moves outstanding codes, as positive figures; `amended` is of either sign and moves rupiah only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeFigures {
    /// Outstanding at the start by what is known today.
    pub opening: Balance,
    /// Codes made in the period.
    pub issued: Balance,
    /// What amendments added or took.
    pub amended: Balance,
    /// Paid for the first time in the period.
    pub settled: Balance,
    /// Cancelled in the period.
    pub cancelled: Balance,
    /// Expired in the period without a payment.
    pub expired_unpaid: Balance,
    /// Outstanding at the end, counted by state.
    pub closing: Balance,
}

impl CodeFigures {
    fn plus(self, other: Self) -> Self {
        Self {
            opening: self.opening.plus(other.opening),
            issued: self.issued.plus(other.issued),
            amended: self.amended.plus(other.amended),
            settled: self.settled.plus(other.settled),
            cancelled: self.cancelled.plus(other.cancelled),
            expired_unpaid: self.expired_unpaid.plus(other.expired_unpaid),
            closing: self.closing.plus(other.closing),
        }
    }

    /// The lines between opening and closing.
    pub(super) fn movements(&self) -> [SignedLine; 5] {
        let line = |name, balance| SignedLine { name, balance };
        [
            line("issued", self.issued),
            line("amended", self.amended),
            line("settled", self.settled.negated()),
            line("cancelled", self.cancelled.negated()),
            line("expired_unpaid", self.expired_unpaid.negated()),
        ]
    }
}

/// Figures by channel and product.
#[derive(Debug, Default)]
pub(super) struct Codes {
    /// The product is a number of [`Bills::side`].
    pub(super) by_kind: BTreeMap<(Channel, u16), CodeFigures>,
}

impl Codes {
    pub(super) fn of(bills: &Bills, lives: &Lives<'_>, window: Window) -> Self {
        let count = u32::try_from(bills.listed()).unwrap_or(u32::MAX);
        let add = |mut codes: Self, number: u32| {
            if let Some(bill) = bills.get(number) {
                codes.add(bills, lives, window, (number, bill));
            }
            codes
        };
        (0..count).into_par_iter().with_min_len(1 << 13).fold(Self::default, add).reduce(Self::default, Self::plus)
    }

    fn add(&mut self, bills: &Bills, lives: &Lives<'_>, window: Window, (number, bill): (u32, &Bill)) {
        let Some(life) = lives.life(number, bill) else { return };
        let figures = self.by_kind.entry((bill.channel, bills.side().product(number))).or_default();
        let amount = |at: i64| Balance::one(lives.amount_at(number, bill, at).into());
        if lives.is_open(number, bill, window.start_us) {
            figures.opening = figures.opening.plus(amount(window.start_us));
        }
        if window.contains(life.issued_us) {
            figures.issued = figures.issued.plus(amount(life.issued_us));
        }
        let end_us = life.ended.map_or(i64::MAX, |(at, _)| at);
        let amended = lives.amended(number, bill, window.start_us.max(life.issued_us), window.close_us.min(end_us));
        figures.amended = figures.amended.plus(Balance::rupiah(amended));
        if let Some((at, end)) = life.ended.filter(|&(at, _)| window.contains(at)) {
            let moved = match end {
                End::Settled => &mut figures.settled,
                End::Cancelled => &mut figures.cancelled,
                End::Expired => &mut figures.expired_unpaid,
            };
            *moved = moved.plus(amount(at));
        }
        if lives.is_open(number, bill, window.close_us) {
            figures.closing = figures.closing.plus(amount(window.close_us));
        }
    }

    fn plus(mut self, later: Self) -> Self {
        for (kind, figures) in later.by_kind {
            let sum = self.by_kind.entry(kind).or_default();
            *sum = sum.plus(figures);
        }
        self
    }

    /// All channels and products together.
    pub(super) fn total(&self) -> CodeFigures {
        self.by_kind.values().fold(CodeFigures::default(), |sum, figures| sum.plus(*figures))
    }
}
