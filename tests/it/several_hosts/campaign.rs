//! Several senders with one file at one PostgreSQL, through a faulty sandbox: one killed and started again, one frozen past its lease, the
//! server restarted in the middle. In the end the sandbox's own record, the ledger and everybody's result files must agree, and at no time
//! did more requests arrive than the one ceiling allows.
//!
//! `TAGIH_CLUSTER_CAMPAIGNS`, `TAGIH_CLUSTER_ROWS` and `TAGIH_CLUSTER_WORKERS` set the size; `TAGIH_CLUSTER_SEED` is the first campaign's.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use tagih::sandbox::record::Call;

use crate::kill::check::{self, Exported};
use crate::kill::rows::{Input, Wishes};
use crate::support::cluster::Cluster;
use crate::support::dice::Dice;
use crate::support::process::{Desk, Finished, Running};
use crate::support::sandbox::Sandbox;

const SECRET: &str = "SK-burung-beterbangan-1";
const CLIENT: &str = "MCH-0001-CLUSTER";
const DELAY_MS: u64 = 150;
const REQUEST_MS: u64 = 120;
const LEASE_SECONDS: u64 = 2;
/// The ceiling of all, and by how much of a second requests may arrive later than they left.
const RATE: usize = 120;
const BURST: usize = 8;
const LATE_MS: i64 = 400;
/// Runs of a worker that may end with rows left over.
const RUNS_MAX: usize = 30;

struct Worker {
    out: PathBuf,
    running: Option<Running>,
    runs: usize,
    is_done: bool,
}

struct Campaign {
    cluster: Cluster,
    desk: Desk,
    sandbox: Sandbox,
    environment: Vec<(&'static str, String)>,
    dice: Dice,
    wishes: Wishes,
    file: PathBuf,
    input: Input,
    workers: Vec<Worker>,
}

impl Campaign {
    fn new(seed: u64, rows: usize, workers: usize) -> Self {
        let (cluster, desk) = (Cluster::start(true), Desk::new());
        let mut environment = vec![
            ("TAGIH_DOKU_CLIENT_ID", CLIENT.to_owned()),
            ("TAGIH_DOKU_SECRET", SECRET.to_owned()),
            ("TAGIH_DOKU_VERIFY_RESPONSE", "enforce".into()),
            ("TAGIH_LEDGER_URL", cluster.url(&cluster.database())),
            ("TAGIH_LEDGER_LEASE_SECONDS", LEASE_SECONDS.to_string()),
            ("TAGIH_PACING_RATE_PER_SECOND", RATE.to_string()),
            ("TAGIH_PACING_BURST", BURST.to_string()),
            ("TAGIH_RETRY_ATTEMPTS_MAX", "3".into()),
            ("TAGIH_RETRY_BASE_MS", "5".into()),
            ("TAGIH_RETRY_CAP_MS", "50".into()),
            ("TAGIH_RETRY_BREAKER_FAILURES", "0".into()),
            ("TAGIH_TIMEOUT_REQUEST_MS", REQUEST_MS.to_string()),
            ("TAGIH_MERCHANT_CODE_TEMPLATE", "77{sequence}".into()),
            ("TAGIH_MERCHANT_CODE_LENGTH", "12".into()),
            ("TAGIH_LOG", "info".into()),
        ];
        let [seed_text, delay_text] = [seed, DELAY_MS].map(|number| number.to_string());
        let arguments = ["--seed", &seed_text, "--faults", "20", "--delay-ms", &delay_text];
        let sandbox = Sandbox::start(&desk, &arguments, &borrowed(&environment));
        environment.push(("TAGIH_DOKU_BASE_URL", sandbox.base_url()));
        let mut wishes = Wishes::new(seed, rows);
        let file = desk.path("bills.csv");
        let input = wishes.write(&file, false);
        let worker = |number: usize| Worker { out: desk.path(format!("out/{number}")), running: None, runs: 0, is_done: false };
        let workers = (0..workers).map(worker).collect();
        Self { cluster, desk, sandbox, environment, dice: Dice::new(seed), wishes, file, input, workers }
    }

    fn tagih(&self, arguments: &[&str]) -> Finished {
        self.desk.run(arguments, &borrowed(&self.environment))
    }

    fn start(&mut self, number: usize) {
        let out = self.workers[number].out.to_str().unwrap().to_owned();
        let running = self.desk.start(&["issue", self.file.to_str().unwrap(), "--out", &out], &borrowed(&self.environment));
        let worker = &mut self.workers[number];
        (worker.running, worker.runs) = (Some(running), worker.runs + 1);
    }

    /// Starts again whoever has ended with rows left over; gives whether all are done.
    fn go_on(&mut self) -> bool {
        for number in 0..self.workers.len() {
            let worker = &mut self.workers[number];
            if worker.is_done || !worker.running.as_mut().is_some_and(Running::has_ended) {
                continue;
            }
            let finished = worker.running.take().unwrap().wait();
            assert!(!finished.stderr.contains("panicked"), "{finished:?}");
            match finished.code() {
                Some(0) => worker.is_done = true,
                // 9: the server went away in the middle of a long look.
                Some(3 | 9) => {
                    assert!(worker.runs < RUNS_MAX, "still not done after {RUNS_MAX} runs: {finished:?}");
                    self.start(number);
                }
                _ => panic!("{finished:?}"),
            }
        }
        self.workers.iter().all(|worker| worker.is_done)
    }

    /// Waits until the sandbox has recorded that part of all changes, or nobody is left who makes any.
    fn until(&mut self, percent: usize) {
        let wanted = self.wishes.orders() * percent / 100;
        while self.sandbox.recorded() < wanted && !self.go_on() {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn any(&mut self) -> usize {
        usize::try_from(self.dice.below(self.workers.len() as u64)).unwrap()
    }

    /// Kills anybody who is still at it, and starts it again.
    fn kill_one(&mut self) {
        let number = self.any();
        if let Some(running) = self.workers[number].running.take() {
            running.kill();
            self.start(number);
        }
    }

    /// Stops anybody for longer than its lease lasts.
    fn freeze_one(&mut self) {
        let number = self.any();
        let tell = |campaign: &Self, name: &str| campaign.workers[number].running.iter().for_each(|running| running.signal(name));
        tell(self, "STOP");
        thread::sleep(Duration::from_secs(2 * LEASE_SECONDS));
        tell(self, "CONT");
    }

    fn run(mut self) {
        for number in 0..self.workers.len() {
            self.start(number);
        }
        self.until(10);
        self.kill_one();
        self.until(25);
        self.freeze_one();
        self.until(45);
        self.cluster.stop("QUIT");
        self.cluster.run();
        self.until(65);
        self.kill_one();
        while !self.go_on() {
            thread::sleep(Duration::from_millis(20));
        }
        self.check();
    }

    fn check(&self) {
        // Whatever the sandbox still sits on has arrived after this.
        thread::sleep(Duration::from_millis(DELAY_MS + 50));
        let (calls, orders) = (self.sandbox.calls(), self.sandbox.orders());
        check::calls(&calls, self.sandbox.recorded());
        assert_eq!(self.sandbox.recorded(), self.wishes.orders(), "more or fewer changes at DOKU than were wanted");
        never_too_fast(&calls);
        let exported = self.tagih(&["ledger", "export"]);
        let exported = Exported::parse(&exported.stdout);
        let mut head = String::new();
        for worker in &self.workers {
            check::world(&self.wishes, &orders, &exported, &worker.out);
            head = check::summary(&worker.out, self.input, 0).ledger_head;
        }
        let verified = self.tagih(&["ledger", "verify", "--head", &head]);
        assert_eq!(verified.code(), Some(0), "{verified:?}");
        let again = self.tagih(&["issue", self.file.to_str().unwrap(), "--out", self.workers[0].out.to_str().unwrap()]);
        assert_eq!(again.code(), Some(0), "{again:?}");
        check::all_unchanged(&check::summary(&self.workers[0].out, self.input, 0), self.input);
        assert_eq!(self.sandbox.calls().len(), calls.len(), "a finished run called DOKU again (I21)");
        check::canaries(&[&self.desk.said()], SECRET);
    }
}

/// I18 across hosts: in no window did more requests arrive than the one ceiling lets start.
fn never_too_fast(calls: &[Call]) {
    let times: Vec<i64> = calls.iter().map(|call| call.at.as_millisecond()).collect();
    for (first, begun) in times.iter().enumerate() {
        for (count, ended) in times[first..].iter().enumerate().map(|(index, ended)| (index + 1, ended)) {
            let window_ms = usize::try_from(ended - begun + LATE_MS).unwrap();
            let allowed = BURST + RATE * window_ms / 1_000 + 1;
            assert!(count <= allowed, "{count} requests within {} ms, allowed {allowed} (I18)", ended - begun);
        }
    }
}

fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("`{name}` must be a whole number, not `{text}`")))
}

#[test]
fn several_senders_killed_frozen_and_cut_off_lose_no_code_make_none_twice_and_keep_one_rate() {
    let campaigns = setting("TAGIH_CLUSTER_CAMPAIGNS", 2);
    let (rows, workers) = (setting("TAGIH_CLUSTER_ROWS", 1_000), setting("TAGIH_CLUSTER_WORKERS", 4));
    let first_seed = setting("TAGIH_CLUSTER_SEED", 1);
    for number in 0..campaigns {
        let seed = (first_seed + number) as u64;
        eprintln!("campaign {seed}: again by TAGIH_CLUSTER_SEED={seed} TAGIH_CLUSTER_CAMPAIGNS=1");
        Campaign::new(seed, rows, workers).run();
    }
}
