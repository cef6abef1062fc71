//! The bills of a reconciliation, from our ledger or from a file, with what else either says.

use std::path::{Path, PathBuf};

use super::error::ReconcileError;
use super::options::ReconcileOptions;
use crate::domain::classify::Class;
use crate::domain::digest::{self, Digest};
use crate::domain::line::InputFile;
use crate::domain::sum::Sum;
use crate::evidence::Evidence;
use crate::ledger::{Lapses, LedgerView};
use crate::reconcile::{
    self, Bills, Inputs, KnownPayment, KnownPayments, MalformedBill, OwnBills, PaidOutBefore, ReconcileTerms, SettlementInput,
    StatusEvidence, Unlisted, WaitingMoney, WaitingRows, external,
};
use crate::report::summary::{HeldBill, LedgerSource};
use crate::table::{self, Mostly};

/// Bills of either source, and what else it says.
#[derive(Debug)]
pub struct Billed {
    pub(in crate::jobs) bills: Bills,
    pub(in crate::jobs) known: Vec<KnownPayment>,
    /// Money of earlier months that looks for what it is of.
    pub(in crate::jobs) waiting: WaitingMoney,
    /// Settlement rows of it.
    pub(in crate::jobs) waiting_rows: WaitingRows,
    /// Payments that earlier months have settled.
    pub(in crate::jobs) paid_out_before: PaidOutBefore,
    pub(in crate::jobs) malformed: Vec<MalformedBill>,
    pub(in crate::jobs) scope: Sum,
    pub(in crate::jobs) unlisted: Option<Vec<Unlisted>>,
    pub(in crate::jobs) status: StatusEvidence,
    pub(in crate::jobs) not_evaluated: Vec<Class>,
    pub(in crate::jobs) source: LedgerSource,
    pub(in crate::jobs) digest: Digest,
    /// What a person should know of the file.
    pub(in crate::jobs) remarks: Vec<String>,
    /// The file, if most of its rows cannot be read.
    pub(in crate::jobs) mostly: Option<Mostly>,
    /// The file, if they are of one.
    pub(super) file: Option<PathBuf>,
    /// Bills of our own ledger that wait for a person, by number.
    pub(super) held: Vec<HeldBill>,
}

impl Billed {
    /// These bills with the evidence they are held against, and where they are from.
    pub(in crate::jobs) fn inputs(
        self,
        evidence: Evidence,
        files: &[InputFile],
        settlement: Option<SettlementInput>,
    ) -> (Inputs, LedgerSource) {
        let inputs = Inputs {
            bills: self.bills,
            known: KnownPayments::of(self.known),
            orphans: self.waiting.orphans,
            waited_for: self.waiting.waited_for,
            waiting_rows: self.waiting_rows,
            paid_out_before: self.paid_out_before,
            lines_read: files.iter().map(|file| file.lines).fold(0, u64::saturating_add),
            lines_apart: files.iter().map(|file| file.contents.apart()).fold(0, i128::saturating_add),
            lines: evidence.lines,
            raw: evidence.raw,
            scope: self.scope,
            malformed: self.malformed,
            unlisted: self.unlisted,
            status: self.status,
            not_evaluated: self.not_evaluated,
            settlement,
            inquiries: None,
            bank: None,
        };
        (inputs, self.source)
    }
}

impl Billed {
    /// The bills of a file: CSV, or Parquet by its extension.
    ///
    /// # Errors
    /// When it cannot be read, or the days are no period.
    pub fn external(path: &Path, wanted: &ReconcileOptions) -> Result<Self, ReconcileError> {
        let mut external = external::read(path, &wanted.terms()?, &wanted.tables)?;
        external.not_evaluated.push(Class::L09);
        let rows_digest = digest::hex(&external.rows_digest);
        let source = LedgerSource::External { path: path.display().to_string(), rows: external.rows, rows_digest, request_history: None };
        let causes = external.malformed.iter().map(|row| (row.column, &row.reason));
        let repeated = (external.repeated > 0)
            .then(|| format!("{}: {} rows say word for word what an earlier row says; they count once", path.display(), external.repeated));
        Ok(Self {
            remarks: repeated.into_iter().collect(),
            mostly: table::mostly(external.rows.saturating_sub(external.repeated), causes),
            unlisted: None,
            digest: external.rows_digest,
            bills: external.bills,
            known: external.known,
            waiting: WaitingMoney::default(),
            waiting_rows: WaitingRows::default(),
            paid_out_before: PaidOutBefore::default(),
            malformed: external.malformed,
            scope: external.scope,
            status: StatusEvidence::default(),
            not_evaluated: external.not_evaluated,
            source,
            file: Some(path.to_path_buf()),
            held: Vec::new(),
        })
    }

    /// The same with our own ledger beside it: codes we had issued that the file does not know are counted apart (L09).
    ///
    /// # Errors
    /// When the ledger cannot be read, or the days are no period.
    pub async fn beside(mut self, history: &impl LedgerView, wanted: &ReconcileOptions) -> Result<Self, ReconcileError> {
        let terms = wanted.terms()?;
        let mut unlisted: Vec<Unlisted> = Vec::new();
        history.visit_bills(|state| unlisted.extend(reconcile::unlisted(&state, &self.bills, &terms))).await?;
        unlisted.sort_unstable();
        let head = history.head().await?.hash;
        if let LedgerSource::External { request_history, .. } = &mut self.source {
            *request_history = Some(digest::hex(&head));
        }
        self.digest = digest::of_parts(&[b"beside", &self.digest, &head]);
        self.not_evaluated.retain(|class| *class != Class::L09);
        self.unlisted = Some(unlisted);
        self.held = held(history).await?;
        Ok(self)
    }

    /// The bills of our own ledger, all out of one view, with its own count of those in scope.
    ///
    /// # Errors
    /// When the ledger cannot be read, or the days are no period.
    pub async fn own(view: &impl LedgerView, wanted: &ReconcileOptions) -> Result<Self, ReconcileError> {
        let terms = wanted.terms()?;
        let scope = view.scope_totals(terms.period.starts_at(), terms.as_of, terms.policy.expiry_grace_minutes).await?;
        Self::of_view(view, scope, &terms).await
    }

    /// The same with a count of the bills in scope that is known already.
    pub(in crate::jobs) async fn of_view(view: &impl LedgerView, scope: Sum, terms: &ReconcileTerms) -> Result<Self, ReconcileError> {
        let policy = &terms.policy;
        let lapses =
            if policy.lapsed_policy_statuses.is_empty() { Lapses::new() } else { view.lapses(|status| policy.is_lapsed(status)).await? };
        let mut own = OwnBills::new(policy);
        view.visit_bills(|state| {
            let lapses = lapses.get(&state.invoice_number).map_or(&[][..], Vec::as_slice);
            own.take(state, lapses);
        })
        .await?;
        let (bills, mut known, status) = own.finish().map_err(|_| ReconcileError::TooManyBills)?;
        let mut sought = status.sought();
        view.visit_payments(|payment| {
            known.take(&bills, &payment);
            sought.take(&payment);
        })
        .await?;
        let (head, told) = (view.head().await?, view.totals(terms.as_of).await?.told);
        Ok(Self {
            known: known.finish(),
            waiting: WaitingMoney::default(),
            waiting_rows: WaitingRows::default(),
            paid_out_before: PaidOutBefore::default(),
            bills,
            malformed: Vec::new(),
            scope,
            status: status.less(sought, told),
            unlisted: None,
            not_evaluated: [Class::L09, Class::L10]
                .into_iter()
                .chain(policy.lapsed_policy_statuses.is_empty().then_some(Class::P18))
                .collect(),
            source: LedgerSource::Own { sequence: head.sequence, head: digest::hex(&head.hash) },
            digest: head.hash,
            remarks: Vec::new(),
            mostly: None,
            file: None,
            held: held(view).await?,
        })
    }
}

async fn held(view: &impl LedgerView) -> Result<Vec<HeldBill>, ReconcileError> {
    let held = view.remarkable().await?.into_iter().filter_map(|(state, _)| {
        let hold = *state.hold?;
        Some(HeldBill { invoice_number: state.invoice_number, since: hold.at, cause: hold.cause, reason: hold.reason })
    });
    let mut held: Vec<HeldBill> = held.collect();
    held.sort();
    Ok(held)
}
