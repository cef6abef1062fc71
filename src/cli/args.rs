//! The command line as typed. Every flag has a help text; nothing is decided here.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools, reason = "help texts for people, and flags as typed")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;

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

#[derive(Debug, Args)]
pub(super) struct Global {
    /// Configuration file (also `TAGIH_CONFIG`)
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print only the result and errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
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
        /// CSV files of policies or invoices
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        cycle: Cycle,
        /// Write valid.csv (places of valid rows) and rejected.csv here
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Issue, amend and cancel codes to match the files; run again to resume
    Issue(Issue),
    /// Cancel the codes of a file's rows, or of invoice numbers
    Cancel(Cancel),
    /// Settle what is in doubt, by replay and Check Status
    Sync {
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
        /// Logs (.jsonl, .gz, .zst) or quoted globs
        #[arg(required = true, value_name = "LOG")]
        logs: Vec<String>,
    },
    /// Notification logs against the ledger: a discrepancy report
    Reconcile(Reconcile),
    /// The whole story of one bill
    Why {
        /// Its invoice number
        invoice: String,
    },
    /// Explain a class or error code, offline
    Explain {
        /// Such as P06 or E0107; without one, all are listed
        code: Option<String>,
    },
    /// What the ledger holds, by status
    Status,
    /// Adopt, back up, verify, export or purge the ledger
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Show settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write a commented tagih.toml to start from
    Init {
        /// Where
        #[arg(default_value = "tagih.toml", value_name = "FILE")]
        file: PathBuf,
    },
    /// Run the DOKU look-alike on loopback until interrupted
    Sandbox(Sandbox),
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
    /// Stop at this WIB time of day
    #[arg(long, value_name = "HH:MM")]
    pub(super) until: Option<String>,
    /// Do not ask before sending to production
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Issue {
    /// CSV files of policies or invoices: the wanted state
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Print the plan (counts, rupiah, calls, time at the rate) and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) cycle: Cycle,
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
}

#[derive(Debug, Args)]
pub(super) struct Cancel {
    /// One existing CSV file, or invoice numbers
    #[arg(required = true, value_name = "FILE|INVOICE")]
    pub(super) what: Vec<String>,
    #[command(flatten)]
    pub(super) cycle: Cycle,
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
}

#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// A WIB month
    #[arg(long, value_name = "2026-10", conflicts_with_all = ["from", "to"], required_unless_present = "from")]
    pub(super) period: Option<String>,
    /// First WIB day
    #[arg(long, value_name = "DATE", requires = "to")]
    pub(super) from: Option<Date>,
    /// Last WIB day
    #[arg(long, value_name = "DATE", requires = "from")]
    pub(super) to: Option<Date>,
    /// Notification logs or quoted globs
    #[arg(long, required = true, num_args = 1.., value_name = "LOG")]
    pub(super) notifications: Vec<String>,
    /// A ledger of another system (CSV or Parquet) instead of ours
    #[arg(long, value_name = "FILE")]
    pub(super) external_ledger: Option<PathBuf>,
    /// The output folder of an earlier period: its payments make a later one a second payment
    #[arg(long, value_name = "DIR")]
    pub(super) carry_in: Option<PathBuf>,
    /// The instant the report speaks of (default: now)
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Timestamp>,
    /// Where the report goes
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Language of workbook and page (default: `report.language`)
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub(super) lang: Option<Language>,
}

/// Reads `en` or `id`.
fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| "must be `en` or `id`".to_owned())
}

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Adopt codes that exist at DOKU already
    Import {
        /// CSV: invoice_number, payment_code, channel, amount, optional method, reusable, created_at, expires_at
        file: PathBuf,
        /// Create the ledger if there is none
        #[arg(long)]
        new_ledger: bool,
    },
    /// Copy the ledger while it is in use
    Backup {
        /// The copy, which must not exist yet
        to: PathBuf,
    },
    /// Recompute the hash chain, refold every bill, check the invariants
    Verify {
        /// A `sequence:hash` from an earlier summary: finds an older copy put back
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
    },
    /// Every event as JSON Lines on stdout
    Export,
    /// Delete names, addresses and request bodies of bills that are closed
    Purge {
        /// Only of bills closed before this day
        #[arg(long, value_name = "DATE")]
        before: Date,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the settings in force
    Show,
}

#[derive(Debug, Args)]
pub(super) struct Sandbox {
    /// Where to listen; loopback only
    #[arg(long, default_value = "127.0.0.1:8086", value_name = "ADDRESS")]
    pub(super) listen: std::net::SocketAddr,
    /// Seed of codes and faults
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Percent of attempts that meet a fault
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) faults: u8,
    /// How long a delayed answer takes, in milliseconds
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    pub(super) delay_ms: u64,
    /// Append every notification here, as a log for `ingest` and `reconcile`
    #[arg(long, value_name = "FILE")]
    pub(super) notification_log: Option<PathBuf>,
    /// Send notifications to this URL on loopback
    #[arg(long, value_name = "URL")]
    pub(super) notify: Option<String>,
    /// Append every order made, changed or cancelled here as JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
}
