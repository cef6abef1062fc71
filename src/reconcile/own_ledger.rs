//! Bills and earlier payments out of our own ledger's states.

use std::collections::HashMap;

use jiff::Timestamp;

use super::bills::{Bills, TooMany};
use super::known_payments::KnownPayment;
use super::new_bill::{ExternalMark, FormerCode, NewBill};
use super::status::StatusEvidence;
use crate::domain::amount::Amount;
use crate::domain::channel::IssuanceMethod;
use crate::domain::check_status::StatusPayment;
use crate::domain::classify::{MatchingPolicy, issued_otherwise};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, OperationKind, Status};
use crate::domain::owner;
use crate::domain::payment::Payment;

/// Bills of our own ledger, gathered one after another: none of their states is kept but those of which a payment can be only by
/// what the compact form leaves out.
#[derive(Debug)]
pub struct OwnBills<'p> {
    policy: &'p MatchingPolicy,
    bills: Bills,
    too_many: bool,
    /// States of bills with former orders, or with an issue under way, by number.
    particular: HashMap<InvoiceNumber, BillState>,
    found: Vec<StatusPayment>,
}

impl<'p> OwnBills<'p> {
    /// None yet.
    #[must_use]
    pub fn new(policy: &'p MatchingPolicy) -> Self {
        Self { policy, bills: Bills::default(), too_many: false, particular: HashMap::new(), found: Vec::new() }
    }

    /// Takes one more; `lapses` is when the state of its policy was recorded, see [`NewBill`].
    pub fn take(&mut self, state: BillState, lapses: &[(Timestamp, bool)]) {
        self.too_many |= push(&mut self.bills, &state, lapses, self.policy).is_err();
        self.found.extend(state.checks.iter().flat_map(|checks| checks.found.iter().cloned()));
        if !state.former.is_empty() || state.open.as_ref().is_some_and(|open| open.operation == OperationKind::Issue) {
            self.particular.insert(state.invoice_number.clone(), state);
        }
    }

    /// All of them, findable.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn finish(mut self) -> Result<(Bills, KnownOwn, StatusEvidence), TooMany> {
        if self.too_many {
            return Err(TooMany);
        }
        self.bills.build_index();
        let known = KnownOwn { particular: self.particular, known: Vec::new() };
        Ok((self.bills, known, StatusEvidence::told(self.found)))
    }
}

/// The ledger's payments with their bills, gathered one after another; those of no bill are left out. Which bill's a payment is, the
/// ledger says: its own count of the bills in scope must come to the same.
#[derive(Debug)]
pub struct KnownOwn {
    particular: HashMap<InvoiceNumber, BillState>,
    known: Vec<KnownPayment>,
}

impl KnownOwn {
    /// Takes one more.
    pub fn take(&mut self, bills: &Bills, payment: &Payment) {
        let is_pair = |bill: u32| {
            let number = bills.invoice_number(bill);
            if let Some(state) = InvoiceNumber::new(number).ok().and_then(|number| self.particular.get(&number)) {
                return owner::is_pair(state, payment.into());
            }
            // Its only number here is its own or the one on the wire, and its only code the one it holds.
            let code = bills.payment_code(bill);
            if code.is_empty() { number == payment.invoice_number.as_str() } else { code == payment.payment_code.as_str() }
        };
        for bill in bills.numbered(payment.invoice_number.as_str()).filter(|&bill| is_pair(bill)) {
            let (paid_at, identity, amount) = (payment.paid_at, payment.identity, payment.amount.get());
            let sameness = Some(payment.sameness());
            self.known.push(KnownPayment {
                bill,
                paid_at,
                identity,
                amount,
                sameness,
                in_ledger: true,
                is_unproven: false,
                is_proved: false,
            });
        }
    }

    /// All of them, sorted.
    #[must_use]
    pub fn finish(mut self) -> Vec<KnownPayment> {
        self.known.sort_unstable();
        self.known
    }
}

fn push(bills: &mut Bills, state: &BillState, lapses: &[(Timestamp, bool)], policy: &MatchingPolicy) -> Result<(), TooMany> {
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
        dimensions: &state.terms.policy.dimensions.iter().collect::<Vec<_>>(),
        due_on: state.terms.policy.due_date,
        bill_group: state.terms.bill_group.as_deref(),
        lapses,
        issued_otherwise: answered.and_then(|code| code.remark.as_ref()).is_some_and(|remark| remark.about_expiry)
            || never_amended && issued_otherwise(state.terms.expiry, code.and_then(|code| code.answer.created_at), expires_at, policy),
        code_is_dead: matches!(state.status, Status::Planned | Status::Rejected | Status::Retired),
        by_inquiry: state.terms.method == IssuanceMethod::Inquiry,
    })?;
    Ok(())
}
