//! Each rule, kept and broken.

use super::*;

/// A ledger that issued, amended and cancelled, and has one operation open.
const LEDGER: &str = r#"
{"kind":"bill","invoice_number":"A","event":{"event":"intended","operation":"issue","terms":{"amount":100},"request_id":"r1","wire_invoice_number":"A","body_digest":""}}
{"kind":"bill","invoice_number":"A","event":{"event":"accepted","answer":{"payment_code":"71","expires_at":"2026-10-02T00:00:00Z"},"replayed":false}}
{"kind":"bill","invoice_number":"A","event":{"event":"intended","operation":"amend","terms":{"amount":200},"request_id":"r2","wire_invoice_number":"A","body_digest":""}}
{"kind":"bill","invoice_number":"A","event":{"event":"doubted","reason":"cut off"}}
{"kind":"bill","invoice_number":"A","event":{"event":"settled","verdict":"done","answer":{"payment_code":"71","expires_at":"2026-10-02T00:00:00Z"},"by":"status","reason":""}}
{"kind":"bill","invoice_number":"B","event":{"event":"intended","operation":"issue","terms":{"amount":50},"request_id":"r3","wire_invoice_number":"B","body_digest":""}}
{"kind":"payment","invoice_number":"A","event":{"identity":"00"}}
{"head":{"sequence":7,"hash":"00"}}
"#;

const RECORD: &str = r#"
{"call":{"method":"POST","request_id":"r1"},"order":{"invoice_number":"A","payment_code":"71","amount":100,"state":"live","created_at":"2026-10-01T00:00:00Z","expires_at":"2026-10-02T00:00:00Z"}}
{"call":{"method":"PATCH","request_id":"r2"},"order":{"invoice_number":"A","payment_code":"71","amount":200,"state":"live","created_at":"2026-10-01T00:00:00Z","expires_at":"2026-10-02T00:00:00Z"}}
{"call":{"method":"POST","request_id":"r3"},"order":{"invoice_number":"B","payment_code":"72","amount":50,"state":"live","created_at":"2026-10-01T00:00:00Z","expires_at":"2026-10-02T00:00:00Z"}}
"#;

fn found(ledger: &str, record: &str) -> Vec<String> {
    let compared = compare(&Told::read(ledger.as_bytes()).unwrap(), &Record::read(record.as_bytes()).unwrap());
    compared.differences.iter().map(ToString::to_string).collect()
}

/// A change of bill B's order, made or changed by `request_id`.
fn change(method: &str, request_id: &str, number: &str, code: &str) -> String {
    let order = format!(r#""invoice_number":"{number}","payment_code":"{code}","amount":50,"state":"live""#);
    let days = r#""created_at":"2026-10-01T12:00:00Z","expires_at":"2026-10-02T00:00:00Z""#;
    format!("{RECORD}{{\"call\":{{\"method\":\"{method}\",\"request_id\":\"{request_id}\"}},\"order\":{{{order},{days}}}}}\n")
}

/// The ledger, after `event` of bill `invoice_number`.
fn after(invoice_number: &str, event: &str) -> String {
    format!("{LEDGER}{{\"kind\":\"bill\",\"invoice_number\":\"{invoice_number}\",\"event\":{event}}}\n")
}

const ACCEPTED: &str = r#"{"event":"accepted","answer":{"payment_code":"72","expires_at":"2026-10-02T00:00:00Z"},"replayed":false}"#;

#[test]
fn two_accounts_that_agree_differ_in_nothing_also_while_an_operation_is_open() {
    assert_eq!(found(LEDGER, RECORD), [""; 0]);
    assert_eq!(found(&after("B", ACCEPTED), RECORD), [""; 0]);
    assert_eq!(found("", ""), [""; 0]);
}

#[test]
fn every_broken_rule_is_told_by_its_invariant() {
    let intent = |number: &str, kind: &str, id: &str, wire: &str| {
        let terms = r#""terms":{"amount":50},"body_digest":"""#;
        after(number, &format!(r#"{{"event":"intended","operation":"{kind}","request_id":"{id}","wire_invoice_number":"{wire}",{terms}}}"#))
    };
    let accepted_as = |code: &str, end: &str| {
        let answer = format!(r#"{{"payment_code":"{code}","expires_at":"{end}"}}"#);
        after("B", &format!(r#"{{"event":"accepted","answer":{answer},"replayed":false}}"#))
    };
    let without = |line: usize| {
        let lines: Vec<&str> = RECORD.trim().lines().enumerate().filter(|(at, _)| *at != line).map(|(_, text)| text).collect();
        lines.join("\n")
    };
    let cases: [(u8, String, String); 12] = [
        (1, LEDGER.to_owned(), change("POST", "r9", "C", "79")),
        (4, LEDGER.to_owned(), change("PATCH", "r3", "B", "72")),
        (3, intent("B", "issue", "r4", "B"), change("POST", "r4", "B", "72")),
        (3, intent("B", "issue", "r4", "B-2"), change("POST", "r4", "B-2", "75")),
        (11, intent("D", "issue", "r4", "D"), change("POST", "r4", "D", "71")),
        (24, after("B", ACCEPTED), without(2)),
        (24, after("B", r#"{"event":"rejected","code":"","reason":""}"#), RECORD.to_owned()),
        (24, after("B", r#"{"event":"settled","verdict":"not_done","by":"status","reason":""}"#), RECORD.to_owned()),
        (10, accepted_as("79", "2026-10-02T00:00:00Z"), RECORD.to_owned()),
        (7, after("B", r#"{"event":"settled","verdict":"done","by":"person","reason":""}"#), RECORD.to_owned()),
        (2, accepted_as("72", "2026-10-03T00:00:00Z"), RECORD.to_owned()),
        (2, after("B", ACCEPTED), RECORD.replace(r#""amount":50"#, r#""amount":60"#)),
    ];
    for (invariant, ledger, record) in cases {
        let found = found(&ledger, &record);
        assert!(found.iter().any(|one| one.ends_with(&format!("(I{invariant})"))), "I{invariant}: {found:?}");
    }
}

#[test]
fn a_cancelled_code_that_is_live_at_doku_is_told() {
    let intent =
        r#"{"event":"intended","operation":"cancel","terms":{"amount":200},"request_id":"r5","wire_invoice_number":"A","body_digest":""}"#;
    let cancelled = format!(
        "{}{}",
        after("A", intent),
        r#"{"kind":"bill","invoice_number":"A","event":{"event":"settled","verdict":"done","by":"status","reason":""}}"#
    );
    let found = found(&cancelled, RECORD);
    assert!(found.iter().any(|one| one.contains("cancelled in the ledger")), "{found:?}");
}

#[test]
fn a_cancellation_is_done_too_where_check_status_told_the_end_of_its_order_and_that_was_so() {
    let settled_at = |at: &str, by: &str| {
        let intent = r#"{"event":"intended","operation":"cancel","terms":{"amount":50},"request_id":"r5","wire_invoice_number":"B","body_digest":""}"#;
        let settled = format!(r#"{{"event":"settled","verdict":"done","by":"{by}","reason":""}}"#);
        let accepted = after("B", ACCEPTED);
        let line = |event: &str| format!(r#"{{"kind":"bill","invoice_number":"B","at":"{at}","event":{event}}}"#) + "\n";
        let later = [intent, r#"{"event":"doubted","reason":""}"#, &settled].map(line);
        format!("{accepted}{}", later.concat())
    };
    assert_eq!(found(&settled_at("2026-10-02T00:00:00Z", "status"), RECORD), [""; 0]);
    for (at, by) in [("2026-10-01T23:59:59Z", "status"), ("2026-10-02T00:00:00Z", "person")] {
        let found = found(&settled_at(at, by), RECORD);
        assert_eq!(found.len(), 2, "{at} by {by}: {found:?}");
    }
}

#[test]
fn of_a_cancelled_code_that_a_counter_took_money_for_all_the_same_check_status_tells_the_money_alone() {
    let line = |event: &str| format!(r#"{{"kind":"bill","invoice_number":"B","at":"2026-10-01T13:00:00Z","event":{event}}}"#) + "\n";
    let meant = r#""operation":"cancel","terms":{"amount":50},"request_id":"r4","wire_invoice_number":"B","body_digest":"""#;
    let intent = line(&format!(r#"{{"event":"intended",{meant}}}"#));
    let settled = line(r#"{"event":"settled","verdict":"not_done","by":"status","reason":""}"#);
    let ledger = format!("{}{intent}{settled}", after("B", ACCEPTED));
    let [alive, dead] = ["live", "cancelled"].map(|state| format!(r#""state":"{state}","created_at":"2026-10-01T12"#));
    let cancelled = change("PATCH", "r4", "B", "72").replace(&alive, &dead);
    assert_eq!(found(&ledger, &cancelled).len(), 2);
    let order = cancelled.trim().rsplit_once(r#""order":{"#).unwrap().1.trim_end_matches('}');
    let paid = format!("{cancelled}{{\"call\":null,\"order\":{{{order},\"payments\":[{{\"status\":\"SUCCESS\"}}]}}}}\n");
    assert_eq!(found(&ledger, &paid), [""; 0]);
}

#[test]
fn what_check_status_shows_as_done_may_have_been_done_under_the_id_it_was_meant_under_before() {
    let line = |event: &str| format!(r#"{{"kind":"bill","invoice_number":"B","at":"2026-10-01T13:00:00Z","event":{event}}}"#) + "\n";
    let amend = |id: &str, amount: u64| {
        let meant = format!(r#""operation":"amend","terms":{{"amount":{amount}}},"request_id":"{id}","wire_invoice_number":"B""#);
        line(&format!(r#"{{"event":"intended",{meant},"body_digest":""}}"#))
    };
    let done = line(r#"{"event":"settled","verdict":"done","by":"status","reason":""}"#);
    let record = change("PATCH", "r4", "B", "72");
    for (before, is_so) in [(amend("r4", 50), true), (amend("r4", 60), false), (String::new(), false)] {
        let found = found(&format!("{}{before}{}{done}", after("B", ACCEPTED), amend("r5", 50)), &record);
        assert_eq!(!found.iter().any(|one| one.contains("r5 as done")), is_so, "{before}: {found:?}");
    }
}

#[test]
fn what_did_not_leave_at_first_and_was_done_under_the_same_id_is_done() {
    let intent =
        r#"{"event":"intended","operation":"issue","terms":{"amount":50},"request_id":"r3","wire_invoice_number":"B","body_digest":""}"#;
    let events = [r#"{"event":"not_sent","reason":""}"#, intent, ACCEPTED];
    let lines = events.map(|event| after("B", event).trim_start_matches(LEDGER).to_owned());
    assert_eq!(found(&format!("{LEDGER}{}", lines.concat()), RECORD), [""; 0]);
}

#[test]
fn of_what_can_no_longer_be_paid_nobody_asks_whether_it_was_done_unless_it_was_paid() {
    let dead = after("B", r#"{"event":"settled","verdict":"dead","by":"status","reason":""}"#);
    let never_made: Vec<&str> = RECORD.trim().lines().take(2).collect();
    assert_eq!(found(&dead, RECORD), [""; 0]);
    assert_eq!(found(&dead, &never_made.join("\n")), [""; 0]);
    let paid = RECORD.replace(r#""payment_code":"72""#, r#""payment_code":"72","payments":[{"status":"SUCCESS"}]"#);
    assert!(found(&dead, &paid).iter().any(|one| one.contains("is lost")));
}

#[test]
fn an_adopted_code_is_judged_like_any_other_and_nobody_asks_who_made_it() {
    let adopted = |number: &str, code: &str, amount: u64| {
        let answer = format!(r#"{{"payment_code":"{code}","expires_at":"2026-10-02T00:00:00Z"}}"#);
        after(number, &format!(r#"{{"event":"adopted","terms":{{"amount":{amount}}},"answer":{answer}}}"#))
    };
    let record = change("POST", "r9", "C", "79");
    assert_eq!(found(&adopted("C", "79", 50), &record), [""; 0]);
    for (ledger, told) in [
        (adopted("C", "78", 50), "its code: 78 in the ledger, 79 at DOKU"),
        (adopted("C", "79", 60), "rupiah: 60 in the ledger, 50 at DOKU"),
        (adopted("X", "70", 50), "its adopted code 70 is of no order at DOKU"),
    ] {
        let found = found(&ledger, &record);
        assert!(found.iter().any(|one| one.contains(told)), "{told}: {found:?}");
    }
}

#[test]
fn whatever_asks_for_money_otherwise_is_told() {
    let ledger = after("B", ACCEPTED).replace(r#""terms":{"amount":50}"#, r#""terms":{"amount":50,"channel":"alfa","reusable":true}"#);
    let order = |more: &str| RECORD.replace(r#""payment_code":"72""#, &format!(r#""payment_code":"72",{more}"#));
    assert_eq!(found(&ledger, &order(r#""channel":"alfa","reusable":true"#)), [""; 0]);
    for (more, what) in
        [(r#""channel":"indomaret","reusable":true"#, "where it is paid"), (r#""channel":"alfa","reusable":false"#, "how often")]
    {
        let found = found(&ledger, &order(more));
        assert!(found.iter().any(|one| one.contains(what)), "{what}: {found:?}");
    }
}

#[test]
fn a_code_that_was_paid_is_free_for_the_next_bill() {
    let intent =
        r#"{"event":"intended","operation":"issue","terms":{"amount":50},"request_id":"r4","wire_invoice_number":"D","body_digest":""}"#;
    let live = r#""payment_code":"71","state":"live","created_at":"2026-10-01T12:00:00Z","expires_at":"2026-10-02T00:00:00Z""#;
    let paid = format!(r#"{{"call":null,"order":{{"invoice_number":"A","amount":200,{live},"payments":[{{"status":"SUCCESS"}}]}}}}"#);
    let made = format!(r#"{{"call":{{"method":"POST","request_id":"r4"}},"order":{{"invoice_number":"D","amount":50,{live}}}}}"#);
    assert_eq!(found(&after("D", intent), &format!("{RECORD}{paid}\n{made}\n")), [""; 0]);
    assert!(!found(&after("D", intent), &format!("{RECORD}{made}\n")).is_empty());
}

#[test]
fn what_is_no_line_of_theirs_is_named_by_its_number() {
    let wrong = Record::read(format!("{RECORD}\n{{\"call\":").as_bytes()).unwrap_err().to_string();
    assert!(wrong.starts_with("line 6 is no change of a sandbox's record"), "{wrong}");
    assert!(Told::read("nonsense".as_bytes()).is_err());
}
