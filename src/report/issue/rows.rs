//! The files of a sending run that have a line for each row.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;

use crate::columns::{self, Cells as _, Column, Csv, JsonLines, Kind, Value};
use crate::domain::calendar::{format_utc_seconds, format_wib_seconds};
use crate::domain::end::{Bucket, End};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::Code;
use crate::domain::mark::Held;
use crate::intake::{Input, Intake, Item, KeepingError, Place, RefusedRow, Told, Verdict};
use crate::parallel;
use crate::report::atomic::{Draft, WriteError};
use crate::report::input_columns::named_apart;

/// A row whose bill holds a live code.
pub(super) struct Accepted<'a> {
    place: &'a Place,
    bill: &'a Held,
    code: &'a Code,
    action: &'static str,
}

/// A row, or a cell of one, that was refused.
pub(super) struct Rejected<'a> {
    place: &'a Place,
    column: &'a str,
    value: &'a str,
    code: &'a str,
    reason: &'a str,
    invoice_number: &'a str,
}

impl<'a> From<&'a RefusedRow> for Rejected<'a> {
    fn from(refused: &'a RefusedRow) -> Self {
        Self {
            place: &refused.place,
            column: &refused.column,
            value: &refused.value,
            code: refused.code.id,
            reason: &refused.reason,
            invoice_number: refused.invoice_number.as_deref().unwrap_or_default(),
        }
    }
}

/// A row that the same command finishes.
pub(super) struct Deferred<'a> {
    place: &'a Place,
    invoice_number: &'a str,
    end: &'a End,
}

/// A row that there was nothing to do about.
pub(super) struct LeftAlone<'a> {
    place: &'a Place,
    invoice_number: &'a str,
    reason: &'a str,
    code: Option<&'a Code>,
}

impl LeftAlone<'_> {
    fn expires_at(&self) -> Option<Timestamp> {
        self.code.and_then(|code| code.answer.expires_at)
    }
}

/// A row of a file that was only read.
pub(super) struct Valid<'a> {
    pub(super) place: &'a Place,
    pub(super) invoice_number: &'a str,
    pub(super) action: &'static str,
}

fn utc<'v>(at: Option<Timestamp>) -> Value<'v> {
    at.map(format_utc_seconds).into()
}

fn wib<'v>(at: Option<Timestamp>) -> Value<'v> {
    at.map(format_wib_seconds).into()
}

/// The columns of accepted.csv and keys of accepted.jsonl. New ones go to the end.
pub(super) const fn accepted<'a>() -> [Column<'static, Accepted<'a>>; 15] {
    [
        Column::foreign("invoice_number", |row| row.bill.invoice_number.as_str().into()),
        Column::foreign("payment_code", |row| row.code.answer.payment_code.as_str().into()),
        Column::text("channel", |row| row.bill.channel.name().into()),
        Column::rupiah("amount", |row| row.bill.amount.get().into()),
        Column::text("expires_at", |row| utc(row.code.answer.expires_at)),
        Column::foreign("how_to_pay_page", |row| row.code.answer.how_to_pay_page.as_deref().into()),
        Column::text("action", |row| row.action.into()),
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::text("expires_at_wib", |row| wib(row.code.answer.expires_at)),
        Column::foreign("note", |row| row.code.remark.as_ref().map(|remark| remark.note.as_str()).into()),
        Column::foreign("wire_invoice_number", |row| row.code.wire_invoice_number.as_str().into()),
        Column::text("created_at", |row| utc(row.code.answer.created_at)),
        Column::foreign("how_to_pay_api", |row| row.code.answer.how_to_pay_api.as_deref().into()),
        Column::text("created_at_wib", |row| wib(row.code.answer.created_at)),
    ]
}

/// The columns of rejected.csv.
pub(super) const fn rejected<'a>() -> [Column<'static, Rejected<'a>>; 7] {
    [
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::foreign("column", |row| row.column.into()),
        Column::foreign("value", |row| row.value.into()),
        Column::foreign("code", |row| row.code.into()),
        Column::foreign("reason", |row| row.reason.into()),
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
    ]
}

/// The columns of deferred.csv: what was not sent, and what is in doubt, told apart.
const fn deferred<'a>() -> [Column<'static, Deferred<'a>>; 5] {
    [
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
        Column::text("state", |row| row.end.bucket.name().into()),
        Column::foreign("reason", |row| (&*row.end.reason).into()),
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
    ]
}

/// The columns of `left_alone.csv`.
const fn left_alone<'a>() -> [Column<'static, LeftAlone<'a>>; 7] {
    [
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
        Column::foreign("reason", |row| row.reason.into()),
        Column::foreign("payment_code", |row| row.code.map(|code| code.answer.payment_code.as_str()).into()),
        Column::text("expires_at_wib", |row| wib(row.expires_at())),
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::text("expires_at", |row| utc(row.expires_at())),
    ]
}

/// The columns of valid.csv.
pub(super) const fn valid<'a>() -> [Column<'static, Valid<'a>>; 4] {
    [
        Column::foreign("file", |row| row.place.file.to_string_lossy().into()),
        Column::count("row", |row| row.place.row.into()),
        Column::foreign("invoice_number", |row| row.invoice_number.into()),
        Column::text("action", |row| row.action.into()),
    ]
}

/// The columns of every file here.
pub(in crate::report) fn names() -> impl Iterator<Item = String> {
    fn of<Row>(columns: &[Column<'_, Row>]) -> Vec<String> {
        columns::names(columns).map(str::to_owned).collect()
    }
    [of(&accepted()), of(&rejected()), of(&deferred()), of(&left_alone()), of(&valid())].into_iter().flatten()
}

/// Lines of a CSV of rows of the input: our columns, and behind them what is carried through.
pub(super) struct InputLines(Csv<Vec<u8>>);

impl Default for InputLines {
    fn default() -> Self {
        Self(Csv::new(Vec::new()).quoting_more())
    }
}

impl InputLines {
    pub(super) fn row<Row>(&mut self, columns: &[Column<'_, Row>], row: &Row, theirs: &[Option<String>]) -> io::Result<()> {
        columns.iter().try_for_each(|column| self.0.cell(column.kind(), &column.value(row)))?;
        theirs.iter().try_for_each(|cell| self.0.cell(Kind::Foreign, &cell.as_deref().into()))?;
        self.0.end()
    }

    /// One line for every bad cell of a row.
    pub(super) fn refused<T>(&mut self, theirs: &[Option<String>], verdict: &Verdict<T>) -> io::Result<()> {
        let columns = rejected();
        verdict.refused().iter().try_for_each(|refused| self.row(&columns, &refused.into(), theirs))
    }
}

/// Such a CSV on its way.
pub(super) struct InputCsv(pub(super) Draft);

impl InputCsv {
    pub(super) fn begin<Row>(path: &Path, columns: &[Column<'_, Row>], carried: &[String]) -> Result<Self, WriteError> {
        let theirs = named_apart(carried);
        let mut draft = Draft::begin(path)?;
        draft.put(|file| Csv::new(file).quoting_more().texts(columns::names(columns).chain(theirs.iter().map(String::as_str))))?;
        Ok(Self(draft))
    }

    fn put(&mut self, lines: &InputLines) -> Result<(), WriteError> {
        self.0.put(|file| file.write_all(lines.0.get_ref()))
    }

    /// Writes lines at once.
    pub(super) fn lines(&mut self, write: impl FnOnce(&mut InputLines) -> io::Result<()>) -> Result<(), WriteError> {
        let mut lines = InputLines::default();
        self.0.put(|file| {
            write(&mut lines)?;
            file.write_all(lines.0.get_ref())
        })
    }
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
        let (at, carried) = (|name: &str| directory.join(name), &intake.carried);
        let mut rejected = InputCsv::begin(&at("rejected.csv"), &rejected(), carried)?;
        write_refused::<_, E>(intake, &mut rejected)?;
        Ok(Self {
            accepted: InputCsv::begin(&at("accepted.csv"), &accepted(), carried)?,
            exact: Draft::begin(&at("accepted.jsonl"))?,
            rejected,
            deferred: InputCsv::begin(&at("deferred.csv"), &deferred(), carried)?,
            left_alone: InputCsv::begin(&at("left_alone.csv"), &left_alone(), carried)?,
            how: How { finished_at, keys: keys(carried) },
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
            self.exact.put(|file| file.write_all(lines.exact.get_ref()))?;
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
struct Lines {
    accepted: InputLines,
    exact: JsonLines<Vec<u8>>,
    rejected: InputLines,
    deferred: InputLines,
    left_alone: InputLines,
    amounts: Amounts,
}

impl Lines {
    fn of(how: &How, rows: &[ToldRow<'_>]) -> io::Result<Self> {
        const ROW_BYTES: usize = 384;
        let exact = Vec::with_capacity(rows.len().saturating_mul(ROW_BYTES));
        let mut lines = Self {
            accepted: InputLines::default(),
            exact: JsonLines::begin(exact, how.keys.iter().map(|(key, _)| key.as_str())),
            rejected: InputLines::default(),
            deferred: InputLines::default(),
            left_alone: InputLines::default(),
            amounts: Amounts::new(),
        };
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
        let (place, invoice_number) = (&row.place, row.invoice_number.as_ref().map_or("", InvoiceNumber::as_str));
        match end.bucket {
            Bucket::Refused | Bucket::Rejected => {
                let (column, code, reason) = (end.column, &*end.code, &*end.reason);
                self.rejected.row(&rejected(), &Rejected { place, column, value: "", code, reason, invoice_number }, &row.cells)
            }
            Bucket::Deferred | Bucket::InDoubt => self.deferred.row(&deferred(), &Deferred { place, invoice_number, end }, &row.cells),
            Bucket::Issued | Bucket::Amended | Bucket::Cancelled | Bucket::Unchanged | Bucket::Duplicate => {
                if is_accepted {
                    return Ok(());
                }
                self.leave_alone(row, invoice_number, end.action, held.and_then(|bill| bill.code.as_ref()))
            }
        }
    }

    /// A row that is in no other file, with the reason: there was nothing to do, and no live code to tell of.
    fn leave_alone(&mut self, row: &Told, invoice_number: &str, reason: &str, code: Option<&Code>) -> io::Result<()> {
        self.left_alone.row(&left_alone(), &LeftAlone { place: &row.place, invoice_number, reason, code }, &row.cells)
    }

    /// In accepted.jsonl the values are exact: no escape for spreadsheets, amounts as numbers, `null` for what is not known.
    fn accept(&mut self, how: &How, row: &Told, accepted: &Accepted<'_>) -> io::Result<()> {
        let columns = self::accepted();
        self.accepted.row(&columns, accepted, &row.cells)?;
        for (_, at) in &how.keys {
            if let Some(column) = columns.get(*at) {
                self.exact.cell(column.kind(), &column.value(accepted))?;
            } else {
                let theirs = row.cells.get(at.saturating_sub(columns.len()));
                self.exact.cell(Kind::Foreign, &theirs.and_then(|cell| cell.as_deref()).into())?;
            }
        }
        self.exact.end()
    }
}

/// The keys of accepted.jsonl.
fn keys(carried: &[String]) -> Vec<(String, usize)> {
    let accepted = accepted();
    let names = columns::names(&accepted).map(str::to_owned).chain(named_apart(carried));
    let mut keys: Vec<(String, usize)> = names.zip(0..).collect();
    keys.sort_unstable();
    keys
}

fn write_refused<T: Item, E: From<WriteError> + From<KeepingError>>(input: &Input<T>, csv: &mut InputCsv) -> Result<(), E> {
    if input.refused == 0 {
        return Ok(());
    }
    for part in input.told() {
        for row in part? {
            csv.lines(|lines| lines.refused(&row.cells, &row.verdict))?;
        }
    }
    Ok(())
}
