//! All commands of the command line, each with the arguments that it has. Every flag has a help text; nothing is decided here.
#![allow(clippy::doc_markdown, reason = "help texts for people")]

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::args::{Cancel, Cycle, Issue, Reconcile, Sending, Serve, SupportBundle, VerdictArgument, Why, language};
use super::global::Global;
use super::ledger_args::LedgerCommand;
use super::period_args::PeriodCommand;
use super::tables::BillFlags;
use crate::domain::language::Language;

/// Issue DOKU convenience-store payment codes in bulk, and prove rupiah by rupiah what was paid.
#[derive(Debug, Parser)]
#[command(name = "tagih", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Offline tour in under a minute: sandbox, 500 sample policies, faults, payments, report
    Demo {
        /// Where to leave input, ledger, logs and reports (default: a new folder under the system's temporary one)
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Validate input files without network or ledger
    Check {
        /// CSV or XLSX files of policies or invoices; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        cycle: Cycle,
        #[command(flatten)]
        tables: BillFlags,
        /// Write valid.csv (places of valid rows), rejected.csv (reasons) and the bad rows of each file whole here
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Issue, amend and cancel codes to match the files; run again to resume
    Issue(Issue),
    /// Cancel the codes of a file's rows, or of invoice numbers
    Cancel(Cancel),
    /// Settle what is in doubt, and ask DOKU about expired bills that no notification came for
    Sync {
        /// Only these, whether they are due or not
        #[arg(value_name = "INVOICE")]
        invoices: Vec<String>,
        #[command(flatten)]
        sending: Sending,
    },
    /// End a doubt by a person's decision, recorded with its reason
    Resolve {
        /// The invoice in doubt
        invoice: String,
        /// What was found out
        #[arg(long = "as", value_name = "VERDICT")]
        verdict: VerdictArgument,
        /// The code, if the verdict is `done` for a code DOKU made
        #[arg(long, value_name = "CODE")]
        payment_code: Option<String>,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Payments from notification logs into the ledger
    Ingest {
        /// Logs (.jsonl, .gz, .zst), tables of notifications (.csv, .xlsx), or quoted globs
        #[arg(required_unless_present = "evidence", value_name = "LOG")]
        logs: Vec<String>,
        /// A store that `tagih evidence add` made, instead of logs or beside them
        #[arg(long, value_name = "DIR")]
        evidence: Option<PathBuf>,
        /// The layout of tables, one of `[layouts.NAME]` (default: the one whose headers they have)
        #[arg(long, value_name = "NAME")]
        layout: Option<String>,
        /// A name or pattern without files is no error
        #[arg(long)]
        allow_no_logs: bool,
    },
    /// Notification logs against the ledger: a discrepancy report
    Reconcile(Reconcile),
    /// Verify logs once, and keep what they say by the day it was received
    #[command(subcommand)]
    Evidence(super::evidence::EvidenceCommand),
    /// Close a month's books, open them again, list what is closed
    #[command(subcommand)]
    Period(PeriodCommand),
    /// Hand a report to an auditor: its facts as Parquet, the rules as SQL for another engine, our figures beside them
    AuditKit(super::audit_kit::Arguments),
    /// Decide about what reports found, and keep the decisions
    #[command(subcommand)]
    Discrepancies(super::discrepancies_args::DiscrepanciesCommand),
    /// Remove what `[retention]` keeps no longer: personal data of closed bills, old logs and records of runs
    Purge(super::retention::Arguments),
    /// What is kept about a customer
    #[command(subcommand)]
    Privacy(super::privacy::PrivacyCommand),
    /// Keys: until when each is believed, and what to say after a leak
    #[command(subcommand)]
    Keys(super::revoking::KeysCommand),
    /// Who ran which command when, with which files, and how it ended
    #[command(subcommand)]
    Runs(super::runs::RunsCommand),
    /// The whole story of one bill: what happened, the rule that decided, what to do next
    Why(Why),
    /// Explain a class, error or exit code, offline
    Explain {
        /// Such as P06, E0107 or 3; without one, all are listed
        code: Option<String>,
        /// `en`, or `id` for Bahasa Indonesia
        #[arg(long, default_value = "en", value_name = "LANG", value_parser = language)]
        lang: Language,
    },
    /// What the ledger holds, by status
    Status,
    /// Adopt, back up, verify, export or purge the ledger
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Look for what would fail a night: clock, network, secret, ledger, disks, settings; each with what to do
    Doctor(super::doctor::Arguments),
    /// Gather what somebody needs who helps from afar, without secrets and names: settings, versions, runs, doctor, verify, logs
    SupportBundle(SupportBundle),
    /// Print, or write, what systemd or cron run the nightly jobs with, made for this configuration
    Install(super::install::Arguments),
    /// Show settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write a commented tagih.toml to start from
    Init {
        /// Where
        #[arg(default_value = "tagih.toml", value_name = "FILE")]
        file: PathBuf,
        /// Look at this export (CSV or XLSX) and propose a layout for it
        #[arg(long, value_name = "EXPORT")]
        from: Option<PathBuf>,
        /// Ready for `tagih sandbox` on this machine, with a secret key of its own beside it
        #[arg(long)]
        sandbox: bool,
    },
    /// Answer DOKU's inquiries and keep its notifications, until interrupted
    Serve(Serve),
    /// Run the DOKU look-alike on loopback until interrupted
    Sandbox(super::sandbox::Arguments),
    /// What a command does, its arguments and examples
    Help {
        /// Such as `period close`; without one, all commands are listed
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages, one a command
    Man {
        /// Where to
        #[arg(default_value = "man", value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the settings in force
    Show {
        /// And where each is from: a variable, a file, or the defaults
        #[arg(long)]
        origin: bool,
    },
}
