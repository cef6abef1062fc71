//! Evidence against bills: matching, classification in bulk, control identities.
//!
//! Belongs here: the bulk engine around `domain::classify`. Must not be here: file formats of reports, sending anything.

mod alarms;
mod bank_copies;
mod bill;
mod bills;
pub mod books_inputs;
mod by_books;
pub mod codes;
mod conclusions;
mod decision_grounds;
mod dedupe;
mod earlier_payments;
pub mod external;
mod external_columns;
mod external_error;
mod external_rows;
mod fact_names;
mod facts;
pub mod facts_by_part;
mod figures;
mod finding;
mod findings;
mod former_codes;
mod groups;
mod identities;
mod inputs;
mod inquiries;
mod item_names;
mod judge;
mod judge_bills;
mod known_payments;
mod listing;
pub mod month;
mod month_facts;
mod new_bill;
pub mod open_items;
mod own_ledger;
mod paid_out_before;
mod parquet;
pub mod posted;
mod proved_again;
mod reasons;
pub mod settle;
mod settlement_facts;
pub mod source_facts;
mod status;
mod tally;
mod terms;
mod text_index;
mod told_by_status;
mod unlisted;
mod waiting_rows;

use std::collections::HashMap;

pub use bank_copies::bank_copies;
pub use bills::{Bills, TooMany};
pub use conclusions::{Conclusions, ConclusionsSought};
pub use dedupe::{Payments, dedupe};
pub use earlier_payments::{Carried, Orphan, WaitingMoney};
pub use external_columns::is_external_column;
pub use external_error::MalformedBill;
pub use external_rows::DigestSum;
pub use finding::{Finding, Source};
pub use inputs::{Inputs, SettlementInput};
pub use inquiries::Inquired;
pub use item_names::nameless_batch;
pub use judge::JudgedPayment;
pub use known_payments::{KnownPayment, KnownPayments};
pub use new_bill::{ExternalMark, FormerCode, NewBill};
pub use own_ledger::{KnownOwn, OwnBills};
pub use paid_out_before::{PaidOutBefore, PaidOutSought};
pub use status::{Sought, StatusEvidence};
pub use tally::{ControlIdentity, Tallies};
pub use terms::ReconcileTerms;
pub use unlisted::{Unlisted, unlisted};
pub use waiting_rows::WaitingRows;

use crate::books::ItemId;
use crate::books::standing::DebtStanding;
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Family, Nature};
use crate::domain::line::{Line, NO_BILL};
use crate::domain::sum::Sum;

/// What a run concluded.
#[derive(Debug)]
pub struct Reconciled {
    /// What it concluded from; lines with their final classes.
    pub inputs: Inputs,
    /// The unique payments.
    pub payments: Payments,
    /// Each payment's class, in the order of the identities.
    pub judged: Vec<JudgedPayment>,
    /// Lines by class.
    pub line_tallies: Tallies,
    /// Payments by class.
    pub payment_tallies: Tallies,
    /// Bills in scope by class.
    pub bill_tallies: Tallies,
    /// Lines, payments and bills by nature, in the order of [`Nature::ALL`].
    pub natures: [Sum; 3],
    /// How often each flag was raised.
    pub flags: Tallies,
    /// The control identities.
    pub identities: Vec<ControlIdentity>,
    /// What someone must look at, sorted.
    pub findings: Vec<Finding>,
    /// What the settlement files come to, if any were given.
    pub settled: Option<settle::Settled>,
    /// Rows of earlier months that waited, by their places among those in no file, with the payments found for them.
    claimed: Vec<(usize, settle::ToldIn)>,
    /// What rows without money of their own are called, of the files and of those that waited.
    called: HashMap<ItemId, Class>,
    /// What the inquiry logs come to, if any were given.
    pub inquired: Option<Inquired>,
    /// How the books have bills of which the evidence does not tell all.
    standings: HashMap<u32, DebtStanding>,
}

impl Reconciled {
    /// How many findings are BREAKs.
    #[must_use]
    pub fn break_count(&self) -> usize {
        self.findings.iter().filter(|finding| finding.nature == Nature::Break).count()
    }

    /// Payments by nature, in the order of [`Nature::ALL`]; that of a payment may follow from its age.
    #[must_use]
    pub fn payment_natures(&self) -> [Sum; 3] {
        let mut natures = [Sum::default(); 3];
        for (proved, judged) in self.payments.proved.iter().zip(&self.judged) {
            tally::add_nature(&mut natures, judged.nature, Sum::one(Rupiah::new(proved.amount.into())));
        }
        natures
    }

    /// Whether every control identity holds.
    #[must_use]
    pub fn identities_hold(&self) -> bool {
        self.identities.iter().all(ControlIdentity::holds)
    }

    /// What a payment's bill asks for, in rupiah; 0 without a bill.
    #[must_use]
    pub fn amount_due(&self, judged: &JudgedPayment) -> u64 {
        self.inputs.bills.get(judged.bill).map_or(0, |bill| bill.amount.get())
    }

    /// The invoice number and the code by which a payment was notified.
    #[must_use]
    pub fn notified_ids(&self, judged: &JudgedPayment) -> (&str, &str) {
        match self.proof(judged) {
            Some(line) if line.bill == NO_BILL => self.inputs.lines.texts(line),
            Some(line) => (self.inputs.bills.invoice_number(line.bill), self.inputs.bills.payment_code(line.bill)),
            None => ("", ""),
        }
    }

    /// Whether a bill with this number and code was in scope, so that its class says how it stands. An empty code is any: a bill
    /// that had none is judged again under the one it was given.
    #[must_use]
    pub fn has_judged_bill(&self, invoice_number: &str, payment_code: &str, terms: &ReconcileTerms) -> bool {
        let bills = &self.inputs.bills;
        bills.numbered(invoice_number).any(|number| {
            let same_code = payment_code.is_empty() || bills.payment_code(number) == payment_code;
            same_code && bills.get(number).is_some_and(|bill| judge_bills::in_scope(&self.inputs, number, bill, terms))
        })
    }

    /// The ids of whatever could be found about each line of the evidence.
    #[must_use]
    pub fn line_ids(&self) -> std::collections::HashSet<String> {
        self.inputs.lines.iter().map(|(_, line)| finding::id(&[b"line", &line.digest])).collect()
    }

    /// The line that proves a payment.
    #[must_use]
    pub fn proof(&self, judged: &JudgedPayment) -> Option<&Line> {
        self.inputs.lines.get(judged.line)
    }
}

/// Classes lines, payments and bills, and holds the counters against each other.
#[must_use]
pub fn reconcile(mut inputs: Inputs, terms: &ReconcileTerms) -> Reconciled {
    let mut payments = dedupe(&mut inputs.lines);
    let lines = judge::JudgedLines::of(&inputs.lines);
    let contradicting = proved_again::prove(inputs.known.all_mut(), &mut inputs.orphans, &mut inputs.lines, &mut payments);
    // After the lines of the logs were counted: answers of Check Status are none.
    let placed = told_by_status::place(&mut inputs, &mut payments);
    payments.end_joining();
    let judged = judge::payments(&inputs, &payments, terms);
    let attached = judge_bills::Attached::of(&inputs, &payments, &judged);
    let (payment_tallies, payment_flags) = judge::tally_payments(&payments, &judged);
    let paired = settle::pair(&inputs, &judged);
    let claimed = paired.claimed(inputs.settlement.as_ref().map_or(0, |input| input.files.rows.len())).collect();
    let called = paired.called(&inputs);
    let settled = settle::settle(&inputs, &payments, &judged, paired, terms);
    let bills = judge_bills::JudgedBills::of(&inputs, &attached, settled.as_ref(), terms);
    let mut natures = bills.natures;
    for (class, tally) in lines.tallies.iter().chain(payment_tallies.iter()) {
        tally::add_nature(&mut natures, class.info().nature, tally);
    }
    judge::age(&mut natures, &payments, &judged);
    let mut findings = findings::Findings::new(&inputs, &payments, &judged, terms);
    findings.lines(&lines.findings);
    findings.contradicting(&contradicting);
    findings.payments();
    findings.bills(&bills.findings, &attached);
    findings.malformed_rows();
    findings.unlisted();
    findings.differing_groups();
    if let Some(settled) = &settled {
        findings.extend(settle::findings(&inputs, settled, &payments, &judged));
    }
    let inquired = inquiries::judge(&inputs, &payments, &judged, terms);
    if let Some(inquired) = &inquired {
        findings.extend(inquiries::findings(&inputs, inquired, &payments, &judged, terms));
    }
    let findings = findings.finish();
    let mut identities = identities::identities(&inputs, &payments, &attached, [&lines.tallies, &payment_tallies, &bills.tallies], &placed);
    if let Some(settled) = &settled {
        identities.extend(settle::identities(&inputs, settled, terms));
    }
    match &settled {
        Some(settled) => inputs.not_evaluated.extend(&settled.not_evaluated),
        None => inputs.not_evaluated.extend(Class::of(Family::Settlement)),
    }
    match &inquired {
        Some(inquired) => identities.extend(inquiries::identities(inquired, &payment_tallies)),
        None => inputs.not_evaluated.extend(Class::of(Family::Inquiry)),
    }
    Reconciled {
        inputs,
        payments,
        judged,
        line_tallies: lines.tallies,
        payment_tallies,
        bill_tallies: bills.tallies,
        natures,
        flags: lines.flags.plus(&payment_flags).plus(&bills.flags),
        identities,
        findings,
        settled,
        claimed,
        called,
        inquired,
        standings: HashMap::new(),
    }
}
