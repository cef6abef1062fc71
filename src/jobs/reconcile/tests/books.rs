//! What a reconciliation found, posted: the books of a month in which every class occurs.

use super::*;
use crate::books::identities::{KnownBefore, MonthInputs, PostingIdentity, holding};
use crate::books::pair::Leg;
use crate::books::take_on::begin;
use crate::books::{self, Account, BooksSettings, Brief, Facts, ItemId, Known, Part, PostedMonth};
use crate::domain::channel::PerChannel;
use crate::domain::settlement::{ChannelTerms, NamedChannel, SettlementTerms};
use crate::reconcile::facts_by_part::FactsByPart;

fn days(month: i8) -> books::PostingPeriod {
    books::PostingPeriod { from: date(2026, month, 1), to: date(2026, month, 1).last_of_month() }
}

/// Posts a month; every identity must hold.
fn posted(before: &Known, facts: &Facts, number: i8) -> PostedMonth {
    let settings = BooksSettings::default();
    let month = books::post(before.clone(), facts, &[], &settings, days(number)).unwrap();
    let made = MonthInputs { before: &KnownBefore::of(before), facts, decisions: &[], settings: &settings };
    let all = holding(&month, &made);
    let broken: Vec<PostingIdentity> = all.into_iter().filter(|one| !one.holds()).collect();
    assert!(broken.is_empty(), "{broken:?}");
    month
}

/// What a run tells the books.
fn told(options: &ReconcileOptions) -> Facts {
    let (outcome, terms) = (run(options).unwrap().outcome, options.terms().unwrap());
    let (found, parts) = FactsByPart::of(&outcome, &terms, &Brief::default(), &[], &[]);
    let mut facts = Facts::default();
    parts.apart().chain([Part::Together]).for_each(|part| facts.extend(found.facts(part)));
    facts
}

fn total(month: &PostedMonth, account: Account) -> i128 {
    month.known.totals().at(account).get()
}

#[test]
fn the_books_of_a_month_hold_what_its_classes_say_and_the_next_month_goes_on_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, lines) = world();
    let mut options = options(folder.path(), &[("a.jsonl", text(&lines))], &bills);
    let found = told(&options);
    let eve = begin(&found.bills, &[], &[], &BooksSettings::default(), date(2026, 10, 1)).unwrap();
    assert_eq!(total(&eve, Account::Receivable), 150_000, "what had expired before and was not paid");
    let october = posted(&eve.known, &found, 10);
    let debt = |invoice: &str| october.known.balance(Leg::of(Account::Receivable, ItemId::debt_of(invoice))).get();
    for (invoice, owed) in [
        ("I-OK", 0),
        ("I-MARK", 0),
        ("I-UNDER", 1_000),
        ("I-TWICE", 0),
        ("I-CANCELLED", 0),
        ("I-LATE", 150_000),
        ("I-EXPIRED", 150_000),
        ("I-OPEN", 150_000),
        ("I-NONE", 150_000),
        ("I-AMENDED", 30_000),
        ("I-CHANNEL", 0),
        ("I-EARLY", 0),
        ("I-OVER", 0),
        ("I-MANY", 0),
        ("I-SAME-A", 150_000),
        ("I-SAME-B", 150_000),
        ("I-SEPTEMBER", 0),
        ("I-AGED", 150_000),
        ("I-GONE", 150_000),
    ] {
        assert_eq!(debt(invoice), owed, "{invoice}");
    }
    assert_eq!(october.known.balance(Leg::of(Account::Receivable, ItemId::group("debt"))).get(), 0);
    assert_eq!(total(&october, Account::Receivable), 1_231_000);
    assert_eq!(total(&october, Account::Unproven), 150_000);
    // Twice, cancelled, late, the group's second, the shared code, the mixed ids, September's; over by 500, the stranger, the conflict.
    assert_eq!(total(&october, Account::Suspense), -(7 * 150_000 + 500 + 77_000 + 5_000));
    (options.from, options.to) = (date(2026, 11, 1), date(2026, 11, 30));
    let november = posted(&october.known, &told(&options), 11);
    assert_eq!(total(&november, Account::Receivable), 1_081_000, "the open bill was paid on the first");
    assert_eq!(november.pairs.len(), 1, "{:?}", november.pairs);
    // October's evidence given to November's books for the first time: the same end, on November's first day.
    let late = posted(&eve.known, &told(&options), 11);
    assert_eq!(late.known.balances.keys().collect::<Vec<_>>(), november.known.balances.keys().collect::<Vec<_>>());
    assert!(Account::ALL.into_iter().all(|account| total(&late, account) == total(&november, account)));
    assert!(late.pairs.iter().all(|pair| pair.day >= date(2026, 11, 1)));
}

#[test]
fn a_settlement_file_moves_what_was_notified_to_the_bank_and_the_bank_ties() {
    let folder = tempfile::tempdir().unwrap();
    let (bills, lines) = world();
    let mut options = options(folder.path(), &[("a.jsonl", text(&lines))], &bills);
    let file = folder.path().join("settlement.csv");
    let head = "NO,PAYMENT CHANNEL NAME,TRANSACTION DATE,PAY OUT DATE,INVOICE NUMBER,REPORT CODE,RECON CODE,TRANSACTION TYPE,AMOUNT,FEE,DISCOUNT,PAY TO MERCHANT,SUB ACCOUNT";
    let rows = [
        "1,Alfa,05-10-2026,07-10-2026,I-OK,,,Purchase,150000,5550,0,144450,",
        "2,Alfa,05-10-2026,07-10-2026,I-OVER,,,Purchase,150000,5550,0,144450,",
        "3,Virtual Account,05-10-2026,07-10-2026,V-1,,,Purchase,80000,4000,0,76000,",
        "4,Alfa,05-10-2026,07-10-2026,I-NOBODY,,,Purchase,40000,5550,0,34450,",
        "5,Alfa,05-10-2026,,I-MANY,,,Purchase,150000,5550,0,144450,",
    ];
    let totals = "Total Settlement Amount_,399450\nBatch ID_,B-1\n\n";
    std::fs::write(&file, format!("{totals}{head}\n{}\n", rows.join("\n"))).unwrap();
    let terms = ChannelTerms { is_settled: true, working_days: 4, fee: None };
    let named = |name: &str, channel| (name.to_owned(), channel);
    options.settlement = Some(SettlementFiles {
        files: vec![file],
        terms: SettlementTerms {
            channels: [
                named("alfa", NamedChannel::Ours(crate::domain::channel::Channel::Alfa)),
                named("virtual account", NamedChannel::Other),
            ]
            .into(),
            terms: PerChannel::from_fn(|_| terms),
            working_days: crate::domain::calendar::WorkingDays::default(),
            notification_grace_hours: 24,
            shares: std::collections::BTreeMap::new(),
            third_parties: std::collections::BTreeSet::new(),
        },
    });
    let found = told(&options);
    let october = posted(&Known::default(), &found, 10);
    assert_eq!(total(&october, Account::Bank), 399_350, "the column: a row of the batch is not paid out yet");
    assert_eq!(total(&october, Account::Clearing), 0);
    assert_eq!(total(&october, Account::Fees), 3 * 5_550);
    assert_eq!(total(&october, Account::OtherProducts), -76_000);
    // The over-paid one was settled at 150,000 of 150,500.
    let payments = found.payments.iter().filter(|payment| payment.amount.get() == 150_500);
    let over: Vec<i128> = payments.map(|payment| october.known.balance(Leg::of(Account::Doku, payment.id)).get()).collect();
    assert_eq!(over, [500]);
}
