//! The list of a report's files with their digests, so that a folder can be held against what was written.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::columns::vouched::Vouched;
use crate::domain::digest::{self, Digest};
use crate::private;

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportFile {
    /// Its name in the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: String,
}

impl ReportFile {
    /// What `name` in `folder` is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(folder: &Path, name: &str) -> io::Result<Self> {
        let (digest, bytes) = digest_of(&folder.join(name))?;
        Ok(Self { name: name.to_owned(), bytes, sha256: digest::hex(&digest) })
    }
}

/// The summary.json of the report in `folder`, as it stands there.
///
/// # Errors
/// When there is none that can be read.
pub fn summary(folder: &Path) -> io::Result<Vec<u8>> {
    private::whole(&folder.join("summary.json"))
}

/// The files that the report in `folder` lists.
///
/// # Errors
/// When it has no summary.json that can be read.
pub fn listed(folder: &Path) -> io::Result<Vec<ReportFile>> {
    #[derive(Deserialize)]
    struct Listed {
        files: Vec<ReportFile>,
    }
    let Listed { files } = serde_json::from_slice(&summary(folder)?)?;
    Ok(files)
}

/// Opens `name` in `folder`, which must be what `listed` says.
///
/// # Errors
/// When it cannot be read, is in no list, or is not what was written.
pub fn vouched(folder: &Path, name: &str, listed: &[ReportFile]) -> io::Result<Vouched> {
    Vouched::open(&folder.join(name), &entry(name, listed)?.sha256)
}

fn entry<'l>(name: &str, listed: &'l [ReportFile]) -> io::Result<&'l ReportFile> {
    listed.iter().find(|file| file.name == name).ok_or_else(|| io::Error::other("summary.json does not list it"))
}

/// A file of a report that is digested while it is read.
#[derive(Debug)]
pub struct DigestedFile {
    file: File,
    listed: ReportFile,
    running: digest::Running,
}

impl DigestedFile {
    /// Opens `name` in `folder`, which `listed` must have.
    ///
    /// # Errors
    /// When it cannot be read, or is in no list.
    pub fn open(folder: &Path, name: &str, listed: &[ReportFile]) -> io::Result<Self> {
        let listed = entry(name, listed)?.clone();
        Ok(Self { file: private::regular(&folder.join(name))?, listed, running: digest::Running::default() })
    }

    /// What was read is taken for true only if it is all of what was written.
    ///
    /// # Errors
    /// When it is another.
    pub fn finish(mut self) -> io::Result<()> {
        io::copy(&mut self, &mut io::sink())?;
        let is_same = digest::hex(&self.running.finish()) == self.listed.sha256;
        if is_same { Ok(()) } else { Err(io::Error::other("it has been changed")) }
    }
}

impl io::Read for DigestedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        self.running.update(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Files that name the run, the ledger's last event or the journal's last entry: they say others once something went on since.
pub const OF_RUN: [&str; 4] = ["workbook.xlsx", "report.html", "carry/carry.json", "summary.json"];

/// A digest of every file but those: what a report says, whenever it is made again and whoever has signed it meanwhile.
#[must_use]
pub fn content(files: &[ReportFile]) -> String {
    digest_of_list(files.iter().filter(|file| !OF_RUN.contains(&file.name.as_str())))
}

/// A digest of every file.
#[must_use]
pub fn all(files: &[ReportFile]) -> String {
    digest_of_list(files.iter())
}

fn digest_of_list<'f>(files: impl Iterator<Item = &'f ReportFile>) -> String {
    let mut lines: Vec<String> = files.map(|file| format!("{} {}\n", file.sha256, file.name)).collect();
    lines.sort_unstable();
    digest::hex(&digest::of_bytes(lines.concat().as_bytes()))
}

/// SHA-256 and size of a file.
fn digest_of(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = private::regular(path)?;
    let (mut running, mut bytes, mut buffer) = (digest::Running::default(), 0_u64, vec![0_u8; 1 << 18]);
    loop {
        let count = file.read(&mut buffer)?;
        let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
        running.update(piece);
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok((running.finish(), bytes))
}
