//! What watches over a job: metrics that it leaves (`--metrics`), and heartbeats that tell when it begins and ends (`[heartbeat]`).

use std::path::PathBuf;
use std::time::Duration;

use super::command_line::Command;
use super::evidence::EvidenceCommand;
use super::failure::Failure;
use super::global::Global;
use super::ledger_args::LedgerCommand;
use super::output;
use super::sender::proxy;
use super::setup::Setup;
use crate::clock::{Clock, Stopwatch};
use crate::exit::Exit;
use crate::gateway::client::Endpoint;
use crate::gateway::heartbeat::{self, Beat};
use crate::ledger::LedgerHead;
use crate::report::issue::head_text;
use crate::report::metrics::{self, EndedRun, Figures};

/// A command while it runs. Only jobs are watched.
pub(super) struct Watching {
    job: Option<&'static str>,
    metrics: Option<PathBuf>,
    began: Stopwatch,
}

/// The job that a command does; none if it only shows something, or runs until it is stopped.
const fn job(command: &Command) -> Option<&'static str> {
    Some(match command {
        Command::Issue(issue) if !issue.dry_run => "issue",
        Command::Cancel(_) => "cancel",
        Command::Sync { .. } => "sync",
        Command::Ingest { .. } => "ingest",
        Command::Reconcile(_) => "reconcile",
        Command::Evidence(EvidenceCommand::Add { .. }) => "evidence add",
        Command::Evidence(EvidenceCommand::Verify { .. }) => "evidence verify",
        Command::Ledger(LedgerCommand::Verify { .. }) => "ledger verify",
        Command::Ledger(LedgerCommand::Backup { .. }) => "ledger backup",
        _ => return None,
    })
}

impl Watching {
    pub(super) fn begin(global: &Global, command: &Command) -> Result<Self, Failure> {
        let (job, metrics) = (job(command), global.metrics.clone());
        if metrics.is_some() && job.is_none() {
            return Err(Failure::usage(
                "`--metrics` is for jobs: issue, cancel, sync, ingest, reconcile, evidence add and verify, ledger verify and backup\n\
                 hint: `tagih serve` has its own at /metrics",
            ));
        }
        Ok(Self { job, metrics, began: Stopwatch::start() })
    }

    /// Tells that the job has begun.
    pub(super) fn start(&self, setup: &Setup) {
        self.tell(setup, &Beat::Start);
    }

    /// Leaves the metrics and tells how the job ended. What cannot be told changes nothing about how it did, but a success whose
    /// metrics cannot be written is none.
    pub(super) fn end(&self, setup: Option<&Setup>, exit: Exit) -> Exit {
        let exit = self.write(setup, exit);
        if let Some(setup) = setup {
            let ledger_head = setup.figures.borrow().head_text().map(str::to_owned);
            self.tell(setup, &Beat::End { code: exit.code(), ledger_head });
        }
        exit
    }

    fn write(&self, setup: Option<&Setup>, exit: Exit) -> Exit {
        let (Some(path), Some(command)) = (&self.metrics, self.job) else { return exit };
        let run = EndedRun {
            command,
            environment: setup.map_or("unknown", |setup| setup.config.doku.environment.name()),
            ended_at: setup.map_or_else(Clock::default, |setup| setup.clock.clone()).now(),
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            exit_code: exit.code(),
        };
        let figures = setup.map_or_else(Figures::default, |setup| setup.figures.borrow().clone());
        match metrics::write(path, &run, &figures) {
            Ok(()) => exit,
            Err(error) => {
                output::error(format_args!("the metrics of this run are lost: {error}"));
                if exit == Exit::Done { Exit::Disk } else { exit }
            }
        }
    }

    fn tell(&self, setup: &Setup, beat: &Beat) {
        let (settings, Some(job)) = (&setup.config.heartbeat, self.job) else { return };
        if settings.url.is_empty() {
            return;
        }
        let url = settings.url.replace("{command}", &job.replace(' ', "-"));
        let limit = settings.timeout_ms;
        // It is no host of DOKU's, so what vouches for DOKU's does not vouch for it.
        let endpoint = Endpoint {
            base_url: String::new(),
            client_id: String::new(),
            connect_ms: limit,
            request_ms: limit,
            proxy: proxy(setup),
            root_certificates: None,
        };
        let told =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string()).and_then(|runtime| {
                let told = runtime.block_on(crate::clock::within(Duration::from_millis(2 * limit), heartbeat::tell(&url, beat, &endpoint)));
                // A name that is being looked up is not waited for.
                runtime.shutdown_background();
                told.unwrap_or_else(|| Err("no answer within the time limit".into()))
            });
        if let Err(reason) = told {
            output::note(format_args!("warning: the heartbeat of `{job}` was not heard: {reason}; the job is not touched by it"));
        }
    }
}

impl Setup {
    /// Notes what the command comes to, for its metrics.
    pub(super) fn figure(&self, note: impl FnOnce(&mut Figures)) {
        note(&mut self.figures.borrow_mut());
    }

    /// Notes where the ledger's events end.
    pub(super) fn figure_head(&self, head: LedgerHead) {
        self.figure(|figures| figures.head(head_text(head), head.sequence));
    }
}
