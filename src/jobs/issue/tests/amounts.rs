//! What is asked for is what was billed: held against each other right before anything leaves.

use super::*;
use crate::doku::body;
use crate::doku::info::InfoKey;
use crate::domain::digest;
use crate::exit::{Exit, Explained as _};

/// The body of an issue of `rupiah` for the bill `I`.
fn asking(rupiah: u64) -> Vec<u8> {
    match row("I", rupiah).wanted {
        Wanted::Live(terms) => body::issue(&number("I"), &terms, 600, InfoKey::Info),
        Wanted::Cancelled => unreachable!("it is wanted"),
    }
}

/// The next run after one that recorded `body` as what it sends for a bill of Rp100, and was killed.
fn resumed(body: Vec<u8>, script: Vec<Act>) -> (Office, Result<Vec<End>, RunError<Infallible>>) {
    let office = Office::new();
    office.end(row("I", 100), vec![no("try again")]);
    now(office.ledger.record(vec![entry(office.clock(), Event::Planned { terms: office.state("I").terms })])).unwrap();
    let state = office.state("I");
    let basis = Basis::of(Some(&state));
    let request_id = RequestId::from_digest(&[7; 32]);
    let event = Event::Intended {
        operation: OperationKind::Issue,
        body_digest: digest::hex(&state.salt.unwrap().digest_of_body(&body)),
        terms: state.terms,
        request_id,
        wire_invoice_number: number("I"),
    };
    let private = Private { body: Some((request_id, body)), customer: None };
    now(office.ledger.record(vec![NewEvent { basis, private, ..entry(office.clock(), event) }])).unwrap();
    let ended = office.run(&[row("I", 100)], script);
    (office, ended)
}

#[test]
fn a_request_that_would_ask_for_another_amount_than_is_recorded_is_not_sent_and_ends_the_run_with_8() {
    let (office, ended) = resumed(asking(100), vec![yes("I", "7")]);
    assert_eq!((ended.unwrap()[0].bucket, office.seen.lock().unwrap().len()), (Bucket::Issued, 2), "the recorded amount is sent");

    for (body, words) in [(asking(1_000), "would ask for 1000, and 100 is recorded"), (b"{}".to_vec(), "would ask for no amount")] {
        let (office, ended) = resumed(body, vec![]);
        let RunError::Ledger(error) = ended.unwrap_err();
        let (told, explanation) = (error.to_string(), error.explanation());
        assert!(told.starts_with("E0518: ") && told.contains(words) && told.contains("hint: "), "{told}");
        assert_eq!((explanation.exit, explanation.code.map(|code| code.id)), (Exit::Damaged, Some("E0518")));
        assert_eq!(office.seen.lock().unwrap().len(), 1, "nothing but the first run's request was sent");
        assert_eq!(office.state("I").status, Status::Requested, "and nothing was recorded of it");
    }
}
