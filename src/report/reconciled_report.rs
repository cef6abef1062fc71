//! What a reconciliation hands over to be written: every table and section reads it, and adds nothing.

use std::path::Path;

use super::summary::Summary;
use crate::domain::classify::ClassSet;
use crate::domain::language::Language;
use crate::domain::line::InputFile;
use crate::reconcile::month::MonthResult;
use crate::reconcile::posted::Posted;
use crate::reconcile::{Finding, Reconciled};
use crate::register::{ItemStanding, ItemStatus, Standings};

/// What every report is written from.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was concluded.
    pub outcome: &'a Reconciled,
    /// Its figures.
    pub summary: &'a Summary,
    /// The figures of its period.
    pub month: &'a MonthResult,
    /// Its books.
    pub books: &'a Posted,
    /// The logs, in the order in which lines refer to them.
    pub files: &'a [InputFile],
    /// The external ledger, if that is where the bills are from.
    pub ledger_path: Option<&'a Path>,
    /// What the journal knows of the findings.
    pub standings: &'a Standings,
    /// For whom workbook and page are made; without it, only the files that programs read are written.
    pub presentation: Option<&'a Presentation>,
}

impl Report<'_> {
    /// Whether people decided that nothing need be done about it.
    pub(super) fn is_accepted(&self, finding: &Finding) -> bool {
        self.standing(finding).status == ItemStatus::Accepted
    }

    /// How a finding stands: what a decision dealt with is decided, whatever was noted of it, and what is open in the books is open.
    pub(super) fn standing(&self, finding: &Finding) -> ItemStanding {
        let standing = self.standings.of(&finding.id);
        let status = match standing.status {
            _ if finding.is_decided => ItemStatus::Accepted,
            ItemStatus::Accepted if finding.books.is_some() => ItemStatus::Reopened,
            status => status,
        };
        ItemStanding { status, ..standing }
    }
}

/// What only workbook and page show. Files that programs read do not depend on it.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    /// Their language.
    pub language: Language,
    /// Whose report it is; empty when nobody said.
    pub entity: String,
}

/// The ids of a set in alphabetical order.
pub(super) fn flag_names(flags: ClassSet) -> Vec<&'static str> {
    let mut names: Vec<_> = flags.iter().map(crate::domain::classify::Class::id).collect();
    names.sort_unstable();
    names
}

/// What was paid less what was expected, where both are known.
pub(super) fn difference(finding: &Finding) -> Option<i128> {
    Some(finding.paid?.minus(finding.expected?).get())
}
