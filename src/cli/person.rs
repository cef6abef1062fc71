//! Whose account of the system this process runs under: what four eyes are told apart by. Keys of persons are another matter.

use std::os::unix::fs::MetadataExt as _;

/// `uid name`, or the uid alone where no account file names it. Who became root by sudo is who they were before.
pub(super) fn person() -> String {
    let uid = user_id();
    let before = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    named(uid, before, &std::fs::read_to_string("/etc/passwd").unwrap_or_default())
}

/// The number of the user this process runs as.
pub(super) fn user_id() -> u32 {
    std::fs::metadata("/proc/self").map_or(0, |process| process.uid())
}

/// `SUDO_UID` is anybody's word unless the process is root's.
fn named(uid: u32, before: Option<u32>, passwd: &str) -> String {
    let uid = if uid == 0 { before.unwrap_or(0) } else { uid };
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then_some(name)
    });
    name.map_or_else(|| uid.to_string(), |name| format!("{uid} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_the_account_and_only_root_is_believed_who_it_was_before() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nsiti:x:1000:1000::/home/siti:/bin/sh\n";
        assert_eq!(named(1000, None, passwd), "1000 siti");
        assert_eq!(named(1000, Some(1001), passwd), "1000 siti", "anybody can say so");
        assert_eq!(named(0, Some(1000), passwd), "1000 siti");
        assert_eq!(named(0, None, passwd), "0 root");
        assert_eq!(named(1007, None, passwd), "1007");
    }
}
