//! Inquiries: verified, decided from the books, answered with a signature, and answered alike when they are repeated.

use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answers::{Given, Kept};
use super::books::{InquiredBill, NotNamed};
use super::log::kind::LogKind;
use super::message::{Received, Signer};
use super::metrics::TurnedDown;
use super::shared::Shared;
use crate::clock::Stopwatch;
use crate::doku::inquiry::{self, InquiryWord, InvalidSignature, Question, ShownBill};
use crate::domain::calendar::format_utc_seconds;
use crate::domain::ids::InvoiceNumber;
use crate::domain::inquiry::{InquiryDecision, InquiryFacts, decide};
use crate::domain::lifecycle::BillState;
use crate::domain::{digest, owner};

/// What was found out, before it is put into words.
struct Outcome {
    status: InquiryWord,
    /// The decision, for our own log.
    decision: &'static str,
    body: Vec<u8>,
    found: Option<InquiredBill>,
    /// The number of its own that the answer has.
    alias: Option<InvoiceNumber>,
    /// Whether the same question must hear the same again. Not so when we could not look.
    lasting: bool,
}

/// Answers an inquiry that is DOKU's.
pub(super) async fn answered(shared: &Arc<Shared>, received: &Received, signer: Signer<'_>, begun: Stopwatch) -> Response {
    if !shared.health.is_caught_up() {
        // What was paid may not be known yet.
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]).into_response();
    }
    let settings = &shared.settings;
    if let Some(seconds) = received.age_seconds() {
        shared.metrics.skew(seconds);
    }
    if settings.freshness_seconds != 0 && !received.is_fresh(settings.freshness_seconds) {
        shared.metrics.turned_down(TurnedDown::Stale);
        return turned_down(shared, received, Some(signer), "`Request-Timestamp` is too far from now", begun).await;
    }
    let request_id = received.request_id().unwrap_or_default();
    let before = shared.answers().lately(request_id, received.at);
    let before = match &before {
        Some(kept) => shared.read(request_id, kept).await,
        None => None,
    };
    if let Some(given) = before.filter(|given| given.question == question_of(received)) {
        shared.metrics.inquiry("repeated", begun.elapsed());
        tracing::info!(request_id, status = given.status, decision = "repeated", "an inquiry was answered");
        return response(shared, &signed(shared, signer, received, given));
    }
    let outcome = outcome(shared, received).await;
    said(shared, received, signer, &outcome, begun).await
}

/// A message of DOKU's that is no question, at the URL for questions.
pub(super) async fn no_question(shared: &Shared, received: &Received, signer: Signer<'_>, begun: Stopwatch) -> Response {
    shared.metrics.misunderstood("inquiry");
    said(shared, received, signer, &Outcome::refused(InquiryWord::Decline, "no_question", None, false), begun).await
}

/// A message that is not provably DOKU's, at the URL for questions.
pub(super) async fn forged(shared: &Shared, received: &Received, signer: Option<Signer<'_>>, why: &str, begun: Stopwatch) -> Response {
    shared.metrics.turned_down(TurnedDown::Forged);
    turned_down(shared, received, signer, why, begun).await
}

/// Keeps what was decided, and says it.
async fn said(shared: &Shared, received: &Received, signer: Signer<'_>, outcome: &Outcome, begun: Stopwatch) -> Response {
    let given = given(shared, Some(signer), received, outcome);
    let given = if outcome.lasting { everywhere(shared, received, signer, given).await } else { Ok(given) };
    let given = match given {
        Ok(given) => given,
        Err(reason) => {
            tracing::error!(reason, "an answer could not be kept for the other hosts");
            let refused = Outcome::refused(InquiryWord::Decline, "books unreadable", None, false);
            return response(shared, &self::given(shared, Some(signer), received, &refused));
        }
    };
    let given = Arc::new(given);
    let earlier = if outcome.lasting { earlier(shared, &given).await } else { None };
    let is_new = earlier.is_none();
    let standing = earlier.map_or_else(|| Arc::clone(&given), |earlier| Arc::new(signed(shared, signer, received, earlier)));
    if standing.question != question_of(received) {
        // The id was used for another question: that one keeps its answer, this one gets none it could be mistaken for.
        shared.metrics.turned_down(TurnedDown::IdReused);
        return turned_down(shared, received, Some(signer), "`Request-Id` was used for another inquiry", begun).await;
    }
    let inquiry = async {
        let line = received.line(&decision_of(outcome));
        shared.records.append(LogKind::Inquiries, received.at, &line).await;
    };
    let answer = async {
        if outcome.lasting && is_new {
            let line = serde_json::to_vec(&*given).unwrap_or_default();
            if let Some(place) = shared.records.answer(received.at, &line).await {
                shared.answers().logged(&given, place);
            }
        }
    };
    tokio::join!(inquiry, answer);
    shared.metrics.inquiry(outcome.status.name(), begun.elapsed());
    told(received, outcome);
    response(shared, &standing)
}

/// The answer that stands for the id of `given` already. None where there is none, or where its log has it no more: then `given` stands.
async fn earlier(shared: &Shared, given: &Arc<Given>) -> Option<Given> {
    let keep = || shared.answers().keep(&given.request_id, given.at, || Kept::Here(Arc::clone(given)));
    while let Some(kept) = keep() {
        let earlier = shared.read(&given.request_id, &kept).await;
        if earlier.is_some() {
            return earlier;
        }
        shared.answers().lost(&given.request_id, &kept);
    }
    None
}

/// What was decided, for the log: no names.
fn told(received: &Received, outcome: &Outcome) {
    let request_id = received.request_id().unwrap_or_default();
    let invoice = outcome.found.as_ref().map_or("", |found| found.state.invoice_number.as_str());
    let (status, reason) = (outcome.status.http(), outcome.decision);
    tracing::info!(request_id, invoice, status, decision = outcome.status.name(), reason, "an inquiry was answered");
}

/// The answer that stands on all hosts: the one at hand, or an earlier one of another host, signed anew.
async fn everywhere(shared: &Shared, received: &Received, signer: Signer<'_>, given: Given) -> Result<Given, String> {
    let since = given.at.checked_sub(shared.settings.answers_kept_for()).unwrap_or(Timestamp::MIN);
    let unsigned = serde_json::to_string(&Given { signature: String::new(), ..given.clone() }).map_err(|error| error.to_string())?;
    let stands = shared.look(shared.books.stands(&given.request_id, given.at, since, &unsigned)).await?;
    let Some(standing) = stands.filter(|standing| *standing != unsigned) else { return Ok(given) };
    let earlier: Given = serde_json::from_str(&standing).map_err(|error| error.to_string())?;
    Ok(signed(shared, signer, received, earlier))
}

/// An earlier answer, as it leaves again. The key and the URL may have changed since; with the same ones it is the same signature.
fn signed(shared: &Shared, signer: Signer<'_>, received: &Received, earlier: Given) -> Given {
    let signature = signature(shared, signer, received, &earlier.timestamp, earlier.body.as_bytes());
    Given { signature, ..earlier }
}

/// What is not provably DOKU's, or not of now, is kept apart and told as little as possible.
async fn turned_down(shared: &Shared, received: &Received, signer: Option<Signer<'_>>, why: &str, begun: Stopwatch) -> Response {
    let status = match shared.settings.invalid_signature {
        InvalidSignature::Unauthorized => InquiryWord::InvalidSignature,
        InvalidSignature::Decline => InquiryWord::Decline,
    };
    shared.keep_forged(received, why).await;
    shared.metrics.inquiry(status.name(), begun.elapsed());
    // A stranger may ask as often as it likes: it is counted, and kept apart from the log of what was decided.
    tracing::debug!(reason = why, "an inquiry was turned down");
    let outcome = Outcome::refused(status, "unverified", None, false);
    response(shared, &given(shared, signer, received, &outcome))
}

impl Outcome {
    fn refused(status: InquiryWord, decision: &'static str, question: Option<&Question>, lasting: bool) -> Self {
        Self { status, decision, body: inquiry::refusal(question, status, None), found: None, alias: None, lasting }
    }
}

/// How often a bill is looked at anew that changes just while it is to get the number of an answer.
const LOOKS_MAX: u32 = 4;

async fn outcome(shared: &Arc<Shared>, received: &Received) -> Outcome {
    let refused = Outcome::refused;
    let question = match received.text().ok_or("body").and_then(inquiry::parse) {
        Ok(question) => question,
        Err(field) => {
            shared.metrics.misunderstood("inquiry");
            return refused(InquiryWord::Decline, field, None, true);
        }
    };
    for _ in 0..LOOKS_MAX {
        if let Some(outcome) = looked_up(shared, received, &question).await {
            return outcome;
        }
    }
    refused(InquiryWord::Decline, "bill_changing", Some(&question), false)
}

/// The answer from the books as they are; none when they changed before the answer had its number.
async fn looked_up(shared: &Arc<Shared>, received: &Received, question: &Question) -> Option<Outcome> {
    let refused = |decision| Some(Outcome::refused(InquiryWord::Decline, decision, Some(question), false));
    let found = match shared.look(shared.books.find(&question.payment_code)).await {
        Ok(found) => found,
        Err(reason) => {
            tracing::error!(reason, "an inquiry could not be looked up");
            return refused("books unreadable");
        }
    };
    let facts = found.as_ref().map(facts);
    let decision = decide(facts.as_ref(), question.channel, received.at);
    let status = InquiryWord::of(decision);
    let settings = &shared.settings;
    let payable = found.as_ref().filter(|_| decision == InquiryDecision::Payable && !settings.inquiry_suffix.is_empty());
    let alias = match payable {
        Some(found) => match alias(shared, received, &found.state).await {
            Ok(alias) => Some(alias?),
            Err(why) => return refused(why),
        },
        None => None,
    };
    let shown = found.as_ref().map(|found| ShownBill {
        invoice_number: alias.as_ref().unwrap_or(&found.state.invoice_number),
        terms: &found.state.terms,
        customer: found.customer.as_ref(),
        name_fallback: &settings.customer_name,
        info_key: settings.info_key,
    });
    let body = match &shown {
        Some(shown) if decision == InquiryDecision::Payable => inquiry::payable(question, shown),
        shown => inquiry::refusal(Some(question), status, shown.as_ref().filter(|_| settings.refusal_details)),
    };
    let decision = match decision {
        InquiryDecision::Declined(why) => why.name(),
        _ => status.name(),
    };
    Some(Outcome { status, decision, body, found, alias, lasting: true })
}

/// Characters that follow from a `Request-Id`; where another bill has the number already, twice as many.
const ALIAS_CHARACTERS: usize = 10;

/// The number this inquiry is answered with, which the books have when this returns; none when the bill has changed since it was found.
async fn alias(shared: &Shared, received: &Received, state: &BillState) -> Result<Option<InvoiceNumber>, &'static str> {
    let bill = &state.invoice_number;
    let digest = digest::hex(&digest::of_bytes(received.request_id().unwrap_or_default().as_bytes()));
    for length in [ALIAS_CHARACTERS, ALIAS_CHARACTERS.saturating_mul(2)] {
        let written = format!("{bill}{}{}", shared.settings.inquiry_suffix, digest.get(..length).unwrap_or_default());
        let Ok(number) = InvoiceNumber::new(&written) else {
            tracing::error!(invoice = bill.as_str(), "the number is too long for `serve.inquiry_suffix`, so its inquiries are declined");
            return Err("number_too_long");
        };
        if owner::has_number(state, &number) {
            return Ok(Some(number));
        }
        // Whoever waits for a commit shares it with all others that do; a look into the books has its place to itself.
        match shared.books.named(bill, &number, received.at).await {
            Ok(()) => return Ok(Some(number)),
            Err(NotNamed::MovedOn) => return Ok(None),
            Err(NotNamed::Taken) => {}
            Err(NotNamed::Failed(reason)) => {
                tracing::error!(reason, "the number of an answer could not be recorded");
                return Err("books unwritable");
            }
        }
    }
    Err("number_taken")
}

fn facts(found: &InquiredBill) -> InquiryFacts {
    let InquiredBill { state, paid, held, unrecorded, customer: _ } = found;
    InquiryFacts {
        status: state.status,
        method: state.terms.method,
        channel: state.terms.channel,
        reusable: state.terms.reusable,
        paid: *paid,
        unrecorded: *unrecorded,
        expires_at: state.expires_at(),
        held: *held,
    }
}

/// What the inquiry log says beside the message: no names.
fn decision_of(outcome: &Outcome) -> Map<String, Value> {
    let mut more = Map::new();
    more.insert("answer".into(), outcome.status.name().into());
    more.insert("decision".into(), outcome.decision.into());
    if let Some(found) = &outcome.found {
        more.insert("invoice_number".into(), found.state.invoice_number.as_str().into());
        if let Some(alias) = &outcome.alias {
            more.insert("answered_as".into(), alias.as_str().into());
        }
        more.insert("amount".into(), found.state.terms.amount.get().into());
    }
    more
}

/// What tells questions apart: every byte of the body.
fn question_of(received: &Received) -> String {
    digest::hex(&digest::of_bytes(&received.body))
}

fn signature(shared: &Shared, signer: Signer<'_>, received: &Received, timestamp: &str, body: &[u8]) -> String {
    let request_id = received.request_id().unwrap_or_default();
    inquiry::sign(signer.key, &shared.settings.client_id, request_id, timestamp, signer.target, body).unwrap_or_default()
}

fn given(shared: &Shared, signer: Option<Signer<'_>>, received: &Received, outcome: &Outcome) -> Given {
    let timestamp = format_utc_seconds(shared.clock.now());
    let signature = signer.map(|signer| signature(shared, signer, received, &timestamp, &outcome.body)).unwrap_or_default();
    Given {
        at: received.at,
        request_id: received.request_id().unwrap_or_default().to_owned(),
        question: question_of(received),
        word: outcome.status.name().to_owned(),
        status: outcome.status.http(),
        timestamp,
        signature,
        body: String::from_utf8_lossy(&outcome.body).into_owned(),
    }
}

/// The answer on the wire. One that is not signed says of us nothing more than its body; one that cannot echo an id is not, as there is
/// nothing it could be bound to.
fn response(shared: &Shared, given: &Given) -> Response {
    let status = StatusCode::from_u16(given.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, given.body.clone()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let signed = [
        ("Client-Id", &shared.settings.client_id),
        ("request-id", &given.request_id),
        ("response-timestamp", &given.timestamp),
        ("signature", &given.signature),
    ];
    if !given.request_id.is_empty() && !given.signature.is_empty() {
        for (name, value) in signed {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
    }
    response
}
