//! Our own figures, as the report says them: what the rules are held against. They are copied, never computed.

use std::io;
use std::path::Path;

use serde_json::Value as Json;

use super::carried::debt_columns;
use super::kit::{Kit, KitError, Made};
use crate::books::Known;

use crate::columns::{Column, ColumnKind, Value};
use crate::domain::{digest, spreadsheet};
use crate::private;
use crate::report::atomic::{self, WriteError};
use crate::report::books::read_carry;
use crate::report::folder::{self, FolderError};
use crate::report::manifest;

/// What a report says.
pub(super) struct Read {
    pub(super) made: Made,
    pub(super) ledger: String,
    /// What the books know at its end.
    pub(super) closing: Known,
    summary: Json,
}

/// Reads summary.json and the carry of `report`.
pub(super) fn read(report: &Path) -> Result<Read, FolderError> {
    let refused = |reason: String| FolderError { path: report.to_path_buf(), reason };
    folder::whole(report).map_err(refused)?;
    let bytes = manifest::summary(report).map_err(|error| refused(format!("summary.json: {error}")))?;
    let summary: Json = serde_json::from_slice(&bytes).map_err(|error| refused(format!("summary.json: {error}")))?;
    let (_, closing) = read_carry(report).map_err(|error| refused(error.to_string()))?;
    let text = |at: &str| summary.pointer(at).and_then(Json::as_str).unwrap_or_default().to_owned();
    let made = Made {
        run_id: text("/run_id"),
        from: text("/period/from"),
        to: text("/period/to"),
        summary_sha256: digest::hex(&digest::of_bytes(&bytes)),
    };
    Ok(Read { made, ledger: text("/ledger/kind"), closing, summary })
}

pub(super) fn write(kit: &mut Kit<'_>, report: &Path, read: &Read) -> Result<(), KitError> {
    classes(kit, &read.summary)?;
    identities(kit, &read.summary)?;
    accounts(kit, &read.summary)?;
    ageing(kit, &read.summary)?;
    to_do(kit, &read.summary)?;
    kit.table("figures/debts", &debt_columns(), read.closing.debts.iter())?;
    for name in ["postings", "open_items", "settlement", "discrepancies"] {
        copied(kit, report, name)?;
    }
    // What has these as Parquet is taken over as it is.
    let from = report.join("matched.parquet");
    atomic::write(&kit.folder.join("figures/matched.parquet"), |writer| io::copy(&mut private::regular(&from)?, writer).map(drop))?;
    kit.copied("figures/matched.parquet");
    Ok(())
}

/// A class, a flag, how many and how much.
type Tally<'a> = (&'static str, &'a String, &'a Json);

fn classes(kit: &mut Kit<'_>, summary: &Json) -> Result<(), WriteError> {
    const SECTIONS: [&str; 7] = ["lines", "payments", "bills", "settlement", "inquiries", "counted_apart", "flags"];
    let of = |section: &'static str| {
        let classes = summary.get(section).and_then(Json::as_object);
        classes.into_iter().flatten().map(move |(class, tally)| (section, class, tally))
    };
    let columns: [Column<'_, Tally<'_>>; 4] = [
        Column::text("section", |(section, ..)| (*section).into()),
        Column::text("class", |(_, class, _)| (*class).into()),
        Column::count("count", |(.., tally)| number(tally, "count")),
        Column::rupiah("amount", |(.., tally)| number(tally, "amount")),
    ];
    kit.table("figures/classes", &columns, SECTIONS.into_iter().flat_map(of))
}

fn number(of: &Json, key: &str) -> Value<'static> {
    of.get(key).and_then(Json::as_i64).into()
}

fn text<'v>(of: &'v Json, key: &str) -> Value<'v> {
    of.get(key).and_then(Json::as_str).into()
}

fn identities(kit: &mut Kit<'_>, summary: &Json) -> Result<(), WriteError> {
    let of = |of: &'static str, at: &str| {
        let all = summary.pointer(at).and_then(Json::as_array);
        all.into_iter().flatten().map(move |identity| (of, identity)).collect::<Vec<_>>()
    };
    let columns: [Column<'_, (&str, &Json)>; 5] = [
        Column::text("of", |(of, _)| (*of).into()),
        Column::text("name", |(_, identity)| text(identity, "name")),
        Column::rupiah("left_side", |(_, identity)| number(identity, "left")),
        Column::rupiah("right_side", |(_, identity)| number(identity, "right")),
        Column::text("holds", |(_, identity)| {
            identity.get("holds").and_then(Json::as_bool).map(|holds| if holds { "yes" } else { "no" }).into()
        }),
    ];
    let all = [of("run", "/identities"), of("books", "/books/identities")].concat();
    kit.table("figures/identities", &columns, all.into_iter())
}

fn accounts(kit: &mut Kit<'_>, summary: &Json) -> Result<(), WriteError> {
    let lines = |account: &'_ Json| -> Vec<(String, String, Json, &'static str)> {
        let name = account.get("account").and_then(Json::as_str).unwrap_or_default().to_owned();
        let of = |line: &str, figure: &Json, is_prior| (name.clone(), line.to_owned(), figure.clone(), is_prior);
        let ends = ["opening", "closing"].into_iter().filter_map(|line| Some(of(line, account.get(line)?, "no")));
        let moved = account.get("movements").and_then(Json::as_array).into_iter().flatten().map(|line| {
            let is_prior = line.get("prior_period").and_then(Json::as_bool) == Some(true);
            of(line.get("name").and_then(Json::as_str).unwrap_or_default(), line, if is_prior { "yes" } else { "no" })
        });
        ends.chain(moved).collect()
    };
    let all = summary.pointer("/books/accounts").and_then(Json::as_array);
    let columns: [Column<'_, (String, String, Json, &str)>; 5] = [
        Column::text("account", |(account, ..)| account.into()),
        Column::text("line", |(_, line, ..)| line.into()),
        Column::text("prior_period", |(.., is_prior)| (*is_prior).into()),
        Column::count("count", |(_, _, figure, _)| number(figure, "count")),
        Column::rupiah("amount", |(_, _, figure, _)| number(figure, "amount")),
    ];
    kit.table("figures/accounts", &columns, all.into_iter().flatten().flat_map(lines))
}

/// How old what is open on each account is; what stands on the other side of an account is negative there already.
fn ageing(kit: &mut Kit<'_>, summary: &Json) -> Result<(), WriteError> {
    let of = |account: &'_ Json| -> Vec<(String, String, Json)> {
        let name = account.get("account").and_then(Json::as_str).unwrap_or_default();
        let sides = ["ageing", "reversed"].into_iter().filter_map(|side| account.get(side)?.as_object());
        sides.flatten().map(|(bucket, figure)| (name.to_owned(), bucket.clone(), figure.clone())).collect()
    };
    let columns: [Column<'_, (String, String, Json)>; 4] = [
        Column::text("account", |(account, ..)| account.into()),
        Column::text("bucket", |(_, bucket, _)| bucket.into()),
        Column::count("count", |(.., figure)| number(figure, "count")),
        Column::rupiah("amount", |(.., figure)| number(figure, "amount")),
    ];
    let accounts = summary.pointer("/books/accounts").and_then(Json::as_array);
    kit.table("figures/ageing", &columns, accounts.into_iter().flatten().flat_map(of))
}

/// What is to be done, by who acts.
fn to_do(kit: &mut Kit<'_>, summary: &Json) -> Result<(), WriteError> {
    let columns: [Column<'_, (&String, &Json)>; 3] = [
        Column::text("owner", |(owner, _)| (*owner).into()),
        Column::count("count", |(_, figure)| number(figure, "count")),
        Column::rupiah("amount", |(_, figure)| number(figure, "amount")),
    ];
    let owners = summary.pointer("/books/to_do").and_then(Json::as_object);
    kit.table("figures/to_do", &columns, owners.into_iter().flatten())
}

/// Columns of the report's files that hold whole numbers.
const NUMBERS: [&str; 14] = [
    "amount",
    "fee",
    "discount",
    "paid_out",
    "amount_notified",
    "amount_difference",
    "fee_expected",
    "fee_difference",
    "paid_out_expected",
    "amount_expected",
    "amount_paid",
    "age_days",
    "paid_at_us",
    "row",
];

/// A CSV of the report, with texts and numbers as they are; without a file, an empty table of no columns but its name.
fn copied(kit: &mut Kit<'_>, report: &Path, name: &str) -> Result<(), KitError> {
    let refused = |error: &dyn std::fmt::Display| FolderError { path: report.to_path_buf(), reason: format!("{name}.csv: {error}") };
    let path = report.join(format!("{name}.csv"));
    let mut rows = match private::regular(&path) {
        Ok(file) => csv::Reader::from_reader(io::BufReader::new(file)),
        // Without settlement files there is none, and the rules have nothing to hold theirs against.
        Err(_) if name == "settlement" => return nothing(kit),
        Err(error) => return Err(refused(&error).into()),
    };
    let header = rows.headers().map_err(|error| refused(&error))?.clone();
    let columns: Vec<Column<'_, csv::StringRecord>> = header
        .iter()
        .enumerate()
        .map(|(at, name)| {
            if NUMBERS.contains(&name) {
                let number = |row: &csv::StringRecord, at: usize| row.get(at).and_then(|cell| cell.parse::<i64>().ok()).into();
                Column::numbered(name.to_owned(), ColumnKind::Rupiah, number, at)
            } else {
                Column::numbered(name.to_owned(), ColumnKind::Text, cell, at)
            }
        })
        .collect();
    let mut failed = None;
    let read = rows.records().map_while(|row| row.map_err(|error| failed = Some(error.to_string())).ok());
    kit.table(&format!("figures/{name}"), &columns, read)?;
    failed.map_or(Ok(()), |error| Err(refused(&error).into()))
}

fn nothing(kit: &mut Kit<'_>) -> Result<(), KitError> {
    let columns: [Column<'_, ()>; 4] = [
        Column::text("class", |()| Value::Empty),
        Column::rupiah("amount", |()| Value::Empty),
        Column::text("evidence", |()| Value::Empty),
        Column::rupiah("row", |()| Value::Empty),
    ];
    Ok(kit.table("figures/settlement", &columns, std::iter::empty())?)
}

fn cell(row: &csv::StringRecord, at: usize) -> Value<'_> {
    row.get(at).map(spreadsheet::unescaped).into()
}
