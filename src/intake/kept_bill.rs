//! The bytes a row is kept as while a command works on it. Never leaves the process, so it may hold what no event may: names.

use super::advice::{InputFacts, facts, live_terms};
use super::bytes::{Fields, put_flag, put_number, put_text, put_wide};
use crate::domain::amount::Amount;
use crate::domain::bill::{Bill, Customer, Expiry, Policy, Terms, Wanted};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::digest;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::personal::Personal;

/// What two items are compared by: half of a SHA-256.
pub type Likeness = [u8; 16];

/// What rows become: kept as bytes, compared with each other by number and code.
pub trait KeptItem: Sized + Send + Sync {
    /// Whose row it is.
    fn invoice_number(&self) -> &InvoiceNumber;
    /// The code it wants to be live.
    fn live_code(&self) -> Option<&PaymentCode>;
    /// What sums are made of.
    fn facts(&self, now: jiff::Timestamp) -> InputFacts;
    /// What says whether it is like another, given the bytes it is kept as.
    fn likeness(&self, bytes: &[u8]) -> Likeness {
        let [first, _] = digest::halves(&digest::of_bytes(bytes));
        first
    }
    /// Puts the bytes it is kept as behind what is there; equal items have equal bytes. Of what cannot be written, bytes are put that
    /// [`Item::read`] takes for no item's.
    fn write(&self, bytes: &mut Vec<u8>);
    /// The item that was kept, if the bytes are those of one.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl KeptItem for Bill {
    fn invoice_number(&self) -> &InvoiceNumber {
        &self.invoice_number
    }

    fn live_code(&self) -> Option<&PaymentCode> {
        live_terms(self)?.payment_code.as_ref()
    }

    fn facts(&self, now: jiff::Timestamp) -> InputFacts {
        facts(self, now)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        put_text(bytes, Some(self.invoice_number.as_str()));
        if let Some(terms) = live_terms(self) {
            write_terms(bytes, terms);
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let invoice_number = fields.parsed(|text| InvoiceNumber::new(text).ok())?;
        let wanted = if fields.is_at_end() { Wanted::Cancelled } else { Wanted::Live(Box::new(read_terms(&mut fields)?)) };
        fields.end(Self { invoice_number, wanted })
    }
}

fn write_terms(bytes: &mut Vec<u8>, terms: &Terms) {
    let Terms { channel, method, payment_code, amount, expiry, reusable, customer, .. } = terms;
    let Terms { info, receipt_description, receipt_footer, policy, bill_group, additional, .. } = terms;
    put_text(bytes, Some(channel.name()));
    put_text(bytes, Some(method.name()));
    put_text(bytes, payment_code.as_ref().map(PaymentCode::as_str));
    put_number(bytes, amount.get());
    match expiry {
        Expiry::Minutes(minutes) => {
            put_number(bytes, 0);
            put_number(bytes, u64::from(*minutes));
        }
        Expiry::At(at) => {
            put_number(bytes, 1);
            put_wide(bytes, at.as_nanosecond());
        }
    }
    put_flag(bytes, *reusable);
    put_text(bytes, Some(customer.name.reveal()));
    put_text(bytes, customer.email.as_ref().map(Personal::reveal));
    put_text(bytes, customer.account_name.as_ref().map(Personal::reveal));
    let Policy { number, kind, status, due_date, dimensions } = policy;
    for text in [info, receipt_description, receipt_footer, number, kind, status, bill_group] {
        put_text(bytes, text.as_deref());
    }
    put_text(bytes, due_date.map(|date| date.to_string()).as_deref());
    let additional = additional.as_deref().map(|additional| serde_json::to_string(additional).unwrap_or_default());
    put_text(bytes, additional.as_deref());
    let dimensions = (!dimensions.is_empty()).then(|| serde_json::to_string(dimensions).unwrap_or_default());
    put_text(bytes, dimensions.as_deref());
}

fn read_terms(fields: &mut Fields<'_>) -> Option<Terms> {
    let (channel, method) = (fields.parsed(Channel::parse)?, fields.parsed(IssuanceMethod::parse)?);
    let payment_code = fields.parsed(|text| PaymentCode::new(text).ok());
    let amount = Amount::new(fields.number()).ok()?;
    let expiry = match fields.number() {
        0 => Expiry::Minutes(u32::try_from(fields.number()).ok()?),
        _ => Expiry::At(jiff::Timestamp::from_nanosecond(fields.wide()).ok()?),
    };
    let reusable = fields.flag();
    let mut personal = || fields.string().map(Personal::new);
    let customer = Customer { name: personal()?, email: personal(), account_name: personal() };
    let (info, receipt_description, receipt_footer) = (fields.string(), fields.string(), fields.string());
    let (number, kind, status, bill_group) = (fields.string(), fields.string(), fields.string(), fields.string());
    let due_date = fields.parsed(|text| text.parse().ok());
    let additional = fields.parsed(|text| serde_json::from_str(text).ok()).map(Box::new);
    let dimensions = fields.parsed(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let policy = Policy { number, kind, status, due_date, dimensions };
    Some(Terms {
        channel,
        method,
        payment_code,
        amount,
        expiry,
        reusable,
        customer,
        info,
        receipt_description,
        receipt_footer,
        policy,
        bill_group,
        additional,
    })
}

/// What is known of a bill that is checked and not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedBill {
    /// Its number.
    pub invoice_number: InvoiceNumber,
    /// Whether no code of it is to be live.
    pub is_cancelled: bool,
    live_code: Option<PaymentCode>,
    facts: InputFacts,
    /// Not kept: rows are compared before they are put away.
    likeness: Likeness,
}

impl CheckedBill {
    pub(super) fn of(bill: Bill, now: jiff::Timestamp) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bill.write(&mut bytes);
        let (facts, likeness) = (bill.facts(now), bill.likeness(&bytes));
        let Bill { invoice_number, wanted } = bill;
        let (is_cancelled, live_code) = match wanted {
            Wanted::Live(terms) => (false, terms.payment_code),
            Wanted::Cancelled => (true, None),
        };
        Self { invoice_number, is_cancelled, live_code, facts, likeness }
    }
}

impl KeptItem for CheckedBill {
    fn invoice_number(&self) -> &InvoiceNumber {
        &self.invoice_number
    }

    fn live_code(&self) -> Option<&PaymentCode> {
        self.live_code.as_ref()
    }

    fn facts(&self, _: jiff::Timestamp) -> InputFacts {
        self.facts
    }

    fn likeness(&self, _: &[u8]) -> Likeness {
        self.likeness
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        put_text(bytes, Some(self.invoice_number.as_str()));
        put_text(bytes, self.live_code.as_ref().map(PaymentCode::as_str));
        put_flag(bytes, self.is_cancelled);
        self.facts.write(bytes);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let invoice_number = fields.parsed(|text| InvoiceNumber::new(text).ok())?;
        let live_code = fields.parsed(|text| PaymentCode::new(text).ok());
        let is_cancelled = fields.flag();
        let facts = InputFacts::read(&mut fields);
        fields.end(Self { invoice_number, is_cancelled, live_code, facts, likeness: Likeness::default() })
    }
}
