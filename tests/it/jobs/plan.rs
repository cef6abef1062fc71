//! A plan that is read before it is carried out, and the guard that also `--yes` obeys.

use std::collections::BTreeMap;
use std::fs;

use crate::support::world::{Doku, Ran, World};

/// Four live codes, and a file that leaves one alone, changes one, cancels one and brings a new and a bad one.
fn changed(doku: &Doku) -> World {
    let world = World::of(doku);
    let row = |number: &str, amount: u32| format!("{number},{amount},Budi,alfa,,,,,");
    let first = [row("STAYS", 5_000), row("GROWS", 5_000), row("GOES", 5_000), row("MOVES", 5_000)];
    world.bills("first.csv", &first.iter().map(String::as_str).collect::<Vec<_>>());
    world.issue("first.csv", &[]).expect(0);
    let second = [
        row("STAYS", 5_000),
        row("GROWS", 90_000),
        "GOES,,,,,,,cancel,".into(),
        row("NEW", 7_000),
        "BAD,x,Budi,alfa,,,,,".into(),
        "MOVES,5000,Budi,indomaret,,,,,Premi".into(),
        row("NEW", 7_000),
    ];
    world.bills("bills.csv", &second.iter().map(String::as_str).collect::<Vec<_>>());
    world
}

fn plan(world: &World) -> Ran {
    world.run(&["issue", "bills.csv", "--dry-run", "--out", "plan"]).expect(1)
}

#[test]
fn a_plan_names_every_row_its_step_and_reason_and_is_carried_out_as_it_was_read() {
    let doku = Doku::process();
    let world = changed(&doku);
    let calls = doku.calls().len();
    let ran = plan(&world);
    assert_eq!(doku.calls().len(), calls, "nothing is sent");
    ran.says(&[
        "ten times what their bill ever asked for",
        "bills.csv:3",
        "bills.csv:7:channel: it is live at alfa, the row says indomaret [E0302]",
    ]);
    let rows: Vec<BTreeMap<String, String>> = world.rows("plan/plan.csv");
    let told: Vec<String> =
        rows.iter().map(|row| format!("{} {} {} {}", row["row"], row["invoice_number"], row["step"], row["rupiah"])).collect();
    let wanted = ["2 STAYS unchanged 5000", "3 GROWS amend 90000", "4 GOES cancel 5000", "5 NEW issue 7000", "6 BAD refuse 0"];
    assert_eq!(told[..5], wanted);
    assert_eq!(told[5..], ["7 MOVES refuse 5000", "8  duplicate 0"]);
    assert!(rows[1]["from"].starts_with("5000 until ") && rows[1]["to"].starts_with("90000 for "), "{:?}", rows[1]);
    assert_eq!((rows[1]["reason"].as_str(), rows[1]["warning"].is_empty()), ("changed: amount", false));
    assert!(fs::read(world.path("plan/plan.xlsx")).unwrap().starts_with(b"PK"));
    world.run(&["issue", "--plan", "plan/plan.csv", "--out", "out"]).expect(1);
    assert_eq!(world.buckets(), "1 amended, 1 cancelled, 1 duplicate, 1 issued, 2 refused, 1 unchanged");
    // Once carried out, the bills have moved.
    world
        .run(&["issue", "--plan", "plan/plan.csv", "--out", "out"])
        .expect(2)
        .says(&["invoice `GROWS` (bills.csv:3) has moved", "nothing was sent"]);
}

#[test]
fn a_plan_is_refused_when_file_configuration_flags_or_one_of_its_bills_moved_and_not_when_another_did() {
    let doku = Doku::process();
    let world = changed(&doku);
    plan(&world);
    let calls = doku.calls().len();
    let carry = |variables: &[(&str, &str)], more: &[&str]| {
        let arguments = [&["issue", "bills.csv", "--plan", "plan/plan.csv", "--out", "out"], more].concat();
        world.run_with(variables, &arguments)
    };
    carry(&[], &["--retry-rejected"]).expect(2).says(&["the configuration or the flags"]);
    carry(&[("TAGIH_PLAN_REISSUE_SUFFIX", "-X")], &[]).expect(2).says(&["the configuration or the flags"]);
    let text = fs::read_to_string(world.path("bills.csv")).unwrap();
    world.file("bills.csv", text.replace("7000", "7001"));
    carry(&[], &[]).expect(2).says(&["`bills.csv` is not the file that the plan was made from"]);
    world.file("bills.csv", &text);
    let whole = fs::read_to_string(world.path("plan/plan.csv")).unwrap();
    world.file("short.csv", whole.lines().take(4).fold(String::new(), |text, line| text + line + "\n"));
    world.run(&["issue", "bills.csv", "--plan", "short.csv", "--out", "out"]).expect(2).says(&["a plan is carried out whole"]);
    world.run(&["issue", "--plan", "bills.csv"]).expect(2).says(&["is not a plan"]);
    world.run(&["issue", "--plan", "plan/plan.xlsx"]).expect(2).says(&["is not a plan", "give the plan.csv"]);
    world.run(&["issue", "--plan", "nowhere.csv"]).expect(2).says(&["`nowhere.csv` cannot be read"]);
    assert_eq!(doku.calls().len(), calls, "nothing was sent");
    // The ledger's head may move: another bill is none of the plan's business.
    world.bills("other.csv", &["OTHER,5000,Budi,alfa,,,,,"]);
    world.issue("other.csv", &[]).expect(0);
    carry(&[], &[]).expect(1);
    assert_eq!(world.buckets(), "1 amended, 1 cancelled, 1 duplicate, 1 issued, 2 refused, 1 unchanged");
}

#[test]
fn the_guard_stops_what_exceeds_it_also_with_yes_and_sends_nothing() {
    let doku = Doku::process();
    let world = changed(&doku);
    let calls = doku.calls().len();
    let limits = [
        ("TAGIH_GUARD_ROWS_MAX", "2", "`guard.rows_max = 2`, this run comes to 3"),
        ("TAGIH_GUARD_RUPIAH_MAX", "96999", "`guard.rupiah_max = 96999`, this run comes to 97000"),
        ("TAGIH_GUARD_AMOUNT_MAX", "89999", "`guard.amount_max = 89999`, this run comes to 90000"),
        ("TAGIH_GUARD_CHANGED_SHARE_MAX", "49", "`guard.changed_share_max = 49`, this run comes to 50"),
    ];
    for (variable, limit, words) in limits {
        let ran = world.run_with(&[(variable, limit)], &["issue", "bills.csv", "--yes", "--out", "out"]);
        ran.expect(2).says(&["the guard stops this run", words, "nothing was sent"]);
    }
    let cancel = ["cancel", "STAYS", "GOES", "--yes", "--out", "out"];
    world.run_with(&[("TAGIH_GUARD_CANCELLATIONS_MAX", "1")], &cancel).expect(2).says(&["`guard.cancellations_max = 1`"]);
    assert_eq!(doku.calls().len(), calls);
    let met = [("TAGIH_GUARD_ROWS_MAX", "3"), ("TAGIH_GUARD_AMOUNT_MAX", "90000"), ("TAGIH_GUARD_CHANGED_SHARE_MAX", "50")];
    world.run_with(&met, &["issue", "bills.csv", "--out", "out"]).expect(1);
}
