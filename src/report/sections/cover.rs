//! The first page: whose report, of when, how it ended, and who signs it.

use super::super::document::{Cell, CellKind, Cover, DocumentTable, Highlight, Mood, Task};
use super::super::summary::LedgerSource;
use super::super::text::{self, fill};
use super::super::words::Words;
use super::accounts::{ALARMS, on_its_side};
use super::days::capitalised;
use super::roll_forward::{signed, signed_by};
use super::{flow, inputs};
use crate::books::account::Account;
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::caveat::ToldCaveat;
use crate::domain::language::Say as _;
use crate::domain::sum::Sum;
use crate::reconcile::open_items::{OpenTask, Todo};
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

pub(super) fn cover<'a>(report: &Report<'a>, entity: &'a str, words: &'static Words) -> Cover<'a> {
    let (verdict, mood) = verdict(report, words);
    Cover {
        subtitle: fill(words.report_subtitle, &[&period(report, words)]),
        verdict,
        mood,
        caveats: caveats(report, words),
        highlights: highlights(report, words),
        flow: flow::steps(&report.books.statements, words),
        tasks: tasks(report, words),
        tie: tie(report, words),
        comparison: comparison(report, words),
        facts: DocumentTable::new(
            words.about,
            columns(&[(words.fact, CellKind::Text), (words.value, CellKind::Text)]),
            facts(report, entity, words),
        ),
        signatures: vec![words.prepared, words.reviewed, words.approved],
    }
}

/// How the run ended, in a sentence.
fn verdict(report: &Report<'_>, words: &'static Words) -> (String, Mood) {
    let to_do = report.books.items.to_do().count;
    let caveats = report.summary.open_caveats().count();
    if !report.outcome.identities_hold() || !report.books.holds() {
        (words.verdict_broken.to_owned(), Mood::Bad)
    } else if to_do > 0 {
        (fill(words.verdict_to_do(), &[&text::grouped(u128::try_from(to_do).unwrap_or_default())]), Mood::Bad)
    } else if caveats > 0 {
        (fill(words.verdict_caveats(), &[&text::grouped(widened(caveats))]), Mood::Bad)
    } else {
        (words.verdict_nothing().to_owned(), Mood::Good)
    }
}

/// What whoever signs must know of the months before.
fn caveats(report: &Report<'_>, words: &'static Words) -> Vec<String> {
    let told = |told: &ToldCaveat| {
        let caveat = told.caveat.told(words.language);
        match told.accepted_with {
            None => fill(words.caveat(), &[&caveat.to_string()]),
            Some(month) => fill(words.caveat_accepted(), &[&caveat.to_string(), &text::day(words, month)]),
        }
    };
    report.summary.caveats.iter().map(told).collect()
}

/// Open items by what is to be done; alarms, which have no balance, apart. Every item is in one of them.
fn highlights(report: &Report<'_>, words: &'static Words) -> Vec<Highlight> {
    let items = &report.books.items;
    let of = |label: &str, is_good: bool, of: Balance, mood: Mood| Highlight {
        label: capitalised(label),
        explanation: String::new(),
        count: u64::try_from(of.count).unwrap_or_default(),
        amount: of.amount,
        mood: if is_good && of.count == 0 { Mood::Good } else { mood },
    };
    vec![
        of(words.todo_name(Todo::Now), true, items.on_accounts(Todo::Now), Mood::Bad),
        of(words.todo_name(Todo::NotYet), false, items.on_accounts(Todo::NotYet), Mood::Waiting),
        of(words.todo_name(Todo::Decided), false, items.on_accounts(Todo::Decided), Mood::Good),
        Highlight { explanation: words.alarms_note().to_owned(), ..of(words.alarms(), true, items.alarms(), Mood::Bad) },
    ]
}

/// What to do, by who acts, then by account.
fn tasks(report: &Report<'_>, words: &'static Words) -> Vec<Task> {
    let task = |task: OpenTask| Task {
        desk: words.desk_name(task.owner),
        task: words.task(task.account, task.is_reversed),
        count: task.size.count,
        amount: task.size.amount,
        section: task.account.map_or(ALARMS, Account::name),
    };
    report.books.items.tasks().map(task).collect()
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
fn comparison<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let statements = &report.books.statements;
    let is_later = report.books.previous.is_some();
    let with_items = statements.iter().filter(|statement| is_later && !statement.account.info().holds.is_empty());
    let rows = with_items.map(|statement| {
        let side = |amount: Rupiah| on_its_side(Some(statement.account), amount);
        let (before, now) = (side(statement.opening.amount), side(statement.closing.amount));
        vec![words.account_name(statement.account).into(), before.into(), now.into(), Cell::Rupiah(now.minus(before))]
    });
    let columns = columns(&[
        (words.account_title(), CellKind::Text),
        (words.before_amount(), CellKind::Rupiah),
        (words.now_amount(), CellKind::Rupiah),
        (words.change(), CellKind::Difference),
    ]);
    DocumentTable::new(words.compared(), columns, rows.collect::<Vec<Vec<_>>>())
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
    let rows: [(&'static str, Cell<'a>); 15] = [
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
        (words.bank_unread(), inputs::unread_bank_rows(report, words).into()),
        (words.settlement_title(), unsettled(report, words)),
        (words.late_evidence, late(summary.late_evidence).into()),
        (words.late_evidence_after_grace, late(summary.late_evidence_after_grace).into()),
    ];
    rows.into_iter().filter(|(_, value)| *value != Cell::Empty).map(|(label, value)| vec![label.into(), value]).collect()
}

/// Where no settlement file was ever given, nobody can say how long DOKU owes what it has collected.
fn unsettled<'a>(report: &Report<'a>, words: &'static Words) -> Cell<'a> {
    let is_known = report.outcome.settled.is_some() || !report.books.common.known.batches.is_empty();
    let at_doku = report.books.statement(Account::Doku).map(|statement| statement.closing).unwrap_or_default();
    if is_known || at_doku == Balance::ZERO {
        return Cell::Empty;
    }
    fill(words.settlement_unknown(), &[&text::rupiah(at_doku.amount.get())]).into()
}

fn late(figures: Sum) -> String {
    format!("{} · {}", text::grouped(figures.count.into()), text::rupiah(figures.rupiah.get()))
}

fn widened(count: usize) -> u128 {
    u128::try_from(count).unwrap_or(u128::MAX)
}
