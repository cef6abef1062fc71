//! What is open at the end of a run, item by item: its class, how old it is, who acts, and whether that is to be done now, not yet due, or
//! decided. What the cover counts and what the lists show is this one list.

mod found;
mod item;
mod list;
mod names;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

pub use found::Findings;
pub use item::{OpenItem, Rank, Todo};
pub use list::{Items, OpenTask, SHOWN_MAX};
pub use names::names_of;

use super::Reconciled;
use super::finding::Finding;
use crate::books::account::{Account, Owner};
use crate::books::fact::{Payee, PaymentHold, RowKind};
use crate::books::identities::PostingIdentity;
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::{BookedPayment, Decided, Known, Open, RowState};
use crate::books::pair::Leg;
use crate::books::standing::money_held;
use crate::books::{Action, BooksDecision, BooksSettings, PostedMonth};
use crate::domain::ageing::day_number;
use crate::domain::amount::Rupiah;
use crate::domain::calendar::wib_date;
use crate::domain::classify::{Class, Nature, settlement_due, unsettled_nature};
use crate::domain::dimensions::Dimensions;

/// What an item's being due depends on.
#[derive(Clone, Copy, Debug)]
pub struct DueTerms<'a> {
    /// Of the run.
    pub terms: &'a super::terms::ReconcileTerms,
    /// The day to which ages are counted.
    pub today: Date,
    /// Of the books.
    pub settings: &'a BooksSettings,
    /// Whether settlement files were ever given: without them nothing can be said of what DOKU owes.
    pub is_settlement_known: bool,
    /// Payments that rows pay out after the period, and when.
    pub paid_later: &'a HashMap<ItemId, Date>,
    /// The journal's decisions: those that take effect after the period leave its balances, and nothing more to be done.
    pub decisions: &'a [BooksDecision],
}

/// Classes that say why money of a payment is over; others say what it was to its bill when it came, or why it waited.
const OF_EXCESS: [Class; 4] = [Class::P04, Class::P06, Class::P10, Class::P12];

/// Whether the class a payment came with is still that of what is held of it. One whose bill is still to come was made too early.
fn is_of_excess(class: Class, has_no_debt: bool) -> bool {
    OF_EXCESS.contains(&class) || has_no_debt && class == Class::P09
}

struct Lookup<'a> {
    known: &'a Known,
    outcome: &'a Reconciled,
    terms: &'a DueTerms<'a>,
    findings: &'a Findings<'a>,
    decisions: BTreeMap<Leg, ItemId>,
    /// What of settlement rows waits in suspense, by the debt whose bill they name.
    rows_waiting: BTreeMap<ItemId, Vec<(Leg, Rupiah)>>,
    later: Later,
}

/// What was decided already and takes effect after the period: its balances are as they were, but not what is to be done.
#[derive(Default)]
struct Later {
    /// The last decision about each item.
    made: BTreeMap<(Option<Account>, ItemId), ItemId>,
    /// Those that are taken back then.
    withdrawn: BTreeSet<ItemId>,
}

/// Every open item and every alarm of a part of the books, worst first within each account.
#[must_use]
pub fn open_items(month: &PostedMonth, outcome: &Reconciled, findings: &Findings<'_>, terms: &DueTerms<'_>) -> Vec<OpenItem> {
    let known = &month.known;
    let later = later_decisions(month, terms.decisions);
    let decisions = standing_decisions(known, &later);
    let lookup = Lookup { known, outcome, terms, findings, decisions, rows_waiting: known.rows_waiting(), later };
    let mut items: Vec<OpenItem> = known.balances.iter().filter_map(|(leg, open)| lookup.item(*leg, open)).collect();
    items.extend(lookup.alarms());
    sort(&mut items);
    items
}

/// Worst first within each account; alarms, which have none, last.
pub fn sort(items: &mut [OpenItem]) {
    items.sort_by_cached_key(OpenItem::rank);
}

/// The last decision about each item that stands.
fn standing_decisions(known: &Known, later: &Later) -> BTreeMap<Leg, ItemId> {
    let stands = |decided: &Decided| !decided.is_taken_back && decided.refused.is_none();
    let mut standing: Vec<(Date, ItemId, Leg)> = known
        .decisions
        .iter()
        // That something may stay as it is moves nothing: taken back, nothing of it is left.
        .filter(|(id, decided)| stands(decided) && !(decided.action == Action::Accept && later.withdrawn.contains(id)))
        .filter_map(|(id, decided)| Some((decided.on, *id, decided.leg?)))
        .collect();
    standing.sort_unstable();
    standing.into_iter().map(|(_, id, leg)| (leg, id)).collect()
}

/// Decisions that were made already and take effect after the period.
fn later_decisions(month: &PostedMonth, decisions: &[BooksDecision]) -> Later {
    let mut made: Vec<&BooksDecision> = decisions.iter().filter(|decision| month.aside.later.contains(&decision.id)).collect();
    made.sort_by_key(|decision| (decision.made_at, decision.id));
    let mut later = Later::default();
    for decision in made {
        if decision.action == Action::Reopen {
            later.made.retain(|_, id| *id != decision.item);
            later.withdrawn.insert(decision.item);
        } else {
            later.made.insert((decision.account, decision.item), decision.id);
        }
    }
    later
}

/// All open items are to do, not yet due or decided, and each is in the list once.
#[must_use]
pub fn identity(known: &Known, items: &[OpenItem]) -> PostingIdentity {
    let listed: Rupiah = items.iter().filter(|item| item.account.is_some()).map(|item| item.amount).sum();
    let open = known.balances.iter().filter(|(leg, _)| leg.item.is_some()).map(|(_, open)| open.amount).sum();
    PostingIdentity { name: "items listed = open items of all accounts".to_owned(), left: listed, right: open }
}

impl Lookup<'_> {
    fn item(&self, leg: Leg, open: &Open) -> Option<OpenItem> {
        let id = leg.item?;
        let ages_from = self.known.ages_from(leg, open);
        let class = self.class(leg, open);
        let (invoice_number, payment_code, channel) = names_of(self.known, id);
        let accepted = self.accepted(leg).or_else(|| self.later.made.get(&(Some(leg.account), id)).copied());
        let todo = if accepted.is_some() { Todo::Decided } else { self.todo(leg, open, class) };
        Some(OpenItem {
            account: Some(leg.account),
            id,
            discrepancy_id: names::listed_as(self.known, leg),
            class,
            amount: open.amount,
            may_be_paid: if leg.account == Account::Receivable { self.may_be_paid(id, open) } else { Rupiah::ZERO },
            since: open.since,
            paid_at: self.known.payments.get(&id).map(|payment| payment.paid_at),
            ages_from,
            age_days: day_number(self.terms.today).saturating_sub(day_number(ages_from)),
            moved_on: open.moved_on,
            moved_by: Some(open.moved_by),
            invoice_number,
            payment_code,
            channel,
            todo,
            owner: class.map(|class| class.info().owner).filter(|owner| *owner != Owner::Nobody).unwrap_or(leg.account.info().owner),
            decision: accepted.or_else(|| self.decisions.get(&leg).copied()),
            dimensions: self.dimensions(id),
        })
    }

    fn alarms(&self) -> impl Iterator<Item = OpenItem> + '_ {
        let open = self.known.alarms.iter().filter(|(_, alarm)| alarm.answered_by.is_none());
        open.map(|(id, alarm)| {
            let class = Class::parse(&alarm.class);
            let accepted = alarm.accepted_by.filter(|decision| !self.later.withdrawn.contains(decision));
            let decision = accepted.or_else(|| self.later.made.get(&(None, *id)).copied());
            OpenItem {
                account: None,
                id: *id,
                discrepancy_id: id.key_text(),
                class,
                amount: alarm.at_stake,
                may_be_paid: Rupiah::ZERO,
                since: alarm.on,
                paid_at: None,
                ages_from: alarm.on,
                age_days: day_number(self.terms.today).saturating_sub(day_number(alarm.on)),
                moved_on: alarm.on,
                moved_by: None,
                invoice_number: alarm.invoice_number.to_string(),
                payment_code: alarm.payment_code.to_string(),
                channel: alarm.channel.map_or_else(String::new, |channel| channel.name().to_owned()),
                todo: if decision.is_some() { Todo::Decided } else { Todo::Now },
                owner: class.map_or(Owner::Security, |class| class.info().owner),
                decision,
                dimensions: Dimensions::default(),
            }
        })
    }

    fn finding_of_debt(&self, id: ItemId) -> Option<&Finding> {
        let bills = self.known.debts.get(&id)?.bills.iter().filter_map(|bill| self.known.bills.get(bill));
        let mut ids = bills.flat_map(|bill| {
            let codes = bill.names.iter().filter_map(|name| name.split_once('/')).map(|(_, code)| code);
            codes.chain([""]).map(|code| (&*bill.invoice_number, code)).collect::<Vec<_>>()
        });
        ids.find_map(|ids| self.findings.of_bills.get(&ids).copied())
    }

    /// The class by what the books know; a finding of this run may say it more exactly.
    fn class(&self, leg: Leg, open: &Open) -> Option<Class> {
        let id = leg.item?;
        match leg.account {
            Account::Receivable => {
                let debt = self.known.debts.get(&id)?;
                let of_run = self.finding_of_debt(id).map(|finding| finding.class).filter(|class| *class != Class::L04);
                // What was paid of it counts, applied or waiting, and whether or not this run saw it.
                let held: Rupiah = money_held(debt, self.known).map(|(_, held)| held).sum();
                let is_paid_in_part = debt.applied() > Rupiah::ZERO || held > Rupiah::ZERO && self.is_lacking(open.amount.minus(held));
                Some(if is_paid_in_part { Class::L11 } else { of_run.unwrap_or_else(|| self.unpaid_class(id)) })
            }
            Account::Unproven => Some(Class::L04),
            // What a row of DOKU's has settled otherwise is that row's, whoever is said to settle the channel.
            Account::Doku | Account::Direct if self.known.payments.get(&id).is_some_and(|payment| payment.row.is_some()) => {
                Some(Class::S03)
            }
            Account::Doku => Some(Class::S02),
            Account::Direct => Some(Class::B04),
            Account::Payouts => Some(Class::B02),
            Account::RefundsDue => Some(Class::B03),
            Account::Deposits => Some(Class::B05),
            Account::Clearing => Some(Class::S05),
            Account::Suspense => self.suspense_class(id, open),
            _ => None,
        }
    }

    /// No code, one that has expired, or one that may still be paid.
    fn unpaid_class(&self, id: ItemId) -> Class {
        let bills = self.known.debts.get(&id).map(|debt| &debt.bills);
        let mut bills = bills.into_iter().flatten().filter_map(|bill| self.known.bills.get(bill)).filter(|bill| bill.is_live).peekable();
        if bills.peek().is_some_and(|bill| bill.names.is_empty()) {
            return Class::L05;
        }
        let last = bills.filter_map(|bill| bill.expires_on).max();
        if last.is_some_and(|last| last < self.terms.today) { Class::L02 } else { Class::L01 }
    }

    fn suspense_class(&self, id: ItemId, open: &Open) -> Option<Class> {
        match id.subject() {
            BooksSubject::Payment => Some(self.held_class(id, self.known.payments.get(&id)?, open)),
            BooksSubject::Row => {
                let row = self.known.rows.get(&id)?;
                // A row whose payment has been told is that payment's money, and waits for what it waits for.
                let holder = self.known.payments.iter().find(|(_, payment)| row.state == RowState::Settled && payment.held_as == id);
                Some(match (holder, row.kind) {
                    (Some((payment, told)), _) => self.held_class(*payment, told, open),
                    (None, RowKind::Refund(_)) => Class::S06,
                    (None, kind) => self.outcome.called.get(&id).copied().unwrap_or(match kind {
                        // Its payment was notified, and no amount that could be used.
                        RowKind::Of(..) => Class::S03,
                        _ => Class::S01,
                    }),
                })
            }
            BooksSubject::BankLine => Some(Class::B01),
            _ => None,
        }
    }

    /// What a payment is called that waits in suspense.
    fn held_class(&self, id: ItemId, payment: &BookedPayment, open: &Open) -> Class {
        let of_run = self.findings.class_of(&id.key_text());
        let rest = if payment.amount == Rupiah::ZERO.minus(open.amount) { Class::P06 } else { Class::P04 };
        // What it was called when it came stands, whatever has become of the rest since: of a second payment that came late, too, that
        // it was the second weighs more.
        let called = payment.class.filter(|class| is_of_excess(*class, payment.debt.is_none()));
        let by_payee = match (payment.payee, payment.hold) {
            (Payee::Nobody, _) => Class::P01,
            (Payee::Disagreeing, _) => Class::P02,
            (Payee::Ambiguous, _) => Class::P15,
            (Payee::Bill(_), Some(PaymentHold::AfterExpiry)) => called.unwrap_or(Class::P07),
            (Payee::Bill(_), Some(PaymentHold::AfterCancellation)) => called.unwrap_or(Class::P08),
            (Payee::Bill(_), None) => called.unwrap_or(rest),
        };
        of_run.filter(|class| class.id().starts_with('P')).unwrap_or(by_payee)
    }

    fn todo(&self, leg: Leg, open: &Open, class: Option<Class>) -> Todo {
        let days = |from: Date| day_number(self.terms.today).saturating_sub(day_number(from));
        let limit = |from: Date, limit: i64| if i64::from(days(from)) > limit { Todo::Now } else { Todo::NotYet };
        match leg.account {
            // Money that is held for it comes first: a customer is not asked for what may be paid already.
            Account::Receivable if leg.item.is_some_and(|id| self.is_held_for(id, open)) => Todo::NotYet,
            Account::Receivable => match class {
                Some(Class::L01) => Todo::NotYet,
                Some(Class::L02) => self.expired(leg),
                _ => Todo::Now,
            },
            Account::Doku | Account::Direct if class == Some(Class::S03) => Todo::Now,
            Account::Doku => self.unsettled(leg),
            // Without statements nobody can say whether it has come.
            Account::Direct if !self.terms.settings.bank_statement => Todo::NotYet,
            Account::Direct | Account::Payouts => limit(open.since, self.terms.settings.bank_window_days.into()),
            // The rest of a batch may come as long as its month lasts; of an earlier month it should have come.
            Account::Clearing if self.terms.today <= self.terms.terms.period.to && open.since >= self.terms.terms.period.from => {
                Todo::NotYet
            }
            Account::Deposits => Todo::NotYet,
            _ => Todo::Now,
        }
    }

    /// The decision that an item may stay as it is, unless it is taken back already.
    fn accepted(&self, leg: Leg) -> Option<ItemId> {
        let decision = self.known.accepted.get(&leg)?.decision;
        (!self.later.withdrawn.contains(&decision)).then_some(decision)
    }

    /// What of an open debt money that waits for a decision may pay: payments of it, and settlement rows that name its bill.
    fn may_be_paid(&self, id: ItemId, open: &Open) -> Rupiah {
        let payments = self.known.debts.get(&id).into_iter().flat_map(|debt| money_held(debt, self.known));
        let held = payments.chain(self.rows_waiting.get(&id).into_iter().flatten().copied());
        let held: Rupiah = held.filter(|(leg, _)| self.accepted(*leg).is_none()).map(|(_, held)| held).sum();
        held.min(open.amount.max(Rupiah::ZERO))
    }

    /// Whether that comes to all that is open on it.
    fn is_held_for(&self, id: ItemId, open: &Open) -> bool {
        open.amount > Rupiah::ZERO && !self.is_lacking(open.amount.minus(self.may_be_paid(id, open)))
    }

    /// Whether so much is not paid for want of money, and not for want of precision.
    fn is_lacking(&self, open: Rupiah) -> bool {
        open > self.terms.settings.tolerance()
    }

    /// What a run has judged is as it says; what had expired before its period, by its days.
    fn expired(&self, leg: Leg) -> Todo {
        let Some(id) = leg.item else { return Todo::Now };
        let bills = self.known.debts.get(&id).map(|debt| &debt.bills).into_iter().flatten().filter_map(|bill| self.known.bills.get(bill));
        let Some(last) = bills.filter_map(|bill| bill.expires_on).max() else { return Todo::NotYet };
        let days = day_number(self.terms.today).saturating_sub(day_number(last));
        let is_judged = last >= self.terms.terms.period.from;
        let is_late =
            if is_judged { self.finding_of_debt(id).is_some() } else { i64::from(days) > self.terms.terms.policy.expired_break_days };
        if is_late { Todo::Now } else { Todo::NotYet }
    }

    /// What DOKU has notified and not paid out is due after the working days of its channel.
    fn unsettled(&self, leg: Leg) -> Todo {
        let Some((id, payment)) = leg.item.and_then(|id| Some((id, self.known.payments.get(&id)?))) else { return Todo::Now };
        if !self.terms.is_settlement_known {
            return Todo::NotYet;
        }
        let Some(input) = &self.outcome.inputs.settlement else {
            let days = day_number(self.terms.today).saturating_sub(day_number(wib_date(payment.paid_at)));
            return if days > UNSETTLED_DAYS_MAX { Todo::Now } else { Todo::NotYet };
        };
        let due_on = settlement_due(payment.paid_at, input.terms.of(payment.channel).working_days, &input.terms.working_days);
        let comes_on = std::iter::once(&id).chain(&payment.aliases).find_map(|id| self.terms.paid_later.get(id)).copied();
        if unsettled_nature(due_on, comes_on, self.terms.terms.as_of) == Nature::Break { Todo::Now } else { Todo::NotYet }
    }

    fn dimensions(&self, id: ItemId) -> Dimensions {
        let debt = match id.subject() {
            BooksSubject::Debt => Some(id),
            BooksSubject::Payment => self.known.payments.get(&id).and_then(|payment| payment.debt),
            _ => None,
        };
        debt.and_then(|debt| self.known.dimensions_of(debt)).cloned().unwrap_or_default()
    }
}

/// Days after which DOKU has paid out what it collected, where no settlement files say by which contract.
const UNSETTLED_DAYS_MAX: i32 = 7;
