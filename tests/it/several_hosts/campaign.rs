//! Several senders with one file at one PostgreSQL, through a faulty sandbox: killed and started again, frozen past their lease, cut off
//! from the server or out of its hearing while they go on, cut off from DOKU, and the server crashed in the middle. In the end the sandbox's
//! own record, the ledger and everybody's result files must agree, and at no time did more requests arrive than the one ceiling allows.
//!
//! `TAGIH_CLUSTER_CAMPAIGNS`, `TAGIH_CLUSTER_ROWS`, `TAGIH_CLUSTER_WORKERS` and `TAGIH_CLUSTER_RATE` set the size; `TAGIH_CLUSTER_SEED` is
//! the first campaign's.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tagih::sandbox::record::Call;

use crate::kill::check::{self, Exported};
use crate::kill::rows::{Input, Wishes};
use crate::support::cluster::Cluster;
use crate::support::dice::Dice;
use crate::support::network::Network;
use crate::support::process::{Desk, Finished, Running};
use crate::support::sandbox::Sandbox;

const SECRET: &str = "SK-burung-beterbangan-1";
const CLIENT: &str = "MCH-0001-CLUSTER";
const DELAY_MS: u64 = 150;
const REQUEST_MS: u64 = 120;
const LEASE_SECONDS: u64 = 2;
/// What all may send at once, and by how much of a second requests may arrive later than they left.
const BURST: usize = 8;
const LATE_MS: i64 = 400;
/// Runs of a worker that may end with rows left over.
const RUNS_MAX: usize = 30;

struct Worker {
    out: PathBuf,
    /// Its ways to the server and to DOKU.
    to_server: Network,
    to_doku: Network,
    running: Option<Running>,
    runs: usize,
    is_done: bool,
}

/// What happens to one in the middle of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Kill,
    /// It stands still for longer than its lease lasts.
    Freeze,
    /// For so long it has no way to the server, and knows it.
    CutOff,
    /// The same, and nobody tells it: what it says arrives in the end.
    Stall,
    /// The server commits, and it does not hear of it.
    LoseAnswer,
    CutOffFromDoku,
    /// The server dies, as by `pg_ctl stop -m immediate`, and comes back.
    Crash,
}

const BLOWS: [Blow; 10] = [
    Blow::Kill,
    Blow::Kill,
    Blow::Kill,
    Blow::Freeze,
    Blow::CutOff,
    Blow::Stall,
    Blow::LoseAnswer,
    Blow::CutOffFromDoku,
    Blow::Crash,
    Blow::Crash,
];

struct Campaign {
    cluster: Cluster,
    desk: Desk,
    sandbox: Sandbox,
    /// The server's address and DOKU's, for who has nothing between.
    environment: Vec<(&'static str, String)>,
    dice: Dice,
    wishes: Wishes,
    file: PathBuf,
    input: Input,
    workers: Vec<Worker>,
    rate: usize,
}

#[derive(Clone, Copy)]
struct Size {
    rows: usize,
    workers: usize,
    /// The ceiling of all: so many requests a second.
    rate: usize,
}

impl Campaign {
    fn new(seed: u64, Size { rows, workers, rate }: Size) -> Self {
        let (cluster, desk) = (Cluster::start(true), Desk::new());
        let mut environment = vec![
            ("TAGIH_DOKU_CLIENT_ID", CLIENT.to_owned()),
            ("TAGIH_DOKU_SECRET", SECRET.to_owned()),
            ("TAGIH_DOKU_VERIFY_RESPONSE", "enforce".into()),
            ("TAGIH_LEDGER_URL", cluster.url(&cluster.database())),
            ("TAGIH_LEDGER_LEASE_SECONDS", LEASE_SECONDS.to_string()),
            ("TAGIH_PACING_RATE_PER_SECOND", rate.to_string()),
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
        let worker = |number: usize| {
            let (out, to_server, to_doku) = (desk.path(format!("out/{number}")), Network::to(cluster.port), Network::to(sandbox.port()));
            Worker { out, to_server, to_doku, running: None, runs: 0, is_done: false }
        };
        let workers = (0..workers).map(worker).collect();
        Self { cluster, desk, sandbox, environment, dice: Dice::new(seed), wishes, file, input, workers, rate }
    }

    fn tagih(&self, arguments: &[&str]) -> Finished {
        self.desk.run(arguments, &borrowed(&self.environment))
    }

    fn start(&mut self, number: usize) {
        let worker = &mut self.workers[number];
        let through = |(name, value): &(&'static str, String)| match *name {
            "TAGIH_LEDGER_URL" => (*name, value.replace(&self.cluster.port.to_string(), &worker.to_server.port.to_string())),
            "TAGIH_DOKU_BASE_URL" => (*name, value.replace(&self.sandbox.port().to_string(), &worker.to_doku.port.to_string())),
            _ => (*name, value.clone()),
        };
        let environment: Vec<_> = self.environment.iter().map(through).collect();
        let arguments = ["issue", self.file.to_str().unwrap(), "--out", worker.out.to_str().unwrap()];
        let running = self.desk.start(&arguments, &borrowed(&environment));
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

    /// Anybody who is still at it.
    fn any(&mut self) -> usize {
        let at_it = |number: &usize| self.workers[*number].running.is_some();
        let at_it: Vec<usize> = (0..self.workers.len()).filter(at_it).collect();
        assert!(!at_it.is_empty(), "all are done before everything has happened: too few rows");
        at_it[usize::try_from(self.dice.below(at_it.len() as u64)).unwrap()]
    }

    fn go_on_while(&mut self, holds: impl Fn(&Self) -> bool) {
        while holds(self) {
            self.go_on();
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets it happen to one of those who are still at it; the others go on.
    fn meet(&mut self, blow: Blow) {
        let number = self.any();
        eprintln!("    {blow:?} of worker {number} after {} of {} changes", self.sandbox.recorded(), self.wishes.orders());
        let worker = &mut self.workers[number];
        let signal = |worker: &Worker, name: &str| worker.running.iter().for_each(|running| running.signal(name));
        match blow {
            Blow::Kill => {
                worker.running.take().map(Running::kill);
                return self.start(number);
            }
            Blow::Crash => {
                self.cluster.stop("QUIT");
                return self.cluster.run();
            }
            Blow::LoseAnswer => {
                worker.to_server.cut_after(b"COMMIT");
                return self.go_on_while(|campaign| {
                    let worker = &campaign.workers[number];
                    worker.running.is_some() && worker.to_server.is_armed()
                });
            }
            Blow::Freeze => signal(worker, "STOP"),
            Blow::CutOff => worker.to_server.cut(),
            Blow::Stall => worker.to_server.stall(),
            Blow::CutOffFromDoku => worker.to_doku.cut(),
        }
        let begun = Instant::now();
        self.go_on_while(|_| begun.elapsed() < Duration::from_secs(2 * LEASE_SECONDS));
        let worker = &self.workers[number];
        worker.to_server.heal();
        worker.to_doku.heal();
        signal(worker, "CONT");
    }

    fn run(mut self) {
        for number in 0..self.workers.len() {
            self.start(number);
        }
        let mut blows = BLOWS;
        for last in (1..blows.len()).rev() {
            blows.swap(last, usize::try_from(self.dice.below(last as u64 + 1)).unwrap());
        }
        for (number, blow) in blows.into_iter().enumerate() {
            self.until(5 + 80 * number / blows.len());
            self.meet(blow);
        }
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
        never_too_fast(&calls, self.rate);
        let exported = self.tagih(&["ledger", "export"]);
        let exported = Exported::parse(&exported.stdout);
        let mut head = String::new();
        for worker in &self.workers {
            check::world(&self.wishes, &orders, &exported, &worker.out);
            head = check::summary(&worker.out, self.input, 0).ledger_head;
        }
        let verified = self.tagih(&["ledger", "verify", "--head", &head, "--against-sandbox", self.sandbox.record()]);
        assert_eq!(verified.code(), Some(0), "{verified:?}");
        let again = self.tagih(&["issue", self.file.to_str().unwrap(), "--out", self.workers[0].out.to_str().unwrap()]);
        assert_eq!(again.code(), Some(0), "{again:?}");
        check::all_unchanged(&check::summary(&self.workers[0].out, self.input, 0), self.input);
        assert_eq!(self.sandbox.calls().len(), calls.len(), "a finished run called DOKU again (I21)");
        check::canaries(&[&self.desk.said()], SECRET);
    }
}

/// I18 across hosts: in no window did more requests arrive than the one ceiling lets start.
fn never_too_fast(calls: &[Call], rate: usize) {
    let times: Vec<i64> = calls.iter().map(|call| call.at.as_millisecond()).collect();
    for (first, begun) in times.iter().enumerate() {
        for (count, ended) in times[first..].iter().enumerate().map(|(index, ended)| (index + 1, ended)) {
            let window_ms = usize::try_from(ended - begun + LATE_MS).unwrap();
            let allowed = BURST + rate * window_ms / 1_000 + 1;
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
    let campaigns = setting("TAGIH_CLUSTER_CAMPAIGNS", 1);
    let (rows, workers, rate) =
        (setting("TAGIH_CLUSTER_ROWS", 1_600), setting("TAGIH_CLUSTER_WORKERS", 4), setting("TAGIH_CLUSTER_RATE", 60));
    let first_seed = setting("TAGIH_CLUSTER_SEED", 1);
    for number in 0..campaigns {
        let seed = (first_seed + number) as u64;
        eprintln!("campaign {seed}: again by TAGIH_CLUSTER_SEED={seed} TAGIH_CLUSTER_CAMPAIGNS=1");
        Campaign::new(seed, Size { rows, workers, rate }).run();
    }
}
