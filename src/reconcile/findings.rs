//! Classed lines, payments and bills → findings: what someone must look at, why, and on what evidence.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::bill::Bill;
use super::dedupe::{Payments, Proved};
use super::finding::{Finding, Source, bill_id, id, payment_id, severity_of};
use super::inputs::Inputs;
use super::judge::{JudgedPayment, line_flags};
use super::judge_bills::{Attached, JudgedBill, in_scope};
use super::reasons;
use super::terms::ReconcileTerms;
use crate::domain::amount::{Amount, Rupiah};
use crate::domain::classify::{Class, ClassSet, Nature};
use crate::domain::digest::Digest;
use crate::domain::line::{Line, NO_BILL};
use crate::domain::reason::{BillReason, Reason, RowFault};

/// Collects findings of one run.
pub(super) struct Findings<'a> {
    inputs: &'a Inputs,
    payments: &'a Payments,
    judged: &'a [JudgedPayment],
    terms: &'a ReconcileTerms,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(inputs: &'a Inputs, payments: &'a Payments, judged: &'a [JudgedPayment], terms: &'a ReconcileTerms) -> Self {
        Self { inputs, payments, judged, terms, found: Vec::new() }
    }

    /// Lines someone must look at.
    pub(super) fn lines(&mut self, lines: &[u32]) {
        for &at in lines {
            if let Some(line) = self.inputs.lines.get(at) {
                let finding = self.line(at, line);
                self.found.push(finding);
            }
        }
    }

    /// Lines that prove a payment and name another amount for it than was known of it before.
    pub(super) fn contradicting(&mut self, lines: &BTreeSet<u32>) {
        for &at in lines {
            let Some(line) = self.inputs.lines.get(at) else { continue };
            let told = Line { class: Class::N07, ..line.clone() };
            let finding = self.line(at, &told);
            self.found.push(finding);
        }
    }

    /// A line, whether or not someone must look at it.
    pub(super) fn line(&self, at: u32, line: &Line) -> Finding {
        let flags = line_flags(line);
        let nature = raised(line.class.info().nature, flags);
        let (invoice_number, payment_code) = self.ids(line, line.bill);
        let parsed = line.paid_at_us != 0;
        let bill = self.inputs.bills.get(line.bill);
        Finding {
            id: id(&[b"line", &line.digest]),
            class: line.class,
            flags,
            nature,
            severity: severity_of(line.class, nature, flags),
            invoice_number: invoice_number.to_owned(),
            payment_code: payment_code.to_owned(),
            channel: bill.map(|bill| bill.channel).or(parsed.then_some(line.channel)),
            expected: bill.map(|bill| bill.amount.into()),
            paid: line.usable_amount().map(Rupiah::from),
            paid_at: parsed.then(|| line.paid_at()),
            reason: reasons::of_line(line, flags),
            evidence: vec![line.digest],
            sources: vec![Source::Line(at)],
            books: None,
            is_decided: false,
        }
    }

    /// BREAK payments.
    pub(super) fn payments(&mut self) {
        let payments = self.payments;
        for (proved, judged) in payments.proved.iter().zip(self.judged) {
            if judged.nature == Nature::Break
                && let Some(finding) = self.payment(proved, judged)
            {
                self.found.push(finding);
            }
        }
    }

    /// A payment, whether or not someone must look at it.
    pub(super) fn payment(&self, proved: &Proved, judged: &JudgedPayment) -> Option<Finding> {
        let line = self.inputs.lines.get(judged.line)?;
        let (invoice_number, payment_code) = self.ids(line, judged.bill);
        let bill = self.inputs.bills.get(judged.bill);
        let (evidence, sources) = self.proofs(self.payments.successes(proved));
        Some(Finding {
            id: payment_id(&line.identity),
            class: judged.class,
            flags: judged.flags,
            nature: judged.nature,
            severity: severity_of(judged.class, judged.nature, judged.flags),
            invoice_number: invoice_number.to_owned(),
            payment_code: payment_code.to_owned(),
            channel: Some(bill.map_or(line.channel, |bill| bill.channel)),
            expected: bill.map(|bill| bill.amount.into()),
            paid: line.usable_amount().map(Rupiah::from),
            paid_at: Some(line.paid_at()),
            reason: self.reason(line, judged, bill),
            evidence,
            sources,
            books: None,
            is_decided: false,
        })
    }

    /// Bills, in the order of their numbers.
    pub(super) fn bills(&mut self, bills: &[JudgedBill], attached: &Attached) {
        let is_wanted = |bill| bills.binary_search_by_key(&bill, |judged| judged.bill).is_ok();
        let payments = self.judged.par_iter().filter(|payment| payment.class.attaches() && is_wanted(payment.bill));
        let mut by_bill: Vec<(u32, u32)> = payments.map(|payment| (payment.bill, payment.line)).collect();
        by_bill.sort_unstable();
        for judged in bills {
            self.bill(judged, attached.amount(judged.bill), &by_bill);
        }
    }

    /// One bill; `by_bill` is the payments attached to such bills, sorted.
    fn bill(&mut self, judged: &JudgedBill, attached: Rupiah, by_bill: &[(u32, u32)]) {
        let bills = &self.inputs.bills;
        let Some(bill) = bills.get(judged.bill) else { return };
        let start = by_bill.partition_point(|&(number, _)| number < judged.bill);
        let rest = by_bill.get(start..).unwrap_or_default();
        let lines: Vec<u32> = rest.iter().take_while(|(number, _)| *number == judged.bill).map(|&(_, line)| line).collect();
        let (evidence, sources) = self.proofs(&lines);
        let (invoice_number, payment_code) = (bills.invoice_number(judged.bill), bills.payment_code(judged.bill));
        let nature = raised(judged.nature, judged.flags);
        self.found.push(Finding {
            id: bill_id(invoice_number, payment_code),
            class: judged.class,
            flags: judged.flags,
            nature,
            severity: severity_of(judged.class, nature, judged.flags),
            invoice_number: invoice_number.to_owned(),
            payment_code: payment_code.to_owned(),
            channel: Some(bill.channel),
            expected: Some(bill.amount.into()),
            paid: Some(attached),
            paid_at: None,
            reason: reasons::of_bill(judged, bill, attached, lines.len()),
            evidence,
            sources,
            books: None,
            is_decided: false,
        });
    }

    /// Rows of the external ledger that are no bills.
    pub(super) fn malformed_rows(&mut self) {
        let inputs = self.inputs;
        for (at, row) in (0_u32..).zip(&inputs.malformed) {
            self.found.push(Finding {
                id: id(&[b"row", &row.digest]),
                class: Class::L10,
                flags: ClassSet::EMPTY,
                nature: Nature::Break,
                severity: Class::L10.info().severity,
                invoice_number: row.invoice_number.clone(),
                payment_code: String::new(),
                channel: None,
                expected: None,
                paid: None,
                paid_at: None,
                reason: RowFault { column: row.column.into(), fault: row.reason.clone() }.into(),
                evidence: vec![row.digest],
                sources: vec![Source::Row(at)],
                books: None,
                is_decided: false,
            });
        }
    }

    /// Codes the external ledger does not know.
    pub(super) fn unlisted(&mut self) {
        let inputs = self.inputs;
        for code in inputs.unlisted.iter().flatten() {
            self.found.push(Finding {
                id: bill_id(&code.invoice_number, &code.payment_code),
                class: Class::L09,
                flags: ClassSet::EMPTY,
                nature: Nature::Break,
                severity: Class::L09.info().severity,
                invoice_number: code.invoice_number.clone(),
                payment_code: code.payment_code.clone(),
                channel: Some(code.channel),
                expected: Some(code.amount.into()),
                paid: None,
                paid_at: None,
                reason: BillReason::NotListed.into(),
                evidence: Vec::new(),
                sources: Vec::new(),
                books: None,
                is_decided: false,
            });
        }
    }

    /// Debts whose bills ask for different amounts, if one of these bills is in scope.
    pub(super) fn differing_groups(&mut self) {
        let bills = &self.inputs.bills;
        let mut groups: BTreeMap<u32, (Amount, Amount, usize, bool)> = BTreeMap::new();
        for (number, bill) in bills.iter().filter(|(_, bill)| bill.group != 0 && !bill.reusable() && bill.cancelled_at().is_none()) {
            let (least, most, count, is_in_scope) = groups.entry(bill.group).or_insert((bill.amount, bill.amount, 0, false));
            (*least, *most, *count) = ((*least).min(bill.amount), (*most).max(bill.amount), count.saturating_add(1));
            *is_in_scope |= in_scope(self.inputs, number, bill, self.terms);
        }
        let names = bills.group_names();
        for (group, (least, most, count, _)) in
            groups.into_iter().filter(|(_, (least, most, _, is_in_scope))| least != most && *is_in_scope)
        {
            let group = names.get(&group).copied().unwrap_or_default().to_owned();
            self.found.push(Finding {
                id: id(&[b"group", group.as_bytes()]),
                class: Class::L14,
                flags: ClassSet::EMPTY,
                nature: Nature::Break,
                severity: Class::L14.info().severity,
                invoice_number: String::new(),
                payment_code: String::new(),
                channel: None,
                expected: Some(most.into()),
                paid: None,
                paid_at: None,
                reason: BillReason::GroupDiffers { group, count, least, most }.into(),
                evidence: Vec::new(),
                sources: Vec::new(),
                books: None,
                is_decided: false,
            });
        }
    }

    /// Findings that were collected elsewhere.
    pub(super) fn extend(&mut self, found: Vec<Finding>) {
        self.found.extend(found);
    }

    /// Worst first; one row for each subject, with every source.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| (&a.id, a.class.id(), &a.sources).cmp(&(&b.id, b.class.id(), &b.sources)));
        let mut merged: Vec<Finding> = Vec::with_capacity(self.found.len());
        for finding in self.found {
            match merged.last_mut() {
                // Equal lines or rows are one subject, under its first class; equal bills are two, and keep a row each.
                Some(last) if last.id == finding.id && finding.class.info().about.is_raw() => last.sources.extend(finding.sources),
                _ => merged.push(finding),
            }
        }
        merged.sort_by(|a, b| {
            let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.class.id());
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id)).then_with(|| a.sources.cmp(&b.sources))
        });
        merged
    }

    /// What the evidence calls the invoice and the code.
    fn ids(&self, line: &'a Line, bill: u32) -> (&'a str, &'a str) {
        if line.bill == NO_BILL && (bill == NO_BILL || line.invoice_length > 0) {
            return self.inputs.lines.texts(line);
        }
        (self.inputs.bills.invoice_number(line.bill), self.inputs.bills.payment_code(line.bill))
    }

    fn proofs(&self, lines: &[u32]) -> (Vec<Digest>, Vec<Source>) {
        let mut evidence: Vec<Digest> = lines.iter().filter_map(|&at| self.inputs.lines.get(at)).map(|line| line.digest).collect();
        evidence.sort_unstable();
        evidence.dedup();
        (evidence, lines.iter().map(|&at| Source::Line(at)).collect())
    }

    fn reason(&self, line: &Line, judged: &JudgedPayment, bill: Option<&Bill>) -> Reason {
        match bill {
            Some(bill) => reasons::of_payment(line, judged.class, bill, self.terms),
            None => reasons::of_unmatched(judged.class, self.ids(line, judged.bill), &self.inputs.bills),
        }
    }
}

/// A nature, of what may bear a flag that somebody must look at.
fn raised(nature: Nature, flags: ClassSet) -> Nature {
    if flags.raising().is_some() { Nature::Break } else { nature }
}
