//! The month's figures as files that programs read. Amounts are whole rupiah with their sign in the sum.

use std::io;

use jiff::Timestamp;
use jiff::civil::Date;

use super::atomic::FileWriter;
use super::reconciled_report::Report;
use crate::books::breakdown::Receivables;
use crate::columns::{Column, ColumnKind, Format, Value};
use crate::domain::ageing::AgeBucket;
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::channel::Channel;
use crate::domain::classify::Class;
use crate::reconcile::month::{ClassNature, CodeFigures, DayFigures, PriorLine, StorePayments};
use crate::reconcile::posted::HeldMoney;

/// `roll_forward`: the lines of each balance add up to its closing.
pub(super) fn roll_forward(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let columns: [Column<'_, (&str, &str, Balance)>; 4] = [
        Column::text("balance", |(balance, ..)| (*balance).into()),
        Column::text("line", |(_, line, _)| (*line).into()),
        Column::count("count", |(.., sum)| sum.count.into()),
        Column::rupiah("amount", |(.., sum)| sum.amount.into()),
    ];
    let rows = report.month.roll_forwards.iter().flat_map(|roll| {
        let movements = roll.movements.iter().map(|movement| (movement.name, movement.balance));
        let lines =
            [("opening", roll.opening)].into_iter().chain(movements).chain([("carried", roll.carried()), ("closing", roll.closing)]);
        lines.map(|(line, sum)| (roll.name, line, sum))
    });
    format.write(&columns, rows, writer)
}

/// `ageing`
pub(super) fn ageing(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let rows = report.month.ageing.iter().flat_map(|table| table.rows().map(|(bucket, sum)| (table.name, bucket, sum)));
    let columns: [Column<'_, (&str, AgeBucket, Balance)>; 5] = [
        Column::text("table", |(table, ..)| (*table).into()),
        Column::text("bucket_days", |(_, bucket, _)| bucket.name().into()),
        Column::text("past_60_days", |(_, bucket, _)| bucket.is_past_limit().into()),
        Column::count("count", |(.., sum)| sum.count.into()),
        Column::rupiah("amount", |(.., sum)| sum.amount.into()),
    ];
    format.write(&columns, rows, writer)
}

/// `breakdown_day_channel`
pub(super) fn by_day(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let columns: [Column<'_, (&(Date, Channel), &DayFigures)>; 10] = [
        Column::date("day", |((day, _), _)| (*day).into()),
        Column::text("channel", |((_, channel), _)| channel.name().into()),
        Column::count("paid_count", |(_, of)| of.paid.count.into()),
        Column::rupiah("paid_amount", |(_, of)| of.paid.amount.into()),
        Column::count("agreed_count", |(_, of)| of.agreed.count.into()),
        Column::rupiah("agreed_amount", |(_, of)| of.agreed.amount.into()),
        Column::count("differing_count", |(_, of)| of.differing.count.into()),
        Column::rupiah("differing_amount", |(_, of)| of.differing.amount.into()),
        Column::count("held_count", |(_, of)| of.held.count.into()),
        Column::rupiah("held_amount", |(_, of)| of.held.amount.into()),
    ];
    format.write(&columns, report.month.breakdowns.days.iter(), writer)
}

/// One product at one channel, and the lines of its roll-forward.
type Product<'a> = (&'a str, Channel, [Balance; 7]);

/// `breakdown_product`: the roll-forward of codes by product, on what is known today.
pub(super) fn by_product(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let lines = ["opening", "issued", "amended", "settled", "cancelled", "expired_unpaid", "closing"];
    let mut columns: Vec<Column<'_, Product<'_>>> = vec![
        Column::foreign("product", |(product, ..)| (*product).into()),
        Column::text("channel", |(_, channel, _)| channel.name().into()),
    ];
    for (at, line) in lines.into_iter().enumerate() {
        let count = |(.., lines): &Product<'_>, at: usize| lines.get(at).map(|line| line.count).into();
        let amount = |(.., lines): &Product<'_>, at: usize| lines.get(at).map(|line| line.amount).into();
        columns.push(Column::numbered(format!("{line}_count"), ColumnKind::Count, count, at));
        columns.push(Column::numbered(format!("{line}_amount"), ColumnKind::Rupiah, amount, at));
    }
    let rows = report.month.products.iter().map(|((product, channel), of)| (product.as_str(), *channel, signed(of)));
    format.write(&columns, rows, writer)
}

/// With the sign each line has in the sum.
fn signed(of: &CodeFigures) -> [Balance; 7] {
    [of.opening, of.issued, of.amended, of.settled.negated(), of.cancelled.negated(), of.expired_unpaid.negated(), of.closing]
}

/// `breakdown_store`; no rows when there are more stores than can be told apart.
pub(super) fn by_store(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let columns: [Column<'_, (&StorePayments, &Balance)>; 5] = [
        Column::text("channel", |(store, _)| store.channel.name().into()),
        Column::foreign("agent_id", |(store, _)| (&store.agent_id).into()),
        Column::foreign("store_id", |(store, _)| (&store.store_id).into()),
        Column::count("paid_count", |(_, sum)| sum.count.into()),
        Column::rupiah("paid_amount", |(_, sum)| sum.amount.into()),
    ];
    format.write(&columns, report.month.breakdowns.stores.iter().flatten(), writer)
}

/// `breakdown_class`
pub(super) fn by_class(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let columns: [Column<'_, ClassNature>; 4] = [
        Column::text("class", |of| of.class.id().into()),
        Column::text("nature", |of| of.nature.name().into()),
        Column::count("count", |of| of.balance.count.into()),
        Column::rupiah("amount", |of| of.balance.amount.into()),
    ];
    format.write(&columns, report.month.breakdowns.classes.iter().copied(), writer)
}

/// What customers owe by one value of a dimension.
type Owed<'a> = (&'a (String, String), &'a Receivables);

/// `breakdown_dimension`: what customers owe by product, branch, agent, from opening to closing and by age.
pub(super) fn by_dimension(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let mut columns: Vec<Column<'_, Owed<'_>>> = vec![
        Column::text("dimension", |((dimension, _), _)| dimension.into()),
        Column::foreign("value", |((_, value), _)| value.into()),
        Column::count("opening_count", |(_, of)| of.opening.count.into()),
        Column::rupiah("opening_amount", |(_, of)| of.opening.amount.into()),
        Column::rupiah("billed_amount", |(_, of)| of.billed.into()),
        Column::rupiah("received_amount", |(_, of)| of.received.into()),
        Column::rupiah("other_amount", |(_, of)| of.other.into()),
        Column::rupiah("moved_amount", |(_, of)| of.moved.into()),
        Column::count("closing_count", |(_, of)| of.closed().count.into()),
        Column::rupiah("closing_amount", |(_, of)| of.closed().amount.into()),
    ];
    for (at, bucket) in AgeBucket::ALL.into_iter().enumerate() {
        let amount = |(_, of): &Owed<'_>, at: usize| of.closing.get(at).map(|balance| balance.amount).into();
        columns.push(Column::numbered(format!("{}_amount", bucket.name().replace('-', "_to_")), ColumnKind::Rupiah, amount, at));
    }
    format.write(&columns, report.month.dimensions.iter(), writer)
}

/// `completeness`: messages by day and channel, empty days included.
pub(super) fn completeness(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let columns: [Column<'_, (Date, Channel, u64, bool)>; 4] = [
        Column::date("day", |(day, ..)| (*day).into()),
        Column::text("channel", |(_, channel, ..)| channel.name().into()),
        Column::count("messages", |(_, _, count, _)| (*count).into()),
        Column::text("empty", |(.., is_empty)| (*is_empty).into()),
    ];
    let of = &report.month.completeness;
    let rows = of.days.iter().map(|(&(day, channel), &count)| {
        let is_empty = of.empty.iter().any(|(empty, which)| *empty == day && which.is_none_or(|which| which == channel));
        (day, channel, count, is_empty)
    });
    format.write(&columns, rows, writer)
}

/// `prior_period`: what became known of earlier periods.
pub(super) fn prior_period(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let columns: [Column<'_, &PriorLine>; 9] = [
        Column::text("balance", |line| line.moves.into()),
        Column::text("kind", |line| line.kind.into()),
        Column::foreign("invoice_number", |line| (&line.invoice_number).into()),
        Column::foreign("payment_code", |line| (&line.payment_code).into()),
        Column::text("channel", |line| line.channel.map(Channel::name).into()),
        Column::instant("happened_at", |line| line.at_us.and_then(|at| Timestamp::from_microsecond(at).ok()).into()),
        Column::count("count", |line| line.count.into()),
        Column::rupiah("amount", |line| line.amount.into()),
        Column::text("discrepancy_id", |line| (&line.discrepancy_id).into()),
    ];
    format.write(&columns, report.month.prior_period.iter(), writer)
}

/// `suspense`: the money held at the end of the period. An older report is carried on from it.
pub(super) fn suspense(report: &Report<'_>, format: Format, writer: &mut FileWriter) -> io::Result<()> {
    let columns: [Column<'_, &HeldMoney>; 9] = [
        Column::text("discrepancy_id", |held| (&held.item.discrepancy_id).into()),
        Column::text("class", |held| held.item.class.map(Class::id).into()),
        Column::foreign("invoice_number", |held| (&held.item.invoice_number).into()),
        Column::foreign("payment_code", |held| (&held.item.payment_code).into()),
        Column::text("channel", |held| (&held.item.channel).into()),
        Column::rupiah("amount", |held| Rupiah::ZERO.minus(held.item.amount).into()),
        Column::instant("paid_at", |held| held.payment.map(|(paid_at, _)| paid_at).into()),
        Column::count("paid_at_us", |held| held.payment.map(|(paid_at, _)| paid_at.as_microsecond()).into()),
        Column::digest("identity", |held| {
            let identity = held.payment.as_ref().and_then(|(_, identity)| identity.as_ref());
            identity.map_or(Value::Empty, |identity| Value::digest(identity))
        }),
    ];
    format.write(&columns, report.books.held.iter(), writer)
}
