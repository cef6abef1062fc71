//! Where root may write: only where nobody else decides what a name leads to. Whoever owns a folder on the way, or a link, could have the
//! name lead elsewhere while it is written.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{OTHERS_WRITE, account};

/// Whether this process may write at `path`, of which part may be missing yet: a folder for files of any name, or a file. Root may only
/// where all folders on the way, all links and what is there already are root's, and nobody else's to write.
///
/// # Errors
/// Which of them is not, in words.
pub(super) fn check(path: &Path) -> io::Result<()> {
    if account() == 0 { check_way(&std::path::absolute(path)?, 0) } else { Ok(()) }
}

/// The same of a folder that may be of the account `owner` itself, as that of a service: the way to it must be root's.
///
/// # Errors
/// Those of [`check`].
pub(super) fn check_way_to_folder_of(owner: u32, folder: &Path) -> io::Result<()> {
    if account() == 0 { check_way(&std::path::absolute(folder)?, owner) } else { Ok(()) }
}

/// The same for root. Where a name may be made by anybody and taken away by its owner alone (`/tmp`), what is there must be root's.
fn check_way(path: &Path, last_of: u32) -> io::Result<()> {
    /// Links that lead to links, at most.
    const LINKS_MAX: usize = 40;
    const STICKY: u32 = 0o1000;
    let refused = |path: &Path, what: &str| {
        let path = path.display();
        io::Error::other(format!(
            "root does not write where others decide what a name leads to: `{path}` {what}; run this as the account that it is for \
             (`sudo -u ACCOUNT tagih …`, in a unit `User=`), or name a folder of root's"
        ))
    };
    let (mut links, mut at) = (0_usize, PathBuf::new());
    let mut rest: Vec<OsString> = path.components().rev().map(|part| part.as_os_str().to_owned()).collect();
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
        let is_last = rest.is_empty() && found.is_dir() && found.uid() == last_of;
        if found.uid() != 0 && !is_last {
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

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

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
            check_way(&path(name), 0).unwrap_or_else(|error| panic!("{name}: {error}"));
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
            assert!(check_way(&path(name), 0).unwrap_err().to_string().contains("root does not write"), "{name}");
        }
        for (name, is_one) in [
            ("theirs", true),
            ("to_theirs", true),
            ("theirs/roots", false),
            ("their_link", false),
            ("theirs/new", false),
            ("everybodys", false),
        ] {
            assert_eq!(check_way(&path(name), 1001).is_ok(), is_one, "{name}");
        }
    }
}
