//! The stable codes of files that are no table: what `tagih explain` prints of them. E0201 to E0213 and E0217 to E0219.

use crate::domain::code::StableCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal, $meaning:literal, $remedy:literal;)*) => {
        $($(#[$doc])* pub const $name: StableCode = StableCode::new($id, $title, $meaning, $remedy);)*

        /// Every code of this module, in order.
        pub const ALL: &[StableCode] = &[$($name),*];
    };
}

codes! {
    /// The file cannot be opened or read.
    FILE_UNREADABLE = "E0201", "file cannot be read",
        "The operating system refused to open or read the file, or it is compressed and cut off.",
        "Check the path, its permissions, and whether the copy is complete.";
    /// UTF-16.
    FILE_UTF16 = "E0202", "file is UTF-16",
        "The file is encoded as UTF-16 (`Unicode text` in spreadsheets).",
        "Save it as `CSV UTF-8`, or convert it: `iconv -f UTF-16 -t UTF-8`.";
    /// Not UTF-8.
    FILE_NOT_UTF8 = "E0203", "file is not UTF-8",
        "The file holds bytes that are not UTF-8; guessing its encoding could change names and texts.",
        "Save it as `CSV UTF-8`, or convert it: `iconv -f WINDOWS-1252 -t UTF-8`.";
    /// A null byte.
    FILE_NUL = "E0204", "file holds a null byte",
        "Text never holds a null byte: the file is damaged, cut by a crash, or not text.",
        "Export the file again.";
    /// Nothing in it.
    FILE_EMPTY = "E0205", "file is empty",
        "There is not even a header, so it cannot be told from a failed export.",
        "Export again; a file with a header and no rows is accepted.";
    /// No telling what separates the cells.
    FILE_DELIMITER = "E0206", "delimiter not clear",
        "The header can be split in more than one way.",
        "Set `intake.delimiter` to the one that is meant.";
    /// A column is missing.
    COLUMN_MISSING = "E0207", "column missing",
        "The header lacks a column every row needs, or one that a mapping names.",
        "Add the column, map yours under `intake.columns` or in a layout, or set a default under `intake.defaults`; `tagih init --from FILE` proposes a mapping.";
    /// A column is there twice.
    COLUMN_TWICE = "E0208", "column there twice",
        "Two columns have the same name or mean the same, and may disagree.",
        "Remove or rename one of them.";
    /// A quote in the wrong place.
    QUOTE_OPEN = "E0209", "quote without end or in the wrong place",
        "A double quote opens a value and nothing closes it, or it closes where no value ends, or two stray ones stand rows apart; rows would be lost inside that value.",
        "Look at the named line: close, double or remove the quote.";
    /// A record over the byte limit.
    RECORD_TOO_LARGE = "E0210", "record too large",
        "One record has more bytes than `intake.limits.record_bytes_max`; most often a quote is not closed.",
        "Look at the named line; raise the limit if the record is right.";
    /// Too many columns.
    COLUMNS_TOO_MANY = "E0211", "too many columns",
        "The header has more columns than `intake.limits.columns_max`.",
        "Remove columns, or raise the limit.";
    /// Too many rows.
    ROWS_TOO_MANY = "E0212", "too many rows",
        "The file has more rows, or more blank lines, than `intake.limits.rows_max`.",
        "Split the file, or raise the limit.";
    /// Too many bytes.
    FILE_TOO_LARGE = "E0213", "file too large",
        "The file has more bytes, after decompression, than a table may have.",
        "Split the file.";
    /// Another kind of file.
    FILE_KIND = "E0217", "file of another kind",
        "The content is that of another kind of file, whatever its name says.",
        "Open it in the program it is from and save it as `CSV UTF-8` or as XLSX.";
    /// No such sheet.
    SHEET = "E0218", "sheet of a workbook not found",
        "The workbook has no sheet of that name, or none with cells in it.",
        "Name one of its sheets with `--sheet`.";
    /// Most rows cannot be read.
    MOSTLY_MALFORMED = "E0219", "most rows cannot be read",
        "More than half the rows of the table cannot be read, so it is not the table it is taken for, or is written in another way.",
        "Look at the cause that is named: it is most often a format of dates or amounts, an encoding or a delimiter.";
}
