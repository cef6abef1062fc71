//! `tagih why`: the story of one bill on the real program, and that it never contradicts the report.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use serde_json::Value;

use crate::oracle::compare;
use crate::reconcile::ours::{line, line_signed, signed_status};
use crate::support::bills;
use crate::support::world::{Doku, Ran, World, program};
use tagih::doku::signature::SigningKey;
use tagih::domain::classify::{MatchingPolicy, Nature, Period};
use tagih::jobs::reconcile::{self, Billed, ReconcileOptions};
use tagih::ledger::Ledger as _;
use tagih::ledger::SqliteLedger;
use tagih::reconcile::{ConclusionsSought, Finding, ReconcileTerms};
use tagih::sandbox::fault::{FaultKind, Faults};

/// A text without the line ends and indents of a terminal.
pub(crate) fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `count` bills `B-0001` and so on of Rp10.001 and so on, issued; and their codes.
fn issued(count: usize) -> (Doku, World, BTreeMap<String, String>) {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "B", count);
    world.issue("bills.csv", &[]).expect(0);
    let codes = doku.orders().into_iter().map(|(invoice, order)| (invoice, order.code)).collect();
    (doku, world, codes)
}

/// So many minutes from now, as notifications write it.
fn minutes(from_now: i64) -> String {
    let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_mins(from_now)).unwrap();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn why(world: &World, arguments: &[&str]) -> Ran {
    world.run(&[&["why"], arguments].concat())
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// The classes of one part of a story.
fn classes(story: &Value, part: &str) -> Vec<String> {
    let all = story[part].as_array().unwrap();
    all.iter().map(|finding| finding["class"].as_str().unwrap().to_owned()).collect()
}

/// In both languages the same classes and exit; every line fits a terminal; no personal data.
#[track_caller]
fn told(world: &World, name: &str, code: i32) -> (String, Value) {
    let evidence = ["--notifications", "log.jsonl", "--as-of", &minutes(60 * 24 - 2)];
    let english = why(world, &[&[name], &evidence[..]].concat()).expect(code);
    let indonesian = why(world, &[&[name, "--lang", "id"], &evidence[..]].concat()).expect(code);
    let machine = why(world, &[&[name, "--json"], &evidence[..]].concat()).expect(code);
    for ran in [&english, &indonesian, &machine] {
        assert!(!ran.stdout.contains("Canary") && !ran.stdout.contains("canary@") && !ran.stdout.contains("Budi"), "{ran:?}");
    }
    for ran in [&english, &indonesian] {
        let long: Vec<_> = ran.stdout.lines().filter(|line| line.chars().count() > 80 && line.trim().contains(' ')).collect();
        assert!(long.iter().all(|line| line.contains("log.jsonl:")), "{long:?}");
    }
    let story = json(&machine);
    let decided = story["decided_by"].as_str().unwrap_or("-").to_owned();
    assert!(indonesian.stdout.contains("Langkah berikutnya") && indonesian.stdout.contains(&decided), "{indonesian:?}");
    assert!(!indonesian.stdout.contains("What to do") && english.stdout.contains("What to do next"), "{indonesian:?}");
    (unwrapped(&english.stdout), story)
}

#[test]
fn a_story_names_the_rule_that_decided_and_what_to_do() {
    let (_doku, world, codes) = issued(8);
    let code = |n: usize| codes[&format!("B-{n:04}")].as_str();
    // 4 is amended and 5 is cancelled before they are paid.
    let row = |n: usize, more: &str| format!("B-{n:04},{},Budi,alfa,,,,{more},", if n == 4 { 20_000 } else { 10_000 + n });
    let rows: Vec<String> = (1..=8).map(|n| row(n, if n == 5 { "cancel" } else { "" })).collect();
    world.bills("bills.csv", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    world.issue("bills.csv", &[]).expect(0);
    let lines = [
        line("B-0001", code(1), 10_001, &minutes(60), "T1"),
        line("B-0002", code(2), 10_002, &minutes(60), "T2"),
        line("B-0002", code(2), 10_002, &minutes(70), "T3"),
        line_signed("B-0003", code(3), 10_003, &minutes(60), "T4", "not our secret"),
        line("B-0004", code(4), 10_004, &minutes(60), "T5"),
        line("B-0005", code(5), 10_005, &minutes(60), "T6"),
        line("NOBODY", "8896500000000999", 5_000, &minutes(60), "T7"),
    ];
    world.file("log.jsonl", lines.join("\n") + "\n");

    let (text, story) = told(&world, "B-0001", 0);
    assert_eq!((classes(&story, "lines"), classes(&story, "payments")), (vec!["N00".into()], vec!["P00".into()]));
    assert!(text.contains("issue intended as B-0001, request ") && text.contains("in log.jsonl:1"), "{text}");
    let (_, story) = told(&world, "B-0002", 1);
    assert_eq!((classes(&story, "payments"), &story["decided_by"]), (vec!["P00".into(), "P06".into()], &"P06".into()));
    assert!(story["next"][0].as_str().unwrap().contains("refund the second payment"), "{story}");
    let (text, story) = told(&world, "B-0003", 1);
    assert_eq!((classes(&story, "lines"), classes(&story, "payments")), (vec!["N02".into()], vec![]));
    assert!(text.contains("the signature does not match") && text.contains("log.jsonl:4"), "{text}");
    let (text, story) = told(&world, "B-0004", 1);
    assert_eq!((&story["decided_by"], &story["bill"]["class"]), (&"P10".into(), &"L11".into()));
    assert!(text.contains("amend intended") && text.contains("an earlier amount of the bill; due now 20000"), "{text}");
    assert_eq!(told(&world, "B-0005", 1).1["decided_by"], "P08");
    let (_, story) = told(&world, "B-0006", 0);
    assert_eq!((classes(&story, "lines").len(), &story["bill"]["class"]), (0, &"L01".into()));

    // One that the ledger does not know, by invoice and by code; and one nobody knows.
    for name in ["NOBODY", "8896500000000999"] {
        let (text, story) = told(&world, name, 1);
        assert_eq!((&story["decided_by"], &story["status"]), (&"P01".into(), &Value::Null));
        assert!(text.contains("not in the ledger"), "{text}");
    }
    why(&world, &["ELSE", "--notifications", "log.jsonl"]).expect(2).says(&["holds no invoice `ELSE`", "hint:"]);
    // A code, and the id of what was found, lead to the bill.
    assert_eq!(told(&world, code(2), 1).1["invoice_number"], "B-0002");
    let id = told(&world, "B-0002", 1).1["payments"][1]["discrepancy_id"].as_str().unwrap().to_owned();
    assert_eq!(told(&world, &id, 1).1["invoice_number"], "B-0002");
}

#[test]
fn a_decided_discrepancy_needs_nobody_and_its_decision_is_told() {
    let (_doku, world, codes) = issued(1);
    world.file("log.jsonl", line("B-0001", &codes["B-0001"], 9_000, &minutes(60), "T1") + "\n");
    let as_of = minutes(60 * 24);
    let (today, later) = (minutes(7 * 60)[..10].to_owned(), minutes(31 * 60)[..10].to_owned());
    let days = ["reconcile", "--from", &today, "--to", &later, "--as-of", &as_of, "--notifications", "log.jsonl", "--out", "report"];
    world.run(&days).expect(1);
    world.run(&["discrepancies", "take", "report", "--by", "Siti"]).expect(0);
    assert!(told(&world, "B-0001", 1).0.contains("tagih discrepancies accept"));
    let ids = world.column("report/discrepancies.csv", "discrepancy_id");
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let reason = ["--reason", "known from the branch", "--by", "Siti"];
    world.run(&[&["discrepancies", "accept"], &ids[..], &reason[..]].concat()).expect(0);
    let (text, story) = told(&world, "B-0001", 0);
    assert_eq!((&story["needs_person"], story["discrepancies"].as_array().unwrap().len()), (&false.into(), ids.len()));
    assert!(text.contains("known from the branch") && text.contains("decision: accepted") && text.contains("nothing about L11"), "{text}");
}

#[test]
fn a_doubt_is_told_without_any_evidence_and_without_a_secret() {
    let doku = Doku::here(Faults { consecutive_max: u32::MAX, ..Faults::only(FaultKind::ServerErrorAfter) });
    let world = World::of(&doku);
    world.bills("bills.csv", &["A,1000,Budi,alfa,,,,,"]);
    world.issue("bills.csv", &[]).expect(3);
    world.reconfigure("secret_file = ", "secret_file_previous = \"\"\nsecret_file = \"/nowhere\" # ");
    let text = unwrapped(&why(&world, &["A"]).expect(0).stdout);
    for words in ["A: in_doubt_issue at alfa, Rp1.000", "in doubt: HTTP 5", "No notification logs were given", "1. run `tagih sync`"] {
        assert!(text.contains(words), "`{words}` is missing in {text}");
    }
    assert!(unwrapped(&why(&world, &["A", "--lang", "id"]).expect(0).stdout).contains("1. jalankan `tagih sync`"));
}

#[test]
fn what_serve_has_kept_is_read_by_itself() {
    let (_doku, world, codes) = issued(1);
    let code = &codes["B-0001"];
    std::fs::create_dir(world.path("tagih-logs")).unwrap();
    world.file("tagih-logs/notifications-2026-11-21.jsonl", line("B-0001", code, 10_001, &minutes(60), "T1") + "\n");
    let inquiry = serde_json::json!({"received_at": minutes(50), "target": "/doku/inquiry", "headers": {}, "body": "{}",
        "answer": "decline", "decision": "unsettled", "invoice_number": "B-0001", "amount": 10_001});
    let other = serde_json::json!({"received_at": minutes(50), "body": "{}", "answer": "success", "invoice_number": "B-00011"});
    world.file("tagih-logs/inquiries-2026-11-21.jsonl", format!("{inquiry}\n{other}\n"));
    let story = json(&why(&world, &["B-0001", "--json", "--as-of", &minutes(60 * 24)]).expect(0));
    let sources: Vec<&str> = story["story"].as_array().unwrap().iter().map(|told| told["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["ledger", "ledger", "ledger", "inquiry", "notification"]);
    assert_eq!(story["story"][3]["what"], "DOKU asked about the code; answered decline (unsettled)");
    assert_eq!((&story["bill"]["class"], &story["decided_by"]), (&"L00".into(), &"P00".into()));
}

#[test]
fn settlement_is_followed_to_its_due_day_and_to_its_row() {
    let (_doku, world, codes) = issued(1);
    let paid_at = minutes(10);
    world.file("log.jsonl", line("B-0001", &codes["B-0001"], 10_001, &paid_at, "T1") + "\n");
    let day: jiff::Timestamp = paid_at.parse().unwrap();
    let day = day.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(7))).strftime("%d-%m-%Y").to_string();
    let head = "NO,MERCHANT NAME,PAYMENT CHANNEL NAME,TRANSACTION DATE,INVOICE NUMBER,CUSTOMER NAME,REPORT CODE,AMOUNT,RECON CODE,FEE,\
                DISCOUNT,PAY TO MERCHANT,PAY OUT DATE,TRANSACTION TYPE,PROMO CODE,SUB ACCOUNT";
    let settled = |invoice: &str, code: &str| {
        format!("Batch ID_,S-1\n\n{head}\n1,PT,Alfa Group,{day},{invoice},Canary Name,{code},10001,{code},0,0,10001,{day},Purchase,,\n")
    };
    world.file("other.csv", settled("ELSE", "123456"));
    world.file("own.csv", settled("B-0001", &codes["B-0001"]));
    world.file(
        "tagih.toml",
        std::fs::read_to_string(world.path("tagih.toml")).unwrap() + "[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n",
    );
    let run = |file: &str, as_of: &str, code: i32| {
        let arguments = ["B-0001", "--json", "--notifications", "log.jsonl", "--settlement", file, "--as-of", as_of];
        json(&why(&world, &arguments).expect(code))
    };
    let waiting = run("other.csv", &minutes(60), 0);
    assert_eq!(classes(&waiting, "settlement"), ["S02"]);
    assert!(waiting["next"][0].as_str().unwrap().contains("it was due on "), "{waiting}");
    assert_eq!(run("other.csv", &minutes(60 * 24 * 20), 1)["settlement"][0]["nature"], "BREAK");
    let done = run("own.csv", &minutes(60), 0);
    assert_eq!((classes(&done, "settlement"), &done["settlement"][0]["places"][0]), (vec!["S00".into()], &"own.csv:4".into()));
    assert!(done["story"].to_string().contains("settlement: Rp10.001 less fee Rp0, paid out Rp10.001"), "{done}");
}

#[test]
fn a_bill_is_called_paid_or_expired_and_a_notification_that_failed_paid_nothing() {
    let (doku, world, codes) = issued(3);
    let failed = signed_status("B-0001", &codes["B-0001"], 10_001, &minutes(60), "T1", "FAILED");
    world.file("log.jsonl", [failed, line("B-0002", &codes["B-0002"], 10_002, &minutes(60), "T2")].join("\n") + "\n");
    let (text, story) = told(&world, "B-0001", 0);
    assert!(text.contains("B-0001: active at alfa") && text.contains("nothing was paid; Rp10.001 asked"), "{text}");
    assert!(!text.contains("paid on"), "{text}");
    assert_eq!(story["money"], Value::Null);
    let (text, story) = told(&world, "B-0002", 0);
    assert!(text.starts_with("B-0002: paid at alfa") && text.contains("paid on"), "{text}");
    assert_eq!((&story["money"], &story["status"]), (&"paid".into(), &"active".into()));
    // What DOKU said of the code is told.
    for part in ["made at 20", "how to pay: http://", "/how-to-pay-api/"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(story["how_to_pay_api"].as_str().unwrap().ends_with(&codes["B-0002"]) && story["created_at"].is_string(), "{story}");
    let row = &world.rows("out/accepted.csv")[2];
    assert!(row["how_to_pay_api"].ends_with(&row["payment_code"]) && row["created_at"].ends_with('Z'), "{row:?}");
    let late = why(&world, &["B-0003", "--as-of", &minutes(60 * 24 * 400)]).expect(0).stdout;
    assert!(unwrapped(&late).starts_with("B-0003: expired at alfa"), "{late}");
    drop(doku);
}

/// Everything that a report says of a sample of the demo's bills, every class among them, and nothing else.
#[test]
fn a_story_never_contradicts_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    assert!(program().arg("demo").arg("--out").arg(out).output().unwrap().status.success() || out.join("5-reconcile").exists());
    let mut report: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    let mut chosen = BTreeMap::new();
    for row in csv::Reader::from_path(out.join("5-reconcile/discrepancies.csv")).unwrap().deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let facts = ["discrepancy_id", "class", "nature", "severity", "flags", "reason"].map(|column| row[column].clone()).to_vec();
        let invoice = row["invoice_number"].clone();
        if !invoice.is_empty() {
            chosen.entry(row["class"].clone()).or_insert_with(|| invoice.clone());
            report.entry(invoice).or_default().insert(facts);
        }
    }
    let mut matched: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for payment in tagih::report::read_matched(&out.join("5-reconcile")).unwrap() {
        matched.entry(payment.invoice_number).or_default().push(payment.amount);
    }
    let contract = "[settlement.channels]\n\"Alfa Group\" = \"alfa\"\n\"Indomaret\" = \"indomaret\"\n\
                    [settlement.alfa]\nfee_rupiah = 5000\n[settlement.indomaret]\nfee_rupiah = 6500\n";
    std::fs::write(out.join("contract.toml"), contract).unwrap();
    let mut sample: BTreeSet<String> = chosen.into_values().collect();
    sample.extend((1..=480).step_by(16).map(|n| format!("PRM-2026-10-{n:05}")));
    assert!(sample.len() >= 35, "{sample:?}");
    for invoice in sample {
        let mut command = program();
        command.current_dir(out).args(["why", &invoice, "--json", "--period", "2026-10", "--as-of", "2026-11-01T10:00:00Z"]);
        command
            .args(["--notifications", "logs/*.jsonl", "--settlement", "settlement/*.csv", "--config", "contract.toml"])
            .env("TAGIH_LEDGER_PATH", "demo.ledger");
        command.env("TAGIH_DOKU_CLIENT_ID", "MCH-0001-DEMO").env("TAGIH_DOKU_SECRET", "SK-demo-not-a-secret");
        let ran = Ran::from(command.output().unwrap());
        let story = json(&ran);
        let own = |finding: &&Value| finding["invoice_number"] == invoice.as_str();
        let lists = ["lines", "payments", "settlement"].into_iter().flat_map(|part| story[part].as_array().unwrap());
        let all: Vec<&Value> = lists.chain([&story["bill"]]).filter(own).collect();
        let text = |value: &Value| match value {
            Value::Array(flags) => flags.iter().map(|flag| flag.as_str().unwrap()).collect::<Vec<_>>().join(";"),
            value => value.as_str().unwrap().to_owned(),
        };
        let facts =
            |finding: &&Value| ["discrepancy_id", "class", "nature", "severity", "flags", "reason"].map(|key| text(&finding[key])).to_vec();
        // What is short or over has no row of its own, unless it is an alarm besides.
        let is_alarm = |finding: &Value| ["P18", "P11", "P09", "P19"].iter().any(|flag| text(&finding["flags"]).contains(flag));
        let has_item = |finding: &&&Value| !["P03", "P10", "L12"].contains(&finding["class"].as_str().unwrap()) || is_alarm(finding);
        let breaks: BTreeSet<Vec<String>> =
            all.iter().filter(|finding| finding["nature"] == "BREAK" && has_item(finding)).map(facts).collect();
        assert_eq!(breaks, report.get(&invoice).cloned().unwrap_or_default(), "{invoice}");
        assert_eq!(ran.code, i32::from(story["needs_person"] == true), "{invoice}");
        let attaches = |class: &str| !["P01", "P02", "P15", "P16", "P17"].contains(&class);
        let payments = story["payments"].as_array().unwrap().iter().filter(|payment| attaches(payment["class"].as_str().unwrap()));
        let mut paid: Vec<u64> = payments.map(|payment| payment["amount_paid"].as_u64().unwrap()).collect();
        let mut expected = matched.remove(&invoice).unwrap_or_default();
        paid.sort_unstable();
        expected.sort_unstable();
        assert_eq!(paid, expected, "{invoice}");
    }
}

/// The same through the library for every bill of the demo: on demand each has the class it was counted under.
#[test]
fn every_bill_has_on_demand_the_class_it_was_counted_under() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    program().arg("demo").arg("--out").arg(out).output().unwrap();
    let binding = bills::binding("MCH-0001-DEMO");
    let ledger = SqliteLedger::open_read_only(&out.join("demo.ledger"), &binding).unwrap();
    let (from, to, as_of) = (date(2026, 10, 1), date(2026, 10, 31), "2026-11-01T10:00:00Z".parse().unwrap());
    let terms = ReconcileTerms { period: Period::new(from, to).unwrap(), as_of, policy: MatchingPolicy::default() };
    let notifications = tagih::evidence::expand(&[out.join("logs/*.jsonl").display().to_string()]).unwrap();
    let options = ReconcileOptions {
        keys: vec![SigningKey::new(&"SK-demo-not-a-secret".to_owned().into())].into(),
        client_id: binding.client_id,
        policy: terms.policy.clone(),
        ..compare::plain((from, to), as_of, notifications, out.join("again"))
    };
    let billed = bills::wait(async { Billed::own(&ledger.view().await.unwrap(), &options).await.unwrap() });
    let outcome = reconcile::run(billed, &options).unwrap().outcome;
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    // What the books say of it is another matter.
    let told = |finding: &Finding| format!("{:?}", Finding { books: None, ..finding.clone() });
    let (mut breaks, mut payments) = (BTreeSet::new(), 0);
    for bill in 0..u32::try_from(outcome.inputs.bills.len()).unwrap() {
        let about = outcome.about(&ConclusionsSought { bills: vec![bill], ..ConclusionsSought::default() }, &terms);
        assert!(about.bills.len() <= 1 && about.payments.iter().all(|payment| payment.class.id() != "P01"));
        payments += about.payments.len();
        for finding in &about.bills {
            *counted.entry(finding.class.id()).or_default() += 1;
        }
        breaks.extend(about.findings().filter(|finding| finding.nature == Nature::Break && finding.has_item()).map(told));
    }
    let tallies: BTreeMap<&str, u64> =
        outcome.bill_tallies.iter().map(|(class, tally)| (class.id(), tally.count)).filter(|(_, count)| *count > 0).collect();
    assert_eq!(counted, tallies);
    assert!(counted.values().sum::<u64>() >= 480 && payments > 300, "{counted:?}, {payments}");
    let of_bills =
        outcome.findings.iter().filter(|finding| outcome.inputs.bills.pair(&finding.invoice_number, &finding.payment_code).is_some());
    let of_bills: BTreeSet<String> = of_bills.map(told).collect();
    assert_eq!(breaks, of_bills);
}

#[test]
fn the_books_of_a_report_tell_of_bills_of_another_system_and_of_decided_months() {
    let world = crate::register::discrepancies::world("");
    crate::register::discrepancies::reconciled(&world, "2026-10", "oct").expect(1);
    let told = |arguments: &[&str], code: i32| unwrapped(&why(&world, arguments).expect(code).stdout);
    // Paid twice: what the bill takes, and what is over.
    let twice = told(&["C", "--report", "oct"], 1);
    for words in [
        "In the books of 2026-10-01 to 2026-10-31",
        "billed as C: Rp30.000",
        "paid Rp30.000 at alfa",
        "open: Unidentified and held money Rp30.000",
        "C is L12 over-paid",
        "P06: refund the second payment",
    ] {
        assert!(twice.contains(words), "{words} in {twice}");
    }
    assert_eq!(twice.matches("paid Rp30.000 at alfa").count(), 2, "{twice}");
    // By its code, and short; then what was decided about it.
    let id = crate::register::discrepancies::id_of(&world, "oct", "L11");
    let accept = ["accept", &id, "--action", "write_off", "--reason", "below the limit", "--by", "Siti", "--effective", "2026-10-31"];
    crate::register::discrepancies::discrepancies(&world, &["take", "oct", "--by", "Siti"]).expect(0);
    crate::register::discrepancies::discrepancies(&world, &accept).expect(0);
    crate::register::discrepancies::reconciled(&world, "2026-10", "again").expect(1);
    let short = told(&["0002", "--report", "again"], 0);
    assert!(short.contains("decided: write off, Rp1.000") && !short.contains("Premiums owed"), "{short}");
    assert!(short.contains("B is L00 settled (OK)") && short.contains("1. nothing"), "{short}");
    let indonesian = told(&["0002", "--report", "again", "--lang", "id"], 0);
    assert!(indonesian.contains("Menurut pembukuan") && indonesian.contains("diputuskan: hapusbukukan, Rp1.000"), "{indonesian}");
    // Money that nobody is known for, for programs.
    let orphan = why(&world, &["00990000000000123", "--report", "oct", "--json"]).expect(1).stdout;
    let orphan: Value = serde_json::from_str(&orphan).unwrap();
    let open = orphan["books"]["open"].as_array().unwrap();
    assert!(open.contains(&serde_json::json!({"account": "suspense", "amount": 5_000})), "{orphan}");
    // A folder without books, and a name nobody knows.
    why(&world, &["C", "--report", "absent"]).expect(7).says(&["E0857", "absent", "hint:"]);
    why(&world, &["NOBODY-AT-ALL", "--report", "oct"]).expect(2);
}
