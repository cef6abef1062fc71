//! Several holders of leases at one database: whose an operation is, and what each may use of the rate.

use super::*;
use crate::domain::lifecycle::OperationKind;
use crate::domain::share::RateShare;

const CEILING: RateShare = RateShare { per_1000_seconds: 10_000, burst: 4 };

fn leased(url: &str, holder: &str) -> PostgresLedger {
    let ledger = opened(url);
    ledger.lease(holder, CEILING).unwrap();
    ledger
}

fn begun(invoice: &str) -> NewEvent {
    NewEvent { basis: Basis::Since(0), ..planned(invoice) }
}

/// The bill, planned and with an operation that `ledger` has begun.
fn begin(ledger: &PostgresLedger, invoice: &str) -> Basis {
    let planned = wait(ledger.record(vec![begun(invoice)])).unwrap();
    let basis = Basis::of(planned.first());
    let states = wait(ledger.record(vec![NewEvent { basis, ..intended(invoice, 2, OperationKind::Issue, terms(150_000)) }])).unwrap();
    Basis::Operation(states[0].open.as_ref().unwrap().request_id)
}

fn doubted(invoice: &str, basis: Basis) -> NewEvent {
    NewEvent { basis, ..entry(invoice, 3, Event::Doubted { reason: "cut".into(), answered: false, refusal: None }) }
}

fn accepted(invoice: &str, code: &str, basis: Basis) -> NewEvent {
    NewEvent { basis, ..entry(invoice, 4, Event::Accepted { answer: answer(code, None), replayed: true, amount: None, remark: None }) }
}

#[track_caller]
fn busy<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result.unwrap_err() {
        LedgerError::Busy { holder, .. } => holder,
        other => panic!("{other}"),
    }
}

/// As a heartbeat does with a lease that nobody has heard of for too long.
fn removed(url: &str, holder: &str) {
    cluster::shared().sql(database(url), &format!("DELETE FROM tagih.leases WHERE holder = '{holder}'"));
}

fn operations(url: &str) -> String {
    cluster::shared().sql(database(url), "SELECT COALESCE(string_agg(lease::text, ' ' ORDER BY bill), '') FROM tagih.operations")
}

#[test]
fn an_open_operation_is_its_holders_until_it_ends_or_its_lease_does() {
    let (url, server) = new_postgres();
    let (first, second) = (leased(&url, "host A"), leased(&url, "host B"));
    let (a, b) = (begin(&first, "A"), begin(&second, "B"));
    assert_eq!(operations(&url), "1 2");
    assert_eq!(busy(wait(second.record(vec![doubted("A", a)]))), "host A");
    assert_eq!(busy(wait(first.record(vec![begun("C"), doubted("B", b)]))), "host B");
    assert!(wait(first.bill(&number("C"))).unwrap().is_none(), "nothing of the call");
    // What happened to the bill, whoever is at it, may be said; and who holds no lease is in nobody's way.
    let cause = crate::domain::lifecycle::HoldCause::NotUnderstood;
    let held = |evidence: &str| entry("A", 3, Event::Held { cause, reason: "seen".into(), evidence: evidence.into() });
    wait(second.record(vec![held("aa")])).unwrap();
    wait(server.record(vec![held("bb")])).unwrap();
    assert_eq!(operations(&url), "1 2");
    wait(first.record(vec![accepted("A", "77", a)])).unwrap();
    assert_eq!(operations(&url), "2", "it is over");
    let fences =
        cluster::shared().sql(database(&url), "SELECT string_agg(COALESCE(fence, 0)::text, '' ORDER BY sequence) FROM tagih.events");
    assert_eq!(fences, "1122201", "every event bears the number of its writer's lease");
    sound(&first, None);
}

#[test]
fn what_a_lapsed_lease_has_left_open_is_anybodys_and_its_holder_records_nothing_more() {
    let (url, paused) = new_postgres();
    paused.lease("host A", CEILING).unwrap();
    let (a, b) = (begin(&paused, "A"), begin(&paused, "B"));
    let next = leased(&url, "host B");
    removed(&url, "host A");
    wait(next.record(vec![doubted("A", a)])).unwrap();
    assert_eq!(operations(&url), "2 1");
    let lost = wait(paused.record(vec![doubted("B", b)])).unwrap_err();
    assert!(matches!(lost, LedgerError::LeaseLost { .. }), "{lost}");
    assert!(matches!(wait(paused.apply_payments(&[payment(1, "A", "77", 5)])), Err(LedgerError::LeaseLost { .. })));
    assert!(matches!(wait(paused.lost()), LedgerError::LeaseLost { .. }), "it is told, also while it records nothing");
    wait(next.record(vec![accepted("A", "77", a), doubted("B", b)])).unwrap();
    drop(next);
    // Given back, a lease leaves what is open to whoever comes.
    let third = leased(&url, "host C");
    wait(third.record(vec![accepted("B", "78", b)])).unwrap();
    assert_eq!(operations(&url), "");
    sound(&third, None);
}

#[test]
fn a_holder_that_comes_back_in_time_leaves_alone_what_was_taken_over() {
    let (url, slow) = new_postgres();
    slow.lease("host A", CEILING).unwrap();
    let (a, b) = (begin(&slow, "A"), begin(&slow, "B"));
    let next = leased(&url, "host B");
    cluster::shared().sql(database(&url), "UPDATE tagih.operations SET lease = 2 WHERE bill = 1");
    assert_eq!(busy(wait(slow.record(vec![accepted("A", "77", a)]))), "host B");
    wait(slow.record(vec![accepted("B", "78", b)])).unwrap();
    wait(next.record(vec![accepted("A", "77", a)])).unwrap();
    assert!(matches!(wait(slow.record(vec![doubted("A", a)])), Err(LedgerError::Lost { .. })), "it is over");
}

/// Waits until it holds; heartbeats of these tests come every second.
#[track_caller]
fn within_a_lease(holds: impl Fn() -> bool) {
    for _ in 0..80 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not within a lease");
}

#[test]
fn the_rate_is_divided_by_heartbeats_and_a_dead_hosts_share_returns() {
    let (url, first) = new_postgres();
    first.lease("host A", CEILING).unwrap();
    assert_eq!(first.share()(), CEILING, "all of it, where nobody else is");
    let second = leased(&url, "host B");
    assert_eq!(second.share()(), RateShare::NONE, "a newcomer waits");
    let half = RateShare { per_1000_seconds: 5_000, burst: 2 };
    within_a_lease(|| [first.share()(), second.share()()] == [half, half]);
    let person = opened(&url);
    person.lease("who sends nothing", RateShare::NONE).unwrap();
    assert_eq!(first.senders().unwrap(), ["host A", "host B", "who sends nothing"]);
    removed(&url, "host A");
    within_a_lease(|| first.share()() == RateShare::NONE && second.share()() == CEILING);
    drop(second);
    assert_eq!(person.senders().unwrap(), ["who sends nothing"]);
}

#[test]
fn the_first_answer_to_a_request_id_stands_on_every_host_until_it_is_too_old() {
    let (url, one) = new_postgres();
    let other = opened(&url);
    let keep = |ledger: &PostgresLedger, id: &str, second: i64, answer: &str| {
        wait(ledger.keep_answer(id, at(second), at(second - 600), answer)).unwrap().unwrap()
    };
    assert_eq!(keep(&one, "a", 1_000, "payable"), "payable");
    assert_eq!(keep(&other, "a", 1_600, "paid"), "payable");
    assert_eq!(keep(&other, "b", 1_600, "paid"), "paid");
    assert_eq!(keep(&other, "a", 1_601, "paid"), "paid", "what was true then need not be true now");
    wait(one.forget_answers(at(1_601))).unwrap();
    assert_eq!(cluster::shared().sql(database(&url), "SELECT string_agg(answer, ' ') FROM tagih.answers"), "paid");
}
