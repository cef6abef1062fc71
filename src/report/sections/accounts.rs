//! The accounts of the books: opening to closing of each, and its open items, carried ones beside new ones.

use super::super::document::{Cell, CellKind, DocumentColumn, DocumentRows, DocumentTable, Section};
use super::super::text::fill;
use super::super::words::Words;
use crate::books::account::{Account, Side};
use crate::books::ledger_tie::Tie;
use crate::books::month::{Ageing, Statement};
use crate::domain::ageing::AgeBucket;
use crate::domain::amount::Rupiah;
use crate::domain::balance::Balance;
use crate::domain::classify::Class;
use crate::reconcile::open_items::{OpenItem, Todo};
use crate::report::document::columns;
use crate::report::reconciled_report::Report;

/// The anchor of the alarms, which stand on no account.
pub(super) const ALARMS: &str = "alarm";

/// An amount (debit +) as its account is normally counted.
pub(super) fn on_its_side(account: Option<Account>, amount: Rupiah) -> Rupiah {
    match account.map(|account| account.info().side) {
        Some(Side::Credit) => Rupiah::ZERO.minus(amount),
        Some(Side::Debit) | None => amount,
    }
}

/// Every account from its opening to its closing.
pub(super) fn overview<'a>(report: &Report<'a>, words: &'static Words) -> Section<'a> {
    let statements = &report.books.statements;
    Section::new("accounts", words.accounts())
        .note(words.accounts_note())
        .table(balances(report, statements, words))
        .table(movements(statements, words))
        .table(ageing(report, words))
        .tables(report.books.tie.as_ref().map(|tie| ledger(tie, words)))
}

/// From what the ledger asks for to what is owed.
fn ledger<'a>(tie: &Tie, words: &'static Words) -> DocumentTable<'a> {
    // A debt may be in several lines, so only their rupiah add up.
    let owed = vec![words.tie_total().into(), Cell::Empty, tie.total().into()];
    let lines = tie.lines().map(|(line, balance)| vec![words.tie_line(line).into(), balance.count.into(), balance.amount.into()]);
    let rows = lines.chain([owed]);
    let columns = columns(&[
        (words.movement_title(), CellKind::Text),
        (words.items_count(), CellKind::Count),
        (words.items_amount(), CellKind::Difference),
    ]);
    DocumentTable::new(words.ledger_tie(), columns, rows.collect::<Vec<Vec<_>>>())
}

fn balances<'a>(report: &Report<'a>, statements: &[Statement], words: &'static Words) -> DocumentTable<'a> {
    let rows = statements.iter().map(|statement| {
        let account = statement.account;
        let side = |amount: Rupiah| on_its_side(Some(account), amount);
        let has_items = !account.info().holds.is_empty();
        let count = |balance: Balance| if has_items { Cell::from(balance.count) } else { Cell::Empty };
        let moved = |is_up: bool| -> Rupiah {
            let amounts = statement.lines.iter().map(|line| side(line.balance.amount));
            amounts.filter(|amount| (*amount > Rupiah::ZERO) == is_up).sum()
        };
        let standing = |todo: Todo| {
            let of = report.books.items.standing(Some(account), todo);
            if has_items { Cell::Rupiah(side(of.amount)) } else { Cell::Empty }
        };
        vec![
            words.account_name(account).into(),
            count(statement.opening),
            side(statement.opening.amount).into(),
            moved(true).into(),
            moved(false).into(),
            count(statement.closing),
            side(statement.closing.amount).into(),
            standing(Todo::Now),
            standing(Todo::NotYet),
            standing(Todo::Decided),
        ]
    });
    let columns = columns(&[
        (words.account_title(), CellKind::Text),
        (words.opening_count(), CellKind::Count),
        (words.opening_amount(), CellKind::Rupiah),
        (words.increase(), CellKind::Rupiah),
        (words.decrease(), CellKind::Rupiah),
        (words.closing_count(), CellKind::Count),
        (words.closing_amount(), CellKind::Rupiah),
        (words.of_it_to_do(), CellKind::Rupiah),
        (words.of_it_not_yet(), CellKind::Rupiah),
        (words.of_it_decided(), CellKind::Rupiah),
    ]);
    DocumentTable::new(words.balances(), columns, rows.collect::<Vec<Vec<_>>>())
}

fn movements<'a>(statements: &[Statement], words: &'static Words) -> DocumentTable<'a> {
    let lines = statements.iter().flat_map(|statement| statement.lines.iter().map(|line| (statement.account, line)));
    let rows = lines.map(|(account, line)| {
        vec![
            words.account_name(account).into(),
            words.moved(line.movement).into(),
            if line.is_prior_period { words.earlier_period() } else { words.this_period() }.into(),
            line.balance.count.into(),
            on_its_side(Some(account), line.balance.amount).into(),
        ]
    });
    let columns = columns(&[
        (words.account_title(), CellKind::Text),
        (words.movement_title(), CellKind::Text),
        (words.belongs_to(), CellKind::Text),
        (words.items_count(), CellKind::Count),
        (words.items_amount(), CellKind::Difference),
    ]);
    DocumentTable::new(words.movements(), columns, rows.collect::<Vec<Vec<_>>>())
}

fn ageing<'a>(report: &Report<'a>, words: &'static Words) -> DocumentTable<'a> {
    let side = |ageing: &Ageing, place: usize| {
        let of = [ageing.normal, ageing.other].into_iter().filter_map(|buckets| buckets.get(place).copied()).sum::<Balance>();
        on_its_side(Some(ageing.account), of.amount)
    };
    let all = &report.books.ageing;
    let open = all.iter().filter(|ageing| ageing.total() != Balance::ZERO);
    let rows = open.map(|ageing| {
        let buckets = (0..AgeBucket::ALL.len()).map(|place| Cell::Rupiah(side(ageing, place)));
        let total = Cell::Rupiah(on_its_side(Some(ageing.account), ageing.total().amount));
        [words.account_name(ageing.account).into()].into_iter().chain(buckets).chain([total]).collect()
    });
    let mut columns = vec![DocumentColumn::new(words.account_title(), CellKind::Text)];
    columns.extend(AgeBucket::ALL.map(|bucket| DocumentColumn::new(words.bucket_name(bucket), CellKind::Rupiah)));
    columns.push(DocumentColumn::new(words.closing_amount(), CellKind::Rupiah));
    DocumentTable::new(words.books_ageing(), columns, rows.collect::<Vec<Vec<_>>>())
}

/// More items of an account than this stand in `open_items.csv` alone, worst first: opening the workbook would take too long. What is to be
/// done is in the list of discrepancies whole.
const ITEMS_MAX: usize = 20_000;

/// A section for each account with open items, and one for the alarms.
pub(super) fn items<'a>(report: &Report<'a>, words: &'static Words) -> Vec<Section<'a>> {
    let accounts = Account::ALL.into_iter().map(Some).chain([None]);
    let of = |account: Option<Account>| {
        let items: Vec<&'a OpenItem> = report.books.items.of(account).take(ITEMS_MAX).collect();
        (!items.is_empty()).then(|| section(account, items, report.books.items.total(account), words))
    };
    accounts.filter_map(of).collect()
}

fn section<'a>(account: Option<Account>, items: Vec<&'a OpenItem>, all: Balance, words: &'static Words) -> Section<'a> {
    let title = account.map_or_else(|| words.alarms(), |account| words.account_name(account));
    let note = account.map_or_else(|| words.alarms_note().to_owned(), |_| format!("{} {}", words.items_note(), words.reversed_note()));
    let id = account.map_or(ALARMS, Account::name);
    let (count, columns) = (items.len(), item_columns(words));
    let mut totals = vec![Cell::Empty; columns.len()];
    if let [first, second, .., amount, _, _, _, _, _, _, _, _, _, _] = totals.as_mut_slice() {
        let total = on_its_side(account, all.amount);
        (*first, *second, *amount) = (words.total.into(), all.count.into(), total.into());
    }
    let is_cut = all.count > i64::try_from(count).unwrap_or(i64::MAX);
    let note =
        if is_cut { format!("{note} {}", fill(words.first_items_note(), &[&grouped(count.try_into().unwrap_or(i64::MAX))])) } else { note };
    let rows = DocumentRows::made(count, move |at| items.get(at).map(|item| row(item, words)).unwrap_or_default());
    Section::new(id, title).note(note).table(DocumentTable::new(title, columns, rows).totals(totals).kept_in("open_items.csv"))
}

fn grouped(count: i64) -> String {
    super::super::text::grouped(u128::try_from(count).unwrap_or_default())
}

fn item_columns(words: &'static Words) -> Vec<DocumentColumn> {
    let column = DocumentColumn::new;
    vec![
        column(words.to_be_done(), CellKind::Text).filter(),
        column(words.class, CellKind::Code).filter(),
        column(words.what, CellKind::Text),
        column(words.invoice, CellKind::Code),
        column(words.code, CellKind::Code),
        column(words.channel, CellKind::Text).filter(),
        column(words.items_amount(), CellKind::Rupiah),
        column(words.since(), CellKind::Date),
        column(words.age, CellKind::Count),
        column(words.bucket, CellKind::Text).filter(),
        column(words.moved_by(), CellKind::Text),
        column(words.moved_on(), CellKind::Date),
        column(words.desk(), CellKind::Text).detail(),
        column(words.action, CellKind::Text).detail(),
        column(words.decision(), CellKind::Code).detail(),
        column(words.dimensions(), CellKind::Text).detail(),
        column(words.id, CellKind::Code).detail(),
    ]
}

fn row<'a>(item: &'a OpenItem, words: &'static Words) -> Vec<Cell<'a>> {
    vec![
        words.todo_name(item.todo).into(),
        item.class.map(Class::id).into(),
        item.class.map(|class| words.class_title(class)).into(),
        item.invoice_number.as_str().into(),
        item.payment_code.as_str().into(),
        super::days::capitalised(&item.channel).into(),
        on_its_side(item.account, item.amount).into(),
        item.since.into(),
        i64::from(item.age_days).into(),
        words.bucket_name(item.bucket()).into(),
        item.moved_by.map(|movement| words.moved(movement)).into(),
        item.moved_on.into(),
        words.desk_name(item.owner).into(),
        item.class.map(|class| words.class_action(class)).into(),
        item.decision.map(|decision| decision.key_text()).into(),
        item.dimensions.in_words().into(),
        item.discrepancy_id.as_str().into(),
    ]
}
