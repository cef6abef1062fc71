//! How large the parts of a workbook become when they are unpacked, counted before anything of them is kept: a file of a few megabytes may
//! hold gigabytes of one letter.

use std::io::{self, Cursor, Read as _};
use std::path::Path;

use zip::ZipArchive;

use super::fault::TableFault;

/// Bytes of a sheet, which is read cell by cell. A full one, a million rows of twenty columns, has about half of it.
const SHEET_BYTES_MAX: u64 = 2 << 30;
/// Bytes of any other part, such as the texts that cells share: these are kept whole.
const PART_BYTES_MAX: u64 = 512 << 20;
/// Parts; a workbook has a few for each sheet.
const PARTS_MAX: usize = 10_000;

/// Bytes of a cell's text with the tags in it: 32,767 characters, each as long as XML may write it, and as much again for how they look.
/// A cell is kept whole by whoever reads it.
const CELL_BYTES_MAX: u64 = 1 << 20;
/// What the text of a cell stands in.
const CELLS: [&[u8]; 5] = [b"is", b"si", b"v", b"f", b"t"];
/// Bytes of a tag's name that are looked at.
const NAME_BYTES_MAX: usize = 16;

/// How long the texts of cells in XML are, and whatever else stands between two tags or in one.
#[derive(Debug, Default)]
struct Stretches {
    longest: u64,
    /// Bytes since the last tag began, or since the cell's text did.
    length: u64,
    /// What a text stands in, if it stands in a cell.
    inside: Option<&'static [u8]>,
    /// The name of the tag that is being read, with its slash; none between tags.
    name: Option<Vec<u8>>,
    /// Whether that name is whole.
    is_named: bool,
    last: u8,
}

impl Stretches {
    fn take(&mut self, byte: u8) {
        self.length = self.length.saturating_add(1);
        match (&mut self.name, byte) {
            (None, b'<') => {
                (self.name, self.is_named) = (Some(Vec::new()), false);
                if self.inside.is_none() {
                    self.begin();
                }
            }
            (Some(_), b'>') => self.tag(),
            (Some(name), b'/') if name.is_empty() => name.push(b'/'),
            (Some(_), b' ' | b'\t' | b'\r' | b'\n' | b'/') => self.is_named = true,
            // A prefix tells nothing.
            (Some(name), b':') if !self.is_named => name.truncate(usize::from(name.first() == Some(&b'/'))),
            (Some(name), byte) if !self.is_named && name.len() < NAME_BYTES_MAX => name.push(byte),
            (_, _) => {}
        }
        self.last = byte;
    }

    fn begin(&mut self) {
        self.longest = self.longest.max(self.length);
        self.length = 0;
    }

    /// A tag ends.
    fn tag(&mut self) {
        let Some(name) = self.name.take() else { return };
        match (name.strip_prefix(b"/"), self.inside) {
            (Some(end), Some(cell)) if end == cell => {
                self.inside = None;
                self.begin();
            }
            (None, None) if self.last != b'/' => {
                self.inside = CELLS.into_iter().find(|cell| *cell == name);
            }
            _ => {}
        }
    }
}

impl io::Write for Stretches {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some((byte, more)) = rest.split_first() {
            // Between tags nothing else counts than where the next one begins.
            let text = if self.name.is_none() { rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len()) } else { 0 };
            if text > 0 {
                self.length = self.length.saturating_add(u64::try_from(text).unwrap_or(u64::MAX));
                rest = rest.get(text..).unwrap_or_default();
            } else {
                self.take(*byte);
                rest = more;
            }
        }
        self.longest = self.longest.max(self.length);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refuses a workbook whose parts are larger than any that people fill, whatever sizes it claims.
pub(super) fn check(content: &[u8]) -> Result<(), TableFault> {
    let unreadable = |reason: &dyn std::fmt::Display| TableFault::Unreadable(reason.to_string());
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|error| unreadable(&error))?;
    if archive.len() > PARTS_MAX {
        return Err(unreadable(&format_args!("the workbook has {} parts, at most {PARTS_MAX} are read", archive.len())));
    }
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| unreadable(&error))?;
        let name = part.name().map_err(|error| unreadable(&error))?.into_owned();
        let is_sheet = name.starts_with("xl/worksheets/");
        let bytes_max = if is_sheet { SHEET_BYTES_MAX } else { PART_BYTES_MAX };
        let mut stretches = Stretches::default();
        let unpacked = io::copy(&mut part.take(bytes_max.saturating_add(1)), &mut stretches).map_err(|error| unreadable(&error))?;
        if unpacked > bytes_max {
            let mebibytes = bytes_max >> 20;
            return Err(unreadable(&format_args!(
                "unpacked, its part `{name}` has more than {mebibytes} MiB: no workbook that people fill"
            )));
        }
        // Pictures and what other programs leave beside the sheets have no cells.
        if stretches.longest > CELL_BYTES_MAX
            && (is_sheet
                || name.starts_with("xl/") && Path::new(&name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")))
        {
            return Err(unreadable(&format_args!(
                "its part `{name}` has a cell of more than {} KiB: a spreadsheet's cell has 32,767 characters at most",
                CELL_BYTES_MAX >> 10
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn longest(parts: &[&str]) -> u64 {
        let mut stretches = Stretches::default();
        for part in parts {
            stretches.write_all(part.as_bytes()).unwrap();
        }
        stretches.longest
    }

    #[test]
    fn a_cell_is_as_long_as_all_that_stands_in_it() {
        let text = "x".repeat(1_000);
        let row = format!("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{text}</t></is></c><c r=\"B1\"/></row>").repeat(100);
        assert!((1_000..1_100).contains(&longest(&["<sheetData>", &row, "</sheetData>"])), "cells do not add up");
        // Whatever it is parted with.
        let tricks = ["<t>{}</t>", "<r><t>{}</t></r>", "<c/>{}", "<c>{}</c>", "<v>{}</v>", "<row/>{}", "<!-- {} -->", "<![CDATA[{}]]>"];
        for trick in tricks {
            let inside = trick.replace("{}", &text).repeat(100);
            for (begin, end) in
                [("<is>", "</is>"), ("<x:si>", "</x:si>"), ("<si xml:space=\"preserve\">", "</si >"), ("<v>", "</v>"), ("<f>", "</f>")]
            {
                assert!(longest(&[begin, &inside, end]) >= 50_000 || trick.contains("<v>"), "{begin}{trick}");
            }
        }
        assert!(longest(&["<c r=\"", &text.repeat(100), "\"/>"]) >= 100_000, "a tag");
        assert!(longest(&[&text.repeat(100)]) >= 100_000, "no tag at all");
    }
}
