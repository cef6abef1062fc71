//! `tagih discrepancies` as typed.
#![allow(clippy::doc_markdown, reason = "help texts for people")]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::tables::TableFlags;
use crate::domain::discrepancy::Action;

#[derive(Debug, Subcommand)]
pub(super) enum DiscrepanciesCommand {
    /// Record what a report found: new, changed, seen again, no longer found
    Take {
        /// The output folder of `tagih reconcile`
        report: PathBuf,
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
    /// Write a CSV for a spreadsheet, to be filled in and imported
    Export {
        #[command(flatten)]
        which: Which,
        /// Where
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Who records the report
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Record the decisions of a filled-in CSV: all of them, or none
    Import {
        /// The CSV that came back
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
        /// What is to be done
        #[arg(long, default_value = "accept", value_name = "ACTION")]
        action: ActionArgument,
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
        /// Take this report in first, and book its settlement rows
        #[arg(long, value_name = "DIR")]
        report: Option<PathBuf>,
        /// Only entries of this WIB month
        #[arg(long, value_name = "2026-10")]
        period: Option<String>,
        /// Where
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Who records the report
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

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ActionArgument {
    /// It may stay as it is
    Accept,
    /// The money goes back to the payer
    Refund,
    /// The money settles a bill
    Apply,
    /// The money is kept for the customer's next premium
    Credit,
    /// The amount is given up
    #[value(name = "write_off", alias = "write-off")]
    WriteOff,
    /// Somebody looks into it; it stays open
    Investigate,
}

impl ActionArgument {
    pub(super) const fn action(self) -> Action {
        match self {
            Self::Accept => Action::Accept,
            Self::Refund => Action::Refund,
            Self::Apply => Action::Apply,
            Self::Credit => Action::Credit,
            Self::WriteOff => Action::WriteOff,
            Self::Investigate => Action::Investigate,
        }
    }
}
