//! The naive reconciliation: every line, payment and bill gets its class by reading the rules' text from top to bottom.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::evidence::{self, Line, Paid};
use super::ledger::{self, Bill, Ingested};
use super::settlement::{self, Contract};
use super::world::{LogFile, Settings, World};

/// Class → (how many, rupiah).
pub(crate) type Totals = BTreeMap<String, (u64, i128)>;

/// One finding, as text: class, flags, nature, severity, and what else identifies its subject.
pub(crate) type Finding = String;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub lines: Totals,
    pub payments: Totals,
    pub bills: Totals,
    /// Rows, payments and batches of settlement; empty without settlement files.
    pub settlement: Totals,
    /// How many lines, payments or bills carry a flag.
    pub flags: BTreeMap<String, u64>,
    /// Malformed rows of the ledger (L10) and of settlement files (S10), equal ones of the latter once.
    pub malformed_rows: u64,
    pub findings: BTreeMap<Finding, u64>,
    /// Flags and invoice numbers of rows that the books alone tell of: the engine's.
    pub told_in_books: BTreeSet<(String, String)>,
}

const P_BREAKS: [(&str, &str); 14] = [
    ("P17", "medium"),
    ("P15", "high"),
    ("P01", "critical"),
    ("P02", "high"),
    ("P06", "critical"),
    ("P12", "high"),
    ("P08", "high"),
    ("P07", "high"),
    ("P10", "medium"),
    ("P03", "high"),
    ("P04", "high"),
    ("P11", "medium"),
    ("P18", "medium"),
    ("P09", "medium"),
];
const UNATTACHED: [&str; 5] = ["P01", "P02", "P15", "P16", "P17"];

/// What the oracle says of a world.
pub(crate) fn expected(world: &World) -> Outcome {
    let files: Vec<String> = world.files.iter().map(LogFile::text).collect();
    reconcile(&world.ledger_text(), &files, &world.settings)
}

pub(crate) fn reconcile(ledger: &str, files: &[String], settings: &Settings) -> Outcome {
    let rows = ledger::read(ledger);
    let malformed_rows = rows.iter().filter(|row| row.is_none()).count() as u64;
    let bills: Vec<Bill> = rows.into_iter().flatten().collect();
    Outcome { malformed_rows, ..reconcile_bills(&bills, files, settings) }
}

pub(crate) fn reconcile_bills(bills: &[Bill], files: &[String], settings: &Settings) -> Outcome {
    reconcile_told(bills, &[], files, settings)
}

/// `told`: payments that only Check Status told of, as far as the ledger knows.
pub(crate) fn reconcile_told(bills: &[Bill], told: &[Paid], files: &[String], settings: &Settings) -> Outcome {
    reconcile_with(bills, told, files, settings, None)
}

/// With settlement reports and what the merchant knows of them, if there are any.
pub(crate) fn reconcile_with(
    bills: &[Bill],
    told: &[Paid],
    files: &[String],
    settings: &Settings,
    reports: Option<(&[String], &Contract)>,
) -> Outcome {
    let (lines, mut payments) = evidence::read(files, settings.trust_log);
    for told in told {
        let facts = &told.facts;
        let notified = payments.iter().any(|paid| paid.is(&facts.identity, &facts.canonical(), &facts.moment()));
        if !notified {
            payments.push(told.clone());
        }
    }
    payments.sort_by_key(|paid| (paid.facts.date, paid.facts.identity.clone()));
    let mut outcome = Outcome::default();
    let mut matcher = Matcher { settings, bills, payments, verdicts: Vec::new(), settled: BTreeSet::new() };
    if let Some((reports, contract)) = reports {
        matcher.settled = settlement::report(&mut outcome, settings, bills, &matcher.payments, reports, contract);
    }
    for index in 0..matcher.payments.len() {
        let verdict = matcher.classify(index);
        matcher.verdicts.push(verdict);
    }
    report_lines(&mut outcome, &lines);
    matcher.report_payments(&mut outcome);
    matcher.report_bills(&mut outcome);
    outcome
}

/// Every payment with its class and its bill.
pub(super) fn payments(bills: &[Bill], files: &[String], settings: &Settings) -> Vec<(Paid, &'static str, Option<usize>)> {
    let (_, mut payments) = evidence::read(files, settings.trust_log);
    payments.sort_by_key(|paid| (paid.facts.date, paid.facts.identity.clone()));
    let mut matcher = Matcher { settings, bills, payments, verdicts: Vec::new(), settled: BTreeSet::new() };
    for index in 0..matcher.payments.len() {
        let verdict = matcher.classify(index);
        matcher.verdicts.push(verdict);
    }
    let verdicts = matcher.verdicts.iter().map(|verdict| (verdict.class, verdict.bill));
    matcher.payments.iter().cloned().zip(verdicts).map(|(paid, (class, bill))| (paid, class, bill)).collect()
}

impl Outcome {
    pub(crate) fn find(&mut self, class: &str, flags: &BTreeSet<&str>, severity: &str, rest: &str) {
        let flags = flags.iter().copied().collect::<Vec<&str>>().join(";");
        *self.findings.entry(format!("{class} [{flags}] BREAK {severity} {rest}")).or_default() += 1;
    }

    pub(crate) fn flag<'a>(&mut self, flags: impl IntoIterator<Item = &'a &'static str>) {
        for flag in flags {
            *self.flags.entry((*flag).to_owned()).or_default() += 1;
        }
    }
}

pub(crate) fn add(totals: &mut Totals, class: &str, rupiah: u64) {
    let entry = totals.entry(class.to_owned()).or_default();
    *entry = (entry.0 + 1, entry.1 + i128::from(rupiah));
}

fn join<'a>(digests: impl IntoIterator<Item = &'a String>) -> String {
    digests.into_iter().cloned().collect::<Vec<String>>().join(";")
}

fn report_lines(outcome: &mut Outcome, lines: &[Line]) {
    let mut rows: BTreeMap<&str, &Line> = BTreeMap::new();
    for line in lines {
        add(&mut outcome.lines, line.class, line.facts.as_ref().and_then(|facts| facts.amount).unwrap_or(0));
        outcome.flag(&line.flags);
        // Equal bytes are one finding, under the first of their classes.
        let row = rows.entry(&line.digest).or_insert(line);
        if line.class < row.class {
            *row = line;
        }
    }
    for line in rows.values() {
        let severity = match line.class {
            _ if line.flags.contains("N05") => "critical",
            "N01" | "N03" | "N12" => "medium",
            "N04" | "N07" => "high",
            "N02" => "critical",
            _ => continue,
        };
        outcome.find(line.class, &line.flags, severity, &line.digest);
    }
}

/// What became of a payment: its bill, if it names one, its class, and the later rules it hits too.
struct Verdict {
    bill: Option<usize>,
    class: &'static str,
    flags: BTreeSet<&'static str>,
}

struct Matcher<'a> {
    settings: &'a Settings,
    bills: &'a [Bill],
    /// By date, then by identity.
    payments: Vec<Paid>,
    /// One a payment, as far as they are classified.
    verdicts: Vec<Verdict>,
    /// Bills that a settlement row pays out.
    settled: BTreeSet<usize>,
}

impl Matcher<'_> {
    fn classify(&self, index: usize) -> Verdict {
        let paid = &self.payments[index];
        let facts = &paid.facts;
        let mut flags = paid.flags.clone();
        if paid.told_at.is_some() {
            flags.insert("P19");
        }
        if self.in_period(facts.date) && paid.received_at.is_some_and(|received| received >= at(self.settings.until)) {
            flags.insert("late_evidence");
        }
        let bills =
            |test: &dyn Fn(&Bill) -> bool| -> Vec<usize> { (0..self.bills.len()).filter(|&bill| test(&self.bills[bill])).collect() };
        let by_invoice = bills(&|bill| bill.is_named(&facts.invoice));
        let by_code = bills(&|bill| bill.code == facts.code || bill.replaced(&facts.code).is_some());
        let pairs = bills(&|bill| bill.is_pair(&facts.invoice, &facts.code));
        let bill = if pairs.len() == 1 && facts.amount.is_some() { Some(pairs[0]) } else { None };
        let class = if facts.amount.is_none() {
            "P17"
        } else if !self.in_period(facts.date) {
            "P16"
        } else {
            match (pairs.len(), by_invoice.len(), by_code.len()) {
                (1, _, _) => "",
                (0, 0, 0) => "P01",
                (2.., _, _) | (0, 0, 2..) | (0, 2.., 0) => "P15",
                _ => "P02",
            }
        };
        if !class.is_empty() {
            return Verdict { bill, class, flags };
        }
        let hits = self.hits(index, pairs[0]);
        flags.extend(&hits[1..]);
        flags.retain(|flag| !["P13", "P14", "P05", "P00"].contains(flag) && *flag != hits[0]);
        Verdict { bill, class: hits[0], flags }
    }

    /// Every rule that holds, in the rules' order; the last three always give one.
    fn hits(&self, index: usize, at_bill: usize) -> Vec<&'static str> {
        let (facts, bill, settings) = (&self.payments[index].facts, &self.bills[at_bill], self.settings);
        let (paid, due, tolerance) = (facts.amount.unwrap(), bill.amount, settings.tolerance);
        let elsewhere = (0..self.bills.len()).any(|other| {
            other != at_bill && !bill.group.is_empty() && self.bills[other].group == bill.group && self.covered_before(index, other)
        });
        let grace = SignedDuration::from_secs(settings.expiry_grace);
        // What held for the code that was paid.
        let (created, expires) = bill.replaced(&facts.code).map_or((bill.created, bill.expires), |former| (former.created, former.expires));
        let before = if bill.reusable { 0 } else { self.paid_before(index, at_bill) };
        let open = due.saturating_sub(before);
        let rules = [
            ("P06", !bill.reusable && (self.covered_before(index, at_bill) || (before > 0 && before + tolerance >= due))),
            ("P12", !bill.reusable && elsewhere),
            ("P08", bill.cancelled.is_some_and(|cancelled| facts.date > cancelled)),
            ("P07", expires.is_some_and(|expires| facts.date > expires + grace)),
            ("P10", before == 0 && bill.history.contains(&paid) && paid != due),
            ("P03", paid + tolerance < open),
            ("P04", paid > open + tolerance),
            ("P11", facts.channel != bill.channel || !facts.acquirer_fits),
            ("P18", lapsed(bill, facts.date)),
            ("P09", created.is_some_and(|created| facts.date < created - SignedDuration::from_secs(settings.skew))),
            ("P19", self.payments[index].told_at.is_some()),
            ("P13", bill.reusable && paid == due),
            ("P14", before > 0 && paid == open),
            ("P05", paid != open),
            ("P00", true),
        ];
        rules.iter().filter(|(_, holds)| *holds).map(|(class, _)| *class).collect()
    }

    /// What payments before this one come to, told by whoever knows of them.
    fn paid_before(&self, index: usize, at_bill: usize) -> u64 {
        let (bill, this) = (&self.bills[at_bill], &self.payments[index].facts);
        let marked = bill.paid.flatten().filter(|paid| *paid < at(self.settings.from) && *paid < this.date);
        let marked = marked.map_or(0, |_| bill.paid_amount.unwrap_or(bill.amount));
        let ingested = self.unproved(bill).filter(|paid| (paid.date, &paid.identity) < (this.date, &this.identity)).map(|paid| paid.amount);
        let told = (0..index).filter(|earlier| self.verdicts[*earlier].bill == Some(at_bill));
        marked + ingested.sum::<u64>() + told.map(|earlier| self.payments[earlier].facts.amount.unwrap()).sum::<u64>()
    }

    /// Whether a payment before this one covers the bill: one in the evidence, or one the ledger knows of before the period.
    fn covered_before(&self, index: usize, at_bill: usize) -> bool {
        let (bill, tolerance) = (&self.bills[at_bill], self.settings.tolerance);
        let marked = bill.paid.flatten().is_some_and(|paid| paid < at(self.settings.from) && paid < self.payments[index].facts.date)
            && bill.paid_amount.unwrap_or(bill.amount) + tolerance >= bill.amount;
        let earlier =
            |paid: &&Ingested| (paid.date, &paid.identity) < (self.payments[index].facts.date, &self.payments[index].facts.identity);
        let ingested = self.unproved(bill).filter(earlier).any(|paid| paid.amount + tolerance >= bill.amount);
        marked
            || ingested
            || (0..index).any(|earlier| {
                self.verdicts[earlier].bill == Some(at_bill) && self.payments[earlier].facts.amount.unwrap() + tolerance >= bill.amount
            })
    }

    /// What the ledger ingested of a bill and this evidence does not prove.
    fn unproved<'b>(&'b self, bill: &'b Bill) -> impl Iterator<Item = &'b Ingested> {
        let proved = |paid: &Ingested| {
            let payments = self.payments.iter().filter(|payment| payment.told_at.is_none());
            payments.into_iter().any(|payment| payment.is(&paid.identity, &paid.canonical, &paid.moment))
        };
        bill.own.ingested.iter().filter(move |paid| !proved(paid))
    }

    fn in_period(&self, instant: Timestamp) -> bool {
        at(self.settings.from) <= instant && instant < at(self.settings.until)
    }

    fn report_payments(&self, outcome: &mut Outcome) {
        for (paid, verdict) in self.payments.iter().zip(&self.verdicts) {
            let facts = &paid.facts;
            add(&mut outcome.payments, verdict.class, facts.amount.unwrap_or(0));
            // N03 is counted with its line already.
            outcome.flag(verdict.flags.iter().filter(|flag| **flag != "N03"));
            let waited = paid.told_at.map(|told| at(self.settings.as_of).duration_since(told));
            let severity = match P_BREAKS.iter().find(|(class, _)| *class == verdict.class) {
                Some((_, severity)) => severity,
                None if verdict.class == "P19" && waited > Some(SignedDuration::from_hours(72)) => "high",
                None => continue,
            };
            // An unusable amount belongs to no bill, but the report shows what was due on the one it names.
            let named: Vec<&Bill> = self.bills.iter().filter(|bill| bill.is_pair(&facts.invoice, &facts.code)).collect();
            let due = if verdict.class == "P15" || named.len() != 1 { None } else { Some(named[0].amount) };
            let text = |amount: Option<u64>| amount.map(|amount| amount.to_string()).unwrap_or_default();
            // The report gives whole seconds.
            let (invoice, code, date) = (&facts.invoice, &facts.code, at(facts.date.as_second()));
            let rest = format!("{invoice} {code} due {} paid {} {date} {}", text(due), text(facts.amount), join(&paid.evidence));
            outcome.find(verdict.class, &verdict.flags, severity, &rest);
        }
    }

    /// The payments attached to a bill.
    fn attached(&self, at_bill: usize) -> Vec<&Paid> {
        let verdicts = self.verdicts.iter().zip(&self.payments);
        verdicts
            .filter(|(verdict, _)| verdict.bill == Some(at_bill) && !UNATTACHED.contains(&verdict.class))
            .map(|(_, paid)| paid)
            .collect()
    }

    fn in_scope(&self, bill: &Bill) -> bool {
        let (from, grace) = (at(self.settings.from), SignedDuration::from_secs(self.settings.expiry_grace));
        let closed = bill.cancelled.is_some_and(|cancelled| cancelled < from)
            || bill.expires.is_some_and(|expires| expires + grace < from)
            || (!bill.reusable && bill.paid.flatten().is_some_and(|paid| paid < from))
            || (!bill.reusable && bill.own.ingested.iter().any(|paid| paid.date < from));
        bill.own.planned.or(bill.created).is_none_or(|created| created <= at(self.settings.as_of)) && !closed
    }

    /// Payable at as-of.
    fn live(&self, bill: &Bill) -> bool {
        let as_of = at(self.settings.as_of);
        let begun = bill.created.is_none_or(|created| created <= as_of);
        let ended = bill.cancelled.is_some_and(|cancelled| cancelled <= as_of) || bill.expires.is_some_and(|expires| expires < as_of);
        begun && !ended && !bill.own.retired && !bill.code.is_empty()
    }

    fn report_bills(&self, outcome: &mut Outcome) {
        for (index, bill) in self.bills.iter().enumerate().filter(|(_, bill)| self.in_scope(bill)) {
            let attached = self.attached(index);
            let sum: u64 = attached.iter().map(|paid| paid.facts.amount.unwrap()).sum();
            let class = self.bill_class(index, attached.len(), sum);
            add(&mut outcome.bills, class, bill.amount);
            let twin = |other: &Bill| {
                (&other.channel, &other.code) == (&bill.channel, &bill.code) && other.invoice != bill.invoice && self.live(other)
            };
            let shared = self.live(bill) && self.bills.iter().any(twin);
            let flags: BTreeSet<&'static str> = shared.then_some("L07").into_iter().chain(bill.own.otherwise.then_some("L08")).collect();
            outcome.flag(&flags);
            let age = bill.expires.map(|expires| at(self.settings.as_of).duration_since(expires));
            let severity = match class {
                _ if shared => "critical",
                "L06" | "L11" | "L12" | "L05" => "high",
                "L04" => "critical",
                "L02" if age > Some(SignedDuration::from_hours(60 * 24)) => "medium",
                _ => continue,
            };
            let evidence: BTreeSet<String> = attached.iter().map(|paid| paid.line_digest.clone()).collect();
            let rest = format!("{} {} due {} paid {sum} {}", bill.invoice, bill.code, bill.amount, join(&evidence));
            outcome.find(class, &flags, severity, &rest);
        }
    }

    fn bill_class(&self, index: usize, attached: usize, sum: u64) -> &'static str {
        let (bill, tolerance, as_of) = (&self.bills[index], self.settings.tolerance, at(self.settings.as_of));
        if attached > 0 {
            return match sum {
                _ if bill.reusable => "L00",
                _ if sum + tolerance < bill.amount => "L11",
                _ if sum > bill.amount + tolerance => "L12",
                _ => "L00",
            };
        }
        if bill.own.in_doubt {
            return "L06";
        }
        let marked = |paid: &Ingested| self.in_period(paid.date);
        // A notification of another day is evidence too: the mark may only be dated differently.
        let notified_elsewhere = self.verdicts.iter().any(|verdict| verdict.class == "P16" && verdict.bill == Some(index));
        let marked = bill.paid.is_some_and(|paid| paid.is_none_or(|paid| self.in_period(paid))) || self.unproved(bill).any(marked);
        let settled = self.settled.contains(&index);
        if !notified_elsewhere && !settled && marked {
            return "L04";
        }
        if bill.code.is_empty() {
            return "L05";
        }
        if bill.cancelled.is_some_and(|cancelled| cancelled <= as_of) {
            return "L03";
        }
        // What was paid in another period did not expire unpaid.
        let paid_in_another_period = bill.paid.is_some() || notified_elsewhere || self.unproved(bill).next().is_some();
        let passed = bill.expires.is_some_and(|expires| expires + SignedDuration::from_secs(self.settings.expiry_grace) < as_of);
        if passed && !paid_in_another_period && !settled { "L02" } else { "L01" }
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Whether the policy was lapsed or cancelled when it was paid, by the last state recorded until then.
fn lapsed(bill: &Bill, paid: Timestamp) -> bool {
    let recorded = bill.own.policies.iter().rfind(|(second, _)| at(*second) <= paid);
    let state = recorded.map_or(bill.policy.as_str(), |(_, state)| state);
    ["lapsed", "lapse", "cancelled", "canceled", "terminated", "batal"].contains(&state.to_lowercase().as_str())
}
