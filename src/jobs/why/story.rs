//! The story of a bill: what was known of it when, line by line, and what the rules make of it.

use jiff::Timestamp;

use super::report::ReportSays;
use crate::domain::lifecycle::BillState;
use crate::domain::line::InputFile;
use crate::domain::settlement::SettlementRow;
use crate::ledger::BillHappening;
use crate::reconcile;
use crate::reconcile::{Conclusions, Finding, ReconcileTerms, Reconciled};
use crate::register::{ItemHappening as Step, ItemStatus, Standings};

/// One thing that happened.
#[derive(Debug)]
pub struct StoryLine {
    /// When; `None` where a log does not say.
    pub at: Option<Timestamp>,
    /// What.
    pub what: StoryEvent,
}

/// What happened, and who knows it.
#[derive(Debug)]
pub enum StoryEvent {
    /// The ledger recorded it.
    Ledger(BillHappening),
    /// DOKU asked whether the code may be paid.
    Inquiry {
        /// DOKU's word for our answer.
        answer: String,
        /// What was decided; the cause of a decline.
        decision: String,
    },
    /// A notification arrived; by its place in [`About::lines`].
    Line(usize),
    /// A settlement file has it; by its place in [`About::settlement`]. `at` is the start of that WIB day.
    Settlement(usize),
    /// Somebody, or a report, said something about a discrepancy.
    Journal {
        /// Which.
        id: String,
        /// What was said.
        step: Step,
    },
}

/// What the rules make of the evidence.
#[derive(Debug)]
pub struct Judgement {
    /// The whole of it.
    pub outcome: Reconciled,
    /// The part that is asked about.
    pub about: Conclusions,
    /// Period, as-of, policy.
    pub terms: ReconcileTerms,
    /// The logs, in the order in which lines refer to them.
    pub files: Vec<InputFile>,
    /// How its discrepancies stand.
    pub standings: Standings,
}

/// The story of one bill.
#[derive(Debug)]
pub struct Story {
    /// Its invoice number; what was asked for where no bill has it.
    pub name: String,
    /// The bill, if the ledger has it.
    pub bill: Option<BillState>,
    /// What happened, oldest first.
    pub told: Vec<StoryLine>,
    /// `None` without any evidence: nothing can be judged then.
    pub judgement: Option<Judgement>,
    /// Discrepancies that the journal follows, by id.
    pub items: Vec<(String, ItemStatus)>,
    /// What a report says of it, if one was asked.
    pub says: Option<ReportSays>,
}

impl Judgement {
    /// The settlement row a finding is about.
    #[must_use]
    pub fn row_of(&self, finding: &Finding) -> Option<&SettlementRow> {
        let rows = &self.outcome.inputs.settlement.as_ref()?.files.rows;
        finding.sources.iter().find_map(|source| match source {
            reconcile::Source::Settlement(at) => rows.get(usize::try_from(*at).ok()?),
            _ => None,
        })
    }

    /// The first line a finding rests on.
    #[must_use]
    pub fn line_of(&self, finding: &Finding) -> Option<&crate::domain::line::Line> {
        finding.sources.iter().find_map(|source| match source {
            reconcile::Source::Line(at) => self.outcome.inputs.lines.get(*at),
            _ => None,
        })
    }
}
