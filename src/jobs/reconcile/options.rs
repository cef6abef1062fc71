//! What a reconciliation is asked for: which files, which days, by which rules.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;

use super::error::ReconcileError;
use super::ledgers_asked::LedgersAsked;
use crate::books::BooksSettings;
use crate::doku::keyring::Keyring;
use crate::domain::classify::{MatchingPolicy, Period};
use crate::domain::settlement::SettlementTerms;
use crate::evidence::StoreAt;
use crate::reconcile::ReconcileTerms;
use crate::report::Presentation;
use crate::table;

/// Everything a reconciliation is made from beside its bills.
#[derive(Debug)]
pub struct ReconcileOptions {
    /// The logs (`.jsonl`, `.gz`, `.zst`); see [`expand`](crate::evidence::expand) for patterns.
    pub notifications: Vec<PathBuf>,
    /// The store of evidence, instead of logs or beside them.
    pub evidence: Option<StoreAt>,
    /// The first WIB day.
    pub from: Date,
    /// The last WIB day.
    pub to: Date,
    /// Seen from when (UTC).
    pub as_of: Timestamp,
    /// The keys that may have signed, the present one first.
    pub keys: Keyring,
    /// Who was asked about them.
    pub asked: LedgersAsked,
    /// Our `Client-Id`.
    pub client_id: String,
    /// What the rules leave to the merchant.
    pub policy: MatchingPolicy,
    /// The output folder of an earlier period, whose payments cover their bills in this one.
    pub carry_in: Option<PathBuf>,
    /// Our ledger beside an external one, if it was.
    pub request_history: Option<PathBuf>,
    /// Settlement files, if the money is to be followed to the bank.
    pub settlement: Option<SettlementFiles>,
    /// Statements of the bank account DOKU pays to, if pay-outs are to be followed there.
    pub bank: Vec<PathBuf>,
    /// Inquiry logs of `serve`, if payments are to be held against what was answered.
    pub inquiries: Vec<PathBuf>,
    /// The output folder of the period before, whose closing balances open this one.
    pub opening: Option<OpeningFolder>,
    /// What people have decided, if there is a journal; it is only read.
    pub journal: Option<PathBuf>,
    /// What the books' postings depend on.
    pub books: BooksSettings,
    /// How external ledgers and settlement files that are not written as tagih's or DOKU's own are read.
    pub tables: table::TableSettings,
    /// Where to write.
    pub out: PathBuf,
    /// For whom workbook and page are made; without it, only the files that programs read are written.
    pub presentation: Option<Presentation>,
}

/// Settlement reports and what they are held against.
#[derive(Clone, Debug)]
pub struct SettlementFiles {
    /// CSV (`.gz`, `.zst`) and XLSX.
    pub files: Vec<PathBuf>,
    /// What the merchant knows.
    pub terms: SettlementTerms,
}

/// Where opening balances are from.
#[derive(Clone, Debug)]
pub struct OpeningFolder {
    /// The output folder of the period before.
    pub path: PathBuf,
    /// The hash that was signed for that period, if it was closed.
    pub signed_hash: Option<String>,
}

impl ReconcileOptions {
    /// Period, as-of and policy.
    ///
    /// # Errors
    /// When the days are no period.
    pub fn terms(&self) -> Result<ReconcileTerms, ReconcileError> {
        let period = Period::new(self.from, self.to).ok_or(ReconcileError::Period { from: self.from, to: self.to })?;
        Ok(ReconcileTerms { period, as_of: self.as_of, policy: self.policy.clone() })
    }
}
