//! settlement.csv: every settlement row with its class and what it was held against; safe to open in a spreadsheet.

use std::io;
use std::path::Path;

use super::text::neutral;
use super::{Report, Writer, flag_names};
use crate::domain::classify::{Class, ClassSet};
use crate::domain::digest;
use crate::domain::settlement::{MalformedRow, RowPlace, Settlement, SettlementRow};
use crate::reconcile::settle::JudgedRow;

/// Its name in the output folder.
pub(super) const FILE_NAME: &str = "settlement.csv";

const COLUMNS: [&str; 30] = [
    "class",
    "flags",
    "nature",
    "batch_id",
    "number",
    "invoice_number",
    "report_code",
    "recon_code",
    "channel",
    "channel_name",
    "transaction_type",
    "transaction_date",
    "paid_out_on",
    "amount",
    "amount_notified",
    "amount_difference",
    "fee",
    "fee_expected",
    "fee_difference",
    "discount",
    "paid_out",
    "paid_out_expected",
    "bill_invoice_number",
    "bill_payment_code",
    "sub_account",
    "custom",
    "reason",
    "evidence",
    "file",
    "row",
];

/// settlement.csv, in the order of the rows' content; their places stand last.
pub(super) fn write(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let (Some(input), Some(settled)) = (&report.outcome.inputs.settlement, &report.outcome.settled) else { return Ok(()) };
    let read = input.files.rows.iter().zip(&settled.rows).map(|(row, judged)| cells(report, &input.files, row, judged));
    let malformed = input.files.malformed.iter().map(|row| malformed_cells(&input.files, row));
    let mut rows: Vec<[String; COLUMNS.len()]> = read.chain(malformed).collect();
    // By batch, number, ids and days; then by everything else.
    let key = |row: &[String; COLUMNS.len()]| row.get(3..13).unwrap_or_default().to_vec();
    rows.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.cmp(b)));
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(COLUMNS)?;
    for row in &rows {
        csv.write_record(row)?;
    }
    csv.flush()
}

fn cells(report: &Report<'_>, files: &Settlement, row: &SettlementRow, judged: &JudgedRow) -> [String; COLUMNS.len()] {
    let bills = &report.outcome.inputs.bills;
    let payment = judged.here().and_then(|payment| report.outcome.judged.get(usize::try_from(payment).ok()?));
    let proof = payment.and_then(|payment| report.outcome.proof(payment)).map(|line| digest::hex(&line.digest));
    let known = |amount: Option<u64>| amount.map_or_else(String::new, |amount| amount.to_string());
    let less = |amount: i64, other: Option<u64>| {
        other.map_or_else(String::new, |other| i128::from(amount).saturating_sub(other.into()).to_string())
    };
    let custom = if row.custom.is_empty() { String::new() } else { serde_json::json!(row.custom).to_string() };
    [
        judged.class.id().to_owned(),
        flag_names(judged.flags).join(";"),
        judged.nature.name().to_owned(),
        neutral(&row.batch_id).into_owned(),
        neutral(&row.number).into_owned(),
        neutral(&row.invoice_number).into_owned(),
        neutral(&row.report_code).into_owned(),
        neutral(&row.recon_code).into_owned(),
        judged.channel.map_or("", crate::domain::channel::Channel::name).to_owned(),
        neutral(&row.channel_name).into_owned(),
        neutral(&row.transaction_type).into_owned(),
        row.transaction_date.to_string(),
        row.paid_out_on.map_or_else(String::new, |day| day.to_string()),
        row.amount.to_string(),
        known(judged.amount_notified),
        less(row.amount, judged.amount_notified),
        row.fee.to_string(),
        known(judged.fee_expected),
        less(row.fee, judged.fee_expected),
        row.discount.to_string(),
        row.paid_out.to_string(),
        row.paid_out_expected().to_string(),
        neutral(bills.invoice_number(judged.bill)).into_owned(),
        bills.payment_code(judged.bill).to_owned(),
        neutral(&row.sub_account).into_owned(),
        custom,
        String::new(),
        std::iter::once(digest::hex(&row.digest)).chain(proof).collect::<Vec<_>>().join(";"),
        file_of(files, row.place),
        row.place.row.to_string(),
    ]
}

fn malformed_cells(files: &Settlement, row: &MalformedRow) -> [String; COLUMNS.len()] {
    let mut cells: [String; COLUMNS.len()] = Default::default();
    let known = [
        ("class", Class::S10.id().to_owned()),
        ("flags", flag_names(ClassSet::EMPTY).join(";")),
        ("nature", Class::S10.info().nature.name().to_owned()),
        ("batch_id", neutral(&row.batch_id).into_owned()),
        ("invoice_number", neutral(&row.invoice_number).into_owned()),
        ("reason", neutral(&format!("{}: {}", row.column, row.reason)).into_owned()),
        ("evidence", digest::hex(&row.digest)),
        ("file", file_of(files, row.place)),
        ("row", row.place.row.to_string()),
    ];
    for (column, text) in known {
        if let Some(cell) = COLUMNS.iter().position(|name| *name == column).and_then(|place| cells.get_mut(place)) {
            *cell = text;
        }
    }
    cells
}

fn file_of(files: &Settlement, place: RowPlace) -> String {
    let file = usize::try_from(place.file).ok().and_then(|at| files.files.get(at));
    neutral(&file.map_or(Path::new(""), |file| &file.path).display().to_string()).into_owned()
}
