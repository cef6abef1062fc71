//! Bookings for the accounting system: what the journal holds and what DOKU settled, checked to balance before it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;

use crate::domain::booking::{Account, Booking, Leg, of_item};
use crate::domain::calendar::wib_date;
use crate::domain::channel::Channel;
use crate::domain::digest;
use crate::domain::discrepancy::Register;
use crate::domain::fee::vat_contained;
use crate::report::RoundedPayment;
use crate::report::atomic::WriteError;
use crate::report::entries::{self, SettledRow};

/// How bookings are made.
#[derive(Clone, Debug)]
pub struct EntriesOptions {
    /// The merchant's account for each purpose; empty where none is named.
    pub accounts: BTreeMap<Account, String>,
    /// VAT in percent of DOKU's fee, contained in what it keeps: of Alfa, of Indomaret.
    pub vat_percent: [u32; 2],
    /// Only bookings of these WIB days.
    pub days: Option<(Date, Date)>,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntriesReport {
    /// Entries.
    pub entries: usize,
    /// Their debits, which are their credits.
    pub total: i128,
    /// Settlement rows left out: refunds, repeated rows, other products, rows that do not add up or have no day.
    pub left_out: usize,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EntriesError {
    /// An account is needed and not named (exit 2).
    #[error("E0812: `accounts.{0}` is not set, and an entry needs it\nhint: name your account for it in the configuration")]
    Unmapped(&'static str),
    /// The sums differ (exit 8).
    #[error("E0813: debits are {debits}, credits {credits}{}\nhint: keep the report folder and the journal, and report the defect", .entry.as_ref().map_or_else(String::new, |id| format!(" in entry {id}")))]
    Unbalanced {
        /// Which entry; none: all together.
        entry: Option<String>,
        /// In rupiah.
        debits: i128,
        /// In rupiah.
        credits: i128,
    },
    /// The file cannot be written (exit 9).
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What a report folder adds to the journal.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// Its settlement rows.
    pub settled: Vec<SettledRow>,
    /// Its payments within the tolerance (P05).
    pub rounded: Vec<RoundedPayment>,
}

/// Writes the bookings of all items, and of what a report holds, to `path`.
///
/// # Errors
/// [`EntriesError`]; what stood there before is unchanged.
pub fn write(path: &Path, register: &Register, reported: &Reported, options: &EntriesOptions) -> Result<EntriesReport, EntriesError> {
    let mut bookings: Vec<Booking> = register.items().flat_map(|(_, item)| of_item(item)).collect();
    let (batches, left_out) = of_settlement(&reported.settled, options.vat_percent);
    bookings.extend(batches);
    bookings.extend(reported.rounded.iter().filter_map(of_rounding));
    bookings.retain(|booking| options.days.is_none_or(|(from, to)| from <= booking.on && booking.on <= to));
    bookings.sort_by(|a, b| (a.on, &a.discrepancy_id, &a.id).cmp(&(b.on, &b.discrepancy_id, &b.id)));
    let total = balance(&bookings)?;
    let needed: BTreeSet<Account> = bookings.iter().flat_map(|booking| &booking.legs).map(|leg| leg.account).collect();
    let named = |account: &Account| options.accounts.get(account).is_some_and(|name| !name.is_empty());
    if let Some(missing) = needed.into_iter().find(|account| !named(account)) {
        return Err(EntriesError::Unmapped(missing.name()));
    }
    entries::write(path, &bookings, &options.accounts)?;
    Ok(EntriesReport { entries: bookings.len(), total, left_out })
}

/// The total, if each entry and all of them balance.
fn balance(bookings: &[Booking]) -> Result<i128, EntriesError> {
    if let Some(wrong) = bookings.iter().find(|booking| !booking.is_balanced()) {
        let (debits, credits) = wrong.totals();
        return Err(EntriesError::Unbalanced { entry: Some(wrong.id.clone()), debits, credits });
    }
    // Counted leg by leg, not entry by entry.
    let sum = |of: fn(&Leg) -> u64| bookings.iter().flat_map(|booking| &booking.legs).map(|leg| i128::from(of(leg))).sum();
    let (debits, credits): (i128, i128) = (sum(|leg| leg.debit), sum(|leg| leg.credit));
    if debits == credits { Ok(debits) } else { Err(EntriesError::Unbalanced { entry: None, debits, credits }) }
}

/// Sums of one batch on one day.
#[derive(Clone, Copy, Debug, Default)]
struct Batch {
    amount: u64,
    kept: u64,
    vat: u64,
    paid_out: u64,
}

/// One booking a batch and day, and how many rows are in none.
fn of_settlement(rows: &[SettledRow], vat_percent: [u32; 2]) -> (Vec<Booking>, usize) {
    let mut batches: BTreeMap<(Date, &str), Batch> = BTreeMap::new();
    let mut left_out = 0_usize;
    let [alfa, indomaret] = vat_percent;
    let of = |channel| match channel {
        Channel::Alfa => alfa,
        Channel::Indomaret => indomaret,
    };
    for row in rows {
        let (Some(channel), Some((on, amount, fee, discount, paid_out))) = (Channel::parse(&row.channel), bookable(row)) else {
            left_out = left_out.saturating_add(1);
            continue;
        };
        let batch = batches.entry((on, &row.batch_id)).or_default();
        batch.amount = batch.amount.saturating_add(amount);
        batch.kept = batch.kept.saturating_add(fee).saturating_add(discount);
        batch.vat = batch.vat.saturating_add(vat_in(fee, of(channel)));
        batch.paid_out = batch.paid_out.saturating_add(paid_out);
    }
    let bookings = batches.into_iter().map(|((on, batch_id), batch)| {
        let id = digest::of_parts(&[b"settlement", batch_id.as_bytes(), on.to_string().as_bytes(), format!("{batch:?}").as_bytes()]);
        let debit = |account, debit| Leg { account, debit, credit: 0 };
        let legs = [
            debit(Account::Bank, batch.paid_out),
            debit(Account::FeeExpense, batch.kept.saturating_sub(batch.vat)),
            debit(Account::VatInput, batch.vat),
            Leg { account: Account::InTransit, debit: 0, credit: batch.amount },
        ];
        Booking {
            id: format!("B-{}", digest::hex(id.get(..10).unwrap_or(&id))),
            on,
            words: format!("settlement batch {batch_id}"),
            invoice_number: String::new(),
            payment_code: String::new(),
            discrepancy_id: String::new(),
            class: String::new(),
            legs: legs.into_iter().filter(|leg| leg.debit > 0 || leg.credit > 0).collect(),
        }
    });
    (bookings.collect(), left_out)
}

/// What a payment differs from its bill, within the tolerance: the bill is settled, and the difference is ours.
fn of_rounding(payment: &RoundedPayment) -> Option<Booking> {
    let leg = |account, debit, credit| Leg { account, debit, credit };
    let difference = payment.paid.checked_sub(payment.due)?;
    let amount = difference.unsigned_abs();
    let legs = if difference > 0 {
        [leg(Account::InTransit, amount, 0), leg(Account::Rounding, 0, amount)]
    } else {
        [leg(Account::Rounding, amount, 0), leg(Account::Receivable, 0, amount)]
    };
    let id = digest::of_parts(&[b"rounding", &payment.identity, difference.to_string().as_bytes()]);
    Some(Booking {
        id: format!("B-{}", digest::hex(id.get(..10).unwrap_or(&id))),
        on: wib_date(payment.paid_at),
        words: "rounding: P05".to_owned(),
        invoice_number: payment.invoice_number.clone(),
        payment_code: payment.payment_code.clone(),
        discrepancy_id: String::new(),
        class: "P05".to_owned(),
        legs: legs.to_vec(),
    })
}

/// A row that was paid out and adds up. One that came twice (S07) is booked once, as its first.
fn bookable(row: &SettledRow) -> Option<(Date, u64, u64, u64, u64)> {
    let adds_up = row.amount.checked_sub(row.fee)?.checked_sub(row.discount)? == row.paid_out;
    let positive = |amount: i64| u64::try_from(amount).ok();
    let (amount, fee, discount, paid_out) = (positive(row.amount)?, positive(row.fee)?, positive(row.discount)?, positive(row.paid_out)?);
    (adds_up && amount > 0 && !matches!(row.class.as_str(), "S06" | "S07")).then_some((row.paid_out_on?, amount, fee, discount, paid_out))
}

fn vat_in(fee: u64, vat_percent: u32) -> u64 {
    vat_contained(i64::try_from(fee).unwrap_or(i64::MAX), vat_percent).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_batch_balances_and_what_does_not_add_up_is_left_out() {
        let row = |class: &str, amounts: [i64; 4]| SettledRow {
            class: class.into(),
            channel: if class == "S12" { String::new() } else { "alfa".into() },
            batch_id: "B1".into(),
            paid_out_on: Some("2026-10-09".parse().unwrap()),
            amount: amounts[0],
            fee: amounts[1],
            discount: amounts[2],
            paid_out: amounts[3],
        };
        let rows = [
            row("S00", [100_000, 5_550, 0, 94_450]),
            row("S04", [50_000, 1_110, 10, 48_880]),
            row("S05", [1, 2, 3, 4]),
            row("S07", [100_000, 5_550, 0, 94_450]),
            row("S06", [-100_000, 0, 0, -100_000]),
            row("S06", [100_000, 0, 0, 100_000]),
            row("S12", [100_000, 5_550, 0, 94_450]),
        ];
        let (bookings, left_out) = of_settlement(&rows, [11, 0]);
        assert_eq!((bookings.len(), left_out), (1, 5));
        assert_eq!(balance(&bookings).unwrap(), 150_000);
        let debits: Vec<_> = bookings[0].legs.iter().map(|leg| (leg.account.name(), leg.debit)).collect();
        assert_eq!(debits, [("bank", 143_330), ("fee_expense", 6_010), ("vat_input", 660), ("in_transit", 0)]);
    }
}
