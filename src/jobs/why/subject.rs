//! What is asked about, by which evidence, and what was concluded of that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::report::AskedReport;
use crate::doku::keyring::Keyring;
use crate::domain::classify::MatchingPolicy;
use crate::domain::lifecycle::BillState;
use crate::domain::line::InputFile;
use crate::evidence::StoreAt;
use crate::jobs::reconcile::SettlementFiles;
use crate::ledger::BillHappening;
use crate::reconcile::{ReconcileTerms, Reconciled};
use crate::table::TableSettings;

/// What is asked, and where to look.
#[derive(Debug)]
pub struct WhyOptions<'a> {
    /// An invoice number, one on the wire, a code, or the id of a discrepancy.
    pub name: &'a str,
    /// Notification logs.
    pub notifications: Vec<PathBuf>,
    /// The store of evidence, instead of logs or beside them.
    pub evidence: Option<StoreAt>,
    /// Inquiry logs of `serve`.
    pub inquiries: Vec<PathBuf>,
    /// The keys that may have signed.
    pub keys: Keyring,
    /// Our `Client-Id`.
    pub client_id: String,
    /// What the rules leave to the merchant.
    pub policy: MatchingPolicy,
    /// How tables are understood.
    pub tables: TableSettings,
    /// Settlement files.
    pub settlement: Option<SettlementFiles>,
    /// What people have decided.
    pub journal: &'a Path,
    /// A report, whose books know what was decided.
    pub report: Option<&'a AskedReport>,
    /// Which days; else from the first day anything is known of to as-of.
    pub period: Option<(Date, Date)>,
    /// Seen from when.
    pub as_of: Timestamp,
}

/// What a name led to.
#[derive(Default)]
pub(super) struct Subject {
    pub(super) bill: Option<BillState>,
    pub(super) history: Vec<(Timestamp, BillHappening)>,
    pub(super) invoice_numbers: BTreeSet<String>,
    pub(super) payment_codes: BTreeSet<String>,
}

/// What all evidence comes to.
pub(super) struct Concluded {
    pub(super) outcome: Reconciled,
    pub(super) terms: ReconcileTerms,
    pub(super) files: Vec<InputFile>,
    /// For each log that was given, its place among the files.
    pub(super) places: Vec<Option<u32>>,
}
