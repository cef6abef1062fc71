//! Ending a process with all that it has started, whatever that did to get out of its hands: a group, a session or a parent of its own.
//!
//! What is orphaned comes to the nearest of its ancestors that takes such in; that is us, for as long as the process runs.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::{self, Pid, WaitOptions};

use crate::clock::Stopwatch;

/// Whoever starts processes as fast as they are ended is given up after that.
const LIMIT: Duration = Duration::from_secs(5);
/// In a test's process, the children of other tests are ours as well.
const TAKES_ORPHANS: bool = !cfg!(test);

/// That orphans come to us from now on, and which children we had before.
#[derive(Debug)]
pub struct Descent {
    before: BTreeSet<i32>,
}

/// A process, as `/proc/1234/stat` tells: `1234 (name) S 1 …`.
struct Process {
    id: i32,
    parent: i32,
}

impl Descent {
    /// To be called before the process is started whose descent it is.
    #[must_use]
    pub fn begin() -> Self {
        take_orphans(TAKES_ORPHANS);
        let ours = all().into_iter().filter(|process| process.parent == ourselves());
        Self { before: ours.map(|process| process.id).collect() }
    }

    /// Ends `leader`, a process that we started since, and all that it has started.
    pub fn end(self, leader: u32) {
        let leader = i32::try_from(leader).unwrap_or_default();
        // As long as it is there, it is known whose children they are.
        self.end_those_there(leader);
        if let Some(group) = Pid::from_raw(leader) {
            let _ended_already = process::kill_process_group(group, process::Signal::KILL);
        }
        let begun = Stopwatch::start();
        while begun.elapsed() < LIMIT && self.end_those_there(leader) {
            std::thread::yield_now();
        }
        take_orphans(false);
    }

    /// Ends those that are there now; whether there were any.
    fn end_those_there(&self, leader: i32) -> bool {
        let all = all();
        let is_orphan = |process: &&Process| TAKES_ORPHANS && process.parent == ourselves() && !self.before.contains(&process.id);
        let mut descent: BTreeSet<i32> = all.iter().filter(is_orphan).map(|process| process.id).chain([leader]).collect();
        loop {
            let count = descent.len();
            descent.extend(all.iter().filter(|process| descent.contains(&process.parent)).map(|process| process.id).collect::<Vec<_>>());
            if descent.len() == count {
                break;
            }
        }
        let mut is_any = false;
        // The leader is buried by whoever started it, and its number may be another's then.
        for id in descent.into_iter().filter(|id| *id != leader).filter_map(Pid::from_raw) {
            // What is another account's goes on, and is not waited for.
            is_any |= process::kill_process(id, process::Signal::KILL).is_ok();
            let _not_ended_yet = process::waitpid(Some(id), WaitOptions::NOHANG);
        }
        is_any
    }
}

fn take_orphans(does: bool) {
    let _where_the_kernel_can = process::set_child_subreaper(does.then(process::getpid));
}

fn ourselves() -> i32 {
    process::getpid().as_raw_nonzero().get()
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let read = |id: i32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        Some(Process { id, parent })
    };
    entries.filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}
