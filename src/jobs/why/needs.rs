//! Whether somebody must act: by the report that was asked, and by what evidence of later than that shows.

use super::report::Listed;
use super::story::Story;
use crate::domain::classify::{ClassSubject, Nature};
use crate::reconcile::Finding;
use crate::register::ItemStatus;

impl Story {
    /// Whether a person must act because of a finding. What a report knows is as it says, however little of it this evidence shows.
    #[must_use]
    pub fn needs_person(&self, finding: &Finding) -> bool {
        let Some(judgement) = &self.judgement else { return false };
        let says = self.says.as_ref().filter(|_| !self.is_newer(&finding.invoice_number, finding.class.info().about));
        let by_evidence = || judgement.standings.of(&finding.id).status != ItemStatus::Accepted;
        let is_break = finding.nature == Nature::Break && finding.has_item();
        says.and_then(|says| says.needs_person(finding)).unwrap_or_else(|| is_break && by_evidence())
    }

    /// Whether a person must act at all.
    #[must_use]
    pub fn needs_anybody(&self) -> bool {
        let mut findings = self.judgement.iter().flat_map(|judgement| judgement.about.findings());
        findings.any(|finding| self.needs_person(finding)) || self.beside().any(Listed::needs_person)
    }

    /// What the report lists and no finding is.
    pub fn beside(&self) -> impl Iterator<Item = &Listed> {
        self.says.iter().flat_map(|says| &says.list).filter(|row| !self.is_told(row))
    }

    /// What else is open by the report and no finding is.
    pub fn waiting(&self) -> impl Iterator<Item = &Listed> {
        self.says.iter().flat_map(|says| &says.waiting).filter(|row| !self.is_told(row))
    }

    /// Whether this evidence tells of it already, or of later than that.
    fn is_told(&self, row: &Listed) -> bool {
        let mut findings = self.judgement.iter().flat_map(|judgement| judgement.about.findings());
        findings.any(|finding| finding.id == row.facts.id) || self.is_newer(&row.facts.invoice_number, about(row))
    }

    /// Whether this evidence has a payment of the bill that the report does not know: how the bill stands is then as the evidence says.
    fn is_newer(&self, invoice_number: &str, about: ClassSubject) -> bool {
        let (Some(says), Some(judgement), ClassSubject::Bill) = (&self.says, &self.judgement, about) else { return false };
        let of_bill = |payment: &&Finding| payment.invoice_number == invoice_number && payment.class.attaches();
        judgement.about.payments.iter().filter(of_bill).any(|payment| !says.knows_payment(&payment.id))
    }
}

fn about(row: &Listed) -> ClassSubject {
    crate::domain::classify::Class::parse(&row.facts.class).map_or(ClassSubject::Line, |class| class.info().about)
}
