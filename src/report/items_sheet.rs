//! items.xlsx: what items.csv is, for people who work in a spreadsheet and in their language: the worst first, and each row offers the actions
//! that its item can take.
//!
//! It comes back through [`items::read`](super::items::read), which knows the headings and the words of both languages.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use rust_xlsxwriter::{DataValidation, DataValidationErrorStyle, DataValidationRule, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::atomic::{self, WriteError};
use super::item_choice::Choice;
use super::items::{heading, looked_at};
use super::words::Words;
use crate::books::Account;
use crate::columns::disk;
use crate::domain::calendar::format_wib_seconds;
use crate::domain::classify::{Class, Severity};
use crate::domain::language::Language;
use crate::register::Item;

/// Columns that are filled in, in their order. What an item is stands before them, what identifies its row at the end.
const FILLED: [&str; 11] =
    ["action", "reason", "amount", "target", "account", "reference", "effective_on", "note", "actor", "reviewer", "owner"];
/// How many columns say what an item is.
const TOLD: u16 = 12;
/// How wide each column is, in characters.
const WIDTHS: [f64; 30] = [
    10.0, 6.0, 28.0, 20.0, 18.0, 10.0, 13.0, 13.0, 13.0, 6.0, 44.0, 36.0, 24.0, 30.0, 13.0, 18.0, 14.0, 16.0, 12.0, 20.0, 14.0, 14.0, 16.0,
    12.0, 20.0, 24.0, 10.0, 22.0, 26.0, 20.0,
];

/// Writes `items` as a workbook in `language`; ages are as of `today`.
///
/// # Errors
/// [`WriteError`]; what stood there before is unchanged.
pub fn write(path: &Path, items: &[(&String, &Item)], today: Date, language: Language) -> Result<(), WriteError> {
    atomic::write(path, |writer| disk::written(|| build(items, today, language)?.save_to_writer(writer)))
}

/// How cells look.
struct Formats {
    head: Format,
    filled: Format,
    text: Format,
    rupiah: Format,
    day: Format,
}

fn build(items: &[(&String, &Item)], today: Date, language: Language) -> Result<Workbook, XlsxError> {
    let words = Words::of(language);
    let mut worst_first = items.to_vec();
    let severity = |item: &Item| Severity::ALL.into_iter().position(|one| one.name() == item.facts.severity);
    let size = |item: &Item| item.facts.expected.or(item.facts.paid).unwrap_or_default().unsigned_abs();
    worst_first.sort_by_key(|(id, item)| (std::cmp::Reverse(severity(item)), std::cmp::Reverse(size(item)), *id));
    let plain = || Format::new().set_font_name("Calibri").set_font_size(10).set_align(FormatAlign::Top);
    let formats = Formats {
        head: plain().set_bold().set_text_wrap().set_background_color(0xEE_F1_F5),
        filled: plain().set_background_color(0xFF_FB_E6).set_num_format("@"),
        text: plain().set_num_format("@"),
        rupiah: plain().set_num_format("#,##0"),
        day: plain().set_background_color(0xFF_FB_E6).set_num_format("yyyy-mm-dd"),
    };
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name(words.decisions_title())?;
    head(sheet, words, &formats)?;
    let mut choices: BTreeMap<Vec<Choice>, Vec<u32>> = BTreeMap::new();
    for (row, (id, item)) in (1_u32..).zip(&worst_first) {
        line(sheet, row, (id, item), today, words, &formats)?;
        choices.entry(Choice::of(item)).or_default().push(row);
    }
    offer(sheet, &choices, worst_first.len(), words)?;
    lists(workbook.add_worksheet().set_name(words.choices_title())?, &choices, words)?;
    Ok(workbook)
}

/// The headings of what is for reading: before the columns that are filled in, and after them.
const fn told(words: &'static Words) -> ([&'static str; 12], [&'static str; 5]) {
    (
        [
            words.severity,
            words.class,
            words.what,
            words.invoice,
            words.code,
            words.channel,
            words.expected,
            words.paid,
            words.difference,
            words.age,
            words.finding_told(),
            words.recommended(),
        ],
        [words.status, words.earlier_decision(), words.comment_so_far(), words.first_seen, words.paid_at],
    )
}

fn head(sheet: &mut Worksheet, words: &'static Words, formats: &Formats) -> Result<(), XlsxError> {
    let filled = FILLED.map(|column| heading(column, words));
    let (before, after) = told(words);
    let titles = before.into_iter().chain(filled).chain(after).chain(["discrepancy_id", "facts"]);
    for ((column, title), width) in (0_u16..).zip(titles).zip(WIDTHS) {
        sheet.write_string_with_format(0, column, title, &formats.head)?;
        sheet.set_column_width(column, width)?;
    }
    sheet.set_row_height(0, 30)?.set_freeze_panes(1, 4)?.set_landscape().set_repeat_rows(0, 0)?;
    Ok(())
}

fn line(
    sheet: &mut Worksheet,
    row: u32,
    (id, item): (&str, &Item),
    today: Date,
    words: &'static Words,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let facts = &item.facts;
    let class = Class::parse(&facts.class);
    let severity = Severity::ALL.into_iter().find(|one| one.name() == facts.severity).map_or("", |severity| words.severity(severity));
    let decided = item.resolution.as_ref().or(item.proposal.as_ref()).map_or("", |made| words.choice(Choice::Action(made.action)));
    let texts = [
        (0_u16, severity.to_owned()),
        (1, facts.class.clone()),
        (2, class.map_or("", |class| words.class_title(class)).to_owned()),
        (3, facts.invoice_number.clone()),
        (4, facts.payment_code.clone()),
        (5, facts.channel.clone().unwrap_or_default()),
        (10, if facts.cause.is_nothing() { facts.reason.clone() } else { words.because(&facts.cause) }),
        (11, class.map_or_else(|| facts.recommended.clone(), |class| words.class_action(class).to_owned())),
        (23, words.standing(item.status).to_owned()),
        (24, decided.to_owned()),
        (25, item.comment.clone()),
        (26, item.standing().first_seen),
        (27, facts.paid_at.map_or_else(String::new, format_wib_seconds)),
        (28, format!("D-{id}")),
        (29, looked_at(item)),
    ];
    for (column, text) in texts {
        sheet.write_string_with_format(row, column, text, &formats.text)?;
    }
    for (column, amount) in [(6_u16, facts.expected), (7, facts.paid), (8, facts.difference())] {
        if let Some(amount) = amount {
            sheet.write_number_with_format(row, column, exact(amount), &formats.rupiah)?;
        }
    }
    sheet.write_number_with_format(row, 9, item.age_days(today), &formats.rupiah)?;
    for (column, name) in (TOLD..).zip(FILLED) {
        let format = if name == "effective_on" { &formats.day } else { &formats.filled };
        match name {
            "owner" if !item.owner.is_empty() => drop(sheet.write_string_with_format(row, column, &item.owner, format)?),
            _ => drop(sheet.write_blank(row, column, format)?),
        }
    }
    Ok(())
}

/// Amounts have at most 12 digits, which a spreadsheet's number holds exactly.
#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "see above")]
const fn exact(amount: i64) -> f64 {
    amount as f64
}

/// Drop-downs, and what else a cell must be.
fn offer(sheet: &mut Worksheet, choices: &BTreeMap<Vec<Choice>, Vec<u32>>, count: usize, words: &'static Words) -> Result<(), XlsxError> {
    let last = u32::try_from(count).unwrap_or(u32::MAX);
    for ((place, offered), rows) in (0_u16..).zip(choices.keys()).zip(choices.values()).filter(|((_, offered), _)| !offered.is_empty()) {
        let column = letter(place);
        let from = format!("='{}'!${column}$1:${column}${}", words.choices_title(), offered.len());
        for run in rows.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let offer = DataValidation::new().allow_list_formula(from.as_str().into()).set_error_style(DataValidationErrorStyle::Stop);
            sheet.add_data_validation(*first, TOLD, *last, TOLD, &offer)?;
        }
    }
    if last > 0 {
        let rupiah = DataValidation::new().allow_whole_number(DataValidationRule::GreaterThan(0));
        sheet.add_data_validation(1, place_of("amount"), last, place_of("amount"), &rupiah)?;
        let names: Vec<&str> = Account::ALL.into_iter().filter(|account| account.explains()).map(Account::name).collect();
        let accounts = DataValidation::new().allow_list_strings(&names)?;
        sheet.add_data_validation(1, place_of("account"), last, place_of("account"), &accounts)?;
    }
    Ok(())
}

/// Where a column that is filled in stands.
fn place_of(column: &str) -> u16 {
    (TOLD..).zip(FILLED).find(|(_, name)| *name == column).map_or(TOLD, |(place, _)| place)
}

/// The lists that drop-downs show, one column each.
fn lists(sheet: &mut Worksheet, choices: &BTreeMap<Vec<Choice>, Vec<u32>>, words: &'static Words) -> Result<(), XlsxError> {
    for (column, offered) in (0_u16..).zip(choices.keys()) {
        sheet.set_column_width(column, 30.0)?;
        for (row, choice) in (0_u32..).zip(offered) {
            sheet.write_string(row, column, words.choice(*choice))?;
        }
    }
    Ok(())
}

/// The name of a column; there are as few lists as kinds of accounts.
fn letter(column: u16) -> char {
    u8::try_from(column).ok().and_then(|column| b'A'.checked_add(column)).map_or('A', char::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::table::normalized;

    #[test]
    fn every_word_of_a_choice_means_it_alone_and_every_heading_is_one_column() {
        for language in Language::ALL {
            let words = Words::of(language);
            for choice in Choice::all() {
                assert_eq!(Choice::meant(words.choice(choice)), Some(choice), "{}", words.choice(choice));
                assert_eq!(Choice::meant(&words.choice(choice).to_uppercase()), Some(choice));
                assert_eq!(Choice::meant(choice.name()), Some(choice));
            }
            let workbook = build(&[], Date::constant(2026, 10, 31), language);
            assert!(workbook.is_ok(), "{:?}", workbook.err());
        }
        let headings = |words: &'static Words| FILLED.map(|column| normalized(heading(column, words)));
        let all: BTreeSet<String> = Language::ALL.into_iter().flat_map(|language| headings(Words::of(language))).collect();
        let told = Language::ALL.into_iter().flat_map(|language| {
            let (before, after) = told(Words::of(language));
            before.into_iter().chain(after).map(normalized).collect::<Vec<_>>()
        });
        let twice: Vec<String> = told.filter(|heading| all.contains(heading)).collect();
        assert!(twice.is_empty(), "{twice:?} are columns to be filled in, too");
    }
}
