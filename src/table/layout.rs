//! Layouts: how somebody's own files say what tagih's columns mean.
//!
//! A row is rewritten cell by cell to what tagih would write; what cannot be rewritten stays as it is, and is refused by the
//! column's own rule with its own words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fault::TableFault;
use super::header::{normalized, unique_place};
use super::row::{Row, StoredAs};
use super::shape::TableLimits;
use super::source::STANDARD_INPUT;
use crate::domain::carried_columns::CarriedColumns;
use crate::domain::formats::{AmountFormat, DateFormat};

/// A user's own headers: tagih's column name → the header in their file.
pub type Mapping = BTreeMap<String, String>;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableLayout {
    /// Its name in the configuration; empty for what stands under `[intake]`.
    pub name: String,
    /// The user's own headers.
    pub columns: Mapping,
    /// How amounts are written.
    pub amount_format: AmountFormat,
    /// How dates are written.
    pub date_format: DateFormat,
    /// By column, what a cell is in the file → what is meant; compared without case and outer spaces.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// What every row has in a column that is not in the file.
    pub constants: BTreeMap<String, String>,
    /// Columns of the file that go through to the result files.
    pub carry: CarriedColumns,
}

impl TableLayout {
    /// Whether a file with these (normalized) names is written in it: all its headers are there. Of no headers nothing can be said.
    #[must_use]
    pub fn fits(&self, names: &[String]) -> bool {
        !self.columns.is_empty() && self.columns.values().all(|theirs| names.contains(&normalized(theirs)))
    }

    /// Whether it changes cells at all.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        self.date_format != DateFormat::Iso || !self.values.is_empty() || !self.constants.is_empty()
    }

    /// What a cell of `column` means in tagih's own writing, if that differs. Amounts are left to their column's rule.
    #[must_use]
    pub fn meaning(&self, column: &str, text: &str, is_date: bool) -> Option<String> {
        let trimmed = text.trim();
        let mapped = self
            .values
            .get(column)
            .and_then(|values| values.iter().find(|(theirs, _)| theirs.trim().eq_ignore_ascii_case(trimmed)).map(|(_, ours)| ours.clone()));
        if mapped.is_some() {
            return mapped;
        }
        if is_date && self.date_format != DateFormat::Iso { self.date_format.iso(trimmed) } else { None }
    }

    /// Where a file with these (normalized) names has the columns of dimensions, as they are called or as they are mapped here. What is the
    /// same in every row stands behind the last cell.
    ///
    /// # Errors
    /// When a name stands for two columns.
    pub fn dimensions(&self, wanted: &[String], names: &[String]) -> Result<Vec<(String, usize)>, TableFault> {
        let mut found = Vec::new();
        for name in wanted {
            let theirs = self.columns.get(name).map(|theirs| normalized(theirs));
            let place = unique_place(names, name, |header| header == theirs.as_deref().unwrap_or(name))?;
            let constant = || self.constants.keys().position(|key| key == name).map(|at| names.len().saturating_add(at));
            found.extend(place.or_else(constant).map(|place| (name.clone(), place)));
        }
        Ok(found)
    }

    /// Rewrites the cell at `place`, which is `column`'s.
    pub fn rewrite(&self, row: &mut Row, place: usize, column: &str, is_date: bool) {
        let is_stored_as_date = row.kind(place) == StoredAs::Date;
        let meaning = row.text(place).and_then(|text| self.meaning(column, text, is_date && !is_stored_as_date));
        if let Some(meaning) = meaning {
            row.replace(place, &meaning);
        }
    }
}

/// The layout for a file with these (normalized) names: the one that is `wanted`, else the only one that fits best.
#[must_use]
pub fn chosen<'l>(layouts: &'l [TableLayout], wanted: Option<&str>, names: &[String]) -> Option<&'l TableLayout> {
    if let Some(wanted) = wanted {
        return layouts.iter().find(|layout| layout.name == wanted);
    }
    layouts.iter().filter(|layout| layout.fits(names)).max_by_key(|layout| layout.columns.len())
}

/// How tables are to be opened and understood.
#[derive(Clone, Debug, Default)]
pub struct TableSettings {
    /// What stands under `[intake]`: holds for bills where no layout is chosen.
    pub base: TableLayout,
    /// What stands under `[notifications]`: holds for tables of notifications where no layout is chosen.
    pub notifications: TableLayout,
    /// The offset of times that are written without one.
    pub offset: Option<jiff::tz::Offset>,
    /// Layouts by name; chosen by their headers, or by `layout`.
    pub layouts: Vec<TableLayout>,
    /// The layout that is to be used.
    pub layout: Option<String>,
    /// Columns by which bills are broken down in reports, by the names they have there.
    pub dimensions: Vec<String>,
    /// What separates cells; sniffed among `, ; tab |` when not given.
    pub delimiter: Option<u8>,
    /// The sheet of a workbook; the first when not given.
    pub sheet: Option<String>,
    /// What a file may at most hold.
    pub limits: TableLimits,
    /// Where standard input was put, so that it can be read more than once; without it `-` is read as it comes.
    pub standard_input: Option<PathBuf>,
}

impl TableSettings {
    /// Where the bytes of the file named `path` are.
    #[must_use]
    pub fn place_of<'p>(&'p self, path: &'p Path) -> &'p Path {
        self.standard_input.as_deref().filter(|_| path.as_os_str() == STANDARD_INPUT).unwrap_or(path)
    }
}
