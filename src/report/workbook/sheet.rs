//! One sheet, written from top to bottom: rows that are past cannot be touched again.

use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, Worksheet, XlsxError};

use super::super::document::{Cell, CellKind, DocumentTable, Highlight, Mood};
use super::super::text::{self, neutral};
use super::style::{RUPIAH, Styles};

/// A4.
const PAPER: u8 = 9;
/// Beyond this, a spreadsheet's numbers lose rupiah; such a figure is written as text.
const EXACT_MAX: i128 = 999_999_999_999_999;
/// Shifts an instant to WIB for a cell that knows no zones.
const WIB_SECONDS: i64 = 7 * 3_600;
/// Characters of a note that fit in a column's width, a little less than the width itself.
const LINE_HEIGHT: u32 = 14;

/// Where in its table a row stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Body,
    Totals,
}

/// A sheet and the row to be written next.
pub(super) struct Sheet<'a> {
    worksheet: &'a mut Worksheet,
    styles: &'a Styles,
    pub(super) row: u32,
    widths: Vec<u16>,
    /// The first row of column headings.
    head: u32,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(worksheet: &'a mut Worksheet, styles: &'a Styles, title: &str) -> Self {
        worksheet.set_paper_size(PAPER).set_landscape().set_print_fit_to_pages(1, 0).set_margins(0.5, 0.5, 0.7, 0.7, 0.3, 0.3);
        worksheet.set_screen_gridlines(false).set_header(format!("&L&8{}&R&8&A", title.replace('&', "&&")));
        Self { worksheet, styles, row: 0, widths: Vec::new(), head: 0 }
    }

    pub(super) fn name(&mut self, name: &str) -> Result<&mut Self, XlsxError> {
        self.worksheet.set_name(name)?;
        Ok(self)
    }

    pub(super) fn widths(&mut self, widths: &[u16]) -> Result<&mut Self, XlsxError> {
        for (column, &width) in (0_u16..).zip(widths) {
            self.worksheet.set_column_width(column, width)?;
        }
        self.widths = widths.to_vec();
        Ok(self)
    }

    /// The title, and the note below it across `span` columns.
    pub(super) fn heading(&mut self, title: &str, note: &str, span: usize) -> Result<(), XlsxError> {
        self.worksheet.set_row_height(0, 24)?;
        self.worksheet.write_string_with_format(0, 0, &*neutral(title), &self.styles.title)?;
        self.row = 1;
        if !note.is_empty() {
            self.remark(note, span)?;
        }
        self.row = self.row.saturating_add(1);
        Ok(())
    }

    /// A note across `span` columns, as high as it needs to be.
    pub(super) fn remark(&mut self, note: &str, span: usize) -> Result<(), XlsxError> {
        // Readers see about so many characters of a row at once; a wider note would run out of the window.
        const SEEN: u16 = 130;
        let mut columns = 0_u16;
        let mut characters = 0_u16;
        for width in self.widths.iter().take(span.max(1)) {
            if characters >= SEEN {
                break;
            }
            characters = characters.saturating_add(*width);
            columns = columns.saturating_add(1);
        }
        let lines = note
            .chars()
            .count()
            .div_ceil(usize::from(characters.max(20)))
            .saturating_add(usize::from(note.chars().count() > usize::from(characters)));
        self.worksheet.set_row_height(self.row, u32::try_from(lines.max(1)).unwrap_or(1).saturating_mul(LINE_HEIGHT))?;
        let style = &self.styles.note;
        if columns > 1 {
            self.worksheet.merge_range(self.row, 0, self.row, columns.saturating_sub(1), &neutral(note), style)?;
        } else {
            self.worksheet.write_string_with_format(self.row, 0, &*neutral(note), style)?;
        }
        self.row = self.row.saturating_add(1);
        Ok(())
    }

    pub(super) fn caption(&mut self, caption: &str) -> Result<(), XlsxError> {
        self.worksheet.set_row_height(self.row, 20)?;
        self.worksheet.write_string_with_format(self.row, 0, &*neutral(caption), &self.styles.caption)?;
        self.row = self.row.saturating_add(1);
        Ok(())
    }

    /// The column headings; of a sheet's only table they stay in sight and are repeated on every printed page.
    pub(super) fn head(&mut self, table: &DocumentTable<'_>, columns: &[usize], is_frozen: bool) -> Result<(), XlsxError> {
        self.worksheet.set_row_height(self.row, 30)?;
        self.head = self.row;
        for (at, column) in (0_u16..).zip(columns.iter().filter_map(|place| table.columns.get(*place))) {
            self.worksheet.write_string_with_format(self.row, at, &*neutral(&column.title), self.styles.head(column.kind))?;
        }
        self.row = self.row.saturating_add(1);
        if is_frozen {
            self.worksheet.set_freeze_panes(self.row, 0)?.set_repeat_rows(self.head, self.head)?;
        }
        Ok(())
    }

    pub(super) fn cells(&mut self, table: &DocumentTable<'_>, columns: &[usize], row: &[Cell<'_>], place: Place) -> Result<(), XlsxError> {
        if place == Place::Body && table.file.is_none() {
            self.fit_height(table, columns, row)?;
        }
        for (at, &column) in (0_u16..).zip(columns) {
            let (Some(column), Some(cell)) = (table.columns.get(column), row.get(column)) else { continue };
            let style = match place {
                Place::Body if column.kind == CellKind::Text && table.file.is_none() => self.styles.wrapped(),
                Place::Body => self.styles.body(column.kind),
                // How many rows there are stands under whatever column is free.
                Place::Totals if matches!(cell, Cell::Count(_)) => self.styles.totals(CellKind::Count),
                Place::Totals => self.styles.totals(column.kind),
            };
            write(self.worksheet, self.row, at, cell, style, place)?;
        }
        self.row = self.row.saturating_add(1);
        Ok(())
    }

    /// As many lines as the longest words of the row take: not every reader measures them on opening.
    fn fit_height(&mut self, table: &DocumentTable<'_>, columns: &[usize], row: &[Cell<'_>]) -> Result<(), XlsxError> {
        let lines =
            columns.iter().zip(&self.widths).filter_map(|(&place, &width)| match (table.columns.get(place)?.kind, row.get(place)?) {
                (CellKind::Text, Cell::Text(text)) => Some(text.chars().count().div_ceil(usize::from(width.saturating_sub(2).max(1)))),
                _ => None,
            });
        let lines = lines.max().and_then(|lines| u32::try_from(lines).ok()).unwrap_or(1);
        if lines > 1 {
            self.worksheet.set_row_height(self.row, lines.saturating_mul(LINE_HEIGHT))?;
        }
        Ok(())
    }

    /// Makes a sheet's only table ready to filter and print. To be called before its totals, which are no rows to filter.
    pub(super) fn end_of_rows(&mut self, table: &DocumentTable<'_>, columns: &[usize], is_single: bool) -> Result<(), XlsxError> {
        let last_column = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).saturating_sub(1);
        let last_row = self.row.saturating_sub(1);
        if !is_single || last_row == self.head {
            return Ok(());
        }
        self.worksheet.autofilter(self.head, 0, last_row, last_column(columns.len()))?;
        // On paper, the details at the right would make everything too small to read.
        let main = columns.iter().filter(|place| table.columns.get(**place).is_some_and(|column| !column.detail)).count();
        self.worksheet.set_print_area(0, 0, self.row, last_column(main))?;
        Ok(())
    }

    /// One row of these cells.
    pub(super) fn line<const N: usize>(&mut self, cells: &[Cell<'_>; N], kinds: [CellKind; N], place: Place) -> Result<(), XlsxError> {
        for (at, (cell, kind)) in (0_u16..).zip(cells.iter().zip(kinds)) {
            let style = match place {
                Place::Body => self.styles.body(kind),
                Place::Totals => self.styles.totals(kind),
            };
            write(self.worksheet, self.row, at, cell, style, place)?;
        }
        self.space();
        Ok(())
    }

    /// Leaves the row, written or not.
    pub(super) const fn space(&mut self) {
        self.row = self.row.saturating_add(1);
    }

    pub(super) const fn row(&self) -> u32 {
        self.row
    }

    pub(super) const fn worksheet(&mut self) -> &mut Worksheet {
        self.worksheet
    }

    /// The outcome.
    pub(super) fn verdict(&mut self, verdict: &str, mood: Mood) -> Result<(), XlsxError> {
        let style = self.styles.mood(mood).set_align(FormatAlign::VerticalCenter);
        self.worksheet.set_row_height(self.row, 34)?;
        self.worksheet.merge_range(self.row, 0, self.row, 3, &neutral(verdict), &style)?;
        self.row = self.row.saturating_add(2);
        Ok(())
    }

    pub(super) fn highlight(&mut self, highlight: &Highlight) -> Result<(), XlsxError> {
        let style = self.styles.mood(highlight.mood);
        self.worksheet.write_string_with_format(self.row, 0, &*neutral(&highlight.label), &style)?;
        write(
            self.worksheet,
            self.row,
            1,
            &highlight.count.into(),
            &style.clone().set_num_format("#,##0").set_align(FormatAlign::Right),
            Place::Body,
        )?;
        let money = style.set_num_format(RUPIAH).set_align(FormatAlign::Right);
        write(self.worksheet, self.row, 2, &highlight.amount.into(), &money, Place::Body)?;
        self.worksheet.write_string_with_format(self.row, 3, &*highlight.explanation, &self.styles.label)?;
        self.row = self.row.saturating_add(1);
        Ok(())
    }

    /// Label and value, one a row, the value across the rest.
    pub(super) fn facts(&mut self, facts: &DocumentTable<'_>) -> Result<(), XlsxError> {
        self.row = self.row.saturating_add(1);
        self.caption(&facts.caption)?;
        for row in facts.rows.iter() {
            let [Cell::Text(label), Cell::Text(value)] = row.as_slice() else { continue };
            self.worksheet.write_string_with_format(self.row, 0, &*neutral(label), &self.styles.label)?;
            self.worksheet.merge_range(self.row, 1, self.row, 3, &neutral(value), &self.styles.value)?;
            let lines = u32::try_from(value.chars().count() / 80).unwrap_or(0).saturating_add(1);
            self.worksheet.set_row_height(self.row, lines.saturating_mul(LINE_HEIGHT))?;
            self.row = self.row.saturating_add(1);
        }
        Ok(())
    }

    /// A line to sign on for each.
    pub(super) fn signatures(&mut self, signatures: &[&str], hint: &str) -> Result<(), XlsxError> {
        for signature in signatures {
            self.row = self.row.saturating_add(1);
            self.worksheet.set_row_height(self.row, 34)?;
            self.worksheet.write_string_with_format(self.row, 0, *signature, &self.styles.label)?;
            for column in 1..3 {
                self.worksheet.write_blank(self.row, column, &self.styles.line)?;
            }
            self.worksheet.write_string_with_format(self.row, 3, hint, &self.styles.label)?;
        }
        Ok(())
    }

    pub(super) fn finish(self, footer: &str, page_of: &str) {
        // The format allows 255 characters in all.
        let footer: String = footer.replace('&', "&&").chars().take(200).collect();
        self.worksheet.set_footer(format!("&L&8{footer}&R&8{page_of}"));
    }
}

fn write(worksheet: &mut Worksheet, row: u32, column: u16, cell: &Cell<'_>, style: &Format, place: Place) -> Result<(), XlsxError> {
    match cell {
        // An empty cell of the body is left out; the line above totals runs through.
        Cell::Empty if place == Place::Body => return Ok(()),
        Cell::Empty => worksheet.write_blank(row, column, style)?,
        Cell::Text(text) => worksheet.write_string_with_format(row, column, &*neutral(text), style)?,
        Cell::Count(count) => number(worksheet, row, column, i128::from(*count), style, CellKind::Count)?,
        Cell::Rupiah(amount) => number(worksheet, row, column, amount.get(), style, CellKind::Rupiah)?,
        Cell::Date(day) => {
            let year = u16::try_from(day.year()).unwrap_or_default();
            let (month, day) = (u8::try_from(day.month()).unwrap_or_default(), u8::try_from(day.day()).unwrap_or_default());
            worksheet.write_datetime_with_format(row, column, ExcelDateTime::from_ymd(year, month, day)?, style)?
        }
        Cell::Instant(at) => match ExcelDateTime::from_timestamp(at.as_second().saturating_add(WIB_SECONDS)) {
            Ok(there) => worksheet.write_datetime_with_format(row, column, there, style)?,
            // Before 1900 or after 9999: a date no spreadsheet knows.
            Err(_) => worksheet.write_string_with_format(row, column, at.to_string(), style)?,
        },
        Cell::Percent(hundredths) => number(worksheet, row, column, i128::from(*hundredths), style, CellKind::Percent)?,
    };
    Ok(())
}

fn number<'w>(
    worksheet: &'w mut Worksheet,
    row: u32,
    column: u16,
    number: i128,
    style: &Format,
    kind: CellKind,
) -> Result<&'w mut Worksheet, XlsxError> {
    match i64::try_from(number).ok().filter(|_| number.abs() <= EXACT_MAX) {
        Some(number) if kind == CellKind::Percent => {
            let share: f64 = format!("{number}e-4").parse().unwrap_or_default();
            worksheet.write_with_format(row, column, share, style)
        }
        Some(number) => worksheet.write_with_format(row, column, number, style),
        None if kind == CellKind::Rupiah => worksheet.write_string_with_format(row, column, text::rupiah(number), style),
        None => worksheet.write_string_with_format(row, column, number.to_string(), style),
    }
}
