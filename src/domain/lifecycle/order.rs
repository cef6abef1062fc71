//! The orders of a bill at DOKU: the one it has, asks for or had last, and those before it.
//!
//! A bill that is issued anew gets another number at DOKU, and often another code. What it had before stays known, because money
//! for it may come late.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BillState, IssuedCode, OpenOperation, OperationKind, Status};
use crate::domain::channel::Channel;
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// An order that a bill had at DOKU before its present one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerOrder {
    /// The number DOKU knows it by.
    pub wire_invoice_number: InvoiceNumber,
    /// Where it could be paid.
    pub channel: Channel,
    /// Its code; none where DOKU made it and nobody heard which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_code: Option<PaymentCode>,
    /// When DOKU made it, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it stopped being payable, if DOKU said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it is no order of its own, but a number under which an inquiry about the code was answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_alias: bool,
}

impl FormerOrder {
    pub(super) fn alias(number: InvoiceNumber, code: &IssuedCode, channel: Channel) -> Self {
        Self { wire_invoice_number: number, is_alias: true, ..Self::of_code(code.clone(), channel) }
    }

    pub(super) fn of_code(code: IssuedCode, channel: Channel) -> Self {
        Self {
            wire_invoice_number: code.wire_invoice_number,
            channel,
            payment_code: Some(code.answer.payment_code),
            created_at: code.answer.created_at,
            expires_at: code.answer.expires_at,
            is_alias: false,
        }
    }

    pub(super) fn of_open(open: OpenOperation) -> Self {
        Self {
            wire_invoice_number: open.wire_invoice_number,
            channel: open.terms.channel,
            payment_code: open.terms.payment_code,
            created_at: None,
            expires_at: None,
            is_alias: false,
        }
    }
}

/// One order of a bill, as far as a payment can name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<'a> {
    /// The number DOKU knows it by.
    pub wire_invoice_number: &'a InvoiceNumber,
    /// Where it can or could be paid.
    pub channel: Channel,
    /// Its code, if it is known.
    pub payment_code: Option<&'a PaymentCode>,
    /// Whether it is the one the bill has, asks for or had last.
    pub is_present: bool,
}

impl BillState {
    /// All orders of the bill, the present one first.
    pub fn orders(&self) -> impl Iterator<Item = Order<'_>> {
        let asked = self.open.as_ref().filter(|_| matches!(self.status, Status::Requested | Status::InDoubt(OperationKind::Issue)));
        let open = asked.map(|open| Order {
            wire_invoice_number: &open.wire_invoice_number,
            channel: open.terms.channel,
            payment_code: open.terms.payment_code.as_ref(),
            is_present: true,
        });
        let held = self.code.as_ref().map(|code| Order {
            wire_invoice_number: &code.wire_invoice_number,
            channel: self.terms.channel,
            payment_code: Some(&code.answer.payment_code),
            is_present: asked.is_none(),
        });
        // A number that an inquiry was answered with is the present order's, for as long as the bill has the code.
        let has_code = |order: &FormerOrder| self.code.as_ref().map(|code| &code.answer.payment_code) == order.payment_code.as_ref();
        let former = self.former.iter().map(move |order| Order {
            wire_invoice_number: &order.wire_invoice_number,
            channel: order.channel,
            payment_code: order.payment_code.as_ref(),
            is_present: order.is_alias && asked.is_none() && has_code(order),
        });
        open.into_iter().chain(held).chain(former)
    }

    /// Every code it holds, held, asks for or was promised; some more than once.
    pub fn payment_codes(&self) -> impl Iterator<Item = &PaymentCode> {
        let open = self.open.as_ref().and_then(|open| open.terms.payment_code.as_ref());
        let refused = self.refusal.as_ref().and_then(|refusal| refusal.terms.payment_code.as_ref());
        let wanted = self.terms.payment_code.as_ref();
        self.orders().filter_map(|order| order.payment_code).chain([open, refused, wanted].into_iter().flatten())
    }

    /// Whether the code it holds is of `order`: what was heard of another order says nothing of that code.
    #[must_use]
    pub fn is_at(&self, order: &InvoiceNumber) -> bool {
        self.code.as_ref().is_some_and(|code| code.wire_invoice_number == *order)
    }

    /// The numbers DOKU knows or knew the bill by that are not its own, each once. What DOKU refused without signing it counts:
    /// the order may exist all the same.
    #[must_use]
    pub fn other_numbers(&self) -> Vec<&InvoiceNumber> {
        let refused = self.refusal.as_ref().and_then(|refusal| refusal.provisional.as_ref()).map(|open| &open.wire_invoice_number);
        let all = self.orders().map(|order| order.wire_invoice_number).chain(refused);
        let mut numbers: Vec<&InvoiceNumber> = all.filter(|number| **number != self.invoice_number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}
