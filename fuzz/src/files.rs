//! What people, banks and earlier months hand over as files.

use std::hint::black_box;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tagih::columns::stored::Stored;
use tagih::columns::vouched::Vouched;
use tagih::domain::digest;
use tagih::intake::{self, Options};
use tagih::table::{Header, Row, Shape, Table, TableLimits, TableSettings};
use tagih::{books, config, evidence, journal as decisions};

use crate::doku;

/// A folder in memory, of this process alone.
static PLACE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
});

/// The bytes as a file.
fn file(name: &str, data: &[u8]) -> PathBuf {
    let path = PLACE.path().join(name);
    std::fs::write(&path, data).unwrap();
    path
}

/// A thousandth of what a file may hold: what is too much shall be reached.
fn limits() -> TableLimits {
    let usual = TableLimits::default();
    TableLimits { rows_max: 1_000, file_bytes_max: 1 << 20, ..usual }
}

pub fn table(data: &[u8]) {
    let limits = limits();
    let is_known = |name: &str| matches!(name, "invoice_number" | "amount" | "channel" | "jumlah");
    let header = Header { is_known: &is_known, is_enough: &|names| names.iter().any(|name| name == "amount" || name == "jumlah") };
    for is_strict in [false, true] {
        let shape = Shape { delimiter: None, sheet: None, limits: &limits, header, is_strict };
        let Ok(mut table) = Table::of(Cursor::new(data.to_vec()), &shape) else { continue };
        let mut row = Row::default();
        let mut read = 0_u64;
        while let Ok(true) = table.read(&mut row) {
            row.iter().for_each(|cell| _ = black_box(cell.len()));
            read += 1;
            assert!(read <= limits.rows_max, "no more rows than there may be");
        }
    }
}

pub fn bills(data: &[u8]) {
    let mut options = Options::new("2026-11-01T00:00:00Z".parse().unwrap());
    options.tables.limits = limits();
    let path = file("bills", data);
    if let Ok(found) = intake::read(&[path], &options) {
        black_box(found);
    }
}

pub fn log(data: &[u8]) {
    if let Ok(found) = doku::read(data) {
        black_box(found.lines.len());
    }
}

pub fn settlement(data: &[u8]) {
    if let Ok(found) = evidence::settlement::read(&[file("settlement", data)], &TableSettings::default()) {
        black_box(found);
    }
}

pub fn bank(data: &[u8]) {
    if let Ok(found) = evidence::bank::read(&[file("bank", data)], &TableSettings::default(), &|_| true) {
        black_box(found.unread().count());
    }
}

pub fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(found) = config::resolve(Some(("/etc/tagih/tagih.toml", text)), [], &[]) {
        black_box(found);
    }
}

pub fn journal(data: &[u8]) {
    if let Ok(found) = decisions::read(&file("journal", data)) {
        black_box((found.periods().ok(), found.proposed().is_some()));
    }
}

/// The files of a month, one of which (by the first byte) is other than it was.
pub fn carry(data: &[u8]) {
    static FILES: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
        let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/carry-format-3/carry");
        let mut paths: Vec<PathBuf> = std::fs::read_dir(written).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let copied = |path: PathBuf| {
            let bytes = std::fs::read(&path).unwrap();
            (file(path.file_name().unwrap().to_str().unwrap(), &bytes), bytes)
        };
        paths.into_iter().map(copied).collect()
    });
    let Some((choice, bytes)) = data.split_first() else { return };
    let (path, written) = &FILES[usize::from(*choice) % FILES.len()];
    std::fs::write(path, bytes).unwrap();
    let listed = |name: &str| {
        let (path, written) = FILES.iter().find(|(path, _)| path.ends_with(name)).unwrap();
        Vouched::open(path, &digest::hex(&digest::of_bytes(written)))
    };
    if let Ok(found) = books::carry::read(PLACE.path(), listed) {
        black_box(found);
    }
    std::fs::write(path, written).unwrap();
}

pub fn parquet(data: &[u8]) {
    let Ok(stored) = std::fs::File::open(file("table", data)).and_then(Stored::foreign) else { return };
    let columns = stored.names().count();
    for row in 0..stored.height().min(100) {
        for column in 0..columns {
            if let Ok(value) = stored.cell(row, column) {
                let _ = black_box(value.text(&mut String::new()).map(str::len));
            }
        }
    }
}
