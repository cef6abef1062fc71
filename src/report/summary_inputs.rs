//! The inputs in summary.json: what each file is, by content, and the time it covers.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::digest;
use crate::domain::language::Language;
use crate::domain::line::InputFile;
use crate::domain::line::{Line, Lines, Marks};
use crate::domain::revocation::Revocation;
use crate::reconcile::Reconciled;

/// One log, settlement file, bank statement or inquiry log.
#[derive(Clone, Debug, Serialize)]
pub struct InputFigures {
    /// `notifications`, `settlement`, `bank` or `inquiries`.
    pub kind: &'static str,
    /// Which.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its lines; of a settlement file or bank statement, the rows of its tables.
    pub lines: u64,
    /// Of a settlement file or bank statement, rows that could not be read.
    pub malformed: u64,
    /// Its size.
    pub bytes: u64,
    /// When its first message arrived, as far as it says.
    pub first_received_at: Option<Timestamp>,
    /// And its last.
    pub last_received_at: Option<Timestamp>,
    /// Lines of a log with nothing on them.
    pub blank: u64,
    /// Lines of a log that hold no message of their own: pieces of one, and what only holds records together.
    pub wrapping: u64,
    /// Messages of a log that are counted where the evidence store has them, or that it keeps no longer.
    #[serde(skip_serializing_if = "is_none")]
    pub elsewhere: u64,
    /// Messages beyond the first of their line: lines = messages + elsewhere + blank + wrapping - packed.
    pub packed: u64,
    /// What stands around the messages of a log, such as `docker`; empty for nothing.
    pub wrapper: &'static str,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A key that signatures were believed by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyFigures {
    /// What tells it from others.
    pub fingerprint: String,
    /// Until when messages had to arrive that it signed; `null`: no end.
    pub until: Option<Timestamp>,
    /// When the last of what it signed and counts came; `null`: it signed nothing that counts, or nothing that says when it came.
    pub last_received_at: Option<Timestamp>,
    /// Whether some of that does not say when it came.
    pub undated: bool,
    /// All that was said of it, also what was taken back since.
    pub said: Vec<WordFigures>,
}

/// What a person said of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WordFigures {
    /// When (UTC).
    pub at: Timestamp,
    /// What arrived later is not believed; `null`: that was taken back.
    pub received_after: Option<Timestamp>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl WordFigures {
    /// `said` at `at`.
    #[must_use]
    pub fn of(at: Timestamp, said: &Revocation) -> Self {
        Self { at, received_after: said.received_after, by: said.actor.clone(), reason: said.reason.clone() }
    }
}

/// What was asked of a run beside its inputs: with both, and the settings, its report can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The folder whose balances opened it.
    pub opening: Option<String>,
    /// The folder whose payments cover bills.
    pub carry_in: Option<String>,
    /// Our ledger beside an external one.
    pub request_history: Option<String>,
    /// The store of evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The first WIB day of receipt that was read of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_from: Option<Date>,
    /// The last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_to: Option<Date>,
    /// The layout of its tables.
    pub layout: Option<String>,
    /// The sheet of its workbooks.
    pub sheet: Option<String>,
    /// The language of workbook and page; none without them.
    pub language: Option<Language>,
}

/// The logs, then the settlement files, the bank statements, the inquiry logs.
pub(super) fn of(outcome: &Reconciled, logs: &[InputFile]) -> Vec<InputFigures> {
    let settlement = outcome.inputs.settlement.iter().flat_map(|input| {
        let places: Vec<u32> = input.files.malformed.iter().map(|row| row.place.file).collect();
        with_malformed("settlement", &input.files.files, &places)
    });
    let spans = spans(logs.len(), &outcome.inputs.lines);
    let logs = logs.iter().zip(spans).map(|(file, span)| InputFigures::of(file, "notifications", span));
    let inquiries = outcome.inputs.inquiries.iter().flat_map(|inquiries| &inquiries.files);
    let inquiries = inquiries.map(|file| InputFigures::of(file, "inquiries", None));
    let bank = outcome.inputs.bank.iter().flat_map(|statements| {
        let places: Vec<u32> = statements.unread().map(|row| row.place.file).collect();
        with_malformed("bank", &statements.files, &places)
    });
    logs.chain(settlement).chain(bank).chain(inquiries).collect()
}

/// Files of tables, each with how many of its rows could not be read; `places` are the files of those rows.
fn with_malformed(kind: &'static str, files: &[InputFile], places: &[u32]) -> Vec<InputFigures> {
    let count = |number: u32| u64::try_from(places.iter().filter(|place| **place == number).count()).unwrap_or(u64::MAX);
    let one = |(number, file): (u32, &InputFile)| InputFigures { malformed: count(number), ..InputFigures::of(file, kind, None) };
    (0_u32..).zip(files).map(one).collect()
}

/// First and last arrival of each log, in microseconds.
fn spans(count: usize, lines: &Lines) -> Vec<Option<(i64, i64)>> {
    let mut spans: Vec<Option<(i64, i64)>> = vec![None; count];
    let is_dated = |line: &Line| line.received_at_us != Line::UNKNOWN_TIME && !line.marks.has(Marks::BY_STATUS);
    for (_, line) in lines.iter().filter(|(_, line)| is_dated(line)) {
        if let Some(span) = usize::try_from(line.file).ok().and_then(|file| spans.get_mut(file)) {
            let (first, last) = span.unwrap_or((i64::MAX, i64::MIN));
            *span = Some((first.min(line.received_at_us), last.max(line.received_at_us)));
        }
    }
    spans
}

impl InputFigures {
    fn of(file: &InputFile, kind: &'static str, span: Option<(i64, i64)>) -> Self {
        let at = |us: i64| Timestamp::from_microsecond(us).ok();
        Self {
            kind,
            path: file.path.display().to_string(),
            sha256: digest::hex(&file.digest),
            lines: file.lines,
            malformed: 0,
            bytes: file.bytes,
            first_received_at: span.and_then(|(first, _)| at(first)),
            last_received_at: span.and_then(|(_, last)| at(last)),
            blank: file.contents.blank,
            wrapping: file.contents.wrapping,
            elsewhere: file.contents.elsewhere,
            packed: file.contents.packed,
            wrapper: file.contents.wrapper,
        }
    }
}
