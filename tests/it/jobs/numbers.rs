//! Bills that were issued anew: payments of the codes they had, numbers that stand for two, and what is said of both.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tagih::domain::bill::{Customer, Terms};
use tagih::domain::lifecycle::{CodeAnswer, Event, OperationKind};
use tagih::domain::personal::Personal;
use tagih::ledger::{Basis, Ledger as _, NewEvent, Private};

use crate::reconcile::ours::days;
use crate::support::bills;
use crate::support::message::{Envelope, Message};
use crate::support::world::{CLIENT, Doku, SECRET, World};

const FIRST_CODE: &str = "6059000000000011";

fn terms() -> Terms {
    Terms { customer: Customer { name: Personal::new("Budi"), email: None, account_name: None }, ..bills::terms(1_000) }
}

/// The row that asks for just that.
const ROW: &str = "A,1000,Budi,alfa,,,1440,,";

/// A world whose ledger has A: its first code expired, and it was issued anew as A-R1, with a code that the sandbox has too.
fn reissued(doku: &Doku) -> World {
    let elsewhere = World::of(doku);
    elsewhere.bills("bills.csv", &["A-R1,1000,Budi,alfa,,,1440,,"]);
    elsewhere.issue("bills.csv", &[]).expect(0);
    let live = doku.orders()["A-R1"].code.clone();
    let world = World::of(doku);
    let ledger = bills::ledger(&world.path("tagih.ledger"), CLIENT);
    let now = Timestamp::now();
    let hours_ago = |hours: i64| now - SignedDuration::from_hours(hours);
    let salt = tagih::domain::bill::Salt::new([5; 16]);
    let recorded = terms().recorded(&salt);
    let intended = |turn: &str, wire: &str| bills::intended(OperationKind::Issue, &recorded, wire, turn);
    let accepted = |code: &str, expires_at: Timestamp| bills::accepted(CodeAnswer { expires_at: Some(expires_at), ..bills::answer(code) });
    let events = [
        (90, Event::Planned { terms: recorded.clone() }),
        (90, intended("first", "A")),
        (90, accepted(FIRST_CODE, hours_ago(60))),
        (30, Event::Retired { reason: "expired".into() }),
        (2, intended("second", "A-R1")),
        (2, accepted(&live, now + SignedDuration::from_hours(20))),
    ];
    let entries = events.into_iter().map(|(hours, event)| {
        let body = match &event {
            Event::Intended { request_id, .. } => Some((*request_id, bills::BODY.to_vec())),
            _ => None,
        };
        let private = Private { body, customer: Some((terms().customer, salt)) };
        NewEvent { invoice_number: bills::invoice("A"), at: hours_ago(hours), event, basis: Basis::Any, private }
    });
    bills::wait(ledger.record(entries.collect())).unwrap();
    world
}

/// A notification's log line; `changed` may alter the message.
pub(crate) fn notified(invoice: &str, code: &str, amount_json: &str, changed: impl FnOnce(&mut Message)) -> String {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let paid_at = (now - SignedDuration::from_mins(3)).to_string();
    let message = Message::paid(invoice, code, 0, paid_at).by("ALFAMART", "S1", &format!("T-{invoice}-{code}"));
    let mut message = Message { amount_json: amount_json.into(), ..message };
    changed(&mut message);
    Envelope::of(&message, format!("req-{invoice}-{code}"), now.to_string()).line(SECRET) + "\n"
}

#[test]
fn a_payment_of_a_replaced_code_is_told_until_the_live_code_is_cancelled() {
    let doku = Doku::process();
    let world = reissued(&doku);
    world.bills("bills.csv", &[ROW]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.column("out/accepted.csv", "action"), ["unchanged"]);
    world.file("log.jsonl", notified("A", FIRST_CODE, "1000", |_| {}));
    world.run(&["ingest", "log.jsonl"]).expect(0);

    let told = ["invoice `A` is paid by an earlier code", "hint: `tagih cancel A`"];
    world.run(&["status"]).expect(1).says(&told);
    let status: Value = serde_json::from_str(&world.run(&["status", "--json"]).expect(1).stdout).unwrap();
    let listed = &status["attention"]["paid_by_earlier_code"];
    assert_eq!((&listed[0]["invoice_number"], &listed[0]["counter_takes_money"]), (&Value::from("A"), &Value::from(true)), "{status}");
    world.issue("bills.csv", &[]).expect(1).says(&told);
    assert_eq!(world.column("out/accepted.csv", "action"), ["paid_by_earlier_code"]);
    world.issue("bills.csv", &["--dry-run"]).expect(1);
    world.run(&["sync"]).expect(1).says(&told);

    world.run(&["cancel", "A", "--out", "out"]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders()["A-R1"].state.as_str()), ("1 cancelled", "cancelled"));
    world.issue("bills.csv", &[]).expect(0);
    let status: Value = serde_json::from_str(&world.run(&["status", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(status["attention"]["paid_by_earlier_code"], Value::Array(Vec::new()));
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn a_payment_of_the_live_code_of_a_re_issue_pays_the_bill_whatever_number_it_names() {
    for named in ["A", "A-R1", "SOMETHING-ELSE"] {
        let doku = Doku::process();
        let world = reissued(&doku);
        world.file("log.jsonl", notified(named, &doku.orders()["A-R1"].code, "1000", |_| {}));
        world.run(&["ingest", "log.jsonl"]).expect(0);
        world.run(&["cancel", "A", "--out", "out"]).expect(1);
        assert_eq!(world.column("out/rejected.csv", "code"), ["E0309"], "{named}");
        world.bills("bills.csv", &[ROW]);
        world.issue("bills.csv", &[]).expect(0);
        assert_eq!(world.buckets(), "1 unchanged");
    }
}

#[test]
fn a_bill_whose_number_is_anothers_re_issue_is_refused_before_anything_is_sent() {
    let doku = Doku::process();
    let world = reissued(&doku);
    let calls = doku.calls().len();
    world.bills("bills.csv", &["A-R1,5000,Siti,alfa,,,1440,,", "A-R2,5000,Tini,alfa,,,1440,,"]);
    let plan = |world: &World| format!("{:?}", world.issue("bills.csv", &["--dry-run"]));
    assert_eq!(plan(&world), plan(&world));
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!(world.buckets(), "1 issued, 1 refused");
    let refused = &world.rows("out/rejected.csv")[0];
    assert_eq!((refused["code"].as_str(), refused["invoice_number"].as_str()), ("E0313", "A-R1"));
    assert!(refused["reason"].contains("invoice `A`"), "{refused:?}");
    assert_eq!(doku.calls().len(), calls + 1, "only A-R2 was sent");
    world.file("codes.csv", "invoice_number,payment_code,channel,amount\nA-R1,998,alfa,1000\n");
    world.run(&["ledger", "import", "codes.csv"]).expect(1).says(&["codes.csv:2", "invoice `A`"]);
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn money_that_was_not_understood_holds_the_bill_it_names_until_a_person_has_looked() {
    type Spoil = fn(&mut Message);
    let cases: [(&str, &str, Spoil); 5] = [
        ("an amount with a separator", "\"1.000\"", |_| {}),
        ("an amount that is a fraction", "999.5", |_| {}),
        ("a date without a zone", "1000", |message| message.date = "2026-10-05T12:00:00".into()),
        ("a status nobody knows", "1000", |message| message.status = "PAID"),
        ("no number, but the code", "1000", |message| message.missing = Some("order.invoice_number")),
    ];
    for (what, amount, changed) in cases {
        let doku = Doku::process();
        let world = World::of(&doku);
        world.bills("bills.csv", &["A,1000,Budi,alfa,,,1440,,", "B,1000,Siti,alfa,,,1440,,"]);
        world.issue("bills.csv", &[]).expect(0);
        let line = notified("A", &doku.orders()["A"].code, amount, changed);
        world.file("log.jsonl", &line);
        world.run(&["ingest", "log.jsonl"]).expect(0).says(&["1 bills are held"]);
        world.run(&["ingest", "log.jsonl"]).expect(0);
        world.run(&["status"]).expect(0).says(&["invoice `A` is held", "the counter still takes money", "--as released"]);
        let calls = doku.calls().len();
        world.issue("bills.csv", &[]).expect(1);
        assert_eq!(world.column("out/accepted.csv", "action"), ["held", "unchanged"], "{what}");
        world.bills("changed.csv", &["A,2000,Budi,alfa,,,1440,,"]);
        world.issue("changed.csv", &[]).expect(1);
        assert_eq!(world.column("out/rejected.csv", "code"), ["E0314"], "{what}");
        world.run(&["cancel", "A", "--out", "out"]).expect(1);
        assert_eq!(world.column("out/rejected.csv", "code"), ["E0314"], "{what}");
        assert_eq!(doku.calls().len(), calls, "nothing was sent");
        world.run(&["resolve", "A", "--as", "released", "--reason", "booked by hand"]).expect(0);
        world.run(&["resolve", "A", "--as", "released", "--reason", "again"]).expect(2).says(&["not held"]);
        world.file("more.jsonl", format!("{line}{}", notified("B", "998", "1000", |message| message.status = "FAILED")));
        world.run(&["ingest", "more.jsonl"]).expect(0);
        world.issue("bills.csv", &[]).expect(0);
        assert_eq!(world.column("out/accepted.csv", "action"), ["unchanged", "unchanged"], "{what}");
        world.run(&["ledger", "verify"]).expect(0);
    }
}

#[test]
fn re_issued_bills_come_back_from_their_accepted_csv() {
    let doku = Doku::process();
    let world = reissued(&doku);
    world.bills("bills.csv", &[ROW]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.column("out/accepted.csv", "wire_invoice_number"), ["A-R1"]);
    let restored = World::of(&doku);
    std::fs::copy(world.path("out/accepted.csv"), restored.path("accepted.csv")).unwrap();
    restored.run(&["ledger", "import", "accepted.csv"]).expect(0);
    restored.bills("bills.csv", &["A,2000,Budi,alfa,,,1440,,"]);
    restored.issue("bills.csv", &[]).expect(0);
    assert_eq!(restored.buckets(), "1 amended", "DOKU was told the number it knows");
    assert_eq!(doku.orders()["A-R1"].amount, 2000);
    restored.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn no_number_is_given_out_in_production_by_a_ledger_that_knows_none() {
    let world = World::at("https://127.0.0.1:1", "[merchant_code]\ntemplate = \"8896{sequence}\"\nlength = 8\n");
    let run = |more: &[&str]| {
        let arguments = [&["issue", "bills.csv", "--out", "out", "--yes"], more].concat();
        world.run_with(&[("TAGIH_DOKU_ENVIRONMENT", "production"), ("TAGIH_DOKU_OTHER_HOST", "127.0.0.1:1")], &arguments)
    };
    world.bills("bills.csv", &["A,1000,Budi,alfa,inquiry,,1440,,"]);
    for dry_run in [&["--new-ledger", "--dry-run"][..], &["--new-ledger"]] {
        run(dry_run).expect(2).says(&["knows no code that begins with `8896`", "--sequence-from"]);
    }
    run(&["--new-ledger", "--sequence-from", "40"]).expect(0).says(&["numbered from 40 on", "known that begins with `8896`: none"]);
    assert_eq!(world.column("out/accepted.csv", "payment_code"), ["88960040"]);
    world.bills("bills.csv", &["A,1000,Budi,alfa,inquiry,,1440,,", "B,1000,Siti,alfa,inquiry,,1440,,"]);
    run(&[]).expect(0);
    assert_eq!(world.column("out/accepted.csv", "payment_code"), ["88960040", "88960041"]);
}

#[test]
fn a_payment_that_is_told_of_in_several_ways_is_one() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,1440,,"]);
    world.issue("bills.csv", &[]).expect(0);
    let code = doku.orders()["A"].code.clone();
    let date = (Timestamp::from_second(Timestamp::now().as_second()).unwrap() - SignedDuration::from_mins(5)).to_string();
    let agent = |chain: &str, store: &str, number: &str| Some((chain.to_owned(), store.to_owned(), number.to_owned()));
    let told = |agent: Option<(String, String, String)>, date: &str| {
        notified("A", &code, "1000", |message| {
            message.agent = agent;
            message.date = date.to_owned();
        })
    };
    let fraction = date.replace('Z', ".75Z");
    let variants = [
        told(agent("Alfamart", "s1", "t1"), &date),
        told(agent(" ALFAMART", "S1 ", "T1"), &fraction),
        told(agent("ALFAMART", "S1", ""), &date),
        told(None, &fraction),
    ];
    for first in &variants {
        let world = World::of(&doku);
        world.file("codes.csv", format!("invoice_number,payment_code,channel,amount\nA,{code},alfa,1000\n"));
        world.run(&["ledger", "import", "codes.csv"]).expect(0);
        world.file("first.jsonl", first);
        let ran = world.run(&["ingest", "first.jsonl"]).expect(0);
        assert!(ran.stdout.contains("1 new payments, 0 known"), "{}", ran.stdout);
        world.file("log.jsonl", format!("{}{}", told(agent("ALFAMART", "S1", "T1"), &date), variants.concat()));
        let ran = world.run(&["ingest", "log.jsonl"]).expect(0);
        assert!(ran.stdout.contains("0 new payments, 1 known"), "{first}: {}", ran.stdout);
        let [from, to] = days();
        let reconcile = ["reconcile", "--from", &from, "--to", &to, "--notifications", "log.jsonl", "--out", "report", "--json"];
        let summary: Value = serde_json::from_str(&world.run(&reconcile).stdout).unwrap();
        let counts = ["P00", "P06"].map(|class| summary["payments"][class]["count"].as_u64().unwrap());
        assert_eq!(counts, [1, 0], "no second payment: {first}");
        // Whether or not the first message had a number: once one has joined it, another number is another payment.
        world.file("two.jsonl", told(agent("ALFAMART", "S1", "T2"), &date));
        let ran = world.run(&["ingest", "two.jsonl"]).expect(0);
        assert!(ran.stdout.contains("1 new payments"), "two numbers of a store are two payments: {first}: {}", ran.stdout);
        let ran = world.run(&["ingest", "log.jsonl", "two.jsonl", "first.jsonl"]).expect(0);
        assert!(ran.stdout.contains("0 new payments, 2 known"), "{first}: {}", ran.stdout);
        world.run(&["ledger", "verify"]).expect(0);
    }
}
