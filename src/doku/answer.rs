//! Reading an answer to a mutating call: whose word it is, and what it says (API reference, sections 3.3 and 4).
//!
//! Belongs here: DOKU's documented shapes, its signature's weight, its words. Must not be here: what follows from an answer, which is
//! `domain::conclusion`'s.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::value::{self, Raw};
use super::wire::{Answer, SignatureFinding};
use crate::domain::calendar;
use crate::domain::conclusion::{AnswerSays, Whose};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{CodeAnswer, Remark};

mod words;

pub use words::error_message;
pub(super) use words::has_dokus_shape;

/// How strictly answers must be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SignaturePolicy {
    /// Do not look.
    Off,
    /// Accept, and say so.
    Warn,
    /// A success without a valid signature is nobody's.
    Enforce,
}

/// Whether an error in DOKU's shape may be unsigned: whether DOKU signs errors is UNKNOWN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnsignedErrors {
    /// It is DOKU's word, and provisional.
    Accept,
    /// It is nobody's.
    Refuse,
}

/// How much an answer's signature counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// For successes.
    pub policy: SignaturePolicy,
    /// For errors.
    pub unsigned_errors: UnsignedErrors,
}

impl Trust {
    /// Whose a success in DOKU's shape is.
    #[must_use]
    pub const fn of_success(self, signature: SignatureFinding) -> Whose {
        match (signature, self.policy) {
            (SignatureFinding::Valid, _) => Whose::Signed,
            (SignatureFinding::Absent | SignatureFinding::Wrong, SignaturePolicy::Enforce) => Whose::Foreign,
            (SignatureFinding::Absent | SignatureFinding::Wrong, SignaturePolicy::Warn | SignaturePolicy::Off) => Whose::Unsigned,
        }
    }

    /// Whose an error in one of DOKU's shapes is.
    #[must_use]
    pub const fn of_error(self, signature: SignatureFinding) -> Whose {
        match (signature, self.policy, self.unsigned_errors) {
            (SignatureFinding::Valid, _, _) => Whose::Signed,
            (SignatureFinding::Wrong, SignaturePolicy::Enforce, _) | (_, _, UnsignedErrors::Refuse) => Whose::Foreign,
            (SignatureFinding::Absent | SignatureFinding::Wrong, _, UnsignedErrors::Accept) => Whose::Unsigned,
        }
    }
}

/// What an answer must be about.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The invoice number that was sent.
    pub wire_invoice_number: &'a InvoiceNumber,
    /// The code that was sent, unless DOKU makes it.
    pub payment_code: Option<&'a PaymentCode>,
    /// How much signatures count.
    pub trust: Trust,
}

/// An answer as it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedAnswer {
    /// The HTTP status; 0 where there was no answer.
    pub status: u16,
    /// Whose word it is.
    pub whose: Whose,
    /// What it says.
    pub says: AnswerSays,
    /// The code and its dates, where it is a success about our order.
    pub answer: Option<CodeAnswer>,
    /// The status and DOKU's words, or why it is not taken for DOKU's.
    pub words: String,
    /// What is odd about a success without making it another.
    pub remark: Option<Remark>,
}

/// Judges a complete answer.
#[must_use]
pub fn judge(answer: &Answer, expected: &Expected<'_>) -> JudgedAnswer {
    match answer.status {
        200..=299 => success(answer, expected, AnswerSays::Success),
        409 if has_success_shape(&answer.body) => success(answer, expected, AnswerSays::Repeated),
        501 | 400..=499 if !matches!(answer.status, 408 | 425) => error(answer, expected),
        _ => JudgedAnswer {
            status: answer.status,
            whose: Whose::Foreign,
            says: AnswerSays::Unclear,
            answer: None,
            words: format!("HTTP {}: {}", answer.status, error_message(&answer.body)),
            remark: None,
        },
    }
}

/// The sections of a success: the order, and its code.
fn sections(body: &[u8]) -> Option<[Raw<'_>; 2]> {
    value::fields(std::str::from_utf8(body).ok()?, ["order", "online_to_offline_info"])
}

fn has_success_shape(body: &[u8]) -> bool {
    sections(body).is_some_and(|[order, info]| order.is_some() && info.is_some())
}

fn text(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.and_then(value::text)
}

fn success(answer: &Answer, expected: &Expected<'_>, says: AnswerSays) -> JudgedAnswer {
    let status = answer.status;
    let unusable = |why: String| JudgedAnswer {
        status,
        whose: Whose::Foreign,
        says: if says == AnswerSays::Success { AnswerSays::Unclear } else { says },
        answer: None,
        words: format!("HTTP {}: {why}", answer.status),
        remark: None,
    };
    let (code, remark) = match code_answer(&answer.body, expected) {
        Ok(read) => read,
        Err(why) => return unusable(why),
    };
    match expected.trust.of_success(answer.signature) {
        Whose::Foreign if answer.signature == SignatureFinding::Absent => unusable("the answer is not signed".into()),
        Whose::Foreign => unusable("the answer's signature is wrong".into()),
        whose @ (Whose::Signed | Whose::Unsigned) => {
            JudgedAnswer { status, whose, says, answer: Some(code), words: format!("HTTP {}: a success", answer.status), remark }
        }
    }
}

type Reader = for<'a> fn(&'a RawValue) -> Option<Cow<'a, str>>;

/// The code of a success about our order, and what is odd about it.
fn code_answer(body: &[u8], expected: &Expected<'_>) -> Result<(CodeAnswer, Option<Remark>), String> {
    let [order, info] = sections(body).ok_or("unreadable answer")?;
    let [named] = value::section(order, ["invoice_number"]);
    let named = text(named).ok_or("the answer names no invoice")?;
    if named != expected.wire_invoice_number.as_str() {
        return Err(format!("the answer names invoice `{named}` instead of `{}`", expected.wire_invoice_number));
    }
    // The merchant-code page calls the code `payment`.
    let [code, payment, created_utc, created, expired_utc, expired, page, api] = value::section(
        info,
        [
            "payment_code",
            "payment",
            "created_date_utc",
            "created_date",
            "expired_date_utc",
            "expired_date",
            "how_to_pay_page",
            "how_to_pay_api",
        ],
    );
    let code = text(code).or_else(|| text(payment)).ok_or("the answer holds no payment code")?;
    let code = PaymentCode::new(&code).map_err(|error| format!("the answer's payment code is unusable: {error}"))?;
    if let Some(ours) = expected.payment_code
        && *ours != code
    {
        return Err(format!("the answer holds payment code `{code}` instead of `{ours}`"));
    }
    let mut dropped = Vec::new();
    let mut optional = |raw, name, read: Reader| value::optional(raw, name, read, &mut dropped);
    let created_utc = optional(created_utc, "created_date_utc", value::text);
    let created = optional(created, "created_date", value::text);
    let expired_utc = optional(expired_utc, "expired_date_utc", value::text);
    let expired = optional(expired, "expired_date", value::text);
    let page = optional(page, "how_to_pay_page", value::string);
    let api = optional(api, "how_to_pay_api", value::string);
    let disagreement = disagree(expired_utc.as_deref(), expired.as_deref()).then(|| Remark {
        note: "DOKU's UTC and WIB fields of the expiry disagree; the UTC field is taken".to_owned(),
        about_expiry: true,
    });
    let dropped = (!dropped.is_empty())
        .then(|| Remark { note: format!("of another type and left out: {}", dropped.join(", ")), about_expiry: false });
    let answer = CodeAnswer {
        payment_code: code,
        created_at: instant(created_utc.as_deref(), created.as_deref()),
        expires_at: instant(expired_utc.as_deref(), expired.as_deref()),
        how_to_pay_page: page.map(Cow::into_owned),
        how_to_pay_api: api.map(Cow::into_owned),
    };
    Ok((answer, Remark::joined(disagreement.into_iter().chain(dropped))))
}

/// The UTC field if it can be read, else the WIB one.
pub(super) fn instant(utc: Option<&str>, wib: Option<&str>) -> Option<Timestamp> {
    utc.and_then(|text| text.parse().ok()).or_else(|| wib.and_then(calendar::parse_compact_wib))
}

fn disagree(utc: Option<&str>, wib: Option<&str>) -> bool {
    let utc: Option<Timestamp> = utc.and_then(|text| text.parse().ok());
    utc.zip(wib.and_then(calendar::parse_compact_wib)).is_some_and(|(utc, wib)| utc.as_second() != wib.as_second())
}

fn error(answer: &Answer, expected: &Expected<'_>) -> JudgedAnswer {
    let words = format!("HTTP {}: {}", answer.status, error_message(&answer.body));
    let is_shaped = words::has_dokus_shape(&answer.body) && !names_another(&answer.body, expected);
    let says = match answer.status {
        401 => AnswerSays::Credentials,
        400 if is_shaped && words::names_the_signature(&answer.body) => AnswerSays::Credentials,
        403 => AnswerSays::ChannelClosed,
        404 | 405 | 410 | 501 => AnswerSays::NoSuchPath,
        409 => AnswerSays::Duplicate,
        429 => AnswerSays::Throttled,
        _ if is_shaped && words::calls_it_a_duplicate(&answer.body) => AnswerSays::Duplicate,
        _ => AnswerSays::Refused,
    };
    let whose = match (is_shaped, says, expected.trust.of_error(answer.signature)) {
        (false, _, _) => Whose::Foreign,
        // With a wrong key of ours every signature looks wrong.
        (true, AnswerSays::Credentials, Whose::Foreign) => Whose::Unsigned,
        (true, _, whose) => whose,
    };
    let words = if whose == Whose::Foreign { format!("{words} (not taken for DOKU's answer)") } else { words };
    JudgedAnswer { status: answer.status, whose, says, answer: None, words, remark: None }
}

/// Whether the body speaks of another order than ours.
fn names_another(body: &[u8], expected: &Expected<'_>) -> bool {
    let Some([order, info]) = sections(body) else { return false };
    let ([order], [code]) = (value::section(order, ["invoice_number"]), value::section(info, ["payment_code"]));
    let (order, code) = (text(order), text(code));
    order.is_some_and(|order| order != expected.wire_invoice_number.as_str())
        || code.zip(expected.payment_code).is_some_and(|(code, ours)| code != ours.as_str())
}

#[cfg(test)]
mod tests;
