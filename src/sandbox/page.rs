//! What DOKU shows of an order without being asked by signature: Check Status's body, the how-to-pay page and its JSON.

use askama::Template;
use jiff::Timestamp;

use super::chain;
use super::reception::{Draft, PageAsked, Seal};
use super::record::Order;
use super::view::{self, code_groups, rupiah};
use super::wire::{self, Id, Identifier, PaymentPart, StatusAnswer, StatusInfo, StatusOrder, Transaction};
use crate::domain::calendar::{format_compact_wib, format_utc_seconds};
use crate::domain::language::Language;

/// Where the how-to-pay page of an order is.
pub(super) fn how_to_pay_path(order: &Order) -> String {
    format!("/how-to-pay/v2/{}-online-to-offline/{}", order.channel.name(), order.payment_code)
}

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

/// The how-to-pay page or its JSON, unsigned; 404 without an order of that channel.
pub(super) fn draft(order: Option<&Order>, asked: &PageAsked, now: Timestamp) -> Draft {
    let (status, body) = match order.filter(|order| order.channel == asked.channel) {
        Some(order) if asked.is_json => (200, instructions(order, asked.language)),
        Some(order) => (200, html(order, asked.language, now)),
        None => (404, wire::error("Payment code not found")),
    };
    let mut draft = Draft::new(status, body, "", "", now);
    draft.seal = Seal::Absent;
    if !asked.is_json && status == 200 {
        draft.content_type = view::HTML;
    }
    draft
}

fn steps(order: &Order, language: Language) -> [String; 5] {
    let (counters, code, amount) =
        (chain::of(order.channel).counters_in(language), code_groups(order.payment_code.as_str()), rupiah(order.amount.get()));
    let expiry = view::wib_words(order.expires_at, language);
    match language {
        Language::English => [
            format!("Go to the nearest counter of {counters} before {expiry}."),
            "Tell the cashier that you want to make a payment through DOKU.".into(),
            format!("Show or read out the payment code {code}."),
            format!("Check the name and the amount, then pay exactly {amount}."),
            "Keep the receipt: it is your proof of payment.".into(),
        ],
        Language::Indonesian => [
            format!("Datang ke gerai {counters} terdekat sebelum {expiry}."),
            "Sampaikan kepada kasir bahwa Anda ingin melakukan pembayaran melalui DOKU.".into(),
            format!("Tunjukkan atau sebutkan kode pembayaran {code}."),
            format!("Periksa nama dan jumlahnya, lalu bayar tepat {amount}."),
            "Simpan struk sebagai bukti pembayaran.".into(),
        ],
    }
}

/// The JSON a merchant builds its own how-to-pay page from.
fn instructions(order: &Order, language: Language) -> Vec<u8> {
    let step = steps(order, language);
    wire::json(&serde_json::json!({ "payment_instruction": [{ "channel": order.channel.acquirer_id(), "step": step }] }))
}

/// The words of the page around the steps.
struct Words {
    title: String,
    code: &'static str,
    amount: &'static str,
    before: &'static str,
    state: &'static str,
    steps: &'static str,
    rehearsal: &'static str,
}

fn words(order: &Order, language: Language, now: Timestamp) -> Words {
    let status = order.status(now);
    match language {
        Language::English => Words {
            title: format!("How to pay at {}", chain::of(order.channel).name),
            code: "Payment code",
            amount: "Amount",
            before: "Pay before",
            state: match status {
                "SUCCESS" => "Paid",
                "PENDING" => "Waiting for payment",
                _ => "No longer payable",
            },
            steps: "At the counter",
            rehearsal: "A page of the sandbox: no money moves.",
        },
        Language::Indonesian => Words {
            title: format!("Cara bayar di {}", chain::of(order.channel).name),
            code: "Kode pembayaran",
            amount: "Jumlah",
            before: "Bayar sebelum",
            state: match status {
                "SUCCESS" => "Lunas",
                "PENDING" => "Menunggu pembayaran",
                _ => "Tidak dapat dibayar lagi",
            },
            steps: "Di gerai",
            rehearsal: "Halaman latihan sandbox: tidak ada uang yang berpindah.",
        },
    }
}

#[derive(Template)]
#[template(path = "sandbox/templates/how_to_pay.html")]
struct HowToPay {
    language: Language,
    words: Words,
    code: String,
    amount: String,
    expiry: String,
    tone: &'static str,
    steps: [String; 5],
}

fn html(order: &Order, language: Language, now: Timestamp) -> Vec<u8> {
    let page = HowToPay {
        language,
        words: words(order, language, now),
        code: code_groups(order.payment_code.as_str()),
        amount: rupiah(order.amount.get()),
        expiry: view::wib_words(order.expires_at, language),
        tone: view::tone(order.status(now)),
        steps: steps(order, language),
    };
    page.render().unwrap_or_default().into_bytes()
}
