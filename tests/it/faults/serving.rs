//! A server whose disk fails while it receives: what it has acknowledged is in its log, and once in the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::shim::{Fault, Record, Seen};
use super::stage::{Ended, Prepared, Stage};
use super::{Tried, judge};
use crate::serve::shop::{Line, Message, code_of};
use crate::support::world::{World, signal, until};

const BILLS: usize = 4;

pub fn prepare() -> Prepared {
    let world = World::at("http://127.0.0.1:1", "[serve]\nlisten = \"127.0.0.1:0\"\nlog_dir = \"logs\"\n");
    let rows: Vec<String> = (1..=BILLS).map(|n| format!("N-{n:05},{},alfa,{},inquiry\n", code_of(n), 10_000 + n)).collect();
    world.file("codes.csv", format!("invoice_number,payment_code,channel,amount,method\n{}", rows.concat()));
    world.run(&["ledger", "import", "codes.csv", "--new-ledger"]).expect(0);
    Prepared { world, doku: None, typed: vec!["serve".into()], environment: Vec::new(), log: Some("said") }
}

/// Lets it meet `faults` while notifications arrive; the store's numbers of those that were acknowledged.
pub fn received(stage: &Stage, record: &Record, faults: &[Fault]) -> (Vec<String>, Ended, Seen) {
    let world = &stage.prepared.world;
    let mut command = world.command(&["serve"]);
    record.arm(&mut command, &stage.root(), faults);
    let mut child = command.stderr(Stdio::from(fs::File::create(world.path("said")).unwrap())).spawn().unwrap();
    let acknowledged = listening(&mut child).map_or_else(Vec::new, |address| told(&address));
    if child.try_wait().unwrap().is_none() {
        signal(&child, "TERM");
    }
    let status = child.wait().unwrap();
    let stderr = fs::read_to_string(world.path("said")).unwrap();
    (acknowledged, Ended { code: status.code(), signal: status.signal(), stderr }, record.seen())
}

/// Where it listens, unless it has ended before.
fn listening(child: &mut Child) -> Option<String> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Some(line.trim().strip_prefix("listening on http://")?.to_owned())
}

fn told(address: &str) -> Vec<String> {
    let told = |number: usize| {
        let transaction = format!("t{number}");
        let answer = Line::to(address).and_then(|mut line| line.exchange(&Message::notification(number, &transaction).bytes()));
        answer.ok().filter(|answer| (200..300).contains(&answer.status)).map(|_| transaction)
    };
    (1..=BILLS).filter_map(told).collect()
}

/// Started again without faults it comes to know everything that was acknowledged.
pub fn finished(stage: &Stage, acknowledged: &[String]) {
    let world = &stage.prepared.world;
    let mut child = world.command(&["serve"]).stderr(Stdio::null()).spawn().unwrap();
    let address = listening(&mut child).expect("it starts again");
    let is_ready = || {
        let answer = Line::to(&address).and_then(|mut line| line.exchange(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
        answer.is_ok_and(|answer| answer.status == 200)
    };
    until("the server is ready", is_ready);
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0), "started again it ends well");
    let logs = fs::read_dir(world.path("logs")).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("notifications-"));
    let text: String = logs.map(|path| fs::read_to_string(path).unwrap()).collect();
    let in_log: BTreeSet<String> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).map(|line| transaction(&line)).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|transaction| !in_log.contains(*transaction)).collect();
    assert!(lost.is_empty(), "acknowledged and not in the log: {lost:?}");
    let mut payments = BTreeMap::<String, usize>::new();
    for line in world.run(&["ledger", "export"]).expect(0).stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "payment" {
            *payments.entry(line["event"]["identity"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!((payments.len(), payments.values().all(|count| *count == 1)), (in_log.len(), true), "each payment of the log once");
    assert_eq!(world.run(&["ledger", "verify"]).code, 0, "the ledger is not whole");
    let left = stage.temporary();
    assert!(left.is_empty(), "left behind: {left:?}");
}

fn transaction(line: &Value) -> String {
    let body: Value = serde_json::from_str(line["body"].as_str().unwrap()).unwrap();
    body["online_to_offline_payment"]["identifier"][2]["value"].as_str().unwrap().to_owned()
}

/// One attempt, as [`super::attempt`] makes them of commands that end.
pub fn attempt(stage: &Stage, record: &Record, fault: Fault, tried: &mut Tried) {
    stage.restore();
    let (acknowledged, ended, seen) = received(stage, record, &[fault]);
    tried.judge("serve", &[vec![fault]], |told| {
        *told = format!("\n  met {:?}; acknowledged {acknowledged:?}; ended {:?} {}", seen.met, ended.code, ended.stderr.trim_end());
        judge::ended(stage, &[0, 9], &[fault], &ended);
        stage.age();
        finished(stage, &acknowledged);
    });
    tried.met(&[fault], &seen);
}
