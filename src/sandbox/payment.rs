//! The counter: a customer pays a code, and DOKU makes a notification of it. What is to be wrong with it is data, shared by the
//! demo, the control endpoint and the tests.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::chain;
use super::fault::number;
use super::model::Model;
use super::notification::{self, NotificationMessage, Saying, signed_headers};
use super::record::{Order, OrderState, PaymentTaken, whole_seconds};
use super::settings::RedeliveryId;
use crate::domain::channel::Channel;
use crate::domain::digest;
use crate::domain::ids::RequestId;

/// One thing that is wrong, or unusual, about a payment or its notification. In JSON: `"forged"`, `{"status":"FAILED"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quirk {
    /// The counter takes money for a code that is cancelled, expired, or paid already (a second payment has its own identity).
    Anyway,
    /// The body names this invoice instead.
    Invoice(String),
    /// The body names no invoice.
    WithoutInvoice,
    /// The body names this code instead.
    Code(String),
    /// The body names the other chain's acquirer and channel.
    WrongChannel,
    /// The body names this service instead, such as `VIRTUAL_ACCOUNT`.
    Service(String),
    /// This status instead of `SUCCESS`, such as `FAILED` or `PENDING`.
    Status(String),
    /// `"150000"`.
    AmountAsString,
    /// `150000.0`.
    AmountAsDecimal,
    /// This JSON token for an amount, such as `150000.5`.
    AmountToken(String),
    /// Signed with another key: no money stands behind it.
    Forged,
    /// The amount was changed after signing.
    Tampered,
    /// The `Signature` header is missing.
    Unsigned,
    /// Another merchant's `Client-Id` and key.
    ForeignClient,
    /// No payment: the code's last notification once more, with this `Request-Id` policy, at `sent_at` or 30 minutes later.
    Repeated(RedeliveryId),
    /// No payment: the last payment's identity with the amount and time of this script.
    Conflicting,
    /// Never notified: only Check Status and the settlement know of the payment.
    Lost,
    /// Notified twice at once.
    Duplicated,
    /// Its notification waits until a later one has been answered, or for 30 minutes.
    HeldBack,
    /// A forged notification of a payment nobody made goes out beside it.
    ForgedBeside,
    /// A FAILED attempt is notified first, as of a customer who tries again.
    FailedFirst,
}

/// One payment to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentScript {
    /// `transaction.date` (UTC).
    pub paid_at: Timestamp,
    /// `Request-Timestamp` (UTC); two seconds after the payment when absent.
    #[serde(default)]
    pub sent_at: Option<Timestamp>,
    /// In rupiah; what the order asks for when absent. Not checked: more than 12 digits is a quirk too.
    #[serde(default)]
    pub amount: Option<u64>,
    /// What is wrong with it.
    #[serde(default)]
    pub quirks: Vec<Quirk>,
}

impl PaymentScript {
    /// The amount due, paid at `paid_at`, nothing wrong.
    #[must_use]
    pub const fn at(paid_at: Timestamp) -> Self {
        Self { paid_at, sent_at: None, amount: None, quirks: Vec::new() }
    }

    /// The same for `rupiah`.
    #[must_use]
    pub fn paying(self, rupiah: u64) -> Self {
        Self { amount: Some(rupiah), ..self }
    }

    /// The same with one more quirk.
    #[must_use]
    pub fn with(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// The same without what happens to the message on its way.
    fn as_it_leaves_doku(&self) -> Self {
        let on_the_way = |quirk: &Quirk| matches!(quirk, Quirk::Tampered | Quirk::Unsigned);
        Self { quirks: self.quirks.iter().filter(|quirk| !on_the_way(quirk)).cloned().collect(), ..self.clone() }
    }

    /// Whether the dice may do something to it: nothing was asked for but that the counter takes the money.
    pub(super) fn is_plain(&self) -> bool {
        self.quirks.iter().all(|quirk| *quirk == Quirk::Anyway)
    }

    pub(super) fn has(&self, quirk: &Quirk) -> bool {
        self.quirks.contains(quirk)
    }
}

/// Why the counter takes no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// No order has this code.
    #[error("no order has this payment code\nhint: `GET /_sandbox/orders` lists the codes")]
    UnknownCode,
    /// It was cancelled.
    #[error("the code is cancelled\nhint: the quirk `anyway` lets the counter take the money")]
    Cancelled,
    /// It expired before `paid_at`.
    #[error("the code has expired by then\nhint: the quirk `anyway` lets the counter take the money")]
    Expired,
    /// It is paid, and not reusable.
    #[error("the code is paid already\nhint: the quirk `anyway` lets the counter take the money twice")]
    AlreadyPaid,
    /// A repetition or a contradiction of a notification that was never made.
    #[error("the code has no notification yet\nhint: pay it first")]
    NothingSent,
}

impl Model {
    /// Pays `payment_code` as `script` says, and makes the notification of it.
    pub fn pay(&mut self, payment_code: &str, script: &PaymentScript) -> Result<NotificationMessage, PayError> {
        let index = self.index_of_code(payment_code).ok_or(PayError::UnknownCode)?;
        let repeated = script.quirks.iter().find_map(|quirk| if let Quirk::Repeated(id) = quirk { Some(*id) } else { None });
        if let Some(id) = repeated {
            return self.repeat(index, script.sent_at, id);
        }
        let order = self.orders.get(index).ok_or(PayError::UnknownCode)?;
        let serial = self.messages.get(&index).map_or(0, |sent| sent.count);
        let payment = if script.has(&Quirk::Conflicting) {
            let (_, last) = self.last_sent(index).ok_or(PayError::NothingSent)?;
            let paid_at = whole_seconds(script.paid_at);
            PaymentTaken { amount: script.amount.unwrap_or(last.amount), paid_at, ..last.clone() }
        } else {
            check_payable(order, script)?;
            self.take_payment(order, serial, script)
        };
        let message = self.write_message(order, &payment, script, serial);
        let by_doku = !script.has(&Quirk::Forged) && !script.has(&Quirk::ForeignClient);
        let as_sent = by_doku.then(|| self.write_message(order, &payment, &script.as_it_leaves_doku(), serial));
        if is_honest(script) && !script.has(&Quirk::Conflicting) {
            self.orders.get_mut(index).ok_or(PayError::UnknownCode)?.payments.push(payment.clone());
            self.paid.push(index);
        }
        let sent = self.messages.entry(index).or_default();
        sent.count = serial.saturating_add(1);
        if let Some(as_sent) = as_sent {
            sent.last = Some((as_sent, payment));
        }
        Ok(message)
    }

    fn repeat(&mut self, index: usize, sent_at: Option<Timestamp>, id: RedeliveryId) -> Result<NotificationMessage, PayError> {
        let reception = Arc::clone(&self.reception);
        let last = self.messages.get_mut(&index).and_then(|sent| sent.last.as_mut());
        let (message, _) = last.ok_or(PayError::NothingSent)?;
        let later = message.sent_at.checked_add(SignedDuration::from_mins(30)).unwrap_or(Timestamp::MAX);
        // Kept, so that a further repetition is later still.
        *message = notification::again(&reception, message, whole_seconds(sent_at.unwrap_or(later)), id);
        Ok(message.clone())
    }

    fn last_sent(&self, index: usize) -> Option<&(NotificationMessage, PaymentTaken)> {
        self.messages.get(&index).and_then(|sent| sent.last.as_ref())
    }

    /// How many messages were made about the code's latest order.
    pub(super) fn notifications_of(&self, payment_code: &str) -> u32 {
        self.index_of_code(payment_code).and_then(|index| self.messages.get(&index)).map_or(0, |sent| sent.count)
    }

    /// `message` once more at `sent_at`, under the sandbox's policy for redelivered ids.
    #[must_use]
    pub fn redeliver(&self, message: &NotificationMessage, sent_at: Timestamp) -> NotificationMessage {
        notification::again(&self.reception, message, sent_at, self.settings().redelivery_id)
    }

    /// Whether `message` carries DOKU's own signature over its body.
    pub(super) fn is_signed_by_doku(&self, message: &NotificationMessage) -> bool {
        notification::is_ours(&self.reception, message)
    }

    fn take_payment(&self, order: &Order, serial: u32, script: &PaymentScript) -> PaymentTaken {
        let seed = self.settings().seed.to_be_bytes();
        let parts: [&[u8]; 4] = [&seed, b"payment", order.invoice_number.as_str().as_bytes(), &serial.to_be_bytes()];
        let drawn = digest::of_parts(&parts);
        let status = script.quirks.iter().find_map(|quirk| if let Quirk::Status(status) = quirk { Some(status.as_str()) } else { None });
        let [first, second, third, fourth] = chain::of(order.channel).agents;
        let agent_id = match number(drawn.get(..8)) % 4 {
            0 => first,
            1 => second,
            2 => third,
            _ => fourth,
        };
        PaymentTaken {
            agent_id: agent_id.into(),
            store_id: format!("T{:04}", number(drawn.get(8..16)) % 10_000),
            transaction_id: digest::hex(drawn.get(16..28).unwrap_or_default()),
            amount: script.amount.unwrap_or(order.amount.get()),
            status: status.unwrap_or("SUCCESS").into(),
            paid_at: whole_seconds(script.paid_at),
        }
    }

    fn write_message(&self, order: &Order, payment: &PaymentTaken, script: &PaymentScript, serial: u32) -> NotificationMessage {
        let settings = &self.reception.settings;
        let amount = amount_token(payment.amount, &script.quirks);
        let saying = saying(order, payment, &amount, &script.quirks);
        let mut body = saying.body();
        let two_seconds_later = payment.paid_at.checked_add(SignedDuration::from_secs(2)).unwrap_or(Timestamp::MAX);
        let sent_at = whole_seconds(script.sent_at.unwrap_or(two_seconds_later));
        let (invoice, seed) = (order.invoice_number.as_str().as_bytes(), settings.seed.to_be_bytes());
        let request_id = RequestId::from_digest(&digest::of_parts(&[&seed, b"message", invoice, &serial.to_be_bytes()]));
        let (key, client_id) = if script.has(&Quirk::ForeignClient) {
            (&self.reception.wrong_key, "BRN-0000-0000000000000")
        } else if script.has(&Quirk::Forged) {
            (&self.reception.wrong_key, settings.client_id.as_str())
        } else {
            (&self.reception.key, settings.client_id.as_str())
        };
        let mut headers = signed_headers(key, client_id, &request_id.to_string(), sent_at, &settings.notification_path, &body);
        if script.has(&Quirk::Unsigned) {
            headers.retain(|(name, _)| name != "Signature");
        }
        if script.has(&Quirk::Tampered) {
            let more = payment.amount.saturating_add(1).to_string();
            body = Saying { amount: &more, ..saying }.body();
        }
        NotificationMessage {
            target: settings.notification_path.clone(),
            headers,
            body,
            sent_at,
            invoice_number: saying.invoice_number.unwrap_or_default().into(),
            payment_code: saying.payment_code.into(),
            transaction_id: payment.transaction_id.clone(),
            override_notification_url: order.override_notification_url.clone(),
        }
    }
}

/// How the amount is written: plain digits, unless a quirk says otherwise.
fn amount_token(amount: u64, quirks: &[Quirk]) -> String {
    let odd = quirks.iter().find_map(|quirk| match quirk {
        Quirk::AmountAsString => Some(format!("\"{amount}\"")),
        Quirk::AmountAsDecimal => Some(format!("{amount}.0")),
        Quirk::AmountToken(token) => Some(token.clone()),
        _ => None,
    });
    odd.unwrap_or_else(|| amount.to_string())
}

/// What the body says of `payment`, quirks included.
fn saying<'a>(order: &'a Order, payment: &'a PaymentTaken, amount: &'a str, quirks: &'a [Quirk]) -> Saying<'a> {
    let mut saying = Saying {
        service: "ONLINE_TO_OFFLINE",
        channel: order.channel,
        status: &payment.status,
        paid_at: payment.paid_at,
        original_request_id: &order.created_by,
        invoice_number: Some(order.invoice_number.as_str()),
        amount,
        payment_code: order.payment_code.as_str(),
        agent_id: &payment.agent_id,
        store_id: &payment.store_id,
        transaction_id: &payment.transaction_id,
        additional_info: order.till.echo(),
    };
    for quirk in quirks {
        match quirk {
            Quirk::Invoice(other) => saying.invoice_number = Some(other),
            Quirk::WithoutInvoice => saying.invoice_number = None,
            Quirk::Code(other) => saying.payment_code = other,
            Quirk::Service(other) => saying.service = other,
            Quirk::WrongChannel => saying.channel = Channel::ALL.into_iter().find(|other| *other != order.channel).unwrap_or(order.channel),
            _ => {}
        }
    }
    saying
}

pub(super) fn check_payable(order: &Order, script: &PaymentScript) -> Result<(), PayError> {
    if script.has(&Quirk::Anyway) || script.has(&Quirk::Forged) {
        return Ok(());
    }
    if order.is_paid() && !order.reusable {
        return Err(PayError::AlreadyPaid);
    }
    if order.state == OrderState::Cancelled {
        return Err(PayError::Cancelled);
    }
    if script.paid_at >= order.expires_at { Err(PayError::Expired) } else { Ok(()) }
}

/// Whether DOKU's own record agrees that this order got the money: nobody forged the message, and it names the order.
fn is_honest(script: &PaymentScript) -> bool {
    !script.quirks.iter().any(|quirk| {
        matches!(
            quirk,
            Quirk::Forged | Quirk::ForeignClient | Quirk::Service(_) | Quirk::Invoice(_) | Quirk::WithoutInvoice | Quirk::Code(_)
        )
    })
}
