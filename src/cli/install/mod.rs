//! `tagih install`: the files with which systemd or cron run the nightly jobs, made for this configuration. It prints or writes them,
//! and installs nothing by itself.

mod cron;
mod site;
mod systemd;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::site::{File, Site};
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

pub(super) fn install(setup: &Setup, arguments: &Arguments) -> Result<Exit, Failure> {
    let site = site(setup, arguments)?;
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

/// What is there, and what is asked for.
fn site(setup: &Setup, arguments: &Arguments) -> Result<Site, Failure> {
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
    let logs =
        if arguments.logs.is_empty() { vec![log_dir.join("notifications-*.jsonl*").display().to_string()] } else { arguments.logs.clone() };
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if arguments.user.is_empty() || !plain(&arguments.user) {
        return Err(Failure::usage(format!("`--user {}` is no user's name", arguments.user)));
    }
    Ok(Site {
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
