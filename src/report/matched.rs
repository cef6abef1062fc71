//! matched.parquet: payments that agree with their bill, written in row groups so that memory stays small; and its reader.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::atomic::FileWriter;
use super::manifest;
use super::reconciled_report::Report;
use crate::columns::stored::Stored;
use crate::columns::{Column, Format, Value};
use crate::domain::digest::Digest;
use crate::domain::line::Line;
use crate::reconcile::{JudgedPayment, Reconciled};

/// Its name in the output folder.
pub(super) const FILE_NAME: &str = "matched.parquet";

struct Row<'a> {
    outcome: &'a Reconciled,
    judged: &'a JudgedPayment,
    proof: &'a Line,
}

fn columns<'a>() -> [Column<'static, Row<'a>>; 9] {
    [
        Column::foreign("invoice_number", |row| row.outcome.inputs.bills.invoice_number(row.judged.bill).into()),
        Column::foreign("payment_code", |row| row.outcome.inputs.bills.payment_code(row.judged.bill).into()),
        Column::text("channel", |row| row.proof.channel.name().into()),
        Column::text("class", |row| row.judged.class.id().into()),
        Column::rupiah("amount_due", |row| row.outcome.amount_due(row.judged).into()),
        Column::rupiah("amount_paid", |row| row.proof.amount.into()),
        Column::instant("paid_at", |row| row.proof.paid_at().into()),
        Column::digest("identity", |row| Value::digest(&row.proof.identity)),
        Column::digest("line_digest", |row| Value::digest(&row.proof.digest)),
    ]
}

/// Writes the payments that are a bill's, whatever is wrong with them, in the order of their identities: what the next period
/// must know of this one.
pub(super) fn write(report: &Report<'_>, writer: &mut FileWriter) -> io::Result<()> {
    let outcome = report.outcome;
    let matched = outcome.judged.iter().filter(|judged| judged.class.attaches());
    let rows = matched.filter_map(|judged| Some(Row { outcome, judged, proof: outcome.proof(judged)? }));
    Format::Parquet.write(&columns(), rows, writer)
}

/// A payment of an earlier report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedPayment {
    /// The bill it matched.
    pub invoice_number: String,
    /// And its code.
    pub payment_code: String,
    /// Rupiah.
    pub amount: u64,
    /// When.
    pub paid_at: Timestamp,
    /// What makes it this payment.
    pub identity: Digest,
}

/// Reads the matched payments of an earlier report's folder.
///
/// # Errors
/// When the folder holds no readable `matched.parquet` of ours.
pub fn read_matched(folder: &Path) -> io::Result<Vec<CarriedPayment>> {
    let stored = Stored::read(&manifest::vouched(folder, FILE_NAME, &manifest::listed(folder)?)?)?;
    let [invoice_number, payment_code, amount, paid_at, identity] =
        stored.places(["invoice_number", "payment_code", "amount_paid", "paid_at_us", "identity"])?;
    let payment = |row: usize| -> io::Result<CarriedPayment> {
        let cell = |column: usize| stored.cell(row, column);
        let [invoice_number, payment_code, amount, paid_at, identity] =
            [cell(invoice_number)?, cell(payment_code)?, cell(amount)?, cell(paid_at)?, cell(identity)?];
        let payment = || {
            Some(CarriedPayment {
                invoice_number: invoice_number.as_text()?.to_owned(),
                payment_code: payment_code.as_text()?.to_owned(),
                amount: u64::try_from(amount.as_number()?).ok()?,
                paid_at: Timestamp::from_microsecond(paid_at.as_number()?).ok()?,
                identity: if let Value::Digest(bytes) = identity { Digest::try_from(bytes.as_ref()).ok()? } else { return None },
            })
        };
        payment().ok_or_else(|| io::Error::other("a cell is empty or out of range"))
    };
    (0..stored.height()).map(payment).collect()
}
