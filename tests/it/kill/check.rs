//! The client's ledger and results held against the sandbox's books. Each check names the invariant it is about.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use tagih::domain::calendar::format_utc_seconds;
use tagih::domain::lifecycle::Event;
use tagih::sandbox::record::{Call, Handling, Order, OrderState};

use super::rows::{EMAIL_CANARY, Input, NAME_CANARY, Wishes};

/// What `tagih ledger export` prints, one a line; the last line is the head.
#[derive(Deserialize)]
struct Line {
    invoice_number: String,
    event: Event,
}

/// The ledger, as its own export tells it.
pub struct Exported {
    lines: Vec<Line>,
}

impl Exported {
    pub fn parse(text: &str) -> Self {
        let (events, head) = text.trim_end().rsplit_once('\n').unwrap_or(("", text));
        assert!(head.starts_with("{\"head\":"), "an export ends with its head, not with `{head}`");
        let of_bill = |line: &&str| !line.contains("\"kind\":\"purge\"");
        Self { lines: events.lines().filter(of_bill).map(|line| serde_json::from_str(line).unwrap()).collect() }
    }

    pub fn intents(&self) -> HashSet<String> {
        let intent = |line: &Line| match &line.event {
            Event::Intended { request_id, .. } => Some(request_id.to_string()),
            _ => None,
        };
        self.lines.iter().filter_map(intent).collect()
    }

    /// Every code the ledger ever bound to each invoice.
    pub fn codes(&self) -> HashMap<&str, HashSet<&str>> {
        let mut codes: HashMap<&str, HashSet<&str>> = HashMap::new();
        for line in &self.lines {
            let (Event::Accepted { answer, .. } | Event::DoubtEnded { answer: Some(answer), .. } | Event::Registered { answer, .. }) =
                &line.event
            else {
                continue;
            };
            codes.entry(&line.invoice_number).or_default().insert(answer.payment_code.as_str());
        }
        codes
    }
}

/// A bill has the code it was promised first, whenever the program died (one invoice, one code of our making).
fn promises(exported: &Exported) {
    let mut promised: HashMap<&str, &str> = HashMap::new();
    for line in &exported.lines {
        let (Event::Planned { terms } | Event::Intended { terms, .. } | Event::Registered { terms, .. }) = &line.event else { continue };
        let Some(code) = &terms.payment_code else { continue };
        let first = promised.entry(&line.invoice_number).or_insert(code.as_str());
        assert_eq!(*first, code.as_str(), "{} was promised another code", line.invoice_number);
    }
}

/// What a dead process leaves: nothing DOKU saw is without a durable intent (I1), and no result file is half written (I19).
pub fn corpse(exported: &Exported, calls: &[Call], out: &Path) {
    promises(exported);
    let intents = exported.intents();
    for call in calls {
        assert!(
            intents.contains(&call.request_id),
            "DOKU saw {} of {:?} without a durable intent (I1)",
            call.request_id,
            call.invoice_number
        );
    }
    for name in ["accepted.csv", "rejected.csv", "deferred.csv"] {
        if let Ok(text) = fs::read_to_string(out.join(name)) {
            assert!(text.ends_with('\n'), "{name} is torn (I19)");
            assert!(csv::Reader::from_reader(text.as_bytes()).records().all(|record| record.is_ok()), "{name} is torn (I19)");
        }
    }
    if let Ok(text) = fs::read_to_string(out.join("summary.json")) {
        serde_json::from_str::<Summary>(&text).unwrap();
    }
}

#[derive(Deserialize)]
pub struct Summary {
    input_rows: u64,
    buckets: HashMap<String, u64>,
    exit_code: i32,
    pub ledger_head: String,
}

/// The counts of a run that has nothing left to do add up to its input (I13).
pub fn summary(out: &Path, input: Input, exit_code: i32) -> Summary {
    let summary: Summary = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary.exit_code, exit_code);
    assert_eq!(summary.input_rows, input.rows, "(I13)");
    assert_eq!(summary.buckets.values().sum::<u64>(), input.rows, "{:?} (I13)", summary.buckets);
    let expected = [("refused", input.refused), ("duplicate", input.duplicates), ("rejected", 0), ("deferred", 0), ("in_doubt", 0)];
    for (bucket, count) in expected {
        assert_eq!(summary.buckets[bucket], count, "rows {bucket}: {:?}", summary.buckets);
    }
    summary
}

/// Every row of a run that found nothing to do is unchanged (I21).
pub fn all_unchanged(summary: &Summary, input: Input) {
    assert_eq!(summary.buckets["unchanged"], input.rows - input.refused - input.duplicates, "{:?} (I21)", summary.buckets);
}

/// Every `Request-Id` had one body, no invoice two codes, and DOKU had nothing to complain about.
pub fn calls(calls: &[Call], recorded: usize) {
    let mut bodies: HashMap<&str, &str> = HashMap::new();
    let mut created: HashSet<&str> = HashSet::new();
    for call in calls {
        let body = bodies.entry(&call.request_id).or_insert(&call.body_digest);
        assert_eq!(*body, call.body_digest, "{}: one Request-Id, two bodies (I4)", call.request_id);
        let complaint = matches!(call.handling, Handling::IdReused | Handling::Denied | Handling::Rejected);
        assert!(!complaint, "DOKU turned down what it should have taken: {call:?}");
        if call.method == "POST" && call.handling == Handling::Processed {
            let invoice = call.invoice_number.as_ref().unwrap().as_str();
            assert!(created.insert(invoice), "{invoice} was issued twice (I3)");
        }
    }
    let processed = calls.iter().filter(|call| call.handling == Handling::Processed).count();
    assert_eq!(processed, recorded, "the sandbox's record file and its books differ");
}

/// One line of accepted.csv.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Accepted {
    invoice_number: String,
    payment_code: String,
    channel: String,
    amount: u64,
    expires_at: String,
    how_to_pay_page: String,
}

/// No code lost, no second live code, no cross-binding, accepted.csv complete.
pub fn world(wishes: &Wishes, orders: &[Order], exported: &Exported, out: &Path) {
    let codes = exported.codes();
    let mut by_invoice: HashMap<&str, &Order> = HashMap::new();
    let mut live_codes: HashMap<&str, &str> = HashMap::new();
    for order in orders {
        let (invoice, code) = (order.invoice_number.as_str(), order.payment_code.as_str());
        assert!(by_invoice.insert(invoice, order).is_none(), "{invoice} has two orders (I3)");
        let bound = codes.get(invoice).unwrap_or_else(|| panic!("the code of {invoice} is lost (I7)"));
        assert_eq!(*bound, HashSet::from([code]), "{invoice} is bound to a foreign code (I10)");
        if order.state == OrderState::Live {
            let other = live_codes.insert(code, invoice);
            assert_eq!(other, None, "code {code} is live for {invoice} too (I11)");
        }
    }
    promises(exported);
    assert_eq!(orders.len(), wishes.orders(), "DOKU has orders nobody asked for, or lacks some");

    let mut reader = csv::Reader::from_path(out.join("accepted.csv")).unwrap();
    let mut accepted: HashMap<String, Accepted> = HashMap::new();
    for line in reader.deserialize::<Accepted>() {
        let line = line.unwrap();
        let earlier = accepted.insert(line.invoice_number.clone(), line);
        assert!(earlier.is_none(), "accepted.csv has a row twice: {earlier:?}");
    }
    for row in &wishes.rows {
        let invoice = row.invoice.as_str();
        let found = accepted.remove(invoice);
        if !row.counter.reaches_doku() {
            assert!(!by_invoice.contains_key(invoice), "DOKU was told of {invoice}");
            assert_eq!(found.is_some(), row.live, "{invoice} in accepted.csv");
            let Some(found) = found else { continue };
            assert_eq!((Some(found.payment_code), found.amount), (row.code.clone(), row.amount), "{invoice}");
            let other = live_codes.insert(row.code.as_deref().unwrap(), invoice);
            assert_eq!(other, None, "the code of {invoice} is live elsewhere too (I11)");
            continue;
        }
        let order = by_invoice.get(invoice).unwrap_or_else(|| panic!("{invoice} was never issued"));
        if !row.live {
            assert_eq!(order.state, OrderState::Cancelled, "{invoice} should be cancelled");
            assert_eq!(found, None, "a cancelled code is in accepted.csv");
            continue;
        }
        assert_eq!((order.state, order.amount.get()), (OrderState::Live, row.amount), "{invoice}: DOKU does not have what was wanted");
        assert!(row.code.as_ref().is_none_or(|code| *code == order.payment_code.to_string()), "{invoice} has not the code we made");
        let found = found.unwrap_or_else(|| panic!("{invoice} is missing in accepted.csv (I7)"));
        assert!(found.how_to_pay_page.is_empty() || found.how_to_pay_page.ends_with(&found.payment_code), "{found:?} (I10)");
        let expected = Accepted {
            invoice_number: invoice.into(),
            payment_code: order.payment_code.to_string(),
            channel: row.counter.channel().into(),
            amount: row.amount,
            expires_at: format_utc_seconds(order.expires_at),
            how_to_pay_page: found.how_to_pay_page.clone(),
        };
        assert_eq!(found, expected, "accepted.csv does not say what DOKU has");
    }
    assert!(accepted.is_empty(), "accepted.csv has rows nobody asked for: {accepted:?}");
}

/// No name, address or secret stands in any file of these folders (I22).
pub fn canaries(folders: &[&Path], secret: &str) {
    let canaries = [NAME_CANARY, EMAIL_CANARY, secret];
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for canary in canaries {
                assert_eq!(memchr::memmem::find(&bytes, canary.as_bytes()), None, "`{canary}` stands in {} (I22)", path.display());
            }
        }
    }
}
