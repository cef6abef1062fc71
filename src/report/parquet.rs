//! discrepancies.parquet: the rows of discrepancies.jsonl with exact texts, for engines that read columns.

use std::io;

use polars::prelude::{Column, DataFrame, IntoColumn as _, NamedFrom as _, PolarsError, Series};
use polars_io::parquet::write::{ParquetCompression, ParquetWriter};

use super::matched::into_io;
use super::{Report, Writer, difference, flag_names};
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::digest;
use crate::reconcile::Finding;

/// Discrepancies of one group of rows.
const GROUP: usize = 1 << 15;

/// Writes one row a discrepancy, worst first. Lists are joined by `;`, times are microseconds since 1970 (UTC).
pub(super) fn discrepancies(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let empty = frame(&[]).map_err(into_io)?;
    let parquet = ParquetWriter::new(writer).with_compression(ParquetCompression::Snappy).set_parallel(true);
    let mut batches = parquet.batched(empty.schema()).map_err(into_io)?;
    for group in report.outcome.findings.chunks(GROUP) {
        batches.write_batch(&frame(group).map_err(into_io)?).map_err(into_io)?;
    }
    batches.finish().map(|_| ()).map_err(into_io)
}

fn frame(findings: &[Finding]) -> Result<DataFrame, PolarsError> {
    let text = |name: &str, of: &dyn Fn(&Finding) -> String| -> Column {
        Series::new(name.into(), findings.iter().map(of).collect::<Vec<String>>()).into_column()
    };
    let number = |name: &str, of: &dyn Fn(&Finding) -> Option<i64>| -> Column {
        Series::new(name.into(), findings.iter().map(of).collect::<Vec<Option<i64>>>()).into_column()
    };
    let whole = |amount: i128| i64::try_from(amount).ok();
    DataFrame::new_infer_height(vec![
        text("discrepancy_id", &|finding| finding.id.clone()),
        text("class", &|finding| finding.class.id().to_owned()),
        text("flags", &|finding| flag_names(finding.flags).join(";")),
        text("nature", &|finding| finding.nature.name().to_owned()),
        text("severity", &|finding| finding.severity.name().to_owned()),
        text("invoice_number", &|finding| finding.invoice_number.clone()),
        text("payment_code", &|finding| finding.payment_code.clone()),
        text("channel", &|finding| finding.channel.map_or("", Channel::name).to_owned()),
        number("amount_expected", &|finding| whole(finding.expected.map(Rupiah::get)?)),
        number("amount_paid", &|finding| whole(finding.paid.map(Rupiah::get)?)),
        number("amount_difference", &|finding| whole(difference(finding)?)),
        number("paid_at_us", &|finding| Some(finding.paid_at?.as_microsecond())),
        text("reason", &|finding| finding.reason.to_string()),
        text("action", &|finding| finding.action().to_owned()),
        text("evidence", &|finding| finding.evidence.iter().map(|found| digest::hex(found)).collect::<Vec<_>>().join(";")),
    ])
}
