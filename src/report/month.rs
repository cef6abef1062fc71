//! The month's figures as CSV files, safe to open in a spreadsheet. Amounts are whole rupiah with their sign in the sum.

use std::io;

use jiff::Timestamp;

use super::text::neutral;
use super::{Report, Writer};
use crate::domain::ageing::Bucket;
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::calendar::format_wib_seconds;
use crate::domain::digest;
use crate::reconcile::month::CodeFigures;
use crate::reconcile::posted::Held;

type Csv<'a> = csv::Writer<&'a mut Writer>;

fn row<'t>(csv: &mut Csv<'_>, cells: impl IntoIterator<Item = &'t str>) -> csv::Result<()> {
    csv.write_record(cells)
}

fn figures(balance: Balance) -> [String; 2] {
    [balance.count.to_string(), balance.amount.to_string()]
}

/// `roll_forward.csv`: the lines of each balance add up to its closing.
pub(super) fn roll_forward(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    row(&mut csv, ["balance", "line", "count", "amount"])?;
    for roll in &report.month.roll_forwards {
        let lines = std::iter::once(("opening", roll.opening));
        let lines = lines.chain(roll.movements.iter().map(|movement| (movement.name, movement.balance)));
        for (name, balance) in lines.chain([("carried", roll.carried()), ("closing", roll.closing)]) {
            let [count, amount] = figures(balance);
            row(&mut csv, [roll.name, name, &count, &amount])?;
        }
    }
    csv.flush()
}

/// `ageing.csv`
pub(super) fn ageing(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    row(&mut csv, ["table", "bucket_days", "past_60_days", "count", "amount"])?;
    for table in &report.month.ageing {
        for (bucket, balance) in table.rows() {
            let [count, amount] = figures(balance);
            row(&mut csv, [table.name, bucket.name(), if bucket.is_past_limit() { "yes" } else { "no" }, &count, &amount])?;
        }
    }
    csv.flush()
}

/// `breakdown_day_channel.csv`
pub(super) fn by_day(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    let header = ["day", "channel", "paid_count", "paid_amount", "agreed_count", "agreed_amount"];
    row(&mut csv, header.into_iter().chain(["differing_count", "differing_amount", "held_count", "held_amount"]))?;
    for ((day, channel), of) in &report.month.breakdowns.days {
        let sums = [of.paid, of.agreed, of.differing, of.held].map(figures);
        let day = day.to_string();
        row(&mut csv, [day.as_str(), channel.name()].into_iter().chain(sums.iter().flatten().map(String::as_str)))?;
    }
    csv.flush()
}

/// `breakdown_product.csv`: the roll-forward of codes by product, on what is known today.
pub(super) fn by_product(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    let lines = ["opening", "issued", "amended", "settled", "cancelled", "expired_unpaid", "closing"];
    let columns: Vec<String> = lines.iter().flat_map(|line| [format!("{line}_count"), format!("{line}_amount")]).collect();
    row(&mut csv, ["product", "channel"].into_iter().chain(columns.iter().map(String::as_str)))?;
    for ((product, channel), of) in &report.month.products {
        let product = neutral(product);
        let sums = signed(of).map(figures);
        row(&mut csv, [&*product, channel.name()].into_iter().chain(sums.iter().flatten().map(String::as_str)))?;
    }
    csv.flush()
}

/// With the sign each line has in the sum.
fn signed(of: &CodeFigures) -> [Balance; 7] {
    [of.opening, of.issued, of.amended, of.settled.negated(), of.cancelled.negated(), of.expired_unpaid.negated(), of.closing]
}

/// `breakdown_store.csv`; only its header when there are more stores than can be told apart.
pub(super) fn by_store(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    row(&mut csv, ["channel", "agent_id", "store_id", "paid_count", "paid_amount"])?;
    for (store, balance) in report.month.breakdowns.stores.iter().flatten() {
        let [count, amount] = figures(*balance);
        row(&mut csv, [store.channel.name(), &*neutral(&store.agent_id), &*neutral(&store.store_id), &count, &amount])?;
    }
    csv.flush()
}

/// `breakdown_class.csv`
pub(super) fn by_class(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    row(&mut csv, ["class", "nature", "count", "amount"])?;
    for of in &report.month.breakdowns.classes {
        let [count, amount] = figures(of.balance);
        row(&mut csv, [of.class.id(), of.nature.name(), &count, &amount])?;
    }
    csv.flush()
}

/// `breakdown_dimension.csv`: what customers owe by product, branch, agent, from opening to closing and by age.
pub(super) fn by_dimension(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    let ages = Bucket::ALL.map(|bucket| format!("{}_amount", bucket.name().replace('-', "_to_")));
    let columns = ["dimension", "value", "opening_count", "opening_amount", "billed_amount", "received_amount", "other_amount"];
    row(&mut csv, columns.into_iter().chain(["closing_count", "closing_amount"]).chain(ages.iter().map(String::as_str)))?;
    for ((dimension, value), of) in &report.month.dimensions {
        let [[opening_count, opening], [count, closing]] = [of.opening, of.closed()].map(figures);
        let moved = [of.billed, of.received, of.other].map(|amount| amount.to_string());
        let ages = of.closing.map(|balance| balance.amount.to_string());
        let value = neutral(value);
        let sums = [&opening_count, &opening].into_iter().chain(&moved).chain([&count, &closing]).chain(&ages);
        row(&mut csv, [dimension.as_str(), &*value].into_iter().chain(sums.map(String::as_str)))?;
    }
    csv.flush()
}

/// `completeness.csv`: messages by day and channel, empty days included.
pub(super) fn completeness(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    row(&mut csv, ["day", "channel", "messages", "empty"])?;
    let of = &report.month.completeness;
    for ((day, channel), count) in &of.days {
        let is_empty = of.empty.iter().any(|(empty, which)| empty == day && which.is_none_or(|which| which == *channel));
        row(&mut csv, [&*day.to_string(), channel.name(), &count.to_string(), if is_empty { "yes" } else { "no" }])?;
    }
    csv.flush()
}

/// `prior_period.csv`: what became known of earlier periods.
pub(super) fn prior_period(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    row(&mut csv, ["balance", "kind", "invoice_number", "payment_code", "channel", "happened_at", "count", "amount", "discrepancy_id"])?;
    for line in &report.month.prior_period {
        let [count, amount] = figures(line.balance());
        let at = line.at_us.map_or_else(String::new, shown);
        row(
            &mut csv,
            [
                line.moves,
                line.kind,
                &*neutral(&line.invoice_number),
                &line.payment_code,
                line.channel.name(),
                &at,
                &count,
                &amount,
                &line.discrepancy_id,
            ],
        )?;
    }
    csv.flush()
}

/// `suspense.csv`: the money held at the end of the period.
pub(super) fn suspense(report: &Report<'_>, writer: &mut Writer) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(writer);
    row(&mut csv, super::carried::SUSPENSE_COLUMNS)?;
    for Held { item, payment } in &report.books.held {
        row(
            &mut csv,
            [
                item.discrepancy_id.as_str(),
                item.class.map_or("", |class| class.id()),
                &*neutral(&item.invoice_number),
                &item.payment_code,
                &item.channel,
                &Rupiah::ZERO.minus(item.amount).to_string(),
                &payment.map_or_else(String::new, |(paid_at, _)| format_wib_seconds(paid_at)),
                &payment.map_or_else(String::new, |(paid_at, _)| paid_at.as_microsecond().to_string()),
                &payment.and_then(|(_, identity)| identity).map_or_else(String::new, |identity| digest::hex(&identity)),
            ],
        )?;
    }
    csv.flush()
}

fn shown(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us).map_or_else(|_| String::new(), format_wib_seconds)
}
