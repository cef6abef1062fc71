//! The flags that every command takes.
//!
//! Belongs here: what any command may be told besides its own arguments (`args`). Must not be here: what is made of it (`setup`, `log`,
//! `watching`).

use std::path::PathBuf;

use clap::Args;

#[allow(clippy::doc_markdown, reason = "help texts for people")]
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Configuration file (also `TAGIH_CONFIG`)
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print the result as JSON, and an error as the last line on standard error
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Say nothing of a success but what was asked for
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// How lines on standard error look: text, json, journald (default: `log.format`)
    #[arg(long, global = true, value_name = "FORMAT", value_parser = super::log::format)]
    pub(super) log_format: Option<crate::config::LogFormat>,
    /// Where a job (issue, cancel, sync, ingest, reconcile, evidence add or verify, ledger verify or backup) leaves its metrics, for
    /// node_exporter's textfile collector: one file a command
    #[arg(long, global = true, value_name = "FILE.prom", value_parser = prom)]
    pub(super) metrics: Option<PathBuf>,
}

/// Reads `--metrics`.
fn prom(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_read = path.extension().is_some_and(|extension| extension == "prom");
    if is_read { Ok(path) } else { Err("the collector reads files called *.prom only".into()) }
}
