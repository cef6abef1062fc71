//! What a billing engineer does with the program from month to month, seen from DOKU's books.

use tagih::sandbox::fault::{FaultKind, Faults};

use crate::support::world::{Doku, World, bytes_in};

/// DOKU does what it is asked and its answers are lost, too few times to open the breaker.
pub(crate) fn lost_answers() -> (Doku, World) {
    let doku = Doku::here(Faults { consecutive_max: u32::MAX, ..Faults::only(FaultKind::ResetAfter) });
    let world = World::of(&doku);
    world.reconfigure("[retry]\n", "[retry]\nattempts_max = 2\n");
    (doku, world)
}

#[test]
fn a_dry_run_sends_nothing_and_writes_nothing() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,", "B,2000,Siti,alfa,,,,,", "B,2000,Siti,alfa,,,,,"]);
    let before = bytes_in(&world.path(""));
    let ran = world.run(&["issue", "bills.csv", "--dry-run"]).expect(0);
    assert!(ran.stdout.contains("issue") && ran.stdout.contains("Rp3.000"), "{}", ran.stdout);
    assert!(ran.stdout.contains("3 rows, 2 calls") && ran.stdout.contains("nothing was sent"), "{}", ran.stdout);
    assert_eq!((bytes_in(&world.path("")), doku.calls().len()), (before, 0), "no ledger is made");

    world.issue("bills.csv", &[]).expect(0);
    world.bills("bills.csv", &["A,1500,Budi,alfa,,,,,", "B,,,,,,,cancel,", "C,7,Tini,alfa,,,,,", "D,0,Tini,alfa,,,,,"]);
    let (before, calls) = (bytes_in(&world.path("")), doku.calls().len());
    let ran = world.run(&["issue", "bills.csv", "--dry-run", "--json"]).expect(1).says(&["bills.csv:5:amount"]);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let count = |step: &str| plan["steps"][step]["count"].as_u64();
    assert_eq!([count("amend"), count("cancel"), count("issue"), count("refuse")], [Some(1); 4], "{plan}");
    assert_eq!((plan["calls"].as_u64(), plan["steps"]["issue"]["amount"].as_u64()), (Some(3), Some(7)), "{plan}");
    let mut after = bytes_in(&world.path(""));
    // SQLite's own index of the log is made anew by every reader.
    after.retain(|name, content| before.contains_key(name) || !(name.ends_with("-shm") || content.is_empty()));
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert_eq!((after["tagih.ledger"].clone(), doku.calls().len()), (before["tagih.ledger"].clone(), calls));
}

#[test]
fn a_changed_amount_amends_the_code_and_keeps_it() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,", "B,1000,Siti,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    let code = doku.orders()["A"].code.clone();
    world.bills("bills.csv", &["A,2500,Budi,alfa,,,,,", "B,1000,Siti,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "1 amended, 1 unchanged");
    assert_eq!((doku.orders()["A"].amount, doku.orders()["A"].code.clone()), (2500, code.clone()));
    let row = &world.rows("out/accepted.csv")[0];
    assert_eq!([&row["payment_code"], &row["amount"], &row["action"]], [&code, "2500", "amended"]);
    assert_eq!(doku.calls().last().unwrap()["method"], "PATCH");
}

#[test]
fn a_change_doku_does_not_take_is_refused_with_its_reason_and_nothing_is_sent() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), "[intake.defaults]\nchannel = \"alfa\"\n");
    let head = "invoice_number,amount,customer_name,channel,receipt_footer,receipt_description,policy_status,bill_group,action\n";
    let write = |rows: &[&str]| world.file("bills.csv", format!("{head}{}\n", rows.join("\n")));
    let long = "x".repeat(41);
    write(&[
        "FOOT,1000,Budi,alfa,Terima kasih,,,,",
        "POLICY,1000,Budi,alfa,,,aktif,,",
        "CHANNEL,1000,Budi,alfa,,,,,",
        "INDO,1000,Budi,indomaret,,Premi,,,",
        "INDO-C,1000,Budi,indomaret,,Premi,,,",
        &format!("LONG,1000,{long},alfa,,,,,"),
        "GROUP,1000,Budi,alfa,,,,,",
    ]);
    world.issue("bills.csv", &[]).expect(0);
    let calls = doku.calls().len();
    write(&[
        "FOOT,1000,Budi,alfa,Sampai jumpa,,,,",
        "POLICY,1000,Budi,alfa,,,lapse,,",
        "CHANNEL,1000,Budi,indomaret,,Premi,,,",
        "INDO,2000,Budi,indomaret,,Premi,,,",
        "INDO-C,,,,,,,,cancel",
        &format!("LONG,2000,{long},alfa,,,,,"),
        "GROUP,1000,Budi,alfa,,,,keluarga-7,",
    ]);
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!(world.buckets(), "6 refused, 1 unchanged");
    let refused: Vec<[String; 3]> = world
        .rows("out/rejected.csv")
        .into_iter()
        .map(|row| ["invoice_number", "column", "code"].map(|column| row[column].clone()))
        .collect();
    let wanted = [
        ["FOOT", "receipt_footer", "E0301"],
        ["POLICY", "policy_status", "E0301"],
        ["CHANNEL", "channel", "E0302"],
        ["INDO", "amount", "E0303"],
        ["INDO-C", "action", "E0303"],
        ["LONG", "customer_name", "E0304"],
    ];
    assert_eq!(refused, wanted.map(|row| row.map(str::to_owned)));
    assert!(world.column("out/rejected.csv", "reason").iter().all(|reason| !reason.is_empty()));
    assert_eq!(doku.calls().len(), calls, "nothing was sent");
    assert_eq!(world.rows("out/accepted.csv").len(), 7, "the codes stay live, and the person is told so");
}

#[test]
fn codes_are_cancelled_by_row_by_file_and_by_invoice_number_once() {
    let doku = Doku::process();
    let world = World::of(&doku);
    let bills = ["A,1000,Budi,alfa,,,,,", "B,1000,Budi,alfa,,,,,", "C,1000,Budi,alfa,,,,,", "D,1000,Budi,alfa,,,,,"];
    world.bills("bills.csv", &bills);
    world.issue("bills.csv", &[]).expect(0);
    world.bills("row.csv", &["A,,,,,,,cancel,"]);
    world.issue("row.csv", &[]).expect(0);
    world.file("file.csv", "invoice_number\nB\nB\n");
    world.run(&["cancel", "file.csv", "--out", "out"]).expect(0);
    assert_eq!(world.buckets(), "1 cancelled, 1 duplicate");
    world.run(&["cancel", "C", "--out", "out"]).expect(0);
    assert_eq!(world.buckets(), "1 cancelled");
    let states: Vec<String> = doku.orders().into_values().map(|order| order.state).collect();
    assert_eq!(states, ["cancelled", "cancelled", "cancelled", "live"]);

    let calls = doku.calls().len();
    world.run(&["cancel", "A", "B", "C", "--out", "out"]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.calls().len()), ("3 unchanged", calls), "I21");
    world.run(&["cancel", "NEVER", "--out", "out"]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0308"]);
    // The old file again: what was cancelled stays so; other terms for it are refused.
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,", "B,9999,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!((world.buckets().as_str(), doku.calls().len()), ("1 refused, 1 unchanged", calls));
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0307"]);
}

#[test]
fn a_merchant_code_moves_from_a_cancelled_invoice_to_a_new_one_in_one_file() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills("bills.csv", &["SEP,1000,Budi,alfa,merchant,8896500000000007,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    // Without the cancellation it is refused and nothing is sent: one code is never live for two invoices (I11).
    world.bills("bills.csv", &["OCT,1200,Budi,alfa,merchant,8896500000000007,,,"]);
    world.issue("bills.csv", &[]).expect(1);
    assert_eq!(world.column("out/rejected.csv", "code"), ["E0305"]);
    assert_eq!(doku.calls().len(), 1);
    // The new bill stands before the cancellation it waits for.
    world.bills("bills.csv", &["OCT,1200,Budi,alfa,merchant,8896500000000007,,,", "SEP,,,,,,,cancel,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!(world.buckets(), "1 cancelled, 1 issued");
    let orders = doku.orders();
    assert_eq!([&orders["OCT"].state, &orders["SEP"].state], ["live", "cancelled"]);
    assert_eq!(orders["OCT"].code, "8896500000000007");
}

#[test]
fn rows_in_doubt_are_settled_by_sync_and_by_the_same_command() {
    for settle in [&["sync"][..], &["issue", "bills.csv", "--out", "out"]] {
        let (doku, world) = lost_answers();
        world.many("bills.csv", "Q", 3);
        world.issue("bills.csv", &[]).expect(3);
        assert_eq!((world.buckets().as_str(), doku.orders().len()), ("3 in_doubt", 3));
        world.run(&["sync"]).expect(3);
        doku.set_faults(Faults::none());
        let ran = world.run(settle).expect(0);
        if settle == ["sync"] {
            assert!(ran.stdout.contains("3 open operations: 3 settled, 0 still in doubt"), "{}", ran.stdout);
        }
        world.issue("bills.csv", &[]).expect(0);
        let codes: Vec<String> = doku.orders().into_values().map(|order| order.code).collect();
        assert_eq!(world.column("out/accepted.csv", "payment_code"), codes, "I7");
        assert_eq!(codes.len(), 3, "one code each");
    }
}

#[test]
fn a_changed_row_in_doubt_is_settled_first_and_amended_afterwards() {
    let (doku, world) = lost_answers();
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(3);
    doku.set_faults(Faults::none());
    world.bills("bills.csv", &["A,7000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders()["A"].amount, doku.orders().len()), ("1 amended", 7000, 1));
}

#[test]
fn a_person_ends_a_doubt_with_a_reason_that_stays_in_the_record() {
    let (doku, world) = lost_answers();
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,", "B,1000,Siti,alfa,,,,,", "C,1000,Tini,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(3);
    let code = doku.orders()["A"].code.clone();
    let resolve = |more: &[&str]| world.run(&[&["resolve"], more].concat());
    resolve(&["A", "--as", "done"]).expect(2).says(&["--reason"]);
    resolve(&["A", "--as", "done", "--reason", " "]).expect(2).says(&["`--reason` must say why"]);
    resolve(&["A", "--as", "done", "--reason", "seen"]).expect(2).says(&["--payment-code", "Back Office"]);
    resolve(&["A", "--as", "done", "--reason", "seen", "--payment-code", "12x"]).expect(2).says(&["12x"]);
    resolve(&["Z", "--as", "done", "--reason", "seen"]).expect(2).says(&["holds no invoice `Z`"]);
    let ran = resolve(&["A", "--as", "done", "--payment-code", &code, "--reason", "seen in the Back Office"]).expect(0);
    assert!(ran.stdout.contains("A is now active"), "{}", ran.stdout);
    resolve(&["B", "--as", "not-done", "--reason", "DOKU support, ticket 17"]).expect(0);
    resolve(&["C", "--as", "dead", "--reason", "disabled by DOKU"]).expect(0);
    resolve(&["A", "--as", "done", "--reason", "again"]).expect(2).says(&["not in doubt", "tagih why A"]);
    let why = crate::reconcile::why::unwrapped(&world.run(&["why", "A"]).expect(0).stdout);
    assert!(why.contains("in doubt: ") && why.contains("by person: seen in the Back Office") && why.contains("What to do next"), "{why}");
    doku.set_faults(Faults::none());
    world.issue("bills.csv", &[]).expect(3);
    assert_eq!(world.buckets(), "1 in_doubt, 2 unchanged");
    assert_eq!(world.column("out/accepted.csv", "payment_code"), [code]);
    let reasons = world.column("out/deferred.csv", "reason");
    assert!(reasons[0].contains("the order exists at DOKU"), "it was done after all, and nobody is billed twice: {reasons:?}");
}

#[test]
fn a_files_own_columns_are_mapped_and_its_invoice_numbers_made_from_the_cycle() {
    let doku = Doku::process();
    let world = World::at(&doku.base_url(), include_str!("../../../samples/own-columns.toml"));
    let in_a_month = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * 30)).unwrap().to_string();
    let sample = include_str!("../../../samples/own-columns.csv").replace("2026-12-10", &in_a_month[..10]);
    world.file("own.csv", &sample);
    world.issue("own.csv", &[]).expect(7).says(&["E0214", "--cycle"]);
    world.issue("own.csv", &["--cycle", "2026-10"]).expect(0).says(&["column `cabang` is not used"]);
    let orders = doku.orders();
    assert_eq!((orders.len(), orders["PRM-9011948182-2026-10"].amount), (25, 2_629_062));
    world.issue("own.csv", &["--cycle", "2026-10"]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.calls().len()), ("25 unchanged", 25));
    world.issue("own.csv", &["--cycle", "2026-11"]).expect(0);
    assert_eq!((world.buckets().as_str(), doku.orders().len()), ("25 issued", 50), "the next cycle is another bill");
}

#[test]
fn no_name_and_no_address_leaves_the_program() {
    let doku = Doku::here(Faults::mixed(60));
    let world = World::of(&doku);
    let row = |n: usize, amount: &str| format!("Y-{n},{amount},Canary Name{n},alfa,canary{n}@example.com");
    let rows: Vec<String> = (0..30).map(|n| row(n, if n % 7 == 0 { "1.000" } else { "1000" })).collect();
    world.file("bills.csv", format!("invoice_number,amount,customer_name,channel,email\n{}\n", rows.join("\n")));
    let variables = [("TAGIH_LOG", "trace,h2=off,hyper=off"), ("TAGIH_TIMEOUT_REQUEST_MS", "150")];
    let mut said = Vec::new();
    for arguments in [
        &["issue", "bills.csv", "--out", "out"][..],
        &["sync"],
        &["why", "Y-1"],
        &["status"],
        &["ledger", "export"],
        &["cancel", "Y-1", "Y-2", "--out", "out"],
    ] {
        let ran = world.run_with(&variables, arguments);
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
        said.push(format!("{ran:?}"));
    }
    said.extend(bytes_in(&world.path("out")).into_values().map(|bytes| String::from_utf8(bytes).unwrap()));
    assert!(said.iter().all(|text| !text.to_lowercase().contains("canary") && !text.contains(crate::support::world::SECRET)), "I22");
}
