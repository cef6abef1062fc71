//! Inquiries: each answer, its signature, and that it stays the same when it is asked for again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tagih::domain::bill::{Policy, RecordedTerms};
use tagih::domain::channel::{Channel, IssuanceMethod};
use tagih::domain::lifecycle::{Event, OperationKind};
use tagih::ledger::Private;

use super::shop::*;
use crate::support::world::{SECRET, World, until};

const NAME: &str = "Bambang Kenari";
const EMAIL: &str = "kenari@example.com";

/// A ledger with one bill of each sort; the code tells which.
fn stocked(settings: &str) -> Shop {
    let shop = Shop::new(settings);
    let policy = Policy {
        number: Some("9090901234".into()),
        kind: Some("Dana Pendidikan".into()),
        status: Some("aktif".into()),
        due_date: Some(jiff::civil::date(2021, 5, 21)),
        ..Policy::default()
    };
    let insured = RecordedTerms { policy, info: Some("Terima kasih".into()), receipt_footer: Some("021 555".into()), ..terms("0100") };
    shop.record("INSURED", vec![(adopted(&insured, "0100", 60).0, customer(NAME, Some(EMAIL)))]);
    shop.record("PLAIN", vec![(adopted(&terms("0101"), "0101", 60).0, customer(NAME, Some("")))]);
    shop.record("NAMELESS", vec![adopted(&terms("0102"), "0102", 60)]);
    shop.record("EXPIRED", vec![adopted(&terms("0103"), "0103", -1)]);
    let cancelled = (Event::Accepted { answer: answer("0104"), replayed: false, amount: None, remark: None }, Private::default());
    let cancel = |number: &str, code: &str| intended(OperationKind::Cancel, number, &terms(code));
    shop.record("CANCELLED", vec![adopted(&terms("0104"), "0104", 60), cancel("CANCELLED", "0104"), cancelled]);
    shop.record("CANCELLING", vec![adopted(&terms("0105"), "0105", 60), cancel("CANCELLING", "0105")]);
    let doubted = (Event::Doubted { reason: "no answer".into(), answered: false, refusal: None }, Private::default());
    shop.record("DOUBTED", vec![adopted(&terms("0106"), "0106", 60), cancel("DOUBTED", "0106"), doubted]);
    shop.record("DOKUS", vec![adopted(&RecordedTerms { method: IssuanceMethod::Doku, ..terms("0107") }, "0107", 60)]);
    shop.record("INDOMARET", vec![adopted(&RecordedTerms { channel: Channel::Indomaret, ..terms("0108") }, "0108", 60)]);
    shop.record("REUSABLE", vec![adopted(&RecordedTerms { reusable: true, ..terms("0109") }, "0109", 60)]);
    shop.record("PAID", vec![adopted(&terms("0110"), "0110", 60)]);
    let payment = |identity: u8, number: &str, code: &str| tagih::domain::payment::Payment {
        identity: [identity; 32],
        canonical: [identity; 32],
        invoice_number: invoice(number),
        payment_code: answer(code).payment_code,
        channel: Channel::Alfa,
        amount: terms(code).amount,
        paid_at: Timestamp::now(),
        received_at: None,
        line_digest: [0; 32],
    };
    shop.pay(&[payment(1, "REUSABLE", "0109"), payment(2, "PAID", "0110")]);
    shop
}

#[test]
fn every_kind_of_bill_is_answered_by_the_table_and_signed() {
    let mut shop = stocked("");
    shop.open();
    let table = [
        ("0100", 200, "success", "success"),
        ("0101", 200, "success", "success"),
        ("0102", 200, "success", "success"),
        ("0103", 400, "billing_was_expired", "billing_was_expired"),
        ("0104", 400, "decline", "cancelled"),
        ("0105", 400, "decline", "unsettled"),
        ("0106", 400, "decline", "unsettled"),
        ("0107", 400, "decline", "other_method"),
        ("0108", 400, "decline", "other_channel"),
        ("0109", 200, "success", "success"),
        ("0110", 400, "billing_already_paid", "billing_already_paid"),
        ("100", 404, "billing_not_found", "billing_not_found"),
        ("00100", 404, "billing_not_found", "billing_not_found"),
    ];
    let mut line = shop.connect();
    for (code, status, word, _) in table {
        let answer = line.exchange(&Message::inquiry(&format!("id-{code}"), code).bytes()).unwrap();
        assert_eq!((answer.status, answer.word().as_str()), (status, word), "{code}");
        assert!(answer.is_signed(SECRET, &format!("id-{code}")), "{answer:?}");
        assert_eq!(answer.json()["online_to_offline_info"]["payment_code"], code);
        assert_eq!(answer.json().get("order").is_some(), status == 200, "a refusal tells nothing of the bill");
    }
    let found = shop.lines("inquiries-");
    let decisions: Vec<&str> = found.iter().map(|line| line["decision"].as_str().unwrap()).collect();
    assert_eq!(decisions, table.map(|(.., decision)| decision));
    assert_eq!(found[0]["invoice_number"], "INSURED");
    assert!(found.iter().all(|line| line["headers"]["Signature"].is_string() && line["body"].is_string()));
    let kept = fs::read_to_string(&shop.logs("inquiries-")[0]).unwrap();
    assert!(!kept.contains(NAME) && !kept.contains(EMAIL) && !shop.said().contains(NAME));
    assert_eq!(fs::metadata(&shop.logs("answers-")[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(shop.metric("tagih_inquiries_total{is=\"decline\"}"), 5);
}

#[test]
fn a_payable_bill_is_shown_with_its_policy_and_names_only_as_they_are_kept() {
    let mut shop = stocked("customer_name = \"Nasabah\"\n");
    shop.open();
    let body = |code: &str| shop.send(&Message::inquiry(&format!("id-{code}"), code)).json();
    let insured = json!({
        "order": {"invoice_number": "INSURED", "amount": 150_000},
        "online_to_offline_info": {"payment_code": "0100", "info": "Terima kasih"},
        "online_to_offline_inquiry": {"status": "success"},
        "customer": {"name": NAME, "email": EMAIL},
        "alfa_info": {"receipt": {"footer_message": "021 555"}},
        "additional_info": {"insurance_info": {
            "policy_type": "Dana Pendidikan", "policy_number": "9090901234", "policy_account_name": NAME,
            "policy_status": "aktif", "bill_due_date": "21 May 2021",
        }},
    });
    assert_eq!(body("0100"), insured);
    assert_eq!(body("0101")["customer"], json!({"name": NAME}), "a blank address is left out");
    assert_eq!(body("0102")["customer"], json!({"name": "Nasabah"}));
    assert!(body("0101").get("additional_info").is_none() && body("0101").get("alfa_info").is_none());
}

#[test]
fn refusals_have_the_mandatory_fields_and_the_text_its_other_key_where_it_is_set() {
    let mut shop = stocked("refusal_details = true\ncustomer_name = \"Nasabah\"\n");
    shop.world.reconfigure("[ledger]", "[doku.info]\nkey = \"info1\"\n[ledger]");
    shop.open();
    let asked = |code: &str| shop.send(&Message::inquiry(&format!("id-{code}"), code));
    for (code, number, word) in [
        ("0103", "EXPIRED", "billing_was_expired"),
        ("0104", "CANCELLED", "decline"),
        ("0105", "CANCELLING", "decline"),
        ("0107", "DOKUS", "decline"),
        ("0110", "PAID", "billing_already_paid"),
    ] {
        let answer = asked(code);
        let whole = json!({
            "order": {"invoice_number": number, "amount": 150_000},
            "online_to_offline_info": {"payment_code": code},
            "online_to_offline_inquiry": {"status": word},
            "customer": {"name": "Nasabah"},
        });
        assert_eq!(answer.json(), whole);
        assert!(answer.is_signed(SECRET, &format!("id-{code}")));
    }
    let unknown = json!({"online_to_offline_info": {"payment_code": "404"}, "online_to_offline_inquiry": {"status": "billing_not_found"}});
    assert_eq!(asked("404").json(), unknown, "where nothing is known, nothing is said");
    assert_eq!(asked("0100").json()["online_to_offline_info"], json!({"payment_code": "0100", "info1": "Terima kasih"}));
}

#[test]
fn a_repeated_request_id_hears_the_same_bytes_whatever_has_happened_since() {
    let mut shop = stocked("");
    shop.open();
    let asked = Message::inquiry("same", "0100");
    let first = shop.send(&asked);
    assert_eq!((first.status, first.word().as_str()), (200, "success"));
    let alike = |again: &Answer| {
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert!(again.is_signed(SECRET, "same"), "{again:?}");
    };
    alike(&shop.send(&asked));
    // A customer pays, and the server dies without a chance to tidy up.
    let paid = notification_body(1, "trx-1", "SUCCESS").replace("N-00001", "INSURED").replace(&code_of(1), "0100");
    assert_eq!(shop.send(&Message::new(NOTIFICATION, "n-1", paid)).status, 200);
    assert_eq!(shop.send(&Message::inquiry("other", "0100")).word(), "billing_already_paid");
    alike(&shop.send(&asked));
    shop.kill();
    shop.open();
    alike(&shop.send(&asked));
    assert_eq!(shop.send(&Message::inquiry("other", "0100")).word(), "billing_already_paid");
    assert_eq!(shop.send(&Message::inquiry("third", "0100")).word(), "billing_already_paid");
    // The id is taken: another question under it is not answered with the first one's words.
    let reused = shop.send(&Message::inquiry("same", "0101"));
    assert_eq!((reused.status, reused.word().as_str()), (401, "invalid_signature"));
    alike(&shop.send(&asked));
}

#[test]
fn an_answer_whose_log_was_removed_is_decided_anew_and_then_stands() {
    let mut shop = stocked("");
    shop.open();
    let asked = Message::inquiry("same", "0100");
    assert_eq!(shop.send(&asked).word(), "success");
    let paid = notification_body(1, "trx-1", "SUCCESS").replace("N-00001", "INSURED").replace(&code_of(1), "0100");
    assert_eq!(shop.send(&Message::new(NOTIFICATION, "n-1", paid)).status, 200);
    assert_eq!(shop.send(&asked).word(), "success", "it is repeated");
    for log in shop.logs("answers-") {
        fs::remove_file(log).unwrap();
    }
    let anew = shop.send(&asked);
    assert_eq!(anew.word(), "billing_already_paid");
    assert_eq!(shop.send(&asked).body, anew.body);
    let reused = shop.send(&Message::inquiry("same", "0101"));
    assert_eq!((reused.status, reused.word().as_str()), (401, "invalid_signature"));
}

#[test]
fn what_is_not_provably_dokus_or_not_of_now_is_refused_by_the_configured_profile() {
    for (settings, status, word, signs) in [
        ("", 401, "invalid_signature", false),
        ("sign_refusals = false\n", 401, "invalid_signature", false),
        ("sign_refusals = true\n", 401, "invalid_signature", true),
        ("invalid_signature = \"decline\"\n", 400, "decline", false),
        ("invalid_signature = \"decline\"\nsign_refusals = true\n", 400, "decline", true),
    ] {
        let mut shop = stocked(settings);
        shop.open();
        let good = || Message::inquiry("id", "0101");
        let body = inquiry_body("\"0101\"");
        let at = |seconds: i64| {
            let stamp = Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
            Message::signed_as(SECRET, INQUIRY, "id", &stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), &body)
        };
        let signature = &good().headers[3].1.clone();
        let refused = [
            ("another key", Message::signed_as("SK-other", INQUIRY, "id", &good().headers[2].1, &body)),
            ("another path", Message { path: INQUIRY.into(), ..Message::new(NOTIFICATION, "id", &body) }),
            ("another body", Message { body: inquiry_body("\"0100\"").into_bytes(), ..good() }),
            ("another client", good().with("Client-Id", "MCH-OTHER")),
            ("no signature", Message { headers: good().headers[..3].to_vec(), ..good() }),
            ("a signature twice", good().and("signature", signature)),
            ("a client twice", good().and("CLIENT-ID", crate::support::world::CLIENT)),
            ("an old stamp", at(-302)),
            ("a stamp ahead", at(310)),
        ];
        for (what, message) in &refused {
            let answer = shop.send(message);
            assert_eq!((answer.status, answer.word().as_str()), (status, word), "{what}");
            // Nothing is signed for whoever is not DOKU, unless that is wanted.
            let is_dokus = what.contains("stamp");
            assert_eq!(answer.is_signed(SECRET, "id"), is_dokus || signs, "{what}: {answer:?}");
            assert_eq!(answer.headers.contains_key("signature"), is_dokus || signs, "{what}: {answer:?}");
        }
        let no_id = Message { headers: good().headers.into_iter().filter(|(name, _)| name != "Request-Id").collect(), ..good() };
        let answer = shop.send(&no_id);
        assert!(answer.status == status && !answer.headers.contains_key("signature"), "nothing to bind a signature to: {answer:?}");
        // What a notification is answered has no body and is never signed: DOKU's pages speak of answers to inquiries only.
        let told = Message::signed_as("SK-other", NOTIFICATION, "n", &good().headers[2].1, notification_body(1, "n", "SUCCESS"));
        let answer = shop.send(&told);
        assert!(answer.status == 401 && answer.body.is_empty() && !answer.headers.contains_key("signature"), "{answer:?}");
        assert_eq!(shop.lines("forged-").len(), refused.len() + 2);
        assert!(shop.logs("inquiries-").is_empty());
        assert_eq!(shop.send(&at(-290)).word(), "success");
        assert_eq!(shop.send(&Message { headers: lower(good().headers), ..good() }).word(), "success", "header names have no case");
        let unreadable = shop.send(&Message::new(INQUIRY, "broken", "{\"service\":"));
        assert_eq!((unreadable.status, unreadable.word().as_str()), (400, "decline"));
        let number = shop.send(&Message::new(INQUIRY, "number", inquiry_body("9999")));
        assert_eq!(number.word(), "billing_not_found", "a code may be a number");
    }
}

fn lower(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

#[test]
fn while_rotating_both_keys_are_dokus_and_each_is_answered_with_its_own() {
    let mut shop = stocked("");
    let previous = shop.world.file("previous", "SK-before-0123456789");
    fs::set_permissions(&previous, fs::Permissions::from_mode(0o600)).unwrap();
    shop.world.reconfigure("[ledger]", &format!("secret_file_previous = \"{}\"\n[ledger]", previous.display()));
    shop.open();
    let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    for secret in [SECRET, "SK-before-0123456789"] {
        let asked = Message::signed_as(secret, INQUIRY, secret, &stamp, inquiry_body("\"0101\""));
        let answer = shop.send(&asked);
        assert!(answer.status == 200 && answer.is_signed(secret, secret), "{answer:?}");
        let told = Message::signed_as(secret, NOTIFICATION, secret, &stamp, notification_body(1, secret, "SUCCESS"));
        assert_eq!(shop.send(&told).status, 200);
    }
    // A question that is repeated after the change hears the same, signed with its new key.
    let repeated = ["SK-before-0123456789", SECRET]
        .map(|secret| shop.send(&Message::signed_as(secret, INQUIRY, "both", &stamp, inquiry_body("\"0102\""))));
    assert!(repeated[0].is_signed("SK-before-0123456789", "both") && repeated[1].is_signed(SECRET, "both"), "{repeated:?}");
    assert_eq!(
        (&repeated[0].body, &repeated[0].headers["response-timestamp"]),
        (&repeated[1].body, &repeated[1].headers["response-timestamp"])
    );
    // Once the rotation is over, the old key is a stranger's, whatever its messages say of their time.
    assert_eq!(shop.close(), Some(0));
    shop.world.reconfigure("secret_file_previous", "previous_until = \"2026-10-31\"\nsecret_file_previous");
    shop.open();
    let told =
        Message::signed_as("SK-before-0123456789", NOTIFICATION, "late", "2026-10-12T07:06:28Z", notification_body(1, "late", "SUCCESS"));
    assert_eq!(shop.send(&told).status, 401);
    assert_eq!(shop.send(&Message::signed_as(SECRET, NOTIFICATION, "y", &stamp, notification_body(1, "y", "SUCCESS"))).status, 200);
    let stranger = Message::signed_as("SK-after-0123456789", NOTIFICATION, "x", &stamp, notification_body(1, "x", "SUCCESS"));
    assert_eq!(shop.send(&stranger).status, 401);
}

#[test]
fn codes_that_other_commands_make_and_take_back_are_known_at_once() {
    let mut shop = Shop::new("");
    shop.open();
    assert_eq!(shop.send(&Message::inquiry("1", &code_of(1))).word(), "billing_not_found");
    shop.many(2);
    assert_eq!(shop.send(&Message::inquiry("2", &code_of(1))).word(), "success");
    let terms = terms(&code_of(1));
    shop.record("N-00001", vec![intended(OperationKind::Cancel, "N-00001", &terms)]);
    assert_eq!(shop.send(&Message::inquiry("3", &code_of(1))).word(), "decline");
    until("the metrics have followed", || shop.metric("tagih_ledger_sequence") == 3);
    // What another command reads from a log of another machine counts, too.
    let log = Message::notification(2, "elsewhere");
    let headers: serde_json::Map<String, serde_json::Value> =
        log.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let body = String::from_utf8(log.body).unwrap();
    shop.world.file("elsewhere.jsonl", json!({"target": NOTIFICATION, "headers": headers, "body": body}).to_string());
    World::run(&shop.world, &["ingest", "elsewhere.jsonl"]).expect(0);
    assert_eq!(shop.send(&Message::inquiry("4", &code_of(2))).word(), "billing_already_paid");
}
