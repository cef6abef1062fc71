//! Settlement files and bank statements as they were read. Of a bank line its text stays out: it may name people. What it names of batches is told.

use std::collections::{BTreeSet, HashSet};

use jiff::civil::Date;

use super::kit::Kit;
use crate::books::{BooksSettings, BooksSubject, ItemId, Known};
use crate::columns::{Column, Value};
use crate::domain::digest::{self, Digest};
use crate::domain::settlement::{BatchTotals, MalformedSettlementRow, SettlementRow};
use crate::evidence::bank::BankLine;
use crate::reconcile::Inputs;
use crate::report::atomic::WriteError;

/// A row with its place, and what it and its batch are called in the books.
struct Row<'a> {
    place: i64,
    told: &'a SettlementRow,
    content: Digest,
    /// Which of equal rows of one file it is.
    occurrence: u32,
    item: ItemId,
    batch: ItemId,
}

fn batch_of(row: &SettlementRow) -> ItemId {
    match row.paid_out_on.filter(|_| row.batch_id.is_empty()) {
        Some(on) => ItemId::of(BooksSubject::Batch, &[b"", on.to_string().as_bytes()]),
        None => ItemId::of(BooksSubject::Batch, &[row.batch_id.as_bytes()]),
    }
}

fn rows(rows: &[SettlementRow]) -> Vec<Row<'_>> {
    let mut named: Vec<Row<'_>> = (0_i64..)
        .zip(rows)
        .map(|(place, row)| {
            let content = row.content();
            let item = ItemId::of(BooksSubject::Row, &[&content, b"0"]);
            Row { place, told: row, content, occurrence: 0, item, batch: batch_of(row) }
        })
        .collect();
    // Equal rows of one file: the one with the smallest digest is the first, then as they stand.
    named.sort_by_key(|row| (row.content, row.told.digest, row.told.place));
    for equal in named.chunk_by_mut(|a, b| a.content == b.content) {
        if let Some((_, again)) = equal.split_first_mut() {
            again.sort_by_key(|row| row.place);
        }
        for (occurrence, row) in (1_u32..).zip(equal.iter_mut().skip(1)) {
            row.occurrence = occurrence;
            row.item = ItemId::of(BooksSubject::Row, &[&row.content, occurrence.to_string().as_bytes()]);
        }
    }
    named.sort_by_key(|row| row.place);
    named
}

pub(super) fn write(kit: &mut Kit<'_>, inputs: &Inputs, settings: &BooksSettings, before: &Known) -> Result<(), WriteError> {
    let files = inputs.settlement.as_ref().map(|input| &input.files);
    let named = files.map_or_else(Vec::new, |files| rows(&files.rows));
    let batches: BTreeSet<(ItemId, Date)> = named.iter().filter_map(|row| Some((row.batch, row.told.paid_out_on?))).collect();
    let shares = shares(inputs);
    let columns: [Column<'_, Row<'_>>; 22] = [
        Column::count("place", |row| row.place.into()),
        Column::count("file", |row| u64::from(row.told.place.file).into()),
        Column::count("row", |row| row.told.place.row.into()),
        Column::text("digest", |row| digest::hex(&row.told.digest).into()),
        Column::text("content", |row| digest::hex(&row.content).into()),
        Column::count("occurrence", |row| u64::from(row.occurrence).into()),
        Column::text("item", |row| row.item.to_string().into()),
        Column::text("batch", |row| row.batch.to_string().into()),
        Column::foreign("batch_id", |row| (&row.told.batch_id).into()),
        Column::foreign("number", |row| (&row.told.number).into()),
        Column::foreign("channel_name", |row| row.told.channel_name.trim().to_lowercase().into()),
        Column::date("transaction_date", |row| row.told.transaction_date.into()),
        Column::date("paid_out_on", |row| row.told.paid_out_on.into()),
        Column::foreign("invoice_number", |row| (&row.told.invoice_number).into()),
        Column::foreign("report_code", |row| (&row.told.report_code).into()),
        Column::foreign("recon_code", |row| (&row.told.recon_code).into()),
        Column::foreign("transaction_type", |row| (&row.told.transaction_type).into()),
        Column::rupiah("amount", |row| row.told.amount.into()),
        Column::rupiah("fee", |row| row.told.fee.into()),
        Column::rupiah("discount", |row| row.told.discount.into()),
        Column::rupiah("paid_out", |row| row.told.paid_out.into()),
        Column::foreign("sub_account", |row| (&row.told.sub_account).into()),
    ];
    kit.table("facts/settlement_rows", &columns, named.into_iter())?;
    let columns: [Column<'_, (i64, &String, Option<i64>)>; 3] = [
        Column::count("place", |(place, ..)| (*place).into()),
        Column::foreign("name", |(_, name, _)| (*name).into()),
        Column::rupiah("share", |(.., share)| (*share).into()),
    ];
    kit.table("facts/settlement_shares", &columns, shares.into_iter())?;
    let columns: [Column<'_, &MalformedSettlementRow>; 4] = [
        Column::count("file", |row| u64::from(row.place.file).into()),
        Column::count("row", |row| row.place.row.into()),
        Column::text("digest", |row| digest::hex(&row.digest).into()),
        Column::foreign("batch_id", |row| (&row.batch_id).into()),
    ];
    kit.table("facts/settlement_malformed", &columns, files.into_iter().flat_map(|files| &files.malformed))?;
    let columns: [Column<'_, (i64, &BatchTotals)>; 11] = [
        Column::count("place", |(place, _)| (*place).into()),
        Column::foreign("batch_id", |(_, totals)| (&totals.batch_id).into()),
        Column::text("batch", |(_, totals)| ItemId::of(BooksSubject::Batch, &[totals.batch_id.as_bytes()]).to_string().into()),
        Column::rupiah("amount", |(_, totals)| totals.amount.into()),
        Column::rupiah("fee", |(_, totals)| totals.fee.into()),
        Column::count("purchases", |(_, totals)| totals.purchases.into()),
        Column::rupiah("refund", |(_, totals)| totals.refund.into()),
        Column::count("refunds", |(_, totals)| totals.refunds.into()),
        Column::rupiah("paid_out", |(_, totals)| totals.paid_out.into()),
        Column::rupiah("discount", |(_, totals)| totals.discount.into()),
        Column::count("transactions", |(_, totals)| totals.transactions.into()),
    ];
    kit.table("facts/settlement_totals", &columns, (0_i64..).zip(files.into_iter().flat_map(|files| &files.totals)))?;
    payouts(kit, batches, before)?;
    bank(kit, inputs, settings, before)
}

/// What the columns of a split settlement say, row by row; nothing where a cell is no whole number.
fn shares(inputs: &Inputs) -> Vec<(i64, &String, Option<i64>)> {
    let Some(input) = &inputs.settlement else { return Vec::new() };
    let names = || input.terms.shares.keys();
    let of = |(place, row): (i64, &'_ SettlementRow)| -> Vec<(i64, &String, Option<i64>)> {
        names().filter(|name| row.custom.contains_key(*name)).map(|name| (place, name, row.share(name))).collect()
    };
    (0_i64..).zip(&input.files.rows).flat_map(of).collect()
}

/// What the books call a batch's pay-out of a day.
fn payouts(kit: &mut Kit<'_>, mut batches: BTreeSet<(ItemId, Date)>, before: &Known) -> Result<(), WriteError> {
    batches.extend(before.batches.iter().flat_map(|(id, batch)| batch.days.keys().map(move |on| (*id, *on))));
    let columns: [Column<'_, (ItemId, Date)>; 3] = [
        Column::text("batch", |(batch, _)| batch.to_string().into()),
        Column::date("paid_out_on", |(_, on)| (*on).into()),
        Column::text("payout", |(batch, on)| {
            ItemId::of(BooksSubject::Payout, &[batch.key(), on.to_string().as_bytes()]).to_string().into()
        }),
    ];
    kit.table("facts/payout_names", &columns, batches.into_iter())
}

fn bank(kit: &mut Kit<'_>, inputs: &Inputs, settings: &BooksSettings, before: &Known) -> Result<(), WriteError> {
    let id = |digest: &Digest, times: u32| ItemId::of(BooksSubject::BankLine, &[digest, times.to_string().as_bytes()]);
    let of_before =
        |line: &BankLine| line.before.map(|_| id(&line.content(), line.equal)).filter(|former| before.bank_lines.contains_key(former));
    let lines = inputs.bank.iter().flat_map(|statements| &statements.lines);
    let named =
        lines.map(|line| (line, of_before(line).unwrap_or_else(|| id(&line.identity(), line.occurrence)), settings.counts(&line.text)));
    let columns: [Column<'_, (&BankLine, ItemId, bool)>; 6] = [
        Column::count("file", |(line, ..)| u64::from(line.place.file).into()),
        Column::count("row", |(line, ..)| line.place.row.into()),
        Column::text("item", |(_, item, _)| item.to_string().into()),
        Column::date("on", |(line, ..)| line.on.into()),
        Column::rupiah("amount", |(line, ..)| line.amount.into()),
        Column::text("is_counted", |(.., counted)| (*counted).into()),
    ];
    let named: Vec<(&BankLine, ItemId, bool)> = named.collect();
    let texts = inputs.settlement.iter().flat_map(|input| input.files.rows.iter().map(|row| row.batch_id.as_str()));
    let batches: HashSet<&str> = texts.chain(before.batches.values().map(|batch| &*batch.name)).filter(|name| !name.is_empty()).collect();
    let mentioned: Vec<(ItemId, &str)> =
        named.iter().flat_map(|(line, item, _)| line.text.names(&batches).into_iter().map(move |name| (*item, name))).collect();
    kit.table("facts/bank_lines", &columns, named.into_iter())?;
    let columns: [Column<'_, (ItemId, &str)>; 2] =
        [Column::text("item", |(item, _)| item.to_string().into()), Column::foreign("batch_id", |(_, name)| Value::from(*name))];
    kit.table("facts/bank_line_batches", &columns, mentioned.into_iter())
}
