//! The books in a report's folder: what the next month is opened with (`carry/`), every posting, and every open item.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::atomic::{self, Draft, FileWriter, WriteError};
use super::manifest;
use super::runs::Runs;
use crate::books::account::Side;
use crate::books::carry::{self, Carry, CarryError, CarryFolder, CarryHead, HeadContent};
use crate::books::export::{DoubleEntry, is_exported};
use crate::books::known::Known;
use crate::books::pair::{Key, id_of};
use crate::books::{Account, BooksError, BooksSettings, ItemId, Leg, Movement, Pair, PostedMonth};
use crate::columns::{Cells as _, Column, Csv, Format, Value};
use crate::domain::amount::Rupiah;
use crate::domain::classify::Class;
use crate::reconcile::open_items::{OpenItem, Rank};
use crate::reconcile::posted::{Keeper, Posted};

/// The folder that the next month is opened with.
pub const CARRY: &str = "carry";
/// Every posting of the period, by its pairs.
const POSTINGS: &str = "postings.csv";
/// Every open item of every account, and every alarm.
pub(super) const OPEN_ITEMS: &str = "open_items.csv";

/// The names of the files.
pub(super) fn names() -> Vec<String> {
    let carry = carry::names().chain([carry::HEAD.to_owned()]).map(|name| format!("{CARRY}/{name}"));
    carry.chain([POSTINGS.to_owned(), OPEN_ITEMS.to_owned()]).collect()
}

/// The files of the books, which are written while they are posted.
#[derive(Debug)]
pub struct BooksFiles {
    folder: PathBuf,
    postings: Draft,
    items: Runs,
    carry: Carry<Shared>,
    drafts: Vec<Arc<Mutex<Draft>>>,
}

/// One part's share of the files.
#[derive(Debug)]
pub struct BooksPage {
    postings: Vec<u8>,
    items: Vec<(Rank, Vec<u8>)>,
    carry: carry::CarryPage,
}

/// Why the books of a run cannot be posted or written.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// A state that no evidence can lead to.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// The books of the month before.
    #[error(transparent)]
    Before(#[from] CarryError),
    /// A file.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A file that a table writes to until it is put in its place.
#[derive(Debug)]
pub struct Shared(Arc<Mutex<Draft>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut draft = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        draft.put(|writer| writer.write_all(bytes)).map_err(|error| io::Error::other(error.reason))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Keeper for BooksFiles {
    type Page = BooksPage;
    type Error = KeepError;

    fn page(month: &PostedMonth, keys: &[Key], items: &[OpenItem], settings: &BooksSettings) -> Result<BooksPage, KeepError> {
        let carry = carry::CarryPage::of(&month.known).map_err(|error| in_carry(Path::new(CARRY), &error))?;
        Ok(BooksPage {
            postings: postings(&month.pairs, keys, settings).map_err(|error| failed(POSTINGS, &error))?,
            items: lines(items).map_err(|error| failed(OPEN_ITEMS, &error))?,
            carry,
        })
    }

    fn keep(&mut self, page: BooksPage) -> Result<(), KeepError> {
        self.postings.put(|writer| writer.write_all(&page.postings))?;
        self.items.add(&page.items).map_err(|error| failed(OPEN_ITEMS, &error))?;
        self.carry.put(page.carry).map_err(|error| in_carry(&self.folder, &error).into())
    }
}

fn failed(file: &str, error: &io::Error) -> WriteError {
    WriteError { path: file.to_owned(), reason: error.to_string() }
}

fn in_carry(folder: &Path, error: &CarryError) -> WriteError {
    WriteError { path: folder.display().to_string(), reason: error.to_string() }
}

impl BooksFiles {
    /// Begins the files of the books in `folder`.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn begin(folder: &Path) -> Result<Self, WriteError> {
        let mut postings = Draft::begin(&folder.join(POSTINGS))?;
        postings.put(|writer| Csv::begin(writer, &posting_columns()).map(drop))?;
        let mut drafts = Vec::new();
        let carry = Carry::begin(|name| {
            let draft = Draft::begin(&folder.join(CARRY).join(name)).map_err(|error| io::Error::other(error.reason))?;
            let draft = Arc::new(Mutex::new(draft));
            drafts.push(Arc::clone(&draft));
            Ok(Shared(draft))
        });
        let carry = carry.map_err(|error| in_carry(&folder.join(CARRY), &error))?;
        let items = Runs::begin(folder).map_err(|error| failed(OPEN_ITEMS, &error))?;
        Ok(Self { folder: folder.to_owned(), postings, items, carry, drafts })
    }

    /// Ends what is written of them. They are in their places only after [`Ended::place`].
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn finish(self, posted: &Posted, ledger: String, journal: String) -> Result<(CarryHead, Ended), WriteError> {
        let Self { folder, postings, items, carry, drafts } = self;
        let about = HeadContent {
            period: posted.common.period,
            settings: &posted.settings,
            previous: posted.previous.clone(),
            ledger,
            journal,
            exported: String::new(),
        };
        let place = folder.join(CARRY);
        let head = carry.finish(posted.common.known.began_on, about).map_err(|error| in_carry(&place, &error))?;
        let text = head.text().map_err(|error| in_carry(&place, &error))?;
        // The carry has ended, so nobody else holds them.
        let drafts = drafts.into_iter().filter_map(Arc::into_inner).map(|draft| draft.into_inner().unwrap_or_else(PoisonError::into_inner));
        let drafts = std::iter::once(postings).chain(drafts).collect();
        Ok((head, Ended { folder, drafts, items, head: text }))
    }
}

/// The files of the books, whole and not yet in their places.
#[derive(Debug)]
pub struct Ended {
    folder: PathBuf,
    drafts: Vec<Draft>,
    items: Runs,
    head: Vec<u8>,
}

impl Ended {
    /// Puts each in its place, the head of the carry last.
    ///
    /// # Errors
    /// [`WriteError`].
    pub(super) fn place(self) -> Result<(), WriteError> {
        let Self { folder, drafts, items, head } = self;
        // Making many megabytes durable takes the disk its time; meanwhile the open items are put in order.
        std::thread::scope(|scope| {
            let placed = scope.spawn(|| drafts.into_iter().try_for_each(Draft::finish));
            atomic::write(&folder.join(OPEN_ITEMS), |writer| {
                Csv::begin(&mut *writer, &item_columns())?;
                items.write(writer)
            })?;
            placed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        atomic::write(&folder.join(CARRY).join(carry::HEAD), |writer| writer.write_all(&head))
    }
}

/// Reads the carry of the report in `folder`, each file as its summary lists it.
///
/// # Errors
/// [`CarryError`].
pub fn read_carry(folder: &Path) -> Result<(CarryHead, Known), CarryError> {
    let listed = manifest::listed(folder).map_err(|error| CarryError::damaged("summary.json", &error))?;
    carry::read(&folder.join(CARRY), |name| manifest::vouched(folder, &format!("{CARRY}/{name}"), &listed))
}

/// Opens the carry of the report in `folder`, each file as its summary lists it, for a month that goes on from it; `hears` is told
/// everything that is known.
///
/// # Errors
/// [`CarryError`].
pub fn open_carry(folder: &Path, hears: impl FnMut(&Known)) -> Result<CarryFolder, CarryError> {
    let listed = manifest::listed(folder).map_err(|error| CarryError::damaged("summary.json", &error))?;
    CarryFolder::open(&folder.join(CARRY), |name| manifest::vouched(folder, &format!("{CARRY}/{name}"), &listed), hears)
}

/// A pair, under the id of its entry.
struct Posting<'a> {
    id: String,
    pair: &'a Pair,
    is_exported: bool,
}

fn shown(item: Option<&ItemId>) -> Value<'_> {
    item.map_or(Value::Empty, |item| Value::shown(item))
}

fn posting_columns<'a>() -> [Column<'static, Posting<'a>>; 11] {
    [
        Column::text("entry_id", |posting| (&posting.id).into()),
        Column::date("day", |posting| posting.pair.day.into()),
        Column::date("original_day", |posting| posting.pair.original.into()),
        Column::text("movement", |posting| posting.pair.movement.name().into()),
        Column::text("debit_account", |posting| posting.pair.debit.account.name().into()),
        Column::text("debit_item", |posting| shown(posting.pair.debit.item.as_ref())),
        Column::text("credit_account", |posting| posting.pair.credit.account.name().into()),
        Column::text("credit_item", |posting| shown(posting.pair.credit.item.as_ref())),
        Column::rupiah("amount", |posting| posting.pair.amount.into()),
        Column::text("cause", |posting| Value::shown(&posting.pair.cause)),
        Column::text("exported", |posting| posting.is_exported.into()),
    ]
}

/// Rows of `postings.csv`, one a pair, each under its key.
fn postings(pairs: &[Pair], keys: &[Key], settings: &BooksSettings) -> io::Result<Vec<u8>> {
    let (mut csv, columns) = (Csv::new(Vec::new()), posting_columns());
    for (pair, key) in pairs.iter().zip(keys) {
        csv.row(&columns, &Posting { id: id_of(key), pair, is_exported: is_exported(pair, settings) })?;
    }
    Ok(csv.into_inner())
}

/// Writes entries that were exported, under their ids, so that [`read_entries`] reads them.
///
/// # Errors
/// The writer's.
pub fn write_entries(entries: &[DoubleEntry], writer: &mut FileWriter) -> io::Result<()> {
    let exported = entries.iter().map(|entry| Posting { id: entry.id.clone(), pair: &entry.pair, is_exported: true });
    Format::Csv.write(&posting_columns(), exported, writer)
}

/// Reads entries that were exported.
///
/// # Errors
/// When a row is none.
pub fn read_entries(bytes: &[u8]) -> io::Result<Vec<DoubleEntry>> {
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

fn read(mut reader: csv::Reader<impl io::Read>) -> io::Result<Vec<DoubleEntry>> {
    let mut all = Vec::new();
    for (number, record) in (2_u64..).zip(reader.records()) {
        let entry = entry_of(&record?).ok_or_else(|| io::Error::other(format!("{POSTINGS}: row {number} is no posting")))?;
        all.push(entry);
    }
    Ok(all)
}

fn entry_of(record: &csv::StringRecord) -> Option<DoubleEntry> {
    let leg = |account: usize, item: usize| {
        let (account, item) = (Account::parse(record.get(account)?)?, record.get(item)?);
        let item = if item.is_empty() { None } else { Some(ItemId::parse(item)?) };
        Some(Leg { account, item }).filter(|leg| leg.is_sound())
    };
    let movement = record.get(3)?;
    Some(DoubleEntry {
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

fn item_columns<'a>() -> [Column<'static, &'a OpenItem>; 18] {
    [
        Column::text("account", |item| item.account.map_or("alarm", Account::name).into()),
        Column::text("discrepancy_id", |item| (&item.discrepancy_id).into()),
        Column::text("item", |item| Value::shown(&item.id)),
        Column::text("class", |item| item.class.map(Class::id).into()),
        Column::text("status", |item| item.todo.name().into()),
        Column::text("owner", |item| item.owner.name().into()),
        Column::rupiah("amount", |item| on_its_side(item).into()),
        Column::date("since", |item| item.since.into()),
        Column::date("ages_from", |item| item.ages_from.into()),
        Column::count("age_days", |item| i64::from(item.age_days).into()),
        Column::text("bucket_days", |item| item.bucket().name().into()),
        Column::text("last_movement", |item| item.moved_by.map(Movement::name).into()),
        Column::date("last_moved_on", |item| item.moved_on.into()),
        Column::foreign("invoice_number", |item| (&item.invoice_number).into()),
        Column::foreign("payment_code", |item| (&item.payment_code).into()),
        Column::text("channel", |item| (&item.channel).into()),
        Column::text("decision", |item| shown(item.decision.as_ref())),
        Column::foreign("dimensions", |item| item.dimensions.in_words().into()),
    ]
}

/// Rows of `open_items.csv`, each with what it is sorted by: worst first within each account; alarms, which have no balance, come last.
fn lines(items: &[OpenItem]) -> io::Result<Vec<(Rank, Vec<u8>)>> {
    let (mut csv, columns) = (Csv::new(Vec::new()), item_columns());
    let mut lines = Vec::with_capacity(items.len());
    for item in items {
        let start = csv.get_ref().len();
        csv.row(&columns, &item)?;
        lines.push((item.rank(), csv.get_ref().get(start..).unwrap_or_default().to_vec()));
    }
    Ok(lines)
}

/// An amount as its account is normally counted; negative where it stands on the other side.
fn on_its_side(item: &OpenItem) -> Rupiah {
    match item.account.map(|account| account.info().side) {
        Some(Side::Credit) => Rupiah::ZERO.minus(item.amount),
        Some(Side::Debit) | None => item.amount,
    }
}
