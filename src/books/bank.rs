//! Bank lines against pay-outs, many to many: by reference, then by amount and date, then one transfer for several pay-outs, then
//! several transfers for one. A line that nobody explains stands in suspense, under its own item.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::Date;

use super::account::Account;
use super::book::{Book, BooksError, Cause};
use super::fact::BankLineFact;
use super::item::ItemId;
use super::known::{BankLine, Payout};
use super::pair::{Leg, Movement};
use crate::domain::amount::Rupiah;

/// The shortest batch name that counts as a reference: shorter ones occur in any text.
const REFERENCE_LENGTH_MIN: usize = 4;

/// A line that waits for its pay-outs.
#[derive(Clone, Debug)]
struct Waiting<'a> {
    id: ItemId,
    on: Date,
    amount: Rupiah,
    text: &'a str,
    is_new: bool,
}

/// A pay-out that waits for its lines.
#[derive(Clone, Debug)]
struct Expected {
    id: ItemId,
    batch: ItemId,
    on: Date,
    amount: Rupiah,
}

/// Which lines pay which pay-outs: one of the two lists has one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Match {
    lines: Vec<ItemId>,
    payouts: Vec<ItemId>,
}

impl Book<'_> {
    /// Posts the lines of bank statements, and matches what waits on both sides.
    pub(super) fn bank(&mut self, facts: &[BankLineFact]) -> Result<(), BooksError> {
        if !self.settings.bank_statement {
            return Ok(());
        }
        let mut lines: Vec<Waiting<'_>> = Vec::new();
        for fact in facts {
            if fact.on > self.period.to {
                self.aside.later.insert(fact.id);
            } else if self.settings.counts(&fact.text) && !self.known.bank_lines.contains_key(&fact.id) {
                let amount = Rupiah::new(fact.amount.into());
                self.known.bank_lines.insert(fact.id, BankLine { on: fact.on, amount });
                lines.push(Waiting { id: fact.id, on: fact.on, amount, text: &fact.text, is_new: true });
            }
        }
        let known = self.known.bank_lines.iter().filter(|(id, _)| lines.iter().all(|line| line.id != **id));
        let standing = known.filter_map(|(id, line)| {
            let held = Leg::of(Account::Suspense, *id);
            let is_whole = self.known.held(held) == line.amount && !self.is_decided(held);
            is_whole.then_some(Waiting { id: *id, on: line.on, amount: line.amount, text: "", is_new: false })
        });
        let standing: Vec<Waiting<'_>> = standing.collect();
        lines.extend(standing);
        lines.sort_by_key(|line| (line.on, line.id));
        let matches = self.find(&lines);
        for found in &matches {
            self.bank_match(found, &lines)?;
        }
        let is_matched = |line: &Waiting<'_>| matches.iter().any(|found| found.lines.contains(&line.id));
        for line in lines.iter().filter(|line| line.is_new && !is_matched(line)) {
            let cause = Cause { id: line.id, on: line.on };
            self.move_to(Leg::total(Account::Bank), Leg::of(Account::Suspense, line.id), line.amount, Movement::Banked, cause)?;
        }
        Ok(())
    }

    fn bank_match(&mut self, found: &Match, lines: &[Waiting<'_>]) -> Result<(), BooksError> {
        for id in &found.lines {
            let Some(line) = lines.iter().find(|line| line.id == *id) else { continue };
            for payout in &found.payouts {
                let announced = Leg::of(Account::Payouts, *payout);
                // One line for several pay-outs moves each of them whole; several lines for one move themselves.
                let amount = if found.payouts.len() == 1 { line.amount } else { self.known.balance(announced) };
                let (debit, cause) = if line.is_new {
                    (Leg::total(Account::Bank), Cause { id: line.id, on: line.on })
                } else {
                    let day = self.known.payouts.get(payout).map_or(line.on, |payout| payout.on).max(line.on);
                    (Leg::of(Account::Suspense, line.id), Cause::concluded("banked", &[line.id, *payout], day))
                };
                self.move_to(debit, announced, amount, Movement::Banked, cause)?;
            }
        }
        Ok(())
    }

    /// The matches, surest first. Each line and each pay-out is in one of them at most.
    fn find(&self, lines: &[Waiting<'_>]) -> Vec<Match> {
        let open = self.known.balances.iter().filter(|(leg, _)| leg.account == Account::Payouts);
        let mut payouts: Vec<Expected> = open
            .filter_map(|(leg, open)| {
                let id = leg.item?;
                let Payout { batch, on } = *self.known.payouts.get(&id)?;
                Some(Expected { id, batch, on, amount: open.amount })
            })
            .collect();
        payouts.sort_by_key(|payout| (payout.on, payout.id));
        let mut lines: Vec<&Waiting<'_>> = lines.iter().collect();
        let mut found = Vec::new();
        self.by_reference(&mut lines, &mut payouts, &mut found);
        self.by_amount(&mut lines, &mut payouts, &mut found);
        self.by_sum_of_payouts(&mut lines, &mut payouts, &mut found);
        self.by_sum_of_lines(&mut lines, &mut payouts, &mut found);
        found
    }

    fn is_near(&self, payout: Date, line: Date) -> bool {
        let window = Span::new().try_days(self.settings.bank_window_days).unwrap_or_default();
        payout <= line && payout.checked_add(window).is_ok_and(|last| line <= last)
    }

    /// Lines that name a batch and pay one of its days, or all of them.
    fn by_reference(&self, lines: &mut Vec<&Waiting<'_>>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        lines.retain(|line| {
            let is_named = |payout: &&Expected| {
                let name = self.known.batches.get(&payout.batch).map_or("", |batch| &batch.name);
                name.len() >= REFERENCE_LENGTH_MIN && line.text.contains(name)
            };
            let named: Vec<&Expected> = payouts.iter().filter(is_named).collect();
            let one = named.iter().find(|payout| payout.amount == line.amount).map(|payout| vec![payout.id]);
            let all = || {
                let is_sum = named.iter().map(|payout| payout.amount).sum::<Rupiah>() == line.amount;
                (is_sum && !named.is_empty()).then(|| named.iter().map(|payout| payout.id).collect())
            };
            take(one.or_else(all), line, payouts, found)
        });
    }

    /// Lines of exactly a pay-out's amount, the oldest pay-out first.
    fn by_amount(&self, lines: &mut Vec<&Waiting<'_>>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        lines.retain(|line| {
            let one = payouts.iter().find(|payout| payout.amount == line.amount && self.is_near(payout.on, line.on));
            take(one.map(|payout| vec![payout.id]), line, payouts, found)
        });
    }

    /// One transfer for all pay-outs of consecutive days.
    fn by_sum_of_payouts(&self, lines: &mut Vec<&Waiting<'_>>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        lines.retain(|line| {
            let mut days: BTreeMap<Date, Vec<&Expected>> = BTreeMap::new();
            for payout in payouts.iter().filter(|payout| self.is_near(payout.on, line.on)) {
                days.entry(payout.on).or_default().push(payout);
            }
            let days: Vec<Vec<&Expected>> = days.into_values().collect();
            let runs = (0..days.len()).flat_map(|first| (first..days.len()).map(move |last| (first, last)));
            let sums = runs.filter_map(|(first, last)| Some(days.get(first..=last)?.iter().flatten().copied().collect::<Vec<_>>()));
            let mut paid = sums.filter(|run| run.iter().map(|payout| payout.amount).sum::<Rupiah>() == line.amount);
            let ids = paid.next().map(|run| run.into_iter().map(|payout| payout.id).collect());
            take(ids, line, payouts, found)
        });
    }

    /// One pay-out that came in several transfers of one day.
    fn by_sum_of_lines(&self, lines: &mut Vec<&Waiting<'_>>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        payouts.retain(|payout| {
            let mut days: BTreeMap<Date, Vec<&Waiting<'_>>> = BTreeMap::new();
            for line in lines.iter().filter(|line| self.is_near(payout.on, line.on)) {
                days.entry(line.on).or_default().push(line);
            }
            let mut paid = days.into_values().filter(|day| day.iter().map(|line| line.amount).sum::<Rupiah>() == payout.amount);
            let Some(day) = paid.next() else { return true };
            let ids: Vec<ItemId> = day.into_iter().map(|line| line.id).collect();
            lines.retain(|line| !ids.contains(&line.id));
            found.push(Match { lines: ids, payouts: vec![payout.id] });
            false
        });
    }
}

/// Takes what was found out of what waits; says whether the line waits on.
fn take(ids: Option<Vec<ItemId>>, line: &Waiting<'_>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) -> bool {
    let Some(ids) = ids else { return true };
    payouts.retain(|payout| !ids.contains(&payout.id));
    found.push(Match { lines: vec![line.id], payouts: ids });
    false
}
