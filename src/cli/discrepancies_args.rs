//! `tagih discrepancies` as typed.
#![allow(clippy::doc_markdown, reason = "help texts for people")]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use jiff::civil::Date;

use super::tables::TableFlags;
use super::times::day;
use crate::books::Account;
use crate::domain::language::Language;
use crate::register::{DecidedAction, DecisionDetails};

/// On or off, as typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum OnOff {
    /// A second person must agree
    On,
    /// One person decides alone
    Off,
}

#[derive(Debug, Subcommand)]
pub(super) enum DiscrepanciesCommand {
    /// Whether a second person must agree to decisions, recorded in the journal: one person turns it on, two turn it off
    FourEyes {
        /// on or off
        state: OnOff,
        /// Who says so
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Record what a report found: new, changed, seen again, no longer found
    Take {
        /// The output folder of `tagih reconcile`
        report: PathBuf,
        /// Also this open item, which is not due yet, so that it can be decided about: its `discrepancy_id` in open_items.csv
        #[arg(long = "item", value_name = "ID")]
        items: Vec<String>,
        /// Who records it
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Discrepancies and how they stand
    List {
        #[command(flatten)]
        which: Which,
    },
    /// One discrepancy: both sides, evidence, history
    Show {
        /// Its id
        id: String,
    },
    /// Write a CSV, or an XLSX with drop-downs, to be filled in and imported
    Export {
        #[command(flatten)]
        which: Which,
        /// Where; a name that ends with `.xlsx` makes a workbook
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Language of the workbook (default: `report.language`)
        #[arg(long, value_name = "LANGUAGE", value_parser = super::args::language)]
        lang: Option<Language>,
        /// Who records the report
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Record the decisions of a filled-in file: all of them, or none
    Import {
        /// The CSV or XLSX that came back
        file: PathBuf,
        /// Record the valid rows even if others are refused
        #[arg(long)]
        partial: bool,
        #[command(flatten)]
        tables: TableFlags,
        /// Who decided, where a row's `actor` is empty
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Decide: accept as it is, or another action
    Accept {
        #[command(flatten)]
        ids: Chosen,
        /// What is to be done: accept, apply, credit, keep, refund, transferred, received, waive, lapse, paid_elsewhere, write_off,
        /// explain, unapply, correct, investigate
        #[arg(long, default_value = "accept", value_name = "ACTION", value_parser = action)]
        action: DecidedAction,
        #[command(flatten)]
        details: ActionDetails,
        /// Who looks after it from now on
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// A comment for the reports
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Agree to what somebody else has proposed
    Approve {
        #[command(flatten)]
        ids: Chosen,
        /// The proposal that was looked at, as `show` calls it, or its first eight digits; once for each id
        #[arg(long = "proposal", value_name = "PROPOSAL", required = true)]
        proposals: Vec<String>,
    },
    /// Take a decision back
    Reopen {
        #[command(flatten)]
        ids: Chosen,
    },
    /// Set owner or comment
    Assign {
        #[command(flatten)]
        ids: Chosen,
        /// Who looks after it from now on
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// A comment for the reports
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Double entries for the accounting system
    Entries {
        /// The output folder of `tagih reconcile` (default: the one the month was closed with)
        #[arg(long, value_name = "DIR")]
        report: Option<PathBuf>,
        /// The closed WIB month whose entries they are
        #[arg(long, value_name = "2026-10", required_unless_present = "report")]
        period: Option<String>,
        /// csv: two lines an entry, on your accounts; hledger: the whole month with its balances, for hledger and its kin
        #[arg(long, value_enum, default_value = "csv", value_name = "FORMAT")]
        format: FormatArgument,
        /// Also of a month that is not closed; nothing is recorded as exported
        #[arg(long)]
        preliminary: bool,
        /// Once more everything that stands exported
        #[arg(long, conflicts_with = "preliminary")]
        again: bool,
        /// Where
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Who exports
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Recompute the journal's chain and all it tells
    Verify {
        /// A `sequence:hash` from an earlier summary: finds an older copy put back
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
    },
}

#[derive(Debug, Default, Args)]
pub(super) struct Which {
    /// Take this report in first, and show only what it found
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
    /// Only these classes
    #[arg(long, value_name = "CLASS")]
    pub(super) class: Vec<String>,
    /// Only these statuses: open, proposed, accepted, cleared, reopened, or all (default: those that are open)
    #[arg(long, value_name = "STATUS")]
    pub(super) status: Vec<String>,
    /// BREAK or TIMING
    #[arg(long, value_name = "NATURE")]
    pub(super) nature: Option<String>,
    /// Only those last seen in this period
    #[arg(long, value_name = "2026-10")]
    pub(super) period: Option<String>,
    /// Only this owner's
    #[arg(long, value_name = "NAME")]
    pub(super) owner: Option<String>,
    /// Only those older than so many days, as of the latest report
    #[arg(long, value_name = "DAYS")]
    pub(super) older_than: Option<i32>,
}

#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// Discrepancy ids
    #[arg(required = true, value_name = "ID")]
    pub(super) ids: Vec<String>,
    /// Why, for the record
    #[arg(long)]
    pub(super) reason: String,
    /// Who decides (default: `journal.actor`, then $USER)
    #[arg(long, value_name = "NAME")]
    pub(super) by: Option<String>,
}

/// What an action needs besides its name.
#[derive(Debug, Args)]
pub(super) struct ActionDetails {
    /// How many rupiah (default: all that is open); of `correct`, the amount that is right
    #[arg(long, value_name = "RUPIAH")]
    amount: Option<u64>,
    /// `apply`: the invoice number of the bill; `transferred`, `received`: the item that proves it, such as bank_line:…
    #[arg(long, value_name = "INVOICE")]
    target: Option<String>,
    /// `explain`: the account that the difference is, such as fees
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    account: Option<Account>,
    /// `transferred`, `received`, `paid_elsewhere`: how it is found elsewhere
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// The WIB day it takes effect on (default: today)
    #[arg(long, value_name = "DATE", value_parser = day)]
    effective: Option<Date>,
}

impl ActionDetails {
    pub(super) fn details(&self) -> DecisionDetails {
        DecisionDetails {
            amount: self.amount,
            target: self.target.clone().unwrap_or_default(),
            explained_as: self.account,
            reference: self.reference.clone().unwrap_or_default(),
            effective_on: self.effective,
        }
    }
}

fn action(text: &str) -> Result<DecidedAction, String> {
    let names = || DecidedAction::all().map(DecidedAction::name).collect::<Vec<_>>().join(", ");
    DecidedAction::parse(text).ok_or_else(|| format!("no such action; one of {}", names()))
}

fn account(text: &str) -> Result<Account, String> {
    let names = || Account::ALL.into_iter().filter(|account| account.explains()).map(Account::name).collect::<Vec<_>>().join(", ");
    Account::parse(text)
        .filter(|account| account.explains())
        .ok_or_else(|| format!("no account that explains a difference; one of {}", names()))
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FormatArgument {
    /// Two lines an entry
    Csv,
    /// Plain text accounting
    Hledger,
}
