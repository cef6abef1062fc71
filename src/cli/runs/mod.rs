//! Who ran which command when, with what, and how it ended: recorded of every command that writes, and `tagih runs`, which shows it.

mod arguments;
pub(super) mod record;

use clap::Subcommand;

pub(super) use self::arguments::Invocation;
use self::record::Recording;
pub(super) use self::record::{Input, Run, State, file_of, read};
use super::failure::Failure;
use super::output;
use super::person;
use super::setup::Setup;
use super::waiting::wait;
use crate::clock::Clock;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::{digest, misspelling};
use crate::exit::Exit;
use crate::ledger::{Ledger as _, Store, codes, lock};
use crate::random::{MachineRandomness, Randomness as _};
use crate::report::issue::head_text;

#[derive(Debug, Subcommand)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(super) enum RunsCommand {
    /// The latest runs; one that was killed never ended
    List {
        /// So many of them; 0 for all
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        last: usize,
        /// Only of this command, such as `issue` or `period close`
        #[arg(long, value_name = "COMMAND")]
        command: Option<String>,
        /// Only those that did not end with 0
        #[arg(long)]
        failed: bool,
    },
    /// All that is recorded of one run
    Show {
        /// Its id, or how that begins (default: the latest)
        id: Option<String>,
    },
}

/// An id for a run that begins now: its second, and what tells it from others of that second.
pub(super) fn new_id() -> String {
    let tail = digest::hex(&MachineRandomness.bytes::<4>());
    format!("{}-{tail}", Clock::default().now().strftime("%Y%m%dT%H%M%SZ"))
}

impl Setup {
    /// Begins the record of this run, if it is one to be recorded and its place is there. What cannot be recorded and does not change the
    /// ledger goes on with a warning.
    pub(super) fn begin_run(&self, id: &str, invocation: &Invocation) {
        if !invocation.is_recorded() {
            return;
        }
        let run = Run {
            id: id.to_owned(),
            command: invocation.command.clone(),
            arguments: invocation.arguments(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            account: person::account(),
            host: lock::host(),
            process: std::process::id(),
            environment: self.config.doku.environment.name().to_owned(),
            configuration: self.file.as_ref().map(|file| file.display().to_string()),
            ledger: self.ledger_name(),
            inputs: invocation.inputs.iter().filter_map(|path| Input::of(path)).map(Input::recorded).collect(),
            reports: Vec::new(),
            started_at: self.clock.now(),
            head_before: None,
            head_after: None,
            ended_at: None,
            duration_ms: None,
            exit_code: None,
        };
        let recording = self.recording.get_or_init(|| Recording::new(self.runs_folder(), run));
        // Nothing is laid where a ledger is missing: its disk may not be mounted.
        let is_elsewhere = invocation.has("external_ledger");
        if (self.has_ledger_place() || is_elsewhere)
            && let Err(error) = recording.put()
        {
            let folder = self.runs_folder();
            output::note(format_args!("warning: this run is not recorded: `{}`: {error}", folder.display()));
        }
    }

    /// That the run is recorded before it changes the ledger, which was opened and is at `ledger`'s head.
    pub(super) fn recorded(&self, ledger: &Store) -> Result<(), Failure> {
        self.run_sees(ledger)?;
        self.record_now()
    }

    /// The same of whatever ledger there is by now.
    pub(super) fn record_now(&self) -> Result<(), Failure> {
        let Some(recording) = self.recording.get() else { return Ok(()) };
        let (code, folder) = (codes::RUN_NOT_RECORDED, self.runs_folder());
        recording.put().map_err(|error| {
            let message = format!("{}: this run cannot be recorded in `{}`: {error}", code.id, folder.display());
            Failure::new(Exit::Disk, format!("{message}\nhint: {}", code.remedy))
        })
    }

    /// Notes where the ledger was when the run came to it.
    pub(super) fn run_sees(&self, ledger: &Store) -> Result<(), Failure> {
        let Some(recording) = self.recording.get().filter(|recording| recording.run().head_before.is_none()) else { return Ok(()) };
        let head = head_text(wait(ledger.head())?);
        recording.change(|run| run.head_before = Some(head));
        Ok(())
    }

    /// Notes files that were read, with their digests.
    pub(super) fn run_reads(&self, files: impl IntoIterator<Item = Input>) {
        if let Some(recording) = self.recording.get() {
            recording.change(|run| run.inputs.extend(files.into_iter().map(Input::recorded)));
        }
    }

    /// Notes a report that was written, by the digest of its summary.json.
    pub(super) fn run_wrote(&self, summary: &[u8]) {
        if let Some(recording) = self.recording.get() {
            recording.change(|run| run.reports.push(digest::hex(&digest::of_bytes(summary))));
        }
    }

    /// Whether a run of ours has written the report whose summary.json has this digest, as far as is recorded.
    pub(super) fn has_written(&self, summary_sha256: &str) -> bool {
        let (runs, _) = read(&self.runs_folder()).unwrap_or_default();
        runs.iter().any(|(run, _)| run.reports.iter().any(|written| written == summary_sha256))
    }

    /// Writes how the run ended. A success that cannot be recorded, and was begun, is none.
    pub(super) fn end_run(&self, exit: Exit, invocation: &Invocation) -> Exit {
        let Some(recording) = self.recording.get().filter(|recording| recording.is_begun()) else { return exit };
        recording.change(|run| run.arguments.extend(invocation.made()));
        match recording.end(self.clock.now(), exit.code(), self.head_after(recording, exit)) {
            Ok(()) => exit,
            Err(error) => {
                let (folder, hint) = (self.runs_folder(), codes::RUN_NOT_RECORDED.remedy);
                output::error(format_args!("how this run ended is not recorded: `{}`: {error}\nhint: {hint}", folder.display()));
                if exit == Exit::Done { Exit::Disk } else { exit }
            }
        }
    }

    /// As the command noted it, else as the ledger has it now; none of one that was not looked at, or that has failed.
    fn head_after(&self, recording: &Recording, exit: Exit) -> Option<String> {
        if let Some(head) = self.figures.borrow().head_text() {
            return Some(head.to_owned());
        }
        recording.run().head_before.filter(|_| exit != Exit::Disk)?;
        let ledger = self.existing_ledger().ok()??;
        wait(ledger.head()).ok().map(head_text)
    }
}

pub(super) fn runs(setup: &Setup, command: &RunsCommand) -> Result<Exit, Failure> {
    let folder = setup.runs_folder();
    let (runs, unreadable) = record::read(&folder).map_err(|error| Failure::disk(&folder, "read", &error))?;
    if unreadable > 0 {
        output::note(format_args!("warning: {unreadable} records in `{}` cannot be read", folder.display()));
    }
    match command {
        RunsCommand::List { last, command, failed } => {
            let is_meant = |(run, state): &&(Run, State)| {
                command.as_ref().is_none_or(|command| run.command == *command)
                    && (!failed || *state == State::NeverEnded || run.exit_code.is_some_and(|code| code != 0))
            };
            let shown: Vec<&(Run, State)> = runs.iter().filter(is_meant).take(if *last == 0 { usize::MAX } else { *last }).collect();
            list(setup, &shown);
        }
        RunsCommand::Show { id } => show(setup, &runs, id.as_deref())?,
    }
    Ok(Exit::Done)
}

/// The latest runs as they are kept, the latest first.
pub(super) fn latest(setup: &Setup, count: usize) -> Vec<serde_json::Value> {
    let (runs, _) = record::read(&setup.runs_folder()).unwrap_or_default();
    runs.iter().take(count).map(json).collect()
}

fn json((run, state): &(Run, State)) -> serde_json::Value {
    let mut told = serde_json::to_value(run).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        told.insert("state".into(), serde_json::to_value(state).unwrap_or_default());
    }
    told
}

fn list(setup: &Setup, runs: &[&(Run, State)]) {
    if setup.json {
        return output::result(serde_json::Value::from(runs.iter().copied().map(json).collect::<Vec<_>>()));
    }
    if runs.is_empty() {
        return output::note(format_args!("no run is recorded in `{}`", setup.runs_folder().display()));
    }
    for (run, state) in runs {
        output::result(format_args!(
            "{}  {}  {:<22}  {:<12}  {}",
            run.id,
            format_utc_seconds(run.started_at),
            run.command,
            ended(run, *state),
            run.account
        ));
    }
}

/// `exit 0`, `running` or `never ended`.
fn ended(run: &Run, state: State) -> String {
    match state {
        State::Running => "running".to_owned(),
        State::NeverEnded => "never ended".to_owned(),
        State::Ended => format!("exit {}", run.exit_code.unwrap_or_default()),
    }
}

fn show(setup: &Setup, runs: &[(Run, State)], id: Option<&str>) -> Result<(), Failure> {
    let wanted = id.unwrap_or_default();
    let mut found = runs.iter().filter(|(run, _)| run.id.starts_with(wanted));
    let one = match (found.next(), found.next()) {
        (Some(one), Some(_)) if id.is_none() || one.0.id == wanted => one,
        (Some(one), None) => one,
        (Some(_), Some(_)) => {
            return Err(Failure::usage(format!("several runs begin with `{wanted}`\nhint: `tagih runs list` has whole ids")));
        }
        (None, _) => {
            let exists = |edit: &str| Ok::<_, std::convert::Infallible>(runs.iter().any(|(run, _)| run.id == edit));
            let question = misspelling::question(&misspelling::nearest(wanted, exists).unwrap_or_default())
                .map_or_else(String::new, |text| format!("{text} "));
            return Err(Failure::usage(format!("there is no run `{wanted}`\nhint: {question}`tagih runs list --last 0` lists them all")));
        }
    };
    if setup.json {
        output::result(json(one));
        return Ok(());
    }
    let (run, state) = one;
    let line = |name: &str, text: &str| output::result(format_args!("{name:<14} {text}"));
    line("run", &run.id);
    line("command", &run.command);
    for (name, value) in &run.arguments {
        let words = value.as_array().map(|values| values.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(" "));
        line("", format!("{name} {}", words.unwrap_or_default()).trim_end());
    }
    line("ended", &ended(run, *state));
    line("started at", &format_utc_seconds(run.started_at));
    if let (Some(at), Some(milliseconds)) = (run.ended_at, run.duration_ms) {
        line("ended at", &format!("{}, after {}.{:03} s", format_utc_seconds(at), milliseconds / 1_000, milliseconds % 1_000));
    }
    line("who", &format!("{}, on {}, process {}", run.account, run.host, run.process));
    line("version", &run.version);
    line("environment", &run.environment);
    line("configuration", run.configuration.as_deref().unwrap_or("none"));
    line("ledger", &run.ledger);
    line("head before", run.head_before.as_deref().unwrap_or("not looked at"));
    line("head after", run.head_after.as_deref().unwrap_or("not known"));
    for report in &run.reports {
        line("report", &format!("summary.json with sha256 {report}"));
    }
    for input in &run.inputs {
        line("input", &format!("{} ({} bytes, sha256 {})", input.path, input.bytes, input.sha256));
    }
    Ok(())
}
