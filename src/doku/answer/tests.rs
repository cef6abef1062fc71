//! Every status, shape and signature, and whose word it is.

use super::*;
use crate::domain::conclusion::Whose::{Foreign, Signed, Unsigned};
use crate::domain::conclusion::{Before, Conclusion, conclude};

const GOOD: &str =
    r#"{"order":{"invoice_number":"I-1"},"online_to_offline_info":{"payment_code":"0073","expired_date":"20210331125005"},"more":1}"#;
const ERROR: &str = r#"{"error":{"message":"amount is required"}}"#;
const TRUST: Trust = Trust { policy: SignaturePolicy::Warn, unsigned_errors: UnsignedErrors::Accept };

fn of(status: u16, body: &str, signature: SignatureFinding, trust: Trust) -> JudgedAnswer {
    let invoice = InvoiceNumber::new("I-1").unwrap();
    let answer = Answer { status, signature, body: body.to_owned().into(), ..Answer::default() };
    judge(&answer, &Expected { wire_invoice_number: &invoice, payment_code: None, trust })
}

#[test]
fn every_status_and_shape_says_one_thing() {
    let duplicate = r#"{"error":{"code":"DUPLICATE_TRANSACTION","message":"no"}}"#;
    let table: &[(u16, &str, Whose, AnswerSays)] = &[
        (200, GOOD, Signed, AnswerSays::Success),
        (201, GOOD, Signed, AnswerSays::Success),
        (409, GOOD, Signed, AnswerSays::Repeated),
        (409, r#"{"error":{"message":"different request data"}}"#, Signed, AnswerSays::Duplicate),
        (400, duplicate, Signed, AnswerSays::Duplicate),
        (422, r#"{"message":"invoice_number already exists"}"#, Signed, AnswerSays::Duplicate),
        (200, &GOOD.replace("I-1", "I-2"), Foreign, AnswerSays::Unclear),
        (409, &GOOD.replace("I-1", "I-2"), Foreign, AnswerSays::Repeated),
        (200, &GOOD.replace("0073", "73a"), Foreign, AnswerSays::Unclear),
        (200, "{\"order\":{\"invoice_nu", Foreign, AnswerSays::Unclear),
        (200, "", Foreign, AnswerSays::Unclear),
        (200, ERROR, Foreign, AnswerSays::Unclear),
        (400, ERROR, Signed, AnswerSays::Refused),
        (400, r#"{"error":{"message":"Invalid Header Signature"}}"#, Signed, AnswerSays::Credentials),
        (400, r#"{"error":{"message":"client id of the customer is too long"}}"#, Signed, AnswerSays::Refused),
        (402, ERROR, Signed, AnswerSays::Refused),
        (406, ERROR, Signed, AnswerSays::Refused),
        (413, ERROR, Signed, AnswerSays::Refused),
        (418, ERROR, Signed, AnswerSays::Refused),
        (422, ERROR, Signed, AnswerSays::Refused),
        (451, ERROR, Signed, AnswerSays::Refused),
        (404, ERROR, Signed, AnswerSays::NoSuchPath),
        (404, r#"{"timestamp":"x","status":404,"error":"Not Found","path":"/x"}"#, Signed, AnswerSays::NoSuchPath),
        (404, "<html>No static resource</html>", Foreign, AnswerSays::NoSuchPath),
        (405, "", Foreign, AnswerSays::NoSuchPath),
        (410, ERROR, Signed, AnswerSays::NoSuchPath),
        (501, ERROR, Signed, AnswerSays::NoSuchPath),
        (401, ERROR, Signed, AnswerSays::Credentials),
        (401, "<html>", Foreign, AnswerSays::Credentials),
        (403, ERROR, Signed, AnswerSays::ChannelClosed),
        (403, "blocked", Foreign, AnswerSays::ChannelClosed),
        (429, ERROR, Signed, AnswerSays::Throttled),
        (429, "", Foreign, AnswerSays::Throttled),
        (400, "client id is wrong", Foreign, AnswerSays::Refused),
        (400, r#"{"detail":"x"}"#, Foreign, AnswerSays::Refused),
        (400, r#"["message"]"#, Foreign, AnswerSays::Refused),
        (400, r#"{"error":{"message":"no"},"order":{"invoice_number":"I-2"}}"#, Foreign, AnswerSays::Refused),
        (408, ERROR, Foreign, AnswerSays::Unclear),
        (425, ERROR, Foreign, AnswerSays::Unclear),
        (500, ERROR, Foreign, AnswerSays::Unclear),
        (502, "<html>", Foreign, AnswerSays::Unclear),
        (503, "", Foreign, AnswerSays::Unclear),
        (302, "", Foreign, AnswerSays::Unclear),
    ];
    for (status, body, whose, says) in table {
        let judged = of(*status, body, SignatureFinding::Valid, TRUST);
        assert_eq!((judged.whose, judged.says), (*whose, *says), "{status} {body}");
    }
}

#[test]
fn a_signature_counts_as_the_settings_say() {
    use SignatureFinding::{Absent, Valid, Wrong};
    use SignaturePolicy::{Enforce, Off, Warn};
    use UnsignedErrors::{Accept, Refuse};
    let table = [
        (Off, Accept, Valid, Signed, Signed),
        (Off, Accept, Absent, Unsigned, Unsigned),
        (Off, Accept, Wrong, Unsigned, Unsigned),
        (Off, Refuse, Absent, Unsigned, Foreign),
        (Off, Refuse, Wrong, Unsigned, Foreign),
        (Warn, Accept, Valid, Signed, Signed),
        (Warn, Accept, Absent, Unsigned, Unsigned),
        (Warn, Accept, Wrong, Unsigned, Unsigned),
        (Warn, Refuse, Absent, Unsigned, Foreign),
        (Enforce, Accept, Valid, Signed, Signed),
        (Enforce, Accept, Absent, Foreign, Unsigned),
        (Enforce, Accept, Wrong, Foreign, Foreign),
        (Enforce, Refuse, Valid, Signed, Signed),
        (Enforce, Refuse, Absent, Foreign, Foreign),
    ];
    for (policy, unsigned_errors, signature, success, error) in table {
        let trust = Trust { policy, unsigned_errors };
        let (of_success, of_error) = (of(200, GOOD, signature, trust), of(400, ERROR, signature, trust));
        assert_eq!((of_success.whose, of_error.whose), (success, error), "{policy:?} {unsigned_errors:?} {signature:?}");
        assert_ne!(of(401, ERROR, signature, trust).whose, Foreign, "refused credentials count whatever the signature");
    }
}

#[test]
fn a_strangers_answer_never_concludes_anything() {
    for status in (200..600).filter(|status| *status != 429) {
        for body in ["", "<html>404</html>", "upstream error", "{}", r#"{"detail":"x"}"#, "[]", "null", &GOOD.replace("I-1", "I-2")] {
            let judged = of(status, body, SignatureFinding::Valid, TRUST);
            for before in Before::ALL {
                let conclusion = conclude(judged.whose, judged.says, before);
                assert_eq!(conclusion, Conclusion::InDoubt { answered: false }, "{status} {body}");
            }
        }
    }
}

#[test]
fn a_good_answer_stays_good_when_a_field_has_another_type() {
    let odd = r#"{"order":{"invoice_number":"I-1","amount":"x"},"online_to_offline_info":{"payment_code":00,"x":[]}}"#;
    assert_eq!(of(200, odd, SignatureFinding::Valid, TRUST).whose, Foreign, "no JSON");
    let table = [
        (r#""payment_code":6059000000000205"#, "6059000000000205", None),
        (r#""payment_code":"0073","created_date":20210331115005"#, "0073", Some("2021-03-31T04:50:05Z")),
        (r#""payment_code":"0073","how_to_pay_page":0"#, "0073", None),
        (r#""payment_code":"0073","expired_date":{"a":1}"#, "0073", None),
        (r#""payment":"0073""#, "0073", None),
    ];
    for (info, code, created_at) in table {
        let body = format!(r#"{{"order":{{"invoice_number":"I-1"}},"online_to_offline_info":{{{info}}}}}"#);
        let judged = of(200, &body, SignatureFinding::Valid, TRUST);
        let answer = judged.answer.unwrap();
        assert_eq!((judged.says, answer.payment_code.as_str()), (AnswerSays::Success, code), "{info}");
        assert_eq!(answer.created_at.map(|at| at.to_string()).as_deref(), created_at, "{info}");
        assert_eq!(answer.how_to_pay_page, None);
    }
    let invoice = InvoiceNumber::new("123").unwrap();
    let body = r#"{"order":{"invoice_number":123},"online_to_offline_info":{"payment_code":"1"}}"#;
    let answer = Answer { status: 200, body: body.into(), signature: SignatureFinding::Valid, ..Answer::default() };
    let judged = judge(&answer, &Expected { wire_invoice_number: &invoice, payment_code: None, trust: TRUST });
    assert_eq!(judged.says, AnswerSays::Success, "a number of digits may be echoed as a number");
}

#[test]
fn dates_fall_back_from_utc_to_wib_and_a_contradiction_is_noted() {
    let answer = of(200, GOOD, SignatureFinding::Valid, TRUST).answer.unwrap();
    assert_eq!(answer.expires_at.unwrap().to_string(), "2021-03-31T05:50:05Z");
    let both = |utc: &str| {
        GOOD.replace(r#""more":1"#, "")
            .replace("},}", "}}")
            .replace(r#""expired_date":"20210331125005""#, &format!(r#""expired_date":"20210331125005","expired_date_utc":"{utc}""#))
    };
    assert_eq!(of(200, &both("2021-03-31T05:50:05Z"), SignatureFinding::Valid, TRUST).remark, None);
    let judged = of(200, &both("2021-03-31T12:50:05Z"), SignatureFinding::Valid, TRUST);
    assert!(judged.remark.is_some_and(|remark| remark.about_expiry) && judged.says == AnswerSays::Success);
    assert_eq!(judged.answer.unwrap().expires_at.unwrap().to_string(), "2021-03-31T12:50:05Z");
}

#[test]
fn dokus_words_are_found_whole_in_every_error_shape() {
    for (body, words) in [
        (r#"{"error":{"message":"words"}}"#, "words"),
        (r#"{"error":{"code":"invalid_parameter","message":"words"}}"#, "words (invalid_parameter)"),
        (r#"{"message":"words"}"#, "words"),
        (r#"{"response":{"error":{"code":1,"message":"words"}}}"#, "words (1)"),
        (r#"{"status":"FAILED","response_code":"words"}"#, "words"),
        (r#"{"status":"FAILED","response_code":"INVALID","response_message":"words"}"#, "words (INVALID)"),
        (r#"{"error_messages":["a","b"]}"#, "a; b"),
        (r#"{"message":["a","b"]}"#, "a; b"),
        ("words", "words"),
        ("", "(empty answer)"),
    ] {
        assert_eq!(error_message(body.as_bytes()), words, "{body}");
    }
    let long = "w".repeat(2_000);
    assert_eq!(error_message(format!(r#"{{"message":"{long}"}}"#).as_bytes()), long);
    assert_eq!(error_message(long.as_bytes()).len(), 300, "of a stranger's page the beginning");
}
