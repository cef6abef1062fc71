//! Payments of earlier months, as the books handed them on: what covers a bill although this evidence does not tell of it, and money
//! without a bill, whose bill every run looks for anew.

use std::collections::HashSet;

use jiff::Timestamp;

use super::bills::{Bills, Found};
use super::dedupe::Payments;
use super::known::KnownPayment;
use crate::books::fact::Payee;
use crate::books::known::{Known, Payment};
use crate::books::pair::Leg;
use crate::books::{Account, ItemId};
use crate::domain::channel::Channel;
use crate::domain::digest::Digest;
use crate::domain::line::Lines;

/// A payment of an earlier month without a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its item.
    pub id: ItemId,
    /// What makes it this payment.
    pub identity: Digest,
    /// As notified.
    pub invoice_number: Box<str>,
    /// As notified.
    pub payment_code: Box<str>,
    /// Where.
    pub channel: Channel,
    /// Rupiah.
    pub amount: u64,
    /// When.
    pub paid_at: Timestamp,
    /// The bill its ids lead to by now.
    pub bill: Option<u32>,
    /// Whether this evidence tells of it, too; found out by reconciling.
    pub is_proved: bool,
}

/// What the books know of payments, as far as it is no news: those of bills, sorted, and those without one. Payments that the ledger
/// itself knows (`ledger`) are left to it.
#[must_use]
pub fn carried(bills: &Bills, known: &Known, ledger: &[KnownPayment]) -> (Vec<KnownPayment>, Vec<Orphan>) {
    let told: HashSet<&Digest> = ledger.iter().filter(|payment| payment.in_ledger).map(|payment| &payment.identity).collect();
    let (mut covering, mut orphans) = (Vec::new(), Vec::new());
    for (id, payment) in &known.payments {
        let Some((identity, amount)) = payment.identity.zip(u64::try_from(payment.amount.get()).ok()) else { continue };
        match payment.payee {
            Payee::Bill(bill) if !told.contains(&identity) => covering.extend(bill_of(bills, known, bill).map(|bill| KnownPayment {
                bill,
                paid_at: payment.paid_at,
                identity,
                amount,
                sameness: None,
                in_ledger: false,
                is_proved: false,
            })),
            Payee::Bill(_) => {}
            Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => orphans.push(orphan(bills, *id, payment, identity, amount)),
        }
    }
    covering.sort_unstable();
    (covering, orphans)
}

fn orphan(bills: &Bills, id: ItemId, payment: &Payment, identity: Digest, amount: u64) -> Orphan {
    let notified = &payment.notified;
    let found = bills.find(&notified.invoice_number, &notified.payment_code);
    Orphan {
        id,
        identity,
        invoice_number: notified.invoice_number.clone(),
        payment_code: notified.payment_code.clone(),
        channel: payment.channel,
        amount,
        paid_at: payment.paid_at,
        bill: if let Found::One(bill) = found { Some(bill) } else { None },
        is_proved: false,
    }
}

/// The bill of the ledger that the books know as `bill`.
fn bill_of(bills: &Bills, known: &Known, bill: ItemId) -> Option<u32> {
    let bill = known.bills.get(&bill)?;
    let mut codes = bill.names.iter().filter_map(|name| name.split_once('/')).map(|(_, code)| code);
    let by_code = codes.find_map(|code| bills.pair(&bill.invoice_number, code));
    by_code.or_else(|| {
        let mut numbered = bills.numbered(&bill.invoice_number);
        numbered.next().filter(|_| numbered.next().is_none())
    })
}

/// Finds out which of `orphans` the evidence proves.
pub(super) fn prove(orphans: &mut [Orphan], lines: &Lines, payments: &Payments) {
    for orphan in orphans {
        orphan.is_proved = payments.contains(lines, &orphan.identity);
    }
}

/// Whether money of an orphan still waits.
pub(super) fn waits(known: &Known, orphan: &Orphan) -> bool {
    let held_as = known.payments.get(&orphan.id).map(|payment| payment.held_as);
    held_as.is_some_and(|item| known.balances.contains_key(&Leg::of(Account::Suspense, item)))
}
