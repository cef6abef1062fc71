//! Discrepancies with a life: what people decide, by command and by spreadsheet.

pub(crate) mod discrepancies;
mod kept;
pub(crate) mod sheet;
