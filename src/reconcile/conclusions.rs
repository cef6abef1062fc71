//! Everything a run concluded about a few bills, also where nobody must look: the same findings, made on demand.

use super::Reconciled;
use super::bills::Bills;
use super::finding::{Finding, Source};
use super::findings::Findings;
use super::judge_bills::{Attached, Judge, JudgedBill};
use super::settle::{row_finding, unsettled_finding};
use super::terms::ReconcileTerms;
use crate::domain::classify::Class;
use crate::domain::line::{Line, NO_BILL};

/// What is asked about: bills, and the ids by which evidence may name them.
#[derive(Clone, Debug, Default)]
pub struct ConclusionsSought {
    /// The bills, sorted; empty for ids that no bill has.
    pub bills: Vec<u32>,
    /// Their invoice numbers, also those on the wire.
    pub invoice_numbers: Vec<String>,
    /// Their codes.
    pub payment_codes: Vec<String>,
    /// Lines that name them but could not be read so far, sorted.
    pub unread: Vec<u32>,
}

/// What was concluded. A bill is missing when it was not in scope.
#[derive(Debug, Default)]
pub struct Conclusions {
    /// Lines of evidence, by arrival.
    pub lines: Vec<Finding>,
    /// Payments, by when they were made.
    pub payments: Vec<Finding>,
    /// The bills in scope.
    pub bills: Vec<Finding>,
    /// Settlement rows, and payments that none settles.
    pub settlement: Vec<Finding>,
}

impl Conclusions {
    /// All of them.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        [&self.lines, &self.payments, &self.bills, &self.settlement].into_iter().flatten()
    }
}

impl ConclusionsSought {
    fn names(&self, (invoice_number, payment_code): (&str, &str)) -> bool {
        let is = |names: &[String], text: &str| !text.is_empty() && names.iter().any(|name| name == text);
        is(&self.invoice_numbers, invoice_number) || is(&self.payment_codes, payment_code)
    }

    fn has(&self, bill: u32) -> bool {
        bill != NO_BILL && self.bills.binary_search(&bill).is_ok()
    }
}

impl Reconciled {
    /// Everything about what is asked.
    #[must_use]
    pub fn about(&self, asked: &ConclusionsSought, terms: &ReconcileTerms) -> Conclusions {
        let mut findings = Findings::new(&self.inputs, &self.payments, &self.judged, terms);
        let mut about = Conclusions::default();
        for (at, line) in self.inputs.lines.iter().filter(|(at, line)| self.concerns(asked, *at, line)) {
            // An answer of Check Status is no line of a log.
            if line.number > 0 {
                about.lines.push(findings.line(at, line));
            }
        }
        let payments = self.payments.proved.iter().zip(&self.judged);
        for (place, (proved, judged)) in (0_u32..).zip(payments) {
            let line = self.inputs.lines.get(judged.line);
            if asked.has(judged.bill) || line.is_some_and(|line| self.concerns(asked, judged.line, line)) {
                about.payments.extend(findings.payment(proved, judged));
                let lines = self.payments.successes(proved);
                about.settlement.extend(self.settled.as_ref().and_then(|settled| unsettled_finding(&self.inputs, settled, place, lines)));
            }
        }
        let attached = Attached::of(&self.inputs, &self.payments, &self.judged);
        let judge = Judge::of(&self.inputs, self.settled.as_ref(), &attached, terms);
        let judged: Vec<JudgedBill> =
            asked.bills.iter().filter_map(|&bill| Some(judge.bill_as(bill, self.standings.get(&bill))?.0)).collect();
        findings.bills(&judged, &attached);
        about.bills = findings.finish();
        about.settlement.extend(self.rows_about(asked));
        about.lines.sort_by_key(|finding| (self.arrival(finding), finding.sources.first().copied()));
        about.payments.sort_by_key(|finding| (finding.paid_at, finding.id.clone()));
        about
    }

    fn concerns(&self, asked: &ConclusionsSought, at: u32, line: &Line) -> bool {
        if line.bill != NO_BILL {
            return asked.has(line.bill);
        }
        asked.names(self.inputs.lines.texts(line)) || asked.unread.binary_search(&at).is_ok()
    }

    fn arrival(&self, finding: &Finding) -> i64 {
        let Some(Source::Line(at)) = finding.sources.first() else { return Line::UNKNOWN_TIME };
        self.inputs.lines.get(*at).map_or(Line::UNKNOWN_TIME, |line| line.received_at_us)
    }

    fn rows_about(&self, asked: &ConclusionsSought) -> Vec<Finding> {
        let (Some(settled), Some(input)) = (&self.settled, &self.inputs.settlement) else { return Vec::new() };
        let rows = (0_u32..).zip(input.files.rows.iter().zip(&settled.rows));
        let wanted = rows.filter(|(_, (row, judged))| {
            let named = || asked.names((&row.invoice_number, &row.report_code)) || asked.names(("", &row.recon_code));
            if judged.bill == NO_BILL { named() } else { asked.has(judged.bill) }
        });
        let malformed = self.findings.iter().filter(|finding| finding.class == Class::S10 && asked.names((&finding.invoice_number, "")));
        wanted.filter_map(|(at, _)| row_finding(&self.inputs, settled, at)).chain(malformed.cloned()).collect()
    }
}

impl Bills {
    /// The bills that go by `name`, be it an invoice number, one on the wire or a code; sorted.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<u32> {
        let mut found: Vec<u32> = self.numbered(name).collect();
        if found.is_empty() {
            found.extend(self.by_code(name));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
