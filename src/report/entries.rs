//! entries.csv: double entries for an accounting system; and the settlement rows of a report folder they are made from.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::civil::Date;

use super::atomic::{self, WriteError};
use super::text::neutral;
use crate::domain::booking::{Account, Booking};

/// Writes every leg of `bookings` as a row, under the merchant's own names of accounts.
///
/// # Errors
/// [`WriteError`]; what stood there before is unchanged.
pub fn write(path: &Path, bookings: &[Booking], accounts: &BTreeMap<Account, String>) -> Result<(), WriteError> {
    atomic::write(path, |writer| {
        let mut csv = csv::Writer::from_writer(writer);
        csv.write_record([
            "date",
            "entry_id",
            "account",
            "debit",
            "credit",
            "description",
            "invoice_number",
            "payment_code",
            "discrepancy_id",
            "class",
        ])?;
        for booking in bookings {
            for leg in &booking.legs {
                let amount = |rupiah: u64| if rupiah == 0 { String::new() } else { rupiah.to_string() };
                csv.write_record([
                    booking.on.to_string(),
                    booking.id.clone(),
                    neutral(accounts.get(&leg.account).map_or("", String::as_str)).into_owned(),
                    amount(leg.debit),
                    amount(leg.credit),
                    neutral(&booking.words).into_owned(),
                    neutral(&booking.invoice_number).into_owned(),
                    booking.payment_code.clone(),
                    booking.discrepancy_id.clone(),
                    booking.class.clone(),
                ])?;
            }
        }
        csv.flush()
    })
}

/// One row of settlement.csv, as far as it is booked. Amounts are rupiah.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledRow {
    /// The class of the row.
    pub class: String,
    /// Ours, by its name; empty when it is another product's or unknown.
    pub channel: String,
    /// The batch it was paid out with.
    pub batch_id: String,
    /// The day it was paid out.
    pub paid_out_on: Option<Date>,
    /// What the customer paid.
    pub amount: i64,
    /// What DOKU kept, VAT included.
    pub fee: i64,
    /// What DOKU kept besides.
    pub discount: i64,
    /// What reached the bank.
    pub paid_out: i64,
}

/// The settlement rows of a report folder; none when it has no settlement.csv.
///
/// # Errors
/// When the file is there and is none of ours.
pub fn read_settled(folder: &Path) -> io::Result<Vec<SettledRow>> {
    let path = folder.join("settlement.csv");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut csv = csv::Reader::from_path(path)?;
    let header = csv.headers()?.clone();
    let place = |name: &str| {
        header.iter().position(|column| column == name).ok_or_else(|| io::Error::other(format!("settlement.csv has no column `{name}`")))
    };
    let [class, channel, batch_id, paid_out_on] = [place("class")?, place("channel")?, place("batch_id")?, place("paid_out_on")?];
    let amounts = [place("amount")?, place("fee")?, place("discount")?, place("paid_out")?];
    let mut rows = Vec::new();
    for record in csv.records() {
        let record = record?;
        let text = |at: usize| record.get(at).unwrap_or_default();
        // A row that could not be read (S10) has no amounts, and is booked by nobody.
        let [amount, fee, discount, paid_out] = amounts.map(|at| text(at).parse().unwrap_or(0));
        rows.push(SettledRow {
            class: text(class).to_owned(),
            channel: text(channel).to_owned(),
            batch_id: text(batch_id).to_owned(),
            paid_out_on: text(paid_out_on).parse().ok(),
            amount,
            fee,
            discount,
            paid_out,
        });
    }
    Ok(rows)
}
