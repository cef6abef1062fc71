//! What the first bytes of a file tell: what stands around its messages, and what it is when it is no log.

use std::borrow::Cow;
use std::sync::Arc;

use super::envelope::{self, Envelope};
use super::physical_lines::physical;
use super::table_line::{Columns, FoundColumns};
use super::wrapper::Wrapper;
use crate::domain::line::{Detail, FileOddity};
use crate::table::TableSettings;

/// What the first bytes of a file tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// What stands around its messages.
    pub(super) wrapper: Wrapper,
    /// What it seems to be instead of a log.
    pub(super) oddity: Option<FileOddity>,
    /// What more is to be said of it.
    pub(super) remark: String,
    /// The columns, where it is a table.
    pub(super) table: Option<Arc<Columns>>,
    /// The byte at which a table's header stands.
    pub(super) header_at: usize,
}

impl Head {
    /// Of a file that begins, decompressed, with `bytes`.
    pub(super) fn of(bytes: &[u8], tables: &TableSettings) -> Self {
        if let Some(oddity) = of_binary(bytes) {
            return Self { oddity: Some(oddity), wrapper: Wrapper::of(bytes), ..Self::default() };
        }
        let lacking = match FoundColumns::of(bytes, tables) {
            FoundColumns::Table(columns, header_at) => {
                return Self { wrapper: Wrapper::Table, table: Some(Arc::from(columns)), header_at, ..Self::default() };
            }
            FoundColumns::Lacking(what) => what,
            FoundColumns::None => String::new(),
        };
        let wrapper = Wrapper::of(bytes);
        let oddity = match wrapper {
            Wrapper::None if lacking.is_empty() => of_text(bytes),
            Wrapper::None => Some(OTHER_TABLE),
            _ => None,
        };
        let remark = if wrapper == Wrapper::None { lacking } else { String::new() };
        Self { wrapper, oddity, remark, ..Self::default() }
    }
}

/// A table that lacks columns.
pub(super) const OTHER_TABLE: FileOddity = FileOddity {
    what: Cow::Borrowed("a table without the columns of notifications"),
    remedy: Cow::Borrowed(
        "name its columns in `[notifications.columns]` or in a layout: `body`, `received_at`, and `headers` or `client_id`, \
             `request_id`, `request_timestamp` and `signature` (docs/formats-logs.md)",
    ),
    is_certain: false,
};

/// Where the bytes stand that name a format, the bytes, the format, and what to do with it.
const FORMATS: [(usize, &[u8], &str, &str); 15] = [
    (0, b"PK\x03\x04", "a zip archive or a workbook", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (0, b"Rar!", "a RAR archive", UNPACK),
    (0, b"\xfd7zXZ\0", "compressed with xz", UNPACK),
    (0, b"BZh", "compressed with bzip2", UNPACK),
    (0, b"\x5d\0\0", "compressed with lzma", UNPACK),
    (0, b"\x1f\x9d", "compressed with compress", UNPACK),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4", UNPACK),
    (0, b"\x1f\x8b\x08", "compressed twice", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "compressed twice", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"LPKSHHRH", "a journal of systemd in its own format", "write it with `journalctl --output=json`"),
    (0, b"SQLite format 3\0", "an SQLite database", "give the log itself"),
    (0, b"PAR1", "a Parquet file", "give the log itself"),
    (0, b"%PDF-", "a PDF", "give the log itself"),
];
const UNPACK: &str = "unpack it and give the logs in it";

/// Whether a file that begins with `bytes` may be a workbook.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") && memchr::memmem::find(bytes, b"xl/").is_some()
}

fn of_binary(bytes: &[u8]) -> Option<FileOddity> {
    let format = FORMATS.iter().find(|(at, magic, ..)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    let certain = |what, remedy| FileOddity { what: Cow::Borrowed(what), remedy: Cow::Borrowed(remedy), is_certain: true };
    if let Some((_, _, what, remedy)) = format {
        return Some(certain(what, remedy));
    }
    let head = bytes.get(..bytes.len().min(256)).unwrap_or_default();
    let marked = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    // ASCII in UTF-16 is every other byte zero.
    let zeros = |parity| head.iter().skip(parity).step_by(2).take_while(|&&byte| byte == 0).count();
    let texts = |parity| head.iter().skip(parity).step_by(2).take_while(|&&byte| byte != 0).count();
    let half = head.len() / 2;
    let striped = head.len() >= 8 && ((zeros(1) >= half && texts(0) >= half) || (zeros(0) >= half && texts(1) >= half));
    (marked || striped).then(|| certain("UTF-16", "save it as UTF-8"))
}

fn of_text(bytes: &[u8]) -> Option<FileOddity> {
    let odd = |what, remedy| Some(FileOddity { what: Cow::Borrowed(what), remedy: Cow::Borrowed(remedy), is_certain: false });
    if !bytes.is_empty() && bytes.iter().all(|&byte| byte == 0) {
        return odd("nothing but zeros, as a power loss leaves them", "take the file from a backup, or have the notifications sent again");
    }
    let first = physical(bytes).filter_map(|(_, raw)| str::from_utf8(raw).ok()).map(str::trim).find(|line| !line.is_empty())?;
    if first.contains('\r') && memchr::memchr(b'\n', bytes).is_none() {
        return odd("text whose lines end with a carriage return alone", "write its lines as `tr '\\r' '\\n'` does");
    }
    let is_list = first.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', '"', '[']));
    if first.starts_with('{') && first.contains("\\x22") {
        return odd(
            "written with `\\x22` for quotes, as nginx does unless told otherwise",
            "log it with `log_format … escape=json`; of lines already written, replace `\\x22` by `\\\"` and `\\x5C` by `\\\\`",
        );
    }
    if matches!(first, "{" | "[" | "[{") || (first.starts_with('{') && is_cut(first)) {
        let has = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
        return if has(b"\"entries\"") && has(b"\"postData\"") || has(b"\"creator\"") {
            odd("a browser's record of its own traffic (HAR)", "give the log of the server that DOKU's messages come to")
        } else {
            odd("JSON that is spread over several lines", "write one message a line, as `jq -c .` does")
        };
    }
    if is_list {
        return odd("one JSON array", "write one message a line, as `jq -c '.[]'` does");
    }
    if first.starts_with('{') {
        return match envelope::parse(first) {
            Envelope::Malformed(why) if why != Detail::BodyAsJson => odd(
                "JSON objects without a `body` of their own",
                "give lines as `tagih serve` writes them, or in records of a system that docs/formats-logs.md names",
            ),
            _ => None,
        };
    }
    of_words(first)
}

/// What a line says that begins with no JSON.
fn of_words(first: &str) -> Option<FileOddity> {
    let lower = first.get(..first.len().min(64)).unwrap_or_default().to_ascii_lowercase();
    let (what, remedy) = if ["<!doctype", "<html", "<?xml"].iter().any(|start| lower.starts_with(start)) {
        ("a page or an XML file", "give the log itself; a download may have ended at a login page")
    } else if first.starts_with("__CURSOR=") {
        ("a journal of systemd in its export format", "write it with `journalctl --output=json`")
    } else if first.starts_with("- ") || first == "---" || first.starts_with("%YAML") {
        ("YAML", "write one message a line as JSON, as `yq -o=json -I=0 '.[]'` does")
    } else if first.contains("HTTP/1.") || first.contains("HTTP/2") {
        ("a web server's access log", "that log holds no bodies; give the one that keeps the messages as they were received")
    } else if first.contains("{\"") {
        ("JSON objects behind something that tagih does not know", "cut off what stands before them, as `sed 's/^[^{]*//'` does")
    } else if !first.contains('{') && first.matches([',', ';', '\t', '|']).count() >= 2 {
        return Some(OTHER_TABLE);
    } else {
        return None;
    };
    Some(FileOddity { what: Cow::Borrowed(what), remedy: Cow::Borrowed(remedy), is_certain: false })
}

/// Whether a line is the beginning of a JSON object and no more.
fn is_cut(line: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(line).is_err_and(|error| error.is_eof())
}
