//! The bad rows of a file, whole, in the user's own columns.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::columns::Column;
use super::file::{File, Reading};
use super::{Input, IntakeError, Options};
use crate::table::Row;

/// The column that says why a row was refused; it is not read back.
pub const REASON_COLUMN: &str = "tagih_reason";

/// One file's bad rows.
#[derive(Debug)]
pub struct BadRows {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Its own header.
    pub header: Vec<String>,
    /// The rows as they are in the file, each with its reasons.
    pub rows: Vec<(Vec<String>, String)>,
}

/// Reads `files` again for the rows that `input` refused.
///
/// # Errors
/// [`IntakeError`] when a file cannot be read again, as standard input cannot.
pub fn bad_rows<T>(files: &[PathBuf], options: &Options, input: &Input<T>) -> Result<Vec<BadRows>, IntakeError> {
    let mut reasons: BTreeMap<(usize, u64), Vec<String>> = BTreeMap::new();
    for refused in &input.refused {
        let column = if refused.column.is_empty() { String::new() } else { format!("{}: ", refused.column) };
        reasons.entry(refused.place.order()).or_default().push(format!("{column}{} [{}]", refused.reason, refused.code));
    }
    let reading = Reading { wanted: Column::OF_BILLS, tables: &options.tables, allowed: &[], all_mapped: false, carries: false };
    let mut found = Vec::new();
    for (order, path) in files.iter().enumerate().filter(|(order, _)| reasons.keys().any(|(file, _)| file == order)) {
        let read = File::open(path, &reading).and_then(|mut file| {
            let texts = |row: &Row| row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect::<Vec<_>>();
            let mut bad = BadRows { file: path.clone(), header: texts(file.table.header()), rows: Vec::new() };
            let mut row = Row::default();
            while file.table.read(&mut row).map_err(|fault| file.refused(fault.into()))? {
                if let Some(reasons) = reasons.get(&(order, row.number)) {
                    bad.rows.push((texts(&row), reasons.join("; ")));
                }
            }
            Ok(bad)
        });
        found.push(read.map_err(|refused| IntakeError(vec![refused]))?);
    }
    Ok(found)
}
