//! settlement.csv: every settlement row with its class and what it was held against.

use std::io;

use super::atomic::FileWriter;
use super::reconciled_report::{Report, flag_names};
use crate::columns::{self, Column, Format, Value};
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, ClassSet, Nature};
use crate::domain::digest::{self, Digest};
use crate::domain::line::InputFile;
use crate::domain::settlement::{RowPlace, Settlement, SettlementRow};
use crate::reconcile::settle::JudgedRow;

/// Its name in the output folder.
pub(super) const FILE_NAME: &str = "settlement.csv";

/// A row of a file, whether it could be read or not.
struct Line<'a> {
    report: &'a Report<'a>,
    class: Class,
    flags: ClassSet,
    nature: Nature,
    batch_id: &'a str,
    invoice_number: &'a str,
    reason: String,
    digest: &'a Digest,
    place: RowPlace,
    /// What stands in it, and what that came to.
    read: Option<(&'a SettlementRow, &'a JudgedRow)>,
}

impl<'a> Line<'a> {
    fn row<'v, T: Into<Value<'v>>>(&self, of: impl FnOnce(&'a SettlementRow) -> T) -> Value<'v> {
        self.read.map(|(row, _)| of(row)).into()
    }

    fn judged<'v, T: Into<Value<'v>>>(&self, of: impl FnOnce(&'a JudgedRow) -> T) -> Value<'v> {
        self.read.map(|(_, judged)| of(judged)).into()
    }

    /// What `of` the row is more than `other`, where that is known.
    fn less<'v>(&self, of: fn(&SettlementRow) -> i64, other: fn(&JudgedRow) -> Option<u64>) -> Value<'v> {
        let difference = |(row, judged): (&SettlementRow, &JudgedRow)| Some(i128::from(of(row)).saturating_sub(other(judged)?.into()));
        self.read.and_then(difference).map_or(Value::Empty, Value::Number)
    }

    /// The digests of its row and of the line that proves the payment.
    fn evidence(&self) -> Value<'_> {
        let payment = self.read.and_then(|(_, judged)| judged.here());
        let payment = payment.and_then(|payment| self.report.outcome.judged.get(usize::try_from(payment).ok()?));
        let proof = payment.and_then(|payment| self.report.outcome.proof(payment)).map(|line| digest::hex(&line.digest));
        Value::list([digest::hex(self.digest)].into_iter().chain(proof))
    }
}

/// Where the columns begin and end that rows are sorted by: batch, number, ids and days.
const SORTED_BY: std::ops::Range<usize> = 3..13;

fn columns<'a>() -> [Column<'static, Line<'a>>; 30] {
    [
        Column::text("class", |line| line.class.id().into()),
        Column::list("flags", |line| Value::list(flag_names(line.flags))),
        Column::text("nature", |line| line.nature.name().into()),
        Column::foreign("batch_id", |line| line.batch_id.into()),
        Column::foreign("number", |line| line.row(|row| &row.number)),
        Column::foreign("invoice_number", |line| line.invoice_number.into()),
        Column::foreign("report_code", |line| line.row(|row| &row.report_code)),
        Column::foreign("recon_code", |line| line.row(|row| &row.recon_code)),
        Column::text("channel", |line| line.judged(|judged| judged.channel.map(Channel::name))),
        Column::foreign("channel_name", |line| line.row(|row| &row.channel_name)),
        Column::foreign("transaction_type", |line| line.row(|row| &row.transaction_type)),
        Column::date("transaction_date", |line| line.row(|row| row.transaction_date)),
        Column::date("paid_out_on", |line| line.row(|row| row.paid_out_on)),
        Column::rupiah("amount", |line| line.row(|row| row.amount)),
        Column::rupiah("amount_notified", |line| line.judged(|judged| judged.amount_notified)),
        Column::rupiah("amount_difference", |line| line.less(|row| row.amount, |judged| judged.amount_notified)),
        Column::rupiah("fee", |line| line.row(|row| row.fee)),
        Column::rupiah("fee_expected", |line| line.judged(|judged| judged.fee_expected)),
        Column::rupiah("fee_difference", |line| line.less(|row| row.fee, |judged| judged.fee_expected)),
        Column::rupiah("discount", |line| line.row(|row| row.discount)),
        Column::rupiah("paid_out", |line| line.row(|row| row.paid_out)),
        Column::rupiah("paid_out_expected", |line| line.row(SettlementRow::paid_out_expected)),
        Column::foreign("bill_invoice_number", |line| line.judged(|judged| line.report.outcome.inputs.bills.invoice_number(judged.bill))),
        Column::foreign("bill_payment_code", |line| line.judged(|judged| line.report.outcome.inputs.bills.payment_code(judged.bill))),
        Column::foreign("sub_account", |line| line.row(|row| &row.sub_account)),
        Column::foreign("custom", |line| line.row(|row| (!row.custom.is_empty()).then(|| Value::json(&row.custom)))),
        Column::foreign("reason", |line| (&line.reason).into()),
        Column::list("evidence", Line::evidence),
        Column::foreign("file", |line| file_of(line.report, line.place).into()),
        Column::count("row", |line| line.place.row.into()),
    ]
}

/// In the order of the rows' content; their places stand last.
pub(super) fn write(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let (Some(input), Some(settled)) = (&report.outcome.inputs.settlement, &report.outcome.settled) else { return Ok(()) };
    let read = input.files.rows.iter().zip(&settled.rows).map(|(row, judged)| Line {
        report,
        class: judged.class,
        flags: judged.flags,
        nature: judged.nature,
        batch_id: &row.batch_id,
        invoice_number: &row.invoice_number,
        reason: String::new(),
        digest: &row.digest,
        place: row.place,
        read: Some((row, judged)),
    });
    let malformed = input.files.malformed.iter().map(|row| Line {
        report,
        class: Class::S10,
        flags: ClassSet::EMPTY,
        nature: Class::S10.info().nature,
        batch_id: &row.batch_id,
        invoice_number: &row.invoice_number,
        reason: format!("{}: {}", row.column, row.reason),
        digest: &row.digest,
        place: row.place,
        read: None,
    });
    let (mut lines, columns): (Vec<Line<'_>>, _) = (read.chain(malformed).collect(), columns());
    let first = columns.get(SORTED_BY).unwrap_or_default();
    lines.sort_by(|a, b| columns::compare(first, a, b).then_with(|| columns::compare(&columns, a, b)));
    format.write(&columns, lines.into_iter(), writer)
}

fn file_of(report: &Report<'_>, place: RowPlace) -> String {
    let files: Option<&Settlement> = report.outcome.inputs.settlement.as_ref().map(|input| &input.files);
    files.and_then(|files| InputFile::shown_path(&files.files, place.file)).unwrap_or_default()
}
