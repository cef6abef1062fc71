//! The one list of what somebody must look at: what this run found, held against the books, and what of earlier months is open still.
//!
//! A finding whose money a decision moved is decided; an item that is to be dealt with is in the list although this run's evidence does not
//! tell of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::finding::{Finding, severity_of};
use super::open_items::{Items, OpenItem, Todo};
use crate::books::fact::RowKind;
use crate::books::known::{Debt, Known};
use crate::books::{Account, BooksSubject, Facts, ItemId, Leg};
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, ClassSet, ClassSubject, Nature, Severity, Stands};
use crate::domain::reason::OpenReason;
use crate::register::InBooks;

/// The list, each row with the item of the books that it is and what a decision about that stands on. `known` is what the parts of the
/// books have in common, where every decision is; `unposted` what they have forgotten, or leave to a later month.
#[must_use]
pub(super) fn listed(
    found: Vec<Finding>,
    open: &Items,
    grounds: &BTreeMap<(Option<Account>, ItemId), Facts>,
    known: &Known,
    unposted: &BTreeSet<ItemId>,
) -> Vec<Finding> {
    let items = ToldItems::of(open);
    let decided: BTreeSet<Leg> =
        known.decisions.values().filter(|one| !one.is_taken_back && one.refused.is_none()).filter_map(|one| one.leg).collect();
    let rows: HashMap<&str, ItemId> = known.rows.iter().map(|(id, row)| (&*row.listed_as, *id)).collect();
    let mut list: Vec<Finding> = Vec::new();
    let mut listed: BTreeSet<(Option<Account>, ItemId)> = BTreeSet::new();
    let mut flagged: BTreeMap<&str, ClassSet> = BTreeMap::new();
    let told = items.told(&found, &mut listed);
    for (mut finding, told) in found.into_iter().zip(told) {
        match (told, items.of_id(&finding)) {
            // The books know of money that may pay it: nobody is asked for that.
            (Some(item), _) if item.todo == Todo::NotYet && is_of_books(&finding) && finding.flags.raising().is_none() => continue,
            (Some(item), _) => {
                finding.is_decided = item.todo == Todo::Decided;
                finding.books = Some(in_books(item));
                // A debt has one id, whichever of its bills tells of it.
                finding.id.clone_from(&item.discrepancy_id);
                say_as_books(&mut finding, item, known);
            }
            // A decision names a row by its id: a bill has one, for the money that is open on it. What is wrong besides is told there.
            (None, Some(item)) if item.todo == Todo::Now && !listed.contains(&(item.account, item.id)) => {
                let own = if is_of_books(&finding) { finding.flags } else { finding.flags.with(finding.class) };
                flagged.insert(&item.discrepancy_id, own);
                continue;
            }
            // Its balance is zero: a decision may have moved it.
            _ => finding.is_decided = leg_of(known, &rows, &finding).is_some_and(|leg| decided.contains(&leg)),
        }
        if finding.books.is_some() || finding.is_decided || !is_of_books(&finding) || is_unknown(&finding, unposted) {
            list.push(finding);
        }
    }
    let is_to_see = |item: &&OpenItem| item.todo == Todo::Now || item.account == Some(Account::Deposits);
    let open = open.shown().filter(is_to_see).filter(|item| !listed.contains(&(item.account, item.id)));
    list.extend(open.filter_map(|item| carried(item, flagged.get(item.discrepancy_id.as_str()).copied().unwrap_or(ClassSet::EMPTY))));
    for books in list.iter_mut().filter_map(|finding| finding.books.as_mut()) {
        books.ground = grounds.get(&(books.account, books.item)).cloned().unwrap_or_default();
    }
    list.sort_by(|a, b| {
        let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.class.id());
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id)).then_with(|| a.sources.cmp(&b.sources))
    });
    list
}

/// The open items of which findings may tell.
struct ToldItems<'a> {
    /// By the id under which they are listed, of each the first: what is to be done comes before what is not, money before an alarm.
    first: BTreeMap<&'a str, &'a OpenItem>,
    /// What nothing proves, by the bills of its debt.
    unproven: BTreeMap<&'a str, &'a OpenItem>,
}

impl<'a> ToldItems<'a> {
    fn of(open: &'a Items) -> Self {
        let mut first: BTreeMap<&str, &OpenItem> = BTreeMap::new();
        let place = |item: &OpenItem| (item.todo != Todo::Now, item.todo == Todo::NotYet, item.account.is_none());
        // An alarm about money that is to be dealt with is told with that money.
        for item in open.shown().filter(|item| item.account.is_some() || item.todo != Todo::NotYet) {
            let before = first.entry(&item.discrepancy_id).or_insert(item);
            if place(item) < place(before) {
                *before = item;
            }
        }
        let unproven = open.of(Some(Account::Unproven)).flat_map(|item| item.invoice_number.split(' ').map(move |bill| (bill, item)));
        Self { first, unproven: unproven.collect() }
    }

    /// The item listed under the id of `finding`.
    fn of_id(&self, finding: &Finding) -> Option<&'a OpenItem> {
        self.first.get(finding.id.as_str()).copied()
    }

    /// Of each finding the item that is a row as it, which is noted: it is no row of its own. Which of its bills a debt is listed under depends
    /// on numbers alone; where that is none of those that are found, the first that is marked tells of it.
    fn told(&self, found: &[Finding], listed: &mut BTreeSet<(Option<Account>, ItemId)>) -> Vec<Option<&'a OpenItem>> {
        let by_id = |finding: &Finding| self.of_id(finding).filter(|item| item.is_told_by(finding.class));
        let mut told: Vec<Option<&OpenItem>> = found.iter().map(by_id).collect();
        listed.extend(told.iter().flatten().map(|item| (item.account, item.id)));
        for (finding, slot) in found.iter().zip(&mut told).filter(|(finding, slot)| slot.is_none() && finding.class == Class::L04) {
            let of_bill = self.unproven.get(finding.invoice_number.as_str()).copied();
            *slot = of_bill.filter(|item| listed.insert((item.account, item.id)));
        }
        told
    }
}

/// Whether the books alone say how long a finding needs somebody: what is owed, and what DOKU owes. A payment that paid less or more than
/// was due has no item of its own: what is short is its debt's, what is over is in suspense. That nobody knows whether a code was made
/// (L06), or that a ledger calls a bill paid which nothing proves (L04), is seen to even where nothing is owed.
fn is_of_books(finding: &Finding) -> bool {
    let info = finding.class.info();
    let is_owed_or_paid = matches!(info.about, ClassSubject::Payment | ClassSubject::Bill);
    is_owed_or_paid && finding.class != Class::L06 && matches!(info.stands, Stands::Receivable | Stands::Doku | Stands::Shared)
}

/// Whether the books have forgotten what a finding is about, or leave it to a later month.
fn is_unknown(finding: &Finding, unposted: &BTreeSet<ItemId>) -> bool {
    let ids = [ItemId::with_key(BooksSubject::Payment, &finding.id), Some(ItemId::bill(&finding.invoice_number))];
    ids.into_iter().flatten().any(|id| unposted.contains(&id))
}

fn in_books(item: &OpenItem) -> Box<InBooks> {
    let balance = i64::try_from(item.amount.get()).unwrap_or(i64::MAX);
    Box::new(InBooks { account: item.account, item: item.id, balance, ground: Facts::default() })
}

/// A run knows the payments of its own evidence; what was paid before, waived or amended since is in the books. What is short of a bill and what
/// is over of a payment are told as the books have them.
fn say_as_books(finding: &mut Finding, item: &OpenItem, known: &Known) {
    let open = item.size();
    let (expected, paid) = match (item.account, finding.class.info().about) {
        // What is owed by a group is no bill's alone.
        (Some(Account::Receivable), _)
            if finding.class == Class::L11 && item.invoice_number == finding.invoice_number && !item.is_reversed() =>
        {
            // Where decisions have taken something off, what is owed less that.
            match known.debts.get(&item.id).map(Debt::applied) {
                Some(paid) => (Some(paid.plus(open)), Some(paid.plus(item.may_be_paid))),
                None => (finding.expected, finding.expected.map(|expected| expected.minus(item.own()))),
            }
        }
        (Some(Account::Suspense), ClassSubject::Payment) if finding.class == Class::P04 => {
            (finding.paid.map(|paid| paid.minus(open)), finding.paid)
        }
        _ => return,
    };
    if (expected, paid) != (finding.expected, finding.paid) {
        let account = item.account.map_or("", Account::name);
        (finding.expected, finding.paid) = (expected, paid);
        finding.reason = OpenReason { since: item.since, account: account.into(), size: open }.into();
    }
}

/// Where the money of a finding would stand, if nothing of it does; `rows` are those that left something open, by the id they are listed under.
fn leg_of(known: &Known, rows: &HashMap<&str, ItemId>, finding: &Finding) -> Option<Leg> {
    if let Some(batch) =
        ItemId::with_key(BooksSubject::Batch, &finding.id).filter(|id| finding.class == Class::S05 && known.batches.contains_key(id))
    {
        let leg = Leg::of(Account::Clearing, batch);
        return (known.balance(leg) == Rupiah::ZERO).then_some(leg);
    }
    if finding.class.info().about == ClassSubject::Row {
        let row = rows.get(finding.id.as_str()).filter(|_| !finding.id.is_empty())?;
        let leg = match known.rows.get(row)?.kind {
            // A difference is its payment's.
            RowKind::Of(_, payment) if finding.class.info().stands == Stands::Doku => {
                let id = known.payment_id(payment);
                Leg::of(known.payments.get(&id)?.account, id)
            }
            _ => Leg::of(Account::Suspense, *row),
        };
        return (known.balance(leg) == Rupiah::ZERO).then_some(leg);
    }
    let payment = || ItemId::with_key(BooksSubject::Payment, &finding.id).filter(|id| known.payments.contains_key(&known.payment_id(*id)));
    let debt = || {
        let bill = known.bills.get(&ItemId::bill(&finding.invoice_number))?;
        Some(bill.debt)
    };
    let leg = match (finding.class.info().stands, finding.class) {
        (Stands::Suspense, class) if class.info().about != ClassSubject::Payment => return None,
        // What is over is the payment's own; what was paid short is the debt's: the payment has nothing of its own to decide.
        (Stands::Suspense, _) | (Stands::Shared, Class::P04) => {
            let id = known.payment_id(payment()?);
            Leg::of(Account::Suspense, known.payments.get(&id)?.held_as)
        }
        (Stands::Receivable, _) | (Stands::Shared, Class::P03 | Class::P10) => Leg::of(Account::Receivable, debt()?),
        (Stands::Unproven, _) => Leg::of(Account::Unproven, debt()?),
        _ => return None,
    };
    (known.balance(leg) == Rupiah::ZERO).then_some(leg)
}

/// An item that is open and that this run's evidence does not tell of, or tells of with these flags for another reason.
fn carried(item: &OpenItem, flags: ClassSet) -> Option<Finding> {
    let class = item.class?;
    // As its account is normally counted, so that what stands on its other side is seen to.
    let size = if item.is_reversed() { Rupiah::ZERO.minus(item.size()) } else { item.size() };
    let owed = matches!(item.account, Some(Account::Receivable | Account::Unproven | Account::Doku | Account::Direct));
    let account = item.account.map_or("alarm", Account::name);
    let nature = if item.todo == Todo::Now { Nature::Break } else { Nature::Timing };
    let severity = severity_of(class, nature, flags);
    Some(Finding {
        id: item.discrepancy_id.clone(),
        class,
        flags,
        nature,
        severity: if nature == Nature::Break { severity.max(Severity::Medium) } else { severity },
        invoice_number: item.invoice_number.clone(),
        payment_code: item.payment_code.clone(),
        channel: crate::domain::channel::Channel::parse(&item.channel),
        expected: owed.then_some(size),
        paid: if owed { Some(item.may_be_paid).filter(|paid| *paid > Rupiah::ZERO) } else { Some(size) },
        paid_at: item.paid_at,
        reason: OpenReason { since: item.since, account: account.into(), size }.into(),
        evidence: Vec::new(),
        sources: Vec::new(),
        books: Some(in_books(item)),
        is_decided: false,
    })
}
