//! Notifications as DOKU's pages show them, and as nobody promised they would not come.

use super::*;

const BODY: &str = r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"transaction":{"status":"SUCCESS","date":"2021-08-12T07:06:28Z","original_request_id":"5b8e438f-fac1-4103-9e0e-ebfdc38b5acb"},"order":{"invoice_number":"INV-20210125-0001","amount":150000},"online_to_offline_info":{"payment_code":"73"},"online_to_offline_payment":{"identifier":[{"name":"AGENT_ID","value":"ALFAMART"},{"name":"AGENT_STORE_ID","value":"store"},{"name":"AGENT_TRX_ID","value":"1246"}]}}"#;

fn read(body: &str) -> Notification<'_> {
    match parse(body) {
        Message::Notification(notification) => notification,
        other => panic!("{other:?} of {body}"),
    }
}

fn with(from: &str, to: &str) -> String {
    assert!(BODY.contains(from), "{from}");
    BODY.replacen(from, to, 1)
}

#[test]
fn the_sample_of_the_documents_is_read_whole() {
    let sample = read(BODY);
    assert_eq!(sample.status, TransactionStatus::Success);
    assert_eq!((sample.channel, sample.acquirer_agrees), (Channel::Alfa, true));
    assert_eq!((&*sample.invoice_number, &*sample.payment_code), ("INV-20210125-0001", "73"));
    assert_eq!(sample.amount, NotifiedAmount::Usable(Amount::new(150_000).unwrap()));
    assert_eq!(sample.paid_at.to_string(), "2021-08-12T07:06:28Z");
    assert_eq!((&*sample.agent.id, &*sample.agent.store_id, &*sample.agent.transaction_id), ("ALFAMART", "store", "1246"));
}

#[test]
fn quirks_of_doku_read_like_the_sample() {
    for (from, to) in [
        (r#""payment_code":"73""#, r#""payment_code":73"#),
        (r#""payment_code":"73""#, r#""payment":"73""#),
        (r#""payment_code":"73""#, r#""payment_code":null,"payment":"73""#),
        ("150000", "150000.0"),
        ("150000", r#""150000""#),
        ("150000", r#""150000.00""#),
        ("150000", "1.5E5"),
        ("150000", r#""1.5e+5""#),
        ("150000", r#"150000,"currency":[]"#),
        (r#""original_request_id":"5b8e438f-fac1-4103-9e0e-ebfdc38b5acb""#, r#""original_request_id":{"a":1e999}"#),
        (r#"[{"name":"AGENT_ID""#, r#"["x",7,null,{"name":7},{"name":"AGENT_ID","value":[]},{"name":"AGENT_ID""#),
        ("150000", r#"150000,"currency":"idr""#),
        ("150000", r#"150000,"currency":null"#),
        ("SUCCESS", "success"),
        ("ONLINE_TO_OFFLINE_ALFA", "online_to_offline_alfa"),
        ("identifier", "identifer"),
        (r#""1246""#, "1246"),
        ("AGENT_TRX_ID", "agent_trx_id"),
        (r#"{"service""#, r#"{"customer":{"name":"A","age":[1,{"x":null}]},"new":true,"service""#),
        ("2021-08-12T07:06:28Z", "2021-08-12T14:06:28+07:00"),
        ("INV-2021", r"INV\u002d2021"),
    ] {
        let quirky = with(from, to);
        assert_eq!(Notification { left_out: None, ..read(&quirky) }, read(BODY), "{from} -> {to}");
        assert_eq!(read(&quirky).identity(), read(BODY).identity(), "{from} -> {to}");
    }
}

#[test]
fn an_unusable_amount_is_still_a_notification() {
    for written in
        ["150000.5", r#""1,500""#, "-1", "0", r#""""#, "15e-1", "150.000", r#""150.000""#, "1234567890123", r#"" 5""#, r#""5.""#, r#""+5""#]
    {
        let body = with("150000", written);
        assert!(matches!(read(&body).amount, NotifiedAmount::Unusable(_)), "{written}");
    }
    let dollars = with("150000", r#"150000,"currency":"USD""#);
    assert_eq!(read(&dollars).amount, NotifiedAmount::Unusable("150000".into()));
}

#[test]
fn a_missing_or_unusable_mandatory_field_is_named() {
    for (from, to, field) in [
        (r#""service":{"id":"ONLINE_TO_OFFLINE"},"#, "", Field::ServiceId),
        (r#""acquirer":{"id":"ALFA"},"#, "", Field::AcquirerId),
        ("ONLINE_TO_OFFLINE_ALFA", "ONLINE_TO_OFFLINE_OTHER", Field::ChannelId),
        ("SUCCESS", "REFUNDED", Field::TransactionStatus),
        ("2021-08-12T07:06:28Z", "2021-08-12 07:06:28", Field::TransactionDate),
        ("INV-20210125-0001", "", Field::InvoiceNumber),
        ("INV-20210125-0001", "Inv\u{e9}", Field::InvoiceNumber),
        (",\"amount\":150000", "", Field::Amount),
        ("150000", "true", Field::Amount),
        (r#""73""#, r#""73a""#, Field::PaymentCode),
        (r#""73""#, "-73", Field::PaymentCode),
        (r#""73""#, r#""123456789012345678901""#, Field::PaymentCode),
        (r#"{"payment_code":"73"}"#, "7", Field::PaymentCode),
        (r#""73""#, r#""73","payment_code":"74""#, Field::PaymentCode),
        ("150000", r#"150000,"amount":15"#, Field::Amount),
        ("SUCCESS", r#"FAILED","status":"SUCCESS"#, Field::TransactionStatus),
    ] {
        assert_eq!(parse(&with(from, to)), Message::Unusable(field), "{from} -> {to}");
    }
    assert_eq!(parse("[]"), Message::Unusable(Field::Body));
    assert_eq!(parse("not json"), Message::Unusable(Field::Body));
}

#[test]
fn another_service_is_told_apart_even_when_its_fields_are_not_ours() {
    assert_eq!(parse(r#"{"service":{"id":"VIRTUAL_ACCOUNT"}}"#), Message::OtherService);
    assert_eq!(parse(r#"{"service":{"id":"CREDIT_CARD"},"order":7}"#), Message::OtherService);
}

#[test]
fn amount_and_status_are_content_and_not_identity() {
    let body = with("150000", "1");
    assert_eq!(read(&body).identity(), read(BODY).identity());
    let other_trx = with("1246", "1247");
    assert_ne!(read(&other_trx).identity(), read(BODY).identity());
}

#[test]
fn without_a_transaction_id_invoice_and_date_make_the_identity() {
    let bare = with(r#"{"name":"AGENT_TRX_ID","value":"1246"}"#, r#"{"name":"AGENT_TRX_ID"}"#);
    let later = bare.replace("07:06:28", "07:06:29");
    let elsewhere = bare.replace("store", "another");
    assert_ne!(read(&bare).identity(), read(&later).identity());
    assert_eq!(read(&bare).identity(), read(&elsewhere).identity());
}

#[test]
fn an_optional_field_of_another_type_is_left_out_and_named() {
    let agent = r#"{"name":"AGENT_TRX_ID","value":"1246"}"#;
    let table = [
        (with(r#""amount":150000"#, r#""amount":150000,"currency":"IDR""#), None),
        (with(r#""amount":150000"#, r#""amount":150000,"currency":360"#), Some(Field::Currency)),
        (with(agent, r#"{"name":"AGENT_TRX_ID","value":1246}"#), None),
        (with(agent, r#"{"name":"AGENT_TRX_ID","value":{"id":1246}}"#), Some(Field::Identifier)),
        (with(agent, r#"{"name":"AGENT_TRX_ID","value":""}"#), None),
    ];
    for (body, left_out) in table {
        let found = read(&body);
        assert_eq!(found.left_out, left_out, "{body}");
        assert!(matches!(found.amount, NotifiedAmount::Usable(_)), "it spoils nothing: {body}");
    }
}
