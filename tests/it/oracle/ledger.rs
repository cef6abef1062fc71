//! The naive reader of an external ledger: one bill a row, or `None` for a row that cannot be one.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::evidence::{Moment, digits};

#[derive(Clone, Debug)]
pub(crate) struct Bill {
    pub invoice: String,
    /// Empty for a bill that was never issued.
    pub code: String,
    pub channel: String,
    pub amount: u64,
    pub reusable: bool,
    pub created: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    pub cancelled: Option<Timestamp>,
    /// The ledger says paid: at an instant, or without saying when.
    pub paid: Option<Option<Timestamp>>,
    pub paid_amount: Option<u64>,
    pub history: Vec<u64>,
    pub group: String,
    /// The state of its policy, where the ledger gives one without a time.
    pub policy: String,
    /// What only our own ledger says.
    pub own: Own,
}

/// What our own ledger says of a bill beyond its terms; nothing, for a row of an external one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    /// The other number its code goes by at DOKU, or empty.
    pub wire: String,
    /// The number under which a code nobody knows yet may exist, or empty.
    pub open: String,
    /// Its issue is on its way or in doubt.
    pub in_doubt: bool,
    /// When the ledger first heard of it.
    pub planned: Option<Timestamp>,
    /// DOKU said that its code is dead.
    pub retired: bool,
    /// DOKU's expiry is another than asked for.
    pub otherwise: bool,
    /// Number and code of the code it holds or held last, as DOKU answered them.
    pub held: Option<(String, String)>,
    /// Codes it had before the present one.
    pub former: Vec<Former>,
    /// The states of its policy, each with when (in seconds) it was recorded.
    pub policies: Vec<(i64, &'static str)>,
    /// Payments that were ingested before this run.
    pub ingested: Vec<Ingested>,
}

/// A code that was replaced, and what held for it.
#[derive(Clone, Debug)]
pub(crate) struct Former {
    pub wire: String,
    pub code: String,
    pub created: Option<Timestamp>,
    pub expires: Option<Timestamp>,
}

/// A payment the ledger knows.
#[derive(Clone, Debug)]
pub(crate) struct Ingested {
    pub identity: Vec<String>,
    pub canonical: Vec<String>,
    pub moment: Moment,
    pub date: Timestamp,
    pub amount: u64,
}

impl Bill {
    /// Whether it goes by this invoice number.
    pub(crate) fn is_named(&self, invoice: &str) -> bool {
        let former = self.own.former.iter().map(|former| &former.wire);
        [&self.invoice, &self.own.wire, &self.own.open].into_iter().chain(former).any(|number| *number == invoice)
    }

    /// Whether it goes by this number and this code.
    pub(crate) fn is_pair(&self, invoice: &str, code: &str) -> bool {
        (self.is_named(invoice) && (self.code == code || self.replaced(code).is_some()))
            || (!invoice.is_empty() && self.own.open == invoice)
    }
}

impl Bill {
    /// The code as it was before the bill got another one.
    pub(crate) fn replaced(&self, code: &str) -> Option<&Former> {
        self.own.former.iter().find(|former| former.code == code && self.code != code)
    }
}

pub(crate) fn read(text: &str) -> Vec<Option<Bill>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|row| read_row(&header, row)).collect()
}

fn read_row(header: &[&str], row: &str) -> Option<Bill> {
    let cells: Vec<&str> = row.split(',').map(str::trim).collect();
    if cells.len() != header.len() {
        return None;
    }
    let cell = |name: &str| header.iter().position(|column| *column == name).map_or("", |at| cells[at]);
    let status = cell("status").to_uppercase();
    let (invoice, code, channel) = (cell("invoice_number"), cell("payment_code"), cell("channel").to_lowercase());
    let (cancelled, expires, paid_at) =
        (instant(cell("cancelled_at"), false)?, instant(cell("expires_at"), true)?, instant(cell("paid_at"), false)?);
    let sound = !invoice.is_empty()
        && invoice.len() <= 64
        && (code.is_empty() || (digits(code) && code.len() <= 20))
        && ["alfa", "indomaret"].contains(&channel.as_str())
        && ["ACTIVE", "PAID", "CANCELLED", "EXPIRED"].contains(&status.as_str())
        && (status != "CANCELLED" || cancelled.is_some())
        && (status != "EXPIRED" || expires.is_some());
    if !sound {
        return None;
    }
    Some(Bill {
        invoice: invoice.to_owned(),
        code: code.to_owned(),
        channel,
        amount: amount(cell("amount"))?,
        reusable: match cell("reusable").to_lowercase().as_str() {
            "true" | "1" | "yes" => true,
            "false" | "0" | "no" | "" => false,
            _ => return None,
        },
        created: instant(cell("created_at"), false)?,
        expires,
        cancelled,
        paid: (status == "PAID" || paid_at.is_some()).then_some(paid_at),
        paid_amount: if cell("paid_amount").is_empty() { None } else { Some(amount(cell("paid_amount"))?) },
        history: cell("amount_history").split(';').filter(|text| !text.is_empty()).map(amount).collect::<Option<_>>()?,
        group: cell("bill_group").to_owned(),
        policy: cell("policy_status").to_owned(),
        own: Own::default(),
    })
}

fn amount(text: &str) -> Option<u64> {
    digits(text).then(|| text.parse().ok()).flatten().filter(|amount| (1..=999_999_999_999).contains(amount))
}

/// RFC 3339; without an offset WIB; a bare date its first second in WIB, or its last if it is an end. The outer `None` is
/// an unreadable cell, the inner one an empty cell.
fn instant(text: &str, is_end: bool) -> Option<Option<Timestamp>> {
    if text.is_empty() {
        return Some(None);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Some(at));
    }
    let civil: DateTime = if text.len() == 10 {
        let date: Date = text.parse().ok()?;
        if is_end { date.at(23, 59, 59, 0) } else { date.at(0, 0, 0, 0) }
    } else {
        text.parse().ok()?
    };
    let zoned = civil.to_zoned(TimeZone::fixed(Offset::constant(7))).ok()?;
    Some(Some(zoned.timestamp()))
}
