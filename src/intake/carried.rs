//! Columns of the user's own, whose cells go through to the result files as they stand in the files.

use std::collections::BTreeSet;

use super::columns::Columns;
use crate::domain::carried_columns::CarriedColumns;
use crate::table::{Row, TableFault, names, nearest, normalized, unique_place};

/// Which columns are carried through, file by file.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    /// The headers, each once, in the order they were first met in.
    headers: Vec<String>,
    /// Which header each column of the present file has, and where the column is.
    present: Vec<(usize, usize)>,
}

impl Carried {
    /// The headers of what is carried, as the files have them.
    pub(super) fn into_headers(self) -> Vec<String> {
        self.headers
    }

    /// Begins with the next file, and gives the headers it lacks, in words.
    pub(super) fn begin(&mut self, header: &Row, columns: &Columns, carry: &CarriedColumns) -> Result<Vec<String>, TableFault> {
        self.present.clear();
        let (names, mut lacking) = (names(header), Vec::new());
        match carry {
            CarriedColumns::Named(wanted) => {
                for wanted in wanted {
                    let name = normalized(wanted);
                    let place = unique_place(&names, wanted, |found| found == name)?;
                    if place.is_none() {
                        let near = nearest(wanted, columns.shown().map(|(_, shown)| shown));
                        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                        lacking.push(format!("has no column `{wanted}` to carry through{near}"));
                    }
                    self.add(wanted, place.map(|place| (columns.header(place), place)));
                }
            }
            CarriedColumns::Unused => {
                let is_unused = |place: &usize| columns.at(*place).is_none() && !columns.is_own(*place);
                let mut seen = BTreeSet::new();
                for place in (0..header.len()).filter(is_unused) {
                    let header = columns.header(place);
                    // What says why a row was refused before is no column of the user's.
                    if !header.is_empty() && header != super::bill_column::REASON_COLUMN {
                        // Of two columns of one name each is carried, the second under a name of its own.
                        let name = (1_u32..).map(|count| if count == 1 { header.to_owned() } else { format!("{header}_{count}") });
                        let name = name.into_iter().find(|name| seen.insert(normalized(name))).unwrap_or_default();
                        self.add(&name, Some((&name, place)));
                    }
                }
            }
        }
        Ok(lacking)
    }

    /// Takes the column `wanted`, which the present file has at a place under a header of its own.
    fn add(&mut self, wanted: &str, found: Option<(&str, usize)>) {
        let name = normalized(wanted);
        let known = self.headers.iter().position(|header| normalized(header) == name);
        let at = known.unwrap_or_else(|| {
            self.headers.push(found.map_or(wanted, |(header, _)| header).to_owned());
            self.headers.len().saturating_sub(1)
        });
        self.present.extend(found.filter(|_| self.present.iter().all(|&(header, _)| header != at)).map(|(_, place)| (at, place)));
    }

    /// Whether the present file's column at `place` is carried.
    pub(super) fn has(&self, place: usize) -> bool {
        self.present.iter().any(|&(_, carried)| carried == place)
    }

    /// What is asked for of a row of the present file: each cell's header, and its text.
    pub(super) fn cells(&self, row: &Row) -> Vec<(usize, String)> {
        if row.wrong.is_some() {
            return Vec::new();
        }
        self.present.iter().map(|&(header, place)| (header, row.text(place).unwrap_or_default().to_owned())).collect()
    }
}
