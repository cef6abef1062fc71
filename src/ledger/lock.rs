//! The sender lock: one of `issue`, `cancel` and `sync` at a time (I20).
//!
//! The kernel holds it for the process, so a killed holder leaves nothing behind; the file's text only names the holder.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::LedgerError;
use crate::clock::Clock;
use crate::domain::calendar::format_utc_seconds;
use crate::private;

/// Held while a job sends; released when it is dropped or the process ends.
#[derive(Debug)]
pub struct SenderLock {
    file: File,
}

impl SenderLock {
    /// Who has the lock of the ledger at `ledger_path`, in words, without taking it; `None`: nobody, or there is no lock file yet.
    pub fn holder(ledger_path: &Path) -> io::Result<Option<String>> {
        let mut file = match private::read(&lock_path(ledger_path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => read_holder(&mut file).map(Some),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Takes the lock of the ledger at `ledger_path` for `command`, or says who has it.
    pub fn acquire(ledger_path: &Path, command: &str, clock: &Clock) -> Result<Self, LedgerError> {
        let lock_path = lock_path(ledger_path);
        let failed = |error: io::Error| LedgerError::Storage {
            path: ledger_path.display().to_string(),
            reason: format!("its lock `{}`: {error}", lock_path.display()),
        };
        private::real(ledger_path).map_err(failed)?;
        let mut file = private::update(&lock_path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file).map_err(failed)?;
                return Err(LedgerError::Held { path: ledger_path.display().to_string(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let holder = holding(command, clock);
        file.set_len(0).and_then(|()| file.write_all(holder.as_bytes())).map_err(failed)?;
        Ok(Self { file })
    }
}

/// Who holds a lock or a lease, for whoever must wait.
#[must_use]
pub fn holding(command: &str, clock: &Clock) -> String {
    let (host, process) = (host(), std::process::id());
    let on = if host.is_empty() { String::new() } else { format!(" on {host}") };
    format!("`{command}`, process {process}{on}, since {}", format_utc_seconds(clock.now()))
}

/// What this host calls itself; empty where it does not say.
#[must_use]
pub fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

impl Drop for SenderLock {
    /// The file stays: removing it would let two processes lock two files of one name.
    fn drop(&mut self) {
        drop(self.file.set_len(0));
        drop(self.file.unlock());
    }
}

/// By the ledger's real name: a link to it must not have a lock of its own.
fn lock_path(ledger_path: &Path) -> PathBuf {
    beside(&ledger_path.canonicalize().unwrap_or_else(|_| ledger_path.to_path_buf()), ".lock")
}

fn read_holder(file: &mut File) -> io::Result<String> {
    let mut holder = String::new();
    file.take(1024).read_to_string(&mut holder)?;
    Ok(if holder.is_empty() { "a process that has not said its name yet".into() } else { holder })
}

/// The path with `suffix` after its whole name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_sender_is_refused_and_told_who_holds_the_ledger_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        let first = SenderLock::acquire(&ledger, "issue", &Clock::default()).unwrap();
        let refused = SenderLock::acquire(&ledger, "sync", &Clock::default()).unwrap_err();
        let LedgerError::Held { holder, .. } = &refused else { panic!("{refused}") };
        assert!(holder.contains("`issue`") && holder.contains(&std::process::id().to_string()), "{holder}");
        assert!(SenderLock::holder(&ledger).unwrap().unwrap().contains("`issue`"));
        drop(first);
        assert_eq!(SenderLock::holder(&ledger).unwrap(), None);
        SenderLock::acquire(&ledger, "sync", &Clock::default()).unwrap();
    }

    #[test]
    fn a_link_to_the_ledger_is_the_same_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, link) = (folder.path().join("ledger.db"), folder.path().join("link.db"));
        std::fs::write(&ledger, "").unwrap();
        std::os::unix::fs::symlink(&ledger, &link).unwrap();
        let _held = SenderLock::acquire(&ledger, "issue", &Clock::default()).unwrap();
        assert!(matches!(SenderLock::acquire(&link, "issue", &Clock::default()), Err(LedgerError::Held { .. })));
    }
}
