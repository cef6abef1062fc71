//! The books in a report's folder: what the next month is opened with (`carry/`), every posting, and every open item.

use std::io;
use std::path::Path;

use super::atomic::{self, WriteError, Writer};
use super::text::neutral;
use crate::books::account::Side;
use crate::books::carry::{self, About, Head};
use crate::books::export::Entry;
use crate::books::{Account, ItemId, Leg, Movement, Pair};
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
    written
        .map_err(|error| failed.unwrap_or_else(|| WriteError { path: folder.join(CARRY).display().to_string(), reason: error.to_string() }))
}

const POSTINGS_COLUMNS: [&str; 11] = [
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
];

fn pair_cells(id: &str, pair: &Pair, exported: bool) -> [String; POSTINGS_COLUMNS.len()] {
    let item = |item: Option<ItemId>| item.map_or_else(String::new, String::from);
    [
        id.to_owned(),
        pair.day.to_string(),
        pair.original.to_string(),
        pair.movement.name().to_owned(),
        pair.debit.account.name().to_owned(),
        item(pair.debit.item),
        pair.credit.account.name().to_owned(),
        item(pair.credit.item),
        pair.amount.to_string(),
        pair.cause.to_string(),
        if exported { "yes" } else { "no" }.to_owned(),
    ]
}

/// `postings.csv`: one row a pair.
fn postings(posted: &Posted, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(POSTINGS_COLUMNS)?;
    for pair in &posted.month.pairs {
        let is_withheld = posted.export.withheld.binary_search(pair).is_ok();
        csv.write_record(pair_cells(&pair.id(), pair, !is_withheld))?;
    }
    csv.flush()
}

/// Writes entries that were exported, under their ids, so that [`read_entries`] reads them.
///
/// # Errors
/// The writer's.
pub fn write_entries(entries: &[Entry], writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(POSTINGS_COLUMNS)?;
    for entry in entries {
        csv.write_record(pair_cells(&entry.id, &entry.pair, true))?;
    }
    csv.flush()
}

/// Reads entries that were exported.
///
/// # Errors
/// When a row is none.
pub fn read_entries(bytes: &[u8]) -> io::Result<Vec<Entry>> {
    read(csv::Reader::from_reader(bytes))
}

/// The postings of the report in `folder`.
///
/// # Errors
/// When it has none, or a row is no posting.
pub fn read_postings(folder: &Path) -> io::Result<Vec<Pair>> {
    let entries = read(csv::Reader::from_path(folder.join(POSTINGS))?)?;
    Ok(entries.into_iter().map(|entry| entry.pair).collect())
}

fn read(mut reader: csv::Reader<impl io::Read>) -> io::Result<Vec<Entry>> {
    let mut all = Vec::new();
    for (number, record) in (2_u64..).zip(reader.records()) {
        let entry = entry_of(&record?).ok_or_else(|| io::Error::other(format!("{POSTINGS}: row {number} is no posting")))?;
        all.push(entry);
    }
    Ok(all)
}

fn entry_of(record: &csv::StringRecord) -> Option<Entry> {
    let leg = |account: usize, item: usize| {
        let (account, item) = (Account::parse(record.get(account)?)?, record.get(item)?);
        let item = if item.is_empty() { None } else { Some(ItemId::parse(item)?) };
        Some(Leg { account, item }).filter(|leg| leg.is_sound())
    };
    let movement = record.get(3)?;
    Some(Entry {
        id: record.get(0)?.to_owned(),
        pair: Pair {
            day: record.get(1)?.parse().ok()?,
            original: record.get(2)?.parse().ok()?,
            movement: Movement::ALL.into_iter().find(|one| one.name() == movement)?,
            debit: leg(4, 5)?,
            credit: leg(6, 7)?,
            amount: Rupiah::new(record.get(8)?.parse().ok()?),
            cause: ItemId::parse(record.get(9)?)?,
        },
    })
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
