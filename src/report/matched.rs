//! matched.parquet: payments that agree with their bill, written in row groups so that memory stays small; and its reader.

use std::fs::File;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use polars::prelude::{BinaryChunked, Column, DataFrame, IntoColumn as _, NamedFrom as _, NewChunkedArray as _, PolarsError, Series};
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use polars_io::parquet::write::{ParquetCompression, ParquetWriter};

use super::{Report, Writer};
use crate::domain::digest::Digest;
use crate::domain::line::Line;
use crate::reconcile::{JudgedPayment, Outcome};

/// Its name in the output folder.
pub(super) const FILE_NAME: &str = "matched.parquet";
/// Payments looked at for one group of rows.
const GROUP: usize = 1 << 16;

/// Writes the payments that are a bill's, whatever is wrong with them, in the order of their identities: what the next period
/// must know of this one.
pub(super) fn write(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let outcome = report.outcome;
    let frame = |group: &[JudgedPayment]| {
        let matched = group.iter().filter(|judged| judged.class.attaches());
        frame(outcome, &matched.collect::<Vec<_>>()).map_err(into_io)
    };
    let empty = frame(&[])?;
    let parquet = ParquetWriter::new(writer).with_compression(ParquetCompression::Snappy).set_parallel(true);
    let mut batches = parquet.batched(empty.schema()).map_err(into_io)?;
    for group in outcome.judged.chunks(GROUP) {
        batches.write_batch(&frame(group)?).map_err(into_io)?;
    }
    batches.finish().map(|_| ()).map_err(into_io)
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
pub(super) fn into_io(error: PolarsError) -> io::Error {
    io::Error::other(error.to_string())
}

fn frame(outcome: &Outcome, rows: &[&JudgedPayment]) -> Result<DataFrame, PolarsError> {
    let bills = &outcome.inputs.bills;
    let lines: Vec<&Line> = rows.iter().filter_map(|row| outcome.proof(row)).collect();
    let text = |name: &str, cells: Vec<&str>| -> Column { Series::new(name.into(), cells).into_column() };
    let number = |name: &str, of: &dyn Fn(&Line) -> i64| -> Column {
        Series::new(name.into(), lines.iter().map(|line| of(line)).collect::<Vec<i64>>()).into_column()
    };
    let bytes = |name: &str, of: &dyn Fn(&Line) -> &Digest| -> Column {
        BinaryChunked::from_iter_values(name.into(), lines.iter().map(|line| of(line).as_slice())).into_column()
    };
    let due: Vec<i64> = rows.iter().map(|row| i64::try_from(outcome.amount_due(row)).unwrap_or(i64::MAX)).collect();
    DataFrame::new_infer_height(vec![
        text("invoice_number", rows.iter().map(|row| bills.invoice_number(row.bill)).collect()),
        text("payment_code", rows.iter().map(|row| bills.payment_code(row.bill)).collect()),
        text("channel", lines.iter().map(|line| line.channel.name()).collect()),
        text("class", rows.iter().map(|row| row.class.id()).collect()),
        Series::new("amount_due".into(), due).into_column(),
        number("amount_paid", &|line| i64::try_from(line.amount).unwrap_or(i64::MAX)),
        number("paid_at_us", &|line| line.paid_at_us),
        bytes("identity", &|line| &line.identity),
        bytes("line_digest", &|line| &line.digest),
    ])
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
    let frame = ParquetReader::new(File::open(folder.join(FILE_NAME))?).finish().map_err(into_io)?;
    let column = |name: &str| frame.column(name).map(polars::prelude::Column::as_materialized_series).map_err(into_io);
    let invoices = column("invoice_number")?.str().map_err(into_io)?;
    let codes = column("payment_code")?.str().map_err(into_io)?;
    let amounts = column("amount_paid")?.i64().map_err(into_io)?;
    let times = column("paid_at_us")?.i64().map_err(into_io)?;
    let identities = column("identity")?.binary().map_err(into_io)?;
    let rows = invoices.iter().zip(codes.iter()).zip(amounts.iter()).zip(times.iter()).zip(identities.iter());
    let carried = rows.map(|((((invoice_number, payment_code), amount), paid_at), identity)| {
        Some(CarriedPayment {
            invoice_number: invoice_number?.to_owned(),
            payment_code: payment_code?.to_owned(),
            amount: u64::try_from(amount?).ok()?,
            paid_at: Timestamp::from_microsecond(paid_at?).ok()?,
            identity: Digest::try_from(identity?).ok()?,
        })
    });
    carried.collect::<Option<_>>().ok_or_else(|| io::Error::other("a cell is empty or out of range"))
}
