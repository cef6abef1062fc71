//! The log lines of a random world: payments that fit, payments that do not, and every way a line can go wrong.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::world::{DAY, Draft, HOUR, MINUTE, Settings};
use crate::support::message::{Envelope, Message, SECRET, TARGET, utc};
use crate::support::random::Random;

/// A message that was sent, kept so that a later line can repeat or contradict it.
#[derive(Clone, Debug)]
struct Sent {
    message: Message,
    envelope: Envelope,
    moment: i64,
}

/// Zero to 25 lines, in no particular order.
pub(crate) fn generate(random: &mut Random, settings: &Settings, bills: &[Draft], ties: bool) -> Vec<String> {
    let count = random.below(26);
    let mut lines = Vec::new();
    let mut sent: Vec<Sent> = Vec::new();
    let mut dates = BTreeSet::new();
    while lines.len() < count {
        let next = match sent.get(random.below(sent.len().max(1))).cloned() {
            Some(earlier) if random.chance(30) => again(random, earlier, &mut dates),
            _ => fresh(random, settings, bills, sent.len(), &mut dates),
        };
        lines.push(written(random, &next));
        if ties {
            dates.clear();
        }
        if random.chance(2) {
            lines.push(lines.last().unwrap().clone());
        }
        sent.push(next);
    }
    random.shuffle(&mut lines);
    lines
}

fn fresh(random: &mut Random, settings: &Settings, bills: &[Draft], number: usize, dates: &mut BTreeSet<i64>) -> Sent {
    let stranger = Draft {
        invoice: format!("INV-9{number:03}"),
        code: format!("77{number:014}"),
        channel: "alfa",
        amount: 150_000,
        status: "ACTIVE",
        reusable: false,
        created: settings.from,
        expires: settings.until,
        cancelled: None,
        paid: None,
        history: Vec::new(),
        policy: "",
        group: String::new(),
        created_empty: false,
        expiry_text: None,
    };
    // Few bills get most payments, so that second payments are common.
    let popular = bills.len().min(1 + random.below(12));
    let bill = if bills.is_empty() || random.chance(6) { stranger } else { random.pick(&bills[..popular]) };
    let other = bills.get(random.below(bills.len().max(1))).cloned();
    let paid_at = unused(dates, instant(random, settings, &bill));
    let mut message = Message::paid(&bill.invoice, &bill.code, 0, "");
    message.channel = bill.channel;
    message.status = random.weighted(&[(20, "SUCCESS"), (1, "success"), (1, "FAILED"), (1, "PENDING"), (1, "EXPIRED")]);
    message.date = random.weighted(&[(20, utc(paid_at)), (1, in_wib(paid_at)), (1, utc(paid_at).replace('Z', ".250Z"))]);
    message.amount_json = amount(random, &bill, settings.tolerance);
    message.agent = random.chance(85).then(|| ("ALFAMART".to_owned(), "S1".to_owned(), format!("T{number}")));
    message.misspelt = random.chance(5);
    message.payment_key = random.chance(3);
    match random.below(100) {
        0..3 => message.invoice = format!("INV-8{number:03}"),
        3..6 => message.code_json = format!("\"88{number:014}\""),
        6..9 => message.code_json = other.map_or(message.code_json, |other| format!("\"{}\"", other.code)),
        9..14 => message.channel = if bill.channel == "alfa" { "indomaret" } else { "alfa" },
        14..17 if !bill.code.is_empty() => message.code_json = bill.code.trim_start_matches('0').to_owned(),
        17 => message.acquirer = Some(random.pick(&["INDOMARET", "alfa", "LAWSON"])),
        18 => message.currency = Some(random.pick(&["IDR", "idr", "USD"])),
        19 => message.channel = "lawson",
        20 => message.status = "TIMEOUT",
        _ => {}
    }
    let delay = random.weighted(&[(12, 30), (2, 30 * MINUTE), (2, 6 * HOUR), (1, 12 * HOUR), (1, DAY), (1, 3 * DAY), (1, -HOUR)]);
    let mut envelope = Envelope::of(&message, format!("req-{number}"), utc(paid_at + delay));
    envelope.lower_case = random.chance(10);
    Sent { message, envelope, moment: paid_at + delay }
}

/// `second`, or the next that no payment has: which of two payments of one second came first is nobody's to say.
fn unused(dates: &mut BTreeSet<i64>, mut second: i64) -> i64 {
    while !dates.insert(second) {
        second += 1;
    }
    second
}

fn in_wib(second: i64) -> String {
    let zoned = Timestamp::from_second(second).unwrap().to_zoned(TimeZone::fixed(Offset::constant(7)));
    zoned.strftime("%Y-%m-%dT%H:%M:%S+07:00").to_string()
}

/// When it was paid: mostly while the code was payable, often on an edge.
fn instant(random: &mut Random, settings: &Settings, bill: &Draft) -> i64 {
    let Settings { from, until, expiry_grace, .. } = *settings;
    match random.below(12) {
        0 => random.pick(&[from - 1, from, until - 1, until]),
        1 => bill.expires + random.pick(&[-1, 0, 1, HOUR, DAY]),
        2 => bill.expires + expiry_grace + random.pick(&[-1, 0, 1]),
        3 => bill.created + random.pick(&[-DAY, -10 * MINUTE - 1, -10 * MINUTE, -MINUTE, -1, 0]),
        4 => bill.cancelled.unwrap_or(bill.created) + random.pick(&[-1, 0, 1, HOUR]),
        5 => from + random.below((until - from) as usize) as i64,
        _ => {
            let low = bill.created.max(from);
            let high = bill.expires.min(until - 1).max(low + 1);
            low + random.below((high - low) as usize) as i64
        }
    }
}

/// JSON text of the amount paid.
fn amount(random: &mut Random, bill: &Draft, tolerance: u64) -> String {
    let due = bill.amount;
    let whole = match random.below(20) {
        0 => due - 1 - tolerance,
        1 => due - tolerance,
        2 => due + tolerance,
        3 => due + 1 + tolerance,
        4 => bill.history.first().copied().unwrap_or(due),
        5 => due / 2,
        6 => due + 50_000,
        7 => bill.history.first().copied().unwrap_or(due / 2),
        _ => due,
    };
    match random.below(40) {
        0 => format!("\"{whole}\""),
        1 => format!("{whole}.0"),
        2 => format!("\"{whole}.00\""),
        3 => "0.5".to_owned(),
        4 => "1000000000000".to_owned(),
        _ => whole.to_string(),
    }
}

/// A redelivery, or a message that contradicts the earlier one.
fn again(random: &mut Random, earlier: Sent, dates: &mut BTreeSet<i64>) -> Sent {
    let Sent { mut message, mut envelope, moment } = earlier;
    let moment = moment + random.pick(&[0, 30 * MINUTE, 6 * HOUR, 12 * HOUR, 3 * DAY]);
    envelope.received_at = Some(utc(moment));
    if random.chance(60) {
        envelope.request_id = format!("{}-again-{}", envelope.request_id, random.below(3));
    }
    if random.chance(60) {
        envelope.stamp = utc(moment);
    }
    match random.below(20) {
        0 => {
            message.amount_json = "149000".to_owned();
            // Another amount is another payment then, and no two are of the same second.
            if message.agent.as_ref().is_none_or(|(_, _, number)| number.trim().is_empty()) {
                message.date = utc(unused(dates, moment));
            }
        }
        1 => message.date = utc(unused(dates, moment)),
        2 => message.invoice = "INV-0000".to_owned(),
        3 | 4 => message.status = random.pick(&["FAILED", "PENDING", "EXPIRED"]),
        5 => message.status = "SUCCESS",
        6 => {
            message.agent = message.agent.map(|(chain, store, number)| (chain, store, format!("{number}x")));
            message.date = utc(unused(dates, moment));
        }
        8 => message.agent = message.agent.map(|(chain, store, number)| (in_small(&chain), store, in_small(&number))),
        9 => message.agent = message.agent.map(|(chain, store, number)| (format!(" {chain}"), format!("{store} "), number)),
        10 if message.amount_json != "149000" => message.agent = None,
        11 if message.amount_json != "149000" => {
            message.agent = message.agent.map(|(chain, store, _)| (chain, store, random.pick(&["", "  "]).to_owned()));
        }
        12 if message.date.ends_with("0Z") => message.date = message.date.replace("0Z", "0.75Z"),
        7 => message.amount_json = format!("{}.0", message.amount_json.trim_matches('"').split('.').next().unwrap()),
        _ => {}
    }
    Sent { message, envelope, moment }
}

/// `ALFAMART` as `Alfamart`.
fn in_small(id: &str) -> String {
    id.chars().take(1).chain(id.chars().skip(1).flat_map(char::to_lowercase)).collect()
}

/// The line of a message, now and then spoiled.
fn written(random: &mut Random, sent: &Sent) -> String {
    let Sent { mut message, mut envelope, .. } = sent.clone();
    envelope.body = message.body();
    match random.below(100) {
        0..3 => envelope.line("SK-of-somebody-else"),
        3 | 4 => {
            let tampered = envelope.body.replace("\"amount\":1", "\"amount\":9").replace("SUCCESS", "FAILED");
            let signature = signature_of(&envelope.line(SECRET));
            envelope.line_with(&signature, &tampered)
        }
        5 => envelope.line_with("not a signature", &envelope.body),
        6..9 => {
            envelope.client = Some("MCH-9999");
            envelope.line(random.pick(&[SECRET, "SK-of-somebody-else"]))
        }
        9..12 => {
            envelope.missing = random.pick(&[Some("Client-Id"), Some("Request-Id"), Some("Request-Timestamp"), Some("Signature")]);
            envelope.line(SECRET)
        }
        12 | 13 => {
            let line = envelope.line(SECRET);
            envelope.target = None;
            if random.chance(50) { line } else { envelope.line(SECRET) }
        }
        14 | 15 => envelope.body,
        16 | 17 => malformed(random, &envelope),
        18 | 19 => {
            message.service = "VIRTUAL_ACCOUNT";
            envelope.body = message.body();
            envelope.line(SECRET)
        }
        20..23 => {
            let fields =
                ["order.invoice_number", "order.amount", "transaction.date", "transaction.status", "online_to_offline_info.payment_code"];
            message.missing = Some(random.pick(&fields));
            envelope.body = message.body();
            envelope.line(SECRET)
        }
        23 => {
            envelope.received_at = None;
            envelope.line(SECRET)
        }
        24 => {
            // Registered with a query, signed without it.
            let line = envelope.line(SECRET);
            line.replace(TARGET, "/payments/notifications?channel=alfa")
        }
        25 => random.pick(&["", " ", "\u{feff}{}"]).to_owned(),
        26 => {
            message.date = "12-08-2021".to_owned();
            envelope.body = message.body();
            envelope.line(SECRET)
        }
        _ => envelope.line(SECRET),
    }
}

fn signature_of(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let headers = &value["headers"];
    headers.get("Signature").or(headers.get("signature")).and_then(serde_json::Value::as_str).unwrap().to_owned()
}

fn malformed(random: &mut Random, envelope: &Envelope) -> String {
    let line = envelope.line(SECRET);
    match random.below(5) {
        0 => "not json at all".to_owned(),
        1 => line[..line.len() / 3].to_owned(),
        2 => "[1,2,3]".to_owned(),
        3 => line.replace("\"body\":", "\"corpus\":"),
        _ => "{}".to_owned(),
    }
}
