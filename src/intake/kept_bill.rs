//! The bytes a row is kept as while a command works on it. Never leaves the process, so it may hold what no event may: names.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::advice::{Facts, facts};
use super::import::AdoptedCode;
use crate::domain::additional::Additional;
use crate::domain::amount::Amount;
use crate::domain::bill::{Bill, Customer, Expiry, Policy, Terms, Wanted};
use crate::domain::channel::{Channel, Method};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::personal::Personal;

/// What rows become: kept as bytes, compared with each other by number and code.
pub trait Item: Sized + Send + Sync {
    /// Whose row it is.
    fn invoice_number(&self) -> &InvoiceNumber;
    /// The code it wants to be live.
    fn live_code(&self) -> Option<&PaymentCode>;
    /// What sums are made of.
    fn facts(&self, now: jiff::Timestamp) -> Facts;
    /// The bytes it is kept as; equal items have equal bytes.
    ///
    /// # Errors
    /// What cannot be written.
    fn to_bytes(&self) -> serde_json::Result<Vec<u8>>;
    /// The item that was kept.
    ///
    /// # Errors
    /// That the bytes are not those of an item.
    fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self>;
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    invoice_number: Cow<'a, InvoiceNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terms: Option<KeptTerms<'a>>,
}

#[derive(Serialize, Deserialize)]
struct KeptTerms<'a> {
    channel: Channel,
    method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_code: Option<Cow<'a, PaymentCode>>,
    amount: Amount,
    expiry: Expiry,
    reusable: bool,
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    info: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt_description: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt_footer: Option<Cow<'a, str>>,
    policy: Cow<'a, Policy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bill_group: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    additional: Option<Cow<'a, Additional>>,
}

impl<'a> KeptTerms<'a> {
    fn of(terms: &'a Terms) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        let name = |name: &'a Option<Personal>| name.as_ref().map(|name| Cow::Borrowed(name.reveal()));
        Self {
            channel: terms.channel,
            method: terms.method,
            payment_code: terms.payment_code.as_ref().map(Cow::Borrowed),
            amount: terms.amount,
            expiry: terms.expiry,
            reusable: terms.reusable,
            name: Cow::Borrowed(terms.customer.name.reveal()),
            email: name(&terms.customer.email),
            account_name: name(&terms.customer.account_name),
            info: text(&terms.info),
            receipt_description: text(&terms.receipt_description),
            receipt_footer: text(&terms.receipt_footer),
            policy: Cow::Borrowed(&terms.policy),
            bill_group: text(&terms.bill_group),
            additional: terms.additional.as_deref().map(Cow::Borrowed),
        }
    }

    fn into_terms(self) -> Terms {
        let text = |text: Option<Cow<'a, str>>| text.map(Cow::into_owned);
        let name = |name: Option<Cow<'a, str>>| name.map(|name| Personal::new(name.into_owned()));
        Terms {
            channel: self.channel,
            method: self.method,
            payment_code: self.payment_code.map(Cow::into_owned),
            amount: self.amount,
            expiry: self.expiry,
            reusable: self.reusable,
            customer: Customer {
                name: Personal::new(self.name.into_owned()),
                email: name(self.email),
                account_name: name(self.account_name),
            },
            info: text(self.info),
            receipt_description: text(self.receipt_description),
            receipt_footer: text(self.receipt_footer),
            policy: self.policy.into_owned(),
            bill_group: text(self.bill_group),
            additional: self.additional.map(|additional| Box::new(additional.into_owned())),
        }
    }
}

impl Item for Bill {
    fn invoice_number(&self) -> &InvoiceNumber {
        &self.invoice_number
    }

    fn live_code(&self) -> Option<&PaymentCode> {
        super::advice::live_terms(self)?.payment_code.as_ref()
    }

    fn facts(&self, now: jiff::Timestamp) -> Facts {
        facts(self, now)
    }

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let terms = super::advice::live_terms(self).map(KeptTerms::of);
        serde_json::to_vec(&Kept { invoice_number: Cow::Borrowed(&self.invoice_number), terms })
    }

    fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        let Kept { invoice_number, terms } = serde_json::from_slice(bytes)?;
        let wanted = terms.map_or(Wanted::Cancelled, |terms| Wanted::Live(Box::new(terms.into_terms())));
        Ok(Self { invoice_number: invoice_number.into_owned(), wanted })
    }
}

impl Item for AdoptedCode {
    fn invoice_number(&self) -> &InvoiceNumber {
        &self.invoice_number
    }

    fn live_code(&self) -> Option<&PaymentCode> {
        Some(&self.answer.payment_code)
    }

    fn facts(&self, _: jiff::Timestamp) -> Facts {
        Facts::default()
    }

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}
