//! The journal as plain text that hledger (and Ledger, and beancount after conversion) reads: an engine nobody here wrote adds it up
//! again, and its own assertions compare the closing balance of every item.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::civil::Date;

use super::account::Account;
use super::known::Open;
use super::pair::{Leg, Pair};
use super::post::PostedMonth;
use super::settings::PostingPeriod;
use crate::domain::amount::Rupiah;

/// The commodity.
const CURRENCY: &str = "IDR";

/// Where a leg stands in the plain-text chart of accounts: `assets:doku:payment:0123…`.
#[must_use]
pub fn account_of(leg: Leg) -> String {
    let info = leg.account.info();
    let item = leg.item.map_or_else(String::new, |item| format!(":{item}"));
    format!("{}:{}{item}", info.chart.name(), info.name)
}

/// Writes a month that can be read by itself: what it opened with, its pairs, and what it must close with.
///
/// # Errors
/// The writer's.
pub fn write_month(out: &mut impl Write, month: &PostedMonth) -> io::Result<()> {
    let opening = month.opening.iter().map(|(leg, open)| (*leg, open.amount)).collect();
    write(out, month.period, &opening, &month.pairs, &month.known.balances)
}

/// The same from its parts.
///
/// # Errors
/// The writer's.
pub fn write(
    out: &mut impl Write,
    period: PostingPeriod,
    opening: &BTreeMap<Leg, Rupiah>,
    pairs: &[Pair],
    closing: &BTreeMap<Leg, Open>,
) -> io::Result<()> {
    write_head(out)?;
    write_balances(out, period.from, "opening balances", opening)?;
    pairs.iter().try_for_each(|pair| write_pair(out, pair))?;
    let moved = pairs.iter().flat_map(|pair| [pair.debit, pair.credit]).chain(opening.keys().copied());
    write_closing(out, period.to, moved, closing)
}

/// Writes the accounts and the commodity: once, before everything else.
///
/// # Errors
/// The writer's.
pub fn write_head(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "; Amounts are whole rupiah. The tag `original` is the day of a fact that became known after its month.")?;
    writeln!(out, "commodity 1. {CURRENCY}")?;
    for account in Account::ALL {
        writeln!(out, "account {}", account_of(Leg::total(account)))?;
    }
    writeln!(out)
}

/// Writes one pair as a transaction.
///
/// # Errors
/// The writer's.
pub fn write_pair(out: &mut impl Write, pair: &Pair) -> io::Result<()> {
    let original = if pair.is_prior_period() { format!(", original:{}", pair.original) } else { String::new() };
    writeln!(out, "{} * ({}) {}  ; cause:{}{original}", pair.day, pair.id(), pair.movement.name(), pair.cause)?;
    for (leg, amount) in pair.legs() {
        writeln!(out, "    {}  {amount} {CURRENCY}", account_of(leg))?;
    }
    writeln!(out)
}

fn write_balances(out: &mut impl Write, day: Date, words: &str, balances: &BTreeMap<Leg, Rupiah>) -> io::Result<()> {
    if balances.is_empty() {
        return Ok(());
    }
    writeln!(out, "{day} * {words}")?;
    for (leg, amount) in balances {
        writeln!(out, "    {}  {amount} {CURRENCY}", account_of(*leg))?;
    }
    writeln!(out)
}

/// Assertions: what every item that is open, was open or moved must stand at.
///
/// # Errors
/// The writer's.
pub fn write_closing(out: &mut impl Write, day: Date, moved: impl Iterator<Item = Leg>, open: &BTreeMap<Leg, Open>) -> io::Result<()> {
    let balance = |leg: Leg| open.get(&leg).map_or(Rupiah::ZERO, |open| open.amount);
    let closing: BTreeMap<Leg, Rupiah> = moved.chain(open.keys().copied()).map(|leg| (leg, balance(leg))).collect();
    if closing.is_empty() {
        return Ok(());
    }
    writeln!(out, "{day} * closing balances")?;
    for (leg, amount) in closing {
        writeln!(out, "    {}  0 {CURRENCY} = {amount} {CURRENCY}", account_of(leg))?;
    }
    writeln!(out)
}
