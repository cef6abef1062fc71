//! The month by product, by store, and by class and nature.

use std::collections::BTreeSet;

use super::super::document::{Audience, Cell, CellKind, DocumentColumn, DocumentTable, Section};
use super::super::text::fill;
use super::super::words::Words;
use super::days::capitalised;
use crate::domain::ageing::AgeBucket;
use crate::domain::dimensions::PRODUCT;
use crate::reconcile::month::CodeFigures;
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

pub(super) fn section<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    Section::new("breakdowns", words.breakdowns)
        .note(words.breakdowns_note)
        .table(products(report, words))
        .tables(dimensions(report, words))
        .table(stores(report, words))
        .table(classes(report, words))
}

/// The codes' roll-forward; the page leaves out how many, else its lines were too long to read.
fn products<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let mut columns = columns(&[(words.product, CellKind::Text), (words.channel, CellKind::Text)]);
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
        columns.push(DocumentColumn::new(fill(words.count_of, &[line]), CellKind::Count).only_for(Audience::Workbook));
        columns.push(DocumentColumn::new(fill(words.amount_of, &[line]), CellKind::Rupiah));
    }
    let rows = report.month.products.iter().map(|((product, channel), figures)| {
        let figures = signed(figures).into_iter().flat_map(|balance| [Cell::from(balance.count), balance.amount.into()]);
        [product.as_str().into(), capitalised(channel.name()).into()].into_iter().chain(figures).collect()
    });
    DocumentTable::new(words.by_product, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total)
}

/// With the sign each line has in the sum.
fn signed(of: &CodeFigures) -> [crate::domain::balance::Balance; 7] {
    [of.opening, of.issued, of.amended, of.settled.negated(), of.cancelled.negated(), of.expired_unpaid.negated(), of.closing]
}

/// What customers owe, a table for each dimension.
fn dimensions<'a>(report: &Report<'a>, words: &'static Words) -> Vec<DocumentTable<'a>> {
    let names: BTreeSet<&str> = report.month.dimensions.keys().map(|(name, _)| name.as_str()).collect();
    names.into_iter().map(|name| dimension(report, name, words)).collect()
}

fn dimension<'a>(report: &Report<'a>, name: &str, words: &'static Words) -> DocumentTable<'a> {
    let of_name = if name == PRODUCT { words.product } else { name };
    let mut columns = columns(&[(of_name, CellKind::Text), (words.move_opening, CellKind::Rupiah)]);
    for line in [words.billed(), words.received(), words.other_changes(), words.regrouped()] {
        columns.push(DocumentColumn::new(line, CellKind::Rupiah).only_for(Audience::Workbook));
    }
    columns.push(DocumentColumn::new(words.closing_balance, CellKind::Rupiah));
    columns.extend(AgeBucket::ALL.map(|bucket| DocumentColumn::new(words.bucket_name(bucket), CellKind::Rupiah)));
    let rows = report.month.dimensions.iter().filter(|((found, _), _)| found == name).map(|((_, value), of)| {
        let value = if value.is_empty() { words.without_value().into() } else { Cell::from(value.as_str()) };
        let ages = of.closing.map(|balance| balance.amount);
        let amounts = [of.opening.amount, of.billed, of.received, of.other, of.moved, of.closed().amount].into_iter().chain(ages);
        std::iter::once(value).chain(amounts.map(Cell::from)).collect()
    });
    let caption = fill(words.receivables_by(), &[of_name]);
    DocumentTable::new(caption, columns, rows.collect::<Vec<Vec<_>>>()).sum_up(words.total).kept_in("breakdown_dimension.csv")
}

fn stores<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
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
        (words.channel, CellKind::Text),
        (words.agent, CellKind::Code),
        (words.store, CellKind::Code),
        (words.count, CellKind::Count),
        (words.amount, CellKind::Rupiah),
    ]);
    let empty = if stores.is_some() { words.no_rows } else { words.stores_unknown };
    DocumentTable::new(words.by_store, columns, rows.collect::<Vec<Vec<_>>>())
        .sum_up(words.total)
        .kept_in("breakdown_store.csv")
        .or_say(empty)
}

fn classes<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
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
        (words.class, CellKind::Code),
        (words.what, CellKind::Text),
        (words.nature, CellKind::Text),
        (words.count, CellKind::Count),
        (words.amount, CellKind::Rupiah),
    ]);
    DocumentTable::new(words.by_class_nature, columns, rows.collect::<Vec<Vec<_>>>())
}
