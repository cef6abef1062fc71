//! What the register of discrepancies knows of a period: how they moved, and which decisions on held money stand.

use jiff::Timestamp;
use jiff::civil::Date;

use super::suspense::{Ending, SuspenseDecision, is_held};
use super::{Discrepancies, MonthInputs, OpenException, Opening};
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::calendar::{start_of_wib_day, wib_date};
use crate::domain::classify::Class;
use crate::domain::discrepancy::{Action, Chapter, Facts, Item, Register};
use crate::reconcile::Terms;

impl MonthInputs {
    /// Carried on from `opening`, with what the register knows; `None` for a register that no report was ever taken into.
    #[must_use]
    pub fn new(opening: Option<Opening>, register: Option<&Register>, books: Option<String>, terms: &Terms) -> Self {
        let register = register.filter(|register| !register.runs().is_empty());
        Self {
            opening,
            decisions: register.map_or_else(Vec::new, decisions),
            books,
            discrepancies: register.map(|register| Discrepancies::of(register, terms)),
        }
    }
}

/// The decisions in force on payments that were held, by id.
fn decisions(register: &Register) -> Vec<SuspenseDecision> {
    let on_held = register.items().filter(|(_, item)| Class::parse(&item.facts.class).is_some_and(is_held));
    let decision = |(id, item): (&String, &Item)| {
        let resolution = item.resolution.as_ref()?;
        let ending = match resolution.action {
            Action::Refund => Ending::Refunded,
            // Kept for the customer, or for good: either way it is no longer nobody's.
            Action::Apply | Action::Credit | Action::WriteOff => Ending::Applied,
            Action::Accept | Action::Investigate => return None,
        };
        Some(SuspenseDecision { discrepancy_id: id.clone(), ending, at: resolution.at })
    };
    on_held.filter_map(decision).collect()
}

/// How a stretch of an item's life ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    Accepted,
    Cleared,
}

fn ended(chapter: &Chapter) -> Option<(Date, Ended)> {
    let accepted = chapter.resolution.as_ref().map(|resolution| (wib_date(resolution.at).max(chapter.opened_on), Ended::Accepted));
    let closed = chapter.closed_on.map(|day| (day, Ended::Cleared));
    accepted.into_iter().chain(closed).min()
}

/// Whether it waits for a person at the end of a day, by its state then.
fn waits(chapter: &Chapter, day: Date) -> bool {
    let decided = chapter.resolution.as_ref().is_some_and(|resolution| wib_date(resolution.at) <= day);
    chapter.opened_on <= day && !decided && chapter.closed_on.is_none_or(|closed| closed > day)
}

/// What was paid, or else what should have been.
fn balance(facts: &Facts) -> Balance {
    let amount = facts.paid.filter(|&paid| paid != 0).or(facts.expected).unwrap_or(0);
    Balance::one(Rupiah::new(amount.into()))
}

impl Discrepancies {
    /// The movements of the days of `terms` up to as-of.
    #[must_use]
    pub fn of(register: &Register, terms: &Terms) -> Self {
        let (from, to) = (terms.period.from, terms.period.to.min(wib_date(terms.as_of)));
        let inside = |day: Date| from <= day && day <= to;
        let mut moved = Self::default();
        for (_, item) in register.items() {
            for (place, chapter) in item.chapters.iter().enumerate() {
                let one = balance(&chapter.facts);
                let add = |sum: &mut Balance| *sum = sum.plus(one);
                if from.yesterday().is_ok_and(|before| waits(chapter, before)) {
                    add(&mut moved.opening);
                }
                if inside(chapter.opened_on) {
                    add(if place == 0 { &mut moved.new } else { &mut moved.reopened });
                }
                match ended(chapter).filter(|&(day, _)| inside(day)) {
                    Some((_, Ended::Accepted)) => add(&mut moved.accepted),
                    Some((_, Ended::Cleared)) => add(&mut moved.cleared),
                    None => {}
                }
                if waits(chapter, to) {
                    moved.open.push(OpenException { opened_at: opened_at(item), balance: one });
                }
            }
        }
        moved
    }
}

/// An item is as old as its first chapter, whatever became of it in between.
fn opened_at(item: &Item) -> Timestamp {
    let day = item.chapters.first().map(|chapter| chapter.opened_on);
    day.and_then(start_of_wib_day).unwrap_or(Timestamp::UNIX_EPOCH)
}
