//! The month by product, by store, and by class and nature.

use super::super::document::{Audience, Cell, Column, Kind, Section, Table};
use super::super::text::fill;
use super::super::words::Words;
use super::days::capitalised;
use super::{Report, columns};
use crate::reconcile::month::CodeFigures;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    Section::new("breakdowns", words.breakdowns)
        .note(words.breakdowns_note)
        .table(products(report, words))
        .table(stores(report, words))
        .table(classes(report, words))
}

/// The codes' roll-forward; the page leaves out how many, else its lines were too long to read.
fn products<'a>(report: &Report<'a>, words: &'static Words) -> Table<'a> {
    let mut columns = columns(&[(words.product, Kind::Text), (words.channel, Kind::Text)]);
    let lines = [
        words.move_opening,
        words.move_issued,
        words.move_amended,
        words.move_settled,
        words.move_cancelled,
        words.move_expired_unpaid,
        words.closing_balance,
    ];
    for line in lines {
        columns.push(Column::new(fill(words.count_of, &[line]), Kind::Count).only_for(Audience::Workbook));
        columns.push(Column::new(fill(words.amount_of, &[line]), Kind::Rupiah));
    }
    let rows = report.month.products.iter().map(|((product, channel), figures)| {
        let figures = signed(figures).into_iter().flat_map(|balance| [Cell::from(balance.count), balance.amount.into()]);
        [product.as_str().into(), capitalised(channel.name()).into()].into_iter().chain(figures).collect()
    });
    Table::new(words.by_product, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total)
}

/// With the sign each line has in the sum.
fn signed(of: &CodeFigures) -> [crate::domain::balance::Balance; 7] {
    [of.opening, of.issued, of.amended, of.settled.negated(), of.cancelled.negated(), of.expired_unpaid.negated(), of.closing]
}

fn stores<'a>(report: &Report<'a>, words: &'static Words) -> Table<'a> {
    let stores = report.month.breakdowns.stores.as_ref();
    let rows = stores.into_iter().flatten().map(|(store, paid)| {
        vec![
            capitalised(store.channel.name()).into(),
            store.agent_id.as_str().into(),
            store.store_id.as_str().into(),
            Cell::from(paid.count),
            paid.amount.into(),
        ]
    });
    let columns = columns(&[
        (words.channel, Kind::Text),
        (words.agent, Kind::Code),
        (words.store, Kind::Code),
        (words.count, Kind::Count),
        (words.amount, Kind::Rupiah),
    ]);
    let empty = if stores.is_some() { words.no_rows } else { words.stores_unknown };
    Table::new(words.by_store, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total).kept_in("breakdown_store.csv").or_say(empty)
}

fn classes<'a>(report: &Report<'a>, words: &'static Words) -> Table<'a> {
    let rows = report.month.breakdowns.classes.iter().map(|of| {
        vec![
            of.class.id().into(),
            words.class_title(of.class).into(),
            words.nature(of.nature).into(),
            Cell::from(of.balance.count),
            of.balance.amount.into(),
        ]
    });
    let columns = columns(&[
        (words.class, Kind::Code),
        (words.what, Kind::Text),
        (words.nature, Kind::Text),
        (words.count, Kind::Count),
        (words.amount, Kind::Rupiah),
    ]);
    Table::new(words.by_class_nature, columns, rows.collect::<Vec<Vec<_>>>())
}
