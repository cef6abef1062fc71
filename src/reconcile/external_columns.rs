//! Where an external ledger has its columns, as they are called here or as a layout maps them.

use crate::domain::dimensions::VALUE_LENGTH_MAX;
use crate::domain::reason::{CellFault, ForeignByte};
use crate::table::{self, AmountFormat, Row, StoredAs, TableLayout, nearest, normalized};

const REQUIRED: [&str; 9] =
    ["invoice_number", "payment_code", "channel", "amount", "status", "reusable", "created_at", "expires_at", "cancelled_at"];
const OPTIONAL: [&str; 7] = ["paid_at", "paid_amount", "amount_history", "bill_group", "policy_status", "policy_type", "due_date"];

const DATES: [&str; 5] = ["created_at", "expires_at", "cancelled_at", "paid_at", "due_date"];

/// Where each known column is.
#[derive(Debug)]
pub(super) struct Columns {
    places: [Option<usize>; 16],
    /// Dimensions, and where they are.
    pub(super) dimensions: Vec<(String, usize)>,
    pub(super) amount_format: AmountFormat,
}

impl Columns {
    pub(super) fn of(header: &Row, layout: &TableLayout, dimensions: &[String]) -> Result<Self, table::TableFault> {
        let names = table::names(header);
        let (mut places, mut missing) = ([None; 16], Vec::new());
        let is_known = |name: &str| is_known(name, std::slice::from_ref(layout), dimensions);
        for (place, column) in places.iter_mut().zip(known()) {
            let theirs = layout.columns.get(column).map(|theirs| normalized(theirs));
            let is_it = |name: &str| theirs.as_deref().map_or(name == column, |theirs| name == theirs);
            let constant = || layout.constants.keys().position(|name| name == column).map(|at| names.len().saturating_add(at));
            *place = table::unique_place(&names, column, is_it)?.or_else(constant);
            if place.is_none() && REQUIRED.contains(&column) {
                let near = nearest(column, names.iter().map(String::as_str).filter(|name| !is_known(name)));
                missing.push(near.map_or_else(|| format!("`{column}`"), |near| format!("`{column}`, did you mean your `{near}`?")));
            }
        }
        if missing.is_empty() {
            let dimensions = layout.dimensions(dimensions, &names)?;
            return Ok(Self { places, dimensions, amount_format: layout.amount_format });
        }
        let found = table::found_words(header, &is_known);
        Err(table::TableFault::ColumnMissing { missing: missing.join(", "), found })
    }

    pub(super) fn has(&self, column: &str) -> bool {
        let place = known().position(|name| name == column);
        place.is_some_and(|place| self.places.get(place).is_some_and(Option::is_some))
    }

    /// The trimmed cell of the `index`-th known column; empty when there is no such column.
    pub(super) fn cell<'r>(&self, row: &'r Row, index: usize) -> Result<&'r str, CellFault> {
        let cell = self.places.get(index).copied().flatten().and_then(|place| row.get(place)).unwrap_or_default();
        str::from_utf8(cell).map(str::trim).map_err(|_| CellFault::NotUtf8(ForeignByte::of(cell)))
    }

    /// What the bill is broken down by: names and trimmed values.
    pub(super) fn dimensions_of<'r>(&'r self, row: &'r Row) -> Result<Vec<(&'r str, &'r str)>, CellFault> {
        let mut all = Vec::new();
        for (name, place) in &self.dimensions {
            let cell = row.get(*place).unwrap_or_default();
            let text = str::from_utf8(cell).map_err(|_| CellFault::NotUtf8(ForeignByte::of(cell)))?.trim();
            all.push((name.as_str(), first_characters(text)));
        }
        Ok(all)
    }

    /// How the cell of the `index`-th known column was stored.
    pub(super) fn kind(&self, row: &Row, index: usize) -> StoredAs {
        self.places.get(index).copied().flatten().map_or(StoredAs::Text, |place| row.kind(place))
    }

    /// Rewrites a row as its layout means it.
    pub(super) fn rewrite(&self, row: &mut Row, layout: &TableLayout) {
        for constant in layout.constants.values() {
            row.append(constant);
        }
        for (place, column) in self.places.iter().zip(known()).filter_map(|(place, column)| Some(((*place)?, column))) {
            layout.rewrite(row, place, column, DATES.contains(&column));
        }
        for (name, place) in &self.dimensions {
            layout.rewrite(row, *place, name, false);
        }
    }
}

/// As much of a value as a dimension may have.
fn first_characters(text: &str) -> &str {
    text.char_indices().nth(VALUE_LENGTH_MAX).map_or(text, |(end, _)| text.get(..end).unwrap_or_default())
}

/// Whether an external ledger has a column of that name.
#[must_use]
pub fn is_external_column(name: &str) -> bool {
    known().any(|column| column == name)
}

fn known() -> impl Iterator<Item = &'static str> {
    REQUIRED.into_iter().chain(OPTIONAL)
}

pub(super) fn is_known(name: &str, layouts: &[TableLayout], dimensions: &[String]) -> bool {
    let is_mapped = |layout: &TableLayout| layout.columns.values().any(|theirs| normalized(theirs) == name);
    known().any(|column| column == name) || layouts.iter().any(is_mapped) || dimensions.iter().any(|dimension| dimension == name)
}

/// Whether (normalized) headers have all that is needed, as they are or as a layout maps them.
pub(super) fn is_enough(names: &[String], layouts: &[TableLayout]) -> bool {
    let has = |name: &str| names.iter().any(|found| found == name);
    let in_layout = |layout: &TableLayout| {
        let has = |column: &str| {
            layout.constants.contains_key(column)
                || has(&layout.columns.get(column).map_or_else(|| column.to_owned(), |theirs| normalized(theirs)))
        };
        REQUIRED.into_iter().all(has)
    };
    REQUIRED.into_iter().all(has) || layouts.iter().any(in_layout)
}
