//! The real binary, killed with `SIGKILL` at seeded instants while it bills through a faulty sandbox, and resumed by the same
//! command; in campaigns of odd seeds strangers stand between the two. In the end the sandbox's own record, the ledger and the result files must agree.
//!
//! `TAGIH_KILL_CAMPAIGNS`, `TAGIH_KILL_KILLS` (of all campaigns together) and `TAGIH_KILL_CODES` (of the first month of each)
//! set the size; `TAGIH_KILL_SEED` is the first campaign's seed, the next has the next number.

pub(crate) mod check;
pub(crate) mod rows;
mod strangers;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::check::Exported;
use self::rows::{Input, Wishes};
use self::strangers::Strangers;
use crate::support::dice::Dice;
use crate::support::process::{Desk, Finished};
use crate::support::sandbox::Sandbox;

const SECRET: &str = "SK-burung-dalam-sangkar";
const CLIENT: &str = "MCH-0001-KILL";

/// How long the sandbox sits on a delayed request: longer than the client waits.
const DELAY_MS: u64 = 150;
const REQUEST_MS: u64 = 120;

/// Months every campaign has: issue; change and cancel; change once more, with codes that move for the second time.
const MONTHS: usize = 3;

/// Runs that may end with rows in doubt before the one that has none.
const RUNS_MAX: u64 = 20;

/// Instants of its start a program is killed at, three milliseconds apart: reading, making the ledger, the first calls.
const STARTS: u64 = 20;

/// Kills of one month's run after its last change.
const AFTERWARDS_MAX: u64 = 2;

/// Campaigns at a time: they mostly wait.
const WORKERS: usize = 4;

/// A kill that finds the process alive is one more of these.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Before it called DOKU.
    before_calls: u64,
    /// While it called DOKU.
    amid_calls: u64,
    /// When every change had been made: doubts, results, the way out.
    after_calls: u64,
    /// How many of all these hit a run that was itself resuming a killed one.
    in_recovery: u64,
    /// Kills that came too late and do not count.
    missed: u64,
    /// Runs to the end, of which there is one a month if nothing stays in doubt.
    finishing_runs: u64,
    /// POST and PATCH attempts the sandboxes saw.
    calls: u64,
    /// Orders in the sandboxes' books.
    orders: u64,
    /// Requests that did not pass the strangers unharmed.
    meddled: u64,
}

impl Tally {
    fn landed(&self) -> u64 {
        self.before_calls + self.amid_calls + self.after_calls
    }

    fn add(&mut self, other: &Self) {
        self.before_calls += other.before_calls;
        self.amid_calls += other.amid_calls;
        self.after_calls += other.after_calls;
        self.in_recovery += other.in_recovery;
        self.missed += other.missed;
        self.finishing_runs += other.finishing_runs;
        self.calls += other.calls;
        self.orders += other.orders;
        self.meddled += other.meddled;
    }
}

/// When to kill.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after the start.
    After(Duration),
    /// So long after the sandbox has recorded so many changes.
    AtChange(usize, Duration),
}

struct Campaign {
    desk: Desk,
    sandbox: Sandbox,
    strangers: Option<Strangers>,
    environment: Vec<(&'static str, String)>,
    dice: Dice,
    wishes: Wishes,
    tally: Tally,
}

/// One month's file and where its results go.
struct Month {
    file: PathBuf,
    out: PathBuf,
    input: Input,
    /// What the sandbox will have recorded when everything is done.
    recorded_in_the_end: usize,
}

impl Campaign {
    fn new(seed: u64, codes: usize, fault_percent: u8) -> Self {
        let desk = Desk::new();
        let mut dice = Dice::new(seed);
        let mut environment = vec![
            ("TAGIH_DOKU_CLIENT_ID", CLIENT.to_owned()),
            ("TAGIH_DOKU_SECRET", SECRET.to_owned()),
            ("TAGIH_DOKU_VERIFY_RESPONSE", "enforce".into()),
            // So that a kill meets a run at work however fast the build is.
            ("TAGIH_PACING_RATE_PER_SECOND", "1000".into()),
            ("TAGIH_PACING_BURST", "10".into()),
            ("TAGIH_PACING_IN_FLIGHT_MAX", (1 << (2 + dice.below(4))).to_string()),
            // With few attempts some rows stay in doubt for the next run.
            ("TAGIH_RETRY_ATTEMPTS_MAX", (2 + dice.below(3)).to_string()),
            ("TAGIH_RETRY_BASE_MS", "5".into()),
            ("TAGIH_RETRY_CAP_MS", "50".into()),
            ("TAGIH_RETRY_BREAKER_FAILURES", "0".into()),
            ("TAGIH_TIMEOUT_REQUEST_MS", REQUEST_MS.to_string()),
            ("TAGIH_MERCHANT_CODE_TEMPLATE", "77{sequence}".into()),
            ("TAGIH_MERCHANT_CODE_LENGTH", "12".into()),
            ("TAGIH_LOG", if dice.percent(50) { "warn".into() } else { "debug".into() }),
        ];
        let [seed_text, percent, delay_text] = [seed, fault_percent.into(), DELAY_MS].map(|number| number.to_string());
        let arguments = ["--seed", &seed_text, "--faults", &percent, "--delay-ms", &delay_text];
        let sandbox = Sandbox::start(&desk, &arguments, &borrowed(&environment));
        let strangers = (seed % 2 == 1 && fault_percent > 0).then(|| Strangers::before(&sandbox.base_url(), seed));
        if strangers.is_some() {
            // Their errors have DOKU's shape: only that DOKU's own are signed tells them apart.
            environment.push(("TAGIH_DOKU_UNSIGNED_ERRORS", "refuse".into()));
            if seed % 4 == 1 {
                // Whose a success is, is then told by the order it names.
                environment.push(("TAGIH_DOKU_VERIFY_RESPONSE", "warn".into()));
            }
        }
        let base_url = strangers.as_ref().map_or_else(|| sandbox.base_url(), Strangers::base_url);
        environment.push(("TAGIH_DOKU_BASE_URL", base_url));
        Self { desk, sandbox, strangers, environment, dice, wishes: Wishes::new(seed, codes), tally: Tally::default() }
    }

    /// Bills month after month until `kills` have landed and every kind of change has been made.
    fn run(mut self, kills: u64) -> Tally {
        let mut recorded = 0;
        for number in 0.. {
            let left = kills - self.tally.landed();
            if number >= MONTHS && left == 0 {
                break;
            }
            assert!(self.tally.missed <= 10 * kills + 10, "kills keep missing: {:?}", self.tally);
            let changes = if number == 0 { self.wishes.orders() } else { self.wishes.turn_month() };
            let month = self.month(number, recorded + changes);
            // Several in a row on one file kill the recovery, too.
            let due = if number + 1 >= MONTHS || self.dice.percent(30) { left } else { self.dice.below(left + 1) };
            self.kill(&month, due);
            if self.has_ledger() && self.dice.percent(25) {
                let synced = self.tagih(&["sync"]);
                assert!(matches!(synced.code(), Some(0 | 3)), "{synced:?}");
            }
            self.finish(&month);
            recorded = month.recorded_in_the_end;
        }
        let outs: Vec<PathBuf> = fs::read_dir(self.desk.path("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
        let said = self.desk.said();
        let folders: Vec<_> = outs.iter().chain([&said]).map(PathBuf::as_path).collect();
        check::canaries(&folders, SECRET);
        self.tally.meddled = self.strangers.as_ref().map_or(0, Strangers::meddled);
        self.tally
    }

    fn month(&mut self, number: usize, recorded_in_the_end: usize) -> Month {
        let file = self.desk.path(format!("{number:02}.csv"));
        let dirty = self.dice.percent(50);
        let input = self.wishes.write(&file, dirty);
        Month { file, out: self.desk.path(format!("out/{number:02}")), input, recorded_in_the_end }
    }

    fn arguments(month: &Month) -> [&str; 4] {
        ["issue", month.file.to_str().unwrap(), "--out", month.out.to_str().unwrap()]
    }

    /// Runs the month and kills it, up to `due` times in a row; a run that ends first ends this too, and so does one that has been killed
    /// often enough when all had been done.
    fn kill(&mut self, month: &Month, due: u64) {
        let done_before = self.tally.after_calls;
        for earlier in 0..due {
            let before = self.sandbox.recorded();
            let moment = self.moment(month.recorded_in_the_end - before);
            let calls_before = self.sandbox.calls().len();
            let finished = self.run_until(month, before, moment);
            if !finished.was_killed() {
                self.tally.missed += 1;
                return;
            }
            let landed = match (self.sandbox.calls().len() > calls_before, self.sandbox.recorded() == month.recorded_in_the_end) {
                (_, true) => &mut self.tally.after_calls,
                (true, false) => &mut self.tally.amid_calls,
                (false, false) => &mut self.tally.before_calls,
            };
            *landed += 1;
            self.tally.in_recovery += u64::from(earlier > 0);
            self.look_at_corpse(month);
            if self.tally.after_calls == done_before + AFTERWARDS_MAX {
                return;
            }
        }
    }

    /// What holds at the moment of death, before anything is repaired.
    fn look_at_corpse(&self, month: &Month) {
        let calls = self.sandbox.calls();
        if self.has_ledger() {
            check::corpse(&self.export(), &calls, &month.out);
        } else {
            assert!(calls.is_empty(), "DOKU was called before there was a ledger (I1)");
        }
    }

    fn has_ledger(&self) -> bool {
        self.desk.path("tagih.ledger").exists()
    }

    /// Mostly at a change, so that instants are spread over the run however fast the machine is; sometimes by the clock.
    fn moment(&mut self, changes_left: usize) -> Moment {
        let (any, all) = ((1 + self.dice.below(changes_left as u64)).min(changes_left as u64), changes_left);
        match self.dice.below(10) {
            0 | 1 => Moment::After(Duration::from_millis(5 + self.dice.below(395))),
            2 => Moment::AtChange(all, Duration::from_micros(self.dice.below(60_000))),
            _ => Moment::AtChange(usize::try_from(any).unwrap(), Duration::from_micros(self.dice.below(20_000))),
        }
    }

    fn run_until(&self, month: &Month, recorded: usize, moment: Moment) -> Finished {
        let mut running = self.desk.start(&Self::arguments(month), &borrowed(&self.environment));
        let pause = match moment {
            Moment::After(pause) => pause,
            Moment::AtChange(change, pause) => {
                while self.sandbox.recorded() < recorded + change && !running.has_ended() {
                    thread::sleep(Duration::from_millis(1));
                }
                pause
            }
        };
        thread::sleep(pause);
        running.kill()
    }

    /// The same command until nothing is in doubt, and then every comparison.
    fn finish(&mut self, month: &Month) {
        let exit_code = i32::from(month.input.refused > 0);
        let file = fs::read(&month.file).unwrap();
        let mut runs = 0;
        loop {
            runs += 1;
            let finished = self.tagih(&Self::arguments(month));
            if finished.code() == Some(exit_code) {
                break;
            }
            assert_eq!(finished.code(), Some(3), "{finished:?}");
            assert!(runs < RUNS_MAX, "still in doubt after {runs} runs: {finished:?}");
        }
        self.tally.finishing_runs += runs;
        // Whatever the sandbox still sits on has arrived after this.
        thread::sleep(Duration::from_millis(DELAY_MS + 50));

        let summary = check::summary(&month.out, month.input, exit_code);
        let calls = self.sandbox.calls();
        let orders = self.sandbox.orders();
        self.tally.calls = calls.len() as u64;
        self.tally.orders = orders.len() as u64;
        check::calls(&calls, self.sandbox.recorded());
        assert_eq!(self.sandbox.recorded(), month.recorded_in_the_end, "more or fewer changes at DOKU than were wanted");
        check::world(&self.wishes, &orders, &self.export(), &month.out);
        let verified = self.tagih(&["ledger", "verify", "--head", &summary.ledger_head, "--against-sandbox", self.sandbox.record()]);
        assert_eq!(verified.code(), Some(0), "{verified:?}");

        let again = self.tagih(&Self::arguments(month));
        assert_eq!(again.code(), Some(exit_code), "{again:?}");
        let unchanged = check::summary(&month.out, month.input, exit_code);
        check::all_unchanged(&unchanged, month.input);
        // Nothing leaves without an event before it. On a machine that is busy enough a request of the run before may arrive as late as now.
        assert_eq!(unchanged.ledger_head, summary.ledger_head, "a finished run had something to do (I21)");
        let is_late = |call: &tagih::sandbox::record::Call| calls.iter().any(|before| before.request_id == call.request_id);
        assert!(self.sandbox.calls()[calls.len()..].iter().all(is_late), "a finished run called DOKU again (I21)");
        check::world(&self.wishes, &orders, &self.export(), &month.out);
        assert_eq!(fs::read(&month.file).unwrap(), file, "the input was touched (I19)");
    }

    fn tagih(&self, arguments: &[&str]) -> Finished {
        self.desk.run(arguments, &borrowed(&self.environment))
    }

    fn export(&self) -> Exported {
        let exported = self.tagih(&["ledger", "export"]);
        assert_eq!(exported.code(), Some(0), "{}", exported.stderr);
        Exported::parse(&exported.stdout)
    }
}

fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("`{name}` must be a whole number, not `{text}`")))
}

#[test]
fn a_program_killed_at_any_instant_loses_no_code_and_makes_none_twice() {
    let campaigns = setting("TAGIH_KILL_CAMPAIGNS", 10);
    let kills = setting("TAGIH_KILL_KILLS", 25);
    let codes = usize::try_from(setting("TAGIH_KILL_CODES", 200)).unwrap();
    let first_seed = setting("TAGIH_KILL_SEED", 1);
    let begun = Instant::now();
    let (next, total) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= campaigns {
                return;
            }
            let share = kills / campaigns + u64::from(number < kills % campaigns);
            let seed = first_seed + number;
            match catch_unwind(AssertUnwindSafe(|| Campaign::new(seed, codes, 20).run(share))) {
                Ok(tally) => total.lock().unwrap().add(&tally),
                Err(failure) => {
                    eprintln!("again: TAGIH_KILL_SEED={seed} TAGIH_KILL_CAMPAIGNS=1 TAGIH_KILL_KILLS={share} TAGIH_KILL_CODES={codes}");
                    next.store(campaigns, Ordering::Relaxed);
                    resume_unwind(failure);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(work);
        }
    });
    let total = total.into_inner().unwrap();
    println!(
        "{campaigns} campaigns of {codes} codes from seed {first_seed} in {:.1?}: {} kills landed, {total:?}",
        begun.elapsed(),
        total.landed()
    );
    assert_eq!(total.landed(), kills, "{total:?}");
    assert!(3 * total.amid_calls >= kills, "too few kills hit a run at work: {total:?}");
    assert!(total.meddled > 0 || (campaigns == 1 && first_seed.is_multiple_of(2)), "no stranger met a run: {total:?}");
}

#[test]
fn a_program_killed_while_it_starts_leaves_nothing_that_stops_the_next() {
    let mut landed = 0;
    for step in 0..STARTS {
        let mut campaign = Campaign::new(9_000 + step, 3, 0);
        let orders = campaign.wishes.orders();
        let month = campaign.month(0, orders);
        let finished = campaign.run_until(&month, 0, Moment::After(Duration::from_millis(3 * step)));
        landed += u64::from(finished.was_killed());
        campaign.look_at_corpse(&month);
        campaign.finish(&month);
    }
    assert!(landed >= STARTS / 3, "only {landed} of {STARTS} kills hit a program that was starting");
}
