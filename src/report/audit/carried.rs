//! What the month before handed on, in flat tables: open items, debts with what was applied and taken off, payments, rows, batches.

use super::kit::Kit;
use crate::books::fact::{BillChange, BillEvent, Payee, PaymentHold, RowKind};
use crate::books::item::ItemId;
use crate::books::known::{Alarm, BatchDay, BookedBill, BookedPayment, Debt, Known, Open, RowState};
use crate::books::ways_off::WayOff;
use crate::books::{Leg, account::Side};
use crate::columns::{Column, Value};
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::digest::{self, Digest};
use crate::reconcile::books_inputs::Opened;
use crate::reconcile::nameless_batch;
use crate::report::atomic::WriteError;

fn id(item: &ItemId) -> Value<'static> {
    item.to_string().into()
}

fn off(debt: &Debt, off: WayOff) -> Value<'static> {
    debt.off(off).into()
}

fn hex(digest: Option<&Digest>) -> Value<'static> {
    digest.map(|digest| digest::hex(digest)).into()
}

/// The columns of debts: what each asks for, what was applied, what was taken off and how.
pub(super) fn debt_columns<'a>() -> [Column<'static, (&'a ItemId, &'a Debt)>; 12] {
    [
        Column::text("debt", |(debt, _)| id(debt)),
        Column::rupiah("due", |(_, debt)| debt.due.into()),
        Column::rupiah("applied", |(_, debt)| debt.applied().into()),
        Column::text("is_reusable", |(_, debt)| debt.is_reusable.into()),
        Column::text("is_before_books", |(_, debt)| debt.is_before_books.into()),
        Column::rupiah("unproven", |(_, debt)| off(debt, WayOff::Unproven)),
        Column::rupiah("lapsed", |(_, debt)| off(debt, WayOff::Lapsed)),
        Column::rupiah("cancelled", |(_, debt)| off(debt, WayOff::Cancelled)),
        Column::rupiah("written_off", |(_, debt)| off(debt, WayOff::WrittenOff)),
        Column::rupiah("waived", |(_, debt)| off(debt, WayOff::Waived)),
        Column::rupiah("rounding", |(_, debt)| off(debt, WayOff::Rounding)),
        Column::rupiah("elsewhere", |(_, debt)| off(debt, WayOff::Elsewhere)),
    ]
}

pub(super) fn write(kit: &mut Kit<'_>, opened: &Opened, before: &Known) -> Result<(), WriteError> {
    items(kit, opened, before)?;
    let columns: [Column<'_, (&ItemId, &BillEvent)>; 4] = [
        Column::text("item", |(bill, _)| id(bill)),
        Column::instant("at", |(_, event)| event.at.into()),
        Column::text("change", |(_, event)| match event.change {
            BillChange::Created(_) => "created".into(),
            BillChange::Amended(_) => "amended".into(),
            BillChange::Cancelled => "cancelled".into(),
            BillChange::Reinstated(_) => "reinstated".into(),
        }),
        Column::rupiah("amount", |(_, event)| match event.change {
            BillChange::Created(amount) | BillChange::Amended(amount) | BillChange::Reinstated(amount) => amount.get().into(),
            BillChange::Cancelled => Value::Empty,
        }),
    ];
    let events = before.bills.iter().flat_map(|(bill, known)| known.events.iter().map(move |event| (bill, event)));
    kit.table("facts/carried_bill_events", &columns, events)?;
    let columns: [Column<'_, (&ItemId, &BookedBill)>; 7] = [
        Column::text("item", |(bill, _)| id(bill)),
        Column::text("debt", |(_, bill)| id(&bill.debt)),
        Column::foreign("invoice_number", |(_, bill)| (&*bill.invoice_number).into()),
        Column::rupiah("amount", |(_, bill)| bill.amount.into()),
        Column::text("is_live", |(_, bill)| bill.is_live.into()),
        Column::date("expires_on", |(_, bill)| bill.expires_on.into()),
        Column::count("events", |(_, bill)| u64::try_from(bill.events.len()).unwrap_or(u64::MAX).into()),
    ];
    kit.table("facts/carried_bills", &columns, before.bills.iter())?;
    kit.table("facts/carried_debts", &debt_columns(), before.debts.iter())?;
    let columns: [Column<'_, (&ItemId, i64, Leg, crate::domain::amount::Rupiah)>; 5] = [
        Column::text("debt", |(debt, ..)| id(debt)),
        Column::count("place", |(_, place, ..)| (*place).into()),
        Column::text("account", |(_, _, back, _)| back.account.name().into()),
        Column::text("back", |(_, _, back, _)| back.item.as_ref().map(ToString::to_string).into()),
        Column::rupiah("amount", |(.., amount)| (*amount).into()),
    ];
    let applied = |(debt, of): (&'_ ItemId, &'_ Debt)| {
        let debt = *debt;
        (0_i64..).zip(of.standing()).map(move |(place, one)| (debt, place, one.back, one.amount)).collect::<Vec<_>>()
    };
    let applied: Vec<_> = before.debts.iter().flat_map(applied).collect();
    kit.table("facts/carried_applied", &columns, applied.iter().map(|(debt, place, back, amount)| (debt, *place, *back, *amount)))?;
    payments(kit, before)?;
    rows(kit, before)
}

fn items(kit: &mut Kit<'_>, opened: &Opened, before: &Known) -> Result<(), WriteError> {
    struct Item {
        leg: Leg,
        amount: crate::domain::amount::Rupiah,
        since: jiff::civil::Date,
    }
    let carried = before.balances.iter().map(|(leg, Open { amount, since, .. })| Item { leg: *leg, amount: *amount, since: *since });
    let taken = match opened {
        Opened::TakenOn { items } => items.as_slice(),
        Opened::Carried { .. } => &[],
    };
    let signed = |side: Side, amount: crate::domain::amount::Rupiah| {
        if side == Side::Debit { amount } else { crate::domain::amount::Rupiah::ZERO.minus(amount) }
    };
    let taken = taken.iter().map(|item| Item {
        leg: Leg::of(item.account, item.item),
        amount: signed(item.account.info().side, item.amount),
        since: item.on,
    });
    let columns: [Column<'_, Item>; 4] = [
        Column::text("account", |item| item.leg.account.name().into()),
        Column::text("item", |item| item.leg.item.map(|item| item.to_string()).into()),
        Column::rupiah("amount", |item| item.amount.into()),
        Column::date("since", |item| item.since.into()),
    ];
    kit.table("facts/carried_items", &columns, carried.chain(taken))
}

fn payments(kit: &mut Kit<'_>, before: &Known) -> Result<(), WriteError> {
    let columns: [Column<'_, (&ItemId, &BookedPayment)>; 16] = [
        Column::text("item", |(payment, _)| id(payment)),
        Column::text("identity", |(_, payment)| hex(payment.identity.as_ref())),
        Column::text("canonical", |(_, payment)| hex(payment.canonical.as_ref().or(payment.identity.as_ref()))),
        Column::foreign("invoice_number", |(_, payment)| (&*payment.notified.invoice_number).into()),
        Column::foreign("payment_code", |(_, payment)| (&*payment.notified.payment_code).into()),
        Column::text("channel", |(_, payment)| payment.channel.name().into()),
        Column::rupiah("amount", |(_, payment)| payment.amount.into()),
        Column::instant("paid_at", |(_, payment)| payment.paid_at.into()),
        Column::text("payee", |(_, payment)| match &payment.payee {
            Payee::Bill(bill) => id(bill),
            Payee::Nobody | Payee::Disagreeing | Payee::Ambiguous => Value::Empty,
        }),
        Column::text("hold", |(_, payment)| match payment.hold {
            Some(PaymentHold::AfterExpiry) => "after expiry".into(),
            Some(PaymentHold::AfterCancellation) => "after cancellation".into(),
            None => Value::Empty,
        }),
        Column::text("class", |(_, payment)| payment.class.map(crate::domain::classify::Class::id).into()),
        Column::text("debt", |(_, payment)| payment.debt.map(|debt| debt.to_string()).into()),
        Column::text("account", |(_, payment)| payment.account.name().into()),
        Column::text("held_as", |(_, payment)| id(&payment.held_as)),
        Column::text("settled_by", |(_, payment)| payment.row.map(|row| row.to_string()).into()),
        Column::text("is_before_books", |(_, payment)| payment.is_before_books.into()),
    ];
    kit.table("facts/carried_payments", &columns, before.payments.iter())?;
    let columns: [Column<'_, (&ItemId, &ItemId)>; 2] =
        [Column::text("alias", |(alias, _)| id(alias)), Column::text("item", |(_, payment)| id(payment))];
    kit.table("facts/carried_aliases", &columns, before.aliases.iter())
}

/// What a batch pays on one day.
struct Paid<'a> {
    batch: &'a ItemId,
    name: &'a str,
    stated: Option<crate::domain::amount::Rupiah>,
    on: jiff::civil::Date,
    sums: &'a BatchDay,
}

fn rows(kit: &mut Kit<'_>, before: &Known) -> Result<(), WriteError> {
    let columns: [Column<'_, (&ItemId, &crate::books::known::BookedRow)>; 17] = [
        Column::text("item", |(row, _)| id(row)),
        Column::text("batch", |(_, row)| id(&row.batch)),
        Column::foreign("number", |(_, row)| (&*row.number).into()),
        Column::foreign("invoice_number", |(_, row)| (&*row.invoice_number).into()),
        Column::text("payment", |(_, row)| if let RowKind::Of(_, payment) = &row.kind { id(payment) } else { Value::Empty }),
        Column::rupiah("gross", |(_, row)| row.gross.into()),
        Column::text("state", |(_, row)| match row.state {
            RowState::Settled => "settled".into(),
            RowState::Suspense => "suspense".into(),
            RowState::Twice => "twice".into(),
            RowState::Other => "other".into(),
            RowState::Unreadable => "unreadable".into(),
        }),
        Column::text("bill", |(_, row)| row.bill.map(|bill| bill.to_string()).into()),
        Column::date("paid_on", |(_, row)| row.paid_on.into()),
        Column::date("paid_out_on", |(_, row)| row.paid_out_on.into()),
        Column::foreign("report_code", |(_, row)| row.codes.first().map_or("", |code| &**code).into()),
        Column::foreign("recon_code", |(_, row)| row.codes.get(1).map_or("", |code| &**code).into()),
        Column::text("channel", |(_, row)| row.kind.channel().map(Channel::name).into()),
        // What a row that seemed to come twice would have posted.
        Column::rupiah("fee", |(_, row)| row.unposted.map(|of| Rupiah::new(of.fee.into())).into()),
        Column::rupiah("discount", |(_, row)| row.unposted.map(|of| Rupiah::new(of.discount.into())).into()),
        Column::rupiah("shared", |(_, row)| row.unposted.map(|of| Rupiah::new(of.shares.into())).into()),
        Column::text("has_batch_name", |(_, row)| (row.batch != nameless_batch(row.paid_out_on)).into()),
    ];
    kit.table("facts/carried_rows", &columns, before.rows.iter())?;
    let columns: [Column<'_, Paid<'_>>; 7] = [
        Column::text("batch", |day| id(day.batch)),
        Column::foreign("name", |day| day.name.into()),
        Column::rupiah("stated", |day| day.stated.into()),
        Column::date("paid_out_on", |day| day.on.into()),
        Column::rupiah("column_sum", |day| day.sums.column.into()),
        Column::rupiah("shared", |day| day.sums.shared.into()),
        Column::rupiah("posted", |day| day.sums.posted.into()),
    ];
    let days = before
        .batches
        .iter()
        .flat_map(|(batch, of)| of.days.iter().map(move |(on, sums)| Paid { batch, name: &of.name, stated: of.stated, on: *on, sums }));
    kit.table("facts/carried_batch_days", &columns, days)?;
    let columns: [Column<'_, (&ItemId, &crate::books::known::BookedBankLine)>; 3] = [
        Column::text("item", |(line, _)| id(line)),
        Column::date("on", |(_, line)| line.on.into()),
        Column::rupiah("amount", |(_, line)| line.amount.into()),
    ];
    kit.table("facts/carried_bank_lines", &columns, before.bank_lines.iter())?;
    let columns: [Column<'_, (&ItemId, &Alarm)>; 5] = [
        Column::text("item", |(alarm, _)| id(alarm)),
        Column::text("class", |(_, alarm)| (&*alarm.class).into()),
        Column::date("on", |(_, alarm)| alarm.on.into()),
        Column::rupiah("at_stake", |(_, alarm)| alarm.at_stake.into()),
        Column::text("is_answered", |(_, alarm)| alarm.answered_by.is_some().into()),
    ];
    kit.table("facts/carried_alarms", &columns, before.alarms.iter())
}
