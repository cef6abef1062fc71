//! Who makes the code: DOKU, we (registered there), or we alone (direct inquiry); and codes that tagih makes by itself.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use tagih::sandbox::fault::{FaultKind, Faults};

use crate::jobs::months::lost_answers;
use crate::reconcile::ours::{line, reconciled};
use crate::support::world::{Doku, World};

/// Bills whose codes are made of a customer's number.
const BY_CUSTOMER: &str = "invoice_number,amount,customer_name,channel,method,customer_number,action";
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";
/// Codes of 16 digits.
const TEMPLATE: &str = "[intake]\nmerchant_bin = \"889650\"\n[merchant_code]\ntemplate = \"{bin}{customer_number}\"\n";

/// Numbers that are given out, in codes of `length` digits.
fn sequence(length: usize) -> String {
    format!("[intake]\nmerchant_bin = \"889650\"\n[merchant_code]\ntemplate = \"{{bin}}{{sequence}}\"\nlength = {length}\n")
}

fn codes(world: &World) -> BTreeMap<String, String> {
    world.rows("out/accepted.csv").into_iter().map(|row| (row["invoice_number"].clone(), row["payment_code"].clone())).collect()
}

#[test]
fn inquiry_codes_live_and_die_in_the_ledger_without_key_or_network() {
    let world = World::at(NOWHERE, "");
    fs::remove_file(world.path("secret")).unwrap();
    let rows = ["A,1000,Budi,alfa,inquiry,8896500000000001,,,", "B,2000,Siti,alfa,inquiry,00012,90,,", "C,3000,Tini,alfa,inquiry,13,,,"];
    world.bills("bills.csv", &rows);
    let plan = world.run(&["issue", "bills.csv", "--dry-run"]).expect(0).stdout;
    assert!(plan.contains("issue") && plan.contains("Rp6.000") && plan.contains("3 rows, 0 calls"), "{plan}");
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "3 issued");
    assert_eq!(world.column("out/accepted.csv", "payment_code"), ["8896500000000001", "00012", "13"]);
    assert_eq!(world.column("out/accepted.csv", "action"), ["issued"; 3]);
    assert!(world.column("out/accepted.csv", "expires_at").iter().all(|at| at.ends_with('Z')));
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "3 unchanged");

    // Whatever a counter shows can change, also what DOKU takes at issue only; the code itself cannot.
    let wide = "invoice_number,amount,customer_name,channel,method,payment_code,action,receipt_footer,policy_number,info,settlement";
    let long_name = "N".repeat(64);
    let changed = [
        format!("A,1500,{long_name},alfa,inquiry,8896500000000001,,Call 021,9090,Premi,SBA-1:10:PERCENTAGE"),
        "B,,,,,,cancel,,,,".into(),
        "C,3000,Tini,alfa,inquiry,14,,,,,".into(),
    ];
    world.file("bills.csv", format!("{wide}\n{}\n", changed.join("\n")));
    let plan = world.run(&["issue", "bills.csv", "--dry-run"]).expect(1).stdout;
    assert!(plan.contains("amend") && plan.contains("cancel") && plan.contains("3 rows, 0 calls"), "{plan}");
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!(world.buckets(), "1 amended, 1 cancelled, 1 refused");
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0301"]);
    assert_eq!(world.column("out/accepted.csv", "amount"), ["1500", "3000"], "and the refused row's code stays as it was");
    assert_eq!(world.statuses(), [("active".to_owned(), 2), ("cancelled".to_owned(), 1)].into());

    world.run(&["cancel", "C", "--out", "out"]).expect(0);
    assert_eq!(world.buckets(), "1 cancelled");
    let why = crate::reconcile::why::unwrapped(&world.run(&["why", "A"]).expect(0).stdout);
    assert!(why.contains("registered here: code 8896500000000001, Rp1.000, payable until"), "{why}");
    assert!(why.contains("changed here: code 8896500000000001, Rp1.500"), "{why}");
    assert!(world.run(&["why", "B"]).expect(0).stdout.contains("cancelled here: code 00012"));
    let exported = world.run(&["ledger", "export"]).expect(0).stdout;
    assert_eq!(exported.matches(r#""event":"registered""#).count(), 6, "{exported}");
    assert!(!exported.contains("Budi") && !exported.contains(&long_name));
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn one_row_that_doku_must_hear_of_wants_the_key() {
    let world = World::at(NOWHERE, "");
    fs::remove_file(world.path("secret")).unwrap();
    world.bills("bills.csv", &["A,1000,Budi,alfa,inquiry,11,,,", "B,1000,Budi,alfa,merchant,12,,,"]);
    world.issue("bills.csv", &[]).expect(2).says(&["secret"]);
    assert!(!world.path("tagih.ledger").exists(), "nothing was begun");
}

#[test]
fn an_inquiry_code_is_given_to_another_invoice_only_when_its_own_has_given_it_up() {
    let world = World::at(NOWHERE, "");
    world.bills("bills.csv", &["SEP,1000,Budi,alfa,inquiry,77,,,", "PAID,1000,Siti,alfa,inquiry,78,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    world.bills("bills.csv", &["OCT,1200,Budi,alfa,inquiry,77,,,"]);
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0305"]);
    world.bills("bills.csv", &["OCT,1200,Budi,alfa,inquiry,77,,,", "SEP,,,,,,,cancel,"]);
    fs::remove_file(world.path("secret")).unwrap();
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "1 cancelled, 1 issued");

    // A payment ends it too: nothing is changed or cancelled any more, and the next bill may have the code.
    world.file("secret", crate::support::world::SECRET);
    fs::set_permissions(world.path("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let now = tagih::domain::calendar::format_utc_seconds(Timestamp::now());
    world.file("log.jsonl", format!("{}\n", line("PAID", "78", 1000, &now, "T1")));
    let ran = world.run(&["ingest", "log.jsonl"]).expect(0);
    assert!(ran.stdout.contains("1 new payments"), "{}", ran.stdout);
    let met = reconciled(&world, "log.jsonl", 0);
    assert_eq!(met, ["N00", "P00", "L00 L01 L03"], "a bill like any other");
    fs::remove_file(world.path("secret")).unwrap();
    world.bills("bills.csv", &["PAID,9000,Siti,alfa,inquiry,78,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), world.column("out/accepted.csv", "action")), ("1 unchanged", vec!["paid".to_owned()]));
    world.run(&["cancel", "PAID", "--out", "out"]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0309"]);
    world.bills("bills.csv", &["NEXT,9000,Siti,alfa,inquiry,78,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), codes(&world)["NEXT"].as_str()), ("1 issued", "78"));
    world.bills("bills.csv", &["PAID,9000,Siti,alfa,inquiry,78,,,"]);
    world.issue("bills.csv", &["--reissue-expired"]).expect(0);
    assert_eq!(world.buckets(), "1 unchanged", "what was paid is never asked for again");
}

#[test]
fn an_adopted_inquiry_code_is_completed_by_its_first_row() {
    let world = World::at(NOWHERE, "");
    fs::remove_file(world.path("secret")).unwrap();
    world.file(
        "codes.csv",
        "invoice_number,payment_code,channel,amount,method\nOLD,0099,alfa,1000,inquiry\nBAD,0098,indomaret,1000,inquiry\n",
    );
    world.run(&["ledger", "import", "codes.csv"]).expect(1).says(&["codes.csv:3:method", "E0122"]);
    world.bills("bills.csv", &["OLD,1000,Budi,alfa,inquiry,0099,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "1 amended");
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), codes(&world)["OLD"].as_str()), ("1 unchanged", "0099"));
}

#[test]
fn numbers_are_given_out_once_and_the_same_rows_keep_theirs() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), &sequence(7));
    world.bills("bills.csv", &["B,1000,Budi,alfa,merchant,,,,", "A,1000,Siti,alfa,inquiry,,,,", "C,1000,Tini,alfa,merchant,8896505,,,"]);
    let plan = world.run(&["issue", "bills.csv", "--dry-run"]).expect(0).stdout;
    assert!(plan.contains("3 rows, 2 calls"), "{plan}");
    world.issue("bills.csv", &[]).expect(0);
    let first = codes(&world);
    assert_eq!(first, [("A", "8896506"), ("B", "8896507"), ("C", "8896505")].map(|(a, b)| (a.to_owned(), b.to_owned())).into());
    assert_eq!(doku.invoices(), ["B", "C"], "DOKU is never told of an inquiry code");
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), codes(&world), doku.calls().len()), ("3 unchanged", first, 2));

    // Nine numbers in all, of which three are taken: the gaps are filled, then rows are refused.
    let rows: Vec<String> = (1..=7).map(|n| format!("N{n},1000,Budi,alfa,merchant,,,,")).collect();
    world.bills("more.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    world.issue("more.csv", &[]).expect(1);
    assert_eq!(world.buckets(), "6 issued, 1 refused");
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0312"]);
    assert_eq!(
        (world.column("out/rejected.csv", "column"), world.column("out/rejected.csv", "row")),
        (vec!["payment_code".into()], vec!["8".into()])
    );
    let made: Vec<String> = doku.orders().into_values().map(|order| order.code).collect();
    let mut unique = made.clone();
    unique.sort();
    unique.dedup();
    assert_eq!((made.len(), unique.len()), (8, 8), "no code twice");
}

#[test]
fn a_run_stopped_by_lost_answers_goes_on_with_the_numbers_it_had_chosen() {
    let (doku, world) = lost_answers();
    world.reconfigure("[doku]\n", &format!("{}[doku]\n", sequence(16)));
    world.bills("bills.csv", &["A,1000,Budi,alfa,merchant,,,,", "B,1000,Siti,alfa,merchant,,,,"]);
    world.issue("bills.csv", &[]).expect(3);
    let made = |doku: &Doku| doku.orders().into_iter().map(|(invoice, order)| (invoice, order.code)).collect::<BTreeMap<_, _>>();
    let before = made(&doku);
    doku.set_faults(Faults::none());
    world.bills("bills.csv", &["AA,1000,Tini,alfa,merchant,,,,", "B,1000,Siti,alfa,merchant,,,,", "A,1000,Budi,alfa,merchant,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    let after = made(&doku);
    assert_eq!((before.len(), after.len(), codes(&world)), (2, 3, after.clone()));
    assert!(before.iter().all(|(invoice, code)| after[invoice] == *code), "{before:?} {after:?}");
}

#[test]
fn a_customers_fixed_code_serves_month_after_month_and_is_never_live_twice() {
    let doku = Doku::here(Faults::none());
    let world = World::at(&doku.base_url(), TEMPLATE);
    world.reconfigure("[retry]\n", "[retry]\nattempts_max = 2\n");
    let is_paid = std::cell::Cell::new(false);
    let month = |rows: &[&str]| world.file("bills.csv", format!("{BY_CUSTOMER}\n{}\n", rows.join("\n")));
    // An order that was paid stays as it is at DOKU; nobody can pay it again.
    let live = || {
        let orders = doku
            .orders()
            .into_iter()
            .filter(|(invoice, order)| order.state == "live" && order.code.ends_with("42") && !(invoice == "OCT" && is_paid.get()));
        orders.map(|(invoice, _)| invoice).collect::<Vec<_>>()
    };
    month(&["SEP,1000,Budi,alfa,merchant,42,", "SEP-9,1000,Siti,alfa,inquiry,9,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((codes(&world)["SEP-9"].as_str(), live()), ("8896500000000009", vec!["SEP".to_owned()]));

    month(&["OCT,1200,Budi,alfa,merchant,42,", "SEP,,,,,,cancel"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), live()), ("1 cancelled, 1 issued", vec!["OCT".to_owned()]));
    let now = tagih::domain::calendar::format_utc_seconds(Timestamp::now());
    doku.pay("OCT", "");
    is_paid.set(true);
    world.file("log.jsonl", format!("{}\n", line("OCT", "8896500000000042", 1200, &now, "T1")));
    world.run(&["ingest", "log.jsonl"]).expect(0);

    // Paid, so it need not be cancelled; DOKU is asked before the code goes on.
    month(&["NOV,1300,Budi,alfa,merchant,42,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), live()), ("1 issued", vec!["NOV".to_owned()]));

    // Nobody knows whether the cancellation was done: the next bill waits, however often it is asked for.
    doku.set_faults(Faults { consecutive_max: u32::MAX, ..Faults::only(FaultKind::ResetBefore) });
    month(&["DEC,1400,Budi,alfa,merchant,42,", "NOV,,,,,,cancel"]);
    for _ in 0..2 {
        world.issue("bills.csv", &[]).expect(3);
        assert_eq!((world.buckets().as_str(), live()), ("1 deferred, 1 in_doubt", vec!["NOV".to_owned()]));
        assert!(!doku.orders().contains_key("DEC"));
    }
    doku.set_faults(Faults::none());
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), live()), ("1 cancelled, 1 issued", vec!["DEC".to_owned()]));
    let codes: Vec<String> = doku.orders().into_values().map(|order| order.code).collect();
    assert_eq!(codes, ["8896500000000042"; 4]);
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn indomaret_codes_are_neither_changed_nor_cancelled_and_no_undocumented_call_is_made() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,1000,Budi,indomaret,,,,,Premi", "B,1000,Siti,indomaret,,,,,Premi"]);
    world.issue("bills.csv", &[]).expect(0);
    world.bills("bills.csv", &["A,2000,Budi,indomaret,,,,,Premi", "B,,,,,,,cancel,"]);
    let plan = world.run(&["issue", "bills.csv", "--dry-run"]).expect(1).stdout;
    assert!(plan.contains("2 rows, 0 calls"), "{plan}");
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0303", "E0303"]);
    assert_eq!(world.column("out/rejected.csv", "row"), ["2", "3"]);
    world.run(&["cancel", "A", "--out", "out"]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0303"]);
    let explained = world.run(&["explain", "E0303"]).expect(0).stdout;
    assert!(explained.contains("let the code expire") && explained.contains("new invoice number"), "{explained}");
    assert!(doku.calls().iter().all(|call| call["method"] == "POST"), "{:?}", doku.calls());
    assert!(doku.orders().values().all(|order| (order.state.as_str(), order.amount) == ("live", 1000)));
}
