//! Where tests have their files: in memory, where there is plenty of it. Half of a test's time was waiting for a disk to keep what nobody wants
//! kept; what is said to be durable is looked for by other means (`faults`, `crash`).

use std::path::Path;
use std::sync::LazyLock;

use tempfile::TempDir;

/// What must be free there.
const BYTES_MIN: u64 = 2 << 30;

/// A folder that goes with its value. Who sets `TMPDIR` says where it is.
pub fn temporary() -> TempDir {
    static IN_MEMORY: LazyLock<Option<&Path>> = LazyLock::new(|| {
        let place = Path::new("/dev/shm");
        let there = rustix::fs::statvfs(place).ok().filter(|_| std::env::var_os("TMPDIR").is_none())?;
        (there.f_bavail * there.f_frsize >= BYTES_MIN && tempfile::tempdir_in(place).is_ok()).then_some(place)
    });
    let made = IN_MEMORY.map_or_else(tempfile::tempdir, tempfile::tempdir_in);
    made.unwrap()
}

/// The same where the system has them, for what looks at where it is.
pub fn of_the_system() -> TempDir {
    tempfile::tempdir().unwrap()
}
