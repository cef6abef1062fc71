//! Bills as the ledger, or the external file, told them; payments the ledger knows; codes and rows that are no bills. No names of people.

use std::collections::HashMap;

use jiff::Timestamp;

use super::kit::{Kit, KitFacts};
use crate::books::{BooksSubject, ItemId, Known};
use crate::columns::{Column, Value};
use crate::domain::check_status::StatusPayment;
use crate::domain::digest;
use crate::reconcile::source_facts::{ToldAmount, ToldBill, ToldCode, ToldNumber};
use crate::reconcile::{Bills, ExternalMark, KnownPayment, MalformedBill, Unlisted};
use crate::report::atomic::WriteError;

/// A bill, and what it and its debt are called in the books.
struct Row<'a> {
    bill: ToldBill<'a>,
    item: ItemId,
    debt: ItemId,
    product: String,
    due_on: Option<jiff::civil::Date>,
}

fn number(bill: u32) -> Value<'static> {
    u64::from(bill).into()
}

/// One invoice number is one bill, unless the ledger lists it with several codes: then the codes tell them apart. A bill is of the debt that the
/// books knew it by.
fn rows<'a>(bills: &'a Bills, before: &Known) -> Vec<Row<'a>> {
    let mut times: HashMap<&str, u32> = HashMap::new();
    for bill in bills.told_numbers() {
        let slot = times.entry(bill.number).or_default();
        *slot = slot.saturating_add(1);
    }
    let named = bills.told().map(|bill| {
        let is_one = times.get(bill.invoice_number).is_none_or(|times| *times == 1);
        let parts = [bill.invoice_number, bill.channel.name(), bill.payment_code];
        let listed = || if is_one { ItemId::bill(bill.invoice_number) } else { ItemId::of(BooksSubject::Bill, &parts.map(str::as_bytes)) };
        let item = bill.unlisted.unwrap_or_else(listed);
        let debt = if bill.group.is_empty() { ItemId::debt_of(bill.invoice_number) } else { ItemId::group(bill.group) };
        let (product, due_on) = bills.told_side(bill.number);
        Row { bill, item, debt, product, due_on }
    });
    let mut rows: Vec<Row<'_>> = named.collect();
    let mut listed: HashMap<ItemId, ItemId> = HashMap::new();
    for row in &rows {
        listed.entry(row.item).and_modify(|of| *of = row.debt.min(*of)).or_insert(row.debt);
    }
    for row in &mut rows {
        let of = before.bills.get(&row.item).map(|known| known.debt).or_else(|| listed.get(&row.item).copied());
        row.debt = of.unwrap_or(row.debt);
    }
    rows
}

pub(super) fn write(kit: &mut Kit<'_>, facts: &KitFacts<'_>, before: &Known) -> Result<(), WriteError> {
    let bills = &facts.inputs.bills;
    let columns: [Column<'_, Row<'_>>; 22] = [
        Column::count("bill", |row| number(row.bill.number)),
        Column::foreign("invoice_number", |row| row.bill.invoice_number.into()),
        Column::foreign("payment_code", |row| row.bill.payment_code.into()),
        Column::text("channel", |row| row.bill.channel.name().into()),
        Column::rupiah("amount", |row| row.bill.amount.get().into()),
        Column::text("reusable", |row| row.bill.reusable.into()),
        Column::text("issue_in_doubt", |row| row.bill.issue_in_doubt.into()),
        Column::text("issued_otherwise", |row| row.bill.issued_otherwise.into()),
        Column::text("code_is_dead", |row| row.bill.code_is_dead.into()),
        Column::text("by_inquiry", |row| row.bill.by_inquiry.into()),
        Column::instant("planned_at", |row| row.bill.planned_at.into()),
        Column::instant("created_at", |row| row.bill.created_at.into()),
        Column::instant("expires_at", |row| row.bill.expires_at.into()),
        Column::instant("cancelled_at", |row| row.bill.cancelled_at.into()),
        Column::text("mark", |row| match row.bill.mark {
            ExternalMark::Unpaid => Value::Empty,
            ExternalMark::Undated => "undated".into(),
            ExternalMark::At(_) => "dated".into(),
        }),
        Column::instant("marked_at", |row| if let ExternalMark::At(at) = row.bill.mark { at.into() } else { Value::Empty }),
        Column::foreign("bill_group", |row| Some(row.bill.group).filter(|group| !group.is_empty()).into()),
        Column::foreign("product", |row| (&row.product).into()),
        Column::date("due_on", |row| row.due_on.into()),
        Column::text("item", |row| row.item.to_string().into()),
        Column::text("debt", |row| row.debt.to_string().into()),
        Column::text("listed", |row| row.bill.unlisted.is_none().into()),
    ];
    kit.table("facts/bills", &columns, rows(bills, before).into_iter())?;
    let columns: [Column<'_, ToldNumber<'_>>; 3] = [
        Column::count("bill", |told| number(told.bill)),
        Column::foreign("number", |told| told.number.into()),
        Column::text("any_code", |told| told.any_code.into()),
    ];
    kit.table("facts/bill_numbers", &columns, bills.told_numbers().into_iter())?;
    let columns: [Column<'_, ToldCode<'_>>; 4] = [
        Column::count("bill", |told| number(told.bill)),
        Column::foreign("payment_code", |told| told.payment_code.into()),
        Column::instant("created_at", |told| told.created_at.into()),
        Column::instant("expires_at", |told| told.expires_at.into()),
    ];
    kit.table("facts/bill_former_codes", &columns, bills.told_codes().into_iter())?;
    let columns: [Column<'_, (i64, ToldAmount)>; 4] = [
        Column::count("bill", |(_, told)| number(told.bill)),
        Column::count("place", |(place, _)| (*place).into()),
        Column::rupiah("amount", |(_, told)| told.amount.get().into()),
        Column::count("until_us", |(_, told)| told.until_us.into()),
    ];
    kit.table("facts/bill_earlier_amounts", &columns, (0_i64..).zip(bills.told_amounts()))?;
    let columns: [Column<'_, (u32, Timestamp, bool)>; 3] = [
        Column::count("bill", |(bill, ..)| number(*bill)),
        Column::instant("recorded_at", |(_, at, _)| (*at).into()),
        Column::text("is_lapsed", |(.., lapsed)| (*lapsed).into()),
    ];
    kit.table("facts/bill_policies", &columns, bills.told_policies().into_iter())?;
    beside(kit, facts)
}

/// What stands beside the bills.
fn beside(kit: &mut Kit<'_>, facts: &KitFacts<'_>) -> Result<(), WriteError> {
    let inputs = facts.inputs;
    let columns: [Column<'_, &KnownPayment>; 8] = [
        Column::count("bill", |known| number(known.bill)),
        Column::instant("paid_at", |known| known.paid_at.into()),
        Column::text("identity", |known| if known.identity == [0; 32] { Value::Empty } else { digest::hex(&known.identity).into() }),
        Column::text("canonical", |known| known.sameness.map(|same| digest::hex(&same.canonical)).into()),
        Column::text("dated", |known| known.sameness.map(|same| digest::hex(&same.dated)).into()),
        Column::text("item", |known| ItemId::of(BooksSubject::Payment, &[&known.identity]).to_string().into()),
        Column::rupiah("amount", |known| known.amount.into()),
        Column::text("told_by", |known| match (known.in_ledger, known.identity == [0; 32]) {
            (_, true) => "mark".into(),
            (true, false) => "ledger".into(),
            (false, false) => "month before".into(),
        }),
    ];
    kit.table("facts/known_payments", &columns, inputs.known.iter())?;
    let columns: [Column<'_, &StatusPayment>; 10] = [
        Column::instant("told_at", |found| found.at.into()),
        Column::text("identity", |found| digest::hex(&found.payment.identity).into()),
        Column::text("canonical", |found| digest::hex(&found.payment.sameness().canonical).into()),
        Column::text("dated", |found| digest::hex(&found.payment.sameness().dated).into()),
        Column::text("item", |found| ItemId::of(BooksSubject::Payment, &[&found.payment.identity]).to_string().into()),
        Column::foreign("invoice_number", |found| found.payment.invoice_number.as_str().into()),
        Column::foreign("payment_code", |found| found.payment.payment_code.as_str().into()),
        Column::text("channel", |found| found.payment.channel.name().into()),
        Column::rupiah("amount", |found| found.payment.amount.get().into()),
        Column::instant("paid_at", |found| found.payment.paid_at.into()),
    ];
    kit.table("facts/status_payments", &columns, inputs.status.told_of())?;
    let columns: [Column<'_, &Unlisted>; 4] = [
        Column::foreign("invoice_number", |code| (&code.invoice_number).into()),
        Column::foreign("payment_code", |code| (&code.payment_code).into()),
        Column::text("channel", |code| code.channel.name().into()),
        Column::rupiah("amount", |code| code.amount.get().into()),
    ];
    kit.table("facts/unlisted_codes", &columns, inputs.unlisted.iter().flatten())?;
    let columns: [Column<'_, &MalformedBill>; 3] = [
        Column::count("row", |row| row.row.into()),
        Column::foreign("invoice_number", |row| (&row.invoice_number).into()),
        Column::text("digest", |row| digest::hex(&row.digest).into()),
    ];
    kit.table("facts/malformed_bills", &columns, inputs.malformed.iter())
}
