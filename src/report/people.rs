//! CSV that people open in a spreadsheet and programs read: RFC 4180, nothing in it runs, and what could be split is quoted.

use std::io::{self, Write};

use super::text::neutral;

/// Writes one row of text cells.
pub(super) fn row<S: AsRef<str>>(writer: &mut impl Write, cells: &[S]) -> io::Result<()> {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            writer.write_all(b",")?;
        }
        let text = neutral(cell.as_ref());
        let is_plain = matches!(text, std::borrow::Cow::Borrowed(_)) && !text.contains([',', '"', '\r', '\n', ';', '\t']);
        if is_plain && !(cells.len() == 1 && text.is_empty()) {
            writer.write_all(text.as_bytes())?;
        } else {
            write!(writer, "\"{}\"", text.replace('"', "\"\""))?;
        }
    }
    writer.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_run_or_could_be_split_is_quoted_and_any_reader_of_csv_reads_it() {
        let mut file = Vec::new();
        for cells in [["a", "b"], ["=1+1", "Budi \"B\", S.H."], ["0012", "x;=2"]] {
            row(&mut file, &cells).unwrap();
        }
        assert_eq!(String::from_utf8(file.clone()).unwrap(), "a,b\n\"'=1+1\",\"Budi \"\"B\"\", S.H.\"\n0012,\"x;'=2\"\n");
        let mut reader = csv::Reader::from_reader(file.as_slice());
        let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!((&read[0][0], &read[0][1], &read[1][1]), ("'=1+1", "Budi \"B\", S.H.", "x;'=2"));
    }
}
