//! The bills of a reconciliation, from our ledger or from a file, with what else either says.

use std::path::Path;

use super::ReconcileError;
use crate::domain::amount::Rupiah;
use crate::domain::classify::Class;
use crate::domain::digest::{self, Digest};
use crate::domain::ids::InvoiceNumber;
use crate::domain::line::InputFile;
use crate::evidence::Evidence;
use crate::ledger::{FoundTotals, Lapses, ScopeTotals, Snapshot};
use crate::reconcile::external::{self, MalformedRow};
use crate::reconcile::settle::SettlementInput;
use crate::reconcile::{self, Bills, Inputs, KnownPayment, StatusEvidence, Tally, Terms, Unlisted};
use crate::report::summary::LedgerSource;
use crate::table::{self, Mostly, Settings};

/// Bills of either source, and what else it says.
pub(in crate::jobs) struct Billed {
    pub(in crate::jobs) bills: Bills,
    pub(in crate::jobs) known: Vec<KnownPayment>,
    pub(in crate::jobs) malformed: Vec<MalformedRow>,
    pub(in crate::jobs) scope: Tally,
    pub(in crate::jobs) unlisted: Option<Vec<Unlisted>>,
    pub(in crate::jobs) status: StatusEvidence,
    pub(in crate::jobs) not_evaluated: Vec<Class>,
    pub(in crate::jobs) source: LedgerSource,
    pub(in crate::jobs) digest: Digest,
    /// What a person should know of the file.
    pub(in crate::jobs) remarks: Vec<String>,
    /// The file, if most of its rows cannot be read.
    pub(in crate::jobs) mostly: Option<Mostly>,
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
            known: self.known,
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
        };
        (inputs, self.source)
    }
}

pub(super) fn external_bills(path: &Path, history: Option<&Snapshot>, terms: &Terms, tables: &Settings) -> Result<Billed, ReconcileError> {
    let mut external = external::read(path, terms, tables)?;
    let request_history = history.map(|history| digest::hex(&history.head.hash));
    let rows_digest = digest::hex(&external.rows_digest);
    let source = LedgerSource::External { path: path.display().to_string(), rows: external.rows, rows_digest, request_history };
    if history.is_none() {
        external.not_evaluated.push(Class::L09);
    }
    let causes = external.malformed.iter().map(|row| (row.column, row.reason.as_str()));
    let repeated = (external.repeated > 0)
        .then(|| format!("{}: {} rows say word for word what an earlier row says; they count once", path.display(), external.repeated));
    Ok(Billed {
        remarks: repeated.into_iter().collect(),
        mostly: table::mostly(external.rows.saturating_sub(external.repeated), causes),
        unlisted: history.map(|history| reconcile::unlisted(history.bills.values(), &external.bills, terms)),
        digest: history.map_or(external.rows_digest, |history| digest::of_parts(&[b"beside", &external.rows_digest, &history.head.hash])),
        bills: external.bills,
        known: external.known,
        malformed: external.malformed,
        scope: external.scope,
        status: StatusEvidence::default(),
        not_evaluated: external.not_evaluated,
        source,
    })
}

pub(in crate::jobs) fn own_bills(
    snapshot: &Snapshot,
    scope: ScopeTotals,
    found: FoundTotals,
    lapses: &Lapses,
    terms: &Terms,
) -> Result<Billed, ReconcileError> {
    let lapses_of = |number: &InvoiceNumber| lapses.get(number).map_or(&[][..], Vec::as_slice);
    let bills = reconcile::from_states(snapshot.bills.values(), lapses_of, &terms.policy).map_err(|_| ReconcileError::TooManyBills)?;
    Ok(Billed {
        known: reconcile::known_payments(&bills, |number| snapshot.bills.get(number), &snapshot.payments),
        bills,
        malformed: Vec::new(),
        scope: Tally { count: scope.count, amount: Rupiah::new(scope.amount) },
        status: StatusEvidence::of(
            snapshot.bills.values(),
            &snapshot.payments,
            Tally { count: found.count, amount: Rupiah::new(found.amount) },
        ),
        unlisted: None,
        not_evaluated: [Class::L09, Class::L10]
            .into_iter()
            .chain(terms.policy.lapsed_policy_statuses.is_empty().then_some(Class::P18))
            .collect(),
        source: LedgerSource::Own { sequence: snapshot.head.sequence, head: digest::hex(&snapshot.head.hash) },
        digest: snapshot.head.hash,
        remarks: Vec::new(),
        mostly: None,
    })
}
