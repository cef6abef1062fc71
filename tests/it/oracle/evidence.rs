//! The naive reader: log text → one class a line and the unique payments, by the rules' text (section 2, N).
//!
//! Everything is a `serde_json::Value` or a `String` here, loops are quadratic, and nothing of the engine is used.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::support::message::{CLIENT, SECRET};

/// What a body says.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub identity: Vec<String>,
    /// Chain and store, empty where they are not named.
    pub store: [String; 2],
    pub success: bool,
    pub invoice: String,
    pub code: String,
    pub channel: &'static str,
    /// Whether `acquirer.id` belongs to the channel.
    pub acquirer_fits: bool,
    /// `None` where the amount is no whole number of rupiah of at most 12 digits.
    pub amount: Option<u64>,
    pub amount_text: String,
    pub date: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub class: &'static str,
    pub digest: String,
    pub received_at: Option<Timestamp>,
    pub stamp: Option<String>,
    /// Request-Id and body of a verified line.
    pub request: Option<(String, String)>,
    pub facts: Option<Facts>,
    pub flags: BTreeSet<&'static str>,
}

/// One unique payment: the facts of its first SUCCESS line.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub facts: Facts,
    /// Of its first line.
    pub line_digest: String,
    pub received_at: Option<Timestamp>,
    pub flags: BTreeSet<&'static str>,
    /// Digests of all its SUCCESS lines.
    pub evidence: BTreeSet<String>,
    /// When Check Status told of it, if nothing else did.
    pub told_at: Option<Timestamp>,
    /// What makes it this payment, its ids evened out.
    pub canonical: Vec<String>,
    /// Every identity its SUCCESS lines give it, as written and evened out.
    pub names: BTreeSet<Vec<String>>,
}

/// Channel, code, invoice, amount and second of a payment.
pub(crate) type Moment = (&'static str, String, String, Option<u64>, i64);

/// Whether an identity holds the store's own number of the payment; spaces are none.
pub(crate) fn is_numbered(identity: &[String]) -> bool {
    identity.len() == 5 && !identity[4].trim().is_empty()
}

/// Whether two payments are one by what is known of each: the identity evened out, or everything but a number that one of them lacks.
pub(crate) fn are_one(one: (&[String], &Moment), other: (&[String], &Moment)) -> bool {
    one.0 == other.0 || (one.1 == other.1 && !(is_numbered(one.0) && is_numbered(other.0)))
}

impl Paid {
    /// Whether a payment that is known from elsewhere is this one.
    pub(crate) fn is(&self, identity: &[String], canonical: &[String], moment: &Moment) -> bool {
        let named = self.names.contains(identity) || self.names.contains(canonical);
        named || are_one((&self.canonical, &self.facts.moment()), (canonical, moment))
    }
}

impl Facts {
    pub(crate) fn moment(&self) -> Moment {
        (self.channel, self.code.clone(), self.invoice.clone(), self.amount, self.date.as_second())
    }

    /// The identity as it would be if ids were written in capitals without spaces around them, and dates in whole seconds.
    pub(crate) fn canonical(&self) -> Vec<String> {
        if is_numbered(&self.identity) {
            let evened = self.identity.iter().skip(2).map(|id| id.trim().to_uppercase());
            return self.identity.iter().take(2).cloned().chain(evened).collect();
        }
        let second = Timestamp::from_second(self.date.as_second()).unwrap().to_string();
        vec![self.channel.to_owned(), self.code.clone(), self.invoice.clone(), second]
    }

    /// Whether both are facts of one payment.
    pub(crate) fn is_payment_of(&self, other: &Self) -> bool {
        are_one((&self.canonical(), &self.moment()), (&other.canonical(), &other.moment()))
    }
}

/// HMAC-SHA256 by the textbook: H(key ⊕ opad ‖ H(key ⊕ ipad ‖ message)).
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36), message].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat()).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: &Value, path: &str) -> Option<String> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name))?;
    found.as_str().map(str::to_owned).filter(|text| !text.is_empty())
}

/// The JSON text of a field as it was written, since a parsed number forgets how.
fn raw(body: &str, group: &str, field: &str) -> Option<String> {
    let groups: BTreeMap<String, Box<RawValue>> = serde_json::from_str(body).ok()?;
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(groups.get(group)?.get()).ok()?;
    fields.get(field).map(|value| value.get().to_owned())
}

/// Reads every line of every file and gives each its class.
pub(crate) fn read(files: &[String], trust_log: bool) -> (Vec<Line>, Vec<Paid>) {
    let mut lines: Vec<Line> = files.iter().flat_map(|file| written(file)).map(|line| read_line(line, trust_log)).collect();
    let payments = settle_classes(&mut lines);
    flag(&mut lines);
    (lines, payments)
}

/// The lines something is written on, without byte order marks before them and zeros around them.
pub(crate) fn written(file: &str) -> impl Iterator<Item = &str> {
    let lines = file.split_terminator('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines.map(|line| line.trim_start_matches(['\u{feff}', '\0']).trim_end_matches('\0')).filter(|line| !line.trim().is_empty())
}

fn read_line(raw: &str, trust_log: bool) -> Line {
    let mut line = Line {
        class: "N01",
        digest: hex(&Sha256::digest(raw)),
        received_at: None,
        stamp: None,
        request: None,
        facts: None,
        flags: BTreeSet::new(),
    };
    let Ok(Value::Object(envelope)) = serde_json::from_str::<Value>(raw) else { return line };
    let bare = !envelope.contains_key("body") && ["service", "transaction", "order"].iter().any(|name| envelope.contains_key(*name));
    let body = if bare { raw.to_owned() } else { envelope.get("body").and_then(Value::as_str).unwrap_or_default().to_owned() };
    if body.is_empty() {
        return line;
    }
    let (mut client, mut request, mut signature, mut target) = (None, None, None, None);
    if !bare {
        let header = |name: &str| {
            let headers = envelope.get("headers")?.as_object()?;
            let value = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()?;
            Some(value.to_owned()).filter(|value| !value.is_empty())
        };
        line.received_at = envelope.get("received_at").and_then(Value::as_str).and_then(|at| at.parse().ok());
        line.stamp = header("Request-Timestamp");
        (client, request, signature) = (header("Client-Id"), header("Request-Id"), header("Signature"));
        target = envelope.get("target").and_then(Value::as_str).filter(|target| !target.is_empty());
    }
    if client.as_deref().is_some_and(|client| client != CLIENT) {
        line.class = "N04";
        return line;
    }
    if let (Some(client), Some(request), Some(stamp), Some(target), Some(signature)) = (client, request, &line.stamp, target, signature) {
        let fits = |target: &str| signature == sign(&client, &request, stamp, target, &body);
        if !fits(target) && !fits(target.split('?').next().unwrap()) {
            line.class = "N02";
            return line;
        }
        line.request = Some((request, body.clone()));
    } else {
        line.class = "N03";
        if !trust_log {
            return line;
        }
        line.flags.insert("N03");
    }
    match read_body(&body) {
        Ok(facts) => {
            line.class = if facts.success { "N00" } else { "N09" };
            line.facts = Some(facts);
        }
        Err(class) => line.class = class,
    }
    line
}

fn sign(client: &str, request: &str, stamp: &str, target: &str, body: &str) -> String {
    let digest = STANDARD.encode(Sha256::digest(body));
    let lines = format!("Client-Id:{client}\nRequest-Id:{request}\nRequest-Timestamp:{stamp}\nRequest-Target:{target}\nDigest:{digest}");
    format!("HMACSHA256={}", STANDARD.encode(hmac(SECRET.as_bytes(), lines.as_bytes())))
}

/// The facts, or N12 or N13.
fn read_body(text_of_body: &str) -> Result<Facts, &'static str> {
    let body: Value = serde_json::from_str(text_of_body).map_err(|_| "N12")?;
    let field = |path: &str| text(&body, path).ok_or("N12");
    if field("service.id")?.to_uppercase() != "ONLINE_TO_OFFLINE" {
        return Err("N13");
    }
    let (channel, acquirer) = match field("channel.id")?.to_uppercase().as_str() {
        "ONLINE_TO_OFFLINE_ALFA" => ("alfa", "ALFA"),
        "ONLINE_TO_OFFLINE_INDOMARET" => ("indomaret", "INDOMARET"),
        _ => return Err("N12"),
    };
    let acquirer_fits = field("acquirer.id")?.to_uppercase() == acquirer;
    let invoice = field("order.invoice_number")?;
    let success = match field("transaction.status")?.to_uppercase().as_str() {
        "SUCCESS" => true,
        "FAILED" | "PENDING" | "EXPIRED" => false,
        _ => return Err("N12"),
    };
    let date: Timestamp = field("transaction.date")?.parse().map_err(|_| "N12")?;
    if invoice.len() > 64 || !invoice.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err("N12");
    }
    let code = ["payment_code", "payment"].iter().filter_map(|name| raw(text_of_body, "online_to_offline_info", name));
    let code = code.filter(|text| text != "null").map(|text| text.trim_matches('"').to_owned()).next().ok_or("N12")?;
    if !digits(&code) || code.len() > 20 {
        return Err("N12");
    }
    let amount_text = raw(text_of_body, "order", "amount").filter(|text| text.starts_with(|first: char| "\"-0123456789".contains(first)));
    let amount_text = amount_text.ok_or("N12")?.trim_matches('"').to_owned();
    let in_rupiah = match body["order"].get("currency") {
        None | Some(Value::Null) => true,
        Some(currency) => currency.as_str().is_some_and(|name| name.eq_ignore_ascii_case("IDR")),
    };
    let amount = whole_rupiah(&amount_text).filter(|_| in_rupiah);
    let payment = &body["online_to_offline_payment"];
    let identifiers = payment.get("identifier").or(payment.get("identifer")).and_then(Value::as_array).cloned().unwrap_or_default();
    let agent = |name: &str| {
        let found = identifiers.iter().find(|pair| pair["name"] == name);
        found.and_then(|pair| pair["value"].as_str()).unwrap_or_default().to_owned()
    };
    let identity = if agent("AGENT_TRX_ID").trim().is_empty() {
        vec![channel.to_owned(), code.clone(), invoice.clone(), date.to_string()]
    } else {
        vec![channel.to_owned(), code.clone(), agent("AGENT_ID"), agent("AGENT_STORE_ID"), agent("AGENT_TRX_ID")]
    };
    let store = [agent("AGENT_ID"), agent("AGENT_STORE_ID")];
    Ok(Facts { identity, store, success, invoice, code, channel, acquirer_fits, amount, amount_text, date })
}

pub(crate) fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits, optionally followed by a point and zeros only; 1 to 999,999,999,999.
fn whole_rupiah(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !digits(whole) || !digits(fraction) || fraction.bytes().any(|byte| byte != b'0') {
        return None;
    }
    whole.parse().ok().filter(|amount| (1..=999_999_999_999).contains(amount))
}

/// Among lines with facts: N08 beside a SUCCESS of its identity, and of the SUCCESS lines one N00, the rest N06 or N07.
fn settle_classes(lines: &mut [Line]) -> Vec<Paid> {
    let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    // Without a number it joins the earliest payment that agrees with it in everything else.
    let joined = |facts: &Facts| {
        let numbered = |other: &Facts| is_numbered(&other.identity) && other.moment() == facts.moment();
        let others = lines.iter().filter(|other| other.class == "N00" && other.facts.as_ref().is_some_and(numbered));
        others.min_by_key(|other| turn(other)).filter(|_| !is_numbered(&facts.identity) && facts.amount.is_some())
    };
    for (index, line) in lines.iter().enumerate() {
        if let Some(facts) = &line.facts {
            // And whatever else is called like it goes along.
            let alike = |other: &&Facts| !is_numbered(&facts.identity) && other.canonical() == facts.canonical();
            let alike =
                lines.iter().filter_map(|other| other.facts.as_ref()).filter(alike).filter_map(joined).min_by_key(|other| turn(other));
            let payment = joined(facts).or(alike).and_then(|other| other.facts.as_ref());
            groups.entry(payment.unwrap_or(facts).canonical()).or_default().push(index);
        }
    }
    let mut payments = Vec::new();
    for (canonical, members) in &groups {
        let mut successes: Vec<usize> = members.iter().copied().filter(|&index| lines[index].class == "N00").collect();
        successes.sort_by_key(|&index| turn(&lines[index]));
        let Some(&first) = successes.first() else { continue };
        let facts = lines[first].facts.clone().unwrap();
        // Amounts that are no amounts are compared as they were written.
        let content = |facts: &Facts| {
            let written = if facts.amount.is_none() { facts.amount_text.clone() } else { String::new() };
            (facts.amount, written, facts.date.as_second(), facts.invoice.clone())
        };
        let mut flags = lines[first].flags.clone();
        for &index in members {
            if lines[index].class == "N09" {
                lines[index].class = "N08";
            } else if index != first {
                let repeats = content(lines[index].facts.as_ref().unwrap()) == content(&facts);
                lines[index].class = if repeats { "N06" } else { "N07" };
                if !repeats {
                    flags.insert("conflicting");
                }
            }
        }
        let facts_of = |index: &usize| lines[*index].facts.as_ref().unwrap();
        if successes.iter().any(|index| facts_of(index).identity != facts.identity) {
            flags.insert("varied");
        }
        let names = successes.iter().flat_map(|index| [facts_of(index).identity.clone(), facts_of(index).canonical()]).collect();
        let evidence = successes.iter().map(|&index| lines[index].digest.clone()).collect();
        payments.push(Paid {
            facts,
            line_digest: lines[first].digest.clone(),
            received_at: lines[first].received_at,
            flags,
            evidence,
            told_at: None,
            canonical: canonical.clone(),
            names,
        });
    }
    payments
}

/// What is verified speaks first; then what came first; what has no time of arrival comes last.
fn turn(line: &Line) -> (bool, bool, Option<Timestamp>, String) {
    (line.request.is_none(), line.received_at.is_none(), line.received_at, line.digest.clone())
}

/// N05: a Request-Id that verified with another body too. N10: arrived over a day from its own timestamp. N11: arrived over
/// 13 hours after the payment.
fn flag(lines: &mut [Line]) {
    let requests: Vec<(String, String)> = lines.iter().filter_map(|line| line.request.clone()).collect();
    for line in lines {
        if let Some((id, body)) = &line.request
            && requests.iter().any(|(other, text)| other == id && text != body)
        {
            line.flags.insert("N05");
        }
        let (Some(received), Some(facts)) = (line.received_at, &line.facts) else { continue };
        let stamp = line.stamp.as_deref().and_then(|stamp| stamp.parse::<Timestamp>().ok());
        if stamp.is_none_or(|stamp| received.duration_since(stamp).abs() > SignedDuration::from_hours(24)) {
            line.flags.insert("N10");
        }
        if received.duration_since(facts.date) > SignedDuration::from_hours(13) {
            line.flags.insert("N11");
        }
    }
}
