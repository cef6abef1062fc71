//! The files of a sending run that have a line for each row.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::columns::{Accepted, Deferred, LeftAlone, Rejected, accepted, deferred, left_alone, rejected};
use crate::columns::{self, Cells as _, Column, ColumnKind, Csv, JsonLines};
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::IssuedCode;
use crate::domain::mark::BillWithCode;
use crate::domain::row_end::{Bucket, End};
use crate::intake::{EndedRow, Input, Intake, KeepingError, KeptItem, RowVerdict};
use crate::parallel;
use crate::report::atomic::{Draft, WriteError};
use crate::report::input_columns::named_apart;

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
        self.end(theirs)
    }

    /// Ends a row whose cells of ours are written.
    fn end(&mut self, theirs: &[Option<String>]) -> io::Result<()> {
        theirs.iter().try_for_each(|cell| self.0.cell(ColumnKind::Foreign, &cell.as_deref().into()))?;
        self.0.end()
    }

    /// One line for every bad cell of a row.
    pub(super) fn refused<T>(&mut self, theirs: &[Option<String>], verdict: &RowVerdict<T>) -> io::Result<()> {
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
    pub(super) row: &'a EndedRow,
    pub(super) end: Option<&'a End>,
    pub(super) held: Option<BillWithCode>,
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
    fn row(&mut self, how: &How, row: &EndedRow, end: Option<&End>, held: Option<&BillWithCode>) -> io::Result<()> {
        let just_made = end.is_some_and(|end| end.bucket == Bucket::Issued);
        if let (Some(end), Some(held)) = (end, held) {
            let sum = self.amounts.entry(end.bucket).or_default();
            *sum = sum.saturating_add(held.amount.get());
        }
        let live = held.and_then(|bill| bill.live_code(how.finished_at, just_made).map(|code| (bill, code)));
        match (&row.verdict, end) {
            (RowVerdict::Valid(()), Some(end)) => {
                if let Some((held, code)) = live {
                    self.accept(how, row, &Accepted { place: &row.place, bill: held, code, action: end.action })?;
                }
                self.ended(row, end, held, live.is_some())
            }
            (RowVerdict::Refused(_), _) => match live {
                // One line a row, however many cells of it are bad.
                Some((held, code)) => self.accept(how, row, &Accepted { place: &row.place, bill: held, code, action: "refused" }),
                None => Ok(()),
            },
            (RowVerdict::Duplicate(of), _) => self.leave_alone(row, "", &format!("duplicate of {of}"), None),
            (RowVerdict::Valid(()), None) => Ok(()),
        }
    }

    fn ended(&mut self, row: &EndedRow, end: &End, held: Option<&BillWithCode>, is_accepted: bool) -> io::Result<()> {
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
    fn leave_alone(&mut self, row: &EndedRow, invoice_number: &str, reason: &str, code: Option<&IssuedCode>) -> io::Result<()> {
        self.left_alone.row(&left_alone(), &LeftAlone { place: &row.place, invoice_number, reason, code }, &row.cells)
    }

    /// In accepted.jsonl the values are exact: no escape for spreadsheets, amounts as numbers, `null` for what is not known.
    fn accept(&mut self, how: &How, row: &EndedRow, accepted: &Accepted<'_>) -> io::Result<()> {
        // Each value is made once for both files.
        let ours = self::accepted().map(|column| (column.kind(), column.value(accepted)));
        ours.iter().try_for_each(|(kind, value)| self.accepted.0.cell(*kind, value))?;
        self.accepted.end(&row.cells)?;
        for (_, at) in &how.keys {
            if let Some((kind, value)) = ours.get(*at) {
                self.exact.cell(*kind, value)?;
            } else {
                let theirs = row.cells.get(at.saturating_sub(ours.len()));
                self.exact.cell(ColumnKind::Foreign, &theirs.and_then(|cell| cell.as_deref()).into())?;
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

fn write_refused<T: KeptItem, E: From<WriteError> + From<KeepingError>>(input: &Input<T>, csv: &mut InputCsv) -> Result<(), E> {
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
