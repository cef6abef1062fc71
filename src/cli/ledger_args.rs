//! `tagih ledger` as typed.
#![allow(clippy::doc_markdown, reason = "help texts for people")]

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;

use super::tables::TableFlags;
use super::times::day;

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Make the first ledger, empty; one that is there stays as it is
    Create,
    /// Adopt codes that exist at DOKU already
    Import {
        /// CSV: invoice_number, payment_code, channel, amount, optional method, reusable, created_at, expires_at, wire_invoice_number
        file: PathBuf,
        /// Create the ledger if there is none
        #[arg(long)]
        new_ledger: bool,
        /// Take another amount or expiry of a known code into the ledger
        #[arg(long)]
        update: bool,
        #[command(flatten)]
        tables: TableFlags,
    },
    /// Copy the ledger while it is in use, and verify the copy
    Backup {
        /// The copy, which must not exist yet; `DIR/` is a folder, made if it is missing, in which it is named by the time
        to: PathBuf,
    },
    /// Fill the configured ledger, which must be empty, with the one in a file
    Restore {
        /// A backup, or the ledger used until now
        from: PathBuf,
    },
    /// Recompute the hash chain, refold every bill, check the invariants
    Verify {
        /// A `sequence:hash` from an earlier summary: finds an older copy put back
        #[arg(long, value_name = "HEAD")]
        head: Option<String>,
        /// A file that keeps the head from one time to the next, best where whoever can write the ledger cannot: the ledger is held
        /// against it, and if it is whole its head is kept
        #[arg(long, value_name = "FILE", conflicts_with = "head")]
        head_file: Option<PathBuf>,
        /// What `sandbox --record` wrote of the sandbox this ledger was filled at: everything carried out there is known here, and nothing else
        #[arg(long, value_name = "FILE")]
        against_sandbox: Option<PathBuf>,
    },
    /// Every event as JSON Lines on stdout
    Export,
    /// Bring a ledger of an earlier version up to date, after keeping a copy of it
    Migrate,
    /// Seal the ledger with the key that `ledger.seal_key_file` names, instead of with none or another one
    Rekey {
        /// Keep a copy of the ledger as it is in this new file, sealed as it was
        #[arg(long, value_name = "FILE")]
        backup: PathBuf,
        /// The file of the key that it is sealed with now, if it is
        #[arg(long, value_name = "FILE")]
        former: Option<PathBuf>,
        /// The last known `sequence:hash`, such as the last summary has it: an older copy put back is not sealed anew
        #[arg(long, value_name = "HEAD", required_unless_present = "head_file")]
        head: Option<String>,
        /// The file in which `ledger verify` keeps it
        #[arg(long, value_name = "FILE", conflicts_with = "head")]
        head_file: Option<PathBuf>,
    },
    /// Delete names, addresses and request bodies of bills that are closed
    Purge {
        /// Only of bills closed before this day
        #[arg(long, value_name = "DATE", value_parser = day)]
        before: Date,
    },
}
