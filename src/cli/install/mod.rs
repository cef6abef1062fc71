//! `tagih install`: the files with which systemd or cron run the nightly jobs, made for this configuration. It prints or writes them,
//! and installs nothing by itself.

mod cron;
mod systemd;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::failure::absolute;
use super::output;
use super::setup::Setup;
use crate::exit::Exit;
use crate::report::atomic;

/// What runs the jobs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Runner {
    /// Units and timers
    Systemd,
    /// A script for the night and its crontab
    Cron,
}

#[derive(Debug, Args)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(super) struct Arguments {
    /// What is to run the jobs
    runner: Runner,
    /// The file of bills that `issue` reads each night
    #[arg(long, value_name = "FILE", default_value = "/srv/billing/today.csv")]
    bills: PathBuf,
    /// Notification logs that `ingest` reads (default: those in `serve.log_dir`)
    #[arg(long, value_name = "LOG", num_args = 1..)]
    logs: Vec<String>,
    /// The user that owns ledger, journal and logs
    #[arg(long, value_name = "USER", default_value = "tagih")]
    user: String,
    /// Where results and backups go
    #[arg(long, value_name = "DIR", default_value = "/var/lib/tagih")]
    state: PathBuf,
    /// The folder of node_exporter's textfile collector: each job leaves its metrics there
    #[arg(long, value_name = "DIR")]
    textfiles: Option<PathBuf>,
    /// Write the files into this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What the files are made of.
struct Site {
    program: PathBuf,
    config: Option<PathBuf>,
    user: String,
    bills: PathBuf,
    logs: Vec<String>,
    state: PathBuf,
    /// The evidence store, and whether the settings have one.
    evidence: PathBuf,
    keeps_evidence: bool,
    textfiles: Option<PathBuf>,
    /// Folders the jobs write into.
    written: Vec<PathBuf>,
    /// Secrets that are to come as credentials, because no setting says where they are: each with its file.
    credentials: Vec<(&'static str, &'static str)>,
    /// Whether numbers of invoices need `--cycle`.
    needs_cycle: bool,
    /// Whether jobs without DOKU call somebody all the same.
    has_heartbeat: bool,
    drain_seconds: u64,
    connections_max: u64,
}

/// A job of the night, as both runners start it.
struct Job {
    /// Such as `ledger-verify`.
    name: &'static str,
    /// What it does, in a few words.
    does: &'static str,
    arguments: Vec<String>,
}

/// A file to be put somewhere.
struct File {
    /// Where it belongs.
    path: String,
    text: String,
    is_program: bool,
}

pub(super) fn install(setup: &Setup, arguments: &Arguments) -> Result<Exit, Failure> {
    let site = Site::of(setup, arguments)?;
    let files = match arguments.runner {
        Runner::Systemd => systemd::files(&site),
        Runner::Cron => cron::files(&site),
    };
    let is_confined = matches!(arguments.runner, Runner::Systemd);
    for path in site.unseen().into_iter().filter(|_| is_confined) {
        output::note(format_args!(
            "warning: `{}` is below a folder that the units do not see (/home, /root, /tmp)\nhint: keep it in /etc/tagih, /var/lib/tagih or /srv",
            path.display()
        ));
    }
    match &arguments.out {
        Some(folder) => write(setup.json, folder, &files)?,
        None if setup.json => {
            let one = |file: &File| serde_json::json!({"path": file.path, "text": file.text, "is_program": file.is_program});
            output::result(serde_json::Value::from(files.iter().map(one).collect::<Vec<_>>()));
        }
        None => files.iter().for_each(|file| output::result(format_args!("### {}\n{}", file.path, file.text))),
    }
    Ok(Exit::Done)
}

fn write(json: bool, folder: &Path, files: &[File]) -> Result<(), Failure> {
    let mut written = Vec::new();
    for file in files {
        let name = Path::new(&file.path).file_name().unwrap_or_default();
        let mode = if file.is_program { 0o755 } else { 0o644 };
        atomic::write(&folder.join(name), |draft| {
            draft.get_ref().as_file().set_permissions(fs::Permissions::from_mode(mode))?;
            draft.write_all(file.text.as_bytes())
        })?;
        if !json {
            output::done(format_args!("{} belongs to {}", folder.join(name).display(), file.path));
        }
        written.push(serde_json::json!({"written": folder.join(name), "belongs_to": file.path}));
    }
    if json {
        output::result(serde_json::Value::from(written));
    }
    Ok(())
}

fn credentials(setup: &Setup) -> Result<Vec<(&'static str, &'static str)>, Failure> {
    let (doku, ledger) = (&setup.config.doku, &setup.config.ledger);
    let is_sealed = setup.seals()?.fingerprint().is_some();
    let secret = (doku.secret_file.is_empty() && doku.secret_command.is_empty()).then_some(("doku_secret", "/etc/tagih/doku-secret"));
    let key = (ledger.seal_key_file.is_empty() && is_sealed).then_some(("ledger_seal_key", "/etc/tagih/ledger-seal-key"));
    Ok(secret.into_iter().chain(key).collect())
}

impl Site {
    fn of(setup: &Setup, arguments: &Arguments) -> Result<Self, Failure> {
        let config = &setup.config;
        let log_dir = absolute(Path::new(&config.serve.log_dir));
        let parent = |path: &str| absolute(Path::new(path)).parent().map(Path::to_path_buf);
        let evidence = match config.evidence.store.as_str() {
            "" => absolute(&arguments.state).join("evidence"),
            store => absolute(Path::new(store)),
        };
        let mut written: Vec<PathBuf> = [parent(&config.journal.path), Some(log_dir.clone())]
            .into_iter()
            .chain([Some(arguments.state.clone()), Some(evidence.clone()), arguments.textfiles.clone()])
            .chain(config.ledger.url.is_empty().then(|| parent(&config.ledger.path)))
            .flatten()
            .collect();
        written.sort();
        written.dedup();
        let logs = if arguments.logs.is_empty() {
            vec![log_dir.join("notifications-*.jsonl*").display().to_string()]
        } else {
            arguments.logs.clone()
        };
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if arguments.user.is_empty() || !plain(&arguments.user) {
            return Err(Failure::usage(format!("`--user {}` is no user's name", arguments.user)));
        }
        Ok(Self {
            program: std::env::current_exe()?,
            config: setup.file.as_deref().map(absolute),
            user: arguments.user.clone(),
            bills: absolute(&arguments.bills),
            logs,
            state: absolute(&arguments.state),
            evidence,
            keeps_evidence: !config.evidence.store.is_empty(),
            textfiles: arguments.textfiles.as_deref().map(absolute),
            written,
            credentials: credentials(setup)?,
            needs_cycle: config.intake.invoice_number_template.contains("{cycle}"),
            has_heartbeat: !config.heartbeat.url.is_empty(),
            drain_seconds: config.serve.drain_seconds,
            connections_max: config.serve.connections_max.get().into(),
        })
    }

    /// The jobs in their order. What the night's run is to end by is a duration: it holds whenever it begins.
    fn job(&self, name: &'static str) -> Job {
        let path = |path: &Path| path.display().to_string();
        let words = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<String>>();
        let (does, mut arguments) = match name {
            "ingest" => ("payments from the logs into the ledger", [words("ingest"), self.logs.clone(), words("--allow-no-logs")].concat()),
            "issue" => {
                let fixed = words("--yes --max-duration 4h --out");
                (
                    "issue, amend and cancel codes as the file wants",
                    [words("issue"), vec![path(&self.bills)], fixed, vec![path(&self.state.join("out"))]].concat(),
                )
            }
            "evidence" => (
                "keep what the logs say, verified",
                [words("evidence add"), self.logs.clone(), words("--allow-no-logs --store"), vec![path(&self.evidence)]].concat(),
            ),
            "sync" => ("settle doubts, ask about bills nobody told of", words("sync --yes --max-duration 30m")),
            "ledger-backup" => (
                "copy the ledger while it is in use",
                [words("ledger backup"), vec![format!("{}/", path(&self.state.join("backup")))]].concat(),
            ),
            "ledger-verify" => (
                "recompute the ledger's chain and bills, and hold it against last night's head",
                [words("ledger verify --head-file"), vec![path(&self.state.join("ledger.head"))]].concat(),
            ),
            other => unreachable!("there is no job `{other}`"),
        };
        arguments.push("--quiet".into());
        if let Some(folder) = &self.textfiles {
            arguments.extend(["--metrics".into(), path(&folder.join(format!("tagih-{name}.prom")))]);
        }
        Job { name, does, arguments }
    }

    /// What the units are to read or write and do not see.
    fn unseen(&self) -> Vec<&Path> {
        let needed = self.written.iter().chain(&self.config).chain([&self.program, &self.bills]).map(PathBuf::as_path);
        needed.filter(|path| ["/home", "/root", "/tmp", "/var/tmp"].iter().any(|hidden| path.starts_with(hidden))).collect()
    }
}
