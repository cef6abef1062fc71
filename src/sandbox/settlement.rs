//! The settlement file DOKU sends when it pays out: nine summary rows, an empty line, one row a payment.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use super::chain;
use super::model::Model;
use super::record::{Order, PaymentTaken};
use crate::domain::calendar::wib_date;
use crate::domain::channel::Channel;

/// Working days from the payment to the payout.
const PAYOUT_DAYS: u8 = 4;

/// VAT on DOKU's fee, in percent.
const VAT_PERCENT: u64 = 11;

/// The two layouts that were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Sixteen columns after an empty line.
    Current,
    /// `No` and fifteen columns, without `SUB ACCOUNT` and without the empty line.
    Old,
}

/// One payment in a settlement.
struct Row<'a> {
    order: &'a Order,
    payment: &'a PaymentTaken,
    fee: u64,
    net: u64,
    payout: Date,
}

/// What DOKU keeps of one payment, VAT included, in rupiah: Alfa 5,550, Indomaret 7,215.
#[must_use]
pub fn fee(channel: Channel) -> u64 {
    let net = chain::of(channel).fee_rupiah;
    net.saturating_add(net.saturating_mul(VAT_PERCENT) / 100)
}

/// The day a payment of `paid_at` is paid out: so many working days after its WIB day. Holidays are not known here.
#[must_use]
pub fn payout_date(paid_at: Timestamp) -> Date {
    let mut date = wib_date(paid_at);
    let mut left = PAYOUT_DAYS;
    while left > 0 {
        let Ok(next) = date.tomorrow() else { break };
        date = next;
        if !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left = left.saturating_sub(1);
        }
    }
    date
}

impl Model {
    /// The settlement of one payout day, or of everything paid so far. A file without payments has its summary and header too.
    #[must_use]
    pub fn settlement(&self, payout: Option<Date>, layout: Layout) -> String {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for order in self.orders() {
            for payment in order.payments.iter().filter(|payment| payment.status == "SUCCESS") {
                let fee = fee(order.channel);
                let net = payment.amount.saturating_sub(fee);
                rows.push(Row { order, payment, fee, net, payout: payout_date(payment.paid_at) });
            }
        }
        rows.retain(|row| payout.is_none_or(|date| date == row.payout));
        rows.sort_by(|a, b| (a.payment.paid_at, &a.payment.transaction_id).cmp(&(b.payment.paid_at, &b.payment.transaction_id)));
        let day = payout.map_or_else(|| "all".to_owned(), |date| date.strftime("%Y%m%d").to_string());
        let batch = format!("B-{}-SBS-{day}", self.settings().client_id);
        let mut text = summary(&rows, &batch);
        if layout == Layout::Current {
            text.push('\n');
        }
        table(&mut text, &rows, layout);
        text
    }
}

fn summary(rows: &[Row<'_>], batch: &str) -> String {
    let total = |of: fn(&Row<'_>) -> u64| rows.iter().map(of).fold(0, u64::saturating_add);
    let lines = [
        ("Total Amount Purchase_", total(|row| row.payment.amount).to_string()),
        ("Total Fee_", total(|row| row.fee).to_string()),
        ("Total Purchase_", rows.len().to_string()),
        ("Total Amount Refund_", "0".into()),
        ("Total Refund_", "0".into()),
        ("Total Settlement Amount_", total(|row| row.net).to_string()),
        ("Total Discount_", "0".into()),
        ("Total Transactions_", rows.len().to_string()),
        ("Batch ID_", batch.into()),
    ];
    lines.map(|(label, value)| format!("{label},{}\n", cell(&value))).concat()
}

fn table(text: &mut String, rows: &[Row<'_>], layout: Layout) {
    let (first, last) = match layout {
        Layout::Current => ("NO", ",SUB ACCOUNT"),
        Layout::Old => ("No", ""),
    };
    text.push_str(first);
    text.push_str(",MERCHANT NAME,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,CUSTOMER NAME,REPORT CODE,AMOUNT,RECON CODE,FEE,");
    text.push_str("DISCOUNT,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,PROMO CODE");
    text.push_str(last);
    text.push('\n');
    for (number, row) in (1_u64..).zip(rows) {
        let code = row.order.payment_code.as_str();
        let day = |date: Date| date.strftime("%d-%m-%Y").to_string();
        let cells = [
            number.to_string(),
            "Sandbox Merchant".into(),
            chain::of(row.order.channel).settled_as.into(),
            day(wib_date(row.payment.paid_at)),
            row.order.invoice_number.to_string(),
            row.order.till.customer_name().unwrap_or("Customer").into(),
            code.into(),
            row.payment.amount.to_string(),
            code.into(),
            row.fee.to_string(),
            "0".into(),
            row.net.to_string(),
            day(row.payout),
            "Purchase".into(),
            String::new(),
        ];
        text.push_str(&cells.map(|text| cell(&text)).join(","));
        text.push_str(if layout == Layout::Current { ",\n" } else { "\n" });
    }
}

/// A cell of CSV, in quotes where it has to be.
fn cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
