//! What each fault does to the answer and to the order, that campaigns end, and that a seed makes them reproducible.

use super::*;
use crate::sandbox::fault::{FaultKind, Faults};
use crate::sandbox::http::Fate;
use crate::sandbox::record::Handling;

fn faulty(kind: FaultKind) -> Model {
    Model::new(Settings { faults: Faults { retry_after_seconds: 1, ..Faults::only(kind) }, ..settings() })
}

#[test]
fn a_fault_before_processing_leaves_no_order_and_one_after_it_leaves_one() {
    for kind in FaultKind::ALL {
        let mut model = faulty(kind);
        post(&mut model, ALFA, "id", &alfa_body("INV-1"));
        assert_eq!(model.orders().is_empty(), kind.stops_processing(), "{kind:?}");
    }
}

#[test]
fn each_fault_shows_as_it_should() {
    let request = signed("POST", ALFA, "id", &alfa_body("INV-1").to_string(), noon());
    for kind in FaultKind::ALL {
        let Reply { fate, answer } = faulty(kind).handle(&request, noon());
        let expected = match kind {
            FaultKind::TooManyRequests | FaultKind::TooManyRequestsRetryAfter => (429, Fate::Deliver),
            FaultKind::ServerErrorBefore | FaultKind::ServerErrorAfter => (500, Fate::Deliver),
            FaultKind::UnavailableBefore | FaultKind::UnavailableAfter => (503, Fate::Deliver),
            FaultKind::GatewayTimeoutAfter => (504, Fate::Deliver),
            FaultKind::DelayBefore => (200, Fate::DelayThenProcess(200)),
            FaultKind::DelayAfter => (200, Fate::DelayThenDeliver(200)),
            FaultKind::ResetBefore => (200, Fate::CutBeforeProcessing),
            FaultKind::ResetAfter => (200, Fate::CutAfterProcessing),
            FaultKind::Truncated => (200, Fate::Truncated(answer.body.len() / 2)),
            FaultKind::Unsigned | FaultKind::WronglySigned | FaultKind::ExtraFields | FaultKind::ClockSkew => (200, Fate::Deliver),
        };
        if !matches!(kind, FaultKind::ResetBefore) {
            assert_eq!((answer.status, fate), expected, "{kind:?}");
        }
        let unsigned = matches!(kind, FaultKind::Unsigned | FaultKind::WronglySigned | FaultKind::GatewayTimeoutAfter);
        assert_eq!(is_signed(&answer, &request), !unsigned, "{kind:?}");
        assert_eq!(answer.header("Signature").is_some(), kind == FaultKind::WronglySigned || !unsigned, "{kind:?}");
        assert_eq!(answer.header("Retry-After"), (kind == FaultKind::TooManyRequestsRetryAfter).then_some("1"), "{kind:?}");
        if kind == FaultKind::ExtraFields {
            assert!(value(&answer)["x_trace"].is_object() && value(&answer)["order"]["invoice_number"] == "INV-1");
        }
        if kind == FaultKind::ClockSkew {
            assert_eq!(answer.header("Response-Timestamp"), Some("2026-10-05T05:15:00Z"));
        }
    }
}

#[test]
fn a_code_lost_on_the_way_comes_back_by_replay_after_a_bounded_number_of_attempts() {
    for kind in FaultKind::ALL {
        let mut model = faulty(kind);
        let last = (0..4).map(|_| post(&mut model, ALFA, "id", &alfa_body("INV-1"))).last().unwrap();
        let expected = if kind.stops_processing() { 200 } else { 409 };
        assert_eq!((last.answer.status, last.fate), (expected, Fate::Deliver), "{kind:?}");
        assert_eq!(value(&last.answer)["order"]["invoice_number"], "INV-1");
        assert_eq!(model.orders().len(), 1);
        assert_eq!(model.processed().count(), 1);
    }
}

#[test]
fn a_request_delayed_before_processing_is_done_late_and_then_counts_as_a_replay_if_another_overtook_it() {
    let mut model = Model::new(Settings { faults: Faults { consecutive_max: 1, ..Faults::only(FaultKind::DelayBefore) }, ..settings() });
    let request = signed("POST", ALFA, "id", &alfa_body("INV-1").to_string(), noon());
    assert_eq!(model.handle(&request, noon()).fate, Fate::DelayThenProcess(200));
    assert_eq!(model.handle(&request, noon()).answer.status, 200);
    assert_eq!(model.handle_late(&request, noon()).answer.status, 409);
    let seen: Vec<_> = model.calls().iter().map(|call| (call.handling, call.fault)).collect();
    assert_eq!(seen, [(Handling::Processed, None), (Handling::Replayed, Some(FaultKind::DelayBefore))]);
}

#[test]
fn status_queries_meet_faults_too_but_not_for_ever_even_under_new_ids() {
    let mut model = faulty(FaultKind::ServerErrorBefore);
    let statuses: Vec<u16> = (0..4)
        .map(|n| model.handle(&signed("GET", "/orders/v1/status/INV-1", &format!("q-{n}"), "", noon()), noon()).answer.status)
        .collect();
    assert_eq!(statuses, [500, 500, 500, 404]);
}

#[test]
fn equal_seeds_and_requests_give_equal_bytes() {
    let run = |seed: u64| -> Vec<Reply> {
        let mut model = Model::new(Settings { seed, faults: Faults::mixed(40), ..settings() });
        let attempts = (0..200).flat_map(|n| [n, n, n]);
        attempts.map(|n| post(&mut model, ALFA, &format!("id-{n}"), &alfa_body(&format!("INV-{n}")))).collect()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn which_attempts_fail_does_not_depend_on_what_arrives_in_between() {
    let fates = |order: Vec<u32>| {
        let mut model = Model::new(Settings { faults: Faults::mixed(40), ..settings() });
        let mut seen: Vec<(u32, Fate, u16)> = order
            .into_iter()
            .map(|n| (n, post(&mut model, ALFA, &format!("id-{n}"), &alfa_body(&format!("INV-{n}")))))
            .map(|(n, reply)| (n, reply.fate, reply.answer.status))
            .collect();
        seen.sort_by_key(|(n, _, _)| *n);
        seen
    };
    assert_eq!(fates((0..100).collect()), fates((0..100).rev().collect()));
}

#[test]
fn neither_debug_nor_errors_show_the_secret_a_name_or_an_address() {
    let mut model = model();
    let request = signed("POST", ALFA, "id", &alfa_body("INV-1").to_string(), noon());
    model.handle(&request, noon());
    let shown = format!("{request:?} {model:?} {}", serde_json::to_string(model.orders()).unwrap());
    for hidden in [SECRET, "Anton", "anton@example.com"] {
        assert!(!shown.contains(hidden), "{hidden}");
    }
}
