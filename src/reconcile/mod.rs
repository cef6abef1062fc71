//! Evidence against bills: matching, classification in bulk, control identities.
//!
//! Belongs here: the bulk engine around `domain::classify`. Must not be here: file formats of reports, sending anything.

mod bills;
pub mod codes;
mod dedupe;
pub mod external;
mod findings;
mod index;
mod judge;
mod own;
mod parquet;
mod tally;

use jiff::Timestamp;

pub use bills::{Bills, ExternalMark, KnownPayment, NewBill, TooMany};
pub use dedupe::{Payments, dedupe};
pub use findings::{Finding, Source};
pub use judge::JudgedPayment;
pub use own::{from_states, known_payments};
pub use tally::{Identity, Tallies, Tally};

use crate::domain::classify::{Class, Nature, Period, Policy, Severity};
use crate::domain::line::{Line, Lines, RawTotals};

/// Everything a run concludes from.
#[derive(Debug)]
pub struct Inputs {
    /// The bills, findable.
    pub bills: Bills,
    /// Payments known from elsewhere than this evidence, sorted.
    pub known: Vec<KnownPayment>,
    /// The evidence.
    pub lines: Lines,
    /// What the reader counted by itself.
    pub lines_read: u64,
    /// What the parser summed up by itself.
    pub raw: RawTotals,
    /// What the ledger, or the reader of the external one, counted by itself.
    pub scope: Tally,
    /// Rows of the external ledger that are no bills.
    pub malformed: Vec<external::MalformedRow>,
    /// Classes these inputs cannot decide.
    pub not_evaluated: Vec<Class>,
}

/// What decides, beside the inputs.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which days.
    pub period: Period,
    /// Seen from when.
    pub as_of: Timestamp,
    /// What the rules leave to the merchant.
    pub policy: Policy,
}

/// What a run concluded.
#[derive(Debug)]
pub struct Outcome {
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
    pub natures: [Tally; 3],
    /// How often each flag was raised.
    pub flags: Tallies,
    /// The control identities.
    pub identities: Vec<Identity>,
    /// What someone must look at, sorted.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// How many findings are BREAKs.
    #[must_use]
    pub fn break_count(&self) -> usize {
        self.findings.iter().filter(|finding| finding.nature == Nature::Break).count()
    }

    /// Whether every control identity holds.
    #[must_use]
    pub fn identities_hold(&self) -> bool {
        self.identities.iter().all(Identity::holds)
    }

    /// What a payment's bill asks for, in rupiah; 0 without a bill.
    #[must_use]
    pub fn amount_due(&self, judged: &JudgedPayment) -> u64 {
        self.inputs.bills.get(judged.bill).map_or(0, |bill| bill.amount.get())
    }

    /// The line that proves a payment.
    #[must_use]
    pub fn proof(&self, judged: &JudgedPayment) -> Option<&Line> {
        self.inputs.lines.get(judged.line)
    }
}

/// Classes lines, payments and bills, and holds the counters against each other.
#[must_use]
pub fn reconcile(mut inputs: Inputs, terms: &Terms) -> Outcome {
    let payments = dedupe(&mut inputs.lines);
    let mut flags = Tallies::default();
    let line_tallies = judge::tally_lines(&inputs.lines, &mut flags);
    let judged = judge::payments(&inputs, &payments, terms);
    let attached = judge::Attached::of(&inputs, &judged);
    let payment_tallies = judge::tally_payments(&inputs.lines, &judged, &mut flags);
    let mut findings = findings::Findings::new(&inputs, &payments, &judged, terms);
    findings.lines();
    findings.payments();
    let live_twice = judge::live_twice(&inputs.bills, terms);
    let mut bill_tallies = Tallies::default();
    let mut natures = natures_of(&[&line_tallies, &payment_tallies]);
    for judged_bill in judge::bills(&inputs, &payments, &attached, &live_twice, terms) {
        let Some(bill) = inputs.bills.get(judged_bill.bill) else { continue };
        bill_tallies.add(judged_bill.class, bill.amount.into());
        tally::add_nature(&mut natures, judged_bill.nature, bill.amount.into());
        for flag in judged_bill.flags.iter() {
            flags.add(flag, bill.amount.into());
        }
        if judged_bill.nature == Nature::Break || judged_bill.flags.contains(Class::L07) {
            findings.bill(&judged_bill, attached.amount(judged_bill.bill));
        }
    }
    findings.malformed_rows();
    let findings = findings.finish();
    let identities = tally::identities(&inputs, &payments, &attached, [&line_tallies, &payment_tallies, &bill_tallies]);
    Outcome { inputs, payments, judged, line_tallies, payment_tallies, bill_tallies, natures, flags, identities, findings }
}

fn natures_of(tallies: &[&Tallies]) -> [Tally; 3] {
    let mut natures = [Tally::default(); 3];
    for (class, tally) in tallies.iter().flat_map(|tallies| tallies.iter()) {
        if let Some(nature) = natures.get_mut(tally::place(class.info().nature)) {
            *nature = nature.plus(tally);
        }
    }
    natures
}

/// How bad a finding is: flags that are critical by themselves make it so.
fn severity_of(class: Class, nature: Nature, critical_flag: bool) -> Severity {
    match nature {
        _ if critical_flag => Severity::Critical,
        Nature::Break => class.info().severity,
        Nature::Ok | Nature::Timing => Severity::None,
    }
}
