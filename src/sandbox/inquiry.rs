//! Direct inquiry: a customer shows a code DOKU does not know, DOKU asks the merchant what is owed, and keeps the answer as an order.
//!
//! Belongs here: asking, and keeping what was answered. What there is to know of a question stands in `question`; whether an answer is in
//! order is `verdict`'s business.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

use super::chain;
use super::fault::number;
use super::http::HttpAnswer;
use super::model::Model;
use super::notification::signed_headers;
use super::question::{Inquiry, InquiryMessage, InquiryQuirk, InquiryScript, Payable};
use super::reception::Reception;
use super::verdict::{self, Verdict, verify};
use super::wire::{self, Id, Identifier};
use crate::doku::signature::SignatureError;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::channel::IssuanceMethod;
use crate::domain::digest;
use crate::domain::ids::{PaymentCode, RequestId};

/// How old a stale inquiry says it is: older than the 300 seconds merchants commonly allow.
const STALE: SignedDuration = SignedDuration::from_mins(10);

impl Model {
    /// Whether the merchant is to be asked about a code: nobody registered it, and it begins with a prefix of codes that are not.
    #[must_use]
    pub fn is_inquired(&self, payment_code: &str) -> bool {
        let registered = self.order_of_code(payment_code).is_some_and(|order| order.method != IssuanceMethod::Inquiry);
        let bins = &self.settings().inquiry_bins;
        let is_ours = bins.is_empty() || bins.iter().any(|bin| payment_code.starts_with(bin.as_str()));
        !registered && is_ours && PaymentCode::new(payment_code).is_ok()
    }

    /// DOKU's inquiry as `script` has it.
    #[must_use]
    pub fn inquire(&self, script: &InquiryScript) -> InquiryMessage {
        write(&self.reception, script)
    }

    /// The next inquiry about a code, to be posted to `target`.
    #[must_use]
    pub fn next_inquiry(&self, payment_code: &str, target: &str, quirks: &[InquiryQuirk], now: Timestamp) -> InquiryMessage {
        let earlier = || self.inquiries.iter().filter(|inquiry| inquiry.payment_code == payment_code);
        let same_id = earlier().next_back().filter(|_| quirks.contains(&InquiryQuirk::SameId)).map(|inquiry| inquiry.request_id.clone());
        let (seed, serial) = (self.settings().seed.to_be_bytes(), earlier().count().to_string());
        // The time is part of it, because a sandbox that starts anew may ask a merchant that remembers the one before.
        let asked_at = now.as_nanosecond().to_be_bytes();
        let parts = [&seed, b"inquiry".as_slice(), payment_code.as_bytes(), serial.as_bytes(), &asked_at];
        let new_id = || RequestId::from_digest(&digest::of_parts(&parts)).to_string();
        self.inquire(&InquiryScript {
            target: target.into(),
            payment_code: payment_code.into(),
            request_id: same_id.unwrap_or_else(new_id),
            asked_at: now,
            quirks: quirks.to_vec(),
        })
    }

    /// Judges the merchant's answer to `message` and, when the code can be paid, keeps an order for it. `answer` is what went wrong when
    /// there was none.
    pub fn conclude_inquiry(&mut self, message: &InquiryMessage, answer: Result<HttpAnswer, String>, now: Timestamp) -> Inquiry {
        let mut inquiry = Inquiry {
            number: self.inquiries.len().saturating_add(1),
            at: now,
            payment_code: message.payment_code.clone(),
            request_id: message.request_id.clone(),
            http_status: answer.as_ref().ok().map(|answer| answer.status),
            status: None,
            invoice_number: None,
            amount: None,
            problem: None,
        };
        match answer {
            Err(problem) => inquiry.problem = Some(problem),
            Ok(answer) => {
                inquiry.status = verdict::status(&answer.body);
                match verdict::judge(&Arc::clone(&self.reception), message, &answer) {
                    Ok(Verdict::Declined) => {}
                    Ok(Verdict::Payable(payable)) => self.keep(payable, message, &mut inquiry, now),
                    Err(problem) => inquiry.problem = Some(problem.to_string()),
                }
            }
        }
        self.inquiries.push(inquiry.clone());
        inquiry
    }

    fn keep(&mut self, payable: Payable, message: &InquiryMessage, inquiry: &mut Inquiry, now: Timestamp) {
        let (invoice_number, amount) = (payable.invoice_number.clone(), payable.amount);
        let code = PaymentCode::new(&message.payment_code).ok();
        if code.and_then(|code| self.order_of_inquiry(payable, &code, &message.request_id, now)).is_some() {
            (inquiry.invoice_number, inquiry.amount) = (Some(invoice_number), Some(amount));
        } else {
            inquiry.problem = Some(format!("the invoice number `{invoice_number}` belongs to another code"));
        }
    }

    /// Every inquiry, oldest first.
    #[must_use]
    pub fn inquiries(&self) -> &[Inquiry] {
        &self.inquiries
    }

    /// Whether the merchant's answer to `message` carries the right signature.
    ///
    /// # Errors
    /// Every [`SignatureError`].
    pub fn verify_inquiry_answer(
        &self,
        message: &InquiryMessage,
        response_timestamp: &str,
        signature: &str,
        answer: &[u8],
    ) -> Result<(), SignatureError> {
        verify(&self.reception, message, response_timestamp, signature, answer)
    }
}

#[derive(Serialize)]
struct Code {
    payment_code: Box<RawValue>,
}

#[derive(Serialize)]
struct Asked<'a> {
    date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<Vec<Identifier<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifer: Option<Vec<Identifier<'a>>>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    x_trace: Option<Id<'a>>,
    service: Id<'a>,
    acquirer: Id<'a>,
    channel: Id<'a>,
    online_to_offline_info: Code,
    online_to_offline_inquiry: Asked<'a>,
}

fn write(reception: &Reception, script: &InquiryScript) -> InquiryMessage {
    let has = |quirk| script.quirks.contains(&quirk);
    let drawn = digest::of_parts(&[&reception.settings.seed.to_be_bytes(), b"counter", script.request_id.as_bytes()]);
    let (store_id, transaction_id) =
        (format!("T{:04}", number(drawn.get(8..16)) % 10_000), digest::hex(drawn.get(16..28).unwrap_or_default()));
    let counter = vec![
        Identifier { name: "AGENT_ID", value: "ALFAMART" },
        Identifier { name: "AGENT_STORE_ID", value: &store_id },
        Identifier { name: "AGENT_TRX_ID", value: &transaction_id },
    ];
    let (spelt, misspelt) = match () {
        () if has(InquiryQuirk::WithoutIdentifiers) => (Some(Vec::new()), None),
        () if has(InquiryQuirk::MisspeltIdentifiers) => (None, Some(counter)),
        () => (Some(counter), None),
    };
    let asked_at = if has(InquiryQuirk::Stale) { script.asked_at.checked_sub(STALE).unwrap_or(script.asked_at) } else { script.asked_at };
    let body = wire::json(&Body {
        x_trace: has(InquiryQuirk::ExtraFields).then_some(Id { id: "7" }),
        service: Id { id: "ONLINE_TO_OFFLINE" },
        acquirer: Id { id: chain::INQUIRES.acquirer_id() },
        channel: Id { id: chain::INQUIRES.doku_id() },
        online_to_offline_info: Code { payment_code: code_token(&script.payment_code, has(InquiryQuirk::CodeAsNumber)) },
        online_to_offline_inquiry: Asked { date: format_utc_seconds(asked_at), identifier: spelt, identifer: misspelt },
    });
    let key = if has(InquiryQuirk::Forged) { &reception.wrong_key } else { &reception.key };
    let mut headers = signed_headers(key, &reception.settings.client_id, &script.request_id, asked_at, &script.target, &body);
    if has(InquiryQuirk::Unsigned) {
        headers.retain(|(name, _)| name != "Signature");
    }
    InquiryMessage {
        target: script.target.clone(),
        headers,
        body: body.into(),
        payment_code: script.payment_code.clone(),
        request_id: script.request_id.clone(),
    }
}

/// The code as a JSON text or, where JSON has such a number, as its digits.
fn code_token(code: &str, as_number: bool) -> Box<RawValue> {
    let digits = as_number && !code.starts_with('0') && code.bytes().all(|byte| byte.is_ascii_digit());
    let token = if digits { code.to_owned() } else { serde_json::Value::from(code).to_string() };
    RawValue::from_string(token).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
