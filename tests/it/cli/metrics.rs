//! What jobs leave for Prometheus, what they tell a heartbeat, and that every alarm watches what exists.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::serve::shop::Shop;
use crate::support::exposition::{Dialect, Scraped, parse};
use crate::support::world::{Doku, SECRET, World};

fn scraped(world: &World, name: &str) -> Scraped {
    parse(&fs::read_to_string(world.path(name)).unwrap(), Dialect::Prometheus)
}

#[test]
fn a_run_leaves_its_rows_rupiah_answers_doubts_and_head_and_a_failure_keeps_the_last_success() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.bills(
        "bills.csv",
        &["M-1,10001,Budi,alfa,,,,,", "M-2,10002,Siti,alfa,,,,,", "M-3,1.5,Siti,alfa,,,,,", "M-1,10001,Budi,alfa,,,,,"],
    );
    world.issue("bills.csv", &["--metrics", "m.prom"]).expect(1);
    let of = [("command", "issue"), ("environment", "sandbox")];
    let first = scraped(&world, "m.prom");
    let value = |scraped: &Scraped, name: &str, more: &[(&str, &str)]| scraped.one(name, &[&of[..], more].concat());
    let rows = |scraped: &Scraped, bucket: &str| value(scraped, "tagih_job_rows", &[("of", "rows"), ("bucket", bucket)]) as i64;
    assert_eq!(["issued", "refused", "duplicate", "unchanged", "in_doubt"].map(|bucket| rows(&first, bucket)), [2, 1, 1, 0, 0]);
    assert_eq!(value(&first, "tagih_job_rupiah", &[("bucket", "issued")]) as i64, 20_003);
    assert_eq!(value(&first, "tagih_job_doku_answers", &[("kind", "success")]) as i64, 2);
    assert_eq!(value(&first, "tagih_job_exit_code", &[]) as i64, 1);
    assert_eq!(value(&first, "tagih_job_last_success_timestamp_seconds", &[]) as i64, 0, "it has never ended with 0");
    assert_eq!(value(&first, "tagih_job_doubts", &[]) as i64, 0);
    let head = world.summary()["ledger_head"].as_str().unwrap().to_owned();
    assert_eq!(value(&first, "tagih_ledger_head_info", &[("head", &head)]) as i64, 1);
    world.bills("good.csv", &["M-1,10001,Budi,alfa,,,,,"]);
    world.issue("good.csv", &["--metrics", "m.prom"]).expect(0);
    let success = value(&scraped(&world, "m.prom"), "tagih_job_last_success_timestamp_seconds", &[]);
    assert!(success > 1.7e9);
    // A file that is none, a configuration that is none, a signal: each is told, and the success of before is kept.
    world.issue("missing.csv", &["--metrics", "m.prom"]).expect(7);
    let failed = scraped(&world, "m.prom");
    assert_eq!(value(&failed, "tagih_job_exit_code", &[]) as i64, 7);
    assert_eq!(value(&failed, "tagih_job_last_success_timestamp_seconds", &[]).to_bits(), success.to_bits());
    world.run_with(&[("TAGIH_PACING_BRUST", "1")], &["issue", "good.csv", "--metrics", "m.prom"]).expect(2);
    let broken = scraped(&world, "m.prom");
    assert_eq!(broken.one("tagih_job_exit_code", &[("environment", "unknown")]) as i64, 2);
    assert_eq!(broken.one("tagih_job_last_success_timestamp_seconds", &[]).to_bits(), success.to_bits());
    let text = fs::read_to_string(world.path("m.prom")).unwrap();
    assert!(["M-1", "Budi", SECRET].iter().all(|word| !text.contains(word)), "{text}");
}

#[test]
fn every_job_leaves_metrics_and_nothing_else_takes_the_flag() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "M", 2);
    world.issue("bills.csv", &[]).expect(0);
    world.file("log.jsonl", "");
    let reconcile =
        ["reconcile", "--period", "2026-10", "--notifications", "log.jsonl", "--out", "report", "--as-of", "2026-11-02T00:00:00Z"];
    let jobs: [(&str, &[&str]); 6] = [
        ("cancel", &["cancel", "M-0001"]),
        ("sync", &["sync"]),
        ("ingest", &["ingest", "log.jsonl"]),
        ("reconcile", &reconcile),
        ("ledger verify", &["ledger", "verify"]),
        ("ledger backup", &["ledger", "backup", "copies/"]),
    ];
    for (command, arguments) in jobs {
        world.run(&[arguments, &["--metrics", "m.prom"]].concat()).expect(0);
        assert_eq!(scraped(&world, "m.prom").one("tagih_job_exit_code", &[("command", command)]) as i64, 0, "{command}");
    }
    world.run(&["status", "--metrics", "m.prom"]).expect(2).says(&["is for jobs"]);
    world.run(&["sync", "--metrics", "m.txt"]).expect(2).says(&["*.prom only"]);
    world.file("folder", "");
    world.run(&["sync", "--metrics", "folder/m.prom"]).expect(9).says(&["the metrics of this run are lost"]);
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// Somebody who watches over jobs, and the paths that were asked for; answers with `status`.
fn watcher(status: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/KEY/tagih-{{command}}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let inbox = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), String::new());
            // Head and body may come apart.
            while !is_whole(&request) {
                let mut bytes = [0; 2048];
                match stream.read(&mut bytes) {
                    Ok(length) if length > 0 => request += &String::from_utf8_lossy(&bytes[..length]),
                    _ => break,
                }
            }
            inbox.lock().unwrap().push(request);
            drop(stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()));
        }
    });
    (url, heard)
}

fn paths(heard: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *heard.lock().unwrap()).iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn a_heartbeat_tells_start_and_end_of_jobs_and_no_secret() {
    let doku = Doku::process();
    let (url, heard) = watcher("200 OK");
    let world = World::at(&doku.base_url(), &format!("[heartbeat]\nurl = \"{url}\"\n"));
    world.many("bills.csv", "H", 1);
    world.issue("bills.csv", &[]).expect(0);
    let asked = heard.lock().unwrap().concat();
    assert!(!asked.contains(SECRET) && !asked.contains("Client-Id") && !asked.contains("H-0001"), "{asked}");
    assert_eq!(paths(&heard), ["/KEY/tagih-issue/start", "/KEY/tagih-issue/0"]);
    world.run(&["ingest", "missing-*.jsonl"]).expect(7);
    assert_eq!(paths(&heard), ["/KEY/tagih-ingest/start", "/KEY/tagih-ingest/7"]);
    world.run(&["ledger", "verify"]).expect(0);
    assert_eq!(paths(&heard), ["/KEY/tagih-ledger-verify/start", "/KEY/tagih-ledger-verify/0"]);
    // Where the ledger ended is told with it, so that an older copy put back is found by whoever kept that.
    let verified = world.run(&["ledger", "verify"]).expect(0).stdout;
    let ended = verified.trim().rsplit(' ').next().unwrap().to_owned();
    let told = std::mem::take(&mut *heard.lock().unwrap());
    assert!(told[0].starts_with("GET /KEY/tagih-ledger-verify/start ") && told[0].ends_with("\r\n\r\n"), "{told:?}");
    assert!(told[1].starts_with("POST /KEY/tagih-ledger-verify/0 "), "{told:?}");
    assert_eq!(told[1].split("\r\n\r\n").nth(1), Some(&*format!(r#"{{"ledger_head":"{ended}"}}"#)));
    world.run(&["ledger", "verify", "--head", &ended]).expect(0);
    assert_eq!(paths(&heard).len(), 2);
    for job in [&["issue", "bills.csv", "--out", "out"][..], &["ingest", "empty.jsonl"], &["sync"], &["ledger", "backup", "copy"]] {
        world.file("empty.jsonl", "");
        world.run(job).expect(0);
        let told = std::mem::take(&mut *heard.lock().unwrap());
        assert!(told[1].contains(r#"{"ledger_head":"#), "{job:?}: {told:?}");
        assert!(!told.concat().contains(SECRET) && !told.concat().contains("H-0001"), "{told:?}");
    }
    // A job that ends before it has seen the ledger has none to tell.
    world.run(&["ingest", "missing-*.jsonl"]).expect(7);
    let told = std::mem::take(&mut *heard.lock().unwrap());
    assert!(told[1].starts_with("GET /KEY/tagih-ingest/7 "), "{told:?}");
    world.run(&["status"]).expect(0);
    world.issue("bills.csv", &["--dry-run"]).expect(0);
    assert!(paths(&heard).is_empty(), "what only shows something is no job");
}

#[test]
fn a_heartbeat_that_nobody_hears_fails_no_job_delays_it_little_and_says_no_key() {
    let doku = Doku::process();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (failing, _) = watcher("500 Internal Server Error");
    let silence = format!("http://{}/KEY", silent.local_addr().unwrap());
    for url in [silence.as_str(), "http://127.0.0.1:1/KEY", "https://watcher.invalid/KEY", &failing] {
        let world = World::at(&doku.base_url(), &format!("[heartbeat]\nurl = \"{url}\"\ntimeout_ms = 200\n"));
        world.many("bills.csv", "H", 1);
        let begun = std::time::Instant::now();
        let ran = world.issue("bills.csv", &[]).expect(0).says(&["the heartbeat of `issue` was not heard"]);
        assert!(begun.elapsed().as_secs() < 60 && !ran.stderr.contains("KEY"), "{url}: {ran:?}");
        let quiet = world.issue("bills.csv", &["--quiet"]).expect(0);
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    }
    World::at(&doku.base_url(), "[heartbeat]\nurl = \"https://a/b?key=1\"\n").run(&["sync"]).expect(2).says(&["heartbeat.url"]);
}

#[test]
fn every_metric_an_alarm_watches_is_one_that_is_written() {
    let doku = Doku::process();
    let world = World::of(&doku);
    world.many("bills.csv", "M", 1);
    world.issue("bills.csv", &["--metrics", "m.prom"]).expect(0);
    let mut written = scraped(&world, "m.prom");
    let mut shop = Shop::new("");
    shop.open();
    let served = parse(&String::from_utf8(shop.get("/metrics").body).unwrap(), Dialect::OpenMetrics);
    written.names.extend(served.names);
    written.series.extend(served.series);
    let rules = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/alerts.yml")).unwrap();
    let expressions: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert_eq!(expressions.len(), rules.matches("- alert: ").count());
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = || expressions.iter().flat_map(|expression| expression.split(|c| !is_part(c))).filter(|word| word.starts_with("tagih_"));
    let unknown: BTreeSet<&str> = words().filter(|word| !written.names.contains(*word)).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {:#?}", written.names);
    // And the labels they pick: of counts that begin with 0, so that a first rise is one.
    for expression in expressions.iter().filter(|expression| expression.contains("increase(tagih_")) {
        for selector in expression.split("increase(").skip(1).filter_map(|rest| rest.split('[').next()) {
            let (name, label) = selector.split_once('{').unwrap_or((selector, ""));
            let is_plain = !label.contains(['~', '!']);
            if is_plain {
                let label = label.trim_end_matches('}');
                assert!(written.series.keys().any(|series| series.starts_with(name) && series.contains(label)), "{selector}");
            }
        }
    }
    assert_eq!(shop.close(), Some(0));
}
