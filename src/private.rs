//! What is ours alone: made for this account only whatever the umask says, never reached through a link that somebody laid, and of
//! nobody else's making.
//!
//! A lock that others may open can be held by them for ever, and a file behind a link is cut or written for whoever laid it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process;

mod descent;
mod place;
mod writing;

pub use self::descent::Descent;
pub use self::writing::{
    NamedTempFile, TempDir, append, close, close_to_read, create_new, folder, folder_of, read, real, remove, remove_folder, rename,
    shared_folder, temporary, temporary_folder, unnamed, update,
};

/// Bits of a mode by which others than the owner may do anything, and by which they may write.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// Nothing this process makes is for others to write, however its umask was set.
pub fn close_umask() {
    let before = process::umask(Mode::from_raw_mode(OTHERS));
    process::umask(before | Mode::from_raw_mode(OTHERS_WRITE));
}

/// Nobody else of this account reads what is in this process's memory, and no core dump has it: keys and names are.
pub fn hide_memory() {
    let _where_the_kernel_can = process::set_dumpable_behavior(process::DumpableBehavior::NotDumpable);
}

/// The account this process acts as.
#[must_use]
pub fn account() -> u32 {
    process::geteuid().as_raw()
}

/// The account that started it, whatever it acts as.
#[must_use]
pub fn real_account() -> u32 {
    process::getuid().as_raw()
}

/// Whether the kernel itself tells what is read at `path`: a process in a mount namespace of its own may put anything over `/proc`.
#[must_use]
pub fn is_told_by_kernel(path: &str) -> bool {
    /// `PROC_SUPER_MAGIC` of Linux.
    const PROC: i64 = 0x9fa0;
    rustix::fs::statfs(path).is_ok_and(|found| found.f_type == PROC)
}

/// Opens a file to be read whole and once. A pipe is one if somebody writes into it (`<(…)` of a shell): a FIFO without a writer would be
/// waited for until the end of days.
///
/// # Errors
/// The system's; and where nobody writes into the pipe.
pub fn input(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let mut begun = Vec::new();
    if file.metadata()?.file_type().is_fifo() {
        let mut first = [0];
        match file.read(&mut first) {
            Ok(0) => {
                let message = "it is a pipe, and nobody writes into it; begin the writer first, or use `-` for standard input";
                return Err(io::Error::other(message));
            }
            Ok(_) => begun.extend(first),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    // From here on whoever writes is waited for.
    rustix::fs::fcntl_setfl(&file, rustix::fs::fcntl_getfl(&file)? & !OFlags::NONBLOCK)?;
    Ok(Box::new(io::Cursor::new(begun).chain(file)))
}

/// Opens a regular file to be read, whoever it is of; anything else is refused and not waited for.
///
/// # Errors
/// The system's; and where it is no file.
pub fn regular(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

/// Reads a regular file whole, whoever it is of; anything else is refused and not waited for.
///
/// # Errors
/// As for [`regular`].
pub fn whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file of text whole.
///
/// # Errors
/// As for [`regular`]; and where it is no text.
pub fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    regular(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Whether nobody of this account can write into the folder of `path`: media that are read only, a copy that is kept so.
#[must_use]
pub fn is_read_only(path: &Path) -> bool {
    rustix::fs::access(folder_of(path), rustix::fs::Access::WRITE_OK).is_err()
}

/// Whether the file at `path` may say what this process does: it is this account's or root's, and not everybody's to write.
///
/// # Errors
/// What it is instead, in words.
pub fn check_settings(path: &Path) -> io::Result<()> {
    let found = path.metadata()?;
    if found.uid() != 0 {
        check_owner(path, &found)?;
    }
    if found.mode() & 0o002 == 0 { Ok(()) } else { Err(io::Error::other("everybody can write it; run `chmod o-w` on it")) }
}

/// Whether the file at `path`, which is read only, is this account's.
///
/// # Errors
/// What it is instead, in words.
pub fn check_readable(path: &Path) -> io::Result<()> {
    check_ours(path, &path.metadata()?)
}

/// Whether what the file at `path` says can be believed without a seal: it and its folder are this account's or root's, and nobody else's
/// to write.
///
/// # Errors
/// What is not so, in words.
pub fn check_believed(path: &Path) -> io::Result<()> {
    for place in [folder_of(path), path] {
        let found = place.metadata()?;
        let (owner, account, place) = (found.uid(), account(), place.display());
        if owner != 0 && owner != account {
            let message =
                format!("`{place}` belongs to the account {owner} and this process to {account}; run it as the account that it is of");
            return Err(io::Error::other(message));
        }
        if found.mode() & OTHERS_WRITE != 0 {
            return Err(io::Error::other(format!("others can write `{place}`; run `chmod go-w` on it once you know what it holds")));
        }
    }
    Ok(())
}

/// Whether what was found at `path` is a file of this account's.
fn check_ours(path: &Path, found: &Metadata) -> io::Result<()> {
    if found.is_file() { check_owner(path, found) } else { Err(io::Error::other("it is no regular file")) }
}

fn check_owner(path: &Path, found: &Metadata) -> io::Result<()> {
    if is_ours(path, found) {
        return Ok(());
    }
    let (owner, account) = (found.uid(), account());
    Err(io::Error::other(format!("it belongs to the account {owner} and this process to {account}; run it as the account that it is of")))
}

/// Whether what was found at `path` is this account's; for root, also what is of the account whose folder it lies in, so that root may
/// read what is a service's, and is not led by what somebody else has put among its files.
#[must_use]
pub fn is_ours(path: &Path, found: &Metadata) -> bool {
    let (owner, account) = (found.uid(), account());
    owner == account || account == 0 && folder_of(path).metadata().is_ok_and(|folder| folder.uid() == owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_read_if_somebody_writes_into_it_and_never_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(input(&path).err().unwrap().to_string().contains("nobody writes"));
        assert!(regular(&path).unwrap_err().to_string().contains("regular"));
        let both = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut reader = input(&path).unwrap();
        let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
        drop(both);
        io::Write::write_all(&mut writer, b"rows").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "rows");
    }
}
