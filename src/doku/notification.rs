//! The body of DOKU's HTTP notification, read tolerantly: unknown fields pass, known quirks are evened out, money is exact.
//!
//! The fields are those of DOKU's notification samples; the quirks those of the API reference, section 12.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::value::{self, Raw, section};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::detail::Field;
use crate::domain::digest::Digest;
use crate::domain::payment::{self, AgentIds};

/// The service whose messages are ours.
pub const SERVICE_ID: &str = "ONLINE_TO_OFFLINE";

/// What a body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A notification with every mandatory field.
    Notification(Notification<'a>),
    /// A message of another DOKU service.
    OtherService,
    /// A mandatory field, by its path, is missing or unusable.
    Unusable(Field),
}

/// What `transaction.status` can say of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// Paid; final.
    Success,
    /// Not final, although it sounds so.
    Failed,
    /// Waiting.
    Pending,
    /// The code has expired.
    Expired,
}

/// `order.amount`, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifiedAmount<'a> {
    /// Whole rupiah.
    Usable(Amount),
    /// A fraction, a sign, too many digits or another currency; as it was written.
    Unusable(Cow<'a, str>),
}

/// Where the money was taken; each part empty when it is not named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent<'a> {
    /// `AGENT_ID`: the chain.
    pub id: Cow<'a, str>,
    /// `AGENT_STORE_ID`.
    pub store_id: Cow<'a, str>,
    /// `AGENT_TRX_ID`: the store's own number of the payment.
    pub transaction_id: Cow<'a, str>,
}

/// A notification with every mandatory field usable (the amount may not be).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// Paid, or not.
    pub status: TransactionStatus,
    /// By `channel.id`.
    pub channel: Channel,
    /// Whether `acquirer.id` is the channel's own.
    pub acquirer_agrees: bool,
    /// On the wire: a re-issued bill's carries a suffix. 1 to 64 printable ASCII characters.
    pub invoice_number: Cow<'a, str>,
    /// 1 to 20 digits.
    pub payment_code: Cow<'a, str>,
    /// How much.
    pub amount: NotifiedAmount<'a>,
    /// `transaction.date` (UTC).
    pub paid_at: Timestamp,
    /// Where.
    pub agent: Agent<'a>,
    /// An optional field, by its path, that was of another type and left out; of several the last.
    pub left_out: Option<Field>,
}

impl Notification<'_> {
    /// What makes the payment this one and no other (reconciliation rules, 1.3).
    #[must_use]
    pub fn identity(&self) -> Digest {
        payment::identity(self.channel, &self.payment_code, &self.invoice_number, self.paid_at, self.agent_ids())
    }

    /// The identity that every way of writing this message has in common; mostly its own.
    #[must_use]
    pub fn canonical(&self) -> Digest {
        payment::canonical(self.channel, &self.payment_code, &self.invoice_number, self.paid_at, self.agent_ids())
    }

    /// Whether it has the store's own number of the payment.
    #[must_use]
    pub fn has_transaction(&self) -> bool {
        self.agent_ids().has_transaction()
    }

    fn agent_ids(&self) -> AgentIds<'_> {
        AgentIds { agent: &self.agent.id, store: &self.agent.store_id, transaction: &self.agent.transaction_id }
    }
}

/// Reads a notification body.
#[must_use]
pub fn parse(body: &str) -> Message<'_> {
    let Some(fields) = Fields::of(body) else { return Message::Unusable(Field::Body) };
    match filled(fields.service_id) {
        Some(id) if id.eq_ignore_ascii_case(SERVICE_ID) => {}
        Some(_) => return Message::OtherService,
        None => return Message::Unusable(Field::ServiceId),
    }
    match fields.notification() {
        Ok(notification) => Message::Notification(notification),
        Err(field) => Message::Unusable(field),
    }
}

/// The fields of a body, each as it is written.
struct Fields<'a> {
    service_id: Raw<'a>,
    acquirer_id: Raw<'a>,
    channel_id: Raw<'a>,
    status: Raw<'a>,
    date: Raw<'a>,
    invoice_number: Raw<'a>,
    amount: Raw<'a>,
    currency: Raw<'a>,
    /// DOKU's tables call it a number, and one of them `payment`.
    payment_code: Raw<'a>,
    /// `identifer` is a misspelling that DOKU sends.
    identifier: Raw<'a>,
}

impl<'a> Fields<'a> {
    #[rustfmt::skip]
    const PATHS: [&'static str; 12] = [
        "service.id", "acquirer.id", "channel.id", "transaction.status", "transaction.date",
        "order.invoice_number", "order.amount", "order.currency",
        "online_to_offline_info.payment_code", "online_to_offline_info.payment",
        "online_to_offline_payment.identifier", "online_to_offline_payment.identifer",
    ];

    fn of(body: &'a str) -> Option<Self> {
        let [service_id, acquirer_id, channel_id, status, date, invoice_number, amount, currency, code, payment, identifier, misspelt] =
            value::paths(body, Self::PATHS)?;
        let (payment_code, identifier) = (code.or(payment), identifier.or(misspelt));
        Some(Self { service_id, acquirer_id, channel_id, status, date, invoice_number, amount, currency, payment_code, identifier })
    }

    fn status(&self) -> Option<TransactionStatus> {
        status_of(&filled(self.status)?)
    }

    fn channel(&self) -> Option<Channel> {
        channel_of(&filled(self.channel_id)?)
    }

    fn notification(&self) -> Result<Notification<'a>, Field> {
        let acquirer_id = filled(self.acquirer_id).ok_or(Field::AcquirerId)?;
        let channel = self.channel().ok_or(Field::ChannelId)?;
        let date = filled(self.date).ok_or(Field::TransactionDate)?;
        let mut left_out = self.currency.filter(|currency| value::string(currency).is_none()).map(|_| Field::Currency);
        Ok(Notification {
            status: self.status().ok_or(Field::TransactionStatus)?,
            channel,
            acquirer_agrees: acquirer_id.eq_ignore_ascii_case(channel.acquirer_id()),
            invoice_number: invoice_of(self.invoice_number).ok_or(Field::InvoiceNumber)?,
            payment_code: code_of(self.payment_code).ok_or(Field::PaymentCode)?,
            amount: amount_of(self.amount, self.currency).ok_or(Field::Amount)?,
            paid_at: date.parse().map_err(|_| Field::TransactionDate)?,
            agent: agent_in(self.identifier, &mut left_out),
            left_out,
        })
    }
}

pub(super) fn channel_of(id: &str) -> Option<Channel> {
    Channel::ALL.into_iter().find(|channel| channel.doku_id().eq_ignore_ascii_case(id))
}

fn status_of(text: &str) -> Option<TransactionStatus> {
    const NAMES: [(&str, TransactionStatus); 4] = [
        ("SUCCESS", TransactionStatus::Success),
        ("FAILED", TransactionStatus::Failed),
        ("PENDING", TransactionStatus::Pending),
        ("EXPIRED", TransactionStatus::Expired),
    ];
    NAMES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, status)| status)
}

/// An invoice number of digits only may come as a number.
fn invoice_of(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let number = raw.and_then(value::text)?;
    let is_number = (1..=64).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    is_number.then_some(number)
}

/// A code is text; a bare integer is taken digit by digit.
fn code_of(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let code = raw.and_then(value::text)?;
    let is_code = (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(code)
}

/// The amount, unless it is neither number nor text; a currency of another type than text says nothing.
fn amount_of<'a>(amount: Raw<'a>, currency: Raw<'_>) -> Option<NotifiedAmount<'a>> {
    let amount = amount?;
    let written = value::written(amount)?;
    let is_rupiah = filled(currency).is_none_or(|name| name.eq_ignore_ascii_case("IDR"));
    Some(match value::amount(amount) {
        Ok(usable) if is_rupiah => NotifiedAmount::Usable(usable),
        _ => NotifiedAmount::Unusable(written),
    })
}

/// The store's names in an `online_to_offline_payment`.
pub(super) fn agent_of(payment: Raw<'_>) -> Agent<'_> {
    let [identifier, misspelt] = section(payment, ["identifier", "identifer"]);
    agent_in(identifier.or(misspelt), &mut None)
}

/// The store's names for the payment, out of DOKU's list. Anything unreadable is no name, and left out.
fn agent_in<'a>(list: Raw<'a>, left_out: &mut Option<Field>) -> Agent<'a> {
    let mut agent = Agent::default();
    let entries = list.and_then(|list| serde_json::from_str::<Vec<&RawValue>>(list.get()).ok());
    if list.is_some() && entries.is_none() {
        *left_out = Some(Field::Identifier);
    }
    for entry in entries.unwrap_or_default() {
        let [name, given] = section(Some(entry), ["name", "value"]);
        let Some(name) = name.and_then(value::string) else { continue };
        let part = match &*name {
            name if name.eq_ignore_ascii_case("AGENT_ID") => &mut agent.id,
            name if name.eq_ignore_ascii_case("AGENT_STORE_ID") => &mut agent.store_id,
            name if name.eq_ignore_ascii_case("AGENT_TRX_ID") => &mut agent.transaction_id,
            _ => continue,
        };
        if part.is_empty() {
            *part = given.and_then(value::written).unwrap_or_default();
            if part.is_empty() && given.is_some_and(|given| value::string(given).is_none()) {
                *left_out = Some(Field::Identifier);
            }
        }
    }
    agent
}

/// A JSON string that is not empty.
fn filled(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.and_then(value::string).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
