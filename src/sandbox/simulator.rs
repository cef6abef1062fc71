//! The payment simulator: pages with plain forms, on which a person enters a code, sees what the till shows, pays, and watches the
//! notifications. Every POST ends in a redirect, so that reloading a page pays nothing twice.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;

use super::form::{Form, percent_decoded, percent_encoded};
use super::http::{HttpAnswer, Request};
use super::model::Model;
use super::outbox::{Delivery, DeliveryState};
use super::payment::{PaymentScript, Quirk};
use super::question::{Inquiry, InquiryQuirk};
use super::record::Order;
use super::shared::Shared;
use super::{counter, guard, page, view};
use crate::domain::channel::IssuanceMethod;

/// Most orders on the list.
const ORDERS_MAX: usize = 50;

/// What the list can be narrowed to: the words of [`view::state_words`].
const STATES: [&str; 4] = ["waiting for payment", "paid", "expired", "cancelled"];

/// What may be unusual about a payment: a quirk as the control endpoint takes it, and what it means.
const QUIRKS: [(&str, &str); 15] = [
    ("", "Nothing: paid and notified"),
    (r#""lost""#, "The notification is lost for ever"),
    (r#""duplicated""#, "Notified twice at once"),
    (r#""held_back""#, "The notification is overtaken by the next one"),
    (r#""forged_beside""#, "A forged notification goes out beside it"),
    (r#""failed_first""#, "A FAILED attempt first, then SUCCESS"),
    (r#"{"status":"FAILED"}"#, "The payment fails"),
    (r#"{"status":"PENDING"}"#, "The payment stays pending"),
    (r#""forged""#, "No money: only a forged notification"),
    (r#""unsigned""#, "The notification has no signature"),
    (r#""tampered""#, "The amount is changed after signing"),
    (r#""amount_as_string""#, "The amount is written as a text"),
    (r#""amount_as_decimal""#, "The amount is written with decimals"),
    (r#""without_invoice""#, "The notification names no invoice"),
    (r#""wrong_channel""#, "The notification names the other chain"),
];

const INQUIRY_QUIRKS: [(InquiryQuirk, &str, &str); 8] = [
    (InquiryQuirk::CodeAsNumber, "code_as_number", "The code as a number"),
    (InquiryQuirk::WithoutIdentifiers, "without_identifiers", "No identifiers"),
    (InquiryQuirk::MisspeltIdentifiers, "misspelt_identifiers", "Identifiers misspelt"),
    (InquiryQuirk::ExtraFields, "extra_fields", "Fields nobody announced"),
    (InquiryQuirk::SameId, "same_id", "The last inquiry's Request-Id again"),
    (InquiryQuirk::Stale, "stale", "Ten minutes old"),
    (InquiryQuirk::Forged, "forged", "Signed with another key"),
    (InquiryQuirk::Unsigned, "unsigned", "Without a signature"),
];

/// One order on the list.
struct OrderRow {
    path: String,
    invoice_number: String,
    code: String,
    amount: String,
    channel: &'static str,
    state: &'static str,
    tone: &'static str,
    created: String,
}

#[derive(Template)]
#[template(path = "sandbox/templates/simulator.html")]
struct ListPage {
    notification_url: Option<String>,
    inquiry_url: Option<String>,
    inquiry_quirks: Vec<(&'static str, &'static str)>,
    problem: Option<&'static str>,
    search: String,
    /// Each state, and whether the list is narrowed to it.
    states: [(&'static str, bool); 4],
    rows: Vec<OrderRow>,
    found: usize,
    total: usize,
}

/// One attempt at a delivery.
struct AttemptRow {
    at: String,
    stamped: String,
    outcome: String,
}

/// One delivery below an order.
struct DeliveryRow {
    number: usize,
    note: Option<String>,
    state: &'static str,
    tone: &'static str,
    next: Option<String>,
    attempts: Vec<AttemptRow>,
}

#[derive(Template)]
#[template(path = "sandbox/templates/order.html")]
struct OrderPage {
    invoice_number: String,
    code: String,
    code_plain: String,
    amount: String,
    amount_plain: u64,
    channel: &'static str,
    made_by: &'static str,
    state: &'static str,
    tone: &'static str,
    is_payable: bool,
    is_inquired: bool,
    expiry: String,
    customer: Option<String>,
    lines: Vec<(&'static str, String)>,
    payments: Vec<(String, String, String, String)>,
    deliveries: Vec<DeliveryRow>,
    quirks: [(&'static str, &'static str); 15],
    how_to_pay: String,
    notice: Option<(&'static str, &'static str)>,
    is_moving: bool,
}

#[derive(Template)]
#[template(path = "sandbox/templates/inquiry.html")]
struct InquiryPage {
    code: String,
    answered: String,
    inquiry: Inquiry,
    verdict: &'static str,
}

/// Whether a path is one of the simulator's.
pub(super) fn is_page(target: &str) -> bool {
    target == "/" || target == "/simulator" || target.starts_with("/simulator/")
}

/// Answers a page's request.
pub(super) async fn answer(shared: &Arc<Shared>, request: &Request) -> HttpAnswer {
    if let Err(stranger) = guard::check(request) {
        return plain(403, &stranger.to_string());
    }
    let target = request.target();
    match (request.method.as_str(), target) {
        ("GET", "/") => see("/simulator"),
        ("GET", "/simulator") => list(shared, &Form::of_query(&request.path)),
        ("GET", _) if view::asset(target).is_some() => view::asset(target).unwrap_or_default(),
        ("GET", _) => shown(shared, target, &Form::of_query(&request.path)),
        ("POST", "/simulator/enter") => enter(shared, &form(request)).await,
        ("POST", "/simulator/pay") => pay(shared, &form(request)),
        ("POST", "/simulator/resend") => resend(shared, &form(request)),
        _ => plain(404, "there is no such page"),
    }
}

fn form(request: &Request) -> Form {
    Form::read(&String::from_utf8_lossy(&request.body))
}

fn plain(status: u16, text: &str) -> HttpAnswer {
    let headers = vec![("Content-Type".into(), "text/plain; charset=utf-8".into())];
    HttpAnswer { status, headers, body: format!("{text}\n").into() }
}

/// 303: the browser fetches `path`, and reloading repeats only that.
fn see(path: &str) -> HttpAnswer {
    HttpAnswer { status: 303, headers: vec![("Location".into(), path.into())], ..HttpAnswer::default() }
}

fn code_path(code: &str) -> String {
    format!("/simulator/code/{}", percent_encoded(code))
}

fn list(shared: &Shared, query: &Form) -> HttpAnswer {
    let now = shared.clock.now();
    let search = query.get("search").unwrap_or_default();
    let state = STATES.into_iter().find(|state| query.get("state") == Some(state)).unwrap_or_default();
    let digits: String = search.split_whitespace().collect();
    let model = shared.model();
    let wanted = |order: &&Order| {
        let is_found = order.invoice_number.as_str().contains(search) || order.payment_code.as_str().contains(&digits);
        is_found && (state.is_empty() || view::state_words(order, now) == state)
    };
    let found: Vec<&Order> = model.orders().iter().rev().filter(wanted).collect();
    let rows = found.iter().take(ORDERS_MAX).map(|order| row(order, now)).collect();
    view::page(
        200,
        &ListPage {
            notification_url: shared.notification_url.as_ref().map(ToString::to_string),
            inquiry_url: shared.inquiry_url.as_ref().map(ToString::to_string),
            inquiry_quirks: INQUIRY_QUIRKS.map(|(_, value, label)| (value, label)).to_vec(),
            problem: match query.get("problem") {
                Some("unknown") => Some("No order has this code, and nobody is asked about it."),
                Some("empty") => Some("Enter a payment code: digits, with or without blanks."),
                Some(_) => Some("That could not be done."),
                None => None,
            },
            search: search.into(),
            states: STATES.map(|other| (other, other == state)),
            rows,
            found: found.len(),
            total: model.orders().len(),
        },
    )
}

fn row(order: &Order, now: Timestamp) -> OrderRow {
    OrderRow {
        path: code_path(order.payment_code.as_str()),
        invoice_number: order.invoice_number.to_string(),
        code: view::code_groups(order.payment_code.as_str()),
        amount: view::rupiah(order.amount.get()),
        channel: order.channel.name(),
        state: view::state_words(order, now),
        tone: view::tone(order.status(now)),
        created: view::wib_short(order.created_at),
    }
}

/// The page of a code or of an inquiry.
fn shown(shared: &Shared, target: &str, query: &Form) -> HttpAnswer {
    let model = shared.model();
    let now = shared.clock.now();
    if let Some(code) = target.strip_prefix("/simulator/code/") {
        let order = model.order_of_code(&percent_decoded(code));
        return order.map_or_else(|| see("/simulator?problem=unknown"), |order| view::page(200, &order_page(&model, order, query, now)));
    }
    let number = target.strip_prefix("/simulator/inquiry/").and_then(|number| number.parse::<usize>().ok());
    let inquiry = number.and_then(|number| model.inquiries().get(number.checked_sub(1)?));
    inquiry.map_or_else(
        || plain(404, "there is no such page"),
        |inquiry| {
            let (code, answered) = (view::code_groups(&inquiry.payment_code), view::wib_short(inquiry.at));
            view::page(200, &InquiryPage { code, answered, verdict: verdict(inquiry), inquiry: inquiry.clone() })
        },
    )
}

/// What the till shows when an inquiry ends without a bill.
fn verdict(inquiry: &Inquiry) -> &'static str {
    if inquiry.problem.is_some() {
        return "The merchant's answer is not in order";
    }
    match inquiry.status.as_deref() {
        Some("success") => "The bill can be paid",
        Some("billing_already_paid") => "The bill is paid already",
        Some("billing_was_expired") => "The bill can no longer be paid",
        Some("billing_not_found") => "The merchant knows no bill with this code",
        Some("invalid_signature") => "The merchant does not accept the inquiry's signature",
        _ => "The merchant declines",
    }
}

fn order_page(model: &Model, order: &Order, query: &Form, now: Timestamp) -> OrderPage {
    let payments = order.payments.iter().map(|payment| {
        let counter = format!("{} {}", payment.agent_id, payment.store_id);
        (view::wib_short(payment.paid_at), view::rupiah(payment.amount), payment.status.clone(), counter)
    });
    OrderPage {
        invoice_number: order.invoice_number.to_string(),
        code: view::code_groups(order.payment_code.as_str()),
        code_plain: order.payment_code.to_string(),
        amount: view::rupiah(order.amount.get()),
        amount_plain: order.amount.get(),
        channel: order.channel.name(),
        made_by: match order.method {
            IssuanceMethod::Doku => "DOKU",
            IssuanceMethod::Merchant => "the merchant, registered",
            IssuanceMethod::Inquiry => "the merchant, who is asked",
        },
        state: view::state_words(order, now),
        tone: view::tone(order.status(now)),
        is_payable: order.is_payable(now),
        is_inquired: model.is_inquired(order.payment_code.as_str()),
        expiry: view::wib_short(order.expires_at),
        customer: order.till.customer_name().map(Into::into),
        lines: order.till.lines().into_iter().map(|(label, text)| (label, text.to_owned())).collect(),
        payments: payments.collect(),
        is_moving: is_moving(model, order, now),
        deliveries: deliveries(model, order),
        quirks: QUIRKS,
        how_to_pay: page::how_to_pay_path(order),
        notice: notice(query),
    }
}

/// The deliveries of an order's notifications, also of one that does not name its invoice.
fn about<'a>(model: &'a Model, order: &'a Order) -> impl Iterator<Item = &'a Delivery> {
    let (invoice, code) = (order.invoice_number.as_str(), order.payment_code.as_str());
    model
        .deliveries()
        .iter()
        .filter(move |delivery| delivery.invoice_number == invoice || (delivery.payment_code == code && delivery.invoice_number.is_empty()))
}

/// Whether an attempt is under way or about to be made, so that the page is worth loading again.
fn is_moving(model: &Model, order: &Order, now: Timestamp) -> bool {
    let soon = |at: Timestamp| at.duration_since(now).as_secs() < 60;
    about(model, order).any(|delivery| delivery.state == DeliveryState::UnderWay || delivery.next_at.is_some_and(soon))
}

fn deliveries(model: &Model, order: &Order) -> Vec<DeliveryRow> {
    let one = |delivery: &Delivery| DeliveryRow {
        number: delivery.number,
        note: match delivery.resend_of {
            Some(original) => Some(format!("sent again by hand, after no. {original}")),
            None => delivery.note.map(Into::into),
        },
        state: delivery.state.words(),
        tone: match delivery.state {
            DeliveryState::Confirmed => "good",
            DeliveryState::Waiting | DeliveryState::UnderWay => "open",
            DeliveryState::GivenUp | DeliveryState::Lost => "bad",
            DeliveryState::NotPosted => "off",
        },
        next: delivery.next_at.map(view::wib_short),
        attempts: delivery
            .attempts
            .iter()
            .filter(|attempt| attempt.url.is_some())
            .map(|attempt| AttemptRow {
                at: view::wib_short(attempt.at),
                stamped: view::utc(attempt.sent_at),
                outcome: attempt.outcome.clone(),
            })
            .collect(),
    };
    about(model, order).map(one).collect()
}

/// What the page says of the form that led to it: (tone, text).
fn notice(query: &Form) -> Option<(&'static str, &'static str)> {
    match query.get("notice")? {
        "paid" => Some(("good", "Done. The counter has taken the payment.")),
        "resent" => Some(("good", "The notification was sent again.")),
        "refused" => Some(("bad", "The counter refuses: the code is not payable at that time.")),
        "amount" => Some(("bad", "The amount must be whole rupiah in digits, with or without dots.")),
        "time" => Some(("bad", "The time could not be read.")),
        "forged" => Some(("bad", "DOKU did not send that notification and cannot send it again.")),
        _ => Some(("bad", "That could not be done.")),
    }
}

/// A code was typed at the till.
async fn enter(shared: &Arc<Shared>, form: &Form) -> HttpAnswer {
    let code: String = form.get("payment_code").unwrap_or_default().split_whitespace().collect();
    if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return see("/simulator?problem=empty");
    }
    let named = |value: &str| INQUIRY_QUIRKS.iter().find(|(_, name, _)| *name == value).map(|(quirk, _, _)| *quirk);
    let quirks: Vec<InquiryQuirk> = form.all("inquiry_quirk").filter_map(named).collect();
    match counter::inquire(shared, &code, &quirks).await {
        Some(inquiry) if !inquiry.is_payable() => see(&format!("/simulator/inquiry/{}", inquiry.number)),
        _ => see(&code_path(&code)),
    }
}

/// The pay button.
fn pay(shared: &Arc<Shared>, form: &Form) -> HttpAnswer {
    let code = form.get("payment_code").unwrap_or_default();
    let told = |notice: &str| see(&format!("{}?notice={notice}", code_path(code)));
    let amount = form.get("amount").map(|text| text.trim_start_matches("Rp").replace('.', "").trim().parse::<u64>());
    let Ok(amount) = amount.transpose() else { return told("amount") };
    let paid_at = form.get("paid_at").map(|text| view::read_wib_field(text).ok_or(()));
    let Ok(paid_at) = paid_at.transpose() else { return told("time") };
    let chosen = form.get("quirk").map(serde_json::from_str::<Quirk>);
    let Ok(chosen) = chosen.transpose() else { return told("quirk") };
    let anyway = form.get("anyway").map(|_| Quirk::Anyway);
    let script = PaymentScript {
        paid_at: paid_at.unwrap_or_else(|| shared.clock.now()),
        sent_at: None,
        amount,
        quirks: chosen.into_iter().chain(anyway).collect(),
    };
    match counter::pay(shared, code, &script) {
        Ok(_) => told("paid"),
        Err(counter::CounterError::Refused(_)) => told("refused"),
        Err(error) => {
            tracing::error!(%error, "a payment on the page failed");
            told("failed")
        }
    }
}

/// The resend button.
fn resend(shared: &Arc<Shared>, form: &Form) -> HttpAnswer {
    let code = form.get("payment_code").unwrap_or_default();
    let number = form.get("delivery").and_then(|number| number.parse().ok()).unwrap_or_default();
    let notice = match counter::resend(shared, number) {
        Ok(_) => "resent",
        Err(counter::CounterError::Resend(_)) => "forged",
        Err(_) => "failed",
    };
    see(&format!("{}?notice={notice}#deliveries", code_path(code)))
}
