//! What DOKU shows of an order: Check Status, the how-to-pay page and its JSON.

use jiff::Timestamp;

use super::reception::{Draft, Seal};
use super::record::Order;
use super::wire::{self, Id, Identifier, PaymentPart, StatusAnswer, StatusInfo, StatusOrder, Transaction};
use crate::domain::calendar::{format_compact_wib, format_utc_seconds, wib};
use crate::domain::channel::Channel;

/// The body of a Check Status answer. As in DOKU's sample it holds no payment code, and `original_request_id` is the invoice.
pub(super) fn status(order: &Order, now: Timestamp) -> Vec<u8> {
    let paid = order.payments.iter().rev().find(|payment| payment.status == "SUCCESS");
    let invoice_number = order.invoice_number.as_str();
    wire::json(&StatusAnswer {
        order: StatusOrder { invoice_number, amount: paid.map_or(order.amount.get(), |payment| payment.amount) },
        transaction: Transaction {
            status: order.status(now),
            date: format_utc_seconds(paid.map_or(order.created_at, |payment| payment.paid_at)),
            original_request_id: invoice_number,
        },
        service: Id { id: "ONLINE_TO_OFFLINE" },
        acquirer: Id { id: order.channel.acquirer_id() },
        channel: Id { id: order.channel.doku_id() },
        online_to_offline_info: StatusInfo {
            created_date: format_compact_wib(order.created_at),
            expired_date: format_compact_wib(order.expires_at),
            reusable_status: order.reusable.to_string(),
        },
        online_to_offline_payment: paid.map(|payment| PaymentPart {
            identifier: vec![
                Identifier { name: "AGENT_ID", value: &payment.agent_id },
                Identifier { name: "AGENT_STORE_ID", value: &payment.store_id },
                Identifier { name: "AGENT_TRX_ID", value: &payment.transaction_id },
            ],
        }),
    })
}

const fn counter(channel: Channel) -> &'static str {
    match channel {
        Channel::Alfa => "Alfamart, Alfamidi, Alfa Express, Lawson or DAN+DAN",
        Channel::Indomaret => "Indomaret",
    }
}

fn steps(order: &Order) -> [String; 5] {
    [
        format!("Go to the nearest {} counter before the code expires", counter(order.channel)),
        "Tell the cashier that you want to pay for DOKU".into(),
        format!("Show the payment code {}", order.payment_code),
        format!("Check the amount and pay Rp {}", grouped(order.amount.get())),
        "Keep the receipt as your proof of payment".into(),
    ]
}

/// The how-to-pay page or its JSON, unsigned; 404 without an order.
pub(super) fn draft(order: Option<&Order>, json: bool, now: Timestamp) -> Draft {
    let (status, body) = match order {
        Some(order) if json => (200, instructions(order)),
        Some(order) => (200, html(order, now)),
        None => (404, wire::error("Payment code not found")),
    };
    let mut draft = Draft::new(status, body, "", "", now);
    draft.seal = Seal::Absent;
    if !json && status == 200 {
        draft.content_type = "text/html; charset=utf-8";
    }
    draft
}

/// The JSON a merchant builds its own how-to-pay page from.
fn instructions(order: &Order) -> Vec<u8> {
    wire::json(&serde_json::json!({ "payment_instruction": [{ "channel": order.channel.acquirer_id(), "step": steps(order) }] }))
}

/// The how-to-pay page.
fn html(order: &Order, now: Timestamp) -> Vec<u8> {
    let items = steps(order).map(|step| format!("<li>{}</li>", escaped(&step))).concat();
    let expiry = order.expires_at.to_zoned(wib()).strftime("%d %b %Y, %H:%M WIB");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>How to pay at {chain}</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;color:#1d2433}}\
         .card{{border:1px solid #d5dbe6;border-radius:12px;padding:1rem 1.5rem}}\
         .code{{font:700 1.7rem/1.3 ui-monospace,monospace;letter-spacing:.08em;overflow-wrap:anywhere}}\
         small{{color:#5b6577}}</style>\n</head>\n<body>\n<h1>How to pay at {chain}</h1>\n\
         <div class=\"card\"><small>Payment code</small><div class=\"code\">{code}</div>\
         <p>Amount: <b>Rp {amount}</b><br>Pay before: <b>{expiry}</b><br>Status: <b>{status}</b></p></div>\n\
         <ol>{items}</ol>\n<small>This is a rehearsal page of the sandbox; no money moves.</small>\n</body>\n</html>\n",
        chain = counter(order.channel),
        code = order.payment_code,
        amount = grouped(order.amount.get()),
        status = order.status(now),
    )
    .into_bytes()
}

/// `1234567` → `1.234.567`, as rupiah are written.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(String::from_utf8_lossy).collect::<Vec<_>>().join(".")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
