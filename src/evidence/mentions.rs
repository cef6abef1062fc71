//! How many lines of a file name somebody or something, whatever the file is compressed with.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::Path;

use super::source::Decoder;

/// What is read at once.
const PIECE: usize = 1 << 16;

/// Lines of the file at `path` that hold one of `words`, in any letter case, or as JSON writes it.
///
/// # Errors
/// When the file cannot be read.
pub fn lines_naming(path: &Path, words: &BTreeSet<String>) -> io::Result<u64> {
    let words = Words::of(words);
    let (mut decoder, mut piece, mut line, mut count) = (Decoder::open(path)?, vec![0; PIECE], Vec::new(), 0_u64);
    let holds_one = |line: &[u8]| u64::from(words.are_in(line));
    loop {
        let length = decoder.read(&mut piece)?;
        if length == 0 {
            return Ok(count.saturating_add(holds_one(&line)));
        }
        for &byte in piece.get(..length).unwrap_or_default() {
            if byte == b'\n' {
                count = count.saturating_add(holds_one(&line));
                line.clear();
            } else {
                line.push(byte);
            }
        }
    }
}

/// Words in every way they may be written.
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn of(words: &BTreeSet<String>) -> Self {
        Self(words.iter().filter(|word| !word.is_empty()).flat_map(|word| spellings(word)).collect())
    }

    /// Whether `line` holds one of them.
    pub(super) fn are_in(&self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line).to_lowercase();
        self.0.iter().any(|word| text.contains(word.as_str()))
    }
}

/// The word, and as it stands in JSON that writes letters beyond ASCII as their numbers; within a text of JSON that holds JSON, too.
fn spellings(word: &str) -> [String; 3] {
    let plain = word.to_lowercase();
    let mut escaped = String::new();
    for c in plain.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            escaped.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    let twice = escaped.replace('\\', "\\\\");
    [plain, escaped, twice]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_that_name_somebody_however_json_writes_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = ["{\"name\":\"Jos\\u00e9\"}", "{\"body\":\"{\\\"name\\\":\\\"jos\\\\u00e9\\\"}\"}", "José", "Jose", "x B-1 y"];
        std::fs::write(file.path(), lines.join("\n")).unwrap();
        let count = |word: &str| lines_naming(file.path(), &BTreeSet::from([word.to_owned()])).unwrap();
        assert_eq!((count("JOSÉ"), count("b-1"), count("B-2"), count("")), (3, 1, 0, 0));
    }
}
