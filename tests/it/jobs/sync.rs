//! `tagih sync` about bills that no notification came for: against the sandbox, and against a desk that answers by script.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz};
use secrecy::SecretString;
use serde_json::{Value, json};
use tagih::doku::signature::{Components, SigningKey, Stamp};

use crate::support::world::{CLIENT, Doku, Ran, SECRET, World, until};

fn hours_from_now(hours: i64) -> Timestamp {
    Timestamp::from_second((Timestamp::now() + SignedDuration::from_hours(hours)).as_second()).unwrap()
}

fn wib_day(at: Timestamp) -> Date {
    at.to_zoned(tz::TimeZone::fixed(tz::offset(7))).date()
}

/// Adopts codes that expired five days ago: invoice → code.
fn adopt(world: &World, codes: &[(String, String)]) {
    let (created, expired) = (hours_from_now(-10 * 24), hours_from_now(-5 * 24));
    let rows = codes.iter().map(|(invoice, code)| format!("{invoice},{code},alfa,150000,{created},{expired}\n"));
    let text = format!("invoice_number,payment_code,channel,amount,created_at,expires_at\n{}", rows.collect::<String>());
    world.file("codes.csv", text);
    world.run(&["ledger", "import", "codes.csv"]).expect(0);
}

fn adopted(world: &World, invoices: &[&str]) {
    let codes = invoices.iter().zip(1..).map(|(invoice, code)| ((*invoice).to_owned(), format!("60590000{code:08}")));
    adopt(world, &codes.collect::<Vec<_>>());
}

fn result(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The counts of `sync --json` that are not 0.
fn checks(ran: &Ran) -> BTreeMap<String, u64> {
    let result = result(ran);
    let counts = result["checks"].as_object().unwrap().iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn counts<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    expected.map(|(name, count)| (name.to_owned(), count)).into()
}

/// A desk that answers every status query by the last word of its invoice number, signed, and writes down who was asked about.
struct Desk {
    base_url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    fn open(secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (written, key) = (Arc::clone(&asked), SigningKey::new(&SecretString::from(secret)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (written, key) = (Arc::clone(&written), key.clone());
                std::thread::spawn(move || drop(serve(stream.unwrap(), &written, &key)));
            }
        });
        Self { base_url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How often each was asked about.
    fn times(&self) -> BTreeMap<String, usize> {
        self.asked().into_iter().fold(BTreeMap::new(), |mut times, invoice| {
            *times.entry(invoice).or_default() += 1;
            times
        })
    }
}

fn serve(mut stream: TcpStream, asked: &Mutex<Vec<String>>, key: &SigningKey) -> std::io::Result<()> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        request.extend_from_slice(&byte);
    }
    let text = String::from_utf8(request).unwrap();
    let target = text.split(' ').nth(1).unwrap().to_owned();
    let header =
        |name: &str| text.lines().find_map(|line| line.to_lowercase().starts_with(name).then(|| line[name.len() + 2..].to_owned()));
    let request_id = header("request-id").unwrap();
    let invoice = target.rsplit('/').next().unwrap().to_owned();
    asked.lock().unwrap().push(invoice.clone());
    let (status, body) = said(&invoice);
    let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let stamp = stamp.as_str();
    let stamped = Stamp::Response(stamp);
    let components =
        Components { client_id: CLIENT, request_id: &request_id, stamp: stamped, target: &target, body: Some(body.as_bytes()) };
    let signature = key.sign(&components).unwrap();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\nResponse-Timestamp: {stamp}\r\nSignature: {signature}\r\n\r\n{body}"
    )
}

fn said(invoice: &str) -> (u16, String) {
    let word = invoice.rsplit('-').next().unwrap();
    let mut body = json!({
        "order": {"invoice_number": invoice, "amount": 150_000},
        "transaction": {"status": word, "date": hours_from_now(-6 * 24).to_string()},
        "online_to_offline_payment": {"identifier": [{"name": "AGENT_TRX_ID", "value": format!("T-{invoice}")}]},
    });
    match word {
        "NOTFOUND" => return (404, r#"{"message":"Order not found"}"#.into()),
        "BROKEN" => return (500, String::new()),
        "UNDATED" => body["transaction"] = json!({"status": "SUCCESS"}),
        _ => {}
    }
    (200, body.to_string())
}

#[test]
fn a_payment_no_notification_came_for_is_found_reported_and_later_one_with_its_notification() {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("notifications.jsonl");
    let log = log.to_str().unwrap();
    let doku = Doku::process_with(&["--notification-log", log]);
    let world = World::of(&doku);
    world.many("bills.csv", "B", 3);
    world.issue("bills.csv", &[]).expect(0);
    // The same codes in a ledger for which they expired days ago.
    world.reconfigure("tagih.ledger", "late.ledger");
    let codes: Vec<_> = doku.orders().into_iter().map(|(invoice, order)| (invoice, order.code)).collect();
    adopt(&world, &codes);
    doku.pay("B-0001", &format!(r#","amount":150000,"paid_at":"{}""#, hours_from_now(-6 * 24)));

    let ran = world.run(&["sync", "--json"]).expect(0);
    assert_eq!(checks(&ran), counts([("paid_not_notified", 1), ("pending", 2)]), "{ran:?}");
    let why = crate::reconcile::why::unwrapped(&world.run(&["why", "B-0001"]).expect(0).stdout);
    assert!(why.contains("Check Status says success of order B-0001: paid Rp150.000"));
    world.run(&["ledger", "verify"]).expect(0);
    let plan = result(&world.run(&["issue", "bills.csv", "--reissue-expired", "--dry-run", "--json"]).expect(0));
    let steps = ["unchanged", "confirm"].map(|step| plan["steps"][step]["count"].as_u64());
    assert_eq!(steps, [Some(1), Some(2)], "what DOKU says is paid is not asked for again: {plan}");

    let none = world.file("none.jsonl", "");
    let none = none.to_str().unwrap();
    let (from, to) = (wib_day(hours_from_now(-9 * 24)).to_string(), wib_day(Timestamp::now()).to_string());
    let reconcile = |log: &str, as_of: Timestamp, exit: i32| -> Value {
        let as_of = as_of.to_string();
        let arguments = ["reconcile", "--json", "--from", &from, "--to", &to, "--notifications", log, "--as-of", &as_of, "--out", "report"];
        result(&world.run(&arguments).expect(exit))
    };
    let count = |report: &Value, class: &str| report["payments"][class]["count"].as_u64().unwrap();
    let timing = reconcile(none, hours_from_now(1), 0);
    assert_eq!((count(&timing, "P19"), count(&timing, "P00"), timing["payments"]["P19"]["amount"].as_u64()), (1, 0, Some(150_000)));
    assert_eq!((timing["bills"]["L00"]["count"].as_u64(), timing["bills"]["L02"]["count"].as_u64()), (Some(1), Some(2)));
    assert_eq!(timing["natures"]["TIMING"]["count"], 3, "the payment, and two bills that expired unpaid");
    let overdue = reconcile(none, hours_from_now(74), 1);
    assert_eq!((count(&overdue, "P19"), overdue["discrepancies"]["breaks"].as_u64()), (1, Some(1)));
    let row = &world.rows("report/discrepancies.csv")[0];
    assert_eq!((row["class"].as_str(), row["nature"].as_str(), row["invoice_number"].as_str()), ("P19", "BREAK", "B-0001"));
    assert_eq!(world.column("report/evidence.csv", "digest")[0], row["evidence"], "what it rests on can be found");

    let notified = reconcile(log, hours_from_now(74), 0);
    assert_eq!((count(&notified, "P19"), count(&notified, "P00")), (0, 1), "one payment, and the notification proves it");
    world.run(&["ingest", log]).expect(0);
    let status = result(&world.run(&["status", "--json"]).expect(0));
    assert_eq!((status["payments"]["count"].as_u64(), status["payments"]["amount"].as_u64()), (Some(1), Some(150_000)));
    assert_eq!(status["told_by_status"], json!({"count": 1, "amount": 150_000}), "beside the payments, not among them");
    let told_by_the_ledger = reconcile(none, hours_from_now(74), 1);
    assert_eq!((count(&told_by_the_ledger, "P19"), told_by_the_ledger["bills"]["L04"]["count"].as_u64()), (0, Some(1)));
}

#[test]
fn the_budget_of_a_run_and_the_pause_after_an_answer_hold_for_everything_but_a_persons_choice() {
    let desk = Desk::open(SECRET);
    let world = World::at(&desk.base_url, "[sync]\ncalls_max = 2\n");
    adopted(&world, &["A-PENDING", "B-PENDING", "C-PENDING", "D-PENDING", "E-PENDING"]);
    for (asked_before, pending) in [(0, 2), (2, 2), (4, 1), (5, 0)] {
        assert_eq!(desk.asked().len(), asked_before);
        let ran = world.run(&["sync", "--json"]).expect(0);
        assert_eq!(checks(&ran).get("pending").copied().unwrap_or(0), pending, "{ran:?}");
    }
    assert!(desk.times().values().all(|times| *times == 1), "{:?}", desk.times());
    let ran = world.run(&["sync", "A-PENDING", "--json"]).expect(0).says(&["`A-PENDING` is postponed"]);
    assert_eq!((checks(&ran), desk.asked().len()), (counts([("postponed", 1)]), 5));
    let ran = world.run_with(&[("TAGIH_SYNC_SPACING_SECONDS", "0")], &["sync", "A-PENDING", "--json"]).expect(0);
    assert_eq!((checks(&ran), desk.times()["A-PENDING"]), (counts([("pending", 1)]), 2));
    world.run(&["sync", "UNKNOWN"]).expect(2).says(&["the ledger holds no invoice `UNKNOWN`"]);
}

#[test]
fn every_word_of_doku_leaves_the_state_it_allows() {
    let desk = Desk::open(SECRET);
    let world = World::at(&desk.base_url, "");
    adopted(&world, &["I-BROKEN", "I-EXPIRED", "I-FAILED", "I-NOTFOUND", "I-PENDING", "I-SUCCESS", "I-UNDATED", "I-REDIRECT"]);
    let said = [("not_found", 1), ("pending", 1), ("expired", 1), ("failed", 1), ("other", 1), ("unanswered", 1)];
    let all = counts(said).into_iter().chain(counts([("paid_not_notified", 1), ("paid_unusable", 1)])).collect();
    let ran =
        world.run(&["sync", "--json"]).expect(3).says(&["I-FAILED` FAILED, which is not final", "I-UNDATED` is paid, but not how much"]);
    assert_eq!(checks(&ran), all, "{ran:?}");
    assert_eq!(desk.times()["I-BROKEN"], 4, "retried like any request");
    let ran = world.run(&["sync", "--json"]).expect(3);
    assert_eq!(checks(&ran), counts([("unanswered", 1)]), "only what was not answered is still due");
    let ran = world.run(&["sync"]).expect(3);
    assert!(ran.stdout.contains("1 bills asked about: 1 unanswered"), "{ran:?}");
    assert_eq!(world.statuses(), [("active".to_owned(), 8)].into(), "a query changes no status");
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn a_killed_sync_is_resumed_without_asking_again_about_what_was_answered() {
    let desk = Desk::open(SECRET);
    let world = World::at(&desk.base_url, "");
    world.reconfigure("rate_per_second = 5000\nburst = 100\nin_flight_max = 4", "rate_per_second = 150\nburst = 1\nin_flight_max = 1");
    let invoices: Vec<String> = (0..60).map(|n| format!("K{n:02}-{}", if n % 2 == 0 { "PENDING" } else { "SUCCESS" })).collect();
    adopted(&world, &invoices.iter().map(String::as_str).collect::<Vec<_>>());
    for killed_after in [10, 25] {
        let mut child = world.start(&[], &["sync"]);
        until("some were asked about", || desk.asked().len() >= killed_after);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    world.run(&["sync", "--json"]).expect(0);
    let times = desk.times();
    assert_eq!(times.len(), 60, "everyone was asked about");
    let again = times.values().map(|times| times - 1).sum::<usize>();
    assert!(again <= 2, "at most the one under way at each kill: {times:?}");
    let ran = world.run(&["sync", "--json"]).expect(0);
    assert_eq!((checks(&ran), desk.asked().len()), (BTreeMap::new(), 60 + again));
    world.run(&["ledger", "verify"]).expect(0);
}

#[test]
fn while_the_secret_is_rotated_answers_signed_with_either_key_are_believed() {
    let desk = Desk::open("SK-the-key-before");
    let world = World::at(&desk.base_url, "[sync]\nspacing_seconds = 0\n");
    adopted(&world, &["R-SUCCESS"]);
    let ran = world.run(&["sync", "--json"]).expect(3).says(&["not signed by DOKU"]);
    assert_eq!(checks(&ran), counts([("unanswered", 1)]));
    let previous = world.file("previous", "SK-the-key-before");
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o600)).unwrap();
    let variables = [("TAGIH_DOKU_SECRET_FILE_PREVIOUS", previous.to_str().unwrap())];
    let ran = world.run_with(&variables, &["sync", "--json"]).expect(0);
    assert_eq!(checks(&ran), counts([("paid_not_notified", 1)]));
}
