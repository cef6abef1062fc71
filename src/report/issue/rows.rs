//! The files of a sending run that have a line for each row.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::domain::calendar::{format_utc_seconds, format_wib_seconds};
use crate::domain::end::{Bucket, End};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::Code;
use crate::domain::mark::Held;
use crate::intake::{Input, Intake, Item, KeepingError, Place, Told, Verdict};
use crate::parallel;
use crate::report::atomic::{Draft, WriteError};
use crate::report::input_columns::named_apart;
use crate::report::people;

/// A row whose bill holds a live code.
struct Accepted<'a> {
    place: &'a Place,
    bill: &'a Held,
    code: &'a Code,
    action: &'static str,
}

/// A value of a row.
enum Cell<'a> {
    Nothing,
    Number(u64),
    Text(Cow<'a, str>),
}

impl<'a> Cell<'a> {
    const fn of(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    fn given(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nothing, Self::of)
    }

    fn at(at: Option<Timestamp>, written: fn(Timestamp) -> String) -> Self {
        at.map_or(Self::Nothing, |at| Self::Text(Cow::Owned(written(at))))
    }

    fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Nothing => Cow::Borrowed(""),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A column of accepted.csv and key of accepted.jsonl.
struct AcceptedColumn {
    name: &'static str,
    value: for<'a> fn(&Accepted<'a>) -> Cell<'a>,
}

/// The columns in their order. New ones go to the end.
const ACCEPTED: [AcceptedColumn; 15] = [
    AcceptedColumn { name: "invoice_number", value: |row| Cell::of(row.bill.invoice_number.as_str()) },
    AcceptedColumn { name: "payment_code", value: |row| Cell::of(row.code.answer.payment_code.as_str()) },
    AcceptedColumn { name: "channel", value: |row| Cell::of(row.bill.channel.name()) },
    AcceptedColumn { name: "amount", value: |row| Cell::Number(row.bill.amount.get()) },
    AcceptedColumn { name: "expires_at", value: |row| Cell::at(row.code.answer.expires_at, format_utc_seconds) },
    AcceptedColumn { name: "how_to_pay_page", value: |row| Cell::given(row.code.answer.how_to_pay_page.as_deref()) },
    AcceptedColumn { name: "action", value: |row| Cell::of(row.action) },
    AcceptedColumn { name: "file", value: |row| Cell::Text(row.place.file.to_string_lossy()) },
    AcceptedColumn { name: "row", value: |row| Cell::Number(row.place.row) },
    AcceptedColumn { name: "expires_at_wib", value: |row| Cell::at(row.code.answer.expires_at, format_wib_seconds) },
    AcceptedColumn { name: "note", value: |row| Cell::given(row.code.remark.as_ref().map(|remark| remark.note.as_str())) },
    AcceptedColumn { name: "wire_invoice_number", value: |row| Cell::of(row.code.wire_invoice_number.as_str()) },
    AcceptedColumn { name: "created_at", value: |row| Cell::at(row.code.answer.created_at, format_utc_seconds) },
    AcceptedColumn { name: "how_to_pay_api", value: |row| Cell::given(row.code.answer.how_to_pay_api.as_deref()) },
    AcceptedColumn { name: "created_at_wib", value: |row| Cell::at(row.code.answer.created_at, format_wib_seconds) },
];
pub(super) const REJECTED: [&str; 7] = ["file", "row", "column", "value", "code", "reason", "invoice_number"];
const DEFERRED: [&str; 5] = ["invoice_number", "state", "reason", "file", "row"];
const LEFT_ALONE: [&str; 7] = ["invoice_number", "reason", "payment_code", "expires_at_wib", "file", "row", "expires_at"];
pub(super) const VALID: [&str; 4] = ["file", "row", "invoice_number", "action"];

fn accepted_names() -> [&'static str; 15] {
    ACCEPTED.each_ref().map(|column| column.name)
}

/// The columns of every file here.
pub(in crate::report) fn columns() -> impl Iterator<Item = &'static str> {
    accepted_names().into_iter().chain(REJECTED).chain(DEFERRED).chain(LEFT_ALONE).chain(VALID)
}

/// Lines of a CSV of rows of the input: our columns, and behind them what is carried through.
#[derive(Debug, Default)]
pub(super) struct InputLines(Vec<u8>);

impl InputLines {
    pub(super) fn row<S: AsRef<str>>(&mut self, theirs: &[Option<String>], cells: &[S]) -> io::Result<()> {
        let theirs = theirs.iter().map(|cell| cell.as_deref().unwrap_or_default());
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).chain(theirs).collect();
        people::row(&mut self.0, &cells)
    }

    /// One line for every bad cell of a row.
    pub(super) fn refused<T>(&mut self, theirs: &[Option<String>], verdict: &Verdict<T>) -> io::Result<()> {
        verdict.refused().iter().try_for_each(|refused| {
            let (file, number) = place_cells(&refused.place);
            let invoice_number = refused.invoice_number.as_deref().unwrap_or_default();
            self.row(theirs, &[&file, &number, &refused.column, &refused.value, refused.code.id, &refused.reason, invoice_number])
        })
    }
}

/// Such a CSV on its way.
pub(super) struct InputCsv(pub(super) Draft);

impl InputCsv {
    pub(super) fn begin(path: &Path, columns: &[&str], carried: &[String]) -> Result<Self, WriteError> {
        let theirs = named_apart(carried);
        let header: Vec<&str> = columns.iter().copied().chain(theirs.iter().map(String::as_str)).collect();
        let mut draft = Draft::begin(path)?;
        draft.put(|file| people::row(file, &header))?;
        Ok(Self(draft))
    }

    fn put(&mut self, lines: &InputLines) -> Result<(), WriteError> {
        self.0.put(|file| file.write_all(&lines.0))
    }

    /// Writes a line at once.
    pub(super) fn line(&mut self, write: impl FnOnce(&mut InputLines) -> io::Result<()>) -> Result<(), WriteError> {
        let mut lines = InputLines::default();
        self.0.put(|file| {
            write(&mut lines)?;
            file.write_all(&lines.0)
        })
    }
}

pub(super) fn place_cells(place: &Place) -> (String, String) {
    (place.file.display().to_string(), place.row.to_string())
}

/// The files of a run, all on their way together: the rows are gone through once.
pub(super) struct Files {
    accepted: InputCsv,
    exact: Draft,
    rejected: InputCsv,
    deferred: InputCsv,
    left_alone: InputCsv,
    how: How,
    /// Rupiah by bucket, of the rows whose bill the ledger has.
    pub(super) amounts: Amounts,
}

/// Rupiah by bucket.
pub(super) type Amounts = BTreeMap<Bucket, u64>;

/// What the lines of all rows have in common.
struct How {
    finished_at: Timestamp,
    /// The keys of the objects of accepted.jsonl in alphabetical order, each with its column: ours, then those carried through.
    keys: Vec<(String, usize)>,
}

/// A row and what became of it.
pub(super) struct ToldRow<'a> {
    pub(super) row: &'a Told,
    pub(super) end: Option<&'a End>,
    pub(super) held: Option<Held>,
}

/// Rows whose lines are made by one thread.
const ROWS_TOGETHER: usize = 512;

impl Files {
    /// Begins the files in `directory`; rows that the input refused come first in rejected.csv.
    pub(super) fn begin<E: From<WriteError> + From<KeepingError>>(
        directory: &Path,
        intake: &Intake,
        finished_at: Timestamp,
    ) -> Result<Self, E> {
        let begin = |name: &str, columns: &[&str]| InputCsv::begin(&directory.join(name), columns, &intake.carried);
        let mut rejected = begin("rejected.csv", &REJECTED)?;
        write_refused::<_, E>(intake, &mut rejected)?;
        Ok(Self {
            accepted: begin("accepted.csv", &accepted_names())?,
            exact: Draft::begin(&directory.join("accepted.jsonl"))?,
            rejected,
            deferred: begin("deferred.csv", &DEFERRED)?,
            left_alone: begin("left_alone.csv", &LEFT_ALONE)?,
            how: How { finished_at, keys: keys(&intake.carried) },
            amounts: Amounts::new(),
        })
    }

    /// Puts them all in their places.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        let Self { accepted, exact, rejected, deferred, left_alone, .. } = self;
        [accepted.0, exact, rejected.0, deferred.0, left_alone.0].into_iter().try_for_each(Draft::finish)
    }

    /// Writes the next rows, each where it belongs.
    pub(super) fn rows(&mut self, rows: &[ToldRow<'_>]) -> Result<(), WriteError> {
        let how = &self.how;
        for lines in parallel::map_parts(rows, ROWS_TOGETHER, |rows| Lines::of(how, rows)) {
            let lines = lines.map_err(|error| self.exact.failed(&error))?;
            self.accepted.put(&lines.accepted)?;
            self.exact.put(|file| file.write_all(&lines.exact))?;
            self.rejected.put(&lines.rejected)?;
            self.deferred.put(&lines.deferred)?;
            self.left_alone.put(&lines.left_alone)?;
            for (bucket, amount) in lines.amounts {
                let sum = self.amounts.entry(bucket).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
        Ok(())
    }
}

/// The lines of some rows in each of the files.
#[derive(Default)]
struct Lines {
    accepted: InputLines,
    exact: Vec<u8>,
    rejected: InputLines,
    deferred: InputLines,
    left_alone: InputLines,
    amounts: Amounts,
}

impl Lines {
    fn of(how: &How, rows: &[ToldRow<'_>]) -> io::Result<Self> {
        const ROW_BYTES: usize = 384;
        let mut lines = Self { exact: Vec::with_capacity(rows.len().saturating_mul(ROW_BYTES)), ..Self::default() };
        rows.iter().try_for_each(|ToldRow { row, end, held }| lines.row(how, row, *end, held.as_ref()))?;
        Ok(lines)
    }

    /// Writes a row where it belongs: among the accepted whatever the run did to it, as long as it holds a live code, also one that
    /// was refused, because its code stays payable; and in one of the others by how it ended.
    fn row(&mut self, how: &How, row: &Told, end: Option<&End>, held: Option<&Held>) -> io::Result<()> {
        let just_made = end.is_some_and(|end| end.bucket == Bucket::Issued);
        if let (Some(end), Some(held)) = (end, held) {
            let sum = self.amounts.entry(end.bucket).or_default();
            *sum = sum.saturating_add(held.amount.get());
        }
        let live = held.and_then(|bill| bill.live_code(how.finished_at, just_made).map(|code| (bill, code)));
        match (&row.verdict, end) {
            (Verdict::Valid(()), Some(end)) => {
                if let Some((held, code)) = live {
                    self.accept(how, row, &Accepted { place: &row.place, bill: held, code, action: end.action })?;
                }
                self.ended(row, end, held, live.is_some())
            }
            (Verdict::Refused(_), _) => match live {
                // One line a row, however many cells of it are bad.
                Some((held, code)) => self.accept(how, row, &Accepted { place: &row.place, bill: held, code, action: "refused" }),
                None => Ok(()),
            },
            (Verdict::Duplicate(of), _) => self.leave_alone(row, "", &format!("duplicate of {of}"), None),
            (Verdict::Valid(()), None) => Ok(()),
        }
    }

    fn ended(&mut self, row: &Told, end: &End, held: Option<&Held>, is_accepted: bool) -> io::Result<()> {
        let number = row.invoice_number.as_ref().map_or("", InvoiceNumber::as_str);
        let places = || place_cells(&row.place);
        match end.bucket {
            Bucket::Refused | Bucket::Rejected => {
                let (file, place) = places();
                self.rejected.row(&row.cells, &[&file, &place, end.column, "", &end.code, &end.reason, number])
            }
            // What the same command will finish: not sent, and in doubt, told apart.
            Bucket::Deferred | Bucket::InDoubt => {
                let (file, place) = places();
                self.deferred.row(&row.cells, &[number, end.bucket.name(), &end.reason, &file, &place])
            }
            Bucket::Issued | Bucket::Amended | Bucket::Cancelled | Bucket::Unchanged | Bucket::Duplicate => {
                if is_accepted {
                    return Ok(());
                }
                self.leave_alone(row, number, end.action, held.and_then(|bill| bill.code.as_ref()))
            }
        }
    }

    /// A row that is in no other file, with the reason: there was nothing to do, and no live code to tell of.
    fn leave_alone(&mut self, row: &Told, number: &str, reason: &str, code: Option<&Code>) -> io::Result<()> {
        let (file, place) = place_cells(&row.place);
        let payment_code = code.map_or("", |code| code.answer.payment_code.as_str());
        let expires_at = code.and_then(|code| code.answer.expires_at);
        let [utc, wib] = [format_utc_seconds, format_wib_seconds].map(|written| expires_at.map(written).unwrap_or_default());
        self.left_alone.row(&row.cells, &[number, reason, payment_code, &wib, &file, &place, &utc])
    }

    /// In accepted.jsonl the values are exact: no escape for spreadsheets, amounts as numbers, `null` for what is not known.
    fn accept(&mut self, how: &How, row: &Told, accepted: &Accepted<'_>) -> io::Result<()> {
        let values = ACCEPTED.each_ref().map(|column| (column.value)(accepted));
        self.accepted.row(&row.cells, &values.each_ref().map(Cell::shown))?;
        let theirs: Vec<Cell<'_>> = row.cells.iter().map(|cell| Cell::given(cell.as_deref())).collect();
        serde_json::to_writer(&mut self.exact, &Object { keys: &how.keys, ours: &values, theirs: &theirs })?;
        self.exact.push(b'\n');
        Ok(())
    }
}

/// The keys of accepted.jsonl.
fn keys(carried: &[String]) -> Vec<(String, usize)> {
    let names = accepted_names().into_iter().map(str::to_owned).chain(named_apart(carried));
    let mut keys: Vec<(String, usize)> = names.zip(0..).collect();
    keys.sort_unstable();
    keys
}

/// A line of accepted.jsonl.
struct Object<'a> {
    keys: &'a [(String, usize)],
    ours: &'a [Cell<'a>],
    theirs: &'a [Cell<'a>],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.keys.len()))?;
        for (key, column) in self.keys {
            let theirs = || self.theirs.get(column.saturating_sub(self.ours.len()));
            map.serialize_entry(key, &self.ours.get(*column).or_else(theirs))?;
        }
        map.end()
    }
}

fn write_refused<T: Item, E: From<WriteError> + From<KeepingError>>(input: &Input<T>, csv: &mut InputCsv) -> Result<(), E> {
    if input.refused == 0 {
        return Ok(());
    }
    for part in input.told() {
        for row in part? {
            csv.line(|lines| lines.refused(&row.cells, &row.verdict))?;
        }
    }
    Ok(())
}
