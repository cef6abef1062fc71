//! discrepancies.jsonl: the same rows as the CSV, with exact texts and real numbers.

use std::io::{self, Write as _};

use serde::Serialize;

use super::{Report, Writer, difference, flag_names};
use crate::domain::calendar::format_wib_seconds;
use crate::domain::digest;
use crate::domain::reason::Reason;
use crate::reconcile::Finding;
use crate::register::{InBooks, Standing};

#[derive(Serialize)]
struct Row<'a> {
    discrepancy_id: &'a str,
    class: &'a str,
    flags: Vec<&'static str>,
    nature: &'a str,
    severity: &'a str,
    invoice_number: &'a str,
    payment_code: &'a str,
    channel: Option<&'static str>,
    amount_expected: Option<i128>,
    amount_paid: Option<i128>,
    amount_difference: Option<i128>,
    paid_at: Option<String>,
    reason: String,
    #[serde(skip_serializing_if = "Reason::is_nothing")]
    cause: &'a Reason,
    action: &'a str,
    evidence: Vec<String>,
    first_seen: &'a str,
    last_seen: &'a str,
    status: &'static str,
    owner: &'a str,
    comment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    books: Option<&'a InBooks>,
}

/// discrepancies.jsonl.
pub(super) fn discrepancies(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    for finding in &report.outcome.findings {
        serde_json::to_writer(&mut *writer, &row(finding, &report.standing(finding)))?;
        writer.write_all(b"\n")?;
    }
    Ok(())
}

fn row<'a>(finding: &'a Finding, standing: &'a Standing) -> Row<'a> {
    Row {
        discrepancy_id: &finding.id,
        class: finding.class.id(),
        flags: flag_names(finding.flags),
        nature: finding.nature.name(),
        severity: finding.severity.name(),
        invoice_number: &finding.invoice_number,
        payment_code: &finding.payment_code,
        channel: finding.channel.map(crate::domain::channel::Channel::name),
        amount_expected: finding.expected.map(crate::domain::amount::Rupiah::get),
        amount_paid: finding.paid.map(crate::domain::amount::Rupiah::get),
        amount_difference: difference(finding),
        paid_at: finding.paid_at.map(format_wib_seconds),
        reason: finding.reason.to_string(),
        cause: &finding.reason,
        action: finding.action(),
        evidence: finding.evidence.iter().map(|found| digest::hex(found)).collect(),
        first_seen: &standing.first_seen,
        last_seen: &standing.last_seen,
        status: standing.status.name(),
        owner: &standing.owner,
        comment: &standing.comment,
        books: finding.books.as_deref(),
    }
}
