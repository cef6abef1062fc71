//! The naive reader: log text → one class a line and the unique payments, by the rules' text (section 2, N).
//!
//! Everything is a `serde_json::Value` or a `String` here, loops are quadratic, and nothing of the engine is used.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::message::{CLIENT, SECRET};

/// What a verified body says.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub identity: Vec<String>,
    pub status: String,
    pub invoice: String,
    pub code: String,
    pub channel: String,
    /// `None` where the amount is no whole number of rupiah of at most 12 digits.
    pub amount: Option<u64>,
    pub date: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub class: &'static str,
    pub digest: String,
    pub received_at: Option<Timestamp>,
    pub request: Option<(String, String)>,
    pub facts: Option<Facts>,
    pub flags: Vec<&'static str>,
}

/// One unique payment: the facts of its first SUCCESS line.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub facts: Facts,
    pub line_digest: String,
    pub received_at: Option<Timestamp>,
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

/// Reads every line of every file and gives each its class.
pub(crate) fn read(files: &[String], trust_log: bool) -> (Vec<Line>, Vec<Paid>) {
    let raw = files.iter().flat_map(|file| file.split_terminator('\n'));
    let mut lines: Vec<Line> = raw.filter(|line| !line.trim().is_empty()).map(|line| read_line(line, trust_log)).collect();
    let payments = settle_classes(&mut lines);
    flag_reused_requests(&mut lines);
    (lines, payments)
}

fn read_line(raw: &str, trust_log: bool) -> Line {
    let mut line =
        Line { class: "N01", digest: hex(&Sha256::digest(raw)), received_at: None, request: None, facts: None, flags: Vec::new() };
    let Ok(Value::Object(envelope)) = serde_json::from_str::<Value>(raw) else { return line };
    let known = ["received_at", "target", "headers", "body"];
    let bare = !known.iter().any(|name| envelope.contains_key(*name)) && !envelope.is_empty();
    let body = if bare { raw.to_owned() } else { envelope.get("body").and_then(Value::as_str).unwrap_or_default().to_owned() };
    if body.is_empty() {
        return line;
    }
    line.received_at = envelope.get("received_at").and_then(Value::as_str).and_then(|at| at.parse().ok());
    let header = |name: &str| {
        let headers = envelope.get("headers")?.as_object()?;
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str().map(str::to_owned)
    };
    let client = header("Client-Id");
    if client.as_deref().is_some_and(|client| client != CLIENT) {
        line.class = "N04";
        return line;
    }
    let target = envelope.get("target").and_then(Value::as_str);
    let parts = (client, header("Request-Id"), header("Request-Timestamp"), target, header("Signature"));
    if let (Some(client), Some(request), Some(stamp), Some(target), Some(signature)) = parts {
        let digest = STANDARD.encode(Sha256::digest(&body));
        let signed =
            format!("Client-Id:{client}\nRequest-Id:{request}\nRequest-Timestamp:{stamp}\nRequest-Target:{target}\nDigest:{digest}");
        if signature != format!("HMACSHA256={}", STANDARD.encode(hmac(SECRET.as_bytes(), signed.as_bytes()))) {
            line.class = "N02";
            return line;
        }
        line.request = Some((request, body.clone()));
    } else {
        line.class = "N03";
        if !trust_log {
            return line;
        }
        line.flags.push("N03");
    }
    match read_body(&body) {
        Ok(facts) => {
            line.class = if facts.status == "SUCCESS" { "N00" } else { "N09" };
            line.facts = Some(facts);
        }
        Err(class) => line.class = class,
    }
    line
}

/// The facts, or N12 or N13.
fn read_body(body: &str) -> Result<Facts, &'static str> {
    let body: Value = serde_json::from_str(body).map_err(|_| "N12")?;
    let service = text(&body, "service.id").ok_or("N12")?;
    if service != "ONLINE_TO_OFFLINE" {
        return Err("N13");
    }
    let field = |path: &str| text(&body, path).ok_or("N12");
    let (invoice, status, channel) = (field("order.invoice_number")?, field("transaction.status")?, field("channel.id")?);
    let channel = channel.strip_prefix("ONLINE_TO_OFFLINE_").unwrap_or(&channel).to_lowercase();
    let date = field("transaction.date")?.parse::<Timestamp>().map_err(|_| "N12")?.as_second();
    let code = match &body["online_to_offline_info"]["payment_code"] {
        Value::String(code) => code.clone(),
        Value::Number(code) => code.to_string(),
        _ => return Err("N12"),
    };
    let amount = match &body["order"]["amount"] {
        Value::String(amount) => whole_rupiah(amount),
        Value::Number(amount) => whole_rupiah(&amount.to_string()),
        _ => return Err("N12"),
    };
    let payment = &body["online_to_offline_payment"];
    let identifiers = payment.get("identifier").or(payment.get("identifer")).and_then(Value::as_array).cloned().unwrap_or_default();
    let agent = |name: &str| {
        let found = identifiers.iter().find(|pair| pair["name"] == name);
        found.and_then(|pair| pair["value"].as_str()).unwrap_or_default().to_owned()
    };
    let identity = if agent("AGENT_TRX_ID").is_empty() {
        vec![channel.clone(), code.clone(), invoice.clone(), date.to_string()]
    } else {
        vec![channel.clone(), code.clone(), agent("AGENT_ID"), agent("AGENT_STORE_ID"), agent("AGENT_TRX_ID")]
    };
    Ok(Facts { identity, status: status.to_uppercase(), invoice, code, channel, amount, date })
}

/// Digits, optionally followed by a point and zeros only; 1 to 999,999,999,999.
fn whole_rupiah(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.bytes().any(|byte| byte != b'0') {
        return None;
    }
    whole.parse().ok().filter(|amount| (1..=999_999_999_999).contains(amount))
}

/// Among lines with facts: N08 beside a SUCCESS of its identity, and of the SUCCESS lines one N00, the rest N06 or N07.
fn settle_classes(lines: &mut [Line]) -> Vec<Paid> {
    let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        if let Some(facts) = &line.facts {
            groups.entry(facts.identity.clone()).or_default().push(index);
        }
    }
    let mut payments = Vec::new();
    for members in groups.values() {
        let mut successes: Vec<usize> = members.iter().copied().filter(|&index| lines[index].class == "N00").collect();
        successes.sort_by_key(|&index| {
            let line = &lines[index];
            (line.received_at.is_none(), line.received_at, line.digest.clone())
        });
        let Some(&first) = successes.first() else { continue };
        let facts = lines[first].facts.clone().unwrap();
        let same = |other: &Facts| (facts.amount, facts.date, &facts.invoice) == (other.amount, other.date, &other.invoice);
        let mut conflicting = false;
        for &index in members {
            if lines[index].class == "N09" {
                lines[index].class = "N08";
            } else if index != first {
                let repeats = same(lines[index].facts.as_ref().unwrap());
                lines[index].class = if repeats { "N06" } else { "N07" };
                conflicting |= !repeats;
            }
        }
        if conflicting {
            lines[first].flags.push("conflicting");
        }
        payments.push(Paid { facts, line_digest: lines[first].digest.clone(), received_at: lines[first].received_at });
    }
    payments
}

/// N05: a Request-Id that came with another body before or after, both verified.
fn flag_reused_requests(lines: &mut [Line]) {
    let requests: Vec<(String, String)> = lines.iter().filter_map(|line| line.request.clone()).collect();
    for line in lines {
        if let Some((id, body)) = &line.request
            && requests.iter().any(|(other, text)| other == id && text != body)
        {
            line.flags.push("N05");
        }
    }
}
