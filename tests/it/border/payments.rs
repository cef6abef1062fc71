//! Whether and by which code a bill is paid: by code and identity, never by number alone. Issue item 5.

use jiff::SignedDuration;

use super::doku::State;
use super::members::{expired, notified};
use super::merchant::Merchant;

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
    merchant.expect(0, &["cancel", "A-001", "--out", "out"]);
    assert_eq!(merchant.net.doku().orders["A-001-R1"].state, State::Deleted);
    merchant.run(&["issue", "bills.csv", "--out", "out"]);
    assert_eq!(merchant.accepted("A-001"), None);
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
