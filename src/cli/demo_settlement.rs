//! The demo's third leg: DOKU's settlement reports of the month, some of their rows wrong, with the truth of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::failure::Failure;
use crate::domain::ids::InvoiceNumber;
use crate::jobs::demo::{EACH, Planted};
use crate::sandbox::model::Model;
use crate::sandbox::settlement::{Layout, payout_date};

/// Where the figures of a row stand.
const INVOICE: usize = 4;
const AMOUNT: usize = 7;
const FEE: usize = 9;
const PAID_OUT: usize = 11;

/// What can be wrong with a row, as the class that must be found.
const FAULTS: [&str; 5] = ["S02", "S03", "S04", "S05", "S07"];

/// The reports of every pay-out day, and what they mean, which is added to the truth.
pub(super) fn plant(model: &Model, planted: &mut Planted) -> Result<Vec<(Date, String)>, Failure> {
    let kinds = FAULTS.iter().flat_map(|class| std::iter::repeat_n(*class, EACH));
    let faults: BTreeMap<InvoiceNumber, &'static str> = planted.exact.iter().map(|(invoice, _)| invoice.clone()).zip(kinds).collect();
    for (invoice, amount) in std::mem::take(&mut planted.settled) {
        let class = if planted.lost.contains(&invoice) { "S01" } else { faults.get(&invoice).copied().unwrap_or("S00") };
        planted.truth.settled(class, amount.saturating_sub(if class == "S03" { SHORT } else { 0 }));
        if class == "S07" {
            // The row itself is right; its copy is the finding.
            planted.truth.settled("S00", amount);
        }
    }
    let payments = model.orders().iter().flat_map(|order| &order.payments);
    let days: BTreeSet<Date> = payments.map(|payment| payout_date(payment.paid_at)).collect();
    days.into_iter().map(|day| Ok((day, spoilt(&model.settlement(Some(day), Layout::Current), &faults)?))).collect()
}

/// Rupiah by which a wrong row is wrong.
const SHORT: u64 = 1_000;

/// `report` with the faults in its rows, and totals that fit what it now says.
fn spoilt(report: &str, faults: &BTreeMap<InvoiceNumber, &'static str>) -> Result<String, Failure> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(report.as_bytes());
    let (mut totals, mut rows) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let cells: Vec<String> = record.map_err(Failure::usage)?.iter().map(str::to_owned).collect();
        let fault = cells.get(INVOICE).and_then(|text| InvoiceNumber::new(text).ok()).and_then(|invoice| faults.get(&invoice).copied());
        match (cells.len(), fault) {
            (2, _) => totals.push(cells),
            (_, Some("S02")) => {}
            (_, Some("S03")) => rows.push(less(less(cells, AMOUNT), PAID_OUT)),
            (_, Some("S04")) => rows.push(less(more(cells, FEE), PAID_OUT)),
            (_, Some("S05")) => rows.push(less(cells, PAID_OUT)),
            (_, Some("S07")) => rows.extend([cells.clone(), cells]),
            _ => rows.push(cells),
        }
    }
    // Rows that came twice are in no total.
    let mut counted = rows.clone();
    counted.dedup();
    let sum = |at: usize| counted.iter().map(|row| number(row, at)).fold(0, u64::saturating_add);
    let count = counted.iter().filter(|row| number(row, AMOUNT) > 0).count().to_string();
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for cells in &mut totals {
        let [label, value] = &mut **cells else { continue };
        match label.as_str() {
            "Total Amount Purchase_" => *value = sum(AMOUNT).to_string(),
            "Total Fee_" => *value = sum(FEE).to_string(),
            "Total Settlement Amount_" => *value = sum(PAID_OUT).to_string(),
            "Total Purchase_" | "Total Transactions_" => value.clone_from(&count),
            _ => {}
        }
    }
    for cells in totals.iter().chain(&rows) {
        writer.write_record(cells).map_err(Failure::usage)?;
    }
    Ok(String::from_utf8_lossy(&writer.into_inner().map_err(Failure::usage)?).into_owned())
}

fn number(cells: &[String], at: usize) -> u64 {
    cells.get(at).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn less(cells: Vec<String>, at: usize) -> Vec<String> {
    let value = number(&cells, at).saturating_sub(SHORT);
    with(cells, at, value)
}

fn more(cells: Vec<String>, at: usize) -> Vec<String> {
    let value = number(&cells, at).saturating_add(SHORT);
    with(cells, at, value)
}

fn with(mut cells: Vec<String>, at: usize, value: u64) -> Vec<String> {
    if let Some(cell) = cells.get_mut(at) {
        *cell = value.to_string();
    }
    cells
}
