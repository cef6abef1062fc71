//! What a Check Status answer says (API reference, section 5). It carries no payment code, and it is believed only of the order
//! that was asked about.

use jiff::Timestamp;

use super::answer::{SignaturePolicy, Trust, error_message, has_dokus_shape, instant};
use super::notification;
use super::value::{self, Raw};
use super::wire::{Answer, Delivery, SignatureFinding};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::check_status::{StatusDetails, Word};
use crate::domain::conclusion::Whose;
use crate::domain::digest::Digest;
use crate::domain::payment::{self, AgentIds};

/// What a query came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusReading {
    /// DOKU said where the order stands, or that it knows none.
    Told(OrderStatus),
    /// No usable answer of DOKU's about this order; nothing follows from it.
    NoAnswer(String),
    /// Our credentials were refused; nothing follows for the order, much for the run.
    Refused(String),
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStatus {
    /// DOKU's word for it.
    pub word: Word,
    /// What else it said.
    pub details: StatusDetails,
    /// The payment it tells of, if it says enough of one.
    pub payment: Option<ToldPayment>,
}

/// A payment as a status answer tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldPayment {
    /// Where, if it says so.
    pub channel: Option<Channel>,
    /// How much, in rupiah.
    pub amount: Amount,
    /// `transaction.date` (UTC).
    pub paid_at: Timestamp,
    agent: [String; 3],
}

impl ToldPayment {
    /// Its identity, as a notification of it would have it; the code and the number of the order are those asked about.
    #[must_use]
    pub fn identity(&self, channel: Channel, payment_code: &str, order: &str) -> Digest {
        let [agent, store, transaction] = &self.agent;
        payment::identity(channel, payment_code, order, self.paid_at, AgentIds { agent, store, transaction })
    }

    /// The identity that every way of telling of this payment has in common.
    #[must_use]
    pub fn canonical(&self, channel: Channel, payment_code: &str, order: &str) -> Digest {
        let [agent, store, transaction] = &self.agent;
        payment::canonical(channel, payment_code, order, self.paid_at, AgentIds { agent, store, transaction })
    }
}

/// The path of the query for an invoice number or a request id.
#[must_use]
pub fn path(id: &str) -> String {
    format!("/orders/v1/status/{id}")
}

/// Whether an invoice number can stand in a path as it is; how DOKU signs an encoded one is unknown.
#[must_use]
pub fn fits_a_path(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// What a delivery of the query about `order` says.
#[must_use]
pub fn reading(delivery: &Delivery, order: &str, trust: Trust) -> StatusReading {
    let answer = match delivery {
        Delivery::NotSent(reason) | Delivery::Unknown(reason) => return StatusReading::NoAnswer(reason.clone()),
        Delivery::Answered(answer) => answer,
    };
    let words = || format!("HTTP {}: {}", answer.status, error_message(&answer.body));
    match answer.status {
        200..=299 => told(answer, order, trust).map_or_else(StatusReading::NoAnswer, StatusReading::Told),
        404 if is_dokus_error(answer, trust) => {
            StatusReading::Told(OrderStatus { word: Word::NotFound, details: StatusDetails::default(), payment: None })
        }
        // With a wrong key of ours every signature looks wrong. A 403 closes one channel or this query, not the run.
        401 if has_dokus_shape(&answer.body) => StatusReading::Refused(words()),
        _ => StatusReading::NoAnswer(words()),
    }
}

/// A signature that is wrong is never believed here, unless nobody looks.
const fn is_believed(signature: SignatureFinding, policy: SignaturePolicy) -> bool {
    match signature {
        SignatureFinding::Valid => true,
        SignatureFinding::Absent => !matches!(policy, SignaturePolicy::Enforce),
        SignatureFinding::Wrong => matches!(policy, SignaturePolicy::Off),
    }
}

fn is_dokus_error(answer: &Answer, trust: Trust) -> bool {
    let is_wrong = answer.signature == SignatureFinding::Wrong && trust.policy != SignaturePolicy::Off;
    !is_wrong && trust.of_error(answer.signature) != Whose::Foreign && has_dokus_shape(&answer.body)
}

fn told(answer: &Answer, order: &str, trust: Trust) -> Result<OrderStatus, String> {
    if !is_believed(answer.signature, trust.policy) {
        return Err("the answer is not signed by DOKU".into());
    }
    let sections = ["order", "transaction", "online_to_offline_info", "channel", "online_to_offline_payment"];
    let body = std::str::from_utf8(&answer.body).ok().and_then(|body| value::fields(body, sections));
    let [ordered, transaction, info, channel, agent] = body.ok_or("unreadable status answer")?;
    let [named, amount] = value::section(ordered, ["invoice_number", "amount"]);
    match named.and_then(value::text) {
        Some(named) if named == order => {}
        Some(_) => return Err("the answer names another order".into()),
        None => return Err("the answer names no order".into()),
    }
    let [status, date] = value::section(transaction, ["status", "date"]);
    let status = status.and_then(value::string).ok_or("the answer names no status")?;
    let word = Word::of(&status);
    let [utc, wib] = value::section(info, ["expired_date_utc", "expired_date"]).map(|date| date.and_then(value::text));
    let expires_at = instant(utc.as_deref(), wib.as_deref());
    let amount = amount.and_then(|amount| value::amount(amount).ok());
    let details = StatusDetails {
        amount: amount.map(Amount::get),
        expires_at,
        verbatim: (word == Word::Other).then(|| status.chars().filter(|c| !c.is_control()).take(64).collect()),
        controlled: false,
    };
    let payment = amount.filter(|_| word == Word::Success).and_then(|amount| told_payment(channel, date, agent, amount));
    Ok(OrderStatus { word, details, payment })
}

fn told_payment(channel: Raw<'_>, date: Raw<'_>, agent: Raw<'_>, amount: Amount) -> Option<ToldPayment> {
    let agent = notification::agent_of(agent);
    let [channel] = value::section(channel, ["id"]);
    let channel = channel.and_then(value::string).and_then(|id| notification::channel_of(&id));
    let paid_at = date.and_then(value::string)?.parse().ok()?;
    Some(ToldPayment {
        channel,
        amount,
        paid_at,
        agent: [agent.id, agent.store_id, agent.transaction_id].map(std::borrow::Cow::into_owned),
    })
}

#[cfg(test)]
mod tests;
