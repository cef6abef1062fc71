//! The first page: whose report, of when, how it ended, and who signs it.

use std::collections::BTreeMap;

use super::super::document::{Cell, Cover, Highlight, Kind, Mood, Table, Task};
use super::super::summary::{Figures, LedgerSource};
use super::super::text::{self, fill};
use super::super::words::Words;
use super::accounts::{ALARMS, on_its_side};
use super::days::capitalised;
use super::roll_forward::{signed, signed_by};
use super::{Report, columns, flow, inputs};
use crate::books::account::{Account, Owner};
use crate::domain::amount::Rupiah;
use crate::reconcile::open_items::{OpenItem, Todo};

pub(super) fn cover<'a>(report: &Report<'a>, entity: &'a str, words: &'static Words) -> Cover<'a> {
    let (verdict, mood) = verdict(report, words);
    Cover {
        subtitle: fill(words.report_subtitle, &[&period(report, words)]),
        verdict,
        mood,
        highlights: highlights(report, words),
        flow: flow::steps(&report.books.month.statements(), words),
        tasks: tasks(report, words),
        tie: tie(report, words),
        comparison: comparison(report, words),
        facts: Table::new(words.about, columns(&[(words.fact, Kind::Text), (words.value, Kind::Text)]), facts(report, entity, words)),
        signatures: vec![words.prepared, words.reviewed, words.approved],
    }
}

/// How the run ended, in a sentence.
fn verdict(report: &Report<'_>, words: &'static Words) -> (String, Mood) {
    let to_do = report.books.items.iter().filter(|item| item.todo == Todo::Now).count();
    if !report.outcome.identities_hold() || !report.books.holds() {
        (words.verdict_broken.to_owned(), Mood::Bad)
    } else if to_do > 0 {
        (fill(words.verdict_to_do(), &[&text::grouped(widened(to_do))]), Mood::Bad)
    } else {
        (words.verdict_nothing().to_owned(), Mood::Good)
    }
}

/// Open items by what is to be done; alarms, which have no balance, apart. Every item is in one of them.
fn highlights(report: &Report<'_>, words: &'static Words) -> Vec<Highlight> {
    let items = &report.books.items;
    let of = |label: &str, is_good: bool, counted: Vec<&OpenItem>, mood: Mood| Highlight {
        label: capitalised(label),
        explanation: String::new(),
        count: u64::try_from(counted.len()).unwrap_or(u64::MAX),
        amount: text::rupiah(counted.iter().map(|item| size(item)).sum::<Rupiah>().get()),
        mood: if is_good && counted.is_empty() { Mood::Good } else { mood },
    };
    let standing = |todo: Todo| items.iter().filter(|item| item.account.is_some() && item.todo == todo).collect::<Vec<_>>();
    let alarms = items.iter().filter(|item| item.account.is_none() && item.todo == Todo::Now).collect();
    vec![
        of(words.todo_name(Todo::Now), true, standing(Todo::Now), Mood::Bad),
        of(words.todo_name(Todo::NotYet), false, standing(Todo::NotYet), Mood::Waiting),
        of(words.todo_name(Todo::Decided), false, standing(Todo::Decided), Mood::Good),
        Highlight { explanation: words.alarms_note().to_owned(), ..of(words.alarms(), true, alarms, Mood::Bad) },
    ]
}

/// Its rupiah, whichever side it stands on.
fn size(item: &OpenItem) -> Rupiah {
    item.amount.max(Rupiah::ZERO.minus(item.amount))
}

/// What to do, by who acts, then by account.
fn tasks(report: &Report<'_>, words: &'static Words) -> Vec<Task> {
    let mut all: BTreeMap<(Owner, Option<Account>), (i64, Rupiah)> = BTreeMap::new();
    for item in report.books.items.iter().filter(|item| item.todo == Todo::Now) {
        let (count, amount) = all.entry((item.owner, item.account)).or_default();
        (*count, *amount) = (count.saturating_add(1), amount.plus(size(item)));
    }
    let task = |((owner, account), (count, amount)): ((Owner, Option<Account>), (i64, Rupiah))| Task {
        desk: words.desk_name(owner),
        task: words.task(account),
        count,
        amount,
        section: account.map_or(ALARMS, Account::name),
    };
    all.into_iter().map(task).collect()
}

fn tie(report: &Report<'_>, words: &'static Words) -> (String, Mood) {
    let wrong = report.books.identities.iter().filter(|identity| !identity.holds()).count();
    let all = report.books.identities.len();
    match wrong {
        0 => (fill(words.books_hold(), &[&text::grouped(widened(all))]), Mood::Good),
        _ => (fill(words.books_break(), &[&text::grouped(widened(wrong))]), Mood::Bad),
    }
}

/// The balances of accounts with items beside those they were opened with; of the first month, nothing.
fn comparison<'a>(report: &Report<'a>, words: &'static Words) -> Table<'a> {
    let statements = report.books.month.statements();
    let is_later = report.books.previous.is_some();
    let with_items = statements.iter().filter(|statement| is_later && !statement.account.info().holds.is_empty());
    let rows = with_items.map(|statement| {
        let side = |amount: Rupiah| on_its_side(Some(statement.account), amount);
        let (before, now) = (side(statement.opening.amount), side(statement.closing.amount));
        vec![words.account_name(statement.account).into(), before.into(), now.into(), Cell::Rupiah(now.minus(before))]
    });
    let columns = columns(&[
        (words.account_title(), Kind::Text),
        (words.before_amount(), Kind::Rupiah),
        (words.now_amount(), Kind::Rupiah),
        (words.change(), Kind::Difference),
    ]);
    Table::new(words.compared(), columns, rows.collect::<Vec<Vec<_>>>())
}

/// Whose report, of when, of which run.
pub(super) fn footer(report: &Report<'_>, entity: &str, words: &'static Words) -> String {
    let parts = [entity.to_owned(), period(report, words), report.summary.run_id.clone()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// `Oktober 2026` for a whole month, else its first and last day.
fn period(report: &Report<'_>, words: &'static Words) -> String {
    let (from, to) = (report.summary.period.from, report.summary.period.to);
    let days = fill(words.days_from_to, &[&text::day(words, from), &text::day(words, to)]);
    let first = text::day(words, from);
    match first.split_once(' ') {
        Some((_, month)) if from == from.first_of_month() && to == from.last_of_month() => month.to_owned(),
        _ if from == to => first,
        _ => days,
    }
}

fn facts<'a>(report: &Report<'a>, entity: &'a str, words: &'static Words) -> Vec<Vec<Cell<'a>>> {
    let summary = report.summary;
    let days = &summary.period;
    let lines = summary.inputs.iter().map(|input| input.lines).fold(0, u64::saturating_add);
    let bills = match &summary.ledger {
        LedgerSource::Own { sequence, head } => fill(words.bills_from_own, &[&text::grouped((*sequence).into()), head]),
        LedgerSource::External { path, rows, rows_digest, .. } => {
            fill(words.bills_from_file, &[path, &text::grouped((*rows).into()), rows_digest])
        }
    };
    let evidence = fill(words.evidence_from_files, &[&text::grouped(widened(summary.inputs.len())), &text::grouped(lines.into())]);
    let rows: [(&'static str, Cell<'a>); 13] = [
        (words.entity, entity.into()),
        (words.period, fill(words.days_from_to, &[&text::day(words, days.from), &text::day(words, days.to)]).into()),
        (words.cut_off, words.cut_off_rule.into()),
        (words.as_of, text::instant(words, summary.as_of).into()),
        (words.run_id, summary.run_id.as_str().into()),
        (words.signed_by, signed(report).map_or(Cell::Empty, |signed| signed_by(signed, words).into())),
        (words.version, format!("tagih {}", summary.version).into()),
        (words.configuration, summary.configuration.as_str().into()),
        (words.bills_from, bills.into()),
        (words.evidence_from, evidence.into()),
        (words.days_without, inputs::days_without_evidence(report, words).into()),
        (words.late_evidence, late(summary.late_evidence).into()),
        (words.late_evidence_after_grace, late(summary.late_evidence_after_grace).into()),
    ];
    rows.into_iter().filter(|(_, value)| *value != Cell::Empty).map(|(label, value)| vec![label.into(), value]).collect()
}

fn late(figures: Figures) -> String {
    format!("{} · {}", text::grouped(figures.count.into()), text::rupiah(figures.amount.get()))
}

fn widened(count: usize) -> u128 {
    u128::try_from(count).unwrap_or(u128::MAX)
}
