//! Where a statement has its columns, and one row of them as a line.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::statement::{CellFault, DIGITS_MAX, Moved, Told};
use crate::domain::personal::shown;
use crate::domain::reason::ForeignByte;
use crate::domain::settlement::RowPlace;
use crate::domain::statement_text::StatementText;
use crate::table::{self, AmountFormat, DateFormat, Row, StoredAs, TableFault, TableLayout, TableSettings, nearest, normalized};

/// What columns may be called here; own headers are mapped to these names by a layout.
const COLUMNS: [&str; 7] = ["date", "amount", "direction", "credit", "debit", "description", "reference"];
/// What a `direction` says, besides words that a layout maps; also after an amount.
const WAYS: [(&str, Way); 9] = [
    ("credit", Way::In),
    ("kredit", Way::In),
    ("cr", Way::In),
    ("c", Way::In),
    ("k", Way::In),
    ("debit", Way::Out),
    ("debet", Way::Out),
    ("db", Way::Out),
    ("d", Way::Out),
];

/// Which way money goes, seen from the account's holder: a bank credits what comes in.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

fn way(word: &str) -> Option<Way> {
    WAYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|&(_, way)| way)
}

/// Where each column is.
pub(super) struct Columns {
    places: BTreeMap<&'static str, usize>,
    layout: TableLayout,
}

/// Whether a (normalized) header means something.
pub(super) fn is_known(name: &str, layouts: &[TableLayout]) -> bool {
    let is_mapped = |layout: &TableLayout| layout.columns.values().any(|theirs| normalized(theirs) == name);
    COLUMNS.contains(&name) || layouts.iter().any(is_mapped)
}

/// Whether (normalized) headers have all that is needed, as they are or as a layout maps them.
pub(super) fn is_enough(names: &[String], layouts: &[TableLayout]) -> bool {
    let has = |layout: &TableLayout, column: &str| {
        let theirs = layout.columns.get(column).map_or_else(|| column.to_owned(), |theirs| normalized(theirs));
        names.contains(&theirs)
    };
    std::iter::once(&TableLayout::default()).chain(layouts).any(|layout| missing(|column| has(layout, column)).is_empty())
}

/// What is lacking: a day, an amount in one of its two forms, a text.
fn missing(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let is_amount = has("amount") || has("credit") && has("debit");
    let wanted = [(has("date"), "date"), (is_amount, "amount"), (has("description") || has("reference"), "description")];
    wanted.into_iter().filter(|(is_there, _)| !is_there).map(|(_, column)| column).collect()
}

impl Columns {
    pub(super) fn of(header: &Row, tables: &TableSettings) -> Result<Self, TableFault> {
        let names = table::names(header);
        let layout = table::chosen(&tables.layouts, tables.layout.as_deref(), &names).cloned().unwrap_or_default();
        let mut places = BTreeMap::new();
        for column in COLUMNS {
            let theirs = layout.columns.get(column).map(|theirs| normalized(theirs));
            let is_it = |name: &str| name == theirs.as_deref().unwrap_or(column);
            if let Some(place) = table::unique_place(&names, column, is_it)? {
                places.insert(column, place);
            }
        }
        let missing = missing(|column| places.contains_key(column));
        if missing.is_empty() {
            return Ok(Self { places, layout });
        }
        let is_known = |name: &str| is_known(name, &tables.layouts);
        let words = missing.into_iter().map(|column| {
            let near = nearest(column, names.iter().map(String::as_str).filter(|name| !is_known(name)));
            let or = if column == "amount" { " (or `credit` and `debit`)" } else { "" };
            near.map_or_else(|| format!("`{column}`{or}"), |near| format!("`{column}`{or}, did you mean your `{near}`?"))
        });
        let missing = words.collect::<Vec<_>>().join(", ");
        Err(TableFault::ColumnMissing { missing, found: table::found_words(header, &is_known) })
    }

    /// The line that `row` is, or the column at fault.
    pub(super) fn line(&self, row: &Row, place: RowPlace, is_heading: bool) -> Told {
        let unread = |fault: CellFault| Told { place, text: StatementText::default(), says: Err(fault), is_no_rupiah: false, is_heading };
        if let Some(wrong) = row.wrong {
            return unread(("row", wrong.to_string()));
        }
        match self.text(row, "description").and_then(|description| Ok([description, self.text(row, "reference")?])) {
            Ok([description, reference]) => {
                let text = StatementText::of(&[&description, &reference]);
                Told { place, text, says: self.moved(row), is_no_rupiah: self.is_no_rupiah(row), is_heading }
            }
            Err(fault) => unread(fault),
        }
    }

    /// Whether the amount is one that no books hold, and the rest can be read.
    fn is_no_rupiah(&self, row: &Row) -> bool {
        let cells = ["amount", "credit", "debit"].map(|column| (column, self.cell(row, column).unwrap_or_default()));
        let number = |text: &str| text.split(' ').next().unwrap_or_default().trim_start_matches('-').to_owned();
        let is_zero = |text: &str| text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b','));
        let is_each = |is: &dyn Fn(&'static str, &str) -> bool| cells.iter().all(|(column, text)| is(column, &number(text)));
        let has_sen = cells.iter().any(|(column, text)| self.has_sen(row, column, &number(text)));
        self.date(row).is_ok() && (has_sen || is_each(&|_, text| is_zero(text)))
    }

    /// Whether `digits` are rupiah and sen.
    fn has_sen(&self, row: &Row, column: &str, digits: &str) -> bool {
        let format = self.format(row, column);
        let decimal: &[char] = match format {
            AmountFormat::Plain => &['.', ','],
            AmountFormat::DotThousands => &[','],
            AmountFormat::CommaThousands => &['.'],
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number of a workbook may have more digits than were ever meant.
        let digits_max = if self.kind(row, column) == StoredAs::Number { usize::MAX } else { 2 };
        let split = digits.rsplit_once(decimal).filter(|(_, sen)| sen.len() <= digits_max);
        split.is_some_and(|(whole, sen)| is_number(sen) && format.plain(whole).is_ok_and(|whole| is_number(&whole)))
    }

    /// How amounts of `column` are written: a number of a workbook has no separators, whatever the layout says of texts.
    fn format(&self, row: &Row, column: &str) -> AmountFormat {
        if self.kind(row, column) == StoredAs::Number { AmountFormat::Plain } else { self.layout.amount_format }
    }

    fn moved(&self, row: &Row) -> Result<Moved, CellFault> {
        Ok(Moved { on: self.date(row)?, amount: self.amount(row)?, account: None, before: None })
    }

    /// The trimmed cell of `column`; empty where there is none.
    fn cell<'r>(&self, row: &'r Row, column: &'static str) -> Result<&'r str, CellFault> {
        let cell = self.places.get(column).and_then(|&place| row.get(place)).unwrap_or_default();
        str::from_utf8(cell).map(str::trim).map_err(|_| (column, ForeignByte::of(cell).to_string()))
    }

    /// The same as a layout means it.
    fn text(&self, row: &Row, column: &'static str) -> Result<String, CellFault> {
        let text = self.cell(row, column)?;
        Ok(self.layout.meaning(column, text, false).unwrap_or_else(|| text.to_owned()))
    }

    fn kind(&self, row: &Row, column: &str) -> StoredAs {
        self.places.get(column).map_or(StoredAs::Text, |&place| row.kind(place))
    }

    fn date(&self, row: &Row) -> Result<Date, CellFault> {
        let text = self.cell(row, "date")?;
        let is_stored = self.kind(row, "date") == StoredAs::Date;
        let meaning = if is_stored { None } else { self.layout.meaning("date", text, true) };
        let iso = meaning.as_deref().unwrap_or(text);
        // A time after the day does not move it: statements are written in the bank's own.
        let day = iso.get(..10).filter(|_| iso.len() == 10 || iso.as_bytes().get(10).is_some_and(|byte| matches!(byte, b' ' | b'T')));
        day.and_then(|day| day.parse().ok()).ok_or_else(|| match text {
            "" => ("date", "it is empty".to_owned()),
            _ => ("date", format!("`{}` is no date: write 2026-10-31{}", shown(text, &[]), DateFormat::hint(text))),
        })
    }

    /// What the account received, or, below zero, gave.
    fn amount(&self, row: &Row) -> Result<i64, CellFault> {
        let amount = if self.places.contains_key("amount") { self.signed(row)? } else { self.in_two_columns(row)? };
        if amount == 0 { Err(("amount", "nothing moves: it is zero".to_owned())) } else { Ok(amount) }
    }

    /// An amount with its sign, or with a word beside it that says which way it goes.
    fn signed(&self, row: &Row) -> Result<i64, CellFault> {
        let text = self.cell(row, "amount")?;
        let after = text.rsplit_once(' ').filter(|(_, word)| way(word).is_some());
        let (digits, word) = match after {
            Some((digits, word)) => (digits, Some(word.to_owned())),
            None if self.places.contains_key("direction") => (text, Some(self.text(row, "direction")?)),
            None => (text, None),
        };
        let amount = self.rupiah(row, "amount", digits)?.ok_or_else(|| ("amount", "it is empty".to_owned()))?;
        let Some(word) = word else { return Ok(amount) };
        match way(&word) {
            Some(_) if amount < 0 => Err(("amount", "it has a sign, and a word that says which way it goes".to_owned())),
            Some(Way::In) => Ok(amount),
            Some(Way::Out) => Ok(amount.saturating_neg()),
            None => {
                let word = shown(&word, &["credit", "debit", "kredit", "debet"]);
                Err(("direction", format!("`{word}` is neither credit (CR, K) nor debit (DB, D): say what it means in a layout")))
            }
        }
    }

    fn in_two_columns(&self, row: &Row) -> Result<i64, CellFault> {
        let [credit, debit] =
            ["credit", "debit"].map(|column| match self.cell(row, column).and_then(|text| self.rupiah(row, column, text)) {
                Ok(Some(amount)) if amount < 0 => Err((column, "it is below zero".to_owned())),
                other => other.map(Option::unwrap_or_default),
            });
        match (credit?, debit?) {
            (credit, 0) => Ok(credit),
            (0, debit) => Ok(debit.saturating_neg()),
            _ => Err(("credit", "both `credit` and `debit` have an amount".to_owned())),
        }
    }

    /// Whole rupiah, with or without a minus; none where the cell is empty.
    fn rupiah(&self, row: &Row, column: &'static str, text: &str) -> Result<Option<i64>, CellFault> {
        if text.is_empty() {
            return Ok(None);
        }
        let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits.trim_start()));
        let format = self.format(row, column);
        let plain = format.plain(digits).map_err(|wrong| (column, wrong.to_string()))?;
        let is_number = (1..=DIGITS_MAX).contains(&plain.len()) && plain.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<i64> = plain.parse().ok().filter(|_| is_number);
        let number = number.ok_or_else(|| {
            let (text, hint) = (shown(text, &[]), AmountFormat::hint(digits));
            (column, format!("`{text}` is no whole number of rupiah of at most {DIGITS_MAX} digits{hint}"))
        })?;
        Ok(Some(if is_negative { number.saturating_neg() } else { number }))
    }
}
