//! Whether and by which code a bill is paid: by code and identity, never by number alone. Issue item 5.

use jiff::SignedDuration;

use serde_json::{Value, json};

use super::between::ALWAYS;
use super::doku::{Doku, Order, State, finding};
use super::members::{expired, notified, reconciled};
use super::merchant::Merchant;
use super::wire::{Answer, Request};

#[test]
fn a_payment_of_a_code_that_was_replaced_leaves_the_live_one_cancellable_and_is_told() {
    let merchant = Merchant::open(&[]);
    expired(&merchant, "A-001", "6059777", 5);
    merchant.issue(0, &["A-001,150000,Budi,alfa,,,1440,"], &["--reissue-expired"]);
    let anew = merchant.net.doku().payable()[0].clone();
    assert_eq!(anew.invoice, "A-001-R1");
    let paid_at = merchant.net.doku().now() - SignedDuration::from_hours(6);
    notified(&merchant, "A-001", "6059777", paid_at);
    let status = merchant.run(&["status"]);
    let told = format!("{}{}", status.stdout, status.stderr);
    assert!(told.contains("A-001") && told.contains("tagih cancel"), "{status:?}");
    assert_eq!((money(&merchant), merchant.status("A-001")), (json!("paid_by_earlier_code"), "active".into()));
    assert!(merchant.why("A-001").contains("active, paid with an earlier code"), "{}", merchant.why("A-001"));
    merchant.expect(0, &["cancel", "A-001", "--out", "out"]);
    assert_eq!(merchant.net.doku().orders["A-001-R1"].state, State::Deleted);
    // Cancelled, and its last code was taken at a counter all the same.
    let now = merchant.net.doku().now();
    notified(&merchant, "A-001-R1", &anew.code, now);
    assert_eq!((money(&merchant), merchant.status("A-001")), (json!("paid"), "cancelled".into()));
    assert!(merchant.why("A-001").contains("cancelled, paid"), "{}", merchant.why("A-001"));
    merchant.run(&["issue", "bills.csv", "--out", "out"]);
    assert_eq!(merchant.accepted("A-001"), None);
    merchant.verify();
}

fn money(merchant: &Merchant) -> Value {
    let ran = merchant.run(&["why", "A-001", "--json"]);
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["money"].clone()
}

#[test]
fn a_number_with_an_earlier_suffix_is_still_the_bills() {
    let merchant = Merchant::open(&[]);
    expired(&merchant, "A-001", "6059777", 5);
    let row = ["A-001,150000,Budi,alfa,,,1440,"];
    merchant.issue(0, &row, &["--reissue-expired"]);
    let anew = merchant.net.doku().payable()[0].clone();
    merchant.set(&[("plan.reissue_suffix", "\"/\"")]);
    let now = merchant.net.doku().now();
    notified(&merchant, "A-001-R1", &anew.code, now);
    assert_eq!(money(&merchant), json!("paid"));
    let mark = merchant.net.mark();
    merchant.issue(0, &row, &["--reissue-expired"]);
    assert_eq!(merchant.net.mark(), mark, "paid is paid");
    merchant.expect(1, &["cancel", "A-001", "--out", "out"]);
    assert!(merchant.end("A-001").reason.contains("E0309"), "{:?}", merchant.end("A-001"));
    merchant.verify();
}

#[test]
fn money_nobody_asked_for_holds_a_bill_until_a_person_releases_it_and_not_again() {
    let merchant = Merchant::open(&[("sync.spacing_seconds", "0")]);
    merchant.issue(0, &["A-001,150000,Budi,alfa,,,1440,"], &[]);
    merchant.net.cue("GET", "", ALWAYS, |request: &Request, doku: &mut Doku| {
        let order = Order { amount: 150_001, ..doku.orders[&request.about()].clone() };
        let mut body = finding(&order, "SUCCESS");
        // No two answers are written alike.
        body["transaction"]["original_request_id"] = json!(request.request_id());
        doku.sign(Answer::json(200, &body), request).into()
    });
    merchant.run(&["sync", "A-001"]);
    let held = reconciled(&merchant)["held"].clone();
    assert_eq!((held[0]["invoice_number"].as_str(), held[0]["cause"].as_str()), (Some("A-001"), Some("amount_differs")), "{held}");
    let why = merchant.why("A-001");
    assert!(why.contains("active") && why.contains("held") && why.contains("tagih resolve A-001 --as released"), "{why}");
    let page = std::fs::read_to_string(merchant.path("month/report.html")).unwrap_or_default();
    assert!(page.is_empty() || page.contains("Rp150001"), "the report names it");
    merchant.expect(0, &["resolve", "A-001", "--as", "released", "--reason", "ticket 7"]);
    for _night in 0..2 {
        merchant.run(&["sync", "A-001"]);
        assert_eq!(reconciled(&merchant)["held"], json!([]), "a person has looked at that money");
    }
    merchant.verify();
}

#[test]
fn a_number_on_the_wire_is_one_bills_alone() {
    // Another's re-issue has the number: the new bill is refused before anything is sent, saying by whom.
    let merchant = Merchant::open(&[]);
    expired(&merchant, "A-001", "6059777", 5);
    merchant.issue(0, &["A-001,150000,Budi,alfa,,,1440,"], &["--reissue-expired"]);
    let mark = merchant.net.mark();
    merchant.issue(1, &["A-001-R1,90000,Siti,alfa,,,1440,"], &[]);
    let end = merchant.end("A-001-R1");
    assert!(end.bucket == "refused" && end.reason.contains("A-001"), "{end:?}");
    assert_eq!(merchant.net.mark(), mark);
    merchant.verify();

    // A bill has the number: the re-issue takes the next free one. Twice, for runs must not differ.
    for _run in 0..2 {
        let merchant = Merchant::open(&[]);
        merchant.issue(0, &["A-001-R1,90000,Siti,alfa,,,1440,"], &[]);
        expired(&merchant, "A-001", "6059777", 5);
        merchant.issue(0, &["A-001,150000,Budi,alfa,,,1440,", "A-001-R1,90000,Siti,alfa,,,1440,"], &["--reissue-expired"]);
        let doku = merchant.net.doku();
        let live: Vec<_> = doku.payable().into_iter().map(|order| (order.invoice.as_str(), order.amount)).collect();
        assert_eq!(live, [("A-001-R1", 90_000), ("A-001-R2", 150_000)]);
        drop(doku);
        let code = merchant.net.doku().orders["A-001-R1"].code.clone();
        let now = merchant.net.doku().now();
        notified(&merchant, "A-001-R1", &code, now);
        merchant.expect(0, &["cancel", "A-001", "--out", "out"]);
        assert_eq!(merchant.net.doku().orders["A-001-R2"].state, State::Deleted, "it was not the one that was paid");
    }
}
