//! summary.json: every figure of a run, and what it was made from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature, Policy, RetrySlot, Unverifiable};
use crate::domain::digest;
use crate::domain::line::{InputFile, Line, Lines};
use crate::reconcile::{Outcome, Tallies, Tally, Terms};

/// The content of summary.json. Amounts are rupiah.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Made from the inputs' content, the policy, the period and as-of.
    pub run_id: String,
    /// The program's version.
    pub version: &'static str,
    /// Which WIB days.
    pub period: Days,
    /// Seen from when.
    pub as_of: Timestamp,
    /// What the rules leave to the merchant.
    pub policy: PolicyFigures,
    /// SHA-256 of those settings, to see at a glance whether two reports were made under the same.
    pub configuration: String,
    /// Where the bills are from.
    pub ledger: LedgerSource,
    /// The logs.
    pub inputs: Vec<InputFigures>,
    /// Lines by class.
    pub lines: BTreeMap<&'static str, Figures>,
    /// Payments by class.
    pub payments: BTreeMap<&'static str, Figures>,
    /// Bills in scope by class.
    pub bills: BTreeMap<&'static str, Figures>,
    /// What is neither: malformed rows of an external ledger.
    pub counted_apart: BTreeMap<&'static str, Figures>,
    /// Lines, payments and bills by nature.
    pub natures: BTreeMap<&'static str, Figures>,
    /// The same, kept apart: under `lines`, `payments` and `bills`.
    pub natures_by_subject: BTreeMap<&'static str, BTreeMap<&'static str, Figures>>,
    /// How often each flag was raised.
    pub flags: BTreeMap<&'static str, Figures>,
    /// Payments of the period whose notification came after its end.
    pub late_evidence: Figures,
    /// Those of them that came after the grace, too: the period should have been closed by then.
    pub late_evidence_after_grace: Figures,
    /// Repeated notifications by DOKU's schedule.
    pub retry_slots: BTreeMap<&'static str, u64>,
    /// Classes that these inputs, or this version, cannot decide.
    pub not_evaluated: Vec<&'static str>,
    /// Rows of discrepancies.csv, and how many are BREAKs.
    pub discrepancies: Discrepancies,
    /// The control identities.
    pub identities: Vec<IdentityFigures>,
}

/// WIB days, both included.
#[derive(Clone, Debug, Serialize)]
pub struct Days {
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
    },
}

/// One log.
#[derive(Clone, Debug, Serialize)]
pub struct InputFigures {
    /// Which.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its lines.
    pub lines: u64,
    /// Its size.
    pub bytes: u64,
    /// When its first message arrived, as far as it says.
    pub first_received_at: Option<Timestamp>,
    /// And its last.
    pub last_received_at: Option<Timestamp>,
}

/// How many, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// How many.
    pub count: u64,
    /// Their rupiah.
    pub amount: Rupiah,
}

/// Rows of discrepancies.csv.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Discrepancies {
    /// All.
    pub count: usize,
    /// Of nature BREAK.
    pub breaks: usize,
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

impl From<Tally> for Figures {
    fn from(tally: Tally) -> Self {
        Self { count: tally.count, amount: tally.amount }
    }
}

impl Summary {
    /// The figures of `outcome`.
    #[must_use]
    pub fn of(outcome: &Outcome, terms: &Terms, files: &[InputFile], ledger: LedgerSource, run_id: String) -> Self {
        let missing = not_evaluated(outcome);
        let by_kind = |kind: char, tallies: &Tallies| by_class(kind, tallies, &missing);
        let rows = u64::try_from(outcome.inputs.malformed.len()).unwrap_or(u64::MAX);
        let external = matches!(ledger, LedgerSource::External { .. });
        let malformed = external.then_some((Class::L10.id(), Figures { count: rows, amount: Rupiah::ZERO }));
        Self {
            run_id,
            version: env!("CARGO_PKG_VERSION"),
            period: Days { from: terms.period.from, to: terms.period.to, zone: "Asia/Jakarta" },
            as_of: terms.as_of,
            configuration: PolicyFigures::of(&terms.policy).digest(),
            policy: PolicyFigures::of(&terms.policy),
            ledger,
            inputs: InputFigures::of_all(files, &outcome.inputs.lines),
            lines: by_kind('N', &outcome.line_tallies),
            payments: by_kind('P', &outcome.payment_tallies),
            bills: by_kind('L', &outcome.bill_tallies),
            counted_apart: malformed.into_iter().collect(),
            natures: named(outcome.natures),
            natures_by_subject: by_subject(outcome),
            flags: outcome.flags.iter().map(|(class, tally)| (class.id(), tally.into())).collect(),
            late_evidence: outcome.flags.of(Class::LATE_EVIDENCE).into(),
            late_evidence_after_grace: after_grace(outcome, terms).into(),
            retry_slots: RetrySlot::ALL.into_iter().map(RetrySlot::name).zip(outcome.payments.retry_slots).collect(),
            not_evaluated: missing.iter().map(|class| class.id()).collect(),
            discrepancies: Discrepancies { count: outcome.findings.len(), breaks: outcome.break_count() },
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
        }
    }
}

fn named(natures: [Tally; 3]) -> BTreeMap<&'static str, Figures> {
    Nature::ALL.into_iter().map(Nature::name).zip(natures.map(Figures::from)).collect()
}

/// Natures of lines, payments and bills. Those of bills are what the others leave: a bill's may follow from its age.
fn by_subject(outcome: &Outcome) -> BTreeMap<&'static str, BTreeMap<&'static str, Figures>> {
    let of_classes = |tallies: &Tallies| {
        Nature::ALL.map(|nature| {
            let classes = tallies.iter().filter(|(class, _)| class.info().nature == nature);
            classes.fold(Tally::default(), |sum, (_, tally)| sum.plus(tally))
        })
    };
    let (lines, payments) = (of_classes(&outcome.line_tallies), of_classes(&outcome.payment_tallies));
    let mut bills = outcome.natures;
    for (rest, (line, payment)) in bills.iter_mut().zip(lines.iter().zip(&payments)) {
        let others = line.plus(*payment);
        *rest = Tally { count: rest.count.saturating_sub(others.count), amount: rest.amount.minus(others.amount) };
    }
    BTreeMap::from([("lines", named(lines)), ("payments", named(payments)), ("bills", named(bills))])
}

/// Payments of the period whose notification came later than the grace after its end.
fn after_grace(outcome: &Outcome, terms: &Terms) -> Tally {
    let grace = jiff::SignedDuration::from_hours(terms.policy.late_evidence_grace_hours);
    let late = outcome.judged.iter().filter(|judged| judged.flags.contains(Class::LATE_EVIDENCE));
    let beyond = late.filter_map(|judged| outcome.proof(judged)).filter(|line| {
        let received_at = line.received_at();
        received_at.is_some_and(|at| at.duration_since(terms.period.ends_at()) > grace)
    });
    beyond.fold(Tally::default(), |sum, line| sum.plus(Tally { count: 1, amount: Rupiah::new(line.amount.into()) }))
}

/// What this version never evaluates, and what these inputs do not allow.
fn not_evaluated(outcome: &Outcome) -> Vec<Class> {
    let never = Class::all().filter(|class| !class.info().evaluated);
    let mut classes: Vec<Class> = never.chain(outcome.inputs.not_evaluated.iter().copied()).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// Every evaluated class of one kind; flags are apart.
fn by_class(kind: char, tallies: &Tallies, missing: &[Class]) -> BTreeMap<&'static str, Figures> {
    const FLAGS: [Class; 7] = [Class::N05, Class::N10, Class::N11, Class::L07, Class::L08, Class::L09, Class::L10];
    Class::all()
        .filter(|class| class.id().starts_with(kind) && !FLAGS.contains(class) && !missing.contains(class))
        .map(|class| (class.id(), tallies.of(class).into()))
        .collect()
}

impl PolicyFigures {
    fn of(policy: &Policy) -> Self {
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
        }
    }

    fn digest(&self) -> String {
        digest::hex(&digest::of_bytes(&serde_json::to_vec(self).unwrap_or_default()))
    }
}

impl InputFigures {
    fn of_all(files: &[InputFile], lines: &Lines) -> Vec<Self> {
        let mut times: Vec<Option<(i64, i64)>> = vec![None; files.len()];
        for (_, line) in lines.iter().filter(|(_, line)| line.received_at_us != Line::UNKNOWN_TIME) {
            if let Some(span) = usize::try_from(line.file).ok().and_then(|file| times.get_mut(file)) {
                let (first, last) = span.unwrap_or((i64::MAX, i64::MIN));
                *span = Some((first.min(line.received_at_us), last.max(line.received_at_us)));
            }
        }
        files.iter().zip(times).map(|(file, times)| Self::of(file, times)).collect()
    }

    fn of(file: &InputFile, times: Option<(i64, i64)>) -> Self {
        let at = |us: i64| Timestamp::from_microsecond(us).ok();
        Self {
            path: file.path.display().to_string(),
            sha256: digest::hex(&file.digest),
            lines: file.lines,
            bytes: file.bytes,
            first_received_at: times.and_then(|(first, _)| at(first)),
            last_received_at: times.and_then(|(_, last)| at(last)),
        }
    }
}
