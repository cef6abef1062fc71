//! Lines as they stood in their logs, for those who keep them: beside what was found of them, in files that engines need not read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::rc::Rc;

use jiff::civil::Date;

use super::entry::FORMAT;
use super::error::StoreError;
use super::list::List;
use super::load::stored;
use super::reading::{AddOptions, Made, Reading, folder};
use super::store_at::StoreAt;
use crate::columns::parquet::Groups;
use crate::columns::{Cells as _, Column, Value};
use crate::evidence::EvidenceError;
use crate::evidence::visit::visit_lines;

/// A line.
struct Raw {
    line: u32,
    raw: Vec<u8>,
}

const COLUMNS: [Column<'static, Raw>; 2] =
    [Column::count("line", |row: &Raw| u64::from(row.line).into()), Column::digest("raw", |row: &Raw| Value::digest(&row.raw))];

/// Bytes that can be taken back from whoever writes them.
#[derive(Clone, Default)]
struct Bytes(Rc<RefCell<Vec<u8>>>);

impl io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines of one day on their way.
struct Day {
    groups: Groups<Bytes>,
    bytes: Bytes,
    rows: usize,
}

impl Day {
    fn begin() -> io::Result<Self> {
        let (bytes, notes) = (Bytes::default(), vec![("tagih.evidence.format".to_owned(), FORMAT.to_string())]);
        Ok(Self { groups: Groups::lasting(bytes.clone(), &COLUMNS, notes)?, bytes, rows: 0 })
    }

    fn put(&mut self, row: &Raw) -> io::Result<()> {
        self.rows = self.rows.saturating_add(1);
        self.groups.row(&COLUMNS, row)
    }

    fn finish(self, day: Option<Date>, entry: u64) -> io::Result<Made> {
        self.groups.finish()?;
        Ok(Made::of(format!("raw/{}/{entry:06}.parquet", folder(day)), day, self.rows, self.bytes.0.take()))
    }
}

/// The lines of the messages from number `from` on, as files by the day of the first message of each.
pub(super) fn files(reading: &Reading, from: usize, entry: u64, options: &AddOptions<'_>) -> Result<Vec<Made>, EvidenceError> {
    let failed = |error: io::Error| EvidenceError::from(StoreError::disk(&options.at.path, &error));
    let mut days: BTreeMap<u32, Option<Date>> = BTreeMap::new();
    for at in reading.order.iter().skip(from) {
        if let Some(line) = reading.line(*at) {
            days.entry(line).or_insert_with(|| reading.day(*at));
        }
    }
    let (mut files, mut last, mut done): (BTreeMap<Option<Date>, Day>, u32, io::Result<()>) = (BTreeMap::new(), 0, Ok(()));
    let found = visit_lines(std::slice::from_ref(&reading.path), options.read.tables, |line, raw| {
        if let Some(day) = days.get(&line).filter(|_| last != line && done.is_ok()) {
            last = line;
            done = put(&mut files, *day, &Raw { line, raw: raw.to_vec() });
        }
    })?;
    done.map_err(failed)?;
    if found.first().map(|file| file.digest) != Some(reading.file.digest) {
        return Err(EvidenceError::unreadable(&reading.path, &io::Error::other("it was changed while it was read")));
    }
    files.into_iter().map(|(day, of_day)| of_day.finish(day, entry)).collect::<io::Result<Vec<Made>>>().map_err(failed)
}

fn put(files: &mut BTreeMap<Option<Date>, Day>, day: Option<Date>, row: &Raw) -> io::Result<()> {
    match files.entry(day) {
        Entry::Occupied(there) => there.into_mut(),
        Entry::Vacant(place) => place.insert(Day::begin()?),
    }
    .put(row)
}

impl StoreAt {
    /// Shows every line that is kept as it was: the place of its log among the files that [`read`](crate::evidence::read) gives, its number
    /// in the log, and its bytes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visit(&self, mut see: impl FnMut(u32, u32, &[u8])) -> Result<(), StoreError> {
        let list = List::read(self)?;
        for (file, log) in (0_u32..).zip(list.logs()) {
            for held in &log.raw {
                let path = self.path.join(&held.part.path);
                let table = stored(self, held)?;
                let failed = |error: io::Error| StoreError::damaged(&path, error);
                let (lines, raws) = (table.numbers("line").map_err(failed)?, table.digests("raw").map_err(failed)?);
                for (line, raw) in lines.into_iter().zip(raws) {
                    if let (Some(line), Some(raw)) = (line.and_then(|line| u32::try_from(line).ok()), raw) {
                        see(file, line, raw);
                    }
                }
            }
        }
        Ok(())
    }
}
