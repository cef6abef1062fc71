//! What is ours alone: made for this account only whatever the umask says, never reached through a link that somebody laid, and of
//! nobody else's making.
//!
//! A lock that others may open can be held by them for ever, and a file behind a link is cut or written for whoever laid it.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::process;

/// Bits of a mode by which others than the owner may do anything, and by which they may write.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;

/// Nothing this process makes is for others to write, however its umask was set.
pub fn close_umask() {
    let before = process::umask(Mode::from_raw_mode(OTHERS));
    process::umask(before | Mode::from_raw_mode(OTHERS_WRITE));
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

/// Ends the process `id` of ours and all of the group that it leads. That they have ended already is fine.
pub fn end_group(id: u32) {
    if let Some(group) = i32::try_from(id).ok().and_then(process::Pid::from_raw) {
        let _ended_already = process::kill_process_group(group, process::Signal::KILL);
    }
}

/// Whether the kernel itself tells what is read at `path`: a process in a mount namespace of its own may put anything over `/proc`.
#[must_use]
pub fn is_told_by_kernel(path: &str) -> bool {
    /// `PROC_SUPER_MAGIC` of Linux.
    const PROC: i64 = 0x9fa0;
    rustix::fs::statfs(path).is_ok_and(|found| found.f_type == PROC)
}

/// Opens a file of ours as `options` say: made with mode 0600, or held to it.
///
/// # Errors
/// The system's; and where it is a link, no file, or another account's.
pub fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let is_link = |error: io::Error| {
        let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
        if is_link { io::Error::other("it is a symbolic link; name the file itself") } else { error }
    };
    let file = options.mode(0o600).custom_flags(flags).open(path).map_err(is_link)?;
    let found = file.metadata()?;
    check_ours(path, &found)?;
    if found.mode() & OTHERS != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Makes a folder of ours, with those it is in; one that is there must be ours, and others cannot write into it from now on.
///
/// # Errors
/// The system's; and where it is another account's.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = path.metadata()?;
    check_owner(path, &found)?;
    if found.mode() & OTHERS_WRITE != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7777 & !OTHERS_WRITE))?;
    }
    Ok(())
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

/// Whether nobody of this account can write into the folder of `path`: media that are read only, a copy that is kept so.
#[must_use]
pub fn is_read_only(path: &Path) -> bool {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err()
}

/// Holds a file that something else opens to what [`open`] holds its own to; a link that leads to it may stay.
///
/// # Errors
/// The system's; and where it is no file, or another account's.
pub fn close(path: &Path) -> io::Result<()> {
    let found = path.metadata()?;
    check_ours(path, &found)?;
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    match std::fs::set_permissions(path, Permissions::from_mode(0o600)) {
        // What nobody can write, nobody can close either.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        done => done,
    }
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

/// Whether this process may put files of any name into `folder`, of which part may be missing yet. Root may only where nobody but root
/// decides what a name leads to: all folders on the way, and all links, are root's, and nobody else's to write.
///
/// # Errors
/// Which of them is not, in words.
pub fn check_place(folder: &Path) -> io::Result<()> {
    if account() == 0 { check_way(&std::path::absolute(folder)?) } else { Ok(()) }
}

/// The same for root, of the way to `folder`. Where a name may be made by anybody and taken away by its owner alone (`/tmp`), what
/// is there must be root's.
fn check_way(folder: &Path) -> io::Result<()> {
    /// Links that lead to links, at most.
    const LINKS_MAX: usize = 40;
    const STICKY: u32 = 0o1000;
    let refused = |path: &Path, what: &str| {
        let path = path.display();
        io::Error::other(format!(
            "root does not write where others decide what a name leads to: `{path}` {what}; name a folder of root's, or run this as the account \
             that it is for (`sudo -u`)"
        ))
    };
    let (mut links, mut at) = (0_usize, PathBuf::new());
    let mut rest: Vec<OsString> = folder.components().rev().map(|part| part.as_os_str().to_owned()).collect();
    while let Some(part) = rest.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        at.push(&part);
        let found = match at.symlink_metadata() {
            // Root makes what is missing, and what it makes is its own.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        if found.uid() != 0 {
            return Err(refused(&at, &format!("is of the account {}", found.uid())));
        }
        if found.is_symlink() {
            links = links.saturating_add(1);
            if links > LINKS_MAX {
                return Err(refused(&at, "leads round in a circle"));
            }
            let to = at.read_link()?;
            at.pop();
            rest.extend(to.components().rev().map(|part| part.as_os_str().to_owned()));
        } else if found.is_dir() && found.mode() & OTHERS_WRITE != 0 && found.mode() & STICKY == 0 {
            return Err(refused(&at, "is for others to write"));
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
/// act for a service, and is not led by what somebody else has put among its files.
#[must_use]
pub fn is_ours(path: &Path, found: &Metadata) -> bool {
    let (owner, account) = (found.uid(), account());
    let folder = || path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new(".")).metadata();
    owner == account || account == 0 && folder().is_ok_and(|folder| folder.uid() == owner)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_file_of_ours_is_for_its_owner_alone_and_never_behind_a_link() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let take = |path: &Path| open(File::options().read(true).write(true).create(true).truncate(false), path);
        take(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        take(&path).unwrap();
        assert_eq!(mode(&path), 0o600, "one that an earlier version made");
        let (victim, link) = (place.path().join("victim"), place.path().join("link"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        assert!(take(&link).unwrap_err().to_string().contains("symbolic link"));
        std::os::unix::fs::symlink(place.path().join("nothing"), place.path().join("dangling")).unwrap();
        assert!(take(&place.path().join("dangling")).is_err());
        assert!(!place.path().join("nothing").exists());
        assert!(open(File::options().read(true), place.path()).unwrap_err().to_string().contains("regular"));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_folder_of_ours_is_closed_to_others() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/logs");
        folder(&path).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        folder(&path).unwrap();
        assert_eq!(mode(&path), 0o755);
    }

    #[test]
    fn root_writes_only_where_nobody_else_decides_what_a_name_leads_to() {
        if account() != 0 {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, path(name)).unwrap();
        let of = |name: &str, mode: u32, owner: u32| {
            fs::create_dir(path(name)).unwrap();
            fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
            std::os::unix::fs::chown(path(name), Some(owner), None).unwrap();
        };
        of("roots", 0o755, 0);
        of("theirs", 0o755, 1001);
        of("everybodys", 0o777, 0);
        of("sticky", 0o1777, 0);
        of("sticky/roots", 0o700, 0);
        of("sticky/theirs", 0o700, 1001);
        of("theirs/roots", 0o700, 0);
        link("roots", "link");
        link("theirs", "to_theirs");
        link("circle", "circle");
        link("roots", "their_link");
        std::os::unix::fs::lchown(path("their_link"), Some(1001), None).unwrap();
        for name in [".", "roots", "roots/new/folder", "link", "sticky", "sticky/roots", "sticky/new", "roots/../roots"] {
            check_way(&path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for name in [
            "theirs",
            "theirs/new",
            "theirs/roots",
            "everybodys",
            "everybodys/new",
            "sticky/theirs",
            "to_theirs/new",
            "their_link",
            "circle",
            "theirs/../roots",
        ] {
            assert!(check_way(&path(name)).unwrap_err().to_string().contains("root does not write"), "{name}");
        }
    }

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

    #[test]
    fn what_is_another_accounts_is_not_ours() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("ledger");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o646)).unwrap();
        assert!(check_settings(&path).unwrap_err().to_string().contains("everybody"));
        close(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(check_settings(&path).is_ok());
        if account() == 0 {
            // Only root can give a file away.
            std::os::unix::fs::chown(&path, Some(1001), Some(1001)).unwrap();
            assert!(close(&path).unwrap_err().to_string().contains("1001"));
            assert!(open(File::options().read(true), &path).is_err() && check_settings(&path).is_err());
            std::os::unix::fs::chown(place.path(), Some(1001), Some(1001)).unwrap();
            assert!(close(&path).is_ok(), "root acts for the account that the folder is of");
        }
    }
}
