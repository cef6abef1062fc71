//! The file: read without a lock, appended to by one writer at a time.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Author, Journal, JournalEntry, JournalError, Record, line};
use crate::private;

/// Reads the journal at `path`; one that does not exist is empty.
///
/// # Errors
/// [`JournalError::Damaged`] for the first line that is not what was written, [`JournalError::Storage`] when it cannot be read.
pub fn read(path: &Path) -> Result<Journal, JournalError> {
    let failed = |error: io::Error| storage(path, &error);
    let mut file = match private::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(named(path)),
        Err(error) => return Err(failed(error)),
    };
    let parsed = parse(path, &whole(&mut file).map_err(failed)?);
    if parsed.is_ok() {
        return parsed.map(|(journal, _)| journal);
    }
    // A writer may have replaced a torn line while it was being read; what is still wrong under the lock is damage.
    file.lock_shared().map_err(failed)?;
    parse(path, &whole(&mut file).map_err(failed)?).map(|(journal, _)| journal)
}

/// The one writer of a journal, and what it holds. Released when dropped or when the process ends.
#[derive(Debug)]
pub struct JournalWriter {
    path: PathBuf,
    file: File,
    journal: Journal,
    /// Where the last acknowledged line ends.
    end: u64,
}

impl JournalWriter {
    /// Waits for any other writer, then reads the journal, which is made (readable by its owner alone) if there is none.
    ///
    /// # Errors
    /// Like [`read`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |error: io::Error| storage(path, &error);
        let is_new = !path.exists();
        let mut file = private::update(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let (journal, end) = parse(path, &whole(&mut file).map_err(failed)?)?;
        if is_new {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(Self { path: path.to_path_buf(), file, journal, end })
    }

    /// What the journal says, this writer's lines included.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Appends one entry; it is durable when this returns.
    ///
    /// # Errors
    /// [`JournalError::Storage`]; the journal is then as it was.
    pub fn append(&mut self, at: Timestamp, author: &Author, entry: JournalEntry) -> Result<&Record, JournalError> {
        let (bytes, record) = line::write(self.journal.head(), at, author, entry).map_err(|error| storage(&self.path, &error.into()))?;
        if let Err(error) = self.put(&bytes) {
            // What cannot be taken back here is a line without its newline, which readers pass over and the next writer cuts.
            drop(self.file.set_len(self.end));
            return Err(storage(&self.path, &error));
        }
        self.end = self.end.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.journal.records.push(record);
        self.journal.records.last().ok_or_else(|| storage(&self.path, &io::Error::other("the line just written is missing")))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Cuts what an earlier writer did not finish; nobody was told of it.
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(bytes)?;
        self.file.sync_all()
    }
}

fn whole(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn named(path: &Path) -> Journal {
    Journal { path: path.display().to_string(), records: Vec::new() }
}

/// Every whole line, and where the last of them ends.
fn parse(path: &Path, bytes: &[u8]) -> Result<(Journal, u64), JournalError> {
    let mut journal = named(path);
    let mut end = 0_u64;
    for part in bytes.split_inclusive(|&byte| byte == b'\n') {
        let Some(whole) = part.strip_suffix(b"\n") else { break };
        let head = journal.head();
        let record = line::read(whole, head).map_err(|reason| JournalError::Damaged {
            path: journal.path.clone(),
            line: head.sequence.saturating_add(1),
            reason,
        })?;
        journal.records.push(record);
        end = end.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
    }
    Ok((journal, end))
}

fn storage(path: &Path, error: &io::Error) -> JournalError {
    JournalError::Storage { path: path.display().to_string(), reason: error.to_string() }
}
