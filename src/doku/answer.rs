//! What came of a mutating call: one function from a delivery to an outcome (API reference, section 4.2).
//!
//! The rule behind the table: only what provably was not processed may be retried as if it had never been sent; whatever
//! may have reached DOKU without a complete, well-formed, matching answer is in doubt.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::codes;
use super::wire::{Answer, Delivery, SignatureFinding};
use crate::domain::calendar;
use crate::domain::code::Code;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::CodeAnswer;

/// How strictly answers must be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SignaturePolicy {
    /// Do not look.
    Off,
    /// Accept, and say so.
    Warn,
    /// A success without a valid signature is in doubt.
    Enforce,
}

/// What a good answer must echo.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The invoice number that was sent.
    pub wire_invoice_number: &'a InvoiceNumber,
    /// The code that was sent, unless DOKU makes it.
    pub payment_code: Option<&'a PaymentCode>,
    /// How strictly the answer must be signed.
    pub policy: SignaturePolicy,
}

/// How far a refusal of our credentials reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// 401 or a bad signature: every request.
    Run,
    /// 403: this channel's requests.
    Channel,
}

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Carried out, now or at an earlier attempt (`replayed`).
    Accepted {
        /// The code and its dates.
        answer: CodeAnswer,
        /// Whether DOKU replayed an earlier answer (HTTP 409).
        replayed: bool,
    },
    /// Definitely not carried out, and it would not be if sent again.
    Rejected {
        /// Which refusal.
        code: Code,
        /// DOKU's words.
        reason: String,
    },
    /// Provably not processed: the same bytes may be sent again.
    Retry {
        /// Why.
        reason: String,
    },
    /// May have been carried out.
    InDoubt {
        /// Why.
        reason: String,
    },
    /// Not processed, and nothing like it will be until a person acts.
    Stopped {
        /// How far it reaches.
        reach: Reach,
        /// DOKU's words.
        reason: String,
    },
}

impl Outcome {
    /// The same outcome with its reason as `word` has it.
    #[must_use]
    pub fn worded(self, word: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Accepted { .. } => self,
            Self::Rejected { code, reason } => Self::Rejected { code, reason: word(&reason) },
            Self::Retry { reason } => Self::Retry { reason: word(&reason) },
            Self::InDoubt { reason } => Self::InDoubt { reason: word(&reason) },
            Self::Stopped { reach, reason } => Self::Stopped { reach, reason: word(&reason) },
        }
    }
}

#[derive(Deserialize)]
struct Success {
    order: SuccessOrder,
    online_to_offline_info: SuccessInfo,
}

#[derive(Deserialize)]
struct SuccessOrder {
    invoice_number: String,
}

#[derive(Deserialize)]
struct SuccessInfo {
    payment_code: Option<String>,
    /// The name the merchant-code page gives the same field.
    payment: Option<String>,
    created_date: Option<String>,
    created_date_utc: Option<String>,
    expired_date: Option<String>,
    expired_date_utc: Option<String>,
    how_to_pay_page: Option<String>,
    how_to_pay_api: Option<String>,
}

/// The outcome of one delivery of a mutating call.
#[must_use]
pub fn outcome(delivery: &Delivery, expected: &Expected<'_>) -> Outcome {
    match delivery {
        Delivery::NotSent(reason) => Outcome::Retry { reason: reason.clone() },
        Delivery::Unknown(reason) => Outcome::InDoubt { reason: reason.clone() },
        Delivery::Answered(answer) => answered(answer, expected),
    }
}

fn answered(answer: &Answer, expected: &Expected<'_>) -> Outcome {
    let reason = || format!("HTTP {}: {}", answer.status, error_message(&answer.body));
    match answer.status {
        200..=299 => success(answer, expected, false).unwrap_or_else(|reason| Outcome::InDoubt { reason }),
        409 => match serde_json::from_slice::<Success>(&answer.body) {
            Ok(_) => success(answer, expected, true).unwrap_or_else(|reason| Outcome::InDoubt { reason }),
            Err(_) => Outcome::Rejected { code: codes::DUPLICATE, reason: reason() },
        },
        401 => Outcome::Stopped { reach: Reach::Run, reason: reason() },
        403 => Outcome::Stopped { reach: Reach::Channel, reason: reason() },
        400 | 422 if speaks_of_credentials(&answer.body) => Outcome::Stopped { reach: Reach::Run, reason: reason() },
        400 | 422 => Outcome::Rejected { code: codes::VALIDATION, reason: reason() },
        404 => Outcome::Rejected { code: codes::NOT_FOUND, reason: reason() },
        429 => Outcome::Retry { reason: reason() },
        408 | 425 => Outcome::InDoubt { reason: reason() },
        402..=499 => Outcome::Rejected { code: codes::OTHER, reason: reason() },
        _ => Outcome::InDoubt { reason: reason() },
    }
}

fn success(answer: &Answer, expected: &Expected<'_>, replayed: bool) -> Result<Outcome, String> {
    match (expected.policy, answer.signature) {
        (SignaturePolicy::Enforce, SignatureFinding::Absent) => return Err("the answer is not signed".into()),
        (SignaturePolicy::Enforce, SignatureFinding::Wrong) => return Err("the answer's signature is wrong".into()),
        (SignaturePolicy::Enforce | SignaturePolicy::Warn | SignaturePolicy::Off, _) => {}
    }
    let success: Success =
        serde_json::from_slice(&answer.body).map_err(|error| format!("HTTP {}: unreadable answer: {error}", answer.status))?;
    if success.order.invoice_number != expected.wire_invoice_number.as_str() {
        return Err(format!("the answer names invoice `{}` instead of `{}`", success.order.invoice_number, expected.wire_invoice_number));
    }
    let info = success.online_to_offline_info;
    let code = info.payment_code.or(info.payment).ok_or("the answer holds no payment code")?;
    let code = PaymentCode::new(&code).map_err(|error| format!("the answer's payment code is unusable: {error}"))?;
    if let Some(ours) = expected.payment_code
        && *ours != code
    {
        return Err(format!("the answer holds payment code `{code}` instead of `{ours}`"));
    }
    let answer = CodeAnswer {
        payment_code: code,
        created_at: instant(info.created_date_utc.as_deref(), info.created_date.as_deref()),
        expires_at: instant(info.expired_date_utc.as_deref(), info.expired_date.as_deref()),
        how_to_pay_page: info.how_to_pay_page,
        how_to_pay_api: info.how_to_pay_api,
    };
    Ok(Outcome::Accepted { answer, replayed })
}

/// The UTC field if it can be read, else the WIB one.
pub(super) fn instant(utc: Option<&str>, wib: Option<&str>) -> Option<Timestamp> {
    utc.and_then(|text| text.parse().ok()).or_else(|| wib.and_then(calendar::parse_compact_wib))
}

/// A 400 that is really a 401: DOKU's older gateways answer so.
fn speaks_of_credentials(body: &[u8]) -> bool {
    let message = error_message(body).to_lowercase();
    ["invalid header signature", "invalid signature", "client-id", "client id", "request-timestamp", "invalid header"]
        .iter()
        .any(|hint| message.contains(hint))
}

/// DOKU's words, from any error shape seen so far; at most 300 characters of the body where none fits.
#[must_use]
pub fn error_message(body: &[u8]) -> String {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let found = parsed.as_ref().and_then(|value| {
        ["/error/message", "/message", "/error_messages", "/response/error/message", "/response_code", "/error"]
            .iter()
            .find_map(|pointer| value.pointer(pointer))
            .map(|message| message.as_str().map_or_else(|| message.to_string(), str::to_owned))
    });
    let text = found.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    if one_line.trim().is_empty() { "(empty answer)".into() } else { one_line }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"order":{"invoice_number":"I-1"},"online_to_offline_info":{"payment_code":"0073","expired_date":"20210331125005"},"more":1}"#;

    fn of(status: u16, body: &str, signature: SignatureFinding) -> Outcome {
        let invoice = InvoiceNumber::new("I-1").unwrap();
        let delivery = Delivery::Answered(Answer { status, retry_after_seconds: None, signature, body: body.to_owned().into() });
        outcome(&delivery, &Expected { wire_invoice_number: &invoice, payment_code: None, policy: SignaturePolicy::Enforce })
    }

    fn name(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Accepted { replayed: false, .. } => "accepted",
            Outcome::Accepted { replayed: true, .. } => "replayed",
            Outcome::Rejected { code, .. } => code.id,
            Outcome::Retry { .. } => "retry",
            Outcome::InDoubt { .. } => "in doubt",
            Outcome::Stopped { reach: Reach::Run, .. } => "stop run",
            Outcome::Stopped { reach: Reach::Channel, .. } => "stop channel",
        }
    }

    #[test]
    fn every_status_and_shape_has_its_outcome() {
        let error = r#"{"error":{"message":"amount is required"}}"#;
        let table: &[(u16, &str, &str)] = &[
            (200, GOOD, "accepted"),
            (409, GOOD, "replayed"),
            (409, r#"{"error":{"message":"different request data"}}"#, "E0403"),
            (200, &GOOD.replace("I-1", "I-2"), "in doubt"),
            (409, &GOOD.replace("I-1", "I-2"), "in doubt"),
            (200, &GOOD.replace("0073", "73a"), "in doubt"),
            (200, "{\"order\":{\"invoice_nu", "in doubt"),
            (200, "", "in doubt"),
            (400, error, "E0401"),
            (400, r#"{"error":{"message":"Invalid Header Signature"}}"#, "stop run"),
            (422, error, "E0401"),
            (404, "<html>No static resource</html>", "E0402"),
            (401, error, "stop run"),
            (403, error, "stop channel"),
            (405, "", "E0404"),
            (408, "", "in doubt"),
            (425, "", "in doubt"),
            (429, "", "retry"),
            (500, "", "in doubt"),
            (502, "<html>", "in doubt"),
            (503, "", "in doubt"),
            (504, "", "in doubt"),
            (302, "", "in doubt"),
        ];
        for (status, body, expected) in table {
            assert_eq!(name(&of(*status, body, SignatureFinding::Valid)), *expected, "{status} {body}");
        }
    }

    #[test]
    fn an_unsigned_or_wrongly_signed_success_is_in_doubt_where_signatures_are_enforced() {
        assert_eq!(name(&of(200, GOOD, SignatureFinding::Absent)), "in doubt");
        assert_eq!(name(&of(409, GOOD, SignatureFinding::Wrong)), "in doubt");
    }

    #[test]
    fn dates_fall_back_from_utc_to_wib() {
        let Outcome::Accepted { answer, .. } = of(200, GOOD, SignatureFinding::Valid) else { panic!("not accepted") };
        assert_eq!(answer.expires_at.unwrap().to_string(), "2021-03-31T05:50:05Z");
        assert_eq!(answer.payment_code.as_str(), "0073");
    }

    #[test]
    fn dokus_words_are_found_in_every_error_shape() {
        for body in [
            r#"{"error":{"message":"words"}}"#,
            r#"{"message":"words"}"#,
            r#"{"response":{"error":{"code":1,"message":"words"}}}"#,
            r#"{"status":"FAILED","response_code":"words"}"#,
            "words",
        ] {
            assert_eq!(error_message(body.as_bytes()), "words", "{body}");
        }
        assert_eq!(error_message(br#"{"message":["a","b"]}"#), r#"["a","b"]"#);
        assert_eq!(error_message(b""), "(empty answer)");
    }
}
