//! How orders come about and change: by a request that was let in, or by the merchant's answer to an inquiry.

use jiff::Timestamp;

use super::chain;
use super::fault::number;
use super::model::Model;
use super::question::Payable;
use super::record::{Order, OrderState, minutes_after, whole_seconds};
use super::rule::{Change, NewOrder, Refusal};
use super::settings::{AmendBase, Settings};
use super::till::Till;
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// How many digits DOKU's own codes have.
const CODE_LENGTH: usize = 16;

/// How long what an inquiry was answered with can be paid. DOKU's pages do not say; a customer stands at the counter.
const INQUIRY_MINUTES: u32 = 60;

impl Model {
    pub(super) fn create(&mut self, wanted: &NewOrder, till: &Till, request_id: &str, now: Timestamp) -> Result<usize, Refusal> {
        if self.by_invoice.contains_key(&wanted.invoice_number) {
            return Err(Refusal::new(409, "order.invoice_number is already used with different request data"));
        }
        let payment_code = match &wanted.payment_code {
            Some(code) => self.free_merchant_code(code, now)?,
            None => self.new_code(wanted.channel, &wanted.invoice_number)?,
        };
        let created_at = whole_seconds(now);
        Ok(self.add_order(Order {
            invoice_number: wanted.invoice_number.clone(),
            payment_code,
            channel: wanted.channel,
            method: wanted.method,
            amount: wanted.amount,
            reusable: wanted.reusable,
            state: OrderState::Live,
            created_at,
            expires_at: minutes_after(created_at, wanted.expiry_minutes),
            cancelled_at: None,
            created_by: request_id.into(),
            changed_by: Vec::new(),
            override_notification_url: wanted.override_url.clone(),
            payments: Vec::new(),
            status_word: None,
            till: till.clone(),
        }))
    }

    /// Enters an order into the books, as the latest of its code.
    fn add_order(&mut self, order: Order) -> usize {
        let index = self.orders.len();
        self.by_invoice.insert(order.invoice_number.clone(), index);
        self.by_code.insert(order.payment_code.clone(), index);
        self.orders.push(order);
        index
    }

    /// The order of an inquiry the merchant answered with what is owed; asked about again, it takes over the newer answer. An
    /// invoice number of another code is refused.
    pub(super) fn order_of_inquiry(
        &mut self,
        payable: Payable,
        payment_code: &PaymentCode,
        request_id: &str,
        now: Timestamp,
    ) -> Option<usize> {
        let created_at = whole_seconds(now);
        let expires_at = minutes_after(created_at, INQUIRY_MINUTES);
        if let Some(&index) = self.by_invoice.get(&payable.invoice_number) {
            let order = self.orders.get_mut(index)?;
            if order.method != IssuanceMethod::Inquiry || order.payment_code != *payment_code {
                return None;
            }
            (order.amount, order.till, order.expires_at) = (payable.amount, payable.till, expires_at);
            order.override_notification_url = payable.override_url;
            // Whether a code may be paid again is for the merchant to say.
            order.reusable |= order.is_paid();
            order.changed_by.push(request_id.into());
            self.by_code.insert(payment_code.clone(), index);
            return Some(index);
        }
        Some(self.add_order(Order {
            invoice_number: payable.invoice_number,
            payment_code: payment_code.clone(),
            channel: chain::INQUIRES,
            method: IssuanceMethod::Inquiry,
            amount: payable.amount,
            reusable: false,
            state: OrderState::Live,
            created_at,
            expires_at,
            cancelled_at: None,
            created_by: request_id.into(),
            changed_by: Vec::new(),
            override_notification_url: payable.override_url,
            payments: Vec::new(),
            status_word: None,
            till: payable.till,
        }))
    }

    fn free_merchant_code(&self, code: &PaymentCode, now: Timestamp) -> Result<PaymentCode, Refusal> {
        let bin = &self.settings().merchant_bin;
        if !code.as_str().starts_with(bin.as_str()) {
            return Err(Refusal::new(400, format!("online_to_offline_info.payment_code must begin with {bin}")));
        }
        match self.order_of_code(code.as_str()) {
            Some(order) if order.is_payable(now) => {
                Err(Refusal::new(409, "online_to_offline_info.payment_code is already used with different request data"))
            }
            _ => Ok(code.clone()),
        }
    }

    /// A code drawn from seed, channel and invoice, so that it does not depend on the order of arrival.
    fn new_code(&self, channel: Channel, invoice_number: &InvoiceNumber) -> Result<PaymentCode, Refusal> {
        let Settings { seed, .. } = self.settings();
        let bin = self.settings().bin(channel);
        let width = CODE_LENGTH.saturating_sub(bin.len());
        let span = 10_u64.saturating_pow(u32::try_from(width).unwrap_or(0));
        let draw = |round: u32| {
            let parts: [&[u8]; 5] =
                [&seed.to_be_bytes(), b"code", channel.name().as_bytes(), invoice_number.as_str().as_bytes(), &round.to_be_bytes()];
            let unique = number(digest::of_parts(&parts).get(..8)).checked_rem(span).unwrap_or(0);
            PaymentCode::new(format!("{bin}{unique:0width$}")).ok()
        };
        let mut drawn = (0..1_000).map_while(draw);
        let free = drawn.find(|code| !self.by_code.contains_key(code));
        free.ok_or_else(|| Refusal::new(500, "Internal Server Error"))
    }

    pub(super) fn change(&mut self, change: &Change, request_id: &str, now: Timestamp) -> Result<usize, Refusal> {
        let base = self.settings().amend_base;
        let index = self.by_invoice.get(&change.invoice_number).copied();
        let found = index.and_then(|index| self.orders.get_mut(index).map(|order| (index, order)));
        // What only an inquiry made known is registered nowhere, and cannot be changed.
        let is_changeable = |order: &Order| chain::of(order.channel).takes_changes && order.method != IssuanceMethod::Inquiry;
        let found = found.filter(|(_, order)| order.payment_code == change.payment_code && is_changeable(order));
        let (index, order) = found.ok_or_else(|| Refusal::new(404, "Payment code not found"))?;
        if order.state == OrderState::Cancelled {
            return Err(Refusal::new(400, "Payment code is already cancelled"));
        }
        if order.is_paid() && !order.reusable {
            return Err(Refusal::new(400, "Payment code is already paid"));
        }
        if now >= order.expires_at {
            return Err(Refusal::new(400, "Payment code is already expired"));
        }
        if change.cancel {
            order.state = OrderState::Cancelled;
            order.cancelled_at = Some(whole_seconds(now));
        } else {
            order.amount = change.amount.unwrap_or(order.amount);
            order.reusable = change.reusable;
            let from = match base {
                AmendBase::Amendment => whole_seconds(now),
                AmendBase::Creation => order.created_at,
            };
            order.expires_at = minutes_after(from, change.expiry_minutes);
        }
        order.changed_by.push(request_id.into());
        Ok(index)
    }
}
