//! HTTP 409: a replay of ours, somebody else's order, or an answer to something else. borders.md 1, "409 with a success body".

use std::fs;

use serde_json::{Value, json};

use super::between::{ALWAYS, Fate, cut_after, unavailable};
use super::doku::{Doku, State, finding, refusal, success};
use super::merchant::Merchant;
use super::wire::{Answer, Request};

/// What Check Status answers, about the order asked for unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// A word with the order's amount, or with another one.
    Word(&'static str),
    WordAt(&'static str, u64),
    NoAmount(&'static str),
    /// The same, but unprovable or not about our order.
    ForgedWord(&'static str),
    OthersWord(&'static str),
    NotFound,
    NotFoundPage,
    Silent,
}

impl Told {
    fn act(self) -> impl Fn(&Request, &mut Doku) -> Fate + Send + Sync {
        move |request, doku| {
            let Some(order) = doku.orders.get(&request.about()).cloned() else { return doku.handle(request).into() };
            let say = |body: &Value| doku.sign(Answer::json(200, body), request);
            let answer = match self {
                Self::Word(word) => say(&finding(&order, word)),
                Self::WordAt(word, amount) => say(&finding(&super::doku::Order { amount, ..order }, word)),
                Self::NoAmount(word) => {
                    let mut body = finding(&order, word);
                    body["order"].as_object_mut().unwrap().remove("amount");
                    say(&body)
                }
                Self::ForgedWord(word) => Answer::json(200, &finding(&order, word)).forged(request, &doku.now().to_string()),
                Self::OthersWord(word) => say(&finding(&super::doku::Order { invoice: "SOMEBODY-ELSE".into(), ..order }, word)),
                Self::NotFound => doku.sign(Answer::json(404, &json!({"message": "Order not found"})), request),
                Self::NotFoundPage => Answer::new(404, "text/plain", "404 page not found"),
                Self::Silent => return unavailable(request, doku),
            };
            answer.into()
        }
    }
}

const ROW: &str = "B-001,150000,Budi,alfa,,,1440,";

/// A ledger that is lost after DOKU has made the codes of `rows`.
fn with_a_lost_ledger(rows: &[&str]) -> Merchant {
    let merchant = Merchant::open(&[]);
    merchant.issue(0, rows, &[]);
    for ending in ["", "-wal", "-shm", ".lock"] {
        drop(fs::remove_file(merchant.path(format!("tagih.ledger{ending}").as_str())));
    }
    merchant
}

#[test]
fn a_replay_of_an_issue_this_ledger_never_sent_counts_only_if_check_status_confirms_our_amount() {
    use Told::{ForgedWord, NoAmount, NotFound, NotFoundPage, OthersWord, Silent, Word, WordAt};
    let table = [
        (Word("PENDING"), 0, &["issued", "replayed"][..]),
        (Word("SUCCESS"), 0, &["issued", "replayed", "paid", "in no file"]),
        (NoAmount("PENDING"), 3, &["in_doubt"]),
        (NoAmount("SUCCESS"), 3, &["in_doubt"]),
        (WordAt("SUCCESS", 150_001), 3, &["in_doubt"]),
        (ForgedWord("PENDING"), 3, &["in_doubt"]),
        (OthersWord("PENDING"), 3, &["in_doubt"]),
        (Word("EXPIRED"), 3, &["in_doubt"]),
        (Word("FAILED"), 3, &["in_doubt"]),
        (Word("REFUNDED"), 3, &["in_doubt"]),
        (Word("ORDER_EXPIRED"), 3, &["in_doubt"]),
        (NotFound, 3, &["in_doubt"]),
        (NotFoundPage, 3, &["in_doubt"]),
        (Silent, 3, &["in_doubt"]),
    ];
    for (told, exit, buckets) in table {
        let merchant = with_a_lost_ledger(&[ROW]);
        merchant.net.cue("GET", "", ALWAYS, told.act());
        // In every run: a 409 heard is an answer, and no licence to believe the next.
        for _night in 0..2 {
            let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
            assert!(finished.code() == Some(exit) || exit == 3 && finished.code() == Some(1), "{told:?}: {finished:?}");
            let end = merchant.end("B-001");
            assert!(buckets.contains(&end.bucket.as_str()) || end.bucket == "unchanged" && exit == 0, "{told:?}: {end:?}");
        }
        assert_eq!(merchant.net.doku().orders.len(), 1, "{told:?}");
        merchant.net.calm();
        // What was paid with another amount is held for a person, whatever is said later.
        let is_held = told == WordAt("SUCCESS", 150_001);
        merchant.expect(i32::from(is_held), &["issue", "bills.csv", "--out", "out"]);
        merchant.verify();
    }
}

#[test]
fn an_order_doku_holds_at_another_amount_is_adopted_at_its_amount_and_planned_again() {
    // The amendment to 200,000 went with the ledger; the old file says 100,000.
    let merchant = with_a_lost_ledger(&["B-001,100000,Budi,alfa,,,1440,"]);
    merchant.net.doku().orders.get_mut("B-001").unwrap().amount = 200_000;
    for _night in 0..2 {
        let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
        assert!(matches!(finished.code(), Some(0 | 3)), "{finished:?}");
        let held = merchant.net.doku().orders["B-001"].amount;
        if let Some(row) = merchant.accepted("B-001") {
            assert_eq!(row["amount"], held.to_string(), "what is reported is what DOKU asks for");
        }
    }
    let doku = merchant.net.doku();
    assert_eq!((doku.orders.len(), doku.orders["B-001"].amount), (1, 100_000), "in the end it is what the file wants");
    drop(doku);
    merchant.verify();
}

#[test]
fn a_deleted_code_that_a_replay_tells_of_is_not_listed_as_live() {
    for word in ["EXPIRED", "CANCELLED", "FAILED"] {
        let merchant = with_a_lost_ledger(&[ROW]);
        merchant.net.doku().orders.get_mut("B-001").unwrap().state = State::Deleted;
        merchant.net.cue("GET", "", ALWAYS, Told::Word(word).act());
        let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
        assert!(matches!(finished.code(), Some(1 | 3)), "{word}: {finished:?}");
        assert_eq!(merchant.accepted("B-001"), None, "{word}");
    }
}

#[test]
fn a_replay_of_our_own_unanswered_attempt_needs_no_confirmation() {
    let merchant = Merchant::open(&[]);
    merchant.net.cue("GET", "", ALWAYS, unavailable);
    merchant.net.cue("POST", "", 1, cut_after);
    merchant.issue(0, &[ROW], &[]);
    assert_eq!(merchant.end("B-001").bucket, "replayed");
    assert_eq!(merchant.net.queries(0, "B-001"), 0);
}

#[test]
fn a_replayed_issue_created_before_its_first_intent_is_not_ours_without_confirmation() {
    let merchant = Merchant::open(&[]);
    merchant.net.cue("GET", "", ALWAYS, unavailable);
    merchant.net.cue("POST", "", ALWAYS, |request: &Request, doku: &mut Doku| {
        let answer = doku.handle(request);
        if answer.status == 200 {
            return Fate::Cut;
        }
        let mut order = doku.orders[&request.about()].clone();
        order.created_at -= jiff::SignedDuration::from_mins(30);
        doku.sign(Answer::json(409, &success(&order)), request).into()
    });
    merchant.issue(3, &[ROW], &[]);
    assert_eq!(merchant.end("B-001").bucket, "in_doubt");
}

#[test]
fn a_fresh_change_answered_with_the_stored_body_of_its_issue_needs_check_status() {
    let stored = |request: &Request, doku: &mut Doku| -> Fate {
        let order = doku.orders[&request.about()].clone();
        doku.sign(Answer::json(409, &success(&order)), request).into()
    };
    let passed = move |request: &Request, doku: &mut Doku| -> Fate {
        doku.handle(request);
        stored(request, doku)
    };
    let amended = "B-001,175000,Budi,alfa,,,1440,";
    let cancelled = "B-001,,,,,,,cancel";
    // The row; whether DOKU did it; what Check Status says (None: the truth); the exit; the bucket.
    let table = [
        (amended, false, None, 3, "in_doubt"),
        (amended, true, None, 0, "amended"),
        (amended, true, Some(Told::Silent), 3, "in_doubt"),
        (amended, true, Some(Told::ForgedWord("PENDING")), 3, "in_doubt"),
        (cancelled, false, None, 3, "in_doubt"),
        (cancelled, true, None, 0, "in no file"),
        (cancelled, true, Some(Told::Silent), 3, "in_doubt"),
        (cancelled, false, Some(Told::Word("SUCCESS")), 3, "in_doubt"),
        (cancelled, true, Some(Told::OthersWord("EXPIRED")), 3, "in_doubt"),
    ];
    for (row, is_done, told, exit, bucket) in table {
        let merchant = Merchant::open(&[("doku.verify_response", "\"enforce\"")]);
        merchant.issue(0, &[ROW], &[]);
        if let Some(told) = told {
            merchant.net.cue("GET", "", ALWAYS, told.act());
        }
        if is_done {
            merchant.net.cue("PATCH", "", 1, passed);
        } else {
            merchant.net.cue("PATCH", "", ALWAYS, stored);
        }
        // One attempt, as a second would be a replay.
        merchant.set(&[("retry.attempts_max", "1")]);
        let finished = merchant.issue(exit, &[row], &[]);
        let end = merchant.end("B-001");
        let fits = end.bucket == bucket || bucket == "amended" && end.bucket == "replayed";
        assert!(fits, "{row} done: {is_done} {told:?}: {end:?} {finished:?}");
        merchant.verify();
    }
}

#[test]
fn what_doku_calls_a_duplicate_is_rejected_only_if_it_knows_no_such_order() {
    let duplicate = |status: u16| {
        move |request: &Request, doku: &mut Doku| -> Fate {
            let body = json!({"error": {"code": "DUPLICATE_TRANSACTION", "message": "Duplicate invoice number"}});
            doku.sign(Answer::json(status, &body), request).into()
        }
    };
    for status in [409, 400, 422] {
        // With a live code of the channel that Check Status calls PENDING, its "not found" counts.
        let merchant = Merchant::open(&[]);
        merchant.issue(0, &["C-001,90000,Siti,alfa,,,1440,"], &[]);
        merchant.net.cue("POST", "", ALWAYS, duplicate(status));
        merchant.issue(1, &["C-001,90000,Siti,alfa,,,1440,", ROW], &[]);
        let end = merchant.end("B-001");
        assert!(end.bucket == "rejected" && end.reason.contains("Duplicate invoice number"), "{status}: {end:?}");
        assert!(merchant.net.queries(0, "C-001") > 0, "the control was asked about");

        // Without one, or where the setting says never, or where DOKU has it, or where a stranger says so, it does not.
        let known = |request: &Request, doku: &mut Doku| -> Fate {
            let order = super::doku::Order {
                invoice: request.about(),
                code: "6059777".into(),
                amount: 90_000,
                state: State::Live,
                created_at: doku.now(),
                expires_at: doku.now() + jiff::SignedDuration::from_hours(1),
                made_by: "another's".into(),
            };
            doku.sign(Answer::json(200, &finding(&order, "PENDING")), request).into()
        };
        let page = |_: &Request, _: &mut Doku| -> Fate { Answer::new(404, "text/plain", "404 page not found").into() };
        for case in ["no control", "never", "known", "page", "silent"] {
            let merchant = Merchant::open(&[]);
            if case == "never" {
                merchant.set(&[("doubt.not_found", "\"never\"")]);
            }
            if case != "no control" {
                merchant.issue(0, &["C-001,90000,Siti,alfa,,,1440,"], &[]);
            }
            match case {
                "known" => merchant.net.cue("GET", "B-001", ALWAYS, known),
                "page" => merchant.net.cue("GET", "B-001", ALWAYS, page),
                "silent" => merchant.net.cue("GET", "B-001", ALWAYS, unavailable),
                _ => {}
            }
            merchant.net.cue("POST", "", ALWAYS, duplicate(status));
            merchant.issue(3, &[ROW], &[]);
            let end = merchant.end("B-001");
            assert_eq!(end.bucket, "in_doubt", "{status}, {case}: {end:?}");
            assert!(case != "known" || end.reason.contains("ledger import"), "{status}: the hint is missing: {end:?}");
        }
    }
}

#[test]
fn a_duplicate_after_an_attempt_that_may_have_arrived_is_in_doubt() {
    let merchant = Merchant::open(&[]);
    merchant.issue(0, &["C-001,90000,Siti,alfa,,,1440,"], &[]);
    merchant.net.cue("POST", "", 1, super::between::cut_before);
    merchant.net.cue("POST", "", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.sign(refusal(409, "request id was used for different request data"), request).into()
    });
    merchant.issue(3, &[ROW], &[]);
    assert_eq!(merchant.end("B-001").bucket, "in_doubt");
    merchant.net.calm();
    merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
    assert_eq!(merchant.net.changes(0, "B-001").iter().map(|sent| &sent.request_id).collect::<std::collections::BTreeSet<_>>().len(), 1);
}
