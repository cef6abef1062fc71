//! `tagih period`, as typed.
#![allow(clippy::doc_markdown, reason = "help texts for people")]

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum PeriodCommand {
    /// Sign a month's report: from then on its balances stand, and the next month is carried on from them
    Close {
        /// The WIB month
        #[arg(value_name = "2026-10")]
        period: String,
        /// The output folder of its `tagih reconcile`
        #[arg(long, value_name = "DIR")]
        report: PathBuf,
        /// Who closes it (default: `journal.actor`, else the environment variable USER)
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Who looked at it besides
        #[arg(long, value_name = "NAME")]
        reviewed_by: Option<String>,
        /// Something known of the months before that stands all the same: `revoked-key` (one of them believed a key that was revoked since), `other-ledger` (it
        /// knew a ledger that is not the one in use); it is recorded
        #[arg(long, value_name = "CAVEAT", value_parser = ["revoked-key", "other-ledger"])]
        accept: Vec<String>,
        /// Why or on what grounds, for the record
        #[arg(long)]
        reason: String,
    },
    /// Propose a month's close, or that it be opened again; it takes effect when another person approves
    Propose {
        /// The WIB month
        #[arg(value_name = "2026-10")]
        period: String,
        /// The output folder of its `tagih reconcile`
        #[arg(long, value_name = "DIR", required_unless_present = "reopen")]
        report: Option<PathBuf>,
        /// That the last closed month be opened again
        #[arg(long, conflicts_with = "report")]
        reopen: bool,
        /// Something known of the months before that stands all the same: `revoked-key` (one of them believed a key that was revoked since), `other-ledger` (it
        /// knew a ledger that is not the one in use); it is recorded
        #[arg(long, value_name = "CAVEAT", value_parser = ["revoked-key", "other-ledger"], conflicts_with = "reopen")]
        accept: Vec<String>,
        /// Who proposes it
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why or on what grounds, for the record
        #[arg(long)]
        reason: String,
    },
    /// Agree to what another person has proposed
    Approve {
        /// The WIB month
        #[arg(value_name = "2026-10")]
        period: String,
        /// The proposal that was looked at, as `period list` calls it, or its first eight digits
        #[arg(long, value_name = "PROPOSAL")]
        proposal: String,
        /// Who approves it
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why or on what grounds, for the record
        #[arg(long)]
        reason: String,
    },
    /// Open the last closed month again
    Reopen {
        /// The WIB month
        #[arg(value_name = "2026-10")]
        period: String,
        /// Who opens it
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// What is closed, by whom, with which balances
    List,
}
