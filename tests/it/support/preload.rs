//! Small libraries in C that are put before the program by the dynamic linker, each built once a process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Builds `source`, a file below `tests`.
pub fn built(source: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(source.replace('/', "-")).with_extension("so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(source);
    let made = tempfile::Builder::new().tempfile_in(folder).unwrap().into_temp_path();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"];
    let status = Command::new(compiler).args(flags).arg(&made).arg(source).status().unwrap();
    assert!(status.success(), "it needs the C compiler that SQLite needs, too");
    made.persist(&library).unwrap();
    library
}

/// What a program is started with whose clock said `instant` when these tests began: what it writes is of the same day whenever they run, and
/// what it writes later is later.
pub fn clock_at(instant: &str) -> [(&'static str, &'static str); 2] {
    static BEGAN: LazyLock<jiff::Timestamp> = LazyLock::new(jiff::Timestamp::now);
    let instant: jiff::Timestamp = instant.parse().unwrap();
    clock_ahead(instant.as_second() - BEGAN.as_second())
}

/// What a program is started with whose clock is so many seconds ahead.
pub fn clock_ahead(seconds: i64) -> [(&'static str, &'static str); 2] {
    static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| built("support/clock.c"));
    [("LD_PRELOAD", LIBRARY.to_str().unwrap()), ("CLOCK_AHEAD", seconds.to_string().leak())]
}
