//! Where a file has the columns tagih knows.
//!
//! Belongs here: the mapping of a user's own headers. Must not be here: which columns there are (`bill_column`), what a cell may hold.

use super::bill_column::{BillColumn, COLUMN_COUNT};
use super::error::FileFault;
use super::wanted::Wanted;
use crate::table::{self, Row, TableLayout, nearest, normalized};

/// Where a file has its columns.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    found: Vec<(BillColumn, usize)>,
    /// Where each column is; every cell of every row is asked for by it.
    places: [Option<usize>; COLUMN_COUNT],
    /// Keys of the merchant's own, and where they are.
    free: Vec<(String, usize)>,
    /// Dimensions, and where they are.
    dimensions: Vec<(String, usize)>,
    headers: Vec<String>,
    /// Of each header, whether a message may show it.
    is_shown: Vec<bool>,
    /// What the header has, in words for an error.
    found_words: String,
}

impl Columns {
    /// Finds `wanted` in `header` as `layout` maps it. Constants stand behind the last cell. If `all_mapped`, every mapped
    /// column must be there.
    pub(super) fn resolve(header: &Row, wanted: Wanted<'_>, layout: &TableLayout, all_mapped: bool) -> Result<Self, FileFault> {
        let mapping = &layout.columns;
        wanted.check_names(layout)?;
        let names = table::names(header);
        let is_known = |name: &str| wanted.is_known(name, &[layout]);
        let mut columns = Self {
            found: Vec::new(),
            places: [None; COLUMN_COUNT],
            free: wanted.free_keys(&names, header)?,
            dimensions: wanted.dimensions(&names, layout)?,
            headers: header.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect(),
            is_shown: table::shown_headers(header, &is_known),
            found_words: table::found_words(header, &is_known),
        };
        let mut missing = Vec::new();
        for &column in wanted.columns {
            let theirs = mapping.get(column.name()).map(|theirs| normalized(theirs));
            let is_mapped_elsewhere =
                |name: &str| mapping.iter().any(|(other, theirs)| other != column.name() && normalized(theirs) == name);
            let is_it =
                |name: &str| theirs.as_deref() == Some(name) || (column.is_called_among(name, &names) && !is_mapped_elsewhere(name));
            if let Some(place) = table::unique_place(&names, column.name(), is_it)? {
                columns.take(column, place);
            } else if all_mapped && let Some(theirs) = mapping.get(column.name()) {
                missing.push(format!("`{}` (mapped to `{theirs}`)", column.name()));
            }
        }
        for (place, name) in (names.len()..).zip(layout.constants.keys()) {
            // What the file itself says counts before a constant, so such a constant's place stays unused.
            if let Some(column) = BillColumn::parse(name).filter(|&column| columns.index(column).is_none()) {
                columns.take(column, place);
            }
        }
        if missing.is_empty() { Ok(columns) } else { Err(columns.missing(&missing)) }
    }

    fn take(&mut self, column: BillColumn, place: usize) {
        self.found.push((column, place));
        if let Some(slot) = self.places.get_mut(column.ordinal()) {
            *slot = Some(place);
        }
    }

    /// The fault of lacking `missing`, naming what there is; a first record that looks like data is not shown.
    pub(super) fn missing(&self, missing: &[String]) -> FileFault {
        let near = |text: &String| {
            let name = text.split('`').nth(1).unwrap_or_default();
            let unused = self.shown_unused().map(|(_, header)| header);
            nearest(name, unused).map_or_else(|| text.clone(), |header| format!("{text}, did you mean your `{header}`?"))
        };
        let missing = missing.iter().map(near).collect::<Vec<_>>().join(", ");
        FileFault::Table(table::TableFault::ColumnMissing { missing, found: self.found_words.clone() })
    }

    /// Headers that may be shown, with their places.
    pub(super) fn shown(&self) -> impl Iterator<Item = (usize, &str)> {
        let headers = self.headers.iter().zip(&self.is_shown).enumerate();
        headers.filter(|(_, (header, is_shown))| **is_shown && !header.is_empty()).map(|(index, (header, _))| (index, header.as_str()))
    }

    /// Of them, those of columns that are not used.
    fn shown_unused(&self) -> impl Iterator<Item = (usize, &str)> {
        self.shown().filter(|&(index, _)| self.at(index).is_none() && !self.is_own(index))
    }

    /// Where `column` is, from 0.
    pub(super) fn index(&self, column: BillColumn) -> Option<usize> {
        self.places.get(column.ordinal()).copied().flatten()
    }

    /// The column at a place, if tagih uses it.
    pub(super) fn at(&self, index: usize) -> Option<BillColumn> {
        self.found.iter().find(|(_, place)| *place == index).map(|&(column, _)| column)
    }

    /// The columns under keys of the merchant's own: the key, and where it is, from 0.
    pub(super) fn free(&self) -> &[(String, usize)] {
        &self.free
    }

    /// The columns that bills are broken down by: the name, and where it is, from 0.
    pub(super) fn dimensions(&self) -> &[(String, usize)] {
        &self.dimensions
    }

    /// Whether the column at a place is read, though it is none of tagih's: under a key of the merchant's own, or as a dimension.
    pub(super) fn is_own(&self, index: usize) -> bool {
        self.free.iter().chain(&self.dimensions).any(|(_, place)| *place == index)
    }

    /// Every column that is used, with its place.
    pub(super) fn used(&self) -> &[(BillColumn, usize)] {
        &self.found
    }

    /// The header at a place; a constant's name where no header is.
    pub(super) fn header(&self, index: usize) -> &str {
        match self.headers.get(index) {
            Some(header) => header,
            None => self.at(index).map_or("", BillColumn::name),
        }
    }

    /// A note for each column that is not used, so that a typo is seen; of one that is carried through, only where it may be one.
    pub(super) fn unused_notes(&self, wanted: Wanted<'_>, is_carried: impl Fn(usize) -> bool) -> Vec<String> {
        let hint = |header: &str| {
            let missing = wanted.columns.iter().copied().filter(|&column| self.index(column).is_none());
            let names = missing.flat_map(|column| [Some(column.name()), column.alias()]).flatten();
            nearest(header, names).map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
        };
        let others = self.shown_unused().filter(|(_, header)| *header != super::bill_column::REASON_COLUMN);
        let notes = others.map(|(index, header)| (header, hint(header), is_carried(index)));
        let notes = notes.filter(|(_, hint, is_carried)| !is_carried || !hint.is_empty());
        let word = |is_carried| if is_carried { "only carried through" } else { "not used" };
        let notes = notes.map(|(header, hint, is_carried)| format!("column `{header}` is {}{hint}", word(is_carried)));
        let is_missing = |name: &&String| wanted.is_of_bills() && self.dimensions.iter().all(|(found, _)| found != *name);
        let missing = wanted.dimensions.iter().filter(is_missing);
        let missing = missing.map(|name| format!("has no column `{name}`, which `report.dimensions` asks for; its bills are of none"));
        notes.chain(missing).collect()
    }
}
