//! The arguments of commands as typed. Every flag has a help text; nothing is decided here.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools, reason = "help texts for people, and flags as typed")]

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;

use super::tables::{BillFlags, TableFlags};
use super::times::{day, instant};
use crate::domain::language::Language;

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

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen, instead of `serve.listen`; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<std::net::SocketAddr>,
    /// Where health and metrics are, instead of `serve.admin_listen`
    #[arg(long, value_name = "ADDRESS")]
    pub(super) admin_listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, Args)]
pub(super) struct SupportBundle {
    /// The bundle, which must not exist yet
    #[arg(long, value_name = "FILE.zip")]
    pub(super) out: PathBuf,
    /// Files that standard error of jobs or server went to; of their last lines what is ours goes in: times, levels, known messages, codes, counts and Request-Ids
    #[arg(long, value_name = "FILE")]
    pub(super) log: Vec<PathBuf>,
    /// Make no connection
    #[arg(long)]
    pub(super) offline: bool,
    /// Open the ledger without verifying all of it
    #[arg(long)]
    pub(super) quick: bool,
}
