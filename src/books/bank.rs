//! Bank lines against pay-outs, many to many: by reference, then by amount and date, then one transfer for several pay-outs, then
//! several transfers for one. A line that nobody explains stands in suspense, under its own item.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Span;
use jiff::civil::Date;

use super::account::Account;
use super::book::{Book, BooksError, Cause};
use super::fact::BankLineFact;
use super::item::ItemId;
use super::known::{BookedBankLine, Payout};
use super::movement::Movement;
use super::pair::Leg;
use crate::domain::amount::Rupiah;

/// The shortest batch name that counts as a reference: shorter ones occur in any text, and digits more easily.
const REFERENCE_LENGTH_MIN: usize = 3;
const DIGITS_LENGTH_MIN: usize = 4;

/// A line that waits for its pay-outs.
#[derive(Clone, Debug)]
struct Waiting {
    id: ItemId,
    on: Date,
    amount: Rupiah,
    /// The batches it names: it pays no others.
    batches: Vec<ItemId>,
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

impl Waiting {
    fn may_pay(&self, payout: &Expected) -> bool {
        self.batches.is_empty() || self.batches.contains(&payout.batch)
    }
}

impl Book<'_> {
    /// Posts the lines of bank statements, and matches what waits on both sides.
    pub(super) fn bank(&mut self, facts: &[BankLineFact]) -> Result<(), BooksError> {
        if !self.settings.bank_statement {
            return Ok(());
        }
        let mut lines: Vec<Waiting> = Vec::new();
        let facts = self.as_known(facts);
        let named = self.named_batches(&facts);
        for fact in &facts {
            if fact.on > self.period.to {
                self.aside.later.insert(fact.id);
            } else if !self.settings.counts(&fact.text) {
                // It is nobody's here.
            } else if let Entry::Vacant(line) = self.known.bank_lines.entry(fact.id) {
                let amount = Rupiah::new(fact.amount.into());
                line.insert(BookedBankLine { on: fact.on, amount });
                let batches = named.get(&fact.id).cloned().unwrap_or_default();
                lines.push(Waiting { id: fact.id, on: fact.on, amount, batches, is_new: true });
            } else {
                // Of a month that is over: whether it is the same line once more, or another, is for a person to see.
                self.aside.copies.extend(Some(fact.id).filter(|_| fact.on < self.period.from));
            }
        }
        let known = self.known.bank_lines.iter().filter(|(id, _)| lines.iter().all(|line| line.id != **id));
        let standing = known.filter_map(|(id, line)| {
            let held = Leg::of(Account::Suspense, *id);
            let is_whole = self.known.held(held) == line.amount && !self.is_decided(held);
            // What an earlier month's line said is known as long as the statement is given again.
            let batches = named.get(id).cloned().unwrap_or_default();
            is_whole.then_some(Waiting { id: *id, on: line.on, amount: line.amount, batches, is_new: false })
        });
        let standing: Vec<Waiting> = standing.collect();
        lines.extend(standing);
        lines.sort_by_key(|line| (line.on, line.id));
        let matches = self.find(&lines);
        for found in &matches {
            self.bank_match(found, &lines)?;
        }
        let is_matched = |line: &Waiting| matches.iter().any(|found| found.lines.contains(&line.id));
        for line in lines.iter().filter(|line| line.is_new && !is_matched(line)) {
            let cause = Cause { id: line.id, on: line.on };
            self.move_to(Leg::total(Account::Bank), Leg::of(Account::Suspense, line.id), line.amount, Movement::Banked, cause)?;
        }
        Ok(())
    }

    /// Lines under the ids that the books know them by.
    fn as_known(&self, facts: &[BankLineFact]) -> Vec<BankLineFact> {
        let of = |fact: &BankLineFact| {
            let known = fact.former.filter(|former| self.known.bank_lines.contains_key(former));
            BankLineFact { id: known.unwrap_or(fact.id), ..fact.clone() }
        };
        facts.iter().map(of).collect()
    }

    /// The batches that lines name.
    fn named_batches(&self, facts: &[BankLineFact]) -> HashMap<ItemId, Vec<ItemId>> {
        let is_reference = |name: &str| {
            let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
            name.len() >= if is_number { DIGITS_LENGTH_MIN } else { REFERENCE_LENGTH_MIN }
        };
        let references = self.known.batches.iter().filter(|(_, batch)| is_reference(&batch.name));
        let ids: HashMap<&str, ItemId> = references.map(|(id, batch)| (&*batch.name, *id)).collect();
        let names: HashSet<&str> = ids.keys().copied().collect();
        let batches = |fact: &BankLineFact| fact.text.names(&names).iter().filter_map(|name| ids.get(name)).copied().collect();
        facts.iter().map(|fact| (fact.id, batches(fact))).collect()
    }

    fn bank_match(&mut self, found: &Match, lines: &[Waiting]) -> Result<(), BooksError> {
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
    fn find(&self, lines: &[Waiting]) -> Vec<Match> {
        let open = self.known.balances.iter().filter(|(leg, _)| leg.account == Account::Payouts);
        let mut payouts: Vec<Expected> = open
            .filter_map(|(leg, open)| {
                let id = leg.item?;
                let Payout { batch, on } = *self.known.payouts.get(&id)?;
                Some(Expected { id, batch, on, amount: open.amount })
            })
            .collect();
        payouts.sort_by_key(|payout| (payout.on, payout.id));
        let mut lines: Vec<&Waiting> = lines.iter().collect();
        let mut found = Vec::new();
        Self::by_reference(&mut lines, &mut payouts, &mut found);
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
    fn by_reference(lines: &mut Vec<&Waiting>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        lines.retain(|line| {
            let named: Vec<&Expected> = payouts.iter().filter(|payout| line.batches.contains(&payout.batch)).collect();
            let one = named.iter().find(|payout| payout.amount == line.amount).map(|payout| vec![payout.id]);
            let all = || {
                let is_sum = named.iter().map(|payout| payout.amount).sum::<Rupiah>() == line.amount;
                (is_sum && !named.is_empty()).then(|| named.iter().map(|payout| payout.id).collect())
            };
            take(one.or_else(all), line, payouts, found)
        });
    }

    /// Lines of exactly a pay-out's amount, the oldest pay-out first.
    fn by_amount(&self, lines: &mut Vec<&Waiting>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        lines.retain(|line| {
            let one =
                payouts.iter().find(|payout| payout.amount == line.amount && self.is_near(payout.on, line.on) && line.may_pay(payout));
            take(one.map(|payout| vec![payout.id]), line, payouts, found)
        });
    }

    /// One transfer for all pay-outs of consecutive days.
    fn by_sum_of_payouts(&self, lines: &mut Vec<&Waiting>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        lines.retain(|line| {
            let mut days: BTreeMap<Date, Vec<&Expected>> = BTreeMap::new();
            for payout in payouts.iter().filter(|payout| self.is_near(payout.on, line.on)) {
                days.entry(payout.on).or_default().push(payout);
            }
            let days: Vec<Vec<&Expected>> = days.into_values().collect();
            let runs = (0..days.len()).flat_map(|first| (first..days.len()).map(move |last| (first, last)));
            let sums = runs.filter_map(|(first, last)| Some(days.get(first..=last)?.iter().flatten().copied().collect::<Vec<_>>()));
            let is_for = |run: &Vec<&Expected>| line.batches.iter().all(|batch| run.iter().any(|payout| payout.batch == *batch));
            let mut paid = sums.filter(|run| run.iter().map(|payout| payout.amount).sum::<Rupiah>() == line.amount && is_for(run));
            let ids = paid.next().map(|run| run.into_iter().map(|payout| payout.id).collect());
            take(ids, line, payouts, found)
        });
    }

    /// One pay-out that came in several transfers of one day.
    fn by_sum_of_lines(&self, lines: &mut Vec<&Waiting>, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) {
        payouts.retain(|payout| {
            let mut days: BTreeMap<Date, Vec<&Waiting>> = BTreeMap::new();
            for line in lines.iter().filter(|line| self.is_near(payout.on, line.on) && line.may_pay(payout)) {
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
fn take(ids: Option<Vec<ItemId>>, line: &Waiting, payouts: &mut Vec<Expected>, found: &mut Vec<Match>) -> bool {
    let Some(ids) = ids else { return true };
    payouts.retain(|payout| !ids.contains(&payout.id));
    found.push(Match { lines: vec![line.id], payouts: ids });
    false
}
