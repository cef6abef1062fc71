//! items.csv: discrepancies handed to a spreadsheet for decisions, and the file that comes back.
//!
//! A spreadsheet rewrites what it takes for a number, a date or a formula. So the way back relies on two cells alone, the id and
//! the fingerprint of the facts, both with a letter in front; codes and invoice numbers carry an apostrophe and are for reading.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::atomic::{self, WriteError};
use super::items_sheet::Choice;
use super::text::neutral;
use super::words::Words;
use crate::domain::calendar::format_wib_seconds;
use crate::domain::classify::Class;
use crate::domain::language::Language;
use crate::register::Item;
use crate::table::{self, Fault, Header, Layout, Limits, Row, Settings, Shape, Table};

const COLUMNS: [&str; 33] = [
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
    let as_text = |text: &str| match neutral(text) {
        safe if safe.is_empty() || safe.starts_with('\'') => safe.into_owned(),
        safe => format!("'{safe}"),
    };
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
        facts.paid_at.map_or_else(String::new, format_wib_seconds),
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

/// Reads a file that came back: CSV as the spreadsheet wrote it, or XLSX.
///
/// # Errors
/// [`ItemsError`] when it is no such file at all; what is wrong with a row is for the caller to say.
pub fn read(path: &Path, tables: &Settings) -> Result<Vec<ItemRow>, ItemsError> {
    let refused = |fault: Fault| ItemsError { path: path.to_path_buf(), reason: format!("it {fault}") };
    let is_known = |name: &str| COLUMNS.contains(&name) || DECIDING.into_iter().any(|column| is_called(name, column));
    let own = Layout::default();
    let candidates: Vec<&Layout> = std::iter::once(&own).chain(&tables.layouts).collect();
    let is_enough = |names: &[String]| {
        let has = |layout: &&Layout, wanted: &str| names.iter().any(|name| is_it(layout, wanted, name));
        candidates.iter().any(|layout| WANTED.iter().all(|wanted| has(layout, wanted)))
    };
    let header = Header { is_known: &is_known, is_enough: &is_enough };
    let limits = Limits::default();
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
                return Err(refused(Fault::ColumnMissing { missing: format!("the column `{column}`"), found }));
            }
            None => {}
        }
    }
    let (mut found, mut row) = (Vec::new(), Row::default());
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
fn is_it(layout: &Layout, column: &str, name: &str) -> bool {
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

fn item(row: &Row, places: &BTreeMap<&str, usize>) -> ItemRow {
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
