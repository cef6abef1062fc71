//! The books in a report's folder: what the next month is opened with (`carry/`), every posting, and every open item.

use std::io;
use std::path::Path;

use super::atomic::{self, WriteError, Writer};
use super::text::neutral;
use crate::books::account::Side;
use crate::books::carry::{self, About, Head};
use crate::books::pair::Pair;
use crate::domain::amount::Rupiah;
use crate::reconcile::open_items::OpenItem;
use crate::reconcile::posted::Posted;

/// The folder that the next month is opened with.
pub const CARRY: &str = "carry";
/// Every posting of the period, by its pairs.
const POSTINGS: &str = "postings.csv";
/// Every open item of every account, and every alarm.
const OPEN_ITEMS: &str = "open_items.csv";

/// The names of the files.
pub(super) fn names(head: &Head) -> Vec<String> {
    let tables = head.tables.keys().flat_map(|table| [format!("{CARRY}/{table}.csv"), format!("{CARRY}/{table}.parquet")]);
    tables.chain([format!("{CARRY}/{}", carry::HEAD), POSTINGS.to_owned(), OPEN_ITEMS.to_owned()]).collect()
}

/// Writes the books of `posted` into `folder`.
///
/// # Errors
/// [`WriteError`] for the first file that cannot be written.
pub fn write(posted: &Posted, ledger: String, journal: String, folder: &Path) -> Result<Head, WriteError> {
    atomic::write(&folder.join(POSTINGS), |writer| postings(posted, writer))?;
    atomic::write(&folder.join(OPEN_ITEMS), |writer| open_items(&posted.items, writer))?;
    let exported = String::new();
    let about =
        About { period: posted.month.period, settings: &posted.settings, previous: posted.previous.clone(), ledger, journal, exported };
    let mut failed = None;
    let written = carry::write(&posted.month.known, about, |name, fill| {
        let done = atomic::write(&folder.join(CARRY).join(name), |writer| fill(writer));
        done.map_err(|error| {
            let reason = io::Error::other(error.to_string());
            failed = Some(error);
            reason
        })
    });
    written.map_err(|error| {
        failed.unwrap_or_else(|| WriteError { path: folder.join(CARRY).display().to_string(), reason: error.to_string() })
    })
}

/// `postings.csv`: one row a pair.
fn postings(posted: &Posted, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record([
        "entry_id",
        "day",
        "original_day",
        "movement",
        "debit_account",
        "debit_item",
        "credit_account",
        "credit_item",
        "amount",
        "cause",
        "exported",
    ])?;
    for pair in &posted.month.pairs {
        let Pair { day, original, cause, movement, debit, credit, amount } = pair;
        let item = |item: Option<crate::books::ItemId>| item.map_or_else(String::new, String::from);
        let is_withheld = posted.export.withheld.binary_search(pair).is_ok();
        csv.write_record([
            pair.id().as_str(),
            &day.to_string(),
            &original.to_string(),
            movement.name(),
            debit.account.name(),
            &item(debit.item),
            credit.account.name(),
            &item(credit.item),
            &amount.to_string(),
            &cause.to_string(),
            if is_withheld { "no" } else { "yes" },
        ])?;
    }
    csv.flush()
}

/// `open_items.csv`: worst first within each account; alarms, which have no balance, come last.
fn open_items(items: &[OpenItem], writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record([
        "account",
        "discrepancy_id",
        "item",
        "class",
        "status",
        "owner",
        "amount",
        "since",
        "ages_from",
        "age_days",
        "bucket_days",
        "last_movement",
        "last_moved_on",
        "invoice_number",
        "payment_code",
        "channel",
        "decision",
        "dimensions",
    ])?;
    for item in items {
        csv.write_record([
            item.account.map_or("alarm", |account| account.name()),
            &item.discrepancy_id,
            &item.id.to_string(),
            item.class.map_or("", |class| class.id()),
            item.todo.name(),
            item.owner.name(),
            &on_its_side(item).to_string(),
            &item.since.to_string(),
            &item.ages_from.to_string(),
            &item.age_days.to_string(),
            item.bucket().name(),
            item.moved_by.map_or("", |movement| movement.name()),
            &item.moved_on.to_string(),
            &*neutral(&item.invoice_number),
            &*neutral(&item.payment_code),
            &item.channel,
            &item.decision.map_or_else(String::new, String::from),
            &*neutral(&item.dimensions.join(" / ")),
        ])?;
    }
    csv.flush()
}

/// An amount as its account is normally counted; negative where it stands on the other side.
fn on_its_side(item: &OpenItem) -> Rupiah {
    match item.account.map(|account| account.info().side) {
        Some(Side::Credit) => Rupiah::ZERO.minus(item.amount),
        Some(Side::Debit) | None => item.amount,
    }
}
