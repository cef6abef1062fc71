//! What must hold of a month, each side from a counter of its own: the postings against the facts as read, against the balances recomputed
//! from what is known of each debt, payment, row and batch, and against the month before.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, PerAccount};
use super::decision::{Action, BooksDecision};
use super::export::is_exported;
use super::fact::{Facts, PaymentFact, RowFact, RowKind};
use super::item::ItemId;
use super::known::{Decided, Known, RowState};
use super::month::{Ageing, Statement};
use super::movement::Movement;
use super::pair::{Key, Leg};
use super::post::PostedMonth;
use super::settings::BooksSettings;
use super::ways_off::WayOff;
use crate::domain::amount::Rupiah;

/// Two figures that must be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostingIdentity {
    /// What is compared.
    pub name: String,
    /// From the postings.
    pub left: Rupiah,
    /// From the other counter.
    pub right: Rupiah,
}

impl PostingIdentity {
    /// `name`, and what it compares.
    pub fn new(name: impl Into<String>, left: Rupiah, right: Rupiah) -> Self {
        Self { name: name.into(), left, right }
    }

    /// Adds the same comparison of another part.
    fn add(&mut self, other: &Self) {
        (self.left, self.right) = (self.left.plus(other.left), self.right.plus(other.right));
    }

    /// Whether they are one.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.left == self.right
    }
}

/// Adds the identities of one more part: they are the same ones in every part.
pub fn add_up(all: &mut Vec<PostingIdentity>, more: Vec<PostingIdentity>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.iter_mut().zip(&more).for_each(|(sum, one)| sum.add(one));
    }
}

/// What was known before a month, as far as it is held against it: what the month is posted from is changed by that.
#[derive(Clone, Debug)]
pub struct KnownBefore {
    balances: BTreeMap<Leg, Rupiah>,
    payments: BTreeSet<ItemId>,
    rows: BTreeMap<ItemId, RowState>,
    decisions: BTreeSet<ItemId>,
    bank_lines: BTreeSet<ItemId>,
    /// What its pay-outs come to, and the lines of its bank statements.
    paid_out: Rupiah,
    banked: Rupiah,
}

impl KnownBefore {
    /// Of what is known before anything is posted.
    #[must_use]
    pub fn of(known: &Known) -> Self {
        Self {
            balances: known.balances.iter().map(|(leg, open)| (*leg, open.amount)).collect(),
            payments: known.payments.keys().copied().collect(),
            rows: known.rows.iter().map(|(id, row)| (*id, row.state)).collect(),
            decisions: known.decisions.keys().copied().collect(),
            bank_lines: known.bank_lines.keys().copied().collect(),
            paid_out: paid_out(known),
            banked: banked(known),
        }
    }
}

/// What a month was made of.
#[derive(Clone, Copy, Debug)]
pub struct MonthInputs<'a> {
    /// What was known before.
    pub before: &'a KnownBefore,
    /// The run's evidence.
    pub facts: &'a Facts,
    /// The journal's decisions.
    pub decisions: &'a [BooksDecision],
    /// Its settings.
    pub settings: &'a BooksSettings,
}

/// What is told of a month.
#[derive(Clone, Copy, Debug)]
pub struct MonthResults<'a> {
    /// The keys of its pairs, in their order.
    pub keys: &'a [Key],
    /// What its accounts come to.
    pub statements: &'a [Statement],
    /// How old their items are.
    pub ages: &'a [Ageing],
}

/// Every identity of a month.
#[must_use]
pub fn identities(month: &PostedMonth, told: &MonthResults<'_>, made: &MonthInputs<'_>) -> Vec<PostingIdentity> {
    let MonthResults { keys, statements, ages } = *told;
    let mut all = pairs(month, keys);
    all.extend(read(month, made));
    all.extend(balances(month, statements));
    all.push(opening(month, made.before));
    all.extend(exported(month, made.settings));
    all.extend(bank(month, made));
    all.extend(ageing(month, ages));
    all.push(causes(month, made.before));
    all
}

/// Every identity of a month whose ages are counted to its last day.
#[cfg(test)]
pub fn holding(month: &PostedMonth, made: &MonthInputs<'_>) -> Vec<PostingIdentity> {
    let keys: Vec<Key> = month.pairs.iter().map(super::pair::Pair::key).collect();
    identities(month, &MonthResults { keys: &keys, statements: &month.statements(), ages: &month.ageing(month.period.to) }, made)
}

fn count(number: usize) -> Rupiah {
    Rupiah::new(i128::try_from(number).unwrap_or(i128::MAX))
}

fn moved(month: &PostedMonth, is_counted: impl Fn(Leg, Movement) -> bool) -> Rupiah {
    moved_by(month, |leg, movement, _| is_counted(leg, movement))
}

fn moved_by(month: &PostedMonth, is_counted: impl Fn(Leg, Movement, Rupiah) -> bool) -> Rupiah {
    let legs = month.pairs.iter().flat_map(|pair| pair.legs().map(|(leg, amount)| (leg, pair.movement, amount)));
    legs.filter(|(leg, movement, amount)| is_counted(*leg, *movement, *amount)).map(|(_, _, amount)| amount).sum()
}

/// 1: every pair moves something, between legs that know the movement.
fn pairs(month: &PostedMonth, keys: &[Key]) -> Vec<PostingIdentity> {
    let sound = month.pairs.iter().filter(|pair| pair.is_sound()).count();
    let mut ids = keys.to_vec();
    ids.sort_unstable();
    ids.dedup();
    vec![
        PostingIdentity::new("pairs that are sound = pairs", count(sound), count(month.pairs.len())),
        PostingIdentity::new("ids of pairs = pairs", count(ids.len()), count(month.pairs.len())),
        PostingIdentity::new("all postings = 0", moved(month, |_, _| true), Rupiah::ZERO),
    ]
}

/// All facts a month had: its evidence and what its decisions stand on, each once.
struct Read<'a> {
    payments: BTreeMap<ItemId, &'a PaymentFact>,
    rows: BTreeMap<ItemId, &'a RowFact>,
}

impl<'a> Read<'a> {
    fn of(month: &PostedMonth, made: &MonthInputs<'a>) -> Self {
        let mut read = Self { payments: BTreeMap::new(), rows: BTreeMap::new() };
        let is_made = |decision: &&BooksDecision| decision.effective_on <= month.period.to && !made.before.decisions.contains(&decision.id);
        // In the order in which they were posted: what came first is what counts.
        let mut decisions: Vec<&BooksDecision> = made.decisions.iter().filter(is_made).collect();
        decisions.sort_by_key(|decision| (decision.made_at, decision.id));
        let sources = decisions.into_iter().map(|decision| &decision.facts).chain([made.facts]);
        for facts in sources {
            for payment in &facts.payments {
                read.payments.entry(month.known.payment_id(payment.id)).or_insert(payment);
            }
            for row in facts.rows.iter().filter(|row| row.paid_out_on.is_some_and(|on| on <= month.period.to)) {
                read.rows.entry(row.id).or_insert(row);
            }
        }
        read
    }
}

/// 1: what was posted against the rupiah as read.
fn read(month: &PostedMonth, made: &MonthInputs<'_>) -> Vec<PostingIdentity> {
    let read = Read::of(month, made);
    let is_new = |(id, payment): &(&ItemId, &&PaymentFact)| {
        let aside = &month.aside;
        let is_left = [&aside.later, &aside.too_old].into_iter().any(|ids| ids.contains(&payment.id));
        !made.before.payments.contains(id) && !is_left && !aside.before_books.contains(id)
    };
    let paid: Rupiah = read.payments.iter().filter(is_new).map(|(_, payment)| payment.amount.into()).sum();
    let notified = moved_by(month, |leg, movement, amount| {
        let comes_in = [Movement::Notified, Movement::Held, Movement::Excess, Movement::Received, Movement::Rounded];
        // What is received *from* a chain leaves the account by the word by which a payment comes in.
        let is_receipt = leg.account == Account::Direct && movement == Movement::Received && amount < Rupiah::ZERO;
        matches!(leg.account, Account::Doku | Account::Direct) && leg.item.is_some() && comes_in.contains(&movement) && !is_receipt
    });
    let state = |row: &RowFact| month.known.rows.get(&row.id).map(|row| row.state);
    // What was not understood, or seemed to come twice, may have been posted now.
    let is_posted_now = |row: &RowFact| match made.before.rows.get(&row.id).copied() {
        None => true,
        Some(before @ (RowState::Unreadable | RowState::Twice)) => state(row).is_some_and(|now| now != before),
        Some(RowState::Settled | RowState::Suspense | RowState::Other) => false,
    };
    let rows = read
        .rows
        .values()
        .filter(|row| is_posted_now(row) && ![&month.aside.too_old, &month.aside.conflicting].iter().any(|ids| ids.contains(&row.id)));
    let rows: Vec<&&RowFact> = rows.collect();
    let gross = |row: &RowFact| {
        let amount = Rupiah::new(row.amount.into());
        if matches!(row.kind, RowKind::Refund(_)) { amount.min(Rupiah::ZERO.minus(amount)) } else { amount }
    };
    let is_ours = |row: &&&&RowFact| row.kind.channel().is_some() && state(row) != Some(RowState::Twice);
    let as_read: Rupiah = rows.iter().filter(is_ours).map(|row| gross(row)).sum();
    let outlay = [Account::Clearing, Account::Fees, Account::Vat, Account::Discounts];
    let charged = [Movement::Settled, Movement::Unsettled, Movement::TakenBack];
    let posted = moved(month, |leg, movement| outlay.contains(&leg.account) && charged.contains(&movement));
    let fees_read: Rupiah = rows.iter().filter(is_ours).map(|row| Rupiah::new(row.fee.into())).sum();
    let fees = moved(month, |leg, movement| matches!(leg.account, Account::Fees | Account::Vat) && charged.contains(&movement));
    vec![
        PostingIdentity::new("payments notified = payments as read", notified, paid),
        PostingIdentity::new("settlement rows posted = amounts as read", posted, as_read),
        PostingIdentity::new("fees and VAT posted = fees as read", fees, fees_read),
    ]
}

/// What standing decisions moved on an account and off it, debit +, credit −.
fn decided(known: &Known, account: Account, is_counted: impl Fn(&Decided) -> bool) -> Rupiah {
    let standing = known.decisions.values().filter(|decided| !decided.is_taken_back && is_counted(decided));
    let legs = standing
        .flat_map(|decided| &decided.posted)
        .flat_map(|(debit, credit, amount)| [(*debit, *amount), (*credit, Rupiah::ZERO.minus(*amount))]);
    legs.filter(|(leg, _)| leg.account == account).map(|(_, amount)| amount).sum()
}

/// 2: opening and movements = open items = what follows from debts, payments, rows and batches without any posting.
fn balances(month: &PostedMonth, statements: &[Statement]) -> Vec<PostingIdentity> {
    let known = &month.known;
    let mut all: Vec<PostingIdentity> = Vec::new();
    for statement in statements {
        let (name, carried) = (statement.account.name(), statement.carried());
        all.push(PostingIdentity::new(format!("{name}: opening + movements = open items"), carried.amount, statement.closing.amount));
        if !statement.account.info().holds.is_empty() {
            let [opened, open] = [carried, statement.closing].map(|balance| Rupiah::new(balance.count.into()));
            all.push(PostingIdentity::new(format!("{name}: items opened and closed = open items"), opened, open));
        }
    }
    let debts = |of: fn(&super::known::Debt) -> Rupiah| known.debts.values().map(of).sum::<Rupiah>();
    let unpaid = |account: Account| {
        let payments = known.payments.values().filter(|payment| payment.account == account && !payment.is_before_books);
        let (mut sum, mut settled) = (Rupiah::ZERO, Rupiah::ZERO);
        for payment in payments {
            sum = sum.plus(payment.amount);
            settled = settled.plus(payment.row.and_then(|row| known.rows.get(&row)).map_or(Rupiah::ZERO, |row| row.gross));
        }
        let is_counted = |decided: &Decided| decided.action != Action::Correct;
        sum.minus(settled).plus(decided(known, account, is_counted))
    };
    let owed = debts(super::known::Debt::open);
    let unproven = debts(|debt| debt.off(WayOff::Unproven));
    let names = |account: Account| format!("{}: open items = recomputed without postings", account.name());
    let mut totals = known.totals();
    for (account, right) in [
        (Account::Receivable, owed),
        (Account::Unproven, unproven),
        (Account::Doku, unpaid(Account::Doku)),
        (Account::Direct, unpaid(Account::Direct)),
    ] {
        all.push(PostingIdentity::new(names(account), *totals.at(account), right));
    }
    all
}

/// 3: the opening is the closing of the month before, item by item.
fn opening(month: &PostedMonth, before: &KnownBefore) -> PostingIdentity {
    let differing = month.opening.iter().filter(|(leg, open)| before.balances.get(leg) != Some(&open.amount)).count();
    let missing = before.balances.keys().filter(|leg| !month.opening.contains_key(leg)).count();
    PostingIdentity::new("items that open otherwise than they closed = 0", count(differing.saturating_add(missing)), Rupiah::ZERO)
}

/// 4: exported and withheld are the movements of every account.
fn exported(month: &PostedMonth, settings: &BooksSettings) -> Vec<PostingIdentity> {
    let mut sums = PerAccount::<[Rupiah; 3]>::default();
    for pair in &month.pairs {
        let is_exported = is_exported(pair, settings);
        for (leg, amount) in pair.legs() {
            let [exported, withheld, moved] = sums.at(leg.account);
            let booked = if is_exported { exported } else { withheld };
            (*booked, *moved) = (booked.plus(amount), moved.plus(amount));
        }
    }
    let of = |(account, [exported, withheld, moved]): (Account, [Rupiah; 3])| {
        PostingIdentity::new(format!("{}: exported + withheld = movements", account.name()), exported.plus(withheld), moved)
    };
    sums.into_each().map(of).collect()
}

fn paid_out(known: &Known) -> Rupiah {
    known.batches.values().flat_map(|batch| batch.days.values()).map(|day| day.posted).sum()
}

fn banked(known: &Known) -> Rupiah {
    known.bank_lines.values().map(|line| line.amount).sum()
}

/// 5: what is announced is what files state, and what the bank has is what was matched.
fn bank(month: &PostedMonth, made: &MonthInputs<'_>) -> Vec<PostingIdentity> {
    let announced = moved(month, |leg, movement| leg.account == Account::Payouts && movement == Movement::PaidOut);
    let received = moved(month, |leg, movement| leg.account == Account::Bank && movement == Movement::Banked);
    let in_bank = if made.settings.bank_statement { banked(&month.known).minus(made.before.banked) } else { announced };
    let difference = paid_out(&month.known).minus(made.before.paid_out);
    vec![
        PostingIdentity::new("pay-outs announced = totals of the batches", announced, difference),
        PostingIdentity::new("bank received = lines of its statements, or pay-outs", received, in_bank),
    ]
}

/// 6: the ages of an account come to its closing balance.
fn ageing(month: &PostedMonth, ages: &[Ageing]) -> Vec<PostingIdentity> {
    let mut totals = month.known.totals();
    let of = |ages: &Ageing| {
        PostingIdentity::new(format!("{}: ages = open items", ages.account.name()), ages.total().amount, *totals.at(ages.account))
    };
    ages.iter().map(of).collect()
}

/// 8: no cause posts in two months.
fn causes(month: &PostedMonth, before: &KnownBefore) -> PostingIdentity {
    let is_known = |cause: &ItemId| {
        before.payments.contains(cause)
            || before.rows.get(cause).is_some_and(|state| !matches!(state, RowState::Unreadable | RowState::Twice))
            || before.decisions.contains(cause)
            || before.bank_lines.contains(cause)
    };
    let again: BTreeSet<ItemId> = month.pairs.iter().map(|pair| pair.cause).filter(is_known).collect();
    PostingIdentity::new("causes that posted in an earlier month = 0", count(again.len()), Rupiah::ZERO)
}
