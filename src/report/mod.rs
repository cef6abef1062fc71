//! One result, many formats: a workbook and a page to read, CSV, JSON Lines, Parquet and summary.json to compute with.
//!
//! Belongs here: writing, atomically and in a fixed order. Must not be here: any decision about what a row means.

pub mod atomic;
pub mod audit;
pub mod books;
mod carried;
mod discrepancies;
pub mod document;
mod evidence;
pub mod folder;
pub mod folder_lock;
mod input_columns;
pub mod issue;
mod item_choice;
pub mod items;
pub mod items_sheet;
pub mod manifest;
mod matched;
pub mod metrics;
mod month;
pub mod open_items;
mod page;
pub mod plan;
mod plan_columns;
mod reconciled_report;
mod runs;
mod sections;
mod settlement;
pub mod summary;
pub mod summary_books;
pub mod summary_inputs;
pub mod summary_month;
pub mod summary_settlement;
mod text;
mod words;
mod workbook;

use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use crate::books::{Account, Action};
use crate::columns::Format;
use crate::domain::language::Language;
use crate::parallel;
use crate::reconcile::Finding;

use atomic::{FileWriter, WriteError};
use books::Ended;
pub use carried::read_opening;
use manifest::ReportFile;
pub use matched::{CarriedPayment, read_matched};
pub use reconciled_report::{Presentation, Report};
use summary::Summary;

/// Why a finding is one, in `language`.
#[must_use]
pub fn reason(finding: &Finding, language: Language) -> String {
    words::Words::of(language).reason(finding)
}

/// What an account is called, in `language`.
#[must_use]
pub const fn account_name(account: Account, language: Language) -> &'static str {
    words::Words::of(language).account_name(account)
}

/// What a decision is called, in `language`.
#[must_use]
pub const fn action_name(action: Action, language: Language) -> &'static str {
    words::Words::of(language).decided(action)
}

/// Its JSON Schema lies beside every summary.json.
const SUMMARY_SCHEMA: &str = include_str!("../../docs/schema/summary.schema.json");

type Write = fn(&Report<'_>, Format, &mut FileWriter) -> io::Result<()>;

const CSV: &[Format] = &[Format::Csv];

/// Every table but the matched payments and the settlement rows, and in which formats it is written.
const TABLES: [(&str, &[Format], Write); 13] = [
    ("discrepancies", &[Format::Csv, Format::JsonLines, Format::Parquet], discrepancies::write),
    ("evidence", CSV, evidence::write),
    ("roll_forward", CSV, month::roll_forward),
    ("ageing", CSV, month::ageing),
    ("breakdown_day_channel", CSV, month::by_day),
    ("breakdown_product", CSV, month::by_product),
    ("breakdown_store", CSV, month::by_store),
    ("breakdown_class", CSV, month::by_class),
    ("breakdown_dimension", CSV, month::by_dimension),
    ("completeness", CSV, month::completeness),
    ("prior_period", CSV, month::prior_period),
    ("suspense", CSV, month::suspense),
    ("outstanding", &[Format::Parquet], carried::outstanding),
];

/// Their files.
fn tables() -> impl Iterator<Item = (String, Format, Write)> {
    TABLES
        .into_iter()
        .flat_map(|(name, formats, write)| formats.iter().map(move |format| (format!("{name}.{}", format.extension()), *format, write)))
}

const SCHEMA: &str = "summary.schema.json";

/// summary.json: the figures, and what every other file of the report must be.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    files: Vec<ReportFile>,
}

/// The workbook and the page.
const FOR_PEOPLE: [&str; 2] = ["workbook.xlsx", "report.html"];

/// Writes them into `folder`; those of an earlier run that this one does not make would seem to belong to it.
fn write_for_people(report: &Report<'_>, folder: &Path) -> Result<(), WriteError> {
    let [workbook, page] = FOR_PEOPLE.map(|name| folder.join(name));
    let Some(presentation) = report.presentation else {
        atomic::remove(&workbook)?;
        return atomic::remove(&page);
    };
    let document = sections::document(report, presentation);
    // The workbook's rows wait in this folder until they are compressed.
    atomic::probe(folder)?;
    atomic::write(&workbook, |writer| workbook::write(&document, workbook::ROWS_MAX, folder, writer))?;
    atomic::write(&page, |writer| page::write(&document, page::ROWS_MAX, writer))
}

/// Writes every file of the report into `folder`, each whole or not at all, and puts those of the books in their places. Gives what its
/// summary.json says.
///
/// # Errors
/// [`WriteError`] for the first that cannot be written.
pub fn write(report: &Report<'_>, books: Ended, folder: &Path) -> Result<Vec<u8>, WriteError> {
    // The files of the books and the matched payments are most of it, then what people read: all beside one another.
    std::thread::scope(|scope| {
        let others = [
            scope.spawn(|| books.place()),
            scope.spawn(|| atomic::write(&folder.join(matched::FILE_NAME), |writer| matched::write(report, writer))),
            scope.spawn(|| write_tables(report, folder)),
        ];
        let for_people = write_for_people(report, folder);
        let others = others.map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        others.into_iter().chain([for_people]).collect::<Result<(), _>>()
    })?;
    // Last, so that a summary stands only beside a whole report.
    let mut told = Vec::new();
    atomic::write(&folder.join("summary.json"), |writer| {
        let mut names: Vec<String> = tables().map(|(name, ..)| name).collect();
        names.extend([SCHEMA, matched::FILE_NAME].map(str::to_owned));
        names.extend(report.outcome.settled.as_ref().map(|_| settlement::FILE_NAME.to_owned()));
        names.extend(report.presentation.iter().flat_map(|_| FOR_PEOPLE).map(str::to_owned));
        names.extend(books::names());
        let files = parallel::map_parts(&names, 1, |names| names.iter().map(|name| ReportFile::of(folder, name)).collect::<Vec<_>>());
        let files = files.into_iter().flatten().collect::<io::Result<_>>()?;
        told = serde_json::to_vec_pretty(&Whole { summary: report.summary, files })?;
        told.push(b'\n');
        writer.write_all(&told)
    })?;
    Ok(told)
}

fn write_tables(report: &Report<'_>, folder: &Path) -> Result<(), WriteError> {
    let rows = folder.join(settlement::FILE_NAME);
    match &report.outcome.settled {
        Some(_) => atomic::write(&rows, |writer| settlement::write(report, Format::Csv, writer))?,
        // That of an earlier run would seem to belong to this one.
        None => atomic::remove(&rows)?,
    }
    for (name, format, write) in tables() {
        atomic::write(&folder.join(name), |writer| write(report, format, writer))?;
    }
    atomic::write(&folder.join(SCHEMA), |writer| writer.write_all(SUMMARY_SCHEMA.as_bytes()))
}
