//! Payments of earlier months, as the books handed them on: what covers a bill although this evidence does not tell of it, and money
//! without a bill, whose bill every run looks for anew.

use std::collections::HashSet;

use jiff::Timestamp;

use super::bills::{Bills, Found};
use super::known::KnownPayment;
use crate::books::fact::Payee;
use crate::books::known::{Known, Payment};
use crate::books::pair::Leg;
use crate::books::{Account, ItemId};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::digest::Digest;
use crate::domain::payment::{Facts, Sameness};

/// A payment of an earlier month without a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Its item.
    pub id: ItemId,
    /// What makes it this payment.
    pub identity: Digest,
    /// What tells it from others, however its message is written.
    pub sameness: Sameness,
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
                sameness: sameness(payment, (bills.invoice_number(bill), bills.payment_code(bill)), identity, amount),
                in_ledger: false,
                is_proved: false,
            })),
            Payee::Bill(_) => {}
            Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => orphans.extend(orphan(bills, *id, payment, identity, amount)),
        }
    }
    covering.sort_unstable();
    (covering, orphans)
}

/// What tells a payment from others, however a message of it is written. Books of before it was noted what a payment of a bill was notified
/// as take it to have been what its bill is called.
fn sameness(payment: &Payment, of_bill: (&str, &str), identity: Digest, amount: u64) -> Option<Sameness> {
    let notified = &payment.notified;
    let is_noted = !(notified.invoice_number.is_empty() && notified.payment_code.is_empty());
    let (number, code) = if is_noted { (&*notified.invoice_number, &*notified.payment_code) } else { of_bill };
    let amount = Amount::new(amount).ok()?;
    let facts = Facts { channel: payment.channel, code, number, amount, paid_at: payment.paid_at };
    Some(Sameness::of(identity, payment.canonical.unwrap_or(identity), &facts))
}

fn orphan(bills: &Bills, id: ItemId, payment: &Payment, identity: Digest, amount: u64) -> Option<Orphan> {
    let notified = &payment.notified;
    let found = bills.find(&notified.invoice_number, &notified.payment_code);
    Some(Orphan {
        id,
        identity,
        sameness: sameness(payment, ("", ""), identity, amount)?,
        invoice_number: notified.invoice_number.clone(),
        payment_code: notified.payment_code.clone(),
        channel: payment.channel,
        amount,
        paid_at: payment.paid_at,
        bill: if let Found::One(bill) = found { Some(bill) } else { None },
        is_proved: false,
    })
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

/// Whether money of an orphan still waits.
pub(super) fn waits(known: &Known, orphan: &Orphan) -> bool {
    let held_as = known.payments.get(&orphan.id).map(|payment| payment.held_as);
    held_as.is_some_and(|item| known.balances.contains_key(&Leg::of(Account::Suspense, item)))
}
