//! Rows of cells → totals, header, rows: columns by their names, in either edition of the report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::cells::Cell;
use super::error::SettlementFault;
use crate::domain::amount::Amount;
use crate::domain::digest::Digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::personal::{may_be_personal, shown};
use crate::domain::reason::{AmountFault, CellFault};
use crate::domain::settlement::{BatchTotals, MalformedSettlementRow, RowPlace, Settlement, SettlementRow};
use crate::table::{self, AmountFormat, Row, TableLayout, TableSettings, Wrong, nearest};

/// No row names the columns.
pub(super) const NO_TABLE: SettlementFault = SettlementFault::NoReport("no row names its columns (NO, INVOICE NUMBER, AMOUNT, FEE, …)");

const REQUIRED: [&str; 7] =
    ["PAYMENT CHANNEL NAME", "TRANSACTION DATE", "INVOICE NUMBER", "AMOUNT", "FEE", "PAY TO MERCHANT", "TRANSACTION TYPE"];
const OPTIONAL: [&str; 9] = [
    "NO",
    "PAY OUT DATE",
    "REPORT CODE",
    "RECON CODE",
    "DISCOUNT",
    "SUB ACCOUNT",
    // Known, so that they are no custom columns; a customer's name is nobody's evidence.
    "MERCHANT NAME",
    "CUSTOMER NAME",
    "PROMO CODE",
];
/// A row that names so many known columns is the header.
const HEADER_NAMES_MIN: usize = 4;

type Slot = fn(&mut BatchTotals) -> &mut Option<i64>;

const TOTALS: [(&str, Slot); 8] = [
    ("TOTAL AMOUNT PURCHASE", |totals| &mut totals.amount),
    ("TOTAL FEE", |totals| &mut totals.fee),
    ("TOTAL PURCHASE", |totals| &mut totals.purchases),
    ("TOTAL AMOUNT REFUND", |totals| &mut totals.refund),
    ("TOTAL REFUND", |totals| &mut totals.refunds),
    ("TOTAL SETTLEMENT AMOUNT", |totals| &mut totals.paid_out),
    ("TOTAL DISCOUNT", |totals| &mut totals.discount),
    ("TOTAL TRANSACTIONS", |totals| &mut totals.transactions),
];
const BATCH_ID: &str = "BATCH ID";

/// A name without case, surplus blanks, and the underscore that ends the labels of totals.
fn normalized(text: &str) -> String {
    let text = text.trim_end_matches(['_', ':']).to_uppercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A column's name in a layout: `invoice_number` for `INVOICE NUMBER`.
fn in_layout(column: &str) -> String {
    table::normalized(column)
}

fn known() -> impl Iterator<Item = &'static str> {
    REQUIRED.into_iter().chain(OPTIONAL)
}

/// Whether a header (as the table reader normalizes them) means something.
pub(super) fn is_known(name: &str, layouts: &[TableLayout]) -> bool {
    /// Normalized once: every cell of every row that may be the header is looked up here.
    static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| known().map(in_layout).collect());
    let is_mapped = |layout: &TableLayout| layout.columns.values().any(|theirs| table::normalized(theirs) == name);
    KNOWN.contains(&in_layout(&normalized(name))) || layouts.iter().any(is_mapped)
}

/// Whether a row of these names names the columns.
pub(super) fn is_header(names: &[String], layouts: &[TableLayout]) -> bool {
    names.iter().filter(|name| is_known(name, layouts)).count() >= HEADER_NAMES_MIN
}

/// Where the columns of one table are.
struct Columns {
    known: BTreeMap<&'static str, usize>,
    custom: Vec<(String, usize)>,
    width: usize,
    layout: TableLayout,
}

impl Columns {
    fn of(header: &Row, tables: &TableSettings) -> Result<Self, SettlementFault> {
        let row = header.number;
        let found = table::names(header);
        let layout = table::chosen(&tables.layouts, tables.layout.as_deref(), &found).cloned().unwrap_or_default();
        let names: Vec<String> = header.iter().map(|cell| normalized(String::from_utf8_lossy(cell).trim())).collect();
        let (mut known_places, mut missing) = (BTreeMap::new(), Vec::new());
        for column in known() {
            let theirs = layout.columns.get(&in_layout(column)).map(|theirs| normalized(theirs));
            let is_it = |name: &str| name == theirs.as_deref().unwrap_or(column);
            match table::unique_place(&names, column, is_it) {
                Err(table::TableFault::ColumnTwice { first, second, .. }) => {
                    return Err(SettlementFault::ColumnTwice { column, first, second, row });
                }
                Err(fault) => return Err(SettlementFault::Table(fault)),
                Ok(Some(place)) => drop(known_places.insert(column, place)),
                Ok(None) if REQUIRED.contains(&column) => {
                    let near = nearest(column, names.iter().map(String::as_str).filter(|name| !known().any(|known| known == *name)));
                    missing.push(near.map_or_else(|| format!("`{column}`"), |near| format!("`{column}`, did you mean your `{near}`?")));
                }
                Ok(None) => {}
            }
        }
        if !missing.is_empty() {
            let found = table::found_words(header, &|name| is_known(name, &tables.layouts));
            return Err(SettlementFault::ColumnMissing { columns: missing.join(", "), found, row });
        }
        let text = |place: usize| header.text(place).unwrap_or_default().trim().to_owned();
        let is_custom = |place: &usize| !text(*place).is_empty() && !known_places.values().any(|taken| taken == place);
        let custom = (0..header.len()).filter(is_custom).map(|place| (text(place), place)).collect();
        Ok(Self { known: known_places, custom, width: header.len(), layout })
    }

    fn cell(&self, row: &Row, column: &str) -> Cell {
        self.known.get(column).map_or_else(
            || Cell::Text(String::new()),
            |&place| {
                let cell = Cell::of(row, place);
                let is_date = column.ends_with(" DATE");
                match (&cell, self.layout.meaning(&in_layout(column), cell.text(), is_date)) {
                    (Cell::Text(_), Some(meaning)) if is_date => Cell::Date(meaning),
                    (Cell::Text(_) | Cell::Number(_), Some(meaning)) => Cell::Text(meaning),
                    _ => cell,
                }
            },
        )
    }
}

/// Takes the rows of one file in their order.
pub(super) struct Table<'a> {
    settlement: &'a mut Settlement,
    file: u32,
    tables: &'a TableSettings,
    /// The totals above the next, or present, table.
    totals: BatchTotals,
    has_totals: bool,
    columns: Option<Columns>,
    found: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(settlement: &'a mut Settlement, file: u32, tables: &'a TableSettings) -> Self {
        Self { settlement, file, tables, totals: BatchTotals::default(), has_totals: false, columns: None, found: false }
    }

    /// How many cells the rows of the present table have.
    pub(super) fn width(&self) -> Option<usize> {
        self.columns.as_ref().map(|columns| columns.width)
    }

    /// Takes a row: a total, the header, a row of the table, or one that no header claims. `digest` is over its raw line.
    pub(super) fn take(&mut self, row: &mut Row, digest: impl Fn(&[u8]) -> Digest) -> Result<(), SettlementFault> {
        if row.is_blank() {
            return Ok(());
        }
        let digest = digest(row.raw());
        if let Some(wrong) = row.wrong {
            self.malformed(row, digest, ("row", CellFault::Row(wrong)));
            return Ok(());
        }
        let label = normalized(&first_text(row));
        let slot = TOTALS.iter().find(|(name, _)| *name == label).map(|&(_, slot)| slot);
        if slot.is_some() || label == BATCH_ID {
            return self.total(row, slot);
        }
        if is_header(&table::names(row), &self.tables.layouts) {
            self.columns = Some(Columns::of(row, self.tables)?);
            self.found = true;
            return Ok(());
        }
        match self.columns.as_ref().map(|columns| parse(row, columns)) {
            Some(Ok(parsed)) => self.row(row, digest, parsed),
            Some(Err(fault)) => self.malformed(row, digest, fault),
            None => self.malformed(row, digest, ("row", CellFault::Row(Wrong::Unclaimed))),
        }
        Ok(())
    }

    /// Lists a row that cannot be read.
    fn malformed(&mut self, row: &Row, digest: Digest, (column, reason): Fault) {
        self.settlement.raw.rows = self.settlement.raw.rows.saturating_add(1);
        let number = self.columns.as_ref().map_or_else(String::new, |columns| columns.cell(row, "INVOICE NUMBER").text().to_owned());
        let is_shown = InvoiceNumber::new(&number).is_ok() && !may_be_personal(&number, &[]);
        let invoice_number = if is_shown { number } else { String::new() };
        let place = RowPlace { file: self.file, row: row.number, byte: row.byte };
        let (batch_id, column) = (self.totals.batch_id.clone(), column.to_owned());
        self.settlement.malformed.push(MalformedSettlementRow { place, digest, batch_id, invoice_number, column, reason });
    }

    fn total(&mut self, row: &Row, slot: Option<Slot>) -> Result<(), SettlementFault> {
        // Totals below a table are those of the next batch.
        if self.columns.take().is_some() {
            self.close();
        }
        let value = Cell::of(row, 1);
        match slot {
            None => value.text().clone_into(&mut self.totals.batch_id),
            Some(slot) => {
                let label = || shown(&first_text(row), &["total"]);
                let wrong = || SettlementFault::Total { label: label(), value: shown(value.text(), &[]), row: row.number };
                *slot(&mut self.totals) = Some(value.integer(AmountFormat::Plain).map_err(|_| wrong())?);
            }
        }
        self.has_totals = true;
        Ok(())
    }

    /// Keeps the totals of the batch that ends here.
    fn close(&mut self) {
        let totals = std::mem::take(&mut self.totals);
        if std::mem::take(&mut self.has_totals) {
            self.settlement.totals.push(totals);
        }
    }

    /// The end of the file.
    pub(super) fn finish(mut self) -> Result<(), SettlementFault> {
        self.close();
        if self.found { Ok(()) } else { Err(NO_TABLE) }
    }

    fn row(&mut self, row: &Row, digest: Digest, parsed: SettlementRow) {
        let place = RowPlace { file: self.file, row: row.number, byte: row.byte };
        self.settlement.raw.add(&parsed);
        self.settlement.rows.push(SettlementRow { place, digest, batch_id: self.totals.batch_id.clone(), ..parsed });
    }
}

fn first_text(row: &Row) -> String {
    String::from_utf8_lossy(row.get(0).unwrap_or_default()).trim().to_owned()
}

type Fault = (&'static str, CellFault);

/// One row of the table, or the column at fault.
fn parse(row: &Row, columns: &Columns) -> Result<SettlementRow, Fault> {
    // A row of a workbook ends with its last cell that holds something.
    let is_cut = !row.raw().is_empty() && row.len() < columns.width;
    if row.len() > columns.width || is_cut {
        return Err(("row", CellFault::Row(Wrong::Width { found: row.len(), wanted: columns.width })));
    }
    let cell = |column: &'static str| columns.cell(row, column);
    let code = |column: &'static str| cell(column).code().map_err(|reason| (column, reason));
    let amount = |column: &'static str| cell(column).integer(columns.layout.amount_format).map_err(|reason| (column, reason));
    let date = |column: &'static str| cell(column).date().map_err(|reason| (column, reason));
    let wanted = |column: &'static str| {
        let text = code(column)?;
        if text.is_empty() { Err((column, CellFault::Empty)) } else { Ok(text) }
    };
    let discount = if cell("DISCOUNT").text().is_empty() { 0 } else { amount("DISCOUNT")? };
    let parsed = SettlementRow {
        place: RowPlace::default(),
        digest: Digest::default(),
        batch_id: String::new(),
        number: cell("NO").text().to_owned(),
        channel_name: wanted("PAYMENT CHANNEL NAME")?,
        transaction_date: date("TRANSACTION DATE")?.ok_or(("TRANSACTION DATE", CellFault::Empty))?,
        paid_out_on: date("PAY OUT DATE")?,
        invoice_number: code("INVOICE NUMBER")?,
        report_code: code("REPORT CODE")?,
        recon_code: code("RECON CODE")?,
        transaction_type: wanted("TRANSACTION TYPE")?,
        amount: amount("AMOUNT")?,
        fee: amount("FEE")?,
        discount,
        paid_out: amount("PAY TO MERCHANT")?,
        sub_account: cell("SUB ACCOUNT").text().to_owned(),
        custom: columns.custom.iter().map(|(name, place)| (name.clone(), Cell::of(row, *place).text().to_owned())).collect(),
    };
    if [&parsed.invoice_number, &parsed.report_code, &parsed.recon_code].iter().all(|text| text.is_empty()) {
        return Err(("INVOICE NUMBER", CellFault::Nameless));
    }
    let is_amount = u64::try_from(parsed.amount).is_ok_and(|amount| Amount::new(amount).is_ok());
    if parsed.is_purchase() && !is_amount {
        return Err(("AMOUNT", CellFault::Amount(AmountFault::OutOfBounds(parsed.amount))));
    }
    Ok(parsed)
}
