//! The command line as typed. Every flag has a help text; nothing is decided here.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools, reason = "help texts for people, and flags as typed")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;

use super::global::Global;
use super::ledger_args::LedgerCommand;
use super::period_args::PeriodCommand;
use super::tables::{BillFlags, TableFlags};
use super::times::{day, instant};
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
    SupportBundle(super::support::Arguments),
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

/// Reads `--lang`.
pub(super) fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| "there are `en` and `id`".into())
}

#[derive(Debug, Args)]
pub(super) struct Cycle {
    /// The billing cycle, for invoice numbers made by `intake.invoice_number_template`
    #[arg(long, value_name = "2026-10")]
    pub(super) cycle: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(super) struct Sending {
    /// Stop after so long, such as `90s`, `30m` or `2h`; run again to resume
    #[arg(long, value_name = "DURATION")]
    pub(super) max_duration: Option<String>,
    /// Stop at this WIB time: `05:30`, `tomorrow 05:30` or `2026-11-29 05:30`
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
    /// Do not ask before sending to production
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Issue {
    /// CSV or XLSX files of policies or invoices: the wanted state; `-` is standard input (with --plan: by default the plan's)
    #[arg(required_unless_present = "plan", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Print the plan (counts, rupiah, calls, time at the rate) and send nothing; with --out also write plan.csv and plan.xlsx
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Carry out exactly this plan.csv, or refuse if file, configuration or a bill it names has moved
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(super) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(super) cycle: Cycle,
    #[command(flatten)]
    pub(super) tables: BillFlags,
    /// Where accepted.csv, rejected.csv, deferred.csv and summary.json go
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) sending: Sending,
    /// Create the ledger if there is none
    #[arg(long)]
    pub(super) new_ledger: bool,
    /// Issue expired, unpaid bills anew once DOKU confirms that their codes have expired
    #[arg(long)]
    pub(super) reissue_expired: bool,
    /// Send again what DOKU refused before, even if the row is the same
    #[arg(long)]
    pub(super) retry_rejected: bool,
    /// The first number `{sequence}` may give out: needed in production while the ledger knows no code of yours
    #[arg(long, value_name = "N")]
    pub(super) sequence_from: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct Cancel {
    /// One existing CSV file, or invoice numbers
    #[arg(required = true, value_name = "FILE|INVOICE")]
    pub(super) what: Vec<String>,
    #[command(flatten)]
    pub(super) cycle: Cycle,
    #[command(flatten)]
    pub(super) tables: BillFlags,
    /// Where the result files go
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) sending: Sending,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum VerdictArgument {
    /// It was carried out
    Done,
    /// It was not, and will not be
    NotDone,
    /// The code exists but can no longer be paid
    Dead,
    /// Whatever held the invoice has been looked at
    Released,
}

#[derive(Debug, Args)]
pub(super) struct Why {
    /// Its invoice number, its code, or the id of a discrepancy about it
    pub(super) invoice: String,
    /// Notification logs or quoted globs (default: those in `serve.log_dir`)
    #[arg(long, value_name = "LOG", num_args = 1..)]
    pub(super) notifications: Vec<String>,
    /// A store that `tagih evidence add` made, instead of logs or beside them
    #[arg(long, value_name = "DIR")]
    pub(super) evidence: Option<PathBuf>,
    /// Settlement files or quoted globs
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) settlement: Vec<String>,
    /// The output folder of a `tagih reconcile`: what its books know, also of bills of another system and of months before
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
    #[command(flatten)]
    pub(super) tables: TableFlags,
    /// A WIB month (default: from the first day anything is known of)
    #[arg(long, value_name = "2026-10")]
    pub(super) period: Option<String>,
    /// Seen from when (UTC; default: now)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) as_of: Option<Timestamp>,
    /// `en`, or `id` for Bahasa Indonesia (default: `report.language`)
    #[arg(long, value_name = "LANG", value_parser = language)]
    pub(super) lang: Option<Language>,
}

#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// A WIB month
    #[arg(long, value_name = "2026-10", conflicts_with_all = ["from", "to"], required_unless_present = "from")]
    pub(super) period: Option<String>,
    /// First WIB day
    #[arg(long, value_name = "DATE", value_parser = day, requires = "to")]
    pub(super) from: Option<Date>,
    /// Last WIB day
    #[arg(long, value_name = "DATE", value_parser = day, requires = "from")]
    pub(super) to: Option<Date>,
    /// Notification logs, tables of notifications, or quoted globs
    #[arg(long, required_unless_present = "evidence", num_args = 1.., value_name = "LOG")]
    pub(super) notifications: Vec<String>,
    /// A store that `tagih evidence add` made, instead of logs or beside them: a line that is in both counts once
    #[arg(long, value_name = "DIR")]
    pub(super) evidence: Option<PathBuf>,
    /// Of the store, only what was received from this WIB day on
    #[arg(long, value_name = "DATE", value_parser = day, requires = "evidence")]
    pub(super) evidence_from: Option<Date>,
    /// Of the store, only what was received up to this WIB day
    #[arg(long, value_name = "DATE", value_parser = day, requires = "evidence")]
    pub(super) evidence_to: Option<Date>,
    #[command(flatten)]
    pub(super) tables: TableFlags,
    /// A name or pattern of logs without files is no error
    #[arg(long)]
    pub(super) allow_no_logs: bool,
    /// A ledger of another system (CSV, XLSX or Parquet) instead of ours
    #[arg(long, value_name = "FILE")]
    pub(super) external_ledger: Option<PathBuf>,
    /// Our own ledger beside it: codes it issued that the other does not know are reported (L09)
    #[arg(long, value_name = "LEDGER", requires = "external_ledger")]
    pub(super) request_history: Option<PathBuf>,
    /// DOKU's settlement reports (CSV, XLSX) or quoted globs: follow the money to the bank
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(super) settlement: Vec<String>,
    /// Statements of the bank account DOKU pays to (CSV, XLSX, MT940) or quoted globs: see pay-outs arrive
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(super) bank: Vec<String>,
    /// Inquiry logs of `tagih serve` or quoted globs: hold payments against what was answered
    #[arg(long, num_args = 1.., value_name = "LOG")]
    pub(super) inquiries: Vec<String>,
    /// The output folder of an earlier period: its payments make a later one a second payment
    #[arg(long, value_name = "DIR")]
    pub(super) carry_in: Option<PathBuf>,
    /// Carry balances over from the period before: its output folder, or `auto` for the one that was closed
    #[arg(long, value_name = "DIR|auto")]
    pub(super) opening: Option<PathBuf>,
    /// The instant the report speaks of (default: now)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) as_of: Option<Timestamp>,
    /// Where the report goes
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Language of workbook and page (default: `report.language`)
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub(super) lang: Option<Language>,
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

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen, instead of `serve.listen`; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<std::net::SocketAddr>,
    /// Where health and metrics are, instead of `serve.admin_listen`
    #[arg(long, value_name = "ADDRESS")]
    pub(super) admin_listen: Option<std::net::SocketAddr>,
}
