//! The disk against the real program: at every system call that changes a file or makes it durable, the process is killed, or the call
//! fails, singly and in pairs; then the same command is run again, as cron would. What must hold is in `judge`.
//!
//! `TAGIH_FAULTS_SAMPLE` faults and `TAGIH_FAULTS_PAIRS` pairs are tried of each command, drawn by `TAGIH_FAULTS_SEED`; `all` for every
//! call and every kind, of which `TAGIH_FAULTS_SHARD=3/40` is the third of forty parts. `TAGIH_FAULTS_ONLY` names one command, and `TAGIH_FAULTS_AT` one attempt (`12:io`, `12:short,40:before` in one
//! run, or `12:before;40:io` in one and in the next).

mod commands;
mod damage;
mod judge;
mod serving;
mod shim;
mod stage;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

use self::commands::{COMMANDS, Command};
use self::shim::{Fault, KINDS, Kind, Record, Seen};
use self::stage::Stage;
use crate::support::dice::Dice;

/// Each tries its part of every command.
const WORKERS: usize = 2;

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// How many are tried; `None` is all.
fn wanted(name: &str, default: usize) -> Option<usize> {
    match setting(name).as_deref() {
        None => Some(default),
        Some("all") => None,
        Some(text) => Some(text.parse().unwrap_or_else(|_| panic!("`{name}` is a number or `all`"))),
    }
}

/// What came of a command.
#[derive(Debug, Default)]
struct Tried {
    calls: u64,
    singly: u64,
    pairs: u64,
    kinds: BTreeMap<Kind, u64>,
    failures: Vec<String>,
}

impl Tried {
    /// Whether `judge` finds a rule broken, and the command by which it is seen again.
    fn judge(&mut self, name: &str, runs: &[Vec<Fault>], judge: impl FnOnce(&mut String)) {
        let mut told = String::new();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| judge(&mut told))) {
            let said = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let (said, at) = (said.unwrap_or_default(), shim::shown(runs));
            self.failures.push(format!("TAGIH_FAULTS_ONLY={name} TAGIH_FAULTS_AT='{at}': {said}{told}"));
        }
    }

    /// Another worker's part of the same command.
    fn add(&mut self, other: Self) {
        (self.calls, self.singly, self.pairs) = (other.calls, self.singly + other.singly, self.pairs + other.pairs);
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    fn met(&mut self, faults: &[Fault], seen: &Seen) {
        for fault in &faults[..seen.met.len()] {
            *self.kinds.entry(fault.kind).or_default() += 1;
        }
    }
}

/// Lets one run of a command after the other meet its faults, runs it once more, and holds it against the rules; whether all were met.
fn attempt(stage: &Stage, command: &Command, runs: &[Vec<Fault>], tried: &mut Tried) -> bool {
    stage.restore();
    let (mut is_met, mut met) = (true, Vec::new());
    tried.judge(command.name, runs, |told| {
        for (number, faults) in runs.iter().enumerate() {
            let (ended, seen) = stage.run(faults);
            write!(told, "\n  met {:?}; ended {:?} {}", seen.met, ended.code, ended.stderr.trim_end()).unwrap();
            is_met &= seen.met.len() == faults.len();
            met.push((faults, seen));
            judge::struck(stage, command, faults, number > 0, &ended);
            stage.age();
        }
        let (ended, _) = stage.run(&[]);
        write!(told, "\n  again {:?} {}", ended.code, ended.stderr.trim_end()).unwrap();
        judge::again(stage, command, &ended);
    });
    for (faults, seen) in met {
        tried.met(faults, &seen);
    }
    is_met
}

/// Every fault that can strike a run with these calls, or a sample of them.
fn drawn(trace: &[u8], count: Option<usize>, dice: &mut Dice) -> Vec<Fault> {
    let at = |(at, what): (u64, &u8)| {
        KINDS.into_iter().filter(|kind| kind.strikes(*what)).map(move |kind| Fault { at, kind }).collect::<Vec<_>>()
    };
    let mut all: Vec<Fault> = (1..).zip(trace).flat_map(at).collect();
    let Some(count) = count else { return all };
    (0..count.min(all.len())).map(|_| all.swap_remove(usize::try_from(dice.below(all.len() as u64)).unwrap())).collect()
}

/// Which of `all` are tried by `TAGIH_FAULTS_SHARD`.
fn shard(all: Vec<Fault>) -> impl Iterator<Item = Fault> {
    let (this, of) = setting("TAGIH_FAULTS_SHARD").map_or((1, 1), |text| {
        let (this, of) = text.split_once('/').expect("a shard is as 3/40");
        (this.parse::<usize>().unwrap(), of.parse::<usize>().unwrap())
    });
    assert!((1..=of).contains(&this), "shards are counted from 1");
    all.into_iter().skip(this - 1).step_by(of)
}

/// This worker's part of what is tried of a command.
fn try_command(command: &Command, worker: usize) -> Tried {
    let mut tried = Tried::default();
    let stage = Stage::new((command.prepare)());
    if let Some(at) = setting("TAGIH_FAULTS_AT") {
        if worker == 0 {
            attempt(&stage, command, &shim::parse(&at), &mut tried);
        }
        return tried;
    }
    let (ended, calm) = stage.run(&[]);
    assert_eq!(ended.code, Some(command.ends), "{}: {ended:#?}", command.name);
    tried.calls = calm.count;
    let seed = setting("TAGIH_FAULTS_SEED").map_or(1, |text| text.parse().unwrap());
    let mut dice = Dice::new(seed ^ digest_of(command.name));
    for fault in shard(drawn(&calm.trace, wanted("TAGIH_FAULTS_SAMPLE", 2), &mut dice)).skip(worker).step_by(WORKERS) {
        tried.singly += u64::from(attempt(&stage, command, &[vec![fault]], &mut tried));
    }
    for _ in (0..wanted("TAGIH_FAULTS_PAIRS", 1).expect("pairs are drawn")).skip(worker).step_by(WORKERS) {
        let mut dice = Dice::new(dice.roll() ^ worker as u64);
        let mut pair = drawn(&calm.trace, Some(2), &mut dice);
        pair.sort_by_key(|fault| fault.at);
        // A process that is dead meets nothing more; who finishes its work may.
        let is_apart = pair[0].kind.kills() || dice.percent(50);
        let runs = if is_apart { pair.into_iter().map(|fault| vec![fault]).collect() } else { vec![pair] };
        tried.pairs += u64::from(attempt(&stage, command, &runs, &mut tried));
    }
    tried
}

fn digest_of(name: &str) -> u64 {
    name.bytes().fold(0, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte))
}

#[test]
fn a_disk_that_fails_at_any_call_is_told_of_and_the_same_command_finishes_what_was_begun() {
    let only = setting("TAGIH_FAULTS_ONLY");
    let commands: Vec<&Command> = COMMANDS.iter().filter(|command| only.as_ref().is_none_or(|only| only == command.name)).collect();
    let (all, begun) = (Mutex::new(BTreeMap::<_, Tried>::new()), Instant::now());
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (commands, all) = (&commands, &all);
            scope.spawn(move || {
                for command in commands {
                    let tried = try_command(command, worker);
                    println!(
                        "{}, part {} of {WORKERS}: {} calls, {} faults, {} pairs, {} failures",
                        command.name,
                        worker + 1,
                        tried.calls,
                        tried.singly,
                        tried.pairs,
                        tried.failures.len()
                    );
                    all.lock().unwrap().entry(command.name).or_default().add(tried);
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    let sum = |of: fn(&Tried) -> u64| all.values().map(of).sum::<u64>();
    let (calls, singly, pairs) = (sum(|tried| tried.calls), sum(|tried| tried.singly), sum(|tried| tried.pairs));
    println!("{} commands, {calls} calls, {singly} faults and {pairs} pairs met in {:.0?}", all.len(), begun.elapsed());
    let mut kinds = BTreeMap::<Kind, u64>::new();
    for (kind, count) in all.values().flat_map(|tried| &tried.kinds) {
        *kinds.entry(*kind).or_default() += count;
    }
    println!("{kinds:?}");
    let failures: Vec<&String> = all.values().flat_map(|tried| &tried.failures).collect();
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.iter().map(|text| text.as_str()).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn what_a_server_acknowledged_is_kept_whatever_its_disk_did() {
    if setting("TAGIH_FAULTS_ONLY").is_some_and(|only| only != "serve") {
        return;
    }
    let (stage, record, mut tried) = (Stage::new(serving::prepare()), Record::new(), Tried::default());
    let (acknowledged, ended, calm) = serving::received(&stage, &record, &[]);
    assert_eq!((acknowledged.len(), ended.code), (4, Some(0)), "{ended:?}");
    let faults = match setting("TAGIH_FAULTS_AT") {
        Some(at) => shim::parse(&at).concat(),
        None => drawn(&calm.trace, wanted("TAGIH_FAULTS_SAMPLE", 6), &mut Dice::new(1)),
    };
    for fault in shard(faults) {
        serving::attempt(&stage, &record, fault, &mut tried);
    }
    println!("serve: {} calls, {:?} met, {} failures", calm.count, tried.kinds, tried.failures.len());
    assert!(tried.failures.is_empty(), "{} failures:\n{}", tried.failures.len(), tried.failures.join("\n"));
}
