//! Notifications kept in a table: where its columns are, and a row as the line that `serve` would have written.
//!
//! Belongs here: what the columns of such a table mean. Must not be here: the grammar of tables ([`crate::table`]).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::io::Cursor;

use serde::Serialize;
use serde::de::IgnoredAny;

use super::arrival::received_at;
use super::lines::{self, Piece, Place};
use super::physical_lines::{LINE_MAX, Span};
use crate::domain::line::Detail;
use crate::table::{self, Dialect, Header, PieceKind, Row, Shape, Sniffed, StoredAs, TableFault, TableLayout, TableSettings, Wrong};

const RECEIVED_AT: &str = "received_at";
const HEADERS: &str = "headers";
const TARGET: &str = "target";
const BODY: &str = "body";
/// The headers that a signature needs, each in a column of its own.
const OWN_HEADERS: [(&str, &str); 4] =
    [("client_id", "Client-Id"), ("request_id", "Request-Id"), ("request_timestamp", "Request-Timestamp"), ("signature", "Signature")];
/// The columns of a table of notifications.
pub const COLUMNS: [&str; 8] = [RECEIVED_AT, HEADERS, "client_id", "request_id", "request_timestamp", "signature", TARGET, BODY];
/// Columns in which systems that carry logs export whole lines of them.
const LINES: [&str; 6] = ["line", "message", "@message", "_raw", "log", "textpayload"];
/// What a body column stands beside; without any of them a table with a `body` is any table.
const BESIDE: [&str; 4] = [RECEIVED_AT, HEADERS, "signature", "request_id"];
/// Lines of one cell: a body may have been set out in lines, and headers stand one a line.
const CELL_LINES_MAX: usize = 512;
/// A byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// Where spreadsheets cut a cell, in UTF-16 units.
const SPREADSHEET_CELL_MAX: usize = 32_767;

/// Where the columns of one table are, and how its cells are to be read.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) dialect: Dialect,
    header: Row,
    received_at: Option<usize>,
    headers: Option<usize>,
    own: [Option<usize>; 4],
    target: Option<usize>,
    /// The body, or a whole line of a log.
    body: usize,
    holds_lines: bool,
    layout: TableLayout,
    offset: Option<jiff::tz::Offset>,
}

/// What the beginning of a file is, as far as tables go.
pub(super) enum FoundColumns {
    /// A table of notifications, and the byte at which its header stands.
    Table(Box<Columns>, usize),
    /// A table without the columns of one, and what it lacks.
    Lacking(String),
    /// No table that could be told.
    None,
}

/// What a record of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A message.
    Message,
    /// Nothing stands on it.
    Blank,
    /// The header, also said again.
    Header,
    /// It cannot be read, and why.
    Wrong(Detail),
}

impl FoundColumns {
    /// Of a file that begins with `head`.
    pub(super) fn of(head: &[u8], tables: &TableSettings) -> Self {
        let first = head.trim_ascii_start().strip_prefix(MARK).unwrap_or(head).trim_ascii_start().first();
        if matches!(first, None | Some(b'{' | b'[' | b'<' | 0)) {
            return Self::None;
        }
        let layouts = layouts(tables);
        let header = Header { is_known: &|name| is_known(name, &layouts), is_enough: &|names| is_enough(names, &layouts) };
        let shape = Shape { delimiter: None, sheet: None, limits: &tables.limits, header, is_strict: false };
        match table::sniffed(head, LINE_MAX, &shape) {
            Ok(Some(Sniffed { delimiter, header })) => Self::of_header(delimiter, header, head, tables),
            _ => Self::None,
        }
    }

    fn of_header(delimiter: u8, header: Row, head: &[u8], tables: &TableSettings) -> Self {
        let layouts = layouts(tables);
        let names = table::names(&header);
        let is_related = names.iter().any(|name| is_known(name, &layouts));
        let at = usize::try_from(header.byte).unwrap_or(usize::MAX);
        // A byte order mark is part of the line it stands on.
        let at = if head.get(..at) == Some(MARK) { 0 } else { at };
        // A word alone makes no table of a text: some cell must hold an object.
        if holds_lines(&names) && memchr::memmem::find(head, b"{\"").is_none() {
            return Self::None;
        }
        match Columns::of(delimiter, header, tables) {
            Ok(columns) => Self::Table(Box::new(columns), at),
            Err(fault) if is_related && names.len() > 1 => Self::Lacking(fault.to_string()),
            Err(_) => Self::None,
        }
    }
}

impl Columns {
    fn of(delimiter: u8, header: Row, tables: &TableSettings) -> Result<Self, TableFault> {
        let layouts = layouts(tables);
        let names = table::names(&header);
        let wanted = tables.layout.as_deref().filter(|wanted| layouts.iter().any(|layout| layout.name == *wanted));
        let layout = table::chosen(&layouts, wanted, &names).unwrap_or(&tables.notifications).clone();
        let place = |column: &str| {
            let theirs = layout.columns.get(column).map(|theirs| table::normalized(theirs));
            let mapped = theirs.map(|theirs| table::unique_place(&names, column, |name| name == theirs)).transpose()?.flatten();
            if mapped.is_some() { Ok(mapped) } else { table::unique_place(&names, column, |name| name == column) }
        };
        let mut own = [None; 4];
        for (slot, (column, _)) in own.iter_mut().zip(OWN_HEADERS) {
            *slot = place(column)?;
        }
        let (received_at, headers, target, body) = (place(RECEIVED_AT)?, place(HEADERS)?, place(TARGET)?, place(BODY)?);
        let is_beside = received_at.or(headers).is_some() || own.iter().any(Option::is_some);
        let whole = if body.is_none() { names.iter().position(|name| LINES.contains(&name.as_str())) } else { None };
        let holds_lines = whole.is_some();
        let body = body.filter(|_| is_beside).or(whole).ok_or_else(|| lacking(&header, &names, body.is_some(), &layouts))?;
        let mut dialect = Dialect::new(delimiter, LINE_MAX);
        (dialect.width, dialect.is_exact) = (Some(header.len()), true);
        (dialect.cell_lines_max, dialect.holds) = (CELL_LINES_MAX, Some(b'{'));
        Ok(Self { dialect, header, received_at, headers, own, target, body, holds_lines, layout, offset: tables.offset })
    }

    /// What the record is that was split off into `row`.
    pub(super) fn record(&self, row: &Row, what: PieceKind) -> Record {
        match what {
            PieceKind::Empty | PieceKind::Blank => Record::Blank,
            PieceKind::Row if plain(row).eq(plain(&self.header)) => Record::Header,
            PieceKind::Row => Record::Message,
            PieceKind::Wrong(_) if row.raw().iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) => Record::Blank,
            PieceKind::Wrong(Wrong::TooLarge(_)) => Record::Wrong(Detail::TooLong),
            PieceKind::Wrong(Wrong::Unclaimed) => Record::Wrong(Detail::Unclaimed),
            PieceKind::Wrong(_) if memchr::memmem::find(row.raw(), &[self.dialect.delimiter, b'{', b'"']).is_some() => {
                Record::Wrong(Detail::Unquoted)
            }
            PieceKind::Wrong(Wrong::Width { .. }) => Record::Wrong(Detail::Width),
            PieceKind::Wrong(_) if memchr::memmem::find(row.raw(), b"{\\\"").is_some() => Record::Wrong(Detail::Backslashes),
            PieceKind::Wrong(_) => Record::Wrong(Detail::StrayQuote),
        }
    }

    /// Whether an id of `row` is a number of a workbook, of which digits are lost.
    fn holds_rounded(&self, row: &Row) -> bool {
        self.own.iter().flatten().any(|&place| row.kind(place) == StoredAs::Number)
    }

    /// The message of a row as one line of a log; its body is the cell's own text.
    ///
    /// # Errors
    /// Why the row cannot be read.
    pub(super) fn line(&self, row: &Row) -> Result<String, Detail> {
        let body = self.cell(row, Some(self.body), BODY)?.ok_or(Detail::NoBody)?;
        if self.holds_lines {
            return Ok(body.to_owned());
        }
        if body.encode_utf16().count() >= SPREADSHEET_CELL_MAX && serde_json::from_str::<IgnoredAny>(body).is_err() {
            return Err(Detail::BodyCut);
        }
        let at = self.cell(row, self.received_at, RECEIVED_AT)?.map(str::trim);
        let at = at.map(|text| received_at(text, self.layout.date_format, self.offset)).transpose()?;
        let target = self.cell(row, self.target, TARGET)?.map(str::trim);
        let line = Line { received_at: at.map(|at| at.to_string()), target, body };
        let headers = self.headers(row)?;
        let rest = serde_json::to_string(&line).map_err(|_| Detail::NoBody)?;
        Ok(format!("{{\"headers\":{{{headers}}},{}", rest.strip_prefix('{').unwrap_or(&rest)))
    }

    /// The inside of the object of headers: those with a column of their own first, for of two the first counts.
    fn headers(&self, row: &Row) -> Result<String, Detail> {
        let mut all: Vec<String> = Vec::new();
        for (place, (column, name)) in self.own.iter().zip(OWN_HEADERS) {
            if let Some(value) = self.cell(row, *place, column)? {
                all.push(member(name, value.trim()));
            }
        }
        if let Some(text) = self.cell(row, self.headers, HEADERS)? {
            let text = text.trim();
            match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(inside) if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                    all.extend(Some(inside.trim().to_owned()).filter(|inside| !inside.is_empty()));
                }
                Some(_) => return Err(Detail::HeadersUnreadable),
                None => {
                    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                        let (name, value) = line.split_once(':').ok_or(Detail::HeadersUnreadable)?;
                        all.push(member(name.trim(), value.trim()));
                    }
                }
            }
        }
        Ok(all.join(","))
    }

    /// A cell that holds something, as it stands, or the constant of its column; what databases write for nothing is nothing.
    fn cell<'r>(&'r self, row: &'r Row, place: Option<usize>, column: &str) -> Result<Option<&'r str>, Detail> {
        let constant = || self.layout.constants.get(column).map(String::as_str);
        let Some(cell) = place.and_then(|place| row.get(place)) else { return Ok(constant()) };
        let text = str::from_utf8(cell).map_err(|_| Detail::NotUtf8)?;
        Ok(Some(text).filter(|text| !matches!(text.trim(), "" | "NULL" | "null" | "\\N")).or_else(constant))
    }
}

/// The parts of a log's line that need no care.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    body: &'a str,
}

/// The cells of a row; where files were put together, a byte order mark stands before the second header.
fn plain(row: &Row) -> impl Iterator<Item = &[u8]> {
    row.iter().map(|cell| cell.strip_prefix(MARK).unwrap_or(cell))
}

fn member(name: &str, value: &str) -> String {
    format!("{}:{}", serde_json::Value::from(name), serde_json::Value::from(value))
}

/// The layouts that are of notifications: what stands under `[notifications]`, and those that say where the body is.
fn layouts(tables: &TableSettings) -> Vec<TableLayout> {
    let named = tables.layouts.iter().filter(|layout| layout.columns.contains_key(BODY));
    std::iter::once(&tables.notifications).chain(named).cloned().collect()
}

fn is_known(name: &str, layouts: &[TableLayout]) -> bool {
    let is_mapped = |layout: &TableLayout| layout.columns.values().any(|theirs| table::normalized(theirs) == name);
    COLUMNS.contains(&name) || layouts.iter().any(is_mapped)
}

fn is_enough(names: &[String], layouts: &[TableLayout]) -> bool {
    layouts.iter().any(|layout| {
        let has = |column: &str| {
            let theirs = layout.columns.get(column).map(|theirs| table::normalized(theirs));
            names.iter().any(|name| name == column || theirs.as_ref() == Some(name))
        };
        has(BODY) && BESIDE.into_iter().any(has)
    }) || holds_lines(names)
}

/// Whether whole lines of a log may stand in a column.
fn holds_lines(names: &[String]) -> bool {
    !names.iter().any(|name| name == BODY) && names.iter().any(|name| LINES.contains(&name.as_str()))
}

fn lacking(header: &Row, names: &[String], has_body: bool, layouts: &[TableLayout]) -> TableFault {
    let wanted = if has_body { RECEIVED_AT } else { BODY };
    let is_known = |name: &str| is_known(name, layouts);
    let near = table::nearest(wanted, names.iter().map(String::as_str).filter(|name| !is_known(name)));
    let missing = near.map_or_else(|| format!("`{wanted}`"), |near| format!("`{wanted}`, did you mean your `{near}`?"));
    TableFault::ColumnMissing { missing, found: table::found_words(header, &is_known) }
}

/// One record of a table, and how many lines it spans.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spanned {
    pub(super) span: Span,
    pub(super) lines: u64,
    pub(super) record: Record,
}

/// The only sheet of notifications of a workbook, its rows written as records of CSV, with the number of each; or why there is none.
pub(super) fn of_workbook(content: Vec<u8>, tables: &TableSettings) -> Result<(Columns, Vec<u8>, Vec<Spanned>), String> {
    let layouts = layouts(tables);
    let header = Header { is_known: &|name| is_known(name, &layouts), is_enough: &|names| is_enough(names, &layouts) };
    let shape = Shape { delimiter: None, sheet: None, limits: &tables.limits, header, is_strict: false };
    let found = table::Content::of(Cursor::new(content), &shape).map_err(|fault| fault.to_string())?;
    let table::Content::Workbook(mut sheets) = found else { return Err("is no workbook".to_owned()) };
    let header_at = |rows: &[Row]| rows.iter().position(|row| is_enough(&table::names(row), &layouts));
    sheets.retain(|sheet| header_at(&sheet.rows).is_some());
    if let (2.., Some(wanted)) = (sheets.len(), &tables.sheet) {
        sheets.retain(|sheet| sheet.name.trim() == wanted.trim());
    }
    let sheet = match (sheets.pop(), sheets.is_empty()) {
        (Some(sheet), true) => sheet,
        (None, _) => return Err("has no sheet with the columns of notifications: `body`, and `received_at` or `headers`".to_owned()),
        (Some(_), false) => return Err("has several sheets of notifications: save the one that is meant as a file of its own".to_owned()),
    };
    let at = header_at(&sheet.rows).unwrap_or_default();
    let header = sheet.rows.get(at).cloned().unwrap_or_default();
    let columns = Columns::of(b',', header, tables).map_err(|fault| fault.to_string())?;
    let (mut bytes, mut rows, mut before) = (Vec::new(), Vec::new(), 0_u64);
    for (place, row) in sheet.rows.iter().enumerate() {
        let line = row.number.saturating_sub(1);
        let offset = bytes.len();
        if line > before {
            rows.push(Spanned {
                span: Span { line: before, offset, length: 0 },
                lines: line.saturating_sub(before),
                record: Record::Blank,
            });
        }
        before = row.number;
        for cell in 0..columns.header.len().max(row.len()) {
            bytes.extend_from_slice(if cell == 0 { b"\"" } else { b",\"" });
            bytes.extend(
                row.get(cell).unwrap_or_default().iter().flat_map(|&byte| std::iter::repeat_n(byte, if byte == b'"' { 2 } else { 1 })),
            );
            bytes.push(b'"');
        }
        let span = Span { line, offset, length: bytes.len().saturating_sub(offset) };
        let record = match place.cmp(&at) {
            Ordering::Less => Record::Wrong(Detail::Unclaimed),
            Ordering::Equal => Record::Header,
            Ordering::Greater if row.is_blank() => Record::Blank,
            Ordering::Greater if row.len() > columns.header.len() => Record::Wrong(Detail::Width),
            Ordering::Greater if columns.holds_rounded(row) => Record::Wrong(Detail::IdAsNumber),
            Ordering::Greater => Record::Message,
        };
        rows.push(Spanned { span, lines: 1, record });
    }
    Ok((columns, bytes, rows))
}

/// Cuts `text` into records from its front on, as long as what is left is more than a record may have, or all there is. `first` is the
/// number of lines before it. Gives the records, their bytes and their lines; it stops before a line that is too long to be kept.
pub(super) fn cut(columns: &Columns, text: &[u8], header_at: Option<usize>, is_all: bool) -> (Vec<Spanned>, usize, u64) {
    let (mut rows, mut row, mut at, mut line) = (Vec::new(), Row::default(), 0_usize, 0_u64);
    while let Some(rest) = text.get(at..).filter(|rest| is_all || rest.len() > LINE_MAX.saturating_add(2)) {
        let Some(piece) = table::split(rest, &columns.dialect, &mut row) else { break };
        if matches!(piece.what, PieceKind::Wrong(Wrong::TooLarge(_))) {
            break;
        }
        let record = match header_at.filter(|&header| at <= header) {
            Some(header) if at == header => Record::Header,
            Some(_) if piece.what == PieceKind::Empty || piece.what == PieceKind::Blank => Record::Blank,
            Some(_) if at == 0 && is_preface(row.raw()) => Record::Header,
            Some(_) => Record::Wrong(Detail::Unclaimed),
            None => columns.record(&row, piece.what),
        };
        let lines = u64::try_from(piece.lines).unwrap_or(u64::MAX);
        rows.push(Spanned { span: Span { line, offset: at, length: row.raw().len() }, lines, record });
        line = line.saturating_add(lines);
        at = at.saturating_add(piece.bytes);
    }
    (rows, at, line)
}

/// Shows every piece of the records `rows` of `bytes`, in their order.
pub(super) fn pieces<'a>(bytes: &'a [u8], rows: &[Spanned], columns: &Columns, mut see: impl FnMut(Piece<'a>)) {
    let mut row = Row::default();
    for &Spanned { span, lines: mut rest, record } in rows {
        match record {
            Record::Message => {
                let whole = table::split(span.of(bytes), &columns.dialect, &mut row).filter(|piece| piece.what == PieceKind::Row);
                match whole.ok_or(Detail::StrayQuote).and_then(|_| columns.line(&row)) {
                    Ok(text) if columns.holds_lines => lines::inner(vec![Cow::Owned(text)], span, &mut see),
                    Ok(text) => see(Piece::Message { span, text: Some(Cow::Owned(text)), place: Place::Only }),
                    Err(why) => see(Piece::Malformed { span, why }),
                }
                rest = rest.saturating_sub(1);
            }
            Record::Wrong(why) => {
                see(Piece::Malformed { span, why });
                rest = rest.saturating_sub(1);
            }
            Record::Blank => {
                (0..rest).for_each(|_| see(Piece::Blank));
                rest = 0;
            }
            Record::Header => {}
        }
        (0..rest).for_each(|_| see(Piece::Wrapping));
    }
}

/// Whether a first line only says how the others are split.
fn is_preface(line: &[u8]) -> bool {
    let line = line.strip_prefix(MARK).unwrap_or(line).trim_ascii();
    line.strip_prefix(b"\"").unwrap_or(line).get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sep="))
}
