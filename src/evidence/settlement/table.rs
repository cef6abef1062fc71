//! Rows of cells → totals, header, rows: columns by their names, in either edition of the report.

use std::collections::BTreeMap;

use super::cells::{Cell, RawRow, shown};
use super::error::SettlementFault;
use crate::domain::amount::Amount;
use crate::domain::ids::InvoiceNumber;
use crate::domain::settlement::{BatchTotals, MalformedRow, RowPlace, Settlement, SettlementRow};

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

/// Whether a row names the columns.
pub(super) fn is_header(row: &RawRow) -> bool {
    let names = row.cells.iter().map(|cell| normalized(cell.text()));
    names.filter(|name| REQUIRED.contains(&name.as_str()) || OPTIONAL.contains(&name.as_str())).count() >= HEADER_NAMES_MIN
}

/// Where the columns of one table are.
struct Columns {
    known: BTreeMap<&'static str, usize>,
    custom: Vec<(String, usize)>,
    width: usize,
}

impl Columns {
    fn of(header: &RawRow) -> Result<Self, SettlementFault> {
        let row = header.number;
        let names: Vec<String> = header.cells.iter().map(|cell| normalized(cell.text())).collect();
        let mut known = BTreeMap::new();
        for column in REQUIRED.into_iter().chain(OPTIONAL) {
            let mut places = (0..).zip(&names).filter(|(_, name)| *name == column).map(|(place, _)| place);
            match (places.next(), places.next()) {
                (_, Some(_)) => return Err(SettlementFault::ColumnTwice { column, row }),
                (Some(place), None) => drop(known.insert(column, place)),
                (None, None) if REQUIRED.contains(&column) => return Err(SettlementFault::ColumnMissing { column, row }),
                (None, None) => {}
            }
        }
        let is_custom = |(place, cell): &(usize, &Cell)| !cell.text().is_empty() && !known.values().any(|taken| taken == place);
        let custom = (0..).zip(&header.cells).filter(is_custom).map(|(place, cell)| (cell.text().to_owned(), place)).collect();
        Ok(Self { known, custom, width: header.cells.len() })
    }

    fn cell<'r>(&self, row: &'r RawRow, column: &str) -> &'r Cell {
        const EMPTY: &Cell = &Cell::Text(String::new());
        self.known.get(column).and_then(|&place| row.cells.get(place)).unwrap_or(EMPTY)
    }
}

/// Takes the rows of one file in their order.
pub(super) struct Table<'a> {
    settlement: &'a mut Settlement,
    file: u32,
    /// The totals above the next, or present, table.
    totals: BatchTotals,
    has_totals: bool,
    columns: Option<Columns>,
    found: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(settlement: &'a mut Settlement, file: u32) -> Self {
        Self { settlement, file, totals: BatchTotals::default(), has_totals: false, columns: None, found: false }
    }

    /// Takes a row: a total, the header, a row of the table, or something before it that says nothing.
    pub(super) fn take(&mut self, row: &RawRow) -> Result<(), SettlementFault> {
        if row.is_blank() {
            return Ok(());
        }
        let label = normalized(row.text(0));
        let slot = TOTALS.iter().find(|(name, _)| *name == label).map(|&(_, slot)| slot);
        if slot.is_some() || label == BATCH_ID {
            return self.total(row, slot);
        }
        if is_header(row) {
            self.columns = Some(Columns::of(row)?);
            self.found = true;
            return Ok(());
        }
        if let Some(columns) = self.columns.take() {
            self.row(row, &columns);
            self.columns = Some(columns);
        }
        Ok(())
    }

    fn total(&mut self, row: &RawRow, slot: Option<Slot>) -> Result<(), SettlementFault> {
        // Totals below a table are those of the next batch.
        if self.columns.take().is_some() {
            self.close();
        }
        let value = row.cells.get(1);
        match slot {
            None => row.text(1).clone_into(&mut self.totals.batch_id),
            Some(slot) => {
                let wrong = || SettlementFault::Total { label: shown(row.text(0)), value: shown(row.text(1)), row: row.number };
                *slot(&mut self.totals) = Some(value.and_then(|cell| cell.integer().ok()).ok_or_else(wrong)?);
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

    fn row(&mut self, row: &RawRow, columns: &Columns) {
        self.settlement.raw.rows = self.settlement.raw.rows.saturating_add(1);
        let place = RowPlace { file: self.file, row: row.number, byte: row.byte };
        match parse(row, columns) {
            Ok(parsed) => {
                let raw = &mut self.settlement.raw;
                let (gross, amount) = (i128::from(parsed.amount), i128::from(parsed.amount).saturating_abs());
                if parsed.is_purchase() {
                    raw.amount = raw.amount.saturating_add(gross);
                } else {
                    raw.refund = raw.refund.saturating_add(amount);
                }
                raw.fee = raw.fee.saturating_add(parsed.fee.into());
                raw.discount = raw.discount.saturating_add(parsed.discount.into());
                self.settlement.rows.push(SettlementRow { place, batch_id: self.totals.batch_id.clone(), ..parsed });
            }
            Err((column, reason)) => {
                let number = columns.cell(row, "INVOICE NUMBER").text();
                let invoice_number = InvoiceNumber::new(number).map_or_else(|_| String::new(), Into::into);
                let (batch_id, column) = (self.totals.batch_id.clone(), column.to_owned());
                self.settlement.malformed.push(MalformedRow { place, digest: row.digest, batch_id, invoice_number, column, reason });
            }
        }
    }
}

type Fault = (&'static str, String);

/// One row of the table, or the column at fault.
fn parse(row: &RawRow, columns: &Columns) -> Result<SettlementRow, Fault> {
    let is_cut = row.byte > 0 && row.cells.len() < columns.width;
    if row.cells.len() > columns.width || is_cut {
        return Err(("row", format!("it has {} cells, the header has {}", row.cells.len(), columns.width)));
    }
    let cell = |column: &'static str| columns.cell(row, column);
    let code = |column: &'static str| cell(column).code().map_err(|reason| (column, reason));
    let amount = |column: &'static str| cell(column).integer().map_err(|reason| (column, reason));
    let date = |column: &'static str| cell(column).date().map_err(|reason| (column, reason));
    let wanted = |column: &'static str| {
        let text = code(column)?;
        if text.is_empty() { Err((column, "it is empty".to_owned())) } else { Ok(text) }
    };
    let discount = if cell("DISCOUNT").text().is_empty() { 0 } else { amount("DISCOUNT")? };
    let parsed = SettlementRow {
        place: RowPlace::default(),
        digest: row.digest,
        batch_id: String::new(),
        number: cell("NO").text().to_owned(),
        channel_name: wanted("PAYMENT CHANNEL NAME")?,
        transaction_date: date("TRANSACTION DATE")?.ok_or_else(|| ("TRANSACTION DATE", "it is empty".to_owned()))?,
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
        custom: columns.custom.iter().map(|(name, place)| (name.clone(), row.text(*place).to_owned())).collect(),
    };
    if [&parsed.invoice_number, &parsed.report_code, &parsed.recon_code].iter().all(|text| text.is_empty()) {
        return Err(("INVOICE NUMBER", "it is empty, and so are the codes".to_owned()));
    }
    let is_amount = u64::try_from(parsed.amount).is_ok_and(|amount| Amount::new(amount).is_ok());
    if parsed.is_purchase() && !is_amount {
        return Err(("AMOUNT", format!("`{}` is not between 1 and {}", parsed.amount, Amount::MAX)));
    }
    Ok(parsed)
}
