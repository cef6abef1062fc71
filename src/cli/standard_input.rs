//! Standard input that is read more than once: kept in a file of its own while the command runs.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::failure::Failure;
use crate::exit::Exit;
use crate::private;
use crate::table::STANDARD_INPUT;

/// Where it was put, if it was: a file without a name, which no other process can open and which is gone with the command, also with one that
/// is killed.
#[derive(Debug, Default)]
pub(super) struct StandardInput(OnceLock<(File, PathBuf)>);

impl StandardInput {
    pub(super) fn path(&self) -> Option<&Path> {
        self.0.get().map(|(_, path)| path.as_path())
    }

    /// Keeps it if it is one of `files`.
    pub(super) fn keep(&self, files: &[PathBuf]) -> Result<(), Failure> {
        if self.path().is_some() || files.iter().all(|file| file.as_os_str() != STANDARD_INPUT) {
            return Ok(());
        }
        let keep = || -> std::io::Result<(File, PathBuf)> {
            let mut kept = private::unnamed(&std::env::temp_dir())?;
            std::io::copy(&mut std::io::stdin().lock(), &mut kept)?;
            // Each that opens this begins at the beginning.
            let path = PathBuf::from(format!("/proc/self/fd/{}", kept.as_raw_fd()));
            Ok((kept, path))
        };
        let failed = |error| {
            Failure::new(
                Exit::Disk,
                format!("standard input cannot be kept while it is read: {error}\nhint: give a file, or free space under TMPDIR"),
            )
        };
        drop(self.0.set(keep().map_err(failed)?));
        Ok(())
    }

    /// Where the bytes of an input file are.
    pub(super) fn bytes_of<'p>(&'p self, file: &'p Path) -> &'p Path {
        self.path().filter(|_| file.as_os_str() == STANDARD_INPUT).unwrap_or(file)
    }
}
