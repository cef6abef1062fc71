//! What is looked for in a file beside tagih's own columns, and where it is: keys of the merchant's own, and dimensions.
//!
//! Belongs here: which headers mean something. Must not be here: where tagih's own columns are (`columns`), what a cell may hold.

use super::bill_column::BillColumn;
use super::error::FileFault;
use crate::table::{self, Row, TableLayout, nearest, normalized};

/// Before a key of the merchant's own: `additional_info.branch`.
const FREE: &str = "additional_info.";

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// tagih's own columns.
    pub(super) columns: &'static [BillColumn],
    /// What bills are broken down by (`[report] dimensions`): columns that keep the names they have there.
    pub(super) dimensions: &'a [String],
}

impl Wanted<'_> {
    /// Whether a header (normalized) means something.
    pub(super) fn is_known(&self, header: &str, layouts: &[&TableLayout]) -> bool {
        let is_mapped = |layout: &&TableLayout| layout.columns.values().any(|theirs| normalized(theirs) == header);
        let is_dimension = || self.dimensions.iter().any(|name| name == header);
        let is_own = self.is_of_bills() && (header.starts_with(FREE) || is_dimension());
        is_own || self.columns.iter().any(|column| column.is_called(header)) || layouts.iter().any(is_mapped)
    }

    /// Whether the file may have columns beside tagih's own: one of bills.
    pub(super) fn is_of_bills(&self) -> bool {
        self.columns.contains(&BillColumn::OverrideNotificationUrl)
    }

    /// The keys of the merchant's own, and where they are. A key is written as the header has it: in JSON its case counts.
    pub(super) fn free_keys(&self, names: &[String], header: &Row) -> Result<Vec<(String, usize)>, FileFault> {
        let mut free = Vec::new();
        for (index, name) in names.iter().enumerate().filter(|(_, name)| self.is_of_bills() && name.starts_with(FREE)) {
            table::unique_place(names, name, |other: &str| other == name)?;
            let whole = header.text(index).unwrap_or_default().trim();
            free.push((whole.get(FREE.len()..).unwrap_or_default().to_owned(), index));
        }
        Ok(free)
    }

    /// The dimensions, and where they are.
    pub(super) fn dimensions(&self, names: &[String], layout: &TableLayout) -> Result<Vec<(String, usize)>, FileFault> {
        if !self.is_of_bills() {
            return Ok(Vec::new());
        }
        Ok(layout.dimensions(self.dimensions, names)?)
    }

    /// Names of columns in a layout must be tagih's, or those of dimensions.
    pub(super) fn check_names(&self, layout: &TableLayout) -> Result<(), FileFault> {
        let mut names = layout.columns.keys().chain(layout.values.keys()).chain(layout.constants.keys());
        let Some(name) = names.find(|name| !self.dimensions.contains(name) && BillColumn::parse(name).is_none()) else { return Ok(()) };
        let own = BillColumn::OF_BILLS.iter().chain(BillColumn::OF_CODES).map(|column| column.name());
        let known = own.chain(self.dimensions.iter().map(String::as_str));
        let suggestion = nearest(name, known).map_or_else(String::new, |known| format!(", did you mean `{known}`?"));
        Err(FileFault::Mapping { name: name.clone(), suggestion })
    }
}
