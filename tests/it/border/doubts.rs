//! What ends a doubt, and after how many findings. Three nights a minute apart, because two findings must be; nobody waits for them.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::between::{ALWAYS, Fate, cut_after, cut_before};
use super::doku::{Doku, State, finding, refusal};
use super::merchant::Merchant;
use super::wire::{Answer, Request};

/// What the first operation meets each time; a later one, under another id, is DOKU's.
fn first_id(act: impl Fn(&Request, &mut Doku) -> Fate + Send + Sync) -> impl Fn(&Request, &mut Doku) -> Fate + Send + Sync {
    let first = Mutex::new(None::<String>);
    move |request, doku| {
        let mut first = first.lock().unwrap();
        if first.get_or_insert_with(|| request.request_id().to_owned()) == request.request_id() {
            act(request, doku)
        } else {
            doku.handle(request).into()
        }
    }
}

fn ids(merchant: &Merchant, invoice: &str, method: &str) -> usize {
    let changes = merchant.net.changes(0, invoice).into_iter().filter(|sent| sent.method == method);
    changes.map(|sent| sent.request_id).collect::<BTreeSet<_>>().len()
}

/// A night's run of one desk: row by row the bucket expected.
#[track_caller]
fn night(merchant: &Merchant, night: usize, rows: &[&str], expected: &[(&str, &str)], more: &[&str]) {
    merchant.bills("bills.csv", rows);
    let finished = merchant.run(&[&["issue", "bills.csv", "--out", "out"], more].concat());
    let ends = merchant.ends();
    let wrong: Vec<String> = expected
        .iter()
        .filter_map(|(invoice, buckets)| {
            let end = ends.get(*invoice);
            let bucket = end.map_or("none", |end| end.bucket.as_str());
            (!buckets.split('|').any(|allowed| allowed == bucket)).then(|| format!("{invoice}: {bucket}, not {buckets} {end:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "night {night}: {wrong:#?}\n{finished:?}");
}

const CONTROL: &str = "CONTROL,90000,Siti,alfa,,,1440,";
const ISSUES: [&str; 4] = [
    "N-GONE,150000,Budi,alfa,,,1440,",
    "N-REFUSED,150000,Budi,alfa,,,1440,",
    "N-PAGE,150000,Budi,alfa,,,1440,",
    "N-OTHER,150000,Budi,alfa,,,1440,",
];
const LIVE: [&str; 3] = ["A-OLD,150000,Budi,alfa,,,1440,", "C-OLD,150000,Budi,alfa,,,1440,", "C-DELETED,150000,Budi,alfa,,,1440,"];
const CHANGED: [&str; 3] = ["A-OLD,175000,Budi,alfa,,,1440,", "C-OLD,,,,,,,cancel", "C-DELETED,,,,,,,cancel"];

/// Issues in doubt, at a desk whose live code shows that Check Status knows unpaid ones. They are not replayed after the first night.
fn issues_at_a_desk_with_a_control() -> Merchant {
    let merchant =
        Merchant::open(&[("doku.verify_response", "\"enforce\""), ("doubt.not_found_minutes", "1"), ("retry.replay_window_minutes", "0")]);
    merchant.issue(0, &[CONTROL], &[]);
    let net = &merchant.net;
    net.cue("", "N-REFUSED", 1, cut_before);
    net.cue("", "N-REFUSED", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.sign(refusal(400, "amount is too low for this store"), request).into()
    });
    for invoice in ["N-GONE", "N-PAGE", "N-OTHER"] {
        net.cue("", invoice, ALWAYS, first_id(cut_before));
    }
    net.cue("GET", "N-PAGE", ALWAYS, |_: &Request, _: &mut Doku| Answer::new(404, "text/plain", "404 page not found").into());
    net.cue("GET", "N-OTHER", ALWAYS, |request: &Request, doku: &mut Doku| {
        let control = doku.orders["CONTROL"].clone();
        doku.sign(Answer::json(200, &finding(&control, "EXPIRED")), request).into()
    });
    merchant
}

/// Amendments and cancellations in doubt, and not replayed after the first night.
fn changes_at_a_desk_that_no_longer_replays() -> Merchant {
    let merchant = Merchant::open(&[("doubt.unchanged_minutes", "1"), ("retry.replay_window_minutes", "0")]);
    merchant.issue(0, &LIVE, &[]);
    let net = &merchant.net;
    net.cue("", "C-DELETED", 1, cut_after);
    net.cue("", "C-DELETED", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.sign(refusal(400, "payment code is DELETED"), request).into()
    });
    for invoice in ["A-OLD", "C-OLD"] {
        net.cue("", invoice, ALWAYS, first_id(cut_before));
    }
    net.cue("GET", "C-DELETED", ALWAYS, |request: &Request, doku: &mut Doku| {
        let order = doku.orders["C-DELETED"].clone();
        doku.sign(Answer::json(200, &finding(&order, "PENDING")), request).into()
    });
    merchant
}

/// One doubt at a desk where nothing shows that Check Status knows unpaid codes at all.
fn at_a_desk_without_a_control() -> Merchant {
    let merchant = Merchant::open(&[("doubt.not_found_minutes", "1"), ("retry.replay_window_minutes", "0")]);
    merchant.net.cue("", "", ALWAYS, first_id(cut_before));
    merchant
}

/// Doubts past the time in which they are replayed.
fn at_a_desk_that_no_longer_replays() -> Merchant {
    let merchant = Merchant::open(&[
        ("retry.replay_window_minutes", "0"),
        ("plan.reissue_grace_minutes", "1"),
        ("doubt.not_found_minutes", "1"),
        ("retry.attempts_max", "1"),
    ]);
    merchant.issue(0, &["A-NAME,150000,Budi,alfa,,,1440,", "A-NAME-NO,150000,Budi,alfa,,,1440,"], &[]);
    merchant.net.cue("", "N-DEAD", 1, cut_after);
    merchant.net.cue("", "N-DEAD", ALWAYS, first_id(cut_before));
    merchant.net.cue("", "A-NAME", ALWAYS, first_id(cut_before));
    merchant.net.cue("", "A-NAME-NO", 1, cut_before);
    merchant.net.cue("", "A-NAME-NO", ALWAYS, |request: &Request, doku: &mut Doku| {
        doku.sign(refusal(400, "customer.name is not valid"), request).into()
    });
    merchant
}

#[test]
fn a_doubt_ends_by_two_findings_a_minute_apart_of_doku_itself_about_the_order_asked_for() {
    let (issues, changes) = (issues_at_a_desk_with_a_control(), changes_at_a_desk_that_no_longer_replays());
    let (bare, late) = (at_a_desk_without_a_control(), at_a_desk_that_no_longer_replays());
    let wanted = [&[CONTROL], &ISSUES[..]].concat();
    let named = ["A-NAME,150000,Budiman,alfa,,,1440,", "A-NAME-NO,150000,Budiman,alfa,,,1440,", "N-DEAD,150000,Budi,alfa,,,1,"];
    let open_issues = ["N-GONE", "N-REFUSED", "N-PAGE", "N-OTHER"].map(|name| (name, "in_doubt"));
    let open_changes = ["A-OLD", "C-OLD", "C-DELETED"].map(|name| (name, "in_doubt"));

    night(&issues, 1, &wanted, &open_issues, &[]);
    night(&changes, 1, &CHANGED, &open_changes, &[]);
    night(&bare, 1, &ISSUES[..1], &[("N-GONE", "in_doubt")], &[]);
    night(&late, 1, &named, &[("A-NAME", "in_doubt"), ("A-NAME-NO", "in_doubt"), ("N-DEAD", "in_doubt")], &[]);

    let desks = [&issues, &changes, &bare, &late];
    // The finding of the first night came too soon to be one of the two.
    for desk in desks {
        desk.pass(66);
    }
    for _run in 0..2 {
        night(&issues, 2, &wanted, &open_issues, &[]);
        night(&bare, 2, &ISSUES[..1], &[("N-GONE", "in_doubt")], &[]);
    }
    // Changes make no code: the wanted PATCH goes out under a new id. Its refusal leaves the doubt.
    let done = [("A-OLD", "amended"), ("C-OLD", "none"), ("C-DELETED", "in_doubt")];
    night(&changes, 2, &CHANGED, &done, &[]);
    assert_eq!(["A-OLD", "C-OLD"].map(|invoice| ids(&changes, invoice, "PATCH")), [2, 2]);
    let named_ends = [("A-NAME", "amended|unchanged"), ("A-NAME-NO", "in_doubt"), ("N-DEAD", "in_doubt")];
    night(&late, 2, &named, &named_ends, &[]);
    assert_eq!(ids(&late, "A-NAME", "PATCH"), 2);

    for desk in desks {
        desk.pass(70);
    }
    let settled = [("N-GONE", "deferred|issued|unchanged"), ("N-REFUSED", "rejected"), ("N-PAGE", "in_doubt"), ("N-OTHER", "in_doubt")];
    night(&issues, 3, &wanted, &settled, &[]);
    let words = issues.end("N-REFUSED").reason;
    assert!(words.contains("amount is too low for this store"), "DOKU's words: {words}");
    night(&issues, 4, &wanted, &[("N-GONE", "issued|unchanged"), ("N-REFUSED", "rejected")], &[]);
    let posts = ["N-GONE", "N-REFUSED", "N-PAGE", "N-OTHER"].map(|invoice| ids(&issues, invoice, "POST"));
    assert_eq!(posts, [2, 1, 1, 1], "not done, and done anew under a new id; all others under their own");

    night(&changes, 3, &CHANGED, &[("A-OLD", "unchanged"), ("C-OLD", "none"), ("C-DELETED", "in_doubt")], &[]);
    {
        let doku = changes.net.doku();
        assert_eq!((doku.orders["A-OLD"].amount, doku.orders["C-OLD"].state), (175_000, State::Deleted));
    }

    night(&bare, 3, &ISSUES[..1], &[("N-GONE", "in_doubt")], &[]);
    assert_eq!(ids(&bare, "N-GONE", "POST"), 1, "without a control `not found` concludes nothing");

    // Expired, and the grace after it over: dead, whatever code it was. Nothing is made anew unless asked for.
    night(&late, 3, &named, &[("A-NAME-NO", "in_doubt")], &[]);
    assert_ne!(late.status("N-DEAD"), "in_doubt_issue");
    assert_eq!(ids(&late, "N-DEAD", "POST"), 1);
    for desk in desks {
        desk.verify();
    }
}

#[test]
fn a_persons_word_ends_a_doubt_and_a_not_done_does_not_make_the_old_id_new() {
    let merchant = Merchant::open(&[]);
    merchant.net.cue("GET", "", ALWAYS, super::between::unavailable);
    merchant.net.cue("POST", "", ALWAYS, first_id(cut_before));
    let row = ["B-001,150000,Budi,alfa,,,1440,"];
    merchant.issue(3, &row, &[]);
    merchant.expect(0, &["resolve", "B-001", "--as", "not-done", "--reason", "ticket 1"]);
    merchant.issue(0, &row, &[]);
    assert_eq!((ids(&merchant, "B-001", "POST"), merchant.net.doku().payable().len()), (2, 1));
    merchant.verify();
}
