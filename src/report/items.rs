//! items.csv: discrepancies handed to a spreadsheet for decisions, and the file that comes back.
//!
//! A spreadsheet rewrites what it takes for a number, a date or a formula. So the way back relies on two cells alone, the id and
//! the fingerprint of the facts, both with a letter in front; codes and invoice numbers carry an apostrophe and are for reading.

use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::atomic::{self, WriteError};
use super::text::neutral;
use super::wib_text;
use crate::domain::classify::Class;
use crate::domain::discrepancy::Item;

const COLUMNS: [&str; 28] = [
    "discrepancy_id",
    "facts",
    "action",
    "reason",
    "note",
    "actor",
    "reviewer",
    "owner",
    "status",
    "class",
    "title",
    "nature",
    "severity",
    "invoice_number",
    "payment_code",
    "channel",
    "amount_expected",
    "amount_paid",
    "amount_difference",
    "paid_at",
    "first_seen",
    "last_seen",
    "age_days",
    "finding",
    "recommended",
    "comment",
    "decided",
    "decided_by",
];

/// Writes `items` with empty columns for decisions; ages are as of `today`.
///
/// # Errors
/// [`WriteError`]; what stood there before is unchanged.
pub fn write(path: &Path, items: &[(&String, &Item)], today: Date) -> Result<(), WriteError> {
    atomic::write(path, |writer| {
        let mut csv = csv::Writer::from_writer(writer);
        csv.write_record(COLUMNS)?;
        for (id, item) in items {
            csv.write_record(cells(id, item, today))?;
        }
        csv.flush()
    })
}

fn cells(id: &str, item: &Item, today: Date) -> [String; COLUMNS.len()] {
    let facts = &item.facts;
    let amount = |amount: Option<i64>| amount.map_or_else(String::new, |rupiah| rupiah.to_string());
    // Even a bare digit string or `OCT-10` would be rewritten on saving.
    let as_text = |text: &str| if text.is_empty() { String::new() } else { format!("'{text}") };
    let standing = item.standing();
    let decided = item.resolution.as_ref().or(item.proposal.as_ref());
    [
        format!("D-{id}"),
        format!("F-{}", facts.fingerprint()),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        neutral(&item.owner).into_owned(),
        item.status.name().to_owned(),
        facts.class.clone(),
        Class::parse(&facts.class).map_or("", |class| class.info().code.title).to_owned(),
        facts.nature.clone(),
        facts.severity.clone(),
        as_text(&facts.invoice_number),
        as_text(&facts.payment_code),
        facts.channel.clone().unwrap_or_default(),
        amount(facts.expected),
        amount(facts.paid),
        amount(facts.difference()),
        facts.paid_at.map_or_else(String::new, wib_text),
        standing.first_seen,
        standing.last_seen,
        item.age_days(today).to_string(),
        neutral(&facts.reason).into_owned(),
        neutral(&facts.recommended).into_owned(),
        neutral(&item.comment).into_owned(),
        decided.map_or("", |made| made.action.name()).to_owned(),
        neutral(decided.map_or("", |made| made.decided_by.as_str())).into_owned(),
    ]
}

/// One row that came back: only what decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// The item.
    pub id: String,
    /// The fingerprint it was exported with.
    pub facts: String,
    /// What to do; empty: nothing.
    pub action: String,
    /// Why.
    pub reason: String,
    /// A comment.
    pub note: String,
    /// Who decided; empty: whoever imports.
    pub actor: String,
    /// Who agreed; may be empty.
    pub reviewer: String,
    /// The owner; empty: as before.
    pub owner: String,
}

/// Why a file is not one of these (exit 7).
#[derive(Debug, thiserror::Error)]
#[error("E0811: `{}` cannot be read: {reason}\nhint: save the exported file as CSV UTF-8, with its first row and its columns `discrepancy_id` and `facts`", path.display())]
pub struct ItemsError {
    /// Which file.
    pub path: PathBuf,
    /// What was found.
    pub reason: String,
}

/// Reads a file that came back, whatever delimiter, byte order mark and line ends the spreadsheet wrote.
///
/// # Errors
/// [`ItemsError`] when it is no such file at all; what is wrong with a row is for the caller to say.
pub fn read(path: &Path) -> Result<Vec<ItemRow>, ItemsError> {
    let refused = |reason: String| ItemsError { path: path.to_path_buf(), reason };
    let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes.iter().take(error.valid_up_to()).filter(|&&byte| byte == b'\n').count().saturating_add(1);
        refused(format!("line {line} is not UTF-8"))
    })?;
    // The reader counts lines by their line feeds, and a CRLF's would belong to the next row.
    rows(&text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")).map_err(|error| refused(error.to_string()))
}

fn rows(text: &str) -> io::Result<Vec<ItemRow>> {
    let head = text.lines().next().unwrap_or_default();
    let count = |delimiter: &u8| head.bytes().filter(|byte| byte == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(count).unwrap_or(b',');
    let mut csv = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = csv.headers()?.iter().map(str::to_lowercase).collect();
    for wanted in ["discrepancy_id", "facts", "action", "reason"] {
        match header.iter().filter(|column| *column == wanted).count() {
            1 => {}
            0 => return Err(io::Error::other(format!("there is no column `{wanted}`"))),
            _ => return Err(io::Error::other(format!("there are two columns `{wanted}`"))),
        }
    }
    let mut found = Vec::new();
    for record in csv.records() {
        let record = record?;
        let cell = |name: &str| {
            let text = header.iter().position(|column| column == name).and_then(|at| record.get(at)).unwrap_or_default();
            // A line break inside a cell is a space.
            plain(text).replace(['\n', '\r'], " ")
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        let bare = |text: String, prefix: &str| text.to_lowercase().strip_prefix(prefix).map_or(text, str::to_owned);
        found.push(ItemRow {
            line: record.position().map_or(0, csv::Position::line),
            id: bare(cell("discrepancy_id"), "d-"),
            facts: bare(cell("facts"), "f-"),
            action: cell("action"),
            reason: cell("reason"),
            note: cell("note"),
            actor: cell("actor"),
            reviewer: cell("reviewer"),
            owner: cell("owner"),
        });
    }
    Ok(found)
}

/// A cell without the apostrophe that kept it from being a formula.
fn plain(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@', '\''])).unwrap_or(text)
}
