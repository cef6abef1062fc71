//! What a rehearsal may ask of the sandbox: plugins' bodies, refusals on order, other words for an order, another key.

use super::*;
use crate::sandbox::refusal::{OrderedRefusal, Shape};

fn hospitable() -> Model {
    Model::new(Settings { strict: false, ..settings() })
}

const PLUGIN: &str = r#"{"order":{"invoice_number":"WC-1","amount":"150000"},
    "online_to_offline_info":{"expired_time":"60","reusable_status":"false","info1":"Thanks"},
    "customer":{"name":"Anton Budiman","email":"anton@example.com"},
    "additional_info":{"method":"Jokul Direct","integration":{"name":"woocommerce-plugin","version":"1.3.0"}}}"#;

fn ordered(status: u16) -> OrderedRefusal {
    OrderedRefusal { status, count: 1, shape: Shape::Error, message: "no".into(), signed: None, retry_after_seconds: None }
}

#[test]
fn what_dokus_plugins_send_is_taken_unless_the_sandbox_is_strict_and_the_field_is_named() {
    let request = signed("POST", ALFA, "plugin", PLUGIN, noon());
    let taken = hospitable().handle(&request, noon()).answer;
    assert_eq!((taken.status, is_signed(&taken, &request)), (200, true));
    let refused = model().handle(&request, noon()).answer;
    assert_eq!(refused.status, 400);
    let message = value(&refused)["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Invalid JSON Format: "), "{message}");
    let unknown = PLUGIN.replace("\"customer\":{", "\"customer\":{\"phone\":\"0812\",");
    let refused = hospitable().handle(&signed("POST", ALFA, "phone", &unknown, noon()), noon()).answer;
    assert_eq!(value(&refused)["error"]["message"], "Invalid JSON Format: customer.phone");
}

#[test]
fn the_next_calls_are_refused_in_every_shape_and_nothing_is_done() {
    for shape in Shape::ALL {
        for (signed_refusal, status) in [(Some(true), 404), (Some(false), 403), (None, 429)] {
            let mut model = hospitable();
            model.refuse_next(OrderedRefusal { shape, signed: signed_refusal, retry_after_seconds: Some(7), count: 2, ..ordered(status) });
            let request = signed("POST", ALFA, "a", PLUGIN, noon());
            for _ in 0..2 {
                let answer = model.handle(&request, noon()).answer;
                assert_eq!((answer.status, answer.header("Retry-After")), (status, Some("7")));
                assert!(value(&answer).is_object() && is_signed(&answer, &request) == (signed_refusal != Some(false)), "{shape:?}");
            }
            assert!(model.orders().is_empty());
            assert_eq!(model.handle(&request, noon()).answer.status, 200, "the same id is still free");
        }
    }
}

#[test]
fn errors_may_come_unsigned_and_a_replay_is_no_error() {
    let mut model = Model::new(Settings { signs_errors: false, strict: false, ..settings() });
    let good = signed("POST", ALFA, "a", PLUGIN, noon());
    assert!(is_signed(&model.handle(&good, noon()).answer, &good));
    let replay = model.handle(&good, noon()).answer;
    assert!(replay.status == 409 && is_signed(&replay, &good));
    for bad in [
        signed("POST", ALFA, "b", PLUGIN, noon()),
        signed("POST", "/elsewhere", "c", "{}", noon()),
        signed("GET", "/orders/v1/status/X", "d", "", noon()),
    ] {
        let answer = model.handle(&bad, noon()).answer;
        assert!(answer.status >= 400 && answer.header("Signature").is_none() && value(&answer).is_object(), "{answer:?}");
    }
}

#[test]
fn an_order_is_called_what_a_rehearsal_says() {
    let mut model = hospitable();
    model.handle(&signed("POST", ALFA, "a", PLUGIN, noon()), noon());
    for word in ["REFUNDED", "ORDER_EXPIRED", "TIMEOUT"] {
        assert!(model.call_order("WC-1", Some(word.into())));
        assert_eq!(value(&status_at(&mut model, "WC-1", noon()))["transaction"]["status"], word);
    }
    assert!(model.call_order("WC-1", None) && !model.call_order("WC-2", None));
    assert_eq!(value(&status_at(&mut model, "WC-1", noon()))["transaction"]["status"], "PENDING");
}

#[test]
fn another_key_keeps_orders_and_answers() {
    let mut model = hospitable();
    let old = signed("POST", ALFA, "a", PLUGIN, noon());
    let code = value(&model.handle(&old, noon()).answer)["online_to_offline_info"]["payment_code"].as_str().unwrap().to_owned();
    let paid = model.pay(&code, &crate::sandbox::payment::PaymentScript::at(noon())).unwrap();
    model.change_secret(SecretString::from("SK-new"));
    assert_eq!(model.handle(&old, noon()).answer.status, 401);
    assert!(model.order("WC-1").is_some() && model.is_signed_by_doku(&paid), "what was signed before is still DOKU's");
    model.change_secret(SecretString::from(SECRET));
    assert_eq!(model.handle(&old, noon()).answer.status, 409, "the stored answer");
}
