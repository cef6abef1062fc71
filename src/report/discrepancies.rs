//! discrepancies.csv, .jsonl and .parquet: everything somebody must look at, worst first.

use std::io;

use super::atomic::FileWriter;
use super::reconciled_report::{Report, difference, flag_names};
use crate::columns::{Column, Format, Value};
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::digest;
use crate::reconcile::Finding;
use crate::register::ItemStanding;

struct Row<'a> {
    finding: &'a Finding,
    standing: ItemStanding,
}

/// Its columns, whatever the format. New ones go to the end.
fn columns<'a>() -> [Column<'static, Row<'a>>; 22] {
    [
        Column::text("discrepancy_id", |row| (&row.finding.id).into()),
        Column::text("class", |row| row.finding.class.id().into()),
        Column::list("flags", |row| Value::list(flag_names(row.finding.flags))),
        Column::text("nature", |row| row.finding.nature.name().into()),
        Column::text("severity", |row| row.finding.severity.name().into()),
        Column::foreign("invoice_number", |row| (&row.finding.invoice_number).into()),
        Column::foreign("payment_code", |row| (&row.finding.payment_code).into()),
        Column::text("channel", |row| row.finding.channel.map(Channel::name).into()),
        Column::rupiah("amount_expected", |row| row.finding.expected.into()),
        Column::rupiah("amount_paid", |row| row.finding.paid.into()),
        Column::rupiah("amount_difference", |row| difference(row.finding).map(Rupiah::new).into()),
        Column::instant("paid_at", |row| row.finding.paid_at.into()),
        Column::foreign("reason", |row| Value::shown(&row.finding.reason)),
        Column::json("cause", |row| Some(&row.finding.reason).filter(|reason| !reason.is_nothing()).map(Value::json).into()),
        Column::text("action", |row| row.finding.action().into()),
        Column::list("evidence", |row| Value::list(row.finding.evidence.iter().map(|found| digest::hex(found)))),
        Column::text("first_seen", |row| (&row.standing.first_seen).into()),
        Column::text("last_seen", |row| (&row.standing.last_seen).into()),
        Column::text("status", |row| row.standing.status.name().into()),
        Column::foreign("owner", |row| (&row.standing.owner).into()),
        Column::foreign("comment", |row| (&row.standing.comment).into()),
        Column::json("books", |row| row.finding.books.as_deref().map(Value::json).into()),
    ]
}

pub(super) fn write(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let rows = report.outcome.findings.iter().map(|finding| Row { finding, standing: report.standing(finding) });
    format.write(&columns(), rows, writer)
}
