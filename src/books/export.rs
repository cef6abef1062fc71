//! Entries for the customer's accounting system, each exported once under a stable id, and taken back if its month no longer holds it.
//!
//! Who books premiums and receipts is a setting; what the core system books is withheld here. Exported and withheld together are the
//! movements of every account.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::account::Account;
use super::pair::{Gate, Leg, Pair};
use super::settings::{Booked, BooksSettings};
use crate::columns::{Column, Format, Value};
use crate::domain::amount::Rupiah;

/// One pair on its way out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoubleEntry {
    /// Stable: the pair's id; `.2` and so on if it came back after it was taken back; `-r` where it is taken back.
    pub id: String,
    /// What is booked.
    pub pair: Pair,
}

/// What an export of a month comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// What is booked now.
    pub entries: Vec<DoubleEntry>,
    /// What is booked for the month, all exports together.
    pub standing: Vec<Pair>,
    /// What the core system books.
    pub withheld: Vec<Pair>,
}

/// Every entry of earlier exports of one month, oldest first.
pub type Exported = [DoubleEntry];

/// Whether a pair is booked from here; else the core system books it.
#[must_use]
pub fn is_exported(pair: &Pair, settings: &BooksSettings) -> bool {
    match pair.gate() {
        Gate::Always => true,
        Gate::Premium => settings.premium == Booked::Tagih,
        Gate::Receipts => settings.receipts == Booked::Tagih,
    }
}

/// What is to be exported of a month that holds `pairs`, after what has been.
#[must_use]
pub fn export(pairs: &[Pair], exported: &Exported, settings: &BooksSettings) -> Export {
    let (wanted, withheld): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| is_exported(pair, settings));
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut standing: BTreeMap<String, &DoubleEntry> = BTreeMap::new();
    for entry in exported {
        let pair_id = entry.id.trim_end_matches("-r").split('.').next().unwrap_or_default().to_owned();
        if entry.id.ends_with("-r") {
            standing.remove(&pair_id);
        } else {
            *times.entry(pair_id.clone()).or_default() = times.get(&pair_id).copied().unwrap_or(0).saturating_add(1);
            standing.insert(pair_id, entry);
        }
    }
    let held: BTreeSet<String> = wanted.iter().map(|pair| pair.id()).collect();
    let gone = standing.iter().filter(|(id, _)| !held.contains(*id)).map(|(_, entry)| DoubleEntry {
        id: format!("{}-r", entry.id),
        pair: Pair { debit: entry.pair.credit, credit: entry.pair.debit, ..entry.pair.clone() },
    });
    let mut entries: Vec<DoubleEntry> = gone.collect();
    let booked: Vec<Pair> = wanted.iter().copied().cloned().collect();
    for pair in wanted {
        let id = pair.id();
        if !standing.contains_key(&id) {
            let again = times.get(&id).map_or_else(String::new, |times| format!(".{}", times.saturating_add(1)));
            entries.push(DoubleEntry { id: format!("{id}{again}"), pair: pair.clone() });
        }
    }
    Export { entries, standing: booked, withheld: withheld.into_iter().cloned().collect() }
}

/// Why entries cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// An account is needed and not named in the customer's chart.
    #[error("`accounts.{}` is not set, and an entry needs it", .0.name())]
    Unmapped(Account),
    /// The file.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// One line of an entry.
struct Line<'a> {
    entry: &'a DoubleEntry,
    leg: Leg,
    /// Debit +, credit −.
    amount: Rupiah,
    /// What the customer calls the account.
    account: &'a str,
}

/// The columns of the file.
fn columns<'a>() -> [Column<'static, Line<'a>>; 10] {
    [
        Column::text("entry_id", |line| (&line.entry.id).into()),
        Column::date("date", |line| line.entry.pair.day.into()),
        Column::date("original_date", |line| line.entry.pair.original.into()),
        Column::text("account", |line| line.account.into()),
        Column::text("purpose", |line| line.leg.account.name().into()),
        Column::text("item", |line| line.leg.item.as_ref().map_or(Value::Empty, |item| Value::shown(item))),
        Column::rupiah("debit", |line| line.amount.max(Rupiah::ZERO).into()),
        Column::rupiah("credit", |line| Rupiah::ZERO.minus(line.amount).max(Rupiah::ZERO).into()),
        Column::text("movement", |line| line.entry.pair.movement.name().into()),
        Column::text("cause", |line| Value::shown(&line.entry.pair.cause)),
    ]
}

/// Writes entries as two lines each, on the customer's accounts; accounts the customer has not named stop the export before anything is
/// written.
///
/// # Errors
/// [`ExportError`].
pub fn write_csv(mut out: impl Write, entries: &[DoubleEntry], chart: &BTreeMap<Account, String>) -> Result<(), ExportError> {
    let needed: BTreeSet<Account> = entries.iter().flat_map(|entry| [entry.pair.debit.account, entry.pair.credit.account]).collect();
    let named = |account: &Account| chart.get(account).is_some_and(|name| !name.is_empty());
    if let Some(missing) = needed.iter().find(|account| !named(account)) {
        return Err(ExportError::Unmapped(*missing));
    }
    let lines = entries.iter().flat_map(|entry| {
        let line = |(leg, amount): (Leg, Rupiah)| Line { entry, leg, amount, account: chart.get(&leg.account).map_or("", String::as_str) };
        entry.pair.legs().map(line)
    });
    Ok(Format::Csv.write(&columns(), lines, &mut out)?)
}
