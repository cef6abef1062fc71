//! What a Check Status answer says (API reference, section 5). It carries no payment code.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::{SignaturePolicy, instant};
use super::notification;
use super::wire::{Answer, Delivery, SignatureFinding};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::check::Word;
use crate::domain::digest::Digest;
use crate::domain::doubt::OrderSeen;
use crate::domain::payment;

/// What a query came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusFinding {
    /// DOKU said where the order stands, or that it knows none.
    Seen(OrderSeen),
    /// No usable answer; nothing follows from it.
    NoAnswer(String),
    /// Our credentials were refused; nothing follows for the order, much for the run.
    Refused(String),
}

/// What a query about a payment came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// DOKU's word for the order, and the payment it tells of, if it says enough of one.
    Told(Word, Option<ToldPayment>),
    /// No usable answer; nothing follows from it.
    NoAnswer(String),
    /// Our credentials were refused.
    Refused(String),
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
        let [agent_id, store_id, transaction_id] = &self.agent;
        if transaction_id.is_empty() {
            return payment::identity_by_date(channel, payment_code, order, self.paid_at);
        }
        payment::identity_by_transaction(channel, payment_code, agent_id, store_id, transaction_id)
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    transaction: Transaction,
    order: Option<Order>,
    channel: Option<Id>,
    online_to_offline_info: Option<Info>,
    #[serde(borrow)]
    online_to_offline_payment: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Transaction {
    status: String,
    date: Option<String>,
}

#[derive(Deserialize)]
struct Order {
    invoice_number: Option<String>,
    amount: Option<Value>,
}

#[derive(Deserialize)]
struct Id {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Info {
    expired_date: Option<String>,
    expired_date_utc: Option<String>,
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

/// What a delivery of the query says.
#[must_use]
pub fn finding(delivery: &Delivery) -> StatusFinding {
    match answered(delivery) {
        Ok(Some(answer)) => parsed(answer).map_or_else(StatusFinding::NoAnswer, |body| StatusFinding::Seen(seen(&body))),
        Ok(None) => StatusFinding::Seen(OrderSeen::NotFound),
        Err(finding) => finding,
    }
}

/// What a delivery of the query about `order` says of its payment. A wrong signature is never believed; a missing one where
/// `policy` lets it pass.
#[must_use]
pub fn reading(delivery: &Delivery, order: &str, policy: SignaturePolicy) -> Reading {
    let answer = match answered(delivery) {
        Ok(Some(answer)) => answer,
        Ok(None) => return Reading::Told(Word::NotFound, None),
        Err(StatusFinding::Refused(reason)) => return Reading::Refused(reason),
        Err(StatusFinding::NoAnswer(reason)) => return Reading::NoAnswer(reason),
        Err(StatusFinding::Seen(_)) => return Reading::NoAnswer("nothing was said".into()),
    };
    let believed = match answer.signature {
        SignatureFinding::Valid => true,
        SignatureFinding::Absent => policy != SignaturePolicy::Enforce,
        SignatureFinding::Wrong => policy == SignaturePolicy::Off,
    };
    if !believed {
        return Reading::NoAnswer("the answer is not signed by DOKU".into());
    }
    match parsed(answer) {
        Ok(body) if names_another(&body, order) => Reading::NoAnswer("the answer names another order".into()),
        Ok(body) => {
            let word = word(&body);
            Reading::Told(word, if word == Word::Success { told_payment(&body) } else { None })
        }
        Err(reason) => Reading::NoAnswer(reason),
    }
}

/// The answer; `None` when DOKU knows no such order.
fn answered(delivery: &Delivery) -> Result<Option<&Answer>, StatusFinding> {
    let answer = match delivery {
        Delivery::NotSent(reason) | Delivery::Unknown(reason) => return Err(StatusFinding::NoAnswer(reason.clone())),
        Delivery::Answered(answer) => answer,
    };
    let words = || format!("HTTP {}: {}", answer.status, super::answer::error_message(&answer.body));
    match answer.status {
        200..=299 => Ok(Some(answer)),
        404 => Ok(None),
        // A 403 closes one channel or this query, not the run.
        401 => Err(StatusFinding::Refused(words())),
        _ => Err(StatusFinding::NoAnswer(words())),
    }
}

fn parsed(answer: &Answer) -> Result<Body<'_>, String> {
    serde_json::from_slice(&answer.body).map_err(|error| format!("unreadable status answer: {error}"))
}

fn word(body: &Body<'_>) -> Word {
    match body.transaction.status.to_ascii_uppercase().as_str() {
        "PENDING" => Word::Pending,
        "SUCCESS" => Word::Success,
        "EXPIRED" => Word::Expired,
        "FAILED" => Word::Failed,
        _ => Word::Other,
    }
}

fn seen(body: &Body<'_>) -> OrderSeen {
    let amount = amount(body);
    let info = body.online_to_offline_info.as_ref();
    let expires_at = info.and_then(|info| instant(info.expired_date_utc.as_deref(), info.expired_date.as_deref()));
    match word(body) {
        Word::Pending => OrderSeen::Pending { amount, expires_at },
        Word::Success => OrderSeen::Paid { amount },
        Word::Expired => OrderSeen::Expired,
        Word::NotFound | Word::Failed | Word::Other => OrderSeen::Other,
    }
}

fn amount(body: &Body<'_>) -> Option<u64> {
    body.order.as_ref().and_then(|order| whole(order.amount.as_ref()?))
}

fn names_another(body: &Body<'_>, order: &str) -> bool {
    body.order.as_ref().and_then(|named| named.invoice_number.as_deref()).is_some_and(|named| named != order)
}

fn told_payment(body: &Body<'_>) -> Option<ToldPayment> {
    let agent = notification::agent_of(body.online_to_offline_payment);
    Some(ToldPayment {
        channel: body.channel.as_ref().and_then(|channel| notification::channel_of(channel.id.as_deref()?)),
        amount: Amount::new(amount(body)?).ok()?,
        paid_at: body.transaction.date.as_deref()?.parse().ok()?,
        agent: [agent.id, agent.store_id, agent.transaction_id].map(std::borrow::Cow::into_owned),
    })
}

/// A number or a string, with an empty fraction at most.
fn whole(value: &Value) -> Option<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    fraction.bytes().all(|byte| byte == b'0').then(|| whole.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> StatusFinding {
        finding(&Delivery::Answered(Answer { status, body: body.to_owned().into(), ..Answer::default() }))
    }

    #[test]
    fn the_documented_sample_is_read_and_its_expiry_is_wib() {
        let sample = r#"{"order":{"invoice_number":"INV-1","amount":"120000.0"},"transaction":{"status":"success","date":"2021-12-29T02:37:35Z"},"online_to_offline_info":{"created_date":"20211229093735","expired_date":"20211229100732","reusable_status":"false"}}"#;
        assert_eq!(of(200, sample), StatusFinding::Seen(OrderSeen::Paid { amount: Some(120_000) }));
        let StatusFinding::Seen(OrderSeen::Pending { expires_at, .. }) = of(200, &sample.replace("success", "PENDING")) else {
            panic!("not pending")
        };
        assert_eq!(expires_at.unwrap().to_string(), "2021-12-29T03:07:32Z");
    }

    #[test]
    fn an_unusable_answer_proves_nothing() {
        assert_eq!(of(404, ""), StatusFinding::Seen(OrderSeen::NotFound));
        assert!(matches!(of(500, ""), StatusFinding::NoAnswer(_)));
        assert!(matches!(of(200, "{}"), StatusFinding::NoAnswer(_)));
        assert!(matches!(of(403, "{}"), StatusFinding::NoAnswer(_)));
        assert!(matches!(of(401, "{}"), StatusFinding::Refused(_)));
    }

    const PAID: &str = r#"{"order":{"invoice_number":"INV-1","amount":120000},"transaction":{"status":"SUCCESS","date":"2021-12-29T02:37:35Z"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"online_to_offline_payment":{"identifier":[{"name":"AGENT_ID","value":"ALFAMART"},{"name":"AGENT_STORE_ID","value":"S1"},{"name":"AGENT_TRX_ID","value":"1246"}]}}"#;

    fn read(body: &str, signature: SignatureFinding, policy: SignaturePolicy) -> Reading {
        let answer = Answer { status: 200, body: body.to_owned().into(), signature, ..Answer::default() };
        reading(&Delivery::Answered(answer), "INV-1", policy)
    }

    fn told(body: &str) -> (Word, Option<ToldPayment>) {
        let Reading::Told(word, payment) = read(body, SignatureFinding::Valid, SignaturePolicy::Enforce) else { panic!("{body}") };
        (word, payment)
    }

    #[test]
    fn a_payment_told_of_has_the_identity_its_notification_has() {
        let (word, payment) = told(PAID);
        let payment = payment.unwrap();
        let notified = payment::identity_by_transaction(Channel::Alfa, "77", "ALFAMART", "S1", "1246");
        assert_eq!((word, payment.identity(Channel::Alfa, "77", "INV-1")), (Word::Success, notified));
        assert_eq!((payment.channel, payment.amount.get()), (Some(Channel::Alfa), 120_000));
        let without = PAID.replace("1246", "");
        let by_date = payment::identity_by_date(Channel::Alfa, "77", "INV-1", payment.paid_at);
        assert_eq!(told(&without).1.unwrap().identity(Channel::Alfa, "77", "INV-1"), by_date);
    }

    #[test]
    fn only_a_success_with_amount_and_date_is_a_payment() {
        for (from, to, word) in [
            ("SUCCESS", "FAILED", Word::Failed),
            ("SUCCESS", "PENDING", Word::Pending),
            ("SUCCESS", "REFUNDED", Word::Other),
            (r#","date":"2021-12-29T02:37:35Z""#, "", Word::Success),
            (r#","amount":120000"#, r#","amount":"120000.50""#, Word::Success),
        ] {
            assert!(PAID.contains(from));
            assert_eq!(told(&PAID.replace(from, to)), (word, None));
        }
    }

    #[test]
    fn an_answer_about_another_order_or_without_dokus_signature_proves_nothing() {
        assert!(matches!(read(&PAID.replace("INV-1", "INV-2"), SignatureFinding::Valid, SignaturePolicy::Off), Reading::NoAnswer(_)));
        for (signature, believed) in [
            (SignatureFinding::Valid, [true, true, true]),
            (SignatureFinding::Absent, [true, true, false]),
            (SignatureFinding::Wrong, [true, false, false]),
        ] {
            let policies = [SignaturePolicy::Off, SignaturePolicy::Warn, SignaturePolicy::Enforce];
            let told = policies.map(|policy| matches!(read(PAID, signature, policy), Reading::Told(..)));
            assert_eq!(told, believed, "{signature:?}");
        }
    }
}
