//! What DOKU sends to the merchant: notifications and inquiries, signed, and the times it sends them at.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::reception::Reception;
use super::settings::RedeliveryId;
use super::wire::{self, Id, Identifier, PaymentPart, Transaction};
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::calendar::format_utc_seconds;
use crate::domain::channel::Channel;
use crate::domain::digest;
use crate::domain::ids::RequestId;

/// Seconds after the first attempt at which DOKU tries a notification: at once, +30 min, +6 h, +12 h.
pub const SCHEDULE_SECONDS: [i64; 4] = [0, 1_800, 21_600, 43_200];

/// The times of all four attempts when the first is at `first_at` and `time_scale` seconds of the schedule pass in one second.
#[must_use]
pub fn redeliveries(first_at: Timestamp, time_scale: u32) -> [Timestamp; 4] {
    SCHEDULE_SECONDS.map(|seconds| {
        let offset_ms = seconds.saturating_mul(1_000).checked_div(i64::from(time_scale.max(1))).unwrap_or(0);
        first_at.checked_add(SignedDuration::from_millis(offset_ms)).unwrap_or(Timestamp::MAX)
    })
}

/// One attempt at one notification, as it goes over the wire.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct NotificationMessage {
    /// The path of the merchant's notification URL.
    pub target: String,
    /// `Client-Id`, `Request-Id`, `Request-Timestamp`, `Signature`, `Content-Type`; a quirk may leave one out.
    #[serde(serialize_with = "as_map")]
    pub headers: Vec<(String, String)>,
    /// The exact bytes that were signed (unless tampered with).
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
    /// `Request-Timestamp` (UTC).
    pub sent_at: Timestamp,
    /// The invoice number the body names.
    pub invoice_number: String,
    /// The code the body names.
    pub payment_code: String,
    /// The `AGENT_TRX_ID` in the body.
    pub transaction_id: String,
    /// The URL the order asked for in place of the configured one.
    pub override_notification_url: Option<String>,
}

impl std::fmt::Debug for NotificationMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NotificationMessage({} {} {})", self.invoice_number, self.transaction_id, self.sent_at)
    }
}

impl NotificationMessage {
    /// The first header called `name`, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The line a merchant's log holds of it, without a line break.
    #[must_use]
    pub fn log_line(&self, received_at: Timestamp) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            received_at: String,
            target: &'a str,
            #[serde(serialize_with = "as_map")]
            headers: &'a [(String, String)],
            #[serde(serialize_with = "as_text")]
            body: &'a Bytes,
        }
        let received_at = format_utc_seconds(received_at);
        let line = Line { received_at, target: &self.target, headers: &self.headers, body: &self.body };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

fn as_map<S: Serializer, H: AsRef<[(String, String)]>>(headers: &H, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.as_ref().iter().map(|(name, value)| (name, value)))
}

fn as_text<S: Serializer, B: AsRef<[u8]>>(bytes: &B, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes.as_ref()))
}

/// What a notification says, before it is written down.
pub(super) struct Saying<'a> {
    pub(super) service: &'a str,
    pub(super) channel: Channel,
    pub(super) status: &'a str,
    pub(super) paid_at: Timestamp,
    pub(super) original_request_id: &'a str,
    pub(super) invoice_number: Option<&'a str>,
    /// A JSON token.
    pub(super) amount: &'a str,
    pub(super) payment_code: &'a str,
    pub(super) agent_id: &'a str,
    pub(super) store_id: &'a str,
    pub(super) transaction_id: &'a str,
    /// JSON that DOKU echoes: what the merchant answered an inquiry with.
    pub(super) additional_info: Option<&'a str>,
}

impl Saying<'_> {
    /// The body, in the order of DOKU's samples.
    pub(super) fn body(&self) -> Bytes {
        #[derive(Serialize)]
        struct Order<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            invoice_number: Option<&'a str>,
            amount: Option<Box<RawValue>>,
        }
        #[derive(Serialize)]
        struct Code<'a> {
            payment_code: &'a str,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            service: Id<'a>,
            acquirer: Id<'a>,
            channel: Id<'a>,
            transaction: Transaction<'a>,
            order: Order<'a>,
            online_to_offline_info: Code<'a>,
            online_to_offline_payment: PaymentPart<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            additional_info: Option<Box<RawValue>>,
        }
        let body = Body {
            service: Id { id: self.service },
            acquirer: Id { id: self.channel.acquirer_id() },
            channel: Id { id: self.channel.doku_id() },
            transaction: Transaction {
                status: self.status,
                date: format_utc_seconds(self.paid_at),
                original_request_id: self.original_request_id,
            },
            order: Order { invoice_number: self.invoice_number, amount: RawValue::from_string(self.amount.into()).ok() },
            online_to_offline_info: Code { payment_code: self.payment_code },
            online_to_offline_payment: PaymentPart {
                identifier: vec![
                    Identifier { name: "AGENT_ID", value: self.agent_id },
                    Identifier { name: "AGENT_STORE_ID", value: self.store_id },
                    Identifier { name: "AGENT_TRX_ID", value: self.transaction_id },
                ],
            },
            additional_info: self.additional_info.and_then(|json| RawValue::from_string(json.into()).ok()),
        };
        wire::json(&body).into()
    }
}

/// The headers of a message DOKU sends, signed with `key`.
pub(super) fn signed_headers(
    key: &SigningKey,
    client_id: &str,
    request_id: &str,
    sent_at: Timestamp,
    target: &str,
    body: &[u8],
) -> Vec<(String, String)> {
    let stamp = format_utc_seconds(sent_at);
    let signature = key.sign(&Components { client_id, request_id, stamp: Stamp::Request(&stamp), target, body: Some(body) });
    let mut headers = vec![
        ("Client-Id".to_owned(), client_id.to_owned()),
        ("Request-Id".to_owned(), request_id.to_owned()),
        ("Request-Timestamp".to_owned(), stamp),
    ];
    headers.extend(signature.ok().map(|signature| ("Signature".to_owned(), signature)));
    headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    headers
}

/// The same message once more: the body unchanged, stamped and signed anew.
pub(super) fn again(reception: &Reception, message: &NotificationMessage, sent_at: Timestamp, id: RedeliveryId) -> NotificationMessage {
    let first_id = message.header("Request-Id").unwrap_or_default();
    let request_id = match id {
        RedeliveryId::Same => first_id.to_owned(),
        RedeliveryId::New => {
            let parts: [&[u8]; 3] = [b"again", first_id.as_bytes(), &sent_at.as_second().to_be_bytes()];
            RequestId::from_digest(&digest::of_parts(&parts)).to_string()
        }
    };
    let headers = signed_headers(&reception.key, &reception.settings.client_id, &request_id, sent_at, &message.target, &message.body);
    NotificationMessage { headers, sent_at, ..message.clone() }
}

/// Whether `message` carries DOKU's own signature over its body, by its key of now or of before.
pub(super) fn is_ours(reception: &Reception, message: &NotificationMessage) -> bool {
    let header = |name| message.header(name).unwrap_or_default();
    let components = Components {
        client_id: header("Client-Id"),
        request_id: header("Request-Id"),
        stamp: Stamp::Request(header("Request-Timestamp")),
        target: &message.target,
        body: Some(&message.body),
    };
    let mut keys = std::iter::once(&reception.key).chain(&reception.former_keys);
    keys.any(|key| key.verify(&components, header("Signature")).is_ok())
}
