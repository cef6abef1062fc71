//! The naive reading of settlement reports: text → one class a row, unsettled payments, batches (section 2, S, of the rules).
//!
//! Cells are split at commas and kept as texts, loops are quadratic, and nothing of the engine is used.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::evidence::{Paid, digits, hex};
use super::ledger::Bill;
use super::naive::{Outcome, add};
use super::world::{HOUR, Settings};

/// What the merchant knows.
#[derive(Clone, Debug)]
pub(crate) struct Contract {
    /// Name of a channel in the report → `alfa`, `indomaret` or `other`.
    pub names: Vec<(&'static str, &'static str)>,
    pub working_days: u32,
    pub holidays: Vec<Date>,
    /// Rupiah a payment before 11 percent VAT; `None`: not known.
    pub fee: Option<u64>,
    pub grace_hours: i64,
    /// Whether the chain of Indomaret is settled by DOKU.
    pub indomaret_is_settled: bool,
    /// Percent of the net amount in the column `Agent`, if shares are known.
    pub share: Option<i64>,
}

/// A row by its column names in capitals, with its batch, and the digest of its line.
struct Row {
    cells: BTreeMap<String, String>,
    digest: String,
}

impl Row {
    fn text(&self, name: &str) -> &str {
        self.cells.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    fn day(&self, name: &str) -> Option<Date> {
        day(self.text(name))
    }

    fn is_purchase(&self) -> bool {
        self.text("TRANSACTION TYPE").eq_ignore_ascii_case("Purchase")
    }

    fn code(&self) -> &str {
        if self.text("REPORT CODE").is_empty() { self.text("RECON CODE") } else { self.text("REPORT CODE") }
    }

    fn has_code(&self, code: &str) -> bool {
        [self.text("REPORT CODE"), self.text("RECON CODE")].iter().any(|mine| !mine.is_empty() && *mine == code)
    }

    fn channel(&self, contract: &Contract) -> &'static str {
        let name = self.text("PAYMENT CHANNEL NAME");
        contract.names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, channel)| channel)
    }

    fn left(&self) -> i64 {
        let gross = if self.is_purchase() { self.number("AMOUNT") } else { -self.number("AMOUNT") };
        gross - self.number("FEE") - self.number("DISCOUNT")
    }

    fn is_sound(&self) -> bool {
        let whole = |name: &str| digits(self.text(name).trim_start_matches('-'));
        let dates = self.day("TRANSACTION DATE").is_some() && (self.text("PAY OUT DATE").is_empty() || self.day("PAY OUT DATE").is_some());
        let named = !self.text("PAYMENT CHANNEL NAME").is_empty() && !self.text("TRANSACTION TYPE").is_empty();
        let ids = !self.text("INVOICE NUMBER").is_empty() || !self.code().is_empty();
        let amounts = ["AMOUNT", "FEE", "PAY TO MERCHANT", "DISCOUNT"].iter().all(|name| whole(name));
        amounts && dates && named && ids && (!self.is_purchase() || (1..=999_999_999_999).contains(&self.number("AMOUNT")))
    }
}

fn day(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if lengths != [2, 2, 4] {
        return None;
    }
    Date::new(parts[2].parse().ok()?, parts[1].parse().ok()?, parts[0].parse().ok()?).ok()
}

fn wib_day(at: Timestamp) -> Date {
    (at + SignedDuration::from_secs(7 * HOUR)).to_zoned(TimeZone::UTC).date()
}

type Totals = BTreeMap<String, i64>;

/// Every row of a report (`None`, with its digest, where it cannot be read), and the totals it states.
fn read(text: &str, rows: &mut Vec<(Row, bool)>, totals: &mut BTreeSet<Totals>, batches: &mut BTreeSet<String>) {
    let (mut stated, mut header, mut batch) = (Totals::new(), Vec::new(), String::new());
    for line in text.trim_start_matches('\u{feff}').lines().filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        if header.is_empty() && cells[0] == "Batch ID_" {
            batch = cells[1].to_owned();
        } else if header.is_empty() && cells.len() == 2 {
            stated.insert(cells[0].to_owned(), cells[1].parse().unwrap());
        } else if header.is_empty() {
            header = cells.iter().map(|name| name.to_uppercase()).collect();
        } else {
            let mut named: BTreeMap<String, String> =
                header.iter().cloned().zip(cells.iter().map(|cell| (*cell).to_owned())).filter(|(_, cell)| !cell.is_empty()).collect();
            // These say nothing of the money.
            for name in ["MERCHANT NAME", "CUSTOMER NAME", "PROMO CODE"] {
                named.remove(name);
            }
            named.insert("BATCH".to_owned(), batch.clone());
            let row = Row { cells: named, digest: hex(&Sha256::digest(line)) };
            let is_sound = cells.len() == header.len() && row.is_sound();
            rows.push((row, is_sound));
        }
    }
    batches.insert(batch.clone());
    // The batch is part of a statement; spelled so that no total is called like it.
    stated.insert(format!("batch {batch}"), 0);
    totals.insert(stated);
}

/// Of rows that are equal in several files as many as any one of them has; of two that are written differently the smaller digest stays.
fn add_what_is_new(rows: &mut Vec<(Row, bool)>, more: Vec<(Row, bool)>) {
    let is_equal = |a: &(Row, bool), b: &(Row, bool)| a.1 == b.1 && if a.1 { a.0.cells == b.0.cells } else { a.0.digest == b.0.digest };
    let (mut taken, before) = (vec![false; rows.len()], rows.len());
    let mut more = more;
    more.sort_by(|a, b| a.0.digest.cmp(&b.0.digest));
    for row in more {
        let mut same: Vec<usize> = (0..before).filter(|&at| !taken[at] && is_equal(&rows[at], &row)).collect();
        same.sort_by(|a, b| rows[*a].0.digest.cmp(&rows[*b].0.digest));
        if let Some(&at) = same.first() {
            taken[at] = true;
            if row.0.digest < rows[at].0.digest {
                rows[at] = row;
            }
        } else {
            rows.push(row);
        }
    }
}

/// A payment as settlement sees it.
struct Notified<'a> {
    paid: &'a Paid,
    day: Date,
    subject: String,
}

struct Judge<'a> {
    settings: &'a Settings,
    contract: &'a Contract,
    bills: &'a [Bill],
    rows: Vec<Row>,
    notified: Vec<Notified<'a>>,
    /// Of each row: `repeated`, `again`, `several`, `nothing`, `payment`, or empty.
    found: Vec<&'static str>,
    payment: Vec<Option<usize>>,
    subject: Vec<Option<String>>,
    /// Of each row that was looked for: its subject and day.
    money: Vec<String>,
    /// Rows that are another of their batch, corrected.
    told_again: BTreeSet<usize>,
}

/// Classes every row and payment into `outcome`; gives the bills that a row pays out.
pub(crate) fn report(
    outcome: &mut Outcome,
    settings: &Settings,
    bills: &[Bill],
    payments: &[Paid],
    reports: &[String],
    contract: &Contract,
) -> BTreeSet<usize> {
    let (mut rows, mut totals, mut batches) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for text in reports {
        let mut more = Vec::new();
        read(text, &mut more, &mut totals, &mut batches);
        add_what_is_new(&mut rows, more);
    }
    let malformed: Vec<&Row> = rows.iter().filter(|(_, is_sound)| !is_sound).map(|(row, _)| row).collect();
    for _ in &malformed {
        add(&mut outcome.settlement, "S10", 0);
    }
    outcome.malformed_rows += malformed.iter().map(|row| &row.digest).collect::<BTreeSet<_>>().len() as u64;
    let rows: Vec<Row> = rows.into_iter().filter(|(_, is_sound)| *is_sound).map(|(row, _)| row).collect();
    let notified = payments.iter().map(|paid| {
        let facts = &paid.facts;
        let pairs: Vec<usize> = (0..bills.len()).filter(|&bill| bills[bill].is_pair(&facts.invoice, &facts.code)).collect();
        let subject = if pairs.len() == 1 { format!("bill {}", pairs[0]) } else { format!("ids {} {}", facts.invoice, facts.code) };
        Notified { paid, day: wib_day(facts.date), subject }
    });
    let (notified, count) = (notified.collect(), rows.len());
    let (found, payment, subject) = (vec![""; count], vec![None; count], vec![None; count]);
    let money = vec![String::new(); count];
    let mut judge = Judge { settings, contract, bills, rows, notified, found, payment, subject, money, told_again: BTreeSet::new() };
    judge.find_repeated();
    judge.find_payments();
    judge.report_rows(outcome);
    judge.report_unsettled(outcome);
    judge.report_batches(outcome, &batches, &totals);
    let settles = |row: &usize| judge.rows[*row].is_purchase() && judge.is_ours(*row);
    let subjects = (0..count).filter(settles).filter_map(|row| judge.subject[row].as_ref()?.strip_prefix("bill ")?.parse().ok());
    subjects.collect()
}

/// What of one subject has found nothing yet.
struct LeftOver {
    unpaid: BTreeSet<usize>,
    /// The days of its payments.
    notified: BTreeSet<Date>,
    /// The days on which a row was left before.
    had_one: BTreeSet<Date>,
    rest: Vec<(usize, Date)>,
}

impl Judge<'_> {
    fn is_ours(&self, row: usize) -> bool {
        ["alfa", "indomaret"].contains(&self.rows[row].channel(self.contract))
    }

    /// Of rows with the same cells all but the one with the smallest digest.
    fn find_repeated(&mut self) {
        for row in 0..self.rows.len() {
            let before = |other: &usize| {
                self.rows[*other].cells == self.rows[row].cells && (&self.rows[*other].digest, *other) < (&self.rows[row].digest, row)
            };
            if (0..self.rows.len()).any(|other| before(&other)) {
                self.found[row] = "repeated";
            }
        }
    }

    fn subjects(&self, row: &Row) -> Vec<String> {
        let invoice = row.text("INVOICE NUMBER");
        let collect = |bill: &dyn Fn(&Bill) -> bool, paid: &dyn Fn(&Paid) -> bool| -> BTreeSet<String> {
            let bills = (0..self.bills.len()).filter(|&at| bill(&self.bills[at])).map(|at| format!("bill {at}"));
            let ids = self.notified.iter().filter(|one| one.subject.starts_with("ids") && paid(one.paid)).map(|one| one.subject.clone());
            bills.chain(ids).collect()
        };
        let mut found = BTreeSet::new();
        if !invoice.is_empty() {
            found = collect(&|bill| bill.is_named(invoice), &|paid| paid.facts.invoice == invoice);
        }
        if found.is_empty() {
            found = collect(&|bill| row.has_code(&bill.code), &|paid| row.has_code(&paid.facts.code));
        }
        let code_of = |subject: &str| match subject.split_once(' ').unwrap() {
            ("bill", at) => self.bills[at.parse::<usize>().unwrap()].code.clone(),
            (_, ids) => ids.rsplit(' ').next().unwrap().to_owned(),
        };
        let on_the_day =
            |subject: &str| self.notified.iter().any(|one| one.subject == subject && Some(one.day) == row.day("TRANSACTION DATE"));
        for fits in [&(|subject: &str| row.has_code(&code_of(subject))) as &dyn Fn(&str) -> bool, &on_the_day] {
            if found.len() > 1 && found.iter().any(|subject| fits(subject)) {
                found.retain(|subject| fits(subject));
            }
        }
        found.into_iter().collect()
    }

    fn find_payments(&mut self) {
        let mut by_subject: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in 0..self.rows.len() {
            if !self.is_ours(row) {
                continue;
            }
            let subjects = self.subjects(&self.rows[row]);
            if let [subject] = &*subjects {
                self.subject[row] = Some(subject.clone());
            }
            let this = &self.rows[row];
            if self.found[row] == "repeated" || !this.is_purchase() {
            } else if subjects.len() > 1 {
                self.found[row] = "several";
            } else {
                let unknown = || format!("row {} {} {}", this.text("INVOICE NUMBER"), this.text("REPORT CODE"), this.text("RECON CODE"));
                by_subject.entry(subjects.first().cloned().unwrap_or_else(unknown)).or_default().push(row);
                self.found[row] = "nothing";
            }
        }
        for (subject, rows) in by_subject {
            self.pair(&subject, &rows);
        }
    }

    fn settle(&mut self, row: usize, payment: usize) {
        self.found[row] = "payment";
        self.payment[row] = Some(payment);
    }

    fn pair(&mut self, subject: &str, rows: &[usize]) {
        let reusable = subject.strip_prefix("bill ").is_some_and(|at| self.bills[at.parse::<usize>().unwrap()].reusable);
        let unpaid: BTreeSet<usize> = (0..self.notified.len()).filter(|&one| self.notified[one].subject == subject).collect();
        let days: BTreeSet<Date> = rows.iter().filter_map(|&row| self.rows[row].day("TRANSACTION DATE")).collect();
        let rows = self.one_of_each_number(rows, &unpaid);
        let notified: BTreeSet<Date> = unpaid.iter().map(|&one| self.notified[one].day).collect();
        let mut left = LeftOver { unpaid, notified, had_one: BTreeSet::new(), rest: Vec::new() };
        // A row that is held settles only what none that was paid out settles, on its day or beside it.
        for is_held in [false, true] {
            for &day in &days {
                self.pair_day(subject, day, is_held, reusable, &rows, &mut left);
            }
            if let (&[(row, day)], 1) = (&*left.rest, left.unpaid.len()) {
                let one = *left.unpaid.first().unwrap();
                let is_beside = self.notified[one].day.tomorrow().unwrap() == day || day.tomorrow().unwrap() == self.notified[one].day;
                if is_beside && self.rows[row].day("PAY OUT DATE").is_none() == is_held {
                    self.settle(row, one);
                    left.unpaid.clear();
                    left.rest.clear();
                }
            }
        }
    }

    fn pair_day(&mut self, subject: &str, day: Date, is_held: bool, reusable: bool, rows: &[usize], left: &mut LeftOver) {
        let of_day: Vec<usize> = rows.iter().copied().filter(|&row| self.rows[row].day("TRANSACTION DATE") == Some(day)).collect();
        let mut mine: Vec<usize> = of_day.iter().copied().filter(|&row| self.rows[row].day("PAY OUT DATE").is_none() == is_held).collect();
        mine.sort_by_key(|&row| {
            let row = &self.rows[row];
            (row.number("AMOUNT"), row.day("PAY OUT DATE"), row.text("BATCH").to_owned(), row.text("NO").to_owned())
        });
        let mut today: Vec<usize> = left.unpaid.iter().copied().filter(|&one| self.notified[one].day == day).collect();
        for &row in &mine {
            self.money[row] = format!("{subject} {day}");
        }
        mine.retain(|&row| {
            let amount = self.rows[row].number("AMOUNT") as u64;
            let Some(at) = today.iter().position(|&one| self.notified[one].paid.facts.amount == Some(amount)) else { return true };
            left.unpaid.remove(&today[at]);
            self.found[row] = "payment";
            self.payment[row] = Some(today.remove(at));
            false
        });
        if !mine.is_empty() && !today.is_empty() {
            left.unpaid.retain(|one| !today.contains(one));
            if let (&[row], &[one]) = (&*mine, &*today) {
                self.settle(row, one);
            } else {
                for &row in &mine {
                    self.found[row] = "several";
                }
            }
            return;
        }
        if reusable && is_held {
            // Held, and paid out for the same day and amount: one money, each once.
            let paid = of_day.iter().filter(|&&row| self.rows[row].day("PAY OUT DATE").is_some());
            let mut paid: Vec<i64> = paid.map(|&row| self.rows[row].number("AMOUNT")).collect();
            mine.retain(|&row| {
                let same = paid.iter().position(|other| *other == self.rows[row].number("AMOUNT"));
                if let Some(same) = same {
                    paid.remove(same);
                    self.found[row] = "held beside";
                }
                same.is_none()
            });
        }
        for row in mine {
            if !reusable && (left.notified.contains(&day) || !left.had_one.insert(day)) {
                self.found[row] = if is_held { "held beside" } else { "again" };
            } else {
                left.rest.push((row, day));
            }
        }
    }

    /// Rows under one number of a batch are one, corrected: paid out before held, with a payment's amount before without, then as rows stand.
    fn one_of_each_number(&mut self, rows: &[usize], unpaid: &BTreeSet<usize>) -> Vec<usize> {
        let mut best: BTreeMap<(String, String), usize> = BTreeMap::new();
        let rank = |at: usize| {
            let row = &self.rows[at];
            let (day, amount) = (row.day("TRANSACTION DATE").unwrap(), row.number("AMOUNT"));
            let is_exact = unpaid
                .iter()
                .any(|&one| self.notified[one].day == day && self.notified[one].paid.facts.amount == u64::try_from(amount).ok());
            let held = row.day("PAY OUT DATE").is_none();
            (held, !is_exact, day, amount, row.day("PAY OUT DATE"), row.text("BATCH").to_owned(), row.text("NO").to_owned(), at)
        };
        for &row in rows {
            let (batch, number) = (self.rows[row].text("BATCH").to_owned(), self.rows[row].text("NO").to_owned());
            if !batch.is_empty() && !number.is_empty() {
                let kept = best.entry((batch, number)).or_insert(row);
                if rank(row) < rank(*kept) {
                    *kept = row;
                }
            }
        }
        let is_other = |row: &usize| {
            let place = (self.rows[*row].text("BATCH").to_owned(), self.rows[*row].text("NO").to_owned());
            best.get(&place).is_some_and(|kept| kept != row)
        };
        let (others, kept): (Vec<usize>, Vec<usize>) = rows.iter().copied().partition(is_other);
        for row in others {
            self.found[row] = if self.rows[row].day("PAY OUT DATE").is_some() { "again" } else { "held beside" };
            self.told_again.insert(row);
        }
        kept
    }

    fn in_period(&self, day: Date) -> bool {
        let at = |second: i64| wib_day(Timestamp::from_second(second).unwrap());
        at(self.settings.from) <= day && day <= at(self.settings.until - 1)
    }

    fn expected_fee(&self) -> Option<u64> {
        // Eleven percent VAT, to the nearest rupiah.
        self.contract.fee.map(|fee| fee + (fee * 11 + 50) / 100)
    }

    fn hits(&self, at: usize) -> Vec<&'static str> {
        let row = &self.rows[at];
        match row.channel(self.contract) {
            "" => return vec!["S11"],
            "other" => return vec!["S12"],
            _ => {}
        }
        let notified = self.payment[at].map(|one| self.notified[one].paid.facts.amount);
        let (paid_on, out_on) = (row.day("TRANSACTION DATE").unwrap(), row.day("PAY OUT DATE"));
        let net = row.number("PAY TO MERCHANT");
        let share_is_wrong = self.contract.share.is_some_and(|percent| (net * percent - row.number("AGENT") * 100).abs() >= 100);
        let rules = [
            ("S07", ["repeated", "again"].contains(&self.found[at])),
            ("S14", self.found[at] == "held beside"),
            ("S06", !row.is_purchase()),
            ("S13", self.found[at] == "several"),
            ("S01", self.found[at] == "nothing" && self.in_period(paid_on)),
            ("S03", notified.is_some_and(|amount| amount != Some(row.number("AMOUNT") as u64))),
            ("S05", net != row.left()),
            ("S04", row.is_purchase() && self.expected_fee().is_some_and(|fee| fee as i64 != row.number("FEE"))),
            ("S09", row.is_purchase() && share_is_wrong),
            ("S08", !self.in_period(paid_on) || out_on.is_none_or(|day| !self.in_period(day))),
            ("S00", true),
        ];
        rules.iter().filter(|(_, holds)| *holds).map(|(class, _)| *class).collect()
    }

    fn report_rows(&self, outcome: &mut Outcome) {
        let mut unknown: BTreeMap<&str, (i64, BTreeSet<&String>)> = BTreeMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            let hits = self.hits(at);
            let flags: BTreeSet<&'static str> = hits[1..].iter().copied().filter(|class| *class != "S00").collect();
            let (amount, class) = (row.number("AMOUNT"), hits[0]);
            add(&mut outcome.settlement, class, amount.unsigned_abs());
            outcome.flag(&flags);
            if class == "S11" {
                let (sum, digests) = unknown.entry(row.text("PAYMENT CHANNEL NAME")).or_default();
                *sum += amount;
                digests.insert(&row.digest);
            }
            let grace = SignedDuration::from_hours(self.contract.grace_hours + 24 - 7);
            let ends = row.day("TRANSACTION DATE").unwrap().to_zoned(TimeZone::UTC).unwrap().timestamp() + grace;
            let late = Timestamp::from_second(self.settings.as_of).unwrap() > ends;
            let notified = self.payment[at].map(|one| &self.notified[one]);
            let usual = notified.and_then(|one| one.paid.facts.amount).map(|amount| amount as i64);
            let (severity, due, paid) = match class {
                "S07" => ("high", Some(0), amount),
                "S06" => ("high", None, -amount),
                "S13" | "S03" => ("high", usual, amount),
                "S01" if late => ("high", usual, amount),
                "S05" => ("high", Some(row.left()), row.number("PAY TO MERCHANT")),
                "S04" => ("medium", self.expected_fee().map(|fee| fee as i64), row.number("FEE")),
                "S09" => ("medium", usual, amount),
                _ => continue,
            };
            let due = due.map(|due| due.to_string()).unwrap_or_default();
            let mut evidence: Vec<&str> = vec![&row.digest];
            evidence.extend(notified.map(|one| one.paid.line_digest.as_str()));
            evidence.sort_unstable();
            let rest = format!("{} {} due {due} paid {paid} {}", row.text("INVOICE NUMBER"), row.code(), evidence.join(";"));
            outcome.find(class, &flags, severity, &rest);
        }
        for (sum, digests) in unknown.values() {
            let digests: Vec<&str> = digests.iter().map(|digest| digest.as_str()).collect();
            outcome.find("S11", &BTreeSet::new(), "medium", &format!("  due  paid {sum} {}", digests.join(";")));
        }
    }

    fn report_unsettled(&self, outcome: &mut Outcome) {
        for (at, one) in self.notified.iter().enumerate() {
            let facts = &one.paid.facts;
            let is_settled = facts.channel == "alfa" || self.contract.indomaret_is_settled;
            let row = (0..self.rows.len()).find(|&row| self.payment[row] == Some(at));
            let out_on = row.and_then(|row| self.rows[row].day("PAY OUT DATE"));
            let until = wib_day(Timestamp::from_second(self.settings.until - 1).unwrap());
            if !is_settled || !self.in_period(one.day) || out_on.is_some_and(|day| day <= until) {
                continue;
            }
            let amount = facts.amount.unwrap_or(0);
            add(&mut outcome.settlement, "S02", amount);
            let (mut due, mut left) = (one.day, self.contract.working_days);
            while left > 0 {
                due = due.tomorrow().unwrap();
                let rests = [Weekday::Saturday, Weekday::Sunday].contains(&due.weekday()) || self.contract.holidays.contains(&due);
                left -= u32::from(!rests);
            }
            if out_on.is_none() && wib_day(Timestamp::from_second(self.settings.as_of).unwrap()) > due {
                let second = Timestamp::from_second(facts.date.as_second()).unwrap();
                let evidence: Vec<&str> = one.paid.evidence.iter().map(String::as_str).collect();
                let rest = format!("{} {} due {amount} paid 0 {second} {}", facts.invoice, facts.code, evidence.join(";"));
                outcome.find("S02", &BTreeSet::new(), "high", &rest);
            }
        }
    }

    fn report_batches(&self, outcome: &mut Outcome, batches: &BTreeSet<String>, totals: &BTreeSet<Totals>) {
        for batch in batches {
            // A payment is in its batch once, held at first or not.
            let beside = |at: usize| {
                let other = |other: &usize| {
                    self.rows[*other].text("BATCH") == batch
                        && self.money[*other] == self.money[at]
                        && !["repeated", "held beside"].contains(&self.found[*other])
                };
                // Sent once more under its number, with something corrected.
                let corrected = |other: &usize| {
                    let (row, beside) = (&self.rows[at], &self.rows[*other]);
                    beside.text("BATCH") == batch
                        && self.money[*other] == self.money[at]
                        && !row.text("NO").is_empty()
                        && row.text("NO") == beside.text("NO")
                        && !["repeated", "held beside", "again"].contains(&self.found[*other])
                };
                let all = || 0..self.rows.len();
                self.told_again.contains(&at)
                    || self.found[at] == "held beside" && all().any(|at| other(&at))
                    || ["held beside", "again"].contains(&self.found[at]) && all().any(|at| corrected(&at))
            };
            let rows: Vec<&Row> = (0..self.rows.len())
                .filter(|&at| self.found[at] != "repeated" && !beside(at))
                .map(|at| &self.rows[at])
                .filter(|row| row.text("BATCH") == batch)
                .collect();
            let stated: Vec<&Totals> = totals.iter().filter(|stated| stated.contains_key(&format!("batch {batch}"))).collect();
            let sum = |name: &str, purchases: bool| -> i64 {
                rows.iter().filter(|row| row.is_purchase() == purchases).map(|row| if name.is_empty() { 1 } else { row.number(name) }).sum()
            };
            let both = |name: &str| sum(name, true) + sum(name, false);
            let sums = [
                ("Total Amount Purchase_", sum("AMOUNT", true)),
                ("Total Fee_", both("FEE")),
                ("Total Purchase_", sum("", true)),
                ("Total Amount Refund_", sum("AMOUNT", false)),
                ("Total Refund_", sum("", false)),
                ("Total Settlement Amount_", both("PAY TO MERCHANT")),
                ("Total Discount_", both("DISCOUNT")),
                ("Total Transactions_", both("")),
            ];
            let said = |name: &str| {
                let values: Vec<i64> = stated.iter().filter_map(|stated| stated.get(name)).copied().collect();
                (!values.is_empty()).then(|| values.iter().sum::<i64>())
            };
            let differs = sums.iter().any(|(name, sum)| said(name).is_some_and(|said| said != *sum));
            if differs || stated.len() > 1 {
                add(&mut outcome.settlement, "S05", 0);
                let due = said("Total Settlement Amount_").map(|due| due.to_string()).unwrap_or_default();
                outcome.find("S05", &BTreeSet::new(), "high", &format!("  due {due} paid {} ", both("PAY TO MERCHANT")));
            }
        }
    }
}
