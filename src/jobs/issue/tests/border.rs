//! Whose word counts: strangers, repetitions, refusals nobody signed, ends that have passed.

use super::*;

#[test]
fn a_repeated_success_that_nothing_here_asked_for_counts_only_as_check_status_confirms_it() {
    let repeated = || Act::Say(409, success("I", "7", 1_790_000_000));
    let office = Office::new();
    let end = office.end(row("I", 100), vec![repeated(), seen("PENDING", 100)]);
    assert_eq!((end.bucket, end.action), (Bucket::Issued, "replayed"));
    for (word, amount) in [("EXPIRED", 100), ("SUCCESS", 200), ("REFUNDED", 100)] {
        let office = Office::new();
        let end = office.end(row("I", 100), vec![repeated(), seen(word, amount)]);
        assert_eq!(end.bucket, Bucket::InDoubt, "{word}");
        assert_eq!(office.state("I").hold.is_some(), word == "SUCCESS", "{word}");
        let again = office.end(row("I", 100), vec![repeated(), seen(word, amount)]);
        assert_eq!(again.bucket, Bucket::InDoubt, "in every run: {word}");
    }
    let office = Office::new();
    let amended = Act::Say(200, success("I", "7", 1_790_000_000));
    let end = office.end(row("I", 100), vec![repeated(), seen("PENDING", 200), amended]);
    assert_eq!((end.bucket, office.state("I").terms.amount.get()), (Bucket::Amended, 100), "adopted at 200, then amended");
}

#[test]
fn a_code_just_made_is_issued_whatever_its_expiry_says_and_the_row_says_what_is_odd() {
    let office = Office::new();
    office.after_minutes(601);
    let end = office.end(row("I", 100), vec![yes("I", "7")]);
    assert_eq!((end.bucket, end.action, office.state("I").status), (Bucket::Issued, "issued", Status::Active));
    let remark = |invoice: &str| office.state(invoice).code.unwrap().remark;
    assert!(remark("I").unwrap().note.contains("expired already"));
    let late = office.end(row("J", 100), vec![Act::Say(200, success("J", "8", 1_790_000_000 + 36_060 + 3_600))]);
    assert!(late.bucket == Bucket::Issued && remark("J").unwrap().note.contains("asked for was"));
    let right = office.end(row("K", 100), vec![Act::Say(200, success("K", "9", 1_790_000_000 + 36_060))]);
    assert_eq!((right.bucket, remark("K")), (Bucket::Issued, None));
    // L08 is about the end; a page of another type is only a note.
    let odd = success("L", "10", 1_790_000_000 + 36_060);
    let odd = odd.replacen("\"payment_code\"", "\"how_to_pay_page\":7,\"payment_code\"", 1);
    office.end(row("L", 100), vec![Act::Say(200, odd)]);
    let note = "of another type and left out: how_to_pay_page".to_owned();
    assert_eq!(remark("L"), Some(Remark { note, about_expiry: false }));
    assert!(["I", "J"].into_iter().all(|invoice| remark(invoice).unwrap().about_expiry));
}

#[test]
fn a_refusal_of_a_repetition_proves_nothing_about_the_first_attempt() {
    for status in [400, 402, 404, 405, 406, 410, 413, 422, 451] {
        let office = Office::new();
        let no = || Act::Say(status, r#"{"error":{"message":"no"}}"#.into());
        let end = office.end(row("I", 100), vec![Act::Silence, no(), seen("PENDING", 100)]);
        assert_eq!(end.bucket, Bucket::InDoubt, "{status}");
        let first = office.seen.lock().unwrap()[0].clone();
        let end = office.end(row("I", 100), vec![no(), seen("PENDING", 100)]);
        assert_eq!(end.bucket, Bucket::InDoubt, "and stays so: {status}");
        let late = Act::Say(409, success("I", "7", 1_790_000_000));
        assert_eq!(office.end(row("I", 100), vec![late]).action, "replayed", "{status}");
        let sent = office.seen.lock().unwrap().clone();
        let posts = sent.iter().filter(|request| !request.path.starts_with("/orders/"));
        assert!(posts.clone().all(|post| post.request_id == first.request_id && post.body == first.body) && posts.count() == 4);
    }
}

#[test]
fn a_strangers_page_rejects_no_row_and_frees_none() {
    for (status, page) in [(404, "<html>nginx</html>"), (403, "blocked"), (413, ""), (400, "client id?"), (301, ""), (429, "slow down")] {
        let office = Office::new();
        let stranger = || Act::Say(status, page.into());
        let end = office.end(row("I", 100), vec![stranger(), stranger(), Act::Say(404, page.into()), Act::Say(404, page.into())]);
        assert_eq!((end.bucket, office.state("I").status), (Bucket::InDoubt, Status::InDoubt(OperationKind::Issue)), "{status}");
        let end = office.end(row("I", 100), vec![Act::Say(409, success("I", "7", 1_790_000_000))]);
        assert_eq!(end.action, "replayed", "its answer may have been lost: {status}");
    }
}

#[test]
fn a_path_that_dokus_own_answer_calls_wrong_is_not_remembered_against_the_row() {
    let office = Office::new();
    let end = office.end(row("I", 100), vec![Act::Say(404, r#"{"message":"No static resource x."}"#.into())]);
    assert_eq!((end.bucket, end.code.as_str()), (Bucket::Rejected, "E0402"));
    assert_eq!(office.end(row("I", 100), vec![yes("I", "7")]).action, "issued");
    let sent = office.seen.lock().unwrap();
    assert_eq!(sent[0].request_id, sent[1].request_id);
}

#[test]
fn a_refusal_that_nobody_signed_is_confirmed_before_the_bill_gets_a_new_id() {
    let office = Office::new();
    assert_eq!(office.end(row("I", 100), vec![no("amount")]).bucket, Bucket::Rejected);
    assert_eq!(office.end(row("I", 100), vec![]).bucket, Bucket::Rejected, "it is remembered");
    let unknown = Act::Say(404, r#"{"error":{"message":"order not found"}}"#.into());
    assert_eq!(office.end(row("I", 200), vec![unknown, yes("I", "7")]).action, "issued");

    let office = Office::new();
    office.end(row("I", 100), vec![no("amount")]);
    let last = Act::Say(409, success("I", "7", 1_790_000_000));
    let silent = office.end(row("I", 200), vec![Act::Silence, Act::Silence]);
    assert_eq!(silent.bucket, Bucket::Deferred, "nobody has said anything");
    let end = office.end(row("I", 200), vec![seen("PENDING", 100), last, seen("PENDING", 100), yes("I", "7")]);
    assert_eq!((end.bucket, office.state("I").terms.amount.get()), (Bucket::Amended, 200), "it was carried out after all, then amended");
}

#[test]
fn dokus_duplicate_of_a_first_attempt_is_refused_only_where_check_status_knows_no_such_order() {
    let duplicate = || Act::Say(409, r#"{"error":{"message":"different request data"}}"#.into());
    let unknown = || Act::Say(404, r#"{"error":{"message":"order not found"}}"#.into());
    let office = Office::new();
    assert_eq!(office.end(row("I", 100), vec![duplicate(), unknown()]).bucket, Bucket::InDoubt, "no control");
    let office = Office::new();
    office.end(row("LIVE", 100), vec![yes("LIVE", "7")]);
    let end = office.end(row("I", 100), vec![duplicate(), unknown(), seen("PENDING", 100)]);
    assert_eq!((end.bucket, end.code.as_str()), (Bucket::Rejected, "E0403"));
    let end = office.end(row("J", 100), vec![duplicate(), seen("PENDING", 100)]);
    assert_eq!(end.bucket, Bucket::InDoubt);
    assert!(end.reason.contains("ledger import"), "{}", end.reason);
}

#[test]
fn nothing_new_is_made_for_an_end_that_has_passed() {
    let office = Office::new();
    let mut bill = row("I", 100);
    if let Wanted::Live(terms) = &mut bill.wanted {
        terms.expiry = Expiry::At(office.clock() + jiff::SignedDuration::from_mins(60));
    }
    office.end(bill.clone(), vec![Act::Silence, Act::Silence, Act::Silence, Act::Silence]);
    let end = office.after_minutes(61).end(bill, vec![Act::Silence, Act::Silence]);
    assert_eq!(end.bucket, Bucket::InDoubt);
    let posts = office.seen.lock().unwrap().iter().filter(|request| !request.path.starts_with("/orders/")).count();
    assert_eq!(posts, 2, "only Check Status was asked the second time");
}

#[test]
fn a_cancellation_past_its_repetition_is_sent_under_a_new_id_and_an_acceptance_ends_the_doubt() {
    let office = Office::new();
    office.end(row("I", 100), vec![yes("I", "7")]);
    let deleted = || no("payment code is DELETED");
    let end = office.end(cancel("I"), vec![Act::Silence, deleted(), seen("PENDING", 100)]);
    assert_eq!((end.bucket, office.state("I").status), (Bucket::InDoubt, Status::InDoubt(OperationKind::Cancel)));
    office.after_minutes(1_441);
    let end = office.end(cancel("I"), vec![seen("PENDING", 100), deleted()]);
    assert_eq!(end.bucket, Bucket::InDoubt, "a refusal leaves it");
    let dateless = r#"{"order":{"invoice_number":"I"},"online_to_offline_info":{"payment_code":"7"}}"#;
    office.after_minutes(1_441);
    let end = office.end(cancel("I"), vec![seen("PENDING", 100), Act::Say(200, dateless.into())]);
    assert_eq!((end.bucket, office.state("I").status), (Bucket::Cancelled, Status::Cancelled));
    let ids: std::collections::HashSet<_> =
        office.seen.lock().unwrap().iter().filter(|r| !r.path.starts_with("/orders/")).map(|r| r.request_id).collect();
    assert_eq!(ids.len(), 4, "the issue and three cancellations");
}

#[test]
fn a_payment_that_the_ledger_has_known_since_before_the_doubt_ends_it_without_a_question() {
    // Within the time of repetitions, whose answer is lost as the first one's was, and after it.
    for (minutes, repetitions) in [(1, 2), (1_441, 0)] {
        let office = Office::new();
        let silence = |times| (0..times).map(|_| Act::Silence).collect();
        assert_eq!(office.end(row("I", 100), silence(4)).bucket, Bucket::InDoubt);
        now(office.ledger.apply_payments(&[payment(&office, "I", "7")])).unwrap();
        let end = office.after_minutes(minutes).end(row("I", 100), silence(repetitions));
        assert_eq!((end.bucket, office.state("I").status), (Bucket::Issued, Status::Active), "{minutes}");
        assert_eq!(office.state("I").code.unwrap().answer.payment_code.as_str(), "7", "the code that was paid");
    }
}
