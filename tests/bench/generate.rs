//! `generate BILLS DIR`: an external ledger of so many bills, the notification logs of a month, and the truth about them.
//!
//! The same count gives the same bytes. truth.json says what was planted, in the form of the reconciliation's summary.json;
//! nothing of the engine is used to make it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use rayon::prelude::*;
use secrecy::SecretString;
use tagih::doku::signature::{Components, SigningKey, Stamp};

use super::plant::{AS_OF, DAY, Damage, Dice, Message, PERIOD_START, Plan, Portfolio, Row, civil, write_instant};

const CLIENT_ID: &str = "MCH-0001-10791114622547";
const SECRET: &str = "SK-bench-0123456789abcdef";
const TARGET: &str = "/payments/notifications";
const SEED: u64 = 20_261_001;
/// Bills worked on at once, and by one thread.
const BATCH: u64 = 65_536;
const PART: u64 = 1_024;

type Totals = BTreeMap<&'static str, (u64, u64)>;

/// What the reconciliation must find.
#[derive(Default)]
struct Truth {
    lines: Totals,
    payments: Totals,
    bills: Totals,
    flags: BTreeMap<&'static str, u64>,
    malformed_rows: u64,
}

impl Truth {
    fn count(&mut self, plan: &Plan) {
        let add = |totals: &mut Totals, class, amount| {
            let slot = totals.entry(class).or_default();
            *slot = (slot.0 + 1, slot.1 + amount);
        };
        plan.messages.iter().for_each(|message| add(&mut self.lines, message.class, message.money));
        plan.payments.iter().for_each(|&(class, amount)| add(&mut self.payments, class, amount));
        if let Some(class) = plan.bill {
            add(&mut self.bills, class, plan.row.amount);
        }
        for flag in &plan.flags {
            *self.flags.entry(flag).or_default() += 1;
        }
        self.malformed_rows += u64::from(plan.row.malformed);
    }

    fn merge(&mut self, other: Self) {
        for (into, from) in [(&mut self.lines, other.lines), (&mut self.payments, other.payments), (&mut self.bills, other.bills)] {
            for (class, (count, amount)) in from {
                let slot = into.entry(class).or_default();
                *slot = (slot.0 + count, slot.1 + amount);
            }
        }
        for (flag, count) in other.flags {
            *self.flags.entry(flag).or_default() += count;
        }
        self.malformed_rows += other.malformed_rows;
    }

    fn json(&self, bills: u64) -> String {
        let table = |totals: &Totals| -> serde_json::Value {
            totals
                .iter()
                .map(|(class, (count, amount))| ((*class).to_owned(), serde_json::json!({"count": count, "amount": amount})))
                .collect()
        };
        let truth = serde_json::json!({
            "rows": bills,
            "lines": table(&self.lines),
            "payments": table(&self.payments),
            "bills": table(&self.bills),
            "flags": self.flags,
            "counted_apart": {"L10": self.malformed_rows},
        });
        serde_json::to_string_pretty(&truth).unwrap()
    }
}

/// Writes the data of `bills` bills into `dir`.
pub fn run(bills: u64, dir: &Path) {
    fs::create_dir_all(dir.join("logs")).unwrap();
    let portfolio = Portfolio::new(SEED, bills);
    write_ledger(&portfolio, dir);
    let truth = write_logs(&portfolio, dir);
    fs::write(dir.join("client_id"), CLIENT_ID).unwrap();
    fs::write(dir.join("secret"), SECRET).unwrap();
    // Last, so that an interrupted run is recognised and repeated.
    fs::write(dir.join("truth.json"), truth.json(bills)).unwrap();
    let lines: u64 = truth.lines.values().map(|(count, _)| count).sum();
    println!("{bills} bills, {lines} lines in {}", dir.display());
}

/// Runs `work` over `0..count` in parts, in parallel, and hands the results to `sink` in order.
fn in_order<T: Send>(count: u64, work: impl Fn(std::ops::Range<u64>) -> T + Sync, mut sink: impl FnMut(T)) {
    let mut from = 0;
    while from < count {
        let to = (from + BATCH).min(count);
        let starts: Vec<u64> = (from..to).step_by(PART as usize).collect();
        let parts: Vec<T> = starts.into_par_iter().map(|start| work(start..(start + PART).min(to))).collect();
        parts.into_iter().for_each(&mut sink);
        from = to;
    }
}

fn write_ledger(portfolio: &Portfolio, dir: &Path) {
    let mut out = BufWriter::new(File::create(dir.join("ledger.csv")).unwrap());
    let header = "invoice_number,payment_code,channel,amount,status,reusable,created_at,expires_at,cancelled_at,\
                  paid_at,paid_amount,amount_history,bill_group\n";
    out.write_all(header.as_bytes()).unwrap();
    let part = |range: std::ops::Range<u64>| {
        let mut text = String::new();
        range.for_each(|index| write_row(&mut text, &portfolio.plan(index).row));
        text
    };
    in_order(portfolio.bills, part, |text| out.write_all(text.as_bytes()).unwrap());
    out.flush().unwrap();
}

fn write_row(out: &mut String, row: &Row) {
    let channel = if row.indomaret { "indomaret" } else { "alfa" };
    write!(out, "{},{},{channel},", row.invoice, row.code).unwrap();
    if row.malformed {
        out.push_str("not a number");
    } else {
        write!(out, "{}", row.amount).unwrap();
    }
    write!(out, ",{},{},", row.status, row.reusable).unwrap();
    write_instant(out, row.created, true);
    out.push(',');
    write_instant(out, row.expires, true);
    for at in [row.cancelled, row.paid] {
        out.push(',');
        if let Some(at) = at {
            write_instant(out, at, true);
        }
    }
    out.push(',');
    if row.paid.is_some() {
        write!(out, "{}", row.amount).unwrap();
    }
    out.push(',');
    if let Some(amount) = row.earlier_amount {
        write!(out, "{amount}").unwrap();
    }
    out.push(',');
    if let Some(group) = row.group {
        write!(out, "G{group:09}").unwrap();
    }
    out.push('\n');
}

/// One log a WIB day, by the day a message was received on.
fn write_logs(portfolio: &Portfolio, dir: &Path) -> Truth {
    let key = SigningKey::new(&SecretString::from(SECRET));
    let mut files: BTreeMap<i64, BufWriter<File>> = BTreeMap::new();
    let mut truth = Truth::default();
    let part = |range: std::ops::Range<u64>| {
        let mut days: BTreeMap<i64, String> = BTreeMap::new();
        let mut found = Truth::default();
        for slot in range {
            let index = portfolio.bill_at(slot);
            let plan = portfolio.plan(index);
            found.count(&plan);
            for message in &plan.messages {
                let day = (message.received - PERIOD_START).div_euclid(DAY);
                write_line(days.entry(day).or_default(), message, index, &key);
            }
        }
        (days, found)
    };
    in_order(portfolio.bills, part, |(days, found)| {
        truth.merge(found);
        for (day, text) in days {
            let file = files.entry(day).or_insert_with(|| {
                // Noon of the WIB day, so that the UTC date is the same.
                let (year, month, of_month) = civil((PERIOD_START + day * DAY + DAY / 2).div_euclid(DAY));
                let name = format!("notifications-{year}-{month:02}-{of_month:02}.jsonl");
                BufWriter::new(File::create(dir.join("logs").join(name)).unwrap())
            });
            file.write_all(text.as_bytes()).unwrap();
        }
    });
    for mut file in files.into_values() {
        file.flush().unwrap();
    }
    const { assert!(AS_OF > PERIOD_START, "the as-of ends the story") };
    truth
}

/// One log line: what a web server in front of the notification URL writes down.
fn write_line(out: &mut String, message: &Message, index: u64, key: &SigningKey) {
    let body = body(message, index);
    if message.damage == Damage::Bare {
        out.push_str(&body);
        out.push('\n');
        return;
    }
    let client_id = if message.damage == Damage::ForeignClient { "BRN-0216-1651116842" } else { CLIENT_ID };
    let request_id = uuid(index, message.request);
    let mut stamp = String::new();
    write_instant(&mut stamp, message.received - 1, false);
    let mut received = String::new();
    write_instant(&mut received, message.received, false);
    let components =
        Components { client_id, request_id: &request_id, stamp: Stamp::Request(&stamp), target: TARGET, body: Some(body.as_bytes()) };
    let mut signature = key.sign(&components).unwrap();
    if message.damage == Damage::Forged {
        let forged = if signature.as_bytes()[20] == b'A' { "B" } else { "A" };
        signature.replace_range(20..21, forged);
    }
    let start = out.len();
    write!(out, r#"{{"received_at":"{received}","target":"{TARGET}","headers":{{"#).unwrap();
    write!(out, r#""Content-Type":"application/json","Client-Id":"{client_id}","Request-Id":"{request_id}","#).unwrap();
    write!(out, r#""Request-Timestamp":"{stamp}""#).unwrap();
    if message.damage != Damage::Unsigned {
        write!(out, r#","Signature":"{signature}""#).unwrap();
    }
    out.push_str(r#"},"body":""#);
    for character in body.chars() {
        if character == '"' {
            out.push('\\');
        }
        out.push(character);
    }
    out.push_str("\"}");
    if message.damage == Damage::Torn {
        out.truncate(start + 400);
    }
    out.push('\n');
}

fn body(message: &Message, index: u64) -> String {
    let (acquirer, agent) = if message.indomaret { ("INDOMARET", "INDOMARET") } else { ("ALFA", "ALFAMART") };
    let service = if message.damage == Damage::ForeignService { "VIRTUAL_ACCOUNT" } else { "ONLINE_TO_OFFLINE" };
    let mut body = String::with_capacity(640);
    write!(body, r#"{{"service":{{"id":"{service}"}},"acquirer":{{"id":"{acquirer}"}},"#).unwrap();
    write!(body, r#""channel":{{"id":"ONLINE_TO_OFFLINE_{acquirer}"}},"transaction":{{"status":"{}","date":""#, message.status).unwrap();
    write_instant(&mut body, message.date, false);
    write!(body, r#"","original_request_id":"{}"}},"order":{{"#, uuid(index, 0)).unwrap();
    if message.damage != Damage::NoInvoice {
        write!(body, r#""invoice_number":"{}","#, message.invoice).unwrap();
    }
    write!(body, r#""amount":{}}},"online_to_offline_info":{{"payment_code":"{}"}},"#, message.amount, message.code).unwrap();
    write!(body, r#""online_to_offline_payment":{{"identifier":[{{"name":"AGENT_ID","value":"{agent}"}},"#).unwrap();
    write!(body, r#"{{"name":"AGENT_STORE_ID","value":"T{:04}"}},"#, message.store).unwrap();
    write!(body, r#"{{"name":"AGENT_TRX_ID","value":"{:012}"}}]}}}}"#, message.transaction).unwrap();
    body
}

/// A UUID (version 4 in form) of a bill and a number.
fn uuid(index: u64, number: u64) -> String {
    let mut dice = Dice::new(SEED, index, 1_000 + number);
    let (high, low) = (dice.next(), dice.next());
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 1 << 63;
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffff_ffff_ffff)
}
