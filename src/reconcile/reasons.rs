//! Why a line, a payment or a bill is found, as values of both sides.

use super::bill::Bill;
use super::bills::Bills;
use super::judge_bills::JudgedBill;
use super::terms::ReconcileTerms;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, ClassSet, Nature};
use crate::domain::line::Line;
use crate::domain::reason::{BillReason, Ids, LineReason, PaymentReason, Reason, TimeReason};

/// Of a line that bears `flags`.
pub(super) fn of_line(line: &Line, flags: ClassSet) -> Reason {
    if line.class.info().nature != Nature::Break && flags.raising().is_some() {
        return Reason::Line(LineReason::RequestReused);
    }
    match line.class {
        Class::N07 => Reason::Line(LineReason::Contradicts),
        // What was left out of a message that could be used is no reason.
        _ if line.is_message() => Reason::Nothing,
        _ => line.detail.map_or(Reason::Nothing, |detail| Reason::Line(LineReason::Stopped(detail))),
    }
}

/// Of a payment that is no bill's.
pub(super) fn of_unmatched(class: Class, (invoice_number, payment_code): (&str, &str), bills: &Bills) -> Reason {
    let notified = ids(invoice_number, payment_code);
    let known = || {
        let bill = |&bill: &u32| ids(bills.invoice_number(bill), bills.payment_code(bill));
        bills.candidates(invoice_number, payment_code).iter().map(bill).collect()
    };
    Reason::from(match class {
        Class::P17 => PaymentReason::NoWholeRupiah,
        Class::P15 => PaymentReason::Candidates(known()),
        Class::P02 => PaymentReason::Disagrees { notified, known: known() },
        _ => PaymentReason::Unknown(notified),
    })
}

fn ids(invoice_number: &str, payment_code: &str) -> Ids {
    Ids { invoice_number: invoice_number.to_owned(), payment_code: payment_code.to_owned() }
}

/// Of a payment of `bill`.
pub(super) fn of_payment(line: &Line, class: Class, bill: &Bill, terms: &ReconcileTerms) -> Reason {
    let Some(paid) = line.usable_amount() else { return PaymentReason::NoWholeRupiah.into() };
    let (due, paid_at) = (bill.amount, line.paid_at());
    let time = match class {
        Class::P08 => bill.cancelled_at().map(|cancelled_at| TimeReason::Cancelled { paid_at, cancelled_at }),
        Class::P07 => {
            let grace_minutes = terms.policy.expiry_grace_minutes;
            bill.expires_at().map(|expired_at| TimeReason::Expired { paid_at, expired_at, grace_minutes })
        }
        Class::P09 => bill.created_at().map(|issued_at| TimeReason::NotIssued { paid_at, issued_at }),
        Class::P18 => Some(TimeReason::PolicyLapsed { paid_at }),
        Class::P19 => line.received_at().map(|told_at| TimeReason::NotNotified { told_at }),
        _ => None,
    };
    if let Some(time) = time {
        return time.into();
    }
    Reason::from(match class {
        Class::P06 => PaymentReason::Covered { paid, due },
        Class::P12 => PaymentReason::GroupPaid { paid },
        Class::P10 => PaymentReason::EarlierAmount { paid, due },
        Class::P11 => PaymentReason::OtherChannel { code_of: bill.channel, paid_at: line.channel },
        _ => PaymentReason::Paid { paid, due },
    })
}

/// Of a bill with so many payments, which come to `attached`.
pub(super) fn of_bill(judged: &JudgedBill, bill: &Bill, attached: Rupiah, count: usize) -> Reason {
    let reason = match judged.class {
        Class::L06 => BillReason::InDoubt,
        Class::L11 | Class::L12 => BillReason::Payments { count, attached, due: bill.amount },
        Class::L04 => BillReason::NotProved,
        Class::L05 => BillReason::NoCode,
        Class::L02 => match bill.expires_at() {
            Some(expired_at) => BillReason::Expired { expired_at },
            None => return Reason::Nothing,
        },
        _ if judged.flags.contains(Class::L07) => BillReason::CodeTwice,
        _ => return Reason::Nothing,
    };
    reason.into()
}
