//! The list of a report's files with their digests, so that a folder can be held against what was written.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::digest::{self, Digest};

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

/// SHA-256 and size of a file.
fn digest_of(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let (mut running, mut bytes, mut buffer) = (digest::Running::default(), 0_u64, vec![0_u8; 1 << 18]);
    loop {
        let count = file.read(&mut buffer)?;
        let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
        running.update(piece);
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok((running.finish(), bytes))
}
