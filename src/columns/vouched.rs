//! Files of ours that are read back. Whatever is ours to read is in a list of ours with a digest, and is held against it before anything
//! parses it: what a damaged byte makes of a format's parser (one asks for more memory than there is, which ends the program) is then
//! nobody's question.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::domain::digest::{self, Digest, Running};
use crate::private;

/// A file whose bytes are those that were written.
#[derive(Debug)]
pub struct Vouched(File);

impl Vouched {
    /// Opens the file at `path`, which a list says has the digest `sha256`, in hexadecimal.
    ///
    /// # Errors
    /// The system's; and where it has other bytes.
    pub fn open(path: &Path, sha256: &str) -> io::Result<Self> {
        let mut file = private::regular(path)?;
        let (mut running, mut buffer) = (Running::default(), vec![0_u8; 1 << 18]);
        while let Some(piece @ [_, ..]) = file.read(&mut buffer).map(|count| buffer.get(..count))? {
            running.update(piece);
        }
        if digest::hex(&running.finish()) == sha256 { Ok(Self(file)) } else { Err(other()) }
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

/// Holds bytes that were read at once against their digest.
///
/// # Errors
/// That they are others.
pub(super) fn check(bytes: &[u8], sha256: &Digest) -> io::Result<()> {
    if digest::of_bytes(bytes) == *sha256 { Ok(()) } else { Err(other()) }
}

fn other() -> io::Error {
    io::Error::other("has other bytes than were written")
}
