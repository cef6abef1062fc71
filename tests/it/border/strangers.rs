//! What ordinary intermediaries do to answers: swap, repeat, strip, redirect, prefix, delay, re-date. Issue items 2, 3, 13 and kin.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::between::{ALWAYS, Fate, cut_after, cut_before, unavailable};
use super::doku::{Doku, State, finding, success};
use super::merchant::Merchant;
use super::wire::{Answer, Request};

fn bills(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("B-{number:03},{},Budi,alfa,,,1440,", 10_000 + number)).collect()
}

/// Every code DOKU made is accepted.csv's, bill for bill.
#[track_caller]
fn agrees(merchant: &Merchant) {
    let doku = merchant.net.doku();
    let live = doku.payable().into_iter().map(|order| (order.invoice.clone(), (order.code.clone(), order.amount.to_string())));
    let accepted = merchant.rows("out/accepted.csv").into_iter();
    let accepted = accepted.map(|row| (row["invoice_number"].clone(), (row["payment_code"].clone(), row["amount"].clone())));
    assert_eq!(accepted.collect::<BTreeMap<_, _>>(), live.collect::<BTreeMap<_, _>>());
}

#[track_caller]
fn comes_right(merchant: &Merchant, count: usize) {
    merchant.net.calm();
    merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
    assert_eq!(merchant.net.doku().orders.len(), count);
    let mut ids = BTreeMap::<String, std::collections::BTreeSet<String>>::new();
    for sent in merchant.net.since(0).into_iter().filter(|sent| sent.method == "POST") {
        ids.entry(sent.invoice).or_default().insert(sent.request_id);
    }
    assert!(ids.values().all(|ids| ids.len() == 1), "one order, one Request-Id: {ids:?}");
    agrees(merchant);
    merchant.verify();
}

#[test]
fn two_hundred_rows_met_by_an_ingress_page_are_kept_in_doubt_and_come_right() {
    for (status, passed_on) in [(404, false), (404, true), (403, false), (413, true), (502, true)] {
        let merchant = Merchant::open(&[]);
        merchant.net.cue("", "", ALWAYS, move |request: &Request, doku: &mut Doku| {
            if passed_on {
                doku.handle(request);
            }
            Answer::new(status, "text/plain", "default backend - 404").into()
        });
        merchant.net.cue("GET", "", ALWAYS, |_: &Request, _: &mut Doku| Answer::new(404, "text/plain", "default backend - 404").into());
        merchant.issue(3, &bills(200), &[]);
        let buckets = &merchant.summary()["buckets"];
        assert_eq!((&buckets["in_doubt"], &buckets["rejected"]), (&json!(200), &json!(0)), "{status}");
        assert_eq!(merchant.statuses(), [("in_doubt_issue".to_owned(), 200)].into());
        comes_right(&merchant, 200);
    }
}

#[test]
fn the_answers_of_two_orders_swapped_are_neither_ones() {
    // Each pair's answers change places: the first waits for the second.
    let merchant = Merchant::open(&[]);
    let waiting = Arc::new(Mutex::new(None::<Answer>));
    merchant.net.cue("GET", "", ALWAYS, unavailable);
    merchant.net.cue("POST", "", 20, move |request: &Request, doku: &mut Doku| {
        let answer = doku.handle(request);
        // The first of all is answered with nothing at all, every later one with the one before it.
        waiting.lock().unwrap().replace(answer).map_or(Fate::Cut, Fate::from)
    });
    merchant.set(&[("retry.attempts_max", "1")]);
    merchant.issue(3, &bills(20), &[]);
    assert_eq!(merchant.summary()["buckets"]["in_doubt"], 20);
    comes_right(&merchant, 20);
}

#[test]
fn a_request_carried_out_once_and_sent_twice_by_a_proxy_makes_one_code_that_is_accepted() {
    let merchant = Merchant::open(&[]);
    merchant.net.cue("", "", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.handle(request);
        doku.handle(request).into()
    });
    merchant.issue(0, &bills(5), &[]);
    agrees(&merchant);
    let changed = ["B-001,99000,Budi,alfa,,,1440,", "B-002,,,,,,,cancel"];
    merchant.issue(0, &changed, &[]);
    let doku = merchant.net.doku();
    assert_eq!((doku.orders["B-001"].amount, doku.orders["B-002"].state), (99_000, State::Deleted));
}

#[test]
fn what_goes_before_and_around_an_answer_changes_nothing() {
    type Bend = fn(&Request, &mut Doku) -> Fate;
    let bends: [Bend; 6] = [
        |request, doku| Answer { interim: vec![103, 103], ..doku.handle(request) }.into(),
        |request, doku| Answer { interim: vec![100], ..doku.handle(request) }.into(),
        |request, doku| Fate::Later(Duration::from_millis(300), Box::new(doku.handle(request).into())),
        // A proxy's Date, and its own Request-Id, are remarks.
        |request, doku| doku.handle(request).with("Date", "Thu, 01 Jan 1970 00:00:00 GMT").into(),
        |request, doku| doku.handle(request).with("Request-Id", "77777777-0000-4000-8000-000000000000").into(),
        |request, doku| doku.handle(request).with("Content-Type", "text/plain; charset=iso-8859-1").into(),
    ];
    for (number, bend) in bends.into_iter().enumerate() {
        let merchant = Merchant::open(&[("doku.verify_response", "\"enforce\"")]);
        merchant.net.cue("", "", ALWAYS, bend);
        merchant.issue(0, &bills(4), &[]);
        agrees(&merchant);
        assert_eq!(merchant.summary()["buckets"]["issued"], 4, "{number}");
    }
}

type Says = Box<dyn Fn(&Request, &Doku) -> Answer + Send + Sync>;

#[test]
fn a_success_that_is_not_provably_ours_makes_nothing_live() {
    let order = |doku: &Doku, request: &Request, invoice: &str| super::doku::Order {
        invoice: invoice.into(),
        code: "6059000000000001".into(),
        amount: 10_001,
        state: State::Live,
        created_at: doku.now(),
        expires_at: doku.now() + jiff::SignedDuration::from_hours(24),
        made_by: request.request_id().into(),
    };
    let body = move |change: fn(&mut Value)| -> Says {
        Box::new(move |request, doku| {
            let mut body = success(&order(doku, request, &request.about()));
            change(&mut body);
            doku.sign(Answer::json(200, &body), request)
        })
    };
    let answers: Vec<(&str, Says)> = vec![
        ("no code", body(|body| drop(body["online_to_offline_info"].as_object_mut().unwrap().remove("payment_code")))),
        ("an empty code", body(|body| body["online_to_offline_info"]["payment_code"] = json!(""))),
        ("a code with a letter", body(|body| body["online_to_offline_info"]["payment_code"] = json!("60590O01"))),
        ("a code too long", body(|body| body["online_to_offline_info"]["payment_code"] = json!("123456789012345678901"))),
        ("a code with a fraction", body(|body| body["online_to_offline_info"]["payment_code"] = json!(6_059.5))),
        ("a null code", body(|body| body["online_to_offline_info"]["payment_code"] = Value::Null)),
        ("no order", body(|body| drop(body.as_object_mut().unwrap().remove("order")))),
        ("no number", body(|body| body["order"] = json!({}))),
        ("another's number", body(|body| body["order"]["invoice_number"] = json!("B-002"))),
        ("our number in other letters", body(|body| body["order"]["invoice_number"] = json!("b-001"))),
        ("an array", Box::new(|request, doku| doku.sign(Answer::new(200, "application/json", "[]"), request))),
        ("a word", Box::new(|request, doku| doku.sign(Answer::new(200, "application/json", "\"OK\""), request))),
        ("a portal", Box::new(|_, _| Answer::new(200, "text/html", "<html>Please sign in to the guest network</html>"))),
        ("an error shape", Box::new(|request, doku| doku.sign(Answer::json(200, &json!({"error": {"message": "no"}})), request))),
    ];
    for (name, says) in answers {
        let merchant = Merchant::open(&[]);
        merchant.net.cue("GET", "", ALWAYS, unavailable);
        merchant.net.cue("POST", "B-001", ALWAYS, move |request: &Request, doku: &mut Doku| says(request, doku).into());
        merchant.issue(3, &["B-001,10001,Budi,alfa,,,1440,"], &[]);
        assert_eq!(merchant.end("B-001").bucket, "in_doubt", "{name}");
        comes_right(&merchant, 1);
    }
}

#[test]
fn one_oddly_typed_field_makes_no_good_answer_unreadable() {
    type Bend = fn(&mut Value);
    let bends: [(&str, Bend); 9] = [
        ("unquoted code", |body| {
            let info = &mut body["online_to_offline_info"];
            info["payment_code"] = json!(info["payment_code"].as_str().unwrap().parse::<u64>().unwrap());
        }),
        ("numeric dates", |body| {
            let info = &mut body["online_to_offline_info"];
            for key in ["created_date", "expired_date"] {
                info[key] = json!(info[key].as_str().unwrap().parse::<u64>().unwrap());
            }
        }),
        ("no page", |body| body["online_to_offline_info"]["how_to_pay_page"] = json!(0)),
        ("a page that is an object", |body| body["online_to_offline_info"]["how_to_pay_page"] = json!({"url": []})),
        ("null dates", |body| {
            for key in ["created_date", "expired_date", "created_date_utc", "expired_date_utc"] {
                body["online_to_offline_info"][key] = Value::Null;
            }
        }),
        ("dates that are lists", |body| body["online_to_offline_info"]["created_date_utc"] = json!([])),
        ("a number echoed as a number", |body| {
            body["order"]["invoice_number"] = json!(body["order"]["invoice_number"].as_str().unwrap().parse::<u64>().unwrap());
        }),
        ("unknown fields", |body| body["order"]["more"] = json!({"payment_code": "1"})),
        ("an amount in words", |body| body["order"]["amount"] = json!("many")),
    ];
    for (name, bend) in bends {
        let merchant = Merchant::open(&[("doku.verify_response", "\"enforce\"")]);
        merchant.net.cue("", "", ALWAYS, move |request: &Request, doku: &mut Doku| {
            let answer = doku.handle(request);
            let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
            if answer.status == 200 {
                bend(&mut body);
            }
            doku.sign(Answer::json(answer.status, &body), request).into()
        });
        let row = "20261128,10001,Budi,alfa,,,1440,";
        merchant.bills("bills.csv", &[row]);
        let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
        assert_eq!(merchant.end("20261128").bucket, "issued", "{name}: {finished:?}");
        agrees(&merchant);
        merchant.issue(0, &[row.replace("10001", "12000")], &[]);
        assert_eq!(merchant.end("20261128").bucket, "amended", "{name}");
    }
}

type Told = fn(&Request, &mut Doku) -> Answer;

/// The order of a merchant's code at DOKU.
fn merchants(doku: &Doku, request: &Request, amount: u64) -> super::doku::Order {
    super::doku::Order {
        invoice: request.about(),
        code: "7700000000000001".into(),
        amount,
        state: State::Live,
        created_at: doku.now(),
        expires_at: doku.now() + jiff::SignedDuration::from_hours(24),
        made_by: request.request_id().into(),
    }
}

fn ours(doku: &Doku, request: &Request, word: &str, amount: u64) -> Answer {
    doku.sign(Answer::json(200, &finding(&merchants(doku, request, amount), word)), request)
}

#[test]
fn check_status_is_believed_only_about_the_order_asked_for_and_only_from_doku() {
    let code = "7700000000000001";
    let row = format!("M-001,150000,Budi,alfa,merchant,{code},1440,");
    // (what it says; under warn it ends the doubt; under enforce it does)
    let table: [(&str, Told, bool, bool); 12] = [
        ("pending, ours", |request, doku| ours(doku, request, "PENDING", 150_000), true, true),
        ("unsigned", |request, doku| ours(doku, request, "PENDING", 150_000).unsigned(), true, false),
        ("forged", |request, doku| ours(doku, request, "PENDING", 150_000).forged(request, &doku.now().to_string()), false, false),
        ("another amount", |request, doku| ours(doku, request, "PENDING", 1), false, false),
        ("paid at another amount", |request, doku| ours(doku, request, "SUCCESS", 1), false, false),
        (
            "another's order",
            |request, doku| {
                let other = super::doku::Order { invoice: "M-002".into(), ..merchants(doku, request, 150_000) };
                doku.sign(Answer::json(200, &finding(&other, "PENDING")), request)
            },
            false,
            false,
        ),
        (
            "no amount",
            |request, doku| {
                let mut body = finding(&merchants(doku, request, 150_000), "PENDING");
                body["order"].as_object_mut().unwrap().remove("amount");
                doku.sign(Answer::json(200, &body), request)
            },
            false,
            false,
        ),
        (
            "no order",
            |request, doku| {
                let mut body = finding(&merchants(doku, request, 150_000), "PENDING");
                body.as_object_mut().unwrap().remove("order");
                doku.sign(Answer::json(200, &body), request)
            },
            false,
            false,
        ),
        ("an unknown word", |request, doku| ours(doku, request, "REFUNDED", 150_000), false, false),
        ("failed", |request, doku| ours(doku, request, "FAILED", 150_000), false, false),
        ("a page", |_, _| Answer::new(200, "text/html", "<html>PENDING</html>"), false, false),
        ("a page without it", |_, _| Answer::new(404, "text/plain", "404 page not found"), false, false),
    ];
    for (name, told, warn, enforce) in table {
        for (policy, is_settled) in [("\"warn\"", warn), ("\"enforce\"", enforce)] {
            let merchant = Merchant::open(&[("doku.verify_response", policy), ("doubt.not_found_minutes", "1")]);
            merchant.net.cue("POST", "", ALWAYS, cut_before);
            merchant.net.cue("GET", "", ALWAYS, move |request: &Request, doku: &mut Doku| told(request, doku).into());
            merchant.bills("bills.csv", &[&row]);
            let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
            let bucket = merchant.end("M-001").bucket;
            assert_eq!(bucket != "in_doubt", is_settled, "{name} under {policy}: {bucket} {finished:?}");
            let synced = merchant.run(&["sync", "M-001", "--json"]);
            assert_eq!(merchant.status("M-001") != "in_doubt_issue", is_settled, "{name} under {policy}: {synced:?}");
        }
    }
}

#[test]
fn words_doku_has_for_an_order_are_kept_as_it_said_them() {
    for word in ["REFUNDED", "ORDER_EXPIRED", "Menunggu", "TIMEOUT"] {
        let merchant = Merchant::open(&[]);
        merchant.net.cue("POST", "", ALWAYS, cut_after);
        merchant.net.cue("GET", "", ALWAYS, move |request: &Request, doku: &mut Doku| {
            let order = doku.orders[&request.about()].clone();
            doku.sign(Answer::json(200, &finding(&order, word)), request).into()
        });
        merchant.issue(3, &bills(1), &[]);
        assert!(merchant.why("B-001").contains(word), "{word}: {}", merchant.why("B-001"));
        assert_eq!(merchant.status("B-001"), "in_doubt_issue");
    }
}

#[test]
fn a_word_that_is_configured_to_mean_cancelled_ends_the_doubt_about_a_cancellation() {
    for (settings, status) in [(&[][..], "in_doubt_cancel"), (&[("doku.status_words.cancelled", "[\"VOIDED\"]")][..], "cancelled")] {
        let merchant = Merchant::open(settings);
        merchant.issue(0, &bills(1), &[]);
        merchant.net.cue("PATCH", "", ALWAYS, cut_after);
        merchant.net.cue("GET", "", ALWAYS, |request: &Request, doku: &mut Doku| {
            let order = doku.orders[&request.about()].clone();
            doku.sign(Answer::json(200, &finding(&order, "VOIDED")), request).into()
        });
        let finished = merchant.run(&["cancel", "B-001", "--out", "out"]);
        assert_eq!(merchant.status("B-001"), status, "{finished:?}");
    }
}

#[test]
fn a_cancellation_that_hears_deleted_and_sees_pending_is_in_doubt_and_not_live() {
    let merchant = Merchant::open(&[("doubt.unchanged_minutes", "1")]);
    merchant.issue(0, &bills(1), &[]);
    let pending = |request: &Request, doku: &mut Doku| {
        let order = doku.orders[&request.about()].clone();
        Fate::from(doku.sign(Answer::json(200, &finding(&order, "PENDING")), request))
    };
    merchant.net.cue("GET", "", ALWAYS, pending);
    merchant.net.cue("PATCH", "", 2, cut_after);
    merchant.net.cue("PATCH", "", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.sign(super::doku::refusal(400, "payment code is DELETED"), request).into()
    });
    let rows = ["B-001,,,,,,,cancel"];
    for _night in 0..3 {
        merchant.issue(3, &rows, &[]);
        assert_eq!(merchant.status("B-001"), "in_doubt_cancel");
        let row = merchant.accepted("B-001");
        assert!(row.as_ref().is_none_or(|row| row["action"] == "in_doubt"), "{row:?}");
    }
    merchant.net.calm();
    merchant.issue(0, &rows, &[]);
    assert_eq!(merchant.status("B-001"), "cancelled");
}
