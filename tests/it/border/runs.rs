//! Answers that speak of more than their row: credentials, channels, paths, and silence. borders.md 1, lines 401, 403, 404, 429.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::between::{ALWAYS, Fate, cut_after, cut_before, unavailable};
use super::doku::{Doku, refusal};
use super::merchant::Merchant;
use super::wire::{Answer, Request};

fn bills(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}-{number:03},{},Budi,alfa,,,1440,", 10_000 + number)).collect()
}

/// Says `answer` where `pattern` has an `x` at the request's number, else lets DOKU do it; repeats its last letter.
fn pattern(
    pattern: &'static str,
    answer: impl Fn(&Request, &Doku) -> Answer + Send + Sync,
) -> impl Fn(&Request, &mut Doku) -> Fate + Send + Sync {
    let seen = AtomicUsize::new(0);
    move |request, doku| {
        let number = seen.fetch_add(1, Ordering::Relaxed).min(pattern.len() - 1);
        if pattern.as_bytes()[number] == b'x' { answer(request, doku).into() } else { doku.handle(request).into() }
    }
}

fn own(status: u16, words: &'static str) -> impl Fn(&Request, &Doku) -> Answer + Send + Sync {
    move |request, doku| doku.sign(refusal(status, words), request)
}

fn page(status: u16) -> impl Fn(&Request, &Doku) -> Answer + Send + Sync {
    move |_, _| Answer::new(status, "text/html", format!("<html>{status}: check your client id and signature</html>"))
}

/// Mostly one after the other, so that "in a row" means something.
fn one_at_a_time(more: &[(&str, &str)]) -> Merchant {
    let merchant = Merchant::open(&[("pacing.in_flight_max", "1")]);
    merchant.set(more);
    merchant
}

type Says = Box<dyn Fn(&Request, &Doku) -> Answer + Send + Sync>;
/// An exit code and the buckets the row may be in.
type Left = (i32, &'static [&'static str]);
/// The answer; policy; what is left where nothing may have reached DOKU; where something may have; attempts of it in a run.
type Line = (&'static str, Says, &'static str, Left, Left, Option<usize>);

#[test]
fn a_run_of_one_row_ends_with_the_code_of_its_answer() {
    let html = |status: u16| -> Says { Box::new(page(status)) };
    let doku = |status: u16, words: &'static str| -> Says { Box::new(own(status, words)) };
    let bare = |status: u16, words: &'static str| -> Says { Box::new(move |_, _| refusal(status, words)) };
    let wrong = |status: u16, words: &'static str| -> Says {
        Box::new(move |request, doku| refusal(status, words).forged(request, &doku.now().to_string()))
    };
    #[rustfmt::skip]
    let table: Vec<Line> = vec![
        ("400 signed",             doku(400, "amount is too low"),        "warn",    (1, &["rejected"]),            (3, &["in_doubt"]), None),
        ("404 signed",             doku(404, "no such path"),             "warn",    (1, &["rejected", "refused"]), (3, &["in_doubt"]), None),
        ("401 signed",             doku(401, "Invalid token"),            "warn",    (4, &["deferred"]),            (4, &["in_doubt"]), Some(1)),
        ("401 unsigned",           bare(401, "Invalid Header Signature"), "enforce", (4, &["deferred"]),            (4, &["in_doubt"]), Some(1)),
        ("401 forged, warn",       wrong(401, "Invalid Header Signature"),"warn",    (4, &["deferred"]),            (4, &["in_doubt"]), Some(1)),
        ("401 forged, enforce",    wrong(401, "Invalid Header Signature"),"enforce", (4, &["deferred", "in_doubt"]), (4, &["in_doubt"]), Some(1)),
        ("400 names signature",    doku(400, "Invalid Header Signature"), "warn",    (4, &["deferred"]),            (4, &["in_doubt"]), Some(1)),
        ("400 of a page that does", html(400),                            "warn",    (3, &["in_doubt"]),            (3, &["in_doubt"]), None),
        ("401 of a page",          html(401),                             "warn",    (3, &["in_doubt"]),            (3, &["in_doubt"]), None),
        ("403 signed",             doku(403, "channel is not active"),    "warn",    (3, &["deferred"]),            (3, &["in_doubt"]), None),
        ("403 of a page",          html(403),                             "warn",    (3, &["in_doubt"]),            (3, &["in_doubt"]), None),
        ("404 of a page",          html(404),                             "warn",    (3, &["in_doubt"]),            (3, &["in_doubt"]), None),
        ("407 of a page",          html(407),                             "warn",    (3, &["in_doubt"]),            (3, &["in_doubt"]), None),
        ("429 signed",             doku(429, "too many requests"),        "warn",    (3, &["deferred"]),            (3, &["in_doubt"]), Some(2)),
        ("429 of a page",          html(429),                             "warn",    (3, &["in_doubt"]),            (3, &["in_doubt"]), Some(2)),
        ("503 signed",             doku(503, "maintenance"),              "warn",    (3, &["in_doubt"]),            (3, &["in_doubt"]), Some(2)),
    ];
    for (name, says, policy, fresh, maybe, attempts) in table {
        let says = std::sync::Arc::new(says);
        for (is_second, (exit, buckets)) in [(false, fresh), (true, maybe)] {
            let merchant = one_at_a_time(&[("doku.verify_response", &format!("{policy:?}"))]);
            let net = &merchant.net;
            net.cue("GET", "", ALWAYS, unavailable);
            let row = bills("B", 1);
            if is_second {
                net.cue("", "", 2, cut_after);
                merchant.issue(3, &row, &[]);
            }
            let before = net.mark();
            let says = std::sync::Arc::clone(&says);
            net.cue("", "", ALWAYS, move |request, doku| says(request, doku).into());
            let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
            merchant.bills("bills.csv", &row);
            let finished = if is_second { finished } else { merchant.run(&["issue", "bills.csv", "--out", "out"]) };
            assert_eq!(finished.code(), Some(exit), "{name}, second: {is_second}: {finished:?}");
            let end = merchant.end("B-001");
            assert!(buckets.contains(&end.bucket.as_str()), "{name}, second: {is_second}: {end:?}");
            let sent = net.changes(before, "B-001").len();
            assert!(attempts.is_none_or(|attempts| attempts == sent), "{name}, second: {is_second}: {sent} attempts");
            net.calm();
            if bucket_is_open(&end.bucket) {
                merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
                let code = net.doku().orders["B-001"].code.clone();
                assert_eq!(merchant.accepted("B-001").unwrap()["payment_code"], code, "{name}");
                assert_eq!(net.changes(0, "B-001").iter().map(|sent| &sent.body).collect::<std::collections::BTreeSet<_>>().len(), 1);
            }
        }
    }
}

fn bucket_is_open(bucket: &str) -> bool {
    bucket == "deferred" || bucket == "in_doubt"
}

#[test]
fn refused_credentials_stop_a_run_after_three_operations_in_a_row_and_not_before() {
    for words in ["Invalid token", "Invalid Header Signature"] {
        for status in [401, 400] {
            if status == 400 && words == "Invalid token" {
                continue;
            }
            // (which requests hear it, exit, how many of 12 rows are issued)
            let table = [("x", 4, 0), ("ooxxxo", 4, 2), ("oxoxoxo", 3, 9), ("xxoxxo", 3, 8), ("o", 0, 12)];
            for (heard, exit, issued) in table {
                let merchant = one_at_a_time(&[]);
                merchant.net.cue("POST", "", ALWAYS, pattern(heard, own(status, words)));
                merchant.issue(exit, &bills("B", 12), &[]);
                assert_eq!(merchant.summary()["buckets"]["issued"], issued, "{status} {words} {heard}");
                assert_eq!(merchant.summary()["buckets"]["rejected"], 0, "{status} {words} {heard}");
                if heard == "x" {
                    assert_eq!(merchant.net.mark(), 3, "{status} {words}");
                }
                merchant.net.calm();
                merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
                assert_eq!(merchant.net.doku().payable().len(), 12);
            }
        }
    }
}

#[test]
fn a_strangers_page_about_credentials_or_access_stops_nothing_and_closes_nothing() {
    for status in [400, 401, 403] {
        let merchant = one_at_a_time(&[]);
        merchant.net.cue("GET", "", ALWAYS, unavailable);
        merchant.net.cue("POST", "", ALWAYS, pattern("ooxxxxxxxxo", page(status)));
        merchant.issue(3, &bills("B", 12), &[]);
        let buckets = &merchant.summary()["buckets"];
        assert!(buckets["in_doubt"].as_u64() > Some(0) && buckets["rejected"] == 0 && buckets["deferred"] == 0, "{status}: {buckets}");
        merchant.net.calm();
        merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
        assert_eq!(merchant.net.doku().payable().len(), 12);
    }
}

#[test]
fn a_channel_closes_after_three_rows_in_a_row_that_doku_itself_refused_it_for_and_the_other_goes_on() {
    let indomaret = |count: usize| (1..=count).map(|number| format!("I-{number:03},20000,Budi,indomaret,,,1440,,Premi"));
    let head = format!("{},receipt_description", super::merchant::HEAD);
    let rows = |alfa: usize| -> String {
        let rows: Vec<String> = bills("B", alfa).into_iter().map(|row| row + ",").chain(indomaret(4)).collect();
        format!("{head}\n{}\n", rows.join("\n"))
    };
    let merchant = one_at_a_time(&[]);
    merchant.file("bills.csv", rows(12));
    let refused = |request: &Request, doku: &mut Doku| -> Fate {
        let alfa = request.target.contains("alfa");
        if alfa { doku.sign(refusal(403, "merchant is not active"), request).into() } else { doku.handle(request).into() }
    };
    merchant.net.cue("POST", "", ALWAYS, refused);
    merchant.expect(3, &["issue", "bills.csv", "--out", "out"]);
    let buckets = &merchant.summary()["buckets"];
    assert_eq!((&buckets["issued"], &buckets["deferred"]), (&json!(4), &json!(12)), "{buckets}");
    let alfa = merchant.net.since(0).iter().filter(|sent| sent.invoice.starts_with('B')).count();
    assert_eq!(alfa, 3, "the rest was not tried");
    merchant.net.calm();
    merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);

    // One bad row, or two with a good one after, close nothing.
    let merchant = one_at_a_time(&[]);
    merchant.net.cue("POST", "", ALWAYS, pattern("oxxoxxo", own(403, "merchant is not active")));
    merchant.issue(3, &bills("B", 12), &[]);
    let buckets = &merchant.summary()["buckets"];
    assert_eq!((&buckets["issued"], &buckets["deferred"]), (&json!(8), &json!(4)), "{buckets}");
}

#[test]
fn a_wrong_path_stops_the_run_with_one_message_and_nothing_is_remembered_against_the_rows() {
    for status in [404, 405, 410, 501] {
        let merchant = Merchant::open(&[]);
        let spring = move |request: &Request, doku: &Doku| {
            let body = json!({
                "timestamp": "2026-11-28T00:00:00.000+00:00", "status": status, "error": "Not Found",
                "message": "No static resource alfa-online-to-offline/v3/payment-code.", "path": request.target,
            });
            if status == 405 { doku.sign(Answer::json(status, &body), request) } else { Answer::json(status, &body) }
        };
        merchant.net.cue("POST", "", ALWAYS, pattern("x", spring));
        let finished = merchant.issue(2, &bills("B", 300), &[]);
        assert!(finished.stderr.contains("doku.paths"), "{status}: {finished:?}");
        assert_eq!(finished.stderr.matches("stopped:").count(), 1, "{status}: {finished:?}");
        // Once for the run, once for all its rows together.
        assert!(finished.stderr.matches("No static resource").count() <= 2, "{status}: one message, not one a row: {finished:?}");
        let sent = merchant.net.mark();
        assert!((20..=20 + 8).contains(&sent), "{status}: {sent} calls before the run stopped");
        merchant.net.calm();
        merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
        assert_eq!(merchant.net.doku().payable().len(), 300, "{status}");
        assert_eq!(merchant.summary()["buckets"]["issued"], 300);
    }
}

#[test]
fn refusals_of_rows_never_stop_a_run_and_neither_do_paths_after_an_answer_of_another_kind() {
    for (heard, status, issued) in [("x", 400, 0), ("x", 422, 0), ("ox", 404, 1)] {
        let merchant = one_at_a_time(&[]);
        merchant.net.cue("POST", "", ALWAYS, pattern(heard, own(status, "no")));
        merchant.issue(1, &bills("B", 45), &[]);
        let buckets = &merchant.summary()["buckets"];
        assert_eq!(buckets["issued"], issued, "{status}: {buckets}");
        assert_eq!(buckets["deferred"], 0, "{status}: every row was tried: {buckets}");
        assert_eq!(merchant.net.mark(), 45, "{status}");
    }
    // Two different ones among the first twenty.
    let merchant = one_at_a_time(&[]);
    merchant.net.cue("POST", "", 10, pattern("x", own(404, "no")));
    merchant.net.cue("POST", "", ALWAYS, pattern("x", own(405, "no")));
    merchant.issue(1, &bills("B", 45), &[]);
    assert_eq!(merchant.net.mark(), 45);
}

#[test]
fn a_storm_opens_the_breaker_at_default_settings_whatever_check_status_says_and_says_why() {
    for (in_flight, status) in [("1", 503), ("2", 503), ("4", 503), ("256", 503), ("1", 404), ("4", 403), ("2", 302), ("4", 408)] {
        let merchant = Merchant::open(&[("pacing.in_flight_max", in_flight), ("retry.breaker_failures", "20")]);
        merchant.set(&[("retry.attempts_max", "4")]);
        merchant.net.cue("POST", "", ALWAYS, pattern("x", page(status)));
        let finished = merchant.issue(5, &bills("B", 400), &[]);
        let (posts, flying) =
            (merchant.net.since(0).iter().filter(|sent| sent.method == "POST").count(), in_flight.parse::<usize>().unwrap());
        assert!(posts <= 4 * (20 + 2 * flying), "{in_flight} in flight: {posts} calls into a storm");
        assert_eq!(merchant.summary()["buckets"]["rejected"], 0);
        let mut summary = merchant.summary();
        summary["ledger_head"].take();
        let (summary, status) = (summary.to_string(), status.to_string());
        assert!(finished.stderr.contains(&status) && summary.contains(&status), "the reason is missing: {summary} {finished:?}");
        merchant.net.calm();
        merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
        assert_eq!(merchant.net.doku().payable().len(), 400);
    }
}

#[test]
fn a_run_that_cannot_reach_doku_names_the_reason_and_has_put_nothing_in_doubt() {
    let merchant = Merchant::open(&[("doku.base_url", "\"http://127.0.0.1:9\""), ("retry.breaker_failures", "20")]);
    let finished = merchant.issue(5, &bills("B", 60), &[]);
    let buckets = &merchant.summary()["buckets"];
    assert_eq!((&buckets["deferred"], &buckets["in_doubt"]), (&json!(60), &json!(0)), "{buckets}");
    assert!(finished.stderr.contains("127.0.0.1:9"), "the host is named: {finished:?}");
    assert!(merchant.summary().to_string().contains("127.0.0.1:9"), "{}", merchant.summary());
}

/// Only what failed before a request could leave is not sent: no tunnel, no TLS.
#[test]
fn a_refused_tunnel_and_a_failed_handshake_put_nothing_in_doubt() {
    for status in [403, 407, 502, 503] {
        let merchant = Merchant::open(&[]);
        let proxy = format!("{:?}", merchant.net.base_url());
        merchant.set(&[("doku.base_url", "\"https://doku.invalid\""), ("doku.other_host", "\"doku.invalid\""), ("doku.proxy", &proxy)]);
        merchant.net.cue("CONNECT", "", ALWAYS, pattern("x", page(status)));
        merchant.issue(3, &bills("B", 5), &[]);
        let buckets = &merchant.summary()["buckets"];
        assert_eq!((&buckets["deferred"], &buckets["in_doubt"]), (&json!(5), &json!(0)), "{status}: {buckets}");
        assert!(merchant.net.mark() > 0, "the proxy was asked");
    }
    let merchant = Merchant::open(&[]);
    let url = format!("{:?}", merchant.net.base_url().replace("http:", "https:"));
    merchant.set(&[("doku.base_url", &url)]);
    merchant.issue(3, &bills("B", 5), &[]);
    let buckets = &merchant.summary()["buckets"];
    assert_eq!((&buckets["deferred"], &buckets["in_doubt"]), (&json!(5), &json!(0)), "{buckets}");
}

#[test]
fn a_pause_asked_for_is_kept_and_past_the_cap_not_slept_on() {
    let busy = |after: String| {
        move |request: &Request, doku: &Doku| doku.sign(refusal(429, "too many requests"), request).with("Retry-After", after.clone())
    };
    // Seconds and an HTTP date.
    let date = || (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for is_date in [false, true] {
        let merchant = one_at_a_time(&[]);
        let after = move || if is_date { date() } else { "2".to_owned() };
        merchant.net.cue("POST", "", 1, pattern("x", move |request: &Request, doku: &Doku| busy(after())(request, doku)));
        let begun = std::time::Instant::now();
        merchant.issue(0, &bills("B", 3), &[]);
        let waited = begun.elapsed().as_millis();
        assert!((1_000..60_000).contains(&waited), "a date: {is_date}, {waited} ms");
        let sent = merchant.net.changes(0, "B-001");
        assert!(sent.windows(2).all(|pair| pair[0] == pair[1]), "same bytes, same id");
    }
    let merchant = one_at_a_time(&[]);
    merchant.net.cue("POST", "", ALWAYS, pattern("oox", busy("99999".into())));
    let begun = std::time::Instant::now();
    merchant.issue(3, &bills("B", 12), &[]);
    assert!(begun.elapsed().as_secs() < 120, "slept on a pause past the cap");
    let buckets = &merchant.summary()["buckets"];
    assert_eq!((&buckets["issued"], &buckets["deferred"], &buckets["rejected"]), (&json!(2), &json!(10), &json!(0)), "{buckets}");
}

#[test]
fn one_bad_row_never_starves_the_others() {
    for status in [400, 401, 403, 404, 409, 429, 503] {
        for act in [to_one_row(status, false), to_one_row(status, true)] {
            let merchant = one_at_a_time(&[("retry.breaker_failures", "20")]);
            merchant.net.cue("GET", "B-001", ALWAYS, unavailable);
            merchant.net.cue("POST", "B-001", ALWAYS, act);
            merchant.bills("bills.csv", &bills("B", 30));
            for _night in 0..2 {
                let finished = merchant.run(&["issue", "bills.csv", "--out", "out"]);
                // Where the bad row is the only one left, its 401 is every answer there was.
                let stopped = status == 401 && finished.code() == Some(4);
                assert!(matches!(finished.code(), Some(1 | 3)) || stopped, "{status}: {finished:?}");
            }
            assert_eq!(merchant.net.doku().payable().len(), 29, "{status}");
        }
    }
}

fn to_one_row(status: u16, is_page: bool) -> impl Fn(&Request, &mut Doku) -> Fate + Send + Sync {
    move |request, doku| {
        let answer = if is_page { page(status)(request, doku) } else { own(status, "not this one")(request, doku) };
        answer.into()
    }
}

#[test]
fn what_never_arrived_is_told_from_what_may_have() {
    // Cut before and after DOKU, the second also with a torn answer: the same to the program, and both come out right.
    let merchant = Merchant::open(&[]);
    merchant.net.cue("GET", "", ALWAYS, unavailable);
    let torn = |request: &Request, doku: &mut Doku| Fate::Torn(doku.handle(request));
    merchant.net.cue("POST", "B-001", ALWAYS, cut_before);
    merchant.net.cue("POST", "B-002", ALWAYS, cut_after);
    merchant.net.cue("POST", "B-003", ALWAYS, torn);
    merchant.issue(3, &bills("B", 4), &[]);
    assert_eq!(merchant.summary()["buckets"]["in_doubt"], 3);
    merchant.net.calm();
    merchant.expect(0, &["issue", "bills.csv", "--out", "out"]);
    assert_eq!(merchant.net.doku().payable().len(), 4);
    merchant.verify();
}
