//! Messages as DOKU's pages and merchants' experience have them: every documented quirk, through the server and the report.

use serde_json::Value;

use super::town::Town;
use crate::reconcile::ours::reconciled;
use crate::serve::shop::{INQUIRY, Message, NOTIFICATION, inquiry_body};
use crate::support::world::{SECRET, until};

/// A notification that bill `N-{number}` is paid; `info` and `amount` are JSON.
fn paid(number: usize, info: &str, amount: &str) -> String {
    format!(
        r#"{{"service":{{"id":"ONLINE_TO_OFFLINE"}},"acquirer":{{"id":"ALFA"}},"channel":{{"id":"ONLINE_TO_OFFLINE_ALFA"}},"transaction":{{"status":"SUCCESS","date":"{}","original_request_id":"N-{number}"}},"order":{{"invoice_number":"N-{number}","amount":{amount}}},"online_to_offline_info":{info},"online_to_offline_payment":{{"identifier":[{{"name":"AGENT_ID","value":"ALFAMART"}},{{"name":"AGENT_STORE_ID","value":"T1"}},{{"name":"AGENT_TRX_ID","value":"X{number}"}}]}}}}"#,
        jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
}

#[test]
fn every_documented_quirk_of_a_message_is_read_as_what_it_means() {
    let town = Town::open("", &[]);
    let rows: Vec<String> = (1..=10).map(|n| format!("N-{n},100000,Ani,alfa,inquiry,88{n:02}")).collect();
    town.issue("invoice_number,amount,customer_name,channel,method,payment_code", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let code = |n: usize| format!(r#"{{"payment_code":"88{n:02}"}}"#);
    let messages = [
        paid(1, &code(1), "100000"),
        paid(2, &code(2), "100000.0"),
        paid(3, &code(3), "\"100000\""),
        paid(4, &code(4), "\"100000.0\""),
        paid(5, r#"{"payment_code":8805}"#, "100000"),
        paid(6, r#"{"payment":"8806","info1":"Terima kasih"}"#, "100000"),
        paid(7, &code(7), "100000").replace("\"identifier\"", "\"identifer\""),
        paid(8, r#"{"payment_code":"8808","reusable_status":"false","info":"x","info1":"y","expired_time":"60"}"#, "100000.00"),
        paid(9, &code(9), "100000").replace("\"SUCCESS\"", "\"success\"").replacen(
            '{',
            r#"{"x_trace":{"hops":[1,{"a":null}]},"customer":{"name":"Canary","email":""},"additional_info":{"insurance_info":{}},"#,
            1,
        ),
        pretty(&paid(10, &code(10), "100000").replace("ONLINE_TO_OFFLINE_ALFA", "online_to_offline_alfa")),
    ];
    for (number, body) in messages.iter().enumerate() {
        let mut message = Message::new(NOTIFICATION, &format!("id-{number}"), body);
        if number == 3 {
            // Header names have no case.
            message.headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        }
        assert_eq!(town.shop.send(&message).status, 200, "{body}");
    }
    until("the ledger has every payment", || town.ledger() == (10, 1_000_000));
    town.reports("N00x10", "P00x10", "L00x10", (10, 1_000_000));
}

/// The same over many lines.
fn pretty(body: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<Value>(body).unwrap()).unwrap()
}

#[test]
fn invalid_json_as_on_dokus_pages_is_refused_and_costs_nothing() {
    let town = Town::open("", &[]);
    town.issue("invoice_number,amount,customer_name,channel,method,payment_code", &["N-1,100000,Ani,alfa,inquiry,8801"]);
    let whole = paid(1, r#"{"payment_code":"8801"}"#, "100000");
    let trailing_comma = whole.replace(r#""amount":100000}"#, r#""amount":100000,}"#);
    let missing_comma = whole.replace(r#"},"online_to_offline_info""#, r#"}"online_to_offline_info""#);
    let cut = &whole[..whole.len() - 2];
    for (number, body) in [trailing_comma.as_str(), &missing_comma, cut, "", "null"].into_iter().enumerate() {
        let answer = town.shop.send(&Message::new(NOTIFICATION, &format!("id-{number}"), body));
        assert_eq!((answer.status, answer.body.len()), (400, 0), "{body}");
    }
    let question = inquiry_body("\"8801\"");
    for (number, body) in [question.replace("[]", "[],"), question.replacen("},", "}", 1), String::new()].iter().enumerate() {
        let id = format!("ask-{number}");
        let answer = town.shop.send(&Message::new(INQUIRY, &id, body));
        assert_eq!((answer.status, answer.word().as_str()), (400, "decline"), "{body}");
        assert!(answer.is_signed(SECRET, &id));
    }
    // The server is well, and the code can be paid.
    town.paid("8801", "");
    town.delivered();
    until("the ledger has it", || town.ledger() == (1, 100_000));
    let log = town.shop.lines("notifications-");
    assert_eq!(log.len(), 6, "what DOKU signed is kept, also what nobody can read");
    assert!(log.iter().all(|line: &Value| line["headers"]["Signature"].is_string()));
    let logs = town.shop.world.path("logs/notifications-*").display().to_string();
    // One of them has no body at all.
    assert_eq!(reconciled(&town.shop.world, &logs, 1), ["N00 N01 N12x4", "P00", "L00"]);
    town.shop.world.run(&["ledger", "verify"]).expect(0);
}
