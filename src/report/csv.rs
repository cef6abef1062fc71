//! discrepancies.csv and evidence.csv, safe to open in a spreadsheet.

use std::borrow::Cow;
use std::io;

use super::text::neutral;
use super::{Report, Writer, difference, flag_names};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::format_wib_seconds;
use crate::domain::digest;
use crate::domain::line::Marks;
use crate::domain::settlement::RowPlace;
use crate::reconcile::{Finding, Source};
use crate::register::Standing;

const DISCREPANCIES: [&str; 20] = [
    "discrepancy_id",
    "class",
    "flags",
    "nature",
    "severity",
    "invoice_number",
    "payment_code",
    "channel",
    "amount_expected",
    "amount_paid",
    "amount_difference",
    "paid_at",
    "reason",
    "action",
    "evidence",
    "first_seen",
    "last_seen",
    "status",
    "owner",
    "comment",
];

/// What stands for a file where the bytes are in the ledger.
const STATUS_ANSWERS: &str = "(status answers in the ledger)";

/// discrepancies.csv.
pub(super) fn discrepancies(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(DISCREPANCIES)?;
    for finding in &report.outcome.findings {
        csv.write_record(row(finding, &report.standing(finding)).iter().map(|cell| cell.as_bytes()))?;
    }
    csv.flush()
}

fn row<'a>(finding: &'a Finding, standing: &'a Standing) -> [Cow<'a, str>; 20] {
    let amount = |amount: Option<Rupiah>| amount.map_or(Cow::Borrowed(""), |amount| Cow::Owned(amount.to_string()));
    let evidence: Vec<_> = finding.evidence.iter().map(|found| digest::hex(found)).collect();
    [
        Cow::Borrowed(&finding.id),
        Cow::Borrowed(finding.class.id()),
        Cow::Owned(flag_names(finding.flags).join(";")),
        Cow::Borrowed(finding.nature.name()),
        Cow::Borrowed(finding.severity.name()),
        neutral(&finding.invoice_number),
        neutral(&finding.payment_code),
        Cow::Borrowed(finding.channel.map_or("", crate::domain::channel::Channel::name)),
        amount(finding.expected),
        amount(finding.paid),
        amount(difference(finding).map(Rupiah::new)),
        finding.paid_at.map_or(Cow::Borrowed(""), |at| Cow::Owned(format_wib_seconds(at))),
        Cow::Owned(neutral(&finding.reason.to_string()).into_owned()),
        Cow::Borrowed(finding.action()),
        Cow::Owned(evidence.join(";")),
        Cow::Borrowed(&standing.first_seen),
        Cow::Borrowed(&standing.last_seen),
        Cow::Borrowed(standing.status.name()),
        neutral(&standing.owner),
        neutral(&standing.comment),
    ]
}

/// evidence.csv: where the bytes of every digest cited are.
pub(super) fn evidence(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut sources: Vec<Source> = report.outcome.findings.iter().flat_map(|finding| finding.sources.iter().copied()).collect();
    sources.sort_unstable();
    sources.dedup();
    let mut rows: Vec<_> = sources.iter().filter_map(|source| located(report, *source)).collect();
    rows.sort_unstable();
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(["digest", "file", "line", "byte"])?;
    for (found, file, line, byte) in rows {
        csv.write_record([&digest::hex(&found), &*neutral(&file), &line.to_string(), &byte.to_string()])?;
    }
    csv.flush()
}

/// Digest, file, line, byte.
fn located(report: &Report<'_>, source: Source) -> Option<(digest::Digest, String, u64, u64)> {
    let inputs = &report.outcome.inputs;
    match source {
        Source::Line(at) => {
            let line = inputs.lines.get(at)?;
            if line.marks.has(Marks::BY_STATUS) {
                // Its bytes are the answer kept in the ledger, under the bill it is about.
                return Some((line.digest, STATUS_ANSWERS.to_owned(), 0, 0));
            }
            let file = report.files.get(usize::try_from(line.file).ok()?)?;
            Some((line.digest, file.path.display().to_string(), line.number.into(), line.byte))
        }
        Source::Row(at) => {
            let row = inputs.malformed.get(usize::try_from(at).ok()?)?;
            Some((row.digest, report.ledger_path?.display().to_string(), row.row, row.byte))
        }
        Source::Settlement(at) => {
            let row = inputs.settlement.as_ref()?.files.rows.get(usize::try_from(at).ok()?)?;
            in_settlement(report, row.place, row.digest)
        }
        Source::MalformedSettlement(at) => {
            let row = inputs.settlement.as_ref()?.files.malformed.get(usize::try_from(at).ok()?)?;
            in_settlement(report, row.place, row.digest)
        }
    }
}

fn in_settlement(report: &Report<'_>, place: RowPlace, digest: digest::Digest) -> Option<(digest::Digest, String, u64, u64)> {
    let files = &report.outcome.inputs.settlement.as_ref()?.files.files;
    let file = files.get(usize::try_from(place.file).ok()?)?;
    Some((digest, file.path.display().to_string(), place.row, place.byte))
}
