//! The body of DOKU's HTTP notification, read tolerantly: unknown fields pass, known quirks are evened out, money is exact.
//!
//! The fields are those of DOKU's notification samples; the quirks those of the API reference, section 12.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
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
    Unusable(&'static str),
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
}

impl Notification<'_> {
    /// What makes the payment this one and no other (reconciliation rules, 1.3).
    #[must_use]
    pub fn identity(&self) -> Digest {
        let (code, agent) = (&*self.payment_code, &self.agent);
        if agent.transaction_id.is_empty() {
            return payment::identity_by_date(self.channel, code, &self.invoice_number, self.paid_at);
        }
        payment::identity_by_transaction(self.channel, code, &agent.id, &agent.store_id, &agent.transaction_id)
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

pub(super) type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow, default)]
    id: Raw<'a>,
}

#[derive(Deserialize)]
struct Transaction<'a> {
    #[serde(borrow, default)]
    status: Raw<'a>,
    #[serde(borrow, default)]
    date: Raw<'a>,
}

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow, default)]
    invoice_number: Raw<'a>,
    #[serde(borrow, default)]
    amount: Raw<'a>,
    #[serde(borrow, default)]
    currency: Raw<'a>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow, default)]
    payment_code: Raw<'a>,
    #[serde(borrow, default)]
    payment: Raw<'a>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    service: Option<Id<'a>>,
    #[serde(borrow)]
    acquirer: Option<Id<'a>>,
    #[serde(borrow)]
    channel: Option<Id<'a>>,
    #[serde(borrow)]
    transaction: Option<Transaction<'a>>,
    #[serde(borrow)]
    order: Option<Order<'a>>,
    #[serde(borrow)]
    online_to_offline_info: Option<Info<'a>>,
    #[serde(borrow)]
    online_to_offline_payment: Raw<'a>,
}

/// The one section that tells whose message it is, whatever the others look like.
#[derive(Deserialize)]
struct ServiceOnly<'a> {
    #[serde(borrow)]
    service: Option<Id<'a>>,
}

/// Reads a notification body.
#[must_use]
pub fn parse(body: &str) -> Message<'_> {
    if !body.trim_start().starts_with('{') {
        return Message::Unusable("body");
    }
    let Ok(fields) = serde_json::from_str::<Body<'_>>(body) else { return of_other_shape(body) };
    match service_of(fields.service.as_ref()) {
        Service::Ours => {}
        Service::Other => return Message::OtherService,
        Service::Unknown => return Message::Unusable("service.id"),
    }
    match notification(&fields) {
        Ok(notification) => Message::Notification(notification),
        Err(field) => Message::Unusable(field),
    }
}

/// A body whose sections are not objects: still another service's, if it says so.
fn of_other_shape(body: &str) -> Message<'_> {
    let Ok(fields) = serde_json::from_str::<ServiceOnly<'_>>(body) else { return Message::Unusable("body") };
    match service_of(fields.service.as_ref()) {
        Service::Other => Message::OtherService,
        Service::Ours => Message::Unusable("body"),
        Service::Unknown => Message::Unusable("service.id"),
    }
}

enum Service {
    Ours,
    Other,
    Unknown,
}

fn service_of(section: Option<&Id<'_>>) -> Service {
    match section.and_then(|section| filled(section.id)) {
        Some(id) if id.eq_ignore_ascii_case(SERVICE_ID) => Service::Ours,
        Some(_) => Service::Other,
        None => Service::Unknown,
    }
}

fn notification<'a>(fields: &Body<'a>) -> Result<Notification<'a>, &'static str> {
    let acquirer_id = fields.acquirer.as_ref().and_then(|section| filled(section.id)).ok_or("acquirer.id")?;
    let channel = fields.channel.as_ref().and_then(|section| channel_of(&filled(section.id)?)).ok_or("channel.id")?;
    let transaction = fields.transaction.as_ref().ok_or("transaction.status")?;
    let order = fields.order.as_ref().ok_or("order.invoice_number")?;
    let info = fields.online_to_offline_info.as_ref().ok_or("online_to_offline_info.payment_code")?;
    let date = filled(transaction.date).ok_or("transaction.date")?;
    Ok(Notification {
        status: filled(transaction.status).and_then(|status| status_of(&status)).ok_or("transaction.status")?,
        channel,
        acquirer_agrees: acquirer_id.eq_ignore_ascii_case(channel.acquirer_id()),
        invoice_number: filled(order.invoice_number).filter(|text| is_invoice_number(text)).ok_or("order.invoice_number")?,
        payment_code: code_of(info).ok_or("online_to_offline_info.payment_code")?,
        amount: amount_of(order).ok_or("order.amount")?,
        paid_at: date.parse().map_err(|_| "transaction.date")?,
        agent: agent_of(fields.online_to_offline_payment),
    })
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

fn is_invoice_number(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// A code is text; DOKU's tables call it a number, so a bare integer is taken digit by digit.
fn code_of<'a>(info: &Info<'a>) -> Option<Cow<'a, str>> {
    let code = text_or_number(info.payment_code.or(info.payment)?)?;
    let is_code = (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(code)
}

fn amount_of<'a>(order: &Order<'a>) -> Option<NotifiedAmount<'a>> {
    let written = text_or_number(order.amount?)?;
    let rupiah = order.currency.is_none_or(|currency| text(currency).is_some_and(|name| name.eq_ignore_ascii_case("IDR")));
    let whole = match written.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') => Some(whole),
        Some(_) => None,
        None => Some(&*written),
    };
    let amount = whole.filter(|_| rupiah).and_then(|whole| Amount::parse(whole).ok());
    Some(amount.map_or(NotifiedAmount::Unusable(written), NotifiedAmount::Usable))
}

/// The store's names for the payment; `identifer` is a misspelling that DOKU sends. Anything unreadable is no name.
pub(super) fn agent_of(section: Raw<'_>) -> Agent<'_> {
    #[derive(Deserialize)]
    struct Section<'a> {
        #[serde(borrow, default)]
        identifier: Raw<'a>,
        #[serde(borrow, default)]
        identifer: Raw<'a>,
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow, default)]
        name: Raw<'a>,
        #[serde(borrow, default)]
        value: Raw<'a>,
    }
    let mut agent = Agent::default();
    let entries = section
        .and_then(|section| serde_json::from_str::<Section<'_>>(section.get()).ok())
        .and_then(|section| section.identifier.or(section.identifer))
        .and_then(|list| serde_json::from_str::<Vec<Entry<'_>>>(list.get()).ok())
        .unwrap_or_default();
    for entry in entries {
        let Some(name) = entry.name.and_then(text) else { continue };
        let part = match &*name {
            name if name.eq_ignore_ascii_case("AGENT_ID") => &mut agent.id,
            name if name.eq_ignore_ascii_case("AGENT_STORE_ID") => &mut agent.store_id,
            name if name.eq_ignore_ascii_case("AGENT_TRX_ID") => &mut agent.transaction_id,
            _ => continue,
        };
        if part.is_empty() {
            *part = entry.value.and_then(text_or_number).unwrap_or_default();
        }
    }
    agent
}

/// A JSON string that is not empty.
fn filled(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.and_then(text).filter(|text| !text.is_empty())
}

/// The text of a JSON string; nothing else has one.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// The text of a JSON string, or a JSON number as it is written.
pub(crate) fn text_or_number(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes().first()? {
        b'"' => text(raw),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.get())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
