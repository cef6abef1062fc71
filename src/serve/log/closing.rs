//! Closing a day: compressed beside its file, made durable, and only then is the file removed.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::files::sync_folder_of;
use super::kind::LogKind;
use crate::private;
use crate::serve::log::kind::LASTING;

/// How hard zstd tries.
const LEVEL: i32 = 9;

/// Compresses `path` to `path.zst` and removes it. Whatever was left half done is done again. If another file has that name
/// (the clock was put back), the next free one is taken, and both are read by whoever reads `NAME*`.
pub(super) fn close(path: &Path) -> io::Result<()> {
    let mut compressed = with_suffix(path, ".zst");
    let mut number = 2_u32;
    while compressed.exists() {
        if holds_the_same(&compressed, path)? {
            return remove(path);
        }
        compressed = with_suffix(path, &format!(".{number}.zst"));
        number = number.saturating_add(1);
    }
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let temporary = private::temporary(folder, ".closing-", 0o600)?;
    zstd::stream::copy_encode(private::read(path)?, temporary.as_file(), LEVEL)?;
    temporary.as_file().sync_all()?;
    // Read back before the original goes: it is evidence of money.
    if !holds_the_same(temporary.path(), path)? {
        return Err(io::Error::other(format!("`{}` could not be compressed faithfully", path.display())));
    }
    temporary.persist_noclobber(&compressed).map_err(|error| error.error)?;
    sync_folder_of(path)?;
    remove(path)
}

/// The WIB day of a log of the server by its file's name, whichever kind it is of, open or compressed.
#[must_use]
pub fn day_of(file_name: &str) -> Option<Date> {
    let of = |kind: LogKind| file_name.strip_prefix(kind.name())?.strip_prefix('-')?.split_at_checked(10);
    let (day, rest) = LASTING.into_iter().find_map(of)?;
    day.parse().ok().filter(|_| rest.starts_with(".jsonl"))
}

/// Removes what a killed process was just compressing: the originals are all there. Whoever holds the folder's lock is alone.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(".closing-")) {
            private::remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    private::remove(path)?;
    sync_folder_of(path)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn holds_the_same(compressed: &Path, path: &Path) -> io::Result<bool> {
    let mut left = zstd::Decoder::new(File::open(compressed)?)?;
    let mut right = BufReader::new(File::open(path)?);
    let (mut ours, mut theirs) = (vec![0_u8; 1 << 16], vec![0_u8; 1 << 16]);
    loop {
        let count = filled(&mut left, &mut ours)?;
        let other = filled(&mut right, &mut theirs)?;
        if count != other || ours.get(..count) != theirs.get(..count) {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

/// Reads until `buffer` is full or there is no more.
fn filled(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(path: &Path) -> Vec<u8> {
        zstd::decode_all(File::open(path).unwrap()).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_closed_day_is_whole_also_when_closing_was_interrupted_or_the_day_came_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notifications-2026-11-21.jsonl");
        let text = b"line of some length\n".repeat(10_000);
        fs::write(&path, &text).unwrap();
        close(&path).unwrap();
        assert_eq!(names(folder.path()), ["notifications-2026-11-21.jsonl.zst"]);
        // Killed between the two steps: both are there, with the same content.
        fs::write(&path, &text).unwrap();
        close(&path).unwrap();
        assert_eq!(names(folder.path()), ["notifications-2026-11-21.jsonl.zst"]);
        // The day came back, with other lines.
        fs::write(&path, b"later\n").unwrap();
        close(&path).unwrap();
        assert_eq!(names(folder.path()), ["notifications-2026-11-21.jsonl.2.zst", "notifications-2026-11-21.jsonl.zst"]);
        assert_eq!(unpacked(&folder.path().join("notifications-2026-11-21.jsonl.zst")), text);
        assert_eq!(unpacked(&folder.path().join("notifications-2026-11-21.jsonl.2.zst")), b"later\n");
    }
}
