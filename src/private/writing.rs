//! Everything that makes, opens to write or removes a file: there is no other way to one (a test holds the sources to that), so none
//! that leads past the checks of where a name leads.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
pub use tempfile::{NamedTempFile, TempDir};

use super::{OTHERS, OTHERS_WRITE, account, check_ours, check_owner, place};

/// The folder a path is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// What `path` leads to, or where it is to be: what is written beside it has one name, by whichever link somebody came.
///
/// # Errors
/// Root's, where others decide what the name leads to.
pub fn real(path: &Path) -> io::Result<PathBuf> {
    place::check(path)?;
    path.canonicalize().or_else(|_| std::path::absolute(path))
}

/// Opens a file of ours to read it.
///
/// # Errors
/// The system's; and where it is a link, no file, or another account's.
pub fn read(path: &Path) -> io::Result<File> {
    open(File::options().read(true), path)
}

/// Opens a file of ours to read it and write anywhere in it, such as a lock; made if it is missing.
///
/// # Errors
/// Those of [`read`]; and root's, where others decide what a name leads to.
pub fn update(path: &Path) -> io::Result<File> {
    place::check(folder_of(path))?;
    open(File::options().read(true).write(true).create(true).truncate(false), path)
}

/// Opens a file of ours to read it and write at its end; made if it is missing.
///
/// # Errors
/// Those of [`update`].
pub fn append(path: &Path) -> io::Result<File> {
    place::check(folder_of(path))?;
    open(File::options().create(true).read(true).append(true), path)
}

/// Makes a file that must not exist.
///
/// # Errors
/// Those of [`update`].
pub fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    place::check(folder_of(path))?;
    File::options().write(true).create_new(true).mode(mode).open(path)
}

/// Made with mode 0600, or held to it.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
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

/// Holds a file that something else opens, and writes beside (a database), to what [`update`] holds its own to; a link of ours that
/// leads to it may stay.
///
/// # Errors
/// Those of [`update`].
pub fn close(path: &Path) -> io::Result<()> {
    place::check(path)?;
    let found = path.metadata()?;
    check_ours(path, &found)?;
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(0o600)) {
        // What nobody can write, nobody can close either.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        done => done,
    }
}

/// The same of a database that is only read, beside which something may be written while it is in use: root may look at a service's, where
/// it lies in a folder of that service.
///
/// # Errors
/// Those of [`update`].
pub fn close_to_read(path: &Path) -> io::Result<()> {
    let found = path.symlink_metadata()?;
    if account() != 0 || found.uid() == 0 || found.is_symlink() {
        return close(path);
    }
    check_ours(path, &found)?;
    place::check_way_to_folder_of(found.uid(), folder_of(path))
}

/// Makes a folder of ours, with those it is in; one that is there must be ours, and others cannot write into it from now on.
///
/// # Errors
/// The system's; where it is another account's; and root's, where others decide what a name leads to.
pub fn folder(path: &Path) -> io::Result<()> {
    let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    // One that is for others to write is closed, though not through a link.
    place::check(if is_link { path } else { folder_of(path) })?;
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = path.metadata()?;
    check_owner(path, &found)?;
    if found.mode() & OTHERS_WRITE != 0 {
        fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7777 & !OTHERS_WRITE))?;
    }
    place::check(path)
}

/// Makes a folder for files of any name, which others may see, with those it is in.
///
/// # Errors
/// The system's; and root's, where others decide what a name leads to.
pub fn shared_folder(path: &Path) -> io::Result<()> {
    place::check(path)?;
    DirBuilder::new().recursive(true).create(path)?;
    // Somebody may have been quicker.
    place::check(path)
}

/// A file in `folder` that is removed when it is dropped, unless it is put in its place before.
///
/// # Errors
/// The system's; and root's, where others decide what a name leads to.
pub fn temporary(folder: &Path, prefix: &str, mode: u32) -> io::Result<NamedTempFile> {
    place::check(folder)?;
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(mode)).tempfile_in(folder)
}

/// A folder in `folder` that is removed with all that is in it when it is dropped.
///
/// # Errors
/// Those of [`temporary`].
pub fn temporary_folder(folder: &Path, prefix: &str) -> io::Result<TempDir> {
    place::check(folder)?;
    tempfile::Builder::new().prefix(prefix).tempdir_in(folder)
}

/// A file without a name, which ends with the process. Its bytes are on the disk of `folder`.
///
/// # Errors
/// Those of [`temporary`].
pub fn unnamed(folder: &Path) -> io::Result<File> {
    place::check(folder)?;
    tempfile::tempfile_in(folder)
}

/// Gives a file its name in place of whatever had it.
///
/// # Errors
/// The system's; and root's, where others decide what a name leads to.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    place::check(folder_of(to))?;
    fs::rename(from, to)
}

/// Removes a file.
///
/// # Errors
/// The system's; and root's, where others decide what a name leads to.
pub fn remove(path: &Path) -> io::Result<()> {
    place::check(folder_of(path))?;
    fs::remove_file(path)
}

/// Removes a folder with all that is in it.
///
/// # Errors
/// Those of [`remove`].
pub fn remove_folder(path: &Path) -> io::Result<()> {
    place::check(path)?;
    fs::remove_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::super::check_settings;
    use super::*;

    type Write = fn(&Path) -> io::Result<()>;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn nothing_is_written_by_root_and_nothing_is_left_where_another_account_decides() {
        if account() != 0 {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (theirs, roots) = (place.path().join("theirs"), place.path().join("roots"));
        fs::create_dir(&theirs).unwrap();
        fs::create_dir(&roots).unwrap();
        fs::write(roots.join("there"), "precious").unwrap();
        std::os::unix::fs::symlink(&roots, theirs.join("to_roots")).unwrap();
        std::os::unix::fs::symlink(roots.join("there"), theirs.join("to_file")).unwrap();
        for link in [&theirs, &theirs.join("to_roots"), &theirs.join("to_file")] {
            std::os::unix::fs::lchown(link, Some(1001), Some(1001)).unwrap();
        }
        let before = || fs::read_dir(&theirs).unwrap().count() + fs::read_dir(&roots).unwrap().count();
        let count = before();
        let writers: [(&str, Write); 10] = [
            ("update", |path| update(path).map(drop)),
            ("append", |path| append(path).map(drop)),
            ("create_new", |path| create_new(path, 0o600).map(drop)),
            ("folder", folder),
            ("shared_folder", shared_folder),
            ("temporary", |path| temporary(folder_of(path), "t", 0o600).map(drop)),
            ("temporary_folder", |path| temporary_folder(folder_of(path), "t").map(drop)),
            ("unnamed", |path| unnamed(folder_of(path)).map(drop)),
            ("remove", remove),
            ("real", |path| real(path).map(drop)),
        ];
        for (name, write) in writers {
            for path in ["new", "to_roots/new", "to_roots/there"] {
                let error = write(&theirs.join(path)).unwrap_err().to_string();
                assert!(error.contains("root does not write") && error.contains("sudo -u"), "{name} {path}: {error}");
            }
        }
        for path in ["to_file", "to_roots/there"] {
            for closing in [close, close_to_read] {
                assert!(closing(&theirs.join(path)).unwrap_err().to_string().contains("root does not write"), "{path}");
            }
        }
        assert_eq!((before(), fs::read_to_string(roots.join("there")).unwrap().as_str()), (count, "precious"));
        for (name, write) in writers {
            let path: PathBuf = roots.join(name);
            if name == "remove" {
                fs::write(&path, "").unwrap();
            }
            write(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn a_file_of_ours_is_for_its_owner_alone_and_never_behind_a_link() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let take = update;
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
        assert!(read(place.path()).unwrap_err().to_string().contains("regular"));
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
            assert!(read(&path).is_err() && check_settings(&path).is_err());
            std::os::unix::fs::chown(place.path(), Some(1001), Some(1001)).unwrap();
            assert!(read(&path).is_ok(), "root may look at what is of the account that the folder is of");
            assert!(close_to_read(&path).is_ok(), "a database as well");
            assert!(close(&path).unwrap_err().to_string().contains("sudo -u"), "and writes nothing there");
        }
    }
}
