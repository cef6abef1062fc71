//! workbook.xlsx: a document's sections as sheets, with real numbers and dates, codes as text, ready to filter and print.
//!
//! Rows go to disk as they are made, so that a million of them take no memory. Equal documents give equal bytes: the file's
//! own date is the report's as-of.

mod front;
mod sheet;
mod style;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::atomic::FileWriter;
use super::document::{Document, DocumentTable, Mood, Section};
use super::words::Words;
use crate::columns::disk;
use sheet::Sheet;
use style::Styles;

/// Rows of one sheet, by the format.
pub(super) const ROWS_MAX: u32 = 1_048_576;
/// Its name's length, by the format.
const NAME_MAX: usize = 31;

/// Writes the workbook. No sheet gets more than `rows_max` rows: what is over goes on in a further sheet. `scratch` is a
/// folder for what waits to be compressed.
pub(super) fn write(document: &Document<'_>, rows_max: u32, scratch: &Path, writer: &mut FileWriter) -> io::Result<()> {
    disk::written(|| build(document, rows_max, scratch)?.save_to_writer(writer))
}

fn build(document: &Document<'_>, rows_max: u32, scratch: &Path) -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    workbook.set_tempdir(scratch)?;
    workbook.set_properties(&properties(document)?);
    let links = links(document);
    let mut book = Book { document, workbook, styles: Styles::new(), names: HashSet::new(), links, rows_max };
    book.cover()?;
    for section in document.sections.iter().filter(|section| section.audience.has_workbook()) {
        book.section(section)?;
    }
    Ok(book.workbook)
}

fn properties(document: &Document<'_>) -> Result<DocProperties, XlsxError> {
    let created_at = ExcelDateTime::from_timestamp(document.as_of.as_second())?;
    Ok(DocProperties::new()
        .set_title(&document.title)
        .set_subject(&document.cover.subtitle)
        .set_author("tagih")
        .set_creation_datetime(&created_at))
}

/// A workbook being written.
struct Book<'a, 'b> {
    document: &'a Document<'b>,
    workbook: Workbook,
    styles: Styles,
    names: HashSet<String>,
    /// The sheet of each section.
    links: BTreeMap<String, String>,
    rows_max: u32,
}

/// The names that the sheets of sections will have.
fn links(document: &Document<'_>) -> BTreeMap<String, String> {
    let mut taken = HashSet::new();
    name(Words::of(document.language).cover, &mut taken);
    let sections = document.sections.iter().filter(|section| section.audience.has_workbook());
    sections.map(|section| (section.id.clone(), name(&section.title, &mut taken))).collect()
}

impl Book<'_, '_> {
    fn words(&self) -> &'static Words {
        Words::of(self.document.language)
    }

    /// The first sheet: outcome, figures, facts, signatures.
    fn cover(&mut self) -> Result<(), XlsxError> {
        let (words, footer) = (self.words(), self.document.footer.as_str());
        let name = name(words.cover, &mut self.names);
        let cover = &self.document.cover;
        let mut sheet = Sheet::new(self.workbook.add_worksheet_with_constant_memory()?, &self.styles, &self.document.title);
        sheet.name(&name)?.widths(&[46, 24, 24, 46])?;
        sheet.heading(&self.document.title, &cover.subtitle, 4)?;
        sheet.verdict(&cover.verdict, cover.mood)?;
        for caveat in &cover.caveats {
            sheet.verdict(caveat, Mood::Bad)?;
        }
        for highlight in &cover.highlights {
            sheet.highlight(highlight)?;
        }
        sheet.flow(words.flow(), &cover.flow, &self.links)?;
        sheet.remark(words.flow_note(), 4)?;
        sheet.tasks(words, &cover.tasks, &self.links)?;
        sheet.verdict(&cover.tie.0, cover.tie.1)?;
        if !cover.comparison.rows.is_empty() {
            sheet.listed(&cover.comparison)?;
        }
        sheet.contents(words.contents, self.document.sections.iter().map(|section| section.id.as_str()), &self.links)?;
        sheet.facts(&cover.facts)?;
        sheet.signatures(&cover.signatures, words.signature)?;
        sheet.finish(footer, words.page_of);
        Ok(())
    }

    fn section(&mut self, section: &Section<'_>) -> Result<(), XlsxError> {
        let (words, footer, rows_max) = (self.words(), self.document.footer.as_str(), self.rows_max);
        let widths = widths(section, words);
        let span = section.tables.iter().map(|table| shown(table).count()).max().unwrap_or(1);
        let is_single = section.tables.len() == 1;
        let mut sheet = self.begin(section, &widths, span)?;
        for table in &section.tables {
            let columns: Vec<usize> = shown(table).collect();
            if !is_single {
                sheet.caption(&table.caption)?;
            }
            sheet.head(table, &columns, is_single)?;
            for row in table.rows.iter() {
                // One row is kept for the totals.
                if sheet.row.saturating_add(1) >= rows_max {
                    sheet.end_of_rows(table, &columns, is_single)?;
                    sheet.finish(footer, words.page_of);
                    sheet = self.begin(section, &widths, span)?;
                    sheet.head(table, &columns, is_single)?;
                }
                sheet.cells(table, &columns, &row, sheet::Place::Body)?;
            }
            sheet.end_of_rows(table, &columns, is_single)?;
            if let Some(totals) = &table.totals {
                sheet.cells(table, &columns, totals, sheet::Place::Totals)?;
            }
            sheet.row = sheet.row.saturating_add(1);
        }
        sheet.finish(footer, words.page_of);
        Ok(())
    }

    /// A further sheet of a section, up to its first table.
    fn begin(&mut self, section: &Section<'_>, widths: &[u16], span: usize) -> Result<Sheet<'_>, XlsxError> {
        let name = name(&section.title, &mut self.names);
        let mut sheet = Sheet::new(self.workbook.add_worksheet_with_constant_memory()?, &self.styles, &self.document.title);
        sheet.name(&name)?.widths(widths)?;
        sheet.heading(&section.title, &section.note, span)?;
        Ok(sheet)
    }
}

/// Places of the columns a workbook shows.
fn shown(table: &DocumentTable<'_>) -> impl Iterator<Item = usize> {
    table.columns.iter().enumerate().filter(|(_, column)| column.audience.has_workbook()).map(|(place, _)| place)
}

/// How wide each column must be for its heading, its kind and its first rows.
fn widths(section: &Section<'_>, words: &Words) -> Vec<u16> {
    const LOOKED_AT: usize = 200;
    let mut widths: Vec<u16> = Vec::new();
    for table in &section.tables {
        let rows: Vec<_> = table.rows.first(LOOKED_AT).chain(table.totals.clone()).collect();
        for (at, place) in shown(table).enumerate() {
            let Some(column) = table.columns.get(place) else { continue };
            let texts = rows.iter().filter_map(|row| row.get(place)).map(|cell| super::text::cell(words, column.kind, cell));
            let longest = texts.map(|text| text.chars().count()).max().unwrap_or(0).max(column.title.chars().count().saturating_add(2));
            let width = u16::try_from(longest.saturating_add(2)).unwrap_or(u16::MAX).clamp(8, style::width_max(column.kind));
            match widths.get_mut(at) {
                Some(known) => *known = (*known).max(width),
                None => widths.push(width),
            }
        }
    }
    widths
}

/// A sheet's name: allowed letters only, at most 31, and no other sheet's.
fn name(title: &str, taken: &mut HashSet<String>) -> String {
    let allowed: String = title.chars().filter(|letter| !matches!(letter, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'')).collect();
    let numbers = (1_u32..).map(|number| if number == 1 { String::new() } else { format!(" ({number})") });
    let names = numbers.map(|suffix| {
        let stem: String = allowed.chars().take(NAME_MAX.saturating_sub(suffix.len())).collect();
        format!("{}{suffix}", stem.trim_end())
    });
    // The format takes `a` and `A` for one name.
    let mut names = names.filter(|name| taken.insert(name.to_lowercase()));
    names.next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
