//! The naive reconciliation: every line, payment and bill gets its class by reading the rules' text from top to bottom.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::evidence::{self, Line, Paid};
use super::world::{LEDGER_HEADER, Settings};

/// Class → (how many, rupiah).
pub(crate) type Totals = BTreeMap<String, (u64, i128)>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub lines: Totals,
    pub payments: Totals,
    pub bills: Totals,
    /// Flags, L10 rows included.
    pub flags: BTreeMap<String, u64>,
    /// Class and subject of everything that is a discrepancy.
    pub discrepancies: BTreeSet<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Bill {
    pub invoice: String,
    pub code: String,
    pub channel: String,
    pub amount: u64,
    pub status: String,
    pub reusable: bool,
    pub created: i64,
    pub expires: i64,
    pub cancelled: Option<i64>,
    pub paid_at: Option<i64>,
    pub paid_amount: Option<u64>,
    pub history: Vec<u64>,
    pub group: String,
}

pub(crate) fn reconcile(ledger: &str, files: &[String], settings: &Settings) -> Outcome {
    let (lines, payments) = evidence::read(files, settings.trust_log);
    let rows: Vec<Option<Bill>> = ledger.lines().skip(1).map(read_row).collect();
    let malformed = rows.iter().filter(|row| row.is_none()).count();
    let bills: Vec<Bill> = rows.into_iter().flatten().collect();
    let mut matcher = Matcher { settings, bills: &bills, payments, classes: Vec::new(), bill_of: Vec::new() };
    matcher.classify_payments();
    let mut outcome = Outcome::default();
    for line in &lines {
        add(&mut outcome.lines, line.class, money(line));
        for flag in &line.flags {
            *outcome.flags.entry((*flag).to_owned()).or_default() += 1;
        }
    }
    for (paid, class) in matcher.payments.iter().zip(&matcher.classes) {
        add(&mut outcome.payments, class, i128::from(paid.facts.amount.unwrap_or(0)));
    }
    for (index, bill) in bills.iter().enumerate() {
        if let Some(class) = matcher.bill_class(index) {
            add(&mut outcome.bills, class, i128::from(bill.amount));
        }
    }
    if malformed > 0 {
        outcome.flags.insert("L10".to_owned(), malformed as u64);
    }
    outcome
}

fn add(totals: &mut Totals, class: &str, rupiah: i128) {
    let entry = totals.entry(class.to_owned()).or_default();
    entry.0 += 1;
    entry.1 += rupiah;
}

fn money(line: &Line) -> i128 {
    i128::from(line.facts.as_ref().and_then(|facts| facts.amount).unwrap_or(0))
}

/// One row; `None` if any cell cannot be what its column says.
fn read_row(row: &str) -> Option<Bill> {
    let cells: Vec<&str> = row.split(',').collect();
    if cells.len() != LEDGER_HEADER.split(',').count() {
        return None;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let amount = |text: &str| digits(text).then(|| text.parse::<u64>().ok()).flatten().filter(|n| (1..=999_999_999_999).contains(n));
    let time = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let optional = |text: &str| if text.is_empty() { Some(None) } else { time(text).map(Some) };
    let (invoice, code, channel) = (cells[0].to_owned(), cells[1].to_owned(), cells[2].to_owned());
    let known = ["ACTIVE", "PAID", "CANCELLED", "EXPIRED"].contains(&cells[4]);
    if invoice.is_empty() || !digits(&code) || code.len() > 20 || !["alfa", "indomaret"].contains(&cells[2]) || !known {
        return None;
    }
    Some(Bill {
        invoice,
        code,
        channel,
        amount: amount(cells[3])?,
        status: cells[4].to_owned(),
        reusable: cells[5].parse().ok()?,
        created: time(cells[6])?,
        expires: time(cells[7])?,
        cancelled: optional(cells[8])?,
        paid_at: optional(cells[9])?,
        paid_amount: if cells[10].is_empty() { None } else { Some(amount(cells[10])?) },
        history: cells[11].split(';').filter(|text| !text.is_empty()).map(amount).collect::<Option<_>>()?,
        group: cells[12].to_owned(),
    })
}

struct Matcher<'a> {
    settings: &'a Settings,
    bills: &'a [Bill],
    payments: Vec<Paid>,
    /// One a payment.
    classes: Vec<&'static str>,
    /// The bill a payment names by invoice and code together.
    bill_of: Vec<Option<usize>>,
}

impl Matcher<'_> {
    fn classify_payments(&mut self) {
        self.payments.sort_by_key(|paid| (paid.facts.date, paid.facts.identity.clone()));
        for index in 0..self.payments.len() {
            let (bill, class) = self.classify(index);
            self.bill_of.push(bill);
            self.classes.push(class);
        }
    }

    fn classify(&self, index: usize) -> (Option<usize>, &'static str) {
        let facts = &self.payments[index].facts;
        let Some(amount) = facts.amount else { return (None, "P17") };
        let with = |test: &dyn Fn(&Bill) -> bool| (0..self.bills.len()).filter(|&bill| test(&self.bills[bill])).collect::<Vec<usize>>();
        let by_invoice = with(&|bill| bill.invoice == facts.invoice);
        let by_code = with(&|bill| bill.code == facts.code);
        let pairs: Vec<usize> = by_invoice.iter().copied().filter(|bill| by_code.contains(bill)).collect();
        let bill = if pairs.len() == 1 { Some(pairs[0]) } else { None };
        if facts.date < self.settings.from || facts.date >= self.settings.until {
            return (bill, "P16");
        }
        let Some(at) = bill else {
            let class = match (pairs.len(), by_invoice.len(), by_code.len()) {
                (0, 0, 0) => "P01",
                (0, 0, 1) | (0, 1, 0 | 1) => "P02",
                _ => "P15",
            };
            return (None, class);
        };
        (bill, self.class_against(index, at, amount))
    }

    fn class_against(&self, index: usize, at: usize, amount: u64) -> &'static str {
        let (facts, bill, tolerance) = (&self.payments[index].facts, &self.bills[at], self.settings.tolerance);
        if !bill.reusable && self.covered_before(index, at) {
            return "P06";
        }
        if self.settled_elsewhere(index, at) {
            return "P12";
        }
        if bill.cancelled.is_some_and(|cancelled| facts.date > cancelled) {
            return "P08";
        }
        if facts.date > bill.expires + self.settings.expiry_grace {
            return "P07";
        }
        if amount != bill.amount && bill.history.contains(&amount) {
            return "P10";
        }
        if amount + tolerance < bill.amount {
            return "P03";
        }
        if amount > bill.amount + tolerance {
            return "P04";
        }
        if facts.channel != bill.channel {
            return "P11";
        }
        if facts.date < bill.created - 300 {
            return "P09";
        }
        match (amount == bill.amount, bill.reusable) {
            (false, _) => "P05",
            (true, true) => "P13",
            (true, false) => "P00",
        }
    }

    fn covered_before(&self, index: usize, at: usize) -> bool {
        (0..index).any(|earlier| {
            let amount = self.payments[earlier].facts.amount.unwrap_or(0);
            self.bill_of[earlier] == Some(at) && amount + self.settings.tolerance >= self.bills[at].amount
        })
    }

    fn settled_elsewhere(&self, _index: usize, _at: usize) -> bool {
        false
    }

    /// Rupiah attached to a bill and by how many payments.
    fn attached(&self, at: usize) -> (u64, u64) {
        let mut sum = (0, 0);
        for (index, paid) in self.payments.iter().enumerate() {
            if self.bill_of[index] == Some(at) && !["P01", "P02", "P15", "P16", "P17"].contains(&self.classes[index]) {
                sum = (sum.0 + 1, sum.1 + paid.facts.amount.unwrap_or(0));
            }
        }
        sum
    }

    fn in_scope(&self, at: usize) -> bool {
        let (bill, from) = (&self.bills[at], self.settings.from);
        let paid_before = bill.paid_at.is_some_and(|paid| paid < from)
            || (0..self.payments.len()).any(|index| self.bill_of[index] == Some(at) && self.payments[index].facts.date < from);
        let closed = bill.cancelled.is_some_and(|cancelled| cancelled < from)
            || bill.expires + self.settings.expiry_grace < from
            || (!bill.reusable && paid_before);
        bill.created <= self.settings.as_of && !closed
    }

    fn bill_class(&self, at: usize) -> Option<&'static str> {
        if !self.in_scope(at) {
            return None;
        }
        let bill = &self.bills[at];
        let (count, sum) = self.attached(at);
        let class = if count > 0 && sum < bill.amount {
            "L11"
        } else if count > 0 && sum > bill.amount && !bill.reusable {
            "L12"
        } else if count > 0 {
            "L00"
        } else if bill.status == "PAID" {
            "L04"
        } else if bill.cancelled.is_some() {
            "L03"
        } else if self.settings.as_of > bill.expires + self.settings.expiry_grace {
            "L02"
        } else {
            "L01"
        };
        Some(class)
    }
}
