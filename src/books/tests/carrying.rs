//! From one month to the next: the files, the day before the first, what may be forgotten, entries, and an engine nobody here wrote.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::business::*;
use crate::books::account::Account;
use crate::books::carry::{self, CarryError, HeadContent};
use crate::books::decision::Action;
use crate::books::export::{export, write_csv};
use crate::books::fact::{AlarmFact, BatchFact, BillChange, Facts, LedgerMark, Payee, RowKind};
use crate::books::hledger;
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::Known;
use crate::books::movement::Movement;
use crate::books::pair::Leg;
use crate::books::post::PostedMonth;
use crate::books::settings::{Booked, BooksSettings};
use crate::books::take_on::{TakenOn, begin};
use crate::columns::vouched::Vouched;
use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::digest;

/// A month in which something of every kind becomes known, and the next.
fn two_months() -> (Business, Vec<PostedMonth>) {
    let mut business = Business { settings: BooksSettings { tolerance: 500, ..BooksSettings::default() }, ..Business::default() };
    let bills = [
        bill("A", day(8, 3), 100_000).then(day(8, 9), BillChange::Amended(rupiah(120_000))),
        bill("B", day(8, 4), 50_000),
        bill("C", day(8, 5), 70_000).then(day(8, 20), BillChange::Cancelled),
    ];
    let paid = [
        pays("p1", day(8, 10), 119_800, "A"),
        pays("p2", day(8, 11), 50_000, "B"),
        pays("p3", day(8, 12), 50_000, "B"),
        payment("o", day(8, 12), 30_000, Payee::Nobody),
    ];
    let mut rows = [
        row("r1", "B1", day(8, 13), 119_800, settles("p1")),
        row("r2", "B1", day(8, 13), 10_000, RowKind::Other),
        row("r3", "B2", day(8, 14), 25_000, RowKind::Unclaimed(Channel::Alfa)),
    ];
    (rows[0].fee, rows[0].discount, rows[0].paid_out) = (2_500, 100, 117_200);
    let mut evidence = facts(&bills, &paid, &rows);
    evidence.batches.push(BatchFact { id: rows[0].batch, name: "B1".into(), stated: vec![130_000] });
    let (invoice_number, payment_code) = ("INV".into(), "0001".into());
    let forged = AlarmFact::of(ItemId::of(BooksSubject::Alarm, &[b"forged"]), "N02");
    let channel = Some(Channel::Alfa);
    let alarm = AlarmFact { on: day(8, 15), at_stake: Rupiah::new(9_000), invoice_number, payment_code, channel, ..forged };
    evidence.alarms.push(alarm);
    business.decisions = vec![
        decide("credit", day(8, 25), Action::Credit, on(Account::Suspense, "p3"), evidence.clone()),
        decide("keep", day(8, 26), Action::Accept, on(Account::Suspense, "o"), evidence.clone()),
    ];
    let august = business.close(8, &evidence);
    let september = business.close(9, &facts(&[bill("D", day(8, 30), 40_000)], &[], &[row("r4", "B3", day(9, 2), 50_000, settles("p2"))]));
    (business, vec![august, september])
}

fn write(folder: &std::path::Path, known: &Known, month: &PostedMonth, settings: &BooksSettings) -> carry::CarryHead {
    let about = HeadContent {
        period: month.period,
        settings,
        previous: None,
        ledger: "7:ab".into(),
        journal: String::new(),
        exported: String::new(),
    };
    let mut carry = carry::Carry::begin(|name| std::fs::File::create(folder.join(name))).unwrap();
    carry.put(carry::CarryPage::of(known).unwrap()).unwrap();
    let head = carry.finish(known.began_on, about).unwrap();
    std::fs::write(folder.join(carry::HEAD), head.text().unwrap()).unwrap();
    head
}

/// Reads it as a list that vouches for whatever is there would have it: what the tables themselves are held against.
fn read(folder: &std::path::Path) -> Result<(carry::CarryHead, Known), CarryError> {
    carry::read(folder, |name| {
        let path = folder.join(name);
        Vouched::open(&path, &digest::hex(&digest::of_bytes(&std::fs::read(&path)?)))
    })
}

#[test]
fn the_files_of_a_month_are_read_back_whole_and_whatever_is_changed_in_them_is_found() {
    let (business, months) = two_months();
    let folder = tempfile::tempdir().unwrap();
    let head = write(folder.path(), &business.known, &months[1], &business.settings);
    let (head_read, known) = read(folder.path()).unwrap();
    assert_eq!((&head_read, &known), (&head, &business.known));
    assert_eq!(head_read.hash().unwrap(), head.hash().unwrap());
    assert!(head.tables.values().all(|table| table.rows > 0) || head.tables["bank_lines"].rows == 0);
    let again = tempfile::tempdir().unwrap();
    assert_eq!(write(again.path(), &known, &months[1], &business.settings).hash().unwrap(), head.hash().unwrap());
    // The items of another month in this one's folder.
    let other = tempfile::tempdir().unwrap();
    write(other.path(), &months[0].known, &months[0], &business.settings);
    for table in ["items", "debts", "payments"] {
        let name = format!("{table}.parquet");
        let kept = std::fs::read(folder.path().join(&name)).unwrap();
        std::fs::copy(other.path().join(&name), folder.path().join(&name)).unwrap();
        assert!(matches!(read(folder.path()), Err(CarryError::Damaged { .. })), "{table}");
        std::fs::File::create(folder.path().join(&name)).unwrap().write_all(&kept).unwrap();
    }
    let text = std::fs::read_to_string(folder.path().join(carry::HEAD)).unwrap();
    let mut file = std::fs::File::create(folder.path().join(carry::HEAD)).unwrap();
    let (ours, later) = (format!("\"format\": {}", carry::FORMAT), format!("\"format\": {}", carry::FORMAT + 1));
    assert!(text.contains(&ours));
    file.write_all(text.replace(&ours, &later).as_bytes()).unwrap();
    assert!(matches!(read(folder.path()), Err(CarryError::Version(version)) if version == carry::FORMAT + 1));
}

#[test]
fn books_begin_with_what_was_open_and_told_and_settled_debts_stay_settled() {
    let mut paid_before = bill("old", day(7, 1), 10_000);
    paid_before.mark = Some(LedgerMark { at: Some(at(day(7, 20))), paid: None });
    let open = bill("open", day(7, 5), 50_000);
    let gone = bill("gone", day(7, 5), 60_000).then(day(7, 9), BillChange::Cancelled);
    let bills = [paid_before.clone(), open.clone(), gone, bill("new", day(8, 2), 5_000)];
    let taken = |account, item, amount| TakenOn {
        account,
        item,
        amount: Rupiah::new(amount),
        on: day(7, 30),
        channel: Some(Channel::Alfa),
        batch: None,
    };
    let told = [
        taken(Account::Doku, on(Account::Doku, "transit").item.unwrap(), 10_000),
        taken(Account::Suspense, on(Account::Suspense, "orphan").item.unwrap(), 7_000),
    ];
    let eve = begin(&bills, &[], &told, &BooksSettings::default(), day(8, 1)).unwrap();
    assert_eq!((total(&eve.known, Account::Receivable), total(&eve.known, Account::Opening)), (50_000, -53_000));
    assert!(eve.pairs.iter().all(|pair| pair.movement == Movement::TakenOn && pair.day == day(7, 31)));
    let mut business = Business { known: eve.known, ..Business::default() };
    let payments =
        [pays("transit", day(7, 30), 10_000, "old"), pays("before", day(7, 20), 10_000, "old"), pays("p", day(8, 5), 50_000, "open")];
    let august = business.close(8, &facts(&bills, &payments, &[row("r", "B1", day(8, 3), 10_000, settles("transit"))]));
    assert_eq!((total(&august.known, Account::Receivable), total(&august.known, Account::Doku)), (5_000, 50_000));
    assert_eq!(total(&august.known, Account::Suspense), -7_000);
    assert_eq!((august.aside.before_books.len(), august.aside.conflicting.len()), (1, 0));
}

#[test]
fn what_was_settled_long_ago_is_forgotten_and_facts_of_those_days_are_never_posted_again() {
    let mut business = Business { settings: BooksSettings { known_months: 2, ..BooksSettings::default() }, ..Business::default() };
    let bills = [bill("A", day(3, 3), 100_000), bill("open", day(3, 3), 20_000)];
    let paid = [pays("p", day(3, 5), 100_000, "A")];
    let rows = [row("r", "B1", day(3, 9), 100_000, settles("p"))];
    let all = facts(&bills, &paid, &rows);
    business.close(3, &all);
    for number in 4..=6 {
        business.close(number, &Facts::default());
    }
    assert_eq!((business.known.debts.len(), business.known.payments.len(), business.known.rows.len()), (1, 0, 0));
    let july = business.close(7, &all);
    assert!(july.pairs.is_empty(), "{:?}", july.pairs);
    assert_eq!(july.aside.too_old.len(), 3);
}

#[test]
fn an_entry_is_exported_once_taken_back_if_its_month_loses_it_and_comes_back_under_an_id_of_its_own() {
    let (_, months) = two_months();
    let august = &months[0].pairs;
    let both = BooksSettings { premium: Booked::Tagih, receipts: Booked::Tagih, ..BooksSettings::default() };
    let first = export(august, &[], &both);
    assert_eq!((first.entries.len(), first.withheld.len()), (august.len(), 0));
    let core = export(august, &[], &BooksSettings { receipts: Booked::Core, ..BooksSettings::default() });
    let touches = |account: Account| {
        core.entries.iter().any(|entry| [entry.pair.debit.account, entry.pair.credit.account] == [Account::Doku, account])
    };
    assert!(!touches(Account::Receivable) && !core.withheld.is_empty());
    // The month is opened again and loses its first pair.
    let mut journal = first.entries.clone();
    let without = export(&august[1..], &journal, &both);
    assert_eq!(without.entries.len(), 1);
    assert_eq!(without.entries[0].id, format!("{}-r", august[0].id()));
    assert_eq!((without.entries[0].pair.debit, without.entries[0].pair.credit), (august[0].credit, august[0].debit));
    journal.extend(without.entries);
    let back = export(august, &journal, &both);
    assert_eq!(back.entries.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>(), [format!("{}.2", august[0].id())]);
    journal.extend(back.entries);
    let gone = export(&august[1..], &journal, &both);
    assert_eq!(gone.entries[0].id, format!("{}.2-r", august[0].id()));
}

#[test]
fn entries_need_every_account_they_touch_and_debit_what_they_credit() {
    let (_, months) = two_months();
    let exported = export(&months[0].pairs, &[], &BooksSettings { premium: Booked::Tagih, ..BooksSettings::default() });
    let mut chart: BTreeMap<Account, String> = Account::ALL.map(|account| (account, format!("1-{}", account.name()))).into();
    let mut text = Vec::new();
    write_csv(&mut text, &exported.entries, &chart).unwrap();
    let (mut debits, mut credits) = (0_i64, 0_i64);
    for row in csv::Reader::from_reader(text.as_slice()).records() {
        let row = row.unwrap();
        (debits, credits) = (debits + row[6].parse::<i64>().unwrap(), credits + row[7].parse::<i64>().unwrap());
    }
    assert!(debits > 0 && debits == credits);
    chart.remove(&Account::Fees);
    assert!(write_csv(Vec::new(), &exported.entries, &chart).unwrap_err().to_string().contains("accounts.fees"));
}

/// `make books` installs hledger and sets `TAGIH_HLEDGER`.
#[test]
fn hledger_comes_to_every_balance_of_the_journal_by_itself() {
    let Some(program) = std::env::var_os("TAGIH_HLEDGER") else { return };
    let (_, months) = two_months();
    let folder = tempfile::tempdir().unwrap();
    for month in &months {
        let path = folder.path().join("month.journal");
        hledger::write_month(&mut std::fs::File::create(&path).unwrap(), month).unwrap();
        let run = |arguments: &[&str]| {
            let output = std::process::Command::new(&program).arg("-f").arg(&path).args(arguments).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["check"]);
        run(&["check", "commodities"]);
        let mut found = BTreeMap::new();
        for row in csv::Reader::from_reader(run(&["balance", "--flat", "--no-total", "-O", "csv"]).as_bytes()).records() {
            let row = row.unwrap();
            found.insert(row[0].to_owned(), row[1].replace(" IDR", "").parse::<i128>().unwrap());
        }
        let known = month.known.balances.iter();
        let closing: BTreeMap<String, i128> = known.map(|(leg, open)| (hledger::account_of(*leg), open.amount.get())).collect();
        assert_eq!(found, closing);
    }
}

#[test]
fn a_leg_is_read_back_and_one_that_holds_no_such_items_is_not() {
    for leg in [Leg::total(Account::Bank), debt("A"), on(Account::Suspense, "p")] {
        assert_eq!(Leg::try_from(String::from(leg)), Ok(leg));
    }
    for wrong in ["bank/payment:000000000000000000000000", "suspense", "nowhere", "doku/payment:0"] {
        assert!(Leg::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}
