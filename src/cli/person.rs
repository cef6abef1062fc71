//! Whose account of the system this process runs under: what four eyes are told apart by. Keys of persons are another matter.

use std::ffi::OsStr;

use super::failure::Failure;
use super::setup::{Setup, filled};
use crate::journal::{self, Author, four_eyes};
use crate::private;

/// `uid name`, or the uid alone where no account file names it. Who became root by sudo is who they were before, and it is said that
/// sudo told: root may say so of anybody.
///
/// # Errors
/// In a user namespace, where a process is whoever it likes.
fn person() -> Result<String, Failure> {
    const MAP: &str = "/proc/self/uid_map";
    let map = std::fs::read_to_string(MAP).unwrap_or_default();
    if !private::is_told_by_kernel(MAP) || !is_identity(&map) {
        return Err(Failure::usage(
            "E0859: this process runs in a user namespace, where its account is whatever it says\nhint: decide outside of `unshare` and rootless containers",
        ));
    }
    let before = before_sudo(private::real_account(), std::env::var_os("SUDO_UID").as_deref())?;
    Ok(named(private::real_account(), before, &std::fs::read_to_string("/etc/passwd").unwrap_or_default()))
}

/// Who became root, as sudo says.
///
/// # Errors
/// Where what it says is no account: that must not make root's of somebody's decision.
fn before_sudo(uid: u32, said: Option<&OsStr>) -> Result<Option<u32>, Failure> {
    let Some(said) = said.filter(|_| uid == 0) else { return Ok(None) };
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // The greatest number stands for nobody.
    match said.to_str().filter(is_number).and_then(|text| text.parse().ok()).filter(|uid| *uid != u32::MAX) {
        Some(before) => Ok(Some(before)),
        None => Err(Failure::usage(format!(
            "E0860: `SUDO_UID` says `{}`, which is no account, so nobody knows who decides\nhint: run the command by `sudo` itself, which sets it, or unset it where root itself decides",
            said.display()
        ))),
    }
}

/// The same for a record of what was done, which is kept wherever it is done.
pub(super) fn account() -> String {
    person().unwrap_or_else(|_| format!("{} in a user namespace", private::real_account()))
}

/// Whether accounts are called here what they are called outside.
fn is_identity(uid_map: &str) -> bool {
    let mut lines = uid_map.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.next().is_some_and(|line| line == ["0", "0", "4294967295"]) && lines.next().is_none()
}

/// `SUDO_UID` is anybody's word unless the process is root's.
fn named(uid: u32, before: Option<u32>, passwd: &str) -> String {
    let sudo = before.filter(|before| uid == 0 && *before != 0);
    let uid = sudo.unwrap_or(uid);
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then_some(name)
    });
    let how = if sudo.is_some() { " by sudo" } else { "" };
    name.map_or_else(|| format!("{uid}{how}"), |name| format!("{uid} {name}{how}"))
}

impl Setup {
    /// Who acts: as the command says, else as configured, else as the system calls them.
    pub(super) fn actor(&self, by: Option<&str>) -> Result<String, Failure> {
        let configured = filled(&self.config.journal.actor);
        let actor = by.map(str::to_owned).or(configured).or_else(|| std::env::var("USER").ok()).unwrap_or_default();
        // The reason is another matter; this only checks the name.
        Ok(Author::new(&actor, "named").map(|author| author.actor().to_owned())?)
    }

    /// Who acts and why, and from whose account of the system.
    pub(super) fn author(&self, by: Option<&str>, reason: &str) -> Result<Author, Failure> {
        Ok(Author::new(&self.actor(by)?, reason)?.with_person(&person()?))
    }

    /// Whether a second person must agree to what `author` is about to decide: if the journal says so, whatever the settings are. What the
    /// settings say for the first time is recorded, so that it takes two persons to undo.
    pub(super) fn four_eyes(&self, author: &Author) -> Result<bool, Failure> {
        let path = self.journal_path();
        let recorded = journal::read(path)?.four_eyes();
        if self.config.discrepancies.four_eyes && recorded.is_none() {
            four_eyes::turn_on(path, author, self.clock.now())?;
        }
        Ok(recorded.unwrap_or(self.config.discrepancies.four_eyes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_the_account_and_only_root_is_believed_who_it_was_before() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nsiti:x:1000:1000::/home/siti:/bin/sh\n";
        assert_eq!(named(1000, None, passwd), "1000 siti");
        assert_eq!(named(1000, Some(1001), passwd), "1000 siti", "anybody can say so");
        assert_eq!(named(0, Some(1000), passwd), "1000 siti by sudo", "and it is said whose word that is");
        assert_eq!(named(0, None, passwd), "0 root");
        assert_eq!(named(1007, None, passwd), "1007");
        assert_eq!((named(0, Some(1007), passwd).as_str(), named(0, Some(0), passwd).as_str()), ("1007 by sudo", "0 root"));
    }

    #[test]
    fn what_sudo_cannot_have_said_makes_nobody_root() {
        let said = |uid: u32, text: &str| before_sudo(uid, Some(OsStr::new(text)));
        assert_eq!((said(0, "1001").unwrap(), said(0, "0").unwrap(), before_sudo(0, None).unwrap()), (Some(1001), Some(0), None));
        for text in ["", "x", "-1", "+1001", "1001 ", " 0", "4294967295", "4294967296", "1e3", "\u{ff11}"] {
            assert!(said(0, text).unwrap_err().message.contains("E0860"), "{text:?}");
            assert_eq!(said(1000, text).unwrap(), None, "only root is asked: {text:?}");
        }
    }

    #[test]
    fn what_is_put_over_the_kernels_word_is_not_believed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "0 0 4294967295\n").unwrap();
        assert!(private::is_told_by_kernel("/proc/self/uid_map") && !private::is_told_by_kernel(file.path().to_str().unwrap()));
    }

    #[test]
    fn a_namespace_of_its_own_makes_anybody_of_a_process() {
        assert!(is_identity("         0          0 4294967295\n"));
        for map in ["", "0 1000 1\n", "1001 1000 1\n", "0 0 65536\n", "0 0 4294967295\n0 0 1\n"] {
            assert!(!is_identity(map), "{map:?}");
        }
    }
}
