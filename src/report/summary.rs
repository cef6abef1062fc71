//! summary.json: every figure of a run, and what it was made from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::summary_books::BooksFigures;
use super::summary_inputs::{self, InputFigures, KeyFigures, Request};
use super::summary_month::MonthFigures;
use super::summary_settlement::{BatchFigures, ChannelFigures, SettlementFigures};
use crate::domain::amount::Rupiah;
use crate::domain::caveat::ToldCaveat;
use crate::domain::classify::{Class, Family, MatchingPolicy, Nature, RetrySlot, Unverifiable};
use crate::domain::digest;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::HoldCause;
use crate::domain::line::InputFile;
use crate::domain::sum::Sum;
use crate::reconcile::{ReconcileTerms, Reconciled, Tallies, Unlisted};

/// The content of summary.json. Amounts are rupiah.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Made from the inputs' content, the policy, the period and as-of.
    pub run_id: String,
    /// The program's version.
    pub version: &'static str,
    /// Which WIB days.
    pub period: PeriodFigures,
    /// Seen from when.
    pub as_of: Timestamp,
    /// What the rules leave to the merchant.
    pub policy: PolicyFigures,
    /// SHA-256 of those settings, to see at a glance whether two reports were made under the same.
    pub configuration: String,
    /// Where the bills are from.
    pub ledger: LedgerSource,
    /// The logs, then the settlement files, the bank statements, the inquiry logs.
    pub inputs: Vec<InputFigures>,
    /// The keys that signatures were believed by, the present one first.
    pub keys: Vec<KeyFigures>,
    /// The heads of the ledgers that were asked what was said of keys; none: nobody was asked.
    pub revocations_asked: Vec<String>,
    /// What whoever signs must know of the months before.
    pub caveats: Vec<ToldCaveat>,
    /// What was asked beside them.
    pub request: Request,
    /// Lines by class.
    pub lines: BTreeMap<&'static str, Sum>,
    /// Payments by class.
    pub payments: BTreeMap<&'static str, Sum>,
    /// Bills in scope by class.
    pub bills: BTreeMap<&'static str, Sum>,
    /// Settlement rows by class, and payments that none settles (S02); absent without settlement files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement: Option<BTreeMap<&'static str, Sum>>,
    /// The same by nature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_natures: Option<BTreeMap<&'static str, Sum>>,
    /// What settlement rows come to, by channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_totals: Option<BTreeMap<&'static str, ChannelFigures>>,
    /// Batches: what their files state and what their rows come to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_batches: Option<Vec<BatchFigures>>,
    /// Payments by what was answered when DOKU asked, and codes asked about that nobody paid (I01); absent without inquiry logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inquiries: Option<BTreeMap<&'static str, Sum>>,
    /// What is neither: malformed rows of an external ledger, and codes it does not know.
    pub counted_apart: BTreeMap<&'static str, Sum>,
    /// Lines, payments and bills by nature.
    pub natures: BTreeMap<&'static str, Sum>,
    /// The same, kept apart: under `lines`, `payments` and `bills`.
    pub natures_by_subject: BTreeMap<&'static str, BTreeMap<&'static str, Sum>>,
    /// How often each flag was raised.
    pub flags: BTreeMap<&'static str, Sum>,
    /// Payments of the period whose notification came after its end.
    pub late_evidence: Sum,
    /// Those of them that came after the grace, too: the period should have been closed by then.
    pub late_evidence_after_grace: Sum,
    /// Repeated notifications by DOKU's schedule.
    pub retry_slots: BTreeMap<&'static str, u64>,
    /// Classes that these inputs, or this version, cannot decide.
    pub not_evaluated: Vec<&'static str>,
    /// Bills that wait for a person, by number.
    pub held: Vec<HeldBill>,
    /// Rows of discrepancies.csv, and how they stand.
    pub discrepancies: Discrepancies,
    /// The control identities.
    pub identities: Vec<IdentityFigures>,
    /// The books of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub books: Option<BooksFigures>,
    /// The figures of the period, when they were drawn up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<MonthFigures>,
}

/// WIB days, both included.
#[derive(Clone, Debug, Serialize)]
pub struct PeriodFigures {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// Their zone.
    pub zone: &'static str,
}

/// See [`Policy`].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "named like the fields of `Policy`")]
pub struct PolicyFigures {
    pub tolerance_rupiah: u64,
    pub expiry_grace_minutes: i64,
    pub skew_minutes: i64,
    pub unverifiable: &'static str,
    pub late_evidence_grace_hours: i64,
    pub replay_window_minutes: i64,
    pub late_notification_minutes: i64,
    pub expired_break_days: i64,
    pub status_grace_hours: i64,
    pub lapsed_policy_statuses: Vec<String>,
}

/// Where the bills are from.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LedgerSource {
    /// Our ledger, as it was then.
    Own {
        /// Its last event.
        sequence: u64,
        /// The hash that chains all events.
        head: String,
    },
    /// A file.
    External {
        /// Which.
        path: String,
        /// Its rows.
        rows: u64,
        /// A digest of its rows that does not depend on their order.
        rows_digest: String,
        /// The head of our ledger that it was held against (L09), if it was.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_history: Option<String>,
    },
}

impl LedgerSource {
    /// In one word: `sequence:hash` of our ledger, or the digest of an external one's rows.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Own { sequence, head } => format!("{sequence}:{head}"),
            Self::External { rows_digest, .. } => rows_digest.clone(),
        }
    }
}

/// A bill that is neither issued nor changed until a person has looked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HeldBill {
    /// Which.
    pub invoice_number: InvoiceNumber,
    /// Since when (UTC).
    pub since: Timestamp,
    /// Why.
    pub cause: HoldCause,
    /// What was seen.
    pub reason: String,
}

/// Rows of discrepancies.csv.
#[derive(Clone, Debug, Serialize)]
pub struct Discrepancies {
    /// All.
    pub count: usize,
    /// Of nature BREAK and not accepted.
    pub breaks: usize,
    /// Accepted by a decision made on the same facts.
    pub accepted: usize,
    /// Open again after a decision, or after having been cleared.
    pub reopened: usize,
    /// Ids of the journal that this run looked at and found in order.
    pub cleared: Vec<String>,
    /// The end of the journal that was read; absent without one.
    pub journal_head: Option<String>,
}

/// Two figures that must be one.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityFigures {
    /// What is compared.
    pub name: &'static str,
    /// By its own counter.
    pub left: i128,
    /// By the classes.
    pub right: i128,
    /// Whether they are one.
    pub holds: bool,
}

impl Summary {
    /// What nobody has said yet that it stands.
    pub fn open_caveats(&self) -> impl Iterator<Item = &ToldCaveat> {
        self.caveats.iter().filter(|told| told.accepted_with.is_none())
    }

    /// The figures of `outcome`.
    #[must_use]
    pub fn of(outcome: &Reconciled, terms: &ReconcileTerms, files: &[InputFile], ledger: LedgerSource, run_id: String) -> Self {
        let missing = not_evaluated(outcome);
        let by_kind = |kind: Family, tallies: &Tallies| by_class(kind, tallies, &missing);
        let settlement = outcome.settled.as_ref().map_or_else(SettlementFigures::default, |settled| {
            let figures = SettlementFigures::of(settled);
            SettlementFigures { classes: Some(by_kind(Family::Settlement, &settled.tallies())), ..figures }
        });
        let rows = u64::try_from(outcome.inputs.malformed.len()).unwrap_or(u64::MAX);
        let external = matches!(ledger, LedgerSource::External { .. });
        let malformed = external.then_some((Class::L10.id(), Sum { count: rows, rupiah: Rupiah::ZERO }));
        let unlisted = outcome.inputs.unlisted.as_ref().map(|codes| (Class::L09.id(), unlisted_figures(codes)));
        Self {
            run_id,
            version: env!("CARGO_PKG_VERSION"),
            period: PeriodFigures { from: terms.period.from, to: terms.period.to, zone: "Asia/Jakarta" },
            as_of: terms.as_of,
            configuration: PolicyFigures::of(&terms.policy).digest(),
            policy: PolicyFigures::of(&terms.policy),
            ledger,
            inputs: summary_inputs::of(outcome, files),
            lines: by_kind(Family::Line, &outcome.line_tallies),
            payments: by_kind(Family::Payment, &outcome.payment_tallies),
            bills: by_kind(Family::Bill, &outcome.bill_tallies),
            counted_apart: malformed.into_iter().chain(unlisted).collect(),
            settlement: settlement.classes,
            settlement_natures: settlement.natures,
            settlement_totals: settlement.channels,
            settlement_batches: settlement.batches,
            inquiries: outcome.inquired.as_ref().map(|inquired| by_kind(Family::Inquiry, &inquired.tallies)),
            natures: named(outcome.natures),
            natures_by_subject: by_subject(outcome),
            flags: flags(outcome).iter().map(|(class, tally)| (class.id(), tally)).collect(),
            late_evidence: outcome.flags.of(Class::LATE_EVIDENCE),
            late_evidence_after_grace: after_grace(outcome, terms),
            retry_slots: RetrySlot::ALL.into_iter().map(RetrySlot::name).zip(outcome.payments.retry_slots).collect(),
            not_evaluated: missing.iter().map(|class| class.id()).collect(),
            held: Vec::new(),
            keys: Vec::new(),
            revocations_asked: Vec::new(),
            caveats: Vec::new(),
            request: Request::default(),
            discrepancies: Discrepancies {
                count: outcome.findings.len(),
                breaks: outcome.break_count(),
                accepted: 0,
                reopened: 0,
                cleared: Vec::new(),
                journal_head: None,
            },
            identities: outcome
                .identities
                .iter()
                .map(|identity| IdentityFigures {
                    name: identity.name,
                    left: identity.left,
                    right: identity.right,
                    holds: identity.holds(),
                })
                .collect(),
            books: None,
            month: None,
        }
    }
}

fn unlisted_figures(codes: &[Unlisted]) -> Sum {
    codes.iter().map(|code| Sum::one(code.amount.into())).sum()
}

fn flags(outcome: &Reconciled) -> Tallies {
    outcome.settled.as_ref().map_or_else(|| outcome.flags.clone(), |settled| outcome.flags.clone().plus(&settled.flags))
}

fn named(natures: [Sum; 3]) -> BTreeMap<&'static str, Sum> {
    Nature::ALL.into_iter().map(Nature::name).zip(natures).collect()
}

/// Natures of lines, payments and bills. Those of bills are what the others leave: a bill's may follow from its age.
fn by_subject(outcome: &Reconciled) -> BTreeMap<&'static str, BTreeMap<&'static str, Sum>> {
    let lines: [Sum; 3] = Nature::ALL.map(|nature| {
        let classes = outcome.line_tallies.iter().filter(|(class, _)| class.info().nature == nature);
        classes.map(|(_, sum)| sum).sum()
    });
    let payments = outcome.payment_natures();
    let mut bills = outcome.natures;
    for (rest, (line, payment)) in bills.iter_mut().zip(lines.iter().zip(&payments)) {
        let others = line.plus(*payment);
        *rest = rest.minus(others);
    }
    BTreeMap::from([("lines", named(lines)), ("payments", named(payments)), ("bills", named(bills))])
}

/// Payments of the period whose notification came later than the grace after its end.
fn after_grace(outcome: &Reconciled, terms: &ReconcileTerms) -> Sum {
    let grace = jiff::SignedDuration::from_hours(terms.policy.late_evidence_grace_hours);
    let late = outcome.judged.iter().filter(|judged| judged.flags.contains(Class::LATE_EVIDENCE));
    let beyond = late.filter_map(|judged| outcome.proof(judged)).filter(|line| {
        let received_at = line.received_at();
        received_at.is_some_and(|at| at.duration_since(terms.period.ends_at()) > grace)
    });
    beyond.map(|line| Sum::one(Rupiah::new(line.amount.into()))).sum()
}

/// What this version never evaluates, and what these inputs do not allow.
fn not_evaluated(outcome: &Reconciled) -> Vec<Class> {
    let mut classes: Vec<Class> = outcome.inputs.not_evaluated.clone();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// Every evaluated class of one list, and what decisions led to where the evidence could not tell.
fn by_class(family: Family, tallies: &Tallies, missing: &[Class]) -> BTreeMap<&'static str, Sum> {
    let is_told = |class: &Class| !missing.contains(class) || tallies.of(*class).count > 0;
    Class::of(family).filter(is_told).map(|class| (class.id(), tallies.of(class))).collect()
}

impl PolicyFigures {
    fn of(policy: &MatchingPolicy) -> Self {
        Self {
            tolerance_rupiah: policy.tolerance_rupiah,
            expiry_grace_minutes: policy.expiry_grace_minutes,
            skew_minutes: policy.skew_minutes,
            unverifiable: match policy.unverifiable {
                Unverifiable::Strict => "strict",
                Unverifiable::TrustLog => "trust_log",
            },
            late_evidence_grace_hours: policy.late_evidence_grace_hours,
            replay_window_minutes: policy.replay_window_minutes,
            late_notification_minutes: policy.late_notification_minutes,
            expired_break_days: policy.expired_break_days,
            status_grace_hours: policy.status_grace_hours,
            lapsed_policy_statuses: policy.lapsed_policy_statuses.clone(),
        }
    }

    fn digest(&self) -> String {
        digest::hex(&digest::of_bytes(&serde_json::to_vec(self).unwrap_or_default()))
    }
}
