//! What decisions stand on, where they do not say it themselves.
//!
//! Belongs here: finding in this run's evidence what a decision was made about. Must not be here: what it posts.

use crate::books::ground::grounds;
use crate::books::{BooksDecision, BooksError, BooksSubject, Facts, ItemId, Known, Leg, Posting, SharedTotals};

/// Decisions with what they stand on. One that was made before there were books, or that names a bill it was not made on, takes from
/// this run's evidence what is missing; one of before the books, about what they never heard of, is done.
pub(super) fn grounded(
    before: &Known,
    facts: &Facts,
    made: &[BooksDecision],
    posting: &Posting<'_>,
) -> Result<Vec<BooksDecision>, BooksError> {
    let mut decisions: Vec<BooksDecision> = made.iter().filter(|decision| !before.decisions.contains_key(&decision.id)).cloned().collect();
    let lacking: Vec<usize> = (0..).zip(&decisions).filter(|(_, decision)| lacks(before, decision)).map(|(place, _)| place).collect();
    if lacking.is_empty() {
        return Ok(decisions);
    }
    let known = posting.together(before.clone(), facts, &[], SharedTotals::default())?.known;
    let wanted: Vec<_> =
        lacking.iter().filter_map(|place| decisions.get(*place)).map(|decision| (leg(decision), decision.target)).collect();
    for (place, ground) in lacking.into_iter().zip(grounds(facts, &known, &wanted)) {
        if let Some(decision) = decisions.get_mut(place) {
            decision.facts.extend(ground);
        }
    }
    let began_on = before.began_on.unwrap_or(posting.period.from);
    decisions.retain(|decision| decision.effective_on >= began_on || !lacks(before, decision));
    Ok(decisions)
}

fn leg(decision: &BooksDecision) -> Option<Leg> {
    decision.account.map(|account| Leg::of(account, decision.item))
}

/// Whether neither the books nor the decision itself tell of what it is about.
fn lacks(before: &Known, decision: &BooksDecision) -> bool {
    let is_told = |id: ItemId| match id.subject() {
        BooksSubject::Bill => before.bills.contains_key(&id) || decision.facts.bills.iter().any(|bill| bill.id == id),
        BooksSubject::Debt => before.debts.contains_key(&id) || decision.facts.bills.iter().any(|bill| bill.debt == id),
        BooksSubject::Payment => {
            before.payments.contains_key(&before.payment_id(id)) || decision.facts.payments.iter().any(|one| one.id == id)
        }
        BooksSubject::Row => before.rows.contains_key(&id) || decision.facts.rows.iter().any(|row| row.id == id),
        BooksSubject::Batch => before.batches.contains_key(&id) || decision.facts.rows.iter().any(|row| row.batch == id),
        BooksSubject::BankLine => before.bank_lines.contains_key(&id) || decision.facts.bank_lines.iter().any(|line| line.id == id),
        BooksSubject::Event | BooksSubject::Payout | BooksSubject::Decision | BooksSubject::Alarm | BooksSubject::Books => true,
    };
    !is_told(decision.item) || decision.target.is_some_and(|target| !is_told(target))
}
