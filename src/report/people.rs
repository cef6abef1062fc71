//! CSV that people open in a spreadsheet and programs read: RFC 4180, nothing in it runs, and what could be split is quoted.

use std::io::{self, Write};

use super::text::neutral;

/// Writes rows of text cells.
pub(super) struct PeopleCsv<W: Write>(pub(super) W);

impl<W: Write> PeopleCsv<W> {
    /// Begins a file with its header.
    pub(super) fn begin(writer: W, header: &[&str]) -> io::Result<Self> {
        let mut csv = Self(writer);
        csv.row(header)?;
        Ok(csv)
    }

    /// Writes one row.
    pub(super) fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> io::Result<()> {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.0.write_all(b",")?;
            }
            let text = neutral(cell.as_ref());
            let is_plain = matches!(text, std::borrow::Cow::Borrowed(_)) && !text.contains([',', '"', '\r', '\n', ';', '\t']);
            if is_plain && !(cells.len() == 1 && text.is_empty()) {
                self.0.write_all(text.as_bytes())?;
            } else {
                write!(self.0, "\"{}\"", text.replace('"', "\"\""))?;
            }
        }
        self.0.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_run_or_could_be_split_is_quoted_and_any_reader_of_csv_reads_it() {
        let mut file = Vec::new();
        let mut csv = PeopleCsv::begin(&mut file, &["a", "b"]).unwrap();
        csv.row(&["=1+1", "Budi \"B\", S.H."]).unwrap();
        csv.row(&["0012", "x;=2"]).unwrap();
        assert_eq!(String::from_utf8(file.clone()).unwrap(), "a,b\n\"'=1+1\",\"Budi \"\"B\"\", S.H.\"\n0012,\"x;'=2\"\n");
        let mut reader = csv::Reader::from_reader(file.as_slice());
        let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!((&read[0][0], &read[0][1], &read[1][1]), ("'=1+1", "Budi \"B\", S.H.", "x;'=2"));
    }
}
