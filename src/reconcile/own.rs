//! Bills and earlier payments out of our own ledger's states.

use jiff::Timestamp;

use super::bills::{Bills, TooMany};
use super::known::KnownPayment;
use super::new_bill::{ExternalMark, FormerCode, NewBill};
use crate::domain::amount::Amount;
use crate::domain::channel::Method;
use crate::domain::classify::{Policy, issued_otherwise};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, OperationKind, Status};
use crate::domain::owner;
use crate::domain::payment::Payment;

/// The bills of `states`, findable; `lapses_of` gives when the state of a bill's policy was recorded, see [`NewBill`].
///
/// # Errors
/// [`TooMany`].
pub fn from_states<'a>(
    states: impl IntoIterator<Item = &'a BillState>,
    lapses_of: impl Fn(&InvoiceNumber) -> &'a [(Timestamp, bool)],
    policy: &Policy,
) -> Result<Bills, TooMany> {
    let mut bills = Bills::default();
    for state in states {
        push(&mut bills, state, lapses_of(&state.invoice_number), policy)?;
    }
    bills.build_index();
    Ok(bills)
}

fn push(bills: &mut Bills, state: &BillState, lapses: &[(Timestamp, bool)], policy: &Policy) -> Result<(), TooMany> {
    let code = state.code.as_ref();
    let issue_in_doubt = matches!(state.status, Status::Requested | Status::InDoubt(OperationKind::Issue));
    let open = state.open.as_ref().filter(|_| issue_in_doubt);
    // A code of our own making is known before DOKU answers.
    let registering = open.and_then(|open| open.terms.payment_code.as_ref());
    let payment_code = registering.or_else(|| code.map(|code| &code.answer.payment_code));
    let open_invoice_number = open.filter(|_| registering.is_none()).map(|open| open.wire_invoice_number.as_str());
    let wire = match (registering, open) {
        (Some(_), Some(open)) => Some(open.wire_invoice_number.as_str()),
        _ => code.map(|code| code.wire_invoice_number.as_str()),
    };
    // What is known of an earlier code says nothing of one that is being issued.
    let answered = code.filter(|_| !issue_in_doubt);
    let created_at = answered.and_then(|code| code.answer.created_at).unwrap_or(state.planned_at);
    let expires_at = state.expires_at();
    let superseded = answered.map_or(&[][..], |code| &code.superseded);
    let earlier: Vec<Amount> = superseded.iter().map(|earlier| earlier.amount).collect();
    let superseded_at: Vec<Timestamp> = superseded.iter().map(|earlier| earlier.until).collect();
    let former: Vec<FormerCode<'_>> = state
        .former
        .iter()
        .filter(|order| !order.is_alias)
        .map(|order| FormerCode {
            wire_invoice_number: order.wire_invoice_number.as_str(),
            payment_code: order.payment_code.as_ref().map(PaymentCode::as_str),
            created_at: order.created_at,
            expires_at: order.expires_at,
        })
        .collect();
    let answered_as: Vec<&str> =
        state.former.iter().filter(|order| order.is_alias).map(|order| order.wire_invoice_number.as_str()).collect();
    // From when an amendment's minutes count is not documented, so only codes never amended are held against what was asked.
    let never_amended = state.generation <= 1 && state.status == Status::Active;
    bills.push(&NewBill {
        invoice_number: state.invoice_number.as_str(),
        wire_invoice_number: wire,
        answered_as: &answered_as,
        former: &former,
        payment_code: payment_code.map(PaymentCode::as_str),
        open_invoice_number,
        channel: state.terms.channel,
        amount: state.terms.amount,
        reusable: state.terms.reusable,
        issue_in_doubt,
        planned_at: Some(state.planned_at),
        created_at: Some(created_at),
        expires_at,
        cancelled_at: state.cancelled_at,
        paid: ExternalMark::Unpaid,
        earlier_amounts: &earlier,
        superseded_at: &superseded_at,
        product: state.terms.policy.kind.as_deref(),
        due_on: state.terms.policy.due_date,
        bill_group: state.terms.bill_group.as_deref(),
        lapses,
        issued_otherwise: answered.and_then(|code| code.remark.as_ref()).is_some_and(|remark| remark.about_expiry)
            || never_amended && issued_otherwise(state.terms.expiry, code.and_then(|code| code.answer.created_at), expires_at, policy),
        code_is_dead: matches!(state.status, Status::Planned | Status::Rejected | Status::Retired),
        by_inquiry: state.terms.method == Method::Inquiry,
    })?;
    Ok(())
}

/// The ledger's payments with their bills, sorted; those of no bill are left out. Which bill's a payment is, the ledger says:
/// its own count of the bills in scope must come to the same.
#[must_use]
pub fn known_payments<'a>(bills: &Bills, state_of: impl Fn(&str) -> Option<&'a BillState>, payments: &[Payment]) -> Vec<KnownPayment> {
    let of = |bill: u32, payment: &Payment| state_of(bills.invoice_number(bill)).is_some_and(|state| owner::is_pair(state, payment.into()));
    let mut known = Vec::new();
    for payment in payments {
        for bill in bills.numbered(payment.invoice_number.as_str()).filter(|&bill| of(bill, payment)) {
            let (paid_at, identity, amount) = (payment.paid_at, payment.identity, payment.amount.get());
            known.push(KnownPayment {
                bill,
                paid_at,
                identity,
                amount,
                sameness: Some(payment.sameness()),
                in_ledger: true,
                is_proved: false,
            });
        }
    }
    known.sort_unstable();
    known
}
