//! Prior-period lines: what became known of an earlier period after its balances were drawn up. Nothing signed is changed;
//! the difference is told item by item in the period in which it came to light.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rayon::prelude::*;

use super::life::{End, Lives, Window};
use super::opening::{Opening, OutstandingItem};
use crate::books::PostedMonth;
use crate::books::movement::Movement as Why;
use crate::books::pair::Leg;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::balance::Balance;
use crate::domain::calendar::start_of_wib_day;
use crate::domain::channel::Channel;
use crate::reconcile::bills::Bills;
use crate::reconcile::open_items::names_of;

/// The balance of outstanding codes; any other is an account of the books.
pub const CODES: &str = "outstanding_codes";

/// One difference between a signed balance and what is known of that day now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PriorLine {
    /// Which balance it moves: [`CODES`], or an account of the books.
    pub moves: &'static str,
    /// What became known: of codes `settled`, `cancelled`, `expired_unpaid`, `amended`, `added`, `removed`; else the movement.
    pub kind: &'static str,
    /// The bill's number, or as notified.
    pub invoice_number: String,
    /// The code, or as notified.
    pub payment_code: String,
    /// Where; none for what has no channel of ours, such as a line of the bank.
    pub channel: Option<Channel>,
    /// When it happened, if known (microseconds since 1970).
    pub at_us: Option<i64>,
    /// By how many it moves the balance.
    pub count: i64,
    /// By how much it moves the balance.
    pub amount: Rupiah,
    /// The discrepancy id of a payment; empty for a code.
    pub discrepancy_id: String,
}

impl PriorLine {
    /// What it adds to its balance.
    #[must_use]
    pub const fn balance(&self) -> Balance {
        Balance { count: self.count, amount: self.amount }
    }
}

/// What the lines of codes add up to.
pub(super) fn codes_total(lines: &[PriorLine]) -> Balance {
    lines.iter().filter(|line| line.moves == CODES).map(PriorLine::balance).sum()
}

/// Codes: the list that was carried over against the codes that were outstanding by what is known now.
pub(super) fn codes(bills: &Bills, lives: &Lives<'_>, window: Window, opening: &Opening) -> Vec<PriorLine> {
    let today = outstanding(bills, lives, window.start_us);
    let mut told = Vec::new();
    let (mut signed, mut now) = (opening.outstanding.iter().peekable(), today.iter().peekable());
    loop {
        let order = match (signed.peek(), now.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(item), Some(&&(number, _))) => (item.invoice_number.as_str(), item.payment_code.as_str()).cmp(&ids(bills, number)),
        };
        match order {
            Ordering::Less => told.extend(signed.next().map(|item| gone(bills, lives, window, item))),
            Ordering::Greater => told.extend(now.next().map(|&(number, amount)| come(bills, lives, number, amount))),
            Ordering::Equal => {
                if let (Some(item), Some(&(_, amount))) = (signed.next(), now.next())
                    && item.amount != amount.into()
                {
                    told.push(line("amended", item, None, Balance::rupiah(Rupiah::from(amount).minus(item.amount))));
                }
            }
        }
    }
    told
}

fn ids(bills: &Bills, number: u32) -> (&str, &str) {
    (bills.invoice_number(number), bills.payment_code(number))
}

/// The codes outstanding just before an instant and what they asked for, by their ids.
pub(super) fn outstanding(bills: &Bills, lives: &Lives<'_>, before_us: i64) -> Vec<(u32, Amount)> {
    let open = bills.iter().filter(|(number, bill)| lives.is_open(*number, bill, before_us));
    let mut all: Vec<_> = open.map(|(number, bill)| (number, lives.amount_at(number, bill, before_us))).collect();
    all.par_sort_unstable_by(|a, b| ids(bills, a.0).cmp(&ids(bills, b.0)).then(a.1.cmp(&b.1)).then(a.0.cmp(&b.0)));
    all
}

/// Such a code as it is carried over.
pub(super) fn carried(bills: &Bills, number: u32, amount: Amount) -> OutstandingItem {
    let (invoice_number, payment_code) = ids(bills, number);
    let Some(bill) = bills.get(number) else { unreachable!("an outstanding code is one of the bills'") };
    OutstandingItem {
        invoice_number: invoice_number.to_owned(),
        payment_code: payment_code.to_owned(),
        channel: bill.channel,
        amount: amount.into(),
    }
}

/// A code that was carried over although it had ended.
fn gone(bills: &Bills, lives: &Lives<'_>, window: Window, item: &OutstandingItem) -> PriorLine {
    let same = |&number: &u32| {
        let is_listed = bills.unlisted(number).is_none();
        is_listed && bills.payment_code(number) == item.payment_code && bills.invoice_number(number) == item.invoice_number
    };
    let lives = bills.numbered(&item.invoice_number).filter(same).filter_map(|number| lives.life(number, bills.get(number)?));
    let ended = lives.filter_map(|life| life.ended).filter(|&(at, _)| at < window.start_us).min();
    let (kind, at) = match ended {
        Some((at, End::Settled)) => ("settled", Some(at)),
        Some((at, End::Cancelled)) => ("cancelled", Some(at)),
        Some((at, End::Expired)) => ("expired_unpaid", Some(at)),
        None => ("removed", None),
    };
    line(kind, item, at, Balance::one(item.amount).negated())
}

/// A code that was outstanding but not carried over.
fn come(bills: &Bills, lives: &Lives<'_>, number: u32, amount: Amount) -> PriorLine {
    let life = bills.get(number).and_then(|bill| lives.life(number, bill));
    line("added", &carried(bills, number, amount), life.map(|life| life.issued_us), Balance::one(amount.into()))
}

fn line(kind: &'static str, item: &OutstandingItem, at_us: Option<i64>, balance: Balance) -> PriorLine {
    PriorLine {
        moves: CODES,
        kind,
        invoice_number: item.invoice_number.clone(),
        payment_code: item.payment_code.clone(),
        channel: Some(item.channel),
        at_us: at_us.filter(|&at| at != i64::MIN),
        count: balance.count,
        amount: balance.amount,
        discrepancy_id: String::new(),
    }
}

/// Whether the pair is what opened the item.
fn is_new(month: &PostedMonth, leg: Leg, original: jiff::civil::Date) -> bool {
    !month.opening.contains_key(&leg) && month.known.balances.get(&leg).is_some_and(|open| open.since == original)
}

/// What of earlier periods a part of the books posted in this one: each item that moved, by account, movement and cause. What stands on
/// batches is told where all parts come together.
pub(in crate::reconcile) fn prior_lines(month: &PostedMonth) -> Vec<PriorLine> {
    let mut lines: BTreeMap<(Leg, Why, jiff::civil::Date, bool), Rupiah> = BTreeMap::new();
    let mut add = |leg: Leg, movement: Why, original: jiff::civil::Date, amount: Rupiah| {
        let sum = lines.entry((leg, movement, original, is_new(month, leg, original))).or_default();
        *sum = sum.plus(amount);
    };
    for pair in month.pairs.iter().filter(|pair| pair.is_prior_period()) {
        for (leg, amount) in pair.legs().into_iter().filter(|(leg, _)| leg.item.is_some() && month.is_told_here(*leg)) {
            add(leg, pair.movement, pair.original, amount);
        }
    }
    for (leg, movement, original, amount) in month.handed_of_earlier_periods() {
        add(leg, movement, original, amount);
    }
    let line = |((leg, movement, on, is_new), amount): ((Leg, Why, jiff::civil::Date, bool), Rupiah)| {
        let item = leg.item?;
        let (invoice_number, payment_code, channel) = names_of(&month.known, item);
        Some(PriorLine {
            moves: leg.account.name(),
            kind: movement.name(),
            invoice_number,
            payment_code,
            channel: Channel::parse(&channel),
            at_us: start_of_wib_day(on).map(jiff::Timestamp::as_microsecond),
            count: i64::from(is_new),
            amount: if leg.account.info().side == crate::books::account::Side::Credit { Rupiah::ZERO.minus(amount) } else { amount },
            discrepancy_id: item.key_text(),
        })
    };
    lines.into_iter().filter_map(line).collect()
}
