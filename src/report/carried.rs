//! What one period hands to the next: the list of outstanding codes, the money held, and the balances that sum them up. Read
//! back, every list is held against its digest and its balance, and these against their hash.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::atomic::FileWriter;
use super::manifest::{self, ReportFile};
use super::reconciled_report::Report;
use crate::columns::stored::Stored;
use crate::columns::{Column, Format};
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::channel::Channel;
use crate::domain::digest::{self, Digest};
use crate::domain::spreadsheet::unescaped;
use crate::reconcile::DigestSum;
use crate::reconcile::month::{Closing, MonthResult, Opening, OpeningFrom, OutstandingItem, SuspenseItem};

/// Its name in the output folder.
const OUTSTANDING: &str = "outstanding.parquet";
/// Its name in the output folder.
const SUSPENSE: &str = "suspense.csv";

const COLUMNS: [Column<'static, OutstandingItem>; 4] = [
    Column::foreign("invoice_number", |item| (&item.invoice_number).into()),
    Column::foreign("payment_code", |item| (&item.payment_code).into()),
    Column::text("channel", |item| item.channel.name().into()),
    Column::rupiah("amount", |item| item.amount.into()),
];

/// Writes the codes outstanding at the end of the period, by their ids.
pub(super) fn outstanding(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let items = report.month.outstanding.iter().map(|&item| MonthResult::outstanding_item(report.outcome, item));
    format.write(&COLUMNS, items, writer)
}

/// What stands in an earlier report's summary.json, as far as the next period is carried on from it.
#[derive(Debug, Deserialize)]
struct Summary {
    run_id: String,
    files: Vec<ReportFile>,
    month: Figures,
}

#[derive(Debug, Deserialize)]
struct Figures {
    closing: Closing,
    closing_hash: String,
}

/// Reads the balances an earlier report closed with, and everything behind them.
///
/// # Errors
/// When the folder holds no whole report of ours, or one that was changed.
pub fn read_opening(folder: &Path) -> io::Result<Opening> {
    let wrong = |what: &str| io::Error::other(what.to_owned());
    let summary: Summary = serde_json::from_slice(&manifest::summary(folder)?)?;
    let Figures { closing, closing_hash } = summary.month;
    if closing.hash() != closing_hash {
        return Err(wrong("the closing balances in summary.json are not those their hash was made of"));
    }
    let outstanding = read_outstanding(folder, &summary.files)?;
    let listed: Balance = outstanding.iter().map(|item| Balance::one(item.amount)).sum();
    if sum(outstanding.iter().map(OutstandingItem::digest)) != closing.outstanding_digest || listed != closing.outstanding_codes {
        return Err(wrong("outstanding.parquet is not the list its balance was made of"));
    }
    // Where there are books, their carry holds what was in suspense.
    let held = if closing.books_hash.is_some() { Vec::new() } else { read_held(folder, &closing)? };
    let (from, to, run_id) = (closing.from, closing.to, summary.run_id);
    Ok(Opening {
        from: OpeningFrom { from, to, run_id, hash: closing_hash, signed: false },
        codes: closing.outstanding_codes,
        books: closing.books_hash,
        outstanding,
        held,
    })
}

/// The money an older report held, against its digest and its balance.
fn read_held(folder: &Path, closing: &Closing) -> io::Result<Vec<SuspenseItem>> {
    let held = read_suspense(&folder.join(SUSPENSE))?;
    let listed: Balance = held.iter().map(|item| Balance::one(item.amount)).sum();
    if sum(held.iter().map(SuspenseItem::digest)) != closing.suspense_digest || listed != closing.suspense {
        return Err(io::Error::other("suspense.csv is not the list its balance was made of"));
    }
    Ok(held)
}

fn sum(digests: impl Iterator<Item = Digest>) -> String {
    let mut sum = DigestSum::default();
    digests.for_each(|digest| sum.add(&digest));
    digest::hex(&sum.finish())
}

fn read_outstanding(folder: &Path, listed: &[ReportFile]) -> io::Result<Vec<OutstandingItem>> {
    let stored = Stored::read(&manifest::vouched(folder, OUTSTANDING, listed)?)?;
    let [invoice_number, payment_code, channel, amount] = stored.places(["invoice_number", "payment_code", "channel", "amount"])?;
    let item = |row: usize| -> io::Result<OutstandingItem> {
        let cell = |column: usize| stored.cell(row, column);
        let [invoice_number, payment_code, channel, amount] = [cell(invoice_number)?, cell(payment_code)?, cell(channel)?, cell(amount)?];
        let item = || {
            Some(OutstandingItem {
                invoice_number: invoice_number.as_text()?.to_owned(),
                payment_code: payment_code.as_text()?.to_owned(),
                channel: Channel::parse(channel.as_text()?)?,
                amount: Rupiah::new(amount.as_number()?.into()),
            })
        };
        item().ok_or_else(|| io::Error::other("a cell is empty"))
    };
    let mut items: Vec<OutstandingItem> = (0..stored.height()).map(item).collect::<io::Result<_>>()?;
    items.sort_by(|a, b| (&a.invoice_number, &a.payment_code, a.amount).cmp(&(&b.invoice_number, &b.payment_code, b.amount)));
    Ok(items)
}

fn read_suspense(path: &Path) -> io::Result<Vec<SuspenseItem>> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut items = Vec::new();
    for record in reader.records() {
        let record = record?;
        let item =
            suspense_item(&record).ok_or_else(|| io::Error::other(format!("row {} cannot be read", items.len().saturating_add(2))))?;
        items.push(item);
    }
    Ok(items)
}

fn suspense_item(record: &csv::StringRecord) -> Option<SuspenseItem> {
    let text = |place: usize| record.get(place).map(str::to_owned);
    Some(SuspenseItem {
        discrepancy_id: text(0)?,
        class: text(1)?,
        invoice_number: record.get(2).map(unescaped)?.into_owned(),
        payment_code: record.get(3).map(unescaped)?.into_owned(),
        channel: Channel::parse(record.get(4)?)?,
        amount: Rupiah::new(record.get(5)?.parse().ok()?),
        paid_at_us: record.get(7)?.parse().ok()?,
        identity: digest::from_hex(record.get(8)?)?,
    })
}
