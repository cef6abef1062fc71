//! Cells of the user's own columns, row by row as they stand in the files, for the result files.

use std::collections::BTreeSet;

use super::Place;
use super::columns::Columns;
use crate::domain::carry::Carry;
use crate::table::{Fault, Row, names, nearest, normalized, unique_place};

/// The cells of all files in one text; only what is asked for is kept.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// The headers, each once, in the order they were first met in.
    headers: Vec<String>,
    /// Which header each column of the present file has, and where the column is.
    present: Vec<(usize, usize)>,
    file_order: usize,
    rows: Vec<Kept>,
    /// Each cell's header, and where its text ends.
    cells: Vec<(u32, usize)>,
    text: String,
}

/// Which cells are a row's: from `first` to where the next row's begin.
#[derive(Clone, Copy, Debug)]
struct Kept {
    order: (usize, u64),
    first: usize,
}

impl Carried {
    /// The headers of what is carried, as the files have them.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// A row's cells in the order of the headers; `None` where its file has no such column, or the row is none of its table.
    #[must_use]
    pub fn cells(&self, place: &Place) -> Vec<Option<&str>> {
        let mut found = vec![None; self.headers.len()];
        let Ok(at) = self.rows.binary_search_by_key(&place.order(), |kept| kept.order) else { return found };
        let from = self.rows.get(at).map_or(0, |kept| kept.first);
        let to = self.rows.get(at.saturating_add(1)).map_or(self.cells.len(), |next| next.first);
        let mut start = from.checked_sub(1).and_then(|before| self.cells.get(before)).map_or(0, |&(_, end)| end);
        for &(header, end) in self.cells.get(from..to).unwrap_or_default() {
            if let Some(slot) = usize::try_from(header).ok().and_then(|header| found.get_mut(header)) {
                *slot = self.text.get(start..end);
            }
            start = end;
        }
        found
    }

    /// Begins with the next file, and gives the headers it lacks, in words.
    pub(super) fn begin(&mut self, file_order: usize, header: &Row, columns: &Columns, carry: &Carry) -> Result<Vec<String>, Fault> {
        self.file_order = file_order;
        self.present.clear();
        let (names, mut lacking) = (names(header), Vec::new());
        match carry {
            Carry::Named(wanted) => {
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
            Carry::Unused => {
                let is_unused = |place: &usize| columns.at(*place).is_none() && !columns.is_free(*place);
                let mut seen = BTreeSet::new();
                for place in (0..header.len()).filter(is_unused) {
                    let header = columns.header(place);
                    // What says why a row was refused before is no column of the user's.
                    if !header.is_empty() && header != super::bad::REASON_COLUMN {
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

    /// Keeps what is asked for of a row of the present file.
    pub(super) fn take(&mut self, row: &Row) {
        if self.present.is_empty() || row.wrong.is_some() {
            return;
        }
        self.rows.push(Kept { order: (self.file_order, row.number), first: self.cells.len() });
        for &(header, place) in &self.present {
            self.text.push_str(row.text(place).unwrap_or_default());
            self.cells.push((u32::try_from(header).unwrap_or(u32::MAX), self.text.len()));
        }
    }
}
