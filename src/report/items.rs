//! items.csv: discrepancies handed to a spreadsheet for decisions, and the file that comes back.
//!
//! A spreadsheet rewrites what it takes for a number, a date or a formula. So the way back relies on two cells alone, the id and
//! the fingerprint of the facts, both with a letter in front; codes and invoice numbers carry an apostrophe and are for reading.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::atomic::{self, WriteError};
use super::item_choice::Choice;
use super::words::Words;
use crate::columns::{self, Column, Format, Value};
use crate::domain::classify::Class;
use crate::domain::language::Language;
use crate::domain::spreadsheet::escaped;
use crate::exit::{Exit, Explained, Explanation};
use crate::register::{Item, Resolution, codes};
use crate::table::{self, Header, Shape, Table, TableFault, TableLayout, TableLimits, TableSettings};

/// An item, and the day its age is told of.
struct Row<'a> {
    id: &'a str,
    item: &'a Item,
    today: Date,
}

impl Row<'_> {
    fn decided(&self) -> Option<&Resolution> {
        self.item.resolution.as_ref().or(self.item.proposal.as_ref())
    }
}

/// What a row is written from: the facts, and what waits for a second person, if anything does.
pub(super) fn looked_at(item: &Item) -> String {
    let proposal = item.proposal_id().map_or_else(String::new, |proposal| format!("-{proposal}"));
    format!("F-{}{proposal}", item.facts.fingerprint())
}

/// Even a bare digit string or `OCT-10` would be rewritten on saving.
fn as_text(text: &str) -> Value<'_> {
    match escaped(text) {
        safe if safe.is_empty() || safe.starts_with('\'') => safe.into(),
        safe => format!("'{safe}").into(),
    }
}

fn columns<'a>() -> [Column<'static, Row<'a>>; 33] {
    [
        Column::text("discrepancy_id", |row| format!("D-{}", row.id).into()),
        Column::text("facts", |row| looked_at(row.item).into()),
        Column::text("action", |_| Value::Empty),
        Column::text("reason", |_| Value::Empty),
        Column::text("amount", |_| Value::Empty),
        Column::text("target", |_| Value::Empty),
        Column::text("account", |_| Value::Empty),
        Column::text("reference", |_| Value::Empty),
        Column::text("effective_on", |_| Value::Empty),
        Column::text("note", |_| Value::Empty),
        Column::text("actor", |_| Value::Empty),
        Column::text("reviewer", |_| Value::Empty),
        Column::foreign("owner", |row| (&row.item.owner).into()),
        Column::text("status", |row| row.item.status.name().into()),
        Column::text("class", |row| (&row.item.facts.class).into()),
        Column::text("title", |row| Class::parse(&row.item.facts.class).map(|class| class.info().code.title).into()),
        Column::text("nature", |row| (&row.item.facts.nature).into()),
        Column::text("severity", |row| (&row.item.facts.severity).into()),
        Column::text("invoice_number", |row| as_text(&row.item.facts.invoice_number)),
        Column::text("payment_code", |row| as_text(&row.item.facts.payment_code)),
        Column::text("channel", |row| row.item.facts.channel.as_ref().into()),
        Column::rupiah("amount_expected", |row| row.item.facts.expected.into()),
        Column::rupiah("amount_paid", |row| row.item.facts.paid.into()),
        Column::rupiah("amount_difference", |row| row.item.facts.difference().into()),
        Column::instant("paid_at", |row| row.item.facts.paid_at.into()),
        Column::text("first_seen", |row| row.item.standing().first_seen.into()),
        Column::text("last_seen", |row| row.item.standing().last_seen.into()),
        Column::count("age_days", |row| i64::from(row.item.age_days(row.today)).into()),
        Column::foreign("finding", |row| (&row.item.facts.reason).into()),
        Column::foreign("recommended", |row| (&row.item.facts.recommended).into()),
        Column::foreign("comment", |row| (&row.item.comment).into()),
        Column::text("decided", |row| row.decided().map(|made| made.action.name()).into()),
        Column::foreign("decided_by", |row| row.decided().map(|made| &made.decided_by).into()),
    ]
}

/// Whether a file that begins like this is an earlier export, as CSV or a workbook: anything else is somebody's, and stays.
#[must_use]
pub fn is_export(start: &[u8], is_workbook: bool) -> bool {
    let first = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    let first = first.strip_prefix(b"\"").unwrap_or(first);
    if is_workbook { start.starts_with(b"PK\x03\x04") } else { first.starts_with(b"discrepancy_id") }
}

/// Writes `items` with empty columns for decisions; ages are as of `today`.
///
/// # Errors
/// [`WriteError`]; what stood there before is unchanged.
pub fn write(path: &Path, items: &[(&String, &Item)], today: Date) -> Result<(), WriteError> {
    atomic::write(path, |writer| {
        let rows = items.iter().map(|(id, item)| Row { id, item, today });
        Format::Csv.write(&columns(), rows, writer)
    })
}

/// One row that came back: only what decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Why it cannot be read; nothing else of it counts then.
    pub wrong: Option<String>,
    /// The item.
    pub id: String,
    /// The fingerprint it was exported with.
    pub facts: String,
    /// What to do; empty: nothing.
    pub action: String,
    /// Why.
    pub reason: String,
    /// How many rupiah; empty: all that is open.
    pub amount: String,
    /// `apply`: the bill's invoice number.
    pub target: String,
    /// `explain`: the account.
    pub account: String,
    /// How a transfer is found elsewhere.
    pub reference: String,
    /// The day it takes effect on; empty: today.
    pub effective_on: String,
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
#[error("E0811: `{}` cannot be read: {reason}\nhint: save the exported file as XLSX or as CSV UTF-8, with its first row and its columns `discrepancy_id` and `facts`", path.display())]
pub struct ItemsError {
    /// Which file.
    pub path: PathBuf,
    /// What was found.
    pub reason: String,
}

impl Explained for ItemsError {
    fn explanation(&self) -> Explanation {
        Explanation::new(Exit::Input, codes::REFUSED)
    }
}

/// Reads a file that came back: CSV as the spreadsheet wrote it, or XLSX.
///
/// # Errors
/// [`ItemsError`] when it is no such file at all; what is wrong with a row is for the caller to say.
pub fn read(path: &Path, tables: &TableSettings) -> Result<Vec<ItemRow>, ItemsError> {
    let refused = |fault: TableFault| ItemsError { path: path.to_path_buf(), reason: format!("it {fault}") };
    let columns = columns();
    let is_known =
        |name: &str| columns::names(&columns).any(|own| own == name) || DECIDING.into_iter().any(|column| is_called(name, column));
    let own = TableLayout::default();
    let candidates: Vec<&TableLayout> = std::iter::once(&own).chain(&tables.layouts).collect();
    let is_enough = |names: &[String]| {
        let has = |layout: &&TableLayout, wanted: &str| names.iter().any(|name| is_it(layout, wanted, name));
        candidates.iter().any(|layout| WANTED.iter().all(|wanted| has(layout, wanted)))
    };
    let header = Header { is_known: &is_known, is_enough: &is_enough };
    let limits = TableLimits::default();
    let shape = Shape { delimiter: None, sheet: tables.sheet.as_deref(), limits: &limits, header, is_strict: true };
    let mut table = Table::open(path, &shape).map_err(refused)?;
    let names = table::names(table.header());
    let layout = table::chosen(&tables.layouts, tables.layout.as_deref(), &names).unwrap_or(&own);
    let mut places = BTreeMap::new();
    for column in DECIDING {
        match table::unique_place(&names, column, |name| is_it(layout, column, name)).map_err(refused)? {
            Some(place) => drop(places.insert(column, place)),
            None if WANTED.contains(&column) => {
                let found = table::found_words(table.header(), &is_known);
                return Err(refused(TableFault::ColumnMissing { missing: format!("the column `{column}`"), found }));
            }
            None => {}
        }
    }
    let (mut found, mut row) = (Vec::new(), table::Row::default());
    while table.read(&mut row).map_err(refused)? {
        if row.wrong.is_none() {
            for (column, &place) in &places {
                layout.rewrite(&mut row, place, column, false);
            }
        }
        found.push(item(&row, &places));
    }
    Ok(found)
}

/// Whether `layout` calls `column` so; without a word of it, the headings of both languages count.
fn is_it(layout: &TableLayout, column: &str, name: &str) -> bool {
    layout.columns.get(column).map_or_else(|| is_called(name, column), |theirs| table::normalized(theirs) == name)
}

fn is_called(name: &str, column: &str) -> bool {
    name == column || Language::ALL.into_iter().any(|language| table::normalized(heading(column, Words::of(language))) == name)
}

/// The heading of a column that is filled in, in a person's language; of any other, its name.
pub(super) fn heading<'c>(column: &'c str, words: &'static Words) -> &'c str {
    match column {
        "action" => words.decide_action(),
        "reason" => words.decide_reason(),
        "amount" => words.decide_amount(),
        "target" => words.decide_target(),
        "account" => words.decide_account(),
        "reference" => words.decide_reference(),
        "effective_on" => words.decide_effective_on(),
        "note" => words.decide_note(),
        "actor" => words.decide_actor(),
        "reviewer" => words.decide_reviewer(),
        "owner" => words.decide_owner(),
        other => other,
    }
}

/// What is read back.
const DECIDING: [&str; 13] = [
    "discrepancy_id",
    "facts",
    "action",
    "reason",
    "amount",
    "target",
    "account",
    "reference",
    "effective_on",
    "note",
    "actor",
    "reviewer",
    "owner",
];
/// Without these nothing can be decided.
const WANTED: [&str; 4] = ["discrepancy_id", "facts", "action", "reason"];

fn item(row: &table::Row, places: &BTreeMap<&str, usize>) -> ItemRow {
    if let Some(wrong) = row.wrong {
        return ItemRow { line: row.line, wrong: Some(wrong.to_string()), ..ItemRow::default() };
    }
    let cell = |name: &str| {
        let text = places.get(name).and_then(|&place| row.text(place)).unwrap_or_default();
        // A line break inside a cell is a space.
        text.trim().replace("\r\n", " ").replace(['\n', '\r'], " ")
    };
    let bare = |text: String, prefix: &str| text.to_lowercase().strip_prefix(prefix).map_or(text, str::to_owned);
    ItemRow {
        line: row.line,
        wrong: None,
        id: bare(cell("discrepancy_id"), "d-"),
        facts: bare(cell("facts"), "f-"),
        action: Choice::meant(&cell("action")).map_or_else(|| cell("action"), |choice| choice.name().to_owned()),
        reason: cell("reason"),
        amount: cell("amount"),
        target: cell("target").trim_start_matches('\'').to_owned(),
        account: cell("account"),
        reference: cell("reference").trim_start_matches('\'').to_owned(),
        effective_on: cell("effective_on"),
        note: cell("note"),
        actor: cell("actor"),
        reviewer: cell("reviewer"),
        owner: cell("owner"),
    }
}
