//! The findings of a run, as open items look for theirs.

use std::collections::{HashMap, HashSet};

use crate::domain::classify::{Class, ClassSubject};
use crate::reconcile::finding::Finding;

/// What a run found, by what it is about.
#[derive(Clone, Debug)]
pub struct Findings<'a> {
    by_id: HashMap<&'a str, Class>,
    pub(super) of_bills: HashMap<(&'a str, &'a str), &'a Finding>,
}

impl<'a> Findings<'a> {
    /// Of these.
    #[must_use]
    pub fn of(findings: &'a [Finding]) -> Self {
        let of_bills = findings.iter().filter(|finding| finding.class.id().starts_with('L'));
        Self {
            by_id: findings.iter().map(|finding| (finding.id.as_str(), finding.class)).collect(),
            of_bills: of_bills.map(|finding| ((finding.invoice_number.as_str(), finding.payment_code.as_str()), finding)).collect(),
        }
    }

    /// These, where payments are found as another class by now, or not at all, and of the bills with these ids no more than `bills`.
    pub(in crate::reconcile) fn but<'b>(
        &self,
        payments: impl Iterator<Item = (&'b str, Option<Class>)>,
        ids: &HashSet<String>,
        bills: &'b [Finding],
    ) -> Findings<'b>
    where
        'a: 'b,
    {
        let mut but: Findings<'b> = self.clone();
        for (id, class) in payments {
            but.by_id.remove(id);
            but.by_id.extend(class.map(|class| (id, class)));
        }
        but.by_id.retain(|id, class| class.info().about != ClassSubject::Bill || !ids.contains(*id));
        but.of_bills.retain(|_, finding| !ids.contains(&finding.id));
        let again = Findings::of(bills);
        but.by_id.extend(again.by_id);
        but.of_bills.extend(again.of_bills);
        but
    }

    /// The class of what is found under this id.
    #[must_use]
    pub fn class_of(&self, id: &str) -> Option<Class> {
        self.by_id.get(id).copied()
    }

    /// Whether there is one with this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }
}
