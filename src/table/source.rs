//! Where a table's bytes come from, and what they are by their content: names and endings are believed in nothing.

use std::io::{self, Cursor, Read};
use std::path::Path;

use super::fault::TableFault;
use crate::private;

/// What is looked at before anything is read.
const HEAD_BYTES: usize = 256 * 1024;
/// The largest workbook, compressed.
const WORKBOOK_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The bytes of a table.
pub(super) enum Source {
    /// Text: what was read of it, and the rest. Whether the first is all.
    Text { head: Vec<u8>, rest: Box<dyn Read + Send>, is_whole: bool },
    /// An XLSX workbook.
    Workbook(Vec<u8>),
}

/// Opens `path`; `-` is standard input. gzip and zstd are undone.
pub(super) fn open(path: &Path) -> Result<Source, TableFault> {
    if path.as_os_str() == STANDARD_INPUT {
        return of(Box::new(io::stdin()));
    }
    of(private::input(path).map_err(|error| TableFault::Unreadable(error.to_string()))?)
}

/// The same of bytes from anywhere.
pub(super) fn of(reader: Box<dyn Read + Send>) -> Result<Source, TableFault> {
    let (head, rest, is_whole) = headed(reader)?;
    let (head, rest, is_whole) = match head.as_slice() {
        [0x1f, 0x8b, ..] => headed(Box::new(flate2::read::MultiGzDecoder::new(Cursor::new(head).chain(rest))))?,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = zstd::Decoder::new(Cursor::new(head).chain(rest));
            headed(Box::new(decoder.map_err(|error| TableFault::Unreadable(error.to_string()))?))?
        }
        _ => (head, rest, is_whole),
    };
    if head.starts_with(b"PK\x03\x04") {
        return workbook(Cursor::new(head).chain(rest));
    }
    match other_kind(&head) {
        Some(fault) => Err(fault),
        None => Ok(Source::Text { head, rest, is_whole }),
    }
}

type Headed = (Vec<u8>, Box<dyn Read + Send>, bool);

fn headed(mut reader: Box<dyn Read + Send>) -> Result<Headed, TableFault> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let limit = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    (&mut reader).take(limit).read_to_end(&mut head).map_err(|error| TableFault::Unreadable(error.to_string()))?;
    let is_whole = head.len() < HEAD_BYTES;
    Ok((head, reader, is_whole))
}

/// A ZIP archive that is a workbook in XLSX; every other is named.
fn workbook(reader: impl Read) -> Result<Source, TableFault> {
    let mut content = Vec::new();
    let limit = WORKBOOK_BYTES_MAX.saturating_add(1);
    reader.take(limit).read_to_end(&mut content).map_err(|error| TableFault::Unreadable(error.to_string()))?;
    if u64::try_from(content.len()).is_ok_and(|length| length > WORKBOOK_BYTES_MAX) {
        return Err(TableFault::TooLarge(WORKBOOK_BYTES_MAX));
    }
    let names = |name: &[u8]| memchr::memmem::find(&content, name).is_some();
    if names(b"xl/workbook.xml") {
        Ok(Source::Workbook(content))
    } else if names(b"opendocument.spreadsheet") {
        Err(TableFault::OtherKind("an OpenDocument spreadsheet (ODS): save it as XLSX or CSV UTF-8"))
    } else if names(b"xl/workbook.bin") {
        Err(TableFault::OtherKind("a binary workbook (XLSB): save it as XLSX or CSV UTF-8"))
    } else if names(b"word/document.xml") {
        Err(TableFault::OtherKind("a Word document: copy its table into a spreadsheet and save that as XLSX or CSV UTF-8"))
    } else if names(b"[Content_Types].xml") || names(b"xl/") {
        Err(TableFault::Unreadable("the workbook is cut off: its end is missing".to_owned()))
    } else {
        Err(TableFault::OtherKind("a ZIP archive: unpack it and give the file inside"))
    }
}

/// What the beginning of a file says it is, unless it may be text in UTF-8.
fn other_kind(head: &[u8]) -> Option<TableFault> {
    if let Some(encoding) = utf16(head) {
        return Some(TableFault::Utf16(encoding));
    }
    let named = |kind| Some(TableFault::OtherKind(kind));
    match head {
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return named("an old or a protected workbook (XLS): save it as XLSX without a password, or as CSV UTF-8");
        }
        [b'P', b'A', b'R', b'1', ..] => return named("Parquet, which only `--external-ledger` takes, by the ending `.parquet`"),
        [b'7', b'z', 0xbc, 0xaf, ..] | [b'R', b'a', b'r', b'!', ..] => return named("an archive: unpack it and give the file inside"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] | [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            return named("compressed with bzip2 or xz: unpack it, or use gzip or zstd");
        }
        _ => {}
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let starts = |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if starts(b"%PDF") {
        return named("a PDF: export the table from the program that made it, as XLSX or CSV UTF-8");
    }
    if [&b"<!doctype"[..], b"<html", b"<head", b"<body", b"<table", b"<meta", b"<div"].into_iter().any(starts) {
        return named("an HTML page: log in and download the file again, or open it in a spreadsheet and save it as XLSX or CSV UTF-8");
    }
    if starts(b"<?xml") || starts(b"<workbook") {
        return named("an XML document: save it as XLSX or CSV UTF-8");
    }
    if starts(b"{\\rtf") {
        return named("a text document (RTF): save the table as XLSX or CSV UTF-8");
    }
    if [&b"{\""[..], b"[{", b"{\n", b"{\r\n"].into_iter().any(starts) {
        return named("JSON: export the table as XLSX or CSV UTF-8");
    }
    None
}

/// UTF-16 betrays itself by its mark, or by a null byte beside every ASCII character of the header.
fn utf16(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xfe, ..] => return Some("UTF-16 little-endian"),
        [0xfe, 0xff, ..] => return Some("UTF-16 big-endian"),
        _ => {}
    }
    let nulls = |parity: usize| head.iter().take(64).skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (nulls(0), nulls(1));
    match head.len() {
        0..=3 => None,
        _ if odd > 1 && even == 0 => Some("UTF-16 little-endian"),
        _ if even > 1 && odd == 0 => Some("UTF-16 big-endian"),
        _ => None,
    }
}

pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// The name of standard input.
pub const STANDARD_INPUT: &str = "-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_named_with_and_without_its_mark() {
        let little: Vec<u8> = "invoice".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "invoice".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(utf16(&little), Some("UTF-16 little-endian"));
        assert_eq!(utf16(&big), Some("UTF-16 big-endian"));
        assert_eq!(utf16(b"\xff\xfei\0"), Some("UTF-16 little-endian"));
        assert_eq!(utf16(b"invoice_number"), None);
    }

    #[test]
    fn other_kinds_of_files_are_named_by_their_content() {
        for (bytes, words) in [
            (&b"\xd0\xcf\x11\xe0\xa1\xb1"[..], "XLS"),
            (b"PK\x03\x04....mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "ODS"),
            (b"PK\x03\x04....xl/workbook.bin", "XLSB"),
            (b"PK\x03\x04....bills.csv", "ZIP"),
            (b"%PDF-1.7", "PDF"),
            (b"\xef\xbb\xbf \n<!DOCTYPE html>", "HTML"),
            (b"<TABLE><tr>", "HTML"),
            (b"<?xml version=\"1.0\"?><Workbook>", "XML"),
            (b"{\"received_at\":1}", "JSON"),
            (b"PAR1", "Parquet"),
        ] {
            let fault = of(Box::new(Cursor::new(bytes.to_vec()))).err().unwrap();
            assert!(fault.code().id == "E0217" && fault.to_string().contains(words), "{fault}");
        }
    }
}
